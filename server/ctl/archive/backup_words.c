// SPDX-License-Identifier: Apache-2.0
#include "server/ctl/archive/backup_words.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/syntax.h"
#include "server/ctl/api.h"
#include "server/ctl/archive/backup_paths.h"
#include "server/ctl/archive/manifest.h"
#include "server/ctl/ca/init_files.h"

static void free_text(char **text)
{
    free(*text);
}

static void print_left_out(FILE *out, const json_t *manifest)
{
    size_t i;
    const json_t *key;
    json_array_foreach(json_object_get(manifest, "left_out"), i, key)
    {
        const char *path = api_text(key, "restore_to");
        if (path != NULL) {
            fprintf(out, "Not in it: %s\n", path);
        } else {
            fprintf(out,
                    "Not in it: the key that %s names, which is in a token; back that up by its "
                    "own means\n",
                    api_text(key, "setting"));
        }
    }
}

// The root's key as init leaves it, which no setting names. The caller frees; NULL = it is not
// there, or in the backup under another role.
static char *find_root_key(const struct backup_made *made)
{
    char *path = NULL;
    const char *config = made->plan->config;
    const char *slash = strrchr(config, '/');
    if (slash == NULL ||
        asprintf(&path, "%.*s/" INIT_ROOT_KEY, (int)(slash - config), config) < 0) {
        return NULL;
    }
    if (access(path, F_OK) != 0 || manifest_holds(made->manifest, path)) {
        free(path);
        return NULL;
    }
    return path;
}

static void print_root_key(FILE *out, const struct backup_made *made)
{
    CLEANUP(free_text) char *path = find_root_key(made);
    if (path != NULL) {
        fprintf(out,
                "Not in it: %s, the root's key, because no setting names it. Nothing else has that "
                "key: keep it offline in two places.\n",
                path);
    } else if (made->plan->settings->ca.root != NULL) {
        fputs("Not in it: the key of the root, which scepd never has.\n", out);
    }
}

// The one that signs, of the present CA or of one that a rollover made.
static bool is_ca_key(const struct backup_made *made, const char *path)
{
    static const char name[] = "/ca.key";
    char plain[PATH_MAX];
    const struct settings *settings = made->plan->settings;
    const char *of_ca = syntax_key_path(settings->ca.key);
    if (of_ca != NULL && backup_path_plain(of_ca, plain, NULL) == ERR_OK &&
        strcmp(plain, path) == 0) {
        return true;
    }
    size_t len = strlen(path);
    return settings->ca.generations != NULL &&
           backup_path_plain(settings->ca.generations, plain, NULL) == ERR_OK &&
           strncmp(plain, path, strlen(plain)) == 0 && len >= sizeof name &&
           strcmp(path + len + 1 - sizeof name, name) == 0;
}

static void print_keys(FILE *out, const struct backup_made *made)
{
    size_t i;
    const json_t *file;
    unsigned count = 0;
    bool has_ca_key = false;
    json_array_foreach(json_object_get(made->manifest, "files"), i, file)
    {
        const char *path = api_text(file, "restore_to");
        if (json_is_true(json_object_get(file, "is_key"))) {
            fprintf(out, "%s  %s\n", count++ == 0 ? "It holds these secrets in the clear:\n" : "",
                    path);
            has_ca_key = has_ca_key || is_ca_key(made, path);
        }
    }
    if (has_ca_key) {
        fputs("The CA's key is among them: whoever reads the backup can be this CA. Keep it where "
              "the keys may be.\n",
              out);
    } else if (count > 0) {
        fputs("The CA's key is not among them. Keep the backup where these may be.\n", out);
    }
}

static void print_words(FILE *out, const struct backup_made *made)
{
    const json_t *manifest = made->manifest;
    fprintf(out,
            "%s holds the store (%" PRId64 " certificate%s, %" PRIu64
            " octets), scepd.conf and %zu files that it names.\n"
            "It was read back and is whole.\n",
            made->path, api_number(manifest, "certificates"),
            api_number(manifest, "certificates") == 1 ? "" : "s", made->store_octets,
            json_array_size(json_object_get(manifest, "files")) - 2);
    print_left_out(out, manifest);
    print_root_key(out, made);
    if (made->plan->has_keys) {
        print_keys(out, made);
    } else {
        fputs("It holds no keys: a server restored from it does not start before they are back.\n",
              out);
    }
}

static enum ctl_exit print_json(struct ctl *ctl, const struct backup_made *made)
{
    const json_t *manifest = made->manifest;
    CLEANUP(free_text) char *root_key = find_root_key(made);
    CLEANUP(api_decref)
    json_t *answer = json_pack(
        "{s:s, s:O, s:I, s:O, s:O, s:O, s:s?, s:O}", "file", made->path, "certificates",
        json_object_get(manifest, "certificates"), "store_octets", (json_int_t)made->store_octets,
        "created_at", json_object_get(manifest, "created_at"), "has_keys",
        json_object_get(manifest, "has_keys"), "left_out", json_object_get(manifest, "left_out"),
        "root_key_left_out", root_key, "files", json_object_get(manifest, "files"));
    return answer != NULL ? api_print(ctl, answer)
                          : ctl_complain(ctl, CTL_FAILED, "the file's name is not UTF-8");
}

enum ctl_exit backup_words(struct ctl *ctl, const struct backup_made *made)
{
    if (ctl->is_json) {
        return print_json(ctl, made);
    }
    print_words(ctl->out, made);
    return CTL_OK;
}
