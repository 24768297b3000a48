// SPDX-License-Identifier: Apache-2.0
// M and E rows of the conformance list: who is answered, with what, and what never passes.
#include "ra/message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/cms/unwrap.h"
#include "ra/ca_peer.h"
#include "ra/message_kit.h"
#include "ra/pkcs10.h"

enum { KEY_OTHER = KEY_SPARE };

#define FLIPS                4000
#define SIGNATURE_HEADER_LEN 4 // octets of tag and length before a signature of 256
#define MAULED               1000
#define LONG_ID_255                                                                                \
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
    "aaa"                                                                                          \
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
    "aaa"                                                                                          \
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define NONCE_64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct message_kit kit;

static struct fixture {
    X509 *other; // another client's certificate
    struct buf csr;
} fixture;

static int set_up(void **state)
{
    (void)state;
    kit = message_kit_new("CA");
    fixture.other = kit_cert(kit_key(KEY_OTHER), "SEP001122334466", NULL, NULL, false, KIT_NOW, 5);
    fixture.csr =
        kit_csr_der(kit_key(KEY_CLIENT),
                    &(struct kit_csr){.common_name = "SEP001122334455", .challenge = "12345678"});
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    X509_free(fixture.other);
    buf_done(&fixture.csr);
    message_kit_done(&kit);
    return 0;
}

static struct buf build(const struct kit_message *message)
{
    return message_kit_der(&kit, message, buf_view(&fixture.csr));
}

static void assert_contains(const char *name, const char *text, const char *part)
{
    if (part != NULL && strstr(text, part) == NULL) {
        fail_msg("%s: \"%s\" does not contain \"%s\"", name, text, part);
    }
}

static void assert_code(const char *name, enum err_code code, enum err_code expected,
                        const struct err *err)
{
    if (code != expected) {
        fail_msg("%s: %s (%s), expected %s", name, err_name(code), err->text, err_name(expected));
    }
    if (code != ERR_OK) {
        assert_int_equal(err->code, code);
        assert_true(err->text[0] != '\0');
    }
}

struct open_case {
    const char *name;
    struct kit_message message;
    struct settings settings;
    enum err_code code;
    bool is_answerable;
    const char *text; // part of the error text
    enum message_type type;
};

static void check_open(const struct open_case *test)
{
    struct err err = {0};
    struct request request = {0};
    struct buf der = build(&test->message);
    enum err_code code = message_open(buf_view(&der), &test->settings, KIT_NOW, &request, &err);
    buf_done(&der);
    assert_code(test->name, code, test->code, &err);
    assert_contains(test->name, err.text, test->text);
    if (request.is_answerable != test->is_answerable) {
        fail_msg("%s: answerable is %d", test->name, request.is_answerable);
    }
    if (test->type != MESSAGE_UNKNOWN && request.type != test->type) {
        fail_msg("%s: type %d", test->name, request.type);
    }
    request_done(&request);
    assert_null(request.outer);
}

static void check_open_table(const struct open_case *tests, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        check_open(&tests[i]);
    }
}
#define CHECK_OPEN(tests) check_open_table(tests, sizeof(tests) / sizeof(tests)[0])

static void good_message_opens(void **state)
{
    (void)state;
    struct settings settings = {0};
    struct err err = {0};
    struct request request = {0};
    struct buf content = {0};
    struct buf der = build(&(struct kit_message){0});
    assert_int_equal(message_open(buf_view(&der), &settings, KIT_NOW, &request, &err), ERR_OK);
    buf_done(&der); // the request must not depend on it
    assert_true(request.is_answerable);
    assert_true(view_is_text(request_transaction_id(&request), GOOD_ID));
    assert_true(view_is_text(view_of(request.sender_nonce, request.sender_nonce_len), GOOD_NONCE));
    assert_int_equal(request.type, MESSAGE_PKCS_REQ);
    assert_int_equal(request.digest_nid, NID_sha256);
    assert_int_equal(request.cipher_nid, NID_undef);
    assert_int_equal(X509_cmp(request.signer, kit.client), 0);
    struct buf spki = {0};
    assert_int_equal(ossl_spki_to_der(kit_key(KEY_CLIENT), &spki, &err), ERR_OK);
    assert_true(view_equal(buf_view(&spki), buf_view(&request.signer_spki)));
    buf_done(&spki);
    assert_int_equal(message_check_envelope(&request, &settings, &kit.credentials, KIT_NOW, &err),
                     ERR_OK);
    assert_int_equal(request.cipher_nid, NID_aes_128_cbc);
    static const uint8_t zeroes[SHA256_LEN];
    assert_memory_not_equal(request.envelope_hash, zeroes, SHA256_LEN);
    assert_int_equal(message_decrypt(&request, NULL, &content, &err), ERR_OK);
    assert_true(view_equal(buf_view(&content), buf_view(&fixture.csr)));
    buf_wipe(&content);
    request_done(&request);
}

static void transaction_ids_m4_m7(void **state)
{
    (void)state;
    static const struct open_case tests[] = {
        {.name = "M4 absent",
         .message.transaction_id.how = KIT_OMITTED,
         .code = ERR_SYNTAX,
         .text = "transactionID"},
        {.name = "M4 empty",
         .message.transaction_id = {.data = "", .len = KIT_EMPTY},
         .code = ERR_LIMIT,
         .text = "0 octets"},
        {.name = "M4 255 octets",
         .message.transaction_id.data = LONG_ID_255,
         .code = ERR_OK,
         .is_answerable = true},
        {.name = "M4 256 octets",
         .message.transaction_id.data = LONG_ID_255 "a",
         .code = ERR_LIMIT,
         .text = "256 octets"},
        {.name = "M4 NUL",
         .message.transaction_id = {.data = "AB\0CD", .len = 5},
         .code = ERR_SYNTAX,
         .text = "no PrintableString"},
        {.name = "M4 not printable",
         .message.transaction_id.data = "a_b",
         .code = ERR_SYNTAX,
         .text = "no PrintableString"},
        {.name = "M4 high octet", .message.transaction_id.data = "a\xC3\xA4", .code = ERR_SYNTAX},
        {.name = "M4 UTF8String",
         .message.transaction_id = {.data = "AB", .type = V_ASN1_UTF8STRING},
         .code = ERR_SYNTAX},
        {.name = "M4 OCTET STRING",
         .message.transaction_id = {.data = "AB", .type = V_ASN1_OCTET_STRING},
         .code = ERR_SYNTAX},
        {.name = "M7 two attributes",
         .message.transaction_id.how = KIT_TWICE,
         .code = ERR_SYNTAX,
         .text = "transactionID"},
        {.name = "M7 two values", .message.transaction_id.how = KIT_TWO_VALUES, .code = ERR_SYNTAX},
        {.name = "quirk 29 sscep GetCRL",
         .message.transaction_id.data = "SSCEP transactionId",
         .code = ERR_OK,
         .is_answerable = true},
        {.name = "quirk 29 base64",
         .message.transaction_id.data = "ab+/cd==",
         .code = ERR_OK,
         .is_answerable = true},
        {.name = "quirk 29 the rest",
         .message.transaction_id.data = "a '(),-.:?z",
         .code = ERR_OK,
         .is_answerable = true},
    };
    CHECK_OPEN(tests);
}

