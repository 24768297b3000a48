// SPDX-License-Identifier: Apache-2.0
// Requests that wait, as an administrator sees and decides them.
#include "server/admin_kit.h"

#include "conf/base/clock.h"
#include "conf/base/hex.h"

#define APPROVE "{\"action\": \"approve\"}"
#define DENY    "{\"action\": \"deny\"}"
#define NOBODY  "0123456789"

static int set_up(void **state)
{
    desk_set_up(state);
    struct desk *desk = *state;
    desk_settings(desk)->approval.unauthenticated = SETTINGS_UNKNOWN_PENDING;
    return 0;
}

static int64_t expiry_sec(struct desk *desk)
{
    return (int64_t)desk_settings(desk)->approval.expiry_days * DAY_SEC;
}

// A phone asks without a challenge; its request waits under *ret_id.
static void queue(struct desk *desk, unsigned phone, char ret_id[PENDING_ID_LEN])
{
    struct answer answer = send_ask(&desk->bench, &(struct ask){.phone = phone});
    assert_string_equal(answer.status, "3");
    memcpy(ret_id, answer.report.pending_id, PENDING_ID_LEN);
    answer_done(&answer);
}

// What the phone gets for a poll: "0" SUCCESS, "2" FAILURE, "3" PENDING.
static void assert_polled(struct desk *desk, unsigned phone, const char *status)
{
    struct kit_message message =
        message_of(&desk->bench, &(struct ask){.phone = phone}, view_of_text("anything"));
    message.message_type.data = "20";
    struct answer answer = send_message(&desk->bench, &message);
    assert_string_equal(answer.status, status);
    answer_done(&answer);
}

static json_t *list(struct desk *desk, size_t count)
{
    json_t *answer = admin_kit_must(desk, admin_list_pending, NULL, NULL);
    assert_int_equal(json_array_size(json_object_get(answer, "pending")), count);
    return answer;
}

static void assert_time(const json_t *json, const char *key, int64_t time)
{
    char text[CLOCK_TEXT_LEN];
    assert_string_equal(text_of(json, key), clock_format(time, text));
}

static void lists_the_oldest_first(void **state)
{
    struct desk *desk = *state;
    char ids[PHONES][PENDING_ID_LEN];
    json_decref(list(desk, 0));
    for (unsigned i = 0; i < PHONES; i++) {
        desk_go_to(desk, KIT_NOW + (int64_t)(PHONES - i)); // another one is the oldest
        queue(desk, i, ids[i]);
    }
    json_t *answer = list(desk, PHONES);
    for (unsigned i = 0; i < PHONES; i++) {
        const json_t *one = json_array_get(json_object_get(answer, "pending"), i);
        assert_string_equal(text_of(one, "id"), ids[PHONES - 1 - i]);
    }
    json_decref(answer);
}

static void tells_what_was_asked(void **state)
{
    struct desk *desk = *state;
    char id[PENDING_ID_LEN];
    char key[2 * SHA256_LEN + 1];
    struct store_pending stored = {0};
    queue(desk, 1, id);
    assert_int_equal(store_find_pending_id(desk->bench.store, id, &stored, NULL), ERR_OK);
    hex_encode(view_of(stored.spki_hash, SHA256_LEN), key);
    json_t *one = admin_kit_must(desk, admin_get_pending, id, NULL);
    assert_string_equal(text_of(one, "id"), id);
    assert_string_equal(text_of(one, "state"), "waiting");
    assert_string_equal(text_of(one, "reason"), "no challenge");
    assert_string_equal(text_of(one, "common_name"), "CP-8841-SEP001122334401");
    assert_string_equal(text_of(one, "mac"), "001122334401");
    assert_true(is_null(one, "model"));
    assert_true(is_null(one, "serial_number"));
    assert_string_equal(text_of(one, "source"), KIT_SOURCE);
    assert_string_equal(text_of(one, "signer"), signer_class_name(SIGNER_SELF_SIGNED));
    assert_string_equal(text_of(one, "key_sha256"), key);
    assert_time(one, "created_at", KIT_NOW);
    assert_time(one, "expires_at", KIT_NOW + expiry_sec(desk));
    json_decref(one);
    // In lower case, too.
    for (char *at = id; *at != '\0'; at++) {
        *at = (char)(*at >= 'A' && *at <= 'F' ? *at + ('a' - 'A') : *at);
    }
    one = admin_kit_must(desk, admin_get_pending, id, NULL);
    assert_string_equal(text_of(one, "mac"), "001122334401");
    json_decref(one);
    store_pending_done(&stored);
}

static void approval_is_for_that_one(void **state)
{
    struct desk *desk = *state;
    char ids[2][PENDING_ID_LEN];
    queue(desk, 0, ids[0]);
    queue(desk, 1, ids[1]);
    json_t *answer = admin_kit_must(desk, admin_decide_pending, ids[0], APPROVE);
    assert_string_equal(text_of(answer, "id"), ids[0]);
    assert_string_equal(text_of(answer, "state"), "approved");
    json_decref(answer);
    json_t *one = admin_kit_must(desk, admin_get_pending, ids[0], NULL);
    assert_string_equal(text_of(one, "state"), "approved");
    json_decref(one);
    assert_polled(desk, 0, "0");
    assert_polled(desk, 1, "3");
    json_decref(list(desk, 1)); // what was issued does not wait any more
    admin_kit_refused(
        desk, admin_decide_pending, ids[0], DENY,
        &(struct err){.code = ERR_NOT_FOUND, .text = "no request waits under the id"});
}

