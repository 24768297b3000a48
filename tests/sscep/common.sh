# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# For the scripts beside it: sscep's command line, and requests made for it.
# shellcheck source=tests/lib/harness.sh
. "$(dirname "$0")/../lib/harness.sh"

SSCEP=${SSCEP:-sscep}
command -v "$SSCEP" >/dev/null 2>&1 || {
    say "sscep is neither on PATH nor named by \$SSCEP"
    exit "$SKIPPED"
}

# sscep's exit statuses.
# shellcheck disable=SC2034 # for the scripts
SSCEP_BAD_ALG=70
# shellcheck disable=SC2034
SSCEP_BAD_REQUEST=72

# get_ca: asks for the CA certificates; $WORK/ca-0 is the RA's.
get_ca() {
    expect 0 "$SSCEP" getca -u "$URL" -c "$WORK/ca" -i ''
}

# make_request CN CHALLENGE [STRING_MASK]: $WORK/key and $WORK/csr; an empty challenge leaves the
# attribute out.
make_request() {
    {
        printf '[req]\nprompt = no\ndistinguished_name = name\nstring_mask = %s\n' "${3:-utf8only}"
        [ -z "$2" ] || printf 'attributes = attributes\n[attributes]\nchallengePassword = %s\n' "$2"
        printf '[name]\nCN = %s\n' "$1"
    } >"$WORK/req.conf"
    openssl req -new -newkey rsa:2048 -nodes -config "$WORK/req.conf" -keyout "$WORK/key" \
        -out "$WORK/csr" 2>"$WORK/req.log" || fail "$(cat "$WORK/req.log")"
}

# sscep_enroll OUT OPTION...
sscep_enroll() {
    sscep_out=$1
    shift
    "$SSCEP" enroll -u "$URL" -c "$WORK/ca-0" -k "$WORK/key" -r "$WORK/csr" -l "$sscep_out" \
        -t 1 -T 30 -n 5 "$@"
}
