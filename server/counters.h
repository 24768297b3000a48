// SPDX-License-Identifier: Apache-2.0
// What requests came to since the start, by operation, result, algorithm and time taken: bounded
// families of atomic counters, for /metrics. Any thread; a reader may see one request counted in
// one family and not yet in another.
#pragma once

#include <stdatomic.h>

#include "ra/refusal.h"
#include "server/request_log.h"

// The words of the log's key `decision`, and what becomes of requests that have none.
enum counters_result {
    RESULT_OK, // read: capabilities, certificates, CRLs
    RESULT_ISSUE,
    RESULT_REPLAY,
    RESULT_GIVE,
    RESULT_PENDING,
    RESULT_REFUSE,
    RESULT_UNANSWERABLE,
    RESULT_UNAVAILABLE,
    RESULT_BAD_HTTP, // 4xx before any message was looked at
    RESULT_ERROR,    // 5xx, also when the queue was full
    RESULT_MAX
};
const char *counters_result_name(enum counters_result result); // "ok", "issue"...; "?" for others

// Algorithms of messages; the last one of each is every other one.
#define COUNTERS_DIGESTS 6
#define COUNTERS_CIPHERS 6
const char *counters_digest_name(size_t index); // "SHA1"..., "other"
const char *counters_cipher_name(size_t index); // "DES-EDE3-CBC"..., "other"

#define COUNTERS_BOUNDS 12               // upper bounds of durations; what takes longer is behind
int64_t counters_bound_us(size_t index); // microseconds

struct counters_durations {
    _Atomic uint64_t counts[COUNTERS_BOUNDS + 1]; // each up to its bound and above the one before
    _Atomic uint64_t sum_us;
};

struct counters {
    _Atomic uint64_t requests[OPERATION_MAX][RESULT_MAX];
    struct counters_durations durations[OPERATION_MAX];
    _Atomic uint64_t digests[COUNTERS_DIGESTS];
    _Atomic uint64_t ciphers[COUNTERS_CIPHERS];
    _Atomic uint64_t refusals[REFUSAL_MAX];
};

// Counts one answered request.
void counters_add(struct counters *counters, const struct request_line *request);
