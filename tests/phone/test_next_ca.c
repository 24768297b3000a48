// SPDX-License-Identifier: Apache-2.0
// The phone's reader of GetNextCACert says no to each broken rule.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/phone/next_ca.h"
#include "tests/phone/request.h"
#include "tests/phone/test_kit.h"

enum change {
    CHANGE_NONE,
    CHANGE_NEW_ROOT,    // the next CA is a root of its own
    CHANGE_SIGNER,      // signed by a stranger, who is enclosed
    CHANGE_SIGNER_RA,   // signed by the present RA
    CHANGE_UNSIGNED,    // no signer at all
    CHANGE_CONTENT,     // a bit of the content
    CHANGE_TRAILING,    // an octet after the end
    CHANGE_ATTRIBUTE,   // a SCEP attribute
    CHANGE_INNER,       // not certificates inside
    CHANGE_NO_RA,       // nothing to encrypt to
    CHANGE_STRANGE_RA,  // an RA of another CA
    CHANGE_PRESENT_RA,  // the present RA again
    CHANGE_CONTENT_TYPE // id-signedData instead of data
};

// A root, its present and its next issuing CA with an RA each, a new root and a stranger.
struct world {
    EVP_PKEY *root_key, *ca_key, *ra_key, *next_key, *other_key;
    X509 *root, *ca, *ra, *next_ca, *next_ra, *new_root, *new_ra, *stranger, *strange_ra;
    struct authority authority;
};

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    world->root_key = key_make(KEY_BITS_DEFAULT);
    world->ca_key = key_make(KEY_BITS_DEFAULT);
    world->ra_key = key_make(KEY_BITS_DEFAULT);
    world->next_key = key_make(KEY_BITS_DEFAULT);
    world->other_key = key_make(KEY_BITS_DEFAULT);
    world->root = kit_cert("root", world->root_key, NULL, NULL);
    world->ca = kit_sub_ca("issuing", world->ca_key, world->root, world->root_key);
    world->ra = kit_cert("ra", world->ra_key, world->ca, world->ca_key);
    world->next_ca = kit_sub_ca("next", world->next_key, world->root, world->root_key);
    world->next_ra = kit_cert("next ra", world->ra_key, world->next_ca, world->next_key);
    world->new_root = kit_cert("new root", world->next_key, NULL, NULL);
    world->new_ra = kit_cert("new ra", world->ra_key, world->new_root, world->next_key);
    world->stranger = kit_cert("stranger", world->other_key, NULL, NULL);
    world->strange_ra = kit_cert("strange ra", world->ra_key, world->stranger, world->other_key);
    world->authority = (struct authority){.is_strict = true,
                                          .certs = sk_X509_new_null(),
                                          .root = world->root,
                                          .ra = world->ra,
                                          .issuing = world->ca};
    X509 *present[] = {world->ra, world->ca, world->root};
    for (size_t i = 0; i < sizeof present / sizeof present[0]; i++) {
        require(X509_up_ref(present[i]) == 1 &&
                    sk_X509_push(world->authority.certs, present[i]) > 0,
                "making a world");
    }
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    authority_done(&world->authority);
    X509 *certs[] = {world->root,    world->ca,       world->ra,
                     world->next_ca, world->next_ra,  world->new_root,
                     world->new_ra,  world->stranger, world->strange_ra};
    for (size_t i = 0; i < sizeof certs / sizeof certs[0]; i++) {
        X509_free(certs[i]);
    }
    EVP_PKEY *keys[] = {world->root_key, world->ca_key, world->ra_key, world->next_key,
                        world->other_key};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        EVP_PKEY_free(keys[i]);
    }
    free(world);
    return 0;
}

static struct octets make_content(const struct world *world, enum change change)
{
    X509 *certs[2] = {world->next_ra, world->next_ca};
    size_t count = 2;
    switch (change) {
    case CHANGE_NEW_ROOT:
        certs[0] = world->new_ra;
        certs[1] = world->new_root;
        break;
    case CHANGE_NO_RA:
        certs[0] = world->next_ca;
        count = 1;
        break;
    case CHANGE_STRANGE_RA:
        certs[0] = world->strange_ra;
        break;
    case CHANGE_PRESENT_RA:
        certs[0] = world->ra;
        certs[1] = world->ca;
        break;
    case CHANGE_INNER:
        return octets_copy("certificates", strlen("certificates"));
    default:
        break;
    }
    return kit_certs_only(certs, count);
}

