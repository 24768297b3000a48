// SPDX-License-Identifier: Apache-2.0
#include "kit/kit.h"

#include <string.h>

#include "ra/pending.h"

#define EXPIRY_DAYS 7

struct asked {
    struct pkcs10 pkcs10;
    struct names names;
    uint8_t key[SHA256_LEN];
    uint8_t issuer[SHA256_LEN];
    struct signer signer;
    struct pending_request request;
};

static void ask(const char *common_name, const char *challenge, struct asked *asked)
{
    *asked = (struct asked){.key = {0xAB, 0xCD, 0xEF, 0x01, 0x23, 0x45}, .issuer = {7}};
    struct buf der = kit_csr_der(
        kit_key(0), &(struct kit_csr){.common_name = common_name, .challenge = challenge});
    assert_int_equal(pkcs10_parse(buf_view(&der), &asked->pkcs10, NULL), ERR_OK);
    const struct csr *csr = asked->pkcs10.csr;
    assert_int_equal(names_read(csr_subject(csr), csr_attributes(csr), &asked->names, NULL),
                     ERR_OK);
    buf_done(&der);
    asked->signer.signer_class = SIGNER_SELF_SIGNED;
    asked->request = (struct pending_request){
        .transaction_key = asked->key,
        .pkcs10 = &asked->pkcs10,
        .names = &asked->names,
        .signer = &asked->signer,
        .issuer = asked->issuer,
        .source = "192.0.2.1",
        .expiry_days = EXPIRY_DAYS,
        .now = KIT_NOW,
    };
}

static void asked_done(struct asked *asked)
{
    pkcs10_done(&asked->pkcs10);
    names_done(&asked->names);
}

static void the_record_says_who_asks_for_what(void **unused)
{
    (void)unused;
    struct asked asked;
    struct store_pending pending = {0};
    ask("CP-9871-SEP001A2B3C4D5E", NULL, &asked);
    assert_int_equal(pending_make(&asked.request, &pending, NULL), ERR_OK);
    assert_memory_equal(pending.key, asked.key, SHA256_LEN);
    assert_string_equal(pending.id, "ABCDEF0123");
    assert_int_equal(pending.reason, PENDING_UNAUTHENTICATED);
    assert_false(pending.is_approved);
    assert_int_equal(pending.created_at, KIT_NOW);
    assert_int_equal(pending.expires_at, KIT_NOW + (int64_t)EXPIRY_DAYS * DAY_SEC);
    assert_string_equal(pending.source, "192.0.2.1");
    assert_string_equal(pending.common_name, "CP-9871-SEP001A2B3C4D5E");
    assert_string_equal(pending.mac, "001A2B3C4D5E");
    assert_string_equal(pending.model, "");
    assert_string_equal(pending.serial_number, "");
    assert_int_equal(pending.signer_class, SIGNER_SELF_SIGNED);
    assert_memory_equal(pending.spki_hash, asked.pkcs10.spki_hash, SHA256_LEN);
    assert_memory_equal(pending.csr_hash, asked.pkcs10.hash, SHA256_LEN);
    assert_memory_equal(pending.issuer, asked.issuer, SHA256_LEN);
    assert_true(view_equal(buf_view(&pending.csr), buf_view(&asked.pkcs10.der)));
    store_pending_done(&pending);
    asked_done(&asked);
}

static void a_mic_says_more(void **unused)
{
    (void)unused;
    struct asked asked;
    struct store_pending pending = {0};
    ask(NULL, NULL, &asked);
    asked.signer.signer_class = SIGNER_MIC;
    struct identity *identity = &asked.signer.mic.identity;
    strcpy(identity->mac, "00AABBCCDDEE");
    strcpy(identity->model, "CP-8861");
    strcpy(identity->serial_number, "FCH2133E8B9");
    assert_int_equal(pending_make(&asked.request, &pending, NULL), ERR_OK);
    assert_int_equal(pending.reason, PENDING_UNLISTED);
    assert_int_equal(pending.signer_class, SIGNER_MIC);
    assert_string_equal(pending.common_name, "");
    assert_string_equal(pending.mac, "00AABBCCDDEE");
    assert_string_equal(pending.model, "CP-8861");
    assert_string_equal(pending.serial_number, "FCH2133E8B9");
    store_pending_done(&pending);
    asked_done(&asked);
}

// A stored PKCS#10 is shown to people and kept for days.
static void no_challenge_is_ever_stored(void **unused)
{
    (void)unused;
    struct asked asked;
    struct store_pending pending = {0};
    struct err err = {0};
    ask("CP-9871-SEP001A2B3C4D5E", "secret", &asked);
    assert_int_equal(pending_make(&asked.request, &pending, &err), ERR_INTERNAL);
    assert_null(strstr(err.text, "secret"));
    assert_null(pending.csr.data);
    asked_done(&asked);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_record_says_who_asks_for_what),
        cmocka_unit_test(a_mic_says_more),
        cmocka_unit_test(no_challenge_is_ever_stored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
