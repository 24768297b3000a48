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

#define PROBLEM_LEN   1024 // bytes of a problem with NUL; paths may be long
#define FULL_NAME_LEN 160  // bytes of "group.name" as found in a file; longer ones are cut
#define CLIP          64   // octets of each part of such a name

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

void loading_bad(struct loading *loading, size_t index, const char *format, ...)
{
    char text[PROBLEM_LEN];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    report(loading, loading->lines[index], schema_item(index)->name, text);
    loading->states[index] = LOADING_BAD;
}

static size_t index_of(const struct schema_item *item)
{
    return (size_t)(item - schema_item(0));
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
                           const char *group)
{
    char names[ERR_TEXT_LEN];
    const char *nearest = schema_nearest(name);
    if (nearest != NULL) {
        loading_problem(loading, config_setting_source_line(node), name,
                        "unknown setting; did you mean %s?", nearest);
    } else {
        list_names(group, names, sizeof names);
        loading_problem(loading, config_setting_source_line(node), name,
                        "unknown setting; allowed: %s", names);
    }
}

static void read_value(struct loading *loading, const struct schema_item *item,
                       const config_setting_t *node)
{
    struct err err = {0};
    size_t index = index_of(item);
    loading->lines[index] = config_setting_source_line(node);
    loading->states[index] = LOADING_FOUND;
    enum err_code code = value_read(item, node, loading->folder, loading->into, &err);
    if (code == ERR_NOMEM) {
        loading->out_of_memory = true;
    } else if (code != ERR_OK) {
        loading_bad(loading, index, "%s", err.text);
    }
}

static void read_group(struct loading *loading, const config_setting_t *group)
{
    const char *group_name = config_setting_name(group);
    int len = config_setting_length(group);
    for (int i = 0; i < len; i++) {
        const config_setting_t *node = config_setting_get_elem(group, (unsigned)i);
        char name[FULL_NAME_LEN];
        snprintf(name, sizeof name, "%s.%.*s", group_name, CLIP, config_setting_name(node));
        const struct schema_item *item = schema_find(name);
        if (item != NULL) {
            read_value(loading, item, node);
        } else {
            report_unknown(loading, node, name, group_name);
        }
    }
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
        report_unknown(loading, node, name, NULL);
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
        if (schema_find_group(name) == NULL) {
            report_unknown_group(loading, node);
        } else if (!config_setting_is_group(node)) {
            loading_problem(loading, config_setting_source_line(node), name,
                            "a single value; allowed: a group, %s = { ... };", name);
        } else {
            read_group(loading, node);
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

static void read_default(struct loading *loading, const struct schema_item *item)
{
    struct err err = {0};
    size_t index = index_of(item);
    if (item->required) {
        loading_bad(loading, index, "not in the file; allowed: it must be set");
        return;
    }
    if (item->initial == NULL) {
        return;
    }
    loading->states[index] = LOADING_DEFAULT;
    enum err_code code = value_read_text(item, item->initial, loading->folder, loading->into, &err);
    if (code == ERR_NOMEM) {
        loading->out_of_memory = true;
    } else if (code != ERR_OK) {
        loading_bad(loading, index, "the default is %s", err.text);
    }
}

static void read_defaults(struct loading *loading, const config_setting_t *root)
{
    const struct schema_item *item;
    for (size_t i = 0; (item = schema_item(i)) != NULL; i++) {
        if (loading->states[i] == LOADING_ABSENT) {
            loading->lines[i] = group_line(root, item);
            read_default(loading, item);
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
    read_root(loading, config_root_setting(&config));
    read_defaults(loading, config_root_setting(&config));
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
    struct loading loading = {
        .path = path, .folder = folder, .problems = problems, .into = settings};
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
