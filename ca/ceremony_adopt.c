// SPDX-License-Identifier: Apache-2.0
// Everything that would make phones or scepd-ca refuse this CA later is found here, at the one
// moment when an administrator is looking.
#include "ca/ceremony_adopt.h"

#include <openssl/err.h>

#include "ca/ceremony_parts.h"
#include "ca/key.h"
#include "conf/base/private_key.h"

#define NAME_TEXT  120 // bytes of a subject in an error's text
#define CHAIN_MAX  16  // certificates above the CA; real ones have one or two
#define AUTH_LEVEL 2   // OpenSSL's: 112 bits, that is RSA 2048 and SHA-2

static const char *name_of(const X509 *cert, char text[NAME_TEXT])
{
    return ossl_name_print(X509_get_subject_name(cert), text, NAME_TEXT);
}

static enum err_code check_extensions(X509 *ca, bool is_direct, unsigned *ret_lacks,
                                      struct err *err)
{
    char name[NAME_TEXT];
    uint32_t flags = X509_get_extension_flags(ca);
    uint32_t usage = X509_get_key_usage(ca);
    if ((flags & EXFLAG_INVALID) != 0) {
        return err_set_openssl(err, ERR_CONFIG, "the certificate %s has malformed extensions",
                               name_of(ca, name));
    }
    if ((flags & EXFLAG_CA) == 0) {
        return err_set(err, ERR_CONFIG,
                       "the certificate %s is not a CA's: it has no basicConstraints with CA:TRUE",
                       name_of(ca, name));
    }
    if ((flags & EXFLAG_KUSAGE) == 0 || (usage & KU_KEY_CERT_SIGN) == 0) {
        return err_set(err, ERR_CONFIG,
                       "the certificate %s may not sign others: its keyUsage lacks keyCertSign",
                       name_of(ca, name));
    }
    if (is_direct && (~usage & (KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT)) != 0) {
        return err_set(err, ERR_CONFIG,
                       "the certificate %s cannot answer SCEP itself: its keyUsage lacks "
                       "digitalSignature or keyEncipherment",
                       name_of(ca, name));
    }
    *ret_lacks = ((usage & KU_CRL_SIGN) == 0 ? CEREMONY_LACKS_CRL_SIGN : 0U) |
                 ((usage & KU_DIGITAL_SIGNATURE) == 0 ? CEREMONY_LACKS_DIGITAL_SIGNATURE : 0U);
    return ERR_OK;
}

static bool is_valid(const X509 *cert, int64_t now)
{
    int64_t not_before = 0;
    int64_t not_after = 0;
    return ossl_time_read(X509_get0_notBefore(cert), &not_before) &&
           ossl_time_read(X509_get0_notAfter(cert), &not_after) && now >= not_before &&
           now < not_after;
}

static enum err_code check_ca(const struct ceremony_adopt_order *order, unsigned *ret_lacks,
                              struct err *err)
{
    char name[NAME_TEXT];
    enum err_code code = check_extensions(order->ca, order->is_direct, ret_lacks, err);
    if (code == ERR_OK && X509_NAME_entry_count(X509_get_subject_name(order->ca)) == 0) {
        code = err_set(err, ERR_CONFIG, "the CA's certificate has an empty subject");
    }
    if (code == ERR_OK && X509_get0_pubkey(order->ca) == NULL) {
        code = err_set_openssl(err, ERR_CONFIG, "the key of the certificate %s cannot be read",
                               name_of(order->ca, name));
    }
    if (code == ERR_OK && !is_valid(order->ca, order->now)) {
        code = err_set(err, ERR_CONFIG, "the certificate %s has expired or is not valid yet",
                       name_of(order->ca, name));
    }
    return code == ERR_OK ? ceremony_check_key(X509_get0_pubkey(order->ca), order->is_direct, err)
                          : code;
}

