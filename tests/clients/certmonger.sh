#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# certmonger, the whole of it: a private session with its own folders drives `getcert` and the
# scep-submit helper, which sends PKIOperation always by GET.
# shellcheck source=tests/lib/harness.sh
. "$(dirname "$0")/../lib/harness.sh"

HELPER=/usr/lib/certmonger/scep-submit
SESSION=/usr/lib/certmonger/certmonger-session

# session SCRIPT ARGUMENT...: runs `sh -c SCRIPT sh ARGUMENT...` inside a private certmonger.
session() {
    mkdir -p "$WORK/requests" "$WORK/cas" "$WORK/local" "$WORK/config"
    session_script=$1
    shift
    printf '%s\n' "$session_script" >"$WORK/session.sh"
    HOME=$WORK CERTMONGER_REQUESTS_DIR=$WORK/requests CERTMONGER_CAS_DIR=$WORK/cas \
        CERTMONGER_LOCAL_CA_DIR=$WORK/local CERTMONGER_CONFIG_DIR=$WORK/config \
        TMPDIR=$WORK "$SESSION" -L -n -P "$WORK/socket" -c "sh $WORK/session.sh $*" \
        >"$WORK/session.log" 2>&1
}

make_server site
start_server site

say "scep-submit: capabilities and certificates"
expect 0 "$HELPER" -u "$URL" -c
assert_output AES SHA-256 POSTPKIOperation SCEPStandard
expect 0 "$HELPER" -u "$URL" -C
[ "$(grep -c 'BEGIN CERTIFICATE' "$WORK/output")" -eq 3 ] || fail "not three certificates"

say "scep-submit: a message by GET"
new_challenge site
mkdir "$WORK/phone"
expect 0 enroll --prepare --save "$WORK/phone/request" --out "$WORK/phone" --cn helper-message
{
    echo '-----BEGIN PKCS7-----'
    openssl base64 -in "$WORK/phone/request"
    echo '-----END PKCS7-----'
} >"$WORK/message.pem"
expect 0 "$HELPER" -u "$URL" -r "$WORK/site/ra.pem" -N "$WORK/site/root.pem" \
    -I "$WORK/site/issuing.pem" -p "$WORK/message.pem"
assert_log site method=GET cn=helper-message decision=issue

say "getcert request"
new_challenge site --cn getcert-phone
cat >"$WORK/commands" <<END
set -eu
getcert add-scep-ca -c scepd -u $URL -N $WORK/site/root.pem -r $WORK/site/ra.pem -I $WORK/site/issuing.pem
getcert request -c scepd -f $WORK/getcert.pem -k $WORK/getcert.key -N CN=getcert-phone -l $CHALLENGE_FILE -w -v
END
session "$(cat "$WORK/commands")" || fail "$(tail -n 20 "$WORK/session.log")"
assert_cert site "$WORK/getcert.pem" getcert-phone

say "getcert resubmit: the daemon renews by itself what is due"
stop_server site
issue_for_20_days site
start_server site
new_challenge site --cn getcert-renews
cat >"$WORK/commands" <<END
set -eu
getcert remove-ca -c scepd || true
getcert add-scep-ca -c scepd2 -u $URL -N $WORK/site/root.pem -r $WORK/site/ra.pem -I $WORK/site/issuing.pem
getcert request -c scepd2 -f $WORK/renews.pem -k $WORK/renews.key -N CN=getcert-renews -l $CHALLENGE_FILE -w -v
END
session "$(cat "$WORK/commands")" || fail "$(tail -n 20 "$WORK/session.log")"
cp "$WORK/renews.pem" "$WORK/first.pem"
issue_for_years site
session "getcert resubmit -f $WORK/renews.pem -w -v" || fail "$(tail -n 20 "$WORK/session.log")"
assert_cert site "$WORK/renews.pem" getcert-renews
[ "$(serial_of "$WORK/renews.pem")" != "$(serial_of "$WORK/first.pem")" ] || fail "no new certificate"
assert_log site signer=ours decision=issue cn=getcert-renews
