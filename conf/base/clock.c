// SPDX-License-Identifier: Apache-2.0
#include "conf/base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define US_PER_SEC 1000000
#define NS_PER_US  1000

int64_t clock_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec;
}

int64_t clock_monotonic_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * US_PER_SEC + now.tv_nsec / NS_PER_US;
}

const char *clock_format(int64_t time, char text[CLOCK_TEXT_LEN])
{
    time_t seconds = (time_t)time;
    struct tm parts;
    if (gmtime_r(&seconds, &parts) == NULL ||
        strftime(text, CLOCK_TEXT_LEN, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0) {
        snprintf(text, CLOCK_TEXT_LEN, "?");
    }
    return text;
}
