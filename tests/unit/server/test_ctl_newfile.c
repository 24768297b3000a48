// SPDX-License-Identifier: Apache-2.0
// New files, one or many, that are there whole or not at all; and signals that wait.
#include "kit/kit.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "conf/base/file.h"
#include "server/ctl/archive/restore_stage.h"
#include "server/ctl/interrupt.h"

static const struct stage_rights rights = {0640, (uid_t)-1, (gid_t)-1};
static const struct stage_rights folder_rights = {0750, (uid_t)-1, (gid_t)-1};

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

#define FOLDER_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static unsigned entries_in(const char *folder)
{
    unsigned count = 0;
    DIR *directory = opendir(folder);
    assert_non_null(directory);
    while (readdir(directory) != NULL) {
        count++;
    }
    closedir(directory);
    return count - 2;
}

static void assert_file(const char *folder, const char *name, const char *expected)
{
    struct buf content = {0};
    char *path = kit_path(folder, name);
    assert_int_equal(file_read(path, 1000, &content, NULL), ERR_OK);
    assert_true(view_is_text(buf_view(&content), expected));
    buf_done(&content);
    free(path);
}

static unsigned mode_of(const char *folder, const char *name)
{
    struct stat status;
    char *path = kit_path(folder, name);
    assert_int_equal(lstat(path, &status), 0);
    free(path);
    return status.st_mode & 07777;
}

static void test_kept(void **state)
{
    struct newfile file = {.fd = -1};
    char *path = kit_path(*state, "new");
    assert_int_equal(newfile_open(path, 0600, &file, NULL), ERR_OK);
    assert_int_equal(newfile_write(&file, view_of_text("hello"), NULL), ERR_OK);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(newfile_keep(&file, NULL), ERR_OK);
    newfile_done(&file);
    assert_int_equal(entries_in(*state), 1);
    assert_file(*state, "new", "hello");
    assert_int_equal(mode_of(*state, "new"), 0600);
    free(path);
}

static void test_not_kept(void **state)
{
    struct newfile file = {.fd = -1};
    char *path = kit_path(*state, "new");
    assert_int_equal(newfile_open(path, 0600, &file, NULL), ERR_OK);
    newfile_done(&file);
    newfile_done(&file);
    assert_int_equal(entries_in(*state), 0);
    free(path);
}

static void test_never_overwritten(void **state)
{
    struct err err = {0};
    struct newfile file = {.fd = -1};
    char *path = kit_write(*state, "old", view_of_text("old"));
    assert_int_equal(newfile_open(path, 0600, &file, &err), ERR_EXISTS);
    assert_non_null(strstr(err.text, "old exists already; it is left as it is"));
    unlink(path);
    assert_int_equal(newfile_open(path, 0600, &file, &err), ERR_OK);
    free(kit_write(*state, "old", view_of_text("faster")));
    assert_int_equal(newfile_keep(&file, &err), ERR_EXISTS);
    newfile_done(&file);
    assert_int_equal(entries_in(*state), 1);
    assert_file(*state, "old", "faster");
    free(path);
}

static void test_no_folder(void **state)
{
    struct err err = {0};
    struct newfile file = {.fd = -1};
    char *path = kit_path(*state, "nowhere/new");
    assert_int_equal(newfile_open(path, 0600, &file, &err), ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "cannot make a file in "));
    free(path);
}

// --- Many of them.

static void add(struct stage *stage, const char *path, const char *content, enum stage_rank rank)
{
    struct err err = {0};
    if (stage_begin(stage, path, &rights, rank, &err) != ERR_OK ||
        stage_write(stage, view_of_text(content), &err) != ERR_OK ||
        stage_end(stage, &err) != ERR_OK) {
        fail_msg("%s", err.text);
    }
}

