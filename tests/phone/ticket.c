// SPDX-License-Identifier: Apache-2.0
#include "tests/phone/ticket.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "tests/phone/exchange.h"

#define KEY_NAME         "key.pem"
#define SIGNER_NAME      "signer.pem"
#define SIGNER_KEY_NAME  "signer-key.pem"
#define SUBJECT_NAME     "subject.der"
#define TRANSACTION_NAME "transaction"
#define USEC_PER_SEC     1000000
#define HTTP_BUSY        503

struct ticket ticket_make(const struct request *request, X509_REQ *csr)
{
    struct ticket ticket = {
        .by = {.key = request->key, .cert = request->signer},
        .cert_key = request->cert_key,
        .subject = X509_NAME_dup(X509_REQ_get_subject_name(csr)),
        .transaction_id = octets_copy(request->transaction_id.data, request->transaction_id.len),
    };
    require(ticket.subject != NULL && EVP_PKEY_up_ref(ticket.by.key) == 1 &&
                EVP_PKEY_up_ref(ticket.cert_key) == 1 && X509_up_ref(ticket.by.cert) == 1,
            "keeping a request");
    return ticket;
}

void ticket_done(struct ticket *ticket)
{
    credential_done(&ticket->by);
    EVP_PKEY_free(ticket->cert_key);
    X509_NAME_free(ticket->subject);
    octets_done(&ticket->transaction_id);
    *ticket = (struct ticket){0};
}

static enum outcome save_octets(const char *folder, const char *name, const struct octets *octets,
                                struct trouble *trouble)
{
    char path[PATH_LEN_MAX] = "";
    enum outcome outcome = path_join(folder, name, path, trouble);
    return outcome == OUTCOME_OK ? file_replace(path, octets, trouble) : outcome;
}

static enum outcome save_key(const char *folder, const char *name, EVP_PKEY *key,
                             struct trouble *trouble)
{
    char path[PATH_LEN_MAX] = "";
    enum outcome outcome = path_join(folder, name, path, trouble);
    return outcome == OUTCOME_OK ? key_save(path, key, trouble) : outcome;
}

static enum outcome save_subject(const char *folder, const X509_NAME *subject,
                                 struct trouble *trouble)
{
    const unsigned char *der = NULL;
    size_t len = 0;
    require(X509_NAME_get0_der(subject, &der, &len) == 1, "encoding a name");
    CLEANUP(octets_done) struct octets copy = octets_copy(der, len);
    return save_octets(folder, SUBJECT_NAME, &copy, trouble);
}

enum outcome ticket_save(const struct ticket *ticket, const char *folder, struct trouble *trouble)
{
    enum outcome outcome = folder_make(folder, trouble);
    if (outcome == OUTCOME_OK) {
        outcome = save_key(folder, KEY_NAME, ticket->cert_key, trouble);
    }
    if (outcome == OUTCOME_OK) {
        outcome = save_key(folder, SIGNER_KEY_NAME, ticket->by.key, trouble);
    }
    if (outcome == OUTCOME_OK) {
        outcome = cert_store(folder, SIGNER_NAME, ticket->by.cert, trouble);
    }
    if (outcome == OUTCOME_OK) {
        outcome = save_subject(folder, ticket->subject, trouble);
    }
    if (outcome == OUTCOME_OK) {
        outcome = save_octets(folder, TRANSACTION_NAME, &ticket->transaction_id, trouble);
    }
    return outcome;
}

static enum outcome load_signer(const char *folder, struct ticket *ticket, struct trouble *trouble)
{
    char cert[PATH_LEN_MAX] = "";
    char key[PATH_LEN_MAX] = "";
    enum outcome outcome = path_join(folder, SIGNER_NAME, cert, trouble);
    if (outcome == OUTCOME_OK) {
        outcome = path_join(folder, SIGNER_KEY_NAME, key, trouble);
    }
    const struct credential_files files = {.cert = cert, .key = key};
    return outcome == OUTCOME_OK ? credential_load(&files, &ticket->by, trouble) : outcome;
}

static enum outcome load_octets(const char *folder, const char *name, struct octets *ret_octets,
                                struct trouble *trouble)
{
    char path[PATH_LEN_MAX] = "";
    enum outcome outcome = path_join(folder, name, path, trouble);
    return outcome == OUTCOME_OK ? file_load(path, ret_octets, trouble) : outcome;
}

