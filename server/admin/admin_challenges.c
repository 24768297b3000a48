// SPDX-License-Identifier: Apache-2.0
// GET and POST /v1/challenges, DELETE /v1/challenges/ID. The secret leaves by the answer to POST
// and by no other way; the store only has its keyed hash.
#include <string.h>

#include <openssl/crypto.h>

#include "conf/base/hex.h"
#include "conf/base/log.h"
#include "server/admin/admin_input.h"
#include "server/admin/admin_resources.h"

static const char *state_name(const struct store_challenge *challenge, int64_t now)
{
    if (challenge->is_revoked) {
        return "revoked";
    }
    if (challenge->uses_left == 0) {
        return "used up";
    }
    return challenge->expires_at <= now ? "expired" : "usable";
}

static json_t *challenge_json(const struct store_challenge *challenge, int64_t now)
{
    json_t *last_used =
        challenge->last_used_at != 0 ? admin_json_time(challenge->last_used_at) : json_null();
    return json_pack("{s:s, s:s, s:o, s:o, s:I, s:I, s:o, s:o, s:o}",            //
                     "id", challenge->id,                                        //
                     "state", state_name(challenge, now),                        //
                     "created_at", admin_json_time(challenge->created_at),       //
                     "expires_at", admin_json_time(challenge->expires_at),       //
                     "uses_allowed", (json_int_t)challenge->uses_allowed,        //
                     "uses_left", (json_int_t)challenge->uses_left,              //
                     "last_used_at", last_used,                                  //
                     "common_name", admin_json_optional(challenge->common_name), //
                     "mac", admin_json_optional(challenge->mac));
}

struct gathering {
    int64_t now;
    json_t *list;
    bool failed; // out of memory
};

static bool gather(const struct store_challenge *challenge, void *context)
{
    struct gathering *gathering = context;
    json_t *entry = challenge_json(challenge, gathering->now);
    gathering->failed = json_array_append_new(gathering->list, entry) != 0;
    return !gathering->failed;
}

enum err_code admin_list_challenges(const struct admin_request *request, json_t **ret_body,
                                    struct err *err)
{
    struct gathering gathering = {.now = request->now, .list = json_array()};
    enum err_code code = store_list_challenges(request->live->store, gather, &gathering, err);
    if (code == ERR_OK && gathering.failed) {
        code = err_set(err, ERR_NOMEM, "no memory for a list of challenges");
    }
    if (code != ERR_OK) {
        json_decref(gathering.list);
        return code;
    }
    *ret_body = json_pack("{s:o}", "challenges", gathering.list);
    return ERR_OK;
}

static enum err_code read_text(const char *name, const json_t *value, const char **ret_text,
                               struct err *err)
{
    if (!json_is_string(value)) {
        return err_set(err, ERR_SYNTAX, "%s is not a string", name);
    }
    *ret_text = json_string_value(value);
    return ERR_OK;
}

static enum err_code read_common_name(const json_t *value, struct store_challenge *challenge,
                                      struct err *err)
{
    const char *text = "";
    enum err_code code = read_text("common_name", value, &text, err);
    if (code == ERR_OK) {
        code = admin_check_common_name(text, err);
    }
    if (code == ERR_OK && strlen(text) >= sizeof challenge->common_name) {
        code = err_set(err, ERR_LIMIT, "the common name is longer than %zu octets",
                       sizeof challenge->common_name - 1);
    }
    if (code == ERR_OK) {
        memcpy(challenge->common_name, text, strlen(text) + 1);
    }
    return code;
}

static enum err_code read_mac(const json_t *value, struct store_challenge *challenge,
                              struct err *err)
{
    const char *text = "";
    enum err_code code = read_text("mac", value, &text, err);
    return code == ERR_OK ? admin_read_device_mac(text, challenge->mac, err) : code;
}

static enum err_code read_number(const char *name, const json_t *value, const json_int_t range[2],
                                 json_int_t *ret_number, struct err *err)
{
    if (!json_is_integer(value)) {
        return err_set(err, ERR_SYNTAX, "%s is not a whole number", name);
    }
    json_int_t number = json_integer_value(value);
    if (number < range[0] || number > range[1]) {
        return err_set(err, ERR_LIMIT, "%s is %jd; allowed are %jd to %jd", name, (intmax_t)number,
                       (intmax_t)range[0], (intmax_t)range[1]);
    }
    *ret_number = number;
    return ERR_OK;
}

static enum err_code read_ttl(const json_t *value, struct store_challenge *challenge,
                              struct err *err)
{
    static const json_int_t range[2] = {ADMIN_TTL_MIN_SEC, ADMIN_TTL_MAX_SEC};
    json_int_t seconds = 0;
    enum err_code code = read_number("ttl_seconds", value, range, &seconds, err);
    if (code == ERR_OK) {
        challenge->expires_at = challenge->created_at + seconds;
    }
    return code;
}

static enum err_code read_uses(const json_t *value, struct store_challenge *challenge,
                               struct err *err)
{
    static const json_int_t range[2] = {1, ADMIN_USES_MAX};
    json_int_t uses = 0;
    enum err_code code = read_number("uses", value, range, &uses, err);
    if (code == ERR_OK) {
        challenge->uses_allowed = (uint32_t)uses;
    }
    return code;
}

static const struct {
    const char *key;
    enum err_code (*read)(const json_t *value, struct store_challenge *challenge, struct err *err);
} members[] = {
    {"common_name", read_common_name},
    {"mac", read_mac},
    {"ttl_seconds", read_ttl},
    {"uses", read_uses},
};

