// SPDX-License-Identifier: Apache-2.0
// What all records of the store have in common: the octet of version in front, texts, flags.
// Private to ra/record*.c.
#pragma once

#include "conf/base/wire.h"

void record_put_version(struct wire_writer *writer);
// `what` names the record ("a certificate"). Errors: ERR_IO.
enum err_code record_get_version(struct wire_reader *reader, const char *what,
                                 struct err *err) MUST_CHECK;

// A C string in an array of `size` bytes.
void record_put_text(struct wire_writer *writer, const char *text, size_t size);
// `to` is all zeroes before. A text with a NUL or longer than size - 1 fails the reader.
void record_get_text(struct wire_reader *reader, char *to, size_t size);

void record_put_bool(struct wire_writer *writer, bool value);
// Anything but 0 and 1 fails the reader.
bool record_get_bool(struct wire_reader *reader);

// Notes ERR_IO and returns it.
enum err_code record_damaged(const char *what, struct err *err);
