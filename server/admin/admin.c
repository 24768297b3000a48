// SPDX-License-Identifier: Apache-2.0
// The transport of the administrator's interface: socket, requests, routes, statuses. What the
// resources are is in admin_resources.h.
#include "server/admin/admin.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <microhttpd.h>

#include "conf/base/clock.h"
#include "conf/base/log.h"
#include "server/admin/admin_backup.h"
#include "server/admin/admin_resources.h"
#include "server/admin/admin_routes.h"
#include "server/listener.h"
#include "server/plain.h"

#define BODY_MAX        16384    // octets; a real one has 100
#define LIST_BODY_MAX   33554432 // octets of a device list: 100,000 lines and their notes
#define CONNECTIONS_MAX 16       // one administrator, a few scripts
#define CONNECTION_SEC  30       // an idle connection ends after this

struct admin {
    struct live *live;
    struct MHD_Daemon *daemon;
    int epoll_fd; // the daemon's own, and what a backup waits for
    struct admin_backup *backup;
    char path[sizeof((struct sockaddr_un *)NULL)->sun_path];
};

// A request while it comes in.
struct exchange {
    struct buf body;
    size_t body_max;
    bool is_too_long;
};

static void free_body(void *body)
{
    struct buf *octets = body;
    buf_wipe(octets);
    free(octets);
}

// Any answer may be the one with a secret, so all of them are wiped.
static struct buf *print_json(const json_t *json)
{
    size_t len = json_dumpb(json, NULL, 0, JSON_COMPACT);
    struct buf *text = calloc(1, sizeof *text);
    if (text == NULL || len == 0 || buf_reserve(text, len + 1, NULL) != ERR_OK) {
        free(text);
        return NULL;
    }
    text->len = json_dumpb(json, (char *)text->data, len, JSON_COMPACT);
    text->data[text->len++] = '\n';
    return text;
}

// Sends `take_body`. MHD_NO, which ends the connection, when memory is out.
static enum MHD_Result respond(struct MHD_Connection *connection, unsigned status,
                               json_t *take_body)
{
    struct buf *text = print_json(take_body);
    admin_wipe_secret(take_body);
    json_decref(take_body);
    if (text == NULL) {
        return MHD_NO;
    }
    struct MHD_Response *response = MHD_create_response_from_buffer_with_free_callback_cls(
        text->len, text->data, free_body, text);
    if (response == NULL) {
        free_body(text);
        return MHD_NO;
    }
    enum MHD_Result result =
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json");
    if (result == MHD_YES) {
        result = MHD_queue_response(connection, status, response);
    }
    MHD_destroy_response(response);
    return result;
}

// A message may repeat what was asked, cut in the middle of a character.
static json_t *message_json(const char *message)
{
    char ascii[ERR_TEXT_LEN];
    json_t *text = json_string(message);
    if (text != NULL) {
        return text;
    }
    size_t i = 0;
    for (; i < sizeof ascii - 1 && message[i] != '\0'; i++) {
        ascii[i] = (unsigned char)message[i] < 0x80 ? message[i] : '?';
    }
    ascii[i] = '\0';
    return json_string(ascii);
}

static enum MHD_Result respond_error(struct MHD_Connection *connection, unsigned status,
                                     const char *message)
{
    return respond(connection, status,
                   json_pack("{s:s, s:o}", "error", admin_status_name(status), "message",
                             message_json(message)));
}

static enum MHD_Result respond_failure(struct MHD_Connection *connection, enum err_code code,
                                       const struct err *err)
{
    unsigned status = admin_status_of(code);
    if (status == MHD_HTTP_SERVICE_UNAVAILABLE) {
        log_failure(LOG_LEVEL_ERROR, "admin_failed", err);
    }
    return respond_error(connection, status, err->text);
}

// Where the argument with this name belongs; NULL for an unknown one.
static const char **find_argument(struct admin_request *request, const char *key)
{
    const struct {
        const char *key;
        const char **place;
    } places[] = {
        {"after", &request->after},
        {"limit", &request->limit},
        {"days", &request->days},
        {"last", &request->filter.last},
        {"of", &request->filter.of},
        {"device", &request->filter.device},
        {"cn", &request->filter.cn},
        {"mac", &request->filter.mac},
        {"serial", &request->filter.serial},
    };
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        if (strcmp(key, places[i].key) == 0) {
            return places[i].place;
        }
    }
    return NULL;
}

