// SPDX-License-Identifier: Apache-2.0
// The history: events by id, indexes by device and by CN, and the list of those that anybody can
// cause. An index may name an event that is gone: it is passed over.
#include "ra/store/store_events.h"

#include <string.h>

#include "ca/frame.h"
#include "ra/names.h"

const char *store_event_name(enum event_kind kind)
{
    static const char *const names[EVENT_KIND_MAX] = {
        [EVENT_NONE] = "none",
        [EVENT_ISSUED] = "issued",
        [EVENT_RENEWED] = "renewed",
        [EVENT_REPEATED] = "repeated",
        [EVENT_PENDING] = "pending",
        [EVENT_APPROVED] = "approved",
        [EVENT_DENIED] = "denied",
        [EVENT_PENDING_EXPIRED] = "pending_expired",
        [EVENT_REFUSED] = "refused",
        [EVENT_REVOKED] = "revoked",
        [EVENT_CHALLENGE_MADE] = "challenge_made",
        [EVENT_CHALLENGE_REVOKED] = "challenge_revoked",
        [EVENT_UNLISTED] = "unlisted",
    };
    return (unsigned)kind < EVENT_KIND_MAX ? names[kind] : "?";
}

const char *store_event_authority_name(enum event_authority authority)
{
    static const char *const names[EVENT_AUTHORITY_MAX] = {
        [EVENT_BY_NOBODY] = "",           [EVENT_BY_CHALLENGE] = "challenge",
        [EVENT_BY_MIC] = "MIC",           [EVENT_BY_RENEWAL] = "renewal",
        [EVENT_BY_APPROVAL] = "approval", [EVENT_BY_ADMINISTRATOR] = "administrator",
        [EVENT_BY_SERVER] = "server",
    };
    return (unsigned)authority < EVENT_AUTHORITY_MAX ? names[authority] : "?";
}

const char *store_revocation_name(unsigned reason)
{
    static const char *const names[] = {
        [REVOCATION_UNSPECIFIED] = "unspecified",
        [REVOCATION_KEY_COMPROMISE] = "keyCompromise",
        [REVOCATION_CA_COMPROMISE] = "cACompromise",
        [REVOCATION_AFFILIATION_CHANGED] = "affiliationChanged",
        [REVOCATION_SUPERSEDED] = "superseded",
        [REVOCATION_CESSATION_OF_OPERATION] = "cessationOfOperation",
        [REVOCATION_PRIVILEGE_WITHDRAWN] = "privilegeWithdrawn",
    };
    bool is_known = reason < sizeof names / sizeof names[0] && names[reason] != NULL;
    return is_known ? names[reason] : "?";
}

static bool is_continuation(char octet)
{
    return ((unsigned char)octet & 0xc0) == 0x80;
}

void store_event_text(char *to, size_t size, const char *text)
{
    size_t len = strnlen(text, size);
    if (len == size) {
        len--;
        while (len > 0 && is_continuation(text[len])) {
            len--;
        }
    }
    memcpy(to, text, len);
    to[len] = '\0';
}

void store_event_words(char *to, size_t size, const char *text)
{
    static const char more[] = "...";
    if (strnlen(text, size) < size) {
        store_event_text(to, size, text);
        return;
    }
    store_event_text(to, size - (sizeof more - 1), text);
    char *last_space = strrchr(to, ' ');
    char *end = last_space != NULL ? last_space + 1 : to + strlen(to);
    memcpy(end, more, sizeof more);
}

void store_event_name_device(struct store_event *event, const char *mac, const char *common_name)
{
    store_event_text(event->mac, sizeof event->mac, mac);
    store_event_text(event->common_name, sizeof event->common_name, common_name);
    if (mac[0] == '\0') {
        (void)names_find_mac(view_of_text(common_name), event->mac);
    }
    const char *device = event->mac[0] != '\0' ? event->mac : common_name;
    event->device[0] = '\0';
    if (strlen(device) < sizeof event->device) {
        memcpy(event->device, device, strlen(device) + 1);
    }
}

