// SPDX-License-Identifier: Apache-2.0
// The one table of all settings. The reader, the example file and the test of the manual page are
// made from it, so a setting is added here and nowhere else (schema_server.c has what the server
// is, schema_phones.c what phones get). Immutable; any thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/base/buf.h"

#define SCHEMA_ITEMS_MAX   96  // settings in the table; sizes arrays with one entry each
#define SCHEMA_NAME_LEN    64  // bytes of a setting's full name with NUL
#define SCHEMA_ALLOWED_LEN 192 // bytes of what schema_allowed() says with NUL
#define SCHEMA_SOCKET_LEN  107 // octets of a Unix socket's path; what sun_path holds with its NUL
#define SCHEMA_LABEL_LEN   63  // characters of a SCHEMA_LABEL

enum schema_type {
    SCHEMA_INTEGER,     // uint32_t
    SCHEMA_BOOLEAN,     // bool
    SCHEMA_ENUM,        // uint32_t: index into `choices`
    SCHEMA_ENUM_LIST,   // uint32_t[SETTINGS_LIST_MAX] and a uint32_t with their number
    SCHEMA_DOMAIN_LIST, // struct settings_texts of DNS names, in lower case
    SCHEMA_FILE_LIST,   // struct settings_texts of paths of files
    SCHEMA_LISTEN,      // from here on const char *: an address and port
    SCHEMA_URL,         // http://, may have "{ca}" in its path
    SCHEMA_URL_PATH,    // path of a URL here, may have "{ca}" in it
    SCHEMA_LABEL,       // a name for people
    SCHEMA_KEY,         // path of a key file, or OSSL_STORE URI
    SCHEMA_FILE,        // path of a file
    SCHEMA_PROGRAM,     // path of a file that can be executed
    SCHEMA_DIRECTORY,   // path of a directory; made when missing
    SCHEMA_SOCKET,      // path of a Unix socket
};

// When a setting must and may be in the file.
enum schema_presence {
    SCHEMA_OPTIONAL,
    SCHEMA_REQUIRED,         // always, or in each entry of its repeated group
    SCHEMA_REQUIRED_WITH_RA, // under scep.topology "ra"; under "direct" it must not be there
    SCHEMA_ONLY_WITH_RA,     // optional under scep.topology "ra"; under "direct" as above
};

struct schema_item {
    const char *name; // as in the file: "http.listen" is listen in the group http
    enum schema_type type;
    size_t offset;              // in struct settings, or in the struct of a repeated group's entry
    size_t count_offset;        // SCHEMA_ENUM_LIST: of the number of entries
    uint32_t min, max;          // SCHEMA_INTEGER, both allowed; lists: `min` entries at least
    const char *range_reason;   // why not outside the range, if that is not plain; or NULL
    const char *const *choices; // SCHEMA_ENUM and _LIST: texts in order of value, NULL at the end
    const char *initial;        // default as text without quotes; NULL = not set
    const char *example;        // for the manual, as text without quotes; allowed, too
    enum schema_presence presence; // where required, `initial` is only what the example says
    bool only_ca;                  // the file is scepd-ca's: others never open it
    const char *words;             // what it does and when to change it
};

struct schema_group {
    const char *name;
    const char *words;
    // A repeated group is a list of groups in the file and an array in struct settings.
    uint32_t most;       // entries of the array; 0 = the group is there once
    size_t offset;       // of the array
    size_t entry_size;   // octets of one entry, from which the items' offsets count
    size_t count_offset; // of the uint32_t with the number of entries
};

// Entry number `index`; NULL after the last one.
const struct schema_item *schema_item(size_t index);
const struct schema_group *schema_group(size_t index);
// The number of an entry of the table.
size_t schema_index(const struct schema_item *item);
// The entry of that name, or NULL.
const struct schema_item *schema_find(const char *name);
const struct schema_group *schema_find_group(const char *name);
// The known name that an administrator most likely meant by `name`, or NULL when none is near.
const char *schema_nearest(const char *name);
const char *schema_nearest_group(const char *name);
// The part of an item's name after the group; borrows.
const char *schema_last_name(const struct schema_item *item);
bool schema_is_in_group(const struct schema_item *item, const char *group);
const struct schema_group *schema_group_of(const struct schema_item *item);
// The field is a const char * owned by struct settings.
bool schema_is_text(const struct schema_item *item);
// The field is a struct settings_texts, whose texts struct settings owns.
bool schema_is_text_list(const struct schema_item *item);
// Whether it must, or must not, be in the file under this enum settings_topology.
bool schema_is_required(const struct schema_item *item, uint32_t topology);
bool schema_is_forbidden(const struct schema_item *item, uint32_t topology);
// Its `initial` counts when it is not in the file.
bool schema_has_default(const struct schema_item *item);

// "integer", "true or false", "path"...; never NULL.
const char *schema_type_name(const struct schema_item *item);
// What values are allowed, in words. Returns `text`.
const char *schema_allowed(const struct schema_item *item, char text[SCHEMA_ALLOWED_LEN]);
// What counts when it is not in the file, in words. *ret_words (empty before) gets it with a final
// NUL, which its length does not count. Errors: ERR_NOMEM.
enum err_code schema_default(const struct schema_item *item, struct buf *ret_words,
                             struct err *err) MUST_CHECK;
// `text` as it is written in the file: quoted where the type wants it, a comma-separated list in
// brackets. *ret_literal (empty before) gets it with a final NUL, which its length does not count.
// Errors: ERR_NOMEM.
enum err_code schema_literal(const struct schema_item *item, const char *text,
                             struct buf *ret_literal, struct err *err) MUST_CHECK;
