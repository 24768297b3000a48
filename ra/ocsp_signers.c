// SPDX-License-Identifier: Apache-2.0
#include "ra/ocsp_signers.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#define CURVE         "P-256"
#define ORDER_NAME    "OCSP-SIGNER" // where the CA's log names a transaction
#define ANSWER_ORIGIN "the CA's answer"

struct ocsp {
    pthread_mutex_t lock;
    struct ocsp_signers *signers; // guarded by lock; NULL = none yet
};

enum err_code ocsp_new(struct ocsp **ret_ocsp, struct err *err)
{
    struct ocsp *ocsp = calloc(1, sizeof *ocsp);
    if (ocsp == NULL || pthread_mutex_init(&ocsp->lock, NULL) != 0) {
        free(ocsp);
        return err_set(err, ERR_NOMEM, "no memory for OCSP");
    }
    *ret_ocsp = ocsp;
    return ERR_OK;
}

static void signer_done(struct ocsp_signer *signer)
{
    X509_free(signer->issuer);
    X509_free(signer->cert);
    EVP_PKEY_free(signer->key);
}

void ocsp_signers_unref(struct ocsp_signers *signers)
{
    if (signers == NULL || --signers->references > 0) {
        return;
    }
    for (unsigned i = 0; i < signers->count; i++) {
        signer_done(&signers->list[i]);
    }
    free(signers);
}

struct ocsp_signers *ocsp_signers_get(struct ocsp *ocsp)
{
    pthread_mutex_lock(&ocsp->lock);
    struct ocsp_signers *signers = ocsp->signers;
    if (signers != NULL) {
        signers->references++;
    }
    pthread_mutex_unlock(&ocsp->lock);
    return signers;
}

static void replace(struct ocsp *ocsp, struct ocsp_signers *take_signers)
{
    pthread_mutex_lock(&ocsp->lock);
    struct ocsp_signers *old = ocsp->signers;
    ocsp->signers = take_signers;
    pthread_mutex_unlock(&ocsp->lock);
    ocsp_signers_unref(old);
}

void ocsp_free(struct ocsp *ocsp)
{
    if (ocsp != NULL) {
        ocsp_signers_unref(ocsp->signers);
        pthread_mutex_destroy(&ocsp->lock);
        free(ocsp);
    }
}

// The CA chooses the subject; the request has the CA's own, which it does not look at.
static enum err_code order_cert(const struct generation *ca, struct ca_client *client,
                                EVP_PKEY *key, X509 **ret_cert, struct err *err)
{
    CLEANUP(buf_done) struct buf csr = {0};
    CLEANUP(buf_done) struct buf der = {0};
    enum err_code code = ossl_make_request(X509_get_subject_name(ca->cert), key, &csr, err);
    if (code != ERR_OK) {
        return code;
    }
    const struct issue_order order = {
        .profile = PROFILE_OCSP,
        .issuer = view_of(ca->id, SHA256_LEN),
        .csr = buf_view(&csr),
        .transaction_id = view_of_text(ORDER_NAME),
    };
    code = ca_client_issue(client, &order, &der, err);
    if (code == ERR_OK && ossl_cert_from_der(buf_view(&der), ret_cert, err) != ERR_OK) {
        code = err_set(err, ERR_PROTOCOL, ANSWER_ORIGIN " is no certificate");
    }
    return code;
}

// Whoever checks an answer looks for these (RFC 6960, 4.2.2.2).
static enum err_code check_cert(X509 *cert, const EVP_PKEY *key, const struct generation *ca,
                                struct err *err)
{
    bool signs_ocsp = (X509_get_extended_key_usage(cert) & XKU_OCSP_SIGN) != 0 &&
                      X509_get_extended_key_usage(cert) != UINT32_MAX;
    if (X509_check_issued(ca->cert, cert) != X509_V_OK ||
        EVP_PKEY_eq(X509_get0_pubkey(cert), key) != 1 || !signs_ocsp) {
        ERR_clear_error();
        return err_set(err, ERR_PROTOCOL, ANSWER_ORIGIN " is not the OCSP signer asked for");
    }
    return ERR_OK;
}

static enum err_code make(const struct generation *ca, struct ca_client *client,
                          struct ocsp_signer *ret_signer, struct err *err)
{
    struct ocsp_signer signer = {.key = EVP_EC_gen(CURVE)};
    if (signer.key == NULL) {
        return err_set_openssl(err, ERR_CRYPTO, "cannot make a key for OCSP");
    }
    enum err_code code = order_cert(ca, client, signer.key, &signer.cert, err);
    if (code == ERR_OK) {
        code = check_cert(signer.cert, signer.key, ca, err);
    }
    if (code == ERR_OK && X509_up_ref(ca->cert) == 1) {
        signer.issuer = ca->cert;
    }
    if (code != ERR_OK) {
        signer_done(&signer);
        return code;
    }
    memcpy(signer.id, ca->id, SHA256_LEN);
    *ret_signer = signer;
    return ERR_OK;
}

static const struct ocsp_signer *find(const struct ocsp_signers *signers, const uint8_t *id)
{
    for (unsigned i = 0; signers != NULL && i < signers->count; i++) {
        if (memcmp(signers->list[i].id, id, SHA256_LEN) == 0) {
            return &signers->list[i];
        }
    }
    return NULL;
}

static bool is_young(const struct ocsp_signer *signer, int64_t now)
{
    int64_t not_before = 0;
    int64_t not_after = 0;
    return ossl_time_read(X509_get0_notBefore(signer->cert), &not_before) &&
           ossl_time_read(X509_get0_notAfter(signer->cert), &not_after) && now >= not_before &&
           now < not_before + (not_after - not_before) / 2;
}

static void copy(const struct ocsp_signer *signer, struct ocsp_signer *ret_copy)
{
    *ret_copy = *signer;
    X509_up_ref(ret_copy->issuer);
    X509_up_ref(ret_copy->cert);
    EVP_PKEY_up_ref(ret_copy->key);
}

// The old signer while it is young, a new one, or the old one again when there is no new one.
static enum err_code choose(const struct generation *ca, const struct ocsp_signer *old,
                            struct ca_client *client, int64_t now, struct ocsp_signers *into,
                            struct err *err)
{
    struct ocsp_signer *place = &into->list[into->count];
    enum err_code code = ERR_OK;
    if (old == NULL || !is_young(old, now)) {
        code = make(ca, client, place, err);
        into->count += code == ERR_OK ? 1 : 0;
    }
    if (old != NULL && (code != ERR_OK || is_young(old, now))) {
        copy(old, place);
        into->count++;
    }
    return code;
}

enum err_code ocsp_renew(struct ocsp *ocsp, const struct generations *generations,
                         struct ca_client *ca, int64_t now, struct err *err)
{
    CLEANUP(cleanup_ocsp_signers_unref) struct ocsp_signers *old = ocsp_signers_get(ocsp);
    struct ocsp_signers *signers = calloc(1, sizeof *signers);
    if (signers == NULL) {
        return err_set(err, ERR_NOMEM, "no memory for OCSP");
    }
    signers->references = 1;
    enum err_code first = ERR_OK;
    for (unsigned i = 0; i < generations->count; i++) {
        const struct generation *generation = &generations->list[i];
        struct err failure = {0};
        if (choose(generation, find(old, generation->id), ca, now, signers, &failure) != ERR_OK &&
            first == ERR_OK) {
            err_prefix(&failure, "the OCSP signer of CA %s", generation->name);
            first = err_set(err, failure.code, "%s", failure.text);
        }
    }
    replace(ocsp, signers);
    return first;
}
