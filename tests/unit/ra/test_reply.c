// SPDX-License-Identifier: Apache-2.0
// X rows of the conformance list, read the way a client reads an answer.
#include "ra/reply.h"

#include <string.h>

#include "kit/certrep_reader.h"
#include "ra/ca_peer.h"
#include "ra/message.h"
#include "ra/message_kit.h"

enum { KEY_PHONE_CERT = KEY_SPARE };

#define FAIL_INFOS 5

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
                 kit.ca, kit_key(KEY_CA), false, KIT_NOW, 5);
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

static const struct reply_tools everything = {
    .credentials = &kit.credentials,
    .settings = &everything_on,
};

// A request as far as message_check_envelope() takes it.
static void open_request(const struct kit_message *message, struct request *ret_request)
{
    struct err err = {0};
    struct buf der = message_kit_der(&kit, message, view_of_text("messageData"));
    *ret_request = (struct request){0};
    enum err_code code = message_open(buf_view(&der), &everything_on, KIT_NOW, ret_request, &err);
    if (code == ERR_OK) {
        code = message_check_envelope(ret_request, &everything_on, &kit.credentials, KIT_NOW, &err);
    }
    if (code != ERR_OK) {
        fail_msg("%s", err.text);
    }
    buf_done(&der);
}

// Opens the envelope with the client's key; what is in it is a degenerate SignedData.
static struct buf open_envelope(const struct parsed_certrep *reply, int cipher_nid)
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
    const struct reply_tools tools = {.credentials = &kit.credentials, .settings = settings};
    enum err_code code = reply_success(request, &tools, buf_view(&fixture.issued_der), der, &err);
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
    struct parsed_certrep reply = certrep_parse(&der, kit.ra);
    certrep_check(&reply, GOOD_ID, "0", view_of_text(GOOD_NONCE));
    certrep_check_algorithms(&reply, NID_sha256);
    assert_null(certrep_attribute(&reply, OID_FAIL_INFO, V_ASN1_PRINTABLESTRING));
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
    struct parsed_certrep reply = certrep_parse(&der, kit.ra);
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
    struct parsed_certrep reply = certrep_parse(&der, kit.ra);
    struct buf inner = open_envelope(&reply, NID_aes_128_cbc);
    const unsigned char *end = inner.data;
    PKCS7 *bundle = d2i_PKCS7(NULL, &end, (long)inner.len);
    assert_non_null(bundle);
    STACK_OF(X509) *certs = bundle->d.sign->cert;
    assert_int_equal(sk_X509_num(certs), 2);
    assert_int_equal(X509_cmp(sk_X509_value(certs, 0), fixture.issued), 0);
    assert_int_equal(X509_cmp(sk_X509_value(certs, 1), kit.ca), 0);
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
        struct parsed_certrep reply = certrep_parse(&der, kit.ra);
        certrep_check_algorithms(&reply, tests[i].digest_nid);
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
            struct parsed_certrep reply = certrep_parse(&der, kit.ra);
            certrep_check(&reply, GOOD_ID, "0", nonces[i]);
            assert_int_equal(
                buf_copy(certrep_octets(&reply, OID_SENDER_NONCE), &ours[count++], NULL), ERR_OK);
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
        assert_int_equal(reply_failure(&request, &everything, (enum fail_info)i, text, &der, &err),
                         ERR_OK);
        assert_der(buf_view(&der));
        struct parsed_certrep reply = certrep_parse(&der, kit.ra);
        certrep_check(&reply, GOOD_ID, "2", view_of_text(GOOD_NONCE));
        certrep_check_algorithms(&reply, NID_sha512);
        assert_true(view_is_text(certrep_printable(&reply, OID_FAIL_INFO), digit));
        struct view told =
            ossl_string_view(certrep_attribute(&reply, OID_FAIL_INFO_TEXT, V_ASN1_UTF8STRING));
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
    assert_int_equal(reply_failure(&request, &everything, FAIL_INFO_BAD_ALG, NULL, &der, &err),
                     ERR_OK);
    struct parsed_certrep reply = certrep_parse(&der, kit.ra);
    certrep_check(&reply, GOOD_ID, "2", view_of("\x07", 1));
    certrep_check_algorithms(&reply, NID_sha256); // the request's was not usable
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
    assert_int_equal(reply_failure(&request, &everything, FAIL_INFO_BAD_REQUEST, text, &der, &err),
                     ERR_OK);
    struct parsed_certrep reply = certrep_parse(&der, kit.ra);
    struct view told =
        ossl_string_view(certrep_attribute(&reply, OID_FAIL_INFO_TEXT, V_ASN1_UTF8STRING));
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
    struct parsed_certrep reply = certrep_parse(&der, kit.ra);
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
    assert_int_equal(
        reply_success(&request, &everything, buf_view(&fixture.issued_der), &der, &err),
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
    assert_int_equal(
        reply_success(&request, &everything, buf_view(&fixture.issued_der), &der, &err),
        ERR_BAD_ALG);
    assert_int_equal(der.len, 0);
    request_done(&request);
}

