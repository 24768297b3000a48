#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# systemd has nothing to say of the units, and what they leave open ("exposure", 0 to 10) stays low.
# The scripts of the package are ones that /bin/sh can read.
# shellcheck source=tests/static/common.sh
. "$(dirname "$0")/common.sh"

SKIPPED=77

# exposure UNIT TENTHS: systemd's sum for the unit is at most this.
exposure() {
    systemd-analyze security --offline=true --no-pager --threshold="$2" "$UNITS/$1" \
        >"$WORK/exposure" 2>&1 || {
        grep -v '✓' "$WORK/exposure" >&2
        echo "systemd/$1: leaves more open than $2 tenths" >&2
        status=1
    }
    # Without this line systemd has not looked at all.
    grep "Overall exposure level for $1" "$WORK/exposure" || status=1
}

# has UNIT DIRECTIVE...: each stands in the unit, or in a comment that says why it does not.
has() {
    unit=$1
    shift
    for directive in "$@"; do
        grep -q "$directive" "systemd/$unit" || {
            echo "systemd/$unit: not a word about $directive" >&2
            status=1
        }
    done
}

status=0
for script in systemd/debian/postinst systemd/debian/prerm systemd/debian/postrm; do
    sh -n "$script" || status=1
done

# What a service of this project decides on, one way or the other.
for unit in scepd.service scepd-ca.service; do
    has "$unit" User= StateDirectory= RuntimeDirectory= ConfigurationDirectory= LoadCredential= \
        WatchdogSec= Restart= StartLimitBurst= CapabilityBoundingSet= NoNewPrivileges= \
        ProtectSystem= ProtectHome= ProtectProc= ProcSubset= PrivateTmp= PrivateDevices= \
        PrivateUsers= PrivateIPC= PrivateNetwork= ProtectClock= ProtectHostname= \
        ProtectKernelLogs= ProtectKernelModules= ProtectKernelTunables= ProtectControlGroups= \
        RestrictNamespaces= RestrictRealtime= RestrictSUIDSGID= RestrictAddressFamilies= \
        SystemCallArchitectures= SystemCallFilter= SystemCallErrorNumber= landlock \
        MemoryDenyWriteExecute= LockPersonality= RemoveIPC= UMask= LimitCORE= LimitMEMLOCK= \
        IPAddressDeny=
done

if ! command -v systemd-analyze >/dev/null; then
    [ "$status" -eq 0 ] || exit "$status"
    echo "SKIPPED: there is no systemd-analyze to judge the units"
    exit "$SKIPPED"
fi
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
# The programs are where the build has put them, not where the package will.
UNITS=$WORK
for unit in systemd/*.service systemd/*.socket; do
    sed "s|=/usr/sbin/|=$BUILD/bin/|" "$unit" >"$UNITS/${unit#systemd/}"
done
exposure scepd.service 15
exposure scepd-ca.service 10
systemd-analyze verify --man=no --recursive-errors=no "$UNITS"/*.service "$UNITS"/*.socket \
    >"$WORK/verify" 2>&1 || {
    cat "$WORK/verify" >&2
    status=1
}
exit "$status"
