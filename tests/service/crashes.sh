#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# kill -9 of either program leaves no process behind, and a restart works.
# shellcheck source=tests/lib/harness.sh
. "$(dirname "$0")/../lib/harness.sh"

make_server site
start_server site
new_challenge site --uses 3
expect 0 enroll --out "$WORK/first"

say "kill -9 of scepd ends scepd-ca"
kill_server site

say "a restart serves what was committed"
start_server site
assert_issued site 1
expect 0 enroll --out "$WORK/second"

say "kill -9 of scepd-ca ends scepd with exit status 1"
kill -KILL "$(child_of "$PID")"
await_end site "exit 1"

say "a restart works"
start_server site
expect 0 enroll --out "$WORK/third"
assert_cert site "$WORK/third/cert.pem" 'CP-9841-SEP[0-9A-F]\{12\}'
assert_issued site 3

say "a scepd-ca that cannot start keeps scepd from starting"
stop_server site
mv "$WORK/site/issuing.key" "$WORK/site/issuing.key.away"
expect 2 "$BIN/scepd" -c "$WORK/site/scepd.conf"
echo "this is no key" >"$WORK/site/issuing.key"
expect 1 timeout "$START_SEC" "$BIN/scepd" -c "$WORK/site/scepd.conf"
