// SPDX-License-Identifier: Apache-2.0
// scepctl backup, restore and export against a running admin interface.
#include "ctl_fixture.h"

#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/backup_kit.h"
#include "server/ctl/archive/restore_target.h"

#define NEXT      "0123456789abcdef"
#define NEXT_CERT "generations/0123456789abcdef/ca.pem"
#define NEXT_KEY  "generations/0123456789abcdef/ca.key"

static char *backup_path(struct fixture *fixture)
{
    return kit_path(fixture->folder, "backup.tar");
}

// A backup of a server with two certificates and a CA of a rollover.
static char *make(struct fixture *fixture, const char *option)
{
    char *path = backup_path(fixture);
    char *folder = kit_path(fixture->folder, "generations/" NEXT);
    char *link = kit_path(fixture->folder, "generations/next");
    assert_int_equal(mkdir(folder, 0700), 0);
    assert_int_equal(symlink(NEXT, link), 0);
    free(kit_write(folder, "ca.pem", view_of_text("certificate")));
    free(kit_write(folder, "ca.key", view_of_text("key")));
    fixture_add_certificate(fixture, 1, "SEP001A2B3C4D5E", "001A2B3C4D5E", FIXTURE_LONG_AGO);
    fixture_add_certificate(fixture, 2, "=cmd|' /C calc'!A0", "", FIXTURE_FAR_FUTURE);
    struct outcome made = succeed(fixture, (const char *[]){"backup", path, option, NULL});
    assert_contains(made.out, "holds the store (2 certificates, ");
    outcome_done(&made);
    free(folder);
    free(link);
    return path;
}

static json_t *manifest_of(struct fixture *fixture)
{
    struct err err = {0};
    json_t *manifest = NULL;
    if (backup_kit_verify(fixture->folder, "backup.tar", &manifest, &err) != ERR_OK) {
        fail_msg("%s", err.text);
    }
    return manifest;
}

static void test_manifest(void **state)
{
    struct fixture *fixture = *state;
    char *path = make(fixture, NULL);
    json_t *manifest = manifest_of(fixture);
    static const char *const members[] = {
        "store/data.mdb", "scepd.conf", "ra.pem",        "ra.key",  "issuing.pem",
        "issuing.key",    "root.pem",   "challenge.key", NEXT_CERT, NEXT_KEY,
    };
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        const json_t *file = manifest_find(manifest, members[i]);
        assert_non_null(file);
        bool is_key = strstr(members[i], ".key") != NULL;
        assert_int_equal(json_is_true(json_object_get(file, "is_key")), is_key);
    }
    assert_int_equal(json_array_size(json_object_get(manifest, "files")),
                     sizeof members / sizeof members[0]);
    const json_t *link = json_array_get(json_object_get(manifest, "links"), 0);
    assert_string_equal(json_string_value(json_object_get(link, "path")), "generations/next");
    assert_string_equal(json_string_value(json_object_get(link, "target")), NEXT);
    // The root's key is named by no setting.
    assert_null(manifest_find(manifest, "root.key"));
    json_decref(manifest);
    free(path);
}

static void test_without_keys(void **state)
{
    struct fixture *fixture = *state;
    char *path = make(fixture, "--without-keys");
    json_t *manifest = manifest_of(fixture);
    size_t i;
    const json_t *file;
    assert_true(json_is_false(json_object_get(manifest, "has_keys")));
    json_array_foreach(json_object_get(manifest, "files"), i, file)
    {
        assert_true(json_is_false(json_object_get(file, "is_key")));
    }
    assert_int_equal(json_array_size(json_object_get(manifest, "files")), 6);
    assert_int_equal(json_array_size(json_object_get(manifest, "left_out")), 4);
    json_decref(manifest);
    free(path);
}

static void test_restore_into(void **state)
{
    struct fixture *fixture = *state;
    char *path = make(fixture, NULL);
    char *into = kit_path(fixture->folder, "again");
    struct outcome restored =
        succeed(fixture, (const char *[]){"--json", "restore", path, "--into", into, NULL});
    json_t *answer = json_loads(restored.out, 0, NULL);
    assert_int_equal(json_integer_value(json_object_get(answer, "certificates")), 2);
    assert_int_equal(json_integer_value(json_object_get(answer, "files")), 10);
    assert_int_equal(json_integer_value(json_object_get(answer, "kept")), 0);
    json_decref(answer);
    outcome_done(&restored);

    struct store *store = NULL;
    char *directory = kit_path(into, "store");
    assert_int_equal(store_open(directory, FIXTURE_STORE_OCTETS, &store, NULL), ERR_OK);
    struct store_certificate found = {0};
    assert_int_equal(store_find_device(store, "001A2B3C4D5E", &found, NULL), ERR_OK);
    store_certificate_done(&found);
    store_close(store);
    free(directory);

    char link[64] = "";
    char *next = kit_path(into, "generations/next");
    assert_int_equal(readlink(next, link, sizeof link), strlen(NEXT));
    assert_string_equal(link, NEXT);
    free(next);
    fail_with(fixture, (const char *[]){"restore", path, "--into", into, NULL},
              "again exists already; name a new folder; nothing was restored");
    free(into);
    free(path);
}

