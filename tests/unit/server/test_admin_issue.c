// SPDX-License-Identifier: Apache-2.0
// Certificates by the administrator's hand (row 28): what is issued and stored, what is refused and
// why.
#include "server/admin_kit.h"

#include <openssl/pem.h>

#include "conf/base/file.h"
#include "conf/base/hex.h"
#include "ra/signer.h"

#define MAIL_CN "pv.telco.net/mailto:admin@telco.net"
#define PHONE   "CP-9871-SEP001A2B3C4D5E"

// Puts lines into a group of the settings file.
static void configure(const struct site *site, const char *group, const char *lines)
{
    struct buf old = {0};
    char *text = NULL;
    assert_int_equal(file_read(site->config, LIMIT_FILE_LEN, &old, NULL), ERR_OK);
    assert_int_equal(buf_append(&old, view_of("", 1), NULL), ERR_OK);
    char *place = strstr((char *)old.data, group);
    assert_non_null(place);
    size_t head = (size_t)(place - (char *)old.data) + strlen(group);
    int len = asprintf(&text, "%.*s%s%s", (int)head, (char *)old.data, lines, old.data + head);
    assert_true(len > 0);
    assert_int_equal(unlink(site->config), 0);
    assert_int_equal(file_create(site->config, 0600, view_of(text, (size_t)len), NULL), ERR_OK);
    free(text);
    buf_done(&old);
}

static int set_up(void **state)
{
    static struct desk desk;
    desk_open(&desk);
    configure(&desk.site, "\nservers = {\n", "domains = [\"telco.net\"]; validity_days = 90;\n");
    configure(&desk.site, "\nalgorithms = {\n", "sha1 = true;\n"); // counts for phones alone
    desk_must_reload(&desk);
    *state = &desk;
    return 0;
}

#define HAND_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, desk_tear_down)

static char *pem_of(const struct buf *der)
{
    BIO *bio = BIO_new(BIO_s_mem());
    assert_true(PEM_write_bio(bio, PEM_STRING_X509_REQ, "", der->data, (long)der->len) > 0);
    struct buf text = {0};
    assert_int_equal(ossl_bio_to_buf(bio, &text, NULL), ERR_OK);
    assert_int_equal(buf_append(&text, view_of("", 1), NULL), ERR_OK);
    BIO_free(bio);
    return (char *)text.data;
}

// The body that asks for a PKCS#10; takes it.
static char *body_of(struct buf take_der, const char *profile, json_t *take_more)
{
    char *pem = pem_of(&take_der);
    json_t *body = json_pack("{s:s, s:s}", "csr", pem, "profile", profile);
    if (take_more != NULL) {
        json_object_update(body, take_more);
        json_decref(take_more);
    }
    char *text = json_dumps(body, 0);
    json_decref(body);
    free(pem);
    buf_done(&take_der);
    return text;
}

static struct buf csr_named(const char *common_name)
{
    return kit_csr_der(kit_key(1), &(struct kit_csr){.common_name = common_name});
}

static json_t *issue(struct desk *desk, struct buf take_der, const char *profile, json_t *take_more)
{
    char *body = body_of(take_der, profile, take_more);
    json_t *answer = admin_kit_must(desk, admin_issue, NULL, body);
    free(body);
    return answer;
}

static void refuse(struct desk *desk, struct buf take_der, const char *profile, json_t *take_more,
                   const struct err *expected)
{
    uint64_t before = count_certificates(&desk->bench);
    char *body = body_of(take_der, profile, take_more);
    admin_kit_refused(desk, admin_issue, NULL, body, expected);
    assert_int_equal(count_certificates(&desk->bench), before);
    free(body);
}

static X509 *cert_of(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    assert_non_null(cert);
    BIO_free(bio);
    return cert;
}

static struct store_certificate stored_of_answer(struct desk *desk, const json_t *answer)
{
    uint8_t serial[SERIAL_LEN];
    struct store_certificate stored = {0};
    assert_int_equal(hex_decode(text_of(answer, "serial"), serial, sizeof serial), SERIAL_LEN);
    assert_int_equal(store_find_serial(desk->bench.store, serial, &stored, NULL), ERR_OK);
    return stored;
}

