// SPDX-License-Identifier: Apache-2.0
// Many requests at once, of which none may bring a certificate: all message types by all kinds of
// signers, and floods of polls.
#include "tests/phone/hostile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TYPE_NUMBERS  256 // 0 to 255
#define TYPE_TEXT_LEN 16
#define FLOOD_POLLS   400
#define FLOOD_LINKS   16 // connections
#define SHOWN_FAULTS  10

static const char *const odd_types[] = {
    "",     "019",    "19 ",  " 19", "+19", "-1",    "1 9",        "19.0",
    "0x13", "017",    "0017", "19a", "256", "65555", "4294967315", "18446744073709551635",
    "XIX",  "PKCSReq"};
#define ODD_TYPES (sizeof odd_types / sizeof odd_types[0])

struct series {
    const struct session *session;
    size_t count;
    struct request *requests;
    struct http_answer *answers;
    bool may_wait; // PENDING and HTTP 503 are right, too
};

static struct series series_new(const struct session *session, size_t count)
{
    struct series series = {.session = session, .count = count};
    series.requests = calloc(count, sizeof *series.requests);
    series.answers = calloc(count, sizeof *series.answers);
    require(series.requests != NULL && series.answers != NULL, "getting memory");
    return series;
}

static void series_done(struct series *series)
{
    for (size_t i = 0; i < series->count; i++) {
        request_done(&series->requests[i]);
        http_answer_done(&series->answers[i]);
    }
    free(series->requests);
    free(series->answers);
}

// Refused in a signed message; or, where that is right, put off.
static bool is_refused(const struct series *series, const char *verdict)
{
    static const char *const refusals[] = {"badRequest", "badCertId",
                                           "badRequest: ", "badCertId: "};
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        size_t len = strlen(refusals[i]);
        bool is_prefix = refusals[i][len - 1] == ' ';
        if (is_prefix ? strncmp(verdict, refusals[i], len) == 0
                      : strcmp(verdict, refusals[i]) == 0) {
            return true;
        }
    }
    return series->may_wait &&
           (strcmp(verdict, "pending") == 0 || strcmp(verdict, "http-503") == 0);
}

static size_t send_series(struct series *series, size_t connections)
{
    struct octets *messages = calloc(series->count, sizeof *messages);
    require(messages != NULL, "getting memory");
    for (size_t i = 0; i < series->count; i++) {
        messages[i] = series->requests[i].der; // borrowed
    }
    session_send(series->session, messages, series->count, connections, series->answers);
    free(messages);
    size_t faults = 0;
    for (size_t i = 0; i < series->count; i++) {
        char verdict[VERDICT_LEN] = "";
        hostile_judge(series->session, &series->requests[i], &series->answers[i], verdict);
        if (is_refused(series, verdict)) {
            continue;
        }
        if (faults++ < SHOWN_FAULTS) {
            printf("  request %zu of %zu: %s\n", i, series->count, verdict);
        }
    }
    return faults;
}

// Types that are right for this signer are left out.
static bool is_right_type(unsigned type, bool is_self_signed)
{
    return type == 19 || (type == 17 && !is_self_signed);
}

// A PKCS#10 that would be good under the right type.
static struct octets make_content(const struct draft *draft, const struct wish *wish,
                                  struct trouble *trouble)
{
    CLEANUP(cleanup_X509_REQ_free)
    X509_REQ *csr = session_csr(draft->session, draft->csr_key, wish, trouble);
    return csr != NULL ? csr_der(csr) : (struct octets){0};
}

