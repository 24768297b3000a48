// SPDX-License-Identifier: Apache-2.0
// The desk of scepd's main thread: the CA of enroll_kit.h, which can go away and come back, a
// store, a policy that can be reloaded, rollovers, CRLs, and one clock for all. Files and store are
// each test's own.
#pragma once

#include "server/enroll_answer.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "ca/rollover.h"
#include "server/crl.h"
#include "server/live.h"
#include "server/reload.h"

#define DESK_LOG_LEN  65536       // octets of log lines that one test may read
#define DESK_CRL_HALF (84 * 3600) // seconds; ca.crl_hours is 168

struct desk {
    struct site site;
    struct bench bench;
    struct live live;
    unsigned reloads;   // asked for
    bool reload_breaks; // as if the settings were wrong
    int64_t first_crl;  // when the first CRL is made, for numbers of CRLs
};

static _Atomic int64_t desk_ca_now = KIT_NOW;

static inline int64_t desk_ca_clock(void)
{
    return desk_ca_now;
}

static inline void desk_go_to(struct desk *desk, int64_t now)
{
    desk->bench.now = now;
    desk_ca_now = now;
}

// ---- reloading ----

// `take_policy` becomes everybody's.
static inline void desk_use(struct desk *desk, struct policy *take_policy)
{
    policy_unref(desk->bench.policy);
    desk->bench.policy = policy_ref(take_policy);
    live_policy_replace(desk->live.policy, take_policy);
}

static inline enum err_code desk_load_ca(void *context, struct authorities **ret_authorities,
                                         struct err *err)
{
    struct desk *desk = context;
    struct settings *settings = site_settings(desk->site.config);
    enum err_code code = authorities_load(settings, desk->bench.now, ret_authorities, NULL, err);
    settings_free(settings);
    return code;
}

// Starts the CA, also once more after it was gone.
static inline void desk_start_ca(struct desk *desk)
{
    site_start_ca(&desk->site, desk_ca_clock);
    service_set_load(desk->site.service, desk_load_ca, desk);
}

static inline void desk_reload_ca(struct desk *desk)
{
    struct err err = {0};
    if (ca_client_reload(desk->bench.ca, &err) != ERR_OK) {
        fail_msg("CA: %s", err.text);
    }
}

// As the daemon's: the CA first, then the policy with what takes the CA.
static inline enum err_code desk_reload(void *context, struct err *err)
{
    struct desk *desk = context;
    struct settings *settings = NULL;
    struct policy *policy = NULL;
    desk->reloads++;
    if (desk->reload_breaks) {
        return err_set(err, ERR_CONFIG, "broken settings");
    }
    assert_int_equal(reload_settings(desk->site.config, true, &settings, err), ERR_OK);
    if (reload_policy(settings, desk->bench.now, &policy, err) != ERR_OK) {
        return err->code;
    }
    desk_reload_ca(desk);
    assert_int_equal(
        reload_complete(desk->site.config, desk->bench.ca, desk->bench.now, &policy, err), ERR_OK);
    desk_use(desk, policy);
    return ERR_OK;
}

static inline void desk_must_reload(struct desk *desk)
{
    struct err err = {0};
    if (desk_reload(desk, &err) != ERR_OK) {
        fail_msg("reload: %s", err.text);
    }
}

// ---- opening ----

static inline void desk_open_as(struct desk *desk,
                                void (*init)(const char *folder, const char *static_file))
{
    *desk = (struct desk){.first_crl = KIT_NOW};
    desk_ca_now = KIT_NOW;
    site_make_by(&desk->site, init);
    desk_start_ca(desk);
    bench_open(&desk->bench, &desk->site, BENCH_OCTETS);
    struct live *live = &desk->live;
    live->store = desk->bench.store;
    live->writer = desk->bench.writer;
    live->ca = desk->bench.ca;
    assert_int_equal(ocsp_new(&live->ocsp, NULL), ERR_OK);
    live->reload = desk_reload;
    live->reload_context = desk;
    assert_int_equal(live_policy_new(policy_ref(desk->bench.policy), &live->policy, NULL), ERR_OK);
}

