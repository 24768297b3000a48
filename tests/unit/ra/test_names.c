// SPDX-License-Identifier: Apache-2.0
// Names in a PKCS#10 and the rules for them: Q1, Q11, quirks 27 and 38.
#include "ra/names.h"

#include <stdio.h>
#include <string.h>

#include "conf/csr_parse.h"
#include "kit/kit.h"

#define RDNS_MAX 4
#define SANS_MAX 4
#define CN       "SEP001A2B3C4D5E"
#define THE_MAC  "001A2B3C4D5E"
#define LONG_64  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

struct rdn {
    const char *field; // "CN"; NULL ends the list
    const char *text;
    int type; // V_ASN1_*; 0 = UTF8String
    int len;  // 0 = strlen(text)
    int set;  // -1 = in the same RDN as the one before
};

struct san_spec {
    int kind; // GEN_*; 0 ends the list
    const char *text;
};

struct content {
    struct rdn rdns[RDNS_MAX];
    struct san_spec sans[SANS_MAX];
    int extension_nid; // NID_ext_req by default
};

static void add_rdn(X509_REQ *req, const struct rdn *rdn)
{
    int type = rdn->type != 0 ? rdn->type : V_ASN1_UTF8STRING;
    int len = rdn->len != 0 ? rdn->len : (int)strlen(rdn->text);
    assert_int_equal(X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(req), rdn->field, type,
                                                (const unsigned char *)rdn->text, len, -1,
                                                rdn->set),
                     1);
}

static GENERAL_NAME *general_name(const struct san_spec *spec)
{
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_STRING *text = ASN1_STRING_type_new(V_ASN1_IA5STRING);
    ASN1_STRING_set(text, spec->text, (int)strlen(spec->text));
    if (spec->kind == GEN_OTHERNAME) {
        ASN1_TYPE *value = ASN1_TYPE_new();
        text->type = V_ASN1_UTF8STRING;
        ASN1_TYPE_set(value, V_ASN1_UTF8STRING, text);
        assert_int_equal(GENERAL_NAME_set0_othername(name, OBJ_nid2obj(NID_ms_upn), value), 1);
    } else if (spec->kind == GEN_IPADD) {
        text->type = V_ASN1_OCTET_STRING;
        GENERAL_NAME_set0_value(name, GEN_IPADD, text);
    } else {
        GENERAL_NAME_set0_value(name, spec->kind, text);
    }
    return name;
}

static X509_EXTENSION *san_extension(const struct san_spec sans[SANS_MAX])
{
    GENERAL_NAMES *names = GENERAL_NAMES_new();
    for (size_t i = 0; i < SANS_MAX && sans[i].text != NULL; i++) {
        sk_GENERAL_NAME_push(names, general_name(&sans[i]));
    }
    X509_EXTENSION *extension = X509V3_EXT_i2d(NID_subject_alt_name, 0, names);
    assert_non_null(extension);
    GENERAL_NAMES_free(names);
    return extension;
}

// Adds `take_extensions` as one attribute.
static void add_extensions(X509_REQ *req, X509_EXTENSIONS *take_extensions, int nid)
{
    assert_int_equal(X509_REQ_add_extensions_nid(req, take_extensions, nid), 1);
    free_extension_stack(take_extensions);
}

static X509_REQ *build(const struct content *content)
{
    X509_REQ *req = X509_REQ_new();
    for (size_t i = 0; i < RDNS_MAX && content->rdns[i].field != NULL; i++) {
        add_rdn(req, &content->rdns[i]);
    }
    if (content->sans[0].text != NULL) {
        X509_EXTENSIONS *extensions = sk_X509_EXTENSION_new_null();
        sk_X509_EXTENSION_push(extensions, san_extension(content->sans));
        add_extensions(req, extensions,
                       content->extension_nid != 0 ? content->extension_nid : NID_ext_req);
    }
    return req;
}

