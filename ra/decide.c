// SPDX-License-Identifier: Apache-2.0
// Read from the bottom: decide() goes by messageType, then by who signed. The table in
// tests/unit/ra/test_decide.c is this file in other words.
#include "ra/decide.h"

#include <stdio.h>

const char *signer_class_name(enum signer_class signer_class)
{
    static const char *const names[SIGNER_CLASS_MAX] = {
        [SIGNER_UNKNOWN] = "unknown",
        [SIGNER_SELF_SIGNED] = "self-signed",
        [SIGNER_OURS] = "ours",
        [SIGNER_MIC] = "mic",
    };
    return (unsigned)signer_class < SIGNER_CLASS_MAX ? names[signer_class] : "?";
}

const char *signer_state_name(enum signer_state state)
{
    static const char *const names[SIGNER_STATE_MAX] = {
        [SIGNER_GOOD] = "good",
        [SIGNER_EXPIRED] = "expired",
        [SIGNER_NOT_YET_VALID] = "not yet valid",
        [SIGNER_REVOKED] = "revoked",
        [SIGNER_NOT_ACCEPTED] = "not accepted",
        [SIGNER_GENERIC] = "generic",
    };
    return (unsigned)state < SIGNER_STATE_MAX ? names[state] : "?";
}

static struct verdict refuse(enum err_code refusal, enum refusal why, const char *reason)
{
    struct verdict verdict = {.action = ACTION_REFUSE, .refusal = refusal, .why = why};
    snprintf(verdict.reason, sizeof verdict.reason, "%s", reason);
    return verdict;
}

static struct verdict refuse_uniformly(enum refusal why, const char *reason)
{
    struct verdict verdict = refuse(ERR_BAD_REQUEST, why, reason);
    verdict.is_uniform = true;
    return verdict;
}

static struct verdict allow(enum action action, const char *reason)
{
    struct verdict verdict = {.action = action, .refusal = ERR_OK};
    snprintf(verdict.reason, sizeof verdict.reason, "%s", reason);
    return verdict;
}

static struct verdict issue(enum authority_kind authority, const char *reason)
{
    struct verdict verdict = allow(ACTION_ISSUE, reason);
    verdict.authority = authority;
    return verdict;
}

static bool is_challenge_right(const struct facts *facts)
{
    return facts->challenge == CHALLENGE_STATIC || facts->challenge == CHALLENGE_ONE_TIME;
}

// For a challenge that is not right.
static struct verdict refuse_challenge(enum challenge_state state)
{
    switch (state) {
    case CHALLENGE_ABSENT:
        return refuse_uniformly(REFUSAL_NO_CHALLENGE,
                                "no challenge password, and nothing else authorises the request");
    case CHALLENGE_EXPIRED:
        return refuse_uniformly(REFUSAL_EXPIRED_CHALLENGE, "the challenge password has expired");
    case CHALLENGE_USED_UP:
        return refuse_uniformly(REFUSAL_USED_CHALLENGE, "the challenge password is used up");
    case CHALLENGE_REVOKED:
        return refuse_uniformly(REFUSAL_REVOKED_CHALLENGE, "the challenge password was revoked");
    case CHALLENGE_FOREIGN:
        return refuse_uniformly(REFUSAL_FOREIGN_CHALLENGE,
                                "the challenge password is bound to another CN or MAC");
    default:
        return refuse_uniformly(REFUSAL_WRONG_CHALLENGE, "wrong challenge password");
    }
}

static struct verdict refuse_unopened(const struct facts *facts)
{
    return refuse_uniformly(facts->is_decrypted ? REFUSAL_BAD_CSR : REFUSAL_UNDECRYPTABLE,
                            facts->opening.text);
}

// What an administrator's approval, too, cannot allow. NULL = nothing.
static const char *request_fault(const struct facts *facts)
{
    if (facts->past == PAST_FOREIGN_KEY) {
        return "public key already certified for another subject";
    }
    return facts->names.code != ERR_OK ? facts->names.text : NULL;
}

// The word for it.
static enum refusal request_refusal(const struct facts *facts)
{
    return facts->past == PAST_FOREIGN_KEY ? REFUSAL_KEY_REUSED : REFUSAL_BAD_NAMES;
}

static struct verdict decide_authorised(const struct facts *facts, enum authority_kind authority,
                                        const char *reason)
{
    const char *fault = request_fault(facts);
    return fault != NULL ? refuse(ERR_BAD_REQUEST, request_refusal(facts), fault)
                         : issue(authority, reason);
}

