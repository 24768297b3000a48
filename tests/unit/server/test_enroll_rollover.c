// SPDX-License-Identifier: Apache-2.0
// A request that is encrypted to the next RA is answered by that RA, and issued by the next CA.
#include "ra/enroll.h"

#include "ra/ra_site.h"
#include "server/enroll_bench.h"

#define YEARS_DAYS  3650
#define KEY_NEXT_CA 6
#define KEY_NEXT_RA 7

static X509 *next_ca;

static void add_next_ca(void)
{
    uint8_t id[SHA256_LEN];
    char name[GENERATION_NAME_LEN];
    char *generations = kit_path(site.directory, "generations");
    next_ca =
        kit_cert(kit_key(KEY_NEXT_CA), "Next CA", NULL, NULL, true, KIT_NOW - DAY_SEC, YEARS_DAYS);
    assert_int_equal(generation_identify(next_ca, id, name, NULL), ERR_OK);
    site_add_ca(generations, next_ca, NULL);
    char *folder = kit_path(generations, name);
    struct buf key = kit_key_pem(kit_key(KEY_NEXT_CA));
    free(kit_write(folder, "ca.key", buf_view(&key)));
    buf_done(&key);
    site_link(generations, "next", next_ca, KIT_NOW);
    free(folder);
    free(generations);
}

static void add_next_ra(void)
{
    char *directory = kit_path(site.directory, "ra");
    X509 *ra = kit_cert(kit_key(KEY_NEXT_RA), "Next RA", next_ca, kit_key(KEY_NEXT_CA), false,
                        KIT_NOW - DAY_SEC, YEARS_DAYS / 2);
    site_add_ra(directory, ra, kit_key(KEY_NEXT_RA));
    X509_free(ra);
    free(directory);
}

static int set_up_rollover_site(void **state)
{
    (void)state;
    site_make(&site);
    add_next_ca();
    add_next_ra();
    site_start_ca(&site, ca_clock);
    return 0;
}

static int tear_down_rollover_site(void **state)
{
    (void)state;
    X509_free(next_ca);
    site_close(&site);
    return 0;
}

// The message for `ask`, encrypted to the RA of the present or of the next CA. read_reply() checks
// that it answers.
static struct answer send_to(struct bench *bench, const struct ask *ask, bool is_next)
{
    const struct credentials *credentials = bench->policy->credentials;
    const struct recipient *recipient =
        is_next ? credentials_next_ra(credentials) : credentials_ra(credentials);
    assert_non_null(recipient);
    struct buf csr = csr_of(bench, ask);
    struct kit_message message = message_of(bench, ask, buf_view(&csr));
    message.ra = recipient->cert;
    struct answer answer = send_message(bench, &message);
    buf_done(&csr);
    return answer;
}

static void expect_issuer(struct bench *bench, const struct answer *answer, bool is_next)
{
    const struct generations *generations = &bench->policy->credentials->generations;
    const struct generation *issuer =
        is_next ? generations_next(generations) : credentials_issuing(bench->policy->credentials);
    struct store_certificate stored = stored_of(bench, answer);
    assert_memory_equal(stored.issuer, issuer->id, SHA256_LEN);
    assert_int_equal(X509_verify(answer->cert, X509_get0_pubkey(issuer->cert)), 1);
    store_certificate_done(&stored);
}

static void who_was_asked_answers_and_has_his_ca_issue(void **state)
{
    struct bench *bench = *state;
    for (unsigned is_next = 0; is_next < 2; is_next++) {
        const struct ask ask = {.phone = is_next, .challenge = STATIC_CHALLENGE};
        struct answer issued = send_to(bench, &ask, is_next == 1);
        expect_success(&issued, "issue", "static challenge");
        expect_issuer(bench, &issued, is_next == 1);
        const struct ask poll = {.phone = is_next, .type = "20"};
        struct answer polled = send_to(bench, &poll, is_next == 1);
        expect_success(&polled, "replay", "poll after success");
        answer_done(&issued);
        answer_done(&polled);
    }
}

static void refusals_and_waiting_are_signed_by_who_was_asked(void **state)
{
    struct bench *bench = *state;
    struct answer unknown = send_to(bench, &(struct ask){.type = "20"}, true);
    expect_refusal(&unknown,
                   &(struct expected_refusal){.fail_info = "badCertId",
                                              .text = "no such transaction of this key",
                                              .reason = "no such transaction of this key"});
    struct answer wrong = send_to(bench, &(struct ask){.challenge = "wrong challenge"}, true);
    expect_refusal(&wrong, &(struct expected_refusal){.reason = "wrong challenge password",
                                                      .challenge = CHALLENGE_WRONG});
    bench->policy->settings->approval.unauthenticated = SETTINGS_UNKNOWN_PENDING;
    struct answer queued = send_to(bench, &(struct ask){0}, true);
    assert_string_equal(queued.status, "3");
    struct answer polled = send_to(bench, &(struct ask){.type = "20"}, true);
    assert_string_equal(polled.status, "3");
    // The poll says which CA issues.
    struct write_order approve = {.kind = WRITE_PENDING_APPROVE, .now = KIT_NOW};
    memcpy(approve.pending.id, queued.report.pending_id, PENDING_ID_LEN);
    assert_int_equal(writer_submit_and_wait(bench->writer, &approve, NULL), ERR_OK);
    struct answer issued = send_to(bench, &(struct ask){.type = "20"}, true);
    expect_success(&issued, "issue", "approved by an administrator");
    expect_issuer(bench, &issued, true);
    answer_done(&unknown);
    answer_done(&wrong);
    answer_done(&queued);
    answer_done(&polled);
    answer_done(&issued);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    log_init("test", LOG_LEVEL_ERROR);
    const struct CMUnitTest tests[] = {
        TEST(who_was_asked_answers_and_has_his_ca_issue),
        TEST(refusals_and_waiting_are_signed_by_who_was_asked),
    };
    return cmocka_run_group_tests(tests, set_up_rollover_site, tear_down_rollover_site);
}
