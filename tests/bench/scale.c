// SPDX-License-Identifier: Apache-2.0
// Whether the store's look-ups cost the same however many certificates there are: fills a store in
// a temporary folder to a small and then to a large size and times each kind of look-up at both.
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/bench/scale_store.h"

#define SMALL_DEFAULT   1000
#define LARGE_DEFAULT   1000000
#define LOOKUPS_DEFAULT 20000
#define DUE_DEFAULT     100
#define DUE_LISTS       200 // lists that are timed
#define MAP_MIB_DEFAULT 8192

struct options {
    uint32_t small;
    uint32_t large;
    uint32_t lookups;
    uint32_t due;
    uint32_t map_mib;
};

struct bench {
    struct options options;
    struct scale_store scale;
    uint64_t random; // state of next_random()
};

// Xorshift: the same numbers in every run.
static uint32_t next_random(struct bench *bench, uint32_t below)
{
    bench->random ^= bench->random << 13;
    bench->random ^= bench->random >> 7;
    bench->random ^= bench->random << 17;
    return (uint32_t)(bench->random % below);
}

// Each looks one thing up and fails the bench when it is not there.
static void find_serial(struct bench *bench)
{
    uint8_t serial[SERIAL_LEN];
    struct store_certificate got = {0};
    struct err err = {0};
    scale_serial(next_random(bench, bench->scale.filled), serial);
    if (store_find_serial(bench->scale.store, serial, &got, &err) != ERR_OK) {
        scale_fail("store_find_serial", &err);
    }
    store_certificate_done(&got);
}

static void find_key(struct bench *bench)
{
    uint8_t hash[SHA256_LEN];
    struct store_certificate got = {0};
    struct err err = {0};
    scale_hash("key", next_random(bench, bench->scale.filled), hash);
    if (store_find_key(bench->scale.store, hash, &got, &err) != ERR_OK) {
        scale_fail("store_find_key", &err);
    }
    store_certificate_done(&got);
}

static void find_device(struct bench *bench)
{
    char name[13];
    struct store_certificate got = {0};
    struct err err = {0};
    scale_device_name(scale_device(next_random(bench, bench->scale.filled), bench->scale.filled),
                      name);
    if (store_find_device(bench->scale.store, name, &got, &err) != ERR_OK) {
        scale_fail("store_find_device", &err);
    }
    store_certificate_done(&got);
}

// What a CertPoll begins with.
static void find_transaction(struct bench *bench)
{
    uint8_t key[SHA256_LEN];
    struct store_transaction got = {0};
    struct err err = {0};
    scale_hash("transaction", next_random(bench, bench->scale.filled), key);
    if (store_find_transaction(bench->scale.store, key, &got, &err) != ERR_OK) {
        scale_fail("store_find_transaction", &err);
    }
}

static void find_pending(struct bench *bench)
{
    uint8_t key[SHA256_LEN];
    struct store_pending got = {0};
    struct err err = {0};
    scale_hash("pending", next_random(bench, SCALE_PENDING), key);
    if (store_find_pending(bench->scale.store, key, &got, &err) != ERR_OK) {
        scale_fail("store_find_pending", &err);
    }
    store_pending_done(&got);
}

static bool count_due(const struct store_certificate *certificate, void *context)
{
    (void)certificate;
    ++*(uint32_t *)context;
    return true;
}

// A list of `options.due` devices from a random moment on.
static void list_due(struct bench *bench)
{
    uint32_t devices = bench->scale.filled / SCALE_CERTIFICATES_EACH;
    uint32_t first = next_random(bench, devices - bench->options.due + 1);
    int64_t from = SCALE_FIRST_END + (int64_t)first * SCALE_SPACING_SEC;
    int64_t until = from + (int64_t)bench->options.due * SCALE_SPACING_SEC;
    uint32_t count = 0;
    struct err err = {0};
    if (store_list_due(bench->scale.store, from, until, NULL, count_due, &count, &err) != ERR_OK) {
        scale_fail("store_list_due", &err);
    }
    if (count != bench->options.due) {
        snprintf(err.text, sizeof err.text, "%" PRIu32 " of %" PRIu32 " devices", count,
                 bench->options.due);
        scale_fail("store_list_due", &err);
    }
}

