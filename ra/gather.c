// SPDX-License-Identifier: Apache-2.0
// From a message whose signature holds to the facts that decide() judges. Nothing is decided here.
// This file asks who signed and what polls and GetCert and GetCRL are about; what a request for a
// certificate asks for is gather_request.c.
#include <stdio.h>
#include <string.h>

#include "ra/enroll_state.h"
#include "ra/fetch.h"

static void note_choices(const struct settings *settings, struct facts *facts)
{
    facts->queues_unauthenticated = settings->approval.unauthenticated == SETTINGS_UNKNOWN_PENDING;
    facts->queues_unlisted = settings->devices.unlisted == SETTINGS_UNKNOWN_PENDING;
    facts->is_challenge_strict = settings->renewal.challenge == SETTINGS_PROVEN_STRICT;
    facts->serves_get_cert = settings->scep.get_cert;
    facts->serves_get_crl = settings->scep.get_crl;
}

static void report_signer(struct enroll_job *job)
{
    const struct enroll_state *state = job->state;
    const struct signer_device *device = &state->device;
    struct enroll_report *report = &job->report;
    report->signer_class = state->signer.signer_class;
    report->is_signer_known = true;
    if (state->signer.signer_class == SIGNER_MIC) {
        snprintf(report->trust_store, sizeof report->trust_store, "%s", state->signer.mic.store);
    }
    snprintf(report->mac, sizeof report->mac, "%s", device->mac);
    snprintf(report->model, sizeof report->model, "%s", device->model);
    snprintf(report->serial_number, sizeof report->serial_number, "%s", device->serial_number);
}

