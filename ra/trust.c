// SPDX-License-Identifier: Apache-2.0
// First whether a chain to a root of the store holds, which is OpenSSL's business; then whether the
// store's policy accepts it, which is ours. Faults of policy do not hide that the device is
// genuine.
#include "ra/trust.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>

#include "conf/base/clock.h"
#include "ra/trust_store.h"

#define CHAIN_DEPTH_MAX 6   // CAs above a MIC; real chains have 1 or 2
#define ISSUER_LEN      112 // bytes with NUL of an issuer's name in a reason
#define SHA1_STRENGTH   63  // bits of security OpenSSL counts for SHA-1; less is MD5 and older

// What is judged, and what all stores need to know of it.
struct candidate {
    X509 *cert;
    STACK_OF(X509) * others;
    int64_t now;
    struct identity identity;
    struct err unreadable; // why there is no identity; ERR_OK = there is one
    int64_t not_after;
    const char *asked; // what is asked about it: one store, or all
};

// What became of the chain under one store.
struct chain {
    STACK_OF(X509) * certs;    // MIC first, root last; owned; NULL = not genuine
    char reason[ERR_TEXT_LEN]; // why not genuine
    bool is_issuer_unknown;    // and whether it is no more than that
    const char *asked;         // where its issuer was looked for, for `reason`
    const char *level_fault;   // below the auth_level; NULL = not
};

const char *trust_state_name(enum trust_state state)
{
    static const char *const names[TRUST_STATE_MAX] = {
        [TRUST_NONE] = "unknown",          [TRUST_GOOD] = "good", [TRUST_EXPIRED] = "expired",
        [TRUST_NOT_YET] = "not yet valid", [TRUST_WEAK] = "weak", [TRUST_CLASS] = "class",
        [TRUST_GENERIC] = "generic",
    };
    return (unsigned)state < TRUST_STATE_MAX ? names[state] : "?";
}

unsigned trust_store_count(const struct trust *trust)
{
    return trust->count;
}

const char *trust_store_name(const struct trust *trust, unsigned store)
{
    return trust->stores[store].name;
}

// A key or digest below the auth_level is noted and does not end the verification: whether the
// signatures hold is looked at only afterwards, and without that nobody is genuine.
static int note_level_fault(int is_ok, X509_STORE_CTX *context)
{
    struct chain *chain = X509_STORE_CTX_get_app_data(context);
    int error = X509_STORE_CTX_get_error(context);
    bool is_level = error == X509_V_ERR_EE_KEY_TOO_SMALL || error == X509_V_ERR_CA_KEY_TOO_SMALL ||
                    error == X509_V_ERR_CA_MD_TOO_WEAK;
    if (is_ok == 1 || !is_level) {
        return is_ok;
    }
    chain->level_fault = X509_verify_cert_error_string(error);
    return 1;
}

static void configure(X509_STORE_CTX *context, const struct trust_store *store, struct chain *chain)
{
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(context);
    X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_NO_CHECK_TIME);
    X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_ANY);
    X509_VERIFY_PARAM_set_auth_level(param, store->auth_level);
    X509_VERIFY_PARAM_set_depth(param, CHAIN_DEPTH_MAX);
    X509_STORE_CTX_set0_trusted_stack(context, store->roots);
    X509_STORE_CTX_set_app_data(context, chain);
    X509_STORE_CTX_set_verify_cb(context, note_level_fault);
}

static void explain(X509_STORE_CTX *context, struct chain *chain)
{
    char issuer[ISSUER_LEN] = "?";
    int error = X509_STORE_CTX_get_error(context);
    X509 *last = X509_STORE_CTX_get_current_cert(context);
    if (last != NULL) {
        ossl_name_print(X509_get_issuer_name(last), issuer, sizeof issuer);
    }
    chain->is_issuer_unknown = error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY;
    if (chain->is_issuer_unknown) {
        snprintf(chain->reason, sizeof chain->reason, "%s fits its issuer %s by name and key",
                 chain->asked, issuer);
    } else {
        snprintf(chain->reason, sizeof chain->reason, "%s (issuer %s)",
                 X509_verify_cert_error_string(error), issuer);
    }
}

// Intermediates: the store's own first, then what the message brought.
static STACK_OF(X509) * collect_untrusted(const struct trust_store *store, STACK_OF(X509) * others)
{
    STACK_OF(X509) *all = sk_X509_dup(store->intermediates);
    for (int i = 0; all != NULL && i < sk_X509_num(others); i++) {
        if (sk_X509_push(all, sk_X509_value(others, i)) <= 0) {
            sk_X509_free(all);
            return NULL;
        }
    }
    return all;
}
DEFINE_CLEANUP(STACK_OF(X509) *, sk_X509_free);

