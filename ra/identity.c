// SPDX-License-Identifier: Apache-2.0
#include "ra/identity.h"

// Our serial numbers have exactly SERIAL_LEN octets; whatever has not is not ours.
static bool read_serial(const X509 *cert, uint8_t serial[SERIAL_LEN])
{
    struct view octets = ossl_string_view(X509_get0_serialNumber(cert));
    if (octets.len != SERIAL_LEN) {
        return false;
    }
    for (size_t i = 0; i < SERIAL_LEN; i++) {
        serial[i] = octets.data[i];
    }
    return true;
}

static enum err_code is_stored(const X509 *signer, struct store *store, bool *ret_is_stored,
                               struct err *err)
{
    uint8_t serial[SERIAL_LEN];
    *ret_is_stored = false;
    if (!read_serial(signer, serial)) {
        return ERR_OK;
    }
    struct store_certificate stored = {0};
    enum err_code code = store_find_serial(store, serial, &stored, err);
    if (code == ERR_NOT_FOUND) {
        return ERR_OK;
    }
    if (code != ERR_OK) {
        return code;
    }
    struct buf der = {0};
    code = ossl_cert_to_der(signer, &der, err);
    *ret_is_stored = code == ERR_OK && view_equal(buf_view(&der), buf_view(&stored.der));
    buf_done(&der);
    store_certificate_done(&stored);
    return code;
}

enum err_code identity_classify(const X509 *signer, struct store *store,
                                enum signer_class *ret_class, struct err *err)
{
    bool is_ours = false;
    enum err_code code = is_stored(signer, store, &is_ours, err);
    if (code != ERR_OK) {
        return code;
    }
    if (is_ours) {
        *ret_class = SIGNER_OURS;
    } else if (X509_NAME_cmp(X509_get_subject_name(signer), X509_get_issuer_name(signer)) == 0) {
        *ret_class = SIGNER_SELF_SIGNED;
    } else {
        *ret_class = SIGNER_UNKNOWN;
    }
    return ERR_OK;
}
