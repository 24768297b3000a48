// SPDX-License-Identifier: Apache-2.0
// scepctl ca rollover: makes the CA that comes after the present one, switches to it, and shows how
// far that is. The steps themselves are files (ca/rollover.h); scepd is asked to read them again.
#include "ca/rollover.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "conf/base/clock.h"
#include "conf/syntax.h"
#include "server/ctl/api.h"
#include "server/ctl/table.h"

#define ROLLOVER    "/v1/rollover"
#define SUBJECT_LEN 512 // bytes of a subject as text
#define LINE_LEN    64
#define COLUMNS     6

DEFINE_CLEANUP(struct settings *, settings_free);

// What a step did, for the words and for JSON.
struct done {
    const struct rollover_result *result;
    bool is_running;  // there is a scepd to tell
    bool is_reloaded; // and it works with the new files
};

static void free_text(char **text)
{
    free(*text);
}

static enum ctl_exit load_settings(struct ctl *ctl, struct settings **ret_settings)
{
    struct err err = {0};
    if (settings_load(ctl->config, false, ctl->errors, ret_settings, &err) != ERR_OK) {
        return ctl_complain(ctl, CTL_USAGE, "%s (-c FILE names another settings file)", err.text);
    }
    return CTL_OK;
}

static enum ctl_exit complain(struct ctl *ctl, enum err_code code, const struct err *err)
{
    return ctl_complain(ctl, code == ERR_CONFIG ? CTL_USAGE : CTL_FAILED, "%s", err->text);
}

// Whether anybody listens at the admin socket.
static bool is_running(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        return false;
    }
    memcpy(address.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool is_there = fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) == 0;
    if (fd >= 0) {
        close(fd);
    }
    return is_there;
}

static enum ctl_exit tell_scepd(struct ctl *ctl, const struct settings *settings, struct done *done)
{
    done->is_running = is_running(settings->admin.socket);
    if (!done->is_running) {
        return CTL_OK;
    }
    CLEANUP(api_decref) json_t *answer = NULL;
    const struct api_request request = {.method = "POST", .collection = "/v1/reload"};
    enum ctl_exit code = api_call(ctl, &request, &answer);
    done->is_reloaded = code == CTL_OK;
    return code;
}

static void describe(const X509 *cert, char subject[SUBJECT_LEN], char not_after[CLOCK_TEXT_LEN])
{
    int64_t end = 0;
    (void)ossl_time_read(X509_get0_notAfter(cert), &end);
    clock_format(end, not_after);
    ossl_name_print(X509_get_subject_name(cert), subject, SUBJECT_LEN);
}

static enum ctl_exit print_done_json(struct ctl *ctl, const struct done *done)
{
    char subject[SUBJECT_LEN];
    char not_after[CLOCK_TEXT_LEN];
    describe(done->result->cert, subject, not_after);
    CLEANUP(api_decref)
    json_t *answer = json_pack("{s:s, s:s, s:s, s:b, s:b}", "name", done->result->name, "subject",
                               subject, "not_after", not_after, "scepd_running", done->is_running,
                               "reloaded", done->is_reloaded);
    if (answer == NULL) {
        return ctl_complain(ctl, CTL_FAILED, "out of memory");
    }
    return api_print(ctl, answer);
}

static enum ctl_exit print_done_words(struct ctl *ctl, const struct done *done, const char *what,
                                      const char *further)
{
    char subject[SUBJECT_LEN];
    char not_after[CLOCK_TEXT_LEN];
    describe(done->result->cert, subject, not_after);
    CLEANUP(buf_done) struct buf escaped = {0};
    if (table_escape(&escaped, subject, NULL) != ERR_OK) {
        return ctl_complain(ctl, CTL_FAILED, "out of memory");
    }
    fprintf(ctl->out, "%s: %s, %.*s, until %s.\n", what, done->result->name, (int)escaped.len,
            escaped.len > 0 ? (const char *)escaped.data : "", not_after);
    if (!done->is_running) {
        fputs("scepd is not running; it takes this up when it starts.\n", ctl->out);
    } else if (done->is_reloaded) {
        fputs("scepd works with it from now on.\n", ctl->out);
    }
    if (further != NULL) {
        fprintf(ctl->out, "%s\n", further);
    }
    return CTL_OK;
}

