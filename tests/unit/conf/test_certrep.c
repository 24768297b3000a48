// SPDX-License-Identifier: Apache-2.0
// CertReps without any request: what either process encodes. tests/unit/ra/test_reply.c has those
// that answer one.
#include "conf/cms/certrep.h"

#include <string.h>

#include "kit/certrep_reader.h"
#include "kit/kit.h"

enum { KEY_SIGNER = 0, KEY_CLIENT = 1, KEY_LEAF = 2 };

#define ID         "TRANSACTION-7"
#define NONCE      "0123456789abcdef"
#define CERTS      2
#define FAIL_INFOS 5

static struct fixture {
    X509 *signer;
    X509 *client;
    struct buf certs[CERTS];
} fixture;

static int set_up(void **state)
{
    (void)state;
    fixture.signer = kit_cert(kit_key(KEY_SIGNER), "C", NULL, NULL, true, KIT_NOW, 9);
    fixture.client = kit_cert(kit_key(KEY_CLIENT), "phone", NULL, NULL, false, KIT_NOW, 9);
    X509 *leaf = kit_cert(kit_key(KEY_LEAF), "a leaf with a longer name", fixture.signer,
                          kit_key(KEY_SIGNER), false, KIT_NOW, 9);
    assert_int_equal(ossl_cert_to_der(leaf, &fixture.certs[0], NULL), ERR_OK);
    assert_int_equal(ossl_cert_to_der(fixture.signer, &fixture.certs[1], NULL), ERR_OK);
    X509_free(leaf);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    X509_free(fixture.signer);
    X509_free(fixture.client);
    buf_done(&fixture.certs[0]);
    buf_done(&fixture.certs[1]);
    return 0;
}

static struct certrep make(enum certrep_status status)
{
    return (struct certrep){
        .status = status,
        .transaction_id = view_of_text(ID),
        .recipient_nonce = view_of_text(NONCE),
        .recipient = fixture.client,
        .cipher_nid = NID_aes_128_cbc,
        .certificates = {buf_view(&fixture.certs[0]), buf_view(&fixture.certs[1])},
        .certificate_count = CERTS,
    };
}

static struct parsed_certrep encode(const struct certrep *certrep, struct buf *der)
{
    struct err err = {0};
    if (certrep_encode(certrep, fixture.signer, kit_key(KEY_SIGNER), der, &err) != ERR_OK) {
        fail_msg("%s", err.text);
    }
    assert_der(buf_view(der));
    return certrep_parse(der, fixture.signer);
}

static void done(struct parsed_certrep *reply, struct buf *der)
{
    CMS_ContentInfo_free(reply->info);
    buf_done(der);
}

// The bundle in the envelope, as old clients open it.
static PKCS7 *open_bundle(const struct parsed_certrep *reply, EVP_PKEY *key, X509 *cert)
{
    struct view content = ossl_string_view(*CMS_get0_content(reply->info));
    const unsigned char *end = content.data;
    assert_der(content);
    PKCS7 *envelope = d2i_PKCS7(NULL, &end, (long)content.len);
    BIO *out = BIO_new(BIO_s_mem());
    assert_non_null(envelope);
    assert_int_equal(PKCS7_decrypt(envelope, key, cert, out, 0), 1);
    PKCS7 *bundle = d2i_PKCS7_bio(out, NULL);
    assert_non_null(bundle);
    BIO_free(out);
    PKCS7_free(envelope);
    return bundle;
}

static void success_with_certificates(void **state)
{
    (void)state;
    for (unsigned count = 1; count <= CERTS; count++) {
        struct buf der = {0};
        struct certrep certrep = make(CERTREP_SUCCESS);
        certrep.certificate_count = count;
        struct parsed_certrep reply = encode(&certrep, &der);
        certrep_check(&reply, ID, "0", view_of_text(NONCE));
        certrep_check_algorithms(&reply, NID_sha256);
        assert_null(certrep_attribute(&reply, OID_FAIL_INFO, V_ASN1_PRINTABLESTRING));
        PKCS7 *bundle = open_bundle(&reply, kit_key(KEY_CLIENT), fixture.client);
        assert_int_equal(sk_X509_num(bundle->d.sign->cert), count);
        assert_null(bundle->d.sign->crl);
        for (unsigned i = 0; i < count; i++) {
            struct buf got = {0};
            assert_int_equal(
                ossl_cert_to_der(sk_X509_value(bundle->d.sign->cert, (int)i), &got, NULL), ERR_OK);
            assert_true(view_equal(buf_view(&got), buf_view(&fixture.certs[i])));
            buf_done(&got);
        }
        PKCS7_free(bundle);
        done(&reply, &der);
    }
}

