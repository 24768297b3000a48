// SPDX-License-Identifier: Apache-2.0
// What scepd does by itself, look after look of a clock that the test turns.
#include "server/jobs.h"

#include "server/desk_kit.h"

#include <dirent.h>

#include "conf/base/hex.h"

#define UNKNOWN_POLL   "no such transaction of this key"
#define RENEW_SEC      (60LL * DAY_SEC) // ra.renew_days
#define PREVIOUS_SEC   (30LL * DAY_SEC) // ra.previous_days
#define WINDOW_DAYS    200
#define SUPERSEDED_SEC (5LL * DAY_SEC)
#define MANY_PENDING   1005 // more than one sweep looks at

static struct jobs jobs_of(struct desk *desk)
{
    return (struct jobs){.live = &desk->live};
}

static void look_at(struct jobs *jobs, struct desk *desk, int64_t now)
{
    desk_go_to(desk, now);
    jobs_run_when_due(jobs, now);
}

// ---- when ----

static void the_first_look_is_at_once_the_next_a_minute_later(void **state)
{
    struct desk *desk = *state;
    struct jobs jobs = jobs_of(desk);
    uint8_t serial[SERIAL_LEN];
    look_at(&jobs, desk, KIT_NOW);
    assert_int_equal(desk_number(desk), 1);
    assert_int_equal(jobs.next, KIT_NOW + JOBS_EVERY_SEC);
    desk_go_to(desk, KIT_NOW + 1);
    desk_enrol_serial(desk, 0, serial);
    desk_revoke(desk, serial, REVOCATION_UNSPECIFIED);
    look_at(&jobs, desk, KIT_NOW + JOBS_EVERY_SEC - 1);
    assert_int_equal(desk_number(desk), 1);
    look_at(&jobs, desk, KIT_NOW + JOBS_EVERY_SEC);
    assert_int_equal(desk_number(desk), 2);
    assert_true(desk_lists(desk, serial));
    assert_int_equal(desk->reloads, 0);
}

// A reload asks for a look in the same way.
static void a_look_can_be_asked_for(void **state)
{
    struct desk *desk = *state;
    struct jobs jobs = jobs_of(desk);
    look_at(&jobs, desk, KIT_NOW);
    desk_prepare(desk);
    desk_must_reload(desk);
    const struct generation *next = desk_generation(desk, GENERATION_NEXT);
    look_at(&jobs, desk, KIT_NOW + 1);
    assert_int_equal(desk_crl_number(desk, next), 0);
    jobs.next = 0;
    look_at(&jobs, desk, KIT_NOW + 2);
    assert_int_equal(desk_crl_number(desk, next), 1 + 2); // two seconds later than the other's
    assert_int_equal(desk_number(desk), 1);
}

static void a_clock_set_back_does_not_stop_them(void **state)
{
    struct desk *desk = *state;
    struct jobs jobs = jobs_of(desk);
    const int64_t ahead = KIT_NOW + 100LL * DAY_SEC;
    desk->first_crl = ahead;
    look_at(&jobs, desk, ahead);
    assert_int_equal(desk_number(desk), 1);
    look_at(&jobs, desk, KIT_NOW);
    assert_int_equal(desk_number(desk), 2);
    assert_int_equal(jobs.next, KIT_NOW + JOBS_EVERY_SEC);
    look_at(&jobs, desk, KIT_NOW + JOBS_EVERY_SEC);
    assert_int_equal(desk_number(desk), 2);
    look_at(&jobs, desk, KIT_NOW + DESK_CRL_HALF);
    assert_int_equal(desk_number(desk), 3);
}

