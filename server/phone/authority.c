// SPDX-License-Identifier: Apache-2.0
#include "server/phone/authority.h"

#include <string.h>

#include <openssl/err.h>

#define PEM_BEGIN "-----BEGIN"

static CMS_ContentInfo *parse_signed(struct view octets)
{
    const unsigned char *end = octets.data;
    CMS_ContentInfo *info = d2i_CMS_ContentInfo(NULL, &end, (long)octets.len);
    if (info != NULL &&
        (end != octets.data + octets.len || OBJ_obj2nid(CMS_get0_type(info)) != NID_pkcs7_signed)) {
        CMS_ContentInfo_free(info);
        return NULL;
    }
    return info;
}

static enum err_code push_cert(STACK_OF(X509) * certs, X509 *cert, struct err *err)
{
    if (X509_add_cert(certs, cert, X509_ADD_FLAG_UP_REF) != 1) {
        return err_set_openssl(err, ERR_NOMEM, "no memory for certificates");
    }
    return ERR_OK;
}

enum err_code phone_certs_read(struct view octets, STACK_OF(X509) * certs, struct err *err)
{
    ERR_clear_error();
    CLEANUP(cleanup_CMS_ContentInfo_free) CMS_ContentInfo *info = parse_signed(octets);
    if (info == NULL) {
        return err_set_openssl(err, ERR_SYNTAX, "%zu octets that are no PKCS#7 SignedData",
                               octets.len);
    }
    CLEANUP(cleanup_free_cert_stack) STACK_OF(X509) *found = CMS_get1_certs(info);
    int count = found != NULL ? sk_X509_num(found) : 0;
    if (count < 1 || count > PHONE_CERTS_MAX) {
        return err_set(err, count < 1 ? ERR_SYNTAX : ERR_LIMIT,
                       "a PKCS#7 with %d certificates; expected 1 to %d", count, PHONE_CERTS_MAX);
    }
    for (int i = 0; i < count; i++) {
        enum err_code code = push_cert(certs, sk_X509_value(found, i), err);
        if (code != ERR_OK) {
            return code;
        }
    }
    return ERR_OK;
}

static enum err_code read_certs(struct view octets, struct phone_authority *authority,
                                struct err *err)
{
    CLEANUP(cleanup_X509_free) X509 *cert = NULL;
    if (octets.len == 0) {
        return err_set(err, ERR_SYNTAX, "an empty answer");
    }
    if (ossl_cert_from_der(octets, &cert, NULL) == ERR_OK) {
        return push_cert(authority->certs, cert, err);
    }
    ERR_clear_error();
    if (memmem(octets.data, octets.len, PEM_BEGIN, strlen(PEM_BEGIN)) != NULL) {
        return err_set(err, ERR_SYNTAX, "PEM text; SCEP sends DER");
    }
    authority->is_bundle = true;
    return phone_certs_read(octets, authority->certs, err);
}

uint32_t phone_key_usage(const X509 *cert, uint32_t absent)
{
    // OpenSSL's own answer for a certificate without the extension is "everything".
    return (X509_get_extension_flags((X509 *)cert) & EXFLAG_KUSAGE) != 0
               ? X509_get_key_usage((X509 *)cert)
               : absent;
}

// How fit a certificate is to encrypt requests for; 0 = not at all. RFC 8894 (2.1.2) wants both
// uses in one certificate; others have two RA certificates, or a CA that says nothing about uses.
static int fitness(X509 *cert)
{
    const EVP_PKEY *key = X509_get0_pubkey(cert);
    uint32_t usage = phone_key_usage(cert, 0);
    bool is_ra = X509_check_ca(cert) == 0;
    if (key == NULL || EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA) {
        return 0;
    }
    if ((usage & KU_KEY_ENCIPHERMENT) != 0) {
        bool is_both = (usage & KU_DIGITAL_SIGNATURE) != 0;
        return 2 + (is_ra ? 2 : 0) + (is_both ? 1 : 0);
    }
    return (X509_get_extension_flags(cert) & EXFLAG_KUSAGE) == 0 ? 1 : 0;
}

