// SPDX-License-Identifier: Apache-2.0
// A connection to scepd-ca: connecting, waiting, sending and receiving whole datagrams.
#include "ca/link.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "conf/base/clock.h"

#define US_PER_MS      1000
#define NOT_CONNECTED  (-1)
#define RECEIVE_LENGTH (FRAME_MAX_LEN + 1) // one more shows that a datagram was too long

struct link {
    struct sockaddr_un address;
    int fd;
    uint32_t timeout_ms;
    int64_t deadline_us; // of the question that is being answered
    size_t received_len;
    uint8_t received[RECEIVE_LENGTH];
    struct frame answer; // points into `received`
};

enum err_code link_new(const char *socket_path, uint32_t timeout_ms, struct link **ret_link,
                       struct err *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = strlen(socket_path);
    if (len >= sizeof address.sun_path) {
        return err_set(err, ERR_LIMIT, "the socket path %s has %zu octets; allowed: %zu",
                       socket_path, len, sizeof address.sun_path - 1);
    }
    memcpy(address.sun_path, socket_path, len);
    struct link *link = calloc(1, sizeof *link);
    if (link == NULL) {
        return err_set(err, ERR_NOMEM, "no memory for a CA client");
    }
    link->address = address;
    link->fd = NOT_CONNECTED;
    link->timeout_ms = timeout_ms;
    *ret_link = link;
    return ERR_OK;
}

void link_drop(struct link *link)
{
    if (link->fd != NOT_CONNECTED) {
        close(link->fd);
        link->fd = NOT_CONNECTED;
    }
}

void link_wipe(struct link *link)
{
    OPENSSL_cleanse(link->received, link->received_len);
    link->received_len = 0;
}

void link_free(struct link *link)
{
    if (link != NULL) {
        link_drop(link);
        link_wipe(link);
        free(link);
    }
}

void link_set_timeout(struct link *link, uint32_t timeout_ms)
{
    link->timeout_ms = timeout_ms;
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

static enum err_code connect_anew(struct link *link, struct err *err)
{
    link_drop(link);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return set_busy(err, "cannot make a socket for the CA");
    }
    if (connect(fd, (const struct sockaddr *)&link->address, sizeof link->address) != 0) {
        set_busy(err, "cannot connect to the CA");
        close(fd);
        return ERR_BUSY;
    }
    link->fd = fd;
    return ERR_OK;
}

// Waits for `events` (POLLIN, POLLOUT) or an end of the connection, until the deadline.
static enum err_code wait_for(const struct link *link, short events, struct err *err)
{
    for (;;) {
        int64_t left_us = link->deadline_us - clock_monotonic_us();
        int left_ms = left_us > 0 ? (int)((left_us + US_PER_MS - 1) / US_PER_MS) : 0;
        struct pollfd waiting = {.fd = link->fd, .events = events};
        int ready = poll(&waiting, 1, left_ms);
        if (ready > 0) {
            return ERR_OK;
        }
        if (ready == 0) {
            return err_set(err, ERR_BUSY, "no answer from the CA within %u ms",
                           (unsigned)link->timeout_ms);
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
static enum err_code send_once(const struct link *link, struct view frame, struct err *err)
{
    for (;;) {
        if (send(link->fd, frame.data, frame.len, MSG_NOSIGNAL) >= 0) {
            return ERR_OK;
        }
        if (is_connection_broken(errno)) {
            return err_set(err, ERR_CONFLICT, "the connection to the CA is broken");
        }
        if (errno == EAGAIN) {
            enum err_code code = wait_for(link, POLLOUT, err);
            if (code != ERR_OK) {
                return code;
            }
        } else if (errno != EINTR) {
            return set_busy(err, "cannot send to the CA");
        }
    }
}

static enum err_code send_question(struct link *link, struct view question, bool is_continued,
                                   struct err *err)
{
    enum err_code code = ERR_CONFLICT;
    if (link->fd != NOT_CONNECTED) {
        code = send_once(link, question, err);
    }
    if (code != ERR_CONFLICT) {
        return code;
    }
    if (is_continued) {
        return err_set(err, ERR_BUSY, "the connection to the CA broke in the midst of an order");
    }
    code = connect_anew(link, err);
    if (code == ERR_OK) {
        code = send_once(link, question, err);
    }
    if (code == ERR_CONFLICT) {
        code = err_set(err, ERR_BUSY, "the CA closes new connections at once");
    }
    return code;
}

static enum err_code receive_frame(struct link *link, struct err *err)
{
    for (;;) {
        enum err_code code = wait_for(link, POLLIN, err);
        if (code != ERR_OK) {
            return code;
        }
        ssize_t got = recv(link->fd, link->received, sizeof link->received, 0);
        if (got > 0) {
            link->received_len = (size_t)got;
            return frame_get(view_of(link->received, (size_t)got), &link->answer, err);
        }
        if (got == 0) {
            return err_set(err, ERR_BUSY, "the CA closed the connection without an answer");
        }
        if (errno != EAGAIN && errno != EINTR) {
            return set_busy(err, "cannot receive from the CA");
        }
    }
}

enum err_code link_receive(struct link *link, const struct frame **ret_answer, struct err *err)
{
    enum err_code code = receive_frame(link, err);
    if (code != ERR_OK) {
        link_drop(link);
        return code;
    }
    *ret_answer = &link->answer;
    return ERR_OK;
}

enum err_code link_ask(struct link *link, struct view question, bool is_continued,
                       const struct frame **ret_answer, struct err *err)
{
    link->deadline_us = clock_monotonic_us() + (int64_t)link->timeout_ms * US_PER_MS;
    enum err_code code = send_question(link, question, is_continued, err);
    if (code != ERR_OK) {
        link_drop(link);
        return code;
    }
    return link_receive(link, ret_answer, err);
}
