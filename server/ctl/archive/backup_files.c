// SPDX-License-Identifier: Apache-2.0
#include "server/ctl/archive/backup_collect.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/base/hex.h"
#include "conf/base/ossl.h"
#include "conf/limits.h"
#include "server/ctl/api.h"
#include "server/ctl/archive/backup_paths.h"
#include "server/ctl/archive/manifest.h"

#define DIGEST_TEXT_LEN (2 * SHA256_LEN + 1) // bytes with NUL
#define NAME_LEN        256                  // bytes of a user's name or number
#define MODE_LEN        8                    // bytes of a mode as text
#define CHUNK_LEN       4096
#define COLLECT_TRIES   3 // scepd may clear up its RA certificates meanwhile

void backup_files_done(struct backup_files *files)
{
    for (size_t i = 0; i < json_array_size(files->files) && files->contents != NULL; i++) {
        buf_wipe(&files->contents[i]);
    }
    free(files->contents);
    json_decref(files->files);
    json_decref(files->links);
    json_decref(files->folders);
    json_decref(files->left_out);
    json_decref(files->into);
    *files = (struct backup_files){0};
}

static enum err_code no_memory(struct err *err)
{
    return err_set(err, ERR_NOMEM, "no memory for a backup");
}

// json_pack() gives NULL for a path that is not UTF-8, too.
enum err_code backup_collect_entry(json_t *list, json_t *take_entry, const char *path,
                                   struct err *err)
{
    return json_array_append_new(list, take_entry) == 0
               ? ERR_OK
               : err_set(err, ERR_CONFIG, "the path %s cannot be recorded: it is not UTF-8 text",
                         path);
}

static bool is_listed(const json_t *list, const char *restore_to)
{
    size_t i;
    const json_t *entry;
    json_array_foreach(list, i, entry)
    {
        const char *found = api_text(entry, "restore_to");
        if (found != NULL && strcmp(found, restore_to) == 0) {
            return true;
        }
    }
    return false;
}

// The names, because numbers differ between machines.
static void name_owners(const struct stat *status, char owner[NAME_LEN], char group[NAME_LEN])
{
    const struct passwd *user = getpwuid(status->st_uid);
    if (user != NULL) {
        snprintf(owner, NAME_LEN, "%s", user->pw_name);
    } else {
        snprintf(owner, NAME_LEN, "%ju", (uintmax_t)status->st_uid);
    }
    const struct group *users = getgrgid(status->st_gid);
    if (users != NULL) {
        snprintf(group, NAME_LEN, "%s", users->gr_name);
    } else {
        snprintf(group, NAME_LEN, "%ju", (uintmax_t)status->st_gid);
    }
}

static json_t *place_json(const char *restore_to, const struct stat *status)
{
    char owner[NAME_LEN];
    char group[NAME_LEN];
    char mode[MODE_LEN];
    name_owners(status, owner, group);
    snprintf(mode, sizeof mode, "%04o", (unsigned)status->st_mode & MANIFEST_MODE_MAX);
    return json_pack("{s:s, s:s, s:s, s:s}", "restore_to", restore_to, "mode", mode, "owner", owner,
                     "group", group);
}

// All folders above a place, so that a machine that has none of them gets them as they were.
enum err_code backup_collect_folders(struct backup_collection *collection, const char *restore_to,
                                     struct err *err)
{
    char folder[PATH_MAX];
    struct stat status = {0};
    for (const char *slash = strchr(restore_to + 1, '/'); slash != NULL;
         slash = strchr(slash + 1, '/')) {
        snprintf(folder, sizeof folder, "%.*s", (int)(slash - restore_to), restore_to);
        if (is_listed(collection->into->folders, folder)) {
            continue;
        }
        if (stat(folder, &status) != 0) {
            return err_set_errno(err, "cannot look at %s", folder);
        }
        enum err_code code = backup_collect_entry(collection->into->folders,
                                                  place_json(folder, &status), folder, err);
        if (code != ERR_OK) {
            return code;
        }
    }
    return ERR_OK;
}

static enum err_code into_of(const struct backup_collection *collection, const char *path,
                             char ret_into[PATH_MAX], struct err *err)
{
    const struct backup_plan *plan = collection->plan;
    return backup_path_into(plan->config, plan->settings, path, ret_into, err);
}

static enum err_code read_all(int fd, const char *path, struct buf *content, struct err *err)
{
    for (;;) {
        enum err_code code = buf_reserve(content, CHUNK_LEN, err);
        if (code != ERR_OK) {
            return code;
        }
        ssize_t got = read(fd, content->data + content->len, CHUNK_LEN);
        if (got < 0) {
            return err_set_errno(err, "cannot read %s", path);
        }
        if (got == 0) {
            return ERR_OK;
        }
        content->len += (size_t)got;
        if (content->len > LIMIT_FILE_LEN) {
            return err_set(err, ERR_LIMIT, "%s is longer than %d octets", path, LIMIT_FILE_LEN);
        }
    }
}

static enum err_code read_source(const struct backup_source *source, struct buf *content,
                                 struct stat *status, struct err *err)
{
    // A named pipe must not hold the backup up before it is seen that it is one.
    int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | (source->is_foreign ? O_NOFOLLOW : 0);
    int fd = open(source->path, flags);
    if (fd < 0) {
        return err_set_errno(err, "cannot open %s, which %s names", source->path, source->setting);
    }
    enum err_code code = ERR_OK;
    if (fstat(fd, status) != 0) {
        code = err_set_errno(err, "cannot look at %s", source->path);
    } else if (!S_ISREG(status->st_mode)) {
        code = err_set(err, ERR_CONFIG, "%s, which %s names, is not a regular file", source->path,
                       source->setting);
    } else {
        code = read_all(fd, source->path, content, err);
    }
    close(fd);
    return code;
}

