// SPDX-License-Identifier: Apache-2.0
// Linked with --wrap for mdb_txn_commit, mdb_txn_begin and mdb_env_close
// (tests/unit/CMakeLists.txt).
#include "kit/kit.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ra/store/store_env.h"
#include "ra/store/writer.h"
#include "ra/store_kit.h"

int __real_mdb_txn_commit(MDB_txn *txn);
int __wrap_mdb_txn_commit(MDB_txn *txn);
int __real_mdb_txn_begin(MDB_env *env, MDB_txn *parent, unsigned flags, MDB_txn **ret_txn);
int __wrap_mdb_txn_begin(MDB_env *env, MDB_txn *parent, unsigned flags, MDB_txn **ret_txn);
void __real_mdb_env_close(MDB_env *env);
void __wrap_mdb_env_close(MDB_env *env);

// What the wrapped functions do; guarded by `mutex`.
static struct {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    int commits;       // commits begun
    bool is_held;      // commits wait
    int commit_fails;  // with this status, once...
    int fails_after;   // ...after so many good ones
    bool is_panicking; // the failure breaks the environment, as LMDB does it
    bool is_broken;    // until the environment is closed
} lmdb = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

int __wrap_mdb_txn_commit(MDB_txn *txn)
{
    pthread_mutex_lock(&lmdb.mutex);
    lmdb.commits++;
    pthread_cond_broadcast(&lmdb.changed);
    while (lmdb.is_held) {
        pthread_cond_wait(&lmdb.changed, &lmdb.mutex);
    }
    int status = 0;
    if (lmdb.fails_after > 0) {
        lmdb.fails_after--;
    } else {
        status = lmdb.commit_fails;
        lmdb.commit_fails = 0;
        lmdb.is_broken = status != 0 && lmdb.is_panicking;
    }
    pthread_mutex_unlock(&lmdb.mutex);
    if (status != 0) {
        mdb_txn_abort(txn);
        return status;
    }
    return __real_mdb_txn_commit(txn);
}

int __wrap_mdb_txn_begin(MDB_env *env, MDB_txn *parent, unsigned flags, MDB_txn **ret_txn)
{
    pthread_mutex_lock(&lmdb.mutex);
    bool is_broken = lmdb.is_broken;
    pthread_mutex_unlock(&lmdb.mutex);
    return is_broken ? MDB_PANIC : __real_mdb_txn_begin(env, parent, flags, ret_txn);
}

void __wrap_mdb_env_close(MDB_env *env)
{
    pthread_mutex_lock(&lmdb.mutex);
    lmdb.is_broken = false;
    pthread_mutex_unlock(&lmdb.mutex);
    __real_mdb_env_close(env);
}

static int count_commits(void)
{
    pthread_mutex_lock(&lmdb.mutex);
    int commits = lmdb.commits;
    pthread_mutex_unlock(&lmdb.mutex);
    return commits;
}

static void fail_next_commit(int status, bool is_panicking)
{
    pthread_mutex_lock(&lmdb.mutex);
    lmdb.commit_fails = status;
    lmdb.is_panicking = is_panicking;
    pthread_mutex_unlock(&lmdb.mutex);
}

static void fail_commit_after(int good_ones, int status)
{
    fail_next_commit(status, false);
    pthread_mutex_lock(&lmdb.mutex);
    lmdb.fails_after = good_ones;
    pthread_mutex_unlock(&lmdb.mutex);
}

static void hold_commits(bool is_held)
{
    pthread_mutex_lock(&lmdb.mutex);
    lmdb.is_held = is_held;
    pthread_cond_broadcast(&lmdb.changed);
    pthread_mutex_unlock(&lmdb.mutex);
}

static void wait_for_commit(int number)
{
    pthread_mutex_lock(&lmdb.mutex);
    while (lmdb.commits < number) {
        pthread_cond_wait(&lmdb.changed, &lmdb.mutex);
    }
    pthread_mutex_unlock(&lmdb.mutex);
}

struct fixture {
    char *folder;
    char *directory;
    struct store *store;
    struct writer *writer;
};

static void open_fixture(struct fixture *fixture, uint64_t first_octets, uint64_t max_octets)
{
    const struct store_options options = {
        .directory = fixture->directory,
        .max_octets = max_octets,
        .first_octets = first_octets,
    };
    struct err err = {0};
    if (store_env_open(&options, &fixture->store, &err) != ERR_OK) {
        fail_msg("%s", err.text);
    }
    assert_int_equal(writer_start(fixture->store, &fixture->writer, NULL), ERR_OK);
}

static void close_fixture(struct fixture *fixture)
{
    writer_stop(fixture->writer);
    store_close(fixture->store);
    fixture->writer = NULL;
    fixture->store = NULL;
}

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    fixture->folder = kit_new_folder();
    fixture->directory = kit_path(fixture->folder, "store");
    open_fixture(fixture, STORE_KIT_OCTETS, STORE_KIT_OCTETS);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    close_fixture(fixture);
    free(fixture->directory);
    kit_remove_folder(fixture->folder);
    free(fixture);
    return 0;
}

