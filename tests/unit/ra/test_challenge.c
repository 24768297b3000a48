// SPDX-License-Identifier: Apache-2.0
// Linked with --wrap for ossl_random (tests/unit/CMakeLists.txt).
#include "kit/kit.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "ra/challenge.h"
#include "ra/store/store_env.h"
#include "ra/store/writer.h"
#include "ra/store_kit.h"

#define STATIC_TEXT "Correct-Horse"
#define PHONE_MAC   "001A2B3C4D5E"
#define PHONE       "CP-8841-SEP" PHONE_MAC
#define OTHER_PHONE "CP-8841-SEP00DEADBEEF00"
#define FIFTY       "01234567890123456789012345678901234567890123456789"
#define LONG_TEXT   FIFTY FIFTY FIFTY FIFTY FIFTY "0123456789" // 260 digits

static const char key_text[] = "0123456789abcdef0123456789abcdef"; // 32 octets

enum err_code __real_ossl_random(void *octets, size_t len, struct err *err);
enum err_code __wrap_ossl_random(void *octets, size_t len, struct err *err);

// What ossl_random() gives instead of random octets, in turns; NULL = what it always gives.
static struct {
    const uint8_t *octets;
    size_t len;
    size_t at;
    bool is_failing;
} drawn;

enum err_code __wrap_ossl_random(void *octets, size_t len, struct err *err)
{
    if (drawn.is_failing) {
        return err_set(err, ERR_CRYPTO, "no random octets");
    }
    if (drawn.octets == NULL) {
        return __real_ossl_random(octets, len, err);
    }
    uint8_t *to = octets;
    for (size_t i = 0; i < len; i++) {
        to[i] = drawn.octets[drawn.at++ % drawn.len];
    }
    return ERR_OK;
}

struct fixture {
    char *folder;
    char *key_path;
    char *static_path;
    struct settings settings;
    struct store *store;
    struct writer *writer;
    struct challenge_secrets secrets;
};

static void load(struct fixture *fixture)
{
    struct err err = {0};
    if (challenge_secrets_load(&fixture->settings, &fixture->secrets, &err) != ERR_OK) {
        fail_msg("%s", err.text);
    }
}

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    fixture->folder = kit_new_folder();
    fixture->key_path = kit_write(fixture->folder, "key", view_of_text(key_text));
    fixture->static_path = kit_write(fixture->folder, "static", view_of_text(STATIC_TEXT "\n"));
    fixture->settings.challenge.key_file = fixture->key_path;
    fixture->settings.challenge.static_file = fixture->static_path;
    char *directory = kit_path(fixture->folder, "store");
    assert_int_equal(store_open(directory, STORE_KIT_OCTETS, &fixture->store, NULL), ERR_OK);
    free(directory);
    assert_int_equal(writer_start(fixture->store, &fixture->writer, NULL), ERR_OK);
    load(fixture);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    memset(&drawn, 0, sizeof drawn);
    challenge_secrets_done(&fixture->secrets);
    writer_stop(fixture->writer);
    store_close(fixture->store);
    free(fixture->key_path);
    free(fixture->static_path);
    kit_remove_folder(fixture->folder);
    free(fixture);
    return 0;
}

// The names of a request with this CN (NULL = an empty subject) and these further names.
static struct names names_of(const char *common_name, enum name_kind kind, const char *text)
{
    struct names names = {.is_subject_empty = common_name == NULL};
    if (common_name != NULL) {
        struct name *name = &names.list[names.count++];
        name->kind = NAME_COMMON_NAME;
        snprintf(name->text, sizeof name->text, "%s", common_name);
        if (!names_find_mac(view_of_text(common_name), names.mac)) {
            names.mac[0] = '\0';
        }
    }
    if (text != NULL) {
        struct name *name = &names.list[names.count++];
        name->kind = kind;
        snprintf(name->text, sizeof name->text, "%s", text);
    }
    return names;
}

static struct challenge_result check(struct fixture *fixture, struct view presented,
                                     struct names *names)
{
    struct challenge_result result = {0};
    struct err err = {0};
    for (unsigned i = 0; i < names->count && names->common_name == NULL; i++) {
        if (names->list[i].kind == NAME_COMMON_NAME) {
            names->common_name = names->list[i].text;
        }
    }
    struct challenge_query query = {.presented = presented, .names = names, .now = KIT_NOW};
    if (challenge_check(&fixture->secrets, fixture->store, &query, &result, &err) != ERR_OK) {
        fail_msg("%s", err.text);
    }
    return result;
}

