// SPDX-License-Identifier: Apache-2.0
// scepd-ca: the signing CA, a process of its own. Gets its listening socket by LISTEN_FDS, opens
// the keys and certificates of all its CAs, and answers scepd until SIGTERM. It never makes a
// socket of its own.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include "ca/service.h"
#include "conf/base/clock.h"
#include "conf/base/log.h"
#include "conf/base/process.h"
#include "conf/settings.h"

#define EXIT_BAD_SETTINGS 2
#define TICK_MS           60000 // clears up after ended connections when nothing else happens
#define US_PER_MS         1000

struct program {
    char *settings_path;
    int listen_fd;
    int signal_fd;
    struct service *service;
};

DEFINE_CLEANUP(struct settings *, settings_free);

static void log_problems(const char *problems)
{
    while (*problems != '\0') {
        size_t len = strcspn(problems, "\n");
        log_message(LOG_LEVEL_ERROR, "settings_problem", "%.*s", (int)len, problems);
        problems += len + (problems[len] == '\n' ? 1 : 0);
    }
}

static enum err_code read_settings(const char *path, struct settings **ret_settings,
                                   struct err *err)
{
    char *text = NULL;
    size_t len = 0;
    FILE *problems = open_memstream(&text, &len);
    if (problems == NULL) {
        return err_set(err, ERR_NOMEM, "no memory to read the settings");
    }
    // The files of the other settings belong to scepd and need not be visible from here.
    enum err_code code = settings_load(path, false, problems, ret_settings, err);
    fclose(problems);
    if (text != NULL) {
        log_problems(text);
    }
    free(text);
    return code;
}

static const char *role_name(enum generation_role role)
{
    switch (role) {
    case GENERATION_CURRENT:
        return "current";
    case GENERATION_NEXT:
        return "next";
    default:
        return "old";
    }
}

static void log_authority(const struct authority *authority)
{
    struct log_line line;
    char not_after[CLOCK_TEXT_LEN];
    log_begin(&line, "ca_ready");
    log_add_text(&line, "ca", authority_name(authority));
    log_add_text(&line, "role", role_name(authority_role(authority)));
    log_add_text(&line, "key", authority_key_type(authority));
    log_add_text(&line, "not_after", clock_format(authority_not_after(authority), not_after));
    log_end(&line, LOG_LEVEL_INFO);
}

static void log_missing(const struct authorities_missing *missing)
{
    struct log_line line;
    log_begin(&line, "ca_missing");
    log_add_text(&line, "ca", missing->name);
    log_add_text(&line, "role", role_name(GENERATION_OLD));
    log_add_err(&line, &missing->why);
    log_end(&line, LOG_LEVEL_WARNING);
}

static void log_authorities(const struct authorities *authorities)
{
    const struct authority *authority;
    for (unsigned i = 0; (authority = authorities_get(authorities, i)) != NULL; i++) {
        log_authority(authority);
    }
    const struct authorities_missing *missing;
    for (unsigned i = 0; (missing = authorities_missing(authorities, i)) != NULL; i++) {
        log_missing(missing);
    }
}

static enum err_code load_authorities(void *context, struct authorities **ret_authorities,
                                      struct err *err)
{
    const char *path = context;
    CLEANUP(cleanup_settings_free) struct settings *settings = NULL;
    enum err_code code = read_settings(path, &settings, err);
    if (code == ERR_OK) {
        code = authorities_load(settings, clock_now(), ret_authorities, NULL, err);
    }
    if (code == ERR_OK) {
        log_set_level((enum log_level)settings->log.level);
        log_authorities(*ret_authorities);
    }
    return code;
}

static enum err_code find_socket(int *ret_fd, struct err *err)
{
    int count = sd_listen_fds(1);
    if (count != 1) {
        return err_set(err, ERR_CONFIG, "%d sockets by LISTEN_FDS; exactly one is needed", count);
    }
    int fd = SD_LISTEN_FDS_START;
    if (sd_is_socket(fd, AF_UNIX, SOCK_SEQPACKET, 1) <= 0) {
        return err_set(err, ERR_CONFIG,
                       "the socket by LISTEN_FDS is not a listening AF_UNIX SEQPACKET one");
    }
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) {
        return err_set_errno(err, "cannot make the listening socket non-blocking");
    }
    *ret_fd = fd;
    return ERR_OK;
}

