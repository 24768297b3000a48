// SPDX-License-Identifier: Apache-2.0
// What the tests of the conveyor begin and end with: one site for the whole program, a bench with a
// fresh store for each test, and the CA's clock.
#pragma once

#include "server/enroll_answer.h"

static struct site site;
static _Atomic int64_t ca_now = KIT_NOW;

static inline int64_t ca_clock(void)
{
    return ca_now;
}

static inline int set_up_site(void **state)
{
    (void)state;
    site_open(&site, ca_clock);
    return 0;
}

// The same with the trust stores of tests/mic/.
static inline int set_up_mic_site(void **state)
{
    (void)state;
    site_open_with_mics(&site, ca_clock);
    return 0;
}

static inline int tear_down_site(void **state)
{
    (void)state;
    site_close(&site);
    return 0;
}

static inline int set_up(void **state)
{
    static struct bench bench;
    bench_open(&bench, &site, BENCH_OCTETS);
    ca_now = KIT_NOW;
    *state = &bench;
    return 0;
}

static inline int tear_down(void **state)
{
    bench_close(*state);
    return 0;
}

// RA and CA have the same time.
static inline void go_to(struct bench *bench, int64_t now)
{
    bench->now = now;
    ca_now = now;
}
