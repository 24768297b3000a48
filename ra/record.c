// SPDX-License-Identifier: Apache-2.0
#include "ra/record.h"

#include <string.h>

#include "conf/base/hex.h"
#include "conf/base/wire.h"

static void put_text(struct wire_writer *writer, const char *text, size_t size)
{
    wire_put_octets(writer, view_of(text, strnlen(text, size)));
}

// `to` is all zeroes before.
static void get_text(struct wire_reader *reader, char *to, size_t size)
{
    struct view text = wire_get_octets(reader, size - 1);
    if (text.len == 0) {
        return;
    }
    if (memchr(text.data, '\0', text.len) != NULL) {
        reader->failed = true;
        return;
    }
    memcpy(to, text.data, text.len);
}

static bool get_bool(struct wire_reader *reader)
{
    uint8_t value = wire_get_u8(reader);
    if (value > 1) {
        reader->failed = true;
    }
    return value == 1;
}

static enum err_code get_version(struct wire_reader *reader, const char *what, struct err *err)
{
    uint8_t version = wire_get_u8(reader);
    if (reader->failed) {
        return err_set(err, ERR_IO, "%s record in the store is empty", what);
    }
    if (version != RECORD_VERSION) {
        return err_set(err, ERR_IO, "%s record in the store has version %u; this program knows %d",
                       what, version, RECORD_VERSION);
    }
    return ERR_OK;
}

static enum err_code damaged(const char *what, struct err *err)
{
    return err_set(err, ERR_IO, "%s record in the store is damaged", what);
}

enum err_code record_put_certificate(const struct store_certificate *certificate, uint64_t sequence,
                                     struct buf *out, struct err *err)
{
    struct wire_writer writer = wire_write(out);
    wire_put_u8(&writer, RECORD_VERSION);
    wire_put_u64(&writer, sequence);
    wire_put_fixed(&writer, certificate->serial, SERIAL_LEN);
    wire_put_u8(&writer, (uint8_t)certificate->status);
    wire_put_i64(&writer, certificate->issued_at);
    wire_put_i64(&writer, certificate->not_before);
    wire_put_i64(&writer, certificate->not_after);
    put_text(&writer, certificate->device, sizeof certificate->device);
    put_text(&writer, certificate->common_name, sizeof certificate->common_name);
    put_text(&writer, certificate->mac, sizeof certificate->mac);
    wire_put_fixed(&writer, certificate->spki_hash, SHA256_LEN);
    wire_put_fixed(&writer, certificate->subject_hash, SHA256_LEN);
    wire_put_fixed(&writer, certificate->csr_hash, SHA256_LEN);
    wire_put_fixed(&writer, certificate->transaction_key, SHA256_LEN);
    wire_put_fixed(&writer, certificate->challenge_hash, SHA256_LEN);
    wire_put_u8(&writer, certificate->signer_class);
    wire_put_octets(&writer, buf_view(&certificate->der));
    return wire_finish(&writer, err);
}

static struct view get_certificate_fields(struct wire_reader *reader,
                                          struct record_certificate *record)
{
    struct store_certificate *certificate = &record->certificate;
    record->sequence = wire_get_u64(reader);
    wire_get_fixed(reader, certificate->serial, SERIAL_LEN);
    certificate->status = wire_get_u8(reader);
    certificate->issued_at = wire_get_i64(reader);
    certificate->not_before = wire_get_i64(reader);
    certificate->not_after = wire_get_i64(reader);
    get_text(reader, certificate->device, sizeof certificate->device);
    get_text(reader, certificate->common_name, sizeof certificate->common_name);
    get_text(reader, certificate->mac, sizeof certificate->mac);
    wire_get_fixed(reader, certificate->spki_hash, SHA256_LEN);
    wire_get_fixed(reader, certificate->subject_hash, SHA256_LEN);
    wire_get_fixed(reader, certificate->csr_hash, SHA256_LEN);
    wire_get_fixed(reader, certificate->transaction_key, SHA256_LEN);
    wire_get_fixed(reader, certificate->challenge_hash, SHA256_LEN);
    certificate->signer_class = wire_get_u8(reader);
    return wire_get_octets(reader, LIMIT_CERT_LEN);
}

enum err_code record_get_certificate(struct view octets, struct record_certificate *ret_record,
                                     struct err *err)
{
    static const char what[] = "a certificate";
    struct wire_reader reader = wire_read(octets);
    enum err_code code = get_version(&reader, what, err);
    if (code != ERR_OK) {
        return code;
    }
    struct record_certificate record = {0};
    struct view der = get_certificate_fields(&reader, &record);
    enum certificate_status status = record.certificate.status;
    bool is_status = status == CERTIFICATE_VALID || status == CERTIFICATE_REVOKED;
    if (!wire_is_complete(&reader) || !is_status) {
        return damaged(what, err);
    }
    code = buf_copy(der, &record.certificate.der, err);
    if (code == ERR_OK) {
        *ret_record = record;
    }
    return code;
}

