// SPDX-License-Identifier: Apache-2.0
// The LMDB environment under the store. Every commit is synced (no MDB_NOSYNC, no MDB_WRITEMAP) and
// pages are zeroed before use (no MDB_NOMEMINIT), so that no memory of ours leaks into the file.
#include "ra/store/store_env.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/base/wire.h"

#define DIRECTORY_MODE 0700
#define FILE_MODE      0600
#define DATA_NAME      "data.mdb" // LMDB's own name for it

static const char schema_name[] = "schema";

static const char *const table_names[TABLE_MAX] = {
    [TABLE_META] = "meta",
    [TABLE_CERTIFICATES] = "certificates",
    [TABLE_BY_ISSUE] = "certificates_by_issue",
    [TABLE_BY_DEVICE] = "certificates_by_device",
    [TABLE_BY_KEY] = "certificates_by_key",
    [TABLE_DUE] = "certificates_due",
    [TABLE_DUE_SERVERS] = "certificates_due_servers",
    [TABLE_SUPERSEDED] = "certificates_superseded",
    [TABLE_REVOKED] = "certificates_revoked",
    [TABLE_ISSUERS] = "issuers",
    [TABLE_CRLS] = "crls",
    [TABLE_TRANSACTIONS] = "transactions",
    [TABLE_CHALLENGES] = "challenges",
    [TABLE_PENDING] = "pending",
    [TABLE_PENDING_BY_AGE] = "pending_by_age",
    [TABLE_PENDING_BY_EXPIRY] = "pending_by_expiry",
    [TABLE_PENDING_BY_SOURCE] = "pending_by_source",
    [TABLE_DEVICES] = "devices",
    [TABLE_DEVICES_BY_NUMBER] = "devices_by_number",
    [TABLE_EVENTS] = "events",
    [TABLE_EVENTS_BY_NAME] = "events_by_name",
    [TABLE_EVENTS_MINOR] = "events_minor",
};

DEFINE_CLEANUP(MDB_env *, mdb_env_close);
DEFINE_CLEANUP(MDB_txn *, mdb_txn_abort);

static enum err_code code_of(int status)
{
    switch (status) {
    case MDB_NOTFOUND:
        return ERR_NOT_FOUND;
    case MDB_MAP_FULL:
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return ERR_FULL;
    case MDB_READERS_FULL:
    case EBUSY:
        return ERR_BUSY;
    case ENOMEM:
        return ERR_NOMEM;
    default:
        return ERR_IO;
    }
}

enum err_code store_env_error(struct err *err, int status, const char *what)
{
    return err_set(err, code_of(status), "%s: %s", what, mdb_strerror(status));
}

const char *store_env_table_name(enum store_table table)
{
    return table_names[table];
}

static MDB_val val_of(struct view octets)
{
    return (MDB_val){.mv_size = octets.len, .mv_data = (void *)(uintptr_t)octets.data};
}

static enum err_code write_schema(MDB_txn *txn, MDB_dbi meta, struct err *err)
{
    struct buf version = {0};
    struct wire_writer writer = wire_write(&version);
    wire_put_u32(&writer, STORE_SCHEMA_VERSION);
    enum err_code code = wire_finish(&writer, err);
    if (code == ERR_OK) {
        MDB_val key = val_of(view_of_text(schema_name));
        MDB_val value = val_of(buf_view(&version));
        int status = mdb_put(txn, meta, &key, &value, 0);
        code = status == 0 ? ERR_OK : store_env_error(err, status, "writing the schema version");
    }
    buf_done(&version);
    return code;
}

static enum err_code check_schema(MDB_val value, struct err *err)
{
    struct wire_reader reader = wire_read(view_of(value.mv_data, value.mv_size));
    uint32_t version = wire_get_u32(&reader);
    if (!wire_is_complete(&reader) || version == 0) {
        return err_set(err, ERR_CONFIG, "the schema version cannot be read");
    }
    if (version > STORE_SCHEMA_VERSION) {
        return err_set(err, ERR_CONFIG,
                       "its schema version is %u, this program knows %d: a newer scepd wrote it",
                       version, STORE_SCHEMA_VERSION);
    }
    if (version < STORE_SCHEMA_VERSION) {
        return err_set(err, ERR_CONFIG,
                       "its schema version is %u, from before the first release; this program "
                       "knows %d and cannot convert it: move the folder away to begin a new store",
                       version, STORE_SCHEMA_VERSION);
    }
    return ERR_OK;
}

// Before any other table is touched: a newer schema may have changed all of them.
static enum err_code open_meta(MDB_txn *txn, MDB_dbi *ret_meta, struct err *err)
{
    MDB_dbi main_table = 0;
    MDB_stat main_stat = {0};
    int status = mdb_dbi_open(txn, NULL, 0, &main_table);
    if (status == 0) {
        status = mdb_stat(txn, main_table, &main_stat);
    }
    if (status == 0) {
        status = mdb_dbi_open(txn, table_names[TABLE_META], MDB_CREATE, ret_meta);
    }
    if (status != 0) {
        return store_env_error(err, status, "opening the table meta");
    }
    MDB_val key = val_of(view_of_text(schema_name));
    MDB_val value = {0};
    status = mdb_get(txn, *ret_meta, &key, &value);
    if (status == 0) {
        return check_schema(value, err);
    }
    if (status != MDB_NOTFOUND) {
        return store_env_error(err, status, "reading the schema version");
    }
    if (main_stat.ms_entries > 0) {
        return err_set(err, ERR_CONFIG, "it has no schema version: another program wrote it");
    }
    return write_schema(txn, *ret_meta, err);
}

