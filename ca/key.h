// SPDX-License-Identifier: Apache-2.0
// The CA's private key: opened by OSSL_STORE URI or path, used to sign what this room built. No
// function gives the private key out, nor an object that it could be read from. Immutable once
// opened: any thread may sign.
#pragma once

#include "conf/base/ossl.h"
#include "conf/cms/certrep.h"

#define KEY_TYPE_LEN 16 // bytes of "rsa:4096" or "ec:P-384" with NUL

struct ca_key;

// Opens the private key at `uri` (a path, or a URI of any scheme OpenSSL has a store loader for).
// `pin_file` (NULL = none) holds its passphrase in the first line. Never asks on a terminal.
// Errors: ERR_CONFIG (no such file, no key in it, wrong passphrase, a kind of key the CA does not
// sign with: allowed are RSA of 2048 to 4096 bits, P-256 and P-384); what file_read() says of the
// pin file; ERR_NOMEM.
enum err_code ca_key_open(const char *uri, const char *pin_file, struct ca_key **ret_key,
                          struct err *err) MUST_CHECK;
void ca_key_free(struct ca_key *key);
DEFINE_CLEANUP(struct ca_key *, ca_key_free);

// Whether `cert` is for the public half of `key`.
bool ca_key_matches(const struct ca_key *key, const X509 *cert);
// "rsa:2048", "ec:P-256"...; lives as long as the key.
const char *ca_key_type(const struct ca_key *key);
// Sets the signature algorithm (RSA and P-256: SHA-256; P-384: SHA-384) and signs. Errors:
// ERR_CRYPTO.
enum err_code ca_key_sign(const struct ca_key *key, X509 *cert, struct err *err) MUST_CHECK;
enum err_code ca_key_sign_crl(const struct ca_key *key, X509_CRL *crl, struct err *err) MUST_CHECK;

// A SignedData (RFC 5652, 5) to be made; all borrowed.
struct ca_key_cms {
    X509 *signer;                 // the key's certificate; also put into `certificates`
    const STACK_OF(X509) * certs; // more for `certificates`
    struct view content;          // of type id-data
};
// Signs it; no SMIMECapabilities among the attributes. *ret_der is empty before. Errors:
// ERR_CRYPTO, ERR_NOMEM.
enum err_code ca_key_sign_cms(const struct ca_key *key, const struct ca_key_cms *cms,
                              struct buf *ret_der, struct err *err) MUST_CHECK;

// Topology direct, with the key of `cert`: unwrap_envelope() and certrep_encode().
enum err_code ca_key_unwrap(const struct ca_key *key, X509 *cert, CMS_ContentInfo *envelope,
                            struct buf *ret_content, struct err *err) MUST_CHECK;
enum err_code ca_key_seal(const struct ca_key *key, X509 *cert, const struct certrep *certrep,
                          struct buf *ret_der, struct err *err) MUST_CHECK;

// The type of a key as ca_key_type() says it; other kinds give OpenSSL's name for them. Returns
// `type`.
const char *key_describe(const EVP_PKEY *key, char type[KEY_TYPE_LEN]);
// The digest that goes with a CA key of this kind, NULL when the CA does not sign with such keys.
const char *key_digest_name(const EVP_PKEY *key);
