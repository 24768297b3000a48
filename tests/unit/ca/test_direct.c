// SPDX-License-Identifier: Apache-2.0
// Topology direct: what the CA's own key opens, and what it puts into an answer.
#include <stdlib.h>

#include "conf/cms/certrep.h"
#include "fixture.h"
#include "kit/pkimessage.h"

#define OID_PKI_STATUS     "2.16.840.1.113733.1.9.3"
#define OID_FAIL_INFO      "2.16.840.1.113733.1.9.4"
#define OID_NONCE          "2.16.840.1.113733.1.9.6"
#define OID_TRANSACTION    "2.16.840.1.113733.1.9.7"
#define OID_FAIL_INFO_TEXT "1.3.6.1.5.5.7.24.1"
#define CONTENT            "what the phone asks"
#define NONCE              "0123456789abcdef"
#define BOTH_USAGES        "critical,keyCertSign,cRLSign,digitalSignature,keyEncipherment"

enum { OLD_KEY = 4 };

struct site {
    struct fixture fixture;
    X509 *phone; // self-signed: who asks and gets the answer
    struct buf phone_der;
    struct buf issued; // by the CA
    struct buf crl;    // by the CA
};

static void issue_for(struct site *site)
{
    struct buf csr = kit_csr_der(kit_key(PHONE_KEY), &(struct kit_csr){.common_name = "phone"});
    struct issue_order order = order_for(&csr);
    struct authority_issued issued;
    struct err err = {0};
    assert_ok(
        authority_issue(site->fixture.authority, &order, KIT_NOW, &site->issued, &issued, &err),
        &err);
    const struct authority_crl crl = {.number = 1, .now = KIT_NOW};
    assert_ok(authority_sign_crl(site->fixture.authority, &crl, &site->crl, &err), &err);
    buf_done(&csr);
}

static void site_init(struct site *site)
{
    *site = (struct site){0};
    fixture_init(&site->fixture, NULL, CA_DAYS);
    X509_free(site->fixture.cert);
    site->fixture.cert = ca_with_usage(BOTH_USAGES);
    free(write_cert(site->fixture.folder, "ca.pem", site->fixture.cert));
    site->fixture.settings.scep.topology = SETTINGS_TOPOLOGY_DIRECT;
    fixture_load(&site->fixture);
    site->phone = kit_cert(kit_key(PHONE_KEY), "phone", NULL, NULL, false, KIT_NOW, 1);
    assert_int_equal(ossl_cert_to_der(site->phone, &site->phone_der, NULL), ERR_OK);
    issue_for(site);
}

static void site_done(struct site *site)
{
    X509_free(site->phone);
    buf_done(&site->phone_der);
    buf_done(&site->issued);
    buf_done(&site->crl);
    fixture_done(&site->fixture);
}

static enum err_code unwrap(const struct site *site, struct view envelope, struct buf *ret_content,
                            struct err *err)
{
    return authorities_unwrap(site->fixture.authorities, envelope, ret_content, err);
}

static void opens(void **state)
{
    (void)state;
    struct site site;
    site_init(&site);
    const struct kit_envelope plain = {.plain = view_of_text(CONTENT)};
    // The CA among others, and not the first.
    const struct kit_envelope shared = {.plain = view_of_text(CONTENT),
                                        .recipients = {site.phone, site.fixture.cert}};
    const struct kit_envelope *const envelopes[] = {&plain, &shared};
    for (size_t i = 0; i < 2; i++) {
        struct buf der = kit_envelope_der(envelopes[i], site.fixture.cert);
        struct buf content = {0};
        struct err err = {0};
        assert_ok(unwrap(&site, buf_view(&der), &content, &err), &err);
        assert_true(view_is_text(buf_view(&content), CONTENT));
        buf_wipe(&content);
        buf_done(&der);
    }
    site_done(&site);
}

static void refuse_envelope(const struct site *site, const struct kit_envelope *envelope,
                            const char *text)
{
    struct buf der = kit_envelope_der(envelope, site->fixture.cert);
    struct buf content = {0};
    struct err err = {0};
    assert_refused(unwrap(site, buf_view(&der), &content, &err), ERR_BAD_REQUEST, &err, text);
    assert_null(content.data);
    buf_done(&der);
}

