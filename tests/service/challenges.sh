#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Who gets a certificate: only who brings a good challenge, for the name it is bound to, once.
# The phone is told badRequest each time, the log says why.
# shellcheck source=tests/lib/harness.sh
. "$(dirname "$0")/../lib/harness.sh"

# refused STATE PHONE-OPTION...: the phone is refused; the log names the challenge's state.
refused() {
    state=$1
    shift
    cn=CP-8845-SEP00000000000$refusals
    refusals=$((refusals + 1))
    expect 3 phone enroll --cn "$cn" "$@"
    assert_output badRequest
    assert_log site "$cn" "challenge=$state"
}
refusals=1

make_server site
start_server site

say "row 6: absent, empty, wrong"
refused absent
refused absent --challenge ""
refused wrong --challenge 00000000000000000000

say "row 6: right; then it is used up"
new_challenge site
expect 0 enroll --cn CP-8845-SEP001122334455 --out "$WORK/phone"
assert_cert site "$WORK/phone/cert.pem" CP-8845-SEP001122334455
refused used_up --challenge-file "$CHALLENGE_FILE"

say "several uses"
new_challenge site --uses 2
expect 0 enroll
expect 0 enroll
refused used_up --challenge-file "$CHALLENGE_FILE"

say "bound to another CN or MAC"
new_challenge site --cn CP-9871-SEP00AABBCCDDEE
refused foreign --challenge-file "$CHALLENGE_FILE"
expect 0 enroll --cn CP-9871-SEP00AABBCCDDEE
new_challenge site --mac 00:aa:bb:cc:dd:01
refused foreign --challenge-file "$CHALLENGE_FILE"
expect 0 enroll --cn CP-9871-SEP00AABBCCDD01

say "a name in the subjectAltName is bound, too"
new_challenge site --cn CP-9871-SEP00AABBCCDD02
expect 3 enroll --cn CP-9871-SEP00AABBCCDD02 --san-dns CP-9871-SEP00AABBCCDD03
expect 0 enroll --cn CP-9871-SEP00AABBCCDD02 --san-dns CP-9871-SEP00AABBCCDD02.example.net

say "revoked"
new_challenge site
expect 0 ctl site challenge revoke "$CHALLENGE_ID"
refused revoked --challenge-file "$CHALLENGE_FILE"
expect 0 ctl site challenge list
assert_output "$CHALLENGE_ID" revoked

say "every string type"
for type in utf8 printable t61 bmp ia5; do
    new_challenge site
    expect 0 enroll --challenge-type "$type"
done
assert_issued site 11

say "a static challenge is good for all, and the log warns of it"
stop_server site
(umask 077 && echo "static-secret-1" >"$WORK/static")
set_setting site challenge.static_file "\"$WORK/static\""
start_server site
assert_log site static
CHALLENGE_FILE=$WORK/static
expect 0 enroll
expect 0 enroll
