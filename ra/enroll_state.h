// SPDX-License-Identifier: Apache-2.0
// Private to the conveyor (enroll.c, gather.c, gather_request.c, finish.c, answer.c, commit.c):
// what a job gathers on its way, and how its parts hand it on.
#pragma once

#include "ra/devices.h"
#include "ra/enroll.h"
#include "ra/envelope_watch.h"
#include "ra/names.h"
#include "ra/pkcs10.h"
#include "ra/rate_limit.h"
#include "ra/signer.h"
#include "ra/transaction.h"

struct enroll_service {
    struct store *store;
    struct writer *writer;
    struct envelope_watch *envelopes;
    struct rate_limit *polls;    // by transaction
    struct rate_limit *failures; // by the address a refused challenge came from
    struct rate_limit *events;   // by the address that a refusal or a repeat came from
};

// Every answer to a poll costs an RSA signature, and clients that wait poll once in seconds or
// minutes.
#define POLL_BURST      5
#define POLL_PER_MINUTE 60

// What a job gathers on its way; freed before the answer is handed over.
struct enroll_state {
    struct enroll_service *service;
    struct reply_tools tools; // its CA client is the worker's
    struct request request;
    struct signer signer;
    struct signer_device device; // of the signer; points into it
    struct pkcs10 pkcs10;
    struct names names;
    struct names_added added_names;
    struct challenge_result challenge;
    struct transaction_past past;
    struct store_certificate fetched; // GetCert
    struct store_crl crl;             // GetCRL
    struct facts facts;
    struct device_finding listing; // when the device list was asked
    const char *common_name;       // the certificate's when the PKCS#10 has none; "" = none
    struct san sans[LIMIT_SUBJECT_ALT_NAMES]; // those the certificate gets; point into the names
    uint32_t san_count;
    uint8_t transaction_key[SHA256_LEN];
    struct write_order write;
    bool is_queue_full; // the writer had no room for a pending request
    bool is_throttled;  // too many failures from this address: not even looked at
    int64_t stage_began_us;
};

// Adds the time since the last call to the stage's microseconds.
void enroll_end_stage(struct enroll_job *job, enum enroll_stage stage);
// Notes whose certificate it is, with which the job is answered.
void enroll_report_certificate(struct enroll_report *report,
                               const struct store_certificate *certificate);
// Whether `code` says that something is wrong with the request, not with us.
bool enroll_is_refusal(enum err_code code);

// ---- gather.c, gather_request.c: worker's thread ----

// Finds out everything that decide() wants to know about an opened message (steps 9 to 12 of the
// error ladder) and notes it in the job's state and report. Errors: the ERR_BAD_* of
// message_check_envelope(); ERR_IO, ERR_NOMEM, ERR_CRYPTO, ERR_BUSY for our own trouble.
enum err_code gather_facts(struct enroll_job *job, struct err *err) MUST_CHECK;
// What a PKCSReq or RenewalReq asks for, from its envelope; errors as above.
enum err_code gather_request(struct enroll_job *job, struct err *err) MUST_CHECK;
// The same for a poll that found an approved request, from what was stored of that.
enum err_code gather_approved(struct enroll_job *job, struct err *err) MUST_CHECK;
// Challenges that failed count against the address they came from (challenge.failures_per_minute),
// where nothing else is known of the requester: whether there were too many, and one more.
bool gather_is_throttled(const struct enroll_job *job);
void gather_note_failure(const struct enroll_job *job);
// Opens the envelope of an opened message: ERR_OK, or why that failed in state->facts.opening.
// *ret_content (empty before) may hold a challenge: wipe it. Errors: our own trouble.
enum err_code gather_open(struct enroll_job *job, struct buf *ret_content,
                          struct err *err) MUST_CHECK;

// ---- finish.c, answer.c, commit.c: each call ends with the job's `done` or `again`, here or
// later; the job is not the caller's any more ----

// Frees the state, leaves an event in the history where that is finish's to do (ra/history.h), and
// calls `done`.
void finish_job(struct enroll_job *job, enum enroll_outcome outcome, const char *decision);
void finish_unanswerable(struct enroll_job *job, const struct err *err);
// Our own trouble.
void finish_unavailable(struct enroll_job *job, const struct err *err);
// A signed FAILURE; `text` NULL = without failInfoText.
void finish_failure(struct enroll_job *job, enum err_code refusal, const char *text);
// For what fails in other places than decide(): of the message itself. With report.refusal if that
// is set, else with what the code says.
void finish_error(struct enroll_job *job, const struct err *err);
// The same when the requester is authorised and may know what is wrong.
void finish_authorised_error(struct enroll_job *job, const struct err *err);
// Frees the state and calls `again`.
void finish_later(struct enroll_job *job);
void finish_note_reason(struct enroll_job *job, const char *reason);

// Decides and does what the verdict says.
void answer_request(struct enroll_job *job);
// Has the CA issue, and the certificate written; the answer leaves after that.
void commit_issue(struct enroll_job *job, const struct verdict *verdict);
// Has the request written to wait for an administrator.
void commit_queue(struct enroll_job *job);
// The answer when the writer had no room for it.
void commit_queue_full(struct enroll_job *job);
