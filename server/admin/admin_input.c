// SPDX-License-Identifier: Apache-2.0
#include "server/admin/admin_input.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "conf/base/hex.h"
#include "ra/identity.h"

#define DIGITS_OF_MAC     12
#define SHOWN_LEN         64 // octets of what was typed that a message repeats
#define OCTETS_OF_PAIR    2
#define OCTETS_OF_QUARTET 4

static bool is_separator(char octet)
{
    return octet == ':' || octet == '-' || octet == '.' || octet == ' ';
}

// The digits of `text` when they stand alone or in groups of `group_len` with the same separator
// between all groups.
static bool read_groups(const char *text, size_t group_len, char digits[DIGITS_OF_MAC + 1])
{
    char separator = text[group_len];
    size_t count = 0;
    if (strlen(text) != DIGITS_OF_MAC + DIGITS_OF_MAC / group_len - 1 || !is_separator(separator)) {
        return false;
    }
    for (size_t i = 0; text[i] != '\0'; i++) {
        bool is_between = (i + 1) % (group_len + 1) == 0;
        if (is_between ? text[i] != separator : !isxdigit((unsigned char)text[i])) {
            return false;
        }
        if (!is_between) {
            digits[count++] = text[i];
        }
    }
    digits[count] = '\0';
    return true;
}

static bool read_bare(const char *text, char digits[DIGITS_OF_MAC + 1])
{
    if (strlen(text) != DIGITS_OF_MAC || strspn(text, "0123456789abcdefABCDEF") != DIGITS_OF_MAC) {
        return false;
    }
    memcpy(digits, text, DIGITS_OF_MAC + 1);
    return true;
}

enum err_code admin_read_mac(const char *text, char ret_mac[MAC_TEXT_LEN], struct err *err)
{
    char digits[DIGITS_OF_MAC + 1] = "";
    const char *rest = strncasecmp(text, "SEP", 3) == 0 ? text + 3 : text;
    // The length first: read_groups() looks at where the first separator should be.
    bool is_mac = strlen(rest) >= DIGITS_OF_MAC &&
                  (read_bare(rest, digits) || read_groups(rest, OCTETS_OF_PAIR, digits) ||
                   read_groups(rest, OCTETS_OF_QUARTET, digits));
    if (!is_mac) {
        return err_set(err, ERR_SYNTAX,
                       "\"%.*s\" is not a MAC address; write 12 hex digits, bare, in pairs "
                       "(00:1A:2B:3C:4D:5E) or in fours (001a.2b3c.4d5e)",
                       SHOWN_LEN, text);
    }
    memcpy(ret_mac, hex_to_upper(digits), sizeof digits);
    return ERR_OK;
}

// Why no single device has the MAC `digits`; NULL = one can have it. The lowest bit of the first
// octet, which the second digit ends, marks a group (IEEE 802, 8.2.2).
static const char *why_no_device(const char *digits)
{
    if (strcmp(digits, "000000000000") == 0) {
        return "is all zeros";
    }
    if (strcmp(digits, "FFFFFFFFFFFF") == 0) {
        return "is the broadcast address";
    }
    return strchr("13579BDF", digits[1]) != NULL ? "is the multicast address of a group" : NULL;
}

enum err_code admin_read_device_mac(const char *text, char ret_mac[MAC_TEXT_LEN], struct err *err)
{
    char mac[MAC_TEXT_LEN] = "";
    enum err_code code = admin_read_mac(text, mac, err);
    const char *reason = code == ERR_OK ? why_no_device(mac) : NULL;
    if (reason != NULL) {
        return err_set(err, ERR_SYNTAX, "the MAC %s %s; no device has it", mac, reason);
    }
    if (code == ERR_OK) {
        memcpy(ret_mac, mac, sizeof mac);
    }
    return code;
}

// C0, DEL, and C1, which is U+0080 to U+009F and so C2 80 to C2 9F in UTF-8.
static bool has_control(const char *text)
{
    const unsigned char *octets = (const unsigned char *)text;
    for (size_t i = 0; octets[i] != '\0'; i++) {
        if (octets[i] < 0x20 || octets[i] == 0x7f) {
            return true;
        }
        if (octets[i] == 0xc2 && octets[i + 1] >= 0x80 && octets[i + 1] < 0xa0) {
            return true;
        }
    }
    return false;
}

static size_t count_characters(const char *text)
{
    size_t count = 0;
    for (size_t i = 0; text[i] != '\0'; i++) {
        bool is_continuation = ((unsigned char)text[i] & 0xc0) == 0x80;
        count += is_continuation ? 0 : 1;
    }
    return count;
}

