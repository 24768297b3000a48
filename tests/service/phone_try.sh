#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# scepctl phone try against a real scepd: what it says when all is well, and of each thing that an
# administrator gets wrong.
# shellcheck source=tests/lib/harness.sh
. "$(dirname "$0")/../lib/harness.sh"

TRIAL_PHONE=CP-9871-SEP000000000000
MICS=$WORK/mics
mkdir "$MICS"
"$TOOLS/mic_factory" "$MICS" >"$WORK/mics.log" || fail "mic_factory"

# try STATUS OPTION...: at $URL with the right fingerprint.
try() {
    wanted_status=$1
    shift
    expect "$wanted_status" "$BIN/scepctl" phone try "$URL" --fingerprint "$FINGERPRINT" "$@"
}

# try_at STATUS URL FINGERPRINT OPTION...
try_at() {
    wanted_status=$1
    shift
    at=$1
    pinned=$2
    shift 2
    expect "$wanted_status" "$BIN/scepctl" phone try "$at" --fingerprint "$pinned" "$@"
}

assert_no() {
    if grep -q "^$1" "$WORK/output"; then
        fail "a line of \"$1\" that should not be there: $(grep "^$1" "$WORK/output")"
    fi
}

make_server site
trust_mics site "$(mic_store cisco-2099 crca2099 hasudi)"
start_server site

say "a dry look: all is well, and the server has nothing of it"
try 0
assert_no problem
assert_no warning
assert_output "ok       HTTP: $ADDRESS answers" 'ok       GetCACaps: AES' \
    'ok       GetCACert: 3 certificates as application/x-x509-ca-ra-cert' \
    'has the given SHA-256 fingerprint' 'all certificates lead to the root' 'stopped here'
assert_issued site 0
assert_log_count site 0 decision=

say "a bare address, fingerprints in other forms"
colons=$(openssl x509 -in "$(root_of site)" -noout -fingerprint -sha256 | sed 's/.*=//')
sha1=$(openssl x509 -in "$(root_of site)" -noout -fingerprint -sha1 | sed 's/.*=//; s/://g')
try_at 0 "$ADDRESS" "$colons"
assert_no warning
assert_output "asked as http://$ADDRESS/cgi-bin/pkiclient.exe"
try_at 0 "$ADDRESS" "$(openssl x509 -in "$(root_of site)" -noout -fingerprint -sha256)"
assert_output 'has the given SHA-256 fingerprint'
try_at 0 "$ADDRESS" "$(root_of site)"
assert_output 'has the given SHA-256 fingerprint'
try_at 0 "http://$ADDRESS" "$sha1"
assert_output 'has the given SHA-1 fingerprint'

say "a challenge: a certificate, which is kept"
new_challenge site
try 0 --challenge-file "$CHALLENGE_FILE" --out "$WORK/out"
assert_no problem
assert_no warning
assert_output 'answer: SUCCESS, 1 certificate, encrypted with AES-128-CBC' \
    "certificate: \"CN=$TRIAL_PHONE\"" 'certificate: leads to the root' 'renewal: from' \
    "key and certificates are in $WORK/out"
assert_cert site "$WORK/out/cert.pem" "$TRIAL_PHONE"
openssl x509 -in "$WORK/out/cert.pem" -noout -pubkey >"$WORK/pub1"
openssl pkey -in "$WORK/out/key.pem" -pubout >"$WORK/pub2"
cmp "$WORK/pub1" "$WORK/pub2" || fail "the key is not the certificate's"
[ "$(grep -c BEGIN "$WORK/out/ca-certs.pem")" -eq 3 ] || fail "ca-certs.pem"
for file in key.pem cert.pem ca-certs.pem; do
    [ "$(stat -c %a "$WORK/out/$file")" = 600 ] || fail "mode of $file"
done
assert_issued site 1

say "a folder that has these files already is refused before anybody is asked"
new_challenge site
try 2 --challenge-file "$CHALLENGE_FILE" --out "$WORK/out"
assert_output 'exists already'
assert_issued site 1

say "by --challenge, with a warning; another CN, with macros"
# shellcheck disable=SC2016 # a phone's macro
try 0 --challenge "$CHALLENGE" --cn 'SEP$MAU'
assert_output 'warning: everybody on this machine can see --challenge' \
    'certificate: "CN=SEP000000000000"'
say "from standard input"
new_challenge site
"$BIN/scepctl" phone try "$URL" --fingerprint "$FINGERPRINT" --challenge-file - --cn from-stdin \
    <"$CHALLENGE_FILE" >"$WORK/output" 2>&1 || fail "--challenge-file -"
assert_output 'certificate: "CN=from-stdin"'
assert_issued site 3

say "a wrong challenge"
echo 'not-the-challenge' >"$WORK/wrong"
try 1 --challenge-file "$WORK/wrong" --out "$WORK/refused"
assert_output 'problem  answer: FAILURE, failInfo 2 (badRequest)' 'shows an input screen'
if grep -qF not-the-challenge "$WORK/output"; then
    fail "the challenge was printed"