struct arguments {
    struct admin_request request;
    int understood;
};

static enum MHD_Result read_argument(void *context, enum MHD_ValueKind kind, const char *key,
                                     const char *value)
{
    (void)kind;
    struct arguments *arguments = context;
    const char **place = find_argument(&arguments->request, key);
    if (place == NULL || *place != NULL || value == NULL) {
        return MHD_NO;
    }
    *place = value;
    arguments->understood++;
    return MHD_YES;
}

static enum err_code read_query(struct MHD_Connection *connection, const struct admin_route *route,
                                struct admin_request *request, struct err *err)
{
    int count = MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, NULL, NULL);
    if (!route->has_query && count > 0) {
        return err_set(err, ERR_SYNTAX, "%s takes no arguments after '?'", route->path);
    }
    // The walk ends at the argument that is refused and counts it.
    struct arguments arguments = {0};
    MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, read_argument, &arguments);
    if (arguments.understood != count) {
        return err_set(
            err, ERR_SYNTAX,
            "an unknown, empty or repeated argument after '?'; allowed are after, limit, days and, "
            "for events, last, of, device, cn, mac, serial");
    }
    request->after = arguments.request.after;
    request->limit = arguments.request.limit;
    request->days = arguments.request.days;
    request->filter = arguments.request.filter;
    return ERR_OK;
}

static enum MHD_Result answer(struct admin *admin, struct MHD_Connection *connection,
                              const struct admin_route *route, struct admin_request *request)
{
    struct err err = {0};
    json_t *body = NULL;
    enum err_code code = read_query(connection, route, request, &err);
    if (code == ERR_OK) {
        request->live = admin->live;
        code = route->call(request, &body, &err);
    }
    if (code == ERR_OK && body == NULL) {
        code = err_set(&err, ERR_NOMEM, "no memory for the answer");
    }
    if (code == ERR_OK) {
        return respond(connection, route->status, body);
    }
    return respond_failure(connection, code, &err);
}

