// SPDX-License-Identifier: Apache-2.0
#include "server/admin/admin_backup.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "conf/base/clock.h"
#include "conf/base/log.h"
#include "ra/store/store_backup.h"

#define BLOCK_LEN  65536 // octets handed over in one go
#define NUMBER_LEN 24    // bytes of a number as text
#define US_PER_MS  1000

struct admin_backup {
    struct live *live;
    int epoll_fd;
    struct MHD_Connection *connection; // that the copy is for; NULL = none is being made
    bool is_waiting;                   // the connection is suspended
    struct store_backup *copy;         // NULL = it is over
    EVP_MD_CTX *hash;
    uint8_t digest[SHA256_LEN];
    size_t digest_sent;
    uint64_t octets; // of the copy, so far
    int64_t began_us;
};

enum err_code admin_backup_new(struct live *live, int epoll_fd, struct admin_backup **ret_backup,
                               struct err *err)
{
    struct admin_backup *backup = calloc(1, sizeof *backup);
    if (backup == NULL) {
        return err_set(err, ERR_NOMEM, "no memory for the administrator's interface");
    }
    backup->live = live;
    backup->epoll_fd = epoll_fd;
    *ret_backup = backup;
    return ERR_OK;
}

void admin_backup_free(struct admin_backup *backup)
{
    free(backup);
}

static void go_on(struct admin_backup *backup)
{
    epoll_ctl(backup->epoll_fd, EPOLL_CTL_DEL, store_backup_fd(backup->copy), NULL);
    backup->is_waiting = false;
    MHD_resume_connection(backup->connection);
}

void admin_backup_stop(struct admin_backup *backup)
{
    if (backup->is_waiting) {
        go_on(backup);
    }
}

void admin_backup_run(struct admin_backup *backup)
{
    if (!backup->is_waiting) {
        return;
    }
    struct pollfd ready = {.fd = store_backup_fd(backup->copy), .events = POLLIN};
    if (poll(&ready, 1, 0) > 0) {
        go_on(backup);
    }
}

static ssize_t wait_for_more(struct admin_backup *backup)
{
    struct epoll_event event = {.events = EPOLLIN};
    if (epoll_ctl(backup->epoll_fd, EPOLL_CTL_ADD, store_backup_fd(backup->copy), &event) != 0) {
        return MHD_CONTENT_READER_END_WITH_ERROR;
    }
    backup->is_waiting = true;
    MHD_suspend_connection(backup->connection);
    return 0;
}

static void log_done(const struct admin_backup *backup)
{
    struct log_line line;
    log_begin(&line, "backup");
    log_add_int(&line, "octets", (int64_t)backup->octets);
    log_add_int(&line, "took_ms", (clock_monotonic_us() - backup->began_us) / US_PER_MS);
    log_end(&line, LOG_LEVEL_INFO);
}

static enum err_code end_copy(struct admin_backup *backup)
{
    struct err err = {0};
    struct store_backup *copy = backup->copy;
    backup->copy = NULL;
    enum err_code code = store_backup_end(copy, &err);
    if (code != ERR_OK) {
        err_prefix(&err, "the backup is not whole");
        log_failure(LOG_LEVEL_WARNING, "backup_failed", &err);
    }
    return code;
}

static ssize_t hand_digest(struct admin_backup *backup, char *to, size_t max)
{
    size_t left = sizeof backup->digest - backup->digest_sent;
    size_t len = left < max ? left : max;
    if (left == 0) {
        log_done(backup);
        return MHD_CONTENT_READER_END_OF_STREAM;
    }
    memcpy(to, backup->digest + backup->digest_sent, len);
    backup->digest_sent += len;
    return (ssize_t)len;
}

static ssize_t finish(struct admin_backup *backup, char *to, size_t max)
{
    if (end_copy(backup) != ERR_OK || EVP_DigestFinal_ex(backup->hash, backup->digest, NULL) != 1) {
        return MHD_CONTENT_READER_END_WITH_ERROR;
    }
    return hand_digest(backup, to, max);
}

static ssize_t hand_over(void *context, uint64_t position, char *to, size_t max)
{
    (void)position;
    struct admin_backup *backup = context;
    if (backup->copy == NULL) {
        return hand_digest(backup, to, max);
    }
    ssize_t got = recv(store_backup_fd(backup->copy), to, max, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        return wait_for_more(backup);
    }
    if (got == 0) {
        return finish(backup, to, max);
    }
    if (got < 0 || EVP_DigestUpdate(backup->hash, to, (size_t)got) != 1) {
        return MHD_CONTENT_READER_END_WITH_ERROR;
    }
    backup->octets += (uint64_t)got;
    return got;
}

// However it ended: also when the client has gone, or the daemon ends.
static void done(void *context)
{
    struct admin_backup *backup = context;
    if (backup->copy != NULL) {
        (void)!end_copy(backup);
    }
    EVP_MD_CTX_free(backup->hash);
    *backup = (struct admin_backup){.live = backup->live, .epoll_fd = backup->epoll_fd};
}

static bool add_number(struct MHD_Response *response, const char *name, uint64_t number)
{
    char text[NUMBER_LEN];
    snprintf(text, sizeof text, "%" PRIu64, number);
    return MHD_add_response_header(response, name, text) == MHD_YES;
}

static bool add_head(struct MHD_Response *response, const struct store_counts *counts)
{
    return MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                                   "application/octet-stream") == MHD_YES &&
           add_number(response, ADMIN_BACKUP_SCHEMA, STORE_SCHEMA_VERSION) &&
           add_number(response, ADMIN_BACKUP_CERTIFICATES, counts->certificates) &&
           add_number(response, ADMIN_BACKUP_OCTETS, counts->used_octets);
}

static enum err_code make_response(struct admin_backup *backup, const struct store_counts *counts,
                                   struct MHD_Response **ret_response, struct err *err)
{
    struct MHD_Response *response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_LEN, hand_over, backup, done);
    if (response == NULL) {
        done(backup);
        return err_set(err, ERR_NOMEM, "no memory for a backup");
    }
    if (!add_head(response, counts)) {
        MHD_destroy_response(response); // calls done()
        return err_set(err, ERR_NOMEM, "no memory for a backup");
    }
    *ret_response = response;
    return ERR_OK;
}

static enum err_code begin(struct admin_backup *backup, struct err *err)
{
    backup->hash = EVP_MD_CTX_new();
    if (backup->hash == NULL || EVP_DigestInit_ex(backup->hash, EVP_sha256(), NULL) != 1) {
        return err_set_openssl(err, ERR_CRYPTO, "cannot hash a backup");
    }
    return store_backup_begin(backup->live->store, &backup->copy, err);
}

enum err_code admin_backup_begin(struct admin_backup *backup, struct MHD_Connection *connection,
                                 struct MHD_Response **ret_response, struct err *err)
{
    struct store_counts counts = {0};
    if (backup->connection != NULL) {
        return err_set(err, ERR_CONFLICT, "a backup is being made already; one at a time");
    }
    enum err_code code = store_count(backup->live->store, &counts, err);
    if (code != ERR_OK) {
        return code;
    }
    backup->connection = connection;
    backup->began_us = clock_monotonic_us();
    code = begin(backup, err);
    if (code != ERR_OK) {
        done(backup);
        return code;
    }
    return make_response(backup, &counts, ret_response, err);
}
