// SPDX-License-Identifier: Apache-2.0
// Reading settings files: good ones, and every kind of problem with its line and words.
#include "conf/settings.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/base/file.h"
#include "conf/limits.h"
#include "kit/kit.h"

// What every file must have, in one line, so that a case's own text starts in line 2.
#define REQUIRED                                                                                   \
    "ra = { certificate = \"ra.pem\"; key = \"ra.key\"; }; "                                       \
    "ca = { certificate = \"ca.pem\"; key = \"ca.key\"; };\n"

#define KEY_ALLOWED                                                                                \
    "; allowed: the path of a key file, or a URI such as \"pkcs11:...\" without a PIN in it\n"

#define GROUPS                                                                                     \
    "http, scep, algorithms, ra, ca, servers, store, history, admin, web, log, challenge, mic, "   \
    "devices, renewal, "                                                                           \
    "approval, phone"

#define URL_ALLOWED                                                                                \
    "; allowed: \"http://HOST[:PORT]/PATH\", with \"{ca}\" in PATH once or not at all\n"

#define URL_PATH_ALLOWED "; allowed: \"/PATH\", with \"{ca}\" in it once or not at all\n"

#define DOMAINS_ALLOWED "; allowed: a list of 0 to 8 DNS names\n"

#define DIRECT_FORBIDS                                                                             \
    ": set under scep.topology \"direct\"; allowed: only under \"ra\", because the CA answers "    \
    "with "                                                                                        \
    "its own key and is its own root\n"

struct loaded {
    enum err_code code;
    struct err err;
    struct settings *settings;
    char *problems; // with the file's path left out at the start of each line
};

static int make_folder(void **state)
{
    *state = kit_new_folder();
    return 0;
}

static int remove_folder(void **state)
{
    kit_remove_folder(*state);
    return 0;
}

// Takes every "<what>" out of `text`.
static void leave_out(char *text, const char *what)
{
    size_t len = strlen(what);
    for (char *at = text; (at = strstr(at, what)) != NULL;) {
        memmove(at, at + len, strlen(at + len) + 1);
    }
}

// The folder's name differs from run to run, so that it is left out of everything compared.
static struct loaded load(const char *folder, const char *text, bool must_exist)
{
    struct loaded loaded = {0};
    size_t size = 0;
    char *prefix = kit_path(folder, "");
    char *path = kit_write(folder, "scepd.conf", view_of_text(text));
    FILE *problems = open_memstream(&loaded.problems, &size);
    loaded.code = settings_load(path, must_exist, problems, &loaded.settings, &loaded.err);
    fclose(problems);
    leave_out(loaded.problems, prefix);
    leave_out(loaded.err.text, prefix);
    leave_out(loaded.problems, "scepd.conf:");
    free(path);
    free(prefix);
    return loaded;
}

static void loaded_done(struct loaded *loaded)
{
    settings_free(loaded->settings);
    free(loaded->problems);
}

static void has_defaults(void **state)
{
    struct loaded loaded = load(*state, REQUIRED, false);
    const struct settings *settings = loaded.settings;
    assert_int_equal(loaded.code, ERR_OK);
    assert_string_equal(loaded.problems, "");
    assert_string_equal(settings->http.listen, "0.0.0.0:8080");
    assert_int_equal(settings->http.connections, 1000);
    assert_int_equal(settings->http.connections_per_address, 64);
    assert_int_equal(settings->http.timeout_sec, 30);
    assert_int_equal(settings->http.workers, 0);
    assert_int_equal(settings->http.queue, 256);
    assert_int_equal(settings->scep.get_ca_cert_count, 3);
    assert_int_equal(settings->scep.get_ca_cert[0], SETTINGS_CA_ITEM_RA);
    assert_int_equal(settings->scep.get_ca_cert[1], SETTINGS_CA_ITEM_ISSUING);
    assert_int_equal(settings->scep.get_ca_cert[2], SETTINGS_CA_ITEM_ROOT);
    assert_false(settings->scep.reply_chain);
    assert_true(settings->scep.fail_info_text);
    assert_int_equal(settings->scep.signing_time_window_sec, 0);
    assert_false(settings->algorithms.sha1);
    assert_true(settings->algorithms.des3);
    assert_false(settings->algorithms.oaep);
    assert_false(settings->algorithms.legacy);
    assert_null(settings->ra.pin_file);
    assert_null(settings->ca.pin_file);
    assert_null(settings->ca.root);
    assert_null(settings->ca.program);
    assert_string_equal(settings->ca.socket, "/run/scepd/ca.sock");
    assert_null(settings->challenge.static_file);
    assert_string_equal(settings->challenge.key_file, "/etc/scepd/challenge.key");
    assert_int_equal(settings->challenge.fail_info, SETTINGS_FAIL_BAD_REQUEST);
    assert_int_equal(settings->phone.validity_days, 730);
    assert_int_equal(settings->phone.validity_jitter_days, 7);
    assert_int_equal(settings->phone.subject_alt_name, SETTINGS_SAN_MATCHING);
    assert_int_equal(settings->phone.duplicate_subject, SETTINGS_DUPLICATE_ALLOW);
    assert_null(settings->phone.crl_url);
    assert_null(settings->phone.ca_url);
    assert_string_equal(settings->store.directory, "/var/lib/scepd/store");
    assert_int_equal(settings->store.max_size_mib, 4096);
    assert_string_equal(settings->admin.socket, "/run/scepd/admin.sock");
    assert_int_equal(settings->log.level, LOG_LEVEL_INFO);
    loaded_done(&loaded);
}

static void has_defaults_for_who_gets_a_certificate(void **state)
{
    struct loaded loaded = load(*state, REQUIRED, false);
    const struct settings *settings = loaded.settings;
    assert_int_equal(loaded.code, ERR_OK);
    assert_string_equal(settings->http.crl_path, "/crl/{ca}.crl");
    assert_string_equal(settings->http.ca_path, "/ca/{ca}.cer");
    assert_string_equal(settings->http.root_path, "/root.cer");
    assert_int_equal(settings->scep.topology, SETTINGS_TOPOLOGY_RA);
    assert_false(settings->scep.get_cert);
    assert_false(settings->scep.get_crl);
    assert_null(settings->ra.directory);
    assert_int_equal(settings->ra.renew_days, 60);
    assert_int_equal(settings->ra.previous_days, 30);
    assert_null(settings->ca.generations);
    assert_int_equal(settings->ca.crl_hours, 168);
    assert_int_equal(settings->ca.direct_per_sec, 20);
    assert_int_equal(settings->mic_count, 0);
    assert_int_equal(settings->devices.accept, SETTINGS_DEVICES_ANY);
    assert_int_equal(settings->devices.unlisted, SETTINGS_UNKNOWN_REFUSE);
    assert_int_equal(settings->renewal.window_days, 30);
    assert_int_equal(settings->renewal.grace_days, 0);
    assert_int_equal(settings->renewal.challenge, SETTINGS_PROVEN_IGNORE);
    assert_int_equal(settings->renewal.revoke_superseded_days, 0);
    assert_int_equal(settings->approval.unauthenticated, SETTINGS_UNKNOWN_REFUSE);
    assert_int_equal(settings->approval.max_pending, 1000);
    assert_int_equal(settings->approval.max_per_source, 20);
    assert_int_equal(settings->approval.expiry_days, 7);
    assert_int_equal(settings->phone.domains.count, 0);
    assert_int_equal(settings->phone.added_sans_count, 0);
    loaded_done(&loaded);
}

