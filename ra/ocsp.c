// SPDX-License-Identifier: Apache-2.0
#include "ra/ocsp.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/ocsp.h>

#include "conf/limits.h"
#include "ra/ocsp_signers.h"

#define NONCE_VALUE_MAX (2 + 32) // octets: RFC 8954's 32 in an OCTET STRING

DEFINE_CLEANUP(OCSP_REQUEST *, OCSP_REQUEST_free);
DEFINE_CLEANUP(OCSP_BASICRESP *, OCSP_BASICRESP_free);
DEFINE_CLEANUP(OCSP_RESPONSE *, OCSP_RESPONSE_free);
DEFINE_CLEANUP(OCSP_CERTID *, OCSP_CERTID_free);

// What an answer is made from.
struct asking {
    OCSP_REQUEST *request;
    struct store *store;
    const struct ocsp_signer *signer;
    int64_t now;
    ASN1_TIME *this_update;
    ASN1_TIME *next_update;
};

static const struct {
    int status;
    const char *name;
} statuses[] = {
    {OCSP_RESPONSE_STATUS_SUCCESSFUL, NULL},
    {OCSP_RESPONSE_STATUS_MALFORMEDREQUEST, "malformedRequest"},
    {OCSP_RESPONSE_STATUS_INTERNALERROR, "internalError"},
    {OCSP_RESPONSE_STATUS_TRYLATER, "tryLater"},
    {OCSP_RESPONSE_STATUS_UNAUTHORIZED, "unauthorized"},
};

static const char *trouble_name(int status)
{
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        if (statuses[i].status == status) {
            return statuses[i].name;
        }
    }
    return "unknown";
}

// `basic` NULL unless `status` is successful.
static enum err_code encode(int status, OCSP_BASICRESP *basic, struct ocsp_answer *ret_answer,
                            struct err *err)
{
    CLEANUP(cleanup_OCSP_RESPONSE_free)
    OCSP_RESPONSE *response = OCSP_response_create(status, basic);
    unsigned char *der = NULL;
    int len = response != NULL ? i2d_OCSP_RESPONSE(response, &der) : -1;
    if (len < 0) {
        return err_set_openssl(err, ERR_CRYPTO, "cannot make an OCSP answer");
    }
    struct ocsp_answer answer = {.trouble = trouble_name(status)};
    enum err_code code = buf_copy(view_of(der, (size_t)len), &answer.der, err);
    OPENSSL_free(der);
    if (code == ERR_OK) {
        *ret_answer = answer;
    }
    return code;
}

static OCSP_REQUEST *parse(struct view octets)
{
    const unsigned char *end = octets.data;
    if (octets.len == 0 || octets.len > OCSP_REQUEST_LEN) {
        return NULL;
    }
    OCSP_REQUEST *request = d2i_OCSP_REQUEST(NULL, &end, (long)octets.len);
    if (request != NULL && end != octets.data + octets.len) {
        OCSP_REQUEST_free(request);
        request = NULL;
    }
    return request;
}

static X509_EXTENSION *nonce_of(OCSP_REQUEST *request)
{
    int at = OCSP_REQUEST_get_ext_by_NID(request, NID_id_pkix_OCSP_Nonce, -1);
    return at >= 0 ? OCSP_REQUEST_get_ext(request, at) : NULL;
}

static bool is_nonce_sound(OCSP_REQUEST *request)
{
    X509_EXTENSION *nonce = nonce_of(request);
    if (nonce == NULL) {
        return true;
    }
    int len = ASN1_STRING_length(X509_EXTENSION_get_data(nonce));
    return len > 0 && len <= NONCE_VALUE_MAX;
}

// RFC 6960, 4.4: what is critical must be understood, and the nonce is all that is.
static bool has_strange_extension(OCSP_REQUEST *request)
{
    for (int i = 0; i < OCSP_REQUEST_get_ext_count(request); i++) {
        X509_EXTENSION *extension = OCSP_REQUEST_get_ext(request, i);
        bool is_nonce = OBJ_obj2nid(X509_EXTENSION_get_object(extension)) == NID_id_pkix_OCSP_Nonce;
        if (X509_EXTENSION_get_critical(extension) == 1 && !is_nonce) {
            return true;
        }
    }
    for (int i = 0; i < OCSP_request_onereq_count(request); i++) {
        OCSP_ONEREQ *one = OCSP_request_onereq_get0(request, i);
        if (OCSP_ONEREQ_get_ext_by_critical(one, 1, -1) >= 0) {
            return true;
        }
    }
    return false;
}

