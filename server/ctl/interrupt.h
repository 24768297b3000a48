// SPDX-License-Identifier: Apache-2.0
// Long work that leaves nothing half done when somebody presses Ctrl-C: the signals that end the
// program wait, the work looks now and then whether there is one, clears up, and then it acts.
#pragma once

#include <signal.h>

#include "conf/base/err.h"

struct interrupt {
    sigset_t before;
};

// From here to interrupt_release() SIGINT, SIGTERM and SIGHUP wait.
struct interrupt interrupt_hold(void);
void interrupt_release(struct interrupt *interrupt);
// Errors: ERR_DENIED when one of them has come.
enum err_code interrupt_check(struct err *err) MUST_CHECK;