static void a_server_gets_one(void **state)
{
    struct desk *desk = *state;
    json_t *answer = issue(desk, csr_named(MAIL_CN), "server", NULL);
    assert_string_equal(text_of(answer, "common_name"), MAIL_CN);
    assert_string_equal(text_of(answer, "status"), "valid");
    X509 *cert = cert_of(text_of(answer, "pem"));
    assert_int_equal(X509_get_extended_key_usage(cert), XKU_SSL_SERVER);
    assert_int_equal(
        X509_check_host(cert, "pv.telco.net", 0, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, NULL), 1);
    const json_t *chain = json_object_get(answer, "chain");
    assert_int_equal(json_array_size(chain), 2);
    X509 *issuing = cert_of(json_string_value(json_array_get(chain, 0)));
    X509 *root = cert_of(json_string_value(json_array_get(chain, 1)));
    assert_int_equal(X509_verify(cert, X509_get0_pubkey(issuing)), 1);
    assert_int_equal(X509_verify(issuing, X509_get0_pubkey(root)), 1);
    assert_true(ossl_is_self_issued(root));
    struct store_certificate stored = stored_of_answer(desk, answer);
    assert_int_equal(stored.origin, ORIGIN_ADMINISTRATOR);
    assert_string_equal(stored.device, MAIL_CN);
    assert_int_equal(stored.not_after, KIT_NOW + 90 * (int64_t)DAY_SEC);
    store_certificate_done(&stored);
    X509_free(root);
    X509_free(issuing);
    X509_free(cert);
    json_decref(answer);
}

static void more_names_are_added(void **state)
{
    struct desk *desk = *state;
    const struct kit_csr content = {.common_name = "pv.telco.net", .san_dns = "PV2.Telco.net"};
    json_t *answer = issue(desk, kit_csr_der(kit_key(1), &content), "server",
                           json_pack("{s:i, s:s}", "days", 30, "digest", "SHA-256"));
    X509 *cert = cert_of(text_of(answer, "pem"));
    GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    assert_int_equal(sk_GENERAL_NAME_num(names), 2);
    assert_int_equal(X509_check_host(cert, "pv2.telco.net", 0, 0, NULL), 1);
    struct store_certificate stored = stored_of_answer(desk, answer);
    assert_int_equal(stored.not_after, KIT_NOW + 30 * (int64_t)DAY_SEC);
    store_certificate_done(&stored);
    GENERAL_NAMES_free(names);
    X509_free(cert);
    json_decref(answer);
}

static void a_phone_gets_one(void **state)
{
    struct desk *desk = *state;
    json_t *answer = issue(desk, csr_named(PHONE), "phone", NULL);
    assert_string_equal(text_of(answer, "mac"), "001A2B3C4D5E");
    X509 *cert = cert_of(text_of(answer, "pem"));
    assert_int_equal(X509_get_extended_key_usage(cert), XKU_SSL_CLIENT);
    X509_free(cert);
    json_t *view = NULL;
    struct err err = {0};
    const struct admin_request request = {
        .live = &desk->live, .now = desk->bench.now, .item = "001A2B3C4D5E"};
    assert_int_equal(admin_get_device(&request, &view, &err), ERR_OK);
    const json_t *shown = json_array_get(json_object_get(view, "certificates"), 0);
    assert_string_equal(text_of(shown, "authorised_by"), "administrator");
    json_decref(view);
    json_decref(answer);
}

// The same key again is a renewal; the old certificate is superseded.
static void the_next_one_supersedes(void **state)
{
    struct desk *desk = *state;
    json_t *first = issue(desk, csr_named(PHONE), "phone", NULL);
    desk_go_to(desk, KIT_NOW + DAY_SEC);
    json_t *second = issue(desk, csr_named(PHONE), "phone", NULL);
    assert_string_not_equal(text_of(first, "serial"), text_of(second, "serial"));
    struct store_certificate old = stored_of_answer(desk, first);
    struct store_certificate present = stored_of_answer(desk, second);
    assert_int_equal(old.superseded_at, KIT_NOW + DAY_SEC);
    assert_int_equal(present.superseded_at, 0);
    store_certificate_done(&old);
    store_certificate_done(&present);
    json_decref(first);
    json_decref(second);
}

static void keys_and_subjects_are_looked_at(void **state)
{
    struct desk *desk = *state;
    json_decref(issue(desk, csr_named("pv.telco.net"), "server", NULL));
    refuse(desk, csr_named("other.telco.net"), "server", NULL,
           &(struct err){ERR_EXISTS, "certified for another subject"});
    json_decref(issue(
        desk, kit_csr_der(kit_key(2), &(struct kit_csr){.common_name = "pv.telco.net"}), "server",
        NULL)); // a server's next certificate may have another key
    desk_settings(desk)->phone.duplicate_subject = SETTINGS_DUPLICATE_REFUSE;
    json_decref(issue(desk, kit_csr_der(kit_key(3), &(struct kit_csr){.common_name = PHONE}),
                      "phone", NULL));
    refuse(desk, kit_csr_der(kit_key(4), &(struct kit_csr){.common_name = PHONE}), "phone", NULL,
           &(struct err){ERR_EXISTS, "has a valid certificate already"});
}

static struct buf signed_with(const char *digest)
{
    return kit_csr_der(kit_key(1),
                       &(struct kit_csr){.common_name = "pv.telco.net", .digest = digest});
}

