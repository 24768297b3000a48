// SPDX-License-Identifier: Apache-2.0
// The RA renews its own certificate, and has one made by the next CA during a rollover. Keys are
// made here, written to ra.directory (0600) before the certificate that belongs to them, and never
// leave the process otherwise.
#pragma once

#include "ca/client.h"
#include "ra/credentials.h"

// Makes what is missing: a successor for the current RA certificate in its last ra.renew_days (but
// not in the first half of its life, nor when it ends with its CA anyway), and an RA of the next CA
// if there is one without. A key in a token (ra.key is no path) is kept and gets a new certificate.
// *ret_is_changed, written also on failure: credentials have to be loaded again. Removes pairs
// whose certificate is over for ra.previous_days. Nothing to do under topology direct. Main thread.
// Errors: those of ca_client_issue(), ERR_PROTOCOL also for a certificate that could not serve;
// ERR_IO, ERR_FULL; ERR_CONFIG when ra.directory is not set and something would have to be made.
enum err_code ra_renewal_run(const struct settings *settings, const struct credentials *credentials,
                             struct ca_client *ca, int64_t now, bool *ret_is_changed,
                             struct err *err) MUST_CHECK;

// For a start after a long rest, when credentials could not be loaded: has a certificate made if
// every RA certificate of the present CA has ended meanwhile. The same rules for keys. Nothing to
// do, and no error, while one is valid, when none was ever issued by this CA, and under topology
// direct. Main thread. *ret_is_made, written also on failure. Errors: as above, and those of
// generations_read() and ra_pairs_read().
enum err_code ra_renewal_revive(const struct settings *settings, struct ca_client *ca, int64_t now,
                                bool *ret_is_made, struct err *err) MUST_CHECK;
