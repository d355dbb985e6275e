#!/bin/bash
# Bacula's own test of an autochanger, `btape autochanger`: it finds the loaded slot, unloads it, loads slot 1 and writes.
#
. /rig/lib/job.sh
. /rig/lib/initiator.sh
. /rig/lib/changer.sh
. /rig/lib/bacula.sh

login 0 1
configure 64512
load 3 0
btape_run 200 /host/btape.log autochanger y '' ''
for line in 'Slot 3 loaded. I am going to unload it.' 'unload status=OK 0' \
    '3303 Autochanger "load 1 0" status is OK.' 'The test autochanger worked!!'; do
    assert_eq "btape says: $line" "$(count /host/btape.log "$line")" 1
done
assert_eq "cartridges" "$(full)" "drive 0 CAP001L8 from 1
$(ten_in_slots | tail -n 9)"
step "slot 3 unloaded, slot 1 loaded and written"
