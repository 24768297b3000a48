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

// Where the item's values go: the settings, or the first entry of its repeated group.
static void *base_of(const struct schema_item *item, struct settings *settings)
{
    const struct schema_group *group = schema_group_of(item);
    return group->most > 0 ? value_entry(group, settings, 0) : (void *)settings;
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
        assert_int_equal(schema_index(item), i);
        // scepctl init sets what is required once; what each entry needs has only an example.
        bool is_once = schema_group_of(item)->most == 0;
        bool is_required = schema_is_required(item, SETTINGS_TOPOLOGY_RA);
        assert_true(!is_required || (item->initial != NULL) == is_once);
        assert_true(is_once || item->presence <= SCHEMA_REQUIRED);
    }
    assert_true(count_items() <= SCHEMA_ITEMS_MAX);
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

static void the_repeated_group_fits_its_array(void **state)
{
    (void)state;
    const struct schema_group *group = schema_find_group("mic");
    struct settings *settings = calloc(1, sizeof *settings);
    assert_int_equal(group->most, SETTINGS_MIC_STORES_MAX);
    assert_ptr_equal(value_entry(group, settings, 0), &settings->mic[0]);
    assert_ptr_equal(value_entry(group, settings, group->most - 1),
                     &settings->mic[SETTINGS_MIC_STORES_MAX - 1]);
    for (size_t i = 0; schema_group(i) != NULL; i++) {
        assert_int_equal(schema_group(i)->most > 0, schema_group(i) == group);
    }
    settings_free(settings);
}

static void presence_follows_the_topology(void **state)
{
    (void)state;
    const struct {
        const char *name;
        bool required_with_ra, required_direct, forbidden_direct;
        const char *words;
    } cases[] = {
        {"ca.key", true, true, false, "none, it must be set"},
        {"mic.roots", true, true, false, "none, it must be set"},
        {"ra.key", true, false, true,
         "none, it must be set; not allowed with scep.topology \"direct\""},
        {"ra.certificate", true, false, true,
         "none, it must be set; not allowed with scep.topology \"direct\""},
        {"ra.pin_file", false, false, true, "not set; not allowed with scep.topology \"direct\""},
        {"ca.root", false, false, true, "not set; not allowed with scep.topology \"direct\""},
        {"ca.pin_file", false, false, false, "not set"},
        {"phone.domains", false, false, false, "not set"},
        {"http.queue", false, false, false, "256"},
        {"mic.classes", false, false, false, "[\"phone\", \"spa\"]"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct err err = {0};
        struct buf words = {0};
        const struct schema_item *item = schema_find(cases[i].name);
        assert_int_equal(schema_is_required(item, SETTINGS_TOPOLOGY_RA), cases[i].required_with_ra);
        assert_int_equal(schema_is_required(item, SETTINGS_TOPOLOGY_DIRECT),
                         cases[i].required_direct);
        assert_false(schema_is_forbidden(item, SETTINGS_TOPOLOGY_RA));
        assert_int_equal(schema_is_forbidden(item, SETTINGS_TOPOLOGY_DIRECT),
                         cases[i].forbidden_direct);
        assert_int_equal(schema_default(item, &words, &err), ERR_OK);
        assert_string_equal((const char *)words.data, cases[i].words);
        buf_done(&words);
    }
}

// Two items with one field would overwrite each other.
static void every_item_has_its_own_field(void **state)
{
    (void)state;
    size_t count = count_items();
    for (size_t i = 0; i < count; i++) {
        const struct schema_group *group = schema_group_of(schema_item(i));
        size_t room = group->most > 0 ? group->entry_size : sizeof(struct settings);
        assert_true(schema_item(i)->offset < room);
        for (size_t k = 0; k < i; k++) {
            bool is_elsewhere = schema_group_of(schema_item(k))->most != group->most;
            assert_true(is_elsewhere || schema_item(i)->offset != schema_item(k)->offset);
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
        void *into = base_of(item, settings);
        if (item->initial != NULL) {
            assert_int_equal(value_read_text(item, item->initial, ".", into, &err), ERR_OK);
        }
        assert_int_equal(value_read_text(item, item->example, ".", into, &err), ERR_OK);
        settings_free(settings);
    }
}

static enum err_code read_text(const char *name, const char *text, struct settings *settings,
                               struct err *err)
{
    const struct schema_item *item = schema_find(name);
    return value_read_text(item, text, "/dir", base_of(item, settings), err);
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
        {"mic.root", "mic.roots"},
        {"mic.window_days", "renewal.window_days"},
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
        {"phone.domains", "a.nl, b.nl", "[\"a.nl\", \"b.nl\"]"},
        {"mic.roots", "a.pem", "[\"a.pem\"]"},
        {"mic.name", "a, b", "\"a, b\""},
        {"http.crl_path", "/{ca}", "\"/{ca}\""},
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
        cmocka_unit_test(the_repeated_group_fits_its_array),
        cmocka_unit_test(presence_follows_the_topology),
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
