// SPDX-License-Identifier: Apache-2.0
// phone hostile: makes the request of a case, sends it, and compares what the server did with what
// it must do.
#include "tests/phone/hostile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/phone/commands.h"
#include "tests/phone/keymill.h"

#define SPARE_KEYS   2 // the mill's first keys, for changes that need others than the phone's
#define VERDICT_LEN  (TROUBLE_TEXT_LEN)
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

void command_hostile_list(void)
{
    for (size_t i = 0; i < hostile_case_count; i++) {
        printf("%-30s %-24s %s\n", hostile_cases[i].name, expected_name(hostile_cases[i].expected),
               hostile_cases[i].words);
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

// What the server did, in the words of expected_name().
static void judge(const struct draft *draft, const struct http_answer *answer,
                  char verdict[VERDICT_LEN])
{
    if (answer->status != 200) {
        const char *words = answer->status == 0 ? answer->error : "";
        snprintf(verdict, VERDICT_LEN, "http-%ld%s%s", answer->status, words[0] != '\0' ? ": " : "",
                 words);
        return;
    }
    struct request request = {.key = draft->key,
                              .signer = draft->signer,
                              .transaction_id = draft->echoed_id,
                              .nonce = draft->echoed_nonce,
                              .cipher_nid = EVP_CIPHER_get_nid(draft->cipher),
                              .digest_nid = EVP_MD_get_type(draft->digest)};
    const struct reply_rules rules = {.authority = &draft->session->authority,
                                      .request = &request,
                                      .is_legacy = draft->session->options->is_legacy};
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

// One case to run, with the number of its key in the mill.
struct run {
    const struct session *session;
    const struct keymill *mill;
    size_t key_index;
};

// Sets *ret_met when the server did what it must.
static enum outcome run_case(const struct run *run, const struct hostile_case *hostile,
                             bool *ret_met, struct trouble *trouble)
{
    char rdn[NAME_RDN_LEN] = "";
    snprintf(rdn, sizeof rdn, "CN=hostile-%s", hostile->name);
    CLEANUP(draft_done) struct draft draft = {.session = run->session, .mill = run->mill};
    make_plan(&draft, hostile, keymill_key(run->mill, run->key_index), rdn);
    enum outcome outcome = make_inner(&draft, hostile, trouble);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    make_outer(&draft, hostile);
    CLEANUP(http_answer_done) struct http_answer answer = {0};
    session_send(run->session, &draft.der, 1, 1, &answer);
    char verdict[VERDICT_LEN] = "";
    judge(&draft, &answer, verdict);
    *ret_met = is_met(hostile, run->session->use_post, verdict);
    printf("%s %s: expected %s, got %s\n", *ret_met ? "ok  " : "FAIL", hostile->name,
           expected_name(hostile->expected), verdict);
    fflush(stdout);
    return OUTCOME_OK;
}

static bool is_chosen(const char *name, size_t index)
{
    return strcmp(name, "all") == 0 || strcmp(name, hostile_cases[index].name) == 0;
}

static enum outcome run_cases(const char *name, const struct session *session, size_t count,
                              struct trouble *trouble)
{
    struct keymill *mill = keymill_new(SPARE_KEYS + count);
    struct run run = {.session = session, .mill = mill, .key_index = SPARE_KEYS};
    enum outcome outcome = OUTCOME_OK;
    size_t faults = 0;
    for (size_t i = 0; i < hostile_case_count && outcome == OUTCOME_OK; i++) {
        if (!is_chosen(name, i)) {
            continue;
        }
        bool is_as_expected = false;
        outcome = run_case(&run, &hostile_cases[i], &is_as_expected, trouble);
        run.key_index++;
        faults += is_as_expected ? 0 : 1;
    }
    keymill_free(mill);
    if (outcome == OUTCOME_OK && faults > 0) {
        return trouble_set(trouble, OUTCOME_FAILED, "%zu of %zu cases failed", faults, count);
    }
    return outcome;
}

enum outcome command_hostile(const char *name, const struct options *options,
                             struct trouble *trouble)
{
    size_t count = 0;
    for (size_t i = 0; i < hostile_case_count; i++) {
        count += is_chosen(name, i) ? 1 : 0;
    }
    if (count == 0) {
        return trouble_set(trouble, OUTCOME_USAGE, "%s: no such case; see phone hostile list",
                           name);
    }
    if (options->challenge == NULL) {
        return trouble_set(trouble, OUTCOME_USAGE, "hostile needs a challenge that is right");
    }
    CLEANUP(session_done) struct session session = {0};
    enum outcome outcome = session_open(options, false, &session, trouble);
    return outcome == OUTCOME_OK ? run_cases(name, &session, count, trouble) : outcome;
}
