// SPDX-License-Identifier: Apache-2.0
#include "server/query.h"

#include <strings.h>

#define DIGITS_IN_GROUP 4 // base64 digits for OCTETS_IN_GROUP octets
#define OCTETS_IN_GROUP 3
#define BITS_IN_DIGIT   6
#define BITS_IN_OCTET   8
#define NOT_A_DIGIT     (-1)

static const char *const operation_names[] = {
    [OPERATION_NONE] = "none",
    [OPERATION_UNKNOWN] = "unknown",
    [OPERATION_GET_CA_CAPS] = "GetCACaps",
    [OPERATION_GET_CA_CERT] = "GetCACert",
    [OPERATION_GET_NEXT_CA_CERT] = "GetNextCACert",
    [OPERATION_PKI] = "PKIOperation",
    [OPERATION_OCSP] = "OCSP",
};

static bool is_same_word(struct view text, const char *word)
{
    struct view expected = view_of_text(word);
    return text.len == expected.len &&
           (text.len == 0 || strncasecmp((const char *)text.data, word, text.len) == 0);
}

enum operation operation_of(struct view name)
{
    for (int i = OPERATION_GET_CA_CAPS; i <= OPERATION_PKI; i++) {
        if (is_same_word(name, operation_names[i])) {
            return (enum operation)i;
        }
    }
    return OPERATION_UNKNOWN;
}

const char *operation_name(enum operation operation)
{
    return operation_names[operation];
}

void query_add(struct query *query, struct view name, struct view value)
{
    struct view word = name;
    if (word.len > 0 && word.data[0] == '?') {
        word = view_of(word.data + 1, word.len - 1);
    }
    if (query->operation == OPERATION_NONE && is_same_word(word, "operation")) {
        query->operation = operation_of(value);
    } else if (!query->has_message && is_same_word(word, "message")) {
        query->has_message = true;
        query->message = value;
    }
}

// What has been read of a base64 text.
struct decoder {
    uint32_t bits;    // of the present group
    size_t digits;    // in all
    size_t paddings;  // '=' in all
    struct buf *into; // not owned; has room for all
};

static int digit_value(uint8_t octet)
{
    if (octet >= 'A' && octet <= 'Z') {
        return octet - 'A';
    }
    if (octet >= 'a' && octet <= 'z') {
        return octet - 'a' + 26;
    }
    if (octet >= '0' && octet <= '9') {
        return octet - '0' + 52;
    }
    switch (octet) {
    case '+':
    case ' ':
    case '-':
        return 62;
    case '/':
    case '_':
        return 63;
    default:
        return NOT_A_DIGIT;
    }
}

static bool is_line_space(uint8_t octet)
{
    return octet == '\r' || octet == '\n' || octet == '\t';
}

// Writes the first `count` octets of a group whose bits stand at the upper end of 24.
static void put_group(struct decoder *decoder, uint32_t bits, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        unsigned shift = BITS_IN_OCTET * (unsigned)(OCTETS_IN_GROUP - 1 - i);
        decoder->into->data[decoder->into->len++] = (uint8_t)(bits >> shift);
    }
}

static void put_digit(struct decoder *decoder, int value)
{
    decoder->bits = decoder->bits << BITS_IN_DIGIT | (uint32_t)value;
    decoder->digits++;
    if (decoder->digits % DIGITS_IN_GROUP == 0) {
        put_group(decoder, decoder->bits, OCTETS_IN_GROUP);
        decoder->bits = 0;
    }
}

static enum err_code read_digits(struct decoder *decoder, struct view text, struct err *err)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t octet = text.data[i];
        int value = digit_value(octet);
        if (is_line_space(octet)) {
            continue;
        }
        if (octet == '=') {
            decoder->paddings++;
        } else if (value == NOT_A_DIGIT) {
            return err_set(err, ERR_SYNTAX, "octet %zu (0x%02x) is not base64", i, octet);
        } else if (decoder->paddings > 0) {
            return err_set(err, ERR_SYNTAX, "base64 goes on after its padding at octet %zu", i);
        } else {
            put_digit(decoder, value);
        }
    }
    return ERR_OK;
}

static enum err_code finish(struct decoder *decoder, struct err *err)
{
    size_t left = decoder->digits % DIGITS_IN_GROUP;
    if (left == 1) {
        return err_set(err, ERR_SYNTAX, "base64 ends with a single digit");
    }
    size_t missing = left == 0 ? 0 : DIGITS_IN_GROUP - left;
    if (decoder->paddings > missing) {
        return err_set(err, ERR_SYNTAX, "base64 with too much padding");
    }
    if (left > 0) {
        put_group(decoder, decoder->bits << (BITS_IN_DIGIT * missing), left - 1);
    }
    return ERR_OK;
}

enum err_code base64_decode(struct view text, size_t max_len, struct buf *ret_octets,
                            struct err *err)
{
    struct buf octets = {0};
    struct decoder decoder = {.into = &octets};
    enum err_code code =
        buf_reserve(&octets, text.len / DIGITS_IN_GROUP * OCTETS_IN_GROUP + OCTETS_IN_GROUP, err);
    if (code == ERR_OK) {
        code = read_digits(&decoder, text, err);
    }
    if (code == ERR_OK) {
        code = finish(&decoder, err);
    }
    if (code == ERR_OK && octets.len > max_len) {
        code = err_set(err, ERR_LIMIT, "%zu octets; at most %zu are allowed", octets.len, max_len);
    }
    if (code != ERR_OK) {
        buf_done(&octets);
        return code;
    }
    *ret_octets = octets;
    return ERR_OK;
}
