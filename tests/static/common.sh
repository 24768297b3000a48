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
