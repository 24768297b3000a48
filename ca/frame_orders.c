// SPDX-License-Identifier: Apache-2.0
// Codec of the frames that order something of the CA: a certificate, a CRL, a CertRep.
#include "ca/frame_fields.h"
#include "conf/cms/certrep.h"

static bool is_san_kind(unsigned kind)
{
    return kind == SAN_DNS || kind == SAN_EMAIL || kind == SAN_UPN;
}

bool revocation_reason_is_known(unsigned reason)
{
    switch (reason) {
    case REVOCATION_UNSPECIFIED:
    case REVOCATION_KEY_COMPROMISE:
    case REVOCATION_CA_COMPROMISE:
    case REVOCATION_AFFILIATION_CHANGED:
    case REVOCATION_SUPERSEDED:
    case REVOCATION_CESSATION_OF_OPERATION:
    case REVOCATION_PRIVILEGE_WITHDRAWN:
        return true;
    default:
        return false;
    }
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
            frame_check_len(order->sans[i].text, LIMIT_NAME_VALUE, "a subjectAltName", err);
        if (code != ERR_OK) {
            return code;
        }
    }
    return ERR_OK;
}

static enum err_code check_order(const struct issue_order *order, struct err *err)
{
    if (order->profile < PROFILE_PHONE || order->profile > PROFILE_SERVER) {
        return err_set(err, ERR_LIMIT, "unknown profile %d", (int)order->profile);
    }
    enum err_code code = frame_check_issuer(order->issuer, err);
    if (code == ERR_OK) {
        code = frame_check_len(order->csr, LIMIT_CSR_LEN, "a PKCS#10", err);
    }
    if (code == ERR_OK) {
        code = frame_check_len(order->common_name, LIMIT_NAME_VALUE, "a common name", err);
    }
    if (code == ERR_OK) {
        code =
            frame_check_len(order->transaction_id, LIMIT_TRANSACTION_ID, "a transaction ID", err);
    }
    return code == ERR_OK ? check_sans(order, err) : code;
}

enum err_code frame_put_issue(const struct issue_order *order, struct buf *out, struct err *err)
{
    enum err_code code = check_order(order, err);
    if (code != ERR_OK) {
        return code;
    }
    struct buf frame = {0};
    struct wire_writer writer = frame_begin(FRAME_ISSUE, &frame);
    wire_put_u8(&writer, (uint8_t)order->profile);
    wire_put_octets(&writer, order->issuer);
    wire_put_octets(&writer, order->csr);
    wire_put_octets(&writer, order->common_name);
    wire_put_u32(&writer, order->san_count);
    for (uint32_t i = 0; i < order->san_count; i++) {
        wire_put_u8(&writer, (uint8_t)order->sans[i].kind);
        wire_put_octets(&writer, order->sans[i].text);
    }
    wire_put_u32(&writer, order->max_validity_sec);
    wire_put_octets(&writer, order->transaction_id);
    return frame_finish(&writer, &frame, out, err);
}

static void get_sans(struct wire_reader *reader, struct issue_order *order)
{
    order->san_count = wire_get_u32(reader);
    if (order->san_count > LIMIT_SUBJECT_ALT_NAMES) {
        reader->failed = true;
    }
    for (uint32_t i = 0; i < order->san_count && !reader->failed; i++) {
        order->sans[i].kind = (enum san_kind)wire_get_u8(reader);
        order->sans[i].text = wire_get_octets(reader, LIMIT_NAME_VALUE);
    }
}

void frame_get_order(struct wire_reader *reader, struct issue_order *order)
{
    order->profile = (enum issue_profile)wire_get_u8(reader);
    order->issuer = wire_get_octets(reader, SHA256_LEN);
    order->csr = wire_get_octets(reader, LIMIT_CSR_LEN);
    order->common_name = wire_get_octets(reader, LIMIT_NAME_VALUE);
    get_sans(reader, order);
    order->max_validity_sec = wire_get_u32(reader);
    order->transaction_id = wire_get_octets(reader, LIMIT_TRANSACTION_ID);
    if (!reader->failed && check_order(order, NULL) != ERR_OK) {
        reader->failed = true;
    }
}

// A part that brings nothing and is not the last one could come for ever.
static enum err_code check_crl(const struct crl_part *part, struct err *err)
{
    enum err_code code = frame_check_issuer(part->issuer, err);
    if (code != ERR_OK) {
        return code;
    }
    if (part->count > FRAME_CRL_CHUNK || (part->count == 0 && !part->is_last)) {
        return err_set(err, ERR_LIMIT, "%u entries in a part of a CRL; allowed: %d",
                       (unsigned)part->count, FRAME_CRL_CHUNK);
    }
    for (uint32_t i = 0; i < part->count; i++) {
        if (!revocation_reason_is_known(part->entries[i].reason)) {
            return err_set(err, ERR_LIMIT, "unknown reason %d for a revocation",
                           (int)part->entries[i].reason);
        }
    }
    return ERR_OK;
}

