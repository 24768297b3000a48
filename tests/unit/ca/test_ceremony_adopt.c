// SPDX-License-Identifier: Apache-2.0
// A CA that exists already or is signed by another one: what is taken, what is refused and why, and
// the request that asks for its certificate.
#include <openssl/pem.h>

#include "ca/ceremony_adopt.h"
#include "fixture.h"

#define DAY        86400
#define ROOT_KEY   0
#define POLICY_KEY 1
#define CA_KEY     2

// Root, a CA below it, and the CA that is adopted; its key in a file.
struct line {
    char *folder;
    char *key_path;
    X509 *root;
    X509 *policy;
    X509 *ca;
    STACK_OF(X509) * chain; // of what stands above, borrowed, the root first
};

static struct line line_new(void)
{
    struct line line = {.folder = kit_new_folder(), .chain = sk_X509_new_null()};
    line.root = kit_cert(kit_key(ROOT_KEY), "Root", NULL, NULL, true, KIT_NOW - DAY, 7000);
    line.policy = kit_cert(kit_key(POLICY_KEY), "Policy", line.root, kit_key(ROOT_KEY), true,
                           KIT_NOW - DAY, 5000);
    line.ca = kit_cert(kit_key(CA_KEY), "Site CA", line.policy, kit_key(POLICY_KEY), true,
                       KIT_NOW - DAY, 3000);
    line.key_path = write_key(line.folder, "ca.key", kit_key(CA_KEY));
    sk_X509_push(line.chain, line.root);
    sk_X509_push(line.chain, line.policy);
    return line;
}

static void line_done(struct line *line)
{
    X509_free(line->root);
    X509_free(line->policy);
    X509_free(line->ca);
    sk_X509_free(line->chain);
    free(line->key_path);
    kit_remove_folder(line->folder);
}

static struct ceremony_adopt_order order_of(const struct line *line)
{
    return (struct ceremony_adopt_order){
        .ca = line->ca,
        .chain = line->chain,
        .key = {.uri = line->key_path},
        .now = KIT_NOW,
    };
}

static X509 *cert_at(const struct buf *pem, int at)
{
    X509 *cert = NULL;
    BIO *bio = BIO_new_mem_buf(pem->data, (int)pem->len);
    for (int i = 0; i <= at; i++) {
        X509_free(cert);
        cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    }
    BIO_free(bio);
    return cert;
}

static void assert_cert_at(const struct buf *pem, int at, const X509 *expected)
{
    X509 *cert = cert_at(pem, at);
    assert_int_equal(cert == NULL, expected == NULL);
    if (cert != NULL) {
        assert_int_equal(X509_cmp(cert, expected), 0);
    }
    X509_free(cert);
}

static void adopts_under_a_root(void **state)
{
    (void)state;
    struct line line = line_new();
    struct ceremony_adopt_order order = order_of(&line);
    struct ceremony_result result = {0};
    struct err err = {0};
    unsigned lacks = 0;
    order.organization = "Example";
    assert_ok(ceremony_adopt(&order, &result, &lacks, &err), &err);
    assert_int_equal(lacks, CEREMONY_LACKS_DIGITAL_SIGNATURE);
    assert_cert_at(&result.ca_certificate, 0, line.ca);
    assert_cert_at(&result.root_certificate, 0, line.policy); // the root at the end
    assert_cert_at(&result.root_certificate, 1, line.root);
    assert_cert_at(&result.root_certificate, 2, NULL);
    assert_int_equal(result.root_key.len, 0);
    assert_int_equal(result.ca_key.len, 0);
    uint8_t digest[SHA256_LEN];
    assert_int_equal(X509_digest(line.root, EVP_sha256(), digest, NULL), 1);
    assert_memory_equal(result.root_sha256, digest, sizeof digest);

    X509 *ra = cert_at(&result.ra_certificate, 0);
    BIO *bio = BIO_new_mem_buf(result.ra_key.data, (int)result.ra_key.len);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    assert_int_equal(X509_check_private_key(ra, key), 1);
    assert_int_equal(X509_verify(ra, kit_key(CA_KEY)), 1);
    EVP_PKEY_free(key);
    BIO_free(bio);
    X509_free(ra);
    ceremony_done(&result);
    line_done(&line);
}

static void adopts_a_root(void **state)
{
    (void)state;
    struct line line = line_new();
    char *root_key = write_key(line.folder, "root.key", kit_key(ROOT_KEY));
    struct ceremony_adopt_order order = order_of(&line);
    order.ca = line.root;
    order.chain = NULL;
    order.key.uri = root_key;
    struct ceremony_result result = {0};
    struct err err = {0};
    unsigned lacks = 0;
    assert_ok(ceremony_adopt(&order, &result, &lacks, &err), &err);
    assert_cert_at(&result.root_certificate, 0, line.root);
    assert_cert_at(&result.root_certificate, 1, NULL);
    ceremony_done(&result);
    free(root_key);
    line_done(&line);
}

