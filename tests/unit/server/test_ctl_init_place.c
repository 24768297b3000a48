// SPDX-License-Identifier: Apache-2.0
// scepctl init for the installed service, with its folders elsewhere: where everything is, whose it
// is, who may read it, and that nothing is left when something is in the way.
#include "server/ctl_kit.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/base/file.h"
#include "conf/settings.h"
#include "server/ctl/ca/init_files.h"

#define SCEPD_ID 64001 // of no user
#define CA_GROUP 64002

struct site {
    char *folder;
    char *config; // the folder /etc/scepd of this site
    char *state;  // its /var/lib/scepd
    struct init_place place;
};

static int set_up(void **state)
{
    static struct site site;
    bool is_root = geteuid() == 0;
    site.folder = kit_new_folder();
    site.config = kit_path(site.folder, "etc");
    site.state = kit_path(site.folder, "state");
    site.place = (struct init_place){
        .directory = site.config,
        .state = site.state,
        .admin_socket = "/run/scepd/admin.sock",
        .ca_socket = "/run/scepd-ca/ca.sock",
        .listen = "0.0.0.0:80",
        .is_installed = true,
        .scepd_uid = is_root ? SCEPD_ID : geteuid(),
        .scepd_gid = is_root ? SCEPD_ID : getegid(),
        .ca_gid = is_root ? CA_GROUP : getegid(),
    };
    *state = &site;
    return 0;
}

static int tear_down(void **state)
{
    struct site *site = *state;
    free(site->config);
    free(site->state);
    kit_remove_folder(site->folder);
    return 0;
}

static unsigned count_entries(const char *folder)
{
    unsigned count = 0;
    DIR *entries = opendir(folder);
    while (entries != NULL && readdir(entries) != NULL) {
        count++;
    }
    if (entries != NULL) {
        closedir(entries);
    }
    return count > 2 ? count - 2 : 0; // "." and ".."
}

static struct init_plan plan_of(const struct site *site, enum init_way way)
{
    return (struct init_plan){
        .place = &site->place,
        .way = way,
        .order = {.tiers = way == INIT_NEW ? 2 : 1, .ca_key = "ec:P-256", .now = KIT_NOW},
    };
}

static void run(const struct init_plan *plan, enum err_code expected, const char *text)
{
    struct err err = {0};
    struct init_result result = {0};
    enum err_code code = init_files(plan, stderr, &result, &err);
    assert_contains(err.text, text);
    assert_int_equal(code, expected);
    init_result_done(&result);
}

struct wanted {
    const char *name;
    mode_t mode;
    uid_t uid;
    gid_t gid;
};

static void assert_entries(const char *folder, const struct wanted *wanted, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct stat status;
        char *path = kit_path(folder, wanted[i].name);
        assert_int_equal(lstat(path, &status), 0);
        assert_int_equal(status.st_mode & 07777, wanted[i].mode);
        assert_int_equal(status.st_uid, wanted[i].uid);
        assert_int_equal(status.st_gid, wanted[i].gid);
        free(path);
    }
}

static void test_owners_and_modes(void **state)
{
    const struct site *site = *state;
    const struct init_plan plan = plan_of(site, INIT_NEW);
    const uid_t uid = geteuid();
    const gid_t gid = getegid();
    const struct wanted config[] = {
        {".", 0755, uid, gid},
        {"scepd.conf", 0644, uid, gid},
        {"root.pem", 0644, uid, gid},
        {"root.key", 0600, uid, gid},
        {"issuing.pem", 0644, uid, gid},
        {"issuing.key", 0600, uid, gid},
        {"ra.pem", 0644, uid, gid},
        {"ra.key", 0600, uid, gid},
        {"generations", 0755, uid, site->place.ca_gid},
        {"challenge.key", 0600, uid, gid},
        {"mic", 0755, uid, gid},
    };
    const struct wanted own[] = {
        {".", 0700, site->place.scepd_uid, site->place.scepd_gid},
        {"store", 0700, site->place.scepd_uid, site->place.scepd_gid},
        {"ra", 0700, site->place.scepd_uid, site->place.scepd_gid},
    };
    run(&plan, ERR_OK, "");
    assert_entries(site->config, config, sizeof config / sizeof config[0]);
    assert_int_equal(count_entries(site->config), sizeof config / sizeof config[0] - 1);
    assert_entries(site->state, own, sizeof own / sizeof own[0]);
    assert_int_equal(count_entries(site->state), 2);
}