static void reads_trust_stores(void **state)
{
    struct loaded loaded =
        load(*state,
             REQUIRED "mic = (\n"
                      " { name = \"new\"; roots = [\"new.pem\"]; },\n"
                      " { name = \"old\"; roots = (\"/a.pem\", \"b.pem\"); intermediates = [];\n"
                      "   accept_expired = true; accept_sha1 = true; min_rsa_bits = 1024;\n"
                      "   classes = [\"other\", \"phone\"]; },\n"
                      " { roots = [\"c\"]; intermediates = [\"d\", \"e\"]; name = \"New\"; } );\n",
             false);
    assert_string_equal(loaded.problems, "");
    assert_int_equal(loaded.settings->mic_count, 3);
    const struct settings_mic_store *store = &loaded.settings->mic[0];
    assert_string_equal(store->name, "new");
    assert_int_equal(store->roots.count, 1);
    assert_non_null(strstr(store->roots.list[0], "/new.pem"));
    assert_int_equal(store->intermediates.count, 0);
    assert_false(store->accept_expired);
    assert_false(store->accept_sha1);
    assert_int_equal(store->min_rsa_bits, 2048);
    assert_int_equal(store->classes_count, 2);
    assert_int_equal(store->classes[0], SETTINGS_MIC_PHONE);
    assert_int_equal(store->classes[1], SETTINGS_MIC_SPA);
    store = &loaded.settings->mic[1];
    assert_string_equal(store->name, "old");
    assert_int_equal(store->roots.count, 2);
    assert_string_equal(store->roots.list[0], "/a.pem");
    assert_non_null(strstr(store->roots.list[1], "/b.pem"));
    assert_int_equal(store->intermediates.count, 0);
    assert_true(store->accept_expired);
    assert_true(store->accept_sha1);
    assert_int_equal(store->min_rsa_bits, 1024);
    assert_int_equal(store->classes_count, 2);
    assert_int_equal(store->classes[0], SETTINGS_MIC_OTHER);
    store = &loaded.settings->mic[2];
    assert_string_equal(store->name, "New");
    assert_int_equal(store->intermediates.count, 2);
    assert_non_null(strstr(store->intermediates.list[1], "/e"));
    loaded_done(&loaded);
}

// A file with `count` trust stores, named by their number.
static struct loaded load_stores(const char *folder, unsigned count)
{
    struct err err = {0};
    struct buf text = {0};
    assert_int_equal(buf_append(&text, view_of_text(REQUIRED "mic = ("), &err), ERR_OK);
    for (unsigned i = 0; i < count; i++) {
        char entry[64];
        snprintf(entry, sizeof entry, "%s{name=\"%u\";roots=[\"r\"];}", i == 0 ? "" : ",", i);
        assert_int_equal(buf_append(&text, view_of_text(entry), &err), ERR_OK);
    }
    assert_int_equal(buf_append(&text, view_of(");", sizeof ");"), &err), ERR_OK);
    struct loaded loaded = load(folder, (const char *)text.data, false);
    buf_done(&text);
    return loaded;
}

static void takes_as_many_trust_stores_as_there_is_room_for(void **state)
{
    struct loaded loaded = load_stores(*state, SETTINGS_MIC_STORES_MAX);
    assert_string_equal(loaded.problems, "");
    assert_int_equal(loaded.settings->mic_count, SETTINGS_MIC_STORES_MAX);
    assert_string_equal(loaded.settings->mic[SETTINGS_MIC_STORES_MAX - 1].name, "15");
    loaded_done(&loaded);
    loaded = load_stores(*state, SETTINGS_MIC_STORES_MAX + 1);
    assert_string_equal(loaded.problems, "2: mic: 17 entries; allowed: 0 to 16\n");
    loaded_done(&loaded);
}

static void no_trust_store_is_fine(void **state)
{
    struct loaded loaded = load(*state, REQUIRED "mic = ( );", false);
    assert_string_equal(loaded.problems, "");
    assert_int_equal(loaded.settings->mic_count, 0);
    loaded_done(&loaded);
}

// The CA itself answers: no RA, no root above it, and what GetCACert lists does not count.
static void reads_the_direct_topology(void **state)
{
    struct loaded loaded = load(*state,
                                "scep = { topology = \"direct\"; get_ca_cert = [\"issuing\"]; };\n"
                                "ca = { certificate = \"ca.pem\"; key = \"/ca.key\"; };\n",
                                false);
    assert_string_equal(loaded.problems, "");
    assert_int_equal(loaded.settings->scep.topology, SETTINGS_TOPOLOGY_DIRECT);
    assert_null(loaded.settings->ra.certificate);
    assert_null(loaded.settings->ra.key);
    assert_null(loaded.settings->ra.pin_file);
    assert_string_equal(loaded.settings->ca.key, "/ca.key");
    loaded_done(&loaded);
}

// The example with the names of Cisco's files, behind what every file must have.
static void reads_the_list_of_cisco_cas(void **state)
{
    struct err err = {0};
    struct buf text = {0};
    assert_int_equal(buf_append(&text, view_of_text(REQUIRED), &err), ERR_OK);
    struct buf shipped = {0};
    assert_int_equal(
        file_read(SCEPD_SOURCE_DIR "/conf/mic-cisco.conf", LIMIT_FILE_LEN, &shipped, &err), ERR_OK);
    assert_int_equal(buf_append(&text, buf_view(&shipped), &err), ERR_OK);
    assert_int_equal(buf_append(&text, view_of("", 1), &err), ERR_OK);
    struct loaded loaded = load(*state, (const char *)text.data, false);
    const struct {
        const char *name;
        const char *root;
        const char *intermediates[3];
        bool accept_sha1;
        uint32_t min_rsa_bits;
    } stores[] = {
        {"cisco-2099", "mic/crca2099.cer", {"mic/hasudi.cer"}, false, 2048},
        {"cisco-basic-2099", "mic/cbarc2099.cer", {"mic/cmca3.cer"}, false, 2048},
        {"cisco-m2", "mic/crcam2.cer", {"mic/cmca2.cer"}, false, 2048},
        {"cisco-2048", "mic/crca2048.cer", {"mic/cmca.cer", "mic/ACT2SUDICA.cer"}, true, 2048},
    };
    const size_t count = sizeof stores / sizeof stores[0];
    char *prefix = kit_path(*state, "");
    assert_string_equal(loaded.problems, "");
    assert_int_equal(loaded.settings->mic_count, count);
    for (size_t i = 0; i < count; i++) {
        const struct settings_mic_store *store = &loaded.settings->mic[i];
        assert_string_equal(store->name, stores[i].name);
        assert_int_equal(store->roots.count, 1);
        assert_string_equal(store->roots.list[0] + strlen(prefix), stores[i].root);
        for (uint32_t k = 0; k < store->intermediates.count; k++) {
            assert_non_null(stores[i].intermediates[k]);
            assert_string_equal(store->intermediates.list[k] + strlen(prefix),
                                stores[i].intermediates[k]);
        }
        assert_null(stores[i].intermediates[store->intermediates.count]);
        assert_int_equal(store->accept_sha1, stores[i].accept_sha1);
        assert_int_equal(store->min_rsa_bits, stores[i].min_rsa_bits);
        assert_false(store->accept_expired);
    }
    free(prefix);
    loaded_done(&loaded);
    buf_done(&shipped);
    buf_done(&text);
}

