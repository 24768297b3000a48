// SPDX-License-Identifier: Apache-2.0
// The one writer thread. Everything that was asked for while a commit ran goes into the next
// transaction together (group commit); `done` is called after the fsync, so what it says is on
// disk. Guards are checked inside the write transaction; the loser of a race gets ERR_CONFLICT and
// nothing of it is written.
#pragma once

#include "ra/store/store.h"

enum write_kind {
    WRITE_ISSUED,
    WRITE_CHALLENGE_NEW,
    WRITE_CHALLENGE_REVOKE,
    WRITE_PENDING_NEW,
    WRITE_PENDING_APPROVE,
    WRITE_PENDING_DENY,
    WRITE_REVOKE,
    WRITE_CRL,
    WRITE_DEVICES,
    WRITE_DEVICE_REMOVE,
    WRITE_SWEEP,
    WRITE_PROBE, // nothing that anybody reads, as large as an enrolment: does the store take
                 // writes?
};

// What WRITE_SWEEP does; also what it did.
struct write_sweep {
    int64_t revoke_superseded_sec; // 0 = do not
    int64_t keep_revoked_sec;      // entries of CRLs longer over than this are dropped
    int64_t keep_events_sec;       // events longer ago are forgotten; 0 = are not
    uint32_t max_events;           // so are the oldest beyond so many; 0 = no such limit
    uint32_t limit;                // records of each kind looked at in one order; at least 1
    uint32_t ret_expired_pending;
    uint32_t ret_revoked; // superseded certificates that were revoked now
    uint32_t ret_dropped; // CRL entries
    uint32_t ret_events;  // that were forgotten
    bool ret_has_more;    // the limit was reached: order again
};

// One thing to write. Lives with the asker until `done` was called; `done` runs on the writer
// thread, must be quick and may free the order.
struct write_order {
    enum write_kind kind;
    int64_t now;
    // WRITE_ISSUED. Guards: the transaction key is new, or its record is not ISSUED, or it is the
    // ISSUED one the asker saw (`replaces_transaction`); a request that waits under it goes away;
    // the serial is new; the newest certificate for its key is the one the asker saw, or there is
    // none; if `is_one_time`, the challenge under `challenge_hash` exists, is not revoked, not
    // expired at `now` and has uses left — it is used up by one here.
    struct store_certificate certificate; // owned by the order
    bool is_one_time;
    bool replaces_transaction;           // the asker saw an ISSUED record and decided to issue anew
    uint8_t replaced_serial[SERIAL_LEN]; // ...namely this one; another one now = conflict
    bool has_key_record;                 // the asker saw a certificate for the same key...
    uint8_t key_serial[SERIAL_LEN];      // ...namely this one; a newer one now = conflict
    bool is_from_pending;  // a request for the same PKCS#10 must wait under the transaction key and
                           // be approved, else ERR_CONFLICT; whether it has expired is for the
                           // asker to look at
    bool supersedes;       // the device's present certificate becomes superseded at `now`
    bool refuse_duplicate; // the device's present certificate is live, has this subject and another
                           // key = conflict
    // WRITE_PENDING_NEW: `pending` (owned by the order; its `id` follows from its key). Guards: no
    // transaction PENDING or ISSUED under its key, unless `replaces_transaction` as above or what
    // waits there has expired at `now` (ERR_CONFLICT); no other waiting request has its ID, less
    // than max_pending in all, less than max_per_source of its source, a PKCS#10 of 1 to
    // LIMIT_CSR_LEN octets (ERR_LIMIT with which). Those that have expired count until a sweep.
    // WRITE_PENDING_APPROVE, WRITE_PENDING_DENY: by pending.id (ERR_NOT_FOUND; ERR_CONFLICT when
    // decided already; one that has expired at `now` is ERR_NOT_FOUND). A denied one becomes a
    // DENIED transaction.
    struct store_pending pending;
    uint32_t max_pending;
    uint32_t max_per_source;
    // WRITE_REVOKE: certificate.serial, revoked_at = `now`, `revocation_reason` (ERR_NOT_FOUND,
    // ERR_CONFLICT when it is revoked already).
    uint8_t revocation_reason;
    // WRITE_CRL: `crl` (borrowed) replaces the CA's; its number must be above the stored one's
    // (ERR_CONFLICT), its DER 1 to LIMIT_CRL_LEN octets long (ERR_LIMIT).
    const struct store_crl *crl;
    // WRITE_DEVICES: all of `devices` (borrowed) in one transaction; an entry for the same MAC, or
    // the same serial number when there is no MAC, is replaced; two entries may not end up with
    // one serial number (ERR_CONFLICT with which, nothing written); of several entries for one
    // device the last counts. WRITE_DEVICE_REMOVE: devices[0] by MAC, else by serial number
    // (ERR_NOT_FOUND).
    const struct store_device *devices;
    size_t device_count;
    // WRITE_SWEEP: forgets pending requests that have expired at `now`, revokes superseded
    // certificates that are not over (reason superseded), drops CRL entries, forgets events. What
    // was done before an ERR_IO stays done.
    struct write_sweep *sweep;
    // WRITE_CHALLENGE_NEW (guard: hash and id are new) and WRITE_CHALLENGE_REVOKE (by id, of either
    // case; one that is revoked already stays so).
    struct store_challenge challenge;
    // The answer: ERR_OK; ERR_CONFLICT (a guard of WRITE_ISSUED did not hold; text says which);
    // ERR_EXISTS (WRITE_CHALLENGE_NEW), ERR_NOT_FOUND (WRITE_CHALLENGE_REVOKE); ERR_LIMIT (the
    // certificate is empty or longer than LIMIT_CERT_LEN); those named above; ERR_INTERNAL (a
    // certificate without origin, a device without a name); ERR_FULL, ERR_IO, ERR_NOMEM. `err`
    // lives on the writer's stack, not in the order.
    void (*done)(struct write_order *order, enum err_code code, const struct err *err);
    void *owner;
    // WRITE_ISSUED: the address that the request came from, for the history (borrowed); NULL =
    // none.
    const char *peer;
    struct write_order *next; // the writer's
    struct err result;        // the writer's
};

struct writer;

// Starts the thread. Stop with writer_stop(), which writes everything that was submitted first.
// Errors: ERR_NOMEM, ERR_IO.
enum err_code writer_start(struct store *store, struct writer **ret_writer,
                           struct err *err) MUST_CHECK;
void writer_stop(struct writer *writer);

// Hands the order over. Never blocks, never fails; any thread.
void writer_submit(struct writer *writer, struct write_order *order);

// Submits and waits for the answer. `order->done` and `order->owner` are used by this call. Not to
// be called on the writer thread.
enum err_code writer_submit_and_wait(struct writer *writer, struct write_order *order,
                                     struct err *err) MUST_CHECK;

// Every order but WRITE_CRL and WRITE_DEVICES leaves an event in the history, in its own
// transaction. Refusals and other facts that nothing else is written for come by this call: *event
// is copied and written with the next orders, or alone, at most once a second. It is lost when
// hundreds wait or the disk is full, which writer_take_lost_events() tells. Never blocks; any
// thread.
void writer_add_event(struct writer *writer, const struct store_event *event);
// Counts an event that its maker has left out.
void writer_lose_event(struct writer *writer);
// How many events were lost since the last call. Any thread.
uint64_t writer_take_lost_events(struct writer *writer);
// How many events the history may have from now on (WRITER_EVENTS_MAX until the first call). More
// are brought down little by little. Any thread.
#define WRITER_EVENTS_MAX 100000
void writer_limit_events(struct writer *writer, uint32_t max_events);
