// SPDX-License-Identifier: Apache-2.0
// Which trust store accepts which manufacturer's certificate, and why not: rows 4, 25, 26 of the
// phones' table and the forgeries that must never pass.
#include "ra/trust.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kit/kit.h"
#include "tests/mic/mic_factory.h"

#define FILES_MAX  4
#define STORES_MAX 2
#define YEAR_SEC   (365 * (int64_t)DAY_SEC)

static struct fixture {
    struct mic_factory *factory;
    char *folder;
} fixture;

static int set_up(void **state)
{
    (void)state;
    fixture.factory = mic_factory_new(KIT_NOW);
    fixture.folder = kit_new_folder();
    mic_factory_write(fixture.factory, fixture.folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    mic_factory_free(fixture.factory);
    kit_remove_folder(fixture.folder);
    return 0;
}

// A store by the names of the factory's certificates.
struct store_spec {
    const char *name; // NULL = no store
    const char *roots[FILES_MAX];
    const char *intermediates[FILES_MAX];
    bool accept_expired;
    bool accept_sha1;
    uint32_t min_rsa_bits; // 0 = 2048
    uint32_t classes;      // bits of enum settings_mic_class; 0 = all
};
#define BIT(mic_class) (1U << (mic_class))

static void fill_files(struct settings_texts *texts, const char *const names[FILES_MAX])
{
    for (size_t i = 0; i < FILES_MAX && names[i] != NULL; i++) {
        char file[64];
        snprintf(file, sizeof file, "%s%s", names[i], strchr(names[i], '.') == NULL ? ".pem" : "");
        texts->list[texts->count++] = kit_path(fixture.folder, file);
    }
}

static struct settings *settings_of(const struct store_spec stores[STORES_MAX])
{
    struct settings *settings = calloc(1, sizeof *settings);
    assert_non_null(settings);
    for (size_t i = 0; i < STORES_MAX && stores[i].name != NULL; i++) {
        struct settings_mic_store *store = &settings->mic[settings->mic_count++];
        store->name = stores[i].name;
        fill_files(&store->roots, stores[i].roots);
        fill_files(&store->intermediates, stores[i].intermediates);
        store->accept_expired = stores[i].accept_expired;
        store->accept_sha1 = stores[i].accept_sha1;
        store->min_rsa_bits = stores[i].min_rsa_bits != 0 ? stores[i].min_rsa_bits : 2048;
        for (uint32_t mic_class = 0; mic_class <= SETTINGS_MIC_OTHER; mic_class++) {
            if (stores[i].classes == 0 || (stores[i].classes & BIT(mic_class)) != 0) {
                store->classes[store->classes_count++] = mic_class;
            }
        }
    }
    return settings;
}

static void free_files(struct settings_texts *texts)
{
    for (uint32_t i = 0; i < texts->count; i++) {
        free((char *)texts->list[i]);
    }
}

static void free_settings(struct settings *take_settings)
{
    for (uint32_t i = 0; i < take_settings->mic_count; i++) {
        free_files(&take_settings->mic[i].roots);
        free_files(&take_settings->mic[i].intermediates);
    }
    free(take_settings);
}

static enum err_code try_load(const struct store_spec stores[STORES_MAX], struct trust **ret_trust,
                              struct err *err)
{
    struct settings *settings = settings_of(stores);
    enum err_code code = trust_load(settings, ret_trust, err);
    free_settings(settings); // the trust must not depend on them
    return code;
}

static struct trust *load(const struct store_spec stores[STORES_MAX])
{
    struct err err = {0};
    struct trust *trust = NULL;
    if (try_load(stores, &trust, &err) != ERR_OK) {
        fail_msg("%s", err.text);
    }
    return trust;
}

struct judge_case {
    const char *cert;
    const char *others[FILES_MAX]; // of the message
    struct store_spec stores[STORES_MAX];
    int64_t later; // seconds after KIT_NOW
    enum trust_state state;
    const char *store;
    const char *reason; // part of it
};

static STACK_OF(X509) * stack_of(const char *const names[FILES_MAX])
{
    STACK_OF(X509) *certs = sk_X509_new_null();
    for (size_t i = 0; i < FILES_MAX && names[i] != NULL; i++) {
        sk_X509_push(certs, mic_cert(fixture.factory, names[i]));
    }
    return certs;
}

static struct trust_result judge(const struct trust *trust, const char *cert,
                                 const char *const others[FILES_MAX], int64_t now)
{
    struct err err = {0};
    struct trust_result result = {0};
    STACK_OF(X509) *certs = others[0] != NULL ? stack_of(others) : NULL;
    enum err_code code =
        trust_judge(trust, mic_cert(fixture.factory, cert), certs, now, &result, &err);
    if (code != ERR_OK) {
        fail_msg("%s: %s", cert, err.text);
    }
    sk_X509_free(certs);
    return result;
}

static void assert_result(const struct judge_case *test, const struct trust_result *result)
{
    if (result->state != test->state) {
        fail_msg("%s: %s (%s), expected %s", test->cert, trust_state_name(result->state),
                 result->reason, trust_state_name(test->state));
    }
    if (test->store == NULL) {
        assert_null(result->store);
        assert_int_equal(result->identity.identity_class, IDENTITY_NONE);
    } else {
        assert_non_null(result->store);
        assert_string_equal(result->store, test->store);
        assert_int_not_equal(result->identity.identity_class, IDENTITY_NONE);
    }
    assert_int_equal(result->reason[0] == '\0', test->state == TRUST_GOOD);
    if (test->reason != NULL && strstr(result->reason, test->reason) == NULL) {
        fail_msg("%s: \"%s\" does not contain \"%s\"", test->cert, result->reason, test->reason);
    }
}

static void check(const struct judge_case *test)
{
    struct trust *trust = load(test->stores);
    struct trust_result result = judge(trust, test->cert, test->others, KIT_NOW + test->later);
    assert_result(test, &result);
    trust_free(trust);
}

static void check_table(const struct judge_case *tests, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        check(&tests[i]);
    }
}
#define CHECK(tests) check_table(tests, sizeof(tests) / sizeof(tests)[0])

