// SPDX-License-Identifier: Apache-2.0
// GET /v1/due: devices whose present certificate ends soon or has ended, and what will become of
// them. Certificates are read in chunks; between two chunks the store is asked about each of them.
#include <string.h>

#include "conf/base/hex.h"
#include "server/admin/admin_input.h"
#include "server/admin/admin_outlook.h"
#include "server/admin/admin_resources.h"

#define CHUNK     1000   // certificates copied at a time; 800 octets each
#define COUNT_MAX 100000 // certificates looked at for one answer: below a second

struct due_counts {
    unsigned states[OUTLOOK_STATE_MAX];
    unsigned will_fail;
    unsigned renewed;
    bool is_cut; // COUNT_MAX was reached
};

struct due {
    struct admin_judge judge;
    unsigned days;
    unsigned limit;
    struct store_due after; // where the next chunk begins
    bool has_after;
    bool is_counting; // the first page tells how many there are in all
    struct due_counts counts;
    json_t *page;
    char last[2 * SERIAL_LEN + 1]; // on the page
    bool is_page_full;             // and there is more
};

static enum err_code read_after(const struct admin_request *request, struct due *due,
                                struct err *err)
{
    struct store_certificate certificate = {0};
    if (request->after == NULL) {
        due->is_counting = true;
        return ERR_OK;
    }
    enum err_code code = admin_read_serial(request->after, due->after.serial, err);
    if (code != ERR_OK) {
        return code;
    }
    code = store_find_serial(request->live->store, due->after.serial, &certificate, err);
    due->has_after = true;
    due->after.not_after = certificate.not_after;
    store_certificate_done(&certificate);
    return code == ERR_NOT_FOUND
               ? err_set(err, code, "no certificate has the serial number \"%.64s\"",
                         request->after)
               : code;
}

static enum err_code read_request(const struct admin_request *request, struct due *due,
                                  struct err *err)
{
    static const struct admin_range range = {.name = "days", .min = 1, .max = ADMIN_DUE_DAYS_MAX};
    due->days = ADMIN_DUE_DAYS;
    enum err_code code = admin_read_limit(request, &due->limit, err);
    if (code == ERR_OK && request->days != NULL) {
        code = admin_read_number(request->days, &range, &due->days, err);
    }
    return code == ERR_OK ? read_after(request, due, err) : code;
}

static json_t *due_json(const struct store_certificate *certificate, const struct outlook *outlook)
{
    char serial[2 * SERIAL_LEN + 1];
    hex_encode(view_of(certificate->serial, SERIAL_LEN), serial);
    return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:o}",             //
                     "serial", serial,                                                 //
                     "device", certificate->device,                                    //
                     "common_name", admin_json_optional(certificate->common_name),     //
                     "mac", admin_json_optional(certificate->mac),                     //
                     "model", admin_json_optional(certificate->model),                 //
                     "serial_number", admin_json_optional(certificate->serial_number), //
                     "not_after", admin_json_time(certificate->not_after),             //
                     "renews_at", admin_json_time(outlook->renews_at),                 //
                     "state", outlook_state_name(outlook->state),                      //
                     "will_fail", admin_troubles_json(outlook->troubles));
}

static enum err_code take(struct due *due, const struct store_certificate *certificate,
                          struct err *err)
{
    struct outlook outlook;
    enum err_code code = admin_judge(&due->judge, certificate, &outlook, err);
    if (code != ERR_OK) {
        return code;
    }
    due->counts.states[outlook.state]++;
    due->counts.will_fail += outlook.troubles != 0 ? 1 : 0;
    due->is_page_full = json_array_size(due->page) == due->limit;
    if (due->is_page_full) {
        return ERR_OK;
    }
    hex_encode(view_of(certificate->serial, SERIAL_LEN), due->last);
    return json_array_append_new(due->page, due_json(certificate, &outlook)) == 0
               ? ERR_OK
               : err_set(err, ERR_NOMEM, "no memory for a list of devices");
}

static bool is_done(const struct due *due)
{
    return due->is_page_full && !due->is_counting;
}

