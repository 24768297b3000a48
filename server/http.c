// SPDX-License-Identifier: Apache-2.0
// The library calls on_request() at the head of a request, for each piece of its body, at its end,
// and, after a suspended connection was resumed, once more.
#include "server/http.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "conf/base/clock.h"
#include "conf/base/log.h"
#include "server/exchange.h"
#include "server/http_ocsp.h"
#include "server/peer.h"
#include "server/publish.h"
#include "server/respond.h"

// A body that turns out to be too long (only the declared length is known at once) is read on and
// thrown away up to here, so that its sender gets to see the answer; then the connection ends.
#define DISCARD_MAX (16 * LIMIT_MESSAGE_LEN) // octets
#define DRAIN_SEC   5                        // for answers under way at the end
#define DECIMAL     10
#define ALLOW_READ  "GET"
#define ALLOW_PKI   "GET, POST"
#define TOO_LONG    "the message is longer than 65536 octets"
#define LENIENT     0 // HTTP/1.1 without Host is fine, as some clients send it

_Static_assert(LIMIT_MESSAGE_LEN == 65536, "TOO_LONG says so");

struct http {
    struct MHD_Daemon *daemon;
    struct live *live;
    bool (*submit)(void *context, struct work_item *item);
    void *submit_context;
    int quiesced_fd;        // -1 = still listening
    _Atomic bool is_ending; // each connection ends with its answer
    pthread_mutex_t lock;
    pthread_cond_t idle; // `answering` is 0
    unsigned answering;  // exchanges from the end of their request to the end of their answer
};

struct live *exchange_live(const struct exchange *exchange)
{
    return exchange->http->live;
}

bool exchange_is_last(const struct exchange *exchange)
{
    return atomic_load(&exchange->http->is_ending);
}

static void count_answering(struct exchange *exchange)
{
    struct http *http = exchange->http;
    pthread_mutex_lock(&http->lock);
    http->answering++;
    pthread_mutex_unlock(&http->lock);
    exchange->is_counted = true;
}

static void uncount_answering(struct http *http)
{
    pthread_mutex_lock(&http->lock);
    http->answering--;
    if (http->answering == 0) {
        pthread_cond_signal(&http->idle);
    }
    pthread_mutex_unlock(&http->lock);
}

static enum MHD_Result on_argument(void *context, enum MHD_ValueKind kind, const char *key,
                                   size_t key_len, const char *value, size_t value_len)
{
    (void)kind;
    struct exchange *exchange = context;
    query_add(&exchange->query, view_of(key, key_len), view_of(value, value_len));
    return MHD_YES;
}

static bool is_method(const struct exchange *exchange, const char *method)
{
    return strcmp(exchange->method, method) == 0;
}

// A POST without an operation means this one: RFC 8894, 4.3, has clients that leave it out.
static bool is_message_post(const struct exchange *exchange)
{
    enum operation operation = exchange->query.operation;
    return is_method(exchange, MHD_HTTP_METHOD_POST) &&
           (operation == OPERATION_PKI || operation == OPERATION_NONE);
}

static bool has_body(const struct exchange *exchange)
{
    return is_message_post(exchange) || exchange->query.operation == OPERATION_OCSP;
}

// A SCEP operation is answered under any path, so the path counts only without one.
static void find_ocsp(struct exchange *exchange)
{
    if (exchange->query.operation != OPERATION_NONE) {
        return;
    }
    struct policy *policy = live_policy_get(exchange->http->live->policy);
    if (http_ocsp_is_path(policy, exchange->path)) {
        exchange->query.operation = OPERATION_OCSP;
    }
    policy_unref(policy);
}

// A Content-Length that the library has accepted, so it is a number.
static bool is_declared_too_long(const struct exchange *exchange)
{
    const char *length = MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND,
                                                     MHD_HTTP_HEADER_CONTENT_LENGTH);
    return length != NULL && strtoull(length, NULL, DECIMAL) > LIMIT_MESSAGE_LEN;
}

