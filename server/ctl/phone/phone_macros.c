// SPDX-License-Identifier: Apache-2.0
#include "server/ctl/phone/phone_macros.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "conf/limits.h"

#define WARNING_LEN 256
#define MAC_DIGITS  12
#define MAC_COLONS  17

// What the phone makes of `$NAME`; `len` is 0 where it depends on the phone.
static const struct macro {
    const char *name;
    size_t len; // characters
} macros[] = {
    {"MA", MAC_DIGITS}, {"MAU", MAC_DIGITS}, {"MAC", MAC_COLONS}, {"PN", 0},     {"PSN", 0},
    {"SN", 0},          {"CCERT", 0},        {"IP", 0},           {"EXTIP", 0},  {"SWVER", 0},
    {"HWVER", 0},       {"PRVST", 0},        {"UPGST", 0},        {"SCHEME", 0}, {"SERV", 0},
    {"SERVIP", 0},      {"PORT", 0},         {"PATH", 0},         {"ERR", 0},
};
#define MACRO_COUNT (sizeof macros / sizeof macros[0])

// A walk through the name.
struct walk {
    const char *at;
    size_t len; // characters the name has at least, once expanded
    void (*warn)(const char *text, void *context);
    void *context;
};

// One macro as it stands in the text: all of it, and the name in it.
struct use {
    const char *text;
    size_t text_len;
    const char *name;
    size_t name_len;
    bool is_part; // $(NAME:p:q)
};

static void warn_of(const struct walk *walk, const struct use *use, const char *what)
{
    char text[WARNING_LEN];
    snprintf(text, sizeof text, "in --cn, %.*s %s", (int)use->text_len, use->text, what);
    walk->warn(text, walk->context);
}

static const struct macro *find_macro(const struct use *use)
{
    for (size_t i = 0; i < MACRO_COUNT; i++) {
        if (strlen(macros[i].name) == use->name_len &&
            memcmp(macros[i].name, use->name, use->name_len) == 0) {
            return &macros[i];
        }
    }
    return NULL;
}

// $A to $P are the general parameters GPP_A to GPP_P.
static bool is_general(const struct use *use)
{
    return use->name_len == 1 && use->name[0] >= 'A' && use->name[0] <= 'P';
}

// $SA to $SD are the secret ones.
static bool is_secret(const struct use *use)
{
    return use->name_len == 2 && use->name[0] == 'S' && use->name[1] >= 'A' && use->name[1] <= 'D';
}

static void judge(struct walk *walk, const struct use *use)
{
    const struct macro *macro = find_macro(use);
    if (use->name_len == 0) {
        warn_of(walk, use, "is no macro; a dollar sign itself is $$");
    } else if (is_secret(use)) {
        warn_of(walk, use, "is expanded in the arguments of profile rules only");
    } else if (macro == NULL && !is_general(use)) {
        warn_of(walk, use,
                "is a macro that phones do not know; it stays as it is and scepd refuses the name");
    } else if (macro != NULL && !use->is_part) {
        walk->len += macro->len;
    }
}

static size_t count_letters(const char *text)
{
    size_t len = 0;
    while (isalnum((unsigned char)text[len]) || text[len] == '_') {
        len++;
    }
    return len;
}

// The use that begins at the "$" where the walk is.
static struct use find_use(const struct walk *walk)
{
    struct use use = {.text = walk->at, .text_len = 1, .name = walk->at + 1};
    const char *end = strchr(walk->at, ')');
    if (walk->at[1] == '(' && end != NULL) {
        use.name = walk->at + 2;
        use.name_len = count_letters(use.name);
        use.is_part = use.name[use.name_len] == ':';
        use.text_len = (size_t)(end - walk->at) + 1;
        if (use.name[use.name_len] != ':' && use.name[use.name_len] != ')') {
            use.name_len = 0;
        }
    } else {
        use.name_len = count_letters(use.name);
        use.text_len += use.name_len;
    }
    return use;
}

static void step(struct walk *walk)
{
    if (walk->at[0] != '$') {
        walk->at++;
        walk->len++;
    } else if (walk->at[1] == '$') {
        walk->warn("in --cn, $$ becomes a dollar sign, and scepd refuses names that have one",
                   walk->context);
        walk->at += 2;
        walk->len++;
    } else {
        const struct use use = find_use(walk);
        judge(walk, &use);
        walk->at += use.text_len;
    }
}

void phone_macros_check(const char *common_name, void (*warn)(const char *text, void *context),
                        void *context)
{
    char text[WARNING_LEN];
    struct walk walk = {.at = common_name, .warn = warn, .context = context};
    while (*walk.at != '\0') {
        step(&walk);
    }
    if (walk.len > LIMIT_COMMON_NAME) {
        snprintf(text, sizeof text,
                 "--cn gets at least %zu characters long on a phone; allowed are at most %d",
                 walk.len, LIMIT_COMMON_NAME);
        warn(text, context);
    }
}
