// SPDX-License-Identifier: Apache-2.0
#include "kit/kit.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ra/store/store_write.h"
#include "ra/store_kit.h"

struct fixture {
    char *folder;
    char *directory;
    struct store *store;
};

static struct store *open_store(const char *directory)
{
    struct store *store = NULL;
    struct err err = {0};
    if (store_open(directory, STORE_KIT_OCTETS, &store, &err) != ERR_OK) {
        fail_msg("%s", err.text);
    }
    return store;
}

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    fixture->folder = kit_new_folder();
    fixture->directory = kit_path(fixture->folder, "store");
    fixture->store = open_store(fixture->directory);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    store_close(fixture->store);
    free(fixture->directory);
    kit_remove_folder(fixture->folder);
    free(fixture);
    return 0;
}

static struct store_txn begin(struct store *store)
{
    struct store_txn txn = {0};
    assert_int_equal(store_txn_begin_write(store, &txn, NULL), ERR_OK);
    return txn;
}

static void commit(struct store_txn *txn)
{
    struct err err = {0};
    if (store_txn_commit(txn, &err) != ERR_OK) {
        fail_msg("%s", err.text);
    }
}

static void put(struct store_txn *txn, const struct store_certificate *certificate)
{
    struct err err = {0};
    if (store_add_certificate(txn, certificate, 0, &err) != ERR_OK) {
        fail_msg("%s", err.text);
    }
}

static void add(struct store *store, const struct store_certificate *certificate)
{
    struct store_txn txn = begin(store);
    put(&txn, certificate);
    commit(&txn);
}

static void add_numbered(struct store *store, unsigned first, unsigned count)
{
    struct store_txn txn = begin(store);
    for (unsigned i = first; i < first + count; i++) {
        struct store_certificate certificate = store_kit_certificate(i);
        put(&txn, &certificate);
        store_certificate_done(&certificate);
    }
    commit(&txn);
}

static unsigned mode_of(const char *folder, const char *name)
{
    char *path = kit_path(folder, name);
    struct stat stat_buf = {0};
    assert_int_equal(stat(path, &stat_buf), 0);
    free(path);
    return stat_buf.st_mode & ALLPERMS;
}

static void nobody_else_can_read_the_files(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(mode_of(fixture->folder, "store"), 0700);
    assert_int_equal(mode_of(fixture->directory, "data.mdb"), 0600);
    assert_int_equal(mode_of(fixture->directory, "lock.mdb"), 0600);
    assert_int_equal(mode_of(fixture->directory, "scepd.lock"), 0600);
}

static void a_second_daemon_is_kept_out(void **state)
{
    struct fixture *fixture = *state;
    struct store *second = NULL;
    struct err err = {0};
    assert_int_equal(store_open(fixture->directory, STORE_KIT_OCTETS, &second, &err), ERR_BUSY);
    assert_non_null(strstr(err.text, fixture->directory));
    assert_non_null(strstr(err.text, "another process has it open; only one scepd may"));
    assert_null(second);
    struct store_counts counts = {0};
    assert_int_equal(store_count(fixture->store, &counts, NULL), ERR_OK);
    store_close(fixture->store);
    fixture->store = open_store(fixture->directory);
}

static void a_missing_folder_above_is_an_error(void **state)
{
    struct fixture *fixture = *state;
    char *path = kit_path(fixture->folder, "no/store");
    struct store *store = NULL;
    struct err err = {0};
    assert_int_equal(store_open(path, STORE_KIT_OCTETS, &store, &err), ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "cannot make the folder"));
    free(path);
}

static void a_file_that_is_not_lmdb_is_an_error(void **state)
{
    struct fixture *fixture = *state;
    char *directory = kit_path(fixture->folder, "other");
    assert_int_equal(mkdir(directory, 0700), 0);
    char garbage[8192];
    memset(garbage, 'x', sizeof garbage);
    free(kit_write(directory, "data.mdb", view_of(garbage, sizeof garbage)));
    struct store *store = NULL;
    struct err err = {0};
    assert_int_equal(store_open(directory, STORE_KIT_OCTETS, &store, &err), ERR_IO);
    assert_non_null(strstr(err.text, "opening LMDB: MDB_INVALID"));
    free(directory);
}

