// SPDX-License-Identifier: Apache-2.0
// For frame.c and its parts only: the fields of the larger frames. What a reader gets is checked by
// the same function as what a writer is given.
#pragma once

#include "ca/frame.h"
#include "conf/base/wire.h"

// Errors: ERR_LIMIT with `what`.
enum err_code frame_check_len(struct view field, size_t max_len, const char *what,
                              struct err *err) MUST_CHECK;
enum err_code frame_check_issuer(struct view issuer, struct err *err) MUST_CHECK;

struct wire_writer frame_begin(enum frame_type type, struct buf *frame);
// Gives *frame to *out, or wipes it. Errors: ERR_NOMEM, ERR_LIMIT.
enum err_code frame_finish(const struct wire_writer *writer, struct buf *frame, struct buf *out,
                           struct err *err) MUST_CHECK;

// Fail by reader->failed.
void frame_get_order(struct wire_reader *reader, struct issue_order *order);
void frame_get_crl(struct wire_reader *reader, struct crl_part *part);
void frame_get_seal(struct wire_reader *reader, struct seal_order *order);
