// SPDX-License-Identifier: Apache-2.0
// One HTTP request as a phone makes it: plain HTTP/1.1 to the server itself, no proxy, no redirect.
// What comes back is bounded in size and time.
#pragma once

#include "conf/base/buf.h"

#define PHONE_TYPE_LEN 128 // bytes of a Content-Type that is kept, with NUL
#define PHONE_PEER_LEN 80  // bytes of "[2001:db8::1]:80" with NUL

struct phone_call {
    const char *url;       // without query
    const char *operation; // "GetCACaps"
    const char *argument;  // for "&message=", is escaped here; NULL = none
    struct view body;      // of a POST; empty = GET
    size_t max_len;        // octets of the answer that are taken
    long timeout_sec;      // for everything from the name's look-up to the last octet
};

struct phone_answer {
    long status;               // of HTTP
    char type[PHONE_TYPE_LEN]; // Content-Type as it came, cut when longer; "" = none
    char peer[PHONE_PEER_LEN]; // who answered
    struct buf body;
};

// Asks once and waits for the answer. *ret_answer is to be done with phone_answer_done(). Errors:
// ERR_BUSY with the reason when no whole HTTP answer came; ERR_LIMIT when it is longer than
// allowed; ERR_NOMEM.
enum err_code phone_call(const struct phone_call *call, struct phone_answer *ret_answer,
                         struct err *err) MUST_CHECK;
void phone_answer_done(struct phone_answer *answer);
