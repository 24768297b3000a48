// SPDX-License-Identifier: Apache-2.0
// Private to enroll.c and gather.c: what a job gathers on its way along the conveyor.
#pragma once

#include "ra/enroll.h"
#include "ra/envelope_watch.h"
#include "ra/names.h"
#include "ra/pkcs10.h"
#include "ra/transaction.h"

struct enroll_service {
    struct store *store;
    struct writer *writer;
    struct envelope_watch *envelopes;
};

// What a job gathers on its way; freed before the answer is handed over.
struct enroll_state {
    struct enroll_service *service;
    struct request request;
    struct pkcs10 pkcs10;
    struct names names;
    struct challenge_result challenge;
    struct transaction_past past;
    struct facts facts;
    struct san sans[LIMIT_SUBJECT_ALT_NAMES]; // those the certificate gets; point into `names`
    uint32_t san_count;
    uint8_t transaction_key[SHA256_LEN];
    struct write_order write;
    int64_t stage_began_us;
};

// Adds the time since the last call to the stage's microseconds.
void enroll_end_stage(struct enroll_job *job, enum enroll_stage stage);

// Finds out everything that decide() wants to know about an opened message (steps 9 to 12 of the
// error ladder) and notes it in the job's state and report. Worker's thread. Errors: the ERR_BAD_*
// of message_check_envelope(); ERR_IO, ERR_NOMEM, ERR_CRYPTO for our own trouble.
enum err_code gather_facts(struct enroll_job *job, struct err *err) MUST_CHECK;
