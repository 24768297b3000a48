// SPDX-License-Identifier: Apache-2.0
// What a policy is loaded from, file by file, and its references. The sanitizers see whether a
// failure leaves something behind.
#include "ra/policy.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/site_kit.h"

#define STATIC_CHALLENGE "static-secret"
#define THREADS          8
#define ROUNDS           1000
#define CENTURY_SEC      (100LL * 365 * 24 * 3600)

static struct {
    char *folder;
    char *ca; // where init_files() put everything
    char *config;
    char *static_file;
} site;

static int set_up(void **state)
{
    (void)state;
    site.folder = kit_new_folder();
    site.ca = kit_path(site.folder, "ca");
    site.config = kit_path(site.ca, INIT_CONFIG);
    site.static_file = kit_write(site.folder, "static", view_of_text(STATIC_CHALLENGE "\n"));
    site_init(site.ca, site.static_file);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(site.static_file);
    free(site.config);
    free(site.ca);
    kit_remove_folder(site.folder);
    return 0;
}

static int ra_issued_by(const struct policy *policy)
{
    X509 *issuing = credentials_issuing(policy->credentials)->cert;
    return X509_verify(credentials_ra(policy->credentials)->cert, X509_get0_pubkey(issuing));
}

static void loads_everything(void **state)
{
    (void)state;
    struct err err = {0};
    char capabilities[CAPABILITIES_LEN];
    struct policy *policy = site_policy(site.config);
    const struct recipient *ra = credentials_ra(policy->credentials);
    assert_int_equal(X509_check_private_key(ra->cert, ra->key), 1);
    assert_int_equal(ra_issued_by(policy), 1);
    assert_non_null(credentials_root(policy->credentials));
    assert_true(policy->secrets.has_static);
    assert_true(policy->secrets.key.len >= CHALLENGE_KEY_LEN_MIN);
    assert_non_null(policy->trust);
    assert_int_equal(policy->next_ca.len, 0);
    assert_string_equal(policy->capabilities,
                        credentials_get_ca_caps(policy->settings, false, capabilities));
    // The decoy goes all the way that a real request goes.
    struct pkcs10 decoy = {0};
    assert_int_equal(pkcs10_parse(buf_view(&policy->decoy), &decoy, &err), ERR_OK);
    assert_true(decoy.has_challenge);
    assert_int_equal(pkcs10_verify(&decoy, false, false, &err), ERR_OK);
    pkcs10_done(&decoy);
    policy_unref(policy);
}

// The settings of the site with one of its files gone (NULL) or with something else in it.
struct bad_file {
    const char *(*path)(const struct settings *settings);
    const char *content;
    mode_t mode;
    enum err_code code;
    const char *text; // somewhere in the error
};

static const char *ra_key(const struct settings *settings)
{
    return settings->ra.key;
}

static const char *ra_certificate(const struct settings *settings)
{
    return settings->ra.certificate;
}

static const char *ca_certificate(const struct settings *settings)
{
    return settings->ca.certificate;
}

static const char *ca_root(const struct settings *settings)
{
    return settings->ca.root;
}

static const char *challenge_key(const struct settings *settings)
{
    return settings->challenge.key_file;
}

static const char *static_challenge(const struct settings *settings)
{
    return settings->challenge.static_file;
}

static void fail_to_load(int64_t now, enum err_code code, const char *text)
{
    struct err err = {0};
    struct policy *policy = NULL;
    assert_int_equal(policy_new(site_settings(site.config), now, &policy, &err), code);
    assert_int_equal(err.code, code);
    assert_null(policy);
    if (strstr(err.text, text) == NULL) {
        fail_msg("\"%s\" is not in \"%s\"", text, err.text);
    }
}

static void with_bad_file(const struct bad_file *test)
{
    struct settings *settings = site_settings(site.config);
    const char *path = test->path(settings);
    char *aside = kit_path(site.folder, "aside");
    assert_int_equal(rename(path, aside), 0);
    if (test->content != NULL) {
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        fputs(test->content, file);
        assert_int_equal(fclose(file), 0);
        assert_int_equal(chmod(path, test->mode), 0);
    }
    fail_to_load(KIT_NOW, test->code, test->text);
    assert_int_equal(rename(aside, path), 0);
    free(aside);
    settings_free(settings);
}

