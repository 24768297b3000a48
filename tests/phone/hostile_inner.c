// SPDX-License-Identifier: Apache-2.0
// Changes to keys, names, challenge and PKCS#10. A `detail` is text from the table of cases.
#include "tests/phone/hostile.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/dsa.h>
#include <openssl/ec.h>
#include <openssl/params.h>
#include <openssl/rsa.h>

#define DSA_BITS        1024 // the quickest to make
#define COMMON_NAME_MAX 64   // X.520 ub-common-name

static void set_key(EVP_PKEY **key, EVP_PKEY *take_key)
{
    require(take_key != NULL, "making a key");
    EVP_PKEY_free(*key);
    *key = take_key;
}

void plan_bits(struct draft *draft, const char *bits)
{
    set_key(&draft->key, key_make((unsigned)number_of(bits)));
}

void plan_exponent(struct draft *draft, const char *exponent)
{
    CLEANUP(cleanup_EVP_PKEY_CTX_free)
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    BIGNUM *number = NULL;
    require(BN_dec2bn(&number, exponent) > 0, "reading a number");
    CLEANUP(cleanup_BN_free) BIGNUM *e = number;
    EVP_PKEY *key = NULL;
    require(context != NULL && EVP_PKEY_keygen_init(context) == 1 &&
                EVP_PKEY_CTX_set_rsa_keygen_bits(context, KEY_BITS_DEFAULT) == 1 &&
                EVP_PKEY_CTX_set1_rsa_keygen_pubexp(context, e) == 1 &&
                EVP_PKEY_generate(context, &key) == 1,
            "making a key");
    set_key(&draft->key, key);
}

void plan_ec(struct draft *draft, const char *encoding)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    require(key != NULL &&
                EVP_PKEY_set_utf8_string_param(key, OSSL_PKEY_PARAM_EC_ENCODING, encoding) == 1,
            "making a key");
    set_key(&draft->key, key);
}

void plan_dsa(struct draft *draft, const char *unused)
{
    (void)unused;
    CLEANUP(cleanup_EVP_PKEY_CTX_free)
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "DSA", NULL);
    EVP_PKEY *made = NULL;
    require(context != NULL && EVP_PKEY_paramgen_init(context) == 1 &&
                EVP_PKEY_CTX_set_dsa_paramgen_bits(context, DSA_BITS) == 1 &&
                EVP_PKEY_paramgen(context, &made) == 1,
            "making DSA parameters");
    CLEANUP(cleanup_EVP_PKEY_free) EVP_PKEY *parameters = made;
    CLEANUP(cleanup_EVP_PKEY_CTX_free)
    EVP_PKEY_CTX *generator = EVP_PKEY_CTX_new_from_pkey(NULL, parameters, NULL);
    EVP_PKEY *key = NULL;
    require(generator != NULL && EVP_PKEY_keygen_init(generator) == 1 &&
                EVP_PKEY_generate(generator, &key) == 1,
            "making a key");
    set_key(&draft->key, key);
}

void plan_other_csr_key(struct draft *draft, const char *type)
{
    bool is_ec = strcmp(type, "ec") == 0;
    set_key(&draft->csr_key, is_ec ? EVP_EC_gen("P-256") : draft_other_key(draft, 0));
}

void plan_digest(struct draft *draft, const char *name)
{
    draft->digest = EVP_get_digestbyname(name);
    require(draft->digest != NULL, "finding a digest");
}

void plan_csr_digest(struct draft *draft, const char *name)
{
    draft->csr_plan.digest = EVP_get_digestbyname(name);
    require(draft->csr_plan.digest != NULL, "finding a digest");
}

void plan_cipher(struct draft *draft, const char *name)
{
    draft->cipher = EVP_get_cipherbyname(name);
    require(draft->cipher != NULL, "finding a cipher");
}

void plan_challenge(struct draft *draft, const char *challenge)
{
    draft->csr_plan.challenge = challenge;
}

void plan_challenge_type(struct draft *draft, const char *type)
{
    draft->csr_plan.challenge_mask = string_mask_by_name(type);
}

void plan_rdns(struct draft *draft, const char *kind)
{
    static const struct {
        const char *kind;
        const char *rdns[3];
        size_t count;
    } subjects[] = {
        {"empty", {NULL}, 0},
        {"router", {"OU=lab", "serialNumber=9XZ", "+unstructuredName=r1.lab"}, 3},
        {"macro", {"CN=$MAU.example.com"}, 1},
        {"upper-bound", {"CN=0123456789012345678901234567890123456789012345678901234567890123"}, 1},
    };
    for (size_t i = 0; i < sizeof subjects / sizeof subjects[0]; i++) {
        if (strcmp(subjects[i].kind, kind) == 0) {
            memcpy(draft->rdns, subjects[i].rdns, sizeof draft->rdns);
            draft->csr_plan.rdn_count = subjects[i].count;
        }
    }
}

// Values that OpenSSL's own checks would refuse to encode.
void csr_name_raw(struct draft *draft, const char *kind)
{
    char value[COMMON_NAME_MAX + 2] = "hostile";
    int len = 0;
    if (strcmp(kind, "nul") == 0) {
        len = 2 + (int)strlen(value); // "hostile", NUL, NUL
    } else if (strcmp(kind, "long") == 0) {
        len = COMMON_NAME_MAX + 1;
        memset(value, 'a', (size_t)len);
    }
    CLEANUP(cleanup_X509_NAME_free) X509_NAME *name = X509_NAME_new();
    require(name != NULL &&
                X509_NAME_add_entry_by_NID(name, NID_commonName, V_ASN1_UTF8STRING,
                                           (unsigned char *)value, len, -1, 0) == 1 &&
                X509_REQ_set_subject_name(draft->csr, name) == 1,
            "setting a subject");
}

