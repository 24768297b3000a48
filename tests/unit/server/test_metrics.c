// SPDX-License-Identifier: Apache-2.0
// Figures for Prometheus: the text format line by line, and that they are what they should be.
// promtool looks at them in tests/service/web.sh.
#include "admin_client.h"

#include "server/metrics.h"

static char *write_text(struct fixture *fixture)
{
    struct buf out = {0};
    struct err err = {0};
    if (metrics_write(&fixture->live, KIT_NOW, &out, &err) != ERR_OK) {
        fail_msg("%s", err.text);
    }
    assert_int_equal(buf_append(&out, view_of("", 1), NULL), ERR_OK);
    return (char *)out.data;
}

static void assert_line(const char *text, const char *line)
{
    char *whole = NULL;
    assert_true(asprintf(&whole, "\n%s\n", line) > 0);
    if (strstr(text, whole) == NULL) {
        fail_msg("no line \"%s\" in:\n%s", line, text);
    }
    free(whole);
}

static void figures_are_told(void **state)
{
    struct fixture *fixture = *state;
    const struct enroll_report report = {.decision = "refuse",
                                         .digest = "SHA1",
                                         .cipher = "DES-EDE3-CBC",
                                         .refusal = REFUSAL_WRONG_CHALLENGE};
    const struct request_line line = {
        .operation = OPERATION_PKI, .status = 200, .report = &report, .total_us = 30000};
    counters_add(&fixture->live.counters, &line);
    fixture->live.is_ca_answering = true;
    fixture_add_certificate(fixture, 1, "one", "", KIT_NOW + 20 * (int64_t)DAY_SEC);
    fixture_add_certificate(fixture, 2, "two", "", KIT_NOW + (int64_t)DAY_SEC);
    static const char *const lines[] = {
        "# HELP scepd_requests_total HTTP requests answered on the phones' port.",
        "# TYPE scepd_requests_total counter",
        "scepd_requests_total{operation=\"PKIOperation\",result=\"refuse\"} 1",
        "scepd_requests_total{operation=\"PKIOperation\",result=\"issue\"} 0",
        "scepd_refusals_total{reason=\"wrong_challenge\"} 1",
        "scepd_refusals_total{reason=\"mic_expired\"} 0",
        "scepd_message_digests_total{digest=\"SHA1\"} 1",
        "scepd_message_ciphers_total{cipher=\"DES-EDE3-CBC\"} 1",
        "# TYPE scepd_request_duration_seconds histogram",
        "scepd_request_duration_seconds_bucket{operation=\"PKIOperation\",le=\"0.025\"} 0",
        "scepd_request_duration_seconds_bucket{operation=\"PKIOperation\",le=\"0.05\"} 1",
        "scepd_request_duration_seconds_bucket{operation=\"PKIOperation\",le=\"10\"} 1",
        "scepd_request_duration_seconds_bucket{operation=\"PKIOperation\",le=\"+Inf\"} 1",
        "scepd_request_duration_seconds_sum{operation=\"PKIOperation\"} 0.030000",
        "scepd_request_duration_seconds_count{operation=\"PKIOperation\"} 1",
        "scepd_ca_up 1",
        "scepd_queue_length 0",
        "scepd_server_certificates{state=\"ok\"} 0",
        "scepd_certificates{state=\"due\"} 1",
        "scepd_certificates{state=\"late\"} 1",
        "scepd_certificates{state=\"ok\"} 0",
        "scepd_certificates_ending{within_days=\"15\"} 1",
        "scepd_certificates_ending{within_days=\"30\"} 2",
        "scepd_certificates_ending{within_days=\"730\"} 2",
        "scepd_store_records{table=\"certificates\"} 2",
        "scepd_fleet_timestamp_seconds 1800000000",
        "scepd_start_timestamp_seconds 1800000000",
    };
    char *text = write_text(fixture);
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        assert_line(text, lines[i]);
    }
    assert_non_null(strstr(text, "scepd_build_info{version=\"" SCEPD_VERSION "\",openssl=\""));
    assert_non_null(strstr(text, "scepd_certificate_expiry_timestamp_seconds{role=\"root\"} "));
    assert_null(strstr(text, "scepd_crl_")); // there is none yet
    free(text);
}

// Every figure belongs to the family announced before it, and none comes twice.
static void the_format_holds(void **state)
{
    char *text = write_text(*state);
    char family[128] = "";
    char seen[16384] = "";
    unsigned figures = 0;
    char *rest = NULL;
    assert_int_equal(text[strlen(text) - 1], '\n');
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        char help[128];
        if (sscanf(line, "# HELP %127s", help) == 1) {
            char key[160];
            snprintf(family, sizeof family, "%s", help);
            snprintf(key, sizeof key, "|%s|", help);
            assert_null(strstr(seen, key));
            strncat(seen, key, sizeof seen - strlen(seen) - 1);
            continue;
        }
        if (sscanf(line, "# TYPE %127s", help) == 1) {
            assert_string_equal(help, family);
            continue;
        }
        assert_memory_equal(line, family, strlen(family));
        const char *value = strrchr(line, ' ');
        assert_non_null(value);
        char *end = NULL;
        (void)strtod(value + 1, &end);
        assert_int_equal(*end, '\0');
        figures++;
    }
    assert_true(figures > 100);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(figures_are_told),
        FIXTURE_TEST(the_format_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
