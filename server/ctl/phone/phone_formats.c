// SPDX-License-Identifier: Apache-2.0
#include "server/ctl/phone/phone_formats.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "conf/base/hex.h"

#define LINE_LEN 1024 // bytes; an option in hexadecimal with colons has 765
#define CLASS    "cisco-phone-scep"

static const char *const models[] = {"DP-9841", "DP-9851", "DP-9861", "DP-9871", "CP-8875", NULL};

const char *const *phone_format_models(void)
{
    return models;
}

// Text that grows; the first error stays and stops it.
struct writer {
    struct buf *out;
    struct err *err;
    enum err_code code;
};

static void put(struct writer *writer, const char *format, ...) PRINTF_LIKE(2, 3);
static void put(struct writer *writer, const char *format, ...)
{
    char text[LINE_LEN];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (writer->code == ERR_OK && (len < 0 || (size_t)len >= sizeof text)) {
        writer->code = err_set(writer->err, ERR_INTERNAL, "a line of configuration is too long");
    }
    if (writer->code == ERR_OK) {
        writer->code = buf_append(writer->out, view_of(text, (size_t)len), writer->err);
    }
    OPENSSL_cleanse(text, sizeof text);
}

static void put_hex(struct writer *writer, const struct option43_octets *octets, char separator)
{
    if (writer->code == ERR_OK) {
        writer->code = option43_write_hex(octets, separator, writer->out, writer->err);
    }
}

// What every configuration file says on top. `comment` begins a comment.
static void put_heading(struct writer *writer, const struct phone_format_input *input,
                        const char *comment, const char *place)
{
    put(writer, "%s SCEP by DHCP option 43 for Cisco IP phones after a factory reset; %s.\n",
        comment, place);
    put(writer, "%s These phones must not be offered options 66, 150, 159 or 160 beside it.\n",
        comment);
    if (input->option->challenge[0] != '\0') {
        put(writer, "%s The challenge password is in here in clear text: keep this from others.\n",
            comment);
    }
}

static enum err_code write_hex(const struct phone_format_input *input, struct buf *out,
                               struct err *err)
{
    struct writer writer = {.out = out, .err = err};
    put_hex(&writer, input->octets, '\0');
    put(&writer, "\n");
    return writer.code;
}

// --- Cisco Network Registrar: (10 1)(11 http://10.79.57.91)...

static void put_cnr_switch(struct writer *writer, unsigned code, enum option43_switch state)
{
    if (state != OPTION43_ABSENT) {
        put(writer, "(%u %d)", code, state == OPTION43_YES ? 1 : 0);
    }
}

static enum err_code write_cnr(const struct phone_format_input *input, struct buf *out,
                               struct err *err)
{
    const struct option43 *option = input->option;
    const char odd[] = "()\"'\\ ,;";
    char digits[2 * PIN_MAX_LEN + 1];
    struct writer writer = {.out = out, .err = err};
    if (strpbrk(option->server, odd) != NULL || strpbrk(option->challenge, odd) != NULL) {
        return err_set(
            err, ERR_SYNTAX,
            "server or challenge has a blank, a quote, a bracket, a comma, a semicolon or "
            "a backslash, for which Network Registrar's text has no documented form; take "
            "--format hex");
    }
    put_cnr_switch(&writer, OPTION43_FIPS, option->fips);
    put(&writer, "(%d %s)", OPTION43_SERVER, option->server);
    put(&writer, "(%d %s)", OPTION43_FINGERPRINT,
        hex_encode(view_of(option->fingerprint.octets, option->fingerprint.len), digits));
    if (option->challenge[0] != '\0') {
        put(&writer, "(%d %s)", OPTION43_CHALLENGE, option->challenge);
    }
    put_cnr_switch(&writer, OPTION43_DOT1X, option->dot1x);
    put_cnr_switch(&writer, OPTION43_CERTIFICATE, option->custom);
    put(&writer, "\n");
    return writer.code;
}

// --- ISC dhcpd