static void refuses_envelopes(void **state)
{
    (void)state;
    struct site site;
    site_init(&site);
    struct view text = view_of_text(CONTENT);
    X509 *ca = site.fixture.cert;
    EVP_PKEY *ec = kit_ec_key("P-256");
    X509 *ec_cert = kit_cert(ec, "ec", NULL, NULL, false, KIT_NOW, 1);
    refuse_envelope(&site, &(struct kit_envelope){.plain = text, .recipients = {site.phone}},
                    "no recipient of the envelope is this CA");
    refuse_envelope(&site, &(struct kit_envelope){.plain = text, .recipients = {ca, ec_cert}},
                    "no KeyTransRecipientInfo");
    refuse_envelope(&site, &(struct kit_envelope){.plain = text, .password = "secret"},
                    "no KeyTransRecipientInfo");
    refuse_envelope(&site,
                    &(struct kit_envelope){
                        .plain = text, .recipients = {ca, ca, ca, ca, ca, ca, ca, ca, ca, ca, ca}},
                    "for 11 recipients");
    refuse_envelope(&site, &(struct kit_envelope){.plain = text, .content_nid = NID_pkcs7_signed},
                    "not of type id-data");
    X509_free(ec_cert);
    EVP_PKEY_free(ec);
    site_done(&site);
}

static void broken_envelopes(void **state)
{
    (void)state;
    struct site site;
    site_init(&site);
    const struct kit_envelope plain = {.plain = view_of_text(CONTENT)};
    struct buf der = kit_envelope_der(&plain, site.fixture.cert);
    struct buf content = {0};
    for (size_t len = 0; len < der.len; len++) {
        struct err err = {0};
        assert_refused(unwrap(&site, view_of(der.data, len), &content, &err), ERR_BAD_REQUEST, &err,
                       "not an EnvelopedData");
    }
    for (size_t bit = 0; bit < der.len * 8; bit += 3) {
        der.data[bit / 8] ^= (uint8_t)(1U << (bit % 8));
        struct err err = {0};
        enum err_code code = unwrap(&site, buf_view(&der), &content, &err);
        assert_true(code == ERR_OK || code == ERR_BAD_REQUEST); // CBC has no integrity
        buf_wipe(&content);
        der.data[bit / 8] ^= (uint8_t)(1U << (bit % 8));
    }
    assert_int_equal(buf_append(&der, view_of("", 1), NULL), ERR_OK);
    struct err err = {0};
    assert_refused(unwrap(&site, buf_view(&der), &content, &err), ERR_BAD_REQUEST, &err,
                   "octets after the end");
    assert_refused(unwrap(&site, buf_view(&site.issued), &content, &err), ERR_BAD_REQUEST, &err,
                   "not an EnvelopedData");
    assert_null(content.data);
    buf_done(&der);
    site_done(&site);
}

static struct seal_order order_of(const struct site *site, uint8_t status)
{
    return (struct seal_order){
        .status = status,
        .transaction_id = view_of_text("TRANSACTION-1"),
        .recipient_nonce = view_of_text(NONCE),
        .digest_nid = NID_sha512,
        .cipher_nid = NID_aes_128_cbc,
        .recipient = buf_view(&site->phone_der),
    };
}

static struct buf seal(const struct site *site, const struct seal_order *order)
{
    struct buf der = {0};
    struct err err = {0};
    assert_ok(authorities_seal(site->fixture.authorities, order, &der, &err), &err);
    return der;
}

static void assert_attribute(CMS_SignerInfo *info, const char *oid, int type, const char *text)
{
    ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    const ASN1_STRING *value = CMS_signed_get0_data_by_OBJ(info, object, -3, type);
    ASN1_OBJECT_free(object);
    if (text == NULL) {
        assert_null(value);
    } else {
        assert_non_null(value);
        assert_true(view_is_text(ossl_string_view(value), text));
    }
}

// Checks the CA's signature and the attributes every answer has; gives the content.
static CMS_SignerInfo *open_answer(const struct site *site, const struct buf *der,
                                   CMS_ContentInfo **ret_outer, BIO *ret_content)
{
    const unsigned char *end = der->data;
    *ret_outer = d2i_CMS_ContentInfo(NULL, &end, (long)der->len);
    assert_non_null(*ret_outer);
    assert_ptr_equal(end, der->data + der->len);
    BIO *empty = BIO_new_mem_buf("", 0);
    bool has_content = *CMS_get0_content(*ret_outer) != NULL;
    assert_int_equal(CMS_verify(*ret_outer, NULL, NULL, has_content ? NULL : empty, ret_content,
                                CMS_BINARY | CMS_NO_SIGNER_CERT_VERIFY),
                     1);
    BIO_free(empty);
    CMS_SignerInfo *info = sk_CMS_SignerInfo_value(CMS_get0_SignerInfos(*ret_outer), 0);
    assert_int_equal(CMS_SignerInfo_cert_cmp(info, site->fixture.cert), 0);
    assert_attribute(info, OID_TRANSACTION, V_ASN1_PRINTABLESTRING, "TRANSACTION-1");
    assert_attribute(info, OID_NONCE, V_ASN1_OCTET_STRING, NONCE);
    return info;
}

