// SPDX-License-Identifier: Apache-2.0
// The steps are numbered as in the error ladder of ra/README.md. Whatever a step needs it takes
// from the structure as OpenSSL parsed it; nothing is encoded again to be hashed, except the signed
// attributes, for which RFC 5652 (5.4) demands it.
#include "ra/message.h"

#include <string.h>

#include <openssl/asn1t.h>
#include <openssl/err.h>

#include "conf/cms/oids.h"
#include "conf/keys.h"
#include "ra/algorithms.h"
#include "ra/message_attributes.h"
#include "ra/trust.h"

// What message_open() works with.
struct opening {
    const struct settings *settings;
    int64_t now;
    struct request *request;
    CMS_SignerInfo *signer_info; // inside request->outer
    struct err *err;
};

// clang-format off
// RFC 5652, 5.4: the attributes as they are hashed. SET OF, so that encoding sorts them.
ASN1_ITEM_TEMPLATE(SORTED_ATTRIBUTES) =
    ASN1_EX_TEMPLATE_TYPE(ASN1_TFLG_SET_OF, 0, SORTED_ATTRIBUTES, X509_ATTRIBUTE)
static_ASN1_ITEM_TEMPLATE_END(SORTED_ATTRIBUTES)

DEFINE_CLEANUP(STACK_OF(X509_ATTRIBUTE) *, sk_X509_ATTRIBUTE_free);
// clang-format on

void request_done(struct request *request)
{
    X509_free(request->signer);
    free_cert_stack(request->certs);
    buf_done(&request->signer_spki);
    CMS_ContentInfo_free(request->outer);
    CMS_ContentInfo_free(request->envelope);
    *request = (struct request){0};
}

// BER or DER that ends where `octets` end; NULL otherwise.
static CMS_ContentInfo *parse_content_info(struct view octets)
{
    const unsigned char *end = octets.data;
    CMS_ContentInfo *info = d2i_CMS_ContentInfo(NULL, &end, (long)octets.len);
    if (info != NULL && end != octets.data + octets.len) {
        CMS_ContentInfo_free(info);
        return NULL;
    }
    return info;
}

static enum err_code open_outer(struct opening *opening, struct view octets)
{
    struct err *err = opening->err;
    if (octets.len == 0 || octets.len > LIMIT_MESSAGE_LEN) {
        return err_set(err, octets.len == 0 ? ERR_SYNTAX : ERR_LIMIT,
                       "a message of %zu octets; allowed: 1 to %d", octets.len, LIMIT_MESSAGE_LEN);
    }
    CMS_ContentInfo *outer = parse_content_info(octets);
    opening->request->outer = outer;
    if (outer == NULL || OBJ_obj2nid(CMS_get0_type(outer)) != NID_pkcs7_signed) {
        return err_set_openssl(err, ERR_SYNTAX, "not a CMS SignedData that fills the message");
    }
    opening->request->certs = CMS_get1_certs(outer);
    int cert_count = sk_X509_num(opening->request->certs); // -1 = none
    if (cert_count > LIMIT_MESSAGE_CERTS) {
        return err_set(err, ERR_LIMIT, "%d certificates in a message; allowed: %d", cert_count,
                       LIMIT_MESSAGE_CERTS);
    }
    STACK_OF(CMS_SignerInfo) *signers = CMS_get0_SignerInfos(outer);
    int count = signers != NULL ? sk_CMS_SignerInfo_num(signers) : 0;
    if (count != 1) {
        return err_set(err, ERR_SYNTAX, "%d signers; expected one", count);
    }
    opening->signer_info = sk_CMS_SignerInfo_value(signers, 0);
    return ERR_OK;
}

// Known early, because every answer mirrors it.
static void note_digest(struct opening *opening)
{
    X509_ALGOR *digest = NULL;
    CMS_SignerInfo_get0_algs(opening->signer_info, NULL, NULL, &digest, NULL);
    int nid = OBJ_obj2nid(digest->algorithm);
    const struct settings *settings = opening->settings;
    if (algorithms_is_digest_allowed(nid, settings->algorithms.sha1, settings->algorithms.legacy)) {
        opening->request->digest_nid = nid;
    }
}

