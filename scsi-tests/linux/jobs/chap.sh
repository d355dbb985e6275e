#!/bin/bash
# The lines that `capstan init` prints let a host in as they are, by CHAP in both directions, with digests, to exactly the
# devices that it may use; who has a wrong secret, name or digest gets nothing.
#
. /rig/lib/job.sh
. /rig/lib/initiator.sh
. /rig/lib/changer.sh
. /rig/lib/tape.sh

INITIATOR=iqn.2026-11.io.capstan:guest
TARGET=iqn.2026-11.io.capstan:gw
SITE=/host/site

# serve_site: start the daemon anew with the site's configuration.
serve_site() {
    host daemon stop
    host capstan check-config share/site/capstan.toml >/dev/null
    host daemon start share/site/capstan.toml
}

# setting NAME VALUE [TARGET]: of the node records.
setting() {
    iscsiadm --mode node --portal "$PORTAL" ${3:+--targetname "$TARGET.$3"} --op update --name "$1" --value "$2"
}

# login_ends_with STATUS [TARGET]: a login to the changer, or to another target, ends so, and nothing is there after it.
login_ends_with() {
    local status=0
    iscsiadm --mode node --portal "$PORTAL" --targetname "$TARGET.${2:-changer}" --login >/tmp/login 2>&1 || status=$?
    assert_eq "status of the login ($(tail -n 1 /tmp/login))" "$status" "$1"
    assert_eq "sessions" "$(sessions)" ""
    assert_eq "devices" "$(lsscsi)" ""
}

# discovery_ends_with STATUS: with the discovery record as it is.
discovery_ends_with() {
    local status=0
    iscsiadm --mode discoverydb --type sendtargets --portal "$PORTAL" --discover >/tmp/discovery 2>&1 || status=$?
    assert_eq "status of the discovery ($(tail -n 1 /tmp/discovery))" "$status" "$1"
    refuses "" grep "$TARGET" /tmp/discovery
}

# restart_initiator NAME
restart_initiator() {
    iscsiadm -k 0
    await 20 eval '! pidof iscsid'
    echo "InitiatorName=$1" >/etc/iscsi/initiatorname.iscsi
    iscsid
}

start_initiator
host daemon stop
host capstan init share/site --listen "$PORTAL" --initiator "$INITIATOR" >/tmp/init
assert_eq "modes" "$(stat --format=%a\ %n $SITE/* | sort)" "600 $SITE/chap-mutual.secret
600 $SITE/chap.secret
644 $SITE/capstan.toml"
refuses "is there already" host capstan init share/site --listen "$PORTAL" --initiator "$INITIATOR"
sed -n 's/^  iscsiadm /iscsiadm /p' /tmp/init >/tmp/lines
assert_eq "lines" "$(wc -l </tmp/lines)" 14
sed -i 's/^\[\[iscsi\.initiator\]\]$/&\ndevices = ["changer", "drive-03", "drive-07"]/' $SITE/capstan.toml
host daemon start share/site/capstan.toml
step "capstan init has written a configuration for this host; serve takes it, listening beyond loopback"

iscsiadm --mode discoverydb --type sendtargets --portal "$PORTAL" --op new >/tmp/new
discovery_ends_with 24
step "discovery without CHAP is refused"

head -n 7 /tmp/lines >/tmp/discovery-lines
sed -n 8,13p /tmp/lines >/tmp/node-lines
tail -n 1 /tmp/lines >/tmp/login-line
bash -eu /tmp/discovery-lines >/tmp/discovered
assert_eq "targets" "$(grep "$TARGET" /tmp/discovered | sort)" "$PORTAL,1 $TARGET.changer
$PORTAL,1 $TARGET.drive-03
$PORTAL,1 $TARGET.drive-07"
login_ends_with 24
step "discovered with CHAP: three targets; a login without CHAP is refused"

