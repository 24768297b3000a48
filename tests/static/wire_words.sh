#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# scepd-wire(7) says of frames, tables, versions, events and the administrator's resources what the
# code says, and forgets none.
# shellcheck source=tests/static/common.sh
. "$(dirname "$0")/common.sh"
MANUAL=server/scepd-wire.7
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0

# same WHAT: the lines of $work/code and $work/manual are the same and not none.
same() {
    sort -u "$work/code" >"$work/code.sorted"
    sort -u "$work/manual" >"$work/manual.sorted"
    if [ ! -s "$work/code.sorted" ]; then
        echo "no $1 found in the code" >&2
        status=1
    elif ! diff -u --label code --label "$MANUAL" "$work/code.sorted" "$work/manual.sorted" >&2; then
        echo "$1 differ" >&2
        status=1
    fi
}

# number NAME FILE: of a #define.
number() {
    sed -n "s/^#define $1 *\([0-9]*\).*/\1/p" "$2"
}

# says TEXT: a whole line of the manual.
says() {
    grep -qxF "$1" "$MANUAL" || {
        echo "$MANUAL does not say: $1" >&2
        status=1
    }
}

sed -n 's/^ *FRAME_\([A-Z_]*\) = \([0-9]*\),.*/\2 \1/p' ca/frame.h >"$work/code"
sed -n 's/^\.It \([0-9]*\) \([A-Z_]*\), .*/\1 \2/p' "$MANUAL" >"$work/manual"
same "frame types"

sed -n 's/^ *\[TABLE_[A-Z_]*\] = "\([a-z_]*\)",/\1/p' ra/store/store_env.c >"$work/code"
sed -n '/^Tables, /,/^Records, /s/^\.It Ic //p' "$MANUAL" | sed 's/ , /\n/g' >"$work/manual"
same "tables"

sed -n 's/^ *EVENT_\([A-Z_]*\) = \([1-9][0-9]*\),.*/\2 \1/p' ra/store/store.h | grep -v ' BY_' |
    tr '[:upper:]' '[:lower:]' >"$work/code"
sed -n '/^u8      1 issued/,/unlisted$/p' "$MANUAL" | grep -oE '[0-9]+ [a-z_]+' >"$work/manual"
same "events"

# The members of an event's record, by their types, in their order.
types() {
    "$@" | tr '\n' ' ' >"$work/types"
    cat "$work/types"
}
types sed -nE 's/^    (wire|record)_put_([a-z0-9]*)\(&writer.*/\2/p' ra/store/record_event.c |
    sed 's/version //; s/bool/flag/g; s/fixed/o16/g' >"$work/code"
sed -n '/^\.It event$/,/^\.Ed/p' "$MANUAL" | types sed -nE 's/^(flag|text|[iuo][0-9]+) .*/\1/p' \
    >"$work/manual"
same "members of an event"

# Settings of routes that stand in a macro have their path there.
grep -ohE '"/(v1/)?[a-z]+"' server/admin/admin_routes.[ch] server/plain.c | tr -d '"' >"$work/code"
sed -n '/^\.Sh ADMINISTRATION/,/^\.Sh SEE ALSO/p' "$MANUAL" | grep -oE '/(v1/[a-z]+|metrics|healthz)' \
    >"$work/manual"
same "resources"

says "u8      version: $(number FRAME_VERSION ca/frame.h)"
says "One datagram is one frame, of at most $(number FRAME_MAX_LEN ca/frame.h) octets."
says "The version of the schema is $(number STORE_SCHEMA_VERSION ra/store/store.h)."
says "Every record begins with a u8, its version: $(number RECORD_VERSION ra/store/record.h)."
exit "$status"
