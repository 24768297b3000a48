// SPDX-License-Identifier: Apache-2.0
// A trial's request as a server reads it, and answers of all kinds as a trial reads them.
#include "kit/kit.h"

#include <string.h>

#include "conf/cms/oids.h"
#include "conf/cms/unwrap.h"
#include "conf/csr_parse.h"
#include "kit/pkimessage.h"
#include "server/phone/reply.h"

#define DAYS     100
#define CN       "CP-9871-SEP000000000000"
#define ONLY_ONE (-3)

enum { KEY_ROOT, KEY_RA, KEY_OTHER, KEY_PHONE, KEY_MIC };

static struct fixture {
    X509 *root;
    X509 *ra;
    X509 *other;
    X509 *mic;
    STACK_OF(X509) * certs; // of the server
} fixture;

static int set_up(void **state)
{
    (void)state;
    EVP_PKEY *root_key = kit_key(KEY_ROOT);
    fixture.root = kit_cert(root_key, "root", NULL, NULL, true, KIT_NOW, DAYS);
    fixture.ra = kit_cert(kit_key(KEY_RA), "ra", fixture.root, root_key, false, KIT_NOW, DAYS);
    fixture.other =
        kit_cert(kit_key(KEY_OTHER), "other", fixture.root, root_key, false, KIT_NOW, DAYS);
    fixture.mic =
        kit_cert(kit_key(KEY_MIC), "CP-9871-SEP001A2B3C4D5E", NULL, NULL, false, KIT_NOW, DAYS);
    fixture.certs = sk_X509_new_null();
    assert_true(sk_X509_push(fixture.certs, fixture.ra) > 0);
    assert_true(sk_X509_push(fixture.certs, fixture.root) > 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    sk_X509_free(fixture.certs);
    X509_free(fixture.root);
    X509_free(fixture.ra);
    X509_free(fixture.other);
    X509_free(fixture.mic);
    return 0;
}

static struct phone_request_plan plan_of(const char *challenge)
{
    return (struct phone_request_plan){
        .common_name = CN,
        .challenge = view_of_text(challenge),
        .recipient = fixture.ra,
        .cipher_nid = NID_aes_128_cbc,
        .digest_nid = NID_sha256,
        .now = KIT_NOW,
    };
}

static struct phone_request make(const struct phone_request_plan *plan)
{
    struct err err = {0};
    struct phone_request request = {0};
    if (phone_request_make(plan, kit_key(KEY_PHONE), &request, &err) != ERR_OK) {
        fail_msg("%s", err.text);
    }
    return request;
}

// --- Requests

// The request as a server opens it.
struct opened {
    CMS_ContentInfo *outer;
    CMS_SignerInfo *info;
    struct buf csr_der;
    struct csr *csr;
};

static struct opened open_request(const struct phone_request *request)
{
    struct opened opened = {0};
    const unsigned char *end = request->der.data;
    opened.outer = d2i_CMS_ContentInfo(NULL, &end, (long)request->der.len);
    assert_non_null(opened.outer);
    assert_ptr_equal(end, request->der.data + request->der.len);
    assert_int_equal(
        CMS_verify(opened.outer, NULL, NULL, NULL, NULL, CMS_NO_SIGNER_CERT_VERIFY | CMS_BINARY),
        1);
    opened.info = sk_CMS_SignerInfo_value(CMS_get0_SignerInfos(opened.outer), 0);
    const ASN1_OCTET_STRING *content = *CMS_get0_content(opened.outer);
    end = ASN1_STRING_get0_data(content);
    CMS_ContentInfo *envelope = d2i_CMS_ContentInfo(NULL, &end, ASN1_STRING_length(content));
    assert_non_null(envelope);
    assert_int_equal(unwrap_envelope(envelope, fixture.ra, kit_key(KEY_RA), &opened.csr_der, NULL),
                     ERR_OK);
    CMS_ContentInfo_free(envelope);
    assert_int_equal(csr_parse(buf_view(&opened.csr_der), &opened.csr, NULL), ERR_OK);
    assert_true(csr_is_signature_valid(opened.csr));
    return opened;
}

static void opened_done(struct opened *opened)
{
    CMS_ContentInfo_free(opened->outer);
    csr_free(opened->csr);
    buf_done(&opened->csr_der);
}

static struct view attribute(const struct opened *opened, const char *oid, int type)
{
    ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    struct view value =
        ossl_string_view(CMS_signed_get0_data_by_OBJ(opened->info, object, ONLY_ONE, type));
    ASN1_OBJECT_free(object);
    return value;
}

static const ASN1_TYPE *challenge_of(const struct csr *csr)
{
    const STACK_OF(X509_ATTRIBUTE) *attributes = csr_attributes(csr);
    int at = X509at_get_attr_by_NID(attributes, NID_pkcs9_challengePassword, -1);
    return at >= 0 ? X509_ATTRIBUTE_get0_type(X509at_get_attr(attributes, at), 0) : NULL;
}

static void test_request_with_challenge(void **state)
{
    (void)state;
    struct phone_request_plan plan = plan_of("D233CCF9B9952A15");
    struct phone_request request = make(&plan);
    struct opened opened = open_request(&request);
    assert_true(view_is_text(attribute(&opened, OID_MESSAGE_TYPE, V_ASN1_PRINTABLESTRING), "19"));
    assert_true(view_is_text(attribute(&opened, OID_TRANSACTION_ID, V_ASN1_PRINTABLESTRING),
                             request.transaction_id));
    assert_true(view_equal(attribute(&opened, OID_SENDER_NONCE, V_ASN1_OCTET_STRING),
                           view_of(request.nonce, sizeof request.nonce)));
    const ASN1_TYPE *challenge = challenge_of(opened.csr);
    assert_non_null(challenge);
    assert_int_equal(ASN1_TYPE_get(challenge), V_ASN1_PRINTABLESTRING);
    assert_true(view_is_text(ossl_string_view(challenge->value.asn1_string), "D233CCF9B9952A15"));
    char name[80] = "";
    X509_NAME_get_text_by_NID(csr_subject(opened.csr), NID_commonName, name, sizeof name);
    assert_string_equal(name, CN);
    assert_int_equal(EVP_PKEY_eq(csr_key(opened.csr), kit_key(KEY_PHONE)), 1);
    // The throw-away certificate has subject and key of the PKCS#10.
    assert_int_equal(X509_NAME_cmp(X509_get_subject_name(request.signer), csr_subject(opened.csr)),
                     0);
    assert_int_equal(X509_verify(request.signer, kit_key(KEY_PHONE)), 1);
    assert_int_equal(CMS_SignerInfo_cert_cmp(opened.info, request.signer), 0);
    opened_done(&opened);
    phone_request_done(&request);
}

static void test_requests_differ(void **state)
{
    (void)state;
    struct phone_request_plan plan = plan_of("x");
    struct phone_request one = make(&plan);
    struct phone_request two = make(&plan);
    assert_string_not_equal(one.transaction_id, two.transaction_id);
    assert_memory_not_equal(one.nonce, two.nonce, sizeof one.nonce);
    phone_request_done(&one);
    phone_request_done(&two);
}

static void test_request_by_mic(void **state)
{
    (void)state;
    STACK_OF(X509) *chain = sk_X509_new_null();
    assert_true(sk_X509_push(chain, fixture.root) > 0);
    struct phone_request_plan plan = plan_of(NULL);
    plan.mic = fixture.mic;
    plan.mic_key = kit_key(KEY_MIC);
    plan.mic_chain = chain;
    struct phone_request request = make(&plan);
    struct opened opened = open_request(&request);
    assert_null(challenge_of(opened.csr));
    assert_int_equal(CMS_SignerInfo_cert_cmp(opened.info, fixture.mic), 0);
    assert_int_equal(X509_cmp(request.signer, fixture.mic), 0);
    STACK_OF(X509) *sent = CMS_get1_certs(opened.outer);
    assert_int_equal(sk_X509_num(sent), 2);
    free_cert_stack(sent);
    sk_X509_free(chain);
    opened_done(&opened);
    phone_request_done(&request);
}

static void test_challenge_types(void **state)
{
    (void)state;
    static const struct {
        const char *challenge;
        int type;
    } rows[] = {{"plain 0-9", V_ASN1_PRINTABLESTRING},
                {"with*star", V_ASN1_UTF8STRING},
                {"gr\xC3\xBC\xC3\x9F", V_ASN1_UTF8STRING},
                {"a@b", V_ASN1_UTF8STRING}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct phone_request_plan plan = plan_of(rows[i].challenge);
        struct phone_request request = make(&plan);
        struct opened opened = open_request(&request);
        const ASN1_TYPE *challenge = challenge_of(opened.csr);
        assert_int_equal(ASN1_TYPE_get(challenge), rows[i].type);
        assert_true(
            view_is_text(ossl_string_view(challenge->value.asn1_string), rows[i].challenge));
        opened_done(&opened);
        phone_request_done(&request);
    }
}

static void assert_not_made(const struct phone_request_plan *plan, enum err_code code,
                            const char *said)
{
    struct err err = {0};
    struct phone_request request = {0};
    assert_int_equal(phone_request_make(plan, kit_key(KEY_PHONE), &request, &err), code);
    if (strstr(err.text, said) == NULL) {
        fail_msg("\"%s\" is not in \"%s\"", said, err.text);
    }
    assert_null(request.key);
}

static void test_requests_that_cannot_be(void **state)
{
    (void)state;
    EVP_PKEY *ec = kit_ec_key("P-256");
    X509 *ec_ra = kit_cert(ec, "ec", NULL, NULL, false, KIT_NOW, DAYS);
    struct phone_request_plan plan = plan_of("x");
    plan.common_name = "12345678901234567890123456789012345678901234567890123456789012345";
    assert_not_made(&plan, ERR_SYNTAX, "1 to 64 characters");
    plan.common_name = "";
    assert_not_made(&plan, ERR_SYNTAX, "1 to 64 characters");
    plan.common_name = "\xFF";
    assert_not_made(&plan, ERR_SYNTAX, "UTF-8");
    plan = plan_of("\xFF");
    assert_not_made(&plan, ERR_SYNTAX, "challenge is not UTF-8");
    plan = plan_of("x");
    plan.recipient = ec_ra;
    assert_not_made(&plan, ERR_BAD_ALG, "not RSA");
    X509_free(ec_ra);
    EVP_PKEY_free(ec);
}

// --- Answers

// What a good server answers to `request`.
static struct certrep answer_to(const struct phone_request *request, enum certrep_status status)
{
    return (struct certrep){
        .status = status,
        .transaction_id = view_of_text(request->transaction_id),
        .recipient_nonce = view_of(request->nonce, sizeof request->nonce),
        .digest_nid = NID_sha256,
        .recipient = request->signer,
        .cipher_nid = NID_aes_128_cbc,
    };
}

static struct buf encode(const struct certrep *certrep, X509 *signer, unsigned key)
{
    struct buf der = {0};
    struct err err = {0};
    if (certrep_encode(certrep, signer, kit_key(key), &der, &err) != ERR_OK) {
        fail_msg("%s", err.text);
    }
    return der;
}

static struct phone_reply read_good(const struct buf *der, const struct phone_request *request)
{
    struct err err = {0};
    struct phone_reply reply = {0};
    if (phone_reply_read(buf_view(der), request, fixture.certs, &reply, &err) != ERR_OK) {
        fail_msg("%s", err.text);
    }
    return reply;
}

static void assert_rules(const struct phone_reply *reply)
{
    assert_true(reply->is_message_type_right);
    assert_true(reply->is_transaction_ours);
    assert_true(reply->is_nonce_echoed);
    assert_true(reply->has_sender_nonce);
    assert_int_equal(reply->digest_nid, NID_sha256);
    assert_int_equal(X509_cmp(reply->signer, fixture.ra), 0);
}

static void test_success(void **state)
{
    (void)state;
    struct buf leaf = {0};
    struct buf above = {0};
    struct phone_request_plan plan = plan_of("x");
    struct phone_request request = make(&plan);
    X509 *cert =
        kit_cert(kit_key(KEY_PHONE), CN, fixture.root, kit_key(KEY_ROOT), false, KIT_NOW, DAYS);
    assert_int_equal(ossl_cert_to_der(cert, &leaf, NULL), ERR_OK);
    assert_int_equal(ossl_cert_to_der(fixture.root, &above, NULL), ERR_OK);
    struct certrep certrep = answer_to(&request, CERTREP_SUCCESS);
    certrep.certificates[0] = buf_view(&leaf);
    certrep.certificates[1] = buf_view(&above);
    for (unsigned count = 1; count <= 2; count++) {
        certrep.certificate_count = count;
        struct buf der = encode(&certrep, fixture.ra, KEY_RA);
        struct phone_reply reply = read_good(&der, &request);
        assert_rules(&reply);
        assert_int_equal(reply.status, CERTREP_SUCCESS);
        assert_int_equal(reply.cipher_nid, NID_aes_128_cbc);
        assert_int_equal(sk_X509_num(reply.certs), count);
        assert_int_equal(X509_cmp(sk_X509_value(reply.certs, 0), cert), 0);
        phone_reply_done(&reply);
        buf_done(&der);
    }
    X509_free(cert);
    buf_done(&leaf);
    buf_done(&above);
    phone_request_done(&request);
}

static void test_failures(void **state)
{
    (void)state;
    struct phone_request_plan plan = plan_of("x");
    struct phone_request request = make(&plan);
    struct certrep certrep = answer_to(&request, CERTREP_FAILURE);
    for (int fail_info = 0; fail_info <= FAIL_INFO_BAD_CERT_ID; fail_info++) {
        certrep.fail_info = (enum fail_info)fail_info;
        certrep.fail_info_text = fail_info == FAIL_INFO_BAD_TIME ? "your clock" : NULL;
        struct buf der = encode(&certrep, fixture.ra, KEY_RA);
        struct phone_reply reply = read_good(&der, &request);
        assert_rules(&reply);
        assert_int_equal(reply.status, CERTREP_FAILURE);
        assert_int_equal(reply.fail_info, fail_info);
        assert_true(view_is_text(buf_view(&reply.fail_info_text),
                                 certrep.fail_info_text != NULL ? certrep.fail_info_text : ""));
        phone_reply_done(&reply);
        buf_done(&der);
    }
    certrep.fail_info = (enum fail_info)7;
    struct buf der = encode(&certrep, fixture.ra, KEY_RA);
    struct phone_reply reply = read_good(&der, &request);
    assert_int_equal(reply.fail_info, PHONE_NO_FAIL_INFO);
    phone_reply_done(&reply);
    buf_done(&der);
    phone_request_done(&request);
}

static void test_pending_by_the_ca(void **state)
{
    (void)state;
    struct phone_request_plan plan = plan_of("x");
    struct phone_request request = make(&plan);
    struct certrep certrep = answer_to(&request, CERTREP_PENDING);
    certrep.digest_nid = NID_sha1;
    struct buf der = encode(&certrep, fixture.root, KEY_ROOT);
    struct phone_reply reply = read_good(&der, &request);
    assert_int_equal(reply.status, CERTREP_PENDING);
    assert_int_equal(reply.digest_nid, NID_sha1);
    assert_int_equal(X509_cmp(reply.signer, fixture.root), 0);
    phone_reply_done(&reply);
    buf_done(&der);
    phone_request_done(&request);
}

static void test_broken_rules(void **state)
{
    (void)state;
    struct phone_request_plan plan = plan_of("x");
    struct phone_request request = make(&plan);
    struct certrep certrep = answer_to(&request, CERTREP_PENDING);
    certrep.transaction_id = view_of_text("somebody else's");
    certrep.recipient_nonce = view_of_text("an old nonce");
    struct buf der = encode(&certrep, fixture.ra, KEY_RA);
    struct phone_reply reply = read_good(&der, &request);
    assert_false(reply.is_transaction_ours);
    assert_false(reply.is_nonce_echoed);
    assert_true(reply.is_message_type_right);
    phone_reply_done(&reply);
    buf_done(&der);
    phone_request_done(&request);
}

static void assert_unreadable(struct view octets, const struct phone_request *request,
                              enum err_code code, const char *said)
{
    struct err err = {0};
    struct phone_reply reply = {0};
    assert_int_equal(phone_reply_read(octets, request, fixture.certs, &reply, &err), code);
    if (strstr(err.text, said) == NULL) {
        fail_msg("\"%s\" is not in \"%s\"", said, err.text);
    }
    assert_null(reply.certs);
    assert_int_equal(reply.fail_info_text.len, 0);
}

static void test_signed_by_others(void **state)
{
    (void)state;
    struct phone_request_plan plan = plan_of("x");
    struct phone_request request = make(&plan);
    struct certrep certrep = answer_to(&request, CERTREP_PENDING);
    // Of the same CA, yet not in GetCACert; enclosed or not makes no difference.
    struct buf der = encode(&certrep, fixture.other, KEY_OTHER);
    assert_unreadable(buf_view(&der), &request, ERR_BAD_MESSAGE_CHECK,
                      "that GetCACert does not have");
    buf_done(&der);
    // The RA's name and serial number, another key.
    X509 *forged = X509_dup(fixture.ra);
    assert_int_equal(X509_set_pubkey(forged, kit_key(KEY_OTHER)), 1);
    assert_true(X509_sign(forged, kit_key(KEY_OTHER), EVP_sha256()) > 0);
    der = encode(&certrep, forged, KEY_OTHER);
    assert_unreadable(buf_view(&der), &request, ERR_BAD_MESSAGE_CHECK, "signature is wrong");
    buf_done(&der);
    X509_free(forged);
    phone_request_done(&request);
}

static void test_encrypted_for_others(void **state)
{
    (void)state;
    struct buf leaf = {0};
    struct phone_request_plan plan = plan_of("x");
    struct phone_request request = make(&plan);
    assert_int_equal(ossl_cert_to_der(fixture.ra, &leaf, NULL), ERR_OK);
    struct certrep certrep = answer_to(&request, CERTREP_SUCCESS);
    certrep.certificates[0] = buf_view(&leaf);
    certrep.certificate_count = 1;
    certrep.recipient = fixture.other;
    struct buf der = encode(&certrep, fixture.ra, KEY_RA);
    assert_unreadable(buf_view(&der), &request, ERR_BAD_REQUEST, "not encrypted for");
    buf_done(&der);
    buf_done(&leaf);
    phone_request_done(&request);
}

static void test_no_certrep(void **state)
{
    (void)state;
    struct phone_request_plan plan = plan_of("x");
    struct phone_request request = make(&plan);
    struct certrep certrep = answer_to(&request, (enum certrep_status)5);
    struct buf der = encode(&certrep, fixture.ra, KEY_RA);
    assert_unreadable(buf_view(&der), &request, ERR_SYNTAX, "pkiStatus is not 0, 2 or 3");
    assert_int_equal(buf_append(&der, view_of("x", 1), NULL), ERR_OK);
    assert_unreadable(buf_view(&der), &request, ERR_SYNTAX, "after the end");
    buf_done(&der);
    assert_unreadable(VIEW_EMPTY, &request, ERR_SYNTAX, "no CMS SignedData");
    assert_unreadable(view_of_text("<html>"), &request, ERR_SYNTAX, "no CMS SignedData");
    // The request itself: its signer is not the server.
    assert_unreadable(buf_view(&request.der), &request, ERR_BAD_MESSAGE_CHECK,
                      "that GetCACert does not have");
    phone_request_done(&request);
}

static void test_success_without_envelope(void **state)
{
    (void)state;
    struct phone_request_plan plan = plan_of("x");
    struct phone_request request = make(&plan);
    const struct kit_message contents[] = {
        {.is_content_omitted = true},
        {.content = view_of("no CMS", 6)},
        {.envelope = {.recipients = {fixture.other}, .plain = view_of("x", 1)}},
        {.envelope = {.recipients = {request.signer}, .plain = view_of("no certificates", 15)}},
    };
    static const struct {
        enum err_code code;
        const char *said;
    } expected[] = {
        {ERR_SYNTAX, "without exactly one EnvelopedData"},
        {ERR_SYNTAX, "without exactly one EnvelopedData"},
        {ERR_BAD_REQUEST, "not encrypted for"},
        {ERR_SYNTAX, "the envelope holds: 15 octets that are no PKCS#7"},
    };
    for (size_t i = 0; i < sizeof contents / sizeof contents[0]; i++) {
        struct kit_message message = contents[i];
        message.key = kit_key(KEY_RA);
        message.signer = fixture.ra;
        message.message_type.data = "3";
        message.pki_status.data = "0";
        struct buf der = kit_message_der(&message);
        assert_unreadable(buf_view(&der), &request, expected[i].code, expected[i].said);
        buf_done(&der);
    }
    phone_request_done(&request);
}

// Every octet is under the signature, so no change goes unseen but in what is not signed: the
// version and the list of enclosed certificates.
static void test_damaged(void **state)
{
    (void)state;
    struct phone_request_plan plan = plan_of("x");
    struct phone_request request = make(&plan);
    struct certrep certrep = answer_to(&request, CERTREP_FAILURE);
    certrep.fail_info_text = "text";
    struct buf der = encode(&certrep, fixture.ra, KEY_RA);
    for (size_t at = 0; at < der.len; at += 3) {
        struct phone_reply reply = {0};
        der.data[at] ^= 0x04;
        if (phone_reply_read(buf_view(&der), &request, fixture.certs, &reply, NULL) == ERR_OK) {
            assert_int_equal(reply.status, CERTREP_FAILURE);
            assert_true(reply.is_transaction_ours && reply.is_nonce_echoed);
        }
        phone_reply_done(&reply);
        der.data[at] ^= 0x04;
        assert_true(phone_reply_read(view_of(der.data, at), &request, fixture.certs, &reply,
                                     NULL) != ERR_OK);
    }
    buf_done(&der);
    phone_request_done(&request);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request_with_challenge),
        cmocka_unit_test(test_requests_differ),
        cmocka_unit_test(test_request_by_mic),
        cmocka_unit_test(test_challenge_types),
        cmocka_unit_test(test_requests_that_cannot_be),
        cmocka_unit_test(test_success),
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_pending_by_the_ca),
        cmocka_unit_test(test_broken_rules),
        cmocka_unit_test(test_signed_by_others),
        cmocka_unit_test(test_encrypted_for_others),
        cmocka_unit_test(test_no_certrep),
        cmocka_unit_test(test_success_without_envelope),
        cmocka_unit_test(test_damaged),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
