// SPDX-License-Identifier: Apache-2.0
// Names: what is kept as asked, what is converted, what is refused.
#include "ca/subject.h"
#include "fixture.h"

struct part {
    int nid;
    int type;
    const char *octets;
    int len; // -1 = a C string
    int set; // 0 = new RDN, -1 = in the previous one
};

static X509_NAME *name_of(const struct part *parts, size_t count)
{
    X509_NAME *name = X509_NAME_new();
    for (size_t i = 0; i < count; i++) {
        int len = parts[i].len >= 0 ? parts[i].len : (int)strlen(parts[i].octets);
        X509_NAME_ENTRY *entry = X509_NAME_ENTRY_create_by_NID(
            NULL, parts[i].nid, parts[i].type, (const unsigned char *)parts[i].octets, len);
        assert_non_null(entry);
        assert_int_equal(X509_NAME_add_entry(name, entry, -1, parts[i].set), 1);
        X509_NAME_ENTRY_free(entry);
    }
    return name;
}

static X509_NAME *issuer_name(void)
{
    const struct part part = {NID_commonName, V_ASN1_UTF8STRING, CA_COMMON_NAME, -1, 0};
    return name_of(&part, 1);
}

static enum err_code build(X509_NAME *take_asked, const char *common_name, X509_NAME **ret_subject,
                           struct err *err)
{
    X509_NAME *issuer = issuer_name();
    enum err_code code =
        subject_build(take_asked, view_of_text(common_name), issuer, ret_subject, err);
    X509_NAME_free(issuer);
    X509_NAME_free(take_asked);
    return code;
}

static void keeps_order_types_and_odd_attributes(void **state)
{
    (void)state;
    static const struct part parts[] = {
        {NID_pkcs9_unstructuredName, V_ASN1_IA5STRING, "router.example", -1, 0},
        {NID_commonName, V_ASN1_PRINTABLESTRING, "CP-8841-SEP001A2B3C4D5E", -1, 0},
        {NID_serialNumber, V_ASN1_PRINTABLESTRING, "PID:CP-8841 SN:FCH1", -1, -1},
        {NID_organizationName, V_ASN1_UTF8STRING, "K\xc3\xb6ln", -1, 0},
        {NID_organizationalUnitName, V_ASN1_UTF8STRING, "one", -1, 0},
        {NID_organizationalUnitName, V_ASN1_NUMERICSTRING, "123 45", -1, 0},
        {NID_countryName, V_ASN1_PRINTABLESTRING, "DE", -1, 0},
        {NID_userId, V_ASN1_UTF8STRING, "uid", -1, 0},
    };
    X509_NAME *asked = name_of(parts, sizeof parts / sizeof parts[0]);
    struct buf before = {0};
    struct buf after = {0};
    assert_int_equal(ossl_name_to_der(asked, &before, NULL), ERR_OK);
    X509_NAME *subject = NULL;
    struct err err = {0};
    assert_ok(build(asked, "", &subject, &err), &err);
    assert_int_equal(ossl_name_to_der(subject, &after, NULL), ERR_OK);
    assert_true(view_equal(buf_view(&before), buf_view(&after)));
    buf_done(&before);
    buf_done(&after);
    X509_NAME_free(subject);
}

static void converts_to_utf8(void **state)
{
    (void)state;
    static const struct {
        struct part asked;
        int type;
        const char *text;
    } cases[] = {
        {{NID_commonName, V_ASN1_T61STRING, "K\xf6ln", -1, 0}, V_ASN1_UTF8STRING, "K\xc3\xb6ln"},
        {{NID_commonName, V_ASN1_BMPSTRING, "\0K\0\xf6", 4, 0}, V_ASN1_UTF8STRING, "K\xc3\xb6"},
        {{NID_commonName, V_ASN1_UNIVERSALSTRING, "\0\0\0K", 4, 0}, V_ASN1_UTF8STRING, "K"},
        // Common in the field: octets outside PrintableString's alphabet.
        {{NID_commonName, V_ASN1_PRINTABLESTRING, "a_b@c", -1, 0}, V_ASN1_UTF8STRING, "a_b@c"},
        {{NID_commonName, V_ASN1_NUMERICSTRING, "12a", -1, 0}, V_ASN1_UTF8STRING, "12a"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        X509_NAME *subject = NULL;
        struct err err = {0};
        assert_ok(build(name_of(&cases[i].asked, 1), "", &subject, &err), &err);
        const ASN1_STRING *value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, 0));
        assert_int_equal(ASN1_STRING_type(value), cases[i].type);
        assert_true(view_is_text(ossl_string_view(value), cases[i].text));
        X509_NAME_free(subject);
    }
}

