// SPDX-License-Identifier: Apache-2.0
// The web page's port: what is shown of the fleet, figures for Prometheus, and /healthz. Only GET
// and HEAD, nothing can be changed; nobody is asked who they are, so it listens on loopback. By the
// same libmicrohttpd as everything else, in external-epoll mode, run by the main thread.
#pragma once

#include "server/live.h"

struct web_settings {
    int take_fd;        // a listening socket, or -1: then one is made for `listen`
    const char *listen; // "ADDR:PORT"
    struct live *live;  // outlives it; its `web_listening` is set
};

struct web;

// Begins to listen. `take_fd` is closed on failure, too. Errors: ERR_IO, ERR_SYNTAX, ERR_NOMEM.
enum err_code web_new(const struct web_settings *settings, struct web **ret_web,
                      struct err *err) MUST_CHECK;
void web_free(struct web *web); // NULL is fine
// As admin_fd() and so on; all of them may be called with NULL, which has no descriptor (-1), no
// timeout (-1) and nothing to do.
int web_fd(const struct web *web);
int web_timeout_ms(const struct web *web);
void web_run(struct web *web);
