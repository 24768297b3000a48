#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# scepd(8) names every event and every key that the programs log, and none that they do not.
# shellcheck source=tests/static/common.sh
. "$(dirname "$0")/common.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The C sources with each call on one line.
sources() {
    find conf ca ra server -name '*.c' ! -path conf/base/log.c | sort | xargs cat | tr -s ' \n' '  '
}

# Words that are certainly logged: events and keys in calls that have them as literals.
logged() {
    sources | grep -oE 'log_begin\([a-z_&]+, "[a-z_]+"' | sed 's/.*"\(.*\)"/\1/'
    sources | grep -oE 'log_(message|failure)\([^"]{1,80}"[a-z_]+"' | sed 's/.*"\(.*\)"/\1/'
    sources | grep -oE '(log_add(_[a-z]+)?|add_clipped|add_unless_empty)\([a-z_&]+, "[a-z_]+"' |
        sed 's/.*"\(.*\)"/\1/'
    printf '%s\n' event error reason message # conf/base/log.c itself
}

# Words of the manual's section LOG; what has a dot is a setting, what begins with scepctl a command.
described() {
    sed -n '/^\.Sh LOG/,/^\.Sh EXAMPLES/p' server/scepd.8 >"$work/section"
    sed -n 's/^\.\(It \)\{0,1\}Ic //p' "$work/section" | grep -v '^scepctl ' | tr ' ' '\n' |
        grep -xE '[a-z_]+'
    sed -n 's/.*Ql event=\([a-z_]*\) .*/event \1/p' "$work/section" | tr ' ' '\n'
}

logged | sort -u >"$work/logged"
described | sort -u >"$work/described"
# Some words are chosen by code, from a table or an argument: there they are literals, too.
sources | grep -oE '"[a-z_]+"' | tr -d '"' | sort -u >"$work/literals"
[ "$(wc -l <"$work/logged")" -gt 60 ] || { echo "the calls could not be read" >&2; exit 1; }

status=0
complain() {
    while read -r word; do
        echo "server/scepd.8: $word $1" >&2
        status=1
    done <"$2"
}
comm -23 "$work/logged" "$work/described" >"$work/missing"
comm -23 "$work/described" "$work/literals" >"$work/unknown"
complain "is logged, but not in the section LOG" "$work/missing"
complain "is in the section LOG, but nothing logs it" "$work/unknown"
exit "$status"
