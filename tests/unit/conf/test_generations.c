// SPDX-License-Identifier: Apache-2.0
// Which CAs there are: roles by links, files by folder, and every way in which a folder is broken.
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/base/hex.h"
#include "conf/generations.h"
#include "kit/kit.h"

#define NOBODY 65534 // a user who may do nothing

enum { CONFIGURED, SECOND, THIRD, ROOT };

struct site {
    char *folder;
    char *certificate;
    char *key;
    char *root;
    char *generations;
    X509 *root_cert;
    X509 *certs[ROOT]; // all under the root
    char names[ROOT][GENERATION_NAME_LEN];
    struct settings settings;
};

static void assert_ok(enum err_code code, const struct err *err)
{
    if (code != ERR_OK) {
        fail_msg("unexpected %s: %s", err_name(code), err->text);
    }
}

static char *write_certs(const char *folder, const char *name, const X509 *first,
                         const X509 *second)
{
    struct buf pem = kit_cert_pem(first);
    struct buf more = second != NULL ? kit_cert_pem(second) : (struct buf){0};
    assert_int_equal(buf_append(&pem, buf_view(&more), NULL), ERR_OK);
    char *path = kit_write(folder, name, buf_view(&pem));
    buf_done(&pem);
    buf_done(&more);
    return path;
}

static void site_init(struct site *site)
{
    *site = (struct site){.folder = kit_new_folder()};
    site->root_cert = kit_cert(kit_key(ROOT), "Root", NULL, NULL, true, KIT_NOW, 100);
    for (unsigned i = 0; i < ROOT; i++) {
        uint8_t id[SHA256_LEN];
        struct err err = {0};
        site->certs[i] =
            kit_cert(kit_key(i), "CA", site->root_cert, kit_key(ROOT), true, KIT_NOW, 50);
        assert_ok(generation_identify(site->certs[i], id, site->names[i], &err), &err);
    }
    site->certificate = write_certs(site->folder, "ca.pem", site->certs[CONFIGURED], NULL);
    site->root = write_certs(site->folder, "root.pem", site->root_cert, NULL);
    site->key = kit_path(site->folder, "ca.key");
    site->generations = kit_path(site->folder, "generations");
    assert_int_equal(mkdir(site->generations, 0700), 0);
    site->settings.ca.certificate = site->certificate;
    site->settings.ca.key = site->key;
    site->settings.ca.root = site->root;
    site->settings.ca.generations = site->generations;
}

static void site_done(struct site *site)
{
    for (unsigned i = 0; i < ROOT; i++) {
        X509_free(site->certs[i]);
    }
    X509_free(site->root_cert);
    free(site->certificate);
    free(site->key);
    free(site->root);
    free(site->generations);
    kit_remove_folder(site->folder);
}

// A folder named after one CA with the certificate of another (mostly the same).
static void add_folder(const struct site *site, unsigned named, unsigned certified)
{
    char *path = kit_path(site->generations, site->names[named]);
    assert_int_equal(mkdir(path, 0700), 0);
    free(write_certs(path, "ca.pem", site->certs[certified], NULL));
    free(path);
}

static void add_file(const struct site *site, unsigned ca, const char *name, const char *text)
{
    char *path = kit_path(site->generations, site->names[ca]);
    free(kit_write(path, name, view_of_text(text)));
    free(path);
}

static void make_link(const struct site *site, const char *name, const char *target)
{
    char *path = kit_path(site->generations, name);
    unlink(path);
    assert_int_equal(symlink(target, path), 0);
    free(path);
}

static void read_site(const struct site *site, struct generations *generations)
{
    struct err err = {0};
    assert_ok(generations_read(&site->settings, generations, &err), &err);
}

static void refuse(const struct site *site, enum err_code expected, const char *text)
{
    struct generations generations = {0};
    struct err err = {0};
    enum err_code code = generations_read(&site->settings, &generations, &err);
    if (code != expected || strstr(err.text, text) == NULL) {
        fail_msg("got %s \"%s\", expected %s with \"%s\"", err_name(code), err.text,
                 err_name(expected), text);
    }
    assert_int_equal(generations.count, 0);
}

