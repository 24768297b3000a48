// SPDX-License-Identifier: Apache-2.0
// The one log line of a request: who asked for what, what it was answered and exactly why. Its keys
// are documented in scepd.8 and stay. Nothing of the message itself is in it.
#pragma once

#include "ra/enroll.h"
#include "server/query.h"

struct request_line {
    const char *peer;   // address without port
    const char *method; // as sent
    const char *client; // User-Agent; NULL = none was sent
    enum operation operation;
    unsigned status;                    // HTTP
    const char *reason;                 // without a report: what was wrong; NULL = nothing
    const struct enroll_report *report; // NULL: no message was looked at
    int64_t total_us;                   // from the request's head to its answer
};

// Writes the line's text; any thread. request_log() prints it at request_log_level().
void request_log_compose(const struct request_line *request, struct log_line *ret_line);
void request_log(const struct request_line *request);

// By who is at fault: what the report says, and at least a warning when there is an alarm; without
// a report an error for our own trouble (500), a warning when we were overrun (503), else info.
enum log_level request_log_level(const struct request_line *request);
