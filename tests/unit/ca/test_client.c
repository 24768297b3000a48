// SPDX-License-Identifier: Apache-2.0
// The client against a scripted server on a socket in a temporary folder: one connection after the
// other, each with its list of answers.
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "ca/client.h"
#include "kit/kit.h"

#define SHORT_MS     50    // for answers that never come
#define PATIENT_MS   20000 // for answers that do, however slow the machine
#define ANSWERS_MAX  4
#define SESSIONS_MAX 4

enum act {
    ACT_END = 0, // closes the connection
    ACT_PONG,
    ACT_RESULT,
    ACT_HALVES,    // the result in two frames
    ACT_HALF_END,  // one of them, then the end
    ACT_HALF_PONG, // one of them, then something else
    ACT_TOO_MUCH,  // more than a certificate can have
    ACT_REFUSED,
    ACT_GARBAGE,
    ACT_TOO_LONG,
    ACT_SILENT,       // waits until the client closes
    ACT_CLOSE_UNREAD, // closes without reading the question
};

struct server {
    int listen_fd;
    pthread_t thread;
    unsigned sessions;
    enum act acts[SESSIONS_MAX][ANSWERS_MAX];
    // Read after pthread_join():
    unsigned questions;
    unsigned entries;        // of all CRL parts
    enum frame_type last;    // question
    struct view last_octets; // of it; points into `question`
    uint8_t question[FRAME_MAX_LEN];
    struct frame frame;
    char *folder;
    char *path;
};

// Which CAs the server says it holds.
static const struct ca_state held = {.current = {1}, .has_next = true, .next = {2}};

static struct buf part_of_result(const char *text, bool is_last)
{
    struct buf frame = {0};
    if (frame_put_result(view_of_text(text), is_last, &frame, NULL) != ERR_OK) {
        abort();
    }
    return frame;
}

static struct buf answer_of(enum act act)
{
    static const uint8_t too_much[LIMIT_CERT_LEN + 1];
    static const uint8_t too_long[FRAME_MAX_LEN + 1] = {FRAME_VERSION, FRAME_PONG};
    struct buf frame = {0};
    struct err refusal = {.code = ERR_BAD_ALG, .text = "an RSA key of 1024 bits"};
    enum err_code code = ERR_OK;
    switch (act) {
    case ACT_PONG:
        code = frame_put_pong(&held, &frame, NULL);
        break;
    case ACT_RESULT:
        return part_of_result("certificate", true);
    case ACT_HALVES:
    case ACT_HALF_END:
    case ACT_HALF_PONG:
        return part_of_result("certi", false);
    case ACT_TOO_MUCH:
        code = frame_put_result(view_of(too_much, sizeof too_much), false, &frame, NULL);
        break;
    case ACT_REFUSED:
        code = frame_put_refused(&refusal, &frame, NULL);
        break;
    case ACT_GARBAGE:
        code = buf_append(&frame, view_of_text("garbage"), NULL);
        break;
    case ACT_TOO_LONG:
        code = buf_append(&frame, view_of(too_long, sizeof too_long), NULL);
        break;
    default:
        break;
    }
    if (code != ERR_OK) {
        abort();
    }
    return frame;
}

static bool send_and_free(int fd, struct buf take_frame)
{
    ssize_t sent = send(fd, take_frame.data, take_frame.len, MSG_NOSIGNAL);
    buf_done(&take_frame);
    return sent > 0;
}

// What comes after the first frame of an answer. False when the connection is over.
static bool send_rest(int fd, enum act act)
{
    switch (act) {
    case ACT_HALVES:
        return send_and_free(fd, part_of_result("ficate", true));
    case ACT_HALF_PONG:
        return send_and_free(fd, answer_of(ACT_PONG));
    case ACT_HALF_END:
        return false;
    default:
        return true;
    }
}

static bool take_question(struct server *server, int fd)
{
    ssize_t got = recv(fd, server->question, sizeof server->question, 0);
    if (got <= 0) {
        return false;
    }
    if (frame_get(view_of(server->question, (size_t)got), &server->frame, NULL) != ERR_OK) {
        abort();
    }
    server->questions++;
    server->last = server->frame.type;
    server->last_octets = server->frame.octets;
    server->entries += server->frame.type == FRAME_CRL ? server->frame.crl.count : 0;
    return true;
}

// False when the connection is over.
static bool serve_one(struct server *server, int fd, enum act act)
{
    if (act == ACT_CLOSE_UNREAD || !take_question(server, fd)) {
        return false;
    }
    if (act == ACT_SILENT) {
        return recv(fd, server->question, sizeof server->question, 0) > 0;
    }
    return act != ACT_END && send_and_free(fd, answer_of(act)) && send_rest(fd, act);
}

