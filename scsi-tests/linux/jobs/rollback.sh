#!/bin/bash
# A tape with a Bacula backup is relabelled by mistake; `tape versions` shows what it was, `tape rollback` brings that back,
# and the backup is restored identically. Then the same with a tape that was erased, and the undo of a rollback.
#
# rig: timeout = 400
# rig: memory = 2G
. /rig/lib/job.sh
. /rig/lib/initiator.sh
. /rig/lib/changer.sh
. /rig/lib/tape.sh
. /rig/lib/bacula.sh
trap 'cp $BACULA/*.log /host/' EXIT

# fullest BARCODE: the number of the version with the most on it.
fullest() {
    host capstan --json tape versions "$1" | python3 -c '
import json, sys
print(max(json.load(sys.stdin)["versions"], key=lambda version: version["used"])["number"])'
}

# latest BARCODE: the number of the latest version.
latest() {
    host capstan --json tape versions "$1" | python3 /rig/lib/field.py versions.-1.number
}

restore() {
    # A drive that an operator has unmounted is left alone until he mounts it again.
    console 'mount storage=Library drive=0 slot=1' >"$1"
    console "restore client=capstan-fd jobid=1 where=$BACULA/restored all done yes" wait messages >>"$1"
    assert_eq "end" "$(terminations "$1")" "Restore OK"
    diff --recursive --no-dereference $BACULA/source $BACULA/restored$BACULA/source
    rm -r $BACULA/restored
    empty_drives "$1"
}

login 0 1
configure 64512
mkdir -p $BACULA/source
for file in $(seq 20); do
    random $BACULA/source/random$file $((500000 + file * 4099))
done
cp -r /etc $BACULA/source/
start_bacula
console 'label barcodes storage=Library pool=Scratch slots=1 drive=0' yes >$BACULA/label.log
console 'run job=Backup-A yes' wait messages >$BACULA/backup.log
assert_eq "ends" "$(terminations $BACULA/backup.log)" "Backup OK"
empty_drives $BACULA/umount.log
used=$(host capstan --json tape show CAP001L8 | python3 /rig/lib/field.py used)
step "a backup of $(du -sm $BACULA/source | cut -f 1) MB on CAP001L8"

load 1 0
TAPE=${NST[0]}
btape_run 120 $BACULA/relabel.log label MISTAKE
tape rewind
assert_eq "the wrong label" "$(read_blocks 64512 1 | tr -cd '[:print:]' | grep -o MISTAKE | head -n 1)" MISTAKE
unload 1 0
[ "$(host capstan --json tape show CAP001L8 | python3 /rig/lib/field.py used)" -lt 1000000 ]
step "relabelled: all that was on it is gone"

host capstan tape rollback CAP001L8 --to "$(fullest CAP001L8)" >/tmp/rolled
assert_eq "used" "$(host capstan --json tape show CAP001L8 | python3 /rig/lib/field.py used)" "$used"
restore $BACULA/restore-1.log
step "rolled back: the backup is restored identically"

undo=$(latest CAP001L8)
host capstan tape rollback CAP001L8 --to "$undo" >/tmp/rolled
load 1 0
assert_eq "the wrong label" "$(read_blocks 64512 1 | tr -cd '[:print:]' | grep -o MISTAKE | head -n 1)" MISTAKE
unload 1 0
host capstan tape rollback CAP001L8 --to "$(latest CAP001L8)" >/tmp/rolled
step "a rollback is undone, and done again"

load 1 0
refuses "in drive:0" host capstan tape rollback CAP001L8 --to 1
tape erase
unload 1 0
assert_eq "used" "$(host capstan --json tape show CAP001L8 | python3 /rig/lib/field.py used)" 0
refuses "has no version 99" host capstan tape rollback CAP001L8 --to 99
host capstan tape rollback CAP001L8 --to "$(latest CAP001L8)" >/tmp/rolled
restore $BACULA/restore-2.log
step "erased and brought back: restored identically"
