// SPDX-License-Identifier: Apache-2.0
#include "server/ctl/archive/restore_run.h"

#include <string.h>
#include <sys/stat.h>

#include "conf/base/clock.h"
#include "conf/base/hex.h"
#include "conf/base/ossl.h"
#include "conf/limits.h"
#include "conf/settings.h"
#include "ra/store/store_backup.h"
#include "server/ctl/api.h"
#include "server/ctl/archive/manifest.h"
#include "server/ctl/archive/restore_config.h"
#include "server/ctl/archive/tar_reader.h"
#include "server/ctl/interrupt.h"

#define DIGEST_TEXT_LEN (2 * SHA256_LEN + 1) // bytes with NUL
#define FOLDER_MODE     0700
#define OCTETS_PER_MIB  (UINT64_C(1024) * 1024)

DEFINE_CLEANUP(struct settings *, settings_free);
DEFINE_CLEANUP(struct stage *, stage_free);

struct restoration {
    const struct restore_order *order;
    struct stage *stage;
    struct restore_result result;
    // The present member.
    const json_t *file;  // NULL: it is not restored, being the manifest or there already
    bool is_adapted;     // it is the settings of another place: written at its end
    struct buf gathered; // its octets then
    EVP_MD_CTX *hash;
    uint64_t done;
    uint64_t total;
};

static void restoration_done(struct restoration *restoration)
{
    EVP_MD_CTX_free(restoration->hash);
    buf_wipe(&restoration->gathered);
}

static bool is_named(const json_t *file, const char *name)
{
    return strcmp(api_text(file, "path"), name) == 0;
}

static enum stage_rank rank_of(const json_t *file)
{
    if (is_named(file, MANIFEST_SETTINGS)) {
        return STAGE_SETTINGS;
    }
    return is_named(file, MANIFEST_STORE) ? STAGE_STORE : STAGE_FILE;
}

// The new folder, and in it those that the settings name, which may be empty.
static enum err_code make_inner_folders(struct restoration *restoration, struct err *err)
{
    const struct restore_target *target = &restoration->order->target;
    const struct stage_rights closed = {FOLDER_MODE, (uid_t)-1, (gid_t)-1};
    enum err_code code = stage_add_folder(restoration->stage, target->into, &closed, err);
    size_t i;
    const json_t *folder;
    json_array_foreach(json_object_get(target->manifest, "folders"), i, folder)
    {
        char path[PATH_MAX];
        struct stage_rights rights = closed;
        if (code != ERR_OK || api_text(folder, "path") == NULL) {
            continue;
        }
        code = restore_target_path(target, folder, path, err);
        if (code == ERR_OK) {
            code = restore_target_rights(target, folder, &rights, err);
        }
        if (code == ERR_OK) {
            code = stage_add_parents(restoration->stage, target->into, path, err);
        }
        if (code == ERR_OK) {
            code = stage_add_folder(restoration->stage, path, &rights, err);
        }
    }
    return code;
}

static enum err_code make_folder(struct restoration *restoration, const json_t *folder,
                                 struct err *err)
{
    struct stage_rights rights;
    struct stat status;
    const char *path = api_text(folder, "restore_to");
    if (stat(path, &status) == 0 && S_ISDIR(status.st_mode)) {
        return ERR_OK; // whoever it belongs to
    }
    enum err_code code = restore_target_rights(&restoration->order->target, folder, &rights, err);
    return code == ERR_OK ? stage_add_folder(restoration->stage, path, &rights, err) : code;
}

static enum err_code make_folders(struct restoration *restoration, struct err *err)
{
    const struct restore_target *target = &restoration->order->target;
    if (target->into != NULL) {
        return make_inner_folders(restoration, err);
    }
    enum err_code code = ERR_OK;
    size_t i;
    const json_t *folder;
    json_array_foreach(json_object_get(target->manifest, "folders"), i, folder)
    {
        if (code == ERR_OK) {
            code = make_folder(restoration, folder, err);
        }
    }
    return code;
}

