// SPDX-License-Identifier: Apache-2.0
// The CA that comes after another one: its name, its key, and a signature of the root or its own.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include "ca/ceremony_parts.h"
#include "ca/issue.h"
#include "ca/key.h"
#include "conf/base/private_key.h"
#include "conf/limits.h"

#define GENERATION_MARK   " G" // in front of the number at the end of a CN
#define GENERATION_DIGITS 4    // more is no number of ours
#define FIRST_SUCCESSOR   2

// The length of `text` without " G<number>" at its end; *ret_number gets that number, or 1.
static size_t split_generation(const char *text, unsigned *ret_number)
{
    size_t len = strlen(text);
    size_t digits = 0;
    while (digits < len && text[len - digits - 1] >= '0' && text[len - digits - 1] <= '9') {
        digits++;
    }
    size_t mark_len = strlen(GENERATION_MARK);
    size_t at = len - digits;
    bool is_marked = digits > 0 && digits <= GENERATION_DIGITS && at > mark_len &&
                     memcmp(text + at - mark_len, GENERATION_MARK, mark_len) == 0 &&
                     text[at] != '0';
    *ret_number = is_marked ? (unsigned)strtoul(text + at, NULL, 10) : 1;
    return is_marked ? at - mark_len : len;
}

static enum err_code count_up(const char *common_name, char ret_next[LIMIT_NAME_VALUE + 1],
                              struct err *err)
{
    unsigned number = 1;
    size_t len = split_generation(common_name, &number);
    unsigned next = number < FIRST_SUCCESSOR ? FIRST_SUCCESSOR : number + 1;
    int written = snprintf(ret_next, LIMIT_NAME_VALUE + 1, "%.*s" GENERATION_MARK "%u", (int)len,
                           common_name, next);
    if (written < 0 || written > LIMIT_NAME_VALUE) {
        return err_set(err, ERR_CONFIG,
                       "the present CA's common name is too long to be counted up");
    }
    return ERR_OK;
}

static enum err_code replace_common_name(X509_NAME *name, int at, const char *text, struct err *err)
{
    X509_NAME_ENTRY_free(X509_NAME_delete_entry(name, at));
    // As text, so that OpenSSL refuses more characters than X.520 allows.
    if (X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8, (const unsigned char *)text,
                                   -1, at, 0) != 1) {
        return err_set_openssl(err, ERR_CONFIG, "the next CA's common name \"%s\" is not allowed",
                               text);
    }
    return ERR_OK;
}

static int find_common_name(const X509_NAME *name)
{
    int found = -1;
    int at = -1;
    while ((at = X509_NAME_get_index_by_NID(name, NID_commonName, at)) >= 0) {
        found = at;
    }
    return found;
}

enum err_code ceremony_next_name(const X509_NAME *name, X509_NAME **ret_name, struct err *err)
{
    CLEANUP(buf_done) struct buf text = {0};
    char next[LIMIT_NAME_VALUE + 1];
    int at = find_common_name(name);
    if (at < 0) {
        return err_set(err, ERR_CONFIG, "the present CA's subject has no common name (CN)");
    }
    enum err_code code =
        ossl_string_to_utf8(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)), &text, err);
    if (code == ERR_OK) {
        code = buf_append(&text, view_of("", 1), err);
    }
    if (code == ERR_OK) {
        code = count_up((const char *)text.data, next, err);
    }
    CLEANUP(cleanup_X509_NAME_free) X509_NAME *copy = X509_NAME_dup(name);
    if (code == ERR_OK && copy == NULL) {
        code = err_set(err, ERR_NOMEM, "no memory for a name");
    }
    if (code == ERR_OK) {
        code = replace_common_name(copy, at, next, err);
    }
    if (code == ERR_OK) {
        *ret_name = copy;
        copy = NULL;
    }
    return code;
}

