// SPDX-License-Identifier: Apache-2.0
#include "kit/kit.h"

#include "ra/store/record.h"
#include "ra/store/record_key.h"
#include "ra/store_kit.h"

enum kind {
    KIND_CERTIFICATE,
    KIND_TRANSACTION,
    KIND_CHALLENGE,
    KIND_PENDING,
    KIND_DEVICE,
    KIND_CRL,
    KIND_REVOCATION,
    KIND_LAST_EXPIRY,
    KIND_EVENT,
    KIND_MAX
};

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

static struct store_revocation some_revocation(void)
{
    return (struct store_revocation){.serial = {0x40, 1, 2, 3}, .revoked_at = KIT_NOW, .reason = 4};
}

static struct store_crl some_crl(void)
{
    struct store_crl crl = {
        .number = 9,
        .this_update = KIT_NOW,
        .next_update = KIT_NOW + 86400,
        .entries = 3,
    };
    store_kit_hash("issuer", 1, crl.issuer);
    assert_int_equal(buf_copy(view_of_text("not really a CRL"), &crl.der, NULL), ERR_OK);
    return crl;
}

static enum err_code put_certificate(struct buf *out)
{
    struct store_certificate certificate = store_kit_certificate(7);
    enum err_code code = record_put_certificate(&certificate, 42, out, NULL);
    store_certificate_done(&certificate);
    return code;
}

static enum err_code put_transaction(struct buf *out)
{
    struct store_transaction transaction = some_transaction();
    return record_put_transaction(&transaction, out, NULL);
}

static enum err_code put_challenge(struct buf *out)
{
    struct store_challenge challenge = store_kit_challenge(7);
    return record_put_challenge(&challenge, out, NULL);
}

static enum err_code put_pending(struct buf *out)
{
    struct store_pending pending = store_kit_pending(7);
    enum err_code code = record_put_pending(&pending, out, NULL);
    store_pending_done(&pending);
    return code;
}

static enum err_code put_device(struct buf *out)
{
    struct store_device device = store_kit_device("001A2B3C4D5E", "FCH2133E8B9");
    return record_put_device(&device, out, NULL);
}

static enum err_code put_crl(struct buf *out)
{
    struct store_crl crl = some_crl();
    enum err_code code = record_put_crl(&crl, out, NULL);
    store_crl_done(&crl);
    return code;
}

static enum err_code put_revocation(struct buf *out)
{
    struct store_revocation revocation = some_revocation();
    return record_put_revocation(&revocation, out, NULL);
}

static enum err_code put_last_expiry(struct buf *out)
{
    return record_put_last_expiry(KIT_NOW, out, NULL);
}

static enum err_code put_event(struct buf *out)
{
    struct store_event event = store_kit_event(7);
    return record_put_event(&event, out, NULL);
}

// Each decodes `octets` and encodes what came out again.
static enum err_code again_certificate(struct view octets, struct buf *again, struct err *err)
{
    struct record_certificate record = {0};
    enum err_code code = record_get_certificate(octets, &record, err);
    if (code == ERR_OK) {
        code = record_put_certificate(&record.certificate, record.sequence, again, NULL);
    }
    store_certificate_done(&record.certificate);
    return code;
}

static enum err_code again_transaction(struct view octets, struct buf *again, struct err *err)
{
    struct store_transaction transaction = {0};
    enum err_code code = record_get_transaction(octets, &transaction, err);
    return code == ERR_OK ? record_put_transaction(&transaction, again, NULL) : code;
}

static enum err_code again_challenge(struct view octets, struct buf *again, struct err *err)
{
    struct store_challenge challenge = {0};
    enum err_code code = record_get_challenge(octets, &challenge, err);
    return code == ERR_OK ? record_put_challenge(&challenge, again, NULL) : code;
}

static enum err_code again_pending(struct view octets, struct buf *again, struct err *err)
{
    struct store_pending pending = {0};
    enum err_code code = record_get_pending(octets, &pending, err);
    if (code == ERR_OK) {
        code = record_put_pending(&pending, again, NULL);
    }
    store_pending_done(&pending);
    return code;
}

