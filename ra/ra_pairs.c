// SPDX-License-Identifier: Apache-2.0
// Reading: what lies where, whether it fits together, and which CA it comes from.
#include "ra/ra_pairs.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/err.h>

#include "conf/base/private_key.h"
#include "conf/cert_file.h"
#include "conf/keys.h"
#include "ra/ra_pair_names.h"

#define RA_KEY_USAGE (KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT) // RFC 8894, 2.1.2

void ra_pairs_done(struct ra_pairs *pairs)
{
    for (unsigned i = 0; i < pairs->count; i++) {
        X509_free(pairs->list[i].cert);
        EVP_PKEY_free(pairs->list[i].key);
        free(pairs->list[i].cert_path);
        free(pairs->list[i].key_path);
    }
    EVP_PKEY_free(pairs->ra_key);
    *pairs = (struct ra_pairs){0};
}

static enum err_code no_memory(struct err *err)
{
    return err_set(err, ERR_NOMEM, "no memory for the list of RA certificates");
}

enum err_code ra_pair_read_dates(const X509 *cert, int64_t *ret_not_before, int64_t *ret_not_after,
                                 struct err *err)
{
    int64_t not_before = 0;
    if (!ossl_time_read(X509_get0_notBefore(cert), &not_before) ||
        !ossl_time_read(X509_get0_notAfter(cert), ret_not_after)) {
        return err_set(err, ERR_SYNTAX, "a certificate without readable dates");
    }
    *ret_not_before = not_before;
    return ERR_OK;
}

static enum err_code read_cert(struct ra_pair *pair, struct err *err)
{
    enum err_code code = cert_file_read(pair->cert_path, &pair->cert, err);
    if (code == ERR_OK) {
        code = ra_pair_read_dates(pair->cert, &pair->not_before, &pair->not_after, err);
    }
    if (code == ERR_SYNTAX) {
        return err_set(err, ERR_CONFIG, "%s: a certificate without readable dates",
                       pair->cert_path);
    }
    return code;
}

static enum err_code add_configured(struct ra_pairs *pairs, const char *path, struct err *err)
{
    struct ra_pair *pair = &pairs->list[pairs->count++];
    pair->cert_path = strdup(path);
    return pair->cert_path != NULL ? read_cert(pair, err) : no_memory(err);
}

static enum err_code find_key(struct ra_pair *pair, const char *directory, const char *cert_name,
                              struct err *err)
{
    char *path = ra_pair_path(directory, cert_name, RA_PAIR_CERT, RA_PAIR_KEY);
    if (path == NULL) {
        return no_memory(err);
    }
    if (access(path, F_OK) == 0) {
        pair->key_path = path;
        return ERR_OK;
    }
    enum err_code code = errno == ENOENT ? ERR_OK : err_set_errno(err, "cannot look at %s", path);
    free(path);
    return code;
}

static enum err_code add_own(struct ra_pairs *pairs, const char *directory, const char *cert_name,
                             struct err *err)
{
    if (pairs->count == RA_PAIRS_MAX) {
        return err_set(err, ERR_CONFIG, "%s: more than %d RA certificates; remove old ones",
                       directory, RA_PAIRS_MAX);
    }
    struct ra_pair *pair = &pairs->list[pairs->count++];
    pair->is_own = true;
    pair->cert_path = ra_pair_path(directory, cert_name, "", "");
    if (pair->cert_path == NULL) {
        return no_memory(err);
    }
    enum err_code code = read_cert(pair, err);
    return code == ERR_OK ? find_key(pair, directory, cert_name, err) : code;
}

static int is_cert_entry(const struct dirent *entry)
{
    return ra_pair_is_name(entry->d_name, RA_PAIR_CERT) ? 1 : 0;
}

static enum err_code add_directory(struct ra_pairs *pairs, const char *directory, struct err *err)
{
    struct dirent **entries = NULL;
    int count = scandir(directory, &entries, is_cert_entry, alphasort);
    if (count < 0) {
        return errno == ENOENT ? ERR_OK
                               : err_set_errno(err, "cannot list the RA's folder %s", directory);
    }
    enum err_code code = ERR_OK;
    for (int i = 0; i < count; i++) {
        if (code == ERR_OK) {
            code = add_own(pairs, directory, entries[i]->d_name, err);
        }
        free(entries[i]);
    }
    free(entries);
    return code;
}

