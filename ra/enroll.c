// SPDX-License-Identifier: Apache-2.0
// The order of the steps is the error ladder in ra/README.md. Every path ends in exactly one of
// finish() (with the answer) and again() (a race was lost).
#include "ra/enroll.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/base/clock.h"
#include "ra/enroll_state.h"
#include "ra/issuance.h"

// A race is lost at most once per rival, and what the winner stored answers the next try.
#define TRIES_MAX 4

enum err_code enroll_service_new(struct store *store, struct writer *writer,
                                 struct enroll_service **ret_service, struct err *err)
{
    struct enroll_service *service = calloc(1, sizeof *service);
    if (service == NULL) {
        return err_set(err, ERR_NOMEM, "no memory for the enrolment service");
    }
    service->store = store;
    service->writer = writer;
    enum err_code code = envelope_watch_new(&service->envelopes, err);
    if (code != ERR_OK) {
        free(service);
        return code;
    }
    *ret_service = service;
    return ERR_OK;
}

void enroll_service_free(struct enroll_service *service)
{
    if (service != NULL) {
        envelope_watch_free(service->envelopes);
        free(service);
    }
}

void enroll_job_done(struct enroll_job *job)
{
    buf_done(&job->reply);
    buf_done(&job->report.transaction_id);
}

static void state_free(struct enroll_state *state)
{
    if (state == NULL) {
        return;
    }
    request_done(&state->request);
    pkcs10_done(&state->pkcs10);
    names_done(&state->names);
    transaction_past_done(&state->past);
    store_certificate_done(&state->write.certificate);
    free(state);
}

void enroll_end_stage(struct enroll_job *job, enum enroll_stage stage)
{
    int64_t now_us = clock_monotonic_us();
    job->report.stage_us[stage] += (uint32_t)(now_us - job->state->stage_began_us);
    job->state->stage_began_us = now_us;
}

static void leave(struct enroll_job *job)
{
    state_free(job->state);
    job->state = NULL;
}

static void finish(struct enroll_job *job, enum enroll_outcome outcome, const char *decision)
{
    leave(job);
    policy_unref(job->policy);
    job->policy = NULL;
    job->outcome = outcome;
    job->report.decision = decision;
    job->done(job);
}

static void note_reason(struct enroll_job *job, const char *reason)
{
    snprintf(job->report.reason, sizeof job->report.reason, "%s", reason);
}

static void finish_unavailable(struct enroll_job *job, const struct err *err)
{
    note_reason(job, err->text);
    job->report.level = LOG_LEVEL_ERROR;
    finish(job, ENROLL_UNAVAILABLE, "unavailable");
}

static void finish_unanswerable(struct enroll_job *job, const struct err *err)
{
    note_reason(job, err->text);
    finish(job, ENROLL_UNANSWERABLE, "unanswerable");
}

// Whether `code` says that something is wrong with the request, not with us.
static bool is_refusal(enum err_code code)
{
    switch (code) {
    case ERR_BAD_ALG:
    case ERR_BAD_MESSAGE_CHECK:
    case ERR_BAD_REQUEST:
    case ERR_BAD_TIME:
    case ERR_BAD_CERT_ID:
        return true;
    default:
        return false;
    }
}

static enum fail_info fail_info_of(enum err_code code)
{
    switch (code) {
    case ERR_BAD_ALG:
        return FAIL_INFO_BAD_ALG;
    case ERR_BAD_MESSAGE_CHECK:
        return FAIL_INFO_BAD_MESSAGE_CHECK;
    case ERR_BAD_TIME:
        return FAIL_INFO_BAD_TIME;
    case ERR_BAD_CERT_ID:
        return FAIL_INFO_BAD_CERT_ID;
    default:
        return FAIL_INFO_BAD_REQUEST;
    }
}

static void answer_failure(struct enroll_job *job, enum fail_info fail_info, const char *text)
{
    struct err err = {0};
    const struct settings *settings = job->policy->settings;
    const char *told = settings->scep.fail_info_text ? text : NULL;
    enum err_code code = reply_failure(&job->state->request, job->policy->credentials, fail_info,
                                       told, &job->reply, &err);
    enroll_end_stage(job, STAGE_REPLY);
    if (code != ERR_OK) {
        finish_unavailable(job, &err);
        return;
    }
    job->report.fail_info = fail_info_name(fail_info);
    finish(job, ENROLL_REPLY, "refuse");
}

