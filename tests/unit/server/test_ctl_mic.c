// SPDX-License-Identifier: Apache-2.0
// scepctl mic check: the store that accepts, why the others do not, and what was read. The clock is
// the test's (see ../CMakeLists.txt).
#include "server/ctl_kit.h"

#include <unistd.h>

#include <jansson.h>

#include "conf/base/clock.h"
#include "conf/limits.h"
#include "conf/settings.h"
#include "tests/mic/mic_factory.h"

#define V4 "CP-9871-SEP001A2B3C4D5E"

int64_t __wrap_clock_now(void);
int64_t __wrap_clock_now(void)
{
    return KIT_NOW;
}

static struct fixture {
    struct mic_factory *factory;
    char *folder;
    char *config;
} fixture;

static const char stores[] =
    "mic = (\n"
    "  { name = \"cisco-m2\"; roots = [\"crcam2.pem\"]; intermediates = [\"cmca2.pem\"]; },\n"
    "  { name = \"cisco-2099\"; roots = [\"crca2099.pem\"]; intermediates = [\"hasudi.pem\"]; },\n"
    "  { name = \"cisco-2048\"; roots = [\"crca2048.pem\"]; intermediates = [\"cmca.pem\"]; },\n"
    "  { name = \"basic\"; roots = [\"cbarc2099.pem\"]; },\n"
    "  { name = \"small\"; roots = [\"spa-ca.pem\"]; min_rsa_bits = 1024; }\n"
    ");\n";

// Settings in the factory's folder, with `tail` behind what settings_write() makes.
static char *write_config(const char *name, const char *tail)
{
    static const struct settings_value values[] = {{"phone.domains", "example.nl, voice.example"},
                                                   {NULL, NULL}};
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    struct err err = {0};
    if (settings_write(out, values, &err) != ERR_OK) {
        fail_msg("settings: %s", err.text);
    }
    fputs(tail, out);
    fclose(out);
    char *path = kit_write(fixture.folder, name, view_of(text, len));
    free(text);
    return path;
}

static int set_up(void **state)
{
    (void)state;
    fixture.factory = mic_factory_new(KIT_NOW);
    fixture.folder = kit_new_folder();
    mic_factory_write(fixture.factory, fixture.folder);
    fixture.config = write_config("scepd.conf", stores);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    mic_factory_free(fixture.factory);
    kit_remove_folder(fixture.folder);
    free(fixture.config);
    return 0;
}

static struct outcome check(const char *config, const char *file, bool is_json)
{
    char *path = kit_path(fixture.folder, file);
    const char *words[] = {"-c", config, "mic", "check", path, is_json ? "--json" : NULL, NULL};
    struct outcome outcome = ctl_kit_run(words);
    free(path);
    return outcome;
}

// Runs with --json and expects an exit code. Caller gives the answer back.
static json_t *check_json(const char *file, enum ctl_exit code)
{
    struct outcome outcome = check(fixture.config, file, true);
    if (outcome.code != code) {
        fail_msg("%s: exit %d: %s%s", file, outcome.code, outcome.errors, outcome.out);
    }
    assert_string_equal(outcome.errors, "");
    json_t *answer = json_loads(outcome.out, 0, NULL);
    assert_non_null(answer);
    outcome_done(&outcome);
    return answer;
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "null";
}

static const json_t *store_of(const json_t *answer, const char *name)
{
    size_t at;
    json_t *store;
    json_array_foreach(json_object_get(answer, "stores"), at, store)
    {
        if (strcmp(text_of(store, "name"), name) == 0) {
            return store;
        }
    }
    fail_msg("no store \"%s\"", name);
    return NULL;
}

