#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What a phone does when somebody has filled in its CDC parameters, rightly or wrongly: rows 1, 2,
# 3, 8, 11, 12, 13, 15 and 16 of tests/phone_rows.txt, which names the tests of the other rows.
# shellcheck source=tests/lib/harness.sh
. "$(dirname "$0")/../lib/harness.sh"

FLEET=32 # phones that come at once
CN_40=a123456789.b123456789.c123456789.example # a domain that makes 64 characters of the MIC's CN

# ask CURL-OPTION...: without a proxy, and never for long.
ask() {
    curl -sS --max-time 20 --noproxy '*' "$@"
}

# get_ca_cert PATH FILE
get_ca_cert() {
    ask --fail -o "$2" "http://$ADDRESS$1?operation=GetCACert" || fail "no GetCACert at $1"
}

# fingerprints DIGEST: of each certificate that GetCACert brings.
fingerprints() {
    for cert in "$WORK"/ca-cert-*; do
        openssl x509 -in "$cert" -noout -fingerprint "-$1" | sed 's/.*=//; s/://g'
    done
}

# assert_shown DIGEST: one certificate of GetCACert has this fingerprint, which init and status have
# printed and by which a phone knows the root.
assert_shown() {
    shown=$(openssl x509 -in "$(root_of site)" -noout -fingerprint "-$1" | sed 's/.*=//')
    bare=$(echo "$shown" | tr -d :)
    [ "$(fingerprints "$1" | grep -cx "$bare")" -eq 1 ] || fail "not one root by $1 in GetCACert"
    grep -qF "$bare" "$WORK/site.init" || fail "init did not print the root's $1"
    grep -qF "$shown" "$WORK/site.init" || fail "init did not print the root's $1 with colons"
    expect 0 ctl site status
    assert_output "$bare"
    FINGERPRINT=$shown
    new_challenge site
    expect 0 enroll
}

# store_counts FILE: how many of each thing are in the store, and the octets it takes.
store_counts() {
    # Refusals are events, of which the history keeps so many and no more.
    ctl site --json status | sed -n '/"store": {/,/}/p' | grep -Ev '"(events|used_octets)"' >"$1"
    grep -q '"transactions": ' "$1" || fail "the status does not count what is in the store"
}

# lives DAYS JITTER: of the certificates from the next start or reload on.
lives() {
    set_setting site phone.validity_days "$1"
    set_setting site phone.validity_jitter_days "$2"
}

# end_days FOLDER: the days on which the certificates of a fleet end.
end_days() {
    for cert in "$1"/cert-*.pem; do
        openssl x509 -in "$cert" -noout -enddate | sed 's/ [0-9]*:[0-9:]* / /'
    done | sort -u
}

# tls_login STATUS VERSION CURL-OPTION...: what EAP-TLS does inside: a TLS server that wants a
# client's certificate and trusts the root; the exit status of the client.
tls_login() {
    wanted_status=$1
    tls_version=$2
    shift 2
    : >"$WORK/tls.log"
    timeout "$START_SEC" openssl s_server -accept 127.0.0.1:0 -naccept 1 -www "-tls$tls_version" \
        -cert "$WORK/radius.pem" -key "$WORK/radius.key" -CAfile "$WORK/trusted.pem" -Verify 2 \
        -verify_return_error >"$WORK/tls.log" 2>&1 </dev/null &
    tls_server=$!
    "$TOOLS/await" "$WORK/tls.log" 1 "$LOG_SEC" ACCEPT || fail "no TLS server"
    expect "$wanted_status" ask -k -o "$WORK/page" "$@" \
        "https://$(sed -n 's/^ACCEPT \(127[0-9.:]*\)$/\1/p' "$WORK/tls.log")/"
    wait "$tls_server" || fail "the TLS server: $(cat "$WORK/tls.log")"
}

make_server site
(umask 077 && echo "fleet-of-the-staging-room" >"$WORK/static")
set_setting site challenge.static_file "\"$WORK/static\""
start_server site

say "row 1: plain HTTP at an address without a name; TLS is not spoken and does no harm"
for given in "$ADDRESS" "http://$ADDRESS"; do
    new_challenge site
    expect 0 "$BIN/phone" enroll --server "$given" --fingerprint "$FINGERPRINT" \
        --challenge-file "$CHALLENGE_FILE" --out "$WORK/one"
done
! ask -k "https://$ADDRESS/" 2>"$WORK/tls" || fail "https is answered"
ask --http1.0 --fail "http://$ADDRESS/?operation=GetCACaps" >"$WORK/caps" || fail "no HTTP/1.0"

