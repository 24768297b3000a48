// SPDX-License-Identifier: Apache-2.0
// scepctl pending list | show | approve | deny: requests that wait for an administrator.
#include <stdio.h>

#include "server/ctl/answer.h"

#define COLLECTION "/v1/pending"

static const struct answer_column columns[] = {
    {"ID", "id"},   {"STATE", "state"},   {"REASON", "reason"},      {"COMMON NAME", "common_name"},
    {"MAC", "mac"}, {"SOURCE", "source"}, {"CREATED", "created_at"}, {"EXPIRES", "expires_at"},
};

static const struct answer_column fields[] = {
    {"Id:", "id"},
    {"State:", "state"},
    {"Why it waits:", "reason"},
    {"Common name:", "common_name"},
    {"Model:", "model"},
    {"MAC:", "mac"},
    {"Serial number:", "serial_number"},
    {"Came from:", "source"},
    {"Signer of the request:", "signer"},
    {"Key's SHA-256:", "key_sha256"},
    {"Created:", "created_at"},
    {"Waits until:", "expires_at"},
};

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
                        : answer_rows(ctl, json_object_get(answer, "pending"), columns,
                                      sizeof columns / sizeof columns[0]);
}

static enum ctl_exit run_show(struct ctl *ctl, const struct ctl_arguments *arguments)
{
    CLEANUP(api_decref) json_t *answer = NULL;
    const struct api_request request = {
        .method = "GET", .collection = COLLECTION, .item = arguments->operand};
    enum ctl_exit code = api_call(ctl, &request, &answer);
    if (code != CTL_OK) {
        return code;
    }
    if (ctl->is_json) {
        return api_print(ctl, answer);
    }
    struct table table = table_of(2);
    answer_fields(&table, answer, fields, sizeof fields / sizeof fields[0]);
    return answer_print(ctl, &table);
}

static enum ctl_exit decide(struct ctl *ctl, const char *id, const char *action, const char *words)
{
    CLEANUP(api_decref) json_t *answer = NULL;
    CLEANUP(api_decref) json_t *body = json_pack("{s:s}", "action", action);
    const struct api_request request = {
        .method = "POST", .collection = COLLECTION, .item = id, .body = body};
    enum ctl_exit code = api_call(ctl, &request, &answer);
    if (code != CTL_OK) {
        return code;
    }
    if (ctl->is_json) {
        return api_print(ctl, answer);
    }
    fprintf(ctl->out, "Request %s is %s\n", api_text(answer, "id"), words);
    return CTL_OK;
}

static enum ctl_exit run_approve(struct ctl *ctl, const struct ctl_arguments *arguments)
{
    return decide(ctl, arguments->operand, "approve",
                  "approved; the phone gets its certificate when it asks again.");
}

static enum ctl_exit run_deny(struct ctl *ctl, const struct ctl_arguments *arguments)
{
    return decide(ctl, arguments->operand, "deny", "denied; the phone is told when it asks again.");
}

const struct ctl_command ctl_pending_list = {
    .name = "pending",
    .action = "list",
    .summary = "List requests that wait for approval, oldest first.",
    .run = run_list,
};

const struct ctl_command ctl_pending_show = {
    .name = "pending",
    .action = "show",
    .operand = "ID",
    .summary = "Show a request that waits, and why it does.",
    .run = run_show,
};

const struct ctl_command ctl_pending_approve = {
    .name = "pending",
    .action = "approve",
    .operand = "ID",
    .summary = "Approve a request: the phone gets its certificate when it asks again.",
    .run = run_approve,
};

const struct ctl_command ctl_pending_deny = {
    .name = "pending",
    .action = "deny",
    .operand = "ID",
    .summary = "Deny a request: the phone is told when it asks again.",
    .run = run_deny,
};