static void denial(void **state)
{
    struct desk *desk = *state;
    char id[PENDING_ID_LEN];
    queue(desk, 0, id);
    json_t *answer = admin_kit_must(desk, admin_decide_pending, id, DENY);
    assert_string_equal(text_of(answer, "id"), id);
    assert_string_equal(text_of(answer, "state"), "denied");
    json_decref(answer);
    assert_polled(desk, 0, "2");
    json_decref(list(desk, 0));
    admin_kit_refused(
        desk, admin_get_pending, id, NULL,
        &(struct err){.code = ERR_NOT_FOUND, .text = "no request waits under the id"});
}

static void a_second_decision_is_a_conflict(void **state)
{
    struct desk *desk = *state;
    char id[PENDING_ID_LEN];
    queue(desk, 0, id);
    json_decref(admin_kit_must(desk, admin_decide_pending, id, APPROVE));
    struct err err;
    assert_null(admin_kit_ask(desk, admin_decide_pending, id, APPROVE, &err));
    assert_int_equal(err.code, ERR_CONFLICT);
    assert_null(admin_kit_ask(desk, admin_decide_pending, id, DENY, &err));
    assert_int_equal(err.code, ERR_CONFLICT);
    assert_polled(desk, 0, "0");
}

// Also before a sweep has come by: what the list does not show is not there.
static void what_has_expired_is_gone(void **state)
{
    struct desk *desk = *state;
    char id[PENDING_ID_LEN];
    struct store_pending stored = {0};
    queue(desk, 0, id);
    desk_go_to(desk, KIT_NOW + expiry_sec(desk) - 1);
    json_decref(list(desk, 1));
    json_decref(admin_kit_must(desk, admin_get_pending, id, NULL));
    desk_go_to(desk, KIT_NOW + expiry_sec(desk));
    json_decref(list(desk, 0));
    const struct err gone = {.code = ERR_NOT_FOUND, .text = "no request waits under the id"};
    admin_kit_refused(desk, admin_get_pending, id, NULL, &gone);
    admin_kit_refused(desk, admin_decide_pending, id, APPROVE, &gone);
    admin_kit_refused(desk, admin_decide_pending, id, DENY, &gone);
    assert_int_equal(store_find_pending_id(desk->bench.store, id, &stored, NULL), ERR_OK);
    store_pending_done(&stored);
}

static void bad_ids(void **state)
{
    struct desk *desk = *state;
    static const char *const ids[] = {
        "",
        "012345678",
        "01234567890",
        "012345678G",
        "012345678 ",
        "0123456789012345678901",
        "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9",
    };
    const struct err expected = {.code = ERR_SYNTAX, .text = "it has 10 hex digits"};
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        admin_kit_refused(desk, admin_get_pending, ids[i], NULL, &expected);
        admin_kit_refused(desk, admin_decide_pending, ids[i], APPROVE, &expected);
    }
    const struct err nobody = {.code = ERR_NOT_FOUND,
                               .text = "no request waits under the id " NOBODY};
    admin_kit_refused(desk, admin_get_pending, NOBODY, NULL, &nobody);
    admin_kit_refused(desk, admin_decide_pending, NOBODY, DENY, &nobody);
}

static void bad_decisions(void **state)
{
    struct desk *desk = *state;
    char id[PENDING_ID_LEN];
    static const struct {
        const char *body;
        const char *text;
    } tests[] = {
        {"", "not a JSON object"},
        {"\"approve\"", "not a JSON object"},
        {"{}", "expected {\"action\": \"approve\" or \"deny\"}"},
        {"{\"action\": true}", "expected {\"action\""},
        {"{\"action\": \"Approve\"}", "expected {\"action\""},
        {"{\"action\": \"\"}", "expected {\"action\""},
        {"{\"action\": \"approve\", \"why\": \"\"}", "expected {\"action\""},
        {"{\"action\": \"approve\", \"action\": \"deny\"}", "duplicate"},
    };
    queue(desk, 0, id);
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        struct err expected = {.code = ERR_SYNTAX};
        snprintf(expected.text, sizeof expected.text, "%s", tests[i].text);
        admin_kit_refused(desk, admin_decide_pending, id, tests[i].body, &expected);
    }
    assert_polled(desk, 0, "3");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, desk_tear_down)

int main(void)
{
    log_init("test", LOG_LEVEL_ERROR);
    const struct CMUnitTest tests[] = {
        TEST(lists_the_oldest_first),
        TEST(tells_what_was_asked),
        TEST(approval_is_for_that_one),
        TEST(denial),
        TEST(a_second_decision_is_a_conflict),
        TEST(what_has_expired_is_gone),
        TEST(bad_ids),
        TEST(bad_decisions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
