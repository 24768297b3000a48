// SPDX-License-Identifier: Apache-2.0
// Reads the folder of CAs as it stands: nothing here creates, switches or deletes one. Folders are
// taken in the order of their names, so that every reader sees the same list.
#include "conf/generations.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/base/file.h"
#include "conf/base/hex.h"
#include "conf/cert_file.h"

#define NAME_OCTETS  ((GENERATION_NAME_LEN - 1) / 2)
#define URI_FILE_LEN 4096 // octets; PKCS#11 URIs have a few hundred
#define PLACEHOLDER  "{ca}"

// What reading needs all the time.
struct reading {
    const struct settings *settings;
    struct generations *into;
    char current[GENERATION_NAME_LEN]; // "" = no link
    char next[GENERATION_NAME_LEN];
};

static void generation_done(struct generation *generation)
{
    X509_free(generation->cert);
    free(generation->key);
    free(generation->pin_file);
    free(generation->chain);
    *generation = (struct generation){0};
}

void generations_done(struct generations *generations)
{
    for (unsigned i = 0; i < generations->count; i++) {
        generation_done(&generations->list[i]);
    }
    generations->count = 0;
}

static enum err_code no_memory(struct err *err)
{
    return err_set(err, ERR_NOMEM, "no memory for the list of CAs");
}

enum err_code generation_read_chain(const struct generation *generation,
                                    STACK_OF(X509) * *ret_chain, struct err *err)
{
    CLEANUP(cleanup_free_cert_stack) STACK_OF(X509) *chain = sk_X509_new_null();
    if (chain == NULL) {
        return no_memory(err);
    }
    enum err_code code = ERR_OK;
    if (generation->chain != NULL) {
        code = cert_file_read_all(generation->chain, chain, err);
    }
    if (code == ERR_OK) {
        // A copy of the CA itself would be sent twice.
        ossl_drop_copies(chain, generation->cert);
        *ret_chain = chain;
        chain = NULL;
    }
    return code;
}

enum err_code generation_identify(const X509 *cert, uint8_t ret_id[SHA256_LEN],
                                  char ret_name[GENERATION_NAME_LEN], struct err *err)
{
    unsigned char *der = NULL;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
    if (len < 0) {
        return err_set_openssl(err, ERR_NOMEM, "cannot encode a CA's public key");
    }
    const struct view spki = view_of(der, (size_t)len);
    ossl_sha256(&spki, 1, ret_id);
    OPENSSL_free(der);
    hex_encode(view_of(ret_id, NAME_OCTETS), ret_name);
    for (char *at = ret_name; *at != '\0'; at++) {
        *at = *at >= 'A' && *at <= 'F' ? (char)(*at - 'A' + 'a') : *at;
    }
    return ERR_OK;
}

static bool is_name(const char *text)
{
    return strlen(text) == GENERATION_NAME_LEN - 1 &&
           strspn(text, "0123456789abcdef") == GENERATION_NAME_LEN - 1;
}

static enum err_code copy_text(const char *text, char **ret_copy, struct err *err)
{
    char *copy = strdup(text);
    if (copy == NULL) {
        return no_memory(err);
    }
    *ret_copy = copy;
    return ERR_OK;
}

static enum err_code join(const char *folder, const char *name, const char *file, char **ret_path,
                          struct err *err)
{
    return asprintf(ret_path, "%s/%s%s%s", folder, name, file != NULL ? "/" : "",
                    file != NULL ? file : "") >= 0
               ? ERR_OK
               : no_memory(err);
}

// The path of an optional file; NULL when it is not there.
static enum err_code find_file(const char *folder, const char *name, const char *file,
                               char **ret_path, struct err *err)
{
    char *path = NULL;
    enum err_code code = join(folder, name, file, &path, err);
    if (code != ERR_OK) {
        return code;
    }
    struct stat status;
    bool is_there = stat(path, &status) == 0;
    if (!is_there && errno != ENOENT) {
        code = err_set_errno(err, "cannot look at %s", path);
    }
    if (!is_there) {
        free(path);
        path = NULL;
    }
    if (code == ERR_OK) {
        *ret_path = path;
    }
    return code;
}

enum err_code generation_read_uri(const char *path, char **ret_uri, struct err *err)
{
    CLEANUP(buf_wipe) struct buf text = {0}; // a URI may hold a PIN
    enum err_code code = file_read(path, URI_FILE_LEN, &text, err);
    if (code != ERR_OK) {
        return code;
    }
    size_t len = 0;
    while (len < text.len && text.data[len] != '\n') {
        len++;
    }
    if (len == 0 || memchr(text.data, '\0', len) != NULL) {
        return err_set(err, ERR_CONFIG, "%s has no URI of a key in its first line", path);
    }
    char *uri = strndup((const char *)text.data, len);
    if (uri == NULL) {
        return no_memory(err);
    }
    *ret_uri = uri;
    return ERR_OK;
}

static bool may_read(const char *path)
{
    return faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) == 0 || errno != EACCES;
}

