// SPDX-License-Identifier: Apache-2.0
// Which public keys are accepted: sizes, exponents, types.
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>

#include "conf/keys.h"
#include "kit/kit.h"

struct number {
    const char *name;
    BIGNUM *value;
};

static BIGNUM *odd_number(int bits)
{
    BIGNUM *number = BN_new();
    assert_int_equal(BN_set_bit(number, bits - 1), 1);
    assert_int_equal(BN_set_bit(number, 0), 1);
    return number;
}

// A public key of numbers that need not fit together: nothing is computed with it. Frees them.
static EVP_PKEY *public_key(const char *type, struct number *numbers, size_t count)
{
    EVP_PKEY *key = NULL;
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    for (size_t i = 0; i < count; i++) {
        OSSL_PARAM_BLD_push_BN(build, numbers[i].name, numbers[i].value);
    }
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    assert_int_equal(EVP_PKEY_fromdata_init(context), 1);
    assert_int_equal(EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params), 1);
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    for (size_t i = 0; i < count; i++) {
        BN_free(numbers[i].value);
    }
    return key;
}

static EVP_PKEY *rsa_public(int bits, const char *exponent_hex)
{
    BIGNUM *exponent = NULL;
    assert_true(BN_hex2bn(&exponent, exponent_hex) > 0);
    struct number numbers[] = {
        {OSSL_PKEY_PARAM_RSA_N, odd_number(bits)},
        {OSSL_PKEY_PARAM_RSA_E, exponent},
    };
    return public_key("RSA", numbers, sizeof numbers / sizeof numbers[0]);
}

static void checks_rsa_sizes_and_exponents(void **state)
{
    (void)state;
    const struct {
        int bits;
        const char *exponent;
        const char *why; // NULL = accepted
    } cases[] = {
        {2048, "10001", NULL},
        {2048, "3", NULL},
        {3072, "10001", NULL},
        {4096, "FFFFFFFF", NULL},
        {1024, "10001", "an RSA key of 1024 bits; allowed: 2048 to 4096"},
        {2047, "10001", "an RSA key of 2047 bits; allowed: 2048 to 4096"},
        {4097, "10001", "an RSA key of 4097 bits; allowed: 2048 to 4096"},
        {8192, "10001", "an RSA key of 8192 bits; allowed: 2048 to 4096"},
        {2048, "1", "an RSA public exponent of 1 bits; allowed: odd, from 3 to 2^32"},
        {2048, "0", "an RSA public exponent of 0 bits; allowed: odd, from 3 to 2^32"},
        {2048, "2", "an RSA public exponent of 2 bits; allowed: odd, from 3 to 2^32"},
        {2048, "10000", "an RSA public exponent of 17 bits; allowed: odd, from 3 to 2^32"},
        {2048, "100000000", "an RSA public exponent of 33 bits; allowed: odd, from 3 to 2^32"},
        {2048, "100000001", "an RSA public exponent of 33 bits; allowed: odd, from 3 to 2^32"},
        {4096, "80000000000000000000000000000001",
         "an RSA public exponent of 128 bits; allowed: odd, from 3 to 2^32"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct err err = {0};
        EVP_PKEY *key = rsa_public(cases[i].bits, cases[i].exponent);
        enum err_code code = keys_check_client(key, &err);
        assert_int_equal(code, cases[i].why == NULL ? ERR_OK : ERR_BAD_ALG);
        assert_string_equal(err.text, cases[i].why == NULL ? "" : cases[i].why);
        EVP_PKEY_free(key);
    }
}

static void the_lower_limit_can_be_another(void **state)
{
    (void)state;
    const struct {
        int bits;
        uint32_t min_bits;
        const char *exponent;
        const char *why; // NULL = accepted
    } cases[] = {
        {1024, 1024, "10001", NULL},
        {1025, 1024, "3", NULL},
        {2048, 1024, "10001", NULL},
        {4096, 1024, "10001", NULL},
        {3072, 3072, "10001", NULL},
        {4096, 4096, "10001", NULL},
        {512, 1024, "10001", "an RSA key of 512 bits; allowed: 1024 to 4096"},
        {1023, 1024, "10001", "an RSA key of 1023 bits; allowed: 1024 to 4096"},
        {2048, 3072, "10001", "an RSA key of 2048 bits; allowed: 3072 to 4096"},
        {4097, 1024, "10001", "an RSA key of 4097 bits; allowed: 1024 to 4096"},
        {1024, 1024, "1", "an RSA public exponent of 1 bits; allowed: odd, from 3 to 2^32"},
        {1024, 1024, "100000001",
         "an RSA public exponent of 33 bits; allowed: odd, from 3 to 2^32"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct err err = {0};
        EVP_PKEY *key = rsa_public(cases[i].bits, cases[i].exponent);
        enum err_code code = keys_check_at_least(key, cases[i].min_bits, &err);
        assert_int_equal(code, cases[i].why == NULL ? ERR_OK : ERR_BAD_ALG);
        assert_string_equal(err.text, cases[i].why == NULL ? "" : cases[i].why);
        EVP_PKEY_free(key);
    }
}

static void accepts_a_real_key(void **state)
{
    (void)state;
    struct err err = {0};
    assert_int_equal(keys_check_client(kit_key(0), &err), ERR_OK);
}

static EVP_PKEY *ec_key_with_explicit_parameters(void)
{
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    char encoding[] = OSSL_PKEY_EC_ENCODING_EXPLICIT;
    char curve[] = "P-256";
    const OSSL_PARAM params[] = {
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, curve, 0),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_EC_ENCODING, encoding, 0),
        OSSL_PARAM_END,
    };
    assert_int_equal(EVP_PKEY_keygen_init(context), 1);
    assert_int_equal(EVP_PKEY_CTX_set_params(context, params), 1);
    assert_int_equal(EVP_PKEY_generate(context, &key), 1);
    EVP_PKEY_CTX_free(context);
    return key;
}