#define SUDI                                                                                       \
    {                                                                                              \
        .name = "sudi", .roots = {"crca2099"}, .intermediates = { "hasudi" }                       \
    }
#define SUDI_BARE                                                                                  \
    {                                                                                              \
        .name = "sudi", .roots = { "crca2099" }                                                    \
    }
#define M2                                                                                         \
    {                                                                                              \
        .name = "m2", .roots = {"crcam2"}, .intermediates = { "cmca2" }                            \
    }
#define OLD(...)                                                                                   \
    {                                                                                              \
        .name = "old", .roots = {"crca2048"}, .intermediates = {"cmca", "act2sudica"}, __VA_ARGS__ \
    }
#define SPA(...)                                                                                   \
    {                                                                                              \
        .name = "spa", .roots = {"spa-ca"}, __VA_ARGS__                                            \
    }
#define SIPURA(...)                                                                                \
    {                                                                                              \
        .name = "sipura", .roots = {"sipura-ca"}, __VA_ARGS__                                      \
    }

static void genuine_row_4(void **state)
{
    (void)state;
    static const struct judge_case tests[] = {
        {.cert = "phone-9871", .stores = {SUDI}, .state = TRUST_GOOD, .store = "sudi"},
        {.cert = "phone-8861", .stores = {M2}, .state = TRUST_GOOD, .store = "m2"},
        {.cert = "phone-8861", .stores = {SUDI, M2}, .state = TRUST_GOOD, .store = "m2"},
        {.cert = "phone-9871", .stores = {M2, SUDI}, .state = TRUST_GOOD, .store = "sudi"},
        {.cert = "phone-dp9861", .stores = {SUDI}, .state = TRUST_GOOD, .store = "sudi"}, // odd EKU
        {.cert = "switch-c9300", .stores = {SUDI}, .state = TRUST_GOOD, .store = "sudi"}, // odd KU
        {.cert = "phone-multi", .stores = {SUDI}, .state = TRUST_GOOD, .store = "sudi"},
        {.cert = "phone-bmp", .stores = {SUDI}, .state = TRUST_GOOD, .store = "sudi"},
        {.cert = "phone-quotes", .stores = {SUDI}, .state = TRUST_GOOD, .store = "sudi"},
        // The message layer refuses it, because nothing can be encrypted to it.
        {.cert = "phone-ec", .stores = {SUDI}, .state = TRUST_GOOD, .store = "sudi"},
        {.cert = "spa-962", .stores = {SPA()}, .state = TRUST_GOOD, .store = "spa"},
        {.cert = "spa-962-swapped", .stores = {SPA()}, .state = TRUST_GOOD, .store = "spa"},
        {.cert = "mpp-8841", .stores = {SPA()}, .state = TRUST_GOOD, .store = "spa"},
        {.cert = "ap-3800", .stores = {M2}, .state = TRUST_GOOD, .store = "m2"},
        {.cert = "cloud-c9350", .stores = {SUDI}, .state = TRUST_GOOD, .store = "sudi"},
        {.cert = "phone-8861",
         .stores = {{.name = "all", .roots = {"roots"}, .intermediates = {"intermediates"}}},
         .state = TRUST_GOOD,
         .store = "all"},
    };
    CHECK(tests);
}

