// SPDX-License-Identifier: Apache-2.0
// Answers of scepd as tables: a list of objects, or one object's members one below the other.
#pragma once

#include "server/ctl/api.h"
#include "server/ctl/table.h"

struct answer_column {
    const char *title;
    const char *key; // of a text; null or absent shows as "-"
};
// One row for each object of `list`, at most TABLE_COLUMNS_MAX columns.
enum ctl_exit answer_rows(struct ctl *ctl, const json_t *list, const struct answer_column *columns,
                          unsigned count);
// Adds one row of title and text for each of `fields` to a table of two columns.
void answer_fields(struct table *table, const json_t *object, const struct answer_column *fields,
                   size_t count);
// Prints the table and ends it. On failure the user has been told.
enum ctl_exit answer_print(struct ctl *ctl, struct table *table);
