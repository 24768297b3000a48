// SPDX-License-Identifier: Apache-2.0
// Which of the RA certificates that there are does what at present.
#include "ra/credentials.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/err.h>

#include "conf/limits.h"
#include "ra/ra_pairs.h"

#define CHAIN_MAX 10 // certificates above the issuing CA

// What loading needs all the time.
struct loading {
    const struct settings *settings;
    struct credentials *into;
    char *ca_path; // of the current CA's certificate, for errors
    int64_t now;
    int64_t switched_at; // when the current CA took over from another; 0 = it did not
    struct ra_pairs pairs;
    const struct generation *issuers[RA_PAIRS_MAX]; // of each pair; NULL = it cannot serve
};

void credentials_free(struct credentials *credentials)
{
    if (credentials != NULL) {
        for (unsigned i = 0; i < credentials->recipient_count; i++) {
            X509_free(credentials->recipients[i].cert);
            EVP_PKEY_free(credentials->recipients[i].key);
        }
        generations_done(&credentials->generations);
        free_cert_stack(credentials->upper);
        free(credentials);
    }
}
DEFINE_CLEANUP(struct credentials *, credentials_free);

static void loading_done(struct loading *loading)
{
    ra_pairs_done(&loading->pairs);
    free(loading->ca_path);
}

static enum err_code push_cert(STACK_OF(X509) * certs, X509 *take_cert, struct err *err)
{
    if (sk_X509_push(certs, take_cert) <= 0) {
        X509_free(take_cert);
        return err_set_openssl(err, ERR_NOMEM, "no memory for certificates");
    }
    return ERR_OK;
}

static X509 *take_issuer(STACK_OF(X509) * pool, X509 *cert)
{
    for (int i = 0; i < sk_X509_num(pool); i++) {
        if (X509_check_issued(sk_X509_value(pool, i), cert) == X509_V_OK) {
            return sk_X509_delete(pool, i);
        }
    }
    return NULL;
}

// Moves certificates from `pool` to credentials->upper, from the issuing CA's issuer to the root.
static enum err_code order_chain(struct credentials *credentials, STACK_OF(X509) * pool,
                                 const char *path, struct err *err)
{
    X509 *top = credentials_issuing(credentials)->cert;
    while (!ossl_is_self_issued(top)) {
        X509 *issuer = take_issuer(pool, top);
        if (issuer == NULL) {
            return err_set(err, ERR_CONFIG,
                           "%s: the chain from the issuing CA does not reach a root", path);
        }
        if (sk_X509_num(credentials->upper) >= CHAIN_MAX) {
            X509_free(issuer);
            return err_set(err, ERR_CONFIG, "%s: a chain of more than %d certificates", path,
                           CHAIN_MAX);
        }
        enum err_code code = push_cert(credentials->upper, issuer, err);
        if (code != ERR_OK) {
            return code;
        }
        ossl_drop_copies(pool, issuer);
        top = issuer;
    }
    if (sk_X509_num(pool) > 0) {
        return err_set(err, ERR_CONFIG, "%s: %d certificates that are not above the issuing CA",
                       path, sk_X509_num(pool));
    }
    return ERR_OK;
}

static enum err_code load_upper(const struct loading *loading, struct err *err)
{
    struct credentials *credentials = loading->into;
    const struct generation *issuing = credentials_issuing(credentials);
    CLEANUP(cleanup_free_cert_stack) STACK_OF(X509) *pool = NULL;
    credentials->upper = sk_X509_new_null();
    if (credentials->upper == NULL) {
        return err_set_openssl(err, ERR_NOMEM, "no memory for certificates");
    }
    enum err_code code = generation_read_chain(issuing, &pool, err);
    return code == ERR_OK
               ? order_chain(credentials, pool,
                             issuing->chain != NULL ? issuing->chain : loading->ca_path, err)
               : code;
}

