// SPDX-License-Identifier: Apache-2.0
// Files with certificates as administrators have them, and those with something else in them.
#include "conf/cert_file.h"

#include <stdlib.h>
#include <string.h>

#include "conf/limits.h"
#include "kit/kit.h"

static struct fixture {
    char *folder;
    X509 *certs[2];
    struct buf pem[2];
    struct buf der;
} fixture;

static int set_up(void **state)
{
    (void)state;
    fixture.folder = kit_new_folder();
    for (unsigned i = 0; i < 2; i++) {
        fixture.certs[i] = kit_cert(kit_key(i), "CA", NULL, NULL, true, KIT_NOW, 1);
        fixture.pem[i] = kit_cert_pem(fixture.certs[i]);
    }
    assert_int_equal(ossl_cert_to_der(fixture.certs[0], &fixture.der, NULL), ERR_OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        X509_free(fixture.certs[i]);
        buf_done(&fixture.pem[i]);
    }
    buf_done(&fixture.der);
    kit_remove_folder(fixture.folder);
    return 0;
}

static struct buf join(const struct view *parts, size_t count)
{
    struct buf all = {0};
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(buf_append(&all, parts[i], NULL), ERR_OK);
    }
    return all;
}

static void good_files(void **state)
{
    (void)state;
    struct view one = buf_view(&fixture.pem[0]);
    struct view two = buf_view(&fixture.pem[1]);
    const struct {
        struct view parts[4];
        size_t parts_count;
        int count;
    } tests[] = {
        {{one}, 1, 1},
        {{buf_view(&fixture.der)}, 1, 1},
        {{one, two}, 2, 2},
        {{view_of_text("subject=CA\n\n"), one, view_of_text("some words\n"), two}, 4, 2},
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        struct err err = {0};
        STACK_OF(X509) *certs = sk_X509_new_null();
        X509 *cert = NULL;
        struct buf content = join(tests[i].parts, tests[i].parts_count);
        char *path = kit_write(fixture.folder, "certs.pem", buf_view(&content));
        assert_int_equal(cert_file_read_all(path, certs, &err), ERR_OK);
        assert_int_equal(sk_X509_num(certs), tests[i].count);
        for (int at = 0; at < tests[i].count; at++) {
            assert_int_equal(X509_cmp(sk_X509_value(certs, at), fixture.certs[at]), 0);
        }
        assert_int_equal(cert_file_read_all(path, certs, &err), ERR_OK); // appends
        assert_int_equal(sk_X509_num(certs), 2 * tests[i].count);
        enum err_code code = cert_file_read(path, &cert, &err);
        assert_int_equal(code, tests[i].count == 1 ? ERR_OK : ERR_CONFIG);
        if (code != ERR_OK) {
            assert_non_null(strstr(err.text, "certs.pem: 2 certificates; expected one"));
            assert_null(cert);
        }
        X509_free(cert);
        free_cert_stack(certs);
        free(path);
        buf_done(&content);
    }
}

static void assert_refused(const char *path, enum err_code expected, const char *text)
{
    struct err err = {0};
    X509 *cert = NULL;
    STACK_OF(X509) *certs = sk_X509_new_null();
    assert_int_equal(cert_file_read(path, &cert, &err), expected);
    assert_int_equal(err.code, expected);
    assert_null(cert);
    if (strstr(err.text, text) == NULL || strstr(err.text, "bad.pem") == NULL) {
        fail_msg("\"%s\" is not in \"%s\"", text, err.text);
    }
    assert_int_equal(cert_file_read_all(path, certs, NULL), expected);
    free_cert_stack(certs);
}

static void bad_files(void **state)
{
    (void)state;
    static const struct {
        const char *content;
        const char *text;
    } tests[] = {
        {"", "no certificate in it"},
        {"no certificate", "not a DER certificate"},
        {"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "malformed PEM"},
        {"-----BEGIN CERTIFICATE-----\n", "malformed PEM"},
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        char *path = kit_write(fixture.folder, "bad.pem", view_of_text(tests[i].content));
        assert_refused(path, ERR_CONFIG, tests[i].text);
        free(path);
    }
    // A key in the certificate's place, which its words must not show.
    struct buf key = kit_key_pem(kit_key(0));
    char *path = kit_write(fixture.folder, "bad.pem", buf_view(&key));
    assert_refused(path, ERR_CONFIG, "no certificate in it");
    buf_done(&key);
    free(path);
}

static void damaged_der(void **state)
{
    (void)state;
    for (size_t len = 0; len < fixture.der.len; len += 7) {
        char *path = kit_write(fixture.folder, "bad.pem", view_of(fixture.der.data, len));
        assert_refused(path, ERR_CONFIG, "bad.pem");
        free(path);
    }
    struct buf longer = {0};
    assert_int_equal(buf_copy(buf_view(&fixture.der), &longer, NULL), ERR_OK);
    assert_int_equal(buf_append(&longer, view_of_text("x"), NULL), ERR_OK);
    char *path = kit_write(fixture.folder, "bad.pem", buf_view(&longer));
    assert_refused(path, ERR_CONFIG, "octets after the end");
    free(path);
    buf_done(&longer);
}

static void missing_and_too_long(void **state)
{
    (void)state;
    static uint8_t zeroes[LIMIT_FILE_LEN + 1];
    char *path = kit_write(fixture.folder, "bad.pem", view_of(zeroes, sizeof zeroes));
    assert_refused(path, ERR_CONFIG, "longer than");
    assert_int_equal(remove(path), 0);
    assert_refused(path, ERR_NOT_FOUND, "No such file");
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_files),
        cmocka_unit_test(bad_files),
        cmocka_unit_test(damaged_der),
        cmocka_unit_test(missing_and_too_long),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
