// SPDX-License-Identifier: Apache-2.0
// CRLs and CA certificates at their paths, before, during and after a rollover.
#include "server/publish.h"

#include "server/crl.h"
#include "server/desk_kit.h"

#define PATH_LEN 128

// "/crl/0123456789abcdef.crl"
static const char *path_of(char text[PATH_LEN], const char *before, const char *name,
                           const char *after)
{
    snprintf(text, PATH_LEN, "%s%s%s", before, name, after);
    return text;
}

static struct buf found_at(struct desk *desk, const char *path, const char *type)
{
    struct err err = {0};
    struct buf body = {0};
    const char *seen = NULL;
    if (publish_find(desk->bench.policy, desk->bench.store, path, &seen, &body, &err) != ERR_OK) {
        fail_msg("%s: %s", path, err.text);
    }
    assert_string_equal(seen, type);
    return body;
}

static void assert_nothing_at(struct desk *desk, const char *path)
{
    struct err err = {0};
    struct buf body = {0};
    const char *type = NULL;
    if (publish_find(desk->bench.policy, desk->bench.store, path, &type, &body, &err) !=
        ERR_NOT_FOUND) {
        fail_msg("something is at %s", path);
    }
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_int_equal(body.len, 0);
}

static void assert_cert_at(struct desk *desk, const char *path, const X509 *cert)
{
    struct buf expected = {0};
    struct buf body = found_at(desk, path, "application/pkix-cert");
    assert_int_equal(ossl_cert_to_der(cert, &expected, NULL), ERR_OK);
    assert_true(view_equal(buf_view(&body), buf_view(&expected)));
    buf_done(&expected);
    buf_done(&body);
}

static void assert_crl_at(struct desk *desk, const char *path, const struct generation *generation)
{
    struct crl crl = desk_crl(desk, generation);
    struct buf body = found_at(desk, path, "application/pkix-crl");
    assert_int_equal(crl.stored.number > 0, 1);
    assert_true(view_equal(buf_view(&body), buf_view(&crl.stored.der)));
    buf_done(&body);
    crl_done(&crl);
}

static void publish(struct desk *desk)
{
    assert_int_equal(crl_publish(&desk->live, CRL_IN_ANY_CASE, desk->bench.now, NULL), ERR_OK);
}

static void the_root(void **state)
{
    struct desk *desk = *state;
    assert_cert_at(desk, "/root.cer", credentials_root(desk_credentials(desk)));
}

static void the_present_ca(void **state)
{
    struct desk *desk = *state;
    char path[PATH_LEN];
    const struct generation *ca = desk_generation(desk, GENERATION_CURRENT);
    assert_cert_at(desk, path_of(path, "/ca/", ca->name, ".cer"), ca->cert);
    path_of(path, "/crl/", ca->name, ".crl");
    assert_nothing_at(desk, path); // none was made yet
    publish(desk);
    assert_crl_at(desk, path, ca);
    publish(desk);
    assert_crl_at(desk, path, ca); // the newest
}

static void nothing_elsewhere(void **state)
{
    struct desk *desk = *state;
    char text[PATH_LEN];
    const char *name = desk_generation(desk, GENERATION_CURRENT)->name;
    static const char *const paths[] = {
        "",
        "/",
        "/cgi-bin/pkiclient.exe",
        "/ca/{ca}.cer",
        "/crl/{ca}.crl",
        "/ca/.cer",
        "/crl/0123456789abcdef.crl",
        "/root.cer/",
        "/ROOT.CER",
        "root.cer",
        "/ca/../root.cer",
    };
    publish(desk);
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        assert_nothing_at(desk, paths[i]);
    }
    assert_nothing_at(desk, path_of(text, "/ca/", name, ".crl"));
    assert_nothing_at(desk, path_of(text, "/crl/", name, ".crl/"));
    assert_nothing_at(desk, path_of(text, "//crl/", name, ".crl"));
    assert_nothing_at(desk, path_of(text, "/crl/", name, ""));
}

static void set_text(const char **place, const char *text)
{
    free((void *)*place);
    *place = strdup(text);
}

// Paths without "{ca}" are the present CA's, whichever that is.
static void fixed_paths_follow_the_present_ca(void **state)
{
    struct desk *desk = *state;
    struct answer answer = desk_enrol(desk, 0); // else an old CA needs no CRL
    for (unsigned i = 0; i < 2; i++) {
        struct settings *settings = desk_settings(desk);
        set_text(&settings->http.crl_path, "/pki/list.crl");
        set_text(&settings->http.ca_path, "/pki/ca.cer");
        set_text(&settings->http.root_path, "/pki/root");
        publish(desk);
        const struct generation *ca = desk_generation(desk, GENERATION_CURRENT);
        char path[PATH_LEN];
        assert_crl_at(desk, "/pki/list.crl", ca);
        assert_cert_at(desk, "/pki/ca.cer", ca->cert);
        assert_cert_at(desk, "/pki/root", credentials_root(desk_credentials(desk)));
        assert_nothing_at(desk, "/root.cer");
        assert_nothing_at(desk, path_of(path, "/ca/", ca->name, ".cer"));
        if (i == 0) {
            desk_must_reload(desk); // a rollover wants the paths with "{ca}"
            desk_roll_over(desk);
            assert_memory_not_equal(desk_generation(desk, GENERATION_CURRENT)->id,
                                    desk_generation(desk, GENERATION_OLD)->id, SHA256_LEN);
        }
    }
    answer_done(&answer);
}

static void assert_both_at(struct desk *desk, enum generation_role role)
{
    char path[PATH_LEN];
    const struct generation *ca = desk_generation(desk, role);
    assert_non_null(ca);
    assert_cert_at(desk, path_of(path, "/ca/", ca->name, ".cer"), ca->cert);
    assert_crl_at(desk, path_of(path, "/crl/", ca->name, ".crl"), ca);
}

// Certificates of both CAs are about: who checks them finds each one's own.
static void each_ca_of_a_rollover_has_its_own(void **state)
{
    struct desk *desk = *state;
    struct answer answer = desk_enrol(desk, 0);
    desk_prepare(desk);
    desk_must_reload(desk);
    publish(desk);
    assert_both_at(desk, GENERATION_CURRENT);
    assert_both_at(desk, GENERATION_NEXT);
    desk_activate(desk);
    desk_must_reload(desk);
    publish(desk);
    assert_both_at(desk, GENERATION_CURRENT);
    assert_both_at(desk, GENERATION_OLD);
    answer_done(&answer);
}

static int set_up_direct(void **state)
{
    static struct desk desk;
    desk_open_as(&desk, site_init_direct);
    *state = &desk;
    return 0;
}

static void one_tier_is_its_own_root(void **state)
{
    struct desk *desk = *state;
    const struct generation *ca = desk_generation(desk, GENERATION_CURRENT);
    publish(desk);
    assert_both_at(desk, GENERATION_CURRENT);
    assert_cert_at(desk, "/root.cer", ca->cert);
}

int main(void)
{
    log_init("test", LOG_LEVEL_ERROR);
    const struct CMUnitTest tests[] = {
        DESK_TEST(the_root),
        DESK_TEST(the_present_ca),
        DESK_TEST(nothing_elsewhere),
        DESK_TEST(fixed_paths_follow_the_present_ca),
        DESK_TEST(each_ca_of_a_rollover_has_its_own),
        cmocka_unit_test_setup_teardown(one_tier_is_its_own_root, set_up_direct, desk_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