static enum err_code again_device(struct view octets, struct buf *again, struct err *err)
{
    struct store_device device = {0};
    enum err_code code = record_get_device(octets, &device, err);
    return code == ERR_OK ? record_put_device(&device, again, NULL) : code;
}

static enum err_code again_crl(struct view octets, struct buf *again, struct err *err)
{
    struct store_crl crl = {0};
    enum err_code code = record_get_crl(octets, &crl, err);
    if (code == ERR_OK) {
        code = record_put_crl(&crl, again, NULL);
    }
    store_crl_done(&crl);
    return code;
}

static enum err_code again_revocation(struct view octets, struct buf *again, struct err *err)
{
    struct store_revocation revocation = {0};
    enum err_code code = record_get_revocation(octets, &revocation, err);
    return code == ERR_OK ? record_put_revocation(&revocation, again, NULL) : code;
}

static enum err_code again_last_expiry(struct view octets, struct buf *again, struct err *err)
{
    int64_t not_after = 0;
    enum err_code code = record_get_last_expiry(octets, &not_after, err);
    return code == ERR_OK ? record_put_last_expiry(not_after, again, NULL) : code;
}

static enum err_code again_event(struct view octets, struct buf *again, struct err *err)
{
    struct store_event event = {0};
    enum err_code code = record_get_event(octets, &event, err);
    return code == ERR_OK ? record_put_event(&event, again, NULL) : code;
}

static const struct {
    const char *name;
    unsigned refused; // at least so many octets that no other value may have the top bit of
    enum err_code (*put)(struct buf *out);
    enum err_code (*again)(struct view octets, struct buf *again, struct err *err);
} kinds[KIND_MAX] = {
    // Version, status, origin, and the lengths of six fields in three octets each...
    [KIND_CERTIFICATE] = {"a certificate", 3 + 6 * 3, put_certificate, again_certificate},
    [KIND_TRANSACTION] = {"a transaction", 2, put_transaction, again_transaction},
    [KIND_CHALLENGE] = {"a challenge", 2 + 2 * 3, put_challenge, again_challenge},
    [KIND_PENDING] = {"a waiting request's", 3 + 6 * 3, put_pending, again_pending},
    [KIND_DEVICE] = {"a device's", 1 + 4 * 3, put_device, again_device},
    [KIND_CRL] = {"a CRL's", 1 + 3, put_crl, again_crl},
    [KIND_REVOCATION] = {"a revocation's", 1, put_revocation, again_revocation},
    [KIND_LAST_EXPIRY] = {"an issuer's", 1, put_last_expiry, again_last_expiry},
    [KIND_EVENT] = {"an event's", 4 + 9 * 3, put_event, again_event},
};

static struct buf encoded(enum kind kind)
{
    struct buf octets = {0};
    assert_int_equal(kinds[kind].put(&octets), ERR_OK);
    return octets;
}

