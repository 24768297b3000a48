// SPDX-License-Identifier: Apache-2.0
// Who signed: certificates of ours, of manufacturers, of nobody in particular, and forged ones.
#include "kit/kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ra/signer.h"
#include "ra/store/writer.h"
#include "tests/mic/mic_factory.h"

#define STORE_OCTETS (16 * 1024 * 1024)
#define LIFE_DAYS    100
#define GRACE_DAYS   7
#define END          ((int64_t)KIT_NOW + (int64_t)LIFE_DAYS * DAY_SEC)

static const char PHONE[] = "CP-9871-SEP001A2B3C4D5E";

struct fixture {
    char *folder;
    struct store *store;
    struct writer *writer;
    struct mic_factory *factory;
    struct settings settings;
    struct policy policy;
    X509 *ca;
    unsigned issued;
};

static void trust_the_factory(struct fixture *fixture, char *roots, char *intermediates)
{
    struct err err = {0};
    fixture->settings.mic_count = 1;
    fixture->settings.mic[0] = (struct settings_mic_store){
        .name = "test MICs",
        .roots = {.list = {roots}, .count = 1},
        .intermediates = {.list = {intermediates}, .count = 1},
        .min_rsa_bits = LIMIT_RSA_BITS_MIN,
        .classes = {SETTINGS_MIC_PHONE, SETTINGS_MIC_SPA},
        .classes_count = 2,
    };
    fixture->policy.settings = &fixture->settings;
    if (trust_load(&fixture->settings, &fixture->policy.trust, &err) != ERR_OK) {
        fail_msg("trust: %s", err.text);
    }
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    fixture->folder = kit_new_folder();
    char *directory = kit_path(fixture->folder, "store");
    assert_int_equal(store_open(directory, STORE_OCTETS, &fixture->store, NULL), ERR_OK);
    assert_int_equal(writer_start(fixture->store, &fixture->writer, NULL), ERR_OK);
    fixture->ca = kit_cert(kit_key(7), "Issuing CA", NULL, NULL, true, KIT_NOW, LIFE_DAYS);
    fixture->factory = mic_factory_new(KIT_NOW);
    mic_factory_write(fixture->factory, fixture->folder);
    char *roots = kit_path(fixture->folder, "roots.pem");
    char *intermediates = kit_path(fixture->folder, "intermediates.pem");
    trust_the_factory(fixture, roots, intermediates);
    free(roots);
    free(intermediates);
    free(directory);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    writer_stop(fixture->writer);
    store_close(fixture->store);
    trust_free(fixture->policy.trust);
    mic_factory_free(fixture->factory);
    X509_free(fixture->ca);
    kit_remove_folder(fixture->folder);
    free(fixture);
    return 0;
}

// A certificate of ours, stored as issued at KIT_NOW. Caller frees.
static X509 *issue(struct fixture *fixture)
{
    X509 *cert = kit_cert(kit_key(0), PHONE, fixture->ca, kit_key(7), false, KIT_NOW, LIFE_DAYS);
    struct write_order order = {.kind = WRITE_ISSUED, .now = KIT_NOW};
    struct store_certificate *record = &order.certificate;
    record->serial[0] = 1;
    record->serial[SERIAL_LEN - 1] = (uint8_t)++fixture->issued;
    ASN1_STRING_set(X509_get_serialNumber(cert), record->serial, SERIAL_LEN);
    assert_true(X509_sign(cert, kit_key(7), EVP_sha256()) > 0);
    record->status = CERTIFICATE_VALID;
    record->origin = ORIGIN_MIC;
    record->issued_at = record->not_before = KIT_NOW;
    record->not_after = END;
    record->mic_not_after = END + 1;
    snprintf(record->common_name, sizeof record->common_name, "%s", PHONE);
    snprintf(record->mac, sizeof record->mac, "%s", "001A2B3C4D5E");
    snprintf(record->device, sizeof record->device, "%s", record->mac);
    snprintf(record->model, sizeof record->model, "%s", "CP-9871");
    snprintf(record->serial_number, sizeof record->serial_number, "%s", "FCH2133E8B9");
    record->transaction_key[0] = record->spki_hash[0] = (uint8_t)fixture->issued;
    assert_int_equal(ossl_cert_to_der(cert, &record->der, NULL), ERR_OK);
    assert_int_equal(writer_submit_and_wait(fixture->writer, &order, NULL), ERR_OK);
    store_certificate_done(record);
    return cert;
}