static void reads_values(void **state)
{
    struct loaded loaded = load(
        *state,
        "ra = { certificate = \"/abs/ra.pem\"; key = \"pkcs11:token=t;object=ra\";\n"
        "       pin_file = \"ra.pin\"; directory = \"/r\"; renew_days = 365; previous_days = 0; "
        "};\n"
        "ca : { certificate = \"ca.pem\"; key = \"file:sub/ca.key\"; root = \"./root.pem\";\n"
        "       generations = \"gen\"; crl_hours = 8760; direct_per_sec = 10000; };\n"
        "http = { listen = \"[::1]:0\"; connections = 0x10; queue = 65536L, workers = 3;\n"
        "         crl_path = \"/{ca}\"; ca_path = \"/c\"; root_path = \"/\"; };\n"
        "scep = { get_ca_cert = (\"root\", \"ra\"); reply_chain = TRUE;\n"
        "         signing_time_window_sec = 31536000; get_cert = true; get_crl = true; };\n"
        "algorithms = { des3 = false; }\n"
        "phone = { validity_days = 17; validity_jitter_days = 0; subject_alt_name = \"refuse\";\n"
        "          duplicate_subject = \"refuse\"; crl_url = \"http://h/{ca}.crl\";\n"
        "          domains = [\"Example.NL\", \"b\"]; added_sans = (\"upn\", \"dns\"); };\n"
        "renewal = { window_days = 16; grace_days = 14; challenge = \"strict\";\n"
        "            revoke_superseded_days = 30; };\n"
        "devices = { accept = \"listed\"; unlisted = \"pending\"; };\n"
        "approval = { unauthenticated = \"pending\"; max_pending = 1; max_per_source = 2;\n"
        "             expiry_days = 365; };\n"
        "challenge = { fail_info = \"badMessageCheck\"; };\n"
        "log = { level = \"debug\"; };\n"
        "admin = { };\n",
        false);
    const struct settings *settings = loaded.settings;
    char *folder_path = kit_path(*state, "ra.pin");
    assert_string_equal(loaded.problems, "");
    assert_int_equal(loaded.code, ERR_OK);
    assert_string_equal(settings->ra.certificate, "/abs/ra.pem");
    assert_string_equal(settings->ra.key, "pkcs11:token=t;object=ra");
    assert_string_equal(settings->ra.pin_file, folder_path);
    assert_memory_equal(settings->ca.key, "file:/", 6);
    assert_non_null(strstr(settings->ca.key, "/sub/ca.key"));
    assert_non_null(strstr(settings->ca.root, "/./root.pem"));
    assert_string_equal(settings->http.listen, "[::1]:0");
    assert_int_equal(settings->http.connections, 16);
    assert_int_equal(settings->http.queue, 65536);
    assert_int_equal(settings->http.workers, 3);
    assert_int_equal(settings->scep.get_ca_cert_count, 2);
    assert_int_equal(settings->scep.get_ca_cert[0], SETTINGS_CA_ITEM_ROOT);
    assert_int_equal(settings->scep.get_ca_cert[1], SETTINGS_CA_ITEM_RA);
    assert_true(settings->scep.reply_chain);
    assert_int_equal(settings->scep.signing_time_window_sec, 31536000);
    assert_false(settings->algorithms.des3);
    assert_int_equal(settings->phone.validity_days, 17);
    assert_int_equal(settings->phone.subject_alt_name, SETTINGS_SAN_REFUSE);
    assert_int_equal(settings->phone.duplicate_subject, SETTINGS_DUPLICATE_REFUSE);
    assert_string_equal(settings->phone.crl_url, "http://h/{ca}.crl");
    assert_int_equal(settings->phone.domains.count, 2);
    assert_string_equal(settings->phone.domains.list[0], "example.nl");
    assert_string_equal(settings->phone.domains.list[1], "b");
    assert_int_equal(settings->phone.added_sans_count, 2);
    assert_int_equal(settings->phone.added_sans[0], SETTINGS_ADD_UPN);
    assert_int_equal(settings->phone.added_sans[1], SETTINGS_ADD_DNS);
    assert_string_equal(settings->http.crl_path, "/{ca}");
    assert_string_equal(settings->http.ca_path, "/c");
    assert_string_equal(settings->http.root_path, "/");
    assert_true(settings->scep.get_cert);
    assert_true(settings->scep.get_crl);
    assert_string_equal(settings->ra.directory, "/r");
    assert_int_equal(settings->ra.renew_days, 365);
    assert_int_equal(settings->ra.previous_days, 0);
    assert_non_null(strstr(settings->ca.generations, "/gen"));
    assert_int_equal(settings->ca.crl_hours, 8760);
    assert_int_equal(settings->ca.direct_per_sec, 10000);
    assert_int_equal(settings->renewal.window_days, 16);
    assert_int_equal(settings->renewal.grace_days, 14);
    assert_int_equal(settings->renewal.challenge, SETTINGS_PROVEN_STRICT);
    assert_int_equal(settings->renewal.revoke_superseded_days, 30);
    assert_int_equal(settings->devices.accept, SETTINGS_DEVICES_LISTED);
    assert_int_equal(settings->devices.unlisted, SETTINGS_UNKNOWN_PENDING);
    assert_int_equal(settings->approval.unauthenticated, SETTINGS_UNKNOWN_PENDING);
    assert_int_equal(settings->approval.max_pending, 1);
    assert_int_equal(settings->approval.max_per_source, 2);
    assert_int_equal(settings->approval.expiry_days, 365);
    assert_int_equal(settings->challenge.fail_info, SETTINGS_FAIL_BAD_MESSAGE_CHECK);
    assert_int_equal(settings->log.level, LOG_LEVEL_DEBUG);
    free(folder_path);
    loaded_done(&loaded);
}

