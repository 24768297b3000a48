// SPDX-License-Identifier: Apache-2.0
#include "server/ctl/ca/init_files.h"

#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "conf/settings.h"
#include "conf/syntax.h"
#include "ra/challenge.h"
#include "server/ctl/ca/init_make.h"

#define SOCKET_PATH_MAX (sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1) // octets
#define ENTRIES_MAX     16

static void folders_done(struct init_folders *folders)
{
    folder_done(&folders->main);
    folder_done(&folders->state);
}

static struct folder *state_folder(struct init_folders *folders, const struct init_place *place)
{
    return place->state != NULL ? &folders->state : &folders->main;
}

// What must not be there yet, NULL at the end.
struct new_names {
    const char *main[ENTRIES_MAX + 1];
    const char *state[ENTRIES_MAX + 1];
};

static void list_names(const struct init_work *work, struct new_names *names)
{
    bool is_second = work->plan->way == INIT_FINISHED;
    bool has_root_key = work->plan->way == INIT_NEW && work->has_root;
    const struct {
        const char *name;
        bool is_wanted;
        bool is_state;
    } all[] = {
        {INIT_CONFIG, true, false},
        {INIT_ROOT_CERTIFICATE, work->has_root, false},
        {INIT_ROOT_KEY, has_root_key, false},
        {INIT_CA_CERTIFICATE, true, false},
        {INIT_CA_KEY, !is_second, false},
        {INIT_CA_URI, !is_second, false},
        {INIT_CA_PIN, !is_second, false},
        {INIT_REQUEST, !is_second, false},
        {INIT_RA_CERTIFICATE, work->has_ra, false},
        {INIT_RA_KEY, work->has_ra, false},
        {INIT_GENERATIONS, work->has_all, false},
        {INIT_CHALLENGE_KEY, work->has_all, false},
        {INIT_RA_FOLDER, work->has_ra, true},
        {INIT_STORE, work->has_all, true},
    };
    size_t main_count = 0;
    size_t state_count = 0;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (all[i].is_wanted && all[i].is_state && work->plan->place->state != NULL) {
            names->state[state_count++] = all[i].name;
        } else if (all[i].is_wanted) {
            names->main[main_count++] = all[i].name;
        }
    }
    names->main[main_count] = NULL;
    names->state[state_count] = NULL;
}

static enum err_code open_folders(const struct init_work *work, struct init_folders *folders,
                                  struct err *err)
{
    const struct init_place *place = work->plan->place;
    struct new_names names;
    list_names(work, &names);
    enum err_code code = folder_open(place->directory, names.main, &folders->main, err);
    if (code == ERR_OK && place->state != NULL && work->has_all) {
        code = folder_open(place->state, names.state, &folders->state, err);
    }
    return code;
}

