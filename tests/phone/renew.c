// SPDX-License-Identifier: Apache-2.0
// phone renew: a certificate that the phone has already, signed for by that certificate. The old
// one and its key stay in place until the new one is there. phone poll: the rest of an enrolment
// or a renewal that was pending.
#include <stdio.h>

#include "tests/phone/commands.h"
#include "tests/phone/errand.h"

static enum outcome check_options(const struct options *options, struct trouble *trouble)
{
    if (options->cert_file == NULL) {
        return trouble_set(trouble, OUTCOME_USAGE, "renew needs --cert and --cert-key");
    }
    if (options->has_new_key && options->has_same_key) {
        return trouble_set(trouble, OUTCOME_USAGE, "--new-key and --same-key: one of them");
    }
    if (options->has_same_key && options->key_file != NULL) {
        return trouble_set(trouble, OUTCOME_USAGE, "--same-key and --key: one of them");
    }
    if (options->is_only_prepared && options->save_file == NULL) {
        return trouble_set(trouble, OUTCOME_USAGE, "--prepare needs --save");
    }
    return OUTCOME_OK;
}

static enum outcome get_key(const struct options *options, const struct credential *present,
                            EVP_PKEY **ret_key, struct trouble *trouble)
{
    if (options->has_same_key) {
        require(EVP_PKEY_up_ref(present->key) == 1, "sharing a key");
        *ret_key = present->key;
    } else if (options->key_file != NULL) {
        *ret_key = key_load(options->key_file, trouble);
    } else {
        *ret_key = key_make((unsigned)options->key_bits);
    }
    return *ret_key != NULL ? OUTCOME_OK : trouble->outcome;
}

// The names of the present certificate, unless the options ask for others.
static struct wish make_wish(const struct options *options, const struct credential *present)
{
    bool asks_others =
        options->common_name_rdn != NULL || options->rdn_count > 0 || options->is_subject_empty;
    return (struct wish){.common_name_rdn = options->common_name_rdn,
                         .subject = asks_others ? NULL : X509_get_subject_name(present->cert),
                         .challenge = options->challenge};
}

static enum outcome run(const struct session *session, const struct credential *present,
                        struct trouble *trouble)
{
    const struct options *options = session->options;
    CLEANUP(cleanup_EVP_PKEY_free) EVP_PKEY *key = NULL;
    enum outcome outcome = get_key(options, present, &key, trouble);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    const struct wish wish = make_wish(options, present);
    CLEANUP(cleanup_X509_REQ_free) X509_REQ *csr = session_csr(session, key, &wish, trouble);
    if (csr == NULL) {
        return trouble->outcome;
    }
    CLEANUP(cleanup_X509_free) X509 *cert = NULL;
    const struct errand errand = {.csr = csr,
                                  .key = key,
                                  .by = present,
                                  .type = options->message_type != NULL ? options->message_type
                                                                        : MESSAGE_TYPE_RENEWAL};
    outcome = errand_run(session, &errand, &cert, trouble);
    if (outcome != OUTCOME_OK || cert == NULL) {
        return outcome;
    }
    if (X509_cmp(cert, present->cert) == 0) {
        puts("renewal: the present certificate came again");
    }
    return cert_install(session, cert, key, trouble);
}

enum outcome command_renew(const struct options *options, struct trouble *trouble)
{
    CLEANUP(session_done) struct session session = {0};
    CLEANUP(credential_done) struct credential present = {0};
    const struct credential_files files = {.cert = options->cert_file,
                                           .key = options->cert_key_file};
    enum outcome outcome = check_options(options, trouble);
    if (outcome == OUTCOME_OK) {
        outcome = credential_load(&files, &present, trouble);
    }
    if (outcome == OUTCOME_OK) {
        outcome = session_open(options, true, &session, trouble);
    }
    return outcome == OUTCOME_OK ? run(&session, &present, trouble) : outcome;
}

enum outcome command_poll(const struct options *options, struct trouble *trouble)
{
    if (options->state == NULL) {
        return trouble_set(trouble, OUTCOME_USAGE, "poll needs --state");
    }
    CLEANUP(session_done) struct session session = {0};
    CLEANUP(ticket_done) struct ticket ticket = {0};
    CLEANUP(cleanup_X509_free) X509 *cert = NULL;
    enum outcome outcome = ticket_load(options->state, &ticket, trouble);
    if (outcome == OUTCOME_OK) {
        outcome = session_open(options, true, &session, trouble);
    }
    if (outcome == OUTCOME_OK) {
        outcome = ticket_poll(&session, &ticket, options->wait_sec, &cert, trouble);
    }
    return outcome == OUTCOME_OK ? cert_install(&session, cert, ticket.cert_key, trouble) : outcome;
}
