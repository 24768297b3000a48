// SPDX-License-Identifier: Apache-2.0
#include "tests/phone/keymill.h"

#include <stdlib.h>

#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#define PRIME_BITS 1024

struct prime {
    BIGNUM *number;
};

struct keymill {
    struct prime *primes;
    size_t count;
};

// Numbers of one key, in the order of RFC 8017, 3.2 (second representation).
struct numbers {
    BIGNUM *n, *e, *d, *p, *q, *dp, *dq, *qinv;
};

// A prime that RSA can use with `e`: p - 1 must be invertible modulo e.
static BIGNUM *make_prime(const BIGNUM *e, BN_CTX *context)
{
    BIGNUM *prime = BN_new();
    CLEANUP(cleanup_BN_free) BIGNUM *rest = BN_new();
    require(prime != NULL && rest != NULL, "getting memory");
    do {
        require(BN_generate_prime_ex2(prime, PRIME_BITS, 0, NULL, NULL, NULL, context) == 1 &&
                    BN_mod(rest, prime, e, context) == 1,
                "making a prime");
    } while (BN_is_one(rest));
    return prime;
}

struct keymill *keymill_new(size_t keys)
{
    struct keymill *mill = calloc(1, sizeof *mill);
    CLEANUP(cleanup_BN_CTX_free) BN_CTX *context = BN_CTX_new();
    CLEANUP(cleanup_BN_free) BIGNUM *e = BN_new();
    require(mill != NULL && context != NULL && e != NULL && BN_set_word(e, RSA_F4) == 1,
            "getting memory");
    mill->count = 2;
    while (mill->count * (mill->count - 1) / 2 < keys) {
        mill->count++;
    }
    mill->primes = calloc(mill->count, sizeof *mill->primes);
    require(mill->primes != NULL, "getting memory");
    for (size_t i = 0; i < mill->count; i++) {
        mill->primes[i].number = make_prime(e, context);
    }
    return mill;
}

void keymill_free(struct keymill *mill)
{
    if (mill == NULL) {
        return;
    }
    for (size_t i = 0; i < mill->count; i++) {
        BN_free(mill->primes[i].number);
    }
    free(mill->primes);
    free(mill);
}

static void numbers_compute(struct numbers *numbers, const BIGNUM *p, const BIGNUM *q)
{
    CLEANUP(cleanup_BN_CTX_free) BN_CTX *context = BN_CTX_new();
    CLEANUP(cleanup_BN_free) BIGNUM *p1 = BN_dup(p);
    CLEANUP(cleanup_BN_free) BIGNUM *q1 = BN_dup(q);
    CLEANUP(cleanup_BN_free) BIGNUM *phi = BN_new();
    *numbers = (struct numbers){BN_new(),  BN_new(), BN_new(), BN_dup(p),
                                BN_dup(q), BN_new(), BN_new(), BN_new()};
    require(context != NULL && p1 != NULL && q1 != NULL && phi != NULL && numbers->qinv != NULL,
            "getting memory");
    require(BN_sub_word(p1, 1) == 1 && BN_sub_word(q1, 1) == 1 &&
                BN_mul(phi, p1, q1, context) == 1 && BN_mul(numbers->n, p, q, context) == 1 &&
                BN_set_word(numbers->e, RSA_F4) == 1 &&
                BN_mod_inverse(numbers->d, numbers->e, phi, context) != NULL &&
                BN_mod(numbers->dp, numbers->d, p1, context) == 1 &&
                BN_mod(numbers->dq, numbers->d, q1, context) == 1 &&
                BN_mod_inverse(numbers->qinv, q, p, context) != NULL,
            "computing a key");
}

static EVP_PKEY *numbers_to_key(const struct numbers *numbers)
{
    const struct {
        const char *name;
        const BIGNUM *value;
    } parts[] = {
        {OSSL_PKEY_PARAM_RSA_N, numbers->n},
        {OSSL_PKEY_PARAM_RSA_E, numbers->e},
        {OSSL_PKEY_PARAM_RSA_D, numbers->d},
        {OSSL_PKEY_PARAM_RSA_FACTOR1, numbers->p},
        {OSSL_PKEY_PARAM_RSA_FACTOR2, numbers->q},
        {OSSL_PKEY_PARAM_RSA_EXPONENT1, numbers->dp},
        {OSSL_PKEY_PARAM_RSA_EXPONENT2, numbers->dq},
        {OSSL_PKEY_PARAM_RSA_COEFFICIENT1, numbers->qinv},
    };
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    require(build != NULL, "getting memory");
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        require(OSSL_PARAM_BLD_push_BN(build, parts[i].name, parts[i].value) == 1,
                "putting a key together");
    }
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
    CLEANUP(cleanup_EVP_PKEY_CTX_free)
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    EVP_PKEY *key = NULL;
    require(params != NULL && context != NULL && EVP_PKEY_fromdata_init(context) == 1 &&
                EVP_PKEY_fromdata(context, &key, EVP_PKEY_KEYPAIR, params) == 1,
            "putting a key together");
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    return key;
}

EVP_PKEY *keymill_key(const struct keymill *mill, size_t index)
{
    // Pairs in the order (0,1), (0,2), (1,2), (0,3), ...
    size_t high = 1;
    size_t before = 0; // pairs with a smaller second member
    while (before + high <= index) {
        before += high;
        high++;
    }
    struct numbers numbers = {0};
    numbers_compute(&numbers, mill->primes[high].number, mill->primes[index - before].number);
    EVP_PKEY *key = numbers_to_key(&numbers);
    BIGNUM *all[] = {numbers.n, numbers.e,  numbers.d,  numbers.p,
                     numbers.q, numbers.dp, numbers.dq, numbers.qinv};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        BN_clear_free(all[i]);
    }
    return key;
}
