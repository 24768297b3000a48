// SPDX-License-Identifier: Apache-2.0
// Figures for Prometheus, in its text format (version 0.0.4).
#pragma once

#include "server/live.h"

// The content type goes with it.
#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

// Appends all figures as they are at `now` to *out. Main thread. Errors: ERR_NOMEM, and those of
// fleet_get().
enum err_code metrics_write(struct live *live, int64_t now, struct buf *out,
                            struct err *err) MUST_CHECK;
