// SPDX-License-Identifier: Apache-2.0
// PROFILE_SERVER's rule of names, held by the CA itself: a captured RA gets no certificate for a
// host outside servers.domains. Immutable once made: any thread.
#pragma once

#include "ca/frame.h"
#include "conf/csr_parse.h"
#include "conf/settings.h"

struct server_names;

// Copies the domains (none = no server gets a certificate). Caller frees. Errors: ERR_NOMEM.
enum err_code server_names_new(const struct settings_texts *domains,
                               struct server_names **ret_names, struct err *err) MUST_CHECK;
void server_names_free(struct server_names *names);
DEFINE_CLEANUP(struct server_names *, server_names_free);

// Whether PKCS#10 and order may become a server's certificate: exactly one common name, HOST or
// HOST/CONTACT (conf/hosts.h), HOST and every subjectAltName a host within the domains, nothing but
// dNSNames, HOST among them. Errors: ERR_DENIED (outside the domains), ERR_BAD_REQUEST (all else),
// with what was seen and what is allowed; ERR_NOMEM.
enum err_code server_names_check(const struct server_names *names, const struct csr *csr,
                                 const struct issue_order *order, struct err *err) MUST_CHECK;
