// SPDX-License-Identifier: Apache-2.0
#include "server/ctl/phone/phone_hash.h"

#include <string.h>

enum err_code phone_hash_find(const char *name, const EVP_MD **ret_digest, struct err *err)
{
    static const struct {
        const char *name;
        const EVP_MD *(*digest)(void);
    } hashes[] = {
        {"sha256", EVP_sha256},
        {"sha384", EVP_sha384},
        {"sha512", EVP_sha512},
        {"sha1", EVP_sha1},
    };
    for (size_t i = 0; i < sizeof hashes / sizeof hashes[0]; i++) {
        if (strcmp(hashes[i].name, name) == 0) {
            *ret_digest = hashes[i].digest();
            return ERR_OK;
        }
    }
    return err_set(err, ERR_SYNTAX, "--hash \"%.64s\" is unknown; allowed are " PHONE_HASHES, name);
}

enum err_code phone_hash_cert(const X509 *cert, const char *name, struct pin *ret_pin,
                              struct err *err)
{
    const EVP_MD *digest = NULL;
    uint8_t octets[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    enum err_code code = phone_hash_find(name, &digest, err);
    if (code != ERR_OK) {
        return code;
    }
    if (X509_digest(cert, digest, octets, &len) != 1 || len > sizeof ret_pin->octets) {
        return err_set_openssl(err, ERR_CRYPTO, "cannot make a fingerprint by %s", name);
    }
    memcpy(ret_pin->octets, octets, len);
    ret_pin->len = len;
    return ERR_OK;
}
