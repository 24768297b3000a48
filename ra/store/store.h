// SPDX-License-Identifier: Apache-2.0
// What is remembered: certificates, transactions, challenges, in LMDB. This header speaks the
// domain, not keys and values, so that another engine could stand behind it. Opened once per
// process, after exec. Read calls may come from any thread, each is one short read transaction;
// write calls belong to the writer thread alone (ra/store/writer.h).
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "conf/base/ossl.h"
#include "conf/limits.h"

#define STORE_SCHEMA_VERSION 3
#define STORE_DEVICE_LEN     128 // bytes with NUL: MAC, else CN, else hex of the subject's hash
#define STORE_NAME_LEN       256 // bytes with NUL: UTF-8 of a CN (64 characters, 4 octets each)
#define STORE_MODEL_LEN      64  // bytes with NUL
#define STORE_NUMBER_LEN     32  // bytes with NUL: a device's serial number
#define STORE_NOTE_LEN       256 // bytes with NUL: an administrator's words, UTF-8
#define STORE_SOURCE_LEN     64  // bytes with NUL: the address a request came from
#define PENDING_ID_LEN       11  // bytes with NUL: ten hex digits of the transaction's key
#define CHALLENGE_ID_LEN     11  // bytes with NUL: ten hex digits of the keyed hash
#define STORE_REASON_LEN     32  // bytes with NUL: one word of an event's reason
#define STORE_FAIL_INFO_LEN  24  // bytes with NUL: "badMessageCheck"
#define STORE_ISSUER_LEN     112 // bytes with NUL: the name of a manufacturer's CA, cut with "..."
#define STORE_WORDS_LEN      256 // bytes with NUL: an event's reason in words

struct store;

enum certificate_status { CERTIFICATE_VALID = 1, CERTIFICATE_REVOKED = 2 };

// What first authorised a device's certificates; renewals keep it.
enum certificate_origin {
    ORIGIN_CHALLENGE = 1,
    ORIGIN_MIC = 2,
    ORIGIN_APPROVAL = 3,
    ORIGIN_ADMINISTRATOR = 4, // made by his command, without a request of a phone
};

// Whose a certificate is. Phones renew theirs and are the devices that lists and counts of this
// header are about; servers' are in lists of their own.
enum certificate_kind { CERTIFICATE_OF_PHONE = 0, CERTIFICATE_OF_SERVER = 1 };

// Owned copy of one certificate record; store_certificate_done() frees `der`.
struct store_certificate {
    uint8_t serial[SERIAL_LEN];
    enum certificate_status status;
    enum certificate_kind kind;
    int64_t issued_at;
    int64_t not_before;
    int64_t not_after;
    char device[STORE_DEVICE_LEN];
    char common_name[STORE_NAME_LEN]; // "" when the subject has none
    char mac[13];                     // "" when unknown
    uint8_t spki_hash[SHA256_LEN];
    uint8_t subject_hash[SHA256_LEN]; // of the subject's DER
    uint8_t csr_hash[SHA256_LEN];
    uint8_t transaction_key[SHA256_LEN];
    uint8_t challenge_hash[SHA256_LEN]; // keyed hash of what authorised it; zeroes = none
    uint8_t signer_class;               // enum signer_class of ra/decide.h
    uint8_t issuer[SHA256_LEN];         // the CA: SHA-256 of its SPKI
    enum certificate_origin origin;
    uint8_t renews[SERIAL_LEN];  // the certificate of ours that signed the request; zeroes = none
    int64_t mic_not_after;       // of the MIC that signed the request, or that the renewed
                                 // certificate came from; 0 = none
    char model[STORE_MODEL_LEN]; // from the MIC; "" = unknown
    char serial_number[STORE_NUMBER_LEN]; // the device's, from the MIC; "" = unknown
    int64_t revoked_at;                   // CERTIFICATE_REVOKED
    uint8_t revocation_reason;            // enum revocation_reason of ca/frame.h
    int64_t superseded_at;                // a newer one was issued to the device; 0 = not
    struct buf der;
};

enum transaction_state {
    TRANSACTION_NONE = 0,
    TRANSACTION_PENDING = 1, // a pending record stands under the same key
    TRANSACTION_ISSUED = 2,
    TRANSACTION_DENIED = 3,
};

struct store_transaction {
    uint8_t key[SHA256_LEN]; // SHA-256(transactionID ‖ 00 ‖ signer's SPKI)
    enum transaction_state state;
    int64_t changed_at;
    uint8_t csr_hash[SHA256_LEN];
    uint8_t serial[SERIAL_LEN]; // TRANSACTION_ISSUED
};

