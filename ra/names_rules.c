// SPDX-License-Identifier: Apache-2.0
// The rules for names: text against text.
#include "ra/names.h"

#include <string.h>
#include <strings.h>

#define PAIR_DIGITS    2    // hex digits of one octet of a MAC
#define FIRST_PRINTING 0x20 // below are the C0 controls
#define DELETE         0x7F

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_hex_digit(uint8_t c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// Where a word begins, or the MAC behind a "SEP" does.
static bool is_mac_start(struct view text, size_t at)
{
    static const char prefix[] = "SEP";
    size_t len = sizeof prefix - 1;
    if (at == 0 || !(is_digit(text.data[at - 1]) || is_letter(text.data[at - 1]))) {
        return true;
    }
    return at >= len && strncasecmp((const char *)text.data + at - len, prefix, len) == 0;
}

// Whether a MAC stands at `at`: six pairs of digits, all with the same separator or none between.
static bool read_mac(struct view text, size_t at, char mac[MAC_TEXT_LEN])
{
    size_t next = at;
    uint8_t separator = '\0';
    for (size_t pair = 0; pair < MAC_LEN; pair++) {
        if (pair == 1 && next < text.len && strchr(":-.", text.data[next]) != NULL) {
            separator = text.data[next];
        }
        if (pair > 0 && separator != '\0') {
            if (next >= text.len || text.data[next] != separator) {
                return false;
            }
            next++;
        }
        for (size_t digit = 0; digit < PAIR_DIGITS; digit++, next++) {
            if (next >= text.len || !is_hex_digit(text.data[next])) {
                return false;
            }
            uint8_t c = text.data[next];
            mac[pair * PAIR_DIGITS + digit] = (char)(c >= 'a' ? c - 'a' + 'A' : c);
        }
    }
    mac[MAC_TEXT_LEN - 1] = '\0';
    return next == text.len || !(is_digit(text.data[next]) || is_letter(text.data[next]));
}

// The next MAC at or after *at, which is moved behind its first digit.
static bool next_mac(struct view text, size_t *at, char ret_mac[MAC_TEXT_LEN])
{
    char mac[MAC_TEXT_LEN];
    for (; *at < text.len; (*at)++) {
        if (is_mac_start(text, *at) && read_mac(text, *at, mac)) {
            memcpy(ret_mac, mac, sizeof mac);
            (*at)++;
            return true;
        }
    }
    return false;
}

bool names_find_mac(struct view text, char ret_mac[MAC_TEXT_LEN])
{
    size_t at = 0;
    return next_mac(text, &at, ret_mac);
}

// Continuation octets of UTF-8 do not count.
static size_t count_characters(const char *text)
{
    size_t count = 0;
    for (; *text != '\0'; text++) {
        if (((unsigned char)*text & 0xC0) != 0x80) {
            count++;
        }
    }
    return count;
}

// C0 and C1 controls and DEL; C1 ones are C2 80 to C2 9F in UTF-8.
bool names_has_control(const char *text)
{
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++) {
        if (*c < FIRST_PRINTING || *c == DELETE || (c[0] == 0xC2 && c[1] < 0xA0)) {
            return true;
        }
    }
    return false;
}

static enum err_code check_name(const struct name *name, struct err *err)
{
    if (strchr(name->text, '$') != NULL) {
        return err_set(err, ERR_BAD_REQUEST,
                       "a name with a literal '$': a macro that the phone did not expand");
    }
    if (names_has_control(name->text)) {
        return err_set(err, ERR_BAD_REQUEST, "a name with a control character");
    }
    if (name->kind != NAME_COMMON_NAME) {
        return ERR_OK;
    }
    size_t characters = count_characters(name->text);
    if (characters < 1 || characters > LIMIT_COMMON_NAME) {
        return err_set(err, ERR_BAD_REQUEST, "a CN of %zu characters; allowed: 1 to %d", characters,
                       LIMIT_COMMON_NAME);
    }
    return ERR_OK;
}

enum err_code names_check(const struct names *names, struct err *err)
{
    enum err_code code = ERR_OK;
    for (unsigned i = 0; code == ERR_OK && i < names->count; i++) {
        code = check_name(&names->list[i], err);
    }
    return code;
}

