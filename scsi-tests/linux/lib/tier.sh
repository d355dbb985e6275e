# A gateway that ships to a tier, with a small upload buffer and a small cache. Sourced after tape.sh.
#
# TIER is dir (a directory, nothing encrypted) or s3 (a bucket of the rig's server, everything encrypted). FULL is set for
# the sizes of a real backup. The tier, the cache and the data that is written are in /host, so on the host's disk.

MIB=1048576
if [ -n "$FULL" ]; then
    POOL_FILES=16 COPIES=20 TAPE_MIB=4608 BUFFER_MIB=2048 CACHE_MIB=4096
else
    POOL_FILES=18 COPIES=1 TAPE_MIB=384 BUFFER_MIB=192 CACHE_MIB=128
fi
SITE=/host/site
case $TIER in
    dir) STORE=/host/tier ;;
    s3) STORE=$S3_ENDPOINT/capstan ;;
esac

store() {
    local verb=$1
    shift
    python3 /rig/lib/store.py "$STORE" "$verb" "$@"
}

tier_configuration() {
    cat <<TOML
[iscsi]
listen = ["$PORTAL"]
allow_unauthenticated = true
[library]
tape_size = "${TAPE_MIB}MiB"
[upload_buffer]
size = "${BUFFER_MIB}MiB"
[cache]
path = "share/cache"
size = "${CACHE_MIB}MiB"
[[tier]]
name = "cloud"
TOML
    case $TIER in
        dir) printf '%s\n' 'kind = "dir"' 'path = "share/tier"' 'compress = "off"' ;;
        s3)
            printf '%s\n' 'kind = "s3"' 'bucket = "capstan"' "endpoint = \"$S3_ENDPOINT\"" 'credentials = "file"' \
                'credentials_file = "credentials"' 'encrypt_key_file = "key"' "single_gateway = $S3_SINGLE_GATEWAY"
            ;;
    esac
}

# Start the gateway for the first time; of s3 the server too.
start_gateway() {
    mkdir -p $SITE
    tier_configuration >$SITE/capstan.toml
    if [ "$TIER" = s3 ]; then
        printf '[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n' "$S3_ACCESS_KEY" "$S3_SECRET_KEY" \
            >$SITE/credentials
        random $SITE/key 32
        chmod 600 $SITE/credentials $SITE/key
        host server start
        store make
    fi
    host daemon start share/site/capstan.toml
}

# restart_gateway COMMAND...: end it, do something, and start it again; hosts come back by themselves.
restart_gateway() {
    host daemon stop
    "$@"
    host daemon start share/site/capstan.toml
    await 60 mtx -f "$CHANGER" status
}

# status FIELD: of the daemon, as `upload_buffer.used`.
status() {
    host capstan status --json | python3 /rig/lib/field.py "$1"
}

# happened KIND: how many such events since the daemon started.
happened() {
    host capstan events --json | grep --count "\"kind\": \"$1\"" || true
}

has_happened() {
    [ "$(happened "$1")" -gt "${2:-0}" ]
}

# Percent of the upload buffer that is used.
buffer_used() {
    echo $(($(status upload_buffer.used) * 100 / (BUFFER_MIB * MIB)))
}

buffer_is_used() {
    [ "$(buffer_used)" -ge "$1" ]
}

all_shipped() {
    [ "$(status unshipped_bytes)" = 0 ]
}

# The tier does not answer, and answers again.
tier_goes() {
    case $TIER in
        dir) mv $STORE $STORE.away ;;
        s3) host server kill ;;
    esac
}
tier_comes() {
    case $TIER in
        dir) mv $STORE.away $STORE ;;
        s3) host server start ;;
    esac
}

# Commands to other devices are answered at once, no session was lost, and no ping was left without an answer.
others_are_served() {
    timeout 10 sg_inq "${SG[1]}" >/tmp/inquiry
    timeout 10 mtx -f "$CHANGER" status >/tmp/status
    assert_eq "sessions lost" "$(happened logged_out)" 0
    if dmesg | grep --extended-regexp 'conn error|ping timeout|timed out|reset|task abort'; then
        fail "the kernel has lost a connection"
    fi
}

# The data: COPIES directories, each with all of the pool in another order, so that no two cartridges are alike.
make_source() {
    local copy file
    mkdir -p /host/pool /tmp/source
    for file in $(seq 0 $((POOL_FILES - 1))); do
        host random pool/"$file" $((64 * MIB - file * 997))
    done
    for copy in $(seq "$COPIES"); do
        mkdir /tmp/source/"$copy"
        for file in $(seq 0 $((POOL_FILES - 1))); do
            ln -s /host/pool/$(((file + 13 * copy) % POOL_FILES)) /tmp/source/"$copy"/"$(printf %02d "$file")"
        done
    done
}

# samples FILE: runs of 32 bytes, one of each file of the pool.
samples() {
    local file
    for file in /host/pool/*; do
        part "$file" 32 $((RANDOM + 100000)) 1
    done >"$1"
}

# rate BYTES SECONDS: in MiB/s.
rate() {
    echo $(($1 / MIB / ($2 > 0 ? $2 : 1)))
}
