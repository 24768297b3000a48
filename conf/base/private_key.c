// SPDX-License-Identifier: Apache-2.0
#include "conf/base/private_key.h"

#include <string.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ui.h>

#include "conf/base/file.h"
#include "conf/base/token_key.h"

#define PIN_FILE_LEN 1024 // octets; OpenSSL takes no longer passphrase

DEFINE_CLEANUP(UI_METHOD *, UI_destroy_method);

// The first line, as an editor leaves it, with a NUL that is not counted.
static enum err_code read_pin(const char *pin_file, struct buf *ret_pin, struct err *err)
{
    if (pin_file == NULL) {
        return ERR_OK;
    }
    enum err_code code = file_read(pin_file, PIN_FILE_LEN, ret_pin, err);
    if (code != ERR_OK) {
        return code;
    }
    size_t len = 0;
    while (len < ret_pin->len && ret_pin->data[len] != '\n' && ret_pin->data[len] != '\r') {
        len++;
    }
    ret_pin->len = len;
    code = buf_append(ret_pin, view_of("", 1), err);
    ret_pin->len = len;
    return code;
}

// A pem_password_cb. Failing is what keeps OpenSSL from asking on the terminal.
static int give_pin(char *to, int size, int is_writing, void *data)
{
    const struct buf *pin = data;
    (void)is_writing;
    if (pin->len == 0 || size < 0 || pin->len > (size_t)size) {
        return -1;
    }
    memcpy(to, pin->data, pin->len);
    return (int)pin->len;
}

static EVP_PKEY *first_key(OSSL_STORE_CTX *store)
{
    while (!OSSL_STORE_eof(store)) {
        CLEANUP(cleanup_OSSL_STORE_INFO_free) OSSL_STORE_INFO *info = OSSL_STORE_load(store);
        if (info != NULL && OSSL_STORE_INFO_get_type(info) == OSSL_STORE_INFO_PKEY) {
            return OSSL_STORE_INFO_get1_PKEY(info);
        }
        if (info == NULL && OSSL_STORE_error(store)) {
            return NULL;
        }
    }
    return NULL;
}

// Without the query of a PKCS#11 URI, which may hold the PIN.
static int public_len(const char *uri)
{
    return (int)strcspn(uri, "?");
}

static enum err_code load(const char *uri, struct buf *pin, EVP_PKEY **ret_key, struct err *err)
{
    CLEANUP(cleanup_UI_destroy_method)
    UI_METHOD *method = UI_UTIL_wrap_read_pem_callback(give_pin, 0);
    if (method == NULL) {
        return err_set_openssl(err, ERR_NOMEM, "no memory to read a key");
    }
    CLEANUP(cleanup_OSSL_STORE_close)
    OSSL_STORE_CTX *store = OSSL_STORE_open(uri, method, pin, NULL, NULL);
    if (store == NULL || OSSL_STORE_expect(store, OSSL_STORE_INFO_PKEY) != 1) {
        return err_set_openssl(err, ERR_CONFIG, "%.*s: cannot be opened", public_len(uri), uri);
    }
    EVP_PKEY *key = first_key(store);
    if (key == NULL) {
        return err_set_openssl(err, ERR_CONFIG, "%.*s: no private key can be read", public_len(uri),
                               uri);
    }
    ERR_clear_error(); // of the formats that were tried first
    *ret_key = key;
    return ERR_OK;
}

enum err_code private_key_load(const char *uri, const char *pin_file, EVP_PKEY **ret_key,
                               struct err *err)
{
    struct buf pin = {0};
    ERR_clear_error();
    // OpenSSL's own words for a missing file speak of URI schemes.
    if (uri[0] == '/' && access(uri, R_OK) != 0) {
        struct err reason = {0};
        err_set_errno(&reason, "%s", uri);
        return err_set(err, ERR_CONFIG, "%s", reason.text);
    }
    enum err_code code = read_pin(pin_file, &pin, err);
    if (code == ERR_OK && token_key_is_ours(uri)) {
        code = token_key_load(uri, pin.len > 0 ? (const char *)pin.data : "", ret_key, err);
    } else if (code == ERR_OK) {
        code = load(uri, &pin, ret_key, err);
    }
    buf_wipe(&pin);
    return code;
}
