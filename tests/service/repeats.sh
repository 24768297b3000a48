#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A phone that repeats its request gets the certificate it was given, not another one: after a lost
# reply, ten times at once, and after scepd was killed between commit and reply.
# shellcheck source=tests/lib/harness.sh
. "$(dirname "$0")/../lib/harness.sh"

prepare() {
    mkdir -p "$WORK/$1"
    expect 0 enroll --prepare --save "$WORK/$1/request" --out "$WORK/$1" --cn "$2"
}

send_again() {
    phone_folder=$1
    shift
    phone enroll --send "$WORK/$phone_folder/request" --key "$WORK/$phone_folder/key.pem" "$@"
}

make_server site
start_server site

say "the same octets, one after the other"
new_challenge site
prepare one CP-9841-SEP000000000001
expect 0 send_again one --repeat 4 --out "$WORK/one"
expect 0 send_again one --get
assert_cert site "$WORK/one/cert.pem" CP-9841-SEP000000000001
assert_issued site 1

say "ten times at once"
new_challenge site
prepare ten CP-9841-SEP000000000002
expect 0 send_again ten --parallel 10
assert_issued site 2

say "another request for the same challenge is refused"
expect 3 enroll --cn CP-9841-SEP000000000002
assert_issued site 2

say "a repeat is answered after a restart"
stop_server site
start_server site
expect 0 send_again one --out "$WORK/again"
[ "$(serial_of "$WORK/one/cert.pem")" = "$(serial_of "$WORK/again/cert.pem")" ] ||
    fail "another certificate after a restart"
stop_server site

say "killed between commit and reply: the repeat gets what was committed"
mkdir "$WORK/faults"
start_server site LD_PRELOAD="$TOOLS/commit_faults.so" COMMIT_FAULTS="$WORK/faults" \
    ASAN_OPTIONS="${ASAN_OPTIONS:-}:verify_asan_link_order=0"
new_challenge site
prepare crash CP-9841-SEP000000000003
touch "$WORK/faults/crash"
expect 4 send_again crash
await_end site "signal 9"
start_server site
assert_issued site 3
expect 0 send_again crash --out "$WORK/crash"
assert_cert site "$WORK/crash/cert.pem" CP-9841-SEP000000000003
ctl site --json list >"$WORK/list.json"
grep -qi "$(serial_of "$WORK/crash/cert.pem")" "$WORK/list.json" || fail "not what was committed"
assert_issued site 3
