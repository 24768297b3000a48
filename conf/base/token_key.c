// SPDX-License-Identifier: Apache-2.0
// OpenSSL 3 calls engines deprecated and has nothing else for this in Debian 12, so this file alone
// uses them.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "conf/base/token_key.h"

#include <string.h>
#include <strings.h>

#include <openssl/engine.h>
#include <openssl/err.h>
#include <openssl/ui.h>

#define SCHEME        "pkcs11"
#define ENGINE_ID     "pkcs11"
#define URI_SHOWN_MAX 120 // octets of a URI in an error's text, which holds 256

DEFINE_CLEANUP(OSSL_STORE_LOADER *, OSSL_STORE_LOADER_free);

bool token_key_is_ours(const char *uri)
{
    if (strncasecmp(uri, SCHEME ":", strlen(SCHEME ":")) != 0) {
        return false;
    }
    CLEANUP(cleanup_OSSL_STORE_LOADER_free)
    OSSL_STORE_LOADER *loader = OSSL_STORE_LOADER_fetch(NULL, SCHEME, NULL);
    ERR_clear_error();
    return loader == NULL;
}

// Without the query, which may hold the PIN.
static int shown_len(const char *uri)
{
    size_t len = strcspn(uri, "?");
    return (int)(len < URI_SHOWN_MAX ? len : URI_SHOWN_MAX);
}

static bool has_pin(const char *uri, const char *pin)
{
    const char *query = strchr(uri, '?');
    return pin[0] != '\0' || (query != NULL && strcasestr(query, "pin-") != NULL);
}

static int refuse(UI *ui, UI_STRING *question)
{
    (void)ui;
    (void)question;
    return 0;
}

// The engine asks by OpenSSL's default method, for a PIN that it lacks at any time. OpenSSL keeps
// the method that is set here until the process ends.
static enum err_code ask_nobody(struct err *err)
{
    if (UI_get_default_method() != UI_OpenSSL()) {
        return ERR_OK;
    }
    UI_METHOD *nobody = UI_create_method("nobody");
    if (nobody == NULL || UI_method_set_reader(nobody, refuse) != 0) {
        UI_destroy_method(nobody);
        return err_set_openssl(err, ERR_NOMEM, "no memory to open a token");
    }
    UI_set_default_method(nobody);
    return ERR_OK;
}

// Its references are never given back: libp11 crashes when the engine ends before its keys do, and
// leaks when it is unloaded.
static enum err_code open_engine(const char *uri, ENGINE **ret_engine, struct err *err)
{
    ENGINE *engine = ENGINE_by_id(ENGINE_ID);
    if (engine == NULL) {
        ERR_clear_error();
        return err_set(err, ERR_CONFIG,
                       "%.*s: OpenSSL has neither an engine nor a provider for keys in tokens; "
                       "install the package libengine-pkcs11-openssl",
                       shown_len(uri), uri);
    }
    // It would write to stderr, and the URI with its PIN, too.
    if (ENGINE_ctrl_cmd_string(engine, "QUIET", NULL, 0) != 1 || ENGINE_init(engine) != 1) {
        ENGINE_free(engine);
        return err_set_openssl(err, ERR_CONFIG, "%.*s: the engine for tokens does not start",
                               shown_len(uri), uri);
    }
    *ret_engine = engine;
    return ERR_OK;
}

enum err_code token_key_load(const char *uri, const char *pin, EVP_PKEY **ret_key, struct err *err)
{
    ENGINE *engine = NULL;
    enum err_code code = ask_nobody(err);
    if (code == ERR_OK) {
        code = open_engine(uri, &engine, err);
    }
    if (code != ERR_OK) {
        return code;
    }
    // Else it would try the PIN of the key before.
    if (pin[0] != '\0' && ENGINE_ctrl_cmd_string(engine, "PIN", pin, 0) != 1) {
        return err_set_openssl(err, ERR_NOMEM, "no memory to open a token");
    }
    EVP_PKEY *key = ENGINE_load_private_key(engine, uri, NULL, NULL);
    if (key == NULL && !has_pin(uri, pin)) {
        ERR_clear_error();
        return err_set(err, ERR_CONFIG,
                       "%.*s: without a PIN no such private key can be found in a token",
                       shown_len(uri), uri);
    }
    if (key == NULL) {
        return err_set_openssl(err, ERR_CONFIG, "%.*s: no private key can be read from a token",
                               shown_len(uri), uri);
    }
    ERR_clear_error();
    *ret_key = key;
    return ERR_OK;
}
