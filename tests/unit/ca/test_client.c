// SPDX-License-Identifier: Apache-2.0
// The client against a scripted server on a socket in a temporary folder: one connection after the
// other, each with its list of answers.
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "ca/client.h"
#include "ca/client_internal.h"
#include "kit/kit.h"

#define SHORT_MS     50    // for answers that never come
#define PATIENT_MS   20000 // for answers that do, however slow the machine
#define ANSWERS_MAX  4
#define SESSIONS_MAX 4

enum act {
    ACT_END = 0, // closes the connection
    ACT_PONG,
    ACT_ISSUED,
    ACT_REFUSED,
    ACT_GARBAGE,
    ACT_TOO_LONG,
    ACT_SILENT,       // waits until the client closes
    ACT_CLOSE_UNREAD, // closes without reading the question
};

struct server {
    int listen_fd;
    pthread_t thread;
    unsigned sessions;
    enum act acts[SESSIONS_MAX][ANSWERS_MAX];
    unsigned questions; // read after pthread_join()
    char *folder;
    char *path;
};

static struct buf answer_of(enum act act)
{
    static const uint8_t too_long[FRAME_MAX_LEN + 1] = {FRAME_VERSION, FRAME_PONG};
    struct buf frame = {0};
    struct err refusal = {.code = ERR_BAD_ALG, .text = "an RSA key of 1024 bits"};
    enum err_code code = ERR_OK;
    switch (act) {
    case ACT_PONG:
        code = frame_put_bare(FRAME_PONG, &frame, NULL);
        break;
    case ACT_ISSUED:
        code = frame_put_issued(view_of_text("certificate"), &frame, NULL);
        break;
    case ACT_REFUSED:
        code = frame_put_refused(&refusal, &frame, NULL);
        break;
    case ACT_GARBAGE:
        code = buf_append(&frame, view_of_text("garbage"), NULL);
        break;
    case ACT_TOO_LONG:
        code = buf_append(&frame, view_of(too_long, sizeof too_long), NULL);
        break;
    default:
        break;
    }
    if (code != ERR_OK) {
        abort();
    }
    return frame;
}

// False when the connection is over.
static bool serve_one(struct server *server, int fd, enum act act)
{
    static uint8_t question[FRAME_MAX_LEN];
    if (act == ACT_CLOSE_UNREAD || recv(fd, question, sizeof question, 0) <= 0) {
        return false;
    }
    server->questions++;
    if (act == ACT_SILENT) {
        return recv(fd, question, sizeof question, 0) > 0;
    }
    if (act == ACT_END) {
        return false;
    }
    struct buf answer = answer_of(act);
    ssize_t sent = send(fd, answer.data, answer.len, MSG_NOSIGNAL);
    buf_done(&answer);
    return sent > 0;
}

static void *run_server(void *argument)
{
    struct server *server = argument;
    for (unsigned session = 0; session < server->sessions; session++) {
        int fd = accept4(server->listen_fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0) {
            return NULL;
        }
        for (unsigned i = 0; i < ANSWERS_MAX && serve_one(server, fd, server->acts[session][i]);
             i++) {
        }
        close(fd);
    }
    return NULL;
}

