// SPDX-License-Identifier: Apache-2.0
#include "server/ctl/archive/restore_stage.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/ctl/archive/tar_reader.h"

#define CLOSED_MODE 0700
#define FILE_MODE   0600
#define ENTRIES_MAX (2 * TAR_MEMBERS_MAX) // files, links and folders

enum kind { KIND_FOLDER, KIND_FILE, KIND_LINK };

// Something that was made. A file is one of the newfile's kind until it has its name.
struct entry {
    enum kind kind;
    enum stage_rank rank;
    struct newfile file; // KIND_FILE: its present name and the final one; else `path` only
    bool is_named;       // it has its final name
};

struct stage {
    struct entry *entries;
    size_t count;
    struct stage_rights rights; // of the present file
    char *store_folder;         // where the store's copy lies for now
    bool is_kept;
};

enum err_code stage_new(struct stage **ret_stage, struct err *err)
{
    struct stage *stage = calloc(1, sizeof *stage);
    struct entry *entries = calloc(ENTRIES_MAX, sizeof *entries);
    if (stage == NULL || entries == NULL) {
        free(stage);
        free(entries);
        return err_set(err, ERR_NOMEM, "no memory for what is restored");
    }
    stage->entries = entries;
    *ret_stage = stage;
    return ERR_OK;
}

// What LMDB and the store put beside a store's copy that was opened.
static void remove_store_folder(struct stage *stage)
{
    static const char *const names[] = {"data.mdb", "lock.mdb", "scepd.lock"};
    for (size_t i = 0; stage->store_folder != NULL && i < sizeof names / sizeof names[0]; i++) {
        char path[PATH_MAX];
        snprintf(path, sizeof path, "%s/%s", stage->store_folder, names[i]);
        unlink(path);
    }
    if (stage->store_folder != NULL) {
        rmdir(stage->store_folder);
    }
}

static void undo(struct entry *entry)
{
    if (!entry->is_named) {
        return; // newfile_done() removes what has no name yet
    }
    if (entry->kind == KIND_FOLDER) {
        rmdir(entry->file.path);
    } else {
        unlink(entry->file.path);
    }
}

void stage_free(struct stage *stage)
{
    if (stage == NULL) {
        return;
    }
    remove_store_folder(stage);
    // Backwards: what is in a folder was made after it.
    for (size_t i = stage->count; i > 0; i--) {
        struct entry *entry = &stage->entries[i - 1];
        if (!stage->is_kept) {
            undo(entry);
        }
        newfile_done(&entry->file);
    }
    free(stage->store_folder);
    free(stage->entries);
    free(stage);
}

static enum err_code new_entry(struct stage *stage, enum kind kind, struct entry **ret_entry,
                               struct err *err)
{
    if (stage->count == ENTRIES_MAX) {
        return err_set(err, ERR_LIMIT, "more than %d files and folders", ENTRIES_MAX);
    }
    struct entry *entry = &stage->entries[stage->count++];
    *entry = (struct entry){.kind = kind, .file.fd = -1};
    *ret_entry = entry;
    return ERR_OK;
}

static enum err_code note_named(struct stage *stage, enum kind kind, const char *path,
                                struct err *err)
{
    struct entry *entry = NULL;
    enum err_code code = new_entry(stage, kind, &entry, err);
    if (code != ERR_OK) {
        return code;
    }
    entry->is_named = true;
    entry->file.path = strdup(path);
    return entry->file.path != NULL ? ERR_OK : err_set(err, ERR_NOMEM, "no memory for a path");
}

// The mode comes last: a change of owner may take bits from it.
static enum err_code give(const char *path, const struct stage_rights *rights, struct err *err)
{
    return lchown(path, rights->uid, rights->gid) == 0 && chmod(path, rights->mode) == 0
               ? ERR_OK
               : err_set_errno(err, "cannot set owner and mode of %s", path);
}

enum err_code stage_add_folder(struct stage *stage, const char *path,
                               const struct stage_rights *rights, struct err *err)
{
    struct stat status;
    if (mkdir(path, CLOSED_MODE) == 0) {
        enum err_code code = note_named(stage, KIND_FOLDER, path, err);
        return code == ERR_OK ? give(path, rights, err) : code;
    }
    if (errno != EEXIST) {
        return err_set_errno(err, "cannot make the folder %s", path);
    }
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode)
               ? ERR_OK
               : err_set(err, ERR_EXISTS, "%s exists and is not a folder", path);
}

