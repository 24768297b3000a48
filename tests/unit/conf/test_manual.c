// SPDX-License-Identifier: Apache-2.0
// scepd.conf(5) says of every setting what the table says, and names no other.
#include <stdlib.h>
#include <string.h>

#include "conf/base/file.h"
#include "conf/limits.h"
#include "conf/schema.h"
#include "conf/settings.h"
#include "conf/value.h"
#include "kit/kit.h"

#define MANUAL    SCEPD_SOURCE_DIR "/conf/scepd.conf.5"
#define ENTRY     "\n.It Ic "
#define EXAMPLE   "\n.Dl "
#define EXAMPLES  "\n.Sh EXAMPLES\n"
#define BLOCK     "\n.Bd -literal -offset indent\n"
#define BLOCK_END "\n.Ed\n"
#define ENTRY_LEN 4096 // bytes of one setting's part with NUL

static int read_manual(void **state)
{
    struct err err = {0};
    struct buf text = {0};
    assert_int_equal(file_read(MANUAL, LIMIT_FILE_LEN, &text, &err), ERR_OK);
    assert_int_equal(buf_append(&text, view_of("", 1), &err), ERR_OK);
    *state = text.data;
    return 0;
}

static int free_manual(void **state)
{
    free(*state);
    return 0;
}

// Copies `text` up to `end` with every line end and run of spaces as one space.
static void copy_words(const char *text, const char *end, char ret_words[ENTRY_LEN])
{
    size_t len = 0;
    assert_true(end - text < ENTRY_LEN);
    for (const char *at = text; at < end; at++) {
        char octet = *at == '\n' ? ' ' : *at;
        if (octet != ' ' || (len > 0 && ret_words[len - 1] != ' ')) {
            ret_words[len++] = octet;
        }
    }
    ret_words[len] = '\0';
}

// The part of the manual about a setting, NULL when there is none; *ret_end is where it ends.
static const char *find_entry(const char *manual, const char *name, const char **ret_end)
{
    char head[SCHEMA_NAME_LEN + sizeof ENTRY + 1];
    snprintf(head, sizeof head, ENTRY "%s\n", name);
    const char *entry = strstr(manual, head);
    if (entry == NULL) {
        return NULL;
    }
    entry += strlen(head);
    const char *next = strstr(entry, ENTRY);
    const char *list_end = strstr(entry, "\n.El\n");
    assert_non_null(list_end);
    *ret_end = next != NULL && next < list_end ? next : list_end;
    return entry;
}

static void expect_default(const struct schema_item *item, const char *words)
{
    char expected[ENTRY_LEN];
    struct err err = {0};
    struct buf initial = {0};
    assert_int_equal(schema_default(item, &initial, &err), ERR_OK);
    snprintf(expected, sizeof expected, " Default: %s. ", (const char *)initial.data);
    assert_non_null(strstr(words, expected));
    buf_done(&initial);
}

static void expect_facts(const struct schema_item *item, const char *words)
{
    char allowed[SCHEMA_ALLOWED_LEN];
    char expected[ENTRY_LEN];
    assert_ptr_equal(strstr(words, item->words), words);
    snprintf(expected, sizeof expected, " Type: %s. ", schema_type_name(item));
    assert_non_null(strstr(words, expected));
    snprintf(expected, sizeof expected, " Allowed: %s. ", schema_allowed(item, allowed));
    assert_non_null(strstr(words, expected));
    expect_default(item, words);
}

static void every_setting_is_in_the_manual(void **state)
{
    const struct schema_item *item;
    for (size_t i = 0; (item = schema_item(i)) != NULL; i++) {
        char words[ENTRY_LEN];
        const char *end = NULL;
        print_message("  %s\n", item->name);
        const char *entry = find_entry(*state, item->name, &end);
        assert_non_null(entry);
        copy_words(entry, end, words);
        expect_facts(item, words);
    }
}

static void every_group_is_in_the_manual(void **state)
{
    const struct schema_group *group;
    char words[ENTRY_LEN];
    for (size_t i = 0; (group = schema_group(i)) != NULL; i++) {
        char head[64];
        snprintf(head, sizeof head, "\n.Ss %s\n", group->name);
        const char *section = strstr(*state, head);
        assert_non_null(section);
        section += strlen(head);
        copy_words(section, strstr(section, "\n.Bl "), words);
        assert_string_equal(words, group->words);
    }
}

static void the_manual_names_no_other_setting(void **state)
{
    size_t count = 0;
    for (const char *at = *state; (at = strstr(at, ENTRY)) != NULL; count++) {
        char name[SCHEMA_NAME_LEN];
        at += strlen(ENTRY);
        snprintf(name, sizeof name, "%.*s", (int)strcspn(at, "\n"), at);
        print_message("  %s\n", name);
        const struct schema_item *item = schema_find(name);
        assert_non_null(item);
        assert_ptr_equal(item, schema_item(count)); // each once, in the table's order
    }
    assert_null(schema_item(count));
}

static void every_setting_has_its_example(void **state)
{
    const struct schema_item *item;
    for (size_t i = 0; (item = schema_item(i)) != NULL; i++) {
        char expected[ENTRY_LEN];
        struct err err = {0};
        struct buf literal = {0};
        const char *end = NULL;
        const char *entry = find_entry(*state, item->name, &end);
        assert_non_null(entry);
        const char *example = strstr(entry, EXAMPLE);
        assert_true(example != NULL && example < end);
        assert_int_equal(schema_literal(item, item->example, &literal, &err), ERR_OK);
        int len = snprintf(expected, sizeof expected, "%s = ", schema_last_name(item));
        for (const char *at = (const char *)literal.data; *at != '\0'; at++) {
            char plain[2] = {*at, '\0'};
            len += snprintf(expected + len, sizeof expected - (size_t)len, "%s",
                            *at == '"' ? "\\(dq" : plain);
        }
        snprintf(expected + len, sizeof expected - (size_t)len, ";");
        assert_memory_equal(example + strlen(EXAMPLE), expected, strlen(expected));
        buf_done(&literal);
    }
}

static void the_example_file_loads(void **state)
{
    struct err err = {0};
    struct settings *settings = NULL;
    const char *section = strstr(*state, EXAMPLES);
    assert_non_null(section);
    const char *block = strstr(section, BLOCK);
    assert_non_null(block);
    block += strlen(BLOCK);
    char *folder = kit_new_folder();
    struct view text = view_of(block, (size_t)(strstr(block, BLOCK_END) - block));
    char *path = kit_write(folder, "scepd.conf", text);
    assert_int_equal(settings_load(path, false, stderr, &settings, &err), ERR_OK);
    assert_int_equal(settings->phone.validity_days, 1095);
    assert_int_equal(settings->mic_count, 1);
    assert_int_equal(settings->devices.accept, SETTINGS_DEVICES_LISTED);
    settings_free(settings);
    free(path);
    kit_remove_folder(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_setting_is_in_the_manual),
        cmocka_unit_test(every_group_is_in_the_manual),
        cmocka_unit_test(the_manual_names_no_other_setting),
        cmocka_unit_test(every_setting_has_its_example),
        cmocka_unit_test(the_example_file_loads),
    };
    return cmocka_run_group_tests(tests, read_manual, free_manual);
}
