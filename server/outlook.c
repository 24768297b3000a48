// SPDX-License-Identifier: Apache-2.0
#include "server/outlook.h"

#include "conf/limits.h"

const char *outlook_state_name(enum outlook_state state)
{
    static const char *const names[OUTLOOK_STATE_MAX] = {
        [OUTLOOK_OK] = "ok",           [OUTLOOK_DUE] = "due",         [OUTLOOK_LATE] = "late",
        [OUTLOOK_EXPIRED] = "expired", [OUTLOOK_REVOKED] = "revoked",
    };
    return (unsigned)state < OUTLOOK_STATE_MAX ? names[state] : "?";
}

const char *outlook_trouble_text(enum outlook_trouble trouble)
{
    switch (trouble) {
    case OUTLOOK_MIC_EXPIRED:
        return "its manufacturer's certificate is over, and no trust store accepts expired ones";
    case OUTLOOK_NOT_LISTED:
        return "it is not on the device list";
    case OUTLOOK_LISTED_OTHER:
        return "the device list has another MAC, serial number or model for it";
    case OUTLOOK_WAS_REVOKED:
        return "its certificate was revoked";
    case OUTLOOK_CA_ENDS:
        return "the CA ends too early for another certificate";
    case OUTLOOK_TROUBLE_MAX:
        break;
    }
    return "?";
}

static enum outlook_state state_of(const struct outlook_facts *facts)
{
    int64_t left_sec = facts->certificate->not_after - facts->now;
    if (facts->certificate->status == CERTIFICATE_REVOKED) {
        return OUTLOOK_REVOKED;
    }
    if (left_sec <= 0) {
        return OUTLOOK_EXPIRED;
    }
    bool renews = facts->certificate->kind == CERTIFICATE_OF_PHONE;
    if (renews && left_sec < (int64_t)OUTLOOK_LATE_DAYS * DAY_SEC) {
        return OUTLOOK_LATE;
    }
    return left_sec < facts->within_sec ? OUTLOOK_DUE : OUTLOOK_OK;
}

static unsigned troubles_of(const struct outlook_facts *facts, int64_t renews_at)
{
    const struct store_certificate *certificate = facts->certificate;
    bool is_from_mic = certificate->origin == ORIGIN_MIC;
    unsigned troubles = 0;
    if (is_from_mic && certificate->mic_not_after <= renews_at && !facts->accepts_expired_mic) {
        troubles |= OUTLOOK_MIC_EXPIRED;
    }
    if (is_from_mic && facts->asks_list && !facts->is_listed) {
        troubles |= facts->is_listed_otherwise ? OUTLOOK_LISTED_OTHER : OUTLOOK_NOT_LISTED;
    }
    if (certificate->status == CERTIFICATE_REVOKED && !is_from_mic) {
        troubles |= OUTLOOK_WAS_REVOKED;
    }
    if (facts->ca_not_after - renews_at <= (int64_t)PHONE_RENEWS_BEFORE_DAYS * DAY_SEC) {
        troubles |= OUTLOOK_CA_ENDS;
    }
    return troubles;
}

struct outlook outlook_of(const struct outlook_facts *facts)
{
    if (facts->certificate->kind == CERTIFICATE_OF_SERVER) {
        return (struct outlook){.state = state_of(facts)};
    }
    int64_t begins = facts->certificate->not_after - (int64_t)PHONE_RENEWS_BEFORE_DAYS * DAY_SEC;
    struct outlook outlook = {
        .state = state_of(facts),
        .renews_at = begins > facts->now ? begins : facts->now,
    };
    outlook.troubles = troubles_of(facts, outlook.renews_at);
    return outlook;
}