// Of two certificates of the CA above, the one that is valid counts.
static void takes_the_valid_issuer(void **state)
{
    (void)state;
    struct line line = line_new();
    X509 *expired = kit_cert(kit_key(POLICY_KEY), "Policy", line.root, kit_key(ROOT_KEY), true,
                             KIT_NOW - 100 * DAY, 50);
    struct ceremony_result result = {0};
    struct err err = {0};
    unsigned lacks = 0;
    for (int at = 0; at <= 2; at += 2) {
        sk_X509_insert(line.chain, expired, at);
        const struct ceremony_adopt_order order = order_of(&line);
        assert_ok(ceremony_adopt(&order, &result, &lacks, &err), &err);
        assert_cert_at(&result.root_certificate, 0, line.policy);
        ceremony_done(&result);
        sk_X509_delete(line.chain, at);
    }
    X509_free(expired);
    line_done(&line);
}

static void expect_refused(const struct ceremony_adopt_order *order, const char *text)
{
    struct ceremony_result result = {0};
    struct err err = {0};
    unsigned lacks = 0;
    enum err_code code = ceremony_adopt(order, &result, &lacks, &err);
    assert_null(result.ca_certificate.data);
    assert_null(result.ra_key.data);
    assert_refused(code, ERR_CONFIG, &err, text);
}

static void refuses_a_key(void **state)
{
    (void)state;
    struct line line = line_new();
    struct ceremony_adopt_order order = order_of(&line);
    char *other = write_key(line.folder, "other.key", kit_key(ROOT_KEY));
    order.key.uri = other;
    expect_refused(&order, "the key is not that of the certificate CN=Site CA");
    order.key.uri = "/nonexistent/ca.key";
    expect_refused(&order, "/nonexistent/ca.key");
    free(other);

    EVP_PKEY *weak = kit_rsa_key(1024);
    X509 *cert = kit_cert(weak, "Weak CA", line.policy, kit_key(POLICY_KEY), true, KIT_NOW, 100);
    order = order_of(&line);
    order.ca = cert;
    expect_refused(&order, "a CA key of type rsa:1024");
    X509_free(cert);
    EVP_PKEY_free(weak);
    line_done(&line);
}

static void refuses_a_certificate(void **state)
{
    (void)state;
    struct line line = line_new();
    struct ceremony_adopt_order order = order_of(&line);
    X509 *leaf = kit_cert(kit_key(CA_KEY), "Leaf", line.policy, kit_key(POLICY_KEY), false,
                          KIT_NOW - DAY, 100);
    X509 *plain = kit_cert(kit_key(CA_KEY), "Plain", NULL, NULL, false, KIT_NOW - DAY, 100);
    order.ca = leaf;
    expect_refused(&order, "CN=Leaf is not a CA's");
    order.ca = plain;
    expect_refused(&order, "CN=Plain is not a CA's");
    X509_free(plain);
    X509_free(leaf);
    order = order_of(&line);
    order.now = KIT_NOW + 3001 * (int64_t)DAY;
    expect_refused(&order, "CN=Site CA has expired");
    order.now = KIT_NOW - 2 * DAY;
    expect_refused(&order, "not valid yet");
    order = order_of(&line);
    order.organization = "a\nb";
    expect_refused(&order, "organization");
    line_done(&line);
}

static void refuses_a_chain(void **state)
{
    (void)state;
    struct line line = line_new();
    struct ceremony_adopt_order order = order_of(&line);
    order.chain = NULL;
    expect_refused(&order, "nothing in it has issued CN=Site CA");
    sk_X509_delete(line.chain, 0);
    order = order_of(&line);
    expect_refused(&order, "nothing in it has issued CN=Policy");

    // The same name and key identifier, but the root of another key.
    X509 *fake = kit_cert(kit_key(POLICY_KEY), "Policy", line.root, kit_key(CA_KEY), true,
                          KIT_NOW - DAY, 5000);
    sk_X509_delete(line.chain, 0);
    sk_X509_push(line.chain, fake);
    sk_X509_push(line.chain, line.root);
    expect_refused(&order, "does not verify at CN=Policy: certificate signature failure");
    X509_free(fake);

    order = order_of(&line);
    order.is_direct = true;
    expect_refused(&order, "keyUsage lacks digitalSignature or keyEncipherment");
    line_done(&line);
}

static X509_REQ *read_request(const struct buf *pem)
{
    BIO *bio = BIO_new_mem_buf(pem->data, (int)pem->len);
    X509_REQ *request = PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL);
    BIO_free(bio);
    assert_non_null(request);
    return request;
}