// A key that is nowhere gets the path where it is looked for first, and one whose URI only scepd-ca
// may read that file's: who opens it will say so.
static enum err_code find_key(const char *folder, const char *name, char **ret_key, struct err *err)
{
    char *uri_file = NULL;
    char *key = NULL;
    enum err_code code = find_file(folder, name, "ca.key", &key, err);
    if (code == ERR_OK && key == NULL) {
        code = find_file(folder, name, "key.uri", &uri_file, err);
    }
    if (code == ERR_OK && uri_file != NULL && !may_read(uri_file)) {
        key = uri_file;
        uri_file = NULL;
    } else if (code == ERR_OK && uri_file != NULL) {
        code = generation_read_uri(uri_file, &key, err);
    }
    if (code == ERR_OK && key == NULL) {
        code = join(folder, name, "ca.key", &key, err);
    }
    free(uri_file);
    if (code == ERR_OK) {
        *ret_key = key;
    }
    return code;
}

static enum err_code default_chain(const struct settings *settings, struct generation *generation,
                                   struct err *err)
{
    if (settings->ca.root == NULL || ossl_is_self_issued(generation->cert)) {
        return ERR_OK;
    }
    return copy_text(settings->ca.root, &generation->chain, err);
}

static enum err_code check_name(const struct generation *generation, const char *folder,
                                const char *name, struct err *err)
{
    if (strcmp(generation->name, name) != 0) {
        return err_set(err, ERR_CONFIG, "%s/%s holds the certificate of the CA %s", folder, name,
                       generation->name);
    }
    return ERR_OK;
}

// The first one is the CA's; its chain may follow.
static enum err_code read_cert(const char *path, struct generation *generation, struct err *err)
{
    CLEANUP(cleanup_free_cert_stack) STACK_OF(X509) *certs = sk_X509_new_null();
    if (certs == NULL) {
        return no_memory(err);
    }
    enum err_code code = cert_file_read_all(path, certs, err);
    if (code == ERR_OK) {
        generation->cert = sk_X509_shift(certs);
    }
    return code == ERR_OK
               ? generation_identify(generation->cert, generation->id, generation->name, err)
               : code;
}

static enum err_code read_folder(const struct settings *settings, const char *name,
                                 struct generation *generation, struct err *err)
{
    const char *folder = settings->ca.generations;
    char *path = NULL;
    enum err_code code = join(folder, name, "ca.pem", &path, err);
    if (code == ERR_OK) {
        code = read_cert(path, generation, err);
    }
    free(path);
    if (code == ERR_OK) {
        code = check_name(generation, folder, name, err);
    }
    if (code == ERR_OK) {
        code = find_key(folder, name, &generation->key, err);
    }
    if (code == ERR_OK) {
        code = find_file(folder, name, "pin", &generation->pin_file, err);
    }
    if (code == ERR_OK) {
        code = find_file(folder, name, "chain.pem", &generation->chain, err);
    }
    if (code == ERR_OK && generation->chain == NULL) {
        code = default_chain(settings, generation, err);
    }
    return code;
}

static enum err_code read_configured(const struct settings *settings, struct generation *generation,
                                     struct err *err)
{
    enum err_code code = read_cert(settings->ca.certificate, generation, err);
    if (code == ERR_OK) {
        code = copy_text(settings->ca.key, &generation->key, err);
    }
    if (code == ERR_OK && settings->ca.pin_file != NULL) {
        code = copy_text(settings->ca.pin_file, &generation->pin_file, err);
    }
    return code == ERR_OK ? default_chain(settings, generation, err) : code;
}

// `name` NULL = the CA of the settings.
static enum err_code append(struct reading *reading, const char *name, struct err *err)
{
    struct generations *into = reading->into;
    if (into->count == GENERATIONS_MAX) {
        return err_set(err, ERR_CONFIG, "more than %d CAs with those in %s", GENERATIONS_MAX,
                       reading->settings->ca.generations);
    }
    struct generation *generation = &into->list[into->count++];
    enum err_code code = name != NULL ? read_folder(reading->settings, name, generation, err)
                                      : read_configured(reading->settings, generation, err);
    // Two folders cannot: their names come from their keys.
    if (code == ERR_OK && name != NULL &&
        memcmp(into->list[0].id, generation->id, SHA256_LEN) == 0) {
        code = err_set(err, ERR_CONFIG, "ca.certificate and %s/%s have the same key",
                       reading->settings->ca.generations, name);
    }
    return code;
}

static enum err_code read_link(const char *folder, const char *link,
                               char ret_name[GENERATION_NAME_LEN], struct err *err)
{
    char *path = NULL;
    enum err_code code = join(folder, link, NULL, &path, err);
    if (code != ERR_OK) {
        return code;
    }
    char target[GENERATION_NAME_LEN + 1]; // one more shows that it is too long
    ssize_t len = readlink(path, target, sizeof target - 1);
    target[len > 0 ? len : 0] = '\0';
    if (len < 0 && errno == ENOENT) {
        ret_name[0] = '\0';
    } else if (len < 0 && errno != EINVAL) {
        code = err_set_errno(err, "cannot read the link %s", path);
    } else if (!is_name(target)) {
        code = err_set(err, ERR_CONFIG,
                       "%s is not a link to a folder beside it, named by %d lower-case hex digits",
                       path, GENERATION_NAME_LEN - 1);
    } else {
        memcpy(ret_name, target, GENERATION_NAME_LEN);
    }
    free(path);
    return code;
}

