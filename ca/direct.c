// SPDX-License-Identifier: Apache-2.0
// The CA as its own RA. It signs nothing that it did not encode itself, and only certificates and
// CRLs of its own go into an answer.
#include "ca/direct.h"

#include <string.h>

#include <openssl/err.h>

#include "conf/limits.h"

DEFINE_CLEANUP(X509_CRL *, X509_CRL_free);

// What the answer borrows from while it is made.
struct sealing {
    X509 *recipient;
    struct buf issuer; // DER of the CA that issued the certificate
    struct buf text;   // failInfoText with a NUL
};

static void sealing_done(struct sealing *sealing)
{
    X509_free(sealing->recipient);
    buf_done(&sealing->issuer);
    buf_done(&sealing->text);
}

static enum err_code parse_envelope(struct view octets, CMS_ContentInfo **ret_envelope,
                                    struct err *err)
{
    const unsigned char *end = octets.data;
    CLEANUP(cleanup_CMS_ContentInfo_free)
    CMS_ContentInfo *envelope = d2i_CMS_ContentInfo(NULL, &end, (long)octets.len);
    if (envelope == NULL || OBJ_obj2nid(CMS_get0_type(envelope)) != NID_pkcs7_enveloped) {
        return err_set_openssl(err, ERR_BAD_REQUEST, "not an EnvelopedData");
    }
    if (end != octets.data + octets.len) {
        return err_set(err, ERR_BAD_REQUEST, "octets after the end of an EnvelopedData");
    }
    *ret_envelope = envelope;
    envelope = NULL;
    return ERR_OK;
}

static enum err_code check_recipients(CMS_ContentInfo *envelope, X509 *cert, struct err *err)
{
    STACK_OF(CMS_RecipientInfo) *infos = CMS_get0_RecipientInfos(envelope);
    int count = sk_CMS_RecipientInfo_num(infos);
    if (count < 1 || count > LIMIT_RECIPIENTS) {
        return err_set(err, ERR_BAD_REQUEST, "an envelope for %d recipients; allowed: 1 to %d",
                       count, LIMIT_RECIPIENTS);
    }
    bool is_ours = false;
    for (int i = 0; i < count; i++) {
        CMS_RecipientInfo *info = sk_CMS_RecipientInfo_value(infos, i);
        if (CMS_RecipientInfo_type(info) != CMS_RECIPINFO_TRANS) {
            return err_set(err, ERR_BAD_REQUEST, "a recipient that is no KeyTransRecipientInfo");
        }
        is_ours = is_ours || CMS_RecipientInfo_ktri_cert_cmp(info, cert) == 0;
    }
    ERR_clear_error();
    return is_ours ? ERR_OK
                   : err_set(err, ERR_BAD_REQUEST, "no recipient of the envelope is this CA");
}

enum err_code direct_unwrap(const struct direct *direct, struct view envelope,
                            struct buf *ret_content, struct err *err)
{
    ERR_clear_error();
    const struct authority *ca = direct->list[0];
    CLEANUP(cleanup_CMS_ContentInfo_free) CMS_ContentInfo *parsed = NULL;
    enum err_code code = parse_envelope(envelope, &parsed, err);
    if (code == ERR_OK) {
        code = check_recipients(parsed, authority_cert(ca), err);
    }
    return code == ERR_OK
               ? ca_key_unwrap(authority_key(ca), authority_cert(ca), parsed, ret_content, err)
               : code;
}

static bool is_digest_allowed(const struct direct *direct, uint32_t nid)
{
    switch (nid) {
    case NID_undef: // certrep_encode() takes SHA-256 then
    case NID_sha256:
    case NID_sha384:
    case NID_sha512:
        return true;
    case NID_sha1:
        return direct->is_sha1_allowed;
    case NID_md5:
        return direct->is_md5_allowed;
    default:
        return false;
    }
}

static enum err_code check_order(const struct direct *direct, const struct seal_order *order,
                                 struct err *err)
{
    if (!is_digest_allowed(direct, order->digest_nid)) {
        return err_set(err, ERR_BAD_ALG, "an answer signed with the digest %u is not allowed",
                       (unsigned)order->digest_nid);
    }
    bool is_success = order->status == CERTREP_SUCCESS;
    unsigned contents = (order->certificate.len > 0 ? 1U : 0) + (order->crl.len > 0 ? 1U : 0);
    if (contents != (is_success ? 1 : 0)) {
        return err_set(err, ERR_BAD_REQUEST,
                       "an answer with pkiStatus %u and %u certificates and CRLs",
                       (unsigned)order->status, contents);
    }
    return ERR_OK;
}

