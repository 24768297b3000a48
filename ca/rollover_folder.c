// SPDX-License-Identifier: Apache-2.0
// Files are written under names that conf/generations does not look at and renamed when complete.
#include "ca/rollover_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/base/file.h"

#define NEW_FOLDER  "new"
#define NEW_LINK    "new-link"
#define SECRET_MODE 0600
#define GROUP_MODE  0640
#define PUBLIC_MODE 0644
#define FOLDER_BITS 0777 // permissions of a new folder are those of the folder of CAs

// Owners and modes of what is made.
struct rights {
    uid_t owner;
    gid_t group;
    uid_t secret_owner;
    gid_t secret_group;
    mode_t secret_mode;
};

static void free_text(char **text)
{
    free(*text);
}

static enum err_code sync_fd(int fd, const char *path, struct err *err)
{
    return fsync(fd) == 0 ? ERR_OK : err_set_errno(err, "cannot sync %s", path);
}

enum err_code rollover_folder_open(const char *path, struct rollover_folder *ret_folder,
                                   struct err *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return err_set_errno(err, "cannot open the folder of CAs %s", path);
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        enum err_code code =
            errno == EWOULDBLOCK
                ? err_set(err, ERR_BUSY, "another scepctl is at work in the folder of CAs %s", path)
                : err_set_errno(err, "cannot lock the folder of CAs %s", path);
        close(fd);
        return code;
    }
    *ret_folder = (struct rollover_folder){.path = path, .fd = fd};
    return ERR_OK;
}

void rollover_folder_close(struct rollover_folder *folder)
{
    if (folder->path != NULL) {
        close(folder->fd);
    }
}

static void remove_entries(int fd)
{
    DIR *entries = fdopendir(fd); // takes the descriptor
    if (entries == NULL) {
        close(fd);
        return;
    }
    const struct dirent *entry;
    while ((entry = readdir(entries)) != NULL) {
        unlinkat(dirfd(entries), entry->d_name, 0); // "." and ".." stay
    }
    closedir(entries);
}

void rollover_folder_remove(struct rollover_folder *folder, const char *name)
{
    const char *removed = name != NULL ? name : NEW_FOLDER;
    int fd = openat(folder->fd, removed, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd >= 0) {
        remove_entries(fd);
        unlinkat(folder->fd, removed, AT_REMOVEDIR);
    }
}

// Who shall own what is made, and how a secret is protected: nobody but root may give files away,
// and nobody else needs to.
static enum err_code find_rights(const struct rollover_folder *folder, const char *key,
                                 struct rights *ret_rights, struct err *err)
{
    struct stat above;
    struct stat like;
    if (fstat(folder->fd, &above) != 0) {
        return err_set_errno(err, "cannot look at %s", folder->path);
    }
    bool is_like_key = key != NULL && stat(key, &like) == 0 && like.st_uid != above.st_uid;
    *ret_rights = (struct rights){
        .owner = above.st_uid,
        .group = above.st_gid,
        .secret_owner = is_like_key ? like.st_uid : above.st_uid,
        .secret_group = is_like_key ? like.st_gid : above.st_gid,
        // Root's own folder with another group is one that was given to the group of scepd-ca.
        .secret_mode =
            !is_like_key && above.st_uid == 0 && above.st_gid != 0 ? GROUP_MODE : SECRET_MODE,
    };
    return ERR_OK;
}

static enum err_code give(const char *path, uid_t owner, gid_t group, struct err *err)
{
    if (geteuid() == 0 && chown(path, owner, group) != 0) {
        return err_set_errno(err, "cannot change the owner of %s", path);
    }
    return ERR_OK;
}