static void assert_generation(const struct generations *generations, unsigned at, const char *name,
                              enum generation_role role)
{
    assert_true(at < generations->count);
    assert_string_equal(generations->list[at].name, name);
    assert_int_equal(generations->list[at].role, role);
}

static void identity(void **state)
{
    (void)state;
    X509 *cert = kit_cert(kit_key(0), "a", NULL, NULL, false, KIT_NOW, 1);
    X509 *other = kit_cert(kit_key(0), "b", NULL, NULL, true, KIT_NOW, 9);
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(kit_key(0), &der);
    const struct view spki = view_of(der, (size_t)len);
    uint8_t expected[SHA256_LEN];
    ossl_sha256(&spki, 1, expected);
    OPENSSL_free(der);
    uint8_t id[SHA256_LEN];
    uint8_t again[SHA256_LEN];
    char name[GENERATION_NAME_LEN];
    struct err err = {0};
    assert_ok(generation_identify(cert, id, name, &err), &err);
    assert_memory_equal(id, expected, SHA256_LEN);
    uint8_t octets[8];
    assert_int_equal(strlen(name), 16);
    assert_int_equal(strspn(name, "0123456789abcdef"), 16);
    assert_int_equal(hex_decode(name, octets, sizeof octets), 8);
    assert_memory_equal(octets, expected, sizeof octets);
    assert_ok(generation_identify(other, again, name, &err), &err);
    assert_memory_equal(again, id, SHA256_LEN); // a renewed certificate is the same CA
    X509_free(cert);
    X509_free(other);
}

static void only_the_settings(void **state)
{
    (void)state;
    struct site site;
    site_init(&site);
    site.settings.ca.pin_file = "/the/pin";
    const char *folders[] = {NULL, site.generations}; // none, and an empty one
    for (size_t i = 0; i < 2; i++) {
        site.settings.ca.generations = folders[i];
        struct generations generations = {0};
        read_site(&site, &generations);
        assert_int_equal(generations.count, 1);
        assert_generation(&generations, 0, site.names[CONFIGURED], GENERATION_CURRENT);
        assert_int_equal(X509_cmp(generations.list[0].cert, site.certs[CONFIGURED]), 0);
        assert_string_equal(generations.list[0].key, site.key);
        assert_string_equal(generations.list[0].pin_file, "/the/pin");
        assert_string_equal(generations.list[0].chain, site.root);
        assert_null(generations_next(&generations));
        generations_done(&generations);
        assert_int_equal(generations.count, 0);
    }
    site_done(&site);
}

// The life of a rollover: prepared, switched, the link `next` gone, and the one after it prepared.
static void roles(void **state)
{
    (void)state;
    struct site site;
    site_init(&site);
    struct generations generations = {0};

    add_folder(&site, SECOND, SECOND);
    make_link(&site, "next", site.names[SECOND]);
    read_site(&site, &generations);
    assert_int_equal(generations.count, 2);
    assert_generation(&generations, 0, site.names[CONFIGURED], GENERATION_CURRENT);
    assert_generation(&generations, 1, site.names[SECOND], GENERATION_NEXT);
    assert_ptr_equal(generations_next(&generations), &generations.list[1]);
    generations_done(&generations);

    make_link(&site, "current", site.names[SECOND]);
    for (int has_next = 1; has_next >= 0; has_next--) {
        read_site(&site, &generations);
        assert_int_equal(generations.count, 2);
        assert_generation(&generations, 0, site.names[SECOND], GENERATION_CURRENT);
        assert_generation(&generations, 1, site.names[CONFIGURED], GENERATION_OLD);
        assert_null(generations_next(&generations));
        generations_done(&generations);
        if (has_next == 1) {
            char *link = kit_path(site.generations, "next");
            assert_int_equal(unlink(link), 0);
            free(link);
        }
    }

    add_folder(&site, THIRD, THIRD);
    make_link(&site, "next", site.names[THIRD]);
    read_site(&site, &generations);
    assert_int_equal(generations.count, 3);
    assert_generation(&generations, 0, site.names[SECOND], GENERATION_CURRENT);
    assert_generation(&generations, 1, site.names[THIRD], GENERATION_NEXT);
    assert_generation(&generations, 2, site.names[CONFIGURED], GENERATION_OLD);
    generations_done(&generations);

    make_link(&site, "next", site.names[CONFIGURED]); // back to the first one
    read_site(&site, &generations);
    assert_generation(&generations, 1, site.names[CONFIGURED], GENERATION_NEXT);
    assert_generation(&generations, 2, site.names[THIRD], GENERATION_OLD);
    generations_done(&generations);
    site_done(&site);
}

