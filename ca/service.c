// SPDX-License-Identifier: Apache-2.0
// Connections of scepd-ca. Each thread owns its buffer and reads the shared state only under the
// lock; the file descriptor is closed by the main thread after joining, so that it can never be
// shut down by number after somebody else got it.
#include "ca/service.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "conf/base/clock.h"
#include "conf/base/log.h"

#define RECEIVE_LENGTH   (FRAME_MAX_LEN + 1) // one more shows that a datagram was too long
#define SEND_TIMEOUT_SEC 5                   // a peer that does not read its answer is dropped

enum slot_state { SLOT_FREE, SLOT_RUNNING, SLOT_ENDED };

struct slot {
    struct service *service;
    int fd;
    pthread_t thread;
    enum slot_state state; // guarded by service.lock
};

struct service {
    pthread_mutex_t lock;
    struct authority *authority; // guarded by lock
    int64_t (*clock)(void);
    struct slot slots[SERVICE_CONNECTIONS_MAX];
};

static struct authority *present_authority(struct service *service)
{
    pthread_mutex_lock(&service->lock);
    struct authority *authority = authority_ref(service->authority);
    pthread_mutex_unlock(&service->lock);
    return authority;
}

static bool is_clients_fault(enum err_code code)
{
    return code == ERR_BAD_REQUEST || code == ERR_BAD_ALG || code == ERR_DENIED;
}

static void log_issued(const struct issue_order *order, const struct authority_issued *issued,
                       int64_t started_us)
{
    struct log_line line;
    char not_after[CLOCK_TEXT_LEN];
    log_begin(&line, "ca_issue");
    log_add_hex(&line, "serial", view_of(issued->serial, sizeof issued->serial));
    log_add_text(&line, "cn", issued->common_name);
    log_add(&line, "transaction", order->transaction_id);
    log_add_text(&line, "key", issued->key_type);
    log_add_text(&line, "not_after", clock_format(issued->not_after, not_after));
    log_add_int(&line, "us", clock_monotonic_us() - started_us);
    log_end(&line, LOG_LEVEL_INFO);
}

static void log_refused(const struct issue_order *order, const struct err *refusal,
                        int64_t started_us)
{
    struct log_line line;
    log_begin(&line, "ca_refuse");
    log_add(&line, "transaction", order->transaction_id);
    log_add_err(&line, refusal);
    log_add_int(&line, "us", clock_monotonic_us() - started_us);
    log_end(&line, is_clients_fault(refusal->code) ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR);
}

static enum err_code answer_issue(struct service *service, const struct issue_order *order,
                                  struct buf *ret_answer, struct err *err)
{
    int64_t started_us = clock_monotonic_us();
    CLEANUP(cleanup_authority_unref) struct authority *authority = present_authority(service);
    CLEANUP(buf_done) struct buf der = {0};
    struct authority_issued issued;
    struct err refusal = {0};
    if (authority_issue(authority, order, service->clock(), &der, &issued, &refusal) != ERR_OK) {
        log_refused(order, &refusal, started_us);
        return frame_put_refused(&refusal, ret_answer, err);
    }
    log_issued(order, &issued, started_us);
    return frame_put_issued(buf_view(&der), ret_answer, err);
}

static enum err_code answer(struct service *service, struct view question, struct buf *ret_answer,
                            struct err *err)
{
    struct frame frame;
    enum err_code code = frame_get(question, &frame, err);
    if (code != ERR_OK) {
        return code;
    }
    switch (frame.type) {
    case FRAME_ISSUE:
        return answer_issue(service, &frame.order, ret_answer, err);
    case FRAME_PING:
        return frame_put_bare(FRAME_PONG, ret_answer, err);
    default:
        return err_set(err, ERR_PROTOCOL, "a frame of type %d, which is no question",
                       (int)frame.type);
    }
}

