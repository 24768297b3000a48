// SPDX-License-Identifier: Apache-2.0
#include "server/phone/option43.h"

#include <string.h>

#define SWITCH_LEN 1   // octets
#define DHCP_PAD   0   // RFC 2132, 3.1: one octet, no length
#define DHCP_END   255 // RFC 2132, 3.2: likewise
#define DHCP_43    43

static const struct {
    unsigned code;
    const char *name;
} names[] = {
    {OPTION43_FIPS, "FIPS Mode"},
    {OPTION43_SERVER, "Server"},
    {OPTION43_FINGERPRINT, "Root CA Fingerprint"},
    {OPTION43_CHALLENGE, "Challenge Password"},
    {OPTION43_DOT1X, "Enable 802.1X Authentication"},
    {OPTION43_CERTIFICATE, "Certificate Select"},
};

const char *option43_name(unsigned code)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (names[i].code == code) {
            return names[i].name;
        }
    }
    return "unknown";
}

// --- What holds both ways.

static bool is_printable(struct view text, size_t *ret_bad)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < ' ' || text.data[i] > '~') {
            *ret_bad = i;
            return false;
        }
    }
    return true;
}

// The text itself stays out of the error: it may be the challenge.
static enum err_code check_text(unsigned code, struct view text, struct err *err)
{
    size_t bad = 0;
    if (is_printable(text, &bad)) {
        return ERR_OK;
    }
    return err_set(err, ERR_SYNTAX, "%s: octet %zu is 0x%02X, which is not printable ASCII",
                   option43_name(code), bad + 1, text.data[bad]);
}

// What the suboptions would take together.
static size_t length_of(const struct option43 *option)
{
    const enum option43_switch switches[] = {option->fips, option->dot1x, option->custom};
    size_t challenge_len = strlen(option->challenge);
    size_t len = OPTION43_CODE_LEN + strlen(option->server) + OPTION43_CODE_LEN +
                 option->fingerprint.len +
                 (challenge_len > 0 ? OPTION43_CODE_LEN + challenge_len : 0);
    for (size_t i = 0; i < sizeof switches / sizeof switches[0]; i++) {
        len += switches[i] != OPTION43_ABSENT ? OPTION43_CODE_LEN + SWITCH_LEN : 0;
    }
    return len;
}

static enum err_code check_whole(const struct option43 *option, struct err *err)
{
    size_t texts_len = strlen(option->server) + strlen(option->challenge);
    size_t len = length_of(option);
    if (option->server[0] == '\0') {
        return err_set(err, ERR_SYNTAX,
                       "there is no usable server (suboption %d), which phones need",
                       OPTION43_SERVER);
    }
    if (option->fingerprint.len == 0) {
        return err_set(
            err, ERR_SYNTAX,
            "there is no usable fingerprint of the root (suboption %d), which phones need",
            OPTION43_FINGERPRINT);
    }
    if (texts_len > OPTION43_TEXTS_MAX) {
        return err_set(err, ERR_LIMIT,
                       "server and challenge have %zu octets together; allowed are at most %d",
                       texts_len, OPTION43_TEXTS_MAX);
    }
    if (len > OPTION43_MAX_LEN) {
        return err_set(
            err, ERR_LIMIT,
            "the option has %zu octets; allowed are at most %d, which beside this "
            "fingerprint and these switches leaves %zu for server and challenge, now %zu",
            len, OPTION43_MAX_LEN, texts_len - (len - OPTION43_MAX_LEN), texts_len);
    }
    return ERR_OK;
}

static enum err_code check_fingerprint(const struct pin *fingerprint, struct err *err)
{
    if (pin_digest(fingerprint) != NULL) {
        return ERR_OK;
    }
    return err_set(err, ERR_SYNTAX,
                   "the fingerprint has %zu octets; allowed are 20 (SHA-1), 32 (SHA-256), 48 "
                   "(SHA-384) and 64 (SHA-512)",
                   fingerprint->len);
}

// --- Encoding.

