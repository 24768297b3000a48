// SPDX-License-Identifier: Apache-2.0
// One CA ready to work: key, certificate and profiles, checked together when it is loaded.
// Immutable from then on: any thread.
#pragma once

#include "ca/csr.h"
#include "ca/frame.h"
#include "ca/key.h"
#include "ca/profile.h"
#include "conf/generations.h"

// What the log says about one certificate.
struct authority_issued {
    uint8_t serial[SERIAL_LEN];
    char common_name[LIMIT_NAME_VALUE + 1]; // "" when the subject has none
    char key_type[KEY_TYPE_LEN];            // "rsa:2048"
    int64_t not_after;
};

struct authority;

// Opens the key of `generation` and checks what its role needs: key and certificate belong
// together, the certificate is a CA's with keyCertSign; the present CA's is valid at `now`, the
// next one's has not expired, an old one's may have. Under topology direct the first two have RSA
// keys and their certificates digitalSignature and keyEncipherment (RFC 8894, 2.1.2). Neither
// argument is kept. Caller frees. Errors: ERR_CONFIG and what ca_key_open() says.
enum err_code authority_load(const struct settings *settings, const struct generation *generation,
                             int64_t now, struct authority **ret_authority,
                             struct err *err) MUST_CHECK;
void authority_free(struct authority *authority);
DEFINE_CLEANUP(struct authority *, authority_free);

// The whole of an order: PKCS#10, profile, signature. *ret_der (empty before) gets the certificate,
// of at most LIMIT_CERT_LEN octets. Does not look at order->issuer.
// Errors: ERR_BAD_REQUEST, ERR_BAD_ALG (the client's fault); ERR_DENIED (no such profile, or not
// under an old CA, or a server outside servers.domains);
// ERR_CONFIG (CA certificate expired or not valid yet); ERR_CRYPTO, ERR_NOMEM.
enum err_code authority_issue(const struct authority *authority, const struct issue_order *order,
                              int64_t now, struct buf *ret_der, struct authority_issued *ret_issued,
                              struct err *err) MUST_CHECK;

// A CRL of this CA; see struct authorities_crl in ca/authorities.h.
struct authority_crl {
    uint64_t number;
    const struct crl_entry *entries;
    size_t count;
    int64_t now;
};
// Errors: ERR_DENIED (keyUsage lacks cRLSign) and as crl_build().
enum err_code authority_sign_crl(const struct authority *authority,
                                 const struct authority_crl *order, struct buf *ret_der,
                                 struct err *err) MUST_CHECK;

// Whether this CA's key made the signature, and its name is the issuer's.
bool authority_has_issued(const struct authority *authority, X509 *cert);
bool authority_has_signed(const struct authority *authority, X509_CRL *crl);

// Borrowed, as long as the authority lives. The certificate is for reading.
enum generation_role authority_role(const struct authority *authority);
const uint8_t *authority_id(const struct authority *authority); // SHA256_LEN octets
const char *authority_name(const struct authority *authority);
X509 *authority_cert(const struct authority *authority);
const struct ca_key *authority_key(const struct authority *authority); // to sign with, see ca/key.h
const char *authority_key_type(const struct authority *authority);
int64_t authority_not_after(const struct authority *authority);
