// SPDX-License-Identifier: Apache-2.0
// The copying thread writes to one end of a pair of sockets. Sockets, because shutting one down
// wakes who writes to it, from any thread.
#include "ra/store/store_backup.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ra/store/store_walk.h"
#include "ra/store/store_write.h"

#define CRLS_MAX 256 // CAs that ever issued one

struct store_backup {
    struct store *store;
    pthread_t thread;
    int read_fd;
    int write_fd;
    enum err_code code; // the thread's; for others once it has ended
    struct err err;
};

// Registers the copy, so that whoever changes the environment can end it.
static enum err_code enter(struct store_backup *backup, struct err *err)
{
    struct store_copying *copying = &backup->store->copying;
    enum err_code code = ERR_OK;
    pthread_mutex_lock(&copying->lock);
    if (copying->fd >= 0) {
        code = err_set(err, ERR_BUSY, "a backup is being made already");
    } else if (copying->is_unwelcome) {
        code = err_set(err, ERR_BUSY, "the store is changing its size; ask again");
    } else {
        copying->fd = backup->write_fd;
        copying->gave_way = false;
    }
    pthread_mutex_unlock(&copying->lock);
    return code;
}

static bool leave(struct store_backup *backup)
{
    struct store_copying *copying = &backup->store->copying;
    pthread_mutex_lock(&copying->lock);
    bool gave_way = copying->gave_way;
    copying->fd = -1;
    pthread_mutex_unlock(&copying->lock);
    return gave_way;
}

// A broken pipe is how both ways of giving up look from inside LMDB.
static enum err_code judge(int status, bool gave_way, struct err *err)
{
    if (status == 0) {
        return ERR_OK;
    }
    if (gave_way) {
        return err_set(err, ERR_BUSY, "the store had to change its size meanwhile; ask again");
    }
    if (status == EPIPE) {
        return err_set(err, ERR_DENIED, "nobody took the copy to its end");
    }
    return store_env_error(err, status, "copying the store");
}

static void *copy(void *context)
{
    struct store_backup *backup = context;
    struct store *store = backup->store;
    pthread_rwlock_rdlock(&store->gate);
    int status = store->env != NULL ? mdb_env_copyfd2(store->env, backup->write_fd, MDB_CP_COMPACT)
                                    : MDB_PANIC;
    pthread_rwlock_unlock(&store->gate);
    backup->code = judge(status, leave(backup), &backup->err);
    shutdown(backup->write_fd, SHUT_WR);
    return NULL;
}

static enum err_code start(struct store_backup *backup, struct err *err)
{
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0) {
        return err_set_errno(err, "cannot make a pair of sockets for a backup");
    }
    backup->read_fd = fds[0];
    backup->write_fd = fds[1];
    enum err_code code = enter(backup, err);
    if (code != ERR_OK) {
        return code;
    }
    int status = pthread_create(&backup->thread, NULL, copy, backup);
    if (status != 0) {
        (void)leave(backup);
        errno = status;
        return err_set_errno(err, "cannot start a thread for a backup");
    }
    return ERR_OK;
}

static void free_backup(struct store_backup *backup)
{
    if (backup->read_fd >= 0) {
        close(backup->read_fd);
        close(backup->write_fd);
    }
    free(backup);
}

enum err_code store_backup_begin(struct store *store, struct store_backup **ret_backup,
                                 struct err *err)
{
    struct store_backup *backup = calloc(1, sizeof *backup);
    if (backup == NULL) {
        return err_set(err, ERR_NOMEM, "no memory for a backup");
    }
    backup->store = store;
    backup->read_fd = -1;
    backup->write_fd = -1;
    enum err_code code = start(backup, err);
    if (code != ERR_OK) {
        free_backup(backup);
        return code;
    }
    *ret_backup = backup;
    return ERR_OK;
}

int store_backup_fd(const struct store_backup *backup)
{
    return backup->read_fd;
}

// Whether something is left that was written and not read.
static bool has_rest(int fd)
{
    char octet;
    return recv(fd, &octet, sizeof octet, MSG_PEEK | MSG_DONTWAIT) > 0;
}

enum err_code store_backup_end(struct store_backup *take_backup, struct err *err)
{
    bool is_unread = has_rest(take_backup->read_fd);
    shutdown(take_backup->read_fd, SHUT_RDWR);
    pthread_join(take_backup->thread, NULL);
    enum err_code code = take_backup->code;
    if (code != ERR_OK) {
        (void)err_set(err, code, "%s", take_backup->err.text);
    } else if (is_unread) {
        code = err_set(err, ERR_DENIED, "nobody took the copy to its end");
    }
    free_backup(take_backup);
    return code;
}

// Over at once, so that scepd makes the next one when it starts.
static enum err_code move_on(struct store_txn *txn, struct view value, struct err *err)
{
    CLEANUP(store_crl_done) struct store_crl crl = {0};
    enum err_code code = record_get_crl(value, &crl, err);
    if (code == ERR_OK) {
        crl.number += STORE_CRL_NUMBER_GAP;
        crl.next_update = crl.this_update;
        store_put_crl(txn, &crl);
    }
    return code;
}

// A walk must be over before its transaction puts anything, so the records are copied first.
struct records {
    struct buf list[CRLS_MAX];
    unsigned count;
};

static void records_done(struct records *records)
{
    for (unsigned i = 0; i < records->count; i++) {
        buf_done(&records->list[i]);
    }
}

static enum err_code gather(const struct store_txn *txn, struct records *records, struct err *err)
{
    const struct store_range all = {.table = TABLE_CRLS};
    struct store_walk walk;
    enum err_code code = ERR_OK;
    store_walk_first(txn, &all, &walk);
    for (; code == ERR_OK && walk.is_there; store_walk_next(&walk)) {
        if (records->count == CRLS_MAX) {
            code = err_set(err, ERR_LIMIT, "the store has CRLs of more than %d CAs", CRLS_MAX);
        } else {
            code = buf_copy(walk.value, &records->list[records->count++], err);
        }
    }
    if (code == ERR_OK) {
        code = store_walk_result(&walk, "listing CRLs", err);
    }
    store_walk_end(&walk);
    return code;
}

static enum err_code settle_once(struct store *store, bool *ret_is_map_full, struct err *err)
{
    CLEANUP(records_done) struct records records = {0};
    struct store_txn txn = {0};
    enum err_code code = store_txn_begin_write(store, &txn, err);
    if (code != ERR_OK) {
        return code;
    }
    code = gather(&txn, &records, err);
    for (unsigned i = 0; code == ERR_OK && i < records.count; i++) {
        code = move_on(&txn, buf_view(&records.list[i]), err);
    }
    if (code != ERR_OK) {
        store_txn_abort(&txn);
        return code;
    }
    code = store_txn_commit(&txn, err);
    *ret_is_map_full = txn.is_map_full;
    return code;
}

enum err_code store_backup_settle(struct store *store, struct err *err)
{
    bool is_map_full = false;
    enum err_code code = settle_once(store, &is_map_full, err);
    while (code != ERR_OK && is_map_full) {
        is_map_full = false;
        code = store_env_grow(store, err);
        if (code == ERR_OK) {
            code = settle_once(store, &is_map_full, err);
        }
    }
    return code;
}