// A request that waits for an administrator.
enum pending_reason { PENDING_UNAUTHENTICATED = 1, PENDING_UNLISTED = 2 };
struct store_pending {
    uint8_t key[SHA256_LEN]; // of the transaction
    char id[PENDING_ID_LEN]; // derived from `key`
    enum pending_reason reason;
    bool is_approved;
    int64_t created_at;
    int64_t expires_at;
    char source[STORE_SOURCE_LEN];
    char common_name[STORE_NAME_LEN];     // as asked for; "" = none
    char mac[13];                         // of the MIC, else of the CN; "" = unknown
    char model[STORE_MODEL_LEN];          // from the MIC; "" = unknown
    char serial_number[STORE_NUMBER_LEN]; // the device's, from the MIC; "" = unknown
    uint8_t signer_class;
    uint8_t spki_hash[SHA256_LEN]; // of the PKCS#10's key
    uint8_t csr_hash[SHA256_LEN];
    uint8_t issuer[SHA256_LEN]; // the CA that shall issue
    struct buf csr;             // DER of the PKCS#10, which has no challengePassword; owned
};

// An entry of the device list. At least one of `mac` and `serial_number` is set; `model` restricts.
struct store_device {
    char mac[13];                         // 12 upper-case hex digits; "" = any
    char serial_number[STORE_NUMBER_LEN]; // upper-case; "" = any
    char model[STORE_MODEL_LEN];          // "" = any
    char note[STORE_NOTE_LEN];
    int64_t added_at;
};

// The newest CRL of one CA.
struct store_crl {
    uint8_t issuer[SHA256_LEN];
    uint64_t number;
    int64_t this_update;
    int64_t next_update;
    uint32_t entries;
    struct buf der; // owned
};

struct store_revocation {
    uint8_t serial[SERIAL_LEN];
    int64_t revoked_at;
    uint8_t reason;
};

// A device's present certificate as the list of due renewals knows it.
struct store_due {
    int64_t not_after;
    uint8_t serial[SERIAL_LEN];
};

struct store_challenge {
    uint8_t hash[SHA256_LEN];  // keyed hash; the secret itself is nowhere
    char id[CHALLENGE_ID_LEN]; // derived from `hash`
    int64_t created_at;
    int64_t expires_at;
    uint32_t uses_allowed;
    uint32_t uses_left;
    bool is_revoked;
    char common_name[STORE_NAME_LEN]; // bound to this CN; "" = not bound
    char mac[13];                     // bound to this MAC; "" = not bound
    int64_t last_used_at;             // 0 = never
};

// Devices whose present certificate ends before `until`, but not before the span in front of it.
struct store_span {
    int64_t until;
    uint64_t devices;
    uint64_t revoked; // of these, devices whose present certificate a CRL lists
};

// What happened. Numbers are on disk and stay.
enum event_kind {
    EVENT_NONE = 0,
    EVENT_ISSUED = 1,
    EVENT_RENEWED = 2,  // issued to who signed with a certificate of ours
    EVENT_REPEATED = 3, // a repeat was answered with what is there already
    EVENT_PENDING = 4,  // a request waits for an administrator from now on
    EVENT_APPROVED = 5,
    EVENT_DENIED = 6,
    EVENT_PENDING_EXPIRED = 7, // nobody decided about it
    EVENT_REFUSED = 8,
    EVENT_REVOKED = 9,
    EVENT_CHALLENGE_MADE = 10, // for a certain CN or MAC, or for anybody
    EVENT_CHALLENGE_REVOKED = 11,
    EVENT_UNLISTED = 12, // removed from the device list
    EVENT_KIND_MAX
};
const char *store_event_name(enum event_kind kind); // "issued", "challenge_made"...

// By what, or by whom, it was authorised.
enum event_authority {
    EVENT_BY_NOBODY = 0,
    EVENT_BY_CHALLENGE = 1,
    EVENT_BY_MIC = 2,
    EVENT_BY_RENEWAL = 3,
    EVENT_BY_APPROVAL = 4,
    EVENT_BY_ADMINISTRATOR = 5,
    EVENT_BY_SERVER = 6, // time brought it about
    EVENT_AUTHORITY_MAX
};
const char *store_event_authority_name(enum event_authority authority); // "challenge", "MIC"...

