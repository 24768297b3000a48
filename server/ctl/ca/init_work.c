// SPDX-License-Identifier: Apache-2.0
#include "server/ctl/ca/init_work.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/base/file.h"
#include "conf/cert_file.h"
#include "conf/generations.h"
#include "conf/limits.h"
#include "conf/syntax.h"

#define PIN_LEN_MAX 1024 // octets, as in conf/base/private_key.c

static void free_text(char **text)
{
    free(*text);
}

// What the administrator named is wrong, however that was found out.
static enum err_code wrong_file(struct err *err, enum err_code code)
{
    return code == ERR_OK || code == ERR_NOMEM ? code : (err->code = ERR_CONFIG);
}

static enum err_code join(const char *directory, const char *name, char **ret_path, struct err *err)
{
    char *path = NULL;
    if (asprintf(&path, "%s/%s", directory, name) < 0) {
        return err_set(err, ERR_NOMEM, "no memory for a path");
    }
    *ret_path = path;
    return ERR_OK;
}

static enum err_code look_for(const char *directory, const char *name, bool *ret_is_there,
                              struct err *err)
{
    CLEANUP(free_text) char *path = NULL;
    enum err_code code = join(directory, name, &path, err);
    if (code == ERR_OK) {
        *ret_is_there = access(path, F_OK) == 0;
    }
    return code;
}

// Between the two steps there is a request, and no settings yet.
static enum err_code check_step(const struct init_plan *plan, struct err *err)
{
    const char *directory = plan->place->directory;
    bool is_requested = false;
    bool is_complete = false;
    enum err_code code = look_for(directory, INIT_REQUEST, &is_requested, err);
    if (code == ERR_OK) {
        code = look_for(directory, INIT_CONFIG, &is_complete, err);
    }
    if (code != ERR_OK) {
        return code;
    }
    const char *operand = plan->place->is_installed ? "" : " DIR";
    if (plan->way == INIT_FINISHED && !is_requested) {
        return err_set(err, ERR_NOT_FOUND,
                       "%s has no " INIT_REQUEST " that a certificate could be for; scepctl "
                       "init%s --subordinate makes one",
                       directory, operand);
    }
    if (plan->way != INIT_FINISHED && is_requested && !is_complete) {
        return err_set(err, ERR_EXISTS,
                       "%s/" INIT_REQUEST " waits for its certificate: scepctl init%s "
                       "--subordinate --certificate FILE --chain FILE; nothing was changed",
                       directory, operand);
    }
    return ERR_OK;
}

static enum err_code read_certificates(struct init_work *work, struct err *err)
{
    const struct init_plan *plan = work->plan;
    work->chain = sk_X509_new_null();
    if (work->chain == NULL) {
        return err_set_openssl(err, ERR_NOMEM, "no memory for certificates");
    }
    enum err_code code = cert_file_read_all(plan->certificate, work->chain, err);
    if (code == ERR_OK) {
        work->ca = sk_X509_shift(work->chain);
        code = plan->chain != NULL ? cert_file_read_all(plan->chain, work->chain, err) : ERR_OK;
    }
    if (code == ERR_OK) {
        ossl_drop_copies(work->chain, work->ca);
        work->has_root = !ossl_is_self_issued(work->ca);
    }
    if (code == ERR_OK && work->has_root && plan->order.is_direct) {
        code = err_set(err, ERR_CONFIG,
                       "%s: a CA that answers SCEP itself must be its own root, and this one is "
                       "not",
                       plan->certificate);
    }
    return wrong_file(err, code);
}

// The key that the administrator named.
static enum err_code take_given_key(struct init_work *work, struct err *err)
{
    const struct ceremony_key *given = &work->plan->order.key;
    struct init_key *key = &work->key;
    enum err_code code = ERR_OK;
    key->place = *given;
    key->setting = INIT_CA_KEY;
    if (given->uri != NULL && syntax_has_pin(given->uri)) {
        return err_set(err, ERR_CONFIG,
                       "a PIN in the URI of the key, where others can read it; allowed: in a file, "
                       "named by --pin-file");
    }
    const char *path = given->uri != NULL ? syntax_key_path(given->uri) : NULL;
    if (path != NULL) {
        code = wrong_file(err, file_read(path, LIMIT_FILE_LEN, &key->copy, err));
    } else if (given->uri != NULL) {
        key->setting = given->uri;
    }
    if (code == ERR_OK && given->pin_file != NULL) {
        code = wrong_file(err, file_read(given->pin_file, PIN_LEN_MAX, &key->pin, err));
        key->has_pin = true;
    }
    return code;
}

// The key that the first step made or noted.
static enum err_code take_waiting_key(struct init_work *work, struct err *err)
{
    const char *directory = work->plan->place->directory;
    struct init_key *key = &work->key;
    CLEANUP(free_text) char *uri_path = NULL;
    bool is_token = false;
    enum err_code code = look_for(directory, INIT_CA_URI, &is_token, err);
    if (code == ERR_OK) {
        code = look_for(directory, INIT_CA_PIN, &key->has_pin, err);
    }
    if (code == ERR_OK && key->has_pin) {
        code = join(directory, INIT_CA_PIN, &key->pin_file, err);
    }
    if (code == ERR_OK) {
        code = join(directory, is_token ? INIT_CA_URI : INIT_CA_KEY, &uri_path, err);
    }
    if (code == ERR_OK && is_token) {
        code = wrong_file(err, generation_read_uri(uri_path, &key->uri, err));
    } else if (code == ERR_OK) {
        key->uri = uri_path;
        uri_path = NULL;
    }
    key->place = (struct ceremony_key){.uri = key->uri, .pin_file = key->pin_file};
    key->setting = is_token ? key->uri : INIT_CA_KEY;
    return code;
}

enum err_code init_work_begin(const struct init_plan *plan, struct init_work *ret_work,
                              struct err *err)
{
    CLEANUP(init_work_done)
    struct init_work work = {
        .plan = plan,
        .has_root = plan->order.tiers > 1,
        .has_ra = plan->way != INIT_REQUESTED && !plan->order.is_direct,
        .has_all = plan->way != INIT_REQUESTED,
    };
    enum err_code code = check_step(plan, err);
    if (code == ERR_OK && plan->certificate != NULL) {
        code = read_certificates(&work, err);
    }
    if (code == ERR_OK) {
        code =
            plan->way == INIT_FINISHED ? take_waiting_key(&work, err) : take_given_key(&work, err);
    }
    if (code == ERR_OK) {
        *ret_work = work;
        work = (struct init_work){0};
    }
    return code;
}

void init_work_done(struct init_work *work)
{
    buf_wipe(&work->key.copy);
    buf_wipe(&work->key.pin);
    free(work->key.uri);
    free(work->key.pin_file);
    X509_free(work->ca);
    free_cert_stack(work->chain);
    *work = (struct init_work){0};
}
