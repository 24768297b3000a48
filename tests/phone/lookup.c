// SPDX-License-Identifier: Apache-2.0
// phone getcert, getcrl, getnextca: what a phone can ask for without asking for a certificate of
// its own (RFC 8894, 4.5 to 4.7).
#include <stdio.h>
#include <string.h>

#include <openssl/pem.h>

#include "tests/phone/commands.h"
#include "tests/phone/exchange.h"
#include "tests/phone/next_ca.h"

#define NEXT_NAME "next.pem"

// Who asks, and what about.
struct question {
    struct credential by;
    X509 *issuer;         // the CA
    ASN1_INTEGER *serial; // of the certificate
};

static void question_done(struct question *question)
{
    credential_done(&question->by);
    X509_free(question->issuer);
    ASN1_INTEGER_free(question->serial);
}

// A phone without a certificate signs with a throw-away one.
static void make_throw_away(const struct session *session, struct credential *ret_by)
{
    CLEANUP(cleanup_X509_NAME_free) X509_NAME *name = X509_NAME_new();
    require(name != NULL &&
                X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                           (const unsigned char *)"phone", -1, -1, 0) == 1,
            "naming a signer");
    ret_by->key = key_make(KEY_BITS_DEFAULT);
    ret_by->cert = signer_make(ret_by->key, name, session->digest);
}

static enum outcome get_signer(const struct session *session, struct credential *ret_by,
                               struct trouble *trouble)
{
    const struct options *options = session->options;
    const struct credential_files installed = {.cert = options->cert_file,
                                               .key = options->cert_key_file};
    const struct credential_files mic = {
        .cert = options->mic_file, .key = options->mic_key_file, .chain = options->mic_chain_file};
    if (options->cert_file != NULL) {
        return credential_load(&installed, ret_by, trouble);
    }
    if (options->mic_file != NULL) {
        return credential_load(&mic, ret_by, trouble);
    }
    make_throw_away(session, ret_by);
    return OUTCOME_OK;
}

static enum outcome get_issuer(const struct session *session, X509 **ret_issuer,
                               struct trouble *trouble)
{
    if (session->options->issuer_file != NULL) {
        return cert_load(session->options->issuer_file, ret_issuer, trouble);
    }
    *ret_issuer = session->authority.issuing;
    require(X509_up_ref(*ret_issuer) == 1, "sharing a certificate");
    return OUTCOME_OK;
}

static ASN1_INTEGER *make_serial(const struct options *options, const X509 *signer)
{
    if (options->serial == NULL) {
        return ASN1_INTEGER_dup(X509_get0_serialNumber(signer));
    }
    BIGNUM *number = NULL;
    require(BN_hex2bn(&number, options->serial) > 0, "reading a serial number");
    CLEANUP(cleanup_BN_free) BIGNUM *owned = number;
    return BN_to_ASN1_INTEGER(owned, NULL);
}

static enum outcome question_make(const struct session *session, struct question *question,
                                  struct trouble *trouble)
{
    enum outcome outcome = get_signer(session, &question->by, trouble);
    if (outcome == OUTCOME_OK) {
        outcome = get_issuer(session, &question->issuer, trouble);
    }
    if (outcome == OUTCOME_OK) {
        question->serial = make_serial(session->options, question->by.cert);
        require(question->serial != NULL, "making a serial number");
    }
    return outcome;
}

static enum outcome ask(const struct session *session, const struct question *question,
                        const char *type, struct reply *ret_reply, struct trouble *trouble)
{
    const X509_NAME *issuer = X509_get_subject_name(question->issuer);
    CLEANUP(octets_done) struct octets content = issuer_and_serial_der(issuer, question->serial);
    const struct posting posting = {.by = &question->by,
                                    .type = type,
                                    .transaction_id = session->options->transaction_id,
                                    .content = &content};
    CLEANUP(request_done) struct request request = {0};
    enum outcome outcome = session_message(session, &posting, &request, trouble);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    struct reply_rules rules = exchange_rules(session, &request);
    rules.wanted = strcmp(type, MESSAGE_TYPE_GET_CRL) == 0 ? WANTED_CRL : WANTED_CERT;
    rules.issuer = question->issuer;
    rules.serial = question->serial;
    return exchange(session, &rules, ret_reply, trouble);
}

static enum outcome look_up(const struct options *options, const char *type,
                            struct reply *ret_reply, struct trouble *trouble)
{
    CLEANUP(session_done) struct session session = {0};
    CLEANUP(question_done) struct question question = {0};
    enum outcome outcome = session_open(options, true, &session, trouble);
    if (outcome == OUTCOME_OK) {
        outcome = question_make(&session, &question, trouble);
    }
    if (outcome == OUTCOME_OK) {
        outcome = ask(&session, &question, type, ret_reply, trouble);
    }
    if (outcome == OUTCOME_OK && options->out != NULL) {
        outcome = folder_make(options->out, trouble);
    }
    return outcome;
}