static enum err_code begin_file(struct restoration *restoration, struct err *err)
{
    const struct restore_target *target = &restoration->order->target;
    char path[PATH_MAX];
    struct stage_rights rights;
    enum err_code code = restore_target_path(target, restoration->file, path, err);
    if (code == ERR_OK) {
        code = restore_target_rights(target, restoration->file, &rights, err);
    }
    if (code == ERR_OK && target->into != NULL) {
        code = stage_add_parents(restoration->stage, target->into, path, err);
    }
    return code == ERR_OK
               ? stage_begin(restoration->stage, path, &rights, rank_of(restoration->file), err)
               : code;
}

static enum err_code begin_member(void *context, const char *name, uint64_t size, struct err *err)
{
    struct restoration *restoration = context;
    const struct restore_target *target = &restoration->order->target;
    restoration->file = manifest_find(target->manifest, name);
    if (restoration->file == NULL) {
        bool is_manifest = strcmp(name, MANIFEST_NAME) == 0 || strcmp(name, MANIFEST_SUM_NAME) == 0;
        return is_manifest ? ERR_OK
                           : err_set(err, ERR_SYNTAX, "it has changed since it was checked");
    }
    if (restore_target_has(target, restoration->file)) {
        restoration->file = NULL;
        restoration->result.kept++;
        return ERR_OK;
    }
    restoration->is_adapted =
        target->into != NULL && is_named(restoration->file, MANIFEST_SETTINGS);
    if (restoration->is_adapted && size > LIMIT_FILE_LEN) {
        return err_set(err, ERR_LIMIT, "scepd.conf in it is longer than %d octets", LIMIT_FILE_LEN);
    }
    if (EVP_DigestInit_ex(restoration->hash, EVP_sha256(), NULL) != 1) {
        return err_set_openssl(err, ERR_CRYPTO, "cannot hash");
    }
    return begin_file(restoration, err);
}

static enum err_code take_octets(void *context, struct view octets, struct err *err)
{
    struct restoration *restoration = context;
    restoration->done += octets.len;
    progress_show(restoration->order->progress, restoration->done, restoration->total,
                  clock_monotonic_us());
    enum err_code code = interrupt_check(err);
    if (code != ERR_OK || restoration->file == NULL) {
        return code;
    }
    if (EVP_DigestUpdate(restoration->hash, octets.data, octets.len) != 1) {
        return err_set_openssl(err, ERR_CRYPTO, "cannot hash");
    }
    return restoration->is_adapted ? buf_append(&restoration->gathered, octets, err)
                                   : stage_write(restoration->stage, octets, err);
}

// The archive is read for the second time: it may be another one now.
static enum err_code check_digest(struct restoration *restoration, struct err *err)
{
    uint8_t digest[SHA256_LEN];
    char text[DIGEST_TEXT_LEN];
    if (EVP_DigestFinal_ex(restoration->hash, digest, NULL) != 1) {
        return err_set_openssl(err, ERR_CRYPTO, "cannot hash");
    }
    hex_encode(view_of(digest, sizeof digest), text);
    return strcasecmp(text, api_text(restoration->file, "sha256")) == 0
               ? ERR_OK
               : err_set(err, ERR_SYNTAX, "it has changed since it was checked");
}

static enum err_code write_adapted(struct restoration *restoration, struct err *err)
{
    CLEANUP(buf_wipe) struct buf text = {0};
    const json_t *into = json_object_get(restoration->order->target.manifest, "into");
    enum err_code code = restore_config_adapt(buf_view(&restoration->gathered), into, &text, err);
    return code == ERR_OK ? stage_write(restoration->stage, buf_view(&text), err) : code;
}

static enum err_code end_member(void *context, struct err *err)
{
    struct restoration *restoration = context;
    if (restoration->file == NULL) {
        return ERR_OK;
    }
    enum err_code code = check_digest(restoration, err);
    if (code == ERR_OK && restoration->is_adapted) {
        code = write_adapted(restoration, err);
    }
    if (code == ERR_OK) {
        code = stage_end(restoration->stage, err);
    }
    if (code == ERR_OK) {
        restoration->result.files++;
    }
    return code;
}

static enum err_code make_files(struct restoration *restoration, struct err *err)
{
    const struct tar_visitor visitor = {
        .begin = begin_member, .take = take_octets, .end = end_member, .context = restoration};
    struct stat status;
    if (fstat(restoration->order->fd, &status) != 0) {
        return err_set_errno(err, "cannot look at the archive");
    }
    restoration->total = (uint64_t)status.st_size;
    return tar_read(restoration->order->fd, &visitor, err);
}