// What a challenge presented by the phone PHONE turns out to be.
static struct challenge_result check_text(struct fixture *fixture, const char *presented)
{
    struct names names = names_of(PHONE, 0, NULL);
    return check(fixture, view_of_text(presented), &names);
}

static struct store_challenge blank(void)
{
    return (struct store_challenge){
        .created_at = KIT_NOW - 10,
        .expires_at = KIT_NOW + 10,
        .uses_allowed = 1,
    };
}

// Makes a challenge, lets `change` spoil it, and stores it.
static void make(struct fixture *fixture, struct store_challenge challenge,
                 void (*change)(struct store_challenge *), char ret_text[CHALLENGE_TEXT_LEN])
{
    struct write_order order = {.kind = WRITE_CHALLENGE_NEW};
    struct err err = {0};
    assert_int_equal(challenge_make(&fixture->secrets, &challenge, ret_text, &err), ERR_OK);
    if (change != NULL) {
        change(&challenge);
    }
    order.challenge = challenge;
    if (writer_submit_and_wait(fixture->writer, &order, &err) != ERR_OK) {
        fail_msg("%s", err.text);
    }
}

static void a_challenge_is_twenty_digits_and_a_keyed_hash(void **state)
{
    struct fixture *fixture = *state;
    struct store_challenge challenge = blank();
    char text[CHALLENGE_TEXT_LEN] = "";
    uint8_t hash[SHA256_LEN];
    challenge.uses_allowed = 3;
    assert_int_equal(challenge_make(&fixture->secrets, &challenge, text, NULL), ERR_OK);
    assert_int_equal(strspn(text, "0123456789"), CHALLENGE_DIGITS);
    assert_int_equal(strlen(text), CHALLENGE_DIGITS);
    ossl_hmac_sha256(view_of_text(key_text), view_of_text(text), hash);
    assert_memory_equal(challenge.hash, hash, SHA256_LEN);
    char id[CHALLENGE_ID_LEN] = "";
    snprintf(id, sizeof id, "%02X%02X%02X%02X%02X", hash[0], hash[1], hash[2], hash[3], hash[4]);
    assert_string_equal(challenge.id, id);
    assert_int_equal(challenge.uses_left, 3);
    assert_int_equal(challenge.expires_at, KIT_NOW + 10);
}

// 20000 digits: each is expected 2000 times with a standard deviation of 42; six of these are
// exceeded once in 50 million runs.
static void digits_are_drawn_evenly(void **state)
{
    enum { COUNT = 1000, EXPECTED = COUNT * CHALLENGE_DIGITS / 10, TOLERANCE = 6 * 43 };
    struct fixture *fixture = *state;
    unsigned seen[10] = {0};
    char before[CHALLENGE_TEXT_LEN] = "";
    for (unsigned i = 0; i < COUNT; i++) {
        struct store_challenge challenge = blank();
        char text[CHALLENGE_TEXT_LEN] = "";
        assert_int_equal(challenge_make(&fixture->secrets, &challenge, text, NULL), ERR_OK);
        assert_string_not_equal(text, before);
        memcpy(before, text, sizeof before);
        for (unsigned at = 0; at < CHALLENGE_DIGITS; at++) {
            seen[text[at] - '0']++;
        }
    }
    for (unsigned digit = 0; digit < 10; digit++) {
        assert_in_range(seen[digit], EXPECTED - TOLERANCE, EXPECTED + TOLERANCE);
    }
}

static void octets_that_would_favour_a_digit_are_drawn_again(void **state)
{
    static const uint8_t octets[] = {255, 250, 249, 251, 0, 252, 10, 253, 19, 254, 123};
    struct fixture *fixture = *state;
    struct store_challenge challenge = blank();
    char text[CHALLENGE_TEXT_LEN] = "";
    drawn.octets = octets;
    drawn.len = sizeof octets;
    assert_int_equal(challenge_make(&fixture->secrets, &challenge, text, NULL), ERR_OK);
    assert_string_equal(text, "90093900939009390093");
}

static void without_random_octets_there_is_no_challenge(void **state)
{
    struct fixture *fixture = *state;
    struct store_challenge challenge = blank();
    char text[CHALLENGE_TEXT_LEN] = "";
    struct err err = {0};
    drawn.is_failing = true;
    assert_int_equal(challenge_make(&fixture->secrets, &challenge, text, &err), ERR_CRYPTO);
    assert_string_equal(err.text, "no random octets");
    assert_string_equal(text, "");
    assert_string_equal(challenge.id, "");
}

