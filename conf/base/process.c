// SPDX-License-Identifier: Apache-2.0
#include "conf/base/process.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum err_code process_harden(struct err *err)
{
    const struct rlimit no_core = {.rlim_cur = 0, .rlim_max = 0};
    umask(S_IRWXG | S_IRWXO);
    if (setrlimit(RLIMIT_CORE, &no_core) != 0) {
        return err_set_errno(err, "cannot forbid core dumps");
    }
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
        return err_set_errno(err, "cannot make the process undumpable");
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        return err_set_errno(err, "cannot forbid new privileges");
    }
    return ERR_OK;
}

enum err_code process_die_with_parent(int parent, struct err *err)
{
    if (prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0) != 0) {
        return err_set_errno(err, "cannot ask for a signal at the parent's end");
    }
    if (getppid() != parent) {
        return err_set(err, ERR_NOT_FOUND, "the parent process %d ended before its child began",
                       parent);
    }
    return ERR_OK;
}