#define CHARS_64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define CHARS_255                                                                                  \
    CHARS_64 CHARS_64 CHARS_64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde"

#define UMLAUTS_8  "\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6"
#define UMLAUTS_32 UMLAUTS_8 UMLAUTS_8 UMLAUTS_8 UMLAUTS_8

static void refuses(void **state)
{
    (void)state;
    static const struct {
        struct part asked;
        const char *text;
    } bad[] = {
        {{NID_commonName, V_ASN1_UTF8STRING, "a\0b", 3, 0}, "NUL"},
        {{NID_commonName, V_ASN1_PRINTABLESTRING, "a\0", 2, 0}, "NUL"},
        {{NID_commonName, V_ASN1_BMPSTRING, "\0a\0\0", 4, 0}, "NUL"},
        {{NID_commonName, V_ASN1_BMPSTRING, "\xd8\0\0a", 4, 0}, "not a valid text"},
        {{NID_commonName, V_ASN1_UTF8STRING, "\xc3", 1, 0}, "not a valid text"},
        {{NID_commonName, V_ASN1_UTF8STRING, "\xc0\x80", 2, 0}, "not a valid text"},
        {{NID_commonName, V_ASN1_UTF8STRING, "\xed\xa0\x80", 3, 0}, "not a valid text"},
        {{NID_commonName, V_ASN1_PRINTABLESTRING, "K\xf6ln", -1, 0}, "does not allow"},
        {{NID_commonName, V_ASN1_IA5STRING, "K\xf6ln", -1, 0}, "does not allow"},
        {{NID_commonName, V_ASN1_BIT_STRING, "abc", -1, 0}, "not a valid text"},
        {{NID_commonName, V_ASN1_UTF8STRING, "a\nb", -1, 0}, "control character U+000A"},
        {{NID_commonName, V_ASN1_UTF8STRING, "a\x7f", -1, 0}, "control character U+007F"},
        {{NID_commonName, V_ASN1_UTF8STRING, "a\xc2\x85", -1, 0}, "control character U+0085"},
        {{NID_commonName, V_ASN1_UTF8STRING, "", -1, 0}, "0 characters"},
        {{NID_commonName, V_ASN1_UTF8STRING, "$MA", -1, 0}, "commonName holds a literal $"},
        {{NID_commonName, V_ASN1_UTF8STRING, CHARS_64 "x", -1, 0}, "65 characters"},
        {{NID_organizationName, V_ASN1_UTF8STRING, "a$(MA)", -1, 0}, "literal $"},
        {{NID_organizationName, V_ASN1_UTF8STRING, CHARS_64 "x", -1, 0}, "65 characters"},
        {{NID_serialNumber, V_ASN1_PRINTABLESTRING, CHARS_64 "x", -1, 0}, "65 characters"},
        {{NID_countryName, V_ASN1_PRINTABLESTRING, "DEU", -1, 0}, "3 characters"},
        {{NID_userId, V_ASN1_UTF8STRING, CHARS_255 "x", -1, 0}, "256 characters"},
        {{NID_userId, V_ASN1_UTF8STRING, CHARS_64 CHARS_64 CHARS_64 UMLAUTS_32, -1, 0},
         "256 octets"},
        {{NID_commonName, V_ASN1_PRINTABLESTRING, CA_COMMON_NAME, -1, 0}, "CA's own name"},
        {{NID_commonName, V_ASN1_UTF8STRING, "test  ca", -1, 0}, "CA's own name"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        X509_NAME *subject = NULL;
        struct err err = {0};
        enum err_code code = build(name_of(&bad[i].asked, 1), "", &subject, &err);
        assert_null(subject);
        assert_refused(code, ERR_BAD_REQUEST, &err, bad[i].text);
    }
}

// Upper bounds count characters, not octets.
static void counts_characters(void **state)
{
    (void)state;
    const struct part part = {NID_commonName, V_ASN1_UTF8STRING, UMLAUTS_32 UMLAUTS_32, -1, 0};
    X509_NAME *subject = NULL;
    struct err err = {0};
    assert_ok(build(name_of(&part, 1), "", &subject, &err), &err);
    X509_NAME_free(subject);
}

static void too_many_attributes(void **state)
{
    (void)state;
    struct part parts[LIMIT_SUBJECT_RDNS + 1];
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        parts[i] = (struct part){NID_organizationalUnitName, V_ASN1_UTF8STRING, "unit", -1, 0};
    }
    X509_NAME *subject = NULL;
    struct err err = {0};
    assert_refused(build(name_of(parts, LIMIT_SUBJECT_RDNS + 1), "", &subject, &err),
                   ERR_BAD_REQUEST, &err, "33 attributes");
    assert_ok(build(name_of(parts, LIMIT_SUBJECT_RDNS), "", &subject, &err), &err);
    X509_NAME_free(subject);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        parts[i] = (struct part){NID_userId, V_ASN1_UTF8STRING, CHARS_255, -1, 0};
    }
    subject = NULL;
    assert_refused(build(name_of(parts, 8), "", &subject, &err), ERR_BAD_REQUEST, &err,
                   "a subject of");
}

