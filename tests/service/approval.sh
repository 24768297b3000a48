#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Requests that wait for an administrator: without a challenge, and genuine phones that are not on
# the device list. Rows 11 and 27 of the phones' behaviour (tests/phone_rows.txt).
# shellcheck source=tests/lib/harness.sh
. "$(dirname "$0")/../lib/harness.sh"

MICS=$WORK/mics
mkdir "$MICS"
"$TOOLS/mic_factory" "$MICS" >"$WORK/mics.log" || fail "mic_factory"
PENDING=6

# asks FOLDER CN OPTION...: a request without a challenge; FOLDER keeps what a poll needs.
asks() {
    asking=$1
    asked_cn=$2
    shift 2
    phone enroll --cn "$asked_cn" --state "$WORK/$asking" --out "$WORK/$asking" "$@"
}

polls() {
    phone poll --state "$WORK/$1" --out "$WORK/$1"
}

# pending_id CN: of the request that waits for this name.
pending_id() {
    ctl site --json pending list >"$WORK/pending.json" || fail "pending list"
    tr '{' '\n' <"$WORK/pending.json" | tr '\n' ' ' | tr '}' '\n' | grep -F "\"$1\"" |
        sed 's/.*"id": "\([^"]*\)".*/\1/'
}

make_server site
set_setting site approval.unauthenticated '"pending"'
set_setting site approval.max_per_source 3
start_server site

say "PENDING, poll, approve, SUCCESS; a second poll gets the same certificate"
expect "$PENDING" asks one CP-9841-SEP000000000001
expect "$PENDING" polls one
id=$(pending_id CP-9841-SEP000000000001)
assert_log site decision=pending "pending=$id"
expect 0 ctl site pending show "$id"
assert_output CP-9841-SEP000000000001 127.0.0.1
expect 0 ctl site pending approve "$id"
expect 0 polls one
assert_cert site "$WORK/one/cert.pem" CP-9841-SEP000000000001
first=$(serial_of "$WORK/one/cert.pem")
expect 0 polls one
[ "$first" = "$(serial_of "$WORK/one/cert.pem")" ] || fail "another certificate for the same poll"
assert_issued site 1

say "denied: FAILURE for the poll, and a new request may wait again"
expect "$PENDING" asks two CP-9841-SEP000000000002
id=$(pending_id CP-9841-SEP000000000002)
expect 0 ctl site pending deny "$id"
expect 3 polls two
assert_log site decision=refuse 'denied by an administrator'
expect 1 ctl site pending approve "$id"

say "a wrong challenge is refused and does not wait"
(umask 077 && echo 00000000000000000000 >"$WORK/wrong-challenge")
expect 3 asks wrong CP-9841-SEP0000000000EE --challenge-file "$WORK/wrong-challenge"
[ -z "$(pending_id CP-9841-SEP0000000000EE)" ] || fail "a wrong challenge waits for approval"

say "row 11: limits per source"
for i in 3 4 5; do
    expect "$PENDING" asks "p$i" "CP-9841-SEP00000000000$i"
done
expect 3 asks p6 CP-9841-SEP000000000006
assert_output 'too many requests wait'
assert_log site decision=refuse 'wait already; allowed: 3'

say "waiting requests are there after a restart"
stop_server site
start_server site
id=$(pending_id CP-9841-SEP000000000003)
expect 0 ctl site pending approve "$id"
expect 0 polls p3

say "row 27: only ours: refused, or waits, as the settings say; with a list entry it is at once"
trust_mics site "$(mic_store cisco-2099 crca2099 hasudi)" "$(mic_store cisco-m2 crcam2 cmca2)"
set_setting site devices.accept '"listed"'
set_setting site approval.max_per_source 20
reload_server site
by_mic() {
    mic=$1
    shift
    phone enroll --mic "$MICS/$mic.pem" --mic-key "$MICS/$mic.key" --state "$WORK/$mic" \
        --out "$WORK/$mic" "$@"
}
expect 3 by_mic phone-9871
assert_log site decision=refuse 'not on the device list' mac=001A2B3C4D5E
set_setting site devices.unlisted '"pending"'
reload_server site
expect "$PENDING" by_mic phone-9871
id=$(pending_id CP-9871-SEP001A2B3C4D5E)
expect 0 ctl site pending approve "$id"
expect 0 polls phone-9871
expect 0 ctl site device add --mac 2C:31:24:C9:F8:E1 --model CP-8861
expect 0 by_mic phone-8861
assert_cert site "$WORK/phone-8861/cert.pem" CP-8861-SEP2C3124C9F8E1
expect 0 ctl site device remove 2c3124c9f8e1
expect "$PENDING" by_mic phone-8861
