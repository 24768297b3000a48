#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Option 43: Cisco's example byte for byte (row 17), each hash (row 18), the warnings (row 19, row 21,
# row 32), and what `scepctl phone option43` writes for Kea, ISC dhcpd and dnsmasq with a class for
# each model (row 20), read by these servers' own checks. dhcp_lease.sh has them serve it.
# shellcheck source=tests/lib/harness.sh
. "$(dirname "$0")/../lib/harness.sh"
# shellcheck source=tests/clients/dhcp_servers.sh
. "$(dirname "$0")/dhcp_servers.sh"

EXAMPLE_PIN=12040870625C5B755D73F5925285F8F5FF5D55AF
EXAMPLE=0a01010b12687474703a2f2f31302e37392e35372e39310c14${EXAMPLE_PIN}0d10443233334343463942393935324131350e01010f0101

example() {
    "$BIN/scepctl" phone option43 --server http://10.79.57.91 --fips --fingerprint "$EXAMPLE_PIN" \
        --challenge-file - --dot1x --certificate custom "$@" 2>"$WORK/warnings"
}

# option43 OPTION...: for the root of the server "site", to standard output.
option43() {
    ctl site phone option43 "$@" 2>"$WORK/warnings"
}

# as_each_server_reads_it OPTION...
as_each_server_reads_it() {
    for kind in isc kea dnsmasq; do
        option43 --format "$kind" "$@" >"$WORK/$kind.part" || fail "$(cat "$WORK/warnings")"
        finish_config "$kind"
        expect 0 check "$kind"
        for model in DP-9841 DP-9851 DP-9861 DP-9871 CP-8875; do
            grep -qF "$model" "$WORK/$kind.part" || fail "no class for $model in $kind"
        done
    done
}

say "Cisco's example, from its parameters"
[ "$(echo D233CCF9B9952A15 | example)" = "$EXAMPLE" ] || fail "not the example's digits"
[ "$(echo D233CCF9B9952A15 | example --format cnr)" = "(10 1)(11 http://10.79.57.91)(12\
 $EXAMPLE_PIN)(13 D233CCF9B9952A15)(14 1)(15 1)" ] || fail "not the example's words"
for warning in 'clear text' '66, 150, 159 or 160' 'wired networks only'; do
    grep -qF "$warning" "$WORK/warnings" || fail "no warning of: $warning"
done

say "and back"
echo "$EXAMPLE" | expect 0 "$BIN/scepctl" phone option43 --decode -
assert_output http://10.79.57.91 "$EXAMPLE_PIN" D233CCF9B9952A15 'custom installed' '69 of at most 255'
expect 1 "$BIN/scepctl" phone option43 --decode "${EXAMPLE}10"
assert_output 'suboption 16 at octet 70: the option ends before its length'
expect 2 "$BIN/scepctl" phone option43 --decode "${EXAMPLE}1"
assert_output '139 hexadecimal digits, an odd number'

make_server site
start_server site
SERVER=http://$ADDRESS

say "the root of the running scepd"
option43 --server "$SERVER" >"$WORK/hex"
"$BIN/scepctl" --json phone option43 --decode - <"$WORK/hex" >"$WORK/decoded.json" 2>"$WORK/ignored"
grep -qF "\"value\": \"$FINGERPRINT\"" "$WORK/decoded.json" || fail "not the root's fingerprint"
grep -qF "\"value\": \"$SERVER\"" "$WORK/decoded.json" || fail "not the server's address"
expect 0 ctl site fingerprint
assert_output "$FINGERPRINT"
expect 0 ctl site fingerprint "$WORK/site/root.pem"
assert_output "$(openssl x509 -in "$WORK/site/root.pem" -noout -fingerprint -sha1 | sed 's/.*=//')"

say "a new challenge, that only the phones' side learns"
option43 --server "$SERVER" --new-challenge --uses 3 --ttl 2h >"$WORK/hex"
"$BIN/scepctl" --json phone option43 --decode - <"$WORK/hex" >"$WORK/decoded.json" 2>"$WORK/ignored"
secret=$(grep -A 3 '"Challenge Password"' "$WORK/decoded.json" | json_text value /dev/stdin)
[ "${#secret}" -eq 20 ] || fail "no challenge of 20 digits"
grep -qE 'new challenge [0-9A-F]+ is good for 3 certificates until' "$WORK/warnings" ||
    fail "$(cat "$WORK/warnings")"
if grep -qF "$secret" "$WORK/warnings"; then
    fail "the challenge is among the warnings"
fi
assert_not_logged site "$secret"
(umask 077 && echo "$secret" >"$WORK/secret")
expect 0 phone enroll --challenge-file "$WORK/secret" --cn by-option-43

say "each DHCP server reads its configuration"
new_challenge site
as_each_server_reads_it --server "$SERVER"
as_each_server_reads_it --server "$SERVER" --challenge-file "$CHALLENGE_FILE" \
    --domain example.nl --fips --dot1x --certificate custom

say "each reads the longest one, and longer ones are refused"
long=http://192.0.2.1/$(printf '%0158d' 0) # 175 characters
(umask 077 && echo 1 >"$WORK/one")
set -- --challenge-file "$WORK/one" --fips --dot1x --certificate manufacturing --hash sha512
as_each_server_reads_it --server "$long" --domain a-domain-with-the-forty-characters.voice "$@"
expect 2 ctl site phone option43 --server "${long}0" "$@"
assert_output '256 octets; allowed are at most 255' 'leaves 176 for server and challenge, now 177'

say "each of them can say no"
for kind in isc kea dnsmasq; do
    sed 's/01/0q/' "$WORK/$kind.part" >"$WORK/broken" && mv "$WORK/broken" "$WORK/$kind.part"
    finish_config "$kind"
    if check "$kind" >"$WORK/output" 2>&1; then
        fail "$kind took a broken configuration"
    fi
done