static enum err_code verify_chain(const struct trust_store *store,
                                  const struct candidate *candidate, struct chain *chain,
                                  struct err *err)
{
    CLEANUP(cleanup_sk_X509_free)
    STACK_OF(X509) *untrusted = collect_untrusted(store, candidate->others);
    CLEANUP(cleanup_X509_STORE_CTX_free) X509_STORE_CTX *context = X509_STORE_CTX_new();
    if (untrusted == NULL || context == NULL ||
        X509_STORE_CTX_init(context, NULL, candidate->cert, untrusted) != 1) {
        return err_set_openssl(err, ERR_NOMEM, "no memory to verify a certificate");
    }
    configure(context, store, chain);
    int is_verified = X509_verify_cert(context);
    if (X509_STORE_CTX_get_error(context) == X509_V_ERR_OUT_OF_MEM) {
        return err_set_openssl(err, ERR_NOMEM, "no memory to verify a certificate");
    }
    if (is_verified != 1) {
        explain(context, chain);
    } else if ((chain->certs = X509_STORE_CTX_get1_chain(context)) == NULL) {
        return err_set_openssl(err, ERR_NOMEM, "no memory to verify a certificate");
    }
    ERR_clear_error();
    return ERR_OK;
}

static const char *owner_of(int at)
{
    return at == 0 ? "the certificate" : "a CA certificate above it";
}

static enum trust_state judge_digest(const struct trust_store *store, X509 *cert, const char *whose,
                                     struct err *why)
{
    int digest = NID_undef;
    int strength = 0;
    if (X509_get_signature_info(cert, &digest, NULL, &strength, NULL) != 1 ||
        strength < SHA1_STRENGTH) {
        err_set(why, ERR_DENIED, "%s is signed with something weaker than SHA-1", whose);
        return TRUST_WEAK;
    }
    if (digest == NID_sha1 && !store->accept_sha1) {
        err_set(why, ERR_DENIED, "%s is signed with SHA-1; mic.accept_sha1 is off", whose);
        return TRUST_WEAK;
    }
    return TRUST_GOOD;
}

static enum trust_state judge_key(const struct trust_store *store, X509 *cert, const char *whose,
                                  struct err *why)
{
    const EVP_PKEY *key = X509_get0_pubkey(cert);
    if (key == NULL || !EVP_PKEY_is_a(key, "RSA") ||
        EVP_PKEY_get_bits(key) >= store->min_rsa_bits) {
        return TRUST_GOOD;
    }
    err_set(why, ERR_DENIED, "%s has an RSA key of %d bits; mic.min_rsa_bits is %d", whose,
            EVP_PKEY_get_bits(key), store->min_rsa_bits);
    return TRUST_WEAK;
}

// The root's own signature proves nothing, so how it was made does not matter.
static enum trust_state judge_strength(const struct trust_store *store, const struct chain *chain,
                                       struct err *why)
{
    enum trust_state state = TRUST_GOOD;
    int count = sk_X509_num(chain->certs);
    for (int i = 0; state == TRUST_GOOD && i < count; i++) {
        X509 *cert = sk_X509_value(chain->certs, i);
        state = judge_key(store, cert, owner_of(i), why);
        if (state == TRUST_GOOD && i + 1 < count) {
            state = judge_digest(store, cert, owner_of(i), why);
        }
    }
    if (state == TRUST_GOOD && chain->level_fault != NULL) {
        err_set(why, ERR_DENIED, "%s", chain->level_fault);
        return TRUST_WEAK;
    }
    return state;
}

static enum trust_state judge_dates(const struct trust_store *store, const X509 *cert,
                                    const char *whose, int64_t now, struct err *why)
{
    char date[CLOCK_TEXT_LEN];
    int64_t not_before = 0;
    int64_t not_after = 0;
    if (!ossl_time_read(X509_get0_notBefore(cert), &not_before) ||
        !ossl_time_read(X509_get0_notAfter(cert), &not_after)) {
        err_set(why, ERR_DENIED, "%s has a date that is none", whose);
        return TRUST_NONE;
    }
    if (now < not_before) {
        err_set(why, ERR_DENIED, "%s is not valid before %s", whose,
                clock_format(not_before, date));
        return TRUST_NOT_YET;
    }
    if (now > not_after && !store->accept_expired) {
        err_set(why, ERR_DENIED, "%s was valid until %s; mic.accept_expired is off", whose,
                clock_format(not_after, date));
        return TRUST_EXPIRED;
    }
    return TRUST_GOOD;
}

