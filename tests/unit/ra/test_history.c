// SPDX-License-Identifier: Apache-2.0
// What a finished request leaves in the history, and how much of a flood.
#include "kit/kit.h"

#include "ra/enroll_state.h"
#include "ra/history.h"
#include "ra/writer_kit.h"

#define MANY 200

struct seen {
    struct store_event last;
    unsigned count;
};

static bool see(const struct store_event *event, void *context)
{
    struct seen *seen = context;
    seen->last = *event;
    seen->count++;
    return true;
}

// Stopping the writer has it write all that waits.
static struct seen history(struct writer_kit *kit)
{
    static const struct store_event_filter all = {0};
    struct seen seen = {0};
    writer_stop(kit->writer);
    assert_int_equal(store_list_events(kit->store, &all, 0, see, &seen, NULL), ERR_OK);
    assert_int_equal(writer_start(kit->store, &kit->writer, NULL), ERR_OK);
    return seen;
}

// The conveyor around a job that is about to end.
struct end {
    struct enroll_service service;
    struct enroll_state state;
    struct enroll_job job;
};

static struct end *new_end(struct writer_kit *kit)
{
    struct end *end = calloc(1, sizeof *end);
    assert_non_null(end);
    end->service.writer = kit->writer;
    assert_int_equal(rate_limit_new(&end->service.events, NULL), ERR_OK);
    end->state.service = &end->service;
    end->job.state = &end->state;
    end->job.now = KIT_NOW;
    snprintf(end->job.source, sizeof end->job.source, "192.0.2.9");
    end->job.report.decision = "refuse";
    end->job.report.refusal = REFUSAL_WRONG_CHALLENGE;
    return end;
}

static void free_end(struct end *end)
{
    rate_limit_free(end->service.events);
    free(end);
}

static void a_refusal_is_told_with_whose_why_and_where_from(void **state)
{
    struct writer_kit *kit = *state;
    struct end *end = new_end(kit);
    struct enroll_report *report = &end->job.report;
    snprintf(report->common_name, sizeof report->common_name, "CP-8841-SEP001A2B3C4D5E");
    snprintf(report->mac, sizeof report->mac, "001A2B3C4D5E");
    snprintf(report->model, sizeof report->model, "CP-8841");
    memset(report->reason, 'r', sizeof report->reason - 1); // the longest that there is
    report->fail_info = "badRequest";
    history_note(&end->job);
    struct seen seen = history(kit);
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.last.kind, EVENT_REFUSED);
    assert_int_equal(seen.last.at, (int64_t)KIT_NOW * STORE_US_PER_SEC);
    assert_string_equal(seen.last.device, "001A2B3C4D5E");
    assert_string_equal(seen.last.common_name, "CP-8841-SEP001A2B3C4D5E");
    assert_string_equal(seen.last.model, "CP-8841");
    assert_string_equal(seen.last.peer, "192.0.2.9");
    assert_string_equal(seen.last.reason, "wrong_challenge");
    assert_string_equal(seen.last.fail_info, "badRequest");
    assert_string_equal(seen.last.words, report->reason);
    assert_false(seen.last.is_claimed);
    assert_string_equal(seen.last.issuer, "");
    free_end(end);
}

static void a_claim_is_told_as_one(void **state)
{
    struct writer_kit *kit = *state;
    struct end *end = new_end(kit);
    struct enroll_report *report = &end->job.report;
    snprintf(report->common_name, sizeof report->common_name, "CP-7841-SEP0C7524A1B2C3");
    snprintf(report->mac, sizeof report->mac, "0C7524A1B2C3");
    snprintf(report->mic_issuer, sizeof report->mic_issuer, "CN=Cisco Manufacturing CA");
    report->is_claimed = true;
    report->refusal = REFUSAL_UNKNOWN_SIGNER;
    history_note(&end->job);
    struct seen seen = history(kit);
    assert_int_equal(seen.count, 1);
    assert_true(seen.last.is_claimed);
    assert_string_equal(seen.last.device, "0C7524A1B2C3");
    assert_string_equal(seen.last.common_name, "CP-7841-SEP0C7524A1B2C3");
    assert_string_equal(seen.last.issuer, "CN=Cisco Manufacturing CA");
    assert_string_equal(seen.last.reason, "unknown_signer");
    free_end(end);
}

