// SPDX-License-Identifier: Apache-2.0
#include "server/http_ocsp.h"

#include <stdio.h>
#include <string.h>

#include "conf/base/clock.h"
#include "ra/ocsp.h"
#include "server/respond.h"

#define TYPE_OCSP     "application/ocsp-response"
#define CACHE_NEVER   "no-store"
#define CACHE_LEN     80 // bytes of a Cache-Control header with NUL
#define ALLOW         "GET, POST"
#define NO_QUESTION   "no question for OCSP; it belongs into a POST, or in base64 behind the path"
#define LONG_QUESTION "a question for OCSP longer than 4096 octets"

_Static_assert(OCSP_REQUEST_LEN == 4096, "LONG_QUESTION says so");

// What stands behind the responder's path, NULL when `path` is another one.
static const char *behind(const struct policy *policy, const char *path)
{
    const char *own = policy->settings->http.ocsp_path;
    size_t len = strlen(own);
    if (strncmp(path, own, len) != 0 || (path[len] != '\0' && path[len] != '/')) {
        return NULL;
    }
    return path + len + (path[len] == '/' ? 1 : 0);
}

bool http_ocsp_is_path(const struct policy *policy, const char *path)
{
    return behind(policy, path) != NULL;
}

static enum MHD_Result answer_question(struct exchange *exchange)
{
    struct err err = {0};
    struct live *live = exchange_live(exchange);
    struct ocsp_answer answer = {0};
    char cache[CACHE_LEN] = CACHE_NEVER;
    if (ocsp_answer(live->ocsp, live->store, buf_view(&exchange->body), clock_now(), &answer,
                    &err) != ERR_OK) {
        return respond_trouble(exchange, &err);
    }
    if (answer.max_age_sec > 0) { // RFC 5019, 6.2
        snprintf(cache, sizeof cache, "max-age=%jd,public,no-transform,must-revalidate",
                 (intmax_t)answer.max_age_sec);
    }
    const struct respond_kept kept = {.type = TYPE_OCSP, .cache = cache, .note = answer.trouble};
    return respond_kept(exchange, &kept, &answer.der);
}

static enum err_code read_path(struct exchange *exchange, struct err *err)
{
    struct policy *policy = live_policy_get(exchange_live(exchange)->policy);
    const char *text = behind(policy, exchange->path);
    // A reload may have moved the responder since the request began.
    enum err_code code = base64_decode(view_of_text(text != NULL ? text : ""), OCSP_REQUEST_LEN,
                                       &exchange->body, err);
    policy_unref(policy);
    return code;
}

enum MHD_Result http_ocsp_answer(struct exchange *exchange)
{
    struct err err = {0};
    enum err_code code = ERR_OK;
    if (strcmp(exchange->method, MHD_HTTP_METHOD_GET) == 0) {
        code = read_path(exchange, &err);
    } else if (strcmp(exchange->method, MHD_HTTP_METHOD_POST) != 0) {
        return respond_not_allowed(exchange, ALLOW);
    }
    if (code == ERR_NOMEM || exchange->is_out_of_memory) {
        err_set(&err, ERR_NOMEM, "no memory for a question for OCSP");
        return respond_trouble(exchange, &err);
    }
    if (code == ERR_LIMIT || exchange->body.len > OCSP_REQUEST_LEN) {
        return respond_error(exchange, MHD_HTTP_CONTENT_TOO_LARGE, LONG_QUESTION);
    }
    if (code != ERR_OK) {
        err_prefix(&err, "the question for OCSP");
        return respond_error(exchange, MHD_HTTP_BAD_REQUEST, err.text);
    }
    return exchange->body.len > 0 ? answer_question(exchange)
                                  : respond_error(exchange, MHD_HTTP_BAD_REQUEST, NO_QUESTION);
}
