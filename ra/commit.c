// SPDX-License-Identifier: Apache-2.0
// What has to be on disk before it is answered: an issued certificate, a request that waits.
#include <string.h>

#include "ra/enroll_state.h"
#include "ra/issuance.h"
#include "ra/pending.h"

// A race is lost at most once per rival, and what the winner stored answers the next try.
#define TRIES_MAX 4

static const char QUEUE_FULL[] = "too many requests wait for approval";

// On the writer's thread: it is on disk, or it is not and nobody will ever see it.
static void on_committed(struct write_order *write, enum err_code code, const struct err *err)
{
    struct enroll_job *job = write->owner;
    bool is_pending = write->kind == WRITE_PENDING_NEW;
    enroll_end_stage(job, STAGE_COMMIT);
    if (code == ERR_OK) {
        finish_job(job, ENROLL_REPLY, is_pending ? "pending" : "issue");
        return;
    }
    buf_done(&job->reply);
    job->report.has_serial = false;
    if (is_pending && code == ERR_LIMIT) {
        // The refusal has to be signed, which is a worker's work.
        job->state->is_queue_full = true;
        finish_note_reason(job, err->text);
        job->again(job);
        return;
    }
    bool is_race = code == ERR_CONFLICT || code == ERR_NOT_FOUND || code == ERR_EXISTS;
    if (is_race && job->tries < TRIES_MAX) {
        finish_later(job);
        return;
    }
    finish_unavailable(job, err);
}

static void submit(struct enroll_job *job, enum write_kind kind)
{
    struct enroll_state *state = job->state;
    struct write_order *write = &state->write;
    write->kind = kind;
    write->now = job->now;
    write->replaces_transaction = state->past.has_record;
    memcpy(write->replaced_serial, state->past.recorded_serial, SERIAL_LEN);
    write->peer = job->source;
    write->owner = job;
    write->done = on_committed;
    writer_submit(state->service->writer, write);
}

static bool is_certified(const struct enroll_state *state)
{
    return state->signer.signer_class == SIGNER_OURS || state->signer.signer_class == SIGNER_MIC;
}

static void guard_issue(struct enroll_job *job, const struct verdict *verdict)
{
    struct enroll_state *state = job->state;
    struct write_order *write = &state->write;
    bool refuses_duplicates =
        job->policy->settings->phone.duplicate_subject == SETTINGS_DUPLICATE_REFUSE;
    write->is_one_time =
        verdict->authority == AUTHORITY_CHALLENGE && state->facts.challenge == CHALLENGE_ONE_TIME;
    write->has_key_record = state->past.has_key_record;
    memcpy(write->key_serial, state->past.key_serial, SERIAL_LEN);
    write->is_from_pending = verdict->authority == AUTHORITY_APPROVAL;
    write->supersedes = is_certified(state);
    write->refuse_duplicate = refuses_duplicates && !is_certified(state) && !write->is_from_pending;
}

// Who once came in by the manufacturer's certificate stays on the device list's account.
static enum certificate_origin origin_of(const struct enroll_state *state,
                                         enum authority_kind authority)
{
    switch (authority) {
    case AUTHORITY_MIC:
        return ORIGIN_MIC;
    case AUTHORITY_APPROVAL:
        return ORIGIN_APPROVAL;
    case AUTHORITY_RENEWAL:
        return state->signer.certificate.origin;
    default:
        return ORIGIN_CHALLENGE;
    }
}

static struct issuance issuance_of(const struct enroll_job *job, const struct verdict *verdict)
{
    const struct enroll_state *state = job->state;
    bool is_ours = state->signer.signer_class == SIGNER_OURS;
    bool is_challenged = verdict->authority == AUTHORITY_CHALLENGE;
    struct issuance issuance = {
        .profile = PROFILE_PHONE,
        .pkcs10 = &state->pkcs10,
        .names = &state->names,
        .common_name = state->common_name,
        .sans = state->sans,
        .san_count = state->san_count,
        .issuer = state->request.recipient->issuer,
        .transaction_id = request_transaction_id(&state->request),
        .signer_class = state->signer.signer_class,
        .origin = origin_of(state, verdict->authority),
        .challenge_hash = is_challenged ? state->challenge.hash : NULL,
        .renews = is_ours ? state->signer.certificate.serial : NULL,
        .device = state->device,
        .now = job->now,
    };
    if (!state->facts.is_same_identity) {
        // A challenge may authorise other names than the signer's, and then another device.
        issuance.device = signer_device(&(struct signer){.signer_class = SIGNER_UNKNOWN});
    }
    memcpy(issuance.transaction_key, state->transaction_key, SHA256_LEN);
    return issuance;
}

static enum err_code have_issued(struct enroll_job *job, const struct issuance *issuance,
                                 struct err *err)
{
    struct issue_order order;
    struct buf certificate = {0};
    struct enroll_state *state = job->state;
    issuance_order(issuance, &order);
    enum err_code code = ca_client_issue(state->tools.ca, &order, &certificate, err);
    enroll_end_stage(job, STAGE_CA);
    if (code == ERR_OK) {
        code = issuance_record(issuance, buf_view(&certificate), &state->write.certificate, err);
    }
    if (code == ERR_OK) {
        code =
            reply_success(&state->request, &state->tools, buf_view(&certificate), &job->reply, err);
        enroll_end_stage(job, STAGE_REPLY);
    }
    buf_done(&certificate);
    return code;
}

void commit_issue(struct enroll_job *job, const struct verdict *verdict)
{
    struct err err = {0};
    struct issuance issuance = issuance_of(job, verdict);
    if (have_issued(job, &issuance, &err) != ERR_OK) {
        finish_authorised_error(job, &err);
        return;
    }
    enroll_report_certificate(&job->report, &job->state->write.certificate);
    guard_issue(job, verdict);
    submit(job, WRITE_ISSUED);
}

void commit_queue(struct enroll_job *job)
{
    struct err err = {0};
    struct enroll_state *state = job->state;
    const struct settings *settings = job->policy->settings;
    const struct pending_request request = {
        .transaction_key = state->transaction_key,
        .pkcs10 = &state->pkcs10,
        .names = &state->names,
        .signer = &state->signer,
        .issuer = state->request.recipient->issuer,
        .source = job->source,
        .expiry_days = settings->approval.expiry_days,
        .now = job->now,
    };
    enum err_code code = pending_make(&request, &state->write.pending, &err);
    if (code == ERR_OK) {
        code = reply_pending(&state->request, &state->tools, &job->reply, &err);
        enroll_end_stage(job, STAGE_REPLY);
    }
    if (code != ERR_OK) {
        finish_error(job, &err);
        return;
    }
    memcpy(job->report.pending_id, state->write.pending.id, PENDING_ID_LEN);
    state->write.max_pending = settings->approval.max_pending;
    state->write.max_per_source = settings->approval.max_per_source;
    submit(job, WRITE_PENDING_NEW);
}

void commit_queue_full(struct enroll_job *job)
{
    job->report.pending_id[0] = '\0';
    job->report.level = LOG_LEVEL_WARNING;
    job->report.refusal = REFUSAL_TOO_MANY_PENDING;
    finish_failure(job, ERR_BAD_REQUEST, QUEUE_FULL);
}