// ---- writing ----

static bool is_minor(enum event_kind kind)
{
    return kind == EVENT_REFUSED || kind == EVENT_REPEATED;
}

// Ids are times as long as the clock goes forward.
static enum err_code next_id(const struct store_txn *txn, int64_t at, uint64_t *ret_id,
                             struct err *err)
{
    const struct store_range all = {.table = TABLE_EVENTS};
    CLEANUP(store_walk_end) struct store_walk walk = {0};
    uint64_t last = 0;
    store_walk_last(txn, &all, &walk);
    enum err_code code = walk.is_there ? record_key_event_id(walk.key, &last, err)
                                       : store_walk_result(&walk, "looking for an event", err);
    *ret_id = at > 0 && (uint64_t)at > last ? (uint64_t)at : last + 1;
    return code;
}

// The index keys of an event; returns how many.
static size_t index_keys(const struct store_event *event, struct record_key keys[2])
{
    size_t count = 0;
    struct record_key prefix;
    if (event->device[0] != '\0') {
        record_prefix_of_event_device(event->device, &prefix);
        record_key_event_of(&prefix, event->id, &keys[count++]);
    }
    if (event->common_name[0] != '\0') {
        record_prefix_of_event_name(event->common_name, &prefix);
        record_key_event_of(&prefix, event->id, &keys[count++]);
    }
    return count;
}

static void put_event(struct store_txn *txn, const struct store_event *event, struct view record)
{
    struct record_key key;
    struct record_key keys[2];
    record_key_event(event->id, &key);
    store_txn_put(txn, TABLE_EVENTS, record_key_view(&key), record);
    size_t count = index_keys(event, keys);
    for (size_t i = 0; i < count; i++) {
        store_txn_put(txn, TABLE_EVENTS_BY_NAME, record_key_view(&keys[i]), VIEW_EMPTY);
    }
    if (is_minor(event->kind)) {
        store_txn_put(txn, TABLE_EVENTS_MINOR, record_key_view(&key), VIEW_EMPTY);
    }
}

void store_add_event(struct store_txn *txn, const struct store_event *event)
{
    struct store_event added = *event;
    struct buf record = {0};
    enum err_code code = next_id(txn, event->at, &added.id, NULL);
    if (code == ERR_OK) {
        code = record_put_event(&added, &record, NULL);
    }
    if (code == ERR_OK) {
        put_event(txn, &added, buf_view(&record));
        txn->new_events++;
    } else {
        txn->lost_events++;
    }
    buf_done(&record);
}

void store_remove_event(struct store_txn *txn, const struct record_key *key)
{
    struct view octets = VIEW_EMPTY;
    struct store_event event = {0};
    struct record_key keys[2];
    size_t count = 0;
    if (store_txn_get(txn, TABLE_EVENTS, record_key_view(key), &octets, NULL) == ERR_OK &&
        record_get_event(octets, &event, NULL) == ERR_OK &&
        record_key_event_id(record_key_view(key), &event.id, NULL) == ERR_OK) {
        count = index_keys(&event, keys);
    }
    for (size_t i = 0; i < count; i++) {
        store_txn_remove(txn, TABLE_EVENTS_BY_NAME, record_key_view(&keys[i]));
    }
    store_txn_remove(txn, TABLE_EVENTS_MINOR, record_key_view(key));
    store_txn_remove(txn, TABLE_EVENTS, record_key_view(key));
}

static enum err_code get_oldest(const struct store_txn *txn, enum store_table table,
                                struct record_key *ret_key, struct err *err)
{
    const struct store_range all = {.table = table};
    CLEANUP(store_walk_end) struct store_walk walk = {0};
    store_walk_first(txn, &all, &walk);
    if (!walk.is_there) {
        enum err_code code = store_walk_result(&walk, "looking for the oldest event", err);
        return code != ERR_OK ? code : ERR_NOT_FOUND;
    }
    record_key_of(walk.key, ret_key);
    return ERR_OK;
}

