// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/scale_store.h"

#include <dirent.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "conf/base/ossl.h"

#define BATCH    2000       // orders that are submitted at once
#define DER_LEN  1300       // octets; about what a phone's certificate has
#define START    1800000000 // seconds since 1970; the bench's fixed clock
#define YEAR_SEC 31536000

_Noreturn void scale_fail(const char *what, const struct err *err)
{
    fprintf(stderr, "bench_scale: %s: %s\n", what, err->text);
    exit(EXIT_FAILURE);
}

void scale_hash(const char *what, uint32_t number, uint8_t ret_hash[SHA256_LEN])
{
    const struct view parts[] = {view_of_text(what), view_of(&number, sizeof number)};
    ossl_sha256(parts, 2, ret_hash);
}

void scale_serial(uint32_t number, uint8_t ret_serial[SERIAL_LEN])
{
    uint8_t hash[SHA256_LEN];
    scale_hash("serial", number, hash);
    memcpy(ret_serial, hash, SERIAL_LEN);
    ret_serial[0] = 0x40 | (hash[0] & 0x3F);
}

uint32_t scale_device(uint32_t number, uint32_t total)
{
    uint32_t devices = total / SCALE_CERTIFICATES_EACH;
    return devices > 0 ? number % devices : 0;
}

void scale_device_name(uint32_t device, char ret_name[13])
{
    snprintf(ret_name, 13, "001A%08" PRIX32, device);
}

static void make_certificate(uint32_t number, uint32_t total, struct store_certificate *ret)
{
    uint32_t device = scale_device(number, total);
    struct store_certificate certificate = {
        .status = CERTIFICATE_VALID,
        .issued_at = (int64_t)START + number / 10,
        .not_before = (int64_t)START + number / 10,
        .not_after = SCALE_FIRST_END + (int64_t)device * SCALE_SPACING_SEC,
        .signer_class = 1,
        .origin = ORIGIN_CHALLENGE,
        .model = "CP-8841",
    };
    scale_serial(number, certificate.serial);
    scale_device_name(device, certificate.mac);
    memcpy(certificate.device, certificate.mac, sizeof certificate.mac);
    snprintf(certificate.common_name, sizeof certificate.common_name, "CP-8841-SEP%s",
             certificate.mac);
    snprintf(certificate.serial_number, sizeof certificate.serial_number, "FCH%08" PRIX32, device);
    scale_hash("issuer", 1, certificate.issuer);
    scale_hash("key", number, certificate.spki_hash);
    scale_hash("subject", device, certificate.subject_hash);
    scale_hash("csr", number, certificate.csr_hash);
    scale_hash("transaction", number, certificate.transaction_key);
    static const uint8_t der[DER_LEN] = {0x30, 0x82};
    struct err err = {0};
    if (buf_copy(view_of(der, sizeof der), &certificate.der, &err) != ERR_OK) {
        scale_fail("a certificate", &err);
    }
    *ret = certificate;
}

static void make_pending(uint32_t number, struct store_pending *ret)
{
    struct store_pending pending = {
        .reason = PENDING_UNLISTED,
        .created_at = (int64_t)START + number,
        .expires_at = (int64_t)START + YEAR_SEC,
        .model = "CP-8841",
    };
    snprintf(pending.source, sizeof pending.source, "192.0.2.%" PRIu32, number % 256);
    scale_hash("pending", number, pending.key);
    static const uint8_t csr[DER_LEN] = {0x30, 0x82};
    struct err err = {0};
    if (buf_copy(view_of(csr, sizeof csr), &pending.csr, &err) != ERR_OK) {
        scale_fail("a request", &err);
    }
    *ret = pending;
}

// Orders that are answered in any number of batches.
struct answers {
    pthread_mutex_t mutex; // guards what follows
    pthread_cond_t changed;
    uint32_t open;
    struct err failure;
};

