// SPDX-License-Identifier: Apache-2.0
// GET /v1/backup over the real socket: whole copies, one at a time, clients that go away; and
// GET /v1/export.
#include "admin_client.h"

#include <sys/stat.h>

#define DEVICES    6000 // with their notes more than all sockets on the way hold
#define TRIES_MAX  100000
#define HEAD_LEN   4096
#define HEX        16
#define STORE_NAME "copy"

static void add_devices(struct fixture *fixture)
{
    struct store_device *devices = calloc(DEVICES, sizeof *devices);
    struct write_order order = {
        .kind = WRITE_DEVICES, .now = KIT_NOW, .devices = devices, .device_count = DEVICES};
    for (unsigned i = 0; i < DEVICES; i++) {
        snprintf(devices[i].mac, sizeof devices[i].mac, "001A%08X", i);
        memset(devices[i].note, 'n', sizeof devices[i].note - 1);
    }
    assert_int_equal(writer_submit_and_wait(fixture->live.writer, &order, NULL), ERR_OK);
    free(devices);
}

static int ask_backup(struct fixture *fixture)
{
    static const char request[] =
        "GET /v1/backup HTTP/1.1\r\nHost: scepd\r\nConnection: close\r\n\r\n";
    int fd = connect_to(fixture->socket);
    send_all(fd, request, strlen(request));
    return fd;
}

static struct buf read_rest(int fd)
{
    struct buf all = {0};
    char chunk[4096];
    ssize_t got;
    while ((got = read(fd, chunk, sizeof chunk)) > 0) {
        assert_int_equal(buf_append(&all, view_of(chunk, (size_t)got), NULL), ERR_OK);
    }
    close(fd);
    assert_int_equal(buf_append(&all, view_of("", 1), NULL), ERR_OK);
    return all;
}

// The octets in chunked coding (RFC 9112, 7.1); fails the test unless there is a last chunk.
static struct buf join_chunks(const char *body, const char *end)
{
    struct buf joined = {0};
    for (;;) {
        char *after = NULL;
        size_t len = strtoul(body, &after, HEX);
        assert_true(after > body && after + 2 + len < end);
        body = after + 2;
        if (len == 0) {
            return joined;
        }
        assert_int_equal(buf_append(&joined, view_of(body, len), NULL), ERR_OK);
        body += len + 2;
    }
}

// A whole copy without its hash, which must be right.
static struct buf take_copy(int fd)
{
    uint8_t digest[SHA256_LEN];
    struct buf all = read_rest(fd);
    const char *text = (const char *)all.data;
    assert_memory_equal(text, "HTTP/1.1 200 ", strlen("HTTP/1.1 200 "));
    assert_non_null(strstr(text, "Content-Type: application/octet-stream\r\n"));
    assert_non_null(strstr(text, "Scepd-Store-Schema: "));
    assert_non_null(strstr(text, "Scepd-Certificates: 1\r\n"));
    const char *body = strstr(text, "\r\n\r\n") + 4;
    struct buf joined = join_chunks(body, text + all.len);
    buf_done(&all);
    assert_true(joined.len > SHA256_LEN);
    joined.len -= SHA256_LEN;
    const struct view copy = buf_view(&joined);
    ossl_sha256(&copy, 1, digest);
    assert_memory_equal(joined.data + joined.len, digest, SHA256_LEN);
    return joined;
}

static void assert_is_store(struct fixture *fixture, const struct buf *copy)
{
    struct store *store = NULL;
    struct store_counts counts = {0};
    char *folder = kit_path(fixture->folder, STORE_NAME);
    assert_int_equal(mkdir(folder, 0700), 0);
    free(kit_write(folder, "data.mdb", buf_view(copy)));
    assert_int_equal(store_open(folder, FIXTURE_STORE_OCTETS, &store, NULL), ERR_OK);
    assert_int_equal(store_count(store, &counts, NULL), ERR_OK);
    assert_int_equal(counts.certificates, 1);
    assert_int_equal(counts.devices, DEVICES);
    store_close(store);
    free(folder);
}

static void test_copy(void **state)
{
    fixture_add_certificate(*state, 1, "SEP001A2B3C4D5E", "001A2B3C4D5E", FIXTURE_FAR_FUTURE);
    add_devices(*state);
    struct buf copy = take_copy(ask_backup(*state));
    assert_is_store(*state, &copy);
    buf_done(&copy);
}

static void read_head(int fd)
{
    char head[HEAD_LEN];
    assert_true(read(fd, head, sizeof head) > 0);
}

