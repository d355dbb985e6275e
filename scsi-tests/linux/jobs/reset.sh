#!/bin/bash
# Resets of a logical unit and of a target: every session of that drive is told once, nothing is lost, the position and the
# cartridge stay, a lock is gone; st writes nothing until it is told where; other drives see none of it.
#
. /rig/lib/job.sh
. /rig/lib/initiator.sh
. /rig/lib/changer.sh
. /rig/lib/tape.sh

# The drive is held open on descriptor 3.
held() {
    perl /rig/lib/held.pl "$@" <&3
}
write_held() {
    dd bs=65536 count=1 if=/tmp/data status=none >&3
}

login 0 1
random /tmp/data 655360
load 1 0
load 2 1
for drive in 0 1; do
    TAPE=${NST[drive]}
    part /tmp/data 65536 0 10 | write_blocks 65536 10
    tape rewind
    tape fsr 4
done
TAPE=${NST[0]}

for kind in --device --target; do
    tape lock
    refuses "Additional Sense Code = 53" mtx -f "$CHANGER" unload 1 0
    sg_reset $kind "${SG[0]}"
    refuses "Additional sense: Bus device reset function occurred" sg_turs --verbose "${SG[0]}"
    sg_turs "${SG[0]}"
    sg_turs "${SG[1]}"
    assert_eq "block" "$(tell)" 4
    unload 1 0
    load 1 0
    tape fsr 4
done
step "told once, position kept, lock gone"

exec 3<>"$TAPE"
sg_reset --device "${SG[0]}"
for attempt in 1 2 3; do
    refuses "Input/output error" write_held
    refuses "Input/output error" held weof
done
held rewind
dd bs=65536 status=none <&3 | cmp - /tmp/data
assert_eq "after the filemark" "$(held status)|$(held tell)" "1 0|11"
exec 3>&-
TAPE=${NST[1]}
expect 0 4 4
part /tmp/data 65536 4 6 | reads 65536
step "st waits for a rewind, and everything is there; the other drive stands where it stood"
