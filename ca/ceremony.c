// SPDX-License-Identifier: Apache-2.0
// Makes a new CA with all that belongs to it: root, issuing CA, RA.
#include "ca/ceremony.h"

#include <openssl/err.h>

#include "ca/ceremony_parts.h"
#include "ca/extension.h"
#include "ca/key.h"
#include "conf/base/private_key.h"

#define ROOT_PATH_LEN  1
#define STRONGEST_ROOT "rsa:4096"

static enum err_code to_pem(const struct holder *holder, struct buf *ret_key, struct buf *ret_cert,
                            struct err *err)
{
    enum err_code code = ceremony_key_to_pem(holder->key, ret_key, err);
    return code == ERR_OK ? ceremony_cert_to_pem(holder->cert, ret_cert, err) : code;
}

// What is to be made, apart from the subject, which is `common_name` in the order's organization.
struct design {
    const char *common_name;
    const struct key_kind *kind;
    EVP_PKEY *key; // instead of a new one of that kind; NULL = none
    struct plan plan;
};

static enum err_code make(const struct ceremony_order *order, const struct design *design,
                          const struct holder *issuer, struct holder *holder, struct err *err)
{
    CLEANUP(cleanup_X509_NAME_free) X509_NAME *subject = NULL;
    enum err_code code =
        ceremony_make_name(order->organization, design->common_name, &subject, err);
    if (code == ERR_OK && design->key != NULL && EVP_PKEY_up_ref(design->key) == 1) {
        holder->key = design->key;
    } else if (code == ERR_OK) {
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

// The key of the issuing or only CA.
struct ca_key_choice {
    EVP_PKEY *key;               // NULL = a new one
    const struct key_kind *kind; // of it; NULL = a size that no new key has
};

static void ca_key_choice_done(struct ca_key_choice *choice)
{
    EVP_PKEY_free(choice->key);
}

static enum err_code choose_key(const struct ceremony_order *order, struct ca_key_choice *choice,
                                struct err *err)
{
    char type[KEY_TYPE_LEN];
    if (order->key.uri == NULL) {
        choice->kind =
            order->ca_key != NULL ? ceremony_kind(order->ca_key) : ceremony_default_kind();
        return ERR_OK;
    }
    enum err_code code = private_key_load(order->key.uri, order->key.pin_file, &choice->key, err);
    if (code == ERR_OK) {
        code = ceremony_check_key(choice->key, order->is_direct, err);
    }
    if (code == ERR_OK) {
        choice->kind = ceremony_kind(key_describe(choice->key, type));
    }
    return code;
}

// What the root over a CA with this key has.
static const struct key_kind *root_kind(const struct ca_key_choice *choice)
{
    return ceremony_kind(choice->kind != NULL ? choice->kind->root : STRONGEST_ROOT);
}

// The single CA of one tier.
static enum err_code make_single(const struct ceremony_order *order,
                                 const struct ca_key_choice *ca_key, struct holder *ca,
                                 struct err *err)
{
    const struct design design = {
        .common_name = "SCEP CA",
        .kind = ca_key->kind,
        .key = ca_key->key,
        .plan = {.path_len = ISSUING_PATH_LEN,
                 .usage = ceremony_issuing_usage(order->is_direct),
                 .years = ROOT_YEARS},
    };
    return make(order, &design, NULL, ca, err);
}

static enum err_code make_issuing(const struct ceremony_order *order,
                                  const struct ca_key_choice *ca_key, const struct holder *root,
                                  struct holder *issuing, struct err *err)
{
    const struct design design = {
        .common_name = CEREMONY_ISSUING_NAME,
        .kind = ca_key->kind,
        .key = ca_key->key,
        .plan = {.path_len = ISSUING_PATH_LEN,
                 .usage = ceremony_issuing_usage(false),
                 .years = ISSUING_YEARS},
    };
    return make(order, &design, root, issuing, err);
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
    if (ceremony_check_organization(order->organization, err) != ERR_OK) {
        return ERR_CONFIG;
    }
    return order->is_direct ? check_direct(order, err) : ERR_OK;
}

// A key that is there already stays where it is.
static enum err_code ca_to_pem(const struct holder *ca, const struct ca_key_choice *ca_key,
                               struct ceremony_result *result, struct err *err)
{
    enum err_code code = ceremony_cert_to_pem(ca->cert, &result->ca_certificate, err);
    return code == ERR_OK && ca_key->key == NULL
               ? ceremony_key_to_pem(ca->key, &result->ca_key, err)
               : code;
}

// Everything below the self-signed certificate, and the PEM of what there is.
static enum err_code two_tiers(const struct ceremony_order *order,
                               const struct ca_key_choice *ca_key, struct ceremony_result *result,
                               struct err *err)
{
    CLEANUP(ceremony_holder_done) struct holder root = {0};
    CLEANUP(ceremony_holder_done) struct holder issuing = {0};
    CLEANUP(ceremony_holder_done) struct holder ra = {0};
    enum err_code code = make_root(order, root_kind(ca_key), &root, err);
    if (code == ERR_OK) {
        code = make_issuing(order, ca_key, &root, &issuing, err);
    }
    if (code == ERR_OK) {
        code = ceremony_make_ra(order->organization, order->now, &issuing, &ra, err);
    }
    if (code == ERR_OK) {
        code = to_pem(&root, &result->root_key, &result->root_certificate, err);
    }
    if (code == ERR_OK) {
        code = ca_to_pem(&issuing, ca_key, result, err);
    }
    if (code == ERR_OK) {
        code = to_pem(&ra, &result->ra_key, &result->ra_certificate, err);
    }
    return code == ERR_OK ? ceremony_fingerprint(root.cert, result, err) : code;
}

static enum err_code one_tier(const struct ceremony_order *order,
                              const struct ca_key_choice *ca_key, struct ceremony_result *result,
                              struct err *err)
{
    CLEANUP(ceremony_holder_done) struct holder ca = {0};
    CLEANUP(ceremony_holder_done) struct holder ra = {0};
    enum err_code code = make_single(order, ca_key, &ca, err);
    if (code == ERR_OK) {
        code = ca_to_pem(&ca, ca_key, result, err);
    }
    if (code == ERR_OK) {
        code = ceremony_cert_to_pem(ca.cert, &result->root_certificate, err);
    }
    if (code == ERR_OK && !order->is_direct) {
        code = ceremony_make_ra(order->organization, order->now, &ca, &ra, err);
        if (code == ERR_OK) {
            code = to_pem(&ra, &result->ra_key, &result->ra_certificate, err);
        }
    }
    return code == ERR_OK ? ceremony_fingerprint(ca.cert, result, err) : code;
}

enum err_code ceremony_run(const struct ceremony_order *order, struct ceremony_result *ret_result,
                           struct err *err)
{
    ERR_clear_error();
    enum err_code code = check_order(order, err);
    if (code != ERR_OK) {
        return code;
    }
    CLEANUP(ca_key_choice_done) struct ca_key_choice ca_key = {0};
    code = choose_key(order, &ca_key, err);
    if (code != ERR_OK) {
        return code;
    }
    struct ceremony_result result = {0};
    code = order->tiers == 1 ? one_tier(order, &ca_key, &result, err)
                             : two_tiers(order, &ca_key, &result, err);
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
