// SPDX-License-Identifier: Apache-2.0
#include "server/phone/trial.h"

#include <stdio.h>
#include <string.h>

#include "conf/base/clock.h"
#include "server/phone/judge.h"
#include "server/phone/words.h"

#define US_PER_SEC 1000000

#define HTTP_OK          200
#define HTTP_UNAVAILABLE 503

#define TYPE_MESSAGE "application/x-pki-message"

#define STEP_HTTP    "http"
#define STEP_CERTS   "ca_certificates"
#define STEP_END     "end"
#define STEP_MIC     "mic"
#define STEP_REQUEST "request"
#define STEP_ANSWER  "answer"

#define BASE64_LEN(len) (4 * (((len) + 2) / 3) + 1) // bytes with NUL

// A trial under way.
struct trial {
    const struct trial_plan *plan;
    struct judge judge;
    struct findings *findings;
    int64_t begun_us; // of the clock that never jumps
    struct phone_caps caps;
    struct phone_authority authority;
    struct phone_request request;
    struct trial_result *result;
    struct err *err;
};

static void trial_done(struct trial *trial)
{
    phone_authority_done(&trial->authority);
    phone_request_done(&trial->request);
}

void trial_result_done(struct trial_result *result)
{
    EVP_PKEY_free(result->key);
    X509_free(result->cert);
    free_cert_stack(result->certs);
    *result = (struct trial_result){0};
}

static bool is_over(const struct trial *trial)
{
    return findings_worst(trial->findings) == FINDING_PROBLEM;
}

// Errors of this machine end a trial; the others are the server's and make findings.
static bool is_own_error(enum err_code code)
{
    return code == ERR_NOMEM || code == ERR_CRYPTO || code == ERR_INTERNAL;
}

// Asks; no whole answer is a finding, and false.
static enum err_code ask(struct trial *trial, const struct phone_call *call,
                         struct phone_answer *ret_answer, bool *ret_is_there)
{
    struct err fault = {0};
    enum err_code code = phone_call(call, ret_answer, &fault);
    *ret_is_there = code == ERR_OK;
    if (code == ERR_NOMEM) {
        return err_set(trial->err, code, "%s", fault.text);
    }
    if (code != ERR_OK) {
        findings_add(trial->findings, FINDING_PROBLEM, STEP_HTTP, "HTTP: %s at %s: %s",
                     call->operation, call->url, fault.text);
        findings_explain(trial->findings, "A phone gets no certificate; Custom Cert Status on its "
                                          "screen shows a reason.");
    }
    return ERR_OK;
}

static enum err_code ask_caps(struct trial *trial)
{
    CLEANUP(phone_answer_done) struct phone_answer answer = {0};
    const struct phone_call call = {
        .url = trial->plan->address->url,
        .operation = "GetCACaps",
        .max_len = PHONE_CAPS_LEN_MAX,
        .timeout_sec = trial->plan->timeout_sec,
    };
    bool is_there = false;
    enum err_code code = ask(trial, &call, &answer, &is_there);
    if (code == ERR_OK && is_there) {
        trial->caps = judge_caps(&trial->judge, &answer);
    }
    return code;
}

// Whoever is given a bare address chooses a path; nobody knows which one a phone chooses.
static enum err_code ask_root_path(struct trial *trial)
{
    CLEANUP(phone_answer_done) struct phone_answer answer = {0};
    char url[PHONE_URL_LEN];
    const struct phone_address *address = trial->plan->address;
    size_t base_len = strlen(address->url) - strlen(PHONE_DEFAULT_PATH);
    snprintf(url, sizeof url, "%.*s/", (int)base_len, address->url);
    const struct phone_call call = {
        .url = url,
        .operation = "GetCACaps",
        .max_len = PHONE_CAPS_LEN_MAX,
        .timeout_sec = trial->plan->timeout_sec,
    };
    enum err_code code = phone_call(&call, &answer, NULL);
    if (code == ERR_NOMEM) {
        return err_set(trial->err, code, "no memory for an HTTP request");
    }
    if (code != ERR_OK || answer.status != HTTP_OK) {
        findings_add(trial->findings, FINDING_WARNING, STEP_HTTP, "HTTP: nothing is served at %s",
                     url);
        findings_explain(trial->findings,
                         "A phone may ask there when it is given a bare address. "
                         "Give it %s instead.",
                         address->url);
    }
    return ERR_OK;
}

