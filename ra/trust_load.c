// SPDX-License-Identifier: Apache-2.0
// From the setting `mic` to trust stores.
#include "ra/trust_store.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include "conf/cert_file.h"

// OpenSSL's levels: 2 wants 112 bits of security (RSA-2048, SHA-2), 1 wants 80 (RSA-1024, and no
// SHA-1 any more), 0 wants nothing.
enum { LEVEL_ANY = 0, LEVEL_80_BITS = 1, LEVEL_112_BITS = 2 };

void trust_free(struct trust *trust)
{
    if (trust == NULL) {
        return;
    }
    for (unsigned i = 0; i < trust->count; i++) {
        free(trust->stores[i].name);
        free_cert_stack(trust->stores[i].roots);
        free_cert_stack(trust->stores[i].intermediates);
    }
    free(trust);
}
DEFINE_CLEANUP(struct trust *, trust_free);

static const char *root_fault(X509 *cert)
{
    if (X509_self_signed(cert, 1) != 1) {
        return "is not self-signed, so it is no root; mic.intermediates is for CAs below a root";
    }
    return X509_check_ca(cert) == 0 ? "is no CA's" : NULL;
}

static const char *intermediate_fault(X509 *cert)
{
    return X509_check_ca(cert) == 0 ? "is no CA's" : NULL;
}

// Reads the files and looks at each certificate; what that finds out is kept inside it, so that
// many threads may use it afterwards.
static enum err_code load_files(const struct settings_texts *files,
                                const char *(*fault_of)(X509 *cert), STACK_OF(X509) * *certs,
                                struct err *err)
{
    *certs = sk_X509_new_null();
    if (*certs == NULL) {
        return err_set_openssl(err, ERR_NOMEM, "no memory for certificates");
    }
    for (uint32_t i = 0; i < files->count; i++) {
        int first = sk_X509_num(*certs);
        enum err_code code = cert_file_read_all(files->list[i], *certs, err);
        if (code != ERR_OK) {
            return code;
        }
        for (int at = first; at < sk_X509_num(*certs); at++) {
            const char *fault = fault_of(sk_X509_value(*certs, at));
            if (fault != NULL) {
                return err_set_openssl(err, ERR_CONFIG, "%s: certificate %d %s", files->list[i],
                                       at - first + 1, fault);
            }
        }
    }
    return ERR_OK;
}

static int choose_level(const struct settings_mic_store *from)
{
    if (from->accept_sha1) {
        return LEVEL_ANY;
    }
    return from->min_rsa_bits < LIMIT_RSA_BITS_MIN ? LEVEL_80_BITS : LEVEL_112_BITS;
}

static void choose_classes(const struct settings_mic_store *from, struct trust_store *store)
{
    static const enum identity_class classes[] = {
        [SETTINGS_MIC_PHONE] = IDENTITY_PHONE,
        [SETTINGS_MIC_SPA] = IDENTITY_SPA,
        [SETTINGS_MIC_OTHER] = IDENTITY_OTHER,
    };
    for (uint32_t i = 0; i < from->classes_count; i++) {
        store->takes[classes[from->classes[i]]] = true;
    }
}

static enum err_code load_store(const struct settings_mic_store *from, struct trust_store *store,
                                struct err *err)
{
    store->accept_expired = from->accept_expired;
    store->accept_sha1 = from->accept_sha1;
    store->min_rsa_bits = (int)from->min_rsa_bits;
    store->auth_level = choose_level(from);
    choose_classes(from, store);
    store->name = strdup(from->name);
    if (store->name == NULL) {
        return err_set(err, ERR_NOMEM, "no memory for trust stores");
    }
    enum err_code code = load_files(&from->roots, root_fault, &store->roots, err);
    if (code == ERR_OK) {
        code = load_files(&from->intermediates, intermediate_fault, &store->intermediates, err);
    }
    if (code == ERR_OK && sk_X509_num(store->roots) == 0) {
        code = err_set(err, ERR_CONFIG, "no root");
    }
    return code == ERR_OK ? ERR_OK : err_prefix(err, "trust store \"%s\"", from->name);
}

enum err_code trust_load(const struct settings *settings, struct trust **ret_trust, struct err *err)
{
    CLEANUP(cleanup_trust_free) struct trust *trust = calloc(1, sizeof *trust);
    if (trust == NULL) {
        return err_set(err, ERR_NOMEM, "no memory for trust stores");
    }
    ERR_clear_error();
    for (uint32_t i = 0; i < settings->mic_count; i++) {
        enum err_code code = load_store(&settings->mic[i], &trust->stores[trust->count++], err);
        if (code != ERR_OK) {
            return code;
        }
    }
    *ret_trust = trust;
    trust = NULL;
    return ERR_OK;
}

uint32_t trust_min_rsa_bits(const struct settings *settings)
{
    uint32_t bits = LIMIT_RSA_BITS_MIN;
    for (uint32_t i = 0; i < settings->mic_count; i++) {
        if (settings->mic[i].min_rsa_bits < bits) {
            bits = settings->mic[i].min_rsa_bits;
        }
    }
    return bits;
}