// OpenSSL refuses to add an attribute twice, so it goes in under another name and is renamed.
static void add_challenge_attribute(X509_REQ *csr, int type, const char *const *values,
                                    size_t count)
{
    int placeholder = NID_pkcs9_unstructuredName;
    require(X509_REQ_add1_attr_by_NID(csr, placeholder, type, (const unsigned char *)values[0],
                                      (int)strlen(values[0])) == 1,
            "adding an attribute");
    X509_ATTRIBUTE *attribute =
        X509_REQ_get_attr(csr, X509_REQ_get_attr_by_NID(csr, placeholder, -1));
    for (size_t i = 1; i < count; i++) {
        require(X509_ATTRIBUTE_set1_data(attribute, type, values[i], (int)strlen(values[i])) == 1,
                "adding a value");
    }
    require(X509_ATTRIBUTE_set1_object(attribute, OBJ_nid2obj(NID_pkcs9_challengePassword)) == 1,
            "naming an attribute");
}

// The right challenge, in a wrong shape. csr_make() has put in the first one already.
void csr_challenges(struct draft *draft, const char *kind)
{
    const char *challenge = draft->session->options->challenge;
    const char *values[2] = {challenge, challenge};
    X509_REQ *csr = draft->csr;
    if (strcmp(kind, "twice") == 0) {
        add_challenge_attribute(csr, V_ASN1_UTF8STRING, values, 1);
        return;
    }
    int at = X509_REQ_get_attr_by_NID(csr, NID_pkcs9_challengePassword, -1);
    X509_ATTRIBUTE_free(X509_REQ_delete_attr(csr, at));
    if (strcmp(kind, "two-values") == 0) {
        add_challenge_attribute(csr, V_ASN1_UTF8STRING, values, 2);
    } else if (strcmp(kind, "octet-string") == 0) {
        add_challenge_attribute(csr, V_ASN1_OCTET_STRING, values, 1);
    } else { // "nul": the challenge, NUL, and more
        struct octets text = octets_copy(challenge, strlen(challenge) + 1);
        require(X509_REQ_add1_attr_by_NID(csr, NID_pkcs9_challengePassword, V_ASN1_UTF8STRING,
                                          text.data, (int)text.len) == 1,
                "adding an attribute");
        octets_done(&text);
    }
}

void csr_many_sans(struct draft *draft, const char *count)
{
    CLEANUP(cleanup_GENERAL_NAMES_free) GENERAL_NAMES *names = GENERAL_NAMES_new();
    CLEANUP(cleanup_free_extensions)
    STACK_OF(X509_EXTENSION) *extensions = sk_X509_EXTENSION_new_null();
    require(names != NULL && extensions != NULL, "getting memory");
    for (int i = 0; i < number_of(count); i++) {
        GENERAL_NAME *name = GENERAL_NAME_new();
        ASN1_IA5STRING *dns = ASN1_IA5STRING_new();
        require(name != NULL && dns != NULL && ASN1_STRING_set(dns, "a.example.com", -1) == 1 &&
                    sk_GENERAL_NAME_push(names, name) > 0,
                "adding a name");
        GENERAL_NAME_set0_value(name, GEN_DNS, dns);
    }
    require(X509V3_add1_i2d(&extensions, NID_subject_alt_name, names, 0, 0) == 1 &&
                X509_REQ_add_extensions(draft->csr, extensions) == 1,
            "adding subjectAltName");
}

void csr_broken_san(struct draft *draft, const char *unused)
{
    (void)unused;
    static unsigned char broken[] = {0x30, 0x7F, 0x82}; // a SEQUENCE that ends too early
    CLEANUP(cleanup_ASN1_OCTET_STRING_free) ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    CLEANUP(cleanup_free_extensions)
    STACK_OF(X509_EXTENSION) *extensions = sk_X509_EXTENSION_new_null();
    require(value != NULL && extensions != NULL &&
                ASN1_OCTET_STRING_set(value, broken, sizeof broken) == 1,
            "getting memory");
    X509_EXTENSION *extension = X509_EXTENSION_create_by_NID(NULL, NID_subject_alt_name, 0, value);
    require(extension != NULL && sk_X509_EXTENSION_push(extensions, extension) > 0 &&
                X509_REQ_add_extensions(draft->csr, extensions) == 1,
            "adding subjectAltName");
}

void plain_change(struct draft *draft, const char *kind)
{
    struct octets *plain = &draft->plain;
    if (strcmp(kind, "flip") == 0) {
        plain->data[plain->len - 1] ^= 1;
    } else if (strcmp(kind, "cut") == 0) {
        octets_replace(plain, plain->data, plain->len / 2);
    } else if (strcmp(kind, "longer") == 0) {
        octets_append(plain, "", 1);
    } else if (strcmp(kind, "empty") == 0) {
        octets_replace(plain, "", 0);
    } else if (strcmp(kind, "text") == 0) {
        octets_replace(plain, "let me in", strlen("let me in"));
    } else {
        X509 *ra = draft->session->authority.ra;
        octets_done(plain);
        *plain = issuer_and_serial_der(X509_get_issuer_name(ra), X509_get0_serialNumber(ra));
    }
}
