// SPDX-License-Identifier: Apache-2.0
// Requests that wait for an administrator, through the whole conveyor: PENDING, polls, approval,
// denial, limits, and what may have changed while they waited.
#include "ra/enroll.h"

#include "ra/enroll_state.h"
#include "server/enroll_bench.h"

#define QUEUED       "no challenge password: waits for an administrator's approval"
#define QUEUED_MIC   "not on the device list: waits for an administrator's approval"
#define WAITS        "waits for an administrator's approval"
#define APPROVED     "approved by an administrator"
#define DENIED       "denied by an administrator"
#define UNKNOWN_POLL "no such transaction of this key"
#define OTHER_WAITS  "another request waits under this transactionID"
#define QUEUE_FULL   "too many requests wait for approval"
#define PHONE_8861   "CP-8861-SEP2C3124C9F8E1"

static int set_up_queues(void **state)
{
    set_up(state);
    struct bench *bench = *state;
    bench->policy->settings->approval.unauthenticated = SETTINGS_UNKNOWN_PENDING;
    bench->policy->settings->devices.accept = SETTINGS_DEVICES_LISTED;
    bench->policy->settings->devices.unlisted = SETTINGS_UNKNOWN_PENDING;
    return 0;
}

static enum err_code decide_as_administrator(struct bench *bench, const char *id,
                                             enum write_kind kind)
{
    struct write_order order = {.kind = kind, .now = bench->now};
    snprintf(order.pending.id, sizeof order.pending.id, "%s", id);
    return writer_submit_and_wait(bench->writer, &order, NULL);
}

static uint64_t count_pending(struct bench *bench)
{
    struct store_counts counts;
    assert_int_equal(store_count(bench->store, &counts, NULL), ERR_OK);
    return counts.pending;
}

// A poll under the same transactionID. What is in its envelope is never looked at.
static struct answer poll_for(struct bench *bench, const struct ask *ask)
{
    struct kit_message poll = message_of(bench, ask, view_of_text("anything"));
    poll.message_type.data = "20";
    return send_message(bench, &poll);
}

// Asks, and returns the name under which the request waits.
static void queue(struct bench *bench, const struct ask *ask, const char *reason,
                  char ret_id[PENDING_ID_LEN])
{
    struct answer answer = send_ask(bench, ask);
    assert_memory_equal(answer.report.reason, reason, strlen(reason));
    assert_string_equal(answer.report.decision, "pending");
    assert_string_equal(answer.status, "3");
    memcpy(ret_id, answer.report.pending_id, PENDING_ID_LEN);
    answer_done(&answer);
}

// ---- the way of a request ----

static void a_request_waits_and_is_polled(void **state)
{
    struct bench *bench = *state;
    struct answer asked = send_ask(bench, &(struct ask){0});
    expect_pending(&asked, QUEUED);
    struct answer repeated = send_ask(bench, &(struct ask){0});
    expect_pending(&repeated, WAITS);
    struct answer polled = poll_for(bench, &(struct ask){0});
    expect_pending(&polled, WAITS);
    assert_int_equal(polled.report.type, MESSAGE_CERT_POLL);
    assert_string_equal(polled.report.common_name, site.phones[0].common_name);
    assert_string_equal(polled.report.pending_id, asked.report.pending_id);
    // No RSA private operation on what the client sent.
    assert_int_equal(polled.report.stage_us[STAGE_DECRYPT], 0);
    assert_int_equal(count_pending(bench), 1);
    assert_int_equal(count_certificates(bench), 0);
    struct store_pending stored = {0};
    assert_int_equal(store_find_pending_id(bench->store, asked.report.pending_id, &stored, NULL),
                     ERR_OK);
    assert_string_equal(stored.source, KIT_SOURCE);
    assert_int_equal(stored.expires_at,
                     KIT_NOW + (int64_t)bench->policy->settings->approval.expiry_days * DAY_SEC);
    store_pending_done(&stored);
    answer_done(&asked);
    answer_done(&repeated);
    answer_done(&polled);
}

