// SPDX-License-Identifier: Apache-2.0
#include "tests/phone/option43.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define HEADER_LEN 2 // octets: code and length

enum suboption {
    SUBOPTION_FIPS = 10,
    SUBOPTION_SERVER = 11,
    SUBOPTION_FINGERPRINT = 12,
    SUBOPTION_CHALLENGE = 13,
    SUBOPTION_8021X = 14,
    SUBOPTION_CERTIFICATE = 15,
};

struct raw {
    unsigned char octets[OPTION43_LEN_MAX];
    size_t len;
};

// One suboption; borrowed from the option.
struct part {
    unsigned code;
    const unsigned char *value;
    size_t len;
};

static enum outcome read_hex(const char *hex, struct raw *raw, struct trouble *trouble)
{
    size_t digits = strlen(hex);
    size_t valid = strspn(hex, "0123456789abcdefABCDEF");
    if (valid != digits) {
        return trouble_set(trouble, OUTCOME_USAGE,
                           "option 43: character %zu is not a hexadecimal digit; no separators",
                           valid + 1);
    }
    if (digits == 0 || digits % 2 != 0) {
        return trouble_set(trouble, OUTCOME_USAGE,
                           "option 43: %zu hexadecimal digits; two for each octet", digits);
    }
    if (digits / 2 > OPTION43_LEN_MAX) {
        return trouble_set(trouble, OUTCOME_USAGE, "option 43: %zu octets; at most %d fit",
                           digits / 2, OPTION43_LEN_MAX);
    }
    raw->len = digits / 2;
    for (size_t i = 0; i < raw->len; i++) {
        const char pair[] = {hex[2 * i], hex[2 * i + 1], '\0'};
        raw->octets[i] = (unsigned char)strtoul(pair, NULL, 16);
    }
    return OUTCOME_OK;
}

static enum outcome take_switch(const struct part *part, enum option43_switch *ret_switch,
                                struct trouble *trouble)
{
    if (part->len != 1 || part->value[0] > 1) {
        return trouble_set(trouble, OUTCOME_USAGE, "option 43, suboption %u: not one octet 0 or 1",
                           part->code);
    }
    *ret_switch = part->value[0] == 1 ? OPTION43_YES : OPTION43_NO;
    return OUTCOME_OK;
}

static enum outcome take_text(const struct part *part, char text[OPTION43_TEXT_MAX + 1],
                              struct trouble *trouble)
{
    if (part->len == 0 || part->len > OPTION43_TEXT_MAX) {
        return trouble_set(trouble, OUTCOME_USAGE,
                           "option 43, suboption %u: %zu characters; 1 to %d are allowed",
                           part->code, part->len, OPTION43_TEXT_MAX);
    }
    for (size_t i = 0; i < part->len; i++) {
        if (!isprint(part->value[i])) {
            return trouble_set(trouble, OUTCOME_USAGE,
                               "option 43, suboption %u: character %zu is not printable ASCII",
                               part->code, i + 1);
        }
    }
    memcpy(text, part->value, part->len);
    text[part->len] = '\0';
    return OUTCOME_OK;
}

static enum outcome take_fingerprint(const struct part *part, struct fingerprint *ret_fingerprint,
                                     struct trouble *trouble)
{
    if (fingerprint_digest(part->len) == NULL) {
        return trouble_set(trouble, OUTCOME_USAGE,
                           "option 43, suboption %u: a fingerprint of %zu octets; 20, 32, 48 and "
                           "64 are known",
                           part->code, part->len);
    }
    memcpy(ret_fingerprint->octets, part->value, part->len);
    ret_fingerprint->len = part->len;
    return OUTCOME_OK;
}

static enum outcome take_part(const struct part *part, struct option43 *option,
                              struct trouble *trouble)
{
    switch (part->code) {
    case SUBOPTION_FIPS:
        return take_switch(part, &option->fips, trouble);
    case SUBOPTION_SERVER:
        return take_text(part, option->server, trouble);
    case SUBOPTION_FINGERPRINT:
        return take_fingerprint(part, &option->fingerprint, trouble);
    case SUBOPTION_CHALLENGE:
        option->has_challenge = true;
        return take_text(part, option->challenge, trouble);
    case SUBOPTION_8021X:
        return take_switch(part, &option->ieee8021x, trouble);
    case SUBOPTION_CERTIFICATE:
        return take_switch(part, &option->custom_cert, trouble);
    default:
        return trouble_set(trouble, OUTCOME_USAGE, "option 43, suboption %u: phones know 10 to 15",
                           part->code);
    }
}

static enum outcome take_parts(const struct raw *raw, struct option43 *option,
                               struct trouble *trouble)
{
    bool is_seen[UINT8_MAX + 1] = {false};
    for (size_t at = 0; at < raw->len;) {
        const unsigned char *header = &raw->octets[at];
        size_t left = raw->len - at;
        if (left < HEADER_LEN || header[1] > left - HEADER_LEN) {
            return trouble_set(trouble, OUTCOME_USAGE,
                               "option 43, suboption %u at octet %zu: longer than the option",
                               header[0], at + 1);
        }
        const struct part part = {
            .code = header[0], .value = header + HEADER_LEN, .len = header[1]};
        if (is_seen[part.code]) {
            return trouble_set(trouble, OUTCOME_USAGE, "option 43, suboption %u: there twice",
                               part.code);
        }
        is_seen[part.code] = true;
        enum outcome outcome = take_part(&part, option, trouble);
        if (outcome != OUTCOME_OK) {
            return outcome;
        }
        at += HEADER_LEN + part.len;
    }
    return OUTCOME_OK;
}

static enum outcome check_whole(const struct option43 *option, struct trouble *trouble)
{
    size_t text_len = strlen(option->server) + strlen(option->challenge);
    if (option->server[0] == '\0') {
        return trouble_set(trouble, OUTCOME_USAGE, "option 43: no server (suboption 11)");
    }
    if (option->fingerprint.len == 0) {
        return trouble_set(trouble, OUTCOME_USAGE, "option 43: no fingerprint (suboption 12)");
    }
    if (text_len > OPTION43_TEXT_MAX) {
        return trouble_set(trouble, OUTCOME_USAGE,
                           "option 43: server and challenge have %zu characters together; at most "
                           "%d are allowed",
                           text_len, OPTION43_TEXT_MAX);
    }
    return OUTCOME_OK;
}

enum outcome option43_parse(const char *hex, struct option43 *ret_option, struct trouble *trouble)
{
    struct raw raw = {.len = 0};
    struct option43 option = {.fips = OPTION43_ABSENT};
    enum outcome outcome = read_hex(hex, &raw, trouble);
    if (outcome == OUTCOME_OK) {
        outcome = take_parts(&raw, &option, trouble);
    }
    if (outcome == OUTCOME_OK) {
        outcome = check_whole(&option, trouble);
    }
    if (outcome == OUTCOME_OK) {
        *ret_option = option;
    }
    OPENSSL_cleanse(&raw, sizeof raw);
    OPENSSL_cleanse(&option, sizeof option);
    return outcome;
}
