// SPDX-License-Identifier: Apache-2.0
// scepctl status: how scepd is.
#include <stdio.h>
#include <time.h>

#include "conf/limits.h"
#include "server/ctl/api.h"
#include "server/ctl/color.h"
#include "server/ctl/table.h"

#define LINE_LEN       512
#define OCTETS_PER_KIB 1024
#define SIZE_LEN       32 // bytes of "1023 KiB"
#define SOON_DAYS      30
#define MINUTE_SEC     60
#define HOUR_SEC       3600

static void add(struct table *table, const char *title, const char *text)
{
    table_add(table, (const char *[]){title, text});
}

static void add_colored(struct table *table, const char *title, const char *text, enum color color)
{
    table_add_colored(table, (const char *[]){title, text}, 1, color);
}

static const char *plural(int64_t number)
{
    return number == 1 ? "" : "s";
}

static void add_uptime(struct table *table, const json_t *status)
{
    char text[LINE_LEN];
    const char *started = api_text(status, "started_at");
    int64_t seconds = api_number(status, "uptime_seconds");
    snprintf(text, sizeof text, "%jdd %02jdh %02jdm %02jds, since %s",
             (intmax_t)(seconds / DAY_SEC), (intmax_t)(seconds % DAY_SEC / HOUR_SEC),
             (intmax_t)(seconds % HOUR_SEC / MINUTE_SEC), (intmax_t)(seconds % MINUTE_SEC),
             started != NULL ? started : "?");
    add(table, "Running for:", text);
}

// An RFC 3339 text of scepd as seconds since 1970; 0 for none.
static int64_t read_time(const char *text)
{
    struct tm parts = {0};
    bool is_time = text != NULL && strptime(text, "%Y-%m-%dT%H:%M:%SZ", &parts) != NULL;
    return is_time ? (int64_t)timegm(&parts) : 0;
}

static void add_certificate(struct table *table, const char *title, const json_t *certificate,
                            int64_t now)
{
    char text[LINE_LEN];
    const char *subject = api_text(certificate, "subject");
    const char *until = api_text(certificate, "not_after");
    int64_t left_sec = read_time(until) - now;
    int64_t days = (left_sec > 0 ? left_sec : -left_sec) / DAY_SEC;
    enum color color = left_sec <= 0 ? COLOR_BAD : days < SOON_DAYS ? COLOR_WAITS : COLOR_PLAIN;
    snprintf(text, sizeof text, "%.256s, until %.32s (%s%jd day%s%s)",
             subject != NULL ? subject : "?", until != NULL ? until : "?",
             left_sec > 0 ? "" : "over for ", (intmax_t)days, plural(days),
             left_sec > 0 ? " left" : "");
    add_colored(table, title, text, color);
}

static void add_certificates(struct table *table, const json_t *status, int64_t now)
{
    const json_t *certificates = json_object_get(status, "certificates");
    const json_t *root = json_object_get(certificates, "root");
    add_certificate(table, "RA certificate:", json_object_get(certificates, "ra"), now);
    add_certificate(table, "Issuing CA:", json_object_get(certificates, "issuing"), now);
    add_certificate(table, "Root CA:", root, now);
    add(table, "Root SHA-256:", api_text(root, "sha256"));
    add(table, "Root SHA-1:", api_text(root, "sha1"));
}

static void add_fleet(struct table *table, const json_t *fleet)
{
    char text[LINE_LEN];
    snprintf(text, sizeof text,
             "%jd enrolled: %jd valid (%jd due, %jd late), %jd expired, %jd revoked; %jd pending",
             (intmax_t)api_number(fleet, "enrolled"), (intmax_t)api_number(fleet, "valid"),
             (intmax_t)api_number(fleet, "due"), (intmax_t)api_number(fleet, "late"),
             (intmax_t)api_number(fleet, "expired"), (intmax_t)api_number(fleet, "revoked"),
             (intmax_t)api_number(fleet, "pending"));
    bool is_late = api_number(fleet, "late") > 0 || api_number(fleet, "expired") > 0;
    add_colored(table, "Devices:", text, is_late ? COLOR_WAITS : COLOR_PLAIN);
}

static void add_servers(struct table *table, const json_t *servers, int64_t now)
{
    char text[LINE_LEN];
    const char *end = api_text(servers, "next_not_after");
    const char *name = api_text(servers, "next_common_name");
    int64_t valid = api_number(servers, "valid");
    int64_t expired = api_number(servers, "expired");
    size_t used = (size_t)snprintf(text, sizeof text, "%jd", (intmax_t)valid);
    if (end != NULL) {
        used += (size_t)snprintf(text + used, sizeof text - used, ", next ends %.32s (%.256s)", end,
                                 name != NULL ? name : "?");
    }
    if (expired > 0) {
        snprintf(text + used, sizeof text - used, "; %jd expired", (intmax_t)expired);
    }
    bool is_soon = end != NULL && read_time(end) - now < (int64_t)SOON_DAYS * DAY_SEC;
    enum color color =
        is_soon || api_number(servers, "expired_lately") > 0 ? COLOR_WAITS : COLOR_PLAIN;
    add_colored(table, "Servers' certificates:", text, color);
}