// Decodes and throws away; on success encodes again, which must give the same octets.
static enum err_code decode(enum kind kind, struct view octets, struct err *err)
{
    struct buf again = {0};
    enum err_code code = kinds[kind].again(octets, &again, err);
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
    certificate.kind = CERTIFICATE_OF_SERVER;
    certificate.not_before = -5;
    certificate.origin = ORIGIN_MIC;
    certificate.mic_not_after = INT64_C(253402300799); // the end of 9999
    certificate.revoked_at = KIT_NOW + 1;
    certificate.revocation_reason = 4;
    certificate.superseded_at = KIT_NOW + 2;
    memset(certificate.renews, 7, SERIAL_LEN);
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
    memset(certificate.model, 'M', sizeof certificate.model - 1);
    memset(certificate.serial_number, 'S', sizeof certificate.serial_number - 1);
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

static void a_waiting_request_comes_back_as_it_was(void **state)
{
    (void)state;
    struct store_pending pending = store_kit_pending(7);
    struct store_pending got = {0};
    struct buf octets = {0};
    pending.is_approved = true;
    memset(pending.source, 's', sizeof pending.source - 1);
    assert_int_equal(record_put_pending(&pending, &octets, NULL), ERR_OK);
    assert_int_equal(record_get_pending(buf_view(&octets), &got, NULL), ERR_OK);
    store_kit_assert_same_pending(&pending, &got);
    struct record_key key;
    record_key_by_source(&pending, &key);
    assert_int_equal(key.len, STORE_SOURCE_LEN + SHA256_LEN);
    store_pending_done(&pending);
    store_pending_done(&got);
    buf_done(&octets);
}

static void an_event_comes_back_as_it_was(void **state)
{
    (void)state;
    struct store_event event = store_kit_event(7);
    struct store_event got = {0};
    struct buf octets = {0};
    memset(event.device, 'd', sizeof event.device - 1);
    memset(event.common_name, 'c', sizeof event.common_name - 1);
    memset(event.model, 'm', sizeof event.model - 1);
    memset(event.peer, 'p', sizeof event.peer - 1);
    memset(event.reason, 'r', sizeof event.reason - 1);
    memset(event.fail_info, 'f', sizeof event.fail_info - 1);
    memset(event.issuer, 'i', sizeof event.issuer - 1);
    memset(event.words, 'w', sizeof event.words - 1);
    assert_int_equal(record_put_event(&event, &octets, NULL), ERR_OK);
    assert_int_equal(record_get_event(buf_view(&octets), &got, NULL), ERR_OK);
    got.id = event.id; // the key
    store_kit_assert_same_event(&event, &got);
    struct record_key prefix;
    struct record_key key;
    uint64_t id = 0;
    record_prefix_of_event_device(event.device, &prefix);
    record_key_event_of(&prefix, event.id, &key);
    assert_true(key.len < RECORD_KEY_MAX); // so that it can be followed
    assert_int_equal(record_key_event_id(record_key_view(&key), &id, NULL), ERR_OK);
    assert_int_equal(id, event.id);
    buf_done(&octets);
}

static void a_key_without_an_id_is_damaged(void **state)
{
    (void)state;
    uint64_t id = 42;
    struct err err = {0};
    assert_int_equal(record_key_event_id(view_of("1234567", 7), &id, &err), ERR_IO);
    assert_string_equal(err.text, "an index of the store is damaged");
    assert_int_equal(record_key_event_id(VIEW_EMPTY, &id, &err), ERR_IO);
    assert_int_equal(id, 42);
}

static void a_device_comes_back_as_it_was(void **state)
{
    (void)state;
    static const char *const names[][2] = {
        {"001A2B3C4D5E", "FCH2133E8B9"}, {NULL, "FCH2133E8B9"}, {"001A2B3C4D5E", NULL}};
    static const char *const keys[] = {"M001A2B3C4D5E", "SFCH2133E8B9", "M001A2B3C4D5E"};
    for (size_t i = 0; i < 3; i++) {
        struct store_device device = store_kit_device(names[i][0], names[i][1]);
        struct store_device got = {0};
        struct buf octets = {0};
        memset(device.note, 'n', sizeof device.note - 1);
        assert_int_equal(record_put_device(&device, &octets, NULL), ERR_OK);
        assert_int_equal(record_get_device(buf_view(&octets), &got, NULL), ERR_OK);
        store_kit_assert_same_device(&device, &got);
        struct record_key key;
        record_key_device(&device, &key);
        assert_true(view_is_text(record_key_view(&key), keys[i]));
        buf_done(&octets);
    }
}

static void a_crl_and_a_revocation_come_back_as_they_were(void **state)
{
    (void)state;
    struct buf octets = encoded(KIND_CRL);
    struct store_crl expected = some_crl();
    struct store_crl crl = {0};
    assert_int_equal(record_get_crl(buf_view(&octets), &crl, NULL), ERR_OK);
    assert_memory_equal(crl.issuer, expected.issuer, SHA256_LEN);
    assert_int_equal(crl.number, 9);
    assert_int_equal(crl.this_update, KIT_NOW);
    assert_int_equal(crl.next_update, KIT_NOW + 86400);
    assert_int_equal(crl.entries, 3);
    assert_true(view_is_text(buf_view(&crl.der), "not really a CRL"));
    store_crl_done(&crl);
    store_crl_done(&expected);
    buf_done(&octets);

    octets = encoded(KIND_REVOCATION);
    struct store_revocation revocation = {0};
    static const uint8_t serial[SERIAL_LEN] = {0x40, 1, 2, 3};
    assert_int_equal(record_get_revocation(buf_view(&octets), &revocation, NULL), ERR_OK);
    assert_memory_equal(revocation.serial, serial, SERIAL_LEN);
    assert_int_equal(revocation.revoked_at, KIT_NOW);
    assert_int_equal(revocation.reason, 4);
    buf_done(&octets);

    octets = encoded(KIND_LAST_EXPIRY);
    int64_t not_after = 0;
    assert_int_equal(record_get_last_expiry(buf_view(&octets), &not_after, NULL), ERR_OK);
    assert_int_equal(not_after, KIT_NOW);
    buf_done(&octets);
}

enum { HEAD_LEN = 1 + 8 + SERIAL_LEN + 1 + 1 + 3 * 8 + 8 + 1 + 8 + 3 * SHA256_LEN };

static void the_head_is_read_alone(void **state)
{
    (void)state;
    struct store_certificate expected = store_kit_certificate(7);
    struct buf octets = encoded(KIND_CERTIFICATE);
    struct record_certificate head = {0};
    assert_int_equal(record_get_head(view_of(octets.data, HEAD_LEN), &head, NULL), ERR_OK);
    assert_int_equal(head.sequence, 42);
    assert_memory_equal(head.certificate.serial, expected.serial, SERIAL_LEN);
    assert_int_equal(head.certificate.status, CERTIFICATE_VALID);
    assert_int_equal(head.certificate.issued_at, expected.issued_at);
    assert_int_equal(head.certificate.not_after, expected.not_after);
    assert_memory_equal(head.certificate.issuer, expected.issuer, SHA256_LEN);
    assert_memory_equal(head.certificate.spki_hash, expected.spki_hash, SHA256_LEN);
    assert_memory_equal(head.certificate.subject_hash, expected.subject_hash, SHA256_LEN);
    assert_string_equal(head.certificate.device, "");
    assert_null(head.certificate.der.data);
    struct err err = {0};
    for (size_t len = 0; len < HEAD_LEN; len++) {
        assert_int_equal(record_get_head(view_of(octets.data, len), &head, &err), ERR_IO);
        assert_non_null(strstr(err.text, len == 0 ? "is empty" : "is damaged"));
    }
    octets.data[1 + 8 + SERIAL_LEN] = 3; // status
    assert_int_equal(record_get_head(buf_view(&octets), &head, &err), ERR_IO);
    store_certificate_done(&expected);
    buf_done(&octets);
}

static void another_head_leaves_the_rest_as_it_was(void **state)
{
    (void)state;
    struct store_certificate expected = store_kit_certificate(7);
    struct buf octets = encoded(KIND_CERTIFICATE);
    struct buf changed = {0};
    struct record_certificate head = {0};
    struct record_certificate got = {0};
    assert_int_equal(record_get_head(buf_view(&octets), &head, NULL), ERR_OK);
    head.certificate.status = expected.status = CERTIFICATE_REVOKED;
    head.certificate.revoked_at = expected.revoked_at = 5;
    head.certificate.revocation_reason = expected.revocation_reason = 1;
    head.certificate.superseded_at = expected.superseded_at = 4;
    assert_int_equal(record_replace_head(buf_view(&octets), &head, &changed, NULL), ERR_OK);
    assert_int_equal(record_get_certificate(buf_view(&changed), &got, NULL), ERR_OK);
    store_kit_assert_same(&expected, &got.certificate);
    assert_int_equal(got.sequence, 42);
    store_certificate_done(&got.certificate);
    store_certificate_done(&expected);
    buf_done(&changed);
    buf_done(&octets);
}

static void the_encoding_does_not_change(void **state)
{
    (void)state;
    static const uint8_t head[] = {2, 0, 0, 0, 0, 0, 0, 0, 42, 0x40};
    struct buf octets = encoded(KIND_CERTIFICATE);
    assert_memory_equal(octets.data, head, sizeof head);
    static const size_t texts = 4 + 12 + 4 + 23 + 4 + 12 + 4 + 7 + 4 + 11;
    static const size_t rest = (size_t)3 * SHA256_LEN + 1 + 1 + SERIAL_LEN + 8;
    assert_int_equal(octets.len, HEAD_LEN + texts + rest + 4 + STORE_KIT_DER_LEN);
    buf_done(&octets);
    static const struct {
        enum kind kind;
        size_t len;
    } lengths[] = {
        {KIND_TRANSACTION, 1 + SHA256_LEN + 1 + 8 + SHA256_LEN + SERIAL_LEN},
        {KIND_REVOCATION, 1 + SERIAL_LEN + 8 + 1},
        {KIND_LAST_EXPIRY, 1 + 8},
        {KIND_DEVICE, 1 + 4 + 12 + 4 + 11 + 4 + 7 + 4 + 9 + 8},
        {KIND_CRL, 1 + SHA256_LEN + 3 * 8 + 4 + 4 + 16},
        {KIND_PENDING, 1 + SHA256_LEN + 2 + 16 + 4 + 9 + 4 + 23 + 4 + 12 + 4 + 7 + 4 + 11 + 1 +
                           3 * SHA256_LEN + 4 + STORE_KIT_DER_LEN},
    };
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        octets = encoded(lengths[i].kind);
        assert_int_equal(octets.len, lengths[i].len);
        buf_done(&octets);
    }
}

