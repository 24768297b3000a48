// SPDX-License-Identifier: Apache-2.0
// What scepctl does by the administrator's hand without a scepd: addresses of names (row 29),
// passwords, PKCS#12 files, configurations, and what it refuses before anything is made.
#include "server/ctl_kit.h"

#include <fcntl.h>
#include <pthread.h>
#include <pty.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>
#include <openssl/pkcs12.h>

#include "conf/base/file.h"
#include "conf/limits.h"
#include "conf/settings.h"
#include "server/ctl/password.h"
#include "server/ctl/phone/p12.h"
#include "server/ctl/servers/dns_check.h"

// ---- names and addresses ----

static enum err_code lookup_two(const char *host, struct dns_addresses *ret_addresses,
                                struct err *err)
{
    (void)err;
    assert_string_equal(host, "prov.example.nl");
    *ret_addresses = (struct dns_addresses){.list = {"192.0.2.7", "2001:db8::7"}, .count = 2};
    return ERR_OK;
}

static enum err_code lookup_none(const char *host, struct dns_addresses *ret_addresses,
                                 struct err *err)
{
    (void)ret_addresses;
    return err_set(err, ERR_NOT_FOUND, "%s has no address: unknown", host);
}

static void compares_addresses(void **state)
{
    (void)state;
    static const struct {
        const char *address;
        dns_lookup *lookup;
        enum err_code code;
        const char *text;
    } cases[] = {
        {NULL, lookup_two, ERR_OK, ""},
        {"192.0.2.7", lookup_two, ERR_OK, ""},
        {"2001:DB8:0::7", lookup_two, ERR_OK, ""},
        {"192.0.2.8", lookup_two, ERR_CONFLICT,
         "has the address 192.0.2.7, 2001:db8::7, not 192.0.2.8"},
        {"2001:db8::8", lookup_two, ERR_CONFLICT, "not 2001:db8::8"},
        {"192.0.2", lookup_two, ERR_SYNTAX, "\"192.0.2\" is not an IPv4 or IPv6 address"},
        {"", lookup_two, ERR_SYNTAX, "is not an IPv4 or IPv6 address"},
        {NULL, lookup_none, ERR_NOT_FOUND, "prov.example.nl has no address"},
        {"192.0.2.7", lookup_none, ERR_NOT_FOUND, "has no address"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct err err = {0};
        struct dns_addresses addresses = {0};
        const struct dns_question question = {
            .host = "prov.example.nl", .address = cases[i].address, .lookup = cases[i].lookup};
        assert_int_equal(dns_check(&question, &addresses, &err), cases[i].code);
        assert_contains(err.text, cases[i].text);
    }
}

static void the_system_knows_itself(void **state)
{
    (void)state;
    struct err err = {0};
    struct dns_addresses addresses = {0};
    char text[DNS_TEXT_LEN];
    assert_int_equal(dns_lookup_system("127.0.0.1", &addresses, &err), ERR_OK);
    assert_string_equal(dns_format(&addresses, text), "127.0.0.1");
    assert_int_equal(dns_lookup_system("no such host", &addresses, &err), ERR_NOT_FOUND);
    assert_contains(err.text, "no such host has no address");
}

// ---- PKCS#12 ----

static void passwords_are_checked(void **state)
{
    (void)state;
    static const struct {
        const char *password;
        enum err_code code;
        const char *text;
    } cases[] = {
        {"a", ERR_OK, ""},
        {"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde!", ERR_OK, ""},
        {"", ERR_SYNTAX, "an empty password"},
        {"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef!", ERR_LIMIT,
         "a password of 65 characters; allowed are 1 to 64"},
        {"p\xc3\xa4sswort", ERR_SYNTAX, "not printable ASCII"},
        {"tab\there", ERR_SYNTAX, "not printable ASCII"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct err err = {0};
        assert_int_equal(p12_check_password(view_of_text(cases[i].password), &err), cases[i].code);
        assert_contains(err.text, cases[i].text);
        if (cases[i].password[0] != '\0') {
            assert_null(strstr(err.text, cases[i].password));
        }
    }
}

static void round_trip(bool is_legacy)
{
    EVP_PKEY *key = kit_key(1);
    X509 *root = kit_cert(kit_key(0), "Root", NULL, NULL, true, KIT_NOW, 10);
    X509 *cert = kit_cert(key, "phone", root, kit_key(0), false, KIT_NOW, 10);
    STACK_OF(X509) *chain = sk_X509_new_null();
    sk_X509_push(chain, root);
    const struct p12 p12 = {.key = key,
                            .cert = cert,
                            .chain = chain,
                            .name = "phone",
                            .password = "secret",
                            .is_legacy = is_legacy};
    struct buf der = {0};
    struct err err = {0};
    assert_int_equal(p12_encode(&p12, &der, &err), ERR_OK);
    const unsigned char *end = der.data;
    PKCS12 *file = d2i_PKCS12(NULL, &end, (long)der.len);
    assert_non_null(file);
    const X509_ALGOR *mac = NULL;
    const ASN1_OBJECT *digest = NULL;
    PKCS12_get0_mac(NULL, &mac, NULL, NULL, file);
    X509_ALGOR_get0(&digest, NULL, NULL, mac);
    assert_int_equal(OBJ_obj2nid(digest), is_legacy ? NID_sha1 : NID_sha256);
    assert_int_equal(PKCS12_verify_mac(file, "Secret", -1), 0);
    EVP_PKEY *key_read = NULL;
    X509 *cert_read = NULL;
    STACK_OF(X509) *chain_read = NULL;
    assert_int_equal(PKCS12_parse(file, "secret", &key_read, &cert_read, &chain_read), 1);
    assert_int_equal(EVP_PKEY_eq(key_read, key), 1);
    assert_int_equal(X509_cmp(cert_read, cert), 0);
    assert_int_equal(sk_X509_num(chain_read), 1);
    assert_int_equal(X509_cmp(sk_X509_value(chain_read, 0), root), 0);
    free_cert_stack(chain_read);
    EVP_PKEY_free(key_read);
    X509_free(cert_read);
    PKCS12_free(file);
    buf_done(&der);
    sk_X509_free(chain);
    X509_free(cert);
    X509_free(root);
}

static void files_are_read_back(void **state)
{
    (void)state;
    round_trip(false);
    round_trip(true);
}

// ---- passwords on a terminal ----

struct typist {
    int fd;
    const char *text;
    char seen[512];
    size_t len;
};

// Answers each question with the next line, as somebody who waits for it.
static void *type(void *context)
{
    struct typist *typist = context;
    const char *line = typist->text;
    ssize_t count;
    while (typist->len < sizeof typist->seen - 1 &&
           (count = read(typist->fd, typist->seen + typist->len, 1)) == 1) {
        typist->len++;
        typist->seen[typist->len] = '\0';
        if (typist->seen[typist->len - 1] == ':' && *line != '\0') {
            size_t len = strcspn(line, "\n") + 1;
            assert_int_equal(write(typist->fd, line, len), (ssize_t)len);
            line += len;
        }
    }
    return NULL;
}

static enum err_code read_typed(const char *text, struct buf *ret_password, struct typist *typist,
                                struct err *err)
{
    int main_fd = -1;
    int terminal_fd = -1;
    char path[64];
    pthread_t thread;
    assert_int_equal(openpty(&main_fd, &terminal_fd, path, NULL, NULL), 0);
    *typist = (struct typist){.fd = main_fd, .text = text};
    assert_int_equal(pthread_create(&thread, NULL, type, typist), 0);
    const struct password_source source = {.terminal = path, .max_len = P12_PASSWORD_MAX};
    enum err_code code = password_read(&source, ret_password, err);
    close(terminal_fd); // the typist's end of the line
    assert_int_equal(pthread_join(thread, NULL), 0);
    close(main_fd);
    return code;
}

static void asks_twice_and_shows_nothing(void **state)
{
    (void)state;
    static struct typist typist;
    struct buf password = {0};
    struct err err = {0};
    assert_int_equal(read_typed("hush-hush\nhush-hush\n", &password, &typist, &err), ERR_OK);
    assert_true(view_is_text(buf_view(&password), "hush-hush"));
    assert_contains(typist.seen, "Password of the new file:");
    assert_contains(typist.seen, "The same again:");
    assert_null(strstr(typist.seen, "hush"));
    buf_wipe(&password);
    assert_int_equal(read_typed("one\ntwo\n", &password, &typist, &err), ERR_SYNTAX);
    assert_contains(err.text, "are not the same");
    assert_null(password.data);
    assert_int_equal(read_typed("\n", &password, &typist, &err), ERR_OK);
    assert_int_equal(password.len, 0); // for p12_check_password() to refuse
    buf_wipe(&password);
}

static void needs_a_terminal(void **state)
{
    (void)state;
    struct buf password = {0};
    struct err err = {0};
    const struct password_source no_terminal = {.terminal = "/dev/null", .max_len = 10};
    assert_int_equal(password_read(&no_terminal, &password, &err), ERR_IO);
    assert_contains(err.text, "/dev/null is not a terminal");
    const struct password_source nothing = {.terminal = "/nowhere/tty", .max_len = 10};
    assert_int_equal(password_read(&nothing, &password, &err), ERR_NOT_FOUND);
    assert_contains(err.text, "--password-file");
    assert_null(password.data);
}

// ---- the command line ----

static struct folder {
    char *path;
    char *config;
} folder;

static int set_up(void **state)
{
    (void)state;
    folder.path = kit_new_folder();
    struct buf pem = {0};
    X509 *one = kit_cert(kit_key(0), "MIC one", NULL, NULL, true, KIT_NOW, 10);
    X509 *two = kit_cert(kit_key(1), "MIC two", NULL, NULL, true, KIT_NOW, 10);
    pem = kit_cert_pem(one);
    free(kit_write(folder.path, "one.pem", buf_view(&pem)));
    buf_done(&pem);
    pem = kit_cert_pem(two);
    free(kit_write(folder.path, "two.pem", buf_view(&pem)));
    buf_done(&pem);
    X509_free(one);
    X509_free(two);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    kit_remove_folder(folder.path);
    return 0;
}

static char *config_with(const char *tail)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    assert_int_equal(settings_write(out, NULL, NULL), ERR_OK);
    fputs(tail, out);
    fclose(out);
    char *path = kit_path(folder.path, "scepd.conf");
    unlink(path);
    free(path);
    path = kit_write(folder.path, "scepd.conf", view_of(text, len));
    free(text);
    return path;
}

static struct outcome run_with(const char *tail, const char *const *words)
{
    const char *all[WORDS_MAX] = {"-c"};
    char *config = config_with(tail);
    all[1] = config;
    for (size_t i = 0; words[i] != NULL; i++) {
        all[i + 2] = words[i];
    }
    struct outcome outcome = ctl_kit_run(all);
    free(config);
    return outcome;
}

static void refuses(const char *tail, const char *const *words, enum ctl_exit code,
                    const char *errors)
{
    struct outcome outcome = run_with(tail, words);
    assert_contains(outcome.errors, errors);
    assert_int_equal(outcome.code, code);
    assert_string_equal(outcome.out, "");
    outcome_done(&outcome);
}

static const char one_mic[] = "mic = ( { name = \"a\"; roots = [\"one.pem\"]; } );\n";
static const char two_mics[] = "mic = ( { name = \"a\"; roots = [\"one.pem\"]; accept_sha1 = true; "
                               "accept_expired = true; },\n"
                               "{ name = \"b\"; roots = [\"two.pem\", \"one.pem\"]; } );\n";

static void prints_apache(void **state)
{
    (void)state;
    struct outcome outcome =
        run_with(one_mic, (const char *[]){"server-cert", "apache", "--cn",
                                           "Prov.example.nl/info@example.nl", NULL});
    assert_string_equal(outcome.errors, "");
    assert_int_equal(outcome.code, CTL_OK);
    char *mic = kit_path(folder.path, "one.pem");
    assert_contains(outcome.out, "<VirtualHost *:443>\n    ServerName Prov.example.nl\n");
    assert_contains(outcome.out, "SSLCertificateFile /etc/ssl/certs/Prov.example.nl.pem\n");
    assert_contains(outcome.out, "SSLCertificateKeyFile /etc/ssl/private/Prov.example.nl.key\n");
    assert_contains(outcome.out, mic);
    assert_contains(outcome.out, "SSLVerifyClient require\n");
    assert_contains(outcome.out, "SSLOptions +StdEnvVars\n");
    assert_null(strstr(outcome.out, "SECLEVEL"));
    free(mic);
    outcome_done(&outcome);
}

static void prints_nginx_with_a_file_of_all(void **state)
{
    (void)state;
    char *out = kit_path(folder.path, "mics.pem");
    const char *const words[] = {
        "--json",         "server-cert", "nginx", "--cn",   "prov.example.nl",
        "--certificate",  "/c.pem",      "--key", "/k.pem", "--listen",
        "127.0.0.1:8443", "--out",       out,     NULL};
    struct outcome outcome = run_with(two_mics, words);
    assert_string_equal(outcome.errors, "");
    json_t *answer = json_loads(outcome.out, 0, NULL);
    const char *text = json_string_value(json_object_get(answer, "configuration"));
    assert_non_null(text);
    assert_string_equal(json_string_value(json_object_get(answer, "client_certificates")), out);
    assert_contains(text, "listen 127.0.0.1:8443 ssl;\n");
    assert_contains(text, "ssl_certificate /c.pem;\n");
    assert_contains(text, "ssl_verify_client on;\n");
    assert_contains(text, "ssl_ciphers DEFAULT@SECLEVEL=0;\n");
    assert_contains(text, "a web server never does");
    json_decref(answer);
    outcome_done(&outcome);
    struct buf pem = {0};
    assert_int_equal(file_read(out, LIMIT_FILE_LEN, &pem, NULL), ERR_OK);
    assert_int_equal(buf_append(&pem, view_of("", 1), NULL), ERR_OK);
    unsigned count = 0;
    for (const char *at = (char *)pem.data; (at = strstr(at, "-----BEGIN")) != NULL; at++) {
        count++;
    }
    assert_int_equal(count, 2); // one.pem is named twice
    buf_done(&pem);
    refuses(two_mics, words, CTL_FAILED, "exists");
    free(out);
}

static void refuses_configurations(void **state)
{
    (void)state;
    refuses(one_mic, (const char *[]){"server-cert", "apache", NULL}, CTL_USAGE, "--cn HOST");
    refuses(one_mic, (const char *[]){"server-cert", "nginx", "--cn", "*.example.nl", NULL},
            CTL_USAGE, "a wildcard");
    refuses(
        one_mic,
        (const char *[]){"server-cert", "nginx", "--cn", "a.example.nl", "--key", "k.pem", NULL},
        CTL_USAGE, "--key: \"k.pem\" is not a path from / on");
    refuses(one_mic,
            (const char *[]){"server-cert", "nginx", "--cn", "a.example.nl", "--directory", "/a;b",
                             NULL},
            CTL_USAGE, "--directory: \"/a;b\"");
    refuses(one_mic,
            (const char *[]){"server-cert", "nginx", "--cn", "a.example.nl", "--listen", "x", NULL},
            CTL_USAGE, "--listen: ");
    refuses(two_mics, (const char *[]){"server-cert", "nginx", "--cn", "a.example.nl", NULL},
            CTL_USAGE, "in 3 files");
    refuses("", (const char *[]){"server-cert", "nginx", "--cn", "a.example.nl", NULL}, CTL_USAGE,
            "names no manufacturer's certificates");
    refuses(
        "",
        (const char *[]){"server-cert", "nginx", "--cn", "a.example.nl", "--mic", "/nowhere", NULL},
        CTL_USAGE, "cannot find /nowhere: No such file");
    refuses("",
            (const char *[]){"server-cert", "nginx", "--cn", "a.example.nl", "--mic", "a", "--out",
                             "b", NULL},
            CTL_USAGE, "exclude each other");
}

static void refuses_orders(void **state)
{
    (void)state;
    char *exists = kit_path(folder.path, "one.pem");
    char *empty = kit_write(folder.path, "empty", view_of_text("\n"));
    char *nothing = kit_write(folder.path, "nothing", VIEW_EMPTY);
    char *out = kit_path(folder.path, "new.p12");
    static const char long_name[] =
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef!";
    refuses("", (const char *[]){"phone", "p12", "--cn", "x", NULL}, CTL_USAGE, "needs --cn CN");
    refuses("", (const char *[]){"phone", "p12", "--cn", long_name, "--out", out, NULL}, CTL_USAGE,
            "--cn: ");
    refuses("", (const char *[]){"phone", "p12", "--cn", "x", "--out", exists, NULL}, CTL_FAILED,
            "exists already; nothing is overwritten");
    refuses("", (const char *[]){"phone", "p12", "--cn", "x", "--out", "/nowhere/x", NULL},
            CTL_FAILED, "the folder /nowhere");
    refuses("",
            (const char *[]){"phone", "p12", "--cn", "x", "--out", out, "--key", "rsa:1024", NULL},
            CTL_USAGE, "allowed are rsa:2048, rsa:3072, rsa:4096");
    refuses(
        "",
        (const char *[]){"phone", "p12", "--cn", "x", "--out", out, "--password-file", empty, NULL},
        CTL_USAGE, "is empty");
    refuses("", (const char *[]){"phone", "p12", "--cn", "a\x1b[2J", "--out", out, NULL}, CTL_USAGE,
            "--cn: the common name has control characters");
    refuses("", (const char *[]){"phone", "p12", "--cn", "a\xff", "--out", out, NULL}, CTL_USAGE,
            "is not UTF-8 text");
    refuses("", (const char *[]){"phone", "p12", "--cn", "x", "--out", out, "--days", "15", NULL},
            CTL_USAGE,
            "--days: 15 is out of range; allowed are 16 to 3650 (a phone renews in the last 15 "
            "days");
    static const char *const strange[] = {"evil.example.com", "<script>", "CP-9871-SEP001A2B3C4D5"};
    for (size_t i = 0; i < sizeof strange / sizeof strange[0]; i++) {
        refuses("",
                (const char *[]){"phone", "p12", "--cn", strange[i], "--out", out,
                                 "--password-file", empty, NULL},
                CTL_USAGE, "\" has no MAC address in it, as phones' names do");
    }
    struct outcome usual =
        ctl_kit_run((const char *[]){"phone", "p12", "--cn", "CP-9871-SEP001A2B3C4D5E", "--out",
                                     out, "--password-file", empty, NULL});
    assert_null(strstr(usual.errors, "MAC address"));
    outcome_done(&usual);
    refuses("", (const char *[]){"server-cert", "sign", nothing, NULL}, CTL_FAILED,
            "is empty; a PKCS#10 in PEM or DER is needed");
    refuses("", (const char *[]){"server-cert", "sign", exists, "--address", "192.0.2.1", NULL},
            CTL_USAGE, "--address belongs to --check-dns");
    refuses("", (const char *[]){"server-cert", "sign", exists, "--days", "0", NULL}, CTL_USAGE,
            "--days: ");
    refuses("", (const char *[]){"server-cert", "sign", exists, "--check-dns", NULL}, CTL_FAILED,
            "one.pem: ");
    refuses("", (const char *[]){"server-cert", "sign", "/nowhere", NULL}, CTL_USAGE, "/nowhere");
    assert_int_equal(access(out, F_OK), -1);
    free(exists);
    free(nothing);
    free(empty);
    free(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compares_addresses),
        cmocka_unit_test(the_system_knows_itself),
        cmocka_unit_test(passwords_are_checked),
        cmocka_unit_test(files_are_read_back),
        cmocka_unit_test(asks_twice_and_shows_nothing),
        cmocka_unit_test(needs_a_terminal),
        cmocka_unit_test(prints_apache),
        cmocka_unit_test(prints_nginx_with_a_file_of_all),
        cmocka_unit_test(refuses_configurations),
        cmocka_unit_test(refuses_orders),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
