// SPDX-License-Identifier: Apache-2.0
// How the store's records look on disk: conf/base/wire.h fields after one octet of version.
// Independent of the machine's byte order and of the compiler. A record of a version this program
// does not know is an error, never guessed at. The keys of the tables: ra/store/record_key.h.
#pragma once

#include "ra/store/store.h"

#define RECORD_VERSION   2
#define RECORD_ID_OCTETS ((CHALLENGE_ID_LEN - 1) / 2)

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
enum err_code record_put_pending(const struct store_pending *pending, struct buf *out,
                                 struct err *err) MUST_CHECK;
enum err_code record_put_device(const struct store_device *device, struct buf *out,
                                struct err *err) MUST_CHECK;
enum err_code record_put_crl(const struct store_crl *crl, struct buf *out,
                             struct err *err) MUST_CHECK;
enum err_code record_put_revocation(const struct store_revocation *revocation, struct buf *out,
                                    struct err *err) MUST_CHECK;
enum err_code record_put_event(const struct store_event *event, struct buf *out,
                               struct err *err) MUST_CHECK;
// When the last certificate of a CA is over.
enum err_code record_put_last_expiry(int64_t not_after, struct buf *out,
                                     struct err *err) MUST_CHECK;

// Decoders copy everything out of `octets`. Errors: ERR_IO for another version and for damaged
// octets, with what was wrong; ERR_NOMEM.
enum err_code record_get_certificate(struct view octets, struct record_certificate *ret_record,
                                     struct err *err) MUST_CHECK;
enum err_code record_get_transaction(struct view octets, struct store_transaction *ret_transaction,
                                     struct err *err) MUST_CHECK;
enum err_code record_get_challenge(struct view octets, struct store_challenge *ret_challenge,
                                   struct err *err) MUST_CHECK;
enum err_code record_get_pending(struct view octets, struct store_pending *ret_pending,
                                 struct err *err) MUST_CHECK;
enum err_code record_get_device(struct view octets, struct store_device *ret_device,
                                struct err *err) MUST_CHECK;
enum err_code record_get_crl(struct view octets, struct store_crl *ret_crl,
                             struct err *err) MUST_CHECK;
enum err_code record_get_revocation(struct view octets, struct store_revocation *ret_revocation,
                                    struct err *err) MUST_CHECK;
enum err_code record_get_event(struct view octets, struct store_event *ret_event,
                               struct err *err) MUST_CHECK;
enum err_code record_get_last_expiry(struct view octets, int64_t *ret_not_after,
                                     struct err *err) MUST_CHECK;

// A certificate record begins with its head: sequence, serial, status, times, revocation,
// supersession, issuer, and the hashes of key and subject. Reads that alone; everything else in
// *ret_head is empty, and nothing in it needs to be freed. Errors: ERR_IO.
enum err_code record_get_head(struct view octets, struct record_certificate *ret_head,
                              struct err *err) MUST_CHECK;
// The record in `octets`, of which record_get_head() could read the head, with another head.
// Errors: ERR_NOMEM.
enum err_code record_replace_head(struct view octets, const struct record_certificate *head,
                                  struct buf *out, struct err *err) MUST_CHECK;

// The name by which people call a challenge or a waiting request: the first octets of its hash.
void record_challenge_id(const uint8_t hash[SHA256_LEN], char ret_id[CHALLENGE_ID_LEN]);
void record_pending_id(const uint8_t key[SHA256_LEN], char ret_id[PENDING_ID_LEN]);
