// SPDX-License-Identifier: Apache-2.0
// What a daemon reads at its start and on SIGHUP, and what it adds to a policy with the CA's help.
#include "server/reload.h"

#include "server/desk_kit.h"

#include <dirent.h>

#include <openssl/provider.h>

#define RENEW_SEC (60LL * DAY_SEC) // ra.renew_days

// ---- reload_complete() ----

static struct policy *policy_at(struct desk *desk)
{
    struct err err = {0};
    struct settings *settings = NULL;
    struct policy *policy = NULL;
    if (reload_settings(desk->site.config, true, &settings, &err) != ERR_OK ||
        reload_policy(settings, desk->bench.now, &policy, &err) != ERR_OK) {
        fail_msg("%s", err.text);
    }
    return policy;
}

static void complete(struct desk *desk, struct policy **policy)
{
    struct err err = {0};
    if (reload_complete(desk->site.config, desk->bench.ca, desk->bench.now, policy, &err) !=
        ERR_OK) {
        fail_msg("%s", err.text);
    }
}

// The same, with what it logs in `captured`.
static void complete_logging(struct desk *desk, struct policy **policy, struct desk_log *captured)
{
    desk_log_begin(captured);
    enum err_code code =
        reload_complete(desk->site.config, desk->bench.ca, desk->bench.now, policy, NULL);
    desk_log_end(captured);
    assert_int_equal(code, ERR_OK);
}

static bool has_capability(const struct policy *policy, const char *name)
{
    return strstr(policy->capabilities, name) != NULL;
}

static int64_t ra_due_at(const struct desk *desk)
{
    struct tm parts = {0};
    const X509 *ra = credentials_ra(desk_credentials(desk))->cert;
    assert_int_equal(ASN1_TIME_to_tm(X509_get0_notAfter(ra), &parts), 1);
    return timegm(&parts) - RENEW_SEC;
}

static void nothing_to_add(void **state)
{
    struct desk *desk = *state;
    struct policy *policy = policy_at(desk);
    const struct policy *before = policy;
    site_stop_ca(&desk->site); // nobody is asked
    complete(desk, &policy);
    site_start_ca(&desk->site, desk_ca_clock);
    assert_ptr_equal(policy, before);
    assert_int_equal(policy->next_ca.len, 0);
    assert_false(has_capability(policy, "GetNextCACert"));
    policy_unref(policy);
}

static void an_ra_that_ends_soon_is_replaced(void **state)
{
    struct desk *desk = *state;
    desk_go_to(desk, ra_due_at(desk) - 1);
    struct policy *policy = policy_at(desk);
    complete(desk, &policy);
    assert_int_equal(policy->credentials->recipient_count, 1);
    desk_go_to(desk, desk->bench.now + 1);
    complete(desk, &policy);
    assert_int_equal(policy->credentials->recipient_count, 2);
    const X509 *old = credentials_ra(desk_credentials(desk))->cert;
    assert_int_not_equal(X509_cmp(credentials_ra(policy->credentials)->cert, old), 0);
    assert_int_equal(X509_cmp(policy->credentials->recipients[1].cert, old), 0);
    policy_unref(policy);
}

// SignedData by the present CA; test_next_ca and its colleagues look at what is in it.
static void assert_next_ca_signed(const struct policy *policy)
{
    const unsigned char *end = policy->next_ca.data;
    CMS_ContentInfo *info = d2i_CMS_ContentInfo(NULL, &end, (long)policy->next_ca.len);
    assert_non_null(info);
    assert_ptr_equal(end, policy->next_ca.data + policy->next_ca.len);
    STACK_OF(X509) *signers = sk_X509_new_null();
    sk_X509_push(signers, credentials_issuing(policy->credentials)->cert);
    assert_int_equal(CMS_verify(info, signers, NULL, NULL, NULL,
                                CMS_NO_SIGNER_CERT_VERIFY | CMS_NOINTERN | CMS_BINARY),
                     1);
    sk_X509_free(signers);
    CMS_ContentInfo_free(info);
}

static void assert_announced(const struct policy *policy)
{
    assert_true(policy->next_ca.len > 0);
    assert_true(has_capability(policy, "GetNextCACert"));
    assert_next_ca_signed(policy);
}

