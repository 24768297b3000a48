// SPDX-License-Identifier: Apache-2.0
// Whether phones can be served: does the CA answer, does the store take writes, are the CRL and the
// certificates of CA and RA good. For /healthz, monitoring and the web page.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "conf/base/err.h"

#define HEALTH_PROBE_SEC 10 // a write into the store is tried at most so often

// What the last try to write came to; part of struct live.
struct health_probe {
    int64_t at; // 0 = never tried
    struct err failure;
};

enum health_part { HEALTH_CA, HEALTH_STORE, HEALTH_CRL, HEALTH_CERTIFICATES, HEALTH_MAX };

// Of each part what is wrong with it, in words; "" = nothing.
struct health {
    bool is_well;
    char troubles[HEALTH_MAX][ERR_TEXT_LEN];
};

struct live;
// Main thread; waits for a commit when a write is tried.
void health_check(struct live *live, int64_t now, struct health *ret_health);
