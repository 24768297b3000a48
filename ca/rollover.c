// SPDX-License-Identifier: Apache-2.0
// The order of the steps is what makes a rollover safe: a CA is complete before a link names it,
// `current` is switched before `next` goes.
#include "ca/rollover.h"

#include <string.h>

#include "ca/ceremony_parts.h"
#include "ca/issue.h"
#include "ca/key.h"
#include "ca/rollover_folder.h"
#include "conf/base/file.h"
#include "conf/limits.h"

#define LINK_CURRENT "current"
#define LINK_NEXT    "next"
#define PLACEHOLDER  "{ca}"
#define NAME_TEXT    256 // bytes of a subject in an error's text

// What is known while the next CA is made.
struct preparation {
    const struct rollover_order *order;
    struct rollover_folder folder;
    struct generations generations;
    STACK_OF(X509) * chain; // what stands above the present CA
    X509_NAME *subject;     // of the next one
    struct ceremony_next_result made;
    char name[GENERATION_NAME_LEN];
};

static void preparation_done(struct preparation *preparation)
{
    rollover_folder_close(&preparation->folder);
    generations_done(&preparation->generations);
    free_cert_stack(preparation->chain);
    X509_NAME_free(preparation->subject);
    ceremony_next_done(&preparation->made);
}

// Each CA has its own CRL and certificate, so URLs that all of them share would be wrong for all
// but one.
static enum err_code check_settings(const struct settings *settings, struct err *err)
{
    const struct {
        const char *name;
        const char *value;
    } patterns[] = {
        {"phone.crl_url", settings->phone.crl_url},
        {"phone.ca_url", settings->phone.ca_url},
        {"http.crl_path", settings->http.crl_path},
        {"http.ca_path", settings->http.ca_path},
    };
    if (settings->ca.generations == NULL) {
        return err_set(err, ERR_CONFIG,
                       "ca.generations is not set; it names the folder where the next CA is made");
    }
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
        if (patterns[i].value != NULL && strstr(patterns[i].value, PLACEHOLDER) == NULL) {
            return err_set(err, ERR_CONFIG,
                           "%s is \"%.100s\"; for a rollover it must have \"" PLACEHOLDER
                           "\" in it, which stands for the CA's name, because each CA has its own",
                           patterns[i].name, patterns[i].value);
        }
    }
    return ERR_OK;
}

static enum err_code check_room(const struct preparation *preparation, struct err *err)
{
    const struct generation *next = generations_next(&preparation->generations);
    if (next != NULL) {
        return err_set(err, ERR_EXISTS, "the CA %s is prepared already; activate or cancel it",
                       next->name);
    }
    if (preparation->generations.count == GENERATIONS_MAX) {
        return err_set(err, ERR_LIMIT,
                       "%d CAs are there already and no more are allowed; remove an old one whose "
                       "last certificate is over from %s",
                       GENERATIONS_MAX, preparation->folder.path);
    }
    return ERR_OK;
}

static bool is_name_taken(const struct generations *generations, const X509_NAME *name)
{
    for (unsigned i = 0; i < generations->count; i++) {
        if (X509_NAME_cmp(X509_get_subject_name(generations->list[i].cert), name) == 0) {
            return true;
        }
    }
    return false;
}

// Counts up until no CA here has the name: one that was given up keeps its own.
static enum err_code choose_name(struct preparation *preparation, struct err *err)
{
    const struct generations *generations = &preparation->generations;
    enum err_code code = ceremony_next_name(X509_get_subject_name(generations->list[0].cert),
                                            &preparation->subject, err);
    while (code == ERR_OK && is_name_taken(generations, preparation->subject)) {
        X509_NAME *previous = preparation->subject;
        preparation->subject = NULL;
        code = ceremony_next_name(previous, &preparation->subject, err);
        X509_NAME_free(previous);
    }
    return code;
}

static X509 *find_issuer(STACK_OF(X509) * chain, X509 *cert)
{
    for (int i = 0; i < sk_X509_num(chain); i++) {
        if (X509_check_issued(sk_X509_value(chain, i), cert) == X509_V_OK) {
            return sk_X509_value(chain, i);
        }
    }
    return NULL;
}

static enum err_code no_root_key(const X509 *root, struct err *err)
{
    char subject[NAME_TEXT];
    X509_NAME_oneline(X509_get_subject_name(root), subject, sizeof subject);
    return err_set(err, ERR_CONFIG, "the key of %.150s must sign the next CA (--root-key)",
                   subject);
}

