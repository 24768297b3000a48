// SPDX-License-Identifier: Apache-2.0
#include "tests/http/wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#define PKI_STATUS_OID "2.16.840.1.113733.1.9.3" // RFC 8894, 3.2.1
#define FILE_MAX       131072                    // octets of a saved pkiMessage

int wire_open(void)
{
    const char *where = getenv("HTTP_ADDRESS");
    const char *colon = where != NULL ? strrchr(where, ':') : NULL;
    assert_non_null(colon);
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10)),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    struct timeval deadline = {.tv_sec = WIRE_SEC};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof deadline);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &deadline, sizeof deadline);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

void wire_close(int fd)
{
    close(fd);
}

void wire_send(int fd, const void *data, size_t len)
{
    const char *next = data;
    while (len > 0) {
        ssize_t sent = send(fd, next, len, MSG_NOSIGNAL);
        if (sent < 0) {
            return; // the server refuses to read on; its answer says why
        }
        next += sent;
        len -= (size_t)sent;
    }
}

void wire_print(int fd, const char *format, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, format);
    int len = vasprintf(&text, format, args);
    va_end(args);
    assert_true(len >= 0);
    wire_send(fd, text, (size_t)len);
    free(text);
}

void wire_read_head(int fd, struct answer *ret_answer)
{
    size_t len = 0;
    *ret_answer = (struct answer){0};
    while (strstr(ret_answer->head, "\r\n\r\n") == NULL) {
        assert_true(len < WIRE_HEAD_MAX - 1);
        if (recv(fd, ret_answer->head + len, 1, 0) != 1) {
            fail_msg("no answer: the connection ended after %zu octets", len);
        }
        len++;
    }
    assert_int_equal(strncmp(ret_answer->head, "HTTP/1.", strlen("HTTP/1.")), 0);
    ret_answer->status = (int)strtol(ret_answer->head + strlen("HTTP/1.1 "), NULL, 10);
}

void wire_read(int fd, bool has_body, struct answer *ret_answer)
{
    char value[WIRE_VALUE];
    wire_read_head(fd, ret_answer);
    assert_string_equal(answer_header(ret_answer, "Transfer-Encoding", value), "");
    assert_string_not_equal(answer_header(ret_answer, "Content-Length", value), "");
    ret_answer->body_len = strtoul(value, NULL, 10);
    assert_true(ret_answer->body_len < WIRE_BODY_MAX);
    size_t len = 0;
    while (has_body && len < ret_answer->body_len) {
        ssize_t got = recv(fd, ret_answer->body + len, ret_answer->body_len - len, 0);
        assert_true(got > 0);
        len += (size_t)got;
    }
}

bool wire_ends(int fd)
{
    char octet;
    return recv(fd, &octet, 1, 0) == 0;
}

void wire_drain(int fd)
{
    char octets[4096];
    ssize_t got = 1;
    while (got > 0) {
        got = recv(fd, octets, sizeof octets, 0);
    }
    assert_true(got == 0 || errno == ECONNRESET);
}

const char *answer_header(const struct answer *answer, const char *name, char value[WIRE_VALUE])
{
    const char *line = strstr(answer->head, "\r\n");
    size_t name_len = strlen(name);
    value[0] = '\0';
    while (line != NULL && line[2] != '\0') {
        line += strlen("\r\n");
        if (strncasecmp(line, name, name_len) == 0 && line[name_len] == ':') {
            const char *from = line + name_len + 1;
            from += strspn(from, " ");
            snprintf(value, WIRE_VALUE, "%.*s", (int)strcspn(from, "\r"), from);
            break;
        }
        line = strstr(line, "\r\n");
    }
    return value;
}

void assert_header(const struct answer *answer, const char *name, const char *value)
{
    char seen[WIRE_VALUE];
    assert_string_equal(answer_header(answer, name, seen), value);
}

void assert_complaint(const struct answer *answer, int status)
{
    assert_int_equal(answer->status, status);
    assert_header(answer, "Content-Type", "text/plain");
    assert_true(answer->body_len > 1);
    const unsigned char *newline = memchr(answer->body, '\n', answer->body_len);
    assert_ptr_equal(newline, answer->body + answer->body_len - 1);
}

void exchange(const char *text, struct answer *ret_answer)
{
    int fd = wire_open();
    wire_send(fd, text, strlen(text));
    wire_read(fd, strncmp(text, "HEAD ", strlen("HEAD ")) != 0, ret_answer);
    wire_close(fd);
}

unsigned char *load_message(const char *variable, size_t *ret_len)
{
    const char *path = getenv(variable);
    FILE *file = path != NULL ? fopen(path, "re") : NULL;
    unsigned char *data = malloc(FILE_MAX);
    if (file == NULL || data == NULL) {
        fail_msg("%s does not name a file", variable);
    }
    *ret_len = fread(data, 1, FILE_MAX, file);
    fclose(file);
    assert_true(*ret_len > 0 && *ret_len < FILE_MAX);
    return data;
}

char *to_base64(const unsigned char *data, size_t len)
{
    char *text = malloc((len + 2) / 3 * 4 + 1);
    assert_non_null(text);
    EVP_EncodeBlock((unsigned char *)text, data, (int)len);
    return text;
}

void assert_cert_rep(const struct answer *answer, const char *pki_status)
{
    assert_int_equal(answer->status, 200);
    assert_header(answer, "Content-Type", "application/x-pki-message");
    assert_header(answer, "Cache-Control", "no-store");
    const unsigned char *from = answer->body;
    CMS_ContentInfo *message = d2i_CMS_ContentInfo(NULL, &from, (long)answer->body_len);
    assert_non_null(message);
    assert_ptr_equal(from, answer->body + answer->body_len);
    CMS_SignerInfo *signer = sk_CMS_SignerInfo_value(CMS_get0_SignerInfos(message), 0);
    ASN1_OBJECT *oid = OBJ_txt2obj(PKI_STATUS_OID, 1);
    const ASN1_STRING *status =
        CMS_signed_get0_data_by_OBJ(signer, oid, -3, V_ASN1_PRINTABLESTRING);
    assert_non_null(status);
    assert_int_equal(ASN1_STRING_length(status), strlen(pki_status));
    assert_memory_equal(ASN1_STRING_get0_data(status), pki_status, strlen(pki_status));
    ASN1_OBJECT_free(oid);
    CMS_ContentInfo_free(message);
}
