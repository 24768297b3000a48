// SPDX-License-Identifier: Apache-2.0
// Keys of the store's tables and indexes. Octets sort as the domain wants them: times count from
// the earliest, and under one prefix the oldest comes first and the newest last.
#pragma once

#include "ra/store/store.h"

#define RECORD_KEY_MAX (STORE_DEVICE_LEN + 16) // octets; LMDB's limit is 511

struct record_key {
    uint8_t octets[RECORD_KEY_MAX];
    size_t len;
};
static inline struct view record_key_view(const struct record_key *key)
{
    return view_of(key->octets, key->len);
}

// Indexes of certificates that end with a time and the sequence number.
void record_key_by_issue(const struct store_certificate *certificate, uint64_t sequence,
                         struct record_key *ret_key);
void record_key_by_device(const struct store_certificate *certificate, uint64_t sequence,
                          struct record_key *ret_key);
void record_key_by_key(const struct store_certificate *certificate, uint64_t sequence,
                       struct record_key *ret_key);
// What all keys of one device (at most STORE_DEVICE_LEN - 1 octets are looked at) or of one public
// key begin with, and no others do.
void record_prefix_of_device(const char *device, struct record_key *ret_prefix);
void record_prefix_of_key(const uint8_t spki_hash[SHA256_LEN], struct record_key *ret_prefix);

// A time, then a serial number or a hash: due, superseded, and waiting requests by time. With an
// empty `name` it sorts before all keys of that time.
void record_key_at(int64_t time, struct view name, struct record_key *ret_key);
// A CA, a notAfter and a serial number: revoked certificates. With an empty `serial` it sorts
// before all keys of that CA and time.
void record_key_revoked(const uint8_t issuer[SHA256_LEN], int64_t not_after, struct view serial,
                        struct record_key *ret_key);
// Waiting requests of one source begin with its prefix; the transaction's key follows.
void record_prefix_of_source(const char *source, struct record_key *ret_prefix);
void record_key_by_source(const struct store_pending *pending, struct record_key *ret_key);
// "M" and the MAC, else "S" and the serial number.
void record_key_device(const struct store_device *device, struct record_key *ret_key);
// Events: by id, and by device or CN with the id behind. The prefixes are what all keys of one
// device or one CN begin with, and no others do.
void record_key_event(uint64_t id, struct record_key *ret_key);
void record_prefix_of_event_device(const char *device, struct record_key *ret_prefix);
void record_prefix_of_event_name(const char *common_name, struct record_key *ret_prefix);
void record_key_event_of(const struct record_key *prefix, uint64_t id, struct record_key *ret_key);
// The id that a key of an event ends with. Errors: ERR_IO for a key that has none.
enum err_code record_key_event_id(struct view key, uint64_t *ret_id, struct err *err) MUST_CHECK;
// Any octets; what does not fit is cut off.
void record_key_of(struct view octets, struct record_key *ret_key);

// Turns a key into the next possible one; it must be shorter than RECORD_KEY_MAX.
void record_key_follow(struct record_key *key);
// Turns a prefix into what sorts behind everything that begins with it; empty when nothing can.
void record_prefix_follow(struct record_key *prefix);