static enum err_code read_request(X509_REQ *req, struct names *ret_names, struct err *err)
{
    STACK_OF(X509_ATTRIBUTE) *attributes = sk_X509_ATTRIBUTE_new_null();
    for (int i = 0; i < X509_REQ_get_attr_count(req); i++) {
        sk_X509_ATTRIBUTE_push(attributes, X509_REQ_get_attr(req, i));
    }
    enum err_code code = names_read(X509_REQ_get_subject_name(req), attributes, ret_names, err);
    sk_X509_ATTRIBUTE_free(attributes);
    return code;
}

static void read_names(const struct content *content, struct names *ret_names)
{
    struct err err = {0};
    X509_REQ *req = build(content);
    if (read_request(req, ret_names, &err) != ERR_OK) {
        fail_msg("%s", err.text);
    }
    X509_REQ_free(req);
}

static void assert_name(const struct names *names, unsigned at, enum name_kind kind,
                        const char *text)
{
    assert_true(at < names->count);
    assert_int_equal(names->list[at].kind, kind);
    assert_string_equal(names->list[at].text, text);
}

// Quirk 38: what IOS sends, with a multi-valued RDN.
static void reads_every_kind(void **state)
{
    (void)state;
    struct names names;
    read_names(&(struct content){.rdns = {{"serialNumber", "FCH1234", V_ASN1_PRINTABLESTRING, 0, 0},
                                          {"unstructuredName", "router.example.com", 0, 0, -1},
                                          {"CN", "CP-9871-" CN, 0, 0, 0},
                                          {"O", "Example", 0, 0, 0}},
                                 .sans = {{GEN_DNS, "a.example.com"},
                                          {GEN_EMAIL, "a@example.com"},
                                          {GEN_OTHERNAME, "upn@example.com"},
                                          {GEN_IPADD, "\x7F\x01\x01\x01"}}},
               &names);
    assert_int_equal(names.count, 8);
    assert_name(&names, 0, NAME_SERIAL_NUMBER, "FCH1234");
    assert_name(&names, 1, NAME_UNSTRUCTURED, "router.example.com");
    assert_name(&names, 2, NAME_COMMON_NAME, "CP-9871-" CN);
    assert_name(&names, 3, NAME_OTHER, "Example");
    assert_name(&names, 4, NAME_SAN_DNS, "a.example.com");
    assert_name(&names, 5, NAME_SAN_EMAIL, "a@example.com");
    assert_name(&names, 6, NAME_SAN_UPN, "upn@example.com");
    assert_name(&names, 7, NAME_SAN_OTHER, "");
    assert_string_equal(names.common_name, "CP-9871-" CN);
    assert_string_equal(names.mac, THE_MAC);
    assert_false(names.is_subject_empty);
    assert_true(names.subject_der.len > 0);
    names_done(&names);
    read_names(&(struct content){.rdns = {{"UID", "u", 0, 0, 0},
                                          {"dnQualifier", "q", V_ASN1_PRINTABLESTRING, 0, 0},
                                          {"emailAddress", "a@b", V_ASN1_IA5STRING, 0, 0}}},
               &names);
    assert_name(&names, 0, NAME_UNSTRUCTURED, "u");
    assert_name(&names, 1, NAME_UNSTRUCTURED, "q");
    assert_name(&names, 2, NAME_EMAIL, "a@b");
    assert_null(names.common_name);
    assert_string_equal(names.mac, "");
    names_done(&names);
    read_names(&(struct content){0}, &names); // Q1
    assert_true(names.is_subject_empty);
    assert_int_equal(names.count, 0);
    names_done(&names);
}

static void common_name_of_every_type(void **state)
{
    (void)state;
    static const struct rdn rdns[] = {
        {"CN", "p\xC3\xA4ss", V_ASN1_UTF8STRING, 0, 0},
        {"CN", "p\xE4ss", V_ASN1_T61STRING, 0, 0},
        {"CN", "\0p\0\xE4\0s\0s", V_ASN1_BMPSTRING, 8, 0},
        {"CN", "\0\0\0p\0\0\0\xE4\0\0\0s\0\0\0s", V_ASN1_UNIVERSALSTRING, 16, 0},
    };
    for (size_t i = 0; i < sizeof rdns / sizeof rdns[0]; i++) {
        struct names names;
        read_names(&(struct content){.rdns = {rdns[i]}}, &names);
        assert_string_equal(names.common_name, "p\xC3\xA4ss");
        names_done(&names);
    }
}

