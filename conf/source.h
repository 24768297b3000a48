// SPDX-License-Identifier: Apache-2.0
// What has to be done to the text of a settings file before libconfig 1.5 may see it.
#pragma once

#include "conf/base/buf.h"

// Copies `file` with a NUL at the end (not counted in the length) and with every integer marked as
// 64 bits wide, because libconfig would take 4294967297 for 1 without a word. Lines stay the same.
// Errors: ERR_SYNTAX with the line in *fault_line for a NUL octet, for a text without its closing
// quote (libconfig leaks it) and for @include (one file, one place to look; and libconfig ends the
// process when it cannot read an included one), ERR_NOMEM.
enum err_code source_prepare(struct view file, struct buf *ret_text, unsigned *fault_line,
                             struct err *err) MUST_CHECK;
