// SPDX-License-Identifier: Apache-2.0
// What a phone signs with, and certificates in files: its manufacturer's certificate with what
// stands above it, or an installed one.
#pragma once

#include "tests/phone/common.h"

struct credential {
    EVP_PKEY *key;
    X509 *cert;
    STACK_OF(X509) * chain; // sent behind the certificate; NULL = nothing
};

// PEM or, for a certificate alone, DER. `chain` may be NULL; `cert` itself is left out of it.
// *ret_credential is to be done
// with credential_done(). Errors: OUTCOME_TROUBLE for files that cannot be read; OUTCOME_USAGE
// when the key is not the certificate's.
struct credential_files {
    const char *cert;
    const char *key;
    const char *chain;
};
enum outcome credential_load(const struct credential_files *files,
                             struct credential *ret_credential, struct trouble *trouble) MUST_CHECK;
void credential_done(struct credential *credential);

// One certificate, PEM or DER. Errors: OUTCOME_TROUBLE.
enum outcome cert_load(const char *path, X509 **ret_cert, struct trouble *trouble) MUST_CHECK;
// One PEM certificate after another, at least one. Errors: OUTCOME_TROUBLE.
enum outcome certs_load(const char *path, STACK_OF(X509) * *ret_certs,
                        struct trouble *trouble) MUST_CHECK;
// As PEM.
struct octets cert_pem(X509 *cert);
struct octets certs_pem(const STACK_OF(X509) * certs);
// FOLDER/NAME as PEM, in place of an older one.
enum outcome cert_store(const char *folder, const char *name, X509 *cert,
                        struct trouble *trouble) MUST_CHECK;

// The subject's first common name as UTF-8, cut at a NUL if it has one; false without any.
#define COMMON_NAME_LEN 256 // bytes with the final NUL
bool cert_common_name(const X509 *cert, char ret_name[COMMON_NAME_LEN]);
// "02AB..." of a serial number, on standard output.
void serial_print(const ASN1_INTEGER *serial);
// Subject, issuer and serial number, likewise.
void cert_tell(const X509 *cert);
