// SPDX-License-Identifier: Apache-2.0
#include "kit/kit.h"

#include <string.h>

#include "ra/issuance.h"

#define LIFE_DAYS 100

static const char PHONE[] = "CP-9871-SEP001A2B3C4D5E";

struct asked {
    struct pkcs10 pkcs10;
    struct names names;
    uint8_t issuer[SHA256_LEN];
    uint8_t challenge_hash[SHA256_LEN];
    uint8_t renews[SERIAL_LEN];
    struct san san;
    struct issuance issuance;
};

static void ask(const char *common_name, struct asked *asked)
{
    *asked = (struct asked){0};
    struct buf der = kit_csr_der(kit_key(0), &(struct kit_csr){.common_name = common_name});
    assert_int_equal(pkcs10_parse(buf_view(&der), &asked->pkcs10, NULL), ERR_OK);
    buf_done(&der);
    asked->names.common_name = common_name;
    asked->san = (struct san){.kind = SAN_DNS, .text = view_of_text(PHONE)};
    memset(asked->challenge_hash, 0x5a, SHA256_LEN);
    memset(asked->issuer, 0x3c, SHA256_LEN);
    memset(asked->renews, 0x42, SERIAL_LEN);
    asked->issuance = (struct issuance){
        .profile = PROFILE_PHONE,
        .pkcs10 = &asked->pkcs10,
        .names = &asked->names,
        .common_name = "SEP00AABBCCDDEE",
        .sans = &asked->san,
        .san_count = 1,
        .transaction_id = view_of_text("T1"),
        .issuer = asked->issuer,
        .signer_class = SIGNER_SELF_SIGNED,
        .origin = ORIGIN_CHALLENGE,
        .challenge_hash = asked->challenge_hash,
        .device = {.name = "", .mac = "", .model = "", .serial_number = ""},
        .now = KIT_NOW,
    };
    memset(asked->issuance.transaction_key, 0xa5, SHA256_LEN);
}

static void asked_done(struct asked *asked)
{
    pkcs10_done(&asked->pkcs10);
}

static void the_order_takes_names_from_the_request(void **unused)
{
    (void)unused;
    struct asked asked;
    struct issue_order order;
    ask(PHONE, &asked);
    issuance_order(&asked.issuance, &order);
    assert_int_equal(order.profile, PROFILE_PHONE);
    assert_true(view_equal(order.issuer, view_of(asked.issuer, SHA256_LEN)));
    assert_true(view_equal(order.csr, buf_view(&asked.pkcs10.der)));
    assert_int_equal(order.common_name.len, 0);
    assert_int_equal(order.san_count, 1);
    assert_true(view_is_text(order.sans[0].text, PHONE));
    assert_true(view_is_text(order.transaction_id, "T1"));
    assert_int_equal(order.max_validity_sec, 0);
    asked.issuance.profile = PROFILE_SERVER;
    asked.issuance.max_validity_sec = DAY_SEC;
    issuance_order(&asked.issuance, &order);
    assert_int_equal(order.profile, PROFILE_SERVER);
    assert_int_equal(order.max_validity_sec, DAY_SEC);
    asked_done(&asked);
}

static void a_request_without_a_cn_gets_one(void **unused)
{
    (void)unused;
    struct asked asked;
    struct issue_order order;
    ask(NULL, &asked);
    issuance_order(&asked.issuance, &order);
    assert_true(view_is_text(order.common_name, "SEP00AABBCCDDEE"));
    asked_done(&asked);
}

static struct buf answer(unsigned key, const char *common_name, size_t serial_len)
{
    uint8_t serial[SERIAL_LEN + 4];
    memset(serial, 0x11, sizeof serial);
    X509 *ca = kit_cert(kit_key(7), "Issuing CA", NULL, NULL, true, KIT_NOW, LIFE_DAYS);
    X509 *cert = kit_cert(kit_key(key), common_name, ca, kit_key(7), false, KIT_NOW, LIFE_DAYS);
    ASN1_STRING_set(X509_get_serialNumber(cert), serial, (int)serial_len);
    assert_true(X509_sign(cert, kit_key(7), EVP_sha256()) > 0);
    struct buf der = {0};
    assert_int_equal(ossl_cert_to_der(cert, &der, NULL), ERR_OK);
    X509_free(cert);
    X509_free(ca);
    return der;
}

static void assert_zeroes(const uint8_t *octets, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        assert_int_equal(octets[i], 0);
    }
}

// Even when its name looks like a phone's.
static void a_server_is_no_device(void **unused)
{
    (void)unused;
    struct asked asked;
    struct store_certificate record = {0};
    ask(PHONE, &asked);
    asked.issuance.profile = PROFILE_SERVER;
    struct buf der = answer(0, PHONE, SERIAL_LEN);
    assert_int_equal(issuance_record(&asked.issuance, buf_view(&der), &record, NULL), ERR_OK);
    assert_int_equal(record.kind, CERTIFICATE_OF_SERVER);
    assert_string_equal(record.mac, "");
    assert_string_equal(record.device, PHONE);
    store_certificate_done(&record);
    buf_done(&der);
    asked_done(&asked);
}

