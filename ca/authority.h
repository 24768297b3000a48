// SPDX-License-Identifier: Apache-2.0
// An issuing CA ready to work: key, certificate and profiles, checked together at start. An
// immutable snapshot with a reference count: a reload makes a new one, threads that are still
// issuing finish with the old one.
#pragma once

#include "ca/csr.h"
#include "ca/frame.h"
#include "ca/key.h"
#include "ca/profile.h"

// Where it comes from; texts are borrowed.
struct authority_settings {
    const char *certificate; // PEM or DER path; the first certificate in it is the CA's
    const char *key;         // OSSL_STORE URI or path
    const char *pin_file;    // NULL = none
    struct profile_phone phone;
    struct csr_rules csr;
};

// What the log says about one certificate.
struct authority_issued {
    uint8_t serial[SERIAL_LEN];
    char common_name[LIMIT_NAME_VALUE + 1]; // "" when the subject has none
    char key_type[KEY_TYPE_LEN];            // "rsa:2048"
    int64_t not_after;
};

struct authority;

// Opens key and certificate and checks them: they belong together, the certificate is a CA's with
// keyCertSign, valid at `now`. The caller holds one reference. Errors: ERR_CONFIG and what
// ca_key_open() says.
enum err_code authority_load(const struct authority_settings *settings, int64_t now,
                             struct authority **ret_authority, struct err *err) MUST_CHECK;
// The same with what is in memory already: takes one reference to the certificate, and the key;
// both are consumed also on failure. Does not read `settings`' paths.
enum err_code authority_new(X509 *take_cert, struct ca_key *take_key,
                            const struct authority_settings *settings, int64_t now,
                            struct authority **ret_authority, struct err *err) MUST_CHECK;

// One more reference, and one less; the last one frees. Any thread.
struct authority *authority_ref(struct authority *authority);
void authority_unref(struct authority *authority);
DEFINE_CLEANUP(struct authority *, authority_unref);

// The whole of an order: PKCS#10, profile, signature. *ret_der (empty before) gets the certificate,
// of at most LIMIT_CERT_LEN octets. Any thread.
// Errors: ERR_BAD_REQUEST, ERR_BAD_ALG (the client's fault); ERR_DENIED (no such profile);
// ERR_CONFIG (CA certificate expired); ERR_CRYPTO, ERR_NOMEM.
enum err_code authority_issue(const struct authority *authority, const struct issue_order *order,
                              int64_t now, struct buf *ret_der, struct authority_issued *ret_issued,
                              struct err *err) MUST_CHECK;

// The CA's key type and when its certificate ends, for the log.
const char *authority_key_type(const struct authority *authority);
int64_t authority_not_after(const struct authority *authority);
