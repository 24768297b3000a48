// SPDX-License-Identifier: Apache-2.0
// The RA's side of the connection to scepd-ca. A question is sent at most once: only a connection
// that proves broken before the question left is made anew. After every failure the connection is
// closed, so that a late answer can never be taken for the answer to the next question.
#include "ca/client.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "ca/client_internal.h"
#include "conf/base/clock.h"

#define MS_PER_SEC     1000
#define US_PER_MS      1000
#define NOT_CONNECTED  (-1)
#define RECEIVE_LENGTH (FRAME_MAX_LEN + 1) // one more shows that a datagram was too long

struct ca_client {
    struct sockaddr_un address;
    int fd;
    uint32_t timeout_ms;
    uint8_t received[RECEIVE_LENGTH];
};

enum err_code ca_client_new(const char *socket_path, struct ca_client **ret_client, struct err *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = strlen(socket_path);
    if (len >= sizeof address.sun_path) {
        return err_set(err, ERR_LIMIT, "the socket path %s has %zu octets; allowed: %zu",
                       socket_path, len, sizeof address.sun_path - 1);
    }
    memcpy(address.sun_path, socket_path, len);
    struct ca_client *client = calloc(1, sizeof *client);
    if (client == NULL) {
        return err_set(err, ERR_NOMEM, "no memory for a CA client");
    }
    client->address = address;
    client->fd = NOT_CONNECTED;
    client->timeout_ms = CA_ANSWER_TIMEOUT_SEC * MS_PER_SEC;
    *ret_client = client;
    return ERR_OK;
}

static void disconnect(struct ca_client *client)
{
    if (client->fd != NOT_CONNECTED) {
        close(client->fd);
        client->fd = NOT_CONNECTED;
    }
}

void ca_client_free(struct ca_client *client)
{
    if (client != NULL) {
        disconnect(client);
        free(client);
    }
}

void ca_client_set_timeout(struct ca_client *client, uint32_t timeout_ms)
{
    client->timeout_ms = timeout_ms;
}

// err_set_errno() would tell a missing socket as ERR_NOT_FOUND; to the RA all this is "busy".
static enum err_code set_busy(struct err *err, const char *what)
{
    err_set_errno(err, "%s", what);
    if (err != NULL) {
        err->code = ERR_BUSY;
    }
    return ERR_BUSY;
}

static enum err_code connect_anew(struct ca_client *client, struct err *err)
{
    disconnect(client);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return set_busy(err, "cannot make a socket for the CA");
    }
    if (connect(fd, (const struct sockaddr *)&client->address, sizeof client->address) != 0) {
        set_busy(err, "cannot connect to the CA");
        close(fd);
        return ERR_BUSY;
    }
    client->fd = fd;
    return ERR_OK;
}

// Waits for `events` (POLLIN, POLLOUT) or an end of the connection, until `deadline_us`.
static enum err_code wait_for(const struct ca_client *client, short events, int64_t deadline_us,
                              struct err *err)
{
    for (;;) {
        int64_t left_us = deadline_us - clock_monotonic_us();
        int left_ms = left_us > 0 ? (int)((left_us + US_PER_MS - 1) / US_PER_MS) : 0;
        struct pollfd waiting = {.fd = client->fd, .events = events};
        int ready = poll(&waiting, 1, left_ms);
        if (ready > 0) {
            return ERR_OK;
        }
        if (ready == 0) {
            return err_set(err, ERR_BUSY, "no answer from the CA within %u ms",
                           (unsigned)client->timeout_ms);
        }
        if (errno != EINTR) {
            return set_busy(err, "cannot wait for the CA");
        }
    }
}

static bool is_connection_broken(int error)
{
    return error == EPIPE || error == ECONNRESET || error == ENOTCONN;
}

