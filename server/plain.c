// SPDX-License-Identifier: Apache-2.0
#include "server/plain.h"

#include <string.h>

#include "conf/base/log.h"
#include "server/metrics.h"

#define PATH_METRICS "/metrics"
#define PATH_HEALTH  "/healthz"
#define TYPE_WORDS   "text/plain; charset=utf-8"

bool plain_is_path(const char *path)
{
    return strcmp(path, PATH_METRICS) == 0 || strcmp(path, PATH_HEALTH) == 0;
}

struct answer {
    unsigned status;
    const char *type; // content type
    struct buf text;
};

static enum err_code add_line(struct buf *text, const char *line, struct err *err)
{
    enum err_code code = buf_append(text, view_of_text(line), err);
    return code == ERR_OK ? buf_append(text, view_of_text("\n"), err) : code;
}

static enum err_code tell_health(struct live *live, int64_t now, struct answer *answer,
                                 struct err *err)
{
    struct health health;
    health_check(live, now, &health);
    answer->type = TYPE_WORDS;
    answer->status = health.is_well ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE;
    enum err_code code = health.is_well ? add_line(&answer->text, "ok", err) : ERR_OK;
    for (int i = 0; i < HEALTH_MAX && code == ERR_OK; i++) {
        if (health.troubles[i][0] != '\0') {
            code = add_line(&answer->text, health.troubles[i], err);
        }
    }
    return code;
}

static enum err_code fill(struct live *live, const char *path, int64_t now, struct answer *answer,
                          struct err *err)
{
    if (strcmp(path, PATH_HEALTH) == 0) {
        return tell_health(live, now, answer, err);
    }
    answer->status = MHD_HTTP_OK;
    answer->type = METRICS_TYPE;
    return metrics_write(live, now, &answer->text, err);
}

static void set_words(struct answer *answer, unsigned status, const char *words)
{
    buf_done(&answer->text);
    answer->status = status;
    answer->type = TYPE_WORDS;
    (void)!buf_append(&answer->text, view_of_text(words), NULL);
}

static enum MHD_Result add_headers(struct MHD_Response *response, const struct answer *answer)
{
    bool is_refused = answer->status == MHD_HTTP_METHOD_NOT_ALLOWED;
    if (MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, answer->type) != MHD_YES ||
        MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store") != MHD_YES ||
        MHD_add_response_header(response, "X-Content-Type-Options", "nosniff") != MHD_YES) {
        return MHD_NO;
    }
    return is_refused ? MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD")
                      : MHD_YES;
}

static enum MHD_Result send_answer(struct MHD_Connection *connection, struct answer *take_answer)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(
        take_answer->text.len, take_answer->text.data, MHD_RESPMEM_MUST_FREE);
    if (response == NULL) {
        buf_done(&take_answer->text);
        return MHD_NO;
    }
    enum MHD_Result result = add_headers(response, take_answer);
    if (result == MHD_YES) {
        result = MHD_queue_response(connection, take_answer->status, response);
    }
    MHD_destroy_response(response);
    return result;
}

enum MHD_Result plain_respond(struct MHD_Connection *connection, const char *method,
                              const char *path, struct live *live, int64_t now)
{
    struct err err = {0};
    struct answer answer = {0};
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0) {
        set_words(&answer, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET is allowed here\n");
    } else if (fill(live, path, now, &answer, &err) != ERR_OK) {
        log_failure(LOG_LEVEL_ERROR, "metrics", &err);
        set_words(&answer, MHD_HTTP_SERVICE_UNAVAILABLE, "in trouble; the log says why\n");
    }
    return send_answer(connection, &answer);
}
