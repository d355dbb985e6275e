#!/bin/bash
# Every verb of mtx moves what it says and nothing else, barcodes stay with their cartridges, and a move that cannot be
# is refused with its own reason; loaderinfo and tapeinfo read their pages.
#
. /rig/lib/job.sh
. /rig/lib/initiator.sh
. /rig/lib/changer.sh
. /rig/lib/tape.sh

# Changer commands end with the state that they leave: moved "full elements" VERB...
moved() {
    local want=$1
    shift
    mtx -f "$CHANGER" "$@" >/dev/null
    assert_eq "after mtx $*" "$(full)" "$want"
}
# The slots FIRST to LAST as in a new library.
slots() {
    ten_in_slots | sed -n "$1,$2p"
}

login 0 2
assert_eq "summary" "$(mtx -f "$CHANGER" status | sed -n 1p)" \
    "  Storage Changer $CHANGER:10 Drives, 110 Slots ( 10 Import/Export )"
assert_eq "elements" "$(inventory | cut -d ' ' -f 1 | sort | uniq -c | xargs)" "10 drive 10 io 100 slot"
assert_eq "a new library" "$(full)" "$(ten_in_slots)"
assert_eq "inquiry" "$(mtx -f "$CHANGER" inquiry | grep -v Revision)" "Product Type: Medium Changer
Vendor ID: 'STK     '
Product ID: 'L700            '
Attached Changer API: No"
step "status, inquiry"

moved "$(ten_in_slots)" inventory
moved "drive 0 CAP001L8 from 1
$(slots 2 10)" load 1 0
moved "drive 0 CAP001L8 from 1
drive 9 CAP002L8 from 2
$(slots 3 10)" load 2 9
moved "drive 9 CAP002L8 from 2
slot 1 CAP001L8
$(slots 3 10)" unload
moved "slot 1 CAP001L8
$(slots 3 10)
slot 50 CAP002L8" unload 50 9
moved "$(ten_in_slots)" transfer 50 2
step "inventory, load, unload (to its own and to another slot), transfer"

moved "slot 1 CAP001L8
slot 2 CAP002L8
$(slots 4 10)
io 101 CAP003L8" transfer 3 101
moved "$(ten_in_slots)" transfer 101 3
mtx -f "$CHANGER" transfer 3 110
moved "drive 5 CAP003L8 from 110
slot 1 CAP001L8
slot 2 CAP002L8
$(slots 4 10)" load 110 5
moved "$(ten_in_slots)" unload 3 5
step "import/export slots"

moved "slot 1 CAP002L8
slot 2 CAP001L8
$(slots 3 10)" exchange 1 2
moved "$(ten_in_slots)" exchange 2 1
moved "$(ten_in_slots)" position 77
moved "$(ten_in_slots)" position 110
step "exchange, position"

moved "drive 3 CAP001L8 from 1
$(slots 2 10)" first 3
moved "drive 3 CAP002L8 from 2
slot 1 CAP001L8
$(slots 3 10)" next 3
# mtx takes the last slot there is, whether it is full or not, and leaves out the import/export slots.
refuses "Source Element Address 1099 is Empty" mtx -f "$CHANGER" last 3
assert_eq "after last" "$(full)" "$(ten_in_slots)"
moved "$(slots 1 9)
slot 100 CAP010L8" transfer 10 100
moved "$(slots 1 8)
slot 99 CAP009L8
slot 100 CAP010L8" transfer 9 99
moved "drive 3 CAP010L8 from 100
$(slots 1 8)
slot 99 CAP009L8" last 3
moved "drive 3 CAP009L8 from 99
$(slots 1 8)
slot 100 CAP010L8" previous 3
moved "$(slots 1 9)
slot 100 CAP010L8" unload 9 3
moved "$(ten_in_slots)" transfer 100 10
step "first, next, last, previous"

