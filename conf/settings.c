// SPDX-License-Identifier: Apache-2.0
// Reads a settings file. Nothing stops at the first problem but a syntax error, because libconfig
// does not go on after one.
#include "conf/settings.h"

#include <libconfig.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "conf/base/file.h"
#include "conf/limits.h"
#include "conf/loading.h"
#include "conf/source.h"
#include "conf/value.h"

#define CREDENTIALS   "CREDENTIALS_DIRECTORY" // systemd.exec(5)
#define PROBLEM_LEN   1024                    // bytes of a problem with NUL; paths may be long
#define FULL_NAME_LEN 160 // bytes of "group.name" as found in a file; longer ones are cut
#define CLIP          64  // octets of each part of such a name

void settings_free(struct settings *settings)
{
    if (settings != NULL) {
        value_free_texts(settings);
        free(settings);
    }
}

static void report(struct loading *loading, unsigned line, const char *name, const char *text)
{
    char problem[PROBLEM_LEN];
    snprintf(problem, sizeof problem, "%s: %s", name, text);
    for (char *at = problem; *at != '\0'; at++) {
        if ((unsigned char)*at < ' ' || *at == '\x7f') {
            *at = '?';
        }
    }
    if (loading->problems != NULL) {
        fprintf(loading->problems, "%s:%u: %s\n", loading->path, line, problem);
    }
    if (loading->count == 0) {
        err_set(&loading->first, ERR_CONFIG, "%s", problem);
        loading->first_line = line;
    }
    loading->count++;
}

void loading_problem(struct loading *loading, unsigned line, const char *name, const char *format,
                     ...)
{
    char text[PROBLEM_LEN];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    report(loading, line, name, text);
}

// "mic[2].roots", or the plain name when the part is no entry of a repeated group.
static void full_name(const struct loading_part *part, const char *name,
                      char ret_name[FULL_NAME_LEN])
{
    if (part->group == NULL) {
        snprintf(ret_name, FULL_NAME_LEN, "%s", name);
    } else {
        snprintf(ret_name, FULL_NAME_LEN, "%s[%zu]%s", part->group->name, part->index,
                 name + strlen(part->group->name));
    }
}

void loading_bad(struct loading *loading, struct loading_part *part, const struct schema_item *item,
                 const char *format, ...)
{
    char text[PROBLEM_LEN];
    char name[FULL_NAME_LEN];
    size_t index = schema_index(item);
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    full_name(part, item->name, name);
    report(loading, part->lines[index], name, text);
    part->states[index] = LOADING_BAD;
}

bool loading_has(const struct loading_part *part, const struct schema_item *item)
{
    const struct schema_group *group = schema_group_of(item);
    return part->group == (group->most > 0 ? group : NULL);
}

// The names that the table has for a group, or the groups when `group` is NULL.
static void list_names(const char *group, char *text, size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; used < size; i++) {
        const struct schema_item *item = schema_item(i);
        const struct schema_group *entry = schema_group(i);
        if (group != NULL ? item == NULL : entry == NULL) {
            return;
        }
        if (group != NULL && !schema_is_in_group(item, group)) {
            continue;
        }
        used += (size_t)snprintf(text + used, size - used, "%s%s", used > 0 ? ", " : "",
                                 group != NULL ? schema_last_name(item) : entry->name);
    }
}

static void report_unknown(struct loading *loading, const config_setting_t *node, const char *name,
                           const char *shown_name, const char *group)
{
    char names[ERR_TEXT_LEN];
    const char *nearest = schema_nearest(name);
    if (nearest != NULL) {
        loading_problem(loading, config_setting_source_line(node), shown_name,
                        "unknown setting; did you mean %s?", nearest);
    } else {
        list_names(group, names, sizeof names);
        loading_problem(loading, config_setting_source_line(node), shown_name,
                        "unknown setting; allowed: %s", names);
    }
}

static void read_value(struct loading *loading, struct loading_part *part,
                       const struct schema_item *item, const config_setting_t *node)
{
    struct err err = {0};
    size_t index = schema_index(item);
    part->lines[index] = config_setting_source_line(node);
    part->states[index] = LOADING_FOUND;
    enum err_code code = value_read(item, node, loading->folder, part->into, &err);
    if (code == ERR_NOMEM) {
        loading->out_of_memory = true;
    } else if (code != ERR_OK) {
        loading_bad(loading, part, item, "%s", err.text);
    }
}