static X509 *find_recipient(const STACK_OF(X509) * certs)
{
    X509 *best = NULL;
    for (int i = 0; i < sk_X509_num(certs); i++) {
        X509 *cert = sk_X509_value(certs, i);
        if (fitness(cert) > (best != NULL ? fitness(best) : 0)) {
            best = cert;
        }
    }
    // A lone certificate is used for everything, whatever it says.
    return best == NULL && sk_X509_num(certs) == 1 ? sk_X509_value(certs, 0) : best;
}

static X509 *find_issuing(const STACK_OF(X509) * certs, X509 *recipient)
{
    if (recipient == NULL || X509_check_ca(recipient) != 0) {
        return recipient;
    }
    for (int i = 0; i < sk_X509_num(certs); i++) {
        X509 *cert = sk_X509_value(certs, i);
        if (cert != recipient && X509_check_issued(cert, recipient) == X509_V_OK) {
            return cert;
        }
    }
    return NULL;
}

static void find_roles(struct phone_authority *authority, const struct pin *pin)
{
    for (int i = 0; i < sk_X509_num(authority->certs); i++) {
        X509 *cert = sk_X509_value(authority->certs, i);
        if (authority->root == NULL && pin_matches(pin, cert)) {
            authority->root = cert;
        }
    }
    authority->recipient = find_recipient(authority->certs);
    authority->issuing = find_issuing(authority->certs, authority->recipient);
}

enum err_code phone_authority_read(struct view octets, const struct pin *pin,
                                   struct phone_authority *ret_authority, struct err *err)
{
    struct phone_authority authority = {.certs = sk_X509_new_null()};
    if (authority.certs == NULL) {
        return err_set(err, ERR_NOMEM, "no memory for certificates");
    }
    enum err_code code = read_certs(octets, &authority, err);
    if (code != ERR_OK) {
        phone_authority_done(&authority);
        return code;
    }
    find_roles(&authority, pin);
    *ret_authority = authority;
    return ERR_OK;
}

void phone_authority_done(struct phone_authority *authority)
{
    free_cert_stack(authority->certs);
    *authority = (struct phone_authority){0};
}

const char *phone_authority_role(const struct phone_authority *authority, X509 *cert)
{
    bool is_ca = X509_check_ca(cert) != 0;
    if (is_ca && ossl_is_self_issued(cert)) {
        return "root";
    }
    if (cert == authority->issuing && is_ca) {
        return "issuing CA";
    }
    if (is_ca) {
        return "CA";
    }
    return cert == authority->recipient ? "RA" : "other RA";
}

static enum err_code verify(X509_STORE_CTX *context, struct err *err)
{
    if (X509_verify_cert(context) == 1) {
        return ERR_OK;
    }
    int error = X509_STORE_CTX_get_error(context);
    ERR_clear_error();
    return err_set(err, ERR_DENIED, "%s", X509_verify_cert_error_string(error));
}

enum err_code phone_authority_check_chain(const struct phone_authority *authority, X509 *cert,
                                          STACK_OF(X509) * others, int64_t now, struct err *err)
{
    CLEANUP(cleanup_X509_STORE_free) X509_STORE *store = X509_STORE_new();
    CLEANUP(cleanup_X509_STORE_CTX_free) X509_STORE_CTX *context = X509_STORE_CTX_new();
    CLEANUP(cleanup_free_cert_stack)
    STACK_OF(X509) *untrusted = X509_chain_up_ref(authority->certs);
    if (store == NULL || context == NULL || untrusted == NULL || authority->root == NULL ||
        (others != NULL && X509_add_certs(untrusted, others, X509_ADD_FLAG_UP_REF) != 1) ||
        X509_STORE_add_cert(store, authority->root) != 1 ||
        X509_STORE_CTX_init(context, store, cert, untrusted) != 1) {
        return err_set_openssl(err, ERR_CRYPTO, "cannot prepare the check of a chain");
    }
    X509_STORE_CTX_set_time(context, 0, (time_t)now);
    // A pinned certificate that is no root still ends the chain: the phone knows no other.
    if (!ossl_is_self_issued(authority->root)) {
        X509_STORE_CTX_set_flags(context, X509_V_FLAG_PARTIAL_CHAIN);
    }
    return verify(context, err);
}