static void a_ca_that_is_away_is_logged_and_asked_again(void **state)
{
    struct desk *desk = *state;
    struct jobs jobs = jobs_of(desk);
    static struct desk_log captured;
    site_stop_ca(&desk->site);
    for (unsigned i = 0; i < 2; i++) {
        desk_log_begin(&captured);
        look_at(&jobs, desk, KIT_NOW + (int64_t)i * JOBS_EVERY_SEC);
        desk_log_end(&captured);
        assert_says(captured.text, "event=crl error=busy");
        assert_int_equal(desk_number(desk), 0);
    }
    desk_start_ca(desk);
    desk->first_crl = KIT_NOW + 2LL * JOBS_EVERY_SEC;
    look_at(&jobs, desk, desk->first_crl);
    assert_int_equal(desk_number(desk), 1);
}

// ---- requests that nobody approved ----

static struct answer poll_for(struct desk *desk)
{
    struct kit_message message =
        message_of(&desk->bench, &(struct ask){0}, view_of_text("anything"));
    message.message_type.data = "20";
    return send_message(&desk->bench, &message);
}

static uint64_t count_pending(struct desk *desk)
{
    struct store_counts counts;
    assert_int_equal(store_count(desk->bench.store, &counts, NULL), ERR_OK);
    return counts.pending;
}

static void waiting_requests_end(void **state)
{
    struct desk *desk = *state;
    struct jobs jobs = jobs_of(desk);
    desk_settings(desk)->approval.unauthenticated = SETTINGS_UNKNOWN_PENDING;
    const int64_t end = KIT_NOW + (int64_t)desk_settings(desk)->approval.expiry_days * DAY_SEC;
    struct answer queued = send_ask(&desk->bench, &(struct ask){0});
    assert_string_equal(queued.status, "3");
    look_at(&jobs, desk, end - 1);
    assert_int_equal(count_pending(desk), 1);
    struct answer waiting = poll_for(desk);
    assert_string_equal(waiting.status, "3");
    jobs.next = 0;
    look_at(&jobs, desk, end);
    assert_int_equal(count_pending(desk), 0);
    struct answer over = poll_for(desk);
    expect_refusal(&over, &(struct expected_refusal){.fail_info = "badCertId",
                                                     .text = UNKNOWN_POLL,
                                                     .reason = UNKNOWN_POLL});
    answer_done(&queued);
    answer_done(&waiting);
    answer_done(&over);
}

static void count_up(struct write_order *order, enum err_code code, const struct err *err)
{
    (void)err;
    must(code == ERR_OK, "a request that cannot wait");
    _Atomic unsigned *written = order->owner;
    (*written)++;
}

// Request number `i`, which waits until 100 seconds from now.
static struct write_order waiting_order(unsigned i, _Atomic unsigned *written)
{
    static uint8_t csr[] = "a PKCS#10";
    return (struct write_order){
        .kind = WRITE_PENDING_NEW,
        .now = KIT_NOW,
        .max_pending = 2 * MANY_PENDING,
        .max_per_source = 2 * MANY_PENDING,
        .pending = {.key = {(uint8_t)(i >> 8), (uint8_t)i},
                    .reason = PENDING_UNAUTHENTICATED,
                    .created_at = KIT_NOW,
                    .expires_at = KIT_NOW + 100,
                    .source = KIT_SOURCE,
                    .csr = {.data = csr, .len = sizeof csr - 1}},
        .done = count_up,
        .owner = (void *)written,
    };
}

// All at one look: what is over must not keep others from waiting.
static void more_than_one_sweep_can_take(void **state)
{
    struct desk *desk = *state;
    struct jobs jobs = jobs_of(desk);
    static struct write_order orders[MANY_PENDING];
    _Atomic unsigned written = 0;
    for (unsigned i = 0; i < MANY_PENDING; i++) {
        orders[i] = waiting_order(i, &written);
        writer_submit(desk->bench.writer, &orders[i]);
    }
    // The writer keeps the order: when this one is there, all are.
    struct write_order last = waiting_order(0, &written);
    assert_int_equal(writer_submit_and_wait(desk->bench.writer, &last, NULL), ERR_CONFLICT);
    assert_int_equal(written, MANY_PENDING);
    assert_int_equal(count_pending(desk), MANY_PENDING);
    look_at(&jobs, desk, KIT_NOW + 99);
    assert_int_equal(count_pending(desk), MANY_PENDING);
    look_at(&jobs, desk, KIT_NOW + 99 + JOBS_EVERY_SEC);
    assert_int_equal(count_pending(desk), 0);
}