static enum err_code read_attributes(struct opening *opening)
{
    return message_read_attributes(opening->signer_info, opening->request, opening->err);
}

// Whether messages of this type carry an envelope.
static bool is_served_type(enum message_type type)
{
    return type != MESSAGE_UNKNOWN && type != MESSAGE_CERT_REP;
}

static enum err_code open_content(struct opening *opening)
{
    struct request *request = opening->request;
    if (OBJ_obj2nid(CMS_get0_eContentType(request->outer)) != NID_pkcs7_data) {
        return err_set(opening->err, ERR_BAD_REQUEST, "signed content is not of type id-data");
    }
    if (!is_served_type(request->type)) {
        return ERR_OK;
    }
    ASN1_OCTET_STRING **content = CMS_get0_content(request->outer);
    if (content == NULL || *content == NULL) {
        return err_set(opening->err, ERR_BAD_REQUEST, "no signed content");
    }
    CMS_ContentInfo *envelope = parse_content_info(ossl_string_view(*content));
    if (envelope == NULL || OBJ_obj2nid(CMS_get0_type(envelope)) != NID_pkcs7_enveloped) {
        CMS_ContentInfo_free(envelope);
        return err_set_openssl(opening->err, ERR_BAD_REQUEST,
                               "signed content is not exactly one EnvelopedData");
    }
    request->envelope = envelope;
    return ERR_OK;
}

static bool is_ec_signature(int signature_nid)
{
    int key_nid = NID_undef;
    return OBJ_find_sigid_algs(signature_nid, NULL, &key_nid) == 1 &&
           key_nid == NID_X9_62_id_ecPublicKey;
}

static enum err_code check_algorithms(struct opening *opening)
{
    X509_ALGOR *digest = NULL;
    X509_ALGOR *signature = NULL;
    CMS_SignerInfo_get0_algs(opening->signer_info, NULL, NULL, &digest, &signature);
    int digest_nid = opening->request->digest_nid;
    if (digest_nid == NID_undef) {
        return err_set(opening->err, ERR_BAD_ALG, "digest algorithm %s is not allowed",
                       algorithms_name(OBJ_obj2nid(digest->algorithm)));
    }
    int signature_nid = OBJ_obj2nid(signature->algorithm);
    if (is_ec_signature(signature_nid)) {
        return err_set(opening->err, ERR_BAD_ALG,
                       "signed with an EC key (%s); SCEP encrypts the answer to the signer's key, "
                       "so it must be RSA, also that of a manufacturer's certificate",
                       algorithms_name(signature_nid));
    }
    if (signature_nid != NID_rsaEncryption && algorithms_rsa_digest(signature_nid) != digest_nid) {
        return err_set(opening->err, ERR_BAD_ALG,
                       "signature algorithm %s with digest %s; allowed: RSA (not PSS) with the "
                       "same digest",
                       algorithms_name(signature_nid), algorithms_name(digest_nid));
    }
    return ERR_OK;
}

// Byte-identical copies of one certificate are harmless. Two different ones that both fit the
// SignerInfo are somebody's attempt to be taken for another.
static enum err_code find_signer(struct opening *opening)
{
    X509 *found = NULL;
    STACK_OF(X509) *certs = opening->request->certs;
    for (int i = 0; i < sk_X509_num(certs); i++) {
        X509 *cert = sk_X509_value(certs, i);
        if (CMS_SignerInfo_cert_cmp(opening->signer_info, cert) != 0) {
            continue;
        }
        if (found != NULL && X509_cmp(found, cert) != 0) {
            return err_set(opening->err, ERR_BAD_MESSAGE_CHECK,
                           "two different certificates fit the signer");
        }
        found = cert;
    }
    if (found == NULL || X509_up_ref(found) != 1) {
        return err_set(opening->err, ERR_BAD_MESSAGE_CHECK,
                       "the signer's certificate is not in the message");
    }
    opening->request->signer = found;
    return ERR_OK;
}

