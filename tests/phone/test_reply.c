// SPDX-License-Identifier: Apache-2.0
// The phone's reader of answers says no to each broken rule, so that a green test against a server
// means something.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/phone/reply.h"
#include "tests/phone/test_kit.h"

// What a row of the table does to a good answer.
enum change {
    CHANGE_NONE,
    CHANGE_STATUS_500,
    CHANGE_TYPE_CHARSET,
    CHANGE_NO_LENGTH,
    CHANGE_TRAILING,
    CHANGE_SIGNER, // signed by somebody else
    CHANGE_NOT_ENCLOSED,
    CHANGE_SIGNATURE,
    CHANGE_MESSAGE_TYPE,
    CHANGE_TRANSACTION,
    CHANGE_NONCE_CUT,
    CHANGE_NONCE_GONE,
    CHANGE_OWN_NONCE,
    CHANGE_PKI_STATUS,
    CHANGE_FAIL_INFO,
    CHANGE_FAIL_CONTENT,
    CHANGE_CIPHER,
    CHANGE_DIGEST,
    CHANGE_RECIPIENT,
    CHANGE_KEY,          // certificate for another key
    CHANGE_ISSUER,       // certificate from another CA
    CHANGE_INNER,        // not certificates inside
    CHANGE_NAMED,        // GetCert: another certificate of the same CA
    CHANGE_FORGED,       // GetCert: all names right, signed by another CA
    CHANGE_CRL_CERTS,    // GetCRL: a certificate beside the CRL
    CHANGE_CRL_TWO,      // two CRLs
    CHANGE_CRL_NONE,     // no CRL, no certificate
    CHANGE_CRL_STRANGER, // signed by another CA of that name
    CHANGE_CRL_OVER,
    CHANGE_CRL_FUTURE,
    CHANGE_CRL_NUMBER, // without CRLNumber
};

// A CA with its RA, a stranger, and one phone's request.
struct world {
    EVP_PKEY *root_key, *ra_key, *phone_key, *stranger_key;
    X509 *root, *ra, *phone_cert, *stranger;
    struct authority authority;
    struct request request;
};

static void make_phone_request(struct world *world)
{
    CLEANUP(cleanup_X509_NAME_free) X509_NAME *name = kit_name("phone");
    CLEANUP(cleanup_X509_free) X509 *signer = signer_make(world->phone_key, name, EVP_sha256());
    CLEANUP(octets_done) struct octets plain = octets_copy("PKCS#10", 7);
    CLEANUP(cleanup_PKCS7_free)
    PKCS7 *envelope = envelope_make(&plain, world->ra, EVP_aes_128_cbc());
    CLEANUP(octets_done) struct octets content = pkcs7_der(envelope);
    struct message_plan plan = {.key = world->phone_key,
                                .signer = signer,
                                .digest = EVP_sha256(),
                                .type = MESSAGE_TYPE_REQ,
                                .content = &content};
    char transaction_id[TRANSACTION_ID_LEN] = "";
    message_plan_random(&plan, transaction_id);
    CLEANUP(cleanup_PKCS7_free) PKCS7 *message = message_make(&plan);
    CLEANUP(octets_done) struct octets der = pkcs7_der(message);
    struct trouble trouble = {0};
    require(request_read(&der, world->phone_key, world->phone_key, &world->request, &trouble) ==
                OUTCOME_OK,
            "reading a request");
}

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    world->root_key = key_make(KEY_BITS_DEFAULT);
    world->ra_key = key_make(KEY_BITS_DEFAULT);
    world->phone_key = key_make(KEY_BITS_DEFAULT);
    world->stranger_key = key_make(KEY_BITS_DEFAULT);
    world->root = kit_cert("root", world->root_key, NULL, NULL);
    world->ra = kit_cert("ra", world->ra_key, world->root, world->root_key);
    world->phone_cert = kit_cert("phone", world->phone_key, world->root, world->root_key);
    world->stranger = kit_cert("stranger", world->stranger_key, NULL, NULL);
    world->authority.is_strict = true;
    world->authority.certs = sk_X509_new_null();
    sk_X509_push(world->authority.certs, world->ra);
    sk_X509_push(world->authority.certs, world->root);
    world->authority.root = world->root;
    world->authority.ra = world->ra;
    make_phone_request(world);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    request_done(&world->request);
    authority_done(&world->authority); // with ra and root
    X509_free(world->phone_cert);
    X509_free(world->stranger);
    EVP_PKEY_free(world->root_key);
    EVP_PKEY_free(world->ra_key);
    EVP_PKEY_free(world->phone_key);
    EVP_PKEY_free(world->stranger_key);
    free(world);
    return 0;
}

