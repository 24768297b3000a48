// SPDX-License-Identifier: Apache-2.0
// Which Host headers are this machine's own.
#include <arpa/inet.h>
#include <netinet/in.h>

#include "kit/kit.h"
#include "server/web/host.h"

static struct sockaddr_storage address_of(const char *text)
{
    struct sockaddr_storage address = {0};
    struct sockaddr_in *v4 = (struct sockaddr_in *)&address;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&address;
    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
    } else {
        assert_int_equal(inet_pton(AF_INET6, text, &v6->sin6_addr), 1);
        v6->sin6_family = AF_INET6;
    }
    return address;
}

static void loopback_and_our_own_address(void **state)
{
    (void)state;
    static const struct {
        const char *host;
        const char *local;
        bool is_ours;
    } rows[] = {
        {"localhost", "127.0.0.1", true},
        {"LocalHost:9180", "127.0.0.1", true},
        {"127.0.0.1", "127.0.0.1", true},
        {"127.0.0.1:9180", "127.0.0.1", true},
        {"127.0.0.7:9180", "127.0.0.1", true},
        {"[::1]", "::1", true},
        {"[::1]:9180", "::1", true},
        {"[::ffff:127.0.0.1]:80", "::1", true},
        {"192.0.2.7:9180", "192.0.2.7", true},
        {"192.0.2.7:9180", "::ffff:192.0.2.7", true},
        {"[2001:db8::7]", "2001:db8::7", true},
        {"[2001:DB8:0::7]:1", "2001:db8::7", true},
        // Foreign names, whatever address they have at present.
        {"attacker.example", "127.0.0.1", false},
        {"localhost.attacker.example", "127.0.0.1", false},
        {"127.0.0.1.attacker.example", "127.0.0.1", false},
        {"127.0.0.1:80.attacker.example", "127.0.0.1", false},
        {"attacker.example:127", "127.0.0.1", false},
        {"192.0.2.8", "192.0.2.7", false},
        {"0.0.0.0", "127.0.0.1", false},
        {"[::]", "::1", false},
        {"[2001:db8::8]", "2001:db8::7", false},
        // Not a host at all.
        {"", "127.0.0.1", false},
        {":80", "127.0.0.1", false},
        {"localhost:", "127.0.0.1", true}, // RFC 3986 allows an empty port
        {"localhost:80x", "127.0.0.1", false},
        {"localhost@attacker.example", "127.0.0.1", false},
        {"[::1", "::1", false},
        {"[::1]x", "::1", false},
        {"[]:80", "::1", false},
        {"2130706433", "127.0.0.1", false},
        {"127.1", "127.0.0.1", false},
        {"1111111111222222222233333333334444444444555555555566666666667777", "::1", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sockaddr_storage local = address_of(rows[i].local);
        if (host_is_ours(rows[i].host, (struct sockaddr *)&local) != rows[i].is_ours) {
            fail_msg("%s at %s", rows[i].host, rows[i].local);
        }
    }
    struct sockaddr_storage other = {.ss_family = AF_UNIX};
    assert_false(host_is_ours(NULL, NULL));
    assert_true(host_is_ours("localhost", NULL));
    assert_false(host_is_ours("192.0.2.7", NULL));
    assert_false(host_is_ours("192.0.2.7", (struct sockaddr *)&other));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loopback_and_our_own_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