static void identity_is_read(void **state)
{
    (void)state;
    static const struct store_spec stores[STORES_MAX] = {SUDI};
    static const char *const nothing[FILES_MAX] = {NULL};
    struct trust *trust = load(stores);
    struct trust_result result = judge(trust, "phone-9871", nothing, KIT_NOW);
    assert_string_equal(result.identity.common_name, "CP-9871-SEP001A2B3C4D5E");
    assert_string_equal(result.identity.mac, "001A2B3C4D5E");
    assert_string_equal(result.identity.serial_number, "FVH27330XYZ");
    assert_int_equal(result.not_after, KIT_NOW + 9 * YEAR_SEC);
    result = judge(trust, "phone-9999", nothing, KIT_NOW);
    assert_int_equal(result.state, TRUST_GOOD);
    assert_int_equal(result.not_after, 253402300799); // 9999-12-31T23:59:59Z
    trust_free(trust);
}

// Intermediates may come with the message, in any order and with anything beside them; roots may
// not.
static void intermediates_of_the_message(void **state)
{
    (void)state;
    static const struct judge_case tests[] = {
        {.cert = "phone-9871",
         .stores = {SUDI_BARE},
         .state = TRUST_NONE,
         .reason = "CN=High Assurance SUDI CA"},
        {.cert = "phone-8845",
         .stores = {{.name = "iii", .roots = {"cbarc2099"}}},
         .state = TRUST_NONE,
         .reason = "no trust store in mic fits its issuer CN="},
        {.cert = "phone-8845",
         .others = {"cmca3"},
         .stores = {{.name = "iii", .roots = {"cbarc2099"}}},
         .state = TRUST_GOOD,
         .store = "iii"},
        {.cert = "phone-9871",
         .others = {"hasudi", "phone-9871"},
         .stores = {SUDI_BARE},
         .state = TRUST_GOOD,
         .store = "sudi"},
        {.cert = "phone-9871",
         .others = {"crca2099", "cmca2", "hasudi", "phone-8861"},
         .stores = {SUDI_BARE},
         .state = TRUST_GOOD,
         .store = "sudi"},
        {.cert = "phone-9871", // the forged one of the same name comes first
         .others = {"forged-root", "forged-hasudi", "hasudi"},
         .stores = {SUDI},
         .state = TRUST_GOOD,
         .store = "sudi"},
        {.cert = "phone-8861",
         .others = {"cmca2", "crcam2"},
         .stores = {SUDI},
         .state = TRUST_NONE,
         .reason = "self-signed certificate in certificate chain"},
    };
    CHECK(tests);
}

