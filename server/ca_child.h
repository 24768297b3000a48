// SPDX-License-Identifier: Apache-2.0
// scepd-ca as a child process of scepd. Each of the two ends when the other one does, however that
// ends. All calls are the main thread's; SIGCHLD must be blocked.
#pragma once

#include <sys/types.h>

#include "conf/settings.h"

struct ca_child;

// Makes the socket that scepd-ca listens on and starts the program with it; before any thread and
// any LMDB environment exists. Whether it works shows by the first answer to a ping. Errors: as
// listener_open_unix(); ERR_NOT_FOUND when there is no such program; ERR_IO, ERR_NOMEM.
enum err_code ca_child_start(const struct settings *settings, const char *settings_path,
                             struct ca_child **ret_child, struct err *err) MUST_CHECK;

// Whether it has ended by itself; `err` then says how (ERR_BUSY).
bool ca_child_has_ended(struct ca_child *child, struct err *err);

// Ends it (SIGTERM, after a few seconds SIGKILL), waits for its end, removes the socket. NULL is
// fine.
void ca_child_stop(struct ca_child *take_child);
