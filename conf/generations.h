// SPDX-License-Identifier: Apache-2.0
// Which CAs there are: the one that the settings name, and those that rollovers made after it.
//
// The folder ca.generations holds one folder for each CA made by a rollover, named by the first
// GENERATION_NAME_LEN - 1 hex digits of its key's hash:
//   NAME/ca.pem     its certificate
//   NAME/ca.key     its key (only scepd-ca reads it), or
//   NAME/key.uri    one line with the URI of a key in a token
//   NAME/pin        optional: the key's passphrase or PIN
//   NAME/chain.pem  what stands above it; absent = what ca.root names, or nothing when self-signed
// (anything else in it is not looked at, so that a new one can be made under another name) and two
// symbolic links, `current` and `next`, which name such folders. Replacing `current` is the
// one step that switches. Without `current` the CA of the settings (ca.certificate, ca.key) is the
// present one. `next` may name the present one, too: between the two steps of a switch it does. All
// others are old: they issue nothing and sign their CRL.
#pragma once

#include "conf/base/ossl.h"
#include "conf/settings.h"

#define GENERATIONS_MAX     16
#define GENERATION_TEXT_MAX 4096 // octets of an expanded URL or path; Linux takes no longer path
#define GENERATION_NAME_LEN 17   // bytes with NUL: 16 lower-case hex digits of SHA-256 of the SPKI

enum generation_role { GENERATION_CURRENT, GENERATION_NEXT, GENERATION_OLD };

struct generation {
    enum generation_role role;
    uint8_t id[SHA256_LEN]; // SHA-256 of the certificate's SubjectPublicKeyInfo
    char name[GENERATION_NAME_LEN];
    X509 *cert;     // owned
    char *key;      // path or URI; owned
    char *pin_file; // NULL = none; owned
    char *chain;    // file with what stands above it; NULL = nothing is; owned
};

struct generations {
    struct generation list[GENERATIONS_MAX]; // [0] is the current one, [1] the next if there is one
    unsigned count;
};

// Reads certificates and links, never a key. To be done with generations_done(). Any thread.
// Errors: ERR_CONFIG (a certificate that cannot be read, one that its folder's name does not fit, a
// broken link, two CAs of one key, more than GENERATIONS_MAX) with what and where; ERR_NOT_FOUND
// (no such folder), ERR_IO, ERR_NOMEM.
enum err_code generations_read(const struct settings *settings, struct generations *ret_generations,
                               struct err *err) MUST_CHECK;
void generations_done(struct generations *generations);
// NULL when there is none.
const struct generation *generations_next(const struct generations *generations);

// What stands above the CA, in the order of its file and without a copy of the CA itself; may be
// empty. Caller frees *ret_chain. Errors: as cert_file_read_all().
enum err_code generation_read_chain(const struct generation *generation,
                                    STACK_OF(X509) * *ret_chain, struct err *err) MUST_CHECK;

// The URI of a key in a token: the first line of the file at `path`. Caller frees *ret_uri. Errors:
// ERR_CONFIG without one; those of file_read(); ERR_NOMEM.
enum err_code generation_read_uri(const char *path, char **ret_uri, struct err *err) MUST_CHECK;

// The identity of a CA: SHA-256 of its SubjectPublicKeyInfo, and its name in hex.
enum err_code generation_identify(const X509 *cert, uint8_t ret_id[SHA256_LEN],
                                  char ret_name[GENERATION_NAME_LEN], struct err *err) MUST_CHECK;

// `pattern` (a URL or a path) with each "{ca}" replaced by `name`, in *ret_text (empty before) with
// a NUL at the end that its length does not count. Errors: ERR_LIMIT (more than GENERATION_TEXT_MAX
// octets), ERR_NOMEM.
enum err_code generation_expand(const char *pattern, const char *name, struct buf *ret_text,
                                struct err *err) MUST_CHECK;