// Newest first; what nothing else tells apart goes by its path, so that every start agrees.
static int compare_age(const void *a, const void *b)
{
    const struct ra_pair *left = a;
    const struct ra_pair *right = b;
    if (left->not_before != right->not_before) {
        return left->not_before > right->not_before ? -1 : 1;
    }
    if (left->not_after != right->not_after) {
        return left->not_after > right->not_after ? -1 : 1;
    }
    return strcmp(left->cert_path, right->cert_path);
}

enum err_code ra_pairs_read(const struct settings *settings, struct ra_pairs *ret_pairs,
                            struct err *err)
{
    struct ra_pairs pairs = {0};
    enum err_code code = ERR_OK;
    if (settings->ra.certificate != NULL) {
        code = add_configured(&pairs, settings->ra.certificate, err);
    }
    if (code == ERR_OK && settings->ra.directory != NULL) {
        code = add_directory(&pairs, settings->ra.directory, err);
    }
    if (code != ERR_OK) {
        ra_pairs_done(&pairs);
        return code;
    }
    qsort(pairs.list, pairs.count, sizeof pairs.list[0], compare_age);
    *ret_pairs = pairs;
    return ERR_OK;
}

static enum err_code load_ra_key(struct ra_pairs *pairs, const struct settings *settings,
                                 struct err *err)
{
    if (pairs->ra_key != NULL) {
        return ERR_OK;
    }
    if (settings->ra.key == NULL) {
        return err_set(err, ERR_CONFIG, "ra.key is not set, and a certificate needs it");
    }
    return private_key_load(settings->ra.key, settings->ra.pin_file, &pairs->ra_key, err);
}

enum err_code ra_pairs_open(struct ra_pairs *pairs, unsigned index, const struct settings *settings,
                            struct err *err)
{
    struct ra_pair *pair = &pairs->list[index];
    enum err_code code;
    if (pair->key != NULL) {
        return ERR_OK;
    }
    if (pair->key_path != NULL) {
        code = private_key_load(pair->key_path, NULL, &pair->key, err);
    } else {
        code = load_ra_key(pairs, settings, err);
        if (code == ERR_OK && EVP_PKEY_up_ref(pairs->ra_key) == 1) {
            pair->key = pairs->ra_key;
        }
    }
    return code == ERR_OK ? ra_pair_check(pair->cert, pair->key, pair->cert_path, err) : code;
}

static enum err_code check_key_kind(X509 *cert, const char *path, struct err *err)
{
    enum err_code code = keys_check_client(X509_get0_pubkey(cert), err);
    if (code != ERR_OK && err != NULL) {
        err->code = ERR_CONFIG;
        err_prefix(err, "%s", path);
    }
    return code == ERR_OK ? ERR_OK : ERR_CONFIG;
}

static enum err_code check_key_usage(X509 *cert, const char *path, struct err *err)
{
    bool has_usage = (X509_get_extension_flags(cert) & EXFLAG_KUSAGE) != 0;
    if (!has_usage || (X509_get_key_usage(cert) & RA_KEY_USAGE) != RA_KEY_USAGE) {
        return err_set(err, ERR_CONFIG,
                       "%s: KeyUsage must have digitalSignature and keyEncipherment", path);
    }
    return ERR_OK;
}

enum err_code ra_pair_check_usage(X509 *cert, const char *path, struct err *err)
{
    enum err_code code = check_key_kind(cert, path, err);
    return code == ERR_OK ? check_key_usage(cert, path, err) : code;
}

enum err_code ra_pair_check(X509 *cert, const EVP_PKEY *key, const char *path, struct err *err)
{
    enum err_code code = check_key_kind(cert, path, err);
    if (code != ERR_OK) {
        return code;
    }
    if (X509_check_private_key(cert, key) != 1) {
        return err_set_openssl(err, ERR_CONFIG, "%s: not the certificate of the RA's key", path);
    }
    if (X509_check_ca(cert) != 0) {
        return err_set(err, ERR_CONFIG, "%s: a CA certificate; the RA's must not be one", path);
    }
    return check_key_usage(cert, path, err);
}

bool ra_pair_is_issued_by(X509 *cert, const struct generation *generation)
{
    bool is_issued = X509_check_issued(generation->cert, cert) == X509_V_OK &&
                     X509_verify(cert, X509_get0_pubkey(generation->cert)) == 1;
    ERR_clear_error(); // another CA's signature is no error
    return is_issued;
}
