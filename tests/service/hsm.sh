#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Keys in a token (SoftHSM2) by PKCS#11 URI: of a new CA, of one that exists, of the next one, of the
# root and of the RA; RSA and EC; many signatures at once; a wrong PIN and a token that is gone.
# shellcheck source=tests/lib/harness.sh
. "$(dirname "$0")/../lib/harness.sh"

PIN=473821
MAC=0

export SOFTHSM2_CONF="$WORK/softhsm2.conf"
mkdir "$WORK/tokens" "$WORK/no-tokens"
{
    echo "directories.tokendir = $WORK/tokens"
    echo "objectstore.backend = file"
    echo "log.level = ERROR"
} >"$SOFTHSM2_CONF"
sed "s|/tokens|/no-tokens|" "$SOFTHSM2_CONF" >"$WORK/no-tokens.conf"
(umask 077 && echo "$PIN" >"$WORK/pin" && echo 111111 >"$WORK/wrong-pin")

# key_of LABEL: its URI.
key_of() {
    echo "pkcs11:token=scepd;object=$1;type=private"
}

# make_key LABEL KIND...: inside the token.
make_key() {
    label=$1
    shift
    p11tool --batch --login --set-pin "$PIN" --label "$label" --outfile "$WORK/$label.pub" \
        "$@" 'pkcs11:token=scepd' >"$WORK/p11tool" 2>&1 || fail "p11tool: $(cat "$WORK/p11tool")"
}

# enrolls NAME OUT: a phone of its own.
enrolls() {
    MAC=$((MAC + 1))
    new_challenge "$1"
    expect 0 enroll --cn "CP-9841-SEP$(printf '%012d' "$MAC")" --out "$WORK/$2"
}

# assert_crl NAME CA-FILE: the CRL of this CA is there and signed by it.
assert_crl() {
    crl_name=$(openssl x509 -in "$2" -noout -pubkey | openssl pkey -pubin -outform DER |
        openssl sha256 -r | cut -c 1-16)
    curl -sS --fail --max-time 20 --noproxy '*' -o "$WORK/crl.der" \
        "http://$ADDRESS/crl/$crl_name.crl" || fail "no CRL of $2"
    openssl crl -inform DER -in "$WORK/crl.der" -noout -CAfile "$2" >"$WORK/verify" 2>&1 ||
        fail "$(cat "$WORK/verify")"
    grep -q 'verify OK' "$WORK/verify" || fail "the CRL's signature does not hold"
}

# with_engine COMMAND...: openssl with the token.
with_engine() {
    tool=$1
    shift
    openssl "$tool" -engine pkcs11 "$@" >"$WORK/openssl" 2>&1 ||
        fail "openssl $tool: $(cat "$WORK/openssl")"
}

# does_not_start NAME TEXT...: scepd ends by itself and says so.
does_not_start() {
    name=$1
    shift
    got=0
    timeout "$START_SEC" "$BIN/scepd" -c "$WORK/$name/scepd.conf" >"$WORK/output" 2>&1 || got=$?
    if [ "$got" -eq 0 ] || [ "$got" -ge 99 ]; then
        fail "scepd ended with $got"
    fi
    assert_output "$@"
    ! grep -qF "$PIN" "$WORK/output" || fail "the PIN is in the log"
}

softhsm2-util --init-token --free --label scepd --pin "$PIN" --so-pin 000000 >"$WORK/softhsm" ||
    fail "softhsm2-util"
make_key ca-rsa --generate-privkey=rsa --bits=2048
make_key ca-ec --generate-privkey=ecdsa --curve=secp256r1
make_key ca-ec384 --generate-privkey=ecdsa --curve=secp384r1
make_key root-rsa --generate-privkey=rsa --bits=3072
make_key ra-rsa --generate-privkey=rsa --bits=2048
make_key weak --generate-privkey=rsa --bits=1024

