// SPDX-License-Identifier: Apache-2.0
#include "server/ctl/ca/init_place.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#define CONFIG_FOLDER "/etc/scepd"
#define STATE_FOLDER  "/var/lib/scepd"
#define ADMIN_SOCKET  "/run/scepd/admin.sock"
#define CA_SOCKET     "/run/scepd-ca/ca.sock"
#define LISTEN        "0.0.0.0:80"
#define SCEPD_USER    "scepd"
#define CA_GROUP      "scepd-ca"
#define ENTRY_LEN     16384 // bytes of what is known of a user or group; glibc suggests 1024

struct init_place init_place_folder(const char *directory, const char *listen)
{
    return (struct init_place){.directory = directory, .listen = listen};
}

static enum err_code missing(const char *kind, const char *name, int error, struct err *err)
{
    if (error != 0) {
        errno = error;
        return err_set_errno(err, "cannot look for the %s %s", kind, name);
    }
    return err_set(err, ERR_NOT_FOUND,
                   "there is no %s %s, so scepd is not installed as a service: install its "
                   "package, or name a directory (scepctl init DIR)",
                   kind, name);
}

static enum err_code find_user(struct init_place *place, struct err *err)
{
    char text[ENTRY_LEN];
    struct passwd entry;
    struct passwd *found = NULL;
    int error = getpwnam_r(SCEPD_USER, &entry, text, sizeof text, &found);
    if (found == NULL) {
        return missing("user", SCEPD_USER, error, err);
    }
    place->scepd_uid = found->pw_uid;
    place->scepd_gid = found->pw_gid;
    return ERR_OK;
}

static enum err_code find_group(struct init_place *place, struct err *err)
{
    char text[ENTRY_LEN];
    struct group entry;
    struct group *found = NULL;
    int error = getgrnam_r(CA_GROUP, &entry, text, sizeof text, &found);
    if (found == NULL) {
        return missing("group", CA_GROUP, error, err);
    }
    place->ca_gid = found->gr_gid;
    return ERR_OK;
}

enum err_code init_place_installed(struct init_place *ret_place, struct err *err)
{
    struct init_place place = {
        .directory = CONFIG_FOLDER,
        .state = STATE_FOLDER,
        .admin_socket = ADMIN_SOCKET,
        .ca_socket = CA_SOCKET,
        .listen = LISTEN,
        .is_installed = true,
    };
    enum err_code code = find_user(&place, err);
    if (code == ERR_OK) {
        code = find_group(&place, err);
    }
    if (code == ERR_OK && geteuid() != 0) {
        code = err_set(err, ERR_DENIED,
                       "only root can set up the installed service in " CONFIG_FOLDER
                       "; run it as root, or name a directory (scepctl init DIR)");
    }
    if (code == ERR_OK) {
        *ret_place = place;
    }
    return code;
}