enum err_code stage_add_parents(struct stage *stage, const char *top, const char *path,
                                struct err *err)
{
    static const struct stage_rights rights = {CLOSED_MODE, (uid_t)-1, (gid_t)-1};
    char folder[PATH_MAX];
    enum err_code code = ERR_OK;
    const char *slash = strchr(path + strlen(top) + 1, '/');
    for (; code == ERR_OK && slash != NULL; slash = strchr(slash + 1, '/')) {
        snprintf(folder, sizeof folder, "%.*s", (int)(slash - path), path);
        code = stage_add_folder(stage, folder, &rights, err);
    }
    return code;
}

// A folder beside the final place, on the same file system.
static enum err_code make_store_folder(struct stage *stage, const char *path, char inner[PATH_MAX],
                                       struct err *err)
{
    const char *name = strrchr(path, '/');
    if (asprintf(&stage->store_folder, "%.*s/.scepctl-XXXXXX", (int)(name - path), path) < 0) {
        stage->store_folder = NULL;
        return err_set(err, ERR_NOMEM, "no memory for a path");
    }
    if (mkdtemp(stage->store_folder) == NULL) {
        enum err_code code = err_set_errno(err, "cannot make a folder beside %s", path);
        free(stage->store_folder);
        stage->store_folder = NULL;
        return code;
    }
    return snprintf(inner, PATH_MAX, "%s%s", stage->store_folder, name) < PATH_MAX
               ? ERR_OK
               : err_set(err, ERR_LIMIT, "a path of more than %d octets", PATH_MAX - 1);
}

// The copy is opened where it lies, so it has its real name there already.
static enum err_code begin_store(struct stage *stage, struct entry *entry, const char *path,
                                 struct err *err)
{
    char inner[PATH_MAX];
    enum err_code code = make_store_folder(stage, path, inner, err);
    if (code != ERR_OK) {
        return code;
    }
    entry->file.fd = open(inner, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, FILE_MODE);
    if (entry->file.fd < 0) {
        return err_set_errno(err, "cannot make %s", inner);
    }
    entry->file.temp = strdup(inner);
    entry->file.path = strdup(path);
    return entry->file.temp != NULL && entry->file.path != NULL
               ? ERR_OK
               : err_set(err, ERR_NOMEM, "no memory for a path");
}

enum err_code stage_begin(struct stage *stage, const char *path, const struct stage_rights *rights,
                          enum stage_rank rank, struct err *err)
{
    struct entry *entry = NULL;
    enum err_code code = new_entry(stage, KIND_FILE, &entry, err);
    if (code != ERR_OK) {
        return code;
    }
    entry->rank = rank;
    stage->rights = *rights;
    return rank == STAGE_STORE ? begin_store(stage, entry, path, err)
                               : newfile_open(path, FILE_MODE, &entry->file, err);
}

static struct entry *present(struct stage *stage)
{
    return &stage->entries[stage->count - 1];
}

enum err_code stage_write(struct stage *stage, struct view octets, struct err *err)
{
    return newfile_write(&present(stage)->file, octets, err);
}

enum err_code stage_end(struct stage *stage, struct err *err)
{
    struct newfile *file = &present(stage)->file;
    if (fchown(file->fd, stage->rights.uid, stage->rights.gid) != 0 ||
        fchmod(file->fd, stage->rights.mode) != 0) {
        return err_set_errno(err, "cannot set owner and mode of %s", file->path);
    }
    return newfile_seal(file, err);
}

const char *stage_settings(const struct stage *stage)
{
    for (size_t i = 0; i < stage->count; i++) {
        const struct entry *entry = &stage->entries[i];
        if (entry->kind == KIND_FILE && entry->rank == STAGE_SETTINGS) {
            return entry->is_named ? entry->file.path : entry->file.temp;
        }
    }
    return NULL;
}

const char *stage_store_folder(const struct stage *stage)
{
    return stage->store_folder;
}

enum err_code stage_add_link(struct stage *stage, const char *path, const char *target,
                             struct err *err)
{
    if (symlink(target, path) != 0) {
        return err_set_errno(err, "cannot make the link %s", path);
    }
    return note_named(stage, KIND_LINK, path, err);
}

enum err_code stage_commit(struct stage *stage, struct err *err)
{
    for (enum stage_rank rank = STAGE_FILE; rank < STAGE_RANKS; rank++) {
        for (size_t i = 0; i < stage->count; i++) {
            struct entry *entry = &stage->entries[i];
            if (entry->kind != KIND_FILE || entry->rank != rank) {
                continue;
            }
            enum err_code code = newfile_keep(&entry->file, err);
            entry->is_named = entry->file.temp == NULL;
            if (code != ERR_OK) {
                return code;
            }
        }
    }
    return ERR_OK;
}

void stage_keep(struct stage *stage)
{
    stage->is_kept = true;
}
