// SPDX-License-Identifier: Apache-2.0
// WRITE_SWEEP: what time alone brings about. What was seen to leaves its index, so that the next
// sweep begins behind it.
#include <string.h>

#include "ca/frame.h"
#include "ra/store/writer_events.h"
#include "ra/store/writer_orders.h"

struct sweep_run {
    struct store_txn *txn;
    int64_t now;
    struct write_sweep *sweep;
    uint32_t seen; // of the present kind...
    bool is_cut;   // ...which has more than the limit
};

// A record that was copied out of the map, so that the transaction may put.
struct swept {
    struct record_key key;
    struct record_key value; // an index's or a revocation's; shorter than a key
};

typedef enum err_code sweep_one(struct sweep_run *run, const struct swept *swept, struct err *err);

static enum err_code get_first(const struct store_txn *txn, const struct store_range *range,
                               struct swept *ret_swept, struct err *err)
{
    CLEANUP(store_walk_end) struct store_walk walk = {0};
    store_walk_first(txn, range, &walk);
    if (!walk.is_there) {
        enum err_code code = store_walk_result(&walk, "sweeping", err);
        return code != ERR_OK ? code : ERR_NOT_FOUND;
    }
    record_key_of(walk.key, &ret_swept->key);
    record_key_of(walk.value, &ret_swept->value);
    return ERR_OK;
}

// One after the other: each is out of the range when it was seen to.
static enum err_code sweep_range(struct sweep_run *run, const struct store_range *range,
                                 sweep_one *see_to, struct err *err)
{
    while (run->txn->failure.code == ERR_OK) {
        struct swept swept;
        enum err_code code = get_first(run->txn, range, &swept, err);
        if (code != ERR_OK) {
            return writer_or_missing(code);
        }
        if (run->seen == run->sweep->limit) {
            run->is_cut = true;
            return ERR_OK;
        }
        code = see_to(run, &swept, err);
        if (code != ERR_OK) {
            return code;
        }
        run->seen++;
    }
    return ERR_OK;
}

static enum err_code forget_pending(struct sweep_run *run, const struct swept *swept,
                                    struct err *err)
{
    CLEANUP(store_pending_done) struct store_pending pending = {0};
    if (swept->value.len != SHA256_LEN) {
        return err_set(err, ERR_IO, "an index of the store is damaged");
    }
    enum err_code code = store_get_pending(run->txn, swept->value.octets, &pending, err);
    if (code == ERR_NOT_FOUND) {
        return err_set(err, ERR_IO, "an index of the store names a missing request");
    }
    if (code == ERR_OK) {
        writer_forget_pending(run->txn, &pending);
        writer_note_pending(run->txn, EVENT_PENDING_EXPIRED, &pending, run->now);
        run->sweep->ret_expired_pending++;
    }
    return code;
}

static enum err_code revoke_superseded(struct sweep_run *run, const struct swept *swept,
                                       struct err *err)
{
    struct record_certificate head = {0};
    if (swept->value.len != SERIAL_LEN) {
        return err_set(err, ERR_IO, "an index of the store is damaged");
    }
    enum err_code code = store_get_head(run->txn, swept->value.octets, &head, err);
    if (code == ERR_NOT_FOUND) {
        return err_set(err, ERR_IO, "an index of the store names a missing certificate");
    }
    if (code != ERR_OK) {
        return code;
    }
    store_txn_remove(run->txn, TABLE_SUPERSEDED, record_key_view(&swept->key));
    if (run->now < head.certificate.not_after) {
        const struct writer_revocation revocation = {
            .serial = head.certificate.serial,
            .now = run->now,
            .reason = REVOCATION_SUPERSEDED,
            .authority = EVENT_BY_SERVER,
        };
        store_put_revoked(run->txn, &head, run->now, REVOCATION_SUPERSEDED);
        writer_note_revoked(run->txn, &revocation);
        run->sweep->ret_revoked++;
    }
    return ERR_OK;
}

static enum err_code drop_revocation(struct sweep_run *run, const struct swept *swept,
                                     struct err *err)
{
    (void)err;
    store_txn_remove(run->txn, TABLE_REVOKED, record_key_view(&swept->key));
    run->sweep->ret_dropped++;
    return ERR_OK;
}

