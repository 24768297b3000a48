// SPDX-License-Identifier: Apache-2.0
// Checks that need more than one setting, or the disk. A setting that has a problem already is left
// out, so that each mistake is reported once.
#include "conf/loading.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/limits.h"
#include "conf/syntax.h"
#include "conf/value.h"

static enum loading_state state_of(const struct loading *loading, const char *name)
{
    return loading->main.states[schema_index(schema_find(name))];
}

static bool is_good(const struct loading *loading, const char *name)
{
    enum loading_state state = state_of(loading, name);
    return state != LOADING_BAD && state != LOADING_ABSENT;
}

static bool both_are_good(const struct loading *loading, const char *name, const char *other)
{
    return is_good(loading, name) && is_good(loading, other);
}

static void check_part(struct loading *loading, struct loading_part *part)
{
    const struct schema_item *item;
    uint32_t topology = loading->into->scep.topology;
    bool is_known = state_of(loading, "scep.topology") != LOADING_BAD;
    for (size_t i = 0; (item = schema_item(i)) != NULL; i++) {
        enum loading_state state = part->states[i];
        if (!loading_has(part, item) || (!is_known && item->presence != SCHEMA_REQUIRED)) {
            continue;
        }
        if (state == LOADING_ABSENT && schema_is_required(item, topology)) {
            loading_bad(loading, part, item, "not in the file; allowed: it must be set");
        } else if (state == LOADING_FOUND && schema_is_forbidden(item, topology)) {
            loading_bad(
                loading, part, item,
                "set under scep.topology \"direct\"; allowed: only under \"ra\", because the "
                "CA answers with its own key and is its own root");
        }
    }
}

void loading_check_presence(struct loading *loading)
{
    check_part(loading, &loading->main);
    for (uint32_t i = 0; i < loading->entries_count; i++) {
        check_part(loading, &loading->entries[i]);
    }
}

static void check_lifetime(struct loading *loading)
{
    const char *jitter = "phone.validity_jitter_days";
    if (!both_are_good(loading, jitter, "phone.validity_days")) {
        return;
    }
    uint32_t days = loading->into->phone.validity_days;
    uint32_t most = days - PHONE_RENEWS_BEFORE_DAYS - 1;
    if (loading->into->phone.validity_jitter_days > most) {
        loading_bad(loading, &loading->main, schema_find(jitter),
                    "%u of %u days; allowed: 0 to %u, so that more than %d days are left, in which "
                    "a phone renews",
                    loading->into->phone.validity_jitter_days, days, most,
                    PHONE_RENEWS_BEFORE_DAYS);
    }
}

// A window as long as the shortest certificate would renew a new one at once.
static void check_window(struct loading *loading)
{
    const struct settings *settings = loading->into;
    const struct schema_item *item = schema_find("renewal.window_days");
    if (!both_are_good(loading, "phone.validity_days", "phone.validity_jitter_days") ||
        !is_good(loading, item->name)) {
        return;
    }
    uint32_t days = settings->phone.validity_days - settings->phone.validity_jitter_days;
    if (settings->renewal.window_days < days) {
        return;
    }
    const char *origin = state_of(loading, item->name) == LOADING_DEFAULT ? " (the default)" : "";
    if (days > item->min) {
        loading_bad(loading, &loading->main, item,
                    "%u%s of only %u days (phone.validity_days less the jitter); allowed: %u to "
                    "%u, because certificates must live longer than their window",
                    settings->renewal.window_days, origin, days, item->min, days - 1);
    } else {
        loading_bad(loading, &loading->main, item,
                    "%u%s of only %u days (phone.validity_days less the jitter); allowed: %u or "
                    "more, so these days must be %u or more",
                    settings->renewal.window_days, origin, days, item->min, item->min + 1);
    }
}

// The same path, be it in a URI or not, or the same URI of a token.
static bool are_same(const char *a, const char *b)
{
    const char *a_path = syntax_key_path(a);
    const char *b_path = syntax_key_path(b);
    bool are_paths = a_path != NULL && b_path != NULL;
    return are_paths ? strcmp(a_path, b_path) == 0 : strcmp(a, b) == 0;
}

static void check_different(struct loading *loading, const char *name, const char *other,
                            const char *reason)
{
    if (both_are_good(loading, name, other) &&
        are_same(value_text(schema_find(name), loading->into),
                 value_text(schema_find(other), loading->into))) {
        loading_bad(loading, &loading->main, schema_find(name),
                    "the same as %s; allowed: another one%s", other, reason);
    }
}

static void check_ca_list(struct loading *loading)
{
    const struct schema_item *item = schema_find("scep.get_ca_cert");
    const struct settings *settings = loading->into;
    bool counts = settings->scep.topology == SETTINGS_TOPOLOGY_RA;
    if (!counts || !is_good(loading, item->name)) {
        return;
    }
    for (uint32_t i = 0; i < settings->scep.get_ca_cert_count; i++) {
        if (settings->scep.get_ca_cert[i] == SETTINGS_CA_ITEM_RA) {
            return;
        }
    }
    loading_bad(loading, &loading->main, item,
                "no \"ra\" in it; allowed: lists with \"ra\", because clients "
                "encrypt to the RA's certificate");
}

static void check_store_name(struct loading *loading, uint32_t index)
{
    const struct schema_item *item = schema_find("mic.name");
    const char *name = loading->into->mic[index].name;
    for (uint32_t i = 0; name != NULL && i < index; i++) {
        const char *other = loading->into->mic[i].name;
        if (other != NULL && strcmp(name, other) == 0) {
            loading_bad(loading, &loading->entries[index], item,
                        "the same as mic[%u].name; allowed: another one", i);
            return;
        }
    }
}

