// SPDX-License-Identifier: Apache-2.0
// The RA's side of the connection to scepd-ca. One connection per thread; a connection that broke
// is made again by the next question. No question waits longer than CA_ANSWER_TIMEOUT_SEC, or than
// ca_client_set_timeout() says.
#pragma once

#include "ca/frame.h"
#include "conf/cms/certrep.h"

#define CA_ANSWER_TIMEOUT_SEC 10 // seconds; an HSM's RSA-4096 signature takes well under one

struct ca_client;

// Remembers `socket_path` (copied); connects at the first question. Free with ca_client_free().
// Errors: ERR_NOMEM, ERR_LIMIT (path too long for a Unix socket).
enum err_code ca_client_new(const char *socket_path, struct ca_client **ret_client,
                            struct err *err) MUST_CHECK;
void ca_client_free(struct ca_client *client);
// How long one question may take in all, in milliseconds, from the next one on.
void ca_client_set_timeout(struct ca_client *client, uint32_t timeout_ms);

// Has a certificate issued. *ret_certificate (empty before) gets its DER.
// Errors: ERR_BAD_REQUEST, ERR_BAD_ALG and so on as the CA said, with its words; ERR_BUSY when the
// CA does not answer or the connection broke (the order may or may not have been carried out: the
// certificate is lost and unreleased either way); ERR_PROTOCOL when it answered nonsense.
enum err_code ca_client_issue(struct ca_client *client, const struct issue_order *order,
                              struct buf *ret_certificate, struct err *err) MUST_CHECK;

// Has a CRL signed by the CA `issuer` (SHA-256 of its SPKI; old ones, too), valid as long as the
// CA's settings say. `count` entries, at most LIMIT_CRL_ENTRIES, sorted as the CRL shall list them.
// *ret_crl (empty before) gets its DER. Errors: as ca_client_issue(); ERR_LIMIT.
struct crl_order {
    struct view issuer;
    uint64_t number; // cRLNumber
    const struct crl_entry *entries;
    size_t count;
};
enum err_code ca_client_sign_crl(struct ca_client *client, const struct crl_order *order,
                                 struct buf *ret_crl, struct err *err) MUST_CHECK;

// Has the answer to GetNextCACert made and signed by the present CA (RFC 8894, 4.7.1). `next_ra` is
// the DER of the next RA's certificate, which the next CA must have issued; empty = none (direct).
// Errors: as ca_client_issue(); ERR_NOT_FOUND when the CA has no next one.
enum err_code ca_client_sign_next_ca(struct ca_client *client, struct view next_ra,
                                     struct buf *ret_answer, struct err *err) MUST_CHECK;

// Topology direct: the CA's own key opens an EnvelopedData (DER), and makes a CertRep. Errors: as
// unwrap_envelope() and certrep_encode(); ERR_DENIED when the CA is not set up for it; ERR_BUSY,
// also above the rate that ca.direct_per_sec allows.
enum err_code ca_client_unwrap(struct ca_client *client, struct view envelope,
                               struct buf *ret_content, struct err *err) MUST_CHECK;
enum err_code ca_client_seal(struct ca_client *client, const struct certrep *certrep,
                             struct buf *ret_der, struct err *err) MUST_CHECK;

// Has the CA read its settings and keys again; whatever is wrong with them leaves the old ones in
// place. Errors: what the CA found, in its words (ERR_CONFIG and so on); ERR_BUSY, ERR_PROTOCOL.
enum err_code ca_client_reload(struct ca_client *client, struct err *err) MUST_CHECK;

// Asks whether the CA answers, and which CAs it holds (`ret_state` may be NULL). Errors: ERR_BUSY,
// ERR_PROTOCOL.
enum err_code ca_client_ping(struct ca_client *client, struct ca_state *ret_state,
                             struct err *err) MUST_CHECK;
