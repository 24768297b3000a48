// SPDX-License-Identifier: Apache-2.0
// The table as a whole: its parts in the order of the file, and how to find its entries.
#include "conf/schema.h"

#include <string.h>

#include "conf/schema_table.h"

#define PARTS 2

static struct schema_part part_at(size_t index)
{
    return index == 0 ? schema_server() : schema_phones();
}

const struct schema_item *schema_item(size_t index)
{
    for (size_t i = 0; i < PARTS; i++) {
        struct schema_part part = part_at(i);
        if (index < part.items_count) {
            return part.items + index;
        }
        index -= part.items_count;
    }
    return NULL;
}

const struct schema_group *schema_group(size_t index)
{
    for (size_t i = 0; i < PARTS; i++) {
        struct schema_part part = part_at(i);
        if (index < part.groups_count) {
            return part.groups + index;
        }
        index -= part.groups_count;
    }
    return NULL;
}

size_t schema_index(const struct schema_item *item)
{
    size_t index = 0;
    while (schema_item(index) != item) {
        index++;
    }
    return index;
}

const struct schema_item *schema_find(const char *name)
{
    const struct schema_item *item;
    for (size_t i = 0; (item = schema_item(i)) != NULL; i++) {
        if (strcmp(item->name, name) == 0) {
            return item;
        }
    }
    return NULL;
}

const struct schema_group *schema_find_group(const char *name)
{
    const struct schema_group *group;
    for (size_t i = 0; (group = schema_group(i)) != NULL; i++) {
        if (strcmp(group->name, name) == 0) {
            return group;
        }
    }
    return NULL;
}

const char *schema_last_name(const struct schema_item *item)
{
    return strchr(item->name, '.') + 1;
}

bool schema_is_in_group(const struct schema_item *item, const char *group)
{
    size_t len = strlen(group);
    return strncmp(item->name, group, len) == 0 && item->name[len] == '.';
}

const struct schema_group *schema_group_of(const struct schema_item *item)
{
    const struct schema_group *group;
    size_t i = 0;
    while ((group = schema_group(i)) != NULL && !schema_is_in_group(item, group->name)) {
        i++;
    }
    return group;
}

bool schema_is_text(const struct schema_item *item)
{
    return item->type >= SCHEMA_LISTEN;
}

bool schema_is_text_list(const struct schema_item *item)
{
    return item->type == SCHEMA_DOMAIN_LIST || item->type == SCHEMA_FILE_LIST;
}

bool schema_is_required(const struct schema_item *item, uint32_t topology)
{
    return item->presence == SCHEMA_REQUIRED ||
           (item->presence == SCHEMA_REQUIRED_WITH_RA && topology == SETTINGS_TOPOLOGY_RA);
}

bool schema_is_forbidden(const struct schema_item *item, uint32_t topology)
{
    bool needs_ra =
        item->presence == SCHEMA_REQUIRED_WITH_RA || item->presence == SCHEMA_ONLY_WITH_RA;
    return needs_ra && topology == SETTINGS_TOPOLOGY_DIRECT;
}

bool schema_has_default(const struct schema_item *item)
{
    return item->initial != NULL && item->presence == SCHEMA_OPTIONAL;
}
