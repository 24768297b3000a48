// SPDX-License-Identifier: Apache-2.0
// phone bench: many phones enrol. Requests are made before the clock starts and answers are
// checked after it stopped, so that what is measured is the server and not the phones.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "tests/phone/commands.h"
#include "tests/phone/keymill.h"
#include "tests/phone/session.h"

#define SHOWN_FAULTS   10 // faults that are printed one by one
#define USEC_PER_SEC   1000000.0
#define USEC_PER_MSEC  1000.0
#define RDN_LEN_MAX    128
#define SERIAL_LEN_MAX 20 // octets (RFC 5280, 4.1.2.2)
#define PERCENT        100.0

struct fleet {
    const struct session *session;
    size_t count;
    struct request *requests;
    struct http_answer *answers;
    char (*rdns)[RDN_LEN_MAX];                    // each phone's "CN=..."
    unsigned char (*serials)[SERIAL_LEN_MAX + 1]; // of the certificates, with length in front
    size_t faults; // phones without a certificate that is as it must be
    int64_t elapsed_us;
    double used_us; // of processor time, meanwhile
    size_t twins;   // certificates with a serial number that another one has
};

static void fleet_init(struct fleet *fleet, const struct session *session)
{
    *fleet = (struct fleet){.session = session, .count = session->options->phones};
    fleet->requests = calloc(fleet->count, sizeof *fleet->requests);
    fleet->answers = calloc(fleet->count, sizeof *fleet->answers);
    fleet->rdns = calloc(fleet->count, sizeof *fleet->rdns);
    fleet->serials = calloc(fleet->count, sizeof *fleet->serials);
    require(fleet->requests != NULL && fleet->answers != NULL && fleet->rdns != NULL &&
                fleet->serials != NULL,
            "getting memory");
}

static void fleet_done(struct fleet *fleet)
{
    for (size_t i = 0; i < fleet->count; i++) {
        request_done(&fleet->requests[i]);
        http_answer_done(&fleet->answers[i]);
    }
    free(fleet->requests);
    free(fleet->answers);
    free(fleet->rdns);
    free(fleet->serials);
}

static enum outcome prepare(struct fleet *fleet, struct trouble *trouble)
{
    const struct options *options = fleet->session->options;
    struct keymill *mill = keymill_new(fleet->count);
    enum outcome outcome = OUTCOME_OK;
    for (size_t i = 0; i < fleet->count && outcome == OUTCOME_OK; i++) {
        CLEANUP(cleanup_EVP_PKEY_free) EVP_PKEY *key = keymill_key(mill, i);
        snprintf(fleet->rdns[i], RDN_LEN_MAX, "CN=%s%012zX", options->cn_prefix, i);
        outcome =
            session_request(fleet->session, key, fleet->rdns[i], &fleet->requests[i], trouble);
    }
    keymill_free(mill);
    return outcome;
}

static enum outcome check_common_name(X509 *cert, const char *rdn, struct trouble *trouble)
{
    char name[RDN_LEN_MAX] = "";
    X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, name, sizeof name);
    if (strcmp(name, rdn + strlen("CN=")) != 0) {
        return trouble_set(trouble, OUTCOME_UNTRUSTED, "certificate for \"%s\" instead of \"%s\"",
                           name, rdn);
    }
    return OUTCOME_OK;
}

static enum outcome check_answer(struct fleet *fleet, size_t index, struct trouble *trouble)
{
    const struct reply_rules rules = {.authority = &fleet->session->authority,
                                      .request = &fleet->requests[index],
                                      .is_legacy = fleet->session->options->is_legacy};
    CLEANUP(reply_done) struct reply reply = {0};
    enum outcome outcome = reply_read(&fleet->answers[index], &rules, &reply, trouble);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    if (reply.status != PKI_STATUS_SUCCESS) {
        return trouble_set(trouble, OUTCOME_REFUSED, "not issued: %s %s",
                           fail_info_name(reply.fail_info), reply.fail_info_text);
    }
    const ASN1_INTEGER *serial = X509_get0_serialNumber(reply.cert);
    int len = ASN1_STRING_length(serial);
    if (len > SERIAL_LEN_MAX) {
        return trouble_set(trouble, OUTCOME_UNTRUSTED, "serial number of %d octets", len);
    }
    fleet->serials[index][0] = (unsigned char)len;
    memcpy(&fleet->serials[index][1], ASN1_STRING_get0_data(serial), (size_t)len);
    return check_common_name(reply.cert, fleet->rdns[index], trouble);
}