static enum err_code add_file(const struct rollover_folder *folder,
                              const struct rollover_file *file, const struct rights *rights,
                              struct err *err)
{
    CLEANUP(free_text) char *path = NULL;
    if (asprintf(&path, "%s/" NEW_FOLDER "/%s", folder->path, file->name) < 0) {
        path = NULL;
        return err_set(err, ERR_NOMEM, "no memory for a path");
    }
    enum err_code code = file_create(path, SECRET_MODE, file->content, err);
    if (code == ERR_OK) {
        code = file->is_secret ? give(path, rights->secret_owner, rights->secret_group, err)
                               : give(path, rights->owner, rights->group, err);
    }
    // After the owner, and whatever the umask says.
    mode_t mode = file->is_secret ? rights->secret_mode : PUBLIC_MODE;
    if (code == ERR_OK && chmod(path, mode) != 0) {
        code = err_set_errno(err, "cannot change the mode of %s", path);
    }
    return code;
}

static enum err_code finish_folder(const struct rollover_folder *folder,
                                   const struct rights *rights, struct err *err)
{
    CLEANUP(free_text) char *path = NULL;
    struct stat above;
    if (asprintf(&path, "%s/" NEW_FOLDER, folder->path) < 0) {
        path = NULL;
        return err_set(err, ERR_NOMEM, "no memory for a path");
    }
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return err_set_errno(err, "cannot open %s", path);
    }
    enum err_code code = ERR_OK;
    if (fstat(folder->fd, &above) != 0 || fchmod(fd, above.st_mode & FOLDER_BITS) != 0) {
        code = err_set_errno(err, "cannot change the mode of %s", path);
    }
    if (code == ERR_OK) {
        code = give(path, rights->owner, rights->group, err);
    }
    if (code == ERR_OK) {
        code = sync_fd(fd, path, err);
    }
    close(fd);
    return code;
}

// Linux's rename() puts one folder in another's place only when that is empty.
static enum err_code put_in_place(const struct rollover_folder *folder, const char *name,
                                  struct err *err)
{
    if (renameat(folder->fd, NEW_FOLDER, folder->fd, name) != 0) {
        if (errno == ENOTEMPTY) {
            return err_set(err, ERR_EXISTS, "%s/%s exists already", folder->path, name);
        }
        return err_set_errno(err, "cannot make %s/%s", folder->path, name);
    }
    return sync_fd(folder->fd, folder->path, err);
}

enum err_code rollover_folder_add(struct rollover_folder *folder, const char *name,
                                  const struct rollover_file *files, const char *key,
                                  struct err *err)
{
    rollover_folder_remove(folder, NULL);
    if (mkdirat(folder->fd, NEW_FOLDER, S_IRWXU) != 0) {
        return err_set_errno(err, "cannot make a folder in %s", folder->path);
    }
    struct rights rights = {0};
    enum err_code code = find_rights(folder, key, &rights, err);
    for (; code == ERR_OK && files->name != NULL; files++) {
        code = add_file(folder, files, &rights, err);
    }
    if (code == ERR_OK) {
        code = finish_folder(folder, &rights, err);
    }
    if (code == ERR_OK) {
        code = put_in_place(folder, name, err);
    }
    if (code != ERR_OK) {
        rollover_folder_remove(folder, NULL);
    }
    return code;
}

enum err_code rollover_folder_link(struct rollover_folder *folder, const char *link,
                                   const char *target, struct err *err)
{
    unlinkat(folder->fd, NEW_LINK, 0); // left by a crash
    if (symlinkat(target, folder->fd, NEW_LINK) != 0) {
        return err_set_errno(err, "cannot make a link in %s", folder->path);
    }
    if (renameat(folder->fd, NEW_LINK, folder->fd, link) != 0) {
        enum err_code code = err_set_errno(err, "cannot make the link %s/%s", folder->path, link);
        unlinkat(folder->fd, NEW_LINK, 0);
        return code;
    }
    return sync_fd(folder->fd, folder->path, err);
}

enum err_code rollover_folder_unlink(struct rollover_folder *folder, const char *link,
                                     struct err *err)
{
    if (unlinkat(folder->fd, link, 0) != 0 && errno != ENOENT) {
        return err_set_errno(err, "cannot remove the link %s/%s", folder->path, link);
    }
    return sync_fd(folder->fd, folder->path, err);
}

bool rollover_folder_has_link(const struct rollover_folder *folder, const char *link)
{
    struct stat status;
    return fstatat(folder->fd, link, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(status.st_mode);
}
