// SPDX-License-Identifier: Apache-2.0
#include "server/ctl/archive/restore_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libconfig.h>

#include "conf/source.h"
#include "server/ctl/api.h"

#define NAME_LEN 128 // bytes of a setting's name
#define HEAD                                                                                       \
    "# Settings of scepd, restored into a folder of their own: paths start in the directory of\n"  \
    "# this file. The backup has them as they were, with all comments: tar -xOf FILE scepd.conf\n"

struct adaption {
    config_t config;
    bool is_changed;
};

static void adaption_done(struct adaption *adaption)
{
    config_destroy(&adaption->config);
}

static enum err_code cannot(const char *setting, struct err *err)
{
    return err_set(err, ERR_CONFIG, "scepd.conf in the backup has no %s to adapt", setting);
}

// "mic[2].roots" is "mic.[2].roots" to libconfig.
static void path_of(const char *setting, char path[NAME_LEN])
{
    const char *bracket = strchr(setting, '[');
    int head = bracket != NULL ? (int)(bracket - setting) : (int)strlen(setting);
    snprintf(path, NAME_LEN, "%.*s%s%s", head, setting, bracket != NULL ? "." : "",
             bracket != NULL ? bracket : "");
}

// A setting that is not in the file has a default that is elsewhere.
static config_setting_t *add_setting(struct adaption *adaption, const char *setting)
{
    char group_name[NAME_LEN];
    const char *dot = strchr(setting, '.');
    if (dot == NULL || strchr(setting, '[') != NULL) {
        return NULL;
    }
    snprintf(group_name, sizeof group_name, "%.*s", (int)(dot - setting), setting);
    config_setting_t *group = config_lookup(&adaption->config, group_name);
    if (group == NULL) {
        group = config_setting_add(config_root_setting(&adaption->config), group_name,
                                   CONFIG_TYPE_GROUP);
    }
    return group != NULL ? config_setting_add(group, dot + 1, CONFIG_TYPE_STRING) : NULL;
}

static bool set_text(struct adaption *adaption, config_setting_t *node, const char *text)
{
    const char *present = node != NULL ? config_setting_get_string(node) : NULL;
    if (present != NULL && strcmp(present, text) == 0) {
        return true;
    }
    adaption->is_changed = true;
    return node != NULL && config_setting_set_string(node, text) == CONFIG_TRUE;
}

static enum err_code adapt_text(struct adaption *adaption, const char *setting, const char *text,
                                struct err *err)
{
    char path[NAME_LEN];
    path_of(setting, path);
    config_setting_t *node = config_lookup(&adaption->config, path);
    if (node == NULL) {
        node = add_setting(adaption, setting);
    }
    return set_text(adaption, node, text) ? ERR_OK : cannot(setting, err);
}

static enum err_code adapt_list(struct adaption *adaption, const char *setting, const json_t *texts,
                                struct err *err)
{
    char path[NAME_LEN];
    path_of(setting, path);
    config_setting_t *list = config_lookup(&adaption->config, path);
    if (list == NULL || config_setting_length(list) != (int)json_array_size(texts)) {
        return cannot(setting, err);
    }
    size_t i;
    const json_t *text;
    json_array_foreach(texts, i, text)
    {
        config_setting_t *node = config_setting_get_elem(list, (unsigned)i);
        if (!set_text(adaption, node, json_string_value(text))) {
            return cannot(setting, err);
        }
    }
    return ERR_OK;
}

static enum err_code read_config(struct adaption *adaption, struct view text, struct err *err)
{
    CLEANUP(buf_done) struct buf prepared = {0};
    unsigned line = 0;
    enum err_code code = source_prepare(text, &prepared, &line, err);
    if (code != ERR_OK) {
        return err_prefix(err, "scepd.conf in the backup, line %u", line);
    }
    return config_read_string(&adaption->config, (const char *)prepared.data) == CONFIG_TRUE
               ? ERR_OK
               : err_set(err, ERR_CONFIG, "scepd.conf in the backup, line %d: %s",
                         config_error_line(&adaption->config),
                         config_error_text(&adaption->config));
}

static enum err_code write_config(const struct adaption *adaption, struct buf *ret_text,
                                  struct err *err)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    if (out == NULL) {
        return err_set(err, ERR_NOMEM, "no memory for the settings");
    }
    fputs(HEAD, out);
    config_write(&adaption->config, out);
    bool is_written = fclose(out) == 0;
    enum err_code code = is_written ? buf_copy(view_of(text, len), ret_text, err)
                                    : err_set(err, ERR_NOMEM, "no memory for the settings");
    free(text);
    return code;
}

enum err_code restore_config_adapt(struct view text, const json_t *into, struct buf *ret_text,
                                   struct err *err)
{
    CLEANUP(adaption_done) struct adaption adaption = {0};
    config_init(&adaption.config);
    size_t i;
    const json_t *entry;
    enum err_code code = read_config(&adaption, text, err);
    json_array_foreach(into, i, entry)
    {
        const char *setting = api_text(entry, "setting");
        const json_t *value = json_object_get(entry, "value");
        if (code == ERR_OK) {
            code = json_is_string(value)
                       ? adapt_text(&adaption, setting, json_string_value(value), err)
                       : adapt_list(&adaption, setting, value, err);
        }
    }
    if (code != ERR_OK) {
        return code;
    }
    return adaption.is_changed ? write_config(&adaption, ret_text, err)
                               : buf_copy(text, ret_text, err);
}
