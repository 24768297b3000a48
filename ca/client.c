// SPDX-License-Identifier: Apache-2.0
// The questions that the RA asks of scepd-ca. Their connection is ca/link.
#include "ca/client.h"

#include <stdlib.h>

#include "ca/link.h"

#define MS_PER_SEC 1000
// Octets of the longest answer that is neither a certificate nor a CRL; a sealed CRL holds one.
#define ANSWER_LEN_MAX (LIMIT_CRL_LEN + FRAME_MAX_LEN)

struct ca_client {
    struct link *link;
};

DEFINE_CLEANUP(struct crl_part *, free);

enum err_code ca_client_new(const char *socket_path, struct ca_client **ret_client, struct err *err)
{
    struct ca_client *client = calloc(1, sizeof *client);
    if (client == NULL) {
        return err_set(err, ERR_NOMEM, "no memory for a CA client");
    }
    enum err_code code =
        link_new(socket_path, CA_ANSWER_TIMEOUT_SEC * MS_PER_SEC, &client->link, err);
    if (code != ERR_OK) {
        free(client);
        return code;
    }
    *ret_client = client;
    return ERR_OK;
}

void ca_client_free(struct ca_client *client)
{
    if (client != NULL) {
        link_free(client->link);
        free(client);
    }
}

void ca_client_set_timeout(struct ca_client *client, uint32_t timeout_ms)
{
    link_set_timeout(client->link, timeout_ms);
}

static enum err_code refuse_answer(struct ca_client *client, enum frame_type type, struct err *err)
{
    link_drop(client->link);
    return err_set(err, ERR_PROTOCOL, "the CA answered with a frame of type %d", (int)type);
}

// What an answer means that is not the one wished for.
static enum err_code take_refusal(struct ca_client *client, const struct frame *answer,
                                  struct err *err)
{
    if (answer->type != FRAME_REFUSED) {
        return refuse_answer(client, answer->type, err);
    }
    return err_set(err, answer->refusal, "%.*s", (int)answer->refusal_text.len,
                   (const char *)answer->refusal_text.data);
}

static enum err_code append_part(const struct frame *answer, size_t max_len, struct buf *result,
                                 struct err *err)
{
    if (answer->type != FRAME_RESULT) {
        return err_set(err, ERR_PROTOCOL, "the CA's answer ends with a frame of type %d",
                       (int)answer->type);
    }
    if (answer->octets.len > max_len - result->len) {
        return err_set(err, ERR_PROTOCOL, "the CA's answer has more than %zu octets", max_len);
    }
    return buf_append(result, answer->octets, err);
}

// `answer` is the first frame that came; gathers the others.
static enum err_code gather_result(struct ca_client *client, const struct frame *answer,
                                   size_t max_len, struct buf *ret_result, struct err *err)
{
    if (answer->type != FRAME_RESULT) {
        return take_refusal(client, answer, err);
    }
    CLEANUP(buf_wipe) struct buf result = {0};
    enum err_code code = append_part(answer, max_len, &result, err);
    while (code == ERR_OK && !answer->is_last) {
        code = link_receive(client->link, &answer, err);
        if (code == ERR_OK) {
            code = append_part(answer, max_len, &result, err);
        }
    }
    link_wipe(client->link);
    if (code != ERR_OK) {
        link_drop(client->link); // the rest of the answer may still come
        return code;
    }
    *ret_result = result;
    result = (struct buf){0};
    return ERR_OK;
}

// Asks a question whose answer is octets, at most `max_len` of them; wipes the question.
static enum err_code ask_for_result(struct ca_client *client, struct buf *question, size_t max_len,
                                    struct buf *ret_result, struct err *err)
{
    const struct frame *answer = NULL;
    enum err_code code = link_ask(client->link, buf_view(question), false, &answer, err);
    buf_wipe(question); // a PKCS#10 in it may hold a challenge
    return code == ERR_OK ? gather_result(client, answer, max_len, ret_result, err) : code;
}

enum err_code ca_client_issue(struct ca_client *client, const struct issue_order *order,
                              struct buf *ret_certificate, struct err *err)
{
    struct buf question = {0};
    enum err_code code = frame_put_issue(order, &question, err);
    if (code != ERR_OK) {
        return code;
    }
    return ask_for_result(client, &question, LIMIT_CERT_LEN, ret_certificate, err);
}

enum err_code ca_client_sign_next_ca(struct ca_client *client, struct view next_ra,
                                     struct buf *ret_answer, struct err *err)
{
    struct buf question = {0};
    enum err_code code = frame_put_octets(FRAME_NEXT_CA, next_ra, &question, err);
    if (code != ERR_OK) {
        return code;
    }
    return ask_for_result(client, &question, ANSWER_LEN_MAX, ret_answer, err);
}

enum err_code ca_client_unwrap(struct ca_client *client, struct view envelope,
                               struct buf *ret_content, struct err *err)
{
    struct buf question = {0};
    enum err_code code = frame_put_octets(FRAME_UNWRAP, envelope, &question, err);
    if (code != ERR_OK) {
        return code;
    }
    return ask_for_result(client, &question, FRAME_MAX_LEN, ret_content, err);
}

