// SPDX-License-Identifier: Apache-2.0
// Private to http.c and respond.c: one HTTP request from its head to its answer. It belongs to the
// HTTP thread, except between EXCHANGE_WAITING and EXCHANGE_READY, when the job has it.
#pragma once

#include <microhttpd.h>

#include "server/live.h"
#include "server/query.h"
#include "server/work.h"

enum exchange_stage {
    EXCHANGE_RECEIVING, // the body comes in
    EXCHANGE_WAITING,   // the connection is suspended, the job on its way
    EXCHANGE_READY,     // the job is done, or was not taken
    EXCHANGE_ANSWERED,
};

struct exchange {
    struct work_item item;
    struct http *http;
    struct MHD_Connection *connection;
    const char *method; // the connection's
    const char *path;   // the connection's, decoded
    struct query query; // borrows from the connection
    struct buf body;    // the message: the POST's body, or decoded from the GET
    uint64_t received;  // octets of the body, also of those that were thrown away
    bool is_out_of_memory;
    bool is_not_taken;                 // the queue was full
    bool is_counted;                   // in http->answering
    _Atomic enum exchange_stage stage; // EXCHANGE_READY hands the whole exchange over
    int64_t began_us;
};

// The server is about to end: this answer is the connection's last, so that who comes again finds
// the next server.
bool exchange_is_last(const struct exchange *exchange);
// The counters that answers are added to.
struct live *exchange_live(const struct exchange *exchange);
