// SPDX-License-Identifier: Apache-2.0
#include "server/publish.h"

#include <string.h>

#define CA_PLACEHOLDER "{ca}"

// Whether `pattern` stands for this CA at `path`. A pattern that is the same for all CAs means the
// present one.
static enum err_code is_path_of(const char *pattern, const struct generation *generation,
                                const char *path, bool *ret_is_it, struct err *err)
{
    *ret_is_it = false;
    if (strstr(pattern, CA_PLACEHOLDER) == NULL) {
        *ret_is_it = generation->role == GENERATION_CURRENT && strcmp(pattern, path) == 0;
        return ERR_OK;
    }
    CLEANUP(buf_done) struct buf expanded = {0};
    enum err_code code = generation_expand(pattern, generation->name, &expanded, err);
    if (code == ERR_OK) {
        *ret_is_it = view_is_text(buf_view(&expanded), path);
    }
    return code;
}

static enum err_code find_crl(struct store *store, const struct generation *generation,
                              struct buf *ret_body, struct err *err)
{
    struct store_crl crl = {0};
    enum err_code code = store_find_crl(store, generation->id, &crl, err);
    if (code == ERR_OK) {
        *ret_body = crl.der;
    }
    return code;
}

enum err_code publish_find(const struct policy *policy, struct store *store, const char *path,
                           const char **ret_type, struct buf *ret_body, struct err *err)
{
    const struct settings *settings = policy->settings;
    const struct generations *generations = &policy->credentials->generations;
    if (strcmp(path, settings->http.root_path) == 0) {
        *ret_type = TYPE_PKIX_CERT;
        return ossl_cert_to_der(credentials_root(policy->credentials), ret_body, err);
    }
    for (unsigned i = 0; i < generations->count; i++) {
        const struct generation *generation = &generations->list[i];
        bool is_crl = false;
        bool is_ca = false;
        enum err_code code = is_path_of(settings->http.crl_path, generation, path, &is_crl, err);
        if (code == ERR_OK) {
            code = is_path_of(settings->http.ca_path, generation, path, &is_ca, err);
        }
        if (code != ERR_OK) {
            return code;
        }
        if (is_crl) {
            *ret_type = TYPE_PKIX_CRL;
            return find_crl(store, generation, ret_body, err);
        }
        if (is_ca) {
            *ret_type = TYPE_PKIX_CERT;
            return ossl_cert_to_der(generation->cert, ret_body, err);
        }
    }
    return err_set(err, ERR_NOT_FOUND, "nothing is served here");
}
