// SPDX-License-Identifier: Apache-2.0
#include "ra/ra_renewal.h"

#include <openssl/err.h>

#include "conf/base/clock.h"
#include "conf/base/private_key.h"
#include "conf/limits.h"
#include "conf/syntax.h"
#include "ra/ra_pairs.h"

#define KEY_BITS      2048         // every client can encrypt to it
#define ORDER_NAME    "RA-RENEWAL" // where the CA's log names a transaction
#define ANSWER_ORIGIN "the CA's answer"

// What making one RA takes.
struct making {
    const struct settings *settings;
    const struct generation *ca;
    const X509 *model; // the present RA's certificate
    struct ca_client *client;
    int64_t now;
};

static enum err_code is_due(const struct making *making, bool *ret_is_due, struct err *err)
{
    int64_t not_before = 0;
    int64_t not_after = 0;
    int64_t ca_not_before = 0;
    int64_t ca_not_after = 0;
    enum err_code code = ra_pair_read_dates(making->model, &not_before, &not_after, err);
    if (code == ERR_OK) {
        code = ra_pair_read_dates(making->ca->cert, &ca_not_before, &ca_not_after, err);
    }
    if (code != ERR_OK) {
        return code;
    }
    int64_t window_sec = (int64_t)making->settings->ra.renew_days * DAY_SEC;
    int64_t half = not_before + (not_after - not_before) / 2;
    // One that ends with its CA would be made again and again and never last longer.
    *ret_is_due =
        making->now >= not_after - window_sec && making->now >= half && not_after < ca_not_after;
    return ERR_OK;
}

static bool has_token_key(const struct settings *settings)
{
    return settings->ra.key != NULL && syntax_key_path(settings->ra.key) == NULL;
}

static enum err_code get_key(const struct settings *settings, EVP_PKEY **ret_key, struct err *err)
{
    if (has_token_key(settings)) {
        return private_key_load(settings->ra.key, settings->ra.pin_file, ret_key, err);
    }
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)KEY_BITS);
    if (key == NULL) {
        return err_set_openssl(err, ERR_CRYPTO, "cannot make a key for the RA");
    }
    *ret_key = key;
    return ERR_OK;
}

static enum err_code order_cert(const struct making *making, EVP_PKEY *key, X509 **ret_cert,
                                struct err *err)
{
    struct buf csr = {0};
    struct buf der = {0};
    enum err_code code = ossl_make_request(X509_get_subject_name(making->model), key, &csr, err);
    if (code == ERR_OK) {
        const struct issue_order order = {
            .profile = PROFILE_RA,
            .issuer = view_of(making->ca->id, SHA256_LEN),
            .csr = buf_view(&csr),
            .transaction_id = view_of_text(ORDER_NAME),
        };
        code = ca_client_issue(making->client, &order, &der, err);
    }
    if (code == ERR_OK && ossl_cert_from_der(buf_view(&der), ret_cert, err) != ERR_OK) {
        code = err_set(err, ERR_PROTOCOL, ANSWER_ORIGIN " is no certificate");
    }
    buf_done(&csr);
    buf_done(&der);
    return code;
}

// What is written must be usable, or the next start would fail on it.
static enum err_code check_cert(const struct making *making, X509 *cert, const EVP_PKEY *key,
                                struct err *err)
{
    int64_t not_before = 0;
    int64_t not_after = 0;
    enum err_code code = ra_pair_check(cert, key, ANSWER_ORIGIN, err);
    if (code == ERR_OK) {
        code = ra_pair_read_dates(cert, &not_before, &not_after, err);
    }
    if (code != ERR_OK) {
        if (err != NULL && code != ERR_NOMEM) {
            err->code = ERR_PROTOCOL;
        }
        return code != ERR_NOMEM ? ERR_PROTOCOL : code;
    }
    if (!ra_pair_is_issued_by(cert, making->ca)) {
        return err_set(err, ERR_PROTOCOL, ANSWER_ORIGIN ": not issued by the CA %s",
                       making->ca->name);
    }
    if (making->now < not_before || making->now > not_after) {
        char from[CLOCK_TEXT_LEN];
        char until[CLOCK_TEXT_LEN];
        return err_set(err, ERR_PROTOCOL,
                       ANSWER_ORIGIN
                       ": valid from %s to %s, which is not now; do the clocks agree?",
                       clock_format(not_before, from), clock_format(not_after, until));
    }
    return ERR_OK;
}

