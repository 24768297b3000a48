// SPDX-License-Identifier: Apache-2.0
// A copy of the store as it is at one moment, made while it is read and written, and what has to be
// changed in such a copy before it is a store again.
//
// What a copy costs: a thread of its own (LMDB adds one), which reads every page that is in use
// once; about 2 MiB of memory; and, because pages of the copied moment cannot be used again before
// it is over, a file that grows by what is written meanwhile. Readers and the writer go on. One
// thing they do not wait for: when the map has to grow or the environment has to be opened again,
// the copy is given up and can be begun anew (a map doubles, so that happens once, not again and
// again).
#pragma once

#include "ra/store/store.h"

struct store_backup;

// Begins a copy. The store outlives it. `ret_backup` is to be ended with store_backup_end().
// Errors: ERR_BUSY (one is being made already, or the store is about to change its map), ERR_IO,
// ERR_NOMEM.
enum err_code store_backup_begin(struct store *store, struct store_backup **ret_backup,
                                 struct err *err) MUST_CHECK;
// The descriptor from which to read the copy, an LMDB data file without unused pages. It does not
// block. Its end says nothing about whether the copy is whole: store_backup_end() does.
int store_backup_fd(const struct store_backup *backup);
// Ends it, from any thread but with nobody reading from it any more. Waits for the copying thread,
// which stops at once when the copy has not been read to its end. ERR_OK: all of it has been
// written to the descriptor. Errors: ERR_BUSY (given up for the writer's sake: begin again),
// ERR_DENIED (ended before it was read to its end), ERR_IO, ERR_NOMEM, ERR_FULL.
enum err_code store_backup_end(struct store_backup *take_backup, struct err *err) MUST_CHECK;

// For a store restored from a copy, before anything else is done with it: CRLs issued since the
// copy was made have numbers that the store does not know, and whoever has seen those takes no CRL
// with a lower one (RFC 5280, 5.2.3). Moves the numbers on by STORE_CRL_NUMBER_GAP and has new CRLs
// made at once. There must be no writer. Errors: ERR_IO, ERR_FULL, ERR_NOMEM.
#define STORE_CRL_NUMBER_GAP 1048576 // more CRLs than anybody makes between two backups
enum err_code store_backup_settle(struct store *store, struct err *err) MUST_CHECK;
