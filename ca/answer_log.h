// SPDX-License-Identifier: Apache-2.0
// For answer.c only: the log lines of scepd-ca, one for each signature and each refusal.
#pragma once

#include "ca/authority.h"
#include "ca/frame.h"

void answer_log_issued(const struct issue_order *order, const struct authority_issued *issued,
                       int64_t took_us);
void answer_log_crl(struct view issuer, uint64_t number, size_t entries, int64_t took_us);
void answer_log_next_ca(const struct ca_state *state, size_t octets, int64_t took_us);
void answer_log_unwrapped(size_t octets, int64_t took_us);
void answer_log_sealed(const struct seal_order *order, int64_t took_us);
// `transaction_id` empty = none is known. The level says whose fault it is.
void answer_log_refused(enum frame_type type, struct view transaction_id, const struct err *refusal,
                        int64_t took_us);
