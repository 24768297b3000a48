// SPDX-License-Identifier: Apache-2.0
// Degenerate SignedData to the octet, and as both of OpenSSL's readers see it.
#include "conf/cms/certs_only.h"

#include <string.h>

#include "kit/certrep_reader.h"
#include "kit/kit.h"

enum { KEY_CA = 0, KEY_LEAF = 1 };

// What stands between the headers, whose lengths differ, and the list: version 1, no digest
// algorithms, id-data without content.
static const uint8_t frame[] = {0x02, 0x01, 0x01, 0x31, 0x00, 0x30, 0x0B, 0x06, 0x09,
                                0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x01};
static const uint8_t no_signers[] = {0x31, 0x00};

static struct fixture {
    X509 *certs[2]; // a leaf, then its CA, which a SET OF would put first
    struct buf encoded[2];
    X509_CRL *crl;
    struct buf crl_der;
} fixture;

static X509_CRL *make_crl(X509 *ca, EVP_PKEY *key)
{
    X509_CRL *crl = X509_CRL_new();
    ASN1_TIME *now = ASN1_TIME_set(NULL, KIT_NOW);
    assert_int_equal(X509_CRL_set_version(crl, X509_CRL_VERSION_2), 1);
    assert_int_equal(X509_CRL_set_issuer_name(crl, X509_get_subject_name(ca)), 1);
    assert_int_equal(X509_CRL_set1_lastUpdate(crl, now), 1);
    assert_int_equal(X509_CRL_set1_nextUpdate(crl, now), 1);
    assert_true(X509_CRL_sign(crl, key, EVP_sha256()) > 0);
    ASN1_TIME_free(now);
    return crl;
}

static int set_up(void **state)
{
    (void)state;
    X509 *ca = kit_cert(kit_key(KEY_CA), "C", NULL, NULL, true, KIT_NOW, 10);
    fixture.certs[1] = ca;
    fixture.certs[0] = kit_cert(kit_key(KEY_LEAF), "SEP001122334455 with a long name", ca,
                                kit_key(KEY_CA), false, KIT_NOW, 5);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(ossl_cert_to_der(fixture.certs[i], &fixture.encoded[i], NULL), ERR_OK);
    }
    fixture.crl = make_crl(ca, kit_key(KEY_CA));
    unsigned char *der = NULL;
    int len = i2d_X509_CRL(fixture.crl, &der);
    assert_int_equal(buf_copy(view_of(der, (size_t)len), &fixture.crl_der, NULL), ERR_OK);
    OPENSSL_free(der);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        X509_free(fixture.certs[i]);
        buf_done(&fixture.encoded[i]);
    }
    X509_CRL_free(fixture.crl);
    buf_done(&fixture.crl_der);
    return 0;
}

static PKCS7 *read_whole(const struct buf *der)
{
    const unsigned char *end = der->data;
    PKCS7 *bundle = d2i_PKCS7(NULL, &end, (long)der->len);
    assert_non_null(bundle);
    assert_ptr_equal(end, der->data + der->len);
    assert_true(PKCS7_type_is_signed(bundle));
    return bundle;
}

// What follows the frame, without the signers at the end.
static struct view list_of(const struct buf *der)
{
    const uint8_t *at = memmem(der->data, der->len, frame, sizeof frame);
    assert_non_null(at);
    assert_memory_equal(der->data + der->len - sizeof no_signers, no_signers, sizeof no_signers);
    at += sizeof frame;
    return view_of(at, (size_t)(der->data + der->len - at) - sizeof no_signers);
}

static void certificates_in_the_order_given_o3(void **state)
{
    (void)state;
    static const size_t orders[][2] = {{0, 1}, {1, 0}};
    for (size_t i = 0; i < 2; i++) {
        struct buf der = {0};
        struct err err = {0};
        const struct view certs[] = {buf_view(&fixture.encoded[orders[i][0]]),
                                     buf_view(&fixture.encoded[orders[i][1]])};
        assert_int_equal(certs_only_encode(certs, 2, &der, &err), ERR_OK);
        assert_der(buf_view(&der));
        assert_int_equal(list_of(&der).data[0], 0xA0);
        PKCS7 *bundle = read_whole(&der);
        assert_int_equal(sk_X509_num(bundle->d.sign->cert), 2);
        for (int at = 0; at < 2; at++) {
            assert_int_equal(
                X509_cmp(sk_X509_value(bundle->d.sign->cert, at), fixture.certs[orders[i][at]]), 0);
        }
        assert_null(bundle->d.sign->crl);
        PKCS7_free(bundle);
        buf_done(&der);
    }
}

static void counts(void **state)
{
    (void)state;
    const struct view certs[] = {buf_view(&fixture.encoded[0])};
    for (size_t count = 0; count < 2; count++) {
        struct buf der = {0};
        assert_int_equal(certs_only_encode(certs, count, &der, NULL), ERR_OK);
        assert_der(buf_view(&der));
        PKCS7 *bundle = read_whole(&der);
        assert_int_equal(sk_X509_num(bundle->d.sign->cert), count);
        PKCS7_free(bundle);
        buf_done(&der);
    }
}

// RFC 8894, 3.3.2.1: the CRL in `crls`; `certificates` is absent, not empty.
static void crl_alone(void **state)
{
    (void)state;
    struct buf der = {0};
    struct err err = {0};
    assert_int_equal(certs_only_encode_crl(buf_view(&fixture.crl_der), &der, &err), ERR_OK);
    assert_der(buf_view(&der));
    struct view list = list_of(&der);
    assert_int_equal(list.data[0], 0xA1);
    assert_memory_equal(list.data + list.len - fixture.crl_der.len, fixture.crl_der.data,
                        fixture.crl_der.len);
    PKCS7 *bundle = read_whole(&der);
    assert_null(bundle->d.sign->cert);
    assert_int_equal(sk_X509_CRL_num(bundle->d.sign->crl), 1);
    assert_int_equal(X509_CRL_cmp(sk_X509_CRL_value(bundle->d.sign->crl, 0), fixture.crl), 0);
    PKCS7_free(bundle);
    const unsigned char *end = der.data;
    CMS_ContentInfo *info = d2i_CMS_ContentInfo(NULL, &end, (long)der.len);
    assert_non_null(info);
    assert_null(CMS_get1_certs(info));
    STACK_OF(X509_CRL) *crls = CMS_get1_crls(info);
    assert_int_equal(sk_X509_CRL_num(crls), 1);
    sk_X509_CRL_pop_free(crls, X509_CRL_free);
    CMS_ContentInfo_free(info);
    buf_done(&der);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(certificates_in_the_order_given_o3),
        cmocka_unit_test(counts),
        cmocka_unit_test(crl_alone),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
