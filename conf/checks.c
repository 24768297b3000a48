// SPDX-License-Identifier: Apache-2.0
// Checks that need more than one setting, or the disk. A setting that has a problem already is left
// out, so that each mistake is reported once.
#include "conf/loading.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/limits.h"
#include "conf/syntax.h"
#include "conf/value.h"

static size_t index_of(const char *name)
{
    return (size_t)(schema_find(name) - schema_item(0));
}

static bool both_are_good(const struct loading *loading, const char *name, const char *other)
{
    enum loading_state a = loading->states[index_of(name)];
    enum loading_state b = loading->states[index_of(other)];
    return a != LOADING_BAD && a != LOADING_ABSENT && b != LOADING_BAD && b != LOADING_ABSENT;
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
        loading_bad(loading, index_of(jitter),
                    "%u of %u days; allowed: 0 to %u, so that more than %d days are left, in which "
                    "a phone renews",
                    loading->into->phone.validity_jitter_days, days, most,
                    PHONE_RENEWS_BEFORE_DAYS);
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
        loading_bad(loading, index_of(name), "the same as %s; allowed: another one%s", other,
                    reason);
    }
}

static void check_ca_list(struct loading *loading)
{
    size_t index = index_of("scep.get_ca_cert");
    const struct settings *settings = loading->into;
    if (loading->states[index] == LOADING_BAD) {
        return;
    }
    for (uint32_t i = 0; i < settings->scep.get_ca_cert_count; i++) {
        if (settings->scep.get_ca_cert[i] == SETTINGS_CA_ITEM_RA) {
            return;
        }
    }
    if (settings->scep.get_ca_cert_count > 0) {
        loading_bad(loading, index,
                    "no \"ra\" in it; allowed: lists with \"ra\", because clients "
                    "encrypt to the RA's certificate");
    }
}

void loading_check_together(struct loading *loading)
{
    check_lifetime(loading);
    check_ca_list(loading);
    check_different(loading, "ra.key", "ca.key", ", because scepd must not have the CA's key");
    check_different(loading, "admin.socket", "ca.socket", "");
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

static void bad_file(struct loading *loading, size_t index, const char *path, const char *why)
{
    const char *origin = loading->states[index] == LOADING_DEFAULT ? " (the default)" : "";
    loading_bad(loading, index, "%s%s: %s; allowed: %s", path, origin, why,
                usable(schema_item(index)));
}

// The file may lie where only scepd-ca's user can look.
static void check_ca_file(struct loading *loading, size_t index, const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0) {
        if (errno != EACCES) {
            bad_file(loading, index, path, strerror(errno));
        }
    } else if (!S_ISREG(status.st_mode)) {
        bad_file(loading, index, path, "not a regular file");
    }
}

static void check_file(struct loading *loading, size_t index, const char *path)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        bad_file(loading, index, path, strerror(errno));
        return;
    }
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
        bad_file(loading, index, path, "not a regular file");
    }
    close(fd);
}

static void check_program(struct loading *loading, size_t index, const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0 || access(path, X_OK) != 0) {
        bad_file(loading, index, path, strerror(errno));
    } else if (!S_ISREG(status.st_mode)) {
        bad_file(loading, index, path, "not a regular file");
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

static void check_directory(struct loading *loading, size_t index, const char *path)
{
    struct stat status;
    if (stat(path, &status) == 0) {
        if (!S_ISDIR(status.st_mode)) {
            bad_file(loading, index, path, "not a directory");
        }
    } else if (errno != ENOENT) {
        bad_file(loading, index, path, strerror(errno));
    } else if (!has_parent(path)) {
        bad_file(loading, index, path, "neither it nor the directory above it is there");
    }
}

static void check_path(struct loading *loading, size_t index)
{
    const struct schema_item *item = schema_item(index);
    const char *text = value_text(item, loading->into);
    const char *path = item->type == SCHEMA_KEY ? syntax_key_path(text) : text;
    if (path == NULL) {
        return; // a token's URI
    }
    if (item->only_ca) {
        check_ca_file(loading, index, path);
    } else if (item->type == SCHEMA_KEY || item->type == SCHEMA_FILE) {
        check_file(loading, index, path);
    } else if (item->type == SCHEMA_PROGRAM) {
        check_program(loading, index, path);
    } else if (item->type == SCHEMA_DIRECTORY) {
        check_directory(loading, index, path);
    }
}

void loading_check_files(struct loading *loading)
{
    for (size_t i = 0; schema_item(i) != NULL; i++) {
        bool is_set = loading->states[i] == LOADING_FOUND || loading->states[i] == LOADING_DEFAULT;
        if (is_set && schema_is_text(schema_item(i))) {
            check_path(loading, i);
        }
    }
}
