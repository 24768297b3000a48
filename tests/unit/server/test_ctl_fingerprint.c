// SPDX-License-Identifier: Apache-2.0
// scepctl fingerprint: every form that phones take (row 3), of scepd's root and of files.
#include "ctl_fixture.h"

#include <jansson.h>

#include "server/ctl/api.h"
#include "server/phone/pin.h"

#define FIELD_LEN 512 // bytes of a subject

static json_t *fingerprints(struct outcome *outcome)
{
    assert_int_equal(outcome->code, CTL_OK);
    json_t *answer = json_loads(outcome->out, 0, NULL);
    json_t *list = json_incref(json_object_get(answer, "fingerprints"));
    json_decref(answer);
    outcome_done(outcome);
    return list;
}

// Each form is another one, is read as the same fingerprint, and has at most 95 characters.
static void check_forms(const json_t *list, size_t count, const X509 *root)
{
    size_t i;
    const json_t *form;
    CLEANUP(api_decref) json_t *seen = json_object();
    const json_t *forms = json_object_get(list, "forms");
    assert_int_equal(json_array_size(forms), count);
    json_array_foreach(forms, i, form)
    {
        struct pin pin;
        const char *text = json_string_value(json_object_get(form, "text"));
        assert_true(strlen(text) <= 95);
        assert_null(json_object_get(seen, text));
        json_object_set_new(seen, text, json_true());
        assert_int_equal(pin_parse(text, &pin, NULL), ERR_OK);
        assert_true(pin_matches(&pin, root));
        assert_string_equal(pin_digest_name(&pin),
                            json_string_value(json_object_get(list, "hash")));
    }
}

static void forms_of_scepd(void **state)
{
    struct fixture *fixture = *state;
    struct policy *policy = live_policy_get(fixture->live.policy);
    const X509 *root = credentials_root(policy->credentials);
    struct outcome outcome = run(fixture, (const char *[]){"--json", "fingerprint", NULL});
    json_t *list = fingerprints(&outcome);
    assert_int_equal(json_array_size(list), 2);
    check_forms(json_array_get(list, 0), 1 + 4 * 5, root); // SHA-256
    check_forms(json_array_get(list, 1), 1 + 4 * 3, root); // SHA-1
    json_decref(list);
    policy_unref(policy);
}

// Whose root it is, and the form for each place.
static void as_places_want_it(void **state)
{
    struct fixture *fixture = *state;
    char bare[PIN_TEXT_LEN];
    char subject[FIELD_LEN];
    char row[2 * FIELD_LEN];
    struct policy *policy = live_policy_get(fixture->live.policy);
    const X509 *root = credentials_root(policy->credentials);
    struct outcome outcome = succeed(fixture, (const char *[]){"fingerprint", NULL});
    ossl_name_print(X509_get_subject_name(root), subject, sizeof subject);
    snprintf(row, sizeof row, "Root:  %s\n\nHASH     PLACE ", subject);
    assert_memory_equal(outcome.out, row, strlen(row));
    struct pin pin = {.len = SHA256_LEN};
    pin_format_cert(&pin, root, bare);
    snprintf(row, sizeof row, "\nSHA-256  cfg.xml: CDC_Root_CA_Fingerprint_1_   %s\n", bare);
    assert_contains(outcome.out, row);
    snprintf(row, sizeof row, "\nSHA-256  DHCP option 43: suboption 12          %s\n", bare);
    assert_contains(outcome.out, row);
    snprintf(row, sizeof row,
             "\nSHA-256  Unified CM: WLAN Root CA Fingerprint  %.2s:%.2s:%.2s:", bare, bare + 2,
             bare + 4);
    assert_contains(outcome.out, row);
    assert_contains(outcome.out, "\nSHA-1    cfg.xml: CDC_Root_CA_Fingerprint_1_   ");
    assert_contains(outcome.out, "scepctl fingerprint --all\n");
    outcome_done(&outcome);
    // Only option 43 has room for the longer ones.
    outcome = succeed(fixture, (const char *[]){"fingerprint", "--hash=sha512", NULL});
    assert_contains(outcome.out, "\nSHA-512  DHCP option 43: suboption 12  ");
    assert_null(strstr(outcome.out, "cfg.xml"));
    assert_null(strstr(outcome.out, "Unified CM"));
    outcome_done(&outcome);
    policy_unref(policy);
}

