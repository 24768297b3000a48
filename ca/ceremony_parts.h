// SPDX-License-Identifier: Apache-2.0
// For ceremony*.c only: kinds of CA keys, certificates made from a plan, PEM.
#pragma once

#include "ca/ceremony.h"

#define CEREMONY_ISSUING_NAME "SCEP Issuing CA"

#define ISSUING_PATH_LEN 0
#define ISSUING_YEARS    10
#define ROOT_YEARS       20

struct key_kind {
    const char *name;
    unsigned rsa_bits; // 0 = EC
    const char *curve;
    const char *root; // the root over an issuing CA of this kind is at least as strong
};

// NULL when there is no such kind.
const struct key_kind *ceremony_kind(const char *name);
const struct key_kind *ceremony_default_kind(void);
// Errors: ERR_CONFIG with all that are allowed.
enum err_code ceremony_check_kind(const char *name, struct err *err) MUST_CHECK;

// A key and its certificate while the ceremony lasts.
struct holder {
    EVP_PKEY *key;
    X509 *cert;
};
void ceremony_holder_done(struct holder *holder);

// One certificate to be made.
struct plan {
    const X509_NAME *subject;
    int path_len; // or EXTENSION_NOT_A_CA
    unsigned usage;
    int64_t now;
    int years; // never longer than its issuer's
};

// keyUsage of a CA that issues to phones: it also signs the answers to GetNextCACert; `is_direct`:
// and answers SCEP itself.
unsigned ceremony_issuing_usage(bool is_direct);

// Errors: ERR_CONFIG for one that a subject must not have; NULL is fine.
enum err_code ceremony_check_organization(const char *organization, struct err *err) MUST_CHECK;
// O (unless NULL) and CN. Caller frees *ret_name.
enum err_code ceremony_make_name(const char *organization, const char *common_name,
                                 X509_NAME **ret_name, struct err *err) MUST_CHECK;
// Whether a CA may have this key; with `is_direct`, one that answers SCEP itself. Errors:
// ERR_CONFIG with all that are allowed.
enum err_code ceremony_check_key(const EVP_PKEY *key, bool is_direct, struct err *err) MUST_CHECK;

enum err_code ceremony_make_key(const struct key_kind *kind, EVP_PKEY **ret_key,
                                struct err *err) MUST_CHECK;
// Makes holder->cert for holder->key. `issuer` NULL = self-signed.
enum err_code ceremony_certify(struct holder *holder, const struct plan *plan,
                               const struct holder *issuer, struct err *err) MUST_CHECK;

// A new key and certificate of an RA under `issuer`.
enum err_code ceremony_make_ra(const char *organization, int64_t now, const struct holder *issuer,
                               struct holder *ra, struct err *err) MUST_CHECK;

// Notes the fingerprints of the certificate that phones pin.
enum err_code ceremony_fingerprint(const X509 *cert, struct ceremony_result *result,
                                   struct err *err) MUST_CHECK;

enum err_code ceremony_key_to_pem(EVP_PKEY *key, struct buf *ret_pem, struct err *err) MUST_CHECK;
enum err_code ceremony_cert_to_pem(const X509 *cert, struct buf *ret_pem,
                                   struct err *err) MUST_CHECK;
