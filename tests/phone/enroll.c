// SPDX-License-Identifier: Apache-2.0
// phone enroll: one enrolment as a phone does it, told in plain words.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>

#include "tests/phone/commands.h"
#include "tests/phone/errand.h"
#include "tests/phone/exchange.h"

#define MAC_LEN     6 // octets
#define RDN_LEN_MAX 600

// The phone's key: given, or made and stored before anything is sent, as a phone keeps it over a
// power cut.
static enum outcome get_key(const struct options *options, EVP_PKEY **ret_key,
                            struct trouble *trouble)
{
    if (options->key_file != NULL) {
        *ret_key = key_load(options->key_file, trouble);
        return *ret_key != NULL ? OUTCOME_OK : trouble->outcome;
    }
    *ret_key = key_make((unsigned)options->key_bits);
    printf("key: RSA with %lu bits made\n", options->key_bits);
    if (options->out == NULL) {
        return OUTCOME_OK;
    }
    char path[PATH_LEN_MAX] = "";
    enum outcome outcome = path_join(options->out, "key.pem", path, trouble);
    return outcome == OUTCOME_OK ? key_save(path, *ret_key, trouble) : outcome;
}

static void random_common_name(char rdn[RDN_LEN_MAX])
{
    unsigned char mac[MAC_LEN] = {0};
    require(RAND_bytes(mac, sizeof mac) == 1, "getting random octets");
    snprintf(rdn, RDN_LEN_MAX, "CN=CP-9841-SEP%02X%02X%02X%02X%02X%02X", mac[0], mac[1], mac[2],
             mac[3], mac[4], mac[5]);
}

// A MIC's own common name, with the domain of DHCP option 15 behind it if there is one. A MIC
// without any leaves the naming to the server.
static enum outcome name_by_mic(const struct options *options, const X509 *mic,
                                char rdn[RDN_LEN_MAX], struct trouble *trouble)
{
    char name[COMMON_NAME_LEN] = "";
    if (!cert_common_name(mic, name)) {
        return options->domain == NULL
                   ? OUTCOME_OK
                   : trouble_set(trouble, OUTCOME_USAGE, "--domain: the MIC has no common name");
    }
    snprintf(rdn, RDN_LEN_MAX, "CN=%s%s%s", name, options->domain != NULL ? "." : "",
             options->domain != NULL ? options->domain : "");
    return OUTCOME_OK;
}

// "CN=..." into `rdn`, or nothing for no common name.
static enum outcome choose_name(const struct options *options, const struct credential *mic,
                                char rdn[RDN_LEN_MAX], struct trouble *trouble)
{
    if (options->common_name_rdn != NULL) {
        snprintf(rdn, RDN_LEN_MAX, "%s", options->common_name_rdn);
    } else if (options->is_subject_empty) {
        return OUTCOME_OK;
    } else if (mic != NULL) {
        return name_by_mic(options, mic->cert, rdn, trouble);
    } else if (options->rdn_count == 0) {
        random_common_name(rdn);
    }
    return OUTCOME_OK;
}

static enum outcome enroll_fresh(const struct session *session, EVP_PKEY *key,
                                 const struct credential *mic, X509 **ret_cert,
                                 struct trouble *trouble)
{
    const struct options *options = session->options;
    char rdn[RDN_LEN_MAX] = "";
    enum outcome outcome = choose_name(options, mic, rdn, trouble);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    const struct wish wish = {.common_name_rdn = rdn[0] != '\0' ? rdn : NULL,
                              .challenge = options->challenge};
    CLEANUP(cleanup_X509_REQ_free) X509_REQ *csr = session_csr(session, key, &wish, trouble);
    if (csr == NULL) {
        return trouble->outcome;
    }
    const struct errand errand = {.csr = csr,
                                  .key = key,
                                  .by = mic,
                                  .type = options->message_type != NULL ? options->message_type
                                                                        : MESSAGE_TYPE_REQ};
    return errand_run(session, &errand, ret_cert, trouble);
}

static enum outcome enroll_kept(const struct session *session, EVP_PKEY *key,
                                const struct credential *mic, X509 **ret_cert,
                                struct trouble *trouble)
{
    CLEANUP(octets_done) struct octets der = {0};
    CLEANUP(request_done) struct request request = {0};
    EVP_PKEY *signer_key = mic != NULL ? mic->key : key;
    enum outcome outcome = file_load(session->options->send_file, &der, trouble);
    if (outcome == OUTCOME_OK) {
        outcome = request_read(&der, signer_key, key, &request, trouble);
    }
    return outcome == OUTCOME_OK ? exchange_enroll(session, &request, ret_cert, trouble) : outcome;
}

static enum outcome check_options(const struct options *options, struct trouble *trouble)
{
    if (options->send_file != NULL && options->key_file == NULL) {
        return trouble_set(trouble, OUTCOME_USAGE, "--send needs the request's --key");
    }
    if (options->send_file != NULL && (options->state != NULL || options->wait_sec > 0)) {
        return trouble_set(trouble, OUTCOME_USAGE, "--send: a kept request cannot be polled for");
    }
    if (options->is_only_prepared && options->save_file == NULL) {
        return trouble_set(trouble, OUTCOME_USAGE, "--prepare needs --save");
    }
    if (options->cert_file != NULL) {
        return trouble_set(trouble, OUTCOME_USAGE, "--cert: an installed one is for phone renew");
    }
    bool is_named = options->common_name_rdn != NULL || options->is_subject_empty;
    if (options->domain != NULL && (options->mic_file == NULL || is_named)) {
        return trouble_set(trouble, OUTCOME_USAGE,
                           "--domain: goes behind the common name of a --mic, without --cn and "
                           "--empty-subject");
    }
    return options->out != NULL ? folder_make(options->out, trouble) : OUTCOME_OK;
}

static enum outcome run(const struct session *session, const struct credential *mic,
                        struct trouble *trouble)
{
    CLEANUP(cleanup_EVP_PKEY_free) EVP_PKEY *key = NULL;
    CLEANUP(cleanup_X509_free) X509 *cert = NULL;
    enum outcome outcome = get_key(session->options, &key, trouble);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    outcome = session->options->send_file != NULL ? enroll_kept(session, key, mic, &cert, trouble)
                                                  : enroll_fresh(session, key, mic, &cert, trouble);
    bool is_issued = outcome == OUTCOME_OK && cert != NULL;
    return is_issued ? cert_install(session, cert, key, trouble) : outcome;
}

enum outcome command_enroll(const struct options *options, struct trouble *trouble)
{
    CLEANUP(session_done) struct session session = {0};
    CLEANUP(credential_done) struct credential mic = {0};
    const struct credential_files files = {
        .cert = options->mic_file, .key = options->mic_key_file, .chain = options->mic_chain_file};
    enum outcome outcome = check_options(options, trouble);
    if (outcome == OUTCOME_OK && options->mic_file != NULL) {
        outcome = credential_load(&files, &mic, trouble);
    }
    if (outcome == OUTCOME_OK) {
        outcome = session_open(options, true, &session, trouble);
    }
    return outcome == OUTCOME_OK ? run(&session, options->mic_file != NULL ? &mic : NULL, trouble)
                                 : outcome;
}