say "row 2: any path, the same octets"
get_ca_cert / "$WORK/ca.p7"
for path in /cgi-bin/pkiclient.exe /cgi-bin/pkiclient.exe/pkiclient.exe /scep /scep/ \
    /certsrv/mscep/mscep.dll /no/such/path.html; do
    get_ca_cert "$path" "$WORK/other.p7"
    cmp "$WORK/ca.p7" "$WORK/other.p7" || fail "another answer at $path"
done

say "row 3: the root is in GetCACert; its fingerprints are the printed ones"
openssl pkcs7 -inform DER -in "$WORK/ca.p7" -print_certs |
    awk -v to="$WORK/ca-cert-" '/^-----BEGIN/ { n++ } n > 0 { print > (to n) }'
assert_shown sha256
assert_shown sha1
FINGERPRINT=$(root_fingerprint site)

# option 43 as DHCP gives it: suboptions CODE LENGTH VALUE in hex.
suboption() {
    printf '%02x%02x%s' "$1" $((${#2} / 2)) "$2"
}
text_hex() {
    od -An -v -tx1 "$1" | tr -d ' \n'
}

say "rows 1 and 3: server, fingerprint and challenge from DHCP option 43, an address without a path"
new_challenge site --uses 3
printf 'http://%s' "$ADDRESS" >"$WORK/server-text"
printf '%s' "$CHALLENGE" >"$WORK/challenge-text"
for digest in sha1 sha256 sha512; do
    pinned=$(openssl x509 -in "$(root_of site)" -noout -fingerprint "-$digest" | sed 's/.*=//; s/://g')
    {
        suboption 10 00
        suboption 11 "$(text_hex "$WORK/server-text")"
        suboption 12 "$pinned"
        suboption 13 "$(text_hex "$WORK/challenge-text")"
        suboption 15 01
        echo
    } >"$WORK/option43"
    expect 0 "$BIN/phone" enroll --option43-file "$WORK/option43" --out "$WORK/dhcp" \
        --cn CP-9841-SEP000000000043
done
assert_cert site "$WORK/dhcp/cert.pem" CP-9841-SEP000000000043

say "row 8: three wrong passwords are signed failures under HTTP 200; then the right one is taken"
for attempt in 1 2 3; do
    expect 0 phone enroll --prepare --save "$WORK/request" --out "$WORK/typed" \
        --cn CP-9841-SEP000000000008 --challenge "0000000000000000000$attempt"
    status=$(ask -D "$WORK/head" -o "$WORK/answer" -w '%{http_code}' \
        -H 'Content-Type: application/x-pki-message' --data-binary @"$WORK/request" \
        "$URL?operation=PKIOperation")
    [ "$status" = 200 ] || fail "HTTP status $status for a wrong password"
    grep -qi '^content-type: application/x-pki-message' "$WORK/head" || fail "not a SCEP answer"
    openssl cms -cmsout -print -noout -inform DER -in "$WORK/answer" >"$WORK/answer.txt" 2>&1 ||
        fail "the answer is no CMS message"
    grep -q '2.16.840.1.113733.1.9.4' "$WORK/answer.txt" || fail "no failInfo in the answer"
    expect 3 phone enroll --send "$WORK/request" --key "$WORK/typed/key.pem"
    assert_output badRequest
done
new_challenge site
expect 0 enroll --cn CP-9841-SEP000000000008 --out "$WORK/typed"
assert_cert site "$WORK/typed/cert.pem" CP-9841-SEP000000000008

say "row 8: an address that fails too often has to wait; who signs with a certificate does not"
set_setting site challenge.failures_per_minute 3
reload_server site
throttled=
for attempt in 1 2 3 4 5 6; do
    status=0
    phone enroll --challenge 00000000000000000000 >"$WORK/output" 2>&1 || status=$?
    [ "$status" -ne 4 ] || throttled=1
done
[ -n "$throttled" ] || fail "six wrong passwords in a row, and no limit"
assert_log site status=503 'from this address have failed lately'
expect 0 phone renew --same-key --cert "$WORK/typed/cert.pem" --cert-key "$WORK/typed/key.pem" \
    --out "$WORK/typed"
set_setting site challenge.failures_per_minute 0
reload_server site

say "row 11: half-configured phones, garbage and repeats leave nothing behind"
store_counts "$WORK/before"
expect 3 phone enroll
expect 3 phone enroll --empty-subject
expect 3 phone enroll --challenge ''
# shellcheck disable=SC2016 # a macro of the phone
expect 3 phone enroll --cn '$MAU' --challenge 12345
expect 5 "$BIN/phone" enroll --server "$URL" --fingerprint "$(echo "$FINGERPRINT" | tr 0-9 1-90)"
expect 0 phone enroll --prepare --save "$WORK/request" --out "$WORK/half"
expect 3 phone enroll --send "$WORK/request" --key "$WORK/half/key.pem" --repeat 20
head -c 3000 /dev/urandom >"$WORK/garbage"
for operation in PKIOperation GetCACert GetCACaps GetNextCACert nothing ''; do
    ask -o "$WORK/answer" --data-binary @"$WORK/garbage" "$URL?operation=$operation"
    ask -o "$WORK/answer" "$URL?operation=$operation&message=%00%FF$operation"
done
store_counts "$WORK/after"
cmp "$WORK/before" "$WORK/after" || fail "the store has grown: $(cat "$WORK/before" "$WORK/after")"

say "row 12: no life of 15 days or less, also not by chance"
cp "$WORK/site/scepd.conf" "$WORK/years.conf"
lives 15 0
expect 2 "$BIN/scepd" -t -c "$WORK/site/scepd.conf"
assert_output 'phone.validity_days: 15' 'allowed: 16 to'
lives 22 7
set_setting site renewal.window_days 16
expect 2 "$BIN/scepd" -t -c "$WORK/site/scepd.conf"
assert_output 'phone.validity_jitter_days: 7 of 22 days' 'more than 15 days'
lives 22 5
expect 0 "$BIN/scepd" -t -c "$WORK/site/scepd.conf"
cp "$WORK/years.conf" "$WORK/site/scepd.conf"

say "row 12: ends are spread; a fleet that renews in one window is served"
expect 0 phone bench --phones "$FLEET" --challenge-file "$WORK/static" --out "$WORK/spread"
days=$(end_days "$WORK/spread" | wc -l)
if [ "$days" -lt 3 ] || [ "$days" -gt 9 ]; then
    fail "$FLEET certificates end on $days days"
fi
issue_for_20_days site
reload_server site
expect 0 phone bench --phones "$FLEET" --challenge-file "$WORK/static" --first-phone 1001 \
    --out "$WORK/fleet"
issue_for_years site
expect 0 phone bench --mode renew --phones "$FLEET" --state "$WORK/fleet"
assert_output 'failures=0'
sed -n 's/^enrolments_per_s=\([0-9.]*\).*/\1/p' "$WORK/output" |
    awk '{ printf "   %d phones could renew in one window of 4 hours\n", $1 * 4 * 3600 }'

say "row 13: a common name of 64 characters, not of 65, and no macro"
expect 0 phone hostile ok-subject-64 --challenge-file "$WORK/static"
expect 0 phone hostile subject-long --challenge-file "$WORK/static"
expect 0 phone hostile subject-macro --challenge-file "$WORK/static"
mkdir "$WORK/mics"
"$TOOLS/mic_factory" "$WORK/mics" >"$WORK/mics.log" || fail "mic_factory"
trust_mics site "$(mic_store cisco-2099 crca2099 hasudi)"
set_setting site phone.domains "[\"$CN_40\"]"
reload_server site
expect 0 phone enroll --mic "$WORK/mics/phone-9871.pem" --mic-key "$WORK/mics/phone-9871.key" \
    --domain "$CN_40" --out "$WORK/long"
assert_cert site "$WORK/long/cert.pem" "CP-9871-SEP001A2B3C4D5E.$CN_40"

say "row 15: a TLS server lets the phone in by its certificate, and nobody without one"
openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=radius -keyout "$WORK/radius.key" \
    -out "$WORK/radius.pem" 2>"$WORK/req.log" || fail "$(cat "$WORK/req.log")"
cat "$WORK/site/issuing.pem" "$(root_of site)" >"$WORK/trusted.pem"
for version in 1_2 1_3; do
    tls_login 0 "$version" --cert "$WORK/typed/cert.pem" --key "$WORK/typed/key.pem"
    grep -qi "tlsv${version%_*}.${version#*_}" "$WORK/page" || fail "no page over TLS $version"
done
tls_login 35 1_2
tls_login 35 1_2 --cert "$WORK/mics/phone-9871.pem" --key "$WORK/mics/phone-9871.key"
expect 2 openssl verify -purpose sslserver -CAfile "$WORK/trusted.pem" "$WORK/typed/cert.pem"

say "row 16: a FIPS policy takes SHA-256, AES and 2048 bits, offers nothing weaker and refuses it"
set_setting site algorithms.des3 false
reload_server site
ask "$URL?operation=GetCACaps" >"$WORK/caps"
grep -qx AES "$WORK/caps" || fail "AES is not offered"
grep -qx SHA-256 "$WORK/caps" || fail "SHA-256 is not offered"
! grep -qE '^(DES3|SHA-1)$' "$WORK/caps" || fail "something weak is offered"
CHALLENGE_FILE=$WORK/static
expect 0 enroll --cipher aes128 --digest sha256 --key-bits 2048
for weak in '--cipher des3' '--digest sha1' '--key-bits 1024'; do
    # shellcheck disable=SC2086 # an option and its value
    expect 3 enroll $weak
    assert_output badAlg
done
