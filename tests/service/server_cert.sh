#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Certificates by the administrator's hand (rows 28 to 30): a provisioning server's, with which
# Apache and nginx, configured by scepctl, give profiles to phones that show a MIC and to nobody
# else; and a phone's, with its key in a PKCS#12 file. In a network of its own, for port 443.
if [ -z "${IN_OWN_NETWORK-}" ]; then
    if unshare --net ip link set lo up; then
        exec env IN_OWN_NETWORK=yes unshare --net sh "$0"
    fi
    echo "SKIPPED: this machine makes no network for the test"
    exit 77
fi
ip link set lo up
# shellcheck source=tests/lib/harness.sh
. "$(dirname "$0")/../lib/harness.sh"

HOST=pv.telco.net
CN=$HOST/mailto:admin@telco.net
MICS=$WORK/mics
PROFILES=$WORK/profiles
MODULES=/usr/lib/apache2/modules
umask 022
chmod 755 "$WORK" # Apache's workers are another user
mkdir "$MICS" "$PROFILES"
"$TOOLS/mic_factory" "$MICS" >"$WORK/mics.log" || fail "mic_factory"
echo '<flat-profile/>' >"$PROFILES/spa.cfg"
cat >"$PROFILES/who.cgi" <<'END'
#!/bin/sh
printf 'Content-Type: text/plain\n\n'
env | grep ^SSL_CLIENT_S_DN
END
chmod +x "$PROFILES/who.cgi"

# new_csr NAME CN [OPTION...]: $WORK/NAME.csr and .key.
new_csr() {
    csr=$1
    csr_cn=$2
    shift 2
    openssl req -new -newkey rsa:2048 -nodes -keyout "$WORK/$csr.key" -out "$WORK/$csr.csr" \
        -subj "/CN=$(echo "$csr_cn" | sed 's|/|\\/|g')" "$@" 2>"$WORK/output" || fail "openssl req"
}

sign() {
    ctl site server-cert sign "$@"
}

# get FILE CURL-OPTION...: from the web server, which must be what the root vouches for.
get() {
    got_file=$1
    shift
    curl --silent --show-error --fail --max-time "$END_SEC" --cacert "$(root_of site)" \
        --resolve "$HOST:443:127.0.0.1" "$@" "https://$HOST/$got_file"
}

# as_phone MIC FILE [CURL-OPTION...]
as_phone() {
    phone=$1
    as_file=$2
    shift 2
    get "$as_file" --cert "$MICS/$phone-chain.pem" --key "$MICS/$phone.key" "$@"
}

# The same with a TLS library of the time when SHA-1 was good.
cat >"$WORK/old.cnf" <<'END'
openssl_conf = all
[all]
ssl_conf = ssl
[ssl]
system_default = old
[old]
CipherString = DEFAULT@SECLEVEL=0
END
as_old_phone() {
    (export OPENSSL_CONF="$WORK/old.cnf" && as_phone "$@")
}

# start_web NAME PROGRAM...: returns when it answers on port 443.
start_web() {
    web=$1
    shift
    cat >"$WORK/web.sh" <<'END'
"$@" &
web=$!
trap 'kill "$web"; wait "$web"; exit 0' TERM
tried=0
curl --silent --insecure --retry 30 --retry-delay 1 --retry-connrefused --output /dev/null \
    https://127.0.0.1/ || tried=$?
[ "$tried" -ne 7 ] || exit 1
systemd-notify --ready
wait "$web"
END
    launch_server "$web" sh "$WORK/web.sh" "$@"
}

# gives_profiles_to_phones_only: whatever the web server is.
gives_profiles_to_phones_only() {
    expect 0 as_phone phone-9871 spa.cfg
    assert_output '<flat-profile/>'
    expect 0 as_phone spa-962 spa.cfg
    # Signed with SHA-1, as the settings allow: the configuration has to say so, too.
    expect 0 as_old_phone phone-7841 spa.cfg
    assert_output '<flat-profile/>'
    for stranger in forged-9871 self-9871 phone-expired; do
        [ -e "$MICS/$stranger-chain.pem" ] || cp "$MICS/$stranger.pem" "$MICS/$stranger-chain.pem"
        if as_phone "$stranger" spa.cfg >"$WORK/output" 2>&1; then
            fail "a profile for $stranger"
        fi
    done
    if get spa.cfg >"$WORK/output" 2>&1; then
        fail "a profile for somebody without a certificate"
    fi
    if grep -q flat-profile "$WORK/output"; then
        fail "a profile in a refusal"
    fi
}

