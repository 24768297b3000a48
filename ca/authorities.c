// SPDX-License-Identifier: Apache-2.0
// All CAs of this process. What the other side sends is believed nowhere: an envelope must be for
// the CA, what is sealed or announced must verify under a key held here.
#include "ca/authorities.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include "ca/direct.h"
#include "ca/next_ca.h"

struct authorities {
    atomic_uint references;
    struct authority *list[GENERATIONS_MAX]; // [0] is the current one
    unsigned count;
    struct authorities_missing missing[GENERATIONS_MAX];
    unsigned missing_count;
    STACK_OF(X509) * next_chain; // what stands above the next CA; NULL without one
    struct direct direct;
    uint32_t direct_per_sec; // 0 = not direct
};

static void free_authorities(struct authorities *authorities)
{
    for (unsigned i = 0; i < authorities->count; i++) {
        authority_free(authorities->list[i]);
    }
    free_cert_stack(authorities->next_chain);
    free(authorities);
}

struct authorities *authorities_ref(struct authorities *authorities)
{
    atomic_fetch_add(&authorities->references, 1);
    return authorities;
}

void authorities_unref(struct authorities *authorities)
{
    if (authorities != NULL && atomic_fetch_sub(&authorities->references, 1) == 1) {
        free_authorities(authorities);
    }
}

// An old CA must not stop the present one; without memory nothing can be said about it.
static enum err_code leave_out(struct authorities *authorities, const struct generation *generation,
                               const struct err *why)
{
    if (generation->role != GENERATION_OLD || why->code == ERR_NOMEM) {
        return why->code;
    }
    struct authorities_missing *missing = &authorities->missing[authorities->missing_count++];
    memcpy(missing->name, generation->name, sizeof missing->name);
    missing->why = *why;
    return ERR_OK;
}

static enum err_code load_one(struct authorities *authorities, const struct settings *settings,
                              const struct generation *generation, int64_t now, struct err *err)
{
    struct err why = {0};
    enum err_code code =
        authority_load(settings, generation, now, &authorities->list[authorities->count], &why);
    if (code == ERR_OK) {
        authorities->count++;
        return ERR_OK;
    }
    code = leave_out(authorities, generation, &why);
    return code == ERR_OK ? ERR_OK
                          : err_set(err, code, "the CA %s: %s", generation->name, why.text);
}

static enum err_code load_all(struct authorities *authorities, const struct settings *settings,
                              const struct generations *generations, int64_t now, struct err *err)
{
    const struct generation *next = generations_next(generations);
    enum err_code code = ERR_OK;
    for (unsigned i = 0; code == ERR_OK && i < generations->count; i++) {
        code = load_one(authorities, settings, &generations->list[i], now, err);
    }
    if (code == ERR_OK && next != NULL) {
        code = generation_read_chain(next, &authorities->next_chain, err);
    }
    return code;
}

static void set_direct(struct authorities *authorities, const struct settings *settings)
{
    bool is_direct = settings->scep.topology == SETTINGS_TOPOLOGY_DIRECT;
    authorities->direct_per_sec = is_direct ? settings->ca.direct_per_sec : 0;
    authorities->direct = (struct direct){
        .list = (const struct authority *const *)authorities->list,
        .count = authorities->count,
        .is_sha1_allowed = settings->algorithms.sha1,
        .is_md5_allowed = settings->algorithms.legacy,
        .has_chain = settings->scep.reply_chain,
    };
}

enum err_code authorities_load(const struct settings *settings, int64_t now,
                               struct authorities **ret_authorities, unsigned *ret_missing,
                               struct err *err)
{
    ERR_clear_error();
    CLEANUP(cleanup_authorities_unref)
    struct authorities *authorities = calloc(1, sizeof *authorities);
    if (authorities == NULL) {
        return err_set(err, ERR_NOMEM, "no memory for the CAs");
    }
    atomic_init(&authorities->references, 1);
    CLEANUP(generations_done) struct generations generations = {0};
    enum err_code code = generations_read(settings, &generations, err);
    if (code == ERR_OK) {
        code = load_all(authorities, settings, &generations, now, err);
    }
    if (code != ERR_OK) {
        return code;
    }
    set_direct(authorities, settings);
    if (ret_missing != NULL) {
        *ret_missing = authorities->missing_count;
    }
    *ret_authorities = authorities;
    authorities = NULL;
    return ERR_OK;
}

const struct authority *authorities_get(const struct authorities *authorities, unsigned at)
{
    return at < authorities->count ? authorities->list[at] : NULL;
}

const struct authorities_missing *authorities_missing(const struct authorities *authorities,
                                                      unsigned at)
{
    return at < authorities->missing_count ? &authorities->missing[at] : NULL;
}

const struct authority *authorities_current(const struct authorities *authorities)
{
    return authorities->list[0];
}

// The next CA stands right after the current one.
static const struct authority *next_of(const struct authorities *authorities)
{
    bool has_next =
        authorities->count > 1 && authority_role(authorities->list[1]) == GENERATION_NEXT;
    return has_next ? authorities->list[1] : NULL;
}

void authorities_state(const struct authorities *authorities, struct ca_state *ret_state)
{
    struct ca_state state = {0};
    const struct authority *next = next_of(authorities);
    memcpy(state.current, authority_id(authorities->list[0]), SHA256_LEN);
    if (next != NULL) {
        state.has_next = true;
        memcpy(state.next, authority_id(next), SHA256_LEN);
    }
    for (unsigned i = next != NULL ? 2 : 1; i < authorities->count; i++) {
        memcpy(state.old[state.old_count++], authority_id(authorities->list[i]), SHA256_LEN);
    }
    *ret_state = state;
}

