// SPDX-License-Identifier: Apache-2.0
// OCSP by a CA at work: what is said of which certificate, who signs it, when signers are made
// anew, and what bad questions get. Answers are checked by OpenSSL's own verifier.
#include "ra/ocsp.h"

#include <openssl/err.h>
#include <openssl/ocsp.h>

#include "conf/limits.h"
#include "server/desk_kit.h"

#define NONCE_LEN   16
#define SIGNER_DAYS 30

enum { GOOD = V_OCSP_CERTSTATUS_GOOD, REVOKED = V_OCSP_CERTSTATUS_REVOKED };

// A question and what came back.
struct talk {
    OCSP_REQUEST *request;
    int status; // of the response
    OCSP_BASICRESP *basic;
    int64_t max_age_sec;
};

static OCSP_CERTID *id_for(const X509 *issuer, const uint8_t *serial, const EVP_MD *digest)
{
    BIGNUM *number = BN_bin2bn(serial, SERIAL_LEN, NULL);
    ASN1_INTEGER *integer = BN_to_ASN1_INTEGER(number, NULL);
    OCSP_CERTID *id = OCSP_cert_id_new(digest, X509_get_subject_name(issuer),
                                       X509_get0_pubkey_bitstr(issuer), integer);
    assert_non_null(id);
    ASN1_INTEGER_free(integer);
    BN_free(number);
    return id;
}

static void add_question(struct talk *talk, const X509 *issuer, const uint8_t *serial,
                         const EVP_MD *digest)
{
    if (talk->request == NULL) {
        talk->request = OCSP_REQUEST_new();
    }
    assert_non_null(OCSP_request_add0_id(talk->request, id_for(issuer, serial, digest)));
}

static struct buf encode(const struct talk *talk)
{
    unsigned char *der = NULL;
    struct buf octets = {0};
    int len = i2d_OCSP_REQUEST(talk->request, &der);
    assert_true(len > 0);
    assert_int_equal(buf_copy(view_of(der, (size_t)len), &octets, NULL), ERR_OK);
    OPENSSL_free(der);
    return octets;
}

static void take_answer(struct talk *talk, const struct ocsp_answer *answer)
{
    const unsigned char *end = answer->der.data;
    OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &end, (long)answer->der.len);
    assert_non_null(response);
    assert_ptr_equal(end, answer->der.data + answer->der.len);
    talk->status = OCSP_response_status(response);
    talk->basic = OCSP_response_get1_basic(response);
    talk->max_age_sec = answer->max_age_sec;
    assert_int_equal(answer->trouble == NULL, talk->status == OCSP_RESPONSE_STATUS_SUCCESSFUL);
    OCSP_RESPONSE_free(response);
    ERR_clear_error();
}

static void ask_octets(struct desk *desk, struct talk *talk, struct view octets)
{
    struct err err = {0};
    struct ocsp_answer answer = {0};
    if (ocsp_answer(desk->live.ocsp, desk->bench.store, octets, desk->bench.now, &answer, &err) !=
        ERR_OK) {
        fail_msg("OCSP: %s", err.text);
    }
    take_answer(talk, &answer);
    buf_done(&answer.der);
}

static void ask(struct desk *desk, struct talk *talk)
{
    struct buf octets = encode(talk);
    ask_octets(desk, talk, buf_view(&octets));
    buf_done(&octets);
}

static void talk_done(struct talk *talk)
{
    OCSP_REQUEST_free(talk->request);
    OCSP_BASICRESP_free(talk->basic);
    *talk = (struct talk){0};
}

static void renew(struct desk *desk)
{
    struct err err = {0};
    if (ocsp_renew(desk->live.ocsp, &desk_credentials(desk)->generations, desk->bench.ca,
                   desk->bench.now, &err) != ERR_OK) {
        fail_msg("renew: %s", err.text);
    }
}

static X509 *present_ca(const struct desk *desk)
{
    return credentials_issuing(desk_credentials(desk))->cert;
}

