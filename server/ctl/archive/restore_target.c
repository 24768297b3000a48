// SPDX-License-Identifier: Apache-2.0
#include "server/ctl/archive/restore_target.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "conf/base/file.h"
#include "conf/base/hex.h"
#include "conf/base/ossl.h"
#include "conf/limits.h"
#include "server/ctl/api.h"
#include "server/ctl/archive/manifest.h"

#define DIGEST_TEXT_LEN (2 * SHA256_LEN + 1) // bytes with NUL
#define LOCK_NAME       "scepd.lock"         // ra/store's; scepd holds it as long as it runs

enum err_code restore_target_path(const struct restore_target *target, const json_t *entry,
                                  char ret_path[PATH_MAX], struct err *err)
{
    bool is_inside = target->into != NULL;
    int len = snprintf(ret_path, PATH_MAX, "%s%s%s", is_inside ? target->into : "",
                       is_inside ? "/" : "", api_text(entry, is_inside ? "path" : "restore_to"));
    return len < PATH_MAX ? ERR_OK
                          : err_set(err, ERR_LIMIT, "a path of more than %d octets", PATH_MAX - 1);
}

static enum err_code unknown(const char *kind, const char *name, const json_t *entry,
                             struct err *err)
{
    return err_set(err, ERR_NOT_FOUND,
                   "this machine has no %s \"%.32s\", whose %s is: install the package first, or "
                   "restore --into a folder",
                   kind, name, api_text(entry, "restore_to"));
}

enum err_code restore_target_rights(const struct restore_target *target, const json_t *entry,
                                    struct stage_rights *ret_rights, struct err *err)
{
    struct stage_rights rights = {manifest_mode(entry), (uid_t)-1, (gid_t)-1};
    if (geteuid() == 0 && target->into == NULL) {
        const char *owner = api_text(entry, "owner");
        const char *group = api_text(entry, "group");
        const struct passwd *user = getpwnam(owner);
        const struct group *users = getgrnam(group);
        if (user == NULL) {
            return unknown("user", owner, entry, err);
        }
        if (users == NULL) {
            return unknown("group", group, entry, err);
        }
        rights.uid = user->pw_uid;
        rights.gid = users->gr_gid;
    }
    *ret_rights = rights;
    return ERR_OK;
}

static bool has_link(const char *path, const char *target)
{
    char found[PATH_MAX];
    ssize_t len = readlink(path, found, sizeof found - 1);
    found[len > 0 ? len : 0] = '\0';
    return len > 0 && strcmp(found, target) == 0;
}

static bool has_file(const char *path, const char *sha256)
{
    CLEANUP(buf_wipe) struct buf content = {0};
    uint8_t digest[SHA256_LEN];
    char text[DIGEST_TEXT_LEN];
    if (file_read(path, LIMIT_FILE_LEN, &content, NULL) != ERR_OK) {
        return false;
    }
    const struct view octets = buf_view(&content);
    ossl_sha256(&octets, 1, digest);
    return strcasecmp(hex_encode(view_of(digest, sizeof digest), text), sha256) == 0;
}

bool restore_target_has(const struct restore_target *target, const json_t *entry)
{
    char path[PATH_MAX];
    const char *name = api_text(entry, "path");
    const char *link = api_text(entry, "target");
    if (strcmp(name, MANIFEST_STORE) == 0 || strcmp(name, MANIFEST_SETTINGS) == 0 ||
        restore_target_path(target, entry, path, NULL) != ERR_OK) {
        return false;
    }
    return link != NULL ? has_link(path, link) : has_file(path, api_text(entry, "sha256"));
}

static bool is_answering(const char *socket_path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(socket_path) >= sizeof address.sun_path) {
        return false;
    }
    memcpy(address.sun_path, socket_path, strlen(socket_path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool is_there = fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) == 0;
    if (fd >= 0) {
        close(fd);
    }
    return is_there;
}

static bool is_locked(const char *store)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/" LOCK_NAME, store);
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    bool is_held = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0;
    if (fd >= 0) {
        close(fd);
    }
    return is_held;
}

static enum err_code check_idle(const struct restore_target *target, struct err *err)
{
    const char *socket = api_text(target->manifest, "admin_socket");
    const char *store = api_text(target->manifest, "store");
    if (is_answering(socket)) {
        return err_set(err, ERR_BUSY, "scepd runs: it answers at %s; stop it first", socket);
    }
    return is_locked(store) ? err_set(err, ERR_BUSY,
                                      "scepd runs: it holds the store in %s; stop it first", store)
                            : ERR_OK;
}

static enum err_code check_place(const struct restore_target *target, const json_t *entry,
                                 struct err *err)
{
    char path[PATH_MAX];
    struct stat status;
    enum err_code code = restore_target_path(target, entry, path, err);
    if (code != ERR_OK) {
        return code;
    }
    if (lstat(path, &status) == 0) {
        return restore_target_has(target, entry)
                   ? ERR_OK
                   : err_set(err, ERR_EXISTS,
                             "%s exists already, and nothing is overwritten: restore --into a "
                             "new folder, stop scepd, and move from there what is lost here, such "
                             "as store/data.mdb",
                             path);
    }
    return errno == ENOENT || errno == ENOTDIR ? ERR_OK
                                               : err_set_errno(err, "cannot look at %s", path);
}

static enum err_code check_list(const struct restore_target *target, const char *list,
                                struct err *err)
{
    size_t i;
    const json_t *entry;
    struct stage_rights rights;
    json_array_foreach(json_object_get(target->manifest, list), i, entry)
    {
        enum err_code code = check_place(target, entry, err);
        if (code == ERR_OK && api_text(entry, "owner") != NULL) {
            code = restore_target_rights(target, entry, &rights, err);
        }
        if (code != ERR_OK) {
            return code;
        }
    }
    return ERR_OK;
}

enum err_code restore_target_check(const struct restore_target *target, struct err *err)
{
    struct stat status;
    if (target->into != NULL) {
        return lstat(target->into, &status) == 0
                   ? err_set(err, ERR_EXISTS, "%s exists already; name a new folder", target->into)
                   : ERR_OK;
    }
    enum err_code code = check_idle(target, err);
    if (code == ERR_OK) {
        code = check_place(target, manifest_find(target->manifest, MANIFEST_STORE), err);
    }
    if (code == ERR_OK) {
        code = check_list(target, "files", err);
    }
    return code == ERR_OK ? check_list(target, "links", err) : code;
}
