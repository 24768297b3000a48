#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every C file is laid out as .clang-format says.
# shellcheck source=tests/static/common.sh
. "$(dirname "$0")/common.sh"
our_files '*.c' '*.h' | xargs clang-format --dry-run -Werror