static void as_tables(void **state)
{
    struct outcome outcome = succeed(*state, (const char *[]){"fingerprint", "--all", NULL});
    assert_memory_equal(outcome.out, "Root:  ", 7);
    assert_contains(outcome.out, "\n\nSEPARATOR  AFTER EACH  SHA-256\nnone       -           ");
    assert_contains(outcome.out, "\ncolon      2           ");
    assert_contains(outcome.out, "\nspace      32          ");
    assert_contains(outcome.out, "\n\nSEPARATOR  AFTER EACH  SHA-1\n");
    outcome_done(&outcome);
}

static void of_files(void **state)
{
    struct fixture *fixture = *state;
    char *root = kit_path(fixture->folder, "root.pem");
    struct outcome outcome =
        ctl_kit_run((const char *const[]){"--json", "fingerprint", root, "--hash", "sha512", NULL});
    json_t *list = fingerprints(&outcome);
    assert_int_equal(json_array_size(list), 1);
    assert_string_equal(json_string_value(json_object_get(json_array_get(list, 0), "hash")),
                        "SHA-512");
    json_decref(list);
    free(root);
}

// In a file with a chain, the root is the one that issued itself.
static void of_chains(void **state)
{
    (void)state;
    char *folder = kit_new_folder();
    X509 *root = kit_cert(kit_key(0), "root", NULL, NULL, true, KIT_NOW, 10);
    X509 *ca = kit_cert(kit_key(1), "ca", root, kit_key(0), true, KIT_NOW, 10);
    X509 *second = kit_cert(kit_key(2), "second", NULL, NULL, true, KIT_NOW, 10);
    struct buf chain = kit_cert_pem(ca);
    struct buf pem = kit_cert_pem(root);
    assert_int_equal(buf_append(&chain, buf_view(&pem), NULL), ERR_OK);
    char *path = kit_write(folder, "chain.pem", buf_view(&chain));
    struct outcome outcome =
        ctl_kit_run((const char *const[]){"--json", "fingerprint", path, NULL});
    json_t *list = fingerprints(&outcome);
    check_forms(json_array_get(list, 0), 1 + 4 * 5, root);
    json_decref(list);
    free(path);

    struct buf other = kit_cert_pem(second);
    assert_int_equal(buf_append(&chain, buf_view(&other), NULL), ERR_OK);
    path = kit_write(folder, "two.pem", buf_view(&chain));
    outcome = ctl_kit_run((const char *const[]){"fingerprint", path, NULL});
    assert_int_equal(outcome.code, CTL_USAGE);
    assert_contains(outcome.errors, "has 3 certificates and not exactly one root among them");
    outcome_done(&outcome);
    free(path);

    buf_done(&other);
    buf_done(&pem);
    buf_done(&chain);
    X509_free(second);
    X509_free(ca);
    X509_free(root);
    kit_remove_folder(folder);
}

static void refusals(void **state)
{
    (void)state;
    static const struct {
        const char *words[4];
        const char *errors;
    } rows[] = {
        {{"fingerprint", "/nonexistent", NULL}, "/nonexistent"},
        {{"fingerprint", "/dev/null", NULL},
         "/dev/null: no certificate in it; allowed are PEM and DER"},
        {{"fingerprint", "/etc/passwd", NULL},
         "/etc/passwd: neither PEM nor DER, which are allowed: "},
        {{"fingerprint", "--hash=md5", NULL}, "--hash \"md5\" is unknown; allowed are sha256"},
        {{"fingerprint", "", NULL}, "fingerprint needs FILE"},
        {{"-c", "/nonexistent/scepd.conf", "fingerprint", NULL}, "/nonexistent/scepd.conf"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct outcome outcome = ctl_kit_run(rows[i].words);
        assert_contains(outcome.errors, rows[i].errors);
        assert_int_equal(outcome.code, CTL_USAGE);
        assert_string_equal(outcome.out, "");
        outcome_done(&outcome);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(forms_of_scepd, fixture_set_up, fixture_tear_down),
        cmocka_unit_test_setup_teardown(as_places_want_it, fixture_set_up, fixture_tear_down),
        cmocka_unit_test_setup_teardown(as_tables, fixture_set_up, fixture_tear_down),
        cmocka_unit_test_setup_teardown(of_files, fixture_set_up, fixture_tear_down),
        cmocka_unit_test(of_chains),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