// "SEP01.alice@example.com" is Alice's, not SEP01's.
static bool belongs(const char *text, const char *common_name)
{
    size_t len = strlen(common_name);
    if (len == 0 || strncasecmp(text, common_name, len) != 0) {
        return false;
    }
    const char *rest = text + len;
    if (rest[0] == '\0') {
        return true;
    }
    bool is_domain = rest[0] == '.' && strchr(rest, '@') == NULL;
    bool is_mailbox = rest[0] == '@' && strchr(rest + 1, '@') == NULL;
    return (is_domain || is_mailbox) && rest[1] != '\0';
}

bool names_belong_to_common_name(const struct names *names, const char *common_name)
{
    for (unsigned i = 0; i < names->count; i++) {
        const struct name *name = &names->list[i];
        if (name->kind != NAME_OTHER && !belongs(name->text, common_name)) {
            return false;
        }
    }
    return true;
}

enum mac_finding names_compare_mac(const char *text, const char *mac)
{
    size_t at = 0;
    char found[MAC_TEXT_LEN];
    enum mac_finding finding = MAC_NONE;
    while (next_mac(view_of_text(text), &at, found)) {
        if (strcasecmp(found, mac) != 0) {
            return MAC_ANOTHER;
        }
        finding = MAC_THIS_ONLY;
    }
    return finding;
}

static bool must_hold_mac(enum name_kind kind)
{
    switch (kind) {
    case NAME_COMMON_NAME:
    case NAME_SAN_DNS:
    case NAME_SAN_EMAIL:
    case NAME_SAN_UPN:
    case NAME_SAN_OTHER:
        return true;
    case NAME_SERIAL_NUMBER:
    case NAME_UNSTRUCTURED:
    case NAME_EMAIL:
    case NAME_OTHER:
        break;
    }
    return false;
}

bool names_belong_to_mac(const struct names *names, const char *mac)
{
    bool has_common_name = false;
    for (unsigned i = 0; i < names->count; i++) {
        const struct name *name = &names->list[i];
        enum mac_finding finding = names_compare_mac(name->text, mac);
        if (finding == MAC_ANOTHER || (finding == MAC_NONE && must_hold_mac(name->kind))) {
            return false;
        }
        has_common_name = has_common_name || name->kind == NAME_COMMON_NAME;
    }
    return has_common_name;
}

static bool is_alt_name(const struct name *name)
{
    switch (name->kind) {
    case NAME_SAN_DNS:
    case NAME_SAN_EMAIL:
    case NAME_SAN_UPN:
    case NAME_SAN_OTHER:
        return true;
    default:
        return false;
    }
}

// Whether the name is the CN's in the form its kind has; then also which kind that is.
static bool is_matching(const struct name *name, const char *common_name, enum san_kind *ret_kind)
{
    if (common_name == NULL || !belongs(name->text, common_name)) {
        return false;
    }
    bool has_at = strchr(name->text, '@') != NULL;
    switch (name->kind) {
    case NAME_SAN_DNS:
        *ret_kind = SAN_DNS;
        return !has_at;
    case NAME_SAN_EMAIL:
        *ret_kind = SAN_EMAIL;
        return has_at;
    case NAME_SAN_UPN:
        *ret_kind = SAN_UPN;
        return true;
    default:
        return false;
    }
}

enum err_code names_choose_sans(const struct names *names, enum settings_san rule,
                                struct san ret_sans[LIMIT_SUBJECT_ALT_NAMES], uint32_t *ret_count,
                                struct err *err)
{
    uint32_t count = 0;
    for (unsigned i = 0; rule != SETTINGS_SAN_NONE && i < names->count; i++) {
        const struct name *name = &names->list[i];
        enum san_kind kind = SAN_DNS;
        if (!is_alt_name(name)) {
            continue;
        }
        if (is_matching(name, names->common_name, &kind) && count < LIMIT_SUBJECT_ALT_NAMES) {
            ret_sans[count++] = (struct san){.kind = kind, .text = view_of_text(name->text)};
        } else if (rule == SETTINGS_SAN_REFUSE) {
            return err_set(err, ERR_BAD_REQUEST,
                           "a subjectAltName that is not the CN, CN.<domain> or CN@<domain>");
        }
    }
    *ret_count = count;
    return ERR_OK;
}
