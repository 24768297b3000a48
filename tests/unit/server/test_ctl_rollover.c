// SPDX-License-Identifier: Apache-2.0
// scepctl ca rollover, from the CA that init made: the files, the words, and what it asks of a
// scepd, which a thread with canned answers plays.
#include "server/ctl_kit.h"

#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <jansson.h>

#include "conf/base/file.h"

#define REQUEST_LEN 4096
#define ANSWERS_MAX 5

struct site {
    char *folder;
    char *config;
    char *root_key;
    char *generations;
    char *socket;
};

static void site_init(struct site *site, const char *parent, const char *name)
{
    site->folder = kit_path(parent, name);
    struct outcome outcome = ctl_kit_run((const char *[]){
        "init", site->folder, "--ca-key", "ec:P-256", "--url", "http://scep.example.net", NULL});
    assert_string_equal(outcome.errors, "");
    outcome_done(&outcome);
    site->config = kit_path(site->folder, "scepd.conf");
    site->root_key = kit_path(site->folder, "root.key");
    site->generations = kit_path(site->folder, "generations");
    site->socket = kit_path(site->folder, "admin.sock");
}

static void site_done(struct site *site)
{
    free(site->folder);
    free(site->config);
    free(site->root_key);
    free(site->generations);
    free(site->socket);
}

// A scepd that gives its answers one after the other, a connection each.
struct fake {
    int fd;
    pthread_t thread;
    const char *answers[ANSWERS_MAX]; // JSON; one that begins with '4' is a 409 with what follows
    char requests[ANSWERS_MAX][REQUEST_LEN]; // to be read after fake_end()
};

static void serve(struct fake *fake, int fd, unsigned *count)
{
    char *request = fake->requests[*count];
    size_t len = 0;
    while (strstr(request, "\r\n\r\n") == NULL) {
        ssize_t got = recv(fd, request + len, REQUEST_LEN - 1 - len, 0);
        if (got <= 0) {
            return; // only looked whether somebody is there
        }
        len += (size_t)got;
    }
    const char *body = fake->answers[(*count)++];
    bool is_refusal = body[0] == '4';
    body += is_refusal ? 1 : 0;
    dprintf(fd, "HTTP/1.1 %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s",
            is_refusal ? "409 Conflict" : "200 OK", strlen(body), body);
}

static void *run_fake(void *argument)
{
    struct fake *fake = argument;
    unsigned count = 0;
    while (count < ANSWERS_MAX && fake->answers[count] != NULL) {
        int fd = accept4(fake->fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0) {
            break;
        }
        serve(fake, fd, &count);
        close(fd);
    }
    return NULL;
}

static void fake_begin(struct fake *fake, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    assert_true(strlen(path) < sizeof address.sun_path);
    memcpy(address.sun_path, path, strlen(path));
    fake->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fake->fd, (const struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fake->fd, 5), 0);
    assert_int_equal(pthread_create(&fake->thread, NULL, run_fake, fake), 0);
}

static void fake_end(struct fake *fake, const char *path)
{
    shutdown(fake->fd, SHUT_RDWR);
    pthread_join(fake->thread, NULL);
    close(fake->fd);
    unlink(path);
}

static struct outcome run(const struct site *site, const char *step, const char *const *more)
{
    const char *words[WORDS_MAX] = {"-c", site->config, "ca", "rollover", step};
    for (size_t i = 0; more != NULL && more[i] != NULL; i++) {
        words[5 + i] = more[i];
    }
    return ctl_kit_run(words);
}

static struct outcome prepare(const struct site *site)
{
    return run(site, "prepare", (const char *[]){"--root-key", site->root_key, NULL});
}

static bool is_there(const char *folder, const char *name)
{
    struct stat status;
    char *path = kit_path(folder, name);
    bool found = lstat(path, &status) == 0;
    free(path);
    return found;
}

static void expect(struct outcome *take_outcome, enum ctl_exit code, const char *out,
                   const char *errors)
{
    assert_contains(take_outcome->errors, errors);
    assert_contains(take_outcome->out, out);
    assert_int_equal(take_outcome->code, code);
    outcome_done(take_outcome);
}

