#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Enrols the same number of phones at scepd and at Debian's scepserver and compares.
#   tests/bench/compare.sh [BUILD_DIR]      PHONES=2000 CONNECTIONS=8
set -eu

ROOT=$(cd "$(dirname "$0")/../.." && pwd)

# scepserver listens on every address: a network of its own keeps it away from the machine's.
if [ -z "${COMPARE_NETWORK:-}" ]; then
    # shellcheck source=server/packages.sh
    . "$ROOT/server/packages.sh"
    install_packages "$ROOT/server/packages" build test bench
    COMPARE_NETWORK=own exec unshare --net sh "$0" "$@"
fi
ip link set lo up

BUILD=${1:-$ROOT/build/release}
PHONES=${PHONES:-2000}
CONNECTIONS=${CONNECTIONS:-8}
SPEED_SEC=5     # of openssl speed
PRIVATE_OPS=3   # RSA private operations of one enrolment
READY_SEC=20    # for scepserver to answer
PORT_TRIES=5    # free ports that are tried for scepserver
FIRST_PORT=20000
LAST_PORT=32000 # below the ports that the kernel gives to outgoing connections

cmake -S "$ROOT" -B "$BUILD" -DCMAKE_BUILD_TYPE=Release >/dev/null
cmake --build "$BUILD" --target scepd scepd-ca scepctl phone keeper -j "$(nproc)" >/dev/null
BUILD=$(cd "$BUILD" && pwd)
SCEPD_BIN=$BUILD/bin
SCEPD_TOOLS=$BUILD/tests
# shellcheck source=tests/lib/harness.sh
. "$ROOT/tests/lib/harness.sh"

PEER=
bench_end() {
    status=$?
    stop_peer
    (exit "$status")
    harness_end
}
trap bench_end EXIT

stop_peer() {
    if [ -n "$PEER" ]; then
        kill "$PEER" 2>/dev/null || true
        wait "$PEER" 2>/dev/null || true
        PEER=
    fi
}

# Sets PEER and URL. A port that is taken ends scepserver at once; then another one is tried.
start_peer() {
    tries=0
    while [ "$tries" -lt "$PORT_TRIES" ]; do
        tries=$((tries + 1))
        port=$(shuf -i "$FIRST_PORT-$LAST_PORT" -n 1)
        URL=http://127.0.0.1:$port/scep
        scepserver -depot "$WORK/depot" -port "$port" -challenge "$CHALLENGE" -allowrenew 0 \
            >"$WORK/scepserver.log" 2>&1 &
        PEER=$!
        if curl -sf -o /dev/null --retry "$READY_SEC" --retry-delay 1 --retry-connrefused \
            --noproxy '*' "$URL?operation=GetCACaps" && kill -0 "$PEER" 2>/dev/null; then
            return
        fi
        stop_peer
    done
    fail "scepserver does not start"
}

# run_bench FINGERPRINT [OPTION...]: against $URL; the result is printed and kept in RESULT.
run_bench() {
    pinned=$1
    shift
    bench_status=0
    "$BIN/phone" bench --phones "$PHONES" --connections "$CONNECTIONS" --server "$URL" \
        --fingerprint "$pinned" --challenge-file "$WORK/static" "$@" >"$WORK/bench" 2>&1 ||
        bench_status=$?
    RESULT=$(grep '^enrolments_per_s=' "$WORK/bench") || { cat "$WORK/bench"; fail "no result"; }
}

value() {
    echo "$RESULT" | tr ' ' '\n' | sed -n "s/^$1=//p"
}

calculate() {
    awk "BEGIN { printf \"%.2f\", $1 }"
}

# Means of scepd's own microseconds a stage, from its log.
print_stages() {
    awk '/decision=issue/ {
        count++
        for (i = 1; i <= NF; i++) {
            if (split($i, pair, "=") == 2 && pair[1] ~ /_us$/) {
                if (!(pair[1] in sum)) {
                    names[++known] = pair[1]
                }
                sum[pair[1]] += pair[2]
            }
        }
    }
    END {
        for (i = 1; i <= known; i++) {
            printf "%s=%.0f ", names[i], sum[names[i]] / count
        }
        print ""
    }' "$WORK/site.run/log"
}

command -v scepserver >/dev/null || fail "scepserver is not there; apt-get install scep"
CHALLENGE=$(od -An -N 12 -tx1 /dev/urandom | tr -d ' \n')
(umask 077 && echo "$CHALLENGE" >"$WORK/static")
say "load before: $(cut -d ' ' -f 1-3 /proc/loadavg)"

say "scepserver: $PHONES phones, $CONNECTIONS connections"
scepserver ca -init -depot "$WORK/depot" -keySize 2048 >"$WORK/output" 2>&1
peer_root=$(openssl x509 -in "$WORK/depot/ca.pem" -noout -fingerprint -sha256 | sed 's/.*=//')
start_peer
run_bench "$peer_root" --legacy
echo "$RESULT"
peer_rate=$(value enrolments_per_s)
peer_answers=$(value answers_per_s)
stop_peer

say "scepd: $PHONES phones, $CONNECTIONS connections"
make_server site --static-challenge-file "$WORK/static"
start_server site
run_bench "$FINGERPRINT"
echo "$RESULT"
our_rate=$(value enrolments_per_s)
our_status=$bench_status
say "its mean microseconds a stage (waiting for a processor included):"
print_stages
stop_server site

say "openssl speed: RSA-2048 private operations on $(nproc) processors"
openssl speed -seconds "$SPEED_SEC" -multi "$(nproc)" rsa2048 >"$WORK/speed" 2>/dev/null
private_rate=$(awk '$1 == "rsa" && $2 == "2048" { print $6 }' "$WORK/speed")
[ -n "$private_rate" ] || fail "openssl speed said nothing"

echo "scepd enrolments/s:          $our_rate"
echo "scepserver enrolments/s:     $peer_rate ($peer_answers with refusals)"
echo "ratio:                       $(calculate "$our_rate / $peer_rate")"
echo "ratio to all its answers:    $(calculate "$our_rate / $peer_answers")"
echo "bound (private ops/s / $PRIVATE_OPS):   $(calculate "$private_rate / $PRIVATE_OPS")"
echo "scepd's share of the bound:  $(calculate "100 * $our_rate * $PRIVATE_OPS / $private_rate") %"
if [ "$our_status" -ne 0 ]; then
    cat "$WORK/bench"
    fail "scepd did not serve every phone"
fi
