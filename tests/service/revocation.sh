#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# CRLs: there from the start, new at once after a revocation, served over HTTP and by GetCRL; GetCert;
# the certificates at the AIA paths. Row 15 of the phones' behaviour (tests/phone_rows.txt).
# shellcheck source=tests/lib/harness.sh
. "$(dirname "$0")/../lib/harness.sh"

fetch() {
    curl -sS --fail --max-time 20 --noproxy '*' -D "$WORK/head" -o "$2" "http://$ADDRESS$1"
}

# crl_text: the CRL at its path as text, in $WORK/crl.txt.
crl_text() {
    fetch /test.crl "$WORK/crl.der" || fail "no CRL"
    openssl crl -inform DER -in "$WORK/crl.der" -noout -text -CAfile "$WORK/site/issuing.pem" \
        >"$WORK/crl.txt" 2>"$WORK/crl.verify" || fail "openssl cannot read the CRL"
    grep -q 'verify OK' "$WORK/crl.verify" || fail "the CRL's signature does not hold"
}

crl_number() {
    sed -n '/X509v3 CRL Number/{n;s/ *//p;}' "$WORK/crl.txt"
}

# tls_says FILE: what a TLS server that checks the CRL says of a client with FILE/cert.pem.
verify_with_crl() {
    openssl crl -inform DER -in "$WORK/crl.der" -out "$WORK/crl.pem"
    openssl verify -purpose sslclient -x509_strict -crl_check -CAfile "$WORK/site/root.pem" \
        -untrusted "$WORK/site/issuing.pem" -CRLfile "$WORK/crl.pem" "$1/cert.pem"
}

make_server site
set_setting site http.crl_path '"/test.crl"'
set_setting site http.ca_path '"/ca.cer"'
set_setting site phone.crl_url '"http://pki.example.net/test.crl"'
set_setting site phone.ca_url '"http://pki.example.net/ca.cer"'
set_setting site scep.get_crl true
set_setting site scep.get_cert true
start_server site

say "row 15: the certificate is for EAP-TLS and no CA, and says where the CRL is"
new_challenge site
expect 0 enroll --cn CP-9841-SEP000000000001 --out "$WORK/one"
openssl x509 -in "$WORK/one/cert.pem" -noout -text >"$WORK/one.txt"
for text in 'TLS Web Client Authentication' 'Digital Signature, Key Encipherment' 'CA:FALSE' \
    'URI:http://pki.example.net/test.crl' 'CA Issuers - URI:http://pki.example.net/ca.cer'; do
    grep -qF "$text" "$WORK/one.txt" || fail "the certificate does not say $text"
done

say "the first CRL is empty, v2, with AKI and number"
crl_text
grep -qi '^content-type: application/pkix-crl' "$WORK/head" || fail "wrong type of the CRL"
grep -q 'Version 2' "$WORK/crl.txt" || fail "not version 2"
grep -q 'Authority Key Identifier' "$WORK/crl.txt" || fail "no AKI"
grep -q 'No Revoked Certificates' "$WORK/crl.txt" || fail "not empty"
number=$(crl_number)
expect 0 verify_with_crl "$WORK/one"

say "after a revocation the next one is there at once"
expect 0 ctl site revoke CP-9841-SEP000000000001 --reason cessationOfOperation
crl_text
grep -q "Serial Number: $(serial_of "$WORK/one/cert.pem")" "$WORK/crl.txt" || fail "not in the CRL"
grep -q 'Cessation Of Operation' "$WORK/crl.txt" || fail "no reason in the CRL"
[ $(($(crl_number))) -gt $((number)) ] || fail "CRLNumber did not grow"
expect 2 verify_with_crl "$WORK/one"
assert_output revoked
expect 1 ctl site revoke CP-9841-SEP000000000001
assert_output 'is revoked already, since 2'
expect 2 ctl site revoke CP-9841-SEP000000000001 --reason bored

say "re-enrolment after that"
new_challenge site
expect 0 enroll --cn CP-9841-SEP000000000001 --out "$WORK/again"
expect 0 verify_with_crl "$WORK/again"

say "GetCRL and GetCert"
expect 0 phone getcrl --cert "$WORK/again/cert.pem" --cert-key "$WORK/again/key.pem" --out "$WORK/got"
expect 0 phone getcert --cert "$WORK/again/cert.pem" --cert-key "$WORK/again/key.pem" --out "$WORK/got"
set_setting site scep.get_crl false
set_setting site scep.get_cert false
reload_server site
expect 3 phone getcrl --cert "$WORK/again/cert.pem" --cert-key "$WORK/again/key.pem"
expect 3 phone getcert --cert "$WORK/again/cert.pem" --cert-key "$WORK/again/key.pem"

say "CA and root at their paths"
fetch /ca.cer "$WORK/ca.der"
fetch /root.cer "$WORK/root.der"
openssl x509 -in "$WORK/site/issuing.pem" -outform DER | cmp - "$WORK/ca.der" || fail "not the CA"
openssl x509 -in "$WORK/site/root.pem" -outform DER | cmp - "$WORK/root.der" || fail "not the root"
expect 22 fetch /nothing.crl "$WORK/nothing"

say "CRLs survive a restart; the number goes on"
number=$(crl_number)
stop_server site
start_server site
crl_text
[ $(($(crl_number))) -ge $((number)) ] || fail "CRLNumber went back"
