#!/bin/bash
# The daemon is killed under an open device. What was written is there byte for byte; until the client says where it
# wants to be, nothing is written or read, so no stray block or filemark lands at a wrong place.
#
# rig: timeout = 400
. /rig/lib/job.sh
. /rig/lib/initiator.sh
. /rig/lib/changer.sh
. /rig/lib/tape.sh

# The drive is held open on descriptor 3 throughout.
held() {
    perl /rig/lib/held.pl "$@" <&3
}
# write_held FIRST COUNT: blocks of the data.
write_held() {
    part /tmp/data 65536 "$1" "$2" | dd bs=65536 iflag=fullblock status=none >&3
}
# held_reads [COUNT]: up to the next filemark; the data must be standard input.
held_reads() {
    dd bs=65536 ${1:+count="$1"} status=none <&3 >/tmp/read
    cmp - /tmp/read
}
# What sg_raw must be told for a WRITE or a READ of 4 bytes.
transfer() {
    case $1 in
        0a*) echo "--send=4 --infile=/tmp/data" ;;
        08*) echo "--request=4" ;;
    esac
}
crash() {
    host daemon kill
    host daemon start
}

login 0 5
TAPE=${NST[0]}
random /tmp/data 6553600
load 1 0
load 2 9
before=$(inventory)

exec 3<>"$TAPE"
write_held 0 60
held weof 1
write_held 60 30
assert_eq "before the crash" "$(held status)|$(held tell)" "1 30|91"
crash
step "60 blocks, a filemark, 30 blocks; then the daemon is killed and started"

for attempt in 1 2 3; do
    refuses "Input/output error" write_held 0 1
    refuses "Input/output error" held weof 1
    refuses "Input/output error" dd bs=65536 count=1 of=/dev/null <&3
    refuses "Input/output error" held fsf 1
    refuses "Input/output error" held bsr 1
done
refuses "Input/output error" held tell
# A refused SPACE says that it passed nothing; st believed that it was behind the filemark.
assert_eq "what st believes" "$(held status)" "1 -1"
# The first command met the unit attention of a restarted drive (29h), all others were refused by the drive itself.
assert_eq "reasons" "$(dmesg | grep -o 'ASC=0x.*' | sort | uniq -c | sed 's/^ *//; s/ *$//')" "1 ASC=0x29 ASCQ=0x0
14 ASC=0x3b ASCQ=0x0"
# WRITE, READ, filemarks, ERASE and moves relative to nothing, as the drive answers them: SEQUENTIAL POSITIONING ERROR.
for cdb in "0a 00 00 00 04 00" "08 00 00 00 04 00" "10 00 00 00 01 00" "10 00 00 00 00 00" "19 00 00 00 00 00" \
    "11 00 00 00 01 00" "11 01 ff ff ff 00" "91 01 00 00 00 00 00 00 00 00 00 01 00 00 00 00"; do
    # shellcheck disable=SC2086
    refuses "Sequential positioning error" sg_raw ${SG[0]} $(transfer "$cdb") $cdb
done
# READ POSITION: LOLU, the position is unknown.
assert_eq "position of the drive" "$(sg_raw --request=20 "${SG[0]}" 34 00 00 00 00 00 00 00 00 00 2>&1 |
    sed -n 's/^ 00 *\([0-9a-f]*\) .*/\1/p')" 04
step "position lost: write, filemark, read, space and tell are refused"

held rewind
assert_eq "after rewind" "$(held status)|$(held tell)" "0 0|0"
part /tmp/data 65536 0 60 | held_reads
part /tmp/data 65536 60 30 | held_reads 30
# End of data without a filemark before it is an error for st.
refuses "Input/output error" dd bs=65536 count=1 of=/dev/null <&3
assert_eq "end of data" "$(held tell)" 91
step "all 90 blocks and the filemark are there, and nothing behind them"

crash
refuses "Input/output error" write_held 0 1
held eom
assert_eq "end of data" "$(held tell)" 91
held weof 1
write_held 90 10
assert_eq "appended" "$(held tell)" 102
step "space to end of data gives the position back; 10 blocks appended"

crash
refuses "Input/output error" dd bs=65536 count=1 of=/dev/null <&3
held seek 92
part /tmp/data 65536 90 10 | held_reads 10
exec 3>&-
step "locate gives the position back; the appended blocks are there"

assert_eq "the library" "$(inventory)" "$before"
unload 1 0
load 1 5
TAPE=${NST[5]}
part /tmp/data 65536 0 60 | reads 65536
part /tmp/data 65536 60 30 | reads 65536
part /tmp/data 65536 90 10 | reads 65536 10
step "every cartridge is where it was; another drive reads the same"
