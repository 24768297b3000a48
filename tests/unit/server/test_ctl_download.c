// SPDX-License-Identifier: Apache-2.0
// Copies of the store that come from a scepd that is not well: cut off, damaged, refused. It is
// played by a thread that gives one answer to each connection.
#include "server/site_kit.h"

#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "server/ctl_kit.h"

#define STORE       "the store's octets"
#define HEAD_MAX    4096
#define ANSWERS_MAX 8

enum answer { WHOLE, CUT_OFF, CUT_AT_HASH, DAMAGED, REFUSED, BUSY, NO_JSON };

struct player {
    char *folder;
    char *config;
    char *socket;
    char *backup;
    int fd;
    const enum answer *answers; // to one connection after the other; the last one for all further
    unsigned count;
    unsigned given;
    pthread_t thread;
};

static void give(int fd, const void *octets, size_t len)
{
    assert_int_equal(send(fd, octets, len, MSG_NOSIGNAL), len);
}

static void give_head(int fd, const char *status, const char *type, size_t len)
{
    char head[HEAD_MAX];
    int written = snprintf(head, sizeof head,
                           "HTTP/1.1 %s\r\nContent-Type: %s\r\nScepd-Store-Schema: 2\r\n"
                           "Scepd-Certificates: 7\r\nContent-Length: %zu\r\n\r\n",
                           status, type, len);
    give(fd, head, (size_t)written);
}

static void give_copy(int fd, enum answer kind)
{
    uint8_t digest[SHA256_LEN];
    const struct view copy = view_of_text(STORE);
    ossl_sha256(&copy, 1, digest);
    digest[0] ^= kind == DAMAGED ? 1 : 0;
    give_head(fd, "200 OK", "application/octet-stream", copy.len + sizeof digest);
    give(fd, copy.data, kind == CUT_OFF ? copy.len / 2 : copy.len);
    if (kind != CUT_OFF) {
        give(fd, digest, kind == CUT_AT_HASH ? sizeof digest - 1 : sizeof digest);
    }
}

static void give_text(int fd, const char *status, const char *text)
{
    give_head(fd, status, "application/json", strlen(text));
    give(fd, text, strlen(text));
}

static void answer(int fd, enum answer kind)
{
    char request[HEAD_MAX];
    assert_true(read(fd, request, sizeof request) > 0);
    if (kind == REFUSED) {
        give_text(fd, "409 Conflict", "{\"message\": \"another one is being made\"}");
    } else if (kind == BUSY) {
        give_text(fd, "503 Service Unavailable", "{\"message\": \"ask again\"}");
    } else if (kind == NO_JSON) {
        give_text(fd, "404 Not Found", "<html>");
    } else {
        give_copy(fd, kind);
    }
    close(fd);
}

static void *play(void *context)
{
    struct player *player = context;
    for (;;) {
        int fd = accept(player->fd, NULL, NULL);
        if (fd < 0) {
            return NULL; // shut down
        }
        unsigned at = player->given < player->count ? player->given : player->count - 1;
        answer(fd, player->answers[at]);
        player->given++;
    }
}

static void start(struct player *player)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, player->socket, strlen(player->socket) + 1);
    player->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(player->fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(player->fd, ANSWERS_MAX), 0);
    assert_int_equal(pthread_create(&player->thread, NULL, play, player), 0);
}

static void stop(struct player *player)
{
    shutdown(player->fd, SHUT_RDWR);
    pthread_join(player->thread, NULL);
    close(player->fd);
    unlink(player->socket);
}

static int set_up(void **state)
{
    struct player *player = calloc(1, sizeof *player);
    player->folder = kit_new_folder();
    player->config = kit_path(player->folder, "scepd.conf");
    player->socket = kit_path(player->folder, "admin.sock");
    player->backup = kit_path(player->folder, "backup.tar");
    site_init(player->folder, NULL);
    char *store = kit_path(player->folder, "store");
    free(kit_write(store, "data.mdb", view_of_text(STORE)));
    free(store);
    *state = player;
    return 0;
}

static int tear_down(void **state)
{
    struct player *player = *state;
    free(player->config);
    free(player->socket);
    free(player->backup);
    kit_remove_folder(player->folder);
    free(player);
    return 0;
}

#define PLAYER_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static struct outcome back_up(struct player *player)
{
    return ctl_kit_run((const char *const[]){"-c", player->config, "backup", player->backup, NULL});
}

// Asked again as often as it takes, and then what came in the end counts.
static void test_again(void **state)
{
    static const enum answer answers[] = {CUT_OFF, DAMAGED, CUT_AT_HASH, BUSY, WHOLE};
    struct player *player = *state;
    player->answers = answers;
    player->count = sizeof answers / sizeof answers[0];
    start(player);
    struct outcome made = back_up(player);
    stop(player);
    assert_string_equal(made.errors, "");
    assert_int_equal(made.code, CTL_OK);
    assert_contains(made.out, "7 certificates, 18 octets");
    assert_int_equal(player->given, player->count);
    outcome_done(&made);
}

static void test_given_up(void **state)
{
    static const struct {
        enum answer answer;
        unsigned asked;
        const char *words;
    } rows[] = {
        {CUT_OFF, 5, "tried 5 times; scepd's log says why: scepd ended its answer before its end"},
        {CUT_AT_HASH, 5, "scepd ended its answer before its end"},
        {DAMAGED, 5, "what scepd sent of the store is not whole"},
        {BUSY, 5, "scepd says no: ask again"},
        {REFUSED, 1, "no backup was made: scepd says no: another one is being made"},
        {NO_JSON, 1, "scepd says no: no reason given"},
    };
    struct player *player = *state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        player->answers = &rows[i].answer;
        player->count = 1;
        player->given = 0;
        start(player);
        struct outcome made = back_up(player);
        stop(player);
        assert_contains(made.errors, rows[i].words);
        assert_int_equal(made.code, CTL_FAILED);
        assert_int_equal(player->given, rows[i].asked);
        assert_int_equal(access(player->backup, F_OK), -1);
        outcome_done(&made);
    }
}

static void test_nobody(void **state)
{
    struct player *player = *state;
    struct outcome made = back_up(player);
    assert_contains(made.errors, "no backup was made: cannot reach scepd at ");
    assert_contains(made.errors, "No such file or directory");
    assert_int_equal(made.code, CTL_FAILED);
    outcome_done(&made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLAYER_TEST(test_again),
        PLAYER_TEST(test_given_up),
        PLAYER_TEST(test_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