// As long as `table` has more than `max`.
static enum err_code trim(struct store_txn *txn, enum store_table table, uint64_t max,
                          uint32_t most, struct err *err)
{
    uint64_t count = 0;
    enum err_code code = store_count_table(txn, table, &count, err);
    for (uint32_t i = 0; i < most && code == ERR_OK && count > max; i++, count--) {
        struct record_key key;
        code = get_oldest(txn, table, &key, err);
        if (code == ERR_OK) {
            store_remove_event(txn, &key);
        }
    }
    return code == ERR_NOT_FOUND ? ERR_OK : code;
}

enum err_code store_trim_events(struct store_txn *txn, uint64_t max, uint32_t most,
                                uint32_t *ret_removed, struct err *err)
{
    uint64_t before = 0;
    uint64_t after = 0;
    enum err_code code = store_count_table(txn, TABLE_EVENTS, &before, err);
    if (code == ERR_OK) {
        code = trim(txn, TABLE_EVENTS_MINOR, max / 2, most, err);
    }
    if (code == ERR_OK) {
        code = trim(txn, TABLE_EVENTS, max, most, err);
    }
    if (code == ERR_OK) {
        code = store_count_table(txn, TABLE_EVENTS, &after, err);
    }
    *ret_removed = code == ERR_OK && after < before ? (uint32_t)(before - after) : 0;
    return code;
}

// ---- reading ----

#define SCANS_MAX 2

struct listing {
    const struct store_event_filter *filter;
    store_visit_event *visit;
    void *context;
    bool is_back; // from the newest to the oldest
};

// Walks over several indexes at the same time, in the order of ids.
struct scan {
    struct store_walk walks[SCANS_MAX];
    size_t count;
};

static void scan_end(struct scan *scan)
{
    for (size_t i = 0; i < scan->count; i++) {
        store_walk_end(&scan->walks[i]);
    }
}

static bool is_same(const char *wanted, const char *text)
{
    return wanted == NULL || strcmp(wanted, text) == 0;
}

static bool is_wanted(const struct store_event_filter *filter, const struct store_event *event)
{
    bool is_device = is_same(filter->device, event->device);
    bool is_named = is_same(filter->common_name, event->common_name);
    return (filter->is_either ? is_device || is_named : is_device && is_named) &&
           (filter->serial == NULL || memcmp(filter->serial, event->serial, SERIAL_LEN) == 0);
}

// What begins with `prefix`, behind the event `after`.
static struct store_range range_behind(enum store_table table, const struct record_key *prefix,
                                       uint64_t after)
{
    struct store_range range = store_range_of(table, prefix);
    if (after > 0) {
        record_key_event_of(prefix, after, &range.from);
        record_key_follow(&range.from);
    }
    return range;
}

// The ranges that a filter leaves to be looked at; returns how many.
static size_t find_ranges(const struct store_event_filter *filter, uint64_t after,
                          struct store_range ranges[SCANS_MAX])
{
    size_t count = 0;
    struct record_key prefix = {0};
    if (filter->device != NULL) {
        record_prefix_of_event_device(filter->device, &prefix);
        ranges[count++] = range_behind(TABLE_EVENTS_BY_NAME, &prefix, after);
    }
    if (filter->common_name != NULL && (count == 0 || filter->is_either)) {
        record_prefix_of_event_name(filter->common_name, &prefix);
        ranges[count++] = range_behind(TABLE_EVENTS_BY_NAME, &prefix, after);
    }
    if (count == 0) {
        ranges[count++] = range_behind(TABLE_EVENTS, &prefix, after);
    }
    return count;
}

