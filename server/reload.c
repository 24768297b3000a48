// SPDX-License-Identifier: Apache-2.0
#include "server/reload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/provider.h>

#include "conf/base/log.h"
#include "conf/schema.h"
#include "ra/ra_renewal.h"

// What is made once, at the start. All else is in the policy or scepd-ca's.
static const char *const fixed_settings[] = {
    "http.listen",        "http.connections", "http.connections_per_address",
    "http.timeout_sec",   "http.workers",     "http.queue",
    "ca.socket",          "ca.program",       "store.directory",
    "store.max_size_mib", "admin.socket",     "web.listen",
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

bool reload_has_renewed_ra(const struct policy *policy, struct ca_client *ca, int64_t now)
{
    struct err err = {0};
    bool is_changed = false;
    if (ra_renewal_run(policy->settings, policy->credentials, ca, now, &is_changed, &err) !=
        ERR_OK) {
        log_failure(LOG_LEVEL_ERROR, "ra_renewal", &err);
    }
    return is_changed;
}

static enum err_code read_policy_again(const char *path, int64_t now, struct policy **policy,
                                       struct err *err)
{
    struct settings *settings = NULL;
    struct policy *newer = NULL;
    enum err_code code = reload_settings(path, true, &settings, err);
    if (code == ERR_OK) {
        code = reload_policy(settings, now, &newer, err);
    }
    if (code == ERR_OK) {
        policy_unref(*policy);
        *policy = newer;
    }
    return code;
}

static enum err_code sign_next_ca(const struct policy *policy, struct ca_client *ca,
                                  struct buf *ret_answer, struct err *err)
{
    CLEANUP(buf_done) struct buf next_ra = {0};
    const struct recipient *recipient = credentials_next_ra(policy->credentials);
    bool is_direct = policy->settings->scep.topology == SETTINGS_TOPOLOGY_DIRECT;
    if (recipient == NULL && !is_direct) {
        return err_set(err, ERR_NOT_FOUND, "the next CA has no RA yet");
    }
    enum err_code code = ERR_OK;
    if (!is_direct) {
        code = ossl_cert_to_der(recipient->cert, &next_ra, err);
    }
    return code == ERR_OK ? ca_client_sign_next_ca(ca, buf_view(&next_ra), ret_answer, err) : code;
}

static void announce_next_ca(struct policy *policy, struct ca_client *ca)
{
    struct err err = {0};
    struct buf answer = {0};
    if (generations_next(&policy->credentials->generations) == NULL) {
        return;
    }
    if (sign_next_ca(policy, ca, &answer, &err) != ERR_OK) {
        err_prefix(&err, "GetNextCACert cannot be answered");
        log_failure(LOG_LEVEL_ERROR, "next_ca", &err);
        return;
    }
    policy_set_next_ca(policy, &answer);
}

enum err_code reload_complete(const char *path, struct ca_client *ca, int64_t now,
                              struct policy **policy, struct err *err)
{
    if (reload_has_renewed_ra(*policy, ca, now)) {
        enum err_code code = read_policy_again(path, now, policy, err);
        if (code != ERR_OK) {
            return code;
        }
    }
    announce_next_ca(*policy, ca);
    return ERR_OK;
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

static void warn_of_mic_store(const struct settings_mic_store *store)
{
    if (store->accept_sha1) {
        log_message(LOG_LEVEL_WARNING, "weak_setting",
                    "mic \"%s\": SHA-1 is accepted in manufacturer's certificates", store->name);
    }
    if (store->min_rsa_bits < LIMIT_RSA_BITS_MIN) {
        log_message(LOG_LEVEL_WARNING, "weak_setting",
                    "mic \"%s\": RSA keys of %u bits are accepted in manufacturer's certificates",
                    store->name, (unsigned)store->min_rsa_bits);
    }
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
    if (settings->phone.crl_url == NULL && settings->phone.ocsp_url == NULL) {
        log_message(LOG_LEVEL_WARNING, "weak_setting",
                    "neither phone.crl_url nor phone.ocsp_url is set: certificates that are issued "
                    "now will never say where their revocation can be seen");
    }
    for (uint32_t i = 0; i < settings->mic_count; i++) {
        warn_of_mic_store(&settings->mic[i]);
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
