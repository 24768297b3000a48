// SPDX-License-Identifier: Apache-2.0
// For LD_PRELOAD: lets write commits of LMDB go wrong while a file exists in $COMMIT_FAULTS.
//   crash   the next one succeeds, and then the process dies as by kill -9: the certificate is on
//           disk and no reply has left
//   full    each one fails as on a full disk
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <lmdb.h>

typedef int commit_call(MDB_txn *txn);

static bool is_wanted(const char *fault)
{
    const char *folder = getenv("COMMIT_FAULTS");
    if (folder == NULL) {
        return false;
    }
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/%s", folder, fault);
    return access(path, F_OK) == 0;
}

// Only a write transaction's number is beyond the last one that was committed.
static bool is_write(MDB_txn *txn)
{
    MDB_envinfo info;
    return mdb_env_info(mdb_txn_env(txn), &info) == 0 && mdb_txn_id(txn) > info.me_last_txnid;
}

int mdb_txn_commit(MDB_txn *txn)
{
    commit_call *commit = (commit_call *)dlsym(RTLD_NEXT, "mdb_txn_commit");
    if (!is_write(txn)) {
        return commit(txn);
    }
    if (is_wanted("full")) {
        mdb_txn_abort(txn);
        return ENOSPC;
    }
    bool is_last = is_wanted("crash");
    int result = commit(txn);
    if (is_last) {
        raise(SIGKILL);
    }
    return result;
}
