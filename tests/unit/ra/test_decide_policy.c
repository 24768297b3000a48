// SPDX-License-Identifier: Apache-2.0
// The whole policy on one page. Every combination of messageType, signer, challenge, device list,
// past and the rest is decided and compared with the first row of the table that fits it; rows
// that fit nothing are an error.
#include "kit/kit.h"

#include <stdio.h>

#include "ra/decide.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define BIT(value)   (1u << (value))
#define ANY          (~0u)

// Classes that decide alike; facts_of() takes the values from these lists.
enum { CHALLENGE_NONE, CHALLENGE_RIGHT, CHALLENGE_BAD };
static const struct {
    enum challenge_state state;
    unsigned is;
} challenges[] = {
    {CHALLENGE_ABSENT, CHALLENGE_NONE},    {CHALLENGE_STATIC, CHALLENGE_RIGHT},
    {CHALLENGE_ONE_TIME, CHALLENGE_RIGHT}, {CHALLENGE_WRONG, CHALLENGE_BAD},
    {CHALLENGE_EXPIRED, CHALLENGE_BAD},    {CHALLENGE_USED_UP, CHALLENGE_BAD},
    {CHALLENGE_REVOKED, CHALLENGE_BAD},    {CHALLENGE_FOREIGN, CHALLENGE_BAD},
};

// Bits of the flags of a combination.
enum { OWN_NAMES, SIGNER_KEY, QUEUE_UNAUTHENTICATED, QUEUE_UNLISTED, STRICT, FLAG_COUNT };

// clang-format off
#define T19  BIT(MESSAGE_PKCS_REQ)
#define T17  BIT(MESSAGE_RENEWAL_REQ)
#define T20  BIT(MESSAGE_CERT_POLL)
#define REQ  (T17 | T19)
#define SELF BIT(SIGNER_SELF_SIGNED)
#define OURS BIT(SIGNER_OURS)
#define MIC  BIT(SIGNER_MIC)
#define CERT (OURS | MIC)
#define UNKN BIT(SIGNER_UNKNOWN)
#define GOOD BIT(SIGNER_GOOD)
#define TIME (BIT(SIGNER_EXPIRED) | BIT(SIGNER_NOT_YET_VALID))
#define BAD  (ANY & ~GOOD)
#define NONE BIT(CHALLENGE_NONE)
#define OK   BIT(CHALLENGE_RIGHT)
#define NOK  BIT(CHALLENGE_BAD)
#define OFF  BIT(DEVICE_UNLISTED)
#define LATE (BIT(RENEWAL_EARLY_SAME_KEY) | BIT(RENEWAL_EARLY_NEW_KEY))
#define PAST(name) BIT(PAST_##name)
#define YES(flag) BIT(flag)

enum result {
    BY_CHALLENGE, BY_MIC, BY_RENEWAL, BY_APPROVAL, // issued, and by what authority
    REPLAY, PRESENT, QUEUE, WAITS,
    NO, NO_TIME, NO_ID, // refused with a text: badRequest, badTime, badCertId
    ONE_ANSWER,         // refused uniformly: no text
};

