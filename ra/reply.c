// SPDX-License-Identifier: Apache-2.0
// What belongs into an answer; conf/cms/certrep.c encodes it, here or in scepd-ca.
#include "ra/reply.h"

#include <stdio.h>

static const struct recipient *signer_of(const struct request *request,
                                         const struct reply_tools *tools)
{
    return request->recipient != NULL ? request->recipient : credentials_ra(tools->credentials);
}

static struct certrep begin(const struct request *request, enum certrep_status status)
{
    return (struct certrep){
        .status = status,
        .transaction_id = request_transaction_id(request),
        .recipient_nonce = view_of(request->sender_nonce, request->sender_nonce_len),
        .digest_nid = request->digest_nid,
    };
}

static struct certrep begin_success(const struct request *request)
{
    struct certrep certrep = begin(request, CERTREP_SUCCESS);
    certrep.recipient = request->signer;
    certrep.cipher_nid = request->cipher_nid;
    return certrep;
}

static enum err_code encode(const struct certrep *certrep, const struct request *request,
                            const struct reply_tools *tools, struct buf *ret_der, struct err *err)
{
    const struct recipient *signer = signer_of(request, tools);
    if (signer->key == NULL) {
        return ca_client_seal(tools->ca, certrep, ret_der, err);
    }
    return certrep_encode(certrep, signer->cert, signer->key, ret_der, err);
}

// DER of the CA that issued `certificate`; nothing when it is none of ours any more.
static enum err_code encode_issuer(const struct credentials *credentials, struct view certificate,
                                   struct buf *ret_der, struct err *err)
{
    const struct generations *generations = &credentials->generations;
    CLEANUP(cleanup_X509_free) X509 *cert = NULL;
    enum err_code code = ossl_cert_from_der(certificate, &cert, err);
    if (code != ERR_OK) {
        return err_set(err, ERR_INTERNAL, "a certificate to answer with that cannot be read");
    }
    for (unsigned i = 0; i < generations->count; i++) {
        if (X509_check_issued(generations->list[i].cert, cert) == X509_V_OK) {
            return ossl_cert_to_der(generations->list[i].cert, ret_der, err);
        }
    }
    return ERR_OK;
}

enum err_code reply_success(const struct request *request, const struct reply_tools *tools,
                            struct view certificate, struct buf *ret_der, struct err *err)
{
    struct buf issuer = {0};
    struct certrep certrep = begin_success(request);
    certrep.certificates[0] = certificate;
    certrep.certificate_count = 1;
    enum err_code code = ERR_OK;
    if (tools->settings->scep.reply_chain) {
        code = encode_issuer(tools->credentials, certificate, &issuer, err);
    }
    if (issuer.len > 0) {
        certrep.certificates[certrep.certificate_count++] = buf_view(&issuer);
    }
    if (code == ERR_OK) {
        code = encode(&certrep, request, tools, ret_der, err);
    }
    buf_done(&issuer);
    return code;
}

enum err_code reply_crl(const struct request *request, const struct reply_tools *tools,
                        struct view crl, struct buf *ret_der, struct err *err)
{
    struct certrep certrep = begin_success(request);
    certrep.crl = crl;
    return encode(&certrep, request, tools, ret_der, err);
}

enum err_code reply_failure(const struct request *request, const struct reply_tools *tools,
                            enum fail_info fail_info, const char *text, struct buf *ret_der,
                            struct err *err)
{
    char clipped[FAIL_INFO_TEXT_LEN + 1];
    struct certrep certrep = begin(request, CERTREP_FAILURE);
    certrep.fail_info = fail_info;
    if (text != NULL) {
        struct view fitting = fail_info_clip(text); // here already: scepd-ca takes no longer one
        snprintf(clipped, sizeof clipped, "%.*s", (int)fitting.len, text);
        certrep.fail_info_text = clipped;
    }
    return encode(&certrep, request, tools, ret_der, err);
}

enum err_code reply_pending(const struct request *request, const struct reply_tools *tools,
                            struct buf *ret_der, struct err *err)
{
    struct certrep certrep = begin(request, CERTREP_PENDING);
    return encode(&certrep, request, tools, ret_der, err);
}
