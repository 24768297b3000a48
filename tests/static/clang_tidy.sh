#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# clang-tidy with .clang-tidy's checks, among them the limits on functions, finds nothing.
# shellcheck source=tests/static/common.sh
. "$(dirname "$0")/common.sh"
compiled_files | on_each clang-tidy --quiet -p "$BUILD" 2>"$BUILD/clang-tidy.log" || {
    grep -v 'warnings generated' "$BUILD/clang-tidy.log" >&2 || true
    exit 1
}
