// SPDX-License-Identifier: Apache-2.0
// scepctl phone option43: what it makes in each server's syntax (row 17, row 18, row 20), what it
// warns of (row 19, row 32) and refuses, and how --decode explains values.
#include "ctl_fixture.h"

#include <jansson.h>

#include "server/admin/admin_resources.h"

#define PIN "12040870625C5B755D73F5925285F8F5FF5D55AF"
#define EXAMPLE                                                                                    \
    "0a01010b12687474703a2f2f31302e37392e35372e39310c14" PIN                                       \
    "0d10443233334343463942393935324131350e01010f0101"
#define EXAMPLE_COLONS                                                                             \
    "0a:01:01:0b:12:68:74:74:70:3a:2f:2f:31:30:2e:37:39:2e:35:37:2e:39:31:0c:14:12:04:08:70:62:"   \
    "5C:5B:75:5D:73:F5:92:52:85:F8:F5:FF:5D:55:AF:0d:10:44:32:33:33:43:43:46:39:42:39:39:35:32:"   \
    "41:31:35:0e:01:01:0f:01:01"

#define CLASSES_NOTE                                                                               \
    "note: give this to clients whose option 60 (vendor class) is one of DP-9841, DP-9851, "       \
    "DP-9861, DP-9871, CP-8875\n"

// A file with the example's challenge, for tests that need no scepd.
static struct {
    char *folder;
    char *challenge;
} files;

static int make_files(void **state)
{
    (void)state;
    files.folder = kit_new_folder();
    files.challenge =
        kit_write(files.folder, "challenge", view_of_text("D233CCF9B9952A15\nmore\n"));
    return 0;
}

static int remove_files(void **state)
{
    (void)state;
    free(files.challenge);
    kit_remove_folder(files.folder);
    return 0;
}

static struct outcome make_example(const char *format, const char *domain_option)
{
    return ctl_kit_run((const char *const[]){"phone", "option43", "--server", "http://10.79.57.91",
                                             "--fingerprint", PIN, "--challenge-file",
                                             files.challenge, "--fips", "--dot1x",
                                             "--certificate=custom", format, domain_option, NULL});
}

static void assert_text(const char *text, const char *wanted)
{
    assert_string_equal(text, wanted);
}

static void makes_the_example(void **state)
{
    (void)state;
    struct outcome outcome = make_example(NULL, NULL);
    assert_int_equal(outcome.code, CTL_OK);
    assert_text(outcome.out, EXAMPLE "\n");
    assert_contains(outcome.errors, "warning: the challenge password is in clear text");
    assert_contains(outcome.errors, "warning: --dot1x and --certificate count for phones in wired");
    assert_contains(outcome.errors, "warning: --fips must be what");
    assert_contains(outcome.errors, "warning: a SHA-1 fingerprint is weaker");
    assert_contains(outcome.errors, "options 66, 150, 159 or 160 or cloud provisioning");
    assert_null(strstr(outcome.errors, "D233CCF9B9952A15"));
    assert_null(strstr(outcome.errors, "bare address"));
    assert_contains(outcome.errors, CLASSES_NOTE);
    assert_null(strstr(outcome.errors, "option 15"));
    outcome_done(&outcome);
    outcome = make_example("--format=cnr", "--domain=example.nl");
    assert_int_equal(outcome.code, CTL_OK);
    assert_contains(outcome.errors, CLASSES_NOTE);
    assert_contains(outcome.errors, "note: give them option 15 (domain name) example.nl, too\n");
    assert_text(outcome.out,
                "(10 1)(11 http://10.79.57.91)(12 " PIN ")(13 D233CCF9B9952A15)(14 1)(15 1)\n");
    outcome_done(&outcome);
}

