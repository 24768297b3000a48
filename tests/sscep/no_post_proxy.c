// SPDX-License-Identifier: Apache-2.0
// An HTTP proxy on a free port of 127.0.0.1 that hides POSTPKIOperation: it answers GetCACaps
// itself and hands everything else through, so that sscep, which posts whenever it may, sends its
// requests by GET (and with an absolute URI, as to any proxy). One connection at a time.
//
//   no_post_proxy TARGET-PORT FILE-FOR-ITS-OWN-PORT
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#define HEAD_MAX 65536 // octets of a request without body
#define BACKLOG  16

static const char capabilities[] = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
                                   "Content-Length: 17\r\nConnection: close\r\n\r\n"
                                   "AES\nDES3\nSHA-256\n";

static void die(const char *what)
{
    perror(what);
    exit(EXIT_FAILURE);
}

static struct sockaddr_in loopback(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
}

static int open_listener(const char *port_file)
{
    struct sockaddr_in address = loopback(0);
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) != 0 || listen(fd, BACKLOG) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) != 0) {
        die("listen");
    }
    FILE *file = fopen(port_file, "we");
    if (file == NULL) {
        die(port_file);
    }
    fprintf(file, "%d\n", ntohs(address.sin_port));
    fclose(file);
    return fd;
}

static void send_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t sent = send(fd, data, len, MSG_NOSIGNAL);
        if (sent <= 0) {
            return;
        }
        data += sent;
        len -= (size_t)sent;
    }
}

// A request is whole at its empty line, because sscep has no body to send here.
static bool read_head(int fd, char head[HEAD_MAX])
{
    size_t len = 0;
    while (len < HEAD_MAX - 1) {
        ssize_t got = recv(fd, head + len, HEAD_MAX - 1 - len, 0);
        if (got <= 0) {
            return false;
        }
        len += (size_t)got;
        head[len] = '\0';
        if (strstr(head, "\r\n\r\n") != NULL) {
            return true;
        }
    }
    return false;
}

static void hand_through(int client, const char *head, uint16_t target)
{
    struct sockaddr_in address = loopback(target);
    int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (server < 0 || connect(server, (struct sockaddr *)&address, sizeof(address)) != 0) {
        die("connect");
    }
    send_all(server, head, strlen(head));
    char data[4096];
    ssize_t got = recv(server, data, sizeof(data), 0);
    while (got > 0) {
        send_all(client, data, (size_t)got);
        got = recv(server, data, sizeof(data), 0);
    }
    close(server);
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: no_post_proxy TARGET-PORT FILE\n");
        return EXIT_FAILURE;
    }
    uint16_t target = (uint16_t)strtoul(argv[1], NULL, 10);
    int listener = open_listener(argv[2]);
    static char head[HEAD_MAX];
    sd_notify(0, "READY=1");
    for (;;) {
        int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (client < 0) {
            die("accept");
        }
        if (!read_head(client, head)) {
            fprintf(stderr, "a request without an end\n");
        } else if (strstr(head, "operation=GetCACaps") != NULL) {
            send_all(client, capabilities, sizeof(capabilities) - 1);
        } else {
            hand_through(client, head, target);
        }
        close(client);
    }
}
