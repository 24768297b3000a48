#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every header compiles alone: it includes what it uses.
# shellcheck source=tests/static/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck disable=SC2016 # the inner shell expands
our_files '*.h' | on_each sh -c '
    echo "#include \"$1\"" |
        cc -std=gnu17 -D_GNU_SOURCE -Wall -Wextra -Werror -I. -Itests/unit -fsyntax-only -xc - ||
        { echo "$1 does not compile alone" >&2; exit 1; }' sh