static enum err_code send_answer(int fd, struct view frame, struct err *err)
{
    ssize_t sent;
    do {
        sent = send(fd, frame.data, frame.len, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return sent >= 0 ? ERR_OK : err_set_errno(err, "cannot send an answer");
}

// One question and its answer. False when the connection is over.
static bool serve_one(struct slot *slot, uint8_t *received)
{
    ssize_t got;
    do {
        got = recv(slot->fd, received, RECEIVE_LENGTH, 0);
    } while (got < 0 && errno == EINTR);
    if (got <= 0) {
        return false;
    }
    CLEANUP(buf_done) struct buf reply = {0};
    struct err err = {0};
    enum err_code code = answer(slot->service, view_of(received, (size_t)got), &reply, &err);
    OPENSSL_cleanse(received, (size_t)got); // a PKCS#10 may hold a challenge
    if (code == ERR_OK) {
        code = send_answer(slot->fd, buf_view(&reply), &err);
    }
    if (code != ERR_OK) {
        log_failure(code == ERR_PROTOCOL ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING, "ca_connection",
                    &err);
    }
    return code == ERR_OK;
}

static void *run_connection(void *argument)
{
    struct slot *slot = argument;
    uint8_t *received = malloc(RECEIVE_LENGTH);
    if (received == NULL) {
        log_message(LOG_LEVEL_ERROR, "ca_connection", "no memory for a connection");
    }
    while (received != NULL && serve_one(slot, received)) {
    }
    free(received);
    shutdown(slot->fd, SHUT_RDWR); // the peer learns it now; the close comes with the join
    pthread_mutex_lock(&slot->service->lock);
    slot->state = SLOT_ENDED;
    pthread_mutex_unlock(&slot->service->lock);
    return NULL;
}

enum err_code service_new(struct authority *take_authority, int64_t (*clock)(void),
                          struct service **ret_service, struct err *err)
{
    struct service *service = calloc(1, sizeof *service);
    if (service == NULL || pthread_mutex_init(&service->lock, NULL) != 0) {
        free(service);
        authority_unref(take_authority);
        return err_set(err, ERR_NOMEM, "no memory for the service");
    }
    service->authority = take_authority;
    service->clock = clock;
    for (size_t i = 0; i < SERVICE_CONNECTIONS_MAX; i++) {
        service->slots[i].service = service;
    }
    *ret_service = service;
    return ERR_OK;
}

static enum slot_state state_of(struct slot *slot)
{
    pthread_mutex_lock(&slot->service->lock);
    enum slot_state state = slot->state;
    pthread_mutex_unlock(&slot->service->lock);
    return state;
}

static void set_state(struct slot *slot, enum slot_state state)
{
    pthread_mutex_lock(&slot->service->lock);
    slot->state = state;
    pthread_mutex_unlock(&slot->service->lock);
}

static void join(struct slot *slot)
{
    pthread_join(slot->thread, NULL);
    close(slot->fd);
    set_state(slot, SLOT_FREE);
}

void service_reap(struct service *service)
{
    for (size_t i = 0; i < SERVICE_CONNECTIONS_MAX; i++) {
        if (state_of(&service->slots[i]) == SLOT_ENDED) {
            join(&service->slots[i]);
        }
    }
}

void service_free(struct service *service)
{
    if (service == NULL) {
        return;
    }
    for (size_t i = 0; i < SERVICE_CONNECTIONS_MAX; i++) {
        if (state_of(&service->slots[i]) == SLOT_RUNNING) {
            // Only the reading side: an answer on its way is still sent.
            shutdown(service->slots[i].fd, SHUT_RD);
        }
    }
    for (size_t i = 0; i < SERVICE_CONNECTIONS_MAX; i++) {
        if (state_of(&service->slots[i]) != SLOT_FREE) {
            join(&service->slots[i]);
        }
    }
    authority_unref(service->authority);
    pthread_mutex_destroy(&service->lock);
    free(service);
}

static struct slot *free_slot(struct service *service)
{
    for (size_t i = 0; i < SERVICE_CONNECTIONS_MAX; i++) {
        if (state_of(&service->slots[i]) == SLOT_FREE) {
            return &service->slots[i];
        }
    }
    return NULL;
}

// The state is set before the thread starts, since the thread sets it again when it ends.
static bool start_thread(struct slot *slot, int fd)
{
    const struct timeval timeout = {.tv_sec = SEND_TIMEOUT_SEC};
    if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout) != 0) {
        return false;
    }
    slot->fd = fd;
    set_state(slot, SLOT_RUNNING);
    int error = pthread_create(&slot->thread, NULL, run_connection, slot);
    if (error != 0) {
        set_state(slot, SLOT_FREE);
        errno = error;
    }
    return error == 0;
}

static void log_system_failure(const char *what)
{
    struct err err = {0};
    err_set_errno(&err, "%s", what);
    log_failure(LOG_LEVEL_ERROR, "ca_accept", &err);
}

void service_accept(struct service *service, int listen_fd)
{
    service_reap(service);
    int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0) {
        bool is_nobody = errno == EAGAIN || errno == EINTR || errno == ECONNABORTED;
        if (!is_nobody) {
            log_system_failure("cannot accept a connection");
        }
        return;
    }
    struct slot *slot = free_slot(service);
    if (slot == NULL) {
        log_message(LOG_LEVEL_WARNING, "ca_accept", "more than %d connections: closed",
                    SERVICE_CONNECTIONS_MAX);
        close(fd);
    } else if (!start_thread(slot, fd)) {
        log_system_failure("cannot start a thread for a connection");
        close(fd);
    }
}

void service_replace(struct service *service, struct authority *take_authority)
{
    pthread_mutex_lock(&service->lock);
    struct authority *old = service->authority;
    service->authority = take_authority;
    pthread_mutex_unlock(&service->lock);
    authority_unref(old);
}

unsigned service_connections(struct service *service)
{
    unsigned count = 0;
    for (size_t i = 0; i < SERVICE_CONNECTIONS_MAX; i++) {
        count += state_of(&service->slots[i]) == SLOT_RUNNING ? 1 : 0;
    }
    return count;
}
