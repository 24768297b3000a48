// SPDX-License-Identifier: Apache-2.0
#include "server/counters.h"

#include <string.h>

#define STATUS_CLIENT_ERROR 400
#define STATUS_SERVER_ERROR 500

static const char *const result_names[RESULT_MAX] = {
    [RESULT_OK] = "ok",
    [RESULT_ISSUE] = "issue",
    [RESULT_REPLAY] = "replay",
    [RESULT_GIVE] = "give",
    [RESULT_PENDING] = "pending",
    [RESULT_REFUSE] = "refuse",
    [RESULT_UNANSWERABLE] = "unanswerable",
    [RESULT_UNAVAILABLE] = "unavailable",
    [RESULT_BAD_HTTP] = "bad_http",
    [RESULT_ERROR] = "error",
};

// As OpenSSL calls them.
static const char *const digest_names[COUNTERS_DIGESTS] = {"MD5",    "SHA1",   "SHA256",
                                                           "SHA384", "SHA512", "other"};
static const char *const cipher_names[COUNTERS_CIPHERS] = {
    "DES-CBC", "DES-EDE3-CBC", "AES-128-CBC", "AES-192-CBC", "AES-256-CBC", "other"};

static const int64_t bounds_us[COUNTERS_BOUNDS] = {
    1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000, 2500000, 10000000};

const char *counters_result_name(enum counters_result result)
{
    return (unsigned)result < RESULT_MAX ? result_names[result] : "?";
}

const char *counters_digest_name(size_t index)
{
    return digest_names[index < COUNTERS_DIGESTS ? index : COUNTERS_DIGESTS - 1];
}

const char *counters_cipher_name(size_t index)
{
    return cipher_names[index < COUNTERS_CIPHERS ? index : COUNTERS_CIPHERS - 1];
}

int64_t counters_bound_us(size_t index)
{
    return bounds_us[index < COUNTERS_BOUNDS ? index : COUNTERS_BOUNDS - 1];
}

static enum counters_result result_of_status(unsigned status)
{
    if (status >= STATUS_SERVER_ERROR) {
        return RESULT_ERROR;
    }
    return status >= STATUS_CLIENT_ERROR ? RESULT_BAD_HTTP : RESULT_OK;
}

static enum counters_result result_of(const struct request_line *request)
{
    if (request->report == NULL || request->report->decision == NULL) {
        return result_of_status(request->status);
    }
    for (int i = 0; i < RESULT_MAX; i++) {
        if (strcmp(request->report->decision, result_names[i]) == 0) {
            return (enum counters_result)i;
        }
    }
    return result_of_status(request->status);
}

// The last of `names` stands for all that are not among them.
static void count_name(_Atomic uint64_t *counts, const char *const *names, size_t count,
                       const char *name)
{
    if (name == NULL) {
        return;
    }
    size_t i = 0;
    while (i + 1 < count && strcmp(names[i], name) != 0) {
        i++;
    }
    atomic_fetch_add(&counts[i], 1);
}

static void count_duration(struct counters_durations *durations, int64_t took_us)
{
    size_t i = 0;
    while (i < COUNTERS_BOUNDS && took_us > bounds_us[i]) {
        i++;
    }
    atomic_fetch_add(&durations->counts[i], 1);
    atomic_fetch_add(&durations->sum_us, (uint64_t)(took_us > 0 ? took_us : 0));
}

void counters_add(struct counters *counters, const struct request_line *request)
{
    const struct enroll_report *report = request->report;
    unsigned operation = (unsigned)request->operation;
    if (operation >= OPERATION_MAX) {
        operation = OPERATION_UNKNOWN;
    }
    atomic_fetch_add(&counters->requests[operation][result_of(request)], 1);
    count_duration(&counters->durations[operation], request->total_us);
    if (report != NULL) {
        if (report->refusal > REFUSAL_NONE && report->refusal < REFUSAL_MAX) {
            atomic_fetch_add(&counters->refusals[report->refusal], 1);
        }
        count_name(counters->digests, digest_names, COUNTERS_DIGESTS, report->digest);
        count_name(counters->ciphers, cipher_names, COUNTERS_CIPHERS, report->cipher);
    }
}
