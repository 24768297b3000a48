// SPDX-License-Identifier: Apache-2.0
#include "tests/phone/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

enum outcome session_kept_path(const char *request_path, char path[PATH_LEN_MAX],
                               struct trouble *trouble)
{
    if (snprintf(path, PATH_LEN_MAX, "%s.ca.pem", request_path) >= PATH_LEN_MAX) {
        return trouble_set(trouble, OUTCOME_USAGE, "path of a request: too long");
    }
    return OUTCOME_OK;
}

// To another RA than the present one, if the options say so.
static enum outcome choose_authority(struct session *session, struct trouble *trouble)
{
    const struct options *options = session->options;
    char path[PATH_LEN_MAX] = "";
    enum outcome outcome = OUTCOME_OK;
    if (options->next_file != NULL) {
        outcome = authority_switch(&session->authority, options->next_file, trouble);
    }
    if (outcome == OUTCOME_OK && options->send_file != NULL) {
        outcome = session_kept_path(options->send_file, path, trouble);
    }
    bool has_kept = outcome == OUTCOME_OK && path[0] != '\0' && access(path, F_OK) == 0;
    return has_kept ? authority_switch(&session->authority, path, trouble) : outcome;
}

enum outcome session_open(const struct options *options, bool is_told, struct session *session,
                          struct trouble *trouble)
{
    *session = (struct session){
        .options = options,
        .authority = {.is_strict = !options->is_legacy,
                      .is_told = is_told,
                      .user_agent = options->user_agent},
    };
    enum outcome outcome = url_complete(options->server, session->authority.url, trouble);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    if (is_told) {
        printf("server: %s\n", session->authority.url);
    }
    outcome = authority_ask(&session->authority, &options->pinned, trouble);
    if (outcome == OUTCOME_OK) {
        outcome = choose_authority(session, trouble);
    }
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

X509_REQ *session_csr(const struct session *session, EVP_PKEY *key, const struct wish *wish,
                      struct trouble *trouble)
{
    const struct options *options = session->options;
    const char *rdns[OPTION_LIST_MAX + 1] = {0};
    size_t count = 0;
    if (wish->common_name_rdn != NULL) {
        rdns[count++] = wish->common_name_rdn;
    }
    for (size_t i = 0; i < options->rdn_count; i++) {
        rdns[count++] = options->rdns[i];
    }
    const struct csr_plan plan = {
        .rdns = rdns,
        .rdn_count = count,
        .subject = wish->subject,
        .challenge = wish->challenge,
        .challenge_mask = options->challenge_mask,
        .dns_names = options->dns_names,
        .dns_name_count = options->dns_name_count,
        .digest = session->digest,
    };
    return csr_make(key, &plan, trouble);
}

enum outcome session_message(const struct session *session, const struct posting *posting,
                             struct request *ret_request, struct trouble *trouble)
{
    CLEANUP(cleanup_PKCS7_free)
    PKCS7 *envelope = envelope_make(posting->content, session->authority.ra, session->cipher);
    CLEANUP(octets_done) struct octets content = pkcs7_der(envelope);
    struct message_plan plan = {.key = posting->by->key,
                                .signer = posting->by->cert,
                                .chain = posting->by->chain,
                                .digest = session->digest,
                                .type = posting->type,
                                .content = &content};
    char transaction_id[TRANSACTION_ID_LEN] = "";
    message_plan_random(&plan, transaction_id);
    if (posting->transaction_id != NULL) {
        plan.transaction_id = posting->transaction_id;
    }
    CLEANUP(cleanup_PKCS7_free) PKCS7 *message = message_make(&plan);
    CLEANUP(octets_done) struct octets der = pkcs7_der(message);
    EVP_PKEY *cert_key = posting->cert_key != NULL ? posting->cert_key : posting->by->key;
    return request_read(&der, posting->by->key, cert_key, ret_request, trouble);
}

enum outcome session_request(const struct session *session, X509_REQ *csr, EVP_PKEY *key,
                             const struct credential *by, const char *type,
                             struct request *ret_request, struct trouble *trouble)
{
    CLEANUP(octets_done) struct octets content = csr_der(csr);
    CLEANUP(cleanup_X509_free)
    X509 *signer =
        by == NULL ? signer_make(key, X509_REQ_get_subject_name(csr), session->digest) : NULL;
    const struct credential self = {.key = key, .cert = signer};
    const struct posting posting = {.by = by != NULL ? by : &self,
                                    .cert_key = key,
                                    .type = type,
                                    .transaction_id = session->options->transaction_id,
                                    .content = &content};
    return session_message(session, &posting, ret_request, trouble);
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
        calls[i].user_agent = session->options->user_agent;
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
