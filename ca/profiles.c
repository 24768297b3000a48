// SPDX-License-Identifier: Apache-2.0
#include "ca/profiles.h"

#include <stdlib.h>

#define PROFILE_COUNT (PROFILE_SERVER + 1)

struct profiles {
    char name[GENERATION_NAME_LEN];
    struct profile *list[PROFILE_COUNT]; // by enum issue_profile; NULL = not under this CA
    struct csr_rules rules[PROFILE_COUNT];
    struct server_names *server_names;
};

// The texts that profile_urls borrow.
struct url_texts {
    struct buf crl;
    struct buf ca;
    struct buf ocsp;
};

static void url_texts_done(struct url_texts *texts)
{
    buf_done(&texts->crl);
    buf_done(&texts->ca);
    buf_done(&texts->ocsp);
}

// NULL stays NULL.
static enum err_code expand_url(const char *pattern, const char *name, struct buf *text,
                                const char **ret_url, struct err *err)
{
    if (pattern == NULL) {
        *ret_url = NULL;
        return ERR_OK;
    }
    enum err_code code = generation_expand(pattern, name, text, err);
    if (code == ERR_OK) {
        *ret_url = (const char *)text->data;
    }
    return code;
}

static enum err_code expand_urls(const struct profiles_plan *plan, struct url_texts *texts,
                                 struct profile_urls *ret_urls, struct err *err)
{
    const struct settings *settings = plan->settings;
    enum err_code code =
        expand_url(settings->phone.crl_url, plan->name, &texts->crl, &ret_urls->crl, err);
    if (code == ERR_OK) {
        code = expand_url(settings->phone.ca_url, plan->name, &texts->ca, &ret_urls->ca, err);
    }
    if (code == ERR_OK) {
        code = expand_url(settings->phone.ocsp_url, plan->name, &texts->ocsp, &ret_urls->ocsp, err);
    }
    return code;
}

static enum err_code make_all(struct profiles *profiles, const struct profiles_plan *plan,
                              struct err *err)
{
    const struct settings *settings = plan->settings;
    struct profile_phone phone = {
        .validity_days = settings->phone.validity_days,
        .validity_jitter_days = settings->phone.validity_jitter_days,
    };
    CLEANUP(url_texts_done) struct url_texts texts = {0};
    enum err_code code = expand_urls(plan, &texts, &phone.urls, err);
    if (code == ERR_OK) {
        code = profile_new_phone(&phone, plan->issuer, &profiles->list[PROFILE_PHONE], err);
    }
    if (code == ERR_OK) {
        code = profile_new_ra(&phone.urls, plan->issuer, &profiles->list[PROFILE_RA], err);
    }
    if (code == ERR_OK) {
        code = profile_new_server(settings->servers.validity_days, &phone.urls, plan->issuer,
                                  &profiles->list[PROFILE_SERVER], err);
    }
    return code == ERR_OK
               ? server_names_new(&settings->servers.domains, &profiles->server_names, err)
               : code;
}

static void set_rules(struct profiles *profiles, const struct settings *settings)
{
    const struct csr_rules phones = {.allow_sha1 = settings->algorithms.sha1,
                                     .allow_md5 = settings->algorithms.legacy};
    profiles->rules[PROFILE_PHONE] = phones;
    profiles->rules[PROFILE_RA] = phones;
    profiles->rules[PROFILE_OCSP] = (struct csr_rules){.allow_p256 = true};
    profiles->rules[PROFILE_SERVER] = (struct csr_rules){0};
}

enum err_code profiles_new(const struct profiles_plan *plan, struct profiles **ret_profiles,
                           struct err *err)
{
    struct profiles *profiles = calloc(1, sizeof *profiles);
    if (profiles == NULL) {
        return err_set(err, ERR_NOMEM, "no memory for profiles");
    }
    snprintf(profiles->name, sizeof profiles->name, "%s", plan->name);
    set_rules(profiles, plan->settings);
    enum err_code code = profile_new_ocsp(plan->issuer, &profiles->list[PROFILE_OCSP], err);
    if (code == ERR_OK && plan->role != GENERATION_OLD) {
        code = make_all(profiles, plan, err);
    }
    if (code != ERR_OK) {
        profiles_free(profiles);
        return code;
    }
    *ret_profiles = profiles;
    return ERR_OK;
}

void profiles_free(struct profiles *profiles)
{
    if (profiles != NULL) {
        for (size_t i = 0; i < PROFILE_COUNT; i++) {
            profile_free(profiles->list[i]);
        }
        server_names_free(profiles->server_names);
        free(profiles);
    }
}

static bool is_known(enum issue_profile id)
{
    return id >= PROFILE_PHONE && id < PROFILE_COUNT;
}

enum err_code profiles_find(const struct profiles *profiles, enum issue_profile id,
                            const struct profile **ret_profile, struct err *err)
{
    if (!is_known(id)) {
        return err_set(err, ERR_DENIED, "no profile %d", (int)id);
    }
    if (profiles->list[id] == NULL) {
        return err_set(err, ERR_DENIED,
                       "the CA %s is an old one and issues nothing but for OCSP signers",
                       profiles->name);
    }
    *ret_profile = profiles->list[id];
    return ERR_OK;
}

const struct csr_rules *profiles_csr_rules(const struct profiles *profiles, enum issue_profile id)
{
    return &profiles->rules[is_known(id) ? id : 0];
}

enum err_code profiles_check_names(const struct profiles *profiles, const struct csr *csr,
                                   const struct issue_order *order, struct err *err)
{
    return order->profile == PROFILE_SERVER
               ? server_names_check(profiles->server_names, csr, order, err)
               : ERR_OK;
}
