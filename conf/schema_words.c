// SPDX-License-Identifier: Apache-2.0
// The table in words: what an administrator most likely meant, what is allowed, and how a value is
// written in the file.
#include "conf/schema.h"

#include <stdio.h>
#include <string.h>

#include "conf/settings.h"

#define NEAR_COST_BASE   1 // typing errors that are forgiven in any name,
#define NEAR_COST_LETTER 4 // and one more for so many letters

static size_t smallest(size_t a, size_t b, size_t c)
{
    size_t least = a < b ? a : b;
    return least < c ? least : c;
}

// Levenshtein distance. `b` is a name of ours, so it is shorter than SCHEMA_NAME_LEN.
static size_t typing_errors(const char *a, const char *b)
{
    size_t row[SCHEMA_NAME_LEN];
    size_t b_len = strlen(b);
    for (size_t j = 0; j <= b_len; j++) {
        row[j] = j;
    }
    for (size_t i = 0; a[i] != '\0'; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < b_len; j++) {
            size_t above = row[j + 1];
            row[j + 1] = smallest(above + 1, row[j] + 1, diagonal + (a[i] != b[j]));
            diagonal = above;
        }
    }
    return row[b_len];
}

struct guess {
    const char *best;
    size_t cost;
};

static void consider(struct guess *guess, const char *name, const char *candidate)
{
    size_t cost = typing_errors(name, candidate);
    if (cost < guess->cost) {
        *guess = (struct guess){.best = candidate, .cost = cost};
    }
}

static struct guess first_guess(const char *name)
{
    size_t len = strlen(name);
    size_t most = len < SCHEMA_NAME_LEN ? NEAR_COST_BASE + len / NEAR_COST_LETTER : 0;
    return (struct guess){.best = NULL, .cost = most + 1};
}

// A name that is right but for its group, however far away that is.
static const char *find_misplaced(const char *name)
{
    const char *dot = strrchr(name, '.');
    const char *last = dot != NULL ? dot + 1 : name;
    const struct schema_item *item;
    for (size_t i = 0; (item = schema_item(i)) != NULL; i++) {
        if (strcmp(schema_last_name(item), last) == 0) {
            return item->name;
        }
    }
    return NULL;
}

const char *schema_nearest(const char *name)
{
    struct guess guess = first_guess(name);
    for (size_t i = 0; schema_item(i) != NULL; i++) {
        consider(&guess, name, schema_item(i)->name);
    }
    return guess.best != NULL ? guess.best : find_misplaced(name);
}

const char *schema_nearest_group(const char *name)
{
    struct guess guess = first_guess(name);
    for (size_t i = 0; schema_group(i) != NULL; i++) {
        consider(&guess, name, schema_group(i)->name);
    }
    return guess.best;
}

const char *schema_type_name(const struct schema_item *item)
{
    static const char *const names[] = {
        [SCHEMA_INTEGER] = "integer",
        [SCHEMA_BOOLEAN] = "boolean",
        [SCHEMA_ENUM] = "word",
        [SCHEMA_ENUM_LIST] = "list of words",
        [SCHEMA_DOMAIN_LIST] = "list of texts",
        [SCHEMA_FILE_LIST] = "list of paths",
        [SCHEMA_LISTEN] = "address",
        [SCHEMA_URL] = "URL",
        [SCHEMA_URL_PATH] = "path in a URL",
        [SCHEMA_LABEL] = "text",
        [SCHEMA_KEY] = "path or URI",
        [SCHEMA_FILE] = "path",
        [SCHEMA_PROGRAM] = "path",
        [SCHEMA_DIRECTORY] = "path",
        [SCHEMA_SOCKET] = "path",
    };
    return names[item->type];
}

static void list_choices(const struct schema_item *item, const char *head, const char *last_joint,
                         char text[SCHEMA_ALLOWED_LEN])
{
    size_t used = (size_t)snprintf(text, SCHEMA_ALLOWED_LEN, "%s", head);
    for (size_t i = 0; item->choices[i] != NULL && used < SCHEMA_ALLOWED_LEN; i++) {
        const char *joint = item->choices[i + 1] == NULL ? last_joint : ", ";
        used += (size_t)snprintf(text + used, SCHEMA_ALLOWED_LEN - used, "%s\"%s\"",
                                 i == 0 ? "" : joint, item->choices[i]);
    }
}

static const char *text_allowed(const struct schema_item *item)
{
    switch (item->type) {
    case SCHEMA_LISTEN:
        return "\"ADDRESS:PORT\" or \"[IPV6-ADDRESS]:PORT\", port 0 to 65535";
    case SCHEMA_URL:
        return "\"http://HOST[:PORT]/PATH\", with \"{ca}\" in PATH once or not at all";
    case SCHEMA_URL_PATH:
        return "\"/PATH\", with \"{ca}\" in it once or not at all";
    case SCHEMA_LABEL:
        return "1 to 63 printable ASCII characters";
    case SCHEMA_KEY:
        return "the path of a key file, or a URI such as \"pkcs11:...\" without a PIN in it";
    case SCHEMA_PROGRAM:
        return "the path of a program";
    case SCHEMA_DIRECTORY:
        return "the path of a directory";
    case SCHEMA_SOCKET:
        return "the path of a Unix socket, at most 107 octets";
    default:
        return "the path of a file";
    }
}
_Static_assert(SCHEMA_SOCKET_LEN == 107, "the words above say so");
_Static_assert(SCHEMA_LABEL_LEN == 63, "the words above say so");

