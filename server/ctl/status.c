// SPDX-License-Identifier: Apache-2.0
// scepctl status: how scepd is.
#include <stdio.h>

#include "server/ctl/api.h"
#include "server/ctl/table.h"

#define LINE_LEN       512
#define OCTETS_PER_KIB 1024

static void add(struct table *table, const char *title, const char *text)
{
    table_add(table, (const char *[]){title, text});
}

static void add_uptime(struct table *table, const json_t *status)
{
    enum { MINUTE = 60, HOUR = 3600, DAY = 86400 };
    char text[LINE_LEN];
    const char *started = api_text(status, "started_at");
    int64_t seconds = api_number(status, "uptime_seconds");
    snprintf(text, sizeof text, "%jdd %02jdh %02jdm %02jds, since %s", (intmax_t)(seconds / DAY),
             (intmax_t)(seconds % DAY / HOUR), (intmax_t)(seconds % HOUR / MINUTE),
             (intmax_t)(seconds % MINUTE), started != NULL ? started : "?");
    add(table, "Running for:", text);
}

static void add_certificate(struct table *table, const char *title, const json_t *certificate)
{
    char text[LINE_LEN];
    const char *subject = api_text(certificate, "subject");
    const char *until = api_text(certificate, "not_after");
    snprintf(text, sizeof text, "%s, until %s", subject != NULL ? subject : "?",
             until != NULL ? until : "?");
    add(table, title, text);
}

static void add_certificates(struct table *table, const json_t *status)
{
    const json_t *certificates = json_object_get(status, "certificates");
    const json_t *root = json_object_get(certificates, "root");
    add_certificate(table, "RA certificate:", json_object_get(certificates, "ra"));
    add_certificate(table, "Issuing CA:", json_object_get(certificates, "issuing"));
    add_certificate(table, "Root CA:", root);
    add(table, "Root SHA-256:", api_text(root, "sha256"));
    add(table, "Root SHA-1:", api_text(root, "sha1"));
}

static void add_store(struct table *table, const json_t *store)
{
    char text[LINE_LEN];
    snprintf(text, sizeof text, "%jd certificates, %jd challenges, %jd pending",
             (intmax_t)api_number(store, "certificates"), (intmax_t)api_number(store, "challenges"),
             (intmax_t)api_number(store, "pending"));
    add(table, "Store:", text);
    snprintf(text, sizeof text, "%jd KiB of at most %jd KiB",
             (intmax_t)(api_number(store, "used_octets") / OCTETS_PER_KIB),
             (intmax_t)(api_number(store, "max_octets") / OCTETS_PER_KIB));
    add(table, "Store's size:", text);
}

static void add_requests(struct table *table, const json_t *requests)
{
    char text[LINE_LEN];
    snprintf(text, sizeof text,
             "%jd: %jd issued, %jd repeats, %jd refused, %jd bad HTTP, %jd unavailable",
             (intmax_t)api_number(requests, "total"), (intmax_t)api_number(requests, "issued"),
             (intmax_t)api_number(requests, "replayed"), (intmax_t)api_number(requests, "refused"),
             (intmax_t)api_number(requests, "bad_http"),
             (intmax_t)api_number(requests, "unavailable"));
    add(table, "Requests:", text);
}

static const char *yes_or_no(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key)) ? "yes" : "no";
}

static enum ctl_exit print(struct ctl *ctl, const json_t *status)
{
    struct err err = {0};
    const json_t *settings = json_object_get(status, "settings");
    struct table table = table_of(2);
    add(&table, "Version:", api_text(status, "version"));
    add(&table, "OpenSSL:", api_text(status, "openssl"));
    add_uptime(&table, status);
    add(&table, "Listening at:", api_text(status, "listening"));
    add(&table, "CA answers:", yes_or_no(status, "ca_answering"));
    add_certificates(&table, status);
    add_store(&table, json_object_get(status, "store"));
    add_requests(&table, json_object_get(status, "requests"));
    add(&table, "Static challenge:", yes_or_no(settings, "static_challenge"));
    add(&table, "Legacy algorithms:", yes_or_no(settings, "legacy"));
    enum err_code code = table_print(&table, ctl->out, &err);
    table_done(&table);
    return code == ERR_OK ? CTL_OK : ctl_complain(ctl, CTL_FAILED, "%s", err.text);
}

static enum ctl_exit run(struct ctl *ctl, const struct ctl_arguments *arguments)
{
    (void)arguments;
    CLEANUP(api_decref) json_t *status = NULL;
    const struct api_request request = {.method = "GET", .collection = "/v1/status"};
    enum ctl_exit code = api_call(ctl, &request, &status);
    if (code != CTL_OK) {
        return code;
    }
    return ctl->is_json ? api_print(ctl, status) : print(ctl, status);
}

const struct ctl_command ctl_status = {
    .name = "status",
    .summary = "Show how scepd is: certificates, counts, what it listens at.",
    .run = run,
};