enum err_code record_put_transaction(const struct store_transaction *transaction, struct buf *out,
                                     struct err *err)
{
    struct wire_writer writer = wire_write(out);
    wire_put_u8(&writer, RECORD_VERSION);
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
    enum err_code code = get_version(&reader, what, err);
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
        return damaged(what, err);
    }
    *ret_transaction = transaction;
    return ERR_OK;
}

enum err_code record_put_challenge(const struct store_challenge *challenge, struct buf *out,
                                   struct err *err)
{
    struct wire_writer writer = wire_write(out);
    wire_put_u8(&writer, RECORD_VERSION);
    wire_put_fixed(&writer, challenge->hash, SHA256_LEN);
    wire_put_i64(&writer, challenge->created_at);
    wire_put_i64(&writer, challenge->expires_at);
    wire_put_u32(&writer, challenge->uses_allowed);
    wire_put_u32(&writer, challenge->uses_left);
    wire_put_u8(&writer, challenge->is_revoked ? 1 : 0);
    put_text(&writer, challenge->common_name, sizeof challenge->common_name);
    put_text(&writer, challenge->mac, sizeof challenge->mac);
    wire_put_i64(&writer, challenge->last_used_at);
    return wire_finish(&writer, err);
}

enum err_code record_get_challenge(struct view octets, struct store_challenge *ret_challenge,
                                   struct err *err)
{
    static const char what[] = "a challenge";
    struct wire_reader reader = wire_read(octets);
    enum err_code code = get_version(&reader, what, err);
    if (code != ERR_OK) {
        return code;
    }
    struct store_challenge challenge = {0};
    wire_get_fixed(&reader, challenge.hash, SHA256_LEN);
    challenge.created_at = wire_get_i64(&reader);
    challenge.expires_at = wire_get_i64(&reader);
    challenge.uses_allowed = wire_get_u32(&reader);
    challenge.uses_left = wire_get_u32(&reader);
    challenge.is_revoked = get_bool(&reader);
    get_text(&reader, challenge.common_name, sizeof challenge.common_name);
    get_text(&reader, challenge.mac, sizeof challenge.mac);
    challenge.last_used_at = wire_get_i64(&reader);
    if (!wire_is_complete(&reader) || challenge.uses_left > challenge.uses_allowed) {
        return damaged(what, err);
    }
    record_challenge_id(challenge.hash, challenge.id);
    *ret_challenge = challenge;
    return ERR_OK;
}

static void append(struct record_key *key, const void *octets, size_t len)
{
    memcpy(key->octets + key->len, octets, len);
    key->len += len;
}

static void append_number(struct record_key *key, uint64_t number)
{
    uint8_t octets[sizeof number] = {0};
    for (size_t i = 0; i < sizeof octets; i++) {
        octets[i] = (uint8_t)(number >> 8 * (sizeof octets - 1 - i));
    }
    append(key, octets, sizeof octets);
}

static void append_order(struct record_key *key, int64_t time, uint64_t sequence)
{
    // The flipped sign bit makes times before 1970 sort before later ones as octets, too.
    append_number(key, (uint64_t)time ^ (UINT64_C(1) << 63));
    append_number(key, sequence);
}

void record_key_by_issue(const struct store_certificate *certificate, uint64_t sequence,
                         struct record_key *ret_key)
{
    ret_key->len = 0;
    append_order(ret_key, certificate->issued_at, sequence);
}

void record_key_by_expiry(const struct store_certificate *certificate, uint64_t sequence,
                          struct record_key *ret_key)
{
    ret_key->len = 0;
    append_order(ret_key, certificate->not_after, sequence);
}

void record_key_by_device(const struct store_certificate *certificate, uint64_t sequence,
                          struct record_key *ret_key)
{
    record_prefix_of_device(certificate->device, ret_key);
    append_order(ret_key, certificate->issued_at, sequence);
}

void record_key_by_key(const struct store_certificate *certificate, uint64_t sequence,
                       struct record_key *ret_key)
{
    record_prefix_of_key(certificate->spki_hash, ret_key);
    append_order(ret_key, certificate->issued_at, sequence);
}

void record_prefix_of_device(const char *device, struct record_key *ret_prefix)
{
    ret_prefix->len = 0;
    append(ret_prefix, device, strnlen(device, STORE_DEVICE_LEN - 1));
    append(ret_prefix, "", 1); // no device's name holds a NUL, so none is the beginning of another
}

void record_prefix_of_key(const uint8_t spki_hash[SHA256_LEN], struct record_key *ret_prefix)
{
    ret_prefix->len = 0;
    append(ret_prefix, spki_hash, SHA256_LEN);
}

void record_challenge_id(const uint8_t hash[SHA256_LEN], char ret_id[CHALLENGE_ID_LEN])
{
    hex_encode(view_of(hash, CHALLENGE_ID_OCTETS), ret_id);
}
