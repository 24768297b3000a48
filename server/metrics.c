// SPDX-License-Identifier: Apache-2.0
// A family of figures has one HELP and one TYPE line and then its figures, one a line. Names end
// with what they count: _total for what only grows, _seconds, _bytes for what has that unit.
#include "server/metrics.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>

#include "server/work.h"

#define LINE_LEN   512 // bytes of one line; all texts in it are our own
#define US_PER_SEC 1000000
#define ALWAYS_UP  "1" // of the figure that only has labels

// What has been written so far; after a failure nothing more is.
struct sheet {
    struct buf *out;
    enum err_code code;
};

static void PRINTF_LIKE(2, 3) add(struct sheet *sheet, const char *format, ...)
{
    char line[LINE_LEN];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (len < 0 || (size_t)len >= sizeof line) {
        sheet->code = ERR_INTERNAL;
    }
    if (sheet->code == ERR_OK) {
        sheet->code = buf_append(sheet->out, view_of(line, (size_t)len), NULL);
    }
}

static void begin(struct sheet *sheet, const char *name, const char *type, const char *help)
{
    add(sheet, "# HELP scepd_%s %s\n# TYPE scepd_%s %s\n", name, help, name, type);
}

// A figure of one label. Its value is one of our own words, without quotes or backslashes.
static void add_labelled(struct sheet *sheet, const char *name, const char *label,
                         const char *label_value, int64_t value)
{
    add(sheet, "scepd_%s{%s=\"%s\"} %" PRId64 "\n", name, label, label_value, value);
}

static void add_gauge(struct sheet *sheet, const char *name, const char *help, int64_t value)
{
    begin(sheet, name, "gauge", help);
    add(sheet, "scepd_%s %" PRId64 "\n", name, value);
}

// Label values are escaped as the format wants it.
static const char *escape(const char *text, char *room, size_t size)
{
    size_t len = 0;
    for (; *text != '\0' && len + 3 <= size; text++) {
        if (*text == '"' || *text == '\\' || *text == '\n') {
            room[len++] = '\\';
        }
        room[len++] = *text == '\n' ? 'n' : *text;
    }
    room[len] = '\0';
    return room;
}

static void add_server(struct sheet *sheet, struct live *live, int64_t now)
{
    char openssl[LINE_LEN / 4];
    begin(sheet, "build_info", "gauge", "Version of scepd and of OpenSSL.");
    add(sheet, "scepd_build_info{version=\"%s\",openssl=\"%s\"} " ALWAYS_UP "\n", SCEPD_VERSION,
        escape(OpenSSL_version(OPENSSL_VERSION_STRING), openssl, sizeof openssl));
    add_gauge(sheet, "start_timestamp_seconds", "When scepd was started.", live->started_at);
    add_gauge(sheet, "ca_up", "Whether scepd-ca answered when it was asked last.",
              health_ca_answers(live, now));
    add_gauge(sheet, "queue_length", "Requests that wait for a worker.",
              live->work != NULL ? work_queue_length(live->work) : 0);
}

static void add_requests(struct sheet *sheet, const struct counters *counters)
{
    begin(sheet, "requests_total", "counter", "HTTP requests answered on the phones' port.");
    for (unsigned i = 0; i < OPERATION_MAX; i++) {
        for (unsigned j = 0; j < RESULT_MAX; j++) {
            uint64_t count = atomic_load(&counters->requests[i][j]);
            if (count > 0 || (i == OPERATION_PKI && j != RESULT_OK)) {
                add(sheet, "scepd_requests_total{operation=\"%s\",result=\"%s\"} %" PRIu64 "\n",
                    operation_name((enum operation)i), counters_result_name(j), count);
            }
        }
    }
}

static void add_durations_of(struct sheet *sheet, const char *operation,
                             const struct counters_durations *durations)
{
    uint64_t count = 0;
    for (size_t i = 0; i < COUNTERS_BOUNDS; i++) {
        count += atomic_load(&durations->counts[i]);
        add(sheet,
            "scepd_request_duration_seconds_bucket{operation=\"%s\",le=\"%g\"} %" PRIu64 "\n",
            operation, (double)counters_bound_us(i) / US_PER_SEC, count);
    }
    count += atomic_load(&durations->counts[COUNTERS_BOUNDS]);
    add(sheet, "scepd_request_duration_seconds_bucket{operation=\"%s\",le=\"+Inf\"} %" PRIu64 "\n",
        operation, count);
    add(sheet, "scepd_request_duration_seconds_sum{operation=\"%s\"} %.6f\n", operation,
        (double)atomic_load(&durations->sum_us) / US_PER_SEC);
    add(sheet, "scepd_request_duration_seconds_count{operation=\"%s\"} %" PRIu64 "\n", operation,
        count);
}

static void add_durations(struct sheet *sheet, const struct counters *counters)
{
    begin(sheet, "request_duration_seconds", "histogram",
          "From the head of a request to its answer.");
    for (unsigned i = 0; i < OPERATION_MAX; i++) {
        add_durations_of(sheet, operation_name((enum operation)i), &counters->durations[i]);
    }
}

static void add_algorithms(struct sheet *sheet, const struct counters *counters)
{
    begin(sheet, "message_digests_total", "counter",
          "SCEP messages by the digest of their signature.");
    for (size_t i = 0; i < COUNTERS_DIGESTS; i++) {
        add_labelled(sheet, "message_digests_total", "digest", counters_digest_name(i),
                     (int64_t)atomic_load(&counters->digests[i]));
    }
    begin(sheet, "message_ciphers_total", "counter",
          "SCEP messages by the cipher of their envelope.");
    for (size_t i = 0; i < COUNTERS_CIPHERS; i++) {
        add_labelled(sheet, "message_ciphers_total", "cipher", counters_cipher_name(i),
                     (int64_t)atomic_load(&counters->ciphers[i]));
    }
}

