#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The built programs carry every hardening that the compiler offers: position independent, read-only
# relocations bound at start, no executable stack, stack protector, fortified library calls.
# shellcheck source=tests/static/common.sh
. "$(dirname "$0")/common.sh"

needs() {
    readelf --wide "$3" "$file" | grep -qE "$2" || {
        echo "$file: no $1" >&2
        status=1
    }
}

status=0
for file in "$BUILD/bin/scepd" "$BUILD/bin/scepd-ca" "$BUILD/bin/scepctl"; do
    needs "position independence" 'Type: +DYN' --file-header
    needs "read-only relocations" 'GNU_RELRO' --program-headers
    needs "binding at start" 'BIND_NOW|FLAGS.*NOW' --dynamic
    needs "protection of the stack from execution" 'GNU_STACK.* RW +0x' --program-headers
    needs "stack protector" '__stack_chk_fail' --dyn-syms
    needs "fortified library calls" '_chk(@| |$)' --dyn-syms
done
exit "$status"
