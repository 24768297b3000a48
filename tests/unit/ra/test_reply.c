// SPDX-License-Identifier: Apache-2.0
// X rows of the conformance list, read the way a client reads an answer.
#include "ra/reply.h"

#include <string.h>

#include "ra/message.h"
#include "ra/message_kit.h"
#include "ra/oids.h"

enum { KEY_PHONE_CERT = KEY_SPARE };

#define ONLY_ONE   (-3)
#define FAIL_INFOS 5
#define NONCE_LEN  16

static struct message_kit kit;

static struct fixture {
    X509 *issued;
    struct buf issued_der;
} fixture;

static int set_up(void **state)
{
    (void)state;
    // A short name and an early place in a sorted SET, so that sorting would show.
    kit = message_kit_new("C");
    fixture.issued =
        kit_cert(kit_key(KEY_PHONE_CERT), "SEP001122334455 with a longer name than that of the CA",
                 kit.credentials.issuing_cert, kit_key(KEY_CA), false, KIT_NOW, 5);
    assert_int_equal(ossl_cert_to_der(fixture.issued, &fixture.issued_der, NULL), ERR_OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    X509_free(fixture.issued);
    buf_done(&fixture.issued_der);
    message_kit_done(&kit);
    return 0;
}

static const struct settings everything_on = {
    .algorithms = {.sha1 = true, .des3 = true, .legacy = true},
};

// A request as far as message_check_envelope() takes it.
static void open_request(const struct kit_message *message, struct request *ret_request)
{
    struct err err = {0};
    struct buf der = message_kit_der(&kit, message, view_of_text("messageData"));
    *ret_request = (struct request){0};
    enum err_code code = message_open(buf_view(&der), &everything_on, KIT_NOW, ret_request, &err);
    if (code == ERR_OK) {
        code = message_check_envelope(ret_request, &everything_on, &kit.credentials, &err);
    }
    if (code != ERR_OK) {
        fail_msg("%s", err.text);
    }
    buf_done(&der);
}

// A CertRep as a client sees it; verified with the RA's certificate.
struct parsed_reply {
    CMS_ContentInfo *info;
    CMS_SignerInfo *signer;
};

static struct parsed_reply parse(const struct buf *der)
{
    const unsigned char *end = der->data;
    struct parsed_reply reply = {.info = d2i_CMS_ContentInfo(NULL, &end, (long)der->len)};
    assert_non_null(reply.info);
    assert_ptr_equal(end, der->data + der->len);
    STACK_OF(CMS_SignerInfo) *signers = CMS_get0_SignerInfos(reply.info);
    assert_int_equal(sk_CMS_SignerInfo_num(signers), 1);
    reply.signer = sk_CMS_SignerInfo_value(signers, 0);
    // X7: the certificate is in the message, and it is the RA's, by issuer and serial number (M12).
    STACK_OF(X509) *certs = CMS_get1_certs(reply.info);
    assert_int_equal(sk_X509_num(certs), 1);
    assert_int_equal(X509_cmp(sk_X509_value(certs, 0), kit.credentials.ra_cert), 0);
    free_cert_stack(certs);
    ASN1_OCTET_STRING *key_id = NULL;
    X509_NAME *issuer = NULL;
    ASN1_INTEGER *serial = NULL;
    assert_int_equal(CMS_SignerInfo_get0_signer_id(reply.signer, &key_id, &issuer, &serial), 1);
    assert_non_null(issuer);
    assert_null(key_id);
    bool is_absent = *CMS_get0_content(reply.info) == NULL;
    BIO *nothing = is_absent ? BIO_new_mem_buf("", 0) : NULL;
    assert_int_equal(
        CMS_verify(reply.info, NULL, NULL, nothing, NULL, CMS_NO_SIGNER_CERT_VERIFY | CMS_BINARY),
        1);
    BIO_free(nothing);
    return reply;
}

static const void *attribute(const struct parsed_reply *reply, const char *oid, int type)
{
    ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    const void *value = CMS_signed_get0_data_by_OBJ(reply->signer, object, ONLY_ONE, type);
    ASN1_OBJECT_free(object);
    return value;
}

static struct view printable(const struct parsed_reply *reply, const char *oid)
{
    return ossl_string_view(attribute(reply, oid, V_ASN1_PRINTABLESTRING));
}

static struct view octets(const struct parsed_reply *reply, const char *oid)
{
    return ossl_string_view(attribute(reply, oid, V_ASN1_OCTET_STRING));
}

// X1, X2, quirk 33: what every answer carries, each once and of the right type.
static void check_attributes(const struct parsed_reply *reply, const char *status,
                             struct view nonce)
{
    assert_true(view_is_text(printable(reply, OID_MESSAGE_TYPE), "3"));
    assert_true(view_is_text(printable(reply, OID_PKI_STATUS), status));
    assert_true(view_is_text(printable(reply, OID_TRANSACTION_ID), GOOD_ID));
    assert_true(view_equal(octets(reply, OID_RECIPIENT_NONCE), nonce));
    assert_int_equal(octets(reply, OID_SENDER_NONCE).len, NONCE_LEN);
    assert_non_null(CMS_signed_get0_data_by_OBJ(reply->signer, OBJ_nid2obj(NID_pkcs9_messageDigest),
                                                ONLY_ONE, V_ASN1_OCTET_STRING));
    const ASN1_OBJECT *type = CMS_signed_get0_data_by_OBJ(
        reply->signer, OBJ_nid2obj(NID_pkcs9_contentType), ONLY_ONE, V_ASN1_OBJECT);
    assert_int_equal(OBJ_obj2nid(type), NID_pkcs7_data);
    assert_true(CMS_signed_get_attr_by_NID(reply->signer, NID_pkcs9_signingTime, -1) >= 0);
    assert_int_equal(CMS_signed_get_attr_by_NID(reply->signer, NID_SMIMECapabilities, -1), -1);
}

// Quirk 20: rsaEncryption, and the digest of the request.
static void check_algorithms(const struct parsed_reply *reply, int digest_nid)
{
    X509_ALGOR *digest = NULL;
    X509_ALGOR *signature = NULL;
    CMS_SignerInfo_get0_algs(reply->signer, NULL, NULL, &digest, &signature);
    assert_int_equal(OBJ_obj2nid(digest->algorithm), digest_nid);
    assert_int_equal(OBJ_obj2nid(signature->algorithm), NID_rsaEncryption);
}

// DER has one length form; every header of a definite one is as short as can be.
static void assert_der(struct view der)
{
    const unsigned char *at = der.data;
    while (at < der.data + der.len) {
        const unsigned char *start = at;
        long len = 0;
        int tag = 0;
        int tag_class = 0;
        int flags =
            ASN1_get_object(&at, &len, &tag, &tag_class, (long)(der.data + der.len - start));
        assert_int_equal(flags & 0x80, 0);
        assert_int_equal(flags & 1, 0); // not indefinite
        assert_int_equal(ASN1_object_size((flags & V_ASN1_CONSTRUCTED) != 0, (int)len, tag),
                         (at - start) + len);
        if ((flags & V_ASN1_CONSTRUCTED) != 0) {
            assert_der(view_of(at, (size_t)len));
        }
        at += len;
    }
}

// Opens the envelope with the client's key; what is in it is a degenerate SignedData.
static struct buf open_envelope(const struct parsed_reply *reply, int cipher_nid)
{
    struct buf plain = {0};
    struct view content = ossl_string_view(*CMS_get0_content(reply->info));
    assert_der(content);
    const unsigned char *end = content.data;
    // The PKCS#7 API is what old clients use (M12: version 0, issuer and serial number).
    PKCS7 *envelope = d2i_PKCS7(NULL, &end, (long)content.len);
    assert_non_null(envelope);
    assert_true(PKCS7_type_is_enveloped(envelope));
    assert_int_equal(ASN1_INTEGER_get(envelope->d.enveloped->version), 0);
    assert_int_equal(OBJ_obj2nid(envelope->d.enveloped->enc_data->algorithm->algorithm),
                     cipher_nid);
    assert_int_equal(OBJ_obj2nid(envelope->d.enveloped->enc_data->content_type), NID_pkcs7_data);
    BIO *out = BIO_new(BIO_s_mem());
    assert_int_equal(PKCS7_decrypt(envelope, kit_key(KEY_CLIENT), kit.client, out, 0), 1);
    assert_int_equal(ossl_bio_to_buf(out, &plain, NULL), ERR_OK);
    BIO_free(out);
    PKCS7_free(envelope);
    assert_der(buf_view(&plain));
    return plain;
}

static void good_success(const struct request *request, const struct settings *settings,
                         struct buf *der)
{
    struct err err = {0};
    enum err_code code = reply_success(request, &kit.credentials, settings,
                                       buf_view(&fixture.issued_der), der, &err);
    if (code != ERR_OK) {
        fail_msg("%s", err.text);
    }
}

static void success_x1_x3(void **state)
{
    (void)state;
    struct request request;
    struct buf der = {0};
    open_request(&(struct kit_message){0}, &request);
    good_success(&request, &everything_on, &der);
    assert_der(buf_view(&der));
    struct parsed_reply reply = parse(&der);
    check_attributes(&reply, "0", view_of_text(GOOD_NONCE));
    check_algorithms(&reply, NID_sha256);
    assert_null(attribute(&reply, OID_FAIL_INFO, V_ASN1_PRINTABLESTRING));
    struct buf inner = open_envelope(&reply, NID_aes_128_cbc);
    // X3: the issued certificate and nothing else, octet for octet.
    assert_non_null(memmem(inner.data, inner.len, fixture.issued_der.data, fixture.issued_der.len));
    const unsigned char *end = inner.data;
    CMS_ContentInfo *bundle = d2i_CMS_ContentInfo(NULL, &end, (long)inner.len);
    assert_non_null(bundle);
    assert_ptr_equal(end, inner.data + inner.len);
    STACK_OF(X509) *certs = CMS_get1_certs(bundle);
    assert_int_equal(sk_X509_num(certs), 1);
    assert_int_equal(X509_cmp(sk_X509_value(certs, 0), fixture.issued), 0);
    free_cert_stack(certs);
    assert_null(CMS_get1_crls(bundle));
    assert_null(*CMS_get0_content(bundle)); // omitted (RFC 8894, 3.4)
    CMS_ContentInfo_free(bundle);
    CMS_ContentInfo_free(reply.info);
    buf_done(&inner);
    buf_done(&der);
    request_done(&request);
}

// RFC 8894, 3.4, to the octet: version 1, no digest algorithms, id-data without content, no
// signers.
static void degenerate_to_the_octet(void **state)
{
    (void)state;
    static const uint8_t head[] = {0x02, 0x01, 0x01, 0x31, 0x00, 0x30, 0x0B, 0x06, 0x09, 0x2A,
                                   0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x01, 0xA0, 0x82};
    static const uint8_t tail[] = {0x31, 0x00};
    struct request request;
    struct buf der = {0};
    open_request(&(struct kit_message){0}, &request);
    good_success(&request, &everything_on, &der);
    struct parsed_reply reply = parse(&der);
    struct buf inner = open_envelope(&reply, NID_aes_128_cbc);
    assert_non_null(memmem(inner.data, inner.len, head, sizeof head));
    assert_memory_equal(inner.data + inner.len - sizeof tail, tail, sizeof tail);
    CMS_ContentInfo_free(reply.info);
    buf_done(&inner);
    buf_done(&der);
    request_done(&request);
}

// O3: with the chain, the leaf comes first in the octets, whatever sorting would do.
static void chain_leaf_first_x3(void **state)
{
    (void)state;
    struct settings settings = everything_on;
    settings.scep.reply_chain = true;
    struct request request;
    struct buf der = {0};
    open_request(&(struct kit_message){0}, &request);
    good_success(&request, &settings, &der);
    struct parsed_reply reply = parse(&der);
    struct buf inner = open_envelope(&reply, NID_aes_128_cbc);
    const unsigned char *end = inner.data;
    PKCS7 *bundle = d2i_PKCS7(NULL, &end, (long)inner.len);
    assert_non_null(bundle);
    STACK_OF(X509) *certs = bundle->d.sign->cert;
    assert_int_equal(sk_X509_num(certs), 2);
    assert_int_equal(X509_cmp(sk_X509_value(certs, 0), fixture.issued), 0);
    assert_int_equal(X509_cmp(sk_X509_value(certs, 1), kit.credentials.issuing_cert), 0);
    PKCS7_free(bundle);
    CMS_ContentInfo_free(reply.info);
    buf_done(&inner);
    buf_done(&der);
    request_done(&request);
}

// E4, quirk 16: cipher with its key size, and digest, are those of the request.
static void mirrors_algorithms_e4(void **state)
{
    (void)state;
    static const struct {
        const char *cipher;
        int cipher_nid;
        const char *digest;
        int digest_nid;
    } tests[] = {
        {"AES-128-CBC", NID_aes_128_cbc, "SHA512", NID_sha512},
        {"AES-192-CBC", NID_aes_192_cbc, "SHA384", NID_sha384},
        {"AES-256-CBC", NID_aes_256_cbc, "SHA256", NID_sha256},
        {"DES-EDE3-CBC", NID_des_ede3_cbc, "SHA1", NID_sha1},
        {"DES-CBC", NID_des_cbc, "MD5", NID_md5},
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        struct request request;
        struct buf der = {0};
        open_request(
            &(struct kit_message){.digest = tests[i].digest, .envelope.cipher = tests[i].cipher},
            &request);
        good_success(&request, &everything_on, &der);
        struct parsed_reply reply = parse(&der);
        check_algorithms(&reply, tests[i].digest_nid);
        struct buf inner = open_envelope(&reply, tests[i].cipher_nid);
        CMS_ContentInfo_free(reply.info);
        buf_done(&inner);
        buf_done(&der);
        request_done(&request);
    }
}

// X10, quirk 31: echoed to the octet at any length; ours is fresh every time.
static void nonces_x10(void **state)
{
    (void)state;
    static const struct view nonces[] = {
        {.data = (const uint8_t *)"\0", .len = 1},
        {.data = (const uint8_t *)"01234567", .len = 8},
        {.data =
             (const uint8_t *)"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
         .len = 64},
    };
    struct buf ours[2 * sizeof nonces / sizeof nonces[0]] = {0};
    size_t count = 0;
    for (size_t i = 0; i < sizeof nonces / sizeof nonces[0]; i++) {
        struct request request;
        open_request(&(struct kit_message){.sender_nonce = {.data = (const char *)nonces[i].data,
                                                            .len = nonces[i].len}},
                     &request);
        for (int repeat = 0; repeat < 2; repeat++) {
            struct buf der = {0};
            good_success(&request, &everything_on, &der);
            struct parsed_reply reply = parse(&der);
            check_attributes(&reply, "0", nonces[i]);
            assert_int_equal(buf_copy(octets(&reply, OID_SENDER_NONCE), &ours[count++], NULL),
                             ERR_OK);
            CMS_ContentInfo_free(reply.info);
            buf_done(&der);
        }
        request_done(&request);
    }
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < i; j++) {
            assert_false(view_equal(buf_view(&ours[i]), buf_view(&ours[j])));
        }
    }
    for (size_t i = 0; i < count; i++) {
        buf_done(&ours[i]);
    }
}

