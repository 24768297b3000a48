// SPDX-License-Identifier: Apache-2.0
// Profiles: the extensions every certificate of a profile shares are encoded once.
#include "ca/profile.h"

#include <stdlib.h>

#include "ca/extension.h"
#include "conf/limits.h"

struct profile {
    int64_t validity_sec;
    int64_t jitter_sec;
    X509_NAME *subject; // NULL = the order's
    STACK_OF(X509_EXTENSION) * extensions;
};

// What sets one profile apart.
struct plan {
    uint32_t days;
    uint32_t jitter_days;
    unsigned usage;  // KU_*
    int purpose_nid; // NID_undef = no extendedKeyUsage
    struct profile_urls urls;
    const char *common_name; // of its own subject; NULL = the order's
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

static enum err_code keep_usages(struct profile *profile, const struct plan *plan, struct err *err)
{
    X509_EXTENSION *extension = NULL;
    enum err_code code = extension_basic_constraints(EXTENSION_NOT_A_CA, &extension, err);
    if (code == ERR_OK) {
        code = keep(profile, extension, err);
    }
    if (code == ERR_OK) {
        code = extension_key_usage(plan->usage, &extension, err);
    }
    return code == ERR_OK ? keep(profile, extension, err) : code;
}

static enum err_code keep_purpose(struct profile *profile, int purpose_nid, struct err *err)
{
    X509_EXTENSION *extension = NULL;
    enum err_code code = extension_purpose(purpose_nid, &extension, err);
    if (code == ERR_OK) {
        code = keep(profile, extension, err);
    }
    if (code == ERR_OK && purpose_nid == NID_OCSP_sign) {
        code = extension_ocsp_no_check(&extension, err);
        if (code == ERR_OK) {
            code = keep(profile, extension, err);
        }
    }
    return code;
}

static enum err_code keep_issuer(struct profile *profile, X509 *issuer, struct err *err)
{
    X509_EXTENSION *extension = NULL;
    enum err_code code = extension_authority_key_id(issuer, &extension, err);
    return code == ERR_OK ? keep(profile, extension, err) : code;
}

static enum err_code keep_urls(struct profile *profile, const struct profile_urls *urls,
                               struct err *err)
{
    X509_EXTENSION *extension = NULL;
    enum err_code code = ERR_OK;
    if (urls->crl != NULL) {
        code = extension_crl_url(urls->crl, &extension, err);
        if (code == ERR_OK) {
            code = keep(profile, extension, err);
        }
    }
    if (code == ERR_OK && (urls->ocsp != NULL || urls->ca != NULL)) {
        code = extension_access_urls(urls->ocsp, urls->ca, &extension, err);
        if (code == ERR_OK) {
            code = keep(profile, extension, err);
        }
    }
    return code;
}

static struct profile *new_profile(uint32_t days, uint32_t jitter_days)
{
    CLEANUP(cleanup_profile_free) struct profile *profile = calloc(1, sizeof *profile);
    if (profile == NULL) {
        return NULL;
    }
    profile->validity_sec = (int64_t)days * DAY_SEC;
    profile->jitter_sec = (int64_t)jitter_days * DAY_SEC;
    profile->extensions = sk_X509_EXTENSION_new_null();
    if (profile->extensions == NULL) {
        return NULL;
    }
    struct profile *made = profile;
    profile = NULL;
    return made;
}

static enum err_code no_memory(struct err *err)
{
    return err_set(err, ERR_NOMEM, "no memory for a profile");
}

static void drop_common_names(X509_NAME *name)
{
    int at;
    while ((at = X509_NAME_get_index_by_NID(name, NID_commonName, -1)) >= 0) {
        X509_NAME_ENTRY_free(X509_NAME_delete_entry(name, at));
    }
}

static enum err_code keep_subject(struct profile *profile, const char *common_name, X509 *issuer,
                                  struct err *err)
{
    const X509_NAME *above = X509_get_subject_name(issuer);
    profile->subject = X509_NAME_dup(above);
    if (profile->subject == NULL) {
        return no_memory(err);
    }
    drop_common_names(profile->subject);
    if (X509_NAME_add_entry_by_NID(profile->subject, NID_commonName, V_ASN1_UTF8STRING,
                                   (const unsigned char *)common_name, -1, -1, 0) != 1) {
        return err_set_openssl(err, ERR_CRYPTO, "cannot build the name %s", common_name);
    }
    // Comparing also encodes the name, before threads share it.
    if (X509_NAME_cmp(profile->subject, above) == 0) {
        return err_set(err, ERR_CONFIG, "the CA has the name that what it issues gets (CN=%s)",
                       common_name);
    }
    return ERR_OK;
}

static enum err_code make(const struct plan *plan, X509 *issuer, struct profile **ret_profile,
                          struct err *err)
{
    CLEANUP(cleanup_profile_free)
    struct profile *profile = new_profile(plan->days, plan->jitter_days);
    if (profile == NULL) {
        return no_memory(err);
    }
    enum err_code code = ERR_OK;
    if (plan->common_name != NULL) {
        code = keep_subject(profile, plan->common_name, issuer, err);
    }
    if (code == ERR_OK) {
        code = keep_usages(profile, plan, err);
    }
    if (code == ERR_OK && plan->purpose_nid != NID_undef) {
        code = keep_purpose(profile, plan->purpose_nid, err);
    }
    if (code == ERR_OK) {
        code = keep_issuer(profile, issuer, err);
    }
    if (code == ERR_OK) {
        code = keep_urls(profile, &plan->urls, err);
    }
    if (code == ERR_OK) {
        *ret_profile = profile;
        profile = NULL;
    }
    return code;
}

enum err_code profile_new_phone(const struct profile_phone *settings, X509 *issuer,
                                struct profile **ret_profile, struct err *err)
{
    const struct plan plan = {.days = settings->validity_days,
                              .jitter_days = settings->validity_jitter_days,
                              .usage = KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT,
                              .purpose_nid = NID_client_auth,
                              .urls = settings->urls};
    enum err_code code = check_days(settings, err);
    return code == ERR_OK ? make(&plan, issuer, ret_profile, err) : code;
}

enum err_code profile_new_ra(const struct profile_urls *urls, X509 *issuer,
                             struct profile **ret_profile, struct err *err)
{
    const struct plan plan = {.days = PROFILE_RA_DAYS,
                              .usage = KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT,
                              .urls = *urls,
                              .common_name = PROFILE_RA_NAME};
    return make(&plan, issuer, ret_profile, err);
}

enum err_code profile_new_ocsp(X509 *issuer, struct profile **ret_profile, struct err *err)
{
    const struct plan plan = {.days = PROFILE_OCSP_DAYS,
                              .usage = KU_DIGITAL_SIGNATURE,
                              .purpose_nid = NID_OCSP_sign,
                              .common_name = PROFILE_OCSP_NAME};
    return make(&plan, issuer, ret_profile, err);
}

enum err_code profile_new_server(uint32_t validity_days, const struct profile_urls *urls,
                                 X509 *issuer, struct profile **ret_profile, struct err *err)
{
    const struct plan plan = {.days = validity_days,
                              .usage = KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT,
                              .purpose_nid = NID_server_auth,
                              .urls = *urls};
    return make(&plan, issuer, ret_profile, err);
}

void profile_free(struct profile *profile)
{
    if (profile != NULL) {
        X509_NAME_free(profile->subject);
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

const X509_NAME *profile_subject(const struct profile *profile)
{
    return profile->subject;
}

int64_t profile_validity_sec(const struct profile *profile)
{
    return profile->validity_sec;
}

int64_t profile_jitter_sec(const struct profile *profile)
{
    return profile->jitter_sec;
}
