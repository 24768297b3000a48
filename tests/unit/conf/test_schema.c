// SPDX-License-Identifier: Apache-2.0
// The table of settings is sound, and names near to its own are found.
#include <stdlib.h>
#include <string.h>

#include "conf/value.h"
#include "kit/kit.h"

static size_t count_items(void)
{
    size_t count = 0;
    while (schema_item(count) != NULL) {
        count++;
    }
    return count;
}

static void every_item_is_sound(void **state)
{
    (void)state;
    const struct schema_item *item;
    size_t per_group = 0;
    for (size_t i = 0; (item = schema_item(i)) != NULL; i++) {
        char allowed[SCHEMA_ALLOWED_LEN];
        assert_true(strlen(item->name) < SCHEMA_NAME_LEN);
        assert_ptr_equal(schema_find(item->name), item);
        assert_true(strlen(schema_allowed(item, allowed)) < SCHEMA_ALLOWED_LEN - 1);
        assert_non_null(item->example);
        assert_true(item->words[strlen(item->words) - 1] == '.');
        assert_true(!item->required || item->initial != NULL);
    }
    for (size_t i = 0; schema_group(i) != NULL; i++) {
        for (size_t k = 0; (item = schema_item(k)) != NULL; k++) {
            per_group += schema_is_in_group(item, schema_group(i)->name);
        }
    }
    assert_int_equal(per_group, count_items());
    assert_null(schema_find("http"));
    assert_null(schema_find("http.listen "));
    assert_null(schema_find_group("http.listen"));
}

// Two items with one field would overwrite each other.
static void every_item_has_its_own_field(void **state)
{
    (void)state;
    size_t count = count_items();
    for (size_t i = 0; i < count; i++) {
        assert_true(schema_item(i)->offset < sizeof(struct settings));
        for (size_t k = 0; k < i; k++) {
            assert_int_not_equal(schema_item(i)->offset, schema_item(k)->offset);
        }
    }
}

static void defaults_and_examples_are_allowed(void **state)
{
    (void)state;
    const struct schema_item *item;
    for (size_t i = 0; (item = schema_item(i)) != NULL; i++) {
        struct err err = {0};
        struct settings *settings = calloc(1, sizeof *settings);
        if (item->initial != NULL) {
            assert_int_equal(value_read_text(item, item->initial, ".", settings, &err), ERR_OK);
        }
        assert_int_equal(value_read_text(item, item->example, ".", settings, &err), ERR_OK);
        settings_free(settings);
    }
}

static enum err_code read_text(const char *name, const char *text, struct settings *settings,
                               struct err *err)
{
    return value_read_text(schema_find(name), text, "/dir", settings, err);
}

static void integers_end_where_they_say(void **state)
{
    (void)state;
    const struct schema_item *item;
    struct settings *settings = calloc(1, sizeof *settings);
    for (size_t i = 0; (item = schema_item(i)) != NULL; i++) {
        struct err err = {0};
        char text[32];
        if (item->type != SCHEMA_INTEGER) {
            continue;
        }
        snprintf(text, sizeof text, "%u", item->min);
        assert_int_equal(read_text(item->name, text, settings, &err), ERR_OK);
        snprintf(text, sizeof text, "%u", item->max);
        assert_int_equal(read_text(item->name, text, settings, &err), ERR_OK);
        snprintf(text, sizeof text, "%lld", (long long)item->min - 1);
        assert_int_equal(read_text(item->name, text, settings, &err), ERR_CONFIG);
        snprintf(text, sizeof text, "%lld", (long long)item->max + 1);
        assert_int_equal(read_text(item->name, text, settings, &err), ERR_CONFIG);
    }
    settings_free(settings);
}

static void finds_the_nearest_name(void **state)
{
    (void)state;
    const struct {
        const char *name;
        const char *nearest; // NULL = none
    } cases[] = {
        {"http.listn", "http.listen"},
        {"http.Listen", "http.listen"},
        {"http.timeout", "http.timeout_sec"},
        {"http.conections_per_adress", "http.connections_per_address"},
        {"scep.listen", "http.listen"},
        {"listen", "http.listen"},
        {"scep.level", "log.level"},
        {"phone.validity", NULL},
        {"http.zzzzzzzz", NULL},
        {"", NULL},
        {"a-name-that-is-longer-than-any-name-in-the-table-could-reasonably-be.listem", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *nearest = schema_nearest(cases[i].name);
        assert_string_equal(nearest != NULL ? nearest : "-",
                            cases[i].nearest != NULL ? cases[i].nearest : "-");
    }
    assert_string_equal(schema_nearest_group("htpt"), "http");
    assert_string_equal(schema_nearest_group("chalenge"), "challenge");
    assert_null(schema_nearest_group("wholly_different"));
}

static void quotes_values(void **state)
{
    (void)state;
    const struct {
        const char *name;
        const char *text;
        const char *literal;
    } cases[] = {
        {"http.queue", "5", "5"},
        {"scep.reply_chain", "true", "true"},
        {"log.level", "info", "\"info\""},
        {"scep.get_ca_cert", "ra, root", "[\"ra\", \"root\"]"},
        {"scep.get_ca_cert", " ra,root,", "[\"ra\", \"root\"]"},
        {"scep.get_ca_cert", "", "[]"},
        {"store.directory", "", "\"\""},
        {"store.directory", "a\"\\\n\xc3\xa4", "\"a\\\"\\\\\\x0a\xc3\xa4\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct err err = {0};
        struct buf literal = {0};
        assert_int_equal(schema_literal(schema_find(cases[i].name), cases[i].text, &literal, &err),
                         ERR_OK);
        assert_string_equal((const char *)literal.data, cases[i].literal);
        assert_int_equal(literal.len, strlen(cases[i].literal));
        buf_done(&literal);
    }
}

static void quoting_is_undone_by_reading(void **state)
{
    (void)state;
    struct err err = {0};
    struct settings *settings = calloc(1, sizeof *settings);
    const char *odd = "/a \"b\" \\c\t\x01 # ; \xc3\xa4";
    assert_int_equal(read_text("store.directory", odd, settings, &err), ERR_OK);
    assert_string_equal(settings->store.directory, odd);
    settings_free(settings);
}

static void a_text_cannot_bring_a_second_setting(void **state)
{
    (void)state;
    struct err err = {0};
    struct settings *settings = calloc(1, sizeof *settings);
    assert_int_equal(read_text("http.queue", "5; other = 6", settings, &err), ERR_CONFIG);
    assert_string_equal(err.text, "not a value; allowed: 1 to 65536");
    assert_int_equal(read_text("http.queue", "five", settings, &err), ERR_CONFIG);
    assert_int_equal(read_text("http.queue", "", settings, &err), ERR_CONFIG);
    assert_int_equal(read_text("http.queue", "true", settings, &err), ERR_CONFIG);
    assert_string_equal(err.text,
                        "true or false without quotes instead of an integer; allowed: 1 to 65536");
    settings_free(settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_item_is_sound),
        cmocka_unit_test(every_item_has_its_own_field),
        cmocka_unit_test(defaults_and_examples_are_allowed),
        cmocka_unit_test(integers_end_where_they_say),
        cmocka_unit_test(finds_the_nearest_name),
        cmocka_unit_test(quotes_values),
        cmocka_unit_test(quoting_is_undone_by_reading),
        cmocka_unit_test(a_text_cannot_bring_a_second_setting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