static void nothing_presented_is_absent(void **state)
{
    struct fixture *fixture = *state;
    static const uint8_t zeroes[SHA256_LEN];
    struct challenge_result result = check_text(fixture, "");
    assert_int_equal(result.state, CHALLENGE_ABSENT);
    assert_memory_equal(result.hash, zeroes, SHA256_LEN);
    assert_string_equal(result.id, "");
}

static void the_static_challenge_is_known(void **state)
{
    struct fixture *fixture = *state;
    struct challenge_result result = check_text(fixture, STATIC_TEXT);
    assert_int_equal(result.state, CHALLENGE_STATIC);
    assert_string_equal(result.id, "");
    uint8_t hash[SHA256_LEN];
    ossl_hmac_sha256(view_of_text(key_text), view_of_text(STATIC_TEXT), hash);
    assert_memory_equal(result.hash, hash, SHA256_LEN);
}

static void what_is_not_the_challenge_is_wrong(void **state)
{
    static const char *const wrong[] = {
        "correct-horse",        STATIC_TEXT "\n", STATIC_TEXT " ", "Correct-Hors", "x",
        "00000000000000000000", LONG_TEXT,
    };
    struct fixture *fixture = *state;
    uint8_t hash[SHA256_LEN];
    for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct challenge_result result = check_text(fixture, wrong[i]);
        assert_int_equal(result.state, CHALLENGE_WRONG);
        assert_string_equal(result.id, "");
        ossl_hmac_sha256(view_of_text(key_text), view_of_text(wrong[i]), hash);
        assert_memory_equal(result.hash, hash, SHA256_LEN);
    }
    struct names names = names_of(PHONE, 0, NULL);
    struct challenge_result result =
        check(fixture, view_of(STATIC_TEXT "\0", sizeof STATIC_TEXT), &names);
    assert_int_equal(result.state, CHALLENGE_WRONG);
}

// Without a static challenge its stored hash is all zeroes, which must not match anything.
static void without_a_static_challenge_none_is_right(void **state)
{
    struct fixture *fixture = *state;
    challenge_secrets_done(&fixture->secrets);
    fixture->settings.challenge.static_file = NULL;
    load(fixture);
    assert_false(fixture->secrets.has_static);
    assert_int_equal(check_text(fixture, STATIC_TEXT).state, CHALLENGE_WRONG);
    char text[CHALLENGE_TEXT_LEN];
    make(fixture, blank(), NULL, text);
    assert_int_equal(check_text(fixture, text).state, CHALLENGE_ONE_TIME);
}

static void another_key_knows_no_challenge_of_this_one(void **state)
{
    struct fixture *fixture = *state;
    char text[CHALLENGE_TEXT_LEN];
    make(fixture, blank(), NULL, text);
    fixture->secrets.key.data[0] ^= 1;
    assert_int_equal(check_text(fixture, text).state, CHALLENGE_WRONG);
    assert_int_equal(check_text(fixture, STATIC_TEXT).state, CHALLENGE_WRONG);
    fixture->secrets.key.data[0] ^= 1;
    assert_int_equal(check_text(fixture, text).state, CHALLENGE_ONE_TIME);
}

static void revoke(struct store_challenge *challenge)
{
    challenge->is_revoked = true;
}
static void use_up(struct store_challenge *challenge)
{
    challenge->uses_left = 0;
}
static void expire_now(struct store_challenge *challenge)
{
    challenge->expires_at = KIT_NOW;
}
static void expire_next(struct store_challenge *challenge)
{
    challenge->expires_at = KIT_NOW + 1;
}
static void bind_to_other_name(struct store_challenge *challenge)
{
    snprintf(challenge->common_name, sizeof challenge->common_name, OTHER_PHONE);
}
static void bind_to_other_mac(struct store_challenge *challenge)
{
    snprintf(challenge->mac, sizeof challenge->mac, "00DEADBEEF00");
}
static void do_all(struct store_challenge *challenge)
{
    expire_now(challenge);
    bind_to_other_name(challenge);
    use_up(challenge);
    revoke(challenge);
}