static enum err_code open_tables(MDB_env *env, MDB_dbi tables[TABLE_MAX], struct err *err)
{
    CLEANUP(cleanup_mdb_txn_abort) MDB_txn *txn = NULL;
    int status = mdb_txn_begin(env, NULL, 0, &txn);
    if (status != 0) {
        txn = NULL;
        return store_env_error(err, status, "beginning the first transaction");
    }
    enum err_code code = open_meta(txn, &tables[TABLE_META], err);
    if (code != ERR_OK) {
        return code;
    }
    for (int table = TABLE_META + 1; table < TABLE_MAX; table++) {
        status = mdb_dbi_open(txn, table_names[table], MDB_CREATE, &tables[table]);
        if (status != 0) {
            return store_env_error(err, status, table_names[table]);
        }
    }
    // The commit frees the transaction even when it fails.
    MDB_txn *consumed = txn;
    txn = NULL;
    status = mdb_txn_commit(consumed);
    return status == 0 ? ERR_OK : store_env_error(err, status, "committing the tables");
}

// MDB_NOTLS: a reader's slot belongs to its transaction, not to its thread. So nothing of the
// environment stays behind in idle or ended threads when it is closed to be opened again, and a
// slot is only taken while somebody reads.
static enum err_code open_env(struct store *store, struct err *err)
{
    CLEANUP(cleanup_mdb_env_close) MDB_env *env = NULL;
    int status = mdb_env_create(&env);
    if (status == 0) {
        status = mdb_env_set_maxdbs(env, TABLE_MAX);
    }
    if (status == 0) {
        status = mdb_env_set_maxreaders(env, STORE_READERS_MAX);
    }
    if (status == 0) {
        status = mdb_env_set_mapsize(env, store->map_octets);
    }
    if (status == 0) {
        status = mdb_env_open(env, store->directory, MDB_NOTLS, FILE_MODE);
    }
    if (status != 0) {
        return store_env_error(err, status, "opening LMDB");
    }
    enum err_code code = open_tables(env, store->tables, err);
    if (code != ERR_OK) {
        return code;
    }
    MDB_envinfo info = {0};
    mdb_env_info(env, &info);
    store->map_octets = info.me_mapsize;
    store->env = env;
    env = NULL;
    return ERR_OK;
}

static enum err_code sync_directory(const char *path, struct err *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return err_set_errno(err, "cannot open the folder");
    }
    enum err_code code = fsync(fd) == 0 ? ERR_OK : err_set_errno(err, "cannot sync the folder");
    close(fd);
    return code;
}

static enum err_code make_directory(const char *path, struct err *err)
{
    if (mkdir(path, DIRECTORY_MODE) != 0 && errno != EEXIST) {
        return err_set_errno(err, "cannot make the folder");
    }
    return ERR_OK;
}

static enum err_code join(const char *directory, const char *name, char path[PATH_MAX],
                          struct err *err)
{
    int len = snprintf(path, PATH_MAX, "%s/%s", directory, name);
    return len < PATH_MAX ? ERR_OK : err_set(err, ERR_IO, "its path is too long");
}

// A lock of our own, because LMDB lets several processes write by turns. The kernel lets go of it
// when the process ends, however it ends.
static enum err_code lock_directory(struct store *store, struct err *err)
{
    char path[PATH_MAX];
    enum err_code code = join(store->directory, STORE_LOCK_NAME, path, err);
    if (code != ERR_OK) {
        return code;
    }
    store->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
    if (store->lock_fd < 0) {
        return err_set_errno(err, "cannot open %s", STORE_LOCK_NAME);
    }
    if (flock(store->lock_fd, LOCK_EX | LOCK_NB) == 0) {
        return ERR_OK;
    }
    return errno == EWOULDBLOCK
               ? err_set(err, ERR_BUSY, "another process has it open; only one scepd may")
               : err_set_errno(err, "cannot lock %s", STORE_LOCK_NAME);
}

static uint64_t whole_pages(uint64_t octets)
{
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    return octets / page * page;
}

// A map that has room for what is in the file already, so that it need not grow at once.
static enum err_code choose_map_size(struct store *store, uint64_t first_octets, struct err *err)
{
    char path[PATH_MAX];
    enum err_code code = join(store->directory, DATA_NAME, path, err);
    if (code != ERR_OK) {
        return code;
    }
    struct stat stat_buf = {0};
    if (stat(path, &stat_buf) != 0 && errno != ENOENT) {
        return err_set_errno(err, "cannot look at %s", DATA_NAME);
    }
    uint64_t size = first_octets;
    while (size < (uint64_t)stat_buf.st_size) {
        size *= 2;
    }
    store->map_octets = whole_pages(size < store->max_octets ? size : store->max_octets);
    return ERR_OK;
}

