// SPDX-License-Identifier: Apache-2.0
// Q2, Q8, Q9 of the conformance list: reading the challengePassword, proof of possession.
#include "ra/pkcs10.h"

#include <stdlib.h>
#include <string.h>

#include "kit/kit.h"

#define FLIPS 3000
#define LONG_255                                                                                   \
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
    "aaa"                                                                                          \
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
    "aaa"                                                                                          \
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static struct buf csr_with_challenge(int type, const char *octets, size_t len)
{
    X509_REQ *req = X509_REQ_new();
    X509_REQ_set_pubkey(req, kit_key(0));
    assert_int_equal(X509_REQ_add1_attr_by_NID(req, NID_pkcs9_challengePassword, type,
                                               (const unsigned char *)octets, (int)len),
                     1);
    return kit_req_der(req, kit_key(0), EVP_sha256());
}

static void assert_refused(struct buf *der, enum err_code expected, const char *text)
{
    struct err err = {0};
    struct pkcs10 pkcs10 = {0};
    enum err_code code = pkcs10_parse(buf_view(der), &pkcs10, &err);
    if (code == ERR_OK) {
        code = pkcs10_verify(&pkcs10, false, false, &err);
    }
    assert_int_equal(code, expected);
    assert_int_equal(err.code, expected);
    if (strstr(err.text, text) == NULL) {
        fail_msg("\"%s\" does not contain \"%s\"", err.text, text);
    }
    pkcs10_done(&pkcs10);
    buf_done(der);
}

static void good_request(void **state)
{
    (void)state;
    struct err err = {0};
    struct pkcs10 pkcs10 = {0};
    uint8_t hash[SHA256_LEN];
    struct buf der = kit_csr_der(
        kit_key(0), &(struct kit_csr){.common_name = "SEP001122334455", .challenge = "secret"});
    struct view octets = buf_view(&der);
    assert_int_equal(pkcs10_parse(octets, &pkcs10, &err), ERR_OK);
    assert_true(view_equal(buf_view(&pkcs10.der), octets));
    ossl_sha256(&octets, 1, hash);
    assert_memory_equal(pkcs10.hash, hash, SHA256_LEN);
    assert_true(pkcs10.has_challenge);
    assert_true(view_is_text(buf_view(&pkcs10.challenge), "secret"));
    struct buf spki = {0};
    assert_int_equal(ossl_spki_to_der(kit_key(0), &spki, &err), ERR_OK);
    assert_true(view_equal(buf_view(&spki), buf_view(&pkcs10.spki)));
    struct view part = buf_view(&spki);
    ossl_sha256(&part, 1, hash);
    assert_memory_equal(pkcs10.spki_hash, hash, SHA256_LEN);
    assert_int_equal(pkcs10_verify(&pkcs10, false, false, &err), ERR_OK);
    buf_done(&spki);
    buf_done(&der);
    pkcs10_done(&pkcs10);
    assert_null(pkcs10.csr);
    assert_null(pkcs10.challenge.data);
}

// Q9, quirk 26: any encoding gives the same UTF-8.
static void challenge_of_every_type_q9(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int type;
        const char *octets;
        size_t len;
        const char *text;
    } tests[] = {
        {"UTF8String", V_ASN1_UTF8STRING, "p\xC3\xA4ss", 5, "p\xC3\xA4ss"},
        {"PrintableString", V_ASN1_PRINTABLESTRING, "pass", 4, "pass"},
        {"TeletexString", V_ASN1_T61STRING, "p\xE4ss", 4, "p\xC3\xA4ss"},
        {"BMPString", V_ASN1_BMPSTRING, "\0p\0\xE4\0s\0s", 8, "p\xC3\xA4ss"},
        {"UniversalString", V_ASN1_UNIVERSALSTRING, "\0\0\0p\0\0\0\xE4\0\0\0s\0\0\0s", 16,
         "p\xC3\xA4ss"},
        {"IA5String", V_ASN1_IA5STRING, "pass", 4, "pass"},
        {"OCTET STRING (an old client)", V_ASN1_OCTET_STRING, "p\xC3\xA4ss", 5, "p\xC3\xA4ss"},
        {"longest", V_ASN1_UTF8STRING, LONG_255, 255, LONG_255},
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        struct err err = {0};
        struct pkcs10 pkcs10 = {0};
        struct buf der = csr_with_challenge(tests[i].type, tests[i].octets, tests[i].len);
        enum err_code code = pkcs10_parse(buf_view(&der), &pkcs10, &err);
        if (code != ERR_OK || !pkcs10.has_challenge ||
            !view_is_text(buf_view(&pkcs10.challenge), tests[i].text)) {
            fail_msg("%s: %s", tests[i].name, err.text);
        }
        pkcs10_done(&pkcs10);
        buf_done(&der);
    }
}

