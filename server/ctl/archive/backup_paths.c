// SPDX-License-Identifier: Apache-2.0
#include "server/ctl/archive/backup_paths.h"

#include <stdio.h>
#include <string.h>

static enum err_code too_long(struct err *err)
{
    return err_set(err, ERR_LIMIT, "a path of more than %d octets", PATH_MAX - 1);
}

// Takes the last part away.
static size_t without_last(const char *path, size_t len)
{
    while (len > 0 && path[len - 1] != '/') {
        len--;
    }
    return len > 0 ? len - 1 : 0;
}

enum err_code backup_path_plain(const char *path, char ret_plain[PATH_MAX], struct err *err)
{
    char plain[PATH_MAX] = "";
    size_t len = 0;
    while (*path != '\0') {
        path += strspn(path, "/");
        size_t part = strcspn(path, "/");
        if (part == 2 && strncmp(path, "..", part) == 0) {
            len = without_last(plain, len);
        } else if (part > 0 && !(part == 1 && path[0] == '.')) {
            if (len + 1 + part >= sizeof plain) {
                return too_long(err);
            }
            plain[len] = '/';
            memcpy(plain + len + 1, path, part);
            len += 1 + part;
        }
        path += part;
    }
    plain[len] = '\0';
    memcpy(ret_plain, plain, len + 1);
    return ERR_OK;
}

// What follows `folder` in `path`, "" for itself; NULL when it does not lie there.
static const char *rest_in(const char *folder, const char *path)
{
    size_t len = strlen(folder);
    if (strncmp(path, folder, len) != 0 || (path[len] != '/' && path[len] != '\0')) {
        return NULL;
    }
    return path + len;
}

static enum err_code join(const char *head, const char *rest, char ret_into[PATH_MAX],
                          struct err *err)
{
    int len = snprintf(ret_into, PATH_MAX, "%s%s", head, rest);
    return len < PATH_MAX ? ERR_OK : too_long(err);
}

// A folder or socket of the settings, where it goes when it does not lie beside scepd.conf.
struct place {
    const char *path; // NULL = not set
    const char *name;
};

// *ret_is_found says whether `path` is this place or lies in it.
static enum err_code try_place(const struct place *place, const char *path, char ret_into[PATH_MAX],
                               bool *ret_is_found, struct err *err)
{
    char plain[PATH_MAX];
    *ret_is_found = false;
    if (place->path == NULL) {
        return ERR_OK;
    }
    enum err_code code = backup_path_plain(place->path, plain, err);
    const char *rest = code == ERR_OK ? rest_in(plain, path) : NULL;
    if (rest != NULL) {
        *ret_is_found = true;
        code = join(place->name, rest, ret_into, err);
    }
    return code;
}

static enum err_code try_beside(const char *config, const char *path, char ret_into[PATH_MAX],
                                bool *ret_is_found, struct err *err)
{
    char folder[PATH_MAX];
    enum err_code code = join(config, "", folder, err);
    if (code != ERR_OK) {
        return code;
    }
    folder[without_last(folder, strlen(folder))] = '\0';
    const char *rest = rest_in(folder, path);
    *ret_is_found = rest != NULL && rest[0] == '/';
    return *ret_is_found ? join(rest + 1, "", ret_into, err) : ERR_OK;
}

enum err_code backup_path_into(const char *config, const struct settings *settings,
                               const char *path, char ret_into[PATH_MAX], struct err *err)
{
    const struct place store = {settings->store.directory, "store"};
    const struct place places[] = {
        {settings->ra.directory, "ra"},
        {settings->ca.generations, "generations"},
        {settings->admin.socket, "admin.sock"},
        {settings->ca.socket, "ca.sock"},
    };
    bool is_found = false;
    enum err_code code = try_place(&store, path, ret_into, &is_found, err);
    if (code == ERR_OK && !is_found) {
        code = try_beside(config, path, ret_into, &is_found, err);
    }
    for (size_t i = 0; code == ERR_OK && !is_found && i < sizeof places / sizeof places[0]; i++) {
        code = try_place(&places[i], path, ret_into, &is_found, err);
    }
    return code == ERR_OK && !is_found ? join("other", path, ret_into, err) : code;
}
