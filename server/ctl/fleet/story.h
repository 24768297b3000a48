// SPDX-License-Identifier: Apache-2.0
// Events of the history as people read them: one line each.
#pragma once

#include "server/ctl/api.h"

struct story {
    bool is_colored;
    bool names_device; // each line says whose event it is
};
// Prints one event of /v1/events, escaped. On failure the user has been told.
enum ctl_exit story_print(struct ctl *ctl, const struct story *story, const json_t *event);

// "/v1/events?of=DEVICE", escaped, for api_call() and pages_get(); to be free()d. NULL when memory
// is out, which the user has been told.
char *story_query(struct ctl *ctl, const char *device);
