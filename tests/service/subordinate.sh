#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# CAs that scepctl init does not make alone: one that exists, one that an outside CA signs in two
# steps, a root that is offline until the next issuing CA; and every mistake in what it is given.
# shellcheck source=tests/lib/harness.sh
. "$(dirname "$0")/../lib/harness.sh"

CA_EXTENSIONS='basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign, digitalSignature'
FUTURE_DAYS=3000

# make_root NAME [DIGEST]: an outside root, as an administrator makes one with openssl.
make_root() {
    openssl req -x509 -newkey rsa:2048 -noenc -keyout "$WORK/$1.key" -out "$WORK/$1.pem" \
        -subj "/O=Outside/CN=Outside Root $1" -days "$FUTURE_DAYS" "-${2:-sha256}" \
        -addext 'keyUsage = critical, keyCertSign, cRLSign' 2>"$WORK/openssl" ||
        fail "openssl req: $(cat "$WORK/openssl")"
}

# make_csr NAME [KEY-OPTION...]: a key and a request for it.
make_csr() {
    csr_name=$1
    shift
    [ $# -gt 0 ] || set -- rsa:2048
    openssl req -new -newkey "$@" -noenc -keyout "$WORK/$csr_name.key" -out "$WORK/$csr_name.csr" \
        -subj "/O=Outside/CN=Outside $csr_name" 2>"$WORK/openssl" ||
        fail "openssl req: $(cat "$WORK/openssl")"
}

# sign CSR ISSUER OUT EXTENSIONS [OPTION...]: as the CA $WORK/ISSUER.
sign() {
    sign_csr=$1
    sign_issuer=$2
    sign_out=$3
    printf '%s\n' "$4" >"$WORK/extensions"
    shift 4
    openssl x509 -req -in "$sign_csr" -CA "$WORK/$sign_issuer.pem" -CAkey "$WORK/$sign_issuer.key" \
        -extfile "$WORK/extensions" -out "$sign_out" -days 2000 "$@" 2>"$WORK/openssl" ||
        fail "openssl x509: $(cat "$WORK/openssl")"
}

# enrolls NAME CHAIN: a phone, whose certificate verifies up to the outside root.
enrolls() {
    new_challenge "$1"
    expect 0 enroll --cn CP-9841-SEP00AA00AA00AA --out "$WORK/$1.phone"
    openssl verify -x509_strict -CAfile "$WORK/outer.pem" -untrusted "$2" \
        "$WORK/$1.phone/cert.pem" >"$WORK/verify" 2>&1 || fail "$(cat "$WORK/verify")"
}

# refused TEXT OPTION...: scepctl init in a new folder says so and leaves nothing.
refused() {
    text=$1
    shift
    expect 2 "$BIN/scepctl" init "$WORK/none" --listen 127.0.0.1:0 "$@"
    assert_output "$text"
    [ ! -e "$WORK/none" ] || fail "a refused init left something: $*"
}

make_root outer
make_root other
make_csr policy
sign "$WORK/policy.csr" outer "$WORK/policy.pem" "$CA_EXTENSIONS"
make_csr ca
sign "$WORK/ca.csr" policy "$WORK/ca.pem" "$CA_EXTENSIONS"
cat "$WORK/outer.pem" "$WORK/policy.pem" >"$WORK/chain.pem" # in any order

say "a CA that exists, two below its root"
make_server existing --existing-ca "$WORK/ca.pem" --key "$WORK/ca.key" --chain "$WORK/chain.pem"
cmp -s "$WORK/ca.key" "$WORK/existing/issuing.key" || fail "the key was not copied"
[ ! -e "$WORK/existing/root.key" ] || fail "a root key that nobody gave"
grep -q "$(openssl x509 -in "$WORK/outer.pem" -noout -fingerprint -sha1 | sed 's/.*=//')" \
    "$WORK/existing.init" || fail "not the outside root's fingerprint"
start_server existing
FINGERPRINT=$(openssl x509 -in "$WORK/outer.pem" -noout -fingerprint -sha256 | sed 's/.*=//; s/://g')
cat "$WORK/existing/issuing.pem" "$WORK/existing/root.pem" >"$WORK/untrusted.pem"
enrolls existing "$WORK/untrusted.pem"
curl -sS --fail --max-time 20 --noproxy '*' -o "$WORK/root.der" "http://$ADDRESS/root.cer" ||
    fail "no root certificate"
openssl x509 -inform DER -in "$WORK/root.der" -out "$WORK/root.got"
cmp -s "$WORK/root.got" "$WORK/outer.pem" || fail "/root.cer is not the outside root"
stop_server existing

say "one that is its own root, with an EC key behind a passphrase"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -keyout "$WORK/own.key" \
    -passout pass:correct-horse -out "$WORK/own.pem" -subj "/CN=Own Root" -days "$FUTURE_DAYS" \
    -addext 'keyUsage = critical, keyCertSign, cRLSign, digitalSignature' 2>"$WORK/openssl" ||
    fail "openssl req: $(cat "$WORK/openssl")"
(umask 077 && echo correct-horse >"$WORK/pin" && echo wrong >"$WORK/wrong-pin")
refused "own.key" --existing-ca "$WORK/own.pem" --key "$WORK/own.key"
refused "own.key" --existing-ca "$WORK/own.pem" --key "$WORK/own.key" --pin-file "$WORK/wrong-pin"
make_server own --existing-ca "$WORK/own.pem" --key "$WORK/own.key" --pin-file "$WORK/pin"
[ ! -e "$WORK/own/root.pem" ] || fail "a root beside one that is its own"
start_server own
new_challenge own
expect 0 enroll --out "$WORK/own.phone"
stop_server own

say "one that answers SCEP itself"
make_server direct --direct
make_server direct2 --direct --existing-ca "$WORK/direct/issuing.pem" --key "$WORK/direct/issuing.key"
start_server direct2
new_challenge direct2
expect 0 enroll --out "$WORK/direct.phone"
stop_server direct2
refused "keyEncipherment" --direct --existing-ca "$WORK/outer.pem" --key "$WORK/outer.key"

say "a CA that may not sign CRLs is taken with a warning"
make_csr nocrl
sign "$WORK/nocrl.csr" outer "$WORK/nocrl.pem" 'basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign'
expect 0 "$BIN/scepctl" init "$WORK/nocrl" --listen 127.0.0.1:0 --existing-ca "$WORK/nocrl.pem" \
    --key "$WORK/nocrl.key" --chain "$WORK/outer.pem"
assert_output "lacks cRLSign" "lacks digitalSignature"
start_server nocrl
FINGERPRINT=$(root_fingerprint nocrl)
new_challenge nocrl
expect 0 enroll --out "$WORK/nocrl.phone"
stop_server nocrl

say "a CA that another one signs, in two steps"
expect 0 "$BIN/scepctl" init "$WORK/sub" --subordinate --organization Example --ca-key rsa:3072
assert_output issuing.csr issuing.key "--subordinate --certificate FILE --chain FILE" \
    "basicConstraints CA:TRUE" "keyUsage keyCertSign, cRLSign, digitalSignature"
openssl req -in "$WORK/sub/issuing.csr" -verify -noout -text >"$WORK/request.txt" 2>&1 ||
    fail "the request does not verify"
for text in 'O = Example, CN = SCEP Issuing CA' 'CA:TRUE, pathlen:0' \
    'Digital Signature, Certificate Sign, CRL Sign'; do
    grep -qF "$text" "$WORK/request.txt" || fail "the request lacks: $text"
done
[ ! -e "$WORK/sub/scepd.conf" ] || fail "settings before there is a certificate"

half_done() {
    cp -a "$WORK/sub" "$WORK/before"
    expect "$@"
    diff -r "$WORK/before" "$WORK/sub" >"$WORK/diff" || fail "something changed: $(cat "$WORK/diff")"
    rm -r "$WORK/before"
}
for options in "" "--subordinate" "--existing-ca $WORK/ca.pem --key $WORK/ca.key"; do
    # shellcheck disable=SC2086 # options are words
    half_done 1 "$BIN/scepctl" init "$WORK/sub" $options
    assert_output "waits for its certificate"
done
finish() {
    half_done 2 "$BIN/scepctl" init "$WORK/sub" --listen 127.0.0.1:0 --subordinate \
        --certificate "$@"
}
sign "$WORK/sub/issuing.csr" policy "$WORK/sub.pem" "$CA_EXTENSIONS, keyAgreement"
sign "$WORK/sub/issuing.csr" policy "$WORK/leaf.pem" 'basicConstraints = critical, CA:FALSE'
sign "$WORK/sub/issuing.csr" policy "$WORK/no-sign.pem" 'basicConstraints = critical, CA:TRUE
keyUsage = critical, cRLSign'
sign "$WORK/sub/issuing.csr" other "$WORK/stray.pem" "$CA_EXTENSIONS"
finish "$WORK/ca.pem" --chain "$WORK/chain.pem"
assert_output "not that of the certificate"
finish "$WORK/leaf.pem" --chain "$WORK/chain.pem"
assert_output "not a CA's"
finish "$WORK/no-sign.pem" --chain "$WORK/chain.pem"
assert_output "keyCertSign"
finish "$WORK/sub.pem" --chain "$WORK/outer.pem"
assert_output "chain is not complete" "SCEP Issuing CA"
finish "$WORK/sub.pem" --chain "$WORK/policy.pem"
assert_output "chain is not complete" "Outside policy"
finish "$WORK/sub.pem"
assert_output "chain is not complete"
finish "$WORK/stray.pem" --chain "$WORK/chain.pem"
assert_output "chain is not complete"
finish "$WORK/nothing.pem" --chain "$WORK/chain.pem"
assert_output "nothing.pem"
finish "$WORK/sub.pem" --chain "$WORK/pin"
assert_output "$WORK/pin"
finish "$WORK/sub.pem" --chain "$WORK/chain.pem" --static-challenge-file "$WORK/nothing"
assert_output "--static-challenge-file"
half_done 2 "$BIN/scepctl" init "$WORK/sub" --subordinate --certificate "$WORK/sub.pem" \
    --key "$WORK/ca.key"
assert_output "contradict"

make_server sub --subordinate --certificate "$WORK/sub.pem" --chain "$WORK/chain.pem"
start_server sub
FINGERPRINT=$(openssl x509 -in "$WORK/outer.pem" -noout -fingerprint -sha256 | sed 's/.*=//; s/://g')
cat "$WORK/sub/issuing.pem" "$WORK/sub/root.pem" >"$WORK/untrusted.pem"
enrolls sub "$WORK/untrusted.pem"
expect 2 ctl sub ca rollover prepare
assert_output "Outside policy" "--root-key"
expect 0 ctl sub ca rollover prepare --root-key "$WORK/policy.key"
stop_server sub
for options in "" "--subordinate" "--subordinate --certificate $WORK/sub.pem"; do
    # shellcheck disable=SC2086 # options are words
    expect 1 "$BIN/scepctl" init "$WORK/sub" $options
    assert_output "exists already"
done
mkdir -m 700 "$WORK/empty"
expect 1 "$BIN/scepctl" init "$WORK/empty" --subordinate --certificate "$WORK/sub.pem"
assert_output "no issuing.csr"

say "what no CA may be"
refused "not that of the certificate" --existing-ca "$WORK/ca.pem" --key "$WORK/policy.key" \
    --chain "$WORK/chain.pem"
refused "chain is not complete" --existing-ca "$WORK/ca.pem" --key "$WORK/ca.key"
refused "$WORK/chain.none" --existing-ca "$WORK/ca.pem" --key "$WORK/ca.key" \
    --chain "$WORK/chain.none"
refused "--key: cannot find" --existing-ca "$WORK/ca.pem" --key "$WORK/none.key"
refused "$WORK/pin" --existing-ca "$WORK/pin" --key "$WORK/ca.key"
refused "$WORK/pin" --existing-ca "$WORK/ca.pem" --key "$WORK/pin" --chain "$WORK/chain.pem"
sign "$WORK/ca.csr" policy "$WORK/gone.pem" "$CA_EXTENSIONS" -days -1
refused "expired" --existing-ca "$WORK/gone.pem" --key "$WORK/ca.key" --chain "$WORK/chain.pem"
make_csr tight
sign "$WORK/tight.csr" outer "$WORK/tight.pem" "$(echo "$CA_EXTENSIONS" | sed 's/TRUE/TRUE, pathlen:0/')"
sign "$WORK/ca.csr" tight "$WORK/deep.pem" "$CA_EXTENSIONS"
cat "$WORK/outer.pem" "$WORK/tight.pem" >"$WORK/tight-chain.pem"
refused "path length" --existing-ca "$WORK/deep.pem" --key "$WORK/ca.key" \
    --chain "$WORK/tight-chain.pem"
sign "$WORK/ca.csr" policy "$WORK/sha1.pem" "$CA_EXTENSIONS" -sha1
refused "too weak" --existing-ca "$WORK/sha1.pem" --key "$WORK/ca.key" --chain "$WORK/chain.pem"
sign "$WORK/policy.csr" outer "$WORK/gone-policy.pem" "$CA_EXTENSIONS" -days -1
cat "$WORK/outer.pem" "$WORK/gone-policy.pem" >"$WORK/gone-chain.pem"
refused "expired" --existing-ca "$WORK/ca.pem" --key "$WORK/ca.key" --chain "$WORK/gone-chain.pem"
for kind in rsa:1024 "ec -pkeyopt ec_paramgen_curve:P-521" ed25519; do
    # shellcheck disable=SC2086 # a kind may have options
    make_csr odd $kind
    sign "$WORK/odd.csr" outer "$WORK/odd.pem" "$CA_EXTENSIONS"
    refused "a CA key of type" --existing-ca "$WORK/odd.pem" --key "$WORK/odd.key" \
        --chain "$WORK/outer.pem"
done
refused "must be its own root" --existing-ca "$WORK/ca.pem" --key "$WORK/ca.key" \
    --chain "$WORK/chain.pem" --direct
for options in "--existing-ca $WORK/ca.pem" "--existing-ca $WORK/ca.pem --key x --tiers 1" \
    "--subordinate --tiers 2" "--subordinate --direct" "--certificate $WORK/ca.pem" \
    "--chain $WORK/chain.pem" "--pin-file $WORK/pin" "--key x --ca-key rsa:2048"; do
    # shellcheck disable=SC2086 # options are words
    refused "--" $options
done

say "a root key that is offline: everything works, and it comes back for the next issuing CA"
make_server site
mkdir "$WORK/offline"
mv "$WORK/site/root.key" "$WORK/offline/root.key"
start_server site
new_challenge site
expect 0 enroll --cn CP-9841-SEP000000000001 --out "$WORK/first"
expect 0 ctl site revoke CP-9841-SEP000000000001
stop_server site
start_server site
expect 2 ctl site ca rollover prepare
assert_output "SCEP Root CA" "--root-key"
expect 2 ctl site ca rollover prepare --root-key "$WORK/site/root.key"
assert_output "root.key"
expect 2 ctl site ca rollover prepare --root-key "$WORK/site/issuing.key"
assert_output "not that of the root's certificate"
[ -z "$(ls -A "$WORK/site/generations")" ] || fail "a refused prepare left something"
expect 0 ctl site ca rollover prepare --root-key "$WORK/offline/root.key"
rm -r "$WORK/offline"
expect 0 phone getnextca --out "$WORK/next"
expect 0 ctl site ca rollover activate
stop_server site
start_server site
new_challenge site
expect 0 enroll --cn CP-9841-SEP000000000002 --out "$WORK/second"
openssl verify -x509_strict -CAfile "$WORK/site/root.pem" \
    -untrusted "$WORK/site/generations/current/ca.pem" "$WORK/second/cert.pem" >/dev/null ||
    fail "the new issuing CA's certificate does not verify"