// The files are as they shall be; now scepd, and then the words. `what` and `further` are for
// people.
static enum ctl_exit finish(struct ctl *ctl, const struct settings *settings,
                            const struct rollover_result *result, const char *what,
                            const char *further)
{
    struct done done = {.result = result};
    enum ctl_exit told = tell_scepd(ctl, settings, &done);
    enum ctl_exit printed =
        ctl->is_json ? print_done_json(ctl, &done) : print_done_words(ctl, &done, what, further);
    if (told != CTL_OK) {
        ctl_complain(ctl, told,
                     "the files are in place, but scepd works with the old ones until it has read "
                     "them: put right what it says, then systemctl reload scepd");
    }
    return told != CTL_OK ? told : printed;
}

// A path is made absolute, because the folder of CAs is read from elsewhere; a URI stays.
static enum ctl_exit resolve_key(struct ctl *ctl, const char *option, const char *pin_option,
                                 const char *key, char **ret_key)
{
    if (key == NULL) {
        return CTL_OK;
    }
    if (syntax_has_pin(key)) {
        return ctl_complain(ctl, CTL_USAGE,
                            "%s: a PIN in the URI, where others can read it; allowed: in a file, "
                            "named by %s",
                            option, pin_option);
    }
    *ret_key = syntax_is_uri(key) ? strdup(key) : realpath(key, NULL);
    if (*ret_key == NULL) {
        return ctl_complain(ctl, CTL_USAGE, "%s: cannot find %s: %m", option, key);
    }
    return CTL_OK;
}

static enum ctl_exit check_options(struct ctl *ctl, const char *const *options)
{
    const char *kind = options[CTL_CA_KEY];
    if (kind != NULL && options[CTL_KEY] != NULL) {
        return ctl_complain(ctl, CTL_USAGE,
                            "--ca-key is the kind of a new key, --key one that is there; allowed "
                            "is one of them");
    }
    if (kind != NULL && !ceremony_is_key_kind(kind)) {
        return ctl_complain(ctl, CTL_USAGE,
                            "--ca-key: \"%s\"; allowed are rsa:2048, rsa:3072, rsa:4096, "
                            "ec:P-256, ec:P-384",
                            kind);
    }
    if (options[CTL_KEY_PIN_FILE] != NULL && options[CTL_KEY] == NULL) {
        return ctl_complain(ctl, CTL_USAGE, "--key-pin-file needs --key");
    }
    if (options[CTL_ROOT_PIN_FILE] != NULL && options[CTL_ROOT_KEY] == NULL) {
        return ctl_complain(ctl, CTL_USAGE, "--root-pin-file needs --root-key");
    }
    return CTL_OK;
}

static enum ctl_exit prepare(struct ctl *ctl, const struct settings *settings,
                             const char *const *options, const char *root_key, const char *key)
{
    const struct rollover_order order = {
        .settings = settings,
        .root_key = {.uri = root_key, .pin_file = options[CTL_ROOT_PIN_FILE]},
        .ca_key = options[CTL_CA_KEY],
        .key = {.uri = key, .pin_file = options[CTL_KEY_PIN_FILE]},
        .now = clock_now(),
    };
    CLEANUP(rollover_done) struct rollover_result result = {0};
    struct err err = {0};
    enum err_code code = rollover_prepare(&order, &result, &err);
    if (code != ERR_OK) {
        return complain(ctl, code, &err);
    }
    return finish(ctl, settings, &result, "The next CA is prepared",
                  "When scepctl ca rollover status says that clients are told of it, switch with "
                  "scepctl ca\nrollover activate.");
}

