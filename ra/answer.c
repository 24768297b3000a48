// SPDX-License-Identifier: Apache-2.0
// From facts to a verdict, and from the verdict to what leaves the house.
#include <stdio.h>
#include <string.h>

#include "ra/enroll_state.h"

static void add_words(struct enroll_report *report, const char *words)
{
    char whole[2 * ERR_TEXT_LEN + 2];
    if (words[0] != '\0') {
        snprintf(whole, sizeof whole, "%s: %s", report->reason, words);
        store_event_words(report->reason, sizeof report->reason, whole);
    }
}

// More about a refusal than the phone may hear.
static void explain(struct enroll_job *job, const struct verdict *verdict)
{
    const struct enroll_state *state = job->state;
    const struct facts *facts = &state->facts;
    bool is_trusted = facts->signer_class != SIGNER_UNKNOWN && facts->signer_state == SIGNER_GOOD;
    bool is_certified = facts->signer_class == SIGNER_OURS || facts->signer_class == SIGNER_MIC;
    bool is_open =
        state->pkcs10.csr != NULL && facts->opening.code == ERR_OK && facts->proof.code == ERR_OK;
    if (!is_trusted) {
        add_words(&job->report, state->device.name);
        add_words(&job->report, state->signer.mic.reason);
    } else if (is_certified && is_open && !facts->is_same_identity) {
        add_words(&job->report, state->device.name);
    } else if (is_certified && is_open && !verdict->is_uniform) {
        add_words(&job->report, state->listing.reason);
    }
}

static void report_reason(struct enroll_job *job, const struct verdict *verdict)
{
    finish_note_reason(job, verdict->reason);
    if (verdict->action == ACTION_REFUSE || verdict->action == ACTION_QUEUE) {
        explain(job, verdict);
    }
}

static void answer_refusal(struct enroll_job *job, const struct verdict *verdict)
{
    job->report.refusal = verdict->why;
    if (!verdict->is_uniform) {
        finish_failure(job, verdict->refusal, verdict->reason);
        return;
    }
    gather_note_failure(job);
    bool is_message_check =
        job->policy->settings->challenge.fail_info == SETTINGS_FAIL_BAD_MESSAGE_CHECK;
    finish_failure(job, is_message_check ? ERR_BAD_MESSAGE_CHECK : ERR_BAD_REQUEST, NULL);
}

static void answer_built(struct enroll_job *job, enum err_code code, const struct err *err,
                         const char *decision)
{
    enroll_end_stage(job, STAGE_REPLY);
    if (code != ERR_OK) {
        job->report.has_serial = false;
        finish_error(job, err);
        return;
    }
    finish_job(job, ENROLL_REPLY, decision);
}

static void answer_certificate(struct enroll_job *job, const struct store_certificate *certificate,
                               const char *decision)
{
    struct err err = {0};
    enroll_report_certificate(&job->report, certificate);
    enum err_code code = reply_success(&job->state->request, &job->state->tools,
                                       buf_view(&certificate->der), &job->reply, &err);
    answer_built(job, code, &err, decision);
}

static void answer_crl(struct enroll_job *job)
{
    struct err err = {0};
    enum err_code code = reply_crl(&job->state->request, &job->state->tools,
                                   buf_view(&job->state->crl.der), &job->reply, &err);
    answer_built(job, code, &err, "give");
}

static void answer_pending(struct enroll_job *job)
{
    struct err err = {0};
    enum err_code code = reply_pending(&job->state->request, &job->state->tools, &job->reply, &err);
    answer_built(job, code, &err, "pending");
}

void answer_request(struct enroll_job *job)
{
    struct enroll_state *state = job->state;
    struct verdict verdict = decide(&state->facts);
    enroll_end_stage(job, STAGE_DECIDE);
    report_reason(job, &verdict);
    switch (verdict.action) {
    case ACTION_ISSUE:
        commit_issue(job, &verdict);
        return;
    case ACTION_REPLAY:
        answer_certificate(job, &state->past.certificate, "replay");
        return;
    case ACTION_PRESENT:
        answer_certificate(job, &state->signer.certificate, "replay");
        return;
    case ACTION_QUEUE:
        commit_queue(job);
        return;
    case ACTION_PENDING:
        answer_pending(job);
        return;
    case ACTION_CERT:
        answer_certificate(job, &state->fetched, "give");
        return;
    case ACTION_CRL:
        answer_crl(job);
        return;
    case ACTION_REFUSE:
        break;
    }
    answer_refusal(job, &verdict);
}