static void sender_nonces_m6_m7(void **state)
{
    (void)state;
    static const struct open_case tests[] = {
        {.name = "M6 absent",
         .message.sender_nonce.how = KIT_OMITTED,
         .code = ERR_SYNTAX,
         .text = "senderNonce"},
        {.name = "M6 empty",
         .message.sender_nonce = {.data = "", .len = KIT_EMPTY},
         .code = ERR_LIMIT},
        {.name = "quirk 31 one octet",
         .message.sender_nonce = {.data = "\0", .len = 1},
         .code = ERR_OK,
         .is_answerable = true},
        {.name = "quirk 31 eight octets",
         .message.sender_nonce.data = "01234567",
         .code = ERR_OK,
         .is_answerable = true},
        {.name = "M6 64 octets",
         .message.sender_nonce.data = NONCE_64,
         .code = ERR_OK,
         .is_answerable = true},
        {.name = "M6 65 octets",
         .message.sender_nonce.data = NONCE_64 "x",
         .code = ERR_LIMIT,
         .text = "65 octets"},
        {.name = "M6 PrintableString",
         .message.sender_nonce = {.data = "AB", .type = V_ASN1_PRINTABLESTRING},
         .code = ERR_SYNTAX},
        {.name = "M7 two attributes", .message.sender_nonce.how = KIT_TWICE, .code = ERR_SYNTAX},
        {.name = "M7 two values", .message.sender_nonce.how = KIT_TWO_VALUES, .code = ERR_SYNTAX},
    };
    CHECK_OPEN(tests);
}

#define TYPE_OK(value, expected)                                                                   \
    {                                                                                              \
        .name = "M5 " value, .message.message_type.data = (value), .code = ERR_OK,                 \
        .is_answerable = true, .type = (expected)                                                  \
    }
#define TYPE_BAD(value)                                                                            \
    {                                                                                              \
        .name = "M5 " value, .message.message_type.data = (value), .code = ERR_BAD_REQUEST,        \
        .is_answerable = true, .text = "messageType"                                               \
    }

static void message_types_m5(void **state)
{
    (void)state;
    static const struct open_case tests[] = {
        TYPE_OK("19", MESSAGE_PKCS_REQ),
        TYPE_OK("17", MESSAGE_RENEWAL_REQ),
        TYPE_OK("18", MESSAGE_UPDATE_REQ), // known, so that decide() can refuse it by name
        TYPE_OK("20", MESSAGE_CERT_POLL),
        TYPE_OK("21", MESSAGE_GET_CERT),
        TYPE_OK("22", MESSAGE_GET_CRL),
        TYPE_BAD("3"),
        TYPE_BAD("0"),
        TYPE_BAD("99"),
        TYPE_BAD("019"),
        TYPE_BAD("19 "),
        TYPE_BAD(" 19"),
        TYPE_BAD("1"),
        TYPE_BAD("190"),
        TYPE_BAD("PKCSReq"),
        {.name = "M5 empty",
         .message.message_type = {.data = "", .len = KIT_EMPTY},
         .code = ERR_BAD_REQUEST,
         .is_answerable = true},
        {.name = "M5 NUL",
         .message.message_type = {.data = "19\0", .len = 3},
         .code = ERR_BAD_REQUEST,
         .is_answerable = true},
        {.name = "M5 absent",
         .message.message_type.how = KIT_OMITTED,
         .code = ERR_BAD_REQUEST,
         .is_answerable = true,
         .text = "messageType"},
        {.name = "M5 UTF8String",
         .message.message_type = {.data = "19", .type = V_ASN1_UTF8STRING},
         .code = ERR_BAD_REQUEST,
         .is_answerable = true},
        {.name = "M7 two attributes",
         .message.message_type.how = KIT_TWICE,
         .code = ERR_BAD_REQUEST,
         .is_answerable = true},
        {.name = "M7 two values",
         .message.message_type.how = KIT_TWO_VALUES,
         .code = ERR_BAD_REQUEST,
         .is_answerable = true},
        {.name = "X6 pkiStatus in a request",
         .message.pki_status.data = "0",
         .code = ERR_BAD_REQUEST,
         .is_answerable = true,
         .text = "pkiStatus"},
        {.name = "X6 failInfo in a request",
         .message.fail_info.data = "2",
         .code = ERR_BAD_REQUEST,
         .is_answerable = true},
        {.name = "ladder: unknown type without content",
         .message = {.message_type.data = "99", .is_content_omitted = true},
         .code = ERR_BAD_REQUEST,
         .is_answerable = true,
         .text = "messageType"},
    };
    CHECK_OPEN(tests);
}

// 0 to 255 and nothing but the six known ones.
static void every_number_as_type_m5(void **state)
{
    (void)state;
    struct settings settings = {0};
    for (int type = 0; type <= 255; type++) {
        char text[4];
        struct err err = {0};
        struct request request = {0};
        snprintf(text, sizeof text, "%d", type);
        struct buf der = build(&(struct kit_message){.message_type.data = text});
        enum err_code code = message_open(buf_view(&der), &settings, KIT_NOW, &request, &err);
        assert_code(text, code, type >= 17 && type <= 22 ? ERR_OK : ERR_BAD_REQUEST, &err);
        request_done(&request);
        buf_done(&der);
    }
}

static void content_m1_m2(void **state)
{
    (void)state;
    static const uint8_t junk[] = {0x30, 0x03, 0x02, 0x01, 0x05};
    static const struct open_case tests[] = {
        {.name = "M1 id-envelopedData",
         .message.content_nid = NID_pkcs7_enveloped,
         .code = ERR_BAD_REQUEST,
         .is_answerable = true,
         .text = "id-data"},
        {.name = "M2 no content",
         .message.is_content_omitted = true,
         .code = ERR_BAD_REQUEST,
         .is_answerable = true,
         .text = "no signed content"},
        {.name = "M2 junk",
         .message.content = {.data = junk, .len = sizeof junk},
         .code = ERR_BAD_REQUEST,
         .is_answerable = true,
         .text = "EnvelopedData"},
        {.name = "M2 empty content",
         .message.content = {.data = junk, .len = 0},
         .code = ERR_BAD_REQUEST,
         .is_answerable = true},
        {.name = "ladder: content before algorithm",
         .message = {.content = {.data = junk, .len = sizeof junk}, .digest = "MD5"},
         .code = ERR_BAD_REQUEST,
         .is_answerable = true},
    };
    CHECK_OPEN(tests);
    // M2: a bare PKCS#10, and an EnvelopedData with octets behind it.
    struct open_case bare = {.name = "M2 bare PKCS#10",
                             .message.content = buf_view(&fixture.csr),
                             .code = ERR_BAD_REQUEST,
                             .is_answerable = true};
    check_open(&bare);
    struct buf envelope =
        kit_envelope_der(&(struct kit_envelope){.plain = buf_view(&fixture.csr)}, kit.ra);
    assert_int_equal(buf_append(&envelope, view_of("\0", 1), NULL), ERR_OK);
    struct open_case trailing = {.name = "trailing octet",
                                 .message.content = buf_view(&envelope),
                                 .code = ERR_BAD_REQUEST,
                                 .is_answerable = true};
    check_open(&trailing);
    buf_done(&envelope);
}