static void put_schema(struct fixture *fixture, struct view version)
{
    struct store_txn txn = begin(fixture->store);
    store_txn_put(&txn, TABLE_META, view_of_text("schema"), version);
    commit(&txn);
    store_close(fixture->store);
    fixture->store = NULL;
}

static void a_newer_schema_is_not_opened(void **state)
{
    struct fixture *fixture = *state;
    static const uint8_t newer[] = {0, 0, 0, STORE_SCHEMA_VERSION + 6};
    put_schema(fixture, view_of(newer, sizeof newer));
    struct err err = {0};
    assert_int_equal(store_open(fixture->directory, STORE_KIT_OCTETS, &fixture->store, &err),
                     ERR_CONFIG);
    assert_non_null(strstr(err.text, "its schema version is 9, this program knows 3: a newer "
                                     "scepd wrote it"));
    assert_null(fixture->store);
}

static void a_schema_from_before_the_first_release_is_not_opened(void **state)
{
    struct fixture *fixture = *state;
    static const uint8_t older[] = {0, 0, 0, 1};
    put_schema(fixture, view_of(older, sizeof older));
    struct err err = {0};
    assert_int_equal(store_open(fixture->directory, STORE_KIT_OCTETS, &fixture->store, &err),
                     ERR_CONFIG);
    assert_non_null(strstr(err.text, "its schema version is 1, from before the first release; this "
                                     "program knows 3 and cannot convert it"));
    assert_null(fixture->store);
}

static void an_unreadable_schema_is_not_opened(void **state)
{
    static const struct {
        const char *octets;
        size_t len;
    } bad[] = {{"\0\0\0\0", 4}, {"\0\0\0", 3}, {"\0\0\0\1\0", 5}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct fixture *fixture = *state;
        put_schema(fixture, view_of(bad[i].octets, bad[i].len));
        struct err err = {0};
        assert_int_equal(store_open(fixture->directory, STORE_KIT_OCTETS, &fixture->store, &err),
                         ERR_CONFIG);
        assert_non_null(strstr(err.text, "the schema version cannot be read"));
        teardown(state);
        setup(state);
    }
}

static void anothers_database_is_not_opened(void **state)
{
    struct fixture *fixture = *state;
    char *directory = kit_path(fixture->folder, "other");
    assert_int_equal(mkdir(directory, 0700), 0);
    MDB_env *env = NULL;
    MDB_txn *txn = NULL;
    MDB_dbi table = 0;
    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_set_maxdbs(env, 1), 0);
    assert_int_equal(mdb_env_open(env, directory, 0, 0600), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, "recipes", MDB_CREATE, &table), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
    struct store *store = NULL;
    struct err err = {0};
    assert_int_equal(store_open(directory, STORE_KIT_OCTETS, &store, &err), ERR_CONFIG);
    assert_non_null(strstr(err.text, "it has no schema version: another program wrote it"));
    free(directory);
}

static void nothing_is_found_in_an_empty_store(void **state)
{
    struct fixture *fixture = *state;
    static const uint8_t zeroes[SHA256_LEN];
    struct store_certificate certificate = {0};
    struct store_transaction transaction = {0};
    struct store_challenge challenge = {0};
    struct store *store = fixture->store;
    struct err err = {0};
    assert_int_equal(store_find_serial(store, zeroes, &certificate, &err), ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "certificates"));
    assert_int_equal(store_find_key(store, zeroes, &certificate, &err), ERR_NOT_FOUND);
    assert_int_equal(store_find_device(store, "SEP", &certificate, &err), ERR_NOT_FOUND);
    assert_int_equal(store_find_transaction(store, zeroes, &transaction, &err), ERR_NOT_FOUND);
    assert_int_equal(store_find_challenge(store, zeroes, &challenge, &err), ERR_NOT_FOUND);
    assert_null(certificate.der.data);
}

