// SPDX-License-Identifier: Apache-2.0
// Our own reading of a PKCS#10 against OpenSSL's: the same subject, key and encodings; keys that
// are malformed inside a well-formed request; and what its attributes ask for.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/csr_parse.h"
#include "kit/kit.h"

#define PHONE_KEY 0
#define OTHER_KEY 1

static void assert_ok(enum err_code code, const struct err *err)
{
    if (code != ERR_OK) {
        fail_msg("unexpected %s: %s", err_name(code), err->text);
    }
}

static void assert_refused(enum err_code code, enum err_code expected, const struct err *err,
                           const char *text)
{
    if (code != expected || err->code != expected || strstr(err->text, text) == NULL) {
        fail_msg("got %s \"%s\", expected %s with \"%s\"", err_name(code), err->text,
                 err_name(expected), text);
    }
}

// Of PHONE_KEY, without a subject; not signed yet.
static X509_REQ *new_request(void)
{
    X509_REQ *req = X509_REQ_new();
    assert_int_equal(X509_REQ_set_pubkey(req, kit_key(PHONE_KEY)), 1);
    return req;
}

static struct csr *parse(const struct buf *der)
{
    struct csr *csr = NULL;
    struct err err = {0};
    assert_ok(csr_parse(buf_view(der), &csr, &err), &err);
    return csr;
}

static void agrees_with_openssl(void **state)
{
    (void)state;
    const struct kit_csr content = {.common_name = "phone", .san_dns = "phone.example"};
    struct buf der = kit_csr_der(kit_key(PHONE_KEY), &content);
    struct csr *csr = parse(&der);
    const unsigned char *end = der.data;
    X509_REQ *req = d2i_X509_REQ(NULL, &end, (long)der.len);
    assert_int_equal(X509_NAME_cmp(csr_subject(csr), X509_REQ_get_subject_name(req)), 0);
    assert_int_equal(EVP_PKEY_eq(csr_key(csr), X509_REQ_get0_pubkey(req)), 1);
    assert_int_equal(csr_signature_nid(csr), NID_sha256WithRSAEncryption);
    assert_int_equal(X509at_get_attr_count(csr_attributes(csr)), 1);
    assert_true(csr_is_signature_valid(csr));
    X509_REQ_free(req);
    csr_free(csr);
    buf_done(&der);
}

static struct buf spki_of(const X509 *cert)
{
    unsigned char *der = NULL;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
    assert_true(len > 0);
    struct buf copy = {0};
    assert_int_equal(buf_copy(view_of(der, (size_t)len), &copy, NULL), ERR_OK);
    OPENSSL_free(der);
    return copy;
}

static void copies_the_key(void **state)
{
    (void)state;
    struct buf der = kit_csr_der(kit_key(PHONE_KEY), &(struct kit_csr){.common_name = "phone"});
    struct csr *csr = parse(&der);
    X509 *ours = X509_new();
    X509 *theirs = X509_new();
    struct err err = {0};
    assert_ok(csr_copy_key(csr, ours, &err), &err);
    assert_int_equal(X509_set_pubkey(theirs, kit_key(PHONE_KEY)), 1);
    struct buf our_spki = spki_of(ours);
    struct buf their_spki = spki_of(theirs);
    assert_true(view_equal(buf_view(&our_spki), buf_view(&their_spki)));
    buf_done(&our_spki);
    buf_done(&their_spki);
    X509_free(ours);
    X509_free(theirs);
    csr_free(csr);
    buf_done(&der);
}

static void attributes_may_be_absent(void **state)
{
    (void)state;
    struct buf der = kit_req_der(new_request(), kit_key(PHONE_KEY), EVP_sha256());
    struct csr *csr = parse(&der);
    assert_true(X509at_get_attr_count(csr_attributes(csr)) <= 0);
    assert_int_equal(X509at_get_attr_by_NID(csr_attributes(csr), NID_ext_req, -1), -1);
    csr_free(csr);
    buf_done(&der);
}

