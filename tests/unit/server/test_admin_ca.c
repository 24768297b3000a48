// SPDX-License-Identifier: Apache-2.0
// What an administrator asks about the CA: reloading, how a rollover stands, revoking.
#include "server/admin_kit.h"

#include "conf/base/clock.h"
#include "conf/base/hex.h"
#include "server/crl.h"

#define HEX_SERIAL_LEN (2 * SERIAL_LEN + 1)
#define BODY_LEN       256

// ---- POST /v1/reload ----

static void reload_says_that_it_is_done(void **state)
{
    struct desk *desk = *state;
    json_t *answer = admin_kit_must(desk, admin_reload, NULL, NULL);
    assert_true(json_is_true(json_object_get(answer, "reloaded")));
    assert_int_equal(desk->reloads, 1);
    json_decref(answer);
}

// The settings on the disk are to blame, not the question.
static void reload_of_wrong_settings_is_a_conflict(void **state)
{
    struct desk *desk = *state;
    desk->reload_breaks = true;
    admin_kit_refused(desk, admin_reload, NULL, NULL,
                      &(struct err){.code = ERR_CONFLICT, .text = "broken settings"});
}

static enum err_code reload_without_ca(void *context, struct err *err)
{
    (void)context;
    return err_set(err, ERR_BUSY, "the CA does not answer");
}

static void reload_in_trouble_is_our_trouble(void **state)
{
    struct desk *desk = *state;
    desk->live.reload = reload_without_ca;
    admin_kit_refused(desk, admin_reload, NULL, NULL,
                      &(struct err){.code = ERR_BUSY, .text = "the CA does not answer"});
}

// ---- GET /v1/rollover ----

static void assert_generation(const json_t *json, const struct generation *generation)
{
    char hash[2 * SHA256_LEN + 1];
    struct buf der = {0};
    uint8_t sha256[SHA256_LEN];
    assert_non_null(generation);
    assert_int_equal(ossl_cert_to_der(generation->cert, &der, NULL), ERR_OK);
    const struct view octets = buf_view(&der);
    ossl_sha256(&octets, 1, sha256);
    hex_to_upper(hex_encode(view_of(sha256, SHA256_LEN), hash));
    assert_string_equal(text_of(json, "name"), generation->name);
    assert_string_equal(text_of(json, "sha256"), hash);
    buf_done(&der);
}

static void assert_time(const json_t *json, const char *key, int64_t time)
{
    char text[CLOCK_TEXT_LEN];
    assert_string_equal(text_of(json, key), clock_format(time, text));
}

static void assert_ra(const json_t *list, size_t index, const char *role, const X509 *cert)
{
    char serial[2 * LIMIT_NAME_VALUE + 1];
    const json_t *ra = json_array_get(list, index);
    hex_to_upper(hex_encode(ossl_string_view(X509_get0_serialNumber(cert)), serial));
    assert_string_equal(text_of(ra, "role"), role);
    assert_string_equal(text_of(ra, "serial"), serial);
}

static void status_without_a_rollover(void **state)
{
    struct desk *desk = *state;
    json_t *answer = admin_kit_must(desk, admin_get_rollover, NULL, NULL);
    const json_t *current = json_object_get(answer, "current");
    const json_t *ra = json_object_get(answer, "ra");
    assert_generation(current, desk_generation(desk, GENERATION_CURRENT));
    assert_string_equal(text_of(current, "subject"), "CN=SCEP Issuing CA,O=Test");
    assert_true(is_null(current, "last_certificate_until"));
    assert_true(is_null(current, "crl_number"));
    assert_true(is_null(current, "crl_next_update"));
    assert_true(is_null(answer, "next"));
    assert_int_equal(json_array_size(json_object_get(answer, "old")), 0);
    assert_int_equal(json_array_size(ra), 1);
    assert_ra(ra, 0, "current", credentials_ra(desk_credentials(desk))->cert);
    assert_true(json_is_false(json_object_get(answer, "next_ca_answer")));
    json_decref(answer);
}

