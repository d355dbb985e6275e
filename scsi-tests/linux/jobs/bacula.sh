#!/bin/bash
# Bacula labels two cartridges by barcode, backs a tree up on two drives at once, restores both backups identically and
# verifies them against the catalog; the blocks on tape have the size that was asked for.
#
# rig: variants = MAXBLOCK 64512 262144 1048576
# rig: timeout = 600
# rig: memory = 2G
. /rig/lib/job.sh
. /rig/lib/initiator.sh
. /rig/lib/changer.sh
. /rig/lib/tape.sh
. /rig/lib/bacula.sh
trap 'cp $BACULA/*.log /host/' EXIT

login 0 1 5
configure "$MAXBLOCK"
mkdir -p $BACULA/source
# So much that the first backup still writes when the second has its drive: the storage daemon lets one of them look for
# a drive at a time, and that takes some seconds.
for file in $(seq 100); do
    random $BACULA/source/random$file $((1500000 + file * 4099))
done
cp -r /etc /usr/share/doc $BACULA/source/
step "a tree of $(du -sm $BACULA/source | cut -f 1) MB and $(find $BACULA/source -type f | wc -l) files"

start_bacula
console 'label barcodes storage=Library pool=Scratch slots=1-2 drive=0' yes >$BACULA/label.log
assert_eq "volumes" "$(catalog "select VolumeName, Slot, VolStatus from Media order by Slot")" "$(
    for slot in 1 2; do echo "CAP00${slot}L8|$slot|Append"; done)"
step "two cartridges labelled by their barcodes"

console 'run job=Backup-A yes' 'run job=Backup-B yes' wait messages >$BACULA/backup.log
assert_eq "ends" "$(terminations $BACULA/backup.log)" "Backup OK
Backup OK"
assert_eq "volumes written" "$(catalog "select count(distinct MediaId) from JobMedia")" 2
assert_eq "backups at the same time" "$(catalog "select count(*) from Job a, Job b where a.Name='Backup-A' and
    b.Name='Backup-B' and a.StartTime <= b.EndTime and b.StartTime <= a.EndTime")" 1
step "two backups at once, on two volumes: $(sed -n 's/^ *SD Bytes Written: *//p' $BACULA/backup.log | xargs)"

for job in 1 2; do
    console "restore client=capstan-fd jobid=$job where=$BACULA/restored-$job all done yes" wait messages \
        >$BACULA/restore-$job.log
    assert_eq "end" "$(terminations $BACULA/restore-$job.log)" "Restore OK"
    diff --recursive --no-dereference $BACULA/source $BACULA/restored-$job$BACULA/source
    rm -r $BACULA/restored-$job
done
step "both restored trees are identical"

console 'run job=Verify-A yes' 'run job=Verify-B yes' wait messages >$BACULA/verify.log
assert_eq "ends" "$(terminations $BACULA/verify.log)" "Verify OK
Verify OK"
step "both volumes verified against the catalog"

empty_drives $BACULA/umount.log
assert_eq "cartridges" "$(full)" "$(ten_in_slots)"
TAPE=${NST[5]}
for slot in $(catalog "select Slot from Media where MediaId in (select MediaId from JobMedia)"); do
    load "$slot" 5
    # The label is a block of its own size.
    tape fsr 1
    assert_eq "block size in slot $slot" "$(read_blocks 2097152 1 | wc -c)" "$MAXBLOCK"
    assert_eq "next block" "$(read_blocks 2097152 1 | wc -c)" "$MAXBLOCK"
    unload "$slot" 5
done
step "blocks of $MAXBLOCK bytes on both volumes"
