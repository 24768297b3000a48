// SPDX-License-Identifier: Apache-2.0
// When our own side fails, and when requests race for the same certificate or challenge.
#include "ra/enroll.h"

#include "server/enroll_bench.h"

#define RACERS      10
#define TINY_OCTETS (512u << 10) // of a store that is soon full
#define FILLER_LEN  400          // octets: less than a certificate has
#define FILLERS_MAX 10000

// The CA's clock, which it asks once a question, as a gate: nobody gets through before `expected`
// have come. So all racers have decided to issue before the first of them can write.
static struct gate {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned expected; // 0 = open
    unsigned arrived;
} gate = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static int64_t gated_clock(void)
{
    pthread_mutex_lock(&gate.lock);
    gate.arrived++;
    if (gate.arrived >= gate.expected) {
        gate.expected = 0;
        pthread_cond_broadcast(&gate.changed);
    }
    while (gate.expected > 0) {
        pthread_cond_wait(&gate.changed, &gate.lock); // CA_ANSWER_TIMEOUT_SEC ends a hopeless wait
    }
    pthread_mutex_unlock(&gate.lock);
    return KIT_NOW;
}

static void close_gate_for(unsigned expected)
{
    pthread_mutex_lock(&gate.lock);
    gate.expected = expected;
    gate.arrived = 0;
    pthread_mutex_unlock(&gate.lock);
}

static int set_up_gated_site(void **state)
{
    (void)state;
    site_open(&site, gated_clock);
    return 0;
}

static int tear_down_gated_site(void **state)
{
    (void)state;
    close_gate_for(0);
    pthread_cond_broadcast(&gate.changed);
    site_close(&site);
    return 0;
}

static int set_up_tiny(void **state)
{
    static struct bench bench;
    bench_open(&bench, &site, TINY_OCTETS);
    *state = &bench;
    return 0;
}

// ---- trouble ----

static void expect_unavailable(const struct answer *answer, const char *reason)
{
    assert_int_equal(answer->outcome, ENROLL_UNAVAILABLE);
    assert_string_equal(answer->report.decision, "unavailable");
    assert_memory_equal(answer->report.reason, reason, strlen(reason));
    assert_int_equal(answer->report.level, LOG_LEVEL_ERROR);
    assert_null(answer->report.fail_info);
    assert_false(answer->report.has_serial);
}

static void unanswerable(void **state)
{
    struct bench *bench = *state;
    const struct ask ask = {.challenge = STATIC_CHALLENGE};
    struct kit_message no_id = message_of(bench, &ask, view_of_text("x"));
    no_id.transaction_id.how = KIT_OMITTED;
    struct buf tests[] = {{0}, {0}, ask_der(bench, &ask), kit_message_der(&no_id)};
    assert_int_equal(buf_copy(view_of_text("garbage"), &tests[0], NULL), ERR_OK);
    tests[2].len -= 1;
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        struct answer answer = send_octets(bench, &no_id, &tests[i]);
        assert_int_equal(answer.outcome, ENROLL_UNANSWERABLE);
        assert_string_equal(answer.report.decision, "unanswerable");
        assert_int_not_equal(answer.report.reason[0], '\0');
        assert_int_equal(answer.report.level, LOG_LEVEL_INFO);
        assert_null(answer.report.alarm);
        answer_done(&answer);
        buf_done(&tests[i]);
    }
    assert_int_equal(count_certificates(bench), 0);
}

static void without_a_ca(void **state)
{
    struct bench *bench = *state;
    char text[CHALLENGE_TEXT_LEN];
    struct store_challenge given = give_challenge(bench, &(struct store_challenge){0}, text);
    char *nobody = kit_path(bench->folder, "nobody.sock");
    struct ca_client *right = bench->ca;
    assert_int_equal(ca_client_new(nobody, &bench->ca, NULL), ERR_OK);
    struct answer answer = send_ask(bench, &(struct ask){.challenge = text});
    expect_unavailable(&answer, "cannot connect to the CA");
    assert_int_equal(answer.report.challenge, CHALLENGE_ONE_TIME);
    assert_int_equal(count_certificates(bench), 0);
    assert_int_equal(uses_left(bench, &given), 1);
    answer_done(&answer);
    ca_client_free(bench->ca);
    bench->ca = right;
    // The CA is back, and the phone asks again.
    answer = send_ask(bench, &(struct ask){.challenge = text});
    expect_success(&answer, "issue", "one-time challenge");
    answer_done(&answer);
    free(nobody);
}

