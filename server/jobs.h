// SPDX-License-Identifier: Apache-2.0
// What scepd does by itself: keeps CRLs fresh, forgets requests that nobody approved, revokes
// superseded certificates if the settings say so, and renews the RA's certificate. All of it on the
// main thread.
#pragma once

#include "server/live.h"

#define JOBS_EVERY_SEC 60 // how often to look whether there is something to do

struct jobs {
    struct live *live;
    int64_t next;        // when to look again; 0 = at once
    bool is_reload_owed; // the RA has a new certificate that is not in use yet
};

// Looks, if it is time, and does what there is to do. Failures are logged, and tried again at the
// next look.
void jobs_run_when_due(struct jobs *jobs, int64_t now);
