// SPDX-License-Identifier: Apache-2.0
#include "conf/value.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/source.h"
#include "conf/syntax.h"

#define SHOWN_LEN 60 // octets of a wrong value that are shown; the rest would only hide the reason

struct destination {
    const struct schema_item *item;
    const char *folder;
    void *into;
};

static void *field_at(void *into, size_t offset)
{
    return (unsigned char *)into + offset;
}

const char *value_text(const struct schema_item *item, const void *from)
{
    const char *text;
    memcpy(&text, (const unsigned char *)from + item->offset, sizeof text);
    return text;
}

const struct settings_texts *value_texts(const struct schema_item *item, const void *from)
{
    const void *field = (const unsigned char *)from + item->offset;
    return field;
}

void *value_entry(const struct schema_group *group, struct settings *settings, size_t index)
{
    return field_at(settings, group->offset + index * group->entry_size);
}

void value_replace_text(const struct schema_item *item, char *take_text, void *into)
{
    char **field = field_at(into, item->offset);
    free(*field);
    *field = take_text;
}

static void free_texts(struct settings_texts *texts)
{
    for (uint32_t i = 0; i < texts->count; i++) {
        free((char *)texts->list[i]);
    }
    *texts = (struct settings_texts){0};
}

static void free_field(const struct schema_item *item, void *from)
{
    if (schema_is_text(item)) {
        char **field = field_at(from, item->offset);
        free(*field);
        *field = NULL;
    } else if (schema_is_text_list(item)) {
        free_texts(field_at(from, item->offset));
    }
}

void value_free_texts(struct settings *settings)
{
    const struct schema_item *item;
    for (size_t i = 0; (item = schema_item(i)) != NULL; i++) {
        const struct schema_group *group = schema_group_of(item);
        if (group->most == 0) {
            free_field(item, settings);
        }
        for (size_t k = 0; k < group->most; k++) {
            free_field(item, value_entry(group, settings, k));
        }
    }
}

static enum err_code refuse(const struct schema_item *item, struct err *err, const char *format,
                            ...) PRINTF_LIKE(3, 4);
static enum err_code refuse(const struct schema_item *item, struct err *err, const char *format,
                            ...)
{
    char seen[ERR_TEXT_LEN];
    char allowed[SCHEMA_ALLOWED_LEN];
    va_list args;
    va_start(args, format);
    vsnprintf(seen, sizeof seen, format, args);
    va_end(args);
    return err_set(err, ERR_CONFIG, "%s; allowed: %s", seen, schema_allowed(item, allowed));
}

static const char *node_type_name(const config_setting_t *node)
{
    switch (config_setting_type(node)) {
    case CONFIG_TYPE_GROUP:
        return "a group";
    case CONFIG_TYPE_INT:
    case CONFIG_TYPE_INT64:
        return "an integer";
    case CONFIG_TYPE_FLOAT:
        return "a number with a fraction";
    case CONFIG_TYPE_STRING:
        return "a text in quotes";
    case CONFIG_TYPE_BOOL:
        return "true or false without quotes";
    default:
        return "a list";
    }
}

static enum err_code read_integer(const struct destination *to, const config_setting_t *node,
                                  struct err *err)
{
    const struct schema_item *item = to->item;
    int type = config_setting_type(node);
    if (type != CONFIG_TYPE_INT && type != CONFIG_TYPE_INT64) {
        return refuse(item, err, "%s instead of an integer", node_type_name(node));
    }
    long long value = config_setting_get_int64(node);
    if (value < item->min || value > item->max) {
        bool has_reason = item->range_reason != NULL;
        return refuse(item, err, "%lld%s%s%s", value, has_reason ? " (" : "",
                      has_reason ? item->range_reason : "", has_reason ? ")" : "");
    }
    uint32_t *field = field_at(to->into, item->offset);
    *field = (uint32_t)value;
    return ERR_OK;
}

static enum err_code read_boolean(const struct destination *to, const config_setting_t *node,
                                  struct err *err)
{
    if (config_setting_type(node) != CONFIG_TYPE_BOOL) {
        return refuse(to->item, err, "%s", node_type_name(node));
    }
    bool *field = field_at(to->into, to->item->offset);
    *field = config_setting_get_bool(node) == CONFIG_TRUE;
    return ERR_OK;
}

static enum err_code find_choice(const struct schema_item *item, const config_setting_t *node,
                                 uint32_t *ret_choice, struct err *err)
{
    if (config_setting_type(node) != CONFIG_TYPE_STRING) {
        return refuse(item, err, "%s instead of a text in quotes", node_type_name(node));
    }
    const char *text = config_setting_get_string(node);
    for (uint32_t i = 0; item->choices[i] != NULL; i++) {
        if (strcmp(item->choices[i], text) == 0) {
            *ret_choice = i;
            return ERR_OK;
        }
    }
    return refuse(item, err, "\"%.*s\"", SHOWN_LEN, text);
}

