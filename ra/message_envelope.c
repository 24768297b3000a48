// SPDX-License-Identifier: Apache-2.0
// Steps 10 to 12 of the error ladder: whether an envelope may be opened, and opening it.
#include "ra/message.h"

#include <string.h>

#include <openssl/err.h>

#include "conf/cms/unwrap.h"
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

// The RA that a RecipientInfo names; NULL when it is none of ours, or not any more.
static const struct recipient *find_recipient(CMS_RecipientInfo *info,
                                              const struct credentials *credentials, int64_t now)
{
    for (unsigned i = 0; i < credentials->recipient_count; i++) {
        const struct recipient *recipient = &credentials->recipients[i];
        bool is_over = recipient->until != 0 && now >= recipient->until;
        if (!is_over && CMS_RecipientInfo_ktri_cert_cmp(info, recipient->cert) == 0) {
            return recipient;
        }
    }
    return NULL;
}

enum err_code message_check_envelope(struct request *request, const struct settings *settings,
                                     const struct credentials *credentials, int64_t now,
                                     struct err *err)
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
    STACK_OF(CMS_RecipientInfo) *infos = CMS_get0_RecipientInfos(request->envelope);
    for (unsigned i = 0; i < summary.recipient_count; i++) {
        const struct recipient *recipient =
            find_recipient(sk_CMS_RecipientInfo_value(infos, (int)i), credentials, now);
        if (recipient != NULL) {
            request->recipient = recipient;
            memcpy(request->envelope_hash, summary.key_hashes[i], SHA256_LEN);
            return ERR_OK;
        }
    }
    return err_set(err, ERR_BAD_REQUEST, "no recipient of the envelope is this server's RA");
}

static enum err_code unwrap_by_ca(struct request *request, struct ca_client *ca,
                                  struct buf *ret_content, struct err *err)
{
    unsigned char *der = NULL;
    int len = i2d_CMS_ContentInfo(request->envelope, &der);
    if (len < 0) {
        return err_set_openssl(err, ERR_BAD_REQUEST, "an envelope that cannot be passed on");
    }
    enum err_code code = ca_client_unwrap(ca, view_of(der, (size_t)len), ret_content, err);
    OPENSSL_free(der);
    return code;
}

enum err_code message_decrypt(struct request *request, struct ca_client *ca,
                              struct buf *ret_content, struct err *err)
{
    const struct recipient *recipient = request->recipient;
    ERR_clear_error();
    if (request->envelope == NULL || recipient == NULL) {
        return err_set(err, ERR_BAD_REQUEST, "nothing to decrypt");
    }
    if (recipient->key == NULL) {
        return unwrap_by_ca(request, ca, ret_content, err);
    }
    return unwrap_envelope(request->envelope, recipient->cert, recipient->key, ret_content, err);
}