// By OpenSSL, from the CA alone, at the desk's time.
static void assert_verifies(const struct desk *desk, const struct talk *talk, X509 *ca)
{
    X509_STORE *store = X509_STORE_new();
    X509_VERIFY_PARAM *rules = X509_STORE_get0_param(store);
    X509_VERIFY_PARAM_set_time(rules, (time_t)desk->bench.now);
    X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_X509_STRICT);
    assert_int_equal(X509_STORE_add_cert(store, ca), 1);
    if (OCSP_basic_verify(talk->basic, NULL, store, 0) != 1) {
        fail_msg("%s", ERR_error_string(ERR_peek_last_error(), NULL));
    }
    X509_STORE_free(store);
}

struct seen {
    int status;
    int reason;
    int64_t revoked_at;
    int64_t this_update;
    int64_t next_update;
};

static int64_t seconds(ASN1_GENERALIZEDTIME *time)
{
    int64_t result = 0;
    return ossl_time_read(time, &result) ? result : 0;
}

static struct seen see(const struct talk *talk, const X509 *issuer, const uint8_t *serial,
                       const EVP_MD *digest)
{
    struct seen seen = {.status = -1};
    ASN1_GENERALIZEDTIME *revoked_at = NULL;
    ASN1_GENERALIZEDTIME *this_update = NULL;
    ASN1_GENERALIZEDTIME *next_update = NULL;
    OCSP_CERTID *id = id_for(issuer, serial, digest);
    assert_int_equal(talk->status, OCSP_RESPONSE_STATUS_SUCCESSFUL);
    assert_int_equal(OCSP_resp_find_status(talk->basic, id, &seen.status, &seen.reason, &revoked_at,
                                           &this_update, &next_update),
                     1);
    seen.revoked_at = seconds(revoked_at);
    seen.this_update = seconds(this_update);
    seen.next_update = seconds(next_update);
    OCSP_CERTID_free(id);
    return seen;
}

static int status_of(struct desk *desk, const X509 *issuer, const uint8_t *serial)
{
    struct talk talk = {0};
    add_question(&talk, issuer, serial, EVP_sha1());
    ask(desk, &talk);
    int status = see(&talk, issuer, serial, EVP_sha1()).status;
    talk_done(&talk);
    return status;
}

static void tells_good_revoked_and_unknown(void **state)
{
    struct desk *desk = *state;
    uint8_t good[SERIAL_LEN];
    uint8_t revoked[SERIAL_LEN];
    uint8_t plain[SERIAL_LEN];
    const uint8_t nobodys[SERIAL_LEN] = {0x77};
    X509 *ca = present_ca(desk);
    desk_enrol_serial(desk, 0, good);
    desk_enrol_serial(desk, 1, revoked);
    desk_enrol_serial(desk, 2, plain);
    desk_revoke(desk, revoked, REVOCATION_KEY_COMPROMISE);
    desk_revoke(desk, plain, REVOCATION_UNSPECIFIED);
    renew(desk);

    struct talk talk = {0};
    const EVP_MD *sha1 = EVP_sha1();
    add_question(&talk, ca, good, sha1);
    add_question(&talk, ca, revoked, sha1);
    add_question(&talk, ca, plain, sha1);
    add_question(&talk, ca, nobodys, sha1);
    ask(desk, &talk);
    assert_verifies(desk, &talk, ca);
    assert_int_equal(OCSP_resp_count(talk.basic), 4);
    assert_int_equal(see(&talk, ca, nobodys, sha1).status, V_OCSP_CERTSTATUS_UNKNOWN);
    struct seen seen = see(&talk, ca, good, sha1);
    assert_int_equal(seen.status, GOOD);
    assert_int_equal(seen.this_update, KIT_NOW);
    assert_int_equal(seen.next_update, KIT_NOW + OCSP_VALID_SEC);
    seen = see(&talk, ca, revoked, sha1);
    assert_int_equal(seen.status, REVOKED);
    assert_int_equal(seen.reason, OCSP_REVOKED_STATUS_KEYCOMPROMISE);
    assert_int_equal(seen.revoked_at, KIT_NOW);
    seen = see(&talk, ca, plain, sha1);
    assert_int_equal(seen.status, REVOKED);
    assert_int_equal(seen.reason, OCSP_REVOKED_STATUS_NOSTATUS);
    assert_int_equal(talk.max_age_sec, OCSP_VALID_SEC);
    const ASN1_GENERALIZEDTIME *produced = OCSP_resp_get0_produced_at(talk.basic);
    int64_t produced_at = 0;
    assert_true(ossl_time_read(produced, &produced_at));
    assert_int_equal(produced_at, KIT_NOW);
    talk_done(&talk);
}

