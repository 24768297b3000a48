#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every shell script is one that /bin/sh can read.
# shellcheck source=tests/static/common.sh
. "$(dirname "$0")/common.sh"
{ our_files '*.sh' && echo .ci/run; } | on_each sh -n
