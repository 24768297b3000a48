// SPDX-License-Identifier: Apache-2.0
// One value of the settings file: checked against its entry in the table and put into the struct.
#pragma once

#include <libconfig.h>

#include "conf/schema.h"
#include "conf/settings.h"

// Puts the value `node` into the field of `item` in `into`, which is a struct settings or, for the
// items of a repeated group, one of its entries. Relative paths are taken to be in `folder`.
// Errors: ERR_CONFIG with "what was seen; allowed: ...", never more of a text than its first
// octets; ERR_NOMEM.
enum err_code value_read(const struct schema_item *item, const config_setting_t *node,
                         const char *folder, void *into, struct err *err) MUST_CHECK;
// The same with a text as schema_literal() takes it, for defaults and for what scepctl sets.
enum err_code value_read_text(const struct schema_item *item, const char *text, const char *folder,
                              void *into, struct err *err) MUST_CHECK;
// The field of an item for which schema_is_text() holds; NULL when it is not set. Borrows.
const char *value_text(const struct schema_item *item, const void *from);
// The field of an item for which schema_is_text_list() holds. Borrows.
const struct settings_texts *value_texts(const struct schema_item *item, const void *from);
// Entry number `index` of a repeated group. Borrows.
void *value_entry(const struct schema_group *group, struct settings *settings, size_t index);
// Puts `take_text` into the field of an item for which schema_is_text() holds.
void value_replace_text(const struct schema_item *item, char *take_text, void *into);
// Frees the texts of all items.
void value_free_texts(struct settings *settings);