static void test_restore_refused(void **state)
{
    struct fixture *fixture = *state;
    char *path = make(fixture, NULL);
    fail_with(fixture, (const char *[]){"restore", path, NULL}, "scepd runs: it answers at ");
    fail_with(fixture, (const char *[]){"restore", fixture->config, NULL},
              "damaged or no archive of scepctl");
    fail_with(fixture, (const char *[]){"backup", path, NULL}, "exists already");
    fail_with(fixture, (const char *[]){"backup", "/nonexistent/b.tar", NULL},
              "cannot make a file in /nonexistent");
    free(path);
}

static void test_unreadable_key(void **state)
{
    struct fixture *fixture = *state;
    char *key = kit_path(fixture->folder, "issuing.key");
    char *path = backup_path(fixture);
    assert_int_equal(unlink(key), 0);
    fail_with(fixture, (const char *[]){"backup", path, NULL},
              "issuing.key, which ca.key names: No such file");
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(mkdir(key, 0700), 0);
    fail_with(fixture, (const char *[]){"backup", path, NULL}, "which ca.key names");
    assert_int_equal(rmdir(key), 0);
    assert_int_equal(mkfifo(key, 0600), 0);
    fail_with(fixture, (const char *[]){"backup", path, NULL}, "is not a regular file");
    assert_int_equal(access(path, F_OK), -1);
    free(path);
    free(key);
}

// --- Where it may be restored to.

static json_t *manifest_in(const char *folder)
{
    json_t *manifest = backup_kit_manifest();
    json_t *files = json_object_get(manifest, "files");
    json_object_set_new(manifest, "store", json_sprintf("%s/store", folder));
    json_object_set_new(manifest, "settings", json_sprintf("%s/scepd.conf", folder));
    json_object_set_new(manifest, "admin_socket", json_sprintf("%s/admin.sock", folder));
    json_object_set_new(json_array_get(files, 0), "restore_to",
                        json_sprintf("%s/store/data.mdb", folder));
    json_object_set_new(json_array_get(files, 1), "restore_to",
                        json_sprintf("%s/scepd.conf", folder));
    json_array_append_new(files, backup_kit_file("ca.pem", "/", view_of_text("certificate")));
    json_object_set_new(json_array_get(files, 2), "restore_to", json_sprintf("%s/ca.pem", folder));
    json_object_set_new(json_array_get(json_object_get(manifest, "links"), 0), "restore_to",
                        json_sprintf("%s/current", folder));
    return manifest;
}

static void assert_target(const json_t *manifest, enum err_code code, const char *words)
{
    struct err err = {0};
    const struct restore_target target = {.manifest = manifest};
    assert_int_equal(restore_target_check(&target, &err), code);
    assert_contains(err.text, words);
}

static void test_target(void **state)
{
    (void)state;
    char *folder = kit_new_folder();
    char *store = kit_path(folder, "store");
    json_t *manifest = manifest_in(folder);
    assert_target(manifest, ERR_OK, "");

    free(kit_write(folder, "ca.pem", view_of_text("certificate")));
    assert_target(manifest, ERR_OK, "");
    free(kit_write(folder, "ca.pem", view_of_text("another one")));
    assert_target(manifest, ERR_EXISTS, "ca.pem exists already, and nothing is overwritten");
    char *cert = kit_path(folder, "ca.pem");
    unlink(cert);

    char *link = kit_path(folder, "current");
    assert_int_equal(symlink(NEXT, link), 0);
    assert_target(manifest, ERR_OK, "");
    unlink(link);
    assert_int_equal(symlink("elsewhere", link), 0);
    assert_target(manifest, ERR_EXISTS, "current exists already");
    unlink(link);

    // The settings and the store never count as the same, whatever is in them.
    free(kit_write(folder, "scepd.conf", view_of_text(BACKUP_KIT_CONFIG)));
    assert_target(manifest, ERR_EXISTS, "scepd.conf exists already");
    char *settings = kit_path(folder, "scepd.conf");
    unlink(settings);

    assert_int_equal(mkdir(store, 0700), 0);
    char *lock = kit_write(store, "scepd.lock", VIEW_EMPTY);
    assert_target(manifest, ERR_OK, "");
    int fd = open(lock, O_RDWR | O_CLOEXEC);
    assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
    assert_target(manifest, ERR_BUSY, "scepd runs: it holds the store in ");
    close(fd);
    free(kit_write(store, "data.mdb", view_of_text(BACKUP_KIT_STORE)));
    assert_target(manifest, ERR_EXISTS, "store/data.mdb exists already");

    json_decref(manifest);
    free(lock);
    free(settings);
    free(link);
    free(cert);
    free(store);
    kit_remove_folder(folder);
}

