// SPDX-License-Identifier: Apache-2.0
// phone bench: many phones enrol or renew. Requests are made before the clock starts and answers
// are checked after it stopped, so that what is measured is the server and not the phones.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "tests/phone/commands.h"
#include "tests/phone/exchange.h"
#include "tests/phone/keymill.h"
#include "tests/phone/mint.h"
#include "tests/phone/session.h"

#define SHOWN_FAULTS   10 // faults that are printed one by one
#define USEC_PER_SEC   1000000.0
#define USEC_PER_MSEC  1000.0
#define RDN_LEN_MAX    (COMMON_NAME_LEN + 4)
#define SERIAL_LEN_MAX 20 // octets (RFC 5280, 4.1.2.2)
#define KEYS_A_PHONE   2  // of the mill: the one to be certified, and the one it has already
#define FILE_NAME_LEN  64 // bytes with the final NUL
#define CN_PREFIX      "CP-9841-SEP"
#define CN_PREFIX_MIC  "CP-8861-SEP"
#define PERCENT        100.0

struct fleet {
    const struct session *session;
    struct keymill *mill;
    size_t count;
    struct request *requests;
    struct http_answer *answers;
    struct credential *credentials;               // what each signs with; empty = throw-away
    char (*rdns)[RDN_LEN_MAX];                    // each phone's "CN=..."
    unsigned char (*serials)[SERIAL_LEN_MAX + 1]; // of the certificates, with length in front
    size_t faults; // phones without a certificate that is as it must be
    int64_t elapsed_us;
    double used_us; // of processor time, meanwhile
    size_t twins;   // certificates with a serial number that another one has
};

static void fleet_init(struct fleet *fleet, const struct session *session)
{
    const struct options *options = session->options;
    const char *prefix = options->mode == BENCH_MIC ? CN_PREFIX_MIC : CN_PREFIX;
    *fleet = (struct fleet){.session = session, .count = options->phones};
    fleet->mill = keymill_new(KEYS_A_PHONE * fleet->count);
    fleet->requests = calloc(fleet->count, sizeof *fleet->requests);
    fleet->answers = calloc(fleet->count, sizeof *fleet->answers);
    fleet->credentials = calloc(fleet->count, sizeof *fleet->credentials);
    fleet->rdns = calloc(fleet->count, sizeof *fleet->rdns);
    fleet->serials = calloc(fleet->count, sizeof *fleet->serials);
    require(fleet->requests != NULL && fleet->answers != NULL && fleet->credentials != NULL &&
                fleet->rdns != NULL && fleet->serials != NULL,
            "getting memory");
    for (size_t i = 0; i < fleet->count; i++) {
        snprintf(fleet->rdns[i], RDN_LEN_MAX, "CN=%s%012zX",
                 options->cn_prefix != NULL ? options->cn_prefix : prefix,
                 options->first_phone + i);
    }
}

static void fleet_done(struct fleet *fleet)
{
    for (size_t i = 0; i < fleet->count; i++) {
        request_done(&fleet->requests[i]);
        http_answer_done(&fleet->answers[i]);
        credential_done(&fleet->credentials[i]);
    }
    keymill_free(fleet->mill);
    free(fleet->requests);
    free(fleet->answers);
    free(fleet->credentials);
    free(fleet->rdns);
    free(fleet->serials);
}

// The key that phone `index` has before the clock starts.
static EVP_PKEY *present_key(const struct fleet *fleet, size_t index)
{
    return keymill_key(fleet->mill, fleet->count + index);
}

// One request for `key`, signed with the phone's credential if it has one.
static enum outcome prepare_one(struct fleet *fleet, size_t index, EVP_PKEY *key,
                                const char *challenge, struct trouble *trouble)
{
    const struct credential *by = &fleet->credentials[index];
    bool is_renewal = fleet->session->options->mode == BENCH_RENEW && by->cert != NULL;
    const struct wish wish = {.common_name_rdn = fleet->rdns[index],
                              .subject = is_renewal ? X509_get_subject_name(by->cert) : NULL,
                              .challenge = challenge};
    CLEANUP(cleanup_X509_REQ_free)
    X509_REQ *csr = session_csr(fleet->session, key, &wish, trouble);
    if (csr == NULL) {
        return trouble->outcome;
    }
    return session_request(fleet->session, csr, key, by->cert != NULL ? by : NULL,
                           is_renewal ? MESSAGE_TYPE_RENEWAL : MESSAGE_TYPE_REQ,
                           &fleet->requests[index], trouble);
}

// What the clock will run for.
static enum outcome prepare(struct fleet *fleet, struct trouble *trouble)
{
    const struct options *options = fleet->session->options;
    const char *challenge = options->mode == BENCH_CHALLENGE ? options->challenge : NULL;
    enum outcome outcome = OUTCOME_OK;
    for (size_t i = 0; i < fleet->count && outcome == OUTCOME_OK; i++) {
        CLEANUP(cleanup_EVP_PKEY_free) EVP_PKEY *key = keymill_key(fleet->mill, i);
        outcome = prepare_one(fleet, i, key, challenge, trouble);
    }
    return outcome;
}

// Each phone comes with a MIC of its own from the factory.
static enum outcome manufacture(struct fleet *fleet, struct trouble *trouble)
{
    const struct options *options = fleet->session->options;
    const struct credential_files files = {.cert = options->mic_ca_file,
                                           .key = options->mic_ca_key_file};
    CLEANUP(credential_done) struct credential ca = {0};
    enum outcome outcome = credential_load(&files, &ca, trouble);
    for (size_t i = 0; i < fleet->count && outcome == OUTCOME_OK; i++) {
        EVP_PKEY *key = present_key(fleet, i);
        fleet->credentials[i] = (struct credential){
            .key = key, .cert = mic_mint(key, fleet->rdns[i] + strlen("CN="), &ca)};
    }
    return outcome;
}

