// SPDX-License-Identifier: Apache-2.0
// From a message whose signature holds to the facts that decide() judges. Nothing is decided here.
#include <stdio.h>
#include <string.h>

#include "ra/enroll_state.h"
#include "ra/identity.h"

static void report_names(struct enroll_report *report, const struct names *names)
{
    if (names->common_name != NULL) {
        snprintf(report->common_name, sizeof report->common_name, "%s", names->common_name);
    }
    memcpy(report->mac, names->mac, sizeof report->mac);
}

static void report_challenge(struct enroll_report *report, const struct challenge_result *result)
{
    report->challenge = result->state;
    memcpy(report->challenge_id, result->id, sizeof report->challenge_id);
    bool is_misused = result->state == CHALLENGE_USED_UP || result->state == CHALLENGE_FOREIGN;
    if (is_misused && report->alarm == NULL) {
        report->alarm = "challenge presented for another request or device";
        report->level = LOG_LEVEL_WARNING;
    }
}

// A copy of somebody's envelope under another signature is an attempt to have it opened.
static void watch_envelope(struct enroll_job *job)
{
    const struct request *request = &job->state->request;
    struct view spki = buf_view(&request->signer_spki);
    uint8_t signer_hash[SHA256_LEN];
    ossl_sha256(&spki, 1, signer_hash);
    if (envelope_watch_is_reused(job->state->service->envelopes, request->envelope_hash,
                                 signer_hash)) {
        job->report.alarm = "the same envelope came from another signer";
        job->report.level = LOG_LEVEL_WARNING;
    }
}

static void open_envelope(struct enroll_job *job, struct err *err)
{
    struct enroll_state *state = job->state;
    struct buf content = {0};
    err->code = message_decrypt(&state->request, job->policy->credentials, &content, err);
    if (err->code == ERR_OK) {
        err->code = pkcs10_parse(buf_view(&content), &state->pkcs10, err);
    }
    buf_wipe(&content);
}

// Opens the envelope and looks inside. When that fails, all further steps run on the decoy, so that
// failing early takes as long as failing late; what they find is never looked at.
static enum err_code open_request(struct enroll_job *job, struct err *err)
{
    struct enroll_state *state = job->state;
    struct facts *facts = &state->facts;
    const struct policy *policy = job->policy;
    open_envelope(job, &facts->opening);
    if (facts->opening.code != ERR_OK) {
        enum err_code code = pkcs10_parse(buf_view(&policy->decoy), &state->pkcs10, err);
        if (code != ERR_OK) {
            return code;
        }
    }
    facts->is_signer_key =
        view_equal(buf_view(&state->pkcs10.spki), buf_view(&state->request.signer_spki));
    facts->proof.code = pkcs10_verify(&state->pkcs10, policy->settings->algorithms.sha1,
                                      policy->settings->algorithms.legacy, &facts->proof);
    enroll_end_stage(job, STAGE_DECRYPT);
    return ERR_OK;
}

// The names that a PKCS#10 asks for, by the rules for everybody and those for subjectAltNames.
static void read_names(struct enroll_job *job)
{
    struct enroll_state *state = job->state;
    struct err *err = &state->facts.names;
    enum settings_san rule = (enum settings_san)job->policy->settings->phone.subject_alt_name;
    err->code = names_read(csr_subject(state->pkcs10.csr), csr_attributes(state->pkcs10.csr),
                           &state->names, err);
    if (err->code == ERR_OK) {
        err->code = names_check(&state->names, err);
    }
    if (err->code == ERR_OK) {
        err->code = names_choose_sans(&state->names, rule, state->sans, &state->san_count, err);
    }
}

static enum err_code look_up_past(struct enroll_job *job, struct err *err)
{
    struct enroll_state *state = job->state;
    struct transaction_query query = {
        .pkcs10 = &state->pkcs10,
        .names = &state->names,
        .refuse_duplicates =
            job->policy->settings->phone.duplicate_subject == SETTINGS_DUPLICATE_REFUSE,
        .now = job->now,
    };
    memcpy(query.key, state->transaction_key, SHA256_LEN);
    memcpy(query.challenge_hash, state->challenge.hash, SHA256_LEN);
    return transaction_find_request(state->service->store, &query, &state->past, err);
}

static enum err_code check_challenge(struct enroll_job *job, struct err *err)
{
    struct enroll_state *state = job->state;
    const struct pkcs10 *pkcs10 = &state->pkcs10;
    const struct challenge_query query = {
        .presented = pkcs10->has_challenge ? buf_view(&pkcs10->challenge) : VIEW_EMPTY,
        .names = &state->names,
        .now = job->now,
    };
    return challenge_check(&job->policy->secrets, state->service->store, &query, &state->challenge,
                           err);
}

static void report_opened(struct enroll_job *job)
{
    const struct enroll_state *state = job->state;
    const struct facts *facts = &state->facts;
    report_names(&job->report, &state->names);
    // A repeat presents a used-up challenge by right, but only the key's owner can repeat.
    bool is_repeat =
        facts->is_signer_key && (facts->past == PAST_SAME_REQUEST || facts->past == PAST_SAME_KEY);
    if (!is_repeat) {
        report_challenge(&job->report, &state->challenge);
    }
}

static enum err_code gather_from_envelope(struct enroll_job *job, struct err *err)
{
    struct enroll_state *state = job->state;
    enum err_code code = open_request(job, err);
    if (code == ERR_OK) {
        read_names(job);
        code = check_challenge(job, err);
    }
    if (code == ERR_OK) {
        code = look_up_past(job, err);
    }
    if (code != ERR_OK) {
        return code;
    }
    state->facts.challenge = state->challenge.state;
    state->facts.past = state->past.past;
    if (state->facts.opening.code == ERR_OK) {
        report_opened(job);
    }
    return ERR_OK;
}

static enum err_code gather_from_poll(struct enroll_job *job, struct err *err)
{
    struct enroll_state *state = job->state;
    enum err_code code = transaction_find(state->service->store, state->transaction_key, job->now,
                                          &state->past, err);
    state->facts.past = state->past.past;
    // A poll is answered without opening its envelope, yet the answer mirrors its cipher.
    if (code == ERR_OK && state->facts.past == PAST_SAME_REQUEST) {
        code = message_check_envelope(&state->request, job->policy->settings,
                                      job->policy->credentials, err);
    }
    return code;
}

enum err_code gather_facts(struct enroll_job *job, struct err *err)
{
    struct enroll_state *state = job->state;
    struct facts *facts = &state->facts;
    facts->type = state->request.type;
    enum err_code code =
        identity_classify(state->request.signer, state->service->store, &facts->signer_class, err);
    if (code != ERR_OK) {
        return code;
    }
    job->report.signer_class = facts->signer_class;
    job->report.is_signer_known = true;
    transaction_key(&state->request, state->transaction_key);
    if (facts->type == MESSAGE_CERT_POLL) {
        return gather_from_poll(job, err);
    }
    if (!decide_needs_envelope(facts->type, facts->signer_class)) {
        return ERR_OK;
    }
    code = message_check_envelope(&state->request, job->policy->settings, job->policy->credentials,
                                  err);
    if (code != ERR_OK) {
        return code;
    }
    job->report.cipher = OBJ_nid2sn(state->request.cipher_nid);
    watch_envelope(job);
    return gather_from_envelope(job, err);
}
