// SPDX-License-Identifier: Apache-2.0
// A whole administrator's side for tests: a CA in a temporary folder, a store, its writer, and the
// admin interface on a real Unix socket, run by a thread as scepd's main thread runs it.
#pragma once

#include "kit/kit.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ca/client.h"
#include "ra/decide.h"
#include "server/admin/admin.h"
#include "server/site_kit.h"

#define FIXTURE_STORE_OCTETS (64u << 20)
#define FIXTURE_FAR_FUTURE   4102444800 // 2100-01-01: no wall clock is beyond
#define FIXTURE_LONG_AGO     1000000000 // 2001-09-09: every wall clock is beyond

struct fixture {
    char *folder;
    char *config; // scepd.conf
    char *socket;
    struct live live;
    struct admin *admin;
    pthread_t thread;
    int wake[2]; // closing [1] ends the thread
};

static inline void *fixture_serve(void *context)
{
    struct fixture *fixture = context;
    for (;;) {
        struct pollfd fds[] = {
            {.fd = admin_fd(fixture->admin), .events = POLLIN},
            {.fd = fixture->wake[0], .events = POLLIN},
        };
        poll(fds, 2, admin_timeout_ms(fixture->admin));
        if (fds[1].revents != 0) {
            return NULL;
        }
        admin_run(fixture->admin);
    }
}

static inline int fixture_set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    fixture->folder = kit_new_folder();
    fixture->config = kit_path(fixture->folder, "scepd.conf");
    fixture->socket = kit_path(fixture->folder, "admin.sock");
    site_init(fixture->folder, NULL);
    struct policy *policy = site_policy(fixture->config);
    struct live *live = &fixture->live;
    live->started_at = KIT_NOW;
    snprintf(live->listening, sizeof live->listening, "127.0.0.1:8080");
    assert_int_equal(
        store_open(policy->settings->store.directory, FIXTURE_STORE_OCTETS, &live->store, NULL),
        ERR_OK);
    assert_int_equal(writer_start(live->store, &live->writer, NULL), ERR_OK);
    assert_int_equal(live_policy_new(policy, &live->policy, NULL), ERR_OK);
    char *nobody = kit_path(fixture->folder, "ca.sock"); // the CA does not answer
    assert_int_equal(ca_client_new(nobody, &live->ca, NULL), ERR_OK);
    free(nobody);
    assert_int_equal(admin_new(fixture->socket, live, &fixture->admin, NULL), ERR_OK);
    assert_int_equal(pipe(fixture->wake), 0);
    assert_int_equal(pthread_create(&fixture->thread, NULL, fixture_serve, fixture), 0);
    *state = fixture;
    return 0;
}

static inline int fixture_tear_down(void **state)
{
    struct fixture *fixture = *state;
    close(fixture->wake[1]);
    pthread_join(fixture->thread, NULL);
    close(fixture->wake[0]);
    admin_free(fixture->admin);
    assert_int_equal(access(fixture->socket, F_OK), -1);
    ca_client_free(fixture->live.ca);
    live_policy_free(fixture->live.policy);
    writer_stop(fixture->live.writer);
    store_close(fixture->live.store);
    free(fixture->socket);
    free(fixture->config);
    kit_remove_folder(fixture->folder);
    free(fixture);
    return 0;
}

// A test with a fixture of its own, in *state.
#define FIXTURE_TEST(test) cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)

// Writes a certificate record as it is but for its issuer, which is the CA that is there, and its
// DER, which becomes a certificate for its CN.
static inline void fixture_write_certificate(struct fixture *fixture,
                                             const struct store_certificate *record)
{
    struct err err = {0};
    X509 *cert = kit_cert(kit_key(0), record->common_name, NULL, NULL, false, KIT_NOW, 1);
    struct write_order order = {
        .kind = WRITE_ISSUED, .now = record->issued_at, .certificate = *record};
    assert_int_equal(ossl_cert_to_der(cert, &order.certificate.der, NULL), ERR_OK);
    struct policy *policy = live_policy_get(fixture->live.policy);
    memcpy(order.certificate.issuer, credentials_issuing(policy->credentials)->id, SHA256_LEN);
    policy_unref(policy);
    if (writer_submit_and_wait(fixture->live.writer, &order, &err) != ERR_OK) {
        fail_msg("writer: %s", err.text);
    }
    store_certificate_done(&order.certificate);
    X509_free(cert);
}

// Serial number 01, `number`, 0...; the device is `mac` or else `cn`. Issued at KIT_NOW + `number`
// for a challenge.
static inline struct store_certificate fixture_certificate(uint8_t number, const char *cn,
                                                           const char *mac, int64_t not_after)
{
    struct store_certificate record = {
        .serial = {1, number},
        .status = CERTIFICATE_VALID,
        .issued_at = KIT_NOW + number,
        .not_before = FIXTURE_LONG_AGO - DAY_SEC,
        .not_after = not_after,
        .signer_class = SIGNER_SELF_SIGNED,
        .origin = ORIGIN_CHALLENGE,
        .transaction_key = {number},
        .spki_hash = {number},
    };
    snprintf(record.common_name, sizeof record.common_name, "%s", cn);
    snprintf(record.mac, sizeof record.mac, "%s", mac);
    snprintf(record.device, sizeof record.device, "%s", mac[0] != '\0' ? mac : cn);
    return record;
}

static inline void fixture_add_certificate(struct fixture *fixture, uint8_t number, const char *cn,
                                           const char *mac, int64_t not_after)
{
    struct store_certificate record = fixture_certificate(number, cn, mac, not_after);
    fixture_write_certificate(fixture, &record);
}

// Writes a challenge record as it is.
static inline void fixture_add_challenge(struct fixture *fixture, struct store_challenge challenge)
{
    struct err err = {0};
    struct write_order order = {
        .kind = WRITE_CHALLENGE_NEW, .now = challenge.created_at, .challenge = challenge};
    if (writer_submit_and_wait(fixture->live.writer, &order, &err) != ERR_OK) {
        fail_msg("writer: %s", err.text);
    }
}