// The PKCS#7 that the phone finds in a SUCCESS.
static PKCS7 *open_success(const struct site *site, const struct seal_order *order)
{
    struct buf der = seal(site, order);
    CMS_ContentInfo *outer = NULL;
    BIO *content = BIO_new(BIO_s_mem());
    CMS_SignerInfo *info = open_answer(site, &der, &outer, content);
    assert_attribute(info, OID_PKI_STATUS, V_ASN1_PRINTABLESTRING, "0");
    CMS_ContentInfo *envelope = d2i_CMS_bio(content, NULL);
    assert_non_null(envelope);
    BIO *plain = BIO_new(BIO_s_mem());
    assert_int_equal(
        CMS_decrypt(envelope, kit_key(PHONE_KEY), site->phone, NULL, plain, CMS_BINARY), 1);
    PKCS7 *inner = d2i_PKCS7_bio(plain, NULL);
    assert_non_null(inner);
    assert_true(PKCS7_type_is_signed(inner));
    BIO_free(plain);
    CMS_ContentInfo_free(envelope);
    BIO_free(content);
    CMS_ContentInfo_free(outer);
    buf_done(&der);
    return inner;
}

static void seals_a_certificate(void **state)
{
    (void)state;
    for (int chain = 0; chain <= 1; chain++) {
        struct site site;
        site_init(&site);
        site.fixture.settings.scep.reply_chain = chain == 1;
        fixture_load(&site.fixture);
        struct seal_order order = order_of(&site, CERTREP_SUCCESS);
        order.certificate = buf_view(&site.issued);
        PKCS7 *inner = open_success(&site, &order);
        X509 *expected = parse_cert(&site.issued);
        const STACK_OF(X509) *certs = inner->d.sign->cert;
        assert_int_equal(sk_X509_num(certs), 1 + chain);
        assert_int_equal(X509_cmp(sk_X509_value(certs, 0), expected), 0);
        if (chain == 1) {
            assert_int_equal(X509_cmp(sk_X509_value(certs, 1), site.fixture.cert), 0);
        }
        X509_free(expected);
        PKCS7_free(inner);
        site_done(&site);
    }
}

static void seals_a_crl(void **state)
{
    (void)state;
    struct site site;
    site_init(&site);
    site.fixture.settings.scep.reply_chain = true; // a CRL comes alone
    fixture_load(&site.fixture);
    struct seal_order order = order_of(&site, CERTREP_SUCCESS);
    order.crl = buf_view(&site.crl);
    PKCS7 *inner = open_success(&site, &order);
    assert_true(sk_X509_num(inner->d.sign->cert) <= 0); // -1: not even an empty list
    assert_int_equal(sk_X509_CRL_num(inner->d.sign->crl), 1);
    assert_int_equal(X509_CRL_verify(sk_X509_CRL_value(inner->d.sign->crl, 0),
                                     X509_get0_pubkey(site.fixture.cert)),
                     1);
    PKCS7_free(inner);
    site_done(&site);
}

