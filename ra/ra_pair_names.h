// SPDX-License-Identifier: Apache-2.0
// Names of files in ra.directory; for ra_pairs.c and ra_pairs_write.c only.
#pragma once

#include <stdbool.h>

#define RA_PAIR_CERT ".pem"
#define RA_PAIR_KEY  ".key"
#define RA_PAIR_NEW  ".new" // after one of these: not yet whole

// Upper-case hex digits and then exactly `suffix`.
bool ra_pair_is_name(const char *name, const char *suffix);
// `directory`/`name` with `suffix` at its end replaced by `instead`. Caller frees; NULL = no
// memory.
char *ra_pair_path(const char *directory, const char *name, const char *suffix,
                   const char *instead);