static void what_is_written_elsewhere_is_not_told_twice(void **state)
{
    struct writer_kit *kit = *state;
    static const struct {
        const char *decision;
        enum refusal refusal;
        unsigned events;
        enum event_kind kind;
    } rows[] = {
        {"issue", REFUSAL_NONE, 0, EVENT_NONE},
        {"pending", REFUSAL_NONE, 0, EVENT_NONE},
        {"give", REFUSAL_NONE, 0, EVENT_NONE},
        {"replay", REFUSAL_NONE, 1, EVENT_REPEATED},
        {"refuse", REFUSAL_NOT_LISTED, 2, EVENT_REFUSED},
        {"unanswerable", REFUSAL_UNANSWERABLE, 3, EVENT_REFUSED},
        {"unavailable", REFUSAL_SERVER_TROUBLE, 4, EVENT_REFUSED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct end *end = new_end(kit);
        end->job.report.decision = rows[i].decision;
        end->job.report.refusal = rows[i].refusal;
        history_note(&end->job);
        struct seen seen = history(kit);
        assert_int_equal(seen.count, rows[i].events);
        assert_int_equal(seen.last.kind, rows[i].kind);
        assert_string_equal(seen.last.reason, refusal_name(rows[i].refusal));
        free_end(end);
    }
}

static void a_repeat_is_told_with_its_certificate(void **state)
{
    struct writer_kit *kit = *state;
    struct end *end = new_end(kit);
    end->job.report.decision = "replay";
    end->job.report.refusal = REFUSAL_NONE;
    end->job.report.has_serial = true;
    memset(end->job.report.serial, 0x41, SERIAL_LEN);
    history_note(&end->job);
    struct seen seen = history(kit);
    assert_memory_equal(seen.last.serial, end->job.report.serial, SERIAL_LEN);
    free_end(end);
}

static void one_address_fills_no_history(void **state)
{
    struct writer_kit *kit = *state;
    struct end *end = new_end(kit);
    for (unsigned i = 0; i < MANY; i++) {
        history_note(&end->job);
    }
    assert_int_equal(writer_take_lost_events(kit->writer), MANY - HISTORY_BURST);
    snprintf(end->job.source, sizeof end->job.source, "192.0.2.10"); // who pays for nobody else
    history_note(&end->job);
    assert_int_equal(writer_take_lost_events(kit->writer), 0);
    snprintf(end->job.source, sizeof end->job.source, "192.0.2.9");
    end->job.now += 60; // a minute later there is room for some
    for (unsigned i = 0; i < MANY; i++) {
        history_note(&end->job);
    }
    assert_int_equal(writer_take_lost_events(kit->writer), MANY - HISTORY_PER_MINUTE);
    assert_int_equal(history(kit).count, HISTORY_BURST + 1 + HISTORY_PER_MINUTE);
    free_end(end);
}

static void a_job_without_memory_for_its_state_is_not_told(void **state)
{
    struct writer_kit *kit = *state;
    struct enroll_job job = {.now = KIT_NOW, .report = {.refusal = REFUSAL_SERVER_TROUBLE}};
    history_note(&job);
    assert_int_equal(history(kit).count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_WRITER_KIT(a_refusal_is_told_with_whose_why_and_where_from),
        WITH_WRITER_KIT(a_claim_is_told_as_one),
        WITH_WRITER_KIT(what_is_written_elsewhere_is_not_told_twice),
        WITH_WRITER_KIT(a_repeat_is_told_with_its_certificate),
        WITH_WRITER_KIT(one_address_fills_no_history),
        WITH_WRITER_KIT(a_job_without_memory_for_its_state_is_not_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