static inline void desk_open(struct desk *desk)
{
    desk_open_as(desk, site_init);
}

static inline void desk_close(struct desk *desk)
{
    live_policy_free(desk->live.policy);
    ocsp_free(desk->live.ocsp);
    bench_close(&desk->bench);
    site_close(&desk->site);
}

static inline int desk_set_up(void **state)
{
    static struct desk desk;
    desk_open(&desk);
    *state = &desk;
    return 0;
}

static inline int desk_tear_down(void **state)
{
    desk_close(*state);
    return 0;
}

// A test with a desk of its own, in *state.
#define DESK_TEST(test) cmocka_unit_test_setup_teardown(test, desk_set_up, desk_tear_down)

static inline struct settings *desk_settings(struct desk *desk)
{
    return desk->bench.policy->settings;
}

static inline const struct credentials *desk_credentials(const struct desk *desk)
{
    return desk->bench.policy->credentials;
}

// ---- certificates ----

// A phone enrols; its answer.
static inline struct answer desk_enrol(struct desk *desk, unsigned phone)
{
    struct answer answer =
        send_ask(&desk->bench, &(struct ask){.phone = phone, .challenge = STATIC_CHALLENGE});
    expect_success(&answer, "issue", "static challenge");
    return answer;
}

// Its serial number alone.
static inline void desk_enrol_serial(struct desk *desk, unsigned phone,
                                     uint8_t ret_serial[SERIAL_LEN])
{
    struct answer answer = desk_enrol(desk, phone);
    memcpy(ret_serial, answer.report.serial, SERIAL_LEN);
    answer_done(&answer);
}

static inline void desk_revoke(struct desk *desk, const uint8_t serial[SERIAL_LEN],
                               enum revocation_reason reason)
{
    struct err err = {0};
    struct write_order order = {
        .kind = WRITE_REVOKE, .now = desk->bench.now, .revocation_reason = (uint8_t)reason};
    memcpy(order.certificate.serial, serial, SERIAL_LEN);
    if (writer_submit_and_wait(desk->bench.writer, &order, &err) != ERR_OK) {
        fail_msg("revoke: %s", err.text);
    }
}

// ---- rollovers ----

static inline void desk_set_link_time(const struct desk *desk, const char *name)
{
    const struct timespec times[] = {{.tv_sec = desk->bench.now}, {.tv_sec = desk->bench.now}};
    char *path = kit_path(desk->bench.policy->settings->ca.generations, name);
    assert_int_equal(utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW), 0);
    free(path);
}

// Makes the next CA in the folder; nobody is told.
static inline void desk_prepare(struct desk *desk)
{
    struct err err = {0};
    struct rollover_result result = {0};
    char *root_key = kit_path(desk->site.directory, INIT_ROOT_KEY);
    const struct rollover_order order = {
        .settings = desk_settings(desk), .root_key = {.uri = root_key}, .now = desk->bench.now};
    if (rollover_prepare(&order, &result, &err) != ERR_OK) {
        fail_msg("prepare: %s", err.text);
    }
    rollover_done(&result);
    free(root_key);
}

static inline void desk_activate(struct desk *desk)
{
    struct err err = {0};
    struct rollover_result result = {0};
    if (rollover_activate(desk_settings(desk), desk->bench.now, &result, &err) != ERR_OK) {
        fail_msg("activate: %s", err.text);
    }
    rollover_done(&result);
    desk_set_link_time(desk, "current");
}

// A whole rollover: scepd makes an RA of the next CA in between.
static inline void desk_roll_over(struct desk *desk)
{
    desk_prepare(desk);
    desk_must_reload(desk);
    desk_activate(desk);
    desk_must_reload(desk);
}

// ---- CRLs ----

struct crl {
    struct store_crl stored; // number 0 = there is none
    X509_CRL *crl;
};

static inline void crl_done(struct crl *crl)
{
    X509_CRL_free(crl->crl);
    store_crl_done(&crl->stored);
}