static void pending_x5(void **state)
{
    (void)state;
    struct request request;
    struct err err = {0};
    struct buf der = {0};
    open_request(&(struct kit_message){.digest = "SHA512"}, &request);
    assert_int_equal(reply_pending(&request, &everything, &der, &err), ERR_OK);
    assert_der(buf_view(&der));
    struct parsed_certrep reply = certrep_parse(&der, kit.ra);
    certrep_check(&reply, GOOD_ID, "3", view_of_text(GOOD_NONCE));
    certrep_check_algorithms(&reply, NID_sha512);
    assert_null(*CMS_get0_content(reply.info));
    assert_null(certrep_attribute(&reply, OID_FAIL_INFO, V_ASN1_PRINTABLESTRING));
    CMS_ContentInfo_free(reply.info);
    buf_done(&der);
    request_done(&request);
}

static struct buf make_crl(void)
{
    struct buf copy = {0};
    unsigned char *der = NULL;
    X509_CRL *crl = X509_CRL_new();
    ASN1_TIME *now = ASN1_TIME_set(NULL, KIT_NOW);
    X509_CRL_set_version(crl, X509_CRL_VERSION_2);
    X509_CRL_set_issuer_name(crl, X509_get_subject_name(kit.ca));
    X509_CRL_set1_lastUpdate(crl, now);
    assert_true(X509_CRL_sign(crl, kit_key(KEY_CA), EVP_sha256()) > 0);
    int len = i2d_X509_CRL(crl, &der);
    assert_int_equal(buf_copy(view_of(der, (size_t)len), &copy, NULL), ERR_OK);
    OPENSSL_free(der);
    ASN1_TIME_free(now);
    X509_CRL_free(crl);
    return copy;
}

// GetCRL: the CRL to the octet, and no certificate whatever scep.reply_chain says.
static void crl_alone(void **state)
{
    (void)state;
    struct settings settings = everything_on;
    const struct reply_tools tools = {.credentials = &kit.credentials, .settings = &settings};
    struct request request;
    struct err err = {0};
    struct buf der = {0};
    struct buf crl = make_crl();
    settings.scep.reply_chain = true;
    open_request(&(struct kit_message){0}, &request);
    assert_int_equal(reply_crl(&request, &tools, buf_view(&crl), &der, &err), ERR_OK);
    struct parsed_certrep reply = certrep_parse(&der, kit.ra);
    certrep_check(&reply, GOOD_ID, "0", view_of_text(GOOD_NONCE));
    struct buf inner = open_envelope(&reply, NID_aes_128_cbc);
    const unsigned char *end = inner.data;
    PKCS7 *bundle = d2i_PKCS7(NULL, &end, (long)inner.len);
    assert_non_null(bundle);
    assert_null(bundle->d.sign->cert);
    assert_int_equal(sk_X509_CRL_num(bundle->d.sign->crl), 1);
    assert_non_null(memmem(inner.data, inner.len, crl.data, crl.len));
    PKCS7_free(bundle);
    CMS_ContentInfo_free(reply.info);
    buf_done(&inner);
    buf_done(&crl);
    buf_done(&der);
    request_done(&request);
}

