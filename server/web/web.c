// SPDX-License-Identifier: Apache-2.0
#include "server/web/web.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <microhttpd.h>

#include "conf/base/clock.h"
#include "conf/base/log.h"
#include "server/listener.h"
#include "server/plain.h"
#include "server/web/host.h"
#include "server/web/page.h"
#include "server/web/style.h"

#define CONNECTIONS_MAX   32    // some browsers, some scrapers
#define CONNECTION_SEC    30    // an idle connection ends after this
#define CONNECTION_MEMORY 16384 // octets of a request's head and what the library keeps with it
#define BODY_MAX          4096  // octets of a body that nobody asked for; more end the connection

#define TYPE_HTML "text/html; charset=utf-8"
#define TYPE_CSS  "text/css; charset=utf-8"

struct web {
    struct live *live;
    struct MHD_Daemon *daemon;
};

// A request while it comes in.
struct exchange {
    size_t received; // octets of a body
};

// What is sent; `body` is taken.
struct answer {
    unsigned status;
    const char *type;
    const char *location; // NULL = none
    struct buf body;
};

static const struct route {
    const char *path; // with "/" at its end: an item follows
    page_call *call;
} routes[] = {
    {"/search", page_search},  {"/due", page_due},       {"/pending", page_pending},
    {"/device/", page_device}, {"/events", page_events}, {"/certificates", page_certificates},
};

// Nothing is loaded but our own style sheet, nothing is run, nobody frames us, and other sites
// learn nothing of where one came from.
static enum MHD_Result add_headers(struct MHD_Response *response, const struct answer *answer)
{
    static const char *const headers[][2] = {
        {MHD_HTTP_HEADER_CONTENT_SECURITY_POLICY,
         "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; "
         "base-uri 'none'"},
        {"X-Content-Type-Options", "nosniff"},
        {"X-Frame-Options", "DENY"},
        {"Referrer-Policy", "no-referrer"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
        {"Cross-Origin-Opener-Policy", "same-origin"},
        {MHD_HTTP_HEADER_CACHE_CONTROL, "no-store"},
    };
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        if (MHD_add_response_header(response, headers[i][0], headers[i][1]) != MHD_YES) {
            return MHD_NO;
        }
    }
    bool is_refused = answer->status == MHD_HTTP_METHOD_NOT_ALLOWED;
    if (is_refused &&
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD") != MHD_YES) {
        return MHD_NO;
    }
    if (answer->location != NULL &&
        MHD_add_response_header(response, MHD_HTTP_HEADER_LOCATION, answer->location) != MHD_YES) {
        return MHD_NO;
    }
    return MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, answer->type);
}

static enum MHD_Result respond(struct MHD_Connection *connection, struct answer *take_answer)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(
        take_answer->body.len, take_answer->body.data, MHD_RESPMEM_MUST_FREE);
    if (response == NULL) {
        buf_done(&take_answer->body);
        return MHD_NO;
    }
    enum MHD_Result result = add_headers(response, take_answer);
    if (result == MHD_YES) {
        result = MHD_queue_response(connection, take_answer->status, response);
    }
    MHD_destroy_response(response);
    return result;
}

// ---- pages ----

static enum MHD_Result respond_page(struct MHD_Connection *connection, const struct page *page)
{
    struct err err = {0};
    struct answer answer = {.status = page->status, .type = TYPE_HTML};
    if (page->location.len > 0) {
        answer.status = MHD_HTTP_SEE_OTHER;
        answer.location = (const char *)page->location.data;
    } else if (page_frame(page, &answer.body, &err) != ERR_OK) {
        log_failure(LOG_LEVEL_ERROR, "web_failed", &err);
        return MHD_NO;
    }
    return respond(connection, &answer);
}

static enum MHD_Result show(struct MHD_Connection *connection, const struct page_request *request,
                            page_call *call)
{
    struct err err = {0};
    struct buf content = {0};
    struct page page = {
        .request = request, .html = {.out = &content}, .status = MHD_HTTP_OK, .here = NULL};
    enum err_code code = call(&page, &err);
    if (code == ERR_OK) {
        code = html_finish(&page.html, &err);
    }
    if (code != ERR_OK) {
        page_fail(&page, code, &err);
    }
    if (page.status == MHD_HTTP_SERVICE_UNAVAILABLE) {
        log_failure(LOG_LEVEL_ERROR, "web_failed", &err);
    }
    enum MHD_Result result = respond_page(connection, &page);
    buf_done(&content);
    buf_done(&page.location);
    return result;
}

static enum err_code say_nothing_here(struct page *page, struct err *err)
{
    (void)page;
    return err_set(err, ERR_NOT_FOUND, "there is no such page");
}

static page_call *find_page(const char *path, const char **ret_item)
{
    if (strcmp(path, "/") == 0) {
        return page_fleet;
    }
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        size_t len = strlen(routes[i].path);
        bool has_item = routes[i].path[len - 1] == '/';
        if (has_item ? strncmp(path, routes[i].path, len) == 0 && path[len] != '\0'
                     : strcmp(path, routes[i].path) == 0) {
            *ret_item = has_item ? path + len : NULL;
            return routes[i].call;
        }
    }
    return say_nothing_here;
}

static const char *argument(struct MHD_Connection *connection, const char *name)
{
    return MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, name);
}

