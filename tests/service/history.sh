#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The history: `scepctl log` tells the story of one phone across a restart and a kill -9, `scepctl
# watch` shows events as they happen, `scepctl status` what was refused and why.
# shellcheck source=tests/lib/harness.sh
. "$(dirname "$0")/../lib/harness.sh"

PHONE=CP-9841-SEP0000000000C1
MAC=0000000000C1
WATCH_SEC=120 # longest life of a `watch` here
TRIES_MAX=200 # refusals until a `watch` has seen some

# refused CN: a request with a wrong challenge.
refused() {
    expect 3 phone enroll --cn "$1" --challenge-file "$WORK/wrong"
}

# story WORD...: the events of the phone are these and no others, oldest first.
story() {
    expect 0 ctl site log "$PHONE"
    sed '/^Now:/,$d' "$WORK/output" | awk '{ print $2 }' >"$WORK/words"
    echo "$@" | tr ' ' '\n' | cmp -s - "$WORK/words" ||
        fail "the story is $(tr '\n' ' ' <"$WORK/words") and not $*"
}

# await_story WORD...: the same within seconds: refusals are written once a second.
await_story() {
    tries=0
    until (story "$@") 2>"$WORK/ignored"; do
        tries=$((tries + 1))
        [ "$tries" -lt 40 ] || story "$@"
        sleep 0.25
    done
}

# line_says WORD TEXT...: the line of that event, in the output, has these texts.
line_says() {
    event=$1
    shift
    awk -v event="$event" '$2 == event' "$WORK/output" >"$WORK/line"
    for text in "$@"; do
        grep -qF -- "$text" "$WORK/line" || fail "$event does not say $text: $(cat "$WORK/line")"
    done
}

# watch_begin FILE OPTION...: a watch of its own, which has shown something; sets WATCHER.
watch_begin() {
    watched=$1
    shift
    timeout --signal=KILL "$WATCH_SEC" \
        "$BIN/scepctl" -c "$WORK/site/scepd.conf" "$@" >"$watched" 2>"$WORK/watch.errors" &
    WATCHER=$!
    tries=0
    until [ -s "$watched" ]; do
        tries=$((tries + 1))
        [ "$tries" -lt "$TRIES_MAX" ] || fail "watch shows nothing: $(cat "$WORK/watch.errors")"
        refused CP-9841-SEP0000000000FF
        sleep 0.1
    done
}

watch_end() {
    status=0
    wait "$WATCHER" || status=$?
    [ "$status" -eq 0 ] || fail "watch ended with $status: $(cat "$WORK/watch.errors")"
}

make_server site
set_setting site challenge.failures_per_minute 0
issue_for_20_days site
start_server site
(umask 077 && echo 00000000000000000000 >"$WORK/wrong")

say "a phone that nobody knows"
expect 1 ctl site log "$PHONE"
assert_output "no phone \"$PHONE\""

say "refused, enrolled, renewed, revoked, and refused again"
refused "$PHONE"
new_challenge site --cn "$PHONE"
expect 0 enroll --cn "$PHONE" --out "$WORK/phone"
first=$(serial_of "$WORK/phone/cert.pem")
issue_for_years site
expect 0 phone renew --cert "$WORK/phone/cert.pem" --cert-key "$WORK/phone/key.pem" \
    --out "$WORK/phone"
second=$(serial_of "$WORK/phone/cert.pem")
expect 0 ctl site revoke "$second" --reason keyCompromise
expect 3 phone renew --cert "$WORK/phone/cert.pem" --cert-key "$WORK/phone/key.pem" \
    --out "$WORK/phone"
await_story refused challenge_made issued renewed revoked refused

say "each event says what, by what, why and from where"
line_says refused wrong_challenge 'wrong challenge password' badRequest 'from 127.0.0.1' \
    certificate_revoked
line_says challenge_made "one-time challenge $CHALLENGE_ID" 'by administrator'
line_says issued "certificate $first" "one-time challenge $CHALLENGE_ID" 'by challenge' \
    'from 127.0.0.1'
line_says renewed "certificate $second" "renews $first" 'by renewal'
line_says revoked "certificate $second" keyCompromise 'by administrator'
expect 0 ctl site log "$PHONE"
assert_output 'Now: certificate revoked, which would have ended at' 'Its renewal will fail'
! grep -q 'renews from' "$WORK/output" || fail "a revoked certificate renews"
if grep -qF "$CHALLENGE" "$WORK/output"; then
    fail "the story has the challenge"
