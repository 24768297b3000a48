// SPDX-License-Identifier: Apache-2.0
#include "tests/phone/exchange.h"

#include <stdio.h>
#include <stdlib.h>

struct reply_rules exchange_rules(const struct session *session, const struct request *request)
{
    return (struct reply_rules){.authority = &session->authority,
                                .request = request,
                                .is_legacy = session->options->is_legacy};
}

enum outcome exchange_read(const struct http_answer *answer, const struct reply_rules *rules,
                           struct reply *ret_reply, struct trouble *trouble)
{
    CLEANUP(reply_done) struct reply reply = {0};
    enum outcome outcome = reply_read(answer, rules, &reply, trouble);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    if (reply.status == PKI_STATUS_FAILURE) {
        return trouble_set(trouble, OUTCOME_REFUSED, "refused: failInfo %d (%s)%s%s",
                           reply.fail_info, fail_info_name(reply.fail_info),
                           reply.fail_info_text[0] != '\0' ? ": " : "", reply.fail_info_text);
    }
    if (reply.status == PKI_STATUS_PENDING) {
        return trouble_set(trouble, OUTCOME_PENDING, "not decided yet (PENDING)");
    }
    *ret_reply = reply;
    reply = (struct reply){0};
    return OUTCOME_OK;
}

enum outcome exchange(const struct session *session, const struct reply_rules *rules,
                      struct reply *ret_reply, struct trouble *trouble)
{
    CLEANUP(http_answer_done) struct http_answer answer = {0};
    session_send(session, &rules->request->der, 1, 1, &answer);
    return exchange_read(&answer, rules, ret_reply, trouble);
}

// Every answer must carry the same certificate.
static enum outcome take_answer(const struct http_answer *answer, const struct reply_rules *rules,
                                X509 **cert, struct trouble *trouble)
{
    CLEANUP(reply_done) struct reply reply = {0};
    enum outcome outcome = exchange_read(answer, rules, &reply, trouble);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    if (*cert == NULL) {
        *cert = reply.cert;
        reply.cert = NULL;
    } else if (X509_cmp(*cert, reply.cert) != 0) {
        return trouble_set(trouble, OUTCOME_UNTRUSTED,
                           "the same request was answered with two certificates");
    }
    return OUTCOME_OK;
}

static enum outcome send_at_once(const struct session *session, const struct reply_rules *rules,
                                 size_t count, X509 **cert, struct trouble *trouble)
{
    struct octets *messages = calloc(count, sizeof *messages);
    struct http_answer *answers = calloc(count, sizeof *answers);
    require(messages != NULL && answers != NULL, "getting memory");
    for (size_t i = 0; i < count; i++) {
        messages[i] = rules->request->der; // borrowed
    }
    session_send(session, messages, count, count, answers);
    enum outcome outcome = OUTCOME_OK;
    for (size_t i = 0; i < count; i++) {
        if (outcome == OUTCOME_OK) {
            outcome = take_answer(&answers[i], rules, cert, trouble);
        }
        http_answer_done(&answers[i]);
    }
    free(answers);
    free(messages);
    return outcome;
}

enum outcome exchange_enroll(const struct session *session, const struct request *request,
                             X509 **ret_cert, struct trouble *trouble)
{
    const struct options *options = session->options;
    const struct reply_rules rules = exchange_rules(session, request);
    size_t at_once = options->parallel > 0 ? options->parallel : 1;
    CLEANUP(cleanup_X509_free) X509 *cert = NULL;
    enum outcome outcome = send_at_once(session, &rules, at_once, &cert, trouble);
    for (size_t i = 0; outcome == OUTCOME_OK && i < options->repeat; i++) {
        outcome = send_at_once(session, &rules, 1, &cert, trouble);
    }
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    if (at_once + options->repeat > 1) {
        printf("sent %zu times in all: the same certificate each time\n",
               at_once + options->repeat);
    }
    *ret_cert = cert;
    cert = NULL;
    return OUTCOME_OK;
}
