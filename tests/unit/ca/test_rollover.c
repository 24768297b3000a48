// SPDX-License-Identifier: Apache-2.0
// The administrator's rollover: what it leaves in the folder of CAs, step by step, and that no
// failure leaves anything.
#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>

#include "ca/rollover.h"
#include "conf/base/file.h"
#include "conf/cert_file.h"
#include "fixture.h"

#define DAY      86400
#define CA_USER  64001 // of nobody
#define CA_GROUP 64002

// An issuing CA under a root, or (is_single) one that is its own root.
struct site {
    char *folder;
    char *root_path;
    char *root_key_path;
    char *ca_path;
    char *ca_key_path;
    char *generations;
    X509 *root;
    X509 *ca;
    struct settings settings;
};

static void site_init(struct site *site, bool is_single)
{
    *site = (struct site){.folder = kit_new_folder()};
    site->root = kit_cert(kit_key(0), "Root", NULL, NULL, true, KIT_NOW - DAY, 7000);
    site->ca = is_single ? kit_cert(kit_key(1), "Site CA", NULL, NULL, true, KIT_NOW - DAY, 3000)
                         : kit_cert(kit_key(1), "Site CA", site->root, kit_key(0), true,
                                    KIT_NOW - DAY, 3000);
    site->root_path = write_cert(site->folder, "root.pem", site->root);
    site->root_key_path = write_key(site->folder, "root.key", kit_key(0));
    site->ca_path = write_cert(site->folder, "issuing.pem", site->ca);
    site->ca_key_path = write_key(site->folder, "issuing.key", kit_key(1));
    site->generations = kit_path(site->folder, "generations");
    assert_int_equal(mkdir(site->generations, 0700), 0);
    site->settings = (struct settings){
        .http = {.crl_path = "/crl/{ca}.crl", .ca_path = "/ca/{ca}.cer"},
        .ca = {.certificate = site->ca_path,
               .key = site->ca_key_path,
               .root = is_single ? NULL : site->root_path,
               .generations = site->generations,
               .crl_hours = CRL_HOURS,
               .direct_per_sec = 10},
        .phone = {.validity_days = VALIDITY_DAYS},
    };
}

static void site_done(struct site *site)
{
    X509_free(site->root);
    X509_free(site->ca);
    free(site->root_path);
    free(site->root_key_path);
    free(site->ca_path);
    free(site->ca_key_path);
    free(site->generations);
    kit_remove_folder(site->folder);
}

static struct rollover_order order_of(const struct site *site)
{
    return (struct rollover_order){.settings = &site->settings,
                                   .root_key = {.uri = site->root_key_path},
                                   .ca_key = "ec:P-256",
                                   .now = KIT_NOW};
}

static struct rollover_result prepare(const struct rollover_order *order)
{
    struct rollover_result result = {0};
    struct err err = {0};
    assert_ok(rollover_prepare(order, &result, &err), &err);
    return result;
}

static struct rollover_result activate(const struct site *site)
{
    struct rollover_result result = {0};
    struct err err = {0};
    assert_ok(rollover_activate(&site->settings, KIT_NOW, &result, &err), &err);
    return result;
}

static unsigned count_entries(const char *folder)
{
    unsigned count = 0;
    DIR *entries = opendir(folder);
    assert_non_null(entries);
    while (readdir(entries) != NULL) {
        count++;
    }
    closedir(entries);
    return count - 2; // "." and ".."
}

static void assert_mode(const char *folder, const char *name, mode_t mode)
{
    struct stat status;
    char *path = kit_path(folder, name);
    assert_int_equal(lstat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, mode);
    free(path);
}

static bool is_there(const char *folder, const char *name)
{
    struct stat status;
    char *path = kit_path(folder, name);
    bool found = lstat(path, &status) == 0;
    free(path);
    return found;
}

static void assert_link(const struct site *site, const char *link, const char *name)
{
    char target[64];
    char *path = kit_path(site->generations, link);
    ssize_t len = readlink(path, target, sizeof target - 1);
    free(path);
    assert_true(len > 0);
    target[len] = '\0';
    assert_string_equal(target, name);
}

static void assert_common_name(const X509 *cert, const char *expected)
{
    char text[128];
    X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, text, sizeof text);
    assert_string_equal(text, expected);
}

// What is in the folder is what scepd-ca starts with.
static struct ca_state state_of(const struct site *site)
{
    struct authorities *authorities = NULL;
    struct err err = {0};
    unsigned missing = 0;
    struct ca_state state;
    assert_ok(authorities_load(&site->settings, KIT_NOW, &authorities, &missing, &err), &err);
    assert_int_equal(missing, 0);
    authorities_state(authorities, &state);
    authorities_unref(authorities);
    return state;
}

