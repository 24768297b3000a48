// SPDX-License-Identifier: Apache-2.0
// The worker threads and the bounded queue in front of them. Each worker has its own connection to
// scepd-ca. A job that lost a race comes back to the front of the queue, whatever its bound.
#pragma once

#include "ra/enroll.h"

// One PKIOperation on its way through the workers; part of whatever waits for the answer.
struct work_item {
    struct enroll_job job; // the asker fills `message`, `now` and `policy`
    // Called once, when the job's answer is there, on a worker's or the writer's thread; may give
    // the item to another thread that frees it. The asker sets it and `owner`.
    void (*done)(struct work_item *item);
    void *owner;
    // Private to work.c.
    struct work *work;
    struct work_item *next;
    int64_t queued_us;
};

// What a worker does with a job; enroll_run() behind it. Ends, here or later, with the job's `done`
// or `again` being called.
typedef void work_run(void *context, struct ca_client *ca, struct enroll_job *job);

struct work_settings {
    const char *ca_socket; // path
    unsigned workers;      // threads, at least 1
    unsigned queue;        // jobs that may wait for a worker
    work_run *run;
    void *context; // for `run`
};

struct work;

// Starts the workers. Errors: ERR_NOMEM, ERR_LIMIT (socket path), ERR_IO (no more threads).
enum err_code work_start(const struct work_settings *settings, struct work **ret_work,
                         struct err *err) MUST_CHECK;
// Takes no more jobs, waits until every one that was taken is done, ends the workers. The writer
// must still be running. NULL is fine.
void work_stop(struct work *take_work);

// Queues the item; its policy reference goes with it. False, and nothing has happened, when the
// queue is full or the workers are about to stop. Never blocks; any thread.
bool work_submit(struct work *work, struct work_item *item) MUST_CHECK;

// Jobs that wait for a worker at present. Any thread.
unsigned work_queue_length(struct work *work);

// Two workers for each processor this process may use.
unsigned work_default_workers(void);
