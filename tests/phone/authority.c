// SPDX-License-Identifier: Apache-2.0
#include "tests/phone/authority.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/phone/credential.h"
#include "tests/phone/degenerate.h"

#define QUERY_LEN_MAX 64 // bytes of what is put behind the URL

const char *name_text(const X509_NAME *name, char text[NAME_TEXT_LEN])
{
    CLEANUP(cleanup_BIO_free_all) BIO *bio = BIO_new(BIO_s_mem());
    require(bio != NULL && X509_NAME_print_ex(bio, name, 0, XN_FLAG_ONELINE & ~XN_FLAG_SPC_EQ) >= 0,
            "printing a name");
    char *data = NULL;
    long len = BIO_get_mem_data(bio, &data);
    snprintf(text, NAME_TEXT_LEN, "%.*s", (int)len, len > 0 ? data : "");
    return text;
}

struct http_answer authority_get(const struct authority *authority, const char *operation)
{
    char url[URL_LEN_MAX + QUERY_LEN_MAX] = "";
    snprintf(url, sizeof url, "%s?operation=%s", authority->url, operation);
    const struct http_call call = {.url = url, .user_agent = authority->user_agent};
    return http_call(&call);
}

static enum outcome read_single(const struct octets *body, STACK_OF(X509) * certs,
                                struct trouble *trouble)
{
    const unsigned char *end = body->data;
    X509 *cert = body->len > 0 ? d2i_X509(NULL, &end, (long)body->len) : NULL;
    if (cert == NULL || end != body->data + body->len) {
        X509_free(cert);
        return trouble_openssl(trouble, OUTCOME_UNTRUSTED, "GetCACert: not one DER certificate");
    }
    require(sk_X509_push(certs, cert) > 0, "keeping a certificate");
    return OUTCOME_OK;
}

static enum outcome read_bundle(const struct octets *body, STACK_OF(X509) * certs,
                                struct trouble *trouble)
{
    CLEANUP(cleanup_PKCS7_free) PKCS7 *bundle = NULL;
    enum outcome outcome = certs_only_parse(body, &bundle, trouble);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    const STACK_OF(X509) *listed = bundle->d.sign->cert;
    for (int i = 0; i < sk_X509_num(listed); i++) {
        X509 *cert = sk_X509_value(listed, i);
        require(X509_up_ref(cert) == 1 && sk_X509_push(certs, cert) > 0, "keeping a certificate");
    }
    return OUTCOME_OK;
}

static enum outcome fetch_certs(struct authority *authority, struct trouble *trouble)
{
    CLEANUP(http_answer_done) struct http_answer answer = authority_get(authority, "GetCACert");
    enum outcome outcome = http_check_ok(&answer, trouble);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    authority->certs = sk_X509_new_null();
    require(authority->certs != NULL, "getting memory");
    if (strcmp(answer.type, "application/x-x509-ca-cert") == 0) {
        outcome = read_single(&answer.body, authority->certs, trouble);
    } else if (strcmp(answer.type, "application/x-x509-ca-ra-cert") == 0) {
        outcome = read_bundle(&answer.body, authority->certs, trouble);
    } else {
        outcome =
            trouble_set(trouble, OUTCOME_UNTRUSTED, "GetCACert: unknown type \"%s\"", answer.type);
    }
    if (outcome == OUTCOME_OK && authority->is_told) {
        printf("GetCACert: %d certificate(s) as %s\n", sk_X509_num(authority->certs), answer.type);
    }
    return outcome;
}

static enum outcome find_root(struct authority *authority, const struct fingerprint *fingerprint,
                              struct trouble *trouble)
{
    for (int i = 0; i < sk_X509_num(authority->certs); i++) {
        X509 *cert = sk_X509_value(authority->certs, i);
        if (fingerprint_matches(fingerprint, cert)) {
            authority->root = cert;
        }
    }
    if (authority->root == NULL) {
        return trouble_set(trouble, OUTCOME_UNTRUSTED,
                           "no certificate of GetCACert has the pinned fingerprint");
    }
    if (authority->is_told) {
        char subject[NAME_TEXT_LEN] = "";
        printf("root: \"%s\" has the pinned %s fingerprint\n",
               name_text(X509_get_subject_name(authority->root), subject),
               EVP_MD_get0_name(fingerprint_digest(fingerprint->len)));
    }
    return OUTCOME_OK;
}

enum outcome authority_check_chain(const struct authority *authority, X509 *cert,
                                   struct trouble *trouble)
{
    CLEANUP(cleanup_X509_STORE_free) X509_STORE *store = X509_STORE_new();
    CLEANUP(cleanup_X509_STORE_CTX_free) X509_STORE_CTX *context = X509_STORE_CTX_new();
    require(store != NULL && context != NULL && X509_STORE_add_cert(store, authority->root) == 1 &&
                (authority->other_root == NULL ||
                 X509_STORE_add_cert(store, authority->other_root) == 1) &&
                X509_STORE_CTX_init(context, store, cert, authority->certs) == 1,
            "preparing a chain check");
    unsigned long flags = authority->is_strict ? X509_V_FLAG_X509_STRICT : 0;
    X509_STORE_CTX_set_flags(context, flags | X509_V_FLAG_CHECK_SS_SIGNATURE);
    if (X509_verify_cert(context) != 1) {
        char subject[NAME_TEXT_LEN] = "";
        return trouble_set(trouble, OUTCOME_UNTRUSTED, "\"%s\" does not chain to the root: %s",
                           name_text(X509_get_subject_name(cert), subject),
                           X509_verify_cert_error_string(X509_STORE_CTX_get_error(context)));
    }
    return OUTCOME_OK;
}