static enum MHD_Result begin(struct http *http, struct MHD_Connection *connection,
                             const struct exchange *head, void **ret_state)
{
    struct exchange *exchange = calloc(1, sizeof *exchange);
    if (exchange == NULL) {
        return MHD_NO;
    }
    exchange->http = http;
    exchange->connection = connection;
    exchange->method = head->method;
    exchange->path = head->path;
    exchange->began_us = clock_monotonic_us();
    *ret_state = exchange;
    MHD_get_connection_values_n(connection, MHD_GET_ARGUMENT_KIND, on_argument, exchange);
    find_ocsp(exchange);
    if (is_declared_too_long(exchange)) {
        count_answering(exchange);
        return respond_error(exchange, MHD_HTTP_CONTENT_TOO_LARGE, TOO_LONG);
    }
    return MHD_YES;
}

static enum MHD_Result receive(struct exchange *exchange, struct view octets)
{
    exchange->received += octets.len;
    if (exchange->received > LIMIT_MESSAGE_LEN) {
        buf_done(&exchange->body);
        return exchange->received <= DISCARD_MAX ? MHD_YES : MHD_NO;
    }
    if (has_body(exchange) && buf_append(&exchange->body, octets, NULL) != ERR_OK) {
        exchange->is_out_of_memory = true;
    }
    return MHD_YES;
}

static enum MHD_Result answer_capabilities(struct exchange *exchange, const struct policy *policy)
{
    struct err err = {0};
    struct buf body = {0};
    if (buf_copy(view_of_text(policy->capabilities), &body, &err) != ERR_OK) {
        return respond_trouble(exchange, &err);
    }
    return respond_read(exchange, TYPE_TEXT, &body);
}

static enum MHD_Result answer_certificates(struct exchange *exchange, const struct policy *policy)
{
    struct err err = {0};
    struct buf body = {0};
    bool is_single = false;
    if (credentials_get_ca_cert(policy->credentials, policy->settings, clock_now(), &body,
                                &is_single, &err) != ERR_OK) {
        return respond_trouble(exchange, &err);
    }
    return respond_read(exchange, is_single ? TYPE_CA_CERT : TYPE_CA_RA_CERT, &body);
}

static enum MHD_Result answer_next_ca(struct exchange *exchange, const struct policy *policy)
{
    struct err err = {0};
    struct buf body = {0};
    if (policy->next_ca.len == 0) {
        return respond_error(exchange, MHD_HTTP_NOT_FOUND, "there is no next CA certificate");
    }
    if (buf_copy(buf_view(&policy->next_ca), &body, &err) != ERR_OK) {
        return respond_trouble(exchange, &err);
    }
    return respond_read(exchange, TYPE_NEXT_CA, &body);
}

// Without an operation it is no SCEP: somebody wants a CRL or a CA certificate.
static enum MHD_Result answer_path(struct exchange *exchange, const struct policy *policy)
{
    struct err err = {0};
    struct buf body = {0};
    const char *type = NULL;
    enum err_code code =
        publish_find(policy, exchange->http->live->store, exchange->path, &type, &body, &err);
    if (code == ERR_NOT_FOUND) {
        return respond_error(exchange, MHD_HTTP_BAD_REQUEST, "the URL names no operation");
    }
    return code == ERR_OK ? respond_read(exchange, type, &body) : respond_trouble(exchange, &err);
}

static enum MHD_Result answer_with(struct exchange *exchange, const struct policy *policy)
{
    switch (exchange->query.operation) {
    case OPERATION_GET_CA_CAPS:
        return answer_capabilities(exchange, policy);
    case OPERATION_GET_NEXT_CA_CERT:
        return answer_next_ca(exchange, policy);
    case OPERATION_NONE:
        return answer_path(exchange, policy);
    default:
        return answer_certificates(exchange, policy);
    }
}

static enum MHD_Result answer_read(struct exchange *exchange)
{
    if (!is_method(exchange, MHD_HTTP_METHOD_GET) && !is_method(exchange, MHD_HTTP_METHOD_HEAD)) {
        return respond_not_allowed(exchange, ALLOW_READ);
    }
    struct policy *policy = live_policy_get(exchange->http->live->policy);
    enum MHD_Result result = answer_with(exchange, policy);
    policy_unref(policy);
    return result;
}