static bool is_loopback(const union syntax_address *address)
{
    if (address->any.sa_family == AF_INET) {
        return ntohl(address->v4.sin_addr.s_addr) >> IN_CLASSA_NSHIFT == IN_LOOPBACKNET;
    }
    return IN6_IS_ADDR_LOOPBACK(&address->v6.sin6_addr);
}

// Nobody is asked who they are there.
static void check_web(struct loading *loading)
{
    const struct schema_item *item = schema_find("web.listen");
    union syntax_address address;
    struct err ignored = {0};
    if (!is_good(loading, item->name) || loading->into->web.listen == NULL ||
        syntax_listen(loading->into->web.listen, &address, &ignored) != ERR_OK) {
        return;
    }
    if (!is_loopback(&address)) {
        loading_bad(loading, &loading->main, item,
                    "\"%s\" can be reached from other machines; allowed: a loopback address, "
                    "127.0.0.1 or [::1]",
                    loading->into->web.listen);
    }
}

void loading_check_together(struct loading *loading)
{
    check_lifetime(loading);
    check_window(loading);
    check_ca_list(loading);
    check_different(loading, "ra.key", "ca.key", ", because scepd must not have the CA's key");
    check_different(loading, "admin.socket", "ca.socket", "");
    check_different(loading, "http.ca_path", "http.crl_path", "");
    check_different(loading, "http.root_path", "http.crl_path", "");
    check_different(loading, "http.root_path", "http.ca_path", "");
    check_different(loading, "http.ocsp_path", "http.crl_path", "");
    check_different(loading, "http.ocsp_path", "http.ca_path", "");
    check_different(loading, "http.ocsp_path", "http.root_path", "");
    check_web(loading);
    for (uint32_t i = 0; i < loading->entries_count; i++) {
        check_store_name(loading, i);
    }
}

static const char *usable(const struct schema_item *item)
{
    switch (item->type) {
    case SCHEMA_PROGRAM:
        return "a program that can be run";
    case SCHEMA_DIRECTORY:
        return "a directory, or a name in one";
    default:
        return item->only_ca ? "a file that is there" : "a file that can be read";
    }
}

// The setting whose path is looked at.
struct place {
    struct loading *loading;
    struct loading_part *part;
    const struct schema_item *item;
    bool is_default;
};

static void bad_file(const struct place *place, const char *path, const char *why)
{
    loading_bad(place->loading, place->part, place->item, "%s%s: %s; allowed: %s", path,
                place->is_default ? " (the default)" : "", why, usable(place->item));
}

// The file may lie where only scepd-ca's user can look.
static void check_ca_file(const struct place *place, const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0) {
        if (errno != EACCES) {
            bad_file(place, path, strerror(errno));
        }
    } else if (!S_ISREG(status.st_mode)) {
        bad_file(place, path, "not a regular file");
    }
}

static void check_file(const struct place *place, const char *path)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        bad_file(place, path, strerror(errno));
        return;
    }
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
        bad_file(place, path, "not a regular file");
    }
    close(fd);
}

static void check_program(const struct place *place, const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0 || access(path, X_OK) != 0) {
        bad_file(place, path, strerror(errno));
    } else if (!S_ISREG(status.st_mode)) {
        bad_file(place, path, "not a regular file");
    }
}

static bool has_parent(const char *path)
{
    struct stat status;
    char *copy = strdup(path);
    bool is_there = copy != NULL && stat(dirname(copy), &status) == 0 && S_ISDIR(status.st_mode);
    free(copy);
    return is_there;
}

static void check_directory(const struct place *place, const char *path)
{
    struct stat status;
    if (stat(path, &status) == 0) {
        if (!S_ISDIR(status.st_mode)) {
            bad_file(place, path, "not a directory");
        }
    } else if (errno != ENOENT) {
        bad_file(place, path, strerror(errno));
    } else if (!has_parent(path)) {
        bad_file(place, path, "neither it nor the directory above it is there");
    }
}

static void check_path(const struct place *place, const char *text)
{
    const char *path = place->item->type == SCHEMA_KEY ? syntax_key_path(text) : text;
    if (path == NULL) {
        return; // a token's URI
    }
    if (place->item->only_ca) {
        check_ca_file(place, path);
        return;
    }
    switch (place->item->type) {
    case SCHEMA_KEY:
    case SCHEMA_FILE:
    case SCHEMA_FILE_LIST:
        check_file(place, path);
        break;
    case SCHEMA_PROGRAM:
        check_program(place, path);
        break;
    case SCHEMA_DIRECTORY:
        check_directory(place, path);
        break;
    default:
        break;
    }
}

static void check_texts(const struct place *place, const struct settings_texts *texts)
{
    for (uint32_t i = 0; i < texts->count; i++) {
        check_path(place, texts->list[i]);
    }
}

static void check_paths(struct loading *loading, struct loading_part *part)
{
    const struct schema_item *item;
    for (size_t i = 0; (item = schema_item(i)) != NULL; i++) {
        const struct place place = {.loading = loading,
                                    .part = part,
                                    .item = item,
                                    .is_default = part->states[i] == LOADING_DEFAULT};
        if (part->states[i] != LOADING_FOUND && part->states[i] != LOADING_DEFAULT) {
            continue;
        }
        if (schema_is_text(item)) {
            check_path(&place, value_text(item, part->into));
        } else if (schema_is_text_list(item)) {
            check_texts(&place, value_texts(item, part->into));
        }
    }
}

void loading_check_files(struct loading *loading)
{
    check_paths(loading, &loading->main);
    for (uint32_t i = 0; i < loading->entries_count; i++) {
        check_paths(loading, &loading->entries[i]);
    }
}