static void keep_certs(struct trial *trial)
{
    trial->result->certs = X509_chain_up_ref(trial->authority.certs);
    trial->result->root = trial->authority.root;
}

static enum err_code read_certs(struct trial *trial, const struct phone_answer *answer)
{
    struct err fault = {0};
    enum err_code code =
        phone_authority_read(buf_view(&answer->body), &trial->plan->pin, &trial->authority, &fault);
    if (is_own_error(code)) {
        return err_set(trial->err, code, "%s", fault.text);
    }
    if (code != ERR_OK) {
        findings_add(trial->findings, FINDING_PROBLEM, STEP_CERTS, "GetCACert: %s as %s",
                     fault.text, answer->type[0] != '\0' ? answer->type : "nothing");
        findings_explain(trial->findings, "A phone learns no certificates, and stops.");
        return ERR_OK;
    }
    keep_certs(trial);
    judge_authority(&trial->judge, &trial->authority, answer);
    return ERR_OK;
}

static enum err_code ask_certs(struct trial *trial)
{
    CLEANUP(phone_answer_done) struct phone_answer answer = {0};
    const struct phone_call call = {
        .url = trial->plan->address->url,
        .operation = "GetCACert",
        .max_len = PHONE_CERTS_LEN_MAX,
        .timeout_sec = trial->plan->timeout_sec,
    };
    bool is_there = false;
    enum err_code code = ask(trial, &call, &answer, &is_there);
    if (code != ERR_OK || !is_there) {
        return code;
    }
    if (answer.status != HTTP_OK) {
        findings_add(trial->findings, FINDING_PROBLEM, STEP_CERTS, "GetCACert: HTTP status %ld",
                     answer.status);
        findings_explain(trial->findings, "A phone learns no certificates, and stops. Is this the "
                                          "path of the SCEP server?");
        return ERR_OK;
    }
    return read_certs(trial, &answer);
}

// Whether there is anything to ask with.
static bool is_dry(const struct trial *trial)
{
    return trial->plan->mic == NULL && trial->plan->challenge.len == 0;
}

static void judge_mic(struct trial *trial)
{
    char name[WORDS_NAME_LEN];
    char date[WORDS_DATE_LEN];
    int64_t until = 0;
    const X509 *mic = trial->plan->mic;
    if (mic == NULL) {
        return;
    }
    words_name(X509_get_subject_name(mic), name);
    if (!EVP_PKEY_is_a(trial->plan->mic_key, "RSA")) {
        findings_add(trial->findings, FINDING_PROBLEM, STEP_MIC,
                     "MIC: the key of \"%s\" is not RSA", name);
        findings_explain(trial->findings, "No answer can be encrypted for it: SCEP needs RSA.");
    } else if (ossl_time_read(X509_get0_notAfter(mic), &until) && until < trial->plan->now) {
        findings_add(trial->findings, FINDING_WARNING, STEP_MIC, "MIC: \"%s\" expired on %s", name,
                     words_date(X509_get0_notAfter(mic), date));
        findings_explain(trial->findings, "A phone uses it all the same; the server must allow "
                                          "expired ones.");
    } else {
        findings_add(trial->findings, FINDING_OK, STEP_MIC, "MIC: \"%s\"", name);
        findings_explain(trial->findings, "A phone without a challenge signs with it, now and "
                                          "when it renews.");
    }
}

static int digest_for(const struct phone_caps *caps)
{
    if (caps->sha256) {
        return NID_sha256;
    }
    return caps->sha512 ? NID_sha512 : NID_sha1;
}

