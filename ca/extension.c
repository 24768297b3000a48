// SPDX-License-Identifier: Apache-2.0
// Extensions. In this file a failing OpenSSL call means that memory ran out.
#include "ca/extension.h"

#include <string.h>

#define KEY_USAGE_BITS 8    // of the first octet; decipherOnly alone is in a second one
#define DER_TRUE       0xff // X.690, 11.1; OpenSSL writes the value as it stands

DEFINE_CLEANUP(ASN1_BIT_STRING *, ASN1_BIT_STRING_free);
DEFINE_CLEANUP(ASN1_ENUMERATED *, ASN1_ENUMERATED_free);
DEFINE_CLEANUP(ASN1_INTEGER *, ASN1_INTEGER_free);
DEFINE_CLEANUP(ASN1_NULL *, ASN1_NULL_free);
DEFINE_CLEANUP(AUTHORITY_INFO_ACCESS *, AUTHORITY_INFO_ACCESS_free);
DEFINE_CLEANUP(AUTHORITY_KEYID *, AUTHORITY_KEYID_free);
DEFINE_CLEANUP(BASIC_CONSTRAINTS *, BASIC_CONSTRAINTS_free);
DEFINE_CLEANUP(CRL_DIST_POINTS *, CRL_DIST_POINTS_free);
DEFINE_CLEANUP(EXTENDED_KEY_USAGE *, EXTENDED_KEY_USAGE_free);
DEFINE_CLEANUP(GENERAL_NAME *, GENERAL_NAME_free);

static enum err_code no_memory(struct err *err)
{
    return err_set_openssl(err, ERR_CRYPTO, "cannot build an extension");
}

static enum err_code encode(int nid, bool is_critical, void *value, X509_EXTENSION **ret_extension,
                            struct err *err)
{
    X509_EXTENSION *extension = X509V3_EXT_i2d(nid, is_critical ? 1 : 0, value);
    if (extension == NULL) {
        return no_memory(err);
    }
    *ret_extension = extension;
    return ERR_OK;
}

enum err_code extension_key_usage(unsigned usage, X509_EXTENSION **ret_extension, struct err *err)
{
    CLEANUP(cleanup_ASN1_BIT_STRING_free) ASN1_BIT_STRING *bits = ASN1_BIT_STRING_new();
    if (bits == NULL) {
        return no_memory(err);
    }
    for (int bit = 0; bit < KEY_USAGE_BITS; bit++) {
        bool is_set = (usage & (1U << (KEY_USAGE_BITS - 1 - bit))) != 0;
        if (is_set && ASN1_BIT_STRING_set_bit(bits, bit, 1) != 1) {
            return no_memory(err);
        }
    }
    return encode(NID_key_usage, true, bits, ret_extension, err);
}

enum err_code extension_purpose(int purpose_nid, X509_EXTENSION **ret_extension, struct err *err)
{
    CLEANUP(cleanup_EXTENDED_KEY_USAGE_free) EXTENDED_KEY_USAGE *usage = EXTENDED_KEY_USAGE_new();
    if (usage == NULL || sk_ASN1_OBJECT_push(usage, OBJ_nid2obj(purpose_nid)) <= 0) {
        return no_memory(err);
    }
    return encode(NID_ext_key_usage, false, usage, ret_extension, err);
}

enum err_code extension_ocsp_no_check(X509_EXTENSION **ret_extension, struct err *err)
{
    CLEANUP(cleanup_ASN1_NULL_free) ASN1_NULL *nothing = ASN1_NULL_new();
    return nothing != NULL ? encode(NID_id_pkix_OCSP_noCheck, false, nothing, ret_extension, err)
                           : no_memory(err);
}

enum err_code extension_basic_constraints(int path_len, X509_EXTENSION **ret_extension,
                                          struct err *err)
{
    CLEANUP(cleanup_BASIC_CONSTRAINTS_free)
    BASIC_CONSTRAINTS *constraints = BASIC_CONSTRAINTS_new();
    if (constraints == NULL) {
        return no_memory(err);
    }
    bool is_ca = path_len != EXTENSION_NOT_A_CA;
    constraints->ca = is_ca ? DER_TRUE : 0;
    if (path_len >= 0) {
        constraints->pathlen = ASN1_INTEGER_new();
        if (constraints->pathlen == NULL || ASN1_INTEGER_set(constraints->pathlen, path_len) != 1) {
            return no_memory(err);
        }
    }
    return encode(NID_basic_constraints, is_ca, constraints, ret_extension, err);
}

static ASN1_OCTET_STRING *key_id_of(const X509 *cert)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    CLEANUP(cleanup_ASN1_OCTET_STRING_free) ASN1_OCTET_STRING *id = ASN1_OCTET_STRING_new();
    if (id == NULL || X509_pubkey_digest(cert, EVP_sha1(), digest, &len) != 1 ||
        ASN1_OCTET_STRING_set(id, digest, (int)len) != 1) {
        return NULL;
    }
    ASN1_OCTET_STRING *made = id;
    id = NULL;
    return made;
}

enum err_code extension_subject_key_id(const X509 *cert, X509_EXTENSION **ret_extension,
                                       struct err *err)
{
    CLEANUP(cleanup_ASN1_OCTET_STRING_free) ASN1_OCTET_STRING *id = key_id_of(cert);
    if (id == NULL) {
        return no_memory(err);
    }
    return encode(NID_subject_key_identifier, false, id, ret_extension, err);
}

