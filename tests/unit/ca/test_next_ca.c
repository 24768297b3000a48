// SPDX-License-Identifier: Apache-2.0
// The answer to GetNextCACert as all kinds of client read it: a strict CMS reader, a PKCS#7 reader
// in the way of sscep, one that takes the outer certificates, and the command `openssl cms`.
#include <stdlib.h>

#include "ca/next_ca.h"
#include "next_ca_kit.h"

enum { NEXT_RA, NEXT_CA, ROOT, CERTS };

struct site {
    struct fixture fixture;
    struct ca_key *key;
    X509 *certs[CERTS];
    STACK_OF(X509) * stack;
    struct buf answer;
};

static void site_init(struct site *site, EVP_PKEY *take_key, int count)
{
    *site = (struct site){0};
    fixture_init(&site->fixture, take_key, CA_DAYS);
    struct err err = {0};
    assert_ok(ca_key_open(site->fixture.key_path, NULL, &site->key, &err), &err);
    EVP_PKEY *root_key = kit_key(OTHER_KEY);
    EVP_PKEY *next_key = kit_key(NEXT_KEY);
    site->certs[ROOT] = kit_cert(root_key, "Root", NULL, NULL, true, KIT_NOW, CA_DAYS);
    site->certs[NEXT_CA] =
        kit_cert(next_key, NEXT_NAME, site->certs[ROOT], root_key, true, KIT_NOW, CA_DAYS);
    site->certs[NEXT_RA] = kit_cert(kit_key(PHONE_KEY), "SCEP RA", site->certs[NEXT_CA], next_key,
                                    false, KIT_NOW, CA_DAYS);
    site->stack = sk_X509_new_null();
    for (int i = 0; i < count; i++) {
        sk_X509_push(site->stack, site->certs[i]);
    }
    const struct next_ca next = {
        .signer = site->fixture.cert, .key = site->key, .certs = site->stack};
    assert_ok(next_ca_encode(&next, &site->answer, &err), &err);
}

static void site_done(struct site *site)
{
    for (size_t i = 0; i < CERTS; i++) {
        X509_free(site->certs[i]);
    }
    sk_X509_free(site->stack);
    buf_done(&site->answer);
    ca_key_free(site->key);
    fixture_done(&site->fixture);
}

static void all_kinds_of_client(void **state)
{
    (void)state;
    for (int count = 1; count <= CERTS; count++) {
        struct site site;
        site_init(&site, NULL, count);
        assert_all_read(buf_view(&site.answer), site.fixture.cert, site.certs, count);
        site_done(&site);
    }
}

static void ec_ca(void **state)
{
    (void)state;
    static const char *const curves[] = {"P-256", "P-384"};
    for (size_t i = 0; i < 2; i++) {
        struct site site;
        site_init(&site, kit_ec_key(curves[i]), CERTS);
        assert_all_read(buf_view(&site.answer), site.fixture.cert, site.certs, CERTS);
        site_done(&site);
    }
}

static bool verifies(struct view der, X509 *anchor)
{
    const unsigned char *end = der.data;
    CMS_ContentInfo *outer = d2i_CMS_ContentInfo(NULL, &end, (long)der.len);
    X509_STORE *store = strict_store(anchor);
    BIO *content = BIO_new(BIO_s_mem());
    bool is_good = outer != NULL && CMS_verify(outer, NULL, store, NULL, content, CMS_BINARY) == 1;
    BIO_free(content);
    X509_STORE_free(store);
    CMS_ContentInfo_free(outer);
    return is_good;
}

// The readers above can say no: to another CA, and to other certificates inside.
static void another_signer_or_content(void **state)
{
    (void)state;
    struct site site;
    site_init(&site, NULL, CERTS);
    assert_true(verifies(buf_view(&site.answer), site.fixture.cert));
    X509 *other = kit_cert(kit_key(NEXT_KEY), CA_COMMON_NAME, NULL, NULL, true, KIT_NOW, 1);
    assert_false(verifies(buf_view(&site.answer), other));
    X509_free(other);
    struct buf der = {0};
    assert_int_equal(ossl_cert_to_der(site.certs[NEXT_RA], &der, NULL), ERR_OK);
    uint8_t *inside = memmem(site.answer.data, site.answer.len, der.data, der.len);
    assert_non_null(inside); // the first copy is the one that is signed
    inside[der.len - 1] ^= 1;
    assert_false(verifies(buf_view(&site.answer), site.fixture.cert));
    inside[der.len - 1] ^= 1;
    assert_true(verifies(buf_view(&site.answer), site.fixture.cert));
    buf_done(&der);
    site_done(&site);
}

static void openssl_command(void **state)
{
    (void)state;
    struct site site;
    site_init(&site, NULL, CERTS);
    char *answer = kit_write(site.fixture.folder, "answer", buf_view(&site.answer));
    char *inner = kit_path(site.fixture.folder, "inner");
    char *command = NULL;
    assert_true(asprintf(&command,
                         "openssl cms -verify -binary -inform DER -in %s -CAfile %s -purpose any "
                         "-x509_strict -attime %d -out %s 2>/dev/null",
                         answer, site.fixture.cert_path, KIT_NOW, inner) > 0);
    assert_int_equal(system(command), 0); // NOLINT(cert-env33-c): a fixed command of this test
    free(command);
    // What it wrote is what `openssl pkcs7` takes apart.
    assert_true(asprintf(&command, "openssl pkcs7 -inform DER -in %s -print_certs", inner) > 0);
    FILE *output = popen(command, "r"); // NOLINT(cert-env33-c)
    assert_non_null(output);
    char text[16384] = {0};
    assert_true(fread(text, 1, sizeof text - 1, output) > 0);
    assert_int_equal(pclose(output), 0);
    const char *ra = strstr(text, "subject=CN = SCEP RA");
    const char *ca = strstr(text, "subject=CN = " NEXT_NAME);
    const char *root = strstr(text, "subject=CN = Root");
    assert_non_null(ra);
    assert_true(ca > ra && root > ca);
    free(command);
    free(answer);
    free(inner);
    site_done(&site);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_kinds_of_client),
        cmocka_unit_test(ec_ca),
        cmocka_unit_test(another_signer_or_content),
        cmocka_unit_test(openssl_command),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
