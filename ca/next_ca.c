// SPDX-License-Identifier: Apache-2.0
// The answer to GetNextCACert. The certificates inside keep their order; the outer ones are a
// SET OF, which the CMS API sorts.
#include "ca/next_ca.h"

#include <stdlib.h>

#include <openssl/err.h>

#include "conf/cms/certs_only.h"

// DER of several certificates.
struct encoded {
    struct buf *certs;
    struct view *views;
    size_t count;
};

static void encoded_done(struct encoded *encoded)
{
    for (size_t i = 0; i < encoded->count; i++) {
        buf_done(&encoded->certs[i]);
    }
    free(encoded->certs);
    free(encoded->views);
}

static enum err_code encode_certs(const STACK_OF(X509) * certs, struct encoded *encoded,
                                  struct err *err)
{
    size_t count = (size_t)sk_X509_num(certs);
    encoded->certs = calloc(count, sizeof *encoded->certs);
    encoded->views = calloc(count, sizeof *encoded->views);
    if (encoded->certs == NULL || encoded->views == NULL) {
        return err_set(err, ERR_NOMEM, "no memory for the certificates of the next CA");
    }
    encoded->count = count;
    for (size_t i = 0; i < count; i++) {
        enum err_code code =
            ossl_cert_to_der(sk_X509_value(certs, (int)i), &encoded->certs[i], err);
        if (code != ERR_OK) {
            return code;
        }
        encoded->views[i] = buf_view(&encoded->certs[i]);
    }
    return ERR_OK;
}

enum err_code next_ca_encode(const struct next_ca *next, struct buf *ret_der, struct err *err)
{
    ERR_clear_error();
    CLEANUP(encoded_done) struct encoded encoded = {0};
    enum err_code code = encode_certs(next->certs, &encoded, err);
    CLEANUP(buf_done) struct buf inner = {0};
    if (code == ERR_OK) {
        code = certs_only_encode(encoded.views, encoded.count, &inner, err);
    }
    const struct ca_key_cms cms = {
        .signer = next->signer, .certs = next->certs, .content = buf_view(&inner)};
    return code == ERR_OK ? ca_key_sign_cms(next->key, &cms, ret_der, err) : code;
}
