#!/bin/bash
# The portal lists its eleven targets by name; each is one logical unit with the identity, serial number and pages that
# Linux and sg3-utils want to see.
#
. /rig/lib/job.sh
. /rig/lib/initiator.sh

start_initiator
assert_eq "targets" "$(discover | sort)" "192.168.77.1:3260,1 iqn.2026-11.io.capstan:gw.changer
$(for drive in $(seq 0 9); do echo "192.168.77.1:3260,1 iqn.2026-11.io.capstan:gw.drive-0$drive"; done)"
step "SendTargets lists the changer and ten drives"

login
assert_eq "devices" "$(lsscsi | awk '{print $2, $3, $4}' | sort | uniq -c | sed 's/^ *//')" "1 mediumx STK L700
10 tape IBM ULT3580-TD8"
assert_eq "drives" "${!NST[*]}" "0 1 2 3 4 5 6 7 8 9"
step "Linux has one changer and ten drives"

identity() {
    sg_inq "$1" | grep -oE 'PDT=[0-9]+|RMB=[01]|\[MChngr=[01]\]|(Vendor|Product|revision).*: .*[^ ]' | sed 's/.*: //' | xargs
}
assert_eq "changer" "$(identity "$CHANGER")" "PDT=8 RMB=1 [MChngr=0] STK L700 0105"
for drive in "${SG[@]}"; do
    assert_eq "drive" "$(identity "$drive")" "PDT=1 RMB=1 [MChngr=0] IBM ULT3580-TD8 HB82"
done
serials=$(for device in "$CHANGER" "${SG[@]}"; do sg_inq --page=0x80 "$device" | grep 'Unit serial number: '; done)
assert_eq "different serial numbers" "$(sort -u <<<"$serials" | grep -c .)" 11
names=$(for device in "$CHANGER" "${SG[@]}"; do sg_inq --page=0x83 "$device" | grep -A 1 NAA | tr -d '\n'; echo; done)
assert_eq "different NAA names" "$(sort -u <<<"$names" | grep -c NAA)" 11
assert_eq "stable tape names" "$(find /dev/tape/by-id -name '*-nst' -exec readlink {} + | sort -u | wc -l)" 10
step "identity, serial numbers and NAA names"

for device in "$CHANGER" "${SG[0]}"; do
    assert_eq "units" "$(sg_luns "$device" | tail -n 1 | xargs)" "0000000000000000"
    for page in $(sg_inq --page=0 --hex "$device" | tail -n +2 | cut -c 4-52 | xargs | cut -d ' ' -f 5-); do
        sg_vpd --page="0x$page" "$device" >/dev/null
    done
    sg_opcodes "$device" >/dev/null
    sg_opcodes --rctd "$device" >/dev/null
    sg_logs --all "$device" >/dev/null
    sg_modes --all "$device" >/dev/null
done
step "REPORT LUNS, all VPD pages, opcodes, log pages and mode pages"

opcodes() {
    sg_opcodes --rctd "$1" | awk '/^ [0-9a-f][0-9a-f] / {print $1}' | sort -u | xargs
}
opcodes=$(opcodes "${SG[0]}")
for opcode in 00 01 03 05 08 0a 10 11 12 15 16 17 19 1a 1b 1e 2b 34 44 4d 55 56 57 5a 91 92 a0 a3; do
    [[ " $opcodes " == *" $opcode "* ]] || fail "the drive does not report opcode $opcode"
done
opcodes=$(opcodes "$CHANGER")
for opcode in 00 03 07 12 1a 1e 2b 37 4d 5a a0 a3 a5 a6 b8; do
    [[ " $opcodes " == *" $opcode "* ]] || fail "the changer does not report opcode $opcode"
done
# Commands of other devices, and those that we do not have yet, are refused by name.
for device in "$CHANGER" "${SG[0]}"; do
    refuses "Invalid opcode" sg_readcap "$device"
    refuses "Invalid opcode" sg_readcap --long "$device"
    refuses "Invalid opcode" sg_sync "$device"
    refuses "Invalid opcode" sg_persist --in --read-keys "$device"
    refuses "Invalid opcode" sg_persist --out --register --param-sark=1 "$device"
    refuses "Invalid opcode" sg_read_attr "$device"
    refuses "Invalid opcode" sg_read_buffer "$device"
    for cdb in "ff 00 00 00 00 00" "a2 20 00 00 00 00 00 00 20 04 00 00" "82 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00" \
        "7f 00 00 00 00 00 00 18 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00"; do
        # shellcheck disable=SC2086
        refuses "Invalid command operation code" sg_raw --cmdset=1 --request=8196 "$device" $cdb
    done
    refuses "Error in Command: byte 2" sg_raw --request=96 "$device" 12 01 99 00 60 00
    refuses "Error in Command: byte 2" sg_raw --request=96 "$device" 12 00 80 00 60 00
    refuses "Error in Command: byte 5 bit 2" sg_raw --request=96 "$device" 12 00 00 00 60 04
done
assert_eq "INQUIRY cut off" "$(sg_raw --request=96 "${SG[0]}" 12 00 00 00 05 00 2>&1 | grep ' 00 ' | xargs)" \
    "00 01 80 06 02 45 ....E"
step "what is not supported is refused with the reason"

sg_turs "$CHANGER"
refuses "device not ready" sg_turs "${SG[0]}"
step "opcodes that clients send are reported; an empty drive is not ready"