static enum outcome check_chains(const struct authority *authority, struct trouble *trouble)
{
    for (int i = 0; i < sk_X509_num(authority->certs); i++) {
        enum outcome outcome =
            authority_check_chain(authority, sk_X509_value(authority->certs, i), trouble);
        if (outcome != OUTCOME_OK) {
            return outcome;
        }
    }
    return OUTCOME_OK;
}

X509 *authority_choose_ra(const STACK_OF(X509) * certs)
{
    const uint32_t wanted = KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT;
    X509 *ra = NULL;
    for (int i = 0; i < sk_X509_num(certs); i++) {
        X509 *cert = sk_X509_value(certs, i);
        bool is_fit = (X509_get_key_usage(cert) & wanted) == wanted;
        bool is_ca = X509_check_ca(cert) != 0;
        if (is_fit && (ra == NULL || (!is_ca && X509_check_ca(ra) != 0))) {
            ra = cert;
        }
    }
    return ra;
}

// The CA above the RA; the RA itself when that is the CA.
static X509 *find_issuing(const struct authority *authority)
{
    if (X509_check_ca(authority->ra) != 0) {
        return authority->ra;
    }
    for (int i = 0; i < sk_X509_num(authority->certs); i++) {
        X509 *cert = sk_X509_value(authority->certs, i);
        if (cert != authority->ra && X509_check_issued(cert, authority->ra) == X509_V_OK) {
            return cert;
        }
    }
    return authority->root;
}

static enum outcome take_ra(struct authority *authority, const STACK_OF(X509) * certs,
                            const char *where, struct trouble *trouble)
{
    X509 *ra = authority_choose_ra(certs);
    // Old servers have one certificate for everything, whatever its KeyUsage says.
    if (ra == NULL && !authority->is_strict && sk_X509_num(certs) == 1) {
        ra = sk_X509_value(certs, 0);
    }
    if (ra == NULL) {
        return trouble_set(trouble, OUTCOME_UNTRUSTED,
                           "no certificate of %s has digitalSignature + keyEncipherment", where);
    }
    authority->ra = ra;
    authority->issuing = find_issuing(authority);
    if (authority->is_told) {
        char subject[NAME_TEXT_LEN] = "";
        printf("RA: \"%s\", by KeyUsage; all certificates chain to the root\n",
               name_text(X509_get_subject_name(ra), subject));
    }
    return OUTCOME_OK;
}

enum outcome authority_switch(struct authority *authority, const char *path,
                              struct trouble *trouble)
{
    CLEANUP(cleanup_free_certs) STACK_OF(X509) *others = NULL;
    enum outcome outcome = certs_load(path, &others, trouble);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    for (int i = 0; i < sk_X509_num(others); i++) {
        X509 *cert = sk_X509_value(others, i);
        require(X509_up_ref(cert) == 1 && sk_X509_push(authority->certs, cert) > 0,
                "keeping a certificate");
        if (X509_self_signed(cert, 1) == 1) {
            authority->other_root = cert;
        }
    }
    outcome = check_chains(authority, trouble);
    return outcome == OUTCOME_OK ? take_ra(authority, others, path, trouble) : outcome;
}

// The server's own words on one line; anything that does not print is left out.
static void tell_capabilities(const struct octets *body)
{
    fputs("GetCACaps: ", stdout);
    for (size_t i = 0; i < body->len; i++) {
        if (body->data[i] == '\n') {
            fputc(' ', stdout);
        } else if (body->data[i] >= ' ' && body->data[i] <= '~') {
            fputc(body->data[i], stdout);
        }
    }
    fputc('\n', stdout);
}

static enum outcome fetch_capabilities(struct authority *authority, struct trouble *trouble)
{
    CLEANUP(http_answer_done) struct http_answer answer = authority_get(authority, "GetCACaps");
    enum outcome outcome = http_check_ok(&answer, trouble);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    if (authority->is_strict && strcmp(answer.type, "text/plain") != 0) {
        return trouble_set(trouble, OUTCOME_UNTRUSTED, "GetCACaps: type \"%s\" is not text/plain",
                           answer.type);
    }
    authority->capabilities = capabilities_parse(&answer.body);
    if (authority->is_told) {
        tell_capabilities(&answer.body);
    }
    return OUTCOME_OK;
}

enum outcome authority_ask(struct authority *authority, const struct fingerprint *fingerprint,
                           struct trouble *trouble)
{
    enum outcome outcome = fetch_certs(authority, trouble);
    if (outcome == OUTCOME_OK) {
        outcome = find_root(authority, fingerprint, trouble);
    }
    if (outcome == OUTCOME_OK) {
        outcome = check_chains(authority, trouble);
    }
    if (outcome == OUTCOME_OK) {
        outcome = take_ra(authority, authority->certs, "GetCACert", trouble);
    }
    return outcome == OUTCOME_OK ? fetch_capabilities(authority, trouble) : outcome;
}

void authority_done(struct authority *authority)
{
    free_certs(authority->certs);
    authority->certs = NULL;
    authority->root = NULL;
    authority->ra = NULL;
    authority->issuing = NULL;
    authority->other_root = NULL;
}
