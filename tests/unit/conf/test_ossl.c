// SPDX-License-Identifier: Apache-2.0
// Texts out of ASN.1 strings of every type, DER with exact ends, and known hashes.
#include <string.h>

#include "conf/base/hex.h"
#include "kit/kit.h"

struct string_case {
    const char *name;
    int type;
    struct view content;
    const char *text; // NULL = refused
    const char *why;
};

#define CONTENT(octets)                                                                            \
    {                                                                                              \
        (const uint8_t *)(octets), sizeof(octets) - 1                                              \
    }

static const struct string_case string_cases[] = {
    {"UTF8", V_ASN1_UTF8STRING, CONTENT("ch\xc3\xa4llenge"), "ch\xc3\xa4llenge", NULL},
    {"Printable", V_ASN1_PRINTABLESTRING, CONTENT("12345"), "12345", NULL},
    {"IA5", V_ASN1_IA5STRING, CONTENT("a@b"), "a@b", NULL},
    {"Numeric", V_ASN1_NUMERICSTRING, CONTENT("0815"), "0815", NULL},
    {"Visible", V_ASN1_VISIBLESTRING, CONTENT("x y"), "x y", NULL},
    {"Teletex as Latin 1", V_ASN1_T61STRING, CONTENT("\xe4"), "\xc3\xa4", NULL},
    {"BMP", V_ASN1_BMPSTRING, CONTENT("\0a\0\xe4\x20\xac"), "a\xc3\xa4\xe2\x82\xac", NULL},
    {"Universal", V_ASN1_UNIVERSALSTRING, CONTENT("\0\0\0a\0\1\xf6\0"), "a\xf0\x9f\x98\x80", NULL},
    {"OCTET STRING", V_ASN1_OCTET_STRING, CONTENT("octets"), "octets", NULL},
    {"empty UTF8", V_ASN1_UTF8STRING, CONTENT(""), "", NULL},
    {"empty BMP", V_ASN1_BMPSTRING, CONTENT(""), "", NULL},
    {"NUL in UTF8", V_ASN1_UTF8STRING, CONTENT("SEP\0evil"), NULL, "a NUL"},
    {"NUL at the end", V_ASN1_PRINTABLESTRING, CONTENT("SEP\0"), NULL, "a NUL"},
    {"NUL in BMP", V_ASN1_BMPSTRING, CONTENT("\0a\0\0"), NULL, "a NUL"},
    {"NUL in Teletex", V_ASN1_T61STRING, CONTENT("a\0"), NULL, "a NUL"},
    {"odd BMP", V_ASN1_BMPSTRING, CONTENT("\0a\0"), NULL, "not valid for its type"},
    {"short Universal", V_ASN1_UNIVERSALSTRING, CONTENT("\0\0a"), NULL, "not valid for its type"},
    {"cut UTF-8", V_ASN1_UTF8STRING, CONTENT("a\xc3"), NULL, "not valid for its type"},
    {"overlong UTF-8", V_ASN1_UTF8STRING, CONTENT("\xc0\xaf"), NULL, "not valid for its type"},
    {"continuation alone", V_ASN1_UTF8STRING, CONTENT("\x80"), NULL, "not valid for its type"},
    {"surrogate in UTF-8", V_ASN1_UTF8STRING, CONTENT("\xed\xa0\x80"), NULL,
     "not valid for its type"},
    {"0xff", V_ASN1_UTF8STRING, CONTENT("\xff\xfe"), NULL, "not valid for its type"},
    {"binary OCTET STRING", V_ASN1_OCTET_STRING, CONTENT("\x80\x81"), NULL, "invalid UTF-8"},
    {"surrogate in BMP", V_ASN1_BMPSTRING, CONTENT("\xd8\x00"), NULL, "not valid for its type"},
    {"INTEGER", V_ASN1_INTEGER, CONTENT("\x05"), NULL, "ASN.1 type 2 where"},
    {"BIT STRING", V_ASN1_BIT_STRING, CONTENT("\x05"), NULL, "ASN.1 type 3 where"},
    {"UTCTime", V_ASN1_UTCTIME, CONTENT("270115080000Z"), NULL, "ASN.1 type 23 where"},
};

static void check_string(const struct string_case *c)
{
    struct err err = {0};
    struct buf text = {0};
    ASN1_STRING *string = ASN1_STRING_type_new(c->type);
    assert_int_equal(ASN1_STRING_set(string, c->content.data, (int)c->content.len), 1);
    enum err_code code = ossl_string_to_utf8(string, &text, &err);
    if (c->text != NULL) {
        assert_int_equal(code, ERR_OK);
        assert_true(view_is_text(buf_view(&text), c->text));
    } else {
        assert_int_equal(code, ERR_SYNTAX);
        assert_non_null(strstr(err.text, c->why));
        assert_null(text.data);
    }
    buf_done(&text);
    ASN1_STRING_free(string);
}

