#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# scepctl phone try against a server that is not ours: scepserver of the package scep. It listens
# on every address, so this script makes itself a network of its own.
if [ -z "${IN_OWN_NETWORK-}" ]; then
    if unshare --net ip link set lo up; then
        exec env IN_OWN_NETWORK=yes unshare --net sh "$0"
    fi
    echo "SKIPPED: this machine makes no network for the test"
    exit 77
fi
# shellcheck source=tests/lib/harness.sh
. "$(dirname "$0")/../lib/harness.sh"
ip link set lo up
PORT=8080
URL=http://127.0.0.1:$PORT/scep
READY_SEC=30 # for it to answer
CHALLENGE=a-static-challenge

PEER=
end_peer() {
    if [ -n "$PEER" ]; then
        kill "$PEER" || true
        wait "$PEER" 2>/dev/null || true
        PEER=
    fi
}
end_all() {
    peer_status=$?
    set +e
    end_peer 2>/dev/null
    (exit "$peer_status")
    harness_end
}
trap end_all EXIT

# start_peer DAYS: issues certificates of so many days.
start_peer() {
    end_peer
    scepserver -depot "$WORK/depot" -port "$PORT" -challenge "$CHALLENGE" -allowrenew 0 \
        -crtvalid "$1" >"$WORK/scepserver.log" 2>&1 &
    PEER=$!
    curl -sf -o "$WORK/ready" --retry "$READY_SEC" --retry-delay 1 --retry-connrefused \
        --noproxy '*' "$URL?operation=GetCACaps" || fail "scepserver does not start"
}

# try STATUS OPTION...
try() {
    wanted_status=$1
    shift
    expect "$wanted_status" "$BIN/scepctl" phone try "$URL" --fingerprint "$FINGERPRINT" "$@"
}

scepserver ca -init -depot "$WORK/depot" -keySize 2048 >"$WORK/output" 2>&1 || fail "ca -init"
FINGERPRINT=$(openssl x509 -in "$WORK/depot/ca.pem" -noout -fingerprint -sha256 | sed 's/.*=//')
(umask 077 && echo "$CHALLENGE" >"$WORK/challenge")
start_peer 365

say "a dry look: one certificate that is root, CA and RA"
try 0
assert_output 'GetCACert: 1 certificate as application/x-x509-ca-cert' \
    'has the given SHA-256 fingerprint' 'stopped here'

say "a bare address: it serves one path only"
expect 1 "$BIN/scepctl" phone try "127.0.0.1:$PORT" --fingerprint "$FINGERPRINT"
assert_output 'GetCACert: HTTP status 404'

say "a certificate; the answer is in single DES, whatever was asked with"
try 0 --challenge-file "$WORK/challenge" --out "$WORK/out"
assert_output 'answer: encrypted with DES-CBC, asked with AES-128-CBC' \
    'certificate: "CN=CP-9871-SEP000000000000' 'certificate: leads to the root'
openssl verify -CAfile "$WORK/depot/ca.pem" "$WORK/out/cert.pem" >"$WORK/verify" 2>&1 ||
    fail "$(cat "$WORK/verify")"
say "which no phone in FIPS mode can read"
try 1 --challenge-file "$WORK/challenge" --cn fips --fips
assert_output 'problem  answer: encrypted with DES-CBC'

say "a wrong challenge"
echo wrong >"$WORK/wrong"
try 1 --challenge-file "$WORK/wrong" --cn refused
assert_output 'problem  answer: FAILURE'

say "certificates of ten days: a phone would renew every four hours"
start_peer 10
try 0 --challenge-file "$WORK/challenge" --cn short
assert_output 'within the 15 in which phones renew' 'every 4 hours, for ever'