static void files_of_a_folder(void **state)
{
    (void)state;
    struct site site;
    site_init(&site);
    add_folder(&site, SECOND, SECOND);
    char *folder = kit_path(site.generations, site.names[SECOND]);
    char *key = kit_path(folder, "ca.key");
    char *pin = kit_path(folder, "pin");
    char *chain = kit_path(folder, "chain.pem");
    struct generations generations = {0};

    read_site(&site, &generations); // nothing there: the place where the key is looked for first
    assert_string_equal(generations.list[1].key, key);
    assert_null(generations.list[1].pin_file);
    assert_string_equal(generations.list[1].chain, site.root);
    generations_done(&generations);

    add_file(&site, SECOND, "key.uri", "pkcs11:object=ca2;type=private\nsecond line\n");
    add_file(&site, SECOND, "pin", "1234\n");
    add_file(&site, SECOND, "chain.pem", "not looked at here");
    read_site(&site, &generations);
    assert_string_equal(generations.list[1].key, "pkcs11:object=ca2;type=private");
    assert_string_equal(generations.list[1].pin_file, pin);
    assert_string_equal(generations.list[1].chain, chain);
    generations_done(&generations);

    add_file(&site, SECOND, "ca.key", "not looked at here");
    read_site(&site, &generations);
    assert_string_equal(generations.list[1].key, key);
    generations_done(&generations);
    free(folder);
    free(key);
    free(pin);
    free(chain);
    site_done(&site);
}

// Where only scepd-ca may read the URI, scepd sees all of the rest.
static void uri_that_others_may_not_read(void **state)
{
    (void)state;
    struct site site;
    site_init(&site);
    add_folder(&site, SECOND, SECOND);
    add_file(&site, SECOND, "key.uri", "pkcs11:object=ca2;type=private\n");
    char *folder = kit_path(site.generations, site.names[SECOND]);
    char *uri = kit_path(folder, "key.uri");
    assert_int_equal(chmod(uri, 0), 0);
    assert_int_equal(chmod(site.folder, 0755), 0);
    assert_int_equal(chmod(site.generations, 0755), 0);
    assert_int_equal(chmod(folder, 0755), 0);
    char *open_to_all[] = {site.certificate, site.root};
    for (size_t i = 0; i < sizeof open_to_all / sizeof open_to_all[0]; i++) {
        assert_int_equal(chmod(open_to_all[i], 0644), 0);
    }
    char *cert = kit_path(folder, "ca.pem");
    assert_int_equal(chmod(cert, 0644), 0);
    bool is_root = geteuid() == 0;
    if (is_root) {
        assert_int_equal(seteuid(NOBODY), 0);
    }
    bool can_look =
        faccessat(AT_FDCWD, site.folder, X_OK, AT_EACCESS) == 0; // not below a private $TMPDIR
    struct generations generations = {0};
    struct err err = {0};
    enum err_code code = can_look ? generations_read(&site.settings, &generations, &err) : ERR_OK;
    if (is_root) {
        assert_int_equal(seteuid(0), 0);
    }
    assert_ok(code, &err);
    if (can_look) {
        assert_string_equal(generations.list[1].key, uri);
        assert_string_equal(generations.list[1].name, site.names[SECOND]);
    }
    generations_done(&generations);
    free(cert);
    free(uri);
    free(folder);
    site_done(&site);
}

// Nothing stands above a self-signed CA, whatever ca.root says.
static void self_signed_has_no_chain(void **state)
{
    (void)state;
    struct site site;
    site_init(&site);
    free(write_certs(site.folder, "ca.pem", site.root_cert, NULL));
    struct generations generations = {0};
    read_site(&site, &generations);
    assert_null(generations.list[0].chain);
    STACK_OF(X509) *chain = NULL;
    struct err err = {0};
    assert_ok(generation_read_chain(&generations.list[0], &chain, &err), &err);
    assert_int_equal(sk_X509_num(chain), 0);
    free_cert_stack(chain);
    generations_done(&generations);
    site_done(&site);
}

