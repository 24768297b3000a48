// SPDX-License-Identifier: Apache-2.0
// Steps 10 to 12 of the error ladder: whether an envelope may be opened, and opening it.
#include "ra/message.h"

#include <string.h>

#include <openssl/err.h>

#include "ra/algorithms.h"
#include "ra/envelope.h"

static enum err_code check_recipient_algorithm(CMS_RecipientInfo *recipient,
                                               const struct settings *settings, struct err *err)
{
    X509_ALGOR *algorithm = NULL;
    if (CMS_RecipientInfo_type(recipient) != CMS_RECIPINFO_TRANS) {
        return err_set(err, ERR_BAD_ALG,
                       "a recipient that is no KeyTransRecipientInfo; RSA keys only");
    }
    if (CMS_RecipientInfo_ktri_get0_algs(recipient, NULL, NULL, &algorithm) != 1 ||
        !algorithms_is_key_transport_allowed(algorithm, settings)) {
        return err_set_openssl(
            err, ERR_BAD_ALG, "key transport algorithm %s is not allowed",
            algorithm != NULL ? algorithms_name(OBJ_obj2nid(algorithm->algorithm)) : "?");
    }
    return ERR_OK;
}

static enum err_code check_envelope_algorithms(struct request *request, int cipher_nid,
                                               const struct settings *settings, struct err *err)
{
    STACK_OF(CMS_RecipientInfo) *recipients = CMS_get0_RecipientInfos(request->envelope);
    for (int i = 0; i < sk_CMS_RecipientInfo_num(recipients); i++) {
        enum err_code code =
            check_recipient_algorithm(sk_CMS_RecipientInfo_value(recipients, i), settings, err);
        if (code != ERR_OK) {
            return code;
        }
    }
    if (!algorithms_is_cipher_allowed(cipher_nid, settings)) {
        return err_set(err, ERR_BAD_ALG, "content encryption algorithm %s is not allowed",
                       algorithms_name(cipher_nid));
    }
    request->cipher_nid = cipher_nid;
    return ERR_OK;
}

enum err_code message_check_envelope(struct request *request, const struct settings *settings,
                                     const struct credentials *credentials, struct err *err)
{
    struct envelope_summary summary;
    ERR_clear_error();
    if (request->envelope == NULL) {
        return err_set(err, ERR_BAD_REQUEST, "no envelope");
    }
    enum err_code code =
        envelope_summarise(ossl_string_view(*CMS_get0_content(request->outer)), &summary, err);
    if (code == ERR_OK) {
        code = check_envelope_algorithms(request, summary.cipher_nid, settings, err);
    }
    if (code != ERR_OK) {
        return code;
    }
    STACK_OF(CMS_RecipientInfo) *recipients = CMS_get0_RecipientInfos(request->envelope);
    for (unsigned i = 0; i < summary.recipient_count; i++) {
        CMS_RecipientInfo *recipient = sk_CMS_RecipientInfo_value(recipients, (int)i);
        if (CMS_RecipientInfo_ktri_cert_cmp(recipient, credentials->ra_cert) == 0) {
            memcpy(request->envelope_hash, summary.key_hashes[i], SHA256_LEN);
            return ERR_OK;
        }
    }
    return err_set(err, ERR_BAD_REQUEST, "no recipient of the envelope is this server's RA");
}

enum err_code message_decrypt(struct request *request, const struct credentials *credentials,
                              struct buf *ret_content, struct err *err)
{
    ERR_clear_error();
    CLEANUP(cleanup_BIO_free_all) BIO *content = BIO_new(BIO_s_mem());
    if (content == NULL || request->envelope == NULL) {
        return err_set_openssl(err, ERR_BAD_REQUEST, "nothing to decrypt");
    }
    // With key and certificate given, OpenSSL goes on with a random key when the RSA step fails, so
    // that padding errors do not show.
    int is_open = CMS_decrypt(request->envelope, credentials->ra_key, credentials->ra_cert, NULL,
                              content, CMS_BINARY);
    if (is_open != 1) {
        return err_set_openssl(err, ERR_BAD_REQUEST, "the envelope cannot be opened");
    }
    if (OBJ_obj2nid(CMS_get0_eContentType(request->envelope)) != NID_pkcs7_data) {
        return err_set(err, ERR_BAD_REQUEST, "encrypted content is not of type id-data");
    }
    return ossl_bio_to_buf(content, ret_content, err);
}