// One event of the history. Texts of clients are cut to what fits; secrets are never in it.
struct store_event {
    uint64_t id; // unique, and greater than those of all events written before; the writer's
    int64_t at;  // microseconds since 1970
    enum event_kind kind;
    enum event_authority authority;
    char device[STORE_DEVICE_LEN];       // MAC, else CN, else what a certificate has; "" = unknown
    char common_name[STORE_NAME_LEN];    // "" = unknown
    char mac[13];                        // "" = unknown
    char model[STORE_MODEL_LEN];         // from the MIC; "" = unknown
    bool is_claimed;                     // the four above are what somebody says: nothing proves it
    char issuer[STORE_ISSUER_LEN];       // of a signer that is not accepted; "" = not so
    uint8_t serial[SERIAL_LEN];          // of the certificate; zeroes = none
    char peer[STORE_SOURCE_LEN];         // the address it came from; "" = from no phone
    char reason[STORE_REASON_LEN];       // why it was refused or has to wait: refusal_name(); why
                                         // it was revoked: store_revocation_name(); "" = none
    char fail_info[STORE_FAIL_INFO_LEN]; // EVENT_REFUSED: that the phone got; "" = none
    char words[STORE_WORDS_LEN];         // more about it, UTF-8 of clients; "" = nothing to add
};

#define STORE_US_PER_SEC INT64_C(1000000)
// Copies a text into an event's array of `size` bytes; what does not fit is cut off between two
// characters of UTF-8.
void store_event_text(char *to, size_t size, const char *text);
// The same for a text that people read: what does not fit is cut off behind a word, if there are
// several, and "..." stands for it. `size` is at least 4.
void store_event_words(char *to, size_t size, const char *text);
// Sets MAC and CN ("" = unknown), and the device that follows from them: the MAC, else one that is
// in the CN, else the CN.
void store_event_name_device(struct store_event *event, const char *mac, const char *common_name);
// "keyCompromise"... of RFC 5280, 5.3.1; "?" for numbers that are none of ours.
const char *store_revocation_name(unsigned reason);

// Events of the history that are asked for; NULL = any.
struct store_event_filter {
    const char *device;      // exactly
    const char *common_name; // exactly
    bool is_either;          // of device and CN, both given, one suffices
    const uint8_t *serial;   // SERIAL_LEN octets; costs a look at all the others let through
};

struct store_counts {
    uint64_t certificates;
    uint64_t transactions;
    uint64_t challenges;
    uint64_t pending;
    uint64_t devices;     // on the device list
    uint64_t enrolled;    // devices that have certificates; no servers
    uint64_t revoked;     // certificates that CRLs list
    uint64_t events;      // of the history
    uint64_t used_octets; // of the map
    uint64_t map_octets;  // present size of the map
    uint64_t max_octets;  // it never grows beyond
};

// Opens or makes the environment in `directory` (made 0700 if missing). Free with store_close().
// Errors: ERR_IO, ERR_FULL, ERR_NOMEM, ERR_NOT_FOUND when the folder above is missing, ERR_CONFIG
// when the schema is newer than this program knows or not ours; ERR_BUSY when it is open already.
enum err_code store_open(const char *directory, uint64_t max_octets, struct store **ret_store,
                         struct err *err) MUST_CHECK;
void store_close(struct store *store);

// Reading; any thread. Errors of all: ERR_NOT_FOUND, ERR_IO, ERR_NOMEM, ERR_BUSY (hundreds read at
// the same moment). The newest certificate is the one with the latest `issued_at`, and among those
// of one second the one that was written last.
enum err_code store_find_serial(struct store *store, const uint8_t serial[SERIAL_LEN],
                                struct store_certificate *ret_certificate,
                                struct err *err) MUST_CHECK;
// The newest certificate for a public key.
enum err_code store_find_key(struct store *store, const uint8_t spki_hash[SHA256_LEN],
                             struct store_certificate *ret_certificate, struct err *err) MUST_CHECK;
// The newest certificate of a device (MAC, else CN, else hex of the subject's hash).
enum err_code store_find_device(struct store *store, const char *device,
                                struct store_certificate *ret_certificate,
                                struct err *err) MUST_CHECK;
enum err_code store_find_transaction(struct store *store, const uint8_t key[SHA256_LEN],
                                     struct store_transaction *ret_transaction,
                                     struct err *err) MUST_CHECK;
enum err_code store_find_challenge(struct store *store, const uint8_t hash[SHA256_LEN],
                                   struct store_challenge *ret_challenge,
                                   struct err *err) MUST_CHECK;
// Waiting requests are there until a sweep, also when they have expired: `expires_at` is for the
// asker to look at.
enum err_code store_find_pending(struct store *store, const uint8_t key[SHA256_LEN],
                                 struct store_pending *ret_pending, struct err *err) MUST_CHECK;
// By the ten hex digits that people use, of either case.
enum err_code store_find_pending_id(struct store *store, const char *id,
                                    struct store_pending *ret_pending, struct err *err) MUST_CHECK;
// The list's entry for a device: by MAC if there is one for it, else by serial number; "" = not
// known. ERR_NOT_FOUND also when an entry says another serial number or MAC for the same device
// (*ret_device gets that entry then, to tell the administrator; else it is empty).
enum err_code store_find_listed(struct store *store, const char *mac, const char *serial_number,
                                struct store_device *ret_device, struct err *err) MUST_CHECK;
