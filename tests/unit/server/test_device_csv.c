// SPDX-License-Identifier: Apache-2.0
// Device lists as administrators' programs write them: which lines count, which do not, and why.
#include "kit/kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/admin/admin_resources.h"
#include "server/ctl/fleet/device_csv.h"

#define LONG_LEN 5000 // octets; a line may have 4096

static enum err_code read_octets(const char *octets, size_t len, struct device_csv *ret_csv,
                                 struct err *err)
{
    FILE *in = len > 0 ? fmemopen((void *)octets, len, "r") : fopen("/dev/null", "r");
    assert_non_null(in);
    enum err_code code = device_csv_read(in, ret_csv, err);
    fclose(in);
    return code;
}

static struct device_csv read_text(const char *text)
{
    struct err err = {0};
    struct device_csv csv = {0};
    if (read_octets(text, strlen(text), &csv, &err) != ERR_OK) {
        fail_msg("\"%s\": %s", text, err.text);
    }
    return csv;
}

// "MAC/SERIAL/MODEL/NOTE" of a device.
static const char *device_text(const json_t *device, char text[LONG_LEN])
{
    static const char *const keys[] = {"mac", "serial_number", "model", "note"};
    size_t used = 0;
    for (size_t i = 0; i < 4; i++) {
        const char *value = json_string_value(json_object_get(device, keys[i]));
        used += (size_t)snprintf(text + used, LONG_LEN - used, "%s%s", i > 0 ? "/" : "", value);
    }
    return text;
}

static void test_good_files(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        const char *devices[4];
    } rows[] = {
        {"", {NULL}},
        {"\n\r\n  \n", {NULL}},
        {"mac,serial,model,note\n", {NULL}},
        {"001A2B3C4D5E", {"001A2B3C4D5E///"}},
        {"001A2B3C4D5E\n", {"001A2B3C4D5E///"}},
        {"001a.2b3c.4d5e\r\n00-00-00-00-00-01\r\n", {"001A2B3C4D5E///", "000000000001///"}},
        {"00:1A:2B:3C:4D:5E,fch2133e8b9,CP-8861,lobby\n",
         {"001A2B3C4D5E/FCH2133E8B9/CP-8861/lobby"}},
        {",FCH2133E8B9\n", {"/FCH2133E8B9//"}},
        {"\xef\xbb\xbfmac,note\r\n001A2B3C4D5E,M\xc3\xbcller\r\n",
         {"001A2B3C4D5E///M\xc3\xbcller"}},
        {"\xef\xbb\xbf"
         "001A2B3C4D5E\n",
         {"001A2B3C4D5E///"}},
        {"Note,SERIAL_NUMBER,Mac\nx,FCH1,001A2B3C4D5E\n", {"001A2B3C4D5E/FCH1//x"}},
        {"serial\nfch1\nFCH2\n", {"/FCH1//", "/FCH2//"}},
        {"\n\nserial,model\n\nFCH1,9871\n\n", {"/FCH1/9871/"}},
        {" mac , note \n 001A2B3C4D5E , two words \n", {"001A2B3C4D5E///two words"}},
        {"mac,note\n\"001A2B3C4D5E\",\"a, \"\"b\"\"\"\n", {"001A2B3C4D5E///a, \"b\""}},
        {"001A2B3C4D5E,,,\n", {"001A2B3C4D5E///"}},
        {"001A2B3C4D5E,FCH1\n000000000001,FCH2\n", {"001A2B3C4D5E/FCH1//", "000000000001/FCH2//"}},
        {"021A2B3C4D5E,,,a; b\n", {"021A2B3C4D5E///a; b"}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[LONG_LEN];
        struct device_csv csv = read_text(rows[i].file);
        assert_int_equal(json_array_size(csv.problems), 0);
        size_t count = 0;
        for (; rows[i].devices[count] != NULL; count++) {
            assert_string_equal(device_text(json_array_get(csv.devices, count), text),
                                rows[i].devices[count]);
        }
        assert_int_equal(json_array_size(csv.devices), count);
        device_csv_done(&csv);
    }
}

#define GOOD "000000000001\n"

