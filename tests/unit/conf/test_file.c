// SPDX-License-Identifier: Apache-2.0
// Whole files: limits, modes, and that nothing is overwritten or left half-written.
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/base/file.h"
#include "kit/kit.h"

static int make_folder(void **state)
{
    *state = kit_new_folder();
    return 0;
}

static int remove_folder(void **state)
{
    kit_remove_folder(*state);
    return 0;
}

static void writes_and_reads(void **state)
{
    struct err err = {0};
    struct buf content = {0};
    struct stat status;
    char *path = kit_path(*state, "made");
    umask(0);
    assert_int_equal(file_create(path, 0640, view_of("a\0b", 3), &err), ERR_OK);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0640);
    assert_int_equal(file_read(path, 3, &content, &err), ERR_OK);
    assert_true(view_equal(buf_view(&content), view_of("a\0b", 3)));
    buf_done(&content);
    assert_int_equal(file_create(path, 0600, view_of_text("other"), &err), ERR_EXISTS);
    assert_non_null(strstr(err.text, "made: File exists"));
    assert_int_equal(file_read(path, 100, &content, &err), ERR_OK);
    assert_int_equal(content.len, 3);
    buf_done(&content);
    free(path);
}

static void respects_the_limit(void **state)
{
    enum { LEN = 10000 };
    struct err err = {0};
    struct buf content = {0};
    uint8_t *octets = calloc(1, LEN);
    octets[LEN - 1] = 1;
    char *path = kit_write(*state, "long", view_of(octets, LEN));
    assert_int_equal(file_read(path, LEN - 1, &content, &err), ERR_LIMIT);
    assert_non_null(strstr(err.text, "long is longer than 9999 octets"));
    assert_null(content.data);
    assert_int_equal(file_read(path, LEN, &content, &err), ERR_OK);
    assert_true(view_equal(buf_view(&content), view_of(octets, LEN)));
    buf_done(&content);
    free(octets);
    free(path);
}

static void reads_an_empty_file(void **state)
{
    struct err err = {0};
    struct buf content = {0};
    char *path = kit_write(*state, "empty", VIEW_EMPTY);
    assert_int_equal(file_read(path, 0, &content, &err), ERR_OK);
    assert_int_equal(content.len, 0);
    buf_done(&content);
    free(path);
}

static void reports_what_cannot_be_read(void **state)
{
    struct err err = {0};
    struct buf content = {0};
    char *path = kit_path(*state, "absent");
    assert_int_equal(file_read(path, 10, &content, &err), ERR_NOT_FOUND);
    assert_memory_equal(err.text, "cannot open ", 12);
    assert_int_equal(file_read(*state, 10, &content, &err), ERR_IO);
    assert_memory_equal(err.text, "cannot read ", 12);
    free(path);
    path = kit_path(*state, "no/such/folder");
    assert_int_equal(file_create(path, 0600, VIEW_EMPTY, &err), ERR_NOT_FOUND);
    assert_memory_equal(err.text, "cannot create ", 14);
    free(path);
}

static void leaves_nothing_half_written(void **state)
{
    struct err err = {0};
    struct rlimit before;
    char *path = kit_path(*state, "half");
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    const struct rlimit small = {.rlim_cur = 4, .rlim_max = before.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    enum err_code code = file_create(path, 0600, view_of_text("too long"), &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(code, ERR_IO);
    assert_non_null(strstr(err.text, "half: File too large"));
    assert_int_equal(access(path, F_OK), -1);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_and_reads),
        cmocka_unit_test(respects_the_limit),
        cmocka_unit_test(reads_an_empty_file),
        cmocka_unit_test(reports_what_cannot_be_read),
        cmocka_unit_test(leaves_nothing_half_written),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