static void states_are_told_apart(void **state)
{
    static const struct {
        void (*change)(struct store_challenge *);
        enum challenge_state state;
        const char *name;
    } cases[] = {
        {NULL, CHALLENGE_ONE_TIME, "one_time"},
        {expire_next, CHALLENGE_ONE_TIME, "one_time"},
        {expire_now, CHALLENGE_EXPIRED, "expired"},
        {use_up, CHALLENGE_USED_UP, "used_up"},
        {revoke, CHALLENGE_REVOKED, "revoked"},
        {bind_to_other_name, CHALLENGE_FOREIGN, "foreign"},
        {bind_to_other_mac, CHALLENGE_FOREIGN, "foreign"},
        {do_all, CHALLENGE_REVOKED, "revoked"},
    };
    struct fixture *fixture = *state;
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[CHALLENGE_TEXT_LEN];
        make(fixture, blank(), cases[i].change, text);
        struct challenge_result result = check_text(fixture, text);
        assert_int_equal(result.state, cases[i].state);
        assert_string_equal(challenge_state_name(result.state), cases[i].name);
        assert_int_equal(strlen(result.id), CHALLENGE_ID_LEN - 1);
    }
}

static void a_use_in_the_store_uses_it_up(void **state)
{
    struct fixture *fixture = *state;
    char text[CHALLENGE_TEXT_LEN];
    make(fixture, blank(), NULL, text);
    struct challenge_result result = check_text(fixture, text);
    assert_int_equal(result.state, CHALLENGE_ONE_TIME);
    struct write_order order = {
        .kind = WRITE_ISSUED,
        .now = KIT_NOW,
        .certificate = store_kit_certificate(1),
        .is_one_time = true,
    };
    memcpy(order.certificate.challenge_hash, result.hash, SHA256_LEN);
    assert_int_equal(writer_submit_and_wait(fixture->writer, &order, NULL), ERR_OK);
    store_certificate_done(&order.certificate);
    assert_int_equal(check_text(fixture, text).state, CHALLENGE_USED_UP);
}

struct binding {
    const char *bound_name; // "" = not bound
    const char *bound_mac;
    const char *common_name; // NULL = empty subject
    enum name_kind kind;
    const char *further; // NULL = none
    enum challenge_state state;
};

static const struct binding bindings[] = {
    // Bound to a CN.
    {PHONE, "", PHONE, 0, NULL, CHALLENGE_ONE_TIME},
    {PHONE, "", PHONE, NAME_SAN_DNS, PHONE ".example.com", CHALLENGE_ONE_TIME},
    {PHONE, "", PHONE, NAME_SAN_UPN, PHONE "@example.com", CHALLENGE_ONE_TIME},
    {PHONE, "", PHONE, NAME_SAN_DNS, OTHER_PHONE ".example.com", CHALLENGE_FOREIGN},
    {PHONE, "", PHONE, NAME_COMMON_NAME, OTHER_PHONE, CHALLENGE_FOREIGN},
    {PHONE, "", PHONE, NAME_SAN_OTHER, "", CHALLENGE_FOREIGN},
    {PHONE, "", OTHER_PHONE, 0, NULL, CHALLENGE_FOREIGN},
    // Bound to a CN, empty subject: the certificate gets that CN.
    {PHONE, "", NULL, 0, NULL, CHALLENGE_ONE_TIME},
    {PHONE, "", NULL, NAME_SAN_DNS, PHONE ".example.com", CHALLENGE_ONE_TIME},
    {PHONE, "", NULL, NAME_SAN_DNS, "root.example.com", CHALLENGE_FOREIGN},
    {PHONE, "", NULL, NAME_SAN_EMAIL, "boss@example.com", CHALLENGE_FOREIGN},
    // Bound to a MAC.
    {"", PHONE_MAC, PHONE, 0, NULL, CHALLENGE_ONE_TIME},
    {"", PHONE_MAC, "SEP" PHONE_MAC, 0, NULL, CHALLENGE_ONE_TIME},
    {"", PHONE_MAC, OTHER_PHONE, 0, NULL, CHALLENGE_FOREIGN},
    {"", PHONE_MAC, "CP-8841", 0, NULL, CHALLENGE_FOREIGN},
    {"", PHONE_MAC, PHONE, NAME_SAN_DNS, OTHER_PHONE ".example.com", CHALLENGE_FOREIGN},
    {"", PHONE_MAC, PHONE, NAME_COMMON_NAME, OTHER_PHONE, CHALLENGE_FOREIGN},
    // Bound to a MAC, empty subject: there is no name it could be for.
    {"", PHONE_MAC, NULL, 0, NULL, CHALLENGE_FOREIGN},
    {"", PHONE_MAC, NULL, NAME_SAN_DNS, PHONE ".example.com", CHALLENGE_FOREIGN},
    // Bound to both.
    {PHONE, PHONE_MAC, PHONE, 0, NULL, CHALLENGE_ONE_TIME},
    {PHONE, PHONE_MAC, NULL, 0, NULL, CHALLENGE_ONE_TIME},
    {PHONE, "00DEADBEEF00", PHONE, 0, NULL, CHALLENGE_FOREIGN},
    {PHONE, "00DEADBEEF00", NULL, 0, NULL, CHALLENGE_FOREIGN},
    {OTHER_PHONE, PHONE_MAC, PHONE, 0, NULL, CHALLENGE_FOREIGN},
    // Not bound.
    {"", "", OTHER_PHONE, NAME_SAN_DNS, "anything.example.com", CHALLENGE_ONE_TIME},
    {"", "", NULL, 0, NULL, CHALLENGE_ONE_TIME},
};