static struct buf make_crl(void)
{
    struct buf ret_der = {0};
    unsigned char *der = NULL;
    X509_CRL *crl = X509_CRL_new();
    ASN1_TIME *now = ASN1_TIME_set(NULL, KIT_NOW);
    X509_CRL_set_version(crl, X509_CRL_VERSION_2);
    X509_CRL_set_issuer_name(crl, X509_get_subject_name(fixture.signer));
    X509_CRL_set1_lastUpdate(crl, now);
    assert_true(X509_CRL_sign(crl, kit_key(KEY_SIGNER), EVP_sha256()) > 0);
    int len = i2d_X509_CRL(crl, &der);
    assert_int_equal(buf_copy(view_of(der, (size_t)len), &ret_der, NULL), ERR_OK);
    OPENSSL_free(der);
    ASN1_TIME_free(now);
    X509_CRL_free(crl);
    return ret_der;
}

// G4: the CRL alone, whatever else is given.
static void success_with_a_crl(void **state)
{
    (void)state;
    struct buf der = {0};
    struct buf crl = make_crl();
    struct certrep certrep = make(CERTREP_SUCCESS);
    certrep.crl = buf_view(&crl);
    struct parsed_certrep reply = encode(&certrep, &der);
    certrep_check(&reply, ID, "0", view_of_text(NONCE));
    PKCS7 *bundle = open_bundle(&reply, kit_key(KEY_CLIENT), fixture.client);
    assert_null(bundle->d.sign->cert);
    assert_int_equal(sk_X509_CRL_num(bundle->d.sign->crl), 1);
    assert_int_equal(X509_CRL_verify(sk_X509_CRL_value(bundle->d.sign->crl, 0),
                                     X509_get0_pubkey(fixture.signer)),
                     1);
    PKCS7_free(bundle);
    done(&reply, &der);
    buf_done(&crl);
}

// X5: no content, no envelope, no failInfo, even if the caller left things for SUCCESS in it.
static void pending_x5(void **state)
{
    (void)state;
    struct buf der = {0};
    struct certrep certrep = make(CERTREP_PENDING);
    certrep.fail_info = FAIL_INFO_BAD_TIME;
    certrep.fail_info_text = "not now";
    struct parsed_certrep reply = encode(&certrep, &der);
    certrep_check(&reply, ID, "3", view_of_text(NONCE));
    assert_null(*CMS_get0_content(reply.info));
    assert_null(certrep_attribute(&reply, OID_FAIL_INFO, V_ASN1_PRINTABLESTRING));
    assert_null(certrep_attribute(&reply, OID_FAIL_INFO_TEXT, V_ASN1_UTF8STRING));
    done(&reply, &der);
}

static void failure_x4(void **state)
{
    (void)state;
    for (unsigned i = 0; i < FAIL_INFOS; i++) {
        struct buf der = {0};
        const char digit[] = {(char)('0' + i), '\0'};
        struct certrep certrep = make(CERTREP_FAILURE);
        certrep.digest_nid = NID_sha512;
        certrep.recipient = NULL; // nobody is encrypted to
        certrep.fail_info = (enum fail_info)i;
        certrep.fail_info_text = i == 0 ? NULL : "why";
        struct parsed_certrep reply = encode(&certrep, &der);
        certrep_check(&reply, ID, "2", view_of_text(NONCE));
        certrep_check_algorithms(&reply, NID_sha512);
        assert_true(view_is_text(certrep_printable(&reply, OID_FAIL_INFO), digit));
        assert_true(view_equal(
            ossl_string_view(certrep_attribute(&reply, OID_FAIL_INFO_TEXT, V_ASN1_UTF8STRING)),
            view_of_text(certrep.fail_info_text)));
        assert_null(*CMS_get0_content(reply.info));
        done(&reply, &der);
    }
}