// X4, E6: failInfo as a digit, no content element at all; failInfoText only when given.
static void failure_x4(void **state)
{
    (void)state;
    struct request request;
    open_request(&(struct kit_message){.digest = "SHA512"}, &request);
    for (int i = 0; i < FAIL_INFOS; i++) {
        struct err err = {0};
        struct buf der = {0};
        const char digit[] = {(char)('0' + i), '\0'};
        const char *text = i % 2 == 0 ? NULL : "subject nicht erlaubt \xC3\xA4";
        assert_int_equal(
            reply_failure(&request, &kit.credentials, (enum fail_info)i, text, &der, &err), ERR_OK);
        assert_der(buf_view(&der));
        struct parsed_reply reply = parse(&der);
        check_attributes(&reply, "2", view_of_text(GOOD_NONCE));
        check_algorithms(&reply, NID_sha512);
        assert_true(view_is_text(printable(&reply, OID_FAIL_INFO), digit));
        struct view told =
            ossl_string_view(attribute(&reply, OID_FAIL_INFO_TEXT, V_ASN1_UTF8STRING));
        assert_true(view_equal(told, view_of_text(text)));
        assert_null(*CMS_get0_content(reply.info));
        CMS_ContentInfo_free(reply.info);
        buf_done(&der);
    }
    request_done(&request);
}