static void paths_start_at_the_file(void **state)
{
    (void)state;
    char *folder = kit_new_folder();
    char *before = getcwd(NULL, 0);
    struct err err = {0};
    struct settings *settings = NULL;
    free(kit_write(folder, "x.conf", view_of_text(REQUIRED)));
    assert_int_equal(chdir(folder), 0);
    assert_int_equal(settings_load("x.conf", false, NULL, &settings, &err), ERR_OK);
    assert_string_equal(settings->ra.key, "./ra.key");
    settings_free(settings);
    assert_int_equal(chdir(before), 0);
    free(before);
    kit_remove_folder(folder);
}

// Copies count where they are, and only for secrets.
static void takes_secrets_from_systemd(void **state)
{
    (void)state;
    char *folder = kit_new_folder();
    char *path = kit_write(folder, "x.conf", view_of_text(REQUIRED));
    char *copies = kit_path(folder, "copies");
    struct err err = {0};
    struct settings *settings = NULL;
    assert_int_equal(mkdir(copies, 0700), 0);
    static const char *const names[] = {"ra.key", "challenge.key", "ra.pem"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        free(kit_write(copies, names[i], view_of_text("secret")));
    }
    free(kit_write(copies, "ca.key", view_of_text("\n"))); // a stand-in
    assert_int_equal(setenv("CREDENTIALS_DIRECTORY", copies, 1), 0);
    assert_int_equal(settings_load(path, false, NULL, &settings, &err), ERR_OK);
    char *key = kit_path(copies, "ra.key");
    char *challenge = kit_path(copies, "challenge.key");
    assert_string_equal(settings->ra.key, key);
    assert_string_equal(settings->challenge.key_file, challenge);
    assert_null(strstr(settings->ra.certificate, copies));
    assert_null(strstr(settings->ca.key, copies));
    assert_null(settings->challenge.static_file);
    settings_free(settings);
    assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
    free(challenge);
    free(key);
    free(copies);
    free(path);
    kit_remove_folder(folder);
}

struct problem_case {
    const char *text;     // after REQUIRED, or the whole file when it begins with '!'
    const char *problems; // one line each, without the path
};

