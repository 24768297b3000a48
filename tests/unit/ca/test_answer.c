// SPDX-License-Identifier: Apache-2.0
// What scepd-ca answers to each question, what ends a connection, and what it logs.
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "ca/answer.h"
#include "ca/ceremony.h"
#include "conf/base/file.h"
#include "conf/base/log.h"
#include "conf/cert_file.h"
#include "conf/cms/certrep.h"
#include "fixture.h"

#define SECOND      1000000 // microseconds
#define LOG_LEN_MAX 100000

struct desk {
    struct fixture fixture;
    struct answer_gate gate;
    struct answerer *answerer;
    int64_t monotonic_us;
};

static struct frame frame; // what was answered; large

// A CA that may answer SCEP itself, made once.
static struct ceremony_result direct_ca;

static void use_direct_ca(struct fixture *fixture)
{
    free(fixture->cert_path);
    free(fixture->key_path);
    X509_free(fixture->cert);
    fixture->cert_path = kit_write(fixture->folder, "own.pem", buf_view(&direct_ca.ca_certificate));
    fixture->key_path = kit_write(fixture->folder, "own.key", buf_view(&direct_ca.ca_key));
    fixture->settings.ca.certificate = fixture->cert_path;
    fixture->settings.ca.key = fixture->key_path;
    fixture->settings.scep.topology = SETTINGS_TOPOLOGY_DIRECT;
    fixture->settings.ca.direct_per_sec = 2;
    struct err err = {0};
    char name[GENERATION_NAME_LEN];
    assert_ok(cert_file_read(fixture->cert_path, &fixture->cert, &err), &err);
    identify(fixture->cert, fixture->id, name);
}

static void desk_open(struct desk *desk, bool is_direct)
{
    *desk = (struct desk){.gate = {.lock = PTHREAD_MUTEX_INITIALIZER}, .monotonic_us = SECOND};
    fixture_init(&desk->fixture, NULL, CA_DAYS);
    if (is_direct) {
        use_direct_ca(&desk->fixture);
    }
    struct err err = {0};
    assert_ok(answerer_new(&desk->gate, &desk->answerer, &err), &err);
}

static void desk_close(struct desk *desk)
{
    answerer_free(desk->answerer);
    fixture_done(&desk->fixture);
}

// Asks and consumes the question.
static enum err_code ask(struct desk *desk, struct buf *take_question, struct answer *ret_answer,
                         struct err *err)
{
    const struct answer_time time = {.now = KIT_NOW, .monotonic_us = desk->monotonic_us};
    enum err_code code = answer_question(desk->answerer, desk->fixture.authorities,
                                         buf_view(take_question), &time, ret_answer, err);
    buf_done(take_question);
    return code;
}

static struct buf expect_result(struct desk *desk, struct buf *take_question)
{
    struct answer answer = {0};
    struct err err = {0};
    assert_ok(ask(desk, take_question, &answer, &err), &err);
    if (!answer.is_result) {
        assert_ok(frame_get(buf_view(&answer.octets), &frame, &err), &err);
        fail_msg("refused: %.*s", (int)frame.refusal_text.len,
                 (const char *)frame.refusal_text.data);
    }
    return answer.octets;
}

static void expect_frame(struct desk *desk, struct buf *take_question, enum frame_type type)
{
    struct answer answer = {0};
    struct err err = {0};
    assert_ok(ask(desk, take_question, &answer, &err), &err);
    assert_false(answer.is_result);
    assert_ok(frame_get(buf_view(&answer.octets), &frame, &err), &err);
    assert_int_equal(frame.type, type);
    frame.refusal_text = VIEW_EMPTY; // points into what goes now
    buf_done(&answer.octets);
}

static void expect_refusal(struct desk *desk, struct buf *take_question, enum err_code code,
                           const char *text)
{
    struct answer answer = {0};
    struct err err = {0};
    assert_ok(ask(desk, take_question, &answer, &err), &err);
    assert_false(answer.is_result);
    assert_ok(frame_get(buf_view(&answer.octets), &frame, &err), &err);
    assert_int_equal(frame.type, FRAME_REFUSED);
    if (frame.refusal != code ||
        memmem(frame.refusal_text.data, frame.refusal_text.len, text, strlen(text)) == NULL) {
        fail_msg("got %s \"%.*s\", expected %s with \"%s\"", err_name(frame.refusal),
                 (int)frame.refusal_text.len, (const char *)frame.refusal_text.data, err_name(code),
                 text);
    }
    buf_done(&answer.octets);
}