// On a worker's or the writer's thread.
static void on_done(struct work_item *item)
{
    struct exchange *exchange = item->owner;
    struct MHD_Connection *connection = exchange->connection;
    exchange->stage = EXCHANGE_READY; // and from here on it is the HTTP thread's
    MHD_resume_connection(connection);
}

static enum MHD_Result submit(struct exchange *exchange)
{
    struct http *http = exchange->http;
    struct MHD_Connection *connection = exchange->connection;
    struct work_item *item = &exchange->item;
    struct policy *policy = live_policy_get(http->live->policy);
    item->job.message = buf_view(&exchange->body);
    item->job.now = clock_now();
    item->job.policy = policy;
    peer_address(connection, item->job.source);
    item->done = on_done;
    item->owner = exchange;
    exchange->stage = EXCHANGE_WAITING;
    // First, because the job may be done before submit() returns.
    MHD_suspend_connection(connection);
    if (!http->submit(http->submit_context, item)) {
        policy_unref(policy);
        item->job.policy = NULL;
        exchange->is_not_taken = true;
        exchange->stage = EXCHANGE_READY;
        MHD_resume_connection(connection);
    }
    return MHD_YES;
}

static enum MHD_Result answer_get(struct exchange *exchange)
{
    struct err err = {0};
    enum err_code code =
        base64_decode(exchange->query.message, LIMIT_MESSAGE_LEN, &exchange->body, &err);
    if (code == ERR_LIMIT) {
        return respond_error(exchange, MHD_HTTP_URI_TOO_LONG, TOO_LONG);
    }
    if (code == ERR_NOMEM) {
        return respond_trouble(exchange, &err);
    }
    if (code != ERR_OK) {
        err_prefix(&err, "the message");
        return respond_error(exchange, MHD_HTTP_BAD_REQUEST, err.text);
    }
    if (exchange->body.len == 0) {
        return respond_error(exchange, MHD_HTTP_BAD_REQUEST, "the URL has no message");
    }
    return submit(exchange);
}

static enum MHD_Result answer_post(struct exchange *exchange)
{
    struct err err = {0};
    if (exchange->is_out_of_memory) {
        err_set(&err, ERR_NOMEM, "no memory for a message");
        return respond_trouble(exchange, &err);
    }
    if (exchange->body.len == 0) {
        return respond_error(exchange, MHD_HTTP_BAD_REQUEST, "the body is empty");
    }
    exchange->query.operation = OPERATION_PKI;
    return submit(exchange);
}

// The whole request is there.
static enum MHD_Result answer(struct exchange *exchange)
{
    count_answering(exchange);
    if (exchange->received > LIMIT_MESSAGE_LEN) {
        return respond_error(exchange, MHD_HTTP_CONTENT_TOO_LARGE, TOO_LONG);
    }
    if (is_message_post(exchange)) {
        return answer_post(exchange);
    }
    switch (exchange->query.operation) {
    case OPERATION_OCSP:
        return http_ocsp_answer(exchange);
    case OPERATION_UNKNOWN:
        return respond_error(exchange, MHD_HTTP_BAD_REQUEST, "the operation is not known");
    case OPERATION_PKI:
        return is_method(exchange, MHD_HTTP_METHOD_GET) ? answer_get(exchange)
                                                        : respond_not_allowed(exchange, ALLOW_PKI);
    default:
        return answer_read(exchange);
    }
}

static enum MHD_Result answer_ready(struct exchange *exchange)
{
    if (exchange->is_not_taken) {
        return respond_error(exchange, MHD_HTTP_SERVICE_UNAVAILABLE,
                             "too many requests are waiting; try again later");
    }
    return respond_job(exchange);
}

// NOLINTNEXTLINE(readability-function-size): the library's signature
static enum MHD_Result on_request(void *context, struct MHD_Connection *connection,
                                  const char *path, const char *method, const char *version,
                                  const char *data, size_t *data_len, void **state)
{
    (void)version;
    struct exchange *exchange = *state;
    if (exchange == NULL) {
        const struct exchange head = {.method = method, .path = path};
        return begin(context, connection, &head, state);
    }
    if (*data_len > 0) {
        size_t len = *data_len;
        *data_len = 0;
        return receive(exchange, view_of(data, len));
    }
    switch (atomic_load(&exchange->stage)) {
    case EXCHANGE_RECEIVING:
        return answer(exchange);
    case EXCHANGE_READY:
        return answer_ready(exchange);
    default:
        return MHD_YES;
    }
}

