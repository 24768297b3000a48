#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh NAME: starts a real scepd and runs the program test_NAME against it.
# shellcheck source=tests/lib/harness.sh
. "$(dirname "$0")/../lib/harness.sh"

make_server site
set_setting site http.timeout_sec 3
start_server site

# prepare NAME: a good request that has not been sent.
prepare() {
    new_challenge site
    expect 0 enroll --prepare --save "$WORK/$1" --key "$WORK/key.pem"
}
openssl genrsa -out "$WORK/key.pem" 2048 2>"$WORK/genrsa.log"
prepare request
prepare unused

HTTP_ADDRESS=$ADDRESS HTTP_REQUEST=$WORK/request HTTP_UNUSED_REQUEST=$WORK/unused \
    "$TOOLS/http_test_$1"

# However often it was sent, one request is one certificate; the unused one is none.
if [ "$1" = reading ]; then
    assert_issued site 0
else
    assert_issued site 1
fi
