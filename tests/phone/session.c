// SPDX-License-Identifier: Apache-2.0
#include "tests/phone/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/objects.h>

#define SEND_TIMEOUT_SEC 60
#define POST_QUERY       "?operation=PKIOperation"

static enum outcome choose_algorithms(struct session *session, struct trouble *trouble)
{
    const struct capabilities *offered = &session->authority.capabilities;
    session->cipher = session->options->cipher;
    if (session->cipher == NULL && offered->aes) {
        session->cipher = EVP_aes_128_cbc();
    } else if (session->cipher == NULL && offered->des3) {
        session->cipher = EVP_des_ede3_cbc();
    }
    session->digest = session->options->digest;
    if (session->digest == NULL && offered->sha256) {
        session->digest = EVP_sha256();
    } else if (session->digest == NULL && offered->sha512) {
        session->digest = EVP_sha512();
    } else if (session->digest == NULL && offered->sha1) {
        session->digest = EVP_sha1();
    }
    if (session->cipher == NULL || session->digest == NULL) {
        return trouble_set(trouble, OUTCOME_UNTRUSTED,
                           "GetCACaps offers no cipher or no digest that is safe");
    }
    return OUTCOME_OK;
}

enum outcome session_open(const struct options *options, bool is_told, struct session *session,
                          struct trouble *trouble)
{
    struct fingerprint fingerprint = {0};
    *session = (struct session){
        .options = options,
        .authority = {.is_strict = !options->is_legacy, .is_told = is_told},
    };
    enum outcome outcome = url_complete(options->server, session->authority.url, trouble);
    if (outcome == OUTCOME_OK) {
        outcome = fingerprint_parse(options->fingerprint, &fingerprint, trouble);
    }
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    if (is_told) {
        printf("server: %s\n", session->authority.url);
    }
    outcome = authority_ask(&session->authority, &fingerprint, trouble);
    if (outcome == OUTCOME_OK) {
        outcome = choose_algorithms(session, trouble);
    }
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    session->use_post =
        options->use_post || (session->authority.capabilities.post && !options->use_get);
    if (is_told) {
        printf("chosen: %s, %s, %s\n", session->use_post ? "POST" : "GET",
               EVP_CIPHER_get0_name(session->cipher), EVP_MD_get0_name(session->digest));
    }
    return OUTCOME_OK;
}

void session_done(struct session *session)
{
    authority_done(&session->authority);
}

X509_REQ *session_csr(const struct session *session, EVP_PKEY *key, const char *common_name_rdn,
                      struct trouble *trouble)
{
    const struct options *options = session->options;
    const char *rdns[OPTION_LIST_MAX + 1] = {0};
    size_t count = 0;
    if (common_name_rdn != NULL) {
        rdns[count++] = common_name_rdn;
    }
    for (size_t i = 0; i < options->rdn_count; i++) {
        rdns[count++] = options->rdns[i];
    }
    const struct csr_plan plan = {
        .rdns = rdns,
        .rdn_count = count,
        .challenge = options->challenge,
        .challenge_mask = options->challenge_mask,
        .dns_names = options->dns_names,
        .dns_name_count = options->dns_name_count,
        .digest = session->digest,
    };
    return csr_make(key, &plan, trouble);
}

enum outcome session_request(const struct session *session, EVP_PKEY *key,
                             const char *common_name_rdn, struct request *ret_request,
                             struct trouble *trouble)
{
    CLEANUP(cleanup_X509_REQ_free)
    X509_REQ *csr = session_csr(session, key, common_name_rdn, trouble);
    if (csr == NULL) {
        return trouble->outcome;
    }
    CLEANUP(cleanup_X509_free)
    X509 *signer = signer_make(key, X509_REQ_get_subject_name(csr), session->digest);
    CLEANUP(octets_done) struct octets csr_octets = csr_der(csr);
    CLEANUP(cleanup_PKCS7_free)
    PKCS7 *envelope = envelope_make(&csr_octets, session->authority.ra, session->cipher);
    CLEANUP(octets_done) struct octets content = pkcs7_der(envelope);
    struct message_plan plan = {.key = key,
                                .signer = signer,
                                .digest = session->digest,
                                .type = MESSAGE_TYPE_REQ,
                                .content = &content};
    char transaction_id[TRANSACTION_ID_LEN] = "";
    message_plan_random(&plan, transaction_id);
    if (session->options->transaction_id != NULL) {
        plan.transaction_id = session->options->transaction_id;
    }
    CLEANUP(cleanup_PKCS7_free) PKCS7 *message = message_make(&plan);
    CLEANUP(octets_done) struct octets der = pkcs7_der(message);
    return request_read(&der, key, ret_request, trouble);
}

int64_t session_send(const struct session *session, const struct octets *messages, size_t count,
                     size_t connections, struct http_answer *answers)
{
    char post_url[URL_LEN_MAX + sizeof POST_QUERY] = "";
    snprintf(post_url, sizeof post_url, "%s" POST_QUERY, session->authority.url);
    struct http_call *calls = calloc(count, sizeof *calls);
    char **urls = calloc(count, sizeof *urls);
    require(calls != NULL && urls != NULL, "getting memory");
    for (size_t i = 0; i < count; i++) {
        if (session->use_post) {
            calls[i] = (struct http_call){.url = post_url, .body = &messages[i]};
        } else {
            urls[i] = message_url(session->authority.url, &messages[i]);
            calls[i] = (struct http_call){.url = urls[i]};
        }
    }
    const struct http_volley volley = {.calls = calls,
                                       .count = count,
                                       .connections = connections,
                                       .timeout_sec = SEND_TIMEOUT_SEC};
    int64_t elapsed_us = http_send(&volley, answers);
    for (size_t i = 0; i < count; i++) {
        free(urls[i]);
    }
    free(urls);
    free(calls);
    return elapsed_us;
}
