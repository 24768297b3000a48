// SPDX-License-Identifier: Apache-2.0
// The commented settings file: the shipped one is what the table says, and written ones load.
#include <stdlib.h>
#include <string.h>

#include "conf/base/file.h"
#include "conf/limits.h"
#include "conf/schema.h"
#include "conf/settings.h"
#include "kit/kit.h"

#define LINE_WIDTH 100 // columns
#define SHIPPED    SCEPD_SOURCE_DIR "/conf/scepd.conf"

// What settings_write() writes. Caller frees.
static char *write_text(const struct settings_value *values)
{
    char *text = NULL;
    size_t size = 0;
    struct err err = {0};
    FILE *out = open_memstream(&text, &size);
    assert_int_equal(settings_write(out, values, &err), ERR_OK);
    fclose(out);
    return text;
}

static void shipped_file_is_the_output(void **state)
{
    (void)state;
    struct err err = {0};
    struct buf shipped = {0};
    char *text = write_text(NULL);
    assert_int_equal(file_read(SHIPPED, LIMIT_FILE_LEN, &shipped, &err), ERR_OK);
    assert_int_equal(buf_append(&shipped, view_of("", 1), &err), ERR_OK);
    assert_string_equal((const char *)shipped.data, text);
    buf_done(&shipped);
    free(text);
}

static void shipped_file_loads(void **state)
{
    (void)state;
    struct err err = {0};
    struct settings *settings = NULL;
    assert_int_equal(settings_load(SHIPPED, false, stderr, &settings, &err), ERR_OK);
    assert_string_equal(settings->ca.key, "/etc/scepd/ca.key");
    settings_free(settings);
}

static void lines_are_not_too_long(void **state)
{
    (void)state;
    char *text = write_text(NULL);
    for (const char *line = text; *line != '\0'; line += strcspn(line, "\n") + 1) {
        size_t len = strcspn(line, "\n");
        assert_true(len <= LINE_WIDTH);
        assert_true(len == 0 || line[len - 1] != ' ');
    }
    free(text);
}

// A comment in front of a setting is all that an administrator has to take away.
static void every_setting_is_there(void **state)
{
    (void)state;
    struct err err = {0};
    const struct schema_item *item;
    char *text = write_text(NULL);
    for (size_t i = 0; (item = schema_item(i)) != NULL; i++) {
        char line[256];
        struct buf literal = {0};
        const char *shown = item->initial != NULL ? item->initial : item->example;
        assert_int_equal(schema_literal(item, shown, &literal, &err), ERR_OK);
        bool is_required = schema_is_required(item, SETTINGS_TOPOLOGY_RA);
        bool is_repeated = schema_group_of(item)->most > 0;
        snprintf(line, sizeof line, "\n%s%s%s = %s;\n", is_repeated ? "#        " : "    ",
                 is_required ? "" : "#", schema_last_name(item), (const char *)literal.data);
        assert_non_null(strstr(text, line));
        buf_done(&literal);
    }
    free(text);
}

// Takes the '#' at the start of each line of the repeated group away.
static void uncomment_mic(char *text)
{
    char *end = strstr(text, "\n#);\n");
    char *to = strstr(text, "\n#mic = (\n");
    assert_true(to != NULL && end != NULL);
    for (const char *at = to; *at != '\0'; at++) {
        bool is_mark = at <= end + 1 && at[0] == '#' && at[-1] == '\n';
        if (!is_mark) {
            *to++ = *at;
        }
    }
    *to = '\0';
}

static void the_example_entry_loads(void **state)
{
    (void)state;
    struct err err = {0};
    struct settings *settings = NULL;
    char *folder = kit_new_folder();
    char *text = write_text(NULL);
    uncomment_mic(text);
    char *path = kit_write(folder, "scepd.conf", view_of_text(text));
    assert_int_equal(settings_load(path, false, stderr, &settings, &err), ERR_OK);
    assert_int_equal(settings->mic_count, 1);
    assert_string_equal(settings->mic[0].name, "cisco-m2");
    assert_int_equal(settings->mic[0].roots.count, 1);
    assert_int_equal(settings->mic[0].intermediates.count, 0);
    settings_free(settings);
    free(path);
    free(text);
    kit_remove_folder(folder);
}

// Loads what settings_write() writes for `values`. Caller frees.
static struct settings *write_and_load(const struct settings_value *values)
{
    struct err err = {0};
    struct settings *settings = NULL;
    char *folder = kit_new_folder();
    char *text = write_text(values);
    char *path = kit_write(folder, "scepd.conf", view_of_text(text));
    assert_int_equal(settings_load(path, false, stderr, &settings, &err), ERR_OK);
    free(path);
    free(text);
    kit_remove_folder(folder);
    return settings;
}