static const struct problem_case problem_cases[] = {
    // misspelt and unknown
    {"http = {\n listn = \"127.0.0.1:80\";\n};",
     "3: http.listn: unknown setting; did you mean http.listen?\n"},
    {"store = { zzzzzzzz = 1; };",
     "2: store.zzzzzzzz: unknown setting; allowed: directory, max_size_mib\n"},
    {"htpp = { listen = 1; };", "2: htpp: unknown group; did you mean http?\n"},
    {"wholly_different = { a = 1; };", "2: wholly_different: unknown group; allowed: " GROUPS "\n"},
    {"queue = 5;", "2: queue: unknown setting; did you mean http.queue?\n"},
    {"zzzzzzzz = 5;", "2: zzzzzzzz: unknown setting; allowed: " GROUPS "\n"},
    {"\n\nhttp = 5;", "4: http: a single value; allowed: a group, http = { ... };\n"},
    {"http = [ 5 ];", "2: http: a single value; allowed: a group, http = { ... };\n"},
    // wrong type
    {"http = { queue = \"5\"; };",
     "2: http.queue: a text in quotes instead of an integer; allowed: 1 to 65536\n"},
    {"http = { queue = 1.5; };",
     "2: http.queue: a number with a fraction instead of an integer; allowed: 1 to 65536\n"},
    {"http = { queue = { a = 1; }; };",
     "2: http.queue: a group instead of an integer; allowed: 1 to 65536\n"},
    {"http = { queue = [1]; };",
     "2: http.queue: a list instead of an integer; allowed: 1 to 65536\n"},
    {"algorithms = { sha1 = \"true\"; oaep = 1; };",
     "2: algorithms.sha1: a text in quotes; allowed: true or false\n"
     "2: algorithms.oaep: an integer; allowed: true or false\n"},
    {"http = { listen = 8080; };",
     "2: http.listen: an integer instead of a text in quotes; allowed: \"ADDRESS:PORT\" or "
     "\"[IPV6-ADDRESS]:PORT\", port 0 to 65535\n"},
    {"log = { level = 3; };", "2: log.level: an integer instead of a text in quotes; allowed: "
                              "\"error\", \"warning\", \"info\" or \"debug\"\n"},
    {"store = { directory = true; };",
     "2: store.directory: true or false without quotes instead of a text in quotes; allowed: the "
     "path of a directory\n"},
    // out of range
    {"http = { queue = 0; connections = 65537;\n timeout_sec = -1; };",
     "2: http.queue: 0; allowed: 1 to 65536\n"
     "2: http.connections: 65537; allowed: 1 to 65536\n"
     "3: http.timeout_sec: -1; allowed: 1 to 3600\n"},
    {"http = { queue = 4294967297; connections = 18446744073709551617;\n"
     " workers = 0x100000000; };",
     "2: http.queue: 4294967297; allowed: 1 to 65536\n"
     "2: http.connections: 9223372036854775807; allowed: 1 to 65536\n"
     "3: http.workers: 4294967296; allowed: 0 to 256\n"},
    {"phone = { validity_days = 15; };",
     "2: phone.validity_days: 15 (a phone renews in the last 15 days of its certificate and looks "
     "every 4 hours, so with 15 days or less it would enrol again for ever); allowed: 16 to "
     "3650\n"},
    {"phone = { validity_days = 30;\n validity_jitter_days = 15; };",
     "3: phone.validity_jitter_days: 15 of 30 days; allowed: 0 to 14, so that more than 15 days "
     "are left, in which a phone renews\n"},
    {"phone = { validity_days = 30; };",
     "1: renewal.window_days: 30 (the default) of only 23 days (phone.validity_days less the "
     "jitter); allowed: 16 to 22, because certificates must live longer than their window\n"},
    {"phone = { validity_days = 60; };\nrenewal = { window_days = 53; };",
     "3: renewal.window_days: 53 of only 53 days (phone.validity_days less the jitter); allowed: "
     "16 to 52, because certificates must live longer than their window\n"},
    {"phone = { validity_days = 16; validity_jitter_days = 0; };\nrenewal = {\n window_days = 16; "
     "};",
     "4: renewal.window_days: 16 of only 16 days (phone.validity_days less the jitter); allowed: "
     "16 or more, so these days must be 17 or more\n"},
    {"renewal = { window_days = 15; };",
     "2: renewal.window_days: 15 (a phone renews in the last 15 days of its certificate, which "
     "must be in the window); allowed: 16 to 3650\n"},
    {"renewal = { grace_days = 3651;\n revoke_superseded_days = -1; };",
     "2: renewal.grace_days: 3651; allowed: 0 to 3650\n"
     "3: renewal.revoke_superseded_days: -1; allowed: 0 to 3650\n"},
    {"phone = { validity_days = 20; };",
     "2: phone.validity_jitter_days: 7 of 20 days; allowed: 0 to 4, so that more than 15 days are "
     "left, in which a phone renews\n"},
    // wrong words
    {"log = { level = \"Info\"; };",
     "2: log.level: \"Info\"; allowed: \"error\", \"warning\", \"info\" or \"debug\"\n"},
    {"phone = { subject_alt_name = \"a\\nb\"; };",
     "2: phone.subject_alt_name: \"a?b\"; allowed: \"matching\", \"none\" or \"refuse\"\n"},
    {"scep = { get_ca_cert = \"ra\"; };",
     "2: scep.get_ca_cert: a text in quotes instead of a list; allowed: a list of \"ra\", "
     "\"issuing\" and \"root\"\n"},
    {"scep = { get_ca_cert = []; };", "2: scep.get_ca_cert: a list of 0 entries; allowed: a list "
                                      "of \"ra\", \"issuing\" and \"root\"\n"},
    {"scep = { get_ca_cert = [\"ra\", \"rot\"]; };",
     "2: scep.get_ca_cert: \"rot\"; allowed: a list of \"ra\", \"issuing\" and \"root\"\n"},
    {"scep = { get_ca_cert = (\"ra\", 5); };",
     "2: scep.get_ca_cert: an integer instead of a text in quotes; allowed: a list of \"ra\", "
     "\"issuing\" and \"root\"\n"},
    {"scep = { get_ca_cert = [\"ra\", \"ra\"]; };",
     "2: scep.get_ca_cert: \"ra\" twice; allowed: a list of \"ra\", \"issuing\" and \"root\"\n"},
    {"scep = { get_ca_cert = [\"ra\",\"ra\",\"ra\",\"ra\",\"ra\",\"ra\",\"ra\",\"ra\",\"ra\"]; };",
     "2: scep.get_ca_cert: a list of 9 entries; allowed: a list of \"ra\", \"issuing\" and "
     "\"root\"\n"},
    {"scep = { get_ca_cert = [\"root\"]; };",
     "2: scep.get_ca_cert: no \"ra\" in it; allowed: lists with \"ra\", because clients encrypt to "
     "the RA's certificate\n"},
    // syntax of texts
    {"http = { listen = \"localhost:80\"; };",
     "2: http.listen: \"localhost:80\": not an IPv4 address before the port; allowed: "
     "\"ADDRESS:PORT\" or \"[IPV6-ADDRESS]:PORT\", port 0 to 65535\n"},
    {"phone = { crl_url = \"https://h/\";\n ca_url = \"http:///\"; };",
     "2: phone.crl_url: \"https://h/\": it does not begin with http://" URL_ALLOWED
     "3: phone.ca_url: \"http:///\": no host after http://" URL_ALLOWED},
    {"store = { directory = \"\"; };",
     "2: store.directory: an empty text; allowed: the path of a directory\n"},
    {"admin = { socket = \"/1234567890123456789012345678901234567890123456789012345678901234567890"
     "12345678901234567890123456789012345678\"; };",
     "2: admin.socket: with its directory a path of 109 octets; allowed: the path of a Unix "
     "socket, at most 107 octets\n"},
    {"http = { crl_path = \"crl\"; ca_path = \"/a?b\";\n root_path = \"/{ca}{ca}\"; };",
     "2: http.crl_path: \"crl\": it does not begin with /" URL_PATH_ALLOWED
     "2: http.ca_path: \"/a?b\": a character that must not be in a URL" URL_PATH_ALLOWED
     "3: http.root_path: \"/{ca}{ca}\": a character that must not be in a URL" URL_PATH_ALLOWED},
    {"http = { crl_path = \"\"; ca_path = 5; };",
     "2: http.crl_path: an empty text" URL_PATH_ALLOWED
     "2: http.ca_path: an integer instead of a text in quotes" URL_PATH_ALLOWED},
    // lists
    {"phone = { domains = \"example.nl\"; };",
     "2: phone.domains: a text in quotes instead of a list" DOMAINS_ALLOWED},
    {"phone = { domains = [1]; };",
     "2: phone.domains: an integer instead of a text in quotes" DOMAINS_ALLOWED},
    {"phone = { domains = [\"a.nl\", \"-b.nl\", \"\"]; };",
     "2: phone.domains: \"-b.nl\": a hyphen at the end of a part" DOMAINS_ALLOWED},
    {"phone = { domains = [\"\"]; };", "2: phone.domains: an empty text" DOMAINS_ALLOWED},
    {"phone = { domains = [\"a.nl\", \"A.NL\"]; };",
     "2: phone.domains: \"A.NL\" twice" DOMAINS_ALLOWED},
    {"phone = { domains = [\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\",\"h\",\"i\"]; };",
     "2: phone.domains: a list of 9 entries" DOMAINS_ALLOWED},
    {"phone = { added_sans = [\"dns\", \"ip\"]; };",
     "2: phone.added_sans: \"ip\"; allowed: a list of \"dns\", \"email\" and \"upn\"\n"},
    // a list of groups
    {"\nmic = { name = \"a\"; };",
     "3: mic: no list of groups; allowed: mic = ( { ... }, { ... } );\n"},
    {"mic = 5;", "2: mic: no list of groups; allowed: mic = ( { ... }, { ... } );\n"},
    {"mic = [\"a\"];", "2: mic: no list of groups; allowed: mic = ( { ... }, { ... } );\n"},
    {"mic = (\n { name = \"a\"; roots = [\"r\"]; },\n \"b\", 5 );",
     "4: mic[1]: no group; allowed: { ... }\n"
     "4: mic[2]: no group; allowed: { ... }\n"},
    {"mic = ( { },\n {\n roots = [\"r\"]; } );",
     "2: mic[0].name: not in the file; allowed: it must be set\n"
     "2: mic[0].roots: not in the file; allowed: it must be set\n"
     "3: mic[1].name: not in the file; allowed: it must be set\n"},
    {"mic = ( { name = \"a\"; roots = [\"r\"]; },\n { name = \"b\"; root = [\"r\"];\n zzzzzzzz = "
     "1; } );",
     "3: mic[1].root: unknown setting; did you mean mic.roots?\n"
     "4: mic[1].zzzzzzzz: unknown setting; allowed: name, roots, intermediates, accept_expired, "
     "accept_sha1, min_rsa_bits, classes\n"
     "3: mic[1].roots: not in the file; allowed: it must be set\n"},
    {"mic = ( { name = \"a\\tb\"; roots = []; intermediates = \"i\";\n"
     " accept_expired = 1; min_rsa_bits = 1023; classes = []; } );",
     "2: mic[0].name: \"a?b\": a character that is not printable ASCII; allowed: 1 to 63 printable "
     "ASCII characters\n"
     "2: mic[0].roots: a list of 0 entries; allowed: a list of 1 to 8 paths of files\n"
     "2: mic[0].intermediates: a text in quotes instead of a list; allowed: a list of 0 to 8 paths "
     "of files\n"
     "3: mic[0].accept_expired: an integer; allowed: true or false\n"
     "3: mic[0].min_rsa_bits: 1023; allowed: 1024 to 4096\n"
     "3: mic[0].classes: a list of 0 entries; allowed: a list of \"phone\", \"spa\" and "
     "\"other\"\n"},
    {"mic = ( { name = \"a\"; roots = [\"r\", \"\"]; },\n { name = \"b\"; roots = [\"r\", \"r\"]; "
     "} );",
     "2: mic[0].roots: an empty text; allowed: a list of 1 to 8 paths of files\n"
     "3: mic[1].roots: \"r\" twice; allowed: a list of 1 to 8 paths of files\n"},
    {"mic = ( { name = \"a\"; roots = [\"r\"]; }, { name = \"b\"; roots = [\"r\"]; },\n"
     " { name = \"a\"; roots = [\"r\"]; } );",
     "3: mic[2].name: the same as mic[0].name; allowed: another one\n"},
    {"mic = ( );\nmic = ( );",
     "3: syntax: a setting or group that was there before; allowed: each once\n"},
    // the topology
    {"scep = { topology = \"direct\"; };\nphone = { };",
     "1: ra.certificate" DIRECT_FORBIDS "1: ra.key" DIRECT_FORBIDS},
    {"!scep = { topology = \"direct\"; };\nra = { pin_file = \"p\"; directory = \"d\"; };\n"
     "ca = { certificate = \"c\";\n root = \"r\"; };",
     "2: ra.pin_file" DIRECT_FORBIDS "3: ca.key: not in the file; allowed: it must be set\n"
     "4: ca.root" DIRECT_FORBIDS},
    {"!scep = { topology = \"dirct\"; };",
     "1: scep.topology: \"dirct\"; allowed: \"ra\" or \"direct\"\n"
     "1: ca.certificate: not in the file; allowed: it must be set\n"
     "1: ca.key: not in the file; allowed: it must be set\n"},
    // together
    {"http = { crl_path = \"/a\"; ca_path = \"/a\";\n root_path = \"/b\"; };",
     "2: http.ca_path: the same as http.crl_path; allowed: another one\n"},
    {"web = { listen = \"0.0.0.0:9180\"; };",
     "2: web.listen: \"0.0.0.0:9180\" can be reached from other machines; allowed: a loopback "
     "address, 127.0.0.1 or [::1]\n"},
    {"web = { listen = \"[::]:9180\"; };",
     "2: web.listen: \"[::]:9180\" can be reached from other machines; allowed: a loopback "
     "address, 127.0.0.1 or [::1]\n"},
    {"http = { ocsp_path = \"/root.cer\"; };",
     "2: http.ocsp_path: the same as http.root_path; allowed: another one\n"},
    {"http = { root_path = \"/crl/{ca}.crl\"; };",
     "2: http.root_path: the same as http.crl_path; allowed: another one\n"},
    {"admin = { socket = \"/run/scepd/ca.sock\"; };",
     "2: admin.socket: the same as ca.socket; allowed: another one\n"},
    {"!ra = { certificate = \"a\"; key = \"k\"; };\nca = { certificate = \"b\"; key = \"k\"; };",
     "1: ra.key: the same as ca.key; allowed: another one, because scepd must not have the CA's "
     "key\n"},
    {"!ra = { certificate = \"a\";\n key = \"file:///k\"; };\n"
     "ca = { certificate = \"b\"; key = \"/k\"; };",
     "2: ra.key: the same as ca.key; allowed: another one, because scepd must not have the CA's "
     "key\n"},
    // missing
    {"!\n\nra = {\n key = \"a\";\n};",
     "3: ra.certificate: not in the file; allowed: it must be set\n"
     "1: ca.certificate: not in the file; allowed: it must be set\n"
     "1: ca.key: not in the file; allowed: it must be set\n"},
    {"!", "1: ra.certificate: not in the file; allowed: it must be set\n"
          "1: ra.key: not in the file; allowed: it must be set\n"
          "1: ca.certificate: not in the file; allowed: it must be set\n"
          "1: ca.key: not in the file; allowed: it must be set\n"},
    // what libconfig does not read
    {"http = {\n queue = 5;\n queue = 6;\n};",
     "4: syntax: a setting or group that was there before; allowed: each once\n"},
    {"http = { queue = 5; };\nhttp = { workers = 1; };",
     "3: syntax: a setting or group that was there before; allowed: each once\n"},
    {"http = {\n queue 5;\n};", "3: syntax: cannot be read up to here; allowed: name = value; "
                                "inside of group = { ... };\n"},
    {"http = {\n", "3: syntax: cannot be read up to here; allowed: name = value; inside of group = "
                   "{ ... };\n"},
    {"http = {\n@include \"/\"\n", "3: syntax: @include; allowed: settings in this one file\n"},
    // secrets
    {"challenge = { static = \"hush-hush\"; };",
     "2: challenge.static: unknown setting; did you mean challenge.static_file?\n"},
    {"!ra = { certificate = \"a\"; key = \"pkcs11:object=a;pin-value=4711\"; };\n"
     "ca = { certificate = \"b\"; key = \"pkcs11:object=b?pin-value=4711\"; };",
     "1: ra.key: a URI with a PIN in it, which belongs into a pin_file" KEY_ALLOWED
     "2: ca.key: a URI with a PIN in it, which belongs into a pin_file" KEY_ALLOWED},
};

