# Log in to a portal and name the devices. Sourced after job.sh.
#
# PORTAL may be set before. Sets CHANGER (sg node), and NST and SG (no-rewind tape node, sg node) indexed by drive.

PORTAL=${PORTAL:-192.168.77.1:3260}

start_initiator() {
    echo "InitiatorName=iqn.2026-11.io.capstan:guest" >/etc/iscsi/initiatorname.iscsi
    pidof iscsid >/dev/null || iscsid
}

discover() {
    iscsiadm --mode discovery --type sendtargets --portal "$PORTAL"
}

# login [DRIVE...]: to everything that the portal offers, or only to the changer and these drives (udev takes its time for
# each).
login() {
    local drive
    start_initiator
    discover >/tmp/discovery
    if [ $# = 0 ]; then
        iscsiadm --mode node --login >/tmp/login
    else
        log_in_to changer
        for drive; do
            log_in_to "drive-0$drive"
        done
    fi
    name_devices
}

log_in_to() {
    iscsiadm --mode node --targetname "iqn.2026-11.io.capstan:gw.$1" --login >/tmp/login
}

logout() {
    iscsiadm --mode node --logoutall all >/tmp/logout
    assert_eq "sessions after logout" "$(sessions)" ""
}

sessions() {
    local session
    for session in /sys/class/iscsi_session/session*; do
        [ ! -e "$session" ] || cat "$session/targetname"
    done | sort
}

# By the target's name: the kernel numbers devices in the order in which logins happen to end.
name_devices() {
    local session target drive
    CHANGER=
    NST=()
    SG=()
    for session in /sys/class/iscsi_session/session*; do
        target=$(<"$session/targetname")
        case $target in
            *.changer) CHANGER=$(device "$session" scsi_generic 'sg[0-9]+') ;;
            *.drive-*)
                drive=$((10#${target##*.drive-}))
                NST[drive]=$(device "$session" scsi_tape 'nst[0-9]+')
                SG[drive]=$(device "$session" scsi_generic 'sg[0-9]+')
                ;;
            *) fail "what is target $target?" ;;
        esac
    done
    udevadm settle
}

# device SESSION CLASS PATTERN: the node of LUN 0 of that session, waited for.
device() {
    local attempt name
    for attempt in $(seq 300); do
        name=$(ls "$1"/device/target*/*:*:*:0/"$2" 2>/dev/null | grep -xE "$3") && [ -e "/dev/$name" ] && break
        sleep 0.1
    done
    [ -e "/dev/$name" ] || fail "no $2 device for $(<"$1/targetname")"
    echo "/dev/$name"
}
