#!/bin/bash
# tar writes a backup over three small cartridges, each to its end, changing them by mtx; it reads the same tree back.
#
# rig: tape_size = 128MiB
# rig: memory = 2G
. /rig/lib/job.sh
. /rig/lib/initiator.sh
. /rig/lib/changer.sh
. /rig/lib/tape.sh

# tar reports every change of volume by running the script.
archive() {
    tar --multi-volume --blocking-factor=512 --file="$TAPE" --new-volume-script=/rig/lib/next-volume.sh "$@"
}
# Blocks of 256 KiB on the cartridge of a slot, and the filemark behind them.
objects() {
    load "$1" 0
    tape eod
    tell
    unload "$1" 0
}

login 0
export CHANGER
TAPE=${NST[0]}
mkdir /tmp/source /tmp/restored
for file in $(seq 29); do
    random /tmp/source/random$file $((10000000 + file * 997))
done
ln -s random1 /tmp/source/link
step "a tree of $(du -sm /tmp/source | cut -f 1) MiB"

load 1 0
echo 1 >/tmp/slot
archive --create --directory=/tmp/source .
assert_eq "cartridges used" "$(</tmp/slot)" 3
unload 3 0
step "written over three cartridges"

# Early warning comes 32 MiB before the end of a cartridge of 128 MiB. The write that meets it succeeds; tar stops at the
# next one and the driver adds a filemark.
assert_eq "objects on the first cartridge" "$(objects 1)" 385
assert_eq "objects on the second cartridge" "$(objects 2)" 385
step "each cartridge is written up to early warning"

load 1 0
echo 1 >/tmp/slot
archive --extract --directory=/tmp/restored
assert_eq "cartridges read" "$(</tmp/slot)" 3
diff --recursive --no-dereference /tmp/source /tmp/restored
step "read back from three cartridges, identical"
