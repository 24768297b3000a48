// SPDX-License-Identifier: Apache-2.0
// Records of what an administrator works with: waiting requests, the device list, revocations,
// CRLs.
#include "ra/store/record.h"

#include "ra/store/record_fields.h"

enum err_code record_put_pending(const struct store_pending *pending, struct buf *out,
                                 struct err *err)
{
    struct wire_writer writer = wire_write(out);
    record_put_version(&writer);
    wire_put_fixed(&writer, pending->key, SHA256_LEN);
    wire_put_u8(&writer, (uint8_t)pending->reason);
    record_put_bool(&writer, pending->is_approved);
    wire_put_i64(&writer, pending->created_at);
    wire_put_i64(&writer, pending->expires_at);
    record_put_text(&writer, pending->source, sizeof pending->source);
    record_put_text(&writer, pending->common_name, sizeof pending->common_name);
    record_put_text(&writer, pending->mac, sizeof pending->mac);
    record_put_text(&writer, pending->model, sizeof pending->model);
    record_put_text(&writer, pending->serial_number, sizeof pending->serial_number);
    wire_put_u8(&writer, pending->signer_class);
    wire_put_fixed(&writer, pending->spki_hash, SHA256_LEN);
    wire_put_fixed(&writer, pending->csr_hash, SHA256_LEN);
    wire_put_fixed(&writer, pending->issuer, SHA256_LEN);
    wire_put_octets(&writer, buf_view(&pending->csr));
    return wire_finish(&writer, err);
}

// The result is the PKCS#10.
static struct view get_pending_fields(struct wire_reader *reader, struct store_pending *pending)
{
    wire_get_fixed(reader, pending->key, SHA256_LEN);
    pending->reason = wire_get_u8(reader);
    pending->is_approved = record_get_bool(reader);
    pending->created_at = wire_get_i64(reader);
    pending->expires_at = wire_get_i64(reader);
    record_get_text(reader, pending->source, sizeof pending->source);
    record_get_text(reader, pending->common_name, sizeof pending->common_name);
    record_get_text(reader, pending->mac, sizeof pending->mac);
    record_get_text(reader, pending->model, sizeof pending->model);
    record_get_text(reader, pending->serial_number, sizeof pending->serial_number);
    pending->signer_class = wire_get_u8(reader);
    wire_get_fixed(reader, pending->spki_hash, SHA256_LEN);
    wire_get_fixed(reader, pending->csr_hash, SHA256_LEN);
    wire_get_fixed(reader, pending->issuer, SHA256_LEN);
    return wire_get_octets(reader, LIMIT_CSR_LEN);
}

enum err_code record_get_pending(struct view octets, struct store_pending *ret_pending,
                                 struct err *err)
{
    static const char what[] = "a waiting request's";
    struct wire_reader reader = wire_read(octets);
    enum err_code code = record_get_version(&reader, what, err);
    if (code != ERR_OK) {
        return code;
    }
    struct store_pending pending = {0};
    struct view csr = get_pending_fields(&reader, &pending);
    bool is_reason =
        pending.reason == PENDING_UNAUTHENTICATED || pending.reason == PENDING_UNLISTED;
    if (!wire_is_complete(&reader) || !is_reason) {
        return record_damaged(what, err);
    }
    record_pending_id(pending.key, pending.id);
    code = buf_copy(csr, &pending.csr, err);
    if (code == ERR_OK) {
        *ret_pending = pending;
    }
    return code;
}

enum err_code record_put_device(const struct store_device *device, struct buf *out, struct err *err)
{
    struct wire_writer writer = wire_write(out);
    record_put_version(&writer);
    record_put_text(&writer, device->mac, sizeof device->mac);
    record_put_text(&writer, device->serial_number, sizeof device->serial_number);
    record_put_text(&writer, device->model, sizeof device->model);
    record_put_text(&writer, device->note, sizeof device->note);
    wire_put_i64(&writer, device->added_at);
    return wire_finish(&writer, err);
}

