#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Topology direct: one certificate, the CA's own, answers SCEP; its key stays with scepd-ca.
# shellcheck source=tests/lib/harness.sh
. "$(dirname "$0")/../lib/harness.sh"

make_server site --direct
start_server site

say "GetCACert is one bare certificate"
curl -sS --max-time 20 --noproxy '*' -D "$WORK/head" -o "$WORK/ca.der" "$URL?operation=GetCACert"
grep -qi '^content-type: application/x-x509-ca-cert' "$WORK/head" || fail "wrong type"
openssl x509 -inform DER -in "$WORK/ca.der" -noout -text >"$WORK/ca.txt" || fail "no certificate"
grep -q 'Digital Signature, Key Encipherment, Certificate Sign, CRL Sign' "$WORK/ca.txt" ||
    fail "wrong key usage"
[ ! -e "$WORK/site/ra.key" ] || fail "there is an RA key"

say "enrolment, a repeat, refusals, renewal"
new_challenge site
expect 0 enroll --cn CP-9841-SEP000000000001 --out "$WORK/one"
assert_cert site "$WORK/one/cert.pem" CP-9841-SEP000000000001
expect 3 enroll --cn CP-9841-SEP000000000002
expect 0 phone renew --same-key --cert "$WORK/one/cert.pem" --cert-key "$WORK/one/key.pem" \
    --out "$WORK/one"
new_challenge site
expect 0 enroll --get --cn CP-9841-SEP000000000003 --out "$WORK/three"
assert_log site event=ca_unwrap
assert_log site event=ca_seal

say "the CA's key is not in scepd"
scepd_pid=$(cat "$WORK/site.run/pid")
expect 0 "$TOOLS/memory_scan" "$scepd_pid" "$WORK/site/issuing.key"
expect 3 "$TOOLS/memory_scan" "$(child_of "$scepd_pid")" "$WORK/site/issuing.key"

say "above the rate: 503, and then it goes on"
set_setting site ca.direct_per_sec 1
reload_server site
new_challenge site
mkdir "$WORK/crowd"
expect 0 enroll --prepare --save "$WORK/crowd/request" --out "$WORK/crowd" --cn CP-9841-SEP000000000101
# As many as that at once, each of which has to be opened: more than one in a second on any machine.
status=0
phone enroll --send "$WORK/crowd/request" --key "$WORK/crowd/key.pem" --parallel 40 \
    >"$WORK/output" 2>&1 || status=$?
[ "$status" -ne 0 ] || fail "never above the rate"
assert_log site event=ca_refuse question=unwrap ca.direct_per_sec
