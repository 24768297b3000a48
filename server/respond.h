// SPDX-License-Identifier: Apache-2.0
// Private to http.c: sends an answer, counts it and writes the request's log line. HTTP thread.
// All return what the library's callback is to return: MHD_NO, which ends the connection, when the
// answer cannot be sent for lack of memory.
#pragma once

#include "server/exchange.h"

// Exact, without a charset: clients compare them (RFC 8894, 3.5.2, 4.2, 4.3, 4.7).
#define TYPE_TEXT        "text/plain"
#define TYPE_CA_CERT     "application/x-x509-ca-cert"
#define TYPE_CA_RA_CERT  "application/x-x509-ca-ra-cert"
#define TYPE_NEXT_CA     "application/x-x509-next-ca-cert"
#define TYPE_PKI_MESSAGE "application/x-pki-message"

// Status 200 with a body that may be kept for a short while.
enum MHD_Result respond_read(struct exchange *exchange, const char *type, struct buf *take_body);

// Status 200 with a body for which the asker says how long it may be kept. Texts are borrowed.
struct respond_kept {
    const char *type;
    const char *cache; // Cache-Control
    const char *note;  // for the log
};
enum MHD_Result respond_kept(struct exchange *exchange, const struct respond_kept *kept,
                             struct buf *take_body);

// An error that is no job's: `reason` is one line of text for the client and for the log. Says
// which methods are allowed with 405, and when to come again with 503.
enum MHD_Result respond_error(struct exchange *exchange, unsigned status, const char *reason);

// As respond_error() with 405; `allow` = the methods that are allowed.
enum MHD_Result respond_not_allowed(struct exchange *exchange, const char *allow);

// As respond_error() with 500: the client hears nothing of `err`, the log all.
enum MHD_Result respond_trouble(struct exchange *exchange, const struct err *err);

// What the exchange's job came to.
enum MHD_Result respond_job(struct exchange *exchange);