static bool is_well_formed(OCSP_REQUEST *request)
{
    int count = OCSP_request_onereq_count(request);
    return count > 0 && count <= OCSP_ENTRIES_MAX && is_nonce_sound(request) &&
           !has_strange_extension(request);
}

// The digests that a question may name its CA by.
static const EVP_MD *digest_of(const ASN1_OBJECT *algorithm)
{
    switch (OBJ_obj2nid(algorithm)) {
    case NID_sha1:
        return EVP_sha1();
    case NID_sha256:
        return EVP_sha256();
    case NID_sha384:
        return EVP_sha384();
    case NID_sha512:
        return EVP_sha512();
    default:
        return NULL;
    }
}

static bool is_issued_by(OCSP_CERTID *id, const X509 *issuer)
{
    ASN1_OBJECT *algorithm = NULL;
    OCSP_id_get0_info(NULL, &algorithm, NULL, NULL, id);
    const EVP_MD *digest = digest_of(algorithm);
    if (digest == NULL) {
        return false;
    }
    CLEANUP(cleanup_OCSP_CERTID_free)
    OCSP_CERTID *own = OCSP_cert_id_new(digest, X509_get_subject_name(issuer),
                                        X509_get0_pubkey_bitstr(issuer), NULL);
    return own != NULL && OCSP_id_issuer_cmp(own, id) == 0;
}

static const struct ocsp_signer *find_signer(const struct ocsp_signers *signers,
                                             OCSP_REQUEST *request)
{
    for (int i = 0; i < OCSP_request_onereq_count(request); i++) {
        OCSP_CERTID *id = OCSP_onereq_get0_id(OCSP_request_onereq_get0(request, i));
        for (unsigned at = 0; at < signers->count; at++) {
            if (is_issued_by(id, signers->list[at].issuer)) {
                return &signers->list[at];
            }
        }
    }
    return NULL;
}

// False for a number that none of our certificates can have.
static bool read_serial(OCSP_CERTID *id, uint8_t ret_serial[SERIAL_LEN])
{
    ASN1_INTEGER *serial = NULL;
    OCSP_id_get0_info(NULL, NULL, NULL, &serial, id);
    if (ASN1_STRING_type(serial) != V_ASN1_INTEGER || ASN1_STRING_length(serial) != SERIAL_LEN) {
        return false;
    }
    memcpy(ret_serial, ASN1_STRING_get0_data(serial), SERIAL_LEN);
    return true;
}

static bool add_status(const struct asking *asking, OCSP_BASICRESP *basic, OCSP_CERTID *id,
                       const struct store_certificate *certificate)
{
    int status = V_OCSP_CERTSTATUS_UNKNOWN;
    int reason = OCSP_REVOKED_STATUS_NOSTATUS;
    ASN1_TIME *revoked_at = NULL;
    if (certificate != NULL && certificate->status == CERTIFICATE_REVOKED) {
        status = V_OCSP_CERTSTATUS_REVOKED;
        revoked_at = ASN1_TIME_adj(NULL, (time_t)certificate->revoked_at, 0, 0);
        // RFC 5280, 5.3.1: absent rather than unspecified.
        if (certificate->revocation_reason != REVOCATION_UNSPECIFIED) {
            reason = certificate->revocation_reason;
        }
    } else if (certificate != NULL) {
        status = V_OCSP_CERTSTATUS_GOOD;
    }
    bool is_added = OCSP_basic_add1_status(basic, id, status, reason, revoked_at,
                                           asking->this_update, asking->next_update) != NULL;
    ASN1_TIME_free(revoked_at);
    return is_added;
}

static enum err_code answer_one(const struct asking *asking, OCSP_BASICRESP *basic, OCSP_CERTID *id,
                                struct err *err)
{
    uint8_t serial[SERIAL_LEN];
    struct store_certificate certificate = {0};
    bool is_known = false;
    if (read_serial(id, serial) && is_issued_by(id, asking->signer->issuer)) {
        enum err_code code = store_find_serial(asking->store, serial, &certificate, err);
        if (code != ERR_OK && code != ERR_NOT_FOUND) {
            return code;
        }
        is_known =
            code == ERR_OK && memcmp(certificate.issuer, asking->signer->id, SHA256_LEN) == 0;
    }
    bool is_added = add_status(asking, basic, id, is_known ? &certificate : NULL);
    store_certificate_done(&certificate);
    return is_added ? ERR_OK : err_set_openssl(err, ERR_CRYPTO, "cannot make an OCSP answer");
}