static void empty_subject(void **state)
{
    (void)state;
    X509_NAME *subject = NULL;
    struct err err = {0};
    assert_ok(build(X509_NAME_new(), "SEP001A2B3C4D5E", &subject, &err), &err);
    assert_int_equal(X509_NAME_entry_count(subject), 1);
    const ASN1_STRING *value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, 0));
    assert_true(view_is_text(ossl_string_view(value), "SEP001A2B3C4D5E"));
    X509_NAME_free(subject);
    subject = NULL;
    assert_refused(build(X509_NAME_new(), "", &subject, &err), ERR_BAD_REQUEST, &err,
                   "subject is empty");
    assert_refused(build(X509_NAME_new(), "$MAC", &subject, &err), ERR_BAD_REQUEST, &err,
                   "literal $");
    assert_refused(build(X509_NAME_new(), CHARS_64 "x", &subject, &err), ERR_BAD_REQUEST, &err,
                   "65 characters");
    assert_refused(build(X509_NAME_new(), "\xff", &subject, &err), ERR_BAD_REQUEST, &err,
                   "not valid UTF-8");
}

// The order's name is for a subject without CN; a phone's own one stays what it is.
static void name_of_the_order(void **state)
{
    (void)state;
    static const struct part org = {NID_organizationName, V_ASN1_UTF8STRING, "Org", -1, 0};
    static const struct part named[] = {
        {NID_organizationName, V_ASN1_UTF8STRING, "Org", -1, 0},
        {NID_commonName, V_ASN1_PRINTABLESTRING, "own", -1, -1}, // in the same RDN
    };
    static const struct {
        const struct part *parts;
        size_t count;
        const char *common_name;
        const char *subject;
    } cases[] = {
        {NULL, 0, "SEP001A2B3C4D5E", "/CN=SEP001A2B3C4D5E"},
        {&org, 1, "", "/O=Org"},
        {&org, 1, "SEP001A2B3C4D5E", "/O=Org/CN=SEP001A2B3C4D5E"},
        {named, 2, "SEP001A2B3C4D5E", "/O=Org+CN=own"},
        {named, 2, "$MA", "/O=Org+CN=own"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        X509_NAME *subject = NULL;
        struct err err = {0};
        assert_ok(
            build(name_of(cases[i].parts, cases[i].count), cases[i].common_name, &subject, &err),
            &err);
        char *text = X509_NAME_oneline(subject, NULL, 0);
        assert_string_equal(text, cases[i].subject);
        OPENSSL_free(text);
        X509_NAME_free(subject);
    }
    struct part many[LIMIT_SUBJECT_RDNS];
    for (size_t i = 0; i < LIMIT_SUBJECT_RDNS; i++) {
        many[i] = (struct part){NID_organizationalUnitName, V_ASN1_UTF8STRING, "unit", -1, 0};
    }
    X509_NAME *subject = NULL;
    struct err err = {0};
    assert_refused(build(name_of(many, LIMIT_SUBJECT_RDNS), "SEP1", &subject, &err),
                   ERR_BAD_REQUEST, &err, "33 attributes");
    assert_refused(build(name_of(&org, 1), "$MA", &subject, &err), ERR_BAD_REQUEST, &err,
                   "literal $");
    assert_refused(build(name_of(&org, 1), CHARS_64 "x", &subject, &err), ERR_BAD_REQUEST, &err,
                   "65 characters");
    assert_null(subject);
}

static void alt_names(void **state)
{
    (void)state;
    const struct san sans[] = {
        {SAN_DNS, view_of_text("sep_1.example")},
        {SAN_EMAIL, view_of_text("phone@example.com")},
        {SAN_UPN, view_of_text("K\xc3\xb6ln@example")},
    };
    GENERAL_NAMES *names = NULL;
    struct err err = {0};
    assert_ok(subject_alt_names(sans, 3, &names, &err), &err);
    assert_int_equal(sk_GENERAL_NAME_num(names), 3);
    assert_int_equal(sk_GENERAL_NAME_value(names, 0)->type, GEN_DNS);
    assert_int_equal(sk_GENERAL_NAME_value(names, 1)->type, GEN_EMAIL);
    const GENERAL_NAME *upn = sk_GENERAL_NAME_value(names, 2);
    assert_int_equal(upn->type, GEN_OTHERNAME);
    assert_int_equal(OBJ_obj2nid(upn->d.otherName->type_id), NID_ms_upn);
    assert_int_equal(upn->d.otherName->value->type, V_ASN1_UTF8STRING);
    assert_true(view_is_text(ossl_string_view(upn->d.otherName->value->value.utf8string),
                             "K\xc3\xb6ln@example"));
    GENERAL_NAMES_free(names);
    names = NULL;
    assert_ok(subject_alt_names(sans, 0, &names, &err), &err);
    assert_null(names);
}

static void refuses_alt_names(void **state)
{
    (void)state;
    static const struct {
        enum san_kind kind;
        const char *octets;
        size_t len;
        const char *text;
    } bad[] = {
        {SAN_DNS, "", 0, "0 characters"},
        {SAN_DNS, "a..b", 4, "not a domain name"},
        {SAN_DNS, ".a", 2, "not a domain name"},
        {SAN_DNS, "a.", 2, "not a domain name"},
        {SAN_DNS, "a b", 3, "not a domain name"},
        {SAN_DNS, "*.example", 9, "not a domain name"},
        {SAN_DNS, "k\xc3\xb6ln", 5, "not a domain name"},
        {SAN_DNS, CHARS_64, 64, "not a domain name"},
        {SAN_DNS, "$MA.example", 11, "literal $"},
        {SAN_DNS, "a\0b", 3, "control character U+0000"},
        {SAN_EMAIL, "phone", 5, "not a mail address"},
        {SAN_EMAIL, "@example", 8, "not a mail address"},
        {SAN_EMAIL, "phone@", 6, "not a mail address"},
        {SAN_EMAIL, "a@b@c", 5, "not a mail address"},
        {SAN_EMAIL, "a b@c", 5, "not a mail address"},
        {SAN_EMAIL, "k\xc3\xb6@c", 5, "not a mail address"},
        {SAN_UPN, "\xff", 1, "not valid UTF-8"},
        {SAN_UPN, CHARS_255 "x", 256, "256 characters"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const struct san san = {bad[i].kind, view_of(bad[i].octets, bad[i].len)};
        GENERAL_NAMES *names = NULL;
        struct err err = {0};
        assert_refused(subject_alt_names(&san, 1, &names, &err), ERR_BAD_REQUEST, &err,
                       bad[i].text);
        assert_null(names);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_order_types_and_odd_attributes),
        cmocka_unit_test(converts_to_utf8),
        cmocka_unit_test(refuses),
        cmocka_unit_test(counts_characters),
        cmocka_unit_test(too_many_attributes),
        cmocka_unit_test(empty_subject),
        cmocka_unit_test(name_of_the_order),
        cmocka_unit_test(alt_names),
        cmocka_unit_test(refuses_alt_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