static void expect_binding(struct fixture *fixture, unsigned number)
{
    const struct binding *binding = &bindings[number];
    struct store_challenge challenge = blank();
    char text[CHALLENGE_TEXT_LEN];
    snprintf(challenge.common_name, sizeof challenge.common_name, "%s", binding->bound_name);
    snprintf(challenge.mac, sizeof challenge.mac, "%s", binding->bound_mac);
    make(fixture, challenge, NULL, text);
    struct names names = names_of(binding->common_name, binding->kind, binding->further);
    struct challenge_result result = check(fixture, view_of_text(text), &names);
    assert_string_equal(result.common_name, binding->bound_name);
    if (result.state != binding->state) {
        fail_msg("binding %u is %s", number, challenge_state_name(result.state));
    }
}

static void a_binding_holds_for_every_name(void **state)
{
    for (unsigned i = 0; i < sizeof bindings / sizeof bindings[0]; i++) {
        expect_binding(*state, i);
    }
}

// A subject that is not empty and has no CN is for nobody, even if no name contradicts.
static void a_bound_challenge_needs_a_common_name(void **state)
{
    struct fixture *fixture = *state;
    struct store_challenge challenge = blank();
    char text[CHALLENGE_TEXT_LEN];
    snprintf(challenge.common_name, sizeof challenge.common_name, PHONE);
    make(fixture, challenge, NULL, text);
    struct names names = {.is_subject_empty = false};
    assert_int_equal(check(fixture, view_of_text(text), &names).state, CHALLENGE_FOREIGN);
}

static void trouble_of_the_store_is_an_error(void **state)
{
    struct fixture *fixture = *state;
    struct names names = names_of(PHONE, 0, NULL);
    struct challenge_result result = {.state = CHALLENGE_WRONG};
    struct err err = {0};
    writer_stop(fixture->writer);
    fixture->writer = NULL;
    struct view presented = view_of_text(STATIC_TEXT);
    struct store *store = fixture->store;
    mdb_env_close(store->env);
    store->env = NULL;
    struct challenge_query query = {.presented = presented, .names = &names, .now = KIT_NOW};
    assert_int_equal(challenge_check(&fixture->secrets, store, &query, &result, &err), ERR_IO);
    assert_int_equal(result.state, CHALLENGE_WRONG);
    assert_null(strstr(err.text, STATIC_TEXT));
}

static void expect_config_error(struct fixture *fixture, const char *text)
{
    struct challenge_secrets secrets = {0};
    struct err err = {0};
    assert_int_equal(challenge_secrets_load(&fixture->settings, &secrets, &err), ERR_CONFIG);
    if (strstr(err.text, text) == NULL) {
        fail_msg("got \"%s\", expected \"%s\"", err.text, text);
    }
    assert_null(strstr(err.text, "Horse"));
    assert_null(strstr(err.text, key_text));
    assert_null(secrets.key.data);
}

static void files_that_others_can_read_are_refused(void **state)
{
    static const struct {
        mode_t mode;
        const char *text;
    } cases[] = {
        {0640, "has mode 0640; allowed is nothing for group and others (0600)"},
        {0604, "has mode 0604"},
        {0620, "has mode 0620"},
        {0666, "has mode 0666"},
    };
    struct fixture *fixture = *state;
    char *const paths[] = {fixture->key_path, fixture->static_path};
    for (unsigned path = 0; path < 2; path++) {
        for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            assert_int_equal(chmod(paths[path], cases[i].mode), 0);
            expect_config_error(fixture, cases[i].text);
        }
        assert_int_equal(chmod(paths[path], 0400), 0);
        struct challenge_secrets secrets = {0};
        assert_int_equal(challenge_secrets_load(&fixture->settings, &secrets, NULL), ERR_OK);
        challenge_secrets_done(&secrets);
    }
}