// A FAILURE needs no more than transactionID and senderNonce.
static void failure_to_hardly_anything(void **state)
{
    (void)state;
    struct request request = {.is_answerable = true};
    memcpy(request.transaction_id, GOOD_ID, strlen(GOOD_ID));
    request.transaction_id_len = strlen(GOOD_ID);
    request.sender_nonce[0] = 7;
    request.sender_nonce_len = 1;
    struct err err = {0};
    struct buf der = {0};
    assert_int_equal(reply_failure(&request, &kit.credentials, FAIL_INFO_BAD_ALG, NULL, &der, &err),
                     ERR_OK);
    struct parsed_reply reply = parse(&der);
    check_attributes(&reply, "2", view_of("\x07", 1));
    check_algorithms(&reply, NID_sha256); // the request's was not usable
    CMS_ContentInfo_free(reply.info);
    buf_done(&der);
}

// Z5: at most 200 octets, cut between characters.
static void fail_info_text_is_clipped(void **state)
{
    (void)state;
    char text[FAIL_INFO_TEXT_LEN + 10];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    memcpy(text + FAIL_INFO_TEXT_LEN - 1, "\xE2\x82\xAC", 3); // one character over the edge
    struct request request;
    open_request(&(struct kit_message){0}, &request);
    struct err err = {0};
    struct buf der = {0};
    assert_int_equal(
        reply_failure(&request, &kit.credentials, FAIL_INFO_BAD_REQUEST, text, &der, &err), ERR_OK);
    struct parsed_reply reply = parse(&der);
    struct view told = ossl_string_view(attribute(&reply, OID_FAIL_INFO_TEXT, V_ASN1_UTF8STRING));
    assert_true(view_equal(told, view_of(text, FAIL_INFO_TEXT_LEN - 1)));
    CMS_ContentInfo_free(reply.info);
    buf_done(&der);
    request_done(&request);
}

