# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# For the static checks: where the source is, and which files belong to the project. ctest sets
# SCEPD_SOURCE and SCEPD_BUILD.
set -eu
cd "${SCEPD_SOURCE:?set by ctest to the source folder}"
BUILD=${SCEPD_BUILD:?set by ctest to the build folder}
ROOMS="conf ca ra server tests"

# our_files PATTERN...: files of the rooms by name.
our_files() {
    for pattern in "$@"; do
        # shellcheck disable=SC2086 # a list of folders
        find $ROOMS -type f -name "$pattern"
    done | sort
}

# The C files that the build compiles.
compiled_files() {
    sed -n 's/^ *"file": "\(.*\)",\{0,1\}$/\1/p' "$BUILD/compile_commands.json" | sort -u
}

# Runs a command on each of many arguments from standard input, one a processor.
on_each() {
    xargs -P "$(nproc)" -n 1 "$@"
}

# What `scepctl COMMAND -h` says of every command in `scepctl -h`, as lines: COMMAND operand:none,
# operand:one or operand:optional; COMMAND --OPTION value or flag.
scepctl_words() {
    "$BUILD/bin/scepctl" -h | sed -n 's/^  \([a-z].*\)/\1/p' |
        sed 's/ [^ ]*[^a-z0-9 -].*//' >"${work:?set by who calls this}/commands"
    while read -r command; do
        # shellcheck disable=SC2086 # words of one command
        "$BUILD/bin/scepctl" $command -h </dev/null | awk -v command="$command" '
            /^  [a-z]/ {
                operand = substr($0, length(command) + 4)
                kind = operand == "" ? "none" : operand ~ /^\[/ ? "optional" : "one"
                print command " operand:" kind
            }
            /^      --/ && !/^      --json/ { print command " " $1 " " (NF > 1 ? "value" : "flag") }'
    done <"$work/commands"
}
