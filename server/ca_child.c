// SPDX-License-Identifier: Apache-2.0
#include "server/ca_child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include "conf/base/log.h"
#include "conf/base/process.h"
#include "server/listener.h"

#define PROGRAM     "scepd-ca"
#define OWN_PROGRAM "/proc/self/exe"
#define END_SEC     5 // a signature under way may finish; then SIGKILL
#define PID_LEN     16

struct ca_child {
    pid_t pid; // 0 = it has ended and was waited for
    char *socket;
};

static void close_fd(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
    }
}

static enum err_code find_program(const struct settings *settings, char ret_path[PATH_MAX],
                                  struct err *err)
{
    if (settings->ca.program != NULL) {
        snprintf(ret_path, PATH_MAX, "%s", settings->ca.program);
    } else {
        char own[PATH_MAX];
        ssize_t len = readlink(OWN_PROGRAM, own, sizeof own - 1);
        if (len < 0) {
            return err_set_errno(err, "cannot find out where this program is");
        }
        own[len] = '\0';
        char *slash = strrchr(own, '/');
        int folder_len = slash != NULL ? (int)(slash - own) : 0;
        if (snprintf(ret_path, PATH_MAX, "%.*s/" PROGRAM, folder_len, own) >= PATH_MAX) {
            return err_set(err, ERR_LIMIT, "the path of this program is too long");
        }
    }
    return access(ret_path, X_OK) == 0 ? ERR_OK
                                       : err_set_errno(err, "cannot start the CA %s", ret_path);
}

// The child's environment: one socket by LISTEN_FDS, and nothing of scepd's own talk with systemd.
static bool set_environment(void)
{
    char pid[PID_LEN];
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_PID");
    unsetenv("WATCHDOG_USEC");
    unsetenv("LISTEN_FDNAMES");
    return setenv("LISTEN_FDS", "1", 1) == 0 && setenv("LISTEN_PID", pid, 1) == 0;
}

// Puts the socket where LISTEN_FDS wants it, open across exec.
static bool place_socket(int fd)
{
    if (fd == SD_LISTEN_FDS_START) {
        return fcntl(fd, F_SETFD, 0) == 0;
    }
    return dup2(fd, SD_LISTEN_FDS_START) == SD_LISTEN_FDS_START;
}

static enum err_code become_program(const char *program, const char *settings_path, int socket_fd,
                                    pid_t parent, struct err *err)
{
    sigset_t none;
    sigemptyset(&none);
    enum err_code code = process_die_with_parent((int)parent, err);
    if (code != ERR_OK) {
        return code;
    }
    // A group of its own: Ctrl-C is for scepd, which needs its CA to finish.
    if (setpgid(0, 0) != 0 || !place_socket(socket_fd) || !set_environment() ||
        sigprocmask(SIG_SETMASK, &none, NULL) != 0) {
        return err_set_errno(err, "cannot prepare the CA's process");
    }
    execl(program, PROGRAM, "-c", settings_path, (char *)NULL);
    return err_set_errno(err, "cannot start the CA %s", program);
}

static enum err_code launch(struct ca_child *child, const char *program, const char *settings_path,
                            struct err *err)
{
    CLEANUP(close_fd) int socket_fd = -1;
    enum err_code code = listener_open_unix(child->socket, SOCK_SEQPACKET, &socket_fd, err);
    if (code != ERR_OK) {
        return code;
    }
    pid_t parent = getpid();
    child->pid = fork();
    if (child->pid < 0) {
        return err_set_errno(err, "cannot make the CA's process");
    }
    if (child->pid == 0) {
        (void)!become_program(program, settings_path, socket_fd, parent, err);
        log_failure(LOG_LEVEL_ERROR, "ca_start", err);
        _exit(EXIT_FAILURE);
    }
    return ERR_OK;
}

enum err_code ca_child_start(const struct settings *settings, const char *settings_path,
                             struct ca_child **ret_child, struct err *err)
{
    char program[PATH_MAX];
    enum err_code code = find_program(settings, program, err);
    if (code != ERR_OK) {
        return code;
    }
    struct ca_child *child = calloc(1, sizeof *child);
    char *socket = strdup(settings->ca.socket);
    if (child == NULL || socket == NULL) {
        free(child);
        free(socket);
        return err_set(err, ERR_NOMEM, "no memory for the CA's process");
    }
    child->socket = socket;
    code = launch(child, program, settings_path, err);
    if (code != ERR_OK) {
        free(child->socket);
        free(child);
        return code;
    }
    *ret_child = child;
    return ERR_OK;
}

bool ca_child_has_ended(struct ca_child *child, struct err *err)
{
    int status = 0;
    if (child->pid == 0 || waitpid(child->pid, &status, WNOHANG) != child->pid) {
        return false;
    }
    child->pid = 0;
    if (WIFSIGNALED(status)) {
        err_set(err, ERR_BUSY, PROGRAM " was ended by signal %d", WTERMSIG(status));
    } else {
        err_set(err, ERR_BUSY, PROGRAM " ended with exit status %d", WEXITSTATUS(status));
    }
    return true;
}

// Whether the child's end came before the time was up; SIGCHLD is blocked and so stays pending.
static bool wait_for_end(pid_t pid)
{
    const struct timespec limit = {.tv_sec = END_SEC};
    sigset_t child_ended;
    sigemptyset(&child_ended);
    sigaddset(&child_ended, SIGCHLD);
    while (waitpid(pid, NULL, WNOHANG) == 0) {
        if (sigtimedwait(&child_ended, NULL, &limit) < 0 && errno == EAGAIN) {
            return false;
        }
    }
    return true;
}

void ca_child_stop(struct ca_child *take_child)
{
    struct ca_child *child = take_child;
    if (child == NULL) {
        return;
    }
    // Before its listener goes: a scepd that starts meanwhile makes a socket of its own there.
    unlink(child->socket);
    if (child->pid != 0) {
        kill(child->pid, SIGTERM);
        if (!wait_for_end(child->pid)) {
            kill(child->pid, SIGKILL);
            waitpid(child->pid, NULL, 0);
        }
    }
    free(child->socket);
    free(child);
}