static enum MHD_Result respond_style(struct MHD_Connection *connection)
{
    struct answer answer = {.status = MHD_HTTP_OK, .type = TYPE_CSS};
    if (buf_copy(view_of(style_css, style_css_len), &answer.body, NULL) != ERR_OK) {
        return MHD_NO;
    }
    return respond(connection, &answer);
}

// ---- requests ----

static bool is_host_ours(struct MHD_Connection *connection)
{
    struct sockaddr_storage local = {0};
    socklen_t len = sizeof local;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    bool is_known =
        info != NULL && getsockname(info->connect_fd, (struct sockaddr *)&local, &len) == 0;
    return host_is_ours(
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_HOST),
        is_known ? (const struct sockaddr *)&local : NULL);
}

static enum MHD_Result refuse(struct MHD_Connection *connection, unsigned status, const char *words)
{
    struct answer answer = {.status = status, .type = "text/plain; charset=utf-8"};
    if (buf_append(&answer.body, view_of_text(words), NULL) != ERR_OK) {
        return MHD_NO;
    }
    return respond(connection, &answer);
}

static enum MHD_Result dispatch(struct web *web, struct MHD_Connection *connection,
                                const char *method, const char *path)
{
    struct page_request request = {.live = web->live, .now = clock_now()};
    if (!is_host_ours(connection)) {
        return refuse(connection, MHD_HTTP_MISDIRECTED_REQUEST,
                      "ask for localhost or this server's address\n");
    }
    if (plain_is_path(path)) {
        return plain_respond(connection, method, path, web->live, request.now);
    }
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0) {
        return refuse(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET is allowed here\n");
    }
    if (strcmp(path, "/style.css") == 0) {
        return respond_style(connection);
    }
    request.query = argument(connection, "q");
    request.after = argument(connection, "after");
    request.days = argument(connection, "days");
    page_call *call = find_page(path, &request.item);
    return show(connection, &request, call);
}

// NOLINTNEXTLINE(readability-function-size): the library's signature
static enum MHD_Result on_request(void *context, struct MHD_Connection *connection,
                                  const char *path, const char *method, const char *version,
                                  const char *data, size_t *data_len, void **state)
{
    (void)version;
    (void)data;
    struct exchange *exchange = *state;
    if (exchange == NULL) {
        *state = calloc(1, sizeof *exchange);
        return *state != NULL ? MHD_YES : MHD_NO;
    }
    if (*data_len > 0) {
        exchange->received += *data_len;
        *data_len = 0;
        return exchange->received <= BODY_MAX ? MHD_YES : MHD_NO;
    }
    return dispatch(context, connection, method, path);
}

static void on_completed(void *context, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode reason)
{
    (void)context;
    (void)connection;
    (void)reason;
    free(*state);
    *state = NULL;
}

// The library's own words about broken connections help nobody.
static void ignore_message(void *context, const char *format, va_list args)
{
    (void)context;
    (void)format;
    (void)args;
}

// The daemon closes the socket when it ends.
static struct MHD_Daemon *start_daemon(struct web *web, int fd)
{
    return MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_ERROR_LOG, 0, NULL, NULL, on_request, web,
                            MHD_OPTION_EXTERNAL_LOGGER, ignore_message, NULL,              //
                            MHD_OPTION_LISTEN_SOCKET, fd,                                  //
                            MHD_OPTION_NOTIFY_COMPLETED, on_completed, web,                //
                            MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX,                  //
                            MHD_OPTION_CONNECTION_TIMEOUT, CONNECTION_SEC,                 //
                            MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY, //
                            MHD_OPTION_STRICT_FOR_CLIENT, 1,                               //
                            MHD_OPTION_END);
}

static enum err_code open_socket(const struct web_settings *settings, int *ret_fd, struct err *err)
{
    *ret_fd = settings->take_fd;
    enum err_code code =
        settings->take_fd >= 0 ? ERR_OK : listener_open(settings->listen, ret_fd, err);
    if (code == ERR_OK) {
        code = listener_name(*ret_fd, settings->live->web_listening, err);
    }
    return code;
}

enum err_code web_new(const struct web_settings *settings, struct web **ret_web, struct err *err)
{
    int fd = -1;
    struct web *web = calloc(1, sizeof *web);
    enum err_code code = open_socket(settings, &fd, err);
    if (code == ERR_OK && web == NULL) {
        code = err_set(err, ERR_NOMEM, "no memory for the web page");
    }
    if (code == ERR_OK) {
        web->live = settings->live;
        web->daemon = start_daemon(web, fd);
        if (web->daemon == NULL) {
            code = err_set(err, ERR_IO, "cannot start the web page's server");
        }
    }
    if (code != ERR_OK) {
        if (fd >= 0) {
            close(fd);
        }
        free(web);
        return code;
    }
    *ret_web = web;
    return ERR_OK;
}

void web_free(struct web *web)
{
    if (web != NULL) {
        MHD_stop_daemon(web->daemon);
        free(web);
    }
}

int web_fd(const struct web *web)
{
    return web != NULL ? MHD_get_daemon_info(web->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd : -1;
}

int web_timeout_ms(const struct web *web)
{
    MHD_UNSIGNED_LONG_LONG timeout_ms;
    if (web == NULL || MHD_get_timeout(web->daemon, &timeout_ms) != MHD_YES) {
        return -1;
    }
    return timeout_ms > INT_MAX ? INT_MAX : (int)timeout_ms;
}

void web_run(struct web *web)
{
    if (web != NULL) {
        (void)MHD_run(web->daemon);
    }
}
