#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Each folder says what it is, in a README.md of at most 30 lines.
# shellcheck source=tests/static/common.sh
. "$(dirname "$0")/common.sh"
status=0
# Unit tests are one folder a room, explained by the README above them.
# shellcheck disable=SC2086 # a list of folders
for folder in $(find $ROOMS systemd -type d ! -path 'tests/unit/*' | sort); do
    lines=0
    [ ! -f "$folder/README.md" ] || lines=$(wc -l <"$folder/README.md")
    if [ "$lines" -eq 0 ] || [ "$lines" -gt 30 ]; then
        echo "$folder/README.md: has $lines lines; 1 to 30 are wanted" >&2
        status=1
    fi
done
exit "$status"
