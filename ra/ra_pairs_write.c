// SPDX-License-Identifier: Apache-2.0
// Writing and clearing up ra.directory, so that an interruption at any moment leaves nothing that a
// reader would take for a pair.
#include "ra/ra_pairs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/pem.h>

#include "conf/base/file.h"
#include "conf/base/hex.h"
#include "conf/limits.h"
#include "ra/ra_pair_names.h"

#define DIRECTORY_MODE  0700
#define FILE_MODE       0600
#define SERIAL_TEXT_LEN (2 * SERIAL_LEN + 1) // bytes with NUL

static void free_text(char *text)
{
    free(text);
}
DEFINE_CLEANUP(char *, free_text);

bool ra_pair_is_name(const char *name, const char *suffix)
{
    size_t digits = strspn(name, "0123456789ABCDEF");
    return digits > 0 && strcmp(name + digits, suffix) == 0;
}

char *ra_pair_path(const char *directory, const char *name, const char *suffix, const char *instead)
{
    char *path = NULL;
    int kept = (int)(strlen(name) - strlen(suffix));
    return asprintf(&path, "%s/%.*s%s", directory, kept, name, instead) >= 0 ? path : NULL;
}

static enum err_code no_memory(struct err *err)
{
    return err_set(err, ERR_NOMEM, "no memory for an RA certificate");
}

static enum err_code sync_directory(const char *directory, struct err *err)
{
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return err_set_errno(err, "cannot open the RA's folder %s", directory);
    }
    enum err_code code =
        fsync(fd) == 0 ? ERR_OK : err_set_errno(err, "cannot sync the RA's folder %s", directory);
    close(fd);
    return code;
}

// Whole under its own name, or not there.
static enum err_code write_file(const char *directory, const char *serial, const char *suffix,
                                struct view content, struct err *err)
{
    CLEANUP(cleanup_free_text) char *path = ra_pair_path(directory, serial, "", suffix);
    CLEANUP(cleanup_free_text) char *fresh = NULL;
    if (path == NULL || asprintf(&fresh, "%s" RA_PAIR_NEW, path) < 0) {
        fresh = NULL;
        return no_memory(err);
    }
    enum err_code code = file_create(fresh, FILE_MODE, content, err);
    if (code == ERR_OK && rename(fresh, path) != 0) {
        code = err_set_errno(err, "cannot rename %s", fresh);
        unlink(fresh);
    }
    return code;
}

static enum err_code write_key(const char *directory, const char *serial, EVP_PKEY *key,
                               struct err *err)
{
    struct buf pem = {0};
    CLEANUP(cleanup_BIO_free_all) BIO *bio = BIO_new(BIO_s_mem()); // overwritten when freed
    if (bio == NULL || PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) != 1) {
        return err_set_openssl(err, ERR_CRYPTO, "cannot encode the RA's key");
    }
    enum err_code code = ossl_bio_to_buf(bio, &pem, err);
    if (code == ERR_OK) {
        code = write_file(directory, serial, RA_PAIR_KEY, buf_view(&pem), err);
    }
    buf_wipe(&pem);
    return code;
}

static enum err_code write_cert(const char *directory, const char *serial, const X509 *cert,
                                struct err *err)
{
    struct buf pem = {0};
    CLEANUP(cleanup_BIO_free_all) BIO *bio = BIO_new(BIO_s_mem());
    if (bio == NULL || PEM_write_bio_X509(bio, cert) != 1) {
        return err_set_openssl(err, ERR_CRYPTO, "cannot encode the RA's certificate");
    }
    enum err_code code = ossl_bio_to_buf(bio, &pem, err);
    if (code == ERR_OK) {
        code = write_file(directory, serial, RA_PAIR_CERT, buf_view(&pem), err);
    }
    buf_done(&pem);
    return code;
}

