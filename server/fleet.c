// SPDX-License-Identifier: Apache-2.0
#include "server/fleet.h"

#include <string.h>

#include "conf/limits.h"
#include "server/live.h"
#include "server/outlook.h"

#define DUE_DAYS 30 // what "due" means unless somebody asks otherwise

// Where spans end, in days from now. That of "late" is no bucket's end.
enum { PAST, LATE, UP_TO_15, DUE, UP_TO_60, UP_TO_90, UP_TO_180, UP_TO_365, UP_TO_730, ON, SPANS };
static const int64_t span_days[] = {[PAST] = 0,        [LATE] = OUTLOOK_LATE_DAYS,
                                    [UP_TO_15] = 15,   [DUE] = DUE_DAYS,
                                    [UP_TO_60] = 60,   [UP_TO_90] = 90,
                                    [UP_TO_180] = 180, [UP_TO_365] = 365,
                                    [UP_TO_730] = 730};

// A certificate that ends this very second is over.
static int64_t end_of_span(int span, int64_t now)
{
    if (span == ON) {
        return INT64_MAX;
    }
    return span == PAST ? now + 1 : now + span_days[span] * DAY_SEC;
}

static uint64_t live_devices(const struct store_span *span)
{
    return span->devices - span->revoked;
}

static void fill_states(const struct store_span spans[SPANS], struct fleet *fleet)
{
    fleet->expired = spans[PAST].devices;
    fleet->enrolled = spans[PAST].devices;
    for (int i = LATE; i < SPANS; i++) {
        fleet->enrolled += spans[i].devices;
        fleet->revoked += spans[i].revoked;
        if (i > DUE) {
            fleet->ok += live_devices(&spans[i]);
        }
    }
    fleet->late = live_devices(&spans[LATE]);
    fleet->due = live_devices(&spans[UP_TO_15]) + live_devices(&spans[DUE]);
}

static void fill_buckets(const struct store_span spans[SPANS], int64_t now, struct fleet *fleet)
{
    struct fleet_bucket *bucket = fleet->expiry;
    *bucket++ = (struct fleet_bucket){INT64_MIN, now, spans[PAST].devices};
    uint64_t count = 0;
    int64_t from = now;
    for (int i = LATE; i < SPANS; i++) {
        count += live_devices(&spans[i]);
        if (i != LATE) {
            *bucket++ = (struct fleet_bucket){from, spans[i].until, count};
            from = spans[i].until;
            count = 0;
        }
    }
}

static enum err_code count_devices(struct store *store, int64_t now, struct fleet *fleet,
                                   struct err *err)
{
    struct store_span spans[SPANS];
    for (int i = 0; i < SPANS; i++) {
        spans[i].until = end_of_span(i, now);
    }
    enum err_code code = store_count_due(store, spans, SPANS, err);
    if (code == ERR_OK) {
        fill_states(spans, fleet);
        fill_buckets(spans, now, fleet);
    }
    return code;
}

struct server_count {
    struct fleet_servers *servers;
    int64_t now;
};

// They come by their end.
static bool count_server(const struct store_certificate *certificate, void *context)
{
    struct server_count *count = context;
    struct fleet_servers *servers = count->servers;
    if (certificate->not_after <= count->now) {
        int64_t over_sec = count->now - certificate->not_after;
        servers->expired++;
        servers->expired_lately += over_sec <= (int64_t)FLEET_LATELY_DAYS * DAY_SEC ? 1 : 0;
        return true;
    }
    if (certificate->status == CERTIFICATE_REVOKED) {
        servers->revoked++;
        return true;
    }
    if (servers->valid++ == 0) {
        servers->next_not_after = certificate->not_after;
        memcpy(servers->next_name, certificate->common_name, sizeof servers->next_name);
    }
    return true;
}

static enum err_code count_servers(struct store *store, int64_t now, struct fleet *fleet,
                                   struct err *err)
{
    struct server_count count = {.servers = &fleet->servers, .now = now};
    return store_list_servers(store, INT64_MIN, INT64_MAX, count_server, &count, err);
}

// 0 when it cannot be read.
static int64_t end_of(const X509 *cert)
{
    int64_t end = 0;
    (void)ossl_time_read(X509_get0_notAfter(cert), &end);
    return end;
}

static enum err_code read_crl(struct store *store, const struct generation *generation,
                              struct fleet *fleet, struct err *err)
{
    struct store_crl crl = {0};
    enum err_code code = store_find_crl(store, generation->id, &crl, err);
    fleet->has_crl = code == ERR_OK;
    fleet->crl_number = crl.number;
    fleet->crl_entries = crl.entries;
    fleet->crl_this_update = crl.this_update;
    fleet->crl_next_update = crl.next_update;
    store_crl_done(&crl);
    return code == ERR_NOT_FOUND ? ERR_OK : code;
}

static enum err_code read_authorities(struct live *live, struct fleet *fleet, struct err *err)
{
    struct policy *policy = live_policy_get(live->policy);
    const struct credentials *credentials = policy->credentials;
    fleet->ra_not_after = end_of(credentials_ra(credentials)->cert);
    fleet->issuing_not_after = end_of(credentials_issuing(credentials)->cert);
    fleet->root_not_after = end_of(credentials_root(credentials));
    enum err_code code = read_crl(live->store, credentials_issuing(credentials), fleet, err);
    policy_unref(policy);
    return code;
}

static enum err_code compute(struct live *live, int64_t now, struct fleet *ret_fleet,
                             struct err *err)
{
    struct fleet fleet = {.as_of = now};
    enum err_code code = count_devices(live->store, now, &fleet, err);
    if (code == ERR_OK) {
        code = count_servers(live->store, now, &fleet, err);
    }
    if (code == ERR_OK) {
        code = store_count(live->store, &fleet.store, err);
    }
    if (code == ERR_OK) {
        code = read_authorities(live, &fleet, err);
    }
    if (code != ERR_OK) {
        return err_prefix(err, "looking at the fleet");
    }
    if (live->refusals != NULL) {
        refusals_last_day(live->refusals, now, &fleet.refused);
    }
    *ret_fleet = fleet;
    return ERR_OK;
}

// Not when the clock was set back.
static bool is_fresh(const struct fleet *fleet, int64_t now)
{
    return fleet->as_of != 0 && fleet->enrolled > FLEET_SMALL && now >= fleet->as_of &&
           now - fleet->as_of < FLEET_KEEP_SEC;
}

enum err_code fleet_get(struct live *live, int64_t now, const struct fleet **ret_fleet,
                        struct err *err)
{
    enum err_code code =
        is_fresh(&live->fleet, now) ? ERR_OK : compute(live, now, &live->fleet, err);
    if (code == ERR_OK) {
        *ret_fleet = &live->fleet;
    }
    return code;
}