static struct buf weak_digest(void)
{
    return signed_with("SHA1");
}

static struct buf broken_digest(void)
{
    return signed_with("MD5");
}

static struct buf small_key(void)
{
    EVP_PKEY *key = kit_rsa_key(1024);
    struct buf der = kit_csr_der(key, &(struct kit_csr){.common_name = "pv.telco.net"});
    EVP_PKEY_free(key);
    return der;
}

static struct buf wrong_signature(void)
{
    X509_REQ *req = X509_REQ_new();
    X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(req), "CN", MBSTRING_UTF8,
                               (const unsigned char *)"pv.telco.net", -1, -1, 0);
    X509_REQ_set_pubkey(req, kit_key(1));
    return kit_req_der(req, kit_key(2), EVP_sha256());
}

static struct buf two_names(void)
{
    X509_NAME *name = X509_NAME_new();
    for (int i = 0; i < 2; i++) {
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)"pv.telco.net",
                                   -1, -1, 0);
    }
    struct buf der = kit_csr_der(kit_key(1), &(struct kit_csr){.subject = name});
    X509_NAME_free(name);
    return der;
}

static struct buf ip_as_name(void)
{
    X509_REQ *req = X509_REQ_new();
    X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(req), "CN", MBSTRING_UTF8,
                               (const unsigned char *)"pv.telco.net", -1, -1, 0);
    X509_REQ_set_pubkey(req, kit_key(1));
    STACK_OF(X509_EXTENSION) *extensions = sk_X509_EXTENSION_new_null();
    sk_X509_EXTENSION_push(extensions,
                           X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "IP:192.0.2.1"));
    X509_REQ_add_extensions(req, extensions);
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    return kit_req_der(req, kit_key(1), EVP_sha256());
}

static struct buf wildcard(void)
{
    return csr_named("*.telco.net");
}

static struct buf ip_address(void)
{
    return csr_named("192.0.2.1");
}

static struct buf outside(void)
{
    return csr_named("pv.example.nl");
}

static struct buf nameless(void)
{
    return csr_named(NULL);
}

static struct buf foreign_alt_name(void)
{
    return kit_csr_der(
        kit_key(1), &(struct kit_csr){.common_name = "pv.telco.net", .san_dns = "www.example.nl"});
}

static void refuses_requests(void **state)
{
    static const struct {
        struct buf (*make)(void);
        struct err expected;
    } cases[] = {
        {weak_digest, {ERR_SYNTAX, "not allowed; allowed: SHA-256, SHA-384, SHA-512"}},
        {broken_digest, {ERR_SYNTAX, "not allowed; allowed: SHA-256, SHA-384, SHA-512"}},
        {small_key, {ERR_SYNTAX, "1024 bits; allowed: 2048 to 4096"}},
        {wrong_signature, {ERR_SYNTAX, "own signature does not hold"}},
        {two_names, {ERR_SYNTAX, "more than one common name"}},
        {ip_as_name, {ERR_SYNTAX, "an IP address, a mail address or something else"}},
        {wildcard, {ERR_SYNTAX, "a wildcard"}},
        {ip_address, {ERR_SYNTAX, "an IP address"}},
        {outside, {ERR_SYNTAX, "in none of the domains that servers.domains lists"}},
        {foreign_alt_name, {ERR_SYNTAX, "www.example.nl is in none of the domains"}},
        {nameless, {ERR_SYNTAX, "no common name"}},
    };
    struct desk *desk = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        refuse(desk, cases[i].make(), "server", NULL, &cases[i].expected);
    }
}

// It says why of a server, too, to which nobody encrypts an answer.
static void refuses_an_ec_key(void **state)
{
    EVP_PKEY *key = kit_ec_key("P-256");
    refuse(*state, kit_csr_der(key, &(struct kit_csr){.common_name = "pv.telco.net"}), "server",
           NULL,
           &(struct err){ERR_SYNTAX, "a key of type id-ecPublicKey; it must be RSA, because SCEP "
                                     "encrypts its answers to a phone's key, and phones' TLS "
                                     "wants it of a server"});
    EVP_PKEY_free(key);
}

