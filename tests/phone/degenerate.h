// SPDX-License-Identifier: Apache-2.0
// Strict readers of SignedData that is not signed: certificates, or one CRL, and nothing else
// (RFC 8894, 3.4).
#pragma once

#include "tests/phone/common.h"

// One ContentInfo of type `nid` (PKCS#7) that ends where the octets end; else NULL.
PKCS7 *pkcs7_parse_exact(const struct octets *der, int nid);

// One or more certificates, no CRL, no signer, no content. OUTCOME_UNTRUSTED.
enum outcome certs_only_parse(const struct octets *der, PKCS7 **ret_message,
                              struct trouble *trouble) MUST_CHECK;
// Exactly one CRL, `certificates` absent, no signer, no content. OUTCOME_UNTRUSTED.
enum outcome crl_only_parse(const struct octets *der, X509_CRL **ret_crl,
                            struct trouble *trouble) MUST_CHECK;