static struct write_order issued_order(unsigned number)
{
    return (struct write_order){
        .kind = WRITE_ISSUED,
        .now = KIT_NOW,
        .certificate = store_kit_certificate(number),
    };
}

static void order_done(struct write_order *order)
{
    store_certificate_done(&order->certificate);
}

static void write_ok(struct fixture *fixture, struct write_order *order)
{
    struct err err = {0};
    if (writer_submit_and_wait(fixture->writer, order, &err) != ERR_OK) {
        fail_msg("%s", err.text);
    }
}

static void add_challenge(struct fixture *fixture, const struct store_challenge *challenge)
{
    struct write_order order = {.kind = WRITE_CHALLENGE_NEW, .challenge = *challenge};
    write_ok(fixture, &order);
}

static struct store_challenge get_challenge(struct fixture *fixture, unsigned number)
{
    struct store_challenge expected = store_kit_challenge(number);
    struct store_challenge got = {0};
    assert_int_equal(store_find_challenge(fixture->store, expected.hash, &got, NULL), ERR_OK);
    return got;
}

static struct store_counts counts_of(struct fixture *fixture)
{
    struct store_counts counts = {0};
    struct err err = {0};
    if (store_count(fixture->store, &counts, &err) != ERR_OK) {
        fail_msg("%s", err.text);
    }
    return counts;
}

// Orders whose answers are collected, many at a time.
struct answers {
    pthread_mutex_t mutex; // guards what follows
    pthread_cond_t changed;
    unsigned open;
    unsigned by_code[ERR_MAX];
    struct err last_failure;
};

static void note_answer(struct write_order *order, enum err_code code, const struct err *err)
{
    struct answers *answers = order->owner;
    pthread_mutex_lock(&answers->mutex);
    answers->open--;
    answers->by_code[code]++;
    if (code != ERR_OK) {
        answers->last_failure = *err;
    }
    pthread_cond_signal(&answers->changed);
    pthread_mutex_unlock(&answers->mutex);
}

static void submit_all(struct fixture *fixture, struct write_order *orders, unsigned count,
                       struct answers *answers)
{
    *answers = (struct answers){
        .mutex = PTHREAD_MUTEX_INITIALIZER,
        .changed = PTHREAD_COND_INITIALIZER,
        .open = count,
    };
    for (unsigned i = 0; i < count; i++) {
        orders[i].done = note_answer;
        orders[i].owner = answers;
        writer_submit(fixture->writer, &orders[i]);
    }
}

static void wait_for_all(struct answers *answers)
{
    pthread_mutex_lock(&answers->mutex);
    while (answers->open > 0) {
        pthread_cond_wait(&answers->changed, &answers->mutex);
    }
    pthread_mutex_unlock(&answers->mutex);
}

// Has the orders written by one transaction: they gather while another commit is held up.
static void write_together(struct fixture *fixture, struct write_order *orders, unsigned count,
                           struct answers *answers)
{
    struct write_order other = {.kind = WRITE_CHALLENGE_NEW, .challenge = store_kit_challenge(999)};
    struct answers other_answer;
    int commits = count_commits();
    hold_commits(true);
    submit_all(fixture, &other, 1, &other_answer);
    wait_for_commit(commits + 1);
    submit_all(fixture, orders, count, answers);
    hold_commits(false);
    wait_for_all(&other_answer);
    wait_for_all(answers);
}

static void an_issued_certificate_is_there_with_its_transaction(void **state)
{
    struct fixture *fixture = *state;
    struct write_order order = issued_order(1);
    write_ok(fixture, &order);
    struct store_certificate got = {0};
    assert_int_equal(store_find_serial(fixture->store, order.certificate.serial, &got, NULL),
                     ERR_OK);
    store_kit_assert_same(&order.certificate, &got);
    struct store_transaction transaction = {0};
    assert_int_equal(store_find_transaction(fixture->store, order.certificate.transaction_key,
                                            &transaction, NULL),
                     ERR_OK);
    assert_int_equal(transaction.state, TRANSACTION_ISSUED);
    assert_int_equal(transaction.changed_at, KIT_NOW);
    assert_memory_equal(transaction.csr_hash, order.certificate.csr_hash, SHA256_LEN);
    assert_memory_equal(transaction.serial, order.certificate.serial, SERIAL_LEN);
    store_certificate_done(&got);
    order_done(&order);
}

struct commit_watch {
    struct store *store;
    int commits_before;
    int commits_seen;
    enum err_code found;
};

