// SPDX-License-Identifier: Apache-2.0
// The CA end to end: a listening socket in a temporary folder, the connection threads, and the RA's
// client on the other side.
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "ca/client.h"
#include "ca/service.h"
#include "conf/base/log.h"
#include "fixture.h"

#define BACKLOG 128

struct running {
    struct fixture fixture;
    struct service *service;
    int listen_fd;
    char *path;
    bool is_broken; // what is read again has mistakes
};

static int64_t fixed_clock(void)
{
    return KIT_NOW;
}

static enum err_code load_again(void *context, struct authorities **ret_authorities,
                                struct err *err)
{
    struct running *running = context;
    if (running->is_broken) {
        return err_set(err, ERR_CONFIG, "scepd.conf: broken");
    }
    return authorities_load(&running->fixture.settings, KIT_NOW, ret_authorities, NULL, err);
}

static void running_init(struct running *running)
{
    running->is_broken = false;
    fixture_init(&running->fixture, NULL, CA_DAYS);
    fixture_load(&running->fixture);
    struct err err = {0};
    assert_ok(service_new(authorities_ref(running->fixture.authorities), fixed_clock,
                          &running->service, &err),
              &err);
    service_set_load(running->service, load_again, running);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    running->path = kit_path(running->fixture.folder, "ca.sock");
    memcpy(address.sun_path, running->path, strlen(running->path));
    running->listen_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(running->listen_fd, (const struct sockaddr *)&address, sizeof address),
                     0);
    assert_int_equal(listen(running->listen_fd, BACKLOG), 0);
}

static void running_done(struct running *running)
{
    service_free(running->service);
    close(running->listen_fd);
    free(running->path);
    fixture_done(&running->fixture);
}

// A connection that waits in the backlog until service_accept() takes it.
static int connect_raw(const struct running *running)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, running->path, strlen(running->path));
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static void ask_raw(int fd, struct view question)
{
    assert_int_equal(send(fd, question.data, question.len, MSG_NOSIGNAL), (ssize_t)question.len);
}

// A worker of scepd: asks its questions one after the other on a thread of its own.
struct asker {
    const char *path;
    const uint8_t *issuer;
    struct view csr;
    unsigned questions;
    unsigned issued;
    uint8_t last_serial[SERIAL_LEN];
};

static void *run_asker(void *argument)
{
    struct asker *asker = argument;
    struct ca_client *client = NULL;
    if (ca_client_new(asker->path, &client, NULL) != ERR_OK) {
        return NULL;
    }
    for (unsigned i = 0; i < asker->questions; i++) {
        const struct issue_order order = {.profile = PROFILE_PHONE,
                                          .issuer = view_of(asker->issuer, SHA256_LEN),
                                          .csr = asker->csr,
                                          .transaction_id = view_of_text("T")};
        struct buf der = {0};
        if (ca_client_issue(client, &order, &der, NULL) == ERR_OK) {
            asker->issued++;
            X509 *cert = parse_cert(&der);
            struct view serial = ossl_string_view(X509_get0_serialNumber(cert));
            memcpy(asker->last_serial, serial.data, SERIAL_LEN);
            X509_free(cert);
        }
        buf_done(&der);
    }
    ca_client_free(client);
    return NULL;
}

static void wait_and_accept(struct running *running, unsigned count)
{
    while (service_connections(running->service) < count) {
        service_accept(running->service, running->listen_fd);
    }
}

// Waits until somebody connects.
static void accept_one_blocking(struct running *running)
{
    fd_set ready;
    FD_ZERO(&ready);
    FD_SET(running->listen_fd, &ready);
    assert_int_equal(select(running->listen_fd + 1, &ready, NULL, NULL, NULL), 1);
    service_accept(running->service, running->listen_fd);
}

static void issues_over_the_socket(void **state)
{
    (void)state;
    struct running running;
    running_init(&running);
    struct buf csr = kit_csr_der(kit_key(PHONE_KEY), &(struct kit_csr){.common_name = "phone"});
    struct asker asker = {
        .path = running.path, .issuer = running.fixture.id, .csr = buf_view(&csr), .questions = 3};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, run_asker, &asker), 0);
    accept_one_blocking(&running);
    pthread_join(thread, NULL);
    assert_int_equal(asker.issued, 3);
    buf_done(&csr);
    running_done(&running);
}

