// SPDX-License-Identifier: Apache-2.0
#include "server/ctl/archive/export_csv.h"

#include <string.h>

#include "server/ctl/table.h"

static bool begins_like_formula(struct view text)
{
    // The last four are the same signs in full width, which some spreadsheets take for them.
    static const char *const heads[] = {
        "=", "+", "-", "@", "\xEF\xBC\x9D", "\xEF\xBC\x8B", "\xEF\xBC\x8D", "\xEF\xBC\xA0"};
    size_t blanks = 0;
    while (blanks < text.len && text.data[blanks] == ' ') {
        blanks++;
    }
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        size_t len = strlen(heads[i]);
        if (text.len - blanks >= len && memcmp(text.data + blanks, heads[i], len) == 0) {
            return true;
        }
    }
    return false;
}

static enum err_code append_doubled(struct buf *out, struct view text, struct err *err)
{
    enum err_code code = ERR_OK;
    for (size_t i = 0; code == ERR_OK && i < text.len; i++) {
        if (text.data[i] == '"') {
            code = buf_append(out, view_of_text("\""), err);
        }
        if (code == ERR_OK) {
            code = buf_append(out, view_of(text.data + i, 1), err);
        }
    }
    return code;
}

enum err_code export_csv_cell(struct buf *out, const char *text, struct err *err)
{
    CLEANUP(buf_done) struct buf escaped = {0};
    enum err_code code = text != NULL ? table_escape(&escaped, text, err) : ERR_OK;
    if (code == ERR_OK) {
        code = buf_append(out, view_of_text(begins_like_formula(buf_view(&escaped)) ? "\"'" : "\""),
                          err);
    }
    if (code == ERR_OK) {
        code = append_doubled(out, buf_view(&escaped), err);
    }
    return code == ERR_OK ? buf_append(out, view_of_text("\""), err) : code;
}
