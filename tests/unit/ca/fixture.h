// SPDX-License-Identifier: Apache-2.0
// What the tests of this room share: the CAs of a settings file in a temporary folder, requests
// that are wrong in every way, strict verification. Test code: every call ends the test on failure.
#pragma once

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ca/authorities.h"
#include "conf/generations.h"
#include "kit/kit.h"

#define CA_DAYS        3650
#define VALIDITY_DAYS  365
#define CRL_HOURS      24
#define CA_KEY_INDEX   0
#define PHONE_KEY      1
#define OTHER_KEY      2
#define NEXT_KEY       3
#define CA_COMMON_NAME "Test CA"
#define NEXT_NAME      "Next CA"

struct fixture {
    char *folder;
    X509 *cert;
    EVP_PKEY *key; // NULL = kit_key(CA_KEY_INDEX)
    char *cert_path;
    char *key_path;
    char *generations; // the folder of CAs that rollovers made; used by fixture_add_ca()
    uint8_t id[SHA256_LEN];
    struct settings settings;
    struct authorities *authorities;   // after fixture_load()
    const struct authority *authority; // the current one of them
};

static inline void assert_ok(enum err_code code, const struct err *err)
{
    if (code != ERR_OK) {
        fail_msg("unexpected %s: %s", err_name(code), err->text);
    }
}

static inline void assert_refused(enum err_code code, enum err_code expected, const struct err *err,
                                  const char *text)
{
    if (code != expected || err->code != expected || strstr(err->text, text) == NULL) {
        fail_msg("got %s \"%s\", expected %s with \"%s\"", err_name(code), err->text,
                 err_name(expected), text);
    }
}

static inline char *write_cert(const char *folder, const char *name, const X509 *cert)
{
    struct buf pem = kit_cert_pem(cert);
    char *path = kit_write(folder, name, buf_view(&pem));
    buf_done(&pem);
    return path;
}

static inline char *write_key(const char *folder, const char *name, EVP_PKEY *key)
{
    struct buf pem = kit_key_pem(key);
    char *path = kit_write(folder, name, buf_view(&pem));
    buf_wipe(&pem);
    return path;
}

static inline void identify(const X509 *cert, uint8_t ret_id[SHA256_LEN],
                            char ret_name[GENERATION_NAME_LEN])
{
    struct err err = {0};
    assert_ok(generation_identify(cert, ret_id, ret_name, &err), &err);
}

// `key` NULL = the shared RSA key. The CA is valid from one day before KIT_NOW.
static inline void fixture_init(struct fixture *fixture, EVP_PKEY *key, int days)
{
    *fixture = (struct fixture){.folder = kit_new_folder(), .key = key};
    EVP_PKEY *ca_key = key != NULL ? key : kit_key(CA_KEY_INDEX);
    fixture->cert = kit_cert(ca_key, CA_COMMON_NAME, NULL, NULL, true, KIT_NOW - 86400, days);
    fixture->cert_path = write_cert(fixture->folder, "ca.pem", fixture->cert);
    fixture->key_path = write_key(fixture->folder, "ca.key", ca_key);
    fixture->generations = kit_path(fixture->folder, "generations");
    char name[GENERATION_NAME_LEN];
    identify(fixture->cert, fixture->id, name);
    fixture->settings = (struct settings){
        .ca = {.certificate = fixture->cert_path,
               .key = fixture->key_path,
               .crl_hours = CRL_HOURS,
               .direct_per_sec = 10},
        .phone = {.validity_days = VALIDITY_DAYS},
    };
}

// Adds a CA as a rollover leaves it; `link` ("next", "current") NULL = an old one. `key` NULL = its
// key is gone.
static inline void fixture_add_ca(struct fixture *fixture, const X509 *cert, EVP_PKEY *key,
                                  const char *link)
{
    uint8_t id[SHA256_LEN];
    char name[GENERATION_NAME_LEN];
    identify(cert, id, name);
    fixture->settings.ca.generations = fixture->generations;
    char *folder = kit_path(fixture->generations, name);
    mkdir(fixture->generations, 0700);
    assert_int_equal(mkdir(folder, 0700), 0);
    free(write_cert(folder, "ca.pem", cert));
    if (key != NULL) {
        free(write_key(folder, "ca.key", key));
    }
    if (link != NULL) {
        char *path = kit_path(fixture->generations, link);
        unlink(path);
        assert_int_equal(symlink(name, path), 0);
        free(path);
    }
    free(folder);
}

static inline void fixture_load(struct fixture *fixture)
{
    struct err err = {0};
    authorities_unref(fixture->authorities);
    fixture->authorities = NULL;
    assert_ok(authorities_load(&fixture->settings, KIT_NOW, &fixture->authorities, NULL, &err),
              &err);
    fixture->authority = authorities_current(fixture->authorities);
}