// ---- superseded certificates ----

static enum certificate_status status_of(struct desk *desk, const struct answer *answer)
{
    struct store_certificate stored = stored_of(&desk->bench, answer);
    enum certificate_status status = stored.status;
    store_certificate_done(&stored);
    return status;
}

// Renews phone 0's certificate at the beginning of its window; the clock stays there. The window is
// wide, so that it begins before the RA's own, whose renewal reads the settings again.
static struct answer renew(struct desk *desk, const struct answer *first)
{
    struct store_certificate stored = stored_of(&desk->bench, first);
    desk_settings(desk)->renewal.window_days = WINDOW_DAYS;
    desk_go_to(desk, stored.not_after - WINDOW_DAYS * (int64_t)DAY_SEC);
    store_certificate_done(&stored);
    struct answer second =
        send_ask(&desk->bench, &(struct ask){.transaction_id = "renewal",
                                             .signer = first->cert,
                                             .signer_key = desk->site.phones[0].key,
                                             .key = kit_key(PHONES)});
    assert_string_equal(second.report.decision, "issue");
    return second;
}

static void superseded_certificates_are_revoked(void **state)
{
    struct desk *desk = *state;
    struct jobs jobs = jobs_of(desk);
    desk_settings(desk)->renewal.revoke_superseded_days = SUPERSEDED_SEC / DAY_SEC;
    struct answer first = desk_enrol(desk, 0);
    struct answer second = renew(desk, &first);
    const int64_t renewed_at = desk->bench.now;
    look_at(&jobs, desk, renewed_at + SUPERSEDED_SEC - 1);
    assert_int_equal(status_of(desk, &first), CERTIFICATE_VALID);
    const uint64_t number = desk_number(desk);
    assert_false(desk_lists(desk, first.report.serial));
    jobs.next = 0;
    look_at(&jobs, desk, renewed_at + SUPERSEDED_SEC);
    assert_int_equal(status_of(desk, &first), CERTIFICATE_REVOKED);
    assert_int_equal(status_of(desk, &second), CERTIFICATE_VALID);
    assert_int_equal(desk_number(desk), number + 1);
    assert_true(desk_lists(desk, first.report.serial));
    assert_false(desk_lists(desk, second.report.serial));
    assert_int_equal(desk->reloads, 0);
    struct store_certificate stored = stored_of(&desk->bench, &first);
    assert_int_equal(stored.revocation_reason, REVOCATION_SUPERSEDED);
    assert_int_equal(stored.revoked_at, renewed_at + SUPERSEDED_SEC);
    store_certificate_done(&stored);
    answer_done(&first);
    answer_done(&second);
}

static void not_without_the_setting(void **state)
{
    struct desk *desk = *state;
    struct jobs jobs = jobs_of(desk);
    assert_int_equal(desk_settings(desk)->renewal.revoke_superseded_days, 0);
    struct answer first = desk_enrol(desk, 0);
    struct answer second = renew(desk, &first);
    look_at(&jobs, desk, desk->bench.now + 20LL * DAY_SEC);
    assert_int_equal(desk->reloads, 0);
    assert_int_equal(status_of(desk, &first), CERTIFICATE_VALID);
    assert_false(desk_lists(desk, first.report.serial));
    answer_done(&first);
    answer_done(&second);
}

