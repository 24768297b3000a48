// SPDX-License-Identifier: Apache-2.0
// What is short and certain comes first and what a client can make long comes last, so that a line
// that is too long loses the least.
#include "server/request_log.h"

#include <string.h>

#include "server/peer.h"

// Octets shown of what a client sends.
#define CLIENT_SHOWN      80
#define METHOD_SHOWN      16
#define TRANSACTION_SHOWN 128
#define NAME_SHOWN        128

#define STATUS_SERVER_ERROR 500
#define STATUS_UNAVAILABLE  503

static const char *const stage_keys[STAGE_MAX] = {
    [STAGE_QUEUE] = "queue_us",   [STAGE_OPEN] = "open_us", [STAGE_DECRYPT] = "decrypt_us",
    [STAGE_DECIDE] = "decide_us", [STAGE_CA] = "ca_us",     [STAGE_REPLY] = "reply_us",
    [STAGE_COMMIT] = "commit_us",
};

static void add_clipped(struct log_line *line, const char *key, struct view value, size_t shown)
{
    log_add(line, key, view_of(value.data, value.len < shown ? value.len : shown));
}

static void add_unless_empty(struct log_line *line, const char *key, const char *value)
{
    if (value[0] != '\0') {
        add_clipped(line, key, view_of_text(value), NAME_SHOWN);
    }
}

// A challenge counts as absent only where the request could be looked into.
static bool is_challenge_known(const struct enroll_report *report)
{
    bool is_replay = report->decision != NULL && strcmp(report->decision, "replay") == 0;
    return report->challenge != CHALLENGE_ABSENT || (report->is_opened && !is_replay);
}

static void add_verdict(struct log_line *line, const struct enroll_report *report)
{
    log_add_text(line, "decision", report->decision);
    log_add_text(line, "fail_info", report->fail_info);
    add_unless_empty(line, "refusal", refusal_name(report->refusal));
    log_add_text(line, "type", message_type_name(report->type));
    if (report->is_signer_known) {
        log_add_text(line, "signer", signer_class_name(report->signer_class));
    }
    add_unless_empty(line, "mic_store", report->trust_store);
    add_unless_empty(line, "pending", report->pending_id);
    if (report->has_serial) {
        log_add_hex(line, "serial", view_of(report->serial, SERIAL_LEN));
    }
    if (is_challenge_known(report)) {
        log_add_text(line, "challenge", challenge_state_name(report->challenge));
    }
    add_unless_empty(line, "challenge_id", report->challenge_id);
    if (report->is_claimed) {
        log_add_text(line, "claimed", "yes");
    }
    add_unless_empty(line, "mac", report->mac);
    add_unless_empty(line, "model", report->model);
    add_unless_empty(line, "device_serial", report->serial_number);
    log_add_text(line, "digest", report->digest);
    log_add_text(line, "cipher", report->cipher);
}

static void add_stages(struct log_line *line, const struct enroll_report *report)
{
    for (int i = 0; i < STAGE_MAX; i++) {
        log_add_int(line, stage_keys[i], report->stage_us[i]);
    }
}

static void add_words(struct log_line *line, const struct enroll_report *report)
{
    add_clipped(line, "transaction", buf_view(&report->transaction_id), TRANSACTION_SHOWN);
    log_add_text(line, "alarm", report->alarm);
    add_unless_empty(line, "cn", report->common_name);
    add_unless_empty(line, "mic_issuer", report->mic_issuer);
    if (report->reason[0] != '\0') {
        log_add_text(line, "reason", report->reason);
    }
}

void request_log_compose(const struct request_line *request, struct log_line *ret_line)
{
    const struct enroll_report *report = request->report;
    log_begin(ret_line, "request");
    log_add_text(ret_line, "operation", operation_name(request->operation));
    log_add_int(ret_line, "status", request->status);
    log_add_text(ret_line, "peer", request->peer);
    add_clipped(ret_line, "method", view_of_text(request->method), METHOD_SHOWN);
    if (report != NULL) {
        add_verdict(ret_line, report);
        add_stages(ret_line, report);
    }
    log_add_int(ret_line, "total_us", request->total_us);
    if (report != NULL) {
        add_words(ret_line, report);
    } else {
        log_add_text(ret_line, "reason", request->reason);
    }
    if (peer_device_hint(request->client).len > 0) {
        log_add(ret_line, "client_hint", peer_device_hint(request->client));
    }
    if (request->client != NULL) {
        add_clipped(ret_line, "client", view_of_text(request->client), CLIENT_SHOWN);
    }
}

enum log_level request_log_level(const struct request_line *request)
{
    if (request->report != NULL) {
        bool is_quiet = request->report->level > LOG_LEVEL_WARNING;
        return request->report->alarm != NULL && is_quiet ? LOG_LEVEL_WARNING
                                                          : request->report->level;
    }
    if (request->status == STATUS_UNAVAILABLE) {
        return LOG_LEVEL_WARNING;
    }
    return request->status >= STATUS_SERVER_ERROR ? LOG_LEVEL_ERROR : LOG_LEVEL_INFO;
}

void request_log(const struct request_line *request)
{
    struct log_line line;
    request_log_compose(request, &line);
    log_end(&line, request_log_level(request));
}
