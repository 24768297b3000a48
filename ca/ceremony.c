// SPDX-License-Identifier: Apache-2.0
// Makes a new CA. The certificates follow the same rules as the issued ones (RFC 5280): random
// serials, keyIdentifiers everywhere, issuer names copied from the issuer's object.
#include "ca/ceremony.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "ca/extension.h"
#include "ca/issue.h"
#include "ca/key.h"
#include "ca/subject.h"
#include "conf/limits.h"

#define YEAR_SEC         31557600 // seconds of 365.25 days
#define ROOT_YEARS       20
#define ISSUING_YEARS    10
#define RA_YEARS         2
#define ROOT_PATH_LEN    1
#define ISSUING_PATH_LEN 0
#define ORGANIZATION_LEN 64 // characters; X.520 ub-organization-name

struct key_kind {
    const char *name;
    unsigned rsa_bits; // 0 = EC
    const char *curve;
    const char *root; // the root over an issuing CA of this kind is at least as strong
};

static const struct key_kind kinds[] = {
    {"rsa:2048", 2048, NULL, "rsa:3072"}, {"rsa:3072", 3072, NULL, "rsa:3072"},
    {"rsa:4096", 4096, NULL, "rsa:4096"}, {"ec:P-256", 0, "P-256", "ec:P-256"},
    {"ec:P-384", 0, "P-384", "ec:P-384"},
};
static const char default_kind[] = "rsa:2048";

// One certificate to be made.
struct plan {
    const char *common_name;
    const char *organization;
    int path_len; // or EXTENSION_NOT_A_CA
    unsigned usage;
    int64_t now;
    int years;
};

// A key and its certificate while the ceremony lasts.
struct holder {
    EVP_PKEY *key;
    X509 *cert;
};

static void holder_done(struct holder *holder)
{
    EVP_PKEY_free(holder->key); // OpenSSL overwrites the private numbers
    X509_free(holder->cert);
}

static const struct key_kind *find_kind(const char *name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kinds[i].name, name) == 0) {
            return &kinds[i];
        }
    }
    return NULL;
}

bool ceremony_is_key_kind(const char *name)
{
    return find_kind(name) != NULL;
}

static enum err_code make_key(const struct key_kind *kind, EVP_PKEY **ret_key, struct err *err)
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

