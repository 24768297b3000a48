// SPDX-License-Identifier: Apache-2.0
// A store with its writer, for tests of what the writer writes and the readers then find.
#pragma once

#include <pthread.h>
#include <stdlib.h>

#include "ra/store/writer.h"
#include "ra/store_kit.h"

struct writer_kit {
    char *folder;
    char *directory;
    struct store *store;
    struct writer *writer;
};

static inline int writer_kit_setup(void **state)
{
    struct writer_kit *kit = calloc(1, sizeof *kit);
    assert_non_null(kit);
    kit->folder = kit_new_folder();
    kit->directory = kit_path(kit->folder, "store");
    struct err err = {0};
    if (store_open(kit->directory, 8 * STORE_KIT_OCTETS, &kit->store, &err) != ERR_OK) {
        fail_msg("%s", err.text);
    }
    assert_int_equal(writer_start(kit->store, &kit->writer, NULL), ERR_OK);
    *state = kit;
    return 0;
}

static inline int writer_kit_teardown(void **state)
{
    struct writer_kit *kit = *state;
    writer_stop(kit->writer);
    store_close(kit->store);
    free(kit->directory);
    kit_remove_folder(kit->folder);
    free(kit);
    return 0;
}

#define WITH_WRITER_KIT(test)                                                                      \
    cmocka_unit_test_setup_teardown(test, writer_kit_setup, writer_kit_teardown)

static inline void writer_kit_write(struct writer_kit *kit, struct write_order *order)
{
    struct err err = {0};
    if (writer_submit_and_wait(kit->writer, order, &err) != ERR_OK) {
        fail_msg("%s", err.text);
    }
}

// The order must fail with `code` and with words that hold `text`.
static inline void writer_kit_refused(struct writer_kit *kit, struct write_order *order,
                                      enum err_code code, const char *text)
{
    struct err err = {0};
    assert_int_equal(writer_submit_and_wait(kit->writer, order, &err), code);
    if (strstr(err.text, text) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", err.text, text);
    }
}

static inline struct write_order writer_kit_issued(unsigned number)
{
    return (struct write_order){
        .kind = WRITE_ISSUED,
        .now = (int64_t)KIT_NOW + number,
        .certificate = store_kit_certificate(number),
    };
}

static inline void writer_kit_done(struct write_order *order)
{
    store_certificate_done(&order->certificate);
    store_pending_done(&order->pending);
}

// Issues certificate number `number` to a device.
static inline void writer_kit_issue(struct writer_kit *kit, unsigned number, const char *device,
                                    bool supersedes)
{
    struct write_order order = writer_kit_issued(number);
    snprintf(order.certificate.device, sizeof order.certificate.device, "%s", device);
    order.supersedes = supersedes;
    writer_kit_write(kit, &order);
    writer_kit_done(&order);
}

static inline struct store_certificate writer_kit_find(struct writer_kit *kit, unsigned number)
{
    struct store_certificate expected = store_kit_certificate(number);
    struct store_certificate got = {0};
    assert_int_equal(store_find_serial(kit->store, expected.serial, &got, NULL), ERR_OK);
    store_certificate_done(&expected);
    return got;
}

static inline void writer_kit_revoke(struct writer_kit *kit, unsigned number, int64_t now)
{
    struct store_certificate certificate = store_kit_certificate(number);
    struct write_order order = {.kind = WRITE_REVOKE, .now = now, .revocation_reason = 1};
    memcpy(order.certificate.serial, certificate.serial, SERIAL_LEN);
    writer_kit_write(kit, &order);
    store_certificate_done(&certificate);
}

static inline struct store_counts writer_kit_counts(struct writer_kit *kit)
{
    struct store_counts counts = {0};
    assert_int_equal(store_count(kit->store, &counts, NULL), ERR_OK);
    return counts;
}

static inline struct write_sweep writer_kit_sweep(struct writer_kit *kit, int64_t now,
                                                  struct write_sweep what)
{
    struct write_order order = {.kind = WRITE_SWEEP, .now = now, .sweep = &what};
    writer_kit_write(kit, &order);
    return what;
}

// Orders of one batch, and how they ended.
struct writer_kit_batch {
    pthread_mutex_t mutex; // guards what follows
    pthread_cond_t changed;
    bool is_held;    // the writer shall wait in the answer to the order before...
    bool is_waiting; // ...and does
    unsigned open;
    unsigned by_code[ERR_MAX];
    struct err last_failure;
};

static inline void writer_kit_hold(struct write_order *order, enum err_code code,
                                   const struct err *err)
{
    struct writer_kit_batch *batch = order->owner;
    (void)code;
    (void)err;
    pthread_mutex_lock(&batch->mutex);
    batch->is_waiting = true;
    pthread_cond_broadcast(&batch->changed);
    while (batch->is_held) {
        pthread_cond_wait(&batch->changed, &batch->mutex);
    }
    batch->open--;
    pthread_cond_broadcast(&batch->changed);
    pthread_mutex_unlock(&batch->mutex);
}

static inline void writer_kit_note(struct write_order *order, enum err_code code,
                                   const struct err *err)
{
    struct writer_kit_batch *batch = order->owner;
    pthread_mutex_lock(&batch->mutex);
    batch->open--;
    batch->by_code[code]++;
    if (code != ERR_OK) {
        batch->last_failure = *err;
    }
    pthread_cond_broadcast(&batch->changed);
    pthread_mutex_unlock(&batch->mutex);
}

// Has the orders written by one transaction, in their order: they gather while the writer is held
// up by the answer to another one.
static inline struct writer_kit_batch
writer_kit_together(struct writer_kit *kit, struct write_order *orders, unsigned count)
{
    struct writer_kit_batch batch = {
        .mutex = PTHREAD_MUTEX_INITIALIZER,
        .changed = PTHREAD_COND_INITIALIZER,
        .is_held = true,
        .open = count + 1,
    };
    struct write_order first = {.kind = WRITE_DEVICES, .done = writer_kit_hold, .owner = &batch};
    writer_submit(kit->writer, &first);
    pthread_mutex_lock(&batch.mutex);
    while (!batch.is_waiting) {
        pthread_cond_wait(&batch.changed, &batch.mutex);
    }
    pthread_mutex_unlock(&batch.mutex);
    for (unsigned i = 0; i < count; i++) {
        orders[i].done = writer_kit_note;
        orders[i].owner = &batch;
        writer_submit(kit->writer, &orders[i]);
    }
    pthread_mutex_lock(&batch.mutex);
    batch.is_held = false;
    pthread_cond_broadcast(&batch.changed);
    while (batch.open > 0) {
        pthread_cond_wait(&batch.changed, &batch.mutex);
    }
    pthread_mutex_unlock(&batch.mutex);
    return batch;
}
