// SPDX-License-Identifier: Apache-2.0
// Single rules of the policy with their reasons; test_decide_policy.c has all combinations.
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
    assert_int_not_equal(verdict.why, REFUSAL_NONE);
    assert_int_not_equal(verdict.why, REFUSAL_OTHER);
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

// The words by which refusals are counted.
static void each_refusal_has_its_word(void **unused)
{
    (void)unused;
    struct facts facts = good_facts();
    static const struct {
        enum challenge_state challenge;
        const char *word;
    } challenges[] = {
        {CHALLENGE_ABSENT, "no_challenge"},       {CHALLENGE_WRONG, "wrong_challenge"},
        {CHALLENGE_EXPIRED, "expired_challenge"}, {CHALLENGE_USED_UP, "used_challenge"},
        {CHALLENGE_REVOKED, "revoked_challenge"}, {CHALLENGE_FOREIGN, "foreign_challenge"},
    };
    for (size_t i = 0; i < COUNT(challenges); i++) {
        facts.challenge = challenges[i].challenge;
        assert_string_equal(refusal_name(decide(&facts).why), challenges[i].word);
    }
    static const struct {
        enum signer_class signer_class;
        enum signer_state state;
        const char *word;
    } signers[] = {
        {SIGNER_UNKNOWN, SIGNER_GOOD, "unknown_signer"},
        {SIGNER_OURS, SIGNER_EXPIRED, "certificate_expired"},
        {SIGNER_OURS, SIGNER_REVOKED, "certificate_revoked"},
        {SIGNER_OURS, SIGNER_NOT_YET_VALID, "certificate_not_yet_valid"},
        {SIGNER_MIC, SIGNER_EXPIRED, "mic_expired"},
        {SIGNER_MIC, SIGNER_NOT_YET_VALID, "mic_not_yet_valid"},
        {SIGNER_MIC, SIGNER_NOT_ACCEPTED, "mic_not_accepted"},
        {SIGNER_MIC, SIGNER_GENERIC, "mic_generic"},
        {SIGNER_MIC, SIGNER_GOOD, "other_name"}, // is_same_identity is false
    };
    for (size_t i = 0; i < COUNT(signers); i++) {
        facts = good_facts();
        facts.signer_class = signers[i].signer_class;
        facts.signer_state = signers[i].state;
        assert_string_equal(refusal_name(decide(&facts).why), signers[i].word);
    }
    facts = good_facts();
    err_set(&facts.opening, ERR_BAD_REQUEST, "bad decrypt");
    assert_int_equal(decide(&facts).why, REFUSAL_UNDECRYPTABLE);
    facts.is_decrypted = true;
    assert_int_equal(decide(&facts).why, REFUSAL_BAD_CSR);
    facts = (struct facts){.type = MESSAGE_PKCS_REQ, .signer_class = SIGNER_MIC};
    facts.is_same_identity = true;
    facts.device = DEVICE_UNLISTED;
    assert_int_equal(decide(&facts).why, REFUSAL_NOT_LISTED);
    facts.signer_class = SIGNER_OURS;
    facts.device = DEVICE_NOT_ASKED;
    facts.renewal = RENEWAL_EARLY_NEW_KEY;
    assert_int_equal(decide(&facts).why, REFUSAL_RENEWAL_TOO_EARLY);
    facts.renewal = RENEWAL_DUE;
    assert_int_equal(decide(&facts).why, REFUSAL_NONE);
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

static struct facts certified_facts(enum signer_class signer_class)
{
    struct facts facts = good_facts();
    facts.signer_class = signer_class;
    facts.challenge = CHALLENGE_ABSENT;
    facts.is_same_identity = true;
    facts.is_signer_key = false;
    return facts;
}

static void polls_find_their_own_transaction_only(void **unused)
{
    (void)unused;
    struct facts facts = good_facts();
    facts.type = MESSAGE_CERT_POLL;
    facts.past = PAST_SAME_REQUEST;
    assert_int_equal(decide(&facts).action, ACTION_REPLAY);
    facts.past = PAST_NONE;
    assert_refused(facts, ERR_BAD_CERT_ID, false, "no such transaction");
    facts.past = PAST_DENIED;
    assert_refused(facts, ERR_BAD_REQUEST, false, "denied");
}

// R10: what happened to the signer while the request waited counts.
static void a_poll_is_worth_what_its_signer_is_worth_now(void **unused)
{
    (void)unused;
    struct facts facts = certified_facts(SIGNER_OURS);
    facts.type = MESSAGE_CERT_POLL;
    facts.past = PAST_APPROVED;
    assert_int_equal(decide(&facts).action, ACTION_ISSUE);
    facts.signer_state = SIGNER_REVOKED;
    assert_refused(facts, ERR_BAD_REQUEST, false, "revoked");
    facts.past = PAST_PENDING;
    assert_refused(facts, ERR_BAD_REQUEST, false, "revoked");
}

// CVE-2026-30836 was a messageType that nobody had thought of: all numbers from 0 to 255.
static void no_other_type_issues(void **unused)
{
    (void)unused;
    for (int type = 0; type <= UINT8_MAX; type++) {
        for (int signer = 0; signer < SIGNER_CLASS_MAX; signer++) {
            struct facts facts = good_facts();
            facts.type = (enum message_type)type;
            facts.signer_class = (enum signer_class)signer;
            facts.is_same_identity = true;
            bool is_request = type == MESSAGE_PKCS_REQ || type == MESSAGE_RENEWAL_REQ;
            bool may_issue = is_request && signer != SIGNER_UNKNOWN &&
                             (type == MESSAGE_PKCS_REQ || signer != SIGNER_SELF_SIGNED);
            assert_int_equal(decide(&facts).action == ACTION_ISSUE, may_issue);
        }
    }
}

// The re-wrap oracle again: somebody with a certificate puts another's envelope under his own
// signature.
static void certificate_holders_learn_nothing_of_others_envelopes(void **unused)
{
    (void)unused;
    static const enum signer_class classes[] = {SIGNER_OURS, SIGNER_MIC};
    for (size_t i = 0; i < COUNT(classes); i++) {
        struct facts facts = certified_facts(classes[i]);
        err_set(&facts.opening, ERR_BAD_REQUEST, "bad decrypt");
        assert_refused(facts, ERR_BAD_REQUEST, true, "bad decrypt");
        facts = certified_facts(classes[i]);
        err_set(&facts.proof, ERR_BAD_REQUEST, "PKCS#10 signature");
        assert_refused(facts, ERR_BAD_REQUEST, true, "PKCS#10 signature");
        facts = certified_facts(classes[i]);
        facts.is_same_identity = false;
        facts.challenge = CHALLENGE_ONE_TIME;
        assert_refused(facts, ERR_BAD_REQUEST, true, "not those of the signer");
        facts = certified_facts(classes[i]);
        err_set(&facts.names, ERR_BAD_REQUEST, "a CN of 65 characters");
        assert_refused(facts, ERR_BAD_REQUEST, false, "65 characters");
    }
}

static void a_queued_request_could_be_approved(void **unused)
{
    (void)unused;
    struct facts facts = good_facts();
    facts.challenge = CHALLENGE_ABSENT;
    facts.queues_unauthenticated = true;
    assert_int_equal(decide(&facts).action, ACTION_QUEUE);
    err_set(&facts.names, ERR_BAD_REQUEST, "a CN of 65 characters");
    assert_refused(facts, ERR_BAD_REQUEST, true, "65 characters");
    facts.past = PAST_APPROVED;
    assert_refused(facts, ERR_BAD_REQUEST, false, "65 characters");
}

static void get_cert_is_for_clients_that_have_one(void **unused)
{
    (void)unused;
    struct facts facts = {.type = MESSAGE_GET_CERT, .signer_class = SIGNER_OURS, .is_found = true};
    assert_refused(facts, ERR_BAD_REQUEST, false, "not served");
    assert_false(decide_needs_envelope(&facts));
    facts.serves_get_cert = true;
    assert_true(decide_needs_envelope(&facts));
    assert_int_equal(decide(&facts).action, ACTION_CERT);
    facts.is_found = false;
    assert_refused(facts, ERR_BAD_CERT_ID, false, "not there");
    err_set(&facts.opening, ERR_BAD_REQUEST, "bad decrypt");
    assert_refused(facts, ERR_BAD_REQUEST, true, "bad decrypt");
    facts.signer_class = SIGNER_SELF_SIGNED;
    assert_refused(facts, ERR_BAD_REQUEST, false, "have a certificate");
    assert_false(decide_needs_envelope(&facts));
    facts.is_known_key = true;
    assert_true(decide_needs_envelope(&facts));
}

static void get_crl_is_for_everybody_who_is_somebody(void **unused)
{
    (void)unused;
    for (int signer = 0; signer < SIGNER_CLASS_MAX; signer++) {
        struct facts facts = {.type = MESSAGE_GET_CRL, .is_found = true};
        facts.signer_class = (enum signer_class)signer;
        assert_refused(facts, ERR_BAD_REQUEST, false, "not served");
        facts.serves_get_crl = true;
        assert_int_equal(decide_needs_envelope(&facts), signer != SIGNER_UNKNOWN);
        if (signer == SIGNER_UNKNOWN) {
            assert_refused(facts, ERR_BAD_REQUEST, false, "not trusted");
            continue;
        }
        assert_int_equal(decide(&facts).action, ACTION_CRL);
        facts.is_found = false;
        assert_refused(facts, ERR_BAD_CERT_ID, false, "not there");
    }
}

// What is refused for public reasons, and every poll, costs no RSA private operation.
static void decryptions_are_for_requests_that_may_succeed(void **unused)
{
    (void)unused;
    for (int type = 0; type <= UINT8_MAX; type++) {
        for (int signer = 0; signer < SIGNER_CLASS_MAX; signer++) {
            for (int state = 0; state < SIGNER_STATE_MAX; state++) {
                struct facts facts = {.type = (enum message_type)type,
                                      .signer_class = (enum signer_class)signer,
                                      .signer_state = (enum signer_state)state};
                bool is_request = type == MESSAGE_PKCS_REQ || type == MESSAGE_RENEWAL_REQ;
                bool is_certified = signer == SIGNER_OURS || signer == SIGNER_MIC;
                bool may_succeed = is_certified
                                       ? is_request && state == SIGNER_GOOD
                                       : type == MESSAGE_PKCS_REQ && signer == SIGNER_SELF_SIGNED;
                assert_int_equal(decide_needs_envelope(&facts), may_succeed);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(issues_for_a_right_challenge),
        cmocka_unit_test(each_refusal_has_its_word),
        cmocka_unit_test(nothing_known_is_refused),
        cmocka_unit_test(failures_before_authorisation_are_uniform),
        cmocka_unit_test(policy_faults_are_told_after_authorisation_only),
        cmocka_unit_test(repeats_are_replayed_without_a_challenge),
        cmocka_unit_test(polls_find_their_own_transaction_only),
        cmocka_unit_test(a_poll_is_worth_what_its_signer_is_worth_now),
        cmocka_unit_test(no_other_type_issues),
        cmocka_unit_test(certificate_holders_learn_nothing_of_others_envelopes),
        cmocka_unit_test(a_queued_request_could_be_approved),
        cmocka_unit_test(get_cert_is_for_clients_that_have_one),
        cmocka_unit_test(get_crl_is_for_everybody_who_is_somebody),
        cmocka_unit_test(decryptions_are_for_requests_that_may_succeed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
