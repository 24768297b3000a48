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

#include "ca/client.h"
#include "conf/base/clock.h"
#include "conf/base/log.h"
#include "ra/ra_renewal.h"
#include "server/admin/admin.h"
#include "server/ca_child.h"
#include "server/http.h"
#include "server/jobs.h"
#include "server/listener.h"
#include "server/refusals.h"
#include "server/reload.h"
#include "server/web/web.h"

#define OCTETS_PER_MIB (UINT64_C(1024) * 1024)
#define US_PER_MS      1000
#define PING_US        10000000 // without a watchdog
#define OTHER_FILES    128      // descriptors beside the phones' and workers' connections

struct daemon {
    const char *settings_path;
    bool is_ca_external;
    int signal_fd;
    struct listener_inherited inherited; // taken over by whoever serves there: -1 then
    struct ca_child *child;              // NULL when scepd-ca is a service of its own
    struct ca_client *ca;                // the main thread's own connection
    struct enroll_service *service;
    struct work *work;
    struct http *http;
    struct admin *admin;
    struct web *web; // NULL: nobody wants it
    struct live live;
    struct jobs jobs;
    bool was_ca_answering; // at the last ping, as the log has it
    int64_t ping_us;       // how often, and when next
    int64_t next_ping_us;
};

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

static unsigned worker_count(const struct settings *settings)
{
    return settings->http.workers > 0 ? settings->http.workers : work_default_workers();
}

