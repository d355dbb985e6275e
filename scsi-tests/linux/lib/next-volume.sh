#!/bin/bash
# tar's --new-volume-script: put the cartridge in drive 0 back and load that of the next slot.
# CHANGER and the file /tmp/slot come from the job.
set -eu
slot=$(</tmp/slot)
mtx -f "$CHANGER" unload "$slot" 0 >/dev/null
mtx -f "$CHANGER" load $((slot + 1)) 0 >/dev/null
echo $((slot + 1)) >/tmp/slot
