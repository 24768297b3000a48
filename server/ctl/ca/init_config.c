// SPDX-License-Identifier: Apache-2.0
#include "server/ctl/ca/init_config.h"

#include <stdio.h>
#include <stdlib.h>

#include "conf/schema.h"
#include "conf/settings.h"

static void free_text(char **text)
{
    free(*text);
}

static bool has_ra(const struct init_config *config)
{
    return !config->is_direct;
}

// The path of an entry in the folder of state, or its bare name when there is no such folder.
static enum err_code state_path(const struct init_place *place, const char *name, char **ret_path,
                                struct err *err)
{
    char *path = NULL;
    int len = place->state != NULL ? asprintf(&path, "%s/%s", place->state, name)
                                   : asprintf(&path, "%s", name);
    if (len < 0) {
        return err_set(err, ERR_NOMEM, "no memory for a path");
    }
    *ret_path = path;
    return ERR_OK;
}

static void write_head(FILE *out, const struct init_place *place)
{
    if (place->is_installed) {
        fputs("# The installed service listens where scepd.socket says (systemctl edit "
              "scepd.socket);\n"
              "# http.listen below counts only when scepd is started by hand.\n\n",
              out);
    }
}

static enum err_code write_values(const struct init_config *config,
                                  const struct settings_value *values, struct buf *ret_text,
                                  struct err *err)
{
    CLEANUP(free_text) char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    if (out == NULL) {
        return err_set_errno(err, "no memory for the settings");
    }
    write_head(out, config->place);
    enum err_code code = settings_write(out, values, err);
    if (fclose(out) != 0 && code == ERR_OK) {
        code = err_set_errno(err, "no memory for the settings");
    }
    return code == ERR_OK ? buf_copy(view_of(text, len), ret_text, err) : code;
}

// What certificates say: where those who check them find CRL, issuer and OCSP. NULL = nothing.
struct addresses {
    char *crl;
    char *ca;
    char *ocsp;
};

static void addresses_done(struct addresses *addresses)
{
    free(addresses->crl);
    free(addresses->ca);
    free(addresses->ocsp);
}

// The path at which scepd serves it when the settings do not say otherwise.
static enum err_code address(const char *url, const char *path_setting, char **ret_address,
                             struct err *err)
{
    char *text = NULL;
    if (asprintf(&text, "%s%s", url, schema_find(path_setting)->initial) < 0) {
        return err_set(err, ERR_NOMEM, "no memory for a URL");
    }
    *ret_address = text;
    return ERR_OK;
}

static enum err_code make_addresses(const char *url, struct addresses *addresses, struct err *err)
{
    enum err_code code = address(url, "http.crl_path", &addresses->crl, err);
    if (code == ERR_OK) {
        code = address(url, "http.ca_path", &addresses->ca, err);
    }
    return code == ERR_OK ? address(url, "http.ocsp_path", &addresses->ocsp, err) : code;
}

// Paths of what is not in the folder of the settings, or may not be.
struct state_paths {
    char *store;
    char *ra;
};

static void state_paths_done(struct state_paths *paths)
{
    free(paths->store);
    free(paths->ra);
}

static enum err_code write_all(const struct init_config *config, const struct state_paths *paths,
                               const struct addresses *addresses, struct buf *ret_text,
                               struct err *err)
{
    const struct init_place *place = config->place;
    const struct settings_value all[] = {
        {"scep.topology", has_ra(config) ? NULL : "direct"},
        {"ra.certificate", has_ra(config) ? INIT_RA_CERTIFICATE : NULL},
        {"ra.key", has_ra(config) ? INIT_RA_KEY : NULL},
        {"ra.directory", has_ra(config) ? paths->ra : NULL},
        {"ca.certificate", INIT_CA_CERTIFICATE},
        {"ca.key", config->ca_key},
        {"ca.pin_file", config->ca_pin_file},
        {"ca.root", config->has_root ? INIT_ROOT_CERTIFICATE : NULL},
        {"ca.generations", INIT_GENERATIONS},
        {"ca.socket", place->ca_socket != NULL ? place->ca_socket : INIT_CA_SOCKET},
        {"challenge.key_file", INIT_CHALLENGE_KEY},
        {"challenge.static_file", config->static_file},
        {"store.directory", paths->store},
        {"admin.socket", place->admin_socket != NULL ? place->admin_socket : INIT_ADMIN_SOCKET},
        {"http.listen", place->listen},
        {"phone.crl_url", addresses->crl},
        {"phone.ca_url", addresses->ca},
        {"phone.ocsp_url", addresses->ocsp},
    };
    struct settings_value given[sizeof all / sizeof all[0] + 1] = {0};
    size_t count = 0;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (all[i].value != NULL) {
            given[count++] = all[i];
        }
    }
    return write_values(config, given, ret_text, err);
}

enum err_code init_config_write(const struct init_config *config, struct buf *ret_text,
                                struct err *err)
{
    CLEANUP(state_paths_done) struct state_paths paths = {0};
    CLEANUP(addresses_done) struct addresses addresses = {0};
    enum err_code code = state_path(config->place, INIT_STORE, &paths.store, err);
    if (code == ERR_OK) {
        code = state_path(config->place, INIT_RA_FOLDER, &paths.ra, err);
    }
    if (code == ERR_OK && config->url != NULL) {
        code = make_addresses(config->url, &addresses, err);
    }
    return code == ERR_OK ? write_all(config, &paths, &addresses, ret_text, err) : code;
}