static void what_was_put_is_found_after_opening_again(void **state)
{
    struct fixture *fixture = *state;
    struct store_certificate issued = store_kit_certificate(3);
    struct store_challenge put_challenge = store_kit_challenge(3);
    struct store_transaction put_transaction = {.state = TRANSACTION_ISSUED, .changed_at = 5};
    memcpy(put_transaction.key, issued.transaction_key, SHA256_LEN);
    memcpy(put_transaction.serial, issued.serial, SERIAL_LEN);
    struct store_txn txn = begin(fixture->store);
    put(&txn, &issued);
    store_put_transaction(&txn, &put_transaction);
    store_put_challenge(&txn, &put_challenge);
    commit(&txn);
    store_close(fixture->store);
    fixture->store = open_store(fixture->directory);

    struct store_certificate got = {0};
    assert_int_equal(store_find_serial(fixture->store, issued.serial, &got, NULL), ERR_OK);
    store_kit_assert_same(&issued, &got);
    store_certificate_done(&got);
    assert_int_equal(store_find_key(fixture->store, issued.spki_hash, &got, NULL), ERR_OK);
    store_kit_assert_same(&issued, &got);
    store_certificate_done(&got);
    assert_int_equal(store_find_device(fixture->store, issued.device, &got, NULL), ERR_OK);
    store_kit_assert_same(&issued, &got);
    store_certificate_done(&got);
    struct store_transaction transaction = {0};
    assert_int_equal(
        store_find_transaction(fixture->store, issued.transaction_key, &transaction, NULL), ERR_OK);
    assert_int_equal(transaction.state, TRANSACTION_ISSUED);
    assert_memory_equal(transaction.serial, issued.serial, SERIAL_LEN);
    struct store_challenge challenge = {0};
    assert_int_equal(store_find_challenge(fixture->store, put_challenge.hash, &challenge, NULL),
                     ERR_OK);
    assert_string_equal(challenge.id, put_challenge.id);
    assert_int_equal(challenge.uses_left, 2);
    store_certificate_done(&issued);
}

static void an_aborted_transaction_leaves_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct store_certificate certificate = store_kit_certificate(1);
    struct store_txn txn = begin(fixture->store);
    put(&txn, &certificate);
    struct record_certificate seen = {0};
    struct store_certificate got = {0};
    assert_int_equal(store_get_certificate(&txn, certificate.serial, &seen, NULL), ERR_OK);
    store_certificate_done(&seen.certificate);
    store_txn_fail(&txn, &(struct err){.code = ERR_NOMEM, .text = "first"});
    store_txn_fail(&txn, &(struct err){.code = ERR_IO, .text = "second"});
    put(&txn, &certificate);
    struct err err = {0};
    assert_int_equal(store_txn_commit(&txn, &err), ERR_NOMEM);
    assert_string_equal(err.text, "first");
    assert_int_equal(store_find_serial(fixture->store, certificate.serial, &got, NULL),
                     ERR_NOT_FOUND);
    store_certificate_done(&certificate);
}

static void the_newest_of_a_key_or_device_wins(void **state)
{
    struct fixture *fixture = *state;
    // In the order of writing; a later time wins, and in one second the later one written.
    static const int64_t issued_at[] = {KIT_NOW + 5, KIT_NOW + 9, KIT_NOW + 7, KIT_NOW + 9};
    static const unsigned newest_serial[] = {1, 2, 2, 4};
    struct store_certificate other = store_kit_certificate(99);
    add(fixture->store, &other);
    for (unsigned i = 0; i < 4; i++) {
        struct store_certificate certificate = store_kit_certificate(1);
        unsigned serial = i + 1;
        memcpy(certificate.serial + 1, &serial, sizeof serial);
        certificate.issued_at = issued_at[i];
        add(fixture->store, &certificate);
        struct store_certificate got = {0};
        struct store_certificate expected = store_kit_certificate(newest_serial[i]);
        assert_int_equal(store_find_key(fixture->store, certificate.spki_hash, &got, NULL), ERR_OK);
        assert_memory_equal(got.serial, expected.serial, SERIAL_LEN);
        store_certificate_done(&got);
        assert_int_equal(store_find_device(fixture->store, certificate.device, &got, NULL), ERR_OK);
        assert_memory_equal(got.serial, expected.serial, SERIAL_LEN);
        store_certificate_done(&got);
        store_certificate_done(&expected);
        store_certificate_done(&certificate);
    }
    store_certificate_done(&other);
}