static void refuses_wishes(void **state)
{
    struct desk *desk = *state;
    static const char *const bodies[] = {
        "[]",
        "{}",
        "{\"csr\": \"x\"}",
        "{\"csr\": 1, \"profile\": \"server\"}",
        "{\"csr\": \"x\", \"profile\": \"server\", \"more\": 1}",
        "{\"csr\": \"x\", \"profile\": \"server\", \"days\": \"1\"}",
        "{\"csr\": \"no PEM\", \"profile\": \"server\"}",
        "{\"csr\": \"-----BEGIN CERTIFICATE-----\\nAAAA\\n-----END CERTIFICATE-----\\n\", "
        "\"profile\": \"server\"}",
        "{\"csr\": \"-----BEGIN CERTIFICATE REQUEST-----\\nAAAA\\n"
        "-----END CERTIFICATE REQUEST-----\\n\", \"profile\": \"server\"}",
    };
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        admin_kit_refused(desk, admin_issue, NULL, bodies[i], &(struct err){ERR_SYNTAX, ""});
    }
    refuse(desk, csr_named("pv.telco.net"), "ra", NULL,
           &(struct err){ERR_SYNTAX, "allowed are phone, server"});
    refuse(desk, csr_named("pv.telco.net"), "server", json_pack("{s:i}", "days", 91),
           &(struct err){ERR_LIMIT, "days is 91; allowed are 1 to 90"});
    refuse(desk, csr_named("pv.telco.net"), "server", json_pack("{s:i}", "days", 0),
           &(struct err){ERR_LIMIT, "days is 0"});
    refuse(desk, csr_named(PHONE), "phone", json_pack("{s:i}", "days", 15),
           &(struct err){ERR_LIMIT, "days is 15 (" PHONE_DAYS_REASON "); allowed are 16 to "});
    refuse(desk, csr_named(PHONE), "phone", json_pack("{s:i}", "days", 100000),
           &(struct err){ERR_LIMIT, "days is 100000; allowed are 16 to "});
    refuse(desk, csr_named("pv.telco.net"), "server", json_pack("{s:s}", "digest", "sha1"),
           &(struct err){ERR_SYNTAX, "\"sha1\"; allowed is SHA256"});
    refuse(desk, csr_named("pv.telco.net"), "server", json_pack("{s:s}", "digest", "sha512"),
           &(struct err){ERR_SYNTAX, "\"sha512\"; allowed is SHA256"});
}

static void two_requests_in_one_are_refused(void **state)
{
    struct desk *desk = *state;
    struct buf der = csr_named("pv.telco.net");
    char *pem = pem_of(&der);
    char *both = NULL;
    assert_true(asprintf(&both, "%s%s", pem, pem) > 0);
    json_t *body = json_pack("{s:s, s:s}", "csr", both, "profile", "server");
    char *text = json_dumps(body, 0);
    admin_kit_refused(desk, admin_issue, NULL, text, &(struct err){ERR_SYNTAX, "more than one"});
    free(text);
    json_decref(body);
    free(both);
    free(pem);
    buf_done(&der);
}

static void is_logged(void **state)
{
    struct desk *desk = *state;
    static struct desk_log log;
    char *good = body_of(csr_named("pv.telco.net"), "server", NULL);
    char *bad = body_of(csr_named("*.telco.net"), "server", NULL);
    struct err err;
    desk_log_begin(&log);
    json_t *answer = admin_kit_ask(desk, admin_issue, NULL, good, &err);
    admin_kit_ask(desk, admin_issue, NULL, bad, &err);
    desk_log_end(&log);
    assert_non_null(answer);
    assert_says(log.text, "event=issued_by_hand profile=server cn=pv.telco.net serial=");
    assert_says(log.text, "decision=issue");
    assert_says(log.text, "event=issued_by_hand profile=server decision=refuse reason=");
    json_decref(answer);
    free(good);
    free(bad);
}

// A server's certificate is ours and yet no phone's: it renews nothing.
static void a_server_is_no_phone(void **state)
{
    struct desk *desk = *state;
    const char *name = "pv.telco.net";
    struct buf der = kit_csr_der(kit_key(1), &(struct kit_csr){.common_name = name});
    json_t *issued = issue(desk, der, "server", NULL);
    X509 *cert = cert_of(text_of(issued, "pem"));
    struct store_certificate stored = stored_of_answer(desk, issued);
    struct signer signer = {0};
    const struct request request = {.signer = cert};
    assert_int_equal(
        signer_classify(&request, desk->bench.policy, desk->bench.store, KIT_NOW, &signer, NULL),
        ERR_OK);
    assert_int_equal(signer.signer_class, SIGNER_UNKNOWN);
    signer_done(&signer);
    store_certificate_done(&stored);
    X509_free(cert);
    json_decref(issued);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HAND_TEST(a_server_gets_one),
        HAND_TEST(more_names_are_added),
        HAND_TEST(a_phone_gets_one),
        HAND_TEST(the_next_one_supersedes),
        HAND_TEST(keys_and_subjects_are_looked_at),
        HAND_TEST(refuses_requests),
        HAND_TEST(refuses_an_ec_key),
        HAND_TEST(refuses_wishes),
        HAND_TEST(two_requests_in_one_are_refused),
        HAND_TEST(is_logged),
        HAND_TEST(a_server_is_no_phone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
