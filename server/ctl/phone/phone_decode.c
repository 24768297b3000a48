// SPDX-License-Identifier: Apache-2.0
#include "server/ctl/phone/phone_decode.h"

#include <string.h>
#include <strings.h>

#include "conf/base/file.h"
#include "conf/base/hex.h"
#include "server/ctl/answer.h"
#include "server/phone/address.h"
#include "server/phone/option43.h"

#define INPUT_MAX_LEN 65536 // octets of standard input
#define NUMBER_LEN    16
#define VALUE_LEN     (2 * OPTION43_MAX_LEN + 1)
#define COLUMNS       5

// What was found, in the members of the JSON answer.
struct findings {
    struct option43_reader reader;
    json_t *parts;
    json_t *problems; // phones would not take the value
    json_t *warnings;
};

static void findings_done(struct findings *findings)
{
    json_decref(findings->parts);
    json_decref(findings->problems);
    json_decref(findings->warnings);
    OPENSSL_cleanse(findings, sizeof *findings);
}

static void add_text(json_t *list, const char *text)
{
    json_array_append_new(list, json_string(text));
}

// --- One suboption

static const char *switch_meaning(unsigned code, bool is_on)
{
    switch (code) {
    case OPTION43_FIPS:
        return is_on ? "enabled" : "disabled";
    case OPTION43_DOT1X:
        return is_on ? "yes" : "no";
    default:
        return is_on ? "custom installed" : "manufacturing installed";
    }
}

// NULL when there is nothing to say beyond the value.
static const char *meaning_of(const struct option43_part *part)
{
    struct pin pin = {.len = part->value.len};
    switch (part->code) {
    case OPTION43_FINGERPRINT:
        return pin_digest_name(&pin);
    case OPTION43_FIPS:
    case OPTION43_DOT1X:
    case OPTION43_CERTIFICATE:
        return switch_meaning(part->code, part->value.data[0] == 1);
    default:
        return NULL;
    }
}

// The value as text where it is one, else in hexadecimal.
static void write_value(const struct option43_part *part, bool is_good, char value[VALUE_LEN])
{
    bool is_text = part->code == OPTION43_SERVER || part->code == OPTION43_CHALLENGE;
    if (is_text && is_good) {
        memcpy(value, part->value.data, part->value.len);
        value[part->value.len] = '\0';
    } else {
        hex_encode(part->value, value);
    }
}

static void take_part(struct findings *findings, const struct option43_part *part,
                      const struct err *problem)
{
    char value[VALUE_LEN];
    bool is_good = problem->code == ERR_OK;
    write_value(part, is_good, value);
    json_array_append_new(findings->parts,
                          json_pack("{s:i, s:i, s:s, s:i, s:s, s:s?, s:s?}", "octet",
                                    (int)part->offset + 1, "code", (int)part->code, "name",
                                    option43_name(part->code), "length", (int)part->value.len,
                                    "value", value, "meaning", is_good ? meaning_of(part) : NULL,
                                    "problem", is_good ? NULL : problem->text));
    if (!is_good) {
        add_text(findings->problems, problem->text);
    }
    OPENSSL_cleanse(value, sizeof value);
}

// --- The whole

static void judge_server(struct findings *findings, const char *server)
{
    struct err err = {0};
    struct phone_address address;
    if (phone_address_read(server, &address, &err) != ERR_OK) {
        add_text(findings->problems, err.text);
    } else if (strcasecmp(address.scheme, "http") != 0) {
        add_text(findings->problems,
                 "the server's URL is not http, the only scheme that phones support for SCEP");
    } else if (!address.has_scheme && !address.is_ip) {
        add_text(findings->problems,
                 "the server is neither a URL nor an IP address, which phones take");
    }
}

static void judge_whole(struct findings *findings)
{
    struct err err = {0};
    const struct option43 *option = &findings->reader.option;
    if (option43_finish(&findings->reader, &err) != ERR_OK) {
        add_text(findings->problems, err.text);
    }
    if (option->server[0] != '\0') {
        judge_server(findings, option->server);
    }
    if (option->challenge[0] != '\0') {
        add_text(findings->warnings, "the challenge password is in clear text: everybody in the "
                                     "phones' network can read it");
    }
    if (option->dot1x != OPTION43_ABSENT || option->custom != OPTION43_ABSENT) {
        add_text(findings->warnings,
                 "suboptions 14 and 15 count for phones in wired networks only");
    }
    if (option->fips == OPTION43_YES) {
        add_text(findings->warnings, "FIPS mode must be what the phones' later configuration says");
    }
    add_text(findings->warnings, "phones take option 43 after a factory reset only, and not where "
                                 "options 66, 150, 159 or 160 are offered beside it");
}

