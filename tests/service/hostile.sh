#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The simulated phone's list of bad input: each is answered as it must be, nothing crashes, hangs or
# issues, and afterwards a good phone is served.
# shellcheck source=tests/lib/harness.sh
. "$(dirname "$0")/../lib/harness.sh"

mkdir "$WORK/mics"
"$TOOLS/mic_factory" "$WORK/mics" >"$WORK/mics.log" || fail "mic_factory"
make_server site
trust_mics site "$(mic_store cisco-2099 crca2099 hasudi)" "$(mic_store spa spa-ca '')"
set_setting site challenge.failures_per_minute 0
start_server site
new_challenge site --uses 1000
"$BIN/phone" hostile list >"$WORK/cases"
[ "$(wc -l <"$WORK/cases")" -ge 100 ] || fail "the list of bad input is short"
for method in --post --get; do
    say "bad input by ${method#--}"
    expect 0 phone hostile all "$method" --challenge-file "$CHALLENGE_FILE" --mic-dir "$WORK/mics"
done

say "row 11: after all of it a good phone is served"
expect 0 enroll --out "$WORK/phone"
ctl site --json status >"$WORK/status.json"
grep -q '"ca_answering": true' "$WORK/status.json" || fail "scepd-ca does not answer any more"
