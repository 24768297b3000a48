// SPDX-License-Identifier: Apache-2.0
// PKCS#10 checks: a table of requests that are wrong in one way each.
#include <stdlib.h>

#include <openssl/core_names.h>
#include <openssl/param_build.h>

#include "ca/csr.h"
#include "fixture.h"

static const struct csr_rules strict = {0};

static struct buf good(void)
{
    static const char challenge[] = "secret";
    X509_REQ *req = req_begin(kit_key(PHONE_KEY));
    assert_int_equal(
        X509_REQ_add1_attr_by_NID(req, NID_pkcs9_challengePassword, V_ASN1_PRINTABLESTRING,
                                  (const unsigned char *)challenge, (int)strlen(challenge)),
        1);
    return req_end(req, kit_key(PHONE_KEY));
}

static struct buf with_digest(const char *digest)
{
    const struct kit_csr content = {.common_name = "phone", .digest = digest};
    return kit_csr_der(kit_key(PHONE_KEY), &content);
}

static struct buf garbage(void)
{
    struct buf der = {0};
    assert_int_equal(buf_copy(view_of_text("this is no PKCS#10 at all"), &der, NULL), ERR_OK);
    return der;
}

static struct buf empty(void)
{
    return (struct buf){0};
}

static struct buf truncated(void)
{
    struct buf der = good();
    der.len -= 1;
    return der;
}

static struct buf trailing(void)
{
    struct buf der = good();
    assert_int_equal(buf_append(&der, view_of("\0", 1), NULL), ERR_OK);
    return der;
}

static struct buf too_long(void)
{
    struct buf der = {0};
    assert_int_equal(buf_reserve(&der, LIMIT_CSR_LEN + 1, NULL), ERR_OK);
    memset(der.data, 0x30, LIMIT_CSR_LEN + 1);
    der.len = LIMIT_CSR_LEN + 1;
    return der;
}

// Signed by its own key unless OpenSSL cannot; then by another: the key limits come first.
static struct buf for_key(EVP_PKEY *take_key, bool is_own)
{
    X509_REQ *req = req_begin(take_key);
    struct buf der = req_end(req, is_own ? take_key : kit_key(OTHER_KEY));
    EVP_PKEY_free(take_key);
    return der;
}

static struct buf rsa_1024(void)
{
    return for_key(kit_rsa_key(1024), true);
}

static struct buf ec_named(void)
{
    return for_key(kit_ec_key("P-256"), true);
}

static struct buf ec_explicit(void)
{
    EVP_PKEY *key = kit_ec_key("P-256");
    assert_int_equal(EVP_PKEY_set_utf8_string_param(key, OSSL_PKEY_PARAM_EC_ENCODING, "explicit"),
                     1);
    return for_key(key, true);
}

static struct buf ed25519(void)
{
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    assert_non_null(key);
    return for_key(key, false);
}

static EVP_PKEY *key_from(const char *type, OSSL_PARAM_BLD *builder)
{
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    EVP_PKEY *key = NULL;
    assert_int_equal(EVP_PKEY_fromdata_init(context), 1);
    assert_int_equal(EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params), 1);
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(builder);
    return key;
}

static BIGNUM *a_modulus(void)
{
    BIGNUM *n = NULL;
    assert_int_equal(EVP_PKEY_get_bn_param(kit_key(OTHER_KEY), OSSL_PKEY_PARAM_RSA_N, &n), 1);
    return n;
}

// The public half of an RSA key with the exponent `hex`.
static struct buf with_exponent(const char *hex)
{
    BIGNUM *n = a_modulus();
    BIGNUM *e = NULL;
    assert_true(BN_hex2bn(&e, hex) > 0);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n);
    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e);
    EVP_PKEY *key = key_from("RSA", builder);
    BN_free(n);
    BN_free(e);
    return for_key(key, false);
}

static struct buf exponent_1(void)
{
    return with_exponent("1");
}

static struct buf exponent_even(void)
{
    return with_exponent("10000");
}

