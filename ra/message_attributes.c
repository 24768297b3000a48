// SPDX-License-Identifier: Apache-2.0
#include "ra/message_attributes.h"

#include <string.h>

#include "conf/cms/oids.h"

struct type_name {
    enum message_type type;
    const char *value; // on the wire
    const char *name;
};

static const struct type_name types[] = {
    {MESSAGE_CERT_REP, "3", "CertRep"},      {MESSAGE_RENEWAL_REQ, "17", "RenewalReq"},
    {MESSAGE_UPDATE_REQ, "18", "UpdateReq"}, {MESSAGE_PKCS_REQ, "19", "PKCSReq"},
    {MESSAGE_CERT_POLL, "20", "CertPoll"},   {MESSAGE_GET_CERT, "21", "GetCert"},
    {MESSAGE_GET_CRL, "22", "GetCRL"},
};
#define TYPE_COUNT (sizeof types / sizeof types[0])

const char *message_type_name(enum message_type type)
{
    for (size_t i = 0; i < TYPE_COUNT; i++) {
        if (types[i].type == type) {
            return types[i].name;
        }
    }
    return "unknown";
}

static const void *attribute(const CMS_SignerInfo *signer_info, const char *oid, int type)
{
    CLEANUP(cleanup_ASN1_OBJECT_free) ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    if (object == NULL) {
        return NULL;
    }
    return CMS_signed_get0_data_by_OBJ(signer_info, object, ONE_ATTRIBUTE_ONE_VALUE, type);
}

bool message_has_attribute(const CMS_SignerInfo *signer_info, const char *oid)
{
    CLEANUP(cleanup_ASN1_OBJECT_free) ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    return object == NULL || CMS_signed_get_attr_by_OBJ(signer_info, object, -1) >= 0;
}

// X.680, 41.4; the decoder does not look at the characters.
static bool is_printable_string(struct view text)
{
    static const char punctuation[] = " '()+,-./:=?";
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        bool is_letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        bool is_digit = c >= '0' && c <= '9';
        if (!is_letter && !is_digit && (c == '\0' || strchr(punctuation, c) == NULL)) {
            return false;
        }
    }
    return true;
}

static enum err_code read_transaction_id(const CMS_SignerInfo *signer_info, struct request *request,
                                         struct err *err)
{
    const ASN1_STRING *value = attribute(signer_info, OID_TRANSACTION_ID, V_ASN1_PRINTABLESTRING);
    if (value == NULL) {
        return err_set_openssl(err, ERR_SYNTAX,
                               "no transactionID, or not once as a PrintableString");
    }
    struct view id = ossl_string_view(value);
    if (id.len == 0 || id.len > LIMIT_TRANSACTION_ID) {
        return err_set(err, ERR_LIMIT, "a transactionID of %zu octets; allowed: 1 to %d", id.len,
                       LIMIT_TRANSACTION_ID);
    }
    if (!is_printable_string(id)) {
        return err_set(err, ERR_SYNTAX, "a transactionID with octets that no PrintableString has");
    }
    memcpy(request->transaction_id, id.data, id.len);
    request->transaction_id_len = id.len;
    return ERR_OK;
}

static enum err_code read_sender_nonce(const CMS_SignerInfo *signer_info, struct request *request,
                                       struct err *err)
{
    const ASN1_STRING *value = attribute(signer_info, OID_SENDER_NONCE, V_ASN1_OCTET_STRING);
    if (value == NULL) {
        return err_set_openssl(err, ERR_SYNTAX, "no senderNonce, or not once as an OCTET STRING");
    }
    struct view nonce = ossl_string_view(value);
    if (nonce.len == 0 || nonce.len > LIMIT_NONCE) {
        return err_set(err, ERR_LIMIT, "a senderNonce of %zu octets; allowed: 1 to %d", nonce.len,
                       LIMIT_NONCE);
    }
    memcpy(request->sender_nonce, nonce.data, nonce.len);
    request->sender_nonce_len = nonce.len;
    return ERR_OK;
}

static enum err_code read_message_type(const CMS_SignerInfo *signer_info, struct request *request,
                                       struct err *err)
{
    const ASN1_STRING *value = attribute(signer_info, OID_MESSAGE_TYPE, V_ASN1_PRINTABLESTRING);
    if (value == NULL) {
        return err_set_openssl(err, ERR_BAD_REQUEST,
                               "no messageType, or not once as a PrintableString");
    }
    struct view text = ossl_string_view(value);
    for (size_t i = 0; i < TYPE_COUNT; i++) {
        if (view_is_text(text, types[i].value)) {
            request->type = types[i].type;
        }
    }
    return ERR_OK;
}

enum err_code message_read_attributes(const CMS_SignerInfo *signer_info, struct request *request,
                                      struct err *err)
{
    if (CMS_signed_get_attr_count(signer_info) < 1) {
        return err_set(err, ERR_SYNTAX, "no signed attributes");
    }
    enum err_code code = read_transaction_id(signer_info, request, err);
    if (code == ERR_OK) {
        code = read_sender_nonce(signer_info, request, err);
    }
    if (code != ERR_OK) {
        return code;
    }
    request->is_answerable = true;
    return read_message_type(signer_info, request, err);
}
