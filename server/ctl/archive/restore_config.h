// SPDX-License-Identifier: Apache-2.0
// A settings file for another place: paths as the manifest's `into` has them.
#pragma once

#include <jansson.h>

#include "conf/base/buf.h"

// *ret_text (empty before) is `text` as it is when all paths are as `into` wants them, else written
// anew, without the comments. Errors: ERR_CONFIG when it cannot be read or has no such list, as the
// one the paths are for; ERR_NOMEM.
enum err_code restore_config_adapt(struct view text, const json_t *into, struct buf *ret_text,
                                   struct err *err) MUST_CHECK;