static const struct {
    const char *name;
    void (*look)(struct bench *);
    bool is_list;
} kinds[] = {
    {"store_find_serial", find_serial, false},
    {"store_find_key", find_key, false},
    {"store_find_device", find_device, false},
    {"store_find_transaction", find_transaction, false},
    {"store_find_pending", find_pending, false},
    {"store_list_due", list_due, true},
};
#define KINDS (sizeof kinds / sizeof kinds[0])

static void look(struct bench *bench, size_t kind, uint32_t rounds)
{
    for (uint32_t i = 0; i < rounds; i++) {
        kinds[kind].look(bench);
    }
}

// Microseconds of one look-up, in a process that has run for a while: as many look-ups before as
// there are certificates have mapped most pages.
static double time_kind(struct bench *bench, size_t kind)
{
    uint32_t rounds = kinds[kind].is_list ? DUE_LISTS : bench->options.lookups;
    uint32_t warming = kinds[kind].is_list ? DUE_LISTS : bench->scale.filled;
    look(bench, kind, warming);
    double began = scale_seconds();
    look(bench, kind, rounds);
    return (scale_seconds() - began) * 1e6 / rounds;
}

static void measure(struct bench *bench, uint32_t total, double ret_us[KINDS])
{
    scale_fill(&bench->scale, total);
    for (size_t i = 0; i < KINDS; i++) {
        ret_us[i] = time_kind(bench, i);
    }
    struct store_counts counts = {0};
    struct err err = {0};
    if (store_count(bench->scale.store, &counts, &err) != ERR_OK) {
        scale_fail("store_count", &err);
    }
    printf("%" PRIu64 " certificates, %" PRIu64 " devices, %" PRIu64 " MiB\n", counts.certificates,
           counts.enrolled, counts.used_octets / SCALE_MIB);
}

static void usage(void)
{
    fputs("usage: bench_scale [--small N] [--large N] [--lookups N] [--due N] [--map-mib N]\n",
          stderr);
    exit(EXIT_FAILURE);
}

static uint32_t number_of(const char *text)
{
    char *end = NULL;
    unsigned long number = strtoul(text, &end, 10);
    if (*text == '\0' || *end != '\0' || number == 0 || number > UINT32_MAX / 2) {
        usage();
    }
    return (uint32_t)number;
}

static struct options read_options(int argc, char **argv)
{
    struct options options = {
        .small = SMALL_DEFAULT,
        .large = LARGE_DEFAULT,
        .lookups = LOOKUPS_DEFAULT,
        .due = DUE_DEFAULT,
        .map_mib = MAP_MIB_DEFAULT,
    };
    static const struct option names[] = {
        {"small", required_argument, NULL, 0},   {"large", required_argument, NULL, 0},
        {"lookups", required_argument, NULL, 0}, {"due", required_argument, NULL, 0},
        {"map-mib", required_argument, NULL, 0}, {NULL, 0, NULL, 0},
    };
    uint32_t *const values[] = {&options.small, &options.large, &options.lookups, &options.due,
                                &options.map_mib};
    int which = 0;
    for (int found = 0; (found = getopt_long(argc, argv, "", names, &which)) != -1;) {
        if (found != 0) {
            usage();
        }
        *values[which] = number_of(optarg);
    }
    bool is_sensible = options.small < options.large &&
                       options.due <= options.small / SCALE_CERTIFICATES_EACH && optind == argc;
    if (!is_sensible) {
        usage();
    }
    return options;
}

int main(int argc, char **argv)
{
    struct bench bench = {.options = read_options(argc, argv), .random = 88172645463325252ULL};
    double small_us[KINDS];
    double large_us[KINDS];
    setvbuf(stdout, NULL, _IOLBF, 0);
    scale_open(bench.options.map_mib, &bench.scale);
    scale_fill_pending(&bench.scale);
    measure(&bench, bench.options.small, small_us);
    measure(&bench, bench.options.large, large_us);
    printf("\n%-24s %12s %12s %8s\n", "microseconds", "small", "large", "ratio");
    for (size_t i = 0; i < KINDS; i++) {
        printf("%-24s %12.2f %12.2f %8.2f\n", kinds[i].name, small_us[i], large_us[i],
               large_us[i] / small_us[i]);
    }
    scale_remove(&bench.scale);
    return EXIT_SUCCESS;
}