static struct verdict decide_challenged(const struct facts *facts)
{
    if (facts->past == PAST_OTHER_REQUEST) {
        return refuse(ERR_BAD_REQUEST, REFUSAL_TRANSACTION_REUSED,
                      "transactionID already used for another request");
    }
    if (facts->past == PAST_DUPLICATE) {
        return refuse(ERR_BAD_REQUEST, REFUSAL_DUPLICATE_SUBJECT,
                      "subject already has a valid certificate");
    }
    return decide_authorised(facts, AUTHORITY_CHALLENGE,
                             facts->challenge == CHALLENGE_STATIC ? "static challenge"
                                                                  : "one-time challenge");
}

// Until an administrator looks at it, nobody has authorised it: so it is refused like a wrong
// challenge when it could not be approved, either.
static struct verdict queue(const struct facts *facts, const char *reason)
{
    if (facts->challenge != CHALLENGE_ABSENT) {
        return refuse(
            ERR_BAD_REQUEST, REFUSAL_USELESS_CHALLENGE,
            "a request that has to wait for approval must not carry a challenge password");
    }
    const char *fault = request_fault(facts);
    return fault != NULL ? refuse_uniformly(request_refusal(facts), fault)
                         : allow(ACTION_QUEUE, reason);
}

static bool is_repeat(const struct facts *facts)
{
    return facts->past == PAST_SAME_REQUEST || facts->past == PAST_SAME_KEY;
}

static struct verdict replay(const struct facts *facts)
{
    return allow(ACTION_REPLAY, facts->past == PAST_SAME_REQUEST
                                    ? "repeat of an answered request"
                                    : "repeat of an answered request under a new transactionID");
}

static struct verdict decide_pending(const struct facts *facts)
{
    return facts->past == PAST_PENDING
               ? allow(ACTION_PENDING, "waits for an administrator's approval")
               : refuse(ERR_BAD_REQUEST, REFUSAL_TRANSACTION_REUSED,
                        "another request waits under this transactionID");
}

static bool is_pending(const struct facts *facts)
{
    return facts->past == PAST_PENDING || facts->past == PAST_PENDING_OTHER;
}

static struct verdict decide_approved(const struct facts *facts)
{
    return decide_authorised(facts, AUTHORITY_APPROVAL, "approved by an administrator");
}

// Everything up to the challenge is answered in one and the same way, because whoever can tell the
// cases apart can use the server to open a captured envelope.
static struct verdict decide_initial(const struct facts *facts)
{
    if (facts->opening.code != ERR_OK) {
        return refuse_unopened(facts);
    }
    if (!facts->is_signer_key) {
        return refuse_uniformly(REFUSAL_BAD_CSR, "the signer's key is not the key in the PKCS#10");
    }
    if (facts->proof.code != ERR_OK) {
        return refuse_uniformly(REFUSAL_BAD_CSR, facts->proof.text);
    }
    if (is_repeat(facts)) {
        return replay(facts);
    }
    if (facts->past == PAST_APPROVED) {
        return decide_approved(facts);
    }
    if (is_pending(facts)) {
        return decide_pending(facts);
    }
    if (is_challenge_right(facts)) {
        return decide_challenged(facts);
    }
    if (facts->challenge == CHALLENGE_ABSENT && facts->queues_unauthenticated) {
        return queue(facts, "no challenge password: waits for an administrator's approval");
    }
    return refuse_challenge(facts->challenge);
}

static struct verdict decide_unlisted(const struct facts *facts)
{
    if (facts->queues_unlisted) {
        return queue(facts, "not on the device list: waits for an administrator's approval");
    }
    return refuse(ERR_BAD_REQUEST, REFUSAL_NOT_LISTED, "device is not on the device list");
}

static struct verdict decide_renewal_time(const struct facts *facts)
{
    const char *fault = request_fault(facts);
    if (fault != NULL) {
        return refuse(ERR_BAD_REQUEST, request_refusal(facts), fault);
    }
    switch (facts->renewal) {
    case RENEWAL_DUE:
        return issue(AUTHORITY_RENEWAL, "renewal");
    case RENEWAL_EARLY_SAME_KEY:
        return allow(ACTION_PRESENT, "too early for a renewal: the present certificate again");
    default:
        return refuse(ERR_BAD_REQUEST, REFUSAL_RENEWAL_TOO_EARLY,
                      "too early for a renewal with a new key");
    }
}

