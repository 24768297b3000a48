// SPDX-License-Identifier: Apache-2.0
// The answer to a request, as a phone sees it.
#include "server/phone/judge.h"
#include "server/phone/words.h"

#define STEP_ANSWER "answer"

#define TEXT_SHOWN FAIL_INFO_TEXT_LEN // octets of a failInfoText that are shown

static void judge_rules(const struct judge *judge, const struct phone_reply *reply)
{
    const struct {
        bool is_kept;
        enum finding_level level;
        const char *seen;
        const char *phone;
    } rules[] = {
        {reply->is_message_type_right, FINDING_PROBLEM, "messageType is not 3 (CertRep)",
         "A phone does not take it for an answer."},
        {reply->is_transaction_ours, FINDING_PROBLEM, "transactionID is not the request's",
         "A phone takes it for the answer to somebody else."},
        {reply->is_nonce_echoed, FINDING_PROBLEM, "recipientNonce is not the request's senderNonce",
         "RFC 8894 has clients drop such an answer: it may be an old one."},
        {reply->has_sender_nonce, FINDING_WARNING, "no senderNonce of 16 octets",
         "RFC 8894 demands it; few clients look."},
    };
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        if (!rules[i].is_kept) {
            findings_add(judge->findings, rules[i].level, STEP_ANSWER, "answer: %s", rules[i].seen);
            findings_explain(judge->findings, "%s", rules[i].phone);
        }
    }
}

// Cisco's clients are known to refuse what they did not ask with.
static void judge_algorithms(const struct judge *judge, const struct phone_request *request,
                             const struct phone_reply *reply)
{
    if (reply->digest_nid != request->digest_nid) {
        findings_add(judge->findings, judge_weak(judge), STEP_ANSWER,
                     "answer: signed with %s, asked with %s", OBJ_nid2sn(reply->digest_nid),
                     OBJ_nid2sn(request->digest_nid));
        findings_explain(judge->findings, "Cisco's clients are known to refuse answers with "
                                          "other algorithms than they asked with.");
    }
    if (reply->status == CERTREP_SUCCESS && reply->cipher_nid != request->cipher_nid) {
        findings_add(judge->findings, judge_weak(judge), STEP_ANSWER,
                     "answer: encrypted with %s, asked with %s", OBJ_nid2sn(reply->cipher_nid),
                     OBJ_nid2sn(request->cipher_nid));
        findings_explain(judge->findings, "Cisco's clients are known to refuse answers with a "
                                          "cipher that they do not have; in FIPS mode no phone "
                                          "has DES.");
    }
}

// What a refusal means, by failInfo and by how the phone proves who it is.
static const char *explain_failure(int fail_info, bool is_by_mic)
{
    switch (fail_info) {
    case FAIL_INFO_BAD_ALG:
        return "The server does not take the algorithms or the key of the request. A phone asks "
               "again later with the same ones.";
    case FAIL_INFO_BAD_MESSAGE_CHECK:
        return "The server could not verify the request's signature. Something on the way changes "
               "messages, or the server does not know this kind of signer.";
    case FAIL_INFO_BAD_TIME:
        return "The server finds a time wrong: the clock here or there, or the signer's "
               "certificate has expired.";
    case FAIL_INFO_BAD_CERT_ID:
        return "The server does not know the certificate that the request stands on.";
    default:
        break;
    }
    return is_by_mic ? "The server does not take this manufacturer's certificate, this phone or "
                       "this common name; its log says which. A phone asks again later."
                     : "The challenge is wrong, used or expired, or the name is not allowed; the "
                       "server's log says which. A phone whose challenge fails shows an input "
                       "screen, and its user types the password.";
}

static void judge_failure(const struct judge *judge, const struct phone_reply *reply,
                          bool is_by_mic)
{
    const struct buf *text = &reply->fail_info_text;
    bool has_text = text->len > 0;
    int len = (int)(text->len < TEXT_SHOWN ? text->len : TEXT_SHOWN);
    if (reply->fail_info == PHONE_NO_FAIL_INFO) {
        findings_add(judge->findings, FINDING_PROBLEM, STEP_ANSWER,
                     "answer: FAILURE without a failInfo of 0 to 4");
        findings_explain(judge->findings, "The server says no and not why; several clients take "
                                          "this for a broken answer.");
        return;
    }
    findings_add(judge->findings, FINDING_PROBLEM, STEP_ANSWER,
                 "answer: FAILURE, failInfo %d (%s)%s%.*s%s", reply->fail_info,
                 fail_info_name((enum fail_info)reply->fail_info), has_text ? ": \"" : "", len,
                 has_text ? (const char *)text->data : "", has_text ? "\"" : "");
    findings_explain(judge->findings, "%s", explain_failure(reply->fail_info, is_by_mic));
}

static void judge_success(const struct judge *judge, const struct phone_reply *reply)
{
    char name[WORDS_NAME_LEN];
    int count = sk_X509_num(reply->certs);
    findings_add(judge->findings, FINDING_OK, STEP_ANSWER,
                 "answer: SUCCESS, %d certificate%s, encrypted with %s, signed with %s by \"%s\"",
                 count, count == 1 ? "" : "s", OBJ_nid2sn(reply->cipher_nid),
                 OBJ_nid2sn(reply->digest_nid),
                 words_name(X509_get_subject_name(reply->signer), name));
}

void judge_reply(const struct judge *judge, const struct phone_request *request,
                 const struct phone_reply *reply, bool is_by_mic)
{
    judge_rules(judge, reply);
    judge_algorithms(judge, request, reply);
    switch (reply->status) {
    case CERTREP_SUCCESS:
        judge_success(judge, reply);
        break;
    case CERTREP_PENDING:
        findings_add(judge->findings, FINDING_WARNING, STEP_ANSWER,
                     "answer: PENDING, somebody must approve the request");
        findings_explain(judge->findings, "A phone has to ask again; how often phones do that is "
                                          "not documented. This trial does not wait, and its key "
                                          "is gone: deny the request on the server.");
        break;
    case CERTREP_FAILURE:
        judge_failure(judge, reply, is_by_mic);
        break;
    }
}
