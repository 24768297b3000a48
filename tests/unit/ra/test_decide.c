// SPDX-License-Identifier: Apache-2.0
// The policy as a table. Every combination of message type, signer, challenge and past is tried;
// only the ones listed as issuing may issue.
#include "kit/kit.h"

#include <string.h>

#include "ra/decide.h"

static const enum challenge_state right[] = {CHALLENGE_STATIC, CHALLENGE_ONE_TIME};
static const enum challenge_state wrong[] = {CHALLENGE_ABSENT,  CHALLENGE_WRONG,
                                             CHALLENGE_EXPIRED, CHALLENGE_USED_UP,
                                             CHALLENGE_REVOKED, CHALLENGE_FOREIGN};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct facts good_facts(void)
{
    return (struct facts){
        .type = MESSAGE_PKCS_REQ,
        .signer_class = SIGNER_SELF_SIGNED,
        .is_signer_key = true,
        .challenge = CHALLENGE_ONE_TIME,
        .past = PAST_NONE,
    };
}

static void assert_refused(struct facts facts, enum err_code refusal, bool is_uniform,
                           const char *reason)
{
    struct verdict verdict = decide(&facts);
    assert_int_equal(verdict.action, ACTION_REFUSE);
    assert_int_equal(verdict.refusal, refusal);
    assert_int_equal(verdict.is_uniform, is_uniform);
    assert_non_null(strstr(verdict.reason, reason));
}

static void issues_for_a_right_challenge(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < COUNT(right); i++) {
        struct facts facts = good_facts();
        facts.challenge = right[i];
        assert_int_equal(decide(&facts).action, ACTION_ISSUE);
    }
}

static void nothing_known_is_refused(void **unused)
{
    (void)unused;
    struct facts nothing = {0};
    assert_refused(nothing, ERR_BAD_REQUEST, false, "not a request");
}

// The one answer: whatever goes wrong before the requester is authorised looks alike (Z4).
static void failures_before_authorisation_are_uniform(void **unused)
{
    (void)unused;
    struct facts facts = good_facts();
    err_set(&facts.opening, ERR_BAD_REQUEST, "bad decrypt");
    assert_refused(facts, ERR_BAD_REQUEST, true, "bad decrypt");
    facts = good_facts();
    facts.is_signer_key = false;
    assert_refused(facts, ERR_BAD_REQUEST, true, "signer's key");
    facts = good_facts();
    err_set(&facts.proof, ERR_BAD_REQUEST, "PKCS#10 signature");
    assert_refused(facts, ERR_BAD_REQUEST, true, "PKCS#10 signature");
    for (size_t i = 0; i < COUNT(wrong); i++) {
        facts = good_facts();
        facts.challenge = wrong[i];
        assert_refused(facts, ERR_BAD_REQUEST, true, "challenge password");
    }
}

