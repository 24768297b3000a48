// SPDX-License-Identifier: Apache-2.0
// The one line that shows how far long work is: what it says, how often, and where it never is.
#include "kit/kit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/ctl/progress.h"

#define TENTH_US 100000
#define MIB      UINT64_C(1048576)

struct screen {
    char *text;
    size_t len;
    FILE *out;
    struct progress progress;
};

static void open_screen(struct screen *screen, enum progress_unit unit)
{
    *screen = (struct screen){0};
    screen->out = open_memstream(&screen->text, &screen->len);
    screen->progress = progress_begin(screen->out, "Copying", unit);
}

static void close_screen(struct screen *screen)
{
    fclose(screen->out);
    free(screen->text);
}

static void test_no_terminal(void **state)
{
    (void)state;
    struct screen screen;
    open_screen(&screen, PROGRESS_OCTETS);
    assert_false(screen.progress.is_shown);
    progress_show(&screen.progress, 1, 2, TENTH_US);
    progress_end(&screen.progress);
    fflush(screen.out);
    assert_int_equal(screen.len, 0);
    close_screen(&screen);
}

static void test_lines(void **state)
{
    (void)state;
    static const struct {
        enum progress_unit unit;
        uint64_t done;
        uint64_t total;
        const char *line;
    } rows[] = {
        {PROGRESS_ITEMS, 0, 200, "\rCopying [..............................]   0 %  0 of 200 "},
        {PROGRESS_ITEMS, 100, 200, "\rCopying [###############...............]  50 %  100 of 200 "},
        {PROGRESS_ITEMS, 200, 200, "\rCopying [##############################] 100 %  200 of 200 "},
        {PROGRESS_OCTETS, 30 * MIB, 40 * MIB,
         "\rCopying [######################........]  75 %  30 of 40 MiB "},
        {PROGRESS_OCTETS, 50 * MIB, 40 * MIB,
         "\rCopying [##############################] 100 %  50 of 40 MiB "},
        {PROGRESS_OCTETS, 3 * MIB, 4 * MIB,
         "\rCopying [######################........]  75 %  3072 of 4096 KiB "},
        {PROGRESS_OCTETS, 2048, 2048, "] 100 %  2 of 2 KiB "},
        {PROGRESS_OCTETS, UINT64_MAX - 1, UINT64_MAX, "] 100 %"},
        {PROGRESS_ITEMS, 7, 0, "\rCopying  7 "},
        {PROGRESS_OCTETS, 7 * MIB, 0, "\rCopying  7168 KiB "},
        {PROGRESS_OCTETS, 70 * MIB, 0, "\rCopying  70 MiB "},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct screen screen;
        open_screen(&screen, rows[i].unit);
        screen.progress.is_shown = true;
        progress_show(&screen.progress, rows[i].done, rows[i].total, 0);
        fflush(screen.out);
        if (strstr(screen.text, rows[i].line) == NULL) {
            fail_msg("\"%s\" is not in \"%s\"", rows[i].line, screen.text);
        }
        assert_int_equal(screen.len, 1 + 78);
        close_screen(&screen);
    }
}

static void test_rate(void **state)
{
    (void)state;
    struct screen screen;
    open_screen(&screen, PROGRESS_ITEMS);
    screen.progress.is_shown = true;
    for (int64_t now = 0; now < 10 * TENTH_US; now += 1000) {
        progress_show(&screen.progress, 1, 2, now);
    }
    fflush(screen.out);
    unsigned lines = 0;
    for (size_t i = 0; i < screen.len; i++) {
        lines += screen.text[i] == '\r';
    }
    assert_int_equal(lines, 10);
    progress_end(&screen.progress);
    progress_end(&screen.progress);
    fflush(screen.out);
    // Wiped once, with the cursor at the line's beginning.
    assert_int_equal(screen.len, 10 * 79 + 80);
    assert_int_equal(screen.text[screen.len - 1], '\r');
    close_screen(&screen);
}

static void test_terminal(void **state)
{
    (void)state;
    int terminal = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(terminal >= 0);
    assert_int_equal(grantpt(terminal), 0);
    assert_int_equal(unlockpt(terminal), 0);
    FILE *out = fopen(ptsname(terminal), "r+e");
    assert_non_null(out);
    assert_true(progress_begin(out, "Copying", PROGRESS_ITEMS).is_shown);
    fclose(out);
    close(terminal);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_terminal),
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_rate),
        cmocka_unit_test(test_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