static enum outcome load_names(const char *folder, struct ticket *ticket, struct trouble *trouble)
{
    CLEANUP(octets_done) struct octets subject = {0};
    enum outcome outcome = load_octets(folder, SUBJECT_NAME, &subject, trouble);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    const unsigned char *at = subject.data;
    ticket->subject = d2i_X509_NAME(NULL, &at, (long)subject.len);
    if (ticket->subject == NULL) {
        return trouble_openssl(trouble, OUTCOME_TROUBLE, "%s/" SUBJECT_NAME ": not a name", folder);
    }
    outcome = load_octets(folder, TRANSACTION_NAME, &ticket->transaction_id, trouble);
    if (outcome == OUTCOME_OK && ticket->transaction_id.len >= TRANSACTION_ID_LEN) {
        outcome =
            trouble_set(trouble, OUTCOME_TROUBLE, "%s/" TRANSACTION_NAME ": too long", folder);
    }
    return outcome;
}

enum outcome ticket_load(const char *folder, struct ticket *ret_ticket, struct trouble *trouble)
{
    CLEANUP(ticket_done) struct ticket ticket = {0};
    char path[PATH_LEN_MAX] = "";
    enum outcome outcome = path_join(folder, KEY_NAME, path, trouble);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    ticket.cert_key = key_load(path, trouble);
    if (ticket.cert_key == NULL) {
        return trouble->outcome;
    }
    outcome = load_signer(folder, &ticket, trouble);
    if (outcome == OUTCOME_OK) {
        outcome = load_names(folder, &ticket, trouble);
    }
    if (outcome == OUTCOME_OK) {
        *ret_ticket = ticket;
        ticket = (struct ticket){0};
    }
    return outcome;
}

// Each poll has a nonce of its own, so each is a message of its own.
// *ret_is_busy: the server said to come again later.
static enum outcome poll_once(const struct session *session, const struct ticket *ticket,
                              X509 **ret_cert, bool *ret_is_busy, struct trouble *trouble)
{
    const X509_NAME *issuer = X509_get_subject_name(session->authority.issuing);
    CLEANUP(octets_done) struct octets content = issuer_and_subject_der(issuer, ticket->subject);
    char transaction_id[TRANSACTION_ID_LEN] = "";
    snprintf(transaction_id, sizeof transaction_id, "%.*s", (int)ticket->transaction_id.len,
             (const char *)ticket->transaction_id.data);
    const char *chosen_id = session->options->transaction_id;
    const struct posting posting = {.by = &ticket->by,
                                    .cert_key = ticket->cert_key,
                                    .type = MESSAGE_TYPE_POLL,
                                    .transaction_id =
                                        chosen_id != NULL ? chosen_id : transaction_id,
                                    .content = &content};
    CLEANUP(request_done) struct request request = {0};
    enum outcome outcome = session_message(session, &posting, &request, trouble);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    const struct reply_rules rules = exchange_rules(session, &request);
    CLEANUP(http_answer_done) struct http_answer answer = {0};
    CLEANUP(reply_done) struct reply reply = {0};
    session_send(session, &request.der, 1, 1, &answer);
    *ret_is_busy = answer.status == HTTP_BUSY;
    outcome = exchange_read(&answer, &rules, &reply, trouble);
    if (outcome == OUTCOME_OK) {
        *ret_cert = reply.cert;
        reply.cert = NULL;
    }
    return outcome;
}

enum outcome ticket_poll(const struct session *session, const struct ticket *ticket,
                         unsigned long wait_sec, X509 **ret_cert, struct trouble *trouble)
{
    int64_t until_us = clock_us() + (int64_t)wait_sec * USEC_PER_SEC;
    size_t polls = 1;
    bool is_busy = false;
    enum outcome outcome = poll_once(session, ticket, ret_cert, &is_busy, trouble);
    while ((outcome == OUTCOME_PENDING || is_busy) && clock_us() < until_us) {
        poll(NULL, 0, TICKET_INTERVAL_MS);
        outcome = poll_once(session, ticket, ret_cert, &is_busy, trouble);
        polls++;
    }
    printf("CertPoll: sent %zu time(s)\n", polls);
    return outcome;
}
