// SPDX-License-Identifier: Apache-2.0
// Opening envelopes: right ones, wrong keys, and every kind of damage, which all fail alike.
#include "conf/cms/unwrap.h"

#include <string.h>

#include "kit/kit.h"
#include "kit/pkimessage.h"

enum { KEY_US = 0, KEY_OTHER = 1 };

#define PLAIN  "messageData with a challenge"
#define MAULED 300

static X509 *us;
static X509 *other;

static int set_up(void **state)
{
    (void)state;
    other = kit_cert(kit_key(KEY_OTHER), "Other", NULL, NULL, true, KIT_NOW, 5);
    us = kit_cert(kit_key(KEY_US), "RA", other, kit_key(KEY_OTHER), false, KIT_NOW, 5);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    X509_free(us);
    X509_free(other);
    return 0;
}

static CMS_ContentInfo *parse(const struct buf *der)
{
    const unsigned char *end = der->data;
    return d2i_CMS_ContentInfo(NULL, &end, (long)der->len);
}

static void opens_what_is_for_us(void **state)
{
    (void)state;
    const struct kit_envelope tests[] = {
        {.cipher = "AES-128-CBC"},         {.cipher = "AES-256-CBC"},
        {.cipher = "DES-EDE3-CBC"},        {.is_oaep = true},
        {.is_indefinite = true},           {.is_by_ski = true},
        {.recipients = {other, us, NULL}}, {.is_parameters_absent = true},
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        struct kit_envelope envelope = tests[i];
        struct buf content = {0};
        struct err err = {0};
        envelope.plain = view_of_text(PLAIN);
        struct buf der = kit_envelope_der(&envelope, us);
        CMS_ContentInfo *info = parse(&der);
        if (unwrap_envelope(info, us, kit_key(KEY_US), &content, &err) != ERR_OK) {
            fail_msg("%zu: %s", i, err.text);
        }
        assert_true(view_is_text(buf_view(&content), PLAIN));
        buf_wipe(&content);
        CMS_ContentInfo_free(info);
        buf_done(&der);
    }
}

// RFC 8894, 3.2.2: id-data inside.
static void other_content_types(void **state)
{
    (void)state;
    struct buf content = {0};
    struct err err = {0};
    struct buf der = kit_envelope_der(
        &(struct kit_envelope){.plain = view_of_text(PLAIN), .content_nid = NID_pkcs7_signed}, us);
    CMS_ContentInfo *info = parse(&der);
    assert_int_equal(unwrap_envelope(info, us, kit_key(KEY_US), &content, &err), ERR_BAD_REQUEST);
    assert_non_null(strstr(err.text, "id-data"));
    assert_null(content.data);
    CMS_ContentInfo_free(info);
    buf_done(&der);
}

// No answer depends on which part is damaged; the random key that OpenSSL goes on with may even
// give some garbage, but never the content.
static void damage_never_opens(void **state)
{
    (void)state;
    static const uint8_t key_header[] = {0x04, 0x82, 0x01, 0x00};
    struct buf der = kit_envelope_der(&(struct kit_envelope){.plain = view_of_text(PLAIN)}, us);
    uint8_t *key = memmem(der.data, der.len, key_header, sizeof key_header);
    assert_non_null(key);
    for (unsigned i = 0; i < MAULED; i++) {
        struct buf content = {0};
        struct err err = {0};
        uint8_t *at = key + sizeof key_header + i % 256;
        *at ^= 0x40;
        CMS_ContentInfo *info = parse(&der);
        assert_non_null(info);
        enum err_code code = unwrap_envelope(info, us, kit_key(KEY_US), &content, &err);
        assert_true(code == ERR_OK || code == ERR_BAD_REQUEST);
        assert_false(view_is_text(buf_view(&content), PLAIN));
        buf_wipe(&content);
        CMS_ContentInfo_free(info);
        *at ^= 0x40;
    }
    buf_done(&der);
}

static void for_somebody_else(void **state)
{
    (void)state;
    struct buf content = {0};
    struct err err = {0};
    struct buf der = kit_envelope_der(&(struct kit_envelope){.plain = view_of_text(PLAIN)}, other);
    CMS_ContentInfo *info = parse(&der);
    assert_int_equal(unwrap_envelope(info, us, kit_key(KEY_US), &content, &err), ERR_BAD_REQUEST);
    assert_int_equal(err.code, ERR_BAD_REQUEST);
    assert_non_null(strstr(err.text, "cannot be opened"));
    assert_null(content.data);
    CMS_ContentInfo_free(info);
    buf_done(&der);
}

// What parses but is cut inside, or is no envelope at all.
static void not_an_envelope(void **state)
{
    (void)state;
    struct buf content = {0};
    struct err err = {0};
    struct buf der = kit_envelope_der(&(struct kit_envelope){.plain = view_of_text(PLAIN)}, us);
    for (size_t len = 0; len < der.len; len++) {
        struct buf cut = {.data = der.data, .len = len};
        CMS_ContentInfo *info = parse(&cut);
        assert_null(info); // nothing cut reaches unwrap_envelope()
    }
    BIO *octets = BIO_new_mem_buf(PLAIN, -1);
    CMS_ContentInfo *data = CMS_data_create(octets, 0);
    BIO_free(octets);
    assert_non_null(data);
    assert_int_equal(unwrap_envelope(data, us, kit_key(KEY_US), &content, &err), ERR_BAD_REQUEST);
    assert_null(content.data);
    CMS_ContentInfo_free(data);
    buf_done(&der);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_what_is_for_us), cmocka_unit_test(other_content_types),
        cmocka_unit_test(damage_never_opens),   cmocka_unit_test(for_somebody_else),
        cmocka_unit_test(not_an_envelope),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