static enum MHD_Result answer_backup(struct admin *admin, struct MHD_Connection *connection,
                                     const struct admin_route *route)
{
    struct err err = {0};
    struct admin_request none = {0};
    struct MHD_Response *response = NULL;
    enum err_code code = read_query(connection, route, &none, &err);
    if (code == ERR_OK) {
        code = admin_backup_begin(admin->backup, connection, &response, &err);
    }
    if (code != ERR_OK) {
        return respond_failure(connection, code, &err);
    }
    enum MHD_Result result = MHD_queue_response(connection, route->status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result dispatch(struct admin *admin, struct MHD_Connection *connection,
                                const char *method, const char *path, const struct buf *body)
{
    struct admin_request request = {.now = clock_now(), .body = buf_view(body)};
    const char *item = NULL;
    unsigned status;
    if (plain_is_path(path)) {
        return plain_respond(connection, method, path, admin->live, request.now);
    }
    const struct admin_route *route = admin_route_find(method, path, &item, &status);
    if (route == NULL) {
        const char *message = status == MHD_HTTP_NOT_FOUND
                                  ? "no such resource"
                                  : "this resource does not know the method";
        return respond_error(connection, status, message);
    }
    if (route->call == NULL) {
        return answer_backup(admin, connection, route);
    }
    request.item = route->has_item ? item : NULL;
    return answer(admin, connection, route, &request);
}

static void collect(struct exchange *exchange, const char *data, size_t len)
{
    if (exchange->is_too_long || exchange->body.len + len > exchange->body_max ||
        buf_append(&exchange->body, view_of(data, len), NULL) != ERR_OK) {
        exchange->is_too_long = true;
        buf_wipe(&exchange->body);
    }
}

// NOLINTNEXTLINE(readability-function-size): the library's signature
static enum MHD_Result on_request(void *context, struct MHD_Connection *connection,
                                  const char *path, const char *method, const char *version,
                                  const char *data, size_t *data_len, void **state)
{
    (void)version;
    struct exchange *exchange = *state;
    if (exchange == NULL) {
        exchange = calloc(1, sizeof *exchange);
        if (exchange == NULL) {
            return MHD_NO;
        }
        exchange->body_max = strcmp(path, ADMIN_DEVICES) == 0 ? LIST_BODY_MAX : BODY_MAX;
        *state = exchange;
        return MHD_YES;
    }
    if (*data_len > 0) {
        collect(exchange, data, *data_len);
        *data_len = 0;
        return MHD_YES;
    }
    if (exchange->is_too_long) {
        return respond_error(connection, MHD_HTTP_CONTENT_TOO_LARGE,
                             exchange->body_max == BODY_MAX
                                 ? "the body is longer than 16384 octets"
                                 : "the body is longer than 33554432 octets");
    }
    return dispatch(context, connection, method, path, &exchange->body);
}

static void on_completed(void *context, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode reason)
{
    (void)context;
    (void)connection;
    (void)reason;
    struct exchange *exchange = *state;
    if (exchange != NULL) {
        buf_wipe(&exchange->body);
        free(exchange);
        *state = NULL;
    }
}

// The library's own words about broken connections of the administrator help nobody.
static void ignore_message(void *context, const char *format, va_list args)
{
    (void)context;
    (void)format;
    (void)args;
}

// The daemon closes the socket when it ends.
static struct MHD_Daemon *start_daemon(struct admin *admin, int fd)
{
    const unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
    return MHD_start_daemon(flags, 0, NULL, NULL, on_request, admin, MHD_OPTION_EXTERNAL_LOGGER,
                            ignore_message, NULL, MHD_OPTION_LISTEN_SOCKET, fd, //
                            MHD_OPTION_NOTIFY_COMPLETED, on_completed, admin,   //
                            MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX,       //
                            MHD_OPTION_CONNECTION_TIMEOUT, CONNECTION_SEC,      //
                            MHD_OPTION_END);
}

// One descriptor to poll for the daemon's own events and for the copy that a backup waits for.
static enum err_code prepare_epoll(struct admin *admin, struct err *err)
{
    admin->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (admin->epoll_fd < 0) {
        return err_set_errno(err, "cannot wait for the administrator");
    }
    return admin_backup_new(admin->live, admin->epoll_fd, &admin->backup, err);
}

// Takes the socket.
static enum err_code start(struct admin *admin, int take_fd, struct err *err)
{
    admin->daemon = start_daemon(admin, take_fd);
    if (admin->daemon == NULL) {
        return err_set(err, ERR_IO, "cannot start the administrator's interface");
    }
    struct epoll_event event = {.events = EPOLLIN};
    int daemon_fd = MHD_get_daemon_info(admin->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    return epoll_ctl(admin->epoll_fd, EPOLL_CTL_ADD, daemon_fd, &event) == 0
               ? ERR_OK
               : err_set_errno(err, "cannot wait for the administrator");
}

enum err_code admin_new(const char *socket_path, struct live *live, struct admin **ret_admin,
                        struct err *err)
{
    struct admin *admin = calloc(1, sizeof *admin);
    if (admin == NULL) {
        return err_set(err, ERR_NOMEM, "no memory for the administrator's interface");
    }
    int fd = -1;
    admin->live = live;
    enum err_code code = prepare_epoll(admin, err);
    if (code == ERR_OK) {
        code = listener_open_unix(socket_path, SOCK_STREAM, &fd, err);
    }
    if (code == ERR_OK) {
        memcpy(admin->path, socket_path, strlen(socket_path) + 1);
        code = start(admin, fd, err);
    }
    if (code != ERR_OK) {
        admin_free(admin);
        return code;
    }
    *ret_admin = admin;
    return ERR_OK;
}

void admin_free(struct admin *admin)
{
    if (admin == NULL) {
        return;
    }
    if (admin->path[0] != '\0') {
        unlink(admin->path);
    }
    if (admin->daemon != NULL) {
        admin_backup_stop(admin->backup);
        MHD_stop_daemon(admin->daemon);
    }
    admin_backup_free(admin->backup);
    if (admin->epoll_fd >= 0) {
        close(admin->epoll_fd);
    }
    free(admin);
}

int admin_fd(const struct admin *admin)
{
    return admin->epoll_fd;
}

int admin_timeout_ms(const struct admin *admin)
{
    MHD_UNSIGNED_LONG_LONG timeout_ms;
    if (MHD_get_timeout(admin->daemon, &timeout_ms) != MHD_YES) {
        return -1;
    }
    return timeout_ms > INT_MAX ? INT_MAX : (int)timeout_ms;
}

void admin_run(struct admin *admin)
{
    admin_backup_run(admin->backup);
    (void)MHD_run(admin->daemon);
}
