// SPDX-License-Identifier: Apache-2.0
// Profiles: the extensions every certificate of a profile shares are encoded once.
#include "ca/profile.h"

#include <stdlib.h>

#include "ca/extension.h"
#include "conf/limits.h"

struct profile {
    int64_t validity_sec;
    int64_t jitter_sec;
    STACK_OF(X509_EXTENSION) * extensions;
};

static enum err_code check_days(const struct profile_phone *settings, struct err *err)
{
    if (settings->validity_days == 0 || settings->validity_jitter_days >= settings->validity_days) {
        return err_set(err, ERR_CONFIG,
                       "a validity of %u days with a jitter of %u; the jitter must be less",
                       (unsigned)settings->validity_days, (unsigned)settings->validity_jitter_days);
    }
    return ERR_OK;
}

static enum err_code keep(struct profile *profile, X509_EXTENSION *take_extension, struct err *err)
{
    if (sk_X509_EXTENSION_push(profile->extensions, take_extension) <= 0) {
        X509_EXTENSION_free(take_extension);
        return err_set_openssl(err, ERR_CRYPTO, "cannot build a profile");
    }
    return ERR_OK;
}

static enum err_code keep_usages(struct profile *profile, struct err *err)
{
    X509_EXTENSION *extension = NULL;
    enum err_code code = extension_basic_constraints(EXTENSION_NOT_A_CA, &extension, err);
    if (code == ERR_OK) {
        code = keep(profile, extension, err);
    }
    if (code == ERR_OK) {
        code = extension_key_usage(KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT, &extension, err);
    }
    if (code == ERR_OK) {
        code = keep(profile, extension, err);
    }
    if (code == ERR_OK) {
        code = extension_client_auth(&extension, err);
    }
    return code == ERR_OK ? keep(profile, extension, err) : code;
}

static enum err_code keep_issuer(struct profile *profile, X509 *issuer, struct err *err)
{
    X509_EXTENSION *extension = NULL;
    enum err_code code = extension_authority_key_id(issuer, &extension, err);
    return code == ERR_OK ? keep(profile, extension, err) : code;
}

static enum err_code keep_urls(struct profile *profile, const struct profile_phone *settings,
                               struct err *err)
{
    X509_EXTENSION *extension = NULL;
    enum err_code code = ERR_OK;
    if (settings->crl_url != NULL) {
        code = extension_crl_url(settings->crl_url, &extension, err);
        if (code == ERR_OK) {
            code = keep(profile, extension, err);
        }
    }
    if (code == ERR_OK && settings->ca_url != NULL) {
        code = extension_ca_url(settings->ca_url, &extension, err);
        if (code == ERR_OK) {
            code = keep(profile, extension, err);
        }
    }
    return code;
}

enum err_code profile_new_phone(const struct profile_phone *settings, X509 *issuer,
                                struct profile **ret_profile, struct err *err)
{
    enum err_code code = check_days(settings, err);
    if (code != ERR_OK) {
        return code;
    }
    CLEANUP(cleanup_profile_free) struct profile *profile = calloc(1, sizeof *profile);
    if (profile == NULL) {
        return err_set(err, ERR_NOMEM, "no memory for a profile");
    }
    profile->validity_sec = (int64_t)settings->validity_days * DAY_SEC;
    profile->jitter_sec = (int64_t)settings->validity_jitter_days * DAY_SEC;
    profile->extensions = sk_X509_EXTENSION_new_null();
    code = keep_usages(profile, err);
    if (code == ERR_OK) {
        code = keep_issuer(profile, issuer, err);
    }
    if (code == ERR_OK) {
        code = keep_urls(profile, settings, err);
    }
    if (code == ERR_OK) {
        *ret_profile = profile;
        profile = NULL;
    }
    return code;
}

void profile_free(struct profile *profile)
{
    if (profile != NULL) {
        free_extension_stack(profile->extensions);
        free(profile);
    }
}

enum err_code profile_add_extensions(const struct profile *profile, X509 *cert, struct err *err)
{
    for (int i = 0; i < sk_X509_EXTENSION_num(profile->extensions); i++) {
        if (X509_add_ext(cert, sk_X509_EXTENSION_value(profile->extensions, i), -1) != 1) {
            return err_set_openssl(err, ERR_CRYPTO, "cannot add an extension");
        }
    }
    return ERR_OK;
}

int64_t profile_validity_sec(const struct profile *profile)
{
    return profile->validity_sec;
}

int64_t profile_jitter_sec(const struct profile *profile)
{
    return profile->jitter_sec;
}
