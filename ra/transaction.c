// SPDX-License-Identifier: Apache-2.0
#include "ra/transaction.h"

#include <string.h>

#include "ra/certificate.h"

// A record that is moved on between two look-ups is found in its new state by looking again.
#define LOOKS_MAX 3

void transaction_key(const struct request *request, uint8_t ret_key[SHA256_LEN])
{
    static const uint8_t separator = 0;
    const struct view parts[] = {
        request_transaction_id(request),
        view_of(&separator, sizeof separator),
        buf_view(&request->signer_spki),
    };
    ossl_sha256(parts, sizeof parts / sizeof parts[0], ret_key);
}

void transaction_past_done(struct transaction_past *past)
{
    store_certificate_done(&past->certificate);
    store_pending_done(&past->pending);
    *past = (struct transaction_past){0};
}

bool transaction_is_replayable(const struct store_certificate *certificate, int64_t now)
{
    int64_t half = (certificate->not_after - certificate->not_before) / 2;
    return certificate->status == CERTIFICATE_VALID && now < certificate->not_before + half;
}

static bool is_none(enum err_code code)
{
    return code == ERR_NOT_FOUND;
}

// The transaction's certificate.
static enum err_code find_issued(struct store *store, const struct store_transaction *record,
                                 struct transaction_past *past, struct err *err)
{
    enum err_code code = store_find_serial(store, record->serial, &past->certificate, err);
    if (code == ERR_OK) {
        past->has_record = true;
        memcpy(past->recorded_serial, record->serial, SERIAL_LEN);
    }
    return is_none(code) ? err_set(err, ERR_IO, "a transaction names a certificate that is missing")
                         : code;
}

// The transaction's record and what it is about; TRANSACTION_NONE when there is none.
static enum err_code find_recorded(struct store *store, const uint8_t key[SHA256_LEN],
                                   struct store_transaction *ret_record,
                                   struct transaction_past *past, struct err *err)
{
    for (unsigned looks = 0; looks < LOOKS_MAX; looks++) {
        struct store_transaction record = {0};
        enum err_code code = store_find_transaction(store, key, &record, err);
        if (code != ERR_OK) {
            return is_none(code) ? ERR_OK : code;
        }
        if (record.state == TRANSACTION_ISSUED) {
            code = find_issued(store, &record, past, err);
        } else if (record.state == TRANSACTION_PENDING) {
            code = store_find_pending(store, key, &past->pending, err);
        }
        if (!is_none(code)) {
            *ret_record = record;
            return code;
        }
    }
    return err_set(err, ERR_IO, "a transaction names a request that is missing");
}

// One that has expired is forgotten, even before it is swept away.
static bool is_waiting(const struct store_pending *pending, int64_t now)
{
    return now < pending->expires_at;
}

static enum past waiting_as(const struct store_pending *pending)
{
    return pending->is_approved ? PAST_APPROVED : PAST_PENDING;
}

// The key alone is not who asked: the same key in another kind of certificate has proven less, or
// something else, than what an administrator looked at.
static bool is_asker(const struct store_pending *pending, enum signer_class signer_class)
{
    return pending->signer_class == (uint8_t)signer_class || signer_class == SIGNER_UNKNOWN;
}

enum err_code transaction_find(struct store *store, const struct transaction_poll *poll,
                               struct transaction_past *ret_past, struct err *err)
{
    struct store_transaction record = {0};
    ret_past->past = PAST_NONE;
    enum err_code code = find_recorded(store, poll->key, &record, ret_past, err);
    if (code != ERR_OK) {
        return code;
    }
    const struct store_pending *pending = &ret_past->pending;
    switch (record.state) {
    case TRANSACTION_ISSUED:
        if (transaction_is_replayable(&ret_past->certificate, poll->now)) {
            ret_past->past = PAST_SAME_REQUEST;
        }
        break;
    case TRANSACTION_PENDING:
        if (is_waiting(pending, poll->now) && is_asker(pending, poll->signer_class)) {
            ret_past->past = waiting_as(pending);
        }
        break;
    case TRANSACTION_DENIED:
        ret_past->past = PAST_DENIED;
        break;
    case TRANSACTION_NONE:
        break;
    }
    return ERR_OK;
}

// A PKCS#10 without a CN gets one from its challenge or its signer. The key of a self-signed one
// without a subject is the signer's own, so its subject cannot be another's.
static bool is_same_subject(const struct store_certificate *stored,
                            const struct transaction_query *query)
{
    if (query->names->is_subject_empty && query->signer_class == SIGNER_SELF_SIGNED) {
        return true;
    }
    if (query->names->common_name == NULL && query->common_name[0] != '\0') {
        return strcmp(stored->common_name, query->common_name) == 0;
    }
    CLEANUP(cleanup_certificate_free) struct certificate *cert = NULL;
    if (certificate_parse(buf_view(&stored->der), &cert, NULL) != ERR_OK) {
        return false;
    }
    return X509_NAME_cmp(certificate_subject(cert), csr_subject(query->pkcs10->csr)) == 0;
}

static const char *mac_of(const struct transaction_query *query)
{
    return query->mac[0] != '\0' ? query->mac : query->names->mac;
}

static bool is_same_device(const struct store_certificate *stored,
                           const struct transaction_query *query)
{
    const char *mac = mac_of(query);
    return mac[0] != '\0' && strcmp(stored->mac, mac) == 0;
}

static bool is_same_challenge(const struct store_certificate *stored,
                              const struct transaction_query *query)
{
    static const uint8_t none[SHA256_LEN];
    return memcmp(query->challenge_hash, none, SHA256_LEN) != 0 &&
           memcmp(query->challenge_hash, stored->challenge_hash, SHA256_LEN) == 0;
}