static enum outcome phone_path(const char *folder, const char *kind, size_t index,
                               char path[PATH_LEN_MAX], struct trouble *trouble)
{
    char name[FILE_NAME_LEN] = "";
    snprintf(name, sizeof name, "%s-%zu.pem", kind, index);
    return path_join(folder, name, path, trouble);
}

// What an earlier run has left in --state.
static enum outcome load_phone(const char *folder, size_t index, struct credential *ret_credential,
                               struct trouble *trouble)
{
    char cert[PATH_LEN_MAX] = "";
    char key[PATH_LEN_MAX] = "";
    const struct credential_files files = {.cert = cert, .key = key};
    enum outcome outcome = phone_path(folder, "cert", index, cert, trouble);
    if (outcome == OUTCOME_OK) {
        outcome = phone_path(folder, "key", index, key, trouble);
    }
    return outcome == OUTCOME_OK ? credential_load(&files, ret_credential, trouble) : outcome;
}

static enum outcome equip(struct fleet *fleet, struct trouble *trouble)
{
    const char *folder = fleet->session->options->state;
    enum outcome outcome = OUTCOME_OK;
    for (size_t i = 0; i < fleet->count && outcome == OUTCOME_OK; i++) {
        struct credential *present = &fleet->credentials[i];
        outcome = load_phone(folder, i, present, trouble);
        char name[COMMON_NAME_LEN] = "";
        if (outcome == OUTCOME_OK && cert_common_name(present->cert, name)) {
            snprintf(fleet->rdns[i], RDN_LEN_MAX, "CN=%s", name);
        }
    }
    return outcome;
}

// Leaves phone `index` for a later run.
static enum outcome keep_phone(const struct fleet *fleet, size_t index, X509 *cert,
                               struct trouble *trouble)
{
    const char *folder = fleet->session->options->out;
    char cert_path[PATH_LEN_MAX] = "";
    char key_path[PATH_LEN_MAX] = "";
    enum outcome outcome = phone_path(folder, "cert", index, cert_path, trouble);
    if (outcome == OUTCOME_OK) {
        outcome = phone_path(folder, "key", index, key_path, trouble);
    }
    if (outcome == OUTCOME_OK) {
        outcome = key_save(key_path, fleet->requests[index].cert_key, trouble);
    }
    CLEANUP(octets_done) struct octets pem = cert_pem(cert);
    return outcome == OUTCOME_OK ? file_save(cert_path, &pem, trouble) : outcome;
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

static enum outcome read_answer(const struct fleet *fleet, size_t index, X509 **ret_cert,
                                struct trouble *trouble)
{
    const struct reply_rules rules = exchange_rules(fleet->session, &fleet->requests[index]);
    CLEANUP(reply_done) struct reply reply = {0};
    enum outcome outcome = exchange_read(&fleet->answers[index], &rules, &reply, trouble);
    if (outcome == OUTCOME_OK) {
        *ret_cert = reply.cert;
        reply.cert = NULL;
    }
    return outcome;
}

static enum outcome check_answer(struct fleet *fleet, size_t index, struct trouble *trouble)
{
    CLEANUP(cleanup_X509_free) X509 *cert = NULL;
    enum outcome outcome = read_answer(fleet, index, &cert, trouble);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    const ASN1_INTEGER *serial = X509_get0_serialNumber(cert);
    int len = ASN1_STRING_length(serial);
    if (len > SERIAL_LEN_MAX) {
        return trouble_set(trouble, OUTCOME_UNTRUSTED, "serial number of %d octets", len);
    }
    fleet->serials[index][0] = (unsigned char)len;
    memcpy(&fleet->serials[index][1], ASN1_STRING_get0_data(serial), (size_t)len);
    outcome = check_common_name(cert, fleet->rdns[index], trouble);
    if (outcome == OUTCOME_OK && fleet->session->options->out != NULL) {
        outcome = keep_phone(fleet, index, cert, trouble);
    }
    return outcome;
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

static enum outcome get_ready(struct fleet *fleet, struct trouble *trouble)
{
    enum outcome outcome = OUTCOME_OK;
    switch (fleet->session->options->mode) {
    case BENCH_MIC:
        outcome = manufacture(fleet, trouble);
        break;
    case BENCH_RENEW:
        outcome = equip(fleet, trouble);
        break;
    case BENCH_CHALLENGE:
        break;
    }
    return outcome == OUTCOME_OK ? prepare(fleet, trouble) : outcome;
}

static enum outcome run(struct fleet *fleet, struct trouble *trouble)
{
    enum outcome outcome = get_ready(fleet, trouble);
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
    if (options->mode == BENCH_MIC && options->mic_ca_file == NULL) {
        return trouble_set(trouble, OUTCOME_USAGE, "--mode mic needs --mic-ca and --mic-ca-key");
    }
    if (options->mode == BENCH_RENEW && options->state == NULL) {
        return trouble_set(trouble, OUTCOME_USAGE,
                           "--mode renew needs --state, the --out of another mode's run");
    }
    CLEANUP(session_done) struct session session = {0};
    enum outcome outcome = options->out != NULL ? folder_make(options->out, trouble) : OUTCOME_OK;
    if (outcome == OUTCOME_OK) {
        outcome = session_open(options, false, &session, trouble);
    }
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    struct fleet fleet;
    fleet_init(&fleet, &session);
    outcome = run(&fleet, trouble);
    fleet_done(&fleet);
    return outcome;
}