// OpenSSL would read the clock itself (producedAt), hence OCSP_NOTIME; it has no call to set it.
static bool set_produced_at(OCSP_BASICRESP *basic, int64_t now)
{
    ASN1_GENERALIZEDTIME *time = (ASN1_GENERALIZEDTIME *)OCSP_resp_get0_produced_at(basic);
    return ASN1_GENERALIZEDTIME_set(time, (time_t)now) != NULL;
}

static enum err_code sign(const struct asking *asking, OCSP_BASICRESP *basic, struct err *err)
{
    bool has_nonce = OCSP_copy_nonce(basic, asking->request) != 0; // 2 = there is none
    if (!has_nonce || !set_produced_at(basic, asking->now) ||
        OCSP_basic_sign(basic, asking->signer->cert, asking->signer->key, EVP_sha256(), NULL,
                        OCSP_RESPID_KEY | OCSP_NOTIME) != 1) {
        return err_set_openssl(err, ERR_CRYPTO, "cannot sign an OCSP answer");
    }
    return ERR_OK;
}

static enum err_code answer_all(const struct asking *asking, OCSP_BASICRESP *basic, struct err *err)
{
    enum err_code code = ERR_OK;
    int count = OCSP_request_onereq_count(asking->request);
    for (int i = 0; code == ERR_OK && i < count; i++) {
        OCSP_CERTID *id = OCSP_onereq_get0_id(OCSP_request_onereq_get0(asking->request, i));
        code = answer_one(asking, basic, id, err);
    }
    return code == ERR_OK ? sign(asking, basic, err) : code;
}

static enum err_code answer_signed(struct asking *asking, struct ocsp_answer *ret_answer,
                                   struct err *err)
{
    CLEANUP(cleanup_ASN1_TIME_free)
    ASN1_TIME *this_update = ASN1_TIME_adj(NULL, (time_t)asking->now, 0, 0);
    CLEANUP(cleanup_ASN1_TIME_free)
    ASN1_TIME *next_update = ASN1_TIME_adj(NULL, (time_t)asking->now, 0, OCSP_VALID_SEC);
    CLEANUP(cleanup_OCSP_BASICRESP_free) OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
    if (this_update == NULL || next_update == NULL || basic == NULL) {
        return err_set(err, ERR_NOMEM, "no memory for an OCSP answer");
    }
    asking->this_update = this_update;
    asking->next_update = next_update;
    struct err trouble = {0};
    enum err_code code = answer_all(asking, basic, &trouble);
    if (code == ERR_BUSY) {
        return encode(OCSP_RESPONSE_STATUS_TRYLATER, NULL, ret_answer, err);
    }
    if (code == ERR_IO) {
        return encode(OCSP_RESPONSE_STATUS_INTERNALERROR, NULL, ret_answer, err);
    }
    if (code != ERR_OK) {
        return err_set(err, code, "%s", trouble.text);
    }
    code = encode(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic, ret_answer, err);
    if (code == ERR_OK && nonce_of(asking->request) == NULL) {
        ret_answer->max_age_sec = OCSP_VALID_SEC;
    }
    return code;
}

static bool is_valid(const struct ocsp_signer *signer, int64_t now)
{
    int64_t not_after = 0;
    return ossl_time_read(X509_get0_notAfter(signer->cert), &not_after) && now <= not_after;
}

enum err_code ocsp_answer(struct ocsp *ocsp, struct store *store, struct view request, int64_t now,
                          struct ocsp_answer *ret_answer, struct err *err)
{
    ERR_clear_error();
    CLEANUP(cleanup_OCSP_REQUEST_free) OCSP_REQUEST *parsed = parse(request);
    if (parsed == NULL || !is_well_formed(parsed)) {
        ERR_clear_error();
        return encode(OCSP_RESPONSE_STATUS_MALFORMEDREQUEST, NULL, ret_answer, err);
    }
    CLEANUP(cleanup_ocsp_signers_unref) struct ocsp_signers *signers = ocsp_signers_get(ocsp);
    if (signers == NULL || signers->count == 0) {
        return encode(OCSP_RESPONSE_STATUS_TRYLATER, NULL, ret_answer, err);
    }
    struct asking asking = {
        .request = parsed,
        .store = store,
        .signer = find_signer(signers, parsed),
        .now = now,
    };
    if (asking.signer == NULL) {
        return encode(OCSP_RESPONSE_STATUS_UNAUTHORIZED, NULL, ret_answer, err);
    }
    if (!is_valid(asking.signer, now)) {
        return encode(OCSP_RESPONSE_STATUS_TRYLATER, NULL, ret_answer, err);
    }
    return answer_signed(&asking, ret_answer, err);
}
