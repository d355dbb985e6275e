#!/bin/bash
# Ten drives work at once: ten clients write different data in parallel and read it back, each its own, byte for byte.
#
# rig: timeout = 400
. /rig/lib/job.sh
. /rig/lib/initiator.sh
. /rig/lib/changer.sh
. /rig/lib/tape.sh

BYTES=33554432

# Run a function for all ten drives at once; all must succeed.
in_parallel() {
    local drive pids=() pid
    for drive in $(seq 0 9); do
        "$1" "$drive" &
        pids+=($!)
    done
    for pid in "${pids[@]}"; do
        wait "$pid"
    done
}
# Two files on tape, in blocks of another size for every drive.
write_drive() {
    local bytes=$((BYTES / 2))
    head -c $bytes /host/random"$1" | dd of="${NST[$1]}" bs=$((65536 + $1 * 4096)) iflag=fullblock status=none
    tail -c $bytes /host/random"$1" | dd of="${NST[$1]}" bs=262144 iflag=fullblock status=none
    mt -f "${NST[$1]}" rewind
}
read_drive() {
    local bytes
    bytes=$({ dd if="${NST[$1]}" bs=262144 status=none; dd if="${NST[$1]}" bs=262144 status=none; } |
        tee >(sha256sum >/tmp/read"$1") | wc -c)
    assert_eq "bytes of drive $1" "$bytes" $BYTES
}

trap 'rm -f /host/random*' EXIT
login
for drive in $(seq 0 9); do
    random /host/random"$drive" $BYTES
    load $((drive + 1)) "$drive"
done
assert_eq "drives" "$(full)" "$(for drive in $(seq 0 9); do
    printf 'drive %d CAP%03dL8 from %d\n' "$drive" $((drive + 1)) $((drive + 1)); done)"
step "ten cartridges in ten drives"

start=$SECONDS
in_parallel write_drive
step "ten writers of $((BYTES >> 20)) MiB each: $((10 * (BYTES >> 20) / (SECONDS - start + 1))) MiB/s"

start=$SECONDS
in_parallel read_drive
step "ten readers: $((10 * (BYTES >> 20) / (SECONDS - start + 1))) MiB/s"

for drive in $(seq 0 9); do
    assert_eq "data of drive $drive" "$(</tmp/read"$drive")" "$(sha256sum </host/random"$drive")"
done
assert_eq "different data" "$(cat /tmp/read? | sort -u | wc -l)" 10

for drive in $(seq 0 9); do
    unload $((drive + 1)) "$drive"
done
assert_eq "all back" "$(full)" "$(ten_in_slots)"
step "every drive gave back its own data"