// The CA adds its own certificate to the one asked for as its settings say, so only the first of
// `certificates` travels.
enum err_code ca_client_seal(struct ca_client *client, const struct certrep *certrep,
                             struct buf *ret_der, struct err *err)
{
    CLEANUP(buf_done) struct buf recipient = {0};
    if (certrep->recipient != NULL) {
        enum err_code code = ossl_cert_to_der(certrep->recipient, &recipient, err);
        if (code != ERR_OK) {
            return code;
        }
    }
    const struct seal_order order = {
        .status = (uint8_t)certrep->status,
        .transaction_id = certrep->transaction_id,
        .recipient_nonce = certrep->recipient_nonce,
        .digest_nid = (uint32_t)certrep->digest_nid,
        .cipher_nid = (uint32_t)certrep->cipher_nid,
        .recipient = buf_view(&recipient),
        .certificate = certrep->certificate_count > 0 ? certrep->certificates[0] : VIEW_EMPTY,
        .crl = certrep->crl,
        .fail_info = (uint8_t)certrep->fail_info,
        .fail_info_text = view_of_text(certrep->fail_info_text),
    };
    struct buf question = {0};
    enum err_code code = frame_put_seal(&order, &question, err);
    if (code != ERR_OK) {
        return code;
    }
    return ask_for_result(client, &question, ANSWER_LEN_MAX, ret_der, err);
}

// Sends the part that begins with entry `from`, and has its answer.
static enum err_code ask_crl_part(struct ca_client *client, const struct crl_order *order,
                                  size_t from, const struct frame **ret_answer, struct err *err)
{
    CLEANUP(cleanup_free) struct crl_part *part = malloc(sizeof *part);
    if (part == NULL) {
        return err_set(err, ERR_NOMEM, "no memory for a part of a CRL");
    }
    size_t left = order->count - from;
    part->issuer = order->issuer;
    part->number = order->number;
    part->is_last = left <= FRAME_CRL_CHUNK;
    part->count = (uint32_t)(part->is_last ? left : FRAME_CRL_CHUNK);
    for (uint32_t i = 0; i < part->count; i++) {
        part->entries[i] = order->entries[from + i];
    }
    CLEANUP(buf_done) struct buf question = {0};
    enum err_code code = frame_put_crl(part, &question, err);
    if (code != ERR_OK) {
        return code;
    }
    return link_ask(client->link, buf_view(&question), from > 0, ret_answer, err);
}

static enum err_code ask_crl(struct ca_client *client, const struct crl_order *order,
                             struct buf *ret_crl, struct err *err)
{
    const struct frame *answer = NULL;
    size_t from = 0;
    enum err_code code = ask_crl_part(client, order, from, &answer, err);
    while (code == ERR_OK && order->count - from > FRAME_CRL_CHUNK) {
        if (answer->type != FRAME_PONG) {
            return take_refusal(client, answer, err);
        }
        from += FRAME_CRL_CHUNK;
        code = ask_crl_part(client, order, from, &answer, err);
    }
    return code == ERR_OK ? gather_result(client, answer, LIMIT_CRL_LEN, ret_crl, err) : code;
}

enum err_code ca_client_sign_crl(struct ca_client *client, const struct crl_order *order,
                                 struct buf *ret_crl, struct err *err)
{
    if (order->count > LIMIT_CRL_ENTRIES) {
        return err_set(err, ERR_LIMIT, "%zu entries in a CRL; allowed: %d", order->count,
                       LIMIT_CRL_ENTRIES);
    }
    enum err_code code = ask_crl(client, order, ret_crl, err);
    if (code != ERR_OK) {
        link_drop(client->link); // the CA may hold parts that nothing will follow
    }
    return code;
}

// A question that is answered by the state of the CAs.
static enum err_code ask_for_state(struct ca_client *client, struct view question,
                                   struct ca_state *ret_state, struct err *err)
{
    const struct frame *answer = NULL;
    enum err_code code = link_ask(client->link, question, false, &answer, err);
    if (code != ERR_OK) {
        return code;
    }
    if (answer->type != FRAME_PONG) {
        return take_refusal(client, answer, err);
    }
    if (ret_state != NULL) {
        *ret_state = answer->state;
    }
    return ERR_OK;
}

enum err_code ca_client_ping(struct ca_client *client, struct ca_state *ret_state, struct err *err)
{
    CLEANUP(buf_done) struct buf question = {0};
    enum err_code code = frame_put_ping(&question, err);
    return code == ERR_OK ? ask_for_state(client, buf_view(&question), ret_state, err) : code;
}

enum err_code ca_client_reload(struct ca_client *client, struct err *err)
{
    CLEANUP(buf_done) struct buf question = {0};
    enum err_code code = frame_put_reload(&question, err);
    return code == ERR_OK ? ask_for_state(client, buf_view(&question), NULL, err) : code;
}
