// SPDX-License-Identifier: Apache-2.0
// The ends of the conveyor.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/base/clock.h"
#include "ra/claim.h"
#include "ra/enroll_state.h"
#include "ra/history.h"

static void state_free(struct enroll_state *state)
{
    if (state == NULL) {
        return;
    }
    request_done(&state->request);
    signer_done(&state->signer);
    pkcs10_done(&state->pkcs10);
    names_done(&state->names);
    transaction_past_done(&state->past);
    store_certificate_done(&state->fetched);
    store_crl_done(&state->crl);
    store_certificate_done(&state->write.certificate);
    store_pending_done(&state->write.pending);
    free(state);
}

void enroll_end_stage(struct enroll_job *job, enum enroll_stage stage)
{
    int64_t now_us = clock_monotonic_us();
    job->report.stage_us[stage] += (uint32_t)(now_us - job->state->stage_began_us);
    job->state->stage_began_us = now_us;
}

void enroll_report_certificate(struct enroll_report *report,
                               const struct store_certificate *certificate)
{
    memcpy(report->serial, certificate->serial, SERIAL_LEN);
    report->has_serial = true;
    memcpy(report->common_name, certificate->common_name, sizeof report->common_name);
    memcpy(report->mac, certificate->mac, sizeof report->mac);
}

bool enroll_is_refusal(enum err_code code)
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

static void leave(struct enroll_job *job)
{
    state_free(job->state);
    job->state = NULL;
}

void finish_job(struct enroll_job *job, enum enroll_outcome outcome, const char *decision)
{
    job->outcome = outcome;
    job->report.decision = decision;
    claim_note(job);
    history_note(job);
    leave(job);
    policy_unref(job->policy);
    job->policy = NULL;
    job->done(job);
}

void finish_later(struct enroll_job *job)
{
    leave(job);
    job->again(job);
}

void finish_note_reason(struct enroll_job *job, const char *reason)
{
    snprintf(job->report.reason, sizeof job->report.reason, "%s", reason);
}

void finish_unavailable(struct enroll_job *job, const struct err *err)
{
    finish_note_reason(job, err->text);
    job->report.level = LOG_LEVEL_ERROR;
    job->report.refusal = REFUSAL_SERVER_TROUBLE;
    finish_job(job, ENROLL_UNAVAILABLE, "unavailable");
}

void finish_unanswerable(struct enroll_job *job, const struct err *err)
{
    finish_note_reason(job, err->text);
    job->report.refusal = REFUSAL_UNANSWERABLE;
    finish_job(job, ENROLL_UNANSWERABLE, "unanswerable");
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

void finish_failure(struct enroll_job *job, enum err_code refusal, const char *text)
{
    struct err err = {0};
    enum fail_info fail_info = fail_info_of(refusal);
    const char *told = job->policy->settings->scep.fail_info_text ? text : NULL;
    enum err_code code =
        reply_failure(&job->state->request, &job->state->tools, fail_info, told, &job->reply, &err);
    enroll_end_stage(job, STAGE_REPLY);
    if (code != ERR_OK) {
        finish_unavailable(job, &err);
        return;
    }
    job->report.fail_info = fail_info_name(fail_info);
    finish_job(job, ENROLL_REPLY, "refuse");
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

static void finish_with_text(struct enroll_job *job, const struct err *err, const char *text)
{
    if (!enroll_is_refusal(err->code)) {
        finish_unavailable(job, err);
        return;
    }
    finish_note_reason(job, err->text);
    finish_failure(job, err->code, text);
}

static enum refusal refusal_of(enum err_code code)
{
    switch (code) {
    case ERR_BAD_ALG:
        return REFUSAL_BAD_ALGORITHM;
    case ERR_BAD_MESSAGE_CHECK:
        return REFUSAL_BAD_SIGNATURE;
    case ERR_BAD_TIME:
        return REFUSAL_WRONG_CLOCK;
    default:
        return REFUSAL_MALFORMED;
    }
}

void finish_error(struct enroll_job *job, const struct err *err)
{
    if (job->report.refusal == REFUSAL_NONE) {
        job->report.refusal = refusal_of(err->code);
    }
    finish_with_text(job, err, public_text(err->code));
}

void finish_authorised_error(struct enroll_job *job, const struct err *err)
{
    job->report.refusal = err->code == ERR_BAD_ALG ? REFUSAL_BAD_ALGORITHM : REFUSAL_CA_REFUSED;
    finish_with_text(job, err, err->text);
}