static enum err_code get_event(const struct store_txn *txn, uint64_t id,
                               struct store_event *ret_event, struct err *err)
{
    struct record_key key;
    struct view octets = VIEW_EMPTY;
    record_key_event(id, &key);
    enum err_code code = store_txn_get(txn, TABLE_EVENTS, record_key_view(&key), &octets, err);
    if (code == ERR_OK) {
        code = record_get_event(octets, ret_event, err);
        ret_event->id = id;
    }
    return code;
}

static void step(struct store_walk *walk, bool is_back)
{
    if (is_back) {
        store_walk_back(walk);
    } else {
        store_walk_next(walk);
    }
}

// The next id of all walks; those that are there go on. ERR_NOT_FOUND at the end.
static enum err_code next_of_scan(struct scan *scan, bool is_back, uint64_t *ret_id,
                                  struct err *err)
{
    uint64_t ids[SCANS_MAX] = {0};
    uint64_t next = 0;
    bool is_there = false;
    for (size_t i = 0; i < scan->count; i++) {
        if (!scan->walks[i].is_there) {
            continue;
        }
        enum err_code code = record_key_event_id(scan->walks[i].key, &ids[i], err);
        if (code != ERR_OK) {
            return code;
        }
        bool is_nearer = is_back ? ids[i] > next : ids[i] < next;
        next = !is_there || is_nearer ? ids[i] : next;
        is_there = true;
    }
    for (size_t i = 0; i < scan->count; i++) {
        if (scan->walks[i].is_there && ids[i] == next) {
            step(&scan->walks[i], is_back);
        }
    }
    *ret_id = next;
    return is_there ? ERR_OK : ERR_NOT_FOUND;
}

static enum err_code scan_result(const struct scan *scan, struct err *err)
{
    enum err_code code = ERR_OK;
    for (size_t i = 0; i < scan->count && code == ERR_OK; i++) {
        code = store_walk_result(&scan->walks[i], "listing events", err);
    }
    return code;
}

static enum err_code visit_scan(const struct store_txn *txn, struct scan *scan,
                                const struct listing *listing, struct err *err)
{
    uint64_t id = 0;
    bool goes_on = true;
    while (goes_on) {
        struct store_event event = {0};
        enum err_code code = next_of_scan(scan, listing->is_back, &id, err);
        if (code == ERR_NOT_FOUND) {
            return scan_result(scan, err);
        }
        if (code == ERR_OK) {
            code = get_event(txn, id, &event, err);
        }
        if (code != ERR_OK && code != ERR_NOT_FOUND) {
            return code;
        }
        if (code == ERR_OK && is_wanted(listing->filter, &event)) {
            goes_on = listing->visit(&event, listing->context);
        }
    }
    return ERR_OK;
}

static enum err_code list_events(struct store *store, const struct listing *listing, uint64_t after,
                                 struct err *err)
{
    CLEANUP(store_txn_end_read) struct store_txn txn = {0};
    struct store_range ranges[SCANS_MAX];
    enum err_code code = store_txn_begin_read(store, &txn, err);
    if (code != ERR_OK) {
        return code;
    }
    CLEANUP(scan_end) struct scan scan = {0};
    scan.count = find_ranges(listing->filter, after, ranges);
    for (size_t i = 0; i < scan.count; i++) {
        if (listing->is_back) {
            store_walk_last(&txn, &ranges[i], &scan.walks[i]);
        } else {
            store_walk_first(&txn, &ranges[i], &scan.walks[i]);
        }
    }
    return visit_scan(&txn, &scan, listing, err);
}

enum err_code store_list_events(struct store *store, const struct store_event_filter *filter,
                                uint64_t after, store_visit_event *visit, void *context,
                                struct err *err)
{
    const struct listing listing = {.filter = filter, .visit = visit, .context = context};
    return list_events(store, &listing, after, err);
}

enum err_code store_list_events_back(struct store *store, const struct store_event_filter *filter,
                                     store_visit_event *visit, void *context, struct err *err)
{
    const struct listing listing = {
        .filter = filter, .visit = visit, .context = context, .is_back = true};
    return list_events(store, &listing, 0, err);
}
