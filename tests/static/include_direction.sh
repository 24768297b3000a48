#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Includes go one way: conf <- ca <- ra <- server, of ca/ the RA sees only client.h and frame.h,
# conf/base stands alone, and the simulated phone shares nothing with the server.
# shellcheck source=tests/static/common.sh
. "$(dirname "$0")/common.sh"

allowed_in() {
    case $1 in
    conf/base/*) echo 'conf/base/' ;;
    conf/*) echo 'conf/' ;;
    ca/*) echo '(conf|ca)/' ;;
    ra/*) echo '(conf/|ra/|ca/(client|frame)\.h)' ;;
    server/phone/*) echo '(conf/|server/phone/)' ;;
    server/*) echo '(conf|ca|ra|server)/' ;;
    tests/phone/*) echo 'tests/phone/' ;;
    tests/unit/phone/*) echo '((tests/phone|kit)/|[a-z_]+\.h)' ;;
    tests/unit/*) echo '((conf|ca|ra|server|kit|tests/mic)/|[a-z_]+\.h)' ;;
    tests/bench/*) echo '(conf|ra|tests/bench)/' ;;
    tests/*) echo 'tests/' ;;
    esac
}

# The project's includes in a file that its room may not have.
wrong_includes() {
    sed -n 's/^ *# *include *"\([^"]*\)".*/\1/p' "$2" | grep -vE "^($(allowed_in "$1"))" || true
}

# The check itself can say no.
probe=$(mktemp)
trap 'rm -f "$probe"' EXIT
echo '#include "server/http.h"' >"$probe"
for room in conf/base/x.c conf/x.c ca/x.c ra/x.c tests/phone/x.c; do
    [ -n "$(wrong_includes "$room" "$probe")" ] || { echo "the check is broken: $room" >&2; exit 1; }
done
echo '#include "ca/key.h"' >"$probe"
[ -n "$(wrong_includes ra/x.c "$probe")" ] || { echo "the check is broken: ra and ca" >&2; exit 1; }

our_files '*.c' '*.h' | {
    status=0
    while read -r file; do
        wrong=$(wrong_includes "$file" "$file")
        if [ -n "$wrong" ]; then
            echo "$file may not include:" "$wrong" >&2
            status=1
        fi
    done
    exit "$status"
}