static void accepted(void **state)
{
    (void)state;
    json_t *answer = check_json("phone-9871.pem", CTL_OK);
    assert_true(json_is_true(json_object_get(answer, "accepted")));
    assert_string_equal(text_of(answer, "store"), "cisco-2099");
    assert_true(json_is_null(json_object_get(answer, "reason")));
    assert_string_equal(text_of(answer, "class"), "phone");
    assert_string_equal(text_of(answer, "model"), "DP-9871");
    assert_string_equal(text_of(answer, "mac"), "001A2B3C4D5E");
    assert_string_equal(text_of(answer, "serial_number"), "FVH27330XYZ");
    assert_string_equal(text_of(answer, "common_name"), V4);
    assert_string_equal(text_of(answer, "device"), V4);
    assert_string_equal(text_of(answer, "subject"),
                        "CN=" V4 ",O=Cisco,serialNumber=PID:DP-9871 SN:FVH27330XYZ");
    assert_string_equal(text_of(answer, "issuer"), "O=Cisco,CN=High Assurance SUDI CA");
    assert_string_equal(text_of(answer, "not_before"), "2026-01-15T08:00:00Z");
    assert_string_equal(text_of(answer, "not_after"), "2036-01-13T08:00:00Z");
    assert_string_equal(text_of(answer, "key_type"), "RSA");
    assert_int_equal(json_integer_value(json_object_get(answer, "key_bits")), 2048);
    assert_true(json_is_null(json_object_get(answer, "unreadable")));
    const json_t *names = json_object_get(answer, "names");
    assert_int_equal(json_array_size(names), 3);
    assert_string_equal(json_string_value(json_array_get(names, 0)), V4);
    assert_string_equal(json_string_value(json_array_get(names, 1)), V4 ".example.nl");
    assert_string_equal(json_string_value(json_array_get(names, 2)), V4 ".voice.example");
    assert_int_equal(json_array_size(json_object_get(answer, "stores")), 5);
    assert_string_equal(text_of(store_of(answer, "cisco-2099"), "state"), "good");
    assert_string_equal(text_of(store_of(answer, "cisco-2099"), "reason"), "null");
    assert_string_equal(text_of(store_of(answer, "cisco-m2"), "state"), "unknown");
    assert_contains(text_of(store_of(answer, "cisco-m2"), "reason"),
                    "no CA certificate of this trust store fits its issuer O=Cisco,CN=");
    json_decref(answer);
}

static void accepted_files(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        const char *store;
        const char *device;
    } tests[] = {
        {"phone-8861.pem", "cisco-m2", "CP-8861-SEP2C3124C9F8E1"},
        {"phone-9999.pem", "cisco-2099", "CP-8875-SEP001A2B3C4D63"},
        {"phone-8845-chain.pem", "basic", "CP-8845-SEP001A2B3C4D69"}, // the chain is in the file
        {"spa-962-small.pem", "small", "SPA-962-SEP000E08ABCDED"},
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        json_t *answer = check_json(tests[i].file, CTL_OK);
        assert_string_equal(text_of(answer, "store"), tests[i].store);
        assert_string_equal(text_of(answer, "device"), tests[i].device);
        json_decref(answer);
    }
}

static void refused(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        const char *reason;
        const char *identity_class;
        const char *store; // the one that knows most about it; NULL = any
        const char *state;
    } tests[] = {
        {"phone-expired.pem", "was valid until 2026-12-16", "phone", "cisco-2099", "expired"},
        {"phone-future.pem", "not valid before", "phone", "cisco-2099", "not yet valid"},
        {"phone-7841.pem", "SHA-1", "phone", "cisco-2048", "weak"},
        {"switch-c9300.pem", "class \"other\"", "other", "cisco-2099", "class"},
        {"generic.pem", "generic", "generic", "small", "generic"},
        {"forged-9871-chain.pem", "self-signed certificate", "phone", "cisco-2099", "unknown"},
        {"forged-serial.pem", "signature failure", "phone", "cisco-2099", "unknown"},
        {"phone-8845.pem", "no trust store in mic fits its issuer", "phone", "basic", "unknown"},
        {"phone-ec.pem", "so it must be RSA", "phone", "cisco-2099", "good"},
        {"phone-nul.pem", "no text", "none", "cisco-2099", "unknown"},
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        json_t *answer = check_json(tests[i].file, CTL_FAILED);
        assert_true(json_is_false(json_object_get(answer, "accepted")));
        assert_string_equal(text_of(answer, "store"), "null");
        assert_string_equal(text_of(answer, "class"), tests[i].identity_class);
        assert_int_equal(json_array_size(json_object_get(answer, "names")), 0);
        if (strcmp(tests[i].file, "forged-9871-chain.pem") != 0) {
            assert_contains(text_of(answer, "reason"), tests[i].reason);
        }
        assert_string_equal(text_of(store_of(answer, tests[i].store), "state"), tests[i].state);
        json_decref(answer);
    }
}

