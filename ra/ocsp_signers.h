// SPDX-License-Identifier: Apache-2.0
// For ocsp.c and ocsp_signers.c only: the signers of the moment, an immutable snapshot that
// questions under way keep by reference.
#pragma once

#include "ra/ocsp.h"

struct ocsp_signer {
    uint8_t id[SHA256_LEN]; // of the CA
    X509 *issuer;           // owned
    X509 *cert;             // owned
    EVP_PKEY *key;          // owned
};

struct ocsp_signers {
    _Atomic unsigned references;
    unsigned count;
    struct ocsp_signer list[GENERATIONS_MAX];
};

// A reference to the present signers, NULL = there are none. Any thread.
struct ocsp_signers *ocsp_signers_get(struct ocsp *ocsp);
void ocsp_signers_unref(struct ocsp_signers *signers);
DEFINE_CLEANUP(struct ocsp_signers *, ocsp_signers_unref);