// N4, N5: whom the envelope named signs; without one it is the present RA.
static void recipient_signs_n4_n5(void **state)
{
    (void)state;
    struct credentials credentials = kit.credentials;
    const struct reply_tools tools = {.credentials = &credentials, .settings = &everything_on};
    X509 *next =
        kit_cert(kit_key(KEY_PHONE_CERT), "next RA", kit.ca, kit_key(KEY_CA), false, KIT_NOW, 5);
    credentials.recipients[1] =
        (struct recipient){.role = RECIPIENT_NEXT, .cert = next, .key = kit_key(KEY_PHONE_CERT)};
    credentials.recipient_count = 2;
    for (unsigned i = 0; i < 3; i++) {
        struct request request;
        struct err err = {0};
        struct buf der = {0};
        open_request(&(struct kit_message){0}, &request);
        request.recipient = i < 2 ? &credentials.recipients[i] : NULL;
        assert_int_equal(reply_success(&request, &tools, buf_view(&fixture.issued_der), &der, &err),
                         ERR_OK);
        struct parsed_certrep reply = certrep_parse(&der, i == 1 ? next : kit.ra);
        certrep_check(&reply, GOOD_ID, "0", view_of_text(GOOD_NONCE));
        CMS_ContentInfo_free(reply.info);
        buf_done(&der);
        request_done(&request);
    }
    X509_free(next);
}

// The chain is that of the certificate, which an old or the next CA may have issued.
static void chain_is_the_certificates_own(void **state)
{
    (void)state;
    struct credentials credentials = kit.credentials;
    struct settings settings = everything_on;
    const struct reply_tools tools = {.credentials = &credentials, .settings = &settings};
    struct request request;
    settings.scep.reply_chain = true;
    X509 *other = kit_cert(kit_key(KEY_PHONE_CERT), "Other CA", NULL, NULL, true, KIT_NOW, 5);
    X509 *leaf =
        kit_cert(kit_key(KEY_CLIENT), "phone", other, kit_key(KEY_PHONE_CERT), false, KIT_NOW, 5);
    credentials.generations.list[1].cert = other;
    open_request(&(struct kit_message){0}, &request);
    for (unsigned count = 1; count <= 2; count++) {
        struct err err = {0};
        struct buf der = {0};
        struct buf leaf_der = {0};
        credentials.generations.count = count; // with one, nobody knows the leaf's CA
        assert_int_equal(ossl_cert_to_der(leaf, &leaf_der, NULL), ERR_OK);
        assert_int_equal(reply_success(&request, &tools, buf_view(&leaf_der), &der, &err), ERR_OK);
        struct parsed_certrep reply = certrep_parse(&der, kit.ra);
        struct buf inner = open_envelope(&reply, NID_aes_128_cbc);
        const unsigned char *end = inner.data;
        PKCS7 *bundle = d2i_PKCS7(NULL, &end, (long)inner.len);
        assert_int_equal(sk_X509_num(bundle->d.sign->cert), count);
        assert_int_equal(X509_cmp(sk_X509_value(bundle->d.sign->cert, 0), leaf), 0);
        if (count == 2) {
            assert_int_equal(X509_cmp(sk_X509_value(bundle->d.sign->cert, 1), other), 0);
        }
        PKCS7_free(bundle);
        CMS_ContentInfo_free(reply.info);
        buf_done(&inner);
        buf_done(&leaf_der);
        buf_done(&der);
    }
    request_done(&request);
    X509_free(leaf);
    X509_free(other);
}

static void unreadable_certificates_are_our_fault(void **state)
{
    (void)state;
    struct settings settings = everything_on;
    const struct reply_tools tools = {.credentials = &kit.credentials, .settings = &settings};
    struct request request;
    struct err err = {0};
    struct buf der = {0};
    settings.scep.reply_chain = true;
    open_request(&(struct kit_message){0}, &request);
    assert_int_equal(reply_success(&request, &tools, view_of_text("garbage"), &der, &err),
                     ERR_INTERNAL);
    assert_null(der.data);
    request_done(&request);
}

// --- Topology direct: the CA is told what to seal.

struct sealing {
    struct seal_order order; // its views are copies below
    uint8_t transaction_id[LIMIT_TRANSACTION_ID];
    uint8_t certificate[LIMIT_CERT_LEN];
    uint8_t recipient[LIMIT_CERT_LEN];
    uint8_t text[FAIL_INFO_TEXT_LEN];
};

static struct view keep(struct view view, uint8_t *place)
{
    if (view.len > 0) {
        memcpy(place, view.data, view.len);
    }
    return view_of(place, view.len);
}