static void many_connections_at_once(void **state)
{
    (void)state;
    enum { ASKERS = 8, QUESTIONS = 5 };
    struct running running;
    running_init(&running);
    struct buf csr = kit_csr_der(kit_key(PHONE_KEY), &(struct kit_csr){.common_name = "phone"});
    struct asker askers[ASKERS];
    pthread_t threads[ASKERS];
    for (size_t i = 0; i < ASKERS; i++) {
        askers[i] = (struct asker){.path = running.path,
                                   .issuer = running.fixture.id,
                                   .csr = buf_view(&csr),
                                   .questions = QUESTIONS};
        assert_int_equal(pthread_create(&threads[i], NULL, run_asker, &askers[i]), 0);
    }
    for (size_t i = 0; i < ASKERS; i++) {
        accept_one_blocking(&running);
    }
    // A reload in the midst of it: threads finish with the CAs they began with.
    struct err err = {0};
    assert_ok(service_reload(running.service, &err), &err);
    for (size_t i = 0; i < ASKERS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(askers[i].issued, QUESTIONS);
        for (size_t j = 0; j < i; j++) {
            assert_memory_not_equal(askers[i].last_serial, askers[j].last_serial, SERIAL_LEN);
        }
    }
    buf_done(&csr);
    running_done(&running);
}

static const struct frame *receive(int fd, uint8_t *octets)
{
    static struct frame frame;
    ssize_t got = recv(fd, octets, FRAME_MAX_LEN, 0);
    assert_true(got > 0);
    struct err err = {0};
    assert_ok(frame_get(view_of(octets, (size_t)got), &frame, &err), &err);
    return &frame;
}

static void ask_to_reload(int fd, uint8_t *octets, struct frame *ret_answer)
{
    struct buf question = {0};
    assert_int_equal(frame_put_reload(&question, NULL), ERR_OK);
    ask_raw(fd, buf_view(&question));
    buf_done(&question);
    *ret_answer = *receive(fd, octets);
}

// What is wrong is told to who asked, and the CA goes on with what it has.
static void reloads_when_asked(void **state)
{
    (void)state;
    static uint8_t octets[FRAME_MAX_LEN];
    static struct frame answer;
    struct running running;
    running_init(&running);
    int fd = connect_raw(&running);
    wait_and_accept(&running, 1);
    ask_to_reload(fd, octets, &answer);
    assert_int_equal(answer.type, FRAME_PONG);
    assert_memory_equal(answer.state.current, running.fixture.id, SHA256_LEN);

    running.is_broken = true;
    ask_to_reload(fd, octets, &answer);
    assert_int_equal(answer.type, FRAME_REFUSED);
    assert_int_equal(answer.refusal, ERR_CONFIG);
    assert_true(view_is_text(answer.refusal_text, "scepd.conf: broken"));

    running.is_broken = false;
    ask_to_reload(fd, octets, &answer);
    assert_int_equal(answer.type, FRAME_PONG);
    close(fd);
    running_done(&running);
}

static void ping_and_refusal(void **state)
{
    (void)state;
    static uint8_t octets[FRAME_MAX_LEN];
    struct running running;
    running_init(&running);
    int fd = connect_raw(&running);
    wait_and_accept(&running, 1);
    struct buf ping = {0};
    assert_int_equal(frame_put_ping(&ping, NULL), ERR_OK);
    ask_raw(fd, buf_view(&ping));
    assert_int_equal(receive(fd, octets)->type, FRAME_PONG);
    buf_done(&ping);

    const struct issue_order order = {.profile = PROFILE_PHONE,
                                      .issuer = view_of(running.fixture.id, SHA256_LEN),
                                      .csr = view_of_text("garbage")};
    struct buf question = {0};
    assert_int_equal(frame_put_issue(&order, &question, NULL), ERR_OK);
    ask_raw(fd, buf_view(&question));
    const struct frame *frame = receive(fd, octets);
    assert_int_equal(frame->type, FRAME_REFUSED);
    assert_int_equal(frame->refusal, ERR_BAD_REQUEST);
    assert_non_null(memmem(frame->refusal_text.data, frame->refusal_text.len, "PKCS#10", 7));
    buf_done(&question);
    close(fd);
    running_done(&running);
}

// Every malformed or misplaced frame ends the connection without an answer, and only that one.
static void malformed_frames_end_the_connection(void **state)
{
    (void)state;
    static uint8_t octets[FRAME_MAX_LEN];
    static const uint8_t too_long[FRAME_MAX_LEN + 1] = {FRAME_VERSION, FRAME_PING};
    const struct view bad[] = {
        view_of("\x01", 1),         view_of("\x02\x04", 2),
        view_of("\x01\x04\x00", 3), view_of("\x01\x05", 2), // PONG is no question
        view_of("\x01\x01", 2),     view_of("\x01\x02\x01\x00\x00\x00\x01x", 8),
        view_of("\x01\x0b", 2),     view_of(too_long, sizeof too_long),
    };
    struct running running;
    running_init(&running);
    int healthy = connect_raw(&running);
    wait_and_accept(&running, 1);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int fd = connect_raw(&running);
        service_accept(running.service, running.listen_fd);
        ask_raw(fd, bad[i]);
        assert_int_equal(recv(fd, octets, sizeof octets, 0), 0);
        close(fd);
    }
    ask_raw(healthy, view_of("\x01\x04", 2));
    assert_int_equal(receive(healthy, octets)->type, FRAME_PONG);
    close(healthy);
    running_done(&running);
}