static void add_refusals(struct sheet *sheet, const struct counters *counters)
{
    begin(sheet, "refusals_total", "counter", "Requests that were refused, by reason.");
    for (unsigned i = REFUSAL_NONE + 1; i < REFUSAL_MAX; i++) {
        add_labelled(sheet, "refusals_total", "reason", refusal_name((enum refusal)i),
                     (int64_t)atomic_load(&counters->refusals[i]));
    }
}

static void add_server_certificates(struct sheet *sheet, const struct fleet_servers *servers)
{
    begin(sheet, "server_certificates", "gauge",
          "Provisioning servers' present certificates, by state; one for each server.");
    add_labelled(sheet, "server_certificates", "state", "ok", (int64_t)servers->valid);
    add_labelled(sheet, "server_certificates", "state", "expired", (int64_t)servers->expired);
    add_labelled(sheet, "server_certificates", "state", "revoked", (int64_t)servers->revoked);
    if (servers->valid > 0) {
        add_gauge(sheet, "server_certificate_next_expiry_timestamp_seconds",
                  "When the first of the servers' valid certificates ends.",
                  servers->next_not_after);
    }
}

static void add_fleet(struct sheet *sheet, const struct fleet *fleet)
{
    const struct {
        const char *state;
        uint64_t count;
    } states[] = {
        {"ok", fleet->ok},           {"due", fleet->due},         {"late", fleet->late},
        {"expired", fleet->expired}, {"revoked", fleet->revoked},
    };
    begin(sheet, "certificates", "gauge",
          "Phones' present certificates, by state; one for each phone.");
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        add_labelled(sheet, "certificates", "state", states[i].state, (int64_t)states[i].count);
    }
    begin(sheet, "certificates_ending", "gauge",
          "Phones' present certificates that end within so many days.");
    uint64_t count = 0;
    for (size_t i = 1; i + 1 < FLEET_BUCKETS; i++) {
        const struct fleet_bucket *bucket = &fleet->expiry[i];
        count += bucket->count;
        add(sheet, "scepd_certificates_ending{within_days=\"%" PRId64 "\"} %" PRIu64 "\n",
            (bucket->until - fleet->as_of) / DAY_SEC, count);
    }
    add_server_certificates(sheet, &fleet->servers);
    add_gauge(sheet, "pending_requests", "Requests that wait for an administrator.",
              (int64_t)fleet->store.pending);
    add_gauge(sheet, "fleet_timestamp_seconds", "When the certificates were counted.",
              fleet->as_of);
}

static void add_authorities(struct sheet *sheet, const struct fleet *fleet)
{
    static const char expiry[] = "certificate_expiry_timestamp_seconds";
    begin(sheet, expiry, "gauge", "When the certificates of RA and CAs end.");
    add_labelled(sheet, expiry, "role", "ra", fleet->ra_not_after);
    add_labelled(sheet, expiry, "role", "issuing", fleet->issuing_not_after);
    add_labelled(sheet, expiry, "role", "root", fleet->root_not_after);
    if (fleet->has_crl) {
        add_gauge(sheet, "crl_number", "Number of the present CA's CRL.",
                  (int64_t)fleet->crl_number);
        add_gauge(sheet, "crl_entries", "Certificates on that CRL.", fleet->crl_entries);
        add_gauge(sheet, "crl_this_update_timestamp_seconds", "When that CRL was made.",
                  fleet->crl_this_update);
        add_gauge(sheet, "crl_next_update_timestamp_seconds", "When that CRL is over.",
                  fleet->crl_next_update);
    }
}

static void add_store(struct sheet *sheet, const struct store_counts *counts)
{
    const struct {
        const char *table;
        uint64_t count;
    } tables[] = {
        {"certificates", counts->certificates}, {"transactions", counts->transactions},
        {"challenges", counts->challenges},     {"pending", counts->pending},
        {"devices", counts->devices},           {"revoked", counts->revoked},
    };
    begin(sheet, "store_records", "gauge", "Records in the store.");
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        add_labelled(sheet, "store_records", "table", tables[i].table, (int64_t)tables[i].count);
    }
    add_gauge(sheet, "store_used_bytes", "Of the store's map, used so far.",
              (int64_t)counts->used_octets);
    add_gauge(sheet, "store_mapped_bytes", "Present size of the store's map.",
              (int64_t)counts->map_octets);
    add_gauge(sheet, "store_limit_bytes", "Size that the store's map never exceeds.",
              (int64_t)counts->max_octets);
}

enum err_code metrics_write(struct live *live, int64_t now, struct buf *out, struct err *err)
{
    const struct fleet *fleet = NULL;
    struct sheet sheet = {.out = out};
    enum err_code code = fleet_get(live, now, &fleet, err);
    if (code != ERR_OK) {
        return code;
    }
    add_server(&sheet, live, now);
    add_requests(&sheet, &live->counters);
    add_durations(&sheet, &live->counters);
    add_algorithms(&sheet, &live->counters);
    add_refusals(&sheet, &live->counters);
    add_fleet(&sheet, fleet);
    add_authorities(&sheet, fleet);
    add_store(&sheet, &fleet->store);
    return sheet.code == ERR_OK ? ERR_OK : err_set(err, sheet.code, "no memory for the figures");
}