static void algorithms_ladder_5(void **state)
{
    (void)state;
    static const struct open_case tests[] = {
        {.name = "SHA-384", .message.digest = "SHA384", .code = ERR_OK, .is_answerable = true},
        {.name = "SHA-512", .message.digest = "SHA512", .code = ERR_OK, .is_answerable = true},
        {.name = "SHA-1 off",
         .message.digest = "SHA1",
         .code = ERR_BAD_ALG,
         .is_answerable = true,
         .text = "SHA1"},
        {.name = "SHA-1 on",
         .message.digest = "SHA1",
         .settings.algorithms.sha1 = true,
         .code = ERR_OK,
         .is_answerable = true},
        {.name = "quirk 15 MD5 off",
         .message.digest = "MD5",
         .settings.algorithms.sha1 = true,
         .code = ERR_BAD_ALG,
         .is_answerable = true,
         .text = "MD5"},
        {.name = "quirk 15 MD5 on",
         .message.digest = "MD5",
         .settings.algorithms.legacy = true,
         .code = ERR_OK,
         .is_answerable = true},
        {.name = "SHA-224", .message.digest = "SHA224", .code = ERR_BAD_ALG, .is_answerable = true},
        {.name = "SHA3", .message.digest = "SHA3-256", .code = ERR_BAD_ALG, .is_answerable = true},
        {.name = "PSS",
         .message.is_pss = true,
         .code = ERR_BAD_ALG,
         .is_answerable = true,
         .text = "PSS"},
        {.name = "ladder: algorithm before signer",
         .message = {.digest = "MD5", .is_signer_cert_omitted = true},
         .code = ERR_BAD_ALG,
         .is_answerable = true},
        {.name = "ladder: algorithm before messageType",
         .message = {.digest = "MD5", .message_type.data = "99"},
         .code = ERR_BAD_ALG,
         .is_answerable = true},
    };
    CHECK_OPEN(tests);
}

static void mirrored_digest_is_known_early(void **state)
{
    (void)state;
    struct settings settings = {0};
    struct err err = {0};
    struct request request = {0};
    struct buf der =
        build(&(struct kit_message){.digest = "SHA512", .message_type.how = KIT_OMITTED});
    assert_int_equal(message_open(buf_view(&der), &settings, KIT_NOW, &request, &err),
                     ERR_BAD_REQUEST);
    assert_int_equal(request.digest_nid, NID_sha512);
    request_done(&request);
    buf_done(&der);
}

// Replaces `from` by `to` of the same length wherever it stands; returns how often.
static int replace(struct buf *der, struct view from, struct view to)
{
    int count = 0;
    uint8_t *at = der->data;
    assert_int_equal(from.len, to.len);
    while ((at = memmem(at, der->len - (size_t)(at - der->data), from.data, from.len)) != NULL) {
        memcpy(at, to.data, to.len);
        at += to.len;
        count++;
    }
    return count;
}

static enum err_code open_octets(const struct buf *der, struct err *err)
{
    struct settings settings = {0};
    struct request request = {0};
    enum err_code code = message_open(buf_view(der), &settings, KIT_NOW, &request, err);
    request_done(&request);
    return code;
}

// rsaEncryption as signatureAlgorithm is the rule; sha256WithRSAEncryption is what many clients
// write, and one that contradicts the digest is refused.
static void signature_algorithm_fits_digest(void **state)
{
    (void)state;
    static const uint8_t plain[] = {0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7,
                                    0x0D, 0x01, 0x01, 0x01, 0x05, 0x00, 0x04};
    static const uint8_t sha256[] = {0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7,
                                     0x0D, 0x01, 0x01, 0x0B, 0x05, 0x00, 0x04};
    static const uint8_t sha512[] = {0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7,
                                     0x0D, 0x01, 0x01, 0x0D, 0x05, 0x00, 0x04};
    struct err err = {0};
    struct buf der = build(&(struct kit_message){0});
    // The last one in the message; the envelope has the same in front of its encryptedKey.
    uint8_t *at = der.data + der.len - SIGNATURE_HEADER_LEN - 256 - sizeof plain + 1;
    assert_memory_equal(at, plain, sizeof plain);
    memcpy(at, sha256, sizeof sha256);
    assert_code("sha256WithRSA", open_octets(&der, &err), ERR_OK, &err);
    memcpy(at, sha512, sizeof sha512);
    assert_code("sha512WithRSA", open_octets(&der, &err), ERR_BAD_ALG, &err);
    buf_done(&der);
}

static void signer_keys_ladder_5(void **state)
{
    (void)state;
    EVP_PKEY *small = kit_rsa_key(1024);
    EVP_PKEY *ec = kit_ec_key("P-256");
    X509 *small_cert = kit_cert(small, "small", NULL, NULL, false, KIT_NOW, 5);
    X509 *ec_cert = kit_cert(ec, "ec", NULL, NULL, false, KIT_NOW, 5);
    struct open_case tests[] = {
        {.name = "RSA-1024",
         .message = {.key = small, .signer = small_cert},
         .code = ERR_BAD_ALG,
         .is_answerable = true,
         .text = "1024 bits"},
        {.name = "quirk 21 EC",
         .message = {.key = ec, .signer = ec_cert},
         .code = ERR_BAD_ALG,
         .is_answerable = true,
         .text = "SCEP encrypts the answer to the signer's key, so it must be RSA"},
        {.name = "RSA-1024 that a trust store takes",
         .message = {.key = small, .signer = small_cert},
         .settings = {.mic = {{.min_rsa_bits = 2048}, {.min_rsa_bits = 1024}}, .mic_count = 2},
         .is_answerable = true},
        {.name = "RSA-1024 that none takes",
         .message = {.key = small, .signer = small_cert},
         .settings = {.mic = {{.min_rsa_bits = 3072}, {.min_rsa_bits = 1536}}, .mic_count = 2},
         .code = ERR_BAD_ALG,
         .is_answerable = true,
         .text = "1024 bits; allowed: 1536 to 4096"},
        {.name = "RSA-2048 although all stores want more",
         .settings = {.mic = {{.min_rsa_bits = 3072}}, .mic_count = 1},
         .is_answerable = true},
    };
    CHECK_OPEN(tests);
    X509_free(small_cert);
    X509_free(ec_cert);
    EVP_PKEY_free(small);
    EVP_PKEY_free(ec);
}