static void look_into_store(struct write_order *order, enum err_code code, const struct err *err)
{
    (void)code;
    (void)err;
    struct commit_watch *watch = order->owner;
    struct store_certificate got = {0};
    watch->commits_seen = count_commits();
    watch->found = store_find_serial(watch->store, order->certificate.serial, &got, NULL);
    store_certificate_done(&got);
}

static void answers_come_after_the_commit(void **state)
{
    struct fixture *fixture = *state;
    struct write_order order = issued_order(1);
    struct commit_watch watch = {.store = fixture->store, .commits_before = count_commits()};
    order.done = look_into_store;
    order.owner = &watch;
    writer_submit(fixture->writer, &order);
    writer_stop(fixture->writer);
    fixture->writer = NULL;
    assert_int_equal(watch.commits_seen, watch.commits_before + 1);
    assert_int_equal(watch.found, ERR_OK);
    order_done(&order);
}

static void what_was_submitted_before_the_stop_is_written(void **state)
{
    enum { COUNT = 50 };
    struct fixture *fixture = *state;
    struct write_order orders[COUNT];
    struct answers answers;
    for (unsigned i = 0; i < COUNT; i++) {
        orders[i] = issued_order(i);
    }
    submit_all(fixture, orders, COUNT, &answers);
    writer_stop(fixture->writer);
    fixture->writer = NULL;
    assert_int_equal(answers.by_code[ERR_OK], COUNT);
    assert_int_equal(counts_of(fixture).certificates, COUNT);
    for (unsigned i = 0; i < COUNT; i++) {
        order_done(&orders[i]);
    }
}

static void what_gathers_during_a_commit_shares_the_next(void **state)
{
    enum { COUNT = 20 };
    struct fixture *fixture = *state;
    struct write_order orders[COUNT];
    struct answers answers;
    for (unsigned i = 0; i < COUNT; i++) {
        orders[i] = issued_order(i);
    }
    int commits = count_commits();
    write_together(fixture, orders, COUNT, &answers);
    assert_int_equal(count_commits(), commits + 2);
    assert_int_equal(answers.by_code[ERR_OK], COUNT);
    assert_int_equal(counts_of(fixture).certificates, COUNT);
    for (unsigned i = 0; i < COUNT; i++) {
        order_done(&orders[i]);
    }
}

struct submitter {
    struct fixture *fixture;
    struct write_order order;
    enum err_code code;
    struct err err;
};

static void *submit_one(void *context)
{
    struct submitter *submitter = context;
    submitter->code =
        writer_submit_and_wait(submitter->fixture->writer, &submitter->order, &submitter->err);
    return NULL;
}

static void of_ten_at_once_one_wins(void **state)
{
    enum { COUNT = 10 };
    struct fixture *fixture = *state;
    struct submitter submitters[COUNT];
    pthread_t threads[COUNT];
    unsigned won = 0;
    struct store_certificate one = store_kit_certificate(0);
    for (unsigned i = 0; i < COUNT; i++) {
        submitters[i] = (struct submitter){.fixture = fixture, .order = issued_order(i)};
        memcpy(submitters[i].order.certificate.transaction_key, one.transaction_key, SHA256_LEN);
        assert_int_equal(pthread_create(&threads[i], NULL, submit_one, &submitters[i]), 0);
    }
    for (unsigned i = 0; i < COUNT; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        if (submitters[i].code == ERR_OK) {
            won++;
        } else {
            assert_int_equal(submitters[i].code, ERR_CONFLICT);
            assert_string_equal(submitters[i].err.text,
                                "the transaction got a certificate in the meantime");
        }
    }
    assert_int_equal(won, 1);
    assert_int_equal(counts_of(fixture).certificates, 1);
    assert_int_equal(counts_of(fixture).transactions, 1);
    struct store_transaction transaction = {0};
    assert_int_equal(
        store_find_transaction(fixture->store, one.transaction_key, &transaction, NULL), ERR_OK);
    for (unsigned i = 0; i < COUNT; i++) {
        bool is_winner = submitters[i].code == ERR_OK;
        assert_int_equal(is_winner, memcmp(submitters[i].order.certificate.serial,
                                           transaction.serial, SERIAL_LEN) == 0);
        order_done(&submitters[i].order);
    }
    store_certificate_done(&one);
}

// Orders of one batch see each other.
enum race { RACE_TRANSACTION, RACE_SERIAL, RACE_CHALLENGE, RACE_MAX };

static void make_race(enum race race, struct write_order orders[3])
{
    struct store_challenge challenge = store_kit_challenge(1);
    for (unsigned i = 0; i < 3; i++) {
        orders[i] = issued_order(i + 1);
    }
    struct store_certificate *first = &orders[0].certificate;
    struct store_certificate *second = &orders[1].certificate;
    if (race == RACE_TRANSACTION) {
        memcpy(second->transaction_key, first->transaction_key, SHA256_LEN);
    } else if (race == RACE_SERIAL) {
        memcpy(second->serial, first->serial, SERIAL_LEN);
    } else {
        orders[0].is_one_time = true;
        orders[1].is_one_time = true;
        memcpy(first->challenge_hash, challenge.hash, SHA256_LEN);
        memcpy(second->challenge_hash, challenge.hash, SHA256_LEN);
    }
}

