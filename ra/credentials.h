// SPDX-License-Identifier: Apache-2.0
// What the RA is on the wire: its keys and certificates, and the CAs behind it. Immutable once
// loaded; shared by all threads for reading.
#pragma once

#include "conf/base/ossl.h"
#include "conf/generations.h"
#include "conf/settings.h"

#define RECIPIENTS_MAX 8

enum recipient_role {
    RECIPIENT_CURRENT,
    RECIPIENT_NEXT,     // of the next CA: who encrypts to it gets a certificate of that
    RECIPIENT_PREVIOUS, // still opened for ra.previous_days after its successor was made, or after
                        // the present CA took over (when ca.generations/current was made)
};

// A certificate that clients may encrypt to and that answers are signed with.
struct recipient {
    enum recipient_role role;
    X509 *cert;    // digitalSignature + keyEncipherment, RSA; CA:FALSE but for the direct topology
    EVP_PKEY *key; // NULL: scepd-ca has it (direct topology)
    uint8_t issuer[SHA256_LEN]; // the CA that issues for requests to it (struct generation's id)
    int64_t until; // RECIPIENT_PREVIOUS: what is encrypted to it is not opened from then on; else 0
};

struct credentials {
    struct recipient recipients[RECIPIENTS_MAX]; // [0] is the current one
    unsigned recipient_count;
    struct generations generations;
    STACK_OF(X509) * upper; // what stands above the current issuing CA, ending with the root; may
                            // be empty when it is the root itself
};

// Loads certificates and RA keys (through OSSL_STORE): those the settings name, and those in
// ra.directory, which is scepd's own (pairs SERIAL.pem and SERIAL.key; a certificate without a key
// file is for ra.key; one that is not valid now or of no CA of ours is passed over). Current is the
// newest valid one of the present CA, next that of the next CA. Checks: keys belong to
// certificates; KeyUsage has both bits (RFC 8894, 2.1.2); RSA within our limits; current RA and
// issuing CA chain up to the root; all valid at `now`. Under topology direct the present CA's
// certificate is the one recipient, and must have these bits itself. Caller frees with
// credentials_free(). Errors: ERR_CONFIG with what is wrong and which file, ERR_NOT_FOUND, ERR_IO.
enum err_code credentials_load(const struct settings *settings, int64_t now,
                               struct credentials **ret_credentials, struct err *err) MUST_CHECK;
void credentials_free(struct credentials *credentials);

static inline const struct recipient *credentials_ra(const struct credentials *credentials)
{
    return &credentials->recipients[0];
}
static inline const struct generation *credentials_issuing(const struct credentials *credentials)
{
    return &credentials->generations.list[0];
}
// NULL when there is none.
const struct recipient *credentials_next_ra(const struct credentials *credentials);
// The root: the certificate whose fingerprint phones pin. Borrowed.
const X509 *credentials_root(const struct credentials *credentials);

// The answer to GetCACert (RFC 8894, 4.2): the certificates of scep.get_ca_cert that are valid at
// `now`, as degenerate SignedData with its content omitted (3.4), or one bare DER certificate
// (*ret_is_single) when only one is left, as always under topology direct. Never a next CA.
// Errors: ERR_NOMEM, ERR_CRYPTO; ERR_BAD_TIME when none is valid.
enum err_code credentials_get_ca_cert(const struct credentials *credentials,
                                      const struct settings *settings, int64_t now,
                                      struct buf *ret_body, bool *ret_is_single,
                                      struct err *err) MUST_CHECK;

// The answer to GetCACaps (RFC 8894, 3.5.2): one keyword a line, LF, only what is true under these
// settings (SHA-384 included: strongSwan up to 5.9.10 needs it to see the others). `has_next_ca`:
// GetNextCACert would be answered. Written to `text`; returns it.
#define CAPABILITIES_LEN 256 // bytes with NUL; certmonger refuses more than 1024
const char *credentials_get_ca_caps(const struct settings *settings, bool has_next_ca,
                                    char text[CAPABILITIES_LEN]);