static void makes_isc(void **state)
{
    (void)state;
    struct outcome outcome = make_example("--format=isc", "--domain=example.nl");
    assert_int_equal(outcome.code, CTL_OK);
    assert_contains(outcome.out, "class \"cisco-phone-scep\" {\n"
                                 "    match option vendor-class-identifier;\n"
                                 "    option vendor-encapsulated-options " EXAMPLE_COLONS ";\n"
                                 "    option domain-name \"example.nl\";\n");
    assert_contains(outcome.out, "concat(option dhcp-parameter-request-list, 2b, 0f);\n");
    assert_contains(outcome.out, "subclass \"cisco-phone-scep\" \"DP-9841\";\n"
                                 "subclass \"cisco-phone-scep\" \"DP-9851\";\n"
                                 "subclass \"cisco-phone-scep\" \"DP-9861\";\n"
                                 "subclass \"cisco-phone-scep\" \"DP-9871\";\n"
                                 "subclass \"cisco-phone-scep\" \"CP-8875\";\n");
    assert_contains(outcome.out, "# The challenge password is in here in clear text");
    assert_null(strstr(outcome.errors, "note: "));
    outcome_done(&outcome);
    outcome = make_example("--format=isc", NULL);
    assert_contains(outcome.out, "concat(option dhcp-parameter-request-list, 2b);\n");
    assert_null(strstr(outcome.out, "domain-name"));
    outcome_done(&outcome);
}

static void makes_kea(void **state)
{
    (void)state;
    struct outcome outcome = make_example("--format=kea", "--domain=example.nl");
    assert_int_equal(outcome.code, CTL_OK);
    // Behind the comments it is JSON once it stands in an object.
    const char *classes = strstr(outcome.out, "\n\"client-classes\"");
    assert_non_null(classes);
    char *text = NULL;
    assert_true(asprintf(&text, "{%s}", classes) > 0);
    json_t *json = json_loads(text, 0, NULL);
    assert_non_null(json);
    const json_t *list = json_object_get(json, "client-classes");
    assert_int_equal(json_array_size(list), 6);
    assert_text(json_string_value(json_object_get(json_array_get(list, 4), "test")),
                "option[60].text == 'CP-8875'");
    const json_t *class = json_array_get(list, 5);
    assert_text(json_string_value(json_object_get(class, "test")),
                "member('DP-9841') or member('DP-9851') or member('DP-9861') or "
                "member('DP-9871') or member('CP-8875')");
    const json_t *data = json_object_get(class, "option-data");
    assert_text(json_string_value(json_object_get(json_array_get(data, 0), "data")), EXAMPLE);
    assert_text(json_string_value(json_object_get(json_array_get(data, 1), "data")), "example.nl");
    json_decref(json);
    free(text);
    outcome_done(&outcome);
}

static void makes_dnsmasq(void **state)
{
    (void)state;
    struct outcome outcome = make_example("--format=dnsmasq", "--domain=example.nl");
    assert_int_equal(outcome.code, CTL_OK);
    assert_contains(outcome.out, "dhcp-vendorclass=set:cisco-phone-scep,DP-9841\n");
    assert_contains(outcome.out, "dhcp-vendorclass=set:cisco-phone-scep,CP-8875\n"
                                 "dhcp-option-force=tag:cisco-phone-scep,43," EXAMPLE_COLONS "\n"
                                 "dhcp-option-force=tag:cisco-phone-scep,option:domain-name,"
                                 "example.nl\n");
    outcome_done(&outcome);
}

