// SPDX-License-Identifier: Apache-2.0
// OpenSSL 1.1.1, on which phones' firmware stands, reads PBES2 with AES-256 and a MAC of SHA-256.
#include "server/ctl/phone/p12.h"

#include <openssl/pkcs12.h>

#define ITERATIONS  10000 // of either derivation; a phone does it once, in well under a second
#define WITHOUT_MAC (-1)  // PKCS12_create(): it is set afterwards, with a digest of our choice
#define FIRST_PRINT 0x20
#define LAST_PRINT  0x7e

DEFINE_CLEANUP(PKCS12 *, PKCS12_free);

enum err_code p12_check_password(struct view password, struct err *err)
{
    if (password.len == 0) {
        return err_set(err, ERR_SYNTAX,
                       "an empty password would leave the key to whoever has the file; allowed are "
                       "1 to %d characters",
                       P12_PASSWORD_MAX);
    }
    if (password.len > P12_PASSWORD_MAX) {
        return err_set(err, ERR_LIMIT, "a password of %zu characters; allowed are 1 to %d",
                       password.len, P12_PASSWORD_MAX);
    }
    for (size_t i = 0; i < password.len; i++) {
        if (password.data[i] < FIRST_PRINT || password.data[i] > LAST_PRINT) {
            return err_set(err, ERR_SYNTAX,
                           "a password with a character that is not printable ASCII, which phones "
                           "read in different ways");
        }
    }
    return ERR_OK;
}

enum err_code p12_encode(const struct p12 *p12, struct buf *ret_der, struct err *err)
{
    int cipher = p12->is_legacy ? NID_pbe_WithSHA1And3_Key_TripleDES_CBC : NID_aes_256_cbc;
    const EVP_MD *digest = p12->is_legacy ? EVP_sha1() : EVP_sha256();
    CLEANUP(cleanup_PKCS12_free)
    PKCS12 *file = PKCS12_create(p12->password, p12->name, p12->key, p12->cert, p12->chain, cipher,
                                 cipher, ITERATIONS, WITHOUT_MAC, 0);
    if (file == NULL || PKCS12_set_mac(file, p12->password, -1, NULL, 0, ITERATIONS, digest) != 1) {
        return err_set_openssl(err, ERR_CRYPTO, "cannot make a PKCS#12");
    }
    unsigned char *der = NULL;
    int len = i2d_PKCS12(file, &der);
    if (len < 0) {
        return err_set_openssl(err, ERR_CRYPTO, "cannot encode a PKCS#12");
    }
    enum err_code code = buf_copy(view_of(der, (size_t)len), ret_der, err);
    OPENSSL_free(der);
    return code;
}
