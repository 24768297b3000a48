#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# sscep's enroll: every cipher and digest the server offers, string types of the challenge, refusals
# and repeats.
# shellcheck source=tests/sscep/common.sh
. "$(dirname "$0")/common.sh"

# enrolls CN OPTION...
enrolls() {
    cn=$1
    shift
    say "$cn $*"
    new_challenge site
    make_request "$cn" "$CHALLENGE"
    expect 0 sscep_enroll "$WORK/$cn.pem" "$@"
    assert_cert site "$WORK/$cn.pem" "$cn"
}

make_server site
start_server site
get_ca

enrolls default
enrolls aes128-sha256 -E aes128 -S sha256
enrolls aes192-sha384 -E aes192 -S sha384
enrolls aes256-sha512 -E aes256 -S sha512
enrolls 3des-sha256 -E 3des -S sha256

for mask in default nombstr pkix utf8only MASK:0x2 MASK:0x4 MASK:0x10 MASK:0x800; do
    say "challenge with string_mask $mask"
    new_challenge site
    make_request "mask" "$CHALLENGE" "$mask"
    expect 0 sscep_enroll "$WORK/mask.pem"
done

say "the same key and request again: the same certificate"
cp "$WORK/mask.pem" "$WORK/first.pem"
expect 0 sscep_enroll "$WORK/second.pem"
[ "$(serial_of "$WORK/first.pem")" = "$(serial_of "$WORK/second.pem")" ] || fail "another certificate"
assert_issued site 13

say "wrong, absent and used-up challenge"
make_request wrong 00000000000000000000
expect "$SSCEP_BAD_REQUEST" sscep_enroll "$WORK/none.pem"
make_request absent ''
expect "$SSCEP_BAD_REQUEST" sscep_enroll "$WORK/none.pem"
make_request used "$CHALLENGE"
expect "$SSCEP_BAD_REQUEST" sscep_enroll "$WORK/none.pem"

say "SHA-1 and MD5 are refused"
new_challenge site
make_request sha1 "$CHALLENGE"
expect "$SSCEP_BAD_ALG" sscep_enroll "$WORK/none.pem" -S sha1
expect "$SSCEP_BAD_ALG" sscep_enroll "$WORK/none.pem" -S md5
assert_issued site 13
[ ! -e "$WORK/none.pem" ] || fail "a refused request left a certificate"
