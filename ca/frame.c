// SPDX-License-Identifier: Apache-2.0
// Codec of the RA-CA protocol: heads, ends and the small frames. Every length has its limit from
// conf/limits.h, in both directions; a frame is accepted only when nothing is left over.
#include "ca/frame.h"

#include "ca/frame_fields.h"
#include "conf/base/wire.h"

enum err_code frame_check_len(struct view field, size_t max_len, const char *what, struct err *err)
{
    if (field.len > max_len) {
        return err_set(err, ERR_LIMIT, "%s of %zu octets; allowed: %zu", what, field.len, max_len);
    }
    return ERR_OK;
}

enum err_code frame_check_issuer(struct view issuer, struct err *err)
{
    if (issuer.len != SHA256_LEN) {
        return err_set(err, ERR_LIMIT, "an issuer of %zu octets; allowed: %d", issuer.len,
                       SHA256_LEN);
    }
    return ERR_OK;
}

struct wire_writer frame_begin(enum frame_type type, struct buf *frame)
{
    struct wire_writer writer = wire_write(frame);
    wire_put_u8(&writer, FRAME_VERSION);
    wire_put_u8(&writer, (uint8_t)type);
    return writer;
}

enum err_code frame_finish(const struct wire_writer *writer, struct buf *frame, struct buf *out,
                           struct err *err)
{
    enum err_code code = wire_finish(writer, err);
    if (code == ERR_OK && frame->len > FRAME_MAX_LEN) {
        code = err_set(err, ERR_LIMIT, "a frame of %zu octets; allowed: %d", frame->len,
                       FRAME_MAX_LEN);
    }
    if (code != ERR_OK) {
        buf_wipe(frame);
        return code;
    }
    *out = *frame;
    return ERR_OK;
}

enum err_code frame_put_result(struct view part, bool is_last, struct buf *out, struct err *err)
{
    if (part.len == 0) {
        return err_set(err, ERR_LIMIT, "a result of no octets");
    }
    enum err_code code = frame_check_len(part, FRAME_RESULT_LEN, "a part of a result", err);
    if (code != ERR_OK) {
        return code;
    }
    struct buf frame = {0};
    struct wire_writer writer = frame_begin(FRAME_RESULT, &frame);
    wire_put_u8(&writer, is_last ? 1 : 0);
    wire_put_octets(&writer, part);
    return frame_finish(&writer, &frame, out, err);
}

enum err_code frame_put_refused(const struct err *refusal, struct buf *out, struct err *err)
{
    struct buf frame = {0};
    struct wire_writer writer = frame_begin(FRAME_REFUSED, &frame);
    wire_put_u16(&writer, (uint16_t)refusal->code);
    wire_put_octets(&writer, view_of_text(refusal->text));
    return frame_finish(&writer, &frame, out, err);
}

static enum err_code put_bare(enum frame_type type, struct buf *out, struct err *err)
{
    struct buf frame = {0};
    struct wire_writer writer = frame_begin(type, &frame);
    return frame_finish(&writer, &frame, out, err);
}

enum err_code frame_put_ping(struct buf *out, struct err *err)
{
    return put_bare(FRAME_PING, out, err);
}

enum err_code frame_put_reload(struct buf *out, struct err *err)
{
    return put_bare(FRAME_RELOAD, out, err);
}

enum err_code frame_put_pong(const struct ca_state *state, struct buf *out, struct err *err)
{
    if (state->old_count > FRAME_OLD_MAX) {
        return err_set(err, ERR_LIMIT, "%u old CAs; allowed: %d", (unsigned)state->old_count,
                       FRAME_OLD_MAX);
    }
    struct buf frame = {0};
    struct wire_writer writer = frame_begin(FRAME_PONG, &frame);
    wire_put_fixed(&writer, state->current, SHA256_LEN);
    wire_put_u8(&writer, state->has_next ? 1 : 0);
    if (state->has_next) {
        wire_put_fixed(&writer, state->next, SHA256_LEN);
    }
    wire_put_u32(&writer, state->old_count);
    for (uint32_t i = 0; i < state->old_count; i++) {
        wire_put_fixed(&writer, state->old[i], SHA256_LEN);
    }
    return frame_finish(&writer, &frame, out, err);
}

// An EnvelopedData is never empty; that there is no next RA is said by an empty certificate.
static bool is_octets_len(enum frame_type type, size_t len)
{
    if (type == FRAME_UNWRAP) {
        return len > 0 && len <= LIMIT_MESSAGE_LEN;
    }
    return type == FRAME_NEXT_CA && len <= LIMIT_CERT_LEN;
}

