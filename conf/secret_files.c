// SPDX-License-Identifier: Apache-2.0
// Secrets that systemd hands to a service (LoadCredential=): copies of files that only root can
// read, in a folder of this service alone. A copy counts instead of the file it was made from.
#include "conf/loading.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/syntax.h"
#include "conf/value.h"

#define STAND_IN_LEN 1 // octets; see systemd/scepd.service

static const char *const secrets[] = {
    "ra.key", "ra.pin_file", "ca.key", "ca.pin_file", "challenge.key_file", "challenge.static_file",
};

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

// systemd puts a stand-in of one octet in the place of a file that a service can do without.
static bool is_copy(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && status.st_size > STAND_IN_LEN && access(path, R_OK) == 0;
}

static void use_copy(struct loading *loading, const struct schema_item *item, const char *folder)
{
    const char *text = value_text(item, loading->into);
    const char *path = text != NULL ? syntax_key_path(text) : NULL;
    char copy[PATH_MAX];
    if (path == NULL || loading->main.states[schema_index(item)] == LOADING_BAD ||
        snprintf(copy, sizeof copy, "%s/%s", folder, last_part(path)) >= (int)sizeof copy ||
        !is_copy(copy)) {
        return;
    }
    char *own = strdup(copy);
    if (own == NULL) {
        loading->out_of_memory = true;
        return;
    }
    value_replace_text(item, own, loading->into);
}

void loading_use_copies(struct loading *loading, const char *folder)
{
    for (size_t i = 0; folder != NULL && i < sizeof secrets / sizeof secrets[0]; i++) {
        use_copy(loading, schema_find(secrets[i]), folder);
    }
}
