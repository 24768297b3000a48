// SPDX-License-Identifier: Apache-2.0
// Hexadecimal text.
#pragma once

#include <sys/types.h>

#include "conf/base/buf.h"

// Writes upper-case digits and a NUL; `text` holds 2 * octets.len + 1 bytes. Returns `text`.
char *hex_encode(struct view octets, char *text);
// Reads an even number of digits of either case, nothing else, into at most `max_len` octets.
// Returns the number of octets, or -1 when the text is not hexadecimal or does not fit.
ssize_t hex_decode(const char *text, uint8_t *octets, size_t max_len);
// The same digits in upper case; other characters stay. In place. Returns `text`.
char *hex_to_upper(char *text);
