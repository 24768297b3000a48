// SPDX-License-Identifier: Apache-2.0
// Cells of a CSV file (RFC 4180) whose texts come from clients: a spreadsheet that opens it must
// not take one for a formula.
#pragma once

#include "conf/base/buf.h"

// Appends `text` (NULL = nothing) in quotes. Quotes in it are doubled, control characters and what
// is not UTF-8 are escaped as on a terminal, and one that begins like a formula (=, +, -, @, also
// in their full width) gets an apostrophe in front. Errors: ERR_NOMEM.
enum err_code export_csv_cell(struct buf *out, const char *text, struct err *err) MUST_CHECK;
