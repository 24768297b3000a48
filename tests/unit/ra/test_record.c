// SPDX-License-Identifier: Apache-2.0
#include "kit/kit.h"

#include "ra/record.h"
#include "ra/store_kit.h"

enum kind { KIND_CERTIFICATE, KIND_TRANSACTION, KIND_CHALLENGE, KIND_MAX };

static struct store_transaction some_transaction(void)
{
    struct store_transaction transaction = {
        .state = TRANSACTION_ISSUED,
        .changed_at = KIT_NOW,
        .serial = {0x40, 1, 2, 3},
    };
    store_kit_hash("transaction", 1, transaction.key);
    store_kit_hash("csr", 1, transaction.csr_hash);
    return transaction;
}

static struct buf encoded(enum kind kind)
{
    struct buf octets = {0};
    enum err_code code = ERR_INTERNAL;
    if (kind == KIND_CERTIFICATE) {
        struct store_certificate certificate = store_kit_certificate(7);
        code = record_put_certificate(&certificate, 42, &octets, NULL);
        store_certificate_done(&certificate);
    } else if (kind == KIND_TRANSACTION) {
        struct store_transaction transaction = some_transaction();
        code = record_put_transaction(&transaction, &octets, NULL);
    } else {
        struct store_challenge challenge = store_kit_challenge(7);
        code = record_put_challenge(&challenge, &octets, NULL);
    }
    assert_int_equal(code, ERR_OK);
    return octets;
}

// Decodes and throws away; on success encodes again, which must give the same octets.
static enum err_code decode(enum kind kind, struct view octets, struct err *err)
{
    struct buf again = {0};
    enum err_code code = ERR_INTERNAL;
    enum err_code put = ERR_OK;
    if (kind == KIND_CERTIFICATE) {
        struct record_certificate record = {0};
        code = record_get_certificate(octets, &record, err);
        put = record_put_certificate(&record.certificate, record.sequence, &again, NULL);
        store_certificate_done(&record.certificate);
    } else if (kind == KIND_TRANSACTION) {
        struct store_transaction transaction = {0};
        code = record_get_transaction(octets, &transaction, err);
        put = record_put_transaction(&transaction, &again, NULL);
    } else {
        struct store_challenge challenge = {0};
        code = record_get_challenge(octets, &challenge, err);
        put = record_put_challenge(&challenge, &again, NULL);
    }
    assert_int_equal(put, ERR_OK);
    if (code == ERR_OK) {
        assert_true(view_equal(octets, buf_view(&again)));
    }
    buf_done(&again);
    return code;
}

static void a_certificate_comes_back_as_it_was(void **state)
{
    (void)state;
    struct store_certificate certificate = store_kit_certificate(7);
    store_kit_hash("challenge", 7, certificate.challenge_hash);
    certificate.status = CERTIFICATE_REVOKED;
    certificate.not_before = -5;
    struct buf octets = {0};
    assert_int_equal(record_put_certificate(&certificate, 42, &octets, NULL), ERR_OK);
    struct record_certificate record = {0};
    assert_int_equal(record_get_certificate(buf_view(&octets), &record, NULL), ERR_OK);
    store_kit_assert_same(&certificate, &record.certificate);
    assert_int_equal(record.sequence, 42);
    store_certificate_done(&record.certificate);
    store_certificate_done(&certificate);
    buf_done(&octets);
}

static void a_transaction_comes_back_as_it_was(void **state)
{
    (void)state;
    struct store_transaction transaction = some_transaction();
    struct buf octets = {0};
    assert_int_equal(record_put_transaction(&transaction, &octets, NULL), ERR_OK);
    struct store_transaction got = {0};
    assert_int_equal(record_get_transaction(buf_view(&octets), &got, NULL), ERR_OK);
    assert_memory_equal(got.key, transaction.key, SHA256_LEN);
    assert_int_equal(got.state, TRANSACTION_ISSUED);
    assert_int_equal(got.changed_at, KIT_NOW);
    assert_memory_equal(got.csr_hash, transaction.csr_hash, SHA256_LEN);
    assert_memory_equal(got.serial, transaction.serial, SERIAL_LEN);
    buf_done(&octets);
}

