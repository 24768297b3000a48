// SPDX-License-Identifier: Apache-2.0
#include "server/ctl/phone/phone_values.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/crypto.h>

#include "ra/challenge.h"
#include "server/ctl/fleet/challenge.h"
#include "server/ctl/phone/phone_pin.h"
#include "server/ctl/secret_file.h"
#include "server/phone/address.h"

#define WARNING_LEN  512 // bytes
#define SHA1_LEN     20  // octets
#define SCHEME_HTTP  "http"
#define SCHEME_HTTPS "https"

void phone_values_warn(struct phone_values *values, const char *format, ...)
{
    char text[WARNING_LEN];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (values->warnings == NULL) {
        values->warnings = json_array();
    }
    json_array_append_new(values->warnings, json_string(text));
}

void phone_values_show_warnings(struct ctl *ctl, const struct phone_values *values)
{
    size_t i;
    const json_t *warning;
    json_array_foreach(values->warnings, i, warning)
    {
        ctl_complain(ctl, CTL_OK, "warning: %s", json_string_value(warning));
    }
}

void phone_values_done(struct phone_values *values)
{
    json_decref(values->warnings);
    json_decref(values->issued);
    OPENSSL_cleanse(values, sizeof *values);
}

// --- Server

// The URL has a port of its own: a colon behind the host, which in IPv6 has brackets.
static bool has_port(const struct phone_address *address)
{
    const char *host = strstr(address->url, "://");
    host = host != NULL ? host + strlen("://") : address->url;
    const char *end = host + strcspn(host, "/");
    const char *colon = memrchr(host, ':', (size_t)(end - host));
    const char *bracket = memrchr(host, ']', (size_t)(end - host));
    return colon != NULL && (bracket == NULL || colon > bracket);
}

static void remark_server(struct phone_values *values, const struct phone_address *address)
{
    if (!address->has_scheme) {
        phone_values_warn(values,
                          "the server is a bare address, which Cisco allows; which path phones "
                          "then ask for is not documented (scepd answers under every path)");
    }
    if (has_port(address)) {
        phone_values_warn(values,
                          "Cisco's documents show no server with a port; try one phone before "
                          "all of them");
    }
    if (address->has_path && address->has_scheme) {
        phone_values_warn(values,
                          "Cisco's documents show no server with a path; try one phone before "
                          "all of them (scepd needs none)");
    }
}

static enum ctl_exit read_server(struct ctl *ctl, const char *server, struct phone_values *values)
{
    struct err err = {0};
    struct phone_address address;
    if (server == NULL) {
        return ctl_complain(ctl, CTL_USAGE, "--server is missing: what phones ask, http://...");
    }
    if (phone_address_read(server, &address, &err) != ERR_OK) {
        return ctl_complain(ctl, CTL_USAGE, "--server: %s", err.text);
    }
    if (strcasecmp(address.scheme, SCHEME_HTTPS) == 0) {
        return ctl_complain(ctl, CTL_USAGE,
                            "--server: phones do not support https for SCEP, whose messages are "
                            "signed and encrypted by themselves; write http://");
    }
    if (strcasecmp(address.scheme, SCHEME_HTTP) != 0) {
        return ctl_complain(ctl, CTL_USAGE, "--server: the scheme is \"%s\"; phones take http",
                            address.scheme);
    }
    bool is_bare_ip = address.is_ip && !address.has_path && !has_port(&address);
    if (!address.has_scheme && !is_bare_ip) {
        return ctl_complain(ctl, CTL_USAGE,
                            "--server: \"%s\" is neither a URL nor an IP address alone, which "
                            "phones take; write http://%s",
                            server, server);
    }
    values->server = server;
    remark_server(values, &address);
    return CTL_OK;
}

// --- Fingerprint

static enum ctl_exit read_fingerprint(struct ctl *ctl, const struct ctl_arguments *arguments,
                                      struct phone_values *values)
{
    const char *given = arguments->options[CTL_FINGERPRINT];
    values->is_of_scepd = given == NULL;
    enum ctl_exit code =
        phone_pin_read(ctl, given, arguments->options[CTL_HASH], &values->fingerprint);
    if (code == CTL_OK && values->fingerprint.len == SHA1_LEN) {
        phone_values_warn(values,
                          "a SHA-1 fingerprint is weaker than a SHA-256 one, which the same "
                          "phones take");
    }
    return code;
}

// --- Challenge

static enum ctl_exit check_sources(struct ctl *ctl, const struct ctl_arguments *arguments)
{
    const char *const *options = arguments->options;
    int count = (options[CTL_CHALLENGE] != NULL) + (options[CTL_CHALLENGE_FILE] != NULL) +
                (options[CTL_NEW_CHALLENGE] != NULL);
    if (count > 1) {
        return ctl_complain(ctl, CTL_USAGE,
                            "only one of --challenge-file, --new-challenge and --challenge can be "
                            "given");
    }
    if (options[CTL_NEW_CHALLENGE] == NULL &&
        (options[CTL_TTL] != NULL || options[CTL_USES] != NULL)) {
        return ctl_complain(ctl, CTL_USAGE, "--ttl and --uses belong to --new-challenge");
    }
    return CTL_OK;
}

