// SPDX-License-Identifier: Apache-2.0
// Names that a request asks for: reading them and the rules for them (CN, subjectAltName, binding
// to a CN or MAC). Text here is UTF-8 without NUL.
#pragma once

#include "ca/frame.h"
#include "conf/base/ossl.h"
#include "conf/settings.h"

#define MAC_LEN      6                 // octets
#define MAC_TEXT_LEN (2 * MAC_LEN + 1) // bytes of "001A2B3C4D5E" with NUL
#define NAMES_MAX    (LIMIT_SUBJECT_RDNS + LIMIT_SUBJECT_ALT_NAMES)

enum name_kind {
    NAME_COMMON_NAME, // every CN of the subject
    NAME_SERIAL_NUMBER,
    NAME_UNSTRUCTURED, // unstructuredName, unstructuredAddress, UID, dnQualifier
    NAME_EMAIL,        // emailAddress of the subject
    NAME_SAN_DNS,
    NAME_SAN_EMAIL,
    NAME_SAN_UPN,
    NAME_SAN_OTHER, // iPAddress, URI, directoryName, otherName...; text is empty
    NAME_OTHER,     // O, OU, C and what else a subject has: no identity, only names_check() counts
};

struct name {
    enum name_kind kind;
    char text[LIMIT_NAME_VALUE + 1];
};

struct names {
    struct name list[NAMES_MAX];
    unsigned count;
    bool is_subject_empty;
    const char *common_name; // the first CN, in `list`; NULL when there is none
    char mac[MAC_TEXT_LEN];  // of the CN if it has one ("CP-9871-SEP001A2B3C4D5E"), else ""
    struct buf subject_der;
};

// Collects the names of a PKCS#10's subject and of the subjectAltName that its attributes (may be
// NULL) ask for (csr_extensions(); at most LIMIT_SUBJECT_ALT_NAMES). Errors: ERR_BAD_REQUEST for
// malformed values, NULs, invalid UTF-8, too many or too long ones, duplicated extensions or
// requests for them; ERR_NOMEM. *ret_names is to be done with names_done(); an empty one after a
// failure.
enum err_code names_read(const X509_NAME *subject, const STACK_OF(X509_ATTRIBUTE) * attributes,
                         struct names *ret_names, struct err *err) MUST_CHECK;
void names_done(struct names *names);

// The rules that hold for everybody: CNs of 1 to LIMIT_COMMON_NAME characters; no literal `$` (an
// unexpanded phone macro) and no control characters in any name. Errors: ERR_BAD_REQUEST with what
// is wrong, without the name itself: the text may travel in clear.
enum err_code names_check(const struct names *names, struct err *err) MUST_CHECK;

// Every name in the request but NAME_OTHER belongs to `common_name`: equal to it, or it followed by
// "@" and anything, or by "." and anything without "@"; letters of either case.
bool names_belong_to_common_name(const struct names *names, const char *common_name);
// Every CN and SAN holds `mac` (12 upper-case hex digits) as names_find_mac() finds it, at least
// one CN does, and no name holds another MAC.
bool names_belong_to_mac(const struct names *names, const char *mac);

// Every name in the request but NAME_OTHER belongs to the device of a MIC. A CN or dNSName is
// `device_name` or `device_name`.<one of `domains`>, letters of either case; an rfc822Name or
// emailAddress is `device_name`@<one of them>; a UPN or unstructuredName is any of these; a
// serialNumber is the MIC's, alone or as "PID:... SN:..."; there is nothing of NAME_SAN_OTHER. No
// name at all holds another MAC than `mac` (the MIC's serial number may look like one). A request
// without any CN belongs, too: it gets `device_name`. Nothing belongs to a device without a name.
struct names_owner {
    const char *device_name;
    const char *serial_number; // "" = unknown
    const char *mac;           // "" = unknown
    const struct settings_texts *domains;
};
bool names_belong_to_device(const struct names *names, const struct names_owner *owner);

// The subjectAltNames the settings add (phone.added_sans): dNSName = CN; rfc822Name and UPN =
// <device>@<domain> when the CN is <device>.<domain> with a domain of phone.domains (the longest
// that fits), which decides what <device> is. Of a CN with anything but letters, digits, hyphens
// and dots none is made. Appends what is not there yet. `text` is storage for the new names and
// must live as long as they do. Errors: ERR_BAD_REQUEST when there are too many.
struct names_added {
    char text[3][LIMIT_NAME_VALUE + 1];
};
enum err_code names_add_sans(const char *common_name, const struct settings *settings,
                             struct names_added *text, struct san sans[LIMIT_SUBJECT_ALT_NAMES],
                             uint32_t *count, struct err *err) MUST_CHECK;

// The subjectAltNames the certificate gets under `rule`: dNSNames that are the CN or CN.<domain>,
// rfc822Names that are CN@<domain>, UPNs that are any of these. Views point into `names`. Errors:
// ERR_BAD_REQUEST when `rule` is REFUSE and another name was asked for.
enum err_code names_choose_sans(const struct names *names, enum settings_san rule,
                                struct san ret_sans[LIMIT_SUBJECT_ALT_NAMES], uint32_t *ret_count,
                                struct err *err) MUST_CHECK;

// C0 or C1 controls or DEL in a UTF-8 text.
bool names_has_control(const char *text);

// The only MAC in `text`, the same several times, another (or more than one), or none. `mac` is 12
// hex digits; "" makes every MAC another one.
enum mac_finding { MAC_NONE, MAC_THIS_ONLY, MAC_ANOTHER };
enum mac_finding names_compare_mac(const char *text, const char *mac);

// Finds a MAC written as 12 hex digits, bare or in pairs with one separator of `:`, `-`, `.`, as
// a whole word or after "SEP"; writes it upper-case without separators. False when there is none.
bool names_find_mac(struct view text, char ret_mac[MAC_TEXT_LEN]);
