// SPDX-License-Identifier: Apache-2.0
// The administrator's interface: HTTP + JSON on a Unix socket (mode 0600), by the same
// libmicrohttpd in external-epoll mode, run by the main thread; so it needs no thread and no lock
// of its own. The resources and their errors are in server/admin/README.md.
#pragma once

#include "server/live.h"

struct admin;

// Binds `socket_path` (a stale socket is replaced, a live one is an error: ERR_EXISTS) and gets
// ready. `live` outlives it. Errors: ERR_IO, ERR_EXISTS, ERR_LIMIT, ERR_NOMEM.
enum err_code admin_new(const char *socket_path, struct live *live, struct admin **ret_admin,
                        struct err *err) MUST_CHECK;
// Ends connections, removes the socket file.
void admin_free(struct admin *admin);
// The descriptor to poll for reading, and how long at most (milliseconds, -1 = for ever).
int admin_fd(const struct admin *admin);
int admin_timeout_ms(const struct admin *admin);
// Handles what is ready; called by the main thread after its poll. Writes wait for the commit.
void admin_run(struct admin *admin);
