// SPDX-License-Identifier: Apache-2.0
// Makes a new CA with all that belongs to it: root, issuing CA, RA.
#include "ca/ceremony.h"

#include <openssl/err.h>

#include "ca/ceremony_parts.h"
#include "ca/extension.h"
#include "ca/subject.h"

#define RA_YEARS         2
#define ROOT_PATH_LEN    1
#define ORGANIZATION_LEN 64 // characters; X.520 ub-organization-name

static enum err_code add_name(X509_NAME *name, int nid, const char *text, struct err *err)
{
    if (X509_NAME_add_entry_by_NID(name, nid, V_ASN1_UTF8STRING, (const unsigned char *)text, -1,
                                   -1, 0) != 1) {
        return err_set_openssl(err, ERR_CRYPTO, "cannot build a name");
    }
    return ERR_OK;
}

static enum err_code make_name(const char *organization, const char *common_name,
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

static enum err_code to_pem(const struct holder *holder, struct buf *ret_key, struct buf *ret_cert,
                            struct err *err)
{
    enum err_code code = ceremony_key_to_pem(holder->key, ret_key, err);
    return code == ERR_OK ? ceremony_cert_to_pem(holder->cert, ret_cert, err) : code;
}

static enum err_code fingerprint(const X509 *cert, struct ceremony_result *result, struct err *err)
{
    if (X509_digest(cert, EVP_sha256(), result->root_sha256, NULL) != 1 ||
        X509_digest(cert, EVP_sha1(), result->root_sha1, NULL) != 1) {
        return err_set_openssl(err, ERR_CRYPTO, "cannot hash a certificate");
    }
    return ERR_OK;
}

// What is to be made, apart from the subject, which is `common_name` in the order's organization.
struct design {
    const char *common_name;
    const struct key_kind *kind;
    struct plan plan;
};

static enum err_code make(const struct ceremony_order *order, const struct design *design,
                          const struct holder *issuer, struct holder *holder, struct err *err)
{
    CLEANUP(cleanup_X509_NAME_free) X509_NAME *subject = NULL;
    enum err_code code = make_name(order->organization, design->common_name, &subject, err);
    if (code == ERR_OK) {
        code = ceremony_make_key(design->kind, &holder->key, err);
    }
    if (code != ERR_OK) {
        return code;
    }
    struct plan plan = design->plan;
    plan.subject = subject;
    plan.now = order->now;
    return ceremony_certify(holder, &plan, issuer, err);
}

static enum err_code make_root(const struct ceremony_order *order, const struct key_kind *kind,
                               struct holder *root, struct err *err)
{
    const struct design design = {
        .common_name = "SCEP Root CA",
        .kind = kind,
        .plan = {.path_len = ROOT_PATH_LEN,
                 .usage = KU_KEY_CERT_SIGN | KU_CRL_SIGN,
                 .years = ROOT_YEARS},
    };
    return make(order, &design, NULL, root, err);
}

// The single CA of one tier.
static enum err_code make_single(const struct ceremony_order *order, const struct key_kind *kind,
                                 struct holder *ca, struct err *err)
{
    const struct design design = {
        .common_name = "SCEP CA",
        .kind = kind,
        .plan = {.path_len = ISSUING_PATH_LEN,
                 .usage = ceremony_issuing_usage(order->is_direct),
                 .years = ROOT_YEARS},
    };
    return make(order, &design, NULL, ca, err);
}

static enum err_code make_issuing(const struct ceremony_order *order, const struct key_kind *kind,
                                  const struct holder *root, struct holder *issuing,
                                  struct err *err)
{
    const struct design design = {
        .common_name = "SCEP Issuing CA",
        .kind = kind,
        .plan = {.path_len = ISSUING_PATH_LEN,
                 .usage = ceremony_issuing_usage(false),
                 .years = ISSUING_YEARS},
    };
    return make(order, &design, root, issuing, err);
}

static enum err_code make_ra(const struct ceremony_order *order, const struct holder *issuing,
                             struct holder *ra, struct err *err)
{
    const struct design design = {
        .common_name = "SCEP RA",
        .kind = ceremony_default_kind(), // RSA whatever the CA has: phones encrypt to it
        .plan = {.path_len = EXTENSION_NOT_A_CA,
                 .usage = KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT,
                 .years = RA_YEARS},
    };
    return make(order, &design, issuing, ra, err);
}

static enum err_code check_direct(const struct ceremony_order *order, struct err *err)
{
    if (order->tiers != 1) {
        return err_set(err, ERR_CONFIG, "%u tiers for a CA that answers itself; allowed: 1",
                       order->tiers);
    }
    if (order->ca_key != NULL && ceremony_kind(order->ca_key)->rsa_bits == 0) {
        return err_set(err, ERR_CONFIG,
                       "the key %s for a CA that answers itself; allowed: rsa:2048, rsa:3072, "
                       "rsa:4096, because clients encrypt to it",
                       order->ca_key);
    }
    return ERR_OK;
}

static enum err_code check_order(const struct ceremony_order *order, struct err *err)
{
    if (order->tiers != 1 && order->tiers != 2) {
        return err_set(err, ERR_CONFIG, "%u tiers; allowed: 1 or 2", order->tiers);
    }
    if (order->ca_key != NULL && ceremony_check_kind(order->ca_key, err) != ERR_OK) {
        return ERR_CONFIG;
    }
    if (order->organization != NULL &&
        subject_check_text(view_of_text(order->organization), "the organization", ORGANIZATION_LEN,
                           err) != ERR_OK) {
        if (err != NULL) {
            err->code = ERR_CONFIG;
        }
        return ERR_CONFIG;
    }
    return order->is_direct ? check_direct(order, err) : ERR_OK;
}

// Everything below the self-signed certificate, and the PEM of what there is.
static enum err_code two_tiers(const struct ceremony_order *order, const struct key_kind *kind,
                               struct ceremony_result *result, struct err *err)
{
    CLEANUP(ceremony_holder_done) struct holder root = {0};
    CLEANUP(ceremony_holder_done) struct holder issuing = {0};
    CLEANUP(ceremony_holder_done) struct holder ra = {0};
    enum err_code code = make_root(order, ceremony_kind(kind->root), &root, err);
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
    CLEANUP(ceremony_holder_done) struct holder ca = {0};
    CLEANUP(ceremony_holder_done) struct holder ra = {0};
    enum err_code code = make_single(order, kind, &ca, err);
    if (code == ERR_OK) {
        code = to_pem(&ca, &result->ca_key, &result->ca_certificate, err);
    }
    if (code == ERR_OK) {
        code = ceremony_cert_to_pem(ca.cert, &result->root_certificate, err);
    }
    if (code == ERR_OK && !order->is_direct) {
        code = make_ra(order, &ca, &ra, err);
        if (code == ERR_OK) {
            code = to_pem(&ra, &result->ra_key, &result->ra_certificate, err);
        }
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
    const struct key_kind *kind =
        order->ca_key != NULL ? ceremony_kind(order->ca_key) : ceremony_default_kind();
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
