// SPDX-License-Identifier: Apache-2.0
#include "server/ctl/table.h"

#include <stdint.h>
#include <string.h>
#include <wchar.h>

#define GAP           2  // spaces between columns
#define ESCAPE_LEN    16 // bytes of "\u{10FFFF}" with NUL, and some
#define NOT_UTF8      UINT32_MAX
#define UTF8_LEN_MAX  4
#define SURROGATE_MIN 0xd800
#define SURROGATE_MAX 0xdfff
#define UNICODE_MAX   0x10ffff

// By the number of octets of a sequence: what its first octet looks like and the least code point
// that needs so many (RFC 3629, 3).
static const struct {
    uint8_t mask;
    uint8_t lead;
    uint32_t least;
} sequences[UTF8_LEN_MAX + 1] = {
    [1] = {0x80, 0x00, 0x0},
    [2] = {0xe0, 0xc0, 0x80},
    [3] = {0xf0, 0xe0, 0x800},
    [4] = {0xf8, 0xf0, 0x10000},
};

static size_t sequence_len(uint8_t lead)
{
    for (size_t len = 1; len <= UTF8_LEN_MAX; len++) {
        if ((lead & sequences[len].mask) == sequences[len].lead) {
            return len;
        }
    }
    return 0;
}

// The first character of `text`, which is not empty; NOT_UTF8 with a length of 1 when there is
// none.
static uint32_t next_character(const char *text, size_t *ret_len)
{
    const uint8_t *octets = (const uint8_t *)text;
    size_t len = sequence_len(octets[0]);
    *ret_len = 1;
    if (len == 0) {
        return NOT_UTF8;
    }
    uint32_t character = octets[0] & (uint32_t)~sequences[len].mask & 0xff;
    for (size_t i = 1; i < len; i++) {
        // The final NUL is no continuation, so this never reads beyond it.
        if ((octets[i] & 0xc0) != 0x80) {
            return NOT_UTF8;
        }
        character = character << 6 | (octets[i] & 0x3f);
    }
    bool is_surrogate = character >= SURROGATE_MIN && character <= SURROGATE_MAX;
    if (character < sequences[len].least || character > UNICODE_MAX || is_surrogate) {
        return NOT_UTF8;
    }
    *ret_len = len;
    return character;
}

// Characters that act on the terminal or on the order of what is seen, instead of being seen.
static const struct {
    uint32_t first;
    uint32_t last;
} unsafe[] = {
    {0x0000, 0x001f}, {0x007f, 0x009f}, {0x00ad, 0x00ad}, {0x061c, 0x061c}, {0x200b, 0x200f},
    {0x2028, 0x202e}, {0x2060, 0x206f}, {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe007f},
};

static bool is_unsafe(uint32_t character)
{
    for (size_t i = 0; i < sizeof unsafe / sizeof unsafe[0]; i++) {
        if (character >= unsafe[i].first && character <= unsafe[i].last) {
            return true;
        }
    }
    return false;
}

enum err_code table_escape(struct buf *out, const char *text, struct err *err)
{
    while (*text != '\0') {
        size_t len;
        uint32_t character = next_character(text, &len);
        char escape[ESCAPE_LEN];
        struct view shown = view_of(text, len);
        if (character == NOT_UTF8 || character < 0x80) {
            snprintf(escape, sizeof escape, "\\x%02x", (unsigned)(uint8_t)*text);
        } else {
            snprintf(escape, sizeof escape, "\\u{%04X}", (unsigned)character);
        }
        if (character == NOT_UTF8 || is_unsafe(character)) {
            shown = view_of_text(escape);
        }
        enum err_code code = buf_append(out, shown, err);
        if (code != ERR_OK) {
            return code;
        }
        text += len;
    }
    return ERR_OK;
}

// Terminal cells of escaped text. wcwidth() knows as much as the program's locale does.
static size_t width_of(const char *text)
{
    size_t width = 0;
    while (*text != '\0') {
        size_t len;
        int cells = wcwidth((wchar_t)next_character(text, &len));
        width += cells >= 0 ? (size_t)cells : 1;
        text += len;
    }
    return width;
}

struct table table_of(unsigned column_count)
{
    return (struct table){.column_count = column_count};
}

void table_done(struct table *table)
{
    buf_wipe(&table->cells); // a challenge may have been among them
}

static void add_cell(struct table *table, unsigned column, const char *text, enum color color)
{
    static const uint8_t end = '\0';
    const uint8_t first = (uint8_t)color;
    size_t start = table->cells.len + 1;
    if (buf_append(&table->cells, view_of(&first, 1), NULL) != ERR_OK ||
        table_escape(&table->cells, text, NULL) != ERR_OK ||
        buf_append(&table->cells, view_of(&end, 1), NULL) != ERR_OK) {
        table->failed = true;
        return;
    }
    size_t width = width_of((const char *)table->cells.data + start);
    if (width > table->widths[column]) {
        table->widths[column] = width;
    }
}

void table_add_colored(struct table *table, const char *const *texts, unsigned column,
                       enum color color)
{
    for (unsigned i = 0; i < table->column_count && !table->failed; i++) {
        add_cell(table, i, texts[i] != NULL ? texts[i] : "-", i == column ? color : COLOR_PLAIN);
    }
}

void table_add(struct table *table, const char *const *texts)
{
    table_add_colored(table, texts, 0, COLOR_PLAIN);
}

enum err_code table_print(const struct table *table, FILE *out, struct err *err)
{
    if (table->failed) {
        return err_set(err, ERR_NOMEM, "no memory for a table");
    }
    unsigned column = 0;
    bool is_colored = color_is_wanted(out);
    for (size_t at = 0; at < table->cells.len;) {
        enum color color = (enum color)table->cells.data[at++];
        const char *text = (const char *)table->cells.data + at;
        bool is_last = column + 1 == table->column_count;
        fprintf(out, "%s%s%s", color_begin(is_colored, color), text, color_end(is_colored, color));
        if (is_last) {
            fputc('\n', out);
        } else {
            int padding = (int)(table->widths[column] - width_of(text)) + GAP;
            fprintf(out, "%*s", padding, "");
        }
        column = is_last ? 0 : column + 1;
        at += strlen(text) + 1;
    }
    return ferror(out) == 0 ? ERR_OK : err_set(err, ERR_IO, "cannot write the output");
}