static bool contains(const uint32_t *choices, uint32_t count, uint32_t choice)
{
    for (uint32_t i = 0; i < count; i++) {
        if (choices[i] == choice) {
            return true;
        }
    }
    return false;
}

// The node is a list with as many entries as the item may have.
static enum err_code check_list(const struct schema_item *item, const config_setting_t *node,
                                struct err *err)
{
    if (!config_setting_is_array(node) && !config_setting_is_list(node)) {
        return refuse(item, err, "%s instead of a list", node_type_name(node));
    }
    int len = config_setting_length(node);
    if (len < (int)item->min || len > SETTINGS_LIST_MAX) {
        return refuse(item, err, "a list of %d entries", len);
    }
    return ERR_OK;
}

static enum err_code read_choices(const struct destination *to, const config_setting_t *node,
                                  struct err *err)
{
    const struct schema_item *item = to->item;
    uint32_t choices[SETTINGS_LIST_MAX] = {0};
    uint32_t count = 0;
    enum err_code code = check_list(item, node, err);
    if (code != ERR_OK) {
        return code;
    }
    int len = config_setting_length(node);
    for (int i = 0; i < len; i++) {
        uint32_t choice = 0;
        code = find_choice(item, config_setting_get_elem(node, (unsigned)i), &choice, err);
        if (code != ERR_OK) {
            return code;
        }
        if (contains(choices, count, choice)) {
            return refuse(item, err, "\"%s\" twice", item->choices[choice]);
        }
        choices[count++] = choice;
    }
    memcpy(field_at(to->into, item->offset), choices, sizeof choices);
    memcpy(field_at(to->into, item->count_offset), &count, sizeof count);
    return ERR_OK;
}

static enum err_code check_syntax(const struct schema_item *item, const char *text, struct err *err)
{
    union syntax_address address;
    switch (item->type) {
    case SCHEMA_LISTEN:
        return syntax_listen(text, &address, err);
    case SCHEMA_URL:
        return syntax_url(text, err);
    case SCHEMA_URL_PATH:
        return syntax_url_path(text, err);
    case SCHEMA_LABEL:
        return syntax_label(text, err);
    case SCHEMA_DOMAIN_LIST:
        return syntax_domain(text, err);
    default:
        return ERR_OK;
    }
}

static enum err_code check_text(const struct schema_item *item, const char *text, struct err *err)
{
    struct err why = {0};
    if (text[0] == '\0') {
        return refuse(item, err, "an empty text");
    }
    if (item->type == SCHEMA_KEY && syntax_has_pin(text)) {
        return refuse(item, err, "a URI with a PIN in it, which belongs into a pin_file");
    }
    if (check_syntax(item, text, &why) != ERR_OK) {
        return refuse(item, err, "\"%.*s\": %s", SHOWN_LEN, text, why.text);
    }
    return ERR_OK;
}

// What of `text` is a path; NULL when nothing is.
static const char *path_in(const struct schema_item *item, const char *text)
{
    if (item->type == SCHEMA_KEY) {
        return syntax_key_path(text);
    }
    return item->type > SCHEMA_KEY || item->type == SCHEMA_FILE_LIST ? text : NULL;
}

static char *lower_case(const char *text)
{
    char *lower = strdup(text);
    for (char *at = lower; at != NULL && *at != '\0'; at++) {
        if (*at >= 'A' && *at <= 'Z') {
            *at = (char)(*at - 'A' + 'a');
        }
    }
    return lower;
}

// The text as it is kept: domains in lower case; a path, or the path in a file: URI, that is not
// absolute lies in `folder`. Caller frees; NULL = no memory.
static char *make_text(const struct schema_item *item, const char *text, const char *folder)
{
    const char *path = path_in(item, text);
    if (item->type == SCHEMA_DOMAIN_LIST) {
        return lower_case(text);
    }
    if (path == NULL || path[0] == '/') {
        return strdup(text);
    }
    char *resolved = NULL;
    int head_len = (int)(path - text);
    return asprintf(&resolved, "%.*s%s/%s", head_len, text, folder, path) >= 0 ? resolved : NULL;
}