static void signer_certificates_m8_m10(void **state)
{
    (void)state;
    X509 *twin = X509_dup(kit.client); // same issuer and serial, another key
    X509_set_pubkey(twin, kit_key(KEY_OTHER));
    assert_true(X509_sign(twin, kit_key(KEY_OTHER), EVP_sha256()) > 0);
    struct open_case tests[] = {
        {.name = "M8 no certificate",
         .message.is_signer_cert_omitted = true,
         .code = ERR_BAD_MESSAGE_CHECK,
         .is_answerable = true,
         .text = "not in the message"},
        {.name = "M8 only another's",
         .message = {.is_signer_cert_omitted = true, .certs = {fixture.other}},
         .code = ERR_BAD_MESSAGE_CHECK,
         .is_answerable = true},
        {.name = "M8 chain beside it",
         .message.certs = {fixture.other, kit.ca},
         .code = ERR_OK,
         .is_answerable = true},
        {.name = "M10 twins",
         .message.certs = {twin},
         .code = ERR_BAD_MESSAGE_CHECK,
         .is_answerable = true,
         .text = "two different certificates"},
        {.name = "the twin alone",
         .message.key = kit_key(KEY_OTHER),
         .message.signer = twin,
         .code = ERR_OK,
         .is_answerable = true},
        {.name = "one signer only",
         .message.is_second_signer = true,
         .code = ERR_SYNTAX,
         .text = "2 signers"},
        {.name = "M3 no signed attributes",
         .message.is_bare = true,
         .code = ERR_SYNTAX,
         .text = "signed attributes"},
    };
    CHECK_OPEN(tests);
    X509_free(twin);
}

// M10: byte-identical copies of the signer's certificate do no harm.
static void duplicate_certificate_is_harmless(void **state)
{
    (void)state;
    struct err err = {0};
    X509 *copy = X509_dup(kit.client);
    ASN1_INTEGER_set(X509_get_serialNumber(copy), 4321);
    assert_true(X509_sign(copy, kit_key(KEY_CLIENT), EVP_sha256()) > 0);
    struct buf original = {0};
    struct buf changed = {0};
    assert_int_equal(ossl_cert_to_der(kit.client, &original, &err), ERR_OK);
    assert_int_equal(ossl_cert_to_der(copy, &changed, &err), ERR_OK);
    struct buf der = build(&(struct kit_message){.certs = {copy}});
    assert_int_equal(replace(&der, buf_view(&changed), buf_view(&original)), 1);
    assert_code("copies", open_octets(&der, &err), ERR_OK, &err);
    buf_done(&original);
    buf_done(&changed);
    buf_done(&der);
    X509_free(copy);
}

// Quirk 22, Q5: what real clients sign with.
static void ugly_self_signed_signers_pass(void **state)
{
    (void)state;
    uint8_t octets[32];
    memset(octets, 'A', sizeof octets);
    X509 *cert = X509_new(); // version 1, no extensions, empty subject
    ASN1_STRING_set(X509_get_serialNumber(cert), octets, sizeof octets);
    ASN1_TIME_set(X509_getm_notBefore(cert), (time_t)KIT_NOW - 2 * DAY_SEC);
    ASN1_TIME_set(X509_getm_notAfter(cert), (time_t)KIT_NOW - DAY_SEC); // expired
    X509_set_pubkey(cert, kit_key(KEY_CLIENT));
    X509_sign(cert, kit_key(KEY_OTHER), EVP_sha256()); // not even its own signature holds
    struct open_case tests[] = {
        {.name = "ugly", .message.signer = cert, .code = ERR_OK, .is_answerable = true},
    };
    CHECK_OPEN(tests);
    X509_free(cert);
}

// The chain of a manufacturer's certificate, which the message may bring along in any order.
static void keeps_all_certificates(void **state)
{
    (void)state;
    struct settings settings = {0};
    struct err err = {0};
    struct request request = {0};
    struct buf der = build(&(struct kit_message){.certs = {fixture.other, kit.ca, kit.ra}});
    assert_int_equal(message_open(buf_view(&der), &settings, KIT_NOW, &request, &err), ERR_OK);
    buf_done(&der);
    X509 *const expected[] = {kit.client, fixture.other, kit.ca, kit.ra};
    unsigned found = 0;
    assert_int_equal(sk_X509_num(request.certs), 4);
    for (int i = 0; i < sk_X509_num(request.certs); i++) {
        for (size_t other = 0; other < 4; other++) {
            found += X509_cmp(sk_X509_value(request.certs, i), expected[other]) == 0;
        }
    }
    assert_int_equal(found, 4);
    request_done(&request);
    assert_null(request.certs);
}

static void too_many_certificates(void **state)
{
    (void)state;
    X509 *certs[LIMIT_MESSAGE_CERTS];
    struct open_case ten = {.name = "ten", .code = ERR_OK, .is_answerable = true};
    struct open_case eleven = {.name = "eleven", .code = ERR_LIMIT, .text = "11 certificates"};
    for (int i = 0; i < LIMIT_MESSAGE_CERTS; i++) {
        certs[i] = kit_cert(kit_key(KEY_OTHER), "filler", NULL, NULL, false, KIT_NOW, 5);
        eleven.message.certs[i] = certs[i];
        if (i < LIMIT_MESSAGE_CERTS - 1) {
            ten.message.certs[i] = certs[i];
        }
    }
    check_open(&ten);
    check_open(&eleven);
    for (int i = 0; i < LIMIT_MESSAGE_CERTS; i++) {
        X509_free(certs[i]);
    }
}

// M12: SubjectKeyIdentifier instead of issuer and serial number.
static void signer_by_ski_m12(void **state)
{
    (void)state;
    X509 *cert = kit_cert(kit_key(KEY_CLIENT), "SEP001122334455", kit.ca, kit_key(KEY_CA), false,
                          KIT_NOW, 5);
    struct open_case test = {.name = "M12",
                             .message = {.signer = cert, .is_signer_by_ski = true},
                             .code = ERR_OK,
                             .is_answerable = true};
    check_open(&test);
    X509_free(cert);
}

static void attributes_unsorted_quirk_27(void **state)
{
    (void)state;
    struct err err = {0};
    struct buf der = build(&(struct kit_message){0});
    kit_unsort_attributes(&der);
    assert_code("signed sorted, sent unsorted", open_octets(&der, &err), ERR_OK, &err);
    kit_sign_as_sent(&der, kit_key(KEY_CLIENT));
    assert_code("signed as sent", open_octets(&der, &err), ERR_OK, &err);
    // Another key's signature passes neither way.
    kit_sign_as_sent(&der, kit_key(KEY_OTHER));
    assert_code("another key", open_octets(&der, &err), ERR_BAD_MESSAGE_CHECK, &err);
    // The second look is at the attributes only: the content must still fit.
    struct buf changed = build(&(struct kit_message){0});
    kit_unsort_attributes(&changed);
    static const uint8_t key_header[] = {0x04, 0x82, 0x01, 0x00};
    uint8_t *key = memmem(changed.data, changed.len, key_header, sizeof key_header);
    assert_non_null(key);
    key[sizeof key_header + 9] ^= 1;
    assert_code("content", open_octets(&changed, &err), ERR_BAD_MESSAGE_CHECK, &err);
    buf_done(&changed);
    buf_done(&der);
}