static void expect_no_prepare(const struct rollover_order *order, enum err_code code,
                              const char *text)
{
    struct rollover_result result = {0};
    struct err err = {0};
    assert_refused(rollover_prepare(order, &result, &err), code, &err, text);
    assert_null(result.cert);
}

static void prepares(void **state)
{
    (void)state;
    struct site site;
    site_init(&site, false);
    const struct rollover_order order = order_of(&site);
    struct rollover_result next = prepare(&order);
    char *folder = kit_path(site.generations, next.name);
    assert_int_equal(count_entries(site.generations), 2); // the folder and the link
    assert_int_equal(count_entries(folder), 3);
    assert_link(&site, "next", next.name);
    assert_false(is_there(site.generations, "current"));
    assert_mode(site.generations, next.name, 0700);
    assert_mode(folder, "ca.pem", 0644);
    assert_mode(folder, "ca.key", 0600);
    assert_mode(folder, "chain.pem", 0644);

    char *path = kit_path(folder, "chain.pem");
    X509 *above = NULL;
    struct err err = {0};
    assert_ok(cert_file_read(path, &above, &err), &err);
    assert_int_equal(X509_cmp(above, site.root), 0);
    assert_common_name(next.cert, "Site CA G2");
    assert_verifies(next.cert, site.root, NULL, KIT_NOW, X509_PURPOSE_ANY);
    struct ca_state held = state_of(&site);
    assert_true(held.has_next);
    assert_int_equal(held.old_count, 0);
    X509_free(above);
    rollover_done(&next);
    free(path);
    free(folder);
    site_done(&site);
}

static void whole_rollovers(void **state)
{
    (void)state;
    struct site site;
    site_init(&site, false);
    const struct rollover_order order = order_of(&site);
    static const char *const names[] = {"Site CA G2", "Site CA G3"};
    for (uint32_t i = 0; i < 2; i++) {
        struct rollover_result next = prepare(&order);
        assert_common_name(next.cert, names[i]);
        struct ca_state before = state_of(&site);
        struct rollover_result current = activate(&site);
        assert_string_equal(current.name, next.name);
        assert_int_equal(X509_cmp(current.cert, next.cert), 0);
        assert_link(&site, "current", next.name);
        assert_false(is_there(site.generations, "next"));
        struct ca_state after = state_of(&site);
        assert_false(after.has_next);
        assert_memory_equal(after.current, before.next, SHA256_LEN);
        assert_int_equal(after.old_count, i + 1);
        rollover_done(&current);
        rollover_done(&next);
    }
    site_done(&site);
}

// One tier: the next CA is its own root, too, and nothing stands above it.
static void own_root(void **state)
{
    (void)state;
    struct site site;
    site_init(&site, true);
    struct rollover_order order = order_of(&site);
    expect_no_prepare(&order, ERR_CONFIG, "--root-key is not for it");
    order.root_key.uri = NULL;
    order.ca_key = NULL;
    struct rollover_result next = prepare(&order);
    char *folder = kit_path(site.generations, next.name);
    assert_int_equal(count_entries(folder), 2);
    assert_verifies(next.cert, next.cert, NULL, KIT_NOW, X509_PURPOSE_ANY);
    // A key of the same kind as the present one.
    assert_int_equal(EVP_PKEY_get_bits(X509_get0_pubkey(next.cert)), 2048);
    assert_int_equal(X509_get_key_usage(next.cert) & KU_KEY_ENCIPHERMENT, 0);
    assert_true(state_of(&site).has_next);
    free(folder);
    rollover_done(&next);
    site_done(&site);
}

static void direct_topology(void **state)
{
    (void)state;
    struct site site;
    site_init(&site, true);
    site.settings.scep.topology = SETTINGS_TOPOLOGY_DIRECT;
    struct rollover_order order = order_of(&site);
    order.root_key.uri = NULL;
    expect_no_prepare(&order, ERR_CONFIG, "answers itself");
    order.ca_key = "rsa:2048";
    struct rollover_result next = prepare(&order);
    assert_int_not_equal(X509_get_key_usage(next.cert) & KU_KEY_ENCIPHERMENT, 0);
    rollover_done(&next);
    site_done(&site);
}

