# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# What test scripts stand on: a temporary folder that goes away, real servers in it, assertions.
# A script sources this, says what it does, and ends; whatever it started is then stopped and must
# have ended well. ctest sets SCEPD_BIN (programs), SCEPD_TOOLS (test programs), SCEPD_SANITIZE.
# shellcheck disable=SC2034 # variables that scripts read
set -eu

BIN=${SCEPD_BIN:?set by ctest to the folder of scepd}
TOOLS=${SCEPD_TOOLS:?set by ctest to the folder of keeper}
START_SEC=60 # to become ready, under a sanitizer on a busy machine
END_SEC=30   # to end
LOG_SEC=20   # for a log line to appear
SKIPPED=77   # what ctest takes as "skipped"

WORK=$(mktemp -d "${TMPDIR:-/tmp}/scepd-test.XXXXXX")
RUNNING= # names of servers that have not been stopped yet
trap harness_end EXIT
trap 'exit 1' HUP INT TERM

say() {
    echo "-- $*"
}

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

# Runs at the end of every script: a server that does not end well fails a test that passed.
harness_end() {
    status=$?
    trap - EXIT
    set +e
    for name in $RUNNING; do
        (stop_server "$name") || status=1
    done
    show_logs "$status"
    rm -rf "$WORK"
    exit "$status"
}

show_logs() {
    if [ "$1" -ne 0 ] && [ "$1" -ne "$SKIPPED" ]; then
        for log in "$WORK"/*.run/log "$WORK"/output; do
            [ ! -s "$log" ] || { echo "== $log" && tail -n 40 "$log"; } >&2
        done
    fi
}

# --- Servers. Each has a name; its CA is in $WORK/NAME, its log in $WORK/NAME.run/log.

# make_server NAME [OPTION...]: scepctl init with these options, on a free port of this machine.
make_server() {
    name=$1
    shift
    "$BIN/scepctl" init "$WORK/$name" --listen 127.0.0.1:0 "$@" >"$WORK/$name.init" ||
        fail "scepctl init $name $*"
    FINGERPRINT=$(root_fingerprint "$name")
}

# set_setting NAME GROUP.SETTING VALUE: VALUE as it stands in the file, text with its quotes.
set_setting() {
    group=${2%%.*}
    setting=${2#*.}
    sed -i "/^$group = {/,/^};/s|^    #\{0,1\}$setting = .*;|    $setting = $3;|" \
        "$WORK/$1/scepd.conf"
    grep -qF "    $setting = $3;" "$WORK/$1/scepd.conf" || fail "no setting $2 in scepd.conf"
}

# mic_store NAME ROOT INTERMEDIATE [SETTING...]: an entry of the list `mic` for CAs that mic_factory
# made in $WORK/mics; each SETTING as it stands in the file.
mic_store() {
    store_name=$1
    store_root=$2
    store_intermediate=$3
    shift 3
    printf '{ name = "%s"; roots = ["%s/mics/%s.pem"]; ' "$store_name" "$WORK" "$store_root"
    [ -z "$store_intermediate" ] ||
        printf 'intermediates = ["%s/mics/%s.pem"]; ' "$WORK" "$store_intermediate"
    [ $# -eq 0 ] || printf '%s; ' "$@"
    printf '}'
}

# trust_mics NAME ENTRY...: these are the trust stores from now on (after a start or reload).
trust_mics() {
    trust_file=$WORK/$1/scepd.conf
    shift
    sed -i '/^mic = (/,/^);/d' "$trust_file"
    {
        echo 'mic = ('
        separator=
        for entry in "$@"; do
            printf '%s    %s' "$separator" "$entry"
            separator=',
'
        done
        printf '\n);\n'
    } >>"$trust_file"
}

# Certificates of 20 days (before start_server), and later a renewal window of 30, so that they are
# due at once; new ones are not.
issue_for_20_days() {
    set_setting "$1" phone.validity_days 20
    set_setting "$1" phone.validity_jitter_days 0
    set_setting "$1" renewal.window_days 16
}

issue_for_years() {
    set_setting "$1" phone.validity_days 730
    set_setting "$1" renewal.window_days 30
    reload_server "$1"
}

# reload_server NAME: has it read its settings again; waits until it has.
reload_server() {
    reloads=$(grep -c 'event=reloaded' "$WORK/$1.run/log" || true)
    kill -HUP "$(cat "$WORK/$1.run/pid")"
    assert_log_at_least "$1" $((reloads + 1)) 'event=reloaded'
}

# launch_server NAME PROGRAM...: keeps PROGRAM as the server NAME; sets PID.
launch_server() {
    name=$1
    shift
    mkdir -p "$WORK/$name.run"
    PID=$("$TOOLS/keeper" start --owner $$ --folder "$WORK/$name.run" --deadline "$START_SEC" "$@") ||
        fail "$name does not start"
    RUNNING="$RUNNING $name"
}

# start_server NAME [VARIABLE=VALUE...]: sets PID and URL.
start_server() {
    server=$1
    shift
    launch_server "$server" env "$@" "$BIN/scepd" -c "$WORK/$server/scepd.conf"
    "$BIN/scepctl" -c "$WORK/$server/scepd.conf" --json status >"$WORK/status.json" ||
        fail "scepctl status"
    ADDRESS=$(json_text listening "$WORK/status.json")
    URL="http://$ADDRESS/cgi-bin/pkiclient.exe"
    FINGERPRINT=$(root_fingerprint "$server")
}

# end_server NAME SIGNAL EXPECTED: sends it, waits for the daemon and all that it started.
end_server() {
    RUNNING=$(echo " $RUNNING " | sed "s/ $1 / /")
    kill "-$2" "$(cat "$WORK/$1.run/pid")" || fail "$1 has ended before it was told to"
    await_end "$1" "$3"
}

# await_end NAME EXPECTED: waits for the end; EXPECTED is "exit 0", "signal 9"...
await_end() {
    RUNNING=$(echo " $RUNNING " | sed "s/ $1 / /")
    "$TOOLS/keeper" wait --folder "$WORK/$1.run" --deadline "$END_SEC" || fail "$1 does not end"
    ended=$(cat "$WORK/$1.run/status")
    [ "$ended" = "$2" ] || fail "$1 ended with \"$ended\" and not with \"$2\""
    assert_clean_log "$1"
}

stop_server() {
    end_server "$1" TERM "exit 0"
}

# kill_server NAME: kill -9; nothing that it started may stay.
kill_server() {
    end_server "$1" KILL "signal 9"
}

child_of() {
    children=$(cat "/proc/$1/task/$1/children")
    echo "${children%% *}"
}

# --- Texts and files.

# json_text KEY FILE: the first value of that name.
json_text() {
    sed -n "s/.*\"$1\": \"\([^\"]*\)\".*/\1/p" "$2" | head -n 1
}