// What the phone may hear of a failure that is a public fact about its message.
static const char *public_text(enum err_code code)
{
    switch (code) {
    case ERR_BAD_ALG:
        return "algorithm or key not accepted";
    case ERR_BAD_MESSAGE_CHECK:
        return "signature check failed";
    case ERR_BAD_TIME:
        return "signingTime too far from the server's clock";
    default:
        return "malformed request";
    }
}

// A failure outside decide(): of the message itself.
static void answer_error(struct enroll_job *job, const struct err *err)
{
    if (!is_refusal(err->code)) {
        finish_unavailable(job, err);
        return;
    }
    note_reason(job, err->text);
    answer_failure(job, fail_info_of(err->code), public_text(err->code));
}

static void answer_refusal(struct enroll_job *job, const struct verdict *verdict)
{
    note_reason(job, verdict->reason);
    if (!verdict->is_uniform) {
        answer_failure(job, fail_info_of(verdict->refusal), verdict->reason);
        return;
    }
    bool is_message_check =
        job->policy->settings->challenge.fail_info == SETTINGS_FAIL_BAD_MESSAGE_CHECK;
    answer_failure(job, is_message_check ? FAIL_INFO_BAD_MESSAGE_CHECK : FAIL_INFO_BAD_REQUEST,
                   NULL);
}

static enum err_code build_success(struct enroll_job *job, struct view certificate, struct err *err)
{
    enum err_code code = reply_success(&job->state->request, job->policy->credentials,
                                       job->policy->settings, certificate, &job->reply, err);
    enroll_end_stage(job, STAGE_REPLY);
    return code;
}

static void report_certificate(struct enroll_report *report,
                               const struct store_certificate *certificate)
{
    memcpy(report->serial, certificate->serial, SERIAL_LEN);
    report->has_serial = true;
    memcpy(report->common_name, certificate->common_name, sizeof report->common_name);
    memcpy(report->mac, certificate->mac, sizeof report->mac);
}

static void answer_replay(struct enroll_job *job, const struct verdict *verdict)
{
    struct err err = {0};
    const struct store_certificate *certificate = &job->state->past.certificate;
    note_reason(job, verdict->reason);
    report_certificate(&job->report, certificate);
    if (build_success(job, buf_view(&certificate->der), &err) != ERR_OK) {
        answer_error(job, &err);
        return;
    }
    finish(job, ENROLL_REPLY, "replay");
}

static void again(struct enroll_job *job)
{
    buf_done(&job->reply);
    leave(job);
    job->again(job);
}

// On the writer's thread: the certificate is on disk, or it is not and nobody will ever see it.
static void on_committed(struct write_order *write, enum err_code code, const struct err *err)
{
    struct enroll_job *job = write->owner;
    enroll_end_stage(job, STAGE_COMMIT);
    if (code == ERR_OK) {
        finish(job, ENROLL_REPLY, "issue");
        return;
    }
    buf_done(&job->reply);
    job->report.has_serial = false;
    bool is_race = code == ERR_CONFLICT || code == ERR_NOT_FOUND || code == ERR_EXISTS;
    if (is_race && job->tries < TRIES_MAX) {
        again(job);
        return;
    }
    finish_unavailable(job, err);
}

static void submit(struct enroll_job *job)
{
    struct enroll_state *state = job->state;
    struct write_order *write = &state->write;
    write->kind = WRITE_ISSUED;
    write->now = job->now;
    write->is_one_time = state->facts.challenge == CHALLENGE_ONE_TIME;
    write->replaces_transaction = state->past.has_record;
    memcpy(write->replaced_serial, state->past.recorded_serial, SERIAL_LEN);
    write->has_key_record = state->past.has_key_record;
    memcpy(write->key_serial, state->past.key_serial, SERIAL_LEN);
    write->owner = job;
    write->done = on_committed;
    writer_submit(state->service->writer, write);
}

