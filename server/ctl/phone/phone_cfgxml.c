// SPDX-License-Identifier: Apache-2.0
// scepctl phone cfgxml: the elements of a phone's configuration file (cfg.xml) that make it enrol.
#include <string.h>

#include "conf/base/hex.h"
#include "conf/limits.h"
#include "server/ctl/phone/phone_macros.h"
#include "server/ctl/phone/phone_values.h"

#define DIGITS_LEN (2 * PIN_MAX_LEN + 1)
#define ELEMENTS   6

struct element {
    const char *name;
    const char *value; // NULL = the element is left out
};

// Appends `value` as the content of an element. Errors: ERR_NOMEM.
static enum err_code append_escaped(struct buf *out, const char *value, struct err *err)
{
    static const struct {
        char character;
        const char *entity;
    } entities[] = {
        {'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'\'', "&apos;"}, {'"', "&quot;"}};
    enum err_code code = ERR_OK;
    for (; *value != '\0' && code == ERR_OK; value++) {
        struct view text = view_of(value, 1);
        for (size_t i = 0; i < sizeof entities / sizeof entities[0]; i++) {
            text = entities[i].character == *value ? view_of_text(entities[i].entity) : text;
        }
        code = buf_append(out, text, err);
    }
    return code;
}

static enum err_code append_element(struct buf *out, const struct element *element, struct err *err)
{
    char tag[64];
    snprintf(tag, sizeof tag, "<%s ua=\"na\">", element->name);
    enum err_code code = buf_append(out, view_of_text(tag), err);
    if (code == ERR_OK) {
        code = append_escaped(out, element->value, err);
    }
    snprintf(tag, sizeof tag, "</%s>\n", element->name);
    return code == ERR_OK ? buf_append(out, view_of_text(tag), err) : code;
}

static enum err_code write_xml(const struct element elements[ELEMENTS], struct buf *out,
                               struct err *err)
{
    enum err_code code = ERR_OK;
    for (size_t i = 0; i < ELEMENTS && code == ERR_OK; i++) {
        if (elements[i].value != NULL) {
            code = append_element(out, &elements[i], err);
        }
    }
    return code;
}

static enum ctl_exit check_ascii(struct ctl *ctl, const char *name, const char *text)
{
    for (size_t i = 0; text[i] != '\0'; i++) {
        if (text[i] < ' ' || text[i] > '~') {
            return ctl_complain(ctl, CTL_USAGE,
                                "%s: octet %zu is 0x%02X; phones' configuration is printable ASCII",
                                name, i + 1, (unsigned char)text[i]);
        }
    }
    return CTL_OK;
}

// --- The common name

static void warn_of_macro(const char *text, void *context)
{
    phone_values_warn(context, "%s", text);
}

static enum ctl_exit check_common_name(struct ctl *ctl, const char *common_name,
                                       struct phone_values *values)
{
    if (common_name == NULL) {
        return CTL_OK;
    }
    if (strlen(common_name) > LIMIT_COMMON_NAME) {
        return ctl_complain(ctl, CTL_USAGE, "--cn has %zu characters; allowed are at most %d",
                            strlen(common_name), LIMIT_COMMON_NAME);
    }
    phone_macros_check(common_name, warn_of_macro, values);
    if (values->challenge[0] == '\0') {
        phone_values_warn(values, "without a challenge scepd gives a phone the common name of its "
                                  "manufacturer's certificate (CP-9871-SEP001A2B3C4D5E), alone or "
                                  "with a domain of phone.domains, and refuses any other --cn");
    }
    return check_ascii(ctl, "--cn", common_name);
}

