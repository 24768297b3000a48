// SPDX-License-Identifier: Apache-2.0
// Codec of the RA-CA protocol. Every length has its limit from conf/limits.h, in both directions;
// a frame is accepted only when nothing is left over.
#include "ca/frame.h"

#include "conf/base/wire.h"

static enum err_code check_len(struct view field, size_t max_len, const char *what, struct err *err)
{
    if (field.len > max_len) {
        return err_set(err, ERR_LIMIT, "%s of %zu octets; allowed: %zu", what, field.len, max_len);
    }
    return ERR_OK;
}

static bool is_san_kind(unsigned kind)
{
    return kind == SAN_DNS || kind == SAN_EMAIL || kind == SAN_UPN;
}

static enum err_code check_sans(const struct issue_order *order, struct err *err)
{
    if (order->san_count > LIMIT_SUBJECT_ALT_NAMES) {
        return err_set(err, ERR_LIMIT, "%u subjectAltNames; allowed: %d",
                       (unsigned)order->san_count, LIMIT_SUBJECT_ALT_NAMES);
    }
    for (uint32_t i = 0; i < order->san_count; i++) {
        if (!is_san_kind(order->sans[i].kind)) {
            return err_set(err, ERR_LIMIT, "a subjectAltName of unknown kind %d",
                           (int)order->sans[i].kind);
        }
        enum err_code code =
            check_len(order->sans[i].text, LIMIT_NAME_VALUE, "a subjectAltName", err);
        if (code != ERR_OK) {
            return code;
        }
    }
    return ERR_OK;
}

static enum err_code check_order(const struct issue_order *order, struct err *err)
{
    if (order->profile != PROFILE_PHONE) {
        return err_set(err, ERR_LIMIT, "unknown profile %d", (int)order->profile);
    }
    enum err_code code = check_len(order->csr, LIMIT_CSR_LEN, "a PKCS#10", err);
    if (code == ERR_OK) {
        code = check_len(order->common_name, LIMIT_NAME_VALUE, "a common name", err);
    }
    if (code == ERR_OK) {
        code = check_len(order->transaction_id, LIMIT_TRANSACTION_ID, "a transaction ID", err);
    }
    return code == ERR_OK ? check_sans(order, err) : code;
}

static struct wire_writer begin(enum frame_type type, struct buf *frame)
{
    struct wire_writer writer = wire_write(frame);
    wire_put_u8(&writer, FRAME_VERSION);
    wire_put_u8(&writer, (uint8_t)type);
    return writer;
}

static enum err_code finish(const struct wire_writer *writer, struct buf *frame, struct buf *out,
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

enum err_code frame_put_issue(const struct issue_order *order, struct buf *out, struct err *err)
{
    enum err_code code = check_order(order, err);
    if (code != ERR_OK) {
        return code;
    }
    struct buf frame = {0};
    struct wire_writer writer = begin(FRAME_ISSUE, &frame);
    wire_put_u8(&writer, (uint8_t)order->profile);
    wire_put_octets(&writer, order->csr);
    wire_put_octets(&writer, order->common_name);
    wire_put_u32(&writer, order->san_count);
    for (uint32_t i = 0; i < order->san_count; i++) {
        wire_put_u8(&writer, (uint8_t)order->sans[i].kind);
        wire_put_octets(&writer, order->sans[i].text);
    }
    wire_put_u32(&writer, order->max_validity_sec);
    wire_put_octets(&writer, order->transaction_id);
    return finish(&writer, &frame, out, err);
}

enum err_code frame_put_issued(struct view certificate, struct buf *out, struct err *err)
{
    enum err_code code = check_len(certificate, LIMIT_CERT_LEN, "a certificate", err);
    if (code != ERR_OK) {
        return code;
    }
    struct buf frame = {0};
    struct wire_writer writer = begin(FRAME_ISSUED, &frame);
    wire_put_octets(&writer, certificate);
    return finish(&writer, &frame, out, err);
}

enum err_code frame_put_refused(const struct err *refusal, struct buf *out, struct err *err)
{
    struct buf frame = {0};
    struct wire_writer writer = begin(FRAME_REFUSED, &frame);
    wire_put_u16(&writer, (uint16_t)refusal->code);
    wire_put_octets(&writer, view_of_text(refusal->text));
    return finish(&writer, &frame, out, err);
}

enum err_code frame_put_bare(enum frame_type type, struct buf *out, struct err *err)
{
    if (type != FRAME_PING && type != FRAME_PONG) {
        return err_set(err, ERR_LIMIT, "frame type %d is not one without fields", (int)type);
    }
    struct buf frame = {0};
    struct wire_writer writer = begin(type, &frame);
    return finish(&writer, &frame, out, err);
}

static void get_sans(struct wire_reader *reader, struct issue_order *order)
{
    order->san_count = wire_get_u32(reader);
    if (order->san_count > LIMIT_SUBJECT_ALT_NAMES) {
        reader->failed = true;
    }
    for (uint32_t i = 0; i < order->san_count && !reader->failed; i++) {
        uint8_t kind = wire_get_u8(reader);
        if (!is_san_kind(kind)) {
            reader->failed = true;
        }
        order->sans[i].kind = (enum san_kind)kind;
        order->sans[i].text = wire_get_octets(reader, LIMIT_NAME_VALUE);
    }
}

static void get_order(struct wire_reader *reader, struct issue_order *order)
{
    uint8_t profile = wire_get_u8(reader);
    if (profile != PROFILE_PHONE) {
        reader->failed = true;
    }
    order->profile = (enum issue_profile)profile;
    order->csr = wire_get_octets(reader, LIMIT_CSR_LEN);
    order->common_name = wire_get_octets(reader, LIMIT_NAME_VALUE);
    get_sans(reader, order);
    order->max_validity_sec = wire_get_u32(reader);
    order->transaction_id = wire_get_octets(reader, LIMIT_TRANSACTION_ID);
}

static void get_issued(struct wire_reader *reader, struct frame *frame)
{
    frame->certificate = wire_get_octets(reader, LIMIT_CERT_LEN);
    if (frame->certificate.len == 0) {
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

// False when `type` is none of ours.
static bool get_fields(uint8_t type, struct wire_reader *reader, struct frame *frame)
{
    switch (type) {
    case FRAME_ISSUE:
        get_order(reader, &frame->order);
        return true;
    case FRAME_ISSUED:
        get_issued(reader, frame);
        return true;
    case FRAME_REFUSED:
        get_refused(reader, frame);
        return true;
    case FRAME_PING:
    case FRAME_PONG:
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
    struct frame frame = {.type = (enum frame_type)type};
    if (!get_fields(type, &reader, &frame)) {
        return err_set(err, ERR_PROTOCOL, "a frame of unknown type %u", type);
    }
    if (!wire_is_complete(&reader)) {
        return err_set(err, ERR_PROTOCOL, "a malformed frame of type %u and %zu octets", type,
                       octets.len);
    }
    *ret_frame = frame;
    return ERR_OK;
}