static enum err_code read_member(const char *key, const json_t *value,
                                 struct store_challenge *challenge, struct err *err)
{
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        if (strcmp(key, members[i].key) == 0) {
            return members[i].read(value, challenge, err);
        }
    }
    return err_set(err, ERR_SYNTAX,
                   "unknown key \"%.64s\"; allowed are common_name, mac, ttl_seconds, uses", key);
}

// A challenge that is bound to a CN and to a MAC that this CN does not have fits no phone at all.
static enum err_code check_bindings(const struct store_challenge *challenge, struct err *err)
{
    char mac[MAC_TEXT_LEN];
    bool is_both = challenge->common_name[0] != '\0' && challenge->mac[0] != '\0';
    if (is_both && names_find_mac(view_of_text(challenge->common_name), mac) &&
        strcmp(mac, challenge->mac) != 0) {
        return err_set(err, ERR_SYNTAX,
                       "the common name has the MAC %s but mac is %s: no phone could use this", mac,
                       challenge->mac);
    }
    return ERR_OK;
}

static enum err_code read_members(json_t *body, struct store_challenge *challenge, struct err *err)
{
    const char *key;
    json_t *value;
    json_object_foreach(body, key, value)
    {
        enum err_code code = read_member(key, value, challenge, err);
        if (code != ERR_OK) {
            return code;
        }
    }
    return check_bindings(challenge, err);
}

static enum err_code read_order(const struct admin_request *request,
                                struct store_challenge *ret_challenge, struct err *err)
{
    struct store_challenge challenge = {
        .created_at = request->now,
        .expires_at = request->now + ADMIN_TTL_DEFAULT,
        .uses_allowed = 1,
    };
    json_t *body = NULL;
    enum err_code code = admin_read_object(request, &body, err);
    if (code != ERR_OK) {
        return code;
    }
    code = read_members(body, &challenge, err);
    json_decref(body);
    if (code == ERR_OK) {
        *ret_challenge = challenge;
    }
    return code;
}

static void log_challenge(const char *event, const struct store_challenge *challenge)
{
    struct log_line line;
    log_begin(&line, event);
    log_add_text(&line, "challenge", challenge->id);
    if (challenge->uses_allowed > 0) {
        log_add_int(&line, "uses", challenge->uses_allowed);
        log_add_int(&line, "ttl", challenge->expires_at - challenge->created_at);
    }
    log_add_text(&line, "cn", challenge->common_name[0] != '\0' ? challenge->common_name : NULL);
    log_add_text(&line, "mac", challenge->mac[0] != '\0' ? challenge->mac : NULL);
    log_end(&line, LOG_LEVEL_INFO);
}

static enum err_code make_and_store(const struct admin_request *request,
                                    struct store_challenge *challenge,
                                    char text[CHALLENGE_TEXT_LEN], struct err *err)
{
    struct policy *policy = live_policy_get(request->live->policy);
    enum err_code code = challenge_make(&policy->secrets, challenge, text, err);
    policy_unref(policy);
    if (code != ERR_OK) {
        return code;
    }
    struct write_order order = {
        .kind = WRITE_CHALLENGE_NEW,
        .now = request->now,
        .challenge = *challenge,
    };
    return writer_submit_and_wait(request->live->writer, &order, err);
}

enum err_code admin_new_challenge(const struct admin_request *request, json_t **ret_body,
                                  struct err *err)
{
    struct store_challenge challenge;
    enum err_code code = read_order(request, &challenge, err);
    if (code != ERR_OK) {
        return code;
    }
    char text[CHALLENGE_TEXT_LEN] = "";
    code = make_and_store(request, &challenge, text, err);
    if (code == ERR_OK) {
        json_t *body = challenge_json(&challenge, request->now);
        if (json_object_set_new(body, "secret", json_string(text)) == 0) {
            *ret_body = body;
            log_challenge("challenge_created", &challenge);
        } else {
            json_decref(body);
            code = err_set(err, ERR_NOMEM, "no memory for the answer");
        }
    }
    OPENSSL_cleanse(text, sizeof text);
    return code;
}

void admin_wipe_secret(json_t *body)
{
    json_t *secret = json_object_get(body, "secret");
    if (json_is_string(secret)) {
        // The library keeps the text in memory of its own and frees it as it is.
        OPENSSL_cleanse((char *)json_string_value(secret), json_string_length(secret));
    }
}

enum err_code admin_revoke_challenge(const struct admin_request *request, json_t **ret_body,
                                     struct err *err)
{
    size_t len = strlen(request->item);
    if (len != CHALLENGE_ID_LEN - 1 || strspn(request->item, "0123456789abcdefABCDEF") != len) {
        return err_set(err, ERR_SYNTAX, "\"%.64s\" is not a challenge's id; it has %d hex digits",
                       request->item, CHALLENGE_ID_LEN - 1);
    }
    struct write_order order = {.kind = WRITE_CHALLENGE_REVOKE, .now = request->now};
    memcpy(order.challenge.id, request->item, len + 1);
    hex_to_upper(order.challenge.id);
    enum err_code code = writer_submit_and_wait(request->live->writer, &order, err);
    if (code == ERR_NOT_FOUND) {
        return err_set(err, code, "no challenge has the id %s", order.challenge.id);
    }
    if (code == ERR_OK) {
        log_challenge("challenge_revoked", &order.challenge);
        *ret_body = json_pack("{s:s, s:s}", "id", order.challenge.id, "state", "revoked");
    }
    return code;
}