static void expect_end(struct desk *desk, struct buf *take_question, const char *text)
{
    struct answer answer = {0};
    struct err err = {0};
    assert_refused(ask(desk, take_question, &answer, &err), ERR_PROTOCOL, &err, text);
    assert_null(answer.octets.data);
}

static struct buf ping(void)
{
    struct buf question = {0};
    assert_int_equal(frame_put_ping(&question, NULL), ERR_OK);
    return question;
}

static struct buf octets(enum frame_type type, struct view content)
{
    struct buf question = {0};
    assert_int_equal(frame_put_octets(type, content, &question, NULL), ERR_OK);
    return question;
}

static struct buf seal(const struct seal_order *order)
{
    struct buf question = {0};
    assert_int_equal(frame_put_seal(order, &question, NULL), ERR_OK);
    return question;
}

static struct buf crl_part(const uint8_t *issuer, uint64_t number, uint32_t count, bool is_last)
{
    struct crl_part *part = calloc(1, sizeof *part);
    part->issuer = view_of(issuer, SHA256_LEN);
    part->number = number;
    part->count = count;
    part->is_last = is_last;
    for (uint32_t i = 0; i < count; i++) {
        part->entries[i].serial[0] = 1;
        part->entries[i].serial[SERIAL_LEN - 2] = (uint8_t)(i >> 8);
        part->entries[i].serial[SERIAL_LEN - 1] = (uint8_t)i;
        part->entries[i].revoked_at = KIT_NOW;
    }
    struct buf question = {0};
    assert_int_equal(frame_put_crl(part, &question, NULL), ERR_OK);
    free(part);
    return question;
}

static struct buf issue(const struct issue_order *order)
{
    struct buf question = {0};
    assert_int_equal(frame_put_issue(order, &question, NULL), ERR_OK);
    return question;
}

static unsigned entries_of(struct buf *take_der)
{
    const unsigned char *at = take_der->data;
    X509_CRL *crl = d2i_X509_CRL(NULL, &at, (long)take_der->len);
    assert_non_null(crl);
    STACK_OF(X509_REVOKED) *revoked = X509_CRL_get_REVOKED(crl);
    unsigned count = revoked != NULL ? (unsigned)sk_X509_REVOKED_num(revoked) : 0;
    X509_CRL_free(crl);
    buf_done(take_der);
    return count;
}

static void ping_tells_which_cas(void **state)
{
    (void)state;
    struct desk desk;
    desk_open(&desk, false);
    X509 *next = kit_cert(kit_key(NEXT_KEY), NEXT_NAME, NULL, NULL, true, KIT_NOW - 10, CA_DAYS);
    fixture_add_ca(&desk.fixture, next, kit_key(NEXT_KEY), "next");
    fixture_load(&desk.fixture);
    struct buf question = ping();
    expect_frame(&desk, &question, FRAME_PONG);
    uint8_t id[SHA256_LEN];
    char name[GENERATION_NAME_LEN];
    identify(next, id, name);
    assert_memory_equal(frame.state.current, desk.fixture.id, SHA256_LEN);
    assert_true(frame.state.has_next);
    assert_memory_equal(frame.state.next, id, SHA256_LEN);
    assert_int_equal(frame.state.old_count, 0);
    X509_free(next);
    desk_close(&desk);
}

static void issues(void **state)
{
    (void)state;
    struct desk desk;
    desk_open(&desk, false);
    fixture_load(&desk.fixture);
    struct buf csr = kit_csr_der(kit_key(PHONE_KEY), &(struct kit_csr){.common_name = "phone"});
    struct issue_order order = order_for(&csr);
    order.issuer = view_of(desk.fixture.id, SHA256_LEN);
    struct buf question = issue(&order);
    struct buf der = expect_result(&desk, &question);
    X509 *cert = parse_cert(&der);
    assert_verifies(cert, desk.fixture.cert, NULL, KIT_NOW, X509_PURPOSE_SSL_CLIENT);
    X509_free(cert);
    buf_done(&der);

    static const uint8_t unknown[SHA256_LEN] = {1};
    order.issuer = view_of(unknown, sizeof unknown);
    question = issue(&order);
    expect_refusal(&desk, &question, ERR_DENIED, "CA");
    order.issuer = view_of(desk.fixture.id, SHA256_LEN);
    order.csr = view_of_text("garbage");
    question = issue(&order);
    expect_refusal(&desk, &question, ERR_BAD_REQUEST, "PKCS#10");
    buf_done(&csr);
    desk_close(&desk);
}