static void refuses_bad_files(void **state)
{
    (void)state;
    static const char long_key[] = "0123456789abcdef0123456789abcdef";
    static const struct bad_file tests[] = {
        {ra_key, NULL, 0, ERR_CONFIG, "ra.key"},
        {ra_key, "garbage", 0600, ERR_CONFIG, "ra.key"},
        {ra_certificate, NULL, 0, ERR_NOT_FOUND, "ra"},
        {ra_certificate, "garbage", 0600, ERR_CONFIG, "not a DER certificate"},
        {ca_certificate, NULL, 0, ERR_NOT_FOUND, INIT_CA_CERTIFICATE},
        {ca_certificate, "", 0600, ERR_CONFIG, INIT_CA_CERTIFICATE},
        {ca_root, NULL, 0, ERR_NOT_FOUND, INIT_ROOT_CERTIFICATE},
        {challenge_key, NULL, 0, ERR_NOT_FOUND, "challenge.key_file"},
        {challenge_key, "short", 0600, ERR_CONFIG, "at least 32 are needed"},
        {challenge_key, long_key, 0644, ERR_CONFIG, "has mode 0644"},
        {static_challenge, NULL, 0, ERR_NOT_FOUND, "challenge.static_file"},
        {static_challenge, "short\n", 0600, ERR_CONFIG, "at least 8 are needed"},
        {static_challenge, "long enough\n", 0640, ERR_CONFIG, "has mode 0640"},
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        with_bad_file(&tests[i]);
    }
    policy_unref(site_policy(site.config)); // everything is back in its place
}

static void refuses_expired_certificates(void **state)
{
    (void)state;
    fail_to_load(KIT_NOW + CENTURY_SEC, ERR_CONFIG, "expired");
    fail_to_load(KIT_NOW - CENTURY_SEC / 2, ERR_CONFIG, "not yet valid");
}

// C9: the capability comes and goes with the answer.
static void next_ca_is_told_c9(void **state)
{
    (void)state;
    struct policy *policy = site_policy(site.config);
    struct buf answer = {0};
    assert_null(strstr(policy->capabilities, "GetNextCACert"));
    assert_int_equal(buf_copy(view_of_text("bundle"), &answer, NULL), ERR_OK);
    policy_set_next_ca(policy, &answer);
    assert_null(answer.data); // taken
    assert_true(view_is_text(buf_view(&policy->next_ca), "bundle"));
    assert_non_null(strstr(policy->capabilities, "\nGetNextCACert\n"));
    assert_int_equal(buf_copy(view_of_text("another"), &answer, NULL), ERR_OK);
    policy_set_next_ca(policy, &answer);
    assert_true(view_is_text(buf_view(&policy->next_ca), "another"));
    policy_set_next_ca(policy, &answer); // empty
    assert_int_equal(policy->next_ca.len, 0);
    assert_null(strstr(policy->capabilities, "GetNextCACert"));
    policy_unref(policy);
}

// The trust stores are loaded with everything else, and what is wrong with one is told.
static void refuses_bad_trust_stores(void **state)
{
    (void)state;
    struct err err = {0};
    struct policy *policy = NULL;
    struct settings *settings = site_settings(site.config);
    settings->mic[0].name = strdup("cisco");
    settings->mic[0].roots.list[0] = strdup("/nowhere/mic-root.pem");
    settings->mic[0].roots.count = 1;
    settings->mic_count = 1;
    assert_int_equal(policy_new(settings, KIT_NOW, &policy, &err), ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "mic-root.pem"));
    assert_null(policy);
}

static void counts_references(void **state)
{
    (void)state;
    struct policy *policy = site_policy(site.config);
    assert_ptr_equal(policy_ref(policy), policy);
    policy_unref(policy);
    assert_true(policy->secrets.has_static); // still there
    policy_unref(policy);
    policy_unref(NULL);
}

// Each thread owns the reference it was given, as a job does.
static void *take_and_give(void *context)
{
    struct policy *policy = context;
    for (unsigned i = 0; i < ROUNDS; i++) {
        policy_unref(policy_ref(policy));
    }
    policy_unref(policy);
    return NULL;
}

static void counts_references_of_threads(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    struct policy *policy = site_policy(site.config);
    for (unsigned i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, take_and_give, policy_ref(policy)), 0);
    }
    policy_unref(policy); // the last thread frees
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loads_everything),
        cmocka_unit_test(refuses_bad_files),
        cmocka_unit_test(refuses_expired_certificates),
        cmocka_unit_test(next_ca_is_told_c9),
        cmocka_unit_test(refuses_bad_trust_stores),
        cmocka_unit_test(counts_references),
        cmocka_unit_test(counts_references_of_threads),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
