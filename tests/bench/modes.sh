#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# How fast one scepd serves phones that prove themselves by challenge, by manufacturer's certificate
# and by the certificate they have (renewal), and the ratios to the first.
#   tests/bench/modes.sh [BUILD_DIR]      PHONES=1000 CONNECTIONS=8 ROUNDS=3
set -eu

ROOT=$(cd "$(dirname "$0")/../.." && pwd)
BUILD=${1:-$ROOT/build/release}
PHONES=${PHONES:-1000}
CONNECTIONS=${CONNECTIONS:-8}
ROUNDS=${ROUNDS:-3}
WANTED=0.85        # of the challenge's enrolments/s
SHORT_DAYS=20      # life of the certificates that are renewed afterwards
SHORT_WINDOW=16    # shorter than that, as scepd wants it
LONG_DAYS=730      # of those that replace them
LONG_WINDOW=30     # the short ones are in it from their first day
MIC_CA_DAYS=3650
STATISTICS=statistics # a line "MODE PHONES SECONDS" a run

cmake -S "$ROOT" -B "$BUILD" -DCMAKE_BUILD_TYPE=Release >/dev/null
cmake --build "$BUILD" --target scepd scepd-ca scepctl phone keeper await -j "$(nproc)" >/dev/null
BUILD=$(cd "$BUILD" && pwd)
SCEPD_BIN=$BUILD/bin
SCEPD_TOOLS=$BUILD/tests
# shellcheck source=tests/lib/harness.sh
. "$ROOT/tests/lib/harness.sh"

# lives DAYS WINDOW: of the certificates from now on.
lives() {
    set_setting site phone.validity_days "$1"
    set_setting site renewal.window_days "$2"
}

# stage_means FROM: means of the stages in the log's lines from there on, waiting included.
stage_means() {
    tail -n "+$1" "$WORK/site.run/log" | awk '
    /decision=issue/ {
        count++
        for (i = 1; i <= NF; i++) {
            if (split($i, part, "=") == 2 && part[1] ~ /_us$/) {
                if (!(part[1] in sum)) {
                    order[++stages] = part[1]
                }
                sum[part[1]] += part[2]
            }
        }
    }
    END {
        for (i = 1; i <= stages; i++) {
            printf "  %s=%.0f", order[i], sum[order[i]] / count
        }
        print ""
    }'
}

# run_bench MODE [OPTION...]: prints the result and notes it.
run_bench() {
    mode=$1
    shift
    from=$(($(wc -l <"$WORK/site.run/log") + 1))
    phone bench --mode "$mode" --phones "$PHONES" --connections "$CONNECTIONS" "$@" \
        >"$WORK/bench" 2>&1 || { cat "$WORK/bench"; fail "scepd did not serve every phone: $mode"; }
    result=$(grep '^enrolments_per_s=' "$WORK/bench") || { cat "$WORK/bench"; fail "no result"; }
    echo "$mode $result"
    stage_means "$from"
    seconds=$(echo "$result" | tr ' ' '\n' | sed -n 's/^seconds=//p')
    echo "$mode $PHONES $seconds" >>"$WORK/$STATISTICS"
}

print_rates() {
    awk -v wanted="$WANTED" '
    { phones[$1] += $2; seconds[$1] += $3 }
    END {
        base = phones["challenge"] / seconds["challenge"]
        count = split("challenge mic renew", modes, " ")
        for (i = 1; i <= count; i++) {
            rate = phones[modes[i]] / seconds[modes[i]]
            remark = (rate / base < wanted) ? "   below " wanted : ""
            printf "%-10s enrolments/s: %7.1f   ratio to challenge: %.2f%s\n", modes[i], rate,
                rate / base, remark
        }
    }' "$WORK/$STATISTICS"
}

say "a factory for phones, a server that trusts it"
mkdir "$WORK/mics"
openssl req -x509 -newkey rsa:2048 -nodes -days "$MIC_CA_DAYS" -subj "/O=Cisco/CN=Bench Manufacturing CA" \
    -addext "keyUsage=critical,keyCertSign,cRLSign" \
    -keyout "$WORK/mics/bench.key" -out "$WORK/mics/bench.pem" 2>"$WORK/factory.log"
(umask 077 && od -An -N 12 -tx1 /dev/urandom | tr -d ' \n' >"$WORK/static")
make_server site --static-challenge-file "$WORK/static"
trust_mics site "$(mic_store bench bench '')"
set_setting site phone.validity_jitter_days 0
lives "$SHORT_DAYS" "$SHORT_WINDOW"
start_server site
say "load before: $(cut -d ' ' -f 1-3 /proc/loadavg)"

round=0
while [ "$round" -lt "$ROUNDS" ]; do
    say "round $((round + 1)) of $ROUNDS: $PHONES phones, $CONNECTIONS connections"
    first=$((round * PHONES + 1))
    lives "$SHORT_DAYS" "$SHORT_WINDOW"
    reload_server site
    run_bench challenge --challenge-file "$WORK/static" --first-phone "$first" \
        --out "$WORK/fleet"
    run_bench mic --mic-ca "$WORK/mics/bench.pem" --mic-ca-key "$WORK/mics/bench.key" \
        --first-phone "$first"
    lives "$LONG_DAYS" "$LONG_WINDOW"
    reload_server site
    run_bench renew --state "$WORK/fleet"
    rm -r "$WORK/fleet"
    round=$((round + 1))
done
stop_server site
print_rates
