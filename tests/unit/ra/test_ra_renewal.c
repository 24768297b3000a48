// SPDX-License-Identifier: Apache-2.0
// When the RA gets a new certificate, what it orders for that, and that what it writes is what the
// next start uses. A scripted CA answers.
#include "ra/ra_renewal.h"

#include <string.h>

#include "conf/limits.h"
#include "kit/kit.h"
#include "ra/ca_peer.h"
#include "ra/ra_site.h"

enum { KEY_RA = 0, KEY_CA = 1, KEY_NEXT = 2, KEY_OTHER = 3 };

#define RA_DAYS       100
#define CA_DAYS       1000
#define RENEW_DAYS    20
#define PREVIOUS_DAYS 5
#define ISSUED_DAYS   90
#define ORDERS_MAX    4

#define BEGIN (KIT_NOW - RA_DAYS * (int64_t)DAY_SEC) // the RA certificate's notBefore
#define END   ((int64_t)KIT_NOW)                     // and its notAfter
#define DUE   (END - RENEW_DAYS * (int64_t)DAY_SEC)

// What the scripted CA does wrong.
enum fault {
    FAULT_NONE,
    FAULT_REFUSES,
    FAULT_GARBAGE,
    FAULT_OTHER_KEY,
    FAULT_OTHER_ISSUER,
    FAULT_CA_CERTIFICATE,
    FAULT_NOT_YET_VALID,
    FAULT_SECOND_REFUSED, // the first order is fine
    FAULT_MAX
};

struct order {
    enum issue_profile profile;
    uint8_t issuer[SHA256_LEN];
    size_t issuer_len;
    char transaction_id[32];
    size_t common_name_len;
    uint32_t san_count;
    uint32_t max_validity_sec;
    bool is_proven; // the PKCS#10's own signature holds
    int key_bits;
    EVP_PKEY *key;
};

struct site {
    char *folder;
    char *directory;
    char *generations;
    char *ra;
    char *ca_path;
    char *key;
    X509 *ra_cert;
    X509 *ca;
    X509 *next;
    struct settings settings;
    struct ca_peer peer;
    struct ca_client *client;
    int64_t now; // the CA's clock
    enum fault fault;
    struct order orders[ORDERS_MAX];
};

static void note_order(struct site *site, const struct issue_order *order, X509_REQ *req)
{
    if (site->peer.questions > ORDERS_MAX) {
        return;
    }
    struct order *noted = &site->orders[site->peer.questions - 1];
    noted->profile = order->profile;
    noted->issuer_len = order->issuer.len;
    if (order->issuer.len == SHA256_LEN) {
        memcpy(noted->issuer, order->issuer.data, SHA256_LEN);
    }
    snprintf(noted->transaction_id, sizeof noted->transaction_id, "%.*s",
             (int)order->transaction_id.len, (const char *)order->transaction_id.data);
    noted->common_name_len = order->common_name.len;
    noted->san_count = order->san_count;
    noted->max_validity_sec = order->max_validity_sec;
    noted->key = X509_REQ_get_pubkey(req);
    noted->is_proven = X509_REQ_verify(req, noted->key) == 1;
    noted->key_bits = EVP_PKEY_get_bits(noted->key);
}

static X509 *certify(const struct site *site, const struct issue_order *order, EVP_PKEY *key)
{
    uint8_t id[SHA256_LEN];
    char name[GENERATION_NAME_LEN];
    bool is_next = generation_identify(site->next, id, name, NULL) == ERR_OK &&
                   view_equal(order->issuer, view_of(id, SHA256_LEN));
    is_next = is_next != (site->fault == FAULT_OTHER_ISSUER);
    return kit_cert(site->fault == FAULT_OTHER_KEY ? kit_key(KEY_OTHER) : key, "SCEP RA",
                    is_next ? site->next : site->ca, kit_key(is_next ? KEY_NEXT : KEY_CA),
                    site->fault == FAULT_CA_CERTIFICATE,
                    site->now + (site->fault == FAULT_NOT_YET_VALID ? DAY_SEC : -BACKDATE_SEC),
                    ISSUED_DAYS);
}