// Each file has one bad line, and a good one before and after it.
static void test_bad_lines(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        const char *message;
    } rows[] = {
        {"001A2B3C4D5", "\"001A2B3C4D5\" is not a MAC address; write 12 hex digits"},
        {"001A2B3C4D5G,FCH1", "is not a MAC address"},
        {",", "neither a MAC nor a serial number; one of them is needed"},
        {",,CP-8861,lobby", "neither a MAC nor a serial number"},
        {"001A2B3C4D5E,FCH1,CP-8861,lobby,x", "5 columns; allowed are 1 to 4"},
        {"001A2B3C4D5E,,,,,,,,,,,,,,,,,,,,", "21 columns; allowed are 1 to 4"},
        {"001A2B3C4D5E;FCH1;CP-8861", "is not a MAC address"},
        {",FCH 1", "\"FCH 1\" is not a device's serial number; allowed are letters, digits"},
        {",FCH\xc3\xbc", "is not a device's serial number"},
        {",ABCDEFGHIJKLMNOPQRSTUVWXYZ012345",
         "the serial number \"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345\" has 32 characters; allowed are 1 "
         "to 31"},
        {"001A2B3C4D5E,,CP-8861-CP-8861-CP-8861-CP-8861-CP-8861-CP-8861-CP-8861-CP-8861-X",
         "the model is 65 octets long; allowed are 63"},
        {"001A2B3C4D5E,,,a\tb", "the note has control characters"},
        {"001A2B3C4D5E,,,\x1b[2J", "the note has control characters"},
        {"001A2B3C4D5E,,,\xff", "not UTF-8 text"},
        {"001A2B3C4D5E,,,\"open", "a quote that is not closed on its line"},
        {"001A2B3C4D5E,,,\"a\"b", "a quote that is not closed on its line"},
        {"001A2B3C4D5E,,,a\"b", "a quote that is not closed on its line"},
        {"001A2B3C4D5E\r001A2B3C4D5F", "a carriage return in the middle"},
        {"000000000001,FCH1", "the MAC 000000000001 is on line 1 already"},
        {"mac,serial,model,note", "\"mac\" is not a MAC address"},
        {"001A2B3C4D5E6", "\"001A2B3C4D5E6\" is not a MAC address"},
        {"00:1A:2B:3C:4D", "\"00:1A:2B:3C:4D\" is not a MAC address"},
        {"00:1A:2B-3C:4D:5E", "is not a MAC address"},
        {"000000000000", "the MAC 000000000000 is all zeros; no device has it"},
        {"ff:ff:ff:ff:ff:ff", "the MAC FFFFFFFFFFFF is the broadcast address; no device has it"},
        {"01005e000001", "the MAC 01005E000001 is the multicast address of a group"},
        {"333300000001", "the MAC 333300000001 is the multicast address of a group"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char file[512];
        snprintf(file, sizeof file, GOOD "%s\n000000000003\n", rows[i].line);
        struct device_csv csv = read_text(file);
        const json_t *problem = json_array_get(csv.problems, 0);
        const char *message = json_string_value(json_object_get(problem, "message"));
        assert_int_equal(json_array_size(csv.devices), 2);
        assert_int_equal(json_array_size(csv.problems), 1);
        assert_int_equal(json_integer_value(json_object_get(problem, "line")), 2);
        if (strstr(message, rows[i].message) == NULL) {
            fail_msg("\"%s\": %s; expected %s", rows[i].line, message, rows[i].message);
        }
        device_csv_done(&csv);
    }
}

static void assert_problem(const struct device_csv *csv, size_t at, int line, const char *message)
{
    const json_t *problem = json_array_get(csv->problems, at);
    assert_int_equal(json_integer_value(json_object_get(problem, "line")), line);
    assert_string_equal(json_string_value(json_object_get(problem, "message")), message);
}

static void test_duplicates(void **state)
{
    (void)state;
    struct device_csv csv = read_text("mac,serial\n001A2B3C4D5E,FCH1\n,FCH2\n00:1a:2b:3c:4d:5e,\n"
                                      ",fch1\n000000000001,FCH2\n000000000001,FCH3\n");
    assert_int_equal(json_array_size(csv.devices), 3);
    assert_int_equal(json_array_size(csv.problems), 3);
    assert_problem(&csv, 0, 4, "the MAC 001A2B3C4D5E is on line 2 already");
    assert_problem(&csv, 1, 5, "the serial number FCH1 is on line 2 already");
    assert_problem(&csv, 2, 6, "the serial number FCH2 is on line 3 already");
    device_csv_done(&csv); // a bad line's MAC is free for a good one
}

static void test_columns_of_a_header(void **state)
{
    (void)state;
    struct device_csv csv = read_text("mac,note\n001A2B3C4D5E\n001A2B3C4D5E,a,b\n001A2B3C4D5E,a\n");
    assert_int_equal(json_array_size(csv.devices), 1);
    assert_problem(&csv, 0, 2, "1 columns; the first line has 2");
    assert_problem(&csv, 1, 3, "3 columns; the first line has 2");
    device_csv_done(&csv);
}

