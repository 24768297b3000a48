#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A new issuing CA under the same root, without touching a phone: prepared, announced by
# GetNextCACert, used by who encrypts to its RA, activated; the old RA's key still decrypts and the
# old CA signs its CRL. The same for a single CA.
# shellcheck source=tests/lib/harness.sh
. "$(dirname "$0")/../lib/harness.sh"

issuer_key_id() {
    openssl x509 -in "$1" -noout -ext authorityKeyIdentifier | tail -n 1 | tr -d ' :' | sed 's/keyid//'
}

# generation NAME: certificate of CURRENT, NEXT... by its symbolic link.
generation() {
    echo "$WORK/$1/generations/$2/ca.pem"
}

key_id() {
    openssl x509 -in "$1" -noout -ext subjectKeyIdentifier | tail -n 1 | tr -d ' :'
}

# issued_by FILE CA-FILE
assert_issued_by() {
    [ "$(issuer_key_id "$1")" = "$(key_id "$2")" ] || fail "$1 was not issued by $2"
}

enrolls() {
    new_challenge "$1"
    cn=$2
    shift 2
    expect 0 enroll --cn "$cn" "$@"
}

has_capability() {
    curl -sS --max-time 20 --noproxy '*' "$URL?operation=GetCACaps" | grep -qx GetNextCACert
}

make_server site
start_server site
enrolls site CP-9841-SEP000000000001 --out "$WORK/before"
assert_issued_by "$WORK/before/cert.pem" "$WORK/site/issuing.pem"

say "without a next CA there is no GetNextCACert"
expect 4 phone getnextca
! has_capability || fail "GetNextCACert is announced without a next CA"
expect 1 ctl site ca rollover activate
expect 0 ctl site ca rollover status

say "prepare"
expect 0 ctl site ca rollover prepare --root-key "$WORK/site/root.key"
next=$(generation site next)
[ -e "$next" ] || fail "no next CA"
has_capability || fail "GetNextCACert is not announced"
expect 0 phone getnextca --out "$WORK/next"
expect 1 ctl site ca rollover prepare --root-key "$WORK/site/root.key"
expect 0 ctl site ca rollover status
assert_output G2

say "the answer, read by OpenSSL's CMS"
curl -sS --max-time 20 --noproxy '*' -o "$WORK/next.der" "$URL?operation=GetNextCACert"
openssl cms -verify -inform DER -in "$WORK/next.der" -CAfile "$WORK/site/root.pem" \
    -certfile "$WORK/site/issuing.pem" -purpose any -out "$WORK/inner.der" 2>"$WORK/cms" ||
    fail "openssl cms: $(cat "$WORK/cms")"
openssl pkcs7 -inform DER -in "$WORK/inner.der" -print_certs -out "$WORK/inner.pem" ||
    fail "the content is no PKCS#7"
grep -q G2 "$WORK/inner.pem" || fail "the next CA is not in the content"

say "encrypted to the present RA: the present CA; to the next RA: the next CA"
enrolls site CP-9841-SEP000000000002 --out "$WORK/present"
assert_issued_by "$WORK/present/cert.pem" "$WORK/site/issuing.pem"
enrolls site CP-9841-SEP000000000003 --out "$WORK/shadow" --next "$WORK/next/next.pem"
assert_issued_by "$WORK/shadow/cert.pem" "$next"
openssl verify -x509_strict -CAfile "$WORK/site/root.pem" -untrusted "$next" \
    "$WORK/shadow/cert.pem" >/dev/null || fail "the next CA's certificate does not chain to the root"

say "a request made before the switch, for the RA of that time"
new_challenge site
mkdir "$WORK/late"
expect 0 enroll --prepare --save "$WORK/late/request" --out "$WORK/late" --cn CP-9841-SEP000000000004

say "activate"
expect 0 ctl site ca rollover activate
! has_capability || fail "GetNextCACert is announced after the switch"
enrolls site CP-9841-SEP000000000005 --out "$WORK/after"
assert_issued_by "$WORK/after/cert.pem" "$(generation site current)"
cp "$(generation site current)" "$WORK/now.pem"
expect 0 phone enroll --send "$WORK/late/request" --key "$WORK/late/key.pem" --out "$WORK/late"
assert_issued_by "$WORK/late/cert.pem" "$WORK/now.pem"

say "both CAs have their CRL, and each certificate is revoked in its own"
expect 0 ctl site revoke CP-9841-SEP000000000001
expect 0 ctl site revoke CP-9841-SEP000000000005
name_of() {
    openssl x509 -in "$1" -noout -pubkey | openssl pkey -pubin -outform DER | openssl sha256 -r |
        cut -c 1-16
}
for ca in "$WORK/site/issuing.pem:$WORK/before" "$WORK/now.pem:$WORK/after"; do
    curl -sS --fail --max-time 20 --noproxy '*' -o "$WORK/crl.der" \
        "http://$ADDRESS/crl/$(name_of "${ca%%:*}").crl" || fail "no CRL of ${ca%%:*}"
    openssl crl -inform DER -in "$WORK/crl.der" -noout -text -CAfile "${ca%%:*}" >"$WORK/crl.txt" \
        2>"$WORK/crl.verify"
    grep -q 'verify OK' "$WORK/crl.verify" || fail "the CRL's signature does not hold"
    [ "$(grep -c 'Serial Number:' "$WORK/crl.txt")" -eq 1 ] || fail "not one entry"
    grep -q "$(serial_of "${ca#*:}/cert.pem")" "$WORK/crl.txt" || fail "the wrong entry"
done

say "all of it after a restart"
stop_server site
start_server site
enrolls site CP-9841-SEP000000000006 --out "$WORK/restarted"
assert_issued_by "$WORK/restarted/cert.pem" "$WORK/now.pem"
expect 0 ctl site ca rollover status

say "one tier: the next CA is a new root"
stop_server site
make_server single --tiers 1
start_server single
expect 0 ctl single ca rollover prepare
expect 0 phone getnextca --out "$WORK/next-root"
expect 0 ctl single ca rollover activate
FINGERPRINT=$(openssl x509 -in "$(generation single current)" -noout -fingerprint -sha256 |
    sed 's/.*=//; s/://g')
enrolls single CP-9841-SEP000000000007 --out "$WORK/single-after"
