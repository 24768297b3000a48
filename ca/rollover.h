// SPDX-License-Identifier: Apache-2.0
// The administrator's side of a CA rollover, on the folder of conf/generations.h: making the next
// CA, switching to it, giving it up. Each call leaves the folder whole at every moment, also when
// the machine stops in the midst of it, and everything is on the disk when it returns. scepd and
// scepd-ca learn of it when they are told to read their settings again. For scepctl; one at a time.
#pragma once

#include "ca/ceremony.h"
#include "conf/generations.h"

struct rollover_order {
    const struct settings *settings;
    struct ceremony_key root_key; // of the CA above the present one; not when that is its own root
    const char *ca_key;           // kind of the new key; NULL = the present one's
    struct ceremony_key key;      // instead of a new one
    int64_t now;                  // seconds since 1970
};

struct rollover_result {
    char name[GENERATION_NAME_LEN];
    X509 *cert; // owned
};

// Makes the next CA. *ret_result is to be done with rollover_done(). Errors: ERR_CONFIG (settings
// that cannot tell the CAs apart, ca.generations not set, and those of ceremony_next()); ERR_EXISTS
// when there is a next one already, or a CA with this key; ERR_LIMIT (GENERATIONS_MAX); ERR_IO,
// ERR_FULL, ERR_CRYPTO, ERR_NOMEM. On failure nothing is left behind.
enum err_code rollover_prepare(const struct rollover_order *order,
                               struct rollover_result *ret_result, struct err *err) MUST_CHECK;

// Makes the next CA the present one; a second call after a crash finishes the first. Errors:
// ERR_NOT_FOUND when there is no next one; ERR_CONFIG when its certificate is not valid at `now`;
// ERR_IO, ERR_NOMEM.
enum err_code rollover_activate(const struct settings *settings, int64_t now,
                                struct rollover_result *ret_result, struct err *err) MUST_CHECK;

// The next CA is no longer next. It stays in the folder as an old one, because it may have issued
// certificates that can still be revoked. Errors: as rollover_activate().
enum err_code rollover_cancel(const struct settings *settings, struct rollover_result *ret_result,
                              struct err *err) MUST_CHECK;

void rollover_done(struct rollover_result *result);
