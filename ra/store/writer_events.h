// SPDX-License-Identifier: Apache-2.0
// What the writer's orders leave in the history, in the same transaction as the fact itself, and
// the queue of events that have no order. Private to the writer's own modules (and their tests).
#pragma once

#include "ra/store/store_events.h"
#include "ra/store/writer.h"

// WRITE_ISSUED, when everything of it was put.
void writer_note_issued(struct store_txn *txn, const struct write_order *order);
// What became of a waiting request at `now`.
void writer_note_pending(struct store_txn *txn, enum event_kind kind,
                         const struct store_pending *pending, int64_t now);
// A certificate was revoked, by the administrator or by time.
struct writer_revocation {
    const uint8_t *serial;
    int64_t now;
    uint8_t reason; // enum revocation_reason
    enum event_authority authority;
};
void writer_note_revoked(struct store_txn *txn, const struct writer_revocation *revocation);
// A challenge was made or revoked.
void writer_note_challenge(struct store_txn *txn, enum event_kind kind,
                           const struct store_challenge *challenge, int64_t now);
// An entry of the device list was removed.
void writer_note_unlisted(struct store_txn *txn, const struct store_device *device, int64_t now);

// Events that wait for the next transaction. Whoever uses it has a lock of his own.
#define EVENT_QUEUE_MAX 512
struct event_queue {
    struct store_event *list; // EVENT_QUEUE_MAX of them
    size_t count;
};
// Errors: ERR_NOMEM.
enum err_code event_queue_new(struct event_queue *ret_queue, struct err *err) MUST_CHECK;
void event_queue_done(struct event_queue *queue);
// False when it is full.
bool event_queue_add(struct event_queue *queue, const struct store_event *event);
// Adds all to the history.
void event_queue_write(const struct event_queue *queue, struct store_txn *txn);
