# SPDX-License-Identifier: Apache-2.0
# Read by ctest before each run of tests: a sanitizer's report ends the program at once with exit
# code 99, which no test expects.
set(ENV{ASAN_OPTIONS} "exitcode=99:detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1")
set(ENV{UBSAN_OPTIONS} "exitcode=99:halt_on_error=1:print_stacktrace=1")
set(ENV{TSAN_OPTIONS} "exitcode=99:halt_on_error=1:second_deadlock_stack=1")
