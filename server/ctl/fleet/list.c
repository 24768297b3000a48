// SPDX-License-Identifier: Apache-2.0
// scepctl list: issued certificates, newest first.
#include "server/ctl/fleet/certificates.h"
#include "server/ctl/pages.h"

#define LIMIT_DEFAULT 100

static enum ctl_exit print(struct ctl *ctl, json_t *list, json_t *after)
{
    if (ctl->is_json) {
        CLEANUP(api_decref)
        json_t *answer = json_pack("{s:O, s:O}", "next_after", after, "certificates", list);
        return api_print(ctl, answer);
    }
    enum ctl_exit code = certificates_print(ctl, list);
    if (code == CTL_OK) {
        pages_tell_more(ctl, after);
    }
    return code;
}

static enum ctl_exit run(struct ctl *ctl, const struct ctl_arguments *arguments)
{
    struct pages pages = {.collection = "/v1/certificates", .member = "certificates"};
    enum ctl_exit code = pages_read_limit(ctl, arguments, LIMIT_DEFAULT, &pages.limit);
    if (code != CTL_OK) {
        return code;
    }
    CLEANUP(api_decref) json_t *list = json_array();
    CLEANUP(api_decref) json_t *after = NULL;
    code = pages_get(ctl, &pages, list, &after, NULL);
    return code == CTL_OK ? print(ctl, list, after) : code;
}

static const struct ctl_option options[] = {
    {"limit", CTL_LIMIT, "N", "at most so many (100)"},
    {0},
};

const struct ctl_command ctl_list = {
    .name = "list",
    .summary = "List certificates, newest first.",
    .options = options,
    .run = run,
};
