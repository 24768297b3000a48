// SPDX-License-Identifier: Apache-2.0
#include "server/health.h"

#include <stdatomic.h>
#include <stdio.h>

#include "conf/base/clock.h"
#include "server/live.h"

static void PRINTF_LIKE(3, 4)
    complain(struct health *health, enum health_part part, const char *format, ...)
{
    if (health->troubles[part][0] != '\0') {
        return;
    }
    va_list args;
    va_start(args, format);
    vsnprintf(health->troubles[part], sizeof health->troubles[part], format, args);
    va_end(args);
    health->is_well = false;
}

// Not when the clock was set back.
static bool is_fresh(int64_t at, int64_t now, int64_t keep_sec)
{
    return at != 0 && now >= at && now - at < keep_sec;
}

enum err_code health_ask_ca(struct live *live, int64_t now, struct err *err)
{
    enum err_code code = ca_client_ping(live->ca_probe, NULL, err);
    live->ca_asked_at = now;
    atomic_store(&live->is_ca_answering, code == ERR_OK);
    return code;
}

bool health_ca_answers(struct live *live, int64_t now)
{
    struct err ignored = {0}; // the main loop asks, too, and tells the log
    if (live->ca_probe != NULL && !is_fresh(live->ca_asked_at, now, HEALTH_CA_SEC)) {
        (void)!health_ask_ca(live, now, &ignored);
    }
    return atomic_load(&live->is_ca_answering);
}

static void check_store(struct live *live, int64_t now, struct health *health)
{
    struct health_probe *probe = &live->probe;
    if (!is_fresh(probe->at, now, HEALTH_PROBE_SEC)) {
        struct write_order order = {.kind = WRITE_PROBE, .now = now};
        probe->failure = (struct err){0};
        (void)!writer_submit_and_wait(live->writer, &order, &probe->failure);
        probe->at = now;
    }
    if (probe->failure.code != ERR_OK) {
        complain(health, HEALTH_STORE, "the store takes no writes: %s", probe->failure.text);
    }
}

static void check_end(struct health *health, const char *what, int64_t not_after, int64_t now)
{
    char text[CLOCK_TEXT_LEN];
    if (not_after <= now) {
        complain(health, HEALTH_CERTIFICATES, "the certificate of the %s is over since %s", what,
                 clock_format(not_after, text));
    }
}

static void check_crl(const struct fleet *fleet, int64_t now, struct health *health)
{
    char text[CLOCK_TEXT_LEN];
    if (!fleet->has_crl) {
        complain(health, HEALTH_CRL, "the CA has no CRL");
    } else if (fleet->crl_next_update <= now) {
        complain(health, HEALTH_CRL, "the CRL is over since %s",
                 clock_format(fleet->crl_next_update, text));
    }
}

static void check_fleet(struct live *live, int64_t now, struct health *health)
{
    struct err err = {0};
    const struct fleet *fleet = NULL;
    if (fleet_get(live, now, &fleet, &err) != ERR_OK) {
        complain(health, HEALTH_STORE, "the store cannot be read: %s", err.text);
        return;
    }
    check_crl(fleet, now, health);
    check_end(health, "RA", fleet->ra_not_after, now);
    check_end(health, "issuing CA", fleet->issuing_not_after, now);
    check_end(health, "root CA", fleet->root_not_after, now);
}

void health_check(struct live *live, int64_t now, struct health *ret_health)
{
    *ret_health = (struct health){.is_well = true};
    if (!health_ca_answers(live, now)) {
        complain(ret_health, HEALTH_CA, "the CA (scepd-ca) does not answer");
    }
    check_store(live, now, ret_health);
    check_fleet(live, now, ret_health);
}