static struct buf exponent_huge(void)
{
    return with_exponent("100000000000000000000000000000001");
}

// Never verified, so the numbers need not make a group.
static struct buf dsa(void)
{
    BIGNUM *p = a_modulus();
    BIGNUM *q = BN_dup(p);
    BIGNUM *two = BN_new();
    BN_rshift(q, q, BN_num_bits(q) - 256);
    BN_set_bit(q, 0);
    BN_set_word(two, 2);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_FFC_P, p);
    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_FFC_Q, q);
    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_FFC_G, two);
    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_PUB_KEY, two);
    EVP_PKEY *key = key_from("DSA", builder);
    BN_free(p);
    BN_free(q);
    BN_free(two);
    return for_key(key, false);
}

static struct buf wrong_signature(void)
{
    return req_end(req_begin(kit_key(PHONE_KEY)), kit_key(OTHER_KEY));
}

static struct buf flipped_subject(void)
{
    struct buf der = good();
    uint8_t *name = memmem(der.data, der.len, "phone", 5);
    assert_non_null(name);
    name[0] = 'P';
    return der;
}

static struct buf md5(void)
{
    return with_digest("MD5");
}

static struct buf sha1(void)
{
    return with_digest("SHA1");
}

static struct buf sha224(void)
{
    return with_digest("SHA224");
}

static struct buf pss(void)
{
    X509_REQ *req = req_begin(kit_key(PHONE_KEY));
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *options = NULL;
    assert_int_equal(EVP_DigestSignInit(context, &options, EVP_sha256(), NULL, kit_key(PHONE_KEY)),
                     1);
    EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING);
    assert_true(X509_REQ_sign_ctx(req, context) > 0);
    EVP_MD_CTX_free(context);
    unsigned char *der = NULL;
    int len = i2d_X509_REQ(req, &der);
    struct buf copy = {0};
    assert_int_equal(buf_copy(view_of(der, (size_t)len), &copy, NULL), ERR_OK);
    OPENSSL_free(der);
    X509_REQ_free(req);
    return copy;
}

static void push_octets(STACK_OF(X509_EXTENSION) * *extensions, int nid, struct view octets)
{
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    ASN1_OCTET_STRING_set(value, octets.data, (int)octets.len);
    X509_EXTENSION *extension = X509_EXTENSION_create_by_NID(NULL, nid, 0, value);
    assert_non_null(X509v3_add_ext(extensions, extension, -1));
    X509_EXTENSION_free(extension);
    ASN1_OCTET_STRING_free(value);
}

static struct buf with_extensions(STACK_OF(X509_EXTENSION) * take_extensions, int nid)
{
    X509_REQ *req = req_begin(kit_key(PHONE_KEY));
    assert_int_equal(X509_REQ_add_extensions_nid(req, take_extensions, nid), 1);
    free_extension_stack(take_extensions);
    return req_end(req, kit_key(PHONE_KEY));
}

static const struct view one_dns_name = {.data = (const uint8_t *)"\x30\x03\x82\x01\x61", .len = 5};

static struct buf duplicate_extension(void)
{
    STACK_OF(X509_EXTENSION) *extensions = NULL;
    push_octets(&extensions, NID_subject_alt_name, one_dns_name);
    push_octets(&extensions, NID_key_usage, view_of("\x03\x02\x05\xa0", 4));
    push_octets(&extensions, NID_subject_alt_name, one_dns_name);
    return with_extensions(extensions, NID_ext_req);
}

static struct buf duplicate_unknown(void)
{
    STACK_OF(X509_EXTENSION) *extensions = NULL;
    push_octets(&extensions, NID_ms_upn, view_of("\x05\x00", 2));
    push_octets(&extensions, NID_ms_upn, view_of("\x05\x00", 2));
    return with_extensions(extensions, NID_ext_req);
}