static enum err_code append_file(struct backup_collection *collection, json_t *take_entry,
                                 struct buf *take_content, struct err *err)
{
    struct backup_files *into = collection->into;
    size_t count = json_array_size(into->files);
    struct buf *contents = reallocarray(into->contents, count + 1, sizeof *contents);
    if (contents == NULL) {
        json_decref(take_entry);
        buf_wipe(take_content);
        return no_memory(err);
    }
    into->contents = contents;
    contents[count] = *take_content;
    *take_content = (struct buf){0};
    enum err_code code = backup_collect_entry(into->files, take_entry, "of a file", err);
    if (code != ERR_OK) {
        buf_wipe(&contents[count]);
    }
    return code;
}

static enum err_code describe(struct backup_collection *collection,
                              const struct backup_source *source, const char *restore_to,
                              json_t *entry, struct err *err)
{
    char into[PATH_MAX];
    enum err_code code = into_of(collection, restore_to, into, err);
    if (code != ERR_OK) {
        return code;
    }
    return json_object_set_new(entry, "path", json_string(into)) == 0 &&
                   json_object_set_new(entry, "is_key", json_boolean(source->is_key)) == 0
               ? ERR_OK
               : err_set(err, ERR_CONFIG, "the path %s cannot be recorded: it is not UTF-8 text",
                         restore_to);
}

static void describe_content(json_t *entry, struct view content)
{
    uint8_t digest[SHA256_LEN];
    char text[DIGEST_TEXT_LEN];
    ossl_sha256(&content, 1, digest);
    json_object_set_new(entry, "size", json_integer((json_int_t)content.len));
    json_object_set_new(entry, "sha256",
                        json_string(hex_encode(view_of(digest, sizeof digest), text)));
}

static enum err_code take_file(struct backup_collection *collection,
                               const struct backup_source *source, const char *restore_to,
                               struct err *err)
{
    struct stat status = {0};
    CLEANUP(buf_wipe) struct buf content = {0};
    enum err_code code = read_source(source, &content, &status, err);
    if (code != ERR_OK) {
        return code;
    }
    json_t *entry = place_json(restore_to, &status);
    code = describe(collection, source, restore_to, entry, err);
    if (code != ERR_OK) {
        json_decref(entry);
        return code;
    }
    describe_content(entry, buf_view(&content));
    code = append_file(collection, entry, &content, err);
    return code == ERR_OK ? backup_collect_folders(collection, restore_to, err) : code;
}

enum err_code backup_leave_out(struct backup_collection *collection, const char *setting,
                               const char *restore_to, struct err *err)
{
    return backup_collect_entry(
        collection->into->left_out,
        json_pack("{s:s, s:s?}", "setting", setting, "restore_to", restore_to), setting, err);
}

enum err_code backup_collect_file(struct backup_collection *collection,
                                  const struct backup_source *source, struct err *err)
{
    char restore_to[PATH_MAX];
    enum err_code code = backup_path_plain(source->path, restore_to, err);
    if (code != ERR_OK || is_listed(collection->into->files, restore_to) ||
        is_listed(collection->into->left_out, restore_to)) {
        return code;
    }
    return source->is_key && !collection->plan->has_keys
               ? backup_leave_out(collection, source->setting, restore_to, err)
               : take_file(collection, source, restore_to, err);
}

static enum err_code collect_once(const struct backup_plan *plan, struct backup_files *into,
                                  struct err *err)
{
    struct backup_collection collection = {.plan = plan, .into = into};
    const struct backup_source config = {.setting = "-c", .path = plan->config};
    *into = (struct backup_files){.files = json_array(),
                                  .links = json_array(),
                                  .folders = json_array(),
                                  .left_out = json_array(),
                                  .into = json_array()};
    enum err_code code = backup_collect_file(&collection, &config, err);
    if (code == ERR_OK) {
        code = backup_collect_settings(&collection, err);
    }
    return code == ERR_OK ? backup_collect_made(&collection, err) : code;
}

enum err_code backup_files_collect(const struct backup_plan *plan, struct backup_files *ret_files,
                                   struct err *err)
{
    enum err_code code = collect_once(plan, ret_files, err);
    for (int tries = 1; code == ERR_NOT_FOUND && tries < COLLECT_TRIES; tries++) {
        backup_files_done(ret_files);
        code = collect_once(plan, ret_files, err);
    }
    return code;
}

enum err_code backup_files_add_store(const struct backup_plan *plan, struct backup_files *files,
                                     uint64_t size, const char *sha256, struct err *err)
{
    struct backup_collection collection = {.plan = plan, .into = files};
    struct buf none = {0};
    char path[PATH_MAX];
    char restore_to[PATH_MAX];
    struct stat status = {0};
    snprintf(path, sizeof path, "%s/data.mdb", plan->settings->store.directory);
    enum err_code code = backup_path_plain(path, restore_to, err);
    if (code != ERR_OK) {
        return code;
    }
    if (stat(path, &status) != 0) {
        return err_set_errno(err, "cannot look at %s", path);
    }
    json_t *entry = place_json(restore_to, &status);
    if (json_object_set_new(entry, "path", json_string(MANIFEST_STORE)) != 0 ||
        json_object_set_new(entry, "is_key", json_false()) != 0 ||
        json_object_set_new(entry, "size", json_integer((json_int_t)size)) != 0 ||
        json_object_set_new(entry, "sha256", json_string(sha256)) != 0) {
        json_decref(entry);
        return no_memory(err);
    }
    code = append_file(&collection, entry, &none, err);
    return code == ERR_OK ? backup_collect_folders(&collection, restore_to, err) : code;
}
