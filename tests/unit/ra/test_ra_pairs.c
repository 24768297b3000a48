// SPDX-License-Identifier: Apache-2.0
// The RA's own folder: what is written, what an interruption may leave, what is cleared up.
#include "ra/ra_pairs.h"

#include <string.h>

#include "conf/limits.h"
#include "kit/kit.h"
#include "ra/ra_site.h"

enum { KEY_RA = 0, KEY_CA = 1 };

#define DAYS 10

static struct fixture {
    char *folder;
    char *directory; // not made by set_up()
    X509 *ca;
    X509 *cert;
    struct settings settings;
} fixture;

static int set_up(void **state)
{
    (void)state;
    fixture.folder = kit_new_folder();
    fixture.directory = kit_path(fixture.folder, "ra");
    fixture.ca = kit_cert(kit_key(KEY_CA), "CA", NULL, NULL, true, KIT_NOW, DAYS);
    fixture.cert =
        kit_cert(kit_key(KEY_RA), "RA", fixture.ca, kit_key(KEY_CA), false, KIT_NOW, DAYS);
    fixture.settings = (struct settings){.ra.directory = fixture.directory};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    X509_free(fixture.ca);
    X509_free(fixture.cert);
    free(fixture.directory);
    kit_remove_folder(fixture.folder);
    return 0;
}

static char *path_of(const X509 *cert, const char *suffix)
{
    char serial[SITE_NAME_LEN];
    char name[SITE_NAME_LEN + 16];
    snprintf(name, sizeof name, "%s%s", site_serial(cert, serial), suffix);
    return kit_path(fixture.directory, name);
}

static bool is_there(const X509 *cert, const char *suffix)
{
    char *path = path_of(cert, suffix);
    bool found = access(path, F_OK) == 0;
    free(path);
    return found;
}

static void assert_mode(const char *path, mode_t expected)
{
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, expected);
}

static void read_pairs(struct ra_pairs *pairs)
{
    struct err err = {0};
    if (ra_pairs_read(&fixture.settings, pairs, &err) != ERR_OK) {
        fail_msg("%s", err.text);
    }
}

static void writes_and_reads(void **state)
{
    (void)state;
    struct err err = {0};
    struct ra_pairs pairs;
    umask(0);
    assert_int_equal(ra_pairs_write(fixture.directory, fixture.cert, kit_key(KEY_RA), &err),
                     ERR_OK);
    char *cert_path = path_of(fixture.cert, ".pem");
    char *key_path = path_of(fixture.cert, ".key");
    assert_mode(fixture.directory, 0700);
    assert_mode(cert_path, 0600);
    assert_mode(key_path, 0600);
    assert_false(is_there(fixture.cert, ".pem.new"));
    assert_false(is_there(fixture.cert, ".key.new"));
    read_pairs(&pairs);
    assert_int_equal(pairs.count, 1);
    const struct ra_pair *pair = &pairs.list[0];
    assert_true(pair->is_own);
    assert_int_equal(X509_cmp(pair->cert, fixture.cert), 0);
    assert_int_equal(pair->not_before, KIT_NOW);
    assert_int_equal(pair->not_after, KIT_NOW + DAYS * DAY_SEC);
    assert_string_equal(pair->cert_path, cert_path);
    assert_string_equal(pair->key_path, key_path);
    assert_null(pair->key);
    assert_int_equal(ra_pairs_open(&pairs, 0, &fixture.settings, &err), ERR_OK);
    assert_int_equal(EVP_PKEY_eq(pair->key, kit_key(KEY_RA)), 1);
    assert_int_equal(ra_pairs_open(&pairs, 0, &fixture.settings, &err), ERR_OK); // once is enough
    ra_pairs_done(&pairs);
    free(cert_path);
    free(key_path);
}

// A key in a token: the certificate alone, which ra.key opens.
static void certificate_alone(void **state)
{
    (void)state;
    struct err err = {0};
    struct ra_pairs pairs;
    assert_int_equal(ra_pairs_write(fixture.directory, fixture.cert, NULL, &err), ERR_OK);
    assert_false(is_there(fixture.cert, ".key"));
    read_pairs(&pairs);
    assert_null(pairs.list[0].key_path);
    assert_int_equal(ra_pairs_open(&pairs, 0, &fixture.settings, &err), ERR_CONFIG);
    assert_non_null(strstr(err.text, "ra.key is not set"));
    struct buf pem = kit_key_pem(kit_key(KEY_RA));
    char *key = kit_write(fixture.folder, "ra.key", buf_view(&pem));
    fixture.settings.ra.key = key;
    assert_int_equal(ra_pairs_open(&pairs, 0, &fixture.settings, &err), ERR_OK);
    assert_int_equal(EVP_PKEY_eq(pairs.list[0].key, kit_key(KEY_RA)), 1);
    ra_pairs_done(&pairs);
    buf_done(&pem);
    free(key);
}

static void newest_first(void **state)
{
    (void)state;
    static const int64_t since[] = {KIT_NOW - 5, KIT_NOW + 5, KIT_NOW, KIT_NOW + 1};
    static const size_t sorted[] = {1, 3, 2, 0};
    struct ra_pairs pairs;
    X509 *certs[4];
    site_make_folder(fixture.directory);
    for (size_t i = 0; i < 4; i++) {
        certs[i] =
            kit_cert(kit_key(KEY_RA), "RA", fixture.ca, kit_key(KEY_CA), false, since[i], DAYS);
        site_add_ra(fixture.directory, certs[i], kit_key(KEY_RA));
    }
    read_pairs(&pairs);
    assert_int_equal(pairs.count, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(X509_cmp(pairs.list[i].cert, certs[sorted[i]]), 0);
        X509_free(certs[sorted[i]]);
    }
    ra_pairs_done(&pairs);
}

