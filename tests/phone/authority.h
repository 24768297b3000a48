// SPDX-License-Identifier: Apache-2.0
// What a phone learns of the server before it enrols: the certificates of GetCACert, checked
// against the pinned root, and the capabilities of GetCACaps.
#pragma once

#include "tests/phone/http.h"
#include "tests/phone/text.h"

struct authority {
    char url[URL_LEN_MAX];
    STACK_OF(X509) * certs; // all of GetCACert, in the server's order
    X509 *root;             // of them, the pinned one; borrowed
    X509 *ra;               // of them, the one that requests are encrypted to; borrowed
    X509 *issuing;          // of them, the present CA: the one above the RA; borrowed
    X509 *other_root;       // after authority_switch(): a further anchor, or NULL; borrowed
    const char *user_agent; // of the HTTP requests; NULL = none; borrowed
    struct capabilities capabilities;
    bool is_strict; // chains are checked with X509_V_FLAG_X509_STRICT
    bool is_told;   // steps are printed to standard output
};

// Asks the server at *authority's url. authority_done() whatever is returned. Errors:
// OUTCOME_TROUBLE (no answer), OUTCOME_UNTRUSTED (wrong type, no pinned root, no chain, no RA).
enum outcome authority_ask(struct authority *authority, const struct fingerprint *fingerprint,
                           struct trouble *trouble) MUST_CHECK;
void authority_done(struct authority *authority);
// From here on requests go to another RA: the next or an earlier one. `path` is what phone
// getnextca wrote after it had verified the present CA's signature, or what GetCACert brought when
// a request was saved; so another root in it counts as well as the pinned one. Errors:
// OUTCOME_TROUBLE (file), OUTCOME_UNTRUSTED (no chain, no RA).
enum outcome authority_switch(struct authority *authority, const char *path,
                              struct trouble *trouble) MUST_CHECK;
// GETs ?operation=`operation`.
struct http_answer authority_get(const struct authority *authority, const char *operation);
// The certificate of `certs` that a phone encrypts to: digitalSignature + keyEncipherment, a CA
// only when there is no other (RFC 8894, 2.1.2); NULL when none is fit. Borrowed.
X509 *authority_choose_ra(const STACK_OF(X509) * certs);

// `cert` chains to the pinned root over the certificates of GetCACert, now. OUTCOME_UNTRUSTED.
enum outcome authority_check_chain(const struct authority *authority, X509 *cert,
                                   struct trouble *trouble) MUST_CHECK;

// "CN=..., O=..." of a name, for showing. Returns `text`.
#define NAME_TEXT_LEN 200 // bytes with the final NUL; longer names are cut
const char *name_text(const X509_NAME *name, char text[NAME_TEXT_LEN]);