static void in_one_batch_the_first_wins_and_the_rest_goes_on(void **state)
{
    static const char *const texts[RACE_MAX] = {"transaction", "serial number", "was used up"};
    for (enum race race = 0; race < RACE_MAX; race++) {
        struct fixture *fixture = *state;
        struct store_challenge challenge = store_kit_challenge(1);
        challenge.uses_allowed = 1;
        challenge.uses_left = 1;
        add_challenge(fixture, &challenge);
        struct write_order orders[3];
        struct answers answers;
        make_race(race, orders);
        write_together(fixture, orders, 3, &answers);
        assert_int_equal(answers.by_code[ERR_OK], 2);
        assert_int_equal(answers.by_code[ERR_CONFLICT], 1);
        assert_non_null(strstr(answers.last_failure.text, texts[race]));
        assert_int_equal(counts_of(fixture).certificates, 2);
        assert_int_equal(counts_of(fixture).transactions, 2);
        assert_int_equal(get_challenge(fixture, 1).uses_left, race == RACE_CHALLENGE ? 0 : 1);
        for (unsigned i = 0; i < 3; i++) {
            struct store_certificate got = {0};
            struct store_certificate expected = store_kit_certificate(i + 1);
            bool is_there =
                store_find_key(fixture->store, expected.spki_hash, &got, NULL) == ERR_OK;
            assert_int_equal(is_there, i != 1);
            store_certificate_done(&expected);
            store_certificate_done(&got);
            order_done(&orders[i]);
        }
        teardown(state);
        setup(state);
    }
}

static void a_record_is_replaced_only_as_it_was_seen(void **state)
{
    struct fixture *fixture = *state;
    struct write_order first = issued_order(1);
    struct write_order second = issued_order(2);
    struct write_order third = issued_order(3);
    memcpy(second.certificate.transaction_key, first.certificate.transaction_key, SHA256_LEN);
    memcpy(third.certificate.transaction_key, first.certificate.transaction_key, SHA256_LEN);
    write_ok(fixture, &first);

    struct err err = {0};
    assert_int_equal(writer_submit_and_wait(fixture->writer, &second, &err), ERR_CONFLICT);
    second.replaces_transaction = true;
    memcpy(second.replaced_serial, third.certificate.serial, SERIAL_LEN);
    assert_int_equal(writer_submit_and_wait(fixture->writer, &second, &err), ERR_CONFLICT);
    memcpy(second.replaced_serial, first.certificate.serial, SERIAL_LEN);
    write_ok(fixture, &second);

    third.replaces_transaction = true; // decided on what was there before the second
    memcpy(third.replaced_serial, first.certificate.serial, SERIAL_LEN);
    assert_int_equal(writer_submit_and_wait(fixture->writer, &third, &err), ERR_CONFLICT);
    assert_string_equal(err.text, "the transaction got a certificate in the meantime");
    struct store_transaction transaction = {0};
    assert_int_equal(store_find_transaction(fixture->store, first.certificate.transaction_key,
                                            &transaction, NULL),
                     ERR_OK);
    assert_memory_equal(transaction.serial, second.certificate.serial, SERIAL_LEN);
    assert_int_equal(counts_of(fixture).certificates, 2);
    order_done(&first);
    order_done(&second);
    order_done(&third);
}

static void a_certificate_must_have_a_size_that_can_be_read_back(void **state)
{
    struct fixture *fixture = *state;
    struct write_order order = issued_order(1);
    struct err err = {0};
    buf_done(&order.certificate.der);
    assert_int_equal(writer_submit_and_wait(fixture->writer, &order, &err), ERR_LIMIT);
    static const uint8_t big[LIMIT_CERT_LEN + 1];
    assert_int_equal(buf_copy(view_of(big, sizeof big), &order.certificate.der, NULL), ERR_OK);
    assert_int_equal(writer_submit_and_wait(fixture->writer, &order, &err), ERR_LIMIT);
    assert_string_equal(err.text, "a certificate of 16385 octets; allowed: 1 to 16384");
    order.certificate.der.len = LIMIT_CERT_LEN;
    write_ok(fixture, &order);
    struct store_certificate got = {0};
    assert_int_equal(store_find_serial(fixture->store, order.certificate.serial, &got, NULL),
                     ERR_OK);
    assert_int_equal(got.der.len, LIMIT_CERT_LEN);
    store_certificate_done(&got);
    order_done(&order);
}

