// SPDX-License-Identifier: Apache-2.0
// The protocol between scepd (RA) and scepd-ca: one frame per AF_UNIX SEQPACKET datagram, one
// answer per question. It speaks policy: "issue for this PKCS#10 under profile P with these names,
// for at most this long". Nothing in it is ever signed as it stands.
//
// Frame: u8 version (FRAME_VERSION), u8 type, then the type's fields (conf/base/wire.h), exact end.
// A malformed frame ends the connection on either side and is logged as an error.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "conf/base/ossl.h"
#include "conf/limits.h"

#define FRAME_VERSION 1
#define FRAME_MAX_LEN 65536 // octets of a whole frame

// At most ten, ever.
enum frame_type {
    FRAME_ISSUE = 1,   // RA → CA: struct issue_order
    FRAME_RESULT = 2,  // CA → RA: DER of what was asked for, in as many frames as it takes
    FRAME_REFUSED = 3, // CA → RA: why not
    FRAME_PING = 4,    // RA → CA: are you there, and which CAs are you
    FRAME_PONG = 5,    // CA → RA: struct ca_state; also after each FRAME_CRL but the last
    FRAME_CRL = 6,     // RA → CA: struct crl_part; entries of a CRL, the last part has it signed
    FRAME_NEXT_CA = 7, // RA → CA: sign the answer to GetNextCACert
    FRAME_UNWRAP = 8,  // RA → CA: open this envelope (topology direct only)
    FRAME_SEAL = 9,    // RA → CA: make this CertRep (topology direct only)
    FRAME_RELOAD = 10, // RA → CA: read the settings and keys again; PONG or REFUSED with why not
};

enum issue_profile {
    PROFILE_PHONE = 1,  // a phone's CDC: clientAuth, digitalSignature + keyEncipherment
    PROFILE_RA = 2,     // the RA's: the CA chooses its subject, no subjectAltName, no EKU
    PROFILE_OCSP = 3,   // an OCSP signer's (RFC 6960, 4.2.2.2): the CA chooses its subject,
                        // OCSPSigning, id-pkix-ocsp-nocheck, digitalSignature; also of old CAs
    PROFILE_SERVER = 4, // a provisioning server's: serverAuth; hosts of servers.domains only
};

#define FRAME_OLD_MAX    15    // old CAs that a PONG can list
#define FRAME_CRL_CHUNK  2000  // entries of one FRAME_CRL
#define FRAME_RESULT_LEN 60000 // octets of one FRAME_RESULT

// Kinds of subjectAltName that profiles know.
enum san_kind { SAN_DNS = 1, SAN_EMAIL = 2, SAN_UPN = 3 };

struct san {
    enum san_kind kind;
    struct view text; // UTF-8; dNSName and rfc822Name are ASCII
};

// What the RA asks for. Views borrow from the asker or from the received frame.
struct issue_order {
    enum issue_profile profile;
    struct view issuer; // SHA-256 of the SPKI of the CA that shall issue: the present or the next
    struct view csr;    // DER PKCS#10; subject (not for PROFILE_RA) and key come from here
    struct view common_name; // UTF-8; added as CN when the PKCS#10's subject has none, else ""
    struct san sans[LIMIT_SUBJECT_ALT_NAMES]; // the only SANs the certificate may get
    uint32_t san_count;
    uint32_t max_validity_sec;  // 0 = as the profile says; the CA never goes beyond its profile
    struct view transaction_id; // for the CA's log line only
};

// Reasons of RFC 5280, 5.3.1, that a CRL of ours can have.
enum revocation_reason {
    REVOCATION_UNSPECIFIED = 0, // the entry has no reasonCode then
    REVOCATION_KEY_COMPROMISE = 1,
    REVOCATION_CA_COMPROMISE = 2,
    REVOCATION_AFFILIATION_CHANGED = 3,
    REVOCATION_SUPERSEDED = 4,
    REVOCATION_CESSATION_OF_OPERATION = 5,
    REVOCATION_PRIVILEGE_WITHDRAWN = 9,
};
bool revocation_reason_is_known(unsigned reason);