// The revocation stands; the CRL follows as soon as the CA is back.
static void the_crl_follows_when_the_ca_is_back(void **state)
{
    struct desk *desk = *state;
    struct jobs jobs = jobs_of(desk);
    static struct desk_log captured;
    desk_settings(desk)->renewal.revoke_superseded_days = SUPERSEDED_SEC / DAY_SEC;
    struct answer first = desk_enrol(desk, 0);
    struct answer second = renew(desk, &first);
    look_at(&jobs, desk, desk->bench.now);
    const uint64_t number = desk_number(desk);
    site_stop_ca(&desk->site);
    desk_log_begin(&captured);
    // Before half of the CRL's life.
    desk_settings(desk)->renewal.revoke_superseded_days = 1;
    look_at(&jobs, desk, desk->bench.now + DAY_SEC);
    desk_log_end(&captured);
    assert_int_equal(status_of(desk, &first), CERTIFICATE_REVOKED);
    assert_int_equal(desk_number(desk), number);
    desk_start_ca(desk);
    look_at(&jobs, desk, desk->bench.now + JOBS_EVERY_SEC);
    assert_int_equal(desk_number(desk), number + 1);
    assert_true(desk_lists(desk, first.report.serial));
    answer_done(&first);
    answer_done(&second);
}

// ---- the RA's own certificate ----

static int64_t time_of(const ASN1_TIME *time)
{
    struct tm parts = {0};
    assert_int_equal(ASN1_TIME_to_tm(time, &parts), 1);
    return timegm(&parts);
}

static X509 *present_ra(const struct desk *desk)
{
    return credentials_ra(desk_credentials(desk))->cert;
}

static int64_t due_at(const struct desk *desk)
{
    return time_of(X509_get0_notAfter(present_ra(desk))) - RENEW_SEC;
}

// How many files lie in ra.directory; all of them for nobody else to read.
static unsigned count_ra_files(const struct desk *desk)
{
    unsigned count = 0;
    const char *folder = desk->bench.policy->settings->ra.directory;
    DIR *listing = opendir(folder);
    assert_non_null(listing);
    for (struct dirent *entry = readdir(listing); entry != NULL; entry = readdir(listing)) {
        struct stat status;
        char *path = kit_path(folder, entry->d_name);
        assert_int_equal(stat(path, &status), 0);
        if (S_ISREG(status.st_mode)) {
            assert_int_equal(status.st_mode & 0777, 0600);
            count++;
        }
        free(path);
    }
    closedir(listing);
    return count;
}

static void assert_ra_file(const struct desk *desk, const char *ending)
{
    char serial[2 * LIMIT_NAME_VALUE + 1];
    char name[sizeof serial + 8];
    hex_encode(ossl_string_view(X509_get0_serialNumber(present_ra(desk))), serial);
    snprintf(name, sizeof name, "%s%s", hex_to_upper(serial), ending);
    char *path = kit_path(desk->bench.policy->settings->ra.directory, name);
    assert_int_equal(access(path, F_OK), 0);
    free(path);
}

static void the_ra_renews_itself(void **state)
{
    struct desk *desk = *state;
    struct jobs jobs = jobs_of(desk);
    X509 *old = X509_dup(present_ra(desk));
    const int64_t due = due_at(desk);
    look_at(&jobs, desk, due - 1);
    assert_int_equal(desk->reloads, 0);
    assert_int_equal(count_ra_files(desk), 0);
    jobs.next = 0;
    look_at(&jobs, desk, due);
    assert_int_equal(desk->reloads, 1);
    assert_false(jobs.is_reload_owed);
    assert_int_not_equal(X509_cmp(present_ra(desk), old), 0);
    assert_true(due_at(desk) > due);
    assert_int_equal(count_ra_files(desk), 2);
    assert_ra_file(desk, ".pem");
    assert_ra_file(desk, ".key");
    jobs.next = 0;
    look_at(&jobs, desk, due + 1);
    assert_int_equal(desk->reloads, 1);
    assert_int_equal(count_ra_files(desk), 2);
    // And enrolments go on with it.
    struct answer answer = desk_enrol(desk, 0);
    answer_done(&answer);
    X509_free(old);
}