enum err_code admin_check_common_name(const char *text, struct err *err)
{
    size_t len = count_characters(text);
    if (len < 1 || len > LIMIT_COMMON_NAME) {
        return err_set(err, ERR_LIMIT, "a common name of %zu characters; allowed are 1 to %d", len,
                       LIMIT_COMMON_NAME);
    }
    if (has_control(text)) {
        return err_set(err, ERR_SYNTAX, "the common name has control characters");
    }
    if (strchr(text, '$') != NULL) {
        return err_set(err, ERR_SYNTAX,
                       "the common name has a '$'; write it as the phone sends it, with macros "
                       "expanded");
    }
    return ERR_OK;
}

enum err_code admin_read_serial(const char *text, uint8_t ret_serial[SERIAL_LEN], struct err *err)
{
    char digits[2 * SERIAL_LEN + 1];
    size_t count = 0;
    size_t i = 0;
    const char *given = text;
    text += strncasecmp(text, "0x", 2) == 0 ? 2 : 0;
    for (; text[i] != '\0' && count < sizeof digits - 1; i++) {
        bool is_between = text[i] == ':' && i % 3 == 2;
        if (!is_between) {
            digits[count++] = text[i];
        }
    }
    digits[count] = '\0';
    if (text[i] != '\0' || hex_decode(digits, ret_serial, SERIAL_LEN) != SERIAL_LEN) {
        return err_set(err, ERR_SYNTAX, "\"%.*s\" is not a serial number; it has %d hex digits",
                       SHOWN_LEN, given, 2 * SERIAL_LEN);
    }
    return ERR_OK;
}

enum err_code admin_read_number(const char *text, const struct admin_range *range,
                                unsigned *ret_number, struct err *err)
{
    size_t len = strlen(text);
    bool is_number = len > 0 && strspn(text, "0123456789") == len;
    // What is too long for the type becomes its largest value, which no range has.
    unsigned long number = is_number ? strtoul(text, NULL, 10) : 0;
    if (!is_number || number < range->min || number > range->max) {
        return err_set(err, ERR_LIMIT, "%s is \"%.32s\"; allowed are %u to %u", range->name, text,
                       range->min, range->max);
    }
    *ret_number = (unsigned)number;
    return ERR_OK;
}

enum err_code admin_read_device_number(const char *text, char ret_number[STORE_NUMBER_LEN],
                                       struct err *err)
{
    size_t len = strlen(text);
    if (len < 1 || len >= STORE_NUMBER_LEN) {
        return err_set(err, ERR_LIMIT,
                       "the serial number \"%.*s\" has %zu characters; allowed are 1 to %d",
                       SHOWN_LEN, text, len, STORE_NUMBER_LEN - 1);
    }
    for (size_t i = 0; i < len; i++) {
        if (text[i] <= ' ' || text[i] > '~') {
            return err_set(err, ERR_SYNTAX,
                           "\"%s\" is not a device's serial number; allowed are letters, digits "
                           "and signs of ASCII, without spaces",
                           text);
        }
    }
    memcpy(ret_number, text, len + 1);
    identity_capitalise(ret_number);
    return ERR_OK;
}

// Copies what an administrator may write freely.
static enum err_code copy_words(const char *name, const char *text, char *ret_words, size_t size,
                                struct err *err)
{
    size_t len = strlen(text);
    if (len >= size) {
        return err_set(err, ERR_LIMIT, "the %s is %zu octets long; allowed are %zu", name, len,
                       size - 1);
    }
    if (has_control(text)) {
        return err_set(err, ERR_SYNTAX, "the %s has control characters", name);
    }
    memcpy(ret_words, text, len + 1);
    return ERR_OK;
}

static const char *or_empty(const char *text)
{
    return text != NULL ? text : "";
}

enum err_code admin_read_device(const struct admin_device_text *text,
                                struct store_device *ret_device, struct err *err)
{
    struct store_device device = {0};
    const char *mac = or_empty(text->mac);
    const char *number = or_empty(text->serial_number);
    enum err_code code = ERR_OK;
    if (mac[0] == '\0' && number[0] == '\0') {
        return err_set(err, ERR_SYNTAX, "neither a MAC nor a serial number; one of them is needed");
    }
    if (mac[0] != '\0') {
        code = admin_read_device_mac(mac, device.mac, err);
    }
    if (code == ERR_OK && number[0] != '\0') {
        code = admin_read_device_number(number, device.serial_number, err);
    }
    if (code == ERR_OK) {
        code = copy_words("model", or_empty(text->model), device.model, sizeof device.model, err);
    }
    if (code == ERR_OK) {
        code = copy_words("note", or_empty(text->note), device.note, sizeof device.note, err);
    }
    if (code == ERR_OK) {
        *ret_device = device;
    }
    return code;
}
