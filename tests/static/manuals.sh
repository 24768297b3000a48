#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# There is a manual for each program, for the settings and for the formats: mandoc has nothing to say.
# shellcheck source=tests/static/common.sh
. "$(dirname "$0")/common.sh"
exec mandoc -T lint -W warning server/scepd.8 server/scepctl.8 server/scepd-wire.7 conf/scepd.conf.5