static PKCS7 *make_message(const struct world *world, enum change change)
{
    CLEANUP(octets_done) struct octets content = make_content(world, change);
    X509 *signer = change == CHANGE_SIGNER      ? world->stranger
                   : change == CHANGE_SIGNER_RA ? world->ra
                                                : world->ca;
    EVP_PKEY *key = change == CHANGE_SIGNER      ? world->other_key
                    : change == CHANGE_SIGNER_RA ? world->ra_key
                                                 : world->ca_key;
    PKCS7 *message = kit_signed(&content, signer, key);
    PKCS7_SIGNER_INFO *info = sk_PKCS7_SIGNER_INFO_value(message->d.sign->signer_info, 0);
    if (change == CHANGE_ATTRIBUTE) {
        ASN1_STRING *type = ASN1_STRING_type_new(V_ASN1_PRINTABLESTRING);
        require(ASN1_STRING_set(type, "3", 1) == 1 &&
                    PKCS7_add_signed_attribute(info, scep_nid(SCEP_MESSAGE_TYPE),
                                               V_ASN1_PRINTABLESTRING, type) == 1 &&
                    PKCS7_SIGNER_INFO_sign(info) == 1,
                "adding an attribute");
    } else if (change == CHANGE_UNSIGNED) {
        PKCS7_SIGNER_INFO_free(sk_PKCS7_SIGNER_INFO_pop(message->d.sign->signer_info));
    } else if (change == CHANGE_CONTENT) {
        message->d.sign->contents->d.data->data[9] ^= 1;
    }
    return message;
}

// The certificates themselves as content, as some servers have it.
static PKCS7 *make_nested(const struct world *world)
{
    CLEANUP(octets_done) struct octets inner = make_content(world, CHANGE_NONE);
    const unsigned char *at = inner.data;
    PKCS7 *message = PKCS7_new();
    require(message != NULL && PKCS7_set_type(message, NID_pkcs7_signed) == 1 &&
                PKCS7_set_content(message, d2i_PKCS7(NULL, &at, (long)inner.len)) == 1 &&
                PKCS7_add_certificate(message, world->ca) == 1 &&
                PKCS7_add_signature(message, world->ca, world->ca_key, EVP_sha256()) != NULL,
            "making a message");
    return message;
}

static struct octets make_answer(const struct world *world, enum change change)
{
    CLEANUP(cleanup_PKCS7_free)
    PKCS7 *message =
        change == CHANGE_CONTENT_TYPE ? make_nested(world) : make_message(world, change);
    struct octets der = pkcs7_der(message);
    if (change == CHANGE_TRAILING) {
        CLEANUP(octets_done) struct octets old = der;
        der = octets_copy(old.data, old.len);
        der.len++; // octets_copy() ends with a NUL
    }
    return der;
}

static void reads_good_answers(void **state)
{
    const struct world *world = *state;
    const enum change goods[] = {CHANGE_NONE, CHANGE_NEW_ROOT};
    for (size_t i = 0; i < sizeof goods / sizeof goods[0]; i++) {
        CLEANUP(octets_done) struct octets der = make_answer(world, goods[i]);
        CLEANUP(cleanup_free_certs) STACK_OF(X509) *certs = NULL;
        struct trouble trouble = {0};
        assert_int_equal(next_ca_parse(&der, &world->authority, &certs, &trouble), OUTCOME_OK);
        assert_int_equal(sk_X509_num(certs), 2);
        X509 *wanted = goods[i] == CHANGE_NONE ? world->next_ra : world->new_ra;
        assert_int_equal(X509_cmp(authority_choose_ra(certs), wanted), 0);
    }
}

static void refuses_broken_answers(void **state)
{
    static const struct {
        enum change change;
        const char *text;
    } rows[] = {
        {CHANGE_SIGNER, "not signed by the present CA"},
        {CHANGE_SIGNER_RA, "not signed by the present CA"},
        {CHANGE_UNSIGNED, "with one signer"},
        {CHANGE_CONTENT, "not signed by the present CA"},
        {CHANGE_TRAILING, "not one SignedData"},
        {CHANGE_ATTRIBUTE, "attribute of a SCEP message"},
        {CHANGE_INNER, "not one DER SignedData"},
        {CHANGE_NO_RA, "digitalSignature + keyEncipherment"},
        {CHANGE_STRANGE_RA, "does not chain"},
        {CHANGE_PRESENT_RA, "is the present one"},
        {CHANGE_CONTENT_TYPE, "not one SignedData over data"},
    };
    const struct world *world = *state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CLEANUP(octets_done) struct octets der = make_answer(world, rows[i].change);
        STACK_OF(X509) *certs = NULL;
        struct trouble trouble = {0};
        enum outcome outcome = next_ca_parse(&der, &world->authority, &certs, &trouble);
        if (outcome != OUTCOME_UNTRUSTED || strstr(trouble.text, rows[i].text) == NULL) {
            fail_msg("change %d: outcome %d, \"%s\" instead of \"%s\"", (int)rows[i].change,
                     (int)outcome, trouble.text, rows[i].text);
        }
        assert_null(certs);
    }
}

static void refuses_every_cut(void **state)
{
    const struct world *world = *state;
    CLEANUP(octets_done) struct octets good = make_answer(world, CHANGE_NONE);
    for (size_t len = 0; len < good.len; len++) {
        const struct octets cut = {.data = good.data, .len = len};
        STACK_OF(X509) *certs = NULL;
        struct trouble trouble = {0};
        assert_int_equal(next_ca_parse(&cut, &world->authority, &certs, &trouble),
                         OUTCOME_UNTRUSTED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_good_answers),
        cmocka_unit_test(refuses_broken_answers),
        cmocka_unit_test(refuses_every_cut),
    };
    scep_register();
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
