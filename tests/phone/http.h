// SPDX-License-Identifier: Apache-2.0
// HTTP/1.1 by libcurl: any number of calls over a given number of keep-alive connections.
#pragma once

#include "tests/phone/common.h"

struct http_call {
    const char *url;
    const struct octets *body; // POST it as application/x-pki-message; NULL = GET
    const char *user_agent;    // NULL = no such header
};

struct http_answer {
    long status;     // 0 = no answer
    char type[80];   // Content-Type, whole; "" = none
    bool has_length; // a Content-Length was given
    struct octets body;
    int64_t us;      // from handing the call to libcurl to the last octet
    char error[256]; // libcurl's words when there is no answer
};

struct http_volley {
    const struct http_call *calls;
    size_t count;
    size_t connections; // calls under way at a time
    long timeout_sec;   // for each call
};

// Makes all the calls; `answers` has room for one a call, in the calls' order. Returns the
// microseconds from the first call to the last answer. Never fails as a whole: each answer says
// how its own call went.
int64_t http_send(const struct http_volley *volley, struct http_answer *answers);
// One call with the default timeout.
struct http_answer http_call(const struct http_call *call);
void http_answer_done(struct http_answer *answer);
// HTTP status 200, or a trouble with the status and the first line of the body.
enum outcome http_check_ok(const struct http_answer *answer, struct trouble *trouble) MUST_CHECK;
