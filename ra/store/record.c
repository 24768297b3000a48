// SPDX-License-Identifier: Apache-2.0
// Records of what was issued and of what authorises it: certificates, transactions, challenges.
#include "ra/store/record.h"

#include "conf/base/hex.h"
#include "ra/store/record_fields.h"

#define HEAD_LEN (1 + 8 + SERIAL_LEN + 1 + 1 + 3 * 8 + 8 + 1 + 8 + 3 * SHA256_LEN) // put_head()'s
#define FIELDS_MAX                                                                                 \
    (HEAD_LEN + 1024) // octets of a certificate's record without its DER, texts of usual length

static const char certificate_name[] = "a certificate";

_Static_assert(PENDING_ID_LEN == CHALLENGE_ID_LEN, "both are the first octets of a hash");

static void put_head(struct wire_writer *writer, const struct store_certificate *certificate,
                     uint64_t sequence)
{
    record_put_version(writer);
    wire_put_u64(writer, sequence);
    wire_put_fixed(writer, certificate->serial, SERIAL_LEN);
    wire_put_u8(writer, (uint8_t)certificate->status);
    wire_put_u8(writer, (uint8_t)certificate->kind);
    wire_put_i64(writer, certificate->issued_at);
    wire_put_i64(writer, certificate->not_before);
    wire_put_i64(writer, certificate->not_after);
    wire_put_i64(writer, certificate->revoked_at);
    wire_put_u8(writer, certificate->revocation_reason);
    wire_put_i64(writer, certificate->superseded_at);
    wire_put_fixed(writer, certificate->issuer, SHA256_LEN);
    wire_put_fixed(writer, certificate->spki_hash, SHA256_LEN);
    wire_put_fixed(writer, certificate->subject_hash, SHA256_LEN);
}

static enum err_code get_head(struct wire_reader *reader, struct record_certificate *record,
                              struct err *err)
{
    enum err_code code = record_get_version(reader, certificate_name, err);
    if (code != ERR_OK) {
        return code;
    }
    struct store_certificate *certificate = &record->certificate;
    record->sequence = wire_get_u64(reader);
    wire_get_fixed(reader, certificate->serial, SERIAL_LEN);
    certificate->status = wire_get_u8(reader);
    certificate->kind = wire_get_u8(reader);
    certificate->issued_at = wire_get_i64(reader);
    certificate->not_before = wire_get_i64(reader);
    certificate->not_after = wire_get_i64(reader);
    certificate->revoked_at = wire_get_i64(reader);
    certificate->revocation_reason = wire_get_u8(reader);
    certificate->superseded_at = wire_get_i64(reader);
    wire_get_fixed(reader, certificate->issuer, SHA256_LEN);
    wire_get_fixed(reader, certificate->spki_hash, SHA256_LEN);
    wire_get_fixed(reader, certificate->subject_hash, SHA256_LEN);
    enum certificate_status status = certificate->status;
    bool is_status = status == CERTIFICATE_VALID || status == CERTIFICATE_REVOKED;
    bool is_kind =
        certificate->kind == CERTIFICATE_OF_PHONE || certificate->kind == CERTIFICATE_OF_SERVER;
    return reader->failed || !is_status || !is_kind ? record_damaged(certificate_name, err)
                                                    : ERR_OK;
}

enum err_code record_put_certificate(const struct store_certificate *certificate, uint64_t sequence,
                                     struct buf *out, struct err *err)
{
    enum err_code code = buf_reserve(out, FIELDS_MAX + certificate->der.len, err);
    if (code != ERR_OK) {
        return code;
    }
    struct wire_writer writer = wire_write(out);
    put_head(&writer, certificate, sequence);
    record_put_text(&writer, certificate->device, sizeof certificate->device);
    record_put_text(&writer, certificate->common_name, sizeof certificate->common_name);
    record_put_text(&writer, certificate->mac, sizeof certificate->mac);
    wire_put_fixed(&writer, certificate->csr_hash, SHA256_LEN);
    wire_put_fixed(&writer, certificate->transaction_key, SHA256_LEN);
    wire_put_fixed(&writer, certificate->challenge_hash, SHA256_LEN);
    wire_put_u8(&writer, certificate->signer_class);
    wire_put_u8(&writer, (uint8_t)certificate->origin);
    wire_put_fixed(&writer, certificate->renews, SERIAL_LEN);
    wire_put_i64(&writer, certificate->mic_not_after);
    record_put_text(&writer, certificate->model, sizeof certificate->model);
    record_put_text(&writer, certificate->serial_number, sizeof certificate->serial_number);
    wire_put_octets(&writer, buf_view(&certificate->der));
    return wire_finish(&writer, err);
}

// Everything behind the head; the result is the DER.
static struct view get_certificate_fields(struct wire_reader *reader,
                                          struct store_certificate *certificate)
{
    record_get_text(reader, certificate->device, sizeof certificate->device);
    record_get_text(reader, certificate->common_name, sizeof certificate->common_name);
    record_get_text(reader, certificate->mac, sizeof certificate->mac);
    wire_get_fixed(reader, certificate->csr_hash, SHA256_LEN);
    wire_get_fixed(reader, certificate->transaction_key, SHA256_LEN);
    wire_get_fixed(reader, certificate->challenge_hash, SHA256_LEN);
    certificate->signer_class = wire_get_u8(reader);
    certificate->origin = wire_get_u8(reader);
    wire_get_fixed(reader, certificate->renews, SERIAL_LEN);
    certificate->mic_not_after = wire_get_i64(reader);
    record_get_text(reader, certificate->model, sizeof certificate->model);
    record_get_text(reader, certificate->serial_number, sizeof certificate->serial_number);
    return wire_get_octets(reader, LIMIT_CERT_LEN);
}

