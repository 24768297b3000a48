// SPDX-License-Identifier: Apache-2.0
// The one answer: whatever is wrong before a requester is authorised, the phone (or whoever wrapped
// a captured envelope) reads the same, and only the report knows more.
#include "ra/enroll.h"

#include "server/enroll_bench.h"

#define USED_UP      "the challenge password is used up"
#define EXPIRED      "the challenge password has expired"
#define WRONG        "wrong challenge password"
#define REVOKED      "the challenge password was revoked"
#define FOREIGN      "the challenge password is bound to another CN or MAC"
#define ABSENT       "no challenge password, and nothing else authorises the request"
#define OTHER_KEY    "the signer's key is not the key in the PKCS#10"
#define BROKEN_PROOF "the PKCS#10's own signature does not hold"
#define NOT_OPENED   "the envelope cannot be opened"
#define NOT_A_PKCS10 "not exactly one DER PKCS#10"
#define AES_BLOCK    16

// Sends the message under both values of challenge.fail_info; there is never a failInfoText.
static void expect_uniform(struct bench *bench, const struct kit_message *message,
                           const struct expected_refusal *expected)
{
    static const struct {
        enum settings_fail_info setting;
        const char *name;
    } both[] = {
        {SETTINGS_FAIL_BAD_REQUEST, "badRequest"},
        {SETTINGS_FAIL_BAD_MESSAGE_CHECK, "badMessageCheck"},
    };
    uint64_t certificates = count_certificates(bench);
    for (size_t i = 0; i < sizeof both / sizeof both[0]; i++) {
        struct expected_refusal refusal = *expected;
        refusal.fail_info = both[i].name;
        bench->policy->settings->challenge.fail_info = both[i].setting;
        bench->policy->settings->scep.fail_info_text = true;
        struct answer answer = send_message(bench, message);
        expect_refusal(&answer, &refusal);
        answer_done(&answer);
    }
    assert_int_equal(count_certificates(bench), certificates);
}

static void expect_uniform_ask(struct bench *bench, const struct ask *ask,
                               const struct expected_refusal *expected)
{
    struct buf csr = csr_of(bench, ask);
    struct kit_message message = message_of(bench, ask, buf_view(&csr));
    expect_uniform(bench, &message, expected);
    buf_done(&csr);
}

// ---- challenges ----

// Row 6 of tests/phone_rows.txt.
static void wrong_or_absent(void **state)
{
    struct bench *bench = *state;
    const struct expected_refusal wrong = {.reason = WRONG, .challenge = CHALLENGE_WRONG};
    const struct expected_refusal absent = {.reason = ABSENT, .challenge = CHALLENGE_ABSENT};
    expect_uniform_ask(bench, &(struct ask){.challenge = "12345678901234567890"}, &wrong);
    expect_uniform_ask(bench, &(struct ask){.challenge = STATIC_CHALLENGE "x"}, &wrong);
    expect_uniform_ask(bench, &(struct ask){0}, &absent);
}

static void expired(void **state)
{
    struct bench *bench = *state;
    char text[CHALLENGE_TEXT_LEN];
    const struct expected_refusal expected = {.reason = EXPIRED, .challenge = CHALLENGE_EXPIRED};
    struct store_challenge given =
        give_challenge(bench, &(struct store_challenge){.expires_at = KIT_NOW + 10}, text);
    bench->now = given.expires_at;
    expect_uniform_ask(bench, &(struct ask){.challenge = text}, &expected);
    bench->now = given.expires_at - 1;
    struct answer answer = send_ask(bench, &(struct ask){.challenge = text});
    expect_success(&answer, "issue", "one-time challenge");
    answer_done(&answer);
}

static void revoked(void **state)
{
    struct bench *bench = *state;
    char text[CHALLENGE_TEXT_LEN];
    const struct expected_refusal expected = {.reason = REVOKED, .challenge = CHALLENGE_REVOKED};
    struct store_challenge given = give_challenge(bench, &(struct store_challenge){0}, text);
    struct write_order revoke = {.kind = WRITE_CHALLENGE_REVOKE, .now = KIT_NOW};
    memcpy(revoke.challenge.id, given.id, sizeof given.id);
    assert_int_equal(writer_submit_and_wait(bench->writer, &revoke, NULL), ERR_OK);
    expect_uniform_ask(bench, &(struct ask){.challenge = text}, &expected);
}