static struct buf answer_order(struct ca_peer *peer, const struct frame *question)
{
    struct site *site = peer->context;
    struct buf answer = {0};
    struct buf der = {0};
    const struct err refusal = {.code = ERR_DENIED, .text = "no such CA"};
    const unsigned char *end = question->order.csr.data;
    X509_REQ *req = question->type == FRAME_ISSUE
                        ? d2i_X509_REQ(NULL, &end, (long)question->order.csr.len)
                        : NULL;
    if (req == NULL) {
        return answer; // sending nothing ends the connection
    }
    note_order(site, &question->order, req);
    X509 *cert = certify(site, &question->order, X509_REQ_get0_pubkey(req));
    enum err_code code = ossl_cert_to_der(cert, &der, NULL);
    bool is_refused = site->fault == FAULT_REFUSES ||
                      (site->fault == FAULT_SECOND_REFUSED && peer->questions == 2);
    if (is_refused) {
        code = frame_put_refused(&refusal, &answer, NULL);
    } else if (site->fault == FAULT_GARBAGE) {
        code = frame_put_result(view_of_text("garbage"), true, &answer, NULL);
    } else if (code == ERR_OK) {
        code = frame_put_result(buf_view(&der), true, &answer, NULL);
    }
    if (code != ERR_OK) {
        buf_done(&answer);
    }
    buf_done(&der);
    X509_free(cert);
    X509_REQ_free(req);
    return answer;
}

static char *write_cert(const char *folder, const char *name, const X509 *cert)
{
    struct buf pem = kit_cert_pem(cert);
    char *path = kit_write(folder, name, buf_view(&pem));
    buf_done(&pem);
    return path;
}

static int set_up(void **state)
{
    static struct site site;
    site = (struct site){.folder = kit_new_folder(), .now = DUE};
    struct buf key = kit_key_pem(kit_key(KEY_RA));
    site.ca = kit_cert(kit_key(KEY_CA), "CA", NULL, NULL, true, BEGIN, CA_DAYS);
    site.next = kit_cert(kit_key(KEY_NEXT), "CA", NULL, NULL, true, BEGIN, CA_DAYS);
    site.ra_cert =
        kit_cert(kit_key(KEY_RA), "SCEP RA", site.ca, kit_key(KEY_CA), false, BEGIN, RA_DAYS);
    site.ra = write_cert(site.folder, "ra.pem", site.ra_cert);
    site.ca_path = write_cert(site.folder, "ca.pem", site.ca);
    site.key = kit_write(site.folder, "ra.key", buf_view(&key));
    site.directory = kit_path(site.folder, "ra");
    site.generations = kit_path(site.folder, "ca");
    site_make_folder(site.generations);
    site.settings = (struct settings){
        .ra = {.certificate = site.ra,
               .key = site.key,
               .directory = site.directory,
               .renew_days = RENEW_DAYS,
               .previous_days = PREVIOUS_DAYS},
        .ca = {.certificate = site.ca_path,
               .key = "/nowhere/ca.key",
               .generations = site.generations},
    };
    site.peer = (struct ca_peer){.answer = answer_order, .context = &site};
    site.client = ca_peer_begin(&site.peer);
    buf_done(&key);
    *state = &site;
    return 0;
}

static int tear_down(void **state)
{
    struct site *site = *state;
    ca_peer_end(&site->peer, site->client);
    for (size_t i = 0; i < ORDERS_MAX; i++) {
        EVP_PKEY_free(site->orders[i].key);
    }
    X509_free(site->ca);
    X509_free(site->next);
    X509_free(site->ra_cert);
    char *paths[] = {site->directory, site->generations, site->ra, site->ca_path, site->key};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        free(paths[i]);
    }
    kit_remove_folder(site->folder);
    return 0;
}

static struct credentials *load(const struct site *site)
{
    struct err err = {0};
    struct credentials *credentials = NULL;
    if (credentials_load(&site->settings, site->now, &credentials, &err) != ERR_OK) {
        fail_msg("%s", err.text);
    }
    return credentials;
}

// Loads what there is and runs once; the CA's clock is ours.
static enum err_code run(struct site *site, bool *ret_is_changed, struct err *err)
{
    struct credentials *credentials = load(site);
    enum err_code code =
        ra_renewal_run(&site->settings, credentials, site->client, site->now, ret_is_changed, err);
    credentials_free(credentials);
    return code;
}

