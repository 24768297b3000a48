// SPDX-License-Identifier: Apache-2.0
// One question, one answer. What the CAs refuse is an answer; only nonsense ends the connection.
#include "ca/answer.h"

#include <stdlib.h>
#include <string.h>

#include "ca/answer_log.h"
#include "conf/base/clock.h"

#define LOGGED_PER_SEC 1 // lines about refusals for the rate: they come when there are too many

// The parts of a CRL that have come.
struct crl_parts {
    bool has_begun;
    uint8_t issuer[SHA256_LEN];
    uint64_t number;
    struct crl_entry *entries;
    size_t count;
    size_t capacity;
};

struct answerer {
    struct answer_gate *gate;
    struct crl_parts parts;
    struct frame frame; // the question
};

// What the answer to one question is made from.
struct question {
    const struct authorities *authorities;
    const struct answer_time *time;
    const struct frame *frame;
    struct view transaction_id; // for the log; may be empty
    int64_t started_us;
};

enum err_code answerer_new(struct answer_gate *gate, struct answerer **ret_answerer,
                           struct err *err)
{
    struct answerer *answerer = calloc(1, sizeof *answerer);
    if (answerer == NULL) {
        return err_set(err, ERR_NOMEM, "no memory for a connection");
    }
    answerer->gate = gate;
    *ret_answerer = answerer;
    return ERR_OK;
}

static void forget_parts(struct crl_parts *parts)
{
    free(parts->entries);
    *parts = (struct crl_parts){0};
}

void answerer_free(struct answerer *answerer)
{
    if (answerer != NULL) {
        forget_parts(&answerer->parts);
        free(answerer);
    }
}

static int64_t took_us(const struct question *question)
{
    return clock_monotonic_us() - question->started_us;
}

static enum err_code refuse(const struct question *question, const struct err *refusal,
                            struct answer *ret_answer, struct err *err)
{
    answer_log_refused(question->frame->type, question->transaction_id, refusal, took_us(question));
    return frame_put_refused(refusal, &ret_answer->octets, err);
}

static void give_result(struct buf *take_octets, struct answer *ret_answer)
{
    ret_answer->is_result = true;
    ret_answer->octets = *take_octets;
    *take_octets = (struct buf){0};
}

static enum err_code answer_ping(const struct question *question, struct answer *ret_answer,
                                 struct err *err)
{
    struct ca_state state;
    authorities_state(question->authorities, &state);
    return frame_put_pong(&state, &ret_answer->octets, err);
}

static enum err_code answer_reload(const struct question *question, struct answer_gate *gate,
                                   struct answer *ret_answer, struct err *err)
{
    struct ca_state state;
    struct err refusal = {0};
    enum err_code code = gate->reload != NULL
                             ? gate->reload(gate->reload_context, &state, &refusal)
                             : err_set(&refusal, ERR_DENIED, "this CA does not reload");
    return code == ERR_OK ? frame_put_pong(&state, &ret_answer->octets, err)
                          : refuse(question, &refusal, ret_answer, err);
}

static enum err_code answer_issue(const struct question *question, struct answer *ret_answer,
                                  struct err *err)
{
    const struct issue_order *order = &question->frame->order;
    CLEANUP(buf_done) struct buf der = {0};
    struct authority_issued issued;
    struct err refusal = {0};
    if (authorities_issue(question->authorities, order, question->time->now, &der, &issued,
                          &refusal) != ERR_OK) {
        return refuse(question, &refusal, ret_answer, err);
    }
    answer_log_issued(order, &issued, took_us(question));
    give_result(&der, ret_answer);
    return ERR_OK;
}

static enum err_code make_room(struct crl_parts *parts, size_t extra, struct err *err)
{
    size_t wanted = parts->count + extra;
    if (wanted <= parts->capacity) {
        return ERR_OK;
    }
    size_t capacity = wanted * 2 < LIMIT_CRL_ENTRIES ? wanted * 2 : LIMIT_CRL_ENTRIES;
    struct crl_entry *entries = realloc(parts->entries, capacity * sizeof *entries);
    if (entries == NULL) {
        return err_set(err, ERR_NOMEM, "no memory for %zu entries of a CRL", wanted);
    }
    parts->entries = entries;
    parts->capacity = capacity;
    return ERR_OK;
}

