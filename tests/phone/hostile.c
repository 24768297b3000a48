// SPDX-License-Identifier: Apache-2.0
// phone hostile: makes the request of a case, sends it, and compares what the server did with what
// it must do.
#include "tests/phone/hostile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/phone/commands.h"
#include "tests/phone/keymill.h"

#define SPARE_KEYS   3 // the mill's first keys, for changes that need others than the phone's
#define OWN_KEY      2 // of them, that of the certificate that the server issues first
#define NAME_RDN_LEN 80

static const char *expected_name(enum expected expected)
{
    static const char *const names[] = {
        [EXPECT_BAD_ALG] = "badAlg",         [EXPECT_BAD_MESSAGE_CHECK] = "badMessageCheck",
        [EXPECT_BAD_REQUEST] = "badRequest", [EXPECT_BAD_TIME] = "badTime",
        [EXPECT_BAD_CERT_ID] = "badCertId",  [EXPECT_UNIFORM] = "badRequest-without-text",
        [EXPECT_HTTP_400] = "http-400",      [EXPECT_TOO_LARGE] = "http-413-or-414",
        [EXPECT_ISSUED] = "issued",
    };
    return names[expected];
}

static const struct hostile_case *case_at(size_t index)
{
    return index < hostile_case_count ? &hostile_cases[index]
                                      : &hostile_mic_cases[index - hostile_case_count];
}

static size_t case_count(void)
{
    return hostile_case_count + hostile_mic_case_count;
}

void command_hostile_list(void)
{
    for (size_t i = 0; i < case_count(); i++) {
        const struct hostile_case *hostile = case_at(i);
        printf("%-30s %-24s %s\n", hostile->name, expected_name(hostile->expected), hostile->words);
    }
    for (size_t i = 0; i < hostile_series_count; i++) {
        printf("%-30s %-24s %s\n", hostile_series[i].name, "never issued", hostile_series[i].words);
    }
}

EVP_PKEY *draft_other_key(const struct draft *draft, size_t index)
{
    return keymill_key(draft->mill, index);
}

int number_of(const char *detail)
{
    return (int)strtol(detail, NULL, 10);
}

void flip(ASN1_STRING *string, int from_end)
{
    require(string != NULL && string->length >= from_end, "changing a message");
    string->data[string->length - from_end] ^= 1;
}

void octets_replace(struct octets *octets, const void *data, size_t len)
{
    struct octets copy = octets_copy(data, len);
    octets_done(octets);
    *octets = copy;
}

void octets_append(struct octets *octets, const void *data, size_t len)
{
    struct octets longer = {.data = OPENSSL_zalloc(octets->len + len), .len = octets->len + len};
    require(longer.data != NULL, "getting memory");
    memcpy(longer.data, octets->data, octets->len);
    memcpy(longer.data + octets->len, data, len);
    octets_done(octets);
    *octets = longer;
}

static void draft_done(struct draft *draft)
{
    EVP_PKEY_free(draft->key);
    EVP_PKEY_free(draft->csr_key);
    X509_REQ_free(draft->csr);
    X509_free(draft->signer);
    free_certs(draft->chain);
    PKCS7_free(draft->envelope);
    PKCS7_free(draft->message);
    octets_done(&draft->plain);
    octets_done(&draft->content);
    octets_done(&draft->der);
    octets_done(&draft->echoed_id);
    octets_done(&draft->echoed_nonce);
}

static void after(struct draft *draft, const struct hostile_case *hostile, enum hostile_step step)
{
    if (hostile->change != NULL && hostile->step == step) {
        hostile->change(draft, hostile->detail);
    }
}

