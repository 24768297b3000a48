// SPDX-License-Identifier: Apache-2.0
// scepctl challenge new | list | revoke.
#include "server/ctl/fleet/challenge.h"

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>

#include "server/admin/admin_resources.h"
#include "server/ctl/read.h"
#include "server/ctl/table.h"

#define COLLECTION  "/v1/challenges"
#define NUMBER_LEN  24 // bytes of a 64-bit number with NUL
#define BINDING_LEN 300

static enum ctl_exit add_number(struct ctl *ctl, json_t *body, const char *key, int64_t number)
{
    if (json_object_set_new(body, key, json_integer(number)) != 0) {
        return ctl_complain(ctl, CTL_FAILED, "out of memory");
    }
    return CTL_OK;
}

static enum ctl_exit add_text(struct ctl *ctl, json_t *body, const char *key, const char *text)
{
    if (text != NULL && json_object_set_new(body, key, json_string(text)) != 0) {
        return ctl_complain(ctl, CTL_USAGE, "%s \"%s\" is not UTF-8 text", key, text);
    }
    return CTL_OK;
}

static enum ctl_exit add_ttl(struct ctl *ctl, json_t *body, const char *text)
{
    struct err err = {0};
    int64_t seconds = ADMIN_TTL_DEFAULT;
    if (text != NULL && read_duration(text, ADMIN_TTL_MIN_SEC, ADMIN_TTL_MAX_SEC, &seconds, &err)) {
        return ctl_complain(ctl, CTL_USAGE, "--ttl: %s", err.text);
    }
    return add_number(ctl, body, "ttl_seconds", seconds);
}

static enum ctl_exit add_uses(struct ctl *ctl, json_t *body, const char *text)
{
    struct err err = {0};
    int64_t uses = 1;
    if (text != NULL && read_count(text, 1, ADMIN_USES_MAX, &uses, &err) != ERR_OK) {
        return ctl_complain(ctl, CTL_USAGE, "--uses: %s", err.text);
    }
    return add_number(ctl, body, "uses", uses);
}

static enum ctl_exit fill_body(struct ctl *ctl, json_t *body, const struct challenge_wish *wish)
{
    enum ctl_exit code = add_text(ctl, body, "common_name", wish->common_name);
    if (code == CTL_OK) {
        code = add_text(ctl, body, "mac", wish->mac);
    }
    if (code == CTL_OK) {
        code = add_ttl(ctl, body, wish->ttl);
    }
    return code == CTL_OK ? add_uses(ctl, body, wish->uses) : code;
}

enum ctl_exit ctl_challenge_check(struct ctl *ctl, const struct challenge_wish *wish)
{
    CLEANUP(api_decref) json_t *body = json_object();
    return fill_body(ctl, body, wish);
}

enum ctl_exit ctl_challenge_ask(struct ctl *ctl, const struct challenge_wish *wish,
                                json_t **ret_challenge)
{
    CLEANUP(api_decref) json_t *body = json_object();
    enum ctl_exit code = fill_body(ctl, body, wish);
    if (code != CTL_OK) {
        return code;
    }
    const struct api_request request = {.method = "POST", .collection = COLLECTION, .body = body};
    return api_call(ctl, &request, ret_challenge);
}

// "CN phone1", "MAC 001A2B3C4D5E", both, or "any phone".
static const char *describe_binding(const json_t *challenge, char text[BINDING_LEN])
{
    const char *common_name = api_text(challenge, "common_name");
    const char *mac = api_text(challenge, "mac");
    if (common_name == NULL && mac == NULL) {
        return "any phone";
    }
    snprintf(text, BINDING_LEN, "%s%s%s%s%s", common_name != NULL ? "CN " : "",
             common_name != NULL ? common_name : "", common_name != NULL && mac != NULL ? ", " : "",
             mac != NULL ? "MAC " : "", mac != NULL ? mac : "");
    return text;
}

static enum ctl_exit print_table(struct ctl *ctl, struct table *table)
{
    struct err err = {0};
    enum err_code code = table_print(table, ctl->out, &err);
    table_done(table);
    return code == ERR_OK ? CTL_OK : ctl_complain(ctl, CTL_FAILED, "%s", err.text);
}

static enum ctl_exit print_new(struct ctl *ctl, const json_t *challenge)
{
    char binding[BINDING_LEN];
    char uses[NUMBER_LEN];
    snprintf(uses, sizeof uses, "%jd", (intmax_t)api_number(challenge, "uses_allowed"));
    struct table table = table_of(2);
    table_add(&table, (const char *[]){"Challenge:", api_text(challenge, "secret")});
    table_add(&table, (const char *[]){"Id:", api_text(challenge, "id")});
    table_add(&table, (const char *[]){"Usable until:", api_text(challenge, "expires_at")});
    table_add(&table, (const char *[]){"Uses:", uses});
    table_add(&table, (const char *[]){"Good for:", describe_binding(challenge, binding)});
    enum ctl_exit code = print_table(ctl, &table);
    if (code == CTL_OK) {
        fputs("The challenge is shown only now: scepd keeps no more than a keyed hash of it.\n",
              ctl->out);
    }
    return code;
}