static void reads_strings_as_utf8(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof string_cases / sizeof string_cases[0]; i++) {
        print_message("  %s\n", string_cases[i].name);
        check_string(&string_cases[i]);
    }
}

static void views_octets_of_strings(void **state)
{
    (void)state;
    ASN1_STRING *string = ASN1_STRING_type_new(V_ASN1_OCTET_STRING);
    ASN1_STRING_set(string, "a\0b", 3);
    assert_true(view_equal(ossl_string_view(string), view_of("a\0b", 3)));
    assert_int_equal(ossl_string_view(NULL).len, 0);
    ASN1_STRING_free(string);
}

static void reads_exactly_one_certificate(void **state)
{
    (void)state;
    struct err err = {0};
    struct buf der = {0};
    struct buf again = {0};
    X509 *read = NULL;
    X509 *cert = kit_cert(kit_key(0), "SEP001122334455", NULL, NULL, false, KIT_NOW, 10);
    assert_int_equal(ossl_cert_to_der(cert, &der, &err), ERR_OK);
    assert_int_equal(ossl_cert_from_der(buf_view(&der), &read, &err), ERR_OK);
    assert_int_equal(ossl_cert_to_der(read, &again, &err), ERR_OK);
    assert_true(view_equal(buf_view(&der), buf_view(&again)));
    X509_free(read);
    read = NULL;
    assert_int_equal(ossl_cert_from_der(view_of(der.data, der.len - 1), &read, &err), ERR_SYNTAX);
    assert_memory_equal(err.text, "not a DER certificate", 21);
    assert_int_equal(ossl_cert_from_der(VIEW_EMPTY, &read, &err), ERR_SYNTAX);
    assert_int_equal(buf_append(&der, view_of("\0", 1), &err), ERR_OK);
    assert_int_equal(ossl_cert_from_der(buf_view(&der), &read, &err), ERR_SYNTAX);
    assert_string_equal(err.text, "octets after the end of a certificate");
    assert_null(read);
    X509_free(cert);
    buf_done(&der);
    buf_done(&again);
}

static void encodes_names_and_keys(void **state)
{
    (void)state;
    struct err err = {0};
    struct buf name = {0};
    struct buf spki = {0};
    X509 *cert = kit_cert(kit_key(0), "A", NULL, NULL, false, KIT_NOW, 10);
    assert_int_equal(ossl_name_to_der(X509_get_subject_name(cert), &name, &err), ERR_OK);
    const uint8_t *at = name.data;
    X509_NAME *name_again = d2i_X509_NAME(NULL, &at, (long)name.len);
    assert_int_equal(X509_NAME_cmp(name_again, X509_get_subject_name(cert)), 0);
    assert_int_equal(ossl_spki_to_der(kit_key(0), &spki, &err), ERR_OK);
    at = spki.data;
    EVP_PKEY *key_again = d2i_PUBKEY(NULL, &at, (long)spki.len);
    assert_int_equal(EVP_PKEY_eq(key_again, kit_key(0)), 1);
    X509_NAME_free(name_again);
    EVP_PKEY_free(key_again);
    X509_free(cert);
    buf_done(&name);
    buf_done(&spki);
}

static void copies_a_memory_bio(void **state)
{
    (void)state;
    struct err err = {0};
    struct buf octets = {0};
    BIO *bio = BIO_new(BIO_s_mem());
    assert_int_equal(ossl_bio_to_buf(bio, &octets, &err), ERR_OK);
    assert_int_equal(octets.len, 0);
    BIO_write(bio, "a\0b", 3);
    assert_int_equal(ossl_bio_to_buf(bio, &octets, &err), ERR_OK);
    assert_true(view_equal(buf_view(&octets), view_of("a\0b", 3)));
    assert_int_equal(BIO_pending(bio), 3);
    buf_done(&octets);
    BIO_free(bio);
}

static void hashes_known_values(void **state)
{
    (void)state;
    char text[2 * SHA256_LEN + 1];
    uint8_t digest[SHA256_LEN];
    const struct view parts[] = {view_of_text("a"), VIEW_EMPTY, view_of_text("bc")};
    ossl_sha256(parts, 3, digest); // FIPS 180-2, B.1
    assert_string_equal(hex_encode(view_of(digest, sizeof digest), text),
                        "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD");
    ossl_hmac_sha256(view_of_text("Jefe"), view_of_text("what do ya want for nothing?"), digest);
    assert_string_equal(hex_encode(view_of(digest, sizeof digest), text), // RFC 4231, 4.3
                        "5BDCC146BF60754E6A042426089575C75A003F089D2739839DEC58B964EC3843");
}