static void seals_without_content(void **state)
{
    (void)state;
    struct site site;
    site_init(&site);
    static const struct {
        uint8_t status;
        uint8_t fail_info;
        const char *text;
        const char *status_digit;
        const char *fail_info_digit;
    } cases[] = {
        {CERTREP_PENDING, 0, NULL, "3", NULL},
        {CERTREP_FAILURE, FAIL_INFO_BAD_ALG, NULL, "2", "0"},
        {CERTREP_FAILURE, FAIL_INFO_BAD_CERT_ID, "no such certificate", "2", "4"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct seal_order order = order_of(&site, cases[i].status);
        order.recipient = VIEW_EMPTY;
        order.fail_info = cases[i].fail_info;
        order.fail_info_text = view_of_text(cases[i].text);
        struct buf der = seal(&site, &order);
        CMS_ContentInfo *outer = NULL;
        BIO *content = BIO_new(BIO_s_mem());
        CMS_SignerInfo *info = open_answer(&site, &der, &outer, content);
        assert_null(*CMS_get0_content(outer));
        assert_attribute(info, OID_PKI_STATUS, V_ASN1_PRINTABLESTRING, cases[i].status_digit);
        assert_attribute(info, OID_FAIL_INFO, V_ASN1_PRINTABLESTRING, cases[i].fail_info_digit);
        assert_attribute(info, OID_FAIL_INFO_TEXT, V_ASN1_UTF8STRING, cases[i].text);
        BIO_free(content);
        CMS_ContentInfo_free(outer);
        buf_done(&der);
    }
    site_done(&site);
}

// A certificate that an old CA issued is still handed out (GetCert), with that CA's own.
static void seals_what_an_old_ca_issued(void **state)
{
    (void)state;
    struct site site;
    site_init(&site);
    X509 *old = kit_cert(kit_key(OLD_KEY), "Old CA", NULL, NULL, true, KIT_NOW, 10);
    X509 *cert = kit_cert(kit_key(PHONE_KEY), "x", old, kit_key(OLD_KEY), false, KIT_NOW, 1);
    fixture_add_ca(&site.fixture, old, kit_key(OLD_KEY), NULL);
    site.fixture.settings.scep.reply_chain = true;
    fixture_load(&site.fixture);
    struct buf der = {0};
    assert_int_equal(ossl_cert_to_der(cert, &der, NULL), ERR_OK);
    struct seal_order order = order_of(&site, CERTREP_SUCCESS);
    order.certificate = buf_view(&der);
    PKCS7 *inner = open_success(&site, &order);
    assert_int_equal(sk_X509_num(inner->d.sign->cert), 2);
    assert_int_equal(X509_cmp(sk_X509_value(inner->d.sign->cert, 1), old), 0);
    PKCS7_free(inner);
    buf_done(&der);
    X509_free(cert);
    X509_free(old);
    site_done(&site);
}

static void refuse_order(const struct site *site, const struct seal_order *order,
                         enum err_code expected, const char *text)
{
    struct buf der = {0};
    struct err err = {0};
    assert_refused(authorities_seal(site->fixture.authorities, order, &der, &err), expected, &err,
                   text);
    assert_null(der.data);
}

// The CA's name under another key.
static void refuses_what_is_not_ours(void **state)
{
    (void)state;
    struct site site;
    site_init(&site);
    struct fixture other;
    fixture_init(&other, kit_rsa_key(2048), CA_DAYS);
    fixture_load(&other);
    X509 *cert = kit_cert(kit_key(PHONE_KEY), "x", other.cert, other.key, false, KIT_NOW, 1);
    struct buf cert_der = {0};
    struct buf crl_der = {0};
    struct err err = {0};
    assert_int_equal(ossl_cert_to_der(cert, &cert_der, NULL), ERR_OK);
    const struct authority_crl crl = {.number = 1, .now = KIT_NOW};
    assert_ok(authority_sign_crl(other.authority, &crl, &crl_der, &err), &err);
    struct seal_order order = order_of(&site, CERTREP_SUCCESS);
    order.certificate = buf_view(&cert_der);
    refuse_order(&site, &order, ERR_DENIED, "a certificate that no CA here issued");
    order.certificate = buf_view(&site.phone_der);
    refuse_order(&site, &order, ERR_DENIED, "a certificate that no CA here issued");
    order.certificate = VIEW_EMPTY;
    order.crl = buf_view(&crl_der);
    refuse_order(&site, &order, ERR_DENIED, "a CRL that no CA here signed");
    X509_free(cert);
    buf_done(&cert_der);
    buf_done(&crl_der);
    fixture_done(&other);
    site_done(&site);
}

static void refuses_contradictions(void **state)
{
    (void)state;
    struct site site;
    site_init(&site);
    struct seal_order order = order_of(&site, CERTREP_SUCCESS);
    refuse_order(&site, &order, ERR_BAD_REQUEST, "pkiStatus 0 and 0 certificates");
    order.certificate = buf_view(&site.issued);
    order.crl = buf_view(&site.crl);
    refuse_order(&site, &order, ERR_BAD_REQUEST, "pkiStatus 0 and 2 certificates");
    order.crl = VIEW_EMPTY;
    order.status = CERTREP_PENDING;
    refuse_order(&site, &order, ERR_BAD_REQUEST, "pkiStatus 3 and 1 certificates");
    order.status = CERTREP_FAILURE;
    refuse_order(&site, &order, ERR_BAD_REQUEST, "pkiStatus 2 and 1 certificates");
    order.certificate = VIEW_EMPTY;
    order.fail_info_text = view_of("a\0b", 3);
    refuse_order(&site, &order, ERR_BAD_REQUEST, "a NUL");

    order = order_of(&site, CERTREP_SUCCESS);
    order.certificate = view_of(site.issued.data, site.issued.len - 1);
    refuse_order(&site, &order, ERR_BAD_REQUEST, "not a certificate");
    order.certificate = buf_view(&site.issued);
    order.recipient = VIEW_EMPTY;
    refuse_order(&site, &order, ERR_BAD_REQUEST, "recipient of an answer");
    order.recipient = buf_view(&site.phone_der);
    order.certificate = VIEW_EMPTY;
    order.crl = view_of(site.crl.data, site.crl.len - 1);
    refuse_order(&site, &order, ERR_BAD_REQUEST, "not a CRL");
    assert_int_equal(buf_append(&site.crl, view_of("", 1), NULL), ERR_OK);
    order.crl = buf_view(&site.crl);
    refuse_order(&site, &order, ERR_BAD_REQUEST, "not a CRL");
    site_done(&site);
}

static void receivers(void **state)
{
    (void)state;
    struct site site;
    site_init(&site);
    EVP_PKEY *ec = kit_ec_key("P-256");
    X509 *cert = kit_cert(ec, "ec", NULL, NULL, false, KIT_NOW, 1);
    struct buf der = {0};
    assert_int_equal(ossl_cert_to_der(cert, &der, NULL), ERR_OK);
    struct seal_order order = order_of(&site, CERTREP_SUCCESS);
    order.certificate = buf_view(&site.issued);
    order.recipient = buf_view(&der);
    refuse_order(&site, &order, ERR_BAD_ALG, "EC");
    buf_done(&der);
    X509_free(cert);
    EVP_PKEY_free(ec);
    site_done(&site);
}

static void digests_by_settings(void **state)
{
    (void)state;
    static const struct {
        int nid;
        bool sha1;
        bool legacy;
        bool is_allowed;
    } cases[] = {
        {NID_undef, false, false, true},  {NID_sha256, false, false, true},
        {NID_sha384, false, false, true}, {NID_sha512, false, false, true},
        {NID_sha1, false, true, false},   {NID_sha1, true, false, true},
        {NID_md5, true, false, false},    {NID_md5, false, true, true},
        {NID_sha224, true, true, false},  {NID_aes_128_cbc, true, true, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct site site;
        site_init(&site);
        site.fixture.settings.algorithms.sha1 = cases[i].sha1;
        site.fixture.settings.algorithms.legacy = cases[i].legacy;
        fixture_load(&site.fixture);
        struct seal_order order = order_of(&site, CERTREP_PENDING);
        order.digest_nid = (uint32_t)cases[i].nid;
        if (cases[i].is_allowed) {
            struct buf der = seal(&site, &order);
            buf_done(&der);
        } else {
            refuse_order(&site, &order, ERR_BAD_ALG, "is not allowed");
        }
        site_done(&site);
    }
}

static void only_when_set_up(void **state)
{
    (void)state;
    struct site site;
    site_init(&site);
    assert_int_equal(authorities_direct_per_sec(site.fixture.authorities), 10);
    site.fixture.settings.scep.topology = SETTINGS_TOPOLOGY_RA;
    fixture_load(&site.fixture);
    assert_int_equal(authorities_direct_per_sec(site.fixture.authorities), 0);
    struct seal_order order = order_of(&site, CERTREP_PENDING);
    refuse_order(&site, &order, ERR_DENIED, "scep.topology");
    const struct kit_envelope plain = {.plain = view_of_text(CONTENT)};
    struct buf der = kit_envelope_der(&plain, site.fixture.cert);
    struct buf content = {0};
    struct err err = {0};
    assert_refused(unwrap(&site, buf_view(&der), &content, &err), ERR_DENIED, &err,
                   "scep.topology");
    assert_null(content.data);
    buf_done(&der);
    site_done(&site);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens),
        cmocka_unit_test(refuses_envelopes),
        cmocka_unit_test(broken_envelopes),
        cmocka_unit_test(seals_a_certificate),
        cmocka_unit_test(seals_a_crl),
        cmocka_unit_test(seals_without_content),
        cmocka_unit_test(seals_what_an_old_ca_issued),
        cmocka_unit_test(refuses_what_is_not_ours),
        cmocka_unit_test(refuses_contradictions),
        cmocka_unit_test(receivers),
        cmocka_unit_test(digests_by_settings),
        cmocka_unit_test(only_when_set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