static void a_challenge_comes_back_as_it_was(void **state)
{
    (void)state;
    struct store_challenge challenge = store_kit_challenge(7);
    challenge.uses_left = 1;
    challenge.is_revoked = true;
    challenge.last_used_at = KIT_NOW + 1;
    struct buf octets = {0};
    assert_int_equal(record_put_challenge(&challenge, &octets, NULL), ERR_OK);
    struct store_challenge got = {0};
    assert_int_equal(record_get_challenge(buf_view(&octets), &got, NULL), ERR_OK);
    assert_memory_equal(got.hash, challenge.hash, SHA256_LEN);
    assert_string_equal(got.id, challenge.id);
    assert_int_equal(got.created_at, KIT_NOW);
    assert_int_equal(got.expires_at, KIT_NOW + 3600);
    assert_int_equal(got.uses_allowed, 2);
    assert_int_equal(got.uses_left, 1);
    assert_true(got.is_revoked);
    assert_string_equal(got.common_name, challenge.common_name);
    assert_string_equal(got.mac, challenge.mac);
    assert_int_equal(got.last_used_at, KIT_NOW + 1);
    buf_done(&octets);
}

static void the_longest_texts_fit(void **state)
{
    (void)state;
    struct store_certificate certificate = store_kit_certificate(1);
    memset(certificate.device, 'd', sizeof certificate.device - 1);
    memset(certificate.common_name, 'c', sizeof certificate.common_name - 1);
    memset(certificate.mac, 'A', sizeof certificate.mac - 1);
    struct buf octets = {0};
    assert_int_equal(record_put_certificate(&certificate, 1, &octets, NULL), ERR_OK);
    struct record_certificate record = {0};
    assert_int_equal(record_get_certificate(buf_view(&octets), &record, NULL), ERR_OK);
    store_kit_assert_same(&certificate, &record.certificate);
    struct record_key key;
    record_key_by_device(&certificate, 1, &key);
    assert_int_equal(key.len, RECORD_KEY_MAX);
    store_certificate_done(&record.certificate);
    store_certificate_done(&certificate);
    buf_done(&octets);
}

static void the_encoding_does_not_change(void **state)
{
    (void)state;
    static const uint8_t head[] = {1, 0, 0, 0, 0, 0, 0, 0, 42, 0x40};
    struct buf octets = encoded(KIND_CERTIFICATE);
    assert_memory_equal(octets.data, head, sizeof head);
    static const size_t numbers = 1 + 8 + 1 + 3 * 8 + 1;
    static const size_t texts = 4 + 12 + 4 + 23 + 4 + 12;
    static const size_t hashes = (size_t)5 * SHA256_LEN;
    assert_int_equal(octets.len, numbers + SERIAL_LEN + texts + hashes + 4 + STORE_KIT_DER_LEN);
    buf_done(&octets);
}

static void expect_version_refused(enum kind kind, struct buf *octets, unsigned version)
{
    static const char *const names[KIND_MAX] = {"a certificate", "a transaction", "a challenge"};
    struct err err = {0};
    char expected[ERR_TEXT_LEN];
    snprintf(expected, sizeof expected,
             "%s record in the store has version %u; this program knows 1", names[kind], version);
    octets->data[0] = (uint8_t)version;
    assert_int_equal(decode(kind, buf_view(octets), &err), ERR_IO);
    assert_string_equal(err.text, expected);
}

static void every_other_version_is_refused(void **state)
{
    (void)state;
    for (enum kind kind = 0; kind < KIND_MAX; kind++) {
        struct buf octets = encoded(kind);
        expect_version_refused(kind, &octets, 0);
        for (unsigned version = RECORD_VERSION + 1; version <= UINT8_MAX; version++) {
            expect_version_refused(kind, &octets, version);
        }
        buf_done(&octets);
    }
}

