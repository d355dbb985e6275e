# One tape device, in mt's words. Sourced after initiator.sh; TAPE is the no-rewind node.

tape() {
    mt -f "$TAPE" "$@"
}

# File and block number as st keeps them; -1 is its "unknown".
position() {
    tape status | sed -n 's/^File number=\(-\?[0-9]*\), block number=\(-\?[0-9]*\), partition=0\.$/\1 \2/p'
}

# expect FILE BLOCK [LBA]: what st believes, and the logical block number that the drive itself reports.
expect() {
    assert_eq "file and block" "$(position)" "$1 $2"
    [ $# -lt 3 ] || assert_eq "logical block number" "$(tell)" "$3"
}

# The flags that mt prints: `BOT ONLINE IM_REP_EN`.
flags() {
    tape status | tail -n 1 | xargs
}

# Logical block number from the drive itself (READ POSITION).
tell() {
    tape tell | sed -n 's/^At block \([0-9]*\)\.$/\1/p'
}

# Write blocks of standard input to the tape: blocks SIZE COUNT. Closing the device writes a filemark.
write_blocks() {
    dd of="$TAPE" bs="$1" count="$2" iflag=fullblock status=none
}

# read_blocks SIZE [COUNT]: up to the next filemark, each read asking for SIZE bytes.
read_blocks() {
    dd if="$TAPE" bs="$1" ${2:+count="$2"} status=none
}

# reads SIZE [COUNT]: as read_blocks, and the data must be standard input.
reads() {
    read_blocks "$@" >/tmp/read
    cmp - /tmp/read
}

# part FILE SIZE FIRST COUNT: some blocks of a file.
part() {
    dd if="$1" bs="$2" skip="$3" count="$4" status=none
}
