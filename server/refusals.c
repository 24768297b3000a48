// SPDX-License-Identifier: Apache-2.0
// A ring of hours. An hour's counters are cleared when a later hour first needs their place; a
// clock that was set back counts into what is there.
#include "server/refusals.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define HOURS    24
#define HOUR_SEC 3600

struct hour {
    int64_t number; // hours since 1970
    uint32_t counts[REFUSAL_MAX];
};

struct refusals {
    pthread_mutex_t lock; // guards the hours
    struct hour hours[HOURS];
};

static int64_t hour_of(int64_t time)
{
    return time / HOUR_SEC;
}

// Under the lock. NULL: its place has a later hour already.
static struct hour *find_hour(struct refusals *refusals, int64_t number)
{
    struct hour *hour = &refusals->hours[(uint64_t)number % HOURS];
    if (hour->number > number) {
        return NULL;
    }
    if (hour->number < number) {
        *hour = (struct hour){.number = number};
    }
    return hour;
}

void refusals_add(struct refusals *refusals, int64_t now, enum refusal reason)
{
    if (refusals == NULL || reason <= REFUSAL_NONE || reason >= REFUSAL_MAX) {
        return;
    }
    pthread_mutex_lock(&refusals->lock);
    struct hour *hour = find_hour(refusals, hour_of(now));
    if (hour != NULL && hour->counts[reason] < UINT32_MAX) {
        hour->counts[reason]++;
    }
    pthread_mutex_unlock(&refusals->lock);
}

struct filling {
    struct refusals *refusals;
    int64_t from; // in the history's microseconds
};

static bool count_stored(const struct store_event *event, void *context)
{
    const struct filling *filling = context;
    if (event->kind == EVENT_REFUSED) {
        refusals_add(filling->refusals, event->at / STORE_US_PER_SEC,
                     refusal_of_name(event->reason));
    }
    return event->at >= filling->from;
}

enum err_code refusals_new(struct store *store, int64_t now, struct refusals **ret_refusals,
                           struct err *err)
{
    static const struct store_event_filter all = {0};
    struct refusals *refusals = calloc(1, sizeof *refusals);
    if (refusals == NULL || pthread_mutex_init(&refusals->lock, NULL) != 0) {
        free(refusals);
        return err_set(err, ERR_NOMEM, "no memory to count refusals");
    }
    struct filling filling = {
        .refusals = refusals,
        .from = (now - (int64_t)HOURS * HOUR_SEC) * STORE_US_PER_SEC,
    };
    enum err_code code = store_list_events_back(store, &all, count_stored, &filling, err);
    if (code != ERR_OK) {
        refusals_free(refusals);
        return code;
    }
    *ret_refusals = refusals;
    return ERR_OK;
}

void refusals_free(struct refusals *refusals)
{
    if (refusals != NULL) {
        pthread_mutex_destroy(&refusals->lock);
        free(refusals);
    }
}

// The hours up to the one of `now`, so that a clock that was set back shows no future.
static void sum(const struct refusals *refusals, int64_t now, uint64_t sums[REFUSAL_MAX])
{
    int64_t last = hour_of(now);
    for (size_t i = 0; i < HOURS; i++) {
        const struct hour *hour = &refusals->hours[i];
        bool is_of_day = hour->number > last - HOURS && hour->number <= last;
        for (size_t reason = 0; reason < REFUSAL_MAX && is_of_day; reason++) {
            sums[reason] += hour->counts[reason];
        }
    }
}

static int compare(const void *a, const void *b)
{
    const struct refusal_count *one = a;
    const struct refusal_count *other = b;
    if (one->count != other->count) {
        return one->count > other->count ? -1 : 1;
    }
    return strcmp(one->reason, other->reason);
}

void refusals_last_day(struct refusals *refusals, int64_t now, struct refusals_day *ret_day)
{
    uint64_t sums[REFUSAL_MAX] = {0};
    *ret_day = (struct refusals_day){0};
    if (refusals == NULL) {
        return;
    }
    pthread_mutex_lock(&refusals->lock);
    sum(refusals, now, sums);
    pthread_mutex_unlock(&refusals->lock);
    for (size_t reason = 0; reason < REFUSAL_MAX; reason++) {
        if (sums[reason] > 0) {
            ret_day->reasons[ret_day->reason_count++] = (struct refusal_count){
                .reason = refusal_name((enum refusal)reason), .count = sums[reason]};
            ret_day->total += sums[reason];
        }
    }
    qsort(ret_day->reasons, ret_day->reason_count, sizeof ret_day->reasons[0], compare);
}