// As a client's key arrives: SubjectPublicKeyInfo in DER.
static EVP_PKEY *through_der(EVP_PKEY *take_key)
{
    struct err err = {0};
    struct buf der = {0};
    assert_int_equal(ossl_spki_to_der(take_key, &der, &err), ERR_OK);
    const uint8_t *at = der.data;
    EVP_PKEY *key = d2i_PUBKEY(NULL, &at, (long)der.len);
    assert_non_null(key);
    buf_done(&der);
    EVP_PKEY_free(take_key);
    return key;
}

// Made-up numbers of the right sizes.
static EVP_PKEY *dsa_key(void)
{
    enum { BITS = 2048, SUBGROUP_BITS = 256 };
    struct number numbers[] = {
        {OSSL_PKEY_PARAM_FFC_P, odd_number(BITS)},
        {OSSL_PKEY_PARAM_FFC_Q, odd_number(SUBGROUP_BITS)},
        {OSSL_PKEY_PARAM_FFC_G, odd_number(BITS - 1)},
        {OSSL_PKEY_PARAM_PUB_KEY, odd_number(BITS - 2)},
    };
    return public_key("DSA", numbers, sizeof numbers / sizeof numbers[0]);
}

static void expect_type_refused(EVP_PKEY *take_key, const char *type)
{
    struct err err = {0};
    char expected[ERR_TEXT_LEN];
    snprintf(expected, sizeof expected,
             "a key of type %s; SCEP encrypts the answer to it, so it must be RSA", type);
    assert_int_equal(keys_check_client(take_key, &err), ERR_BAD_ALG);
    assert_string_equal(err.text, expected);
    assert_int_equal(keys_check_at_least(take_key, 1, &err), ERR_BAD_ALG);
    assert_string_equal(err.text, expected);
    EVP_PKEY_free(take_key);
}

static void refuses_other_types(void **state)
{
    (void)state;
    expect_type_refused(through_der(kit_ec_key("P-256")), "EC");
    expect_type_refused(through_der(kit_ec_key("P-384")), "EC");
    expect_type_refused(through_der(ec_key_with_explicit_parameters()), "EC");
    expect_type_refused(through_der(dsa_key()), "DSA");
    expect_type_refused(through_der(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")), "ED25519");
    expect_type_refused(EVP_PKEY_Q_keygen(NULL, NULL, "X25519"), "X25519");
}

static void refuses_pss_keys(void **state)
{
    (void)state;
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA-PSS", NULL);
    assert_int_equal(EVP_PKEY_keygen_init(context), 1);
    assert_int_equal(EVP_PKEY_generate(context, &key), 1);
    EVP_PKEY_CTX_free(context);
    expect_type_refused(key, "RSA-PSS");
}

static void refuses_no_key(void **state)
{
    (void)state;
    struct err err = {0};
    ERR_clear_error();
    assert_int_equal(keys_check_client(NULL, &err), ERR_BAD_ALG);
    assert_string_equal(err.text, "a public key that OpenSSL cannot read");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checks_rsa_sizes_and_exponents),
        cmocka_unit_test(the_lower_limit_can_be_another),
        cmocka_unit_test(accepts_a_real_key),
        cmocka_unit_test(refuses_other_types),
        cmocka_unit_test(refuses_pss_keys),
        cmocka_unit_test(refuses_no_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