enum err_code ra_pairs_write(const char *directory, const X509 *cert, EVP_PKEY *key,
                             struct err *err)
{
    char serial[SERIAL_TEXT_LEN];
    struct view octets = ossl_string_view(X509_get0_serialNumber(cert));
    if (octets.len == 0 || octets.len > SERIAL_LEN) {
        return err_set(err, ERR_INTERNAL, "an RA certificate with a serial number of %zu octets",
                       octets.len);
    }
    hex_encode(octets, serial);
    if (mkdir(directory, DIRECTORY_MODE) != 0 && errno != EEXIST) {
        return err_set_errno(err, "cannot make the RA's folder %s", directory);
    }
    enum err_code code = ERR_OK;
    if (key != NULL) {
        code = write_key(directory, serial, key, err);
    }
    // The key must be there for good before a certificate says so.
    if (code == ERR_OK) {
        code = sync_directory(directory, err);
    }
    if (code == ERR_OK) {
        code = write_cert(directory, serial, cert, err);
    }
    return code == ERR_OK ? sync_directory(directory, err) : code;
}

static enum err_code remove_file(const char *path, struct err *err)
{
    return unlink(path) == 0 || errno == ENOENT ? ERR_OK
                                                : err_set_errno(err, "cannot remove %s", path);
}

// The certificate first: without one, a key is nothing.
static enum err_code remove_pair(const struct ra_pair *pair, struct err *err)
{
    enum err_code code = remove_file(pair->cert_path, err);
    return code == ERR_OK && pair->key_path != NULL ? remove_file(pair->key_path, err) : code;
}

static enum err_code remove_over(const char *directory, int64_t over, struct err *err)
{
    const struct settings only_directory = {.ra.directory = directory};
    struct ra_pairs pairs = {0};
    enum err_code code = ra_pairs_read(&only_directory, &pairs, err);
    for (unsigned i = 0; code == ERR_OK && i < pairs.count; i++) {
        if (pairs.list[i].not_after < over) {
            code = remove_pair(&pairs.list[i], err);
        }
    }
    ra_pairs_done(&pairs);
    return code;
}

static int is_other_entry(const struct dirent *entry)
{
    const char *name = entry->d_name;
    return ra_pair_is_name(name, RA_PAIR_KEY) || ra_pair_is_name(name, RA_PAIR_KEY RA_PAIR_NEW) ||
                   ra_pair_is_name(name, RA_PAIR_CERT RA_PAIR_NEW)
               ? 1
               : 0;
}

// In doubt it stays.
static bool is_key_in_use(const char *directory, const char *name)
{
    if (!ra_pair_is_name(name, RA_PAIR_KEY)) {
        return false;
    }
    CLEANUP(cleanup_free_text)
    char *cert = ra_pair_path(directory, name, RA_PAIR_KEY, RA_PAIR_CERT);
    return cert == NULL || access(cert, F_OK) == 0 || errno != ENOENT;
}

static enum err_code remove_leftover(const char *directory, const char *name, struct err *err)
{
    CLEANUP(cleanup_free_text) char *path = ra_pair_path(directory, name, "", "");
    if (path == NULL) {
        return no_memory(err);
    }
    return is_key_in_use(directory, name) ? ERR_OK : remove_file(path, err);
}

static enum err_code remove_leftovers(const char *directory, struct err *err)
{
    struct dirent **entries = NULL;
    int count = scandir(directory, &entries, is_other_entry, NULL);
    if (count < 0) {
        return errno == ENOENT ? ERR_OK
                               : err_set_errno(err, "cannot list the RA's folder %s", directory);
    }
    enum err_code code = ERR_OK;
    for (int i = 0; i < count; i++) {
        if (code == ERR_OK) {
            code = remove_leftover(directory, entries[i]->d_name, err);
        }
        free(entries[i]);
    }
    free(entries);
    return code;
}

enum err_code ra_pairs_clean(const char *directory, int64_t over, struct err *err)
{
    enum err_code code = remove_over(directory, over, err);
    return code == ERR_OK ? remove_leftovers(directory, err) : code;
}
