// SPDX-License-Identifier: Apache-2.0
// A trust store as it is in memory; for trust.c and trust_load.c only.
#pragma once

#include "ra/trust.h"

struct trust_store {
    char *name;
    STACK_OF(X509) * roots;
    STACK_OF(X509) * intermediates;
    bool accept_expired;
    bool accept_sha1;
    int min_rsa_bits;
    int auth_level; // OpenSSL's, see SSL_CTX_set_security_level(3)
    bool takes[IDENTITY_CLASS_MAX];
};

struct trust {
    struct trust_store stores[SETTINGS_MIC_STORES_MAX];
    unsigned count;
};