static enum err_code find(const struct authorities *authorities, struct view id,
                          const struct authority **ret_authority, struct err *err)
{
    for (unsigned i = 0; i < authorities->count; i++) {
        const struct authority *authority = authorities->list[i];
        if (view_equal(id, view_of(authority_id(authority), SHA256_LEN))) {
            *ret_authority = authority;
            return ERR_OK;
        }
    }
    return err_set(err, ERR_DENIED, "an order for a CA that is not held here");
}

enum err_code authorities_issue(const struct authorities *authorities,
                                const struct issue_order *order, int64_t now, struct buf *ret_der,
                                struct authority_issued *ret_issued, struct err *err)
{
    const struct authority *authority = NULL;
    enum err_code code = find(authorities, order->issuer, &authority, err);
    return code == ERR_OK ? authority_issue(authority, order, now, ret_der, ret_issued, err) : code;
}

enum err_code authorities_sign_crl(const struct authorities *authorities,
                                   const struct authorities_crl *order, struct buf *ret_der,
                                   struct err *err)
{
    const struct authority *authority = NULL;
    enum err_code code = find(authorities, order->issuer, &authority, err);
    const struct authority_crl crl = {.number = order->number,
                                      .entries = order->entries,
                                      .count = order->count,
                                      .now = order->now};
    return code == ERR_OK ? authority_sign_crl(authority, &crl, ret_der, err) : code;
}

static enum err_code push(STACK_OF(X509) * certs, X509 *cert, struct err *err)
{
    return X509_add_cert(certs, cert, X509_ADD_FLAG_UP_REF) == 1
               ? ERR_OK
               : err_set_openssl(err, ERR_NOMEM, "no memory for the certificates of the next CA");
}

static enum err_code check_next_ra(const struct authority *next, X509 *cert, struct err *err)
{
    const uint32_t both = KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT;
    uint32_t flags = X509_get_extension_flags(cert);
    if (!authority_has_issued(next, cert)) {
        return err_set(err, ERR_DENIED, "the next RA's certificate is not by the next CA %s",
                       authority_name(next));
    }
    if ((flags & (EXFLAG_INVALID | EXFLAG_CA | EXFLAG_XKUSAGE)) != 0 ||
        (flags & EXFLAG_KUSAGE) == 0 || (X509_get_key_usage(cert) & both) != both) {
        return err_set(err, ERR_DENIED, "the next RA's certificate is not an RA's");
    }
    return ERR_OK;
}

static enum err_code add_next_ra(const struct authority *next, struct view der,
                                 STACK_OF(X509) * certs, struct err *err)
{
    if (der.len == 0) {
        return ERR_OK;
    }
    CLEANUP(cleanup_X509_free) X509 *cert = NULL;
    if (ossl_cert_from_der(der, &cert, err) != ERR_OK) {
        return err_set(err, ERR_DENIED, "the next RA's certificate cannot be read");
    }
    enum err_code code = check_next_ra(next, cert, err);
    return code == ERR_OK ? push(certs, cert, err) : code;
}

static enum err_code gather_next(const struct authorities *authorities,
                                 const struct authority *next, STACK_OF(X509) * certs,
                                 struct err *err)
{
    enum err_code code = push(certs, authority_cert(next), err);
    for (int i = 0; code == ERR_OK && i < sk_X509_num(authorities->next_chain); i++) {
        code = push(certs, sk_X509_value(authorities->next_chain, i), err);
    }
    return code;
}

enum err_code authorities_sign_next_ca(const struct authorities *authorities, struct view next_ra,
                                       struct buf *ret_der, struct err *err)
{
    ERR_clear_error();
    const struct authority *current = authorities->list[0];
    const struct authority *next = next_of(authorities);
    if (next == NULL) {
        return err_set(err, ERR_NOT_FOUND, "there is no next CA");
    }
    CLEANUP(cleanup_free_cert_stack) STACK_OF(X509) *certs = sk_X509_new_null();
    if (certs == NULL) {
        return err_set_openssl(err, ERR_NOMEM, "no memory for the certificates of the next CA");
    }
    enum err_code code = add_next_ra(next, next_ra, certs, err);
    if (code == ERR_OK) {
        code = gather_next(authorities, next, certs, err);
    }
    const struct next_ca answer = {
        .signer = authority_cert(current), .key = authority_key(current), .certs = certs};
    return code == ERR_OK ? next_ca_encode(&answer, ret_der, err) : code;
}

uint32_t authorities_direct_per_sec(const struct authorities *authorities)
{
    return authorities->direct_per_sec;
}

static enum err_code check_direct(const struct authorities *authorities, struct err *err)
{
    if (authorities->direct_per_sec == 0) {
        return err_set(err, ERR_DENIED,
                       "the CA does not answer SCEP itself; scep.topology is not "
                       "\"direct\"");
    }
    return ERR_OK;
}

enum err_code authorities_unwrap(const struct authorities *authorities, struct view envelope,
                                 struct buf *ret_content, struct err *err)
{
    enum err_code code = check_direct(authorities, err);
    return code == ERR_OK ? direct_unwrap(&authorities->direct, envelope, ret_content, err) : code;
}

enum err_code authorities_seal(const struct authorities *authorities,
                               const struct seal_order *order, struct buf *ret_der, struct err *err)
{
    enum err_code code = check_direct(authorities, err);
    return code == ERR_OK ? direct_seal(&authorities->direct, order, ret_der, err) : code;
}