static enum ctl_exit check(struct ctl *ctl, const char *common_name, struct phone_values *values)
{
    enum ctl_exit code = check_common_name(ctl, common_name, values);
    if (code == CTL_OK) {
        code = check_ascii(ctl, "--server", values->server);
    }
    if (code == CTL_OK) {
        code = check_ascii(ctl, "the challenge", values->challenge);
    }
    if (code == CTL_OK && values->fingerprint.len > SHA256_LEN) {
        return ctl_complain(ctl, CTL_USAGE,
                            "phones' configuration takes SHA-256 and SHA-1 fingerprints, not %s",
                            pin_digest_name(&values->fingerprint));
    }
    if (code == CTL_OK && values->challenge[0] != '\0') {
        phone_values_warn(values, "the challenge password is in clear text in this: whoever can "
                                  "fetch the phones' configuration can read it");
    }
    return code;
}

// --- Output

static enum ctl_exit print_json(struct ctl *ctl, const struct phone_values *values,
                                const struct element elements[ELEMENTS], const struct buf *xml)
{
    json_t *object = json_object();
    for (size_t i = 0; i < ELEMENTS; i++) {
        if (elements[i].value != NULL) {
            json_object_set_new(object, elements[i].name, json_string(elements[i].value));
        }
    }
    CLEANUP(api_decref)
    json_t *answer =
        json_pack("{s:o, s:s%, s:O?, s:O?}", "elements", object, "xml", (const char *)xml->data,
                  xml->len, "new_challenge", values->issued, "warnings", values->warnings);
    if (answer == NULL) {
        return ctl_complain(ctl, CTL_FAILED, "out of memory");
    }
    return api_print(ctl, answer);
}

static enum ctl_exit print(struct ctl *ctl, const struct phone_values *values,
                           const char *common_name)
{
    static const char *const certificates[] = {
        [OPTION43_ABSENT] = NULL,
        [OPTION43_NO] = "Manufacturing installed",
        [OPTION43_YES] = "Custom installed",
    };
    struct err err = {0};
    CLEANUP(buf_wipe) struct buf xml = {0};
    char digits[DIGITS_LEN];
    hex_encode(view_of(values->fingerprint.octets, values->fingerprint.len), digits);
    const struct element elements[ELEMENTS] = {
        {"CDC_Server_1_", values->server},
        {"CDC_Root_CA_Fingerprint_1_", digits},
        {"CDC_Challenge_Password_1_", values->challenge},
        {"CDC_Common_Name_1_", common_name != NULL ? common_name : ""},
        {"Certificate_Select", certificates[values->custom]},
        {"Enable_802.1X_Authentication", values->dot1x == OPTION43_YES ? "Yes" : NULL},
    };
    if (write_xml(elements, &xml, &err) != ERR_OK) {
        return ctl_complain(ctl, CTL_FAILED, "%s", err.text);
    }
    if (ctl->is_json) {
        return print_json(ctl, values, elements, &xml);
    }
    if (fwrite(xml.data, 1, xml.len, ctl->out) != xml.len) {
        return ctl_complain(ctl, CTL_FAILED, "cannot write the output");
    }
    return CTL_OK;
}

static enum ctl_exit run(struct ctl *ctl, const struct ctl_arguments *arguments)
{
    const char *common_name = arguments->options[CTL_CN];
    CLEANUP(phone_values_done) struct phone_values values = {0};
    enum ctl_exit code = phone_values_read(ctl, arguments, &values);
    if (code == CTL_OK) {
        code = check(ctl, common_name, &values);
    }
    if (code == CTL_OK) {
        // A name with macros is many phones'.
        bool is_one_phone = common_name != NULL && strchr(common_name, '$') == NULL;
        code = phone_values_issue(ctl, arguments, is_one_phone ? common_name : NULL, &values);
    }
    if (code != CTL_OK) {
        return code;
    }
    phone_values_show_warnings(ctl, &values);
    return print(ctl, &values, common_name);
}

static const struct ctl_option options[] = {
    PHONE_VALUES_OPTIONS,
    {"cn", CTL_CN, "CN", "the common name, with macros like $MAU in it (the phone's own)"},
    {0},
};

const struct ctl_command ctl_phone_cfgxml = {
    .name = "phone",
    .action = "cfgxml",
    .summary = "Make the elements of phones' configuration file by which they learn of scepd.",
    .options = options,
    .run = run,
};
