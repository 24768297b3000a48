// SPDX-License-Identifier: Apache-2.0
#include "conf/hosts.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "conf/syntax.h"

#define DIGITS      "0123456789"
#define RULE        "allowed: the full name of one host (\"prov.example.net\")"
#define SHOWN_LEN   80 // octets of a name from outside that go into an error
#define CONTACT     '/'
#define IPV6_SIGN   ':'
#define IPV6_OPENER '['

static enum err_code refuse(const char *host, const char *why, struct err *err)
{
    return err_set(err, ERR_BAD_REQUEST, "\"%.*s\": %s; " RULE, SHOWN_LEN, host, why);
}

static bool is_printable(struct view text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] <= ' ' || text.data[i] > '~') {
            return false;
        }
    }
    return true;
}

// No top-level domain is a number, so this is a form of an IPv4 address.
static bool ends_in_number(const char *host)
{
    const char *label = strrchr(host, '.');
    label = label != NULL ? label + 1 : host;
    return label[0] != '\0' && label[strspn(label, DIGITS)] == '\0';
}

enum err_code hosts_check(struct view host, struct err *err)
{
    char text[HOSTS_NAME_LEN + 1] = {0};
    if (host.len == 0 || host.len > HOSTS_NAME_LEN || !is_printable(host)) {
        return err_set(err, ERR_BAD_REQUEST,
                       "a host's name of %zu octets, or with characters that none has; " RULE,
                       host.len);
    }
    memcpy(text, host.data, host.len);
    if (strchr(text, '*') != NULL) {
        return refuse(text, "a wildcard", err);
    }
    if (strchr(text, IPV6_SIGN) != NULL || text[0] == IPV6_OPENER || ends_in_number(text)) {
        return refuse(text, "an IP address", err);
    }
    struct err why = {0};
    if (syntax_domain(text, &why) != ERR_OK) {
        return refuse(text, why.text, err);
    }
    return strchr(text, '.') != NULL ? ERR_OK : refuse(text, "no domain", err);
}

enum err_code hosts_of_common_name(struct view common_name, struct view *ret_host, struct err *err)
{
    const uint8_t *contact =
        common_name.len > 0 ? memchr(common_name.data, CONTACT, common_name.len) : NULL;
    size_t len = contact != NULL ? (size_t)(contact - common_name.data) : common_name.len;
    if (contact != NULL && len + 1 == common_name.len) {
        return err_set(err, ERR_BAD_REQUEST,
                       "a common name that ends in \"/\"; allowed: HOST or HOST/CONTACT");
    }
    struct view host = view_of(common_name.data, len);
    enum err_code code = hosts_check(host, err);
    if (code == ERR_OK) {
        *ret_host = host;
    }
    return code;
}

static bool is_below(struct view host, const char *domain)
{
    size_t len = strlen(domain);
    if (host.len < len || strncasecmp((const char *)host.data + host.len - len, domain, len) != 0) {
        return false;
    }
    return host.len == len || host.data[host.len - len - 1] == '.';
}

bool hosts_is_within(struct view host, const struct settings_texts *domains)
{
    for (uint32_t i = 0; i < domains->count; i++) {
        if (is_below(host, domains->list[i])) {
            return true;
        }
    }
    return false;
}