static enum err_code write_filler(struct bench *bench, unsigned number)
{
    static const uint8_t octets[FILLER_LEN];
    struct err err = {0};
    struct write_order order = {.kind = WRITE_ISSUED, .now = KIT_NOW};
    struct store_certificate *record = &order.certificate;
    record->serial[0] = 1;
    memcpy(record->serial + 1, &number, sizeof number);
    record->status = CERTIFICATE_VALID;
    record->origin = ORIGIN_CHALLENGE;
    record->issued_at = KIT_NOW;
    snprintf(record->device, sizeof record->device, "filler-%u", number);
    memcpy(record->spki_hash, &number, sizeof number);
    memcpy(record->transaction_key, &number, sizeof number);
    assert_int_equal(buf_copy(view_of(octets, sizeof octets), &record->der, NULL), ERR_OK);
    enum err_code code = writer_submit_and_wait(bench->writer, &order, &err);
    store_certificate_done(record);
    return code;
}

static void without_room_in_the_store(void **state)
{
    struct bench *bench = *state;
    char text[CHALLENGE_TEXT_LEN];
    struct store_challenge given = give_challenge(bench, &(struct store_challenge){0}, text);
    enum err_code code = ERR_OK;
    for (unsigned i = 0; i < FILLERS_MAX && code == ERR_OK; i++) {
        code = write_filler(bench, i);
    }
    assert_int_equal(code, ERR_FULL);
    uint64_t before = count_certificates(bench);
    struct answer answer = send_ask(bench, &(struct ask){.challenge = text});
    expect_unavailable(&answer, "the store has reached store.max_size_mib");
    assert_int_equal(count_certificates(bench), before);
    assert_int_equal(uses_left(bench, &given), 1);
    answer_done(&answer);
}

// ---- races ----

struct racer {
    struct bench *bench;
    struct kit_message asked;
    struct buf octets;
    struct run run;
    pthread_t thread;
};

static void *race(void *context)
{
    struct racer *racer = context;
    struct ca_client *ca = NULL;
    must(ca_client_new(racer->bench->site->ca_path, &ca, NULL) == ERR_OK, "CA client");
    run_message(racer->bench, ca, buf_view(&racer->octets), &racer->run);
    ca_client_free(ca);
    return NULL;
}

// All ask the CA before the first is answered.
static void run_race(struct bench *bench, struct racer *racers, unsigned count,
                     struct answer *ret_answers)
{
    close_gate_for(count);
    for (unsigned i = 0; i < count; i++) {
        racers[i].bench = bench;
        assert_int_equal(pthread_create(&racers[i].thread, NULL, race, &racers[i]), 0);
    }
    for (unsigned i = 0; i < count; i++) {
        pthread_join(racers[i].thread, NULL);
        ret_answers[i] = answer_of(bench, &racers[i].asked, &racers[i].run);
        buf_done(&racers[i].octets);
    }
}

static void one_message_ten_times_at_once(void **state)
{
    struct bench *bench = *state;
    static struct racer racers[RACERS];
    struct answer answers[RACERS];
    char text[CHALLENGE_TEXT_LEN];
    struct store_challenge given =
        give_challenge(bench, &(struct store_challenge){.uses_allowed = 2}, text);
    const struct ask ask = {.challenge = text};
    struct buf octets = ask_der(bench, &ask);
    for (unsigned i = 0; i < RACERS; i++) {
        racers[i].asked = message_of(bench, &ask, VIEW_EMPTY);
        assert_int_equal(buf_copy(buf_view(&octets), &racers[i].octets, NULL), ERR_OK);
    }
    run_race(bench, racers, RACERS, answers);
    unsigned issued = 0;
    for (unsigned i = 0; i < RACERS; i++) {
        bool is_winner = strcmp(answers[i].report.decision, "issue") == 0;
        expect_success(&answers[i], is_winner ? "issue" : "replay",
                       is_winner ? "one-time challenge" : "repeat of an answered request");
        assert_int_equal(answers[i].again_count, is_winner ? 0 : 1);
        assert_int_equal(X509_cmp(answers[i].cert, answers[0].cert), 0);
        issued += is_winner ? 1 : 0;
    }
    assert_int_equal(issued, 1);
    assert_int_equal(count_certificates(bench), 1);
    assert_int_equal(uses_left(bench, &given), 1);
    for (unsigned i = 0; i < RACERS; i++) {
        answer_done(&answers[i]);
    }
    buf_done(&octets);
}

static void two_keys_for_one_challenge(void **state)
{
    struct bench *bench = *state;
    static struct racer racers[2];
    struct answer answers[2];
    char text[CHALLENGE_TEXT_LEN];
    struct store_challenge given = give_challenge(bench, &(struct store_challenge){0}, text);
    for (unsigned i = 0; i < 2; i++) {
        const struct ask ask = {.phone = i, .challenge = text};
        racers[i].asked = message_of(bench, &ask, VIEW_EMPTY);
        racers[i].octets = ask_der(bench, &ask);
    }
    run_race(bench, racers, 2, answers);
    unsigned winner = strcmp(answers[0].report.decision, "issue") == 0 ? 0 : 1;
    expect_success(&answers[winner], "issue", "one-time challenge");
    assert_int_equal(answers[winner].again_count, 0);
    expect_refusal(&answers[1 - winner],
                   &(struct expected_refusal){.reason = "the challenge password is used up",
                                              .challenge = CHALLENGE_USED_UP,
                                              .alarm = ALARM_CHALLENGE});
    assert_int_equal(answers[1 - winner].again_count, 1);
    assert_int_equal(uses_left(bench, &given), 0);
    assert_int_equal(count_certificates(bench), 1);
    answer_done(&answers[0]);
    answer_done(&answers[1]);
}