// Without a challenge nothing speaks of one; a server that is an address gets a remark.
static void warns_where_there_is_reason(void **state)
{
    (void)state;
    static const struct {
        const char *server;
        const char *warning; // NULL = none about the server
    } rows[] = {
        {"http://10.79.57.91", NULL},
        {"http://scep.example.com", NULL},
        {"10.79.57.91", "the server is a bare address, which Cisco allows"},
        {"2001:db8::1", "the server is a bare address, which Cisco allows"},
        {"http://scep.example.com:8080", "no server with a port"},
        {"http://[2001:db8::1]:8080", "no server with a port"},
        {"http://scep.example.com/certsrv", "no server with a path"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct outcome outcome =
            ctl_kit_run((const char *const[]){"phone", "option43", "--server", rows[i].server,
                                              "--fingerprint", PIN, "--format=isc", NULL});
        assert_int_equal(outcome.code, CTL_OK);
        assert_null(strstr(outcome.errors, "clear text"));
        assert_null(strstr(outcome.out, "clear text"));
        assert_null(strstr(outcome.errors, "wired"));
        if (rows[i].warning != NULL) {
            assert_contains(outcome.errors, rows[i].warning);
        } else {
            assert_null(strstr(outcome.errors, "the server"));
            assert_null(strstr(outcome.errors, "no server"));
        }
        outcome_done(&outcome);
    }
    struct outcome outcome = ctl_kit_run(
        (const char *const[]){"phone", "option43", "--server", "10.79.57.91", "--fingerprint", PIN,
                              "--challenge", "abc", "--domain=example.nl", NULL});
    assert_int_equal(outcome.code, CTL_OK);
    assert_contains(outcome.errors, "other users of this machine can read its --challenge");
    assert_contains(outcome.errors, "note: give them option 15 (domain name) example.nl, too\n");
    assert_contains(outcome.out, "0d03616263\n");
    outcome_done(&outcome);
}

static const char long_server[] =
    "http://a/"
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123"
    "456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456"
    "789012345678";

static void refusals(void **state)
{
    (void)state;
    static const struct {
        const char *words[WORDS_MAX - 6]; // behind --fingerprint
        const char *errors;
    } rows[] = {
        {{NULL}, "--server is missing"},
        {{"--server", "https://10.79.57.91", NULL}, "phones do not support https for SCEP"},
        {{"--server", "HTTPS://10.79.57.91", NULL}, "phones do not support https for SCEP"},
        {{"--server", "ftp://10.79.57.91", NULL}, "the scheme is \"ftp\"; phones take http"},
        {{"--server", "scep.example.com", NULL}, "write http://scep.example.com"},
        {{"--server", "10.79.57.91:8080", NULL}, "write http://10.79.57.91:8080"},
        {{"--server", "10.79.57.91/scep", NULL}, "neither a URL nor an IP address alone"},
        {{"--server", "http://a b", NULL}, "neither an address nor a URL"},
        {{"--server", "http://a/?x=y", NULL}, "has a query"},
        {{"--server", "http://u:p@a", NULL}, "has a user"},
        {{"--server", "http://a/\xc3\xa9", NULL}, "Server: octet 10 is 0xC3"},
        {{"--server", long_server, NULL}, "server and challenge have 208 octets together"},
        {{"--server", "http://a", "--format", "json", NULL},
         "--format \"json\" is unknown; allowed are hex, cnr, isc, kea or dnsmasq"},
        {{"--server", "http://a", "--certificate", "mine", NULL},
         "--certificate \"mine\" is unknown; allowed are custom and manufacturing"},
        {{"--server", "http://a", "--hash", "sha256", NULL},
         "the length of a SHA-1 one, which --hash sha256 contradicts"},
        {{"--server", "http://a", "--hash", "md5", NULL}, "--hash \"md5\" is unknown; allowed are"},
        {{"--server", "http://a", "--challenge", "", NULL}, "the challenge has 0 octets"},
        {{"--server", "http://a", "--challenge", "caf\xc3\xa9", NULL},
         "Challenge Password: octet 4 is 0xC3"},
        {{"--server", "http://a", "--challenge", "a(b", "--format", "cnr", NULL},
         "take --format hex"},
        {{"--server", "http://a", "--challenge", "a", "--new-challenge", NULL}, "only one of"},
        {{"--server", "http://a", "--challenge", "a", "--ttl", "1h", NULL},
         "--ttl and --uses belong to --new-challenge"},
        {{"--server", "http://a", "--new-challenge", "--uses", "0", NULL},
         "--uses: 0 is out of range"},
        {{"--server", "http://a", "--challenge-file", "/nonexistent", NULL}, "--challenge-file: "},
        {{"--server", "http://a", "--domain", "-x.nl", NULL}, "--domain: "},
        {{"--server", "http://a", "--domain", "forty-one-characters-are-one-too-many.com", NULL},
         "--domain has 41 characters; allowed are at most 40"},
        {{"--server", "http://a", "--decode", "0a0101", NULL}, "takes no other option beside it"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *words[WORDS_MAX] = {"phone", "option43", "--fingerprint", PIN};
        memcpy(words + 4, rows[i].words, sizeof rows[i].words);
        struct outcome outcome = ctl_kit_run(words);
        assert_contains(outcome.errors, rows[i].errors);
        assert_int_equal(outcome.code, CTL_USAGE);
        assert_string_equal(outcome.out, "");
        outcome_done(&outcome);
    }
}

static void takes_forty_characters_of_domain(void **state)
{
    (void)state;
    struct outcome outcome = ctl_kit_run((const char *const[]){
        "phone", "option43", "--server", "http://a", "--fingerprint", PIN, "--format", "dnsmasq",
        "--domain", "forty-characters-are-what-fits-here.test", NULL});
    assert_int_equal(outcome.code, CTL_OK);
    outcome_done(&outcome);
}

static void fingerprints_by_hand(void **state)
{
    (void)state;
    static const struct {
        const char *given;
        const char *error; // NULL = is taken
    } rows[] = {
        {"12:04:08:70:62:5C:5B:75:5D:73:F5:92:52:85:F8:F5:FF:5D:55:AF", NULL},
        {"12040870 625c5b75 5d73f592 5285f8f5 ff5d55af", NULL},
        {"sha1 Fingerprint=12:04:08:70:62:5C:5B:75:5D:73:F5:92:52:85:F8:F5:FF:5D:55:AF", NULL},
        {"1204", "the fingerprint has 4 hexadecimal digits; allowed are 40 (SHA-1), 64"},
        {"12-04:08", "the fingerprint has 6 hexadecimal digits"},
        {"root.pem", "a file of the name \"root.pem\" is not there either"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct outcome outcome = ctl_kit_run((const char *const[]){
            "phone", "option43", "--server", "http://a", "--fingerprint", rows[i].given, NULL});
        assert_int_equal(outcome.code, rows[i].error == NULL ? CTL_OK : CTL_USAGE);
        assert_contains(rows[i].error == NULL ? outcome.out : outcome.errors,
                        rows[i].error == NULL ? "0c14" PIN : rows[i].error);
        outcome_done(&outcome);
    }
}

// --- With a running scepd

static char *root_digits(const struct fixture *fixture, const EVP_MD *digest)
{
    struct policy *policy = live_policy_get(fixture->live.policy);
    json_t *json = admin_json_fingerprint(credentials_root(policy->credentials), digest);
    char *digits = strdup(json_string_value(json));
    json_decref(json);
    policy_unref(policy);
    return digits;
}

static void asks_scepd_for_the_root(void **state)
{
    static const struct {
        const char *hash;
        const EVP_MD *(*digest)(void);
        const char *header;
    } rows[] = {
        {"--hash=sha1", EVP_sha1, "0c14"},
        {"--hash=sha256", EVP_sha256, "0c20"},
        {"--hash=sha384", EVP_sha384, "0c30"},
        {"--hash=sha512", EVP_sha512, "0c40"},
        {NULL, EVP_sha256, "0c20"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *digits = root_digits(*state, rows[i].digest());
        struct outcome outcome = run(*state, (const char *[]){"phone", "option43", "--server",
                                                              "http://a", rows[i].hash, NULL});
        assert_int_equal(outcome.code, CTL_OK);
        const char *found = strstr(outcome.out, rows[i].header);
        assert_non_null(found);
        assert_memory_equal(found + 4, digits, strlen(digits));
        assert_int_equal(strstr(outcome.errors, "speak of SHA-1 and SHA-256 only") != NULL,
                         i == 2 || i == 3);
        outcome_done(&outcome);
        free(digits);
    }
}

static void takes_the_root_of_a_file(void **state)
{
    struct fixture *fixture = *state;
    char *digits = root_digits(fixture, EVP_sha256());
    char *root = kit_path(fixture->folder, "root.pem");
    char *issuing = kit_path(fixture->folder, "issuing.pem");
    struct outcome outcome = ctl_kit_run((const char *const[]){
        "phone", "option43", "--server", "http://a", "--fingerprint", root, NULL});
    assert_int_equal(outcome.code, CTL_OK);
    assert_contains(outcome.out, digits);
    outcome_done(&outcome);
    outcome = ctl_kit_run((const char *const[]){"phone", "option43", "--server", "http://a",
                                                "--fingerprint", issuing, NULL});
    assert_int_equal(outcome.code, CTL_OK);
    assert_contains(outcome.errors, "is not self-signed; phones are given the fingerprint of the");
    outcome_done(&outcome);
    free(issuing);
    free(root);
    free(digits);
}

static void makes_a_new_challenge(void **state)
{
    struct outcome outcome =
        run(*state, (const char *[]){"--json", "phone", "option43", "--server", "http://a",
                                     "--new-challenge", "--uses", "5", "--ttl", "2d",
                                     "--format=dnsmasq", "--domain=example.org", NULL});
    assert_int_equal(outcome.code, CTL_OK);
    json_t *answer = json_loads(outcome.out, 0, NULL);
    const json_t *issued = json_object_get(answer, "new_challenge");
    assert_int_equal(json_integer_value(json_object_get(issued, "uses_allowed")), 5);
    assert_null(json_object_get(issued, "secret"));
    assert_contains(outcome.errors, json_string_value(json_object_get(issued, "id")));
    assert_contains(outcome.errors, "is good for 5 certificates until ");
    assert_contains(outcome.errors, "example.org is not in the setting phone.domains");
    assert_text(json_string_value(json_object_get(answer, "domain")), "example.org");
    assert_text(json_string_value(json_object_get(answer, "format")), "dnsmasq");
    assert_int_equal(json_array_size(json_object_get(answer, "vendor_classes")), 5);
    assert_true(json_array_size(json_object_get(answer, "warnings")) >= 4);
    const char *hex = json_string_value(json_object_get(answer, "hex"));
    assert_int_equal(strlen(hex), 2 * json_integer_value(json_object_get(answer, "octets")));
    assert_contains(hex, "0d14"); // a challenge of 20 digits
    assert_null(strstr(hex, "0d143030303030303030303030303030303030303030"));
    assert_contains(json_string_value(json_object_get(answer, "configuration")),
                    "dhcp-option-force");
    json_decref(answer);
    outcome_done(&outcome);
}

static void makes_no_challenge_in_vain(void **state)
{
    struct outcome before = succeed(*state, (const char *[]){"challenge", "list", NULL});
    struct outcome outcome = run(*state, (const char *[]){"phone", "option43", "--server",
                                                          long_server, "--new-challenge", NULL});
    assert_int_equal(outcome.code, CTL_USAGE);
    outcome_done(&outcome);
    struct outcome after = succeed(*state, (const char *[]){"challenge", "list", NULL});
    assert_string_equal(after.out, before.out);
    outcome_done(&before);
    outcome_done(&after);
}

// --- --decode

static struct outcome decode(const char *hex)
{
    return ctl_kit_run((const char *const[]){"phone", "option43", "--decode", hex, NULL});
}

static void explains_the_example(void **state)
{
    (void)state;
    struct outcome outcome = decode("0x" EXAMPLE);
    assert_int_equal(outcome.code, CTL_OK);
    assert_contains(outcome.out, "SUBOPTION  LENGTH  NAME                          MEANING  ");
    assert_contains(outcome.out, "10         1       FIPS Mode                     enabled  ");
    assert_contains(outcome.out, "http://10.79.57.91\n");
    assert_contains(outcome.out, "SHA-1             " PIN "\n");
    assert_contains(outcome.out, "D233CCF9B9952A15\n");
    assert_contains(outcome.out, "Enable 802.1X Authentication  yes  ");
    assert_contains(outcome.out, "Certificate Select            custom installed  01\n");
    assert_contains(outcome.out, "69 of at most 255 octets; phones take this.\n");
    assert_contains(outcome.errors, "warning: the challenge password is in clear text");
    assert_contains(outcome.errors, "warning: suboptions 14 and 15 count for phones in wired");
    assert_contains(outcome.errors, "warning: FIPS mode must be");
    assert_contains(outcome.errors, "options 66, 150, 159 or 160");
    outcome_done(&outcome);
}

static void explains_what_is_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        enum ctl_exit code;
        const char *errors;
    } rows[] = {
        {EXAMPLE "1", CTL_USAGE, "--decode: 139 hexadecimal digits, an odd number"},
        {"0a01zz", CTL_USAGE, "--decode: character 5, \"z\", is not a hexadecimal digit"},
        {"", CTL_USAGE, "--decode: there are no hexadecimal digits"},
        {EXAMPLE "100101", CTL_FAILED, "scepctl: suboption 16 at octet 70: unknown;"},
        {EXAMPLE "0a0101", CTL_FAILED, "suboption 10 at octet 70: it is there a second time"},
        {"0a0101", CTL_FAILED, "scepctl: there is no usable server (suboption 11)"},
        {"0b12687474703a2f2f31302e37392e35372e39310c021204", CTL_FAILED,
         "suboption 12 at octet 21: the fingerprint has 2 octets"},
        {"0b0968747470733a2f2f610c14" PIN, CTL_FAILED, "the server's URL is not http"},
        {"0b0161"
         "0c14" PIN,
         CTL_FAILED, "the server is neither a URL nor an IP address"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct outcome outcome = decode(rows[i].hex);
        assert_contains(outcome.errors, rows[i].errors);
        assert_int_equal(outcome.code, rows[i].code);
        assert_int_equal(strstr(outcome.out, "phones would not take this.\n") != NULL,
                         rows[i].code == CTL_FAILED);
        outcome_done(&outcome);
    }
}

// A value from elsewhere does not move the terminal's cursor.
static void shows_no_control_characters(void **state)
{
    (void)state;
    struct outcome outcome = decode("0b061b5b324a6162"
                                    "0c14" PIN);
    assert_int_equal(outcome.code, CTL_FAILED);
    assert_contains(outcome.out, "1B5B324A6162");
    assert_null(strchr(outcome.out, '\x1b'));
    assert_null(strchr(outcome.errors, '\x1b'));
    outcome_done(&outcome);
}

static void refuses_to_explain_too_much(void **state)
{
    (void)state;
    char hex[2 * 256 + 1] = "0bfe"; // a server of 254 octets: 256 in all
    for (size_t i = 4; i < sizeof hex - 1; i += 2) {
        hex[i] = '6';
        hex[i + 1] = '1';
    }
    struct outcome outcome = decode(hex);
    assert_int_equal(outcome.code, CTL_FAILED);
    assert_contains(outcome.errors, "256 octets; an option has at most 255");
    outcome_done(&outcome);
}

static void explains_in_json(void **state)
{
    (void)state;
    static const char cut[] = EXAMPLE "1001";
    struct outcome outcome =
        ctl_kit_run((const char *const[]){"--json", "phone", "option43", "--decode", cut, NULL});
    assert_int_equal(outcome.code, CTL_FAILED);
    json_t *answer = json_loads(outcome.out, 0, NULL);
    assert_true(json_is_false(json_object_get(answer, "accepted")));
    assert_int_equal(json_integer_value(json_object_get(answer, "octets")), 71);
    const json_t *parts = json_object_get(answer, "suboptions");
    assert_int_equal(json_array_size(parts), 7);
    const json_t *part = json_array_get(parts, 2);
    assert_int_equal(json_integer_value(json_object_get(part, "code")), 12);
    assert_int_equal(json_integer_value(json_object_get(part, "length")), 20);
    assert_int_equal(json_integer_value(json_object_get(part, "octet")), 24);
    assert_text(json_string_value(json_object_get(part, "name")), "Root CA Fingerprint");
    assert_text(json_string_value(json_object_get(part, "value")), PIN);
    assert_text(json_string_value(json_object_get(part, "meaning")), "SHA-1");
    assert_true(json_is_null(json_object_get(part, "problem")));
    part = json_array_get(parts, 6);
    assert_text(json_string_value(json_object_get(part, "problem")),
                "suboption 16 at octet 70: its length is 1 but only 0 octets follow");
    assert_int_equal(json_array_size(json_object_get(answer, "problems")), 1);
    assert_int_equal(json_array_size(json_object_get(answer, "warnings")), 4);
    json_decref(answer);
    outcome_done(&outcome);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(makes_the_example, make_files, remove_files),
        cmocka_unit_test_setup_teardown(makes_isc, make_files, remove_files),
        cmocka_unit_test_setup_teardown(makes_kea, make_files, remove_files),
        cmocka_unit_test_setup_teardown(makes_dnsmasq, make_files, remove_files),
        cmocka_unit_test(warns_where_there_is_reason),
        cmocka_unit_test(refusals),
        cmocka_unit_test(takes_forty_characters_of_domain),
        cmocka_unit_test(fingerprints_by_hand),
        cmocka_unit_test_setup_teardown(asks_scepd_for_the_root, fixture_set_up, fixture_tear_down),
        cmocka_unit_test_setup_teardown(takes_the_root_of_a_file, fixture_set_up,
                                        fixture_tear_down),
        cmocka_unit_test_setup_teardown(makes_a_new_challenge, fixture_set_up, fixture_tear_down),
        cmocka_unit_test_setup_teardown(makes_no_challenge_in_vain, fixture_set_up,
                                        fixture_tear_down),
        cmocka_unit_test(explains_the_example),
        cmocka_unit_test(explains_what_is_wrong),
        cmocka_unit_test(shows_no_control_characters),
        cmocka_unit_test(refuses_to_explain_too_much),
        cmocka_unit_test(explains_in_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
