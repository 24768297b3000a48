// SPDX-License-Identifier: Apache-2.0
// A PKCS#10 (RFC 2986) taken apart, with templates of our own instead of X509_REQ: OpenSSL 3.0's
// general decoder and encoder of public keys cost some 0.15 ms each, a good part of a signature,
// and would work on keys of every kind before anybody could say no. The RA and the CA each read
// every request by themselves.
#pragma once

#include "conf/base/ossl.h"

#define CSR_EXTENSIONS_MAX 32 // extensions in a PKCS#10; real ones have up to 4

struct csr;

// Parses exactly one CertificationRequest that ends where `der` ends and whose key is RSA. Nothing
// is verified yet. Errors: ERR_BAD_REQUEST; ERR_BAD_ALG for other keys; ERR_CRYPTO (memory).
enum err_code csr_parse(struct view der, struct csr **ret_csr, struct err *err) MUST_CHECK;
// The same for requests of keys that only sign: also EC keys on P-256, by its name. The point is on
// the curve. Errors: as above.
enum err_code csr_parse_signer(struct view der, struct csr **ret_csr, struct err *err) MUST_CHECK;
void csr_free(struct csr *csr);
DEFINE_CLEANUP(struct csr *, csr_free);

// All of these borrow from the request.
const X509_NAME *csr_subject(const struct csr *csr);
EVP_PKEY *csr_key(const struct csr *csr);
const STACK_OF(X509_ATTRIBUTE) * csr_attributes(const struct csr *csr); // may be NULL
int csr_signature_nid(const struct csr *csr);

// Whether the request's own signature (RFC 2986, 3) is by its own key.
bool csr_is_signature_valid(const struct csr *csr);
// Makes the key, encoded anew (rsaEncryption with NULL parameters, or P-256), the certificate's.
// Errors: ERR_CRYPTO (memory).
enum err_code csr_copy_key(const struct csr *csr, X509 *cert, struct err *err) MUST_CHECK;

// Everything that csr_attributes() ask for by an extensionRequest (RFC 2985, 5.4.2) and by
// Microsoft's, taken together: at most one attribute of either kind, no extension twice, at most
// CSR_EXTENSIONS_MAX. Caller frees *ret_extensions, which may be empty. Errors: ERR_BAD_REQUEST,
// ERR_NOMEM.
enum err_code csr_extensions(const STACK_OF(X509_ATTRIBUTE) * attributes,
                             X509_EXTENSIONS **ret_extensions, struct err *err) MUST_CHECK;
