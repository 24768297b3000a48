// SPDX-License-Identifier: Apache-2.0
#include "server/ctl/archive/manifest.h"

#include <stdlib.h>
#include <string.h>

#include "conf/base/hex.h"
#include "conf/base/ossl.h"
#include "server/ctl/api.h"
#include "server/ctl/archive/tar_reader.h"

#define SHOWN_LEN 80 // octets of a text in an error
#define OCTAL     8

// A member that has to be there.
struct member {
    const char *key;
    json_type type;
};

static enum err_code bad(struct err *err, const char *list, size_t index, const char *what)
{
    return err_set(err, ERR_SYNTAX, MANIFEST_NAME ": %s[%zu]: %s", list, index, what);
}

static enum err_code check_members(const json_t *object, const struct member *members, size_t count,
                                   const char *where, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        const json_t *value = json_object_get(object, members[i].key);
        bool is_both = members[i].type == JSON_TRUE && json_is_boolean(value);
        if (value == NULL || (json_typeof(value) != members[i].type && !is_both)) {
            return err_set(err, ERR_SYNTAX, MANIFEST_NAME ": %s has no good \"%s\"", where,
                           members[i].key);
        }
    }
    return ERR_OK;
}

static bool is_absolute(const char *path)
{
    return path != NULL && path[0] == '/' && tar_is_plain_name(path + 1);
}

static bool is_mode(const char *text)
{
    return text != NULL && strlen(text) == strlen("0600") &&
           strspn(text, "01234567") == strlen(text) &&
           strtoul(text, NULL, OCTAL) <= MANIFEST_MODE_MAX;
}

static bool is_digest(const char *text)
{
    uint8_t digest[SHA256_LEN];
    return text != NULL && hex_decode(text, digest, sizeof digest) == (ssize_t)sizeof digest;
}

static bool is_owned(const json_t *entry)
{
    const char *owner = api_text(entry, "owner");
    const char *group = api_text(entry, "group");
    return is_mode(api_text(entry, "mode")) && owner != NULL && owner[0] != '\0' && group != NULL &&
           group[0] != '\0';
}

// Each place once, whatever is to stand there.
static bool is_new(json_t *places, const char *place)
{
    return json_object_get(places, place) == NULL &&
           json_object_set_new(places, place, json_null()) == 0;
}

static bool has_paths(const json_t *entry, json_t *places, bool has_path)
{
    const char *path = api_text(entry, "path");
    const char *restore_to = api_text(entry, "restore_to");
    if (!is_absolute(restore_to) || !is_new(places, restore_to)) {
        return false;
    }
    return !has_path || (path != NULL && tar_is_plain_name(path) && is_new(places, path));
}

static enum err_code check_file(const json_t *file, size_t index, json_t *places, struct err *err)
{
    if (!has_paths(file, places, true)) {
        return bad(err, "files", index, "a path that is not allowed or is there twice");
    }
    if (!is_owned(file)) {
        return bad(err, "files", index, "a mode, owner or group that is not allowed");
    }
    bool is_good =
        is_digest(api_text(file, "sha256")) && json_is_integer(json_object_get(file, "size")) &&
        api_number(file, "size") >= 0 && json_is_boolean(json_object_get(file, "is_key"));
    return is_good ? ERR_OK : bad(err, "files", index, "no good size, sha256 or is_key");
}

static enum err_code check_link(const json_t *link, size_t index, json_t *places, struct err *err)
{
    const char *target = api_text(link, "target");
    if (!has_paths(link, places, true)) {
        return bad(err, "links", index, "a path that is not allowed or is there twice");
    }
    bool is_beside = target != NULL && tar_is_plain_name(target) && strchr(target, '/') == NULL;
    return is_beside ? ERR_OK : bad(err, "links", index, "it leads elsewhere than beside itself");
}

static enum err_code check_folder(const json_t *folder, size_t index, json_t *places,
                                  struct err *err)
{
    bool has_path = json_object_get(folder, "path") != NULL;
    return has_paths(folder, places, has_path) && is_owned(folder)
               ? ERR_OK
               : bad(err, "folders", index, "a path, mode, owner or group that is not allowed");
}

static enum err_code check_left_out(const json_t *key, size_t index, json_t *places,
                                    struct err *err)
{
    (void)places;
    const json_t *restore_to = json_object_get(key, "restore_to");
    bool is_good = api_text(key, "setting") != NULL &&
                   (json_is_null(restore_to) || is_absolute(json_string_value(restore_to)));
    return is_good ? ERR_OK : bad(err, "left_out", index, "no good setting or restore_to");
}

static bool is_inner_list(const json_t *value)
{
    size_t i;
    const json_t *text;
    json_array_foreach(value, i, text)
    {
        if (!json_is_string(text) || !tar_is_plain_name(json_string_value(text))) {
            return false;
        }
    }
    return json_is_array(value);
}

static enum err_code check_into(const json_t *into, size_t index, json_t *places, struct err *err)
{
    (void)places;
    const json_t *value = json_object_get(into, "value");
    bool is_text = json_is_string(value) && tar_is_plain_name(json_string_value(value));
    return api_text(into, "setting") != NULL && (is_text || is_inner_list(value))
               ? ERR_OK
               : bad(err, "into", index, "no good setting or value");
}

