#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# sscep's renewal (-K and -O): PKCSReq signed with the old certificate, under the transactionID of
# the first enrolment when the key is the same.
# shellcheck source=tests/sscep/common.sh
. "$(dirname "$0")/common.sh"

# installs NAME: key and certificate NAME.key, NAME.pem; $WORK/csr stays what it was made with.
installs() {
    new_challenge site
    make_request "$1" "$CHALLENGE"
    expect 0 sscep_enroll "$WORK/$1.pem"
    cp "$WORK/key" "$WORK/$1.key"
    cp "$WORK/csr" "$WORK/$1.csr"
}

make_server site
issue_for_20_days site
start_server site
get_ca
installs same
installs new
issue_for_years site

say "the same key, the very same PKCS#10"
cp "$WORK/same.key" "$WORK/key"
cp "$WORK/same.csr" "$WORK/csr"
expect 0 sscep_enroll "$WORK/renewed.pem" -K "$WORK/same.key" -O "$WORK/same.pem"
assert_cert site "$WORK/renewed.pem" same
[ "$(serial_of "$WORK/renewed.pem")" != "$(serial_of "$WORK/same.pem")" ] || fail "the old one again"
assert_log site decision=issue type=PKCSReq signer=ours

say "a lost answer: the same certificate again"
expect 0 sscep_enroll "$WORK/again.pem" -K "$WORK/same.key" -O "$WORK/same.pem"
[ "$(serial_of "$WORK/renewed.pem")" = "$(serial_of "$WORK/again.pem")" ] || fail "another one"

say "row 7: a new key, without a challenge"
make_request new ''
expect 0 sscep_enroll "$WORK/renewed.pem" -K "$WORK/new.key" -O "$WORK/new.pem"
assert_cert site "$WORK/renewed.pem" new

say "too early: refused with a new key"
make_request new ''
cp "$WORK/renewed.pem" "$WORK/early.pem"
expect "$SSCEP_BAD_REQUEST" sscep_enroll "$WORK/none.pem" -K "$WORK/same.key" -O "$WORK/again.pem"
assert_issued site 4
