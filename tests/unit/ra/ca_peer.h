// SPDX-License-Identifier: Apache-2.0
// In scepd-ca's place: a thread behind a SEQPACKET socket that answers with what the test says.
#pragma once

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "ca/client.h"
#include "kit/kit.h"

struct ca_peer {
    // Answers one question, on the peer's thread while the asker waits; must not assert. Returns a
    // whole frame, which the peer frees.
    struct buf (*answer)(struct ca_peer *peer, const struct frame *question);
    void *context;
    unsigned questions;
    int listen_fd;
    pthread_t thread;
    char *folder;
    char *path;
};

static inline void ca_peer_serve(struct ca_peer *peer, int fd)
{
    uint8_t *octets = malloc(FRAME_MAX_LEN);
    struct frame *question = calloc(1, sizeof *question);
    ssize_t got;
    while (octets != NULL && question != NULL && (got = recv(fd, octets, FRAME_MAX_LEN, 0)) > 0) {
        if (frame_get(view_of(octets, (size_t)got), question, NULL) != ERR_OK) {
            break;
        }
        peer->questions++;
        struct buf answer = peer->answer(peer, question);
        ssize_t sent = send(fd, answer.data, answer.len, MSG_NOSIGNAL);
        buf_done(&answer);
        if (sent <= 0) {
            break;
        }
    }
    free(question);
    free(octets);
}

static inline void *ca_peer_run(void *argument)
{
    struct ca_peer *peer = argument;
    int fd;
    while ((fd = accept4(peer->listen_fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
        ca_peer_serve(peer, fd);
        close(fd);
    }
    return NULL;
}

// Starts the peer and returns a client of it; both end with ca_peer_end().
static inline struct ca_client *ca_peer_begin(struct ca_peer *peer)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct ca_client *client = NULL;
    peer->folder = kit_new_folder();
    peer->path = kit_path(peer->folder, "ca.sock");
    assert_true(strlen(peer->path) < sizeof address.sun_path);
    memcpy(address.sun_path, peer->path, strlen(peer->path));
    peer->listen_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    assert_true(peer->listen_fd >= 0);
    assert_int_equal(bind(peer->listen_fd, (const struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(peer->listen_fd, 1), 0);
    assert_int_equal(pthread_create(&peer->thread, NULL, ca_peer_run, peer), 0);
    assert_int_equal(ca_client_new(peer->path, &client, NULL), ERR_OK);
    return client;
}

static inline void ca_peer_end(struct ca_peer *peer, struct ca_client *client)
{
    ca_client_free(client);
    shutdown(peer->listen_fd, SHUT_RDWR);
    pthread_join(peer->thread, NULL);
    close(peer->listen_fd);
    free(peer->path);
    kit_remove_folder(peer->folder);
}
