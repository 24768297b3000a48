// SPDX-License-Identifier: Apache-2.0
// What a phone reads in an answer, and what tests expect of it and of the report.
#pragma once

#include "conf/cms/oids.h"
#include "server/enroll_kit.h"

#define GOOD_ID     "KIT-TRANSACTION"  // kit_message_der()'s transactionID
#define GOOD_NONCE  "0123456789abcdef" // and its senderNonce
#define NONCE_LEN   16
#define ONLY_ONE    (-3)
#define REPLY_CERTS 1 // scep.reply_chain is off

struct answer {
    enum enroll_outcome outcome;
    struct enroll_report report;
    unsigned again_count;
    // Of the CertRep, if there is one.
    char status[2];
    char fail_info[2];
    char text[FAIL_INFO_TEXT_LEN + 1]; // "" = no failInfoText
    X509 *cert;                        // NULL unless it is a SUCCESS with a certificate
    X509_CRL *crl;                     // NULL unless it is a SUCCESS with a CRL
};

static inline void answer_done(struct answer *answer)
{
    X509_free(answer->cert);
    X509_CRL_free(answer->crl);
    buf_done(&answer->report.transaction_id);
}

static inline struct view attribute_of(CMS_SignerInfo *signer, const char *oid, int type)
{
    ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    const void *value = CMS_signed_get0_data_by_OBJ(signer, object, ONLY_ONE, type);
    ASN1_OBJECT_free(object);
    return ossl_string_view(value);
}

static inline void copy_text(struct view text, char *ret_text, size_t size)
{
    assert_true(text.len < size);
    snprintf(ret_text, size, "%.*s", (int)text.len, text.len > 0 ? (const char *)text.data : "");
}

// By the key of whom the request was encrypted to.
static inline void verify(const struct bench *bench, const struct kit_message *asked,
                          CMS_ContentInfo *info)
{
    STACK_OF(X509) *certs = sk_X509_new_null();
    bool is_ours = false;
    const struct credentials *credentials = bench->policy->credentials;
    for (unsigned i = 0; i < credentials->recipient_count; i++) {
        const struct recipient *recipient = &credentials->recipients[i];
        EVP_PKEY *key = X509_get0_pubkey(recipient->cert);
        bool opens = recipient->until == 0 || bench->now < recipient->until;
        is_ours = is_ours || (opens && EVP_PKEY_eq(key, X509_get0_pubkey(asked->ra)) == 1);
    }
    sk_X509_push(certs, is_ours ? asked->ra : credentials_ra(credentials)->cert);
    BIO *nothing = *CMS_get0_content(info) == NULL ? BIO_new_mem_buf("", 0) : NULL;
    assert_int_equal(CMS_verify(info, certs, NULL, nothing, NULL,
                                CMS_NO_SIGNER_CERT_VERIFY | CMS_NOINTERN | CMS_BINARY),
                     1);
    BIO_free(nothing);
    sk_X509_free(certs);
}

// What is in the envelope, opened with the key of the message's signer: one certificate, or one
// CRL and nothing else.
static inline void open_reply(CMS_ContentInfo *info, const struct kit_message *asked,
                              struct answer *answer)
{
    struct buf plain = {0};
    struct view content = ossl_string_view(*CMS_get0_content(info));
    const unsigned char *end = content.data;
    CMS_ContentInfo *envelope = d2i_CMS_ContentInfo(NULL, &end, (long)content.len);
    BIO *out = BIO_new(BIO_s_mem());
    assert_int_equal(CMS_decrypt(envelope, asked->key, asked->signer, NULL, out, CMS_BINARY), 1);
    assert_int_equal(ossl_bio_to_buf(out, &plain, NULL), ERR_OK);
    end = plain.data;
    CMS_ContentInfo *bundle = d2i_CMS_ContentInfo(NULL, &end, (long)plain.len);
    STACK_OF(X509) *certs = CMS_get1_certs(bundle);
    STACK_OF(X509_CRL) *crls = CMS_get1_crls(bundle);
    answer->crl = crls != NULL ? sk_X509_CRL_pop(crls) : NULL;
    assert_int_equal(certs != NULL ? sk_X509_num(certs) : 0, answer->crl != NULL ? 0 : REPLY_CERTS);
    answer->cert = certs != NULL ? sk_X509_pop(certs) : NULL;
    sk_X509_CRL_pop_free(crls, X509_CRL_free);
    free_cert_stack(certs);
    CMS_ContentInfo_free(bundle);
    BIO_free(out);
    CMS_ContentInfo_free(envelope);
    buf_done(&plain);
}

