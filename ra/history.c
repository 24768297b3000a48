// SPDX-License-Identifier: Apache-2.0
#include "ra/history.h"

#include <string.h>

#include "ra/enroll_state.h"

static enum event_kind kind_of(const struct enroll_report *report)
{
    if (report->refusal != REFUSAL_NONE) {
        return EVENT_REFUSED;
    }
    return strcmp(report->decision, "replay") == 0 ? EVENT_REPEATED : EVENT_NONE;
}

static bool is_allowed(const struct enroll_job *job)
{
    static const struct rate rate = {.burst = HISTORY_BURST, .per_minute = HISTORY_PER_MINUTE};
    const struct view source = view_of_text(job->source);
    uint8_t key[SHA256_LEN];
    ossl_sha256(&source, 1, key);
    return rate_limit_take(job->state->service->events, key, &rate, job->now);
}

// As its certificates are filed: by the device's MAC, else by its CN.
static void describe(const struct enroll_job *job, struct store_event *event)
{
    const struct enroll_report *report = &job->report;
    store_event_name_device(event, report->mac, report->common_name);
    store_event_text(event->model, sizeof event->model, report->model);
    store_event_text(event->peer, sizeof event->peer, job->source);
    store_event_words(event->words, sizeof event->words, report->reason);
    store_event_text(event->issuer, sizeof event->issuer, report->mic_issuer);
    event->is_claimed = report->is_claimed;
    if (report->has_serial) {
        memcpy(event->serial, report->serial, SERIAL_LEN);
    }
    if (event->kind == EVENT_REFUSED) {
        store_event_text(event->reason, sizeof event->reason, refusal_name(report->refusal));
        store_event_text(event->fail_info, sizeof event->fail_info,
                         report->fail_info != NULL ? report->fail_info : "");
    }
}

void history_note(struct enroll_job *job)
{
    struct store_event event = {
        .kind = kind_of(&job->report),
        .at = job->now * STORE_US_PER_SEC,
    };
    if (event.kind == EVENT_NONE || job->state == NULL) {
        return;
    }
    if (!is_allowed(job)) {
        writer_lose_event(job->state->service->writer);
        return;
    }
    describe(job, &event);
    writer_add_event(job->state->service->writer, &event);
}