static struct buf note_order(struct ca_peer *peer, const struct frame *question)
{
    struct sealing *sealing = peer->context;
    struct buf answer = {0};
    if (question->type == FRAME_SEAL) {
        const struct seal_order *order = &question->seal;
        sealing->order = *order;
        sealing->order.transaction_id = keep(order->transaction_id, sealing->transaction_id);
        sealing->order.certificate = keep(order->certificate, sealing->certificate);
        sealing->order.recipient = keep(order->recipient, sealing->recipient);
        sealing->order.fail_info_text = keep(order->fail_info_text, sealing->text);
    }
    if (frame_put_result(view_of_text("sealed"), true, &answer, NULL) != ERR_OK) {
        buf_done(&answer);
    }
    return answer;
}

static void direct_is_sealed_by_the_ca(void **state)
{
    (void)state;
    static struct sealing sealing;
    char text[FAIL_INFO_TEXT_LEN + 2];
    struct ca_peer peer = {.answer = note_order, .context = &sealing};
    struct credentials credentials = kit.credentials;
    credentials.recipients[0].key = NULL;
    const struct reply_tools tools = {
        .credentials = &credentials, .settings = &everything_on, .ca = ca_peer_begin(&peer)};
    struct request request;
    struct err err = {0};
    struct buf der = {0};
    struct buf client = {0};
    assert_int_equal(ossl_cert_to_der(kit.client, &client, NULL), ERR_OK);
    open_request(&(struct kit_message){.digest = "SHA384"}, &request);
    request.recipient = &credentials.recipients[0];
    assert_int_equal(reply_success(&request, &tools, buf_view(&fixture.issued_der), &der, &err),
                     ERR_OK);
    assert_true(view_is_text(buf_view(&der), "sealed"));
    assert_int_equal(sealing.order.status, CERTREP_SUCCESS);
    assert_true(view_is_text(sealing.order.transaction_id, GOOD_ID));
    assert_int_equal(sealing.order.digest_nid, NID_sha384);
    assert_int_equal(sealing.order.cipher_nid, NID_aes_128_cbc);
    assert_true(view_equal(sealing.order.recipient, buf_view(&client)));
    assert_true(view_equal(sealing.order.certificate, buf_view(&fixture.issued_der)));
    buf_done(&der);
    // A failure needs no recipient, and no longer text than an answer may have.
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_int_equal(reply_failure(&request, &tools, FAIL_INFO_BAD_TIME, text, &der, &err), ERR_OK);
    assert_int_equal(sealing.order.status, CERTREP_FAILURE);
    assert_int_equal(sealing.order.fail_info, FAIL_INFO_BAD_TIME);
    assert_int_equal(sealing.order.fail_info_text.len, FAIL_INFO_TEXT_LEN);
    assert_int_equal(sealing.order.recipient.len, 0);
    buf_done(&der);
    assert_int_equal(reply_pending(&request, &tools, &der, &err), ERR_OK);
    assert_int_equal(sealing.order.status, CERTREP_PENDING);
    buf_done(&der);
    request_done(&request);
    ca_peer_end(&peer, tools.ca);
    assert_int_equal(peer.questions, 3);
    buf_done(&client);
}

static void direct_without_the_ca_is_busy(void **state)
{
    (void)state;
    struct credentials credentials = kit.credentials;
    struct reply_tools tools = {.credentials = &credentials, .settings = &everything_on};
    struct request request;
    struct err err = {0};
    struct buf der = {0};
    credentials.recipients[0].key = NULL;
    assert_int_equal(ca_client_new("/nonexistent/ca.sock", &tools.ca, &err), ERR_OK);
    open_request(&(struct kit_message){0}, &request);
    request.recipient = NULL;
    assert_int_equal(reply_pending(&request, &tools, &der, &err), ERR_BUSY);
    assert_null(der.data);
    request_done(&request);
    ca_client_free(tools.ca);
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
        cmocka_unit_test(pending_x5),
        cmocka_unit_test(crl_alone),
        cmocka_unit_test(recipient_signs_n4_n5),
        cmocka_unit_test(chain_is_the_certificates_own),
        cmocka_unit_test(unreadable_certificates_are_our_fault),
        cmocka_unit_test(direct_is_sealed_by_the_ca),
        cmocka_unit_test(direct_without_the_ca_is_busy),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