static void keys_of_the_highest_octets_are_found(void **state)
{
    struct fixture *fixture = *state;
    struct store_certificate certificate = store_kit_certificate(1);
    memset(certificate.spki_hash, 0xFF, SHA256_LEN);
    add(fixture->store, &certificate);
    struct store_certificate got = {0};
    assert_int_equal(store_find_key(fixture->store, certificate.spki_hash, &got, NULL), ERR_OK);
    store_kit_assert_same(&certificate, &got);
    store_certificate_done(&got);
    certificate.spki_hash[SHA256_LEN - 1] = 0xFE;
    assert_int_equal(store_find_key(fixture->store, certificate.spki_hash, &got, NULL),
                     ERR_NOT_FOUND);
    store_certificate_done(&certificate);
}

static void a_device_with_too_long_a_name_is_unknown(void **state)
{
    struct fixture *fixture = *state;
    struct store_certificate certificate = store_kit_certificate(1);
    char longer[STORE_DEVICE_LEN + 1] = "";
    memset(certificate.device, 'd', STORE_DEVICE_LEN - 1);
    memset(longer, 'd', STORE_DEVICE_LEN);
    add(fixture->store, &certificate);
    struct store_certificate got = {0};
    assert_int_equal(store_find_device(fixture->store, longer, &got, NULL), ERR_NOT_FOUND);
    assert_int_equal(store_find_device(fixture->store, certificate.device, &got, NULL), ERR_OK);
    store_certificate_done(&got);
    store_certificate_done(&certificate);
}

struct listed {
    unsigned numbers[64];
    unsigned count;
    unsigned limit;
    uint8_t last[SERIAL_LEN];
};

static bool note(const struct store_certificate *certificate, void *context)
{
    struct listed *listed = context;
    assert_true(listed->count < 64);
    memcpy(&listed->numbers[listed->count++], certificate->serial + 1, sizeof(unsigned));
    memcpy(listed->last, certificate->serial, SERIAL_LEN);
    assert_int_equal(certificate->der.len, STORE_KIT_DER_LEN);
    return listed->count < listed->limit;
}

static void certificates_are_listed_newest_first_in_pages(void **state)
{
    struct fixture *fixture = *state;
    enum { COUNT = 23, PAGE = 10 };
    add_numbered(fixture->store, 0, COUNT);
    struct listed all = {.limit = 64};
    assert_int_equal(store_list_certificates(fixture->store, NULL, note, &all, NULL), ERR_OK);
    assert_int_equal(all.count, COUNT);
    for (unsigned i = 0; i < COUNT; i++) {
        assert_int_equal(all.numbers[i], COUNT - 1 - i);
    }
    struct listed pages = {.limit = PAGE};
    const uint8_t *after = NULL;
    for (unsigned page = 0; page < 3; page++) {
        assert_int_equal(store_list_certificates(fixture->store, after, note, &pages, NULL),
                         ERR_OK);
        pages.limit += PAGE;
        after = pages.last;
    }
    assert_int_equal(pages.count, COUNT);
    assert_memory_equal(pages.numbers, all.numbers, sizeof all.numbers);
    assert_int_equal(store_list_certificates(fixture->store, after, note, &pages, NULL), ERR_OK);
    assert_int_equal(pages.count, COUNT);
}

static void a_page_after_an_unknown_certificate_is_an_error(void **state)
{
    struct fixture *fixture = *state;
    add_numbered(fixture->store, 0, 2);
    static const uint8_t unknown[SERIAL_LEN] = {0x7F};
    struct listed listed = {.limit = 64};
    assert_int_equal(store_list_certificates(fixture->store, unknown, note, &listed, NULL),
                     ERR_NOT_FOUND);
    assert_int_equal(listed.count, 0);
}

static void an_empty_store_lists_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct listed listed = {.limit = 64};
    assert_int_equal(store_list_certificates(fixture->store, NULL, note, &listed, NULL), ERR_OK);
    assert_int_equal(store_list_device(fixture->store, "SEP", note, &listed, NULL), ERR_OK);
    assert_int_equal(listed.count, 0);
}

