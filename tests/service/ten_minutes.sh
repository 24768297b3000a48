#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# README's way from the package to the first phone, as it is typed: init --url, Cisco's files by the
# names that README has, mic-cisco.conf behind a fresh scepd.conf, a phone by its MIC.
# shellcheck source=tests/lib/harness.sh
. "$(dirname "$0")/../lib/harness.sh"

SOURCE=$(cd "$(dirname "$0")/../.." && pwd)
LIST=$SOURCE/conf/mic-cisco.conf
NAMED_URL=http://scep.example.net

# The files that the list names without a #, one a line.
named_files() {
    grep -v '^ *#' "$LIST" | grep -o '"mic/[^"]*"' | sed 's|"mic/||; s|"||' | sort
}

# The files that a text's loop fetches.
fetched_files() {
    sed -n 's/^for name in \(.*\); do$/\1/p' "$1" | tr ' ' '\n' | sed 's/$/.cer/' | sort
}

say "README and the guide fetch the files that the list names, and no others"
named_files >"$WORK/named"
[ "$(wc -l <"$WORK/named")" -eq 9 ] || fail "not nine files: $(cat "$WORK/named")"
for text in README.md server/guides/new-site.md; do
    fetched_files "$SOURCE/$text" | cmp - "$WORK/named" || fail "$text fetches others"
    # shellcheck disable=SC2016 # as it stands in the text
    grep -qF 'curl -fsSO https://www.cisco.com/security/pki/certs/$name.cer' "$SOURCE/$text" ||
        fail "$text does not fetch them from Cisco"
    grep -q '^cd /etc/scepd/mic$' "$SOURCE/$text" || fail "$text puts them elsewhere"
    grep -q '^cat .*/mic-cisco.conf >> /etc/scepd/scepd.conf$' "$SOURCE/$text" ||
        fail "$text does not append the list"
done

say "init with --url: certificates will say where they can be checked"
expect 0 "$BIN/scepctl" init "$WORK/site" --listen 127.0.0.1:0 --url "$NAMED_URL"
if grep warning "$WORK/output"; then
    fail "a warning although all is given"
fi
FINGERPRINT=$(root_fingerprint site)
[ -d "$WORK/site/mic" ] || fail "no folder for the files"

say "a file that is missing is named"
cat "$LIST" >>"$WORK/site/scepd.conf"
expect 2 "$BIN/scepd" -t -c "$WORK/site/scepd.conf"
assert_output mic/hasudi.cer mic/ACT2SUDICA.cer

say "with look-alikes of the nine files the list is good as it stands"
mkdir "$WORK/mics"
"$TOOLS/mic_factory" "$WORK/mics" >"$WORK/mics.log" || fail "mic_factory"
while read -r file; do
    look_alike=$(echo "${file%.cer}" | tr '[:upper:]' '[:lower:]')
    openssl x509 -in "$WORK/mics/$look_alike.pem" -outform DER -out "$WORK/site/mic/$file" ||
        fail "no look-alike of $file"
done <"$WORK/named"
expect 0 "$BIN/scepd" -t -c "$WORK/site/scepd.conf"
start_server site
assert_not_logged site "phone.crl_url"

say "a phone of each line gets a certificate, and that says where to ask"
for mic in phone-9871 phone-9999 phone-8861 phone-8845 phone-7841; do
    expect 0 phone enroll --mic "$WORK/mics/$mic.pem" --mic-key "$WORK/mics/$mic.key" \
        --out "$WORK/$mic"
done
ca=$(ctl site --json ca rollover status | sed -n 's/.*"name": "\(.*\)".*/\1/p' | head -n 1)
openssl x509 -in "$WORK/phone-9871/cert.pem" -noout -text >"$WORK/cert.txt"
for place in "$NAMED_URL/crl/$ca.crl" "CA Issuers - URI:$NAMED_URL/ca/$ca.cer" "OCSP - URI:$NAMED_URL/ocsp"; do
    grep -qF "$place" "$WORK/cert.txt" || fail "not in the certificate: $place"
done
for path in "crl/$ca.crl" "ca/$ca.cer"; do
    curl -sS --fail --max-time 20 --noproxy '*' -o "$WORK/got" "http://$ADDRESS/$path" ||
        fail "nothing is served at $path"
done
stop_server site

say "without --url init and scepd say that something is missing"
expect 0 "$BIN/scepctl" init "$WORK/bare" --listen 127.0.0.1:0
assert_output 'without --url' 'BEFORE THE FIRST PHONE' "$WORK/bare/scepd.conf" \
    'crl_url = "http://HOST/crl/{ca}.crl";' 'ocsp_url = "http://HOST/ocsp";'
start_server bare
assert_log bare event=weak_setting "neither phone.crl_url nor phone.ocsp_url is set"
sed -i 's|^    #crl_url = .*|    crl_url = "http://scep.example.net/crl/{ca}.crl";|' \
    "$WORK/bare/scepd.conf"
reload_server bare
assert_log_count bare 1 "neither phone.crl_url"
