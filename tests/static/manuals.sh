#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# There is a manual for each program, for the settings and for the formats: mandoc has nothing to say,
# of style neither, but for long lines of source and manuals that this machine does not have.
# shellcheck source=tests/static/common.sh
. "$(dirname "$0")/common.sh"
status=0
for manual in server/scepd.8 server/scepctl.8 server/scepd-wire.7 conf/scepd.conf.5; do
    mandoc -T lint -W style "$manual" >"${complaints:=$(mktemp)}" || :
    if grep -Ev 'longer than 80 bytes|referenced manual not found|outdated mandoc.db' "$complaints" >&2
    then
        status=1
    fi
done
rm -f "$complaints"
exit "$status"