static const struct row {
    unsigned type, signer, state, challenge, device, past, renewal;
    unsigned flags, values; // those of `flags` have to be as in `values`
    enum result result;
} rows[] = {
// type       signer state challenge device past                      renewal flags that matter            result
{T17,         SELF,  ANY,  ANY,      ANY,   ANY,                      ANY,    0, 0,                        NO},
{REQ,         UNKN,  ANY,  ANY,      ANY,   ANY,                      ANY,    0, 0,                        NO},
// A new phone: its own key, and a challenge.
{T19,         SELF,  ANY,  ANY,      ANY,   ANY,                      ANY,    YES(SIGNER_KEY), 0,          ONE_ANSWER},
{T19,         SELF,  ANY,  ANY,      ANY,   PAST(SAME_REQUEST) | PAST(SAME_KEY), ANY, 0, 0,                REPLAY},
{T19,         SELF,  ANY,  ANY,      ANY,   PAST(APPROVED),           ANY,    0, 0,                        BY_APPROVAL},
{T19,         SELF,  ANY,  ANY,      ANY,   PAST(PENDING),            ANY,    0, 0,                        WAITS},
{T19,         SELF,  ANY,  ANY,      ANY,   PAST(PENDING_OTHER),      ANY,    0, 0,                        NO},
{T19,         SELF,  ANY,  OK,       ANY,   PAST(OTHER_REQUEST) | PAST(DUPLICATE) | PAST(FOREIGN_KEY), ANY, 0, 0, NO},
{T19,         SELF,  ANY,  OK,       ANY,   ANY,                      ANY,    0, 0,                        BY_CHALLENGE},
{T19,         SELF,  ANY,  NONE,     ANY,   PAST(FOREIGN_KEY),        ANY,    0, 0,                        ONE_ANSWER},
{T19,         SELF,  ANY,  NONE,     ANY,   ANY,                      ANY,    YES(QUEUE_UNAUTHENTICATED), YES(QUEUE_UNAUTHENTICATED), QUEUE},
{T19,         SELF,  ANY,  ANY,      ANY,   ANY,                      ANY,    0, 0,                        ONE_ANSWER},
// Who has a certificate: it has to count at present, and the request has to be his own.
{REQ,         CERT,  TIME, ANY,      ANY,   ANY,                      ANY,    0, 0,                        NO_TIME},
{REQ,         CERT,  BAD,  ANY,      ANY,   ANY,                      ANY,    0, 0,                        NO},
{REQ,         OURS,  GOOD, OK,       ANY,   PAST(NONE),               ANY,    YES(OWN_NAMES) | YES(SIGNER_KEY), YES(SIGNER_KEY), BY_CHALLENGE},
{REQ,         CERT,  GOOD, ANY,      ANY,   ANY,                      ANY,    YES(OWN_NAMES), 0,           ONE_ANSWER},
{REQ,         CERT,  GOOD, ANY,      ANY,   PAST(SAME_REQUEST) | PAST(SAME_KEY),       ANY,    0, 0,                        REPLAY},
{REQ,         CERT,  GOOD, ANY,      ANY,   PAST(APPROVED),           ANY,    0, 0,                        BY_APPROVAL},
{REQ,         CERT,  GOOD, ANY,      ANY,   PAST(PENDING),            ANY,    0, 0,                        WAITS},
{REQ,         CERT,  GOOD, ANY,      ANY,   PAST(PENDING_OTHER),      ANY,    0, 0,                        NO},
// What a renewal may not, a right challenge may.
{REQ,         OURS,  GOOD, OK,       OFF,   PAST(OTHER_REQUEST) | PAST(DUPLICATE) | PAST(FOREIGN_KEY), ANY, 0, 0, NO},
{REQ,         OURS,  GOOD, OK,       OFF,   ANY,                      ANY,    0, 0,                        BY_CHALLENGE},
{REQ,         OURS,  GOOD, OK,       ANY,   PAST(OTHER_REQUEST) | PAST(DUPLICATE) | PAST(FOREIGN_KEY), LATE, 0, 0, NO},
{REQ,         OURS,  GOOD, OK,       ANY,   ANY,                      LATE,   0, 0,                        BY_CHALLENGE},
{REQ,         CERT,  GOOD, NOK,      ANY,   ANY,                      ANY,    YES(STRICT), YES(STRICT),    ONE_ANSWER},
// Only our phones.
{REQ,         CERT,  GOOD, OK | NOK, OFF,   ANY,                      ANY,    YES(QUEUE_UNLISTED), YES(QUEUE_UNLISTED), NO},
{REQ,         CERT,  GOOD, NONE,     OFF,   PAST(FOREIGN_KEY),        ANY,    YES(QUEUE_UNLISTED), YES(QUEUE_UNLISTED), ONE_ANSWER},
{REQ,         CERT,  GOOD, NONE,     OFF,   ANY,                      ANY,    YES(QUEUE_UNLISTED), YES(QUEUE_UNLISTED), QUEUE},
{REQ,         CERT,  GOOD, ANY,      OFF,   ANY,                      ANY,    0, 0,                        NO},
// A genuine phone any number of times; a renewal in its window.
{REQ,         CERT,  GOOD, ANY,      ANY,   PAST(FOREIGN_KEY),        ANY,    0, 0,                        NO},
{REQ,         MIC,   GOOD, ANY,      ANY,   ANY,                      ANY,    0, 0,                        BY_MIC},
{REQ,         OURS,  GOOD, ANY,      ANY,   ANY,                      BIT(RENEWAL_DUE), 0, 0,              BY_RENEWAL},
{REQ,         OURS,  GOOD, ANY,      ANY,   ANY,                      BIT(RENEWAL_EARLY_SAME_KEY), 0, 0,   PRESENT},
{REQ,         OURS,  GOOD, ANY,      ANY,   ANY,                      ANY,    0, 0,                        NO},
// CertPoll: by transactionID and key.
{T20,         ANY,   ANY,  ANY,      ANY,   PAST(SAME_REQUEST),       ANY,    0, 0,                        REPLAY},
{T20,         CERT,  TIME, ANY,      ANY,   PAST(PENDING) | PAST(APPROVED), ANY, 0, 0,                     NO_TIME},
{T20,         CERT,  BAD,  ANY,      ANY,   PAST(PENDING) | PAST(APPROVED), ANY, 0, 0,                     NO},
{T20,         UNKN,  ANY,  ANY,      ANY,   PAST(PENDING) | PAST(APPROVED), ANY, 0, 0,                     NO},
{T20,         ANY,   ANY,  ANY,      ANY,   PAST(PENDING),            ANY,    0, 0,                        WAITS},
{T20,         SELF,  ANY,  ANY,      ANY,   PAST(APPROVED),           ANY,    YES(SIGNER_KEY), 0,          ONE_ANSWER},
{T20,         CERT,  ANY,  ANY,      ANY,   PAST(APPROVED),           ANY,    YES(OWN_NAMES), 0,           ONE_ANSWER},
{T20,         ANY,   ANY,  ANY,      ANY,   PAST(APPROVED),           ANY,    0, 0,                        BY_APPROVAL},
{T20,         ANY,   ANY,  ANY,      ANY,   PAST(DENIED),             ANY,    0, 0,                        NO},
{T20,         ANY,   ANY,  ANY,      ANY,   ANY,                      ANY,    0, 0,                        NO_ID},
// GetCert and GetCRL while they are off, UpdateReq, and whatever else a client may send.
{ANY,         ANY,   ANY,  ANY,      ANY,   ANY,                      ANY,    0, 0,                        NO},
};
// clang-format on

