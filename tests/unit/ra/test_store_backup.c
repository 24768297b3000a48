// SPDX-License-Identifier: Apache-2.0
// Copies of a store that is written meanwhile, copies that are given up, and the CRL numbers of a
// store that was restored.
#include "ra/writer_kit.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ra/store/store_backup.h"
#include "ra/store/store_env.h"

#define CHUNK_LEN 65536
#define MANY      600 // certificates: more than a socket holds, so that the copy waits for its reader

static struct store_backup *begin(struct writer_kit *kit)
{
    struct err err = {0};
    struct store_backup *backup = NULL;
    if (store_backup_begin(kit->store, &backup, &err) != ERR_OK) {
        fail_msg("%s", err.text);
    }
    return backup;
}

// Reads up to `limit` octets of the copy into a file; returns how many came before its end.
static size_t take(struct store_backup *backup, int file, size_t limit)
{
    static uint8_t chunk[CHUNK_LEN];
    size_t taken = 0;
    struct pollfd ready = {.fd = store_backup_fd(backup), .events = POLLIN};
    while (taken < limit) {
        assert_true(poll(&ready, 1, -1) > 0);
        size_t wanted = limit - taken < CHUNK_LEN ? limit - taken : CHUNK_LEN;
        ssize_t got = recv(ready.fd, chunk, wanted, MSG_DONTWAIT);
        assert_true(got >= 0);
        if (got == 0) {
            break;
        }
        assert_int_equal(write(file, chunk, (size_t)got), got);
        taken += (size_t)got;
    }
    return taken;
}

static int new_copy(struct writer_kit *kit, const char *name)
{
    char *folder = kit_path(kit->folder, name);
    char *path = kit_path(folder, "data.mdb");
    assert_int_equal(mkdir(folder, 0700), 0);
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_true(file >= 0);
    free(path);
    free(folder);
    return file;
}

static struct store *open_copy(struct writer_kit *kit, const char *name)
{
    struct err err = {0};
    struct store *copy = NULL;
    char *folder = kit_path(kit->folder, name);
    if (store_open(folder, 8 * STORE_KIT_OCTETS, &copy, &err) != ERR_OK) {
        fail_msg("%s", err.text);
    }
    free(folder);
    return copy;
}

static uint64_t count(struct store *store)
{
    struct store_counts counts = {0};
    assert_int_equal(store_count(store, &counts, NULL), ERR_OK);
    return counts.certificates;
}

static void issue(struct writer_kit *kit, unsigned from, unsigned until)
{
    for (unsigned number = from; number < until; number++) {
        char device[STORE_DEVICE_LEN];
        snprintf(device, sizeof device, "device-%u", number);
        writer_kit_issue(kit, number, device, false);
    }
}

static void test_copy(void **state)
{
    struct writer_kit *kit = *state;
    issue(kit, 0, 20);
    int file = new_copy(kit, "copy");
    struct store_backup *backup = begin(kit);
    assert_true(take(backup, file, SIZE_MAX) > 0);
    assert_int_equal(store_backup_end(backup, NULL), ERR_OK);
    close(file);
    struct store *copy = open_copy(kit, "copy");
    assert_int_equal(count(copy), 20);
    struct store_certificate expected = store_kit_certificate(7);
    struct store_certificate found = {0};
    assert_int_equal(store_find_serial(copy, expected.serial, &found, NULL), ERR_OK);
    assert_true(view_equal(buf_view(&found.der), buf_view(&expected.der)));
    store_certificate_done(&found);
    store_certificate_done(&expected);
    store_close(copy);
}

// While nobody reads on, the writer goes on, and what it writes is not in the copy.
static void test_one_moment(void **state)
{
    struct writer_kit *kit = *state;
    issue(kit, 0, MANY);
    int file = new_copy(kit, "copy");
    struct store_backup *backup = begin(kit);
    assert_int_equal(take(backup, file, 1), 1);
    issue(kit, MANY, MANY + 50);
    assert_int_equal(count(kit->store), MANY + 50);
    take(backup, file, SIZE_MAX);
    assert_int_equal(store_backup_end(backup, NULL), ERR_OK);
    close(file);
    struct store *copy = open_copy(kit, "copy");
    assert_int_equal(count(copy), MANY);
    store_close(copy);
}