static inline void read_reply(const struct bench *bench, const struct kit_message *asked,
                              struct view reply, struct answer *answer)
{
    const unsigned char *end = reply.data;
    const char *id = asked->transaction_id.data;
    const char *nonce = asked->sender_nonce.data;
    CMS_ContentInfo *info = d2i_CMS_ContentInfo(NULL, &end, (long)reply.len);
    assert_non_null(info);
    assert_ptr_equal(end, reply.data + reply.len);
    verify(bench, asked, info);
    CMS_SignerInfo *signer = sk_CMS_SignerInfo_value(CMS_get0_SignerInfos(info), 0);
    const int printable = V_ASN1_PRINTABLESTRING;
    assert_true(view_is_text(attribute_of(signer, OID_MESSAGE_TYPE, printable), "3"));
    assert_true(view_is_text(attribute_of(signer, OID_TRANSACTION_ID, printable),
                             id != NULL ? id : GOOD_ID));
    assert_true(view_is_text(attribute_of(signer, OID_RECIPIENT_NONCE, V_ASN1_OCTET_STRING),
                             nonce != NULL ? nonce : GOOD_NONCE));
    assert_int_equal(attribute_of(signer, OID_SENDER_NONCE, V_ASN1_OCTET_STRING).len, NONCE_LEN);
    copy_text(attribute_of(signer, OID_PKI_STATUS, printable), answer->status,
              sizeof answer->status);
    copy_text(attribute_of(signer, OID_FAIL_INFO, printable), answer->fail_info,
              sizeof answer->fail_info);
    copy_text(attribute_of(signer, OID_FAIL_INFO_TEXT, V_ASN1_UTF8STRING), answer->text,
              sizeof answer->text);
    if (strcmp(answer->status, "0") == 0) {
        open_reply(info, asked, answer);
    } else {
        assert_null(*CMS_get0_content(info));
    }
    CMS_ContentInfo_free(info);
}

// Takes the answer out of a run. `asked` says how the message was made. Main thread.
static inline struct answer answer_of(const struct bench *bench, const struct kit_message *asked,
                                      struct run *run)
{
    struct enroll_job *job = &run->job;
    struct answer answer = {
        .outcome = job->outcome, .report = job->report, .again_count = run->again_count};
    job->report.transaction_id = (struct buf){0};
    if (job->outcome == ENROLL_REPLY) {
        read_reply(bench, asked, buf_view(&job->reply), &answer);
    } else {
        assert_int_equal(job->reply.len, 0);
    }
    enroll_job_done(job);
    return answer;
}

// Octets that were made from `asked`, answered.
static inline struct answer send_octets(struct bench *bench, const struct kit_message *asked,
                                        const struct buf *octets)
{
    struct run run;
    run_message(bench, bench->ca, buf_view(octets), &run);
    return answer_of(bench, asked, &run);
}

static inline struct answer send_message(struct bench *bench, const struct kit_message *message)
{
    struct buf octets = kit_message_der(message);
    struct answer answer = send_octets(bench, message, &octets);
    buf_done(&octets);
    return answer;
}

static inline struct answer send_ask(struct bench *bench, const struct ask *ask)
{
    struct buf csr = csr_of(bench, ask);
    struct kit_message message = message_of(bench, ask, buf_view(&csr));
    struct answer answer = send_message(bench, &message);
    buf_done(&csr);
    return answer;
}

// ---- expecting ----