// *ret_has_more: there is another chunk behind this one.
static enum err_code walk_chunk(struct due *due, struct admin_copies *chunk, bool *ret_has_more,
                                struct err *err)
{
    const struct admin_judge *judge = &due->judge;
    chunk->count = 0;
    chunk->has_more = false;
    enum err_code code =
        store_list_due(judge->store, judge->now - judge->within_sec, judge->now + judge->within_sec,
                       due->has_after ? &due->after : NULL, admin_copy, chunk, err);
    for (size_t i = 0; i < chunk->count && code == ERR_OK && !is_done(due); i++) {
        code = take(due, &chunk->list[i], err);
        due->has_after = true;
        due->after.not_after = chunk->list[i].not_after;
        memcpy(due->after.serial, chunk->list[i].serial, SERIAL_LEN);
    }
    *ret_has_more = chunk->has_more;
    return code;
}

static enum err_code walk_due(struct due *due, struct admin_copies *chunk, struct err *err)
{
    bool has_more = true;
    unsigned looked_at = 0;
    while (has_more && !is_done(due)) {
        if (looked_at >= COUNT_MAX) {
            due->counts.is_cut = true;
            return ERR_OK;
        }
        enum err_code code = walk_chunk(due, chunk, &has_more, err);
        if (code != ERR_OK) {
            return code;
        }
        looked_at += CHUNK;
    }
    return ERR_OK;
}

// Looks for a certificate of the same device that is older than the one with `serial`.
struct earlier {
    const uint8_t *serial;
    bool is_passed;
    bool is_found;
};

static bool visit_earlier(const struct store_certificate *certificate, void *context)
{
    struct earlier *earlier = context;
    earlier->is_found = earlier->is_passed;
    earlier->is_passed |= memcmp(certificate->serial, earlier->serial, SERIAL_LEN) == 0;
    return !earlier->is_found;
}

// A renewal is signed by the present certificate or, by phones that have a MIC, by that again: then
// it looks like the first enrolment and is one unless the device had a certificate before.
static enum err_code is_renewal(struct store *store, const struct store_certificate *certificate,
                                bool *ret_is_renewal, struct err *err)
{
    static const uint8_t none[SERIAL_LEN];
    struct earlier earlier = {.serial = certificate->serial};
    enum err_code code = ERR_OK;
    bool is_signed_by_ours = memcmp(certificate->renews, none, SERIAL_LEN) != 0;
    if (!is_signed_by_ours && certificate->origin == ORIGIN_MIC) {
        code = store_list_device(store, certificate->device, visit_earlier, &earlier, err);
    }
    *ret_is_renewal = is_signed_by_ours || earlier.is_found;
    return code;
}

// *ret_has_more: there is another chunk behind this one, and it may have some of the time asked
// for.
static enum err_code count_chunk(struct due *due, struct admin_copies *chunk, bool *ret_has_more,
                                 struct err *err)
{
    const struct admin_judge *judge = &due->judge;
    *ret_has_more = chunk->has_more;
    for (size_t i = 0; i < chunk->count; i++) {
        bool is_one = false;
        if (chunk->list[i].issued_at < judge->now - judge->within_sec) {
            *ret_has_more = false;
            return ERR_OK;
        }
        enum err_code code = is_renewal(judge->store, &chunk->list[i], &is_one, err);
        if (code != ERR_OK) {
            return code;
        }
        due->counts.renewed += is_one ? 1 : 0;
    }
    return ERR_OK;
}

static enum err_code count_renewed(struct due *due, struct admin_copies *chunk, struct err *err)
{
    uint8_t after[SERIAL_LEN];
    bool has_more = true;
    enum err_code code = ERR_OK;
    for (unsigned looked_at = 0; has_more && code == ERR_OK; looked_at += CHUNK) {
        if (looked_at >= COUNT_MAX) {
            due->counts.is_cut = true;
            return ERR_OK;
        }
        chunk->count = 0;
        chunk->has_more = false;
        code = store_list_certificates(due->judge.store, looked_at > 0 ? after : NULL, admin_copy,
                                       chunk, err);
        if (code == ERR_OK) {
            code = count_chunk(due, chunk, &has_more, err);
        }
        if (chunk->count > 0) {
            memcpy(after, chunk->list[chunk->count - 1].serial, SERIAL_LEN);
        }
    }
    return code;
}

