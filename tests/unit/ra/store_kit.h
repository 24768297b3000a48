// SPDX-License-Identifier: Apache-2.0
// Records for tests of the store and what stands on it.
#pragma once

#include <stdio.h>
#include <string.h>

#include "kit/kit.h"
#include "ra/store/store.h"

#define STORE_KIT_DER_LEN 1000 // octets; a real certificate has about as many
#define STORE_KIT_OCTETS  (8ULL << 20)

static inline void store_kit_hash(const char *what, unsigned number, uint8_t ret_hash[SHA256_LEN])
{
    const struct view parts[] = {view_of_text(what), view_of(&number, sizeof number)};
    ossl_sha256(parts, 2, ret_hash);
}

// Certificate number `number`, issued that many seconds after KIT_NOW, with serial, device, key
// and transaction of its own. Done with store_certificate_done().
static inline struct store_certificate store_kit_certificate(unsigned number)
{
    struct store_certificate certificate = {
        .serial = {0x40},
        .status = CERTIFICATE_VALID,
        .issued_at = (int64_t)KIT_NOW + number,
        .not_before = (int64_t)KIT_NOW + number - 600,
        .not_after = (int64_t)KIT_NOW + number + 31536000,
        .signer_class = 1,
        .origin = ORIGIN_CHALLENGE,
        .model = "CP-8841",
    };
    memcpy(certificate.serial + 1, &number, sizeof number);
    snprintf(certificate.mac, sizeof certificate.mac, "001A%08X", number);
    snprintf(certificate.device, sizeof certificate.device, "%s", certificate.mac);
    snprintf(certificate.common_name, sizeof certificate.common_name, "CP-8841-SEP%s",
             certificate.mac);
    snprintf(certificate.serial_number, sizeof certificate.serial_number, "FCH%08X", number);
    store_kit_hash("issuer", 1, certificate.issuer);
    store_kit_hash("key", number, certificate.spki_hash);
    store_kit_hash("subject", number, certificate.subject_hash);
    store_kit_hash("csr", number, certificate.csr_hash);
    store_kit_hash("transaction", number, certificate.transaction_key);
    uint8_t der[STORE_KIT_DER_LEN];
    memset(der, (int)(number & 0xFF), sizeof der);
    assert_int_equal(buf_copy(view_of(der, sizeof der), &certificate.der, NULL), ERR_OK);
    return certificate;
}

// Request number `number`, which waits from that many seconds after KIT_NOW for an hour, from
// 192.0.2.1. Done with store_pending_done().
static inline struct store_pending store_kit_pending(unsigned number)
{
    struct store_pending pending = {
        .reason = PENDING_UNLISTED,
        .created_at = (int64_t)KIT_NOW + number,
        .expires_at = (int64_t)KIT_NOW + number + 3600,
        .source = "192.0.2.1",
        .model = "CP-8841",
        .signer_class = 3,
    };
    snprintf(pending.mac, sizeof pending.mac, "001A%08X", number);
    snprintf(pending.common_name, sizeof pending.common_name, "CP-8841-SEP%s", pending.mac);
    snprintf(pending.serial_number, sizeof pending.serial_number, "FCH%08X", number);
    store_kit_hash("transaction", number, pending.key);
    store_kit_hash("key", number, pending.spki_hash);
    store_kit_hash("csr", number, pending.csr_hash);
    store_kit_hash("issuer", 1, pending.issuer);
    for (size_t i = 0; i < (PENDING_ID_LEN - 1) / 2; i++) {
        snprintf(pending.id + 2 * i, 3, "%02X", pending.key[i]);
    }
    uint8_t csr[STORE_KIT_DER_LEN];
    memset(csr, (int)(number & 0xFF), sizeof csr);
    assert_int_equal(buf_copy(view_of(csr, sizeof csr), &pending.csr, NULL), ERR_OK);
    return pending;
}

// An entry of the device list; NULL = none.
static inline struct store_device store_kit_device(const char *mac, const char *serial_number)
{
    struct store_device device = {.model = "CP-8841", .note = "reception", .added_at = KIT_NOW};
    if (mac != NULL) {
        snprintf(device.mac, sizeof device.mac, "%s", mac);
    }
    if (serial_number != NULL) {
        snprintf(device.serial_number, sizeof device.serial_number, "%s", serial_number);
    }
    return device;
}

// Event number `number`: a refusal that many seconds after KIT_NOW, of a phone of that number.
static inline struct store_event store_kit_event(unsigned number)
{
    struct store_event event = {
        .id = number,
        .at = ((int64_t)KIT_NOW + number) * STORE_US_PER_SEC,
        .kind = EVENT_REFUSED,
        .authority = EVENT_BY_NOBODY,
        .model = "CP-8841",
        .is_claimed = true,
        .issuer = "CN=Cisco Manufacturing CA",
        .serial = {0x40, 1, 2, 3},
        .peer = "192.0.2.1",
        .reason = "wrong_challenge",
        .fail_info = "badRequest",
        .words = "wrong challenge password",
    };
    snprintf(event.mac, sizeof event.mac, "001A%08X", number);
    snprintf(event.device, sizeof event.device, "%s", event.mac);
    snprintf(event.common_name, sizeof event.common_name, "CP-8841-SEP%s", event.mac);
    return event;
}