static void bad_challenges_q9(void **state)
{
    (void)state;
    static const struct {
        int type;
        const char *octets;
        size_t len;
        const char *text;
    } tests[] = {
        {V_ASN1_UTF8STRING, "a\xC3", 2, "string"},
        {V_ASN1_UTF8STRING, "a\0b", 3, "NUL"},
        {V_ASN1_PRINTABLESTRING, "a\0b", 3, "NUL"},
        {V_ASN1_OCTET_STRING, "\xFF\xFE", 2, "UTF-8"},
        {V_ASN1_BMPSTRING, "\xD8\0", 2, "string"},
        {V_ASN1_UTF8STRING, LONG_255 "b", 256, "255 octets"},
        {V_ASN1_BIT_STRING, "a", 1, "no character string"},
        {V_ASN1_INTEGER, "a", 1, "no character string"},
        {V_ASN1_UTCTIME, "270115080000Z", 13, "no character string"},
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        struct buf der = csr_with_challenge(tests[i].type, tests[i].octets, tests[i].len);
        assert_refused(&der, ERR_BAD_REQUEST, tests[i].text);
    }
}

// Q2: an empty challengePassword is none.
static void empty_or_absent_challenge_q2(void **state)
{
    (void)state;
    struct buf ders[] = {
        csr_with_challenge(V_ASN1_UTF8STRING, "", 0),
        kit_csr_der(kit_key(0), &(struct kit_csr){.common_name = "SEP001122334455"}),
    };
    for (size_t i = 0; i < 2; i++) {
        struct err err = {0};
        struct pkcs10 pkcs10 = {0};
        assert_int_equal(pkcs10_parse(buf_view(&ders[i]), &pkcs10, &err), ERR_OK);
        assert_false(pkcs10.has_challenge);
        assert_int_equal(pkcs10.challenge.len, 0);
        pkcs10_done(&pkcs10);
        buf_done(&ders[i]);
    }
}

static X509_ATTRIBUTE *attribute(int nid, const char *text)
{
    return X509_ATTRIBUTE_create_by_NID(NULL, nid, V_ASN1_UTF8STRING, text, (int)strlen(text));
}

// Q9: more than one value, or more than one attribute.
static void two_challenges_q9(void **state)
{
    (void)state;
    X509_REQ *req = X509_REQ_new();
    X509_REQ_set_pubkey(req, kit_key(0));
    X509_ATTRIBUTE *two_values = attribute(NID_pkcs9_challengePassword, "one");
    assert_int_equal(X509_ATTRIBUTE_set1_data(two_values, V_ASN1_UTF8STRING, "two", 3), 1);
    assert_int_equal(X509_REQ_add1_attr(req, two_values), 1);
    X509_ATTRIBUTE_free(two_values);
    struct buf der = kit_req_der(req, kit_key(0), EVP_sha256());
    assert_refused(&der, ERR_BAD_REQUEST, "more or less than one");

    // The library refuses to add a second one: add another attribute and rename it in the octets.
    req = X509_REQ_new();
    X509_REQ_set_pubkey(req, kit_key(0));
    X509_ATTRIBUTE *first = attribute(NID_pkcs9_challengePassword, "one");
    X509_ATTRIBUTE *second = attribute(NID_pkcs9_unstructuredName, "two");
    assert_int_equal(X509_REQ_add1_attr(req, first), 1);
    assert_int_equal(X509_REQ_add1_attr(req, second), 1);
    X509_ATTRIBUTE_free(first);
    X509_ATTRIBUTE_free(second);
    der = kit_req_der(req, kit_key(0), EVP_sha256());
    static const uint8_t name[] = {0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x02};
    uint8_t *at = memmem(der.data, der.len, name, sizeof name);
    assert_non_null(at);
    at[sizeof name - 1] = 0x07; // challengePassword
    assert_refused(&der, ERR_BAD_REQUEST, "more or less than one");
}

// Q8, step 12 of the ladder.
static void proof_of_possession_q8(void **state)
{
    (void)state;
    struct buf der = kit_csr_der(kit_key(0), &(struct kit_csr){.common_name = "a"});
    der.data[der.len - 1] ^= 1;
    assert_refused(&der, ERR_BAD_REQUEST, "signature does not hold");
    // Somebody else's key in the request.
    X509_REQ *req = X509_REQ_new();
    X509_REQ_set_pubkey(req, kit_key(0));
    der = kit_req_der(req, kit_key(1), EVP_sha256());
    assert_refused(&der, ERR_BAD_REQUEST, "signature does not hold");
}

