// SPDX-License-Identifier: Apache-2.0
// For ceremony.c and ceremony_next.c only: kinds of CA keys, certificates made from a plan, PEM.
#pragma once

#include "ca/ceremony.h"

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

enum err_code ceremony_make_key(const struct key_kind *kind, EVP_PKEY **ret_key,
                                struct err *err) MUST_CHECK;
// Makes holder->cert for holder->key. `issuer` NULL = self-signed.
enum err_code ceremony_certify(struct holder *holder, const struct plan *plan,
                               const struct holder *issuer, struct err *err) MUST_CHECK;

enum err_code ceremony_key_to_pem(EVP_PKEY *key, struct buf *ret_pem, struct err *err) MUST_CHECK;
enum err_code ceremony_cert_to_pem(const X509 *cert, struct buf *ret_pem,
                                   struct err *err) MUST_CHECK;