static unsigned count_lines(const char *text)
{
    unsigned lines = 0;
    for (; *text != '\0'; text++) {
        lines += *text == '\n';
    }
    return lines;
}

static void check_problems(const char *folder, const struct problem_case *c)
{
    char text[4096];
    char expected[ERR_TEXT_LEN];
    bool is_whole = c->text[0] == '!';
    snprintf(text, sizeof text, "%s%s", is_whole ? "" : REQUIRED, c->text + is_whole);
    struct loaded loaded = load(folder, text, false);
    assert_string_equal(loaded.problems, c->problems);
    assert_int_equal(loaded.code, ERR_CONFIG);
    assert_null(loaded.settings);
    unsigned count = count_lines(c->problems);
    snprintf(expected, sizeof expected, "%u problem%s in scepd.conf, the first in line ", count,
             count == 1 ? "" : "s");
    assert_memory_equal(loaded.err.text, expected, strlen(expected));
    loaded_done(&loaded);
}

static void reports_each_kind_of_problem(void **state)
{
    for (size_t i = 0; i < sizeof problem_cases / sizeof problem_cases[0]; i++) {
        check_problems(*state, &problem_cases[i]);
    }
}

static void reports_all_problems_in_one_run(void **state)
{
    struct loaded loaded = load(*state,
                                "# a comment\n"
                                "http = {\n"
                                "    listn = \"127.0.0.1:8080\";\n"
                                "    queue = 0;\n"
                                "};\n"
                                "stor = { };\n"
                                "ra = { certificate = 5; };\n"
                                "phone = { validity_days = 20; };\n"
                                "log = { level = \"loud\"; };\n",
                                false);
    assert_string_equal(loaded.problems,
                        "3: http.listn: unknown setting; did you mean http.listen?\n"
                        "4: http.queue: 0; allowed: 1 to 65536\n"
                        "6: stor: unknown group; did you mean store?\n"
                        "7: ra.certificate: an integer instead of a text in quotes; allowed: the "
                        "path of a file\n"
                        "9: log.level: \"loud\"; allowed: \"error\", \"warning\", \"info\" or "
                        "\"debug\"\n"
                        "7: ra.key: not in the file; allowed: it must be set\n"
                        "1: ca.certificate: not in the file; allowed: it must be set\n"
                        "1: ca.key: not in the file; allowed: it must be set\n"
                        "8: phone.validity_jitter_days: 7 of 20 days; allowed: 0 to 4, so that "
                        "more than 15 days are left, in which a phone renews\n");
    assert_string_equal(loaded.err.text, "9 problems in scepd.conf, the first in line 3: "
                                         "http.listn: unknown setting; did you mean http.listen?");
    loaded_done(&loaded);
}