static inline void fixture_done(struct fixture *fixture)
{
    authorities_unref(fixture->authorities);
    X509_free(fixture->cert);
    EVP_PKEY_free(fixture->key);
    free(fixture->cert_path);
    free(fixture->key_path);
    free(fixture->generations);
    kit_remove_folder(fixture->folder);
}

// A request for `key` with CN=phone that is not signed yet.
static inline X509_REQ *req_begin(EVP_PKEY *key)
{
    X509_REQ *req = X509_REQ_new();
    assert_non_null(req);
    X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(req), "CN", MBSTRING_UTF8,
                               (const unsigned char *)"phone", -1, -1, 0);
    assert_int_equal(X509_REQ_set_pubkey(req, key), 1);
    return req;
}

// Signs by `key` and encodes; frees the request.
static inline struct buf req_end(X509_REQ *take_req, EVP_PKEY *key)
{
    return kit_req_der(take_req, key, EVP_sha256());
}

// A request with a subject of one attribute of a given string type and content octets.
static inline struct buf req_with_name(EVP_PKEY *key, int nid, int type, struct view octets)
{
    X509_REQ *req = X509_REQ_new();
    X509_NAME_ENTRY *entry =
        X509_NAME_ENTRY_create_by_NID(NULL, nid, type, octets.data, (int)octets.len);
    assert_non_null(entry);
    assert_int_equal(X509_NAME_add_entry(X509_REQ_get_subject_name(req), entry, -1, 0), 1);
    X509_NAME_ENTRY_free(entry);
    assert_int_equal(X509_REQ_set_pubkey(req, key), 1);
    return req_end(req, key);
}

// Without an issuer: what authority_issue() needs. authorities_issue() wants fixture.id there.
static inline struct issue_order order_for(const struct buf *csr)
{
    return (struct issue_order){.profile = PROFILE_PHONE,
                                .csr = buf_view(csr),
                                .transaction_id = view_of_text("TRANSACTION-1")};
}

static inline X509 *parse_cert(const struct buf *der)
{
    X509 *cert = NULL;
    struct err err = {0};
    assert_ok(ossl_cert_from_der(buf_view(der), &cert, &err), &err);
    return cert;
}

// A self-signed CA over the shared key, valid for a day; `usage` NULL = without keyUsage.
static inline X509 *ca_with_usage(const char *usage)
{
    EVP_PKEY *key = kit_key(CA_KEY_INDEX);
    X509 *cert = kit_cert(key, CA_COMMON_NAME, NULL, NULL, false, KIT_NOW, 1);
    X509_EXTENSION *constraints =
        X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, "critical,CA:TRUE");
    X509_add_ext(cert, constraints, -1);
    X509_EXTENSION_free(constraints);
    if (usage != NULL) {
        X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, NID_key_usage, usage);
        X509_add_ext(cert, extension, -1);
        X509_EXTENSION_free(extension);
    }
    assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
    // Read back: what OpenSSL noted about the extensions dates from before they were added.
    struct buf der = {0};
    assert_int_equal(ossl_cert_to_der(cert, &der, NULL), ERR_OK);
    X509_free(cert);
    X509 *again = parse_cert(&der);
    buf_done(&der);
    return again;
}

// Issues with the fixture's current CA at `now`; caller frees.
static inline X509 *issue_at(const struct fixture *fixture, const struct issue_order *order,
                             int64_t now)
{
    struct err err = {0};
    struct buf der = {0};
    struct authority_issued issued;
    assert_ok(authority_issue(fixture->authority, order, now, &der, &issued, &err), &err);
    X509 *cert = parse_cert(&der);
    buf_done(&der);
    return cert;
}

// Verifies `cert` with OpenSSL's strict RFC 5280 checks at `now`, through `between` (may be NULL).
static inline void assert_verifies(X509 *cert, X509 *root, X509 *between, int64_t now, int purpose)
{
    X509_STORE *store = X509_STORE_new();
    X509_STORE_add_cert(store, root);
    STACK_OF(X509) *untrusted = sk_X509_new_null();
    if (between != NULL) {
        sk_X509_push(untrusted, between);
    }
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    assert_int_equal(X509_STORE_CTX_init(context, store, cert, untrusted), 1);
    X509_STORE_CTX_set_flags(context, X509_V_FLAG_X509_STRICT | X509_V_FLAG_CHECK_SS_SIGNATURE);
    X509_STORE_CTX_set_time(context, 0, (time_t)now);
    X509_STORE_CTX_set_purpose(context, purpose);
    if (X509_verify_cert(context) != 1) {
        fail_msg("verification: %s",
                 X509_verify_cert_error_string(X509_STORE_CTX_get_error(context)));
    }
    X509_STORE_CTX_free(context);
    sk_X509_free(untrusted);
    X509_STORE_free(store);
}
