# Sourced first by every job: any command that fails ends the job, assertions, and what the host can do for a job.

set -Eeuo pipefail
shopt -s inherit_errexit
trap 'fail "${BASH_SOURCE[0]##*/}:$LINENO: status $? from: $BASH_COMMAND"' ERR

fail() {
    echo "FAIL: $*" >&2
    exit 1
}

# Say what has been shown, with the seconds since the job began.
step() {
    printf '%4ds  %s\n' "$SECONDS" "$*"
}

# assert_eq WHAT GOT WANT
assert_eq() {
    [ "$2" = "$3" ] && return
    echo "$1:" >&2
    diff --label got --label want --unified=1 <(echo "$2") <(echo "$3") >&2 || true
    fail "$1 is not as it must be"
}

# refuses TEXT COMMAND...: the command must fail, and TEXT must be in what it prints.
refuses() {
    local text=$1 output
    shift
    if output=$("$@" 2>&1); then
        fail "must fail but does not: $*"
    fi
    case $output in
        *"$text"*) ;;
        *) fail "must say '$text': $* says: $output" ;;
    esac
}

# count FILE LINE: how many lines are exactly LINE.
count() {
    grep --count --line-regexp --fixed-strings -- "$2" "$1" || true
}

# await SECONDS COMMAND...: until the command succeeds.
await() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$deadline" ] || fail "still not so: $*"
        sleep 0.1
    done
}

# random FILE BYTES
random() {
    head -c "$2" /dev/urandom >"$1"
}

# host daemon kill|stop|start [CONFIG], host capstan WORDS...: in the job's directory, of which share/ is /host here. Done by the harness outside; its output and status are ours.
host() {
    local status
    rm -f /host/answer
    printf '%s\n' "$@" >/host/request.draft
    mv /host/request.draft /host/request
    await 120 test -e /host/answer
    status=$(head -n 1 /host/answer)
    tail -n +2 /host/answer
    return "$status"
}
