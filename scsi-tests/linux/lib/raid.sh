# Capstan, the load and the array, all in the guest. The journal of the load is on the host.

STATE=/srv/state SOCKET=/srv/state/capstan.sock
daemon='' loader='' ARRAY=''

configure() {
    ARRAY=$(basename "$(readlink -f /dev/md/capstan)")
    cat >/tmp/capstan.toml <<END
[gateway]
state_dir = "$STATE"
[upload_buffer]
path = "/srv/capstan/buffer"
size = "512MiB"
[cache]
path = "/srv/capstan/cache"
size = "512MiB"
free_floor = "64MiB"
[[tier]]
name = "here"
kind = "dir"
path = "/srv/capstan/tier"
END
}

serve() {
    : >/tmp/ready
    /host/capstan serve --json --config /tmp/capstan.toml --listen 127.0.0.1:3260 >/tmp/ready 2>>/host/daemon.log &
    daemon=$!
    await 60 test -s /tmp/ready
}

kill_daemon() {
    kill -KILL "$daemon"
    wait "$daemon" || true
    [ -z "$loader" ] || wait "$loader" || fail "the load: $(tail -n 1 /host/progress)"
    loader=''
}

crash_load() {
    /host/crash-load --portal 127.0.0.1:3260 --capstan /host/capstan --socket $SOCKET --journal /host/journal \
        --mode kill --budget 4194304 "$@"
}

load() {
    : >/host/progress
    crash_load >>/host/progress 2>>/host/load.log &
    loader=$!
}

# It loads, and has not come to an end.
loading() {
    grep --quiet '"loading"' /host/progress && kill -0 "$loader"
}

answered() {
    grep --count '^{"Done"' /host/journal
}

# Everything that was answered is there, read back and compared.
verify() {
    crash_load --verify-only >/host/verified 2>>/host/load.log || fail "$(tail -n 1 /host/verified)"
}

verified() {
    sed -n 's/.*"verified"://p' /host/verified
}

# From now on reads come from the disks.
drop_caches() {
    sync
    echo 3 >/proc/sys/vm/drop_caches
}

status() {
    /host/capstan --socket $SOCKET status --json
}

# Of both areas, a line each.
problems() {
    status | perl -MJSON::PP -0777 -ne '
        my $status = decode_json($_);
        print map { "$_\n" } map { @{$status->{$_}{problems}} } qw(upload_buffer cache);'
}

# Both areas say so.
shows() {
    [ "$(problems | grep --count --fixed-strings -- "$1")" = 2 ]
}

whole() {
    [ -z "$(problems)" ] && [ "$(events area_recovered | wc -l)" = 2 ]
}

idle() {
    [ "$(<"/sys/block/$ARRAY/md/sync_action")" = idle ]
}

# Of one kind: how many disks are missing, or what else is said of the array.
events() {
    /host/capstan --socket $SOCKET events --json | perl -MJSON::PP -0777 -ne '
        print map { "$_\n" } sort map { $_->{text} =~ /: (\d+) of \d+ disks/ ? $1 : $_->{text} =~ /: ([^:]+)$/ ? $1 : $_->{text} }
            grep { $_->{kind} eq "'"$1"'" } @{decode_json($_)};'
}

fail_disk() {
    mdadm --quiet "/dev/$ARRAY" --fail "/dev/$1"
}

# As it was when it was new.
clear_disk() {
    dd if=/dev/zero of="/dev/$1" bs=1M count=16 conv=fsync 2>/dev/null
}

# Another disk in the place of one that has failed: nothing is on it.
replace_disk() {
    mdadm --quiet "/dev/$ARRAY" --remove "/dev/$1"
    clear_disk "$1"
    mdadm --quiet "/dev/$ARRAY" --add "/dev/$1"
}