const char *schema_allowed(const struct schema_item *item, char text[SCHEMA_ALLOWED_LEN])
{
    switch (item->type) {
    case SCHEMA_INTEGER:
        snprintf(text, SCHEMA_ALLOWED_LEN, "%u to %u", item->min, item->max);
        break;
    case SCHEMA_BOOLEAN:
        snprintf(text, SCHEMA_ALLOWED_LEN, "true or false");
        break;
    case SCHEMA_ENUM:
        list_choices(item, "", " or ", text);
        break;
    case SCHEMA_ENUM_LIST:
        list_choices(item, "a list of ", " and ", text);
        break;
    case SCHEMA_DOMAIN_LIST:
        snprintf(text, SCHEMA_ALLOWED_LEN, "a list of %u to %d DNS names", item->min,
                 SETTINGS_LIST_MAX);
        break;
    case SCHEMA_FILE_LIST:
        snprintf(text, SCHEMA_ALLOWED_LEN, "a list of %u to %d paths of files", item->min,
                 SETTINGS_LIST_MAX);
        break;
    default:
        snprintf(text, SCHEMA_ALLOWED_LEN, "%s", text_allowed(item));
        break;
    }
    return text;
}

static enum err_code append_quoted(struct buf *buf, struct view text, struct err *err)
{
    enum err_code code = buf_append(buf, view_of_text("\""), err);
    for (size_t i = 0; code == ERR_OK && i < text.len; i++) {
        uint8_t octet = text.data[i];
        char escaped[8];
        if (octet == '"' || octet == '\\') {
            snprintf(escaped, sizeof escaped, "\\%c", octet);
        } else if (octet < ' ') {
            snprintf(escaped, sizeof escaped, "\\x%02x", octet);
        } else {
            snprintf(escaped, sizeof escaped, "%c", octet);
        }
        code = buf_append(buf, view_of_text(escaped), err);
    }
    return code == ERR_OK ? buf_append(buf, view_of_text("\""), err) : code;
}

static enum err_code append_list(struct buf *buf, const char *text, struct err *err)
{
    static const char separators[] = ", ";
    enum err_code code = buf_append(buf, view_of_text("["), err);
    const char *joint = "";
    const char *at = text + strspn(text, separators);
    while (code == ERR_OK && *at != '\0') {
        size_t len = strcspn(at, separators);
        code = buf_append(buf, view_of_text(joint), err);
        if (code == ERR_OK) {
            code = append_quoted(buf, view_of(at, len), err);
        }
        at += len;
        at += strspn(at, separators);
        joint = ", ";
    }
    return code == ERR_OK ? buf_append(buf, view_of_text("]"), err) : code;
}

// Puts `take_text` with a NUL behind its end into *ret_text, or frees it when it failed with
// `code`.
static enum err_code finish(struct buf take_text, enum err_code code, struct buf *ret_text,
                            struct err *err)
{
    if (code == ERR_OK) {
        code = buf_append(&take_text, view_of("", 1), err);
    }
    if (code != ERR_OK) {
        buf_done(&take_text);
        return code;
    }
    take_text.len--; // the NUL stays behind the end
    *ret_text = take_text;
    return ERR_OK;
}

static const char *default_note(const struct schema_item *item)
{
    switch (item->presence) {
    case SCHEMA_REQUIRED:
        return "none, it must be set";
    case SCHEMA_REQUIRED_WITH_RA:
        return "none, it must be set; not allowed with scep.topology \"direct\"";
    case SCHEMA_ONLY_WITH_RA:
        return "not set; not allowed with scep.topology \"direct\"";
    default:
        return "not set";
    }
}

enum err_code schema_default(const struct schema_item *item, struct buf *ret_words, struct err *err)
{
    struct buf words = {0};
    if (schema_has_default(item)) {
        return schema_literal(item, item->initial, ret_words, err);
    }
    enum err_code code = buf_append(&words, view_of_text(default_note(item)), err);
    return finish(words, code, ret_words, err);
}

enum err_code schema_literal(const struct schema_item *item, const char *text,
                             struct buf *ret_literal, struct err *err)
{
    struct buf literal = {0};
    enum err_code code;
    if (item->type == SCHEMA_ENUM_LIST || schema_is_text_list(item)) {
        code = append_list(&literal, text, err);
    } else if (item->type == SCHEMA_ENUM || schema_is_text(item)) {
        code = append_quoted(&literal, view_of_text(text), err);
    } else {
        code = buf_append(&literal, view_of_text(text), err);
    }
    return finish(literal, code, ret_literal, err);
}