static void test_unknown_owner(void **state)
{
    (void)state;
    if (geteuid() != 0) {
        skip(); // only root gives files away
    }
    char *folder = kit_new_folder();
    json_t *manifest = manifest_in(folder);
    json_t *file = json_array_get(json_object_get(manifest, "files"), 2);
    json_object_set_new(file, "owner", json_string("no-such-user"));
    assert_target(manifest, ERR_NOT_FOUND, "this machine has no user \"no-such-user\", whose ");
    json_object_set_new(file, "owner", json_string("root"));
    json_object_set_new(file, "group", json_string("no-such-group"));
    assert_target(manifest, ERR_NOT_FOUND, "this machine has no group \"no-such-group\", whose ");
    json_decref(manifest);
    kit_remove_folder(folder);
}

// --- Export.

static void test_export(void **state)
{
    struct fixture *fixture = *state;
    fixture_add_certificate(fixture, 1, "SEP001A2B3C4D5E", "001A2B3C4D5E", FIXTURE_LONG_AGO);
    fixture_add_certificate(fixture, 2, "=cmd|' /C calc'!A0", "", FIXTURE_FAR_FUTURE);
    struct outcome csv = succeed(fixture, (const char *[]){"export", "--format", "csv", NULL});
    assert_contains(csv.out, "\"serial\",\"common_name\",\"mac\",\"device\",\"status\",");
    assert_contains(csv.out, "\"01020000000000000000000000000000\",\"'=cmd|' /C calc'!A0\",\"\",");
    assert_contains(csv.out, "\"SEP001A2B3C4D5E\",\"001A2B3C4D5E\",\"001A2B3C4D5E\",\"expired\",");
    outcome_done(&csv);
    struct outcome pem = succeed(fixture, (const char *[]){"export", "--format", "pem", NULL});
    assert_memory_equal(pem.out, "-----BEGIN CERTIFICATE-----\n", 28);
    outcome_done(&pem);
    struct outcome lines = succeed(fixture, (const char *[]){"--json", "export", NULL});
    json_t *first = json_loads(lines.out, JSON_DISABLE_EOF_CHECK, NULL);
    assert_string_equal(json_string_value(json_object_get(first, "common_name")),
                        "=cmd|' /C calc'!A0");
    json_decref(first);
    outcome_done(&lines);
}

// More than scepd gives on one page, each of them once.
static void test_export_pages(void **state)
{
    struct fixture *fixture = *state;
    enum { COUNT = 251 };
    for (unsigned i = 1; i <= COUNT; i++) {
        char cn[32];
        snprintf(cn, sizeof cn, "phone-%u", i);
        struct store_certificate record =
            fixture_certificate((uint8_t)i, cn, "", FIXTURE_FAR_FUTURE);
        record.serial[2] = (uint8_t)(i >> 8);
        fixture_write_certificate(fixture, &record);
    }
    struct outcome csv = succeed(fixture, (const char *[]){"export", "--format", "csv", NULL});
    for (unsigned i = 1; i <= COUNT; i++) {
        char cell[32];
        snprintf(cell, sizeof cell, ",\"phone-%u\",\"\",", i);
        char *found = strstr(csv.out, cell);
        assert_non_null(found);
        assert_null(strstr(found + 1, cell));
    }
    outcome_done(&csv);
}

static void test_export_usage(void **state)
{
    static const struct {
        const char *words[6];
        const char *errors;
    } rows[] = {
        {{"export", NULL}, "export needs --format pem, csv or jsonl"},
        {{"export", "--format", "xml", NULL}, "\"xml\"; allowed are pem, csv, jsonl"},
        {{"--json", "export", "--format", "csv", NULL}, "\"csv\"; allowed with --json is jsonl"},
        {{"restore", "x", "--into", "", NULL}, "--into: \"\""},
        {{"backup", NULL}, "backup needs FILE"},
        {{"restore", "/nonexistent", NULL}, "cannot open /nonexistent: No such file or directory"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct outcome outcome = run(*state, rows[i].words);
        assert_contains(outcome.errors, rows[i].errors);
        assert_int_equal(outcome.code, CTL_USAGE);
        outcome_done(&outcome);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_manifest),          FIXTURE_TEST(test_without_keys),
        FIXTURE_TEST(test_restore_into),      FIXTURE_TEST(test_restore_refused),
        FIXTURE_TEST(test_unreadable_key),    cmocka_unit_test(test_target),
        cmocka_unit_test(test_unknown_owner), FIXTURE_TEST(test_export),
        FIXTURE_TEST(test_export_pages),      FIXTURE_TEST(test_export_usage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