// M3: contentType or messageDigest missing, though the SCEP attributes are there.
static void cms_attributes_m3(void **state)
{
    (void)state;
    static const uint8_t content_type[] = {0x06, 0x09, 0x2A, 0x86, 0x48, 0x86,
                                           0xF7, 0x0D, 0x01, 0x09, 0x03};
    static const uint8_t message_digest[] = {0x06, 0x09, 0x2A, 0x86, 0x48, 0x86,
                                             0xF7, 0x0D, 0x01, 0x09, 0x04};
    static const uint8_t something_else[] = {0x06, 0x09, 0x2A, 0x86, 0x48, 0x86,
                                             0xF7, 0x0D, 0x01, 0x09, 0x7F};
    struct view missing[] = {view_of(content_type, sizeof content_type),
                             view_of(message_digest, sizeof message_digest)};
    static const char *const texts[] = {"contentType", "messageDigest"};
    for (size_t i = 0; i < 2; i++) {
        struct err err = {0};
        struct buf der = build(&(struct kit_message){0});
        assert_int_equal(replace(&der, missing[i], view_of(something_else, sizeof something_else)),
                         1);
        kit_sign_as_sent(&der, kit_key(KEY_CLIENT)); // so that nothing else is wrong
        assert_code(texts[i], open_octets(&der, &err), ERR_BAD_MESSAGE_CHECK, &err);
        assert_contains(texts[i], err.text, texts[i]);
        buf_done(&der);
    }
}

static void flipped_bits_are_noticed_m9(void **state)
{
    (void)state;
    struct buf der = build(&(struct kit_message){0});
    struct view attributes = kit_signed_attributes(buf_view(&der));
    size_t positions[] = {
        (size_t)(attributes.data - der.data) + attributes.len - 1, // last attribute's value
        der.len - 1,                                               // signature
    };
    for (size_t i = 0; i < sizeof positions / sizeof positions[0]; i++) {
        struct settings settings = {0};
        struct err err = {0};
        struct request request = {0};
        der.data[positions[i]] ^= 1;
        enum err_code code = message_open(buf_view(&der), &settings, KIT_NOW, &request, &err);
        assert_code("M9", code, ERR_BAD_MESSAGE_CHECK, &err);
        assert_true(request.is_answerable); // the reply carries the same ID and nonce
        assert_int_equal(request.sender_nonce_len, strlen(GOOD_NONCE));
        request_done(&request);
        der.data[positions[i]] ^= 1;
    }
    buf_done(&der);
}

static void signing_time_m11(void **state)
{
    (void)state;
    static const struct open_case tests[] = {
        {.name = "M11 off by default",
         .message.signing_time = 1,
         .code = ERR_OK,
         .is_answerable = true},
        {.name = "M11 on, exact",
         .message.signing_time = KIT_NOW,
         .settings.scep.signing_time_window_sec = 300,
         .code = ERR_OK,
         .is_answerable = true},
        {.name = "M11 on, at the edge",
         .message.signing_time = KIT_NOW - 300,
         .settings.scep.signing_time_window_sec = 300,
         .code = ERR_OK,
         .is_answerable = true},
        {.name = "M11 on, too old",
         .message.signing_time = KIT_NOW - 301,
         .settings.scep.signing_time_window_sec = 300,
         .code = ERR_BAD_TIME,
         .is_answerable = true,
         .text = "-301 s"},
        {.name = "M11 on, too new",
         .message.signing_time = KIT_NOW + 301,
         .settings.scep.signing_time_window_sec = 300,
         .code = ERR_BAD_TIME,
         .is_answerable = true},
        {.name = "M11 GeneralizedTime",
         .message.signing_time = 2524608000, // year 2050
         .settings.scep.signing_time_window_sec = 300,
         .code = ERR_BAD_TIME,
         .is_answerable = true,
         .text = "s off"},
    };
    CHECK_OPEN(tests);
}

static void ber_is_accepted_quirk_19(void **state)
{
    (void)state;
    struct settings settings = {0};
    struct err err = {0};
    struct request request = {0};
    struct buf content = {0};
    struct buf der =
        build(&(struct kit_message){.is_indefinite = true, .envelope.is_indefinite = true});
    assert_int_equal(der.data[1], 0x80); // indefinite indeed
    assert_code("BER", message_open(buf_view(&der), &settings, KIT_NOW, &request, &err), ERR_OK,
                &err);
    assert_int_equal(message_check_envelope(&request, &settings, &kit.credentials, KIT_NOW, &err),
                     ERR_OK);
    assert_int_equal(message_decrypt(&request, NULL, &content, &err), ERR_OK);
    assert_true(view_equal(buf_view(&content), buf_view(&fixture.csr)));
    buf_wipe(&content);
    request_done(&request);
    buf_done(&der);
}

struct envelope_case {
    const char *name;
    struct kit_envelope envelope;
    struct settings settings;
    enum err_code check;   // message_check_envelope()
    enum err_code decrypt; // message_decrypt(), when that passed
    const char *text;
    int cipher_nid;
};

static void check_envelope(const struct envelope_case *test)
{
    struct err err = {0};
    struct request request = {0};
    struct buf content = {0};
    struct buf der = build(&(struct kit_message){.envelope = test->envelope});
    enum err_code code = message_open(buf_view(&der), &test->settings, KIT_NOW, &request, &err);
    assert_code(test->name, code, ERR_OK, &err);
    code = message_check_envelope(&request, &test->settings, &kit.credentials, KIT_NOW, &err);
    assert_code(test->name, code, test->check, &err);
    if (code == ERR_OK) {
        code = message_decrypt(&request, NULL, &content, &err);
        assert_code(test->name, code, test->decrypt, &err);
    }
    if (code == ERR_OK) {
        assert_true(view_equal(buf_view(&content), buf_view(&fixture.csr)));
    } else {
        assert_contains(test->name, err.text, test->text);
    }
    if (test->cipher_nid != NID_undef) {
        assert_int_equal(request.cipher_nid, test->cipher_nid);
    }
    buf_wipe(&content);
    request_done(&request);
    buf_done(&der);
}