static void the_topology_decides_what_is_set(void **state)
{
    (void)state;
    const struct settings_value values[] = {
        {"ca.generations", "/g"}, {"ra.directory", "/r"},          {"scep.topology", "direct"},
        {"ca.key", "/k"},         {"phone.domains", "A.nl, b.nl"}, {NULL, NULL},
    };
    struct settings *settings = write_and_load(values);
    assert_int_equal(settings->scep.topology, SETTINGS_TOPOLOGY_DIRECT);
    assert_null(settings->ra.certificate);
    assert_null(settings->ra.key);
    assert_string_equal(settings->ca.certificate, "/etc/scepd/ca.pem");
    assert_string_equal(settings->ca.key, "/k");
    assert_string_equal(settings->ca.generations, "/g");
    assert_string_equal(settings->ra.directory, "/r");
    assert_int_equal(settings->phone.domains.count, 2);
    assert_string_equal(settings->phone.domains.list[0], "a.nl");
    settings_free(settings);
}

static void given_values_are_set(void **state)
{
    (void)state;
    const struct settings_value values[] = {
        {"http.listen", "127.0.0.1:8081"},
        {"http.queue", "9"},
        {"scep.get_ca_cert", "ra, root"},
        {"scep.reply_chain", "true"},
        {"ra.key", "odd \"name\""},
        {"ca.root", "root.pem"},
        {"phone.crl_url", "http://h/c"},
        {"log.level", "debug"},
        {NULL, NULL},
    };
    struct err err = {0};
    struct settings *settings = NULL;
    char *folder = kit_new_folder();
    char *text = write_text(values);
    char *path = kit_write(folder, "scepd.conf", view_of_text(text));
    char *key_path = kit_path(folder, "odd \"name\"");
    assert_int_equal(settings_load(path, false, stderr, &settings, &err), ERR_OK);
    assert_string_equal(settings->http.listen, "127.0.0.1:8081");
    assert_int_equal(settings->http.queue, 9);
    assert_int_equal(settings->http.connections, 1000);
    assert_int_equal(settings->scep.get_ca_cert_count, 2);
    assert_int_equal(settings->scep.get_ca_cert[1], SETTINGS_CA_ITEM_ROOT);
    assert_true(settings->scep.reply_chain);
    assert_string_equal(settings->ra.key, key_path);
    assert_string_equal(settings->ra.certificate, "/etc/scepd/ra.pem");
    assert_string_equal(settings->phone.crl_url, "http://h/c");
    assert_int_equal(settings->log.level, LOG_LEVEL_DEBUG);
    settings_free(settings);
    free(key_path);
    free(path);
    free(text);
    kit_remove_folder(folder);
}

static void refuses_wrong_values_before_writing(void **state)
{
    (void)state;
    const struct {
        struct settings_value values[3];
        const char *why;
    } cases[] = {
        {{{"http.listn", "x"}}, "http.listn: unknown setting"},
        {{{"http.queue", "9"}, {"http.listen", "nowhere"}},
         "http.listen: \"nowhere\": no \":PORT\" at the end; allowed: \"ADDRESS:PORT\" or "
         "\"[IPV6-ADDRESS]:PORT\", port 0 to 65535"},
        {{{"http.queue", "0"}}, "http.queue: 0; allowed: 1 to 65536"},
        {{{"scep.reply_chain", "yes"}}, "scep.reply_chain: not a value; allowed: true or false"},
        {{{"scep.get_ca_cert", "ra, rot"}},
         "scep.get_ca_cert: \"rot\"; allowed: a list of \"ra\", \"issuing\" and \"root\""},
        {{{"mic.name", "x"}}, "mic.name: in a list of groups; allowed: other settings"},
        {{{"phone.domains", "a.nl, b_c"}},
         "phone.domains: \"b_c\": a character that is no letter, digit or hyphen; allowed: a list "
         "of 0 to 8 DNS names"},
        {{{"ra.key", "k"}, {"scep.topology", "direct"}},
         "ra.key: allowed only under scep.topology \"ra\""},
        {{{"scep.topology", "direct"}, {"ca.root", "r"}},
         "ca.root: allowed only under scep.topology \"ra\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *text = NULL;
        size_t size = 0;
        struct err err = {0};
        FILE *out = open_memstream(&text, &size);
        assert_int_equal(settings_write(out, cases[i].values, &err), ERR_CONFIG);
        assert_string_equal(err.text, cases[i].why);
        fclose(out);
        assert_string_equal(text, "");
        free(text);
    }
}

static void a_full_disk_is_told(void **state)
{
    (void)state;
    struct err err = {0};
    FILE *out = fopen("/dev/full", "w");
    assert_non_null(out);
    assert_int_equal(settings_write(out, NULL, &err), ERR_FULL);
    assert_string_equal(err.text, "cannot write the settings: No space left on device");
    fclose(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shipped_file_is_the_output),
        cmocka_unit_test(shipped_file_loads),
        cmocka_unit_test(lines_are_not_too_long),
        cmocka_unit_test(every_setting_is_there),
        cmocka_unit_test(the_example_entry_loads),
        cmocka_unit_test(the_topology_decides_what_is_set),
        cmocka_unit_test(given_values_are_set),
        cmocka_unit_test(refuses_wrong_values_before_writing),
        cmocka_unit_test(a_full_disk_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