enum err_code extension_authority_key_id(X509 *issuer, X509_EXTENSION **ret_extension,
                                         struct err *err)
{
    CLEANUP(cleanup_AUTHORITY_KEYID_free) AUTHORITY_KEYID *authority = AUTHORITY_KEYID_new();
    if (authority == NULL) {
        return no_memory(err);
    }
    const ASN1_OCTET_STRING *own = X509_get0_subject_key_id(issuer);
    authority->keyid = own != NULL ? ASN1_OCTET_STRING_dup(own) : key_id_of(issuer);
    if (authority->keyid == NULL) {
        return no_memory(err);
    }
    return encode(NID_authority_key_identifier, false, authority, ret_extension, err);
}

enum err_code extension_alt_names(const GENERAL_NAMES *names, X509_EXTENSION **ret_extension,
                                  struct err *err)
{
    // X509V3_EXT_i2d() takes void *, but only reads.
    return encode(NID_subject_alt_name, false, (void *)(uintptr_t)names, ret_extension, err);
}

static GENERAL_NAME *url_name(const char *url)
{
    CLEANUP(cleanup_GENERAL_NAME_free) GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_IA5STRING *text = ASN1_IA5STRING_new();
    if (name == NULL || text == NULL || ASN1_STRING_set(text, url, (int)strlen(url)) != 1) {
        ASN1_IA5STRING_free(text);
        return NULL;
    }
    GENERAL_NAME_set0_value(name, GEN_URI, text);
    GENERAL_NAME *made = name;
    name = NULL;
    return made;
}

static DIST_POINT *distribution_point(const char *url)
{
    DIST_POINT *point = DIST_POINT_new();
    if (point == NULL) {
        return NULL;
    }
    CLEANUP(cleanup_GENERAL_NAME_free) GENERAL_NAME *name = url_name(url);
    point->distpoint = DIST_POINT_NAME_new();
    GENERAL_NAMES *names = GENERAL_NAMES_new();
    if (name == NULL || point->distpoint == NULL || names == NULL ||
        sk_GENERAL_NAME_push(names, name) <= 0) {
        GENERAL_NAMES_free(names);
        DIST_POINT_free(point);
        return NULL;
    }
    name = NULL;
    point->distpoint->type = 0; // fullName
    point->distpoint->name.fullname = names;
    return point;
}

enum err_code extension_crl_url(const char *url, X509_EXTENSION **ret_extension, struct err *err)
{
    CLEANUP(cleanup_CRL_DIST_POINTS_free) CRL_DIST_POINTS *points = CRL_DIST_POINTS_new();
    DIST_POINT *point = distribution_point(url);
    if (points == NULL || point == NULL || sk_DIST_POINT_push(points, point) <= 0) {
        DIST_POINT_free(point);
        return no_memory(err);
    }
    return encode(NID_crl_distribution_points, false, points, ret_extension, err);
}

static bool add_access(AUTHORITY_INFO_ACCESS *access, int method_nid, const char *url)
{
    if (url == NULL) {
        return true;
    }
    ACCESS_DESCRIPTION *description = ACCESS_DESCRIPTION_new();
    if (description == NULL || sk_ACCESS_DESCRIPTION_push(access, description) <= 0) {
        ACCESS_DESCRIPTION_free(description);
        return false;
    }
    description->method = OBJ_nid2obj(method_nid);
    GENERAL_NAME_free(description->location);
    description->location = url_name(url);
    return description->location != NULL;
}

enum err_code extension_access_urls(const char *ocsp_url, const char *ca_url,
                                    X509_EXTENSION **ret_extension, struct err *err)
{
    CLEANUP(cleanup_AUTHORITY_INFO_ACCESS_free)
    AUTHORITY_INFO_ACCESS *access = AUTHORITY_INFO_ACCESS_new();
    if (access == NULL || !add_access(access, NID_ad_OCSP, ocsp_url) ||
        !add_access(access, NID_ad_ca_issuers, ca_url)) {
        return no_memory(err);
    }
    return encode(NID_info_access, false, access, ret_extension, err);
}

enum err_code extension_crl_number(uint64_t number, X509_EXTENSION **ret_extension, struct err *err)
{
    CLEANUP(cleanup_ASN1_INTEGER_free) ASN1_INTEGER *value = ASN1_INTEGER_new();
    if (value == NULL || ASN1_INTEGER_set_uint64(value, number) != 1) {
        return no_memory(err);
    }
    return encode(NID_crl_number, false, value, ret_extension, err);
}

enum err_code extension_crl_reason(enum revocation_reason reason, X509_EXTENSION **ret_extension,
                                   struct err *err)
{
    CLEANUP(cleanup_ASN1_ENUMERATED_free) ASN1_ENUMERATED *value = ASN1_ENUMERATED_new();
    if (value == NULL || ASN1_ENUMERATED_set(value, (long)reason) != 1) {
        return no_memory(err);
    }
    return encode(NID_crl_reason, false, value, ret_extension, err);
}

enum err_code extension_add(X509 *cert, X509_EXTENSION *take_extension, struct err *err)
{
    CLEANUP(cleanup_X509_EXTENSION_free) X509_EXTENSION *extension = take_extension;
    return X509_add_ext(cert, extension, -1) == 1 ? ERR_OK : no_memory(err);
}
