// SPDX-License-Identifier: Apache-2.0
#include "server/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include "conf/syntax.h"

#define TCP_BACKLOG  1024 // a site's phones after a power cut
#define UNIX_BACKLOG 128  // each worker connects to the CA once
#define SOCKET_MODE  0600
#define ENDING_MS    3000 // how long a scepd-ca may take that lost its scepd to kill -9

static void close_fd(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
    }
}

static int keep(int *fd)
{
    int kept = *fd;
    *fd = -1;
    return kept;
}

static enum err_code set_option(int fd, int level, int option, int value, struct err *err)
{
    if (setsockopt(fd, level, option, &value, sizeof value) != 0) {
        return err_set_errno(err, "cannot set an option of the listening socket");
    }
    return ERR_OK;
}

static enum err_code prepare(int fd, int family, struct err *err)
{
    enum err_code code = set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1, err);
    if (code == ERR_OK && family == AF_INET6) {
        code = set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0, err);
    }
    return code;
}

enum err_code listener_open(const char *listen_text, int *ret_fd, struct err *err)
{
    union syntax_address address;
    enum err_code code = syntax_listen(listen_text, &address, err);
    if (code != ERR_OK) {
        return err_prefix(err, "%s", listen_text);
    }
    int family = address.any.sa_family;
    CLEANUP(close_fd) int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return err_set_errno(err, "cannot make a socket for %s", listen_text);
    }
    code = prepare(fd, family, err);
    if (code != ERR_OK) {
        return code;
    }
    socklen_t len = family == AF_INET6 ? sizeof address.v6 : sizeof address.v4;
    if (bind(fd, &address.any, len) != 0 || listen(fd, TCP_BACKLOG) != 0) {
        return err_set_errno(err, "cannot listen on %s", listen_text);
    }
    *ret_fd = keep(&fd);
    return ERR_OK;
}

static enum err_code inherit_one(int fd, const char *name, struct listener_inherited *inherited,
                                 struct err *err)
{
    bool is_web = strcmp(name, LISTENER_WEB_NAME) == 0;
    int *place = is_web ? &inherited->web_fd : &inherited->scep_fd;
    if (sd_is_socket(fd, AF_UNSPEC, SOCK_STREAM, 1) <= 0) {
        return err_set(err, ERR_CONFIG,
                       "LISTEN_FDS passes \"%.64s\", which is no listening TCP socket", name);
    }
    if (*place >= 0) {
        return err_set(err, ERR_CONFIG,
                       "LISTEN_FDS passes two sockets for %s; allowed: one for phones and one "
                       "named \"" LISTENER_WEB_NAME "\"",
                       is_web ? "the web page" : "phones");
    }
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) {
        return err_set_errno(err, "cannot make the inherited socket non-blocking");
    }
    *place = fd;
    return ERR_OK;
}

static void free_names(char **names)
{
    for (char **name = names; name != NULL && *name != NULL; name++) {
        free(*name);
    }
    free(names);
}

enum err_code listener_inherit(struct listener_inherited *ret_inherited, struct err *err)
{
    struct listener_inherited inherited = {.web_fd = -1, .scep_fd = -1};
    char **names = NULL;
    int count = sd_listen_fds_with_names(1, &names);
    enum err_code code = ERR_OK;
    for (int i = 0; code == ERR_OK && i < count; i++) {
        code = inherit_one(SD_LISTEN_FDS_START + i, names[i], &inherited, err);
    }
    free_names(names);
    if (code == ERR_OK) {
        *ret_inherited = inherited;
    }
    return code;
}

enum err_code listener_name(int fd, char ret_text[LISTENER_TEXT_LEN], struct err *err)
{
    union syntax_address address;
    socklen_t len = sizeof address;
    char host[INET6_ADDRSTRLEN];
    if (getsockname(fd, &address.any, &len) != 0) {
        return err_set_errno(err, "cannot find out where the server listens");
    }
    if (address.any.sa_family == AF_INET6) {
        inet_ntop(AF_INET6, &address.v6.sin6_addr, host, sizeof host);
        snprintf(ret_text, LISTENER_TEXT_LEN, "[%s]:%u", host, ntohs(address.v6.sin6_port));
    } else if (address.any.sa_family == AF_INET) {
        inet_ntop(AF_INET, &address.v4.sin_addr, host, sizeof host);
        snprintf(ret_text, LISTENER_TEXT_LEN, "%s:%u", host, ntohs(address.v4.sin_port));
    } else {
        snprintf(ret_text, LISTENER_TEXT_LEN, "inherited");
    }
    return ERR_OK;
}

// Whether whoever took our connection is gone before the time is up. Nothing is ever said on it.
static bool ends_soon(int fd)
{
    struct pollfd watched = {.fd = fd, .events = POLLIN};
    return poll(&watched, 1, ENDING_MS) == 1 && (watched.revents & (POLLHUP | POLLERR)) != 0;
}

static enum err_code remove_stale(const struct sockaddr_un *address, int type, struct err *err)
{
    struct stat status;
    const char *path = address->sun_path;
    if (lstat(path, &status) != 0) {
        return errno == ENOENT ? ERR_OK : err_set_errno(err, "cannot look at %s", path);
    }
    if (!S_ISSOCK(status.st_mode)) {
        return err_set(err, ERR_EXISTS, "%s exists and is not a socket", path);
    }
    CLEANUP(close_fd) int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return err_set_errno(err, "cannot make a socket");
    }
    int result = connect(fd, (const struct sockaddr *)address, sizeof *address);
    bool is_stale = result == 0 ? ends_soon(fd) : errno == ECONNREFUSED;
    if (!is_stale) {
        return err_set(err, ERR_EXISTS, "another process listens on %s", path);
    }
    return unlink(path) == 0 ? ERR_OK : err_set_errno(err, "cannot remove the old socket %s", path);
}

enum err_code listener_open_unix(const char *path, int type, int *ret_fd, struct err *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = strlen(path);
    if (len >= sizeof address.sun_path) {
        return err_set(err, ERR_LIMIT, "a socket's path is longer than %zu octets: %s",
                       sizeof address.sun_path - 1, path);
    }
    memcpy(address.sun_path, path, len);
    enum err_code code = remove_stale(&address, type, err);
    if (code != ERR_OK) {
        return code;
    }
    CLEANUP(close_fd) int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return err_set_errno(err, "cannot make a socket");
    }
    // Before bind(), so that the file has this mode from its first moment.
    if (fchmod(fd, SOCKET_MODE) != 0 ||
        bind(fd, (const struct sockaddr *)&address, sizeof address) != 0 ||
        listen(fd, UNIX_BACKLOG) != 0) {
        return err_set_errno(err, "cannot listen on %s", path);
    }
    *ret_fd = keep(&fd);
    return ERR_OK;
}
