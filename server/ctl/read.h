// SPDX-License-Identifier: Apache-2.0
// Values on the command line.
#pragma once

#include <stdint.h>

#include "conf/base/err.h"

// A length of time as a whole number with its unit: 90s, 15m, 1h, 2d. Seconds, from `min_sec` to
// `max_sec`. Errors: ERR_SYNTAX, ERR_LIMIT.
enum err_code read_duration(const char *text, int64_t min_sec, int64_t max_sec,
                            int64_t *ret_seconds, struct err *err) MUST_CHECK;

// A whole number from `min` to `max` in decimal digits. Errors: ERR_SYNTAX, ERR_LIMIT.
enum err_code read_count(const char *text, int64_t min, int64_t max, int64_t *ret_count,
                         struct err *err) MUST_CHECK;