static enum ctl_exit take_challenge(struct ctl *ctl, struct view text, struct phone_values *values)
{
    if (text.len == 0 || text.len > OPTION43_MAX_LEN) {
        return ctl_complain(ctl, CTL_USAGE, "the challenge has %zu octets; allowed are 1 to %d",
                            text.len, OPTION43_MAX_LEN);
    }
    memcpy(values->challenge, text.data, text.len);
    values->challenge[text.len] = '\0';
    return CTL_OK;
}

static enum ctl_exit read_challenge_file(struct ctl *ctl, const char *path,
                                         struct phone_values *values)
{
    struct err err = {0};
    CLEANUP(buf_wipe) struct buf secret = {0};
    if (secret_file_read(path, OPTION43_MAX_LEN, &secret, &err) != ERR_OK) {
        return ctl_complain(ctl, CTL_USAGE, "--challenge-file: %s", err.text);
    }
    secret_file_warn(ctl, path);
    return take_challenge(ctl, buf_view(&secret), values);
}

static enum ctl_exit read_challenge(struct ctl *ctl, const struct ctl_arguments *arguments,
                                    struct phone_values *values)
{
    const char *const *options = arguments->options;
    enum ctl_exit code = check_sources(ctl, arguments);
    if (code != CTL_OK) {
        return code;
    }
    if (options[CTL_CHALLENGE_FILE] != NULL) {
        return read_challenge_file(ctl, options[CTL_CHALLENGE_FILE], values);
    }
    if (options[CTL_CHALLENGE] != NULL) {
        phone_values_warn(values, "while a command runs, other users of this machine can read its "
                                  "--challenge; --challenge-file keeps it to yourself");
        return take_challenge(ctl, view_of_text(options[CTL_CHALLENGE]), values);
    }
    if (options[CTL_NEW_CHALLENGE] != NULL) {
        const struct challenge_wish wish = {.ttl = options[CTL_TTL], .uses = options[CTL_USES]};
        memset(values->challenge, '0', CHALLENGE_DIGITS);
        return ctl_challenge_check(ctl, &wish);
    }
    return CTL_OK;
}

enum ctl_exit phone_values_issue(struct ctl *ctl, const struct ctl_arguments *arguments,
                                 const char *common_name, struct phone_values *values)
{
    const char *const *options = arguments->options;
    const struct challenge_wish wish = {
        .common_name = common_name, .ttl = options[CTL_TTL], .uses = options[CTL_USES]};
    CLEANUP(api_decref) json_t *answer = NULL;
    if (options[CTL_NEW_CHALLENGE] == NULL) {
        return CTL_OK;
    }
    enum ctl_exit code = ctl_challenge_ask(ctl, &wish, &answer);
    if (code != CTL_OK) {
        return code;
    }
    const char *secret = api_text(answer, "secret");
    if (secret == NULL || strlen(secret) != CHALLENGE_DIGITS) {
        return ctl_complain(ctl, CTL_FAILED, "scepd's answer has no challenge of %d digits",
                            CHALLENGE_DIGITS);
    }
    code = take_challenge(ctl, view_of_text(secret), values);
    ctl_challenge_wipe(answer);
    values->issued = json_pack("{s:O, s:O, s:O, s:O}", "id", json_object_get(answer, "id"),
                               "expires_at", json_object_get(answer, "expires_at"), "uses_allowed",
                               json_object_get(answer, "uses_allowed"), "common_name",
                               json_object_get(answer, "common_name"));
    int64_t uses = api_number(answer, "uses_allowed");
    phone_values_warn(values, "the new challenge %s is good for %jd certificate%s until %s",
                      api_text(answer, "id"), (intmax_t)uses, uses == 1 ? "" : "s",
                      api_text(answer, "expires_at"));
    return code;
}

// --- Choices

static enum ctl_exit read_certificate(struct ctl *ctl, const char *which,
                                      struct phone_values *values)
{
    if (which == NULL) {
        return CTL_OK;
    }
    bool is_custom = strcmp(which, "custom") == 0;
    if (!is_custom && strcmp(which, "manufacturing") != 0) {
        return ctl_complain(ctl, CTL_USAGE,
                            "--certificate \"%s\" is unknown; allowed are custom and manufacturing",
                            which);
    }
    values->custom = is_custom ? OPTION43_YES : OPTION43_NO;
    return CTL_OK;
}

enum ctl_exit phone_values_read(struct ctl *ctl, const struct ctl_arguments *arguments,
                                struct phone_values *values)
{
    enum ctl_exit code = read_server(ctl, arguments->options[CTL_SERVER], values);
    if (code == CTL_OK) {
        code = read_certificate(ctl, arguments->options[CTL_CERTIFICATE], values);
    }
    if (code == CTL_OK) {
        code = read_challenge(ctl, arguments, values);
    }
    if (code == CTL_OK) {
        code = read_fingerprint(ctl, arguments, values);
    }
    values->dot1x = arguments->options[CTL_DOT1X] != NULL ? OPTION43_YES : OPTION43_ABSENT;
    return code;
}