// `cert`, which `path` names, chains to the root and is valid now, as is what stands between.
static enum err_code check_chain(const struct loading *loading, X509 *cert, const char *path,
                                 struct err *err)
{
    const struct credentials *credentials = loading->into;
    CLEANUP(cleanup_X509_STORE_free) X509_STORE *store = X509_STORE_new();
    CLEANUP(cleanup_X509_STORE_CTX_free) X509_STORE_CTX *context = X509_STORE_CTX_new();
    CLEANUP(cleanup_free_cert_stack)
    STACK_OF(X509) *between = X509_chain_up_ref(credentials->upper);
    if (store == NULL || context == NULL || between == NULL ||
        X509_STORE_add_cert(store, (X509 *)credentials_root(credentials)) != 1 ||
        X509_add_cert(between, credentials_issuing(credentials)->cert, X509_ADD_FLAG_UP_REF) != 1 ||
        X509_STORE_CTX_init(context, store, cert, between) != 1) {
        return err_set_openssl(err, ERR_NOMEM, "no memory to check certificates");
    }
    X509_STORE_CTX_set_time(context, 0, (time_t)loading->now);
    X509_STORE_CTX_set_flags(context, X509_V_FLAG_CHECK_SS_SIGNATURE);
    if (X509_verify_cert(context) != 1) {
        int error = X509_STORE_CTX_get_error(context);
        ERR_clear_error();
        return err_set(err, ERR_CONFIG, "%s: does not chain to the root: %s", path,
                       X509_verify_cert_error_string(error));
    }
    return ERR_OK;
}

static enum err_code check_issuing(const struct loading *loading, struct err *err)
{
    X509 *cert = credentials_issuing(loading->into)->cert;
    if (X509_check_ca(cert) != 1) {
        return err_set(err, ERR_CONFIG, "%s: not a CA certificate", loading->ca_path);
    }
    return check_chain(loading, cert, loading->ca_path, err);
}

// Whose key is the settings' is the settings' CA; the others lie in folders.
static enum err_code name_ca(struct loading *loading, struct err *err)
{
    const struct settings *settings = loading->settings;
    const struct generation *issuing = credentials_issuing(loading->into);
    bool is_configured = strcmp(issuing->key, settings->ca.key) == 0;
    int len = is_configured ? asprintf(&loading->ca_path, "%s", settings->ca.certificate)
                            : asprintf(&loading->ca_path, "%s/%s/ca.pem", settings->ca.generations,
                                       issuing->name);
    if (len < 0) {
        loading->ca_path = NULL;
        return err_set(err, ERR_NOMEM, "no memory for a path");
    }
    return ERR_OK;
}

// The link is made anew by the switch and by nothing else.
static enum err_code read_switch(struct loading *loading, struct err *err)
{
    if (loading->settings->ca.generations == NULL) {
        return ERR_OK;
    }
    char *path = NULL;
    struct stat status;
    if (asprintf(&path, "%s/current", loading->settings->ca.generations) < 0) {
        return err_set(err, ERR_NOMEM, "no memory for a path");
    }
    enum err_code code = ERR_OK;
    if (lstat(path, &status) == 0) {
        loading->switched_at = status.st_mtime;
    } else if (errno != ENOENT) {
        code = err_set_errno(err, "cannot look at %s", path);
    }
    free(path);
    return code;
}

static const struct generation *find_issuer(const struct generations *generations, X509 *cert)
{
    for (unsigned i = 0; i < generations->count; i++) {
        if (ra_pair_is_issued_by(cert, &generations->list[i])) {
            return &generations->list[i];
        }
    }
    return NULL;
}

// Finds out who can serve. What the settings name must fit together even when it cannot.
static enum err_code judge_pairs(struct loading *loading, struct err *err)
{
    for (unsigned i = 0; i < loading->pairs.count; i++) {
        const struct ra_pair *pair = &loading->pairs.list[i];
        bool is_valid = pair->not_before <= loading->now && loading->now <= pair->not_after;
        const struct generation *issuer =
            is_valid ? find_issuer(&loading->into->generations, pair->cert) : NULL;
        if (issuer == NULL && pair->is_own) {
            continue;
        }
        enum err_code code = ra_pairs_open(&loading->pairs, i, loading->settings, err);
        if (code != ERR_OK) {
            return code;
        }
        loading->issuers[i] = issuer;
    }
    return ERR_OK;
}

