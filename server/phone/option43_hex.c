// SPDX-License-Identifier: Apache-2.0
// Option 43 as hexadecimal text: as people paste it, and in the letters of Cisco's example.
#include <ctype.h>
#include <string.h>

#include "server/phone/option43.h"

#define SEPARATORS " \t\r\n:-.,"
#define PREFIX_LEN 2 // characters of "0x"

// --- Writing.

struct hex_writer {
    struct buf *text;
    char separator;
    size_t octets;
};

static enum err_code write_octet(struct hex_writer *writer, unsigned octet, bool is_upper,
                                 struct err *err)
{
    const char *digits = is_upper ? "0123456789ABCDEF" : "0123456789abcdef";
    const char chars[] = {writer->separator, digits[octet >> 4], digits[octet & 0x0F]};
    size_t skipped = writer->separator == '\0' || writer->octets == 0 ? 1 : 0;
    writer->octets++;
    return buf_append(writer->text, view_of(chars + skipped, sizeof chars - skipped), err);
}

static enum err_code write_part(struct hex_writer *writer, const struct option43_part *part,
                                struct err *err)
{
    bool is_upper = part->code == OPTION43_FINGERPRINT;
    enum err_code code = write_octet(writer, part->code, false, err);
    if (code == ERR_OK) {
        code = write_octet(writer, (unsigned)part->value.len, false, err);
    }
    for (size_t i = 0; i < part->value.len && code == ERR_OK; i++) {
        code = write_octet(writer, part->value.data[i], is_upper, err);
    }
    return code;
}

enum err_code option43_write_hex(const struct option43_octets *option, char separator,
                                 struct buf *text, struct err *err)
{
    struct option43_reader reader = {.octets = view_of(option->octets, option->len)};
    struct option43_part part;
    struct err problem;
    struct hex_writer writer = {.text = text, .separator = separator};
    enum err_code code = ERR_OK;
    while (code == ERR_OK && option43_next(&reader, &part, &problem)) {
        code = write_part(&writer, &part, err);
    }
    OPENSSL_cleanse(&reader, sizeof reader);
    return code;
}

// --- Reading.

struct hex_scanner {
    const char *text;
    size_t at;
    size_t digits;
    unsigned octet; // the first digit of an octet that is not complete
};

static unsigned value_of(char digit)
{
    if (isdigit((unsigned char)digit)) {
        return (unsigned)(digit - '0');
    }
    return (unsigned)(tolower((unsigned char)digit) - 'a') + 10;
}

// "0x" where a group begins.
static bool is_prefix(const struct hex_scanner *scanner)
{
    const char *here = scanner->text + scanner->at;
    bool is_group_start = scanner->at == 0 || strchr(SEPARATORS, here[-1]) != NULL;
    return is_group_start && here[0] == '0' && (here[1] == 'x' || here[1] == 'X') &&
           isxdigit((unsigned char)here[2]);
}

static enum err_code refuse_character(const struct hex_scanner *scanner, struct err *err)
{
    unsigned char bad = (unsigned char)scanner->text[scanner->at];
    if (bad > ' ' && bad <= '~') {
        return err_set(err, ERR_SYNTAX, "character %zu, \"%c\", is not a hexadecimal digit",
                       scanner->at + 1, bad);
    }
    return err_set(err, ERR_SYNTAX, "character %zu, 0x%02X, is not a hexadecimal digit",
                   scanner->at + 1, bad);
}

static enum err_code take_digit(struct hex_scanner *scanner, struct buf *octets, struct err *err)
{
    unsigned value = value_of(scanner->text[scanner->at++]);
    if (scanner->digits++ % 2 == 0) {
        scanner->octet = value;
        return ERR_OK;
    }
    const uint8_t octet = (uint8_t)(scanner->octet << 4 | value);
    return buf_append(octets, view_of(&octet, 1), err);
}

static enum err_code take_character(struct hex_scanner *scanner, struct buf *octets,
                                    struct err *err)
{
    char here = scanner->text[scanner->at];
    if (strchr(SEPARATORS, here) != NULL) {
        if (scanner->digits % 2 != 0) {
            return err_set(err, ERR_SYNTAX,
                           "the separator at character %zu stands inside an octet; each octet has "
                           "two digits",
                           scanner->at + 1);
        }
        scanner->at++;
        return ERR_OK;
    }
    if (is_prefix(scanner)) {
        scanner->at += PREFIX_LEN;
        return ERR_OK;
    }
    return isxdigit((unsigned char)here) ? take_digit(scanner, octets, err)
                                         : refuse_character(scanner, err);
}

enum err_code option43_read_hex(const char *text, struct buf *ret_octets, struct err *err)
{
    struct hex_scanner scanner = {.text = text};
    struct buf octets = {0};
    enum err_code code = ERR_OK;
    while (code == ERR_OK && text[scanner.at] != '\0') {
        code = take_character(&scanner, &octets, err);
    }
    if (code == ERR_OK && scanner.digits == 0) {
        code = err_set(err, ERR_SYNTAX, "there are no hexadecimal digits");
    }
    if (code == ERR_OK && scanner.digits % 2 != 0) {
        code = err_set(err, ERR_SYNTAX, "%zu hexadecimal digits, an odd number; each octet has two",
                       scanner.digits);
    }
    if (code == ERR_OK) {
        *ret_octets = octets;
    } else {
        buf_wipe(&octets);
    }
    return code;
}