// *ret_root gets what signs the next CA, borrowed; NULL = itself.
static enum err_code find_root(struct preparation *preparation, X509 **ret_root, struct err *err)
{
    const struct generation *present = &preparation->generations.list[0];
    const char *root_key = preparation->order->root_key.uri;
    if (ossl_is_self_issued(present->cert)) {
        *ret_root = NULL;
        return root_key == NULL ? ERR_OK
                                : err_set(err, ERR_CONFIG,
                                          "the present CA is its own root, and so is the next one: "
                                          "--root-key is not for it");
    }
    enum err_code code = generation_read_chain(present, &preparation->chain, err);
    if (code != ERR_OK) {
        return code;
    }
    X509 *root = find_issuer(preparation->chain, present->cert);
    if (root == NULL) {
        return err_set(err, ERR_CONFIG,
                       "the certificate of the CA above the present one is not in %s; ca.root must "
                       "name it",
                       present->chain != NULL ? present->chain : "ca.root");
    }
    *ret_root = root;
    return root_key != NULL ? ERR_OK : no_root_key(root, err);
}

static enum err_code make_next(struct preparation *preparation, struct err *err)
{
    const struct rollover_order *order = preparation->order;
    const X509 *present = preparation->generations.list[0].cert;
    char kind[KEY_TYPE_LEN];
    key_describe(X509_get0_pubkey(present), kind);
    struct ceremony_next_order next = {
        .subject = preparation->subject,
        .root_key = order->root_key,
        .is_direct = order->settings->scep.topology == SETTINGS_TOPOLOGY_DIRECT,
        .ca_key = order->ca_key,
        .key = order->key,
        .now = order->now,
    };
    if (next.ca_key == NULL && ceremony_is_key_kind(kind)) {
        next.ca_key = kind;
    }
    enum err_code code = find_root(preparation, &next.root, err);
    if (code == ERR_OK) {
        code = ceremony_next(&next, &preparation->made, err);
    }
    return code;
}

static enum err_code identify(struct preparation *preparation, struct err *err)
{
    uint8_t id[SHA256_LEN];
    enum err_code code = generation_identify(preparation->made.cert, id, preparation->name, err);
    for (unsigned i = 0; code == ERR_OK && i < preparation->generations.count; i++) {
        const struct generation *other = &preparation->generations.list[i];
        if (memcmp(other->id, id, sizeof id) == 0) {
            code = err_set(err, ERR_EXISTS, "the CA %s has this key already", other->name);
        }
    }
    return code;
}

static enum err_code encode_chain(STACK_OF(X509) * chain, struct buf *ret_pem, struct err *err)
{
    CLEANUP(buf_done) struct buf pem = {0};
    enum err_code code = ERR_OK;
    for (int i = 0; code == ERR_OK && i < sk_X509_num(chain); i++) {
        CLEANUP(buf_done) struct buf one = {0};
        code = ceremony_cert_to_pem(sk_X509_value(chain, i), &one, err);
        if (code == ERR_OK) {
            code = buf_append(&pem, buf_view(&one), err);
        }
    }
    if (code == ERR_OK) {
        *ret_pem = pem;
        pem = (struct buf){0};
    }
    return code;
}

static enum err_code write_folder(struct preparation *preparation, struct err *err)
{
    const struct ceremony_key *key = &preparation->order->key;
    CLEANUP(buf_done) struct buf chain = {0};
    CLEANUP(buf_wipe) struct buf pin = {0};
    enum err_code code = encode_chain(preparation->chain, &chain, err);
    if (code == ERR_OK && key->uri != NULL && key->pin_file != NULL) {
        code = file_read(key->pin_file, LIMIT_FILE_LEN, &pin, err);
    }
    if (code != ERR_OK) {
        return code;
    }
    const struct rollover_file all[] = {
        {"ca.pem", buf_view(&preparation->made.certificate), false},
        {"ca.key", buf_view(&preparation->made.key), true},
        {"key.uri", view_of_text(key->uri), true}, // may hold a PIN
        {"pin", buf_view(&pin), true},
        {"chain.pem", buf_view(&chain), false},
    };
    struct rollover_file files[sizeof all / sizeof all[0] + 1] = {0};
    size_t count = 0;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (all[i].content.len > 0) {
            files[count++] = all[i];
        }
    }
    return rollover_folder_add(&preparation->folder, preparation->name, files,
                               preparation->generations.list[0].key, err);
}

static enum err_code announce(struct preparation *preparation, struct err *err)
{
    enum err_code code =
        rollover_folder_link(&preparation->folder, LINK_NEXT, preparation->name, err);
    if (code != ERR_OK) {
        rollover_folder_remove(&preparation->folder, preparation->name);
    }
    return code;
}

static enum err_code give_result(const char *name, X509 *cert, struct rollover_result *ret_result,
                                 struct err *err)
{
    struct rollover_result result = {0};
    memcpy(result.name, name, sizeof result.name);
    result.cert = X509_dup(cert);
    if (result.cert == NULL) {
        return err_set_openssl(err, ERR_NOMEM, "no memory for a certificate");
    }
    *ret_result = result;
    return ERR_OK;
}