static void crls(void **state)
{
    (void)state;
    struct desk desk;
    desk_open(&desk, false);
    fixture_load(&desk.fixture);
    const uint8_t *id = desk.fixture.id;
    struct buf question = crl_part(id, 1, 0, true);
    struct buf der = expect_result(&desk, &question);
    assert_int_equal(entries_of(&der), 0);
    question = crl_part(id, 2, 3, true);
    der = expect_result(&desk, &question);
    assert_int_equal(entries_of(&der), 3);

    // In parts, twice: nothing of the first is in the second.
    for (unsigned i = 0; i < 2; i++) {
        question = crl_part(id, 3, FRAME_CRL_CHUNK, false);
        expect_frame(&desk, &question, FRAME_PONG);
        question = crl_part(id, 3, 7, false);
        expect_frame(&desk, &question, FRAME_PONG);
        question = crl_part(id, 3, 0, true);
        der = expect_result(&desk, &question);
        assert_int_equal(entries_of(&der), FRAME_CRL_CHUNK + 7);
    }

    // Another CA is refused, and the connection lives on.
    static const uint8_t unknown[SHA256_LEN] = {1};
    question = crl_part(unknown, 1, 3, true);
    expect_refusal(&desk, &question, ERR_DENIED, "CA");
    question = crl_part(id, 4, 1, true);
    der = expect_result(&desk, &question);
    assert_int_equal(entries_of(&der), 1);
    desk_close(&desk);
}

// Nothing comes between the parts of a CRL, and they agree with each other.
static void broken_crls(void **state)
{
    (void)state;
    static const uint8_t other[SHA256_LEN] = {1};
    enum { OTHER_ISSUER, OTHER_NUMBER, PING, KINDS };
    for (unsigned kind = 0; kind < KINDS; kind++) {
        struct desk desk;
        desk_open(&desk, false);
        fixture_load(&desk.fixture);
        struct buf question = crl_part(desk.fixture.id, 5, 2, false);
        expect_frame(&desk, &question, FRAME_PONG);
        if (kind == PING) {
            question = ping();
            expect_end(&desk, &question, "a frame of type 4 between the parts of a CRL");
        } else {
            question = kind == OTHER_ISSUER ? crl_part(other, 5, 2, true)
                                            : crl_part(desk.fixture.id, 6, 2, true);
            expect_end(&desk, &question, "parts of two CRLs");
        }
        desk_close(&desk);
    }
}

static void crl_is_bounded(void **state)
{
    (void)state;
    struct desk desk;
    desk_open(&desk, false);
    fixture_load(&desk.fixture);
    struct buf part = crl_part(desk.fixture.id, 1, FRAME_CRL_CHUNK, false);
    for (unsigned i = 0; i < LIMIT_CRL_ENTRIES / FRAME_CRL_CHUNK; i++) {
        struct buf question = {0};
        assert_int_equal(buf_copy(buf_view(&part), &question, NULL), ERR_OK);
        expect_frame(&desk, &question, FRAME_PONG);
    }
    expect_end(&desk, &part, "more than 200000 entries");
    desk_close(&desk);
}

static void no_questions(void **state)
{
    (void)state;
    struct desk desk;
    desk_open(&desk, false);
    fixture_load(&desk.fixture);
    struct buf question = {0};
    assert_int_equal(frame_put_result(view_of_text("x"), true, &question, NULL), ERR_OK);
    expect_end(&desk, &question, "type 2, which is no question");
    assert_int_equal(frame_put_pong(&(struct ca_state){0}, &question, NULL), ERR_OK);
    expect_end(&desk, &question, "type 5, which is no question");
    assert_int_equal(frame_put_refused(&(struct err){.code = ERR_DENIED}, &question, NULL), ERR_OK);
    expect_end(&desk, &question, "type 3, which is no question");
    assert_int_equal(buf_append(&question, view_of_text("garbage"), NULL), ERR_OK);
    expect_end(&desk, &question, "version");
    desk_close(&desk);
}

static void next_ca(void **state)
{
    (void)state;
    struct desk desk;
    desk_open(&desk, false);
    fixture_load(&desk.fixture);
    struct buf question = octets(FRAME_NEXT_CA, VIEW_EMPTY);
    expect_refusal(&desk, &question, ERR_NOT_FOUND, "next");
    X509 *next = kit_cert(kit_key(NEXT_KEY), NEXT_NAME, NULL, NULL, true, KIT_NOW - 10, CA_DAYS);
    fixture_add_ca(&desk.fixture, next, kit_key(NEXT_KEY), "next");
    fixture_load(&desk.fixture);
    question = octets(FRAME_NEXT_CA, VIEW_EMPTY);
    struct buf der = expect_result(&desk, &question);
    assert_true(der.len > 0);
    buf_done(&der);
    X509_free(next);
    desk_close(&desk);
}

