// SPDX-License-Identifier: Apache-2.0
// The LMDB environment under the store: its directory and lock, its tables, the size of its map.
// Private to the store's own modules (and their tests).
#pragma once

#include <pthread.h>

#include <lmdb.h>

#include "ra/store/store.h"

#define STORE_FIRST_OCTETS (16ULL << 20) // of a new map; it doubles from there
#define STORE_READERS_MAX  512           // read transactions at a time; far more than our threads
#define STORE_LOCK_NAME    "scepd.lock"

// Records are those of ra/store/record.h, keys those of ra/store/record_key.h.
enum store_table {
    TABLE_META,         // name → value; holds the schema version and the next sequence number
    TABLE_CERTIFICATES, // serial → certificate
    // Indexes of certificates; the values are serials.
    TABLE_BY_ISSUE,
    TABLE_BY_DEVICE,
    TABLE_BY_KEY,
    TABLE_DUE,          // (notAfter, serial), one for each device: its present certificate
    TABLE_DUE_SERVERS,  // the same for servers
    TABLE_SUPERSEDED,   // (time, serial) of those that are neither revoked nor seen to by a sweep
    TABLE_REVOKED,      // (issuer, notAfter, serial) → revocation
    TABLE_ISSUERS,      // issuer → when its last certificate is over
    TABLE_CRLS,         // issuer → newest CRL
    TABLE_TRANSACTIONS, // transaction key → transaction
    TABLE_CHALLENGES,   // keyed hash → challenge
    TABLE_PENDING,      // transaction key → waiting request
    // Indexes of waiting requests; the values are transaction keys.
    TABLE_PENDING_BY_AGE,
    TABLE_PENDING_BY_EXPIRY,
    TABLE_PENDING_BY_SOURCE,
    TABLE_DEVICES,           // "M" MAC or "S" serial number → entry of the device list
    TABLE_DEVICES_BY_NUMBER, // serial number → key of TABLE_DEVICES
    TABLE_EVENTS,            // id → event
    TABLE_EVENTS_BY_NAME,    // (device, id) and (hash of the CN, id) → nothing
    TABLE_EVENTS_MINOR,      // id → nothing: events that anybody can cause
    TABLE_MAX
};

// A copy of the store that is being made (ra/store/store_backup.h). It holds the gate for long, so
// whoever wants it exclusively ends the copy first.
struct store_copying {
    pthread_mutex_t lock; // guards what follows
    int fd;               // where the copy is written to: shut down to end it; -1 = none is made
    bool gave_way;        // it was ended
    bool is_unwelcome;    // somebody is changing the environment: none may begin
};

struct store {
    char *directory;
    uint64_t max_octets;
    uint64_t map_octets;   // present size of the map
    int lock_fd;           // flock()ed as long as the store is open
    pthread_rwlock_t gate; // held shared by every read transaction, exclusively by whoever changes
                           // `env`, `map_octets` or `tables`, which only the writer thread does
    struct store_copying copying;
    MDB_env *env; // NULL: it could not be opened again after a failure
    MDB_dbi tables[TABLE_MAX];
};

struct store_options {
    const char *directory;
    uint64_t max_octets;
    uint64_t first_octets; // of a new map
};

// As store_open().
enum err_code store_env_open(const struct store_options *options, struct store **ret_store,
                             struct err *err) MUST_CHECK;
void store_env_close(struct store *take_store);

// Doubles the map, up to max_octets. Writer thread only, with no write transaction open.
// Errors: ERR_FULL at the maximum, ERR_NOMEM, ERR_IO.
enum err_code store_env_grow(struct store *store, struct err *err) MUST_CHECK;

// Opens the environment again if LMDB has declared it broken (it does when it cannot write its
// head page), so that reads live on. Writer thread only, with no write transaction open.
// Errors: as store_open().
enum err_code store_env_heal(struct store *store, struct err *err) MUST_CHECK;

const char *store_env_table_name(enum store_table table);

// Notes what an LMDB return code other than 0 means.
enum err_code store_env_error(struct err *err, int status, const char *what);