// A datagram goes out whole or not at all. ERR_CONFLICT = the connection was broken before it did.
static enum err_code send_once(const struct ca_client *client, struct view frame,
                               int64_t deadline_us, struct err *err)
{
    for (;;) {
        if (send(client->fd, frame.data, frame.len, MSG_NOSIGNAL) >= 0) {
            return ERR_OK;
        }
        if (is_connection_broken(errno)) {
            return err_set(err, ERR_CONFLICT, "the connection to the CA is broken");
        }
        if (errno == EAGAIN) {
            enum err_code code = wait_for(client, POLLOUT, deadline_us, err);
            if (code != ERR_OK) {
                return code;
            }
        } else if (errno != EINTR) {
            return set_busy(err, "cannot send to the CA");
        }
    }
}

static enum err_code send_question(struct ca_client *client, struct view frame, int64_t deadline_us,
                                   struct err *err)
{
    enum err_code code = ERR_CONFLICT;
    if (client->fd != NOT_CONNECTED) {
        code = send_once(client, frame, deadline_us, err);
    }
    if (code != ERR_CONFLICT) {
        return code;
    }
    code = connect_anew(client, err);
    if (code == ERR_OK) {
        code = send_once(client, frame, deadline_us, err);
    }
    if (code == ERR_CONFLICT) {
        code = err_set(err, ERR_BUSY, "the CA closes new connections at once");
    }
    return code;
}

static enum err_code receive_answer(struct ca_client *client, int64_t deadline_us,
                                    struct frame *ret_answer, struct err *err)
{
    for (;;) {
        enum err_code code = wait_for(client, POLLIN, deadline_us, err);
        if (code != ERR_OK) {
            return code;
        }
        ssize_t got = recv(client->fd, client->received, sizeof client->received, 0);
        if (got > 0) {
            return frame_get(view_of(client->received, (size_t)got), ret_answer, err);
        }
        if (got == 0) {
            return err_set(err, ERR_BUSY, "the CA closed the connection without an answer");
        }
        if (errno != EAGAIN && errno != EINTR) {
            return set_busy(err, "cannot receive from the CA");
        }
    }
}

// One question, one answer. *ret_answer points into the client's buffer until the next question.
static enum err_code ask(struct ca_client *client, struct view question, struct frame *ret_answer,
                         struct err *err)
{
    int64_t deadline_us = clock_monotonic_us() + (int64_t)client->timeout_ms * US_PER_MS;
    enum err_code code = send_question(client, question, deadline_us, err);
    if (code == ERR_OK) {
        code = receive_answer(client, deadline_us, ret_answer, err);
    }
    if (code != ERR_OK) {
        disconnect(client);
    }
    return code;
}

static enum err_code refuse_answer(struct ca_client *client, enum frame_type type, struct err *err)
{
    disconnect(client);
    return err_set(err, ERR_PROTOCOL, "the CA answered with a frame of type %d", (int)type);
}

enum err_code ca_client_issue(struct ca_client *client, const struct issue_order *order,
                              struct buf *ret_certificate, struct err *err)
{
    struct buf question = {0};
    enum err_code code = frame_put_issue(order, &question, err);
    if (code != ERR_OK) {
        return code;
    }
    struct frame answer;
    code = ask(client, buf_view(&question), &answer, err);
    buf_wipe(&question); // the PKCS#10 in it may hold a challenge
    if (code != ERR_OK) {
        return code;
    }
    if (answer.type == FRAME_ISSUED) {
        return buf_copy(answer.certificate, ret_certificate, err);
    }
    if (answer.type == FRAME_REFUSED) {
        return err_set(err, answer.refusal, "%.*s", (int)answer.refusal_text.len,
                       (const char *)answer.refusal_text.data);
    }
    return refuse_answer(client, answer.type, err);
}

enum err_code ca_client_ping(struct ca_client *client, struct err *err)
{
    struct buf question = {0};
    enum err_code code = frame_put_bare(FRAME_PING, &question, err);
    if (code != ERR_OK) {
        return code;
    }
    struct frame answer;
    code = ask(client, buf_view(&question), &answer, err);
    buf_done(&question);
    if (code == ERR_OK && answer.type != FRAME_PONG) {
        return refuse_answer(client, answer.type, err);
    }
    return code;
}
