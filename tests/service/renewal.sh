#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Renewal with the installed certificate. Rows 7, 9 and 10 of the phones' behaviour (tests/phone_rows.txt);
# what needs another clock (expiry, grace) is in tests/unit/server/test_enroll*.c.
# shellcheck source=tests/lib/harness.sh
. "$(dirname "$0")/../lib/harness.sh"

# installed FOLDER CN: a phone with a certificate.
installed() {
    new_challenge site
    expect 0 enroll --cn "$2" --out "$WORK/$1"
}

# renews FOLDER OPTION...: what the phone in FOLDER has is replaced.
renews() {
    renewing=$1
    shift
    phone renew --cert "$WORK/$renewing/cert.pem" --cert-key "$WORK/$renewing/key.pem" \
        --out "$WORK/$renewing" "$@"
}

make_server site
issue_for_20_days site
start_server site
installed one CP-9841-SEP000000000001
installed two CP-9841-SEP000000000002
installed three CP-9841-SEP000000000003
installed four CP-9841-SEP000000000004
installed early CP-9841-SEP0000000000AA

say "too early: the same key gets the present certificate again, another key is refused"
before=$(serial_of "$WORK/early/cert.pem")
expect 0 renews early --same-key
[ "$before" = "$(serial_of "$WORK/early/cert.pem")" ] || fail "a new certificate too early"
expect 3 renews early --new-key
assert_log site decision=refuse 'too early'
assert_output badRequest

say "row 7: RenewalReq and PKCSReq, new key and old, no challenge"
issue_for_years site
for type in 17 19; do
    for key in --new-key --same-key; do
        before=$(serial_of "$WORK/one/cert.pem")
        cp -r "$WORK/one" "$WORK/old"
        expect 0 renews one --type "$type" "$key"
        [ "$before" != "$(serial_of "$WORK/one/cert.pem")" ] || fail "no new certificate: $type $key"
        assert_cert site "$WORK/one/cert.pem" CP-9841-SEP000000000001
        # Back to the one that is about to end: the new one would be too early.
        rm -r "$WORK/one" && mv "$WORK/old" "$WORK/one"
    done
done
assert_log site decision=issue signer=ours type=RenewalReq
assert_log site decision=issue signer=ours type=PKCSReq

say "a challenge that is there and wrong is ignored; strict counts it"
(umask 077 && echo 00000000000000000000 >"$WORK/wrong")
expect 0 renews two --challenge-file "$WORK/wrong"
set_setting site renewal.challenge '"strict"'
reload_server site
expect 3 renews three --challenge-file "$WORK/wrong"
expect 0 renews three

say "row 7: another name is refused, a revoked certificate too"
cp -r "$WORK/four" "$WORK/other"
expect 3 renews other --cn CP-9841-SEP0000000000FF
assert_log site decision=refuse 'not those of the signer'
expect 0 ctl site revoke "$(serial_of "$WORK/four/cert.pem")" --reason keyCompromise
expect 3 renews four
assert_log site decision=refuse 'was revoked'

say "row 9: the initial enrolment that follows works"
installed four CP-9841-SEP000000000004

say "row 10: any change brings another request: five for one name"
for i in 1 2 3 4 5; do
    installed five CP-9841-SEP0000000000BB
done

say "the history of a phone, and who is due"
expect 0 ctl site device show CP-9841-SEP000000000001
assert_output renewal
expect 0 ctl site due --days 30
assert_output CP-9841-SEP0000000000AA