static void a_one_time_challenge_is_used_up_with_the_certificate(void **state)
{
    struct fixture *fixture = *state;
    struct store_challenge challenge = store_kit_challenge(1); // two uses
    add_challenge(fixture, &challenge);
    for (unsigned i = 0; i < 2; i++) {
        struct write_order order = issued_order(i);
        order.is_one_time = true;
        order.now = KIT_NOW + 10 + i;
        memcpy(order.certificate.challenge_hash, challenge.hash, SHA256_LEN);
        write_ok(fixture, &order);
        assert_int_equal(get_challenge(fixture, 1).uses_left, 1 - i);
        assert_int_equal(get_challenge(fixture, 1).last_used_at, KIT_NOW + 10 + i);
        order_done(&order);
    }
    assert_int_equal(get_challenge(fixture, 1).uses_allowed, 2);
}

static void a_static_challenge_is_not_looked_for(void **state)
{
    struct fixture *fixture = *state;
    struct write_order order = issued_order(1);
    memset(order.certificate.challenge_hash, 5, SHA256_LEN);
    write_ok(fixture, &order);
    order_done(&order);
}

static void challenges_that_do_not_hold_are_conflicts(void **state)
{
    static const struct {
        const char *text;
        bool is_missing;
        bool is_revoked;
        uint32_t uses_left;
        int64_t expires_in; // seconds after the order's `now`
    } cases[] = {
        {.text = "does not exist", .is_missing = true, .uses_left = 1, .expires_in = 1},
        {.text = "was revoked", .is_revoked = true, .uses_left = 1, .expires_in = 1},
        {.text = "was used up", .uses_left = 0, .expires_in = 1},
        {.text = "has expired", .uses_left = 1, .expires_in = 0},
        {.text = "has expired", .uses_left = 1, .expires_in = -1},
        {.text = NULL, .uses_left = 1, .expires_in = 1},
    };
    struct fixture *fixture = *state;
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct store_challenge challenge = store_kit_challenge(i);
        challenge.is_revoked = cases[i].is_revoked;
        challenge.uses_left = cases[i].uses_left;
        challenge.expires_at = KIT_NOW + cases[i].expires_in;
        if (!cases[i].is_missing) {
            add_challenge(fixture, &challenge);
        }
        struct write_order order = issued_order(i);
        order.is_one_time = true;
        memcpy(order.certificate.challenge_hash, challenge.hash, SHA256_LEN);
        struct err err = {0};
        enum err_code code = writer_submit_and_wait(fixture->writer, &order, &err);
        assert_int_equal(code, cases[i].text != NULL ? ERR_CONFLICT : ERR_OK);
        if (cases[i].text != NULL) {
            assert_non_null(strstr(err.text, cases[i].text));
        }
        struct store_certificate got = {0};
        assert_int_equal(store_find_serial(fixture->store, order.certificate.serial, &got, NULL),
                         cases[i].text != NULL ? ERR_NOT_FOUND : ERR_OK);
        store_certificate_done(&got);
        order_done(&order);
    }
}

static void a_one_time_order_without_a_hash_is_a_conflict(void **state)
{
    struct fixture *fixture = *state;
    struct write_order order = issued_order(1);
    order.is_one_time = true;
    struct err err = {0};
    assert_int_equal(writer_submit_and_wait(fixture->writer, &order, &err), ERR_CONFLICT);
    assert_string_equal(err.text, "the challenge does not exist");
    order_done(&order);
}

static void a_new_challenge_has_an_id_of_its_own(void **state)
{
    struct fixture *fixture = *state;
    struct store_challenge challenge = store_kit_challenge(1);
    add_challenge(fixture, &challenge);
    struct write_order order = {.kind = WRITE_CHALLENGE_NEW, .challenge = challenge};
    struct err err = {0};
    assert_int_equal(writer_submit_and_wait(fixture->writer, &order, &err), ERR_EXISTS);
    assert_non_null(strstr(err.text, challenge.id));
    order.challenge.hash[SHA256_LEN - 1] ^= 1; // same ID, another hash
    assert_int_equal(writer_submit_and_wait(fixture->writer, &order, &err), ERR_EXISTS);
    assert_int_equal(counts_of(fixture).challenges, 1);
}

static void a_challenge_is_revoked_by_its_id(void **state)
{
    struct fixture *fixture = *state;
    struct store_challenge challenge = store_kit_challenge(1);
    struct store_challenge other = store_kit_challenge(2);
    add_challenge(fixture, &challenge);
    add_challenge(fixture, &other);
    struct write_order order = {.kind = WRITE_CHALLENGE_REVOKE};
    memcpy(order.challenge.id, challenge.id, sizeof challenge.id);
    for (unsigned i = 0; i < 2; i++) { // the second time changes nothing
        write_ok(fixture, &order);
        assert_true(get_challenge(fixture, 1).is_revoked);
        assert_int_equal(get_challenge(fixture, 1).uses_left, 2);
        assert_false(get_challenge(fixture, 2).is_revoked);
    }
    static const char *const unknown[] = {"", "0000000000", "nonsense"};
    for (unsigned i = 0; i < 3; i++) {
        struct err err = {0};
        snprintf(order.challenge.id, sizeof order.challenge.id, "%s", unknown[i]);
        assert_int_equal(writer_submit_and_wait(fixture->writer, &order, &err), ERR_NOT_FOUND);
        assert_string_equal(err.text, "there is no such challenge");
    }
}

