#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# micromdm's scepclient (package scep). It always sends single DES and SHA-1 by POST: refused with
# badAlg, unless the administrator has turned both on.
# shellcheck source=tests/lib/harness.sh
. "$(dirname "$0")/../lib/harness.sh"

# Each run in a folder of its own, because the client keeps its request beside its key.
client() {
    mkdir "$WORK/$1"
    (cd "$WORK/$1" && scepclient -server-url "$URL" -private-key key.pem -certificate cert.pem \
        -challenge "$2" -cn "$1" -keySize 2048)
}

make_server site
start_server site

say "refused with badAlg"
new_challenge site
expect 1 client refused "$CHALLENGE"
assert_log site decision=refuse fail_info=badAlg
assert_issued site 0
stop_server site

say "with the legacy switch and SHA-1 on, it enrols"
set_setting site algorithms.legacy true
set_setting site algorithms.sha1 true
# It takes the first certificate and encrypts to all of them.
start_server site
expect 0 client enrolled "$CHALLENGE"
assert_cert site "$WORK/enrolled/cert.pem" enrolled
say "and is refused with a wrong challenge"
expect 1 client wrong 00000000000000000000
assert_log site decision=refuse fail_info=badRequest
assert_issued site 1