static void append(struct option43_octets *out, unsigned code, struct view value)
{
    if (value.len == 0) {
        return;
    }
    out->octets[out->len++] = (uint8_t)code;
    out->octets[out->len++] = (uint8_t)value.len;
    memcpy(out->octets + out->len, value.data, value.len);
    out->len += value.len;
}

static void append_switch(struct option43_octets *out, unsigned code, enum option43_switch state)
{
    const uint8_t octet = state == OPTION43_YES ? 1 : 0;
    if (state != OPTION43_ABSENT) {
        append(out, code, view_of(&octet, SWITCH_LEN));
    }
}

enum err_code option43_encode(const struct option43 *option, struct option43_octets *ret_octets,
                              struct err *err)
{
    struct view server = view_of_text(option->server);
    struct view challenge = view_of_text(option->challenge);
    enum err_code code = check_text(OPTION43_SERVER, server, err);
    if (code == ERR_OK) {
        code = check_text(OPTION43_CHALLENGE, challenge, err);
    }
    if (code == ERR_OK) {
        code = check_whole(option, err);
    }
    if (code == ERR_OK) {
        code = check_fingerprint(&option->fingerprint, err);
    }
    if (code != ERR_OK) {
        return code;
    }
    ret_octets->len = 0;
    append_switch(ret_octets, OPTION43_FIPS, option->fips);
    append(ret_octets, OPTION43_SERVER, server);
    append(ret_octets, OPTION43_FINGERPRINT,
           view_of(option->fingerprint.octets, option->fingerprint.len));
    append(ret_octets, OPTION43_CHALLENGE, challenge);
    append_switch(ret_octets, OPTION43_DOT1X, option->dot1x);
    append_switch(ret_octets, OPTION43_CERTIFICATE, option->custom);
    return ERR_OK;
}

// --- Decoding.

static enum err_code take_switch(struct view value, enum option43_switch *ret_switch,
                                 struct err *err)
{
    if (value.len != SWITCH_LEN) {
        return err_set(err, ERR_SYNTAX, "%zu octets; it has exactly one", value.len);
    }
    if (value.data[0] > 1) {
        return err_set(err, ERR_SYNTAX, "the value is %u; allowed are 0 and 1", value.data[0]);
    }
    *ret_switch = value.data[0] == 1 ? OPTION43_YES : OPTION43_NO;
    return ERR_OK;
}

static enum err_code take_text(unsigned code, struct view value, char text[OPTION43_MAX_LEN + 1],
                               struct err *err)
{
    if (value.len == 0) {
        return err_set(err, ERR_SYNTAX, "it is empty; leave it out instead");
    }
    enum err_code result = check_text(code, value, err);
    if (result == ERR_OK) {
        memcpy(text, value.data, value.len);
        text[value.len] = '\0';
    }
    return result;
}

static enum err_code take_fingerprint(struct view value, struct pin *ret_fingerprint,
                                      struct err *err)
{
    struct pin fingerprint = {.len = value.len};
    enum err_code code = check_fingerprint(&fingerprint, err);
    if (code == ERR_OK) {
        memcpy(fingerprint.octets, value.data, value.len);
        *ret_fingerprint = fingerprint;
    }
    return code;
}

static enum err_code refuse_unknown(const struct option43_reader *reader,
                                    const struct option43_part *part, struct err *err)
{
    if (part->code == DHCP_END || part->code == DHCP_PAD) {
        return err_set(err, ERR_SYNTAX,
                       "an octet %s of other vendors' options; Cisco's format has none",
                       part->code == DHCP_END ? "that marks the end" : "of padding");
    }
    if (part->code == DHCP_43 && part->offset == 0 &&
        part->value.len + OPTION43_CODE_LEN == reader->octets.len) {
        return err_set(err, ERR_SYNTAX,
                       "this is option 43 with its own code and length in front; leave these two "
                       "octets out");
    }
    return err_set(err, ERR_SYNTAX, "unknown; Cisco's phones are documented to take %d to %d",
                   OPTION43_FIPS, OPTION43_CERTIFICATE);
}

