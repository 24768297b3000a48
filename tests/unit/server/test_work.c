// SPDX-License-Identifier: Apache-2.0
// The queue and the workers: order, bound, jobs that come back, draining.
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "kit/kit.h"
#include "server/work.h"

#define SOCKET "/nonexistent/ca.sock" // nothing here asks the CA
#define ITEMS  64

// What the workers of a test do and see. A closed gate holds every worker that takes a job.
struct scene {
    struct work *work;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool is_gate_open;
    unsigned entered; // jobs that a worker has taken
    unsigned done;
    struct enroll_job *order[2 * ITEMS]; // as they were taken
    unsigned again[ITEMS];               // how often item n is still to come back
    struct work_item items[ITEMS];
};

static void on_done(struct work_item *item)
{
    struct scene *scene = item->owner;
    pthread_mutex_lock(&scene->lock);
    scene->done++;
    pthread_cond_broadcast(&scene->changed);
    pthread_mutex_unlock(&scene->lock);
}

static void run(void *context, struct ca_client *ca, struct enroll_job *job)
{
    struct scene *scene = context;
    size_t index = (size_t)((struct work_item *)job - scene->items);
    assert_non_null(ca);
    pthread_mutex_lock(&scene->lock);
    scene->order[scene->entered++] = job;
    pthread_cond_broadcast(&scene->changed);
    while (!scene->is_gate_open) {
        pthread_cond_wait(&scene->changed, &scene->lock);
    }
    bool is_again = scene->again[index] > 0;
    if (is_again) {
        scene->again[index]--;
    }
    pthread_mutex_unlock(&scene->lock);
    if (is_again) {
        job->again(job);
    } else {
        job->done(job);
    }
}

static void scene_start(struct scene *scene, unsigned workers, unsigned queue)
{
    struct err err = {0};
    memset(scene, 0, sizeof *scene);
    pthread_mutex_init(&scene->lock, NULL);
    pthread_cond_init(&scene->changed, NULL);
    const struct work_settings settings = {
        .ca_socket = SOCKET, .workers = workers, .queue = queue, .run = run, .context = scene};
    assert_int_equal(work_start(&settings, &scene->work, &err), ERR_OK);
}

static void scene_end(struct scene *scene)
{
    pthread_cond_destroy(&scene->changed);
    pthread_mutex_destroy(&scene->lock);
}

static bool submit(struct scene *scene, size_t index)
{
    struct work_item *item = &scene->items[index];
    item->done = on_done;
    item->owner = scene;
    return work_submit(scene->work, item);
}

static void open_gate(struct scene *scene)
{
    pthread_mutex_lock(&scene->lock);
    scene->is_gate_open = true;
    pthread_cond_broadcast(&scene->changed);
    pthread_mutex_unlock(&scene->lock);
}

static void wait_until(struct scene *scene, const unsigned *counter, unsigned value)
{
    pthread_mutex_lock(&scene->lock);
    while (*counter < value) {
        pthread_cond_wait(&scene->changed, &scene->lock);
    }
    pthread_mutex_unlock(&scene->lock);
}

static void assert_order(const struct scene *scene, const size_t *expected, unsigned count)
{
    assert_int_equal(scene->entered, count);
    for (unsigned i = 0; i < count; i++) {
        assert_ptr_equal(scene->order[i], &scene->items[expected[i]].job);
    }
}

static void keeps_order_and_bound(void **state)
{
    (void)state;
    static struct scene scene;
    scene_start(&scene, 1, 3);
    assert_true(submit(&scene, 0));
    wait_until(&scene, &scene.entered, 1); // with the worker: not in the queue any more
    assert_true(submit(&scene, 1));
    assert_true(submit(&scene, 2));
    assert_true(submit(&scene, 3));
    assert_false(submit(&scene, 4));
    open_gate(&scene);
    wait_until(&scene, &scene.done, 4);
    assert_true(submit(&scene, 4));
    wait_until(&scene, &scene.done, 5);
    work_stop(scene.work);
    assert_order(&scene, (const size_t[]){0, 1, 2, 3, 4}, 5);
    scene_end(&scene);
}

static void puts_losers_of_races_in_front(void **state)
{
    (void)state;
    static struct scene scene;
    scene_start(&scene, 1, 2);
    scene.again[0] = 2;
    assert_true(submit(&scene, 0));
    wait_until(&scene, &scene.entered, 1);
    assert_true(submit(&scene, 1));
    assert_true(submit(&scene, 2)); // the queue is full, and yet 0 comes back to its front
    open_gate(&scene);
    wait_until(&scene, &scene.done, 3);
    work_stop(scene.work);
    assert_order(&scene, (const size_t[]){0, 0, 0, 1, 2}, 5);
    scene_end(&scene);
}

