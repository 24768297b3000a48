// SPDX-License-Identifier: Apache-2.0
// The write side of the store, for the writer thread alone (ra/writer.c). One transaction: look
// what is there, put, commit. The first failing put makes the commit an abort, so a caller checks
// once, at the commit.
#pragma once

#include "ra/store_txn.h"

// Look-ups, on the read and on the write side; on the write side they see what the transaction has
// put. Errors: ERR_NOT_FOUND, ERR_IO, ERR_NOMEM.
enum err_code store_get_certificate(const struct store_txn *txn, const uint8_t serial[SERIAL_LEN],
                                    struct store_certificate *ret_certificate,
                                    struct err *err) MUST_CHECK;
enum err_code store_get_transaction(const struct store_txn *txn, const uint8_t key[SHA256_LEN],
                                    struct store_transaction *ret_transaction,
                                    struct err *err) MUST_CHECK;
enum err_code store_get_challenge(const struct store_txn *txn, const uint8_t hash[SHA256_LEN],
                                  struct store_challenge *ret_challenge,
                                  struct err *err) MUST_CHECK;
// The newest certificate for a public key.
enum err_code store_get_newest_of_key(const struct store_txn *txn,
                                      const uint8_t spki_hash[SHA256_LEN],
                                      struct store_certificate *ret_certificate,
                                      struct err *err) MUST_CHECK;
// By the ten hexadecimal digits that people use, of either case.
enum err_code store_get_challenge_by_id(const struct store_txn *txn, const char *id,
                                        struct store_challenge *ret_challenge,
                                        struct err *err) MUST_CHECK;

// A new certificate under its serial and in all indexes.
void store_put_certificate(struct store_txn *txn, const struct store_certificate *certificate);
// New ones, or in place of the one with the same key or hash.
void store_put_transaction(struct store_txn *txn, const struct store_transaction *transaction);
void store_put_challenge(struct store_txn *txn, const struct store_challenge *challenge);