static void note_request(struct trial *trial, const char *common_name)
{
    const struct phone_request *request = &trial->request;
    findings_add(trial->findings, FINDING_OK, STEP_REQUEST,
                 "request: PKCSReq for \"%s\" with a new RSA key of %d bits, %s and %s, signed by "
                 "%s, %zu octets by %s",
                 common_name, PHONE_KEY_BITS, OBJ_nid2sn(request->digest_nid),
                 OBJ_nid2sn(request->cipher_nid),
                 trial->plan->mic != NULL ? "the MIC" : "a throw-away certificate",
                 request->der.len, trial->caps.post ? "POST" : "GET");
}

static enum err_code make_request(struct trial *trial, const char *common_name)
{
    struct err fault = {0};
    const struct trial_plan *plan = trial->plan;
    const struct phone_request_plan wanted = {
        .common_name = common_name,
        .challenge = plan->challenge,
        .mic = plan->mic,
        .mic_key = plan->mic_key,
        .mic_chain = plan->mic_chain,
        .recipient = trial->authority.recipient,
        .cipher_nid = trial->caps.aes ? NID_aes_128_cbc : NID_des_ede3_cbc,
        .digest_nid = digest_for(&trial->caps),
        .now = plan->now,
    };
    enum err_code code = phone_key_make(&trial->result->key, trial->err);
    if (code != ERR_OK) {
        return code;
    }
    code = phone_request_make(&wanted, trial->result->key, &trial->request, &fault);
    if (is_own_error(code)) {
        return err_set(trial->err, code, "%s", fault.text);
    }
    if (code != ERR_OK) {
        findings_add(trial->findings, FINDING_PROBLEM, STEP_REQUEST,
                     "request: cannot be made for \"%s\": %s", common_name, fault.text);
        findings_explain(trial->findings, "A phone cannot make it either.");
        return ERR_OK;
    }
    note_request(trial, common_name);
    return ERR_OK;
}

// By POST where the server knows it, else as standard base64 in the URL (RFC 8894, 4.1).
static enum err_code send_request(struct trial *trial, struct phone_answer *ret_answer,
                                  bool *ret_is_there)
{
    struct view der = buf_view(&trial->request.der);
    struct phone_call call = {
        .url = trial->plan->address->url,
        .operation = "PKIOperation",
        .max_len = PHONE_REPLY_LEN_MAX,
        .timeout_sec = trial->plan->timeout_sec,
    };
    if (trial->caps.post) {
        call.body = der;
        return ask(trial, &call, ret_answer, ret_is_there);
    }
    CLEANUP(buf_done) struct buf base64 = {0};
    enum err_code code = buf_reserve(&base64, BASE64_LEN(der.len), trial->err);
    if (code != ERR_OK) {
        return code;
    }
    EVP_EncodeBlock(base64.data, der.data, (int)der.len);
    call.argument = (const char *)base64.data;
    return ask(trial, &call, ret_answer, ret_is_there);
}

static void judge_status(struct trial *trial, const struct phone_answer *answer)
{
    if (answer->status != HTTP_OK) {
        bool is_later = answer->status == HTTP_UNAVAILABLE;
        findings_add(trial->findings, FINDING_PROBLEM, STEP_ANSWER, "answer: HTTP status %ld",
                     answer->status);
        findings_explain(trial->findings, "%s",
                         is_later ? "The server cannot serve now; a phone asks again later."
                                  : "A phone sees a server that is broken, not a refusal: SCEP "
                                    "refuses with status 200 and a signed FAILURE.");
    } else if (strcmp(answer->type, TYPE_MESSAGE) != 0) {
        findings_add(trial->findings, FINDING_WARNING, STEP_ANSWER, "answer: its type is \"%s\"",
                     answer->type);
        findings_explain(trial->findings, "RFC 8894 wants " TYPE_MESSAGE ", exactly; clients that "
                                          "look at the type stop here.");
    }
}

static enum err_code take_cert(struct trial *trial, X509 *cert)
{
    if (cert == NULL) {
        return ERR_OK;
    }
    if (X509_up_ref(cert) != 1) {
        return err_set_openssl(trial->err, ERR_CRYPTO, "cannot share a certificate");
    }
    trial->result->cert = cert;
    judge_renewal(&trial->judge, cert, trial->plan->mic != NULL);
    return ERR_OK;
}

