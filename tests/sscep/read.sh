#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# sscep's getcaps and getca, with and without a CA identifier.
# shellcheck source=tests/sscep/common.sh
. "$(dirname "$0")/common.sh"

make_server site
start_server site

say "getcaps"
expect 0 "$SSCEP" getcaps -u "$URL"
expect 0 "$SSCEP" getcaps -v -u "$URL"

for identifier in '' CAIdentifier anything; do
    say "getca -i '$identifier'"
    rm -f "$WORK"/ca-*
    expect 0 "$SSCEP" getca -u "$URL" -c "$WORK/ca" -i "$identifier" -F sha256
    cat "$WORK/ca-0" "$WORK/ca-1" "$WORK/ca-2" >/dev/null || fail "not three certificates"
    same=$(openssl x509 -in "$WORK/ca-0" -noout -fingerprint)
    [ "$same" = "$(openssl x509 -in "$WORK/site/ra.pem" -noout -fingerprint)" ] ||
        fail "the RA's certificate is not the first"
done

say "row 2: other paths and parameters"
for path in / /scep /certsrv/mscep/mscep.dll /cgi-bin/pkiclient.exe/; do
    expect 0 "$SSCEP" getca -u "http://$ADDRESS$path" -c "$WORK/ca" -i '' -M 'mac=1&room=2'
done

say "a single certificate when the list has only one"
stop_server site
set_setting site scep.get_ca_cert '["ra"]'
start_server site
rm -f "$WORK"/ca*
expect 0 "$SSCEP" getca -u "$URL" -c "$WORK/ca" -i ''
openssl x509 -in "$WORK/ca" -noout || fail "not one certificate"
