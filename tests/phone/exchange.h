// SPDX-License-Identifier: Apache-2.0
// Sending a request and taking its answer, once or, to see whether repeats are answered alike,
// several times.
#pragma once

#include "tests/phone/session.h"

// Rules for the answer to `request`, a certificate for whose cert_key is wanted.
struct reply_rules exchange_rules(const struct session *session, const struct request *request);

// Reads an answer; only SUCCESS is good. *ret_reply is to be done with reply_done(). Errors: those
// of reply_read(), OUTCOME_REFUSED with the failInfo, OUTCOME_PENDING.
enum outcome exchange_read(const struct http_answer *answer, const struct reply_rules *rules,
                           struct reply *ret_reply, struct trouble *trouble) MUST_CHECK;
// Sends rules->request and reads the answer. Errors: those of exchange_read().
enum outcome exchange(const struct session *session, const struct reply_rules *rules,
                      struct reply *ret_reply, struct trouble *trouble) MUST_CHECK;
// Sends a request as often as the options say; the answers must all bring the same certificate.
// Errors: those of exchange_read().
enum outcome exchange_enroll(const struct session *session, const struct request *request,
                             X509 **ret_cert, struct trouble *trouble) MUST_CHECK;
