// SPDX-License-Identifier: Apache-2.0
// The names in a certificate: the subject as the phone asked for it, every value checked again, and
// the subjectAltNames of the order. Stateless; any thread.
#pragma once

#include "ca/frame.h"
#include "conf/base/ossl.h"

// The subject a certificate gets: `asked` with its order and its unusual and multi-valued RDNs
// kept; when it has no CN, followed by CN=`common_name` (UTF-8; empty = none, for an `asked` that
// is not empty). UTF8String, PrintableString, IA5String and NumericString stay what they are; what
// their alphabet does not allow but ASCII does (a "_" in a PrintableString), TeletexString,
// BMPString and UniversalString become UTF8String. Refused: empty values, control characters, NUL,
// invalid encodings, other types, a literal `$` (a macro the phone did not expand), more than the
// X.520 upper bounds or conf/limits.h allow, a subject equal to `issuer`. Caller frees
// *ret_subject. Errors: ERR_BAD_REQUEST with what was seen; ERR_CRYPTO (memory).
enum err_code subject_build(const X509_NAME *asked, struct view common_name,
                            const X509_NAME *issuer, X509_NAME **ret_subject,
                            struct err *err) MUST_CHECK;

// The `count` names of an order as GENERAL_NAMES, NULL when there is none. dNSNames are labels of
// letters, digits, "-" and "_"; rfc822Names are ASCII with one "@" inside; the rest as above.
// Caller frees *ret_names. Errors: as above.
enum err_code subject_alt_names(const struct san *sans, uint32_t count, GENERAL_NAMES **ret_names,
                                struct err *err) MUST_CHECK;

// One text of a name: valid UTF-8 of 1 to `max_chars` characters, no controls, no `$`. `what` names
// it in the error. Errors: ERR_BAD_REQUEST.
enum err_code subject_check_text(struct view text, const char *what, size_t max_chars,
                                 struct err *err) MUST_CHECK;
