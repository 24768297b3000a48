// SPDX-License-Identifier: Apache-2.0
#include "server/ctl/interrupt.h"

#include <pthread.h>

static const int ending[] = {SIGINT, SIGTERM, SIGHUP};
#define ENDING_COUNT (sizeof ending / sizeof ending[0])

struct interrupt interrupt_hold(void)
{
    struct interrupt interrupt;
    sigset_t signals;
    sigemptyset(&signals);
    for (size_t i = 0; i < ENDING_COUNT; i++) {
        sigaddset(&signals, ending[i]);
    }
    pthread_sigmask(SIG_BLOCK, &signals, &interrupt.before);
    return interrupt;
}

void interrupt_release(struct interrupt *interrupt)
{
    pthread_sigmask(SIG_SETMASK, &interrupt->before, NULL);
}

enum err_code interrupt_check(struct err *err)
{
    sigset_t pending;
    sigpending(&pending);
    for (size_t i = 0; i < ENDING_COUNT; i++) {
        if (sigismember(&pending, ending[i]) == 1) {
            return err_set(err, ERR_DENIED, "interrupted");
        }
    }
    return ERR_OK;
}