static void key_that_is_there(void **state)
{
    (void)state;
    struct site site;
    site_init(&site, false);
    struct rollover_order order = order_of(&site);
    char *key = write_key(site.folder, "token.key", kit_key(2));
    char *pin = kit_write(site.folder, "token.pin", view_of_text("1234\n"));
    order.key = (struct ceremony_key){.uri = key, .pin_file = pin};
    struct rollover_result next = prepare(&order);
    char *folder = kit_path(site.generations, next.name);
    char *uri_path = kit_path(folder, "key.uri");
    assert_false(is_there(folder, "ca.key"));
    assert_mode(folder, "key.uri", 0600);
    assert_mode(folder, "pin", 0600);
    struct buf uri = {0};
    assert_int_equal(file_read(uri_path, 1000, &uri, NULL), ERR_OK);
    assert_true(view_is_text(buf_view(&uri), key));
    assert_true(state_of(&site).has_next);
    buf_done(&uri);
    rollover_done(&next);

    // The key of a CA that is there already.
    next = activate(&site);
    rollover_done(&next);
    expect_no_prepare(&order, ERR_EXISTS, "has this key already");
    order.key.uri = site.ca_key_path;
    expect_no_prepare(&order, ERR_EXISTS, "has this key already");
    assert_int_equal(count_entries(site.generations), 2);
    free(uri_path);
    free(folder);
    free(pin);
    free(key);
    site_done(&site);
}

static void refuses_settings(void **state)
{
    (void)state;
    struct site site;
    site_init(&site, false);
    struct rollover_order order = order_of(&site);
    const char **const patterns[] = {&site.settings.phone.crl_url, &site.settings.phone.ca_url,
                                     &site.settings.http.crl_path, &site.settings.http.ca_path};
    static const char *const names[] = {"phone.crl_url", "phone.ca_url", "http.crl_path",
                                        "http.ca_path"};
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
        const char *before = *patterns[i];
        *patterns[i] = "http://pki.example/one.crl";
        expect_no_prepare(&order, ERR_CONFIG, names[i]);
        expect_no_prepare(&order, ERR_CONFIG, "must have \"{ca}\" in it");
        *patterns[i] = before;
    }
    site.settings.ca.generations = NULL;
    expect_no_prepare(&order, ERR_CONFIG, "ca.generations is not set");
    site.settings.ca.generations = "/nonexistent/generations";
    expect_no_prepare(&order, ERR_NOT_FOUND, "/nonexistent/generations");
    site.settings.ca.generations = site.generations;

    order.root_key.uri = NULL;
    expect_no_prepare(&order, ERR_CONFIG, "Root must sign the next CA (--root-key)");
    order.root_key.uri = site.ca_key_path;
    expect_no_prepare(&order, ERR_CONFIG, "not that of the root's certificate");
    order = order_of(&site);
    site.settings.ca.root = NULL;
    expect_no_prepare(&order, ERR_CONFIG, "ca.root must name it");
    assert_int_equal(count_entries(site.generations), 0);
    site_done(&site);
}

static void only_one_next(void **state)
{
    (void)state;
    struct site site;
    site_init(&site, false);
    const struct rollover_order order = order_of(&site);
    struct rollover_result next = prepare(&order);
    expect_no_prepare(&order, ERR_EXISTS, "is prepared already");
    expect_no_prepare(&order, ERR_EXISTS, next.name);
    assert_int_equal(count_entries(site.generations), 2);
    rollover_done(&next);
    site_done(&site);
}

static void bounded(void **state)
{
    (void)state;
    struct site site;
    site_init(&site, true);
    struct rollover_order order = order_of(&site);
    order.root_key.uri = NULL;
    for (unsigned i = 1; i < GENERATIONS_MAX; i++) {
        struct rollover_result result = prepare(&order);
        rollover_done(&result);
        result = activate(&site);
        rollover_done(&result);
    }
    expect_no_prepare(&order, ERR_LIMIT, "16 CAs are there already");
    assert_int_equal(state_of(&site).old_count, FRAME_OLD_MAX);
    site_done(&site);
}

static void activate_needs_a_next(void **state)
{
    (void)state;
    struct site site;
    site_init(&site, false);
    struct rollover_result result = {0};
    struct err err = {0};
    assert_refused(rollover_activate(&site.settings, KIT_NOW, &result, &err), ERR_NOT_FOUND, &err,
                   "no CA is prepared");
    assert_refused(rollover_cancel(&site.settings, &result, &err), ERR_NOT_FOUND, &err,
                   "no CA is prepared");
    // One that is not valid any more, or not yet.
    const struct rollover_order order = order_of(&site);
    struct rollover_result next = prepare(&order);
    assert_refused(rollover_activate(&site.settings, KIT_NOW + 4000 * (int64_t)DAY, &result, &err),
                   ERR_CONFIG, &err, "has expired");
    assert_refused(rollover_activate(&site.settings, KIT_NOW - DAY, &result, &err), ERR_CONFIG,
                   &err, "begins later");
    assert_link(&site, "next", next.name);
    assert_false(is_there(site.generations, "current"));
    site.settings.ca.generations = NULL;
    assert_refused(rollover_activate(&site.settings, KIT_NOW, &result, &err), ERR_NOT_FOUND, &err,
                   "ca.generations is not set");
    rollover_done(&next);
    site_done(&site);
}