enum err_code rollover_prepare(const struct rollover_order *order,
                               struct rollover_result *ret_result, struct err *err)
{
    CLEANUP(preparation_done) struct preparation preparation = {.order = order};
    enum err_code code = check_settings(order->settings, err);
    if (code == ERR_OK) {
        code = rollover_folder_open(order->settings->ca.generations, &preparation.folder, err);
    }
    if (code == ERR_OK) {
        code = generations_read(order->settings, &preparation.generations, err);
    }
    if (code == ERR_OK) {
        code = check_room(&preparation, err);
    }
    if (code == ERR_OK) {
        code = choose_name(&preparation, err);
    }
    if (code == ERR_OK) {
        code = make_next(&preparation, err);
    }
    if (code == ERR_OK) {
        code = identify(&preparation, err);
    }
    if (code == ERR_OK) {
        code = write_folder(&preparation, err);
    }
    if (code == ERR_OK) {
        code = announce(&preparation, err);
    }
    return code == ERR_OK ? give_result(preparation.name, preparation.made.cert, ret_result, err)
                          : code;
}

static enum err_code check_validity(const struct generation *next, int64_t now, struct err *err)
{
    int64_t not_before = 0;
    int64_t not_after = 0;
    enum err_code code = issue_time_of(X509_get0_notBefore(next->cert), &not_before, err);
    if (code == ERR_OK) {
        code = issue_time_of(X509_get0_notAfter(next->cert), &not_after, err);
    }
    if (code == ERR_OK && (now < not_before || now >= not_after)) {
        code = err_set(err, ERR_CONFIG, "the certificate of the CA %s is not valid now: it %s",
                       next->name, now < not_before ? "begins later" : "has expired");
    }
    return code;
}

static enum err_code switch_to(struct rollover_folder *folder, const struct generation *next,
                               int64_t now, struct err *err)
{
    enum err_code code = check_validity(next, now, err);
    if (code == ERR_OK) {
        code = rollover_folder_link(folder, LINK_CURRENT, next->name, err);
    }
    return code == ERR_OK ? rollover_folder_unlink(folder, LINK_NEXT, err) : code;
}

static enum err_code open_folder(const struct settings *settings, struct rollover_folder *folder,
                                 struct generations *generations, struct err *err)
{
    if (settings->ca.generations == NULL) {
        return err_set(err, ERR_NOT_FOUND, "no CA is prepared: ca.generations is not set");
    }
    enum err_code code = rollover_folder_open(settings->ca.generations, folder, err);
    return code == ERR_OK ? generations_read(settings, generations, err) : code;
}

static enum err_code nothing_prepared(const struct rollover_folder *folder, struct err *err)
{
    return err_set(err, ERR_NOT_FOUND, "no CA is prepared in %s", folder->path);
}

enum err_code rollover_activate(const struct settings *settings, int64_t now,
                                struct rollover_result *ret_result, struct err *err)
{
    CLEANUP(rollover_folder_close) struct rollover_folder folder = {0};
    CLEANUP(generations_done) struct generations generations = {0};
    enum err_code code = open_folder(settings, &folder, &generations, err);
    if (code != ERR_OK) {
        return code;
    }
    const struct generation *chosen = generations_next(&generations);
    if (chosen != NULL) {
        code = switch_to(&folder, chosen, now, err);
    } else if (rollover_folder_has_link(&folder, LINK_NEXT)) {
        // A crash came between the two steps, so the link names the present CA.
        chosen = &generations.list[0];
        code = rollover_folder_unlink(&folder, LINK_NEXT, err);
    } else {
        code = nothing_prepared(&folder, err);
    }
    return code == ERR_OK ? give_result(chosen->name, chosen->cert, ret_result, err) : code;
}

enum err_code rollover_cancel(const struct settings *settings, struct rollover_result *ret_result,
                              struct err *err)
{
    CLEANUP(rollover_folder_close) struct rollover_folder folder = {0};
    CLEANUP(generations_done) struct generations generations = {0};
    enum err_code code = open_folder(settings, &folder, &generations, err);
    if (code != ERR_OK) {
        return code;
    }
    const struct generation *next = generations_next(&generations);
    if (next == NULL) {
        return nothing_prepared(&folder, err);
    }
    code = rollover_folder_unlink(&folder, LINK_NEXT, err);
    return code == ERR_OK ? give_result(next->name, next->cert, ret_result, err) : code;
}

void rollover_done(struct rollover_result *result)
{
    X509_free(result->cert);
    *result = (struct rollover_result){0};
}
