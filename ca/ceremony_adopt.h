// SPDX-License-Identifier: Apache-2.0
// A CA that exists already, or one that an outside CA signs: what it must have, and the RA that
// goes with it. For `scepctl init`, as ca/ceremony.h, and as little part of a running server.
#pragma once

#include "ca/ceremony.h"

// The issuing CA's request to the CA above it.
struct ceremony_request_order {
    const char *ca_key;       // kind of the new key, as in struct ceremony_order
    struct ceremony_key key;  // instead of a new one
    const char *organization; // O of the subject; NULL = none
};
// PEM; `key` is empty when the order named one.
struct ceremony_request {
    struct buf key;
    struct buf csr;
};
// A PKCS#10 that asks for what ceremony_run() gives an issuing CA: CA:TRUE, pathLen 0, keyCertSign,
// cRLSign, digitalSignature. *ret_request is to be done with ceremony_request_done(). Errors:
// ERR_CONFIG as ceremony_run(); ERR_CRYPTO, ERR_NOMEM.
enum err_code ceremony_request(const struct ceremony_request_order *order,
                               struct ceremony_request *ret_request, struct err *err) MUST_CHECK;
void ceremony_request_done(struct ceremony_request *request);

// All borrowed.
struct ceremony_adopt_order {
    X509 *ca;
    const STACK_OF(X509) * chain; // what stands above it, in any order; more does not matter
    struct ceremony_key key;      // of `ca`
    const char *organization;     // O of the RA's subject; NULL = none
    bool is_direct;               // no RA; the CA answers SCEP itself
    int64_t now;
};

// What a CA can do without.
enum ceremony_lack {
    CEREMONY_LACKS_CRL_SIGN = 1,          // keyUsage: it signs no CRLs
    CEREMONY_LACKS_DIGITAL_SIGNATURE = 2, // keyUsage: clients may not believe its GetNextCACert
};

// Checks the CA and everything above it and makes an RA certificate. Checked are: basicConstraints
// and keyUsage; validity at `now`; kind and size of the key, and that it is the certificate's; that
// an RA certificate of this CA verifies up to a self-signed root of `chain`, which includes
// pathLenConstraint, name constraints, validity and signatures (at least SHA-256, RSA 2048).
// *ret_result is as ceremony_run()'s, without any key but the RA's; root_certificate has everything
// above the CA, the root at the end, or the CA itself when that is the root. *ret_lacks gets a sum
// of enum ceremony_lack. Errors: ERR_CONFIG; ERR_CRYPTO, ERR_NOMEM.
enum err_code ceremony_adopt(const struct ceremony_adopt_order *order,
                             struct ceremony_result *ret_result, unsigned *ret_lacks,
                             struct err *err) MUST_CHECK;
