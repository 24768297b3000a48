// SPDX-License-Identifier: Apache-2.0
#include "tests/phone/errand.h"

#include <stdio.h>

#include "tests/phone/exchange.h"

static enum outcome keep_ticket(const struct options *options, const struct ticket *ticket,
                                struct trouble *trouble)
{
    return options->state != NULL ? ticket_save(ticket, options->state, trouble) : OUTCOME_OK;
}

static enum outcome save_request(const struct session *session, const struct request *request,
                                 struct trouble *trouble)
{
    const char *save_file = session->options->save_file;
    char path[PATH_LEN_MAX] = "";
    if (save_file == NULL) {
        return OUTCOME_OK;
    }
    enum outcome outcome = file_save(save_file, &request->der, trouble);
    if (outcome == OUTCOME_OK) {
        outcome = session_kept_path(save_file, path, trouble);
    }
    CLEANUP(octets_done) struct octets pem = certs_pem(session->authority.certs);
    return outcome == OUTCOME_OK ? file_save(path, &pem, trouble) : outcome;
}

static enum outcome send_request(const struct session *session, const struct request *request,
                                 const struct ticket *ticket, X509 **ret_cert,
                                 struct trouble *trouble)
{
    unsigned long wait_sec = session->options->wait_sec;
    enum outcome outcome = exchange_enroll(session, request, ret_cert, trouble);
    if (outcome == OUTCOME_PENDING && wait_sec > 0) {
        outcome = ticket_poll(session, ticket, wait_sec, ret_cert, trouble);
    }
    return outcome;
}

enum outcome errand_run(const struct session *session, const struct errand *errand, X509 **ret_cert,
                        struct trouble *trouble)
{
    const struct options *options = session->options;
    CLEANUP(request_done) struct request request = {0};
    enum outcome outcome = session_request(session, errand->csr, errand->key, errand->by,
                                           errand->type, &request, trouble);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    printf("request: messageType %s, %zu octets, transactionID %.*s\n", errand->type,
           request.der.len, (int)request.transaction_id.len,
           (const char *)request.transaction_id.data);
    CLEANUP(ticket_done) struct ticket ticket = ticket_make(&request, errand->csr);
    outcome = save_request(session, &request, trouble);
    if (outcome == OUTCOME_OK) {
        outcome = keep_ticket(options, &ticket, trouble);
    }
    if (outcome != OUTCOME_OK || options->is_only_prepared) {
        return outcome;
    }
    return send_request(session, &request, &ticket, ret_cert, trouble);
}

enum outcome cert_install(const struct session *session, X509 *cert, EVP_PKEY *key,
                          struct trouble *trouble)
{
    const char *out = session->options->out;
    puts("answer: SUCCESS, signed by the RA; the certificate is for this phone's key and chains "
         "to the root");
    cert_tell(cert);
    if (out == NULL) {
        return OUTCOME_OK;
    }
    char path[PATH_LEN_MAX] = "";
    enum outcome outcome = folder_make(out, trouble);
    if (outcome == OUTCOME_OK) {
        outcome = path_join(out, "key.pem", path, trouble);
    }
    if (outcome == OUTCOME_OK) {
        outcome = key_save(path, key, trouble);
    }
    if (outcome == OUTCOME_OK) {
        outcome = cert_store(out, "cert.pem", cert, trouble);
    }
    return outcome == OUTCOME_OK ? cert_store(out, "root.pem", session->authority.root, trouble)
                                 : outcome;
}
