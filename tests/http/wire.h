// SPDX-License-Identifier: Apache-2.0
// HTTP by hand: what real clients send and libraries would never write, octet by octet. Every call
// ends the test on failure and none waits longer than WIRE_SEC.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define WIRE_SEC      30     // longest wait for the server
#define WIRE_HEAD_MAX 8192   // octets of an answer's head
#define WIRE_BODY_MAX 131072 // octets of an answer's body
#define WIRE_VALUE    256    // octets of a header's value with NUL

#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))

struct answer {
    int status;
    char head[WIRE_HEAD_MAX];
    unsigned char body[WIRE_BODY_MAX];
    size_t body_len; // what Content-Length said and what came
};

// Connects to $HTTP_ADDRESS ("127.0.0.1:PORT").
int wire_open(void);
void wire_close(int fd);
void wire_send(int fd, const void *data, size_t len);
void wire_print(int fd, const char *format, ...) PRINTF_LIKE(2, 3);

// Reads one answer with its body and not an octet more. It must have a Content-Length, and no
// Transfer-Encoding. `has_body` is false after HEAD.
void wire_read(int fd, bool has_body, struct answer *ret_answer);
// As wire_read(), for an answer without body and length ("100 Continue").
void wire_read_head(int fd, struct answer *ret_answer);
// Whether the server ends the connection without sending anything more.
bool wire_ends(int fd);
// Reads whatever comes until the server ends the connection, which it must.
void wire_drain(int fd);

// The value of a header, any case of its name; "" when it is not there. Returns `value`.
const char *answer_header(const struct answer *answer, const char *name, char value[WIRE_VALUE]);
void assert_header(const struct answer *answer, const char *name, const char *value);
// This status, Content-Type text/plain, and one line of text that says something.
void assert_complaint(const struct answer *answer, int status);

// One exchange on a connection of its own: sends `text` as it is, reads the answer.
void exchange(const char *text, struct answer *ret_answer);

// The pkiMessage in the file that the environment variable `variable` names; caller frees.
unsigned char *load_message(const char *variable, size_t *ret_len);
// Base64 with padding, without line breaks; caller frees.
char *to_base64(const unsigned char *data, size_t len);
// The answer is a CertRep with this pkiStatus ("0" SUCCESS, "2" FAILURE).
void assert_cert_rep(const struct answer *answer, const char *pki_status);