// `group` is a group of the file, or an entry of a repeated one.
static void read_group(struct loading *loading, struct loading_part *part, const char *group_name,
                       const config_setting_t *group)
{
    int len = config_setting_length(group);
    for (int i = 0; i < len; i++) {
        const config_setting_t *node = config_setting_get_elem(group, (unsigned)i);
        char name[FULL_NAME_LEN];
        char shown_name[FULL_NAME_LEN];
        snprintf(name, sizeof name, "%s.%.*s", group_name, CLIP, config_setting_name(node));
        full_name(part, name, shown_name);
        const struct schema_item *item = schema_find(name);
        if (item != NULL) {
            read_value(loading, part, item, node);
        } else {
            report_unknown(loading, node, name, shown_name, group_name);
        }
    }
}

static void read_entry(struct loading *loading, const struct schema_group *group, size_t index,
                       const config_setting_t *node)
{
    struct loading_part *part = &loading->entries[index];
    part->into = value_entry(group, loading->into, index);
    part->group = group;
    part->index = index;
    part->line = config_setting_source_line(node);
    if (config_setting_is_group(node)) {
        read_group(loading, part, group->name, node);
        return;
    }
    char name[FULL_NAME_LEN];
    full_name(part, group->name, name);
    loading_problem(loading, part->line, name, "no group; allowed: { ... }");
    for (size_t i = 0; i < SCHEMA_ITEMS_MAX; i++) {
        part->states[i] = LOADING_BAD;
    }
}

static void read_entries(struct loading *loading, const struct schema_group *group,
                         const config_setting_t *node)
{
    if (!config_setting_is_list(node)) {
        loading_problem(loading, config_setting_source_line(node), group->name,
                        "no list of groups; allowed: %s = ( { ... }, { ... } );", group->name);
        return;
    }
    uint32_t count = (uint32_t)config_setting_length(node);
    if (count > group->most) {
        loading_problem(loading, config_setting_source_line(node), group->name,
                        "%u entries; allowed: 0 to %u", count, group->most);
        count = group->most;
    }
    for (uint32_t i = 0; i < count; i++) {
        read_entry(loading, group, i, config_setting_get_elem(node, i));
    }
    loading->entries_count = count;
    memcpy((unsigned char *)loading->into + group->count_offset, &count, sizeof count);
}

static void report_unknown_group(struct loading *loading, const config_setting_t *node)
{
    char names[ERR_TEXT_LEN];
    char name[FULL_NAME_LEN];
    snprintf(name, sizeof name, "%.*s", CLIP, config_setting_name(node));
    const char *nearest = schema_nearest_group(name);
    if (nearest != NULL) {
        loading_problem(loading, config_setting_source_line(node), name,
                        "unknown group; did you mean %s?", nearest);
    } else if (!config_setting_is_group(node)) {
        report_unknown(loading, node, name, name, NULL);
    } else {
        list_names(NULL, names, sizeof names);
        loading_problem(loading, config_setting_source_line(node), name,
                        "unknown group; allowed: %s", names);
    }
}

static void read_root(struct loading *loading, const config_setting_t *root)
{
    int len = config_setting_length(root);
    for (int i = 0; i < len; i++) {
        const config_setting_t *node = config_setting_get_elem(root, (unsigned)i);
        const char *name = config_setting_name(node);
        const struct schema_group *group = schema_find_group(name);
        if (group == NULL) {
            report_unknown_group(loading, node);
        } else if (group->most > 0) {
            read_entries(loading, group, node);
        } else if (!config_setting_is_group(node)) {
            loading_problem(loading, config_setting_source_line(node), name,
                            "a single value; allowed: a group, %s = { ... };", name);
        } else {
            read_group(loading, &loading->main, name, node);
        }
    }
}

// Where a problem with a setting is shown that is not in the file: at its group, or at the top.
static unsigned group_line(const config_setting_t *root, const struct schema_item *item)
{
    int len = config_setting_length(root);
    for (int i = 0; i < len; i++) {
        const config_setting_t *node = config_setting_get_elem(root, (unsigned)i);
        if (schema_is_in_group(item, config_setting_name(node))) {
            return config_setting_source_line(node);
        }
    }
    return 1;
}

