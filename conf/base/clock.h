// SPDX-License-Identifier: Apache-2.0
// The only place that reads the clocks. Everything else gets `now` as a parameter, so that expiry,
// windows and ages can be tested without waiting.
#pragma once

#include <stddef.h>
#include <stdint.h>

#define CLOCK_TEXT_LEN 24 // bytes of "2026-11-21T08:43:35Z" with NUL, years up to 9999 and some

// Seconds since 1970-01-01T00:00:00Z (UTC). For main loops and the top of a request only.
int64_t clock_now(void);
// Microseconds of a clock that never jumps; for durations.
int64_t clock_monotonic_us(void);
// RFC 3339 text in UTC. Returns `text`.
const char *clock_format(int64_t time, char text[CLOCK_TEXT_LEN]);