static enum err_code make(const struct making *making, struct err *err)
{
    const char *directory = making->settings->ra.directory;
    if (directory == NULL) {
        return err_set(err, ERR_CONFIG,
                       "ra.directory is not set; a new RA certificate needs a place");
    }
    CLEANUP(cleanup_EVP_PKEY_free) EVP_PKEY *key = NULL;
    CLEANUP(cleanup_X509_free) X509 *cert = NULL;
    enum err_code code = get_key(making->settings, &key, err);
    if (code == ERR_OK) {
        code = order_cert(making, key, &cert, err);
    }
    if (code == ERR_OK) {
        code = check_cert(making, cert, key, err);
    }
    if (code == ERR_OK) {
        code = ra_pairs_write(directory, cert, has_token_key(making->settings) ? NULL : key, err);
    }
    return code;
}

static enum err_code renew_current(const struct making *making, bool *is_changed, struct err *err)
{
    bool is_wanted = false;
    enum err_code code = is_due(making, &is_wanted, err);
    if (code != ERR_OK || !is_wanted) {
        return code;
    }
    code = make(making, err);
    *is_changed = *is_changed || code == ERR_OK;
    return code;
}

static enum err_code make_next(const struct making *making, bool *is_changed, struct err *err)
{
    enum err_code code = make(making, err);
    *is_changed = *is_changed || code == ERR_OK;
    return code;
}

static enum err_code clean(const struct settings *settings, int64_t now, struct err *err)
{
    if (settings->ra.directory == NULL) {
        return ERR_OK;
    }
    int64_t kept_sec = (int64_t)settings->ra.previous_days * DAY_SEC;
    return ra_pairs_clean(settings->ra.directory, now - kept_sec, err);
}

enum err_code ra_renewal_run(const struct settings *settings, const struct credentials *credentials,
                             struct ca_client *ca, int64_t now, bool *ret_is_changed,
                             struct err *err)
{
    const struct generation *next_ca = generations_next(&credentials->generations);
    struct making making = {
        .settings = settings,
        .ca = credentials_issuing(credentials),
        .model = credentials_ra(credentials)->cert,
        .client = ca,
        .now = now,
    };
    *ret_is_changed = false;
    ERR_clear_error();
    if (settings->scep.topology == SETTINGS_TOPOLOGY_DIRECT) {
        return ERR_OK;
    }
    enum err_code code = renew_current(&making, ret_is_changed, err);
    if (code == ERR_OK && next_ca != NULL && credentials_next_ra(credentials) == NULL) {
        making.ca = next_ca;
        code = make_next(&making, ret_is_changed, err);
    }
    return code == ERR_OK ? clean(settings, now, err) : code;
}

// The newest certificate of this CA's RAs that can be a model, NULL while one is valid.
static const X509 *find_ended(const struct ra_pairs *pairs, const struct generation *ca,
                              int64_t now)
{
    const X509 *newest = NULL;
    for (unsigned i = 0; i < pairs->count; i++) {
        const struct ra_pair *pair = &pairs->list[i];
        if (!ra_pair_is_issued_by(pair->cert, ca)) {
            continue;
        }
        if (now <= pair->not_after) {
            return NULL;
        }
        newest = newest == NULL ? pair->cert : newest;
    }
    return newest;
}

enum err_code ra_renewal_revive(const struct settings *settings, struct ca_client *ca, int64_t now,
                                bool *ret_is_made, struct err *err)
{
    struct generations generations = {0};
    struct ra_pairs pairs = {0};
    *ret_is_made = false;
    if (settings->scep.topology == SETTINGS_TOPOLOGY_DIRECT) {
        return ERR_OK;
    }
    enum err_code code = generations_read(settings, &generations, err);
    if (code == ERR_OK) {
        code = ra_pairs_read(settings, &pairs, err);
    }
    const X509 *ended = code == ERR_OK ? find_ended(&pairs, &generations.list[0], now) : NULL;
    if (ended != NULL) {
        const struct making making = {.settings = settings,
                                      .ca = &generations.list[0],
                                      .model = ended,
                                      .client = ca,
                                      .now = now};
        code = make(&making, err);
        *ret_is_made = code == ERR_OK;
    }
    ERR_clear_error();
    ra_pairs_done(&pairs);
    generations_done(&generations);
    return code;
}
