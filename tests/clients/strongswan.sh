#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# strongSwan's `pki --scepca` and `pki --scep` (package strongswan-pki).
# shellcheck source=tests/lib/harness.sh
. "$(dirname "$0")/../lib/harness.sh"

# get_ca: pki tells RA, issuing CA and root apart by itself; they are $WORK/{ra,ca,ca-1}.pem.
get_ca() {
    expect 0 pki --scepca --url "$URL" --caout "$WORK/ca.pem" --raout "$WORK/ra.pem" \
        --outform pem --force
}

# pki_scep CHALLENGE CN OUT OPTION...: OUT gets what it prints, a certificate.
pki_scep() {
    pki_challenge=$1
    pki_cn=$2
    pki_out=$3
    shift 3
    pki --scep --url "$URL" --in "$WORK/key.pem" --dn "CN=$pki_cn" \
        --password "$pki_challenge" --cacert-enc "$WORK/ra.pem" --cacert-sig "$WORK/ra.pem" \
        --cacert "$WORK/site/issuing.pem" --cacert "$WORK/site/root.pem" \
        --outform pem "$@" >"$pki_out"
}

# enrolls CN OPTION...
enrolls() {
    cn=$1
    shift
    say "$cn $*"
    new_key
    new_challenge site
    expect 0 pki_scep "$CHALLENGE" "$cn" "$WORK/cert.pem" "$@"
    assert_cert site "$WORK/cert.pem" "$cn"
}

new_key() {
    openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$WORK/key.pem" 2>/dev/null ||
        openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$WORK/key.pem" 2>/dev/null
}

make_server site
start_server site

say "pki --scepca"
get_ca
cmp_certificate() {
    [ "$(openssl x509 -in "$1" -noout -fingerprint)" = "$(openssl x509 -in "$2" -noout -fingerprint)" ] ||
        fail "$1 is not $2"
}
cmp_certificate "$WORK/ra.pem" "$WORK/site/ra.pem"
cmp_certificate "$WORK/ca.pem" "$WORK/site/root.pem"

enrolls swan-aes-sha256 --cipher aes --digest sha256
enrolls swan-aes-sha384 --cipher aes --digest sha384
enrolls swan-aes-sha512 --cipher aes --digest sha512
enrolls swan-3des-sha256 --cipher des3 --digest sha256
enrolls swan-3des-sha512 --cipher des3 --digest sha512
enrolls swan-san --san swan-san.example.net
openssl x509 -in "$WORK/cert.pem" -noout -ext subjectAltName | grep -q swan-san.example.net ||
    fail "no subjectAltName"

say "wrong challenge"
new_key
expect 1 pki_scep 00000000000000000000 swan-wrong "$WORK/none.pem"
assert_output badRequest
say "used-up challenge"
expect 1 pki_scep "$CHALLENGE" swan-again "$WORK/none.pem"
assert_issued site 6
assert_log_count site 6 method=POST decision=issue

say "row 7: renewal by RenewalReq with the old certificate, with a new key and with the same"
stop_server site
issue_for_20_days site
start_server site
new_key
new_challenge site
expect 0 pki_scep "$CHALLENGE" swan-renews "$WORK/old.pem"
cp "$WORK/key.pem" "$WORK/old-key.pem"
issue_for_years site
for key in new same; do
    [ "$key" = same ] || new_key
    [ "$key" = new ] || cp "$WORK/old-key.pem" "$WORK/key.pem"
    expect 0 pki_scep '' swan-renews "$WORK/cert.pem" --cert "$WORK/old.pem" --key "$WORK/old-key.pem"
    assert_cert site "$WORK/cert.pem" swan-renews
    [ "$(serial_of "$WORK/cert.pem")" != "$(serial_of "$WORK/old.pem")" ] || fail "the old one again"
done
assert_log_count site 2 type=RenewalReq signer=ours decision=issue

say "row 4: a manufacturer's certificate as signer, type 17"
mkdir "$WORK/mics"
"$TOOLS/mic_factory" "$WORK/mics" >"$WORK/mics.log" || fail "mic_factory"
trust_mics site "$(mic_store cisco-2099 crca2099 hasudi)"
reload_server site
new_key
expect 0 pki_scep '' CP-9871-SEP001A2B3C4D5E "$WORK/cert.pem" \
    --cert "$WORK/mics/phone-9871.pem" --key "$WORK/mics/phone-9871.key"
assert_cert site "$WORK/cert.pem" CP-9871-SEP001A2B3C4D5E
assert_log site type=RenewalReq signer=mic decision=issue
