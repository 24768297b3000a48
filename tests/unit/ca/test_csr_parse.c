// SPDX-License-Identifier: Apache-2.0
// Our own reading of a PKCS#10 against OpenSSL's: the same subject, key and encodings; and keys
// that are malformed inside a well-formed request.
#include <stdlib.h>

#include "ca/csr_parse.h"
#include "fixture.h"

static struct csr *parse(const struct buf *der)
{
    struct csr *csr = NULL;
    struct err err = {0};
    assert_ok(csr_parse(buf_view(der), &csr, &err), &err);
    return csr;
}

static void agrees_with_openssl(void **state)
{
    (void)state;
    const struct kit_csr content = {.common_name = "phone", .san_dns = "phone.example"};
    struct buf der = kit_csr_der(kit_key(PHONE_KEY), &content);
    struct csr *csr = parse(&der);
    const unsigned char *end = der.data;
    X509_REQ *req = d2i_X509_REQ(NULL, &end, (long)der.len);
    assert_int_equal(X509_NAME_cmp(csr_subject(csr), X509_REQ_get_subject_name(req)), 0);
    assert_int_equal(EVP_PKEY_eq(csr_key(csr), X509_REQ_get0_pubkey(req)), 1);
    assert_int_equal(csr_signature_nid(csr), NID_sha256WithRSAEncryption);
    assert_int_equal(X509at_get_attr_count(csr_attributes(csr)), 1);
    assert_true(csr_is_signature_valid(csr));
    X509_REQ_free(req);
    csr_free(csr);
    buf_done(&der);
}

static struct buf spki_of(const X509 *cert)
{
    unsigned char *der = NULL;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
    assert_true(len > 0);
    struct buf copy = {0};
    assert_int_equal(buf_copy(view_of(der, (size_t)len), &copy, NULL), ERR_OK);
    OPENSSL_free(der);
    return copy;
}

static void copies_the_key(void **state)
{
    (void)state;
    struct buf der = kit_csr_der(kit_key(PHONE_KEY), &(struct kit_csr){.common_name = "phone"});
    struct csr *csr = parse(&der);
    X509 *ours = X509_new();
    X509 *theirs = X509_new();
    struct err err = {0};
    assert_ok(csr_copy_key(csr, ours, &err), &err);
    assert_int_equal(X509_set_pubkey(theirs, kit_key(PHONE_KEY)), 1);
    struct buf our_spki = spki_of(ours);
    struct buf their_spki = spki_of(theirs);
    assert_true(view_equal(buf_view(&our_spki), buf_view(&their_spki)));
    buf_done(&our_spki);
    buf_done(&their_spki);
    X509_free(ours);
    X509_free(theirs);
    csr_free(csr);
    buf_done(&der);
}

static void attributes_may_be_absent(void **state)
{
    (void)state;
    struct buf der = req_end(req_begin(kit_key(PHONE_KEY)), kit_key(PHONE_KEY));
    struct csr *csr = parse(&der);
    assert_true(X509at_get_attr_count(csr_attributes(csr)) <= 0);
    assert_int_equal(X509at_get_attr_by_NID(csr_attributes(csr), NID_ext_req, -1), -1);
    csr_free(csr);
    buf_done(&der);
}

// A request whose RSAPublicKey is `key_octets`.
static struct buf with_key_octets(struct view key_octets)
{
    X509_REQ *req = req_begin(kit_key(PHONE_KEY));
    unsigned char *octets = OPENSSL_memdup(key_octets.data, key_octets.len);
    assert_int_equal(X509_PUBKEY_set0_param(X509_REQ_get_X509_PUBKEY(req),
                                            OBJ_nid2obj(NID_rsaEncryption), V_ASN1_NULL, NULL,
                                            octets, (int)key_octets.len),
                     1);
    return req_end(req, kit_key(OTHER_KEY));
}

static void refuses_malformed_keys(void **state)
{
    (void)state;
    static const struct {
        const char *octets;
        size_t len;
        enum err_code code;
        const char *text;
    } bad[] = {
        {"garbage", 7, ERR_BAD_REQUEST, "malformed RSA key"},
        {"\x30\x03\x02\x01\x05", 5, ERR_BAD_REQUEST, "malformed RSA key"},
        {"\x30\x06\x02\x01\x05\x02\x01\x03\x00", 9, ERR_BAD_REQUEST, "malformed RSA key"},
        {"\x30\x09\x02\x01\x05\x02\x01\x03\x02\x01\x03", 11, ERR_BAD_REQUEST, "malformed RSA key"},
        {"\x30\x06\x02\x01\x85\x02\x01\x03", 8, ERR_BAD_ALG, "negative"},
        {"\x30\x06\x02\x01\x05\x02\x01\x83", 8, ERR_BAD_ALG, "negative"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct buf der = with_key_octets(view_of(bad[i].octets, bad[i].len));
        struct csr *csr = NULL;
        struct err err = {0};
        assert_refused(csr_parse(buf_view(&der), &csr, &err), bad[i].code, &err, bad[i].text);
        assert_null(csr);
        buf_done(&der);
    }
}

static void every_prefix_is_refused(void **state)
{
    (void)state;
    struct buf der = kit_csr_der(kit_key(PHONE_KEY), &(struct kit_csr){.common_name = "phone"});
    for (size_t len = 0; len < der.len; len++) {
        uint8_t *exact = malloc(len > 0 ? len : 1);
        memcpy(exact, der.data, len);
        struct csr *csr = NULL;
        struct err err = {0};
        assert_refused(csr_parse(view_of(exact, len), &csr, &err), ERR_BAD_REQUEST, &err,
                       "not exactly one");
        free(exact);
    }
    buf_done(&der);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_openssl),      cmocka_unit_test(copies_the_key),
        cmocka_unit_test(attributes_may_be_absent), cmocka_unit_test(refuses_malformed_keys),
        cmocka_unit_test(every_prefix_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
