// SPDX-License-Identifier: Apache-2.0
// Who asked: addresses in one notation each, and what a phone says of itself.
#include "server/peer.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "conf/syntax.h"
#include "kit/kit.h"
#include "server/listener.h"

#define STALL_SEC 30 // nothing here takes that long

static void addresses_have_one_notation(void **state)
{
    (void)state;
    static const struct {
        int family;
        const char *address;
        const char *expected;
    } tests[] = {
        {AF_INET, "192.0.2.7", "192.0.2.7"},
        {AF_INET, "255.255.255.255", "255.255.255.255"},
        {AF_INET6, "2001:DB8::0:7", "2001:db8::7"},
        {AF_INET6, "::1", "::1"},
        {AF_INET6, "::", "::"},
        {AF_INET6, "::ffff:192.0.2.7", "192.0.2.7"},
        {AF_INET6, "::ffff:0.0.0.0", "0.0.0.0"},
        // They begin as mapped ones are written, and are none.
        {AF_INET6, "::ffff:0:192.0.2.7", "::ffff:0:c000:207"},
        {AF_INET6, "::ffff:1:2:3", "::ffff:1:2:3"},
        {AF_INET6, "::ffff", "::ffff"},
        {AF_INET6, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
         "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        union syntax_address from = {.any.sa_family = (sa_family_t)tests[i].family};
        char text[STORE_SOURCE_LEN];
        void *octets =
            tests[i].family == AF_INET ? (void *)&from.v4.sin_addr : (void *)&from.v6.sin6_addr;
        assert_int_equal(inet_pton(tests[i].family, tests[i].address, octets), 1);
        memset(text, 'x', sizeof text);
        peer_write_address(&from.any, text);
        assert_string_equal(text, tests[i].expected);
    }
}

static void other_families_have_no_address(void **state)
{
    (void)state;
    const struct sockaddr from = {.sa_family = AF_UNIX};
    char text[STORE_SOURCE_LEN] = "something";
    peer_write_address(&from, text);
    assert_string_equal(text, "");
}

// ---- a real connection ----

struct desk {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool is_there;
    char seen[STORE_SOURCE_LEN];
};

// NOLINTNEXTLINE(readability-function-size): the library's signature
static enum MHD_Result on_request(void *context, struct MHD_Connection *connection,
                                  const char *path, const char *method, const char *version,
                                  const char *data, size_t *data_len, void **state)
{
    (void)path, (void)method, (void)version, (void)data, (void)data_len, (void)state;
    struct desk *desk = context;
    pthread_mutex_lock(&desk->lock);
    peer_address(connection, desk->seen);
    desk->is_there = true;
    pthread_cond_signal(&desk->changed);
    pthread_mutex_unlock(&desk->lock);
    return MHD_NO;
}

static void ask(uint16_t port)
{
    static const char request[] = "GET / HTTP/1.0\r\n\r\n";
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char octet;
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(send(fd, request, sizeof request - 1, MSG_NOSIGNAL), sizeof request - 1);
    struct pollfd end = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&end, 1, STALL_SEC * 1000), 1);
    assert_true(recv(fd, &octet, 1, 0) <= 0);
    close(fd);
}

static void assert_seen_at(const char *listen)
{
    struct desk desk = {.is_there = false};
    char name[64];
    int listen_fd = -1;
    assert_int_equal(listener_open(listen, &listen_fd, NULL), ERR_OK);
    assert_int_equal(listener_name(listen_fd, name, NULL), ERR_OK);
    pthread_mutex_init(&desk.lock, NULL);
    pthread_cond_init(&desk.changed, NULL);
    struct MHD_Daemon *daemon =
        MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, on_request, &desk,
                         MHD_OPTION_LISTEN_SOCKET, listen_fd, MHD_OPTION_END);
    assert_non_null(daemon);
    ask((uint16_t)atoi(strrchr(name, ':') + 1));
    MHD_stop_daemon(daemon);
    assert_true(desk.is_there);
    assert_string_equal(desk.seen, "127.0.0.1");
    pthread_cond_destroy(&desk.changed);
    pthread_mutex_destroy(&desk.lock);
}

static void ipv4_is_ipv4_on_any_socket(void **state)
{
    (void)state;
    assert_seen_at("127.0.0.1:0");
    int probe = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (probe < 0) {
        skip(); // a kernel without IPv6
    }
    close(probe);
    assert_seen_at("[::]:0");
}

// ---- hints ----

static void the_device_in_a_user_agent(void **state)
{
    (void)state;
    static const struct {
        const char *user_agent;
        const char *hint; // "" = none
    } tests[] = {
        {"Cisco-CP-8841-3PCC/11.0 (00562b043615)", "00562b043615"},
        {"Cisco-CP-7841-3PCC/11.3.1 (00562b043615) (FCH2133E8B9)", "FCH2133E8B9"},
        {"(FCH2133E8B9)", "FCH2133E8B9"},
        {"x (FCH2133E8B9) and more", "FCH2133E8B9"},
        {"x (123456)", "123456"},
        {"x (12345)", ""},
        {"x (0123456789abcdef0123456789abcdef)", "0123456789abcdef0123456789abcdef"},
        {"x (0123456789abcdef0123456789abcdef0)", ""},
        {"Mozilla/5.0 (X11; Linux x86_64)", ""},
        {"x (00:56:2b:04:36:15)", ""},
        {"x (FCH2133E8B9", ""},
        {"x FCH2133E8B9)", ""},
        {"x )FCH2133E8B9(", ""},
        {"x ()", ""},
        {"x (", ""},
        {"x (FCH2133\xc3\xa9\xc3\xa9)", ""},
        {"x (FCH2133E8B9\n)", ""},
        {"curl/7.88.1", ""},
        {"", ""},
        {NULL, ""},
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        struct view hint = peer_device_hint(tests[i].user_agent);
        if (!view_is_text(hint, tests[i].hint)) {
            fail_msg("row %zu: \"%.*s\"", i, (int)hint.len, (const char *)hint.data);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_have_one_notation),
        cmocka_unit_test(other_families_have_no_address),
        cmocka_unit_test(ipv4_is_ipv4_on_any_socket),
        cmocka_unit_test(the_device_in_a_user_agent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
