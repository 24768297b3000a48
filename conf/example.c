// SPDX-License-Identifier: Apache-2.0
// Writes the commented settings file: the example that is shipped and what `scepctl init` makes.
#include <stdlib.h>
#include <string.h>

#include "conf/schema.h"
#include "conf/settings.h"
#include "conf/value.h"

#define LINE_WIDTH 100 // columns
#define INDENT     "    "

// Writes words as comment lines of at most LINE_WIDTH columns, each with `head` in front.
static void write_words(FILE *out, const char *head, const char *words)
{
    size_t column = 0;
    const char *at = words;
    while (*at != '\0') {
        size_t len = strcspn(at, " ");
        if (column > 0 && column + 1 + len > LINE_WIDTH) {
            fputs("\n", out);
            column = 0;
        }
        if (column == 0) {
            fputs(head, out);
            column = strlen(head);
        }
        fprintf(out, " %.*s", (int)len, at);
        column += 1 + len;
        at += len;
        at += strspn(at, " ");
    }
    fputs("\n", out);
}

static const char *given_value(const struct settings_value *values, const char *name)
{
    const char *value = NULL;
    for (; values != NULL && values->name != NULL; values++) {
        if (strcmp(values->name, name) == 0) {
            value = values->value;
        }
    }
    return value;
}

static void write_facts(FILE *out, const struct schema_item *item, const char *initial)
{
    char allowed[SCHEMA_ALLOWED_LEN];
    char facts[SCHEMA_ALLOWED_LEN * 2];
    schema_allowed(item, allowed);
    if (item->required) {
        snprintf(facts, sizeof facts, "Allowed: %s. Must be set.", allowed);
    } else {
        snprintf(facts, sizeof facts, "Allowed: %s. Default: %s.", allowed,
                 item->initial != NULL ? initial : "not set");
    }
    write_words(out, INDENT "#", facts);
}

static enum err_code write_item(FILE *out, const struct schema_item *item, const char *given,
                                struct err *err)
{
    CLEANUP(buf_done) struct buf initial = {0};
    CLEANUP(buf_done) struct buf value = {0};
    const char *shown = item->initial != NULL ? item->initial : item->example;
    enum err_code code = schema_literal(item, shown, &initial, err);
    if (code == ERR_OK) {
        code = schema_literal(item, given != NULL ? given : shown, &value, err);
    }
    if (code != ERR_OK) {
        return code;
    }
    fputs("\n", out);
    write_words(out, INDENT "#", item->words);
    write_facts(out, item, (const char *)initial.data);
    const char *mark = given != NULL || item->required ? "" : "#";
    fprintf(out, INDENT "%s%s = %s;\n", mark, schema_last_name(item), (const char *)value.data);
    return ERR_OK;
}

static enum err_code write_group(FILE *out, const struct schema_group *group,
                                 const struct settings_value *values, struct err *err)
{
    const struct schema_item *item;
    fputs("\n", out);
    write_words(out, "#", group->words);
    fprintf(out, "%s = {", group->name);
    enum err_code code = ERR_OK;
    for (size_t i = 0; code == ERR_OK && (item = schema_item(i)) != NULL; i++) {
        if (schema_is_in_group(item, group->name)) {
            code = write_item(out, item, given_value(values, item->name), err);
        }
    }
    fputs("};\n", out);
    return code;
}

static enum err_code check_value(const struct settings_value *value, struct settings *scratch,
                                 struct err *err)
{
    const struct schema_item *item = schema_find(value->name);
    if (item == NULL) {
        return err_set(err, ERR_CONFIG, "%s: unknown setting", value->name);
    }
    enum err_code code = value_read_text(item, value->value, ".", scratch, err);
    return code == ERR_OK ? ERR_OK : err_prefix(err, "%s", value->name);
}

// Before anything is written, so that a wrong value leaves no half file behind.
static enum err_code check_values(const struct settings_value *values, struct err *err)
{
    struct err local = {0};
    struct settings *scratch = calloc(1, sizeof *scratch);
    if (scratch == NULL) {
        return err_set(err, ERR_NOMEM, "no memory for the settings");
    }
    enum err_code code = ERR_OK;
    for (; code == ERR_OK && values != NULL && values->name != NULL; values++) {
        code = check_value(values, scratch, &local);
    }
    settings_free(scratch);
    return code == ERR_OK ? ERR_OK : err_set(err, code, "%s", local.text);
}

enum err_code settings_write(FILE *out, const struct settings_value *values, struct err *err)
{
    enum err_code code = check_values(values, err);
    if (code != ERR_OK) {
        return code;
    }
    write_words(out, "#",
                "Settings of scepd, scepd-ca and scepctl; scepd.conf(5) tells the same with more "
                "examples. A setting that is commented out has its default. Relative paths start "
                "in the directory of this file. \"scepd -t -c FILE\" checks it.");
    const struct schema_group *group;
    for (size_t i = 0; code == ERR_OK && (group = schema_group(i)) != NULL; i++) {
        code = write_group(out, group, values, err);
    }
    if (code == ERR_OK && (fflush(out) != 0 || ferror(out) != 0)) {
        return err_set_errno(err, "cannot write the settings");
    }
    return code;
}
