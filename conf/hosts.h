// SPDX-License-Identifier: Apache-2.0
// Names of hosts in certificates of servers: what the RA proposes, the CA checks again by the same
// rule. Phones compare the name with the one they fetch their settings from. Any thread.
#pragma once

#include "conf/base/buf.h"
#include "conf/base/err.h"
#include "conf/settings.h"

#define HOSTS_NAME_LEN 253 // octets of a DNS name as text

// The full name of one host: a DNS name (syntax_domain()) of two labels or more, no wildcard, no IP
// address, no final dot. Errors: ERR_BAD_REQUEST with what was seen and what is allowed.
enum err_code hosts_check(struct view host, struct err *err) MUST_CHECK;

// The host in a server's common name: what stands before the first "/", behind which a contact may
// follow ("pv.telco.net/mailto:admin@telco.net"). *ret_host points into `common_name`, which is
// UTF-8. Errors: as above; also for a "/" with nothing behind it.
enum err_code hosts_of_common_name(struct view common_name, struct view *ret_host,
                                   struct err *err) MUST_CHECK;

// Whether `host` is one of `domains` (in lower case, as settings have them) or stands below one,
// label by label; letters of either case.
bool hosts_is_within(struct view host, const struct settings_texts *domains);