static struct verdict decide_genuine(const struct facts *facts)
{
    return decide_authorised(facts, AUTHORITY_MIC, "manufacturer's certificate");
}

// A phone whose parameters have changed may renew early, with a challenge like a new one.
static bool needs_challenge(const struct facts *facts)
{
    return facts->signer_class == SIGNER_OURS &&
           (facts->device == DEVICE_UNLISTED || facts->renewal != RENEWAL_DUE);
}

// OURS and MIC when the request turned out to be the signer's own.
static struct verdict decide_proven(const struct facts *facts)
{
    if (is_challenge_right(facts) && needs_challenge(facts)) {
        return decide_challenged(facts);
    }
    if (facts->is_challenge_strict && facts->challenge != CHALLENGE_ABSENT &&
        !is_challenge_right(facts)) {
        return refuse_challenge(facts->challenge);
    }
    if (facts->device == DEVICE_UNLISTED) {
        return decide_unlisted(facts);
    }
    return facts->signer_class == SIGNER_OURS ? decide_renewal_time(facts) : decide_genuine(facts);
}

// Whoever has a certificate can put another's envelope under his own signature, so here, too, all
// answers are alike until the request turns out to be the signer's own.
static struct verdict decide_by_certificate(const struct facts *facts)
{
    if (facts->opening.code != ERR_OK) {
        return refuse_unopened(facts);
    }
    if (facts->proof.code != ERR_OK) {
        return refuse_uniformly(REFUSAL_BAD_CSR, facts->proof.text);
    }
    if (!facts->is_same_identity) {
        bool is_own_challenge = facts->signer_class == SIGNER_OURS && facts->is_signer_key &&
                                is_challenge_right(facts) && facts->past == PAST_NONE;
        return is_own_challenge
                   ? decide_challenged(facts)
                   : refuse_uniformly(REFUSAL_OTHER_NAME,
                                      "the names asked for are not those of the signer");
    }
    if (is_repeat(facts)) {
        return replay(facts);
    }
    if (facts->past == PAST_APPROVED) {
        return decide_approved(facts);
    }
    return is_pending(facts) ? decide_pending(facts) : decide_proven(facts);
}

static struct verdict decide_bad_signer(const struct facts *facts)
{
    bool is_mic = facts->signer_class == SIGNER_MIC;
    switch (facts->signer_state) {
    case SIGNER_EXPIRED:
        return refuse(ERR_BAD_TIME, is_mic ? REFUSAL_MIC_EXPIRED : REFUSAL_CERTIFICATE_EXPIRED,
                      "signer certificate has expired");
    case SIGNER_NOT_YET_VALID:
        return refuse(ERR_BAD_TIME,
                      is_mic ? REFUSAL_MIC_NOT_YET_VALID : REFUSAL_CERTIFICATE_NOT_YET_VALID,
                      "signer certificate is not valid yet");
    case SIGNER_REVOKED:
        return refuse(ERR_BAD_REQUEST, REFUSAL_CERTIFICATE_REVOKED,
                      "signer certificate was revoked");
    case SIGNER_GENERIC:
        return refuse(ERR_BAD_REQUEST, REFUSAL_MIC_GENERIC,
                      "generic manufacturer's certificate names no device");
    default:
        return refuse(ERR_BAD_REQUEST, REFUSAL_MIC_NOT_ACCEPTED,
                      "manufacturer's certificate is not accepted here");
    }
}

static bool is_certified(const struct facts *facts)
{
    return facts->signer_class == SIGNER_OURS || facts->signer_class == SIGNER_MIC;
}

// PKCSReq and RenewalReq: by who signed, not by which of the two it is.
static struct verdict decide_enrolment(const struct facts *facts)
{
    if (is_certified(facts)) {
        return facts->signer_state == SIGNER_GOOD ? decide_by_certificate(facts)
                                                  : decide_bad_signer(facts);
    }
    if (facts->signer_class != SIGNER_SELF_SIGNED) {
        return refuse(ERR_BAD_REQUEST, REFUSAL_UNKNOWN_SIGNER,
                      "signer certificate is not self-signed, and of no CA that is trusted here");
    }
    if (facts->type == MESSAGE_RENEWAL_REQ) {
        return refuse(ERR_BAD_REQUEST, REFUSAL_RENEWAL_SELF_SIGNED,
                      "RenewalReq with a self-signed signer certificate");
    }
    return decide_initial(facts);
}

