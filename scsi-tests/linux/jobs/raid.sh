#!/bin/bash
# Two disks of a RAID 6 fail under the load of ten drives: nothing is lost, `capstan status` and an event say so, and new
# disks make it whole.
#
# Daemon, array and load are all in the guest; what was answered is noted on the host, outside of what can fail.
#
# rig: target = none
# rig: disks = 6 768M
# rig: programs = capstan crash-load
# rig: files = deploy/raid/make-areas.sh
# rig: memory = 1G
# rig: timeout = 900
. /rig/lib/job.sh
. /rig/lib/raid.sh

step "$(uname -r), $(mdadm --version 2>&1)"
modprobe raid456
refuses "RAID 6 needs 4 devices" bash /host/make-areas.sh /dev/ubd[a-c]
refuses "/dev/ubda is named twice" bash /host/make-areas.sh /dev/ubd[a-f] /dev/ubda
mkswap --quiet /dev/ubda
refuses "/dev/ubda has something on it" bash /host/make-areas.sh /dev/ubd[a-f]
clear_disk ubda
bash /host/make-areas.sh --dry-run /dev/ubd[a-f] >/tmp/plan
assert_eq "arrays after a dry run" "$(grep --count ^md /proc/mdstat || true)" 0
bash /host/make-areas.sh --yes --zeroed /dev/ubd[a-f] | grep '^+' >/tmp/done
assert_eq "what was done" "$(</tmp/done)" "$(grep '^+' /tmp/plan | sed 's/--run/--run --assume-clean/')"
refuses "/dev/ubda is part of" bash /host/make-areas.sh --mount /mnt/other --name other /dev/ubd[a-f]
step "RAID 6 of six disks, XFS on it: $(df --output=size --block-size=1M /srv/capstan | tail -n 1) MiB"

configure
serve
assert_eq "problems of both areas" "$(problems)" ""
load
await 120 loading
sleep 15
fail_disk ubdb
await 30 shows "1 of 6 disks missing"
sleep 5
fail_disk ubde
await 30 shows "2 of 6 disks missing"
loading || fail "the load has ended: $(tail -n 3 /host/load.log)"
step "two disks have failed under load: $(problems | sort --unique)"
sleep 15
assert_eq "events" "$(events area_degraded)" "$(printf '%s\n' 1 1 2 2)"
kill_daemon
step "killed under load, with $(answered) operations answered on the degraded array and before"

drop_caches
serve
verify
step "nothing is lost on four of six disks: $(verified)"
assert_eq "missing disks" "$(problems | sort --unique)" "$ARRAY: 2 of 6 disks missing"

replace_disk ubdb
replace_disk ubde
await 30 shows "a disk is being rebuilt"
step "two empty disks in their places: $(problems | sort --unique)"
await 300 whole
assert_eq "events of recovery" "$(events area_recovered)" "$(printf '%s\n' "$ARRAY is whole again" "$ARRAY is whole again")"
echo check >"/sys/block/$ARRAY/md/sync_action"
await 300 idle
assert_eq "parity that does not match" "$(<"/sys/block/$ARRAY/md/mismatch_cnt")" 0
kill_daemon
drop_caches
serve
verify
step "whole again, parity is right, and nothing is lost: $(verified)"
kill -TERM "$daemon"
wait "$daemon"
umount /srv/capstan
mdadm --stop "/dev/$ARRAY" 2>/dev/null
