// SPDX-License-Identifier: Apache-2.0
// The web server that phones talk to (RFC 8894, 4): one libmicrohttpd thread on one listening
// socket. It answers GetCACaps and GetCACert itself; a PKIOperation is collected, its connection
// suspended, the job handed over, and the connection resumed when the job is done. Everything a
// client can make it hold is bounded. One log line a request.
#pragma once

#include "server/live.h"
#include "server/work.h"

// Octets of memory for one connection's request line, headers and arguments: a message of
// LIMIT_MESSAGE_LEN in a GET has 87384 base64 digits, more with percent signs and line breaks.
#define HTTP_CONNECTION_MEMORY 196608

struct http_settings {
    int take_fd;                     // listening, non-blocking; the server's from now on
    const struct settings *settings; // http.*; read during the call only
    struct live *live;               // outlives the server
    // Takes a job, or says no at once when it must wait too long (work_submit() behind it).
    bool (*submit)(void *context, struct work_item *item);
    void *submit_context;
};

struct http;

// Starts serving. Errors: ERR_NOMEM, ERR_IO. Nobody may touch `take_fd` afterwards, not even then:
// the library closes it in some failures and leaves it in others.
enum err_code http_start(const struct http_settings *settings, struct http **ret_http,
                         struct err *err) MUST_CHECK;
// Takes no more connections; those that are open go on. Call before the workers stop.
void http_quiesce(struct http *http);
// Waits until the answers under way are sent, a few seconds at most, and ends the rest. All jobs
// must be done. NULL is fine.
void http_stop(struct http *take_http);