static void status_tells_of_certificates_and_crls(void **state)
{
    struct desk *desk = *state;
    struct answer issued = desk_enrol(desk, 0);
    struct store_certificate stored = stored_of(&desk->bench, &issued);
    json_decref(admin_kit_must(desk, admin_reload, NULL, NULL));
    assert_int_equal(crl_publish(&desk->live, CRL_WHEN_DUE, KIT_NOW, NULL), ERR_OK);
    json_t *answer = admin_kit_must(desk, admin_get_rollover, NULL, NULL);
    const json_t *current = json_object_get(answer, "current");
    assert_time(current, "last_certificate_until", stored.not_after);
    assert_int_equal(json_integer_value(json_object_get(current, "crl_number")),
                     (json_int_t)crl_first_number(KIT_NOW));
    assert_time(current, "crl_next_update", KIT_NOW + 2LL * DESK_CRL_HALF);
    json_decref(answer);
    store_certificate_done(&stored);
    answer_done(&issued);
}

static void status_during_a_rollover(void **state)
{
    struct desk *desk = *state;
    desk_prepare(desk);
    desk_must_reload(desk);
    const struct credentials *credentials = desk_credentials(desk);
    json_t *answer = admin_kit_must(desk, admin_get_rollover, NULL, NULL);
    const json_t *ra = json_object_get(answer, "ra");
    assert_generation(json_object_get(answer, "next"), desk_generation(desk, GENERATION_NEXT));
    assert_string_equal(text_of(json_object_get(answer, "next"), "subject"),
                        "CN=SCEP Issuing CA G2,O=Test");
    assert_int_equal(json_array_size(ra), 2);
    assert_ra(ra, 0, "current", credentials_ra(credentials)->cert);
    assert_ra(ra, 1, "next", credentials_next_ra(credentials)->cert);
    assert_true(json_is_true(json_object_get(answer, "next_ca_answer")));
    json_decref(answer);
}

// The old RA is shown as long as it opens.
static void status_after_a_rollover(void **state)
{
    struct desk *desk = *state;
    X509 *old_ra = X509_dup(credentials_ra(desk_credentials(desk))->cert);
    desk_roll_over(desk);
    const int64_t end = KIT_NOW + 30LL * DAY_SEC; // ra.previous_days
    for (unsigned i = 0; i < 2; i++) {
        desk_go_to(desk, end - 1 + (int64_t)i);
        json_t *answer = admin_kit_must(desk, admin_get_rollover, NULL, NULL);
        const json_t *old = json_object_get(answer, "old");
        const json_t *ra = json_object_get(answer, "ra");
        assert_generation(json_object_get(answer, "current"),
                          desk_generation(desk, GENERATION_CURRENT));
        assert_true(is_null(answer, "next"));
        assert_int_equal(json_array_size(old), 1);
        assert_generation(json_array_get(old, 0), desk_generation(desk, GENERATION_OLD));
        assert_int_equal(json_array_size(ra), 2 - i);
        assert_ra(ra, 0, "current", credentials_ra(desk_credentials(desk))->cert);
        if (i == 0) {
            assert_ra(ra, 1, "previous", old_ra);
        }
        assert_true(json_is_false(json_object_get(answer, "next_ca_answer")));
        json_decref(answer);
    }
    X509_free(old_ra);
}

// ---- POST /v1/revocations ----

static json_t *revoke_of(struct desk *desk, const char *what, const char *reason)
{
    char body[BODY_LEN];
    const char *more = reason != NULL ? "\", \"reason\": \"" : "";
    snprintf(body, sizeof body, "{\"certificate\": \"%s%s%s\"}", what, more,
             reason != NULL ? reason : "");
    return admin_kit_must(desk, admin_revoke, NULL, body);
}

static const char *hex_of(const uint8_t serial[SERIAL_LEN], char text[HEX_SERIAL_LEN])
{
    return hex_to_upper(hex_encode(view_of(serial, SERIAL_LEN), text));
}