static void reads_chains(void **state)
{
    (void)state;
    struct site site;
    site_init(&site);
    free(write_certs(site.folder, "root.pem", site.certs[CONFIGURED], site.root_cert));
    struct generations generations = {0};
    read_site(&site, &generations);
    STACK_OF(X509) *chain = NULL;
    struct err err = {0};
    assert_ok(generation_read_chain(&generations.list[0], &chain, &err), &err);
    assert_int_equal(sk_X509_num(chain), 1); // without the copy of the CA itself
    assert_int_equal(X509_cmp(sk_X509_value(chain, 0), site.root_cert), 0);
    free_cert_stack(chain);
    chain = NULL;
    unlink(site.root);
    assert_int_equal(generation_read_chain(&generations.list[0], &chain, &err), ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "root.pem"));
    assert_null(chain);
    generations_done(&generations);
    site_done(&site);
}

// The CA's own certificate is the first of its file.
static void first_certificate_counts(void **state)
{
    (void)state;
    struct site site;
    site_init(&site);
    free(write_certs(site.folder, "ca.pem", site.certs[THIRD], site.root_cert));
    struct generations generations = {0};
    read_site(&site, &generations);
    assert_generation(&generations, 0, site.names[THIRD], GENERATION_CURRENT);
    generations_done(&generations);
    site_done(&site);
}

static void other_names_are_not_looked_at(void **state)
{
    (void)state;
    struct site site;
    site_init(&site);
    static const char *const names[] = {"0123456789abcdef.new", "0123456789ABCDEF", "lost+found",
                                        ".0123456789abcde"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char *path = kit_path(site.generations, names[i]);
        assert_int_equal(mkdir(path, 0700), 0);
        free(path);
    }
    struct generations generations = {0};
    read_site(&site, &generations);
    assert_int_equal(generations.count, 1);
    generations_done(&generations);
    site_done(&site);
}

static void refuses_links(void **state)
{
    (void)state;
    static const struct {
        const char *target;
        const char *text;
    } bad[] = {
        {"0123456789abcdef", "links to 0123456789abcdef, which is not there"},
        {"0123456789ABCDEF", "named by 16 lower-case hex digits"},
        {"../generations/0123456789abcdef", "named by 16 lower-case hex digits"},
        {"0123456789abcdef/", "named by 16 lower-case hex digits"},
        {"0123456789abcde", "named by 16 lower-case hex digits"},
    };
    static const char *const links[] = {"current", "next"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        for (size_t link = 0; link < 2; link++) {
            struct site site;
            site_init(&site);
            add_folder(&site, SECOND, SECOND);
            make_link(&site, links[link], bad[i].target);
            refuse(&site, ERR_CONFIG, bad[i].text);
            refuse(&site, ERR_CONFIG, links[link]);
            site_done(&site);
        }
    }
    struct site site;
    site_init(&site);
    free(kit_write(site.generations, "current", view_of_text("a file")));
    refuse(&site, ERR_CONFIG, "current is not a link");
    site_done(&site);
}

static void refuses_folders(void **state)
{
    (void)state;
    struct site site;
    site_init(&site);
    add_folder(&site, SECOND, THIRD);
    refuse(&site, ERR_CONFIG, "holds the certificate of the CA");
    site_done(&site);

    site_init(&site);
    add_folder(&site, CONFIGURED, CONFIGURED);
    refuse(&site, ERR_CONFIG, "have the same key");
    site_done(&site);

    site_init(&site);
    add_folder(&site, SECOND, SECOND);
    add_file(&site, SECOND, "ca.pem", "no certificate");
    refuse(&site, ERR_CONFIG, "ca.pem");
    char *path = kit_path(site.generations, site.names[SECOND]);
    char *cert = kit_path(path, "ca.pem");
    unlink(cert);
    refuse(&site, ERR_NOT_FOUND, "ca.pem");
    free(cert);
    free(path);
    site_done(&site);

    static const char *const uris[] = {"", "\npkcs11:object=ca2\n"};
    for (size_t i = 0; i < 2; i++) {
        site_init(&site);
        add_folder(&site, SECOND, SECOND);
        add_file(&site, SECOND, "key.uri", uris[i]);
        refuse(&site, ERR_CONFIG, "key.uri has no URI");
        site_done(&site);
    }

    site_init(&site);
    site.settings.ca.generations = "/nonexistent/generations";
    refuse(&site, ERR_NOT_FOUND, "/nonexistent/generations");
    site.settings.ca.certificate = "/nonexistent/ca.pem";
    refuse(&site, ERR_NOT_FOUND, "/nonexistent/ca.pem");
    site_done(&site);
}