static const struct ra_pair *newest_of(const struct loading *loading,
                                       const struct generation *issuer)
{
    for (unsigned i = 0; issuer != NULL && i < loading->pairs.count; i++) {
        if (loading->issuers[i] == issuer) {
            return &loading->pairs.list[i];
        }
    }
    return NULL;
}

static enum err_code add_recipient(struct credentials *credentials, enum recipient_role role,
                                   const struct ra_pair *pair, const struct generation *ca,
                                   struct err *err)
{
    struct recipient *recipient = &credentials->recipients[credentials->recipient_count];
    if (X509_up_ref(pair->cert) != 1) {
        return err_set_openssl(err, ERR_CRYPTO, "cannot share a certificate");
    }
    if (EVP_PKEY_up_ref(pair->key) != 1) {
        X509_free(pair->cert);
        return err_set_openssl(err, ERR_CRYPTO, "cannot share a key");
    }
    *recipient = (struct recipient){.role = role, .cert = pair->cert, .key = pair->key};
    memcpy(recipient->issuer, ca->id, SHA256_LEN);
    credentials->recipient_count++;
    return ERR_OK;
}

static enum err_code add_current(const struct loading *loading, struct err *err)
{
    const struct generation *issuing = credentials_issuing(loading->into);
    const struct ra_pair *pair = newest_of(loading, issuing);
    if (pair != NULL) {
        enum err_code code = check_chain(loading, pair->cert, pair->cert_path, err);
        return code == ERR_OK ? add_recipient(loading->into, RECIPIENT_CURRENT, pair, issuing, err)
                              : code;
    }
    // The settings' own pair says best what is wrong.
    for (unsigned i = 0; i < loading->pairs.count; i++) {
        pair = &loading->pairs.list[i];
        if (!pair->is_own) {
            enum err_code code = check_chain(loading, pair->cert, pair->cert_path, err);
            return code != ERR_OK ? code
                                  : err_set(err, ERR_CONFIG, "%s: not issued by the CA in %s",
                                            pair->cert_path, loading->ca_path);
        }
    }
    return err_set(err, ERR_CONFIG, "no valid RA certificate of the CA in %s", loading->ca_path);
}

// When the pair stopped being the one to use; `now` as long as it has not.
static int64_t superseded_at(const struct loading *loading, unsigned index)
{
    const struct generation *issuer = loading->issuers[index];
    if (issuer->role == GENERATION_OLD) {
        return loading->switched_at;
    }
    for (unsigned i = index; i > 0; i--) {
        if (loading->issuers[i - 1] == issuer) {
            return loading->pairs.list[i - 1].not_before;
        }
    }
    return loading->now;
}

// From when on a pair that is not the one to use does not open either.
static int64_t opens_until(const struct loading *loading, unsigned index)
{
    int64_t kept_sec = (int64_t)loading->settings->ra.previous_days * DAY_SEC;
    int64_t until = superseded_at(loading, index) + kept_sec;
    int64_t not_after = loading->pairs.list[index].not_after;
    return until <= not_after ? until : not_after + 1;
}

static enum err_code add_previous(const struct loading *loading, const struct ra_pair *next,
                                  struct err *err)
{
    struct credentials *credentials = loading->into;
    const struct generation *current_ca = credentials_issuing(credentials);
    const struct generation *next_ca = generations_next(&credentials->generations);
    const struct ra_pair *current = newest_of(loading, current_ca);
    enum err_code code = ERR_OK;
    for (unsigned i = 0; i < loading->pairs.count && code == ERR_OK; i++) {
        const struct ra_pair *pair = &loading->pairs.list[i];
        const struct generation *issuer = loading->issuers[i];
        if (issuer == NULL || pair == current || pair == next ||
            credentials->recipient_count == RECIPIENTS_MAX ||
            opens_until(loading, i) <= loading->now) {
            continue;
        }
        struct recipient *recipient = &credentials->recipients[credentials->recipient_count];
        code = add_recipient(credentials, RECIPIENT_PREVIOUS, pair,
                             issuer == next_ca ? next_ca : current_ca, err);
        recipient->until = code == ERR_OK ? opens_until(loading, i) : 0;
    }
    return code;
}

