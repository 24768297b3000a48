#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# cppcheck finds nothing; tests/static/cppcheck.supp says what it is not asked about, and why.
# shellcheck source=tests/static/common.sh
. "$(dirname "$0")/common.sh"
mkdir -p "$BUILD/cppcheck"
exec cppcheck --quiet --project="$BUILD/compile_commands.json" -j "$(nproc)" \
    --cppcheck-build-dir="$BUILD/cppcheck" \
    --enable=warning,portability,performance --inline-suppr --error-exitcode=1 \
    --suppressions-list=tests/static/cppcheck.supp
