// SPDX-License-Identifier: Apache-2.0
// Readers of the answer to GetNextCACert, each as a kind of client reads it. All end the test when
// the answer is not what they want; what they give back is the certificates they would use.
#pragma once

#include "fixture.h"

// The inner degenerate SignedData of RFC 8894, 3.4: no signer, no content. Caller frees.
static inline STACK_OF(X509) * inner_certs(struct view der)
{
    const unsigned char *end = der.data;
    PKCS7 *inner = d2i_PKCS7(NULL, &end, (long)der.len);
    assert_non_null(inner);
    assert_ptr_equal(end, der.data + der.len);
    assert_true(PKCS7_type_is_signed(inner));
    assert_int_equal(sk_PKCS7_SIGNER_INFO_num(PKCS7_get_signer_info(inner)), 0);
    assert_int_equal(PKCS7_get_detached(inner), 1);
    STACK_OF(X509) *certs = X509_chain_up_ref(inner->d.sign->cert);
    PKCS7_free(inner);
    return certs;
}

static inline X509_STORE *strict_store(X509 *anchor)
{
    X509_STORE *store = X509_STORE_new();
    X509_VERIFY_PARAM *param = X509_STORE_get0_param(store);
    X509_STORE_add_cert(store, anchor);
    X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_X509_STRICT);
    X509_VERIFY_PARAM_set_time(param, KIT_NOW);
    X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_ANY);
    return store;
}

// A strict reader: exact end, id-data, one signer that chains to `anchor`, three signed attributes
// and not one more (contentType, signingTime, messageDigest; RFC 5652, 11).
static inline STACK_OF(X509) * read_by_cms(struct view der, X509 *anchor)
{
    const unsigned char *end = der.data;
    CMS_ContentInfo *outer = d2i_CMS_ContentInfo(NULL, &end, (long)der.len);
    assert_non_null(outer);
    assert_ptr_equal(end, der.data + der.len);
    assert_int_equal(OBJ_obj2nid(CMS_get0_eContentType(outer)), NID_pkcs7_data);
    X509_STORE *store = strict_store(anchor);
    BIO *content = BIO_new(BIO_s_mem());
    assert_int_equal(CMS_verify(outer, NULL, store, NULL, content, CMS_BINARY), 1);
    STACK_OF(CMS_SignerInfo) *infos = CMS_get0_SignerInfos(outer);
    assert_int_equal(sk_CMS_SignerInfo_num(infos), 1);
    CMS_SignerInfo *info = sk_CMS_SignerInfo_value(infos, 0);
    assert_int_equal(CMS_SignerInfo_cert_cmp(info, anchor), 0);
    assert_int_equal(CMS_signed_get_attr_count(info), 3);
    static const int nids[] = {NID_pkcs9_contentType, NID_pkcs9_signingTime,
                               NID_pkcs9_messageDigest};
    for (size_t i = 0; i < 3; i++) {
        assert_true(CMS_signed_get_attr_by_NID(info, nids[i], -1) >= 0);
    }
    struct buf inner = {0};
    assert_int_equal(ossl_bio_to_buf(content, &inner, NULL), ERR_OK);
    STACK_OF(X509) *certs = inner_certs(buf_view(&inner));
    buf_done(&inner);
    BIO_free(content);
    X509_STORE_free(store);
    CMS_ContentInfo_free(outer);
    return certs;
}

// As sscep does: PKCS#7 reader, signer's certificate from the message, then the PKCS#7 inside.
static inline STACK_OF(X509) * read_by_pkcs7(struct view der, X509 *anchor)
{
    const unsigned char *end = der.data;
    PKCS7 *outer = d2i_PKCS7(NULL, &end, (long)der.len);
    assert_non_null(outer);
    assert_true(PKCS7_type_is_signed(outer));
    BIO *reader = PKCS7_dataInit(outer, NULL);
    assert_non_null(reader);
    unsigned char content[16384];
    int len = 0;
    int got;
    while ((got = BIO_read(reader, content + len, (int)sizeof content - len)) > 0) {
        len += got;
    }
    PKCS7_SIGNER_INFO *info = sk_PKCS7_SIGNER_INFO_value(PKCS7_get_signer_info(outer), 0);
    assert_non_null(info);
    X509 *signer = PKCS7_cert_from_signer_info(outer, info);
    assert_non_null(signer);
    assert_int_equal(X509_cmp(signer, anchor), 0);
    assert_int_equal(PKCS7_signatureVerify(reader, outer, info, signer), 1);
    STACK_OF(X509) *certs = inner_certs(view_of(content, (size_t)len));
    BIO_free_all(reader);
    PKCS7_free(outer);
    return certs;
}

// As jscep does: only the outer `certificates`, in whatever order they come. Caller frees.
static inline STACK_OF(X509) * read_outer(struct view der)
{
    const unsigned char *end = der.data;
    CMS_ContentInfo *outer = d2i_CMS_ContentInfo(NULL, &end, (long)der.len);
    assert_non_null(outer);
    STACK_OF(X509) *certs = CMS_get1_certs(outer);
    CMS_ContentInfo_free(outer);
    return certs;
}

static inline bool holds_cert(const STACK_OF(X509) * certs, const X509 *cert)
{
    for (int i = 0; i < sk_X509_num(certs); i++) {
        if (X509_cmp(sk_X509_value(certs, i), cert) == 0) {
            return true;
        }
    }
    return false;
}

// Every reader finds `count` certificates in this order.
static inline void assert_all_read(struct view der, X509 *anchor, X509 *const *expected, int count)
{
    STACK_OF(X509) *const by_order[] = {read_by_cms(der, anchor), read_by_pkcs7(der, anchor)};
    for (size_t reader = 0; reader < 2; reader++) {
        assert_int_equal(sk_X509_num(by_order[reader]), count);
        for (int i = 0; i < count; i++) {
            assert_int_equal(X509_cmp(sk_X509_value(by_order[reader], i), expected[i]), 0);
        }
        free_cert_stack(by_order[reader]);
    }
    STACK_OF(X509) *outer = read_outer(der);
    for (int i = 0; i < count; i++) {
        assert_true(holds_cert(outer, expected[i]));
    }
    assert_true(holds_cert(outer, anchor));
    free_cert_stack(outer);
}
