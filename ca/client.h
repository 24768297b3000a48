// SPDX-License-Identifier: Apache-2.0
// The RA's side of the connection to scepd-ca. One connection per thread; a connection that broke
// is made again by the next question. No question waits longer than CA_ANSWER_TIMEOUT_SEC.
#pragma once

#include "ca/frame.h"

#define CA_ANSWER_TIMEOUT_SEC 10 // seconds; an HSM's RSA-4096 signature takes well under one

struct ca_client;

// Remembers `socket_path` (copied); connects at the first question. Free with ca_client_free().
// Errors: ERR_NOMEM, ERR_LIMIT (path too long for a Unix socket).
enum err_code ca_client_new(const char *socket_path, struct ca_client **ret_client,
                            struct err *err) MUST_CHECK;
void ca_client_free(struct ca_client *client);

// Has a certificate issued. *ret_certificate (empty before) gets its DER.
// Errors: ERR_BAD_REQUEST, ERR_BAD_ALG and so on as the CA said, with its words; ERR_BUSY when the
// CA does not answer or the connection broke (the order may or may not have been carried out: the
// certificate is lost and unreleased either way); ERR_PROTOCOL when it answered nonsense.
enum err_code ca_client_issue(struct ca_client *client, const struct issue_order *order,
                              struct buf *ret_certificate, struct err *err) MUST_CHECK;

// Asks whether the CA answers. Errors: ERR_BUSY, ERR_PROTOCOL.
enum err_code ca_client_ping(struct ca_client *client, struct err *err) MUST_CHECK;
