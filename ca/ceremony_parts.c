// SPDX-License-Identifier: Apache-2.0
// The certificates follow the same rules as the issued ones (RFC 5280): random serials,
// keyIdentifiers everywhere, issuer names copied from the issuer's object.
#include "ca/ceremony_parts.h"

#include <string.h>

#include <openssl/pem.h>

#include "ca/extension.h"
#include "ca/issue.h"
#include "ca/key.h"
#include "ca/subject.h"
#include "conf/limits.h"

#define YEAR_SEC         31557600 // seconds of 365.25 days
#define RA_YEARS         2
#define ORGANIZATION_LEN 64 // characters; X.520 ub-organization-name

static const struct key_kind kinds[] = {
    {"rsa:2048", 2048, NULL, "rsa:3072"}, {"rsa:3072", 3072, NULL, "rsa:3072"},
    {"rsa:4096", 4096, NULL, "rsa:4096"}, {"ec:P-256", 0, "P-256", "ec:P-256"},
    {"ec:P-384", 0, "P-384", "ec:P-384"},
};

void ceremony_holder_done(struct holder *holder)
{
    EVP_PKEY_free(holder->key); // OpenSSL overwrites the private numbers
    X509_free(holder->cert);
}

const struct key_kind *ceremony_kind(const char *name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kinds[i].name, name) == 0) {
            return &kinds[i];
        }
    }
    return NULL;
}

const struct key_kind *ceremony_default_kind(void)
{
    return &kinds[0];
}

enum err_code ceremony_check_kind(const char *name, struct err *err)
{
    if (ceremony_kind(name) == NULL) {
        return err_set(err, ERR_CONFIG,
                       "the CA key %s; allowed: rsa:2048, rsa:3072, rsa:4096, ec:P-256, ec:P-384",
                       name);
    }
    return ERR_OK;
}

bool ceremony_is_key_kind(const char *name)
{
    return ceremony_kind(name) != NULL;
}

unsigned ceremony_issuing_usage(bool is_direct)
{
    unsigned usage = KU_KEY_CERT_SIGN | KU_CRL_SIGN | KU_DIGITAL_SIGNATURE;
    return is_direct ? usage | KU_KEY_ENCIPHERMENT : usage;
}

enum err_code ceremony_make_key(const struct key_kind *kind, EVP_PKEY **ret_key, struct err *err)
{
    EVP_PKEY *key = kind->rsa_bits != 0
                        ? EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)kind->rsa_bits)
                        : EVP_PKEY_Q_keygen(NULL, NULL, "EC", kind->curve);
    if (key == NULL) {
        return err_set_openssl(err, ERR_CRYPTO, "cannot make a key %s", kind->name);
    }
    *ret_key = key;
    return ERR_OK;
}

static enum err_code add_name(X509_NAME *name, int nid, const char *text, struct err *err)
{
    if (X509_NAME_add_entry_by_NID(name, nid, V_ASN1_UTF8STRING, (const unsigned char *)text, -1,
                                   -1, 0) != 1) {
        return err_set_openssl(err, ERR_CRYPTO, "cannot build a name");
    }
    return ERR_OK;
}

enum err_code ceremony_make_name(const char *organization, const char *common_name,
                                 X509_NAME **ret_name, struct err *err)
{
    CLEANUP(cleanup_X509_NAME_free) X509_NAME *name = X509_NAME_new();
    enum err_code code = ERR_OK;
    if (organization != NULL) {
        code = add_name(name, NID_organizationName, organization, err);
    }
    if (code == ERR_OK) {
        code = add_name(name, NID_commonName, common_name, err);
    }
    if (code == ERR_OK) {
        *ret_name = name;
        name = NULL;
    }
    return code;
}

enum err_code ceremony_check_organization(const char *organization, struct err *err)
{
    if (organization != NULL && subject_check_text(view_of_text(organization), "the organization",
                                                   ORGANIZATION_LEN, err) != ERR_OK) {
        if (err != NULL) {
            err->code = ERR_CONFIG;
        }
        return ERR_CONFIG;
    }
    return ERR_OK;
}

enum err_code ceremony_check_key(const EVP_PKEY *key, bool is_direct, struct err *err)
{
    char type[KEY_TYPE_LEN];
    if (key_digest_name(key) == NULL) {
        return err_set(err, ERR_CONFIG,
                       "a CA key of type %s; allowed: rsa:%d to rsa:%d, ec:P-256, ec:P-384",
                       key_describe(key, type), LIMIT_RSA_BITS_MIN, LIMIT_RSA_BITS_MAX);
    }
    if (is_direct && !EVP_PKEY_is_a(key, "RSA")) {
        return err_set(err, ERR_CONFIG,
                       "a key of type %s for a CA that answers itself (scep.topology \"direct\"); "
                       "allowed: RSA, because clients encrypt to it",
                       key_describe(key, type));
    }
    return ERR_OK;
}

static enum err_code set_names(X509 *cert, const struct plan *plan, const X509 *issuer,
                               struct err *err)
{
    if (X509_set_subject_name(cert, plan->subject) != 1 ||
        X509_set_issuer_name(cert, X509_get_subject_name(issuer)) != 1) {
        return err_set_openssl(err, ERR_CRYPTO, "cannot set the names");
    }
    return ERR_OK;
}

