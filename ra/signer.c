// SPDX-License-Identifier: Apache-2.0
#include "ra/signer.h"

#include <string.h>

// Our serial numbers have exactly SERIAL_LEN octets; whatever has not is not ours.
static bool read_serial(const X509 *cert, uint8_t serial[SERIAL_LEN])
{
    struct view octets = ossl_string_view(X509_get0_serialNumber(cert));
    if (octets.len != SERIAL_LEN) {
        return false;
    }
    memcpy(serial, octets.data, SERIAL_LEN);
    return true;
}

// Servers' certificates are ours, too, but sign no requests: a phone's has clientAuth, and so may
// count as a phone's whatever names no purpose.
static bool is_for_clients(X509 *cert)
{
    return (X509_get_extended_key_usage(cert) & XKU_SSL_CLIENT) != 0;
}

static enum err_code find_stored(X509 *cert, struct store *store,
                                 struct store_certificate *ret_stored, bool *ret_is_stored,
                                 struct err *err)
{
    uint8_t serial[SERIAL_LEN];
    *ret_is_stored = false;
    if (!read_serial(cert, serial) || !is_for_clients(cert)) {
        return ERR_OK;
    }
    struct store_certificate stored = {0};
    enum err_code code = store_find_serial(store, serial, &stored, err);
    if (code != ERR_OK) {
        return code == ERR_NOT_FOUND ? ERR_OK : code;
    }
    struct buf der = {0};
    code = ossl_cert_to_der(cert, &der, err);
    *ret_is_stored = code == ERR_OK && view_equal(buf_view(&der), buf_view(&stored.der));
    buf_done(&der);
    if (*ret_is_stored) {
        *ret_stored = stored;
    } else {
        store_certificate_done(&stored);
    }
    return code;
}

static enum signer_state judge_ours(const struct store_certificate *certificate,
                                    uint32_t grace_days, int64_t now)
{
    if (certificate->status == CERTIFICATE_REVOKED) {
        return SIGNER_REVOKED;
    }
    if (now > certificate->not_after + (int64_t)grace_days * DAY_SEC) {
        return SIGNER_EXPIRED;
    }
    return now < certificate->not_before ? SIGNER_NOT_YET_VALID : SIGNER_GOOD;
}

static enum signer_state judge_mic(enum trust_state state)
{
    switch (state) {
    case TRUST_GOOD:
        return SIGNER_GOOD;
    case TRUST_EXPIRED:
        return SIGNER_EXPIRED;
    case TRUST_NOT_YET:
        return SIGNER_NOT_YET_VALID;
    case TRUST_GENERIC:
        return SIGNER_GENERIC;
    default:
        return SIGNER_NOT_ACCEPTED;
    }
}

static enum err_code classify_foreign(const struct request *request, const struct policy *policy,
                                      int64_t now, struct signer *signer, struct err *err)
{
    const X509 *cert = request->signer;
    if (ossl_is_self_issued(cert)) {
        signer->signer_class = SIGNER_SELF_SIGNED;
        return ERR_OK;
    }
    enum err_code code =
        trust_judge(policy->trust, request->signer, request->certs, now, &signer->mic, err);
    if (code == ERR_OK && signer->mic.state != TRUST_NONE) {
        signer->signer_class = SIGNER_MIC;
        signer->state = judge_mic(signer->mic.state);
    }
    return code;
}

enum err_code signer_classify(const struct request *request, const struct policy *policy,
                              struct store *store, int64_t now, struct signer *ret_signer,
                              struct err *err)
{
    bool is_ours = false;
    *ret_signer = (struct signer){.signer_class = SIGNER_UNKNOWN, .state = SIGNER_GOOD};
    enum err_code code =
        find_stored(request->signer, store, &ret_signer->certificate, &is_ours, err);
    if (code != ERR_OK) {
        return code;
    }
    if (!is_ours) {
        return classify_foreign(request, policy, now, ret_signer, err);
    }
    ret_signer->signer_class = SIGNER_OURS;
    ret_signer->state =
        judge_ours(&ret_signer->certificate, policy->settings->renewal.grace_days, now);
    return ERR_OK;
}

void signer_done(struct signer *signer)
{
    store_certificate_done(&signer->certificate);
    *signer = (struct signer){0};
}

struct signer_device signer_device(const struct signer *signer)
{
    const struct store_certificate *ours = &signer->certificate;
    const struct identity *mic = &signer->mic.identity;
    switch (signer->signer_class) {
    case SIGNER_OURS:
        return (struct signer_device){
            .name = ours->common_name,
            .mac = ours->mac,
            .model = ours->model,
            .serial_number = ours->serial_number,
            .mic_not_after = ours->mic_not_after,
        };
    case SIGNER_MIC:
        return (struct signer_device){
            .name = mic->device_name,
            .mac = mic->mac,
            .model = mic->model,
            .serial_number = mic->serial_number,
            .mic_not_after = signer->mic.not_after,
        };
    default:
        return (struct signer_device){.name = "", .mac = "", .model = "", .serial_number = ""};
    }
}