static struct buf envelope_for(X509 *recipient, const char *text)
{
    BIO *content = BIO_new_mem_buf(text, -1);
    STACK_OF(X509) *recipients = sk_X509_new_null();
    sk_X509_push(recipients, recipient);
    CMS_ContentInfo *info = CMS_encrypt(recipients, content, EVP_aes_128_cbc(), CMS_BINARY);
    assert_non_null(info);
    unsigned char *der = NULL;
    int len = i2d_CMS_ContentInfo(info, &der);
    struct buf envelope = {0};
    assert_int_equal(buf_copy(view_of(der, (size_t)len), &envelope, NULL), ERR_OK);
    OPENSSL_free(der);
    CMS_ContentInfo_free(info);
    sk_X509_free(recipients);
    BIO_free(content);
    return envelope;
}

static void opens_envelopes(void **state)
{
    (void)state;
    struct desk desk;
    desk_open(&desk, true);
    fixture_load(&desk.fixture);
    struct buf envelope = envelope_for(desk.fixture.cert, "a request");
    struct buf question = octets(FRAME_UNWRAP, buf_view(&envelope));
    struct buf content = expect_result(&desk, &question);
    assert_true(view_is_text(buf_view(&content), "a request"));
    buf_wipe(&content);
    buf_done(&envelope);

    // Nothing in it: no answer of no octets, which would say less than a refusal.
    envelope = envelope_for(desk.fixture.cert, "");
    question = octets(FRAME_UNWRAP, buf_view(&envelope));
    expect_refusal(&desk, &question, ERR_BAD_REQUEST, "");
    buf_done(&envelope);
    desk_close(&desk);
}

static void not_direct(void **state)
{
    (void)state;
    const struct seal_order order = {.status = CERTREP_PENDING};
    struct desk desk;
    desk_open(&desk, false);
    fixture_load(&desk.fixture);
    for (unsigned i = 0; i < 20; i++) { // no bucket counts these
        struct buf question = octets(FRAME_UNWRAP, view_of_text("envelope"));
        expect_refusal(&desk, &question, ERR_DENIED, "direct");
        question = seal(&order);
        expect_refusal(&desk, &question, ERR_DENIED, "direct");
    }
    desk_close(&desk);
}

static void direct_is_limited(void **state)
{
    (void)state;
    const struct seal_order order = {.status = CERTREP_PENDING,
                                     .transaction_id = view_of_text("T"),
                                     .recipient_nonce = view_of_text("0123456789abcdef")};
    struct desk desk;
    desk_open(&desk, true);
    fixture_load(&desk.fixture);
    for (unsigned second = 0; second < 2; second++) {
        for (unsigned i = 0; i < 2; i++) {
            struct buf question = octets(FRAME_UNWRAP, view_of_text("garbage"));
            expect_refusal(&desk, &question, ERR_BAD_REQUEST, "");
        }
        struct buf question = octets(FRAME_UNWRAP, view_of_text("garbage"));
        expect_refusal(&desk, &question, ERR_BUSY, "more than 2 a second (ca.direct_per_sec)");
        // What was opened can still be answered, up to the same rate.
        for (unsigned i = 0; i < 2; i++) {
            question = seal(&order);
            struct buf der = expect_result(&desk, &question);
            buf_done(&der);
        }
        question = seal(&order);
        expect_refusal(&desk, &question, ERR_BUSY, "more than 2 a second");
        desk.monotonic_us += SECOND;
    }
    desk_close(&desk);
}

// Standard error goes to a file meanwhile.
struct capture {
    char *folder;
    char *path;
    int real_fd;
};

static struct capture capture_begin(void)
{
    struct capture capture = {.folder = kit_new_folder(), .real_fd = dup(STDERR_FILENO)};
    capture.path = kit_write(capture.folder, "log", VIEW_EMPTY);
    FILE *file = fopen(capture.path, "a");
    assert_non_null(file);
    assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);
    fclose(file);
    return capture;
}

static struct buf capture_end(struct capture *capture)
{
    struct buf text = {0};
    assert_true(dup2(capture->real_fd, STDERR_FILENO) >= 0);
    close(capture->real_fd);
    assert_int_equal(file_read(capture->path, LOG_LEN_MAX, &text, NULL), ERR_OK);
    assert_int_equal(buf_append(&text, view_of("", 1), NULL), ERR_OK);
    free(capture->path);
    kit_remove_folder(capture->folder);
    return text;
}

static unsigned count_of(const struct buf *text, const char *words)
{
    unsigned count = 0;
    const char *at = (const char *)text->data;
    while ((at = strstr(at, words)) != NULL) {
        count++;
        at += strlen(words);
    }
    return count;
}