static enum err_code open_key(const struct ceremony_adopt_order *order, EVP_PKEY **ret_key,
                              struct err *err)
{
    CLEANUP(cleanup_EVP_PKEY_free) EVP_PKEY *key = NULL;
    char name[NAME_TEXT];
    enum err_code code = private_key_load(order->key.uri, order->key.pin_file, &key, err);
    if (code == ERR_OK && EVP_PKEY_eq(key, X509_get0_pubkey(order->ca)) != 1) {
        ERR_clear_error();
        code = err_set(err, ERR_CONFIG, "the key is not that of the certificate %s",
                       name_of(order->ca, name));
    }
    if (code == ERR_OK) {
        *ret_key = key;
        key = NULL;
    }
    return code;
}

// A valid one, if there are several of that name; one that is not is told of when it is verified.
static X509 *find_issuer(const struct ceremony_adopt_order *order, X509 *cert)
{
    X509 *found = NULL;
    for (int i = 0; i < sk_X509_num(order->chain); i++) {
        X509 *one = sk_X509_value(order->chain, i);
        if (X509_check_issued(one, cert) == X509_V_OK &&
            (found == NULL || is_valid(one, order->now))) {
            found = one;
        }
    }
    return found;
}

// Puts what stands above the CA into `above` (references), the root at the end.
static enum err_code order_chain(const struct ceremony_adopt_order *order, STACK_OF(X509) * above,
                                 struct err *err)
{
    char name[NAME_TEXT];
    X509 *at = order->ca;
    while (!ossl_is_self_issued(at)) {
        X509 *issuer = find_issuer(order, at);
        if (issuer == NULL) {
            return err_set(err, ERR_CONFIG,
                           "the chain is not complete: nothing in it has issued %s; allowed: all "
                           "certificates above the CA's, up to a self-signed root",
                           name_of(at, name));
        }
        if (sk_X509_num(above) == CHAIN_MAX) {
            return err_set(err, ERR_CONFIG, "more than %d certificates above the CA's", CHAIN_MAX);
        }
        if (X509_add_cert(above, issuer, X509_ADD_FLAG_UP_REF) != 1) {
            return err_set_openssl(err, ERR_NOMEM, "no memory for a chain");
        }
        at = issuer;
    }
    return ERR_OK;
}

static enum err_code explain(X509_STORE_CTX *context, struct err *err)
{
    char name[NAME_TEXT];
    const X509 *cert = X509_STORE_CTX_get_current_cert(context);
    const char *why = X509_verify_cert_error_string(X509_STORE_CTX_get_error(context));
    ERR_clear_error();
    if (cert == NULL) {
        return err_set(err, ERR_CONFIG, "the chain does not verify: %s", why);
    }
    return err_set(err, ERR_CONFIG, "the chain does not verify at %s: %s", name_of(cert, name),
                   why);
}

// As a phone would that knows the root and sees the RA's certificate.
static enum err_code verify(X509 *leaf, X509 *root, const STACK_OF(X509) * between, int64_t now,
                            struct err *err)
{
    CLEANUP(cleanup_X509_STORE_free) X509_STORE *trusted = X509_STORE_new();
    CLEANUP(cleanup_X509_STORE_CTX_free) X509_STORE_CTX *context = X509_STORE_CTX_new();
    CLEANUP(cleanup_free_cert_stack)
    STACK_OF(X509) *untrusted = X509_chain_up_ref((STACK_OF(X509) *)between);
    if (trusted == NULL || context == NULL || untrusted == NULL ||
        X509_STORE_add_cert(trusted, root) != 1 ||
        X509_STORE_CTX_init(context, trusted, leaf, untrusted) != 1) {
        return err_set_openssl(err, ERR_NOMEM, "no memory to verify a chain");
    }
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(context);
    X509_VERIFY_PARAM_set_time(param, now);
    X509_VERIFY_PARAM_set_auth_level(param, AUTH_LEVEL);
    X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_CHECK_SS_SIGNATURE);
    return X509_verify_cert(context) == 1 ? ERR_OK : explain(context, err);
}

