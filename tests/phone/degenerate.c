// SPDX-License-Identifier: Apache-2.0
#include "tests/phone/degenerate.h"

#include <openssl/objects.h>

PKCS7 *pkcs7_parse_exact(const struct octets *der, int nid)
{
    const unsigned char *at = der->data;
    PKCS7 *message = der->len > 0 ? d2i_PKCS7(NULL, &at, (long)der->len) : NULL;
    if (message != NULL && (at != der->data + der->len || OBJ_obj2nid(message->type) != nid ||
                            message->d.ptr == NULL)) {
        PKCS7_free(message);
        message = NULL;
    }
    return message;
}

// Nobody signed it and it says nothing beside what it carries.
static bool is_degenerate(const PKCS7_SIGNED *body)
{
    return sk_PKCS7_SIGNER_INFO_num(body->signer_info) <= 0 && PKCS7_type_is_data(body->contents) &&
           body->contents->d.data == NULL;
}

enum outcome certs_only_parse(const struct octets *der, PKCS7 **ret_message,
                              struct trouble *trouble)
{
    CLEANUP(cleanup_PKCS7_free) PKCS7 *message = pkcs7_parse_exact(der, NID_pkcs7_signed);
    if (message == NULL) {
        return trouble_openssl(trouble, OUTCOME_UNTRUSTED, "certificates: not one DER SignedData");
    }
    const PKCS7_SIGNED *body = message->d.sign;
    if (!is_degenerate(body) || sk_X509_num(body->cert) < 1 || sk_X509_CRL_num(body->crl) > 0) {
        return trouble_set(trouble, OUTCOME_UNTRUSTED,
                           "certificates: not a SignedData of certificates only");
    }
    *ret_message = message;
    message = NULL;
    return OUTCOME_OK;
}

enum outcome crl_only_parse(const struct octets *der, X509_CRL **ret_crl, struct trouble *trouble)
{
    CLEANUP(cleanup_PKCS7_free) PKCS7 *message = pkcs7_parse_exact(der, NID_pkcs7_signed);
    if (message == NULL) {
        return trouble_openssl(trouble, OUTCOME_UNTRUSTED, "CRL: not one DER SignedData");
    }
    const PKCS7_SIGNED *body = message->d.sign;
    // NULL, not merely empty: the field itself has to be absent.
    if (!is_degenerate(body) || body->cert != NULL || sk_X509_CRL_num(body->crl) != 1) {
        return trouble_set(trouble, OUTCOME_UNTRUSTED, "CRL: not a SignedData of one CRL only");
    }
    X509_CRL *crl = sk_X509_CRL_value(body->crl, 0);
    require(X509_CRL_up_ref(crl) == 1, "sharing a CRL");
    *ret_crl = crl;
    return OUTCOME_OK;
}