static enum err_code make_links(struct restoration *restoration, struct err *err)
{
    const struct restore_target *target = &restoration->order->target;
    size_t i;
    const json_t *link;
    json_array_foreach(json_object_get(target->manifest, "links"), i, link)
    {
        char path[PATH_MAX];
        if (restore_target_has(target, link)) {
            continue;
        }
        enum err_code code = restore_target_path(target, link, path, err);
        if (code == ERR_OK && target->into != NULL) {
            code = stage_add_parents(restoration->stage, target->into, path, err);
        }
        if (code == ERR_OK) {
            code = stage_add_link(restoration->stage, path, api_text(link, "target"), err);
        }
        if (code != ERR_OK) {
            return code;
        }
    }
    return ERR_OK;
}

// As scepd will open it, while it still lies aside.
static enum err_code check_store(struct restoration *restoration, const struct settings *settings,
                                 struct err *err)
{
    struct store *store = NULL;
    struct store_counts counts = {0};
    const char *folder = stage_store_folder(restoration->stage);
    if (folder == NULL) {
        return err_set(err, ERR_SYNTAX, "there is no store in it");
    }
    enum err_code code =
        store_open(folder, settings->store.max_size_mib * OCTETS_PER_MIB, &store, err);
    if (code != ERR_OK) {
        return code;
    }
    code = store_backup_settle(store, err);
    if (code == ERR_OK) {
        code = store_count(store, &counts, err);
    }
    store_close(store);
    restoration->result.certificates = counts.certificates;
    return code;
}

static enum err_code load_settings(const struct restoration *restoration, bool must_exist,
                                   struct settings **ret_settings, struct err *err)
{
    const char *path = stage_settings(restoration->stage);
    if (path == NULL) {
        return err_set(err, ERR_SYNTAX, "there is no scepd.conf in it");
    }
    return settings_load(path, must_exist, restoration->order->problems, ret_settings, err);
}

static enum err_code check_staged(struct restoration *restoration, struct err *err)
{
    CLEANUP(cleanup_settings_free) struct settings *settings = NULL;
    enum err_code code = load_settings(restoration, false, &settings, err);
    return code == ERR_OK ? check_store(restoration, settings, err) : code;
}

// With all its keys it can be asked whether everything that the settings name is there.
static enum err_code check_named(const struct restoration *restoration, struct err *err)
{
    CLEANUP(cleanup_settings_free) struct settings *settings = NULL;
    bool has_keys = json_is_true(json_object_get(restoration->order->target.manifest, "has_keys"));
    return has_keys ? load_settings(restoration, true, &settings, err) : ERR_OK;
}

static enum err_code stage_all(struct restoration *restoration, struct err *err)
{
    enum err_code code = make_folders(restoration, err);
    if (code == ERR_OK) {
        code = make_files(restoration, err);
    }
    if (code == ERR_OK) {
        code = make_links(restoration, err);
    }
    return code == ERR_OK ? check_staged(restoration, err) : code;
}

enum err_code restore_run(const struct restore_order *order, struct restore_result *ret_result,
                          struct err *err)
{
    CLEANUP(cleanup_stage_free) struct stage *stage = NULL;
    CLEANUP(restoration_done)
    struct restoration restoration = {.order = order, .hash = EVP_MD_CTX_new()};
    if (restoration.hash == NULL) {
        return err_set(err, ERR_NOMEM, "no memory to restore");
    }
    enum err_code code = stage_new(&stage, err);
    if (code != ERR_OK) {
        return code;
    }
    restoration.stage = stage;
    code = stage_all(&restoration, err);
    if (code == ERR_OK) {
        code = stage_commit(stage, err);
    }
    if (code == ERR_OK) {
        code = check_named(&restoration, err);
    }
    if (code != ERR_OK) {
        return code;
    }
    stage_keep(stage);
    restoration.result.octets =
        (uint64_t)api_number(manifest_find(order->target.manifest, MANIFEST_STORE), "size");
    *ret_result = restoration.result;
    return ERR_OK;
}
