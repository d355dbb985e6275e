#!/bin/bash
# The btape job can fail: against Debian's tgt, whose SPACE does not say how far it came, the same `btape test` on the
# same rig reads its blocks back and then finds the drive unfit to append to.
#
# rig: target = none
# rig: timeout = 600
. /rig/lib/job.sh
. /rig/lib/initiator.sh
. /rig/lib/changer.sh
. /rig/lib/bacula.sh
. /rig/lib/tgt.sh
trap 'rm -rf "$TGT_MEDIA"' EXIT

tgt_start 4096
tgt_login
assert_eq "cartridges" "$(full)" "slot 1 TGT001L8
slot 2 TGT002L8
slot 3 TGT003L8
slot 4 TGT004L8"
step "tgt is a library with two drives and four cartridges"

configure 64512
load 1 0
btape_run 400 /host/btape.log test y || true
assert_eq "blocks re-read" "$(count /host/btape.log '10000 blocks re-read correctly.')" 2
step "btape wrote and re-read 2 x 10000 blocks"

assert_eq "wrong file number" \
    "$(count /host/btape.log 'We should be in file 3. I am at file 8388607. This is NOT correct!!!!')" 1
assert_eq "verdict" "$(count /host/btape.log 'Unable to correct the problem. You MUST fix this')" 1
if (btape_passed /host/btape.log) >/dev/null 2>&1; then
    fail "the btape job would call this a pass"
fi
step "btape refuses the drive, and the btape job would fail"
