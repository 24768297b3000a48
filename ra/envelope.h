// SPDX-License-Identifier: Apache-2.0
// What the CMS API does not tell about an EnvelopedData (RFC 5652, 6.1): its cipher and the octets
// of its encryptedKeys.
#pragma once

#include "conf/base/ossl.h"
#include "conf/limits.h"

struct envelope_summary {
    int cipher_nid; // NID_undef when OpenSSL has no name for it
    unsigned recipient_count;
    // SHA-256 of each encryptedKey, in the order of CMS_get0_RecipientInfos(); zeroes for a
    // RecipientInfo that is no KeyTransRecipientInfo.
    uint8_t key_hashes[LIMIT_RECIPIENTS][SHA256_LEN];
};

// Reads a ContentInfo with an EnvelopedData, BER or DER. Errors: ERR_BAD_REQUEST (not one, trailing
// octets, no recipient or more than LIMIT_RECIPIENTS).
enum err_code envelope_summarise(struct view octets, struct envelope_summary *ret_summary,
                                 struct err *err) MUST_CHECK;
