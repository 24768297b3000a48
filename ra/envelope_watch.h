// SPDX-License-Identifier: Apache-2.0
// Remembers recent encryptedKeys with the key that signed around them. The outer signature does not
// protect the envelope from being wrapped again by somebody else; whoever does that wants to learn
// something from our answers, and this is how it shows.
#pragma once

#include <stdbool.h>

#include "conf/base/ossl.h"

struct envelope_watch;

// A fixed-size table; old entries are overwritten. Any thread may use it. Errors: ERR_NOMEM.
enum err_code envelope_watch_new(struct envelope_watch **ret_watch, struct err *err) MUST_CHECK;
void envelope_watch_free(struct envelope_watch *watch);

// Notes the envelope (SHA-256 of its encryptedKey) under its signer (SHA-256 of the signer's
// SubjectPublicKeyInfo). True when the same envelope was seen under another signer.
bool envelope_watch_is_reused(struct envelope_watch *watch, const uint8_t envelope_hash[SHA256_LEN],
                              const uint8_t signer_hash[SHA256_LEN]);