static enum err_code add_part(struct crl_parts *parts, const struct crl_part *part, struct err *err)
{
    if (!parts->has_begun) {
        memcpy(parts->issuer, part->issuer.data, sizeof parts->issuer);
        parts->number = part->number;
        parts->has_begun = true;
    }
    if (memcmp(parts->issuer, part->issuer.data, sizeof parts->issuer) != 0 ||
        parts->number != part->number) {
        return err_set(err, ERR_PROTOCOL, "parts of two CRLs in one order");
    }
    if (part->count > LIMIT_CRL_ENTRIES - parts->count) {
        return err_set(err, ERR_PROTOCOL, "more than %d entries in a CRL", LIMIT_CRL_ENTRIES);
    }
    if (part->count == 0) {
        return ERR_OK;
    }
    enum err_code code = make_room(parts, part->count, err);
    if (code == ERR_OK) {
        memcpy(parts->entries + parts->count, part->entries, part->count * sizeof *parts->entries);
        parts->count += part->count;
    }
    return code;
}

static enum err_code sign_crl(const struct question *question, const struct crl_parts *parts,
                              struct answer *ret_answer, struct err *err)
{
    const struct authorities_crl order = {
        .issuer = view_of(parts->issuer, sizeof parts->issuer),
        .number = parts->number,
        .entries = parts->entries,
        .count = parts->count,
        .now = question->time->now,
    };
    CLEANUP(buf_done) struct buf der = {0};
    struct err refusal = {0};
    if (authorities_sign_crl(question->authorities, &order, &der, &refusal) != ERR_OK) {
        return refuse(question, &refusal, ret_answer, err);
    }
    answer_log_crl(order.issuer, order.number, order.count, took_us(question));
    give_result(&der, ret_answer);
    return ERR_OK;
}

static enum err_code answer_crl(const struct question *question, struct crl_parts *parts,
                                struct answer *ret_answer, struct err *err)
{
    enum err_code code = add_part(parts, &question->frame->crl, err);
    if (code != ERR_OK) {
        return code;
    }
    if (!question->frame->crl.is_last) {
        return answer_ping(question, ret_answer, err);
    }
    code = sign_crl(question, parts, ret_answer, err);
    forget_parts(parts);
    return code;
}

static enum err_code answer_next_ca(const struct question *question, struct answer *ret_answer,
                                    struct err *err)
{
    CLEANUP(buf_done) struct buf der = {0};
    struct err refusal = {0};
    if (authorities_sign_next_ca(question->authorities, question->frame->octets, &der, &refusal) !=
        ERR_OK) {
        return refuse(question, &refusal, ret_answer, err);
    }
    struct ca_state state;
    authorities_state(question->authorities, &state);
    answer_log_next_ca(&state, der.len, took_us(question));
    give_result(&der, ret_answer);
    return ERR_OK;
}

// False above the rate. A CA that is not set up for it has its own words for that.
static bool pass_gate(struct answer_gate *gate, struct bucket *bucket,
                      const struct question *question, bool *ret_is_logged)
{
    uint32_t per_sec = authorities_direct_per_sec(question->authorities);
    if (per_sec == 0) {
        return true;
    }
    int64_t now_us = question->time->monotonic_us;
    pthread_mutex_lock(&gate->lock);
    bool is_passed = bucket_take(bucket, per_sec, now_us);
    *ret_is_logged = !is_passed && bucket_take(&gate->logged, LOGGED_PER_SEC, now_us);
    pthread_mutex_unlock(&gate->lock);
    return is_passed;
}

static enum err_code refuse_busy(const struct question *question, bool is_logged,
                                 struct answer *ret_answer, struct err *err)
{
    struct err refusal = {0};
    err_set(&refusal, ERR_BUSY, "more than %u a second (ca.direct_per_sec)",
            (unsigned)authorities_direct_per_sec(question->authorities));
    if (is_logged) {
        return refuse(question, &refusal, ret_answer, err);
    }
    return frame_put_refused(&refusal, &ret_answer->octets, err);
}