static enum err_code open_root(const struct ceremony_next_order *order, struct holder *root,
                               struct err *err)
{
    enum err_code code =
        private_key_load(order->root_key.uri, order->root_key.pin_file, &root->key, err);
    if (code != ERR_OK) {
        return code;
    }
    if (X509_up_ref(order->root) == 1) {
        root->cert = order->root;
    }
    if (EVP_PKEY_eq(root->key, X509_get0_pubkey(order->root)) != 1) {
        ERR_clear_error();
        return err_set(err, ERR_CONFIG, "the root's key is not that of the root's certificate");
    }
    return ERR_OK;
}

// A chain under a root that may not sign it would verify nowhere.
static enum err_code check_root(X509 *root, int64_t now, struct err *err)
{
    int64_t not_after = 0;
    enum err_code code = issue_time_of(X509_get0_notAfter(root), &not_after, err);
    if (code != ERR_OK) {
        return code;
    }
    if (not_after <= now) {
        return err_set(err, ERR_CONFIG, "the root's certificate has expired");
    }
    if (X509_check_ca(root) != 1 || (X509_get_key_usage(root) & KU_KEY_CERT_SIGN) == 0) {
        return err_set(err, ERR_CONFIG, "the root's certificate is not that of a CA");
    }
    if (X509_get_pathlen(root) == 0) {
        return err_set(err, ERR_CONFIG,
                       "the root's certificate allows no CA below it (pathLenConstraint 0)");
    }
    return ERR_OK;
}

static enum err_code take_key(const struct ceremony_next_order *order, EVP_PKEY **ret_key,
                              struct err *err)
{
    if (order->key.uri != NULL) {
        return private_key_load(order->key.uri, order->key.pin_file, ret_key, err);
    }
    if (order->ca_key != NULL && ceremony_check_kind(order->ca_key, err) != ERR_OK) {
        return ERR_CONFIG;
    }
    return ceremony_make_key(order->ca_key != NULL ? ceremony_kind(order->ca_key)
                                                   : ceremony_default_kind(),
                             ret_key, err);
}

static enum err_code certify(const struct ceremony_next_order *order, struct holder *next,
                             struct err *err)
{
    CLEANUP(ceremony_holder_done) struct holder root = {0};
    const struct plan plan = {
        .subject = order->subject,
        .path_len = ISSUING_PATH_LEN,
        .usage = ceremony_issuing_usage(order->is_direct),
        .now = order->now,
        .years = order->root != NULL ? ISSUING_YEARS : ROOT_YEARS,
    };
    if (order->root == NULL) {
        return ceremony_certify(next, &plan, NULL, err);
    }
    enum err_code code = open_root(order, &root, err);
    return code == ERR_OK ? ceremony_certify(next, &plan, &root, err) : code;
}

static enum err_code give_next(const struct ceremony_next_order *order, struct holder *next,
                               struct ceremony_next_result *ret_result, struct err *err)
{
    struct ceremony_next_result result = {0};
    enum err_code code = ceremony_cert_to_pem(next->cert, &result.certificate, err);
    if (code == ERR_OK && order->key.uri == NULL) {
        code = ceremony_key_to_pem(next->key, &result.key, err);
    }
    if (code != ERR_OK) {
        ceremony_next_done(&result);
        return code;
    }
    result.cert = next->cert;
    next->cert = NULL;
    *ret_result = result;
    return ERR_OK;
}

enum err_code ceremony_next(const struct ceremony_next_order *order,
                            struct ceremony_next_result *ret_result, struct err *err)
{
    ERR_clear_error();
    CLEANUP(ceremony_holder_done) struct holder next = {0};
    enum err_code code = order->root != NULL ? check_root(order->root, order->now, err) : ERR_OK;
    if (code == ERR_OK) {
        code = take_key(order, &next.key, err);
    }
    if (code == ERR_OK) {
        code = ceremony_check_key(next.key, order->is_direct, err);
    }
    if (code == ERR_OK) {
        code = certify(order, &next, err);
    }
    return code == ERR_OK ? give_next(order, &next, ret_result, err) : code;
}

void ceremony_next_done(struct ceremony_next_result *result)
{
    buf_wipe(&result->key);
    buf_done(&result->certificate);
    X509_free(result->cert);
    *result = (struct ceremony_next_result){0};
}