static void makes_requests(void **state)
{
    (void)state;
    struct err err = {0};
    struct buf der = {0};
    X509 *model = kit_cert(kit_key(0), "Name", NULL, NULL, false, KIT_NOW, 1);
    assert_int_equal(ossl_make_request(X509_get_subject_name(model), kit_key(1), &der, &err),
                     ERR_OK);
    const unsigned char *end = der.data;
    X509_REQ *req = d2i_X509_REQ(NULL, &end, (long)der.len);
    assert_non_null(req);
    assert_ptr_equal(end, der.data + der.len);
    assert_int_equal(X509_REQ_verify(req, kit_key(1)), 1);
    assert_int_equal(X509_NAME_cmp(X509_REQ_get_subject_name(req), X509_get_subject_name(model)),
                     0);
    X509_REQ_free(req);
    X509_free(model);
    buf_done(&der);
}

static void random_octets_differ(void **state)
{
    (void)state;
    struct err err = {0};
    uint8_t a[SHA256_LEN] = {0};
    uint8_t b[SHA256_LEN] = {0};
    assert_int_equal(ossl_random(a, sizeof a, &err), ERR_OK);
    assert_int_equal(ossl_random(b, sizeof b, &err), ERR_OK);
    assert_memory_not_equal(a, b, sizeof a);
    assert_int_equal(ossl_random(a, (size_t)INT32_MAX + 1, &err), ERR_CRYPTO);
    assert_memory_equal(err.text, "no random octets", 16);
}

static void reads_times_and_nothing_else(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is_time;
        int64_t seconds;
    } rows[] = {
        {"700101000000Z", true, 0},
        {"20500101000000Z", true, 2524608000},
        {"99991231235959Z", true, 253402300799},
        {"701301000000Z", false, 0},
        {"", false, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ASN1_TIME *time = ASN1_STRING_type_new(strlen(rows[i].text) == 15 ? V_ASN1_GENERALIZEDTIME
                                                                          : V_ASN1_UTCTIME);
        assert_int_equal(ASN1_STRING_set(time, rows[i].text, -1), 1);
        int64_t seconds = -1;
        assert_int_equal(ossl_time_read(time, &seconds), rows[i].is_time);
        assert_int_equal(seconds, rows[i].is_time ? rows[i].seconds : -1);
        ASN1_TIME_free(time);
    }
    int64_t untouched = -1;
    assert_false(ossl_time_read(NULL, &untouched));
    assert_int_equal(untouched, -1);
}

static void knows_issuers_and_copies(void **state)
{
    (void)state;
    EVP_PKEY *key = kit_key(0);
    X509 *root = kit_cert(key, "Root", NULL, NULL, true, KIT_NOW, 1);
    X509 *leaf = kit_cert(key, "Leaf", root, key, false, KIT_NOW, 1);
    assert_true(ossl_is_self_issued(root));
    assert_false(ossl_is_self_issued(leaf));

    STACK_OF(X509) *certs = sk_X509_new_null();
    X509 *const all[] = {leaf, root, leaf};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        assert_int_equal(X509_up_ref(all[i]), 1);
        assert_true(sk_X509_push(certs, all[i]) > 0);
    }
    ossl_drop_copies(certs, leaf);
    assert_int_equal(sk_X509_num(certs), 1);
    assert_ptr_equal(sk_X509_value(certs, 0), root);
    sk_X509_pop_free(certs, X509_free);
    X509_free(leaf);
    X509_free(root);
}

// What does not fit ends in dots, and no character is cut in two.
static void says_that_a_name_is_cut(void **state)
{
    (void)state;
    static const struct {
        const char *common_name;
        const char *printed; // into 12 octets
    } cases[] = {
        {"12345678", "CN=12345678"},
        {"123456789", "CN=12345..."},
        {"1234\xc3\xa4"
         "678",
         "CN=1234..."},
        {"123\xc3\xa4"
         "5678",
         "CN=123\xc3\xa4..."},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[12];
        X509_NAME *name = X509_NAME_new();
        assert_int_equal(X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
                                                    (const uint8_t *)cases[i].common_name, -1, -1,
                                                    0),
                         1);
        assert_string_equal(ossl_name_print(name, text, sizeof text), cases[i].printed);
        X509_NAME_free(name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_strings_as_utf8),
        cmocka_unit_test(views_octets_of_strings),
        cmocka_unit_test(reads_exactly_one_certificate),
        cmocka_unit_test(encodes_names_and_keys),
        cmocka_unit_test(says_that_a_name_is_cut),
        cmocka_unit_test(copies_a_memory_bio),
        cmocka_unit_test(hashes_known_values),
        cmocka_unit_test(makes_requests),
        cmocka_unit_test(random_octets_differ),
        cmocka_unit_test(reads_times_and_nothing_else),
        cmocka_unit_test(knows_issuers_and_copies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