// Quirk 27: under Microsoft's OID too.
static void alt_names_under_microsofts_oid(void **state)
{
    (void)state;
    struct names names;
    read_names(&(struct content){.rdns = {{"CN", CN, 0, 0, 0}},
                                 .sans = {{GEN_DNS, CN}},
                                 .extension_nid = NID_ms_ext_req},
               &names);
    assert_name(&names, 1, NAME_SAN_DNS, CN);
    names_done(&names);
}

static void assert_unreadable(X509_REQ *take_req, const char *text)
{
    struct err err = {0};
    struct names names;
    enum err_code code = read_request(take_req, &names, &err);
    if (code != ERR_BAD_REQUEST || err.code != ERR_BAD_REQUEST || strstr(err.text, text) == NULL) {
        fail_msg("%s: %s (expected \"%s\")", err_name(code), err.text, text);
    }
    assert_int_equal(names.count, 0);
    assert_null(names.subject_der.data);
    names_done(&names);
    X509_REQ_free(take_req);
}

static void malformed_subjects(void **state)
{
    (void)state;
    char long_text[LIMIT_NAME_VALUE + 2];
    memset(long_text, 'x', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = '\0';
    struct {
        struct rdn rdn;
        const char *text;
    } tests[] = {
        {{"CN", "a\0b", V_ASN1_UTF8STRING, 3, 0}, "NUL"},
        {{"CN", "a\0b", V_ASN1_PRINTABLESTRING, 3, 0}, "NUL"},
        {{"CN", "a\xC3", V_ASN1_UTF8STRING, 2, 0}, "utf8string"},
        {{"O", "a\xC3", V_ASN1_UTF8STRING, 2, 0}, "utf8string"},
        {{"CN", "\xD8\0", V_ASN1_BMPSTRING, 2, 0}, "string"},
        {{"CN", "a", V_ASN1_BIT_STRING, 1, 0}, "ASN.1 type"},
        {{"CN", long_text, 0, 0, 0}, "256 octets"},
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        assert_unreadable(build(&(struct content){.rdns = {tests[i].rdn}}), tests[i].text);
    }
    X509_REQ *req = X509_REQ_new();
    for (int i = 0; i < LIMIT_SUBJECT_RDNS + 1; i++) {
        add_rdn(req, &(struct rdn){"OU", "unit", 0, 0, 0});
    }
    assert_unreadable(req, "33 attributes");
    req = X509_REQ_new();
    for (int i = 0; i < 10; i++) {
        add_rdn(req, &(struct rdn){"OU", long_text + 1, 0, 0, 0});
    }
    assert_unreadable(req, "a subject of");
}

static X509_EXTENSION *raw_extension(int nid, const void *octets, int len)
{
    ASN1_OCTET_STRING *data = ASN1_OCTET_STRING_new();
    ASN1_OCTET_STRING_set(data, octets, len);
    X509_EXTENSION *extension = X509_EXTENSION_create_by_NID(NULL, nid, 0, data);
    ASN1_OCTET_STRING_free(data);
    return extension;
}

static X509_EXTENSIONS *stack_of(X509_EXTENSION *first, X509_EXTENSION *second)
{
    X509_EXTENSIONS *extensions = sk_X509_EXTENSION_new_null();
    sk_X509_EXTENSION_push(extensions, first);
    if (second != NULL) {
        sk_X509_EXTENSION_push(extensions, second);
    }
    return extensions;
}

static void duplicated_extensions(void **state)
{
    (void)state;
    static const struct san_spec sans[SANS_MAX] = {{GEN_DNS, "a"}};
    X509_REQ *req = X509_REQ_new();
    add_extensions(req, stack_of(san_extension(sans), san_extension(sans)), NID_ext_req);
    assert_unreadable(req, "twice");
    // One under each OID.
    req = X509_REQ_new();
    add_extensions(req, stack_of(san_extension(sans), NULL), NID_ext_req);
    add_extensions(req, stack_of(san_extension(sans), NULL), NID_ms_ext_req);
    assert_unreadable(req, "twice");
    // Two of another kind: still nobody can tell which one counts.
    req = X509_REQ_new();
    add_extensions(req, stack_of(raw_extension(NID_key_usage, "\x03\x02\x05\xA0", 4), NULL),
                   NID_ext_req);
    add_extensions(req, stack_of(raw_extension(NID_key_usage, "\x03\x02\x05\xA0", 4), NULL),
                   NID_ms_ext_req);
    assert_unreadable(req, "twice");
    // Different ones under the two OIDs are fine.
    req = X509_REQ_new();
    struct names names;
    struct err err = {0};
    add_extensions(req, stack_of(san_extension(sans), NULL), NID_ms_ext_req);
    add_extensions(req, stack_of(raw_extension(NID_key_usage, "\x03\x02\x05\xA0", 4), NULL),
                   NID_ext_req);
    assert_int_equal(read_request(req, &names, &err), ERR_OK);
    assert_name(&names, 0, NAME_SAN_DNS, "a");
    names_done(&names);
    X509_REQ_free(req);
}

static void malformed_extensions(void **state)
{
    (void)state;
    static const struct {
        const char *octets;
        int len;
        const char *text;
    } tests[] = {
        {"\x30\x00", 2, "0 subjectAltNames"},
        {"\x30\x03\x82\x01", 4, "malformed"},
        {"\x30\x03\x82\x01\x61\x00", 6, "malformed"},
        {"", 0, "malformed"},
        {"\x30\x03\x82\x01\x00", 5, "ASCII"},
        {"\x30\x04\x82\x02\x61\xFF", 6, "ASCII"},
        {"\x30\x04\x81\x02\x61\xFF", 6, "ASCII"},
        // otherName UPN that holds an IA5String, and one with invalid UTF-8.
        {"\x30\x13\xA0\x11\x06\x0A\x2B\x06\x01\x04\x01\x82\x37\x14\x02\x03\xA0\x03\x16\x01\x61", 21,
         "UTF8String"},
        {"\x30\x13\xA0\x11\x06\x0A\x2B\x06\x01\x04\x01\x82\x37\x14\x02\x03\xA0\x03\x0C\x01\xFF", 21,
         "utf8string"},
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        X509_REQ *req = X509_REQ_new();
        add_extensions(
            req, stack_of(raw_extension(NID_subject_alt_name, tests[i].octets, tests[i].len), NULL),
            NID_ext_req);
        assert_unreadable(req, tests[i].text);
    }
    X509_REQ *req = X509_REQ_new(); // a string where the sequence belongs
    assert_int_equal(X509_REQ_add1_attr_by_NID(req, NID_ext_req, V_ASN1_UTF8STRING,
                                               (const unsigned char *)"x", 1),
                     1);
    assert_unreadable(req, "without exactly one list");
    req = X509_REQ_new();
    assert_int_equal(X509_REQ_add1_attr_by_NID(req, NID_ext_req, V_ASN1_SEQUENCE,
                                               (const unsigned char *)"\x30\x02\x05\x00", 4),
                     1);
    assert_unreadable(req, "malformed extensionRequest");
}

static void too_many_alt_names(void **state)
{
    (void)state;
    GENERAL_NAMES *names = GENERAL_NAMES_new();
    for (int i = 0; i < LIMIT_SUBJECT_ALT_NAMES + 1; i++) {
        sk_GENERAL_NAME_push(names, general_name(&(struct san_spec){GEN_DNS, "a.example.com"}));
    }
    X509_REQ *req = X509_REQ_new();
    add_extensions(req, stack_of(X509V3_EXT_i2d(NID_subject_alt_name, 0, names), NULL),
                   NID_ext_req);
    GENERAL_NAMES_free(names);
    assert_unreadable(req, "33 subjectAltNames");
}

static void rules_for_everybody(void **state)
{
    (void)state;
    static const struct {
        struct content content;
        enum err_code code;
        const char *text;
    } tests[] = {
        {{.rdns = {{"CN", CN, 0, 0, 0}}}, ERR_OK, NULL},
        {{.rdns = {{"CN", LONG_64, 0, 0, 0}}}, ERR_OK, NULL},
        {{.rdns = {{"CN", "a" LONG_64, 0, 0, 0}}}, ERR_BAD_REQUEST, "65 characters"},
        // 64 characters are more octets.
        {{.rdns = {{"CN", "\xC3\xA4\xC3\xA4", 0, 0, 0}}}, ERR_OK, NULL},
        {{.rdns = {{"CN", "CP-$PN", 0, 0, 0}}}, ERR_BAD_REQUEST, "macro"},
        {{.rdns = {{"CN", "a", 0, 0, 0}, {"O", "$ORG", 0, 0, 0}}}, ERR_BAD_REQUEST, "macro"},
        {{.rdns = {{"CN", "a", 0, 0, 0}}, .sans = {{GEN_DNS, "$MA.example.com"}}},
         ERR_BAD_REQUEST,
         "macro"},
        {{.rdns = {{"CN", "a\nb", 0, 0, 0}}}, ERR_BAD_REQUEST, "control"},
        {{.rdns = {{"CN", "a\x7F", 0, 0, 0}}}, ERR_BAD_REQUEST, "control"},
        {{.rdns = {{"CN", "a\xC2\x85", 0, 0, 0}}}, ERR_BAD_REQUEST, "control"},
        {{.rdns = {{"CN", "a\xC2\xA0", 0, 0, 0}}}, ERR_OK, NULL},
        {{.rdns = {{"CN", "a", 0, 0, 0}, {"OU", "x\x1B[31m", 0, 0, 0}}},
         ERR_BAD_REQUEST,
         "control"},
        {{.extension_nid = 0}, ERR_OK, NULL}, // Q1: the challenge's record may name it
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        struct names names;
        struct err err = {0};
        read_names(&tests[i].content, &names);
        enum err_code code = names_check(&names, &err);
        if (code != tests[i].code ||
            (tests[i].text != NULL && strstr(err.text, tests[i].text) == NULL)) {
            fail_msg("%zu: %s %s", i, err_name(code), err.text);
        }
        names_done(&names);
    }
}

static void finds_macs(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *mac; // NULL = none
    } tests[] = {
        {"001A2B3C4D5E", THE_MAC},
        {"001a2b3c4d5e", THE_MAC},
        {"SEP001A2B3C4D5E", THE_MAC},
        {"sep001a2b3c4d5e", THE_MAC},
        {"CP-9871-SEP001A2B3C4D5E", THE_MAC},
        {"SEP001A2B3C4D5E.example.com", THE_MAC},
        {"00:1A:2B:3C:4D:5E", THE_MAC},
        {"00-1a-2b-3c-4d-5e", THE_MAC},
        {"00.1a.2b.3c.4d.5e", THE_MAC},
        {"phone 00:1A:2B:3C:4D:5E (lobby)", THE_MAC},
        {"C9300-48UXM-001A2B3C4D5E", THE_MAC},
        {"SEP00:1A:2B:3C:4D:5E", THE_MAC},
        {"", NULL},
        {"SEP", NULL},
        {"001A2B3C4D5", NULL},
        {"001A2B3C4D5E6", NULL},
        {"x001A2B3C4D5E", NULL},
        {"001A2B3C4D5Ex", NULL},
        {"00:1A:2B:3C:4D-5E", NULL},
        {"00:1A:2B:3C:4D", NULL},
        {"00:1A2B:3C:4D:5E", NULL},
        {"00::1A:2B:3C:4D:5E", NULL},
        {"001A2B3C4DG1", NULL},
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        char mac[MAC_TEXT_LEN] = "untouched";
        bool is_found = names_find_mac(view_of_text(tests[i].text), mac);
        if (is_found != (tests[i].mac != NULL) ||
            strcmp(mac, is_found ? tests[i].mac : "untouched") != 0) {
            fail_msg("%s: %s", tests[i].text, mac);
        }
    }
    assert_false(names_find_mac(VIEW_EMPTY, (char[MAC_TEXT_LEN]){0}));
    // Octets behind the view do not count.
    assert_true(names_find_mac(view_of("001A2B3C4D5E6F", 12), (char[MAC_TEXT_LEN]){0}));
}