load 4 2
TAPE=${NST[2]}
assert_eq "loaded" "$(flags)" "BOT ONLINE IM_REP_EN"
mtx -f "${SG[2]}" eject
assert_eq "ejected" "$(flags)" "DR_OPEN IM_REP_EN"
assert_eq "still there" "$(full | sed -n 1p)" "drive 2 CAP004L8 from 4"
unload 4 2
# The picker does not rotate (Transport Geometry page), so INVERT, byte 10 of MOVE MEDIUM, must be refused. [SMC-3]
refuses "Field Pointer = 00 0A" mtx -f "$CHANGER" invert load 7 1
assert_eq "after invert" "$(full)" "$(ten_in_slots)"
moved "$(slots 1 7)
$(slots 9 10)
slot 20 CAP008L8" eepos 0 transfer 8 20
moved "$(ten_in_slots)" eepos 0 transfer 20 8
assert_eq "altres" "$(mtx -f "$CHANGER" altres status)" "$(mtx -f "$CHANGER" status)"
assert_eq "noattach" "$(mtx -f "$CHANGER" noattach status)" "$(mtx -f "$CHANGER" status)"
assert_eq "nobarcode" "$(mtx -f "$CHANGER" nobarcode status | grep -c 'Storage Element [0-9]*:Full *$')" 10
step "eject, invert, eepos, altres, noattach, nobarcode"

load 1 0
before=$(inventory)
refuses "Drive 0 Full (Storage Element 1 loaded)" mtx -f "$CHANGER" load 2 0
refuses "Source Element Address 1000 is Empty" mtx -f "$CHANGER" load 1 1
refuses "Data Transfer Element 1 is Empty" mtx -f "$CHANGER" unload 1 1
refuses "Storage Element 2 is Already Full" mtx -f "$CHANGER" unload 2 0
refuses "Destination Element Address 1002 is Already Full" mtx -f "$CHANGER" transfer 2 3
refuses "Source Element Address 1000 is Empty" mtx -f "$CHANGER" transfer 1 20
refuses "Source Element Address 1000 is Empty" mtx -f "$CHANGER" exchange 1 2
refuses "Invalid" mtx -f "$CHANGER" load 111 1
assert_eq "nothing moved" "$(inventory)" "$before"
unload 1 0
step "full destinations and empty sources are refused; nothing moved"

host capstan library load CAP005L8 2 >/dev/null
assert_eq "moved by the operator" "$(full | sed -n 1p)" "drive 2 CAP005L8 from 5"
assert_eq "loaded by the operator" "$(position)|$(flags)" "0 0|BOT ONLINE IM_REP_EN"
write_blocks 512 3 </dev/zero
assert_eq "written" "$(position)|$(flags)" "1 0|EOF ONLINE IM_REP_EN"
host capstan library unload 2 >/dev/null
assert_eq "put back by the operator" "$(full)" "$(ten_in_slots)"
host capstan library load CAP006L8 2 >/dev/null
assert_eq "exchanged by the operator" "$(position)|$(flags)" "0 0|BOT ONLINE IM_REP_EN"
host capstan library unload 2 >/dev/null
assert_eq "unloaded by the operator" "$(position)|$(flags)" "-1 -1|DR_OPEN IM_REP_EN"
# The changer tells of it by a unit attention, which mtx takes in its stride; loaderinfo would fail on it.
assert_eq "put back by the operator" "$(full)" "$(ten_in_slots)"
step "moves of the operator are seen, by the changer with barcodes and by the tape driver"

assert_eq "loaderinfo" "$(loaderinfo -f "$CHANGER" | grep -e Number -e Vendor -e 'Product ID' -e EAAP -e 'Bar Code')" \
    "Vendor ID: 'STK     '
Product ID: 'L700            '
Bar Code Reader: Yes
EAAP: Yes
Number of Medium Transport Elements: 1
Number of Storage Elements: 100
Number of Import/Export Elements: 10
Number of Data Transfer Elements: 10"
assert_eq "loaderinfo pages" "$(loaderinfo -f "$CHANGER" | grep -e 'Descriptor Page' -e 'Configuration Page')" \
    "Transport Geometry Descriptor Page: Yes
Device Configuration Page: Yes"
load 1 0
serial=$(sg_inq --page=0x80 "${SG[0]}" | sed -n 's/^ *Unit serial number: *//p')
assert_eq "tapeinfo" "$(tapeinfo -f "${SG[0]}" | grep -v -e Revision -e 'SCSI' -e Partition)" \
    "Product Type: Tape Drive
Vendor ID: 'IBM     '
Product ID: 'ULT3580-TD8     '
Attached Changer API: No
SerialNumber: '$serial'
MinBlock: 1
MaxBlock: 8388608
Ready: yes
BufferedMode: yes
Medium Type: 0x88
Density Code: 0x5e
BlockSize: 0
DataCompEnabled: yes
DataCompCapable: yes
DataDeCompEnabled: yes
CompType: 0x1
DeCompType: 0x1
BOP: yes
Block Position: 0
EarlyWarningSize: 0"
step "loaderinfo, tapeinfo"