// Somebody got hold of a challenge that a phone has used.
static void used_up_by_another_key(void **state)
{
    struct bench *bench = *state;
    char text[CHALLENGE_TEXT_LEN];
    const struct expected_refusal expected = {
        .reason = USED_UP, .challenge = CHALLENGE_USED_UP, .alarm = ALARM_CHALLENGE};
    struct store_challenge given = give_challenge(bench, &(struct store_challenge){0}, text);
    struct answer first = send_ask(bench, &(struct ask){.challenge = text});
    expect_success(&first, "issue", "one-time challenge");
    expect_uniform_ask(bench, &(struct ask){.phone = 1, .challenge = text}, &expected);
    assert_int_equal(uses_left(bench, &given), 0);
    answer_done(&first);
}

static void bound_to_another(void **state)
{
    struct bench *bench = *state;
    const struct expected_refusal expected = {
        .reason = FOREIGN, .challenge = CHALLENGE_FOREIGN, .alarm = ALARM_CHALLENGE};
    const struct store_challenge likes[] = {
        {.mac = "001122334401"},
        {.common_name = "CP-8841-SEP001122334401"},
    };
    for (size_t i = 0; i < sizeof likes / sizeof likes[0]; i++) {
        char text[CHALLENGE_TEXT_LEN];
        struct store_challenge given = give_challenge(bench, &likes[i], text);
        expect_uniform_ask(bench, &(struct ask){.challenge = text}, &expected);
        assert_int_equal(uses_left(bench, &given), 1);
        // The one it is bound to gets a certificate for it; each time under a new transaction.
        const struct ask right = {
            .phone = 1, .challenge = text, .transaction_id = i == 0 ? "by MAC" : "by CN"};
        struct answer answer = send_ask(bench, &right);
        expect_success(&answer, "issue", "one-time challenge");
        answer_done(&answer);
    }
}

// ---- envelopes and PKCS#10s with a right challenge in them ----

// The RA's name and serial number, but another key: only the RSA step finds out. OpenSSL goes on
// with a random content key, whose garbage has a right padding now and then, so the reason is one
// of two.
static void encrypted_to_another_key(void **state)
{
    struct bench *bench = *state;
    const struct ask ask = {.challenge = STATIC_CHALLENGE};
    const struct expected_refusal expected = {.reason = "", .is_reason_longer = true};
    struct buf csr = csr_of(bench, &ask);
    struct kit_message message = message_of(bench, &ask, buf_view(&csr));
    X509 *lookalike = X509_dup(message.ra);
    assert_int_equal(X509_set_pubkey(lookalike, site.phones[1].key), 1);
    message.ra = lookalike;
    expect_uniform(bench, &message, &expected);
    X509_free(lookalike);
    buf_done(&csr);
}

// The envelope is DER that ends with its ciphertext. A bit in the last but one block is the same
// bit of the padding; the IV, whose bits are those of the first block, comes as the last thing of
// the algorithm before it.
static void mauled(void **state)
{
    struct bench *bench = *state;
    const struct ask ask = {.challenge = STATIC_CHALLENGE};
    struct buf csr = csr_of(bench, &ask);
    struct kit_message message = message_of(bench, &ask, buf_view(&csr));
    struct buf envelope = kit_envelope_der(&message.envelope, message.ra);
    message.content = buf_view(&envelope);

    uint8_t *padding = envelope.data + envelope.len - AES_BLOCK - 1;
    *padding ^= 0x80;
    expect_uniform(bench, &message,
                   &(struct expected_refusal){.reason = NOT_OPENED, .is_reason_longer = true});
    *padding ^= 0x80;

    static const uint8_t aes_128_cbc[] = {0x60, 0x86, 0x48, 0x01, 0x65,     0x03,
                                          0x04, 0x01, 0x02, 0x04, AES_BLOCK};
    uint8_t *iv = memmem(envelope.data, envelope.len, aes_128_cbc, sizeof aes_128_cbc);
    assert_non_null(iv);
    iv += sizeof aes_128_cbc;
    iv[0] ^= 0x01; // of the SEQUENCE's tag
    expect_uniform(bench, &message,
                   &(struct expected_refusal){.reason = NOT_A_PKCS10, .is_reason_longer = true});
    iv[0] ^= 0x01;

    struct answer whole = send_message(bench, &message);
    expect_success(&whole, "issue", "static challenge");
    answer_done(&whole);
    buf_done(&envelope);
    buf_done(&csr);
}