static const struct {
    enum action action;
    enum authority_kind authority;
    enum err_code refusal;
    bool is_uniform;
} results[] = {
    [BY_CHALLENGE] = {ACTION_ISSUE, AUTHORITY_CHALLENGE, ERR_OK, false},
    [BY_MIC] = {ACTION_ISSUE, AUTHORITY_MIC, ERR_OK, false},
    [BY_RENEWAL] = {ACTION_ISSUE, AUTHORITY_RENEWAL, ERR_OK, false},
    [BY_APPROVAL] = {ACTION_ISSUE, AUTHORITY_APPROVAL, ERR_OK, false},
    [REPLAY] = {ACTION_REPLAY, AUTHORITY_NONE, ERR_OK, false},
    [PRESENT] = {ACTION_PRESENT, AUTHORITY_NONE, ERR_OK, false},
    [QUEUE] = {ACTION_QUEUE, AUTHORITY_NONE, ERR_OK, false},
    [WAITS] = {ACTION_PENDING, AUTHORITY_NONE, ERR_OK, false},
    [NO] = {ACTION_REFUSE, AUTHORITY_NONE, ERR_BAD_REQUEST, false},
    [NO_TIME] = {ACTION_REFUSE, AUTHORITY_NONE, ERR_BAD_TIME, false},
    [NO_ID] = {ACTION_REFUSE, AUTHORITY_NONE, ERR_BAD_CERT_ID, false},
    [ONE_ANSWER] = {ACTION_REFUSE, AUTHORITY_NONE, ERR_BAD_REQUEST, true},
};

