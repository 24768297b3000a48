// SPDX-License-Identifier: Apache-2.0
#include "server/ctl/init_files.h"

#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include <openssl/crypto.h>

#include "conf/settings.h"
#include "ra/challenge.h"
#include "server/ctl/folder.h"

#define RA_CERTIFICATE  "ra.pem"
#define RA_KEY          "ra.key"
#define CHALLENGE_KEY   "challenge.key"
#define STORE           "store"
#define GENERATIONS     "generations"
#define RA_DIRECTORY    "ra"
#define ADMIN_SOCKET    "admin.sock"
#define CA_SOCKET       "ca.sock"
#define SOCKET_PATH_MAX (sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1) // octets

#define ENTRIES_MAX 16

static bool has_root(const struct init_plan *plan)
{
    return plan->order.tiers > 1;
}

static bool has_ra(const struct init_plan *plan)
{
    return !plan->order.is_direct;
}

// What will be made, NULL at the end.
static void list_names(const struct init_plan *plan, const char *names[ENTRIES_MAX + 1])
{
    const struct {
        const char *name;
        bool is_wanted;
    } all[] = {
        {INIT_CONFIG, true},
        {INIT_ROOT_CERTIFICATE, has_root(plan)},
        {INIT_ROOT_KEY, has_root(plan)},
        {INIT_CA_CERTIFICATE, true},
        {INIT_CA_KEY, true},
        {RA_CERTIFICATE, has_ra(plan)},
        {RA_KEY, has_ra(plan)},
        {RA_DIRECTORY, has_ra(plan)},
        {GENERATIONS, true},
        {CHALLENGE_KEY, true},
        {STORE, true},
    };
    size_t count = 0;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (all[i].is_wanted) {
            names[count++] = all[i].name;
        }
    }
    names[count] = NULL;
}

static enum err_code write_config(const struct init_plan *plan, struct buf *ret_text,
                                  struct err *err)
{
    const struct settings_value all[] = {
        {"scep.topology", has_ra(plan) ? NULL : "direct"},
        {"ra.certificate", has_ra(plan) ? RA_CERTIFICATE : NULL},
        {"ra.key", has_ra(plan) ? RA_KEY : NULL},
        {"ra.directory", has_ra(plan) ? RA_DIRECTORY : NULL},
        {"ca.certificate", INIT_CA_CERTIFICATE},
        {"ca.key", INIT_CA_KEY},
        {"ca.root", has_root(plan) ? INIT_ROOT_CERTIFICATE : NULL},
        {"ca.generations", GENERATIONS},
        {"ca.socket", CA_SOCKET},
        {"challenge.key_file", CHALLENGE_KEY},
        {"challenge.static_file", plan->static_file},
        {"store.directory", STORE},
        {"admin.socket", ADMIN_SOCKET},
        {"http.listen", plan->listen},
    };
    struct settings_value given[sizeof all / sizeof all[0] + 1] = {0};
    size_t count = 0;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (all[i].value != NULL) {
            given[count++] = all[i];
        }
    }
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    if (out == NULL) {
        return err_set_errno(err, "no memory for the settings");
    }
    enum err_code code = settings_write(out, given, err);
    if (fclose(out) != 0 && code == ERR_OK) {
        code = err_set_errno(err, "no memory for the settings");
    }
    if (code == ERR_OK) {
        code = buf_copy(view_of(text, len), ret_text, err);
    }
    free(text);
    return code;
}

// Now, and not when scepd starts for the first time.
static enum err_code check_sockets(const struct folder *folder, struct err *err)
{
    size_t len = strlen(folder->path) + sizeof "/" ADMIN_SOCKET - 1;
    if (len > SOCKET_PATH_MAX) {
        return err_set(err, ERR_LIMIT,
                       "the path of the socket %s in this directory has %zu octets; at most %zu "
                       "are allowed: choose a directory with a shorter path (by %zu)",
                       ADMIN_SOCKET, len, SOCKET_PATH_MAX, len - SOCKET_PATH_MAX);
    }
    return ERR_OK;
}

static enum err_code add_challenge_key(struct folder *folder, struct err *err)
{
    uint8_t key[CHALLENGE_KEY_LEN_MIN];
    enum err_code code = ossl_random(key, sizeof key, err);
    if (code == ERR_OK) {
        code = folder_add_file(folder, CHALLENGE_KEY, view_of(key, sizeof key), err);
    }
    OPENSSL_cleanse(key, sizeof key);
    return code;
}