static void good_run(struct site *site, bool is_changed)
{
    struct err err = {0};
    bool is_really_changed = !is_changed;
    if (run(site, &is_really_changed, &err) != ERR_OK) {
        fail_msg("%s", err.text);
    }
    assert_int_equal(is_really_changed, is_changed);
}

static void assert_order(const struct order *order, const X509 *ca)
{
    assert_int_equal(order->profile, PROFILE_RA);
    assert_int_equal(order->issuer_len, SHA256_LEN);
    assert_is_ca(order->issuer, ca);
    assert_string_equal(order->transaction_id, "RA-RENEWAL");
    assert_int_equal(order->common_name_len, 0);
    assert_int_equal(order->san_count, 0);
    assert_int_equal(order->max_validity_sec, 0);
    assert_true(order->is_proven);
    assert_int_equal(order->key_bits, 2048);
}

static void not_before_it_is_due(void **state)
{
    struct site *site = *state;
    site->now = DUE - 1;
    good_run(site, false);
    assert_int_equal(site->peer.questions, 0);
    assert_int_equal(access(site->directory, F_OK), -1); // nothing was made
    site->now = DUE;
    good_run(site, true);
    assert_int_equal(site->peer.questions, 1);
}

static void renews_with_a_new_key(void **state)
{
    struct site *site = *state;
    good_run(site, true);
    assert_order(&site->orders[0], site->ca);
    assert_int_equal(EVP_PKEY_eq(site->orders[0].key, kit_key(KEY_RA)), 0);
    struct credentials *credentials = load(site);
    const struct recipient *ra = credentials_ra(credentials);
    assert_int_equal(EVP_PKEY_eq(ra->key, site->orders[0].key), 1);
    assert_int_equal(X509_verify(ra->cert, kit_key(KEY_CA)), 1);
    assert_int_equal(credentials->recipient_count, 2);
    assert_int_equal(X509_cmp(credentials->recipients[1].cert, site->ra_cert), 0);
    assert_int_equal(credentials->recipients[1].role, RECIPIENT_PREVIOUS);
    credentials_free(credentials);
    good_run(site, false); // once is enough
    assert_int_equal(site->peer.questions, 1);
}

// One that lives shorter than ra.renew_days would be renewed all the time.
static void never_in_the_first_half_of_its_life(void **state)
{
    struct site *site = *state;
    site->settings.ra.renew_days = 10 * RA_DAYS;
    site->now = BEGIN + (END - BEGIN) / 2 - 1;
    good_run(site, false);
    site->now++;
    good_run(site, true);
    good_run(site, false);
    assert_int_equal(site->peer.questions, 1);
}

// A successor would end on the same day.
static void not_when_it_ends_with_its_ca(void **state)
{
    struct site *site = *state;
    X509 *short_ca = kit_cert(kit_key(KEY_CA), "CA", NULL, NULL, true, BEGIN, RA_DAYS);
    free(write_cert(site->folder, "ca.pem", short_ca));
    good_run(site, false);
    assert_int_equal(site->peer.questions, 0);
    X509_free(short_ca);
}

static void next_ca_gets_an_ra(void **state)
{
    struct site *site = *state;
    site->now = DUE - 1;
    site_add_ca(site->generations, site->next, NULL);
    site_link(site->generations, "next", site->next, site->now);
    good_run(site, true);
    assert_int_equal(site->peer.questions, 1);
    assert_order(&site->orders[0], site->next);
    struct credentials *credentials = load(site);
    const struct recipient *next = credentials_next_ra(credentials);
    assert_non_null(next);
    assert_int_equal(EVP_PKEY_eq(next->key, site->orders[0].key), 1);
    assert_int_equal(X509_verify(next->cert, kit_key(KEY_NEXT)), 1);
    assert_is_ca(next->issuer, site->next);
    assert_int_equal(X509_cmp(credentials_ra(credentials)->cert, site->ra_cert), 0);
    credentials_free(credentials);
    good_run(site, false);
    assert_int_equal(site->peer.questions, 1);
}

