// SPDX-License-Identifier: Apache-2.0
// What mic_factory.c makes: one row a certificate, issuers before those they sign.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define MIC_ATTRIBUTES_MAX 6

enum mic_key_id {
    MIC_KEY_ROOT_A,
    MIC_KEY_ROOT_B,
    MIC_KEY_CA_A,
    MIC_KEY_CA_B,
    MIC_KEY_PHONE_A,
    MIC_KEY_PHONE_B,
    MIC_KEY_PHONE_C,
    MIC_KEY_PHONE_D,
    MIC_KEY_FORGER, // of whoever is not Cisco
    MIC_KEY_SMALL_CA,
    MIC_KEY_SMALL_PHONE,
    MIC_KEY_EC,
    MIC_KEY_COUNT
};

struct mic_attribute {
    const char *field; // "CN"; NULL ends the list
    const char *text;  // ASCII
    size_t len;        // 0 = strlen(text)
    int type;          // V_ASN1_*; 0 = UTF8String
    bool is_joined;    // in the same RDN as the one before
};

struct mic_spec {
    const char *name;
    struct mic_attribute subject[MIC_ATTRIBUTES_MAX];
    const char *issuer; // NULL = self-signed
    enum mic_key_id key;
    bool is_ca;
    bool is_foreign; // no genuine CA: not in roots.pem and intermediates.pem
    bool is_sha1;
    int from_days;            // of `now`
    int until_days;           // of `now`
    const char *until;        // a GeneralizedTime instead
    const char *serial_of;    // the serial number of that one
    const char *key_usage;    // of a leaf; NULL = the usual one
    const char *ext_usage;    // EKU of a leaf; NULL = none
    bool is_signed_by_forger; // instead of the issuer's key
};

extern const struct mic_spec mic_specs[];
extern const size_t mic_spec_count;
