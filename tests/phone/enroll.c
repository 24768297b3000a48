// SPDX-License-Identifier: Apache-2.0
// phone enroll: one enrolment as a phone does it, told in plain words.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/pem.h>
#include <openssl/rand.h>

#include "tests/phone/commands.h"
#include "tests/phone/session.h"

#define PATH_LEN_MAX  4096
#define MAC_LEN       6 // octets
#define DIRECTORY_ACL 0700

// Where a thing of --out goes. Errors: OUTCOME_USAGE when the path is too long.
static enum outcome out_path(const struct options *options, const char *name,
                             char path[PATH_LEN_MAX], struct trouble *trouble)
{
    if (snprintf(path, PATH_LEN_MAX, "%s/%s", options->out, name) >= PATH_LEN_MAX) {
        return trouble_set(trouble, OUTCOME_USAGE, "--out: too long");
    }
    return OUTCOME_OK;
}

static enum outcome store_cert(const struct options *options, const char *name, X509 *cert,
                               struct trouble *trouble)
{
    char path[PATH_LEN_MAX] = "";
    enum outcome outcome = out_path(options, name, path, trouble);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    CLEANUP(cleanup_BIO_free_all) BIO *bio = BIO_new(BIO_s_mem());
    require(bio != NULL && PEM_write_bio_X509(bio, cert) == 1, "encoding a certificate");
    char *data = NULL;
    long len = BIO_get_mem_data(bio, &data);
    CLEANUP(octets_done) struct octets pem = octets_copy(data, (size_t)len);
    return file_save(path, &pem, trouble);
}

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
    enum outcome outcome = out_path(options, "key.pem", path, trouble);
    return outcome == OUTCOME_OK ? key_save(path, *ret_key, trouble) : outcome;
}

static void default_common_name(char rdn[64])
{
    unsigned char mac[MAC_LEN] = {0};
    require(RAND_bytes(mac, sizeof mac) == 1, "getting random octets");
    snprintf(rdn, 64, "CN=CP-9841-SEP%02X%02X%02X%02X%02X%02X", mac[0], mac[1], mac[2], mac[3],
             mac[4], mac[5]);
}

static enum outcome make_request(const struct session *session, EVP_PKEY *key,
                                 struct request *ret_request, struct trouble *trouble)
{
    const struct options *options = session->options;
    char random_rdn[64] = "";
    const char *rdn = options->common_name_rdn;
    if (rdn == NULL && options->rdn_count == 0 && !options->is_subject_empty) {
        default_common_name(random_rdn);
        rdn = random_rdn;
    }
    enum outcome outcome = session_request(session, key, rdn, ret_request, trouble);
    if (outcome == OUTCOME_OK && options->save_file != NULL) {
        outcome = file_save(options->save_file, &ret_request->der, trouble);
    }
    return outcome;
}

static enum outcome get_request(const struct session *session, EVP_PKEY *key,
                                struct request *ret_request, struct trouble *trouble)
{
    if (session->options->send_file == NULL) {
        return make_request(session, key, ret_request, trouble);
    }
    CLEANUP(octets_done) struct octets der = {0};
    enum outcome outcome = file_load(session->options->send_file, &der, trouble);
    return outcome == OUTCOME_OK ? request_read(&der, key, ret_request, trouble) : outcome;
}

static void tell_cert(X509 *cert)
{
    char subject[NAME_TEXT_LEN] = "";
    char issuer[NAME_TEXT_LEN] = "";
    printf("certificate: \"%s\" from \"%s\"\n", name_text(X509_get_subject_name(cert), subject),
           name_text(X509_get_issuer_name(cert), issuer));
    fputs("serial: ", stdout);
    const ASN1_INTEGER *serial = X509_get0_serialNumber(cert);
    for (int i = 0; i < ASN1_STRING_length(serial); i++) {
        printf("%02X", (unsigned)ASN1_STRING_get0_data(serial)[i]);
    }
    fputc('\n', stdout);
}

static enum outcome take_reply(const struct session *session, const struct http_answer *answer,
                               const struct request *request, X509 **ret_cert,
                               struct trouble *trouble)
{
    const struct reply_rules rules = {.authority = &session->authority,
                                      .request = request,
                                      .is_legacy = session->options->is_legacy};
    CLEANUP(reply_done) struct reply reply = {0};
    enum outcome outcome = reply_read(answer, &rules, &reply, trouble);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    if (reply.status == PKI_STATUS_FAILURE) {
        return trouble_set(trouble, OUTCOME_REFUSED, "refused: failInfo %d (%s)%s%s",
                           reply.fail_info, fail_info_name(reply.fail_info),
                           reply.fail_info_text[0] != '\0' ? ": " : "", reply.fail_info_text);
    }
    if (reply.status == PKI_STATUS_PENDING) {
        return trouble_set(trouble, OUTCOME_TROUBLE, "not decided yet (PENDING)");
    }
    *ret_cert = reply.cert;
    reply.cert = NULL;
    return OUTCOME_OK;
}