static unsigned fits[COUNT(rows)]; // how many combinations a row has decided

// One combination: an index into each dimension.
struct combination {
    unsigned type, signer, state, challenge, device, past, renewal, flags;
};

static bool is_row(const struct row *row, const struct combination *at)
{
    return (row->type & BIT(at->type)) != 0 && (row->signer & BIT(at->signer)) != 0 &&
           (row->state & BIT(at->state)) != 0 &&
           (row->challenge & BIT(challenges[at->challenge].is)) != 0 &&
           (row->device & BIT(at->device)) != 0 && (row->past & BIT(at->past)) != 0 &&
           (row->renewal & BIT(at->renewal)) != 0 && (at->flags & row->flags) == row->values;
}

static struct facts facts_of(const struct combination *at)
{
    return (struct facts){
        .type = (enum message_type)at->type,
        .signer_class = (enum signer_class)at->signer,
        .signer_state = (enum signer_state)at->state,
        .challenge = challenges[at->challenge].state,
        .device = (enum device_state)at->device,
        .past = (enum past)at->past,
        .renewal = (enum renewal_time)at->renewal,
        .is_same_identity = (at->flags & BIT(OWN_NAMES)) != 0,
        .is_signer_key = (at->flags & BIT(SIGNER_KEY)) != 0,
        .queues_unauthenticated = (at->flags & BIT(QUEUE_UNAUTHENTICATED)) != 0,
        .queues_unlisted = (at->flags & BIT(QUEUE_UNLISTED)) != 0,
        .is_challenge_strict = (at->flags & BIT(STRICT)) != 0,
    };
}

static void compare(const struct combination *at)
{
    struct facts facts = facts_of(at);
    struct verdict verdict = decide(&facts);
    size_t i = 0;
    while (!is_row(&rows[i], at)) {
        i++;
    }
    fits[i]++;
    if (verdict.action != results[rows[i].result].action ||
        verdict.authority != results[rows[i].result].authority ||
        verdict.refusal != results[rows[i].result].refusal ||
        verdict.is_uniform != results[rows[i].result].is_uniform || verdict.reason[0] == '\0' ||
        (verdict.why != REFUSAL_NONE) != (verdict.action == ACTION_REFUSE)) {
        fail_msg("row %zu; type %u, signer %u, state %u, challenge %u, device %u, past %u, renewal "
                 "%u, flags %x: action %d, \"%s\"",
                 i, at->type, at->signer, at->state, at->challenge, at->device, at->past,
                 at->renewal, at->flags, (int)verdict.action, verdict.reason);
    }
}

static void try_renewals_and_flags(struct combination at)
{
    for (at.renewal = 0; at.renewal < RENEWAL_TIME_MAX; at.renewal++) {
        for (at.flags = 0; at.flags < BIT(FLAG_COUNT); at.flags++) {
            compare(&at);
        }
    }
}

static void try_pasts_and_devices(struct combination at)
{
    for (at.past = 0; at.past < PAST_MAX; at.past++) {
        for (at.device = 0; at.device < DEVICE_STATE_MAX; at.device++) {
            try_renewals_and_flags(at);
        }
    }
}

static void try_challenges(struct combination at)
{
    for (at.challenge = 0; at.challenge < COUNT(challenges); at.challenge++) {
        try_pasts_and_devices(at);
    }
}

static void the_table_says_what_decide_says(void **unused)
{
    (void)unused;
    struct combination at = {0};
    for (at.type = 0; at.type <= MESSAGE_GET_CRL + 1; at.type++) {
        for (at.signer = 0; at.signer < SIGNER_CLASS_MAX; at.signer++) {
            for (at.state = 0; at.state < SIGNER_STATE_MAX; at.state++) {
                // Of the many types that are none, two are enough here; see test_decide.c.
                if (at.type <= 1 || at.type >= MESSAGE_RENEWAL_REQ) {
                    try_challenges(at);
                }
            }
        }
    }
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (fits[i] == 0) {
            fail_msg("row %zu never decides", i);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_says_what_decide_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
