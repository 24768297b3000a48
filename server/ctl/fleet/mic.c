// SPDX-License-Identifier: Apache-2.0
// scepctl mic check: which trust store accepts a manufacturer's certificate, why the others do not,
// and what is read from it. It asks the settings and their files, not scepd, so that a store can be
// tried before a reload.

#include "conf/base/clock.h"
#include "conf/cert_file.h"
#include "conf/keys.h"
#include "ra/trust.h"
#include "server/admin/admin_resources.h"
#include "server/ctl/api.h"
#include "server/ctl/table.h"

#define TITLE_LEN 96  // bytes
#define LINE_LEN  512 // bytes

static void cleanup_settings(struct settings **settings)
{
    settings_free(*settings);
}
static void cleanup_trust(struct trust **trust)
{
    trust_free(*trust);
}

// What is checked against what.
struct check {
    const struct settings *settings;
    const struct trust *trust;
    X509 *cert;
    STACK_OF(X509) * others; // the whole file
    int64_t now;
};

static json_t *name_json(const X509_NAME *name)
{
    // RFC 2253 order and quoting, but in UTF-8 instead of escaped octets.
    const unsigned long flags = XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB;
    CLEANUP(cleanup_BIO_free_all) BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    if (bio == NULL || X509_NAME_print_ex(bio, name, 0, flags) < 0) {
        return NULL;
    }
    long len = BIO_get_mem_data(bio, &text);
    return json_stringn(len > 0 ? text : "", len > 0 ? (size_t)len : 0);
}

static json_t *stores_json(const struct check *check, struct err *err)
{
    json_t *stores = json_array();
    for (unsigned i = 0; i < trust_store_count(check->trust); i++) {
        struct trust_result result = {0};
        if (trust_judge_by(check->trust, i, check->cert, check->others, check->now, &result, err) !=
            ERR_OK) {
            json_decref(stores);
            return NULL;
        }
        json_array_append_new(stores, json_pack("{s:s, s:s, s:o}", "name",
                                                trust_store_name(check->trust, i), "state",
                                                trust_state_name(result.state), "reason",
                                                admin_json_optional(result.reason)));
    }
    return stores;
}

// A common name that passes all rules for names.
static bool is_allowed(const struct check *check, const struct identity *identity,
                       const char *common_name)
{
    struct names names = {.count = 1, .list = {{.kind = NAME_COMMON_NAME}}};
    snprintf(names.list[0].text, sizeof names.list[0].text, "%s", common_name);
    const struct names_owner owner = {
        .device_name = identity->device_name,
        .serial_number = identity->serial_number,
        .mac = identity->mac,
        .domains = &check->settings->phone.domains,
    };
    return names_belong_to_device(&names, &owner) && names_check(&names, NULL) == ERR_OK;
}

static json_t *names_json(const struct check *check, const struct identity *identity)
{
    char name[LIMIT_NAME_VALUE + 1];
    const struct settings_texts *domains = &check->settings->phone.domains;
    json_t *names = json_array();
    if (is_allowed(check, identity, identity->device_name)) {
        json_array_append_new(names, json_string(identity->device_name));
    }
    for (uint32_t i = 0; i < domains->count; i++) {
        int len = snprintf(name, sizeof name, "%s.%s", identity->device_name, domains->list[i]);
        if (len > 0 && (size_t)len < sizeof name && is_allowed(check, identity, name)) {
            json_array_append_new(names, json_string(name));
        }
    }
    return names;
}

// What is read from the certificate, whether or not anybody vouches for it.
static json_t *identity_json(const struct identity *identity, const struct err *unreadable)
{
    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "class",
                     identity_class_name(identity->identity_class), "model",
                     admin_json_optional(identity->model), "mac",
                     admin_json_optional(identity->mac), "serial_number",
                     admin_json_optional(identity->serial_number), "common_name",
                     admin_json_optional(identity->common_name), "device",
                     admin_json_optional(identity->device_name), "unreadable",
                     admin_json_optional(unreadable->text));
}

static json_t *certificate_json(X509 *cert)
{
    const EVP_PKEY *key = X509_get0_pubkey(cert);
    const char *type = key != NULL ? EVP_PKEY_get0_type_name(key) : NULL;
    return json_pack("{s:o, s:o, s:o, s:o, s:s?, s:i}", "subject",
                     name_json(X509_get_subject_name(cert)), "issuer",
                     name_json(X509_get_issuer_name(cert)), "not_before",
                     admin_json_asn1_time(X509_get0_notBefore(cert)), "not_after",
                     admin_json_asn1_time(X509_get0_notAfter(cert)), "key_type", type, "key_bits",
                     key != NULL ? EVP_PKEY_get_bits(key) : 0);
}

// The verdict as scepd would give it on a request that this certificate signed.
static enum err_code judge(const struct check *check, struct trust_result *ret_result,
                           struct err *err)
{
    struct err fault = {0};
    enum err_code code =
        trust_judge(check->trust, check->cert, check->others, check->now, ret_result, err);
    if (code == ERR_OK && ret_result->state == TRUST_GOOD &&
        keys_check_at_least(X509_get0_pubkey(check->cert), trust_min_rsa_bits(check->settings),
                            &fault) != ERR_OK) {
        ret_result->state = TRUST_WEAK;
        snprintf(ret_result->reason, sizeof ret_result->reason, "%s", fault.text);
    }
    return code;
}