static bool is_renewed_from_signer(const struct store_certificate *stored,
                                   const struct transaction_query *query)
{
    return memcmp(stored->renews, query->signer_serial, SERIAL_LEN) == 0;
}

static enum past judge_key(const struct store_certificate *stored,
                           const struct transaction_query *query)
{
    if (is_same_subject(stored, query)) {
        bool is_same_proof = query->signer_class == SIGNER_OURS
                                 ? is_renewed_from_signer(stored, query)
                                 : is_same_challenge(stored, query);
        bool is_repeat = is_same_proof && transaction_is_replayable(stored, query->now);
        return is_repeat ? PAST_SAME_KEY : PAST_NONE;
    }
    return is_same_device(stored, query) ? PAST_NONE : PAST_FOREIGN_KEY;
}

static enum err_code find_by_key(struct store *store, const struct transaction_query *query,
                                 struct transaction_past *past, struct err *err)
{
    struct store_certificate stored = {0};
    past->past = PAST_NONE;
    enum err_code code = store_find_key(store, query->pkcs10->spki_hash, &stored, err);
    if (code != ERR_OK) {
        return is_none(code) ? ERR_OK : code;
    }
    past->has_key_record = true;
    memcpy(past->key_serial, stored.serial, SERIAL_LEN);
    past->past = judge_key(&stored, query);
    if (past->past == PAST_SAME_KEY) {
        store_certificate_done(&past->certificate);
        past->certificate = stored;
    } else {
        store_certificate_done(&stored);
    }
    return ERR_OK;
}

// What the store calls the device that would get the certificate; "" = not known.
static const char *device_of(const struct transaction_query *query, char mac[MAC_TEXT_LEN])
{
    const char *common_name = query->names->common_name;
    if (common_name == NULL) {
        common_name = query->common_name;
    }
    return names_find_mac(view_of_text(common_name), mac) ? mac : common_name;
}

static enum err_code find_duplicate(struct store *store, const struct transaction_query *query,
                                    struct transaction_past *past, struct err *err)
{
    char mac[MAC_TEXT_LEN];
    const char *device = device_of(query, mac);
    struct store_certificate stored = {0};
    if (device[0] == '\0') {
        return ERR_OK;
    }
    enum err_code code = store_find_device(store, device, &stored, err);
    if (code != ERR_OK) {
        return is_none(code) ? ERR_OK : code;
    }
    bool is_live = stored.status == CERTIFICATE_VALID && query->now < stored.not_after;
    bool is_other_key = memcmp(stored.spki_hash, query->pkcs10->spki_hash, SHA256_LEN) != 0;
    if (is_live && is_other_key && is_same_subject(&stored, query)) {
        past->past = PAST_DUPLICATE;
    }
    store_certificate_done(&stored);
    return ERR_OK;
}

enum err_code transaction_check_approved(struct store *store, const struct transaction_query *query,
                                         struct transaction_past *past, struct err *err)
{
    enum err_code code = find_by_key(store, query, past, err);
    if (code == ERR_OK && past->past != PAST_FOREIGN_KEY) {
        past->past = PAST_APPROVED;
    }
    return code;
}

// A transaction that waits: the same request counts as a poll (RFC 8894, 4.3.1).
static enum err_code judge_waiting(struct store *store, const struct transaction_query *query,
                                   struct transaction_past *past, struct err *err)
{
    const struct store_pending *pending = &past->pending;
    bool is_same = memcmp(pending->csr_hash, query->pkcs10->hash, SHA256_LEN) == 0;
    past->past = is_same && is_asker(pending, query->signer_class) ? waiting_as(pending)
                                                                   : PAST_PENDING_OTHER;
    return past->past == PAST_APPROVED ? transaction_check_approved(store, query, past, err)
                                       : ERR_OK;
}

static enum past judge_issued(const struct store_transaction *record,
                              const struct transaction_past *past,
                              const struct transaction_query *query)
{
    bool is_same = memcmp(record->csr_hash, query->pkcs10->hash, SHA256_LEN) == 0;
    if (!transaction_is_replayable(&past->certificate, query->now)) {
        return PAST_NONE;
    }
    switch (query->signer_class) {
    case SIGNER_OURS:
        is_same = is_same && is_renewed_from_signer(&past->certificate, query);
        return is_same ? PAST_SAME_REQUEST : PAST_NONE;
    case SIGNER_MIC:
        return is_same ? PAST_SAME_REQUEST : PAST_NONE;
    default:
        return is_same ? PAST_SAME_REQUEST : PAST_OTHER_REQUEST;
    }
}

enum err_code transaction_find_request(struct store *store, const struct transaction_query *query,
                                       struct transaction_past *ret_past, struct err *err)
{
    struct store_transaction record = {0};
    ret_past->past = PAST_NONE;
    enum err_code code = find_recorded(store, query->key, &record, ret_past, err);
    if (code != ERR_OK) {
        return code;
    }
    if (record.state == TRANSACTION_PENDING && is_waiting(&ret_past->pending, query->now)) {
        return judge_waiting(store, query, ret_past, err);
    }
    if (record.state == TRANSACTION_ISSUED) {
        ret_past->past = judge_issued(&record, ret_past, query);
        if (ret_past->past != PAST_NONE) {
            return ERR_OK;
        }
    }
    code = find_by_key(store, query, ret_past, err);
    if (code == ERR_OK && ret_past->past == PAST_NONE && query->refuse_duplicates &&
        query->signer_class == SIGNER_SELF_SIGNED) {
        code = find_duplicate(store, query, ret_past, err);
    }
    return code;
}
