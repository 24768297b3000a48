// SPDX-License-Identifier: Apache-2.0
// What becomes of a device's certificate: every state and every reason for a renewal to fail, at
// the second where it begins.
#include "kit/kit.h"

#include "conf/limits.h"
#include "server/outlook.h"

#define DAY   ((int64_t)DAY_SEC)
#define YEARS (3650 * DAY)

// A healthy device from a MIC: nothing is due, nothing will fail.
static struct store_certificate healthy(void)
{
    return (struct store_certificate){
        .status = CERTIFICATE_VALID,
        .not_after = KIT_NOW + 300 * DAY,
        .origin = ORIGIN_MIC,
        .mic_not_after = KIT_NOW + YEARS,
    };
}

static struct outlook_facts facts_of(const struct store_certificate *certificate)
{
    return (struct outlook_facts){
        .certificate = certificate,
        .now = KIT_NOW,
        .within_sec = 30 * DAY,
        .asks_list = true,
        .is_listed = true,
        .ca_not_after = KIT_NOW + YEARS,
    };
}

// Nothing renews it: neither late nor doomed.
static void test_servers(void **state)
{
    (void)state;
    static const struct {
        int64_t left_sec;
        enum outlook_state state;
    } rows[] = {{30 * DAY, OUTLOOK_OK}, {DAY, OUTLOOK_DUE}, {0, OUTLOOK_EXPIRED}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct store_certificate certificate = healthy();
        certificate.kind = CERTIFICATE_OF_SERVER;
        certificate.not_after = KIT_NOW + rows[i].left_sec;
        struct outlook_facts facts = facts_of(&certificate);
        facts.ca_not_after = KIT_NOW;
        struct outlook outlook = outlook_of(&facts);
        assert_int_equal(outlook.state, rows[i].state);
        assert_int_equal(outlook.renews_at, 0);
        assert_int_equal(outlook.troubles, 0);
    }
}

