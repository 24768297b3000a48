// SPDX-License-Identifier: Apache-2.0
// scepctl phone option43: makes DHCP option 43 for phones after a factory reset.
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/crypto.h>

#include "conf/limits.h"
#include "conf/settings.h"
#include "conf/syntax.h"
#include "server/ctl/phone/phone_decode.h"
#include "server/ctl/phone/phone_formats.h"
#include "server/ctl/phone/phone_values.h"

#define DEFAULT_FORMAT "hex"
#define CLASSES_LEN    128 // bytes of all vendor classes in a line
#define MIC_CN_LEN     23  // characters of the longest known CN of a MIC: CP-9871-SEP001A2B3C4D5E
#define DOMAIN_MAX     (LIMIT_COMMON_NAME - MIC_CN_LEN - 1) // and a dot between them

DEFINE_CLEANUP(struct settings *, settings_free);

// What goes into the answer.
struct product {
    struct phone_values values;
    struct option43 option;
    struct option43_octets octets;
    const struct phone_format *format;
    const char *domain; // NULL = none
};

static void product_done(struct product *product)
{
    phone_values_done(&product->values);
    OPENSSL_cleanse(product, sizeof *product);
}

// --- Domain

static bool has_domain(const struct settings *settings, const char *domain)
{
    const struct settings_texts *domains = &settings->phone.domains;
    for (uint32_t i = 0; i < domains->count; i++) {
        if (strcasecmp(domains->list[i], domain) == 0) {
            return true;
        }
    }
    return false;
}

// The phones' names will have the domain in them, and scepd refuses names it was not told of.
static void remark_domain(struct ctl *ctl, struct product *product)
{
    CLEANUP(cleanup_settings_free) struct settings *settings = NULL;
    if (product->values.is_of_scepd && product->domain != NULL &&
        settings_load(ctl->config, false, ctl->errors, &settings, NULL) == ERR_OK &&
        !has_domain(settings, product->domain)) {
        phone_values_warn(&product->values,
                          "%s is not in the setting phone.domains of %s, so scepd refuses phones "
                          "that ask for <their name>.%s",
                          product->domain, ctl->config, product->domain);
    }
}

static enum ctl_exit read_domain(struct ctl *ctl, const char *domain, struct product *product)
{
    struct err err = {0};
    if (domain == NULL) {
        return CTL_OK;
    }
    if (syntax_domain(domain, &err) != ERR_OK) {
        return ctl_complain(ctl, CTL_USAGE, "--domain: %s", err.text);
    }
    if (strlen(domain) > DOMAIN_MAX) {
        return ctl_complain(ctl, CTL_USAGE,
                            "--domain has %zu characters; allowed are at most %d: phones ask for "
                            "CP-9871-SEP001A2B3C4D5E.DOMAIN, and a common name has at most %d",
                            strlen(domain), DOMAIN_MAX, LIMIT_COMMON_NAME);
    }
    product->domain = domain;
    return CTL_OK;
}

// --- Warnings

static void remark_option(struct product *product)
{
    struct phone_values *values = &product->values;
    if (values->challenge[0] != '\0') {
        phone_values_warn(values,
                          "the challenge password is in clear text in the option: everybody in "
                          "that network can read it; without one, phones use their "
                          "manufacturer's certificate");
    }
    if (values->dot1x != OPTION43_ABSENT || values->custom != OPTION43_ABSENT) {
        phone_values_warn(values,
                          "--dot1x and --certificate count for phones in wired networks only");
    }
    if (values->fingerprint.len > SHA256_LEN) {
        phone_values_warn(values,
                          "Cisco's documents allow a fingerprint of %zu octets in option 43 but "
                          "speak of SHA-1 and SHA-256 only; try one phone before all of them",
                          values->fingerprint.len);
    }
    if (product->option.fips == OPTION43_YES) {
        phone_values_warn(values,
                          "--fips must be what the phones' later configuration says, or they "
                          "do not find their certificate any more");
    }
    phone_values_warn(values,
                      "phones take this after a factory reset only, and not where options 66, "
                      "150, 159 or 160 or cloud provisioning are offered beside it");
}

// --- Making

static enum ctl_exit encode(struct ctl *ctl, struct product *product)
{
    struct err err = {0};
    const struct phone_values *values = &product->values;
    struct option43 *option = &product->option;
    size_t server_len = strlen(values->server);
    if (server_len >= sizeof option->server) {
        return ctl_complain(ctl, CTL_USAGE, "--server has %zu octets; allowed are at most %d",
                            server_len, OPTION43_TEXTS_MAX);
    }
    memcpy(option->server, values->server, server_len + 1);
    memcpy(option->challenge, values->challenge, sizeof option->challenge);
    option->fingerprint = values->fingerprint;
    option->dot1x = values->dot1x;
    option->custom = values->custom;
    if (option43_encode(option, &product->octets, &err) != ERR_OK) {
        return ctl_complain(ctl, CTL_USAGE, "%s", err.text);
    }
    return CTL_OK;
}

static enum ctl_exit write_text(struct ctl *ctl, const struct phone_format *format,
                                const struct product *product, struct buf *text)
{
    struct err err = {0};
    const struct phone_format_input input = {
        .option = &product->option, .octets = &product->octets, .domain = product->domain};
    if (format->write(&input, text, &err) != ERR_OK) {
        return ctl_complain(ctl, CTL_USAGE, "%s", err.text);
    }
    return CTL_OK;
}