static void forgeries(void **state)
{
    (void)state;
    static const struct judge_case tests[] = {
        {.cert = "forged-9871", .stores = {SUDI}, .state = TRUST_NONE},
        {.cert = "forged-9871",
         .others = {"forged-hasudi", "forged-root"},
         .stores = {SUDI},
         .state = TRUST_NONE},
        {.cert = "forged-9871",
         .others = {"forged-hasudi", "forged-root"},
         .stores = {SUDI_BARE},
         .state = TRUST_NONE},
        {.cert = "forged-serial",
         .stores = {M2, SUDI},
         .state = TRUST_NONE,
         .reason = "certificate signature failure"},
        {.cert = "forged-serial",
         .others = {"phone-9871", "hasudi", "crca2099"},
         .stores = {SUDI_BARE},
         .state = TRUST_NONE,
         .reason = "certificate signature failure"},
        {.cert = "lookalike-9871",
         .others = {"lookalike-ca"},
         .stores = {SUDI},
         .state = TRUST_NONE},
        {.cert = "minted-9871",
         .others = {"phone-dp9861", "hasudi"},
         .stores = {SUDI},
         .state = TRUST_NONE,
         .reason = "invalid CA certificate"},
        {.cert = "self-9871", .stores = {SUDI}, .state = TRUST_NONE, .reason = "self-signed"},
        {.cert = "self-9871",
         .others = {"self-9871", "hasudi", "crca2099"},
         .stores = {SUDI},
         .state = TRUST_NONE},
        {.cert = "phone-nul", .stores = {M2, SUDI}, .state = TRUST_NONE, .reason = "no text"},
        {.cert = "phone-newline",
         .stores = {SUDI, M2},
         .state = TRUST_NONE,
         .reason = "control character"},
        {.cert = "phone-9871",
         .stores = {{.name = NULL}},
         .state = TRUST_NONE,
         .reason = "there is no trust store"},
        // Whoever has a CA's key needs no certificate from us.
        {.cert = "hasudi",
         .stores = {SUDI},
         .state = TRUST_CLASS,
         .store = "sudi",
         .reason = "of a CA"},
        {.cert = "crca2099",
         .stores = {SUDI},
         .state = TRUST_CLASS,
         .store = "sudi",
         .reason = "of a CA"},
    };
    CHECK(tests);
}

static void dates(void **state)
{
    (void)state;
    static const struct judge_case tests[] = {
        {.cert = "phone-expired",
         .stores = {SUDI},
         .state = TRUST_EXPIRED,
         .store = "sudi",
         .reason = "the certificate was valid until 2026-12-16T08:00:00Z"},
        {.cert = "phone-expired",
         .stores = {{.name = "x",
                     .roots = {"crca2099"},
                     .intermediates = {"hasudi"},
                     .accept_expired = true}},
         .state = TRUST_GOOD,
         .store = "x"},
        {.cert = "phone-expired", // the second store wins
         .stores = {SUDI,
                    {.name = "x",
                     .roots = {"crca2099"},
                     .intermediates = {"hasudi"},
                     .accept_expired = true}},
         .state = TRUST_GOOD,
         .store = "x"},
        {.cert = "phone-future",
         .stores = {SUDI},
         .state = TRUST_NOT_YET,
         .store = "sudi",
         .reason = "not valid before 2027-01-17T08:00:00Z"},
        {.cert = "phone-future",
         .stores = {{.name = "x",
                     .roots = {"crca2099"},
                     .intermediates = {"hasudi"},
                     .accept_expired = true}},
         .state = TRUST_NOT_YET,
         .store = "x"},
        {.cert = "phone-9871",
         .stores = {SUDI},
         .later = 9 * YEAR_SEC,
         .state = TRUST_GOOD,
         .store = "sudi"},
        {.cert = "phone-9871",
         .stores = {SUDI},
         .later = 9 * YEAR_SEC + 1,
         .state = TRUST_EXPIRED,
         .store = "sudi"},
        {.cert = "phone-9871",
         .stores = {SUDI},
         .later = -YEAR_SEC,
         .state = TRUST_GOOD,
         .store = "sudi"},
        {.cert = "phone-9871",
         .stores = {SUDI},
         .later = -YEAR_SEC - 1,
         .state = TRUST_NOT_YET,
         .store = "sudi"},
        {.cert = "phone-9999",
         .stores = {SUDI},
         .later = 60 * YEAR_SEC,
         .state = TRUST_GOOD,
         .store = "sudi"},
        {.cert = "phone-9999", // it lives on, its CA is over
         .stores = {SUDI},
         .later = 80 * YEAR_SEC,
         .state = TRUST_EXPIRED,
         .store = "sudi",
         .reason = "a CA certificate above it was valid until 2099-12-31T23:59:59Z"},
        {.cert = "phone-9999",
         .stores = {{.name = "x",
                     .roots = {"crca2099"},
                     .intermediates = {"hasudi"},
                     .accept_expired = true}},
         .later = 7900 * YEAR_SEC,
         .state = TRUST_GOOD,
         .store = "x"},
    };
    CHECK(tests);
}

