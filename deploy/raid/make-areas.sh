#!/bin/bash
# Make a RAID 6 of whole disks (or partitions), with XFS on it, for both areas of Capstan: upload buffer and cache.
#
#   make-areas.sh [--dry-run] [--yes] [--mount DIR] [--name NAME] [--chunk KIB] [--zeroed] DEVICE DEVICE DEVICE DEVICE...
#
#   --dry-run     check everything and say what would be done
#   --yes         do not ask
#   --mount DIR   where to mount it [/srv/capstan]
#   --name NAME   of the array and the file system [capstan]
#   --chunk KIB   bytes on one disk before the next one follows, in KiB [256]
#   --zeroed      every byte of the disks is zero, as of new virtual disks: parity is right already and is not computed
#
# A device that anything uses, or that has anything on it, is refused: `wipefs --all DEVICE` makes it free, and destroys what
# is there. See README.md beside this file.
set -euo pipefail

MOUNT=/srv/capstan NAME=capstan CHUNK=256 DRY_RUN= YES= ZEROED=
DEVICES=()

fail() {
    echo "make-areas.sh: $*" >&2
    exit 1
}

usage() {
    sed -n 's/^# \{0,1\}//; 3,14p' "$0" >&2
    exit 2
}

arguments() {
    while [ $# -gt 0 ]; do
        case $1 in
            --dry-run) DRY_RUN=yes ;;
            --yes) YES=yes ;;
            --zeroed) ZEROED=yes ;;
            --mount | --name | --chunk)
                [ $# -ge 2 ] || usage
                case $1 in --mount) MOUNT=$2 ;; --name) NAME=$2 ;; --chunk) CHUNK=$2 ;; esac
                shift
                ;;
            -*) usage ;;
            *) DEVICES+=("$1") ;;
        esac
        shift
    done
    [ ${#DEVICES[@]} -gt 0 ] || usage
}

check_arguments() {
    [[ $CHUNK =~ ^[0-9]+$ ]] && [ "$CHUNK" -ge 4 ] && [ $((CHUNK & (CHUNK - 1))) = 0 ] ||
        fail "--chunk $CHUNK: a power of two, in KiB, from 4"
    [[ $NAME =~ ^[a-z0-9_-]{1,12}$ ]] || fail "--name $NAME: at most 12 of a-z 0-9 _ -, for it is the label of the file system"
    [[ $MOUNT = /* ]] || fail "--mount $MOUNT: from the root on"
    [ ${#DEVICES[@]} -ge 4 ] || fail "RAID 6 needs 4 devices or more; with 6 of them 4 hold data and any 2 may fail"
}

check_machine() {
    local program
    [ "$(id -u)" = 0 ] || fail "only root may do this"
    for program in mdadm mkfs.xfs blkid blockdev findmnt; do
        command -v "$program" >/dev/null || fail "$program is missing: install mdadm, xfsprogs and util-linux"
    done
    [ ! -e "/dev/md/$NAME" ] || fail "there is an array /dev/md/$NAME already"
    ! findmnt --mountpoint "$MOUNT" >/dev/null || fail "something is mounted on $MOUNT already"
    [ ! -e "$MOUNT" ] || [ -z "$(ls -A "$MOUNT")" ] || fail "$MOUNT is there and is not empty"
}

# The device must be free: no mount, swap, array, volume or partition uses it, and it has nothing on it.
check_device() {
    local device=$1 node sys
    [ -b "$device" ] || fail "$device is no block device"
    node=$(readlink -f "$device")
    sys=/sys/class/block/${node##*/}
    ! findmnt --source "$node" >/dev/null || fail "$device is mounted"
    ! grep --quiet "^$node[[:space:]]" /proc/swaps || fail "$device is swap space"
    [ -z "$(ls "$sys/holders")" ] || fail "$device is part of $(ls "$sys/holders" | tr '\n' ' ')"
    [ -z "$(find "$sys/" -maxdepth 2 -name partition -not -path "$sys/partition")" ] || fail "$device has partitions"
    blkid --probe "$node" >/dev/null 2>&1 && fail "$device has something on it: $(blkid --probe "$node")"
    [ "$(blockdev --getro "$node")" = 0 ] || fail "$device is read-only"
}

# As many bytes of each are used as the smallest has.
check_sizes() {
    local device size smallest= largest=
    for device in "${DEVICES[@]}"; do
        size=$(blockdev --getsize64 "$device")
        [ -n "$smallest" ] && [ "$smallest" -le "$size" ] || smallest=$size
        [ -n "$largest" ] && [ "$largest" -ge "$size" ] || largest=$size
    done
    [ $((largest - smallest)) -le $((smallest / 100)) ] ||
        fail "the sizes differ by more than 1 %: $smallest to $largest bytes, and only the smallest counts"
    printf '%d devices, %d of them for data: about %d MiB\n' \
        ${#DEVICES[@]} $((${#DEVICES[@]} - 2)) $((smallest / 1048576 * (${#DEVICES[@]} - 2)))
}

check_twice() {
    local all
    all=$(for device in "${DEVICES[@]}"; do readlink -f "$device"; done | sort | uniq --repeated)
    [ -z "$all" ] || fail "$all is named twice"
}

# Says it, and does it unless this is a dry run.
run() {
    printf '+ %s\n' "$*"
    [ -n "$DRY_RUN" ] || "$@"
}

confirm() {
    [ -z "$YES$DRY_RUN" ] || return 0
    local answer
    printf 'All of %s will be overwritten. Type "yes" to go on: ' "${DEVICES[*]}"
    read -r answer
    [ "$answer" = yes ] || fail "nothing was done"
}

make_array() {
    # The bitmap says what has to be synchronised after a crash, and when a disk comes back that was away for a moment.
    run mdadm --create "/dev/md/$NAME" --name="$NAME" --level=6 --raid-devices=${#DEVICES[@]} --chunk="$CHUNK" \
        --bitmap=internal --homehost=any --run ${ZEROED:+--assume-clean} "${DEVICES[@]}"
}

make_file_system() {
    # Stripe unit and width: XFS then writes whole stripes, which cost no reads.
    run mkfs.xfs -q -L "$NAME" -d "su=${CHUNK}k,sw=$((${#DEVICES[@]} - 2))" "/dev/md/$NAME"
    run mkdir -p "$MOUNT"
    run mount -t xfs -o noatime "/dev/md/$NAME" "$MOUNT"
    run mkdir -m 0700 "$MOUNT/buffer" "$MOUNT/cache"
    if getent passwd capstan >/dev/null; then
        run chown capstan:capstan "$MOUNT/buffer" "$MOUNT/cache"
    fi
}

next() {
    local line
    line=$([ -n "$DRY_RUN" ] || mdadm --detail --brief "/dev/md/$NAME")
    cat <<END

Next, so that it is there after a boot, and watched:
  1. /etc/mdadm/mdadm.conf: what mdadm.conf beside this script has, and
     ${line:-ARRAY /dev/md/$NAME ... (mdadm --detail --brief /dev/md/$NAME prints it)}
     then: update-initramfs -u
  2. the mount unit and capstan.service.d/areas.conf beside this script: see README.md
  3. capstan.toml: [upload_buffer] path = "$MOUNT/buffer", [cache] path = "$MOUNT/cache"
END
}

arguments "$@"
check_arguments
check_machine
check_twice
for device in "${DEVICES[@]}"; do check_device "$device"; done
check_sizes
confirm
make_array
make_file_system
next
