#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# OCSP over HTTP, asked by `openssl ocsp` (POST) and as a proxy asks it (GET): good, revoked at once,
# unknown, after a rollover, and what bad questions get.
# shellcheck source=tests/lib/harness.sh
. "$(dirname "$0")/../lib/harness.sh"

# ocsp CERTIFICATE [OPTION...]: asks for a certificate of the present issuing CA.
ocsp() {
    certificate=$1
    shift
    expect 0 openssl ocsp "$@" -issuer "${ISSUER:-$WORK/site/issuing.pem}" -cert "$certificate" \
        -url "http://$ADDRESS/ocsp" -CAfile "$WORK/site/root.pem"
    assert_output "Response verify OK"
}

# by_get FILE: the question in FILE, in base64 behind the path; prints the answer's text.
by_get() {
    question=$(openssl base64 -A -in "$1" | sed 's/+/%2B/g; s/=/%3D/g; s|/|%2F|g')
    curl -s -D "$WORK/headers" -o "$WORK/answer.der" "http://$ADDRESS/ocsp/$question" || fail "GET"
    openssl ocsp -respin "$WORK/answer.der" -issuer "$WORK/site/issuing.pem" \
        -CAfile "$WORK/site/root.pem" -resp_text >"$WORK/output" 2>&1 || fail "$(cat "$WORK/output")"
}

# status_of CURL-OPTION...: the HTTP status.
status_of() {
    curl -s -o "$WORK/answer.der" -w '%{http_code}' "$@"
}

say "the certificate says where to ask"
make_server site
set_setting site phone.ocsp_url '"http://pki.example.net/ocsp"'
start_server site
new_challenge site --cn CP-9871-SEP001A2B3C4D5E
mkdir "$WORK/phone"
expect 0 enroll --out "$WORK/phone" --cn CP-9871-SEP001A2B3C4D5E
[ "$(openssl x509 -in "$WORK/phone/cert.pem" -noout -ocsp_uri)" = http://pki.example.net/ocsp ] ||
    fail "no OCSP address in the certificate"

say "good, by POST, with a nonce and without, by SHA-1 and SHA-256"
ocsp "$WORK/phone/cert.pem"
assert_output "cert.pem: good"
ocsp "$WORK/phone/cert.pem" -no_nonce -sha256
assert_output "cert.pem: good"
assert_log site operation=OCSP status=200 method=POST

say "good, by GET, to be kept for a while"
expect 0 openssl ocsp -issuer "$WORK/site/issuing.pem" -cert "$WORK/phone/cert.pem" -no_nonce \
    -reqout "$WORK/question.der"
by_get "$WORK/question.der"
assert_output "Cert Status: good" "Response verify OK"
grep -qi '^content-type: application/ocsp-response' "$WORK/headers" || fail "content type"
grep -qi '^cache-control: max-age=3600,public,no-transform,must-revalidate' "$WORK/headers" ||
    fail "cache: $(cat "$WORK/headers")"
assert_log site operation=OCSP status=200 method=GET

say "an RA's certificate is no phone's"
ocsp "$WORK/site/ra.pem"
assert_output "ra.pem: unknown"

say "revoked at once"
serial=$(serial_of "$WORK/phone/cert.pem")
expect 0 ctl site revoke "$serial" --reason keyCompromise
ocsp "$WORK/phone/cert.pem"
assert_output "cert.pem: revoked" "Reason: keyCompromise"

say "bad questions"
printf 'no question' >"$WORK/garbage"
[ "$(status_of --data-binary "@$WORK/garbage" "http://$ADDRESS/ocsp")" = 200 ] || fail "garbage"
openssl ocsp -respin "$WORK/answer.der" -text -noverify >"$WORK/output" 2>&1 || true
assert_output "malformedrequest"
assert_log site operation=OCSP reason=malformedRequest
[ "$(status_of "http://$ADDRESS/ocsp")" = 400 ] || fail "nothing"
[ "$(status_of "http://$ADDRESS/ocsp/%21%21")" = 400 ] || fail "no base64"
[ "$(status_of -X POST "http://$ADDRESS/ocsp")" = 400 ] || fail "an empty POST"
[ "$(status_of -X PUT "http://$ADDRESS/ocsp")" = 405 ] || fail "PUT"
head -c 5000 /dev/zero >"$WORK/long"
[ "$(status_of --data-binary "@$WORK/long" "http://$ADDRESS/ocsp")" = 413 ] || fail "too long"
[ "$(status_of "http://$ADDRESS/ocspx")" = 400 ] || fail "another path"
expect 1 openssl ocsp -issuer "$WORK/site/root.pem" -cert "$WORK/site/issuing.pem" \
    -url "http://$ADDRESS/ocsp" -CAfile "$WORK/site/root.pem"
assert_output unauthorized

say "SCEP on this path stays SCEP"
[ "$(status_of "http://$ADDRESS/ocsp?operation=GetCACaps")" = 200 ] || fail "GetCACaps"
grep -q POSTPKIOperation "$WORK/answer.der" || fail "no capabilities"

say "after a rollover the old CA's certificates are answered for, too"
new_challenge site --cn CP-9871-SEP001A2B3C4D60
mkdir "$WORK/old"
expect 0 enroll --out "$WORK/old" --cn CP-9871-SEP001A2B3C4D60
expect 0 ctl site ca rollover prepare --root-key "$WORK/site/root.key"
expect 0 ctl site ca rollover activate
assert_log site event=reloaded
ISSUER=$WORK/site/issuing.pem
ocsp "$WORK/old/cert.pem"
assert_output "cert.pem: good"
new_challenge site --cn CP-9871-SEP001A2B3C4D61
mkdir "$WORK/new"
expect 0 enroll --out "$WORK/new" --cn CP-9871-SEP001A2B3C4D61
ISSUER=$WORK/site/generations/current/ca.pem
ocsp "$WORK/new/cert.pem"
assert_output "cert.pem: good"
stop_server site