static void expect_version_refused(enum kind kind, struct buf *octets, unsigned version)
{
    struct err err = {0};
    char expected[ERR_TEXT_LEN];
    snprintf(expected, sizeof expected,
             "%s record in the store has version %u; this program knows %d", kinds[kind].name,
             version, RECORD_VERSION);
    octets->data[0] = (uint8_t)version;
    assert_int_equal(decode(kind, buf_view(octets), &err), ERR_IO);
    assert_string_equal(err.text, expected);
}

static void every_other_version_is_refused(void **state)
{
    (void)state;
    for (enum kind kind = 0; kind < KIND_MAX; kind++) {
        struct buf octets = encoded(kind);
        for (unsigned version = 0; version <= UINT8_MAX; version++) {
            if (version != RECORD_VERSION) {
                expect_version_refused(kind, &octets, version);
            }
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
    static const uint8_t flips[] = {0x01, 0x10, 0x80, 0xFF};
    for (size_t i = 0; i < sizeof flips; i++) {
        for (enum kind kind = 0; kind < KIND_MAX; kind++) {
            // The lowest bit alone may turn one state, or a flag, into another good one.
            unsigned good = flips[i] == 0x01 && kinds[kind].refused > 1 ? 1 : 0;
            assert_true(count_refused_mutations(kind, flips[i]) >= kinds[kind].refused - good);
        }
    }
}

// Puts `value` at `at` of a good record, which must make it a damaged one.
static void expect_octet_refused(enum kind kind, size_t at, uint8_t value)
{
    struct buf octets = encoded(kind);
    struct err err = {0};
    char expected[ERR_TEXT_LEN];
    snprintf(expected, sizeof expected, "%s record in the store is damaged", kinds[kind].name);
    octets.data[at] = value;
    assert_int_equal(decode(kind, buf_view(&octets), &err), ERR_IO);
    assert_string_equal(err.text, expected);
    buf_done(&octets);
}

static void impossible_values_are_refused(void **state)
{
    (void)state;
    static const size_t texts = 4 + 12 + 4 + 23 + 4 + 12;
    static const size_t origin = HEAD_LEN + texts + (size_t)3 * SHA256_LEN + 1;
    static const size_t is_revoked = 1 + SHA256_LEN + 8 + 8 + 4 + 4;
    static const struct {
        enum kind kind;
        size_t at;
        uint8_t value;
    } bad[] = {
        {KIND_CERTIFICATE, 1 + 8 + SERIAL_LEN, 0}, // status
        {KIND_CERTIFICATE, 1 + 8 + SERIAL_LEN, 3},
        {KIND_CERTIFICATE, 1 + 8 + SERIAL_LEN + 1, CERTIFICATE_OF_SERVER + 1},
        {KIND_CERTIFICATE, origin, 0},
        {KIND_CERTIFICATE, origin, ORIGIN_ADMINISTRATOR + 1},
        {KIND_TRANSACTION, 1 + SHA256_LEN, TRANSACTION_NONE},
        {KIND_TRANSACTION, 1 + SHA256_LEN, TRANSACTION_DENIED + 1},
        {KIND_CHALLENGE, is_revoked, 2},
        {KIND_CHALLENGE, is_revoked + 1 + 4, '\0'}, // first letter of the CN
        {KIND_PENDING, 1 + SHA256_LEN, 0},          // reason
        {KIND_PENDING, 1 + SHA256_LEN, PENDING_UNLISTED + 1},
        {KIND_PENDING, 1 + SHA256_LEN + 1, 2}, // is_approved
        {KIND_DEVICE, 1 + 4, '\0'},            // first digit of the MAC
        {KIND_EVENT, 1 + 8, EVENT_NONE},
        {KIND_EVENT, 1 + 8, EVENT_KIND_MAX},
        {KIND_EVENT, 1 + 8 + 1, EVENT_AUTHORITY_MAX},
        {KIND_EVENT, 1 + 8 + 1 + 1 + 4, '\0'}, // first letter of the device
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        expect_octet_refused(bad[i].kind, bad[i].at, bad[i].value);
    }

    struct err err = {0};
    struct buf octets = {0};
    struct store_challenge challenge = store_kit_challenge(1);
    challenge.uses_left = 3; // of two
    assert_int_equal(record_put_challenge(&challenge, &octets, NULL), ERR_OK);
    assert_int_equal(decode(KIND_CHALLENGE, buf_view(&octets), &err), ERR_IO);
    assert_string_equal(err.text, "a challenge record in the store is damaged");
    buf_done(&octets);
    struct store_device nameless = store_kit_device(NULL, NULL);
    assert_int_equal(record_put_device(&nameless, &octets, NULL), ERR_OK);
    assert_int_equal(decode(KIND_DEVICE, buf_view(&octets), &err), ERR_IO);
    assert_string_equal(err.text, "a device's record in the store is damaged");
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
                                  struct record_key *) = {record_key_by_issue, record_key_by_device,
                                                          record_key_by_key};
    for (size_t maker = 0; maker < sizeof makers / sizeof makers[0]; maker++) {
        struct record_key before = {0};
        for (size_t i = 0; i < sizeof sorted / sizeof sorted[0]; i++) {
            struct record_key key;
            certificate.issued_at = sorted[i].time;
            makers[maker](&certificate, sorted[i].sequence, &key);
            assert_true(i == 0 || compare(&before, &key) < 0);
            before = key;
        }
    }
}

static void keys_of_a_time_sort_by_time_then_by_name(void **state)
{
    (void)state;
    static const uint8_t issuer[SHA256_LEN] = {7};
    static const int64_t times[] = {INT64_MIN, -1, 0, 255, 256, KIT_NOW, INT64_MAX};
    struct record_key at_before = {0};
    struct record_key revoked_before = {0};
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        static const char *const names[] = {"", "a", "b"};
        for (size_t j = 0; j < 3; j++) {
            struct record_key key;
            record_key_at(times[i], view_of_text(names[j]), &key);
            assert_true(i + j == 0 || compare(&at_before, &key) < 0);
            at_before = key;
            record_key_revoked(issuer, times[i], view_of_text(names[j]), &key);
            assert_true(i + j == 0 || compare(&revoked_before, &key) < 0);
            assert_memory_equal(key.octets, issuer, SHA256_LEN);
            revoked_before = key;
        }
    }
}