static enum err_code encode_above(const STACK_OF(X509) * above, struct buf *pem, struct err *err)
{
    enum err_code code = ERR_OK;
    for (int i = 0; code == ERR_OK && i < sk_X509_num(above); i++) {
        CLEANUP(buf_done) struct buf one = {0};
        code = ceremony_cert_to_pem(sk_X509_value(above, i), &one, err);
        if (code == ERR_OK) {
            code = buf_append(pem, buf_view(&one), err);
        }
    }
    return code;
}

static enum err_code fill(const struct holder *ca, const struct holder *ra,
                          const STACK_OF(X509) * above, struct ceremony_result *result,
                          struct err *err)
{
    int count = sk_X509_num(above);
    const X509 *root = count > 0 ? sk_X509_value(above, count - 1) : ca->cert;
    enum err_code code = ceremony_cert_to_pem(ca->cert, &result->ca_certificate, err);
    if (code == ERR_OK) {
        code = count > 0 ? encode_above(above, &result->root_certificate, err)
                         : ceremony_cert_to_pem(ca->cert, &result->root_certificate, err);
    }
    if (code == ERR_OK && ra->cert != NULL) {
        code = ceremony_cert_to_pem(ra->cert, &result->ra_certificate, err);
    }
    if (code == ERR_OK && ra->cert != NULL) {
        code = ceremony_key_to_pem(ra->key, &result->ra_key, err);
    }
    return code == ERR_OK ? ceremony_fingerprint(root, result, err) : code;
}

// With an RA the CA's certificate stands between; without one it is the leaf, and its own root.
static enum err_code certify(const struct ceremony_adopt_order *order, const struct holder *ca,
                             STACK_OF(X509) * above, struct holder *ra, struct err *err)
{
    int count = sk_X509_num(above);
    X509 *root = count > 0 ? sk_X509_value(above, count - 1) : ca->cert;
    if (order->is_direct) {
        return count == 0 ? verify(ca->cert, root, above, order->now, err)
                          : err_set(err, ERR_CONFIG,
                                    "a CA that answers SCEP itself must be its own root, and this "
                                    "one is not");
    }
    enum err_code code = ceremony_make_ra(order->organization, order->now, ca, ra, err);
    CLEANUP(cleanup_free_cert_stack) STACK_OF(X509) *between = X509_chain_up_ref(above);
    if (code == ERR_OK &&
        (between == NULL || X509_add_cert(between, ca->cert, X509_ADD_FLAG_UP_REF) != 1)) {
        code = err_set_openssl(err, ERR_NOMEM, "no memory for a chain");
    }
    return code == ERR_OK ? verify(ra->cert, root, between, order->now, err) : code;
}

enum err_code ceremony_adopt(const struct ceremony_adopt_order *order,
                             struct ceremony_result *ret_result, unsigned *ret_lacks,
                             struct err *err)
{
    CLEANUP(ceremony_holder_done) struct holder ca = {0};
    CLEANUP(ceremony_holder_done) struct holder ra = {0};
    CLEANUP(ceremony_done) struct ceremony_result result = {0};
    CLEANUP(cleanup_free_cert_stack) STACK_OF(X509) *above = sk_X509_new_null();
    unsigned lacks = 0;
    ERR_clear_error();
    if (above == NULL || X509_up_ref(order->ca) != 1) {
        return err_set_openssl(err, ERR_NOMEM, "no memory for a chain");
    }
    ca.cert = order->ca;
    enum err_code code = ceremony_check_organization(order->organization, err);
    if (code == ERR_OK) {
        code = check_ca(order, &lacks, err);
    }
    if (code == ERR_OK) {
        code = order_chain(order, above, err);
    }
    if (code == ERR_OK) {
        code = open_key(order, &ca.key, err);
    }
    if (code == ERR_OK) {
        code = certify(order, &ca, above, &ra, err);
    }
    if (code == ERR_OK) {
        code = fill(&ca, &ra, above, &result, err);
    }
    if (code == ERR_OK) {
        *ret_result = result;
        *ret_lacks = lacks;
        result = (struct ceremony_result){0};
    }
    return code;
}