static enum err_code check_lists(const json_t *manifest, struct err *err)
{
    static const struct {
        const char *name;
        enum err_code (*check)(const json_t *entry, size_t index, json_t *places, struct err *err);
    } lists[] = {
        {"files", check_file},        {"links", check_link}, {"folders", check_folder},
        {"left_out", check_left_out}, {"into", check_into},
    };
    CLEANUP(api_decref) json_t *places = json_object();
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        size_t index;
        const json_t *entry;
        const json_t *list = json_object_get(manifest, lists[i].name);
        json_array_foreach(list, index, entry)
        {
            enum err_code code = lists[i].check(entry, index, places, err);
            if (code != ERR_OK) {
                return code;
            }
        }
    }
    return ERR_OK;
}

static bool is_restored_to(const json_t *manifest, const char *path, const char *expected)
{
    const char *restore_to = api_text(manifest_find(manifest, path), "restore_to");
    return restore_to != NULL && strcmp(restore_to, expected) == 0;
}

static enum err_code check_places(const json_t *manifest, struct err *err)
{
    const char *settings = api_text(manifest, "settings");
    const char *store = api_text(manifest, "store");
    if (!is_absolute(settings) || !is_absolute(store) ||
        !is_absolute(api_text(manifest, "admin_socket"))) {
        return err_set(err, ERR_SYNTAX,
                       MANIFEST_NAME ": settings, store or admin_socket is not an absolute path");
    }
    const json_t *data = manifest_find(manifest, MANIFEST_STORE);
    const char *restore_to = api_text(data, "restore_to");
    size_t len = strlen(store);
    if (restore_to == NULL || strncmp(restore_to, store, len) != 0 ||
        strcmp(restore_to + len, "/data.mdb") != 0 ||
        !is_restored_to(manifest, MANIFEST_SETTINGS, settings)) {
        return err_set(err, ERR_SYNTAX, MANIFEST_NAME ": no store or no settings in it");
    }
    return ERR_OK;
}

static enum err_code check_format(const json_t *manifest, struct err *err)
{
    const json_t *format = json_object_get(manifest, "format");
    if (!json_is_integer(format)) {
        return err_set(err, ERR_SYNTAX, MANIFEST_NAME ": it does not say its format");
    }
    if (json_integer_value(format) != MANIFEST_FORMAT) {
        return err_set(err, ERR_CONFIG,
                       "the backup has format %" JSON_INTEGER_FORMAT
                       ", this program knows %d: another version of scepctl made it",
                       json_integer_value(format), MANIFEST_FORMAT);
    }
    return ERR_OK;
}

static enum err_code check(const json_t *manifest, struct err *err)
{
    static const struct member members[] = {
        {"scepd", JSON_STRING},   {"created", JSON_INTEGER},      {"created_at", JSON_STRING},
        {"schema", JSON_INTEGER}, {"certificates", JSON_INTEGER}, {"settings", JSON_STRING},
        {"store", JSON_STRING},   {"admin_socket", JSON_STRING},  {"has_keys", JSON_TRUE},
        {"files", JSON_ARRAY},    {"links", JSON_ARRAY},          {"folders", JSON_ARRAY},
        {"left_out", JSON_ARRAY}, {"into", JSON_ARRAY},
    };
    enum err_code code = check_format(manifest, err);
    if (code == ERR_OK) {
        code = check_members(manifest, members, sizeof members / sizeof members[0], "it", err);
    }
    if (code == ERR_OK) {
        code = check_lists(manifest, err);
    }
    return code == ERR_OK ? check_places(manifest, err) : code;
}

enum err_code manifest_parse(struct view text, json_t **ret_manifest, struct err *err)
{
    json_error_t problem;
    CLEANUP(api_decref)
    json_t *manifest =
        json_loadb((const char *)text.data, text.len, JSON_REJECT_DUPLICATES, &problem);
    if (!json_is_object(manifest)) {
        return err_set(err, ERR_SYNTAX, MANIFEST_NAME " is no JSON object: %.*s", SHOWN_LEN,
                       manifest == NULL ? problem.text : "something else");
    }
    enum err_code code = check(manifest, err);
    if (code == ERR_OK) {
        *ret_manifest = manifest;
        manifest = NULL;
    }
    return code;
}

unsigned manifest_mode(const json_t *entry)
{
    return (unsigned)strtoul(api_text(entry, "mode"), NULL, OCTAL);
}

const json_t *manifest_find(const json_t *manifest, const char *path)
{
    size_t i;
    const json_t *file;
    json_array_foreach(json_object_get(manifest, "files"), i, file)
    {
        const char *found = api_text(file, "path");
        if (found != NULL && strcmp(found, path) == 0) {
            return file;
        }
    }
    return NULL;
}

bool manifest_holds(const json_t *manifest, const char *restore_to)
{
    size_t i;
    const json_t *file;
    json_array_foreach(json_object_get(manifest, "files"), i, file)
    {
        if (strcmp(api_text(file, "restore_to"), restore_to) == 0) {
            return true;
        }
    }
    return false;
}