static void listen_at(struct server *server)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    server->folder = kit_new_folder();
    server->path = kit_path(server->folder, "ca.sock");
    assert_true(strlen(server->path) < sizeof address.sun_path);
    memcpy(address.sun_path, server->path, strlen(server->path));
    server->listen_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    assert_true(server->listen_fd >= 0);
    assert_int_equal(bind(server->listen_fd, (const struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(server->listen_fd, SESSIONS_MAX), 0);
}

static struct ca_client *begin(struct server *server, uint32_t timeout_ms)
{
    listen_at(server);
    assert_int_equal(pthread_create(&server->thread, NULL, run_server, server), 0);
    struct ca_client *client = NULL;
    assert_int_equal(ca_client_new(server->path, &client, NULL), ERR_OK);
    ca_client_set_timeout(client, timeout_ms);
    return client;
}

static void end(struct server *server, struct ca_client *client)
{
    ca_client_free(client);
    shutdown(server->listen_fd, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    close(server->listen_fd);
    free(server->path);
    kit_remove_folder(server->folder);
}

static enum err_code issue(struct ca_client *client, struct buf *ret_certificate, struct err *err)
{
    const struct issue_order order = {.profile = PROFILE_PHONE, .csr = view_of_text("request")};
    return ca_client_issue(client, &order, ret_certificate, err);
}

static void one_connection_many_questions(void **state)
{
    (void)state;
    struct server server = {.sessions = 1, .acts = {{ACT_PONG, ACT_ISSUED, ACT_REFUSED, ACT_PONG}}};
    struct ca_client *client = begin(&server, PATIENT_MS);
    struct err err = {0};
    struct buf certificate = {0};
    assert_int_equal(ca_client_ping(client, &err), ERR_OK);
    assert_int_equal(issue(client, &certificate, &err), ERR_OK);
    assert_true(view_is_text(buf_view(&certificate), "certificate"));
    buf_done(&certificate);
    assert_int_equal(issue(client, &certificate, &err), ERR_BAD_ALG);
    assert_int_equal(err.code, ERR_BAD_ALG);
    assert_string_equal(err.text, "an RSA key of 1024 bits");
    assert_null(certificate.data);
    assert_int_equal(ca_client_ping(client, &err), ERR_OK);
    end(&server, client);
    assert_int_equal(server.questions, 4);
}

static void nobody_listens(void **state)
{
    (void)state;
    char *folder = kit_new_folder();
    char *path = kit_path(folder, "ca.sock");
    struct ca_client *client = NULL;
    struct err err = {0};
    assert_int_equal(ca_client_new(path, &client, &err), ERR_OK);
    assert_int_equal(ca_client_ping(client, &err), ERR_BUSY);
    assert_int_equal(err.code, ERR_BUSY);
    assert_non_null(strstr(err.text, "cannot connect to the CA"));
    assert_int_equal(ca_client_ping(client, NULL), ERR_BUSY);
    ca_client_free(client);
    free(path);
    kit_remove_folder(folder);
}

static void path_too_long(void **state)
{
    (void)state;
    char path[sizeof((struct sockaddr_un *)0)->sun_path + 1];
    memset(path, 'a', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    struct ca_client *client = NULL;
    struct err err = {0};
    assert_int_equal(ca_client_new(path, &client, &err), ERR_LIMIT);
    assert_null(client);
    assert_non_null(strstr(err.text, "108 octets; allowed: 107"));
}

// The server went away between two questions, and that is certain before the second is asked: it
// goes out once, over a new connection.
static void reconnects_before_the_question(void **state)
{
    (void)state;
    struct server server = {.sessions = 1, .acts = {{ACT_PONG, ACT_CLOSE_UNREAD}}};
    struct ca_client *client = begin(&server, PATIENT_MS);
    struct err err = {0};
    assert_int_equal(ca_client_ping(client, &err), ERR_OK);
    pthread_join(server.thread, NULL);
    server.acts[0][0] = ACT_ISSUED;
    assert_int_equal(pthread_create(&server.thread, NULL, run_server, &server), 0);
    struct buf certificate = {0};
    assert_int_equal(issue(client, &certificate, &err), ERR_OK);
    buf_done(&certificate);
    end(&server, client);
    assert_int_equal(server.questions, 2);
}

// An order that left is never sent again, since it may have been carried out.
static void never_asks_twice(void **state)
{
    (void)state;
    struct server server = {.sessions = 2, .acts = {{ACT_END}, {ACT_PONG}}};
    struct ca_client *client = begin(&server, PATIENT_MS);
    struct err err = {0};
    struct buf certificate = {0};
    assert_int_equal(issue(client, &certificate, &err), ERR_BUSY);
    assert_non_null(strstr(err.text, "CA"));
    assert_int_equal(ca_client_ping(client, &err), ERR_OK);
    end(&server, client);
    assert_int_equal(server.questions, 2);
}

// After a timeout the connection is dropped: a late answer must not answer the next question.
static void gives_up(void **state)
{
    (void)state;
    struct server server = {.sessions = 2, .acts = {{ACT_SILENT}, {ACT_PONG}}};
    struct ca_client *client = begin(&server, SHORT_MS);
    struct err err = {0};
    struct buf certificate = {0};
    assert_int_equal(issue(client, &certificate, &err), ERR_BUSY);
    assert_string_equal(err.text, "no answer from the CA within 50 ms");
    ca_client_set_timeout(client, PATIENT_MS);
    assert_int_equal(ca_client_ping(client, &err), ERR_OK);
    end(&server, client);
}

static void nonsense_is_a_protocol_error(void **state)
{
    (void)state;
    struct server server = {.sessions = 4,
                            .acts = {{ACT_GARBAGE}, {ACT_TOO_LONG}, {ACT_PONG}, {ACT_ISSUED}}};
    struct ca_client *client = begin(&server, PATIENT_MS);
    struct err err = {0};
    struct buf certificate = {0};
    assert_int_equal(issue(client, &certificate, &err), ERR_PROTOCOL);
    assert_int_equal(issue(client, &certificate, &err), ERR_PROTOCOL);
    assert_non_null(strstr(err.text, "65537 octets"));
    assert_int_equal(issue(client, &certificate, &err), ERR_PROTOCOL);
    assert_non_null(strstr(err.text, "type 5"));
    assert_int_equal(ca_client_ping(client, &err), ERR_PROTOCOL);
    assert_non_null(strstr(err.text, "type 2"));
    assert_null(certificate.data);
    end(&server, client);
    assert_int_equal(server.questions, 4);
}

static void order_too_large(void **state)
{
    (void)state;
    static const uint8_t big[LIMIT_CSR_LEN + 1];
    struct server server = {.sessions = 1, .acts = {{ACT_PONG}}};
    struct ca_client *client = begin(&server, PATIENT_MS);
    const struct issue_order order = {.profile = PROFILE_PHONE, .csr = view_of(big, sizeof big)};
    struct err err = {0};
    struct buf certificate = {0};
    assert_int_equal(ca_client_issue(client, &order, &certificate, &err), ERR_LIMIT);
    assert_int_equal(ca_client_ping(client, &err), ERR_OK);
    end(&server, client);
    assert_int_equal(server.questions, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_connection_many_questions),
        cmocka_unit_test(nobody_listens),
        cmocka_unit_test(path_too_long),
        cmocka_unit_test(reconnects_before_the_question),
        cmocka_unit_test(never_asks_twice),
        cmocka_unit_test(gives_up),
        cmocka_unit_test(nonsense_is_a_protocol_error),
        cmocka_unit_test(order_too_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
