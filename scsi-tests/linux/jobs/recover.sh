#!/bin/bash
# Bacula backs a tree up on two drives; all of it is shipped. Then the machine is lost: the state directory, the upload buffer
# and the cache are deleted. The library comes back from the tier alone, with everything in its slots under the same serial
# numbers, and Bacula, which was not touched, updates its slots, restores both backups identically and goes on with the tapes.
#
# rig: variants = TIER dir s3
# rig: start = by the job
# rig: memory = 2G
# rig: timeout = 900
. /rig/lib/job.sh
. /rig/lib/initiator.sh
. /rig/lib/changer.sh
. /rig/lib/tape.sh
. /rig/lib/tier.sh
. /rig/lib/bacula.sh
trap 'cp $BACULA/*.log /host/; rm -rf /host/cache /host/tier' EXIT

# What mtx shows but for what is in the drives.
slots() {
    mtx -f "$CHANGER" status | grep 'Storage Element'
}

restored() {
    local job=$1
    console "restore client=capstan-fd jobid=$job where=$BACULA/restored-$job all done yes" wait messages \
        >$BACULA/restore-"$job".log
    assert_eq "end" "$(terminations $BACULA/restore-"$job".log)" "Restore OK"
    diff --recursive --no-dereference $BACULA/source $BACULA/restored-"$job"$BACULA/source
    rm -r $BACULA/restored-"$job"
}

start_gateway
login 0 1
configure 262144
mkdir -p $BACULA/source
for file in $(seq 40); do
    random $BACULA/source/random$file $((1500000 + file * 4099))
done
cp -r /etc $BACULA/source/
start_bacula
console 'label barcodes storage=Library pool=Scratch slots=1-2 drive=0' yes >$BACULA/label.log
console 'run job=Backup-A yes' 'run job=Backup-B yes' wait messages >$BACULA/backup.log
assert_eq "ends" "$(terminations $BACULA/backup.log)" "Backup OK
Backup OK"
empty_drives $BACULA/umount.log
host capstan tape protect CAP009L8 >/tmp/protected
host capstan library move slot:7 slot:77 >/tmp/moved
await 600 all_shipped
before=$(slots)
serials=$(host capstan drive list --json | grep '"serial"')
step "a tree of $(du -sm $BACULA/source | cut -f 1) MB on two tapes, all of it in the tier"

# The state of the library follows its last change within seconds.
sleep 10
host daemon stop
host daemon lose
rm -rf /host/cache
host daemon recover share/site/capstan.toml --dry-run --verify 20% >/tmp/rehearsal
grep 'read and good' /tmp/rehearsal
host daemon recover share/site/capstan.toml >/tmp/recovered
cp /tmp/rehearsal /tmp/recovered /host/
begun=$SECONDS
host daemon start share/site/capstan.toml
await 120 mtx -f "$CHANGER" status
assert_eq "slots" "$(slots)" "$before"
assert_eq "serial numbers" "$(host capstan drive list --json | grep '"serial"')" "$serials"
assert_eq "protected" "$(host capstan tape show CAP009L8 --json | grep --count '"protected": true')" 1
step "the library is back, nothing is anywhere but in the tier"

console 'update slots storage=Library drive=0' >$BACULA/update.log
# They were unmounted by hand: jobs wait until they are mounted by hand.
console 'mount storage=Library slot=1 drive=0' 'mount storage=Library slot=2 drive=1' >$BACULA/mount.log
restored 1
restored 2
step "both restored trees are identical, $((SECONDS - begun)) s after the start"

console 'run job=Backup-A level=Full yes' wait messages >$BACULA/again.log
assert_eq "end" "$(terminations $BACULA/again.log)" "Backup OK"
await 600 all_shipped
assert_eq "fenced" "$(happened fenced)" 0
assert_eq "older copies" "$(happened library_fenced)" 0
step "a backup goes on with the same tapes, and into the tier"