static void an_approved_request_is_issued_to_the_next_poll(void **state)
{
    struct bench *bench = *state;
    char id[PENDING_ID_LEN];
    queue(bench, &(struct ask){0}, QUEUED, id);
    assert_int_equal(decide_as_administrator(bench, id, WRITE_PENDING_APPROVE), ERR_OK);
    struct answer issued = poll_for(bench, &(struct ask){0});
    expect_success(&issued, "issue", APPROVED);
    expect_subject(&issued, site.phones[0].common_name);
    assert_string_equal(issued.report.pending_id, id);
    assert_int_equal(issued.report.stage_us[STAGE_DECRYPT], 0);
    struct store_certificate stored = stored_of(bench, &issued);
    assert_int_equal(stored.origin, ORIGIN_APPROVAL);
    store_certificate_done(&stored);
    assert_int_equal(count_pending(bench), 0);
    struct answer polled = poll_for(bench, &(struct ask){0});
    expect_success(&polled, "replay", "poll after success");
    struct answer repeated = send_ask(bench, &(struct ask){0});
    expect_success(&repeated, "replay", "repeat of an answered request");
    assert_int_equal(X509_cmp(issued.cert, polled.cert), 0);
    assert_int_equal(X509_cmp(issued.cert, repeated.cert), 0);
    assert_int_equal(count_certificates(bench), 1);
    answer_done(&issued);
    answer_done(&polled);
    answer_done(&repeated);
}

static void an_approved_request_is_issued_to_its_repeat(void **state)
{
    struct bench *bench = *state;
    char id[PENDING_ID_LEN];
    queue(bench, &(struct ask){0}, QUEUED, id);
    assert_int_equal(decide_as_administrator(bench, id, WRITE_PENDING_APPROVE), ERR_OK);
    struct answer issued = send_ask(bench, &(struct ask){0});
    expect_success(&issued, "issue", APPROVED);
    assert_int_equal(count_pending(bench), 0);
    answer_done(&issued);
}

static void a_denied_request_may_come_anew(void **state)
{
    struct bench *bench = *state;
    char id[PENDING_ID_LEN];
    queue(bench, &(struct ask){0}, QUEUED, id);
    assert_int_equal(decide_as_administrator(bench, id, WRITE_PENDING_DENY), ERR_OK);
    struct answer polled = poll_for(bench, &(struct ask){0});
    expect_refusal(&polled, &(struct expected_refusal){.text = DENIED, .reason = DENIED});
    queue(bench, &(struct ask){0}, QUEUED, id);
    assert_int_equal(count_pending(bench), 1);
    answer_done(&polled);
}

static void a_request_is_forgotten_after_its_time(void **state)
{
    struct bench *bench = *state;
    char id[PENDING_ID_LEN];
    queue(bench, &(struct ask){0}, QUEUED, id);
    bench->now += (int64_t)bench->policy->settings->approval.expiry_days * DAY_SEC;
    struct answer polled = poll_for(bench, &(struct ask){0});
    expect_refusal(&polled, &(struct expected_refusal){.fail_info = "badCertId",
                                                       .text = UNKNOWN_POLL,
                                                       .reason = UNKNOWN_POLL});
    queue(bench, &(struct ask){0}, QUEUED, id);
    assert_int_equal(count_pending(bench), 1);
    answer_done(&polled);
}

// ---- others ----

static void another_request_does_not_take_its_place(void **state)
{
    struct bench *bench = *state;
    char id[PENDING_ID_LEN];
    queue(bench, &(struct ask){0}, QUEUED, id);
    struct answer other = send_ask(bench, &(struct ask){.common_name = "other"});
    expect_refusal(&other, &(struct expected_refusal){.text = OTHER_WAITS, .reason = OTHER_WAITS});
    // Another phone under the same transactionID has one of its own.
    struct answer stranger = poll_for(bench, &(struct ask){.phone = 1});
    expect_refusal(&stranger, &(struct expected_refusal){.fail_info = "badCertId",
                                                         .text = UNKNOWN_POLL,
                                                         .reason = UNKNOWN_POLL});
    char other_id[PENDING_ID_LEN];
    queue(bench, &(struct ask){.phone = 1}, QUEUED, other_id);
    assert_string_not_equal(id, other_id);
    answer_done(&other);
    answer_done(&stranger);
}

// A wrong challenge is answered as ever, and what an administrator sees has no challenge in it.
static void challenges_do_not_wait(void **state)
{
    struct bench *bench = *state;
    struct answer wrong = send_ask(bench, &(struct ask){.challenge = "wrong challenge"});
    expect_refusal(&wrong, &(struct expected_refusal){.reason = "wrong challenge password",
                                                      .challenge = CHALLENGE_WRONG});
    struct answer right = send_ask(bench, &(struct ask){.challenge = STATIC_CHALLENGE});
    expect_success(&right, "issue", "static challenge");
    assert_int_equal(count_pending(bench), 0);
    answer_done(&wrong);
    answer_done(&right);
}

// ---- limits ----