static void allow_files(const struct settings *settings)
{
    struct rlimit limit;
    rlim_t wanted = (rlim_t)settings->http.connections + worker_count(settings) + OTHER_FILES;
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

static enum err_code make_ca_probe(struct daemon *daemon, const char *socket_path, struct err *err)
{
    struct ca_client *probe = NULL;
    enum err_code code = ca_client_new(socket_path, &probe, err);
    if (code == ERR_OK) {
        ca_client_set_timeout(probe, HEALTH_CA_TIMEOUT_MS);
        daemon->live.ca_probe = probe;
    }
    return code;
}

static bool has_child_ended(const struct daemon *daemon, struct err *err)
{
    return daemon->child != NULL && ca_child_has_ended(daemon->child, err);
}

static enum err_code start_ca(struct daemon *daemon, const struct settings *settings,
                              struct err *err)
{
    enum err_code code = ERR_OK;
    if (!daemon->is_ca_external) {
        code = ca_child_start(settings, daemon->settings_path, &daemon->child, err);
    }
    if (code == ERR_OK) {
        code = ca_client_new(settings->ca.socket, &daemon->ca, err);
        daemon->live.ca = daemon->ca;
    }
    // The socket is there before the program is, so the question waits in it until the CA is ready.
    if (code == ERR_OK && ca_client_ping(daemon->ca, NULL, err) != ERR_OK) {
        code = ERR_BUSY;
        (void)!has_child_ended(daemon, err);
        err_prefix(err, "the CA did not start");
    }
    daemon->was_ca_answering = code == ERR_OK;
    atomic_store(&daemon->live.is_ca_answering, code == ERR_OK);
    return code == ERR_OK ? make_ca_probe(daemon, settings->ca.socket, err) : code;
}

static void run_job(void *context, struct ca_client *ca, struct enroll_job *job)
{
    struct daemon *daemon = context;
    enroll_run(daemon->service, ca, job);
}

static bool submit_job(void *context, struct work_item *item)
{
    struct daemon *daemon = context;
    return work_submit(daemon->work, item);
}

static enum err_code start_store(struct daemon *daemon, const struct settings *settings,
                                 struct err *err)
{
    struct live *live = &daemon->live;
    enum err_code code =
        store_open(settings->store.directory, settings->store.max_size_mib * OCTETS_PER_MIB,
                   &live->store, err);
    if (code == ERR_OK) {
        code = writer_start(live->store, &live->writer, err);
    }
    if (code == ERR_OK) {
        code = ocsp_new(&live->ocsp, err);
    }
    if (code == ERR_OK) {
        code = enroll_service_new(live->store, live->writer, &daemon->service, err);
    }
    if (code == ERR_OK) {
        code = refusals_new(live->store, clock_now(), &live->refusals, err);
    }
    return code;
}

static enum err_code start_workers(struct daemon *daemon, const struct settings *settings,
                                   struct err *err)
{
    const struct work_settings chosen = {
        .ca_socket = settings->ca.socket,
        .workers = worker_count(settings),
        .queue = settings->http.queue,
        .run = run_job,
        .context = daemon,
    };
    enum err_code code = work_start(&chosen, &daemon->work, err);
    daemon->live.work = daemon->work;
    return code;
}

static enum err_code open_listener(struct daemon *daemon, const struct settings *settings,
                                   struct err *err)
{
    enum err_code code = ERR_OK;
    int *fd = &daemon->inherited.scep_fd;
    if (*fd < 0) {
        code = listener_open(settings->http.listen, fd, err);
    }
    return code == ERR_OK ? listener_name(*fd, daemon->live.listening, err) : code;
}

static enum err_code start_http(struct daemon *daemon, const struct settings *settings,
                                struct err *err)
{
    const struct http_settings chosen = {
        .take_fd = daemon->inherited.scep_fd,
        .settings = settings,
        .live = &daemon->live,
        .submit = submit_job,
        .submit_context = daemon,
    };
    daemon->inherited.scep_fd = -1;
    return http_start(&chosen, &daemon->http, err);
}

// What is wrong here shows at once when the credentials are loaded.
static void revive_ra(struct daemon *daemon, const struct settings *settings, int64_t now)
{
    struct err err = {0};
    bool is_made = false;
    if (ra_renewal_revive(settings, daemon->ca, now, &is_made, &err) != ERR_OK) {
        log_failure(LOG_LEVEL_ERROR, "ra_renewal", &err);
    } else if (is_made) {
        log_message(LOG_LEVEL_WARNING, "ra_renewed",
                    "the RA's certificate had ended while scepd was not running; it has a new one");
    }
}

static enum err_code start_policy(struct daemon *daemon, struct settings *take_settings,
                                  struct err *err)
{
    struct policy *policy = NULL;
    int64_t now = clock_now();
    revive_ra(daemon, take_settings, now);
    enum err_code code = reload_policy(take_settings, now, &policy, err);
    if (code == ERR_OK) {
        code = reload_complete(daemon->settings_path, daemon->ca, now, &policy, err);
    }
    if (code != ERR_OK) {
        policy_unref(policy);
        return code;
    }
    reload_warn(policy);
    return live_policy_new(policy, &daemon->live.policy, err);
}

static enum err_code start_web(struct daemon *daemon, const struct settings *settings,
                               struct err *err)
{
    const struct web_settings chosen = {
        .take_fd = daemon->inherited.web_fd,
        .listen = settings->web.listen,
        .live = &daemon->live,
    };
    daemon->inherited.web_fd = -1;
    if (chosen.take_fd < 0 && chosen.listen == NULL) {
        return ERR_OK;
    }
    enum err_code code = web_new(&chosen, &daemon->web, err);
    return code == ERR_OK ? code : err_prefix(err, "the web page");
}

// In the order of dependence; what phones talk to last.
static enum err_code start_parts(struct daemon *daemon, const struct settings *settings,
                                 struct err *err)
{
    enum err_code code = open_listener(daemon, settings, err);
    if (code == ERR_OK) {
        code = start_store(daemon, settings, err);
    }
    if (code == ERR_OK) {
        code = start_workers(daemon, settings, err);
    }
    if (code == ERR_OK) {
        code = admin_new(settings->admin.socket, &daemon->live, &daemon->admin, err);
    }
    if (code == ERR_OK) {
        code = start_web(daemon, settings, err);
    }
    return code == ERR_OK ? start_http(daemon, settings, err) : code;
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

static enum err_code start_with(struct daemon *daemon, struct settings *take_settings,
                                struct err *err)
{
    // The policy, which holds the RA's key, comes after the CA's process was split off.
    enum err_code code = start_ca(daemon, take_settings, err);
    if (code != ERR_OK) {
        settings_free(take_settings);
        return code;
    }
    code = start_policy(daemon, take_settings, err);
    if (code != ERR_OK) {
        return code;
    }
    struct policy *policy = live_policy_get(daemon->live.policy);
    code = start_parts(daemon, policy->settings, err);
    policy_unref(policy);
    return code;
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
    code = start_with(daemon, settings, err);
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
            has_ca_ended = has_ca_ended || has_child_ended(daemon, err);
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

// From the outside inwards, so that each part still has all it needs to finish.
static void stop(struct daemon *daemon)
{
    sd_notify(0, "STOPPING=1");
    if (daemon->http != NULL) {
        http_quiesce(daemon->http);
    }
    work_stop(daemon->work);
    http_stop(daemon->http);
    web_free(daemon->web);
    admin_free(daemon->admin);
    enroll_service_free(daemon->service);
    refusals_free(daemon->live.refusals);
    ocsp_free(daemon->live.ocsp);
    if (daemon->live.writer != NULL) {
        writer_stop(daemon->live.writer);
    }
    if (daemon->live.store != NULL) {
        store_close(daemon->live.store);
    }
    live_policy_free(daemon->live.policy);
    ca_client_free(daemon->live.ca_probe);
    ca_client_free(daemon->ca);
    ca_child_stop(daemon->child);
}

static void close_fds(const struct daemon *daemon)
{
    const int fds[] = {daemon->inherited.scep_fd, daemon->inherited.web_fd, daemon->signal_fd};
    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++) {
        if (fds[i] >= 0) {
            close(fds[i]);
        }
    }
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
    stop(&daemon);
    close_fds(&daemon);
    return code;
}
