// SPDX-License-Identifier: Apache-2.0
// Asking the administrator's interface over its real socket, octet by octet.
#pragma once

#include "admin_fixture.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <jansson.h>

#define ANSWER_MAX 4194304 // octets

struct answer {
    int status;
    json_t *body;
    char *text; // the body as it came
};

static inline int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static inline void send_all(int fd, const char *text, size_t len)
{
    while (len > 0) {
        ssize_t sent = send(fd, text, len, MSG_NOSIGNAL);
        assert_true(sent > 0);
        text += sent;
        len -= (size_t)sent;
    }
}

static inline struct answer receive(int fd)
{
    struct buf all = {0};
    char chunk[4096];
    ssize_t got;
    while ((got = read(fd, chunk, sizeof chunk)) > 0) {
        assert_int_equal(buf_append(&all, view_of(chunk, (size_t)got), NULL), ERR_OK);
    }
    assert_true(all.len > 0 && all.len < ANSWER_MAX);
    assert_int_equal(buf_append(&all, view_of("", 1), NULL), ERR_OK);
    struct answer answer = {0};
    const char *text = (const char *)all.data;
    const char *body = strstr(text, "\r\n\r\n");
    assert_memory_equal(text, "HTTP/1.1 ", strlen("HTTP/1.1 "));
    answer.status = (int)strtol(text + strlen("HTTP/1.1 "), NULL, 10);
    assert_non_null(body);
    assert_non_null(strstr(text, "Content-Type: application/json\r\n"));
    answer.text = strdup(body + 4);
    answer.body = json_loads(answer.text, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(answer.body);
    buf_done(&all);
    return answer;
}

// `body` NULL = none.
static inline struct answer ask(struct fixture *fixture, const char *method, const char *path,
                                const char *body)
{
    char *head = NULL;
    size_t body_len = body != NULL ? strlen(body) : 0;
    int len = asprintf(&head,
                       "%s %s HTTP/1.1\r\nHost: scepd\r\nConnection: close\r\n"
                       "Content-Length: %zu\r\n\r\n",
                       method, path, body_len);
    assert_true(len > 0);
    int fd = connect_to(fixture->socket);
    send_all(fd, head, (size_t)len);
    send_all(fd, body != NULL ? body : "", body_len);
    struct answer answer = receive(fd);
    close(fd);
    free(head);
    return answer;
}

static inline void answer_done(struct answer *answer)
{
    json_decref(answer->body);
    free(answer->text);
}

static inline const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "(none)";
}

// Asks and expects a status and, in the whole body, some words.
static inline void expect(struct fixture *fixture, const char *const question[3], int status,
                          const char *words)
{
    struct answer answer = ask(fixture, question[0], question[1], question[2]);
    if (answer.status != status || strstr(answer.text, words) == NULL) {
        fail_msg("%s %s: %d %s; expected %d %s", question[0], question[1], answer.status,
                 answer.text, status, words);
    }
    answer_done(&answer);
}