static void a_failing_commit_fails_its_batch_only(void **state)
{
    static const struct {
        int status;
        enum err_code code;
        bool is_panicking;
    } cases[] = {
        {ENOSPC, ERR_FULL, false}, {EDQUOT, ERR_FULL, false},  {EFBIG, ERR_FULL, false},
        {EIO, ERR_IO, false},      {ENOMEM, ERR_NOMEM, false}, {EIO, ERR_IO, true},
        {ENOSPC, ERR_FULL, true},
    };
    enum { COUNT = 5 };
    struct fixture *fixture = *state;
    unsigned stored = 0;
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct write_order orders[COUNT];
        struct answers answers;
        for (unsigned j = 0; j < COUNT; j++) {
            orders[j] = issued_order(i * COUNT + j);
        }
        // One order that a guard turns down: it shares the fate of its batch.
        memcpy(orders[4].certificate.serial, orders[0].certificate.serial, SERIAL_LEN);
        fail_next_commit(cases[i].status, cases[i].is_panicking);
        struct err err = {0};
        assert_int_equal(writer_submit_and_wait(fixture->writer, &orders[0], &err), cases[i].code);
        assert_non_null(strstr(err.text, "committing to the store"));
        assert_int_equal(counts_of(fixture).certificates, stored);
        submit_all(fixture, orders, COUNT, &answers);
        wait_for_all(&answers);
        assert_int_equal(answers.by_code[ERR_OK], COUNT - 1);
        assert_int_equal(answers.by_code[ERR_CONFLICT], 1);
        stored += COUNT - 1;
        assert_int_equal(counts_of(fixture).certificates, stored);
        for (unsigned j = 0; j < COUNT; j++) {
            order_done(&orders[j]);
        }
    }
}

// With one among them that a guard turned down: what it lost against is not there either.
static void all_orders_of_a_failing_batch_get_its_error(void **state)
{
    enum { COUNT = 4 };
    struct fixture *fixture = *state;
    struct write_order orders[COUNT];
    struct answers answers;
    for (unsigned i = 0; i < COUNT; i++) {
        orders[i] = issued_order(i);
    }
    memcpy(orders[3].certificate.serial, orders[0].certificate.serial, SERIAL_LEN);
    fail_commit_after(1, ENOSPC);
    write_together(fixture, orders, COUNT, &answers);
    assert_int_equal(answers.by_code[ERR_FULL], COUNT);
    assert_string_equal(answers.last_failure.text,
                        "committing to the store: No space left on device");
    assert_int_equal(counts_of(fixture).certificates, 0);
    submit_all(fixture, orders, COUNT, &answers);
    wait_for_all(&answers);
    assert_int_equal(answers.by_code[ERR_OK], COUNT - 1);
    assert_int_equal(answers.by_code[ERR_CONFLICT], 1);
    for (unsigned i = 0; i < COUNT; i++) {
        order_done(&orders[i]);
    }
}

static void reopen_small(struct fixture *fixture, uint64_t first_octets, uint64_t max_octets)
{
    close_fixture(fixture);
    free(fixture->directory);
    fixture->directory = kit_path(fixture->folder, "small");
    open_fixture(fixture, first_octets, max_octets);
}

struct reader {
    struct fixture *fixture;
    atomic_bool *is_over;
    unsigned rounds;
    unsigned failures;
    unsigned gone; // certificates that were seen and later were not
};

static bool count_visit(const struct store_certificate *certificate, void *context)
{
    (void)certificate;
    unsigned *count = context;
    return ++*count < 20;
}

static void *read_steadily(void *context)
{
    struct reader *reader = context;
    struct store *store = reader->fixture->store;
    struct store_certificate first = store_kit_certificate(0);
    uint64_t most = 0;
    do {
        struct store_certificate got = {0};
        struct store_counts counts = {0};
        unsigned listed = 0;
        reader->failures += store_find_serial(store, first.serial, &got, NULL) != ERR_OK;
        store_certificate_done(&got);
        reader->failures +=
            store_list_certificates(store, NULL, count_visit, &listed, NULL) != ERR_OK;
        reader->failures += store_count(store, &counts, NULL) != ERR_OK;
        reader->gone += counts.certificates < most;
        most = counts.certificates;
        reader->rounds++;
    } while (!atomic_load(reader->is_over));
    store_certificate_done(&first);
    return NULL;
}