static void ciphers_e3(void **state)
{
    (void)state;
    static const struct envelope_case tests[] = {
        {.name = "E3 AES-192", .envelope.cipher = "AES-192-CBC", .cipher_nid = NID_aes_192_cbc},
        {.name = "E3 AES-256", .envelope.cipher = "AES-256-CBC", .cipher_nid = NID_aes_256_cbc},
        {.name = "E3 3DES off",
         .envelope.cipher = "DES-EDE3-CBC",
         .check = ERR_BAD_ALG,
         .text = "DES-EDE3-CBC"},
        {.name = "E3 3DES on",
         .envelope.cipher = "DES-EDE3-CBC",
         .settings.algorithms.des3 = true,
         .cipher_nid = NID_des_ede3_cbc},
        {.name = "E3 DES off",
         .envelope.cipher = "DES-CBC",
         .settings.algorithms.des3 = true,
         .check = ERR_BAD_ALG,
         .text = "DES-CBC"},
        {.name = "quirk 15 DES on",
         .envelope.cipher = "DES-CBC",
         .settings.algorithms.legacy = true,
         .cipher_nid = NID_des_cbc},
        {.name = "E3 RC2",
         .envelope.cipher = "RC2-CBC",
         .settings.algorithms.legacy = true,
         .check = ERR_BAD_ALG},
        {.name = "E3 Camellia", .envelope.cipher = "CAMELLIA-128-CBC", .check = ERR_BAD_ALG},
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        check_envelope(&tests[i]);
    }
}

static void recipients_e2_e7(void **state)
{
    (void)state;
    X509 *ra = kit.ra;
    X509 *ca = kit.ca;
    struct envelope_case tests[] = {
        {.name = "quirk 18 by SKI", .envelope.is_by_ski = true},
        {.name = "quirk 19 parameters absent", .envelope.is_parameters_absent = true},
        {.name = "E7 OAEP off",
         .envelope.is_oaep = true,
         .check = ERR_BAD_ALG,
         .text = "RSAES-OAEP"},
        {.name = "quirk 17 OAEP on", .envelope.is_oaep = true, .settings.algorithms.oaep = true},
        {.name = "E2 password",
         .envelope.password = "12345678",
         .check = ERR_BAD_ALG,
         .text = "KeyTransRecipientInfo"},
        {.name = "E2 password beside us",
         .envelope = {.password = "12345678", .recipients = {ra}},
         .check = ERR_BAD_ALG},
        {.name = "another recipient",
         .envelope.recipients = {ca},
         .check = ERR_BAD_REQUEST,
         .text = "recipient"},
        {.name = "N4 us among others", .envelope.recipients = {ca, ra, fixture.other}},
        {.name = "E1 inner type",
         .envelope.content_nid = NID_pkcs7_signed,
         .decrypt = ERR_BAD_REQUEST,
         .text = "id-data"},
        {.name = "ten recipients", .envelope.recipients = {ca, ca, ca, ca, ca, ca, ca, ca, ca, ra}},
        {.name = "eleven recipients",
         .envelope.recipients = {ca, ca, ca, ca, ca, ca, ca, ca, ca, ca, ra},
         .check = ERR_BAD_REQUEST,
         .text = "11 recipients"},
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        check_envelope(&tests[i]);
    }
}

// N4, N5: the next RA and the previous one open theirs with their own keys.
static void each_recipient_has_its_key_n4_n5(void **state)
{
    (void)state;
    struct settings settings = {0};
    struct credentials credentials = kit.credentials;
    const unsigned keys[] = {KEY_RA, KEY_OTHER, KEY_CA};
    const enum recipient_role roles[] = {RECIPIENT_CURRENT, RECIPIENT_NEXT, RECIPIENT_PREVIOUS};
    for (unsigned i = 1; i < 3; i++) {
        credentials.recipients[i] = (struct recipient){
            .role = roles[i],
            .cert = kit_cert(kit_key(keys[i]), "RA", kit.ca, kit_key(KEY_CA), false, KIT_NOW, 5),
            .key = kit_key(keys[i]),
        };
    }
    credentials.recipient_count = 3;
    for (unsigned i = 0; i < 3; i++) {
        struct err err = {0};
        struct request request = {0};
        struct buf content = {0};
        struct buf der =
            build(&(struct kit_message){.envelope.recipients = {credentials.recipients[i].cert}});
        assert_int_equal(message_open(buf_view(&der), &settings, KIT_NOW, &request, &err), ERR_OK);
        assert_null(request.recipient);
        assert_int_equal(message_check_envelope(&request, &settings, &credentials, KIT_NOW, &err),
                         ERR_OK);
        assert_ptr_equal(request.recipient, &credentials.recipients[i]);
        assert_int_equal(request.recipient->role, roles[i]);
        assert_int_equal(message_decrypt(&request, NULL, &content, &err), ERR_OK);
        assert_true(view_equal(buf_view(&content), buf_view(&fixture.csr)));
        buf_wipe(&content);
        request_done(&request);
        buf_done(&der);
    }
    X509_free(credentials.recipients[1].cert);
    X509_free(credentials.recipients[2].cert);
}

// N5: a previous RA opens up to its end, also when nobody has loaded the credentials again.
static void a_previous_recipient_ends_n5(void **state)
{
    (void)state;
    struct settings settings = {0};
    struct err err = {0};
    struct request request = {0};
    struct credentials credentials = kit.credentials;
    credentials.recipients[0].role = RECIPIENT_PREVIOUS;
    credentials.recipients[0].until = KIT_NOW + 1;
    struct buf der = build(&(struct kit_message){0});
    assert_int_equal(message_open(buf_view(&der), &settings, KIT_NOW, &request, &err), ERR_OK);
    assert_int_equal(message_check_envelope(&request, &settings, &credentials, KIT_NOW + 1, &err),
                     ERR_BAD_REQUEST);
    assert_non_null(strstr(err.text, "no recipient of the envelope"));
    assert_null(request.recipient);
    assert_int_equal(message_check_envelope(&request, &settings, &credentials, KIT_NOW, &err),
                     ERR_OK);
    assert_ptr_equal(request.recipient, &credentials.recipients[0]);
    request_done(&request);
    buf_done(&der);
}

// In scepd-ca's place: opens what it is given.
static struct buf unwrap_as_ca(struct ca_peer *peer, const struct frame *question)
{
    struct buf answer = {0};
    struct buf content = {0};
    const unsigned char *end = question->octets.data;
    CMS_ContentInfo *info = question->type == FRAME_UNWRAP
                                ? d2i_CMS_ContentInfo(NULL, &end, (long)question->octets.len)
                                : NULL;
    if (info != NULL && unwrap_envelope(info, kit.ra, peer->context, &content, NULL) == ERR_OK &&
        frame_put_result(buf_view(&content), true, &answer, NULL) != ERR_OK) {
        buf_done(&answer);
    }
    buf_wipe(&content);
    CMS_ContentInfo_free(info);
    return answer;
}

// Topology direct: the envelope goes to scepd-ca as it is, in DER also when it came as BER.
static void direct_is_unwrapped_by_the_ca(void **state)
{
    (void)state;
    struct settings settings = {0};
    struct credentials credentials = kit.credentials;
    struct ca_peer peer = {.answer = unwrap_as_ca, .context = kit_key(KEY_RA)};
    struct ca_client *ca = ca_peer_begin(&peer);
    credentials.recipients[0].key = NULL;
    for (unsigned i = 0; i < 2; i++) {
        struct err err = {0};
        struct request request = {0};
        struct buf content = {0};
        struct buf der =
            build(&(struct kit_message){.is_indefinite = i == 1, .envelope.is_indefinite = i == 1});
        assert_int_equal(message_open(buf_view(&der), &settings, KIT_NOW, &request, &err), ERR_OK);
        assert_int_equal(message_check_envelope(&request, &settings, &credentials, KIT_NOW, &err),
                         ERR_OK);
        assert_int_equal(message_decrypt(&request, ca, &content, &err), ERR_OK);
        assert_true(view_equal(buf_view(&content), buf_view(&fixture.csr)));
        buf_wipe(&content);
        request_done(&request);
        buf_done(&der);
    }
    ca_peer_end(&peer, ca);
    assert_int_equal(peer.questions, 2);
}

