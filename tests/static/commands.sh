#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# scepctl(8) has every command and option that `scepctl -h` has, and none else: the same operands,
# the same options, with a value where they take one, and an example for each command.
# shellcheck source=tests/static/common.sh
. "$(dirname "$0")/common.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The manual in the words of scepctl_words.
from_manual() {
    awk '
        /^\.Sh / { in_commands = $2 == "COMMANDS" }
        !in_commands { next }
        /^\.It Cm / {
            command = ""
            operand = "none"
            for (i = 3; i <= NF; i++) {
                if ($i == "Op") {
                    operand = "optional"
                } else if ($i == "Ar") {
                    operand = operand == "none" ? "one" : operand
                    break
                } else {
                    command = command (command == "" ? "" : " ") $i
                }
            }
            print command " operand:" operand
        }
        /^\.It Fl Fl / { print command " --" $4 " " ($5 == "Ar" ? "value" : "flag") }' \
        server/scepctl.8
}

# Each command stands in an example of its own.
missing_examples() {
    sed -n '/^\.Sh COMMANDS/,/^\.Sh ENVIRONMENT/s/^\.Dl [#$] scepctl //p' server/scepctl.8 >"$work/examples"
    scepctl_words | sed -n 's/ operand:.*//p' | while read -r command; do
        grep -qE "^$command( |\$)" "$work/examples" || echo "$command: has no example"
    done
}

scepctl_words | sort >"$work/help"
from_manual | sort >"$work/manual"
missing_examples >"$work/missing"
[ "$(wc -l <"$work/help")" -gt 50 ] || { echo "scepctl -h could not be read" >&2; exit 1; }
status=0
diff -u --label "scepctl -h" --label server/scepctl.8 "$work/help" "$work/manual" >&2 || status=1
[ ! -s "$work/missing" ] || { cat "$work/missing" >&2; status=1; }
exit "$status"