static void bounded_connections(void **state)
{
    (void)state;
    struct running running;
    running_init(&running);
    int fds[SERVICE_CONNECTIONS_MAX];
    for (size_t i = 0; i < SERVICE_CONNECTIONS_MAX; i++) {
        fds[i] = connect_raw(&running);
        service_accept(running.service, running.listen_fd);
    }
    assert_int_equal(service_connections(running.service), SERVICE_CONNECTIONS_MAX);
    uint8_t octet;
    int one_more = connect_raw(&running);
    service_accept(running.service, running.listen_fd);
    assert_int_equal(recv(one_more, &octet, 1, 0), 0);
    close(one_more);
    // One leaves, and there is room again.
    close(fds[0]);
    while (service_connections(running.service) == SERVICE_CONNECTIONS_MAX) {
        sched_yield();
    }
    fds[0] = connect_raw(&running);
    service_accept(running.service, running.listen_fd);
    assert_int_equal(service_connections(running.service), SERVICE_CONNECTIONS_MAX);
    for (size_t i = 0; i < SERVICE_CONNECTIONS_MAX; i++) {
        close(fds[i]);
    }
    running_done(&running);
}

// A CRL that goes there and comes back in several frames each.
struct crl_asker {
    const char *path;
    struct crl_order order;
    struct buf crl;
    enum err_code code;
    struct err err;
};

static void *run_crl_asker(void *argument)
{
    struct crl_asker *asker = argument;
    struct ca_client *client = NULL;
    asker->code = ca_client_new(asker->path, &client, &asker->err);
    if (asker->code == ERR_OK) {
        asker->code = ca_client_sign_crl(client, &asker->order, &asker->crl, &asker->err);
        ca_client_free(client);
    }
    return NULL;
}

static void large_crl_over_the_socket(void **state)
{
    (void)state;
    enum { ENTRIES = 2 * FRAME_CRL_CHUNK + 5 };
    static struct crl_entry entries[ENTRIES];
    for (size_t i = 0; i < ENTRIES; i++) {
        entries[i] = (struct crl_entry){.serial = {1, [14] = (uint8_t)(i >> 8), [15] = (uint8_t)i},
                                        .revoked_at = KIT_NOW - 5,
                                        .reason = REVOCATION_SUPERSEDED};
    }
    struct running running;
    running_init(&running);
    struct crl_asker asker = {.path = running.path,
                              .order = {.issuer = view_of(running.fixture.id, SHA256_LEN),
                                        .number = 9,
                                        .entries = entries,
                                        .count = ENTRIES}};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, run_crl_asker, &asker), 0);
    accept_one_blocking(&running);
    pthread_join(thread, NULL);
    assert_ok(asker.code, &asker.err);
    assert_true(asker.crl.len > FRAME_RESULT_LEN);
    const unsigned char *at = asker.crl.data;
    X509_CRL *crl = d2i_X509_CRL(NULL, &at, (long)asker.crl.len);
    assert_non_null(crl);
    assert_ptr_equal(at, asker.crl.data + asker.crl.len);
    assert_int_equal(X509_CRL_verify(crl, kit_key(CA_KEY_INDEX)), 1);
    assert_int_equal(sk_X509_REVOKED_num(X509_CRL_get_REVOKED(crl)), ENTRIES);
    X509_CRL_free(crl);
    buf_done(&asker.crl);
    running_done(&running);
}

// service_free() with connections open: the peers see the end, no thread stays behind.
static void ends_with_open_connections(void **state)
{
    (void)state;
    struct running running;
    running_init(&running);
    int fd = connect_raw(&running);
    wait_and_accept(&running, 1);
    int unserved = connect_raw(&running);
    running_done(&running);
    uint8_t octet;
    assert_int_equal(recv(fd, &octet, 1, 0), 0);
    close(fd);
    close(unserved);
}

static void accept_without_anybody(void **state)
{
    (void)state;
    struct running running;
    running_init(&running);
    service_accept(running.service, running.listen_fd);
    assert_int_equal(service_connections(running.service), 0);
    running_done(&running);
}

int main(void)
{
    log_init("test", LOG_LEVEL_ERROR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(issues_over_the_socket),
        cmocka_unit_test(many_connections_at_once),
        cmocka_unit_test(ping_and_refusal),
        cmocka_unit_test(reloads_when_asked),
        cmocka_unit_test(malformed_frames_end_the_connection),
        cmocka_unit_test(large_crl_over_the_socket),
        cmocka_unit_test(bounded_connections),
        cmocka_unit_test(ends_with_open_connections),
        cmocka_unit_test(accept_without_anybody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
