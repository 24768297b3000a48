// SPDX-License-Identifier: Apache-2.0
// The web page's port in front of the administrator's fixture, asked octet by octet. The test's
// own thread is the main thread that runs it.
#pragma once

#include "admin_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "server/web/web.h"

struct web_fixture {
    struct fixture *fixture;
    struct web *web;
    uint16_t port;
};

static inline int web_set_up(void **state)
{
    struct web_fixture *web = calloc(1, sizeof *web);
    struct err err = {0};
    assert_int_equal(fixture_set_up(state), 0);
    web->fixture = *state;
    const struct web_settings settings = {
        .take_fd = -1, .listen = "127.0.0.1:0", .live = &web->fixture->live};
    if (web_new(&settings, &web->web, &err) != ERR_OK) {
        fail_msg("%s", err.text);
    }
    const char *listening = web->fixture->live.web_listening;
    assert_memory_equal(listening, "127.0.0.1:", strlen("127.0.0.1:"));
    web->port = (uint16_t)strtoul(strrchr(listening, ':') + 1, NULL, 10);
    *state = web;
    return 0;
}

static inline int web_tear_down(void **state)
{
    struct web_fixture *web = *state;
    web_free(web->web);
    *state = web->fixture;
    free(web);
    return fixture_tear_down(state);
}

#define WEB_TEST(test) cmocka_unit_test_setup_teardown(test, web_set_up, web_tear_down)

// Sends all of `text` and returns all that comes back until the connection ends, as a string to
// free.
static inline char *web_talk(struct web_fixture *web, const char *text)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(web->port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    struct buf all = {0};
    size_t sent = 0;
    size_t len = strlen(text);
    for (;;) {
        char chunk[4096];
        struct pollfd fds[] = {
            {.fd = fd, .events = (short)(sent < len ? POLLIN | POLLOUT : POLLIN)},
            {.fd = web_fd(web->web), .events = POLLIN},
        };
        poll(fds, 2, web_timeout_ms(web->web));
        web_run(web->web);
        if ((fds[0].revents & POLLOUT) != 0) {
            ssize_t put = send(fd, text + sent, len - sent, MSG_NOSIGNAL);
            sent = put > 0 ? sent + (size_t)put : len; // the other side may have had enough
        }
        ssize_t got = read(fd, chunk, sizeof chunk);
        if (got == 0 || (got < 0 && errno != EAGAIN)) {
            break;
        }
        if (got > 0) {
            assert_int_equal(buf_append(&all, view_of(chunk, (size_t)got), NULL), ERR_OK);
        }
    }
    close(fd);
    assert_int_equal(buf_append(&all, view_of("", 1), NULL), ERR_OK);
    return (char *)all.data;
}

// A request with this Host header (NULL = none).
static inline char *web_ask(struct web_fixture *web, const char *method, const char *path,
                            const char *host)
{
    char *text = NULL;
    assert_true(asprintf(&text, "%s %s HTTP/1.1\r\n%s%s%sConnection: close\r\n\r\n", method, path,
                         host != NULL ? "Host: " : "", host != NULL ? host : "",
                         host != NULL ? "\r\n" : "") > 0);
    char *answer = web_talk(web, text);
    free(text);
    return answer;
}

static inline char *web_get(struct web_fixture *web, const char *path)
{
    return web_ask(web, "GET", path, "localhost");
}

static inline void web_assert_has(const char *answer, const char *words)
{
    if (strstr(answer, words) == NULL) {
        fail_msg("\"%s\" is not in:\n%s", words, answer);
    }
}

static inline void web_assert_has_not(const char *answer, const char *words)
{
    if (strstr(answer, words) != NULL) {
        fail_msg("\"%s\" is in:\n%s", words, answer);
    }
}

// Gets a page and expects a status and some words, which end with NULL.
static inline void web_expect(struct web_fixture *web, const char *path, int status,
                              const char *const *words)
{
    char *answer = web_get(web, path);
    char line[32];
    snprintf(line, sizeof line, "HTTP/1.1 %d ", status);
    if (strncmp(answer, line, strlen(line)) != 0) {
        fail_msg("%s: not %d but %.60s", path, status, answer);
    }
    for (; *words != NULL; words++) {
        web_assert_has(answer, *words);
    }
    free(answer);
}
