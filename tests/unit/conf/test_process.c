// SPDX-License-Identifier: Apache-2.0
// What hardening does, seen from inside a child of the test.
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conf/base/process.h"
#include "kit/kit.h"

// Runs `check` in a child; the exit status tells which step failed, 0 = none.
static int status_of_child(int (*check)(int parent))
{
    int status = 0;
    int parent = getpid();
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        _exit(check(parent));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int check_hardened(int parent)
{
    struct err err = {0};
    struct rlimit core;
    (void)parent;
    if (process_harden(&err) != ERR_OK) {
        return 1;
    }
    if (getrlimit(RLIMIT_CORE, &core) != 0 || core.rlim_cur != 0 || core.rlim_max != 0) {
        return 2;
    }
    if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0) {
        return 3;
    }
    if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) {
        return 4;
    }
    return umask(0) == (S_IRWXG | S_IRWXO) ? 0 : 5;
}

static int check_dies_with_parent(int parent)
{
    struct err err = {0};
    int signal_number = 0;
    if (process_die_with_parent(parent, &err) != ERR_OK) {
        return 1;
    }
    if (prctl(PR_GET_PDEATHSIG, &signal_number, 0, 0, 0) != 0 || signal_number != SIGTERM) {
        return 2;
    }
    return 0;
}

static int check_wrong_parent(int parent)
{
    struct err err = {0};
    (void)parent;
    return process_die_with_parent(getpid(), &err) == ERR_NOT_FOUND && err.text[0] != '\0' ? 0 : 1;
}

static void hardens(void **state)
{
    (void)state;
    assert_int_equal(status_of_child(check_hardened), 0);
}

static void dies_with_its_parent(void **state)
{
    (void)state;
    assert_int_equal(status_of_child(check_dies_with_parent), 0);
    assert_int_equal(status_of_child(check_wrong_parent), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(hardens),
                                       cmocka_unit_test(dies_with_its_parent)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
