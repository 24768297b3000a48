// SPDX-License-Identifier: Apache-2.0
// Subjects of manufacturer's certificates as they were seen in the field: rows 23, 24, 25 and 30 of
// the phones' table, vectors V4 and V6.
#include "ra/identity.h"

#include <string.h>

#include "kit/kit.h"
#include "tests/mic/mic_factory.h"

#define ATTRIBUTES_MAX 8

struct attribute {
    const char *field; // NULL ends the list
    const char *text;
    int type; // V_ASN1_*; 0 = UTF8String
    int len;  // 0 = strlen(text)
    bool is_joined;
};

struct identity_case {
    const char *name;
    struct attribute subject[ATTRIBUTES_MAX];
    struct identity expected;
};

static X509_NAME *build(const struct attribute subject[ATTRIBUTES_MAX])
{
    X509_NAME *name = X509_NAME_new();
    for (size_t i = 0; i < ATTRIBUTES_MAX && subject[i].field != NULL; i++) {
        const struct attribute *attribute = &subject[i];
        int type = attribute->type != 0 ? attribute->type : V_ASN1_UTF8STRING;
        int len = attribute->len != 0 ? attribute->len : (int)strlen(attribute->text);
        assert_int_equal(X509_NAME_add_entry_by_txt(name, attribute->field, type,
                                                    (const unsigned char *)attribute->text, len, -1,
                                                    attribute->is_joined ? -1 : 0),
                         1);
    }
    return name;
}

static void assert_text(const char *name, const char *what, const char *text, const char *expected)
{
    if (strcmp(text, expected) != 0) {
        fail_msg("%s: %s is \"%s\", expected \"%s\"", name, what, text, expected);
    }
}

static void assert_identity(const char *name, const struct identity *identity,
                            const struct identity *expected)
{
    assert_text(name, "class", identity_class_name(identity->identity_class),
                identity_class_name(expected->identity_class));
    assert_text(name, "model", identity->model, expected->model);
    assert_text(name, "MAC", identity->mac, expected->mac);
    assert_text(name, "serial number", identity->serial_number, expected->serial_number);
    assert_text(name, "CN", identity->common_name, expected->common_name);
    assert_text(name, "device", identity->device_name, expected->device_name);
}

static void check(const struct identity_case *test)
{
    struct err err = {0};
    struct identity identity;
    X509_NAME *subject = build(test->subject);
    if (identity_read(subject, &identity, &err) != ERR_OK) {
        fail_msg("%s: %s", test->name, err.text);
    }
    X509_NAME_free(subject);
    assert_identity(test->name, &identity, &test->expected);
}

static void check_table(const struct identity_case *tests, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        check(&tests[i]);
    }
}
#define CHECK(tests) check_table(tests, sizeof(tests) / sizeof(tests)[0])

#define V4 "CP-9871-SEP001A2B3C4D5E"