#define WITH_FILES                                                                                 \
    REQUIRED "challenge = { key_file = \"challenge.key\"; };\nstore = { directory = \"store\"; "   \
             "};\n"

static void reports_missing_files(void **state)
{
    (void)state;
    char *folder = kit_new_folder();
    struct loaded loaded = load(folder,
                                WITH_FILES "phone = { };\n"
                                           "admin = { socket = \"not/there\"; };\n",
                                true);
    assert_string_equal(
        loaded.problems,
        "1: ra.certificate: ra.pem: No such file or directory; allowed: a file that can be read\n"
        "1: ra.key: ra.key: No such file or directory; allowed: a file that can be read\n"
        "1: ca.certificate: ca.pem: No such file or directory; allowed: a file that can be read\n"
        "1: ca.key: ca.key: No such file or directory; allowed: a file that is there\n"
        "2: challenge.key_file: challenge.key: No such file or directory; allowed: a file that can "
        "be read\n");
    assert_int_equal(loaded.code, ERR_CONFIG);
    loaded_done(&loaded);
    loaded = load(folder, WITH_FILES, false);
    assert_int_equal(loaded.code, ERR_OK);
    loaded_done(&loaded);
    kit_remove_folder(folder);
}

static void write_all_files(const char *folder)
{
    const char *const names[] = {"ra.pem", "ra.key", "ca.pem", "ca.key", "challenge.key"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        free(kit_write(folder, names[i], view_of_text("x")));
    }
}

static void accepts_files_that_are_there(void **state)
{
    (void)state;
    char *folder = kit_new_folder();
    write_all_files(folder);
    struct loaded loaded = load(folder, WITH_FILES, true);
    assert_string_equal(loaded.problems, "");
    assert_int_equal(loaded.code, ERR_OK);
    loaded_done(&loaded);
    kit_remove_folder(folder);
}

static void reports_what_is_not_a_file(void **state)
{
    (void)state;
    char *folder = kit_new_folder();
    char *pipe = kit_path(folder, "pipe");
    write_all_files(folder);
    assert_int_equal(mkfifo(pipe, 0600), 0); // opening it for reading must not wait for a writer
    struct loaded loaded =
        load(folder,
             "ra = { certificate = \"ra.pem\"; key = \"file:pipe\"; pin_file = \".\"; };\n"
             "ca = { certificate = \"pipe\"; key = \"pipe\"; program = \"ra.pem\";\n"
             "       pin_file = \"absent\"; root = \"ra.pem/x\"; };\n"
             "challenge = { key_file = \"challenge.key\"; };\n"
             "store = { directory = \"ra.pem\"; };\n",
             true);
    assert_string_equal(
        loaded.problems,
        "1: ra.key: the same as ca.key; allowed: another one, because scepd must not have the CA's "
        "key\n"
        "1: ra.pin_file: .: not a regular file; allowed: a file that can be read\n"
        "2: ca.certificate: pipe: not a regular file; allowed: a file that can be read\n"
        "2: ca.key: pipe: not a regular file; allowed: a file that is there\n"
        "3: ca.pin_file: absent: No such file or directory; allowed: a file that is there\n"
        "3: ca.root: ra.pem/x: Not a directory; allowed: a file that can be read\n"
        "2: ca.program: ra.pem: Permission denied; allowed: a program that can be run\n"
        "5: store.directory: ra.pem: not a directory; allowed: a directory, or a name in one\n");
    loaded_done(&loaded);
    loaded = load(folder,
                  REQUIRED "challenge = { key_file = \"ra.key\"; };\n"
                           "store = { directory = \"a/b\"; };\n",
                  true);
    assert_string_equal(loaded.problems,
                        "3: store.directory: a/b: neither it nor the directory above it is there; "
                        "allowed: a directory, or a name in one\n");
    loaded_done(&loaded);
    free(pipe);
    kit_remove_folder(folder);
}

static void reports_missing_files_of_trust_stores(void **state)
{
    (void)state;
    char *folder = kit_new_folder();
    write_all_files(folder);
    struct loaded loaded =
        load(folder,
             WITH_FILES "mic = ( { name = \"a\"; roots = [\"ra.pem\"]; },\n"
                        " { name = \"b\"; roots = [\"ca.pem\", \"x.pem\"];\n"
                        "   intermediates = [\"y.pem\", \"ra.pem\", \".\"]; } );\n",
             true);
    assert_string_equal(
        loaded.problems,
        "5: mic[1].roots: x.pem: No such file or directory; allowed: a file that can be read\n"
        "6: mic[1].intermediates: y.pem: No such file or directory; allowed: a file that can be "
        "read\n"
        "6: mic[1].intermediates: .: not a regular file; allowed: a file that can be read\n");
    loaded_done(&loaded);
    loaded = load(folder, WITH_FILES "mic = ( { name = \"a\"; roots = [\"ra.pem\"]; } );\n", true);
    assert_string_equal(loaded.problems, "");
    loaded_done(&loaded);
    kit_remove_folder(folder);
}

static void reports_folders_that_cannot_be_made(void **state)
{
    (void)state;
    char *folder = kit_new_folder();
    write_all_files(folder);
    struct loaded loaded =
        load(folder,
             "ra = { certificate = \"ra.pem\"; key = \"ra.key\"; directory = \"ra.pem\"; };\n"
             "ca = { certificate = \"ca.pem\"; key = \"ca.key\"; generations = \"a/b\"; };\n"
             "challenge = { key_file = \"challenge.key\"; };\n"
             "store = { directory = \"store\"; };\n",
             true);
    assert_string_equal(
        loaded.problems,
        "1: ra.directory: ra.pem: not a directory; allowed: a directory, or a name in one\n"
        "2: ca.generations: a/b: neither it nor the directory above it is there; allowed: a "
        "directory, or a name in one\n");
    loaded_done(&loaded);
    kit_remove_folder(folder);
}

