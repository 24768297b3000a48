// SPDX-License-Identifier: Apache-2.0
// What makes the server unwell, in words, and how it gets well again.
#include "admin_client.h"

#include <sys/socket.h>
#include <sys/un.h>

static void put_crl(struct fixture *fixture, uint64_t number, int64_t next_update)
{
    struct store_crl crl = {
        .number = number, .this_update = KIT_NOW - 10, .next_update = next_update};
    assert_int_equal(buf_copy(view_of_text("crl"), &crl.der, NULL), ERR_OK);
    struct policy *policy = live_policy_get(fixture->live.policy);
    memcpy(crl.issuer, credentials_issuing(policy->credentials)->id, SHA256_LEN);
    policy_unref(policy);
    struct write_order order = {.kind = WRITE_CRL, .now = KIT_NOW, .crl = &crl};
    assert_int_equal(writer_submit_and_wait(fixture->live.writer, &order, NULL), ERR_OK);
    store_crl_done(&crl);
}

// Only `part` (HEALTH_MAX = none) has something to say, and that has `words` in it.
static void assert_trouble(struct fixture *fixture, int64_t now, int part, const char *words)
{
    struct health health;
    health_check(&fixture->live, now, &health);
    assert_int_equal(health.is_well, part == HEALTH_MAX);
    for (int i = 0; i < HEALTH_MAX; i++) {
        if (i != part && health.troubles[i][0] != '\0') {
            fail_msg("%s", health.troubles[i]);
        }
    }
    if (part != HEALTH_MAX && strstr(health.troubles[part], words) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", health.troubles[part], words);
    }
}

static void make_well(struct fixture *fixture)
{
    fixture->live.is_ca_answering = true;
    put_crl(fixture, 1, KIT_NOW + 100);
    assert_trouble(fixture, KIT_NOW, HEALTH_MAX, NULL);
}

static void ca_and_crl(void **state)
{
    struct fixture *fixture = *state;
    fixture->live.is_ca_answering = true;
    assert_trouble(fixture, KIT_NOW, HEALTH_CRL, "the CA has no CRL");
    make_well(fixture);
    fixture->live.is_ca_answering = false;
    assert_trouble(fixture, KIT_NOW, HEALTH_CA, "the CA (scepd-ca) does not answer");
    fixture->live.is_ca_answering = true;
    assert_trouble(fixture, KIT_NOW + 99, HEALTH_MAX, NULL);
    assert_trouble(fixture, KIT_NOW + 100, HEALTH_CRL,
                   "the CRL is over since 2027-01-15T08:01:40Z");
    put_crl(fixture, 2, KIT_NOW + 200);
    assert_trouble(fixture, KIT_NOW + 100, HEALTH_MAX, NULL);
}

// A listening socket that nobody serves, as that of a CA that is stopped.
static void a_silent_ca_is_found_out(void **state)
{
    struct fixture *fixture = *state;
    struct live *live = &fixture->live;
    make_well(fixture);
    char *path = kit_path(fixture->folder, "silent.sock");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 4), 0);
    assert_int_equal(ca_client_new(path, &live->ca_probe, NULL), ERR_OK);
    ca_client_set_timeout(live->ca_probe, 10);
    live->ca_asked_at = KIT_NOW;
    assert_true(health_ca_answers(live, KIT_NOW + HEALTH_CA_SEC - 1));
    assert_false(health_ca_answers(live, KIT_NOW + HEALTH_CA_SEC));
    assert_int_equal(live->ca_asked_at, KIT_NOW + HEALTH_CA_SEC);
    live->is_ca_answering = true;
    assert_false(health_ca_answers(live, KIT_NOW)); // the clock was set back
    assert_trouble(fixture, KIT_NOW, HEALTH_CA, "the CA (scepd-ca) does not answer");
    ca_client_free(live->ca_probe);
    live->ca_probe = NULL;
    close(fd);
    free(path);
}

static void certificates(void **state)
{
    struct fixture *fixture = *state;
    const struct fleet *fleet = NULL;
    make_well(fixture);
    put_crl(fixture, 2, FIXTURE_FAR_FUTURE);
    assert_int_equal(fleet_get(&fixture->live, KIT_NOW, &fleet, NULL), ERR_OK);
    int64_t end = fleet->ra_not_after;
    assert_trouble(fixture, end - 1, HEALTH_MAX, NULL);
    assert_trouble(fixture, end, HEALTH_CERTIFICATES, "the certificate of the RA is over since");
}

// A try to write that failed counts until the next one.
static void writes_into_the_store(void **state)
{
    struct fixture *fixture = *state;
    make_well(fixture);
    assert_int_equal(fixture->live.probe.at, KIT_NOW);
    err_set(&fixture->live.probe.failure, ERR_FULL, "no space left");
    assert_trouble(fixture, KIT_NOW + HEALTH_PROBE_SEC - 1, HEALTH_STORE,
                   "the store takes no writes: no space left");
    assert_trouble(fixture, KIT_NOW + HEALTH_PROBE_SEC, HEALTH_MAX, NULL);
    assert_int_equal(fixture->live.probe.at, KIT_NOW + HEALTH_PROBE_SEC);
    err_set(&fixture->live.probe.failure, ERR_FULL, "no space left");
    assert_trouble(fixture, KIT_NOW, HEALTH_MAX, NULL); // the clock was set back
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(ca_and_crl),
        FIXTURE_TEST(a_silent_ca_is_found_out),
        FIXTURE_TEST(certificates),
        FIXTURE_TEST(writes_into_the_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