static void revoke(struct fixture *fixture, const X509 *cert)
{
    struct write_order order = {.kind = WRITE_REVOKE, .now = KIT_NOW};
    struct view serial = ossl_string_view(X509_get0_serialNumber(cert));
    memcpy(order.certificate.serial, serial.data, SERIAL_LEN);
    assert_int_equal(writer_submit_and_wait(fixture->writer, &order, NULL), ERR_OK);
}

static void classify(struct fixture *fixture, X509 *cert, int64_t now, struct signer *ret_signer)
{
    struct err err = {0};
    struct request request = {.signer = cert, .certs = sk_X509_new_null()};
    sk_X509_push(request.certs, cert);
    *ret_signer = (struct signer){0};
    if (signer_classify(&request, &fixture->policy, fixture->store, now, ret_signer, &err) !=
        ERR_OK) {
        fail_msg("classify: %s", err.text);
    }
    sk_X509_free(request.certs);
}

static void assert_signer(struct fixture *fixture, X509 *cert, int64_t now,
                          enum signer_class signer_class, enum signer_state state)
{
    struct signer signer;
    classify(fixture, cert, now, &signer);
    assert_string_equal(signer_class_name(signer.signer_class), signer_class_name(signer_class));
    assert_string_equal(signer_state_name(signer.state), signer_state_name(state));
    signer_done(&signer);
}

static void ours_is_what_is_stored_octet_by_octet(void **state)
{
    struct fixture *fixture = *state;
    X509 *ours = issue(fixture);
    X509 *other_key = X509_dup(ours);
    X509 *resigned = X509_dup(ours);
    X509 *unknown = kit_cert(kit_key(3), PHONE, fixture->ca, kit_key(7), false, KIT_NOW, 1);
    X509 *self_signed = kit_cert(kit_key(3), PHONE, NULL, NULL, false, KIT_NOW, 1);
    X509_set_pubkey(other_key, kit_key(1));
    assert_true(X509_sign(other_key, kit_key(2), EVP_sha256()) > 0);
    assert_true(X509_sign(resigned, kit_key(2), EVP_sha256()) > 0);
    assert_signer(fixture, ours, KIT_NOW, SIGNER_OURS, SIGNER_GOOD);
    // Same issuer, subject and serial number.
    assert_signer(fixture, other_key, KIT_NOW, SIGNER_UNKNOWN, SIGNER_GOOD);
    assert_signer(fixture, resigned, KIT_NOW, SIGNER_UNKNOWN, SIGNER_GOOD);
    assert_signer(fixture, unknown, KIT_NOW, SIGNER_UNKNOWN, SIGNER_GOOD);
    assert_signer(fixture, self_signed, KIT_NOW, SIGNER_SELF_SIGNED, SIGNER_GOOD);
    // Its dates mean nothing.
    assert_signer(fixture, self_signed, END, SIGNER_SELF_SIGNED, SIGNER_GOOD);
    X509_free(ours);
    X509_free(other_key);
    X509_free(resigned);
    X509_free(unknown);
    X509_free(self_signed);
}

static void ours_counts_in_its_time(void **state)
{
    struct fixture *fixture = *state;
    const int64_t grace = (int64_t)GRACE_DAYS * DAY_SEC;
    X509 *ours = issue(fixture);
    assert_signer(fixture, ours, (int64_t)KIT_NOW - 1, SIGNER_OURS, SIGNER_NOT_YET_VALID);
    assert_signer(fixture, ours, KIT_NOW, SIGNER_OURS, SIGNER_GOOD);
    assert_signer(fixture, ours, END, SIGNER_OURS, SIGNER_GOOD);
    assert_signer(fixture, ours, END + 1, SIGNER_OURS, SIGNER_EXPIRED);
    fixture->settings.renewal.grace_days = GRACE_DAYS;
    assert_signer(fixture, ours, END + grace, SIGNER_OURS, SIGNER_GOOD);
    assert_signer(fixture, ours, END + grace + 1, SIGNER_OURS, SIGNER_EXPIRED);
    X509_free(ours);
}

static void a_revoked_one_is_revoked_whatever_else(void **state)
{
    struct fixture *fixture = *state;
    X509 *ours = issue(fixture);
    revoke(fixture, ours);
    assert_signer(fixture, ours, KIT_NOW, SIGNER_OURS, SIGNER_REVOKED);
    assert_signer(fixture, ours, END + 1, SIGNER_OURS, SIGNER_REVOKED);
    X509_free(ours);
}

