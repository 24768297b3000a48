// SPDX-License-Identifier: Apache-2.0
// scepctl phone try: wrong command lines, and how findings are printed whatever a server put there.
#include "server/ctl_kit.h"

#include <jansson.h>
#include <sys/stat.h>

#include "server/ctl/folder.h"
#include "server/ctl/phone/phone_report.h"

#define PINNED "12040870625C5B755D73F5925285F8F5FF5D55AF"

static void test_command_lines(void **state)
{
    (void)state;
    static const struct {
        const char *words[10];
        const char *said;
    } rows[] = {
        {{"phone", "try", NULL}, "needs URL"},
        {{"phone", "try", "http://a", NULL}, "phone try needs --fingerprint"},
        {{"phone", "try", "http://a", "--fingerprint", "12", NULL}, "2 hexadecimal digits"},
        {{"phone", "try", "http://a", "--fingerprint", "/nowhere/root.pem", NULL},
         "a file of the name \"/nowhere/root.pem\" is not there either"},
        {{"phone", "try", "http://a", "--fingerprint", "/etc/passwd", NULL},
         "/etc/passwd: neither PEM nor DER, which are allowed"},
        {{"phone", "try", "http://a", "--fingerprint", "SHA1 Fingerprint=12", NULL},
         "2 hexadecimal digits"},
        {{"phone", "try", "http://a/?x=1", "--fingerprint", PINNED, NULL}, "has a query"},
        {{"phone", "try", "a b", "--fingerprint", PINNED, NULL}, "neither an address nor a URL"},
        {{"phone", "try", "http://a", "--fingerprint", PINNED, "--out", "/nowhere", NULL},
         "--out keeps a certificate"},
        {{"phone", "try", "http://a", "--fingerprint", PINNED, "--challenge", "", NULL},
         "--challenge has 0 octets; allowed are 1 to 255"},
        {{"phone", "try", "http://a", "--fingerprint", PINNED, "--challenge-file", "/nowhere",
          NULL},
         "--challenge-file: cannot open /nowhere"},
        {{"phone", "try", "http://a", "--fingerprint", PINNED, "--mic", "/nowhere", NULL},
         "--mic and --mic-key (or --key) belong together"},
        {{"phone", "try", "http://a", "--fingerprint", PINNED, "--mic-key", "/nowhere", NULL},
         "--mic and --mic-key (or --key) belong together"},
        {{"phone", "try", "http://a", "--fingerprint", PINNED, "--key", "/nowhere", NULL},
         "--mic and --mic-key (or --key) belong together"},
        {{"phone", "try", "http://a", "--fingerprint", PINNED, "--mic-key=a", "--key=a", NULL},
         "--mic-key and --key are the same; give one of them"},
        {{"phone", "try", "http://a", "--fingerprint", PINNED, "--mic=/nowhere",
          "--mic-key=/nowhere", NULL},
         "--mic: "},
        {{"phone", "try", "http://a", "--fingerprint", PINNED, "--mic=/nowhere", "--key=/nowhere",
          NULL},
         "--mic: "},
        {{"phone", "try", "http://a", "--fingerprint", PINNED, "--challenge=x",
          "--challenge-file=x", NULL},
         "exclude each other"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct outcome outcome = ctl_kit_run(rows[i].words);
        assert_int_equal(outcome.code, CTL_USAGE);
        assert_contains(outcome.errors, rows[i].said);
        assert_string_equal(outcome.out, "");
        outcome_done(&outcome);
    }
}

static void test_https(void **state)
{
    (void)state;
    struct outcome outcome = ctl_kit_run((const char *[]){
        "phone", "try", "https://a/scep", "--fingerprint", PINNED, "--cn", "$FOO", NULL});
    assert_int_equal(outcome.code, CTL_FAILED);
    assert_contains(outcome.out,
                    "problem  URL: \"https://a/scep\" is https, not http\n         A ");
    assert_contains(outcome.errors, "\"$FOO\" still has a macro in it");
    outcome_done(&outcome);
}

// The fingerprint as openssl prints it, and the root itself. (https ends the trial before anybody
// is asked.)
static void test_fingerprints(void **state)
{
    (void)state;
    char *folder = kit_new_folder();
    X509 *root = kit_cert(kit_key(0), "root", NULL, NULL, true, KIT_NOW, 10);
    struct buf pem = kit_cert_pem(root);
    char *path = kit_write(folder, "root.pem", buf_view(&pem));
    const char *given[] = {
        path,
        "sha1 Fingerprint=12:04:08:70:62:5C:5B:75:5D:73:F5:92:52:85:F8:F5:FF:5D:55:AF",
        "SHA1 Fingerprint=" PINNED,
    };
    for (size_t i = 0; i < sizeof given / sizeof given[0]; i++) {
        struct outcome outcome = ctl_kit_run(
            (const char *[]){"phone", "try", "https://a", "--fingerprint", given[i], NULL});
        assert_string_equal(outcome.errors, "");
        assert_int_equal(outcome.code, CTL_FAILED);
        assert_contains(outcome.out, "is https, not http");
        outcome_done(&outcome);
    }
    buf_done(&pem);
    free(path);
    X509_free(root);
    kit_remove_folder(folder);
}

// Others can read the file of a secret.
static void test_open_secrets(void **state)
{
    (void)state;
    static const struct {
        mode_t mode;
        bool is_warned;
    } rows[] = {{0600, false}, {0640, false}, {0644, true}, {0604, true}};
    char *folder = kit_new_folder();
    char *path = kit_write(folder, "secret", view_of_text("12345678\n"));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(chmod(path, rows[i].mode), 0);
        struct outcome outcome = ctl_kit_run((const char *[]){
            "phone", "try", "https://a", "--fingerprint", PINNED, "--challenge-file", path, NULL});
        assert_int_equal(strstr(outcome.errors, "warning: everybody on this machine can read") !=
                             NULL,
                         rows[i].is_warned);
        outcome_done(&outcome);
    }
    free(path);
    kit_remove_folder(folder);
}

