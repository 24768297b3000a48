#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Each kind of CA that scepctl init offers issues certificates that verify; each algorithm that the
# server offers works by GET and by POST, and those it does not offer are refused with badAlg.
# shellcheck source=tests/lib/harness.sh
. "$(dirname "$0")/../lib/harness.sh"

issues_with() {
    site=$1
    shift
    say "scepctl init $*"
    make_server "$site" "$@"
    start_server "$site"
    new_challenge "$site"
    expect 0 enroll --cn CP-9841-SEP00AA00AA00AA --out "$WORK/$site.phone"
    assert_cert "$site" "$WORK/$site.phone/cert.pem" CP-9841-SEP00AA00AA00AA
    stop_server "$site"
}

issues_with one --tiers 1
issues_with ec256 --ca-key ec:P-256
issues_with ec384 --ca-key ec:P-384 --tiers 1 --organization "Exämple & Söhne"
issues_with rsa4096 --ca-key rsa:4096

make_server site
start_server site
new_challenge site --uses 100
for cipher in aes128 aes192 aes256 des3; do
    for digest in sha256 sha384 sha512; do
        say "$cipher $digest"
        expect 0 enroll --cipher "$cipher" --digest "$digest" --get
        expect 0 enroll --cipher "$cipher" --digest "$digest" --post
    done
done
assert_issued site 24

say "row 16: SHA-1, MD5 and single DES are refused"
expect 3 enroll --digest sha1
assert_output badAlg
expect 3 enroll --digest md5
assert_output badAlg
expect 3 enroll --cipher des
assert_output badAlg
assert_issued site 24
stop_server site

say "unless the legacy switch is on, and the log warns of it"
set_setting site algorithms.legacy true
set_setting site algorithms.sha1 true
set_setting site algorithms.des3 false
start_server site
assert_log site legacy
expect 0 enroll --cipher des --digest md5
expect 0 enroll --cipher des --digest sha1
expect 3 enroll --cipher des3
assert_output badAlg