static void test_settings(void **state)
{
    const struct site *site = *state;
    const struct init_plan plan = plan_of(site, INIT_NEW);
    run(&plan, ERR_OK, "");
    struct settings *settings = NULL;
    char *path = kit_path(site->config, "scepd.conf");
    char *store = kit_path(site->state, "store");
    char *ra = kit_path(site->state, "ra");
    char *generations = kit_path(site->config, "generations");
    assert_int_equal(settings_load(path, true, stderr, &settings, NULL), ERR_OK);
    assert_string_equal(settings->store.directory, store);
    assert_string_equal(settings->ra.directory, ra);
    assert_string_equal(settings->ca.generations, generations);
    assert_string_equal(settings->admin.socket, "/run/scepd/admin.sock");
    assert_string_equal(settings->ca.socket, "/run/scepd-ca/ca.sock");
    assert_string_equal(settings->http.listen, "0.0.0.0:80");
    assert_null(settings->ca.program);
    struct buf text = {0};
    assert_int_equal(file_read(path, 100000, &text, NULL), ERR_OK);
    assert_int_equal(buf_append(&text, view_of("", 1), NULL), ERR_OK);
    assert_contains((const char *)text.data, "listens where scepd.socket says");
    buf_done(&text);
    settings_free(settings);
    free(generations);
    free(ra);
    free(store);
    free(path);
}

// The package ships the folders, empty: they stay when something is wrong, as they were.
static void test_something_in_the_way(void **state)
{
    const struct site *site = *state;
    const struct init_plan plan = plan_of(site, INIT_NEW);
    assert_int_equal(mkdir(site->config, 0750), 0);
    assert_int_equal(mkdir(site->state, 0700), 0);
    char *store = kit_path(site->state, "store");
    assert_int_equal(mkdir(store, 0700), 0);
    run(&plan, ERR_EXISTS, "state/store exists already; nothing was changed");
    assert_int_equal(count_entries(site->config), 0);
    assert_int_equal(count_entries(site->state), 1);
    const struct wanted folder = {".", 0750, geteuid(), getegid()};
    assert_entries(site->config, &folder, 1);

    assert_int_equal(rmdir(store), 0);
    free(kit_write(site->config, "ra.key", view_of_text("mine")));
    run(&plan, ERR_EXISTS, "etc/ra.key exists already; nothing was changed");
    assert_int_equal(count_entries(site->config), 1);
    assert_int_equal(count_entries(site->state), 0);
    free(store);
}

// The first step for an outside CA: the folder of state is not touched yet; then the mistake of a
// second one.
static void test_request(void **state)
{
    const struct site *site = *state;
    struct init_plan plan = plan_of(site, INIT_REQUESTED);
    struct buf pem = kit_key_pem(kit_key(0));
    char *key = kit_write(site->folder, "some.key", buf_view(&pem));
    char *pin = kit_write(site->folder, "pin", view_of_text("not needed\n"));
    plan.order.key = (struct ceremony_key){.uri = key, .pin_file = pin};
    run(&plan, ERR_OK, "");
    const struct wanted config[] = {
        {"issuing.key", 0600, geteuid(), getegid()},
        {"issuing.csr", 0644, geteuid(), getegid()},
        {"ca.pin", 0600, geteuid(), getegid()},
    };
    assert_entries(site->config, config, sizeof config / sizeof config[0]);
    assert_int_equal(count_entries(site->config), sizeof config / sizeof config[0]);
    assert_int_equal(access(site->state, F_OK), -1);
    run(&plan, ERR_EXISTS, "scepctl init --subordinate --certificate FILE");
    plan.way = INIT_NEW;
    run(&plan, ERR_EXISTS, "waits for its certificate");
    buf_wipe(&pem);
    free(pin);
    free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_owners_and_modes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_settings, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_something_in_the_way, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_request, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