static void phones_row_23(void **state)
{
    (void)state;
    static const struct identity_case tests[] = {
        {"V4",
         {{.field = "CN", .text = V4}},
         {IDENTITY_PHONE, "CP-9871", "001A2B3C4D5E", "", V4, V4}},
        {"DP-",
         {{.field = "CN", .text = "DP-9871-SEP001A2B3C4D5E"}},
         {IDENTITY_PHONE, "DP-9871", "001A2B3C4D5E", "", "DP-9871-SEP001A2B3C4D5E",
          "DP-9871-SEP001A2B3C4D5E"}},
        {"8861 enterprise",
         {{.field = "serialNumber",
           .text = "PID:CP-8861 SN:FCH2133E8B9",
           .type = V_ASN1_PRINTABLESTRING},
          {.field = "O", .text = "Cisco Systems Inc."},
          {.field = "OU", .text = "CTG"},
          {.field = "CN", .text = "CP-8861-SEP2C3124C9F8E1"}},
         {IDENTITY_PHONE, "CP-8861", "2C3124C9F8E1", "FCH2133E8B9", "CP-8861-SEP2C3124C9F8E1",
          "CP-8861-SEP2C3124C9F8E1"}},
        {"8861 LSC, other order",
         {{.field = "CN", .text = "CP-8861-SEP2C3124C9F8E1"},
          {.field = "OU", .text = "Voice"},
          {.field = "C", .text = "MX", .type = V_ASN1_PRINTABLESTRING},
          {.field = "serialNumber", .text = "SN:FCH2133E8B9 PID:CP-8861"}},
         {IDENTITY_PHONE, "CP-8861", "2C3124C9F8E1", "FCH2133E8B9", "CP-8861-SEP2C3124C9F8E1",
          "CP-8861-SEP2C3124C9F8E1"}},
        {"multi-valued RDN",
         {{.field = "O", .text = "Cisco"},
          {.field = "CN", .text = V4, .is_joined = true},
          {.field = "serialNumber", .text = "PID:DP-9871 SN:FVH1", .is_joined = true}},
         {IDENTITY_PHONE, "DP-9871", "001A2B3C4D5E", "FVH1", V4, V4}},
        {"lower case",
         {{.field = "CN", .text = "cp-9871-sep001a2b3c4d5e"}},
         {IDENTITY_PHONE, "cp-9871", "001A2B3C4D5E", "", "cp-9871-sep001a2b3c4d5e",
          "cp-9871-sep001a2b3c4d5e"}},
        {"3PCC model, several OUs, places",
         {{.field = "CN", .text = "CP-8841-3PCC-SEP001A2B3C4D5E"},
          {.field = "OU", .text = "one"},
          {.field = "OU", .text = "two"},
          {.field = "L", .text = "San Jose"},
          {.field = "ST", .text = "California"}},
         {IDENTITY_PHONE, "CP-8841-3PCC", "001A2B3C4D5E", "", "CP-8841-3PCC-SEP001A2B3C4D5E",
          "CP-8841-3PCC-SEP001A2B3C4D5E"}},
        {"no model",
         {{.field = "CN", .text = "SEP001A2B3C4D5E"}},
         {IDENTITY_PHONE, "", "001A2B3C4D5E", "", "SEP001A2B3C4D5E", "SEP001A2B3C4D5E"}},
        {"by its PID alone",
         {{.field = "serialNumber", .text = "PID:DP-9811 SN:FVH2"},
          {.field = "CN", .text = "Q5CA-4AQR-L9YS"}},
         {IDENTITY_PHONE, "DP-9811", "", "FVH2", "Q5CA-4AQR-L9YS", "Q5CA-4AQR-L9YS"}},
        {"BMPString",
         {{.field = "CN",
           .text = "\0S\0E\0P\0"
                   "0\0"
                   "0\0"
                   "1\0A\0"
                   "2\0B\0"
                   "3\0C\0"
                   "4\0D\0"
                   "5\0E",
           .type = V_ASN1_BMPSTRING,
           .len = 30}},
         {IDENTITY_PHONE, "", "001A2B3C4D5E", "", "SEP001A2B3C4D5E", "SEP001A2B3C4D5E"}},
        {"the same CN twice",
         {{.field = "CN", .text = V4}, {.field = "CN", .text = "cp-9871-sep001a2b3c4d5e"}},
         {IDENTITY_PHONE, "CP-9871", "001A2B3C4D5E", "", V4, V4}},
        {"bare serial number",
         {{.field = "serialNumber", .text = "FCH2133E8B9"}, {.field = "CN", .text = V4}},
         {IDENTITY_PHONE, "CP-9871", "001A2B3C4D5E", "FCH2133E8B9", V4, V4}},
        {"a serialNumber of another form",
         {{.field = "serialNumber", .text = "Rev 4 of many"}, {.field = "CN", .text = V4}},
         {IDENTITY_PHONE, "CP-9871", "001A2B3C4D5E", "", V4, V4}},
        {"spaces around",
         {{.field = "serialNumber", .text = "  PID:CP-1  SN:A "}, {.field = "CN", .text = V4}},
         {IDENTITY_PHONE, "CP-1", "001A2B3C4D5E", "A", V4, V4}},
    };
    CHECK(tests);
}