static void every_truncation_is_refused(void **state)
{
    (void)state;
    for (enum kind kind = 0; kind < KIND_MAX; kind++) {
        struct buf octets = encoded(kind);
        for (size_t len = 0; len < octets.len; len++) {
            struct buf cut = {0}; // of its own, so that ASan sees a read behind it
            struct err err = {0};
            assert_int_equal(buf_copy(view_of(octets.data, len), &cut, NULL), ERR_OK);
            assert_int_equal(decode(kind, buf_view(&cut), &err), ERR_IO);
            assert_non_null(strstr(err.text, len == 0 ? "is empty" : "is damaged"));
            buf_done(&cut);
        }
        buf_done(&octets);
    }
}

static void one_octet_too_many_is_refused(void **state)
{
    (void)state;
    for (enum kind kind = 0; kind < KIND_MAX; kind++) {
        struct buf octets = encoded(kind);
        struct err err = {0};
        assert_int_equal(buf_append(&octets, view_of("", 1), NULL), ERR_OK);
        assert_int_equal(decode(kind, buf_view(&octets), &err), ERR_IO);
        assert_non_null(strstr(err.text, "is damaged"));
        buf_done(&octets);
    }
}

// What decodes after a mutation must be exactly what is written (decode() checks), so nothing is
// ignored or repaired.
static unsigned count_refused_mutations(enum kind kind, uint8_t flip)
{
    struct buf octets = encoded(kind);
    unsigned refused = 0;
    for (size_t at = 0; at < octets.len; at++) {
        struct err err = {0};
        octets.data[at] ^= flip;
        enum err_code code = decode(kind, buf_view(&octets), &err);
        assert_true(code == ERR_OK || (code == ERR_IO && err.text[0] != '\0'));
        refused += code == ERR_IO;
        octets.data[at] ^= flip;
    }
    buf_done(&octets);
    return refused;
}

static void mutations_are_refused_or_kept(void **state)
{
    (void)state;
    static const uint8_t flips[] = {0x01, 0x80, 0xFF};
    for (size_t i = 0; i < sizeof flips; i++) {
        // At least: version, status, and the lengths of four fields in three octets each.
        assert_true(count_refused_mutations(KIND_CERTIFICATE, flips[i]) >= 2 + 4 * 3);
        assert_true(count_refused_mutations(KIND_TRANSACTION, flips[i]) >= 1);
        assert_true(count_refused_mutations(KIND_CHALLENGE, flips[i]) >= 1 + 2 * 3);
    }
}

static void impossible_values_are_refused(void **state)
{
    (void)state;
    struct err err = {0};
    struct buf octets = encoded(KIND_CERTIFICATE);
    octets.data[1 + 8 + SERIAL_LEN] = 3; // status
    assert_int_equal(decode(KIND_CERTIFICATE, buf_view(&octets), &err), ERR_IO);
    assert_string_equal(err.text, "a certificate record in the store is damaged");
    buf_done(&octets);

    static const uint8_t bad_states[] = {TRANSACTION_NONE, TRANSACTION_DENIED + 1};
    for (size_t i = 0; i < sizeof bad_states; i++) {
        octets = encoded(KIND_TRANSACTION);
        octets.data[1 + SHA256_LEN] = bad_states[i];
        assert_int_equal(decode(KIND_TRANSACTION, buf_view(&octets), &err), ERR_IO);
        assert_string_equal(err.text, "a transaction record in the store is damaged");
        buf_done(&octets);
    }

    struct store_challenge challenge = store_kit_challenge(1);
    challenge.uses_left = 3; // of two
    octets = (struct buf){0};
    assert_int_equal(record_put_challenge(&challenge, &octets, NULL), ERR_OK);
    assert_int_equal(decode(KIND_CHALLENGE, buf_view(&octets), &err), ERR_IO);
    assert_string_equal(err.text, "a challenge record in the store is damaged");
    buf_done(&octets);

    octets = encoded(KIND_CHALLENGE);
    octets.data[1 + SHA256_LEN + 8 + 8 + 4 + 4] = 2; // is_revoked
    assert_int_equal(decode(KIND_CHALLENGE, buf_view(&octets), &err), ERR_IO);
    octets.data[1 + SHA256_LEN + 8 + 8 + 4 + 4] = 0;
    octets.data[1 + SHA256_LEN + 8 + 8 + 4 + 4 + 1 + 4] = '\0'; // first letter of the CN
    assert_int_equal(decode(KIND_CHALLENGE, buf_view(&octets), &err), ERR_IO);
    buf_done(&octets);
}

