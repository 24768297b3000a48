// SPDX-License-Identifier: Apache-2.0
// A phone's request, step by step (RFC 8894, 3.3): PKCS#10 or what else it asks with, throw-away
// signer certificate, envelope, signed message. Each step is a call of its own, so that hostile
// variants can change what goes from one to the next.
#pragma once

#include "tests/phone/common.h"

#define NONCE_LEN          16  // octets (RFC 8894, 3.2.1.5)
#define TRANSACTION_ID_LEN 256 // bytes with the final NUL
#define KEY_BITS_DEFAULT   2048

// messageType (RFC 8894, 3.2.1.2).
#define MESSAGE_TYPE_REP      "3"
#define MESSAGE_TYPE_RENEWAL  "17"
#define MESSAGE_TYPE_REQ      "19"
#define MESSAGE_TYPE_POLL     "20"
#define MESSAGE_TYPE_GET_CERT "21"
#define MESSAGE_TYPE_GET_CRL  "22"

// SCEP's signed attributes (RFC 8894, 3.2.1).
enum scep_attribute {
    SCEP_MESSAGE_TYPE,
    SCEP_PKI_STATUS,
    SCEP_FAIL_INFO,
    SCEP_SENDER_NONCE,
    SCEP_RECIPIENT_NONCE,
    SCEP_TRANSACTION_ID,
    SCEP_FAIL_INFO_TEXT,
    SCEP_ATTRIBUTE_COUNT
};
// Makes the attributes known to OpenSSL; once, at start.
void scep_register(void);
int scep_nid(enum scep_attribute attribute);

// What the PKCS#10 asks for.
struct csr_plan {
    // "TYPE=VALUE" each, in this order; a '+' in front joins it to the one before (multi-valued).
    const char *const *rdns;
    size_t rdn_count;
    const X509_NAME *subject;     // instead of `rdns`; NULL = those
    const char *challenge;        // NULL = no challengePassword attribute
    unsigned long challenge_mask; // B_ASN1_*, one type
    const char *const *dns_names; // subjectAltName
    size_t dns_name_count;
    const EVP_MD *digest;
};

EVP_PKEY *key_make(unsigned bits);
EVP_PKEY *key_load(const char *path, struct trouble *trouble);
enum outcome key_save(const char *path, EVP_PKEY *key, struct trouble *trouble) MUST_CHECK;

// Signed by `key`. NULL with a usage trouble when a name or a challenge cannot be encoded so.
X509_REQ *csr_make(EVP_PKEY *key, const struct csr_plan *plan, struct trouble *trouble);
// The challenge as an attribute of the wanted string type; false when it cannot be one.
bool csr_add_challenge(X509_REQ *csr, const char *challenge, unsigned long mask);
// The certificate that a phone without any signs with: subject and key of its PKCS#10.
X509 *signer_make(EVP_PKEY *key, const X509_NAME *subject, const EVP_MD *digest);
struct octets csr_der(X509_REQ *csr);
// What CertPoll, and what GetCert and GetCRL ask with (RFC 8894, 3.3.3 and 3.3.4).
struct octets issuer_and_subject_der(const X509_NAME *issuer, const X509_NAME *subject);
struct octets issuer_and_serial_der(const X509_NAME *issuer, const ASN1_INTEGER *serial);

// EnvelopedData for `recipient`.
PKCS7 *envelope_make(const struct octets *content, X509 *recipient, const EVP_CIPHER *cipher);
struct octets pkcs7_der(PKCS7 *message);

// What the outer SignedData says.
struct message_plan {
    EVP_PKEY *key;
    X509 *signer;
    const STACK_OF(X509) * chain; // enclosed behind the signer's certificate; NULL = none
    bool is_chain_first;          // enclosed before it, instead
    const EVP_MD *digest;
    const char *type;
    const char *transaction_id;
    unsigned char nonce[NONCE_LEN];
    const struct octets *content; // the envelope's DER
};
void message_plan_random(struct message_plan *plan, char transaction_id[TRANSACTION_ID_LEN]);
PKCS7 *message_make(const struct message_plan *plan);

// A request ready to be sent, with what its answer is checked against.
struct request {
    struct octets der;
    EVP_PKEY *key;      // signed it, and opens the answer
    EVP_PKEY *cert_key; // a certificate is asked for it; the same one when a phone has no other
    X509 *signer;
    struct octets transaction_id;
    struct octets nonce;
    int cipher_nid;
    int digest_nid;
};
// Reads all that from the message itself; `key` is the signer's, `cert_key` what is in the PKCS#10
// (references are taken). Errors: OUTCOME_TROUBLE when these octets are not a request of a phone,
// or not of this key.
enum outcome request_read(const struct octets *der, EVP_PKEY *key, EVP_PKEY *cert_key,
                          struct request *ret_request, struct trouble *trouble) MUST_CHECK;
void request_done(struct request *request);

// The one value of a signed attribute if it is there once, with one value of this ASN.1 type
// (V_ASN1_*); else NULL.
const ASN1_STRING *attribute_value(const PKCS7_SIGNER_INFO *info, int nid, int type);