// The serial number of V6 is itself 12 hex digits; a pattern over the whole name takes it for the
// MAC as soon as ST does not come last.
static void spa_row_24(void **state)
{
    (void)state;
    static const struct identity v6 = {IDENTITY_SPA,   "SPA-962", "000E08ABCDEF",
                                       "88012BA01234", "",        "SPA-962-SEP000E08ABCDEF"};
    static const int orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                    {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    static const struct attribute parts[] = {{.field = "OU", .text = "SPA-962"},
                                             {.field = "L", .text = "88012BA01234"},
                                             {.field = "ST", .text = "000e08abcdef"}};
    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
        struct identity_case test = {.name = "V6", .expected = v6};
        for (size_t at = 0; at < 3; at++) {
            test.subject[at] = parts[orders[i][at]];
        }
        check(&test);
        test.subject[1].is_joined = true;
        test.subject[2].is_joined = true;
        check(&test);
    }
    static const struct identity_case tests[] = {
        {"8841 MPP",
         {{.field = "OU", .text = "CP-8841-3PCC"},
          {.field = "L", .text = "88012BA01234"},
          {.field = "ST", .text = "000e08abcdef"}},
         {IDENTITY_SPA, "CP-8841-3PCC", "000E08ABCDEF", "88012BA01234", "",
          "CP-8841-3PCC-SEP000E08ABCDEF"}},
        {"MAC with colons",
         {{.field = "OU", .text = "SPA-962"},
          {.field = "L", .text = "X1"},
          {.field = "ST", .text = "00:0e:08:ab:cd:ef"}},
         {IDENTITY_SPA, "SPA-962", "000E08ABCDEF", "X1", "", "SPA-962-SEP000E08ABCDEF"}},
        {"no OU",
         {{.field = "ST", .text = "000e08abcdef"}},
         {IDENTITY_SPA, "", "000E08ABCDEF", "", "", "SEP000E08ABCDEF"}},
        {"a MAC in L only is a serial number",
         {{.field = "OU", .text = "SPA-962"}, {.field = "L", .text = "88012BA01234"}},
         {IDENTITY_NONE, "", "", "", "", ""}},
        {"a CN beside it",
         {{.field = "OU", .text = "SPA-962"},
          {.field = "L", .text = "X1"},
          {.field = "ST", .text = "000e08abcdef"},
          {.field = "CN", .text = "alice"}},
         {IDENTITY_SPA, "SPA-962", "000E08ABCDEF", "X1", "alice", "alice"}},
        {"a phone's CN beside it",
         {{.field = "OU", .text = "SPA-962"},
          {.field = "L", .text = "X1"},
          {.field = "ST", .text = "001a2b3c4d5e"},
          {.field = "CN", .text = V4}},
         {IDENTITY_PHONE, "CP-9871", "001A2B3C4D5E", "X1", V4, V4}},
        {"more than a MAC is a place",
         {{.field = "ST", .text = "000e08abcdef Street"}, {.field = "L", .text = "X"}},
         {IDENTITY_NONE, "", "", "", "", ""}},
    };
    CHECK(tests);
}

static void generic_row_25(void **state)
{
    (void)state;
    static const struct identity_case tests[] = {
        {"V6 generic",
         {{.field = "OU", .text = "cisco.com"},
          {.field = "L", .text = "ciscogeneric"},
          {.field = "ST", .text = "ciscogeneric"}},
         {.identity_class = IDENTITY_GENERIC}},
        {"L alone", {{.field = "L", .text = "CiscoGeneric"}}, {.identity_class = IDENTITY_GENERIC}},
        {"with a MAC",
         {{.field = "OU", .text = "SPA-962"},
          {.field = "L", .text = "ciscogeneric"},
          {.field = "ST", .text = "000e08abcdef"}},
         {IDENTITY_GENERIC, "SPA-962", "000E08ABCDEF", "CISCOGENERIC", "", ""}},
        {"with a phone's CN",
         {{.field = "CN", .text = V4}, {.field = "OU", .text = "ciscogeneric"}},
         {IDENTITY_GENERIC, "CP-9871", "001A2B3C4D5E", "", V4, ""}},
    };
    CHECK(tests);
}