static enum outcome send_types(const struct draft *draft, const struct credential *by,
                               const struct wish *wish, size_t *ret_faults, struct trouble *trouble)
{
    bool is_self_signed = X509_self_signed(by->cert, 0) == 1;
    CLEANUP(octets_done) struct octets content = make_content(draft, wish, trouble);
    if (content.data == NULL) {
        return trouble->outcome;
    }
    struct posting posting = {.by = by, .cert_key = draft->csr_key, .content = &content};
    CLEANUP(series_done)
    struct series series = series_new(draft->session, TYPE_NUMBERS + ODD_TYPES);
    series.count = 0;
    enum outcome outcome = OUTCOME_OK;
    for (unsigned type = 0; type < TYPE_NUMBERS && outcome == OUTCOME_OK; type++) {
        char text[TYPE_TEXT_LEN] = "";
        snprintf(text, sizeof text, "%u", type);
        posting.type = text;
        if (!is_right_type(type, is_self_signed)) {
            outcome = session_message(draft->session, &posting, &series.requests[series.count++],
                                      trouble);
        }
    }
    for (size_t i = 0; i < ODD_TYPES && outcome == OUTCOME_OK; i++) {
        posting.type = odd_types[i];
        outcome =
            session_message(draft->session, &posting, &series.requests[series.count++], trouble);
    }
    if (outcome == OUTCOME_OK) {
        *ret_faults = send_series(&series, FLOOD_LINKS);
    }
    return outcome;
}

// A throw-away certificate, and a challenge that is right.
static enum outcome types_by_challenge(const struct draft *draft, size_t *ret_faults,
                                       struct trouble *trouble)
{
    CLEANUP(cleanup_X509_free)
    X509 *signer = signer_make(draft->csr_key, X509_get_subject_name(draft->own->cert),
                               draft->session->digest);
    const struct credential by = {.key = draft->csr_key, .cert = signer};
    const struct wish wish = {.common_name_rdn = "CN=hostile-types",
                              .challenge = draft->session->options->challenge};
    return send_types(draft, &by, &wish, ret_faults, trouble);
}

static enum outcome types_by_own(const struct draft *draft, size_t *ret_faults,
                                 struct trouble *trouble)
{
    const struct wish wish = {.subject = X509_get_subject_name(draft->own->cert),
                              .challenge = draft->session->options->challenge};
    return send_types(draft, draft->own, &wish, ret_faults, trouble);
}

static enum outcome types_by_mic(const struct draft *draft, size_t *ret_faults,
                                 struct trouble *trouble)
{
    CLEANUP(credential_done) struct credential mic = {0};
    enum outcome outcome = hostile_mic_load(draft->session, "phone-9871", &mic, trouble);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    const struct wish wish = {.subject = X509_get_subject_name(mic.cert)};
    return send_types(draft, &mic, &wish, ret_faults, trouble);
}

// Polls for nothing, all by one signer: half of them for one transaction, half each for another.
static enum outcome poll_flood(const struct draft *draft, size_t *ret_faults,
                               struct trouble *trouble)
{
    const X509_NAME *issuer = X509_get_subject_name(draft->session->authority.issuing);
    const X509_NAME *subject = X509_get_subject_name(draft->own->cert);
    CLEANUP(octets_done) struct octets content = issuer_and_subject_der(issuer, subject);
    CLEANUP(cleanup_X509_free)
    X509 *signer = signer_make(draft->csr_key, subject, draft->session->digest);
    const struct credential by = {.key = draft->csr_key, .cert = signer};
    struct posting posting = {.by = &by, .type = MESSAGE_TYPE_POLL, .content = &content};
    CLEANUP(series_done) struct series series = series_new(draft->session, FLOOD_POLLS);
    series.may_wait = true;
    enum outcome outcome = OUTCOME_OK;
    for (size_t i = 0; i < series.count && outcome == OUTCOME_OK; i++) {
        posting.transaction_id = i % 2 == 0 ? "poll flood" : NULL;
        outcome = session_message(draft->session, &posting, &series.requests[i], trouble);
    }
    if (outcome == OUTCOME_OK) {
        *ret_faults = send_series(&series, FLOOD_LINKS);
    }
    return outcome;
}

const struct hostile_series hostile_series[] = {
    {"types-challenge", "all types but 19, self-signed, right challenge", false,
     types_by_challenge},
    {"types-own", "all types but 17 and 19, signed with a certificate of ours", false,
     types_by_own},
    {"types-mic", "all types but 17 and 19, signed with a genuine MIC", true, types_by_mic},
    {"poll-flood", "400 polls for nothing on 16 connections", false, poll_flood},
};
const size_t hostile_series_count = sizeof hostile_series / sizeof hostile_series[0];