// A request whose RSAPublicKey is `key_octets`.
static struct buf with_key_octets(struct view key_octets)
{
    X509_REQ *req = new_request();
    unsigned char *octets = OPENSSL_memdup(key_octets.data, key_octets.len);
    assert_int_equal(X509_PUBKEY_set0_param(X509_REQ_get_X509_PUBKEY(req),
                                            OBJ_nid2obj(NID_rsaEncryption), V_ASN1_NULL, NULL,
                                            octets, (int)key_octets.len),
                     1);
    return kit_req_der(req, kit_key(OTHER_KEY), EVP_sha256());
}

static void refuses_malformed_keys(void **state)
{
    (void)state;
    static const struct {
        const char *octets;
        size_t len;
        enum err_code code;
        const char *text;
    } bad[] = {
        {"garbage", 7, ERR_BAD_REQUEST, "malformed RSA key"},
        {"\x30\x03\x02\x01\x05", 5, ERR_BAD_REQUEST, "malformed RSA key"},
        {"\x30\x06\x02\x01\x05\x02\x01\x03\x00", 9, ERR_BAD_REQUEST, "malformed RSA key"},
        {"\x30\x09\x02\x01\x05\x02\x01\x03\x02\x01\x03", 11, ERR_BAD_REQUEST, "malformed RSA key"},
        {"\x30\x06\x02\x01\x85\x02\x01\x03", 8, ERR_BAD_ALG, "negative"},
        {"\x30\x06\x02\x01\x05\x02\x01\x83", 8, ERR_BAD_ALG, "negative"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct buf der = with_key_octets(view_of(bad[i].octets, bad[i].len));
        struct csr *csr = NULL;
        struct err err = {0};
        assert_refused(csr_parse(buf_view(&der), &csr, &err), bad[i].code, &err, bad[i].text);
        assert_null(csr);
        buf_done(&der);
    }
}

static void every_prefix_is_refused(void **state)
{
    (void)state;
    struct buf der = kit_csr_der(kit_key(PHONE_KEY), &(struct kit_csr){.common_name = "phone"});
    for (size_t len = 0; len < der.len; len++) {
        uint8_t *exact = malloc(len > 0 ? len : 1);
        memcpy(exact, der.data, len);
        struct csr *csr = NULL;
        struct err err = {0};
        assert_refused(csr_parse(view_of(exact, len), &csr, &err), ERR_BAD_REQUEST, &err,
                       "not exactly one");
        free(exact);
    }
    buf_done(&der);
}

#define KEY_USAGE 0x01u
#define ALT_NAME  0x02u
#define UNKNOWN   0x04u

static void push_extension(X509_EXTENSIONS *extensions, const char *oid)
{
    ASN1_OBJECT *object = OBJ_txt2obj(oid, 0);
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    ASN1_OCTET_STRING_set(value, (const unsigned char *)"\x05\x00", 2);
    X509_EXTENSION *extension = X509_EXTENSION_create_by_OBJ(NULL, object, 0, value);
    assert_non_null(extension);
    assert_true(sk_X509_EXTENSION_push(extensions, extension) > 0);
    ASN1_OCTET_STRING_free(value);
    ASN1_OBJECT_free(object);
}

static void push_kinds(X509_EXTENSIONS *extensions, unsigned kinds)
{
    static const char *const oids[] = {"keyUsage", "subjectAltName", "1.2.3.4"};
    for (unsigned i = 0; i < sizeof oids / sizeof oids[0]; i++) {
        if ((kinds & 1u << i) != 0) {
            push_extension(extensions, oids[i]);
        }
    }
}

// Pushes an attribute whose one value is the list; frees it.
static void push_attribute(STACK_OF(X509_ATTRIBUTE) * attributes, int nid,
                           X509_EXTENSIONS *take_extensions)
{
    unsigned char *der = NULL;
    int len = i2d_X509_EXTENSIONS(take_extensions, &der);
    assert_true(len > 0);
    X509_ATTRIBUTE *attribute = X509_ATTRIBUTE_create_by_NID(NULL, nid, V_ASN1_SEQUENCE, der, len);
    assert_non_null(attribute);
    assert_true(sk_X509_ATTRIBUTE_push(attributes, attribute) > 0);
    OPENSSL_free(der);
    free_extension_stack(take_extensions);
}

struct asking {
    int nid;           // 0 ends the list
    unsigned kinds[2]; // the second follows the first in the same attribute
};

static STACK_OF(X509_ATTRIBUTE) * attributes_of(const struct asking asking[], size_t count)
{
    STACK_OF(X509_ATTRIBUTE) *attributes = sk_X509_ATTRIBUTE_new_null();
    for (size_t i = 0; i < count && asking[i].nid != 0; i++) {
        X509_EXTENSIONS *extensions = sk_X509_EXTENSION_new_null();
        push_kinds(extensions, asking[i].kinds[0]);
        push_kinds(extensions, asking[i].kinds[1]);
        push_attribute(attributes, asking[i].nid, extensions);
    }
    return attributes;
}

static void attributes_free(STACK_OF(X509_ATTRIBUTE) * attributes)
{
    sk_X509_ATTRIBUTE_pop_free(attributes, X509_ATTRIBUTE_free);
}

static void assert_extensions_refused(STACK_OF(X509_ATTRIBUTE) * take_attributes, const char *text)
{
    X509_EXTENSIONS *extensions = NULL;
    struct err err = {0};
    assert_refused(csr_extensions(take_attributes, &extensions, &err), ERR_BAD_REQUEST, &err, text);
    assert_null(extensions);
    attributes_free(take_attributes);
}

static void takes_extensions_of_both_kinds_together(void **state)
{
    (void)state;
    static const struct {
        struct asking asking[3];
        int count;
        bool has_alt_name;
    } good[] = {
        {{{0, {0}}}, 0, false},
        {{{NID_pkcs9_unstructuredName, {KEY_USAGE}}}, 0, false},
        {{{NID_ext_req, {0}}}, 0, false},
        {{{NID_ext_req, {ALT_NAME | KEY_USAGE}}}, 2, true},
        {{{NID_ms_ext_req, {ALT_NAME}}}, 1, true},
        {{{NID_ms_ext_req, {ALT_NAME}}, {NID_ext_req, {KEY_USAGE | UNKNOWN}}}, 3, true},
        {{{NID_ext_req, {0}}, {NID_ms_ext_req, {UNKNOWN}}}, 1, false},
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        STACK_OF(X509_ATTRIBUTE) *attributes = attributes_of(good[i].asking, 3);
        X509_EXTENSIONS *extensions = NULL;
        struct err err = {0};
        assert_ok(csr_extensions(attributes, &extensions, &err), &err);
        assert_non_null(extensions);
        assert_int_equal(sk_X509_EXTENSION_num(extensions), good[i].count);
        int at = X509v3_get_ext_by_NID(extensions, NID_subject_alt_name, -1);
        assert_int_equal(at >= 0, good[i].has_alt_name);
        free_extension_stack(extensions);
        attributes_free(attributes);
    }
    X509_EXTENSIONS *none = NULL;
    assert_int_equal(csr_extensions(NULL, &none, NULL), ERR_OK);
    assert_int_equal(sk_X509_EXTENSION_num(none), 0);
    free_extension_stack(none);
}

static void refuses_what_is_asked_for_twice(void **state)
{
    (void)state;
    static const struct {
        struct asking asking[3];
        const char *text;
    } bad[] = {
        {{{NID_ext_req, {ALT_NAME, ALT_NAME}}}, "Alternative Name twice"},
        {{{NID_ms_ext_req, {UNKNOWN | KEY_USAGE, UNKNOWN}}}, "1.2.3.4 twice"},
        {{{NID_ext_req, {ALT_NAME}}, {NID_ms_ext_req, {ALT_NAME}}}, "Alternative Name twice"},
        {{{NID_ms_ext_req, {KEY_USAGE}}, {NID_ext_req, {UNKNOWN, KEY_USAGE}}}, "Key Usage twice"},
        {{{NID_ext_req, {ALT_NAME}}, {NID_ext_req, {KEY_USAGE}}}, "more than one extensionRequest"},
        {{{NID_ms_ext_req, {0}}, {NID_ext_req, {0}}, {NID_ms_ext_req, {0}}},
         "more than one extensionRequest"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_extensions_refused(attributes_of(bad[i].asking, 3), bad[i].text);
    }
}

// `counts`: extensions in the attributes of either kind, all different.
static STACK_OF(X509_ATTRIBUTE) * many_extensions(const int counts[2])
{
    static const int nids[] = {NID_ext_req, NID_ms_ext_req};
    STACK_OF(X509_ATTRIBUTE) *attributes = sk_X509_ATTRIBUTE_new_null();
    for (int i = 0; i < 2; i++) {
        X509_EXTENSIONS *extensions = sk_X509_EXTENSION_new_null();
        for (int j = 0; j < counts[i]; j++) {
            char oid[32];
            snprintf(oid, sizeof oid, "1.2.3.%d.%d", i, j);
            push_extension(extensions, oid);
        }
        push_attribute(attributes, nids[i], extensions);
    }
    return attributes;
}

static void counts_the_extensions(void **state)
{
    (void)state;
    STACK_OF(X509_ATTRIBUTE) *most = many_extensions((int[]){CSR_EXTENSIONS_MAX - 1, 1});
    X509_EXTENSIONS *extensions = NULL;
    struct err err = {0};
    assert_ok(csr_extensions(most, &extensions, &err), &err);
    assert_int_equal(sk_X509_EXTENSION_num(extensions), CSR_EXTENSIONS_MAX);
    free_extension_stack(extensions);
    attributes_free(most);
    assert_extensions_refused(many_extensions((int[]){CSR_EXTENSIONS_MAX, 1}), "more than 32");
    assert_extensions_refused(many_extensions((int[]){0, CSR_EXTENSIONS_MAX + 1}), "more than 32");
}

static STACK_OF(X509_ATTRIBUTE) * raw_attribute(int type, struct view octets)
{
    STACK_OF(X509_ATTRIBUTE) *attributes = sk_X509_ATTRIBUTE_new_null();
    sk_X509_ATTRIBUTE_push(attributes, X509_ATTRIBUTE_create_by_NID(NULL, NID_ext_req, type,
                                                                    octets.data, (int)octets.len));
    return attributes;
}

static void refuses_malformed_extension_requests(void **state)
{
    (void)state;
    static const struct {
        int type;
        const char *octets;
        size_t len;
        const char *text;
    } bad[] = {
        {V_ASN1_UTF8STRING, "x", 1, "without exactly one list"},
        {V_ASN1_OCTET_STRING, "\x30\x00", 2, "without exactly one list"},
        {V_ASN1_SEQUENCE, "", 0, "malformed"},
        {V_ASN1_SEQUENCE, "\x30\x02\x05\x00", 4, "malformed"},
        {V_ASN1_SEQUENCE, "\x30\x01\x00", 3, "malformed"},
        {V_ASN1_SEQUENCE, "\x30\x00\x00", 3, "malformed"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_extensions_refused(raw_attribute(bad[i].type, view_of(bad[i].octets, bad[i].len)),
                                  bad[i].text);
    }
    STACK_OF(X509_ATTRIBUTE) *two = raw_attribute(V_ASN1_SEQUENCE, view_of("\x30\x00", 2));
    X509_ATTRIBUTE_set1_data(sk_X509_ATTRIBUTE_value(two, 0), V_ASN1_SEQUENCE, "\x30\x00", 2);
    assert_extensions_refused(two, "without exactly one list");
    STACK_OF(X509_ATTRIBUTE) *none = sk_X509_ATTRIBUTE_new_null();
    X509_ATTRIBUTE *empty = X509_ATTRIBUTE_new();
    X509_ATTRIBUTE_set1_object(empty, OBJ_nid2obj(NID_ext_req));
    sk_X509_ATTRIBUTE_push(none, empty);
    assert_extensions_refused(none, "without exactly one list");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_openssl),
        cmocka_unit_test(copies_the_key),
        cmocka_unit_test(attributes_may_be_absent),
        cmocka_unit_test(refuses_malformed_keys),
        cmocka_unit_test(every_prefix_is_refused),
        cmocka_unit_test(takes_extensions_of_both_kinds_together),
        cmocka_unit_test(refuses_what_is_asked_for_twice),
        cmocka_unit_test(counts_the_extensions),
        cmocka_unit_test(refuses_malformed_extension_requests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
