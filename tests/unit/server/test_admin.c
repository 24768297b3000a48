// SPDX-License-Identifier: Apache-2.0
// The administrator's interface over its real socket, with a real store and writer behind it.
#include "admin_client.h"

#include <ctype.h>
#include <sys/stat.h>

#include "conf/base/file.h"
#include "server/admin/admin_input.h"
#include "server/listener.h"

#define TOO_LONG 20000 // octets of a body; 16384 are allowed

static void test_refusals(void **state)
{
    static const struct {
        const char *question[3];
        int status;
        const char *words;
    } rows[] = {
        {{"GET", "/", NULL}, 404, "\"not_found\""},
        {{"GET", "/v1/statuses", NULL}, 404, "no such resource"},
        {{"GET", "/v1/status/", NULL}, 404, "no such resource"},
        {{"GET", "/v2/status", NULL}, 404, "no such resource"},
        {{"POST", "/v1/status", "{}"}, 405, "\"method_not_allowed\""},
        {{"DELETE", "/v1/challenges", NULL}, 405, "\"method_not_allowed\""},
        {{"PUT", "/v1/certificates/01", NULL}, 405, "\"method_not_allowed\""},
        {{"GET", "/v1/status?a=b", NULL}, 400, "/v1/status takes no arguments"},
        {{"GET", "/v1/certificates?a=b", NULL}, 400, "allowed are after, limit"},
        {{"GET", "/v1/certificates?limit=1&limit=2", NULL}, 400, "allowed are after, limit"},
        {{"GET", "/v1/certificates?limit", NULL}, 400, "allowed are after, limit"},
        {{"GET", "/v1/certificates?limit=0", NULL},
         400,
         "limit is \\\"0\\\"; allowed are 1 to 1000"},
        {{"GET", "/v1/certificates?limit=1001", NULL}, 400, "allowed are 1 to 1000"},
        {{"GET", "/v1/certificates?limit=-1", NULL}, 400, "allowed are 1 to 1000"},
        {{"GET", "/v1/certificates?limit=", NULL}, 400, "allowed are 1 to 1000"},
        {{"GET", "/v1/certificates?limit=99999999999999999999", NULL},
         400,
         "allowed are 1 to 1000"},
        {{"GET", "/v1/certificates?after=12", NULL}, 400, "it has 32 hex digits"},
        {{"GET", "/v1/certificates/nobody", NULL}, 404, "MAC \\\"nobody\\\""},
        {{"GET", "/v1/certificates/%ff%fe", NULL}, 404, "MAC \\\"??\\\""},
        {{"GET", "/v1/certificates/0102030405060708090A0B0C0D0E0F10", NULL}, 404, "not_found"},
        {{"DELETE", "/v1/challenges/x", NULL}, 400, "it has 10 hex digits"},
        {{"DELETE", "/v1/challenges/0123456789", NULL}, 404, "no challenge has the id 0123456789"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        expect(*state, rows[i].question, rows[i].status, rows[i].words);
    }
}

#define CN_64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void test_challenge_input(void **state)
{
    static const struct {
        const char *body;
        int status;
        const char *words;
    } rows[] = {
        {"", 400, "the body is not a JSON object"},
        {"[]", 400, "the body is not a JSON object"},
        {"{\"uses\":1", 400, "the body is not a JSON object: "},
        {"{} x", 400, "the body is not a JSON object: "},
        {"{\"uses\":1,\"uses\":2}", 400, "duplicate"},
        {"{\"usage\":1}", 400,
         "unknown key \\\"usage\\\"; allowed are common_name, mac, ttl_seconds, uses"},
        {"{\"uses\":0}", 400, "uses is 0; allowed are 1 to 1000000"},
        {"{\"uses\":1000001}", 400, "uses is 1000001"},
        {"{\"uses\":1.5}", 400, "uses is not a whole number"},
        {"{\"uses\":\"1\"}", 400, "uses is not a whole number"},
        {"{\"uses\":99999999999999999999}", 400, "not a JSON object: "},
        {"{\"ttl_seconds\":59}", 400, "ttl_seconds is 59; allowed are 60 to 31536000"},
        {"{\"ttl_seconds\":31536001}", 400, "ttl_seconds is 31536001"},
        {"{\"ttl_seconds\":-60}", 400, "ttl_seconds is -60"},
        {"{\"common_name\":\"\"}", 400, "a common name of 0 characters; allowed are 1 to 64"},
        {"{\"common_name\":\"" CN_64 "b\"}", 400, "a common name of 65 characters"},
        {"{\"common_name\":\"$MAU\"}", 400, "has a '$'"},
        {"{\"common_name\":\"a\\u0007b\"}", 400, "control characters"},
        {"{\"common_name\":\"a\\u0085b\"}", 400, "control characters"},
        {"{\"common_name\":\"a\\u0000b\"}", 400, "not a JSON object: "},
        {"{\"common_name\":null}", 400, "common_name is not a string"},
        {"{\"common_name\":\"\xff\"}", 400, "not a JSON object: "},
        {"{\"mac\":\"001A2B3C4D5\"}", 400, "is not a MAC address"},
        {"{\"mac\":12}", 400, "mac is not a string"},
        {"{\"mac\":\"00:00:00:00:00:01\",\"common_name\":\"SEP001A2B3C4D5E\"}", 400,
         "the common name has the MAC 001A2B3C4D5E but mac is 000000000001"},
        {"{}", 201, "\"uses_allowed\":1"},
        {"{\"uses\":1000000}", 201, "\"uses_left\":1000000"},
        {"{\"mac\":\"00:1a:2b:3c:4d:5e\"}", 201, "\"mac\":\"001A2B3C4D5E\""},
        {"{\"common_name\":\"" CN_64 "\"}", 201, CN_64},
        {"{\"common_name\":\"\xc3\xa9\xc3\xa9\"}", 201, "\xc3\xa9\xc3\xa9"},
        {"{\"mac\":\"001A2B3C4D5E\",\"common_name\":\"SEP001A2B3C4D5E\"}", 201, "\"usable\""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        expect(*state, (const char *const[]){"POST", "/v1/challenges", rows[i].body},
               rows[i].status, rows[i].words);
    }
}

static void test_body_too_long(void **state)
{
    char *body = malloc(TOO_LONG + 1);
    memset(body, ' ', TOO_LONG);
    body[TOO_LONG] = '\0';
    expect(*state, (const char *const[]){"POST", "/v1/challenges", body}, 413, "\"too_large\"");
    free(body);
}

static json_t *find_challenge(const json_t *list, const char *id)
{
    size_t i;
    json_t *challenge;
    json_array_foreach(list, i, challenge)
    {
        if (strcmp(text_of(challenge, "id"), id) == 0) {
            return challenge;
        }
    }
    return NULL;
}

static void assert_state(struct fixture *fixture, const char *id, const char *state_name)
{
    struct answer answer = ask(fixture, "GET", "/v1/challenges", NULL);
    json_t *found = find_challenge(json_object_get(answer.body, "challenges"), id);
    assert_non_null(found);
    assert_string_equal(text_of(found, "state"), state_name);
    assert_null(strstr(answer.text, "secret"));
    answer_done(&answer);
}

// Made, seen without its secret, known to challenge_check(), revoked.
static void test_challenge_life(void **state)
{
    struct fixture *fixture = *state;
    struct answer made =
        ask(fixture, "POST", "/v1/challenges", "{\"ttl_seconds\":7200,\"uses\":3}");
    assert_int_equal(made.status, 201);
    const char *secret = text_of(made.body, "secret");
    const char *id = text_of(made.body, "id");
    assert_int_equal(strlen(secret), CHALLENGE_DIGITS);
    assert_int_equal(strspn(secret, "0123456789"), CHALLENGE_DIGITS);
    assert_int_equal(strlen(text_of(made.body, "created_at")), strlen("2026-11-21T08:43:35Z"));

    struct answer list = ask(fixture, "GET", "/v1/challenges", NULL);
    assert_null(strstr(list.text, secret));
    answer_done(&list);
    assert_state(fixture, id, "usable");

    struct policy *policy = live_policy_get(fixture->live.policy);
    struct store_challenge stored = {0};
    uint8_t hash[SHA256_LEN];
    ossl_hmac_sha256(buf_view(&policy->secrets.key), view_of_text(secret), hash);
    policy_unref(policy);
    assert_int_equal(store_find_challenge(fixture->live.store, hash, &stored, NULL), ERR_OK);
    assert_int_equal(stored.expires_at - stored.created_at, 7200);
    assert_int_equal(stored.uses_left, 3);

    char path[64];
    snprintf(path, sizeof path, "/v1/challenges/%s", id);
    for (char *digit = path + strlen("/v1/challenges/"); *digit != '\0'; digit++) {
        *digit = (char)tolower((unsigned char)*digit);
    }
    expect(fixture, (const char *const[]){"DELETE", path, NULL}, 200, "\"revoked\"");
    assert_state(fixture, id, "revoked");
    answer_done(&made);
}

static void test_challenge_states(void **state)
{
    struct store_challenge old = {.hash = {0xaa, 1, 2, 3, 4},
                                  .id = "AA01020304",
                                  .created_at = FIXTURE_LONG_AGO,
                                  .expires_at = FIXTURE_LONG_AGO + 60,
                                  .uses_allowed = 1,
                                  .uses_left = 1};
    struct store_challenge used = {.hash = {0xbb, 1, 2, 3, 4},
                                   .id = "BB01020304",
                                   .created_at = KIT_NOW,
                                   .expires_at = FIXTURE_FAR_FUTURE,
                                   .uses_allowed = 2,
                                   .last_used_at = KIT_NOW};
    fixture_add_challenge(*state, old);
    fixture_add_challenge(*state, used);
    assert_state(*state, "AA01020304", "expired");
    assert_state(*state, "BB01020304", "used up");
}

static void test_paging(void **state)
{
    enum { COUNT = 5, PAGE = 2 };
    for (unsigned i = 1; i <= COUNT; i++) {
        fixture_add_certificate(*state, (uint8_t)i, "phone", "", FIXTURE_FAR_FUTURE);
    }
    char path[128] = "/v1/certificates?limit=2";
    int expected = COUNT;
    for (;;) {
        struct answer page = ask(*state, "GET", path, NULL);
        assert_int_equal(page.status, 200);
        size_t i;
        json_t *certificate;
        json_array_foreach(json_object_get(page.body, "certificates"), i, certificate)
        {
            char serial[40];
            snprintf(serial, sizeof serial, "01%02X%028d", expected, 0);
            assert_string_equal(text_of(certificate, "serial"), serial);
            expected--;
        }
        assert_true(i <= PAGE && i > 0);
        const char *after = json_string_value(json_object_get(page.body, "next_after"));
        if (after == NULL) {
            assert_true(json_is_null(json_object_get(page.body, "next_after")));
            answer_done(&page);
            break;
        }
        assert_int_equal(i, PAGE);
        snprintf(path, sizeof path, "/v1/certificates?limit=2&after=%s", after);
        answer_done(&page);
    }
    assert_int_equal(expected, 0);
}

static void test_empty_list(void **state)
{
    expect(*state, (const char *const[]){"GET", "/v1/certificates", NULL}, 200,
           "{\"next_after\":null,\"certificates\":[]}");
}

static void test_show(void **state)
{
    static const char mac[] = "001A2B3C4D5E";
    fixture_add_certificate(*state, 1, "SEP001A2B3C4D5E", mac, FIXTURE_LONG_AGO);
    fixture_add_certificate(*state, 2, "CP-9871-SEP001A2B3C4D5E", mac, FIXTURE_FAR_FUTURE);
    fixture_add_certificate(*state, 3, "Lobby, 1st / left", "", FIXTURE_FAR_FUTURE);
    static const struct {
        const char *item;
        const char *serial;
        const char *status;
        size_t others;
    } rows[] = {
        {"01020000000000000000000000000000", "01020000000000000000000000000000", "valid", 1},
        {"01:01:00:00:00:00:00:00:00:00:00:00:00:00:00:00", "01010000000000000000000000000000",
         "expired", 1},
        {"0x01020000000000000000000000000000", "01020000000000000000000000000000", "valid", 1},
        {"001a.2b3c.4d5e", "01020000000000000000000000000000", "valid", 1},
        {"00:1A:2B:3C:4D:5E", "01020000000000000000000000000000", "valid", 1},
        {"CP-9871-SEP001A2B3C4D5E", "01020000000000000000000000000000", "valid", 1},
        {"Lobby,%201st%20%2F%20left", "01030000000000000000000000000000", "valid", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char path[128];
        snprintf(path, sizeof path, "/v1/certificates/%s", rows[i].item);
        struct answer answer = ask(*state, "GET", path, NULL);
        assert_int_equal(answer.status, 200);
        assert_string_equal(text_of(answer.body, "serial"), rows[i].serial);
        assert_string_equal(text_of(answer.body, "status"), rows[i].status);
        assert_int_equal(json_array_size(json_object_get(answer.body, "others")), rows[i].others);
        assert_non_null(strstr(text_of(answer.body, "pem"), "-----BEGIN CERTIFICATE-----\n"));
        assert_int_equal(strlen(text_of(answer.body, "sha256")), 2 * SHA256_LEN);
        assert_string_equal(text_of(answer.body, "signer"), signer_class_name(SIGNER_SELF_SIGNED));
        assert_string_equal(text_of(answer.body, "authorised_by"), "challenge");
        assert_string_equal(text_of(answer.body, "kind"), "phone");
        answer_done(&answer);
    }
    expect(*state, (const char *const[]){"GET", "/v1/certificates/xSEP001A2B3C4D5E", NULL}, 404,
           "not_found");
}

static void test_made_by_hand(void **state)
{
    struct store_certificate record = fixture_certificate(1, "pv.example", "", FIXTURE_FAR_FUTURE);
    record.origin = ORIGIN_ADMINISTRATOR;
    record.kind = CERTIFICATE_OF_SERVER;
    fixture_write_certificate(*state, &record);
    struct answer answer = ask(*state, "GET", "/v1/certificates/pv.example", NULL);
    assert_string_equal(text_of(answer.body, "kind"), "server");
    assert_string_equal(text_of(answer.body, "signer"), "administrator");
    assert_string_equal(text_of(answer.body, "authorised_by"), "administrator");
    answer_done(&answer);
    answer = ask(*state, "GET", "/v1/devices/pv.example", NULL);
    const json_t *outlook = json_object_get(answer.body, "outlook");
    assert_true(json_is_false(json_object_get(outlook, "renews")));
    assert_true(json_is_null(json_object_get(outlook, "renews_at")));
    answer_done(&answer);
}

static void test_status(void **state)
{
    struct answer answer = ask(*state, "GET", "/v1/status", NULL);
    assert_int_equal(answer.status, 200);
    assert_string_equal(text_of(answer.body, "version"), SCEPD_VERSION);
    assert_string_equal(text_of(answer.body, "listening"), "127.0.0.1:8080");
    assert_string_equal(text_of(answer.body, "started_at"), "2027-01-15T08:00:00Z");
    assert_true(json_is_false(json_object_get(answer.body, "ca_answering")));
    json_t *certificates = json_object_get(answer.body, "certificates");
    json_t *root = json_object_get(certificates, "root");
    assert_non_null(strstr(text_of(root, "subject"), "O=Test"));
    assert_int_equal(strlen(text_of(root, "sha256")), 64);
    assert_int_equal(strlen(text_of(root, "sha1")), 40);
    assert_non_null(strstr(text_of(json_object_get(certificates, "ra"), "not_after"), "T"));
    assert_string_not_equal(text_of(json_object_get(certificates, "issuing"), "sha256"),
                            text_of(root, "sha256"));
    assert_true(
        json_is_integer(json_object_get(json_object_get(answer.body, "store"), "certificates")));
    assert_true(
        json_is_integer(json_object_get(json_object_get(answer.body, "requests"), "issued")));
    json_t *settings = json_object_get(answer.body, "settings");
    assert_true(json_is_false(json_object_get(settings, "static_challenge")));
    assert_true(json_is_false(json_object_get(settings, "legacy")));
    answer_done(&answer);
}

static void test_socket_file(void **state)
{
    struct fixture *fixture = *state;
    struct err err = {0};
    struct stat status;
    int fd = -1;
    assert_int_equal(stat(fixture->socket, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_int_equal(listener_open_unix(fixture->socket, SOCK_STREAM, &fd, &err), ERR_EXISTS);
    assert_non_null(strstr(err.text, "another process listens on"));

    // A file that is no socket stays.
    char *file = kit_write(fixture->folder, "file", view_of_text("x"));
    assert_int_equal(listener_open_unix(file, SOCK_STREAM, &fd, &err), ERR_EXISTS);
    assert_non_null(strstr(err.text, "exists and is not a socket"));
    assert_int_equal(access(file, F_OK), 0);
    free(file);

    // What a killed process left behind does not stop the next one.
    char *stale = kit_path(fixture->folder, "stale");
    assert_int_equal(listener_open_unix(stale, SOCK_STREAM, &fd, &err), ERR_OK);
    close(fd);
    assert_int_equal(access(stale, F_OK), 0);
    assert_int_equal(listener_open_unix(stale, SOCK_STREAM, &fd, &err), ERR_OK);
    close(fd);
    free(stale);

    char long_path[200];
    memset(long_path, 'x', sizeof long_path);
    long_path[sizeof long_path - 1] = '\0';
    assert_int_equal(listener_open_unix(long_path, SOCK_STREAM, &fd, &err), ERR_LIMIT);
    assert_non_null(strstr(err.text, "is longer than 107 octets"));
    assert_int_equal(listener_open_unix("/nonexistent/folder/socket", SOCK_STREAM, &fd, &err),
                     ERR_NOT_FOUND);
}

// One that says nothing and one that stops in the middle of a request hold nobody up.
static void test_idle_connections(void **state)
{
    struct fixture *fixture = *state;
    static const char half[] = "POST /v1/challenges HTTP/1.1\r\nContent-Length: 5\r\n\r\n{";
    int silent = connect_to(fixture->socket);
    int stopped = connect_to(fixture->socket);
    send_all(stopped, half, sizeof half - 1);
    expect(fixture, (const char *const[]){"GET", "/v1/challenges", NULL}, 200, "challenges");
    close(silent);
    close(stopped);
    expect(fixture, (const char *const[]){"GET", "/v1/challenges", NULL}, 200, "challenges");
}

static void test_macs(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *mac; // NULL = refused
    } rows[] = {
        {"001A2B3C4D5E", "001A2B3C4D5E"},
        {"001a2b3c4d5e", "001A2B3C4D5E"},
        {"00:1a:2B:3c:4d:5e", "001A2B3C4D5E"},
        {"00-1A-2B-3C-4D-5E", "001A2B3C4D5E"},
        {"00.1a.2b.3c.4d.5e", "001A2B3C4D5E"},
        {"00 1a 2b 3c 4d 5e", "001A2B3C4D5E"},
        {"001a.2b3c.4d5e", "001A2B3C4D5E"},
        {"001A-2B3C-4D5E", "001A2B3C4D5E"},
        {"SEP001A2B3C4D5E", "001A2B3C4D5E"},
        {"sep00:1a:2b:3c:4d:5e", "001A2B3C4D5E"},
        {"", NULL},
        {"SEP", NULL},
        {"001A2B3C4D5", NULL},
        {"001A2B3C4D5E6", NULL},
        {"001A2B3C4D5G", NULL},
        {"00:1a:2b:3c:4d-5e", NULL},
        {"00:1a:2b:3c:4d:5e:", NULL},
        {":00:1a:2b:3c:4d:5e", NULL},
        {"00:1a:2b:3c:4d5e", NULL},
        {"0:1a:2b:3c:4d:5e:00", NULL},
        {"00_1a_2b_3c_4d_5e", NULL},
        {"001a2b.3c4d5e", NULL},
        {" 001A2B3C4D5E", NULL},
        {"001A2B3C4D5E\n", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err err = {0};
        char mac[MAC_TEXT_LEN] = "unchanged";
        enum err_code code = admin_read_mac(rows[i].text, mac, &err);
        if (rows[i].mac != NULL) {
            assert_int_equal(code, ERR_OK);
            assert_string_equal(mac, rows[i].mac);
        } else {
            assert_int_equal(code, ERR_SYNTAX);
            assert_non_null(strstr(err.text, "is not a MAC address; write 12 hex digits"));
            assert_string_equal(mac, "unchanged");
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_refusals),         FIXTURE_TEST(test_challenge_input),
        FIXTURE_TEST(test_body_too_long),    FIXTURE_TEST(test_challenge_life),
        FIXTURE_TEST(test_challenge_states), FIXTURE_TEST(test_paging),
        FIXTURE_TEST(test_empty_list),       FIXTURE_TEST(test_show),
        FIXTURE_TEST(test_made_by_hand),     FIXTURE_TEST(test_status),
        FIXTURE_TEST(test_socket_file),      FIXTURE_TEST(test_idle_connections),
        cmocka_unit_test(test_macs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
