// SPDX-License-Identifier: Apache-2.0
#include "conf/source.h"

#include <string.h>

#define LETTERS  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS   "0123456789"
#define HEXITS   DIGITS "abcdefABCDEF"
#define WORD     LETTERS DIGITS "_*.+-"
#define WIDE     "L" // libconfig's suffix of 64-bit integers
#define HEX_HEAD 2   // octets of "0x"

static bool is_one_of(uint8_t octet, const char *set)
{
    return octet != '\0' && strchr(set, octet) != NULL;
}

static bool begins_with(struct view text, const char *head)
{
    size_t len = strlen(head);
    return text.len >= len && memcmp(text.data, head, len) == 0;
}

static bool consists_of(struct view text, const char *set)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!is_one_of(text.data[i], set)) {
            return false;
        }
    }
    return text.len > 0;
}

// Octets up to and with the first `end`, or all when there is none.
static size_t length_to(struct view text, const char *end)
{
    const uint8_t *found = memmem(text.data, text.len, end, strlen(end));
    return found != NULL ? (size_t)(found - text.data) + strlen(end) : text.len;
}

// Where the quote behind a string is, or the end of `text` or further when there is none.
static size_t find_quote(struct view text)
{
    size_t at = 1;
    while (at < text.len && text.data[at] != '"') {
        at += text.data[at] == '\\' ? 2 : 1;
    }
    return at;
}

static size_t string_length(struct view text)
{
    size_t quote = find_quote(text);
    return quote < text.len ? quote + 1 : text.len;
}

static size_t word_length(struct view text)
{
    size_t len = 0;
    while (len < text.len && is_one_of(text.data[len], WORD)) {
        len++;
    }
    return len > 0 ? len : 1;
}

// Octets of the comment, string, word, number or single character at the start of `text`.
static size_t token_length(struct view text)
{
    if (begins_with(text, "/*")) {
        return length_to(text, "*/");
    }
    if (begins_with(text, "#") || begins_with(text, "//")) {
        return length_to(text, "\n");
    }
    return begins_with(text, "\"") ? string_length(text) : word_length(text);
}

static bool is_integer(struct view token)
{
    if (begins_with(token, "0x") || begins_with(token, "0X")) {
        return consists_of(view_of(token.data + HEX_HEAD, token.len - HEX_HEAD), HEXITS);
    }
    if (begins_with(token, "+") || begins_with(token, "-")) {
        token = view_of(token.data + 1, token.len - 1);
    }
    return consists_of(token, DIGITS);
}

static unsigned line_of(struct view file, const uint8_t *place)
{
    unsigned line = 1;
    for (const uint8_t *at = file.data; at < place; at++) {
        line += *at == '\n';
    }
    return line;
}

static bool is_open_string(struct view token)
{
    return begins_with(token, "\"") && find_quote(token) >= token.len;
}

// What libconfig must not see, in words; NULL when the token is harmless.
static const char *find_fault(struct view token)
{
    if (begins_with(token, "@")) {
        return "@include; allowed: settings in this one file";
    }
    return is_open_string(token) ? "a text without an end; allowed: a quote behind it" : NULL;
}

static enum err_code copy_tokens(struct view file, struct buf *text, unsigned *fault_line,
                                 struct err *err)
{
    struct view rest = file;
    enum err_code code = ERR_OK;
    while (code == ERR_OK && rest.len > 0) {
        struct view token = view_of(rest.data, token_length(rest));
        const char *fault = find_fault(token);
        if (fault != NULL) {
            *fault_line = line_of(file, token.data);
            return err_set(err, ERR_SYNTAX, "%s", fault);
        }
        code = buf_append(text, token, err);
        if (code == ERR_OK && is_integer(token)) {
            code = buf_append(text, view_of_text(WIDE), err);
        }
        rest = view_of(rest.data + token.len, rest.len - token.len);
    }
    return code;
}

enum err_code source_prepare(struct view file, struct buf *ret_text, unsigned *fault_line,
                             struct err *err)
{
    const uint8_t *nul = file.len > 0 ? memchr(file.data, 0, file.len) : NULL;
    if (nul != NULL) {
        *fault_line = line_of(file, nul);
        return err_set(err, ERR_SYNTAX, "a NUL octet; allowed: text");
    }
    struct buf text = {0};
    enum err_code code = copy_tokens(file, &text, fault_line, err);
    if (code == ERR_OK) {
        code = buf_append(&text, view_of("", 1), err);
    }
    if (code != ERR_OK) {
        buf_wipe(&text);
        return code;
    }
    text.len--; // the NUL stays behind the end
    *ret_text = text;
    return ERR_OK;
}
