// SPDX-License-Identifier: Apache-2.0
// Listening sockets: addresses and ports, what stands in a Unix socket's place.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "kit/kit.h"
#include "server/listener.h"

static void finds_a_free_port(void **state)
{
    (void)state;
    struct err err = {0};
    char name[LISTENER_TEXT_LEN];
    int fd = -1;
    assert_int_equal(listener_open("127.0.0.1:0", &fd, &err), ERR_OK);
    assert_int_equal(listener_name(fd, name, &err), ERR_OK);
    assert_memory_equal(name, "127.0.0.1:", strlen("127.0.0.1:"));
    assert_true(atoi(strchr(name, ':') + 1) > 0);

    int second = -1;
    assert_int_equal(listener_open(name, &second, &err), ERR_IO);
    assert_non_null(strstr(err.text, "cannot listen on 127.0.0.1:"));
    assert_non_null(strstr(err.text, "in use"));
    assert_int_equal(second, -1);
    close(fd);
    assert_int_equal(listener_open(name, &second, &err), ERR_OK);
    close(second);
}

static void refuses_what_is_no_address(void **state)
{
    (void)state;
    const char *const texts[] = {"", "127.0.0.1", "localhost:80", "[::1]", "127.0.0.1:65536"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct err err = {0};
        int fd = -1;
        assert_int_equal(listener_open(texts[i], &fd, &err), ERR_SYNTAX);
        assert_memory_equal(err.text, texts[i], strlen(texts[i]));
        assert_int_equal(fd, -1);
    }
}

static void inherits_nothing_without_listen_fds(void **state)
{
    (void)state;
    struct listener_inherited inherited = {.web_fd = 5, .scep_fd = 5};
    unsetenv("LISTEN_FDS");
    assert_int_equal(listener_inherit(&inherited, NULL), ERR_OK);
    assert_int_equal(inherited.web_fd, -1);
    assert_int_equal(inherited.scep_fd, -1);
}

static void makes_a_private_packet_socket(void **state)
{
    (void)state;
    struct err err = {0};
    struct stat status;
    char *folder = kit_new_folder();
    char *path = kit_path(folder, "ca.sock");
    int fd = -1;
    assert_int_equal(listener_open_unix(path, SOCK_SEQPACKET, &fd, &err), ERR_OK);
    assert_int_equal(stat(path, &status), 0);
    assert_true(S_ISSOCK(status.st_mode));
    assert_int_equal(status.st_mode & 0777, 0600);
    int type = 0;
    socklen_t len = sizeof type;
    assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len), 0);
    assert_int_equal(type, SOCK_SEQPACKET);

    // Whoever had it is gone: it is replaced.
    close(fd);
    assert_int_equal(listener_open_unix(path, SOCK_SEQPACKET, &fd, &err), ERR_OK);
    close(fd);
    free(path);
    kit_remove_folder(folder);
}

static void leaves_other_things_alone(void **state)
{
    (void)state;
    struct err err = {0};
    char *folder = kit_new_folder();
    char *path = kit_write(folder, "ca.sock", view_of_text("a file"));
    int fd = -1;
    assert_int_equal(listener_open_unix(path, SOCK_SEQPACKET, &fd, &err), ERR_EXISTS);
    assert_non_null(strstr(err.text, "exists and is not a socket"));
    assert_int_equal(access(path, F_OK), 0);
    free(path);

    path = kit_path(folder, "absent/ca.sock");
    assert_int_equal(listener_open_unix(path, SOCK_SEQPACKET, &fd, &err), ERR_NOT_FOUND);
    free(path);

    char long_path[256];
    memset(long_path, 'x', sizeof long_path - 1);
    long_path[sizeof long_path - 1] = '\0';
    assert_int_equal(listener_open_unix(long_path, SOCK_SEQPACKET, &fd, &err), ERR_LIMIT);
    assert_non_null(strstr(err.text, "is longer than"));
    assert_int_equal(fd, -1);
    kit_remove_folder(folder);
}

// Somebody who listens and stays is waited for in vain.
static void does_not_take_a_living_socket(void **state)
{
    (void)state;
    struct err err = {0};
    char *folder = kit_new_folder();
    char *path = kit_path(folder, "ca.sock");
    int first = -1;
    int second = -1;
    assert_int_equal(listener_open_unix(path, SOCK_SEQPACKET, &first, &err), ERR_OK);
    assert_int_equal(listener_open_unix(path, SOCK_SEQPACKET, &second, &err), ERR_EXISTS);
    assert_non_null(strstr(err.text, "another process listens on"));
    assert_int_equal(second, -1);
    close(first);
    free(path);
    kit_remove_folder(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_a_free_port),
        cmocka_unit_test(refuses_what_is_no_address),
        cmocka_unit_test(inherits_nothing_without_listen_fds),
        cmocka_unit_test(makes_a_private_packet_socket),
        cmocka_unit_test(leaves_other_things_alone),
        cmocka_unit_test(does_not_take_a_living_socket),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
