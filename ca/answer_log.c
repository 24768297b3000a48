// SPDX-License-Identifier: Apache-2.0
// The log lines of scepd-ca. A CA is named as its folder is: by the first half of its key's hash.
#include "ca/answer_log.h"

#include "conf/base/clock.h"
#include "conf/base/log.h"
#include "conf/generations.h"

#define NAME_OCTETS ((GENERATION_NAME_LEN - 1) / 2)

static void add_ca(struct log_line *line, const char *key, const uint8_t *id)
{
    log_add_hex(line, key, view_of(id, NAME_OCTETS));
}

static const char *name_of_profile(enum issue_profile profile)
{
    switch (profile) {
    case PROFILE_PHONE:
        return "phone";
    case PROFILE_RA:
        return "ra";
    case PROFILE_OCSP:
        return "ocsp";
    case PROFILE_SERVER:
        return "server";
    default:
        return "unknown";
    }
}

void answer_log_issued(const struct issue_order *order, const struct authority_issued *issued,
                       int64_t took_us)
{
    struct log_line line;
    char not_after[CLOCK_TEXT_LEN];
    log_begin(&line, "ca_issue");
    log_add_text(&line, "profile", name_of_profile(order->profile));
    add_ca(&line, "issuer", order->issuer.data);
    log_add_hex(&line, "serial", view_of(issued->serial, sizeof issued->serial));
    log_add_text(&line, "cn", issued->common_name);
    log_add(&line, "transaction", order->transaction_id);
    log_add_text(&line, "key", issued->key_type);
    log_add_text(&line, "not_after", clock_format(issued->not_after, not_after));
    log_add_int(&line, "us", took_us);
    log_end(&line, LOG_LEVEL_INFO);
}

void answer_log_crl(struct view issuer, uint64_t number, size_t entries, int64_t took_us)
{
    struct log_line line;
    log_begin(&line, "ca_crl");
    add_ca(&line, "issuer", issuer.data);
    log_add_int(&line, "number", (int64_t)number);
    log_add_int(&line, "entries", (int64_t)entries);
    log_add_int(&line, "us", took_us);
    log_end(&line, LOG_LEVEL_INFO);
}

void answer_log_next_ca(const struct ca_state *state, size_t octets, int64_t took_us)
{
    struct log_line line;
    log_begin(&line, "ca_next_ca");
    add_ca(&line, "issuer", state->current);
    add_ca(&line, "next", state->next);
    log_add_int(&line, "octets", (int64_t)octets);
    log_add_int(&line, "us", took_us);
    log_end(&line, LOG_LEVEL_INFO);
}

void answer_log_unwrapped(size_t octets, int64_t took_us)
{
    struct log_line line;
    log_begin(&line, "ca_unwrap");
    log_add_int(&line, "octets", (int64_t)octets);
    log_add_int(&line, "us", took_us);
    log_end(&line, LOG_LEVEL_INFO);
}

void answer_log_sealed(const struct seal_order *order, int64_t took_us)
{
    struct log_line line;
    log_begin(&line, "ca_seal");
    log_add_int(&line, "status", order->status);
    log_add(&line, "transaction", order->transaction_id);
    log_add_int(&line, "us", took_us);
    log_end(&line, LOG_LEVEL_INFO);
}

static const char *name_of(enum frame_type type)
{
    switch (type) {
    case FRAME_ISSUE:
        return "issue";
    case FRAME_CRL:
        return "crl";
    case FRAME_NEXT_CA:
        return "next_ca";
    case FRAME_UNWRAP:
        return "unwrap";
    case FRAME_SEAL:
        return "seal";
    case FRAME_RELOAD:
        return "reload";
    default:
        return "unknown";
    }
}

static enum log_level level_of(enum err_code code)
{
    switch (code) {
    case ERR_BAD_REQUEST:
    case ERR_BAD_ALG:
    case ERR_DENIED:
    case ERR_NOT_FOUND:
        return LOG_LEVEL_INFO;
    case ERR_BUSY:
        return LOG_LEVEL_WARNING;
    default:
        return LOG_LEVEL_ERROR;
    }
}

void answer_log_refused(enum frame_type type, struct view transaction_id, const struct err *refusal,
                        int64_t took_us)
{
    struct log_line line;
    log_begin(&line, "ca_refuse");
    log_add_text(&line, "question", name_of(type));
    if (transaction_id.len > 0) {
        log_add(&line, "transaction", transaction_id);
    }
    log_add_err(&line, refusal);
    log_add_int(&line, "us", took_us);
    log_end(&line, level_of(refusal->code));
}
