// SPDX-License-Identifier: Apache-2.0
#include "server/ctl/read.h"

#include <stddef.h>
#include <string.h>

#define DIGITS_MAX 9 // so that no unit can make the product overflow

static const struct {
    char unit;
    int64_t seconds;
} units[] = {{'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}};

static int64_t seconds_of(char unit)
{
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (units[i].unit == unit) {
            return units[i].seconds;
        }
    }
    return 0;
}

// The number that `len` digits say, or -1.
static int64_t read_digits(const char *text, size_t len)
{
    int64_t number = 0;
    if (len == 0 || len > DIGITS_MAX) {
        return -1;
    }
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return -1;
        }
        number = number * 10 + (text[i] - '0');
    }
    return number;
}

enum err_code read_duration(const char *text, int64_t min_sec, int64_t max_sec,
                            int64_t *ret_seconds, struct err *err)
{
    size_t len = strlen(text);
    int64_t unit = len > 0 ? seconds_of(text[len - 1]) : 0;
    int64_t number = len > 0 ? read_digits(text, len - 1) : -1;
    if (unit == 0 || number < 0) {
        return err_set(err, ERR_SYNTAX,
                       "\"%s\" is not a length of time; write a whole number and s, m, h or d: "
                       "90s, 15m, 1h, 2d",
                       text);
    }
    int64_t seconds = number * unit;
    if (seconds < min_sec || seconds > max_sec) {
        return err_set(err, ERR_LIMIT, "\"%s\" is out of range; allowed are %jds to %jdd", text,
                       (intmax_t)min_sec, (intmax_t)(max_sec / seconds_of('d')));
    }
    *ret_seconds = seconds;
    return ERR_OK;
}

enum err_code read_count(const char *text, int64_t min, int64_t max, int64_t *ret_count,
                         struct err *err)
{
    int64_t number = read_digits(text, strlen(text));
    if (number < 0) {
        return err_set(err, ERR_SYNTAX, "\"%s\" is not a whole number; allowed are %jd to %jd",
                       text, (intmax_t)min, (intmax_t)max);
    }
    if (number < min || number > max) {
        return err_set(err, ERR_LIMIT, "%jd is out of range; allowed are %jd to %jd",
                       (intmax_t)number, (intmax_t)min, (intmax_t)max);
    }
    *ret_count = number;
    return ERR_OK;
}