static void the_map_grows_while_others_read(void **state)
{
    enum { WAVE = 50, COUNT = 1 + 30 * WAVE, READERS = 3, FIRST = 256 * 1024 };
    // A reader that sleeps long keeps old pages from being used again: room for many of them.
    enum { MOST = 256 * 1024 * 1024 };
    struct fixture *fixture = *state;
    reopen_small(fixture, FIRST, MOST);
    struct write_order *orders = calloc(COUNT, sizeof *orders);
    assert_non_null(orders);
    for (unsigned i = 0; i < COUNT; i++) {
        orders[i] = issued_order(i);
    }
    write_ok(fixture, &orders[0]);
    assert_int_equal(counts_of(fixture).map_octets, FIRST);

    atomic_bool is_over = false;
    struct reader readers[READERS];
    pthread_t threads[READERS];
    for (unsigned i = 0; i < READERS; i++) {
        readers[i] = (struct reader){.fixture = fixture, .is_over = &is_over};
        assert_int_equal(pthread_create(&threads[i], NULL, read_steadily, &readers[i]), 0);
    }
    struct answers answers;
    for (unsigned first = 1; first < COUNT; first += WAVE) {
        submit_all(fixture, orders + first, WAVE, &answers);
        wait_for_all(&answers);
        assert_int_equal(answers.by_code[ERR_OK], WAVE);
    }
    atomic_store(&is_over, true);
    for (unsigned i = 0; i < READERS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_true(readers[i].rounds > 0);
        assert_int_equal(readers[i].failures, 0);
        assert_int_equal(readers[i].gone, 0);
    }
    assert_int_equal(counts_of(fixture).certificates, COUNT);
    assert_in_range(counts_of(fixture).map_octets, COUNT * STORE_KIT_DER_LEN, MOST);
    for (unsigned i = 0; i < COUNT; i++) {
        order_done(&orders[i]);
    }
    free(orders);
}

static void a_full_map_stops_writing_but_not_reading(void **state)
{
    enum { MOST = 2000, MAX_OCTETS = 1024 * 1024 };
    struct fixture *fixture = *state;
    reopen_small(fixture, MAX_OCTETS / 2, MAX_OCTETS);
    enum err_code code = ERR_OK;
    struct err err = {0};
    unsigned count = 0;
    while (code == ERR_OK && count < MOST) {
        struct write_order order = issued_order(count);
        code = writer_submit_and_wait(fixture->writer, &order, &err);
        count += code == ERR_OK;
        order_done(&order);
    }
    assert_int_equal(code, ERR_FULL);
    assert_non_null(strstr(err.text, "the store has reached store.max_size_mib (1048576 octets)"));
    assert_in_range(count, 100, MAX_OCTETS / STORE_KIT_DER_LEN);
    for (unsigned i = 0; i < 3; i++) { // it stays so
        struct write_order order = issued_order(count);
        assert_int_equal(writer_submit_and_wait(fixture->writer, &order, &err), ERR_FULL);
        order_done(&order);
    }
    struct store_certificate expected = store_kit_certificate(count - 1);
    struct store_certificate got = {0};
    assert_int_equal(counts_of(fixture).certificates, count);
    assert_int_equal(store_find_serial(fixture->store, expected.serial, &got, NULL), ERR_OK);
    store_certificate_done(&got);
    store_certificate_done(&expected);

    fixture->store->max_octets *= 2; // the writer is idle
    struct write_order order = issued_order(count);
    write_ok(fixture, &order);
    order_done(&order);
    assert_int_equal(counts_of(fixture).certificates, count + 1);
}

// A real disk that is full, as far as that can be had without a file system of one's own.
static void a_full_disk_stops_writing_until_there_is_room(void **state)
{
    enum { COUNT = 200 };
    struct fixture *fixture = *state;
    char *path = kit_path(fixture->directory, "data.mdb");
    struct stat stat_buf = {0};
    struct rlimit before = {0};
    assert_int_equal(stat(path, &stat_buf), 0);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    struct rlimit tight = {.rlim_cur = (rlim_t)stat_buf.st_size, .rlim_max = before.rlim_max};
    struct write_order orders[COUNT];
    struct answers answers;
    for (unsigned i = 0; i < COUNT; i++) {
        orders[i] = issued_order(i);
    }
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
    submit_all(fixture, orders, COUNT, &answers);
    wait_for_all(&answers);
    struct store_counts counts = {0};
    enum err_code read_code = store_count(fixture->store, &counts, NULL);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(read_code, ERR_OK);
    // LMDB reports a page that was written in part as EIO. Early batches may still have fitted.
    assert_in_range(answers.by_code[ERR_FULL] + answers.by_code[ERR_IO], 1, COUNT);
    assert_int_equal(counts.certificates, answers.by_code[ERR_OK]);
    for (unsigned i = 0; i < COUNT; i++) {
        order_done(&orders[i]);
    }
    struct write_order order = issued_order(COUNT);
    write_ok(fixture, &order);
    assert_int_equal(counts_of(fixture).certificates, counts.certificates + 1);
    order_done(&order);
    free(path);
}