static void the_next_ca_gets_an_ra_and_is_announced(void **state)
{
    struct desk *desk = *state;
    desk_prepare(desk);
    desk_reload_ca(desk);
    struct policy *policy = policy_at(desk);
    assert_null(credentials_next_ra(policy->credentials));
    complete(desk, &policy);
    assert_non_null(credentials_next_ra(policy->credentials));
    assert_announced(policy);
    policy_unref(policy);
    // The next time there is nothing to make, and the answer is there again.
    policy = policy_at(desk);
    const struct policy *before = policy;
    complete(desk, &policy);
    assert_ptr_equal(policy, before);
    assert_announced(policy);
    policy_unref(policy);
}

static void after_the_switch_nothing_is_announced(void **state)
{
    struct desk *desk = *state;
    desk_roll_over(desk);
    struct policy *policy = policy_at(desk);
    complete(desk, &policy);
    assert_int_equal(policy->next_ca.len, 0);
    assert_false(has_capability(policy, "GetNextCACert"));
    policy_unref(policy);
}

// What cannot be had is left out, and said; scepd starts nevertheless.
static void without_the_ca(void **state)
{
    struct desk *desk = *state;
    static struct desk_log captured;
    desk_prepare(desk);
    struct policy *policy = policy_at(desk);
    const struct policy *before = policy;
    site_stop_ca(&desk->site);
    complete_logging(desk, &policy, &captured);
    site_start_ca(&desk->site, desk_ca_clock);
    assert_ptr_equal(policy, before);
    assert_says(captured.text, "event=ra_renewal error=busy");
    assert_says(captured.text, "event=next_ca error=not_found");
    assert_says(captured.text, "GetNextCACert cannot be answered: the next CA has no RA yet");
    assert_int_equal(policy->next_ca.len, 0);
    assert_false(has_capability(policy, "GetNextCACert"));
    // It is back at the next reload.
    complete(desk, &policy);
    assert_announced(policy);
    policy_unref(policy);
}

// scepd-ca was not told of the next CA.
static void a_ca_that_says_no(void **state)
{
    struct desk *desk = *state;
    static struct desk_log captured;
    desk_prepare(desk);
    struct policy *policy = policy_at(desk);
    complete_logging(desk, &policy, &captured);
    assert_says(captured.text, "event=ra_renewal error=denied");
    assert_int_equal(policy->next_ca.len, 0);
    policy_unref(policy);
    // It knows of it, makes the RA, and has forgotten it when it comes to the answer.
    desk_reload_ca(desk);
    policy = policy_at(desk);
    complete(desk, &policy);
    assert_announced(policy);
    policy_unref(policy);
    policy = policy_at(desk);
    struct rollover_result result = {0};
    assert_int_equal(rollover_cancel(desk_settings(desk), &result, NULL), ERR_OK);
    rollover_done(&result);
    desk_reload_ca(desk);
    complete_logging(desk, &policy, &captured);
    assert_says(captured.text, "event=next_ca error=not_found");
    assert_int_equal(policy->next_ca.len, 0);
    policy_unref(policy);
}

static unsigned count_files(const char *folder)
{
    unsigned count = 0;
    DIR *listing = opendir(folder);
    assert_non_null(listing);
    for (struct dirent *entry = readdir(listing); entry != NULL; entry = readdir(listing)) {
        count += entry->d_name[0] != '.' ? 1 : 0;
    }
    closedir(listing);
    return count;
}

// The file breaks between the two readings: the old policy goes on, the new certificate stays.
static void settings_that_break_meanwhile(void **state)
{
    struct desk *desk = *state;
    static struct desk_log captured;
    struct err err = {0};
    desk_go_to(desk, ra_due_at(desk));
    struct policy *policy = policy_at(desk);
    const struct policy *before = policy;
    site_configure(&desk->site, "\nnonsense = 1;\n");
    desk_log_begin(&captured);
    enum err_code code =
        reload_complete(desk->site.config, desk->bench.ca, desk->bench.now, &policy, &err);
    desk_log_end(&captured);
    assert_int_equal(code, ERR_CONFIG);
    assert_int_equal(err.code, ERR_CONFIG);
    assert_says(captured.text, "event=settings_problem");
    assert_says(captured.text, "nonsense");
    assert_ptr_equal(policy, before);
    assert_int_equal(count_files(policy->settings->ra.directory), 2);
    policy_unref(policy);
}