// Prints findings as people or programs get them.
static struct outcome print(const struct findings *findings, bool is_json)
{
    struct outcome outcome = {0};
    size_t out_len;
    size_t errors_len;
    const struct trial_result result = {0};
    struct ctl ctl = {.out = open_memstream(&outcome.out, &out_len),
                      .errors = open_memstream(&outcome.errors, &errors_len),
                      .is_json = is_json};
    const struct phone_report report = {
        .server = "10.79.57.91", .findings = findings, .result = &result};
    outcome.code = phone_report_print(&ctl, &report);
    fclose(ctl.out);
    fclose(ctl.errors);
    return outcome;
}

static void test_escapes(void **state)
{
    (void)state;
    struct findings findings = {0};
    findings_add(&findings, FINDING_WARNING, "root", "root: \"%s\"", "\x1b[2Jgr\xC3\xBCn\xFF\n");
    findings_explain(&findings, "because of \"%s\"", "\r\x07");
    struct outcome outcome = print(&findings, false);
    assert_int_equal(outcome.code, CTL_OK);
    assert_string_equal(outcome.out, "warning  root: \"\\x1b[2Jgr\xC3\xBCn\\xff\\x0a\"\n"
                                     "         because of \"\\x0d\\x07\"\n");
    outcome_done(&outcome);
    outcome = print(&findings, true);
    json_t *document = json_loads(outcome.out, 0, NULL);
    json_t *step = json_array_get(json_object_get(document, "steps"), 0);
    assert_string_equal(json_string_value(json_object_get(document, "server")), "10.79.57.91");
    assert_string_equal(json_string_value(json_object_get(document, "verdict")), "warning");
    assert_string_equal(json_string_value(json_object_get(step, "step")), "root");
    assert_string_equal(json_string_value(json_object_get(step, "seen")),
                        "root: \"\\x1b[2Jgr\xC3\xBCn\\xff\\x0a\"");
    assert_true(json_is_null(json_object_get(document, "certificate_pem")));
    json_decref(document);
    outcome_done(&outcome);
    findings_done(&findings);
}

static void test_verdicts(void **state)
{
    (void)state;
    static const enum ctl_exit codes[] = {
        [FINDING_OK] = CTL_OK, [FINDING_WARNING] = CTL_OK, [FINDING_PROBLEM] = CTL_FAILED};
    for (int level = FINDING_OK; level <= FINDING_PROBLEM; level++) {
        for (int is_json = 0; is_json <= 1; is_json++) {
            struct findings findings = {0};
            findings_add(&findings, FINDING_OK, "url", "one");
            findings_add(&findings, (enum finding_level)level, "http", "two");
            struct outcome outcome = print(&findings, is_json != 0);
            assert_int_equal(outcome.code, codes[level]);
            outcome_done(&outcome);
            findings_done(&findings);
        }
    }
}

static void test_files(void **state)
{
    (void)state;
    struct err err = {0};
    bool is_kept = false;
    char *above = kit_new_folder();
    char *path = kit_path(above, "out");
    struct ctl ctl = {.out = stdout, .errors = stderr};
    X509 *cert = kit_cert(kit_key(0), "trial", NULL, NULL, false, KIT_NOW, 10);
    STACK_OF(X509) *certs = sk_X509_new_null();
    assert_true(sk_X509_push(certs, cert) > 0);
    const struct trial_result none = {.key = kit_key(0), .certs = certs};
    const struct trial_result issued = {.key = kit_key(0), .cert = cert, .certs = certs};
    struct folder folder = {0};
    assert_int_equal(folder_open(path, phone_report_files, &folder, &err), ERR_OK);
    assert_int_equal(phone_report_keep(&ctl, &folder, &none, &is_kept), CTL_OK);
    assert_false(is_kept);
    folder_done(&folder); // which takes it away again
    folder = (struct folder){0};
    assert_int_equal(folder_open(path, phone_report_files, &folder, &err), ERR_OK);
    assert_true(folder.is_made);
    assert_int_equal(phone_report_keep(&ctl, &folder, &issued, &is_kept), CTL_OK);
    assert_true(is_kept);
    folder_done(&folder);
    folder = (struct folder){0};
    assert_int_equal(folder_open(path, phone_report_files, &folder, &err), ERR_EXISTS);
    folder_done(&folder);
    sk_X509_free(certs);
    X509_free(cert);
    free(path);
    kit_remove_folder(above);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_command_lines), cmocka_unit_test(test_https),
        cmocka_unit_test(test_escapes),       cmocka_unit_test(test_verdicts),
        cmocka_unit_test(test_files),         cmocka_unit_test(test_fingerprints),
        cmocka_unit_test(test_open_secrets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