static void test_one_at_a_time(void **state)
{
    fixture_add_certificate(*state, 1, "SEP001A2B3C4D5E", "001A2B3C4D5E", FIXTURE_FAR_FUTURE);
    add_devices(*state);
    int first = ask_backup(*state);
    read_head(first);
    expect(*state, (const char *const[]){"GET", "/v1/backup", NULL}, 409, "one at a time");
    // Everything else goes on, the writer too.
    expect(*state, (const char *const[]){"POST", "/v1/challenges", "{}"}, 201, "secret");
    struct buf rest = read_rest(first);
    buf_done(&rest);
    struct buf copy = take_copy(ask_backup(*state));
    buf_done(&copy);
}

// A client that goes away makes room for the next one.
static void test_client_gone(void **state)
{
    fixture_add_certificate(*state, 1, "SEP001A2B3C4D5E", "001A2B3C4D5E", FIXTURE_FAR_FUTURE);
    add_devices(*state);
    int first = ask_backup(*state);
    read_head(first);
    close(first);
    for (unsigned tries = 0;; tries++) {
        assert_true(tries < TRIES_MAX);
        int fd = ask_backup(*state);
        char start[16] = "";
        assert_true(recv(fd, start, sizeof start - 1, MSG_PEEK | MSG_WAITALL) > 0);
        if (memcmp(start, "HTTP/1.1 409", strlen("HTTP/1.1 409")) != 0) {
            struct buf copy = take_copy(fd);
            buf_done(&copy);
            break;
        }
        close(fd);
    }
}

// The interface ends in the middle of one: the connection stays open beyond the fixture's end.
static void test_end_of_scepd(void **state)
{
    add_devices(*state);
    int fd = ask_backup(*state);
    read_head(fd);
}

static void test_refusals(void **state)
{
    static const struct {
        const char *question[3];
        int status;
        const char *words;
    } rows[] = {
        {{"GET", "/v1/backup?x=1", NULL}, 400, "takes no arguments"},
        {{"POST", "/v1/backup", "{}"}, 405, "does not know the method"},
        {{"GET", "/v1/backup/x", NULL}, 404, "no such resource"},
        {{"GET", "/v1/export?limit=0", NULL}, 400, "allowed are 1 to 1000"},
        {{"GET", "/v1/export?days=3", NULL}, 400, "days"},
        {{"GET", "/v1/export?after=xyz", NULL}, 400, "is not a serial number"},
        {{"GET", "/v1/export?after=01FF0000000000000000000000000000", NULL}, 404, "no certificate"},
        {{"POST", "/v1/export", "{}"}, 405, "does not know the method"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        expect(*state, rows[i].question, rows[i].status, rows[i].words);
    }
}

static void test_export(void **state)
{
    fixture_add_certificate(*state, 1, "SEP001A2B3C4D5E", "001A2B3C4D5E", FIXTURE_LONG_AGO);
    fixture_add_certificate(*state, 2, "=cmd", "", FIXTURE_FAR_FUTURE);
    struct answer first = ask(*state, "GET", "/v1/export?limit=1", NULL);
    assert_int_equal(first.status, 200);
    assert_int_equal(json_integer_value(json_object_get(first.body, "total")), 2);
    const json_t *newest = json_array_get(json_object_get(first.body, "certificates"), 0);
    assert_string_equal(text_of(newest, "common_name"), "=cmd");
    assert_string_equal(text_of(newest, "status"), "valid");
    assert_string_equal(text_of(newest, "authorised_by"), "challenge");
    assert_memory_equal(text_of(newest, "pem"), "-----BEGIN CERTIFICATE-----\n", 28);
    assert_int_equal(strlen(text_of(newest, "sha256")), 64);
    char path[128];
    snprintf(path, sizeof path, "/v1/export?limit=1&after=%s", text_of(first.body, "next_after"));
    struct answer second = ask(*state, "GET", path, NULL);
    const json_t *oldest = json_array_get(json_object_get(second.body, "certificates"), 0);
    assert_string_equal(text_of(oldest, "common_name"), "SEP001A2B3C4D5E");
    assert_string_equal(text_of(oldest, "status"), "expired");
    assert_true(json_is_null(json_object_get(second.body, "next_after")));
    answer_done(&first);
    answer_done(&second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_copy),        FIXTURE_TEST(test_one_at_a_time),
        FIXTURE_TEST(test_client_gone), FIXTURE_TEST(test_end_of_scepd),
        FIXTURE_TEST(test_refusals),    FIXTURE_TEST(test_export),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
