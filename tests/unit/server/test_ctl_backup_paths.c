// SPDX-License-Identifier: Apache-2.0
// Where a backup's files lie, plain and below one folder.
#include "kit/kit.h"

#include <string.h>

#include "server/ctl/archive/backup_paths.h"

static void test_plain(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"/etc/scepd/ca.pem", "/etc/scepd/ca.pem"},
        {"/etc//scepd/./ca.pem", "/etc/scepd/ca.pem"},
        {"/etc/scepd/../pki/x", "/etc/pki/x"},
        {"/../../x", "/x"},
        {"/a/b/../../c/", "/c"},
        {"/", ""},
        {"/a/..b/...", "/a/..b/..."},
    };
    char plain[PATH_MAX];
    char longest[PATH_MAX + 2];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(backup_path_plain(rows[i][0], plain, NULL), ERR_OK);
        assert_string_equal(plain, rows[i][1]);
    }
    struct err err = {0};
    memset(longest, 'a', sizeof longest - 1);
    longest[0] = '/';
    longest[sizeof longest - 1] = '\0';
    assert_int_equal(backup_path_plain(longest, plain, &err), ERR_LIMIT);
    assert_string_equal(err.text, "a path of more than 4095 octets");
}

static void test_into(void **state)
{
    (void)state;
    static const struct settings settings = {
        .store.directory = "/var/lib/scepd/store",
        .ra.directory = "/var/lib/scepd/./ra",
        .ca.generations = "/etc/scepd/cas",
        .ca.socket = "/run/scepd-ca/ca.sock",
        .admin.socket = "/run/scepd/admin.sock",
    };
    static const char *const rows[][2] = {
        {"/etc/scepd/scepd.conf", "scepd.conf"},
        {"/etc/scepd/mic/root.pem", "mic/root.pem"},
        {"/etc/scepd/cas/0123456789abcdef/ca.pem", "cas/0123456789abcdef/ca.pem"},
        {"/etc/scepd2/x.pem", "other/etc/scepd2/x.pem"},
        {"/etc/pki/x.pem", "other/etc/pki/x.pem"},
        {"/var/lib/scepd/store", "store"},
        {"/var/lib/scepd/store/data.mdb", "store/data.mdb"},
        {"/var/lib/scepd/ra/01.pem", "ra/01.pem"},
        {"/run/scepd/admin.sock", "admin.sock"},
        {"/run/scepd-ca/ca.sock", "ca.sock"},
    };
    char into[PATH_MAX];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(
            backup_path_into("/etc/scepd/scepd.conf", &settings, rows[i][0], into, NULL), ERR_OK);
        assert_string_equal(into, rows[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_plain), cmocka_unit_test(test_into)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