// Bad names, a used transactionID and the like are told only to who knows the challenge.
static void policy_faults_are_told_after_authorisation_only(void **unused)
{
    (void)unused;
    static const struct {
        enum past past;
        const char *reason;
    } rows[] = {
        {PAST_OTHER_REQUEST, "transactionID already used"},
        {PAST_FOREIGN_KEY, "already certified for another subject"},
        {PAST_DUPLICATE, "already has a valid certificate"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct facts facts = good_facts();
        facts.past = rows[i].past;
        assert_refused(facts, ERR_BAD_REQUEST, false, rows[i].reason);
        facts.challenge = CHALLENGE_WRONG;
        assert_refused(facts, ERR_BAD_REQUEST, true, "wrong challenge");
    }
    struct facts facts = good_facts();
    err_set(&facts.names, ERR_BAD_REQUEST, "a CN of 65 characters");
    assert_refused(facts, ERR_BAD_REQUEST, false, "65 characters");
    facts.challenge = CHALLENGE_ABSENT;
    assert_refused(facts, ERR_BAD_REQUEST, true, "no challenge");
}

// A repeat gets its certificate again although its challenge is used up by now.
static void repeats_are_replayed_without_a_challenge(void **unused)
{
    (void)unused;
    static const enum past repeats[] = {PAST_SAME_REQUEST, PAST_SAME_KEY};
    for (size_t i = 0; i < COUNT(repeats); i++) {
        struct facts facts = good_facts();
        facts.past = repeats[i];
        facts.challenge = CHALLENGE_USED_UP;
        assert_int_equal(decide(&facts).action, ACTION_REPLAY);
        err_set(&facts.proof, ERR_BAD_REQUEST, "PKCS#10 signature");
        assert_refused(facts, ERR_BAD_REQUEST, true, "PKCS#10 signature");
    }
}

static void polls_find_their_own_transaction_only(void **unused)
{
    (void)unused;
    struct facts facts = good_facts();
    facts.type = MESSAGE_CERT_POLL;
    for (int past = PAST_NONE; past < PAST_MAX; past++) {
        facts.past = (enum past)past;
        if (past == PAST_SAME_REQUEST) {
            assert_int_equal(decide(&facts).action, ACTION_REPLAY);
        } else {
            assert_refused(facts, ERR_BAD_CERT_ID, false, "no such transaction");
        }
    }
}

static bool may_issue(const struct facts *facts)
{
    bool is_authorised =
        facts->challenge == CHALLENGE_STATIC || facts->challenge == CHALLENGE_ONE_TIME;
    return facts->type == MESSAGE_PKCS_REQ && facts->signer_class == SIGNER_SELF_SIGNED &&
           is_authorised && facts->past == PAST_NONE;
}

static void try_all_pasts(struct facts facts)
{
    for (int past = PAST_NONE; past < PAST_MAX; past++) {
        facts.past = (enum past)past;
        struct verdict verdict = decide(&facts);
        assert_int_equal(verdict.action == ACTION_ISSUE, may_issue(&facts));
        assert_true(verdict.reason[0] != '\0');
        if (verdict.action == ACTION_REFUSE) {
            assert_int_not_equal(verdict.refusal, ERR_OK);
        }
    }
}

// CVE-2026-30836 was a messageType that nobody had thought of: all numbers from 0 to 255.
static void no_other_combination_issues(void **unused)
{
    (void)unused;
    for (int type = 0; type <= UINT8_MAX; type++) {
        for (int signer = 0; signer < SIGNER_CLASS_MAX; signer++) {
            for (int challenge = CHALLENGE_ABSENT; challenge <= CHALLENGE_FOREIGN; challenge++) {
                struct facts facts = good_facts();
                facts.type = (enum message_type)type;
                facts.signer_class = (enum signer_class)signer;
                facts.challenge = (enum challenge_state)challenge;
                try_all_pasts(facts);
            }
        }
    }
}

static void only_a_self_signed_pkcs_req_costs_a_decryption(void **unused)
{
    (void)unused;
    for (int type = 0; type <= UINT8_MAX; type++) {
        for (int signer = 0; signer < SIGNER_CLASS_MAX; signer++) {
            bool needs = decide_needs_envelope((enum message_type)type, (enum signer_class)signer);
            assert_int_equal(needs, type == MESSAGE_PKCS_REQ && signer == SIGNER_SELF_SIGNED);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(issues_for_a_right_challenge),
        cmocka_unit_test(nothing_known_is_refused),
        cmocka_unit_test(failures_before_authorisation_are_uniform),
        cmocka_unit_test(policy_faults_are_told_after_authorisation_only),
        cmocka_unit_test(repeats_are_replayed_without_a_challenge),
        cmocka_unit_test(polls_find_their_own_transaction_only),
        cmocka_unit_test(no_other_combination_issues),
        cmocka_unit_test(only_a_self_signed_pkcs_req_costs_a_decryption),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