static enum err_code find_issuer(const struct direct *direct, struct view der,
                                 const struct authority **ret_issuer, struct err *err)
{
    CLEANUP(cleanup_X509_free) X509 *cert = NULL;
    if (ossl_cert_from_der(der, &cert, err) != ERR_OK) {
        return err_set(err, ERR_BAD_REQUEST, "what is to be sealed is not a certificate");
    }
    for (unsigned i = 0; i < direct->count; i++) {
        if (authority_has_issued(direct->list[i], cert)) {
            *ret_issuer = direct->list[i];
            return ERR_OK;
        }
    }
    return err_set(err, ERR_DENIED, "a certificate that no CA here issued is to be sealed");
}

static enum err_code check_crl(const struct direct *direct, struct view der, struct err *err)
{
    const unsigned char *end = der.data;
    CLEANUP(cleanup_X509_CRL_free) X509_CRL *crl = d2i_X509_CRL(NULL, &end, (long)der.len);
    if (crl == NULL || end != der.data + der.len) {
        return err_set_openssl(err, ERR_BAD_REQUEST, "what is to be sealed is not a CRL");
    }
    for (unsigned i = 0; i < direct->count; i++) {
        if (authority_has_signed(direct->list[i], crl)) {
            return ERR_OK;
        }
    }
    return err_set(err, ERR_DENIED, "a CRL that no CA here signed is to be sealed");
}

static enum err_code set_certificates(const struct direct *direct, const struct seal_order *order,
                                      struct sealing *sealing, struct certrep *certrep,
                                      struct err *err)
{
    const struct authority *issuer = NULL;
    enum err_code code = find_issuer(direct, order->certificate, &issuer, err);
    if (code != ERR_OK) {
        return code;
    }
    certrep->certificates[certrep->certificate_count++] = order->certificate;
    if (direct->has_chain) {
        code = ossl_cert_to_der(authority_cert(issuer), &sealing->issuer, err);
        certrep->certificates[certrep->certificate_count++] = buf_view(&sealing->issuer);
    }
    return code;
}

static enum err_code set_success(const struct direct *direct, const struct seal_order *order,
                                 struct sealing *sealing, struct certrep *certrep, struct err *err)
{
    if (ossl_cert_from_der(order->recipient, &sealing->recipient, err) != ERR_OK) {
        return err_set(err, ERR_BAD_REQUEST, "the recipient of an answer is not a certificate");
    }
    certrep->recipient = sealing->recipient;
    certrep->crl = order->crl;
    return order->crl.len > 0 ? check_crl(direct, order->crl, err)
                              : set_certificates(direct, order, sealing, certrep, err);
}

static enum err_code set_failure(const struct seal_order *order, struct sealing *sealing,
                                 struct certrep *certrep, struct err *err)
{
    certrep->fail_info = (enum fail_info)order->fail_info;
    struct view text = order->fail_info_text;
    if (text.len == 0) {
        return ERR_OK;
    }
    if (memchr(text.data, '\0', text.len) != NULL) {
        return err_set(err, ERR_BAD_REQUEST, "a failInfoText with a NUL");
    }
    enum err_code code = buf_append(&sealing->text, text, err);
    if (code == ERR_OK) {
        code = buf_append(&sealing->text, view_of("", 1), err);
    }
    certrep->fail_info_text = (const char *)sealing->text.data;
    return code;
}

enum err_code direct_seal(const struct direct *direct, const struct seal_order *order,
                          struct buf *ret_der, struct err *err)
{
    ERR_clear_error();
    const struct authority *ca = direct->list[0];
    CLEANUP(sealing_done) struct sealing sealing = {0};
    struct certrep certrep = {
        .status = (enum certrep_status)order->status,
        .transaction_id = order->transaction_id,
        .recipient_nonce = order->recipient_nonce,
        .digest_nid = (int)order->digest_nid,
        .cipher_nid = (int)order->cipher_nid,
    };
    enum err_code code = check_order(direct, order, err);
    if (code == ERR_OK && certrep.status == CERTREP_SUCCESS) {
        code = set_success(direct, order, &sealing, &certrep, err);
    }
    if (code == ERR_OK && certrep.status == CERTREP_FAILURE) {
        code = set_failure(order, &sealing, &certrep, err);
    }
    return code == ERR_OK
               ? ca_key_seal(authority_key(ca), authority_cert(ca), &certrep, ret_der, err)
               : code;
}
