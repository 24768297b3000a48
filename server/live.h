// SPDX-License-Identifier: Apache-2.0
// What the running daemon consists of, as its threads see it: the parts themselves, and the policy
// that a reload replaces as a whole.
#pragma once

#include "ra/enroll.h"
#include "ra/ocsp.h"
#include "ra/policy.h"
#include "ra/store/store.h"
#include "ra/store/writer.h"
#include "server/counters.h"
#include "server/fleet.h"
#include "server/health.h"

// Holds one reference to the present policy. A mutex guards the pointer; readers take their own
// reference and never see half of a reload.
struct live_policy;
// `take_policy` is given back on failure, too. Errors: ERR_NOMEM.
enum err_code live_policy_new(struct policy *take_policy, struct live_policy **ret_live,
                              struct err *err) MUST_CHECK;
void live_policy_free(struct live_policy *live);
// A new reference to the present policy; give it back with policy_unref(). Any thread.
struct policy *live_policy_get(struct live_policy *live);
// Puts `take_policy` in the present one's place. Main thread.
void live_policy_replace(struct live_policy *live, struct policy *take_policy);

// What requests came to since the start; atomic counters, written by the threads that answer.
enum live_count {
    LIVE_REQUESTS,    // all HTTP requests on the phones' port
    LIVE_ISSUED,      // new certificates released
    LIVE_REPLAYED,    // repeats answered with a stored certificate
    LIVE_REFUSED,     // signed FAILUREs
    LIVE_PENDING,     // signed PENDINGs
    LIVE_BAD_HTTP,    // 4xx
    LIVE_UNAVAILABLE, // 5xx
    LIVE_COUNT_MAX
};

struct work;

struct live {
    struct store *store;
    struct writer *writer;
    struct live_policy *policy;
    struct ocsp *ocsp;
    struct ca_client *ca;       // the main thread's connection to scepd-ca
    struct ca_client *ca_probe; // the same with HEALTH_CA_TIMEOUT_MS; NULL = nobody asks
    int64_t ca_asked_at;        // when it was asked last whether it answers; 0 = never
    struct work *work;          // for its queue's length; NULL = none
    struct refusals *refusals;  // of the last day; NULL = nobody counts them
    // Reads settings, certificates and keys again and puts them to use; whatever is wrong with them
    // leaves the old ones in place. Main thread.
    enum err_code (*reload)(void *context, struct err *err);
    void *reload_context;
    int64_t started_at;
    char listening[64];           // "127.0.0.1:8080" as bound, the real port if 0 was asked for
    _Atomic bool is_ca_answering; // as of `ca_asked_at`; health_ca_answers() asks when that is old
    _Atomic uint64_t counts[LIVE_COUNT_MAX];
    struct counters counters;
    struct fleet fleet;        // fleet_get()'s; main thread
    struct health_probe probe; // health_check()'s; main thread
    char web_listening[64];    // as `listening`, of the web page's port; "" = there is none
};
void live_add(struct live *live, enum live_count count);
uint64_t live_get(const struct live *live, enum live_count count);
