// SPDX-License-Identifier: Apache-2.0
// GET /v1/pending, GET and POST /v1/pending/ID: requests that wait for an administrator.
#include <string.h>

#include "conf/base/hex.h"
#include "conf/base/log.h"
#include "server/admin/admin_input.h"
#include "server/admin/admin_resources.h"

static json_t *pending_json(const struct store_pending *pending)
{
    char key[2 * SHA256_LEN + 1];
    hex_encode(view_of(pending->spki_hash, SHA256_LEN), key);
    return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:s, s:s, s:o, s:o}",              //
                     "id", pending->id,                                                           //
                     "state", pending->is_approved ? "approved" : "waiting",                      //
                     "reason", pending->reason == PENDING_UNLISTED ? "unlisted" : "no challenge", //
                     "common_name", admin_json_optional(pending->common_name),                    //
                     "mac", admin_json_optional(pending->mac),                                    //
                     "model", admin_json_optional(pending->model),                                //
                     "serial_number", admin_json_optional(pending->serial_number),                //
                     "source", admin_json_optional(pending->source),                              //
                     "signer", signer_class_name((enum signer_class)pending->signer_class),       //
                     "key_sha256", key,                                                           //
                     "created_at", admin_json_time(pending->created_at),                          //
                     "expires_at", admin_json_time(pending->expires_at));
}

// The next sweep forgets it.
static bool is_over(const struct admin_request *request, const struct store_pending *pending)
{
    return pending->expires_at <= request->now;
}

// What a walk gathers.
struct gathering {
    const struct admin_request *request;
    json_t *list;
    bool failed; // out of memory
};

static bool gather(const struct store_pending *pending, void *context)
{
    struct gathering *gathering = context;
    if (is_over(gathering->request, pending)) {
        return true;
    }
    gathering->failed = json_array_append_new(gathering->list, pending_json(pending)) != 0;
    return !gathering->failed;
}

enum err_code admin_list_pending(const struct admin_request *request, json_t **ret_body,
                                 struct err *err)
{
    struct gathering gathering = {.request = request, .list = json_array()};
    enum err_code code = store_list_pending(request->live->store, gather, &gathering, err);
    if (code == ERR_OK && gathering.failed) {
        code = err_set(err, ERR_NOMEM, "no memory for a list of requests");
    }
    if (code != ERR_OK) {
        json_decref(gathering.list);
        return code;
    }
    *ret_body = json_pack("{s:o}", "pending", gathering.list);
    return ERR_OK;
}

static enum err_code read_id(const struct admin_request *request, char id[PENDING_ID_LEN],
                             struct err *err)
{
    size_t len = strlen(request->item);
    if (len != PENDING_ID_LEN - 1 || strspn(request->item, "0123456789abcdefABCDEF") != len) {
        return err_set(err, ERR_SYNTAX, "\"%.64s\" is not a request's id; it has %d hex digits",
                       request->item, PENDING_ID_LEN - 1);
    }
    memcpy(id, request->item, len + 1);
    hex_to_upper(id);
    return ERR_OK;
}

static enum err_code find(const struct admin_request *request, const char *id,
                          struct store_pending *ret_pending, struct err *err)
{
    enum err_code code = store_find_pending_id(request->live->store, id, ret_pending, err);
    if (code == ERR_OK && is_over(request, ret_pending)) {
        code = ERR_NOT_FOUND;
    }
    return code == ERR_NOT_FOUND ? err_set(err, code, "no request waits under the id %s", id)
                                 : code;
}

enum err_code admin_get_pending(const struct admin_request *request, json_t **ret_body,
                                struct err *err)
{
    char id[PENDING_ID_LEN];
    struct store_pending pending = {0};
    enum err_code code = read_id(request, id, err);
    if (code == ERR_OK) {
        code = find(request, id, &pending, err);
    }
    if (code == ERR_OK) {
        *ret_body = pending_json(&pending);
    }
    store_pending_done(&pending);
    return code;
}

static void log_decision(const char *event, const struct store_pending *pending)
{
    struct log_line line;
    log_begin(&line, event);
    log_add_text(&line, "pending", pending->id);
    log_add_text(&line, "mac", pending->mac[0] != '\0' ? pending->mac : NULL);
    log_add_text(&line, "cn", pending->common_name[0] != '\0' ? pending->common_name : NULL);
    log_end(&line, LOG_LEVEL_INFO);
}

static enum err_code write_decision(const struct admin_request *request, bool is_approval,
                                    const struct store_pending *pending, struct err *err)
{
    struct write_order order = {
        .kind = is_approval ? WRITE_PENDING_APPROVE : WRITE_PENDING_DENY,
        .now = request->now,
    };
    memcpy(order.pending.id, pending->id, sizeof order.pending.id);
    return writer_submit_and_wait(request->live->writer, &order, err);
}

static enum err_code read_action(const struct admin_request *request, bool *ret_is_approval,
                                 struct err *err)
{
    json_t *body = NULL;
    const char *action = "";
    enum err_code code = admin_read_object(request, &body, err);
    if (code != ERR_OK) {
        return code;
    }
    bool is_complete = json_unpack(body, "{s:s !}", "action", &action) == 0;
    *ret_is_approval = strcmp(action, "approve") == 0;
    bool is_denial = strcmp(action, "deny") == 0;
    json_decref(body);
    return is_complete && (*ret_is_approval || is_denial)
               ? ERR_OK
               : err_set(err, ERR_SYNTAX, "expected {\"action\": \"approve\" or \"deny\"}");
}

enum err_code admin_decide_pending(const struct admin_request *request, json_t **ret_body,
                                   struct err *err)
{
    char id[PENDING_ID_LEN];
    bool is_approval = false;
    struct store_pending pending = {0};
    enum err_code code = read_id(request, id, err);
    if (code == ERR_OK) {
        code = read_action(request, &is_approval, err);
    }
    if (code == ERR_OK) {
        code = find(request, id, &pending, err);
    }
    if (code == ERR_OK) {
        code = write_decision(request, is_approval, &pending, err);
    }
    if (code == ERR_OK) {
        log_decision(is_approval ? "pending_approved" : "pending_denied", &pending);
        *ret_body =
            json_pack("{s:s, s:s}", "id", pending.id, "state", is_approval ? "approved" : "denied");
    }
    store_pending_done(&pending);
    return code;
}