static int compare_serials(const void *a, const void *b)
{
    return memcmp(a, b, SERIAL_LEN_MAX + 1);
}

static void check_all(struct fleet *fleet)
{
    for (size_t i = 0; i < fleet->count; i++) {
        struct trouble trouble = {0};
        if (check_answer(fleet, i, &trouble) == OUTCOME_OK) {
            continue;
        }
        if (fleet->faults < SHOWN_FAULTS) {
            printf("phone %zu: %s\n", i, trouble.text);
        }
        fleet->faults++;
    }
    qsort(fleet->serials, fleet->count, sizeof *fleet->serials, compare_serials);
    for (size_t i = 1; i < fleet->count; i++) {
        if (fleet->serials[i][0] != 0 &&
            compare_serials(fleet->serials[i - 1], fleet->serials[i]) == 0) {
            fleet->twins++;
        }
    }
}

static int compare_times(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a;
    int64_t right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

static double cpu_us(void)
{
    struct rusage usage = {0};
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * USEC_PER_SEC +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

// The time that `percent` of the phones did not wait longer than.
static double percentile_ms(const int64_t *sorted_us, size_t count, size_t percent)
{
    size_t at = (count - 1) * percent / 100;
    return (double)sorted_us[at] / USEC_PER_MSEC;
}

static void print_result(const struct fleet *fleet)
{
    int64_t *times = calloc(fleet->count, sizeof *times);
    require(times != NULL, "getting memory");
    for (size_t i = 0; i < fleet->count; i++) {
        times[i] = fleet->answers[i].us;
    }
    qsort(times, fleet->count, sizeof *times, compare_times);
    double elapsed_sec = (double)fleet->elapsed_us / USEC_PER_SEC;
    printf("enrolments_per_s=%.1f answers_per_s=%.1f p50_ms=%.2f p99_ms=%.2f failures=%zu "
           "twins=%zu seconds=%.3f phones=%zu connections=%lu client_cpu_percent=%.1f\n",
           (double)(fleet->count - fleet->faults) / elapsed_sec, (double)fleet->count / elapsed_sec,
           percentile_ms(times, fleet->count, 50), percentile_ms(times, fleet->count, 99),
           fleet->faults, fleet->twins, elapsed_sec, fleet->count,
           fleet->session->options->connections,
           PERCENT * fleet->used_us / (double)fleet->elapsed_us);
    free(times);
}

static void send_all(struct fleet *fleet)
{
    struct octets *messages = calloc(fleet->count, sizeof *messages);
    require(messages != NULL, "getting memory");
    for (size_t i = 0; i < fleet->count; i++) {
        messages[i] = fleet->requests[i].der; // borrowed
    }
    size_t connections = fleet->session->options->connections;
    double before_us = cpu_us();
    fleet->elapsed_us =
        session_send(fleet->session, messages, fleet->count, connections, fleet->answers);
    fleet->used_us = cpu_us() - before_us;
    free(messages);
}

static enum outcome run(struct fleet *fleet, struct trouble *trouble)
{
    enum outcome outcome = prepare(fleet, trouble);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    send_all(fleet);
    check_all(fleet);
    print_result(fleet);
    if (fleet->faults + fleet->twins > 0) {
        return trouble_set(trouble, OUTCOME_FAILED,
                           "%zu of %zu phones failed; %zu certificates share a serial number",
                           fleet->faults, fleet->count, fleet->twins);
    }
    return OUTCOME_OK;
}

enum outcome command_bench(const struct options *options, struct trouble *trouble)
{
    CLEANUP(session_done) struct session session = {0};
    enum outcome outcome = session_open(options, false, &session, trouble);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    struct fleet fleet;
    fleet_init(&fleet, &session);
    outcome = run(&fleet, trouble);
    fleet_done(&fleet);
    return outcome;
}