// Old manufacturer's certificates have 1024 bits; which are taken was decided before.
static void recipients(void **state)
{
    (void)state;
    EVP_PKEY *keys[] = {kit_rsa_key(1024), kit_rsa_key(768), kit_ec_key("P-256")};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        struct buf der = {0};
        struct err err = {0};
        struct certrep certrep = make(CERTREP_SUCCESS);
        certrep.recipient = kit_cert(keys[i], "MIC", NULL, NULL, false, KIT_NOW, 1);
        enum err_code code =
            certrep_encode(&certrep, fixture.signer, kit_key(KEY_SIGNER), &der, &err);
        assert_int_equal(code, i == 0 ? ERR_OK : ERR_BAD_ALG);
        if (i == 0) {
            struct parsed_certrep reply = certrep_parse(&der, fixture.signer);
            PKCS7_free(open_bundle(&reply, keys[i], certrep.recipient));
            CMS_ContentInfo_free(reply.info);
        } else {
            assert_null(der.data);
            assert_non_null(strstr(err.text, i == 1 ? "768 bits" : "RSA"));
        }
        X509_free(certrep.recipient);
        EVP_PKEY_free(keys[i]);
        buf_done(&der);
    }
}

static void ciphers_must_be_there(void **state)
{
    (void)state;
    struct buf der = {0};
    struct err err = {0};
    struct certrep certrep = make(CERTREP_SUCCESS);
    certrep.cipher_nid = NID_undef;
    assert_int_equal(certrep_encode(&certrep, fixture.signer, kit_key(KEY_SIGNER), &der, &err),
                     ERR_BAD_ALG);
    assert_non_null(strstr(err.text, "cipher"));
    assert_null(der.data);
}

static void another_key_does_not_sign(void **state)
{
    (void)state;
    struct buf der = {0};
    struct err err = {0};
    struct certrep certrep = make(CERTREP_PENDING);
    assert_int_equal(certrep_encode(&certrep, fixture.signer, kit_key(KEY_LEAF), &der, &err),
                     ERR_CRYPTO);
    assert_null(der.data);
}

// X10, and fresh nonces of ours.
static void nonces_x10(void **state)
{
    (void)state;
    struct buf ours[2] = {0};
    for (size_t i = 0; i < 2; i++) {
        struct buf der = {0};
        struct certrep certrep = make(CERTREP_PENDING);
        certrep.recipient_nonce = view_of("\0", 1);
        struct parsed_certrep reply = encode(&certrep, &der);
        certrep_check(&reply, ID, "3", view_of("\0", 1));
        assert_int_equal(buf_copy(certrep_octets(&reply, OID_SENDER_NONCE), &ours[i], NULL),
                         ERR_OK);
        done(&reply, &der);
    }
    assert_false(view_equal(buf_view(&ours[0]), buf_view(&ours[1])));
    buf_done(&ours[0]);
    buf_done(&ours[1]);
}

// Z5: at most FAIL_INFO_TEXT_LEN octets, cut between characters.
static void texts_are_clipped(void **state)
{
    (void)state;
    char text[FAIL_INFO_TEXT_LEN + 4];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_int_equal(fail_info_clip(text).len, FAIL_INFO_TEXT_LEN);
    memcpy(text + FAIL_INFO_TEXT_LEN - 1, "\xE2\x82\xAC", 3); // over the edge
    assert_int_equal(fail_info_clip(text).len, FAIL_INFO_TEXT_LEN - 1);
    memset(text, 'x', sizeof text - 1);
    memcpy(text + FAIL_INFO_TEXT_LEN - 3, "\xE2\x82\xAC", 3); // up to the edge
    assert_int_equal(fail_info_clip(text).len, FAIL_INFO_TEXT_LEN);
    assert_true(view_is_text(fail_info_clip("short"), "short"));
    assert_int_equal(fail_info_clip(NULL).len, 0);
}

static void names(void **state)
{
    (void)state;
    assert_string_equal(fail_info_name(FAIL_INFO_BAD_ALG), "badAlg");
    assert_string_equal(fail_info_name(FAIL_INFO_BAD_MESSAGE_CHECK), "badMessageCheck");
    assert_string_equal(fail_info_name(FAIL_INFO_BAD_REQUEST), "badRequest");
    assert_string_equal(fail_info_name(FAIL_INFO_BAD_TIME), "badTime");
    assert_string_equal(fail_info_name(FAIL_INFO_BAD_CERT_ID), "badCertId");
    assert_string_equal(fail_info_name((enum fail_info)FAIL_INFOS), "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(success_with_certificates),
        cmocka_unit_test(success_with_a_crl),
        cmocka_unit_test(pending_x5),
        cmocka_unit_test(failure_x4),
        cmocka_unit_test(recipients),
        cmocka_unit_test(ciphers_must_be_there),
        cmocka_unit_test(another_key_does_not_sign),
        cmocka_unit_test(nonces_x10),
        cmocka_unit_test(texts_are_clipped),
        cmocka_unit_test(names),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