static int is_generation_entry(const struct dirent *entry)
{
    return is_name(entry->d_name) ? 1 : 0;
}

static enum err_code read_folders(struct reading *reading, struct err *err)
{
    struct dirent **entries = NULL;
    int count =
        scandir(reading->settings->ca.generations, &entries, is_generation_entry, alphasort);
    if (count < 0) {
        return err_set_errno(err, "cannot list the folder of CAs %s",
                             reading->settings->ca.generations);
    }
    enum err_code code = ERR_OK;
    for (int i = 0; i < count; i++) {
        if (code == ERR_OK) {
            code = append(reading, entries[i]->d_name, err);
        }
        free(entries[i]);
    }
    free(entries);
    return code;
}

// Moves an element to `to`, in front of those that were there.
static void move_to(struct generations *generations, unsigned from, unsigned to)
{
    struct generation moved = generations->list[from];
    memmove(&generations->list[to + 1], &generations->list[to],
            (from - to) * sizeof generations->list[0]);
    generations->list[to] = moved;
}

static enum err_code give_role(struct reading *reading, const char *name, enum generation_role role,
                               struct err *err)
{
    struct generations *into = reading->into;
    for (unsigned i = 0; i < into->count; i++) {
        if (strcmp(into->list[i].name, name) == 0) {
            into->list[i].role = role;
            move_to(into, i, role == GENERATION_CURRENT ? 0 : 1);
            return ERR_OK;
        }
    }
    return err_set(err, ERR_CONFIG, "%s/%s links to %s, which is not there",
                   reading->settings->ca.generations,
                   role == GENERATION_CURRENT ? "current" : "next", name);
}

static enum err_code give_roles(struct reading *reading, struct err *err)
{
    for (unsigned i = 0; i < reading->into->count; i++) {
        reading->into->list[i].role = GENERATION_OLD;
    }
    // Without the link it is the CA of the settings, which is the first already.
    const char *current =
        reading->current[0] != '\0' ? reading->current : reading->into->list[0].name;
    enum err_code code = give_role(reading, current, GENERATION_CURRENT, err);
    if (code == ERR_OK && reading->next[0] != '\0' &&
        strcmp(reading->next, reading->into->list[0].name) != 0) {
        code = give_role(reading, reading->next, GENERATION_NEXT, err);
    }
    return code;
}

static enum err_code read_generations(struct reading *reading, struct err *err)
{
    const char *folder = reading->settings->ca.generations;
    enum err_code code = read_link(folder, "current", reading->current, err);
    if (code == ERR_OK) {
        code = read_link(folder, "next", reading->next, err);
    }
    return code == ERR_OK ? read_folders(reading, err) : code;
}

enum err_code generations_read(const struct settings *settings, struct generations *ret_generations,
                               struct err *err)
{
    struct generations generations = {0};
    struct reading reading = {.settings = settings, .into = &generations};
    enum err_code code = append(&reading, NULL, err);
    if (code == ERR_OK && settings->ca.generations != NULL) {
        code = read_generations(&reading, err);
    }
    if (code == ERR_OK) {
        code = give_roles(&reading, err);
    }
    if (code != ERR_OK) {
        generations_done(&generations);
        return code;
    }
    *ret_generations = generations;
    return ERR_OK;
}

const struct generation *generations_next(const struct generations *generations)
{
    bool has_next = generations->count > 1 && generations->list[1].role == GENERATION_NEXT;
    return has_next ? &generations->list[1] : NULL;
}

static enum err_code append_limited(struct buf *text, struct view part, struct err *err)
{
    if (text->len + part.len > GENERATION_TEXT_MAX) {
        return err_set(err, ERR_LIMIT, "a URL or path with %s is longer than %d octets",
                       PLACEHOLDER, GENERATION_TEXT_MAX);
    }
    return buf_append(text, part, err);
}

enum err_code generation_expand(const char *pattern, const char *name, struct buf *ret_text,
                                struct err *err)
{
    CLEANUP(buf_done) struct buf text = {0};
    enum err_code code = ERR_OK;
    const char *found = NULL;
    while (code == ERR_OK && (found = strstr(pattern, PLACEHOLDER)) != NULL) {
        code = append_limited(&text, view_of(pattern, (size_t)(found - pattern)), err);
        if (code == ERR_OK) {
            code = append_limited(&text, view_of_text(name), err);
        }
        pattern = found + strlen(PLACEHOLDER);
    }
    if (code == ERR_OK) {
        code = append_limited(&text, view_of_text(pattern), err);
    }
    if (code == ERR_OK) {
        code = buf_append(&text, view_of("", 1), err);
    }
    if (code != ERR_OK) {
        return code;
    }
    text.len--;
    *ret_text = text;
    text = (struct buf){0};
    return ERR_OK;
}
