// SPDX-License-Identifier: Apache-2.0
#include "conf/syntax.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "conf/generations.h"
#include "conf/limits.h"
#include "conf/schema.h"

#define PORT_DIGITS 5
#define PORT_MAX    65535
#define HTTP        "http://"
#define FILE_SCHEME "file:"
#define LETTERS     "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS      "0123456789"
#define CA_MARK     "{ca}"
#define LABEL_MAX   63  // RFC 1035, 2.3.4
#define DOMAIN_MAX  253 // as text, without the root's dot

static enum err_code parse_port(const char *text, in_port_t *ret_port, struct err *err)
{
    size_t digits = strspn(text, DIGITS);
    if (digits == 0 || digits > PORT_DIGITS || text[digits] != '\0') {
        return err_set(err, ERR_SYNTAX, "the port is not a number");
    }
    unsigned port = 0;
    for (size_t i = 0; i < digits; i++) {
        port = port * 10 + (unsigned)(text[i] - '0');
    }
    if (port > PORT_MAX) {
        return err_set(err, ERR_SYNTAX, "the port is larger than 65535");
    }
    *ret_port = htons((uint16_t)port);
    return ERR_OK;
}

// Puts the part of `text` up to `end` into `ret_part`; false when it does not fit.
static bool cut(const char *text, const char *end, char ret_part[INET6_ADDRSTRLEN])
{
    size_t len = (size_t)(end - text);
    if (len >= INET6_ADDRSTRLEN) {
        return false;
    }
    memcpy(ret_part, text, len);
    ret_part[len] = '\0';
    return true;
}

static enum err_code listen_v6(const char *text, union syntax_address *ret_address, struct err *err)
{
    union syntax_address address = {.v6 = {.sin6_family = AF_INET6}};
    char host[INET6_ADDRSTRLEN];
    const char *end = strchr(text, ']');
    if (end == NULL || end[1] != ':') {
        return err_set(err, ERR_SYNTAX, "no \"]:PORT\" at the end");
    }
    if (!cut(text + 1, end, host) || inet_pton(AF_INET6, host, &address.v6.sin6_addr) != 1) {
        return err_set(err, ERR_SYNTAX, "not an IPv6 address in the brackets");
    }
    enum err_code code = parse_port(end + 2, &address.v6.sin6_port, err);
    if (code == ERR_OK) {
        *ret_address = address;
    }
    return code;
}

static enum err_code listen_v4(const char *text, union syntax_address *ret_address, struct err *err)
{
    union syntax_address address = {.v4 = {.sin_family = AF_INET}};
    char host[INET6_ADDRSTRLEN];
    const char *end = strrchr(text, ':');
    if (end == NULL) {
        return err_set(err, ERR_SYNTAX, "no \":PORT\" at the end");
    }
    if (!cut(text, end, host) || inet_pton(AF_INET, host, &address.v4.sin_addr) != 1) {
        return err_set(err, ERR_SYNTAX, "not an IPv4 address before the port");
    }
    enum err_code code = parse_port(end + 1, &address.v4.sin_port, err);
    if (code == ERR_OK) {
        *ret_address = address;
    }
    return code;
}

enum err_code syntax_listen(const char *text, union syntax_address *ret_address, struct err *err)
{
    return text[0] == '[' ? listen_v6(text, ret_address, err) : listen_v4(text, ret_address, err);
}

static bool is_printable(char octet)
{
    return octet > ' ' && octet <= '~';
}

// Checks the characters and the length of a text in which "{ca}" may be once, at or after `path`.
static enum err_code check_pattern(const char *text, const char *path, const char *forbidden,
                                   struct err *err)
{
    size_t len = 0;
    const char *mark = strstr(path, CA_MARK);
    for (const char *at = text; *at != '\0';) {
        if (at == mark) {
            at += strlen(CA_MARK);
            len += GENERATION_NAME_LEN - 1;
        } else if (!is_printable(*at) || strchr(forbidden, *at) != NULL) {
            return err_set(err, ERR_SYNTAX, "a character that must not be in a URL");
        } else {
            at++;
            len++;
        }
    }
    if (len > LIMIT_NAME_VALUE) {
        return err_set(err, ERR_SYNTAX, "longer than %d octets", LIMIT_NAME_VALUE);
    }
    return ERR_OK;
}

enum err_code syntax_url(const char *text, struct err *err)
{
    if (strncasecmp(text, HTTP, strlen(HTTP)) != 0) {
        return err_set(err, ERR_SYNTAX, "it does not begin with http://");
    }
    const char *host = text + strlen(HTTP);
    if (strcspn(host, "/:?#") == 0) {
        return err_set(err, ERR_SYNTAX, "no host after http://");
    }
    return check_pattern(text, host + strcspn(host, "/?#"), "\"<>\\^`{|}", err);
}

enum err_code syntax_url_path(const char *text, struct err *err)
{
    if (text[0] != '/') {
        return err_set(err, ERR_SYNTAX, "it does not begin with /");
    }
    return check_pattern(text, text, "?#%{}", err);
}

static enum err_code check_domain_label(const char *label, size_t len, struct err *err)
{
    if (len == 0 || len > LABEL_MAX) {
        return err_set(err, ERR_SYNTAX, "a part between dots of %zu characters", len);
    }
    if (strspn(label, LETTERS DIGITS "-") < len) {
        return err_set(err, ERR_SYNTAX, "a character that is no letter, digit or hyphen");
    }
    if (label[0] == '-' || label[len - 1] == '-') {
        return err_set(err, ERR_SYNTAX, "a hyphen at the end of a part");
    }
    return ERR_OK;
}

enum err_code syntax_domain(const char *text, struct err *err)
{
    if (strlen(text) > DOMAIN_MAX) {
        return err_set(err, ERR_SYNTAX, "longer than %d octets", DOMAIN_MAX);
    }
    const char *label = text;
    for (;;) {
        size_t len = strcspn(label, ".");
        enum err_code code = check_domain_label(label, len, err);
        if (code != ERR_OK || label[len] == '\0') {
            return code;
        }
        label += len + 1;
    }
}

enum err_code syntax_label(const char *text, struct err *err)
{
    size_t len = strlen(text);
    if (len < 1 || len > SCHEMA_LABEL_LEN) {
        return err_set(err, ERR_SYNTAX, "%zu characters", len);
    }
    for (size_t i = 0; i < len; i++) {
        if (text[i] != ' ' && !is_printable(text[i])) {
            return err_set(err, ERR_SYNTAX, "a character that is not printable ASCII");
        }
    }
    return ERR_OK;
}

// RFC 3986, 3.1.
bool syntax_is_uri(const char *text)
{
    return strspn(text, LETTERS) > 0 && text[strspn(text, LETTERS DIGITS "+-.")] == ':';
}

const char *syntax_key_path(const char *text)
{
    if (!syntax_is_uri(text)) {
        return text;
    }
    if (strncasecmp(text, FILE_SCHEME, strlen(FILE_SCHEME)) != 0) {
        return NULL;
    }
    const char *path = text + strlen(FILE_SCHEME);
    if (strncmp(path, "//", 2) != 0) {
        return path;
    }
    const char *host = path + 2;
    path = strchr(host, '/');
    bool is_here = path == host || strncasecmp(host, "localhost/", strlen("localhost/")) == 0;
    return is_here ? path : NULL;
}

bool syntax_has_pin(const char *text)
{
    return syntax_is_uri(text) && strcasestr(text, "pin-value") != NULL;
}