static void a_full_queue_refuses(void **state)
{
    struct bench *bench = *state;
    char id[PENDING_ID_LEN];
    const struct expected_refusal full = {.text = QUEUE_FULL};
    static const struct {
        uint32_t max_pending;
        uint32_t max_per_source;
    } tests[] = {{1, 10}, {10, 1}};
    queue(bench, &(struct ask){0}, QUEUED, id);
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        bench->policy->settings->approval.max_pending = tests[i].max_pending;
        bench->policy->settings->approval.max_per_source = tests[i].max_per_source;
        struct answer answer = send_ask(bench, &(struct ask){.phone = 1});
        assert_int_equal(answer.outcome, ENROLL_REPLY);
        assert_string_equal(answer.report.decision, "refuse");
        assert_string_equal(answer.fail_info, fail_info_digit("badRequest"));
        assert_string_equal(answer.text, full.text);
        assert_non_null(strstr(answer.report.reason, "wait already"));
        assert_string_equal(answer.report.pending_id, "");
        assert_int_equal(answer.report.level, LOG_LEVEL_WARNING);
        assert_int_equal(answer.again_count, 1); // a worker signs, not the writer
        answer_done(&answer);
    }
    assert_int_equal(count_pending(bench), 1);
}

static void expect_told_to_wait(const struct answer *answer)
{
    assert_int_equal(answer->outcome, ENROLL_UNAVAILABLE);
    assert_string_equal(answer->report.reason, "the transaction is polled too often");
    assert_string_equal(answer->report.decision, "unavailable");
    assert_int_equal(answer->report.level, LOG_LEVEL_WARNING);
    assert_int_equal(answer->report.stage_us[STAGE_REPLY], 0);
}

static void a_poll_flood_is_told_to_wait(void **state)
{
    struct bench *bench = *state;
    char id[PENDING_ID_LEN];
    queue(bench, &(struct ask){0}, QUEUED, id);
    for (unsigned i = 0; i < 2 * POLL_BURST; i++) {
        struct answer answer = poll_for(bench, &(struct ask){0});
        if (i < POLL_BURST) {
            expect_pending(&answer, WAITS);
        } else {
            expect_told_to_wait(&answer);
        }
        answer_done(&answer);
    }
    // Others are not affected, and a moment later neither is this one.
    struct answer other = poll_for(bench, &(struct ask){.phone = 1});
    assert_int_equal(other.outcome, ENROLL_REPLY);
    bench->now++;
    struct answer later = poll_for(bench, &(struct ask){0});
    expect_pending(&later, WAITS);
    answer_done(&other);
    answer_done(&later);
}

// ---- devices that are not on the list ----

static struct ask mic_ask(void)
{
    return (struct ask){.common_name = PHONE_8861,
                        .signer = mic_cert(site.mics, "phone-8861"),
                        .signer_key = mic_key(site.mics, "phone-8861")};
}

static void an_unlisted_phone_waits_and_is_approved(void **state)
{
    struct bench *bench = *state;
    char id[PENDING_ID_LEN];
    const struct ask ask = mic_ask();
    queue(bench, &ask, QUEUED_MIC ": the device list has no entry for MAC 2C3124C9F8E1", id);
    struct answer waiting = poll_for(bench, &ask);
    expect_pending(&waiting, WAITS);
    assert_int_equal(decide_as_administrator(bench, id, WRITE_PENDING_APPROVE), ERR_OK);
    struct answer issued = poll_for(bench, &ask);
    expect_success(&issued, "issue", APPROVED);
    expect_subject(&issued, PHONE_8861);
    struct store_certificate stored = stored_of(bench, &issued);
    assert_int_equal(stored.origin, ORIGIN_APPROVAL);
    assert_int_equal(stored.signer_class, SIGNER_MIC);
    assert_string_equal(stored.model, "CP-8861");
    assert_string_equal(stored.serial_number, "FCH2133E8B9");
    assert_true(stored.mic_not_after > KIT_NOW);
    store_certificate_done(&stored);
    answer_done(&waiting);
    answer_done(&issued);
}

// The same key in a self-signed certificate has proven nothing of what was looked at.
static void an_approval_is_for_the_signer_that_was_seen(void **state)
{
    struct bench *bench = *state;
    char id[PENDING_ID_LEN];
    const struct ask ask = mic_ask();
    queue(bench, &ask, QUEUED_MIC, id);
    assert_int_equal(decide_as_administrator(bench, id, WRITE_PENDING_APPROVE), ERR_OK);
    X509 *self_signed = kit_cert(ask.signer_key, PHONE_8861, NULL, NULL, false, KIT_NOW, 5);
    struct answer answer =
        poll_for(bench, &(struct ask){.signer = self_signed, .signer_key = ask.signer_key});
    expect_refusal(&answer, &(struct expected_refusal){.fail_info = "badCertId",
                                                       .text = UNKNOWN_POLL,
                                                       .reason = UNKNOWN_POLL});
    assert_int_equal(count_certificates(bench), 0);
    X509_free(self_signed);
    answer_done(&answer);
}