static X509_CRL *make_crl(const struct world *world, enum change change)
{
    const long hour = 3600;
    bool is_strange = change == CHANGE_CRL_STRANGER;
    long from = change == CHANGE_CRL_FUTURE ? hour : -2 * hour;
    long until = change == CHANGE_CRL_OVER ? -hour : 2 * hour;
    EVP_PKEY *key = is_strange ? world->stranger_key : world->root_key;
    X509_CRL *crl = kit_crl(world->root, key, from, until);
    if (change == CHANGE_CRL_NUMBER) {
        int at = X509_CRL_get_ext_by_NID(crl, NID_crl_number, -1);
        X509_EXTENSION_free(X509_CRL_delete_ext(crl, at));
        require(X509_CRL_sign(crl, key, EVP_sha256()) > 0, "signing a CRL");
    }
    return crl;
}

static struct octets make_crl_only(const struct world *world, enum change change)
{
    CLEANUP(cleanup_X509_CRL_free) X509_CRL *crl = make_crl(world, change);
    struct octets der = kit_crl_only(crl);
    if (change != CHANGE_CRL_CERTS && change != CHANGE_CRL_TWO && change != CHANGE_CRL_NONE) {
        return der;
    }
    const unsigned char *at = der.data;
    CLEANUP(cleanup_PKCS7_free) PKCS7 *message = d2i_PKCS7(NULL, &at, (long)der.len);
    octets_done(&der);
    bool is_done = message != NULL;
    if (change == CHANGE_CRL_CERTS) {
        is_done = is_done && PKCS7_add_certificate(message, world->root) == 1;
    } else if (change == CHANGE_CRL_TWO) {
        is_done = is_done && PKCS7_add_crl(message, crl) == 1;
    } else {
        X509_CRL_free(sk_X509_CRL_pop(message->d.sign->crl));
    }
    require(is_done, "changing a CRL message");
    return pkcs7_der(message);
}

// What the envelope of a SUCCESS holds.
static struct octets make_plain(const struct world *world, enum change change, enum wanted wanted)
{
    if (wanted == WANTED_CRL && change != CHANGE_INNER) {
        return make_crl_only(world, change);
    }
    CLEANUP(cleanup_X509_free) X509 *other = NULL;
    X509 *cert = world->phone_cert;
    if (change == CHANGE_KEY) {
        other = kit_cert("phone", world->stranger_key, world->root, world->root_key);
    } else if (change == CHANGE_ISSUER) {
        other = kit_cert("phone", world->phone_key, world->stranger, world->stranger_key);
    } else if (change == CHANGE_NAMED) {
        other = kit_cert("phone", world->phone_key, world->root, world->root_key);
    } else if (change == CHANGE_FORGED) {
        other = X509_dup(world->phone_cert);
        require(other != NULL && X509_sign(other, world->stranger_key, EVP_sha256()) > 0,
                "forging a certificate");
    }
    cert = other != NULL ? other : cert;
    return change == CHANGE_INNER ? octets_copy("certificate", 11) : kit_certs_only(&cert, 1);
}

static struct octets make_content(const struct world *world, enum change change, enum wanted wanted)
{
    CLEANUP(octets_done) struct octets plain = make_plain(world, change, wanted);
    X509 *recipient = change == CHANGE_RECIPIENT ? world->stranger : world->request.signer;
    const EVP_CIPHER *cipher = change == CHANGE_CIPHER ? EVP_des_ede3_cbc() : EVP_aes_128_cbc();
    CLEANUP(cleanup_PKCS7_free) PKCS7 *envelope = envelope_make(&plain, recipient, cipher);
    return pkcs7_der(envelope);
}

static void add(PKCS7_SIGNER_INFO *info, enum scep_attribute attribute, int type,
                const struct octets *octets)
{
    ASN1_STRING *value = ASN1_STRING_type_new(type);
    require(ASN1_STRING_set(value, octets->data, (int)octets->len) == 1 &&
                PKCS7_add_signed_attribute(info, scep_nid(attribute), type, value) == 1,
            "adding an attribute");
}

