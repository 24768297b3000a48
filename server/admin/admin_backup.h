// SPDX-License-Identifier: Apache-2.0
// GET /v1/backup: the store's copy as octets, and behind them 32 more, their SHA-256, without which
// what came is not whole. The copy is made by a thread of its own (ra/store/store_backup.h); the
// main thread hands on what is there, and suspends the connection until there is more.
#pragma once

#include <microhttpd.h>

#include "server/live.h"

// What the answer's head tells about the copy.
#define ADMIN_BACKUP_SCHEMA       "Scepd-Store-Schema"
#define ADMIN_BACKUP_CERTIFICATES "Scepd-Certificates"   // at least so many are in it
#define ADMIN_BACKUP_OCTETS       "Scepd-Octets-At-Most" // of the copy

struct admin_backup;

// `epoll_fd` gets the copy's descriptor as long as the connection waits for it. `live` and
// `epoll_fd` outlive it. Errors: ERR_NOMEM.
enum err_code admin_backup_new(struct live *live, int epoll_fd, struct admin_backup **ret_backup,
                               struct err *err) MUST_CHECK;
// Before the connections are ended: has a waiting one go on, so that it can be.
void admin_backup_stop(struct admin_backup *backup);
void admin_backup_free(struct admin_backup *backup);

// Begins a copy for this connection and gives the response that hands it over. Errors: ERR_CONFLICT
// when one is being made, else as store_backup_begin().
enum err_code admin_backup_begin(struct admin_backup *backup, struct MHD_Connection *connection,
                                 struct MHD_Response **ret_response, struct err *err) MUST_CHECK;
// Has the waiting connection go on if there is something for it; after each poll of `epoll_fd`.
void admin_backup_run(struct admin_backup *backup);