struct binding_case {
    struct content content;
    bool belongs;
};

static void check_bindings(const struct binding_case *tests, size_t count,
                           bool (*belong)(const struct names *names, const char *owner),
                           const char *owner)
{
    for (size_t i = 0; i < count; i++) {
        struct names names;
        read_names(&tests[i].content, &names);
        if (belong(&names, owner) != tests[i].belongs) {
            fail_msg("%s: %zu", owner, i);
        }
        if (names.count > 0) {
            assert_false(belong(&names, ""));
        }
        names_done(&names);
    }
}
#define CHECK_BINDINGS(tests, belong, owner)                                                       \
    check_bindings(tests, sizeof(tests) / sizeof(tests)[0], belong, owner)

// Q11: a bound challenge covers every name.
static void binding_to_a_common_name_q11(void **state)
{
    (void)state;
    static const struct binding_case tests[] = {
        {{.rdns = {{"CN", CN, 0, 0, 0}}}, true},
        {{.rdns = {{"CN", "sep001a2b3c4d5e", 0, 0, 0}}}, true},
        {{.rdns = {{"CN", CN ".example.com", 0, 0, 0}}}, true},
        {{.rdns = {{"CN", CN "@example.com", 0, 0, 0}}}, true},
        {{.rdns = {{"CN", CN, 0, 0, 0}, {"O", "Example", 0, 0, 0}, {"C", "DE", 0, 0, 0}}}, true},
        {{.rdns = {{"CN", CN, 0, 0, 0}},
          .sans = {{GEN_DNS, CN ".example.com"}, {GEN_EMAIL, CN "@example.com"}}},
         true},
        {{.rdns = {{"CN", CN "X", 0, 0, 0}}}, false},
        {{.rdns = {{"CN", "SEP001A2B3C4D5", 0, 0, 0}}}, false},
        {{.rdns = {{"CN", CN ".", 0, 0, 0}}}, false},
        {{.rdns = {{"CN", CN "@", 0, 0, 0}}}, false},
        {{.rdns = {{"CN", CN ".alice@example.com", 0, 0, 0}}}, false},
        {{.rdns = {{"CN", CN "@a@b", 0, 0, 0}}}, false},
        {{.rdns = {{"CN", "alice@" CN, 0, 0, 0}}}, false},
        {{.rdns = {{"CN", CN, 0, 0, 0}, {"CN", "admin", 0, 0, 0}}}, false},
        {{.rdns = {{"CN", CN, 0, 0, 0}, {"serialNumber", "FCH1", 0, 0, 0}}}, false},
        {{.rdns = {{"CN", CN, 0, 0, 0}, {"emailAddress", "ceo@example.com", 0, 0, 0}}}, false},
        {{.rdns = {{"CN", CN, 0, 0, 0}}, .sans = {{GEN_DNS, "www.example.com"}}}, false},
        {{.rdns = {{"CN", CN, 0, 0, 0}}, .sans = {{GEN_OTHERNAME, "admin@example.com"}}}, false},
        {{.rdns = {{"CN", CN, 0, 0, 0}}, .sans = {{GEN_IPADD, "\x7F\x01\x01\x01"}}}, false},
        {{.rdns = {{"CN", CN, 0, 0, 0}}, .sans = {{GEN_URI, "http://" CN}}}, false},
        {{.extension_nid = 0}, true}, // the CN will be the challenge's
    };
    CHECK_BINDINGS(tests, names_belong_to_common_name, CN);
}