enum err_code record_get_device(struct view octets, struct store_device *ret_device,
                                struct err *err)
{
    static const char what[] = "a device's";
    struct wire_reader reader = wire_read(octets);
    enum err_code code = record_get_version(&reader, what, err);
    if (code != ERR_OK) {
        return code;
    }
    struct store_device device = {0};
    record_get_text(&reader, device.mac, sizeof device.mac);
    record_get_text(&reader, device.serial_number, sizeof device.serial_number);
    record_get_text(&reader, device.model, sizeof device.model);
    record_get_text(&reader, device.note, sizeof device.note);
    device.added_at = wire_get_i64(&reader);
    bool is_named = device.mac[0] != '\0' || device.serial_number[0] != '\0';
    if (!wire_is_complete(&reader) || !is_named) {
        return record_damaged(what, err);
    }
    *ret_device = device;
    return ERR_OK;
}

enum err_code record_put_crl(const struct store_crl *crl, struct buf *out, struct err *err)
{
    struct wire_writer writer = wire_write(out);
    record_put_version(&writer);
    wire_put_fixed(&writer, crl->issuer, SHA256_LEN);
    wire_put_u64(&writer, crl->number);
    wire_put_i64(&writer, crl->this_update);
    wire_put_i64(&writer, crl->next_update);
    wire_put_u32(&writer, crl->entries);
    wire_put_octets(&writer, buf_view(&crl->der));
    return wire_finish(&writer, err);
}

enum err_code record_get_crl(struct view octets, struct store_crl *ret_crl, struct err *err)
{
    static const char what[] = "a CRL's";
    struct wire_reader reader = wire_read(octets);
    enum err_code code = record_get_version(&reader, what, err);
    if (code != ERR_OK) {
        return code;
    }
    struct store_crl crl = {0};
    wire_get_fixed(&reader, crl.issuer, SHA256_LEN);
    crl.number = wire_get_u64(&reader);
    crl.this_update = wire_get_i64(&reader);
    crl.next_update = wire_get_i64(&reader);
    crl.entries = wire_get_u32(&reader);
    struct view der = wire_get_octets(&reader, LIMIT_CRL_LEN);
    if (!wire_is_complete(&reader)) {
        return record_damaged(what, err);
    }
    code = buf_copy(der, &crl.der, err);
    if (code == ERR_OK) {
        *ret_crl = crl;
    }
    return code;
}

enum err_code record_put_revocation(const struct store_revocation *revocation, struct buf *out,
                                    struct err *err)
{
    struct wire_writer writer = wire_write(out);
    record_put_version(&writer);
    wire_put_fixed(&writer, revocation->serial, SERIAL_LEN);
    wire_put_i64(&writer, revocation->revoked_at);
    wire_put_u8(&writer, revocation->reason);
    return wire_finish(&writer, err);
}

enum err_code record_get_revocation(struct view octets, struct store_revocation *ret_revocation,
                                    struct err *err)
{
    static const char what[] = "a revocation's";
    struct wire_reader reader = wire_read(octets);
    enum err_code code = record_get_version(&reader, what, err);
    if (code != ERR_OK) {
        return code;
    }
    struct store_revocation revocation = {0};
    wire_get_fixed(&reader, revocation.serial, SERIAL_LEN);
    revocation.revoked_at = wire_get_i64(&reader);
    revocation.reason = wire_get_u8(&reader);
    if (!wire_is_complete(&reader)) {
        return record_damaged(what, err);
    }
    *ret_revocation = revocation;
    return ERR_OK;
}

enum err_code record_put_last_expiry(int64_t not_after, struct buf *out, struct err *err)
{
    struct wire_writer writer = wire_write(out);
    record_put_version(&writer);
    wire_put_i64(&writer, not_after);
    return wire_finish(&writer, err);
}

enum err_code record_get_last_expiry(struct view octets, int64_t *ret_not_after, struct err *err)
{
    static const char what[] = "an issuer's";
    struct wire_reader reader = wire_read(octets);
    enum err_code code = record_get_version(&reader, what, err);
    if (code != ERR_OK) {
        return code;
    }
    int64_t not_after = wire_get_i64(&reader);
    if (!wire_is_complete(&reader)) {
        return record_damaged(what, err);
    }
    *ret_not_after = not_after;
    return ERR_OK;
}