static void strength(void **state)
{
    (void)state;
    static const struct judge_case tests[] = {
        {.cert = "phone-7841",
         .stores = {OLD()},
         .state = TRUST_WEAK,
         .store = "old",
         .reason = "the certificate is signed with SHA-1; mic.accept_sha1 is off"},
        {.cert = "phone-7841",
         .stores = {OLD(.accept_sha1 = true)},
         .state = TRUST_GOOD,
         .store = "old"},
        {.cert = "phone-8832",
         .stores = {OLD(.accept_sha1 = true)},
         .state = TRUST_GOOD,
         .store = "old"},
        {.cert = "spa-962-small",
         .stores = {SPA()},
         .state = TRUST_WEAK,
         .store = "spa",
         .reason = "the certificate has an RSA key of 1024 bits; mic.min_rsa_bits is 2048"},
        {.cert = "spa-962-small",
         .stores = {SPA(.accept_sha1 = true)},
         .state = TRUST_WEAK,
         .store = "spa",
         .reason = "1024 bits"},
        {.cert = "spa-962-small",
         .stores = {SPA(.min_rsa_bits = 1024)},
         .state = TRUST_GOOD,
         .store = "spa"},
        {.cert = "spa-962",
         .stores = {SPA(.min_rsa_bits = 3072)},
         .state = TRUST_WEAK,
         .store = "spa",
         .reason = "2048 bits; mic.min_rsa_bits is 3072"},
        {.cert = "spa-2102",
         .stores = {SIPURA(.min_rsa_bits = 1024)},
         .state = TRUST_WEAK,
         .store = "sipura",
         .reason = "SHA-1"},
        {.cert = "spa-2102",
         .stores = {SIPURA(.accept_sha1 = true)},
         .state = TRUST_WEAK,
         .store = "sipura",
         .reason = "1024"},
        {.cert = "spa-2102",
         .stores = {SIPURA(.accept_sha1 = true, .min_rsa_bits = 1024)},
         .state = TRUST_GOOD,
         .store = "sipura"},
    };
    CHECK(tests);
}

static void classes(void **state)
{
    (void)state;
    static const struct judge_case tests[] = {
        {.cert = "switch-c9300",
         .stores = {{.name = "x",
                     .roots = {"crca2099"},
                     .intermediates = {"hasudi"},
                     .classes = BIT(SETTINGS_MIC_PHONE) | BIT(SETTINGS_MIC_SPA)}},
         .state = TRUST_CLASS,
         .store = "x",
         .reason = "class \"other\""},
        {.cert = "phone-9871",
         .stores = {{.name = "x",
                     .roots = {"crca2099"},
                     .intermediates = {"hasudi"},
                     .classes = BIT(SETTINGS_MIC_PHONE)}},
         .state = TRUST_GOOD,
         .store = "x"},
        {.cert = "spa-962",
         .stores = {SPA(.classes = BIT(SETTINGS_MIC_PHONE))},
         .state = TRUST_CLASS,
         .store = "spa",
         .reason = "class \"spa\""},
        {.cert = "spa-962",
         .stores = {SPA(.classes = BIT(SETTINGS_MIC_SPA))},
         .state = TRUST_GOOD,
         .store = "spa"},
    };
    CHECK(tests);
}

static void generic_row_25(void **state)
{
    (void)state;
    static const struct judge_case tests[] = {
        {.cert = "generic",
         .stores = {SPA(.accept_expired = true, .accept_sha1 = true, .min_rsa_bits = 1024)},
         .state = TRUST_GENERIC,
         .store = "spa",
         .reason = "generic"},
    };
    CHECK(tests);
}