// A folder with settings, store, file and link in it.
static struct stage *make(const char *folder)
{
    struct stage *stage = NULL;
    char *top = kit_path(folder, "top");
    char *store = kit_path(top, "store/data.mdb");
    char *settings = kit_path(top, "scepd.conf");
    char *cert = kit_path(top, "a/b/ca.pem");
    char *link = kit_path(top, "current");
    assert_int_equal(stage_new(&stage, NULL), ERR_OK);
    assert_int_equal(stage_add_folder(stage, top, &folder_rights, NULL), ERR_OK);
    assert_int_equal(stage_add_folder(stage, top, &folder_rights, NULL), ERR_OK);
    assert_int_equal(stage_add_parents(stage, top, store, NULL), ERR_OK);
    assert_int_equal(stage_add_parents(stage, top, cert, NULL), ERR_OK);
    add(stage, settings, "settings", STAGE_SETTINGS);
    add(stage, store, "store", STAGE_STORE);
    add(stage, cert, "cert", STAGE_FILE);
    assert_int_equal(stage_add_link(stage, link, "0123", NULL), ERR_OK);
    assert_int_equal(access(settings, F_OK), -1);
    assert_int_equal(access(store, F_OK), -1);
    assert_int_equal(access(stage_settings(stage), F_OK), 0);
    assert_int_equal(access(stage_store_folder(stage), F_OK), 0);
    free(top);
    free(store);
    free(settings);
    free(cert);
    free(link);
    return stage;
}

static void test_all(void **state)
{
    struct stage *stage = make(*state);
    assert_int_equal(stage_commit(stage, NULL), ERR_OK);
    stage_keep(stage);
    stage_free(stage);
    assert_file(*state, "top/scepd.conf", "settings");
    assert_file(*state, "top/store/data.mdb", "store");
    assert_file(*state, "top/a/b/ca.pem", "cert");
    assert_int_equal(mode_of(*state, "top"), 0750);
    assert_int_equal(mode_of(*state, "top/store"), 0700);
    assert_int_equal(mode_of(*state, "top/store/data.mdb"), 0640);
    char *top = kit_path(*state, "top");
    char *store = kit_path(top, "store");
    assert_int_equal(entries_in(top), 4);
    assert_int_equal(entries_in(store), 1);
    free(store);
    free(top);
}

static void test_none(void **state)
{
    stage_free(make(*state));
    assert_int_equal(entries_in(*state), 0);
    struct stage *stage = make(*state);
    assert_int_equal(stage_commit(stage, NULL), ERR_OK);
    stage_free(stage); // not kept
    assert_int_equal(entries_in(*state), 0);
}

// Somebody makes a file of the last name meanwhile: it stays, and nothing else does.
static void test_somebody_faster(void **state)
{
    struct err err = {0};
    struct stage *stage = make(*state);
    free(kit_write(*state, "top/scepd.conf", view_of_text("faster")));
    assert_int_equal(stage_commit(stage, &err), ERR_EXISTS);
    assert_non_null(strstr(err.text, "scepd.conf exists already"));
    stage_free(stage);
    char *top = kit_path(*state, "top");
    assert_int_equal(entries_in(top), 1);
    assert_file(*state, "top/scepd.conf", "faster");
    free(top);
}

static void test_in_the_way(void **state)
{
    struct err err = {0};
    struct stage *stage = NULL;
    char *path = kit_write(*state, "file", view_of_text("old"));
    assert_int_equal(stage_new(&stage, NULL), ERR_OK);
    assert_int_equal(stage_add_folder(stage, path, &folder_rights, &err), ERR_EXISTS);
    assert_non_null(strstr(err.text, "exists and is not a folder"));
    assert_int_equal(stage_add_link(stage, path, "0123", &err), ERR_EXISTS);
    stage_free(stage);
    assert_file(*state, "file", "old");
    free(path);
}

static void test_interrupt(void **state)
{
    (void)state;
    struct err err = {0};
    struct interrupt interrupt = interrupt_hold();
    assert_int_equal(interrupt_check(&err), ERR_OK);
    raise(SIGTERM);
    assert_int_equal(interrupt_check(&err), ERR_DENIED);
    assert_string_equal(err.text, "interrupted");
    // Taken away again, so that the test outlives the release.
    sigset_t term;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    const struct timespec none = {0};
    assert_int_equal(sigtimedwait(&term, NULL, &none), SIGTERM);
    interrupt_release(&interrupt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FOLDER_TEST(test_kept),
        FOLDER_TEST(test_not_kept),
        FOLDER_TEST(test_never_overwritten),
        FOLDER_TEST(test_no_folder),
        FOLDER_TEST(test_all),
        FOLDER_TEST(test_none),
        FOLDER_TEST(test_somebody_faster),
        FOLDER_TEST(test_in_the_way),
        cmocka_unit_test(test_interrupt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
