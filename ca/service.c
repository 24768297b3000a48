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

#include "ca/answer.h"
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
    struct authorities *authorities; // guarded by lock
    pthread_mutex_t loading;         // held while `load` reads and its result is put to use
    service_load *load;
    void *load_context;
    struct answer_gate gate;
    int64_t (*clock)(void);
    struct slot slots[SERVICE_CONNECTIONS_MAX];
};

static struct authorities *present_authorities(struct service *service)
{
    pthread_mutex_lock(&service->lock);
    struct authorities *authorities = authorities_ref(service->authorities);
    pthread_mutex_unlock(&service->lock);
    return authorities;
}

static enum err_code answer_now(struct service *service, struct answerer *answerer,
                                struct view question, struct answer *ret_answer, struct err *err)
{
    CLEANUP(cleanup_authorities_unref)
    struct authorities *authorities = present_authorities(service);
    const struct answer_time time = {.now = service->clock(), .monotonic_us = clock_monotonic_us()};
    return answer_question(answerer, authorities, question, &time, ret_answer, err);
}

static enum err_code send_frame(int fd, struct view frame, struct err *err)
{
    ssize_t sent;
    do {
        sent = send(fd, frame.data, frame.len, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return sent >= 0 ? ERR_OK : err_set_errno(err, "cannot send an answer");
}

static enum err_code send_result(int fd, struct view octets, struct err *err)
{
    enum err_code code = ERR_OK;
    do {
        size_t len = octets.len < FRAME_RESULT_LEN ? octets.len : FRAME_RESULT_LEN;
        bool is_last = len == octets.len;
        struct buf frame = {0};
        code = frame_put_result(view_of(octets.data, len), is_last, &frame, err);
        if (code == ERR_OK) {
            code = send_frame(fd, buf_view(&frame), err);
        }
        buf_wipe(&frame); // what was in an envelope holds a challenge
        octets = view_of(octets.data + len, octets.len - len);
    } while (code == ERR_OK && octets.len > 0);
    return code;
}

static enum err_code send_answer(int fd, const struct answer *answer, struct err *err)
{
    return answer->is_result ? send_result(fd, buf_view(&answer->octets), err)
                             : send_frame(fd, buf_view(&answer->octets), err);
}

// One question and its answer. False when the connection is over.
static bool serve_one(struct slot *slot, struct answerer *answerer, uint8_t *received)
{
    ssize_t got;
    do {
        got = recv(slot->fd, received, RECEIVE_LENGTH, 0);
    } while (got < 0 && errno == EINTR);
    if (got <= 0) {
        return false;
    }
    struct answer answer = {0};
    struct err err = {0};
    enum err_code code =
        answer_now(slot->service, answerer, view_of(received, (size_t)got), &answer, &err);
    OPENSSL_cleanse(received, (size_t)got); // a PKCS#10 may hold a challenge
    if (code == ERR_OK) {
        code = send_answer(slot->fd, &answer, &err);
    }
    buf_wipe(&answer.octets);
    if (code != ERR_OK) {
        log_failure(code == ERR_PROTOCOL ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING, "ca_connection",
                    &err);
    }
    return code == ERR_OK;
}

static void serve(struct slot *slot)
{
    struct answerer *answerer = NULL;
    struct err err = {0};
    if (answerer_new(&slot->service->gate, &answerer, &err) != ERR_OK) {
        log_failure(LOG_LEVEL_ERROR, "ca_connection", &err);
        return;
    }
    uint8_t *received = malloc(RECEIVE_LENGTH);
    if (received == NULL) {
        log_message(LOG_LEVEL_ERROR, "ca_connection", "no memory for a connection");
    }
    while (received != NULL && serve_one(slot, answerer, received)) {
    }
    free(received);
    answerer_free(answerer);
}

static void *run_connection(void *argument)
{
    struct slot *slot = argument;
    serve(slot);
    shutdown(slot->fd, SHUT_RDWR); // the peer learns it now; the close comes with the join
    pthread_mutex_lock(&slot->service->lock);
    slot->state = SLOT_ENDED;
    pthread_mutex_unlock(&slot->service->lock);
    return NULL;
}

static enum err_code service_begin(struct service *service, struct err *err)
{
    pthread_mutex_t *const locks[] = {&service->lock, &service->loading, &service->gate.lock};
    for (size_t i = 0; i < sizeof locks / sizeof locks[0]; i++) {
        if (pthread_mutex_init(locks[i], NULL) != 0) {
            while (i > 0) {
                pthread_mutex_destroy(locks[--i]);
            }
            return err_set(err, ERR_NOMEM, "no memory for the service");
        }
    }
    for (size_t i = 0; i < SERVICE_CONNECTIONS_MAX; i++) {
        service->slots[i].service = service;
    }
    return ERR_OK;
}

enum err_code service_new(struct authorities *take_authorities, int64_t (*clock)(void),
                          struct service **ret_service, struct err *err)
{
    struct service *service = calloc(1, sizeof *service);
    enum err_code code = service != NULL ? service_begin(service, err)
                                         : err_set(err, ERR_NOMEM, "no memory for the service");
    if (code != ERR_OK) {
        free(service);
        authorities_unref(take_authorities);
        return code;
    }
    service->authorities = take_authorities;
    service->clock = clock;
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
    authorities_unref(service->authorities);
    pthread_mutex_destroy(&service->gate.lock);
    pthread_mutex_destroy(&service->loading);
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

static void replace(struct service *service, struct authorities *take_authorities)
{
    pthread_mutex_lock(&service->lock);
    struct authorities *old = service->authorities;
    service->authorities = take_authorities;
    pthread_mutex_unlock(&service->lock);
    authorities_unref(old);
}

enum err_code service_reload(struct service *service, struct err *err)
{
    struct authorities *authorities = NULL;
    pthread_mutex_lock(&service->loading);
    enum err_code code = service->load(service->load_context, &authorities, err);
    if (code == ERR_OK) {
        replace(service, authorities);
    }
    pthread_mutex_unlock(&service->loading);
    return code;
}

static enum err_code reload_for_answer(void *context, struct ca_state *ret_state, struct err *err)
{
    struct service *service = context;
    enum err_code code = service_reload(service, err);
    if (code == ERR_OK) {
        CLEANUP(cleanup_authorities_unref)
        struct authorities *authorities = present_authorities(service);
        authorities_state(authorities, ret_state);
    }
    return code;
}

void service_set_load(struct service *service, service_load *load, void *context)
{
    service->load = load;
    service->load_context = context;
    service->gate.reload = reload_for_answer;
    service->gate.reload_context = service;
}

unsigned service_connections(struct service *service)
{
    unsigned count = 0;
    for (size_t i = 0; i < SERVICE_CONNECTIONS_MAX; i++) {
        count += state_of(&service->slots[i]) == SLOT_RUNNING ? 1 : 0;
    }
    return count;
}
