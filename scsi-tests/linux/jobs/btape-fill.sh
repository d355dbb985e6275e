#!/bin/bash
# Bacula's `btape fill` writes a cartridge to its end, goes on with the next one from the changer, and finds every block of
# both again: what it meets at early warning, the last block, and the change of volumes are as it wants them.
#
# rig: tape_size = 1GiB
# rig: timeout = 400
. /rig/lib/job.sh
. /rig/lib/initiator.sh
. /rig/lib/changer.sh
. /rig/lib/tape.sh
. /rig/lib/bacula.sh

login 0 1
configure 262144
load 1 0
btape_run 380 /host/btape.log fill m
# 1 GiB less 32 MiB, early warning, is 3968 blocks of 256 KiB: one is the label, in a file of its own.
sed -En 's/^.* (End of Volume|Re-read of last block|Last block at:|Done filling tapes)/\1/p; /^(Wrote Volume|The (first|last) block) /p
    /records read now/p; /^Reading block/p' /host/btape.log | sed "s|${NST[0]}|DRIVE|" >/tmp/findings
assert_eq "what btape finds" "$(</tmp/findings)" "$(cat <<'END'
Wrote Volume label for volume "TestVolume1".
End of Volume "TestVolume1" at 1:3967 on device "Drive-0" (DRIVE). Write of 262144 bytes got -1.
Re-read of last block succeeded.
Last block at: 1:3966 this_dev_block_num=3967
Wrote Volume label for volume "TestVolume2".
Done filling tapes at 0:1003. Now beginning re-read of first tape ...
10000 records read now at 1:1251
Reading block 3966.
The last block of the first tape matches.
Reading block 1.
The first block on the second tape matches.
Reading block 1001.
The last block on the second tape matches. Test succeeded.
END
)"
assert_eq "cartridges" "$(full)" "drive 0 CAP002L8 from 2
$(ten_in_slots | sed 2d)"
TAPE=${NST[1]}
load 1 1
assert_eq "label" "$(read_blocks 262144 1 | wc -c)" 262144
tape eod
assert_eq "blocks and two filemarks on the first" "$(tell)" 3970
step "two volumes filled and read again"
