#!/bin/bash
# Bacula's own test of a tape drive, `btape test`, finds everything correct: write, rewind and re-read, position by file
# and block, append, backspace, forward space, and the autochanger.
#
# rig: timeout = 600
. /rig/lib/job.sh
. /rig/lib/initiator.sh
. /rig/lib/changer.sh
. /rig/lib/bacula.sh

login 0 1
configure 64512
load 1 0
btape_run 500 /host/btape.log test y '' ''
btape_passed /host/btape.log
step "btape test: all correct"
