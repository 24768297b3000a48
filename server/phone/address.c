// SPDX-License-Identifier: Apache-2.0
#include "server/phone/address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include <curl/curl.h>

#define SCHEME_END     "://"
#define DEFAULT_SCHEME "http"

DEFINE_CLEANUP(CURLU *, curl_url_cleanup);
DEFINE_CLEANUP(char *, curl_free);

// An IPv6 address without brackets, which a phone may be given where no port follows.
static bool is_bare_ipv6(const char *given)
{
    unsigned char octets[sizeof(struct in6_addr)];
    return inet_pton(AF_INET6, given, octets) == 1;
}

static bool is_ip(const char *host)
{
    unsigned char octets[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, host, octets) == 1 || inet_pton(AF_INET6, host, octets) == 1;
}

static bool has_part(CURLU *url, CURLUPart part)
{
    CLEANUP(cleanup_curl_free) char *text = NULL;
    return curl_url_get(url, part, &text, 0) == CURLUE_OK;
}

// Copies a part that is there; false when it is not, or does not fit.
static bool copy_part(CURLU *url, CURLUPart part, char *text, size_t len)
{
    CLEANUP(cleanup_curl_free) char *found = NULL;
    if (curl_url_get(url, part, &found, 0) != CURLUE_OK || strlen(found) >= len) {
        return false;
    }
    memcpy(text, found, strlen(found) + 1);
    return true;
}

static enum err_code check_extras(CURLU *url, const char *given, struct err *err)
{
    static const struct {
        CURLUPart part;
        const char *name;
    } extras[] = {
        {CURLUPART_USER, "a user"},
        {CURLUPART_PASSWORD, "a password"},
        {CURLUPART_QUERY, "a query (\"?...\")"},
        {CURLUPART_FRAGMENT, "a fragment (\"#...\")"},
    };
    for (size_t i = 0; i < sizeof extras / sizeof extras[0]; i++) {
        if (has_part(url, extras[i].part)) {
            return err_set(err, ERR_SYNTAX,
                           "\"%.*s\" has %s in it; allowed are an address or a URL of scheme, "
                           "host, port and path",
                           100, given, extras[i].name);
        }
    }
    return ERR_OK;
}

static enum err_code read_host(CURLU *url, struct phone_address *address, struct err *err)
{
    char host[PHONE_HOST_LEN];
    if (!copy_part(url, CURLUPART_HOST, host, sizeof host)) {
        return err_set(err, ERR_LIMIT, "the server's name is longer than %d octets",
                       PHONE_HOST_LEN - 1);
    }
    size_t len = strlen(host);
    bool is_bracketed = len > 2 && host[0] == '[' && host[len - 1] == ']';
    snprintf(address->host, sizeof address->host, "%.*s", (int)(is_bracketed ? len - 2 : len),
             is_bracketed ? host + 1 : host);
    address->is_ip = is_ip(address->host);
    return ERR_OK;
}

static enum err_code read_parts(CURLU *url, const char *given, struct phone_address *address,
                                struct err *err)
{
    enum err_code code = check_extras(url, given, err);
    if (code == ERR_OK) {
        code = read_host(url, address, err);
    }
    if (code != ERR_OK) {
        return code;
    }
    if (!address->has_path && curl_url_set(url, CURLUPART_PATH, PHONE_DEFAULT_PATH, 0) != 0) {
        return err_set(err, ERR_NOMEM, "no memory for a URL");
    }
    if (!copy_part(url, CURLUPART_SCHEME, address->scheme, sizeof address->scheme) ||
        !copy_part(url, CURLUPART_URL, address->url, sizeof address->url)) {
        return err_set(err, ERR_LIMIT, "the server's URL is longer than %d octets",
                       PHONE_URL_LEN - 1);
    }
    return ERR_OK;
}

// Blanks and control characters, which libcurl would take in some places.
static bool has_odd_octet(const char *given)
{
    for (const char *at = given; *at != '\0'; at++) {
        if ((unsigned char)*at <= ' ' || *at == 0x7F || *at == '"' || *at == '\\') {
            return true;
        }
    }
    return false;
}

enum err_code phone_address_read(const char *given, struct phone_address *ret_address,
                                 struct err *err)
{
    char text[PHONE_URL_LEN];
    struct phone_address address = {0};
    const char *rest = strstr(given, SCHEME_END);
    address.has_scheme = rest != NULL;
    rest = rest != NULL ? rest + strlen(SCHEME_END) : given;
    address.has_path = strchr(rest, '/') != NULL;
    int len =
        snprintf(text, sizeof text, "%s%s%s%s", address.has_scheme ? "" : DEFAULT_SCHEME SCHEME_END,
                 is_bare_ipv6(given) ? "[" : "", given, is_bare_ipv6(given) ? "]" : "");
    if (len < 0 || (size_t)len >= sizeof text) {
        return err_set(err, ERR_LIMIT, "the server's URL is longer than %d octets",
                       PHONE_URL_LEN - 1);
    }
    CLEANUP(cleanup_curl_url_cleanup) CURLU *url = curl_url();
    if (url == NULL) {
        return err_set(err, ERR_NOMEM, "no memory for a URL");
    }
    if (rest[0] == '\0' || rest[0] == '/' || has_odd_octet(given) ||
        curl_url_set(url, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK) {
        return err_set(err, ERR_SYNTAX,
                       "\"%.*s\" is neither an address nor a URL; a phone takes 10.79.57.91, "
                       "scep.example.com or http://scep.example.com/path",
                       100, given);
    }
    enum err_code code = read_parts(url, given, &address, err);
    if (code == ERR_OK) {
        *ret_address = address;
    }
    return code;
}
