// SPDX-License-Identifier: Apache-2.0
// An administrator's orders: challenges, revocation, CRLs, the device list.
#include "ra/store/writer_orders.h"

#include "ra/store/writer_events.h"

#define PROBE_LEN 16384 // octets: the pages that an enrolment needs, and next to each other

enum err_code writer_put_challenge(struct store_txn *txn, const struct write_order *order,
                                   struct err *err)
{
    char id[CHALLENGE_ID_LEN];
    struct store_challenge stored = {0};
    record_challenge_id(order->challenge.hash, id);
    enum err_code code = store_get_challenge_by_id(txn, id, &stored, err);
    if (code == ERR_OK) {
        return err_set(err, ERR_EXISTS, "there is a challenge %s already", id);
    }
    if (code != ERR_NOT_FOUND) {
        return code;
    }
    store_put_challenge(txn, &order->challenge);
    writer_note_challenge(txn, EVENT_CHALLENGE_MADE, &order->challenge, order->now);
    return ERR_OK;
}

enum err_code writer_revoke_challenge(struct store_txn *txn, const struct write_order *order,
                                      struct err *err)
{
    struct store_challenge challenge = {0};
    enum err_code code = store_get_challenge_by_id(txn, order->challenge.id, &challenge, err);
    if (code == ERR_NOT_FOUND) {
        return err_set(err, ERR_NOT_FOUND, "there is no such challenge");
    }
    if (code != ERR_OK) {
        return code;
    }
    if (!challenge.is_revoked) {
        challenge.is_revoked = true;
        store_put_challenge(txn, &challenge);
        writer_note_challenge(txn, EVENT_CHALLENGE_REVOKED, &challenge, order->now);
    }
    return ERR_OK;
}

enum err_code writer_revoke(struct store_txn *txn, const struct write_order *order, struct err *err)
{
    struct record_certificate head = {0};
    enum err_code code = store_get_head(txn, order->certificate.serial, &head, err);
    if (code == ERR_NOT_FOUND) {
        return err_set(err, ERR_NOT_FOUND, "there is no certificate with this serial number");
    }
    if (code == ERR_OK && head.certificate.status == CERTIFICATE_REVOKED) {
        return err_set(err, ERR_CONFLICT, "the certificate is revoked already");
    }
    if (code == ERR_OK) {
        const struct writer_revocation revocation = {
            .serial = order->certificate.serial,
            .now = order->now,
            .reason = order->revocation_reason,
            .authority = EVENT_BY_ADMINISTRATOR,
        };
        store_put_revoked(txn, &head, order->now, order->revocation_reason);
        writer_note_revoked(txn, &revocation);
    }
    return code;
}

enum err_code writer_put_crl(struct store_txn *txn, const struct write_order *order,
                             struct err *err)
{
    const struct store_crl *crl = order->crl;
    CLEANUP(store_crl_done) struct store_crl stored = {0};
    if (crl->der.len == 0 || crl->der.len > LIMIT_CRL_LEN) {
        return err_set(err, ERR_LIMIT, "a CRL of %zu octets; allowed: 1 to %d", crl->der.len,
                       LIMIT_CRL_LEN);
    }
    enum err_code code = store_get_crl(txn, crl->issuer, &stored, err);
    if (code != ERR_OK && code != ERR_NOT_FOUND) {
        return code;
    }
    if (code == ERR_OK && crl->number <= stored.number) {
        return err_set(err, ERR_CONFLICT, "the CRL's number is %llu, that of the present one %llu",
                       (unsigned long long)crl->number, (unsigned long long)stored.number);
    }
    store_put_crl(txn, crl);
    return ERR_OK;
}

enum err_code writer_put_devices(struct store_txn *txn, const struct write_order *order,
                                 struct err *err)
{
    struct store_txn part = {0};
    enum err_code code = store_txn_begin_part(txn, &part, err);
    if (code == ERR_OK) {
        code = store_put_devices(&part, order->devices, order->device_count, err);
        store_txn_end_part(txn, &part, code == ERR_OK);
    }
    return code;
}

enum err_code writer_remove_device(struct store_txn *txn, const struct write_order *order,
                                   struct err *err)
{
    struct store_device device = {0};
    enum err_code code = store_get_device(txn, &order->devices[0], &device, err);
    if (code == ERR_NOT_FOUND) {
        return err_set(err, ERR_NOT_FOUND, "there is no such device on the list");
    }
    if (code == ERR_OK) {
        store_remove_device(txn, &device);
        writer_note_unlisted(txn, &device, order->now);
    }
    return code;
}

enum err_code writer_probe(struct store_txn *txn, const struct write_order *order, struct err *err)
{
    static const uint8_t octets[PROBE_LEN];
    (void)order;
    (void)err;
    store_txn_put(txn, TABLE_META, view_of_text("probe"), view_of(octets, sizeof octets));
    return ERR_OK;
}