static enum ctl_exit run_prepare(struct ctl *ctl, const struct ctl_arguments *arguments)
{
    const char *const *options = arguments->options;
    CLEANUP(cleanup_settings_free) struct settings *settings = NULL;
    CLEANUP(free_text) char *root_key = NULL;
    CLEANUP(free_text) char *key = NULL;
    enum ctl_exit code = check_options(ctl, options);
    if (code == CTL_OK) {
        code = load_settings(ctl, &settings);
    }
    if (code == CTL_OK) {
        code = resolve_key(ctl, "--root-key", "--root-pin-file", options[CTL_ROOT_KEY], &root_key);
    }
    if (code == CTL_OK) {
        code = resolve_key(ctl, "--key", "--key-pin-file", options[CTL_KEY], &key);
    }
    return code == CTL_OK ? prepare(ctl, settings, options, root_key, key) : code;
}

// A CA that became the present one without an RA would answer nobody, and scepd alone knows whether
// it has got one.
static enum ctl_exit check_announced(struct ctl *ctl)
{
    CLEANUP(api_decref) json_t *answer = NULL;
    const struct api_request request = {.method = "GET", .collection = ROLLOVER};
    enum ctl_exit code = api_call(ctl, &request, &answer);
    if (code != CTL_OK) {
        return ctl_complain(ctl, code, "nothing was changed: activate needs a running scepd");
    }
    bool has_next = json_is_object(json_object_get(answer, "next"));
    if (has_next && !json_is_true(json_object_get(answer, "next_ca_answer"))) {
        return ctl_complain(ctl, CTL_FAILED,
                            "nothing was changed: the next CA has no RA certificate yet; scepd's "
                            "log says why");
    }
    return CTL_OK;
}

static enum ctl_exit run_activate(struct ctl *ctl, const struct ctl_arguments *arguments)
{
    (void)arguments;
    CLEANUP(cleanup_settings_free) struct settings *settings = NULL;
    CLEANUP(rollover_done) struct rollover_result result = {0};
    struct err err = {0};
    enum ctl_exit loaded = load_settings(ctl, &settings);
    if (loaded == CTL_OK) {
        loaded = check_announced(ctl);
    }
    if (loaded != CTL_OK) {
        return loaded;
    }
    enum err_code code = rollover_activate(settings, clock_now(), &result, &err);
    if (code != ERR_OK) {
        return complain(ctl, code, &err);
    }
    return finish(ctl, settings, &result, "The present CA is now",
                  "The one before it issues nothing any more and signs its CRL until its last "
                  "certificate is over.");
}

static enum ctl_exit run_cancel(struct ctl *ctl, const struct ctl_arguments *arguments)
{
    (void)arguments;
    CLEANUP(cleanup_settings_free) struct settings *settings = NULL;
    CLEANUP(rollover_done) struct rollover_result result = {0};
    struct err err = {0};
    enum ctl_exit loaded = load_settings(ctl, &settings);
    if (loaded != CTL_OK) {
        return loaded;
    }
    enum err_code code = rollover_cancel(settings, &result, &err);
    if (code != ERR_OK) {
        return complain(ctl, code, &err);
    }
    return finish(ctl, settings, &result, "No longer the next CA",
                  "It stays as an old one, because it may have issued certificates already.");
}

static const char *number_text(const json_t *object, const char *key, char text[LINE_LEN])
{
    if (!json_is_integer(json_object_get(object, key))) {
        return NULL;
    }
    snprintf(text, LINE_LEN, "%jd", (intmax_t)api_number(object, key));
    return text;
}

static void add_ca(struct table *table, const char *role, const json_t *ca)
{
    char number[LINE_LEN];
    table_add(table, (const char *[COLUMNS]){role, api_text(ca, "name"), api_text(ca, "subject"),
                                             api_text(ca, "not_after"),
                                             api_text(ca, "last_certificate_until"),
                                             number_text(ca, "crl_number", number)});
}