static json_t *counts_json(const struct due *due)
{
    const struct due_counts *counts = &due->counts;
    if (!due->is_counting) {
        return json_null();
    }
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:b}",                  //
                     "due", (json_int_t)counts->states[OUTLOOK_DUE],         //
                     "late", (json_int_t)counts->states[OUTLOOK_LATE],       //
                     "expired", (json_int_t)counts->states[OUTLOOK_EXPIRED], //
                     "revoked", (json_int_t)counts->states[OUTLOOK_REVOKED], //
                     "will_fail", (json_int_t)counts->will_fail,             //
                     "renewed", (json_int_t)counts->renewed,                 //
                     "complete", (int)!counts->is_cut);
}

static enum err_code gather(struct due *due, struct err *err)
{
    CLEANUP(admin_copies_done) struct admin_copies chunk = {0};
    enum err_code code = admin_copies_new(CHUNK, &chunk, err);
    if (code == ERR_OK) {
        code = walk_due(due, &chunk, err);
    }
    return code == ERR_OK && due->is_counting ? count_renewed(due, &chunk, err) : code;
}

// ---- servers ----

struct server_list {
    json_t *list;
    int64_t now;
    bool failed;
};

static bool add_server(const struct store_certificate *certificate, void *context)
{
    struct server_list *servers = context;
    bool is_over = certificate->not_after <= servers->now;
    if (certificate->status == CERTIFICATE_REVOKED) {
        return true;
    }
    json_t *entry = json_pack("{s:o, s:s, s:o, s:o, s:s}",                                  //
                              "serial", admin_json_serial(certificate->serial),             //
                              "device", certificate->device,                                //
                              "common_name", admin_json_optional(certificate->common_name), //
                              "not_after", admin_json_time(certificate->not_after),         //
                              "state", is_over ? "expired" : "due");
    servers->failed = json_array_append_new(servers->list, entry) != 0;
    return !servers->failed && json_array_size(servers->list) < ADMIN_PAGE_MAX;
}

// Nothing renews them, so who looks for what ends must see them; with the first page only.
static enum err_code list_servers(const struct due *due, json_t **ret_servers, struct err *err)
{
    const struct admin_judge *judge = &due->judge;
    if (!due->is_counting) {
        *ret_servers = json_null();
        return ERR_OK;
    }
    struct server_list servers = {.list = json_array(), .now = judge->now};
    enum err_code code =
        store_list_servers(judge->store, judge->now - judge->within_sec,
                           judge->now + judge->within_sec, add_server, &servers, err);
    if (code == ERR_OK && servers.failed) {
        code = err_set(err, ERR_NOMEM, "no memory for a list of servers");
    }
    if (code != ERR_OK) {
        json_decref(servers.list);
        return code;
    }
    *ret_servers = servers.list;
    return ERR_OK;
}

enum err_code admin_list_due(const struct admin_request *request, json_t **ret_body,
                             struct err *err)
{
    json_t *servers = NULL;
    struct due due = {.judge = {.store = request->live->store, .now = request->now}};
    enum err_code code = read_request(request, &due, err);
    if (code != ERR_OK) {
        return code;
    }
    struct policy *policy = live_policy_get(request->live->policy);
    due.judge.policy = policy;
    due.judge.within_sec = (int64_t)due.days * DAY_SEC;
    due.page = json_array();
    code = gather(&due, err);
    if (code == ERR_OK) {
        code = list_servers(&due, &servers, err);
    }
    policy_unref(policy);
    if (code != ERR_OK) {
        json_decref(due.page);
        return code;
    }
    *ret_body = json_pack("{s:o, s:I, s:o, s:o, s:o, s:o}",                       //
                          "now", admin_json_time(request->now),                   //
                          "days", (json_int_t)due.days,                           //
                          "counts", counts_json(&due),                            //
                          "next_after",                                           //
                          due.is_page_full ? json_string(due.last) : json_null(), //
                          "devices", due.page, "servers", servers);
    return ERR_OK;
}
