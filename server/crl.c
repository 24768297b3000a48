// SPDX-License-Identifier: Apache-2.0
#include "server/crl.h"

#include <stdlib.h>
#include <string.h>

#include "conf/base/clock.h"
#include "conf/base/log.h"

#define ENTRIES_MIN  64         // first size of the list; it doubles
#define NUMBER_EPOCH 1577836800 // 2020-01-01T00:00:00Z

DEFINE_CLEANUP(X509_CRL *, X509_CRL_free);

struct entries {
    struct crl_entry *list;
    size_t count;
    size_t room;
    enum err_code code;
};

int64_t crl_keep_sec(struct live *live)
{
    struct policy *policy = live_policy_get(live->policy);
    int64_t sec = (int64_t)policy->settings->ca.crl_hours * HOUR_SEC;
    policy_unref(policy);
    return sec;
}

uint64_t crl_first_number(int64_t now)
{
    return now > NUMBER_EPOCH ? (uint64_t)(now - NUMBER_EPOCH) : 1;
}

static bool has_room(struct entries *entries)
{
    if (entries->count < entries->room) {
        return true;
    }
    size_t room = entries->room > 0 ? 2 * entries->room : ENTRIES_MIN;
    struct crl_entry *list = reallocarray(entries->list, room, sizeof *list);
    if (list == NULL) {
        entries->code = ERR_NOMEM;
        return false;
    }
    entries->list = list;
    entries->room = room;
    return true;
}

static bool add_entry(const struct store_revocation *revocation, void *context)
{
    struct entries *entries = context;
    if (entries->count >= LIMIT_CRL_ENTRIES) {
        entries->code = ERR_LIMIT;
        return false;
    }
    if (!has_room(entries)) {
        return false;
    }
    struct crl_entry *entry = &entries->list[entries->count++];
    *entry = (struct crl_entry){.revoked_at = revocation->revoked_at,
                                .reason = (enum revocation_reason)revocation->reason};
    memcpy(entry->serial, revocation->serial, SERIAL_LEN);
    return true;
}

static enum err_code read_time(const ASN1_TIME *time, int64_t *ret_time, struct err *err)
{
    return ossl_time_read(time, ret_time)
               ? ERR_OK
               : err_set(err, ERR_PROTOCOL, "the CA sent a CRL with a time that cannot be read");
}

static enum err_code read_times(struct store_crl *crl, struct err *err)
{
    const unsigned char *end = crl->der.data;
    CLEANUP(cleanup_X509_CRL_free) X509_CRL *parsed = d2i_X509_CRL(NULL, &end, (long)crl->der.len);
    if (parsed == NULL || end != crl->der.data + crl->der.len) {
        return err_set_openssl(err, ERR_PROTOCOL, "the CA sent no CRL");
    }
    enum err_code code = read_time(X509_CRL_get0_lastUpdate(parsed), &crl->this_update, err);
    return code == ERR_OK ? read_time(X509_CRL_get0_nextUpdate(parsed), &crl->next_update, err)
                          : code;
}

// Signs what `entries` lists and puts it into the store.
static enum err_code sign_and_store(struct live *live, const struct entries *entries,
                                    struct store_crl *crl, int64_t now, struct err *err)
{
    const struct crl_order order = {
        .issuer = view_of(crl->issuer, SHA256_LEN),
        .number = crl->number,
        .entries = entries->list,
        .count = entries->count,
    };
    crl->entries = (uint32_t)entries->count;
    enum err_code code = ca_client_sign_crl(live->ca, &order, &crl->der, err);
    if (code == ERR_OK) {
        code = read_times(crl, err);
    }
    struct write_order write = {.kind = WRITE_CRL, .now = now, .crl = crl};
    return code == ERR_OK ? writer_submit_and_wait(live->writer, &write, err) : code;
}

static void log_crl(const struct generation *generation, const struct store_crl *crl)
{
    struct log_line line;
    char next_update[CLOCK_TEXT_LEN];
    log_begin(&line, "crl");
    log_add_text(&line, "ca", generation->name);
    log_add_int(&line, "number", (int64_t)crl->number);
    log_add_int(&line, "entries", crl->entries);
    log_add_text(&line, "next_update", clock_format(crl->next_update, next_update));
    log_end(&line, LOG_LEVEL_INFO);
}