static void a_devices_history_is_its_own(void **state)
{
    struct fixture *fixture = *state;
    static const char *const devices[] = {"phone1", "phone10", "phone1", "phone", "phone1"};
    for (unsigned i = 0; i < 5; i++) {
        struct store_certificate certificate = store_kit_certificate(i);
        snprintf(certificate.device, sizeof certificate.device, "%s", devices[i]);
        add(fixture->store, &certificate);
        store_certificate_done(&certificate);
    }
    struct listed listed = {.limit = 64};
    assert_int_equal(store_list_device(fixture->store, "phone1", note, &listed, NULL), ERR_OK);
    assert_int_equal(listed.count, 3);
    assert_int_equal(listed.numbers[0], 4);
    assert_int_equal(listed.numbers[1], 2);
    assert_int_equal(listed.numbers[2], 0);
    listed = (struct listed){.limit = 1};
    assert_int_equal(store_list_device(fixture->store, "phone1", note, &listed, NULL), ERR_OK);
    assert_int_equal(listed.count, 1);
    listed = (struct listed){.limit = 64};
    assert_int_equal(store_list_device(fixture->store, "phone10", note, &listed, NULL), ERR_OK);
    assert_int_equal(listed.count, 1);
    assert_int_equal(listed.numbers[0], 1);
}

struct seen_challenges {
    unsigned count;
    unsigned limit;
};

static bool see_challenge(const struct store_challenge *challenge, void *context)
{
    struct seen_challenges *seen = context;
    assert_int_equal(challenge->uses_allowed, 2);
    seen->count++;
    return seen->count < seen->limit;
}

static void challenges_are_listed(void **state)
{
    struct fixture *fixture = *state;
    struct store_txn txn = begin(fixture->store);
    for (unsigned i = 0; i < 5; i++) {
        struct store_challenge challenge = store_kit_challenge(i);
        store_put_challenge(&txn, &challenge);
    }
    commit(&txn);
    struct seen_challenges seen = {.limit = 64};
    assert_int_equal(store_list_challenges(fixture->store, see_challenge, &seen, NULL), ERR_OK);
    assert_int_equal(seen.count, 5);
    seen = (struct seen_challenges){.limit = 2};
    assert_int_equal(store_list_challenges(fixture->store, see_challenge, &seen, NULL), ERR_OK);
    assert_int_equal(seen.count, 2);
}

static void a_challenge_is_found_by_its_id(void **state)
{
    struct fixture *fixture = *state;
    struct store_challenge challenge = store_kit_challenge(1);
    struct store_txn txn = begin(fixture->store);
    store_put_challenge(&txn, &challenge);
    struct store_challenge got = {0};
    assert_int_equal(store_get_challenge_by_id(&txn, challenge.id, &got, NULL), ERR_OK);
    assert_memory_equal(got.hash, challenge.hash, SHA256_LEN);
    char lower[CHALLENGE_ID_LEN] = "";
    for (size_t i = 0; challenge.id[i] != '\0'; i++) {
        bool is_letter = challenge.id[i] >= 'A';
        lower[i] = (char)(challenge.id[i] | (is_letter ? 0x20 : 0));
    }
    assert_int_equal(store_get_challenge_by_id(&txn, lower, &got, NULL), ERR_OK);
    static const char *const bad[] = {"",           "00",          "0000000000",
                                      "FFFFFFFFFF", "00000000001", "xyz0000000"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct err err = {0};
        assert_int_equal(store_get_challenge_by_id(&txn, bad[i], &got, &err), ERR_NOT_FOUND);
        assert_true(err.text[0] != '\0');
    }
    store_txn_abort(&txn);
}

static void everything_is_counted(void **state)
{
    struct fixture *fixture = *state;
    add_numbered(fixture->store, 0, 3);
    struct store_challenge challenge = store_kit_challenge(1);
    struct store_transaction transaction = {.state = TRANSACTION_ISSUED};
    struct store_txn txn = begin(fixture->store);
    store_put_challenge(&txn, &challenge);
    store_put_transaction(&txn, &transaction);
    transaction.key[0] = 1;
    store_put_transaction(&txn, &transaction);
    commit(&txn);
    struct store_counts counts = {0};
    assert_int_equal(store_count(fixture->store, &counts, NULL), ERR_OK);
    assert_int_equal(counts.certificates, 3);
    assert_int_equal(counts.transactions, 2);
    assert_int_equal(counts.challenges, 1);
    assert_int_equal(counts.pending, 0);
    assert_int_equal(counts.devices, 0);
    assert_int_equal(counts.enrolled, 3);
    assert_int_equal(counts.revoked, 0);
    assert_int_equal(counts.max_octets, STORE_KIT_OCTETS);
    assert_int_equal(counts.map_octets, STORE_KIT_OCTETS); // the first map is never larger
    assert_in_range(counts.used_octets, 3 * STORE_KIT_DER_LEN, STORE_KIT_OCTETS);
}