// Every answer must carry the same certificate.
static enum outcome take_replies(const struct session *session, const struct request *request,
                                 const struct http_answer *answers, size_t count, X509 **cert,
                                 struct trouble *trouble)
{
    for (size_t i = 0; i < count; i++) {
        CLEANUP(cleanup_X509_free) X509 *another = NULL;
        enum outcome outcome = take_reply(session, &answers[i], request, &another, trouble);
        if (outcome != OUTCOME_OK) {
            return outcome;
        }
        if (*cert == NULL) {
            *cert = another;
            another = NULL;
        } else if (X509_cmp(*cert, another) != 0) {
            return trouble_set(trouble, OUTCOME_UNTRUSTED,
                               "the same request was answered with two certificates");
        }
    }
    return OUTCOME_OK;
}

static enum outcome send_at_once(const struct session *session, const struct request *request,
                                 size_t count, X509 **cert, struct trouble *trouble)
{
    struct octets *messages = calloc(count, sizeof *messages);
    struct http_answer *answers = calloc(count, sizeof *answers);
    require(messages != NULL && answers != NULL, "getting memory");
    for (size_t i = 0; i < count; i++) {
        messages[i] = request->der; // borrowed
    }
    session_send(session, messages, count, count, answers);
    enum outcome outcome = take_replies(session, request, answers, count, cert, trouble);
    for (size_t i = 0; i < count; i++) {
        http_answer_done(&answers[i]);
    }
    free(answers);
    free(messages);
    return outcome;
}

static enum outcome send_request(const struct session *session, const struct request *request,
                                 X509 **ret_cert, struct trouble *trouble)
{
    const struct options *options = session->options;
    size_t at_once = options->parallel > 0 ? options->parallel : 1;
    printf("request: PKCSReq of %zu octets, transactionID %.*s\n", request->der.len,
           (int)request->transaction_id.len, (const char *)request->transaction_id.data);
    enum outcome outcome = send_at_once(session, request, at_once, ret_cert, trouble);
    for (size_t i = 0; outcome == OUTCOME_OK && i < options->repeat; i++) {
        outcome = send_at_once(session, request, 1, ret_cert, trouble);
    }
    if (outcome == OUTCOME_OK && at_once + options->repeat > 1) {
        printf("sent %zu times in all: the same certificate each time\n",
               at_once + options->repeat);
    }
    return outcome;
}

static enum outcome check_options(const struct options *options, struct trouble *trouble)
{
    if (options->send_file != NULL && options->key_file == NULL) {
        return trouble_set(trouble, OUTCOME_USAGE, "--send needs the request's --key");
    }
    if (options->is_only_prepared && options->save_file == NULL) {
        return trouble_set(trouble, OUTCOME_USAGE, "--prepare needs --save");
    }
    if (options->transaction_id != NULL && strlen(options->transaction_id) >= TRANSACTION_ID_LEN) {
        return trouble_set(trouble, OUTCOME_USAGE, "--transaction: too long");
    }
    if (options->out != NULL && mkdir(options->out, DIRECTORY_ACL) != 0 && errno != EEXIST) {
        return trouble_set(trouble, OUTCOME_TROUBLE, "%s: %s", options->out, strerror(errno));
    }
    return OUTCOME_OK;
}

static enum outcome run(const struct session *session, struct trouble *trouble)
{
    const struct options *options = session->options;
    CLEANUP(cleanup_EVP_PKEY_free) EVP_PKEY *key = NULL;
    CLEANUP(request_done) struct request request = {0};
    CLEANUP(cleanup_X509_free) X509 *cert = NULL;
    enum outcome outcome = get_key(options, &key, trouble);
    if (outcome == OUTCOME_OK) {
        outcome = get_request(session, key, &request, trouble);
    }
    if (outcome != OUTCOME_OK || options->is_only_prepared) {
        return outcome;
    }
    outcome = send_request(session, &request, &cert, trouble);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    puts("answer: SUCCESS, signed by the RA; the certificate is for this phone's key and chains "
         "to the root");
    tell_cert(cert);
    if (options->out == NULL) {
        return OUTCOME_OK;
    }
    outcome = store_cert(options, "cert.pem", cert, trouble);
    return outcome == OUTCOME_OK ? store_cert(options, "root.pem", session->authority.root, trouble)
                                 : outcome;
}

enum outcome command_enroll(const struct options *options, struct trouble *trouble)
{
    CLEANUP(session_done) struct session session = {0};
    enum outcome outcome = check_options(options, trouble);
    if (outcome == OUTCOME_OK) {
        outcome = session_open(options, true, &session, trouble);
    }
    return outcome == OUTCOME_OK ? run(&session, trouble) : outcome;
}