// Of two stores that say no, the one that is nearer to a yes explains why.
static void nearest_store(void **state)
{
    (void)state;
    static const struct judge_case tests[] = {
        {.cert = "phone-7841",
         .stores = {OLD(.accept_sha1 = true, .classes = BIT(SETTINGS_MIC_SPA)), OLD()},
         .state = TRUST_WEAK,
         .store = "old"},
        {.cert = "phone-7841",
         .stores = {OLD(), OLD(.accept_sha1 = true)},
         .later = 10 * YEAR_SEC,
         .state = TRUST_EXPIRED,
         .store = "old"},
        {.cert = "phone-9871",
         .stores = {{.name = "spa",
                     .roots = {"crca2099"},
                     .intermediates = {"hasudi"},
                     .classes = BIT(SETTINGS_MIC_SPA)},
                    M2},
         .state = TRUST_CLASS,
         .store = "spa"},
    };
    CHECK(tests);
}

static void one_store_at_a_time(void **state)
{
    (void)state;
    static const struct store_spec stores[STORES_MAX] = {M2, SUDI};
    struct trust *trust = load(stores);
    struct err err = {0};
    struct trust_result result = {0};
    X509 *cert = mic_cert(fixture.factory, "phone-9871");
    assert_int_equal(trust_store_count(trust), 2);
    assert_string_equal(trust_store_name(trust, 0), "m2");
    assert_string_equal(trust_store_name(trust, 1), "sudi");
    assert_int_equal(trust_judge_by(trust, 0, cert, NULL, KIT_NOW, &result, &err), ERR_OK);
    assert_int_equal(result.state, TRUST_NONE);
    assert_true(result.reason[0] != '\0');
    assert_int_equal(trust_judge_by(trust, 1, cert, NULL, KIT_NOW, &result, &err), ERR_OK);
    assert_int_equal(result.state, TRUST_GOOD);
    assert_string_equal(result.store, "sudi");
    trust_free(trust);
}

static void loading(void **state)
{
    (void)state;
    struct buf key = kit_key_pem(kit_key(0));
    free(kit_write(fixture.folder, "key.pem", buf_view(&key)));
    buf_done(&key);
    static const struct {
        struct store_spec store;
        enum err_code code;
        const char *texts[2];
    } tests[] = {
        {{.name = "a", .roots = {"absent"}}, ERR_NOT_FOUND, {"trust store \"a\"", "absent.pem"}},
        {{.name = "a", .roots = {"key.pem"}}, ERR_CONFIG, {"trust store \"a\"", "key.pem"}},
        {{.name = "a", .roots = {"hasudi"}}, ERR_CONFIG, {"hasudi.pem", "not self-signed"}},
        {{.name = "a", .roots = {"crca2099", "self-9871"}},
         ERR_CONFIG,
         {"self-9871.pem: certificate 1", "no CA's"}},
        {{.name = "a", .roots = {"crca2099"}, .intermediates = {"phone-9871-chain"}},
         ERR_CONFIG,
         {"phone-9871-chain.pem: certificate 1", "no CA's"}},
        {{.name = "a", .intermediates = {"hasudi"}}, ERR_CONFIG, {"trust store \"a\"", "no root"}},
        {{.name = "a", .roots = {"crca2099"}, .intermediates = {"absent"}},
         ERR_NOT_FOUND,
         {"trust store \"a\"", "absent.pem"}},
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        struct err err = {0};
        struct trust *trust = NULL;
        const struct store_spec stores[STORES_MAX] = {tests[i].store};
        enum err_code code = try_load(stores, &trust, &err);
        if (code != tests[i].code || err.code != code ||
            strstr(err.text, tests[i].texts[0]) == NULL ||
            strstr(err.text, tests[i].texts[1]) == NULL) {
            fail_msg("%zu: %s: %s", i, err_name(code), err.text);
        }
        assert_null(trust);
    }
}

// A root whose self-signature does not hold is a damaged or doctored file.
static void damaged_root(void **state)
{
    (void)state;
    struct buf der = {0};
    struct err err = {0};
    struct trust *trust = NULL;
    assert_int_equal(ossl_cert_to_der(mic_cert(fixture.factory, "crca2099"), &der, NULL), ERR_OK);
    der.data[der.len - 1] ^= 1;
    free(kit_write(fixture.folder, "damaged.der", buf_view(&der)));
    const struct store_spec stores[STORES_MAX] = {{.name = "a", .roots = {"damaged.der"}}};
    assert_int_equal(try_load(stores, &trust, &err), ERR_CONFIG);
    der.data[der.len - 1] ^= 1;
    free(kit_write(fixture.folder, "damaged.der", buf_view(&der)));
    assert_int_equal(try_load(stores, &trust, &err), ERR_OK); // DER is fine
    trust_free(trust);
    buf_done(&der);
}