static enum err_code print_cas(struct ctl *ctl, const json_t *rollover, struct err *err)
{
    struct table table = table_of(COLUMNS);
    table_add(&table,
              (const char *[COLUMNS]){"CA", "NAME", "SUBJECT", "UNTIL", "LAST CERTIFICATE", "CRL"});
    add_ca(&table, "present", json_object_get(rollover, "current"));
    if (json_is_object(json_object_get(rollover, "next"))) {
        add_ca(&table, "next", json_object_get(rollover, "next"));
    }
    size_t i;
    const json_t *old;
    json_array_foreach(json_object_get(rollover, "old"), i, old)
    {
        add_ca(&table, "old", old);
    }
    enum err_code code = table_print(&table, ctl->out, err);
    table_done(&table);
    return code;
}

static enum err_code print_ras(struct ctl *ctl, const json_t *rollover, struct err *err)
{
    struct table table = table_of(4);
    table_add(&table, (const char *[]){"RA", "SERIAL", "FROM", "UNTIL"});
    size_t i;
    const json_t *ra;
    json_array_foreach(json_object_get(rollover, "ra"), i, ra)
    {
        table_add(&table, (const char *[]){api_text(ra, "role"), api_text(ra, "serial"),
                                           api_text(ra, "not_before"), api_text(ra, "not_after")});
    }
    enum err_code code = table_print(&table, ctl->out, err);
    table_done(&table);
    return code;
}

static enum ctl_exit print_status(struct ctl *ctl, const json_t *rollover)
{
    struct err err = {0};
    bool is_answered = json_is_true(json_object_get(rollover, "next_ca_answer"));
    enum err_code code = print_cas(ctl, rollover, &err);
    if (code == ERR_OK && json_array_size(json_object_get(rollover, "ra")) > 0) {
        fputs("\n", ctl->out);
        code = print_ras(ctl, rollover, &err);
    }
    if (code != ERR_OK) {
        return ctl_complain(ctl, CTL_FAILED, "%s", err.text);
    }
    fprintf(ctl->out, "\nClients that ask for the next CA (GetNextCACert): %s\n",
            is_answered ? "are told" : "are told that there is none");
    return CTL_OK;
}

static enum ctl_exit run_status(struct ctl *ctl, const struct ctl_arguments *arguments)
{
    (void)arguments;
    CLEANUP(api_decref) json_t *rollover = NULL;
    const struct api_request request = {.method = "GET", .collection = ROLLOVER};
    enum ctl_exit code = api_call(ctl, &request, &rollover);
    if (code != CTL_OK) {
        return code;
    }
    return ctl->is_json ? api_print(ctl, rollover) : print_status(ctl, rollover);
}

static const struct ctl_option prepare_options[] = {
    {"root-key", CTL_ROOT_KEY, "URI|FILE",
     "key of the CA above the present one, which signs the next; not when it is its own root"},
    {"root-pin-file", CTL_ROOT_PIN_FILE, "FILE", "file whose first line opens that key"},
    {"ca-key", CTL_CA_KEY, CTL_KEY_KINDS, "kind of the new key (as the present one's)"},
    {"key", CTL_KEY, "URI|FILE", "a key that is there already, in a token for example"},
    {"key-pin-file", CTL_KEY_PIN_FILE, "FILE",
     "file whose first line opens that key; a copy of it is kept beside the certificate"},
    {0},
};

const struct ctl_command ctl_rollover_prepare = {
    .name = "ca",
    .action = "rollover",
    .step = "prepare",
    .summary = "Make the CA that comes after the present one. Nothing changes for phones yet.",
    .options = prepare_options,
    .run = run_prepare,
};

const struct ctl_command ctl_rollover_activate = {
    .name = "ca",
    .action = "rollover",
    .step = "activate",
    .summary = "Make the prepared CA the present one.",
    .run = run_activate,
};

const struct ctl_command ctl_rollover_cancel = {
    .name = "ca",
    .action = "rollover",
    .step = "cancel",
    .summary = "Give the prepared CA up.",
    .run = run_cancel,
};

const struct ctl_command ctl_rollover_status = {
    .name = "ca",
    .action = "rollover",
    .step = "status",
    .summary = "Show all CAs and RA certificates, and what clients are told of the next ones.",
    .run = run_status,
};