static void signature_digests(void **state)
{
    (void)state;
    static const struct {
        const char *digest;
        bool allow_sha1;
        bool allow_md5;
        enum err_code code;
    } tests[] = {
        {"SHA256", false, false, ERR_OK},      {"SHA384", false, false, ERR_OK},
        {"SHA512", false, false, ERR_OK},      {"SHA1", false, false, ERR_BAD_ALG},
        {"SHA1", true, false, ERR_OK},         {"SHA1", false, true, ERR_BAD_ALG},
        {"MD5", false, false, ERR_BAD_ALG},    {"MD5", true, false, ERR_BAD_ALG},
        {"MD5", false, true, ERR_OK},          {"SHA224", true, true, ERR_BAD_ALG},
        {"SHA3-256", true, true, ERR_BAD_ALG},
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        struct err err = {0};
        struct pkcs10 pkcs10 = {0};
        struct buf der = kit_csr_der(
            kit_key(0), &(struct kit_csr){.common_name = "a", .digest = tests[i].digest});
        assert_int_equal(pkcs10_parse(buf_view(&der), &pkcs10, &err), ERR_OK);
        enum err_code code = pkcs10_verify(&pkcs10, tests[i].allow_sha1, tests[i].allow_md5, &err);
        if (code != tests[i].code) {
            fail_msg("%s: %s", tests[i].digest, err.text);
        }
        pkcs10_done(&pkcs10);
        buf_done(&der);
    }
}

static void client_keys(void **state)
{
    (void)state;
    struct {
        EVP_PKEY *key;
        const EVP_MD *digest;
        bool is_parsed; // as all RSA keys are; their limits come after that
        enum err_code code;
        const char *text;
    } tests[] = {
        {kit_ec_key("P-256"), EVP_sha256(), false, ERR_BAD_REQUEST,
         "id-ecPublicKey; it must be RSA, because SCEP encr"},
        {EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), NULL, false, ERR_BAD_REQUEST, "must be RSA"},
        {kit_rsa_key(1024), EVP_sha256(), true, ERR_BAD_ALG, "1024 bits"},
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        struct err err = {0};
        struct pkcs10 pkcs10 = {0};
        X509_REQ *req = X509_REQ_new();
        X509_REQ_set_pubkey(req, tests[i].key);
        struct buf der = kit_req_der(req, tests[i].key, tests[i].digest);
        enum err_code code = pkcs10_parse(buf_view(&der), &pkcs10, &err);
        assert_int_equal(code, tests[i].is_parsed ? ERR_OK : ERR_BAD_REQUEST);
        assert_int_equal(pkcs10.csr != NULL, tests[i].is_parsed);
        pkcs10_done(&pkcs10);
        assert_refused(&der, tests[i].code, tests[i].text);
        EVP_PKEY_free(tests[i].key);
    }
}

static void junk(void **state)
{
    (void)state;
    struct buf large = {0};
    assert_int_equal(buf_reserve(&large, LIMIT_CSR_LEN + 1, NULL), ERR_OK);
    large.len = LIMIT_CSR_LEN + 1;
    memset(large.data, 0x30, large.len);
    struct view octets[] = {
        VIEW_EMPTY,
        view_of_text("-----BEGIN CERTIFICATE REQUEST-----"),
        view_of("\x30\x00", 2),
        view_of("\x30\x80\x00\x00", 4),
        buf_view(&large),
    };
    for (size_t i = 0; i < sizeof octets / sizeof octets[0]; i++) {
        struct err err = {0};
        struct pkcs10 pkcs10 = {0};
        assert_int_equal(pkcs10_parse(octets[i], &pkcs10, &err), ERR_BAD_REQUEST);
        assert_true(err.text[0] != '\0');
        assert_null(pkcs10.csr);
    }
    buf_done(&large);
}

// Z4 (3): exact end; and no prefix of a good one passes.
static void truncated_and_extended_z4(void **state)
{
    (void)state;
    struct buf der =
        kit_csr_der(kit_key(0), &(struct kit_csr){.common_name = "a", .challenge = "secret"});
    for (size_t len = 0; len < der.len; len++) {
        struct err err = {0};
        struct pkcs10 pkcs10 = {0};
        uint8_t *exact = malloc(len > 0 ? len : 1); // so that reading on shows
        assert_non_null(exact);
        memcpy(exact, der.data, len);
        assert_int_equal(pkcs10_parse(view_of(exact, len), &pkcs10, &err), ERR_BAD_REQUEST);
        free(exact);
    }
    assert_int_equal(buf_append(&der, view_of("\0", 1), NULL), ERR_OK);
    assert_refused(&der, ERR_BAD_REQUEST, "not exactly one DER PKCS#10");
}