static void die(struct write_order *order, enum err_code code, const struct err *err)
{
    (void)order;
    (void)err;
    if (code == ERR_OK) {
        raise(SIGKILL);
    }
}

static void issue_and_die(struct fixture *fixture)
{
    open_fixture(fixture, STORE_KIT_OCTETS, STORE_KIT_OCTETS);
    struct store_challenge challenge = store_kit_challenge(1);
    add_challenge(fixture, &challenge);
    struct write_order order = issued_order(1);
    order.is_one_time = true;
    memcpy(order.certificate.challenge_hash, challenge.hash, SHA256_LEN);
    order.done = die;
    writer_submit(fixture->writer, &order);
    writer_stop(fixture->writer);
    _exit(1);
}

static void what_was_answered_survives_a_kill(void **state)
{
    struct fixture *fixture = *state;
    close_fixture(fixture); // no environment crosses the fork
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        issue_and_die(fixture);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);

    open_fixture(fixture, STORE_KIT_OCTETS, STORE_KIT_OCTETS);
    struct store_certificate expected = store_kit_certificate(1);
    struct store_challenge challenge = store_kit_challenge(1);
    memcpy(expected.challenge_hash, challenge.hash, SHA256_LEN);
    struct store_certificate got = {0};
    struct store_transaction transaction = {0};
    assert_int_equal(
        store_find_transaction(fixture->store, expected.transaction_key, &transaction, NULL),
        ERR_OK);
    assert_int_equal(store_find_serial(fixture->store, transaction.serial, &got, NULL), ERR_OK);
    store_kit_assert_same(&expected, &got);
    store_certificate_done(&got);
    assert_int_equal(store_find_device(fixture->store, expected.device, &got, NULL), ERR_OK);
    assert_int_equal(get_challenge(fixture, 1).uses_left, 1);
    store_certificate_done(&got);
    store_certificate_done(&expected);
    struct write_order order = issued_order(2);
    write_ok(fixture, &order);
    order_done(&order);
}

// The lock, too, is gone with the process, even if it was killed in the middle of a commit.
static void a_kill_during_a_commit_leaves_a_usable_store(void **state)
{
    struct fixture *fixture = *state;
    struct write_order order = issued_order(1);
    write_ok(fixture, &order);
    close_fixture(fixture);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        open_fixture(fixture, STORE_KIT_OCTETS, STORE_KIT_OCTETS);
        struct write_order never = issued_order(2);
        struct answers answers;
        int commits = count_commits();
        hold_commits(true);
        submit_all(fixture, &never, 1, &answers);
        wait_for_commit(commits + 1);
        raise(SIGKILL);
        _exit(1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    open_fixture(fixture, STORE_KIT_OCTETS, STORE_KIT_OCTETS);
    assert_int_equal(counts_of(fixture).certificates, 1);
    struct write_order again = issued_order(2);
    write_ok(fixture, &again);
    order_done(&again);
    order_done(&order);
}

#define WITH_WRITER(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_WRITER(an_issued_certificate_is_there_with_its_transaction),
        WITH_WRITER(answers_come_after_the_commit),
        WITH_WRITER(what_was_submitted_before_the_stop_is_written),
        WITH_WRITER(what_gathers_during_a_commit_shares_the_next),
        WITH_WRITER(of_ten_at_once_one_wins),
        WITH_WRITER(in_one_batch_the_first_wins_and_the_rest_goes_on),
        WITH_WRITER(a_record_is_replaced_only_as_it_was_seen),
        WITH_WRITER(a_certificate_must_have_a_size_that_can_be_read_back),
        WITH_WRITER(a_one_time_challenge_is_used_up_with_the_certificate),
        WITH_WRITER(a_static_challenge_is_not_looked_for),
        WITH_WRITER(challenges_that_do_not_hold_are_conflicts),
        WITH_WRITER(a_one_time_order_without_a_hash_is_a_conflict),
        WITH_WRITER(a_new_challenge_has_an_id_of_its_own),
        WITH_WRITER(a_challenge_is_revoked_by_its_id),
        WITH_WRITER(a_failing_commit_fails_its_batch_only),
        WITH_WRITER(all_orders_of_a_failing_batch_get_its_error),
        WITH_WRITER(the_map_grows_while_others_read),
        WITH_WRITER(a_full_map_stops_writing_but_not_reading),
        WITH_WRITER(a_full_disk_stops_writing_until_there_is_room),
        WITH_WRITER(what_was_answered_survives_a_kill),
        WITH_WRITER(a_kill_during_a_commit_leaves_a_usable_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