static enum err_code set_names(X509 *cert, const struct plan *plan, const X509 *issuer,
                               struct err *err)
{
    CLEANUP(cleanup_X509_NAME_free) X509_NAME *subject = X509_NAME_new();
    enum err_code code = ERR_OK;
    if (plan->organization != NULL) {
        code = add_name(subject, NID_organizationName, plan->organization, err);
    }
    if (code == ERR_OK) {
        code = add_name(subject, NID_commonName, plan->common_name, err);
    }
    if (code != ERR_OK) {
        return code;
    }
    if (X509_set_subject_name(cert, subject) != 1 ||
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
    int64_t issuer_not_after = not_after;
    if (issuer != cert) {
        enum err_code code = issue_time_of(X509_get0_notAfter(issuer), &issuer_not_after, err);
        if (code != ERR_OK) {
            return code;
        }
    }
    if (not_after > issuer_not_after) {
        not_after = issuer_not_after;
    }
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

// Makes holder->cert for holder->key. `issuer` NULL = self-signed.
static enum err_code certify(struct holder *holder, const struct plan *plan,
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

static enum err_code key_to_pem(EVP_PKEY *key, struct buf *ret_pem, struct err *err)
{
    CLEANUP(cleanup_BIO_free_all) BIO *bio = BIO_new(BIO_s_mem()); // overwritten when freed
    if (bio == NULL || PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) != 1) {
        return err_set_openssl(err, ERR_CRYPTO, "cannot encode a private key");
    }
    return ossl_bio_to_buf(bio, ret_pem, err);
}

static enum err_code cert_to_pem(const X509 *cert, struct buf *ret_pem, struct err *err)
{
    CLEANUP(cleanup_BIO_free_all) BIO *bio = BIO_new(BIO_s_mem());
    if (bio == NULL || PEM_write_bio_X509(bio, cert) != 1) {
        return err_set_openssl(err, ERR_CRYPTO, "cannot encode a certificate");
    }
    return ossl_bio_to_buf(bio, ret_pem, err);
}

static enum err_code to_pem(const struct holder *holder, struct buf *ret_key, struct buf *ret_cert,
                            struct err *err)
{
    enum err_code code = key_to_pem(holder->key, ret_key, err);
    return code == ERR_OK ? cert_to_pem(holder->cert, ret_cert, err) : code;
}

static enum err_code fingerprint(const X509 *cert, struct ceremony_result *result, struct err *err)
{
    if (X509_digest(cert, EVP_sha256(), result->root_sha256, NULL) != 1 ||
        X509_digest(cert, EVP_sha1(), result->root_sha1, NULL) != 1) {
        return err_set_openssl(err, ERR_CRYPTO, "cannot hash a certificate");
    }
    return ERR_OK;
}

static enum err_code make(struct holder *holder, const struct key_kind *kind,
                          const struct plan *plan, const struct holder *issuer, struct err *err)
{
    enum err_code code = make_key(kind, &holder->key, err);
    return code == ERR_OK ? certify(holder, plan, issuer, err) : code;
}

static enum err_code make_root(const struct ceremony_order *order, const struct key_kind *kind,
                               struct holder *root, struct err *err)
{
    const struct plan plan = {
        .common_name = order->tiers == 1 ? "SCEP CA" : "SCEP Root CA",
        .organization = order->organization,
        .path_len = order->tiers == 1 ? ISSUING_PATH_LEN : ROOT_PATH_LEN,
        .usage = KU_KEY_CERT_SIGN | KU_CRL_SIGN,
        .now = order->now,
        .years = ROOT_YEARS,
    };
    return make(root, kind, &plan, NULL, err);
}

static enum err_code make_issuing(const struct ceremony_order *order, const struct key_kind *kind,
                                  const struct holder *root, struct holder *issuing,
                                  struct err *err)
{
    const struct plan plan = {
        .common_name = "SCEP Issuing CA",
        .organization = order->organization,
        .path_len = ISSUING_PATH_LEN,
        .usage = KU_KEY_CERT_SIGN | KU_CRL_SIGN,
        .now = order->now,
        .years = ISSUING_YEARS,
    };
    return make(issuing, kind, &plan, root, err);
}

static enum err_code make_ra(const struct ceremony_order *order, const struct holder *issuing,
                             struct holder *ra, struct err *err)
{
    const struct plan plan = {
        .common_name = "SCEP RA",
        .organization = order->organization,
        .path_len = EXTENSION_NOT_A_CA,
        .usage = KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT,
        .now = order->now,
        .years = RA_YEARS,
    };
    // RSA whatever the CA has: phones encrypt to it.
    return make(ra, find_kind(default_kind), &plan, issuing, err);
}

static enum err_code check_order(const struct ceremony_order *order, struct err *err)
{
    if (order->tiers != 1 && order->tiers != 2) {
        return err_set(err, ERR_CONFIG, "%u tiers; allowed: 1 or 2", order->tiers);
    }
    if (order->ca_key != NULL && !ceremony_is_key_kind(order->ca_key)) {
        return err_set(err, ERR_CONFIG,
                       "the CA key %s; allowed: rsa:2048, rsa:3072, rsa:4096, ec:P-256, ec:P-384",
                       order->ca_key);
    }
    if (order->organization != NULL &&
        subject_check_text(view_of_text(order->organization), "the organization", ORGANIZATION_LEN,
                           err) != ERR_OK) {
        if (err != NULL) {
            err->code = ERR_CONFIG;
        }
        return ERR_CONFIG;
    }
    return ERR_OK;
}

// Everything below the self-signed certificate, and the PEM of what there is.
static enum err_code two_tiers(const struct ceremony_order *order, const struct key_kind *kind,
                               struct ceremony_result *result, struct err *err)
{
    CLEANUP(holder_done) struct holder root = {0};
    CLEANUP(holder_done) struct holder issuing = {0};
    CLEANUP(holder_done) struct holder ra = {0};
    enum err_code code = make_root(order, find_kind(kind->root), &root, err);
    if (code == ERR_OK) {
        code = make_issuing(order, kind, &root, &issuing, err);
    }
    if (code == ERR_OK) {
        code = make_ra(order, &issuing, &ra, err);
    }
    if (code == ERR_OK) {
        code = to_pem(&root, &result->root_key, &result->root_certificate, err);
    }
    if (code == ERR_OK) {
        code = to_pem(&issuing, &result->ca_key, &result->ca_certificate, err);
    }
    if (code == ERR_OK) {
        code = to_pem(&ra, &result->ra_key, &result->ra_certificate, err);
    }
    return code == ERR_OK ? fingerprint(root.cert, result, err) : code;
}

static enum err_code one_tier(const struct ceremony_order *order, const struct key_kind *kind,
                              struct ceremony_result *result, struct err *err)
{
    CLEANUP(holder_done) struct holder ca = {0};
    CLEANUP(holder_done) struct holder ra = {0};
    enum err_code code = make_root(order, kind, &ca, err);
    if (code == ERR_OK) {
        code = make_ra(order, &ca, &ra, err);
    }
    if (code == ERR_OK) {
        code = to_pem(&ca, &result->ca_key, &result->ca_certificate, err);
    }
    if (code == ERR_OK) {
        code = cert_to_pem(ca.cert, &result->root_certificate, err);
    }
    if (code == ERR_OK) {
        code = to_pem(&ra, &result->ra_key, &result->ra_certificate, err);
    }
    return code == ERR_OK ? fingerprint(ca.cert, result, err) : code;
}

enum err_code ceremony_run(const struct ceremony_order *order, struct ceremony_result *ret_result,
                           struct err *err)
{
    ERR_clear_error();
    enum err_code code = check_order(order, err);
    if (code != ERR_OK) {
        return code;
    }
    const struct key_kind *kind = find_kind(order->ca_key != NULL ? order->ca_key : default_kind);
    struct ceremony_result result = {0};
    code = order->tiers == 1 ? one_tier(order, kind, &result, err)
                             : two_tiers(order, kind, &result, err);
    if (code != ERR_OK) {
        ceremony_done(&result);
        return code;
    }
    *ret_result = result;
    return ERR_OK;
}

void ceremony_done(struct ceremony_result *result)
{
    buf_wipe(&result->root_key);
    buf_wipe(&result->root_certificate);
    buf_wipe(&result->ca_key);
    buf_wipe(&result->ca_certificate);
    buf_wipe(&result->ra_key);
    buf_wipe(&result->ra_certificate);
    *result = (struct ceremony_result){0};
}
