// SPDX-License-Identifier: Apache-2.0
// The URL's arguments and base64 as real clients send it.
#include <string.h>

#include "conf/limits.h"
#include "kit/kit.h"
#include "server/query.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static void knows_operations(void **state)
{
    (void)state;
    const struct {
        struct view name;
        enum operation operation;
    } cases[] = {
        {view_of_text("GetCACaps"), OPERATION_GET_CA_CAPS},
        {view_of_text("GetCACert"), OPERATION_GET_CA_CERT},
        {view_of_text("GetNextCACert"), OPERATION_GET_NEXT_CA_CERT},
        {view_of_text("PKIOperation"), OPERATION_PKI},
        {view_of_text("pkioperation"), OPERATION_PKI},
        {view_of_text("GETCACERT"), OPERATION_GET_CA_CERT},
        {view_of_text(""), OPERATION_UNKNOWN},
        {view_of_text("none"), OPERATION_UNKNOWN},
        {view_of_text("unknown"), OPERATION_UNKNOWN},
        {view_of_text("GetCACertX"), OPERATION_UNKNOWN},
        {view_of_text("GetCACer"), OPERATION_UNKNOWN},
        {view_of_text(" GetCACert"), OPERATION_UNKNOWN},
        {view_of("GetCACert\0", 10), OPERATION_UNKNOWN},
        {view_of("GetCACert\0X", 11), OPERATION_UNKNOWN},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(operation_of(cases[i].name), cases[i].operation);
    }
    assert_string_equal(operation_name(OPERATION_PKI), "PKIOperation");
    assert_string_equal(operation_name(OPERATION_NONE), "none");
}

struct argument {
    const char *name;
    const char *value;
};

static void reads_arguments(void **state)
{
    (void)state;
    const struct {
        struct argument arguments[4];
        enum operation operation;
        const char *message; // NULL = none
    } cases[] = {
        {{{NULL, NULL}}, OPERATION_NONE, NULL},
        {{{"operation", "PKIOperation"}, {"message", "MA"}}, OPERATION_PKI, "MA"},
        {{{"message", "MA"}, {"operation", "PKIOperation"}}, OPERATION_PKI, "MA"},
        {{{"?operation", "GetCACaps"}}, OPERATION_GET_CA_CAPS, NULL},
        {{{"??operation", "GetCACaps"}}, OPERATION_NONE, NULL},
        {{{"OPERATION", "GetCACaps"}, {"Message", "x"}}, OPERATION_GET_CA_CAPS, "x"},
        {{{"operation", "GetCACaps"}, {"operation", "PKIOperation"}}, OPERATION_GET_CA_CAPS, NULL},
        {{{"operation", "nonsense"}, {"operation", "PKIOperation"}}, OPERATION_UNKNOWN, NULL},
        {{{"message", ""}, {"message", "MA"}}, OPERATION_NONE, ""},
        {{{"foo", "bar"}, {"operation2", "GetCACaps"}, {"", "GetCACaps"}}, OPERATION_NONE, NULL},
        {{{"?", "GetCACaps"}}, OPERATION_NONE, NULL},
        {{{"operation", ""}}, OPERATION_UNKNOWN, NULL},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct query query = {0};
        for (size_t j = 0; j < COUNT(cases[i].arguments); j++) {
            const struct argument *argument = &cases[i].arguments[j];
            if (argument->name != NULL) {
                query_add(&query, view_of_text(argument->name), view_of_text(argument->value));
            }
        }
        assert_int_equal(query.operation, cases[i].operation);
        assert_int_equal(query.has_message, cases[i].message != NULL);
        if (cases[i].message != NULL) {
            assert_true(view_is_text(query.message, cases[i].message));
        }
    }
}

static void takes_argument_without_value(void **state)
{
    (void)state;
    struct query query = {0};
    query_add(&query, view_of_text("operation"), VIEW_EMPTY);
    query_add(&query, view_of_text("message"), VIEW_EMPTY);
    assert_int_equal(query.operation, OPERATION_UNKNOWN);
    assert_true(query.has_message);
    assert_int_equal(query.message.len, 0);
}