static enum err_code make(struct live *live, const struct generation *generation, uint64_t number,
                          int64_t now, struct err *err)
{
    struct entries entries = {0};
    enum err_code code = store_list_revoked(live->store, generation->id, now, crl_keep_sec(live),
                                            add_entry, &entries, err);
    if (code == ERR_OK && entries.code == ERR_NOMEM) {
        code = err_set(err, ERR_NOMEM, "no memory for %zu entries", entries.count + 1);
    } else if (code == ERR_OK && entries.code != ERR_OK) {
        code = err_set(err, entries.code, "more than %d entries", LIMIT_CRL_ENTRIES);
    }
    struct store_crl crl = {.number = number};
    memcpy(crl.issuer, generation->id, SHA256_LEN);
    if (code == ERR_OK) {
        code = sign_and_store(live, &entries, &crl, now, err);
    }
    if (code == ERR_OK) {
        log_crl(generation, &crl);
    }
    store_crl_done(&crl);
    free(entries.list);
    return code;
}

// An old CA whose last certificate is over needs one more CRL, and then none.
static enum err_code is_over(struct live *live, const struct generation *generation, int64_t now,
                             bool *ret_is_over, struct err *err)
{
    *ret_is_over = false;
    if (generation->role != GENERATION_OLD) {
        return ERR_OK;
    }
    int64_t last = 0;
    enum err_code code = store_find_last_expiry(live->store, generation->id, &last, err);
    if (code == ERR_NOT_FOUND || code == ERR_OK) {
        *ret_is_over = code == ERR_NOT_FOUND || last + crl_keep_sec(live) < now;
        return ERR_OK;
    }
    return code;
}

static bool is_old(const struct store_crl *crl, int64_t now)
{
    return now >= crl->this_update + (crl->next_update - crl->this_update) / 2 ||
           now < crl->this_update; // the clock was wrong when it was made
}

struct unlisted {
    int64_t since;
    int64_t now;
    bool is_there;
};

static bool see_revocation(const struct store_revocation *revocation, void *context)
{
    struct unlisted *unlisted = context;
    // Not one in the future, which a wrong clock left: it would call for CRLs until then.
    unlisted->is_there =
        revocation->revoked_at > unlisted->since && revocation->revoked_at <= unlisted->now;
    return !unlisted->is_there;
}

// True also when a CRL could not be made at a revocation.
static enum err_code is_due(struct live *live, const struct store_crl *crl, int64_t now,
                            bool *ret_is_due, struct err *err)
{
    struct unlisted unlisted = {.since = crl->this_update, .now = now};
    if (is_old(crl, now)) {
        *ret_is_due = true;
        return ERR_OK;
    }
    enum err_code code = store_list_revoked(live->store, crl->issuer, now, crl_keep_sec(live),
                                            see_revocation, &unlisted, err);
    if (code == ERR_OK) {
        *ret_is_due = unlisted.is_there;
    }
    return code;
}

// A CA that is older than the store's knowledge of it may have revoked what nobody knows here.
static void warn_of_lost_history(const struct generation *generation, int64_t now)
{
    int64_t not_before = 0;
    if (ossl_time_read(X509_get0_notBefore(generation->cert), &not_before) &&
        not_before + DAY_SEC < now) {
        log_message(LOG_LEVEL_WARNING, "crl",
                    "this is the store's first CRL of CA %s, which is older than a day: what the "
                    "CA revoked before, if anything, is not listed",
                    generation->name);
    }
}

static enum err_code publish_one(struct live *live, const struct generation *generation,
                                 enum crl_occasion occasion, int64_t now, struct err *err)
{
    bool has_ended = false;
    bool is_wanted = true;
    enum err_code code = is_over(live, generation, now, &has_ended, err);
    if (code != ERR_OK || has_ended) {
        return code;
    }
    struct store_crl stored = {0};
    code = store_find_crl(live->store, generation->id, &stored, err);
    if (code == ERR_OK && occasion == CRL_WHEN_DUE) {
        code = is_due(live, &stored, now, &is_wanted, err);
    }
    bool is_first = code == ERR_NOT_FOUND;
    uint64_t number = is_first ? crl_first_number(now) : stored.number + 1;
    store_crl_done(&stored);
    if (is_first) {
        code = ERR_OK;
    }
    if (code == ERR_OK && is_wanted) {
        code = make(live, generation, number, now, err);
    }
    if (code == ERR_OK && is_first) {
        warn_of_lost_history(generation, now);
    }
    return code;
}

enum err_code crl_publish(struct live *live, enum crl_occasion occasion, int64_t now,
                          struct err *err)
{
    enum err_code first = ERR_OK;
    struct policy *policy = live_policy_get(live->policy);
    const struct generations *generations = &policy->credentials->generations;
    for (unsigned i = 0; i < generations->count; i++) {
        struct err failure = {0};
        if (publish_one(live, &generations->list[i], occasion, now, &failure) == ERR_OK) {
            continue;
        }
        err_prefix(&failure, "the CRL of CA %s", generations->list[i].name);
        log_failure(LOG_LEVEL_ERROR, "crl", &failure);
        if (first == ERR_OK) {
            first = err_set(err, failure.code, "%s", failure.text);
        }
    }
    policy_unref(policy);
    return first;
}
