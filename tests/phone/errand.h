// SPDX-License-Identifier: Apache-2.0
// What enroll, renew and poll have in common: sending a PKCS#10, waiting, keeping what came.
#pragma once

#include "tests/phone/ticket.h"

// A PKCS#10 that is to be sent; all borrowed.
struct errand {
    X509_REQ *csr;
    EVP_PKEY *key;               // its key
    const struct credential *by; // NULL = a throw-away certificate signs
    const char *type;
};
// Makes the request, saves it (--save), keeps what polling needs (--state), and sends it unless
// --prepare; polls when it is pending (--wait). *ret_cert stays NULL after --prepare. Errors: those
// of exchange_read().
enum outcome errand_run(const struct session *session, const struct errand *errand, X509 **ret_cert,
                        struct trouble *trouble) MUST_CHECK;

// Tells of a certificate that came and, with --out, stores its key, itself and the root. Each is
// replaced at once.
enum outcome cert_install(const struct session *session, X509 *cert, EVP_PKEY *key,
                          struct trouble *trouble) MUST_CHECK;
