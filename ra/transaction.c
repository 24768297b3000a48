// SPDX-License-Identifier: Apache-2.0
#include "ra/transaction.h"

#include <string.h>

#include "ra/certificate.h"

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

// The transaction's certificate, if one was issued under this key.
static enum err_code find_recorded(struct store *store, const uint8_t key[SHA256_LEN],
                                   struct store_transaction *record, struct transaction_past *past,
                                   struct err *err)
{
    enum err_code code = store_find_transaction(store, key, record, err);
    if (is_none(code) || (code == ERR_OK && record->state != TRANSACTION_ISSUED)) {
        return ERR_OK;
    }
    if (code == ERR_OK) {
        code = store_find_serial(store, record->serial, &past->certificate, err);
    }
    if (code == ERR_OK) {
        past->has_record = true;
        memcpy(past->recorded_serial, record->serial, SERIAL_LEN);
    }
    return is_none(code) ? err_set(err, ERR_IO, "a transaction names a certificate that is missing")
                         : code;
}

enum err_code transaction_find(struct store *store, const uint8_t key[SHA256_LEN], int64_t now,
                               struct transaction_past *ret_past, struct err *err)
{
    struct store_transaction record = {0};
    enum err_code code = find_recorded(store, key, &record, ret_past, err);
    bool is_live = ret_past->has_record && transaction_is_replayable(&ret_past->certificate, now);
    ret_past->past = is_live ? PAST_SAME_REQUEST : PAST_NONE;
    return code;
}

// The same phone: the same MAC in the name, or the same name. A PKCS#10 without a subject was
// filled from its challenge's record, so it cannot differ.
static bool is_same_subject(const struct store_certificate *stored,
                            const struct transaction_query *query)
{
    if (query->names->is_subject_empty) {
        return true;
    }
    CLEANUP(cleanup_certificate_free) struct certificate *cert = NULL;
    if (certificate_parse(buf_view(&stored->der), &cert, NULL) != ERR_OK) {
        return false;
    }
    return X509_NAME_cmp(certificate_subject(cert), csr_subject(query->pkcs10->csr)) == 0;
}

static bool is_same_device(const struct store_certificate *stored,
                           const struct transaction_query *query)
{
    return query->names->mac[0] != '\0' && strcmp(stored->mac, query->names->mac) == 0;
}

static bool is_same_challenge(const struct store_certificate *stored,
                              const struct transaction_query *query)
{
    static const uint8_t none[SHA256_LEN];
    return memcmp(query->challenge_hash, none, SHA256_LEN) != 0 &&
           memcmp(query->challenge_hash, stored->challenge_hash, SHA256_LEN) == 0;
}

static enum past judge_key(const struct store_certificate *stored,
                           const struct transaction_query *query)
{
    if (is_same_subject(stored, query)) {
        bool is_repeat =
            is_same_challenge(stored, query) && transaction_is_replayable(stored, query->now);
        return is_repeat ? PAST_SAME_KEY : PAST_NONE;
    }
    return is_same_device(stored, query) ? PAST_NONE : PAST_FOREIGN_KEY;
}

static enum err_code find_by_key(struct store *store, const struct transaction_query *query,
                                 struct transaction_past *past, struct err *err)
{
    struct store_certificate stored = {0};
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

static const char *device_of(const struct names *names)
{
    return names->mac[0] != '\0' ? names->mac : names->common_name;
}

static enum err_code find_duplicate(struct store *store, const struct transaction_query *query,
                                    struct transaction_past *past, struct err *err)
{
    const char *device = device_of(query->names);
    struct store_certificate stored = {0};
    if (device == NULL) {
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

enum err_code transaction_find_request(struct store *store, const struct transaction_query *query,
                                       struct transaction_past *ret_past, struct err *err)
{
    struct store_transaction record = {0};
    ret_past->past = PAST_NONE;
    enum err_code code = find_recorded(store, query->key, &record, ret_past, err);
    if (code != ERR_OK) {
        return code;
    }
    if (ret_past->has_record && transaction_is_replayable(&ret_past->certificate, query->now)) {
        bool is_same = memcmp(record.csr_hash, query->pkcs10->hash, SHA256_LEN) == 0;
        ret_past->past = is_same ? PAST_SAME_REQUEST : PAST_OTHER_REQUEST;
        return ERR_OK;
    }
    code = find_by_key(store, query, ret_past, err);
    if (code == ERR_OK && ret_past->past == PAST_NONE && query->refuse_duplicates) {
        code = find_duplicate(store, query, ret_past, err);
    }
    return code;
}