root_of() {
    if [ -e "$WORK/$1/root.pem" ]; then
        echo "$WORK/$1/root.pem"
    else
        echo "$WORK/$1/issuing.pem"
    fi
}

root_fingerprint() {
    openssl x509 -in "$(root_of "$1")" -noout -fingerprint -sha256 | sed 's/.*=//; s/://g'
}

serial_of() {
    openssl x509 -in "$1" -noout -serial | sed 's/.*=//'
}

# --- Challenges and phones.

ctl() {
    ctl_server=$1
    shift
    "$BIN/scepctl" -c "$WORK/$ctl_server/scepd.conf" "$@"
}

# new_challenge NAME [OPTION...]: sets CHALLENGE (the secret), CHALLENGE_ID, CHALLENGE_FILE.
new_challenge() {
    server=$1
    shift
    CHALLENGE_FILE=$WORK/challenge
    (umask 077 && ctl "$server" --json challenge new "$@" >"$WORK/challenge.json") ||
        fail "scepctl challenge new $*"
    CHALLENGE=$(json_text secret "$WORK/challenge.json")
    CHALLENGE_ID=$(json_text id "$WORK/challenge.json")
    [ -n "$CHALLENGE" ] || fail "no challenge in the answer"
    (umask 077 && echo "$CHALLENGE" >"$CHALLENGE_FILE")
}

# phone COMMAND...: against the server that was started last.
phone() {
    "$BIN/phone" "$@" --server "$URL" --fingerprint "$FINGERPRINT"
}

enroll() {
    phone enroll --challenge-file "$CHALLENGE_FILE" "$@"
}

# --- Faults.

# with_room OCTETS COMMAND...: on a disk where only so much fits.
with_room() {
    room=$1
    shift
    env LD_PRELOAD="$TOOLS/write_faults.so" WRITE_FAULTS="$room" \
        ASAN_OPTIONS="${ASAN_OPTIONS:-}:verify_asan_link_order=0" "$@"
}

# --- Assertions.

# expect STATUS COMMAND...: its exit status; what it printed is in $WORK/output.
expect() {
    wanted=$1
    shift
    got=0
    "$@" >"$WORK/output" 2>&1 || got=$?
    [ "$got" -eq "$wanted" ] || fail "exit status $got instead of $wanted: $*"
}

assert_output() {
    for text in "$@"; do
        grep -qF -- "$text" "$WORK/output" || fail "the output does not say: $text"
    done
}

# assert_log NAME TEXT...: one line of the log has all of these, now or soon.
assert_log() {
    name=$1
    shift
    "$TOOLS/await" "$WORK/$name.run/log" 1 "$LOG_SEC" "$@" || fail "not in one line of the log: $*"
}

assert_log_at_least() {
    name=$1
    count=$2
    shift 2
    "$TOOLS/await" "$WORK/$name.run/log" "$count" "$LOG_SEC" "$@" || fail "too few in the log: $*"
}

# assert_log_count NAME COUNT TEXT...: exactly so many lines have all of these.
assert_log_count() {
    name=$1
    count=$2
    shift 2
    "$TOOLS/await" "$WORK/$name.run/log" "$count" "$LOG_SEC" "$@" || fail "too few in the log: $*"
    if "$TOOLS/await" "$WORK/$name.run/log" $((count + 1)) 0 "$@" 2>"$WORK/ignored"; then
        fail "more than $count in the log: $*"
    fi
}

assert_not_logged() {
    if grep -qF -- "$2" "$WORK/$1.run/log"; then
        fail "a text that must not be there is in the log of $1"
    fi
}

assert_clean_log() {
    if grep -E 'Sanitizer|runtime error:' "$WORK/$1.run/log" >&2; then
        fail "a sanitizer found something in $1"
    fi
}

# assert_cert NAME FILE CN: chains to the server's root, is for a TLS client, has this CN.
assert_cert() {
    openssl verify -purpose sslclient -x509_strict -CAfile "$(root_of "$1")" \
        -untrusted "$WORK/$1/issuing.pem" "$2" >"$WORK/verify" 2>&1 || fail "$(cat "$WORK/verify")"
    subject=$(openssl x509 -in "$2" -noout -subject -nameopt multiline)
    echo "$subject" | grep -q "commonName *= $3\$" || fail "the subject is not $3: $subject"
}

# assert_issued NAME COUNT: so many certificates are in the store.
assert_issued() {
    ctl "$1" --json list >"$WORK/list.json" || fail "scepctl list"
    issued=$(grep -c '"serial":' "$WORK/list.json" || true)
    [ "$issued" -eq "$2" ] || fail "$issued certificates in the store instead of $2"
}