static void note_answer(struct write_order *order, enum err_code code, const struct err *err)
{
    struct answers *answers = order->owner;
    pthread_mutex_lock(&answers->mutex);
    if (code != ERR_OK) {
        answers->failure = *err;
    }
    answers->open--;
    pthread_cond_signal(&answers->changed);
    pthread_mutex_unlock(&answers->mutex);
}

static void write_all(struct scale_store *scale, struct write_order *orders, uint32_t count)
{
    struct answers answers = {
        .mutex = PTHREAD_MUTEX_INITIALIZER,
        .changed = PTHREAD_COND_INITIALIZER,
        .open = count,
    };
    for (uint32_t i = 0; i < count; i++) {
        orders[i].done = note_answer;
        orders[i].owner = &answers;
        writer_submit(scale->writer, &orders[i]);
    }
    pthread_mutex_lock(&answers.mutex);
    while (answers.open > 0) {
        pthread_cond_wait(&answers.changed, &answers.mutex);
    }
    pthread_mutex_unlock(&answers.mutex);
    if (answers.failure.code != ERR_OK) {
        scale_fail("writing", &answers.failure);
    }
    for (uint32_t i = 0; i < count; i++) {
        store_certificate_done(&orders[i].certificate);
        store_pending_done(&orders[i].pending);
    }
}

static struct write_order *new_orders(void)
{
    struct write_order *orders = calloc(BATCH, sizeof *orders);
    if (orders == NULL) {
        scale_fail("orders", &(struct err){.text = "no memory"});
    }
    return orders;
}

double scale_seconds(void)
{
    struct timespec now = {0};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void scale_fill(struct scale_store *scale, uint32_t total)
{
    struct write_order *orders = new_orders();
    uint32_t before = scale->filled;
    double began = scale_seconds();
    while (scale->filled < total) {
        uint32_t left = total - scale->filled;
        uint32_t count = left < BATCH ? left : BATCH;
        for (uint32_t i = 0; i < count; i++) {
            uint32_t number = scale->filled + i;
            orders[i] =
                (struct write_order){.kind = WRITE_ISSUED, .now = START, .supersedes = true};
            make_certificate(number, total, &orders[i].certificate);
        }
        write_all(scale, orders, count);
        scale->filled += count;
    }
    free(orders);
    double took = scale_seconds() - began;
    printf("filled to %" PRIu32 " certificates: %.0f a second\n", total,
           (double)(total - before) / took);
}

void scale_fill_pending(struct scale_store *scale)
{
    struct write_order *orders = new_orders();
    for (uint32_t i = 0; i < SCALE_PENDING; i++) {
        orders[i] = (struct write_order){.kind = WRITE_PENDING_NEW,
                                         .now = START,
                                         .max_pending = SCALE_PENDING,
                                         .max_per_source = SCALE_PENDING};
        make_pending(i, &orders[i].pending);
    }
    write_all(scale, orders, SCALE_PENDING);
    free(orders);
}

void scale_open(uint32_t map_mib, struct scale_store *scale)
{
    const char *parent = getenv("TMPDIR");
    struct err err = {0};
    snprintf(scale->directory, sizeof scale->directory, "%s/scepd-scale-XXXXXX",
             parent != NULL && strlen(parent) < 32 ? parent : "/tmp");
    if (mkdtemp(scale->directory) == NULL) {
        err_set_errno(&err, "cannot make a temporary folder");
        scale_fail(scale->directory, &err);
    }
    if (store_open(scale->directory, map_mib * SCALE_MIB, &scale->store, &err) != ERR_OK ||
        writer_start(scale->store, &scale->writer, &err) != ERR_OK) {
        scale_fail("opening", &err);
    }
}

void scale_remove(struct scale_store *scale)
{
    writer_stop(scale->writer);
    store_close(scale->store);
    DIR *folder = opendir(scale->directory);
    for (struct dirent *entry = NULL; folder != NULL && (entry = readdir(folder)) != NULL;) {
        unlinkat(dirfd(folder), entry->d_name, 0); // there are files only
    }
    if (folder != NULL) {
        closedir(folder);
    }
    rmdir(scale->directory);
}
