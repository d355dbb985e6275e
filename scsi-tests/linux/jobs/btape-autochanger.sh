#!/bin/bash
# Bacula's own test of an autochanger, `btape autochanger`: it finds the loaded slot, unloads it, loads slot 1 and writes.
#
. /rig/lib/job.sh
. /rig/lib/initiator.sh
. /rig/lib/changer.sh
. /rig/lib/bacula.sh

login
configure 64512
load 3 0
btape_run 200 /host/btape.log autochanger y '' ''
cat /host/btape.log
assert_eq "drive 0" "$(full | grep ^drive)" "drive 0 CAP001L8 from 1"