static void read_default(struct loading *loading, struct loading_part *part,
                         const struct schema_item *item)
{
    struct err err = {0};
    if (!schema_has_default(item)) {
        return;
    }
    part->states[schema_index(item)] = LOADING_DEFAULT;
    enum err_code code = value_read_text(item, item->initial, loading->folder, part->into, &err);
    if (code == ERR_NOMEM) {
        loading->out_of_memory = true;
    } else if (code != ERR_OK) {
        loading_bad(loading, part, item, "the default is %s", err.text);
    }
}

static void read_defaults(struct loading *loading, struct loading_part *part,
                          const config_setting_t *root)
{
    const struct schema_item *item;
    for (size_t i = 0; (item = schema_item(i)) != NULL; i++) {
        if (loading_has(part, item) && part->states[i] == LOADING_ABSENT) {
            part->lines[i] = part->group != NULL ? part->line : group_line(root, item);
            read_default(loading, part, item);
        }
    }
}

static void report_syntax(struct loading *loading, const config_t *config)
{
    const char *what = config_error_text(config);
    bool is_twice = what != NULL && strstr(what, "duplicate") != NULL;
    loading_problem(loading, (unsigned)config_error_line(config), "syntax",
                    is_twice ? "a setting or group that was there before; allowed: each once"
                             : "cannot be read up to here; allowed: name = value; inside of "
                               "group = { ... };");
}

static void read_text(struct loading *loading, const char *text)
{
    CLEANUP(config_destroy) config_t config = {0};
    config_init(&config);
    if (config_read_string(&config, text) != CONFIG_TRUE) {
        report_syntax(loading, &config);
        return;
    }
    const config_setting_t *root = config_root_setting(&config);
    read_root(loading, root);
    read_defaults(loading, &loading->main, root);
    for (uint32_t i = 0; i < loading->entries_count; i++) {
        read_defaults(loading, &loading->entries[i], root);
    }
    loading_check_presence(loading);
}

static enum err_code read_file(struct loading *loading, struct err *err)
{
    struct err fault = {0};
    unsigned fault_line = 0;
    CLEANUP(buf_wipe) struct buf file = {0};
    CLEANUP(buf_wipe) struct buf text = {0};
    enum err_code code = file_read(loading->path, LIMIT_FILE_LEN, &file, err);
    if (code != ERR_OK) {
        return code;
    }
    code = source_prepare(buf_view(&file), &text, &fault_line, &fault);
    if (code == ERR_SYNTAX) {
        loading_problem(loading, fault_line, "syntax", "%s", fault.text);
        return ERR_OK;
    }
    if (code != ERR_OK) {
        return err_set(err, code, "%s", fault.text);
    }
    read_text(loading, (const char *)text.data);
    return ERR_OK;
}

static enum err_code verdict(const struct loading *loading, struct err *err)
{
    if (loading->out_of_memory) {
        return err_set(err, ERR_NOMEM, "no memory for the settings");
    }
    if (loading->count == 0) {
        return ERR_OK;
    }
    return err_set(err, ERR_CONFIG, "%u problem%s in %s, the first in line %u: %s", loading->count,
                   loading->count == 1 ? "" : "s", loading->path, loading->first_line,
                   loading->first.text);
}

static char *folder_of(const char *path)
{
    char *copy = strdup(path);
    char *folder = copy != NULL ? strdup(dirname(copy)) : NULL;
    free(copy);
    return folder;
}

static enum err_code load(struct loading *loading, bool must_exist, struct err *err)
{
    enum err_code code = read_file(loading, err);
    if (code != ERR_OK) {
        return code;
    }
    loading_check_together(loading);
    loading_use_copies(loading, getenv(CREDENTIALS));
    if (must_exist) {
        loading_check_files(loading);
    }
    return verdict(loading, err);
}

enum err_code settings_load(const char *path, bool must_exist, FILE *problems,
                            struct settings **ret_settings, struct err *err)
{
    char *folder = folder_of(path);
    struct settings *settings = calloc(1, sizeof *settings);
    struct loading loading = {.path = path,
                              .folder = folder,
                              .problems = problems,
                              .into = settings,
                              .main = {.into = settings}};
    enum err_code code = ERR_NOMEM;
    if (folder == NULL || settings == NULL) {
        err_set(err, code, "no memory for the settings");
    } else {
        code = load(&loading, must_exist, err);
    }
    free(folder);
    if (code != ERR_OK) {
        settings_free(settings);
        return code;
    }
    *ret_settings = settings;
    return ERR_OK;
}
