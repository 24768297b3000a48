// SPDX-License-Identifier: Apache-2.0
// Writes the commented settings file: the example that is shipped and what `scepctl init` makes.
#include <stdlib.h>
#include <string.h>

#include "conf/schema.h"
#include "conf/settings.h"
#include "conf/value.h"

#define LINE_WIDTH 100 // columns
#define INDENT     "    "
#define ENTRY_HEAD "#" INDENT INDENT // of the lines in an example of a repeated group's entry

// What is to be written.
struct plan {
    const struct settings_value *values; // NULL = none
    uint32_t topology;                   // that they choose
};

static void free_text(char **text)
{
    free(*text);
}

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

// How a setting is shown.
struct shown {
    const char *head;  // of its lines
    const char *value; // as text without quotes
    bool is_set;       // else it is a comment
};

static enum err_code write_facts(FILE *out, const struct schema_item *item, const char *head,
                                 struct err *err)
{
    CLEANUP(buf_done) struct buf initial = {0};
    CLEANUP(free_text) char *facts = NULL;
    char allowed[SCHEMA_ALLOWED_LEN];
    enum err_code code = schema_default(item, &initial, err);
    if (code != ERR_OK) {
        return code;
    }
    if (asprintf(&facts, "Allowed: %s. Default: %s.", schema_allowed(item, allowed),
                 (const char *)initial.data) < 0) {
        facts = NULL;
        return err_set(err, ERR_NOMEM, "no memory for the settings");
    }
    write_words(out, head, facts);
    return ERR_OK;
}

static enum err_code write_item(FILE *out, const struct schema_item *item,
                                const struct shown *shown, struct err *err)
{
    char head[sizeof ENTRY_HEAD + 1];
    CLEANUP(buf_done) struct buf value = {0};
    enum err_code code = schema_literal(item, shown->value, &value, err);
    if (code != ERR_OK) {
        return code;
    }
    snprintf(head, sizeof head, "%s#", shown->head);
    write_words(out, head, item->words);
    code = write_facts(out, item, head, err);
    fprintf(out, "%s%s%s = %s;\n", shown->head, shown->is_set ? "" : "#", schema_last_name(item),
            (const char *)value.data);
    return code;
}

static const char *first_value(const struct schema_item *item)
{
    return item->initial != NULL ? item->initial : item->example;
}

static enum err_code write_group(FILE *out, const struct schema_group *group,
                                 const struct plan *plan, struct err *err)
{
    const struct schema_item *item;
    fprintf(out, "%s = {", group->name);
    enum err_code code = ERR_OK;
    for (size_t i = 0; code == ERR_OK && (item = schema_item(i)) != NULL; i++) {
        if (!schema_is_in_group(item, group->name)) {
            continue;
        }
        const char *given = given_value(plan->values, item->name);
        const struct shown shown = {
            .head = INDENT,
            .value = given != NULL ? given : first_value(item),
            .is_set = given != NULL || schema_is_required(item, plan->topology),
        };
        fputs("\n", out);
        code = write_item(out, item, &shown, err);
    }
    fputs("};\n", out);
    return code;
}

// As a comment with one entry: which files it needs is not known here.
static enum err_code write_repeated_group(FILE *out, const struct schema_group *group,
                                          struct err *err)
{
    const struct schema_item *item;
    enum err_code code = ERR_OK;
    const char *gap = "";
    fprintf(out, "#%s = (\n#" INDENT "{\n", group->name);
    for (size_t i = 0; code == ERR_OK && (item = schema_item(i)) != NULL; i++) {
        if (schema_is_in_group(item, group->name)) {
            const struct shown shown = {
                .head = ENTRY_HEAD,
                .value = first_value(item),
                .is_set = item->presence == SCHEMA_REQUIRED,
            };
            fputs(gap, out);
            code = write_item(out, item, &shown, err);
            gap = "#\n";
        }
    }
    fputs("#" INDENT "}\n#);\n", out);
    return code;
}

static enum err_code check_value(const struct settings_value *value, struct settings *scratch,
                                 struct err *err)
{
    const struct schema_item *item = schema_find(value->name);
    if (item == NULL) {
        return err_set(err, ERR_CONFIG, "%s: unknown setting", value->name);
    }
    if (schema_group_of(item)->most > 0) {
        return err_set(err, ERR_CONFIG, "%s: in a list of groups; allowed: other settings",
                       value->name);
    }
    enum err_code code = value_read_text(item, value->value, ".", scratch, err);
    return code == ERR_OK ? ERR_OK : err_prefix(err, "%s", value->name);
}

static enum err_code check_topology(const struct settings_value *values, uint32_t topology,
                                    struct err *err)
{
    for (; values != NULL && values->name != NULL; values++) {
        if (schema_is_forbidden(schema_find(values->name), topology)) {
            return err_set(err, ERR_CONFIG, "%s: allowed only under scep.topology \"ra\"",
                           values->name);
        }
    }
    return ERR_OK;
}

// Before anything is written, so that a wrong value leaves no half file behind.
static enum err_code check_values(struct plan *plan, struct err *err)
{
    struct err local = {0};
    struct settings *scratch = calloc(1, sizeof *scratch);
    if (scratch == NULL) {
        return err_set(err, ERR_NOMEM, "no memory for the settings");
    }
    enum err_code code = ERR_OK;
    const struct settings_value *value = plan->values;
    for (; code == ERR_OK && value != NULL && value->name != NULL; value++) {
        code = check_value(value, scratch, &local);
    }
    plan->topology = scratch->scep.topology;
    settings_free(scratch);
    if (code == ERR_OK) {
        code = check_topology(plan->values, plan->topology, &local);
    }
    return code == ERR_OK ? ERR_OK : err_set(err, code, "%s", local.text);
}

enum err_code settings_write(FILE *out, const struct settings_value *values, struct err *err)
{
    struct plan plan = {.values = values, .topology = SETTINGS_TOPOLOGY_RA};
    enum err_code code = check_values(&plan, err);
    if (code != ERR_OK) {
        return code;
    }
    write_words(out, "#",
                "Settings of scepd, scepd-ca and scepctl; scepd.conf(5) tells the same with more "
                "examples. A setting that is commented out has its default. Relative paths start "
                "in the directory of this file. \"scepd -t -c FILE\" checks it.");
    const struct schema_group *group;
    for (size_t i = 0; code == ERR_OK && (group = schema_group(i)) != NULL; i++) {
        fputs("\n", out);
        write_words(out, "#", group->words);
        code = group->most > 0 ? write_repeated_group(out, group, err)
                               : write_group(out, group, &plan, err);
    }
    if (code == ERR_OK && (fflush(out) != 0 || ferror(out) != 0)) {
        return err_set_errno(err, "cannot write the settings");
    }
    return code;
}
