// SPDX-License-Identifier: Apache-2.0
// scepctl init: what it leaves in the folder, what it says, and that it never leaves half a CA or
// touches anything that exists.
#include "server/ctl_kit.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>
#include <openssl/pem.h>

#include "conf/base/file.h"
#include "conf/base/hex.h"
#include "conf/settings.h"

// Runs and expects an exit code and words in the errors.
static void expect(const char *const *words, enum ctl_exit code, const char *errors)
{
    struct outcome outcome = ctl_kit_run(words);
    assert_contains(outcome.errors, errors);
    assert_int_equal(outcome.code, code);
    outcome_done(&outcome);
}

static FILE *open_in(const char *folder, const char *name)
{
    char *path = kit_path(folder, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    free(path);
    return file;
}

static X509 *read_cert(const char *folder, const char *name)
{
    FILE *file = open_in(folder, name);
    X509 *cert = PEM_read_X509(file, NULL, NULL, NULL);
    assert_non_null(cert);
    fclose(file);
    return cert;
}

static EVP_PKEY *read_key(const char *folder, const char *name)
{
    FILE *file = open_in(folder, name);
    EVP_PKEY *key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
    assert_non_null(key);
    fclose(file);
    return key;
}

static void assert_mode(const char *folder, const char *name, mode_t mode)
{
    struct stat status;
    char *path = kit_path(folder, name);
    assert_int_equal(lstat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, mode);
    free(path);
}

static bool is_there(const char *folder, const char *name)
{
    char *path = kit_path(folder, name);
    bool found = access(path, F_OK) == 0;
    free(path);
    return found;
}

static unsigned count_entries(const char *folder)
{
    unsigned count = 0;
    DIR *entries = opendir(folder);
    assert_non_null(entries);
    while (readdir(entries) != NULL) {
        count++;
    }
    closedir(entries);
    return count - 2; // "." and ".."
}

// The RA's certificate chains up to `root` through `issuing` (NULL = directly).
static void assert_chain(X509 *ra, X509 *issuing, X509 *root)
{
    X509_STORE *trusted = X509_STORE_new();
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    STACK_OF(X509) *between = sk_X509_new_null();
    if (issuing != NULL) {
        sk_X509_push(between, issuing);
    }
    assert_int_equal(X509_STORE_add_cert(trusted, root), 1);
    assert_int_equal(X509_STORE_CTX_init(context, trusted, ra, between), 1);
    assert_int_equal(X509_verify_cert(context), 1);
    sk_X509_free(between);
    X509_STORE_CTX_free(context);
    X509_STORE_free(trusted);
}

static void assert_pair(const char *folder, const char *cert_name, const char *key_name)
{
    X509 *cert = read_cert(folder, cert_name);
    EVP_PKEY *key = read_key(folder, key_name);
    assert_int_equal(X509_check_private_key(cert, key), 1);
    EVP_PKEY_free(key);
    X509_free(cert);
}

static void assert_settings(const char *folder, const char *listen, bool has_root)
{
    struct settings *settings = NULL;
    char *path = kit_path(folder, "scepd.conf");
    char *socket = kit_path(folder, "admin.sock");
    assert_int_equal(settings_load(path, true, stderr, &settings, NULL), ERR_OK);
    assert_string_equal(settings->http.listen, listen);
    assert_string_equal(settings->admin.socket, socket);
    assert_int_equal(settings->ca.root != NULL, has_root);
    assert_null(settings->challenge.static_file);
    char *generations = kit_path(folder, "generations");
    assert_string_equal(settings->ca.generations, generations);
    bool is_direct = settings->scep.topology == SETTINGS_TOPOLOGY_DIRECT;
    assert_int_equal(settings->ra.certificate == NULL, is_direct);
    assert_int_equal(settings->ra.directory == NULL, is_direct);
    settings_free(settings);
    free(generations);
    free(socket);
    free(path);
}

static void assert_url(const char *found, const char *url, const char *path)
{
    char *expected = NULL;
    if (url == NULL) {
        assert_null(found);
        return;
    }
    assert_true(asprintf(&expected, "%s%s", url, path) > 0);
    assert_string_equal(found, expected);
    free(expected);
}

// What certificates will say, at the paths where scepd serves it.
static void assert_urls(const char *folder, const char *url)
{
    struct settings *settings = NULL;
    char *path = kit_path(folder, "scepd.conf");
    assert_int_equal(settings_load(path, true, stderr, &settings, NULL), ERR_OK);
    assert_url(settings->phone.crl_url, url, settings->http.crl_path);
    assert_url(settings->phone.ca_url, url, settings->http.ca_path);
    assert_url(settings->phone.ocsp_url, url, settings->http.ocsp_path);
    settings_free(settings);
    free(path);
}

static void test_two_tiers(void **state)
{
    static const char *const entries[] = {"root.pem", "root.key", "issuing.pem", "issuing.key",
                                          "ra.pem",   "ra.key",   "scepd.conf",  "challenge.key"};
    char *folder = kit_path(*state, "two");
    struct outcome outcome =
        ctl_kit_run((const char *[]){"init", folder, "--listen", "127.0.0.1:8081", "--organization",
                                     "Example", "--url", "http://scep.example.net:8081", NULL});
    assert_string_equal(outcome.errors, "");
    assert_int_equal(outcome.code, CTL_OK);
    assert_mode(*state, "two", 0700);
    for (size_t i = 0; i < sizeof entries / sizeof entries[0]; i++) {
        assert_mode(folder, entries[i], 0600);
    }
    assert_mode(folder, "store", 0700);
    assert_mode(folder, "generations", 0700);
    assert_mode(folder, "ra", 0700);
    assert_mode(folder, "mic", 0700);
    assert_int_equal(count_entries(folder), 12);
    assert_settings(folder, "127.0.0.1:8081", true);
    assert_urls(folder, "http://scep.example.net:8081");
    assert_pair(folder, "root.pem", "root.key");
    assert_pair(folder, "issuing.pem", "issuing.key");
    assert_pair(folder, "ra.pem", "ra.key");

    X509 *root = read_cert(folder, "root.pem");
    X509 *issuing = read_cert(folder, "issuing.pem");
    X509 *ra = read_cert(folder, "ra.pem");
    assert_chain(ra, issuing, root);
    assert_int_equal(EVP_PKEY_get_bits(X509_get0_pubkey(root)), 3072);
    assert_int_equal(EVP_PKEY_get_bits(X509_get0_pubkey(issuing)), 2048);

    // Both fingerprints, bare and in pairs; and which key may go.
    unsigned char digest[EVP_MAX_MD_SIZE];
    char text[2 * EVP_MAX_MD_SIZE + 1];
    unsigned len = 0;
    X509_digest(root, EVP_sha256(), digest, &len);
    assert_contains(outcome.out, hex_encode(view_of(digest, len), text));
    X509_digest(root, EVP_sha1(), digest, &len);
    assert_contains(outcome.out, hex_encode(view_of(digest, len), text));
    char pairs[8];
    snprintf(pairs, sizeof pairs, "%02X:%02X:", digest[0], digest[1]);
    assert_contains(outcome.out, pairs);
    assert_contains(outcome.out, "two/root.key.\n");
    assert_contains(outcome.out, "offline medium now");

    X509_free(ra);
    X509_free(issuing);
    X509_free(root);
    outcome_done(&outcome);
    free(folder);
}

static void test_one_tier(void **state)
{
    char *folder = kit_path(*state, "one");
    struct outcome outcome = ctl_kit_run(
        (const char *[]){"--json", "init", folder, "--tiers", "1", "--ca-key", "ec:P-384", NULL});
    assert_contains(outcome.errors, "without --url");
    assert_contains(outcome.errors, "BEFORE THE FIRST PHONE");
    assert_contains(outcome.errors, "one/scepd.conf, group phone");
    assert_contains(outcome.errors, "\n    crl_url = \"http://HOST/crl/{ca}.crl\";\n");
    assert_contains(outcome.errors, "\n    ca_url = \"http://HOST/ca/{ca}.cer\";\n");
    assert_contains(outcome.errors, "\n    ocsp_url = \"http://HOST/ocsp\";\n");
    assert_urls(folder, NULL);
    assert_int_equal(outcome.code, CTL_OK);
    assert_false(is_there(folder, "root.pem"));
    assert_false(is_there(folder, "root.key"));
    assert_mode(folder, "issuing.key", 0600);
    assert_pair(folder, "issuing.pem", "issuing.key");
    assert_settings(folder, "0.0.0.0:8080", false);
    X509 *ca = read_cert(folder, "issuing.pem");
    X509 *ra = read_cert(folder, "ra.pem");
    assert_chain(ra, NULL, ca);
    assert_int_equal(EVP_PKEY_get_bits(X509_get0_pubkey(ca)), 384);
    assert_int_equal(EVP_PKEY_get_base_id(X509_get0_pubkey(ra)), EVP_PKEY_RSA);

    json_t *answer = json_loads(outcome.out, 0, NULL);
    assert_non_null(answer);
    assert_true(json_is_false(json_object_get(answer, "root_key_can_go_offline")));
    assert_int_equal(json_string_length(json_object_get(answer, "root_sha256")), 64);
    assert_int_equal(json_string_length(json_object_get(answer, "root_sha1")), 40);
    assert_true(json_is_null(json_object_get(answer, "url")));
    json_decref(answer);
    X509_free(ra);
    X509_free(ca);
    outcome_done(&outcome);
    free(folder);
}

static void test_one_tier_says_that_the_key_must_stay(void **state)
{
    char *folder = kit_path(*state, "stays");
    struct outcome outcome =
        ctl_kit_run((const char *[]){"init", folder, "--tiers", "1", "--ca-key", "ec:P-256", NULL});
    assert_int_equal(outcome.code, CTL_OK);
    assert_contains(outcome.out, "must stay on this machine");
    assert_null(strstr(outcome.out, "offline medium"));
    outcome_done(&outcome);
    free(folder);
}

// The CA answers SCEP itself: no RA, nothing of an RA.
static void test_direct(void **state)
{
    char *folder = kit_path(*state, "direct");
    struct outcome outcome = ctl_kit_run(
        (const char *[]){"init", "--direct", folder, "--url", "http://[2001:db8::1]", NULL});
    assert_string_equal(outcome.errors, "");
    assert_urls(folder, "http://[2001:db8::1]");
    assert_int_equal(outcome.code, CTL_OK);
    assert_contains(outcome.out, "answers SCEP itself");
    assert_false(is_there(folder, "ra.pem"));
    assert_false(is_there(folder, "ra.key"));
    assert_false(is_there(folder, "ra"));
    assert_false(is_there(folder, "root.pem"));
    assert_int_equal(count_entries(folder), 7);
    assert_settings(folder, "0.0.0.0:8080", false);
    assert_pair(folder, "issuing.pem", "issuing.key");
    X509 *ca = read_cert(folder, "issuing.pem");
    assert_int_not_equal(X509_get_key_usage(ca) & KU_KEY_ENCIPHERMENT, 0);
    struct settings *settings = NULL;
    char *path = kit_path(folder, "scepd.conf");
    assert_int_equal(settings_load(path, true, stderr, &settings, NULL), ERR_OK);
    assert_int_equal(settings->scep.topology, SETTINGS_TOPOLOGY_DIRECT);
    settings_free(settings);
    X509_free(ca);
    outcome_done(&outcome);
    free(path);
    free(folder);
}

// Each name alone is enough to refuse, and is left as it was, with nothing beside it.
static void test_refuses_to_overwrite(void **state)
{
    static const char *const names[] = {"root.pem", "root.key",    "issuing.pem", "issuing.key",
                                        "ra.pem",   "ra.key",      "scepd.conf",  "challenge.key",
                                        "store",    "generations", "ra"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char *folder = kit_new_folder();
        char *path = kit_write(folder, names[i], view_of_text("mine"));
        char *words = NULL;
        assert_true(asprintf(&words, "%s exists already; nothing was changed", path) > 0);
        expect((const char *[]){"init", folder, NULL}, CTL_FAILED, words);
        struct buf content = {0};
        assert_int_equal(file_read(path, 100, &content, NULL), ERR_OK);
        assert_true(view_is_text(buf_view(&content), "mine"));
        assert_int_equal(count_entries(folder), 1);
        buf_done(&content);
        free(words);
        free(path);
        kit_remove_folder(folder);
    }
    (void)state;
}

static void test_does_not_follow_links(void **state)
{
    (void)state;
    char *folder = kit_new_folder();
    char *path = kit_path(folder, "root.key");
    assert_int_equal(symlink("/nonexistent/elsewhere", path), 0);
    expect((const char *[]){"init", folder, NULL}, CTL_FAILED, "root.key exists already");
    free(path);
    kit_remove_folder(folder);
}

static void test_refusals_leave_nothing(void **state)
{
    char *folder = kit_path(*state, "none");
    char *below = kit_path(folder, "deeper");
    const struct {
        const char *words[WORDS_MAX];
        enum ctl_exit code;
        const char *errors;
    } rows[] = {
        {{"init", folder, "--tiers", "3", NULL}, CTL_USAGE, "--tiers: \"3\"; allowed are 2 and 1"},
        {{"init", folder, "--ca-key", "rsa:1024", NULL},
         CTL_USAGE,
         "--ca-key: \"rsa:1024\"; allowed"},
        {{"init", folder, "--ca-key", "ec:P-521", NULL}, CTL_USAGE, "ec:P-256, ec:P-384"},
        {{"init", folder, "--direct", "--tiers", "2", NULL},
         CTL_USAGE,
         "allowed with --direct is 1"},
        {{"init", folder, "--direct", "--ca-key", "ec:P-256", NULL},
         CTL_USAGE,
         "clients encrypt to it"},
        {{"init", folder, "--listen", "nowhere", NULL}, CTL_USAGE, "http.listen"},
        {{"init", folder, "--listen", "1.2.3.4:99999", NULL}, CTL_USAGE, "http.listen"},
        {{"init", folder, "--organization", "a\nb", NULL}, CTL_USAGE, "organization"},
        {{"init", folder, "--static-challenge-file", "/nonexistent/f", NULL},
         CTL_USAGE,
         "--static-challenge-file: cannot find /nonexistent/f: No such file"},
        {{"init", below, NULL}, CTL_FAILED, "cannot make the folder"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        expect(rows[i].words, rows[i].code, rows[i].errors);
        assert_false(is_there(*state, "none"));
    }
    free(below);
    free(folder);
}

static void test_url_that_is_none(void **state)
{
    static const char *const urls[] = {
        "",
        "scep.example.net",
        "https://scep.example.net",
        "http://scep.example.net/",
        "http://scep.example.net/pki",
        "http://scep.example.net:65536",
        "http://user@scep.example.net",
        "http://scep.example.net?a",
        "http://scep.example.net#a",
        "http://",
        "http://a b",
        "http://a\"b",
        "http://{ca}",
        "ldap://scep.example.net",
    };
    char *folder = kit_path(*state, "url");
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        struct outcome outcome =
            ctl_kit_run((const char *[]){"init", folder, "--url", urls[i], NULL});
        if (outcome.code != CTL_USAGE) {
            fail_msg("\"%s\" was taken", urls[i]);
        }
        assert_contains(outcome.errors, "http://HOST[:PORT]");
        assert_int_equal(access(folder, F_OK), -1);
        outcome_done(&outcome);
    }
    expect((const char *[]){"init", folder, "--subordinate", "--url", "http://a", NULL}, CTL_USAGE,
           "--url belongs to the second step");
    free(folder);
}

// Somebody fetched the manufacturer's CAs first.
static void test_mic_folder_that_is_there(void **state)
{
    char *folder = kit_path(*state, "fetched");
    char *mic = kit_path(folder, "mic");
    assert_int_equal(mkdir(folder, 0700), 0);
    assert_int_equal(mkdir(mic, 0755), 0);
    free(kit_write(mic, "hasudi.cer", view_of_text("fetched")));
    struct outcome outcome =
        ctl_kit_run((const char *[]){"init", folder, "--url", "http://a", NULL});
    assert_string_equal(outcome.errors, "");
    assert_int_equal(outcome.code, CTL_OK);
    assert_true(is_there(mic, "hasudi.cer"));
    outcome_done(&outcome);
    free(mic);
    free(folder);
}

static void test_path_too_long_for_sockets(void **state)
{
    char name[100];
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    char *folder = kit_path(*state, name);
    expect((const char *[]){"init", folder, NULL}, CTL_USAGE,
           "at most 107 are allowed: choose a directory with a shorter path");
    assert_false(is_there(*state, name));
    free(folder);
}

// A fault late in the run, when keys are on disk already: the folder was there and stays, empty.
static void test_failure_removes_what_was_made(void **state)
{
    char *folder = kit_new_folder();
    char *password = kit_write(*state, "short", view_of_text("short\n"));
    expect((const char *[]){"init", folder, "--ca-key", "ec:P-256", "--static-challenge-file",
                            password, NULL},
           CTL_USAGE, "at least 8 are needed");
    assert_int_equal(count_entries(folder), 0);
    free(password);
    kit_remove_folder(folder);
}

static void test_static_challenge(void **state)
{
    char *folder = kit_path(*state, "static");
    char *password = kit_write(*state, "password", view_of_text("correct horse\n"));
    struct outcome outcome = ctl_kit_run((const char *[]){
        "init", folder, "--ca-key", "ec:P-256", "--static-challenge-file", password, NULL});
    assert_int_equal(outcome.code, CTL_OK);
    assert_contains(outcome.errors, "warning: everybody who knows the password in");
    assert_null(strstr(outcome.errors, "correct horse"));
    struct settings *settings = NULL;
    char *path = kit_path(folder, "scepd.conf");
    assert_int_equal(settings_load(path, true, stderr, &settings, NULL), ERR_OK);
    assert_string_equal(settings->challenge.static_file, password);
    settings_free(settings);
    free(path);
    outcome_done(&outcome);
    free(password);
    free(folder);
}

static void test_folder_of_others(void **state)
{
    (void)state;
    char *folder = kit_new_folder();
    assert_int_equal(chmod(folder, 0777), 0);
    expect((const char *[]){"init", folder, NULL}, CTL_FAILED, "others may write in");
    assert_int_equal(count_entries(folder), 0);
    kit_remove_folder(folder);
}

static void test_not_a_folder(void **state)
{
    char *path = kit_write(*state, "file", view_of_text("x"));
    expect((const char *[]){"init", path, NULL}, CTL_FAILED, "exists and is not a folder");
    free(path);
}

static int set_up(void **state)
{
    *state = kit_new_folder();
    return 0;
}

static int tear_down(void **state)
{
    kit_remove_folder(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_tiers),
        cmocka_unit_test(test_one_tier),
        cmocka_unit_test(test_one_tier_says_that_the_key_must_stay),
        cmocka_unit_test(test_direct),
        cmocka_unit_test(test_refuses_to_overwrite),
        cmocka_unit_test(test_does_not_follow_links),
        cmocka_unit_test(test_refusals_leave_nothing),
        cmocka_unit_test(test_url_that_is_none),
        cmocka_unit_test(test_mic_folder_that_is_there),
        cmocka_unit_test(test_path_too_long_for_sockets),
        cmocka_unit_test(test_failure_removes_what_was_made),
        cmocka_unit_test(test_static_challenge),
        cmocka_unit_test(test_folder_of_others),
        cmocka_unit_test(test_not_a_folder),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
