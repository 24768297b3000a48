// SPDX-License-Identifier: Apache-2.0
// Which algorithms a request may use, in one place. Pure functions over OpenSSL's NIDs.
#pragma once

#include <openssl/x509.h>

#include "conf/settings.h"

// SHA-256, -384 and -512 always; SHA-1 and MD5 only where a setting says so.
bool algorithms_is_digest_allowed(int digest_nid, bool allow_sha1, bool allow_md5);

// The digest of an RSASSA-PKCS1-v1_5 signature algorithm ("sha256WithRSAEncryption"), or NID_undef
// for everything else: EC, DSA, RSASSA-PSS, plain rsaEncryption.
int algorithms_rsa_digest(int signature_nid);

// AES-CBC of any key size always; DES-EDE3-CBC and DES-CBC by setting; nothing else.
bool algorithms_is_cipher_allowed(int cipher_nid, const struct settings *settings);

// RSAES-PKCS1-v1_5 with parameters NULL or absent; RSAES-OAEP by setting.
bool algorithms_is_key_transport_allowed(const X509_ALGOR *algorithm,
                                         const struct settings *settings);

// A NID's short name for error texts; never NULL.
const char *algorithms_name(int nid);