static void test_one_at_a_time(void **state)
{
    struct writer_kit *kit = *state;
    struct err err = {0};
    struct store_backup *second = NULL;
    issue(kit, 0, MANY);
    int file = new_copy(kit, "copy");
    struct store_backup *backup = begin(kit);
    assert_int_equal(take(backup, file, 1), 1);
    assert_int_equal(store_backup_begin(kit->store, &second, &err), ERR_BUSY);
    assert_string_equal(err.text, "a backup is being made already");
    assert_null(second);
    take(backup, file, SIZE_MAX);
    assert_int_equal(store_backup_end(backup, NULL), ERR_OK);
    assert_int_equal(store_backup_end(begin(kit), NULL), ERR_DENIED);
    close(file);
}

static void test_reader_gone(void **state)
{
    struct writer_kit *kit = *state;
    struct err err = {0};
    issue(kit, 0, MANY);
    int file = new_copy(kit, "copy");
    struct store_backup *backup = begin(kit);
    assert_int_equal(take(backup, file, 1), 1);
    assert_int_equal(store_backup_end(backup, &err), ERR_DENIED);
    assert_string_equal(err.text, "nobody took the copy to its end");
    close(file);
    issue(kit, MANY, MANY + 1);
}

// The map must grow while a reader holds the copy up: the writer does not wait for it.
static void test_gives_way(void **state)
{
    struct writer_kit *kit = *state;
    struct err err = {0};
    struct store_counts before = writer_kit_counts(kit);
    issue(kit, 0, MANY);
    int file = new_copy(kit, "copy");
    struct store_backup *backup = begin(kit);
    assert_int_equal(take(backup, file, 1), 1);
    unsigned number = MANY;
    while (writer_kit_counts(kit).map_octets == before.map_octets) {
        issue(kit, number, number + 100);
        number += 100;
        assert_true(number < 100 * MANY);
    }
    take(backup, file, SIZE_MAX);
    assert_int_equal(store_backup_end(backup, &err), ERR_BUSY);
    assert_non_null(strstr(err.text, "ask again"));
    close(file);

    file = new_copy(kit, "again");
    backup = begin(kit);
    take(backup, file, SIZE_MAX);
    assert_int_equal(store_backup_end(backup, NULL), ERR_OK);
    close(file);
    struct store *copy = open_copy(kit, "again");
    assert_int_equal(count(copy), number);
    store_close(copy);
}

static void test_settle(void **state)
{
    struct writer_kit *kit = *state;
    static const uint8_t der[] = {0x30, 0x00};
    for (uint8_t ca = 1; ca <= 3; ca++) {
        struct store_crl crl = {.issuer = {ca},
                                .number = ca,
                                .this_update = KIT_NOW,
                                .next_update = KIT_NOW + 604800,
                                .der = {.data = (uint8_t *)(uintptr_t)der, .len = sizeof der}};
        struct write_order order = {.kind = WRITE_CRL, .now = KIT_NOW, .crl = &crl};
        writer_kit_write(kit, &order);
    }
    int file = new_copy(kit, "copy");
    struct store_backup *backup = begin(kit);
    take(backup, file, SIZE_MAX);
    assert_int_equal(store_backup_end(backup, NULL), ERR_OK);
    close(file);
    struct store *copy = open_copy(kit, "copy");
    assert_int_equal(store_backup_settle(copy, NULL), ERR_OK);
    for (uint8_t ca = 1; ca <= 3; ca++) {
        struct store_crl crl = {0};
        const uint8_t issuer[SHA256_LEN] = {ca};
        assert_int_equal(store_find_crl(copy, issuer, &crl, NULL), ERR_OK);
        assert_int_equal(crl.number, ca + STORE_CRL_NUMBER_GAP);
        assert_int_equal(crl.next_update, KIT_NOW);
        assert_true(view_equal(buf_view(&crl.der), view_of(der, sizeof der)));
        store_crl_done(&crl);
    }
    store_close(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_WRITER_KIT(test_copy),          WITH_WRITER_KIT(test_one_moment),
        WITH_WRITER_KIT(test_one_at_a_time), WITH_WRITER_KIT(test_reader_gone),
        WITH_WRITER_KIT(test_gives_way),     WITH_WRITER_KIT(test_settle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