static void make_plan(struct draft *draft, const struct hostile_case *hostile, EVP_PKEY *take_key,
                      const char *rdn)
{
    const struct session *session = draft->session;
    draft->key = take_key;
    draft->rdns[0] = rdn;
    draft->cipher = session->cipher;
    draft->digest = session->digest;
    draft->csr_plan = (struct csr_plan){.rdns = draft->rdns,
                                        .rdn_count = 1,
                                        .challenge = session->options->challenge,
                                        .challenge_mask = session->options->challenge_mask,
                                        .digest = session->digest};
    draft->plan.type = MESSAGE_TYPE_REQ;
    message_plan_random(&draft->plan, draft->transaction_id);
    after(draft, hostile, STEP_PLAN);
    if (draft->csr_key == NULL) {
        require(EVP_PKEY_up_ref(draft->key) == 1, "sharing a key");
        draft->csr_key = draft->key;
    }
}

static enum outcome make_inner(struct draft *draft, const struct hostile_case *hostile,
                               struct trouble *trouble)
{
    draft->csr = csr_make(draft->csr_key, &draft->csr_plan, trouble);
    if (draft->csr == NULL) {
        return trouble->outcome;
    }
    after(draft, hostile, STEP_CSR);
    require(X509_REQ_sign(draft->csr, draft->csr_key, draft->csr_plan.digest) > 0,
            "signing a PKCS#10");
    draft->plain = csr_der(draft->csr);
    after(draft, hostile, STEP_PLAIN);
    draft->envelope = envelope_make(&draft->plain, draft->session->authority.ra, draft->cipher);
    after(draft, hostile, STEP_ENVELOPE);
    draft->content = pkcs7_der(draft->envelope);
    after(draft, hostile, STEP_CONTENT);
    return OUTCOME_OK;
}

static void make_outer(struct draft *draft, const struct hostile_case *hostile)
{
    if (draft->signer == NULL) {
        const X509_NAME *subject = X509_REQ_get_subject_name(draft->csr);
        draft->signer = signer_make(draft->key, subject, EVP_sha256());
    }
    draft->plan.key = draft->key;
    draft->plan.signer = draft->signer;
    draft->plan.chain = draft->chain;
    draft->plan.digest = draft->digest;
    draft->plan.content = &draft->content;
    draft->message = message_make(&draft->plan);
    draft->info = sk_PKCS7_SIGNER_INFO_value(draft->message->d.sign->signer_info, 0);
    draft->echoed_id = octets_copy(draft->plan.transaction_id, strlen(draft->plan.transaction_id));
    draft->echoed_nonce = octets_copy(draft->plan.nonce, NONCE_LEN);
    if (hostile->change != NULL && hostile->step == STEP_MESSAGE) {
        hostile->change(draft, hostile->detail);
        require(draft->info->auth_attr == NULL || PKCS7_SIGNER_INFO_sign(draft->info) == 1,
                "signing a message");
    }
    after(draft, hostile, STEP_SIGNED);
    draft->der = pkcs7_der(draft->message);
    after(draft, hostile, STEP_OCTETS);
}

void hostile_judge(const struct session *session, const struct request *request,
                   const struct http_answer *answer, char verdict[VERDICT_LEN])
{
    if (answer->status != 200) {
        const char *words = answer->status == 0 ? answer->error : "";
        snprintf(verdict, VERDICT_LEN, "http-%ld%s%s", answer->status, words[0] != '\0' ? ": " : "",
                 words);
        return;
    }
    const struct reply_rules rules = exchange_rules(session, request);
    CLEANUP(reply_done) struct reply reply = {0};
    struct trouble trouble = {0};
    if (reply_read(answer, &rules, &reply, &trouble) != OUTCOME_OK) {
        snprintf(verdict, VERDICT_LEN, "%.*s", VERDICT_LEN - 1, trouble.text);
    } else if (reply.status == PKI_STATUS_FAILURE) {
        snprintf(verdict, VERDICT_LEN, "%s%s%.180s", fail_info_name(reply.fail_info),
                 reply.fail_info_text[0] != '\0' ? ": " : "", reply.fail_info_text);
    } else {
        snprintf(verdict, VERDICT_LEN, "%s",
                 reply.status == PKI_STATUS_SUCCESS ? "issued" : "pending");
    }
}

