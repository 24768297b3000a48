// SPDX-License-Identifier: Apache-2.0
#include "kit/kit.h"

#include <stdlib.h>
#include <string.h>

#include "conf/limits.h"
#include "ra/certificate.h"

#define LIFE_DAYS 100

static const char NAME[] = "CP-9871-SEP001A2B3C4D5E";

static X509 *issue(const char *not_after)
{
    X509 *ca = kit_cert(kit_key(1), "Issuing CA", NULL, NULL, true, KIT_NOW, LIFE_DAYS);
    X509 *cert = kit_cert(kit_key(0), NAME, ca, kit_key(1), false, KIT_NOW, LIFE_DAYS);
    if (not_after != NULL) {
        assert_int_equal(ASN1_TIME_set_string_X509(X509_getm_notAfter(cert), not_after), 1);
        assert_true(X509_sign(cert, kit_key(1), EVP_sha256()) > 0);
    }
    X509_free(ca);
    return cert;
}

static struct buf der_of(X509 *take_cert)
{
    struct buf der = {0};
    assert_int_equal(ossl_cert_to_der(take_cert, &der, NULL), ERR_OK);
    X509_free(take_cert);
    return der;
}

static void reads_what_the_library_reads(void **unused)
{
    (void)unused;
    X509 *cert = issue(NULL);
    struct buf der = {0};
    struct buf spki = {0};
    struct certificate *read = NULL;
    int64_t not_before = 0;
    int64_t not_after = 0;
    assert_int_equal(ossl_cert_to_der(cert, &der, NULL), ERR_OK);
    assert_int_equal(ossl_spki_to_der(X509_get0_pubkey(cert), &spki, NULL), ERR_OK);
    assert_int_equal(certificate_parse(buf_view(&der), &read, NULL), ERR_OK);
    assert_true(
        view_equal(certificate_serial(read), ossl_string_view(X509_get0_serialNumber(cert))));
    assert_true(view_equal(certificate_spki(read), buf_view(&spki)));
    assert_int_equal(X509_NAME_cmp(certificate_subject(read), X509_get_subject_name(cert)), 0);
    assert_int_equal(certificate_read_validity(read, &not_before, &not_after, NULL), ERR_OK);
    assert_int_equal(not_before, KIT_NOW);
    assert_int_equal(not_after, KIT_NOW + (int64_t)LIFE_DAYS * DAY_SEC);
    certificate_free(read);
    buf_done(&spki);
    buf_done(&der);
    X509_free(cert);
}

static void reads_dates_beyond_2050(void **unused)
{
    (void)unused;
    struct buf der = der_of(issue("99991231235959Z"));
    struct certificate *read = NULL;
    int64_t not_before = 0;
    int64_t not_after = 0;
    assert_int_equal(certificate_parse(buf_view(&der), &read, NULL), ERR_OK);
    assert_int_equal(certificate_read_validity(read, &not_before, &not_after, NULL), ERR_OK);
    assert_int_equal(not_after, INT64_C(253402300799));
    certificate_free(read);
    buf_done(&der);
}

static void assert_refused(struct view der)
{
    struct certificate *read = NULL;
    struct err err = {0};
    assert_int_equal(certificate_parse(der, &read, &err), ERR_SYNTAX);
    assert_null(read);
    assert_true(err.text[0] != '\0');
}

static void refuses_what_is_cut_or_goes_on(void **unused)
{
    (void)unused;
    struct buf der = der_of(issue(NULL));
    for (size_t len = 0; len < der.len; len++) {
        // A copy of its own, so that reading on is noticed.
        struct buf cut = {0};
        assert_int_equal(buf_copy(view_of(der.data, len), &cut, NULL), ERR_OK);
        assert_refused(buf_view(&cut));
        buf_done(&cut);
    }
    assert_int_equal(buf_append(&der, view_of("", 1), NULL), ERR_OK);
    assert_refused(buf_view(&der));
    buf_done(&der);
}

static void survives_flipped_bits(void **unused)
{
    (void)unused;
    struct buf der = der_of(issue(NULL));
    for (size_t at = 0; at < der.len; at++) {
        struct certificate *read = NULL;
        struct err err = {0};
        int64_t not_before = 0;
        int64_t not_after = 0;
        der.data[at] ^= (uint8_t)(1U << at % 8);
        if (certificate_parse(buf_view(&der), &read, &err) != ERR_OK) {
            assert_true(err.text[0] != '\0');
        } else if (certificate_read_validity(read, &not_before, &not_after, &err) != ERR_OK) {
            assert_true(err.text[0] != '\0');
        }
        certificate_free(read);
        der.data[at] ^= (uint8_t)(1U << at % 8);
    }
    buf_done(&der);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_the_library_reads),
        cmocka_unit_test(reads_dates_beyond_2050),
        cmocka_unit_test(refuses_what_is_cut_or_goes_on),
        cmocka_unit_test(survives_flipped_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