static void too_many(void **state)
{
    (void)state;
    struct site site;
    site_init(&site);
    for (unsigned i = 0; i < GENERATIONS_MAX; i++) {
        EVP_PKEY *key = kit_ec_key("P-256"); // quick to make
        X509 *cert = kit_cert(key, "CA", NULL, NULL, true, KIT_NOW, 1);
        uint8_t id[SHA256_LEN];
        char name[GENERATION_NAME_LEN];
        assert_int_equal(generation_identify(cert, id, name, NULL), ERR_OK);
        char *path = kit_path(site.generations, name);
        assert_int_equal(mkdir(path, 0700), 0);
        free(write_certs(path, "ca.pem", cert, NULL));
        free(path);
        X509_free(cert);
        EVP_PKEY_free(key);
        if (i + 2 == GENERATIONS_MAX) {
            struct generations generations = {0};
            read_site(&site, &generations);
            assert_int_equal(generations.count, GENERATIONS_MAX);
            generations_done(&generations);
        }
    }
    refuse(&site, ERR_CONFIG, "more than 16 CAs");
    site_done(&site);
}

static void expands(void **state)
{
    (void)state;
    static const struct {
        const char *pattern;
        const char *text;
    } cases[] = {
        {"", ""},
        {"/crl", "/crl"},
        {"{ca}", "0a1b"},
        {"http://pki.example/{ca}.crl", "http://pki.example/0a1b.crl"},
        {"/{ca}/{ca}{ca}", "/0a1b/0a1b0a1b"},
        {"{c{ca}a}", "{c0a1ba}"},
        {"{CA}{ca", "{CA}{ca"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf text = {0};
        struct err err = {0};
        assert_ok(generation_expand(cases[i].pattern, "0a1b", &text, &err), &err);
        assert_string_equal((const char *)text.data, cases[i].text);
        assert_int_equal(text.len, strlen(cases[i].text));
        buf_done(&text);
    }
    char longest[GENERATION_TEXT_MAX + 2];
    memset(longest, 'a', sizeof longest);
    longest[GENERATION_TEXT_MAX + 1] = '\0';
    struct buf text = {0};
    struct err err = {0};
    assert_int_equal(generation_expand(longest, "0a1b", &text, &err), ERR_LIMIT);
    assert_non_null(strstr(err.text, "longer than 4096 octets"));
    assert_null(text.data);
    longest[GENERATION_TEXT_MAX] = '\0';
    assert_ok(generation_expand(longest, "0a1b", &text, &err), &err);
    assert_int_equal(text.len, GENERATION_TEXT_MAX);
    buf_done(&text);
    memcpy(longest, "{ca}{ca}", 8);
    assert_ok(generation_expand(longest, "0a1b", &text, &err), &err);
    buf_done(&text);
    assert_int_equal(generation_expand(longest, "0a1b2", &text, &err), ERR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(identity),
        cmocka_unit_test(only_the_settings),
        cmocka_unit_test(roles),
        cmocka_unit_test(files_of_a_folder),
        cmocka_unit_test(uri_that_others_may_not_read),
        cmocka_unit_test(self_signed_has_no_chain),
        cmocka_unit_test(reads_chains),
        cmocka_unit_test(first_certificate_counts),
        cmocka_unit_test(other_names_are_not_looked_at),
        cmocka_unit_test(refuses_links),
        cmocka_unit_test(refuses_folders),
        cmocka_unit_test(too_many),
        cmocka_unit_test(expands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