static void other_devices(void **state)
{
    (void)state;
    static const struct identity_case tests[] = {
        {"switch",
         {{.field = "CN", .text = "C9300-48UXM-4401E4B45B26"},
          {.field = "serialNumber", .text = "PID:C9300-48UXM SN:FOC8704M57A"}},
         {IDENTITY_OTHER, "C9300-48UXM", "4401E4B45B26", "FOC8704M57A", "C9300-48UXM-4401E4B45B26",
          "C9300-48UXM-4401E4B45B26"}},
        {"switch without MAC",
         {{.field = "serialNumber", .text = "PID:IE-3100-3P1U2S SN:FDO2902JF4N"},
          {.field = "O", .text = "Cisco"},
          {.field = "OU", .text = "ACT-2 Lite SUDI"},
          {.field = "CN", .text = "IE-3100-3P1U2S"}},
         {IDENTITY_OTHER, "IE-3100-3P1U2S", "", "FDO2902JF4N", "IE-3100-3P1U2S", "IE-3100-3P1U2S"}},
        {"cloud id",
         {{.field = "CN", .text = "Q5CA-4AQR-L9YS"},
          {.field = "serialNumber", .text = "PID:C9350-48HX SN:FVH2900ABCD"}},
         {IDENTITY_OTHER, "C9350-48HX", "", "FVH2900ABCD", "Q5CA-4AQR-L9YS", "Q5CA-4AQR-L9YS"}},
        {"access point: ST and L are places",
         {{.field = "C", .text = "US", .type = V_ASN1_PRINTABLESTRING},
          {.field = "ST", .text = "California"},
          {.field = "L", .text = "San Jose"},
          {.field = "O", .text = "Cisco Systems"},
          {.field = "CN", .text = "AP1G4-94D469F82DE8"},
          {.field = "emailAddress", .text = "support@cisco.com", .type = V_ASN1_IA5STRING}},
         {IDENTITY_OTHER, "AP1G4", "94D469F82DE8", "", "AP1G4-94D469F82DE8", "AP1G4-94D469F82DE8"}},
        {"serial number only",
         {{.field = "serialNumber", .text = "PID:ISR4331/K9 SN:FDO1"}},
         {IDENTITY_OTHER, "ISR4331/K9", "", "FDO1", "", ""}},
        {"quotes are text",
         {{.field = "CN", .text = V4 "\"; rm -rf '"}},
         {IDENTITY_OTHER, "", "001A2B3C4D5E", "", V4 "\"; rm -rf '", V4 "\"; rm -rf '"}},
        {"not a phone's: text behind the MAC",
         {{.field = "CN", .text = V4 ".example.nl"}},
         {IDENTITY_OTHER, "", "001A2B3C4D5E", "", V4 ".example.nl", V4 ".example.nl"}},
        {"not a phone's: 13 digits",
         {{.field = "CN", .text = V4 "0"}},
         {IDENTITY_OTHER, "", "", "", V4 "0", V4 "0"}},
        {"not a phone's: no model",
         {{.field = "CN", .text = "-SEP001A2B3C4D5E"}},
         {IDENTITY_OTHER, "", "001A2B3C4D5E", "", "-SEP001A2B3C4D5E", "-SEP001A2B3C4D5E"}},
        {"empty", {{.field = NULL}}, {.identity_class = IDENTITY_NONE}},
        {"O only", {{.field = "O", .text = "Cisco"}}, {.identity_class = IDENTITY_NONE}},
    };
    CHECK(tests);
}

#define LONG_64  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define LONG_256 LONG_64 LONG_64 LONG_64 LONG_64

