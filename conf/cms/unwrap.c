// SPDX-License-Identifier: Apache-2.0
#include "conf/cms/unwrap.h"

#include <openssl/err.h>

enum err_code unwrap_envelope(CMS_ContentInfo *envelope, X509 *cert, EVP_PKEY *key,
                              struct buf *ret_content, struct err *err)
{
    ERR_clear_error();
    // What a memory BIO held is overwritten when it is freed.
    CLEANUP(cleanup_BIO_free_all) BIO *content = BIO_new(BIO_s_mem());
    if (content == NULL) {
        return err_set_openssl(err, ERR_NOMEM, "no memory to open an envelope");
    }
    // The certificate must be given: without it OpenSSL does not hide whether the RSA step failed.
    if (CMS_decrypt(envelope, key, cert, NULL, content, CMS_BINARY) != 1) {
        return err_set_openssl(err, ERR_BAD_REQUEST, "the envelope cannot be opened");
    }
    if (OBJ_obj2nid(CMS_get0_eContentType(envelope)) != NID_pkcs7_data) {
        return err_set(err, ERR_BAD_REQUEST, "encrypted content is not of type id-data");
    }
    return ossl_bio_to_buf(content, ret_content, err);
}
