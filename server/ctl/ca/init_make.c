// SPDX-License-Identifier: Apache-2.0
#include "server/ctl/ca/init_make.h"

#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "ca/ceremony_adopt.h"
#include "ra/challenge.h"

#define PUBLIC_MODE 0644
#define OPEN_MODE   0755 // a folder that everybody may look into
#define CLOSED_MODE 0700

struct new_file {
    const char *name;
    struct view content; // empty = no such file
};

// `files` end with a NULL name.
static enum err_code add_files(struct folder *folder, const struct new_file *files, struct err *err)
{
    enum err_code code = ERR_OK;
    for (; code == ERR_OK && files->name != NULL; files++) {
        if (files->content.len > 0) {
            code = folder_add_file(folder, files->name, files->content, err);
        }
    }
    return code;
}

static enum err_code add_made(struct folder *folder, const struct init_work *work,
                              const struct ceremony_result *made, struct init_result *result,
                              struct err *err)
{
    const struct init_key *key = &work->key;
    const struct new_file files[] = {
        {INIT_ROOT_CERTIFICATE, work->has_root ? buf_view(&made->root_certificate) : VIEW_EMPTY},
        {INIT_ROOT_KEY, buf_view(&made->root_key)},
        {INIT_CA_CERTIFICATE, buf_view(&made->ca_certificate)},
        {INIT_CA_KEY, buf_view(made->ca_key.len > 0 ? &made->ca_key : &key->copy)},
        {INIT_CA_PIN, buf_view(&key->pin)},
        {INIT_RA_CERTIFICATE, buf_view(&made->ra_certificate)},
        {INIT_RA_KEY, buf_view(&made->ra_key)},
        {NULL, VIEW_EMPTY},
    };
    memcpy(result->root_sha256, made->root_sha256, sizeof made->root_sha256);
    memcpy(result->root_sha1, made->root_sha1, sizeof made->root_sha1);
    return add_files(folder, files, err);
}

static enum err_code found(struct folder *folder, const struct init_work *work,
                           struct init_result *result, struct err *err)
{
    CLEANUP(ceremony_done) struct ceremony_result made = {0};
    enum err_code code = ceremony_run(&work->plan->order, &made, err);
    return code == ERR_OK ? add_made(folder, work, &made, result, err) : code;
}

static enum err_code adopt(struct folder *folder, const struct init_work *work,
                           struct init_result *result, struct err *err)
{
    CLEANUP(ceremony_done) struct ceremony_result made = {0};
    const struct ceremony_order *wanted = &work->plan->order;
    const struct ceremony_adopt_order order = {
        .ca = work->ca,
        .chain = work->chain,
        .key = work->key.place,
        .organization = wanted->organization,
        .is_direct = wanted->is_direct,
        .now = wanted->now,
    };
    enum err_code code = ceremony_adopt(&order, &made, &result->lacks, err);
    return code == ERR_OK ? add_made(folder, work, &made, result, err) : code;
}

static enum err_code request(struct folder *folder, const struct init_work *work, struct err *err)
{
    CLEANUP(ceremony_request_done) struct ceremony_request made = {0};
    const struct ceremony_order *wanted = &work->plan->order;
    const struct init_key *key = &work->key;
    const struct ceremony_request_order order = {
        .ca_key = wanted->ca_key, .key = key->place, .organization = wanted->organization};
    enum err_code code = ceremony_request(&order, &made, err);
    if (code != ERR_OK) {
        return code;
    }
    bool is_token = key->place.uri != NULL && key->copy.len == 0;
    const struct new_file files[] = {
        {INIT_CA_KEY, buf_view(made.key.len > 0 ? &made.key : &key->copy)},
        {INIT_CA_URI, is_token ? view_of_text(key->place.uri) : VIEW_EMPTY},
        {INIT_CA_PIN, buf_view(&key->pin)},
        {INIT_REQUEST, buf_view(&made.csr)}, // the last one, because it marks the first step
        {NULL, VIEW_EMPTY},
    };
    return add_files(folder, files, err);
}

static enum err_code add_challenge_key(struct folder *folder, struct err *err)
{
    uint8_t key[CHALLENGE_KEY_LEN_MIN];
    enum err_code code = ossl_random(key, sizeof key, err);
    if (code == ERR_OK) {
        code = folder_add_file(folder, INIT_CHALLENGE_KEY, view_of(key, sizeof key), err);
    }
    OPENSSL_cleanse(key, sizeof key);
    return code;
}

enum err_code init_make(struct folder *folder, const struct init_work *work,
                        struct init_result *result, struct err *err)
{
    enum err_code code = ERR_OK;
    switch (work->plan->way) {
    case INIT_NEW:
        code = found(folder, work, result, err);
        break;
    case INIT_EXISTING:
    case INIT_FINISHED:
        code = adopt(folder, work, result, err);
        break;
    case INIT_REQUESTED:
        return request(folder, work, err);
    }
    return code == ERR_OK ? add_challenge_key(folder, err) : code;
}

// Whatever of this was made.
struct shared {
    struct folder *folder;
    const char *name; // NULL = the folder itself
    struct folder_rights rights;
};

enum err_code init_share(struct init_folders *folders, const struct init_place *place,
                         struct err *err)
{
    struct folder *main = &folders->main;
    struct folder *state = &folders->state;
    const uid_t uid = geteuid();
    const gid_t gid = getegid();
    const struct folder_rights readable = {.mode = PUBLIC_MODE, .uid = uid, .gid = gid};
    const struct folder_rights of_cas = {.mode = OPEN_MODE, .uid = uid, .gid = place->ca_gid};
    const struct folder_rights browsable = {.mode = OPEN_MODE, .uid = uid, .gid = gid};
    const struct folder_rights own = {
        .mode = CLOSED_MODE, .uid = place->scepd_uid, .gid = place->scepd_gid};
    const struct shared all[] = {
        {main, INIT_CONFIG, readable},
        {main, INIT_ROOT_CERTIFICATE, readable},
        {main, INIT_CA_CERTIFICATE, readable},
        {main, INIT_RA_CERTIFICATE, readable},
        {main, INIT_REQUEST, readable},
        {main, INIT_GENERATIONS, of_cas},
        {main, INIT_MIC, browsable},
        {main, NULL, browsable},
        {state, INIT_STORE, own},
        {state, INIT_RA_FOLDER, own},
        {state, NULL, own},
    };
    enum err_code code = ERR_OK;
    for (size_t i = 0; code == ERR_OK && i < sizeof all / sizeof all[0]; i++) {
        if (all[i].name == NULL || folder_has(all[i].folder, all[i].name)) {
            code = folder_give(all[i].folder, all[i].name, &all[i].rights, err);
        }
    }
    return code;
}