// RFC 5652, 5.3: both must be there, and contentType must tell the truth.
static enum err_code check_cms_attributes(struct opening *opening)
{
    const ASN1_OBJECT *type =
        CMS_signed_get0_data_by_OBJ(opening->signer_info, OBJ_nid2obj(NID_pkcs9_contentType),
                                    ONE_ATTRIBUTE_ONE_VALUE, V_ASN1_OBJECT);
    if (type == NULL || OBJ_cmp(type, CMS_get0_eContentType(opening->request->outer)) != 0) {
        return err_set_openssl(opening->err, ERR_BAD_MESSAGE_CHECK,
                               "no contentType attribute that fits the content");
    }
    if (CMS_signed_get0_data_by_OBJ(opening->signer_info, OBJ_nid2obj(NID_pkcs9_messageDigest),
                                    ONE_ATTRIBUTE_ONE_VALUE, V_ASN1_OCTET_STRING) == NULL) {
        return err_set_openssl(opening->err, ERR_BAD_MESSAGE_CHECK,
                               "no messageDigest attribute, or not once as an OCTET STRING");
    }
    return ERR_OK;
}

static int encode_sorted_attributes(const CMS_SignerInfo *signer_info, unsigned char **ret_der)
{
    CLEANUP(cleanup_sk_X509_ATTRIBUTE_free)
    STACK_OF(X509_ATTRIBUTE) *attributes = sk_X509_ATTRIBUTE_new_null();
    int count = CMS_signed_get_attr_count(signer_info);
    for (int i = 0; attributes != NULL && i < count; i++) {
        if (sk_X509_ATTRIBUTE_push(attributes, CMS_signed_get_attr(signer_info, i)) <= 0) {
            return -1;
        }
    }
    if (attributes == NULL) {
        return -1;
    }
    return ASN1_item_i2d((const ASN1_VALUE *)attributes, ret_der,
                         ASN1_ITEM_rptr(SORTED_ATTRIBUTES));
}

static bool is_signed_sorted(const struct opening *opening)
{
    unsigned char *tbs = NULL;
    int len = encode_sorted_attributes(opening->signer_info, &tbs);
    if (len < 0) {
        return false;
    }
    struct view signature = ossl_string_view(CMS_SignerInfo_get0_signature(opening->signer_info));
    const EVP_MD *digest = EVP_get_digestbynid(opening->request->digest_nid);
    CLEANUP(cleanup_EVP_MD_CTX_free) EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool is_valid = context != NULL &&
                    EVP_DigestVerifyInit(context, NULL, digest, NULL,
                                         X509_get0_pubkey(opening->request->signer)) == 1 &&
                    EVP_DigestVerify(context, signature.data, signature.len, tbs, (size_t)len) == 1;
    OPENSSL_free(tbs);
    return is_valid;
}

static bool is_verified(const struct opening *opening, unsigned extra_flags)
{
    CMS_ContentInfo *outer = opening->request->outer;
    ASN1_OCTET_STRING **content = CMS_get0_content(outer);
    bool is_absent = content == NULL || *content == NULL;
    CLEANUP(cleanup_BIO_free_all) BIO *nothing = is_absent ? BIO_new_mem_buf("", 0) : NULL;
    // Who may sign is decided elsewhere; here only that he did.
    unsigned flags = CMS_NO_SIGNER_CERT_VERIFY | CMS_BINARY | extra_flags;
    return CMS_verify(outer, NULL, NULL, nothing, NULL, flags) == 1;
}

