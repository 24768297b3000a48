// SPDX-License-Identifier: Apache-2.0
#include "server/ctl/archive/newfile.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// The folder of `path` as it stands in it, "." when it names none.
static enum err_code folder_of(const char *path, char folder[PATH_MAX], struct err *err)
{
    char copy[PATH_MAX];
    if (strlen(path) >= sizeof copy) {
        return err_set(err, ERR_LIMIT, "a path of more than %d octets", PATH_MAX - 1);
    }
    memcpy(copy, path, strlen(path) + 1);
    const char *found = dirname(copy);
    memmove(folder, found, strlen(found) + 1);
    return ERR_OK;
}

static enum err_code check_absent(const char *path, struct err *err)
{
    struct stat status;
    if (lstat(path, &status) == 0) {
        return err_set(err, ERR_EXISTS, "%s exists already; it is left as it is", path);
    }
    return errno == ENOENT ? ERR_OK : err_set_errno(err, "cannot look at %s", path);
}

static enum err_code make_temp(struct newfile *file, mode_t mode, struct err *err)
{
    char folder[PATH_MAX];
    enum err_code code = folder_of(file->path, folder, err);
    if (code != ERR_OK) {
        return code;
    }
    if (asprintf(&file->temp, "%s/.scepctl-XXXXXX", folder) < 0) {
        file->temp = NULL;
        return err_set(err, ERR_NOMEM, "no memory for a path");
    }
    file->fd = mkostemp(file->temp, O_CLOEXEC);
    if (file->fd < 0) {
        code = err_set_errno(err, "cannot make a file in %s", folder);
        free(file->temp);
        file->temp = NULL;
        return code;
    }
    return fchmod(file->fd, mode) == 0
               ? ERR_OK
               : err_set_errno(err, "cannot set the mode of %s", file->temp);
}

enum err_code newfile_open(const char *path, mode_t mode, struct newfile *ret_file, struct err *err)
{
    struct newfile file = {.fd = -1, .path = strdup(path)};
    enum err_code code = file.path != NULL ? check_absent(path, err)
                                           : err_set(err, ERR_NOMEM, "no memory for a path");
    if (code == ERR_OK) {
        code = make_temp(&file, mode, err);
    }
    if (code != ERR_OK) {
        newfile_done(&file);
        return code;
    }
    *ret_file = file;
    return ERR_OK;
}

enum err_code newfile_write(struct newfile *file, struct view octets, struct err *err)
{
    while (octets.len > 0) {
        ssize_t written = write(file->fd, octets.data, octets.len);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written < 0) {
            return err_set_errno(err, "cannot write %s", file->path);
        }
        octets = view_of(octets.data + written, octets.len - (size_t)written);
    }
    return ERR_OK;
}

enum err_code newfile_sync_folder(const char *path, struct err *err)
{
    char folder[PATH_MAX];
    enum err_code code = folder_of(path, folder, err);
    if (code != ERR_OK) {
        return code;
    }
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return err_set_errno(err, "cannot open %s", folder);
    }
    // Some file systems have nothing to sync there.
    code =
        fsync(fd) == 0 || errno == EINVAL ? ERR_OK : err_set_errno(err, "cannot sync %s", folder);
    close(fd);
    return code;
}

// For file systems that know no renaming without overwriting.
static enum err_code move_by_link(const char *from, const char *to, struct err *err)
{
    if (link(from, to) != 0) {
        return err_set_errno(err, "cannot make %s", to);
    }
    return unlink(from) == 0 ? ERR_OK : err_set_errno(err, "cannot remove %s", from);
}

enum err_code newfile_move(const char *from, const char *to, struct err *err)
{
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0) {
        return ERR_OK;
    }
    if (errno == EINVAL) {
        return move_by_link(from, to, err);
    }
    if (errno == EEXIST) {
        return err_set(err, ERR_EXISTS, "%s exists already; it is left as it is", to);
    }
    return err_set_errno(err, "cannot make %s", to);
}

static enum err_code sync_content(const struct newfile *file, struct err *err)
{
    return file->fd < 0 || fsync(file->fd) == 0 ? ERR_OK
                                                : err_set_errno(err, "cannot sync %s", file->path);
}

enum err_code newfile_seal(struct newfile *file, struct err *err)
{
    enum err_code code = sync_content(file, err);
    if (code == ERR_OK && close(file->fd) != 0) {
        code = err_set_errno(err, "cannot close %s", file->path);
    }
    if (code == ERR_OK) {
        file->fd = -1;
    }
    return code;
}

enum err_code newfile_keep(struct newfile *file, struct err *err)
{
    enum err_code code = sync_content(file, err);
    if (code == ERR_OK) {
        code = newfile_move(file->temp, file->path, err);
    }
    if (code != ERR_OK) {
        return code;
    }
    free(file->temp);
    file->temp = NULL;
    return newfile_sync_folder(file->path, err);
}

void newfile_done(struct newfile *file)
{
    if (file->temp != NULL) {
        unlink(file->temp);
    }
    if (file->fd >= 0) {
        close(file->fd);
    }
    free(file->temp);
    free(file->path);
    *file = (struct newfile){.fd = -1};
}
