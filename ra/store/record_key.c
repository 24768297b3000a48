// SPDX-License-Identifier: Apache-2.0
#include "ra/store/record_key.h"

#include <string.h>

#define KEY_BY_MAC    "M"
#define KEY_BY_NUMBER "S"
#define KEY_BY_DEVICE "D"
#define KEY_BY_NAME   "N"

static void append(struct record_key *key, const void *octets, size_t len)
{
    if (len > 0) {
        memcpy(key->octets + key->len, octets, len);
        key->len += len;
    }
}

static void append_number(struct record_key *key, uint64_t number)
{
    uint8_t octets[sizeof number] = {0};
    for (size_t i = 0; i < sizeof octets; i++) {
        octets[i] = (uint8_t)(number >> 8 * (sizeof octets - 1 - i));
    }
    append(key, octets, sizeof octets);
}

// The flipped sign bit makes times before 1970 sort before later ones as octets, too.
static void append_time(struct record_key *key, int64_t time)
{
    append_number(key, (uint64_t)time ^ (UINT64_C(1) << 63));
}

// No text holds a NUL, so with one behind it none is the beginning of another.
static void append_text(struct record_key *key, const char *text, size_t size)
{
    append(key, text, strnlen(text, size - 1));
    append(key, "", 1);
}

void record_key_by_issue(const struct store_certificate *certificate, uint64_t sequence,
                         struct record_key *ret_key)
{
    ret_key->len = 0;
    append_time(ret_key, certificate->issued_at);
    append_number(ret_key, sequence);
}

void record_key_by_device(const struct store_certificate *certificate, uint64_t sequence,
                          struct record_key *ret_key)
{
    record_prefix_of_device(certificate->device, ret_key);
    append_time(ret_key, certificate->issued_at);
    append_number(ret_key, sequence);
}

void record_key_by_key(const struct store_certificate *certificate, uint64_t sequence,
                       struct record_key *ret_key)
{
    record_prefix_of_key(certificate->spki_hash, ret_key);
    append_time(ret_key, certificate->issued_at);
    append_number(ret_key, sequence);
}

void record_prefix_of_device(const char *device, struct record_key *ret_prefix)
{
    ret_prefix->len = 0;
    append_text(ret_prefix, device, STORE_DEVICE_LEN);
}

void record_prefix_of_key(const uint8_t spki_hash[SHA256_LEN], struct record_key *ret_prefix)
{
    ret_prefix->len = 0;
    append(ret_prefix, spki_hash, SHA256_LEN);
}

void record_key_at(int64_t time, struct view name, struct record_key *ret_key)
{
    ret_key->len = 0;
    append_time(ret_key, time);
    append(ret_key, name.data, name.len);
}

void record_key_revoked(const uint8_t issuer[SHA256_LEN], int64_t not_after, struct view serial,
                        struct record_key *ret_key)
{
    ret_key->len = 0;
    append(ret_key, issuer, SHA256_LEN);
    append_time(ret_key, not_after);
    append(ret_key, serial.data, serial.len);
}

void record_prefix_of_source(const char *source, struct record_key *ret_prefix)
{
    ret_prefix->len = 0;
    append_text(ret_prefix, source, STORE_SOURCE_LEN);
}

void record_key_by_source(const struct store_pending *pending, struct record_key *ret_key)
{
    record_prefix_of_source(pending->source, ret_key);
    append(ret_key, pending->key, SHA256_LEN);
}

void record_key_device(const struct store_device *device, struct record_key *ret_key)
{
    bool has_mac = device->mac[0] != '\0';
    const char *name = has_mac ? device->mac : device->serial_number;
    size_t size = has_mac ? sizeof device->mac : sizeof device->serial_number;
    ret_key->len = 0;
    append(ret_key, has_mac ? KEY_BY_MAC : KEY_BY_NUMBER, 1);
    append(ret_key, name, strnlen(name, size));
}

void record_key_event(uint64_t id, struct record_key *ret_key)
{
    ret_key->len = 0;
    append_number(ret_key, id);
}

void record_prefix_of_event_device(const char *device, struct record_key *ret_prefix)
{
    ret_prefix->len = 0;
    append(ret_prefix, KEY_BY_DEVICE, 1);
    append_text(ret_prefix, device, STORE_DEVICE_LEN);
}

void record_prefix_of_event_name(const char *common_name, struct record_key *ret_prefix)
{
    uint8_t hash[SHA256_LEN];
    const struct view name = view_of(common_name, strnlen(common_name, STORE_NAME_LEN - 1));
    ossl_sha256(&name, 1, hash);
    ret_prefix->len = 0;
    append(ret_prefix, KEY_BY_NAME, 1);
    append(ret_prefix, hash, sizeof hash);
}

void record_key_event_of(const struct record_key *prefix, uint64_t id, struct record_key *ret_key)
{
    *ret_key = *prefix;
    append_number(ret_key, id);
}

enum err_code record_key_event_id(struct view key, uint64_t *ret_id, struct err *err)
{
    uint64_t id = 0;
    if (key.len < sizeof id) {
        return err_set(err, ERR_IO, "an index of the store is damaged");
    }
    for (size_t i = key.len - sizeof id; i < key.len; i++) {
        id = id << 8 | key.data[i];
    }
    *ret_id = id;
    return ERR_OK;
}

void record_key_of(struct view octets, struct record_key *ret_key)
{
    ret_key->len = 0;
    append(ret_key, octets.data, octets.len < RECORD_KEY_MAX ? octets.len : RECORD_KEY_MAX);
}

void record_key_follow(struct record_key *key)
{
    append(key, "", 1);
}

void record_prefix_follow(struct record_key *prefix)
{
    for (size_t i = prefix->len; i-- > 0;) {
        if (++prefix->octets[i] != 0) {
            prefix->len = i + 1;
            return;
        }
    }
    prefix->len = 0;
}
