// SPDX-License-Identifier: Apache-2.0
#include "server/web/html.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SHORT_LEN   24 // bytes of a number or an escape
#define CHARACTER_4 4  // octets of the longest UTF-8 character

static void put(struct html *html, struct view octets)
{
    if (!html->failed && octets.len > 0) {
        html->failed = buf_append(html->out, octets, NULL) != ERR_OK;
    }
}

static const char *reference_of(uint8_t octet)
{
    switch (octet) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

// How many octets the character has that begins with `first`; 0 = none does.
static size_t length_of(uint8_t first)
{
    if (first < 0x80) {
        return 1;
    }
    if (first >= 0xC2 && first <= 0xDF) {
        return 2;
    }
    if (first >= 0xE0 && first <= 0xEF) {
        return 3;
    }
    return first >= 0xF0 && first <= 0xF4 ? CHARACTER_4 : 0;
}

static bool is_character(uint32_t code, size_t len)
{
    static const uint32_t smallest[CHARACTER_4 + 1] = {0, 0, 0x80, 0x800, 0x10000};
    return code >= smallest[len] && code <= 0x10FFFF && !(code >= 0xD800 && code <= 0xDFFF);
}

// Reads the character at the beginning of `text`; 0 = there is none. NUL is a character of one.
static size_t read_character(struct view text, uint32_t *ret_code)
{
    size_t len = length_of(text.data[0]);
    if (len == 0 || len > text.len) {
        return 0;
    }
    uint32_t code = len == 1 ? text.data[0] : text.data[0] & (0x7Fu >> len);
    for (size_t i = 1; i < len; i++) {
        if ((text.data[i] & 0xC0) != 0x80) {
            return 0;
        }
        code = code << 6 | (text.data[i] & 0x3Fu);
    }
    *ret_code = code;
    return is_character(code, len) ? len : 0;
}

// Shows nothing, or changes how its neighbours are shown.
static bool is_treacherous(uint32_t code)
{
    static const uint32_t ranges[][2] = {
        {0x00, 0x1F},     {0x7F, 0x9F},     {0xAD, 0xAD},       {0x061C, 0x061C},
        {0x180E, 0x180E}, {0x200B, 0x200F}, {0x2028, 0x202E},   {0x2060, 0x206F},
        {0xFEFF, 0xFEFF}, {0xFFF9, 0xFFFB}, {0xE0000, 0xE0FFF},
    };
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        if (code >= ranges[i][0] && code <= ranges[i][1]) {
            return true;
        }
    }
    return false;
}

static void put_code(struct html *html, char kind, uint32_t code)
{
    char shown[SHORT_LEN];
    snprintf(shown, sizeof shown, "\\%c{%02" PRIX32 "}", kind, code);
    put(html, view_of_text(shown));
}

static void put_text(struct html *html, const char *text)
{
    struct view rest = view_of_text(text != NULL ? text : HTML_DASH);
    while (rest.len > 0) {
        uint32_t code = 0;
        size_t len = read_character(rest, &code);
        const char *reference = len == 1 ? reference_of(rest.data[0]) : NULL;
        if (len == 0) {
            put_code(html, 'x', rest.data[0]);
            len = 1;
        } else if (reference != NULL) {
            put(html, view_of_text(reference));
        } else if (is_treacherous(code)) {
            put_code(html, 'u', code);
        } else {
            put(html, view_of(rest.data, len));
        }
        rest = view_of(rest.data + len, rest.len - len);
    }
}

static void put_number(struct html *html, intmax_t number)
{
    char text[SHORT_LEN];
    snprintf(text, sizeof text, "%jd", number);
    put(html, view_of_text(text));
}

void html_add(struct html *html, const char *markup, ...)
{
    va_list args;
    va_start(args, markup);
    while (*markup != '\0' && !html->failed) {
        size_t len = strcspn(markup, "%");
        put(html, view_of(markup, len));
        markup += len;
        if (strncmp(markup, "%s", 2) == 0) {
            put_text(html, va_arg(args, const char *));
            markup += 2;
        } else if (strncmp(markup, "%jd", 3) == 0) {
            put_number(html, va_arg(args, intmax_t));
            markup += 3;
        } else if (strncmp(markup, "%%", 2) == 0) {
            put(html, view_of_text("%"));
            markup += 2;
        } else if (*markup != '\0') {
            html->failed = true;
        }
    }
    va_end(args);
}

void html_add_url(struct html *html, const char *text)
{
    for (; *text != '\0'; text++) {
        char encoded[SHORT_LEN];
        uint8_t octet = (uint8_t)*text;
        bool is_plain = octet < 0x80 && (isalnum(octet) || strchr("-._~", octet) != NULL);
        snprintf(encoded, sizeof encoded, is_plain ? "%c" : "%%%02X", octet);
        put(html, view_of_text(encoded));
    }
}

enum err_code html_finish(const struct html *html, struct err *err)
{
    return html->failed ? err_set(err, ERR_NOMEM, "no memory for a page") : ERR_OK;
}
