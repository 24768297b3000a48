// SPDX-License-Identifier: Apache-2.0
// Single extensions of certificates and CRLs: the exact octets of the simple ones, the structure of
// the others.
#include "ca/extension.h"
#include "fixture.h"

static void assert_extension(X509_EXTENSION *take_extension, int nid, bool is_critical,
                             const char *octets, size_t len)
{
    assert_int_equal(OBJ_obj2nid(X509_EXTENSION_get_object(take_extension)), nid);
    assert_int_equal(X509_EXTENSION_get_critical(take_extension), is_critical ? 1 : 0);
    struct view value = ossl_string_view(X509_EXTENSION_get_data(take_extension));
    assert_int_equal(value.len, len);
    assert_memory_equal(value.data, octets, len);
    X509_EXTENSION_free(take_extension);
}

static void key_usage(void **state)
{
    (void)state;
    X509_EXTENSION *extension = NULL;
    struct err err = {0};
    assert_ok(extension_key_usage(KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT, &extension, &err),
              &err);
    assert_extension(extension, NID_key_usage, true, "\x03\x02\x05\xa0", 4);
    assert_ok(extension_key_usage(KU_KEY_CERT_SIGN | KU_CRL_SIGN, &extension, &err), &err);
    assert_extension(extension, NID_key_usage, true, "\x03\x02\x01\x06", 4);
}

static void client_auth(void **state)
{
    (void)state;
    X509_EXTENSION *extension = NULL;
    struct err err = {0};
    assert_ok(extension_purpose(NID_client_auth, &extension, &err), &err);
    assert_extension(extension, NID_ext_key_usage, false,
                     "\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x02", 12);
}

static void basic_constraints(void **state)
{
    (void)state;
    X509_EXTENSION *extension = NULL;
    struct err err = {0};
    assert_ok(extension_basic_constraints(EXTENSION_NOT_A_CA, &extension, &err), &err);
    assert_extension(extension, NID_basic_constraints, false, "\x30\x00", 2);
    assert_ok(extension_basic_constraints(EXTENSION_NO_PATH_LEN, &extension, &err), &err);
    assert_extension(extension, NID_basic_constraints, true, "\x30\x03\x01\x01\xff", 5);
    assert_ok(extension_basic_constraints(0, &extension, &err), &err);
    assert_extension(extension, NID_basic_constraints, true, "\x30\x06\x01\x01\xff\x02\x01\x00", 8);
}

static void key_identifiers(void **state)
{
    (void)state;
    X509 *with = kit_cert(kit_key(0), "with", NULL, NULL, true, KIT_NOW, 1);
    X509 *without = kit_cert(kit_key(0), "without", NULL, NULL, false, KIT_NOW, 1);
    unsigned char digest[EVP_MAX_MD_SIZE];
    assert_int_equal(X509_pubkey_digest(with, EVP_sha1(), digest, NULL), 1);
    char expected[24] = "\x30\x16\x80\x14"; // keyIdentifier alone
    memcpy(expected + 4, digest, 20);
    X509_EXTENSION *extension = NULL;
    struct err err = {0};
    assert_ok(extension_authority_key_id(with, &extension, &err), &err);
    assert_extension(extension, NID_authority_key_identifier, false, expected, 24);
    assert_ok(extension_authority_key_id(without, &extension, &err), &err);
    assert_extension(extension, NID_authority_key_identifier, false, expected, 24);
    char own[22] = "\x04\x14";
    memcpy(own + 2, digest, 20);
    assert_ok(extension_subject_key_id(without, &extension, &err), &err);
    assert_extension(extension, NID_subject_key_identifier, false, own, 22);
    X509_free(with);
    X509_free(without);
}

static void urls(void **state)
{
    (void)state;
    X509_EXTENSION *extension = NULL;
    struct err err = {0};
    assert_ok(extension_crl_url("http://a/c", &extension, &err), &err);
    assert_extension(extension, NID_crl_distribution_points, false,
                     "\x30\x12\x30\x10\xa0\x0e\xa0\x0c\x86\x0ahttp://a/c", 20);
    assert_ok(extension_access_urls(NULL, "http://a/c", &extension, &err), &err);
    assert_extension(extension, NID_info_access, false,
                     "\x30\x18\x30\x16\x06\x08\x2b\x06\x01\x05\x05\x07\x30\x02\x86\x0ahttp://a/c",
                     26);
    assert_ok(extension_access_urls("http://a/o", NULL, &extension, &err), &err);
    assert_extension(extension, NID_info_access, false,
                     "\x30\x18\x30\x16\x06\x08\x2b\x06\x01\x05\x05\x07\x30\x01\x86\x0ahttp://a/o",
                     26);
    assert_ok(extension_access_urls("http://a/o", "http://a/c", &extension, &err), &err);
    assert_extension(extension, NID_info_access, false,
                     "\x30\x30\x30\x16\x06\x08\x2b\x06\x01\x05\x05\x07\x30\x01\x86\x0ahttp://a/o"
                     "\x30\x16\x06\x08\x2b\x06\x01\x05\x05\x07\x30\x02\x86\x0ahttp://a/c",
                     50);
}

static void ocsp_no_check(void **state)
{
    (void)state;
    X509_EXTENSION *extension = NULL;
    struct err err = {0};
    assert_ok(extension_ocsp_no_check(&extension, &err), &err);
    assert_extension(extension, NID_id_pkix_OCSP_noCheck, false, "\x05\x00", 2);
}

static void crl_number(void **state)
{
    (void)state;
    static const struct {
        uint64_t number;
        const char *octets;
        size_t len;
    } cases[] = {
        {0, "\x02\x01\x00", 3},
        {1, "\x02\x01\x01", 3},
        {128, "\x02\x02\x00\x80", 4},
        {UINT64_MAX, "\x02\x09\x00\xff\xff\xff\xff\xff\xff\xff\xff", 11},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        X509_EXTENSION *extension = NULL;
        struct err err = {0};
        assert_ok(extension_crl_number(cases[i].number, &extension, &err), &err);
        assert_extension(extension, NID_crl_number, false, cases[i].octets, cases[i].len);
    }
}

static void crl_reason(void **state)
{
    (void)state;
    X509_EXTENSION *extension = NULL;
    struct err err = {0};
    assert_ok(extension_crl_reason(REVOCATION_KEY_COMPROMISE, &extension, &err), &err);
    assert_extension(extension, NID_crl_reason, false, "\x0a\x01\x01", 3);
    assert_ok(extension_crl_reason(REVOCATION_PRIVILEGE_WITHDRAWN, &extension, &err), &err);
    assert_extension(extension, NID_crl_reason, false, "\x0a\x01\x09", 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(key_usage),
        cmocka_unit_test(client_auth),
        cmocka_unit_test(basic_constraints),
        cmocka_unit_test(key_identifiers),
        cmocka_unit_test(urls),
        cmocka_unit_test(ocsp_no_check),
        cmocka_unit_test(crl_number),
        cmocka_unit_test(crl_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