static void add_text(PKCS7_SIGNER_INFO *info, enum scep_attribute attribute, const char *text)
{
    const struct octets octets = {.data = (unsigned char *)text, .len = strlen(text)};
    add(info, attribute, V_ASN1_PRINTABLESTRING, &octets);
}

static void change_message(const struct world *world, enum change change, PKCS7 *message,
                           PKCS7_SIGNER_INFO *info)
{
    struct octets nonce = world->request.nonce;
    struct octets own = {.data = (unsigned char *)"12345678", .len = 8};
    struct octets id = world->request.transaction_id;
    if (change == CHANGE_NONCE_CUT) {
        nonce.len--;
    }
    if (change == CHANGE_TRANSACTION) {
        id.len--;
    }
    if (change != CHANGE_NONCE_GONE) {
        add(info, SCEP_RECIPIENT_NONCE, V_ASN1_OCTET_STRING, &nonce);
    }
    if (change == CHANGE_OWN_NONCE) {
        add(info, SCEP_SENDER_NONCE, V_ASN1_OCTET_STRING, &own);
    }
    add(info, SCEP_TRANSACTION_ID, V_ASN1_PRINTABLESTRING, &id);
    if (change == CHANGE_NOT_ENCLOSED) {
        X509_free(sk_X509_pop(message->d.sign->cert));
    }
}

// What is made and how it is read.
struct row {
    const char *status; // "0" or "2"
    enum change change;
    enum wanted wanted;
    enum outcome outcome;
    const char *text;
};

static struct octets make_message(const struct world *world, const struct row *row)
{
    enum change change = row->change;
    bool is_failure = strcmp(row->status, "2") == 0;
    CLEANUP(octets_done)
    struct octets content =
        is_failure ? octets_copy("", 0) : make_content(world, change, row->wanted);
    bool is_strange = change == CHANGE_SIGNER;
    struct message_plan plan = {
        .key = is_strange ? world->stranger_key : world->ra_key,
        .signer = is_strange ? world->stranger : world->ra,
        .digest = change == CHANGE_DIGEST ? EVP_sha512() : EVP_sha256(),
        .type = change == CHANGE_MESSAGE_TYPE ? "19" : MESSAGE_TYPE_REP,
        .content = &content,
    };
    char transaction_id[TRANSACTION_ID_LEN] = "";
    message_plan_random(&plan, transaction_id);
    CLEANUP(cleanup_PKCS7_free) PKCS7 *message = message_make(&plan);
    PKCS7_SIGNER_INFO *info = sk_PKCS7_SIGNER_INFO_value(message->d.sign->signer_info, 0);
    add_text(info, SCEP_PKI_STATUS, change == CHANGE_PKI_STATUS ? "1" : row->status);
    if (is_failure) {
        add_text(info, SCEP_FAIL_INFO, change == CHANGE_FAIL_INFO ? "5" : "2");
    }
    change_message(world, change, message, info);
    require(PKCS7_SIGNER_INFO_sign(info) == 1, "signing");
    if (is_failure && change != CHANGE_FAIL_CONTENT) {
        ASN1_OCTET_STRING_free(message->d.sign->contents->d.data);
        message->d.sign->contents->d.data = NULL;
    }
    if (change == CHANGE_SIGNATURE) {
        info->enc_digest->data[0] ^= 1;
    }
    return pkcs7_der(message);
}

static struct http_answer make_answer(const struct world *world, const struct row *row)
{
    enum change change = row->change;
    struct http_answer answer = {.status = change == CHANGE_STATUS_500 ? 500 : 200,
                                 .has_length = change != CHANGE_NO_LENGTH,
                                 .body = make_message(world, row)};
    snprintf(answer.type, sizeof answer.type, "application/x-pki-message%s",
             change == CHANGE_TYPE_CHARSET ? "; charset=utf-8" : "");
    if (change == CHANGE_TRAILING) {
        struct octets longer = octets_copy(answer.body.data, answer.body.len);
        longer.len++; // octets_copy() ends with a NUL
        octets_done(&answer.body);
        answer.body = longer;
    }
    return answer;
}

static enum outcome read_row(const struct world *world, const struct row *row, struct reply *reply,
                             struct trouble *trouble)
{
    const struct reply_rules rules = {.authority = &world->authority,
                                      .request = &world->request,
                                      .wanted = row->wanted,
                                      .issuer = world->root,
                                      .serial = X509_get0_serialNumber(world->phone_cert)};
    CLEANUP(http_answer_done) struct http_answer answer = make_answer(world, row);
    return reply_read(&answer, &rules, reply, trouble);
}

