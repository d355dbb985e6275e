# Bacula's daemons and btape on the devices that initiator.sh named: drives 0 and 1. Sourced after it.

BACULA=/tmp/bacula

# configure BLOCK_SIZE: write the configuration for this Maximum Block Size.
configure() {
    local file
    mkdir -p $BACULA/etc $BACULA/dir $BACULA/sd $BACULA/fd /run/bacula
    for file in /rig/bacula/*.conf; do
        sed -e "s|@WORK@|$BACULA|g; s|@CHANGER@|$CHANGER|g; s|@BLOCK@|$1|g" \
            -e "s|@DRIVE0@|${NST[0]}|g; s|@DRIVE1@|${NST[1]}|g; s|@SG0@|${SG[0]}|g; s|@SG1@|${SG[1]}|g" \
            "$file" >"$BACULA/etc/${file##*/}"
    done
}

# btape_run SECONDS LOG COMMAND...: one btape session on drive 0; each argument is a line typed at its prompts.
btape_run() {
    local seconds=$1 log=$2
    shift 2
    printf '%s\n' "$@" quit | timeout "$seconds" btape -c $BACULA/etc/bacula-sd.conf Drive-0 >"$log" 2>&1
}

# btape_passed LOG: every part of `btape test` ended as Bacula wants it, without any of its ways to say otherwise.
btape_passed() {
    local log=$1
    assert_eq "what btape finds" "$(btape_findings "$log")" "$(btape_findings /rig/lib/btape-findings)"
    assert_eq "no repair tried" "$(grep -e 'NOT correct' -e 'Attempting again' -e 'MUST fix' "$log" || true)" ""
}

# btape_findings LOG: what it says of each part of its test, in order, and the blocks and files that its scan found.
btape_findings() {
    sed -En '/^=== Sample correct output/,/^=== End sample/d; / re-read correct/p; /^Got EOF on tape/p; /Test Succeeded/p
        /^[0-9]+ blocks? of /p; /^End of File mark/p; /^Total files=/p; /^We should be in file/p; /test .* worked/p' "$1"
}

start_bacula() {
    local script=/usr/share/bacula-director/make_sqlite3_tables
    # The package's script creates the catalog in a directory of its own choice.
    sed -e "s#^cd /.*#cd $BACULA/dir#" -e 's/^db_name=.*/db_name=bacula/' $script | sh >/dev/null
    bacula-sd -c $BACULA/etc/bacula-sd.conf
    bacula-fd -c $BACULA/etc/bacula-fd.conf
    bacula-dir -c $BACULA/etc/bacula-dir.conf
}

# console LINE...: typed at bconsole's prompt; prints everything it says.
console() {
    printf '%s\n' "$@" | timeout 600 bconsole -c $BACULA/etc/bconsole.conf
}

# Volumes and their state as the catalog has them.
catalog() {
    sqlite3 $BACULA/dir/bacula.db "$1"
}

# terminations LOG: what each job's report says at its end, sorted.
terminations() {
    sed -En 's/^ *Termination: +//p' "$1" | sort
}

# empty_drives LOG: have Bacula let go of both drives, whichever it took, and put back what is in them. Wants changer.sh.
empty_drives() {
    local drive slot
    console 'umount storage=Library drive=0' 'umount storage=Library drive=1' >>"$1"
    for drive in 0 1; do
        slot=$(full | sed -n "s/^drive $drive .* from //p")
        [ -z "$slot" ] || unload "$slot" "$drive"
    done
}