static enum err_code write_isc(const struct phone_format_input *input, struct buf *out,
                               struct err *err)
{
    struct writer writer = {.out = out, .err = err};
    put_heading(&writer, input, "#", "for dhcpd.conf, outside of any braces");
    put(&writer, "class \"%s\" {\n    match option vendor-class-identifier;\n", CLASS);
    put(&writer, "    option vendor-encapsulated-options ");
    put_hex(&writer, input->octets, ':');
    put(&writer, ";\n");
    if (input->domain != NULL) {
        put(&writer, "    option domain-name \"%s\";\n", input->domain);
    }
    // 2b and 0f are options 43 and 15.
    put(&writer,
        "    # sent whether the phone asks for it or not\n"
        "    if exists dhcp-parameter-request-list {\n"
        "        option dhcp-parameter-request-list =\n"
        "            concat(option dhcp-parameter-request-list, 2b%s);\n"
        "    }\n}\n",
        input->domain != NULL ? ", 0f" : "");
    for (size_t i = 0; models[i] != NULL; i++) {
        put(&writer, "subclass \"%s\" \"%s\";\n", CLASS, models[i]);
    }
    return writer.code;
}

// --- Kea

static enum err_code write_kea(const struct phone_format_input *input, struct buf *out,
                               struct err *err)
{
    struct writer writer = {.out = out, .err = err};
    put_heading(&writer, input, "//", "for \"Dhcp4\" in kea-dhcp4.conf");
    put(&writer, "\"client-classes\": [\n");
    for (size_t i = 0; models[i] != NULL; i++) {
        put(&writer, "    { \"name\": \"%s\", \"test\": \"option[60].text == '%s'\" },\n",
            models[i], models[i]);
    }
    put(&writer, "    {\n        \"name\": \"%s\",\n        \"test\": \"", CLASS);
    for (size_t i = 0; models[i] != NULL; i++) {
        put(&writer, "%smember('%s')", i > 0 ? " or " : "", models[i]);
    }
    put(&writer, "\",\n"
                 "        \"option-def\": [\n"
                 "            { \"name\": \"vendor-encapsulated-options\", \"code\": 43, \"type\": "
                 "\"binary\" }\n"
                 "        ],\n"
                 "        \"option-data\": [\n"
                 "            { \"name\": \"vendor-encapsulated-options\", \"always-send\": true,\n"
                 "              \"csv-format\": false, \"data\": \"");
    put_hex(&writer, input->octets, '\0');
    put(&writer, "\" }");
    if (input->domain != NULL) {
        put(&writer,
            ",\n            { \"name\": \"domain-name\", \"always-send\": true, \"data\": \"%s\" }",
            input->domain);
    }
    put(&writer, "\n        ]\n    }\n]\n");
    return writer.code;
}

// --- dnsmasq

static enum err_code write_dnsmasq(const struct phone_format_input *input, struct buf *out,
                                   struct err *err)
{
    struct writer writer = {.out = out, .err = err};
    put_heading(&writer, input, "#", "for a file in /etc/dnsmasq.d");
    for (size_t i = 0; models[i] != NULL; i++) {
        put(&writer, "dhcp-vendorclass=set:%s,%s\n", CLASS, models[i]);
    }
    put(&writer, "dhcp-option-force=tag:%s,43,", CLASS);
    put_hex(&writer, input->octets, ':');
    put(&writer, "\n");
    if (input->domain != NULL) {
        put(&writer, "dhcp-option-force=tag:%s,option:domain-name,%s\n", CLASS, input->domain);
    }
    return writer.code;
}

enum err_code phone_format_find(const char *name, const struct phone_format **ret_format,
                                struct err *err)
{
    static const struct phone_format formats[] = {
        {.name = "hex", .write = write_hex},
        {.name = "cnr", .write = write_cnr},
        {.name = "isc", .has_classes = true, .write = write_isc},
        {.name = "kea", .has_classes = true, .write = write_kea},
        {.name = "dnsmasq", .has_classes = true, .write = write_dnsmasq},
    };
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        if (strcmp(formats[i].name, name) == 0) {
            *ret_format = &formats[i];
            return ERR_OK;
        }
    }
    return err_set(err, ERR_SYNTAX, "--format \"%.64s\" is unknown; allowed are " PHONE_FORMATS,
                   name);
}
