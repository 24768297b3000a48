#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The one test command: installs what tests need, builds three ways, runs every test in each, and
# closes with ctest's summaries. Anything that fails or is missing makes the exit status non-zero.
set -eu

SOURCE=$(cd "$(dirname "$0")/.." && pwd)
cd "$SOURCE"
# shellcheck source=server/packages.sh
. server/packages.sh

PRESETS="release asan tsan"
JOBS=$(nproc)
TESTS_AT_ONCE=$((JOBS + 1)) # tests often wait for something

configure_and_build() {
    echo "== building $1"
    mkdir -p "build/$1"
    cmake -C "tests/presets/$1.cmake" -S . -B "build/$1" -G Ninja >"build/$1/cmake.log" 2>&1 &&
        cmake --build "build/$1" -j "$JOBS" >"build/$1/build.log" 2>&1 && return 0
    tail -n 60 "build/$1/cmake.log" >&2
    grep -v '^\[' "build/$1/build.log" 2>/dev/null | tail -n 100 >&2
    echo "== building $1 failed; see build/$1/build.log" >&2
    return 1
}

# ctest's own output goes to a file until all are done, so that the summaries stand together.
run_tests() {
    echo "== testing $1"
    ctest --test-dir "build/$1" -j "$TESTS_AT_ONCE" --output-on-failure >"build/$1/ctest.log" 2>&1
}

show_failures() {
    if [ "$1" -ne 0 ] && [ -e "build/$2/ctest.log" ]; then
        echo "== failures in $2"
        # Test by test, what failed with what it printed; the summary comes later.
        sed '/tests passed, .* tests failed/,$d' "build/$2/ctest.log" | grep -v '   Passed  '
    fi
}

show_summary() {
    if [ -e "build/$1/ctest.log" ]; then
        echo "== $1"
        sed -n '/tests passed, .* tests failed/,$p' "build/$1/ctest.log"
        # ctest says which tests were skipped, these say why.
        sed -n 's/^SKIPPED: /Skipped: /p' "build/$1/Testing/Temporary/LastTest.log"
    fi
}

install_packages server/packages build test tool
failed=
for preset in $PRESETS; do
    rm -f "build/$preset/ctest.log"
    status=0
    configure_and_build "$preset" && run_tests "$preset" || status=1
    show_failures "$status" "$preset"
    [ "$status" -eq 0 ] || failed="$failed $preset"
done
for preset in $PRESETS; do
    show_summary "$preset"
done
if [ -n "$failed" ]; then
    echo "FAILED:$failed"
    exit 1
fi