static void busy_is_logged_once_a_second(void **state)
{
    (void)state;
    struct desk desk;
    desk_open(&desk, true);
    fixture_load(&desk.fixture);
    log_init("test", LOG_LEVEL_INFO);
    struct capture capture = capture_begin();
    for (unsigned second = 0; second < 2; second++) {
        for (unsigned i = 0; i < 50; i++) {
            struct answer answer = {0};
            struct buf question = octets(FRAME_UNWRAP, view_of_text("garbage"));
            assert_int_equal(ask(&desk, &question, &answer, NULL), ERR_OK);
            buf_done(&answer.octets);
        }
        desk.monotonic_us += SECOND;
    }
    struct buf text = capture_end(&capture);
    log_set_level(LOG_LEVEL_ERROR);
    assert_int_equal(count_of(&text, "error=busy"), 2);
    assert_int_equal(count_of(&text, "question=unwrap"), 6); // 2 of each second come through
    buf_done(&text);
    desk_close(&desk);
}

// One line for each signature, with the CA's name in it.
static void signatures_are_logged(void **state)
{
    (void)state;
    struct desk desk;
    desk_open(&desk, true);
    fixture_load(&desk.fixture);
    uint8_t id[SHA256_LEN];
    char name[GENERATION_NAME_LEN];
    char issuer[GENERATION_NAME_LEN + 8];
    identify(desk.fixture.cert, id, name);
    snprintf(issuer, sizeof issuer, "issuer=%s", name);
    struct buf csr = kit_csr_der(kit_key(PHONE_KEY), &(struct kit_csr){.common_name = "phone"});
    struct issue_order order = order_for(&csr);
    order.issuer = view_of(desk.fixture.id, SHA256_LEN);
    struct buf envelope = envelope_for(desk.fixture.cert, "secret content");
    const struct seal_order pending = {.status = CERTREP_PENDING,
                                       .transaction_id = view_of_text("T-9"),
                                       .recipient_nonce = view_of_text("0123456789abcdef")};
    struct buf questions[] = {issue(&order), crl_part(desk.fixture.id, 77, 2, true),
                              octets(FRAME_UNWRAP, buf_view(&envelope)), seal(&pending)};
    log_init("test", LOG_LEVEL_INFO);
    struct capture capture = capture_begin();
    for (size_t i = 0; i < sizeof questions / sizeof questions[0]; i++) {
        struct answer answer = {0};
        assert_int_equal(ask(&desk, &questions[i], &answer, NULL), ERR_OK);
        assert_true(answer.is_result);
        buf_wipe(&answer.octets);
    }
    struct buf text = capture_end(&capture);
    log_set_level(LOG_LEVEL_ERROR);
    assert_int_equal(count_of(&text, "event=ca_issue profile=phone"), 1);
    assert_int_equal(count_of(&text, "transaction=TRANSACTION-1"), 1);
    assert_int_equal(count_of(&text, "event=ca_crl"), 1);
    assert_int_equal(count_of(&text, "number=77 entries=2"), 1);
    assert_int_equal(count_of(&text, issuer), 2);
    assert_int_equal(count_of(&text, "event=ca_unwrap"), 1);
    assert_int_equal(count_of(&text, "event=ca_seal status=3 transaction=T-9"), 1);
    assert_int_equal(count_of(&text, "secret"), 0);
    buf_done(&text);
    buf_done(&envelope);
    buf_done(&csr);
    desk_close(&desk);
}

static int make_direct_ca(void **state)
{
    (void)state;
    const struct ceremony_order order = {.tiers = 1, .is_direct = true, .now = KIT_NOW};
    return ceremony_run(&order, &direct_ca, NULL) == ERR_OK ? 0 : -1;
}

static int drop_direct_ca(void **state)
{
    (void)state;
    ceremony_done(&direct_ca);
    return 0;
}

int main(void)
{
    log_init("test", LOG_LEVEL_ERROR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ping_tells_which_cas),
        cmocka_unit_test(issues),
        cmocka_unit_test(crls),
        cmocka_unit_test(broken_crls),
        cmocka_unit_test(crl_is_bounded),
        cmocka_unit_test(no_questions),
        cmocka_unit_test(next_ca),
        cmocka_unit_test(opens_envelopes),
        cmocka_unit_test(not_direct),
        cmocka_unit_test(direct_is_limited),
        cmocka_unit_test(busy_is_logged_once_a_second),
        cmocka_unit_test(signatures_are_logged),
    };
    return cmocka_run_group_tests(tests, make_direct_ca, drop_direct_ca);
}