// The request was looked at when it came; who signs the poll is looked at again now, because a
// certificate may have been revoked, or a trust store closed, while it waited.
static struct verdict decide_waiting_poll(const struct facts *facts)
{
    if (is_certified(facts) && facts->signer_state != SIGNER_GOOD) {
        return decide_bad_signer(facts);
    }
    if (facts->signer_class == SIGNER_UNKNOWN) {
        return refuse(ERR_BAD_REQUEST, REFUSAL_UNKNOWN_SIGNER,
                      "signer certificate is not trusted any more");
    }
    if (facts->past == PAST_PENDING) {
        return decide_pending(facts);
    }
    return is_certified(facts) ? decide_by_certificate(facts) : decide_initial(facts);
}

static struct verdict decide_cert_poll(const struct facts *facts)
{
    switch (facts->past) {
    case PAST_SAME_REQUEST:
        return allow(ACTION_REPLAY, "poll after success");
    case PAST_PENDING:
    case PAST_APPROVED:
        return decide_waiting_poll(facts);
    case PAST_DENIED:
        return refuse(ERR_BAD_REQUEST, REFUSAL_DENIED, "denied by an administrator");
    default:
        return refuse(ERR_BAD_CERT_ID, REFUSAL_UNKNOWN_TRANSACTION,
                      "no such transaction of this key");
    }
}

// What GetCert is refused for without looking into it; NULL = nothing.
static const char *get_cert_fault(const struct facts *facts)
{
    if (!facts->serves_get_cert) {
        return "GetCert is not served";
    }
    bool is_client = facts->signer_class == SIGNER_OURS || facts->is_known_key;
    return is_client ? NULL : "GetCert is only for clients that have a certificate";
}

static const char *get_crl_fault(const struct facts *facts)
{
    if (!facts->serves_get_crl) {
        return "GetCRL is not served";
    }
    return facts->signer_class == SIGNER_UNKNOWN ? "signer certificate is not trusted" : NULL;
}

// The word for what a GetCert or GetCRL is refused for.
static enum refusal fetch_refusal(const struct facts *facts)
{
    bool is_cert = facts->type == MESSAGE_GET_CERT;
    if (is_cert ? !facts->serves_get_cert : !facts->serves_get_crl) {
        return REFUSAL_NOT_SERVED;
    }
    return is_cert ? REFUSAL_NOT_A_CLIENT : REFUSAL_UNKNOWN_SIGNER;
}

static struct verdict decide_fetch(const struct facts *facts, const char *fault, enum action action)
{
    if (fault != NULL) {
        return refuse(ERR_BAD_REQUEST, fetch_refusal(facts), fault);
    }
    if (facts->opening.code != ERR_OK) {
        return refuse_uniformly(facts->is_decrypted ? REFUSAL_MALFORMED : REFUSAL_UNDECRYPTABLE,
                                facts->opening.text);
    }
    return facts->is_found
               ? allow(action, action == ACTION_CRL ? "CRL" : "certificate")
               : refuse(ERR_BAD_CERT_ID, REFUSAL_NOT_FOUND, "what is asked for is not there");
}

bool decide_needs_envelope(const struct facts *facts)
{
    switch (facts->type) {
    case MESSAGE_PKCS_REQ:
    case MESSAGE_RENEWAL_REQ:
        if (is_certified(facts)) {
            return facts->signer_state == SIGNER_GOOD;
        }
        return facts->signer_class == SIGNER_SELF_SIGNED && facts->type == MESSAGE_PKCS_REQ;
    case MESSAGE_GET_CERT:
        return get_cert_fault(facts) == NULL;
    case MESSAGE_GET_CRL:
        return get_crl_fault(facts) == NULL;
    default:
        return false;
    }
}

struct verdict decide(const struct facts *facts)
{
    switch (facts->type) {
    case MESSAGE_PKCS_REQ:
    case MESSAGE_RENEWAL_REQ:
        return decide_enrolment(facts);
    case MESSAGE_CERT_POLL:
        return decide_cert_poll(facts);
    case MESSAGE_GET_CERT:
        return decide_fetch(facts, get_cert_fault(facts), ACTION_CERT);
    case MESSAGE_GET_CRL:
        return decide_fetch(facts, get_crl_fault(facts), ACTION_CRL);
    case MESSAGE_UPDATE_REQ:
        return refuse(ERR_BAD_REQUEST, REFUSAL_NOT_SERVED, "messageType is not served");
    case MESSAGE_CERT_REP:
    case MESSAGE_UNKNOWN:
        break;
    }
    return refuse(ERR_BAD_REQUEST, REFUSAL_MALFORMED, "messageType is not a request");
}