static uint64_t count_of(struct store *store, enum store_table table)
{
    CLEANUP(store_txn_end_read) struct store_txn txn = {0};
    uint64_t count = 0;
    assert_int_equal(store_txn_begin_read(store, &txn, NULL), ERR_OK);
    assert_int_equal(store_count_table(&txn, table, &count, NULL), ERR_OK);
    return count;
}

static void every_index_names_every_certificate(void **state)
{
    struct fixture *fixture = *state;
    static const enum store_table indexes[] = {TABLE_BY_ISSUE, TABLE_BY_DEVICE, TABLE_BY_KEY,
                                               TABLE_DUE};
    add_numbered(fixture->store, 0, 4);
    for (size_t i = 0; i < sizeof indexes / sizeof indexes[0]; i++) {
        assert_int_equal(count_of(fixture->store, indexes[i]), 4);
    }
    assert_int_equal(count_of(fixture->store, TABLE_ISSUERS), 1);
    assert_int_equal(count_of(fixture->store, TABLE_SUPERSEDED), 0);
    assert_int_equal(count_of(fixture->store, TABLE_REVOKED), 0);
}

static void a_part_is_kept_or_undone_alone(void **state)
{
    struct fixture *fixture = *state;
    struct store_txn txn = begin(fixture->store);
    struct store_challenge challenges[3] = {store_kit_challenge(0), store_kit_challenge(1),
                                            store_kit_challenge(2)};
    store_put_challenge(&txn, &challenges[0]);
    for (unsigned i = 1; i < 3; i++) {
        struct store_txn part = {0};
        assert_int_equal(store_txn_begin_part(&txn, &part, NULL), ERR_OK);
        store_put_challenge(&part, &challenges[i]);
        store_txn_end_part(&txn, &part, i == 2);
    }
    commit(&txn);
    struct store_challenge got = {0};
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(store_find_challenge(fixture->store, challenges[i].hash, &got, NULL),
                         i == 1 ? ERR_NOT_FOUND : ERR_OK);
    }
}

static void a_failing_part_fails_the_whole(void **state)
{
    struct fixture *fixture = *state;
    struct store_txn txn = begin(fixture->store);
    struct store_txn part = {0};
    struct store_challenge challenge = store_kit_challenge(1);
    store_put_challenge(&txn, &challenge);
    assert_int_equal(store_txn_begin_part(&txn, &part, NULL), ERR_OK);
    store_txn_fail(&part, &(struct err){.code = ERR_NOMEM, .text = "in the part"});
    part.is_map_full = true;
    store_txn_end_part(&txn, &part, true);
    struct err err = {0};
    assert_int_equal(store_txn_commit(&txn, &err), ERR_NOMEM);
    assert_string_equal(err.text, "in the part");
    assert_true(txn.is_map_full);
    assert_int_equal(count_of(fixture->store, TABLE_CHALLENGES), 0);
}

static void what_is_removed_is_gone_and_what_is_missing_is_no_error(void **state)
{
    struct fixture *fixture = *state;
    struct store_challenge challenge = store_kit_challenge(1);
    struct store_txn txn = begin(fixture->store);
    store_put_challenge(&txn, &challenge);
    commit(&txn);
    txn = begin(fixture->store);
    for (unsigned i = 0; i < 2; i++) {
        store_txn_remove(&txn, TABLE_CHALLENGES, view_of(challenge.hash, SHA256_LEN));
    }
    commit(&txn);
    assert_int_equal(count_of(fixture->store, TABLE_CHALLENGES), 0);
}