// Without a scepd: preparing is done on the files, it is said, and that is no failure; but only
// scepd gets the next CA's RA, so there is no switch.
static void test_without_scepd(void **state)
{
    struct site site;
    site_init(&site, *state, "offline");
    struct outcome outcome = prepare(&site);
    assert_string_equal(outcome.errors, "");
    assert_contains(outcome.out, "The next CA is prepared: ");
    assert_contains(outcome.out, "CN=SCEP Issuing CA G2");
    expect(&outcome, CTL_OK, "scepd is not running; it takes this up when it starts.\n", "");
    assert_true(is_there(site.generations, "next"));
    outcome = prepare(&site);
    expect(&outcome, CTL_FAILED, "", "is prepared already; activate or cancel it");
    outcome = run(&site, "activate", NULL);
    expect(&outcome, CTL_FAILED, "", "nothing was changed: activate needs a running scepd");
    assert_false(is_there(site.generations, "current"));
    assert_true(is_there(site.generations, "next"));
    outcome = run(&site, "status", NULL);
    expect(&outcome, CTL_FAILED, "", "cannot reach scepd");
    site_done(&site);
}

static void test_cancel(void **state)
{
    struct site site;
    site_init(&site, *state, "cancel");
    struct outcome outcome = prepare(&site);
    outcome_done(&outcome);
    outcome = run(&site, "cancel", NULL);
    expect(&outcome, CTL_OK, "No longer the next CA: ", "");
    assert_false(is_there(site.generations, "next"));
    outcome = run(&site, "cancel", NULL);
    expect(&outcome, CTL_FAILED, "", "no CA is prepared");
    site_done(&site);
}

static void test_refusals(void **state)
{
    struct site site;
    site_init(&site, *state, "refuse");
    struct outcome outcome = run(&site, "prepare", NULL);
    expect(&outcome, CTL_USAGE, "", "SCEP Root CA must sign the next CA (--root-key)");
    outcome = run(&site, "prepare", (const char *[]){"--root-key", "/nonexistent/k", NULL});
    expect(&outcome, CTL_USAGE, "", "--root-key: cannot find /nonexistent/k: No such file");
    outcome = run(&site, "prepare",
                  (const char *[]){"--root-key", site.root_key, "--key", "./nonexistent", NULL});
    expect(&outcome, CTL_USAGE, "", "--key: cannot find ./nonexistent");
    char *ca_key = kit_path(site.folder, "issuing.key");
    outcome = run(&site, "prepare", (const char *[]){"--root-key", ca_key, NULL});
    expect(&outcome, CTL_USAGE, "", "not that of the root's certificate");
    assert_false(is_there(site.generations, "next"));
    free(ca_key);
    site_done(&site);
}

static void test_no_switch_without_an_ra(void **state)
{
    struct site site;
    struct fake fake = {.answers = {"{\"reloaded\":true}", "{\"next\":{},\"next_ca_answer\":false}",
                                    "{\"reloaded\":true}",
                                    "{\"next\":null,\"next_ca_answer\":false}"}};
    site_init(&site, *state, "no-ra");
    fake_begin(&fake, site.socket);
    struct outcome outcome = prepare(&site);
    outcome_done(&outcome);
    outcome = run(&site, "activate", NULL);
    expect(&outcome, CTL_FAILED, "", "the next CA has no RA certificate yet");
    assert_false(is_there(site.generations, "current"));
    outcome = run(&site, "cancel", NULL);
    outcome_done(&outcome);
    outcome = run(&site, "activate", NULL);
    expect(&outcome, CTL_FAILED, "", "no CA is prepared");
    fake_end(&fake, site.socket);
    site_done(&site);
}

