#!/bin/bash
# Process 1 of the guest: a throw-away overlay on the shared root, the network, the drivers, then one job.
#
# On the kernel's command line: capstan_rig=<this directory on the host> capstan_share=<directory shared with the
# host> capstan_job=<file in jobs/>. The job's exit status is left in /host/status; without that file the
# guest died. Variables for the job are in /host/environment.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8

if [ "${1:-}" != inside ]; then
    mount -t tmpfs overlay /overlay
    mkdir /overlay/upper /overlay/work /overlay/root
    modprobe overlay
    mount -t overlay -o lowerdir=/,upperdir=/overlay/upper,workdir=/overlay/work overlay /overlay/root
    mount --move /rig /overlay/root/rig
    exec chroot /overlay/root /bin/bash /rig/guest/init.sh inside
fi

mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts pts /dev/pts
mount -t tmpfs tmp /dev/shm
mount -t tmpfs tmp /run
mount -t tmpfs tmp /tmp
mkdir -p /run/lock/iscsi
ln -sfn /proc/self/fd /dev/fd

for word in $(</proc/cmdline); do
    case $word in
        capstan_share=*) mount -t hostfs none /host -o "${word#*=}" ;;
        capstan_job=*) job=${word#*=} ;;
    esac
done

ip link set lo up
ip link set vec0 up
ip address add 192.168.77.2/24 dev vec0
modprobe -a iscsi_tcp st sg ch
/lib/systemd/systemd-udevd --daemon

set -a
. /host/environment
set +a
cd /tmp || exit 1
# The host drops the kernel's own lines above this one.
echo "--- $(uname -sr): $job"
bash "/rig/jobs/$job"
echo $? >/host/status
sync
# SysRq "o" is the one way to power off without an init system.
echo o >/proc/sysrq-trigger
sleep 60
