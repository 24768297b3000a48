// SPDX-License-Identifier: Apache-2.0
#include "server/daemon.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <systemd/sd-daemon.h>

#include "conf/base/clock.h"
#include "conf/base/log.h"
#include "server/daemon_parts.h"
#include "server/reload.h"

#define US_PER_MS   1000
#define PING_US     10000000 // without a watchdog
#define OTHER_FILES 128      // descriptors beside the phones' and workers' connections

// All signals come through a descriptor; threads inherit the mask, so none is ever interrupted.
static enum err_code catch_signals(struct daemon *daemon, struct err *err)
{
    sigset_t wanted;
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGTERM);
    sigaddset(&wanted, SIGINT);
    sigaddset(&wanted, SIGHUP);
    sigaddset(&wanted, SIGCHLD);
    if (signal(SIGPIPE, SIG_IGN) == SIG_ERR || sigprocmask(SIG_BLOCK, &wanted, NULL) != 0) {
        return err_set_errno(err, "cannot set up signals");
    }
    daemon->signal_fd = signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
    return daemon->signal_fd >= 0 ? ERR_OK : err_set_errno(err, "cannot set up signals");
}

static void allow_files(const struct settings *settings)
{
    struct rlimit limit;
    rlim_t wanted =
        (rlim_t)settings->http.connections + daemon_worker_count(settings) + OTHER_FILES;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) {
        return;
    }
    limit.rlim_cur = wanted < limit.rlim_max ? wanted : limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < wanted) {
        log_message(LOG_LEVEL_WARNING, "few_files",
                    "http.connections is %u, but only %ju files may be open",
                    (unsigned)settings->http.connections, (uintmax_t)limit.rlim_cur);
    }
}

static void log_ready(const struct daemon *daemon)
{
    struct log_line line;
    log_begin(&line, "ready");
    log_add_text(&line, "listening", daemon->live.listening);
    if (daemon->web != NULL) {
        log_add_text(&line, "web", daemon->live.web_listening);
    }
    log_add_text(&line, "settings", daemon->settings_path);
    log_end(&line, LOG_LEVEL_INFO);
    sd_notifyf(0, "READY=1\nSTATUS=Listening on %s", daemon->live.listening);
}

static void plan_pings(struct daemon *daemon)
{
    uint64_t watchdog_us = 0;
    daemon->ping_us = PING_US;
    if (sd_watchdog_enabled(0, &watchdog_us) > 0 && watchdog_us / 2 < PING_US) {
        daemon->ping_us = (int64_t)(watchdog_us / 2);
    }
    daemon->next_ping_us = clock_monotonic_us() + daemon->ping_us;
}

// scepd-ca reads its settings first, so that what the RA accepts from now on can be issued.
static enum err_code read_again(struct daemon *daemon, struct policy **ret_policy, struct err *err)
{
    struct settings *settings = NULL;
    struct policy *policy = NULL;
    enum err_code code = reload_settings(daemon->settings_path, true, &settings, err);
    if (code == ERR_OK) {
        code = reload_policy(settings, clock_now(), &policy, err);
    }
    if (code == ERR_OK) {
        code = reload_providers(policy->settings, err);
    }
    if (code == ERR_OK) {
        code = ca_client_reload(daemon->ca, err);
    }
    if (code == ERR_OK) {
        code = reload_complete(daemon->settings_path, daemon->ca, clock_now(), &policy, err);
    }
    if (code != ERR_OK) {
        policy_unref(policy);
        return code;
    }
    *ret_policy = policy;
    return ERR_OK;
}

static void use(struct daemon *daemon, struct policy *take_policy)
{
    struct policy *old = live_policy_get(daemon->live.policy);
    reload_warn_of_restart(old->settings, take_policy->settings);
    policy_unref(old);
    reload_warn(take_policy);
    log_set_level((enum log_level)take_policy->settings->log.level);
    live_policy_replace(daemon->live.policy, take_policy);
    log_message(LOG_LEVEL_INFO, "reloaded", "the new settings are in use");
}

static enum err_code reload(void *context, struct err *err)
{
    struct daemon *daemon = context;
    struct policy *policy = NULL;
    sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%jd", (intmax_t)clock_monotonic_us());
    enum err_code code = read_again(daemon, &policy, err);
    if (code == ERR_OK) {
        use(daemon, policy);
        daemon->jobs.next = 0; // there may be another CA now, which needs a CRL
    } else {
        err_prefix(err, "the old settings stay");
        log_failure(LOG_LEVEL_ERROR, "reload", err);
    }
    sd_notify(0, "READY=1");
    return code;
}