static void keys_in_tokens_are_not_looked_for(void **state)
{
    (void)state;
    char *folder = kit_new_folder();
    write_all_files(folder);
    struct loaded loaded = load(folder,
                                "ra = { certificate = \"ra.pem\"; key = \"pkcs11:object=ra\"; };\n"
                                "ca = { certificate = \"ca.pem\"; key = \"pkcs11:object=ca\"; };\n"
                                "challenge = { key_file = \"challenge.key\"; };\n"
                                "store = { directory = \"store\"; };\n",
                                true);
    assert_string_equal(loaded.problems, "");
    loaded_done(&loaded);
    kit_remove_folder(folder);
}

// True when the file was opened since it is watched.
static bool was_opened(int watch)
{
    char event[sizeof(struct inotify_event) + NAME_MAX + 1];
    return read(watch, event, sizeof event) > 0;
}

static int watch_opening(const char *folder, const char *name)
{
    char *path = kit_path(folder, name);
    int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    assert_true(watch >= 0);
    assert_true(inotify_add_watch(watch, path, IN_OPEN) >= 0);
    free(path);
    return watch;
}

static void the_ca_key_is_never_opened(void **state)
{
    (void)state;
    char *folder = kit_new_folder();
    write_all_files(folder);
    int ca_watch = watch_opening(folder, "ca.key");
    int ra_watch = watch_opening(folder, "ra.key");
    struct loaded loaded = load(folder, WITH_FILES, true);
    assert_int_equal(loaded.code, ERR_OK);
    assert_true(was_opened(ra_watch));
    assert_false(was_opened(ca_watch));
    close(ca_watch);
    close(ra_watch);
    loaded_done(&loaded);
    kit_remove_folder(folder);
}

static void reports_files_that_cannot_be_read(void **state)
{
    struct err err = {0};
    struct settings *settings = NULL;
    char *path = kit_path(*state, "absent.conf");
    assert_int_equal(settings_load(path, true, NULL, &settings, &err), ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "absent.conf: No such file or directory"));
    assert_int_equal(settings_load(*state, true, NULL, &settings, &err), ERR_IO);
    assert_null(settings);
    free(path);
    char *octets = calloc(1, 1048577);
    memset(octets, ' ', 1048577);
    path = kit_write(*state, "huge.conf", view_of(octets, 1048577));
    assert_int_equal(settings_load(path, true, NULL, &settings, &err), ERR_LIMIT);
    free(path);
    free(octets);
}

static void survives_garbage(void **state)
{
    const struct view cases[] = {
        view_of("\xff\xfe\x00\x01", 4),
        view_of("\x7f"
                "ELF\n",
                5),
        view_of_text("{{{{{{{{"),
        view_of_text("\"\\"),
        view_of_text("/*"),
        view_of_text("-----BEGIN CERTIFICATE-----\nMIIB\n"),
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct err err = {0};
        struct settings *settings = NULL;
        char *path = kit_write(*state, "garbage.conf", cases[i]);
        assert_int_equal(settings_load(path, false, NULL, &settings, &err), ERR_CONFIG);
        assert_null(settings);
        free(path);
    }
}

// libconfig 1.5 does not free a text that stands where its grammar wants none.
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:strbuf_append";
}

// Whatever a broken file says, it is read or it is refused, and nothing of ours leaks.
static void load_broken(const char *folder, struct view text)
{
    struct err err = {0};
    struct settings *settings = NULL;
    char *path = kit_write(folder, "broken.conf", text);
    enum err_code code = settings_load(path, false, NULL, &settings, &err);
    assert_true(code == ERR_OK || code == ERR_CONFIG);
    assert_int_equal(settings != NULL, code == ERR_OK);
    settings_free(settings);
    free(path);
}

static void survives_broken_files(void **state)
{
    uint8_t text[] = REQUIRED "mic=({name=\"a\";roots=[\"r\",\"s\"];min_rsa_bits=1024;},"
                              "{name=\"b\";roots=(\"/r\");classes=[\"spa\"];});"
                              "phone={domains=[\"a.nl\",\"b.nl\"];added_sans=[\"dns\"];};"
                              "http={crl_path=\"/{ca}\";};scep={topology=\"ra\";};";
    const size_t len = sizeof text - 1;
    for (size_t i = 0; i < len; i++) {
        load_broken(*state, view_of(text, i));
        for (unsigned bit = 0; bit < 8; bit++) {
            text[i] ^= (uint8_t)(1U << bit);
            load_broken(*state, view_of(text, len));
            text[i] ^= (uint8_t)(1U << bit);
        }
    }
}

static void a_deeply_nested_file_is_refused(void **state)
{
    enum { DEPTH = 100000 };
    struct err err = {0};
    struct settings *settings = NULL;
    char *text = malloc(DEPTH);
    memset(text, '(', DEPTH);
    text[0] = 'a';
    text[1] = '=';
    char *path = kit_write(*state, "deep.conf", view_of(text, DEPTH));
    assert_int_equal(settings_load(path, false, NULL, &settings, &err), ERR_CONFIG);
    free(path);
    free(text);
}

static void free_takes_null(void **state)
{
    (void)state;
    settings_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_defaults),
        cmocka_unit_test(has_defaults_for_who_gets_a_certificate),
        cmocka_unit_test(reads_values),
        cmocka_unit_test(reads_trust_stores),
        cmocka_unit_test(takes_as_many_trust_stores_as_there_is_room_for),
        cmocka_unit_test(no_trust_store_is_fine),
        cmocka_unit_test(reads_the_direct_topology),
        cmocka_unit_test(reads_the_list_of_cisco_cas),
        cmocka_unit_test(paths_start_at_the_file),
        cmocka_unit_test(takes_secrets_from_systemd),
        cmocka_unit_test(reports_each_kind_of_problem),
        cmocka_unit_test(reports_all_problems_in_one_run),
        cmocka_unit_test(reports_missing_files),
        cmocka_unit_test(accepts_files_that_are_there),
        cmocka_unit_test(reports_what_is_not_a_file),
        cmocka_unit_test(reports_missing_files_of_trust_stores),
        cmocka_unit_test(reports_folders_that_cannot_be_made),
        cmocka_unit_test(keys_in_tokens_are_not_looked_for),
        cmocka_unit_test(the_ca_key_is_never_opened),
        cmocka_unit_test(reports_files_that_cannot_be_read),
        cmocka_unit_test(survives_garbage),
        cmocka_unit_test(survives_broken_files),
        cmocka_unit_test(a_deeply_nested_file_is_refused),
        cmocka_unit_test(free_takes_null),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
