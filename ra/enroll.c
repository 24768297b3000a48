// SPDX-License-Identifier: Apache-2.0
// The order of the steps is the error ladder in ra/README.md. Every path ends in exactly one of
// finish_job() (with the answer) and finish_later() (a race was lost).
#include "ra/enroll.h"

#include <stdlib.h>

#include "conf/base/clock.h"
#include "ra/enroll_state.h"

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
    if (code == ERR_OK) {
        code = rate_limit_new(&service->polls, err);
    }
    if (code == ERR_OK) {
        code = rate_limit_new(&service->failures, err);
    }
    if (code == ERR_OK) {
        code = rate_limit_new(&service->events, err);
    }
    if (code != ERR_OK) {
        enroll_service_free(service);
        return code;
    }
    *ret_service = service;
    return ERR_OK;
}

void enroll_service_free(struct enroll_service *service)
{
    if (service != NULL) {
        envelope_watch_free(service->envelopes);
        rate_limit_free(service->polls);
        rate_limit_free(service->failures);
        rate_limit_free(service->events);
        free(service);
    }
}

void enroll_job_done(struct enroll_job *job)
{
    buf_done(&job->reply);
    buf_done(&job->report.transaction_id);
}

static void report_request(struct enroll_report *report, const struct request *request)
{
    struct view id = request_transaction_id(request);
    report->type = request->type;
    // An empty transactionID in the log line is all that can come of a failed copy.
    (void)!buf_copy(id, &report->transaction_id, NULL);
    report->digest = request->digest_nid != NID_undef ? OBJ_nid2sn(request->digest_nid) : NULL;
}

static struct enroll_state *begin(struct enroll_job *job, struct enroll_service *service,
                                  struct ca_client *ca)
{
    struct enroll_state *state = calloc(1, sizeof *state);
    job->state = state;
    job->tries++;
    job->report.level = LOG_LEVEL_INFO;
    job->report.refusal = REFUSAL_NONE; // of a try before this one
    job->report.is_opened = false;
    if (state != NULL) {
        state->service = service;
        state->common_name = "";
        state->tools = (struct reply_tools){
            .credentials = job->policy->credentials,
            .settings = job->policy->settings,
            .ca = ca,
        };
        state->stage_began_us = clock_monotonic_us();
    }
    return state;
}

// Whether the message is a poll of a transaction that was polled enough for now.
static bool is_poll_flood(const struct enroll_job *job)
{
    static const struct rate polls = {.burst = POLL_BURST, .per_minute = POLL_PER_MINUTE};
    const struct enroll_state *state = job->state;
    return state->request.type == MESSAGE_CERT_POLL &&
           !rate_limit_take(state->service->polls, state->transaction_key, &polls, job->now);
}

static void finish_flood(struct enroll_job *job, const char *reason)
{
    finish_note_reason(job, reason);
    job->report.level = LOG_LEVEL_WARNING;
    job->report.refusal = REFUSAL_RATE_LIMITED;
    finish_job(job, ENROLL_UNAVAILABLE, "unavailable");
}

// Steps 2 to 8 of the error ladder.
static enum err_code open_message(struct enroll_job *job, struct err *err)
{
    struct request *request = &job->state->request;
    enum err_code code = message_open(job->message, job->policy->settings, job->now, request, err);
    buf_done(&job->report.transaction_id);
    report_request(&job->report, request);
    enroll_end_stage(job, STAGE_OPEN);
    return code;
}

static bool is_unanswerable(const struct enroll_job *job, enum err_code code)
{
    return !job->state->request.is_answerable &&
           (enroll_is_refusal(code) || code == ERR_SYNTAX || code == ERR_LIMIT);
}

static void run(struct enroll_job *job)
{
    struct err err = {0};
    enum err_code code = open_message(job, &err);
    if (code != ERR_OK && is_unanswerable(job, code)) {
        finish_unanswerable(job, &err);
        return;
    }
    if (code == ERR_OK) {
        transaction_key(&job->state->request, job->state->transaction_key);
        if (is_poll_flood(job)) {
            finish_flood(job, "the transaction is polled too often");
            return;
        }
        code = gather_facts(job, &err);
    }
    if (job->state->is_throttled) {
        finish_flood(job, "too many requests from this address have failed lately");
        return;
    }
    if (code != ERR_OK) {
        finish_error(job, &err);
        return;
    }
    answer_request(job);
}

void enroll_run(struct enroll_service *service, struct ca_client *ca, struct enroll_job *job)
{
    if (job->state != NULL && job->state->is_queue_full) {
        job->state->tools.ca = ca;
        commit_queue_full(job);
        return;
    }
    if (begin(job, service, ca) == NULL) {
        struct err err = {0};
        err_set(&err, ERR_NOMEM, "no memory for a request");
        finish_unavailable(job, &err);
        return;
    }
    run(job);
}