static json_t *report_json(const struct check *check, bool *ret_is_accepted, struct err *err)
{
    struct trust_result result = {0};
    struct identity identity = {0};
    struct err unreadable = {0};
    CLEANUP(api_decref) json_t *stores = stores_json(check, err);
    if (stores == NULL || judge(check, &result, err) != ERR_OK) {
        return NULL;
    }
    bool is_accepted = result.state == TRUST_GOOD;
    if (identity_read(X509_get_subject_name(check->cert), &identity, &unreadable) == ERR_OK) {
        unreadable.text[0] = '\0';
    }
    json_t *report = json_pack("{s:b, s:s?, s:o, s:O, s:o}", "accepted", is_accepted, "store",
                               is_accepted ? result.store : NULL, "reason",
                               admin_json_optional(result.reason), "stores", stores, "names",
                               is_accepted ? names_json(check, &identity) : json_array());
    CLEANUP(api_decref) json_t *device = identity_json(&identity, &unreadable);
    CLEANUP(api_decref) json_t *certificate = certificate_json(check->cert);
    if (json_object_update(report, device) != 0 || json_object_update(report, certificate) != 0) {
        json_decref(report);
        err_set(err, ERR_NOMEM, "out of memory");
        return NULL;
    }
    *ret_is_accepted = is_accepted;
    return report;
}

static void add(struct table *table, const char *title, const char *text)
{
    table_add(table, (const char *[]){title, text});
}

static void add_verdict(struct table *table, const json_t *report)
{
    const char *store = api_text(report, "store");
    char text[LINE_LEN];
    if (store != NULL) {
        snprintf(text, sizeof text, "yes, by trust store \"%s\"", store);
    } else {
        snprintf(text, sizeof text, "no: %s", api_text(report, "reason"));
    }
    add(table, "Accepted:", text);
}

static void add_stores(struct table *table, const json_t *stores)
{
    size_t at;
    json_t *store;
    json_array_foreach(stores, at, store)
    {
        char title[TITLE_LEN];
        char text[LINE_LEN];
        const char *reason = api_text(store, "reason");
        snprintf(title, sizeof title, "Trust store \"%s\":", api_text(store, "name"));
        snprintf(text, sizeof text, "%s%s%s", api_text(store, "state"), reason != NULL ? ": " : "",
                 reason != NULL ? reason : "");
        add(table, title, text);
    }
}

static void add_names(struct table *table, const json_t *names)
{
    size_t at;
    json_t *name;
    json_array_foreach(names, at, name)
    {
        add(table, at == 0 ? "May ask for:" : "", json_string_value(name));
    }
}

static void add_key(struct table *table, const json_t *report)
{
    char text[LINE_LEN];
    const char *type = api_text(report, "key_type");
    snprintf(text, sizeof text, "%s, %jd bits", type != NULL ? type : "unknown",
             (intmax_t)api_number(report, "key_bits"));
    add(table, "Key:", text);
}

static void add_fields(struct table *table, const json_t *report)
{
    static const struct {
        const char *title;
        const char *key;
    } fields[] = {
        {"Class:", "class"},
        {"Model:", "model"},
        {"MAC:", "mac"},
        {"Serial number:", "serial_number"},
        {"Common name:", "common_name"},
        {"Device:", "device"},
        {"Subject:", "subject"},
        {"Issuer:", "issuer"},
        {"Valid from:", "not_before"},
        {"Valid until:", "not_after"},
    };
    if (api_text(report, "unreadable") != NULL) {
        add(table, "Unreadable:", api_text(report, "unreadable"));
    }
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        add(table, fields[i].title, api_text(report, fields[i].key));
    }
}

static enum ctl_exit print(struct ctl *ctl, const json_t *report)
{
    struct err err = {0};
    struct table table = table_of(2);
    add_verdict(&table, report);
    add_fields(&table, report);
    add_key(&table, report);
    add_names(&table, json_object_get(report, "names"));
    add_stores(&table, json_object_get(report, "stores"));
    enum err_code code = table_print(&table, ctl->out, &err);
    table_done(&table);
    return code == ERR_OK ? CTL_OK : ctl_complain(ctl, CTL_FAILED, "%s", err.text);
}

static enum ctl_exit print_report(struct ctl *ctl, const struct check *check)
{
    struct err err = {0};
    bool is_accepted = false;
    CLEANUP(api_decref) json_t *report = report_json(check, &is_accepted, &err);
    if (report == NULL) {
        return ctl_complain(ctl, CTL_FAILED, "%s", err.text);
    }
    enum ctl_exit code = ctl->is_json ? api_print(ctl, report) : print(ctl, report);
    return code == CTL_OK && !is_accepted ? CTL_FAILED : code;
}

static enum ctl_exit run(struct ctl *ctl, const struct ctl_arguments *arguments)
{
    struct err err = {0};
    CLEANUP(cleanup_settings) struct settings *settings = NULL;
    CLEANUP(cleanup_trust) struct trust *trust = NULL;
    CLEANUP(cleanup_free_cert_stack) STACK_OF(X509) *certs = sk_X509_new_null();
    if (certs == NULL) {
        return ctl_complain(ctl, CTL_FAILED, "out of memory");
    }
    if (settings_load(ctl->config, false, ctl->errors, &settings, &err) != ERR_OK) {
        return ctl_complain(ctl, CTL_USAGE, "%s (-c FILE names another settings file)", err.text);
    }
    if (trust_load(settings, &trust, &err) != ERR_OK ||
        cert_file_read_all(arguments->operand, certs, &err) != ERR_OK) {
        return ctl_complain(ctl, CTL_USAGE, "%s", err.text);
    }
    const struct check check = {
        .settings = settings,
        .trust = trust,
        .cert = sk_X509_value(certs, 0),
        .others = certs,
        .now = clock_now(),
    };
    return print_report(ctl, &check);
}

const struct ctl_command ctl_mic_check = {
    .name = "mic",
    .action = "check",
    .operand = "FILE",
    .summary = "Tell which trust store accepts a manufacturer's certificate, and what is in it.",
    .run = run,
};