static void binding_to_a_mac_q11(void **state)
{
    (void)state;
    static const struct binding_case tests[] = {
        {{.rdns = {{"CN", CN, 0, 0, 0}}}, true},
        {{.rdns = {{"CN", "CP-9871-" CN, 0, 0, 0}}}, true},
        {{.rdns = {{"CN", "00:1a:2b:3c:4d:5e", 0, 0, 0}}}, true},
        {{.rdns = {{"CN", CN, 0, 0, 0}, {"serialNumber", "PID:CP-9871 SN:FCH1", 0, 0, 0}}}, true},
        {{.rdns = {{"CN", CN, 0, 0, 0}}, .sans = {{GEN_DNS, CN ".example.com"}}}, true},
        {{.extension_nid = 0}, false},
        {{.rdns = {{"O", CN, 0, 0, 0}}}, false},
        {{.rdns = {{"CN", "SEPAABBCCDDEEFF", 0, 0, 0}}}, false},
        {{.rdns = {{"CN", "phone", 0, 0, 0}}}, false},
        {{.rdns = {{"CN", CN "-SEPAABBCCDDEEFF", 0, 0, 0}}}, false},
        {{.rdns = {{"CN", CN, 0, 0, 0}, {"CN", "admin", 0, 0, 0}}}, false},
        {{.rdns = {{"CN", CN, 0, 0, 0}, {"serialNumber", "AABBCCDDEEFF", 0, 0, 0}}}, false},
        {{.rdns = {{"CN", CN, 0, 0, 0}, {"OU", "AA:BB:CC:DD:EE:FF", 0, 0, 0}}}, false},
        {{.rdns = {{"CN", CN, 0, 0, 0}}, .sans = {{GEN_DNS, "www.example.com"}}}, false},
        {{.rdns = {{"CN", CN, 0, 0, 0}}, .sans = {{GEN_URI, CN}}}, false},
    };
    CHECK_BINDINGS(tests, names_belong_to_mac, THE_MAC);
}

