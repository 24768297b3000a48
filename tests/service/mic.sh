#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Manufacturer's certificates as the credential: who is genuine gets a certificate in his own name,
# any number of times. Rows 4, 5, 13, 14, 23, 24, 25 and 26 of the phones' behaviour (tests/phone_rows.txt).
# shellcheck source=tests/lib/harness.sh
. "$(dirname "$0")/../lib/harness.sh"

MICS=$WORK/mics
mkdir "$MICS"
"$TOOLS/mic_factory" "$MICS" >"$WORK/mics.log" || fail "mic_factory"

# by_mic NAME OPTION...: enrols with that MIC.
by_mic() {
    mic=$1
    shift
    phone enroll --mic "$MICS/$mic.pem" --mic-key "$MICS/$mic.key" "$@"
}

# mic_cn NAME: the CN of that MIC.
mic_cn() {
    openssl x509 -in "$MICS/$1.pem" -noout -subject -nameopt multiline |
        sed -n 's/.*commonName *= \([^ ]*\).*/\1/p'
}

# accepts NAME CN OPTION...: gets a certificate of that CN.
accepts() {
    accepted=$1
    wanted_cn=$2
    shift 2
    expect 0 by_mic "$accepted" --out "$WORK/$accepted.out" "$@"
    assert_cert site "$WORK/$accepted.out/cert.pem" "$wanted_cn"
}

# refuses NAME REASON OPTION...: is refused, and the log says why in the line of the request.
refuses() {
    refused=$1
    reason=$2
    shift 2
    expect 3 by_mic "$refused" "$@"
    assert_log site decision=refuse "$reason"
}

# await_log NAME TEXT...: within seconds, what `scepctl log` says has all of these: refusals are
# written once a second.
await_log() {
    asked=$1
    shift
    tries=0
    until (expect 0 ctl site log "$asked" && assert_output "$@") 2>"$WORK/ignored"; do
        tries=$((tries + 1))
        [ "$tries" -lt 40 ] || fail "log $asked: $(cat "$WORK/ignored")"
        sleep 0.25
    done
}

make_server site
M2=$(mic_store cisco-m2 crcam2 cmca2)
SUDI=$(mic_store cisco-2099 crca2099 hasudi)
trust_mics site "$SUDI"
start_server site

say "row 4: a genuine phone, by PKCSReq and by RenewalReq, with a new key"
accepts phone-9871 CP-9871-SEP001A2B3C4D5E --type 19
accepts phone-9871 CP-9871-SEP001A2B3C4D5E --type 17
expect 0 phone enroll --mic "$MICS/phone-9871.pem" --key "$MICS/phone-9871.key"
assert_log site decision=issue signer=mic mic_store=cisco-2099 mac=001A2B3C4D5E model=DP-9871

say "row 5: again and again, each time another certificate; the older ones stay valid"
first=$(serial_of "$WORK/phone-9871.out/cert.pem")
accepts phone-9871 CP-9871-SEP001A2B3C4D5E
[ "$first" != "$(serial_of "$WORK/phone-9871.out/cert.pem")" ] || fail "no new certificate"
assert_issued site 4
expect 0 ctl site show "$first"
assert_output valid

say "row 13: without a CN it is the MIC's; another phone's is refused, and a macro, and a long one"
accepts phone-9871 CP-9871-SEP001A2B3C4D5E --empty-subject
refuses phone-9871 'not those of the signer' --cn CP-9871-SEP001A2B3C4D5F
refuses phone-9871 'not those of the signer' --cn CP-9871-SEP001A2B3C4D5E.example.nl
refuses phone-9871 'not those of the signer' --cn '$MAU'

say "row 14: the domain of DHCP option 15, when it is an allowed one; names that go with it"
set_setting site phone.domains '["example.nl"]'
set_setting site phone.added_sans '["dns", "email", "upn"]'
reload_server site
accepts phone-9871 CP-9871-SEP001A2B3C4D5E.example.nl --domain example.nl
openssl x509 -in "$WORK/phone-9871.out/cert.pem" -noout -ext subjectAltName >"$WORK/san"
grep -q 'DNS:CP-9871-SEP001A2B3C4D5E.example.nl' "$WORK/san" || fail "no dNSName"
grep -q 'email:CP-9871-SEP001A2B3C4D5E@example.nl' "$WORK/san" || fail "no rfc822Name"
refuses phone-9871 'not those of the signer' --domain example.com

say "row 23: DP- and CP-, attributes in several orders, dates to 9999"
accepts phone-dp9861 "$(mic_cn phone-dp9861)"
accepts phone-9999 "$(mic_cn phone-9999)"
accepts phone-multi "$(mic_cn phone-multi)"

say "row 26: another trust store, without a restart"
refuses phone-8861 'no CA that is trusted'