// Signals come through a file descriptor; threads inherit the mask, so none is ever interrupted.
static enum err_code catch_signals(int *ret_fd, struct err *err)
{
    sigset_t wanted;
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGTERM);
    sigaddset(&wanted, SIGINT);
    sigaddset(&wanted, SIGHUP);
    if (signal(SIGPIPE, SIG_IGN) == SIG_ERR || sigprocmask(SIG_BLOCK, &wanted, NULL) != 0) {
        return err_set_errno(err, "cannot set up signals");
    }
    int fd = signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0) {
        return err_set_errno(err, "cannot set up signals");
    }
    *ret_fd = fd;
    return ERR_OK;
}

static void reload(struct program *program)
{
    sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%jd", (intmax_t)clock_monotonic_us());
    struct err err = {0};
    if (service_reload(program->service, &err) != ERR_OK) {
        err_prefix(&err, "the old settings stay");
        log_failure(LOG_LEVEL_ERROR, "ca_reload", &err);
    }
    sd_notify(0, "READY=1");
}

// False when it is time to end.
static bool take_signal(struct program *program)
{
    struct signalfd_siginfo info;
    if (read(program->signal_fd, &info, sizeof info) != (ssize_t)sizeof info) {
        return true;
    }
    if (info.ssi_signo == SIGHUP) {
        reload(program);
        return true;
    }
    return false;
}

static int tick_ms(void)
{
    uint64_t watchdog_us = 0;
    if (sd_watchdog_enabled(0, &watchdog_us) <= 0) {
        return TICK_MS;
    }
    uint64_t half_ms = watchdog_us / 2 / US_PER_MS;
    return half_ms < TICK_MS ? (int)half_ms : TICK_MS;
}

static enum err_code run(struct program *program, struct err *err)
{
    enum { LISTENER, SIGNALS, WATCHED };
    struct pollfd watched[WATCHED] = {
        [LISTENER] = {.fd = program->listen_fd, .events = POLLIN},
        [SIGNALS] = {.fd = program->signal_fd, .events = POLLIN},
    };
    int timeout_ms = tick_ms();
    for (;;) {
        if (poll(watched, WATCHED, timeout_ms) < 0 && errno != EINTR) {
            return err_set_errno(err, "cannot wait for connections");
        }
        sd_notify(0, "WATCHDOG=1");
        if ((watched[SIGNALS].revents & POLLIN) != 0 && !take_signal(program)) {
            return ERR_OK;
        }
        if (watched[LISTENER].revents != 0) {
            service_accept(program->service, program->listen_fd);
        }
        service_reap(program->service);
    }
}

static enum err_code start(struct program *program, struct err *err)
{
    enum err_code code = catch_signals(&program->signal_fd, err);
    if (code == ERR_OK) {
        code = find_socket(&program->listen_fd, err);
    }
    struct authorities *authorities = NULL;
    if (code == ERR_OK) {
        code = load_authorities(program->settings_path, &authorities, err);
    }
    if (code == ERR_OK) {
        code = service_new(authorities, clock_now, &program->service, err);
    }
    if (code == ERR_OK) {
        service_set_load(program->service, load_authorities, program->settings_path);
    }
    return code;
}

static char *parse_arguments(int argc, char **argv)
{
    char *settings_path = NULL;
    int option;
    while ((option = getopt(argc, argv, "c:")) != -1) {
        if (option != 'c') {
            return NULL;
        }
        settings_path = optarg;
    }
    return optind == argc ? settings_path : NULL;
}

int main(int argc, char **argv)
{
    struct err err = {0};
    enum err_code code = process_harden(&err);
    log_init("scepd-ca", LOG_LEVEL_INFO);
    if (code != ERR_OK) {
        log_failure(LOG_LEVEL_ERROR, "ca_start", &err);
        return EXIT_FAILURE;
    }
    struct program program = {.settings_path = parse_arguments(argc, argv)};
    if (program.settings_path == NULL) {
        fprintf(stderr, "usage: scepd-ca -c FILE\n");
        return EXIT_BAD_SETTINGS;
    }
    code = start(&program, &err);
    if (code != ERR_OK) {
        log_failure(LOG_LEVEL_ERROR, "ca_start", &err);
        bool is_setting = code == ERR_CONFIG || code == ERR_NOT_FOUND; // a file that is not there
        return is_setting ? EXIT_BAD_SETTINGS : EXIT_FAILURE;
    }
    sd_notify(0, "READY=1");
    code = run(&program, &err);
    sd_notify(0, "STOPPING=1");
    service_free(program.service);
    if (code != ERR_OK) {
        log_failure(LOG_LEVEL_ERROR, "ca_end", &err);
        return EXIT_FAILURE;
    }
    log_message(LOG_LEVEL_INFO, "ca_end", "ended by a signal");
    return EXIT_SUCCESS;
}
