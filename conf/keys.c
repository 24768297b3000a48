// SPDX-License-Identifier: Apache-2.0
#include "conf/keys.h"

#include <openssl/core_names.h>

#include "conf/limits.h"

#define EXPONENT_BITS_MAX 33 // 2^32 itself is even; everything odd up to it has 32 bits

static enum err_code check_exponent(const EVP_PKEY *key, struct err *err)
{
    BIGNUM *fetched = NULL;
    if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &fetched) != 1) {
        return err_set_openssl(err, ERR_BAD_ALG, "an RSA key without a readable exponent");
    }
    CLEANUP(cleanup_BN_free) BIGNUM *exponent = fetched;
    if (!BN_is_odd(exponent) || BN_is_one(exponent) || BN_num_bits(exponent) >= EXPONENT_BITS_MAX) {
        return err_set(err, ERR_BAD_ALG,
                       "an RSA public exponent of %d bits; allowed: odd, from 3 to 2^32",
                       BN_num_bits(exponent));
    }
    return ERR_OK;
}

enum err_code keys_check_at_least(const EVP_PKEY *key, uint32_t min_bits, struct err *err)
{
    if (key == NULL) {
        return err_set_openssl(err, ERR_BAD_ALG, "a public key that OpenSSL cannot read");
    }
    if (!EVP_PKEY_is_a(key, "RSA")) {
        const char *type = EVP_PKEY_get0_type_name(key);
        return err_set(err, ERR_BAD_ALG,
                       "a key of type %s; SCEP encrypts the answer to it, so it must be RSA",
                       type != NULL ? type : "unknown");
    }
    int bits = EVP_PKEY_get_bits(key);
    if (bits < 0 || (uint32_t)bits < min_bits || bits > LIMIT_RSA_BITS_MAX) {
        return err_set(err, ERR_BAD_ALG, "an RSA key of %d bits; allowed: %u to %d", bits,
                       (unsigned)min_bits, LIMIT_RSA_BITS_MAX);
    }
    return check_exponent(key, err);
}

enum err_code keys_check_client(const EVP_PKEY *key, struct err *err)
{
    return keys_check_at_least(key, LIMIT_RSA_BITS_MIN, err);
}