enum err_code store_find_crl(struct store *store, const uint8_t issuer[SHA256_LEN],
                             struct store_crl *ret_crl, struct err *err) MUST_CHECK;
// When the last certificate of a CA is over. ERR_NOT_FOUND when it never issued one.
enum err_code store_find_last_expiry(struct store *store, const uint8_t issuer[SHA256_LEN],
                                     int64_t *ret_not_after, struct err *err) MUST_CHECK;
enum err_code store_count(struct store *store, struct store_counts *ret_counts,
                          struct err *err) MUST_CHECK;
// Counts devices in each of `spans`, whose `until` rise. Costs a look at the key of every device
// that ends before the last of them and a look-up for every revoked certificate: 50 ms for a
// million devices, and as much again for 40,000 revoked certificates.
enum err_code store_count_due(struct store *store, struct store_span *spans, size_t count,
                              struct err *err) MUST_CHECK;

// Listing: calls `visit` for each record until it returns false. The record is only valid during
// the call; `visit` must be quick and must not call the store. Errors: ERR_IO, ERR_NOMEM, ERR_BUSY.
typedef bool store_visit_certificate(const struct store_certificate *certificate, void *context);
typedef bool store_visit_challenge(const struct store_challenge *challenge, void *context);
// Certificates from the newest issued to the oldest, beginning after the one with `after_serial`
// (NULL = from the newest; ERR_NOT_FOUND when there is no such certificate).
enum err_code store_list_certificates(struct store *store, const uint8_t *after_serial,
                                      store_visit_certificate *visit, void *context,
                                      struct err *err) MUST_CHECK;
// All certificates of one device, newest first.
enum err_code store_list_device(struct store *store, const char *device,
                                store_visit_certificate *visit, void *context,
                                struct err *err) MUST_CHECK;
enum err_code store_list_challenges(struct store *store, store_visit_challenge *visit,
                                    void *context, struct err *err) MUST_CHECK;

typedef bool store_visit_pending(const struct store_pending *pending, void *context);
typedef bool store_visit_device(const struct store_device *device, void *context);
typedef bool store_visit_revocation(const struct store_revocation *revocation, void *context);
// Requests that wait, oldest first.
enum err_code store_list_pending(struct store *store, store_visit_pending *visit, void *context,
                                 struct err *err) MUST_CHECK;
// The device list in the order of its keys, beginning after the device with this key ("M" MAC or
// "S" serial number, NULL = from the first).
enum err_code store_list_devices(struct store *store, const char *after, store_visit_device *visit,
                                 void *context, struct err *err) MUST_CHECK;
// Each device's present (newest) certificate whose notAfter is from `from` to before `until`, by
// time, revoked ones, too. Costs what it returns, however many certificates there are. `after`
// (NULL = none) continues a list behind that entry, whether it is still there or not.
enum err_code store_list_due(struct store *store, int64_t from, int64_t until,
                             const struct store_due *after, store_visit_certificate *visit,
                             void *context, struct err *err) MUST_CHECK;
// The same for servers: each one's present certificate whose notAfter is from `from` to before
// `until`, by time.
enum err_code store_list_servers(struct store *store, int64_t from, int64_t until,
                                 store_visit_certificate *visit, void *context,
                                 struct err *err) MUST_CHECK;
// The present certificate of each device and server whose name (MAC, else CN) begins with `prefix`,
// which is not empty, in the order of names. Costs a look-up for each that it visits, however many
// certificates there are.
enum err_code store_list_prefix(struct store *store, const char *prefix,
                                store_visit_certificate *visit, void *context,
                                struct err *err) MUST_CHECK;
// What a CA's CRL lists at `now`: its revoked certificates that are not over for longer than
// `keep_sec`, in the order of notAfter.
enum err_code store_list_revoked(struct store *store, const uint8_t issuer[SHA256_LEN], int64_t now,
                                 int64_t keep_sec, store_visit_revocation *visit, void *context,
                                 struct err *err) MUST_CHECK;

typedef bool store_visit_event(const struct store_event *event, void *context);
// The history from the oldest event to the newest, those with an id above `after` (0 = from the
// oldest).
enum err_code store_list_events(struct store *store, const struct store_event_filter *filter,
                                uint64_t after, store_visit_event *visit, void *context,
                                struct err *err) MUST_CHECK;
// The same from the newest to the oldest.
enum err_code store_list_events_back(struct store *store, const struct store_event_filter *filter,
                                     store_visit_event *visit, void *context,
                                     struct err *err) MUST_CHECK;

void store_certificate_done(struct store_certificate *certificate);
void store_pending_done(struct store_pending *pending);
void store_crl_done(struct store_crl *crl);