struct crl_entry {
    uint8_t serial[SERIAL_LEN];
    int64_t revoked_at;
    enum revocation_reason reason;
};

// A part of the order for a CRL. All parts of one come on one connection without other questions
// between them.
struct crl_part {
    struct view issuer; // as in struct issue_order; old CAs, too
    uint64_t number;    // cRLNumber, the same in all parts
    bool is_last;
    uint32_t count;
    struct crl_entry entries[FRAME_CRL_CHUNK];
};

// Which CAs scepd-ca holds: SHA-256 of their SPKIs.
struct ca_state {
    uint8_t current[SHA256_LEN];
    bool has_next;
    uint8_t next[SHA256_LEN];
    uint32_t old_count;
    uint8_t old[FRAME_OLD_MAX][SHA256_LEN];
};

// A CertRep that the CA makes and signs itself (conf/cms/certrep.h says what the members mean).
struct seal_order {
    uint8_t status;
    struct view transaction_id;
    struct view recipient_nonce;
    uint32_t digest_nid;
    uint32_t cipher_nid;
    struct view recipient;   // DER certificate
    struct view certificate; // DER: one that this CA issued, or empty
    struct view crl;         // DER: one that this CA signed, or empty
    uint8_t fail_info;
    struct view fail_info_text; // UTF-8; empty = none
};

// What came in: `type` says which member counts. Large, so on the heap.
struct frame {
    enum frame_type type;
    struct issue_order order; // FRAME_ISSUE
    struct view octets;       // FRAME_RESULT: a part; FRAME_UNWRAP: DER of an EnvelopedData;
                              // FRAME_NEXT_CA: DER of the next RA's certificate, or empty
    bool is_last;             // FRAME_RESULT
    struct crl_part crl;      // FRAME_CRL
    struct ca_state state;    // FRAME_PONG
    struct seal_order seal;   // FRAME_SEAL
    enum err_code refusal;    // FRAME_REFUSED: ERR_BAD_REQUEST, ERR_BAD_ALG, ERR_BUSY...
    struct view refusal_text; // FRAME_REFUSED: at most ERR_TEXT_LEN octets, no secret
};

// Encoders append one whole frame to *out (empty before). Errors: ERR_NOMEM, ERR_LIMIT.
enum err_code frame_put_issue(const struct issue_order *order, struct buf *out,
                              struct err *err) MUST_CHECK;
enum err_code frame_put_result(struct view part, bool is_last, struct buf *out,
                               struct err *err) MUST_CHECK;
enum err_code frame_put_crl(const struct crl_part *part, struct buf *out,
                            struct err *err) MUST_CHECK;
enum err_code frame_put_pong(const struct ca_state *state, struct buf *out,
                             struct err *err) MUST_CHECK;
// FRAME_UNWRAP and FRAME_NEXT_CA.
enum err_code frame_put_octets(enum frame_type type, struct view octets, struct buf *out,
                               struct err *err) MUST_CHECK;
enum err_code frame_put_seal(const struct seal_order *order, struct buf *out,
                             struct err *err) MUST_CHECK;
enum err_code frame_put_refused(const struct err *refusal, struct buf *out,
                                struct err *err) MUST_CHECK;
enum err_code frame_put_ping(struct buf *out, struct err *err) MUST_CHECK;
enum err_code frame_put_reload(struct buf *out, struct err *err) MUST_CHECK;

// Decodes exactly one frame; views in *ret_frame point into `octets`. Only the members that its
// type names are written; after a failure they mean nothing. Errors: ERR_PROTOCOL with what was
// wrong.
enum err_code frame_get(struct view octets, struct frame *ret_frame, struct err *err) MUST_CHECK;