// E5, quirk 22: whatever the signer's certificate says, its key gets the answer.
static void ugly_signers_get_answers_e5(void **state)
{
    (void)state;
    uint8_t serial[32];
    memset(serial, 'A', sizeof serial);
    X509 *cert = X509_dup(kit.client);
    ASN1_STRING_set(X509_get_serialNumber(cert), serial, sizeof serial);
    // keyUsage keyCertSign only, and twice: OpenSSL calls such a certificate invalid.
    for (int i = 0; i < 2; i++) {
        X509_EXTENSION *usage = X509V3_EXT_conf_nid(NULL, NULL, NID_key_usage, "keyCertSign");
        assert_int_equal(X509_add_ext(cert, usage, -1), 1);
        X509_EXTENSION_free(usage);
    }
    X509_set_version(cert, X509_VERSION_1); // extensions in a version 1 certificate
    X509_sign(cert, kit_key(KEY_CLIENT), EVP_sha256());
    struct request request;
    struct buf der = {0};
    struct buf plain = {0};
    open_request(&(struct kit_message){.signer = cert}, &request);
    good_success(&request, &everything_on, &der);
    struct parsed_reply reply = parse(&der);
    struct view content = ossl_string_view(*CMS_get0_content(reply.info));
    const unsigned char *end = content.data;
    CMS_ContentInfo *envelope = d2i_CMS_ContentInfo(NULL, &end, (long)content.len);
    BIO *out = BIO_new(BIO_s_mem());
    assert_int_equal(CMS_decrypt(envelope, kit_key(KEY_CLIENT), cert, NULL, out, CMS_BINARY), 1);
    assert_int_equal(ossl_bio_to_buf(out, &plain, NULL), ERR_OK);
    assert_non_null(memmem(plain.data, plain.len, fixture.issued_der.data, fixture.issued_der.len));
    BIO_free(out);
    CMS_ContentInfo_free(envelope);
    CMS_ContentInfo_free(reply.info);
    buf_done(&plain);
    buf_done(&der);
    request_done(&request);
    X509_free(cert);
}