static void names_the_signer_by_key(void **state)
{
    struct desk *desk = *state;
    const uint8_t serial[SERIAL_LEN] = {1};
    renew(desk);
    struct talk talk = {0};
    add_question(&talk, present_ca(desk), serial, EVP_sha1());
    ask(desk, &talk);
    const ASN1_OCTET_STRING *by_key = NULL;
    const X509_NAME *by_name = NULL;
    assert_int_equal(OCSP_resp_get0_id(talk.basic, &by_key, &by_name), 1);
    assert_non_null(by_key);
    assert_null(by_name);
    X509 *signer = NULL;
    assert_int_equal(OCSP_resp_get0_signer(talk.basic, &signer, NULL), 1);
    assert_true(X509_get_ext_by_NID(signer, NID_id_pkix_OCSP_noCheck, -1) >= 0);
    talk_done(&talk);
}

static void knows_the_ca_by_any_sha(void **state)
{
    struct desk *desk = *state;
    uint8_t serial[SERIAL_LEN];
    X509 *ca = present_ca(desk);
    desk_enrol_serial(desk, 1, serial);
    renew(desk);
    const EVP_MD *const digests[] = {EVP_sha1(), EVP_sha256(), EVP_sha384(), EVP_sha512()};
    for (size_t i = 0; i < sizeof digests / sizeof digests[0]; i++) {
        struct talk talk = {0};
        add_question(&talk, ca, serial, digests[i]);
        ask(desk, &talk);
        assert_int_equal(see(&talk, ca, serial, digests[i]).status, GOOD);
        talk_done(&talk);
    }
    struct talk talk = {0};
    add_question(&talk, ca, serial, EVP_md5());
    ask(desk, &talk);
    assert_int_equal(talk.status, OCSP_RESPONSE_STATUS_UNAUTHORIZED);
    talk_done(&talk);
}

static void sends_nonces_back(void **state)
{
    struct desk *desk = *state;
    static const struct {
        int len;
        int status;
    } cases[] = {
        {1, OCSP_RESPONSE_STATUS_SUCCESSFUL},         {NONCE_LEN, OCSP_RESPONSE_STATUS_SUCCESSFUL},
        {32, OCSP_RESPONSE_STATUS_SUCCESSFUL},        {33, OCSP_RESPONSE_STATUS_MALFORMEDREQUEST},
        {200, OCSP_RESPONSE_STATUS_MALFORMEDREQUEST},
    };
    const uint8_t serial[SERIAL_LEN] = {1};
    renew(desk);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct talk talk = {0};
        add_question(&talk, present_ca(desk), serial, EVP_sha1());
        assert_int_equal(OCSP_request_add1_nonce(talk.request, NULL, cases[i].len), 1);
        ask(desk, &talk);
        assert_int_equal(talk.status, cases[i].status);
        assert_int_equal(talk.max_age_sec, 0);
        if (talk.basic != NULL) {
            assert_int_equal(OCSP_check_nonce(talk.request, talk.basic), 1);
        }
        talk_done(&talk);
    }
}

static void other_cas_are_not_ours(void **state)
{
    struct desk *desk = *state;
    uint8_t serial[SERIAL_LEN];
    X509 *stranger = kit_cert(kit_key(3), "Stranger", NULL, NULL, true, KIT_NOW, 10);
    X509 *ca = present_ca(desk);
    desk_enrol_serial(desk, 1, serial);
    renew(desk);
    struct talk talk = {0};
    add_question(&talk, stranger, serial, EVP_sha1());
    ask(desk, &talk);
    assert_int_equal(talk.status, OCSP_RESPONSE_STATUS_UNAUTHORIZED);
    talk_done(&talk);

    // One of several: the others are answered.
    add_question(&talk, stranger, serial, EVP_sha1());
    add_question(&talk, ca, serial, EVP_sha1());
    ask(desk, &talk);
    assert_int_equal(see(&talk, stranger, serial, EVP_sha1()).status, V_OCSP_CERTSTATUS_UNKNOWN);
    assert_int_equal(see(&talk, ca, serial, EVP_sha1()).status, GOOD);
    talk_done(&talk);
    X509_free(stranger);
}

