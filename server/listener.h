// SPDX-License-Identifier: Apache-2.0
// Listening sockets: the TCP one for phones, made here or inherited from systemd, and the Unix
// ones of the administrator and of scepd-ca, which inherits its own. All are close-on-exec and
// non-blocking from the start.
#pragma once

#include "conf/base/err.h"

#define LISTENER_TEXT_LEN 64 // bytes of "[<longest IPv6 address>]:65535" with NUL and some more

// Listens on "ADDR:PORT" or "[V6]:PORT"; port 0 takes a free one; [::] serves IPv4, too.
// Errors: ERR_SYNTAX, ERR_IO (in use, not ours, no permission).
enum err_code listener_open(const char *listen_text, int *ret_fd, struct err *err) MUST_CHECK;

// Listening stream sockets that systemd passed by LISTEN_FDS, -1 = none.
struct listener_inherited {
    int web_fd;  // named LISTENER_WEB_NAME: for the page and Prometheus
    int scep_fd; // of any other name, or none: for phones
};
#define LISTENER_WEB_NAME "web" // FileDescriptorName=

// Takes these and clears the environment variables. Errors: ERR_CONFIG for two of one kind, and for
// what is no listening stream socket.
enum err_code listener_inherit(struct listener_inherited *ret_inherited,
                               struct err *err) MUST_CHECK;

// Where the socket listens, with the real port, in listener_open()'s notation. Errors: ERR_IO.
enum err_code listener_name(int fd, char ret_text[LISTENER_TEXT_LEN], struct err *err) MUST_CHECK;

// Makes a listening Unix socket of mode 0600 at `path`; `type` is SOCK_STREAM or SOCK_SEQPACKET. A
// socket there that nobody listens on is replaced; one whose process is just ending is waited for,
// a few seconds at most. Errors: ERR_EXISTS when somebody keeps listening there or `path` is no
// socket; ERR_LIMIT when it is too long; ERR_IO, ERR_NOT_FOUND (no such folder).
enum err_code listener_open_unix(const char *path, int type, int *ret_fd,
                                 struct err *err) MUST_CHECK;