static void mics_are_judged_by_their_store(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        const char *name;
        enum signer_class signer_class;
        enum signer_state state;
    } tests[] = {
        {"phone-9871", SIGNER_MIC, SIGNER_GOOD},
        {"phone-8861", SIGNER_MIC, SIGNER_GOOD},
        {"phone-9999", SIGNER_MIC, SIGNER_GOOD},
        {"spa-962", SIGNER_MIC, SIGNER_GOOD},
        {"phone-7841", SIGNER_MIC, SIGNER_NOT_ACCEPTED}, // SHA-1
        {"spa-962-small", SIGNER_MIC, SIGNER_NOT_ACCEPTED},
        {"switch-c9300", SIGNER_MIC, SIGNER_NOT_ACCEPTED}, // its class
        {"phone-expired", SIGNER_MIC, SIGNER_EXPIRED},
        {"phone-future", SIGNER_MIC, SIGNER_NOT_YET_VALID},
        {"generic", SIGNER_MIC, SIGNER_GENERIC},
        {"forged-9871", SIGNER_UNKNOWN, SIGNER_GOOD},
        {"forged-serial", SIGNER_UNKNOWN, SIGNER_GOOD},
        {"lookalike-9871", SIGNER_UNKNOWN, SIGNER_GOOD},
        {"minted-9871", SIGNER_UNKNOWN, SIGNER_GOOD},
        {"phone-newline", SIGNER_UNKNOWN, SIGNER_GOOD},
        {"phone-nul", SIGNER_UNKNOWN, SIGNER_GOOD},
        {"self-9871", SIGNER_SELF_SIGNED, SIGNER_GOOD},
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        struct signer signer;
        classify(fixture, mic_cert(fixture->factory, tests[i].name), KIT_NOW, &signer);
        if (signer.signer_class != tests[i].signer_class || signer.state != tests[i].state) {
            fail_msg("%s: %s, %s: %s", tests[i].name, signer_class_name(signer.signer_class),
                     signer_state_name(signer.state), signer.mic.reason);
        }
        // Everything that is not accepted says why.
        bool is_accepted = signer.signer_class == SIGNER_SELF_SIGNED ||
                           (signer.signer_class == SIGNER_MIC && signer.state == SIGNER_GOOD);
        assert_int_equal(signer.mic.reason[0] == '\0', is_accepted);
        signer_done(&signer);
    }
}

static void the_device_is_what_the_certificate_proves(void **state)
{
    struct fixture *fixture = *state;
    struct signer signer;
    X509 *ours = issue(fixture);
    classify(fixture, ours, KIT_NOW, &signer);
    struct signer_device device = signer_device(&signer);
    assert_string_equal(device.name, PHONE);
    assert_string_equal(device.mac, "001A2B3C4D5E");
    assert_string_equal(device.model, "CP-9871");
    assert_string_equal(device.serial_number, "FCH2133E8B9");
    assert_int_equal(device.mic_not_after, END + 1);
    signer_done(&signer);
    classify(fixture, mic_cert(fixture->factory, "phone-8861"), KIT_NOW, &signer);
    device = signer_device(&signer);
    assert_string_equal(device.name, "CP-8861-SEP2C3124C9F8E1");
    assert_string_equal(device.mac, "2C3124C9F8E1");
    assert_string_equal(device.model, "CP-8861");
    assert_string_equal(device.serial_number, "FCH2133E8B9");
    assert_true(device.mic_not_after > KIT_NOW);
    signer_done(&signer);
    classify(fixture, mic_cert(fixture->factory, "self-9871"), KIT_NOW, &signer);
    device = signer_device(&signer);
    assert_string_equal(device.name, "");
    assert_string_equal(device.mac, "");
    assert_string_equal(device.model, "");
    assert_string_equal(device.serial_number, "");
    assert_int_equal(device.mic_not_after, 0);
    signer_done(&signer);
    X509_free(ours);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(ours_is_what_is_stored_octet_by_octet),     TEST(ours_counts_in_its_time),
        TEST(a_revoked_one_is_revoked_whatever_else),    TEST(mics_are_judged_by_their_store),
        TEST(the_device_is_what_the_certificate_proves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
