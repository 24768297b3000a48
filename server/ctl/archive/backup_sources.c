// SPDX-License-Identifier: Apache-2.0
// Where the files of a backup come from.
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/generations.h"
#include "conf/schema.h"
#include "conf/syntax.h"
#include "ra/ra_pairs.h"
#include "server/ctl/api.h"
#include "server/ctl/archive/backup_collect.h"
#include "server/ctl/archive/backup_paths.h"

#define SETTING_LEN 96  // bytes of "mic[12].intermediates"
#define TARGET_LEN  256 // bytes of where a link leads

static enum err_code into_of(const struct backup_collection *collection, const char *path,
                             char ret_into[PATH_MAX], struct err *err)
{
    const struct backup_plan *plan = collection->plan;
    return backup_path_into(plan->config, plan->settings, path, ret_into, err);
}

// --- What the settings name.

// Whatever is not known to be public is taken for a secret.
static bool is_public(const struct schema_item *item)
{
    static const char *const names[] = {"ca.certificate", "ca.root", "ra.certificate", "mic.roots",
                                        "mic.intermediates"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(item->name, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

static enum err_code add_key(struct backup_collection *collection, const char *setting,
                             const char *key, struct err *err)
{
    const char *path = syntax_key_path(key);
    const struct backup_source source = {.setting = setting, .path = path, .is_key = true};
    return path != NULL ? backup_collect_file(collection, &source, err)
                        : backup_leave_out(collection, setting, NULL, err);
}

// "mic.roots" of entry 2 is "mic[2].roots".
static void name_setting(const struct schema_item *item, unsigned index, char name[SETTING_LEN])
{
    const struct schema_group *group = schema_group_of(item);
    if (group->most > 0) {
        snprintf(name, SETTING_LEN, "%s[%u].%s", group->name, index, schema_last_name(item));
    } else {
        snprintf(name, SETTING_LEN, "%s", item->name);
    }
}

// The value as it is below the folder of `restore --into`; a new reference, NULL on failure.
static json_t *into_value(const struct backup_collection *collection, const char *text,
                          struct err *err)
{
    char plain[PATH_MAX];
    char into[PATH_MAX];
    const char *path = syntax_key_path(text);
    enum err_code code = backup_path_plain(path, plain, err);
    if (code == ERR_OK) {
        code = into_of(collection, plain, into, err);
    }
    return code == ERR_OK ? json_string(into) : NULL;
}

static enum err_code note_into(struct backup_collection *collection, const char *setting,
                               json_t *take_value, struct err *err)
{
    json_t *entry = json_pack("{s:s, s:o}", "setting", setting, "value", take_value);
    return entry != NULL ? backup_collect_entry(collection->into->into, entry, setting, err)
                         : err_set(err, ERR_CONFIG, "the path in %s cannot be recorded", setting);
}

static json_t *find_folder(const struct backup_collection *collection, const char *restore_to)
{
    size_t i;
    json_t *folder;
    json_array_foreach(collection->into->folders, i, folder)
    {
        if (strcmp(api_text(folder, "restore_to"), restore_to) == 0) {
            return folder;
        }
    }
    return NULL;
}

// `plain` with a slash behind it, so that the folder itself is collected, too.
static enum err_code collect_whole(struct backup_collection *collection, const char *plain,
                                   struct err *err)
{
    char path[PATH_MAX + 1];
    snprintf(path, sizeof path, "%s/", plain);
    return backup_collect_folders(collection, path, err);
}

// The folder itself, also when nothing is in it: scepd may not be allowed to make it again.
static enum err_code add_directory(struct backup_collection *collection, const char *path,
                                   struct err *err)
{
    char plain[PATH_MAX];
    char into[PATH_MAX];
    struct stat status;
    if (stat(path, &status) != 0) {
        return errno == ENOENT ? ERR_OK : err_set_errno(err, "cannot look at %s", path);
    }
    enum err_code code = backup_path_plain(path, plain, err);
    if (code == ERR_OK) {
        code = into_of(collection, plain, into, err);
    }
    if (code == ERR_OK) {
        code = collect_whole(collection, plain, err);
    }
    if (code != ERR_OK) {
        return code;
    }
    return json_object_set_new(find_folder(collection, plain), "path", json_string(into)) == 0
               ? ERR_OK
               : err_set(err, ERR_CONFIG, "the path %s cannot be recorded", path);
}

static enum err_code add_text(struct backup_collection *collection, const struct schema_item *item,
                              const char *setting, const char *text, struct err *err)
{
    enum err_code code = ERR_OK;
    if (item->type == SCHEMA_KEY) {
        code = add_key(collection, setting, text, err);
    } else if (item->type == SCHEMA_FILE) {
        const struct backup_source source = {
            .setting = setting, .path = text, .is_key = !is_public(item)};
        code = backup_collect_file(collection, &source, err);
    } else if (item->type == SCHEMA_DIRECTORY) {
        code = add_directory(collection, text, err);
    }
    bool is_path = item->type != SCHEMA_KEY || syntax_key_path(text) != NULL;
    return code == ERR_OK && is_path
               ? note_into(collection, setting, into_value(collection, text, err), err)
               : code;
}

static enum err_code add_texts(struct backup_collection *collection, const struct schema_item *item,
                               const char *setting, const struct settings_texts *texts,
                               struct err *err)
{
    CLEANUP(api_decref) json_t *values = json_array();
    for (uint32_t i = 0; i < texts->count; i++) {
        const struct backup_source source = {
            .setting = setting, .path = texts->list[i], .is_key = !is_public(item)};
        enum err_code code = backup_collect_file(collection, &source, err);
        if (code != ERR_OK) {
            return code;
        }
        json_array_append_new(values, into_value(collection, texts->list[i], err));
    }
    return texts->count > 0 ? note_into(collection, setting, json_incref(values), err) : ERR_OK;
}

static bool is_path_type(enum schema_type type)
{
    return type == SCHEMA_KEY || type == SCHEMA_FILE || type == SCHEMA_DIRECTORY ||
           type == SCHEMA_SOCKET;
}

// `part` is where the item's offset counts from.
static enum err_code add_item(struct backup_collection *collection, const struct schema_item *item,
                              const uint8_t *part, unsigned index, struct err *err)
{
    char setting[SETTING_LEN];
    name_setting(item, index, setting);
    if (item->type == SCHEMA_FILE_LIST) {
        const void *texts = part + item->offset;
        return add_texts(collection, item, setting, texts, err);
    }
    if (is_path_type(item->type)) {
        const char *text = NULL;
        memcpy(&text, part + item->offset, sizeof text);
        return text != NULL ? add_text(collection, item, setting, text, err) : ERR_OK;
    }
    return ERR_OK;
}

enum err_code backup_collect_settings(struct backup_collection *collection, struct err *err)
{
    const uint8_t *settings = (const uint8_t *)collection->plan->settings;
    const struct schema_item *item;
    enum err_code code = ERR_OK;
    for (size_t i = 0; code == ERR_OK && (item = schema_item(i)) != NULL; i++) {
        const struct schema_group *group = schema_group_of(item);
        uint32_t count = 1;
        if (group->most > 0) {
            memcpy(&count, settings + group->count_offset, sizeof count);
        }
        for (uint32_t at = 0; code == ERR_OK && at < count; at++) {
            size_t offset = group->most > 0 ? group->offset + at * group->entry_size : 0;
            code = add_item(collection, item, settings + offset, at, err);
        }
    }
    return code;
}

// --- What scepd and scepctl made since.

static enum err_code add_ra_pairs(struct backup_collection *collection, struct err *err)
{
    const char *directory = collection->plan->settings->ra.directory;
    const struct settings only_directory = {.ra.directory = directory};
    struct ra_pairs pairs = {0};
    enum err_code code = directory != NULL ? ra_pairs_read(&only_directory, &pairs, err) : ERR_OK;
    for (unsigned i = 0; code == ERR_OK && i < pairs.count; i++) {
        const struct ra_pair *pair = &pairs.list[i];
        const struct backup_source cert = {
            .setting = "ra.directory", .path = pair->cert_path, .is_foreign = true};
        const struct backup_source key = {
            .setting = "ra.directory", .path = pair->key_path, .is_key = true, .is_foreign = true};
        code = backup_collect_file(collection, &cert, err);
        if (code == ERR_OK && pair->key_path != NULL) {
            code = backup_collect_file(collection, &key, err);
        }
    }
    ra_pairs_done(&pairs);
    return code;
}

static int is_generation(const struct dirent *entry)
{
    return strlen(entry->d_name) == GENERATION_NAME_LEN - 1 &&
                   strspn(entry->d_name, "0123456789abcdef") == GENERATION_NAME_LEN - 1
               ? 1
               : 0;
}

static enum err_code add_generation(struct backup_collection *collection, const char *name,
                                    struct err *err)
{
    static const struct {
        const char *name;
        bool is_key;
    } files[] = {{"ca.pem", false},
                 {"chain.pem", false},
                 {"ca.key", true},
                 {"key.uri", true}, // may have a PIN in it
                 {"pin", true}};
    char path[PATH_MAX];
    enum err_code code = ERR_OK;
    for (size_t i = 0; code == ERR_OK && i < sizeof files / sizeof files[0]; i++) {
        snprintf(path, sizeof path, "%s/%s/%s", collection->plan->settings->ca.generations, name,
                 files[i].name);
        const struct backup_source source = {.setting = "ca.generations",
                                             .path = path,
                                             .is_key = files[i].is_key,
                                             .is_foreign = true};
        struct stat status;
        if (lstat(path, &status) == 0) {
            code = backup_collect_file(collection, &source, err);
        } else if (errno != ENOENT) {
            code = err_set_errno(err, "cannot look at %s", path);
        }
    }
    return code;
}

static enum err_code add_generations(struct backup_collection *collection, struct err *err)
{
    const char *folder = collection->plan->settings->ca.generations;
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, is_generation, alphasort);
    if (count < 0) {
        return errno == ENOENT ? ERR_OK : err_set_errno(err, "cannot list %s", folder);
    }
    enum err_code code = ERR_OK;
    for (int i = 0; i < count; i++) {
        if (code == ERR_OK) {
            code = add_generation(collection, entries[i]->d_name, err);
        }
        free(entries[i]);
    }
    free(entries);
    return code;
}

static enum err_code add_link(struct backup_collection *collection, const char *name,
                              struct err *err)
{
    char path[PATH_MAX];
    char restore_to[PATH_MAX];
    char into[PATH_MAX];
    char target[TARGET_LEN] = "";
    snprintf(path, sizeof path, "%s/%s", collection->plan->settings->ca.generations, name);
    ssize_t len = readlink(path, target, sizeof target - 1);
    if (len < 0) {
        return errno == ENOENT ? ERR_OK : err_set_errno(err, "cannot read the link %s", path);
    }
    enum err_code code = backup_path_plain(path, restore_to, err);
    if (code == ERR_OK) {
        code = into_of(collection, restore_to, into, err);
    }
    if (code == ERR_OK) {
        code = backup_collect_entry(
            collection->into->links,
            json_pack("{s:s, s:s, s:s}", "path", into, "restore_to", restore_to, "target", target),
            path, err);
    }
    return code == ERR_OK ? backup_collect_folders(collection, restore_to, err) : code;
}

static enum err_code add_cas(struct backup_collection *collection, struct err *err)
{
    if (collection->plan->settings->ca.generations == NULL) {
        return ERR_OK;
    }
    enum err_code code = add_generations(collection, err);
    if (code == ERR_OK) {
        code = add_link(collection, "current", err);
    }
    return code == ERR_OK ? add_link(collection, "next", err) : code;
}

enum err_code backup_collect_made(struct backup_collection *collection, struct err *err)
{
    enum err_code code = add_ra_pairs(collection, err);
    return code == ERR_OK ? add_cas(collection, err) : code;
}
