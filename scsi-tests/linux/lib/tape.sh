# One tape device, in mt's words. Sourced after initiator.sh; TAPE is the no-rewind node.

tape() {
    mt -f "$TAPE" "$@"
}

# File and block number as st keeps them; -1 is its "unknown".
position() {
    tape status | sed -n 's/^File number=\(-\?[0-9]*\), block number=\(-\?[0-9]*\), partition=0\.$/\1 \2/p'
}

# expect FILE BLOCK
expect() {
    assert_eq "file and block" "$(position)" "$1 $2"
}

# The flags that mt prints: `BOT ONLINE IM_REP_EN`.
flags() {
    tape status | tail -n 1 | xargs
}

# Logical block number from the drive itself (READ POSITION).
tell() {
    tape tell | sed -n 's/^At block \([0-9]*\)\.$/\1/p'
}
