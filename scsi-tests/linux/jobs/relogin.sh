#!/bin/bash
# A client that logs out and in again finds the cartridge where it was, at the same block, with the same data; a lock that
# it left behind is gone.
#
. /rig/lib/job.sh
. /rig/lib/initiator.sh
. /rig/lib/changer.sh
. /rig/lib/tape.sh

login
random /tmp/data 6553600
load 3 7
TAPE=${NST[7]}
part /tmp/data 65536 0 100 | write_blocks 65536 100
tape rewind
tape fsr 40
expect 0 40 40
tape lock
logout
step "logged out at block 40 with the cartridge locked in"

login
TAPE=${NST[7]}
assert_eq "cartridge" "$(full | sed -n 1p)" "drive 7 CAP003L8 from 3"
assert_eq "block" "$(tell)" 40
part /tmp/data 65536 40 60 | reads 65536
tape rewind
expect 0 0 0
reads 65536 </tmp/data
step "same cartridge, same block, same data"

unload 3 7
assert_eq "all back" "$(full)" "$(ten_in_slots)"
for round in 1 2 3; do
    logout
    iscsiadm --mode node --login >/tmp/login
    assert_eq "sessions, round $round" "$(sessions | wc -l)" 11
done
name_devices
assert_eq "the library" "$(full)" "$(ten_in_slots)"
step "no lock left; three more rounds of all eleven sessions, ended while Linux is still looking at the devices"
