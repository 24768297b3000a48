// SPDX-License-Identifier: Apache-2.0
// What the unit tests of the phone's readers make certificates with.
#pragma once

#include "tests/phone/common.h"

X509_NAME *kit_name(const char *common_name);
// Issued by `issuer`, or a self-signed CA when that is NULL. With SubjectKeyIdentifier; a leaf has
// AuthorityKeyIdentifier, digitalSignature and keyEncipherment.
X509 *kit_cert(const char *common_name, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key);
// A CA below `issuer`.
X509 *kit_sub_ca(const char *common_name, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key);
// Version 2 with CRLNumber and AuthorityKeyIdentifier, in force from `from_sec` to `until_sec` from
// now, with one entry.
X509_CRL *kit_crl(X509 *issuer, EVP_PKEY *issuer_key, long from_sec, long until_sec);
// Degenerate SignedData.
struct octets kit_certs_only(X509 *const *certs, size_t count);
struct octets kit_crl_only(X509_CRL *crl);
// SignedData over data with `content`, signed by `signer`, who is enclosed.
PKCS7 *kit_signed(const struct octets *content, X509 *signer, EVP_PKEY *key);
