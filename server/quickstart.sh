#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# quickstart.sh [--once] [--listen ADDR:PORT]
# From a fresh clone to a phone with a certificate: installs packages, builds, makes a CA in demo/
# (kept if it is there), starts scepd, enrols one simulated phone, and serves until Ctrl-C.
set -eu

SOURCE=$(cd "$(dirname "$0")/.." && pwd)
BUILD=$SOURCE/build/quickstart
BIN=$BUILD/bin
DEMO=$SOURCE/demo
CONFIG=$DEMO/scepd.conf
START_SEC=30 # for scepd to answer its administrator

LISTEN=127.0.0.1:8080
ONCE=no
SCEPD_PID=

# shellcheck source=server/packages.sh
. "$SOURCE/server/packages.sh"

say() {
    printf '\n* %s\n' "$*"
}

die() {
    echo "quickstart: $*" >&2
    exit 1
}

usage() {
    echo "usage: sh server/quickstart.sh [--once] [--listen ADDR:PORT]" >&2
    exit 2
}

read_arguments() {
    while [ $# -gt 0 ]; do
        case $1 in
        --once) ONCE=yes ;;
        --listen)
            [ $# -ge 2 ] || usage
            LISTEN=$2
            shift
            ;;
        *) usage ;;
        esac
        shift
    done
}

# quietly LOG COMMAND...: what it prints is shown only when it fails.
quietly() {
    log=$1
    shift
    "$@" >"$log" 2>&1 || {
        tail -n 30 "$log" >&2
        die "this failed: $*"
    }
}

build() {
    say "Building scepd in build/quickstart"
    mkdir -p "$BUILD"
    quietly "$BUILD/cmake.log" cmake -S "$SOURCE" -B "$BUILD" -G Ninja -DCMAKE_BUILD_TYPE=Release
    quietly "$BUILD/ninja.log" cmake --build "$BUILD" --target scepd scepd-ca scepctl phone
}

make_ca() {
    if [ -e "$CONFIG" ]; then
        say "Keeping the CA in demo/"
        sed -i "s|^    #\{0,1\}listen = .*;|    listen = \"$LISTEN\";|" "$CONFIG"
        return
    fi
    say "Making a CA in demo/: root, issuing CA, and the RA that phones talk to"
    "$BIN/scepctl" init "$DEMO" --listen "$LISTEN" --organization "scepd demo"
}

ctl() {
    "$BIN/scepctl" -c "$CONFIG" "$@"
}

# json_text KEY FILE: the first value of that name.
json_text() {
    sed -n "s/.*\"$1\": \"\([^\"]*\)\".*/\1/p" "$2" | head -n 1
}

fingerprint() {
    openssl x509 -in "$DEMO/root.pem" -noout -fingerprint "-$1" | sed 's/.*=//; s/://g'
}

start_scepd() {
    say "Starting scepd (its log is demo/scepd.log)"
    "$BIN/scepd" -c "$CONFIG" >>"$DEMO/scepd.log" 2>&1 &
    SCEPD_PID=$!
    waited=0
    until ctl --json status >"$TEMP/status.json" 2>/dev/null; do
        kill -0 "$SCEPD_PID" 2>/dev/null || {
            SCEPD_PID=
            tail -n 5 "$DEMO/scepd.log" >&2
            die "scepd did not start"
        }
        waited=$((waited + 1))
        [ "$waited" -lt $((START_SEC * 5)) ] || die "scepd does not answer"
        sleep 0.2
    done
    ADDRESS=$(json_text listening "$TEMP/status.json")
    # A phone in this machine reaches a wildcard address by loopback.
    SERVER=$(echo "$ADDRESS" | sed 's/^0\.0\.0\.0:/127.0.0.1:/; s/^\[::\]:/[::1]:/')
}

stop_scepd() {
    [ -z "$SCEPD_PID" ] || {
        kill "$SCEPD_PID" 2>/dev/null || true
        wait "$SCEPD_PID" 2>/dev/null || true
        SCEPD_PID=
    }
}

enroll_phone() {
    say "Making a one-time challenge, and enrolling a simulated phone with it"
    (umask 077 && ctl --json challenge new --ttl 10m >"$TEMP/challenge.json" &&
        json_text secret "$TEMP/challenge.json" >"$TEMP/challenge")
    rm -rf "$DEMO/phone"
    "$BIN/phone" enroll --server "http://$SERVER" --fingerprint "$(fingerprint sha256)" \
        --challenge-file "$TEMP/challenge" --cn CP-9871-SEP001A2B3C4D5E --out "$DEMO/phone" ||
        die "the phone was not enrolled; see demo/scepd.log"
}

verify_certificate() {
    say "Verifying the phone's certificate against the root with openssl"
    openssl verify -CAfile "$DEMO/root.pem" -untrusted "$DEMO/issuing.pem" -purpose sslclient \
        "$DEMO/phone/cert.pem" || die "the certificate does not verify"
    openssl x509 -in "$DEMO/phone/cert.pem" -noout -subject -issuer -serial -dates
}

# What a real phone's cfg.xml needs, with a challenge unless the server is about to stop.
elements() {
    set -- --server "http://$SERVER" --cn CP-9871-SEP001A2B3C4D5E
    [ "$ONCE" = yes ] || set -- "$@" --new-challenge --ttl 1d
    ctl phone cfgxml "$@" 2>"$TEMP/warnings" || {
        cat "$TEMP/warnings" >&2
        die "scepctl phone cfgxml failed"
    }
}

explain() {
    (umask 077 && elements >"$TEMP/elements") || exit 1
    cat <<END

What happened: the phone asked the server for its certificates, found among them the root whose
fingerprint it had been given, made a key of its own and sent a request with the challenge inside,
encrypted to the RA. scepd accepted the challenge, had scepd-ca sign the certificate, wrote it to
disk and only then answered. The challenge is used up. The phone's files are in demo/phone.

The root's fingerprints, as the phone wants them:
  SHA-256  $(fingerprint sha256)
  SHA-1    $(fingerprint sha1)

For a real phone's cfg.xml. The phone must be able to reach the address: start with --listen
ADDR:PORT, and put that address in CDC_Server_1_. A challenge in it is good for one phone and one
day; without one the phone signs with its manufacturer's certificate, which scepd then has to trust.
The common name is optional: without it the phone takes the one from its manufacturer.
$(sed 's/^/  /' "$TEMP/elements")

The same for DHCP: build/quickstart/bin/scepctl phone option43 -h
END
}

serve() {
    say "scepd serves at http://$SERVER until Ctrl-C"
    status=0
    wait "$SCEPD_PID" || status=$?
    SCEPD_PID=
    die "scepd ended by itself with exit status $status; see demo/scepd.log"
}

read_arguments "$@"
TEMP=$(mktemp -d)
trap 'stop_scepd; rm -rf "$TEMP"' EXIT
trap 'trap "" INT TERM HUP; echo; say "Stopping"; exit 0' INT TERM HUP
install_packages "$SOURCE/server/packages" build
build
make_ca
start_scepd
enroll_phone
verify_certificate
explain
[ "$ONCE" = yes ] || serve