static void damaged_and_newer_records_are_never_misread(void **state)
{
    struct fixture *fixture = *state;
    struct store_certificate certificate = store_kit_certificate(1);
    add(fixture->store, &certificate);
    static const char *const texts[] = {"damaged", "version 3; this program knows 2"};
    static const uint8_t records[][2] = {{2, 0}, {3, 0}};
    for (size_t i = 0; i < 2; i++) {
        struct store_txn txn = begin(fixture->store);
        store_txn_put(&txn, TABLE_CERTIFICATES, view_of(certificate.serial, SERIAL_LEN),
                      view_of(records[i], 2));
        store_txn_put(&txn, TABLE_CHALLENGES, view_of(certificate.spki_hash, SHA256_LEN),
                      view_of(records[i], 2));
        store_txn_put(&txn, TABLE_TRANSACTIONS, view_of(certificate.spki_hash, SHA256_LEN),
                      view_of(records[i], 2));
        commit(&txn);
        struct err err = {0};
        struct store_certificate got = {0};
        assert_int_equal(store_find_serial(fixture->store, certificate.serial, &got, &err), ERR_IO);
        assert_non_null(strstr(err.text, texts[i]));
        assert_int_equal(store_find_key(fixture->store, certificate.spki_hash, &got, &err), ERR_IO);
        struct listed listed = {.limit = 64};
        assert_int_equal(store_list_certificates(fixture->store, NULL, note, &listed, &err),
                         ERR_IO);
        struct store_challenge challenge = {0};
        struct seen_challenges seen = {.limit = 64};
        assert_int_equal(
            store_find_challenge(fixture->store, certificate.spki_hash, &challenge, &err), ERR_IO);
        assert_non_null(strstr(err.text, texts[i]));
        assert_int_equal(store_list_challenges(fixture->store, see_challenge, &seen, &err), ERR_IO);
        struct store_transaction transaction = {0};
        assert_int_equal(
            store_find_transaction(fixture->store, certificate.spki_hash, &transaction, &err),
            ERR_IO);
        assert_non_null(strstr(err.text, texts[i]));
    }
    store_certificate_done(&certificate);
}

static void an_index_without_its_certificate_is_an_error(void **state)
{
    struct fixture *fixture = *state;
    struct store_certificate certificate = store_kit_certificate(1);
    add(fixture->store, &certificate);
    struct store_txn txn = begin(fixture->store);
    MDB_val key = {.mv_size = SERIAL_LEN, .mv_data = certificate.serial};
    assert_int_equal(mdb_del(txn.mdb, fixture->store->tables[TABLE_CERTIFICATES], &key, NULL), 0);
    commit(&txn);
    struct err err = {0};
    struct store_certificate got = {0};
    assert_int_equal(store_find_device(fixture->store, certificate.device, &got, &err), ERR_IO);
    assert_non_null(strstr(err.text, "names a missing certificate"));
    store_certificate_done(&certificate);
}

static void too_many_readers_are_told_so(void **state)
{
    struct fixture *fixture = *state;
    MDB_txn *txns[STORE_READERS_MAX + 1] = {NULL};
    unsigned count = 0;
    while (count <= STORE_READERS_MAX &&
           mdb_txn_begin(fixture->store->env, NULL, MDB_RDONLY, &txns[count]) == 0) {
        count++;
    }
    assert_int_equal(count, STORE_READERS_MAX);
    struct store_counts counts = {0};
    struct err err = {0};
    assert_int_equal(store_count(fixture->store, &counts, &err), ERR_BUSY);
    assert_non_null(strstr(err.text, "MDB_READERS_FULL"));
    mdb_txn_abort(txns[--count]);
    assert_int_equal(store_count(fixture->store, &counts, &err), ERR_OK);
    while (count > 0) {
        mdb_txn_abort(txns[--count]);
    }
}

