// SPDX-License-Identifier: Apache-2.0
#include "server/ctl/servers/client_cas.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/pem.h>

#include "conf/base/file.h"
#include "conf/cert_file.h"
#include "conf/limits.h"
#include "server/ctl/servers/hand.h"

#define OUT_MODE 0644
#define MARK     "-----BEGIN "

static void cleanup_settings(struct settings **settings)
{
    settings_free(*settings);
}

static const struct settings_texts *texts_of(const struct settings_mic_store *store, int part)
{
    return part == 0 ? &store->roots : &store->intermediates;
}

// *ret_only is the last of them.
static unsigned count_files(const struct settings *settings, const char **ret_only)
{
    unsigned count = 0;
    for (uint32_t i = 0; i < settings->mic_count; i++) {
        for (int part = 0; part < 2; part++) {
            const struct settings_texts *texts = texts_of(&settings->mic[i], part);
            count += texts->count;
            *ret_only = texts->count > 0 ? texts->list[texts->count - 1] : *ret_only;
        }
    }
    return count;
}

static enum err_code read_certs(const struct settings *settings, STACK_OF(X509) * certs,
                                struct err *err)
{
    enum err_code code = ERR_OK;
    for (uint32_t i = 0; i < settings->mic_count; i++) {
        for (int part = 0; part < 2; part++) {
            const struct settings_texts *texts = texts_of(&settings->mic[i], part);
            for (uint32_t k = 0; code == ERR_OK && k < texts->count; k++) {
                code = cert_file_read_all(texts->list[k], certs, err);
            }
        }
    }
    return code;
}

static bool is_before(const STACK_OF(X509) * certs, int end, const X509 *cert)
{
    for (int i = 0; i < end; i++) {
        if (X509_cmp(sk_X509_value(certs, i), cert) == 0) {
            return true;
        }
    }
    return false;
}

// Each once, however many stores name it.
static enum err_code write_certs(const STACK_OF(X509) * certs, const char *out, struct err *err)
{
    CLEANUP(cleanup_BIO_free_all) BIO *bio = BIO_new(BIO_s_mem());
    CLEANUP(buf_done) struct buf pem = {0};
    bool is_written = bio != NULL;
    for (int i = 0; is_written && i < sk_X509_num(certs); i++) {
        X509 *cert = sk_X509_value(certs, i);
        is_written = is_before(certs, i, cert) || PEM_write_bio_X509(bio, cert) == 1;
    }
    if (!is_written) {
        return err_set_openssl(err, ERR_NOMEM, "no memory for the manufacturer's certificates");
    }
    enum err_code code = ossl_bio_to_buf(bio, &pem, err);
    const struct hand_file file = {.path = out, .mode = OUT_MODE, .content = buf_view(&pem)};
    return code == ERR_OK ? hand_create(&file, err) : code;
}

static bool is_pem(const char *path)
{
    CLEANUP(buf_done) struct buf content = {0};
    return file_read(path, LIMIT_FILE_LEN, &content, NULL) == ERR_OK &&
           memmem(content.data, content.len, MARK, strlen(MARK)) != NULL;
}

static void note_policies(const struct settings *settings, struct client_cas *cas)
{
    for (uint32_t i = 0; i < settings->mic_count; i++) {
        const struct settings_mic_store *store = &settings->mic[i];
        cas->has_weak =
            cas->has_weak || store->accept_sha1 || store->min_rsa_bits < LIMIT_RSA_BITS_MIN;
        cas->accepts_expired = cas->accepts_expired || store->accept_expired;
    }
}

// The one file that has all of them, made if need be.
static enum ctl_exit choose_file(struct ctl *ctl, const struct settings *settings, const char *out,
                                 const char **ret_file)
{
    struct err err = {0};
    const char *only = NULL;
    unsigned count = count_files(settings, &only);
    if (count == 0) {
        return ctl_complain(ctl, CTL_USAGE,
                            "%s names no manufacturer's certificates (mic); --mic FILE does",
                            ctl->config);
    }
    if (out == NULL && count == 1 && is_pem(only)) {
        *ret_file = only;
        return CTL_OK;
    }
    if (out == NULL) {
        return ctl_complain(ctl, CTL_USAGE,
                            "the manufacturer's certificates are in %u files, or not in PEM; --out "
                            "FILE writes them into one that the web server can read",
                            count);
    }
    CLEANUP(cleanup_free_cert_stack) STACK_OF(X509) *certs = sk_X509_new_null();
    if (certs == NULL || read_certs(settings, certs, &err) != ERR_OK ||
        write_certs(certs, out, &err) != ERR_OK) {
        return ctl_complain(ctl, CTL_FAILED, "%s", err.text);
    }
    *ret_file = out;
    return CTL_OK;
}

static enum ctl_exit keep(struct ctl *ctl, const char *file, struct client_cas *cas)
{
    cas->file = realpath(file, NULL);
    return cas->file != NULL ? CTL_OK : ctl_complain(ctl, CTL_USAGE, "cannot find %s: %m", file);
}

enum ctl_exit client_cas_find(struct ctl *ctl, const char *mic, const char *out,
                              struct client_cas *ret_cas)
{
    struct err err = {0};
    struct client_cas cas = {0};
    const char *file = mic;
    CLEANUP(cleanup_settings) struct settings *settings = NULL;
    if (mic != NULL && out != NULL) {
        return ctl_complain(ctl, CTL_USAGE, "--mic and --out exclude each other");
    }
    if (mic == NULL && settings_load(ctl->config, false, ctl->errors, &settings, &err) != ERR_OK) {
        return ctl_complain(ctl, CTL_USAGE, "%s (-c FILE names another settings file)", err.text);
    }
    enum ctl_exit code = CTL_OK;
    if (mic == NULL) {
        note_policies(settings, &cas);
        code = choose_file(ctl, settings, out, &file);
    }
    if (code == CTL_OK) {
        code = keep(ctl, file, &cas);
    }
    if (code == CTL_OK) {
        *ret_cas = cas;
    }
    return code;
}

void client_cas_done(struct client_cas *cas)
{
    free(cas->file);
    *cas = (struct client_cas){0};
}
