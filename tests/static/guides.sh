#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every scepctl command in README.md, in the guides and in the manuals is one that scepctl has, with
# options that it has and as many words as it takes. In running text the beginning of a command
# ("scepctl pending") is enough. Links lead to files.
# shellcheck source=tests/static/common.sh
. "$(dirname "$0")/common.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
TEXTS="README.md server/guides/*.md"
status=0

# Lines "FILE:LINE: strict|loose scepctl ...": whole lines of code, and spans of it in the text.
from_markdown() {
    # shellcheck disable=SC2086 # a list of files
    awk '
        FNR == 1 { in_code = 0 }
        /^ *```/ { in_code = !in_code; next }
        in_code && /^ *([a-z\/]*bin\/)?scepctl / {
            sub(/^ *([a-z\/]*bin\/)?/, "")
            print FILENAME ":" FNR ": strict " $0
        }
        !in_code {
            n = split($0, spans, "`")
            for (i = 2; i <= n; i += 2) {
                if (spans[i] ~ /^scepctl /) {
                    print FILENAME ":" FNR ": loose " spans[i]
                }
            }
        }' $TEXTS
}

from_manuals() {
    awk '
        /^\.Bd -literal/ { in_block = 1 }
        /^\.Ed/ { in_block = 0 }
        (/^\.Dl [#$] scepctl / || (in_block && /^[#$] scepctl /)) {
            sub(/^(\.Dl )?[#$] /, "")
            print FILENAME ":" FNR ": strict " $0
        }' server/*.[78] conf/*.5
}

scepctl_words >"$work/words"
{ from_markdown && from_manuals; } >"$work/lines"
[ "$(wc -l <"$work/lines")" -gt 60 ] || { echo "hardly any commands found" >&2; exit 1; }

awk '
    FNR == NR {
        split($0, halves, / (--|operand:)/)
        command = halves[1]
        if ($0 ~ / operand:/) {
            commands[command] = substr($0, index($0, "operand:") + 8)
            prefix = ""
            n = split(command, words, " ")
            for (i = 1; i <= n; i++) {
                prefix = prefix (i > 1 ? " " : "") words[i]
                prefixes[prefix] = 1
            }
        } else {
            options[command, $(NF - 1)] = $NF
        }
        next
    }
    function complain(text) {
        print line ": " text ": " said > "/dev/stderr"
        failed = 1
    }
    {
        line = $1
        is_strict = $2 == "strict"
        said = $0
        sub(/^[^ ]* [a-z]* /, "", said)
        # What the shell would not hand on, and quoted words as one word.
        words_text = said
        gsub(/\047[^\047]*\047|\$\([^)]*\)/, "X", words_text)
        sub(/ *([|;>#]|&&).*/, "", words_text)
        n = split(words_text, words, " ")
        i = 2
        while (i <= n && words[i] ~ /^-/) {
            i += words[i] ~ /^-[cs]$|^--(config|socket)$/ ? 2 : 1
        }
        command = ""
        found = ""
        for (last = i; i <= n; i++) {
            command = command (command == "" ? "" : " ") words[i]
            if (command in commands) {
                found = command
                last = i
            } else if (!(command in prefixes)) {
                break
            }
        }
        if (found == "") {
            if (is_strict || !(command in prefixes)) {
                complain("no such command")
            }
            next
        }
        operands = 0
        for (i = last + 1; i <= n; i++) {
            if (words[i] == "...") {
                is_strict = 0
            } else if (words[i] == "--json" || words[i] == "-h") {
                continue
            } else if (words[i] ~ /^-[cs]$/) {
                i++
            } else if (words[i] ~ /^--/) {
                if (!((found, words[i]) in options)) {
                    complain("no option " words[i])
                } else if (options[found, words[i]] == "value" && ++i > n && is_strict) {
                    complain("an option without its value")
                }
            } else {
                operands++
            }
        }
        if (operands > (commands[found] == "none" ? 0 : 1)) {
            complain("too many words")
        }
        if (is_strict && operands == 0 && commands[found] == "one") {
            complain("a word is missing")
        }
    }
    END { exit failed }' "$work/words" "$work/lines" || status=1

# shellcheck disable=SC2086 # a list of files
for text in $TEXTS; do
    grep -oE '\]\([^)#:]+(#[^)]*)?\)' "$text" | sed 's/^](//; s/[#)].*//' | while read -r target; do
        [ -e "$(dirname "$text")/$target" ] || echo "$text: nothing is at $target"
    done
done >"$work/links"
[ ! -s "$work/links" ] || { cat "$work/links" >&2; status=1; }
exit "$status"