static void decodes_base64(void **state)
{
    (void)state;
    const struct {
        const char *text;
        struct view octets;
    } cases[] = {
        {"", VIEW_EMPTY},
        {"Zg==", view_of_text("f")},
        {"Zm8=", view_of_text("fo")},
        {"Zm9v", view_of_text("foo")},
        {"Zm9vYmFy", view_of_text("foobar")},
        {"Zg", view_of_text("f")},                    // padding left out
        {"Zg=", view_of_text("f")},                   // or one half of it
        {"Zm8", view_of_text("fo")},                  //
        {"Zm9v\nYmFy\n", view_of_text("foobar")},     // sscep, IOS
        {"Zm9v\r\nYmFy\r\n", view_of_text("foobar")}, //
        {"\tZm9v\tYm F", view_of("foobo\x85", 6)},    // a space was a +
        {"Z\r\n\tg\n=\n=\r\n", view_of_text("f")},    // between any two
        {"+/+/", view_of("\xfb\xff\xbf", 3)},         //
        {"-_-_", view_of("\xfb\xff\xbf", 3)},         // the URL-safe alphabet
        {" / /", view_of("\xfb\xff\xbf", 3)},         // '+' not percent-encoded
        {"+_-/", view_of("\xfb\xff\xbf", 3)},         // both at once
        {"AAAA", view_of("\0\0\0", 3)},               //
        {"Zh==", view_of_text("f")},                  // bits left over mean nothing
        {"/////w==", view_of("\xff\xff\xff\xff", 4)}, //
        {"MIIB+jCC", view_of("\x30\x82\x01\xfa\x30\x82", 6)},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buf octets = {0};
        struct err err = {0};
        assert_int_equal(base64_decode(view_of_text(cases[i].text), 64, &octets, &err), ERR_OK);
        assert_int_equal(octets.len, cases[i].octets.len);
        assert_true(view_equal(buf_view(&octets), cases[i].octets));
        buf_done(&octets);
    }
}

static void refuses_bad_base64(void **state)
{
    (void)state;
    const struct {
        struct view text;
        enum err_code code;
        const char *context;
    } cases[] = {
        {view_of_text("Z"), ERR_SYNTAX, "base64 ends with a single digit"},
        {view_of_text("Zm9vY"), ERR_SYNTAX, "base64 ends with a single digit"},
        {view_of_text("Zm9v="), ERR_SYNTAX, "base64 with too much padding"},
        {view_of_text("Zg==="), ERR_SYNTAX, "base64 with too much padding"},
        {view_of_text("Zm8=="), ERR_SYNTAX, "base64 with too much padding"},
        {view_of_text("="), ERR_SYNTAX, "base64 with too much padding"},
        {view_of_text("Zg==Zg=="), ERR_SYNTAX, "base64 goes on after its padding at octet 4"},
        {view_of_text("Zg== "), ERR_SYNTAX, "base64 goes on after its padding at octet 4"},
        {view_of_text("Zm9!"), ERR_SYNTAX, "octet 3 (0x21) is not base64"},
        {view_of_text("Zm\x0b"
                      "9v"),
         ERR_SYNTAX, "octet 2 (0x0b) is not base64"},
        {view_of_text("%5Zm"), ERR_SYNTAX, "octet 0 (0x25) is not base64"},
        {view_of_text("Zm9\xc3"), ERR_SYNTAX, "octet 3 (0xc3) is not base64"},
        {view_of("Zm9v\0Zm9v", 9), ERR_SYNTAX, "octet 4 (0x00) is not base64"},
        {view_of("Zm9v\0", 5), ERR_SYNTAX, "octet 4 (0x00) is not base64"},
        {view_of_text("Zm9vYmFyZm9v"), ERR_LIMIT, "9 octets; at most 8 are allowed"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buf octets = {0};
        struct err err = {0};
        assert_int_equal(base64_decode(cases[i].text, 8, &octets, &err), cases[i].code);
        assert_int_equal(err.code, cases[i].code);
        assert_string_equal(err.text, cases[i].context);
        assert_null(octets.data);
    }
}

// Against OpenSSL's encoder, at every length around the groups and at the limit.
static void decodes_what_was_encoded(void **state)
{
    (void)state;
    static uint8_t octets[LIMIT_MESSAGE_LEN];
    static unsigned char text[LIMIT_MESSAGE_LEN * 2];
    const size_t lengths[] = {0, 1, 2, 3, 4, 5, 47, 48, 49, 255, LIMIT_MESSAGE_LEN};
    for (size_t i = 0; i < sizeof octets; i++) {
        octets[i] = (uint8_t)(i * 7 + i / 256);
    }
    for (size_t i = 0; i < COUNT(lengths); i++) {
        struct buf decoded = {0};
        int len = EVP_EncodeBlock(text, octets, (int)lengths[i]);
        assert_int_equal(
            base64_decode(view_of(text, (size_t)len), LIMIT_MESSAGE_LEN, &decoded, NULL), ERR_OK);
        assert_true(view_equal(buf_view(&decoded), view_of(octets, lengths[i])));
        buf_done(&decoded);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_operations),
        cmocka_unit_test(reads_arguments),
        cmocka_unit_test(takes_argument_without_value),
        cmocka_unit_test(decodes_base64),
        cmocka_unit_test(refuses_bad_base64),
        cmocka_unit_test(decodes_what_was_encoded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