static void chooses_alt_names(void **state)
{
    (void)state;
    static const struct {
        struct content content;
        uint32_t matching; // how many of them under SETTINGS_SAN_MATCHING
        bool is_refused;   // under SETTINGS_SAN_REFUSE
        enum san_kind kind;
    } tests[] = {
        {{.rdns = {{"CN", CN, 0, 0, 0}}}, 0, false, 0},
        {{.rdns = {{"CN", CN, 0, 0, 0}}, .sans = {{GEN_DNS, CN}}}, 1, false, SAN_DNS},
        {{.rdns = {{"CN", CN, 0, 0, 0}}, .sans = {{GEN_DNS, "sep001a2b3c4d5e.example.com"}}},
         1,
         false,
         SAN_DNS},
        {{.rdns = {{"CN", CN, 0, 0, 0}}, .sans = {{GEN_EMAIL, CN "@example.com"}}},
         1,
         false,
         SAN_EMAIL},
        {{.rdns = {{"CN", CN, 0, 0, 0}}, .sans = {{GEN_OTHERNAME, CN "@example.com"}}},
         1,
         false,
         SAN_UPN},
        {{.rdns = {{"CN", CN, 0, 0, 0}}, .sans = {{GEN_OTHERNAME, CN}}}, 1, false, SAN_UPN},
        {{.rdns = {{"CN", CN, 0, 0, 0}}, .sans = {{GEN_DNS, CN "@example.com"}}}, 0, true, 0},
        {{.rdns = {{"CN", CN, 0, 0, 0}}, .sans = {{GEN_EMAIL, CN}}}, 0, true, 0},
        {{.rdns = {{"CN", CN, 0, 0, 0}}, .sans = {{GEN_EMAIL, CN ".a@example.com"}}}, 0, true, 0},
        {{.rdns = {{"CN", CN, 0, 0, 0}}, .sans = {{GEN_DNS, "www.example.com"}}}, 0, true, 0},
        {{.rdns = {{"CN", CN, 0, 0, 0}}, .sans = {{GEN_URI, CN}}}, 0, true, 0},
        {{.rdns = {{"CN", CN, 0, 0, 0}}, .sans = {{GEN_IPADD, "\x7F\x01\x01\x01"}}}, 0, true, 0},
        {{.rdns = {{"CN", CN, 0, 0, 0}},
          .sans = {{GEN_DNS, "www.example.com"}, {GEN_DNS, CN ".example.com"}}},
         1,
         true,
         SAN_DNS},
        {{.sans = {{GEN_DNS, CN}}}, 0, true, 0}, // no CN, nothing to match
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        struct names names;
        struct err err = {0};
        struct san sans[LIMIT_SUBJECT_ALT_NAMES];
        uint32_t count = 99;
        read_names(&tests[i].content, &names);
        assert_int_equal(names_choose_sans(&names, SETTINGS_SAN_MATCHING, sans, &count, &err),
                         ERR_OK);
        if (count != tests[i].matching || (count > 0 && sans[0].kind != tests[i].kind)) {
            fail_msg("%zu: %u", i, count);
        }
        assert_int_equal(names_choose_sans(&names, SETTINGS_SAN_NONE, sans, &count, &err), ERR_OK);
        assert_int_equal(count, 0);
        enum err_code code = names_choose_sans(&names, SETTINGS_SAN_REFUSE, sans, &count, &err);
        assert_int_equal(code, tests[i].is_refused ? ERR_BAD_REQUEST : ERR_OK);
        names_done(&names);
    }
}

