// SPDX-License-Identifier: Apache-2.0
#include "server/jobs.h"

#include "conf/base/log.h"
#include "server/crl.h"
#include "server/reload.h"

#define SWEEP_LIMIT 1000 // records of a kind in one transaction, so that phones need not wait long
#define SWEEPS_MAX  100  // in a row

static void log_sweep(const struct write_sweep *sweep)
{
    struct log_line line;
    if (sweep->ret_expired_pending == 0 && sweep->ret_revoked == 0) {
        return;
    }
    log_begin(&line, "sweep");
    log_add_int(&line, "expired_pending", sweep->ret_expired_pending);
    log_add_int(&line, "revoked_superseded", sweep->ret_revoked);
    log_end(&line, LOG_LEVEL_INFO);
}

// A flood is told here, once in a while, instead of with each of its requests.
static void tell_lost_events(struct live *live)
{
    struct log_line line;
    uint64_t lost = writer_take_lost_events(live->writer);
    if (lost == 0) {
        return;
    }
    log_begin(&line, "events_dropped");
    log_add_int(&line, "count", (int64_t)lost);
    log_add_text(&line, "reason", "too many refusals or repeats for the history, or a full disk");
    log_end(&line, LOG_LEVEL_WARNING);
}

// True when certificates were revoked.
static bool sweep(struct live *live, int64_t now)
{
    struct policy *policy = live_policy_get(live->policy);
    struct write_sweep sweep = {
        .revoke_superseded_sec =
            (int64_t)policy->settings->renewal.revoke_superseded_days * DAY_SEC,
        .keep_revoked_sec = crl_keep_sec(live),
        .keep_events_sec = (int64_t)policy->settings->history.days * DAY_SEC,
        .max_events = policy->settings->history.max_events,
        .limit = SWEEP_LIMIT,
    };
    policy_unref(policy);
    writer_limit_events(live->writer, sweep.max_events);
    bool has_revoked = false;
    for (unsigned i = 0; i < SWEEPS_MAX; i++) {
        struct err err = {0};
        struct write_order order = {.kind = WRITE_SWEEP, .now = now, .sweep = &sweep};
        enum err_code code = writer_submit_and_wait(live->writer, &order, &err);
        has_revoked = has_revoked || sweep.ret_revoked > 0; // some may be in spite of a failure
        if (code != ERR_OK) {
            log_failure(LOG_LEVEL_ERROR, "sweep", &err);
            break;
        }
        log_sweep(&sweep);
        if (!sweep.ret_has_more) {
            break;
        }
    }
    return has_revoked;
}

static void renew_ra(struct jobs *jobs, int64_t now)
{
    struct live *live = jobs->live;
    struct policy *policy = live_policy_get(live->policy);
    jobs->is_reload_owed = reload_has_renewed_ra(policy, live->ca, now);
    policy_unref(policy);
    if (jobs->is_reload_owed) {
        log_message(LOG_LEVEL_INFO, "ra_renewed", "the RA has a new certificate");
    }
}

static void use_new_ra(struct jobs *jobs)
{
    struct err err = {0};
    if (jobs->live->reload(jobs->live->reload_context, &err) == ERR_OK) {
        jobs->is_reload_owed = false;
        return;
    }
    err_prefix(&err, "the RA's new certificate is not in use yet");
    log_failure(LOG_LEVEL_ERROR, "ra_renewal", &err);
}

static void renew_ocsp(struct live *live, int64_t now)
{
    struct err err = {0};
    struct policy *policy = live_policy_get(live->policy);
    if (ocsp_renew(live->ocsp, &policy->credentials->generations, live->ca, now, &err) != ERR_OK) {
        log_failure(LOG_LEVEL_ERROR, "ocsp", &err);
    }
    policy_unref(policy);
}

void jobs_run_when_due(struct jobs *jobs, int64_t now)
{
    // A clock that was set back must not silence the jobs for long.
    bool is_time = now >= jobs->next || now < jobs->next - JOBS_EVERY_SEC;
    if (!is_time) {
        return;
    }
    jobs->next = now + JOBS_EVERY_SEC;
    // What is in use stays due until then: each look would make one certificate more.
    if (!jobs->is_reload_owed) {
        renew_ra(jobs, now);
    }
    if (jobs->is_reload_owed) {
        use_new_ra(jobs);
    }
    renew_ocsp(jobs->live, now);
    tell_lost_events(jobs->live);
    enum crl_occasion occasion = sweep(jobs->live, now) ? CRL_IN_ANY_CASE : CRL_WHEN_DUE;
    // What failed is in the log, and due again at the next look.
    (void)!crl_publish(jobs->live, occasion, now, NULL);
}