// Whole seconds since the trial began, rounded up: a certificate may begin in this very second.
static int64_t elapsed_sec(const struct trial *trial)
{
    return (clock_monotonic_us() - trial->begun_us) / US_PER_SEC + 1;
}

static enum err_code read_reply(struct trial *trial, const struct phone_answer *answer,
                                const char *common_name)
{
    struct err fault = {0};
    CLEANUP(phone_reply_done) struct phone_reply reply = {0};
    enum err_code code = phone_reply_read(buf_view(&answer->body), &trial->request,
                                          trial->authority.certs, &reply, &fault);
    if (is_own_error(code)) {
        return err_set(trial->err, code, "%s", fault.text);
    }
    if (code != ERR_OK) {
        findings_add(trial->findings, FINDING_PROBLEM, STEP_ANSWER, "answer: %s", fault.text);
        findings_explain(trial->findings, "A phone cannot trust it, and takes nothing from it.");
        return ERR_OK;
    }
    trial->judge.now = trial->plan->now + elapsed_sec(trial);
    judge_reply(&trial->judge, &trial->request, &reply, trial->plan->mic != NULL);
    if (reply.status != CERTREP_SUCCESS) {
        return ERR_OK;
    }
    return take_cert(trial, judge_issued(&trial->judge, &trial->authority, &trial->request, &reply,
                                         common_name));
}

static enum err_code enroll(struct trial *trial)
{
    char own_name[WORDS_NAME_LEN];
    CLEANUP(phone_answer_done) struct phone_answer answer = {0};
    bool is_there = false;
    const struct trial_plan *plan = trial->plan;
    const char *common_name =
        plan->common_name != NULL ? plan->common_name : words_common_name(plan->mic, own_name);
    judge_mic(trial);
    enum err_code code = is_over(trial) ? ERR_OK : make_request(trial, common_name);
    if (code == ERR_OK && !is_over(trial)) {
        code = send_request(trial, &answer, &is_there);
    }
    if (code != ERR_OK || !is_there) {
        return code;
    }
    judge_status(trial, &answer);
    return is_over(trial) ? ERR_OK : read_reply(trial, &answer, common_name);
}

static void note_end(struct trial *trial)
{
    findings_add(trial->findings, FINDING_OK, STEP_END,
                 "stopped here: there is neither a challenge nor a MIC to ask with");
    findings_explain(trial->findings, "A phone goes on and asks for its certificate. The server "
                                      "keeps nothing of this look.");
}

static enum err_code walk(struct trial *trial)
{
    judge_address(&trial->judge, trial->plan->address, trial->plan->given);
    enum err_code code = is_over(trial) ? ERR_OK : ask_caps(trial);
    if (code == ERR_OK && !is_over(trial) && !trial->plan->address->has_path) {
        code = ask_root_path(trial);
    }
    if (code == ERR_OK && !is_over(trial)) {
        code = ask_certs(trial);
    }
    if (code != ERR_OK || is_over(trial)) {
        return code;
    }
    if (is_dry(trial)) {
        note_end(trial);
        return ERR_OK;
    }
    return enroll(trial);
}

enum err_code trial_run(const struct trial_plan *plan, struct findings *findings,
                        struct trial_result *ret_result, struct err *err)
{
    struct trial_result result = {0};
    CLEANUP(trial_done)
    struct trial trial = {
        .plan = plan,
        .judge = {.findings = findings,
                  .pin = &plan->pin,
                  .is_fips = plan->is_fips,
                  .now = plan->now},
        .findings = findings,
        .begun_us = clock_monotonic_us(),
        .result = &result,
        .err = err,
    };
    enum err_code code = walk(&trial);
    if (code == ERR_OK && findings->failed) {
        code = err_set(err, ERR_NOMEM, "no memory for what was found");
    }
    if (code != ERR_OK) {
        trial_result_done(&result);
        return code;
    }
    *ret_result = result;
    return ERR_OK;
}