say "mistakes leave nothing"
refused() {
    expect 2 "$BIN/scepctl" init "$WORK/none" --listen 127.0.0.1:0 "$@"
    [ ! -e "$WORK/none" ] || fail "a refused init left something"
}
refused --key "$(key_of ca-rsa)" --pin-file "$WORK/wrong-pin"
assert_output "PIN incorrect"
refused --key "$(key_of ca-rsa)"
assert_output "without a PIN"
refused --key "$(key_of nobody)" --pin-file "$WORK/pin"
assert_output "object=nobody" "object not found"
refused --key "$(key_of weak)" --pin-file "$WORK/pin"
assert_output "rsa:1024"
refused --key "$(key_of ca-rsa)" --pin-file "$WORK/no-such-pin"
assert_output "--pin-file: cannot find"
refused --key "pkcs11:token=scepd;object=ca-rsa?pin-value=$PIN"
assert_output "--pin-file"
refused --key "$(key_of ca-ec)" --pin-file "$WORK/pin" --direct
assert_output "clients encrypt to it"
(
    SOFTHSM2_CONF=$WORK/no-tokens.conf
    refused --key "$(key_of ca-rsa)" --pin-file "$WORK/pin"
) || exit 1
assert_output "no private key can be read from a token"

say "a new issuing CA whose RSA key is in the token"
make_server site --key "$(key_of ca-rsa)" --pin-file "$WORK/pin"
[ ! -e "$WORK/site/issuing.key" ] || fail "a CA key in a file"
start_server site
enrolls site first
assert_cert site "$WORK/first/cert.pem" CP-9841-SEP000000000001
assert_crl site "$WORK/site/issuing.pem"
expect 0 ctl site revoke CP-9841-SEP000000000001
assert_crl site "$WORK/site/issuing.pem"

say "many at once"
new_challenge site --uses 60
expect 0 phone bench --phones 60 --connections 12 --challenge-file "$CHALLENGE_FILE"

say "a backup says that the CA's key is not in it"
expect 0 ctl site backup "$WORK/site.backup"
assert_output "Not in it: the key that ca.key names, which is in a token" \
    "Not in it: $WORK/site/root.key, the root's key" "  $WORK/site/ca.pin" "  $WORK/site/ra.key" \
    "The CA's key is not among them"
if grep -q 'can be this CA' "$WORK/output"; then
    fail "a backup without the CA's key is said to be the CA"
fi

say "the next CA's EC key is in the token, too; announced by the RSA key"
expect 0 ctl site ca rollover prepare --root-key "$WORK/site/root.key" \
    --key "$(key_of ca-ec)" --key-pin-file "$WORK/pin"
expect 0 phone getnextca --out "$WORK/next"
expect 0 ctl site ca rollover activate
enrolls site second
current=$WORK/site/generations/current/ca.pem
[ -e "$WORK/site/generations/current/key.uri" ] || fail "no URI beside the next CA"
openssl verify -x509_strict -CAfile "$WORK/site/root.pem" -untrusted "$current" \
    "$WORK/second/cert.pem" >/dev/null || fail "the EC CA's certificate does not verify"
assert_crl site "$current"
assert_crl site "$WORK/site/issuing.pem"

say "and one of P-384, announced by the EC key; read again, and after a restart"
expect 0 ctl site ca rollover prepare --root-key "$WORK/site/root.key" \
    --key "$(key_of ca-ec384)" --key-pin-file "$WORK/pin"
expect 0 phone getnextca --out "$WORK/next2"
reload_server site
expect 0 ctl site ca rollover status
assert_output G2 G3
stop_server site
start_server site
enrolls site third
assert_not_logged site "$PIN"
stop_server site

say "a CA that exists, with its key in the token"
make_server existing --existing-ca "$WORK/site/issuing.pem" --chain "$WORK/site/root.pem" \
    --key "$(key_of ca-rsa)" --pin-file "$WORK/pin"
