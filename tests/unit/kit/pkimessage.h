// SPDX-License-Identifier: Apache-2.0
// Builds pkiMessages (RFC 8894, 3) with OpenSSL's CMS API. {0} members mean "as a good client does
// it"; everything can be overridden, so that malformed messages can be made too. Ends the program
// when a message cannot be built.
#pragma once

#include "kit/kit.h"

#define KIT_CERTS_MAX      12 // certificates beside the signer's
#define KIT_RECIPIENTS_MAX 12

// How often an attribute occurs.
enum kit_how {
    KIT_ONCE,
    KIT_OMITTED,
    KIT_TWICE,      // two attributes of the same type
    KIT_TWO_VALUES, // one attribute with two values
};

struct kit_attribute {
    const char *data; // NULL = a good one
    size_t len;       // octets; 0 = strlen(data), KIT_EMPTY = none
    int type;         // V_ASN1_*; 0 = the right one
    enum kit_how how;
};
#define KIT_EMPTY SIZE_MAX

struct kit_envelope {
    X509 *recipients[KIT_RECIPIENTS_MAX]; // up to the first NULL; all NULL = the message's `ra`
    const char *cipher;                   // "AES-128-CBC"
    struct view plain;                    // messageData
    int content_nid;                      // NID_pkcs7_data
    bool is_by_ski;                       // recipients named by SubjectKeyIdentifier
    bool is_oaep;
    bool is_indefinite;        // BER
    const char *password;      // adds a PasswordRecipientInfo
    bool is_parameters_absent; // of keyEncryptionAlgorithm, instead of NULL
};

struct kit_message {
    EVP_PKEY *key; // signs
    X509 *signer;
    X509 *ra;                    // gets the envelope
    X509 *certs[KIT_CERTS_MAX];  // beside the signer's, up to the first NULL
    bool is_signer_cert_omitted; // not in `certificates`
    bool is_signer_by_ski;
    bool is_bare;       // no signed attributes at all
    const char *digest; // "SHA256"
    bool is_pss;        // RSASSA-PSS
    bool is_indefinite; // BER, content in chunks
    bool is_content_omitted;
    struct view content;                 // instead of an envelope
    int content_nid;                     // NID_pkcs7_data
    struct kit_attribute message_type;   // "19"
    struct kit_attribute transaction_id; // "KIT-TRANSACTION"
    struct kit_attribute sender_nonce;   // 16 octets
    struct kit_attribute pki_status;     // omitted unless data is given
    struct kit_attribute fail_info;      // omitted unless data is given
    int64_t signing_time;                // 0 = OpenSSL's clock
    bool is_second_signer;               // signs twice
    struct kit_envelope envelope;
};

// The EnvelopedData alone, and the whole message. Caller frees with buf_done().
struct buf kit_envelope_der(const struct kit_envelope *envelope, X509 *ra);
struct buf kit_message_der(const struct kit_message *message);

// Where in the message (DER) the signed attributes are: the SET's elements, without its header.
struct view kit_signed_attributes(struct view message);
// Exchanges the first two elements of that SET in place, so that it is not sorted any more.
void kit_unsort_attributes(struct buf *message);
// Signs the attributes again in the order in which they stand now.
void kit_sign_as_sent(struct buf *message, EVP_PKEY *key);