static void *run_server(void *argument)
{
    struct server *server = argument;
    for (unsigned session = 0; session < server->sessions; session++) {
        int fd = accept4(server->listen_fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0) {
            return NULL;
        }
        for (unsigned i = 0; i < ANSWERS_MAX && serve_one(server, fd, server->acts[session][i]);
             i++) {
        }
        close(fd);
    }
    return NULL;
}

static void listen_at(struct server *server)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    server->folder = kit_new_folder();
    server->path = kit_path(server->folder, "ca.sock");
    assert_true(strlen(server->path) < sizeof address.sun_path);
    memcpy(address.sun_path, server->path, strlen(server->path));
    server->listen_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    assert_true(server->listen_fd >= 0);
    assert_int_equal(bind(server->listen_fd, (const struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(server->listen_fd, SESSIONS_MAX), 0);
}

static struct ca_client *begin(struct server *server, uint32_t timeout_ms)
{
    listen_at(server);
    assert_int_equal(pthread_create(&server->thread, NULL, run_server, server), 0);
    struct ca_client *client = NULL;
    assert_int_equal(ca_client_new(server->path, &client, NULL), ERR_OK);
    ca_client_set_timeout(client, timeout_ms);
    return client;
}

static void end(struct server *server, struct ca_client *client)
{
    ca_client_free(client);
    shutdown(server->listen_fd, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    close(server->listen_fd);
    free(server->path);
    kit_remove_folder(server->folder);
}

static const uint8_t issuer_id[SHA256_LEN] = {1};

static enum err_code issue(struct ca_client *client, struct buf *ret_certificate, struct err *err)
{
    const struct issue_order order = {.profile = PROFILE_PHONE,
                                      .issuer = view_of(issuer_id, sizeof issuer_id),
                                      .csr = view_of_text("request")};
    return ca_client_issue(client, &order, ret_certificate, err);
}

static void one_connection_many_questions(void **state)
{
    (void)state;
    struct server server = {.sessions = 1, .acts = {{ACT_PONG, ACT_RESULT, ACT_REFUSED, ACT_PONG}}};
    struct ca_client *client = begin(&server, PATIENT_MS);
    struct err err = {0};
    struct buf certificate = {0};
    assert_int_equal(ca_client_ping(client, NULL, &err), ERR_OK);
    assert_int_equal(issue(client, &certificate, &err), ERR_OK);
    assert_true(view_is_text(buf_view(&certificate), "certificate"));
    buf_done(&certificate);
    assert_int_equal(issue(client, &certificate, &err), ERR_BAD_ALG);
    assert_int_equal(err.code, ERR_BAD_ALG);
    assert_string_equal(err.text, "an RSA key of 1024 bits");
    assert_null(certificate.data);
    assert_int_equal(ca_client_ping(client, NULL, &err), ERR_OK);
    end(&server, client);
    assert_int_equal(server.questions, 4);
}

static void nobody_listens(void **state)
{
    (void)state;
    char *folder = kit_new_folder();
    char *path = kit_path(folder, "ca.sock");
    struct ca_client *client = NULL;
    struct err err = {0};
    assert_int_equal(ca_client_new(path, &client, &err), ERR_OK);
    assert_int_equal(ca_client_ping(client, NULL, &err), ERR_BUSY);
    assert_int_equal(err.code, ERR_BUSY);
    assert_non_null(strstr(err.text, "cannot connect to the CA"));
    assert_int_equal(ca_client_ping(client, NULL, NULL), ERR_BUSY);
    ca_client_free(client);
    free(path);
    kit_remove_folder(folder);
}

static void path_too_long(void **state)
{
    (void)state;
    char path[sizeof((struct sockaddr_un *)0)->sun_path + 1];
    memset(path, 'a', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    struct ca_client *client = NULL;
    struct err err = {0};
    assert_int_equal(ca_client_new(path, &client, &err), ERR_LIMIT);
    assert_null(client);
    assert_non_null(strstr(err.text, "108 octets; allowed: 107"));
}

// The server went away between two questions, and that is certain before the second is asked: it
// goes out once, over a new connection.
static void reconnects_before_the_question(void **state)
{
    (void)state;
    struct server server = {.sessions = 1, .acts = {{ACT_PONG, ACT_CLOSE_UNREAD}}};
    struct ca_client *client = begin(&server, PATIENT_MS);
    struct err err = {0};
    assert_int_equal(ca_client_ping(client, NULL, &err), ERR_OK);
    pthread_join(server.thread, NULL);
    server.acts[0][0] = ACT_RESULT;
    assert_int_equal(pthread_create(&server.thread, NULL, run_server, &server), 0);
    struct buf certificate = {0};
    assert_int_equal(issue(client, &certificate, &err), ERR_OK);
    buf_done(&certificate);
    end(&server, client);
    assert_int_equal(server.questions, 2);
}

// An order that left is never sent again, since it may have been carried out.
static void never_asks_twice(void **state)
{
    (void)state;
    struct server server = {.sessions = 2, .acts = {{ACT_END}, {ACT_PONG}}};
    struct ca_client *client = begin(&server, PATIENT_MS);
    struct err err = {0};
    struct buf certificate = {0};
    assert_int_equal(issue(client, &certificate, &err), ERR_BUSY);
    assert_non_null(strstr(err.text, "CA"));
    assert_int_equal(ca_client_ping(client, NULL, &err), ERR_OK);
    end(&server, client);
    assert_int_equal(server.questions, 2);
}

// After a timeout the connection is dropped: a late answer must not answer the next question.
static void gives_up(void **state)
{
    (void)state;
    struct server server = {.sessions = 2, .acts = {{ACT_SILENT}, {ACT_PONG}}};
    struct ca_client *client = begin(&server, SHORT_MS);
    struct err err = {0};
    struct buf certificate = {0};
    assert_int_equal(issue(client, &certificate, &err), ERR_BUSY);
    assert_string_equal(err.text, "no answer from the CA within 50 ms");
    ca_client_set_timeout(client, PATIENT_MS);
    assert_int_equal(ca_client_ping(client, NULL, &err), ERR_OK);
    end(&server, client);
}

static void nonsense_is_a_protocol_error(void **state)
{
    (void)state;
    struct server server = {.sessions = 4,
                            .acts = {{ACT_GARBAGE}, {ACT_TOO_LONG}, {ACT_PONG}, {ACT_RESULT}}};
    struct ca_client *client = begin(&server, PATIENT_MS);
    struct err err = {0};
    struct buf certificate = {0};
    assert_int_equal(issue(client, &certificate, &err), ERR_PROTOCOL);
    assert_int_equal(issue(client, &certificate, &err), ERR_PROTOCOL);
    assert_non_null(strstr(err.text, "65537 octets"));
    assert_int_equal(issue(client, &certificate, &err), ERR_PROTOCOL);
    assert_non_null(strstr(err.text, "type 5"));
    assert_int_equal(ca_client_ping(client, NULL, &err), ERR_PROTOCOL);
    assert_non_null(strstr(err.text, "type 2"));
    assert_null(certificate.data);
    end(&server, client);
    assert_int_equal(server.questions, 4);
}

static void order_too_large(void **state)
{
    (void)state;
    static const uint8_t big[LIMIT_CSR_LEN + 1];
    struct server server = {.sessions = 1, .acts = {{ACT_PONG}}};
    struct ca_client *client = begin(&server, PATIENT_MS);
    const struct issue_order order = {.profile = PROFILE_PHONE,
                                      .issuer = view_of(issuer_id, sizeof issuer_id),
                                      .csr = view_of(big, sizeof big)};
    struct err err = {0};
    struct buf certificate = {0};
    assert_int_equal(ca_client_issue(client, &order, &certificate, &err), ERR_LIMIT);
    assert_int_equal(ca_client_ping(client, NULL, &err), ERR_OK);
    end(&server, client);
    assert_int_equal(server.questions, 1);
}

static void ping_tells_the_state(void **state)
{
    (void)state;
    struct server server = {.sessions = 1, .acts = {{ACT_PONG}}};
    struct ca_client *client = begin(&server, PATIENT_MS);
    struct ca_state told = {0};
    struct err err = {0};
    assert_int_equal(ca_client_ping(client, &told, &err), ERR_OK);
    end(&server, client);
    assert_int_equal(told.current[0], 1);
    assert_true(told.has_next);
    assert_int_equal(told.next[0], 2);
    assert_int_equal(told.old_count, 0);
}

static void reload_tells_what_the_ca_found(void **state)
{
    (void)state;
    struct server server = {.sessions = 1, .acts = {{ACT_PONG, ACT_REFUSED, ACT_PONG}}};
    struct ca_client *client = begin(&server, PATIENT_MS);
    struct err err = {0};
    assert_int_equal(ca_client_reload(client, &err), ERR_OK);
    assert_int_equal(ca_client_reload(client, &err), ERR_BAD_ALG);
    assert_string_equal(err.text, "an RSA key of 1024 bits");
    assert_int_equal(ca_client_ping(client, NULL, &err), ERR_OK);
    end(&server, client);
}

static void result_in_parts(void **state)
{
    (void)state;
    struct server server = {.sessions = 1, .acts = {{ACT_HALVES, ACT_RESULT}}};
    struct ca_client *client = begin(&server, PATIENT_MS);
    struct err err = {0};
    for (unsigned i = 0; i < 2; i++) {
        struct buf certificate = {0};
        assert_int_equal(issue(client, &certificate, &err), ERR_OK);
        assert_true(view_is_text(buf_view(&certificate), "certificate"));
        buf_done(&certificate);
    }
    end(&server, client);
    assert_int_equal(server.questions, 2);
}

// What is wrong after the first part leaves nothing behind, neither octets nor a connection.
static void broken_results(void **state)
{
    (void)state;
    static const struct {
        enum act act;
        enum err_code code;
        const char *text;
    } cases[] = {
        {ACT_HALF_END, ERR_BUSY, "without an answer"},
        {ACT_HALF_PONG, ERR_PROTOCOL, "ends with a frame of type 5"},
        {ACT_TOO_MUCH, ERR_PROTOCOL, "more than 16384 octets"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct server server = {.sessions = 2, .acts = {{cases[i].act}, {ACT_PONG}}};
        struct ca_client *client = begin(&server, PATIENT_MS);
        struct err err = {0};
        struct buf certificate = {0};
        assert_int_equal(issue(client, &certificate, &err), cases[i].code);
        assert_null(certificate.data);
        if (strstr(err.text, cases[i].text) == NULL) {
            fail_msg("case %zu: %s", i, err.text);
        }
        assert_int_equal(ca_client_ping(client, NULL, &err), ERR_OK);
        end(&server, client);
    }
}

static enum err_code sign_crl(struct ca_client *client, size_t count, struct buf *ret_crl,
                              struct err *err)
{
    struct crl_entry *entries = calloc(count + 1, sizeof *entries);
    assert_non_null(entries);
    const struct crl_order order = {.issuer = view_of(issuer_id, sizeof issuer_id),
                                    .number = 7,
                                    .entries = entries,
                                    .count = count};
    enum err_code code = ca_client_sign_crl(client, &order, ret_crl, err);
    free(entries);
    return code;
}

static void crl_in_parts(void **state)
{
    (void)state;
    static const struct {
        size_t entries;
        unsigned questions;
        enum act acts[ANSWERS_MAX];
    } cases[] = {
        {0, 1, {ACT_RESULT}},
        {FRAME_CRL_CHUNK, 1, {ACT_RESULT}},
        {FRAME_CRL_CHUNK + 1, 2, {ACT_PONG, ACT_RESULT}},
        {3 * FRAME_CRL_CHUNK, 3, {ACT_PONG, ACT_PONG, ACT_HALVES}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct server server = {.sessions = 1};
        memcpy(server.acts[0], cases[i].acts, sizeof cases[i].acts);
        struct ca_client *client = begin(&server, PATIENT_MS);
        struct err err = {0};
        struct buf crl = {0};
        if (sign_crl(client, cases[i].entries, &crl, &err) != ERR_OK) {
            fail_msg("case %zu: %s", i, err.text);
        }
        assert_true(view_is_text(buf_view(&crl), "certificate"));
        buf_done(&crl);
        end(&server, client);
        assert_int_equal(server.questions, cases[i].questions);
        assert_int_equal(server.entries, cases[i].entries);
        assert_true(server.frame.crl.is_last);
        assert_int_equal(server.frame.crl.number, 7);
    }
}

// The rest of a CRL never goes over another connection than its beginning: half a CRL would be
// signed.
static void crl_stays_on_its_connection(void **state)
{
    (void)state;
    static const enum act seconds[] = {ACT_CLOSE_UNREAD, ACT_END, ACT_REFUSED, ACT_RESULT};
    static const enum err_code codes[] = {ERR_BUSY, ERR_BUSY, ERR_BAD_ALG, ERR_PROTOCOL};
    for (size_t i = 0; i < sizeof seconds / sizeof seconds[0]; i++) {
        struct server server = {.sessions = 1, .acts = {{ACT_PONG, seconds[i]}}};
        struct ca_client *client = begin(&server, PATIENT_MS);
        struct err err = {0};
        struct buf crl = {0};
        assert_int_equal(sign_crl(client, 3 * FRAME_CRL_CHUNK, &crl, &err), codes[i]);
        assert_null(crl.data);
        struct pollfd nobody = {.fd = server.listen_fd, .events = POLLIN};
        assert_int_equal(poll(&nobody, 1, 0), 0);
        end(&server, client);
    }
}

static void crl_too_large(void **state)
{
    (void)state;
    struct server server = {.sessions = 1, .acts = {{ACT_PONG}}};
    struct ca_client *client = begin(&server, PATIENT_MS);
    struct err err = {0};
    struct buf crl = {0};
    assert_int_equal(sign_crl(client, LIMIT_CRL_ENTRIES + 1, &crl, &err), ERR_LIMIT);
    assert_non_null(strstr(err.text, "200001 entries"));
    assert_int_equal(ca_client_ping(client, NULL, &err), ERR_OK);
    end(&server, client);
    assert_int_equal(server.questions, 1);
}

static void octets_travel(void **state)
{
    (void)state;
    struct server server = {.sessions = 1, .acts = {{ACT_HALVES, ACT_RESULT}}};
    struct ca_client *client = begin(&server, PATIENT_MS);
    struct err err = {0};
    struct buf content = {0};
    assert_int_equal(ca_client_unwrap(client, view_of_text("envelope"), &content, &err), ERR_OK);
    assert_true(view_is_text(buf_view(&content), "certificate"));
    buf_done(&content);
    assert_int_equal(ca_client_sign_next_ca(client, view_of_text("ra"), &content, &err), ERR_OK);
    buf_done(&content);
    end(&server, client);
    assert_int_equal(server.last, FRAME_NEXT_CA);
    assert_true(view_is_text(server.last_octets, "ra"));
}

static void certrep_travels(void **state)
{
    (void)state;
    struct server server = {.sessions = 1, .acts = {{ACT_REFUSED, ACT_RESULT}}};
    struct ca_client *client = begin(&server, PATIENT_MS);
    X509 *recipient = kit_cert(kit_key(0), "phone", NULL, NULL, false, KIT_NOW, 1);
    const struct certrep failure = {.status = CERTREP_FAILURE, .fail_info = FAIL_INFO_BAD_TIME};
    const struct certrep success = {.status = CERTREP_SUCCESS,
                                    .transaction_id = view_of_text("T"),
                                    .recipient_nonce = view_of_text("0123456789abcdef"),
                                    .digest_nid = NID_sha256,
                                    .cipher_nid = NID_aes_128_cbc,
                                    .recipient = recipient,
                                    .certificates = {view_of_text("one"), view_of_text("ours")},
                                    .certificate_count = 2};
    struct err err = {0};
    struct buf der = {0};
    assert_int_equal(ca_client_seal(client, &failure, &der, &err), ERR_BAD_ALG);
    assert_int_equal(ca_client_seal(client, &success, &der, &err), ERR_OK);
    assert_true(view_is_text(buf_view(&der), "certificate"));
    buf_done(&der);
    end(&server, client);
    const struct seal_order *order = &server.frame.seal;
    assert_int_equal(server.questions, 2);
    assert_int_equal(order->status, CERTREP_SUCCESS);
    assert_true(view_is_text(order->transaction_id, "T"));
    assert_int_equal(order->recipient_nonce.len, 16);
    assert_int_equal(order->digest_nid, NID_sha256);
    assert_int_equal(order->cipher_nid, NID_aes_128_cbc);
    assert_true(view_is_text(order->certificate, "one"));
    struct buf recipient_der = {0};
    assert_int_equal(ossl_cert_to_der(recipient, &recipient_der, &err), ERR_OK);
    assert_true(view_equal(order->recipient, buf_view(&recipient_der)));
    buf_done(&recipient_der);
    X509_free(recipient);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_connection_many_questions),
        cmocka_unit_test(ping_tells_the_state),
        cmocka_unit_test(reload_tells_what_the_ca_found),
        cmocka_unit_test(nobody_listens),
        cmocka_unit_test(path_too_long),
        cmocka_unit_test(reconnects_before_the_question),
        cmocka_unit_test(never_asks_twice),
        cmocka_unit_test(gives_up),
        cmocka_unit_test(nonsense_is_a_protocol_error),
        cmocka_unit_test(order_too_large),
        cmocka_unit_test(result_in_parts),
        cmocka_unit_test(broken_results),
        cmocka_unit_test(crl_in_parts),
        cmocka_unit_test(crl_stays_on_its_connection),
        cmocka_unit_test(crl_too_large),
        cmocka_unit_test(octets_travel),
        cmocka_unit_test(certrep_travels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