static enum err_code add_ras(struct loading *loading, struct err *err)
{
    struct credentials *credentials = loading->into;
    const struct generation *next_ca = generations_next(&credentials->generations);
    enum err_code code = ra_pairs_read(loading->settings, &loading->pairs, err);
    if (code == ERR_OK) {
        code = read_switch(loading, err);
    }
    if (code == ERR_OK) {
        code = judge_pairs(loading, err);
    }
    if (code == ERR_OK) {
        code = add_current(loading, err);
    }
    const struct ra_pair *next = code == ERR_OK ? newest_of(loading, next_ca) : NULL;
    if (next != NULL) {
        code = add_recipient(credentials, RECIPIENT_NEXT, next, next_ca, err);
    }
    return code == ERR_OK ? add_previous(loading, next, err) : code;
}

// Topology direct: the CA's certificate is the recipient, its key is with scepd-ca.
static enum err_code add_ca(const struct loading *loading, struct err *err)
{
    struct credentials *credentials = loading->into;
    const struct generation *issuing = credentials_issuing(credentials);
    enum err_code code = ra_pair_check_usage(issuing->cert, loading->ca_path, err);
    if (code != ERR_OK) {
        return code;
    }
    if (X509_up_ref(issuing->cert) != 1) {
        return err_set_openssl(err, ERR_CRYPTO, "cannot share a certificate");
    }
    struct recipient *recipient = &credentials->recipients[0];
    *recipient = (struct recipient){.role = RECIPIENT_CURRENT, .cert = issuing->cert};
    memcpy(recipient->issuer, issuing->id, SHA256_LEN);
    credentials->recipient_count = 1;
    return ERR_OK;
}

static enum err_code load_all(struct loading *loading, struct err *err)
{
    const struct settings *settings = loading->settings;
    enum err_code code = generations_read(settings, &loading->into->generations, err);
    if (code == ERR_OK) {
        code = name_ca(loading, err);
    }
    if (code == ERR_OK) {
        code = load_upper(loading, err);
    }
    if (code == ERR_OK) {
        code = check_issuing(loading, err);
    }
    if (code != ERR_OK) {
        return code;
    }
    return settings->scep.topology == SETTINGS_TOPOLOGY_DIRECT ? add_ca(loading, err)
                                                               : add_ras(loading, err);
}

enum err_code credentials_load(const struct settings *settings, int64_t now,
                               struct credentials **ret_credentials, struct err *err)
{
    ERR_clear_error();
    CLEANUP(cleanup_credentials_free)
    struct credentials *credentials = calloc(1, sizeof *credentials);
    if (credentials == NULL) {
        return err_set(err, ERR_NOMEM, "no memory for credentials");
    }
    struct loading loading = {.settings = settings, .into = credentials, .now = now};
    enum err_code code = load_all(&loading, err);
    loading_done(&loading);
    if (code == ERR_OK) {
        *ret_credentials = credentials;
        credentials = NULL;
    }
    return code;
}

const struct recipient *credentials_next_ra(const struct credentials *credentials)
{
    for (unsigned i = 0; i < credentials->recipient_count; i++) {
        if (credentials->recipients[i].role == RECIPIENT_NEXT) {
            return &credentials->recipients[i];
        }
    }
    return NULL;
}

const X509 *credentials_root(const struct credentials *credentials)
{
    int count = sk_X509_num(credentials->upper);
    return count > 0 ? sk_X509_value(credentials->upper, count - 1)
                     : credentials_issuing(credentials)->cert;
}
