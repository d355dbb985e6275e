#!/bin/bash
# A short break of the network under a running tar, and a lost connection without a command on it, cost nothing but time.
# A break that loses a command ends tar with an error; what it wrote until then is on the tape, whole blocks in order and
# none twice, and the drive goes on without a visit.
#
. /rig/lib/job.sh
. /rig/lib/initiator.sh
. /rig/lib/changer.sh
. /rig/lib/tape.sh

BLOCK=65536

# Write the tree to FILE in blocks; whatever follows is for tar. The exit status is tar's.
archive() {
    tar --create --directory=/tmp/source --blocking-factor=$((BLOCK / 512)) --file="$1" "${@:2}" .
}
# Write it to the tape from the beginning, with TROUBLE... after 200 blocks.
archive_with() {
    tape rewind
    rm -f /tmp/over
    archive "$TAPE" --checkpoint=200 --checkpoint-action="exec=bash /rig/lib/trouble.sh 200 $*"
}
# The tape from its beginning, into /tmp/read; prints how many blocks.
read_back() {
    tape rewind
    read_blocks $BLOCK >/tmp/read
    echo $(($(stat --format=%s /tmp/read) / BLOCK))
}
logged_in() {
    [ "$(cat /sys/class/iscsi_session/*/state)" = "LOGGED_IN
LOGGED_IN" ]
}
all_there() {
    await 10 test -e /tmp/over
    assert_eq "blocks" "$(read_back)" "$BLOCKS"
    cmp /tmp/archive /tmp/read
    expect 1 0 $((BLOCKS + 1))
}
# The session was lost: tar has failed, and what is on the tape is a beginning of the archive, then perhaps st's filemark.
beginning_there() {
    local blocks
    await 60 test -e /tmp/over
    await 60 logged_in
    # st closes the device when the session is back.
    await 60 tape status
    blocks=$(read_back)
    [ "$blocks" -ge 200 ] && [ "$blocks" -lt "$BLOCKS" ] || fail "$blocks of $BLOCKS blocks are on the tape"
    assert_eq "bytes" "$(stat --format=%s /tmp/read)" $((blocks * BLOCK))
    cmp --bytes=$((blocks * BLOCK)) /tmp/archive /tmp/read
    tape eod
    case $(tell) in
        "$blocks" | $((blocks + 1))) ;;
        *) fail "$blocks blocks, and end of data at $(tell)" ;;
    esac
    step "$1: tar fails; on the tape are $blocks of $BLOCKS blocks"
}

login 0
TAPE=${NST[0]}
load 1 0
mkdir /tmp/source
for file in $(seq 20); do
    random /tmp/source/random$file $((5000000 + file * 997))
done
archive /tmp/archive
BLOCKS=$(($(stat --format=%s /tmp/archive) / BLOCK))

archive_with rescan
all_there
step "all devices looked at again: tar goes on, and all $BLOCKS blocks are on the tape"

archive_with link 2
all_there
step "network gone for 2 seconds: tar goes on, and all $BLOCKS blocks are on the tape"

# Longer than open-iscsi waits for an answer to its NOP: twice 5 seconds.
refuses "Cannot write: Input/output error" archive_with link 15
beginning_there "network gone for 15 seconds"

# tar waits at its checkpoint, so no command is lost with the connection, and open-iscsi comes back with a new one.
archive_with session "$(host capstan session list | sed -En 's/^ *([0-9]+) .*drive-00.*/\1/p')"
all_there
step "connection closed by the administrator between two commands: tar goes on, and all $BLOCKS blocks are on the tape"
unload 1 0
assert_eq "cartridges" "$(full)" "$(ten_in_slots)"
