// SPDX-License-Identifier: Apache-2.0
// pkiMessage octets → struct request (RFC 8894, 3.1 to 3.3). Cheap and public checks first; no RSA
// private operation happens before the outer signature holds. The order of the checks is the
// error ladder in ra/README.md.
#pragma once

#include "ca/client.h"
#include "conf/base/ossl.h"
#include "conf/limits.h"
#include "conf/settings.h"
#include "ra/credentials.h"

// RFC 8894, 3.2.1.2, and UpdateReq of an early draft, which is refused by name.
enum message_type {
    MESSAGE_UNKNOWN = 0, // absent, malformed or not in this list
    MESSAGE_CERT_REP = 3,
    MESSAGE_RENEWAL_REQ = 17,
    MESSAGE_UPDATE_REQ = 18,
    MESSAGE_PKCS_REQ = 19,
    MESSAGE_CERT_POLL = 20,
    MESSAGE_GET_CERT = 21,
    MESSAGE_GET_CRL = 22,
};

// One request as far as it could be read. {0} is a valid empty one. Owned by one thread at a time.
struct request {
    // Set as soon as a transactionID and a senderNonce were found: from here on failures are
    // answered with a signed CertRep, before that with HTTP 400.
    bool is_answerable;
    uint8_t transaction_id[LIMIT_TRANSACTION_ID]; // octets of a PrintableString
    size_t transaction_id_len;
    uint8_t sender_nonce[LIMIT_NONCE];
    size_t sender_nonce_len;
    enum message_type type;
    int digest_nid;         // of the signature; the reply mirrors it. NID_undef = not usable
    int cipher_nid;         // of the envelope; the reply mirrors it. NID_undef = not usable
    X509 *signer;           // the enclosed certificate that the signature verifies with
    STACK_OF(X509) * certs; // all enclosed certificates; NULL = none
    const struct recipient *recipient; // whom the envelope names; the credentials'. NULL before
                                       // step 11
    struct buf signer_spki;            // its SubjectPublicKeyInfo, DER
    uint8_t envelope_hash[SHA256_LEN]; // SHA-256 of the encryptedKey for us (0 = no envelope)
    CMS_ContentInfo *outer;            // SignedData as parsed
    CMS_ContentInfo *envelope;         // EnvelopedData as parsed; NULL before step 4
};

// Steps 2 to 8 of the error ladder: parses the SignedData (BER or DER, exact end), takes the SCEP
// attributes (once each, right type), checks algorithms, finds the one signer certificate,
// verifies the signature (a second time over sorted attributes for clients that sign sorted and
// send unsorted), looks at the messageType and, if asked to, the signingTime. `octets` may be
// freed afterwards. *request must be empty before and is to be done with request_done()
// whatever is returned; what was read up to a failure is in it.
// Errors: ERR_SYNTAX / ERR_LIMIT (not answerable: HTTP 400), ERR_BAD_REQUEST, ERR_BAD_ALG,
// ERR_BAD_MESSAGE_CHECK, ERR_BAD_TIME; ERR_NOMEM, ERR_CRYPTO for our own trouble.
enum err_code message_open(struct view octets, const struct settings *settings, int64_t now,
                           struct request *request, struct err *err) MUST_CHECK;

// Steps 10 to 11: the envelope's cipher and key transport are allowed, every RecipientInfo is a
// KeyTransRecipientInfo, and one of them names us (previous RAs only as long as they open). Sets
// cipher_nid, recipient and envelope_hash. Public facts only. Errors: ERR_BAD_ALG, ERR_BAD_REQUEST.
enum err_code message_check_envelope(struct request *request, const struct settings *settings,
                                     const struct credentials *credentials, int64_t now,
                                     struct err *err) MUST_CHECK;

// First half of step 12: opens the envelope with the key of request->recipient; one RSA private
// operation, by scepd-ca (`ca`) under topology direct. *ret_content (empty before) holds a
// challenge: wipe it. Errors: ERR_BAD_REQUEST, which the caller must make indistinguishable from
// every other failure before the requester is authorised; the text is for the log. ERR_BUSY.
enum err_code message_decrypt(struct request *request, struct ca_client *ca,
                              struct buf *ret_content, struct err *err) MUST_CHECK;

// Frees what the request holds; leaves an empty one.
void request_done(struct request *request);
static inline struct view request_transaction_id(const struct request *request)
{
    return view_of(request->transaction_id, request->transaction_id_len);
}
// "PKCSReq", "CertPoll"...; "unknown" for everything else. For the log.
const char *message_type_name(enum message_type type);