static enum err_code open_directory(struct store *store, uint64_t first_octets, struct err *err)
{
    enum err_code code = make_directory(store->directory, err);
    if (code == ERR_OK) {
        code = lock_directory(store, err);
    }
    if (code == ERR_OK) {
        code = choose_map_size(store, first_octets, err);
    }
    if (code == ERR_OK) {
        code = open_env(store, err);
    }
    // LMDB syncs the file, not the name that leads to it.
    return code == ERR_OK ? sync_directory(store->directory, err) : code;
}

// A steady stream of readers must not keep the writer from growing the map.
static int init_gate(pthread_rwlock_t *gate)
{
    pthread_rwlockattr_t attributes;
    int status = pthread_rwlockattr_init(&attributes);
    if (status == 0) {
        pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
        status = pthread_rwlock_init(gate, &attributes);
        pthread_rwlockattr_destroy(&attributes);
    }
    return status;
}

static struct store *new_store(const struct store_options *options)
{
    struct store *store = calloc(1, sizeof *store);
    if (store == NULL) {
        return NULL;
    }
    store->lock_fd = -1;
    store->copying.fd = -1;
    store->max_octets = options->max_octets;
    store->directory = strdup(options->directory);
    if (store->directory == NULL || pthread_mutex_init(&store->copying.lock, NULL) != 0 ||
        init_gate(&store->gate) != 0) {
        free(store->directory);
        free(store);
        return NULL;
    }
    return store;
}

enum err_code store_env_open(const struct store_options *options, struct store **ret_store,
                             struct err *err)
{
    struct err local = {0};
    struct store *store = new_store(options);
    if (store == NULL) {
        return err_set(err, ERR_NOMEM, "no memory for the store");
    }
    enum err_code code = open_directory(store, options->first_octets, &local);
    if (code != ERR_OK) {
        store_env_close(store);
        return err_set(err, code, "store in %s: %s", options->directory, local.text);
    }
    *ret_store = store;
    return ERR_OK;
}

void store_env_close(struct store *take_store)
{
    if (take_store == NULL) {
        return;
    }
    mdb_env_close(take_store->env);
    if (take_store->lock_fd >= 0) {
        close(take_store->lock_fd);
    }
    pthread_rwlock_destroy(&take_store->gate);
    pthread_mutex_destroy(&take_store->copying.lock);
    free(take_store->directory);
    free(take_store);
}

static void begin_change(struct store *store)
{
    struct store_copying *copying = &store->copying;
    pthread_mutex_lock(&copying->lock);
    copying->is_unwelcome = true;
    if (copying->fd >= 0) {
        copying->gave_way = true;
        shutdown(copying->fd, SHUT_RDWR);
    }
    pthread_mutex_unlock(&copying->lock);
    pthread_rwlock_wrlock(&store->gate);
}

static void end_change(struct store *store)
{
    pthread_rwlock_unlock(&store->gate);
    pthread_mutex_lock(&store->copying.lock);
    store->copying.is_unwelcome = false;
    pthread_mutex_unlock(&store->copying.lock);
}

static enum err_code reopen(struct store *store, struct err *err)
{
    mdb_env_close(store->env);
    store->env = NULL;
    return open_env(store, err);
}

static enum err_code resize_map(struct store *store, uint64_t octets, struct err *err)
{
    int status = mdb_env_set_mapsize(store->env, octets);
    if (status != 0) {
        // LMDB has unmapped the old map by now and must not be used any more.
        enum err_code code = reopen(store, err);
        return code != ERR_OK ? code : store_env_error(err, status, "growing the store's map");
    }
    MDB_envinfo info = {0};
    mdb_env_info(store->env, &info);
    store->map_octets = info.me_mapsize;
    return ERR_OK;
}

enum err_code store_env_grow(struct store *store, struct err *err)
{
    uint64_t max_octets = whole_pages(store->max_octets);
    if (store->map_octets >= max_octets) {
        return err_set(err, ERR_FULL, "the store has reached store.max_size_mib (%llu octets)",
                       (unsigned long long)store->max_octets);
    }
    uint64_t doubled = store->map_octets * 2;
    begin_change(store);
    enum err_code code = resize_map(store, doubled < max_octets ? doubled : max_octets, err);
    end_change(store);
    return code;
}

static bool is_usable(MDB_env *env)
{
    MDB_txn *probe = NULL;
    int status = env != NULL ? mdb_txn_begin(env, NULL, MDB_RDONLY, &probe) : MDB_PANIC;
    if (status == 0) {
        mdb_txn_abort(probe);
    }
    return status != MDB_PANIC;
}

enum err_code store_env_heal(struct store *store, struct err *err)
{
    if (is_usable(store->env)) {
        return ERR_OK;
    }
    begin_change(store);
    enum err_code code = reopen(store, err);
    end_change(store);
    return code;
}
