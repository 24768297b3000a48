// SPDX-License-Identifier: Apache-2.0
// A made-up server: answers HTTP on a free port of this machine with the octets it was given, one
// connection after the other, and notes what it was asked.
#pragma once

#include "kit/kit.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PHONE_KIT_ASKED_LEN 16384 // bytes of requests that are kept
#define PHONE_KIT_SILENT    (-1)  // nothing comes back until the client has left

// What comes back when the request line holds `wanted`.
struct canned {
    const char *wanted;
    int status; // 0 = `body` is the whole answer, head included; PHONE_KIT_SILENT
    const char *type;
    struct view body;
};

struct phone_kit {
    const struct canned *answers; // the last has no `wanted`
    int listener;
    pthread_t thread;
    char host[40]; // "127.0.0.1:PORT"
    char url[80];  // "http://127.0.0.1:PORT/scep"
    char asked[PHONE_KIT_ASKED_LEN];
    size_t asked_len;
};

static inline void phone_kit_write(int fd, const void *octets, size_t len)
{
    const char *at = octets;
    while (len > 0) {
        ssize_t sent = send(fd, at, len, MSG_NOSIGNAL);
        if (sent <= 0) {
            return; // the client has had enough
        }
        at += sent;
        len -= (size_t)sent;
    }
}

static inline void phone_kit_answer(int fd, const struct canned *canned)
{
    char head[512];
    if (canned->status == PHONE_KIT_SILENT) {
        while (recv(fd, head, sizeof head, 0) > 0) {
        }
        return;
    }
    if (canned->status != 0) {
        int len =
            snprintf(head, sizeof head,
                     "HTTP/1.1 %d x\r\n%s%s%sContent-Length: %zu\r\nConnection: close\r\n\r\n",
                     canned->status, canned->type != NULL ? "Content-Type: " : "",
                     canned->type != NULL ? canned->type : "", canned->type != NULL ? "\r\n" : "",
                     canned->body.len);
        phone_kit_write(fd, head, (size_t)len);
    }
    phone_kit_write(fd, canned->body.data, canned->body.len);
}

static inline void phone_kit_note(struct phone_kit *kit, const char *request, size_t len)
{
    size_t room = sizeof kit->asked - 1 - kit->asked_len;
    size_t kept = len < room ? len : room;
    memcpy(kit->asked + kit->asked_len, request, kept);
    kit->asked_len += kept;
    kit->asked[kit->asked_len] = '\0';
}

// Reads a head and what follows it until Content-Length is there.
static inline size_t phone_kit_read(int fd, char *request, size_t size)
{
    size_t len = 0;
    size_t wanted = 0;
    while (len < size - 1) {
        ssize_t got = recv(fd, request + len, size - 1 - len, 0);
        if (got <= 0) {
            break;
        }
        len += (size_t)got;
        request[len] = '\0';
        const char *end = strstr(request, "\r\n\r\n");
        const char *length = strstr(request, "Content-Length: ");
        if (end != NULL) {
            wanted = (size_t)(end + 4 - request) +
                     (length != NULL && length < end ? strtoul(length + 16, NULL, 10) : 0);
        }
        if (end != NULL && len >= wanted) {
            break;
        }
    }
    return len;
}

static inline void *phone_kit_serve(void *context)
{
    struct phone_kit *kit = context;
    static char request[PHONE_KIT_ASKED_LEN];
    for (;;) {
        int fd = accept(kit->listener, NULL, NULL);
        if (fd < 0) {
            return NULL;
        }
        size_t len = phone_kit_read(fd, request, sizeof request);
        request[len] = '\0';
        phone_kit_note(kit, request, len);
        const struct canned *canned = kit->answers;
        while (canned->wanted != NULL && strstr(request, canned->wanted) == NULL) {
            canned++;
        }
        if (canned->wanted != NULL) {
            phone_kit_answer(fd, canned);
        }
        close(fd);
    }
}

static inline struct phone_kit *phone_kit_start(const struct canned *answers)
{
    struct phone_kit *kit = calloc(1, sizeof *kit);
    assert_non_null(kit);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof address;
    kit->answers = answers;
    kit->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(kit->listener >= 0);
    assert_int_equal(bind(kit->listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(kit->listener, 8), 0);
    assert_int_equal(getsockname(kit->listener, (struct sockaddr *)&address, &len), 0);
    snprintf(kit->host, sizeof kit->host, "127.0.0.1:%u", (unsigned)ntohs(address.sin_port));
    snprintf(kit->url, sizeof kit->url, "http://%s/scep", kit->host);
    assert_int_equal(pthread_create(&kit->thread, NULL, phone_kit_serve, kit), 0);
    return kit;
}

static inline void phone_kit_stop(struct phone_kit *kit)
{
    shutdown(kit->listener, SHUT_RDWR); // ends accept()
    pthread_join(kit->thread, NULL);
    close(kit->listener);
    free(kit);
}