static void the_record_says_what_was_issued_to_whom(void **unused)
{
    (void)unused;
    struct asked asked;
    struct store_certificate record = {0};
    ask(PHONE, &asked);
    struct buf der = answer(0, PHONE, SERIAL_LEN);
    assert_int_equal(issuance_record(&asked.issuance, buf_view(&der), &record, NULL), ERR_OK);
    assert_int_equal(record.serial[0], 0x11);
    assert_int_equal(record.status, CERTIFICATE_VALID);
    assert_int_equal(record.kind, CERTIFICATE_OF_PHONE);
    assert_int_equal(record.issued_at, KIT_NOW);
    assert_int_equal(record.not_before, KIT_NOW);
    assert_int_equal(record.not_after, KIT_NOW + (int64_t)LIFE_DAYS * DAY_SEC);
    assert_string_equal(record.common_name, PHONE);
    assert_string_equal(record.mac, "001A2B3C4D5E");
    assert_string_equal(record.device, "001A2B3C4D5E");
    assert_memory_equal(record.csr_hash, asked.pkcs10.hash, SHA256_LEN);
    assert_memory_equal(record.spki_hash, asked.pkcs10.spki_hash, SHA256_LEN);
    assert_memory_equal(record.challenge_hash, asked.challenge_hash, SHA256_LEN);
    assert_memory_equal(record.issuer, asked.issuer, SHA256_LEN);
    assert_int_equal(record.origin, ORIGIN_CHALLENGE);
    assert_memory_equal(record.transaction_key, asked.issuance.transaction_key, SHA256_LEN);
    assert_int_equal(record.signer_class, SIGNER_SELF_SIGNED);
    assert_zeroes(record.renews, SERIAL_LEN);
    assert_int_equal(record.mic_not_after, 0);
    assert_true(view_equal(buf_view(&record.der), buf_view(&der)));
    store_certificate_done(&record);
    buf_done(&der);
    asked_done(&asked);
}

static void the_record_keeps_what_the_signer_proved(void **unused)
{
    (void)unused;
    struct asked asked;
    struct store_certificate record = {0};
    ask("door phone", &asked);
    asked.issuance.signer_class = SIGNER_OURS;
    asked.issuance.origin = ORIGIN_MIC;
    asked.issuance.challenge_hash = NULL;
    asked.issuance.renews = asked.renews;
    asked.issuance.device = (struct signer_device){.name = "door phone",
                                                   .mac = "00AABBCCDDEE",
                                                   .model = "CP-9871",
                                                   .serial_number = "FCH2133E8B9",
                                                   .mic_not_after = KIT_NOW + DAY_SEC};
    struct buf der = answer(0, "door phone", SERIAL_LEN);
    assert_int_equal(issuance_record(&asked.issuance, buf_view(&der), &record, NULL), ERR_OK);
    assert_int_equal(record.signer_class, SIGNER_OURS);
    assert_int_equal(record.origin, ORIGIN_MIC);
    assert_memory_equal(record.renews, asked.renews, SERIAL_LEN);
    assert_zeroes(record.challenge_hash, SHA256_LEN);
    assert_string_equal(record.mac, "00AABBCCDDEE");
    assert_string_equal(record.device, "00AABBCCDDEE");
    assert_string_equal(record.model, "CP-9871");
    assert_string_equal(record.serial_number, "FCH2133E8B9");
    assert_int_equal(record.mic_not_after, KIT_NOW + DAY_SEC);
    store_certificate_done(&record);
    buf_done(&der);
    asked_done(&asked);
}

static void a_device_without_a_mac_goes_by_its_name(void **unused)
{
    (void)unused;
    struct asked asked;
    struct store_certificate record = {0};
    ask("door phone", &asked);
    struct buf der = answer(0, "door phone", SERIAL_LEN);
    assert_int_equal(issuance_record(&asked.issuance, buf_view(&der), &record, NULL), ERR_OK);
    assert_string_equal(record.mac, "");
    assert_string_equal(record.device, "door phone");
    store_certificate_done(&record);
    buf_done(&der);
    asked_done(&asked);
}

static void assert_refused(struct asked *asked, struct buf take_answer, const char *text)
{
    struct store_certificate record = {0};
    struct err err = {0};
    enum err_code code = issuance_record(&asked->issuance, buf_view(&take_answer), &record, &err);
    assert_int_equal(code, ERR_PROTOCOL);
    assert_int_equal(err.code, ERR_PROTOCOL);
    assert_non_null(strstr(err.text, text));
    assert_null(record.der.data);
    buf_done(&take_answer);
}

static void a_wrong_answer_of_the_ca_is_never_taken(void **unused)
{
    (void)unused;
    struct asked asked;
    struct buf garbage = {0};
    ask(PHONE, &asked);
    assert_int_equal(buf_copy(view_of_text("garbage"), &garbage, NULL), ERR_OK);
    assert_refused(&asked, garbage, "the CA's answer");
    assert_refused(&asked, answer(1, PHONE, SERIAL_LEN), "another key");
    assert_refused(&asked, answer(0, PHONE, SERIAL_LEN - 1), "serial number of 15 octets");
    assert_refused(&asked, answer(0, PHONE, SERIAL_LEN + 1), "serial number of 17 octets");
    asked_done(&asked);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_order_takes_names_from_the_request),
        cmocka_unit_test(a_request_without_a_cn_gets_one),
        cmocka_unit_test(a_server_is_no_device),
        cmocka_unit_test(the_record_says_what_was_issued_to_whom),
        cmocka_unit_test(the_record_keeps_what_the_signer_proved),
        cmocka_unit_test(a_device_without_a_mac_goes_by_its_name),
        cmocka_unit_test(a_wrong_answer_of_the_ca_is_never_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
