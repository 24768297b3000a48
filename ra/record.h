// SPDX-License-Identifier: Apache-2.0
// How the store's records and index keys look on disk: conf/base/wire.h fields after one octet of
// version. Independent of the machine's byte order and of the compiler. A record of a version this
// program does not know is an error, never guessed at.
#pragma once

#include "ra/store.h"

#define RECORD_VERSION      1
#define RECORD_KEY_MAX      (STORE_DEVICE_LEN + 16) // octets; LMDB's limit is 511
#define CHALLENGE_ID_OCTETS ((CHALLENGE_ID_LEN - 1) / 2)

// A certificate's place in the order of newest and oldest: its time of issue, and among those of
// one second the order in which they were written.
struct record_certificate {
    struct store_certificate certificate; // owned
    uint64_t sequence;
};

// Encoders append to *out (empty before). Errors: ERR_NOMEM.
enum err_code record_put_certificate(const struct store_certificate *certificate, uint64_t sequence,
                                     struct buf *out, struct err *err) MUST_CHECK;
enum err_code record_put_transaction(const struct store_transaction *transaction, struct buf *out,
                                     struct err *err) MUST_CHECK;
enum err_code record_put_challenge(const struct store_challenge *challenge, struct buf *out,
                                   struct err *err) MUST_CHECK;

// Decoders copy everything out of `octets`. Errors: ERR_IO for another version and for damaged
// octets, with what was wrong; ERR_NOMEM.
enum err_code record_get_certificate(struct view octets, struct record_certificate *ret_record,
                                     struct err *err) MUST_CHECK;
enum err_code record_get_transaction(struct view octets, struct store_transaction *ret_transaction,
                                     struct err *err) MUST_CHECK;
enum err_code record_get_challenge(struct view octets, struct store_challenge *ret_challenge,
                                   struct err *err) MUST_CHECK;

// Keys of the indexes. All end with a time and the sequence number, so that under one prefix the
// oldest comes first and the newest last.
struct record_key {
    uint8_t octets[RECORD_KEY_MAX];
    size_t len;
};
static inline struct view record_key_view(const struct record_key *key)
{
    return view_of(key->octets, key->len);
}
void record_key_by_issue(const struct store_certificate *certificate, uint64_t sequence,
                         struct record_key *ret_key);
void record_key_by_expiry(const struct store_certificate *certificate, uint64_t sequence,
                          struct record_key *ret_key);
void record_key_by_device(const struct store_certificate *certificate, uint64_t sequence,
                          struct record_key *ret_key);
void record_key_by_key(const struct store_certificate *certificate, uint64_t sequence,
                       struct record_key *ret_key);
// What all keys of one device (at most STORE_DEVICE_LEN - 1 octets are looked at) or of one public
// key begin with, and no others do.
void record_prefix_of_device(const char *device, struct record_key *ret_prefix);
void record_prefix_of_key(const uint8_t spki_hash[SHA256_LEN], struct record_key *ret_prefix);

// The name by which people call a challenge: the first octets of its keyed hash.
void record_challenge_id(const uint8_t hash[SHA256_LEN], char ret_id[CHALLENGE_ID_LEN]);
