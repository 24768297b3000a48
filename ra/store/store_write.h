// SPDX-License-Identifier: Apache-2.0
// What stands in the tables, inside one transaction: look-ups for both sides, and what the writer
// thread alone does (ra/store/writer.c): look what is there, put, commit. The first failing put
// makes the commit an abort, so a caller checks once, at the commit.
#pragma once

#include "ra/store/record.h"
#include "ra/store/store_walk.h"

// Look-ups; on the write side they see what the transaction has put. Errors of all: ERR_NOT_FOUND,
// ERR_IO, ERR_NOMEM.
enum err_code store_get_certificate(const struct store_txn *txn, const uint8_t serial[SERIAL_LEN],
                                    struct record_certificate *ret_record,
                                    struct err *err) MUST_CHECK;
// As record_get_head().
enum err_code store_get_head(const struct store_txn *txn, const uint8_t serial[SERIAL_LEN],
                             struct record_certificate *ret_head, struct err *err) MUST_CHECK;
// What the value of a certificate's index names; ERR_IO when it is not there.
enum err_code store_get_indexed(const struct store_txn *txn, struct view serial,
                                struct record_certificate *ret_record, struct err *err) MUST_CHECK;
// The newest certificate for a public key or of a device.
enum err_code store_get_newest_of_key(const struct store_txn *txn,
                                      const uint8_t spki_hash[SHA256_LEN],
                                      uint8_t ret_serial[SERIAL_LEN], struct err *err) MUST_CHECK;
enum err_code store_get_newest_of_device(const struct store_txn *txn, const char *device,
                                         uint8_t ret_serial[SERIAL_LEN],
                                         struct err *err) MUST_CHECK;
// The head of a device's newest certificate.
enum err_code store_get_present(const struct store_txn *txn, const char *device,
                                struct record_certificate *ret_head, struct err *err) MUST_CHECK;
enum err_code store_get_last_expiry(const struct store_txn *txn, const uint8_t issuer[SHA256_LEN],
                                    int64_t *ret_not_after, struct err *err) MUST_CHECK;
enum err_code store_get_crl(const struct store_txn *txn, const uint8_t issuer[SHA256_LEN],
                            struct store_crl *ret_crl, struct err *err) MUST_CHECK;
enum err_code store_get_transaction(const struct store_txn *txn, const uint8_t key[SHA256_LEN],
                                    struct store_transaction *ret_transaction,
                                    struct err *err) MUST_CHECK;
enum err_code store_get_challenge(const struct store_txn *txn, const uint8_t hash[SHA256_LEN],
                                  struct store_challenge *ret_challenge,
                                  struct err *err) MUST_CHECK;
// By the ten hexadecimal digits that people use, of either case.
enum err_code store_get_challenge_by_id(const struct store_txn *txn, const char *id,
                                        struct store_challenge *ret_challenge,
                                        struct err *err) MUST_CHECK;
enum err_code store_get_pending(const struct store_txn *txn, const uint8_t key[SHA256_LEN],
                                struct store_pending *ret_pending, struct err *err) MUST_CHECK;
enum err_code store_get_pending_by_id(const struct store_txn *txn, const char *id,
                                      struct store_pending *ret_pending,
                                      struct err *err) MUST_CHECK;
// An entry of the device list by MAC, if it has one, else by serial number.
enum err_code store_get_device(const struct store_txn *txn, const struct store_device *named,
                               struct store_device *ret_device, struct err *err) MUST_CHECK;
// The value under the only key that begins with the octets that an ID stands for.
enum err_code store_get_by_id(const struct store_txn *txn, enum store_table table, const char *id,
                              struct view *ret_value, struct err *err) MUST_CHECK;

// How many records a table has. Errors: ERR_IO.
enum err_code store_count_table(const struct store_txn *txn, enum store_table table,
                                uint64_t *ret_records, struct err *err) MUST_CHECK;
// How many requests of one source wait; counts no further than `most`.
enum err_code store_count_source(const struct store_txn *txn, const char *source, uint32_t most,
                                 uint32_t *ret_count, struct err *err) MUST_CHECK;

// A new certificate, in all indexes. With `superseded_at` other than 0 the device's present one
// becomes superseded then, unless it is already or was revoked. Looks before it puts: after an
// error nothing was put. Errors: ERR_IO.
enum err_code store_add_certificate(struct store_txn *txn,
                                    const struct store_certificate *certificate,
                                    int64_t superseded_at, struct err *err) MUST_CHECK;
// Revokes a certificate, whose head this is, and lists it in its CA's CRL.
void store_put_revoked(struct store_txn *txn, const struct record_certificate *head, int64_t now,
                       uint8_t reason);

// New ones, or in place of the one with the same key.
void store_put_transaction(struct store_txn *txn, const struct store_transaction *transaction);
void store_put_challenge(struct store_txn *txn, const struct store_challenge *challenge);
void store_put_pending(struct store_txn *txn, const struct store_pending *pending);
void store_put_crl(struct store_txn *txn, const struct store_crl *crl);

void store_remove_pending(struct store_txn *txn, const struct store_pending *pending);
void store_remove_device(struct store_txn *txn, const struct store_device *device);

// Puts entries of the device list in place of those with the same keys; of several with one key
// the last counts. To be undone after an error. Errors: ERR_CONFLICT when two would have one serial
// number, with which; ERR_INTERNAL for an entry without MAC and serial number; ERR_IO.
enum err_code store_put_devices(struct store_txn *txn, const struct store_device *devices,
                                size_t count, struct err *err) MUST_CHECK;
