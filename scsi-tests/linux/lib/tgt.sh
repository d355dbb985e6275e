# Debian's tgt as a target inside the guest: two drives, a changer, four blank cartridges. Sourced after job.sh.
#
# A second target, so that a job can be seen to fail. Sets PORTAL, and CHANGER, NST, SG after tgt_login.

PORTAL=127.0.0.1:3260
TGT_MEDIA=/host/tgt
TGT_TARGET=iqn.2026-11.io.capstan:other
TGT_CHANGER=3

admin() {
    tgtadm --lld iscsi "$@"
}

# unit NUMBER KEY=VALUE,...: set parameters of a logical unit.
unit() {
    admin --mode logicalunit --op update --tid 1 --lun "$1" --params "$2"
}

# cartridge BARCODE MIB: tgt finds a cartridge by a file of its name.
cartridge() {
    tgtimg --op new --device-type tape --barcode "$1" --size "$2" --type data --file "$TGT_MEDIA/$1" \
        --thin-provisioning >/dev/null
}

# tgt_start MIB: cartridges of this size.
tgt_start() {
    local slot drive
    mkdir -p "$TGT_MEDIA" /run/tgtd
    tgtd --foreground --iscsi "portal=$PORTAL" >/host/tgtd.log 2>&1 &
    await 20 admin --mode target --op show
    admin --mode target --op new --tid 1 --targetname "$TGT_TARGET"
    for drive in 1 2; do
        # A drive is only accepted with a cartridge in it; it is taken out at once.
        cartridge "BLANK$drive" 1
        admin --mode logicalunit --op new --tid 1 --lun $drive --device-type tape --bstype ssc \
            --backing-store "$TGT_MEDIA/BLANK$drive"
        unit $drive "vendor_id=IBM,product_id=ULT3580-TD8,scsi_sn=OTHER$drive"
        unit $drive online=0
    done
    head -c 1024 /dev/zero >"$TGT_MEDIA/changer"
    admin --mode logicalunit --op new --tid 1 --lun $TGT_CHANGER --device-type changer \
        --backing-store "$TGT_MEDIA/changer"
    unit $TGT_CHANGER "vendor_id=STK,product_id=L700,scsi_sn=OTHER0,media_home=$TGT_MEDIA"
    unit $TGT_CHANGER element_type=1,start_address=1,quantity=1
    unit $TGT_CHANGER element_type=4,start_address=500,quantity=2
    unit $TGT_CHANGER element_type=4,address=500,tid=1,lun=1
    unit $TGT_CHANGER element_type=4,address=501,tid=1,lun=2
    unit $TGT_CHANGER element_type=2,start_address=1000,quantity=4
    for slot in 1 2 3 4; do
        cartridge "TGT00${slot}L8" "$1"
        unit $TGT_CHANGER "element_type=2,address=$((999 + slot)),barcode=TGT00${slot}L8,sides=1"
    done
    admin --mode target --op bind --tid 1 --initiator-address ALL
}

# One target with a LUN per device: named by LUN.
tgt_login() {
    local scsi
    start_initiator
    discover >/tmp/discovery
    iscsiadm --mode node --login >/tmp/login
    scsi=/sys/class/iscsi_session/session1/device/target*
    await 30 eval "ls -d $scsi/*:$TGT_CHANGER/scsi_generic && ls -d $scsi/*:2/scsi_tape"
    udevadm settle
    CHANGER=/dev/$(ls $scsi/*:$TGT_CHANGER/scsi_generic)
    NST=()
    SG=()
    for drive in 0 1; do
        NST[drive]=/dev/$(ls $scsi/*:$((drive + 1))/scsi_tape | grep -xE 'nst[0-9]+')
        SG[drive]=/dev/$(ls $scsi/*:$((drive + 1))/scsi_generic)
    done
}
