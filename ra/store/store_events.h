// SPDX-License-Identifier: Apache-2.0
// The history inside a write transaction. Private to the writer's own modules (and their tests).
#pragma once

#include "ra/store/store_write.h"

// Adds an event with the next id and *event's fields. An event never is the reason for a
// certificate not to be issued: one that cannot be added is counted in txn->lost_events, but a full
// map is the transaction's failure like with every put.
void store_add_event(struct store_txn *txn, const struct store_event *event);

// Removes the event with this key, if it is there. A damaged record goes, too.
void store_remove_event(struct store_txn *txn, const struct record_key *key);

// Forgets the oldest events, at most `most` of them, as long as there are more than `max`; of those
// that anybody can cause (refusals, repeats) as long as they are more than half of `max`, so that a
// flood cannot make the history forget what was issued. *ret_removed gets how many went. Errors:
// ERR_IO.
enum err_code store_trim_events(struct store_txn *txn, uint64_t max, uint32_t most,
                                uint32_t *ret_removed, struct err *err) MUST_CHECK;