// The machine stopped after `current` was switched: the same command finishes it.
static void activate_goes_on_after_a_crash(void **state)
{
    (void)state;
    struct site site;
    site_init(&site, false);
    const struct rollover_order order = order_of(&site);
    struct rollover_result next = prepare(&order);
    char *current = kit_path(site.generations, "current");
    assert_int_equal(symlink(next.name, current), 0);
    struct rollover_result result = activate(&site);
    assert_string_equal(result.name, next.name);
    assert_false(is_there(site.generations, "next"));
    assert_link(&site, "current", next.name);
    free(current);
    rollover_done(&result);
    rollover_done(&next);
    site_done(&site);
}

// What a crash left of a half-made CA does not stay, and is not in the way.
static void prepare_goes_on_after_a_crash(void **state)
{
    (void)state;
    struct site site;
    site_init(&site, false);
    char *left = kit_path(site.generations, "new");
    char *link = kit_path(site.generations, "new-link");
    assert_int_equal(mkdir(left, 0700), 0);
    free(kit_write(left, "ca.key", view_of_text("half a key")));
    assert_int_equal(symlink("elsewhere", link), 0);
    const struct rollover_order order = order_of(&site);
    struct rollover_result next = prepare(&order);
    assert_int_equal(count_entries(site.generations), 2);
    assert_link(&site, "next", next.name);
    free(link);
    free(left);
    rollover_done(&next);
    site_done(&site);
}

// It stays as an old one, and the name is not given twice.
static void cancels(void **state)
{
    (void)state;
    struct site site;
    site_init(&site, false);
    const struct rollover_order order = order_of(&site);
    struct rollover_result next = prepare(&order);
    struct rollover_result cancelled = {0};
    struct err err = {0};
    assert_ok(rollover_cancel(&site.settings, &cancelled, &err), &err);
    assert_string_equal(cancelled.name, next.name);
    assert_false(is_there(site.generations, "next"));
    struct ca_state held = state_of(&site);
    assert_false(held.has_next);
    assert_int_equal(held.old_count, 1);
    struct rollover_result another = prepare(&order);
    assert_common_name(another.cert, "Site CA G3");
    rollover_done(&another);
    rollover_done(&cancelled);
    rollover_done(&next);
    site_done(&site);
}

static void one_at_a_time(void **state)
{
    (void)state;
    struct site site;
    site_init(&site, false);
    int fd = open(site.generations, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    const struct rollover_order order = order_of(&site);
    expect_no_prepare(&order, ERR_BUSY, "another scepctl is at work");
    close(fd);
    site_done(&site);
}

// As the installed service has it: root's folder with the group of scepd-ca, which reads the keys.
static void keys_are_for_the_group(void **state)
{
    (void)state;
    if (geteuid() != 0) {
        skip();
    }
    struct site site;
    struct stat status;
    site_init(&site, false);
    assert_int_equal(chown(site.generations, 0, CA_GROUP), 0);
    assert_int_equal(chmod(site.generations, 0755), 0);
    const struct rollover_order order = order_of(&site);
    struct rollover_result next = prepare(&order);
    char *folder = kit_path(site.generations, next.name);
    char *key = kit_path(folder, "ca.key");
    assert_mode(site.generations, next.name, 0755);
    assert_mode(folder, "ca.key", 0640);
    assert_mode(folder, "ca.pem", 0644);
    assert_int_equal(stat(key, &status), 0);
    assert_int_equal(status.st_uid, 0);
    assert_int_equal(status.st_gid, CA_GROUP);
    rollover_done(&next);

    // But where the present key is another user's, it is as that one.
    assert_int_equal(chown(site.ca_key_path, CA_USER, CA_GROUP), 0);
    struct rollover_result cancelled = {0};
    struct err err = {0};
    assert_ok(rollover_cancel(&site.settings, &cancelled, &err), &err);
    next = prepare(&order);
    free(key);
    free(folder);
    folder = kit_path(site.generations, next.name);
    key = kit_path(folder, "ca.key");
    assert_mode(folder, "ca.key", 0600);
    assert_int_equal(stat(key, &status), 0);
    assert_int_equal(status.st_uid, CA_USER);
    rollover_done(&cancelled);
    rollover_done(&next);
    free(key);
    free(folder);
    site_done(&site);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prepares),
        cmocka_unit_test(whole_rollovers),
        cmocka_unit_test(own_root),
        cmocka_unit_test(direct_topology),
        cmocka_unit_test(key_that_is_there),
        cmocka_unit_test(refuses_settings),
        cmocka_unit_test(only_one_next),
        cmocka_unit_test(bounded),
        cmocka_unit_test(activate_needs_a_next),
        cmocka_unit_test(activate_goes_on_after_a_crash),
        cmocka_unit_test(prepare_goes_on_after_a_crash),
        cmocka_unit_test(cancels),
        cmocka_unit_test(one_at_a_time),
        cmocka_unit_test(keys_are_for_the_group),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
