// SPDX-License-Identifier: Apache-2.0
// The CA at work: takes connections from a listening SEQPACKET socket, one thread each, and answers
// every question with the CAs of the moment (ca/answer).
#pragma once

#include "ca/authorities.h"

#define SERVICE_CONNECTIONS_MAX 64 // scepd has one per worker; more is a mistake somewhere

struct service;

// Takes one reference to `take_authorities`, consumed also on failure. `clock` tells the time, once
// per question. Errors: ERR_NOMEM.
enum err_code service_new(struct authorities *take_authorities, int64_t (*clock)(void),
                          struct service **ret_service, struct err *err) MUST_CHECK;
// Lets every thread finish the question it is at, ends all connections and waits for the threads.
void service_free(struct service *service);
DEFINE_CLEANUP(struct service *, service_free);

// Accepts one connection and starts its thread; more than SERVICE_CONNECTIONS_MAX at a time are
// closed and logged. Returns at once if nobody waits on a non-blocking socket. Failures are logged:
// there is nobody else to tell. Main thread.
void service_accept(struct service *service, int listen_fd);
// Clears up after threads that have ended. Main thread, now and then.
void service_reap(struct service *service);
// Reads settings and keys again: `load` gives new authorities. Errors: what is wrong with them.
typedef enum err_code service_load(void *context, struct authorities **ret_authorities,
                                   struct err *err);
// Says how to reload, by service_reload() and by FRAME_RELOAD, on any thread, one at a time. Before
// the first connection; `context` outlives the service.
void service_set_load(struct service *service, service_load *load, void *context);
// Puts new authorities in the present ones' place; on failure they stay. Any thread. Errors: those
// of `load`.
enum err_code service_reload(struct service *service, struct err *err) MUST_CHECK;
// Connections at present; for tests and the log.
unsigned service_connections(struct service *service);