void ctl_challenge_wipe(json_t *challenge)
{
    json_t *secret = json_object_get(challenge, "secret");
    if (json_is_string(secret)) {
        OPENSSL_cleanse((char *)json_string_value(secret), json_string_length(secret));
    }
}

static enum ctl_exit run_new(struct ctl *ctl, const struct ctl_arguments *arguments)
{
    const struct challenge_wish wish = {
        .common_name = arguments->options[CTL_CN],
        .mac = arguments->options[CTL_MAC],
        .ttl = arguments->options[CTL_TTL],
        .uses = arguments->options[CTL_USES],
    };
    CLEANUP(api_decref) json_t *challenge = NULL;
    enum ctl_exit code = ctl_challenge_ask(ctl, &wish, &challenge);
    if (code == CTL_OK) {
        code = ctl->is_json ? api_print(ctl, challenge) : print_new(ctl, challenge);
        ctl_challenge_wipe(challenge);
    }
    return code;
}

static void add_challenge(struct table *table, const json_t *challenge)
{
    char binding[BINDING_LEN];
    char uses[2 * NUMBER_LEN];
    snprintf(uses, sizeof uses, "%jd of %jd", (intmax_t)api_number(challenge, "uses_left"),
             (intmax_t)api_number(challenge, "uses_allowed"));
    const char *cells[] = {
        api_text(challenge, "id"),
        api_text(challenge, "state"),
        uses,
        api_text(challenge, "created_at"),
        api_text(challenge, "expires_at"),
        describe_binding(challenge, binding),
    };
    table_add(table, cells);
}

static enum ctl_exit print_list(struct ctl *ctl, const json_t *challenges)
{
    enum { COLUMNS = 6 };
    static const char *const titles[COLUMNS] = {"ID",      "STATE",   "USES LEFT",
                                                "CREATED", "EXPIRES", "GOOD FOR"};
    struct table table = table_of(COLUMNS);
    size_t i;
    const json_t *challenge;
    table_add(&table, titles);
    json_array_foreach(challenges, i, challenge)
    {
        add_challenge(&table, challenge);
    }
    return print_table(ctl, &table);
}

static enum ctl_exit run_list(struct ctl *ctl, const struct ctl_arguments *arguments)
{
    (void)arguments;
    CLEANUP(api_decref) json_t *answer = NULL;
    const struct api_request request = {.method = "GET", .collection = COLLECTION};
    enum ctl_exit code = api_call(ctl, &request, &answer);
    if (code != CTL_OK) {
        return code;
    }
    return ctl->is_json ? api_print(ctl, answer)
                        : print_list(ctl, json_object_get(answer, "challenges"));
}

static enum ctl_exit run_revoke(struct ctl *ctl, const struct ctl_arguments *arguments)
{
    CLEANUP(api_decref) json_t *answer = NULL;
    const struct api_request request = {
        .method = "DELETE", .collection = COLLECTION, .item = arguments->operand};
    enum ctl_exit code = api_call(ctl, &request, &answer);
    if (code != CTL_OK) {
        return code;
    }
    if (ctl->is_json) {
        return api_print(ctl, answer);
    }
    fprintf(ctl->out, "Challenge %s is revoked.\n", arguments->operand);
    return CTL_OK;
}

static const struct ctl_option new_options[] = {
    {"cn", CTL_CN, "CN", "only for requests with this common name"},
    {"mac", CTL_MAC, "MAC", "only for the phone with this MAC address, in any usual notation"},
    {"ttl", CTL_TTL, "TIME", "how long it is usable: 90s, 15m, 1h, 2d; at most 365d (1h)"},
    {"uses", CTL_USES, "N", "how many certificates it is good for (1)"},
    {0},
};

const struct ctl_command ctl_challenge_new = {
    .name = "challenge",
    .action = "new",
    .summary = "Make a one-time challenge password and show it, this once.",
    .options = new_options,
    .run = run_new,
};

const struct ctl_command ctl_challenge_list = {
    .name = "challenge",
    .action = "list",
    .summary = "List challenges, without their secrets.",
    .run = run_list,
};

const struct ctl_command ctl_challenge_revoke = {
    .name = "challenge",
    .action = "revoke",
    .operand = "ID",
    .summary = "Make a challenge unusable at once.",
    .run = run_revoke,
};