static void what_follows_a_key_is_next_and_what_follows_a_prefix_is_behind_it(void **state)
{
    (void)state;
    static const struct {
        struct view prefix;
        struct view behind;
    } cases[] = {
        {{(const uint8_t *)"ab", 2}, {(const uint8_t *)"ac", 2}},
        {{(const uint8_t *)"a\xFF", 2}, {(const uint8_t *)"b", 1}},
        {{(const uint8_t *)"a\xFF\xFF", 3}, {(const uint8_t *)"b", 1}},
        {{(const uint8_t *)"\xFF\xFF", 2}, {NULL, 0}},
        {{NULL, 0}, {NULL, 0}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct record_key key;
        record_key_of(cases[i].prefix, &key);
        record_prefix_follow(&key);
        assert_true(view_equal(record_key_view(&key), cases[i].behind));
    }
    struct record_key key;
    record_key_of(view_of_text("ab"), &key);
    record_key_follow(&key);
    assert_true(view_equal(record_key_view(&key), view_of("ab\0", 3)));
    uint8_t longest[RECORD_KEY_MAX + 1] = {0};
    record_key_of(view_of(longest, sizeof longest), &key);
    assert_int_equal(key.len, RECORD_KEY_MAX);
}

static void no_source_is_the_beginning_of_another(void **state)
{
    (void)state;
    struct store_pending pending = {.source = "192.0.2.10"};
    struct record_key prefix;
    struct record_key key;
    record_key_by_source(&pending, &key);
    record_prefix_of_source("192.0.2.1", &prefix);
    assert_memory_not_equal(prefix.octets, key.octets, prefix.len);
    record_prefix_of_source("192.0.2.10", &prefix);
    assert_memory_equal(prefix.octets, key.octets, prefix.len);
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
    record_pending_id(hash, id);
    assert_string_equal(id, "00ABCDEF12");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_certificate_comes_back_as_it_was),
        cmocka_unit_test(a_transaction_comes_back_as_it_was),
        cmocka_unit_test(a_challenge_comes_back_as_it_was),
        cmocka_unit_test(a_waiting_request_comes_back_as_it_was),
        cmocka_unit_test(a_device_comes_back_as_it_was),
        cmocka_unit_test(an_event_comes_back_as_it_was),
        cmocka_unit_test(a_key_without_an_id_is_damaged),
        cmocka_unit_test(a_crl_and_a_revocation_come_back_as_they_were),
        cmocka_unit_test(the_head_is_read_alone),
        cmocka_unit_test(another_head_leaves_the_rest_as_it_was),
        cmocka_unit_test(the_longest_texts_fit),
        cmocka_unit_test(the_encoding_does_not_change),
        cmocka_unit_test(every_other_version_is_refused),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(one_octet_too_many_is_refused),
        cmocka_unit_test(mutations_are_refused_or_kept),
        cmocka_unit_test(impossible_values_are_refused),
        cmocka_unit_test(keys_sort_by_time_then_by_sequence),
        cmocka_unit_test(keys_of_a_time_sort_by_time_then_by_name),
        cmocka_unit_test(what_follows_a_key_is_next_and_what_follows_a_prefix_is_behind_it),
        cmocka_unit_test(no_source_is_the_beginning_of_another),
        cmocka_unit_test(no_device_is_the_beginning_of_another),
        cmocka_unit_test(an_id_is_ten_digits_of_the_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