static enum err_code add_made(struct folder *folder, const struct init_plan *plan,
                              const struct ceremony_result *made, struct err *err)
{
    const struct {
        const char *name;
        const struct buf *content;
        bool is_wanted;
    } files[] = {
        {INIT_ROOT_CERTIFICATE, &made->root_certificate, has_root(plan)},
        {INIT_ROOT_KEY, &made->root_key, has_root(plan)},
        {INIT_CA_CERTIFICATE, &made->ca_certificate, true},
        {INIT_CA_KEY, &made->ca_key, true},
        {RA_CERTIFICATE, &made->ra_certificate, has_ra(plan)},
        {RA_KEY, &made->ra_key, has_ra(plan)},
    };
    enum err_code code = ERR_OK;
    for (size_t i = 0; code == ERR_OK && i < sizeof files / sizeof files[0]; i++) {
        if (files[i].is_wanted) {
            code = folder_add_file(folder, files[i].name, buf_view(files[i].content), err);
        }
    }
    return code;
}

static enum err_code add_ceremony(struct folder *folder, const struct init_plan *plan,
                                  struct init_result *result, struct err *err)
{
    CLEANUP(ceremony_done) struct ceremony_result made = {0};
    enum err_code code = ceremony_run(&plan->order, &made, err);
    if (code == ERR_OK) {
        code = add_made(folder, plan, &made, err);
    }
    if (code == ERR_OK) {
        memcpy(result->root_sha256, made.root_sha256, sizeof made.root_sha256);
        memcpy(result->root_sha1, made.root_sha1, sizeof made.root_sha1);
    }
    return code;
}

// What scepd would say at its start, said here.
static enum err_code check_result(const struct folder *folder, FILE *problems, struct err *err)
{
    char *path = folder_path(folder, INIT_CONFIG);
    if (path == NULL) {
        return err_set(err, ERR_NOMEM, "no memory for a path");
    }
    struct settings *settings = NULL;
    enum err_code code = settings_load(path, true, problems, &settings, err);
    free(path);
    if (code != ERR_OK) {
        return code;
    }
    struct challenge_secrets secrets = {0};
    code = challenge_secrets_load(settings, &secrets, err);
    challenge_secrets_done(&secrets);
    settings_free(settings);
    return code;
}

static enum err_code fill(struct folder *folder, const struct init_plan *plan, struct view config,
                          struct init_result *result, struct err *err)
{
    enum err_code code = check_sockets(folder, err);
    if (code == ERR_OK) {
        code = add_ceremony(folder, plan, result, err);
    }
    if (code == ERR_OK) {
        code = add_challenge_key(folder, err);
    }
    if (code == ERR_OK) {
        code = folder_add_folder(folder, STORE, err);
    }
    if (code == ERR_OK) {
        code = folder_add_folder(folder, GENERATIONS, err);
    }
    if (code == ERR_OK && has_ra(plan)) {
        code = folder_add_folder(folder, RA_DIRECTORY, err);
    }
    return code == ERR_OK ? folder_add_file(folder, INIT_CONFIG, config, err) : code;
}

enum err_code init_files(const struct init_plan *plan, FILE *problems,
                         struct init_result *ret_result, struct err *err)
{
    CLEANUP(buf_done) struct buf config = {0};
    CLEANUP(folder_done) struct folder folder = {0};
    struct init_result result = {0};
    const char *names[ENTRIES_MAX + 1];
    list_names(plan, names);
    // First, so that a mistake on the command line costs no time.
    enum err_code code = write_config(plan, &config, err);
    if (code == ERR_OK) {
        code = folder_open(plan->directory, names, &folder, err);
    }
    if (code == ERR_OK) {
        code = fill(&folder, plan, buf_view(&config), &result, err);
    }
    if (code == ERR_OK) {
        code = check_result(&folder, problems, err);
    }
    if (code == ERR_OK) {
        result.directory = strdup(folder.path);
        code = result.directory != NULL ? folder_keep(&folder, err)
                                        : err_set(err, ERR_NOMEM, "no memory for a path");
    }
    if (code != ERR_OK) {
        free(result.directory);
        return code;
    }
    *ret_result = result;
    return ERR_OK;
}
