#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every row of tests/phone_rows.txt has a test that ctest runs and that names the row.
# shellcheck source=tests/static/common.sh
. "$(dirname "$0")/common.sh"
TABLE=tests/phone_rows.txt
status=0

complain() {
    echo "$TABLE: $*" >&2
    status=1
}

# file_of TEST: the source of ctest's TEST, empty when there is none.
file_of() {
    for file in "tests/$1.sh" "tests/$1.c" "tests/${1%/*}/test_${1##*/}.c"; do
        if [ -f "$file" ]; then
            echo "$file"
            return
        fi
    done
}

# check_test ROW TEST
check_test() {
    file=$(file_of "$2")
    if [ -z "$file" ]; then
        complain "row $1: there is no file of the test $2"
    elif ! grep -qiE "(^|[^a-z])row[ _]$1([^0-9]|\$)" "$file"; then
        complain "row $1: $file does not say \"row $1\""
    elif ! grep -qx "$2" "$tests"; then
        complain "row $1: ctest does not run $2"
    fi
}

check_row() {
    if [ "$(grep -c "^$1 | ..* | ..*" "$TABLE")" -ne 1 ]; then
        complain "row $1 is not there, or not once, as NUMBER | WORDS | TESTS"
        return
    fi
    row_tests=$(sed -n "s/^$1 | .* | //p" "$TABLE")
    for test in $row_tests; do
        check_test "$1" "$test"
    done
}

tests=$(mktemp)
trap 'rm -f "$tests"' EXIT
ctest --test-dir "$BUILD" -N | sed -n 's/^ *Test *#[0-9]*: //p' >"$tests"
for row in $(seq 1 30) 32; do
    check_row "$row"
done
exit "$status"