static void assert_revoked(struct desk *desk, const uint8_t serial[SERIAL_LEN],
                           enum revocation_reason reason)
{
    struct store_certificate stored = {0};
    assert_int_equal(store_find_serial(desk->bench.store, serial, &stored, NULL), ERR_OK);
    assert_int_equal(stored.status, CERTIFICATE_REVOKED);
    assert_int_equal(stored.revocation_reason, reason);
    assert_int_equal(stored.revoked_at, desk->bench.now);
    store_certificate_done(&stored);
}

static void assert_answer(const json_t *answer, size_t count)
{
    assert_int_equal(json_array_size(json_object_get(answer, "revoked")), count);
    assert_true(json_is_true(json_object_get(answer, "crl_published")));
    assert_true(is_null(answer, "crl_trouble"));
    assert_true(json_is_false(json_object_get(answer, "has_more")));
}

static void one_certificate_by_its_serial_number(void **state)
{
    struct desk *desk = *state;
    static const struct {
        const char *reason; // NULL = not given
        enum revocation_reason expected;
    } tests[PHONES] = {{NULL, REVOCATION_UNSPECIFIED},
                       {"KEYCOMPROMISE", REVOCATION_KEY_COMPROMISE},
                       {"privilegeWithdrawn", REVOCATION_PRIVILEGE_WITHDRAWN}};
    for (unsigned i = 0; i < PHONES; i++) {
        char text[HEX_SERIAL_LEN];
        uint8_t serial[SERIAL_LEN];
        desk_enrol_serial(desk, i, serial);
        json_t *answer = revoke_of(desk, hex_of(serial, text), tests[i].reason);
        assert_answer(answer, 1);
        assert_string_equal(
            json_string_value(json_array_get(json_object_get(answer, "revoked"), 0)), text);
        assert_revoked(desk, serial, tests[i].expected);
        assert_true(desk_lists(desk, serial));
        assert_int_equal(desk_number(desk), i + 1);
        json_decref(answer);
    }
}

// A second certificate of the same phone, with another key.
static void enrol_again(struct desk *desk, unsigned phone, uint8_t ret_serial[SERIAL_LEN])
{
    EVP_PKEY *key = kit_key(PHONES + phone);
    X509 *signer =
        kit_cert(key, desk->site.phones[phone].common_name, NULL, NULL, false, KIT_NOW, 5);
    const struct ask ask = {.phone = phone,
                            .challenge = STATIC_CHALLENGE,
                            .signer = signer,
                            .signer_key = key,
                            .key = key};
    struct answer answer = send_ask(&desk->bench, &ask);
    expect_success(&answer, "issue", "static challenge");
    memcpy(ret_serial, answer.report.serial, SERIAL_LEN);
    answer_done(&answer);
    X509_free(signer);
}

// By CN and in several notations of the MAC that is in it.
static void all_live_ones_of_a_device(void **state)
{
    struct desk *desk = *state;
    static const char *const names[PHONES] = {"CP-8841-SEP001122334400", "00:11:22:33:44:01",
                                              "sep001122334402"};
    for (unsigned i = 0; i < PHONES; i++) {
        uint8_t serials[2][SERIAL_LEN];
        desk_enrol_serial(desk, i, serials[0]);
        enrol_again(desk, i, serials[1]);
        json_t *answer = revoke_of(desk, names[i], "cessationOfOperation");
        assert_answer(answer, 2);
        for (unsigned j = 0; j < 2; j++) {
            assert_revoked(desk, serials[j], REVOCATION_CESSATION_OF_OPERATION);
            assert_true(desk_lists(desk, serials[j]));
        }
        json_decref(answer);
    }
    assert_int_equal(desk_number(desk), PHONES); // one each
    // There is nothing left to revoke.
    char date[CLOCK_TEXT_LEN];
    struct err wanted = {.code = ERR_CONFLICT};
    snprintf(wanted.text, sizeof wanted.text, "is revoked already, since %s",
             clock_format(desk->bench.now, date));
    admin_kit_refused(desk, admin_revoke, NULL, "{\"certificate\": \"CP-8841-SEP001122334400\"}",
                      &wanted);
}

