// SPDX-License-Identifier: Apache-2.0
// The bounded codec: exact octets, round trips, and every way an input can be too short or long.
#include <string.h>

#include "conf/base/wire.h"
#include "kit/kit.h"

static struct buf encode_all(void)
{
    struct buf buf = {0};
    struct err err = {0};
    struct wire_writer writer = wire_write(&buf);
    wire_put_u8(&writer, 0xab);
    wire_put_u16(&writer, 0x0102);
    wire_put_u32(&writer, 0x03040506);
    wire_put_u64(&writer, 0x0708090a0b0c0d0e);
    wire_put_i64(&writer, -2);
    wire_put_octets(&writer, view_of_text("hi"));
    wire_put_octets(&writer, VIEW_EMPTY);
    wire_put_fixed(&writer, "xyz", 3);
    assert_int_equal(wire_finish(&writer, &err), ERR_OK);
    return buf;
}

static const uint8_t expected[] = {
    0xab, 1,    2,    3,    4,    5, 6, 7, 8, 9,   10,  11, 12, 13, 14, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xfe, 0, 0, 0, 2, 'h', 'i', 0,  0,  0,  0,  'x',  'y',  'z'};

static void writes_big_endian(void **state)
{
    (void)state;
    struct buf buf = encode_all();
    assert_int_equal(buf.len, sizeof expected);
    assert_memory_equal(buf.data, expected, sizeof expected);
    buf_done(&buf);
}

// Reads what encode_all() wrote; true when nothing failed and nothing is left.
static bool decode_all(struct view octets)
{
    char fixed[3];
    struct wire_reader reader = wire_read(octets);
    uint8_t u8 = wire_get_u8(&reader);
    uint16_t u16 = wire_get_u16(&reader);
    uint32_t u32 = wire_get_u32(&reader);
    uint64_t u64 = wire_get_u64(&reader);
    int64_t i64 = wire_get_i64(&reader);
    struct view text = wire_get_octets(&reader, 2);
    struct view empty = wire_get_octets(&reader, 0);
    wire_get_fixed(&reader, fixed, sizeof fixed);
    if (!wire_is_complete(&reader)) {
        return false;
    }
    assert_int_equal(u8, 0xab);
    assert_int_equal(u16, 0x0102);
    assert_int_equal(u32, 0x03040506);
    assert_int_equal(u64, 0x0708090a0b0c0d0e);
    assert_int_equal(i64, -2);
    assert_true(view_is_text(text, "hi"));
    assert_int_equal(empty.len, 0);
    assert_memory_equal(fixed, "xyz", 3);
    return true;
}

static void reads_only_the_exact_length(void **state)
{
    (void)state;
    uint8_t longer[sizeof expected + 1] = {0};
    memcpy(longer, expected, sizeof expected);
    assert_true(decode_all(view_of(expected, sizeof expected)));
    assert_false(decode_all(view_of(longer, sizeof longer)));
    for (size_t len = 0; len < sizeof expected; len++) {
        uint8_t *cut = malloc(len + 1); // so that ASan sees a read beyond the end
        memcpy(cut, expected, len);
        assert_false(decode_all(view_of(cut, len)));
        free(cut);
    }
}

static void failure_sticks(void **state)
{
    (void)state;
    char fixed[4] = "abc";
    struct wire_reader reader = wire_read(view_of("\x01\x02\x03", 3));
    assert_int_equal(wire_get_u32(&reader), 0);
    assert_int_equal(wire_get_u8(&reader), 0);
    assert_int_equal(wire_get_octets(&reader, 10).len, 0);
    wire_get_fixed(&reader, fixed, sizeof fixed);
    assert_memory_equal(fixed, "\0\0\0\0", 4);
    assert_false(wire_is_complete(&reader));
}

static void octets_have_a_limit(void **state)
{
    (void)state;
    const struct {
        struct view input;
        size_t max_len;
        bool is_good;
    } cases[] = {
        {view_of("\0\0\0\x03xyz", 7), 3, true},
        {view_of("\0\0\0\x03xyz", 7), 2, false},
        {view_of("\0\0\0\x04xyz", 7), 9, false},
        {view_of("\xff\xff\xff\xffxyz", 7), SIZE_MAX, false},
        {view_of("\0\0\0", 3), 9, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct wire_reader reader = wire_read(cases[i].input);
        struct view octets = wire_get_octets(&reader, cases[i].max_len);
        assert_int_equal(wire_is_complete(&reader), cases[i].is_good);
        assert_int_equal(octets.len, cases[i].is_good ? 3 : 0);
    }
}

static void writer_reports_what_does_not_fit(void **state)
{
    (void)state;
    struct buf buf = {0};
    struct err err = {0};
    struct wire_writer writer = wire_write(&buf);
    wire_put_octets(&writer, view_of("", (size_t)UINT32_MAX + 1));
    wire_put_u8(&writer, 1);
    assert_int_equal(wire_finish(&writer, &err), ERR_NOMEM);
    assert_string_equal(err.text, "no memory to encode a record");
    assert_int_equal(buf.len, 0);
    buf_done(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_big_endian),
        cmocka_unit_test(reads_only_the_exact_length),
        cmocka_unit_test(failure_sticks),
        cmocka_unit_test(octets_have_a_limit),
        cmocka_unit_test(writer_reports_what_does_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
