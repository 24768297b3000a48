// SPDX-License-Identifier: Apache-2.0
#include "server/respond.h"

#include <stdlib.h>
#include <string.h>

#include "conf/base/clock.h"
#include "server/peer.h"
#include "server/refusals.h"
#include "server/request_log.h"

#define CACHE_READ      "max-age=60" // short: the RA's certificate changes
#define CACHE_NEVER     "no-store"   // a PKIOperation has side effects, also as a GET
#define RETRY_AFTER_SEC "10"         // a full queue is empty again in that time

#define UNAVAILABLE_TEXT "the server cannot answer at present; try again later"

struct answer {
    unsigned status;
    const char *type;
    const char *cache;
    const char *allow;  // NULL = no such header
    struct buf body;    // taken
    const char *reason; // for the log; NULL = nothing was wrong, or the report has it
    const struct enroll_report *report;
};

static void log_answer(struct exchange *exchange, const struct answer *answer)
{
    char peer[STORE_SOURCE_LEN];
    peer_address(exchange->connection, peer);
    const struct request_line line = {
        .peer = peer,
        .method = exchange->method,
        .client = MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND,
                                              MHD_HTTP_HEADER_USER_AGENT),
        .operation = exchange->query.operation,
        .status = answer->status,
        .reason = answer->reason,
        .report = answer->report,
        .total_us = clock_monotonic_us() - exchange->began_us,
    };
    request_log(&line);
    counters_add(&exchange_live(exchange)->counters, &line);
}

static void count_answer(struct exchange *exchange, unsigned status)
{
    struct live *live = exchange_live(exchange);
    live_add(live, LIVE_REQUESTS);
    if (status >= MHD_HTTP_INTERNAL_SERVER_ERROR) {
        live_add(live, LIVE_UNAVAILABLE);
    } else if (status >= MHD_HTTP_BAD_REQUEST) {
        live_add(live, LIVE_BAD_HTTP);
    }
}

static enum MHD_Result add_header(struct MHD_Response *response, const char *name,
                                  const char *value)
{
    return value != NULL ? MHD_add_response_header(response, name, value) : MHD_YES;
}

static enum MHD_Result add_headers(struct MHD_Response *response, const struct answer *answer)
{
    const char *retry = answer->status == MHD_HTTP_SERVICE_UNAVAILABLE ? RETRY_AFTER_SEC : NULL;
    if (add_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, answer->type) != MHD_YES ||
        add_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, answer->cache) != MHD_YES ||
        add_header(response, MHD_HTTP_HEADER_ALLOW, answer->allow) != MHD_YES) {
        return MHD_NO;
    }
    return add_header(response, MHD_HTTP_HEADER_RETRY_AFTER, retry);
}

static enum MHD_Result queue_response(struct exchange *exchange, const struct answer *answer,
                                      struct MHD_Response *response)
{
    const char *connection = exchange_is_last(exchange) ? "close" : NULL;
    if (add_headers(response, answer) != MHD_YES ||
        add_header(response, MHD_HTTP_HEADER_CONNECTION, connection) != MHD_YES) {
        return MHD_NO;
    }
    return MHD_queue_response(exchange->connection, answer->status, response);
}

static enum MHD_Result send_answer(struct exchange *exchange, struct answer *take_answer)
{
    exchange->stage = EXCHANGE_ANSWERED;
    count_answer(exchange, take_answer->status);
    log_answer(exchange, take_answer);
    struct buf body = take_answer->body;
    struct MHD_Response *response =
        MHD_create_response_from_buffer(body.len, body.data, MHD_RESPMEM_MUST_FREE);
    if (response == NULL) {
        buf_done(&body);
        return MHD_NO;
    }
    enum MHD_Result result = queue_response(exchange, take_answer, response);
    MHD_destroy_response(response);
    return result;
}

// One line of printable ASCII: reasons may quote what a client sent.
static enum err_code write_line(const char *text, struct buf *ret_line)
{
    struct buf line = {0};
    size_t len = strlen(text);
    if (buf_reserve(&line, len + 1, NULL) != ERR_OK) {
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < len; i++) {
        line.data[i] = text[i] >= ' ' && text[i] <= '~' ? (uint8_t)text[i] : '?';
    }
    line.data[len] = '\n';
    line.len = len + 1;
    *ret_line = line;
    return ERR_OK;
}

static enum MHD_Result send_text(struct exchange *exchange, struct answer *answer, const char *text)
{
    answer->type = TYPE_TEXT;
    answer->cache = CACHE_NEVER;
    if (write_line(text, &answer->body) != ERR_OK) {
        return MHD_NO;
    }
    return send_answer(exchange, answer);
}

enum MHD_Result respond_read(struct exchange *exchange, const char *type, struct buf *take_body)
{
    struct answer answer = {.status = MHD_HTTP_OK, .type = type, .cache = CACHE_READ};
    answer.body = *take_body;
    *take_body = (struct buf){0};
    return send_answer(exchange, &answer);
}

enum MHD_Result respond_kept(struct exchange *exchange, const struct respond_kept *kept,
                             struct buf *take_body)
{
    struct answer answer = {
        .status = MHD_HTTP_OK, .type = kept->type, .cache = kept->cache, .reason = kept->note};
    answer.body = *take_body;
    *take_body = (struct buf){0};
    return send_answer(exchange, &answer);
}

enum MHD_Result respond_error(struct exchange *exchange, unsigned status, const char *reason)
{
    struct answer answer = {.status = status, .reason = reason};
    return send_text(exchange, &answer, reason);
}

enum MHD_Result respond_not_allowed(struct exchange *exchange, const char *allow)
{
    struct answer answer = {.status = MHD_HTTP_METHOD_NOT_ALLOWED,
                            .allow = allow,
                            .reason = "this operation does not know the method"};
    return send_text(exchange, &answer, answer.reason);
}

enum MHD_Result respond_trouble(struct exchange *exchange, const struct err *err)
{
    struct answer answer = {.status = MHD_HTTP_INTERNAL_SERVER_ERROR, .reason = err->text};
    return send_text(exchange, &answer, "the server is in trouble; its log says why");
}

static void count_decision(struct exchange *exchange, const char *decision)
{
    static const struct {
        const char *decision;
        enum live_count count;
    } counts[] = {
        {"issue", LIVE_ISSUED},
        {"replay", LIVE_REPLAYED},
        {"refuse", LIVE_REFUSED},
        {"pending", LIVE_PENDING},
    };
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        if (strcmp(decision, counts[i].decision) == 0) {
            live_add(exchange_live(exchange), counts[i].count);
        }
    }
}

enum MHD_Result respond_job(struct exchange *exchange)
{
    struct enroll_job *job = &exchange->item.job;
    struct answer answer = {.report = &job->report};
    refusals_add(exchange_live(exchange)->refusals, job->now, job->report.refusal);
    switch (job->outcome) {
    case ENROLL_REPLY:
        answer.status = MHD_HTTP_OK;
        answer.type = TYPE_PKI_MESSAGE;
        answer.cache = CACHE_NEVER;
        answer.body = job->reply;
        job->reply = (struct buf){0};
        count_decision(exchange, job->report.decision);
        return send_answer(exchange, &answer);
    case ENROLL_UNANSWERABLE:
        answer.status = MHD_HTTP_BAD_REQUEST;
        return send_text(exchange, &answer, job->report.reason);
    case ENROLL_UNAVAILABLE:
        break;
    }
    answer.status = MHD_HTTP_SERVICE_UNAVAILABLE;
    return send_text(exchange, &answer, UNAVAILABLE_TEXT);
}
