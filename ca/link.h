// SPDX-License-Identifier: Apache-2.0
// For client.c only: one connection to scepd-ca. A question is sent at most once: only a connection
// that proves broken before the question left is made anew. After every failure the connection is
// closed, so that a late answer can never be taken for the answer to the next question.
#pragma once

#include "ca/frame.h"

struct link;

// As ca_client_new().
enum err_code link_new(const char *socket_path, uint32_t timeout_ms, struct link **ret_link,
                       struct err *err) MUST_CHECK;
void link_free(struct link *link);
void link_set_timeout(struct link *link, uint32_t timeout_ms);

// Sends a question and receives its first answer, which stays in the link until the next call.
// `is_continued`: the question goes on with the one before it and makes no sense on a new
// connection. Errors: ERR_BUSY, ERR_PROTOCOL.
enum err_code link_ask(struct link *link, struct view question, bool is_continued,
                       const struct frame **ret_answer, struct err *err) MUST_CHECK;
// One more frame of the answer, by the same deadline.
enum err_code link_receive(struct link *link, const struct frame **ret_answer,
                           struct err *err) MUST_CHECK;
// Closes the connection; the next question makes a new one.
void link_drop(struct link *link);
// Overwrites what was received last.
void link_wipe(struct link *link);
