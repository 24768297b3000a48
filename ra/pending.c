// SPDX-License-Identifier: Apache-2.0
#include "ra/pending.h"

#include <stdio.h>
#include <string.h>

#include "ra/store/record.h"

static void describe(const struct pending_request *request, struct store_pending *pending)
{
    const struct signer_device device = signer_device(request->signer);
    const struct names *names = request->names;
    const char *mac = device.mac[0] != '\0' ? device.mac : names->mac;
    snprintf(pending->source, sizeof pending->source, "%s", request->source);
    snprintf(pending->common_name, sizeof pending->common_name, "%s",
             names->common_name != NULL ? names->common_name : "");
    snprintf(pending->mac, sizeof pending->mac, "%s", mac);
    snprintf(pending->model, sizeof pending->model, "%s", device.model);
    snprintf(pending->serial_number, sizeof pending->serial_number, "%s", device.serial_number);
}

enum err_code pending_make(const struct pending_request *request, struct store_pending *ret_pending,
                           struct err *err)
{
    if (request->pkcs10->has_challenge) {
        return err_set(err, ERR_INTERNAL, "a request with a challenge password must not be stored");
    }
    enum signer_class signer_class = request->signer->signer_class;
    struct store_pending pending = {
        .reason = signer_class == SIGNER_SELF_SIGNED ? PENDING_UNAUTHENTICATED : PENDING_UNLISTED,
        .created_at = request->now,
        .expires_at = request->now + (int64_t)request->expiry_days * DAY_SEC,
        .signer_class = (uint8_t)signer_class,
    };
    memcpy(pending.key, request->transaction_key, SHA256_LEN);
    record_pending_id(pending.key, pending.id);
    memcpy(pending.spki_hash, request->pkcs10->spki_hash, SHA256_LEN);
    memcpy(pending.csr_hash, request->pkcs10->hash, SHA256_LEN);
    memcpy(pending.issuer, request->issuer, SHA256_LEN);
    describe(request, &pending);
    enum err_code code = buf_copy(buf_view(&request->pkcs10->der), &pending.csr, err);
    if (code == ERR_OK) {
        *ret_pending = pending;
    }
    return code;
}
