// SPDX-License-Identifier: Apache-2.0
// What the RA is on the wire: its key and certificate, and the certificates above it. Immutable
// once loaded; shared by all threads for reading.
#pragma once

#include "conf/base/ossl.h"
#include "conf/settings.h"

struct credentials {
    X509 *ra_cert;          // CA:FALSE, digitalSignature + keyEncipherment, RSA
    EVP_PKEY *ra_key;       // signs CertReps, opens envelopes
    X509 *issuing_cert;     // its key is with scepd-ca
    STACK_OF(X509) * upper; // what stands above the issuing CA, ending with the root; may be
                            // empty when the issuing CA is the root itself
};

// Loads certificates and the RA key (through OSSL_STORE) that the settings name and checks them:
// key belongs to certificate; the RA's KeyUsage has both bits (RFC 8894, 2.1.2); RSA within our
// limits; RA and issuing CA chain up to the root; all valid at `now`. Caller frees with
// credentials_free(). Errors: ERR_CONFIG with what is wrong and which file, ERR_NOT_FOUND, ERR_IO.
enum err_code credentials_load(const struct settings *settings, int64_t now,
                               struct credentials **ret_credentials, struct err *err) MUST_CHECK;
void credentials_free(struct credentials *credentials);

// The root: the certificate whose fingerprint phones pin. Borrowed.
const X509 *credentials_root(const struct credentials *credentials);

// The answer to GetCACert (RFC 8894, 4.2): the certificates of scep.get_ca_cert that are valid at
// `now`, as degenerate SignedData with its content omitted (3.4), or one bare DER certificate
// (*ret_is_single) when only one is left. Errors: ERR_NOMEM, ERR_CRYPTO; ERR_BAD_TIME when none is
// valid.
enum err_code credentials_get_ca_cert(const struct credentials *credentials,
                                      const struct settings *settings, int64_t now,
                                      struct buf *ret_body, bool *ret_is_single,
                                      struct err *err) MUST_CHECK;

// The answer to GetCACaps (RFC 8894, 3.5.2): one keyword a line, LF, only what is true under these
// settings (SHA-384 included: strongSwan up to 5.9.10 needs it to see the others). Static or
// written to `text`; returns `text`.
#define CAPABILITIES_LEN 256 // bytes with NUL; certmonger refuses more than 1024
const char *credentials_get_ca_caps(const struct settings *settings, char text[CAPABILITIES_LEN]);
