// SPDX-License-Identifier: Apache-2.0
// How the parts of the table are written down. For schema.c and its parts only.
#pragma once

#include "conf/schema.h"
#include "conf/settings.h"

#define FIELD(member) .offset = offsetof(struct settings, member)
#define CHOICES(member)                                                                            \
    .offset = offsetof(struct settings, member),                                                   \
    .count_offset = offsetof(struct settings, member##_count)
#define MIC_FIELD(member) .offset = offsetof(struct settings_mic_store, member)
#define MIC_CHOICES(member)                                                                        \
    .offset = offsetof(struct settings_mic_store, member),                                         \
    .count_offset = offsetof(struct settings_mic_store, member##_count)
#define COUNT(array)       (sizeof(array) / sizeof(array)[0])
#define INTEGER(low, high) .type = SCHEMA_INTEGER, .min = (low), .max = (high)

// A part of the table: groups that follow each other in the file, and their settings.
struct schema_part {
    const struct schema_group *groups;
    size_t groups_count;
    const struct schema_item *items;
    size_t items_count;
};

// What the server is: its web server, protocol, keys, files.
struct schema_part schema_server(void);
// Which phones get a certificate, and what is in it.
struct schema_part schema_phones(void);