static enum err_code start(struct daemon *daemon, struct err *err)
{
    struct settings *settings = NULL;
    enum err_code code = reload_settings(daemon->settings_path, false, &settings, err);
    if (code != ERR_OK) {
        return code;
    }
    log_set_level((enum log_level)settings->log.level);
    allow_files(settings);
    code = catch_signals(daemon, err);
    if (code == ERR_OK) {
        code = listener_inherit(&daemon->inherited, err);
    }
    if (code == ERR_OK) {
        code = reload_providers(settings, err);
    }
    if (code != ERR_OK) {
        settings_free(settings);
        return code;
    }
    daemon->live.started_at = clock_now();
    daemon->live.reload = reload;
    daemon->live.reload_context = daemon;
    daemon->jobs.live = &daemon->live;
    code = daemon_parts_start(daemon, settings, err);
    if (code == ERR_OK) {
        plan_pings(daemon);
        jobs_run_when_due(&daemon->jobs, clock_now()); // the first CRL is there when we are ready
        log_ready(daemon);
    }
    return code;
}

// ERR_BUSY when scepd-ca has ended by itself: not when we are about to end, because then somebody
// may have told both at once. `ret_is_over` says that we are.
static enum err_code take_signals(struct daemon *daemon, bool *ret_is_over, struct err *err)
{
    bool has_ca_ended = false;
    struct err ignored = {0};
    struct signalfd_siginfo info;
    while (read(daemon->signal_fd, &info, sizeof info) == (ssize_t)sizeof info) {
        switch (info.ssi_signo) {
        case SIGHUP:
            (void)!reload(daemon, &ignored); // it has told the log
            break;
        case SIGCHLD:
            has_ca_ended = has_ca_ended || daemon_has_child_ended(daemon, err);
            break;
        default:
            *ret_is_over = true;
        }
    }
    return has_ca_ended && !*ret_is_over ? ERR_BUSY : ERR_OK;
}

static void log_change(bool was_answering, bool is_answering, const struct err *err)
{
    if (was_answering && !is_answering) {
        log_failure(LOG_LEVEL_ERROR, "ca_silent", err);
    } else if (!was_answering && is_answering) {
        log_message(LOG_LEVEL_INFO, "ca_answers", "the CA answers again");
    }
}

static void ping_when_due(struct daemon *daemon)
{
    struct err err = {0};
    if (clock_monotonic_us() < daemon->next_ping_us) {
        return;
    }
    bool is_answering = health_ask_ca(&daemon->live, clock_now(), &err) == ERR_OK;
    log_change(daemon->was_ca_answering, is_answering, &err);
    daemon->was_ca_answering = is_answering;
    if (is_answering) {
        sd_notify(0, "WATCHDOG=1");
    }
    daemon->next_ping_us = clock_monotonic_us() + daemon->ping_us;
}

static int wait_ms(const struct daemon *daemon)
{
    int64_t left_us = daemon->next_ping_us - clock_monotonic_us();
    int ping_ms = left_us > 0 ? (int)(left_us / US_PER_MS) + 1 : 0;
    const int others_ms[] = {admin_timeout_ms(daemon->admin), web_timeout_ms(daemon->web)};
    int wait = ping_ms;
    for (size_t i = 0; i < sizeof others_ms / sizeof others_ms[0]; i++) {
        wait = others_ms[i] >= 0 && others_ms[i] < wait ? others_ms[i] : wait;
    }
    return wait;
}

static enum err_code serve(struct daemon *daemon, struct err *err)
{
    enum { SIGNALS, ADMIN, WEB, WATCHED };
    struct pollfd watched[WATCHED] = {
        [SIGNALS] = {.fd = daemon->signal_fd, .events = POLLIN},
        [ADMIN] = {.fd = admin_fd(daemon->admin), .events = POLLIN},
        [WEB] = {.fd = web_fd(daemon->web), .events = POLLIN},
    };
    bool is_over = false;
    while (!is_over) {
        jobs_run_when_due(&daemon->jobs, clock_now());
        if (poll(watched, WATCHED, wait_ms(daemon)) < 0 && errno != EINTR) {
            return err_set_errno(err, "cannot wait for events");
        }
        enum err_code code = take_signals(daemon, &is_over, err);
        if (code != ERR_OK) {
            return code;
        }
        admin_run(daemon->admin);
        web_run(daemon->web);
        ping_when_due(daemon);
    }
    return ERR_OK;
}

enum err_code daemon_run(const struct daemon_options *options, struct err *err)
{
    struct daemon daemon = {
        .settings_path = options->settings_path,
        .is_ca_external = options->is_ca_external,
        .inherited = {.web_fd = -1, .scep_fd = -1},
        .signal_fd = -1,
    };
    log_message(LOG_LEVEL_INFO, "start", "scepd %s with %s", SCEPD_VERSION,
                OpenSSL_version(OPENSSL_VERSION));
    enum err_code code = start(&daemon, err);
    if (code == ERR_OK) {
        code = serve(&daemon, err);
    }
    daemon_parts_stop(&daemon);
    return code;
}