// What a phone sends that remembers the RA's certificate from before.
static struct answer send_to_old(struct desk *desk, unsigned phone, X509 *old)
{
    const struct ask ask = {.phone = phone, .challenge = STATIC_CHALLENGE};
    struct buf csr = csr_of(&desk->bench, &ask);
    struct kit_message message = message_of(&desk->bench, &ask, buf_view(&csr));
    message.ra = old;
    struct answer answer = send_message(&desk->bench, &message);
    buf_done(&csr);
    return answer;
}

// Without a reload in between: nobody sends a SIGHUP on that day.
static void the_previous_ra_opens_for_a_while(void **state)
{
    struct desk *desk = *state;
    struct jobs jobs = jobs_of(desk);
    X509 *old = X509_dup(present_ra(desk));
    look_at(&jobs, desk, due_at(desk));
    const int64_t end = time_of(X509_get0_notBefore(present_ra(desk))) + PREVIOUS_SEC;
    look_at(&jobs, desk, end - 1);
    struct answer opened = send_to_old(desk, 0, old);
    expect_success(&opened, "issue", "static challenge");
    look_at(&jobs, desk, end);
    struct answer refused = send_to_old(desk, 1, old);
    expect_refusal(&refused, &(struct expected_refusal){
                                 .text = "malformed request",
                                 .reason = "no recipient of the envelope is this server's RA"});
    assert_int_equal(desk->reloads, 1);
    answer_done(&opened);
    answer_done(&refused);
    X509_free(old);
}

// One certificate, however often the settings are found to be broken.
static void a_new_certificate_waits_for_good_settings(void **state)
{
    struct desk *desk = *state;
    struct jobs jobs = jobs_of(desk);
    static struct desk_log captured;
    X509 *old = X509_dup(present_ra(desk));
    const int64_t due = due_at(desk);
    desk->reload_breaks = true;
    for (unsigned i = 0; i < 3; i++) {
        desk_log_begin(&captured);
        look_at(&jobs, desk, due + (int64_t)i * JOBS_EVERY_SEC);
        desk_log_end(&captured);
        assert_says(captured.text, "event=ra_renewal error=config");
        assert_says(captured.text, "not in use yet: broken settings");
        assert_int_equal(desk->reloads, i + 1);
        assert_int_equal(count_ra_files(desk), 2);
        assert_int_equal(X509_cmp(present_ra(desk), old), 0);
    }
    desk->reload_breaks = false;
    look_at(&jobs, desk, due + 3LL * JOBS_EVERY_SEC);
    assert_int_equal(desk->reloads, 4);
    assert_int_equal(count_ra_files(desk), 2);
    assert_ra_file(desk, ".pem");
    look_at(&jobs, desk, due + 4LL * JOBS_EVERY_SEC);
    assert_int_equal(desk->reloads, 4);
    X509_free(old);
}

// The present CA gave a certificate, the next one, which scepd-ca does not know yet, did not.
static void half_a_renewal_is_used(void **state)
{
    struct desk *desk = *state;
    struct jobs jobs = jobs_of(desk);
    static struct desk_log captured;
    X509 *old = X509_dup(present_ra(desk));
    const int64_t due = due_at(desk);
    desk_go_to(desk, due);
    desk_prepare(desk);
    struct policy *policy = NULL;
    assert_int_equal(policy_new(site_settings(desk->site.config), due, &policy, NULL), ERR_OK);
    desk_use(desk, policy);
    desk_log_begin(&captured);
    look_at(&jobs, desk, due);
    desk_log_end(&captured);
    assert_says(captured.text, "event=ra_renewal error=denied");
    assert_int_equal(desk->reloads, 1); // which told scepd-ca, too, and made the rest
    assert_int_not_equal(X509_cmp(present_ra(desk), old), 0);
    assert_non_null(credentials_next_ra(desk_credentials(desk)));
    assert_int_equal(count_ra_files(desk), 4);
    look_at(&jobs, desk, due + JOBS_EVERY_SEC);
    assert_int_equal(desk->reloads, 1);
    assert_int_equal(count_ra_files(desk), 4);
    X509_free(old);
}