static enum outcome read_changed(const struct world *world, const char *status, enum change change,
                                 struct reply *reply, struct trouble *trouble)
{
    const struct row row = {.status = status, .change = change};
    return read_row(world, &row, reply, trouble);
}

static void reads_good_answers(void **state)
{
    const struct world *world = *state;
    struct trouble trouble = {0};
    CLEANUP(reply_done) struct reply success = {0};
    assert_int_equal(read_changed(world, "0", CHANGE_NONE, &success, &trouble), OUTCOME_OK);
    assert_int_equal(success.status, PKI_STATUS_SUCCESS);
    assert_int_equal(X509_cmp(success.cert, world->phone_cert), 0);
    CLEANUP(reply_done) struct reply failure = {0};
    assert_int_equal(read_changed(world, "2", CHANGE_NONE, &failure, &trouble), OUTCOME_OK);
    assert_int_equal(failure.status, PKI_STATUS_FAILURE);
    assert_string_equal(fail_info_name(failure.fail_info), "badRequest");
    // A refused digest cannot be mirrored.
    CLEANUP(reply_done) struct reply other = {0};
    assert_int_equal(read_changed(world, "2", CHANGE_DIGEST, &other, &trouble), OUTCOME_OK);
}

// GetCert takes what is no more in force, and what is for another key.
static void reads_what_was_asked_for(void **state)
{
    const struct world *world = *state;
    struct trouble trouble = {0};
    const struct row get_cert = {.status = "0", .wanted = WANTED_CERT};
    CLEANUP(reply_done) struct reply found = {0};
    assert_int_equal(read_row(world, &get_cert, &found, &trouble), OUTCOME_OK);
    assert_int_equal(X509_cmp(found.cert, world->phone_cert), 0);
    const struct row get_crl = {.status = "0", .wanted = WANTED_CRL};
    CLEANUP(reply_done) struct reply listed = {0};
    assert_int_equal(read_row(world, &get_crl, &listed, &trouble), OUTCOME_OK);
    assert_non_null(listed.crl);
    assert_null(listed.cert);
    const struct row refused = {.status = "2", .wanted = WANTED_CRL};
    CLEANUP(reply_done) struct reply failure = {0};
    assert_int_equal(read_row(world, &refused, &failure, &trouble), OUTCOME_OK);
    assert_int_equal(failure.status, PKI_STATUS_FAILURE);
}

static void check_row(const struct world *world, const struct row *row)
{
    struct trouble trouble = {0};
    struct reply reply = {0};
    enum outcome outcome = read_row(world, row, &reply, &trouble);
    if (outcome != row->outcome || strstr(trouble.text, row->text) == NULL) {
        fail_msg("change %d: outcome %d, \"%s\" instead of \"%s\"", (int)row->change, (int)outcome,
                 trouble.text, row->text);
    }
}

