// SPDX-License-Identifier: Apache-2.0
// Tables for people: columns aligned, text from clients escaped, so that no name in a certificate
// can move the cursor of an administrator's terminal.
#pragma once

#include <stdio.h>

#include "conf/base/buf.h"
#include "server/ctl/color.h"

#define TABLE_COLUMNS_MAX 8

struct table {
    unsigned column_count;
    size_t widths[TABLE_COLUMNS_MAX]; // in terminal cells
    struct buf cells;                 // each its colour's octet, the escaped text, NUL; row by row
    bool failed;                      // out of memory
};

// Appends `text` to *out so that it is safe to print: UTF-8 stays, control characters, marks that
// change the direction of writing and octets that are not UTF-8 become \xHH or \u{HHHH}.
// Errors: ERR_NOMEM.
enum err_code table_escape(struct buf *out, const char *text, struct err *err) MUST_CHECK;

// A table of `column_count` columns; to be done with table_done().
struct table table_of(unsigned column_count);
void table_done(struct table *table);
// Adds a row of `column_count` texts; NULL shows as "-". Out of memory is told by table_print().
void table_add(struct table *table, const char *const *texts);
// The same, with one of the texts in `color` where table_print() writes to a terminal.
void table_add_colored(struct table *table, const char *const *texts, unsigned column,
                       enum color color);
// Prints all rows, two spaces between columns, nothing after the last. Errors: ERR_NOMEM, ERR_IO.
enum err_code table_print(const struct table *table, FILE *out, struct err *err) MUST_CHECK;