static void what_is_over_is_left_alone(void **state)
{
    struct desk *desk = *state;
    char text[HEX_SERIAL_LEN];
    struct answer issued = desk_enrol(desk, 0);
    struct store_certificate stored = stored_of(&desk->bench, &issued);
    desk_go_to(desk, stored.not_after);
    admin_kit_refused(desk, admin_revoke, NULL, "{\"certificate\": \"001122334400\"}",
                      &(struct err){.code = ERR_NOT_FOUND, .text = "no valid certificate"});
    // But who names it means it.
    json_decref(revoke_of(desk, hex_of(stored.serial, text), NULL));
    assert_revoked(desk, stored.serial, REVOCATION_UNSPECIFIED);
    store_certificate_done(&stored);
    answer_done(&issued);
}

// A copy of a certificate's record under the name of a CA that is not there.
static void write_strangers(struct desk *desk, const uint8_t model[SERIAL_LEN],
                            uint8_t ret_serial[SERIAL_LEN])
{
    struct err err = {0};
    struct write_order order = {.kind = WRITE_ISSUED, .now = desk->bench.now};
    assert_int_equal(store_find_serial(desk->bench.store, model, &order.certificate, &err), ERR_OK);
    order.certificate.serial[1] ^= 1;
    order.certificate.issuer[0] ^= 1;
    order.certificate.spki_hash[0] ^= 1;
    order.certificate.transaction_key[0] ^= 1;
    if (writer_submit_and_wait(desk->bench.writer, &order, &err) != ERR_OK) {
        fail_msg("writer: %s", err.text);
    }
    memcpy(ret_serial, order.certificate.serial, SERIAL_LEN);
    store_certificate_done(&order.certificate);
}

static void a_revocation_of_another_cas(void **state)
{
    struct desk *desk = *state;
    char text[HEX_SERIAL_LEN];
    uint8_t serial[SERIAL_LEN];
    uint8_t strangers[SERIAL_LEN];
    desk_enrol_serial(desk, 0, serial);
    write_strangers(desk, serial, strangers);
    json_t *answer = revoke_of(desk, hex_of(strangers, text), NULL);
    assert_int_equal(json_array_size(json_object_get(answer, "revoked")), 1);
    assert_true(json_is_false(json_object_get(answer, "crl_published")));
    assert_says(text_of(answer, "crl_trouble"), "is not held here, so no CRL lists it");
    json_decref(answer);
}

// It is revoked, and the answer says that the CRL does not say so yet.
static void a_revocation_without_the_ca(void **state)
{
    struct desk *desk = *state;
    static struct desk_log captured;
    struct err err;
    char body[BODY_LEN];
    char text[HEX_SERIAL_LEN];
    uint8_t serial[SERIAL_LEN];
    desk_enrol_serial(desk, 0, serial);
    assert_int_equal(crl_publish(&desk->live, CRL_WHEN_DUE, KIT_NOW, NULL), ERR_OK);
    desk_go_to(desk, KIT_NOW + 1);
    site_stop_ca(&desk->site);
    snprintf(body, sizeof body, "{\"certificate\": \"%s\", \"reason\": \"keyCompromise\"}",
             hex_of(serial, text));
    desk_log_begin(&captured);
    json_t *answer = admin_kit_ask(desk, admin_revoke, NULL, body, &err);
    desk_log_end(&captured);
    assert_int_equal(err.code, ERR_OK);
    assert_int_equal(json_array_size(json_object_get(answer, "revoked")), 1);
    assert_true(json_is_false(json_object_get(answer, "crl_published")));
    assert_says(text_of(answer, "crl_trouble"), "the CRL of CA ");
    assert_says(captured.text, "event=crl error=busy");
    assert_revoked(desk, serial, REVOCATION_KEY_COMPROMISE);
    site_start_ca(&desk->site, desk_ca_clock);
    assert_int_equal(crl_publish(&desk->live, CRL_WHEN_DUE, desk->bench.now, NULL), ERR_OK);
    assert_true(desk_lists(desk, serial));
    json_decref(answer);
}