static enum err_code classify(struct enroll_job *job, struct err *err)
{
    struct enroll_state *state = job->state;
    enum err_code code = signer_classify(&state->request, job->policy, state->service->store,
                                         job->now, &state->signer, err);
    if (code != ERR_OK) {
        return code;
    }
    state->facts.signer_class = state->signer.signer_class;
    state->facts.signer_state = state->signer.state;
    state->device = signer_device(&state->signer);
    report_signer(job);
    return ERR_OK;
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

static enum err_code check_envelope(struct enroll_job *job, struct err *err)
{
    struct enroll_state *state = job->state;
    enum err_code code = message_check_envelope(&state->request, job->policy->settings,
                                                job->policy->credentials, job->now, err);
    if (code == ERR_OK) {
        job->report.cipher = OBJ_nid2sn(state->request.cipher_nid);
    } else if (code == ERR_BAD_REQUEST && state->request.envelope != NULL &&
               state->request.recipient == NULL) {
        job->report.refusal = REFUSAL_WRONG_RECIPIENT;
    }
    return code;
}

enum err_code gather_open(struct enroll_job *job, struct buf *ret_content, struct err *err)
{
    struct enroll_state *state = job->state;
    struct err *opening = &state->facts.opening;
    opening->code = message_decrypt(&state->request, state->tools.ca, ret_content, opening);
    if (opening->code != ERR_OK && !enroll_is_refusal(opening->code)) {
        *err = *opening;
        return err->code;
    }
    state->facts.is_decrypted = opening->code == ERR_OK;
    return ERR_OK;
}

// ---- CertPoll ----

// A poll is answered without opening its envelope, yet the answer mirrors its cipher and is signed
// by whom it was encrypted to. A poll that finds nothing is refused for that and nothing else.
static enum err_code check_poll_envelope(struct enroll_job *job, struct err *err)
{
    if (job->state->facts.past != PAST_NONE) {
        return check_envelope(job, err);
    }
    struct err ignored = {0};
    (void)!check_envelope(job, &ignored);
    job->report.refusal = REFUSAL_NONE;
    return ERR_OK;
}

static void report_pending(struct enroll_report *report, const struct store_pending *pending)
{
    memcpy(report->pending_id, pending->id, PENDING_ID_LEN);
    memcpy(report->common_name, pending->common_name, sizeof report->common_name);
    memcpy(report->mac, pending->mac, sizeof report->mac);
}

static enum err_code gather_poll(struct enroll_job *job, struct err *err)
{
    struct enroll_state *state = job->state;
    struct transaction_past *past = &state->past;
    struct transaction_poll poll = {.signer_class = state->signer.signer_class, .now = job->now};
    memcpy(poll.key, state->transaction_key, SHA256_LEN);
    enum err_code code = transaction_find(state->service->store, &poll, past, err);
    if (code != ERR_OK) {
        return code;
    }
    state->facts.past = past->past;
    code = check_poll_envelope(job, err);
    if (past->past == PAST_PENDING || past->past == PAST_APPROVED) {
        report_pending(&job->report, &past->pending);
    }
    return code == ERR_OK && past->past == PAST_APPROVED ? gather_approved(job, err) : code;
}

// ---- GetCert, GetCRL ----

static enum err_code is_key_certified(struct enroll_job *job, bool *ret_is_certified,
                                      struct err *err)
{
    struct view spki = buf_view(&job->state->request.signer_spki);
    struct store_certificate found = {0};
    uint8_t spki_hash[SHA256_LEN];
    ossl_sha256(&spki, 1, spki_hash);
    enum err_code code = store_find_key(job->state->service->store, spki_hash, &found, err);
    *ret_is_certified = code == ERR_OK;
    store_certificate_done(&found);
    return code == ERR_NOT_FOUND ? ERR_OK : code;
}

static enum err_code has_transaction(struct enroll_job *job, bool *ret_has_one, struct err *err)
{
    const struct enroll_state *state = job->state;
    struct store_transaction found = {0};
    enum err_code code =
        store_find_transaction(state->service->store, state->transaction_key, &found, err);
    *ret_has_one = code == ERR_OK && found.state != TRANSACTION_DENIED;
    return code == ERR_NOT_FOUND ? ERR_OK : code;
}

static enum err_code look_up_signer_key(struct enroll_job *job, struct err *err)
{
    bool *is_known = &job->state->facts.is_known_key;
    enum err_code code = is_key_certified(job, is_known, err);
    return code == ERR_OK && !*is_known ? has_transaction(job, is_known, err) : code;
}

static enum err_code find_asked(struct enroll_job *job, const struct fetch_query *query,
                                struct err *err)
{
    struct enroll_state *state = job->state;
    struct store *store = state->service->store;
    const struct generations *generations = &job->policy->credentials->generations;
    enum err_code code =
        state->request.type == MESSAGE_GET_CERT
            ? fetch_certificate(store, generations, query, &state->fetched, err)
            : fetch_crl(store, generations, state->request.recipient, query, &state->crl, err);
    state->facts.is_found = code == ERR_OK;
    return code == ERR_NOT_FOUND ? ERR_OK : code;
}

// When the envelope cannot be opened, the look-up is for nothing that there is, so that it takes
// its time all the same.
static enum err_code gather_fetch(struct enroll_job *job, struct err *err)
{
    struct err *opening = &job->state->facts.opening;
    struct buf content = {0};
    struct fetch_query query = {0};
    enum err_code code = gather_open(job, &content, err);
    if (code == ERR_OK && opening->code == ERR_OK) {
        opening->code = fetch_parse(buf_view(&content), &query, opening);
    }
    buf_wipe(&content);
    enroll_end_stage(job, STAGE_DECRYPT);
    if (code == ERR_OK) {
        code = find_asked(job, &query, err);
    }
    fetch_query_done(&query);
    return code;
}

// ---- limits ----

static bool is_limited(const struct enroll_job *job)
{
    return job->policy->settings->challenge.failures_per_minute > 0 && job->source[0] != '\0' &&
           job->state->facts.signer_class == SIGNER_SELF_SIGNED;
}

static struct rate failure_rate(const struct enroll_job *job)
{
    uint32_t per_minute = job->policy->settings->challenge.failures_per_minute;
    return (struct rate){.burst = per_minute, .per_minute = per_minute};
}

static void hash_source(const struct enroll_job *job, uint8_t ret_hash[SHA256_LEN])
{
    const struct view source = view_of_text(job->source);
    ossl_sha256(&source, 1, ret_hash);
}

bool gather_is_throttled(const struct enroll_job *job)
{
    uint8_t key[SHA256_LEN];
    const struct rate rate = failure_rate(job);
    if (!is_limited(job)) {
        return false;
    }
    hash_source(job, key);
    return !rate_limit_allows(job->state->service->failures, key, &rate, job->now);
}

void gather_note_failure(const struct enroll_job *job)
{
    uint8_t key[SHA256_LEN];
    const struct rate rate = failure_rate(job);
    if (is_limited(job)) {
        hash_source(job, key);
        (void)rate_limit_take(job->state->service->failures, key, &rate, job->now);
    }
}

// ---- all ----

enum err_code gather_facts(struct enroll_job *job, struct err *err)
{
    struct enroll_state *state = job->state;
    struct facts *facts = &state->facts;
    facts->type = state->request.type;
    note_choices(job->policy->settings, facts);
    enum err_code code = classify(job, err);
    if (code == ERR_OK && facts->type == MESSAGE_CERT_POLL) {
        return gather_poll(job, err);
    }
    if (code == ERR_OK && facts->type == MESSAGE_GET_CERT && facts->serves_get_cert) {
        code = look_up_signer_key(job, err);
    }
    if (code != ERR_OK || !decide_needs_envelope(facts)) {
        return code;
    }
    state->is_throttled = gather_is_throttled(job);
    if (state->is_throttled) {
        return ERR_OK;
    }
    code = check_envelope(job, err);
    if (code != ERR_OK) {
        return code;
    }
    watch_envelope(job);
    bool is_fetch = facts->type == MESSAGE_GET_CERT || facts->type == MESSAGE_GET_CRL;
    return is_fetch ? gather_fetch(job, err) : gather_request(job, err);
}