static void a_renewal_without_the_ca_is_tried_again(void **state)
{
    struct desk *desk = *state;
    struct jobs jobs = jobs_of(desk);
    static struct desk_log captured;
    const int64_t due = due_at(desk);
    site_stop_ca(&desk->site);
    desk_log_begin(&captured);
    look_at(&jobs, desk, due);
    desk_log_end(&captured);
    assert_says(captured.text, "event=ra_renewal error=busy");
    assert_int_equal(desk->reloads, 0);
    assert_int_equal(count_ra_files(desk), 0);
    desk_start_ca(desk);
    look_at(&jobs, desk, due + JOBS_EVERY_SEC);
    assert_int_equal(desk->reloads, 1);
    assert_int_equal(count_ra_files(desk), 2);
}

// ---- a rollover ----

// The old CA's CRL to its end, by looks alone.
static void an_old_ca_gets_crls_to_its_end(void **state)
{
    struct desk *desk = *state;
    struct jobs jobs = jobs_of(desk);
    struct answer answer = desk_enrol(desk, 0);
    struct store_certificate stored = stored_of(&desk->bench, &answer);
    const int64_t end = stored.not_after + 2 * DESK_CRL_HALF;
    desk_roll_over(desk);
    desk->reloads = 0;
    uint64_t number = 0;
    int64_t now = KIT_NOW;
    for (; now <= end; now += DESK_CRL_HALF) {
        look_at(&jobs, desk, now);
        assert_int_equal(desk_crl_number(desk, desk_generation(desk, GENERATION_OLD)), ++number);
    }
    for (unsigned i = 0; i < 3; i++) {
        look_at(&jobs, desk, now + (int64_t)i * DESK_CRL_HALF);
        assert_int_equal(desk_crl_number(desk, desk_generation(desk, GENERATION_OLD)), number);
    }
    assert_int_equal(desk_number(desk), number + 3);
    store_certificate_done(&stored);
    answer_done(&answer);
}

static int set_up_direct(void **state)
{
    static struct desk desk;
    desk_open_as(&desk, site_init_direct);
    *state = &desk;
    return 0;
}

// The CA answers itself: no RA to renew, CRLs as ever.
static void topology_direct(void **state)
{
    struct desk *desk = *state;
    struct jobs jobs = jobs_of(desk);
    look_at(&jobs, desk, KIT_NOW);
    look_at(&jobs, desk, due_at(desk));
    assert_int_equal(desk_number(desk), 2);
    assert_int_equal(desk->reloads, 0);
}

int main(void)
{
    log_init("test", LOG_LEVEL_ERROR);
    const struct CMUnitTest tests[] = {
        DESK_TEST(the_first_look_is_at_once_the_next_a_minute_later),
        DESK_TEST(a_look_can_be_asked_for),
        DESK_TEST(a_clock_set_back_does_not_stop_them),
        DESK_TEST(a_ca_that_is_away_is_logged_and_asked_again),
        DESK_TEST(waiting_requests_end),
        DESK_TEST(more_than_one_sweep_can_take),
        DESK_TEST(superseded_certificates_are_revoked),
        DESK_TEST(not_without_the_setting),
        DESK_TEST(the_crl_follows_when_the_ca_is_back),
        DESK_TEST(the_ra_renews_itself),
        DESK_TEST(the_previous_ra_opens_for_a_while),
        DESK_TEST(a_new_certificate_waits_for_good_settings),
        DESK_TEST(half_a_renewal_is_used),
        DESK_TEST(a_renewal_without_the_ca_is_tried_again),
        DESK_TEST(an_old_ca_gets_crls_to_its_end),
        cmocka_unit_test_setup_teardown(topology_direct, set_up_direct, desk_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
