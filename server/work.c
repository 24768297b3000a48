// SPDX-License-Identifier: Apache-2.0
// A job counts as unfinished from work_submit() to its `done`, in the queue, in a worker's hands or
// with the writer; the workers stay until none is left, because the writer may send one back.
#include "server/work.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "conf/base/clock.h"

#define WORKERS_PER_PROCESSOR 2 // while one waits for the CA, the other one computes

struct worker {
    struct work *work;
    struct ca_client *ca;
    pthread_t thread;
};

struct work {
    work_run *run;
    void *context;
    unsigned queue_max;
    pthread_mutex_t lock;    // guards all below but `workers`
    pthread_cond_t changed;  // something to do, or to stop for
    struct work_item *first; // the queue
    struct work_item *last;
    unsigned queued;
    unsigned unfinished;
    bool is_stopping;
    unsigned worker_count; // started ones; changed by work_start() and work_stop() alone
    struct worker workers[];
};

static void push_back(struct work *work, struct work_item *item)
{
    item->next = NULL;
    if (work->first == NULL) {
        work->first = item;
    } else {
        work->last->next = item;
    }
    work->last = item;
    work->queued++;
}

static void push_front(struct work *work, struct work_item *item)
{
    item->next = work->first;
    work->first = item;
    if (item->next == NULL) {
        work->last = item;
    }
    work->queued++;
}

static struct work_item *pop(struct work *work)
{
    struct work_item *item = work->first;
    work->first = item->next;
    work->queued--;
    return item;
}

// The job is the item's first member.
static struct work_item *item_of(struct enroll_job *job)
{
    return (struct work_item *)job;
}

static void on_done(struct enroll_job *job)
{
    struct work_item *item = item_of(job);
    struct work *work = item->work;
    item->done(item); // and from here on the item may be gone
    pthread_mutex_lock(&work->lock);
    work->unfinished--;
    if (work->unfinished == 0 && work->is_stopping) {
        pthread_cond_broadcast(&work->changed);
    }
    pthread_mutex_unlock(&work->lock);
}

static void on_again(struct enroll_job *job)
{
    struct work_item *item = item_of(job);
    struct work *work = item->work;
    pthread_mutex_lock(&work->lock);
    item->queued_us = clock_monotonic_us();
    push_front(work, item);
    pthread_cond_signal(&work->changed);
    pthread_mutex_unlock(&work->lock);
}

bool work_submit(struct work *work, struct work_item *item)
{
    pthread_mutex_lock(&work->lock);
    bool is_taken = !work->is_stopping && work->queued < work->queue_max;
    if (is_taken) {
        item->job.done = on_done;
        item->job.again = on_again;
        item->work = work;
        item->queued_us = clock_monotonic_us();
        work->unfinished++;
        push_back(work, item);
        pthread_cond_signal(&work->changed);
    }
    pthread_mutex_unlock(&work->lock);
    return is_taken;
}

// NULL: it is time to end.
static struct work_item *next_item(struct work *work)
{
    pthread_mutex_lock(&work->lock);
    while (work->first == NULL && !(work->is_stopping && work->unfinished == 0)) {
        pthread_cond_wait(&work->changed, &work->lock);
    }
    struct work_item *item = work->first != NULL ? pop(work) : NULL;
    pthread_mutex_unlock(&work->lock);
    return item;
}

static void *worker_main(void *argument)
{
    struct worker *worker = argument;
    struct work *work = worker->work;
    struct work_item *item;
    while ((item = next_item(work)) != NULL) {
        uint32_t waited_us = (uint32_t)(clock_monotonic_us() - item->queued_us);
        item->job.report.stage_us[STAGE_QUEUE] += waited_us;
        work->run(work->context, worker->ca, &item->job);
    }
    return NULL;
}

static enum err_code start_worker(struct work *work, const char *ca_socket, struct err *err)
{
    struct worker *worker = &work->workers[work->worker_count];
    worker->work = work;
    enum err_code code = ca_client_new(ca_socket, &worker->ca, err);
    if (code != ERR_OK) {
        return code;
    }
    int error = pthread_create(&worker->thread, NULL, worker_main, worker);
    if (error != 0) {
        ca_client_free(worker->ca);
        errno = error;
        return err_set_errno(err, "cannot start worker thread %u", work->worker_count + 1);
    }
    work->worker_count++;
    return ERR_OK;
}

enum err_code work_start(const struct work_settings *settings, struct work **ret_work,
                         struct err *err)
{
    struct work *work = calloc(1, sizeof *work + settings->workers * sizeof work->workers[0]);
    if (work == NULL) {
        return err_set(err, ERR_NOMEM, "no memory for %u workers", settings->workers);
    }
    work->run = settings->run;
    work->context = settings->context;
    work->queue_max = settings->queue;
    pthread_mutex_init(&work->lock, NULL);
    pthread_cond_init(&work->changed, NULL);
    for (unsigned i = 0; i < settings->workers; i++) {
        enum err_code code = start_worker(work, settings->ca_socket, err);
        if (code != ERR_OK) {
            work_stop(work);
            return code;
        }
    }
    *ret_work = work;
    return ERR_OK;
}

void work_stop(struct work *take_work)
{
    struct work *work = take_work;
    if (work == NULL) {
        return;
    }
    pthread_mutex_lock(&work->lock);
    work->is_stopping = true;
    pthread_cond_broadcast(&work->changed);
    pthread_mutex_unlock(&work->lock);
    for (unsigned i = 0; i < work->worker_count; i++) {
        pthread_join(work->workers[i].thread, NULL);
        ca_client_free(work->workers[i].ca);
    }
    pthread_cond_destroy(&work->changed);
    pthread_mutex_destroy(&work->lock);
    free(work);
}

unsigned work_queue_length(struct work *work)
{
    pthread_mutex_lock(&work->lock);
    unsigned length = work->queued;
    pthread_mutex_unlock(&work->lock);
    return length;
}

unsigned work_default_workers(void)
{
    cpu_set_t processors;
    CPU_ZERO(&processors);
    int count = 1;
    if (sched_getaffinity(0, sizeof processors, &processors) == 0 && CPU_COUNT(&processors) > 0) {
        count = CPU_COUNT(&processors);
    }
    return WORKERS_PER_PROCESSOR * (unsigned)count;
}