static inline void expect_success(const struct answer *answer, const char *decision,
                                  const char *reason)
{
    assert_int_equal(answer->outcome, ENROLL_REPLY);
    assert_string_equal(answer->report.reason, reason);
    assert_string_equal(answer->report.decision, decision);
    assert_string_equal(answer->status, "0");
    assert_string_equal(answer->fail_info, "");
    assert_string_equal(answer->text, "");
    assert_null(answer->report.fail_info);
    assert_null(answer->report.alarm);
    assert_int_equal(answer->report.level, LOG_LEVEL_INFO);
    struct view serial = ossl_string_view(X509_get0_serialNumber(answer->cert));
    assert_true(answer->report.has_serial);
    assert_true(view_equal(serial, view_of(answer->report.serial, SERIAL_LEN)));
}

// PENDING has nothing in it.
static inline void expect_pending(const struct answer *answer, const char *reason)
{
    assert_int_equal(answer->outcome, ENROLL_REPLY);
    assert_string_equal(answer->report.reason, reason);
    assert_string_equal(answer->report.decision, "pending");
    assert_string_equal(answer->status, "3");
    assert_string_equal(answer->fail_info, "");
    assert_string_equal(answer->text, "");
    assert_int_equal(strlen(answer->report.pending_id), PENDING_ID_LEN - 1);
    assert_null(answer->report.fail_info);
    assert_false(answer->report.has_serial);
    assert_int_equal(answer->report.level, LOG_LEVEL_INFO);
}

struct expected_refusal {
    const char *fail_info; // NULL = "badRequest"
    const char *text;      // failInfoText; NULL = none
    const char *reason;
    bool is_reason_longer; // what OpenSSL says comes after it
    enum challenge_state challenge;
    const char *alarm;
};

// RFC 8894, 3.2.1.4.
static inline const char *fail_info_digit(const char *name)
{
    static const struct {
        const char *name;
        const char *digit;
    } all[] = {{"badAlg", "0"},
               {"badMessageCheck", "1"},
               {"badRequest", "2"},
               {"badTime", "3"},
               {"badCertId", "4"}};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (strcmp(all[i].name, name) == 0) {
            return all[i].digit;
        }
    }
    return "none";
}

static inline void expect_refusal(const struct answer *answer,
                                  const struct expected_refusal *expected)
{
    const struct enroll_report *report = &answer->report;
    const char *name = expected->fail_info != NULL ? expected->fail_info : "badRequest";
    assert_int_equal(answer->outcome, ENROLL_REPLY);
    if (expected->is_reason_longer) {
        assert_memory_equal(report->reason, expected->reason, strlen(expected->reason));
    } else {
        assert_string_equal(report->reason, expected->reason);
    }
    assert_string_equal(report->decision, "refuse");
    assert_string_equal(report->fail_info, name);
    assert_string_equal(answer->fail_info, fail_info_digit(name));
    assert_string_equal(answer->status, "2");
    assert_string_equal(answer->text, expected->text != NULL ? expected->text : "");
    assert_string_equal(challenge_state_name(report->challenge),
                        challenge_state_name(expected->challenge));
    if (expected->alarm != NULL) {
        assert_non_null(report->alarm);
        assert_string_equal(report->alarm, expected->alarm);
    } else {
        assert_null(report->alarm);
    }
    assert_int_equal(report->level, expected->alarm != NULL ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO);
    assert_false(report->has_serial);
}

// The record of the certificate in an answer. Done with store_certificate_done().
static inline struct store_certificate stored_of(const struct bench *bench,
                                                 const struct answer *answer)
{
    struct store_certificate stored = {0};
    assert_true(answer->report.has_serial);
    assert_int_equal(store_find_serial(bench->store, answer->report.serial, &stored, NULL), ERR_OK);
    return stored;
}

static inline void expect_subject(const struct answer *answer, const char *common_name)
{
    char text[LIMIT_NAME_VALUE + 1] = "";
    X509_NAME_get_text_by_NID(X509_get_subject_name(answer->cert), NID_commonName, text,
                              sizeof text);
    assert_string_equal(text, common_name);
    assert_string_equal(answer->report.common_name, common_name);
}

// A refusal that an administrator is shown as somebody trying another's challenge.
#define ALARM_CHALLENGE "challenge presented for another request or device"
#define ALARM_ENVELOPE  "the same envelope came from another signer"
