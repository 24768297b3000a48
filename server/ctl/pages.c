// SPDX-License-Identifier: Apache-2.0
#include "server/ctl/pages.h"

#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "server/admin/admin_resources.h"
#include "server/ctl/read.h"

DEFINE_CLEANUP(char *, free);
DEFINE_CLEANUP(char *, curl_free);

// "COLLECTION?limit=N&after=KEY"; NULL when memory is out.
static char *make_query(const struct pages *pages, int64_t wanted, const char *after)
{
    char *query = NULL;
    char mark = strchr(pages->collection, '?') != NULL ? '&' : '?';
    CLEANUP(cleanup_curl_free) char *key = after != NULL ? curl_easy_escape(NULL, after, 0) : NULL;
    if (after != NULL && key == NULL) {
        return NULL;
    }
    int len = asprintf(&query, "%s%climit=%jd%s%s", pages->collection, mark, (intmax_t)wanted,
                       key != NULL ? "&after=" : "", key != NULL ? key : "");
    return len >= 0 ? query : NULL;
}

// Gets one page of at most `wanted` and appends its list.
static enum ctl_exit get_page(struct ctl *ctl, const struct pages *pages, int64_t wanted,
                              const char *after, json_t **ret_page)
{
    CLEANUP(cleanup_free) char *query = make_query(pages, wanted, after);
    if (query == NULL) {
        return ctl_complain(ctl, CTL_FAILED, "out of memory");
    }
    const struct api_request request = {.method = "GET", .collection = query};
    return api_call(ctl, &request, ret_page);
}

static enum ctl_exit take_page(struct ctl *ctl, const struct pages *pages, json_t *page,
                               json_t *list, json_t **after)
{
    if (json_array_extend(list, json_object_get(page, pages->member)) != 0) {
        return ctl_complain(ctl, CTL_FAILED, "scepd's answer has no list, or out of memory");
    }
    json_decref(*after);
    *after = json_incref(json_object_get(page, "next_after"));
    return CTL_OK;
}

enum ctl_exit pages_get(struct ctl *ctl, const struct pages *pages, json_t *list, json_t **after,
                        json_t **ret_first)
{
    int64_t missing = pages->limit;
    do {
        CLEANUP(api_decref) json_t *page = NULL;
        int64_t wanted = missing < ADMIN_PAGE_MAX ? missing : ADMIN_PAGE_MAX;
        enum ctl_exit code = get_page(ctl, pages, wanted, json_string_value(*after), &page);
        if (code == CTL_OK) {
            code = take_page(ctl, pages, page, list, after);
        }
        if (code != CTL_OK) {
            return code;
        }
        if (ret_first != NULL && *ret_first == NULL) {
            *ret_first = json_incref(page);
        }
        missing = pages->limit - (int64_t)json_array_size(list);
    } while (missing > 0 && json_is_string(*after));
    return CTL_OK;
}

enum ctl_exit pages_read_limit(struct ctl *ctl, const struct ctl_arguments *arguments,
                               int64_t otherwise, int64_t *ret_limit)
{
    struct err err = {0};
    const char *text = arguments->options[CTL_LIMIT];
    *ret_limit = otherwise;
    if (text != NULL && read_count(text, 1, PAGES_LIMIT_MAX, ret_limit, &err) != ERR_OK) {
        return ctl_complain(ctl, CTL_USAGE, "--limit: %s", err.text);
    }
    return CTL_OK;
}

void pages_tell_more(struct ctl *ctl, const json_t *after)
{
    if (json_is_string(after)) {
        fputs("There are more; --limit N shows up to N.\n", ctl->errors);
    }
}
