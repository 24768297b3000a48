// SPDX-License-Identifier: Apache-2.0
// One error type for the whole project: a code from a short closed list and up to ERR_TEXT_LEN
// bytes of context. Deep code fills it and returns; only the top of a request logs it.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "conf/base/attributes.h"

#define ERR_TEXT_LEN 256 // bytes, with the final NUL; longer context is cut

enum err_code {
    ERR_OK = 0,
    ERR_NOMEM,             // allocation failed
    ERR_IO,                // a system call failed
    ERR_CRYPTO,            // OpenSSL failed where the input is not to blame
    ERR_FULL,              // disk or map full: nothing can be stored at present
    ERR_BUSY,              // a bounded queue or connection pool is full, or a peer does not answer
    ERR_NOT_FOUND,         // the thing asked for does not exist
    ERR_EXISTS,            // the thing to be made exists already
    ERR_CONFLICT,          // somebody else was first; look at the state again
    ERR_SYNTAX,            // octets or text that cannot be parsed
    ERR_LIMIT,             // longer, larger or more than the named limit
    ERR_CONFIG,            // a setting is wrong
    ERR_PROTOCOL,          // a malformed frame between our own processes
    ERR_DENIED,            // policy says no
    ERR_BAD_ALG,           // failInfo badAlg
    ERR_BAD_MESSAGE_CHECK, // failInfo badMessageCheck
    ERR_BAD_REQUEST,       // failInfo badRequest
    ERR_BAD_TIME,          // failInfo badTime
    ERR_BAD_CERT_ID,       // failInfo badCertId
    ERR_INTERNAL,          // our own contradiction
    ERR_MAX
};

struct err {
    enum err_code code;
    char text[ERR_TEXT_LEN]; // never a secret: no challenge, key, PIN or octet of one
};

// Notes `code` with printf-style context and returns `code`, so that "note and return" is one
// statement. `err` may be NULL: then only the code is returned.
enum err_code err_set(struct err *err, enum err_code code, const char *format, ...)
    PRINTF_LIKE(3, 4);

// As err_set(), with ": <strerror(errno)>" appended. ENOSPC and EDQUOT turn ERR_IO into ERR_FULL,
// ENOENT turns it into ERR_NOT_FOUND, EEXIST into ERR_EXISTS.
enum err_code err_set_errno(struct err *err, const char *format, ...) PRINTF_LIKE(2, 3);

// As err_set(), with the reason of OpenSSL's oldest queued error appended; empties the calling
// thread's OpenSSL error queue. The text never holds data OpenSSL was working on.
enum err_code err_set_openssl(struct err *err, enum err_code code, const char *format, ...)
    PRINTF_LIKE(3, 4);

// Puts "<format...>: " in front of the context that is there already. Returns err->code.
enum err_code err_prefix(struct err *err, const char *format, ...) PRINTF_LIKE(2, 3);

// The code's stable name as it appears in logs ("bad_alg"); never NULL.
const char *err_name(enum err_code code);