static void unreadable_row_30(void **state)
{
    (void)state;
    static const struct {
        struct attribute subject[ATTRIBUTES_MAX];
        const char *text;
    } tests[] = {
        {{{.field = "CN", .text = V4 "\0.evil.example", .len = 37}},
         "CN in the subject is no text"},
        {{{.field = "CN", .text = "\0a\0\0", .type = V_ASN1_BMPSTRING, .len = 4}},
         "CN in the subject is no text"},
        {{{.field = "CN", .text = "\xD8\0", .type = V_ASN1_BMPSTRING, .len = 2}},
         "CN in the subject is no text"},
        {{{.field = "CN", .text = "a\xC3", .len = 2}}, "CN in the subject is no text"},
        {{{.field = "CN", .text = "a", .type = V_ASN1_BIT_STRING}}, "CN in the subject is no text"},
        {{{.field = "CN", .text = V4 "\nevent=issued"}},
         "CN in the subject has a control character"},
        {{{.field = "serialNumber", .text = "PID:CP-1\tSN:1"}},
         "serialNumber in the subject has a control"},
        {{{.field = "L", .text = "\x7F"}}, "L in the subject has a control"},
        {{{.field = "ST", .text = "\xC2\x85"}}, "ST in the subject has a control"},
        {{{.field = "OU", .text = LONG_256}}, "OU in the subject has 256 octets; allowed: 255"},
        {{{.field = "CN", .text = V4}, {.field = "CN", .text = "CP-9871-SEP001A2B3C4D5F"}},
         "two different CN"},
        {{{.field = "L", .text = "a"}, {.field = "L", .text = "b"}}, "two different L"},
        {{{.field = "ST", .text = "000e08abcdef"}, {.field = "ST", .text = "California"}},
         "two different ST"},
        {{{.field = "serialNumber", .text = "PID:CP-1 SN:1"},
          {.field = "serialNumber", .text = "PID:CP-1 SN:2"}},
         "two different serialNumber"},
        {{{.field = "serialNumber", .text = "PID:CP-1 SN:1 SN:2"}},
         "two different models or serial numbers"},
        {{{.field = "serialNumber", .text = "PID:CP-1 PID:CP-2"}},
         "two different models or serial numbers"},
        {{{.field = "CN", .text = V4}, {.field = "ST", .text = "000e08abcdef"}},
         "two different MACs in CN and ST"},
        {{{.field = "OU", .text = "SPA-962"},
          {.field = "OU", .text = "SPA-963"},
          {.field = "ST", .text = "000e08abcdef"}},
         "two different OU"},
        {{{.field = "serialNumber", .text = "PID:" LONG_64 " SN:1"}},
         "64 octets in the subject; allowed: 63"},
        {{{.field = "serialNumber", .text = "SN:abcdefghijklmnopqrstuvwxyz0123456789"}},
         "36 octets"},
        {{{.field = "OU", .text = LONG_64}, {.field = "ST", .text = "000e08abcdef"}},
         "64 octets in the subject; allowed: 63"},
        {{{.field = "CN", .text = LONG_64 "-SEP001A2B3C4D5E"}},
         "64 octets in the subject; allowed: 63"},
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        struct err err = {0};
        struct identity identity = {.mac = "untouched"};
        X509_NAME *subject = build(tests[i].subject);
        enum err_code code = identity_read(subject, &identity, &err);
        if (code != ERR_BAD_REQUEST || err.code != code ||
            strstr(err.text, tests[i].text) == NULL) {
            fail_msg("%zu: %s: %s (expected \"%s\")", i, err_name(code), err.text, tests[i].text);
        }
        assert_string_equal(identity.mac, "untouched");
        X509_NAME_free(subject);
    }
}

static void too_many_attributes(void **state)
{
    (void)state;
    struct err err = {0};
    struct identity identity;
    X509_NAME *subject = X509_NAME_new();
    for (int i = 0; i < LIMIT_SUBJECT_RDNS + 1; i++) {
        X509_NAME_add_entry_by_txt(subject, "O", V_ASN1_UTF8STRING, (const unsigned char *)"O", 1,
                                   -1, 0);
    }
    assert_int_equal(identity_read(subject, &identity, &err), ERR_BAD_REQUEST);
    assert_non_null(strstr(err.text, "33 attributes"));
    X509_NAME_free(subject);
}