static enum err_code have_issued(struct enroll_job *job, struct ca_client *ca,
                                 const struct issuance *issuance, struct err *err)
{
    struct issue_order order;
    struct buf certificate = {0};
    struct enroll_state *state = job->state;
    issuance_order(issuance, &order);
    enum err_code code = ca_client_issue(ca, &order, &certificate, err);
    enroll_end_stage(job, STAGE_CA);
    if (code == ERR_OK) {
        code = issuance_record(issuance, buf_view(&certificate), &state->write.certificate, err);
    }
    if (code == ERR_OK) {
        code = build_success(job, buf_view(&certificate), err);
    }
    buf_done(&certificate);
    return code;
}

// The requester is authorised by now: he may know what is wrong.
static void answer_ca_refusal(struct enroll_job *job, const struct err *err)
{
    if (!is_refusal(err->code)) {
        finish_unavailable(job, err);
        return;
    }
    note_reason(job, err->text);
    answer_failure(job, fail_info_of(err->code), err->text);
}

static void answer_issue(struct enroll_job *job, struct ca_client *ca,
                         const struct verdict *verdict)
{
    struct err err = {0};
    struct enroll_state *state = job->state;
    struct issuance issuance = {
        .pkcs10 = &state->pkcs10,
        .names = &state->names,
        .challenge = &state->challenge,
        .sans = state->sans,
        .san_count = state->san_count,
        .transaction_id = request_transaction_id(&state->request),
        .signer_class = state->facts.signer_class,
        .now = job->now,
    };
    memcpy(issuance.transaction_key, state->transaction_key, SHA256_LEN);
    note_reason(job, verdict->reason);
    if (have_issued(job, ca, &issuance, &err) != ERR_OK) {
        answer_ca_refusal(job, &err);
        return;
    }
    report_certificate(&job->report, &state->write.certificate);
    submit(job);
}

static void answer(struct enroll_job *job, struct ca_client *ca)
{
    struct verdict verdict = decide(&job->state->facts);
    enroll_end_stage(job, STAGE_DECIDE);
    switch (verdict.action) {
    case ACTION_ISSUE:
        answer_issue(job, ca, &verdict);
        return;
    case ACTION_REPLAY:
        answer_replay(job, &verdict);
        return;
    case ACTION_REFUSE:
        break;
    }
    answer_refusal(job, &verdict);
}

static void report_request(struct enroll_report *report, const struct request *request)
{
    struct view id = request_transaction_id(request);
    report->type = request->type;
    // An empty transactionID in the log line is all that can come of a failed copy.
    (void)!buf_copy(id, &report->transaction_id, NULL);
    report->digest = request->digest_nid != NID_undef ? OBJ_nid2sn(request->digest_nid) : NULL;
}

static void begin(struct enroll_job *job, struct enroll_state *state,
                  struct enroll_service *service)
{
    state->service = service;
    state->stage_began_us = clock_monotonic_us();
    job->state = state;
    job->tries++;
    job->report.level = LOG_LEVEL_INFO;
}

void enroll_run(struct enroll_service *service, struct ca_client *ca, struct enroll_job *job)
{
    struct err err = {0};
    struct enroll_state *state = calloc(1, sizeof *state);
    if (state == NULL) {
        err_set(&err, ERR_NOMEM, "no memory for a request");
        finish_unavailable(job, &err);
        return;
    }
    begin(job, state, service);
    enum err_code code =
        message_open(job->message, job->policy->settings, job->now, &state->request, &err);
    buf_done(&job->report.transaction_id);
    report_request(&job->report, &state->request);
    enroll_end_stage(job, STAGE_OPEN);
    if (code != ERR_OK && !state->request.is_answerable &&
        (is_refusal(code) || code == ERR_SYNTAX || code == ERR_LIMIT)) {
        finish_unanswerable(job, &err);
        return;
    }
    if (code == ERR_OK) {
        code = gather_facts(job, &err);
    }
    if (code != ERR_OK) {
        answer_error(job, &err);
        return;
    }
    answer(job, ca);
}
