// SPDX-License-Identifier: Apache-2.0
// scepd from its start to its end: starts the parts in their order, then is the main thread
// (signals, the administrator's interface, pings to scepd-ca, the watchdog), and ends the parts so
// that nothing that was begun is lost.
#pragma once

#include <stdbool.h>

#include "conf/base/err.h"

struct daemon_options {
    const char *settings_path;
    bool is_ca_external; // scepd-ca is a service of its own, behind ca.socket; else it is a child
};

// Runs until SIGTERM or SIGINT. Errors: ERR_CONFIG for wrong settings, which have been told on
// standard error or are in `err`; everything else is trouble at run time (a part did not start,
// scepd-ca ended).
enum err_code daemon_run(const struct daemon_options *options, struct err *err) MUST_CHECK;