static enum err_code take_value(struct option43_reader *reader, const struct option43_part *part,
                                struct err *err)
{
    struct option43 *option = &reader->option;
    switch (part->code) {
    case OPTION43_FIPS:
        return take_switch(part->value, &option->fips, err);
    case OPTION43_SERVER:
        return take_text(part->code, part->value, option->server, err);
    case OPTION43_FINGERPRINT:
        return take_fingerprint(part->value, &option->fingerprint, err);
    case OPTION43_CHALLENGE:
        return take_text(part->code, part->value, option->challenge, err);
    case OPTION43_DOT1X:
        return take_switch(part->value, &option->dot1x, err);
    case OPTION43_CERTIFICATE:
        return take_switch(part->value, &option->custom, err);
    default:
        return refuse_unknown(reader, part, err);
    }
}

// Where the part ends, and whether that is inside the option.
static enum err_code cut_part(struct option43_reader *reader, struct option43_part *part,
                              struct err *err)
{
    size_t left = reader->octets.len - reader->at;
    const uint8_t *start = reader->octets.data + reader->at;
    if (part->code == DHCP_END || part->code == DHCP_PAD) {
        part->value = view_of(start + 1, 0);
        reader->at += 1;
        return ERR_OK;
    }
    size_t room = left < OPTION43_CODE_LEN ? 0 : left - OPTION43_CODE_LEN;
    size_t claimed = left < OPTION43_CODE_LEN ? 0 : start[1];
    part->value = view_of(start + left - room, claimed < room ? claimed : room);
    if (left < OPTION43_CODE_LEN) {
        reader->at = reader->octets.len;
        return err_set(err, ERR_SYNTAX, "the option ends before its length");
    }
    reader->at += OPTION43_CODE_LEN + part->value.len;
    if (claimed > room) {
        return err_set(err, ERR_SYNTAX, "its length is %zu but only %zu octets follow", claimed,
                       room);
    }
    return ERR_OK;
}

static enum err_code read_part(struct option43_reader *reader, struct option43_part *part,
                               struct err *err)
{
    enum err_code code = cut_part(reader, part, err);
    if (code != ERR_OK) {
        return code;
    }
    if (reader->is_seen[part->code] && part->code != DHCP_PAD && part->code != DHCP_END) {
        return err_set(err, ERR_SYNTAX, "it is there a second time");
    }
    reader->is_seen[part->code] = true;
    return take_value(reader, part, err);
}

bool option43_next(struct option43_reader *reader, struct option43_part *ret_part, struct err *err)
{
    if (reader->at >= reader->octets.len) {
        return false;
    }
    struct option43_part part = {.offset = reader->at, .code = reader->octets.data[reader->at]};
    struct err problem = {.code = ERR_OK};
    if (read_part(reader, &part, &problem) != ERR_OK) {
        err_prefix(&problem, "suboption %u at octet %zu", part.code, part.offset + 1);
    }
    *ret_part = part;
    *err = problem;
    return true;
}

enum err_code option43_finish(const struct option43_reader *reader, struct err *err)
{
    if (reader->octets.len > OPTION43_MAX_LEN) {
        return err_set(err, ERR_LIMIT, "%zu octets; an option has at most %d", reader->octets.len,
                       OPTION43_MAX_LEN);
    }
    return check_whole(&reader->option, err);
}

enum err_code option43_decode(struct view octets, struct option43 *ret_option, struct err *err)
{
    struct option43_reader reader = {.octets = octets};
    struct option43_part part;
    struct err problem = {.code = ERR_OK};
    while (problem.code == ERR_OK && option43_next(&reader, &part, &problem)) {
    }
    if (problem.code == ERR_OK && option43_finish(&reader, &problem) == ERR_OK) {
        *ret_option = reader.option;
    } else if (err != NULL) {
        *err = problem;
    }
    OPENSSL_cleanse(&reader, sizeof reader);
    return problem.code;
}
