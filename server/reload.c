// SPDX-License-Identifier: Apache-2.0
#include "server/reload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/provider.h>

#include "conf/base/log.h"
#include "conf/schema.h"

// What is made once, at the start. All else is in the policy or scepd-ca's.
static const char *const fixed_settings[] = {
    "http.listen",        "http.connections", "http.connections_per_address",
    "http.timeout_sec",   "http.workers",     "http.queue",
    "ca.socket",          "ca.program",       "store.directory",
    "store.max_size_mib", "admin.socket",
};

static void log_problems(const char *problems)
{
    while (*problems != '\0') {
        size_t len = strcspn(problems, "\n");
        log_message(LOG_LEVEL_ERROR, "settings_problem", "%.*s", (int)len, problems);
        problems += len + (problems[len] == '\n' ? 1 : 0);
    }
}

static enum err_code load_logging(const char *path, struct settings **ret_settings, struct err *err)
{
    char *text = NULL;
    size_t len = 0;
    FILE *problems = open_memstream(&text, &len);
    if (problems == NULL) {
        return err_set(err, ERR_NOMEM, "no memory to read the settings");
    }
    enum err_code code = settings_load(path, true, problems, ret_settings, err);
    fclose(problems);
    if (text != NULL) {
        log_problems(text);
    }
    free(text);
    return code;
}

// A file that is not there, or a key that does not fit its certificate: to the administrator all
// this is a wrong setting.
static enum err_code blame_settings(enum err_code code, struct err *err)
{
    if (code == ERR_OK || code == ERR_NOMEM || code == ERR_CRYPTO) {
        return code;
    }
    err->code = ERR_CONFIG;
    return ERR_CONFIG;
}

enum err_code reload_settings(const char *path, bool to_log, struct settings **ret_settings,
                              struct err *err)
{
    enum err_code code = to_log ? load_logging(path, ret_settings, err)
                                : settings_load(path, true, stderr, ret_settings, err);
    return blame_settings(code, err);
}

enum err_code reload_policy(struct settings *take_settings, int64_t now, struct policy **ret_policy,
                            struct err *err)
{
    return blame_settings(policy_new(take_settings, now, ret_policy, err), err);
}

enum err_code reload_providers(const struct settings *settings, struct err *err)
{
    if (!settings->algorithms.legacy || OSSL_PROVIDER_available(NULL, "legacy") == 1) {
        return ERR_OK;
    }
    // Naming any provider ends the default one's being there by itself.
    if (OSSL_PROVIDER_load(NULL, "default") == NULL || OSSL_PROVIDER_load(NULL, "legacy") == NULL) {
        return err_set_openssl(err, ERR_CRYPTO,
                               "algorithms.legacy: cannot load OpenSSL's legacy provider");
    }
    return ERR_OK;
}

void reload_warn(const struct policy *policy)
{
    const struct settings *settings = policy->settings;
    if (settings->algorithms.legacy) {
        log_message(LOG_LEVEL_WARNING, "weak_setting",
                    "algorithms.legacy is on: single DES and MD5 are accepted, both are broken and "
                    "RFC 8894 forbids them; SCEPStandard is not offered");
    }
    if (settings->algorithms.sha1) {
        log_message(LOG_LEVEL_WARNING, "weak_setting",
                    "algorithms.sha1 is on: requests may be signed with SHA-1");
    }
    if (policy->secrets.has_static) {
        log_message(LOG_LEVEL_WARNING, "weak_setting",
                    "challenge.static_file is set: whoever learns the static challenge gets "
                    "certificates");
    }
}

static bool is_same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool is_same(const struct schema_item *item, const struct settings *old,
                    const struct settings *new)
{
    const char *a = (const char *)old + item->offset;
    const char *b = (const char *)new + item->offset;
    if (schema_is_text(item)) {
        return is_same_text(*(const char *const *)(const void *)a,
                            *(const char *const *)(const void *)b);
    }
    return memcmp(a, b, sizeof(uint32_t)) == 0;
}

unsigned reload_warn_of_restart(const struct settings *old, const struct settings *new)
{
    unsigned count = 0;
    for (size_t i = 0; i < sizeof fixed_settings / sizeof fixed_settings[0]; i++) {
        const struct schema_item *item = schema_find(fixed_settings[i]);
        if (item != NULL && !is_same(item, old, new)) {
            log_message(LOG_LEVEL_WARNING, "restart_needed",
                        "%s has changed; the new value counts after a restart", item->name);
            count++;
        }
    }
    return count;
}
