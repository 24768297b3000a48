// SPDX-License-Identifier: Apache-2.0
// Octets from scepd's admin interface, as they come. For JSON: server/ctl/api.h.
#pragma once

#include "server/ctl/ctl.h"

#include "conf/base/buf.h"

struct download {
    const char *socket; // of the admin interface
    const char *path;   // "/v1/backup"
    // Gets each line of the answer's head without its end.
    void (*take_head)(void *context, const char *line);
    // Gets the octets. When it fails the rest is not wanted.
    enum err_code (*take)(void *context, struct view octets, struct err *err);
    void *context;
};

// Errors: ERR_BUSY when the answer ended before its end or scepd asks to come again, ERR_NOT_FOUND
// when nobody answers, ERR_DENIED with scepd's words when it says no and when a signal came
// (server/ctl/interrupt.h), ERR_NOMEM, and those of `take`.
enum err_code download_run(const struct download *download, struct err *err) MUST_CHECK;