fi
[ ! -e "$WORK/refused" ] || fail "a refused trial left a folder"
assert_log site decision=refuse fail_info=badRequest

say "a MIC: the phone's own name; one that the server does not trust"
try 0 --mic "$MICS/phone-9871.pem" --key "$MICS/phone-9871.key"
assert_output 'MIC: "' 'signed by the MIC' 'certificate: "' 'CN=CP-9871-SEP001A2B3C4D5E' \
    "manufacturer's certificate again"
try 1 --mic "$MICS/forged-9871.pem" --mic-key "$MICS/forged-9871.key"
assert_output 'problem  answer: FAILURE' "manufacturer's certificate, this phone or this common name"
try 1 --mic "$MICS/phone-ec.pem" --mic-key "$MICS/phone-ec.key"
assert_output 'problem  MIC: the key of' 'is not RSA'
try 1 --mic "$MICS/phone-expired.pem" --mic-key "$MICS/phone-expired.key"
assert_output 'warning  MIC:' 'expired on'
assert_issued site 4

say "another fingerprint: it says which one the root has"
try_at 1 "$URL" 12040870625C5B755D73F5925285F8F5FF5D55AF --challenge-file "$WORK/wrong"
assert_output 'problem  root: no certificate of GetCACert has the given SHA-1 fingerprint' \
    "The root that is there has $sha1"
sed '1,/^problem/d' "$WORK/output" >"$WORK/after"
! grep -q '^ok' "$WORK/after" || fail "it goes on after a phone stops: $(cat "$WORK/after")"
issuing=$(openssl x509 -in "$WORK/site/issuing.pem" -noout -fingerprint -sha256 | sed 's/.*=//')
try_at 0 "$URL" "$issuing"
assert_output 'warning  root: the given SHA-256 fingerprint is that of' 'which is no root'

say "https; a port where nobody listens; a port that speaks no HTTP; one document of JSON"
try_at 1 "https://$ADDRESS/scep" "$FINGERPRINT"
assert_output 'is https, not http' 'https is not supported'
try_at 1 http://127.0.0.1:1/ "$FINGERPRINT"
assert_output 'problem  HTTP: GetCACaps at http://127.0.0.1:1/:'
"$BIN/scepctl" --json phone try "$URL" --fingerprint "$FINGERPRINT" >"$WORK/dry.json" ||
    fail "--json"
[ "$(json_text verdict "$WORK/dry.json")" = ok ] || fail "verdict"
grep -q '"step": "end"' "$WORK/dry.json" || fail "no last step"
expect 1 "$BIN/scepctl" --json phone try http://127.0.0.1:1/ --fingerprint "$FINGERPRINT"
assert_output '"verdict": "problem"'

say "wrong command lines"
expect 2 "$BIN/scepctl" phone try
expect 2 "$BIN/scepctl" phone try "$URL"
assert_output 'needs --fingerprint'
try_at 2 "$URL" 1234
assert_output '4 hexadecimal digits'
try_at 2 "$URL?operation=GetCACert" "$FINGERPRINT"
assert_output 'has a query'
try 2 --out "$WORK/none"
assert_output '--out keeps a certificate'
try 2 --mic "$MICS/phone-9871.pem"
assert_output '--mic and --mic-key (or --key) belong together'
try 2 --mic "$MICS/phone-9871.pem" --mic-key "$MICS/phone-8861.key"
assert_output 'is not the key of'
try 2 --challenge x --challenge-file "$WORK/wrong"
try 2 --challenge-file "$WORK/wrong" --mic "$MICS/phone-9871.pem" --mic-key "$MICS/phone-9871.key"
try 2 --challenge-file "$WORK/there-is-none"
try 2 --mic "$MICS/spa-962.pem" --mic-key "$MICS/spa-962.key"
assert_output 'the MIC has no common name'

say "no secret was printed, and none is in the log"
assert_not_logged site not-the-challenge

say "certificates of 20 days: five more than those in which phones renew"
stop_server site
issue_for_20_days site
start_server site
new_challenge site
try 0 --challenge-file "$CHALLENGE_FILE" --cn short
assert_no warning

say "a genuine phone that somebody must approve: PENDING"
set_setting site devices.accept '"listed"'
set_setting site devices.unlisted '"pending"'
reload_server site
try 0 --mic "$MICS/phone-dp9861.pem" --mic-key "$MICS/phone-dp9861.key"
assert_output 'warning  answer: PENDING'

say "a server that keeps its root to itself"
stop_server site
set_setting site scep.get_ca_cert '["ra", "issuing"]'
start_server site
try 1
assert_output 'There is no root in it at all'

say "what a phone in FIPS mode makes of the server's own algorithms"
stop_server site
set_setting site scep.get_ca_cert '["ra", "issuing", "root"]'
start_server site
try 0 --fips
assert_no problem
assert_no warning
