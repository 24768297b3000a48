// SPDX-License-Identifier: Apache-2.0
// Settings as a daemon reads them: with every problem told, with loud words about dangerous ones,
// and again on SIGHUP.
#pragma once

#include "ca/client.h"
#include "ra/policy.h"

// Reads the file. With `to_log`, problems become log lines, else lines on standard error.
// Errors: ERR_CONFIG, whatever is wrong with the file; ERR_NOMEM.
enum err_code reload_settings(const char *path, bool to_log, struct settings **ret_settings,
                              struct err *err) MUST_CHECK;

// As policy_new(), but whatever is wrong with what the settings name is an ERR_CONFIG, too.
enum err_code reload_policy(struct settings *take_settings, int64_t now, struct policy **ret_policy,
                            struct err *err) MUST_CHECK;

// Has RA certificates made that are due (ra_renewal_run()); what goes wrong is logged. True when
// there are new ones, which count after a reload. Main thread.
bool reload_has_renewed_ra(const struct policy *policy, struct ca_client *ca, int64_t now);

// Adds to a policy what takes scepd-ca: an RA certificate in place of one that ends soon, an RA of
// the next CA, the answer to GetNextCACert. When certificates were made the settings at `path` are
// read again and *policy is replaced by a policy with them. Whatever cannot be had is logged and
// left out; the present RA goes on. Main thread. Errors: as reload_settings() and reload_policy();
// *policy is then as it was.
enum err_code reload_complete(const char *path, struct ca_client *ca, int64_t now,
                              struct policy **policy, struct err *err) MUST_CHECK;

// Gets OpenSSL's legacy provider if the settings want it. It stays once it is there; what may be
// used of it is the policy's business. Errors: ERR_CRYPTO.
enum err_code reload_providers(const struct settings *settings, struct err *err) MUST_CHECK;

// Logs a warning for each dangerous thing that the policy allows.
void reload_warn(const struct policy *policy);

// Logs a warning for each setting that differs and that only a restart can change; returns how many
// there are.
unsigned reload_warn_of_restart(const struct settings *old, const struct settings *new);
