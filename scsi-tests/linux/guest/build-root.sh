#!/bin/bash
# Build the Debian root from which the guest boots:  build-root.sh DIRECTORY
#
# The kernel mounts DIRECTORY itself (hostfs) and init.sh lays a throw-away overlay on it, so one root serves every
# run. The harness rebuilds it when this file changes. Needs root, debootstrap, and a Debian archive that apt
# on this machine can reach.
set -euo pipefail

ROOT=${1:?the directory to build}
SUITE=bookworm
BASE=open-iscsi,mtx,mt-st,sg3-utils,lsscsi,kmod,iproute2,procps,udev,psmisc,sqlite3,e2fsprogs,xfsprogs,mdadm
# Their maintainer scripts want /proc, /dev and a configured base system: installed in a second step.
CLIENTS="bacula-director bacula-director-sqlite3 bacula-sd bacula-fd bacula-console tgt"

archive_of_this_machine() {
    cat /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list 2>/dev/null |
        awk '/^URIs:/ {print $2; exit}  /^deb / {for (i = 2; i <= NF; i++) if ($i ~ /^http/) {print $i; exit}}'
}

bootstrap() {
    local archive
    archive=$(archive_of_this_machine || true)
    debootstrap --variant=minbase --include="$BASE" "$SUITE" "$ROOT" ${archive:+"$archive"}
}

# No package may start a service: neither here nor in the guest.
forbid_services() {
    printf '#!/bin/sh\nexit 101\n' >"$ROOT/usr/sbin/policy-rc.d"
    chmod +x "$ROOT/usr/sbin/policy-rc.d"
}

install_clients() {
    cp /etc/resolv.conf "$ROOT/etc/resolv.conf" 2>/dev/null || true
    cp -r /etc/apt/apt.conf.d/. "$ROOT/etc/apt/apt.conf.d/"
    # A mount namespace of our own: whatever happens, no mount stays behind on this machine.
    unshare --mount bash -euc '
        mount -t proc proc "$1/proc"
        mount --rbind /dev "$1/dev"
        export DEBIAN_FRONTEND=noninteractive
        chroot "$1" apt-get update
        chroot "$1" apt-get install -y --no-install-recommends $2
    ' install "$ROOT" "$CLIENTS"
}

# What the kernel starts as process 1. The rest is guest/init.sh, read from the working tree on every boot.
install_boot() {
    mkdir -p "$ROOT/lib/modules" "$ROOT/rig" "$ROOT/host" "$ROOT/overlay"
    cp -a /usr/lib/uml/modules/. "$ROOT/lib/modules/"
    cat >"$ROOT/capstan-boot" <<'BOOT'
#!/bin/bash
mount -t proc proc /proc
for word in $(</proc/cmdline); do case $word in capstan_rig=*) mount -t hostfs none /rig -o "ro,${word#*=}" ;; esac; done
exec /bin/bash /rig/guest/init.sh
BOOT
    chmod +x "$ROOT/capstan-boot"
}

bootstrap
forbid_services
install_clients
install_boot