static void pkcs10_of_another_key(void **state)
{
    struct bench *bench = *state;
    char text[CHALLENGE_TEXT_LEN];
    struct store_challenge given = give_challenge(bench, &(struct store_challenge){0}, text);
    const struct expected_refusal expected = {.reason = OTHER_KEY, .challenge = CHALLENGE_ONE_TIME};
    struct buf csr = csr_of(bench, &(struct ask){.challenge = text});
    struct kit_message message = message_of(bench, &(struct ask){.phone = 1}, buf_view(&csr));
    expect_uniform(bench, &message, &expected);
    assert_int_equal(uses_left(bench, &given), 1);
    buf_done(&csr);
}

static void pkcs10_with_a_broken_signature(void **state)
{
    struct bench *bench = *state;
    char text[CHALLENGE_TEXT_LEN];
    struct store_challenge given = give_challenge(bench, &(struct store_challenge){0}, text);
    const struct expected_refusal expected = {
        .reason = BROKEN_PROOF, .is_reason_longer = true, .challenge = CHALLENGE_ONE_TIME};
    const struct ask ask = {.challenge = text};
    struct buf csr = csr_of(bench, &ask);
    csr.data[csr.len - 1] ^= 1;
    struct kit_message message = message_of(bench, &ask, buf_view(&csr));
    expect_uniform(bench, &message, &expected);
    assert_int_equal(uses_left(bench, &given), 1);
    buf_done(&csr);
}

static void garbage_inside(void **state)
{
    struct bench *bench = *state;
    const struct ask ask = {0};
    struct kit_message message = message_of(bench, &ask, view_of_text("garbage"));
    expect_uniform(bench, &message,
                   &(struct expected_refusal){.reason = NOT_A_PKCS10, .is_reason_longer = true});
}

// A captured envelope, wrapped again: before the phone was answered and after.
static void the_same_envelope_under_another_signer(void **state)
{
    struct bench *bench = *state;
    char text[CHALLENGE_TEXT_LEN];
    give_challenge(bench, &(struct store_challenge){0}, text);
    const struct ask ask = {.challenge = text};
    struct expected_refusal expected = {
        .reason = OTHER_KEY, .alarm = ALARM_ENVELOPE, .challenge = CHALLENGE_USED_UP};
    struct buf csr = csr_of(bench, &ask);
    struct kit_message message = message_of(bench, &ask, buf_view(&csr));
    struct buf envelope = kit_envelope_der(&message.envelope, message.ra);
    message.content = buf_view(&envelope);
    struct answer first = send_message(bench, &message);
    expect_success(&first, "issue", "one-time challenge");
    message.key = site.phones[1].key;
    message.signer = site.phones[1].cert;
    expect_uniform(bench, &message, &expected);
    answer_done(&first);
    buf_done(&envelope);
    buf_done(&csr);
}

int main(void)
{
    log_init("test", LOG_LEVEL_ERROR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(wrong_or_absent, set_up, tear_down),
        cmocka_unit_test_setup_teardown(expired, set_up, tear_down),
        cmocka_unit_test_setup_teardown(revoked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(used_up_by_another_key, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bound_to_another, set_up, tear_down),
        cmocka_unit_test_setup_teardown(encrypted_to_another_key, set_up, tear_down),
        cmocka_unit_test_setup_teardown(mauled, set_up, tear_down),
        cmocka_unit_test_setup_teardown(pkcs10_of_another_key, set_up, tear_down),
        cmocka_unit_test_setup_teardown(pkcs10_with_a_broken_signature, set_up, tear_down),
        cmocka_unit_test_setup_teardown(garbage_inside, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_same_envelope_under_another_signer, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, set_up_site, tear_down_site);
}
