#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# 802.1X: FreeRADIUS, set up by what `scepctl radius freeradius` prints, lets a phone in by EAP-TLS
# with its enrolled certificate (eapol_test), keeps it out after its revocation as soon as the CRL is
# fetched again, and lets it in with its next certificate. RADIUS has its port in a network of the
# script's own.
[ "${RADIUS_NETWORK-}" = own ] || {
    unshare --net true 2>/dev/null || {
        echo "skipped: this machine does not let root make a network namespace"
        exit 77
    }
    RADIUS_NETWORK=own exec unshare --net sh "$0" "$@"
}
# shellcheck source=tests/lib/harness.sh
. "$(dirname "$0")/../lib/harness.sh"

RADDB=$WORK/raddb
SECRET=$WORK/radius-secret
PHONE=CP-9871-SEP001A2B3C4D5E

# print_module [OPTION...]: what scepctl prints becomes the module and the commands beside it.
print_module() {
    expect 0 ctl site radius freeradius --server "http://$ADDRESS" "$@"
    sed "s|/etc/freeradius/3.0|$RADDB|g" "$WORK/output" >"$WORK/printed"
    sed -n '/scepctl/d; /systemctl/d; s/^#   //p' "$WORK/printed" >"$WORK/fetch.sh"
    grep -v '^#' "$WORK/printed" >"$RADDB/mods/eap"
}

# fetch: what it says is to be done now and then, but for the restart.
fetch() {
    expect 0 sh -e "$WORK/fetch.sh"
}

start_radius() {
    # It says that it is ready by sd_notify, as under systemd.
    launch_server radius sh -c 'exec freeradius -f -l stdout -d "$1" >&2' sh "$RADDB"
}

# eapol FOLDER: asks to be let in with the certificate in FOLDER; its exit status.
eapol() {
    cat >"$WORK/eapol.conf" <<END
network={
    key_mgmt=WPA-EAP
    eap=TLS
    identity="$PHONE"
    ca_cert="$WORK/site/root.pem"
    domain_match="radius.example.net"
    client_cert="$1/cert.pem"
    private_key="$1/key.pem"
}
END
    eapol_test -c "$WORK/eapol.conf" -a 127.0.0.1 -s "$(cat "$SECRET")" -t 20 >"$WORK/eapol" 2>&1
}

assert_let_in() {
    eapol "$1" || fail "not let in: $(tail -n 5 "$WORK/eapol")"
    grep -qx SUCCESS "$WORK/eapol" || fail "no success"
}

assert_kept_out() {
    if eapol "$1"; then
        fail "let in"
    fi
    grep -qx FAILURE "$WORK/eapol" || fail "no failure: $(tail -n 5 "$WORK/eapol")"
}

ip link set lo up
make_server site
set_setting site servers.domains '["example.net"]'
start_server site

say "the RADIUS server's own certificate"
mkdir -p "$RADDB/certs"
expect 0 openssl req -new -newkey rsa:2048 -nodes -keyout "$RADDB/certs/radius.key" \
    -subj /CN=radius.example.net -out "$WORK/radius.csr"
expect 0 ctl site server-cert sign "$WORK/radius.csr" --out "$RADDB/certs/radius.pem"

say "FreeRADIUS with the printed configuration"
mkdir "$RADDB/run" "$RADDB/mods"
print_module
openssl rand -hex 16 >"$SECRET"
cp /etc/freeradius/3.0/dictionary "$RADDB"
cat >"$RADDB/radiusd.conf" <<END
prefix = /usr
libdir = /usr/lib/freeradius
confdir = $RADDB
logdir = $RADDB/run
run_dir = $RADDB/run
db_dir = $RADDB/run
max_requests = 1024
log {
    auth = yes
}
security {
    reject_delay = 0
}
thread pool {
    start_servers = 1
    max_servers = 2
    min_spare_servers = 1
    max_spare_servers = 1
}
modules {
    \$INCLUDE mods/
}
client loopback {
    ipaddr = 127.0.0.1
    secret = $(cat "$SECRET")
}
server default {
    listen {
        type = auth
        ipaddr = 127.0.0.1
        port = 0
    }
    authorize {
        eap {
            ok = return
        }
    }
    authenticate {
        eap
    }
}
END
fetch
start_radius

say "a phone with its certificate is let in"
new_challenge site --cn "$PHONE"
mkdir "$WORK/first" "$WORK/second"
expect 0 enroll --out "$WORK/first" --cn "$PHONE"
assert_let_in "$WORK/first"

say "one of another CA is not"
make_server other
FINGERPRINT=$(root_fingerprint site)
cp -R "$WORK/first" "$WORK/stranger"
expect 0 openssl req -new -key "$WORK/first/key.pem" -subj "/CN=$PHONE" -out "$WORK/stranger.csr"
expect 0 openssl x509 -req -in "$WORK/stranger.csr" -CA "$WORK/other/issuing.pem" \
    -CAkey "$WORK/other/issuing.key" -days 30 -out "$WORK/stranger/cert.pem"
assert_kept_out "$WORK/stranger"

say "revoked: kept out once the CRL is fetched again"
expect 0 ctl site revoke "$(serial_of "$WORK/first/cert.pem")" --reason keyCompromise
assert_let_in "$WORK/first"
fetch
stop_server radius
start_radius
assert_kept_out "$WORK/first"
grep -qi revoked "$WORK/radius.run/log" || fail "FreeRADIUS does not say why"

say "enrolled anew: let in"
new_challenge site --cn "$PHONE"
expect 0 enroll --out "$WORK/second" --cn "$PHONE"
assert_let_in "$WORK/second"
stop_server radius

say "the same by OCSP: kept out at once"
print_module --ocsp
rm "$RADDB/certs/scepd"/*.crl
fetch
start_radius
assert_let_in "$WORK/second"
assert_log site operation=OCSP method=POST status=200
expect 0 ctl site revoke "$(serial_of "$WORK/second/cert.pem")" --reason cessationOfOperation
assert_kept_out "$WORK/second"
stop_server radius
stop_server site
