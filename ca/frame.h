// SPDX-License-Identifier: Apache-2.0
// The protocol between scepd (RA) and scepd-ca: one frame per AF_UNIX SEQPACKET datagram, one
// answer per question. It speaks policy: "issue for this PKCS#10 under profile P with these names,
// for at most this long". Nothing in it is ever signed as it stands.
//
// Frame: u8 version (FRAME_VERSION), u8 type, then the type's fields (conf/base/wire.h), exact end.
// A malformed frame ends the connection on either side and is logged as an error.
#pragma once

#include <stdint.h>

#include "conf/base/buf.h"
#include "conf/limits.h"

#define FRAME_VERSION 1
#define FRAME_MAX_LEN 65536 // octets of a whole frame

// At most ten, ever.
enum frame_type {
    FRAME_ISSUE = 1,   // RA → CA: struct issue_order
    FRAME_ISSUED = 2,  // CA → RA: DER certificate
    FRAME_REFUSED = 3, // CA → RA: why not
    FRAME_PING = 4,    // RA → CA: are you there
    FRAME_PONG = 5,    // CA → RA: yes
};

enum issue_profile {
    PROFILE_PHONE = 1, // a phone's CDC: clientAuth, digitalSignature + keyEncipherment
};

// Kinds of subjectAltName that profiles know.
enum san_kind { SAN_DNS = 1, SAN_EMAIL = 2, SAN_UPN = 3 };

struct san {
    enum san_kind kind;
    struct view text; // UTF-8; dNSName and rfc822Name are ASCII
};

// What the RA asks for. Views borrow from the asker or from the received frame.
struct issue_order {
    enum issue_profile profile;
    struct view csr;         // DER PKCS#10; subject and key come from here
    struct view common_name; // UTF-8; becomes the subject when the PKCS#10's own is empty, else ""
    struct san sans[LIMIT_SUBJECT_ALT_NAMES]; // the only SANs the certificate may get
    uint32_t san_count;
    uint32_t max_validity_sec;  // 0 = as the profile says; the CA never goes beyond its profile
    struct view transaction_id; // for the CA's log line only
};

// What came in: `type` says which member counts.
struct frame {
    enum frame_type type;
    struct issue_order order; // FRAME_ISSUE
    struct view certificate;  // FRAME_ISSUED
    enum err_code refusal;    // FRAME_REFUSED: ERR_BAD_REQUEST, ERR_BAD_ALG, ERR_BUSY...
    struct view refusal_text; // FRAME_REFUSED: at most ERR_TEXT_LEN octets, no secret
};

// Encoders append one whole frame to *out (empty before). Errors: ERR_NOMEM, ERR_LIMIT.
enum err_code frame_put_issue(const struct issue_order *order, struct buf *out,
                              struct err *err) MUST_CHECK;
enum err_code frame_put_issued(struct view certificate, struct buf *out,
                               struct err *err) MUST_CHECK;
enum err_code frame_put_refused(const struct err *refusal, struct buf *out,
                                struct err *err) MUST_CHECK;
enum err_code frame_put_bare(enum frame_type type, struct buf *out, struct err *err) MUST_CHECK;

// Decodes exactly one frame; views in *ret_frame point into `octets`. Errors: ERR_PROTOCOL with
// what was wrong.
enum err_code frame_get(struct view octets, struct frame *ret_frame, struct err *err) MUST_CHECK;