// There is no key here, so scepd-ca is asked; nobody is there.
static void without_a_key_the_ca_is_asked(void **state)
{
    (void)state;
    struct settings settings = {0};
    struct err err = {0};
    struct request request = {0};
    struct buf content = {0};
    struct ca_client *ca = NULL;
    struct credentials credentials = kit.credentials;
    credentials.recipients[0].key = NULL;
    assert_int_equal(ca_client_new("/nonexistent/ca.sock", &ca, &err), ERR_OK);
    struct buf der = build(&(struct kit_message){0});
    assert_int_equal(message_open(buf_view(&der), &settings, KIT_NOW, &request, &err), ERR_OK);
    assert_int_equal(message_check_envelope(&request, &settings, &credentials, KIT_NOW, &err),
                     ERR_OK);
    assert_int_equal(message_decrypt(&request, ca, &content, &err), ERR_BUSY);
    assert_null(content.data);
    ca_client_free(ca);
    request_done(&request);
    buf_done(&der);
}

// The hash is of our encryptedKey: the same envelope gives the same, another envelope another.
static void envelope_hash_names_the_envelope(void **state)
{
    (void)state;
    struct settings settings = {0};
    struct err err = {0};
    struct buf envelopes[2];
    uint8_t hashes[3][SHA256_LEN];
    for (size_t i = 0; i < 2; i++) {
        envelopes[i] = kit_envelope_der(
            &(struct kit_envelope){.recipients = {kit.ca, kit.ra}, .plain = buf_view(&fixture.csr)},
            NULL);
    }
    for (size_t i = 0; i < 3; i++) {
        struct request request = {0};
        struct kit_message message = {.content = buf_view(&envelopes[i / 2])};
        if (i == 1) {
            message.key = kit_key(KEY_OTHER);
            message.signer = fixture.other;
        }
        struct buf der = build(&message);
        assert_int_equal(message_open(buf_view(&der), &settings, KIT_NOW, &request, &err), ERR_OK);
        assert_int_equal(
            message_check_envelope(&request, &settings, &kit.credentials, KIT_NOW, &err), ERR_OK);
        memcpy(hashes[i], request.envelope_hash, SHA256_LEN);
        request_done(&request);
        buf_done(&der);
    }
    assert_memory_equal(hashes[0], hashes[1], SHA256_LEN);
    assert_memory_not_equal(hashes[0], hashes[2], SHA256_LEN);
    buf_done(&envelopes[0]);
    buf_done(&envelopes[1]);
}

static void junk_is_not_answerable(void **state)
{
    (void)state;
    static const uint8_t zeroes[64];
    static const uint8_t sequence[] = {0x30, 0x80, 0x00, 0x00};
    struct settings settings = {0};
    struct buf envelope =
        kit_envelope_der(&(struct kit_envelope){.plain = buf_view(&fixture.csr)}, kit.ra);
    struct buf large = {0};
    assert_int_equal(buf_reserve(&large, LIMIT_MESSAGE_LEN + 1, NULL), ERR_OK);
    large.len = LIMIT_MESSAGE_LEN + 1;
    memset(large.data, 0x30, large.len);
    struct {
        const char *name;
        struct view octets;
        enum err_code code;
    } tests[] = {
        {"nothing", VIEW_EMPTY, ERR_SYNTAX},
        {"zeroes", view_of(zeroes, sizeof zeroes), ERR_SYNTAX},
        {"text", view_of_text("GET / HTTP/1.0"), ERR_SYNTAX},
        {"empty sequence", view_of(sequence, sizeof sequence), ERR_SYNTAX},
        {"an EnvelopedData", buf_view(&envelope), ERR_SYNTAX},
        {"a PKCS#10", buf_view(&fixture.csr), ERR_SYNTAX},
        {"too long", buf_view(&large), ERR_LIMIT},
        {"nested deeply", view_of(large.data, LIMIT_MESSAGE_LEN), ERR_SYNTAX},
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        struct err err = {0};
        struct request request = {0};
        enum err_code code = message_open(tests[i].octets, &settings, KIT_NOW, &request, &err);
        assert_code(tests[i].name, code, tests[i].code, &err);
        assert_false(request.is_answerable);
        request_done(&request);
    }
    buf_done(&envelope);
    buf_done(&large);
}

// Steps of the ladder in their order: of two faults the earlier one is reported.
static void order_of_the_ladder(void **state)
{
    (void)state;
    static const struct open_case tests[] = {
        {.name = "3 before 4",
         .message = {.message_type.how = KIT_OMITTED, .is_content_omitted = true},
         .code = ERR_BAD_REQUEST,
         .is_answerable = true,
         .text = "messageType"},
        {.name = "6 before 7",
         .message = {.message_type.data = "99", .is_signer_cert_omitted = true},
         .code = ERR_BAD_MESSAGE_CHECK,
         .is_answerable = true},
        {.name = "7 before 8",
         .message = {.message_type.data = "99", .signing_time = 1},
         .settings.scep.signing_time_window_sec = 300,
         .code = ERR_BAD_REQUEST,
         .is_answerable = true},
    };
    CHECK_OPEN(tests);
}

static void every_truncation_fails(void **state)
{
    (void)state;
    struct settings settings = {0};
    struct buf der = build(&(struct kit_message){0});
    for (size_t len = 0; len < der.len; len++) {
        struct err err = {0};
        struct request request = {0};
        // A copy of just that length, so that reading on shows.
        uint8_t *copy = malloc(len + 1);
        assert_non_null(copy);
        memcpy(copy, der.data, len);
        uint8_t *exact = realloc(copy, len > 0 ? len : 1);
        assert_non_null(exact);
        enum err_code code = message_open(view_of(exact, len), &settings, KIT_NOW, &request, &err);
        assert_int_equal(code, ERR_SYNTAX);
        assert_true(err.text[0] != '\0');
        request_done(&request);
        free(exact);
    }
    assert_int_equal(buf_append(&der, view_of("\0", 1), NULL), ERR_OK);
    struct err err = {0};
    assert_code("trailing octet", open_octets(&der, &err), ERR_SYNTAX, &err);
    buf_done(&der);
}

// A small generator with a fixed seed: the same mutations in every run.
static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

