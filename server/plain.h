// SPDX-License-Identifier: Apache-2.0
// What is answered in plain text, on the administrator's socket and on the web page's port alike:
// GET /metrics (Prometheus) and GET /healthz ("ok", or 503 and what fails, a line each).
#pragma once

#include <microhttpd.h>

#include "server/live.h"

// Whether `path` is one of the two.
bool plain_is_path(const char *path);
// Answers a request for it at `now`: 405 unless it is a GET or HEAD, 503 when the store cannot be
// read. Main thread. Returns what the library's callback is to return.
enum MHD_Result plain_respond(struct MHD_Connection *connection, const char *method,
                              const char *path, struct live *live, int64_t now);
