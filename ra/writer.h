// SPDX-License-Identifier: Apache-2.0
// The one writer thread. Everything that was asked for while a commit ran goes into the next
// transaction together (group commit); `done` is called after the fsync, so what it says is on
// disk. Guards are checked inside the write transaction; the loser of a race gets ERR_CONFLICT and
// nothing of it is written.
#pragma once

#include "ra/store.h"

enum write_kind { WRITE_ISSUED, WRITE_CHALLENGE_NEW, WRITE_CHALLENGE_REVOKE };

// One thing to write. Lives with the asker until `done` was called; `done` runs on the writer
// thread, must be quick and may free the order.
struct write_order {
    enum write_kind kind;
    int64_t now;
    // WRITE_ISSUED. Guards: the transaction key is new, or its record is not ISSUED, or it is the
    // ISSUED one the asker saw (`replaces_transaction`); the serial is new; the newest
    // certificate for its key is the one the asker saw, or there is none; if `is_one_time`, the
    // challenge under `challenge_hash` exists, is not revoked, not expired at `now` and has uses
    // left — it is used up by one here.
    struct store_certificate certificate; // owned by the order
    bool is_one_time;
    bool replaces_transaction;           // the asker saw an ISSUED record and decided to issue anew
    uint8_t replaced_serial[SERIAL_LEN]; // ...namely this one; another one now = conflict
    bool has_key_record;                 // the asker saw a certificate for the same key...
    uint8_t key_serial[SERIAL_LEN];      // ...namely this one; a newer one now = conflict
    // WRITE_CHALLENGE_NEW (guard: hash and id are new) and WRITE_CHALLENGE_REVOKE (by id, of either
    // case; one that is revoked already stays so).
    struct store_challenge challenge;
    // The answer: ERR_OK; ERR_CONFLICT (a guard of WRITE_ISSUED did not hold; text says which);
    // ERR_EXISTS (WRITE_CHALLENGE_NEW), ERR_NOT_FOUND (WRITE_CHALLENGE_REVOKE); ERR_LIMIT (the
    // certificate is empty or longer than LIMIT_CERT_LEN); ERR_FULL, ERR_IO, ERR_NOMEM. `err` lives
    // on the writer's stack, not in the order.
    void (*done)(struct write_order *order, enum err_code code, const struct err *err);
    void *owner;
    struct write_order *next; // the writer's
    struct err result;        // the writer's
};

struct writer;

// Starts the thread. Stop with writer_stop(), which writes everything that was submitted first.
// Errors: ERR_NOMEM, ERR_IO.
enum err_code writer_start(struct store *store, struct writer **ret_writer,
                           struct err *err) MUST_CHECK;
void writer_stop(struct writer *writer);

// Hands the order over. Never blocks, never fails; any thread.
void writer_submit(struct writer *writer, struct write_order *order);

// Submits and waits for the answer. `order->done` and `order->owner` are used by this call. Not to
// be called on the writer thread.
enum err_code writer_submit_and_wait(struct writer *writer, struct write_order *order,
                                     struct err *err) MUST_CHECK;