static void judge(const struct draft *draft, const struct http_answer *answer,
                  char verdict[VERDICT_LEN])
{
    const struct request request = {.key = draft->key,
                                    .cert_key = draft->csr_key,
                                    .signer = draft->signer,
                                    .transaction_id = draft->echoed_id,
                                    .nonce = draft->echoed_nonce,
                                    .cipher_nid = EVP_CIPHER_get_nid(draft->cipher),
                                    .digest_nid = EVP_MD_get_type(draft->digest)};
    hostile_judge(draft->session, &request, answer, verdict);
}

static bool is_met(const struct hostile_case *hostile, bool use_post, const char *verdict)
{
    switch (hostile->expected) {
    case EXPECT_UNIFORM:
        return strcmp(verdict, "badRequest") == 0;
    case EXPECT_TOO_LARGE:
        return strcmp(verdict, use_post ? "http-413" : "http-414") == 0;
    default: {
        const char *name = expected_name(hostile->expected);
        size_t len = strlen(name);
        return strncmp(verdict, name, len) == 0 && (verdict[len] == '\0' || verdict[len] == ':');
    }
    }
}

// What is to be run.
struct run {
    const struct session *session;
    const struct keymill *mill;
    struct credential own; // the server's certificate for the mill's key OWN_KEY
    size_t key_index;      // of the next case's key in the mill
    size_t faults;
};

static struct draft start_draft(const struct run *run)
{
    return (struct draft){.session = run->session, .mill = run->mill, .own = &run->own};
}

static enum outcome run_case(struct run *run, const struct hostile_case *hostile,
                             struct trouble *trouble)
{
    char rdn[NAME_RDN_LEN] = "";
    snprintf(rdn, sizeof rdn, "CN=hostile-%s", hostile->name);
    CLEANUP(draft_done) struct draft draft = start_draft(run);
    make_plan(&draft, hostile, keymill_key(run->mill, run->key_index++), rdn);
    enum outcome outcome = make_inner(&draft, hostile, trouble);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    make_outer(&draft, hostile);
    CLEANUP(http_answer_done) struct http_answer answer = {0};
    session_send(run->session, &draft.der, 1, 1, &answer);
    char verdict[VERDICT_LEN] = "";
    judge(&draft, &answer, verdict);
    bool is_as_expected = is_met(hostile, run->session->use_post, verdict);
    printf("%s %s: expected %s, got %s\n", is_as_expected ? "ok  " : "FAIL", hostile->name,
           expected_name(hostile->expected), verdict);
    fflush(stdout);
    run->faults += is_as_expected ? 0 : 1;
    return OUTCOME_OK;
}

static enum outcome run_series(struct run *run, const struct hostile_series *series,
                               struct trouble *trouble)
{
    size_t faults = 0;
    CLEANUP(draft_done) struct draft draft = start_draft(run);
    draft.csr_key = keymill_key(run->mill, run->key_index++);
    enum outcome outcome = series->run(&draft, &faults, trouble);
    if (outcome == OUTCOME_OK) {
        printf("%s %s: %zu answered wrongly\n", faults == 0 ? "ok  " : "FAIL", series->name,
               faults);
        fflush(stdout);
        run->faults += faults > 0 ? 1 : 0;
    }
    return outcome;
}

static bool is_chosen(const char *name, const char *one, bool needs_mics,
                      const struct options *options)
{
    if (strcmp(name, "all") == 0) {
        return !needs_mics || options->mic_folder != NULL;
    }
    return strcmp(name, one) == 0;
}