bash -eu /tmp/node-lines
setting 'node.conn[0].iscsi.HeaderDigest' CRC32C
setting 'node.conn[0].iscsi.DataDigest' CRC32C
bash -eu /tmp/login-line >/tmp/login
name_devices
assert_eq "drives" "${!NST[*]}" "3 7"
assert_eq "devices" "$(lsscsi | awk '{print $2, $3, $4}' | sort | uniq -c | sed 's/^ *//')" "1 mediumx STK L700
2 tape IBM ULT3580-TD8"
iscsiadm --mode session -P 2 >/tmp/sessions
assert_eq "digests" "$(grep -c 'Digest: CRC32C' /tmp/sessions)" 6
assert_eq "CHAP" "$(grep -cE "^\s*username(_in)?: ($INITIATOR|$TARGET)$" /tmp/sessions)" 6
step "logged in by the printed lines: CHAP in both directions, header and data digests, one changer and two drives"

mkdir /tmp/tree /tmp/back
for file in 1 2 3 4; do
    random "/tmp/tree/$file" $((file * 3000000 + 1))
done
load 1 3
TAPE=${NST[3]}
tar --create --file "$TAPE" --blocking-factor 512 --directory /tmp tree
tape rewind
tar --extract --file "$TAPE" --blocking-factor 512 --directory /tmp/back
diff --recursive /tmp/tree /tmp/back/tree
tape rewind
unload 1 3
logout
step "tar writes 30 MB and reads them back, byte for byte"

iscsiadm --mode node --portal "$PORTAL" --targetname "$TARGET.drive-00" --op new >/tmp/new
bash -eu /tmp/node-lines
login_ends_with 24 drive-00
step "a drive that this host may not use lets nobody in, though its name is known"

setting node.session.auth.password not-the-secret
login_ends_with 24
setting node.session.auth.password "$(<$SITE/chap.secret)"
setting node.session.auth.password_in not-that-secret
login_ends_with 19
setting node.session.auth.password_in "$(<$SITE/chap-mutual.secret)"
setting node.session.auth.username somebody
login_ends_with 24
setting node.session.auth.username "$INITIATOR"
step "a wrong secret and a wrong user are refused; a wrong mutual secret the host refuses itself"

iscsiadm --mode discoverydb --type sendtargets --portal "$PORTAL" --op update \
    --name discovery.sendtargets.auth.password --value not-the-secret
discovery_ends_with 24
iscsiadm --mode discoverydb --type sendtargets --portal "$PORTAL" --op update \
    --name discovery.sendtargets.auth.password --value "$(<$SITE/chap.secret)"
step "so is discovery"

restart_initiator iqn.2026-11.io.capstan:other
login_ends_with 24
discovery_ends_with 24
restart_initiator "$INITIATOR"
step "another initiator with the right secrets is refused"

sed -i 's/^# digests = .*/digests = "require"/' $SITE/capstan.toml
serve_site
setting 'node.conn[0].iscsi.HeaderDigest' None
setting 'node.conn[0].iscsi.DataDigest' None
login_ends_with 19
setting 'node.conn[0].iscsi.HeaderDigest' CRC32C
login_ends_with 19
setting 'node.conn[0].iscsi.DataDigest' CRC32C
iscsiadm --mode node --portal "$PORTAL" --targetname "$TARGET.changer" --login >/tmp/login
assert_eq "sessions" "$(sessions)" "$TARGET.changer"
logout
step "where digests are required, a login without them is refused, one with both is not"

# Behind one target the devices keep their numbers, and LUN 0 is one that is not there.
iscsiadm --mode node --op delete
sed -i -e 's/^# layout = .*/layout = "single-target"/' -e 's/^devices = .*/devices = ["drive-03"]/' $SITE/capstan.toml
serve_site
bash -eu /tmp/discovery-lines >/tmp/discovered
assert_eq "target" "$(grep "$TARGET" /tmp/discovered)" "$PORTAL,1 $TARGET"
bash -eu /tmp/node-lines
setting 'node.conn[0].iscsi.HeaderDigest' CRC32C
setting 'node.conn[0].iscsi.DataDigest' CRC32C
bash -eu /tmp/login-line >/tmp/login
await 30 eval 'lsscsi | grep --quiet TD8'
udevadm settle
assert_eq "devices" "$(lsscsi | sed -E 's/^\[[0-9]+:0:0:([0-9]+)\] *([a-z]+) .*/\1 \2/')" "4 tape"
node=$(lsscsi --generic | awk '{print $NF}')
assert_eq "units" "$(sg_luns "$node" | tail -n 1 | xargs)" "0004000000000000"
step "behind one target Linux finds the one drive that it may use, at LUN 4, though nothing is there at LUN 0"