enum err_code frame_put_crl(const struct crl_part *part, struct buf *out, struct err *err)
{
    enum err_code code = check_crl(part, err);
    if (code != ERR_OK) {
        return code;
    }
    struct buf frame = {0};
    struct wire_writer writer = frame_begin(FRAME_CRL, &frame);
    wire_put_octets(&writer, part->issuer);
    wire_put_u64(&writer, part->number);
    wire_put_u8(&writer, part->is_last ? 1 : 0);
    wire_put_u32(&writer, part->count);
    for (uint32_t i = 0; i < part->count; i++) {
        wire_put_fixed(&writer, part->entries[i].serial, SERIAL_LEN);
        wire_put_i64(&writer, part->entries[i].revoked_at);
        wire_put_u8(&writer, (uint8_t)part->entries[i].reason);
    }
    return frame_finish(&writer, &frame, out, err);
}

void frame_get_crl(struct wire_reader *reader, struct crl_part *part)
{
    part->issuer = wire_get_octets(reader, SHA256_LEN);
    part->number = wire_get_u64(reader);
    uint8_t flag = wire_get_u8(reader);
    part->is_last = flag == 1;
    part->count = wire_get_u32(reader);
    if (flag > 1 || part->count > FRAME_CRL_CHUNK) {
        reader->failed = true;
    }
    for (uint32_t i = 0; i < part->count && !reader->failed; i++) {
        wire_get_fixed(reader, part->entries[i].serial, SERIAL_LEN);
        part->entries[i].revoked_at = wire_get_i64(reader);
        part->entries[i].reason = (enum revocation_reason)wire_get_u8(reader);
    }
    if (!reader->failed && check_crl(part, NULL) != ERR_OK) {
        reader->failed = true;
    }
}

static bool is_certrep_status(unsigned status)
{
    return status == CERTREP_SUCCESS || status == CERTREP_FAILURE || status == CERTREP_PENDING;
}

// The CRL has no limit of its own: it is the whole frame that has one.
static enum err_code check_seal(const struct seal_order *order, struct err *err)
{
    if (!is_certrep_status(order->status) || order->fail_info > FAIL_INFO_BAD_CERT_ID) {
        return err_set(err, ERR_LIMIT, "unknown pkiStatus %u or failInfo %u", order->status,
                       order->fail_info);
    }
    const struct {
        struct view field;
        size_t max_len;
        const char *what;
    } fields[] = {
        {order->transaction_id, LIMIT_TRANSACTION_ID, "a transaction ID"},
        {order->recipient_nonce, LIMIT_NONCE, "a nonce"},
        {order->recipient, LIMIT_CERT_LEN, "a recipient's certificate"},
        {order->certificate, LIMIT_CERT_LEN, "a certificate"},
        {order->fail_info_text, FAIL_INFO_TEXT_LEN, "a failInfoText"},
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        enum err_code code =
            frame_check_len(fields[i].field, fields[i].max_len, fields[i].what, err);
        if (code != ERR_OK) {
            return code;
        }
    }
    return ERR_OK;
}

enum err_code frame_put_seal(const struct seal_order *order, struct buf *out, struct err *err)
{
    enum err_code code = check_seal(order, err);
    if (code != ERR_OK) {
        return code;
    }
    struct buf frame = {0};
    struct wire_writer writer = frame_begin(FRAME_SEAL, &frame);
    wire_put_u8(&writer, order->status);
    wire_put_octets(&writer, order->transaction_id);
    wire_put_octets(&writer, order->recipient_nonce);
    wire_put_u32(&writer, order->digest_nid);
    wire_put_u32(&writer, order->cipher_nid);
    wire_put_octets(&writer, order->recipient);
    wire_put_octets(&writer, order->certificate);
    wire_put_octets(&writer, order->crl);
    wire_put_u8(&writer, order->fail_info);
    wire_put_octets(&writer, order->fail_info_text);
    return frame_finish(&writer, &frame, out, err);
}

void frame_get_seal(struct wire_reader *reader, struct seal_order *order)
{
    order->status = wire_get_u8(reader);
    order->transaction_id = wire_get_octets(reader, LIMIT_TRANSACTION_ID);
    order->recipient_nonce = wire_get_octets(reader, LIMIT_NONCE);
    order->digest_nid = wire_get_u32(reader);
    order->cipher_nid = wire_get_u32(reader);
    order->recipient = wire_get_octets(reader, LIMIT_CERT_LEN);
    order->certificate = wire_get_octets(reader, LIMIT_CERT_LEN);
    order->crl = wire_get_octets(reader, FRAME_MAX_LEN);
    order->fail_info = wire_get_u8(reader);
    order->fail_info_text = wire_get_octets(reader, FAIL_INFO_TEXT_LEN);
    if (!reader->failed && check_seal(order, NULL) != ERR_OK) {
        reader->failed = true;
    }
}