static inline void store_kit_assert_same_event(const struct store_event *a,
                                               const struct store_event *b)
{
    assert_int_equal(a->id, b->id);
    assert_int_equal(a->at, b->at);
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->is_claimed, b->is_claimed);
    assert_string_equal(a->issuer, b->issuer);
    assert_int_equal(a->authority, b->authority);
    assert_string_equal(a->device, b->device);
    assert_string_equal(a->common_name, b->common_name);
    assert_string_equal(a->mac, b->mac);
    assert_string_equal(a->model, b->model);
    assert_memory_equal(a->serial, b->serial, SERIAL_LEN);
    assert_string_equal(a->peer, b->peer);
    assert_string_equal(a->reason, b->reason);
    assert_string_equal(a->fail_info, b->fail_info);
    assert_string_equal(a->words, b->words);
}

// Challenge number `number` with two uses, valid for an hour from KIT_NOW.
static inline struct store_challenge store_kit_challenge(unsigned number)
{
    struct store_challenge challenge = {
        .created_at = KIT_NOW,
        .expires_at = (int64_t)KIT_NOW + 3600,
        .uses_allowed = 2,
        .uses_left = 2,
        .common_name = "CP-8841-SEP001A2B3C4D5E",
        .mac = "001A2B3C4D5E",
    };
    store_kit_hash("challenge", number, challenge.hash);
    for (size_t i = 0; i < (CHALLENGE_ID_LEN - 1) / 2; i++) {
        snprintf(challenge.id + 2 * i, 3, "%02X", challenge.hash[i]);
    }
    return challenge;
}

static inline void store_kit_assert_same(const struct store_certificate *a,
                                         const struct store_certificate *b)
{
    assert_memory_equal(a->serial, b->serial, SERIAL_LEN);
    assert_int_equal(a->status, b->status);
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->issued_at, b->issued_at);
    assert_int_equal(a->not_before, b->not_before);
    assert_int_equal(a->not_after, b->not_after);
    assert_string_equal(a->device, b->device);
    assert_string_equal(a->common_name, b->common_name);
    assert_string_equal(a->mac, b->mac);
    assert_memory_equal(a->spki_hash, b->spki_hash, SHA256_LEN);
    assert_memory_equal(a->subject_hash, b->subject_hash, SHA256_LEN);
    assert_memory_equal(a->csr_hash, b->csr_hash, SHA256_LEN);
    assert_memory_equal(a->transaction_key, b->transaction_key, SHA256_LEN);
    assert_memory_equal(a->challenge_hash, b->challenge_hash, SHA256_LEN);
    assert_int_equal(a->signer_class, b->signer_class);
    assert_memory_equal(a->issuer, b->issuer, SHA256_LEN);
    assert_int_equal(a->origin, b->origin);
    assert_memory_equal(a->renews, b->renews, SERIAL_LEN);
    assert_int_equal(a->mic_not_after, b->mic_not_after);
    assert_string_equal(a->model, b->model);
    assert_string_equal(a->serial_number, b->serial_number);
    assert_int_equal(a->revoked_at, b->revoked_at);
    assert_int_equal(a->revocation_reason, b->revocation_reason);
    assert_int_equal(a->superseded_at, b->superseded_at);
    assert_true(view_equal(buf_view(&a->der), buf_view(&b->der)));
}

static inline void store_kit_assert_same_pending(const struct store_pending *a,
                                                 const struct store_pending *b)
{
    assert_memory_equal(a->key, b->key, SHA256_LEN);
    assert_string_equal(a->id, b->id);
    assert_int_equal(a->reason, b->reason);
    assert_int_equal(a->is_approved, b->is_approved);
    assert_int_equal(a->created_at, b->created_at);
    assert_int_equal(a->expires_at, b->expires_at);
    assert_string_equal(a->source, b->source);
    assert_string_equal(a->common_name, b->common_name);
    assert_string_equal(a->mac, b->mac);
    assert_string_equal(a->model, b->model);
    assert_string_equal(a->serial_number, b->serial_number);
    assert_int_equal(a->signer_class, b->signer_class);
    assert_memory_equal(a->spki_hash, b->spki_hash, SHA256_LEN);
    assert_memory_equal(a->csr_hash, b->csr_hash, SHA256_LEN);
    assert_memory_equal(a->issuer, b->issuer, SHA256_LEN);
    assert_true(view_equal(buf_view(&a->csr), buf_view(&b->csr)));
}

static inline void store_kit_assert_same_device(const struct store_device *a,
                                                const struct store_device *b)
{
    assert_string_equal(a->mac, b->mac);
    assert_string_equal(a->serial_number, b->serial_number);
    assert_string_equal(a->model, b->model);
    assert_string_equal(a->note, b->note);
    assert_int_equal(a->added_at, b->added_at);
}
