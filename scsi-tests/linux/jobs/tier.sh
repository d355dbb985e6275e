#!/bin/bash
# A backup several times larger than the upload buffer and the cache goes into a tier, in a directory or in a bucket, while
# the tier is slow, away or comes back, and none of its jobs fails; it is read back identical after the cache is lost and
# after a kill; ten thousand filemarks cost a dozen objects; what is encrypted cannot be found in the bucket.
#
# rig: variants = TIER dir s3
# rig: start = by the job
# rig: memory = 2G
# rig: timeout = 900
# rig: full_timeout = 7200
. /rig/lib/job.sh
. /rig/lib/initiator.sh
. /rig/lib/changer.sh
. /rig/lib/tape.sh
. /rig/lib/tier.sh

# tar reports every change of volume by running the script.
archive() {
    echo 1 >/tmp/slot
    load 1 0
    tar --multi-volume --dereference --hard-dereference --sort=name --blocking-factor=512 --file="$TAPE" \
        --new-volume-script=/rig/lib/next-volume.sh --directory=/tmp/source "$@" .
    unload "$(</tmp/slot)" 0
}

trap 'rm -rf /host/pool /host/cache /host/tier /host/tier.away' EXIT
start_gateway
login 0 1
export CHANGER
TAPE=${NST[0]}
make_source
BYTES=$((COPIES * $(du --summarize --bytes --dereference /host/pool | cut -f 1)))
dmesg --clear
step "$((BYTES / MIB)) MiB of data, a buffer of $BUFFER_MIB MiB, a cache of $CACHE_MIB MiB, cartridges of $TAPE_MIB MiB"

# (a) The tier is slower than the writer, then away.
host capstan tier limit cloud --upload 4MiB >/tmp/limited
sent=$(status tiers.0.uploaded_bytes)
limited=$SECONDS
archive --create &
writer=$!
begun=$SECONDS
await 600 buffer_is_used 80
step "the buffer is filled to 80 % at $(rate $((BUFFER_MIB * MIB * 8 / 10)) $((SECONDS - begun))) MiB/s"
written=$(status drives.0.write_bytes)
slow=$SECONDS
sleep 30
others_are_served
sent=$(($(status tiers.0.uploaded_bytes) - sent))
written=$(($(status drives.0.write_bytes) - written))
[ "$sent" -gt 0 ] && [ "$sent" -le $(((SECONDS - limited + 1) * 4 * MIB)) ] ||
    fail "$sent bytes were sent in $((SECONDS - limited)) seconds"
[ "$written" -gt 0 ] || fail "nothing was written in $((SECONDS - slow)) seconds"
step "$(rate $sent $((SECONDS - limited))) MiB/s go to the tier, $(rate $written $((SECONDS - slow))) MiB/s come from tar; buffer at $(buffer_used) %"

if [ "$TIER" = s3 ]; then
    host server freeze
    sleep 20
    others_are_served
    host server thaw
    step "the server does not answer for 20 seconds: buffer at $(buffer_used) %"
fi
tier_goes
await 60 has_happened tier_unavailable
await 600 has_happened buffer_full
sleep 10
others_are_served
kill -0 $writer
step "the tier is away, the buffer is full ($(buffer_used) %), tar waits; other devices and pings are answered"
tier_comes
host capstan tier limit cloud --upload none >/tmp/limited
wait $writer
step "tar ends without an error: $(rate "$BYTES" $((SECONDS - begun))) MiB/s with all that"
await 600 all_shipped
step "all is in the tier"
others_are_served

# (b) Nothing is here any more but what the gateway cannot do without.
restart_gateway rm -rf /host/cache
begun=$SECONDS
archive --compare
step "the cache is lost: everything is read back identical, $(rate "$BYTES" $((SECONDS - begun))) MiB/s"
assert_eq "more in the cache than it may have" "$(($(status cache.used) > CACHE_MIB * MIB))" 0

# (c) The gateway is killed in the middle of a write and of shipping.
write_file() {
    part /host/pool/"$1" 262144 0 64 | write_blocks 262144 64
}
load 6 0
host capstan tier limit cloud --upload 4MiB >/tmp/limited
for file in 0 1 2 3 4 5; do
    write_file $file
done
write_file 6 2>/tmp/killed &
writer=$!
host daemon kill
host daemon start share/site/capstan.toml
wait $writer && step "the write was done before the kill"
await 60 mtx -f "$CHANGER" status
await 60 tape rewind
tape fsf 6
for file in 6 7 8 9; do
    write_file $file
done
unload 6 0
await 600 all_shipped
restart_gateway rm -rf /host/cache
load 6 0
for file in 0 1 2 3 4 5 6 7 8 9; do
    part /host/pool/$file 262144 0 64 | reads 262144
done
assert_eq "files" "$(tell)" $((10 * 65))
unload 6 0
step "killed in the middle: ten files are written, shipped and read back identical"

# (d) Filemarks are on stable storage when they are answered; the tier is told of them together.
# manifest BARCODE: how many deltas of a cartridge there are.
manifest() {
    store list "v1/tapes/$1/" | grep --count /manifest/
}
load 7 0
before=$(manifest CAP007L8)
begun=$SECONDS
python3 /rig/lib/filemarks.py "$TAPE" 10000
seconds=$((SECONDS - begun))
tape weof 10000
assert_eq "filemarks" "$(tell)" 20000
unload 7 0
await 60 all_shipped
await 60 eval '[ "$(manifest CAP007L8)" -gt "$before" ]'
deltas=$(($(manifest CAP007L8) - before))
[ "$deltas" -le $(((SECONDS - begun) / 5 + 1)) ] || fail "$deltas deltas in $((SECONDS - begun)) s"
step "10000 filemarks in $seconds s and 10000 at once: $deltas objects in the manifest"

# (e) What was written is in the objects as it is, or not at all.
samples /tmp/samples
found=$(store search /tmp/samples)
case $TIER in
    dir) assert_eq "runs found" "${found%% *}" $POOL_FILES ;;
    s3) assert_eq "runs found" "${found%% *}" 0 ;;
esac
step "runs of the source that are in the tier: $found bytes"