static void refuses_too_many_questions(void **state)
{
    struct desk *desk = *state;
    uint8_t serial[SERIAL_LEN] = {1};
    renew(desk);
    for (int count = OCSP_ENTRIES_MAX; count <= OCSP_ENTRIES_MAX + 1; count++) {
        struct talk talk = {0};
        for (int i = 0; i < count; i++) {
            serial[1] = (uint8_t)i;
            add_question(&talk, present_ca(desk), serial, EVP_sha1());
        }
        ask(desk, &talk);
        assert_int_equal(talk.status, count <= OCSP_ENTRIES_MAX
                                          ? OCSP_RESPONSE_STATUS_SUCCESSFUL
                                          : OCSP_RESPONSE_STATUS_MALFORMEDREQUEST);
        talk_done(&talk);
    }
}

static void refuses_critical_extensions(void **state)
{
    struct desk *desk = *state;
    const uint8_t serial[SERIAL_LEN] = {1};
    renew(desk);
    for (int critical = 0; critical <= 1; critical++) {
        struct talk talk = {0};
        add_question(&talk, present_ca(desk), serial, EVP_sha1());
        ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
        assert_int_equal(ASN1_OCTET_STRING_set(value, (const uint8_t *)"\x05\x00", 2), 1);
        X509_EXTENSION *extension =
            X509_EXTENSION_create_by_NID(NULL, NID_id_pkix_OCSP_serviceLocator, critical, value);
        assert_int_equal(OCSP_REQUEST_add_ext(talk.request, extension, -1), 1);
        ask(desk, &talk);
        assert_int_equal(talk.status, critical == 0 ? OCSP_RESPONSE_STATUS_SUCCESSFUL
                                                    : OCSP_RESPONSE_STATUS_MALFORMEDREQUEST);
        X509_EXTENSION_free(extension);
        ASN1_OCTET_STRING_free(value);
        talk_done(&talk);
    }
}

static void strange_serial_numbers_are_unknown(void **state)
{
    struct desk *desk = *state;
    X509 *ca = present_ca(desk);
    renew(desk);
    for (long number = -2; number <= 2; number += 2) {
        struct talk talk = {.request = OCSP_REQUEST_new()};
        ASN1_INTEGER *integer = ASN1_INTEGER_new();
        assert_int_equal(ASN1_INTEGER_set(integer, number), 1);
        OCSP_CERTID *id = OCSP_cert_id_new(EVP_sha1(), X509_get_subject_name(ca),
                                           X509_get0_pubkey_bitstr(ca), integer);
        OCSP_request_add0_id(talk.request, id);
        ask(desk, &talk);
        int status = -1;
        assert_int_equal(OCSP_resp_find_status(talk.basic, id, &status, NULL, NULL, NULL, NULL), 1);
        assert_int_equal(status, V_OCSP_CERTSTATUS_UNKNOWN);
        ASN1_INTEGER_free(integer);
        talk_done(&talk);
    }
}

// Every one gets an answer, and whatever is not the question itself is malformed or unknown.
static void survives_broken_questions(void **state)
{
    struct desk *desk = *state;
    const uint8_t serial[SERIAL_LEN] = {1};
    struct talk whole = {0};
    renew(desk);
    add_question(&whole, present_ca(desk), serial, EVP_sha1());
    struct buf octets = encode(&whole);
    for (size_t len = 0; len < octets.len; len++) {
        struct talk talk = {0};
        ask_octets(desk, &talk, view_of(octets.data, len));
        assert_int_equal(talk.status, OCSP_RESPONSE_STATUS_MALFORMEDREQUEST);
        talk_done(&talk);
    }
    for (size_t bit = 0; bit < 8 * octets.len; bit++) {
        struct talk talk = {0};
        octets.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        ask_octets(desk, &talk, buf_view(&octets));
        assert_int_not_equal(talk.status, OCSP_RESPONSE_STATUS_INTERNALERROR);
        octets.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        talk_done(&talk);
    }
    struct talk talk = {0};
    static const uint8_t long_one[OCSP_REQUEST_LEN + 1] = {0x30};
    ask_octets(desk, &talk, view_of(long_one, sizeof long_one));
    assert_int_equal(talk.status, OCSP_RESPONSE_STATUS_MALFORMEDREQUEST);
    talk_done(&talk);
    assert_int_equal(buf_append(&octets, view_of("", 1), NULL), ERR_OK);
    ask_octets(desk, &talk, buf_view(&octets));
    assert_int_equal(talk.status, OCSP_RESPONSE_STATUS_MALFORMEDREQUEST);
    talk_done(&talk);
    buf_done(&octets);
    talk_done(&whole);
}

