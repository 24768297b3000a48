// SPDX-License-Identifier: Apache-2.0
// What is remembered: certificates, transactions, challenges, in LMDB. This header speaks the
// domain, not keys and values, so that another engine could stand behind it. Opened once per
// process, after exec. Read calls may come from any thread, each is one short read transaction;
// write calls belong to the writer thread alone (ra/writer.h).
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "conf/base/ossl.h"
#include "conf/limits.h"

#define STORE_SCHEMA_VERSION 1
#define STORE_DEVICE_LEN     128 // bytes with NUL: MAC, else CN, else hex of the subject's hash
#define STORE_NAME_LEN       256 // bytes with NUL: UTF-8 of a CN (64 characters, 4 octets each)
#define CHALLENGE_ID_LEN     11  // bytes with NUL: ten hex digits of the keyed hash

struct store;

enum certificate_status { CERTIFICATE_VALID = 1, CERTIFICATE_REVOKED = 2 };

// Owned copy of one certificate record; store_certificate_done() frees `der`.
struct store_certificate {
    uint8_t serial[SERIAL_LEN];
    enum certificate_status status;
    int64_t issued_at;
    int64_t not_before;
    int64_t not_after;
    char device[STORE_DEVICE_LEN];
    char common_name[STORE_NAME_LEN]; // "" when the subject has none
    char mac[13];                     // "" when unknown
    uint8_t spki_hash[SHA256_LEN];
    uint8_t subject_hash[SHA256_LEN]; // of the subject's DER
    uint8_t csr_hash[SHA256_LEN];
    uint8_t transaction_key[SHA256_LEN];
    uint8_t challenge_hash[SHA256_LEN]; // keyed hash of what authorised it; zeroes = none
    uint8_t signer_class;               // enum signer_class of ra/decide.h
    struct buf der;
};

enum transaction_state {
    TRANSACTION_NONE = 0,
    TRANSACTION_PENDING = 1, // not reached yet
    TRANSACTION_ISSUED = 2,
    TRANSACTION_DENIED = 3, // not reached yet
};

struct store_transaction {
    uint8_t key[SHA256_LEN]; // SHA-256(transactionID ‖ 00 ‖ signer's SPKI)
    enum transaction_state state;
    int64_t changed_at;
    uint8_t csr_hash[SHA256_LEN];
    uint8_t serial[SERIAL_LEN]; // TRANSACTION_ISSUED
};

struct store_challenge {
    uint8_t hash[SHA256_LEN];  // keyed hash; the secret itself is nowhere
    char id[CHALLENGE_ID_LEN]; // derived from `hash`
    int64_t created_at;
    int64_t expires_at;
    uint32_t uses_allowed;
    uint32_t uses_left;
    bool is_revoked;
    char common_name[STORE_NAME_LEN]; // bound to this CN; "" = not bound
    char mac[13];                     // bound to this MAC; "" = not bound
    int64_t last_used_at;             // 0 = never
};

struct store_counts {
    uint64_t certificates;
    uint64_t transactions;
    uint64_t challenges;
    uint64_t pending;
    uint64_t devices;
    uint64_t used_octets; // of the map
    uint64_t map_octets;  // present size of the map
    uint64_t max_octets;  // it never grows beyond
};

// Opens or makes the environment in `directory` (made 0700 if missing). Free with store_close().
// Errors: ERR_IO, ERR_FULL, ERR_NOMEM, ERR_NOT_FOUND when the folder above is missing, ERR_CONFIG
// when the schema is newer than this program knows or not ours; ERR_BUSY when it is open already.
enum err_code store_open(const char *directory, uint64_t max_octets, struct store **ret_store,
                         struct err *err) MUST_CHECK;
void store_close(struct store *store);

// Reading; any thread. Errors of all: ERR_NOT_FOUND, ERR_IO, ERR_NOMEM, ERR_BUSY (hundreds read at
// the same moment). The newest certificate is the one with the latest `issued_at`, and among those
// of one second the one that was written last.
enum err_code store_find_serial(struct store *store, const uint8_t serial[SERIAL_LEN],
                                struct store_certificate *ret_certificate,
                                struct err *err) MUST_CHECK;
// The newest certificate for a public key.
enum err_code store_find_key(struct store *store, const uint8_t spki_hash[SHA256_LEN],
                             struct store_certificate *ret_certificate, struct err *err) MUST_CHECK;
// The newest certificate of a device (MAC, else CN, else hex of the subject's hash).
enum err_code store_find_device(struct store *store, const char *device,
                                struct store_certificate *ret_certificate,
                                struct err *err) MUST_CHECK;
enum err_code store_find_transaction(struct store *store, const uint8_t key[SHA256_LEN],
                                     struct store_transaction *ret_transaction,
                                     struct err *err) MUST_CHECK;
enum err_code store_find_challenge(struct store *store, const uint8_t hash[SHA256_LEN],
                                   struct store_challenge *ret_challenge,
                                   struct err *err) MUST_CHECK;
enum err_code store_count(struct store *store, struct store_counts *ret_counts,
                          struct err *err) MUST_CHECK;

// Listing: calls `visit` for each record until it returns false. The record is only valid during
// the call; `visit` must be quick and must not call the store. Errors: ERR_IO, ERR_NOMEM, ERR_BUSY.
typedef bool store_visit_certificate(const struct store_certificate *certificate, void *context);
typedef bool store_visit_challenge(const struct store_challenge *challenge, void *context);
// Certificates from the newest issued to the oldest, beginning after the one with `after_serial`
// (NULL = from the newest; ERR_NOT_FOUND when there is no such certificate).
enum err_code store_list_certificates(struct store *store, const uint8_t *after_serial,
                                      store_visit_certificate *visit, void *context,
                                      struct err *err) MUST_CHECK;
// All certificates of one device, newest first.
enum err_code store_list_device(struct store *store, const char *device,
                                store_visit_certificate *visit, void *context,
                                struct err *err) MUST_CHECK;
enum err_code store_list_challenges(struct store *store, store_visit_challenge *visit,
                                    void *context, struct err *err) MUST_CHECK;

void store_certificate_done(struct store_certificate *certificate);