static void refuses_broken_answers(void **state)
{
    static const struct row rows[] = {
        {"0", CHANGE_STATUS_500, WANTED_OWN, OUTCOME_TROUBLE, "HTTP status 500"},
        {"0", CHANGE_TYPE_CHARSET, WANTED_OWN, OUTCOME_UNTRUSTED, "wrong type"},
        {"0", CHANGE_NO_LENGTH, WANTED_OWN, OUTCOME_UNTRUSTED, "no Content-Length"},
        {"0", CHANGE_TRAILING, WANTED_OWN, OUTCOME_UNTRUSTED, "not one SignedData"},
        {"0", CHANGE_SIGNER, WANTED_OWN, OUTCOME_UNTRUSTED, "not signed by the RA"},
        {"0", CHANGE_NOT_ENCLOSED, WANTED_OWN, OUTCOME_UNTRUSTED, "not enclosed"},
        {"0", CHANGE_SIGNATURE, WANTED_OWN, OUTCOME_UNTRUSTED, "not signed by the RA"},
        {"0", CHANGE_MESSAGE_TYPE, WANTED_OWN, OUTCOME_UNTRUSTED, "messageType"},
        {"0", CHANGE_TRANSACTION, WANTED_OWN, OUTCOME_UNTRUSTED, "transactionID"},
        {"0", CHANGE_NONCE_CUT, WANTED_OWN, OUTCOME_UNTRUSTED, "recipientNonce"},
        {"2", CHANGE_NONCE_GONE, WANTED_OWN, OUTCOME_UNTRUSTED, "recipientNonce"},
        {"0", CHANGE_OWN_NONCE, WANTED_OWN, OUTCOME_UNTRUSTED, "senderNonce of 16"},
        {"0", CHANGE_PKI_STATUS, WANTED_OWN, OUTCOME_UNTRUSTED, "pkiStatus"},
        {"2", CHANGE_FAIL_INFO, WANTED_OWN, OUTCOME_UNTRUSTED, "failInfo of 0 to 4"},
        {"2", CHANGE_FAIL_CONTENT, WANTED_OWN, OUTCOME_UNTRUSTED, "FAILURE with a content"},
        {"0", CHANGE_CIPHER, WANTED_OWN, OUTCOME_UNTRUSTED, "not the request's cipher"},
        {"0", CHANGE_DIGEST, WANTED_OWN, OUTCOME_UNTRUSTED, "not the request's digest"},
        {"0", CHANGE_RECIPIENT, WANTED_OWN, OUTCOME_UNTRUSTED, "signer certificate"},
        {"0", CHANGE_KEY, WANTED_OWN, OUTCOME_UNTRUSTED, "not for this phone's key"},
        {"0", CHANGE_ISSUER, WANTED_OWN, OUTCOME_UNTRUSTED, "does not chain"},
        {"0", CHANGE_INNER, WANTED_OWN, OUTCOME_UNTRUSTED, "not one DER SignedData"},
        {"0", CHANGE_NAMED, WANTED_CERT, OUTCOME_UNTRUSTED, "that was asked for"},
        {"0", CHANGE_FORGED, WANTED_CERT, OUTCOME_UNTRUSTED, "not signed by its issuer"},
        {"0", CHANGE_ISSUER, WANTED_CERT, OUTCOME_UNTRUSTED, "that was asked for"},
        {"0", CHANGE_INNER, WANTED_CRL, OUTCOME_UNTRUSTED, "CRL: not one DER SignedData"},
        {"0", CHANGE_CRL_CERTS, WANTED_CRL, OUTCOME_UNTRUSTED, "one CRL only"},
        {"0", CHANGE_CRL_TWO, WANTED_CRL, OUTCOME_UNTRUSTED, "one CRL only"},
        {"0", CHANGE_CRL_NONE, WANTED_CRL, OUTCOME_UNTRUSTED, "one CRL only"},
        {"0", CHANGE_CRL_STRANGER, WANTED_CRL, OUTCOME_UNTRUSTED, "not signed by the CA"},
        {"0", CHANGE_CRL_OVER, WANTED_CRL, OUTCOME_UNTRUSTED, "not in force"},
        {"0", CHANGE_CRL_FUTURE, WANTED_CRL, OUTCOME_UNTRUSTED, "not in force"},
        {"0", CHANGE_CRL_NUMBER, WANTED_CRL, OUTCOME_UNTRUSTED, "lacks version 2, its number"},
    };
    const struct world *world = *state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        check_row(world, &rows[i]);
    }
}

static void refuses_broken_bundles(void **state)
{
    const struct world *world = *state;
    struct trouble trouble = {0};
    PKCS7 *bundle = NULL;
    const struct row good_row = {.status = "0"};
    CLEANUP(octets_done) struct octets signed_message = make_message(world, &good_row);
    assert_int_equal(certs_only_parse(&signed_message, &bundle, &trouble), OUTCOME_UNTRUSTED);
    assert_non_null(strstr(trouble.text, "certificates only"));
    CLEANUP(octets_done) struct octets good = kit_certs_only(&world->root, 1);
    for (size_t len = 0; len < good.len; len++) {
        const struct octets cut = {.data = good.data, .len = len};
        assert_int_equal(certs_only_parse(&cut, &bundle, &trouble), OUTCOME_UNTRUSTED);
    }
    assert_int_equal(certs_only_parse(&good, &bundle, &trouble), OUTCOME_OK);
    PKCS7_free(bundle);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_good_answers),
        cmocka_unit_test(reads_what_was_asked_for),
        cmocka_unit_test(refuses_broken_answers),
        cmocka_unit_test(refuses_broken_bundles),
    };
    scep_register();
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
