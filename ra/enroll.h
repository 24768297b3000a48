// SPDX-License-Identifier: Apache-2.0
// The conveyor of one PKIOperation: message → facts → decide → ca/client → reply → writer. Knows
// nothing of HTTP. A worker thread runs a job as far as the commit; the writer thread finishes it,
// so no worker ever waits for the disk. A certificate that is not on disk is never released.
#pragma once

#include "ca/client.h"
#include "ra/decide.h"
#include "ra/message.h"
#include "ra/policy.h"
#include "ra/reply.h"
#include "ra/store/writer.h"

// Stages whose microseconds are reported.
enum enroll_stage {
    STAGE_QUEUE,   // waiting for a worker (set by the server)
    STAGE_OPEN,    // parse, verify
    STAGE_DECRYPT, // open the envelope, verify the PKCS#10
    STAGE_DECIDE,  // look-ups and decision
    STAGE_CA,      // scepd-ca
    STAGE_REPLY,   // build and sign the CertRep
    STAGE_COMMIT,  // waiting for the fsync
    STAGE_MAX
};

enum enroll_outcome {
    ENROLL_REPLY,        // `reply` is a CertRep: HTTP 200
    ENROLL_UNANSWERABLE, // below what can be answered: HTTP 400 with `report.reason`
    ENROLL_UNAVAILABLE,  // our own trouble: HTTP 503 + Retry-After
};

// What the one log line of a request says; strings are UTF-8 of the client, escaped by the log.
struct enroll_report {
    enum message_type type;
    struct buf transaction_id;
    enum signer_class signer_class;
    bool is_signer_known;
    char trust_store[64];                 // that accepted the MIC; "" = none
    char mic_issuer[STORE_ISSUER_LEN];    // of a signer that is not accepted; "" = not so
    char model[STORE_MODEL_LEN];          // from the MIC; "" = unknown
    char serial_number[STORE_NUMBER_LEN]; // the device's, from the MIC; "" = unknown
    char pending_id[PENDING_ID_LEN];      // "" = not pending
    char common_name[STORE_NAME_LEN];
    char mac[MAC_TEXT_LEN];
    bool is_claimed; // model, serial number, CN and MAC are what somebody says and nothing proves
    bool is_opened;  // what is in the envelope was looked at
    const char *digest; // "SHA256"; NULL = not known
    const char *cipher; // "AES-128-CBC"; NULL = not known
    enum challenge_state challenge;
    char challenge_id[CHALLENGE_ID_LEN];
    const char *decision;      // "issue", "replay", "pending", "give", "refuse", "unanswerable"...
    const char *fail_info;     // "badRequest"; NULL unless refused
    enum refusal refusal;      // the reason in a word; REFUSAL_NONE unless it was not served
    char reason[ERR_TEXT_LEN]; // in words, exact
    const char *alarm;         // something an administrator should look at; NULL = nothing
    uint8_t serial[SERIAL_LEN];
    bool has_serial;
    enum log_level level; // by who is at fault
    uint32_t stage_us[STAGE_MAX];
};

struct enroll_service; // what all workers share

// The parts live longer than the service. Errors: ERR_NOMEM.
enum err_code enroll_service_new(struct store *store, struct writer *writer,
                                 struct enroll_service **ret_service, struct err *err) MUST_CHECK;
void enroll_service_free(struct enroll_service *service);

// One PKIOperation. The server fills the first part and keeps the job until `done`.
struct enroll_job {
    struct view message;           // the pkiMessage's octets, the server's, valid until `done`
    int64_t now;                   // when it arrived
    char source[STORE_SOURCE_LEN]; // the address it came from, as text; for limits and the log
    struct policy *policy;         // a reference that the job holds; given back before `done`
    // Called once, on a worker's or the writer's thread: outcome, reply and report are set.
    void (*done)(struct enroll_job *job);
    // Called instead of `done` when a race was lost, or the refusal of what the writer had no room
    // for has to be signed: give the job to a worker's enroll_run() again.
    void (*again)(struct enroll_job *job);
    void *owner;
    // The answer.
    enum enroll_outcome outcome;
    struct buf reply;
    struct enroll_report report;
    // Private to the conveyor (ra/enroll_state.h).
    struct enroll_state *state;
    unsigned tries;
};

// Runs a job on a worker's thread; ends with `done` or `again` being called, here or later.
void enroll_run(struct enroll_service *service, struct ca_client *ca, struct enroll_job *job);

// Frees what the answer holds; the server's parts stay its own.
void enroll_job_done(struct enroll_job *job);