static int compare(const struct record_key *a, const struct record_key *b)
{
    int order = memcmp(a->octets, b->octets, a->len < b->len ? a->len : b->len);
    return order != 0 ? order : (int)a->len - (int)b->len;
}

static void keys_sort_by_time_then_by_sequence(void **state)
{
    (void)state;
    static const struct {
        int64_t time;
        uint64_t sequence;
    } sorted[] = {
        {INT64_MIN, 9}, {-1, 8},      {0, 7},
        {1, 6},         {255, 5},     {256, 4},
        {KIT_NOW, 1},   {KIT_NOW, 2}, {KIT_NOW, UINT64_C(1) << 40},
        {INT64_MAX, 1},
    };
    struct store_certificate certificate = {.device = "001A2B3C4D5E"};
    static void (*const makers[])(const struct store_certificate *, uint64_t,
                                  struct record_key *) = {record_key_by_issue, record_key_by_expiry,
                                                          record_key_by_device, record_key_by_key};
    for (size_t maker = 0; maker < sizeof makers / sizeof makers[0]; maker++) {
        struct record_key before = {0};
        for (size_t i = 0; i < sizeof sorted / sizeof sorted[0]; i++) {
            struct record_key key;
            certificate.issued_at = sorted[i].time;
            certificate.not_after = sorted[i].time;
            makers[maker](&certificate, sorted[i].sequence, &key);
            assert_true(i == 0 || compare(&before, &key) < 0);
            before = key;
        }
    }
}

static void no_device_is_the_beginning_of_another(void **state)
{
    (void)state;
    struct record_key prefix;
    struct record_key key;
    struct store_certificate certificate = {.device = "phone10"};
    record_prefix_of_device("phone1", &prefix);
    record_key_by_device(&certificate, 1, &key);
    assert_memory_not_equal(prefix.octets, key.octets, prefix.len);
    record_prefix_of_device("phone10", &prefix);
    assert_memory_equal(prefix.octets, key.octets, prefix.len);
}

static void an_id_is_ten_digits_of_the_hash(void **state)
{
    (void)state;
    static const uint8_t hash[SHA256_LEN] = {0x00, 0xAB, 0xCD, 0xEF, 0x12, 0x34};
    char id[CHALLENGE_ID_LEN];
    record_challenge_id(hash, id);
    assert_string_equal(id, "00ABCDEF12");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_certificate_comes_back_as_it_was),
        cmocka_unit_test(a_transaction_comes_back_as_it_was),
        cmocka_unit_test(a_challenge_comes_back_as_it_was),
        cmocka_unit_test(the_longest_texts_fit),
        cmocka_unit_test(the_encoding_does_not_change),
        cmocka_unit_test(every_other_version_is_refused),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(one_octet_too_many_is_refused),
        cmocka_unit_test(mutations_are_refused_or_kept),
        cmocka_unit_test(impossible_values_are_refused),
        cmocka_unit_test(keys_sort_by_time_then_by_sequence),
        cmocka_unit_test(no_device_is_the_beginning_of_another),
        cmocka_unit_test(an_id_is_ten_digits_of_the_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