static void both_at_once(void **state)
{
    struct site *site = *state;
    site_add_ca(site->generations, site->next, NULL);
    site_link(site->generations, "next", site->next, site->now);
    good_run(site, true);
    assert_int_equal(site->peer.questions, 2);
    assert_order(&site->orders[0], site->ca);
    assert_order(&site->orders[1], site->next);
    assert_int_equal(EVP_PKEY_eq(site->orders[0].key, site->orders[1].key), 0);
}

// What was made counts although the rest failed: else it would be made again and again.
static void half_a_success_is_told(void **state)
{
    struct site *site = *state;
    struct err err = {0};
    bool is_changed = false;
    site->fault = FAULT_SECOND_REFUSED;
    site_add_ca(site->generations, site->next, NULL);
    site_link(site->generations, "next", site->next, site->now);
    assert_int_equal(run(site, &is_changed, &err), ERR_DENIED);
    assert_true(is_changed);
    assert_int_equal(site->peer.questions, 2);
}

static void bad_answers_are_never_written(void **state)
{
    struct site *site = *state;
    static const struct {
        enum fault fault;
        enum err_code code;
        const char *text;
    } tests[] = {
        {FAULT_REFUSES, ERR_DENIED, "no such CA"},
        {FAULT_GARBAGE, ERR_PROTOCOL, "no certificate"},
        {FAULT_OTHER_KEY, ERR_PROTOCOL, "not the certificate of the RA's key"},
        {FAULT_OTHER_ISSUER, ERR_PROTOCOL, "not issued by the CA"},
        {FAULT_CA_CERTIFICATE, ERR_PROTOCOL, "a CA certificate"},
        {FAULT_NOT_YET_VALID, ERR_PROTOCOL, "do the clocks agree"},
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        struct err err = {0};
        bool is_changed = true;
        site->fault = tests[i].fault;
        assert_int_equal(run(site, &is_changed, &err), tests[i].code);
        assert_int_equal(err.code, tests[i].code);
        assert_false(is_changed);
        if (strstr(err.text, tests[i].text) == NULL) {
            fail_msg("\"%s\" is not in \"%s\"", tests[i].text, err.text);
        }
        assert_int_equal(access(site->directory, F_OK), -1);
        EVP_PKEY_free(site->orders[0].key);
        site->orders[0].key = NULL;
        site->peer.questions = 0;
    }
}

static void ca_away(void **state)
{
    struct site *site = *state;
    struct err err = {0};
    bool is_changed = true;
    struct ca_client *nobody = NULL;
    struct credentials *credentials = load(site);
    assert_int_equal(ca_client_new("/nonexistent/ca.sock", &nobody, NULL), ERR_OK);
    assert_int_equal(
        ra_renewal_run(&site->settings, credentials, nobody, site->now, &is_changed, &err),
        ERR_BUSY);
    assert_false(is_changed);
    ca_client_free(nobody);
    credentials_free(credentials);
}

static void needs_a_place(void **state)
{
    struct site *site = *state;
    struct err err = {0};
    bool is_changed = true;
    site->settings.ra.directory = NULL;
    assert_int_equal(run(site, &is_changed, &err), ERR_CONFIG);
    assert_non_null(strstr(err.text, "ra.directory"));
    assert_false(is_changed);
    assert_int_equal(site->peer.questions, 0);
    site->now = DUE - 1;
    good_run(site, false); // nothing to do
    site->settings.ra.directory = "/nowhere/at/all";
    site->now = DUE;
    assert_int_equal(run(site, &is_changed, &err), ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "/nowhere/at/all"));
    assert_false(is_changed);
}

// The pair stays as long as ra.previous_days say, then certificate and key go.
static void clears_up_what_is_over(void **state)
{
    struct site *site = *state;
    const int64_t kept_until = END + PREVIOUS_DAYS * (int64_t)DAY_SEC;
    char serial[SITE_NAME_LEN];
    char name[SITE_NAME_LEN + 8];
    good_run(site, true);
    site_add_ra(site->directory, site->ra_cert, kit_key(KEY_RA));
    snprintf(name, sizeof name, "%s.key", site_serial(site->ra_cert, serial));
    char *key = kit_path(site->directory, name);
    snprintf(name, sizeof name, "%s.pem", serial);
    char *cert = kit_path(site->directory, name);
    site->now = kept_until;
    good_run(site, false);
    assert_int_equal(access(key, F_OK), 0);
    assert_int_equal(access(cert, F_OK), 0);
    site->now = kept_until + 1;
    good_run(site, false);
    assert_int_equal(access(key, F_OK), -1);
    assert_int_equal(access(cert, F_OK), -1);
    struct credentials *credentials = load(site);
    assert_int_equal(EVP_PKEY_eq(credentials_ra(credentials)->key, site->orders[0].key), 1);
    credentials_free(credentials);
    free(key);
    free(cert);
}

