// SPDX-License-Identifier: Apache-2.0
// Phones and servers whose name begins like a text that somebody remembers: of phones with a MAC in
// their name the MAC counts, of all others the common name. A walk over an index, no scan.
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "conf/base/hex.h"
#include "server/admin/admin_input.h"
#include "server/admin/admin_resources.h"

#define MAC_DIGITS (MAC_TEXT_LEN - 1)

struct search {
    int64_t now;
    json_t *list;
    bool is_full; // there was one more
    bool failed;  // out of memory
};

static bool add_found(const struct store_certificate *certificate, void *context)
{
    struct search *search = context;
    if (json_array_size(search->list) == ADMIN_SEARCH_MAX) {
        search->is_full = true;
        return false;
    }
    json_t *entry = admin_certificate_json(certificate, search->now);
    search->failed = json_array_append_new(search->list, entry) != 0;
    return !search->failed;
}

// Behind the last "SEP", which precedes the MAC in a phone's name; the whole text when there is
// none.
static const char *behind_sep(const char *text)
{
    static const char sep[] = "SEP";
    const char *behind = text;
    for (const char *at = text; *at != '\0'; at++) {
        if (strncasecmp(at, sep, sizeof sep - 1) == 0) {
            behind = at + sizeof sep - 1;
        }
    }
    return behind;
}

// The beginning of a MAC in any notation, as the store writes it.
static bool read_mac_prefix(const char *text, char ret_digits[MAC_TEXT_LEN])
{
    size_t count = 0;
    for (const char *at = behind_sep(text); *at != '\0'; at++) {
        if (strchr(":-.", *at) != NULL) {
            continue;
        }
        if (!isxdigit((unsigned char)*at) || count == MAC_DIGITS) {
            return false;
        }
        ret_digits[count++] = *at;
    }
    ret_digits[count] = '\0';
    hex_to_upper(ret_digits);
    return count > 0;
}

enum err_code admin_search(const struct admin_request *request, json_t **ret_body, struct err *err)
{
    char digits[MAC_TEXT_LEN] = "";
    const char *text = request->item;
    struct store *store = request->live->store;
    struct search search = {.now = request->now, .list = json_array()};
    enum err_code code = ERR_OK;
    if (read_mac_prefix(text, digits)) {
        code = store_list_prefix(store, digits, add_found, &search, err);
    }
    if (code == ERR_OK && strcmp(digits, text) != 0 && !search.is_full) {
        code = store_list_prefix(store, text, add_found, &search, err);
    }
    if (code == ERR_OK && search.failed) {
        code = err_set(err, ERR_NOMEM, "no memory for a list of certificates");
    }
    if (code != ERR_OK) {
        json_decref(search.list);
        return code;
    }
    *ret_body =
        json_pack("{s:b, s:o}", "has_more", (int)search.is_full, "certificates", search.list);
    return ERR_OK;
}
