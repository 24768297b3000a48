// SPDX-License-Identifier: Apache-2.0
// Many distinct RSA-2048 keys in little time, for simulated phones only: a few dozen primes are
// made once and every key is another pair of them. Whoever has two public keys that share a prime
// can compute both private keys, so such keys protect nothing. Here nothing needs protecting, and
// to the server each is an RSA-2048 key like any other, with the same cost.
#pragma once

#include "tests/phone/common.h"

struct keymill;

// Makes as many primes as `keys` different keys need. Free with keymill_free().
struct keymill *keymill_new(size_t keys);
void keymill_free(struct keymill *mill);
// Key number `index` (below `keys`). Caller frees.
EVP_PKEY *keymill_key(const struct keymill *mill, size_t index);
