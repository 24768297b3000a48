#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# sscep's getcert, getcrl and getnextca.
# shellcheck source=tests/sscep/common.sh
. "$(dirname "$0")/common.sh"

make_server site
set_setting site scep.get_cert true
set_setting site scep.get_crl true
start_server site
get_ca
new_challenge site
make_request phone "$CHALLENGE"
expect 0 sscep_enroll "$WORK/phone.pem"

say "getcert"
expect 0 "$SSCEP" getcert -u "$URL" -c "$WORK/ca-0" -k "$WORK/key" -l "$WORK/phone.pem" \
    -O "$WORK/site/issuing.pem" -s "$(serial_of "$WORK/phone.pem" | sed 's/../&:/g; s/:$//')" -w "$WORK/got.pem"
[ "$(serial_of "$WORK/got.pem")" = "$(serial_of "$WORK/phone.pem")" ] || fail "another certificate"

say "getcrl, before and after a revocation"
getcrl() {
    expect 0 "$SSCEP" getcrl -u "$URL" -c "$WORK/ca-0" -k "$WORK/key" -l "$WORK/phone.pem" \
        -w "$WORK/crl.pem"
    openssl crl -in "$WORK/crl.pem" -noout -text -CAfile "$WORK/site/issuing.pem" >"$WORK/crl.txt" \
        2>"$WORK/crl.verify"
    grep -q 'verify OK' "$WORK/crl.verify" || fail "the CRL's signature does not hold"
}
getcrl
grep -q 'No Revoked Certificates' "$WORK/crl.txt" || fail "not empty"
expect 0 ctl site revoke phone
getcrl
grep -q "$(serial_of "$WORK/phone.pem")" "$WORK/crl.txt" || fail "not in the CRL"

say "getnextca"
expect 95 "$SSCEP" getnextca -u "$URL" -i '' -c "$WORK/next" -C "$WORK/site/root.pem"
expect 0 ctl site ca rollover prepare --root-key "$WORK/site/root.key"
cat "$WORK/site/issuing.pem" "$WORK/site/root.pem" >"$WORK/chain.pem"
expect 0 "$SSCEP" getnextca -u "$URL" -i '' -c "$WORK/next" -C "$WORK/chain.pem"
cat "$WORK"/next* >"$WORK/all.pem"
openssl x509 -in "$WORK/site/generations/next/ca.pem" -noout -serial >"$WORK/serial"
found=
for file in "$WORK"/next*; do
    openssl x509 -in "$file" -noout -serial | cmp -s - "$WORK/serial" && found=1
done
[ -n "$found" ] || fail "the next CA is not among what sscep got"