static void measures_waiting(void **state)
{
    (void)state;
    static struct scene scene;
    scene_start(&scene, 1, 2);
    scene.items[0].job.report.stage_us[STAGE_QUEUE] = UINT32_MAX / 2;
    assert_true(submit(&scene, 0));
    open_gate(&scene);
    work_stop(scene.work);
    assert_true(scene.items[0].job.report.stage_us[STAGE_QUEUE] >= UINT32_MAX / 2);
    scene_end(&scene);
}

static void *stop_main(void *argument)
{
    struct scene *scene = argument;
    work_stop(scene->work);
    return NULL;
}

static void drains_when_stopped(void **state)
{
    (void)state;
    static struct scene scene;
    pthread_t stopper;
    scene_start(&scene, 4, ITEMS);
    for (size_t i = 0; i < ITEMS; i++) {
        scene.again[i] = i % 3 == 0 ? 1 : 0;
        assert_true(submit(&scene, i));
    }
    wait_until(&scene, &scene.entered, 4);
    assert_int_equal(pthread_create(&stopper, NULL, stop_main, &scene), 0);
    open_gate(&scene);
    pthread_join(stopper, NULL);
    assert_int_equal(scene.done, ITEMS);
    assert_int_equal(scene.entered, ITEMS + (ITEMS + 2) / 3);
    scene_end(&scene);
}

// As the writer does it: the worker is through with the job, and much later it comes back.
struct late {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct enroll_job *job;
    unsigned runs;
    bool is_done;
};

static void late_run(void *context, struct ca_client *ca, struct enroll_job *job)
{
    (void)ca;
    struct late *late = context;
    pthread_mutex_lock(&late->lock);
    late->runs++;
    bool is_last = late->runs == 2;
    late->job = job;
    pthread_cond_broadcast(&late->changed);
    pthread_mutex_unlock(&late->lock);
    if (is_last) {
        job->done(job);
    }
}

static void late_done(struct work_item *item)
{
    struct late *late = item->owner;
    pthread_mutex_lock(&late->lock);
    late->is_done = true;
    pthread_mutex_unlock(&late->lock);
}

static void *late_stop(void *argument)
{
    work_stop(argument);
    return NULL;
}

static void waits_for_jobs_with_the_writer(void **state)
{
    (void)state;
    struct late late = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    struct work_item items[2] = {{.done = late_done, .owner = &late}, {.done = late_done}};
    struct work *work = NULL;
    const struct work_settings settings = {
        .ca_socket = SOCKET, .workers = 2, .queue = 1, .run = late_run, .context = &late};
    assert_int_equal(work_start(&settings, &work, NULL), ERR_OK);
    assert_true(work_submit(work, &items[0]));
    pthread_mutex_lock(&late.lock);
    while (late.runs == 0) {
        pthread_cond_wait(&late.changed, &late.lock);
    }
    pthread_mutex_unlock(&late.lock);
    pthread_t stopper;
    assert_int_equal(pthread_create(&stopper, NULL, late_stop, work), 0);
    late.job->again(late.job); // whether the workers know already that they are to stop or not
    pthread_join(stopper, NULL);
    assert_true(late.is_done);
    assert_int_equal(late.runs, 2);
}

static void refuses_a_socket_path_that_is_too_long(void **state)
{
    (void)state;
    char path[256];
    struct err err = {0};
    struct work *work = NULL;
    memset(path, 'x', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    const struct work_settings settings = {.ca_socket = path, .workers = 2, .queue = 1, .run = run};
    assert_int_equal(work_start(&settings, &work, &err), ERR_LIMIT);
    assert_non_null(strstr(err.text, "socket path"));
    assert_null(work);
}

static void counts_processors(void **state)
{
    (void)state;
    unsigned workers = work_default_workers();
    assert_true(workers >= 2);
    assert_int_equal(workers % 2, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_order_and_bound),
        cmocka_unit_test(puts_losers_of_races_in_front),
        cmocka_unit_test(measures_waiting),
        cmocka_unit_test(drains_when_stopped),
        cmocka_unit_test(waits_for_jobs_with_the_writer),
        cmocka_unit_test(refuses_a_socket_path_that_is_too_long),
        cmocka_unit_test(counts_processors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