static enum trust_state judge_device(const struct trust_store *store,
                                     const struct candidate *candidate, struct err *why)
{
    enum identity_class identity_class = candidate->identity.identity_class;
    if (candidate->unreadable.code != ERR_OK) {
        err_set(why, ERR_DENIED, "%s", candidate->unreadable.text);
        return TRUST_NONE;
    }
    if (identity_class == IDENTITY_GENERIC) {
        err_set(why, ERR_DENIED,
                "generic: many devices have the same certificate, so it proves nothing");
        return TRUST_GENERIC;
    }
    if ((X509_get_extension_flags(candidate->cert) & EXFLAG_CA) != 0) {
        err_set(why, ERR_DENIED, "the certificate of a CA, not of a device");
        return TRUST_CLASS;
    }
    if (!store->takes[identity_class]) {
        err_set(why, ERR_DENIED, "a device of class \"%s\", which mic.classes leaves out",
                identity_class_name(identity_class));
        return TRUST_CLASS;
    }
    return TRUST_GOOD;
}

static enum trust_state judge_policy(const struct trust_store *store,
                                     const struct candidate *candidate, const struct chain *chain,
                                     struct err *why)
{
    enum trust_state state = judge_device(store, candidate, why);
    if (state == TRUST_GOOD) {
        state = judge_strength(store, chain, why);
    }
    for (int i = 0; state == TRUST_GOOD && i < sk_X509_num(chain->certs); i++) {
        state =
            judge_dates(store, sk_X509_value(chain->certs, i), owner_of(i), candidate->now, why);
    }
    return state;
}

// How far a result is from TRUST_GOOD: by state, and TRUST_NONE by how much of a chain there was.
static unsigned distance_of(const struct trust_result *result, const struct chain *chain)
{
    if (result->state != TRUST_NONE) {
        return (unsigned)result->state;
    }
    if (chain->certs != NULL) {
        return TRUST_STATE_MAX;
    }
    return chain->is_issuer_unknown ? TRUST_STATE_MAX + 2 : TRUST_STATE_MAX + 1;
}

static enum err_code judge_by(const struct trust_store *store, const struct candidate *candidate,
                              struct trust_result *ret_result, unsigned *ret_distance,
                              struct err *err)
{
    struct chain chain = {.asked = candidate->asked};
    struct err why = {0};
    struct trust_result result = {.state = TRUST_NONE};
    enum err_code code = verify_chain(store, candidate, &chain, err);
    if (code != ERR_OK) {
        return code;
    }
    if (chain.certs != NULL) {
        result.state = judge_policy(store, candidate, &chain, &why);
    }
    snprintf(result.reason, sizeof result.reason, "%s",
             chain.certs != NULL ? why.text : chain.reason);
    *ret_distance = distance_of(&result, &chain);
    free_cert_stack(chain.certs);
    if (result.state != TRUST_NONE) {
        result.store = store->name;
        result.identity = candidate->identity;
    }
    result.not_after = candidate->not_after;
    *ret_result = result;
    return ERR_OK;
}

// An unreadable subject or date matters only once a chain holds.
static enum err_code prepare(X509 *cert, STACK_OF(X509) * others, int64_t now,
                             struct candidate *ret_candidate, struct err *err)
{
    struct candidate candidate = {.cert = cert, .others = others, .now = now};
    enum err_code code =
        identity_read(X509_get_subject_name(cert), &candidate.identity, &candidate.unreadable);
    if (code == ERR_NOMEM) {
        return err_set(err, code, "%s", candidate.unreadable.text);
    }
    if (!ossl_time_read(X509_get0_notAfter(cert), &candidate.not_after)) {
        candidate.not_after = 0;
    }
    ERR_clear_error();
    *ret_candidate = candidate;
    return ERR_OK;
}

enum err_code trust_judge(const struct trust *trust, X509 *cert, STACK_OF(X509) * others,
                          int64_t now, struct trust_result *ret_result, struct err *err)
{
    struct candidate candidate = {0};
    struct trust_result best = {.state = TRUST_NONE};
    unsigned best_distance = UINT_MAX;
    enum err_code code = prepare(cert, others, now, &candidate, err);
    candidate.asked = "no trust store in mic";
    for (unsigned i = 0; code == ERR_OK && best.state != TRUST_GOOD && i < trust->count; i++) {
        struct trust_result result = {0};
        unsigned distance = UINT_MAX;
        code = judge_by(&trust->stores[i], &candidate, &result, &distance, err);
        if (distance < best_distance) {
            best = result;
            best_distance = distance;
        }
    }
    if (code != ERR_OK) {
        return code;
    }
    if (trust->count == 0) {
        snprintf(best.reason, sizeof best.reason,
                 "there is no trust store for manufacturer's certificates");
    }
    *ret_result = best;
    return ERR_OK;
}

enum err_code trust_judge_by(const struct trust *trust, unsigned store, X509 *cert,
                             STACK_OF(X509) * others, int64_t now, struct trust_result *ret_result,
                             struct err *err)
{
    struct candidate candidate = {0};
    unsigned distance = UINT_MAX;
    enum err_code code = prepare(cert, others, now, &candidate, err);
    candidate.asked = "no CA certificate of this trust store";
    return code == ERR_OK ? judge_by(&trust->stores[store], &candidate, ret_result, &distance, err)
                          : code;
}