static struct buf malformed_extension(void)
{
    STACK_OF(X509_EXTENSION) *extensions = NULL;
    push_octets(&extensions, NID_subject_alt_name, view_of("\x30\x04\x82\x01\x61", 5));
    return with_extensions(extensions, NID_ms_ext_req);
}

static struct buf extension_with_trailing_octets(void)
{
    STACK_OF(X509_EXTENSION) *extensions = NULL;
    push_octets(&extensions, NID_key_usage, view_of("\x03\x02\x05\xa0\x00", 5));
    return with_extensions(extensions, NID_ext_req);
}

// The same extension asked for in PKCS #9's and in Microsoft's attribute.
static struct buf extension_in_both_attributes(void)
{
    STACK_OF(X509_EXTENSION) *extensions = NULL;
    push_octets(&extensions, NID_subject_alt_name, one_dns_name);
    X509_REQ *req = req_begin(kit_key(PHONE_KEY));
    assert_int_equal(X509_REQ_add_extensions_nid(req, extensions, NID_ext_req), 1);
    assert_int_equal(X509_REQ_add_extensions_nid(req, extensions, NID_ms_ext_req), 1);
    free_extension_stack(extensions);
    return req_end(req, kit_key(PHONE_KEY));
}

static struct buf attribute_that_is_no_list(void)
{
    X509_REQ *req = req_begin(kit_key(PHONE_KEY));
    assert_int_equal(X509_REQ_add1_attr_by_NID(req, NID_ext_req, V_ASN1_UTF8STRING,
                                               (const unsigned char *)"x", 1),
                     1);
    return req_end(req, kit_key(PHONE_KEY));
}

static struct buf attribute_with_garbage(void)
{
    X509_REQ *req = req_begin(kit_key(PHONE_KEY));
    assert_int_equal(X509_REQ_add1_attr_by_NID(req, NID_ext_req, V_ASN1_SEQUENCE,
                                               (const unsigned char *)"\x30\x01\x00", 3),
                     1);
    return req_end(req, kit_key(PHONE_KEY));
}

static struct buf with_names(unsigned count)
{
    GENERAL_NAMES *names = GENERAL_NAMES_new();
    for (unsigned i = 0; i < count; i++) {
        GENERAL_NAME *name = GENERAL_NAME_new();
        ASN1_IA5STRING *text = ASN1_IA5STRING_new();
        ASN1_STRING_set(text, "a", 1);
        GENERAL_NAME_set0_value(name, GEN_DNS, text);
        sk_GENERAL_NAME_push(names, name);
    }
    STACK_OF(X509_EXTENSION) *extensions = NULL;
    assert_int_equal(X509V3_add1_i2d(&extensions, NID_subject_alt_name, names, 0, 0), 1);
    GENERAL_NAMES_free(names);
    return with_extensions(extensions, NID_ext_req);
}

static struct buf names_33(void)
{
    return with_names(LIMIT_SUBJECT_ALT_NAMES + 1);
}

