#!/bin/bash
# Blocks of odd and extreme sizes come back byte for byte and one by one; reads that are too long, too short, past a
# filemark or past the end of data give what st documents; fixed blocks are counted as blocks.
#
. /rig/lib/job.sh
. /rig/lib/initiator.sh
. /rig/lib/changer.sh
. /rig/lib/tape.sh

SIZES="1 511 513 65535 1048576 8388607 8388608"

login 0
load 1 0
TAPE=${NST[0]}
random /tmp/data $((3 * 8388608))

for size in $SIZES; do
    part /tmp/data "$size" 0 3 | write_blocks "$size" 3
done
expect 7 0 28
tape rewind
file=0
for size in $SIZES; do
    part /tmp/data "$size" 0 3 | reads "$size" 3
    expect $file 3
    assert_eq "at the filemark" "$(read_blocks "$size" 1 | wc -c)" 0
    file=$((file + 1))
    expect $file 0
done
step "three blocks each of $SIZES bytes"

tape asf 3
assert_eq "short block" "$(dd if="$TAPE" of=/tmp/block bs=1048576 count=1 2>&1 | sed -n 1,2p)" "0+1 records in
0+1 records out"
cmp /tmp/block <(part /tmp/data 65535 0 1)
expect 3 1
refuses "Cannot allocate memory" dd if="$TAPE" of=/tmp/block bs=65534 count=1
expect 3 2
part /tmp/data 65535 2 1 | reads 65536 1
expect 3 3
step "a longer read gives the block, a shorter one an error and the next block"

tape asf 6
part /tmp/data 8388608 0 3 | reads 8388608
expect 7 0
assert_eq "first read at end of data" "$(read_blocks 65536 1 | wc -c)" 0
assert_eq "flags" "$(flags)" "EOD ONLINE IM_REP_EN"
refuses "Input/output error" dd if="$TAPE" of=/dev/null bs=65536 count=1
assert_eq "logical block" "$(tell)" 28
# st compares the length with READ BLOCK LIMITS; the drive never sees it.
refuses "Invalid argument" dd if=/tmp/data of="$TAPE" bs=8388609 count=1 iflag=fullblock
step "end of data, and a block larger than the drive's limit"

tape rewind
tape setblk 512
part /tmp/data 5120 0 1 | write_blocks 5120 1
part /tmp/data 3584 0 1 | write_blocks 3584 1
expect 2 0 19
tape rewind
part /tmp/data 3584 0 1 | reads 3584 1
expect 0 7 7
assert_eq "the rest before the filemark" "$(read_blocks 3584 1 | wc -c)" 1536
tape asf 1
part /tmp/data 3584 0 1 | reads 3584 1
# st reads ahead, so a read need not be a multiple of the block size.
tape asf 1
part /tmp/data 700 0 2 | reads 700 2
tape setblk 0
tape asf 0
assert_eq "one block of 512" "$(dd if="$TAPE" bs=5120 count=1 status=none | wc -c)" 512
step "fixed blocks of 512 bytes"

tape rewind
tape setblk 0
part /tmp/data 1024 0 2 | write_blocks 1024 2
tape rewind
tape setblk 512
refuses "Input/output error" dd if="$TAPE" of=/dev/null bs=512 count=1
tape setblk 0
tape rewind
part /tmp/data 1024 0 2 | reads 1024
step "a block of another size in fixed mode is an error, and not lost"
