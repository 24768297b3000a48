// SPDX-License-Identifier: Apache-2.0
// Bounded, endian-stable encoding of typed fields, for frames between our processes and for
// records in the store. Big-endian integers; octet strings carry a 32-bit length. Reader and
// writer keep a sticky error: after the first failure every further call is a no-op, and the
// caller checks once at the end.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "conf/base/buf.h"

struct wire_reader {
    struct view rest;
    bool failed;
};

struct wire_writer {
    struct buf *out; // not owned
    bool failed;
};

struct wire_reader wire_read(struct view octets);
uint8_t wire_get_u8(struct wire_reader *reader);
uint16_t wire_get_u16(struct wire_reader *reader);
uint32_t wire_get_u32(struct wire_reader *reader);
uint64_t wire_get_u64(struct wire_reader *reader);
int64_t wire_get_i64(struct wire_reader *reader);
// An octet string of at most `max_len` octets; points into the reader's octets.
struct view wire_get_octets(struct wire_reader *reader, size_t max_len);
// Exactly `len` octets without a length in front, copied to `to`; zeroes on failure.
void wire_get_fixed(struct wire_reader *reader, void *to, size_t len);
// Nothing failed and nothing is left over: call it last, always.
bool wire_is_complete(const struct wire_reader *reader) MUST_CHECK;

struct wire_writer wire_write(struct buf *out);
void wire_put_u8(struct wire_writer *writer, uint8_t value);
void wire_put_u16(struct wire_writer *writer, uint16_t value);
void wire_put_u32(struct wire_writer *writer, uint32_t value);
void wire_put_u64(struct wire_writer *writer, uint64_t value);
void wire_put_i64(struct wire_writer *writer, int64_t value);
void wire_put_octets(struct wire_writer *writer, struct view octets);
void wire_put_fixed(struct wire_writer *writer, const void *from, size_t len);
// ERR_OK, or ERR_NOMEM when some field did not fit into memory.
enum err_code wire_finish(const struct wire_writer *writer, struct err *err) MUST_CHECK;
