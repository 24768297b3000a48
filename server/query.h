// SPDX-License-Identifier: Apache-2.0
// What a SCEP client asks for in the URL (RFC 8894, 4.1): the operation, and for a GET the message
// in base64, with what real clients do to both on the way. No I/O, no state; any thread.
#pragma once

#include "conf/base/buf.h"

// RFC 8894, 4.2 to 4.7.
enum operation {
    OPERATION_NONE,    // the query names none
    OPERATION_UNKNOWN, // it names one that we do not know
    OPERATION_GET_CA_CAPS,
    OPERATION_GET_CA_CERT,
    OPERATION_GET_NEXT_CA_CERT,
    OPERATION_PKI,
    OPERATION_OCSP, // no SCEP: by its path (server/http_ocsp.h)
    OPERATION_MAX
};

struct query {
    enum operation operation;
    bool has_message;
    struct view message; // undecoded; borrows from the arguments
};

// Takes one argument of the URL, percent-decoded and with every raw '+' turned into a space, as
// the HTTP library hands it over; {0} is a query without arguments. Of several `operation` or
// `message` arguments the first one counts; both names are known in either case and with a second
// '?' in front (clients write "??operation="); other names mean nothing.
void query_add(struct query *query, struct view name, struct view value);

// The operation of that name, of either case (clients differ), and exactly that.
enum operation operation_of(struct view name);
// "GetCACaps"...; "none", "unknown".
const char *operation_name(enum operation operation);

// Decodes base64 (RFC 4648, 4) as it arrives in a URL: spaces were '+'; CR, LF and TAB are skipped;
// the URL-safe alphabet ('-', '_') is known, too; padding may be missing. *ret_octets is empty
// before. Errors: ERR_SYNTAX for any other octet (NUL included), for data after the padding, too
// much padding, a single digit at the end; ERR_LIMIT when there are more than `max_len` octets;
// ERR_NOMEM.
enum err_code base64_decode(struct view text, size_t max_len, struct buf *ret_octets,
                            struct err *err) MUST_CHECK;
