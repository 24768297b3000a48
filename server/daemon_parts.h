// SPDX-License-Identifier: Apache-2.0
// Private to daemon.c and daemon_parts.c: what the daemon consists of, and how its parts start in
// the order of their dependence and end from the outside inwards.
#pragma once

#include "server/admin/admin.h"
#include "server/ca_child.h"
#include "server/daemon.h"
#include "server/http.h"
#include "server/jobs.h"
#include "server/listener.h"
#include "server/web/web.h"

struct daemon {
    const char *settings_path;
    bool is_ca_external;
    int signal_fd;
    struct listener_inherited inherited; // taken over by whoever serves there: -1 then
    struct ca_child *child;              // NULL when scepd-ca is a service of its own
    struct ca_client *ca;                // the main thread's own connection
    struct enroll_service *service;
    struct work *work;
    struct http *http;
    struct admin *admin;
    struct web *web; // NULL: nobody wants it
    struct live live;
    struct jobs jobs;
    bool was_ca_answering; // at the last ping, as the log has it
    int64_t ping_us;       // how often, and when next
    int64_t next_ping_us;
};

// Workers that the settings want. Main thread, as all of these.
unsigned daemon_worker_count(const struct settings *settings);

// Starts scepd-ca, the policy and all parts; daemon_parts_stop() follows also when that fails.
// Errors: ERR_CONFIG for wrong settings; those of the parts.
enum err_code daemon_parts_start(struct daemon *daemon, struct settings *take_settings,
                                 struct err *err) MUST_CHECK;
// Whether a scepd-ca that is our child has ended by itself; `err` then says how.
bool daemon_has_child_ended(const struct daemon *daemon, struct err *err);
// Ends what was started, so that each part still has all it needs to finish.
void daemon_parts_stop(struct daemon *daemon);