static void test_tells_scepd(void **state)
{
    struct site site;
    struct fake fake = {.answers = {"{\"reloaded\":true}", "{\"next\":{},\"next_ca_answer\":true}",
                                    "4{\"message\":\"broken settings\"}"}};
    site_init(&site, *state, "online");
    fake_begin(&fake, site.socket);
    struct outcome outcome =
        run(&site, "prepare", (const char *[]){"--json", "--root-key", site.root_key, NULL});
    assert_string_equal(outcome.errors, "");
    assert_int_equal(outcome.code, CTL_OK);
    json_t *answer = json_loads(outcome.out, 0, NULL);
    assert_non_null(answer);
    assert_true(json_is_true(json_object_get(answer, "reloaded")));
    assert_true(json_is_true(json_object_get(answer, "scepd_running")));
    assert_int_equal(json_string_length(json_object_get(answer, "name")), 16);
    assert_string_equal(json_string_value(json_object_get(answer, "subject")),
                        "CN=SCEP Issuing CA G2");
    json_decref(answer);
    outcome_done(&outcome);

    // It keeps its old settings: the switch is made on the disk, and the user learns what is wrong.
    outcome = run(&site, "activate", NULL);
    assert_contains(outcome.errors, "scepd says no: broken settings");
    expect(&outcome, CTL_FAILED, "The present CA is now: ", "the files are in place, but");
    assert_true(is_there(site.generations, "current"));
    fake_end(&fake, site.socket);
    assert_memory_equal(fake.requests[0], "POST /v1/reload ", 16);
    assert_memory_equal(fake.requests[1], "GET /v1/rollover ", 17);
    assert_memory_equal(fake.requests[2], "POST /v1/reload ", 16);
    site_done(&site);
}

static const char whole_status[] =
    "{\"current\":{\"name\":\"0123456789abcdef\",\"subject\":\"CN=Two\","
    "\"not_after\":\"2036-01-01T00:00:00Z\",\"last_certificate_until\":null,\"crl_number\":7},"
    "\"next\":{\"name\":\"1123456789abcdef\",\"subject\":\"CN=Three\\u001b[1m\","
    "\"not_after\":\"2037-01-01T00:00:00Z\"},"
    "\"old\":[{\"name\":\"2123456789abcdef\",\"subject\":\"CN=One\","
    "\"not_after\":\"2030-01-01T00:00:00Z\","
    "\"last_certificate_until\":\"2029-05-05T00:00:00Z\",\"crl_number\":41}],"
    "\"ra\":[{\"role\":\"current\",\"serial\":\"0A0B\",\"not_before\":\"2026-01-01T00:00:00Z\","
    "\"not_after\":\"2028-01-01T00:00:00Z\"}],"
    "\"next_ca_answer\":true}";

static void test_status(void **state)
{
    struct site site;
    struct fake fake = {.answers = {whole_status, whole_status}};
    site_init(&site, *state, "status");
    fake_begin(&fake, site.socket);
    struct outcome outcome = run(&site, "status", NULL);
    assert_string_equal(outcome.errors, "");
    assert_int_equal(outcome.code, CTL_OK);
    assert_string_equal(
        outcome.out,
        "CA       NAME              SUBJECT          UNTIL                 LAST CERTIFICATE      "
        "CRL\n"
        "present  0123456789abcdef  CN=Two           2036-01-01T00:00:00Z  -                     "
        "7\n"
        "next     1123456789abcdef  CN=Three\\x1b[1m  2037-01-01T00:00:00Z  -                     "
        "-\n"
        "old      2123456789abcdef  CN=One           2030-01-01T00:00:00Z  2029-05-05T00:00:00Z  "
        "41\n"
        "\n"
        "RA       SERIAL  FROM                  UNTIL\n"
        "current  0A0B    2026-01-01T00:00:00Z  2028-01-01T00:00:00Z\n"
        "\n"
        "Clients that ask for the next CA (GetNextCACert): are told\n");
    outcome_done(&outcome);
    outcome = run(&site, "status", (const char *[]){"--json", NULL});
    json_t *answer = json_loads(outcome.out, 0, NULL);
    json_t *expected = json_loads(whole_status, 0, NULL);
    assert_true(json_equal(answer, expected));
    json_decref(answer);
    json_decref(expected);
    outcome_done(&outcome);
    fake_end(&fake, site.socket);
    assert_memory_equal(fake.requests[0], "GET /v1/rollover ", 17);
    site_done(&site);
}

static int set_up(void **state)
{
    *state = kit_new_folder();
    return 0;
}

static int tear_down(void **state)
{
    kit_remove_folder(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_scepd), cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_refusals),      cmocka_unit_test(test_no_switch_without_an_ra),
        cmocka_unit_test(test_tells_scepd),   cmocka_unit_test(test_status),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
