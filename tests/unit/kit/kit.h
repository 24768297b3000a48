// SPDX-License-Identifier: Apache-2.0
// What unit tests need again and again: keys, certificates, requests, temporary folders. Every
// call ends the program on failure, so tests need not check.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conf/base/ossl.h"

#define KIT_NOW 1800000000 // 2027-01-15T08:00:00Z: the tests' fixed clock

// RSA-2048 key number `index` (0 to 7), made once per process. Borrowed.
EVP_PKEY *kit_key(unsigned index);
// A fresh RSA key of `bits`, or an EC key of a named curve. Caller frees.
EVP_PKEY *kit_rsa_key(unsigned bits);
EVP_PKEY *kit_ec_key(const char *curve);

// A certificate for `key` with subject CN=`common_name`, valid for `days` from `now`. `issuer` and
// `issuer_key` NULL = self-signed without extensions; `is_ca` adds BasicConstraints, KeyUsage,
// SKI; others get KeyUsage digitalSignature + keyEncipherment, SKI, AKI when issued. Caller frees.
X509 *kit_cert(EVP_PKEY *key, const char *common_name, X509 *issuer, EVP_PKEY *issuer_key,
               bool is_ca, int64_t now, int days);

// What goes into a PKCS#10; {0} members are left out.
struct kit_csr {
    const char *common_name;
    const X509_NAME *subject; // instead of common_name
    const char *challenge;
    int challenge_type;  // V_ASN1_*; 0 = UTF8String
    const char *san_dns; // one dNSName
    const char *digest;  // "SHA256" by default
};
// DER of a PKCS#10 signed by `key`. Caller frees with buf_done().
struct buf kit_csr_der(EVP_PKEY *key, const struct kit_csr *content);
// DER of a request signed by `key`, which need not be its own. `digest` NULL = the key's only one.
// Frees the request. Caller frees with buf_done().
struct buf kit_req_der(X509_REQ *take_req, EVP_PKEY *key, const EVP_MD *digest);

// A new folder under $TMPDIR; kit_remove_folder() deletes it with all that is in it.
char *kit_new_folder(void);
void kit_remove_folder(char *take_path);
// `folder`/`name`; caller frees.
char *kit_path(const char *folder, const char *name);
// Writes a file (mode 0600) into a folder and returns its path; caller frees.
char *kit_write(const char *folder, const char *name, struct view content);
// PEM of a certificate or private key (unencrypted). Caller frees with buf_done().
struct buf kit_cert_pem(const X509 *cert);
struct buf kit_key_pem(EVP_PKEY *key);