enum outcome command_getcert(const struct options *options, struct trouble *trouble)
{
    if (options->serial == NULL && options->cert_file == NULL) {
        return trouble_set(trouble, OUTCOME_USAGE, "getcert needs --serial or --cert");
    }
    CLEANUP(reply_done) struct reply reply = {0};
    enum outcome outcome = look_up(options, MESSAGE_TYPE_GET_CERT, &reply, trouble);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    puts("answer: SUCCESS, signed by the RA; the certificate is the one that was asked for");
    cert_tell(reply.cert);
    return options->out != NULL ? cert_store(options->out, "found.pem", reply.cert, trouble)
                                : OUTCOME_OK;
}

static void crl_tell(X509_CRL *crl)
{
    char issuer[NAME_TEXT_LEN] = "";
    ASN1_INTEGER *number = X509_CRL_get_ext_d2i(crl, NID_crl_number, NULL, NULL);
    const STACK_OF(X509_REVOKED) *revoked = X509_CRL_get_REVOKED(crl);
    int count = revoked != NULL ? sk_X509_REVOKED_num(revoked) : 0;
    printf("CRL: from \"%s\", %d revoked\n", name_text(X509_CRL_get_issuer(crl), issuer), count);
    fputs("number: ", stdout);
    if (number != NULL) {
        serial_print(number);
    } else {
        puts("unreadable");
    }
    ASN1_INTEGER_free(number);
    for (int i = 0; i < count; i++) {
        fputs("revoked: ", stdout);
        serial_print(X509_REVOKED_get0_serialNumber(sk_X509_REVOKED_value(revoked, i)));
    }
}

static enum outcome crl_store(const char *folder, X509_CRL *crl, struct trouble *trouble)
{
    char path[PATH_LEN_MAX] = "";
    enum outcome outcome = path_join(folder, "crl.pem", path, trouble);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    CLEANUP(cleanup_BIO_free_all) BIO *bio = BIO_new(BIO_s_mem());
    require(bio != NULL && PEM_write_bio_X509_CRL(bio, crl) == 1, "encoding a CRL");
    char *data = NULL;
    long len = BIO_get_mem_data(bio, &data);
    CLEANUP(octets_done) struct octets pem = octets_copy(data, (size_t)len);
    return file_replace(path, &pem, trouble);
}

enum outcome command_getcrl(const struct options *options, struct trouble *trouble)
{
    CLEANUP(reply_done) struct reply reply = {0};
    enum outcome outcome = look_up(options, MESSAGE_TYPE_GET_CRL, &reply, trouble);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    puts("answer: SUCCESS, signed by the RA; one CRL, in force, signed by the CA, and no "
         "certificate");
    crl_tell(reply.crl);
    return options->out != NULL ? crl_store(options->out, reply.crl, trouble) : OUTCOME_OK;
}

static void certs_tell(const STACK_OF(X509) * certs)
{
    for (int i = 0; i < sk_X509_num(certs); i++) {
        char subject[NAME_TEXT_LEN] = "";
        unsigned char hash[EVP_MAX_MD_SIZE] = {0};
        unsigned len = 0;
        const X509 *cert = sk_X509_value(certs, i);
        require(X509_digest(cert, EVP_sha256(), hash, &len) == 1, "hashing a certificate");
        printf("next: \"%s\" SHA-256 ", name_text(X509_get_subject_name(cert), subject));
        for (unsigned at = 0; at < len; at++) {
            printf("%02X", (unsigned)hash[at]);
        }
        fputc('\n', stdout);
    }
}

static enum outcome fetch_next(const struct session *session, STACK_OF(X509) * *ret_certs,
                               struct trouble *trouble)
{
    CLEANUP(http_answer_done)
    struct http_answer answer = authority_get(&session->authority, "GetNextCACert");
    enum outcome outcome = http_check_ok(&answer, trouble);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    if (strcmp(answer.type, "application/x-x509-next-ca-cert") != 0) {
        return trouble_set(trouble, OUTCOME_UNTRUSTED, "GetNextCACert: wrong type \"%s\"",
                           answer.type);
    }
    if (!session->authority.capabilities.next_ca) {
        return trouble_set(trouble, OUTCOME_UNTRUSTED,
                           "GetNextCACert: answered, but GetCACaps does not offer it");
    }
    return next_ca_parse(&answer.body, &session->authority, ret_certs, trouble);
}

static enum outcome certs_store(const char *folder, const STACK_OF(X509) * certs,
                                struct trouble *trouble)
{
    char path[PATH_LEN_MAX] = "";
    enum outcome outcome = folder_make(folder, trouble);
    if (outcome == OUTCOME_OK) {
        outcome = path_join(folder, NEXT_NAME, path, trouble);
    }
    CLEANUP(octets_done) struct octets pem = certs_pem(certs);
    return outcome == OUTCOME_OK ? file_replace(path, &pem, trouble) : outcome;
}

enum outcome command_getnextca(const struct options *options, struct trouble *trouble)
{
    CLEANUP(session_done) struct session session = {0};
    CLEANUP(cleanup_free_certs) STACK_OF(X509) *certs = NULL;
    enum outcome outcome = session_open(options, true, &session, trouble);
    if (outcome == OUTCOME_OK) {
        outcome = fetch_next(&session, &certs, trouble);
    }
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    puts("GetNextCACert: signed by the present CA");
    certs_tell(certs);
    return options->out != NULL ? certs_store(options->out, certs, trouble) : OUTCOME_OK;
}