// Whatever a bit of a name is changed to: text without controls comes out, or an error with words.
static void flipped_bits(void **state)
{
    (void)state;
    static const struct attribute subject[ATTRIBUTES_MAX] = {
        {.field = "serialNumber", .text = "PID:CP-8861 SN:FCH2133E8B9"},
        {.field = "CN", .text = "CP-8861-SEP2C3124C9F8E1"},
        {.field = "L", .text = "88012BA01234"},
        {.field = "ST", .text = "California"}};
    struct buf der = {0};
    X509_NAME *name = build(subject);
    assert_int_equal(ossl_name_to_der(name, &der, NULL), ERR_OK);
    X509_NAME_free(name);
    unsigned read = 0;
    for (size_t bit = 0; bit < 8 * der.len; bit++) {
        der.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
        const unsigned char *at = der.data;
        name = d2i_X509_NAME(NULL, &at, (long)der.len);
        struct err err = {0};
        struct identity identity = {0};
        enum err_code code = name != NULL ? identity_read(name, &identity, &err) : ERR_SYNTAX;
        if (code == ERR_OK) {
            read++;
            assert_false(names_has_control(identity.common_name));
            assert_false(names_has_control(identity.serial_number));
            assert_false(names_has_control(identity.model));
        } else if (name != NULL) {
            assert_int_equal(code, ERR_BAD_REQUEST);
            assert_true(err.text[0] != '\0');
        }
        X509_NAME_free(name);
        der.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    assert_true(read > 100); // most flips leave letters that are other letters
    buf_done(&der);
}

// The factory's certificates say what its README promises.
static void factory_certificates(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum identity_class identity_class;
        const char *model;
        const char *mac;
    } tests[] = {
        {"phone-7841", IDENTITY_PHONE, "CP-7841", "0C7524A1B2C3"},
        {"phone-8861", IDENTITY_PHONE, "CP-8861", "2C3124C9F8E1"},
        {"phone-9871", IDENTITY_PHONE, "DP-9871", "001A2B3C4D5E"},
        {"phone-dp9861", IDENTITY_PHONE, "DP-9861", "001A2B3C4D60"},
        {"phone-multi", IDENTITY_PHONE, "CP-8865", "001A2B3C4D65"},
        {"phone-bmp", IDENTITY_PHONE, "CP-9841", "001A2B3C4D66"},
        {"phone-quotes", IDENTITY_OTHER, "", "001A2B3C4D67"},
        {"spa-962", IDENTITY_SPA, "SPA-962", "000E08ABCDEF"},
        {"spa-962-swapped", IDENTITY_SPA, "SPA-962", "000E08ABCDEE"},
        {"mpp-8841", IDENTITY_SPA, "CP-8841-3PCC", "000E08ABCDEC"},
        {"generic", IDENTITY_GENERIC, "", ""},
        {"switch-c9300", IDENTITY_OTHER, "C9300-48UXM", "4401E4B45B26"},
        {"switch-ie3100", IDENTITY_OTHER, "IE-3100-3P1U2S", ""},
        {"cloud-c9350", IDENTITY_OTHER, "C9350-48HX", ""},
        {"ap-3800", IDENTITY_OTHER, "AP1G4", "94D469F82DE8"},
    };
    struct mic_factory *factory = mic_factory_new(KIT_NOW);
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        struct err err = {0};
        struct identity identity;
        const X509_NAME *subject = X509_get_subject_name(mic_cert(factory, tests[i].name));
        if (identity_read(subject, &identity, &err) != ERR_OK) {
            fail_msg("%s: %s", tests[i].name, err.text);
        }
        assert_int_equal(identity.identity_class, tests[i].identity_class);
        assert_text(tests[i].name, "model", identity.model, tests[i].model);
        assert_text(tests[i].name, "MAC", identity.mac, tests[i].mac);
    }
    mic_factory_free(factory);
}

static void assert_split(const char *text, bool is_good, const char *model, const char *serial)
{
    struct view views[2] = {VIEW_EMPTY, VIEW_EMPTY};
    if (identity_split_serial(text, &views[0], &views[1]) != is_good) {
        fail_msg("\"%s\"", text);
    }
    assert_true(view_is_text(views[0], model));
    assert_true(view_is_text(views[1], serial));
}

static void serial_numbers_split(void **state)
{
    (void)state;
    assert_split("PID:CP-8861 SN:FCH2133E8B9", true, "CP-8861", "FCH2133E8B9");
    assert_split("SN:FCH2133E8B9 PID:CP-8861", true, "CP-8861", "FCH2133E8B9");
    assert_split("SN:FCH2133E8B9", true, "", "FCH2133E8B9");
    assert_split("PID:CP-8861", true, "CP-8861", "");
    assert_split("PID: SN:", true, "", "");
    assert_split("FCH2133E8B9", true, "", "FCH2133E8B9");
    assert_split("", true, "", "");
    assert_split("FCH2133E8B9 FCH2133E8B8", false, "", "");
    assert_split("FCH2133E8B9 SN:FCH2133E8B8", false, "", "");
    assert_split("SN:1 SN:2", false, "", "");
    assert_split("SN:1 SN:1", true, "", "1");
}

static void class_names(void **state)
{
    (void)state;
    assert_string_equal(identity_class_name(IDENTITY_NONE), "none");
    assert_string_equal(identity_class_name(IDENTITY_PHONE), "phone");
    assert_string_equal(identity_class_name(IDENTITY_SPA), "spa");
    assert_string_equal(identity_class_name(IDENTITY_OTHER), "other");
    assert_string_equal(identity_class_name(IDENTITY_GENERIC), "generic");
    assert_string_equal(identity_class_name(IDENTITY_CLASS_MAX), "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(phones_row_23),        cmocka_unit_test(spa_row_24),
        cmocka_unit_test(generic_row_25),       cmocka_unit_test(other_devices),
        cmocka_unit_test(unreadable_row_30),    cmocka_unit_test(too_many_attributes),
        cmocka_unit_test(flipped_bits),         cmocka_unit_test(factory_certificates),
        cmocka_unit_test(serial_numbers_split), cmocka_unit_test(class_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