// What a bare value cannot say of itself; configurations have it, and JSON its own members.
static void note_classes(struct ctl *ctl, const struct product *product)
{
    char list[CLASSES_LEN] = "";
    size_t used = 0;
    if (ctl->is_json || product->format->has_classes) {
        return;
    }
    for (const char *const *model = phone_format_models(); *model != NULL; model++) {
        int len = snprintf(list + used, sizeof list - used, "%s%s", used > 0 ? ", " : "", *model);
        used += len > 0 && used + (size_t)len < sizeof list ? (size_t)len : 0;
    }
    ctl_complain(ctl, CTL_OK,
                 "note: give this to clients whose option 60 (vendor class) is one of %s", list);
    if (product->domain != NULL) {
        ctl_complain(ctl, CTL_OK, "note: give them option 15 (domain name) %s, too",
                     product->domain);
    }
}

static json_t *models_json(void)
{
    json_t *list = json_array();
    for (const char *const *model = phone_format_models(); *model != NULL; model++) {
        json_array_append_new(list, json_string(*model));
    }
    return list;
}

static enum ctl_exit print_json(struct ctl *ctl, const struct product *product,
                                const struct buf *text)
{
    CLEANUP(buf_wipe) struct buf hex = {0};
    struct err err = {0};
    if (option43_write_hex(&product->octets, '\0', &hex, &err) != ERR_OK) {
        return ctl_complain(ctl, CTL_FAILED, "%s", err.text);
    }
    const struct phone_values *values = &product->values;
    CLEANUP(api_decref)
    json_t *answer = json_pack(
        "{s:s%, s:I, s:s, s:s%, s:o, s:s?, s:O?, s:O?}", "hex", (const char *)hex.data, hex.len,
        "octets", (json_int_t)product->octets.len, "format", product->format->name, "configuration",
        (const char *)text->data, text->len, "vendor_classes", models_json(), "domain",
        product->domain, "new_challenge", values->issued, "warnings", values->warnings);
    if (answer == NULL) {
        return ctl_complain(ctl, CTL_FAILED, "out of memory");
    }
    return api_print(ctl, answer);
}

static enum ctl_exit print(struct ctl *ctl, const struct product *product)
{
    CLEANUP(buf_wipe) struct buf text = {0};
    enum ctl_exit code = write_text(ctl, product->format, product, &text);
    if (code != CTL_OK) {
        return code;
    }
    if (ctl->is_json) {
        return print_json(ctl, product, &text);
    }
    if (fwrite(text.data, 1, text.len, ctl->out) != text.len) {
        return ctl_complain(ctl, CTL_FAILED, "cannot write the output");
    }
    return CTL_OK;
}

static enum ctl_exit read_all(struct ctl *ctl, const struct ctl_arguments *arguments,
                              struct product *product)
{
    struct err err = {0};
    const char *format = arguments->options[CTL_FORMAT];
    if (phone_format_find(format != NULL ? format : DEFAULT_FORMAT, &product->format, &err) !=
        ERR_OK) {
        return ctl_complain(ctl, CTL_USAGE, "%s", err.text);
    }
    enum ctl_exit code = read_domain(ctl, arguments->options[CTL_DOMAIN], product);
    return code == CTL_OK ? phone_values_read(ctl, arguments, &product->values) : code;
}

// Everything is made once before a new challenge is asked for, which would be lost otherwise.
static enum ctl_exit make(struct ctl *ctl, const struct ctl_arguments *arguments,
                          struct product *product)
{
    CLEANUP(buf_wipe) struct buf trial = {0};
    enum ctl_exit code = read_all(ctl, arguments, product);
    if (code == CTL_OK) {
        product->option.fips =
            arguments->options[CTL_FIPS] != NULL ? OPTION43_YES : OPTION43_ABSENT;
        code = encode(ctl, product);
    }
    if (code == CTL_OK) {
        code = write_text(ctl, product->format, product, &trial);
    }
    if (code == CTL_OK) {
        code = phone_values_issue(ctl, arguments, NULL, &product->values);
    }
    return code == CTL_OK ? encode(ctl, product) : code;
}

// --decode and nothing else.
static enum ctl_exit decode(struct ctl *ctl, const struct ctl_arguments *arguments)
{
    for (int i = 0; i < CTL_OPTION_COUNT; i++) {
        if (i != CTL_DECODE && arguments->options[i] != NULL) {
            return ctl_complain(ctl, CTL_USAGE,
                                "--decode explains a value and takes no other option beside it");
        }
    }
    return phone_decode(ctl, arguments->options[CTL_DECODE]);
}

static enum ctl_exit run(struct ctl *ctl, const struct ctl_arguments *arguments)
{
    if (arguments->options[CTL_DECODE] != NULL) {
        return decode(ctl, arguments);
    }
    CLEANUP(product_done) struct product product = {0};
    enum ctl_exit code = make(ctl, arguments, &product);
    if (code != CTL_OK) {
        return code;
    }
    remark_domain(ctl, &product);
    remark_option(&product);
    phone_values_show_warnings(ctl, &product.values);
    note_classes(ctl, &product);
    return print(ctl, &product);
}

static const struct ctl_option options[] = {
    PHONE_VALUES_OPTIONS,
    {"fips", CTL_FIPS, NULL, "the phones will run in FIPS mode"},
    {"domain", CTL_DOMAIN, "DOMAIN", "option 15: phones ask for <their name>.DOMAIN"},
    {"format", CTL_FORMAT, PHONE_FORMAT_CHOICE, "in whose words (hex)"},
    {"decode", CTL_DECODE, "HEX", "explain a value instead; - reads it from standard input"},
    {0},
};

const struct ctl_command ctl_phone_option43 = {
    .name = "phone",
    .action = "option43",
    .summary = "Make DHCP option 43, by which phones learn of scepd after a factory reset.",
    .options = options,
    .run = run,
};
