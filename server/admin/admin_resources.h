// SPDX-License-Identifier: Apache-2.0
// What the administrator's interface offers, without a word about HTTP: each call answers one kind
// of request with a JSON value. admin.c does the transport, finds the call and turns its code into
// a status. All of this runs on the main thread.
#pragma once

#include <jansson.h>

#include "server/live.h"

#define ADMIN_SEARCH_MAX   50       // names that begin alike
#define ADMIN_PAGE_DEFAULT 100      // certificates on a page unless asked otherwise
#define ADMIN_PAGE_MAX     1000     // about 400 KiB of JSON
#define ADMIN_TTL_MIN_SEC  60       // a phone needs about that long to start
#define ADMIN_TTL_MAX_SEC  31536000 // 365 days
#define ADMIN_TTL_DEFAULT  3600     // seconds
#define ADMIN_USES_MAX     1000000  // a whole site's phones and then some
#define ADMIN_DEVICES_MAX  100000   // entries of the device list in one request
#define ADMIN_DUE_DAYS     30       // unless asked otherwise
#define ADMIN_DUE_DAYS_MAX 3650     // ten years

// Arguments of GET /v1/events; NULL = not given.
struct admin_filter {
    const char *last;   // how many from the end
    const char *of;     // MAC in any notation or CN: all that names this device
    const char *device; // as a certificate's view names it
    const char *cn;
    const char *mac;    // in any notation
    const char *serial; // of a certificate
};

struct admin_request {
    struct live *live;
    int64_t now;
    const char *item;  // what follows the collection in the path, decoded; NULL = the collection
    const char *after; // ?after=; NULL = not given
    const char *limit; // ?limit=; NULL = not given
    const char *days;  // ?days=; NULL = not given
    struct admin_filter filter;
    struct view body;
};

// All return ERR_OK with a new reference in *ret_body, which the caller gives back, or:
// ERR_SYNTAX, ERR_LIMIT (the asker's mistake, in words), ERR_NOT_FOUND, ERR_EXISTS, ERR_CONFLICT,
// and ERR_NOMEM, ERR_IO, ERR_FULL, ERR_BUSY, ERR_CRYPTO, ERR_INTERNAL for trouble of our own.
typedef enum err_code admin_call(const struct admin_request *request, json_t **ret_body,
                                 struct err *err);
admin_call admin_get_status;
admin_call admin_list_certificates;
admin_call admin_get_certificate;
admin_call admin_issue; // by the administrator's hand, see ra/manual.h
admin_call admin_list_challenges;
// The answer's "secret" is the challenge's text and appears nowhere else; admin_wipe_secret() the
// value once it is written out.
admin_call admin_new_challenge;
admin_call admin_revoke_challenge;
admin_call admin_reload; // ERR_CONFLICT: the new settings are wrong, the old ones stay
admin_call admin_get_rollover;
admin_call admin_revoke;
admin_call admin_list_devices;
admin_call admin_get_device;
admin_call admin_add_devices;
admin_call admin_remove_device;
admin_call admin_list_due;
admin_call admin_list_events;
admin_call admin_export;
admin_call admin_get_fleet;
admin_call admin_list_pending;
admin_call admin_get_pending;
admin_call admin_decide_pending;
// The present certificates of phones and servers whose MAC or common name begins with `item`, up to
// ADMIN_SEARCH_MAX. For the web page; it has no path of its own.
admin_call admin_search;

void admin_wipe_secret(json_t *body);

// The request's body as a JSON object without repeated keys. Caller gives *ret_object back. Errors:
// ERR_SYNTAX with what is wrong with it.
enum err_code admin_read_object(const struct admin_request *request, json_t **ret_object,
                                struct err *err) MUST_CHECK;
// ?limit=, ADMIN_PAGE_DEFAULT unless given, for lists without filters. Errors: ERR_LIMIT,
// ERR_SYNTAX.
enum err_code admin_read_limit(const struct admin_request *request, unsigned *ret_limit,
                               struct err *err) MUST_CHECK;
// As admin_read_limit(), for lists that have nothing to do with ?days=. Errors: also ERR_SYNTAX.
enum err_code admin_read_page(const struct admin_request *request, unsigned *ret_limit,
                              struct err *err) MUST_CHECK;
// "valid", "expired" or "revoked".
const char *admin_certificate_status(const struct store_certificate *certificate, int64_t now);
// "phone" or "server".
const char *admin_kind_name(const struct store_certificate *certificate);
// Who or what authorised it: "challenge", "MIC", "renewal"...
const char *admin_authority_name(const struct store_certificate *certificate);
// "keyCompromise"... of RFC 5280, 5.3.1; "?" for numbers that are none.
const char *admin_reason_name(unsigned reason);

// A stored certificate as it is listed; admin_add_certificate() adds subject, sha256 and pem to
// that. Errors: ERR_INTERNAL (the record), ERR_NOMEM.
json_t *admin_certificate_json(const struct store_certificate *certificate, int64_t now);
enum err_code admin_add_certificate(json_t *body, const struct store_certificate *certificate,
                                    struct err *err) MUST_CHECK;

// JSON building blocks. NULL when memory is out, which the json_pack() around them notices.
json_t *admin_json_time(int64_t time);                        // RFC 3339 text
json_t *admin_json_asn1_time(const ASN1_TIME *time);          // the same; null for what is no time
json_t *admin_json_optional_time(int64_t time);               // the same; null for 0
json_t *admin_json_serial(const uint8_t serial[SERIAL_LEN]);  // hex; null for zeroes
json_t *admin_json_optional(const char *text);                // null for ""
json_t *admin_listed_json(const struct store_device *device); // an entry of the device list
json_t *admin_event_json(const struct store_event *event);    // an event of the history
json_t *admin_json_pem(const X509 *cert);
json_t *admin_json_subject(const X509 *cert);                           // RFC 2253 text in UTF-8
json_t *admin_json_fingerprint(const X509 *cert, const EVP_MD *digest); // bare upper-case hex