make_server site
set_setting site servers.domains '["telco.net", "voice.com"]'
set_setting site servers.validity_days 400
trust_mics site "$(mic_store cisco-2099 crca2099 hasudi)" \
    "$(mic_store cisco-2048 crca2048 cmca 'accept_sha1 = true')" "$(mic_store spa spa-ca '')"
start_server site
[ "$ADDRESS" != "" ] || fail "no address"

say "row 28: the names that phones accept (V7), PEM and DER, to a file and to standard output"
new_csr server "$CN"
expect 0 sign "$WORK/server.csr" --days 365 --digest sha256 --out "$WORK/server.pem"
assert_output 'valid until'
[ "$(stat -c %a "$WORK/server.pem")" = 644 ] || fail "mode of the certificate's file"
[ "$(grep -c BEGIN "$WORK/server.pem")" -eq 2 ] || fail "not certificate and issuing CA"
openssl verify -purpose sslserver -x509_strict -verify_hostname "$HOST" -CAfile "$(root_of site)" \
    -untrusted "$WORK/server.pem" "$WORK/server.pem" >"$WORK/output" 2>&1 ||
    fail "$(cat "$WORK/output")"
openssl x509 -in "$WORK/server.pem" -noout -checkend $((364 * 86400)) >"$WORK/output" ||
    fail "shorter than asked for"
if openssl x509 -in "$WORK/server.pem" -noout -checkend $((366 * 86400)) >"$WORK/output"; then
    fail "longer than asked for"
fi
for name in sprov.telco.net prof.voice.com/info@voice.com; do
    new_csr other "$name"
    openssl req -in "$WORK/other.csr" -outform DER -out "$WORK/other.der"
    expect 0 sign "$WORK/other.der"
    openssl x509 -in "$WORK/output" -noout -checkhost "${name%%/*}" >"$WORK/verify"
    grep -q 'does match' "$WORK/verify" || fail "$name: $(cat "$WORK/verify")"
done
assert_issued site 3
assert_log site event=issued_by_hand profile=server "cn=$CN" decision=issue
assert_log site event=ca_issue profile=server "cn=$CN"

say "refused with the reason, nothing issued, nothing overwritten"
expect 1 sign "$WORK/server.csr" --out "$WORK/server.pem"
assert_output 'exists already'
expect 1 sign "$WORK/server.csr" --digest md5
assert_output 'allowed is SHA256'
expect 1 sign "$WORK/server.csr" --days 401
assert_output 'allowed are 1 to 400'
for bad in '*.telco.net|a wildcard' '192.0.2.7|an IP address' 'pv|no domain' \
    'pv.example.nl|servers.domains'; do
    new_csr bad "${bad%%|*}"
    expect 1 sign "$WORK/bad.csr" --out "$WORK/bad.pem"
    assert_output "${bad#*|}"
done
new_csr bad "$HOST/CN=second.telco.net"
openssl req -new -key "$WORK/bad.key" -out "$WORK/bad.csr" -subj "/CN=$HOST/CN=second.telco.net"
expect 1 sign "$WORK/bad.csr"
assert_output 'more than one common name'
new_csr bad "$HOST" -addext subjectAltName=IP:192.0.2.7
expect 1 sign "$WORK/bad.csr"
assert_output 'an IP address'
openssl req -new -newkey rsa:1024 -nodes -keyout "$WORK/bad.key" -out "$WORK/bad.csr" \
    -subj "/CN=$HOST" 2>"$WORK/output"
expect 1 sign "$WORK/bad.csr"
assert_output '1024 bits'
new_csr bad "$HOST" -md5
expect 1 sign "$WORK/bad.csr"
assert_output 'RSA-MD5 is not allowed; allowed: SHA-256'
openssl req -in "$WORK/server.csr" -outform DER -out "$WORK/bad.der"
printf '\000' | dd of="$WORK/bad.der" bs=1 conv=notrunc \
    seek=$(($(stat -c %s "$WORK/bad.der") - 9)) 2>"$WORK/output"
expect 1 sign "$WORK/bad.der"
assert_output 'own signature does not hold'
assert_issued site 3
[ ! -e "$WORK/bad.pem" ] || fail "a file after a refusal"
assert_log site event=issued_by_hand decision=refuse 'a wildcard'