// A first line that does not say what the columns are: nothing of the file is taken.
static void test_bad_headers(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        const char *message;
    } rows[] = {
        {"mac,color\n" GOOD, "line 1: unknown column \"color\"; allowed are mac, serial (or "
                             "serial_number), model, note"},
        {"mac,\n" GOOD, "line 1: unknown column \"\""},
        {"\nmac,note,MAC\n" GOOD, "line 2: the column \"MAC\" is there twice"},
        {"serial,serial_number\n" GOOD, "the column \"serial_number\" is there twice"},
        {"note,model\n" GOOD, "neither a column mac nor serial"},
        {"mac,\"note\n" GOOD, "line 1: a quote that is not closed"},
        {"mac,\xff\n" GOOD, "line 1: not UTF-8 text"},
        {"\xff\xfem\n" GOOD, "line 1: UTF-16 text; the file must be UTF-8 (spreadsheets"},
        {"\xfe\xffm\n" GOOD, "line 1: UTF-16 text"},
        {"mac;note\n" GOOD, "line 1: columns with semicolons between them; allowed are commas"},
        {"001A2B3C4D5E;FCH1\n", "line 1: columns with semicolons between them"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err err = {0};
        struct device_csv csv = {0};
        assert_int_equal(read_octets(rows[i].file, strlen(rows[i].file), &csv, &err), ERR_SYNTAX);
        assert_null(csv.devices);
        if (strstr(err.text, rows[i].message) == NULL) {
            fail_msg("%s; expected %s", err.text, rows[i].message);
        }
    }
}

#define EUROS "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac"

// A text that is cut for a message is cut between octets, and still a text.
static void test_cut_in_a_character(void **state)
{
    (void)state;
    static const char file[] = GOOD EUROS EUROS EUROS EUROS EUROS "\n";
    struct device_csv csv = read_text(file);
    const json_t *problem = json_array_get(csv.problems, 0);
    const char *message = json_string_value(json_object_get(problem, "message"));
    assert_non_null(message);
    assert_non_null(strstr(message, "is not a MAC address"));
    device_csv_done(&csv);
}

static void test_long_line_and_nul(void **state)
{
    (void)state;
    static const char rest[] = "\n000000000002,,,a\0b\n000000000003";
    struct buf file = {0};
    struct err err = {0};
    struct device_csv csv = {0};
    char line[LONG_LEN];
    memset(line, 'x', sizeof line);
    assert_int_equal(buf_append(&file, view_of_text(GOOD), NULL), ERR_OK);
    assert_int_equal(buf_append(&file, view_of(line, sizeof line), NULL), ERR_OK);
    assert_int_equal(buf_append(&file, view_of(rest, sizeof rest - 1), NULL), ERR_OK);
    assert_int_equal(read_octets((const char *)file.data, file.len, &csv, &err), ERR_OK);
    buf_done(&file);
    assert_int_equal(json_array_size(csv.devices), 2);
    assert_problem(&csv, 0, 2, "longer than 4096 octets");
    assert_problem(&csv, 1, 3, "a NUL octet; the file must be UTF-8 text");
    device_csv_done(&csv);
}

static char *many(unsigned count, size_t *ret_len)
{
    char *file = NULL;
    FILE *out = open_memstream(&file, ret_len);
    for (unsigned i = 1; i <= count; i++) {
        fprintf(out, "%012X,,,%u\n", i, i);
    }
    fclose(out);
    return file;
}

static void test_too_many(void **state)
{
    (void)state;
    size_t len;
    struct err err = {0};
    struct device_csv csv = {0};
    char *file = many(ADMIN_DEVICES_MAX + 1, &len);
    assert_int_equal(read_octets(file, len, &csv, &err), ERR_LIMIT);
    assert_string_equal(err.text, "more than 100000 devices; import them in parts");
    free(file);
}

// Cut anywhere and with any bit flipped: every line is a device or a problem, and none is lost.
static void test_damaged_files(void **state)
{
    (void)state;
    static const char whole[] = "\xef\xbb\xbfmac,serial,model,note\r\n"
                                "00:1A:2B:3C:4D:5E,FCH1,CP-8861,\"a, \"\"b\"\"\"\r\n"
                                ",FCH2,,M\xc3\xbcller\r\n";
    for (size_t len = 0; len <= strlen(whole); len++) {
        struct err err = {0};
        struct device_csv csv = {0};
        if (read_octets(whole, len, &csv, &err) == ERR_OK) {
            assert_true(json_array_size(csv.devices) + json_array_size(csv.problems) <= 2);
        }
        device_csv_done(&csv);
    }
    for (size_t bit = 0; bit < 8 * strlen(whole); bit++) {
        struct err err = {0};
        char flipped[sizeof whole];
        struct device_csv csv = {0};
        memcpy(flipped, whole, sizeof whole);
        flipped[bit / 8] = (char)(flipped[bit / 8] ^ 1 << bit % 8);
        if (read_octets(flipped, strlen(whole), &csv, &err) == ERR_OK) {
            size_t lines = json_array_size(csv.devices) + json_array_size(csv.problems);
            assert_in_range(lines, 1, 4);
        }
        device_csv_done(&csv);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_files),        cmocka_unit_test(test_bad_lines),
        cmocka_unit_test(test_duplicates),        cmocka_unit_test(test_columns_of_a_header),
        cmocka_unit_test(test_bad_headers),       cmocka_unit_test(test_cut_in_a_character),
        cmocka_unit_test(test_long_line_and_nul), cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_damaged_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