// Caller frees *ret_text.
static enum err_code copy_text(const struct destination *to, const config_setting_t *node,
                               char **ret_text, struct err *err)
{
    const struct schema_item *item = to->item;
    if (config_setting_type(node) != CONFIG_TYPE_STRING) {
        return refuse(item, err, "%s instead of a text in quotes", node_type_name(node));
    }
    enum err_code code = check_text(item, config_setting_get_string(node), err);
    if (code != ERR_OK) {
        return code;
    }
    char *text = make_text(item, config_setting_get_string(node), to->folder);
    if (text == NULL) {
        return err_set(err, ERR_NOMEM, "no memory for a setting");
    }
    size_t limit = item->type == SCHEMA_SOCKET ? SCHEMA_SOCKET_LEN : PATH_MAX - 1;
    if (strlen(text) > limit) {
        code = refuse(item, err, "with its directory a path of %zu octets", strlen(text));
        free(text);
        return code;
    }
    *ret_text = text;
    return ERR_OK;
}

static enum err_code read_text(const struct destination *to, const config_setting_t *node,
                               struct err *err)
{
    char *text = NULL;
    enum err_code code = copy_text(to, node, &text, err);
    if (code == ERR_OK) {
        char **field = field_at(to->into, to->item->offset);
        free(*field);
        *field = text;
    }
    return code;
}

static enum err_code add_text(const struct destination *to, const config_setting_t *node,
                              struct settings_texts *texts, struct err *err)
{
    char *text = NULL;
    enum err_code code = copy_text(to, node, &text, err);
    if (code != ERR_OK) {
        return code;
    }
    for (uint32_t i = 0; i < texts->count; i++) {
        if (strcmp(texts->list[i], text) == 0) {
            free(text);
            return refuse(to->item, err, "\"%.*s\" twice", SHOWN_LEN,
                          config_setting_get_string(node));
        }
    }
    texts->list[texts->count++] = text;
    return ERR_OK;
}

static enum err_code read_texts(const struct destination *to, const config_setting_t *node,
                                struct err *err)
{
    CLEANUP(free_texts) struct settings_texts texts = {0};
    enum err_code code = check_list(to->item, node, err);
    int len = code == ERR_OK ? config_setting_length(node) : 0;
    for (int i = 0; code == ERR_OK && i < len; i++) {
        code = add_text(to, config_setting_get_elem(node, (unsigned)i), &texts, err);
    }
    if (code != ERR_OK) {
        return code;
    }
    struct settings_texts *field = field_at(to->into, to->item->offset);
    free_texts(field);
    *field = texts;
    texts = (struct settings_texts){0};
    return ERR_OK;
}

enum err_code value_read(const struct schema_item *item, const config_setting_t *node,
                         const char *folder, void *into, struct err *err)
{
    const struct destination to = {.item = item, .folder = folder, .into = into};
    switch (item->type) {
    case SCHEMA_INTEGER:
        return read_integer(&to, node, err);
    case SCHEMA_BOOLEAN:
        return read_boolean(&to, node, err);
    case SCHEMA_ENUM:
        return find_choice(item, node, field_at(into, item->offset), err);
    case SCHEMA_ENUM_LIST:
        return read_choices(&to, node, err);
    case SCHEMA_DOMAIN_LIST:
    case SCHEMA_FILE_LIST:
        return read_texts(&to, node, err);
    default:
        return read_text(&to, node, err);
    }
}

static enum err_code read_line(const struct destination *to, struct view line, struct err *err)
{
    unsigned fault_line = 0;
    CLEANUP(buf_wipe) struct buf text = {0};
    enum err_code code = source_prepare(line, &text, &fault_line, err);
    if (code != ERR_OK) {
        return code;
    }
    CLEANUP(config_destroy) config_t config = {0};
    config_init(&config);
    if (config_read_string(&config, (const char *)text.data) != CONFIG_TRUE ||
        config_setting_length(config_root_setting(&config)) != 1) {
        return refuse(to->item, err, "not a value");
    }
    const config_setting_t *node = config_setting_get_elem(config_root_setting(&config), 0);
    return value_read(to->item, node, to->folder, to->into, err);
}

enum err_code value_read_text(const struct schema_item *item, const char *text, const char *folder,
                              void *into, struct err *err)
{
    const struct destination to = {.item = item, .folder = folder, .into = into};
    CLEANUP(buf_wipe) struct buf literal = {0};
    CLEANUP(buf_wipe) struct buf line = {0};
    enum err_code code = schema_literal(item, text, &literal, err);
    const struct view parts[] = {view_of_text("value = "), buf_view(&literal), view_of_text(";")};
    for (size_t i = 0; code == ERR_OK && i < sizeof parts / sizeof parts[0]; i++) {
        code = buf_append(&line, parts[i], err);
    }
    return code == ERR_OK ? read_line(&to, buf_view(&line), err) : code;
}