// A certificate of the server's, as any phone gets one.
static enum outcome get_own(struct run *run, struct trouble *trouble)
{
    run->own.key = keymill_key(run->mill, OWN_KEY);
    const struct wish wish = {.common_name_rdn = "CN=hostile-own",
                              .challenge = run->session->options->challenge};
    CLEANUP(cleanup_X509_REQ_free)
    X509_REQ *csr = session_csr(run->session, run->own.key, &wish, trouble);
    if (csr == NULL) {
        return trouble->outcome;
    }
    CLEANUP(request_done) struct request request = {0};
    CLEANUP(reply_done) struct reply reply = {0};
    enum outcome outcome =
        session_request(run->session, csr, run->own.key, NULL, MESSAGE_TYPE_REQ, &request, trouble);
    const struct reply_rules rules = exchange_rules(run->session, &request);
    if (outcome == OUTCOME_OK) {
        outcome = exchange(run->session, &rules, &reply, trouble);
    }
    if (outcome == OUTCOME_OK) {
        run->own.cert = reply.cert;
        reply.cert = NULL;
    }
    return outcome;
}

static enum outcome run_chosen(struct run *run, const char *name, struct trouble *trouble)
{
    const struct options *options = run->session->options;
    enum outcome outcome = get_own(run, trouble);
    for (size_t i = 0; i < case_count() && outcome == OUTCOME_OK; i++) {
        if (is_chosen(name, case_at(i)->name, i >= hostile_case_count, options)) {
            outcome = run_case(run, case_at(i), trouble);
        }
    }
    for (size_t i = 0; i < hostile_series_count && outcome == OUTCOME_OK; i++) {
        const struct hostile_series *series = &hostile_series[i];
        if (is_chosen(name, series->name, series->needs_mics, options)) {
            outcome = run_series(run, series, trouble);
        }
    }
    return outcome;
}

// How many are meant by a name; 0 = there is no such case. *ret_needs_mics: it cannot be without
// --mic-dir.
static size_t count_chosen(const char *name, const struct options *options, bool *ret_needs_mics)
{
    size_t count = 0;
    for (size_t i = 0; i < case_count(); i++) {
        bool is_mic = i >= hostile_case_count;
        bool is_one = is_chosen(name, case_at(i)->name, is_mic, options);
        count += is_one ? 1 : 0;
        *ret_needs_mics = *ret_needs_mics || (is_one && is_mic);
    }
    for (size_t i = 0; i < hostile_series_count; i++) {
        const struct hostile_series *series = &hostile_series[i];
        bool is_one = is_chosen(name, series->name, series->needs_mics, options);
        count += is_one ? 1 : 0;
        *ret_needs_mics = *ret_needs_mics || (is_one && series->needs_mics);
    }
    return count;
}

static enum outcome check_options(const char *name, size_t count, bool needs_mics,
                                  const struct options *options, struct trouble *trouble)
{
    if (count == 0) {
        return trouble_set(trouble, OUTCOME_USAGE, "%s: no such case; see phone hostile list",
                           name);
    }
    if (options->challenge == NULL) {
        return trouble_set(trouble, OUTCOME_USAGE, "hostile needs a challenge that is right");
    }
    if (needs_mics && options->mic_folder == NULL) {
        return trouble_set(trouble, OUTCOME_USAGE, "%s needs --mic-dir", name);
    }
    return OUTCOME_OK;
}

enum outcome command_hostile(const char *name, const struct options *options,
                             struct trouble *trouble)
{
    bool needs_mics = false;
    size_t count = count_chosen(name, options, &needs_mics);
    enum outcome outcome = check_options(name, count, needs_mics, options, trouble);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    CLEANUP(session_done) struct session session = {0};
    outcome = session_open(options, false, &session, trouble);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    struct keymill *mill = keymill_new(SPARE_KEYS + count);
    struct run run = {.session = &session, .mill = mill, .key_index = SPARE_KEYS};
    outcome = run_chosen(&run, name, trouble);
    credential_done(&run.own);
    keymill_free(mill);
    if (outcome == OUTCOME_OK && run.faults > 0) {
        return trouble_set(trouble, OUTCOME_FAILED, "%zu of %zu cases failed", run.faults, count);
    }
    return outcome;
}