static enum err_code forget_event(struct sweep_run *run, const struct swept *swept, struct err *err)
{
    (void)err;
    store_remove_event(run->txn, &swept->key);
    run->sweep->ret_events++;
    return ERR_OK;
}

static enum err_code sweep_pending(struct sweep_run *run, struct err *err)
{
    struct store_range range = {.table = TABLE_PENDING_BY_EXPIRY};
    record_key_at(run->now + 1, VIEW_EMPTY, &range.until);
    return sweep_range(run, &range, forget_pending, err);
}

static enum err_code sweep_superseded(struct sweep_run *run, struct err *err)
{
    struct store_range range = {.table = TABLE_SUPERSEDED};
    if (run->sweep->revoke_superseded_sec == 0) {
        return ERR_OK;
    }
    record_key_at(run->now - run->sweep->revoke_superseded_sec + 1, VIEW_EMPTY, &range.until);
    return sweep_range(run, &range, revoke_superseded, err);
}

// Entries are sorted by CA, then by time: the old ones of each CA come first among its own.
static enum err_code sweep_revoked(struct sweep_run *run, struct err *err)
{
    struct store_range rest = {.table = TABLE_REVOKED};
    for (;;) {
        struct swept first;
        enum err_code code = get_first(run->txn, &rest, &first, err);
        if (code != ERR_OK) {
            return writer_or_missing(code);
        }
        if (first.key.len < SHA256_LEN) {
            return err_set(err, ERR_IO, "an index of the store is damaged");
        }
        struct record_key issuer;
        record_key_of(view_of(first.key.octets, SHA256_LEN), &issuer);
        struct store_range old = {.table = TABLE_REVOKED, .from = issuer};
        record_key_revoked(issuer.octets, run->now - run->sweep->keep_revoked_sec, VIEW_EMPTY,
                           &old.until);
        code = sweep_range(run, &old, drop_revocation, err);
        if (code != ERR_OK || run->is_cut) {
            return code;
        }
        rest.from = issuer;
        record_prefix_follow(&rest.from);
        if (rest.from.len == 0) {
            return ERR_OK;
        }
    }
}

// Ids are times.
static enum err_code sweep_old_events(struct sweep_run *run, struct err *err)
{
    struct store_range old = {.table = TABLE_EVENTS};
    int64_t oldest = (run->now - run->sweep->keep_events_sec) * STORE_US_PER_SEC;
    if (run->sweep->keep_events_sec == 0 || oldest <= 0) {
        return ERR_OK;
    }
    record_key_event((uint64_t)oldest, &old.until);
    return sweep_range(run, &old, forget_event, err);
}

static enum err_code sweep_surplus_events(struct sweep_run *run, struct err *err)
{
    uint32_t removed = 0;
    if (run->sweep->max_events == 0) {
        return ERR_OK;
    }
    enum err_code code =
        store_trim_events(run->txn, run->sweep->max_events, run->sweep->limit, &removed, err);
    run->sweep->ret_events += removed;
    run->is_cut = removed >= run->sweep->limit;
    return code;
}

enum err_code writer_sweep(struct store_txn *txn, const struct write_order *order, struct err *err)
{
    static enum err_code (*const kinds[])(struct sweep_run *, struct err *) = {
        sweep_pending, sweep_superseded, sweep_revoked, sweep_old_events, sweep_surplus_events};
    struct sweep_run run = {.txn = txn, .now = order->now, .sweep = order->sweep};
    enum err_code first_failure = ERR_OK;
    // A full map may have undone an earlier attempt.
    order->sweep->ret_expired_pending = 0;
    order->sweep->ret_revoked = 0;
    order->sweep->ret_dropped = 0;
    order->sweep->ret_events = 0;
    order->sweep->ret_has_more = false;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct err failure = {0};
        run.seen = 0;
        run.is_cut = false;
        if (kinds[i](&run, &failure) != ERR_OK && first_failure == ERR_OK) {
            first_failure = err_set(err, failure.code, "%s", failure.text);
        }
        order->sweep->ret_has_more |= run.is_cut;
    }
    return first_failure;
}