static void assert_same_meaning(struct request *request, const struct settings *settings)
{
    struct err err = {0};
    struct buf content = {0};
    struct buf spki = {0};
    assert_true(view_is_text(request_transaction_id(request), GOOD_ID));
    assert_true(
        view_is_text(view_of(request->sender_nonce, request->sender_nonce_len), GOOD_NONCE));
    assert_int_equal(request->type, MESSAGE_PKCS_REQ);
    assert_int_equal(ossl_spki_to_der(kit_key(KEY_CLIENT), &spki, &err), ERR_OK);
    assert_true(view_equal(buf_view(&spki), buf_view(&request->signer_spki)));
    assert_int_equal(message_check_envelope(request, settings, &kit.credentials, KIT_NOW, &err),
                     ERR_OK);
    assert_int_equal(message_decrypt(request, NULL, &content, &err), ERR_OK);
    assert_true(view_equal(buf_view(&content), buf_view(&fixture.csr)));
    buf_wipe(&content);
    buf_done(&spki);
}

static void flipped_bits_never_change_the_meaning(void **state)
{
    (void)state;
    struct settings settings = {0};
    struct buf der = build(&(struct kit_message){0});
    uint32_t seed = 1;
    for (int i = 0; i < FLIPS; i++) {
        struct err err = {0};
        struct request request = {0};
        size_t at = next_random(&seed) % der.len;
        uint8_t bit = (uint8_t)(1U << (next_random(&seed) % 8));
        der.data[at] ^= bit;
        enum err_code code = message_open(buf_view(&der), &settings, KIT_NOW, &request, &err);
        if (code == ERR_OK) {
            assert_same_meaning(&request, &settings);
        } else {
            assert_int_equal(err.code, code);
            assert_true(err.text[0] != '\0');
            bool is_unparsed = code == ERR_SYNTAX || code == ERR_LIMIT;
            assert_true(request.is_answerable != is_unparsed);
            assert_true(code != ERR_CRYPTO && code != ERR_NOMEM && code != ERR_INTERNAL);
        }
        request_done(&request);
        der.data[at] ^= bit;
    }
    buf_done(&der);
}

// Z4, quirk "One answer": whoever wraps a mauled envelope learns nothing from it.
static void mauled_envelopes_fail_alike_z4(void **state)
{
    (void)state;
    static const uint8_t key_header[] = {0x04, 0x82, 0x01, 0x00};
    struct settings settings = {0};
    struct buf envelope =
        kit_envelope_der(&(struct kit_envelope){.plain = buf_view(&fixture.csr)}, kit.ra);
    uint8_t *key = memmem(envelope.data, envelope.len, key_header, sizeof key_header);
    assert_non_null(key);
    size_t key_at = (size_t)(key - envelope.data) + sizeof key_header;
    size_t content_len = fixture.csr.len + 16 - fixture.csr.len % 16;
    uint32_t seed = 2;
    for (int i = 0; i < MAULED; i++) {
        struct err err = {0};
        struct request request = {0};
        struct buf content = {0};
        struct pkcs10 pkcs10 = {0};
        size_t at = i % 2 == 0 ? key_at + next_random(&seed) % 256
                               : envelope.len - 1 - next_random(&seed) % content_len;
        uint8_t mask = (uint8_t)(1 + next_random(&seed) % 255);
        envelope.data[at] ^= mask;
        struct buf der = build(&(struct kit_message){.content = buf_view(&envelope)});
        envelope.data[at] ^= mask;
        assert_int_equal(message_open(buf_view(&der), &settings, KIT_NOW, &request, &err), ERR_OK);
        assert_int_equal(
            message_check_envelope(&request, &settings, &kit.credentials, KIT_NOW, &err), ERR_OK);
        enum err_code code = message_decrypt(&request, NULL, &content, &err);
        if (code == ERR_OK) {
            code = pkcs10_parse(buf_view(&content), &pkcs10, &err);
        }
        if (code == ERR_OK) {
            assert_int_not_equal(pkcs10_verify(&pkcs10, true, true, &err), ERR_OK);
        } else {
            assert_int_equal(code, ERR_BAD_REQUEST);
        }
        assert_true(err.text[0] != '\0');
        pkcs10_done(&pkcs10);
        buf_wipe(&content);
        request_done(&request);
        buf_done(&der);
    }
    buf_done(&envelope);
}

static void envelope_is_needed(void **state)
{
    (void)state;
    struct settings settings = {0};
    struct err err = {0};
    struct request request = {0};
    struct buf content = {0};
    assert_int_equal(message_check_envelope(&request, &settings, &kit.credentials, KIT_NOW, &err),
                     ERR_BAD_REQUEST);
    assert_int_equal(message_decrypt(&request, NULL, &content, &err), ERR_BAD_REQUEST);
}

static void type_names(void **state)
{
    (void)state;
    assert_string_equal(message_type_name(MESSAGE_PKCS_REQ), "PKCSReq");
    assert_string_equal(message_type_name(MESSAGE_CERT_REP), "CertRep");
    assert_string_equal(message_type_name(MESSAGE_UNKNOWN), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_message_opens),
        cmocka_unit_test(transaction_ids_m4_m7),
        cmocka_unit_test(sender_nonces_m6_m7),
        cmocka_unit_test(message_types_m5),
        cmocka_unit_test(every_number_as_type_m5),
        cmocka_unit_test(content_m1_m2),
        cmocka_unit_test(algorithms_ladder_5),
        cmocka_unit_test(mirrored_digest_is_known_early),
        cmocka_unit_test(signature_algorithm_fits_digest),
        cmocka_unit_test(signer_keys_ladder_5),
        cmocka_unit_test(signer_certificates_m8_m10),
        cmocka_unit_test(duplicate_certificate_is_harmless),
        cmocka_unit_test(ugly_self_signed_signers_pass),
        cmocka_unit_test(keeps_all_certificates),
        cmocka_unit_test(too_many_certificates),
        cmocka_unit_test(signer_by_ski_m12),
        cmocka_unit_test(attributes_unsorted_quirk_27),
        cmocka_unit_test(cms_attributes_m3),
        cmocka_unit_test(flipped_bits_are_noticed_m9),
        cmocka_unit_test(signing_time_m11),
        cmocka_unit_test(ber_is_accepted_quirk_19),
        cmocka_unit_test(ciphers_e3),
        cmocka_unit_test(recipients_e2_e7),
        cmocka_unit_test(each_recipient_has_its_key_n4_n5),
        cmocka_unit_test(a_previous_recipient_ends_n5),
        cmocka_unit_test(direct_is_unwrapped_by_the_ca),
        cmocka_unit_test(without_a_key_the_ca_is_asked),
        cmocka_unit_test(envelope_hash_names_the_envelope),
        cmocka_unit_test(junk_is_not_answerable),
        cmocka_unit_test(order_of_the_ladder),
        cmocka_unit_test(every_truncation_fails),
        cmocka_unit_test(flipped_bits_never_change_the_meaning),
        cmocka_unit_test(mauled_envelopes_fail_alike_z4),
        cmocka_unit_test(envelope_is_needed),
        cmocka_unit_test(type_names),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