static void smallest_keys(void **state)
{
    (void)state;
    struct settings settings = {0};
    assert_int_equal(trust_min_rsa_bits(&settings), LIMIT_RSA_BITS_MIN);
    settings.mic_count = 2;
    settings.mic[0].min_rsa_bits = 4096;
    settings.mic[1].min_rsa_bits = 3072;
    assert_int_equal(trust_min_rsa_bits(&settings), LIMIT_RSA_BITS_MIN);
    settings.mic[1].min_rsa_bits = 1024;
    assert_int_equal(trust_min_rsa_bits(&settings), 1024);
}

static void state_names(void **state)
{
    (void)state;
    static const char *const names[] = {"unknown", "good",  "expired", "not yet valid",
                                        "weak",    "class", "generic", "?"};
    for (unsigned i = 0; i <= TRUST_STATE_MAX; i++) {
        assert_string_equal(trust_state_name((enum trust_state)i), names[i]);
    }
}

// Every bit of a genuine certificate counts.
static void flipped_bits_are_noticed(void **state)
{
    (void)state;
    enum { STEP = 7 };
    static const struct store_spec stores[STORES_MAX] = {SUDI};
    struct trust *trust = load(stores);
    struct buf der = {0};
    unsigned parsed = 0;
    assert_int_equal(ossl_cert_to_der(mic_cert(fixture.factory, "phone-9871"), &der, NULL), ERR_OK);
    for (size_t bit = 0; bit < 8 * der.len; bit += STEP) {
        struct err err = {0};
        X509 *cert = NULL;
        der.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
        if (ossl_cert_from_der(buf_view(&der), &cert, &err) == ERR_OK) {
            struct trust_result result = {0};
            parsed++;
            assert_int_equal(trust_judge(trust, cert, NULL, KIT_NOW, &result, &err), ERR_OK);
            if (result.state != TRUST_NONE) {
                fail_msg("bit %zu: %s", bit, trust_state_name(result.state));
            }
            X509_free(cert);
        }
        der.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    assert_true(parsed > 100);
    buf_done(&der);
    trust_free(trust);
}

static void *judge_often(void *trust)
{
    enum { ROUNDS = 50 };
    struct err err = {0};
    unsigned good = 0;
    for (int i = 0; i < ROUNDS; i++) {
        struct trust_result result = {0};
        X509 *cert = X509_dup(mic_cert(fixture.factory, "phone-9871"));
        if (cert != NULL && trust_judge(trust, cert, NULL, KIT_NOW, &result, &err) == ERR_OK) {
            good += result.state == TRUST_GOOD;
        }
        X509_free(cert);
    }
    return good == ROUNDS ? trust : NULL;
}

static void many_threads(void **state)
{
    (void)state;
    enum { THREADS = 4 };
    static const struct store_spec stores[STORES_MAX] = {M2, SUDI};
    struct trust *trust = load(stores);
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, judge_often, trust), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        void *result = NULL;
        assert_int_equal(pthread_join(threads[i], &result), 0);
        assert_ptr_equal(result, trust);
    }
    trust_free(trust);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(genuine_row_4),
        cmocka_unit_test(identity_is_read),
        cmocka_unit_test(intermediates_of_the_message),
        cmocka_unit_test(forgeries),
        cmocka_unit_test(dates),
        cmocka_unit_test(strength),
        cmocka_unit_test(classes),
        cmocka_unit_test(generic_row_25),
        cmocka_unit_test(nearest_store),
        cmocka_unit_test(one_store_at_a_time),
        cmocka_unit_test(loading),
        cmocka_unit_test(damaged_root),
        cmocka_unit_test(smallest_keys),
        cmocka_unit_test(state_names),
        cmocka_unit_test(flipped_bits_are_noticed),
        cmocka_unit_test(many_threads),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