static int set_up_direct(void **state)
{
    static struct desk desk;
    desk_open_as(&desk, site_init_direct);
    *state = &desk;
    return 0;
}

static void prepare_direct(struct desk *desk)
{
    struct err err = {0};
    struct rollover_result result = {0};
    const struct rollover_order order = {.settings = desk_settings(desk), .now = desk->bench.now};
    if (rollover_prepare(&order, &result, &err) != ERR_OK) {
        fail_msg("prepare: %s", err.text);
    }
    rollover_done(&result);
}

// No RA is needed.
static void the_next_ca_of_topology_direct(void **state)
{
    struct desk *desk = *state;
    prepare_direct(desk);
    desk_reload_ca(desk);
    struct policy *policy = policy_at(desk);
    const struct policy *before = policy;
    complete(desk, &policy);
    assert_ptr_equal(policy, before);
    assert_announced(policy);
    policy_unref(policy);
}

// ---- reading ----

static void whatever_is_wrong_is_a_setting(void **state)
{
    struct desk *desk = *state;
    struct err err = {0};
    struct settings *settings = NULL;
    struct policy *policy = NULL;
    static struct desk_log captured;
    assert_int_equal(reload_settings("/nonexistent/scepd.conf", true, &settings, &err), ERR_CONFIG);
    assert_int_equal(err.code, ERR_CONFIG);
    assert_says(err.text, "/nonexistent/scepd.conf");
    assert_null(settings);
    // A file that the settings name, gone after they were checked.
    assert_int_equal(reload_settings(desk->site.config, true, &settings, &err), ERR_OK);
    char *key = kit_path(desk->site.directory, "challenge.key");
    assert_int_equal(unlink(key), 0);
    assert_int_equal(reload_policy(settings, KIT_NOW, &policy, &err), ERR_CONFIG);
    assert_int_equal(err.code, ERR_CONFIG);
    assert_says(err.text, "challenge.key");
    assert_null(policy);
    // Each problem is a line; on standard error without the log's form.
    for (unsigned to_log = 0; to_log < 2; to_log++) {
        desk_log_begin(&captured);
        settings = NULL;
        enum err_code code = reload_settings(desk->site.config, to_log == 1, &settings, &err);
        desk_log_end(&captured);
        assert_int_equal(code, ERR_CONFIG);
        assert_null(settings);
        assert_says(captured.text, "challenge.key");
        assert_int_equal(strstr(captured.text, "event=settings_problem") != NULL, to_log == 1);
    }
    free(key);
}

// ---- warnings ----

static unsigned count_lines(const char *text, const char *part)
{
    unsigned count = 0;
    for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part)) {
        count++;
    }
    return count;
}

static void each_weak_setting_is_told(void **state)
{
    struct desk *desk = *state;
    static struct desk_log captured;
    struct settings *settings = desk_settings(desk);
    log_set_level(LOG_LEVEL_WARNING);
    for (unsigned i = 0; i < 2; i++) {
        desk_log_begin(&captured);
        reload_warn(desk->bench.policy);
        desk_log_end(&captured);
        assert_int_equal(count_lines(captured.text, "event=weak_setting"), i == 0 ? 2 : 6);
        assert_int_equal(count_lines(captured.text, "challenge.static_file is set"), 1);
        settings->algorithms.legacy = true;
        settings->algorithms.sha1 = true;
        settings->mic_count = 2;
        settings->mic[0] = (struct settings_mic_store){
            .name = "old", .accept_sha1 = true, .min_rsa_bits = LIMIT_RSA_BITS_MIN - 1};
        settings->mic[1] =
            (struct settings_mic_store){.name = "good", .min_rsa_bits = LIMIT_RSA_BITS_MIN};
    }
    log_set_level(LOG_LEVEL_ERROR);
    settings->mic_count = 0;
    memset(settings->mic, 0, sizeof settings->mic); // the names are not the settings' own
    assert_says(captured.text, "algorithms.legacy is on");
    assert_says(captured.text, "algorithms.sha1 is on");
    assert_int_equal(count_lines(captured.text, "mic \\\"old\\\""), 2);
    assert_int_equal(count_lines(captured.text, "mic \\\"good\\\""), 0);
}

