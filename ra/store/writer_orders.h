// SPDX-License-Identifier: Apache-2.0
// What the writer does for each kind of order, inside its write transaction. Each looks first and
// puts then: after an error nothing of the order was put, unless it says otherwise. Private to the
// writer's own modules.
#pragma once

#include "ra/store/store_write.h"
#include "ra/store/writer.h"

// ERR_OK when `code` is ERR_NOT_FOUND: what is asked for may be missing.
enum err_code writer_or_missing(enum err_code code);

// WRITE_ISSUED.
enum err_code writer_put_issued(struct store_txn *txn, const struct write_order *order,
                                struct err *err) MUST_CHECK;
// Whether an ISSUED transaction is the one that the asker saw. Errors: ERR_CONFLICT.
enum err_code writer_check_issued(const struct store_transaction *stored,
                                  const struct write_order *order, struct err *err) MUST_CHECK;

// WRITE_PENDING_NEW; a waiting request under the same key that has expired goes away in any case.
enum err_code writer_put_pending(struct store_txn *txn, const struct write_order *order,
                                 struct err *err) MUST_CHECK;
// WRITE_PENDING_APPROVE, WRITE_PENDING_DENY.
enum err_code writer_approve_pending(struct store_txn *txn, const struct write_order *order,
                                     struct err *err) MUST_CHECK;
enum err_code writer_deny_pending(struct store_txn *txn, const struct write_order *order,
                                  struct err *err) MUST_CHECK;
// Removes a waiting request and its transaction.
void writer_forget_pending(struct store_txn *txn, const struct store_pending *pending);

// WRITE_CHALLENGE_NEW, WRITE_CHALLENGE_REVOKE.
enum err_code writer_put_challenge(struct store_txn *txn, const struct write_order *order,
                                   struct err *err) MUST_CHECK;
enum err_code writer_revoke_challenge(struct store_txn *txn, const struct write_order *order,
                                      struct err *err) MUST_CHECK;
// WRITE_REVOKE, WRITE_CRL.
enum err_code writer_revoke(struct store_txn *txn, const struct write_order *order,
                            struct err *err) MUST_CHECK;
enum err_code writer_put_crl(struct store_txn *txn, const struct write_order *order,
                             struct err *err) MUST_CHECK;
// WRITE_DEVICES, WRITE_DEVICE_REMOVE.
enum err_code writer_put_devices(struct store_txn *txn, const struct write_order *order,
                                 struct err *err) MUST_CHECK;
enum err_code writer_remove_device(struct store_txn *txn, const struct write_order *order,
                                   struct err *err) MUST_CHECK;
// WRITE_PROBE.
enum err_code writer_probe(struct store_txn *txn, const struct write_order *order,
                           struct err *err) MUST_CHECK;
// WRITE_SWEEP. Each kind gets its turn whatever became of the others; what one has done before an
// error stays done.
enum err_code writer_sweep(struct store_txn *txn, const struct write_order *order,
                           struct err *err) MUST_CHECK;
