// SPDX-License-Identifier: Apache-2.0
#include "ra/decide.h"

#include <stdio.h>

const char *signer_class_name(enum signer_class signer_class)
{
    static const char *const names[SIGNER_CLASS_MAX] = {
        [SIGNER_UNKNOWN] = "unknown",
        [SIGNER_SELF_SIGNED] = "self-signed",
        [SIGNER_OURS] = "ours",
    };
    return (unsigned)signer_class < SIGNER_CLASS_MAX ? names[signer_class] : "?";
}

static struct verdict refuse(enum err_code refusal, const char *reason)
{
    struct verdict verdict = {.action = ACTION_REFUSE, .refusal = refusal};
    snprintf(verdict.reason, sizeof verdict.reason, "%s", reason);
    return verdict;
}

static struct verdict refuse_uniformly(const char *reason)
{
    struct verdict verdict = refuse(ERR_BAD_REQUEST, reason);
    verdict.is_uniform = true;
    return verdict;
}

static struct verdict allow(enum action action, const char *reason)
{
    struct verdict verdict = {.action = action, .refusal = ERR_OK};
    snprintf(verdict.reason, sizeof verdict.reason, "%s", reason);
    return verdict;
}

static const char *challenge_fault(enum challenge_state state)
{
    switch (state) {
    case CHALLENGE_STATIC:
    case CHALLENGE_ONE_TIME:
        return NULL;
    case CHALLENGE_ABSENT:
        return "no challenge password, and nothing else authorises the request";
    case CHALLENGE_EXPIRED:
        return "the challenge password has expired";
    case CHALLENGE_USED_UP:
        return "the challenge password is used up";
    case CHALLENGE_REVOKED:
        return "the challenge password was revoked";
    case CHALLENGE_FOREIGN:
        return "the challenge password is bound to another CN or MAC";
    case CHALLENGE_WRONG:
        break;
    }
    return "wrong challenge password";
}

// Everything up to the challenge is answered in one and the same way, because whoever can tell the
// cases apart can use the server to open a captured envelope.
static struct verdict decide_authorised(const struct facts *facts)
{
    switch (facts->past) {
    case PAST_OTHER_REQUEST:
        return refuse(ERR_BAD_REQUEST, "transactionID already used for another request");
    case PAST_FOREIGN_KEY:
        return refuse(ERR_BAD_REQUEST, "public key already certified for another subject");
    case PAST_DUPLICATE:
        return refuse(ERR_BAD_REQUEST, "subject already has a valid certificate");
    default:
        break;
    }
    if (facts->names.code != ERR_OK) {
        return refuse(ERR_BAD_REQUEST, facts->names.text);
    }
    return allow(ACTION_ISSUE,
                 facts->challenge == CHALLENGE_STATIC ? "static challenge" : "one-time challenge");
}

static struct verdict decide_pkcs_req(const struct facts *facts)
{
    if (facts->opening.code != ERR_OK) {
        return refuse_uniformly(facts->opening.text);
    }
    if (!facts->is_signer_key) {
        return refuse_uniformly("the signer's key is not the key in the PKCS#10");
    }
    if (facts->proof.code != ERR_OK) {
        return refuse_uniformly(facts->proof.text);
    }
    if (facts->past == PAST_SAME_REQUEST) {
        return allow(ACTION_REPLAY, "repeat of an answered request");
    }
    if (facts->past == PAST_SAME_KEY) {
        return allow(ACTION_REPLAY, "repeat of an answered request under a new transactionID");
    }
    const char *fault = challenge_fault(facts->challenge);
    return fault != NULL ? refuse_uniformly(fault) : decide_authorised(facts);
}

static struct verdict decide_cert_poll(const struct facts *facts)
{
    if (facts->past == PAST_SAME_REQUEST) {
        return allow(ACTION_REPLAY, "poll after success");
    }
    return refuse(ERR_BAD_CERT_ID, "no such transaction of this key");
}

bool decide_needs_envelope(enum message_type type, enum signer_class signer_class)
{
    return type == MESSAGE_PKCS_REQ && signer_class == SIGNER_SELF_SIGNED;
}

struct verdict decide(const struct facts *facts)
{
    switch (facts->type) {
    case MESSAGE_PKCS_REQ:
        if (facts->signer_class != SIGNER_SELF_SIGNED) {
            return refuse(ERR_BAD_REQUEST, "signer certificate is not self-signed");
        }
        return decide_pkcs_req(facts);
    case MESSAGE_CERT_POLL:
        return decide_cert_poll(facts);
    case MESSAGE_RENEWAL_REQ:
    case MESSAGE_UPDATE_REQ:
    case MESSAGE_GET_CERT:
    case MESSAGE_GET_CRL:
        return refuse(ERR_BAD_REQUEST, "messageType is not served");
    case MESSAGE_CERT_REP:
    case MESSAGE_UNKNOWN:
        break;
    }
    return refuse(ERR_BAD_REQUEST, "messageType is not a request");
}