static void unreadable_subjects_say_why(void **state)
{
    (void)state;
    json_t *answer = check_json("phone-newline.pem", CTL_FAILED);
    assert_contains(text_of(answer, "unreadable"), "control character");
    assert_contains(text_of(answer, "reason"), "control character");
    assert_string_equal(text_of(answer, "common_name"), "null");
    json_decref(answer);
    // The newline reaches nobody's terminal.
    struct outcome outcome = check(fixture.config, "phone-newline.pem", false);
    assert_int_equal(outcome.code, CTL_FAILED);
    assert_null(strstr(outcome.out, "\nevent=issued"));
    outcome_done(&outcome);
}

static void as_a_table(void **state)
{
    (void)state;
    struct outcome outcome = check(fixture.config, "phone-9871.pem", false);
    assert_int_equal(outcome.code, CTL_OK);
    assert_contains(outcome.out, "yes, by trust store \"cisco-2099\"\n");
    assert_contains(outcome.out, "  " V4 "\n");
    assert_contains(outcome.out, "  " V4 ".example.nl\n");
    assert_contains(outcome.out, "  001A2B3C4D5E\n");
    assert_contains(outcome.out, "  RSA, 2048 bits\n");
    assert_contains(outcome.out, "Trust store \"cisco-m2\":");
    assert_contains(outcome.out, "  good\n");
    outcome_done(&outcome);
    outcome = check(fixture.config, "spa-962.pem", false);
    assert_int_equal(outcome.code, CTL_OK);
    assert_contains(outcome.out, "  88012BA01234\n");
    assert_contains(outcome.out, "  SPA-962-SEP000E08ABCDEF\n");
    outcome_done(&outcome);
    outcome = check(fixture.config, "phone-expired.pem", false);
    assert_int_equal(outcome.code, CTL_FAILED);
    assert_contains(outcome.out, "  no: the certificate was valid until 2026-12-16T08:00:00Z");
    outcome_done(&outcome);
}

static void der_files(void **state)
{
    (void)state;
    struct buf der = {0};
    assert_int_equal(ossl_cert_to_der(mic_cert(fixture.factory, "phone-9871"), &der, NULL), ERR_OK);
    free(kit_write(fixture.folder, "phone.cer", buf_view(&der)));
    buf_done(&der);
    json_t *answer = check_json("phone.cer", CTL_OK);
    assert_string_equal(text_of(answer, "store"), "cisco-2099");
    json_decref(answer);
}

static void without_stores(void **state)
{
    (void)state;
    char *config = write_config("empty.conf", "");
    struct outcome outcome = check(config, "phone-9871.pem", false);
    assert_int_equal(outcome.code, CTL_FAILED);
    assert_contains(outcome.out, "no: there is no trust store");
    outcome_done(&outcome);
    free(config);
}

static void expect_usage(const char *config, const char *file, const char *text)
{
    struct outcome outcome = check(config, file, false);
    assert_int_equal(outcome.code, CTL_USAGE);
    assert_contains(outcome.errors, text);
    assert_string_equal(outcome.out, "");
    outcome_done(&outcome);
}

static void wrong_files(void **state)
{
    (void)state;
    free(kit_write(fixture.folder, "junk", view_of_text("junk")));
    free(kit_write(fixture.folder, "empty", VIEW_EMPTY));
    expect_usage(fixture.config, "absent.pem", "absent.pem");
    expect_usage(fixture.config, "junk", "junk");
    expect_usage(fixture.config, "empty", "empty");
    expect_usage(fixture.config, "phone-9871.key", "phone-9871.key");
    expect_usage("/nonexistent/scepd.conf", "phone-9871.pem", "/nonexistent/scepd.conf");
    char *config = write_config("broken.conf",
                                "mic = ( { name = \"broken\"; roots = [\"hasudi.pem\"]; } );\n");
    expect_usage(config, "phone-9871.pem", "trust store \"broken\"");
    free(config);
    struct outcome outcome =
        ctl_kit_run((const char *const[]){"-c", fixture.config, "mic", "check", NULL});
    assert_int_equal(outcome.code, CTL_USAGE);
    assert_contains(outcome.errors, "mic check needs FILE");
    outcome_done(&outcome);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepted),       cmocka_unit_test(accepted_files),
        cmocka_unit_test(refused),        cmocka_unit_test(unreadable_subjects_say_why),
        cmocka_unit_test(as_a_table),     cmocka_unit_test(der_files),
        cmocka_unit_test(without_stores), cmocka_unit_test(wrong_files),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
