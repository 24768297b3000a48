#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# sscep while an administrator decides: PENDING (-n 0 ends with 3), approval, -R resumes with
# GetCertInitial.
# shellcheck source=tests/sscep/common.sh
. "$(dirname "$0")/common.sh"

SSCEP_PENDING=3

# decide_on ACTION: approves or denies the one request that waits.
decide_on() {
    ctl site --json pending list >"$WORK/pending.json" || fail "pending list"
    expect 0 ctl site pending "$1" "$(json_text id "$WORK/pending.json")"
}

waits() {
    make_request "$1" ''
    expect "$SSCEP_PENDING" "$SSCEP" enroll -u "$URL" -c "$WORK/ca-0" -k "$WORK/key" \
        -r "$WORK/csr" -l "$WORK/$1.pem" -t 1 -T 30 -n 0
    [ ! -e "$WORK/$1.pem" ] || fail "PENDING left a certificate"
}

make_server site
set_setting site approval.unauthenticated '"pending"'
start_server site
get_ca

say "approved"
waits approved
decide_on approve
expect 0 sscep_enroll "$WORK/approved.pem" -R
assert_cert site "$WORK/approved.pem" approved
assert_log site type=CertPoll decision=issue

say "denied"
waits denied
decide_on deny
expect "$SSCEP_BAD_REQUEST" sscep_enroll "$WORK/denied.pem" -R
assert_issued site 1