static void makes_a_request(void **state)
{
    (void)state;
    static const char *const kinds[] = {NULL, "rsa:3072", "ec:P-256", "ec:P-384"};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        const struct ceremony_request_order order = {.ca_key = kinds[i], .organization = "Example"};
        struct ceremony_request made = {0};
        struct err err = {0};
        assert_ok(ceremony_request(&order, &made, &err), &err);
        X509_REQ *request = read_request(&made.csr);
        assert_int_equal(X509_REQ_verify(request, X509_REQ_get0_pubkey(request)), 1);
        BIO *bio = BIO_new_mem_buf(made.key.data, (int)made.key.len);
        EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
        assert_int_equal(EVP_PKEY_eq(key, X509_REQ_get0_pubkey(request)), 1);
        STACK_OF(X509_EXTENSION) *extensions = X509_REQ_get_extensions(request);
        assert_int_equal(sk_X509_EXTENSION_num(extensions), 2);
        BASIC_CONSTRAINTS *constraints =
            X509V3_get_d2i(extensions, NID_basic_constraints, NULL, NULL);
        assert_non_null(constraints);
        assert_int_not_equal(constraints->ca, 0);
        assert_int_equal(ASN1_INTEGER_get(constraints->pathlen), 0);
        BASIC_CONSTRAINTS_free(constraints);
        free_extension_stack(extensions);
        EVP_PKEY_free(key);
        BIO_free(bio);
        X509_REQ_free(request);
        ceremony_request_done(&made);
        assert_null(made.key.data);
    }
}

static void requests_for_a_key_that_is_there(void **state)
{
    (void)state;
    struct line line = line_new();
    struct ceremony_request_order order = {.key = {.uri = line.key_path}};
    struct ceremony_request made = {0};
    struct err err = {0};
    assert_ok(ceremony_request(&order, &made, &err), &err);
    assert_int_equal(made.key.len, 0);
    X509_REQ *request = read_request(&made.csr);
    assert_int_equal(EVP_PKEY_eq(kit_key(CA_KEY), X509_REQ_get0_pubkey(request)), 1);
    X509_REQ_free(request);
    ceremony_request_done(&made);

    order.key.uri = "/nonexistent/key";
    assert_refused(ceremony_request(&order, &made, &err), ERR_CONFIG, &err, "/nonexistent/key");
    order = (struct ceremony_request_order){.ca_key = "rsa:512"};
    assert_refused(ceremony_request(&order, &made, &err), ERR_CONFIG, &err, "rsa:512");
    order = (struct ceremony_request_order){.organization = ""};
    assert_refused(ceremony_request(&order, &made, &err), ERR_CONFIG, &err, "organization");
    assert_null(made.csr.data);
    line_done(&line);
}

// ceremony_run() with a key that is there: it is not given out, and the root is as strong.
static void founds_with_a_key_that_is_there(void **state)
{
    (void)state;
    struct line line = line_new();
    struct ceremony_order order = {.tiers = 2, .key = {.uri = line.key_path}, .now = KIT_NOW};
    struct ceremony_result result = {0};
    struct err err = {0};
    assert_ok(ceremony_run(&order, &result, &err), &err);
    assert_int_equal(result.ca_key.len, 0);
    assert_true(result.root_key.len > 0);
    X509 *ca = cert_at(&result.ca_certificate, 0);
    X509 *root = cert_at(&result.root_certificate, 0);
    assert_int_equal(EVP_PKEY_eq(kit_key(CA_KEY), X509_get0_pubkey(ca)), 1);
    assert_int_equal(EVP_PKEY_get_bits(X509_get0_pubkey(root)), 3072);
    assert_verifies(ca, root, NULL, KIT_NOW, X509_PURPOSE_ANY);
    X509_free(root);
    X509_free(ca);
    ceremony_done(&result);

    EVP_PKEY *curve = kit_ec_key("P-256");
    char *path = write_key(line.folder, "ec.key", curve);
    order = (struct ceremony_order){
        .tiers = 1, .is_direct = true, .key = {.uri = path}, .now = KIT_NOW};
    assert_refused(ceremony_run(&order, &result, &err), ERR_CONFIG, &err, "clients encrypt to it");
    EVP_PKEY_free(curve);
    free(path);
    line_done(&line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adopts_under_a_root),
        cmocka_unit_test(adopts_a_root),
        cmocka_unit_test(takes_the_valid_issuer),
        cmocka_unit_test(refuses_a_key),
        cmocka_unit_test(refuses_a_certificate),
        cmocka_unit_test(refuses_a_chain),
        cmocka_unit_test(makes_a_request),
        cmocka_unit_test(requests_for_a_key_that_is_there),
        cmocka_unit_test(founds_with_a_key_that_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