static void mutated_requests_never_crash(void **state)
{
    (void)state;
    X509_REQ *good = build(&(struct content){
        .rdns = {{"CN", CN, 0, 0, 0}, {"serialNumber", "FCH1", 0, 0, -1}},
        .sans = {{GEN_DNS, CN ".example.com"}, {GEN_OTHERNAME, CN "@example.com"}}});
    X509_REQ_set_pubkey(good, kit_key(0));
    struct buf der = kit_req_der(good, kit_key(0), EVP_sha256());
    uint32_t seed = 4;
    for (int i = 0; i < 4000; i++) {
        seed = seed * 1664525 + 1013904223;
        size_t at = (seed >> 8) % der.len;
        uint8_t bit = (uint8_t)(1U << ((seed >> 4) % 8));
        der.data[at] ^= bit;
        struct csr *csr = NULL;
        struct err err = {0};
        if (csr_parse(buf_view(&der), &csr, &err) == ERR_OK) {
            struct names names;
            struct san sans[LIMIT_SUBJECT_ALT_NAMES];
            uint32_t count = 0;
            enum err_code code = names_read(csr_subject(csr), csr_attributes(csr), &names, &err);
            assert_true(code == ERR_OK || (code == ERR_BAD_REQUEST && err.text[0] != '\0'));
            code = names_check(&names, &err);
            assert_true(code == ERR_OK || code == ERR_BAD_REQUEST);
            code = names_choose_sans(&names, SETTINGS_SAN_MATCHING, sans, &count, &err);
            assert_int_equal(code, ERR_OK);
            names_belong_to_mac(&names, THE_MAC);
            names_done(&names);
        }
        csr_free(csr);
        der.data[at] ^= bit;
    }
    buf_done(&der);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_kind),
        cmocka_unit_test(common_name_of_every_type),
        cmocka_unit_test(alt_names_under_microsofts_oid),
        cmocka_unit_test(malformed_subjects),
        cmocka_unit_test(duplicated_extensions),
        cmocka_unit_test(malformed_extensions),
        cmocka_unit_test(too_many_alt_names),
        cmocka_unit_test(rules_for_everybody),
        cmocka_unit_test(finds_macs),
        cmocka_unit_test(binding_to_a_common_name_q11),
        cmocka_unit_test(binding_to_a_mac_q11),
        cmocka_unit_test(chooses_alt_names),
        cmocka_unit_test(mutated_requests_never_crash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
