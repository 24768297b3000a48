// SPDX-License-Identifier: Apache-2.0
// Tables of the pages. Each cell names its column, for screens too narrow for a whole row.
#pragma once

#include "server/web/page.h"

// `columns` ends with NULL.
void table_begin(struct page *page, const char *caption, const char *const *columns);
void table_end(struct page *page);
// Around a cell's content.
void table_open(struct page *page, const char *column);
void table_close(struct page *page);

// Whole cells with a member of an object: a text, a time and how far it is, "mac" as a MAC, a
// state; and the first cell of a row, a link to the "device" by its "common_name".
void table_add_text(struct page *page, const char *column, const json_t *object, const char *key);
void table_add_when(struct page *page, const char *column, const json_t *object, const char *key);
void table_add_mac(struct page *page, const json_t *object);
void table_add_state(struct page *page, const json_t *object, const char *key);
void table_add_device(struct page *page, const json_t *object);