// Now, and not when scepd starts for the first time.
static enum err_code check_sockets(const struct init_place *place, const struct folder *folder,
                                   struct err *err)
{
    size_t len = strlen(folder->path) + sizeof "/" INIT_ADMIN_SOCKET - 1;
    if (place->admin_socket == NULL && len > SOCKET_PATH_MAX) {
        return err_set(err, ERR_LIMIT,
                       "the path of the socket %s in this directory has %zu octets; at most %zu "
                       "are allowed: choose a directory with a shorter path (by %zu)",
                       INIT_ADMIN_SOCKET, len, SOCKET_PATH_MAX, len - SOCKET_PATH_MAX);
    }
    return ERR_OK;
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

// One with files that somebody has fetched already is welcome.
static enum err_code add_mic_folder(struct folder *folder, struct err *err)
{
    char *path = folder_path(folder, INIT_MIC);
    if (path == NULL) {
        return err_set(err, ERR_NOMEM, "no memory for a path");
    }
    bool is_there = access(path, F_OK) == 0;
    free(path);
    return is_there ? ERR_OK : folder_add_folder(folder, INIT_MIC, err);
}

static enum err_code add_folders(struct init_folders *folders, const struct init_work *work,
                                 struct err *err)
{
    struct folder *state = state_folder(folders, work->plan->place);
    enum err_code code = folder_add_folder(state, INIT_STORE, err);
    if (code == ERR_OK && work->has_ra) {
        code = folder_add_folder(state, INIT_RA_FOLDER, err);
    }
    if (code == ERR_OK) {
        code = folder_add_folder(&folders->main, INIT_GENERATIONS, err);
    }
    return code == ERR_OK ? add_mic_folder(&folders->main, err) : code;
}

static enum err_code add_settings(struct init_folders *folders, const struct init_work *work,
                                  struct view config, FILE *problems, struct err *err)
{
    enum err_code code = add_folders(folders, work, err);
    if (code == ERR_OK) {
        code = folder_add_file(&folders->main, INIT_CONFIG, config, err);
    }
    return code == ERR_OK ? check_result(&folders->main, problems, err) : code;
}

static enum err_code describe(const struct folder *folder, const struct init_work *work,
                              struct init_result *result, struct err *err)
{
    const char *key = work->key.setting;
    result->has_root = work->has_root;
    result->directory = strdup(folder->path);
    result->ca_key = syntax_is_uri(key) ? strdup(key) : folder_path(folder, key);
    return result->directory != NULL && result->ca_key != NULL
               ? ERR_OK
               : err_set(err, ERR_NOMEM, "no memory for a path");
}

static enum err_code keep(struct init_folders *folders, struct err *err)
{
    enum err_code code = folders->state.path != NULL ? folder_keep(&folders->state, err) : ERR_OK;
    if (code == ERR_OK) {
        code = folder_keep(&folders->main, err);
        folders->state.is_kept = code == ERR_OK;
    }
    return code;
}

static enum err_code make_all(const struct init_work *work, FILE *problems, struct view config,
                              struct init_result *result, struct err *err)
{
    const struct init_place *place = work->plan->place;
    CLEANUP(folders_done) struct init_folders folders = {0};
    enum err_code code = open_folders(work, &folders, err);
    if (code == ERR_OK) {
        code = check_sockets(place, &folders.main, err);
    }
    if (code == ERR_OK) {
        code = init_make(&folders.main, work, result, err);
    }
    if (code == ERR_OK && work->has_all) {
        code = add_settings(&folders, work, config, problems, err);
    }
    if (code == ERR_OK && place->is_installed) {
        code = init_share(&folders, place, err);
    }
    if (code == ERR_OK) {
        code = describe(&folders.main, work, result, err);
    }
    return code == ERR_OK ? keep(&folders, err) : code;
}

static enum err_code write_config(const struct init_work *work, struct buf *ret_text,
                                  struct err *err)
{
    const struct init_config config = {
        .place = work->plan->place,
        .static_file = work->plan->static_file,
        .url = work->plan->url,
        .ca_key = work->key.setting,
        .ca_pin_file = work->key.has_pin ? INIT_CA_PIN : NULL,
        .has_root = work->has_root,
        .is_direct = work->plan->order.is_direct,
    };
    return init_config_write(&config, ret_text, err);
}

enum err_code init_files(const struct init_plan *plan, FILE *problems,
                         struct init_result *ret_result, struct err *err)
{
    CLEANUP(buf_done) struct buf config = {0};
    CLEANUP(init_work_done) struct init_work work = {0};
    CLEANUP(init_result_done) struct init_result result = {0};
    enum err_code code = init_work_begin(plan, &work, err);
    // Before keys are made, so that a mistake on the command line costs no time.
    if (code == ERR_OK) {
        code = write_config(&work, &config, err);
    }
    if (code == ERR_OK) {
        code = make_all(&work, problems, buf_view(&config), &result, err);
    }
    if (code == ERR_OK) {
        *ret_result = result;
        result = (struct init_result){0};
    }
    return code;
}

void init_result_done(struct init_result *result)
{
    free(result->directory);
    free(result->ca_key);
    *result = (struct init_result){0};
}