say "row 29: a name without an address, before anything is signed"
new_csr lost no-such-host.telco.net
expect 1 sign "$WORK/lost.csr" --check-dns --address 192.0.2.7
assert_output 'no-such-host.telco.net has no address'
assert_issued site 3

say "row 30: Apache gives profiles over mutual TLS, and a program the subject"
expect 0 ctl site server-cert apache --cn "$CN" --certificate "$WORK/server.pem" \
    --key "$WORK/server.key" --directory "$PROFILES" --out "$WORK/mics.pem"
cp "$WORK/output" "$WORK/site-apache.conf"
mkdir "$WORK/apache"
{
    echo "ServerRoot $WORK/apache"
    echo "ServerName localhost"
    echo "PidFile $WORK/apache/pid"
    echo "Mutex file:$WORK/apache"
    echo "DefaultRuntimeDir $WORK/apache"
    echo "ErrorLog $WORK/apache/errors"
    echo "User www-data"
    echo "Group www-data"
    for module in mpm_event authz_core mime ssl headers cgid; do
        echo "LoadModule ${module}_module $MODULES/mod_$module.so"
    done
    echo "TypesConfig /dev/null"
    echo "ScriptSock $WORK/apache/cgi"
    echo "Listen 443"
    echo "Include $WORK/site-apache.conf"
    echo "<Location /who.cgi>"
    echo "    Options +ExecCGI"
    echo "    SetHandler cgi-script"
    echo "</Location>"
} >"$WORK/apache.conf"
start_web apache /usr/sbin/apache2 -f "$WORK/apache.conf" -DFOREGROUND
gives_profiles_to_phones_only
expect 0 as_phone phone-9871 who.cgi
assert_output SSL_CLIENT_S_DN_CN=CP-9871-SEP001A2B3C4D5E 'serialNumber=PID:DP-9871'
expect 0 as_phone spa-962 who.cgi
assert_output SSL_CLIENT_S_DN_OU=SPA-962 SSL_CLIENT_S_DN_L=88012BA01234 \
    SSL_CLIENT_S_DN_ST=000e08abcdef
stop_server apache

say "nginx does the same"
expect 0 ctl site server-cert nginx --cn "$HOST" --certificate "$WORK/server.pem" \
    --key "$WORK/server.key" --directory "$PROFILES" --mic "$WORK/mics.pem"
assert_output "ssl_client_certificate $WORK/mics.pem"
expect 2 ctl site server-cert nginx --cn "$HOST"
assert_output 'are in 5 files'
expect 0 ctl site server-cert nginx --cn "$HOST" --certificate "$WORK/server.pem" \
    --key "$WORK/server.key" --directory "$PROFILES" --out "$WORK/mics-nginx.pem"
cp "$WORK/output" "$WORK/site-nginx.conf"
cmp "$WORK/mics.pem" "$WORK/mics-nginx.pem" || fail "another file of manufacturer's certificates"
mkdir "$WORK/nginx"
{
    echo "user root;"
    echo "pid $WORK/nginx/pid;"
    echo "error_log $WORK/nginx/errors;"
    echo "events { }"
    echo "http {"
    for folder in client_body proxy fastcgi uwsgi scgi; do
        echo "    ${folder}_temp_path $WORK/nginx/$folder;"
    done
    echo "    log_format phones '\"\$phone_cn\"';"
    echo "    access_log $WORK/nginx/phones phones;"
    echo "    include $WORK/site-nginx.conf;"
    echo "}"
} >"$WORK/nginx.conf"
start_web nginx /usr/sbin/nginx -c "$WORK/nginx.conf" -e "$WORK/nginx/errors" -g 'daemon off;'
gives_profiles_to_phones_only
stop_server nginx
grep -q '^"CP-9871-SEP001A2B3C4D5E"$' "$WORK/nginx/phones" || fail "nginx does not know the phone"

say "a phone's key and certificate in a PKCS#12 file"
(umask 077 && echo 'extract-me' >"$WORK/password" && echo >"$WORK/no-password")
expect 0 ctl site phone p12 --cn CP-8841-SEP000000000001 --out "$WORK/phone.p12" \
    --password-file "$WORK/password"