static void examine(struct findings *findings, struct view octets)
{
    struct option43_part part;
    struct err problem;
    findings->reader.octets = octets;
    findings->parts = json_array();
    findings->problems = json_array();
    findings->warnings = json_array();
    while (option43_next(&findings->reader, &part, &problem)) {
        take_part(findings, &part, &problem);
    }
    judge_whole(findings);
}

// --- Output

static enum ctl_exit print_json(struct ctl *ctl, const struct findings *findings)
{
    CLEANUP(api_decref)
    json_t *answer =
        json_pack("{s:I, s:b, s:O, s:O, s:O}", "octets", (json_int_t)findings->reader.octets.len,
                  "accepted", json_array_size(findings->problems) == 0, "suboptions",
                  findings->parts, "problems", findings->problems, "warnings", findings->warnings);
    if (answer == NULL) {
        return ctl_complain(ctl, CTL_FAILED, "out of memory");
    }
    return api_print(ctl, answer);
}

static void add_part(struct table *table, const json_t *part)
{
    char code[NUMBER_LEN];
    char length[NUMBER_LEN];
    const char *meaning = api_text(part, "meaning");
    snprintf(code, sizeof code, "%d", (int)api_number(part, "code"));
    snprintf(length, sizeof length, "%d", (int)api_number(part, "length"));
    table_add(table, (const char *[]){code, length, api_text(part, "name"),
                                      meaning != NULL ? meaning : "", api_text(part, "value")});
}

static enum ctl_exit print_table(struct ctl *ctl, const struct findings *findings)
{
    static const char *const titles[COLUMNS] = {"SUBOPTION", "LENGTH", "NAME", "MEANING", "VALUE"};
    struct table table = table_of(COLUMNS);
    size_t i;
    const json_t *part;
    table_add(&table, titles);
    json_array_foreach(findings->parts, i, part)
    {
        add_part(&table, part);
    }
    enum ctl_exit code = answer_print(ctl, &table);
    if (code == CTL_OK) {
        fprintf(ctl->out, "%zu of at most %d octets; %s\n", findings->reader.octets.len,
                OPTION43_MAX_LEN,
                json_array_size(findings->problems) == 0 ? "phones take this."
                                                         : "phones would not take this.");
    }
    return code;
}

static void show(struct ctl *ctl, const json_t *list, const char *title)
{
    size_t i;
    const json_t *text;
    json_array_foreach(list, i, text)
    {
        ctl_complain(ctl, CTL_OK, "%s%s", title, json_string_value(text));
    }
}

static enum ctl_exit explain(struct ctl *ctl, struct view octets)
{
    CLEANUP(findings_done) struct findings findings = {0};
    examine(&findings, octets);
    enum ctl_exit code = ctl->is_json ? print_json(ctl, &findings) : print_table(ctl, &findings);
    show(ctl, findings.problems, "");
    show(ctl, findings.warnings, "warning: ");
    bool is_accepted = json_array_size(findings.problems) == 0;
    return code == CTL_OK && !is_accepted ? CTL_FAILED : code;
}

enum ctl_exit phone_decode(struct ctl *ctl, const char *hex)
{
    struct err err = {0};
    CLEANUP(buf_wipe) struct buf input = {0};
    CLEANUP(buf_wipe) struct buf octets = {0};
    if (strcmp(hex, "-") == 0) {
        if (file_read("/dev/stdin", INPUT_MAX_LEN, &input, &err) != ERR_OK ||
            buf_append(&input, view_of("", 1), &err) != ERR_OK) {
            return ctl_complain(ctl, CTL_USAGE, "--decode: %s", err.text);
        }
        hex = (const char *)input.data;
    }
    if (option43_read_hex(hex, &octets, &err) != ERR_OK) {
        return ctl_complain(ctl, CTL_USAGE, "--decode: %s", err.text);
    }
    return explain(ctl, buf_view(&octets));
}
