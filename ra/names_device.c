// SPDX-License-Identifier: Apache-2.0
// What the device of a manufacturer's certificate may be called: its own name, alone or in a domain
// of phone.domains.
#include "ra/names.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "ra/identity.h"

static bool is_same(const char *a, const char *b)
{
    return strcasecmp(a, b) == 0;
}

// "<device><separator><one of the domains>"
static bool is_in_domain(const char *text, const char *device, char separator,
                         const struct settings_texts *domains)
{
    size_t len = strlen(device);
    if (strncasecmp(text, device, len) != 0 || text[len] != separator) {
        return false;
    }
    for (uint32_t i = 0; i < domains->count; i++) {
        if (is_same(text + len + 1, domains->list[i])) {
            return true;
        }
    }
    return false;
}

static bool is_host(const char *text, const struct names_owner *owner)
{
    return is_same(text, owner->device_name) ||
           is_in_domain(text, owner->device_name, '.', owner->domains);
}

static bool is_mailbox(const char *text, const struct names_owner *owner)
{
    return is_in_domain(text, owner->device_name, '@', owner->domains);
}

// In a serialNumber "PID:... SN:...", or as it stands.
static bool is_own_serial(const char *text, const struct names_owner *owner)
{
    struct view model = VIEW_EMPTY;
    struct view serial = VIEW_EMPTY;
    return owner->serial_number[0] != '\0' && identity_split_serial(text, &model, &serial) &&
           serial.len == strlen(owner->serial_number) &&
           strncasecmp((const char *)serial.data, owner->serial_number, serial.len) == 0;
}

static bool is_own(const struct name *name, const struct names_owner *owner)
{
    switch (name->kind) {
    case NAME_COMMON_NAME:
    case NAME_SAN_DNS:
        return is_host(name->text, owner);
    case NAME_EMAIL:
    case NAME_SAN_EMAIL:
        return is_mailbox(name->text, owner);
    case NAME_UNSTRUCTURED:
    case NAME_SAN_UPN:
        return is_host(name->text, owner) || is_mailbox(name->text, owner);
    case NAME_SERIAL_NUMBER:
        return is_own_serial(name->text, owner);
    case NAME_OTHER:
        return true;
    case NAME_SAN_OTHER:
        break;
    }
    return false;
}

// A serial number may look like a MAC; the device's own is none.
static bool holds_another_mac(const struct name *name, const struct names_owner *owner)
{
    bool is_serial = name->kind == NAME_SERIAL_NUMBER || name->kind == NAME_OTHER;
    if (is_serial && is_own_serial(name->text, owner)) {
        return false;
    }
    return names_compare_mac(name->text, owner->mac) == MAC_ANOTHER;
}

bool names_belong_to_device(const struct names *names, const struct names_owner *owner)
{
    if (owner->device_name[0] == '\0') {
        return false;
    }
    for (unsigned i = 0; i < names->count; i++) {
        const struct name *name = &names->list[i];
        if (!is_own(name, owner) || holds_another_mac(name, owner)) {
            return false;
        }
    }
    return true;
}

// The longest domain of phone.domains in which `common_name` is a device; NULL = in none.
static const char *find_domain(const char *common_name, const struct settings_texts *domains)
{
    const char *found = NULL;
    size_t len = strlen(common_name);
    for (uint32_t i = 0; i < domains->count; i++) {
        const char *domain = domains->list[i];
        size_t domain_len = strlen(domain);
        if (len < domain_len + 2 || (found != NULL && domain_len <= strlen(found))) {
            continue;
        }
        const char *tail = common_name + len - domain_len;
        if (tail[-1] == '.' && is_same(tail, domain)) {
            found = domain;
        }
    }
    return found;
}

// Letters, digits, hyphens and dots, which is all that a dNSName has.
static bool is_dns_name(const char *text)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";
    return text[0] != '\0' && text[strspn(text, letters)] == '\0';
}

static bool make_dns(const char *common_name, char text[LIMIT_NAME_VALUE + 1])
{
    size_t len = strlen(common_name);
    if (!is_dns_name(common_name) || len > LIMIT_NAME_VALUE) {
        return false;
    }
    memcpy(text, common_name, len + 1);
    return true;
}

static bool make_mailbox(const char *common_name, const char *domain,
                         char text[LIMIT_NAME_VALUE + 1])
{
    if (domain == NULL || !is_dns_name(common_name) || strlen(common_name) > LIMIT_NAME_VALUE) {
        return false;
    }
    size_t device_len = strlen(common_name) - strlen(domain) - 1;
    snprintf(text, LIMIT_NAME_VALUE + 1, "%.*s@%s", (int)device_len, common_name, domain);
    return true;
}

static bool has_san(const struct san *sans, uint32_t count, enum san_kind kind, const char *text)
{
    size_t len = strlen(text);
    for (uint32_t i = 0; i < count; i++) {
        if (sans[i].kind == kind && sans[i].text.len == len &&
            strncasecmp((const char *)sans[i].text.data, text, len) == 0) {
            return true;
        }
    }
    return false;
}

enum err_code names_add_sans(const char *common_name, const struct settings *settings,
                             struct names_added *text, struct san sans[LIMIT_SUBJECT_ALT_NAMES],
                             uint32_t *count, struct err *err)
{
    static const enum san_kind kinds[] = {
        [SETTINGS_ADD_DNS] = SAN_DNS,
        [SETTINGS_ADD_EMAIL] = SAN_EMAIL,
        [SETTINGS_ADD_UPN] = SAN_UPN,
    };
    const char *domain = find_domain(common_name, &settings->phone.domains);
    uint32_t total = *count;
    for (uint32_t i = 0; i < settings->phone.added_sans_count; i++) {
        uint32_t rule = settings->phone.added_sans[i];
        char *place = text->text[rule];
        bool is_made = rule == SETTINGS_ADD_DNS ? make_dns(common_name, place)
                                                : make_mailbox(common_name, domain, place);
        if (!is_made || has_san(sans, total, kinds[rule], place)) {
            continue;
        }
        if (total >= LIMIT_SUBJECT_ALT_NAMES) {
            return err_set(err, ERR_BAD_REQUEST,
                           "more than %d subjectAltNames, with those that phone.added_sans adds",
                           LIMIT_SUBJECT_ALT_NAMES);
        }
        sans[total++] = (struct san){.kind = kinds[rule], .text = view_of_text(place)};
    }
    *count = total;
    return ERR_OK;
}
