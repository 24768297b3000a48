// SPDX-License-Identifier: Apache-2.0
// How many requests were refused in the last day, and why: counters by hour and reason in memory,
// filled from the stored history at the start. A mutex guards them: any thread may count and ask,
// and no call takes longer than a walk over the counters.
#pragma once

#include "ra/refusal.h"
#include "ra/store/store.h"

struct refusals;

struct refusal_count {
    const char *reason; // refusal_name(): a short stable word ("wrong_challenge"); static
    uint64_t count;     // above 0
};

// What refusals_last_day() finds.
struct refusals_day {
    uint64_t total;
    size_t reason_count; // entries of `reasons`
    struct refusal_count reasons[REFUSAL_MAX];
};

// Counts what the store's history has of the 24 hours before `now` (seconds since 1970). Of a flood
// the history keeps a part, so after a restart the numbers may be too low, never too high. Free
// with refusals_free(). Errors: ERR_NOMEM; ERR_IO, ERR_BUSY when the history cannot be read.
enum err_code refusals_new(struct store *store, int64_t now, struct refusals **ret_refusals,
                           struct err *err) MUST_CHECK;
void refusals_free(struct refusals *refusals); // NULL is fine

// Counts one refusal at `now`. REFUSAL_NONE and numbers that are no reason are not counted; NULL as
// `refusals` counts nothing.
void refusals_add(struct refusals *refusals, int64_t now, enum refusal reason);

// The refusals of the 24 hours up to `now`, by whole hours: between 23 and 24 hours are looked
// back. Most frequent first, equally frequent ones by name. NULL has none.
void refusals_last_day(struct refusals *refusals, int64_t now, struct refusals_day *ret_day);
