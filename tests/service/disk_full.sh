#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A full disk stops issuing with 503, keeps everything else alive, and is over when there is room
# again, without a restart. No certificate leaves that is not on disk.
# shellcheck source=tests/lib/harness.sh
. "$(dirname "$0")/../lib/harness.sh"

make_server site
mkdir "$WORK/faults"
start_server site LD_PRELOAD="$TOOLS/commit_faults.so" COMMIT_FAULTS="$WORK/faults" \
    ASAN_OPTIONS="${ASAN_OPTIONS:-}:verify_asan_link_order=0"
new_challenge site --uses 3
expect 0 enroll

say "the disk is full: 503, and the administrator is told"
touch "$WORK/faults/full"
mkdir "$WORK/phone"
expect 4 enroll --save "$WORK/phone/request" --out "$WORK/phone" --cn CP-9841-SEP0000000000F1
assert_output 503
assert_log site status=503 decision=unavailable level=error
expect 1 ctl site challenge new

say "reading goes on"
assert_issued site 1
expect 0 ctl site status

say "there is room again: the same request is served"
rm "$WORK/faults/full"
expect 0 phone enroll --send "$WORK/phone/request" --key "$WORK/phone/key.pem" --out "$WORK/phone"
assert_cert site "$WORK/phone/cert.pem" CP-9841-SEP0000000000F1
assert_issued site 2
expect 0 enroll
assert_issued site 3
expect 3 enroll