// What still verifies (other parameters beside the signature algorithm, say) means the same.
static void flipped_bits_never_change_the_meaning(void **state)
{
    (void)state;
    struct err err = {0};
    struct pkcs10 good = {0};
    struct buf der = kit_csr_der(kit_key(0), &(struct kit_csr){.common_name = "SEP001122334455",
                                                               .challenge = "secret",
                                                               .san_dns = "sep.example.com"});
    assert_int_equal(pkcs10_parse(buf_view(&der), &good, &err), ERR_OK);
    uint32_t seed = 3;
    for (int i = 0; i < FLIPS; i++) {
        struct pkcs10 pkcs10 = {0};
        seed = seed * 1664525 + 1013904223;
        size_t at = (seed >> 8) % der.len;
        uint8_t bit = (uint8_t)(1U << ((seed >> 4) % 8));
        err = (struct err){0};
        der.data[at] ^= bit;
        enum err_code code = pkcs10_parse(buf_view(&der), &pkcs10, &err);
        if (code == ERR_OK) {
            code = pkcs10_verify(&pkcs10, true, true, &err);
            assert_true(code == ERR_OK || code == ERR_BAD_REQUEST || code == ERR_BAD_ALG);
        } else {
            assert_int_equal(code, ERR_BAD_REQUEST);
        }
        if (code == ERR_OK) {
            assert_memory_equal(pkcs10.spki_hash, good.spki_hash, SHA256_LEN);
            assert_true(view_equal(buf_view(&pkcs10.challenge), buf_view(&good.challenge)));
            assert_int_equal(X509_NAME_cmp(csr_subject(pkcs10.csr), csr_subject(good.csr)), 0);
        } else {
            assert_true(err.text[0] != '\0');
        }
        pkcs10_done(&pkcs10);
        der.data[at] ^= bit;
    }
    pkcs10_done(&good);
    buf_done(&der);
}

static void errors_never_hold_the_challenge_z2(void **state)
{
    (void)state;
    struct err err = {0};
    struct pkcs10 pkcs10 = {0};
    struct buf der =
        kit_csr_der(kit_key(0), &(struct kit_csr){.common_name = "a", .challenge = "s3cr3t!!"});
    der.data[der.len - 1] ^= 1;
    assert_int_equal(pkcs10_parse(buf_view(&der), &pkcs10, &err), ERR_OK);
    assert_int_equal(pkcs10_verify(&pkcs10, false, false, &err), ERR_BAD_REQUEST);
    assert_null(strstr(err.text, "s3cr3t"));
    pkcs10_done(&pkcs10);
    buf_done(&der);
}

static void decoy_is_a_good_request_of_nobody(void **state)
{
    (void)state;
    struct err err = {0};
    struct pkcs10 decoys[2] = {0};
    for (size_t i = 0; i < 2; i++) {
        struct buf der = {0};
        assert_int_equal(pkcs10_make_decoy(&der, &err), ERR_OK);
        assert_int_equal(pkcs10_parse(buf_view(&der), &decoys[i], &err), ERR_OK);
        buf_done(&der);
        assert_true(decoys[i].has_challenge);
        assert_int_equal(decoys[i].challenge.len, 32);
        assert_int_equal(pkcs10_verify(&decoys[i], false, false, &err), ERR_OK);
    }
    assert_false(view_equal(buf_view(&decoys[0].challenge), buf_view(&decoys[1].challenge)));
    assert_memory_not_equal(decoys[0].spki_hash, decoys[1].spki_hash, SHA256_LEN);
    pkcs10_done(&decoys[0]);
    pkcs10_done(&decoys[1]);
}

// The fast encoder gives what the library's gives.
static void spki_is_canonical(void **state)
{
    (void)state;
    EVP_PKEY *keys[] = {kit_rsa_key(2048), kit_rsa_key(3072), kit_ec_key("P-384")};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        struct err err = {0};
        struct buf ours = {0};
        unsigned char *theirs = NULL;
        int len = i2d_PUBKEY(keys[i], &theirs);
        assert_true(len > 0);
        assert_int_equal(ossl_spki_to_der(keys[i], &ours, &err), ERR_OK);
        assert_true(view_equal(buf_view(&ours), view_of(theirs, (size_t)len)));
        buf_done(&ours);
        OPENSSL_free(theirs);
        EVP_PKEY_free(keys[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_request),
        cmocka_unit_test(challenge_of_every_type_q9),
        cmocka_unit_test(bad_challenges_q9),
        cmocka_unit_test(empty_or_absent_challenge_q2),
        cmocka_unit_test(two_challenges_q9),
        cmocka_unit_test(proof_of_possession_q8),
        cmocka_unit_test(signature_digests),
        cmocka_unit_test(client_keys),
        cmocka_unit_test(junk),
        cmocka_unit_test(truncated_and_extended_z4),
        cmocka_unit_test(flipped_bits_never_change_the_meaning),
        cmocka_unit_test(errors_never_hold_the_challenge_z2),
        cmocka_unit_test(decoy_is_a_good_request_of_nobody),
        cmocka_unit_test(spki_is_canonical),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