// The CA's key answers; there is no RA to renew.
static void nothing_under_topology_direct(void **state)
{
    struct site *site = *state;
    struct err err = {0};
    bool is_changed = true;
    struct credentials *credentials = load(site);
    site->settings.scep.topology = SETTINGS_TOPOLOGY_DIRECT;
    assert_int_equal(
        ra_renewal_run(&site->settings, credentials, site->client, site->now, &is_changed, &err),
        ERR_OK);
    assert_false(is_changed);
    assert_int_equal(site->peer.questions, 0);
    credentials_free(credentials);
}

// A key in a token stays where it is (here behind a URI that names no path of this machine): its
// new certificate stands alone.
static void keys_in_tokens_stay(void **state)
{
    struct site *site = *state;
    struct err err = {0};
    bool is_changed = true;
    struct credentials *credentials = load(site);
    site->settings.ra.key = "pkcs11:token=none";
    assert_int_equal(
        ra_renewal_run(&site->settings, credentials, site->client, site->now, &is_changed, &err),
        ERR_CONFIG);
    assert_non_null(strstr(err.text, "pkcs11:token=none")); // no new key was made in its place
    assert_false(is_changed);
    assert_int_equal(site->peer.questions, 0);
    credentials_free(credentials);
}

static void revive(struct site *site, enum err_code expected, bool is_made)
{
    struct err err = {0};
    bool is_really_made = !is_made;
    assert_int_equal(
        ra_renewal_revive(&site->settings, site->client, site->now, &is_really_made, &err),
        expected);
    assert_int_equal(is_really_made, is_made);
}

// scepd was off until the RA's certificate was over, so that nothing can be loaded.
static void revives_an_ra_that_ended(void **state)
{
    struct site *site = *state;
    struct err err = {0};
    struct credentials *credentials = NULL;
    site->now = END;
    revive(site, ERR_OK, false); // still valid in this second
    assert_int_equal(site->peer.questions, 0);
    site->now = END + DAY_SEC;
    assert_int_equal(credentials_load(&site->settings, site->now, &credentials, &err), ERR_CONFIG);
    revive(site, ERR_OK, true);
    assert_order(&site->orders[0], site->ca);
    credentials_free(load(site));
    revive(site, ERR_OK, false);
    assert_int_equal(site->peer.questions, 1);
}

static void revives_nothing_of_another_ca(void **state)
{
    struct site *site = *state;
    free(write_cert(site->folder, "ca.pem", site->next));
    site->now = END + DAY_SEC;
    revive(site, ERR_OK, false);
    assert_int_equal(site->peer.questions, 0);
}

static void a_refused_revival_leaves_nothing(void **state)
{
    struct site *site = *state;
    site->now = END + DAY_SEC;
    site->fault = FAULT_REFUSES;
    revive(site, ERR_DENIED, false);
    assert_int_equal(access(site->directory, F_OK), -1);
    site->fault = FAULT_NONE;
    revive(site, ERR_OK, true);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(not_before_it_is_due),
        TEST(renews_with_a_new_key),
        TEST(never_in_the_first_half_of_its_life),
        TEST(not_when_it_ends_with_its_ca),
        TEST(next_ca_gets_an_ra),
        TEST(both_at_once),
        TEST(half_a_success_is_told),
        TEST(bad_answers_are_never_written),
        TEST(ca_away),
        TEST(needs_a_place),
        TEST(clears_up_what_is_over),
        TEST(nothing_under_topology_direct),
        TEST(keys_in_tokens_stay),
        TEST(revives_an_ra_that_ended),
        TEST(revives_nothing_of_another_ca),
        TEST(a_refused_revival_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
