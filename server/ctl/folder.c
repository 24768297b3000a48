// SPDX-License-Identifier: Apache-2.0
#include "server/ctl/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/base/file.h"

#define FOLDER_MODE 0700
#define FILE_MODE   0600

static void free_text(char **text)
{
    free(*text);
}

char *folder_path(const struct folder *folder, const char *name)
{
    char *path = NULL;
    return asprintf(&path, "%s/%s", folder->path, name) > 0 ? path : NULL;
}

static enum err_code entry_path(const struct folder *folder, const char *name, char **ret_path,
                                struct err *err)
{
    *ret_path = folder_path(folder, name);
    return *ret_path != NULL ? ERR_OK : err_set(err, ERR_NOMEM, "no memory for a path");
}

// Keys in a folder where others can rename files would be theirs to replace.
static enum err_code check_existing(const char *path, struct err *err)
{
    struct stat status;
    if (stat(path, &status) != 0) {
        return err_set_errno(err, "cannot look at %s", path);
    }
    if (!S_ISDIR(status.st_mode)) {
        return err_set(err, ERR_EXISTS, "%s exists and is not a folder", path);
    }
    if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        return err_set(err, ERR_DENIED,
                       "others may write in %s (mode %04o); chmod 0700 it or name a new folder",
                       path, (unsigned)(status.st_mode & 07777));
    }
    return ERR_OK;
}

static enum err_code make_or_check(struct folder *folder, const char *path, struct err *err)
{
    if (mkdir(path, FOLDER_MODE) == 0) {
        folder->is_made = true;
    } else if (errno != EEXIST) {
        return err_set_errno(err, "cannot make the folder %s", path);
    } else {
        enum err_code code = check_existing(path, err);
        if (code != ERR_OK) {
            return code;
        }
    }
    folder->path = realpath(path, NULL);
    return folder->path != NULL ? ERR_OK : err_set_errno(err, "cannot resolve %s", path);
}

static enum err_code check_absent(const struct folder *folder, const char *name, struct err *err)
{
    CLEANUP(free_text) char *path = NULL;
    struct stat status;
    enum err_code code = entry_path(folder, name, &path, err);
    if (code != ERR_OK) {
        return code;
    }
    if (lstat(path, &status) == 0) {
        return err_set(err, ERR_EXISTS, "%s exists already; nothing was changed", path);
    }
    return errno == ENOENT ? ERR_OK : err_set_errno(err, "cannot look at %s", path);
}

enum err_code folder_open(const char *path, const char *const *names, struct folder *ret_folder,
                          struct err *err)
{
    struct folder folder = {0};
    enum err_code code = make_or_check(&folder, path, err);
    for (; code == ERR_OK && *names != NULL; names++) {
        code = check_absent(&folder, *names, err);
    }
    if (code == ERR_OK) {
        *ret_folder = folder;
    } else {
        folder_done(&folder);
    }
    return code;
}

static enum err_code note_made(struct folder *folder, const char *name, struct err *err)
{
    if (folder->made_count == FOLDER_ENTRIES_MAX) {
        return err_set(err, ERR_LIMIT, "more than %d new files", FOLDER_ENTRIES_MAX);
    }
    folder->made[folder->made_count++] = name;
    return ERR_OK;
}

enum err_code folder_add_file(struct folder *folder, const char *name, struct view content,
                              struct err *err)
{
    CLEANUP(free_text) char *path = NULL;
    enum err_code code = entry_path(folder, name, &path, err);
    if (code == ERR_OK) {
        code = file_create(path, FILE_MODE, content, err);
    }
    return code == ERR_OK ? note_made(folder, name, err) : code;
}

enum err_code folder_add_folder(struct folder *folder, const char *name, struct err *err)
{
    CLEANUP(free_text) char *path = NULL;
    enum err_code code = entry_path(folder, name, &path, err);
    if (code != ERR_OK) {
        return code;
    }
    if (mkdir(path, FOLDER_MODE) != 0) {
        return err_set_errno(err, "cannot make the folder %s", path);
    }
    return note_made(folder, name, err);
}

bool folder_has(const struct folder *folder, const char *name)
{
    for (unsigned i = 0; i < folder->made_count; i++) {
        if (strcmp(folder->made[i], name) == 0) {
            return true;
        }
    }
    return false;
}

enum err_code folder_give(struct folder *folder, const char *name,
                          const struct folder_rights *rights, struct err *err)
{
    CLEANUP(free_text) char *path = NULL;
    if (name == NULL && !folder->is_made) {
        return ERR_OK;
    }
    enum err_code code = entry_path(folder, name != NULL ? name : ".", &path, err);
    if (code != ERR_OK) {
        return code;
    }
    // The folder may belong to somebody who could put a link there meanwhile.
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    // The mode comes last: a change of owner may take bits from it.
    if (fd < 0 || fchown(fd, rights->uid, rights->gid) != 0 || fchmod(fd, rights->mode) != 0) {
        code = err_set_errno(err, "cannot change owner and mode of %s", path);
    }
    if (fd >= 0) {
        close(fd);
    }
    return code;
}

static enum err_code sync_folder(const char *path, struct err *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return err_set_errno(err, "cannot open %s", path);
    }
    enum err_code code = fsync(fd) == 0 ? ERR_OK : err_set_errno(err, "cannot sync %s", path);
    close(fd);
    return code;
}

enum err_code folder_keep(struct folder *folder, struct err *err)
{
    CLEANUP(free_text) char *above = NULL;
    enum err_code code = sync_folder(folder->path, err);
    if (code == ERR_OK && folder->is_made) {
        code = entry_path(folder, "..", &above, err);
        if (code == ERR_OK) {
            code = sync_folder(above, err);
        }
    }
    folder->is_kept = code == ERR_OK;
    return code;
}

static void remove_made(struct folder *folder)
{
    while (folder->made_count > 0) {
        CLEANUP(free_text)
        char *path = folder_path(folder, folder->made[--folder->made_count]);
        if (path != NULL) {
            remove(path);
        }
    }
    if (folder->is_made && folder->path != NULL) {
        rmdir(folder->path);
    }
}

void folder_done(struct folder *folder)
{
    if (!folder->is_kept) {
        remove_made(folder);
    }
    free(folder->path);
    *folder = (struct folder){0};
}
