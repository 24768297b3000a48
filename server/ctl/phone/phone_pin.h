// SPDX-License-Identifier: Apache-2.0
// --fingerprint, as each command takes it that tells a phone its root or does as a phone does.
#pragma once

#include "server/ctl/ctl.h"
#include "server/phone/pin.h"

// The fingerprint in `given`: text as pin_parse() reads it, else a file with the root in it. NULL =
// the root of the running scepd. `hash` (a name of phone_hash_find()) is the kind that is wanted of
// a certificate, and that a text must have; NULL = SHA-256 of a certificate, any in a text. On
// failure the user has been told.
enum ctl_exit phone_pin_read(struct ctl *ctl, const char *given, const char *hash,
                             struct pin *ret_pin);