static bool is_origin(enum certificate_origin origin)
{
    return origin >= ORIGIN_CHALLENGE && origin <= ORIGIN_ADMINISTRATOR;
}

enum err_code record_get_certificate(struct view octets, struct record_certificate *ret_record,
                                     struct err *err)
{
    struct wire_reader reader = wire_read(octets);
    struct record_certificate record = {0};
    enum err_code code = get_head(&reader, &record, err);
    if (code != ERR_OK) {
        return code;
    }
    struct view der = get_certificate_fields(&reader, &record.certificate);
    if (!wire_is_complete(&reader) || !is_origin(record.certificate.origin)) {
        return record_damaged(certificate_name, err);
    }
    code = buf_copy(der, &record.certificate.der, err);
    if (code == ERR_OK) {
        *ret_record = record;
    }
    return code;
}

enum err_code record_get_head(struct view octets, struct record_certificate *ret_head,
                              struct err *err)
{
    struct wire_reader reader = wire_read(octets);
    struct record_certificate head = {0};
    enum err_code code = get_head(&reader, &head, err);
    if (code == ERR_OK) {
        *ret_head = head;
    }
    return code;
}

enum err_code record_replace_head(struct view octets, const struct record_certificate *head,
                                  struct buf *out, struct err *err)
{
    enum err_code code = buf_reserve(out, octets.len, err);
    if (code != ERR_OK) {
        return code;
    }
    struct wire_writer writer = wire_write(out);
    put_head(&writer, &head->certificate, head->sequence);
    wire_put_fixed(&writer, octets.data + HEAD_LEN, octets.len - HEAD_LEN);
    return wire_finish(&writer, err);
}

enum err_code record_put_transaction(const struct store_transaction *transaction, struct buf *out,
                                     struct err *err)
{
    struct wire_writer writer = wire_write(out);
    record_put_version(&writer);
    wire_put_fixed(&writer, transaction->key, SHA256_LEN);
    wire_put_u8(&writer, (uint8_t)transaction->state);
    wire_put_i64(&writer, transaction->changed_at);
    wire_put_fixed(&writer, transaction->csr_hash, SHA256_LEN);
    wire_put_fixed(&writer, transaction->serial, SERIAL_LEN);
    return wire_finish(&writer, err);
}

enum err_code record_get_transaction(struct view octets, struct store_transaction *ret_transaction,
                                     struct err *err)
{
    static const char what[] = "a transaction";
    struct wire_reader reader = wire_read(octets);
    enum err_code code = record_get_version(&reader, what, err);
    if (code != ERR_OK) {
        return code;
    }
    struct store_transaction transaction = {0};
    wire_get_fixed(&reader, transaction.key, SHA256_LEN);
    transaction.state = wire_get_u8(&reader);
    transaction.changed_at = wire_get_i64(&reader);
    wire_get_fixed(&reader, transaction.csr_hash, SHA256_LEN);
    wire_get_fixed(&reader, transaction.serial, SERIAL_LEN);
    bool is_state = transaction.state == TRANSACTION_PENDING ||
                    transaction.state == TRANSACTION_ISSUED ||
                    transaction.state == TRANSACTION_DENIED;
    if (!wire_is_complete(&reader) || !is_state) {
        return record_damaged(what, err);
    }
    *ret_transaction = transaction;
    return ERR_OK;
}

enum err_code record_put_challenge(const struct store_challenge *challenge, struct buf *out,
                                   struct err *err)
{
    struct wire_writer writer = wire_write(out);
    record_put_version(&writer);
    wire_put_fixed(&writer, challenge->hash, SHA256_LEN);
    wire_put_i64(&writer, challenge->created_at);
    wire_put_i64(&writer, challenge->expires_at);
    wire_put_u32(&writer, challenge->uses_allowed);
    wire_put_u32(&writer, challenge->uses_left);
    record_put_bool(&writer, challenge->is_revoked);
    record_put_text(&writer, challenge->common_name, sizeof challenge->common_name);
    record_put_text(&writer, challenge->mac, sizeof challenge->mac);
    wire_put_i64(&writer, challenge->last_used_at);
    return wire_finish(&writer, err);
}

enum err_code record_get_challenge(struct view octets, struct store_challenge *ret_challenge,
                                   struct err *err)
{
    static const char what[] = "a challenge";
    struct wire_reader reader = wire_read(octets);
    enum err_code code = record_get_version(&reader, what, err);
    if (code != ERR_OK) {
        return code;
    }
    struct store_challenge challenge = {0};
    wire_get_fixed(&reader, challenge.hash, SHA256_LEN);
    challenge.created_at = wire_get_i64(&reader);
    challenge.expires_at = wire_get_i64(&reader);
    challenge.uses_allowed = wire_get_u32(&reader);
    challenge.uses_left = wire_get_u32(&reader);
    challenge.is_revoked = record_get_bool(&reader);
    record_get_text(&reader, challenge.common_name, sizeof challenge.common_name);
    record_get_text(&reader, challenge.mac, sizeof challenge.mac);
    challenge.last_used_at = wire_get_i64(&reader);
    if (!wire_is_complete(&reader) || challenge.uses_left > challenge.uses_allowed) {
        return record_damaged(what, err);
    }
    record_challenge_id(challenge.hash, challenge.id);
    *ret_challenge = challenge;
    return ERR_OK;
}

void record_challenge_id(const uint8_t hash[SHA256_LEN], char ret_id[CHALLENGE_ID_LEN])
{
    hex_encode(view_of(hash, RECORD_ID_OCTETS), ret_id);
}

void record_pending_id(const uint8_t key[SHA256_LEN], char ret_id[PENDING_ID_LEN])
{
    hex_encode(view_of(key, RECORD_ID_OCTETS), ret_id);
}
