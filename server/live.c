// SPDX-License-Identifier: Apache-2.0
#include "server/live.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct live_policy {
    pthread_mutex_t lock; // guards `present`
    struct policy *present;
};

enum err_code live_policy_new(struct policy *take_policy, struct live_policy **ret_live,
                              struct err *err)
{
    struct live_policy *live = calloc(1, sizeof *live);
    if (live == NULL) {
        policy_unref(take_policy);
        return err_set(err, ERR_NOMEM, "no memory for the present policy");
    }
    pthread_mutex_init(&live->lock, NULL);
    live->present = take_policy;
    *ret_live = live;
    return ERR_OK;
}

void live_policy_free(struct live_policy *live)
{
    if (live != NULL) {
        policy_unref(live->present);
        pthread_mutex_destroy(&live->lock);
        free(live);
    }
}

struct policy *live_policy_get(struct live_policy *live)
{
    pthread_mutex_lock(&live->lock);
    struct policy *policy = policy_ref(live->present);
    pthread_mutex_unlock(&live->lock);
    return policy;
}

void live_policy_replace(struct live_policy *live, struct policy *take_policy)
{
    pthread_mutex_lock(&live->lock);
    struct policy *old = live->present;
    live->present = take_policy;
    pthread_mutex_unlock(&live->lock);
    policy_unref(old);
}

void live_add(struct live *live, enum live_count count)
{
    atomic_fetch_add(&live->counts[count], 1);
}

uint64_t live_get(const struct live *live, enum live_count count)
{
    return atomic_load(&live->counts[count]);
}