say "a phone whose manufacturer nobody trusts is found by what it claims, with the exact reason"
UNFIT='no trust store in mic fits its issuer CN=Cisco Manufacturing CA SHA2,O=Cisco by name and key'
assert_log site signer=unknown claimed=yes mac=2C3124C9F8E1 model=CP-8861 "$UNFIT" \
    cn=CP-8861-SEP2C3124C9F8E1 'mic_issuer="CN=Cisco Manufacturing CA SHA2,O=Cisco"'
for name in CP-8861-SEP2C3124C9F8E1 2C3124C9F8E1; do
    await_log "$name" 'unproven: claims to be CP-8861-SEP2C3124C9F8E1' unknown_signer "$UNFIT" \
        'model CP-8861' 'Now: no certificate'
done
expect 1 ctl site device show 2C3124C9F8E1

say "a stranger in the story of a phone is marked, and changes nothing about it"
expect 0 ctl site device show 001A2B3C4D5E
cp "$WORK/output" "$WORK/before"
expect 3 by_mic minted-9871 --cn CP-9871-SEP001A2B3C4D5E
await_log 001A2B3C4D5E 'unproven: claims to be CP-9871-SEP001A2B3C4D5E' 'Now: certificate ok'
grep ' issued ' "$WORK/output" >"$WORK/issued"
grep -q . "$WORK/issued" || fail "the story does not say what was issued"
if grep -q unproven "$WORK/issued"; then
    fail "what was issued is called unproven"
fi
expect 0 ctl site device show 001A2B3C4D5E
cmp -s "$WORK/before" "$WORK/output" || fail "a stranger changed the phone: $(cat "$WORK/output")"

trust_mics site "$SUDI" "$M2"
reload_server site
accepts phone-8861 CP-8861-SEP2C3124C9F8E1
assert_log site mic_store=cisco-m2 device_serial=FCH2133E8B9

say "row 24: OU, L and S; the serial number looks like a MAC and is none"
trust_mics site "$SUDI" "$(mic_store spa spa-ca '')"
reload_server site
accepts spa-962 SPA-962-SEP000E08ABCDEF --empty-subject
accepts spa-962-swapped SPA-962-SEP000E08ABCDEE --empty-subject
assert_log site mac=000E08ABCDEF device_serial=88012BA01234

say "row 25: the generic certificate names no device; a User-Agent does not help"
refuses generic 'names no device' --empty-subject \
    --user-agent 'Cisco-CP-8841-3PCC/11.0 (00562b043615)'
assert_log site client_hint=00562b043615 'names no device'
refuses spa-962-small 'allowed: 2048 to 4096' --empty-subject
trust_mics site "$SUDI" "$(mic_store spa spa-ca '' 'min_rsa_bits = 1024')"
reload_server site
expect 0 by_mic spa-962-small --empty-subject

say "the policy of a store: expired, SHA-1, classes"
refuses phone-expired 'has expired'
await_log "$(mic_cn phone-expired)" mic_expired 'mic.accept_expired is off'
refuses phone-future 'not valid yet'
refuses switch-c9300 'not accepted'
trust_mics site "$(mic_store lenient crca2099 hasudi 'accept_expired = true' 'classes = ["other"]')" \
    "$(mic_store old crca2048 cmca)"
reload_server site
refuses phone-7841 'not accepted'
await_log 0C7524A1B2C3 'unproven: claims to be CP-7841-SEP0C7524A1B2C3' 'mic.accept_sha1 is off' \
    'its issuer CN=Cisco Manufacturing CA'
trust_mics site "$(mic_store lenient crca2099 hasudi 'accept_expired = true')" \
    "$(mic_store old crca2048 cmca 'accept_sha1 = true')"
reload_server site
assert_log site event=weak_setting SHA-1 old
accepts phone-7841 "$(mic_cn phone-7841)"
accepts phone-expired "$(mic_cn phone-expired)"

say "forged ones"
issued=$(ctl site --json list | grep -c '"serial":')
for forged in forged-9871 forged-serial lookalike-9871 minted-9871; do
    expect 3 by_mic "$forged" --cn CP-9871-SEP001A2B3C4D5E
done
expect 3 by_mic self-9871 --cn CP-9871-SEP001A2B3C4D5E
assert_issued site "$issued"

say "an EC key cannot receive the answer: badAlg, and the log says why"
expect 3 by_mic phone-ec --cn CP-9871-SEP001A2B3C4D5E
assert_output badAlg
assert_log site fail_info=badAlg RSA

say "the intermediate may come with the message, in any order; without it nobody is trusted"
trust_mics site "$(mic_store basic cbarc2099 '')"
reload_server site
refuses phone-8845 'no CA that is trusted'
expect 0 by_mic phone-8845 --mic-chain "$MICS/phone-8845-chain.pem" --out "$WORK/chain"

say "scepctl mic check"
expect 1 ctl site mic check "$MICS/phone-9871.pem"
trust_mics site "$SUDI"
expect 0 ctl site mic check "$MICS/phone-9871.pem"
assert_output cisco-2099 CP-9871 001A2B3C4D5E
