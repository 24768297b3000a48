// SPDX-License-Identifier: Apache-2.0
// The strict reader of GetNextCACert's answer (RFC 8894, 4.7.1).
#pragma once

#include "tests/phone/authority.h"

// Certificates that are to come, in SignedData over data, signed by the present issuing CA: by its
// certificate of GetCACert, whatever the message encloses. Both of OpenSSL's readers, PKCS#7 and
// CMS, have to accept it. What is inside must be certificates only, with one to encrypt to that the
// others certify up to the pinned root or a new one. Errors: OUTCOME_UNTRUSTED with the rule that
// is broken.
enum outcome next_ca_parse(const struct octets *der, const struct authority *authority,
                           STACK_OF(X509) * *ret_certs, struct trouble *trouble) MUST_CHECK;