static void missing_and_broken_folders(void **state)
{
    (void)state;
    struct err err = {0};
    struct ra_pairs pairs;
    read_pairs(&pairs);
    assert_int_equal(pairs.count, 0);
    assert_int_equal(ra_pairs_clean(fixture.directory, KIT_NOW, &err), ERR_OK);
    free(kit_write(fixture.folder, "ra", view_of_text("a file")));
    assert_int_equal(ra_pairs_read(&fixture.settings, &pairs, &err), ERR_IO);
    assert_int_equal(ra_pairs_clean(fixture.directory, KIT_NOW, &err), ERR_IO);
    assert_int_equal(ra_pairs_write(fixture.directory, fixture.cert, kit_key(KEY_RA), &err),
                     ERR_IO);
    assert_non_null(strstr(err.text, fixture.directory));
    assert_int_equal(ra_pairs_write("/nowhere/at/all", fixture.cert, NULL, &err), ERR_NOT_FOUND);
}

static void too_many(void **state)
{
    (void)state;
    struct err err = {0};
    struct ra_pairs pairs;
    struct buf pem = kit_cert_pem(fixture.cert);
    char name[SITE_NAME_LEN];
    site_make_folder(fixture.directory);
    for (int i = 0; i <= RA_PAIRS_MAX; i++) {
        snprintf(name, sizeof name, "%04X.pem", (unsigned)i);
        free(kit_write(fixture.directory, name, buf_view(&pem)));
    }
    assert_int_equal(ra_pairs_read(&fixture.settings, &pairs, &err), ERR_CONFIG);
    assert_non_null(strstr(err.text, "more than 64 RA certificates"));
    buf_done(&pem);
}

// Whatever moment it was interrupted at: nobody sees a pair, and the next one goes well.
static void interrupted_writes(void **state)
{
    (void)state;
    static const char *const left[] = {".key.new", ".key", ".pem.new"};
    for (size_t i = 0; i < sizeof left / sizeof left[0]; i++) {
        struct err err = {0};
        struct ra_pairs pairs;
        char serial[SITE_NAME_LEN];
        char name[SITE_NAME_LEN + 16];
        if (i == 0) {
            site_make_folder(fixture.directory);
        }
        snprintf(name, sizeof name, "%s%s", site_serial(fixture.cert, serial), left[i]);
        free(kit_write(fixture.directory, name, view_of_text("half of i")));
        read_pairs(&pairs);
        assert_int_equal(pairs.count, 0);
        ra_pairs_done(&pairs);
        assert_int_equal(ra_pairs_clean(fixture.directory, 0, &err), ERR_OK);
        assert_false(is_there(fixture.cert, left[i]));
    }
}

static void clears_up(void **state)
{
    (void)state;
    struct err err = {0};
    const int64_t over = KIT_NOW + DAYS * DAY_SEC;
    X509 *later =
        kit_cert(kit_key(KEY_RA), "RA", fixture.ca, kit_key(KEY_CA), false, KIT_NOW + 1, DAYS);
    assert_int_equal(ra_pairs_write(fixture.directory, fixture.cert, kit_key(KEY_RA), &err),
                     ERR_OK);
    assert_int_equal(ra_pairs_write(fixture.directory, later, kit_key(KEY_RA), &err), ERR_OK);
    free(kit_write(fixture.directory, "README", view_of_text("not ours")));
    free(kit_write(fixture.directory, "ra.key", view_of_text("not ours")));
    assert_int_equal(ra_pairs_clean(fixture.directory, over, &err), ERR_OK);
    assert_true(is_there(fixture.cert, ".pem"));
    assert_true(is_there(fixture.cert, ".key"));
    assert_int_equal(ra_pairs_clean(fixture.directory, over + 1, &err), ERR_OK);
    assert_false(is_there(fixture.cert, ".pem"));
    assert_false(is_there(fixture.cert, ".key"));
    assert_true(is_there(later, ".pem"));
    assert_true(is_there(later, ".key"));
    char *readme = kit_path(fixture.directory, "README");
    char *key = kit_path(fixture.directory, "ra.key");
    assert_int_equal(access(readme, F_OK), 0);
    assert_int_equal(access(key, F_OK), 0);
    free(readme);
    free(key);
    X509_free(later);
}

static void issuers(void **state)
{
    (void)state;
    struct generation ca = {.cert = fixture.ca};
    X509 *twin = kit_cert(kit_key(KEY_RA), "CA", NULL, NULL, true, KIT_NOW, DAYS);
    X509 *forged =
        kit_cert(kit_key(KEY_RA), "RA", fixture.ca, kit_key(KEY_RA), false, KIT_NOW, DAYS);
    struct generation other = {.cert = twin}; // the same name, another key
    assert_true(ra_pair_is_issued_by(fixture.cert, &ca));
    assert_false(ra_pair_is_issued_by(fixture.cert, &other));
    assert_false(ra_pair_is_issued_by(forged, &ca));
    assert_false(ra_pair_is_issued_by(forged, &other));
    X509_free(twin);
    X509_free(forged);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(writes_and_reads, set_up, tear_down),
        cmocka_unit_test_setup_teardown(certificate_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(newest_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown(missing_and_broken_folders, set_up, tear_down),
        cmocka_unit_test_setup_teardown(too_many, set_up, tear_down),
        cmocka_unit_test_setup_teardown(interrupted_writes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(clears_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(issuers, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