static void without_signers_it_says_later(void **state)
{
    struct desk *desk = *state;
    const uint8_t serial[SERIAL_LEN] = {1};
    struct talk talk = {0};
    add_question(&talk, present_ca(desk), serial, EVP_sha1());
    ask(desk, &talk);
    assert_int_equal(talk.status, OCSP_RESPONSE_STATUS_TRYLATER);
    talk_done(&talk);

    // So does one whose signer could not be renewed in time.
    renew(desk);
    desk_go_to(desk, KIT_NOW + (SIGNER_DAYS + 1) * (int64_t)DAY_SEC);
    add_question(&talk, present_ca(desk), serial, EVP_sha1());
    ask(desk, &talk);
    assert_int_equal(talk.status, OCSP_RESPONSE_STATUS_TRYLATER);
    talk_done(&talk);
}

static void signer_key(struct desk *desk, uint8_t ret_key[SHA256_LEN])
{
    const uint8_t serial[SERIAL_LEN] = {1};
    struct talk talk = {0};
    X509 *signer = NULL;
    unsigned len = 0;
    add_question(&talk, present_ca(desk), serial, EVP_sha1());
    ask(desk, &talk);
    assert_verifies(desk, &talk, present_ca(desk));
    assert_int_equal(OCSP_resp_get0_signer(talk.basic, &signer, NULL), 1);
    assert_int_equal(X509_pubkey_digest(signer, EVP_sha256(), ret_key, &len), 1);
    talk_done(&talk);
}

static void signers_change_at_half_of_their_life(void **state)
{
    struct desk *desk = *state;
    uint8_t first[SHA256_LEN];
    uint8_t second[SHA256_LEN];
    renew(desk);
    signer_key(desk, first);
    desk_go_to(desk, KIT_NOW + (SIGNER_DAYS / 2 - 1) * (int64_t)DAY_SEC);
    renew(desk);
    signer_key(desk, second);
    assert_memory_equal(first, second, SHA256_LEN);
    desk_go_to(desk, KIT_NOW + (SIGNER_DAYS / 2 + 1) * (int64_t)DAY_SEC);
    renew(desk);
    signer_key(desk, second);
    assert_memory_not_equal(first, second, SHA256_LEN);
}

// Each CA answers for its own, the old one, too.
static void follows_rollovers(void **state)
{
    struct desk *desk = *state;
    uint8_t old_serial[SERIAL_LEN];
    uint8_t new_serial[SERIAL_LEN];
    X509 *old_ca = present_ca(desk);
    assert_int_equal(X509_up_ref(old_ca), 1);
    desk_enrol_serial(desk, 1, old_serial);
    renew(desk);
    desk_roll_over(desk);
    desk_enrol_serial(desk, 2, new_serial);
    renew(desk);
    X509 *new_ca = present_ca(desk);
    assert_int_not_equal(X509_cmp(old_ca, new_ca), 0);
    assert_int_equal(status_of(desk, old_ca, old_serial), GOOD);
    assert_int_equal(status_of(desk, new_ca, new_serial), GOOD);
    assert_int_equal(status_of(desk, new_ca, old_serial), V_OCSP_CERTSTATUS_UNKNOWN);
    assert_int_equal(status_of(desk, old_ca, new_serial), V_OCSP_CERTSTATUS_UNKNOWN);
    X509_free(old_ca);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DESK_TEST(tells_good_revoked_and_unknown),
        DESK_TEST(names_the_signer_by_key),
        DESK_TEST(knows_the_ca_by_any_sha),
        DESK_TEST(sends_nonces_back),
        DESK_TEST(other_cas_are_not_ours),
        DESK_TEST(refuses_too_many_questions),
        DESK_TEST(refuses_critical_extensions),
        DESK_TEST(strange_serial_numbers_are_unknown),
        DESK_TEST(survives_broken_questions),
        DESK_TEST(without_signers_it_says_later),
        DESK_TEST(signers_change_at_half_of_their_life),
        DESK_TEST(follows_rollovers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