static void bad_revocations(void **state)
{
    struct desk *desk = *state;
    static const struct {
        const char *body;
        struct err expected;
    } tests[] = {
        {"", {ERR_SYNTAX, "not a JSON object"}},
        {"[]", {ERR_SYNTAX, "not a JSON object"}},
        {"{}", {ERR_SYNTAX, "expected {\"certificate\": SERIAL, CN or MAC"}},
        {"{\"certificate\": 5}", {ERR_SYNTAX, "expected {\"certificate\""}},
        {"{\"certificate\": \"x\", \"reason\": 1}", {ERR_SYNTAX, "expected {\"certificate\""}},
        {"{\"certificate\": \"x\", \"why\": \"y\"}", {ERR_SYNTAX, "expected {\"certificate\""}},
        {"{\"certificate\": \"x\", \"certificate\": \"y\"}", {ERR_SYNTAX, "duplicate"}},
        {"{\"certificate\": \"x\", \"reason\": \"\"}", {ERR_SYNTAX, "unknown reason \"\""}},
        {"{\"certificate\": \"x\", \"reason\": \"removeFromCRL\"}",
         {ERR_SYNTAX, "allowed are unspecified, keyCompromise, cACompromise"}},
        {"{\"certificate\": \"x\", \"reason\": \"certificateHold\"}",
         {ERR_SYNTAX, "unknown reason \"certificateHold\""}},
        {"{\"certificate\": \"\"}", {ERR_NOT_FOUND, "no valid certificate of \"\""}},
        {"{\"certificate\": \"nobody\"}", {ERR_NOT_FOUND, "no valid certificate of \"nobody\""}},
        {"{\"certificate\": \"01020304050607080910111213141516\"}",
         {ERR_NOT_FOUND, "certificate 01020304050607080910111213141516: "}},
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        admin_kit_refused(desk, admin_revoke, NULL, tests[i].body, &tests[i].expected);
    }
    assert_int_equal(desk_number(desk), 0); // and no CRL was made for that
}

static void twice_is_a_conflict(void **state)
{
    struct desk *desk = *state;
    char text[HEX_SERIAL_LEN];
    char body[BODY_LEN];
    uint8_t serial[SERIAL_LEN];
    desk_enrol_serial(desk, 0, serial);
    json_decref(revoke_of(desk, hex_of(serial, text), NULL));
    snprintf(body, sizeof body, "{\"certificate\": \"%s\"}", text);
    admin_kit_refused(desk, admin_revoke, NULL, body,
                      &(struct err){.code = ERR_CONFLICT, .text = "revoked"});
    assert_int_equal(desk_number(desk), 1);
}

static void reasons_have_names(void **state)
{
    (void)state;
    assert_string_equal(admin_reason_name(REVOCATION_UNSPECIFIED), "unspecified");
    assert_string_equal(admin_reason_name(REVOCATION_KEY_COMPROMISE), "keyCompromise");
    assert_string_equal(admin_reason_name(REVOCATION_PRIVILEGE_WITHDRAWN), "privilegeWithdrawn");
    assert_string_equal(admin_reason_name(6), "?"); // certificateHold
    assert_string_equal(admin_reason_name(255), "?");
}

int main(void)
{
    log_init("test", LOG_LEVEL_ERROR);
    const struct CMUnitTest tests[] = {
        DESK_TEST(reload_says_that_it_is_done),
        DESK_TEST(reload_of_wrong_settings_is_a_conflict),
        DESK_TEST(reload_in_trouble_is_our_trouble),
        DESK_TEST(status_without_a_rollover),
        DESK_TEST(status_tells_of_certificates_and_crls),
        DESK_TEST(status_during_a_rollover),
        DESK_TEST(status_after_a_rollover),
        DESK_TEST(one_certificate_by_its_serial_number),
        DESK_TEST(all_live_ones_of_a_device),
        DESK_TEST(what_is_over_is_left_alone),
        DESK_TEST(a_revocation_without_the_ca),
        DESK_TEST(a_revocation_of_another_cas),
        DESK_TEST(bad_revocations),
        DESK_TEST(twice_is_a_conflict),
        cmocka_unit_test(reasons_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