// One line a reason, most frequent first.
static void add_refused(struct table *table, const json_t *refused)
{
    char text[LINE_LEN];
    size_t i;
    const json_t *entry;
    snprintf(text, sizeof text, "%jd", (intmax_t)api_number(refused, "total"));
    add(table, "Refused in a day:", text);
    json_array_foreach(json_object_get(refused, "reasons"), i, entry)
    {
        const char *reason = api_text(entry, "reason");
        snprintf(text, sizeof text, "%jd %s", (intmax_t)api_number(entry, "count"),
                 reason != NULL ? reason : "?");
        add(table, "", text);
    }
}

static void add_crl(struct table *table, const json_t *crl)
{
    char text[LINE_LEN];
    const char *next = api_text(crl, "next_update");
    int64_t age_sec = api_number(crl, "age_seconds");
    if (!json_is_object(crl)) {
        add(table, "CRL:", "none yet");
        return;
    }
    snprintf(text, sizeof text, "number %jd, %jd revoked, %jdd %02jdh %02jdm old, next until %s",
             (intmax_t)api_number(crl, "number"), (intmax_t)api_number(crl, "entries"),
             (intmax_t)(age_sec / DAY_SEC), (intmax_t)(age_sec % DAY_SEC / HOUR_SEC),
             (intmax_t)(age_sec % HOUR_SEC / MINUTE_SEC), next != NULL ? next : "?");
    add(table, "CRL:", text);
}

// In the largest unit of which there are ten; rounded down.
static const char *describe_size(int64_t octets, char text[SIZE_LEN])
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB"};
    size_t unit = 0;
    int64_t number = octets / OCTETS_PER_KIB;
    while (number >= 10 * OCTETS_PER_KIB && unit + 1 < sizeof units / sizeof units[0]) {
        number /= OCTETS_PER_KIB;
        unit++;
    }
    snprintf(text, SIZE_LEN, "%jd %s", (intmax_t)number, units[unit]);
    return text;
}

static void add_store(struct table *table, const json_t *store)
{
    char text[LINE_LEN];
    char used[SIZE_LEN];
    char allowed[SIZE_LEN];
    int64_t certificates = api_number(store, "certificates");
    int64_t challenges = api_number(store, "challenges");
    int64_t events = api_number(store, "events");
    snprintf(text, sizeof text, "%jd certificate%s, %jd challenge%s, %jd pending, %jd event%s",
             (intmax_t)certificates, plural(certificates), (intmax_t)challenges, plural(challenges),
             (intmax_t)api_number(store, "pending"), (intmax_t)events, plural(events));
    add(table, "Store:", text);
    snprintf(text, sizeof text, "%s of at most %s",
             describe_size(api_number(store, "used_octets"), used),
             describe_size(api_number(store, "max_octets"), allowed));
    add(table, "Store's size:", text);
}

static void add_requests(struct table *table, const json_t *requests)
{
    char text[LINE_LEN];
    snprintf(text, sizeof text,
             "%jd: %jd issued, %jd repeated, %jd refused, %jd bad HTTP, %jd unavailable",
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
    const json_t *fleet = json_object_get(status, "fleet");
    int64_t now = read_time(api_text(status, "started_at")) + api_number(status, "uptime_seconds");
    struct table table = table_of(2);
    add(&table, "Version:", api_text(status, "version"));
    add(&table, "OpenSSL:", api_text(status, "openssl"));
    add_uptime(&table, status);
    add(&table, "Listening at:", api_text(status, "listening"));
    add(&table, "Web page at:", api_text(status, "web"));
    add_colored(&table, "CA answers:", yes_or_no(status, "ca_answering"),
                json_is_true(json_object_get(status, "ca_answering")) ? COLOR_GOOD : COLOR_BAD);
    add_certificates(&table, status, now);
    add_fleet(&table, fleet);
    add_servers(&table, json_object_get(fleet, "servers"), now);
    add_refused(&table, json_object_get(fleet, "refused_last_day"));
    add_crl(&table, json_object_get(fleet, "crl"));
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
    CLEANUP(api_decref) json_t *fleet = NULL;
    const struct api_request request = {.method = "GET", .collection = "/v1/status"};
    const struct api_request fleet_request = {.method = "GET", .collection = "/v1/fleet"};
    enum ctl_exit code = api_call(ctl, &request, &status);
    if (code == CTL_OK) {
        code = api_call(ctl, &fleet_request, &fleet);
    }
    if (code != CTL_OK) {
        return code;
    }
    if (json_object_set(status, "fleet", fleet) != 0) {
        return ctl_complain(ctl, CTL_FAILED, "out of memory");
    }
    return ctl->is_json ? api_print(ctl, status) : print(ctl, status);
}

const struct ctl_command ctl_status = {
    .name = "status",
    .summary = "Show how scepd and its fleet are: certificates, what is due, what was refused.",
    .run = run,
};
