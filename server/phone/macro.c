// SPDX-License-Identifier: Apache-2.0
#include "server/phone/macro.h"

#include <stdio.h>
#include <string.h>

#include "conf/base/hex.h"

#define MAC_DIGITS  (MACRO_MAC_LEN - 1)
#define MAC_PREFIX  "-SEP"
#define COLONED_LEN 18 // bytes of "00:1a:2b:3c:4d:5e" with NUL

static char lower_digit(char digit)
{
    return digit >= 'A' && digit <= 'F' ? (char)(digit - 'A' + 'a') : digit;
}

struct macro_phone macro_phone_of(const char *common_name)
{
    struct macro_phone phone = {0};
    const char *prefix = strstr(common_name, MAC_PREFIX);
    const char *mac = prefix != NULL ? prefix + strlen(MAC_PREFIX) : "";
    size_t product_len = prefix != NULL ? (size_t)(prefix - common_name) : 0;
    if (strspn(mac, "0123456789abcdefABCDEF") < MAC_DIGITS || product_len >= sizeof phone.product) {
        return phone;
    }
    for (size_t i = 0; i < MAC_DIGITS; i++) {
        phone.mac[i] = lower_digit(mac[i]);
    }
    memcpy(phone.product, common_name, product_len);
    return phone;
}

static void to_upper(const char *mac, char ret_upper[MACRO_MAC_LEN])
{
    snprintf(ret_upper, MACRO_MAC_LEN, "%s", mac);
    hex_to_upper(ret_upper);
}

static void to_coloned(const char *mac, char ret_coloned[COLONED_LEN])
{
    size_t used = 0;
    for (size_t i = 0; mac[i] != '\0'; i++) {
        if (i > 0 && i % 2 == 0) {
            ret_coloned[used++] = ':';
        }
        ret_coloned[used++] = mac[i];
    }
    ret_coloned[used] = '\0';
}

// The longest macro first: $MAU and $MAC begin like $MA.
struct macro {
    const char *name;
    const char *value; // "" = not known
};
#define MACRO_COUNT 5

static const struct macro *find_macro(const struct macro macros[MACRO_COUNT], const char *at)
{
    for (size_t i = 0; i < MACRO_COUNT; i++) {
        if (strncmp(at, macros[i].name, strlen(macros[i].name)) == 0 &&
            macros[i].value[0] != '\0') {
            return &macros[i];
        }
    }
    return NULL;
}

enum err_code macro_expand(const char *text, const struct macro_phone *phone,
                           char ret_text[MACRO_TEXT_LEN], bool *ret_is_left, struct err *err)
{
    char upper[MACRO_MAC_LEN];
    char coloned[COLONED_LEN];
    char expanded[MACRO_TEXT_LEN] = "";
    size_t used = 0;
    bool is_left = false;
    to_upper(phone->mac, upper);
    to_coloned(phone->mac, coloned);
    const struct macro macros[MACRO_COUNT] = {
        {"$MAU", upper},         {"$MAC", coloned}, {"$MA", phone->mac},
        {"$PN", phone->product}, {"$$", "$"},
    };
    while (*text != '\0') {
        const struct macro *macro = *text == '$' ? find_macro(macros, text) : NULL;
        const char *piece = macro != NULL ? macro->value : text;
        size_t len = macro != NULL ? strlen(macro->value) : 1;
        is_left = is_left || (macro == NULL && *text == '$');
        if (used + len >= sizeof expanded) {
            return err_set(err, ERR_LIMIT, "the common name is longer than %zu octets",
                           sizeof expanded - 1);
        }
        memcpy(expanded + used, piece, len);
        used += len;
        text += macro != NULL ? strlen(macro->name) : 1;
    }
    expanded[used] = '\0';
    memcpy(ret_text, expanded, sizeof expanded);
    *ret_is_left = is_left;
    return ERR_OK;
}