// A process that was killed while it read keeps its slot until somebody looks after it.
static void slots_of_dead_readers_are_taken_back(void **state)
{
    struct fixture *fixture = *state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        MDB_env *env = NULL;
        MDB_txn *txn = NULL;
        int status = mdb_env_create(&env);
        status = status == 0 ? mdb_env_open(env, fixture->directory, MDB_NOTLS, 0600) : status;
        while (status == 0) {
            status = mdb_txn_begin(env, NULL, MDB_RDONLY, &txn);
        }
        _exit(status == MDB_READERS_FULL ? 0 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    struct store_counts counts = {0};
    struct err err = {0};
    if (store_count(fixture->store, &counts, &err) != ERR_OK) {
        fail_msg("%s", err.text);
    }
}

static void a_broken_environment_is_opened_again(void **state)
{
    struct fixture *fixture = *state;
    add_numbered(fixture->store, 0, 1);
    mdb_env_close(fixture->store->env);
    fixture->store->env = NULL; // as after a failed attempt to open it again
    struct store_counts counts = {0};
    struct err err = {0};
    assert_int_equal(store_count(fixture->store, &counts, &err), ERR_IO);
    assert_non_null(strstr(err.text, "beginning to read the store"));
    assert_int_equal(store_env_heal(fixture->store, &err), ERR_OK);
    assert_int_equal(store_count(fixture->store, &counts, &err), ERR_OK);
    assert_int_equal(counts.certificates, 1);
    add_numbered(fixture->store, 1, 1);
}

static void a_store_that_has_grown_opens_with_room(void **state)
{
    struct fixture *fixture = *state;
    const struct store_options small = {
        .directory = fixture->directory,
        .max_octets = STORE_KIT_OCTETS,
        .first_octets = 128ULL << 10,
    };
    add_numbered(fixture->store, 0, 300);
    store_close(fixture->store);
    fixture->store = NULL;
    assert_int_equal(store_env_open(&small, &fixture->store, NULL), ERR_OK);
    struct store_counts counts = {0};
    assert_int_equal(store_count(fixture->store, &counts, NULL), ERR_OK);
    assert_int_equal(counts.certificates, 300);
    assert_in_range(counts.map_octets, counts.used_octets + 1, STORE_KIT_OCTETS);
}

static void the_map_doubles_up_to_its_maximum(void **state)
{
    struct fixture *fixture = *state;
    const struct store_options small = {
        .directory = fixture->directory,
        .max_octets = 1000000, // neither a power of two nor whole pages
        .first_octets = 256ULL << 10,
    };
    static const uint64_t sizes[] = {524288, 999424};
    store_close(fixture->store);
    fixture->store = NULL;
    assert_int_equal(store_env_open(&small, &fixture->store, NULL), ERR_OK);
    struct store_counts counts = {0};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(store_env_grow(fixture->store, NULL), ERR_OK);
        assert_int_equal(store_count(fixture->store, &counts, NULL), ERR_OK);
        assert_int_equal(counts.map_octets, sizes[i]);
    }
    struct err err = {0};
    assert_int_equal(store_env_grow(fixture->store, &err), ERR_FULL);
    assert_non_null(strstr(err.text, "store.max_size_mib (1000000 octets)"));
    assert_int_equal(store_count(fixture->store, &counts, NULL), ERR_OK);
}

#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_STORE(nobody_else_can_read_the_files),
        WITH_STORE(a_second_daemon_is_kept_out),
        WITH_STORE(a_missing_folder_above_is_an_error),
        WITH_STORE(a_file_that_is_not_lmdb_is_an_error),
        WITH_STORE(a_newer_schema_is_not_opened),
        WITH_STORE(a_schema_from_before_the_first_release_is_not_opened),
        WITH_STORE(an_unreadable_schema_is_not_opened),
        WITH_STORE(anothers_database_is_not_opened),
        WITH_STORE(nothing_is_found_in_an_empty_store),
        WITH_STORE(what_was_put_is_found_after_opening_again),
        WITH_STORE(an_aborted_transaction_leaves_nothing),
        WITH_STORE(the_newest_of_a_key_or_device_wins),
        WITH_STORE(keys_of_the_highest_octets_are_found),
        WITH_STORE(a_device_with_too_long_a_name_is_unknown),
        WITH_STORE(certificates_are_listed_newest_first_in_pages),
        WITH_STORE(a_page_after_an_unknown_certificate_is_an_error),
        WITH_STORE(an_empty_store_lists_nothing),
        WITH_STORE(a_devices_history_is_its_own),
        WITH_STORE(challenges_are_listed),
        WITH_STORE(a_challenge_is_found_by_its_id),
        WITH_STORE(everything_is_counted),
        WITH_STORE(every_index_names_every_certificate),
        WITH_STORE(a_part_is_kept_or_undone_alone),
        WITH_STORE(a_failing_part_fails_the_whole),
        WITH_STORE(what_is_removed_is_gone_and_what_is_missing_is_no_error),
        WITH_STORE(damaged_and_newer_records_are_never_misread),
        WITH_STORE(an_index_without_its_certificate_is_an_error),
        WITH_STORE(too_many_readers_are_told_so),
        WITH_STORE(slots_of_dead_readers_are_taken_back),
        WITH_STORE(a_broken_environment_is_opened_again),
        WITH_STORE(a_store_that_has_grown_opens_with_room),
        WITH_STORE(the_map_doubles_up_to_its_maximum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