static enum err_code verify(struct opening *opening)
{
    struct request *request = opening->request;
    // Phones with a manufacturer's certificate of 1024 bits are let in where the settings say so;
    // the key that gets a certificate must always be as large as ours.
    enum err_code code = keys_check_at_least(X509_get0_pubkey(request->signer),
                                             trust_min_rsa_bits(opening->settings), opening->err);
    if (code == ERR_OK) {
        code = check_cms_attributes(opening);
    }
    if (code != ERR_OK) {
        return code;
    }
    CMS_SignerInfo_set1_signer_cert(opening->signer_info, request->signer);
    // Clients that sign the sorted attributes and send them unsorted (RFC 5652 demands the first
    // and forbids the second): OpenSSL hashes them as sent, so a second look is ours to take. It
    // replaces the check of the attributes only; the content still has to fit messageDigest.
    if (!is_verified(opening, 0) &&
        !(is_signed_sorted(opening) && is_verified(opening, CMS_NO_ATTR_VERIFY))) {
        return err_set_openssl(opening->err, ERR_BAD_MESSAGE_CHECK,
                               "the message's signature does not hold");
    }
    ERR_clear_error(); // of the first look, when the second succeeded
    return ossl_spki_to_der(X509_get0_pubkey(request->signer), &request->signer_spki, opening->err);
}

static enum err_code check_type(const struct opening *opening)
{
    if (!is_served_type(opening->request->type)) {
        return err_set(opening->err, ERR_BAD_REQUEST, "messageType is not that of a request");
    }
    if (message_has_attribute(opening->signer_info, OID_PKI_STATUS) ||
        message_has_attribute(opening->signer_info, OID_FAIL_INFO)) {
        return err_set(opening->err, ERR_BAD_REQUEST, "pkiStatus or failInfo in a request");
    }
    return ERR_OK;
}

static const ASN1_TIME *signing_time(const CMS_SignerInfo *signer_info)
{
    static const int time_types[] = {V_ASN1_UTCTIME, V_ASN1_GENERALIZEDTIME};
    const ASN1_TIME *time = NULL;
    for (size_t i = 0; time == NULL && i < sizeof time_types / sizeof time_types[0]; i++) {
        time = CMS_signed_get0_data_by_OBJ(signer_info, OBJ_nid2obj(NID_pkcs9_signingTime),
                                           ONE_ATTRIBUTE_ONE_VALUE, time_types[i]);
    }
    ERR_clear_error(); // the type that it was not
    return time;
}

static enum err_code check_time(const struct opening *opening)
{
    int64_t window_sec = opening->settings->scep.signing_time_window_sec;
    if (window_sec == 0) {
        return ERR_OK;
    }
    int64_t signed_at = 0;
    if (!ossl_time_read(signing_time(opening->signer_info), &signed_at)) {
        return err_set_openssl(opening->err, ERR_BAD_TIME, "no signingTime that can be read");
    }
    int64_t off_sec = signed_at - opening->now;
    if (off_sec > window_sec || off_sec < -window_sec) {
        return err_set(opening->err, ERR_BAD_TIME,
                       "signingTime is %lld s off; allowed: %lld s either way", (long long)off_sec,
                       (long long)window_sec);
    }
    return ERR_OK;
}

enum err_code message_open(struct view octets, const struct settings *settings, int64_t now,
                           struct request *request, struct err *err)
{
    static enum err_code (*const steps[])(struct opening *) = {
        read_attributes,  // 3
        open_content,     // 4
        check_algorithms, // 5
        find_signer,      // 6
        verify,           // 5, 6
    };
    struct opening opening = {.settings = settings, .now = now, .request = request, .err = err};
    ERR_clear_error();
    enum err_code code = open_outer(&opening, octets); // 2
    if (code == ERR_OK) {
        note_digest(&opening);
    }
    for (size_t i = 0; code == ERR_OK && i < sizeof steps / sizeof steps[0]; i++) {
        code = steps[i](&opening);
    }
    if (code == ERR_OK) {
        code = check_type(&opening); // 7
    }
    if (code == ERR_OK) {
        code = check_time(&opening); // 8
    }
    ERR_clear_error();
    return code;
}
