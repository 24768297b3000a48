// SPDX-License-Identifier: Apache-2.0
// scepctl list: issued certificates, newest first, page by page.
#include <stdio.h>

#include "server/admin_resources.h"
#include "server/ctl/api.h"
#include "server/ctl/certificates.h"
#include "server/ctl/read.h"

#define LIMIT_DEFAULT  100
#define LIMIT_MAX      1000000
#define COLLECTION_LEN 128 // bytes of "/v1/certificates?limit=...&after=..."

// Gets one page of at most `limit` and appends it to `list`; *after, the serial number to go on
// after, becomes the next page's (a reference) or NULL.
static enum ctl_exit get_page(struct ctl *ctl, int64_t limit, json_t *list, json_t **after)
{
    CLEANUP(api_decref) json_t *page = NULL;
    char collection[COLLECTION_LEN];
    const char *serial = json_string_value(*after);
    snprintf(collection, sizeof collection, "/v1/certificates?limit=%jd%s%.64s", (intmax_t)limit,
             serial != NULL ? "&after=" : "", serial != NULL ? serial : "");
    const struct api_request request = {.method = "GET", .collection = collection};
    enum ctl_exit code = api_call(ctl, &request, &page);
    if (code != CTL_OK) {
        return code;
    }
    if (json_array_extend(list, json_object_get(page, "certificates")) != 0) {
        return ctl_complain(ctl, CTL_FAILED, "scepd's answer has no list, or out of memory");
    }
    json_decref(*after);
    *after = json_incref(json_object_get(page, "next_after"));
    return CTL_OK;
}

static enum ctl_exit get_all(struct ctl *ctl, int64_t limit, json_t *list, json_t **after)
{
    int64_t missing = limit;
    do {
        int64_t wanted = missing < ADMIN_PAGE_MAX ? missing : ADMIN_PAGE_MAX;
        enum ctl_exit code = get_page(ctl, wanted, list, after);
        if (code != CTL_OK) {
            return code;
        }
        missing = limit - (int64_t)json_array_size(list);
    } while (missing > 0 && json_is_string(*after));
    return CTL_OK;
}

static enum ctl_exit print(struct ctl *ctl, json_t *list, json_t *after)
{
    if (ctl->is_json) {
        CLEANUP(api_decref)
        json_t *answer = json_pack("{s:O, s:O}", "next_after", after, "certificates", list);
        return api_print(ctl, answer);
    }
    enum ctl_exit code = certificates_print(ctl, list);
    if (code == CTL_OK && json_is_string(after)) {
        fputs("There are more; --limit N shows up to N.\n", ctl->errors);
    }
    return code;
}

static enum ctl_exit run(struct ctl *ctl, const struct ctl_arguments *arguments)
{
    struct err err = {0};
    int64_t limit = LIMIT_DEFAULT;
    const char *text = arguments->options[CTL_LIMIT];
    if (text != NULL && read_count(text, 1, LIMIT_MAX, &limit, &err) != ERR_OK) {
        return ctl_complain(ctl, CTL_USAGE, "--limit: %s", err.text);
    }
    CLEANUP(api_decref) json_t *list = json_array();
    CLEANUP(api_decref) json_t *after = NULL;
    enum ctl_exit code = get_all(ctl, limit, list, &after);
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
