// SPDX-License-Identifier: Apache-2.0
// What every long-running program of ours does to itself before it touches a key.
#pragma once

#include "conf/base/err.h"

// No core dumps, no ptrace by other users, no new privileges through exec, umask 0077.
// Called once, first thing in main(). Errors: ERR_IO.
enum err_code process_harden(struct err *err) MUST_CHECK;
// The kernel sends SIGTERM to this process when the thread that started it ends, even by kill -9.
// Called between fork and exec; `parent` is the starter's process id. Errors: ERR_IO; ERR_NOT_FOUND
// when the parent is gone already.
enum err_code process_die_with_parent(int parent, struct err *err) MUST_CHECK;