static void test_states(void **state)
{
    (void)state;
    static const struct {
        int64_t left_sec;
        int64_t within_sec;
        enum certificate_status status;
        enum outlook_state state;
    } rows[] = {
        {300 * DAY, 30 * DAY, CERTIFICATE_VALID, OUTLOOK_OK},
        {30 * DAY, 30 * DAY, CERTIFICATE_VALID, OUTLOOK_OK},
        {30 * DAY - 1, 30 * DAY, CERTIFICATE_VALID, OUTLOOK_DUE},
        {300 * DAY, 301 * DAY, CERTIFICATE_VALID, OUTLOOK_DUE},
        {14 * DAY, 30 * DAY, CERTIFICATE_VALID, OUTLOOK_DUE},
        {14 * DAY - 1, 30 * DAY, CERTIFICATE_VALID, OUTLOOK_LATE},
        {14 * DAY - 1, DAY, CERTIFICATE_VALID, OUTLOOK_LATE},
        {1, 30 * DAY, CERTIFICATE_VALID, OUTLOOK_LATE},
        {0, 30 * DAY, CERTIFICATE_VALID, OUTLOOK_EXPIRED},
        {-YEARS, 30 * DAY, CERTIFICATE_VALID, OUTLOOK_EXPIRED},
        {300 * DAY, 30 * DAY, CERTIFICATE_REVOKED, OUTLOOK_REVOKED},
        {-DAY, 30 * DAY, CERTIFICATE_REVOKED, OUTLOOK_REVOKED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct store_certificate certificate = healthy();
        certificate.not_after = KIT_NOW + rows[i].left_sec;
        certificate.status = rows[i].status;
        struct outlook_facts facts = facts_of(&certificate);
        facts.within_sec = rows[i].within_sec;
        struct outlook outlook = outlook_of(&facts);
        if (outlook.state != rows[i].state) {
            fail_msg("row %zu: %s", i, outlook_state_name(outlook.state));
        }
    }
}

// 15 days before the end, or at once when that is over.
static void test_when_it_renews(void **state)
{
    (void)state;
    struct store_certificate certificate = healthy();
    struct outlook_facts facts = facts_of(&certificate);
    assert_int_equal(outlook_of(&facts).renews_at, KIT_NOW + 285 * DAY);
    certificate.not_after = KIT_NOW + 15 * DAY + 1;
    assert_int_equal(outlook_of(&facts).renews_at, KIT_NOW + 1);
    certificate.not_after = KIT_NOW + 3 * DAY;
    assert_int_equal(outlook_of(&facts).renews_at, KIT_NOW);
    certificate.not_after = KIT_NOW - 3 * DAY;
    assert_int_equal(outlook_of(&facts).renews_at, KIT_NOW);
}

static void test_no_trouble(void **state)
{
    (void)state;
    struct store_certificate certificate = healthy();
    struct outlook_facts facts = facts_of(&certificate);
    assert_int_equal(outlook_of(&facts).troubles, 0);
}

static void test_mic_expired(void **state)
{
    (void)state;
    struct store_certificate certificate = healthy();
    struct outlook_facts facts = facts_of(&certificate);
    certificate.mic_not_after = KIT_NOW + 285 * DAY + 1;
    assert_int_equal(outlook_of(&facts).troubles, 0);
    certificate.mic_not_after = KIT_NOW + 285 * DAY;
    assert_int_equal(outlook_of(&facts).troubles, OUTLOOK_MIC_EXPIRED);
    facts.accepts_expired_mic = true;
    assert_int_equal(outlook_of(&facts).troubles, 0);
    facts.accepts_expired_mic = false;
    certificate.origin = ORIGIN_CHALLENGE;
    assert_int_equal(outlook_of(&facts).troubles, 0);
}

static void test_device_list(void **state)
{
    (void)state;
    struct store_certificate certificate = healthy();
    struct outlook_facts facts = facts_of(&certificate);
    facts.is_listed = false;
    assert_int_equal(outlook_of(&facts).troubles, OUTLOOK_NOT_LISTED);
    facts.is_listed_otherwise = true;
    assert_int_equal(outlook_of(&facts).troubles, OUTLOOK_LISTED_OTHER);
    facts.asks_list = false;
    assert_int_equal(outlook_of(&facts).troubles, 0);
    facts.asks_list = true;
    certificate.origin = ORIGIN_APPROVAL; // the list is only asked about those with a MIC
    assert_int_equal(outlook_of(&facts).troubles, 0);
}

static void test_revoked(void **state)
{
    (void)state;
    struct store_certificate certificate = healthy();
    struct outlook_facts facts = facts_of(&certificate);
    certificate.status = CERTIFICATE_REVOKED;
    assert_int_equal(outlook_of(&facts).troubles, 0); // it renews by its MIC
    certificate.origin = ORIGIN_CHALLENGE;
    assert_int_equal(outlook_of(&facts).troubles, OUTLOOK_WAS_REVOKED);
}

static void test_ca_ends(void **state)
{
    (void)state;
    struct store_certificate certificate = healthy();
    struct outlook_facts facts = facts_of(&certificate);
    facts.ca_not_after = KIT_NOW + 300 * DAY + 1; // 15 days after the renewal, and a second
    assert_int_equal(outlook_of(&facts).troubles, 0);
    facts.ca_not_after = KIT_NOW + 300 * DAY;
    assert_int_equal(outlook_of(&facts).troubles, OUTLOOK_CA_ENDS);
    facts.ca_not_after = KIT_NOW - DAY;
    assert_int_equal(outlook_of(&facts).troubles, OUTLOOK_CA_ENDS);
}

static void test_all_at_once(void **state)
{
    (void)state;
    struct store_certificate certificate = healthy();
    struct outlook_facts facts = facts_of(&certificate);
    certificate.not_after = KIT_NOW - DAY;
    certificate.mic_not_after = KIT_NOW - DAY;
    facts.is_listed = false;
    facts.ca_not_after = KIT_NOW;
    struct outlook outlook = outlook_of(&facts);
    assert_int_equal(outlook.state, OUTLOOK_EXPIRED);
    assert_int_equal(outlook.troubles, OUTLOOK_MIC_EXPIRED | OUTLOOK_NOT_LISTED | OUTLOOK_CA_ENDS);
}

// Each has words of its own; what is none has "?".
static void test_words(void **state)
{
    (void)state;
    for (int i = 0; i < OUTLOOK_STATE_MAX; i++) {
        const char *name = outlook_state_name((enum outlook_state)i);
        assert_string_not_equal(name, "?");
        assert_string_not_equal(name, outlook_state_name((enum outlook_state)(i + 1)));
    }
    assert_string_equal(outlook_state_name(OUTLOOK_STATE_MAX), "?");
    for (unsigned bit = 1; bit < OUTLOOK_TROUBLE_MAX; bit <<= 1) {
        const char *text = outlook_trouble_text((enum outlook_trouble)bit);
        assert_string_not_equal(text, "?");
        assert_string_not_equal(text, outlook_trouble_text((enum outlook_trouble)(bit << 1)));
    }
    assert_string_equal(outlook_trouble_text(OUTLOOK_TROUBLE_MAX), "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_servers),        cmocka_unit_test(test_states),
        cmocka_unit_test(test_when_it_renews), cmocka_unit_test(test_no_trouble),
        cmocka_unit_test(test_mic_expired),    cmocka_unit_test(test_device_list),
        cmocka_unit_test(test_revoked),        cmocka_unit_test(test_ca_ends),
        cmocka_unit_test(test_all_at_once),    cmocka_unit_test(test_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
