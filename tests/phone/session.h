// SPDX-License-Identifier: Apache-2.0
// What all commands have in common: asking the server first, choosing how to talk to
// it, and making a request from the options.
#pragma once

#include "tests/phone/authority.h"
#include "tests/phone/credential.h"
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

// Where a kept request (--save) has GetCACert's certificates of its time: whoever sends it later,
// maybe after a rollover, is answered by the RA that it is encrypted to. Errors: OUTCOME_USAGE.
enum outcome session_kept_path(const char *request_path, char path[PATH_LEN_MAX],
                               struct trouble *trouble) MUST_CHECK;

// What a PKCS#10 asks for, beside what the options say.
struct wish {
    const char *common_name_rdn; // "CN=..."; NULL = no common name
    const X509_NAME *subject;    // instead of all names; NULL = those
    const char *challenge;       // NULL = none
};
// For `key`. NULL with a usage trouble.
X509_REQ *session_csr(const struct session *session, EVP_PKEY *key, const struct wish *wish,
                      struct trouble *trouble);

// A message in the making; all borrowed.
struct posting {
    const struct credential *by; // signs it
    EVP_PKEY *cert_key;          // a certificate is asked for it; NULL = by->key
    const char *type;
    const char *transaction_id; // NULL = random
    const struct octets *content;
};
// The whole message, encrypted to the RA. Errors: those of request_read().
enum outcome session_message(const struct session *session, const struct posting *posting,
                             struct request *ret_request, struct trouble *trouble) MUST_CHECK;
// A request with this PKCS#10 for `key`, signed by `by`, or by a throw-away certificate for `key`
// when that is NULL.
enum outcome session_request(const struct session *session, X509_REQ *csr, EVP_PKEY *key,
                             const struct credential *by, const char *type,
                             struct request *ret_request, struct trouble *trouble) MUST_CHECK;

// Sends `count` messages over `connections`, by the session's method; `answers` has room for
// `count`. Returns the microseconds it took.
int64_t session_send(const struct session *session, const struct octets *messages, size_t count,
                     size_t connections, struct http_answer *answers);
