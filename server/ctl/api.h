// SPDX-License-Identifier: Apache-2.0
// scepd's admin interface as scepctl uses it: one HTTP request over the Unix socket that the
// settings name.
#pragma once

#include <jansson.h>

#include "server/ctl/ctl.h"
#include "server/ctl/progress.h"

struct api_request {
    const char *method;        // "GET", "POST", "DELETE"
    const char *collection;    // "/v1/challenges", with "?limit=..." when wanted
    const char *item;          // NULL, or what follows the collection; is escaped here
    const json_t *body;        // NULL = none
    struct progress *progress; // of sending the body; NULL = not shown
    bool may_be_missing;       // what is not there is no failure, but a NULL answer
    bool *ret_is_unreachable;  // NULL = the user is told; else it is set when scepd did not answer
};

// Asks, and gives the answer in *ret_answer (the caller gives it back). On failure it has told the
// user what is wrong and returns the exit code.
enum ctl_exit api_call(struct ctl *ctl, const struct api_request *request, json_t **ret_answer);

// Prints `answer` as one JSON document in ASCII, so that nothing in it can act on a terminal.
enum ctl_exit api_print(struct ctl *ctl, const json_t *answer);

// The string member `key` of an object; NULL when it is null or absent. Borrowed.
const char *api_text(const json_t *object, const char *key);
int64_t api_number(const json_t *object, const char *key);

static inline void api_decref(json_t **json)
{
    json_decref(*json);
}