enum err_code frame_put_octets(enum frame_type type, struct view octets, struct buf *out,
                               struct err *err)
{
    if (!is_octets_len(type, octets.len)) {
        return err_set(err, ERR_LIMIT, "%zu octets do not go into a frame of type %d", octets.len,
                       (int)type);
    }
    struct buf frame = {0};
    struct wire_writer writer = frame_begin(type, &frame);
    wire_put_octets(&writer, octets);
    return frame_finish(&writer, &frame, out, err);
}

static bool get_flag(struct wire_reader *reader)
{
    uint8_t flag = wire_get_u8(reader);
    if (flag > 1) {
        reader->failed = true;
    }
    return flag == 1;
}

static void get_result(struct wire_reader *reader, struct frame *frame)
{
    frame->is_last = get_flag(reader);
    frame->octets = wire_get_octets(reader, FRAME_RESULT_LEN);
    if (frame->octets.len == 0) {
        reader->failed = true;
    }
}

static void get_refused(struct wire_reader *reader, struct frame *frame)
{
    uint16_t code = wire_get_u16(reader);
    if (code == ERR_OK || code >= ERR_MAX) {
        reader->failed = true;
    }
    frame->refusal = (enum err_code)code;
    frame->refusal_text = wire_get_octets(reader, ERR_TEXT_LEN);
}

static void get_state(struct wire_reader *reader, struct ca_state *state)
{
    *state = (struct ca_state){0};
    wire_get_fixed(reader, state->current, SHA256_LEN);
    state->has_next = get_flag(reader);
    if (state->has_next) {
        wire_get_fixed(reader, state->next, SHA256_LEN);
    }
    state->old_count = wire_get_u32(reader);
    if (state->old_count > FRAME_OLD_MAX) {
        reader->failed = true;
    }
    for (uint32_t i = 0; i < state->old_count && !reader->failed; i++) {
        wire_get_fixed(reader, state->old[i], SHA256_LEN);
    }
}

static void get_octets(struct wire_reader *reader, enum frame_type type, struct frame *frame)
{
    frame->octets = wire_get_octets(reader, FRAME_MAX_LEN);
    if (!is_octets_len(type, frame->octets.len)) {
        reader->failed = true;
    }
}

// False when `type` is none of ours.
static bool get_fields(uint8_t type, struct wire_reader *reader, struct frame *frame)
{
    switch (type) {
    case FRAME_ISSUE:
        frame_get_order(reader, &frame->order);
        return true;
    case FRAME_RESULT:
        get_result(reader, frame);
        return true;
    case FRAME_REFUSED:
        get_refused(reader, frame);
        return true;
    case FRAME_PING:
    case FRAME_RELOAD:
        return true;
    case FRAME_PONG:
        get_state(reader, &frame->state);
        return true;
    case FRAME_CRL:
        frame_get_crl(reader, &frame->crl);
        return true;
    case FRAME_NEXT_CA:
    case FRAME_UNWRAP:
        get_octets(reader, (enum frame_type)type, frame);
        return true;
    case FRAME_SEAL:
        frame_get_seal(reader, &frame->seal);
        return true;
    default:
        return false;
    }
}

enum err_code frame_get(struct view octets, struct frame *ret_frame, struct err *err)
{
    if (octets.len > FRAME_MAX_LEN) {
        return err_set(err, ERR_PROTOCOL, "a frame of %zu octets; allowed: %d", octets.len,
                       FRAME_MAX_LEN);
    }
    struct wire_reader reader = wire_read(octets);
    uint8_t version = wire_get_u8(&reader);
    uint8_t type = wire_get_u8(&reader);
    if (reader.failed) {
        return err_set(err, ERR_PROTOCOL, "a frame of %zu octets without a head", octets.len);
    }
    if (version != FRAME_VERSION) {
        return err_set(err, ERR_PROTOCOL, "a frame of version %u; this program speaks %d", version,
                       FRAME_VERSION);
    }
    ret_frame->type = (enum frame_type)type;
    if (!get_fields(type, &reader, ret_frame)) {
        return err_set(err, ERR_PROTOCOL, "a frame of unknown type %u", type);
    }
    if (!wire_is_complete(&reader)) {
        return err_set(err, ERR_PROTOCOL, "a malformed frame of type %u and %zu octets", type,
                       octets.len);
    }
    return ERR_OK;
}