start_server existing
enrolls existing fourth
assert_crl existing "$WORK/existing/issuing.pem"
stop_server existing

say "a wrong PIN, no PIN and no token"
cp "$WORK/wrong-pin" "$WORK/existing/ca.pin"
does_not_start existing "object=ca-rsa" "PIN incorrect"
: >"$WORK/existing/ca.pin"
does_not_start existing "without a PIN"
cp "$WORK/pin" "$WORK/existing/ca.pin"
(
    SOFTHSM2_CONF=$WORK/no-tokens.conf
    does_not_start existing "no private key can be read from a token"
) || exit 1
start_server existing
enrolls existing fifth

say "the RA's key in the token, too"
stop_server existing
with_engine req -new -keyform engine -key "$(key_of ra-rsa)" \
    -passin "file:$WORK/pin" -subj "/CN=Token RA" -out "$WORK/ra.csr"
printf '%s\n' 'basicConstraints = critical, CA:FALSE' \
    'keyUsage = critical, digitalSignature, keyEncipherment' >"$WORK/ra.ext"
with_engine x509 -req -in "$WORK/ra.csr" -CA "$WORK/existing/issuing.pem" -CAkeyform engine \
    -CAkey "$(key_of ca-rsa)" -passin "file:$WORK/pin" -days 300 -extfile "$WORK/ra.ext" \
    -out "$WORK/existing/ra.pem"
set_setting existing ra.key "\"$(key_of ra-rsa)\""
set_setting existing ra.pin_file "\"$WORK/pin\""
rm "$WORK/existing/ra.key"
start_server existing
enrolls existing sixth
new_challenge existing --uses 20
expect 0 phone bench --phones 20 --connections 6 --challenge-file "$CHALLENGE_FILE"
stop_server existing

say "a root whose key is in the token signs the next issuing CA"
with_engine req -x509 -new -keyform engine -key "$(key_of root-rsa)" -passin "file:$WORK/pin" \
    -subj "/CN=Token Root" -days 3000 -addext 'keyUsage = critical, keyCertSign, cRLSign' \
    -out "$WORK/root.pem"
expect 0 "$BIN/scepctl" init "$WORK/below" --subordinate --ca-key ec:P-256
printf '%s\n' 'basicConstraints = critical, CA:TRUE, pathlen:0' \
    'keyUsage = critical, keyCertSign, cRLSign, digitalSignature' >"$WORK/ca.ext"
with_engine x509 -req -in "$WORK/below/issuing.csr" -CA "$WORK/root.pem" -CAkeyform engine \
    -CAkey "$(key_of root-rsa)" -passin "file:$WORK/pin" -days 2000 -extfile "$WORK/ca.ext" \
    -out "$WORK/below.pem"
make_server below --subordinate --certificate "$WORK/below.pem" --chain "$WORK/root.pem"
start_server below
expect 2 ctl below ca rollover prepare
assert_output "--root-key"
expect 2 ctl below ca rollover prepare --root-key "$(key_of root-rsa)" \
    --root-pin-file "$WORK/wrong-pin"
assert_output "PIN incorrect"
expect 2 ctl below ca rollover prepare --root-key "$(key_of root-rsa)?pin-value=$PIN"
assert_output "--root-pin-file"
expect 2 ctl below ca rollover prepare --root-key "$(key_of ca-rsa)" --root-pin-file "$WORK/pin"
assert_output "not that of the root's certificate"
expect 0 ctl below ca rollover prepare --root-key "$(key_of root-rsa)" --root-pin-file "$WORK/pin"
expect 0 phone getnextca --out "$WORK/below-next"
expect 0 ctl below ca rollover activate
enrolls below seventh
openssl verify -x509_strict -CAfile "$WORK/root.pem" \
    -untrusted "$WORK/below/generations/current/ca.pem" "$WORK/seventh/cert.pem" >/dev/null ||
    fail "the certificate of the CA under the token's root does not verify"