// O12: nothing is ever encrypted to a key that is not RSA.
static void keys_that_cannot_receive(void **state)
{
    (void)state;
    EVP_PKEY *ec = kit_ec_key("P-256");
    struct request request;
    struct err err = {0};
    struct buf der = {0};
    open_request(&(struct kit_message){0}, &request);
    X509_free(request.signer);
    request.signer = kit_cert(ec, "ec", NULL, NULL, false, KIT_NOW, 5);
    assert_int_equal(reply_success(&request, &kit.credentials, &everything_on,
                                   buf_view(&fixture.issued_der), &der, &err),
                     ERR_BAD_ALG);
    assert_non_null(strstr(err.text, "RSA"));
    assert_int_equal(der.len, 0);
    request_done(&request);
    EVP_PKEY_free(ec);
}

static void cipher_must_be_known(void **state)
{
    (void)state;
    struct request request;
    struct err err = {0};
    struct buf der = {0};
    open_request(&(struct kit_message){0}, &request);
    request.cipher_nid = NID_undef;
    assert_int_equal(reply_success(&request, &kit.credentials, &everything_on,
                                   buf_view(&fixture.issued_der), &der, &err),
                     ERR_BAD_ALG);
    assert_int_equal(der.len, 0);
    request_done(&request);
}

static void fail_info_names(void **state)
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
        cmocka_unit_test(success_x1_x3),
        cmocka_unit_test(degenerate_to_the_octet),
        cmocka_unit_test(chain_leaf_first_x3),
        cmocka_unit_test(mirrors_algorithms_e4),
        cmocka_unit_test(nonces_x10),
        cmocka_unit_test(failure_x4),
        cmocka_unit_test(failure_to_hardly_anything),
        cmocka_unit_test(fail_info_text_is_clipped),
        cmocka_unit_test(ugly_signers_get_answers_e5),
        cmocka_unit_test(keys_that_cannot_receive),
        cmocka_unit_test(cipher_must_be_known),
        cmocka_unit_test(fail_info_names),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
