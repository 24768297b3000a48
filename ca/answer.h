// SPDX-License-Identifier: Apache-2.0
// What scepd-ca answers to the questions of one connection, and the log line of each signature and
// each refusal. Knows no socket.
#pragma once

#include <pthread.h>

#include "ca/authorities.h"
#include "ca/bucket.h"

// What all connections share: how often the CA's own key opens and seals (topology direct). A
// bucket for each, so that what was opened can also be answered.
struct answer_gate {
    pthread_mutex_t lock;
    struct bucket unwraps;
    struct bucket seals;
    struct bucket logged; // refusals of these that get a log line
    // Reads the settings and keys again; NULL = that cannot be asked for. Any thread.
    enum err_code (*reload)(void *context, struct ca_state *ret_state, struct err *err);
    void *reload_context;
};

// When a question came.
struct answer_time {
    int64_t now;          // seconds since 1970
    int64_t monotonic_us; // of a clock that never jumps
};

// An answer: one frame, or the content of as many FRAME_RESULTs as it takes. May hold a challenge:
// wipe it.
struct answer {
    bool is_result;
    struct buf octets;
};

struct answerer; // what one connection's questions leave until the next: the parts of a CRL

// `gate` is borrowed. Free with answerer_free(). Errors: ERR_NOMEM.
enum err_code answerer_new(struct answer_gate *gate, struct answerer **ret_answerer,
                           struct err *err) MUST_CHECK;
void answerer_free(struct answerer *answerer);

// Answers one question, a refusal included. One thread at a time for an answerer.
// Errors: ERR_PROTOCOL for a malformed frame, one that is no question, and one that comes between
// the parts of a CRL; ERR_NOMEM. All end the connection.
enum err_code answer_question(struct answerer *answerer, const struct authorities *authorities,
                              struct view question, const struct answer_time *time,
                              struct answer *ret_answer, struct err *err) MUST_CHECK;