// What counted when the request came has to count when it is issued.
static void a_signer_revoked_while_it_waits_gets_nothing(void **state)
{
    struct bench *bench = *state;
    char id[PENDING_ID_LEN];
    static const char text[] = "signer certificate was revoked";
    bench->policy->settings->devices.accept = SETTINGS_DEVICES_ANY;
    struct ask ask = mic_ask();
    struct answer first = send_ask(bench, &ask);
    expect_success(&first, "issue", "manufacturer's certificate");
    bench->policy->settings->devices.accept = SETTINGS_DEVICES_LISTED;
    struct store_certificate stored = stored_of(bench, &first);
    bench->now = stored.not_after;
    ca_now = bench->now;
    store_certificate_done(&stored);
    ask.signer = first.cert;
    ask.signer_key = site.phones[0].key;
    queue(bench, &ask, QUEUED_MIC, id);
    assert_int_equal(decide_as_administrator(bench, id, WRITE_PENDING_APPROVE), ERR_OK);
    struct write_order revoke = {.kind = WRITE_REVOKE, .now = bench->now};
    memcpy(revoke.certificate.serial, first.report.serial, SERIAL_LEN);
    assert_int_equal(writer_submit_and_wait(bench->writer, &revoke, NULL), ERR_OK);
    struct answer polled = poll_for(bench, &ask);
    expect_refusal(&polled, &(struct expected_refusal){
                                .text = text, .reason = text, .is_reason_longer = true});
    struct answer repeated = send_ask(bench, &ask);
    expect_refusal(&repeated, &(struct expected_refusal){
                                  .text = text, .reason = text, .is_reason_longer = true});
    assert_int_equal(count_certificates(bench), 1);
    answer_done(&first);
    answer_done(&polled);
    answer_done(&repeated);
}

static void rules_that_changed_while_it_waited_hold(void **state)
{
    struct bench *bench = *state;
    char id[PENDING_ID_LEN];
    static const char text[] = "manufacturer's certificate is not accepted here";
    struct settings *settings = bench->policy->settings;
    const struct ask ask = mic_ask();
    queue(bench, &ask, QUEUED_MIC, id);
    assert_int_equal(decide_as_administrator(bench, id, WRITE_PENDING_APPROVE), ERR_OK);
    // The trust store takes no phones any more.
    struct trust *before = bench->policy->trust;
    settings->mic[0].classes[0] = SETTINGS_MIC_SPA;
    settings->mic[0].classes_count = 1;
    assert_int_equal(trust_load(settings, &bench->policy->trust, NULL), ERR_OK);
    struct answer polled = poll_for(bench, &ask);
    expect_refusal(&polled, &(struct expected_refusal){
                                .text = text, .reason = text, .is_reason_longer = true});
    trust_free(before);
    answer_done(&polled);
}

static void a_key_certified_meanwhile_is_refused(void **state)
{
    struct bench *bench = *state;
    char id[PENDING_ID_LEN];
    queue(bench, &(struct ask){0}, QUEUED, id);
    assert_int_equal(decide_as_administrator(bench, id, WRITE_PENDING_APPROVE), ERR_OK);
    const struct ask other = {
        .challenge = STATIC_CHALLENGE, .common_name = "other", .transaction_id = "other"};
    struct answer issued = send_ask(bench, &other);
    expect_success(&issued, "issue", "static challenge");
    struct answer polled = poll_for(bench, &(struct ask){0});
    assert_string_equal(polled.report.decision, "refuse");
    struct answer repeated = send_ask(bench, &(struct ask){0});
    assert_string_equal(repeated.report.decision, "refuse");
    assert_int_equal(count_certificates(bench), 1);
    answer_done(&issued);
    answer_done(&polled);
    answer_done(&repeated);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_queues, tear_down)

int main(void)
{
    log_init("test", LOG_LEVEL_ERROR);
    const struct CMUnitTest tests[] = {
        TEST(a_request_waits_and_is_polled),
        TEST(an_approved_request_is_issued_to_the_next_poll),
        TEST(an_approved_request_is_issued_to_its_repeat),
        TEST(a_denied_request_may_come_anew),
        TEST(a_request_is_forgotten_after_its_time),
        TEST(another_request_does_not_take_its_place),
        TEST(challenges_do_not_wait),
        TEST(a_full_queue_refuses),
        TEST(a_poll_flood_is_told_to_wait),
        TEST(an_unlisted_phone_waits_and_is_approved),
        TEST(an_approval_is_for_the_signer_that_was_seen),
        TEST(a_signer_revoked_while_it_waits_gets_nothing),
        TEST(rules_that_changed_while_it_waited_hold),
        TEST(a_key_certified_meanwhile_is_refused),
    };
    return cmocka_run_group_tests(tests, set_up_mic_site, tear_down_site);
}