// A retry chooses a new transactionID; both are under way at the same time.
static void two_transactions_of_one_key(void **state)
{
    struct bench *bench = *state;
    static struct racer racers[2];
    struct answer answers[2];
    char text[CHALLENGE_TEXT_LEN];
    struct store_challenge given =
        give_challenge(bench, &(struct store_challenge){.uses_allowed = 2}, text);
    for (unsigned i = 0; i < 2; i++) {
        const struct ask ask = {.challenge = text, .transaction_id = i == 0 ? "first" : "second"};
        racers[i].asked = message_of(bench, &ask, VIEW_EMPTY);
        racers[i].octets = ask_der(bench, &ask);
    }
    run_race(bench, racers, 2, answers);
    unsigned winner = strcmp(answers[0].report.decision, "issue") == 0 ? 0 : 1;
    expect_success(&answers[winner], "issue", "one-time challenge");
    expect_success(&answers[1 - winner], "replay",
                   "repeat of an answered request under a new transactionID");
    assert_int_equal(X509_cmp(answers[0].cert, answers[1].cert), 0);
    assert_int_equal(uses_left(bench, &given), 1);
    assert_int_equal(count_certificates(bench), 1);
    answer_done(&answers[0]);
    answer_done(&answers[1]);
}

// Races `octets` against themselves: one is issued for `reason`, the other gets the same.
static void race_twins(struct bench *bench, const struct kit_message *asked,
                       const struct buf *octets, const char *reason)
{
    static struct racer racers[2];
    struct answer answers[2];
    uint64_t before = count_certificates(bench);
    for (unsigned i = 0; i < 2; i++) {
        racers[i].asked = *asked;
        assert_int_equal(buf_copy(buf_view(octets), &racers[i].octets, NULL), ERR_OK);
    }
    run_race(bench, racers, 2, answers);
    unsigned winner = strcmp(answers[0].report.decision, "issue") == 0 ? 0 : 1;
    expect_success(&answers[winner], "issue", reason);
    expect_success(&answers[1 - winner], "replay", answers[1 - winner].report.reason);
    assert_int_equal(answers[1 - winner].again_count, 1);
    assert_int_equal(X509_cmp(answers[0].cert, answers[1].cert), 0);
    assert_int_equal(count_certificates(bench), before + 1);
    answer_done(&answers[0]);
    answer_done(&answers[1]);
}

static void one_renewal_twice_at_once(void **state)
{
    struct bench *bench = *state;
    struct answer first = send_ask(bench, &(struct ask){.challenge = STATIC_CHALLENGE});
    bench->policy->settings->renewal.window_days =
        10 * bench->policy->settings->phone.validity_days;
    const struct ask ask = {.signer = first.cert, .key = kit_key(4)};
    struct buf octets = ask_der(bench, &ask);
    struct kit_message asked = message_of(bench, &ask, VIEW_EMPTY);
    race_twins(bench, &asked, &octets, "renewal");
    buf_done(&octets);
    answer_done(&first);
}

static void two_polls_of_an_approved_request(void **state)
{
    struct bench *bench = *state;
    struct write_order approve = {.kind = WRITE_PENDING_APPROVE, .now = KIT_NOW};
    bench->policy->settings->approval.unauthenticated = SETTINGS_UNKNOWN_PENDING;
    struct answer queued = send_ask(bench, &(struct ask){0});
    memcpy(approve.pending.id, queued.report.pending_id, PENDING_ID_LEN);
    assert_int_equal(writer_submit_and_wait(bench->writer, &approve, NULL), ERR_OK);
    const struct ask ask = {.type = "20"};
    struct buf octets = ask_der(bench, &ask);
    struct kit_message asked = message_of(bench, &ask, VIEW_EMPTY);
    race_twins(bench, &asked, &octets, "approved by an administrator");
    buf_done(&octets);
    answer_done(&queued);
}

int main(void)
{
    log_init("test", LOG_LEVEL_ERROR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(unanswerable, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_a_ca, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_room_in_the_store, set_up_tiny, tear_down),
        cmocka_unit_test_setup_teardown(one_message_ten_times_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(two_keys_for_one_challenge, set_up, tear_down),
        cmocka_unit_test_setup_teardown(two_transactions_of_one_key, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_renewal_twice_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(two_polls_of_an_approved_request, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, set_up_gated_site, tear_down_gated_site);
}