static void refuses(void **state)
{
    (void)state;
    static const struct {
        struct buf (*make)(void);
        enum err_code code;
        const char *text;
    } bad[] = {
        {garbage, ERR_BAD_REQUEST, "not exactly one DER PKCS#10"},
        {empty, ERR_BAD_REQUEST, "not exactly one DER PKCS#10"},
        {truncated, ERR_BAD_REQUEST, "not exactly one DER PKCS#10"},
        {trailing, ERR_BAD_REQUEST, "not exactly one DER PKCS#10"},
        {too_long, ERR_BAD_REQUEST, "of 16385 octets"},
        {rsa_1024, ERR_BAD_ALG, "1024 bits"},
        {ec_named, ERR_BAD_ALG, "type id-ecPublicKey"},
        {ec_explicit, ERR_BAD_ALG, "type id-ecPublicKey"},
        {ed25519, ERR_BAD_ALG, "type ED25519"},
        {dsa, ERR_BAD_ALG, "type dsaEncryption"},
        {exponent_1, ERR_BAD_ALG, "exponent"},
        {exponent_even, ERR_BAD_ALG, "exponent"},
        {exponent_huge, ERR_BAD_ALG, "exponent"},
        {wrong_signature, ERR_BAD_REQUEST, "signature does not verify"},
        {flipped_subject, ERR_BAD_REQUEST, "signature does not verify"},
        {md5, ERR_BAD_ALG, "md5WithRSAEncryption"},
        {sha1, ERR_BAD_ALG, "sha1WithRSAEncryption"},
        {sha224, ERR_BAD_ALG, "sha224WithRSAEncryption"},
        {pss, ERR_BAD_ALG, "rsassaPss"},
        {duplicate_extension, ERR_BAD_REQUEST, "Alternative Name twice"},
        {duplicate_unknown, ERR_BAD_REQUEST, "twice"},
        {malformed_extension, ERR_BAD_REQUEST, "malformed extension subjectAltName"},
        {extension_with_trailing_octets, ERR_BAD_REQUEST, "malformed extension keyUsage"},
        {extension_in_both_attributes, ERR_BAD_REQUEST, "twice"},
        {attribute_that_is_no_list, ERR_BAD_REQUEST, "exactly one list"},
        {attribute_with_garbage, ERR_BAD_REQUEST, "malformed extensionRequest"},
        {names_33, ERR_BAD_REQUEST, "33 subjectAltNames"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct buf der = bad[i].make();
        struct csr *csr = NULL;
        struct err err = {0};
        assert_refused(csr_read(buf_view(&der), &strict, &csr, &err), bad[i].code, &err,
                       bad[i].text);
        assert_null(csr);
        buf_done(&der);
    }
}

static void assert_accepted(struct buf der, const struct csr_rules *rules)
{
    struct csr *csr = NULL;
    struct err err = {0};
    assert_ok(csr_read(buf_view(&der), rules, &csr, &err), &err);
    assert_int_equal(EVP_PKEY_eq(csr_key(csr), kit_key(PHONE_KEY)), 1);
    csr_free(csr);
    buf_done(&der);
}

static void accepts(void **state)
{
    (void)state;
    assert_accepted(good(), &strict);
    assert_accepted(with_digest("SHA384"), &strict);
    assert_accepted(with_digest("SHA512"), &strict);
    assert_accepted(with_digest("SHA1"), &(struct csr_rules){.allow_sha1 = true});
    assert_accepted(with_digest("MD5"), &(struct csr_rules){.allow_md5 = true});
    assert_accepted(with_names(LIMIT_SUBJECT_ALT_NAMES), &strict);
}

static void weak_digests_are_separate(void **state)
{
    (void)state;
    struct buf der = md5();
    struct csr *csr = NULL;
    struct err err = {0};
    assert_refused(csr_read(buf_view(&der), &(struct csr_rules){.allow_sha1 = true}, &csr, &err),
                   ERR_BAD_ALG, &err, "md5");
    buf_done(&der);
}

// Keys that only sign: ECDSA on P-256, and nothing else of EC.
static void signers_may_have_p256(void **state)
{
    (void)state;
    static const struct csr_rules signer = {.allow_p256 = true};
    static const struct {
        const char *curve;
        const char *digest;
        const char *text; // NULL = accepted
    } cases[] = {
        {"P-256", "SHA256", NULL},
        {"P-256", "SHA384", NULL},
        {"P-256", "SHA1", "ecdsa-with-SHA1, which is not allowed; allowed: SHA-256"},
        {"P-384", "SHA384", "id-ecPublicKey"},
        {"secp256k1", "SHA256", "id-ecPublicKey"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        EVP_PKEY *key = kit_ec_key(cases[i].curve);
        const struct kit_csr content = {.common_name = "x", .digest = cases[i].digest};
        struct buf der = kit_csr_der(key, &content);
        struct csr *csr = NULL;
        struct err err = {0};
        enum err_code code = csr_read(buf_view(&der), &signer, &csr, &err);
        if (cases[i].text == NULL) {
            assert_ok(code, &err);
            assert_int_equal(EVP_PKEY_eq(csr_key(csr), key), 1);
        } else {
            assert_refused(code, ERR_BAD_ALG, &err, cases[i].text);
        }
        csr_free(csr);
        csr = NULL;
        assert_refused(csr_read(buf_view(&der), &strict, &csr, &err), ERR_BAD_ALG, &err,
                       "must be RSA");
        buf_done(&der);
        EVP_PKEY_free(key);
    }
    assert_accepted(good(), &signer);
}

static void signers_p256_is_checked(void **state)
{
    (void)state;
    static const struct csr_rules signer = {.allow_p256 = true};
    EVP_PKEY *key = kit_ec_key("P-256");
    EVP_PKEY *other = kit_ec_key("P-256");
    struct buf forged = req_end(req_begin(key), other);
    struct csr *csr = NULL;
    struct err err = {0};
    assert_refused(csr_read(buf_view(&forged), &signer, &csr, &err), ERR_BAD_REQUEST, &err,
                   "own signature");
    // The last octet of the point is changed: it is not on the curve any more.
    struct buf der = req_end(req_begin(key), key);
    struct buf spki = {0};
    assert_ok(ossl_spki_to_der(key, &spki, &err), &err);
    uint8_t *found = memmem(der.data, der.len, spki.data, spki.len);
    assert_non_null(found);
    found[spki.len - 1] ^= 1;
    assert_refused(csr_read(buf_view(&der), &signer, &csr, &err), ERR_BAD_ALG, &err, "EC key");
    assert_null(csr);
    buf_done(&spki);
    buf_done(&der);
    buf_done(&forged);
    EVP_PKEY_free(other);
    EVP_PKEY_free(key);
}

// An extension nobody knows is not copied, so it does no harm (Microsoft's template name).
static void accepts_unknown_extension(void **state)
{
    (void)state;
    STACK_OF(X509_EXTENSION) *extensions = NULL;
    push_octets(&extensions, NID_ms_upn, view_of("\xff\xff", 2));
    assert_accepted(with_extensions(extensions, NID_ms_ext_req), &strict);
}

// Octets of the outer SEQUENCE's head and of the part that the signature covers.
static size_t signed_len(struct view der)
{
    const unsigned char *end = der.data;
    X509_REQ *req = d2i_X509_REQ(NULL, &end, (long)der.len);
    unsigned char *info = NULL;
    int len = i2d_re_X509_REQ_tbs(req, &info);
    assert_true(len > 0);
    const uint8_t *start = memmem(der.data, der.len, info, (size_t)len);
    assert_non_null(start);
    OPENSSL_free(info);
    X509_REQ_free(req);
    return (size_t)(start - der.data) + (size_t)len;
}

// Nothing that is signed can be changed; what follows (the algorithm's absent parameters, the
// BIT STRING's head) may be read more than one way, but never crashes.
static void mutated_octets(void **state)
{
    (void)state;
    struct buf der = good();
    size_t covered = signed_len(buf_view(&der));
    for (size_t at = 0; at < der.len; at++) {
        uint8_t original = der.data[at];
        der.data[at] = (uint8_t)(original ^ 0x01);
        struct csr *csr = NULL;
        struct err err = {0};
        enum err_code code = csr_read(buf_view(&der), &strict, &csr, &err);
        bool is_refused = code == ERR_BAD_REQUEST || code == ERR_BAD_ALG;
        if (!is_refused && (code != ERR_OK || at < covered)) {
            fail_msg("octet %zu: %s", at, err_name(code));
        }
        csr_free(csr);
        der.data[at] = original;
    }
    buf_done(&der);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses),
        cmocka_unit_test(accepts),
        cmocka_unit_test(weak_digests_are_separate),
        cmocka_unit_test(signers_may_have_p256),
        cmocka_unit_test(signers_p256_is_checked),
        cmocka_unit_test(accepts_unknown_extension),
        cmocka_unit_test(mutated_octets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
