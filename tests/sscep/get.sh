#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# sscep by GET with absolute URIs, through a proxy that hides from it that the server takes POST.
# shellcheck source=tests/sscep/common.sh
. "$(dirname "$0")/common.sh"

make_server site
start_server site
get_ca
launch_server proxy "$TOOLS/no_post_proxy" "${ADDRESS##*:}" "$WORK/port"
PROXY=127.0.0.1:$(cat "$WORK/port")

for variant in "-E aes128 -S sha256" "-E aes256 -S sha512" "-E 3des -S sha256"; do
    say "GET $variant"
    new_challenge site
    make_request get-phone "$CHALLENGE"
    # shellcheck disable=SC2086 # several words
    expect 0 sscep_enroll "$WORK/get.pem" -p "$PROXY" $variant
    assert_cert site "$WORK/get.pem" get-phone
done
assert_log_count site 3 method=GET decision=issue

say "wrong challenge by GET"
make_request get-wrong 00000000000000000000
expect "$SSCEP_BAD_REQUEST" sscep_enroll "$WORK/none.pem" -p "$PROXY"

kill_server proxy
