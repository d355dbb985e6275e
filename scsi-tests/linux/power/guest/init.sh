#!/bin/bash
# Process 1 of the guest whose power is cut: a disk, the daemon on it, and the load, all in here.
#
# On the kernel's command line: capstan_share=<directory shared with the host>. In it: the programs, the journal,
# `environment` (FS, OPTIONS of its mount, FORMAT, EXPIRE: age of dirty pages in hundredths of a second, LOAD: options
# of crash-load), and `progress`, one line of JSON a step, by which the host knows when to cut. What is written there
# goes through to the host at once; what is on the disk does so when the guest's kernel writes it.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp LC_ALL=C.UTF-8
DISK=/dev/ubda STATE=/mnt/state

mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t tmpfs tmp /run
mount -t tmpfs tmp /tmp
for word in $(</proc/cmdline); do
    case $word in capstan_share=*) mount -t hostfs none /host -o "${word#*=}" ;; esac
done
. /host/environment
cd /tmp || exit 1

progress() {
    echo "$*" >>/host/progress
}
off() {
    sync
    # SysRq "o" is the one way to power off without an init system.
    echo o >/proc/sysrq-trigger
    sleep 60
}
fail() {
    progress "{\"failed\": \"$*\"}"
    off
}

# The journal of the file system is replayed by a mount; after that, nothing may be left to repair.
check() {
    mount -t "$FS" $DISK /mnt && umount /mnt || return
    case $FS in
        ext4) e2fsck -f -n $DISK ;;
        xfs) xfs_repair -n $DISK ;;
    esac
}

serve() {
    /host/capstan serve --json --listen 127.0.0.1:3260 --state $STATE >/tmp/ready 2>>/host/daemon.log &
    daemon=$!
    until [ -s /tmp/ready ]; do
        kill -0 $daemon 2>/dev/null || fail "the daemon does not start"
        sleep 0.05
    done
}

ip link set lo up
if [ "$FORMAT" = yes ]; then
    "mkfs.$FS" -q $DISK >/host/mkfs.log 2>&1 || fail "mkfs.$FS"
fi
check >/host/fsck.log 2>&1 || fail "the file system is damaged: see fsck.log"
mount -t "$FS" -o "$OPTIONS" $DISK /mnt || fail "the file system cannot be mounted"
echo "$EXPIRE" >/proc/sys/vm/dirty_expire_centisecs
echo $((EXPIRE / 2)) >/proc/sys/vm/dirty_writeback_centisecs
progress '{"mounted": true}'
serve
# shellcheck disable=SC2086
/host/crash-load --portal 127.0.0.1:3260 --capstan /host/capstan --socket $STATE/capstan.sock --journal /host/journal \
    --mode power $LOAD >>/host/progress 2>>/host/load.log || fail "the load has ended"
kill -TERM $daemon && wait $daemon || fail "the daemon does not stop"
umount /mnt && progress '{"off": true}'
off
