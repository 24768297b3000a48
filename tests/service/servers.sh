#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Servers' certificates beside phones': counted apart, never late, never said to renew; and what an
# administrator made is said to be authorised by him.
# shellcheck source=tests/lib/harness.sh
. "$(dirname "$0")/../lib/harness.sh"

HOST=pv.telco.net
PHONE=CP-8841-SEP0000000000A1
umask 077

get() {
    curl -sS --max-time 60 --noproxy '*' -L -o "$WORK/output" "http://$WEB$1" || fail "no answer: $1"
}

make_server site
set_setting site web.listen '"127.0.0.1:0"'
set_setting site servers.domains '["telco.net"]'
start_server site
WEB=$(json_text web "$WORK/status.json")
new_challenge site
expect 0 enroll --cn "$PHONE" --out "$WORK/one"

say "without servers"
expect 0 ctl site status
assert_output "Servers' certificates:  0"

say "a server's certificate of ten days, and a PKCS#12 file"
openssl req -new -newkey rsa:2048 -nodes -keyout "$WORK/pv.key" -out "$WORK/pv.csr" \
    -subj "/CN=$HOST" 2>"$WORK/output" || fail "openssl req"
expect 0 ctl site server-cert sign --days 10 "$WORK/pv.csr" --out "$WORK/pv.pem"
echo extract-me >"$WORK/password"
expect 0 ctl site phone p12 --cn CP-8841-SEP0000000000B2 --password-file "$WORK/password" \
    --out "$WORK/two.p12"

say "counted apart: it is not late"
expect 0 ctl site status
assert_output '2 enrolled: 2 valid (0 due, 0 late)' "Servers' certificates:  1, next ends " "($HOST)"
expect 0 ctl site --json status
assert_output '"next_common_name": "pv.telco.net"'
get /metrics
grep -qxF 'scepd_certificates{state="late"} 0' "$WORK/output" || fail "a phone is late"
grep -qxF 'scepd_certificates{state="ok"} 2' "$WORK/output" || fail "not two phones"
grep -qxF 'scepd_server_certificates{state="ok"} 1' "$WORK/output" || fail "not one server"
grep -q '^scepd_server_certificate_next_expiry_timestamp_seconds [1-9]' "$WORK/output" ||
    fail "no end of the servers' certificates"
expect 0 promtool check metrics <"$WORK/output"
get /
# Ten within its first second.
grep -qE "The certificate of $HOST ends in (9|10) days" "$WORK/output" || fail "no warning"
assert_output "Servers' certificates" \
    '<strong>2</strong> <span>enrolled</span>'
! grep -q 'is late' "$WORK/output" || fail "the page has a late phone"

say "due lists it apart"
expect 0 ctl site due
assert_output '0 due, 0 late' "Servers' certificates, which do not renew by themselves" "$HOST"
expect 0 ctl site --json due
assert_output '"servers": [' "\"common_name\": \"$HOST\""
grep -q '"devices": \[\]' "$WORK/output" || fail "the server is among the phones"
get /due
assert_output 'No phone is due in that time.' "$HOST"

say "no talk of renewals"
for command in log 'device show'; do
    # shellcheck disable=SC2086 # two words
    expect 0 ctl site $command "$HOST"
    assert_output 'not' 'by itself'
    ! grep -q 'renews from' "$WORK/output" || fail "$command says when it renews"
done
get "/device/$HOST"
assert_output 'not by itself'

say "who authorised what"
expect 0 ctl site list
assert_output 'AUTHORISED BY' challenge administrator
! grep -q 'self-signed' "$WORK/output" || fail "self-signed is no authority"
expect 0 ctl site --json show "$HOST"
assert_output '"kind": "server"' '"authorised_by": "administrator"' '"signer": "administrator"'
expect 0 ctl site --json show CP-8841-SEP0000000000B2
assert_output '"kind": "phone"' '"authorised_by": "administrator"' '"signer": "administrator"'
expect 0 ctl site --json show "$PHONE"
assert_output '"authorised_by": "challenge"' '"signer": "self-signed"'
get /certificates
assert_output 'Authorised by' administrator challenge
