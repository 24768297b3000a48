// SPDX-License-Identifier: Apache-2.0
// Topology direct: scepd-ca opens what is encrypted to the CA's own certificate and signs the
// answers, on the asking worker's connection.
#include "ra/enroll.h"

#include "server/enroll_bench.h"

static int set_up_direct_site(void **state)
{
    (void)state;
    site_make_by(&site, site_init_direct);
    site_start_ca(&site, ca_clock);
    return 0;
}

static void the_ca_answers_itself(void **state)
{
    struct bench *bench = *state;
    const struct recipient *ca = credentials_ra(bench->policy->credentials);
    assert_null(ca->key);
    struct answer issued = send_ask(bench, &(struct ask){.challenge = STATIC_CHALLENGE});
    expect_success(&issued, "issue", "static challenge");
    assert_int_equal(X509_verify(issued.cert, X509_get0_pubkey(ca->cert)), 1);
    struct answer repeat = send_ask(bench, &(struct ask){.challenge = STATIC_CHALLENGE});
    expect_success(&repeat, "replay", "repeat of an answered request");
    struct answer polled = send_ask(bench, &(struct ask){.type = "20"});
    expect_success(&polled, "replay", "poll after success");
    assert_int_equal(count_certificates(bench), 1);
    answer_done(&issued);
    answer_done(&repeat);
    answer_done(&polled);
}

static void refusals_are_uniform_as_ever(void **state)
{
    struct bench *bench = *state;
    struct answer wrong = send_ask(bench, &(struct ask){.challenge = "wrong challenge"});
    expect_refusal(&wrong, &(struct expected_refusal){.reason = "wrong challenge password",
                                                      .challenge = CHALLENGE_WRONG});
    struct kit_message message = message_of(bench, &(struct ask){0}, view_of_text("garbage"));
    struct answer garbage = send_message(bench, &message);
    expect_refusal(&garbage, &(struct expected_refusal){.reason = "not exactly one DER PKCS#10",
                                                        .is_reason_longer = true});
    X509 *lookalike = X509_dup(message.ra);
    assert_int_equal(X509_set_pubkey(lookalike, site.phones[1].key), 1);
    message.ra = lookalike;
    struct answer unopened = send_message(bench, &message);
    expect_refusal(&unopened, &(struct expected_refusal){.reason = "", .is_reason_longer = true});
    X509_free(lookalike);
    answer_done(&wrong);
    answer_done(&garbage);
    answer_done(&unopened);
}

// The answer of a full queue is made by another run on a worker than the one that decided.
static void a_request_may_wait_or_not(void **state)
{
    struct bench *bench = *state;
    struct settings *settings = bench->policy->settings;
    settings->approval.unauthenticated = SETTINGS_UNKNOWN_PENDING;
    struct answer queued = send_ask(bench, &(struct ask){0});
    assert_string_equal(queued.status, "3");
    settings->approval.max_pending = 1;
    struct answer full = send_ask(bench, &(struct ask){.phone = 1});
    assert_string_equal(full.text, "too many requests wait for approval");
    answer_done(&queued);
    answer_done(&full);
}

// Whose fault it is must not depend on who opens the envelope.
static void without_the_ca_nothing_is_the_phones_fault(void **state)
{
    struct bench *bench = *state;
    char *nobody = kit_path(bench->folder, "nobody.sock");
    struct ca_client *right = bench->ca;
    assert_int_equal(ca_client_new(nobody, &bench->ca, NULL), ERR_OK);
    struct answer answer = send_ask(bench, &(struct ask){.challenge = STATIC_CHALLENGE});
    assert_int_equal(answer.outcome, ENROLL_UNAVAILABLE);
    assert_int_equal(answer.report.level, LOG_LEVEL_ERROR);
    answer_done(&answer);
    ca_client_free(bench->ca);
    bench->ca = right;
    free(nobody);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    log_init("test", LOG_LEVEL_ERROR);
    const struct CMUnitTest tests[] = {
        TEST(the_ca_answers_itself),
        TEST(refusals_are_uniform_as_ever),
        TEST(a_request_may_wait_or_not),
        TEST(without_the_ca_nothing_is_the_phones_fault),
    };
    return cmocka_run_group_tests(tests, set_up_direct_site, tear_down_site);
}
