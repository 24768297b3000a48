// SPDX-License-Identifier: Apache-2.0
// Whether phones can be served: does the CA answer, does the store take writes, are the CRL and the
// certificates of CA and RA good. For /healthz, monitoring and the web page.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "conf/base/err.h"

#define HEALTH_PROBE_SEC     10   // a write into the store is tried at most so often
#define HEALTH_CA_SEC        5    // and scepd-ca is asked at most so often whether it answers
#define HEALTH_CA_TIMEOUT_MS 2000 // for which it has so long; the main thread waits

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
// Asks scepd-ca by live->ca_probe whether it answers and notes it in `live`. Main thread; waits up
// to HEALTH_CA_TIMEOUT_MS. Errors: ERR_BUSY, ERR_PROTOCOL.
enum err_code health_ask_ca(struct live *live, int64_t now, struct err *err) MUST_CHECK;
// Whether the CA answers, as was seen at most HEALTH_CA_SEC ago: asks when that is older, and there
// is a `ca_probe`. Main thread.
bool health_ca_answers(struct live *live, int64_t now);
// Main thread; waits for a commit when a write is tried.
void health_check(struct live *live, int64_t now, struct health *ret_health);
