// SPDX-License-Identifier: Apache-2.0
#include "server/daemon_parts.h"

#include <stdatomic.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include "conf/base/clock.h"
#include "conf/base/log.h"
#include "ra/ra_renewal.h"
#include "server/refusals.h"
#include "server/reload.h"

#define OCTETS_PER_MIB (UINT64_C(1024) * 1024)

unsigned daemon_worker_count(const struct settings *settings)
{
    return settings->http.workers > 0 ? settings->http.workers : work_default_workers();
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

bool daemon_has_child_ended(const struct daemon *daemon, struct err *err)
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
        (void)!daemon_has_child_ended(daemon, err);
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
        .workers = daemon_worker_count(settings),
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

enum err_code daemon_parts_start(struct daemon *daemon, struct settings *take_settings,
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

// From the outside inwards, so that each part still has all it needs to finish.
static void stop_parts(struct daemon *daemon)
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

void daemon_parts_stop(struct daemon *daemon)
{
    stop_parts(daemon);
    close_fds(daemon);
}