[ "$(stat -c %a "$WORK/phone.p12")" = 600 ] || fail "mode of the PKCS#12 file"
expect 0 openssl pkcs12 -in "$WORK/phone.p12" -passin "file:$WORK/password" -info -noout
assert_output 'AES-256-CBC' 'sha256'
expect 0 openssl pkcs12 -in "$WORK/phone.p12" -passin "file:$WORK/password" -nokeys -clcerts
cp "$WORK/output" "$WORK/phone.pem"
assert_cert site "$WORK/phone.pem" CP-8841-SEP000000000001
expect 0 openssl pkcs12 -in "$WORK/phone.p12" -passin "file:$WORK/password" -nokeys -cacerts
[ "$(grep -c BEGIN "$WORK/output")" -eq 2 ] || fail "not the whole chain in the PKCS#12 file"
openssl pkcs12 -in "$WORK/phone.p12" -passin "file:$WORK/password" -nocerts -nodes 2>"$WORK/output" |
    openssl pkey -pubout >"$WORK/phone.pub"
openssl x509 -in "$WORK/phone.pem" -noout -pubkey | cmp - "$WORK/phone.pub" ||
    fail "the key is not the certificate's"
assert_log site event=issued_by_hand profile=phone mac=000000000001 decision=issue
assert_issued site 4
expect 0 ctl site list
assert_output CP-8841-SEP000000000001
expect 0 ctl site device show 000000000001
assert_output administrator
expect 0 ctl site phone p12 --cn CP-8841-SEP000000000002 --key rsa:3072 --legacy \
    --out "$WORK/legacy.p12" --password-file - <"$WORK/password"
expect 0 openssl pkcs12 -in "$WORK/legacy.p12" -passin "file:$WORK/password" -info -noout
assert_output 'pbeWithSHA1And3-KeyTripleDES-CBC' 'sha1'
expect 1 ctl site phone p12 --cn CP-8841-SEP000000000003 --out "$WORK/phone.p12" \
    --password-file "$WORK/password"
assert_output 'exists already'
expect 2 ctl site phone p12 --cn CP-8841-SEP000000000003 --out "$WORK/none.p12" \
    --password-file "$WORK/no-password"
assert_output 'empty'
expect 2 ctl site phone p12 --cn "$(printf '%065d' 0)" --out "$WORK/none.p12" \
    --password-file "$WORK/password"
[ ! -e "$WORK/none.p12" ] || fail "a file after a refusal"
assert_issued site 5
assert_not_logged site extract-me

say "a PKCS#12 file that cannot be written: nothing is left, the certificate is revoked"
expect 1 with_room 512 "$BIN/scepctl" -c "$WORK/site/scepd.conf" phone p12 \
    --cn CP-8841-SEP000000000004 --out "$WORK/none.p12" --password-file "$WORK/password"
assert_output 'No space left on device' 'was issued for it and is revoked'
[ ! -e "$WORK/none.p12" ] || fail "half a PKCS#12 file"
expect 0 ctl site show CP-8841-SEP000000000004
assert_output revoked

say "both can be revoked"
expect 0 ctl site revoke 000000000001
expect 0 ctl site revoke "$(serial_of "$WORK/server.pem")"
expect 0 ctl site show "$(serial_of "$WORK/server.pem")"
assert_output revoked

say "RADIUS: where the CRL is, for every CA"
expect 2 ctl site radius freeradius
assert_output '--server'
expect 0 ctl site radius freeradius --server "http://$ADDRESS"
assert_output "curl -fsS http://$ADDRESS/crl/" 'check_crl = yes' 'tls-config scepd'
crl=$(sed -n 's/.*curl -fsS \(.*\) | openssl crl .*/\1/p' "$WORK/output")
curl -fsS "$crl" | openssl crl -inform DER -noout -text >"$WORK/crl" || fail "no CRL under $crl"
grep -q "Serial Number: $(serial_of "$WORK/server.pem")" "$WORK/crl" ||
    fail "the revoked certificate is not in the CRL"
stop_server site

say "the same where the CA itself answers SCEP"
make_server site2 --direct
set_setting site2 servers.domains '["telco.net"]'
start_server site2
expect 0 ctl site2 server-cert sign "$WORK/server.csr"
expect 0 ctl site2 phone p12 --cn CP-8841-SEP000000000009 --out "$WORK/direct.p12" \
    --password-file "$WORK/password"
assert_issued site2 2
