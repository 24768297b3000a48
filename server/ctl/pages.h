// SPDX-License-Identifier: Apache-2.0
// Lists that scepd gives page by page.
#pragma once

#include "server/ctl/api.h"

#define PAGES_LIMIT_MAX 1000000 // entries that one command shows at most

struct pages {
    const char *collection; // "/v1/certificates", or "/v1/due?days=30"
    const char *member;     // of the answer: the list
    int64_t limit;          // entries wanted
};
// Appends up to `limit` entries to `list`. *after (NULL before) gets the last page's "next_after",
// a reference: a text when there are more. *ret_first (NULL = not wanted) gets the first page as it
// came, a reference. On failure the user has been told.
enum ctl_exit pages_get(struct ctl *ctl, const struct pages *pages, json_t *list, json_t **after,
                        json_t **ret_first);

// The option --limit, or `otherwise` when it is not given.
enum ctl_exit pages_read_limit(struct ctl *ctl, const struct ctl_arguments *arguments,
                               int64_t otherwise, int64_t *ret_limit);
// Tells people that there are more, when `after` says so.
void pages_tell_more(struct ctl *ctl, const json_t *after);