static enum err_code answer_unwrap(const struct question *question, struct answer_gate *gate,
                                   struct answer *ret_answer, struct err *err)
{
    bool is_logged = false;
    if (!pass_gate(gate, &gate->unwraps, question, &is_logged)) {
        return refuse_busy(question, is_logged, ret_answer, err);
    }
    CLEANUP(buf_wipe) struct buf content = {0};
    struct err refusal = {0};
    enum err_code code =
        authorities_unwrap(question->authorities, question->frame->octets, &content, &refusal);
    if (code == ERR_OK && content.len == 0) {
        code = err_set(&refusal, ERR_BAD_REQUEST, "nothing in the envelope");
    }
    if (code != ERR_OK) {
        return refuse(question, &refusal, ret_answer, err);
    }
    answer_log_unwrapped(question->frame->octets.len, took_us(question));
    give_result(&content, ret_answer);
    return ERR_OK;
}

static enum err_code answer_seal(const struct question *question, struct answer_gate *gate,
                                 struct answer *ret_answer, struct err *err)
{
    bool is_logged = false;
    if (!pass_gate(gate, &gate->seals, question, &is_logged)) {
        return refuse_busy(question, is_logged, ret_answer, err);
    }
    CLEANUP(buf_done) struct buf der = {0};
    struct err refusal = {0};
    if (authorities_seal(question->authorities, &question->frame->seal, &der, &refusal) != ERR_OK) {
        return refuse(question, &refusal, ret_answer, err);
    }
    answer_log_sealed(&question->frame->seal, took_us(question));
    give_result(&der, ret_answer);
    return ERR_OK;
}

static struct view transaction_of(const struct frame *frame)
{
    switch (frame->type) {
    case FRAME_ISSUE:
        return frame->order.transaction_id;
    case FRAME_SEAL:
        return frame->seal.transaction_id;
    default:
        return VIEW_EMPTY;
    }
}

static enum err_code answer_frame(struct answerer *answerer, const struct question *question,
                                  struct answer *ret_answer, struct err *err)
{
    switch (question->frame->type) {
    case FRAME_PING:
        return answer_ping(question, ret_answer, err);
    case FRAME_RELOAD:
        return answer_reload(question, answerer->gate, ret_answer, err);
    case FRAME_ISSUE:
        return answer_issue(question, ret_answer, err);
    case FRAME_CRL:
        return answer_crl(question, &answerer->parts, ret_answer, err);
    case FRAME_NEXT_CA:
        return answer_next_ca(question, ret_answer, err);
    case FRAME_UNWRAP:
        return answer_unwrap(question, answerer->gate, ret_answer, err);
    case FRAME_SEAL:
        return answer_seal(question, answerer->gate, ret_answer, err);
    default:
        return err_set(err, ERR_PROTOCOL, "a frame of type %d, which is no question",
                       (int)question->frame->type);
    }
}

enum err_code answer_question(struct answerer *answerer, const struct authorities *authorities,
                              struct view question, const struct answer_time *time,
                              struct answer *ret_answer, struct err *err)
{
    int64_t started_us = clock_monotonic_us();
    enum err_code code = frame_get(question, &answerer->frame, err);
    if (code != ERR_OK) {
        return code;
    }
    if (answerer->parts.has_begun && answerer->frame.type != FRAME_CRL) {
        return err_set(err, ERR_PROTOCOL, "a frame of type %d between the parts of a CRL",
                       (int)answerer->frame.type);
    }
    const struct question asked = {
        .authorities = authorities,
        .time = time,
        .frame = &answerer->frame,
        .transaction_id = transaction_of(&answerer->frame),
        .started_us = started_us,
    };
    struct answer answer = {0};
    code = answer_frame(answerer, &asked, &answer, err);
    if (code == ERR_OK) {
        *ret_answer = answer;
    }
    return code;
}
