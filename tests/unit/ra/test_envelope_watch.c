// SPDX-License-Identifier: Apache-2.0
// Z4 (5): the same ciphertext under another signature is noticed.
#include "ra/envelope_watch.h"

#include <pthread.h>
#include <string.h>

#include "kit/kit.h"

#define MANY         20000 // several times the table
#define THREADS      4
#define PER_THREAD   2000
#define HASH_OF(...) ((const uint8_t[SHA256_LEN]){__VA_ARGS__})

static void number_hash(uint32_t number, uint8_t ret_hash[SHA256_LEN])
{
    struct view part = view_of(&number, sizeof number);
    ossl_sha256(&part, 1, ret_hash);
}

static void same_envelope_other_signer(void **state)
{
    (void)state;
    struct envelope_watch *watch = NULL;
    struct err err = {0};
    assert_int_equal(envelope_watch_new(&watch, &err), ERR_OK);
    const uint8_t *one = HASH_OF(1);
    const uint8_t *two = HASH_OF(2);
    const uint8_t *alice = HASH_OF(10);
    const uint8_t *mallory = HASH_OF(11);
    assert_false(envelope_watch_is_reused(watch, one, alice));
    assert_false(envelope_watch_is_reused(watch, one, alice)); // a repeat
    assert_true(envelope_watch_is_reused(watch, one, mallory));
    assert_true(envelope_watch_is_reused(watch, one, mallory)); // still Alice's
    assert_false(envelope_watch_is_reused(watch, one, alice));
    assert_false(envelope_watch_is_reused(watch, two, mallory));
    envelope_watch_free(watch);
}

static void no_envelope_is_nobodys(void **state)
{
    (void)state;
    struct envelope_watch *watch = NULL;
    struct err err = {0};
    assert_int_equal(envelope_watch_new(&watch, &err), ERR_OK);
    assert_false(envelope_watch_is_reused(watch, HASH_OF(0), HASH_OF(10)));
    assert_false(envelope_watch_is_reused(watch, HASH_OF(0), HASH_OF(11)));
    envelope_watch_free(watch);
    envelope_watch_free(NULL);
}

static void old_entries_are_overwritten(void **state)
{
    (void)state;
    struct envelope_watch *watch = NULL;
    struct err err = {0};
    uint8_t hash[SHA256_LEN];
    unsigned remembered = 0;
    assert_int_equal(envelope_watch_new(&watch, &err), ERR_OK);
    for (uint32_t i = 0; i < MANY; i++) {
        number_hash(i, hash);
        assert_false(envelope_watch_is_reused(watch, hash, HASH_OF(10)));
    }
    for (uint32_t i = MANY; i > 0; i--) {
        number_hash(i - 1, hash);
        remembered += envelope_watch_is_reused(watch, hash, HASH_OF(11)) ? 1 : 0;
    }
    assert_true(remembered > 100); // the recent ones
    assert_true(remembered < MANY / 2);
    envelope_watch_free(watch);
}

static void *note_many(void *data)
{
    struct envelope_watch *watch = data;
    uint8_t hash[SHA256_LEN];
    for (uint32_t i = 0; i < PER_THREAD; i++) {
        number_hash(i, hash);
        if (envelope_watch_is_reused(watch, hash, HASH_OF(10))) {
            return watch; // cannot be: there is one signer only
        }
    }
    return NULL;
}

static void many_threads(void **state)
{
    (void)state;
    struct envelope_watch *watch = NULL;
    struct err err = {0};
    pthread_t threads[THREADS];
    assert_int_equal(envelope_watch_new(&watch, &err), ERR_OK);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, note_many, watch), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        void *result = watch;
        assert_int_equal(pthread_join(threads[i], &result), 0);
        assert_null(result);
    }
    envelope_watch_free(watch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_envelope_other_signer),
        cmocka_unit_test(no_envelope_is_nobodys),
        cmocka_unit_test(old_entries_are_overwritten),
        cmocka_unit_test(many_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