static void only_the_first_line_counts(void **state)
{
    static const char *const contents[] = {
        STATIC_TEXT,
        STATIC_TEXT "\n",
        STATIC_TEXT "\r\n",
        STATIC_TEXT "\nsecond line\n",
    };
    struct fixture *fixture = *state;
    for (unsigned i = 0; i < sizeof contents / sizeof contents[0]; i++) {
        free(fixture->static_path);
        fixture->static_path = kit_write(fixture->folder, "other", view_of_text(contents[i]));
        fixture->settings.challenge.static_file = fixture->static_path;
        challenge_secrets_done(&fixture->secrets);
        load(fixture);
        assert_int_equal(check_text(fixture, STATIC_TEXT).state, CHALLENGE_STATIC);
        assert_int_equal(remove(fixture->static_path), 0);
    }
}

static void unusable_static_challenges_are_refused(void **state)
{
    static const struct {
        const char *content;
        const char *text;
    } cases[] = {
        {"", "has 0 characters; at least 8 are needed"},
        {"\nHorse-and-more\n", "has 0 characters"},
        {"Horse67\n", "has 7 characters; at least 8 are needed"},
        {"\xC3\xA4\xC3\xB6\xC3\xBC\xC3\xA4\n", "has 4 characters"}, // 8 octets
        {"Horse-\xE4\xF6\xFC-and-more\n", "is not UTF-8 text"},
        {LONG_TEXT "\n", "has 260 octets; at most 255"},
    };
    struct fixture *fixture = *state;
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *path = kit_write(fixture->folder, "bad", view_of_text(cases[i].content));
        fixture->settings.challenge.static_file = path;
        expect_config_error(fixture, cases[i].text);
        expect_config_error(fixture, "challenge.static_file: the first line of");
        assert_int_equal(remove(path), 0);
        free(path);
    }
    char *path = kit_write(fixture->folder, "bad", view_of("Horse\0and-more", 14));
    fixture->settings.challenge.static_file = path;
    expect_config_error(fixture, "is not UTF-8 text");
    free(path);
}

static void a_short_key_is_refused(void **state)
{
    struct fixture *fixture = *state;
    char *path = kit_write(fixture->folder, "short", view_of(key_text, CHALLENGE_KEY_LEN_MIN - 1));
    fixture->settings.challenge.key_file = path;
    expect_config_error(fixture, "has 31 octets; at least 32 are needed");
    free(path);
}

static void missing_files_are_named(void **state)
{
    struct fixture *fixture = *state;
    struct challenge_secrets secrets = {0};
    struct err err = {0};
    fixture->settings.challenge.static_file = "/nonexistent/static";
    assert_int_equal(challenge_secrets_load(&fixture->settings, &secrets, &err), ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "challenge.static_file: cannot look at /nonexistent/static"));
    fixture->settings.challenge.key_file = "/nonexistent/key";
    assert_int_equal(challenge_secrets_load(&fixture->settings, &secrets, &err), ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "challenge.key_file: cannot look at /nonexistent/key"));
}

#define WITH_SECRETS(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SECRETS(a_challenge_is_twenty_digits_and_a_keyed_hash),
        WITH_SECRETS(digits_are_drawn_evenly),
        WITH_SECRETS(octets_that_would_favour_a_digit_are_drawn_again),
        WITH_SECRETS(without_random_octets_there_is_no_challenge),
        WITH_SECRETS(nothing_presented_is_absent),
        WITH_SECRETS(the_static_challenge_is_known),
        WITH_SECRETS(what_is_not_the_challenge_is_wrong),
        WITH_SECRETS(without_a_static_challenge_none_is_right),
        WITH_SECRETS(another_key_knows_no_challenge_of_this_one),
        WITH_SECRETS(states_are_told_apart),
        WITH_SECRETS(a_use_in_the_store_uses_it_up),
        WITH_SECRETS(a_binding_holds_for_every_name),
        WITH_SECRETS(a_bound_challenge_needs_a_common_name),
        WITH_SECRETS(trouble_of_the_store_is_an_error),
        WITH_SECRETS(files_that_others_can_read_are_refused),
        WITH_SECRETS(only_the_first_line_counts),
        WITH_SECRETS(unusable_static_challenges_are_refused),
        WITH_SECRETS(a_short_key_is_refused),
        WITH_SECRETS(missing_files_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