// One of the two is enough for those who check.
static void certificates_that_cannot_be_checked_are_told(void **state)
{
    struct desk *desk = *state;
    static struct desk_log captured;
    struct settings *settings = desk_settings(desk);
    static const struct {
        const char *crl_url;
        const char *ocsp_url;
        const char *ca_url;
        unsigned count;
    } rows[] = {{NULL, NULL, NULL, 1},
                {NULL, NULL, "http://a/ca", 1},
                {"http://a/crl", NULL, NULL, 0},
                {NULL, "http://a/ocsp", NULL, 0}};
    log_set_level(LOG_LEVEL_WARNING);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        settings->phone.crl_url = rows[i].crl_url;
        settings->phone.ocsp_url = rows[i].ocsp_url;
        settings->phone.ca_url = rows[i].ca_url;
        desk_log_begin(&captured);
        reload_warn(desk->bench.policy);
        desk_log_end(&captured);
        assert_int_equal(count_lines(captured.text, "neither phone.crl_url nor phone.ocsp_url"),
                         rows[i].count);
    }
    log_set_level(LOG_LEVEL_ERROR);
    // They are not the settings' own.
    settings->phone.crl_url = NULL;
    settings->phone.ocsp_url = NULL;
    settings->phone.ca_url = NULL;
}

static void what_takes_a_restart_is_told(void **state)
{
    struct desk *desk = *state;
    static struct desk_log captured;
    struct settings *old = site_settings(desk->site.config);
    struct settings *new = site_settings(desk->site.config);
    log_set_level(LOG_LEVEL_WARNING);
    assert_int_equal(reload_warn_of_restart(old, new), 0);
    new->http.queue = old->http.queue + 1;
    new->ca.crl_hours = old->ca.crl_hours + 1; // counts at once
    free((void *)new->admin.socket);
    new->admin.socket = strdup("/elsewhere/admin.sock");
    const char *program = new->ca.program;
    new->ca.program = "/elsewhere/scepd-ca"; // was not set
    desk_log_begin(&captured);
    unsigned count = reload_warn_of_restart(old, new);
    desk_log_end(&captured);
    log_set_level(LOG_LEVEL_ERROR);
    new->ca.program = program;
    assert_int_equal(count, 3);
    assert_int_equal(count_lines(captured.text, "event=restart_needed"), 3);
    assert_says(captured.text, "http.queue has changed");
    assert_says(captured.text, "admin.socket has changed");
    assert_says(captured.text, "ca.program has changed");
    settings_free(old);
    settings_free(new);
}

static void the_legacy_provider_comes_when_it_is_wanted(void **state)
{
    struct desk *desk = *state;
    struct settings *settings = desk_settings(desk);
    assert_int_equal(OSSL_PROVIDER_available(NULL, "legacy"), 0);
    assert_int_equal(reload_providers(settings, NULL), ERR_OK);
    assert_int_equal(OSSL_PROVIDER_available(NULL, "legacy"), 0);
    settings->algorithms.legacy = true;
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(reload_providers(settings, NULL), ERR_OK);
        assert_int_equal(OSSL_PROVIDER_available(NULL, "legacy"), 1);
        assert_int_equal(OSSL_PROVIDER_available(NULL, "default"), 1);
    }
    settings->algorithms.legacy = false;
    assert_int_equal(reload_providers(settings, NULL), ERR_OK); // it stays
    assert_int_equal(OSSL_PROVIDER_available(NULL, "legacy"), 1);
}

int main(void)
{
    log_init("test", LOG_LEVEL_ERROR);
    const struct CMUnitTest tests[] = {
        DESK_TEST(nothing_to_add),
        DESK_TEST(an_ra_that_ends_soon_is_replaced),
        DESK_TEST(the_next_ca_gets_an_ra_and_is_announced),
        DESK_TEST(after_the_switch_nothing_is_announced),
        DESK_TEST(without_the_ca),
        DESK_TEST(a_ca_that_says_no),
        DESK_TEST(settings_that_break_meanwhile),
        cmocka_unit_test_setup_teardown(the_next_ca_of_topology_direct, set_up_direct,
                                        desk_tear_down),
        DESK_TEST(whatever_is_wrong_is_a_setting),
        DESK_TEST(each_weak_setting_is_told),
        DESK_TEST(certificates_that_cannot_be_checked_are_told),
        DESK_TEST(what_takes_a_restart_is_told),
        DESK_TEST(the_legacy_provider_comes_when_it_is_wanted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
