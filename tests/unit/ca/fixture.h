// SPDX-License-Identifier: Apache-2.0
// What the tests of this room share: an authority over a CA key in a temporary folder, requests
// that are wrong in every way, strict verification. Test code: every call ends the test on failure.
#pragma once

#include <string.h>

#include "ca/authority.h"
#include "kit/kit.h"

#define CA_DAYS        3650
#define VALIDITY_DAYS  365
#define CA_KEY_INDEX   0
#define PHONE_KEY      1
#define OTHER_KEY      2
#define CA_COMMON_NAME "Test CA"

struct fixture {
    char *folder;
    X509 *cert;
    EVP_PKEY *key; // NULL = kit_key(CA_KEY_INDEX)
    char *cert_path;
    char *key_path;
    struct authority_settings settings;
    struct authority *authority;
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

// `key` NULL = the shared RSA key. The CA is valid from one day before KIT_NOW.
static inline void fixture_init(struct fixture *fixture, EVP_PKEY *key, int days)
{
    *fixture = (struct fixture){.folder = kit_new_folder(), .key = key};
    EVP_PKEY *ca_key = key != NULL ? key : kit_key(CA_KEY_INDEX);
    fixture->cert = kit_cert(ca_key, CA_COMMON_NAME, NULL, NULL, true, KIT_NOW - 86400, days);
    struct buf cert_pem = kit_cert_pem(fixture->cert);
    struct buf key_pem = kit_key_pem(ca_key);
    fixture->cert_path = kit_write(fixture->folder, "ca.pem", buf_view(&cert_pem));
    fixture->key_path = kit_write(fixture->folder, "ca.key", buf_view(&key_pem));
    buf_done(&cert_pem);
    buf_wipe(&key_pem);
    fixture->settings = (struct authority_settings){
        .certificate = fixture->cert_path,
        .key = fixture->key_path,
        .phone = {.validity_days = VALIDITY_DAYS},
    };
}

static inline void fixture_load(struct fixture *fixture)
{
    struct err err = {0};
    assert_ok(authority_load(&fixture->settings, KIT_NOW, &fixture->authority, &err), &err);
}

static inline void fixture_done(struct fixture *fixture)
{
    authority_unref(fixture->authority);
    X509_free(fixture->cert);
    EVP_PKEY_free(fixture->key);
    free(fixture->cert_path);
    free(fixture->key_path);
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

// Issues with the fixture's authority at `now`; caller frees.
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
