#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# No secret in a log, in another process's memory or in the store: challenges and the CA's key.
# shellcheck source=tests/lib/harness.sh
. "$(dirname "$0")/../lib/harness.sh"

# Looks for the CA's key in scepd, and, to see that the looking works, in scepd-ca.
scan_memory() {
    say "$1: the CA's key is in scepd-ca and not in scepd"
    expect 3 "$TOOLS/memory_scan" "$(child_of "$PID")" "$WORK/$1/issuing.key"
    expect 0 "$TOOLS/memory_scan" "$PID" "$WORK/$1/issuing.key"
    say "$1: the RA's key is in scepd and not in scepd-ca"
    expect 3 "$TOOLS/memory_scan" "$PID" "$WORK/$1/ra.key"
    expect 0 "$TOOLS/memory_scan" "$(child_of "$PID")" "$WORK/$1/ra.key"
}

(umask 077 && echo "static-secret-phrase" >"$WORK/static")
make_server rsa --static-challenge-file "$WORK/static"
set_setting rsa log.level '"debug"'
start_server rsa
scan_memory rsa

new_challenge rsa
secret=$CHALLENGE
expect 3 phone enroll --challenge "wrong-$secret"
expect 3 phone enroll --challenge "static-secret-phrase-and-more"
expect 0 enroll
expect 3 enroll
new_challenge rsa --cn somebody-else
foreign=$CHALLENGE
expect 3 enroll
CHALLENGE_FILE=$WORK/static
expect 0 enroll
scan_memory rsa

say "challenges are not in the log, not in the lists, and only as a hash in the store"
expect 0 ctl rsa --json challenge list
for text in "$secret" "$foreign" static-secret-phrase; do
    assert_not_logged rsa "$text"
    ! grep -qF "$text" "$WORK/output" || fail "a challenge is in the list"
    ! grep -rqaF "$text" "$WORK/rsa/store" || fail "a challenge is in the store"
done
stop_server rsa

make_server ec --ca-key ec:P-256 --tiers 1
start_server ec
scan_memory ec
new_challenge ec
expect 0 enroll
scan_memory ec
