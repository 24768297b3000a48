// SPDX-License-Identifier: Apache-2.0
// What enroll, bench and hostile have in common: asking the server first, choosing how to talk to
// it, and making a request from the options.
#pragma once

#include "tests/phone/authority.h"
#include "tests/phone/options.h"
#include "tests/phone/reply.h"
#include "tests/phone/request.h"

struct session {
    const struct options *options;
    struct authority authority;
    bool use_post;
    const EVP_CIPHER *cipher;
    const EVP_MD *digest;
};

// GetCACert, GetCACaps and the choice of method, cipher and digest. session_done() whatever is
// returned. Errors as authority_ask(), and OUTCOME_UNTRUSTED when nothing safe is offered.
enum outcome session_open(const struct options *options, bool is_told, struct session *session,
                          struct trouble *trouble) MUST_CHECK;
void session_done(struct session *session);

// The PKCS#10 of the options for `key`; NULL with a usage trouble.
X509_REQ *session_csr(const struct session *session, EVP_PKEY *key, const char *common_name_rdn,
                      struct trouble *trouble);
// The whole request. `common_name_rdn` is "CN=..." or NULL for no common name.
enum outcome session_request(const struct session *session, EVP_PKEY *key,
                             const char *common_name_rdn, struct request *ret_request,
                             struct trouble *trouble) MUST_CHECK;

// Sends `count` messages over `connections`, by the session's method; `answers` has room for
// `count`. Returns the microseconds it took.
int64_t session_send(const struct session *session, const struct octets *messages, size_t count,
                     size_t connections, struct http_answer *answers);