static enum err_code set_validity(X509 *cert, const struct plan *plan, const X509 *issuer,
                                  struct err *err)
{
    int64_t not_before = plan->now - BACKDATE_SEC;
    int64_t not_after = plan->now + plan->years * (int64_t)YEAR_SEC;
    int64_t issuer_not_before = not_before;
    int64_t issuer_not_after = not_after;
    if (issuer != cert) {
        enum err_code code = issue_time_of(X509_get0_notAfter(issuer), &issuer_not_after, err);
        if (code == ERR_OK) {
            code = issue_time_of(X509_get0_notBefore(issuer), &issuer_not_before, err);
        }
        if (code != ERR_OK) {
            return code;
        }
    }
    not_before = not_before < issuer_not_before ? issuer_not_before : not_before;
    not_after = not_after > issuer_not_after ? issuer_not_after : not_after;
    return issue_set_frame(cert, not_before, not_after, err);
}

static enum err_code add_extensions(X509 *cert, const struct plan *plan, X509 *issuer,
                                    struct err *err)
{
    X509_EXTENSION *extension = NULL;
    enum err_code code = extension_basic_constraints(plan->path_len, &extension, err);
    if (code == ERR_OK) {
        code = extension_add(cert, extension, err);
    }
    if (code == ERR_OK) {
        code = extension_key_usage(plan->usage, &extension, err);
    }
    if (code == ERR_OK) {
        code = extension_add(cert, extension, err);
    }
    if (code == ERR_OK) {
        code = extension_subject_key_id(cert, &extension, err);
    }
    if (code == ERR_OK) {
        code = extension_add(cert, extension, err);
    }
    if (code == ERR_OK && issuer != cert) {
        code = extension_authority_key_id(issuer, &extension, err);
        if (code == ERR_OK) {
            code = extension_add(cert, extension, err);
        }
    }
    return code;
}

static enum err_code sign(X509 *cert, EVP_PKEY *key, struct err *err)
{
    const char *digest = key_digest_name(key);
    if (digest == NULL || X509_sign(cert, key, EVP_get_digestbyname(digest)) <= 0) {
        return err_set_openssl(err, ERR_CRYPTO, "cannot sign a certificate");
    }
    return ERR_OK;
}

enum err_code ceremony_certify(struct holder *holder, const struct plan *plan,
                               const struct holder *issuer, struct err *err)
{
    CLEANUP(cleanup_X509_free) X509 *cert = X509_new();
    if (cert == NULL || X509_set_pubkey(cert, holder->key) != 1) {
        return err_set_openssl(err, ERR_CRYPTO, "cannot begin a certificate");
    }
    X509 *issuer_cert = issuer != NULL ? issuer->cert : cert;
    enum err_code code = set_names(cert, plan, issuer_cert, err);
    if (code == ERR_OK) {
        code = set_validity(cert, plan, issuer_cert, err);
    }
    if (code == ERR_OK) {
        code = add_extensions(cert, plan, issuer_cert, err);
    }
    if (code == ERR_OK) {
        code = sign(cert, issuer != NULL ? issuer->key : holder->key, err);
    }
    if (code == ERR_OK) {
        holder->cert = cert;
        cert = NULL;
    }
    return code;
}

enum err_code ceremony_key_to_pem(EVP_PKEY *key, struct buf *ret_pem, struct err *err)
{
    CLEANUP(cleanup_BIO_free_all) BIO *bio = BIO_new(BIO_s_mem()); // overwritten when freed
    if (bio == NULL || PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) != 1) {
        return err_set_openssl(err, ERR_CRYPTO, "cannot encode a private key");
    }
    return ossl_bio_to_buf(bio, ret_pem, err);
}

enum err_code ceremony_cert_to_pem(const X509 *cert, struct buf *ret_pem, struct err *err)
{
    CLEANUP(cleanup_BIO_free_all) BIO *bio = BIO_new(BIO_s_mem());
    if (bio == NULL || PEM_write_bio_X509(bio, cert) != 1) {
        return err_set_openssl(err, ERR_CRYPTO, "cannot encode a certificate");
    }
    return ossl_bio_to_buf(bio, ret_pem, err);
}

enum err_code ceremony_make_ra(const char *organization, int64_t now, const struct holder *issuer,
                               struct holder *ra, struct err *err)
{
    CLEANUP(cleanup_X509_NAME_free) X509_NAME *subject = NULL;
    enum err_code code = ceremony_make_name(organization, "SCEP RA", &subject, err);
    if (code == ERR_OK) {
        // RSA whatever the CA has: phones encrypt to it.
        code = ceremony_make_key(ceremony_default_kind(), &ra->key, err);
    }
    if (code != ERR_OK) {
        return code;
    }
    const struct plan plan = {
        .subject = subject,
        .path_len = EXTENSION_NOT_A_CA,
        .usage = KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT,
        .now = now,
        .years = RA_YEARS,
    };
    return ceremony_certify(ra, &plan, issuer, err);
}

enum err_code ceremony_fingerprint(const X509 *cert, struct ceremony_result *result,
                                   struct err *err)
{
    if (X509_digest(cert, EVP_sha256(), result->root_sha256, NULL) != 1 ||
        X509_digest(cert, EVP_sha1(), result->root_sha1, NULL) != 1) {
        return err_set_openssl(err, ERR_CRYPTO, "cannot hash a certificate");
    }
    return ERR_OK;
}