static void on_completed(void *context, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode reason)
{
    (void)connection;
    (void)reason;
    struct exchange *exchange = *state;
    *state = NULL;
    if (exchange == NULL) {
        return;
    }
    if (exchange->is_counted) {
        uncount_answering(context);
    }
    enroll_job_done(&exchange->item.job);
    buf_done(&exchange->body);
    free(exchange);
}

// What the library has to say: nearly always a client's broken request.
static void PRINTF_LIKE(2, 0) on_library_log(void *context, const char *format, va_list args)
{
    (void)context;
    char text[ERR_TEXT_LEN];
    vsnprintf(text, sizeof text, format, args);
    text[strcspn(text, "\r\n")] = '\0';
    log_message(LOG_LEVEL_INFO, "http", "%s", text);
}

static struct MHD_Daemon *start_daemon(struct http *http, const struct http_settings *settings)
{
    const struct settings *conf = settings->settings;
    const unsigned flags =
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC | MHD_USE_ERROR_LOG;
    // The logger comes first, so that it hears of what is wrong with the other options.
    return MHD_start_daemon(flags, 0, NULL, NULL, on_request, http,                             //
                            MHD_OPTION_EXTERNAL_LOGGER, on_library_log, NULL,                   //
                            MHD_OPTION_LISTEN_SOCKET, settings->take_fd,                        //
                            MHD_OPTION_NOTIFY_COMPLETED, on_completed, http,                    //
                            MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HTTP_CONNECTION_MEMORY, //
                            MHD_OPTION_CONNECTION_LIMIT, (unsigned)conf->http.connections,      //
                            MHD_OPTION_PER_IP_CONNECTION_LIMIT,
                            (unsigned)conf->http.connections_per_address,                    //
                            MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)conf->http.timeout_sec, //
                            MHD_OPTION_STRICT_FOR_CLIENT, LENIENT,                           //
                            MHD_OPTION_END);
}

static void http_free(struct http *http)
{
    pthread_cond_destroy(&http->idle);
    pthread_mutex_destroy(&http->lock);
    free(http);
}

static struct http *http_new(const struct http_settings *settings)
{
    struct http *http = calloc(1, sizeof *http);
    if (http == NULL) {
        return NULL;
    }
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&http->idle, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&http->lock, NULL);
    http->live = settings->live;
    http->submit = settings->submit;
    http->submit_context = settings->submit_context;
    http->quiesced_fd = -1;
    return http;
}

enum err_code http_start(const struct http_settings *settings, struct http **ret_http,
                         struct err *err)
{
    struct http *http = http_new(settings);
    if (http == NULL) {
        return err_set(err, ERR_NOMEM, "no memory for the web server");
    }
    http->daemon = start_daemon(http, settings);
    if (http->daemon == NULL) {
        http_free(http);
        return err_set(err, ERR_IO, "cannot start the web server");
    }
    *ret_http = http;
    return ERR_OK;
}

void http_quiesce(struct http *http)
{
    http->quiesced_fd = MHD_quiesce_daemon(http->daemon);
    atomic_store(&http->is_ending, true);
}

static void wait_for_answers(struct http *http)
{
    struct timespec deadline;
    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += DRAIN_SEC;
    int error = 0;
    pthread_mutex_lock(&http->lock);
    while (http->answering > 0 && error == 0) {
        error = pthread_cond_timedwait(&http->idle, &http->lock, &deadline);
    }
    pthread_mutex_unlock(&http->lock);
}

void http_stop(struct http *take_http)
{
    struct http *http = take_http;
    if (http == NULL) {
        return;
    }
    wait_for_answers(http);
    MHD_stop_daemon(http->daemon);
    if (http->quiesced_fd >= 0) {
        close(http->quiesced_fd);
    }
    http_free(http);
}