// The stored CRL of a CA, checked against its certificate and its record.
static inline struct crl desk_crl(struct desk *desk, const struct generation *generation)
{
    struct crl crl = {0};
    enum err_code code = store_find_crl(desk->bench.store, generation->id, &crl.stored, NULL);
    if (code == ERR_NOT_FOUND) {
        return crl;
    }
    assert_int_equal(code, ERR_OK);
    const unsigned char *end = crl.stored.der.data;
    crl.crl = d2i_X509_CRL(NULL, &end, (long)crl.stored.der.len);
    assert_non_null(crl.crl);
    assert_ptr_equal(end, crl.stored.der.data + crl.stored.der.len);
    assert_int_equal(X509_CRL_verify(crl.crl, X509_get0_pubkey(generation->cert)), 1);
    ASN1_INTEGER *number = X509_CRL_get_ext_d2i(crl.crl, NID_crl_number, NULL, NULL);
    assert_int_equal(ASN1_INTEGER_get(number), crl.stored.number);
    ASN1_INTEGER_free(number);
    STACK_OF(X509_REVOKED) *revoked = X509_CRL_get_REVOKED(crl.crl);
    assert_int_equal(revoked != NULL ? sk_X509_REVOKED_num(revoked) : 0, crl.stored.entries);
    return crl;
}

// Counted from the first one, which has 1; 0 = there is none.
static inline uint64_t desk_crl_number(struct desk *desk, const struct generation *generation)
{
    struct crl crl = desk_crl(desk, generation);
    uint64_t number = crl.stored.number;
    crl_done(&crl);
    return number > 0 ? number - crl_first_number(desk->first_crl) + 1 : 0;
}

// The number of the present CA's CRL.
static inline uint64_t desk_number(struct desk *desk)
{
    return desk_crl_number(desk, credentials_issuing(desk_credentials(desk)));
}

// The CA with that role; NULL when there is none. Borrowed until the next reload.
static inline const struct generation *desk_generation(const struct desk *desk,
                                                       enum generation_role role)
{
    const struct generations *generations = &desk_credentials(desk)->generations;
    for (unsigned i = 0; i < generations->count; i++) {
        if (generations->list[i].role == role) {
            return &generations->list[i];
        }
    }
    return NULL;
}

static inline X509_REVOKED *crl_entry(const struct crl *crl, const uint8_t serial[SERIAL_LEN])
{
    X509_REVOKED *entry = NULL;
    BIGNUM *number = BN_bin2bn(serial, SERIAL_LEN, NULL);
    ASN1_INTEGER *integer = BN_to_ASN1_INTEGER(number, NULL);
    int found = X509_CRL_get0_by_serial(crl->crl, &entry, integer);
    ASN1_INTEGER_free(integer);
    BN_free(number);
    return found == 1 ? entry : NULL;
}

static inline bool crl_lists(const struct crl *crl, const uint8_t serial[SERIAL_LEN])
{
    return crl_entry(crl, serial) != NULL;
}

// Whether the present CA's CRL lists the certificate.
static inline bool desk_lists(struct desk *desk, const uint8_t serial[SERIAL_LEN])
{
    struct crl crl = desk_crl(desk, credentials_issuing(desk_credentials(desk)));
    assert_non_null(crl.crl);
    bool is_listed = crl_lists(&crl, serial);
    crl_done(&crl);
    return is_listed;
}

// ---- the log ----

// Standard error goes to a file meanwhile: nothing is to be asserted until its end.
struct desk_log {
    FILE *file;
    int saved_fd;
    char text[DESK_LOG_LEN];
};

static inline void desk_log_begin(struct desk_log *captured)
{
    captured->file = tmpfile();
    assert_non_null(captured->file);
    captured->saved_fd = dup(STDERR_FILENO);
    assert_int_equal(dup2(fileno(captured->file), STDERR_FILENO), STDERR_FILENO);
}

static inline void desk_log_end(struct desk_log *captured)
{
    dup2(captured->saved_fd, STDERR_FILENO);
    close(captured->saved_fd);
    rewind(captured->file);
    size_t len = fread(captured->text, 1, sizeof captured->text - 1, captured->file);
    captured->text[len] = '\0';
    fclose(captured->file);
}

static inline void assert_says(const char *text, const char *part)
{
    if (strstr(text, part) == NULL) {
        fail_msg("\"%s\" is not in \"%s\"", part, text);
    }
}