fi

say "by MAC it is the same story, by JSON too; no colours in a file"
expect 0 ctl site log "$PHONE"
cp "$WORK/output" "$WORK/story"
expect 0 ctl site log 00:00:00:00:00:c1
cmp -s "$WORK/story" "$WORK/output" || fail "another story by MAC"
if grep -q "$(printf '\033')" "$WORK/output"; then
    fail "colours in a file"
fi
expect 0 ctl site --json log "$MAC"
assert_output '"event": "renewed"' '"reason": "certificate_revoked"' '"state": "revoked"'

say "a restart keeps the story, and what was refused in the last day"
stop_server site
start_server site
story refused challenge_made issued renewed revoked refused
expect 0 ctl site status
assert_output wrong_challenge certificate_revoked

say "kill -9 keeps what was issued before the answer"
new_challenge site
expect 0 enroll --cn "$PHONE" --out "$WORK/again"
kill_server site
start_server site
story refused challenge_made issued renewed revoked refused issued
expect 0 ctl site log "$PHONE"
assert_output 'Now: certificate ok' "$(serial_of "$WORK/again/cert.pem")"

say "watch shows events as they happen, until it is interrupted"
watch_begin "$WORK/watched" watch
new_challenge site
expect 0 enroll --cn CP-9841-SEP0000000000C2
"$TOOLS/await" "$WORK/watched" 1 "$LOG_SEC" ' issued ' CP-9841-SEP0000000000C2 ||
    fail "watch does not show what was issued"
kill -INT "$(cat "/proc/$WATCHER/task/$WATCHER/children")"
watch_end
grep -q "challenge_made .*one-time challenge $CHALLENGE_ID" "$WORK/watched" ||
    fail "watch does not show the challenge"

say "watch --limit ends by itself; JSON lines; of one phone only"
watch_begin "$WORK/lines" --json watch --limit 1
watch_end
[ "$(wc -l <"$WORK/lines")" -eq 1 ] || fail "not one line"
grep -q '^{"id":[0-9]*,"at":".*"event":"refused".*}$' "$WORK/lines" || fail "no JSON line"
timeout --signal=KILL "$WATCH_SEC" "$BIN/scepctl" -c "$WORK/site/scepd.conf" \
    watch "$PHONE" --limit 2 >"$WORK/one" 2>"$WORK/watch.errors" &
WATCHER=$!
tries=0
while kill -0 "$WATCHER" 2>"$WORK/ignored"; do
    tries=$((tries + 1))
    [ "$tries" -lt "$TRIES_MAX" ] || fail "watch of one phone does not end"
    refused CP-9841-SEP0000000000FF
    refused "$PHONE"
    sleep 0.1
done
watch_end
[ "$(grep -c "$PHONE" "$WORK/one")" -eq 2 ] || fail "watch of one phone: $(cat "$WORK/one")"

say "watch lives through a restart of scepd, says so once, and misses nothing"
watch_begin "$WORK/outlived" watch
stop_server site
"$TOOLS/await" "$WORK/watch.errors" 1 "$LOG_SEC" 'scepd does not answer; asking again' ||
    fail "watch does not say that scepd is away: $(cat "$WORK/watch.errors")"
start_server site
new_challenge site
expect 0 enroll --cn CP-9841-SEP0000000000C3
"$TOOLS/await" "$WORK/outlived" 1 "$LOG_SEC" ' issued ' CP-9841-SEP0000000000C3 ||
    fail "watch does not go on after a restart"
kill -INT "$(cat "/proc/$WATCHER/task/$WATCHER/children")"
watch_end
[ "$(cat "$WORK/watch.errors")" = "scepctl: scepd does not answer; asking again each second
scepctl: scepd answers again" ] || fail "watch said: $(cat "$WORK/watch.errors")"
[ "$(grep -c "challenge_made .*one-time challenge $CHALLENGE_ID" "$WORK/outlived")" -eq 1 ] ||
    fail "watch shows an event twice, or not at all"
stop_server site
expect 1 ctl site watch
assert_output 'cannot reach scepd'
start_server site

say "wrong words"
expect 2 ctl site log
expect 2 ctl site watch --limit 0
assert_output '--limit'
