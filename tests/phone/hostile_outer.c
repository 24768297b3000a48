// SPDX-License-Identifier: Apache-2.0
// Changes to the signed message: signer, attributes, certificates, signature, octets.
#include "tests/phone/hostile.h"

#include <stdlib.h>
#include <string.h>

#define SERIAL_LONG     32 // octets, as sscep's signer certificates have
#define CERTS_MANY      40 // a GET URL of twice as many would be too long
#define CERTS_MOST      9  // beside the signer's own; ten are allowed
#define OCTETS_OVERSIZE 70000
#define NESTING_DEPTH   10000
#define FOREVER         (-3650L * 86400) // seconds: ten years ago

void plan_type(struct draft *draft, const char *type)
{
    draft->plan.type = type;
}

void plan_transaction(struct draft *draft, const char *transaction_id)
{
    draft->plan.transaction_id = transaction_id;
}

// A certificate for the draft's key that somebody else has signed.
static X509 *make_issued(const struct draft *draft, X509_NAME *name)
{
    CLEANUP(cleanup_EVP_PKEY_free) EVP_PKEY *issuer = draft_other_key(draft, 0);
    X509 *cert = signer_make(draft->key, name, EVP_sha256());
    require(X509_NAME_add_entry_by_txt(name, "OU", MBSTRING_UTF8, (const unsigned char *)"other",
                                       -1, -1, 0) == 1 &&
                X509_set_issuer_name(cert, name) == 1 && X509_sign(cert, issuer, EVP_sha256()) > 0,
            "signing a certificate");
    return cert;
}

// Like other clients' throw-away certificates: no extensions and version 1, or expired, or with
// a serial number that is too long.
static void change_signer(X509 *cert, const char *kind)
{
    unsigned char serial[SERIAL_LONG] = {1};
    if (strcmp(kind, "bare") == 0) {
        X509_EXTENSION_free(X509_delete_ext(cert, 0));
        require(X509_set_version(cert, X509_VERSION_1) == 1, "changing a certificate");
    } else if (strcmp(kind, "expired") == 0) {
        require(X509_gmtime_adj(X509_getm_notBefore(cert), FOREVER) != NULL &&
                    X509_gmtime_adj(X509_getm_notAfter(cert), FOREVER) != NULL,
                "changing a certificate");
    } else if (strcmp(kind, "long-serial") == 0) {
        require(ASN1_STRING_set(X509_get_serialNumber(cert), serial, sizeof serial) == 1,
                "changing a certificate");
    }
}

void plan_signer(struct draft *draft, const char *kind)
{
    CLEANUP(cleanup_X509_NAME_free) X509_NAME *name = X509_NAME_new();
    require(name != NULL &&
                X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                           (const unsigned char *)"SCEP SIGNER", -1, -1, 0) == 1,
            "naming a signer");
    if (strcmp(kind, "issued") == 0) {
        draft->signer = make_issued(draft, name);
        return;
    }
    draft->signer = signer_make(draft->key, name, EVP_sha256());
    change_signer(draft->signer, kind);
    require(X509_sign(draft->signer, draft->key, EVP_sha256()) > 0, "signing a certificate");
}

static int nid_by_name(const char *name)
{
    const struct {
        const char *name;
        int nid;
    } known[] = {
        {"contentType", NID_pkcs9_contentType},
        {"messageDigest", NID_pkcs9_messageDigest},
        {"signingTime", NID_pkcs9_signingTime},
        {"messageType", scep_nid(SCEP_MESSAGE_TYPE)},
        {"transactionID", scep_nid(SCEP_TRANSACTION_ID)},
        {"senderNonce", scep_nid(SCEP_SENDER_NONCE)},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(known[i].name, name) == 0) {
            return known[i].nid;
        }
    }
    require(false, "finding an attribute");
    return NID_undef;
}

static int find_attribute(const struct draft *draft, const char *name)
{
    int nid = nid_by_name(name);
    int count = sk_X509_ATTRIBUTE_num(draft->info->auth_attr);
    for (int i = 0; i < count; i++) {
        X509_ATTRIBUTE *attribute = sk_X509_ATTRIBUTE_value(draft->info->auth_attr, i);
        if (OBJ_obj2nid(X509_ATTRIBUTE_get0_object(attribute)) == nid) {
            return i;
        }
    }
    require(false, "finding an attribute");
    return -1;
}

static X509_ATTRIBUTE *get_attribute(const struct draft *draft, const char *name)
{
    return sk_X509_ATTRIBUTE_value(draft->info->auth_attr, find_attribute(draft, name));
}

void attribute_remove(struct draft *draft, const char *name)
{
    X509_ATTRIBUTE_free(
        sk_X509_ATTRIBUTE_delete(draft->info->auth_attr, find_attribute(draft, name)));
}

void attribute_double(struct draft *draft, const char *name)
{
    X509_ATTRIBUTE *copy = X509_ATTRIBUTE_dup(get_attribute(draft, name));
    require(copy != NULL && sk_X509_ATTRIBUTE_push(draft->info->auth_attr, copy) > 0,
            "doubling an attribute");
}

void attribute_two_values(struct draft *draft, const char *name)
{
    X509_ATTRIBUTE *attribute = get_attribute(draft, name);
    require(X509_ATTRIBUTE_set1_data(attribute, V_ASN1_PRINTABLESTRING, "second",
                                     (int)strlen("second")) == 1,
            "adding a value");
}

static void set_value(struct draft *draft, const char *name, int type, const void *data, int len)
{
    X509_ATTRIBUTE *fresh = X509_ATTRIBUTE_create_by_NID(NULL, nid_by_name(name), type, data, len);
    require(fresh != NULL, "making an attribute");
    int at = find_attribute(draft, name);
    X509_ATTRIBUTE_free(sk_X509_ATTRIBUTE_value(draft->info->auth_attr, at));
    sk_X509_ATTRIBUTE_set(draft->info->auth_attr, at, fresh);
}

// The same octets as a UTF8String.
void attribute_utf8(struct draft *draft, const char *name)
{
    const ASN1_STRING *value =
        X509_ATTRIBUTE_get0_type(get_attribute(draft, name), 0)->value.asn1_string;
    struct octets octets =
        octets_copy(ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value));
    set_value(draft, name, V_ASN1_UTF8STRING, octets.data, (int)octets.len);
    octets_done(&octets);
}

void attribute_status(struct draft *draft, const char *status)
{
    X509_ATTRIBUTE *attribute = X509_ATTRIBUTE_create_by_NID(
        NULL, scep_nid(SCEP_PKI_STATUS), V_ASN1_PRINTABLESTRING, status, (int)strlen(status));
    require(attribute != NULL && sk_X509_ATTRIBUTE_push(draft->info->auth_attr, attribute) > 0,
            "adding an attribute");
}

// A senderNonce of so many octets.
void attribute_nonce(struct draft *draft, const char *len)
{
    unsigned char nonce[128] = {0};
    memset(nonce, 'n', sizeof nonce);
    size_t count = (size_t)number_of(len);
    require(count <= sizeof nonce, "making a nonce");
    set_value(draft, "senderNonce", V_ASN1_OCTET_STRING, nonce, (int)count);
    octets_replace(&draft->echoed_nonce, nonce, count);
}

void attribute_id(struct draft *draft, const char *kind)
{
    char id[TRANSACTION_ID_LEN] = "A\0B";
    int len = 0; // "empty"
    if (strcmp(kind, "nul") == 0) {
        len = 3;
    } else if (strcmp(kind, "star") == 0) {
        id[1] = '*'; // not in PrintableString
        len = 3;
    } else if (strcmp(kind, "long") == 0) {
        memset(id, 'A', sizeof id);
        len = sizeof id; // one more than allowed
    }
    set_value(draft, "transactionID", V_ASN1_PRINTABLESTRING, id, len);
}

void attributes_none(struct draft *draft, const char *unused)
{
    (void)unused;
    sk_X509_ATTRIBUTE_pop_free(draft->info->auth_attr, X509_ATTRIBUTE_free);
    draft->info->auth_attr = NULL;
}

void signed_flip(struct draft *draft, const char *part)
{
    if (strcmp(part, "signature") == 0) {
        flip(draft->info->enc_digest, 1);
    } else if (strcmp(part, "content") == 0) {
        flip(draft->message->d.sign->contents->d.data, 1);
    } else {
        ASN1_TYPE *nonce = X509_ATTRIBUTE_get0_type(get_attribute(draft, "senderNonce"), 0);
        flip(nonce->value.octet_string, 1);
        draft->echoed_nonce.data[NONCE_LEN - 1] ^= 1;
    }
}

// Signed in sorted order, sent in another, as some clients do.
void signed_unsorted(struct draft *draft, const char *unused)
{
    (void)unused;
    X509_ATTRIBUTE *first = sk_X509_ATTRIBUTE_shift(draft->info->auth_attr);
    require(first != NULL && sk_X509_ATTRIBUTE_push(draft->info->auth_attr, first) > 0,
            "reordering attributes");
}

static void push_cert(STACK_OF(X509) * certs, X509 *take_cert)
{
    require(take_cert != NULL && sk_X509_push(certs, take_cert) > 0, "adding a certificate");
}

// EC certificates, because they are small: what counts is their number, not their size.
static void push_many(STACK_OF(X509) * certs, const X509_NAME *name, int count)
{
    CLEANUP(cleanup_EVP_PKEY_free) EVP_PKEY *key = EVP_EC_gen("P-256");
    require(key != NULL, "making a key");
    CLEANUP(cleanup_X509_NAME_free) X509_NAME *other = X509_NAME_dup(name);
    require(other != NULL && X509_NAME_add_entry_by_txt(other, "OU", MBSTRING_UTF8,
                                                        (const unsigned char *)"x", -1, -1, 0) == 1,
            "naming a certificate");
    for (int i = 0; i < count; i++) {
        push_cert(certs, signer_make(key, other, EVP_sha256()));
    }
}

void signed_certs(struct draft *draft, const char *kind)
{
    STACK_OF(X509) *certs = draft->message->d.sign->cert;
    CLEANUP(cleanup_EVP_PKEY_free) EVP_PKEY *key = draft_other_key(draft, 1);
    const X509_NAME *name = X509_get_subject_name(draft->signer);
    if (strcmp(kind, "none") == 0) {
        X509_free(sk_X509_pop(certs));
    } else if (strcmp(kind, "stranger") == 0) {
        // Another name, so that it does not fit the SignerInfo.
        X509_free(sk_X509_pop(certs));
        push_cert(certs, signer_make(key, X509_get_subject_name(draft->session->authority.ra),
                                     EVP_sha256()));
    } else if (strcmp(kind, "twins") == 0) {
        // Issuer and serial number of the signer's, another key.
        push_cert(certs, signer_make(key, name, EVP_sha256()));
    } else {
        push_many(certs, name, strcmp(kind, "many") == 0 ? CERTS_MANY : CERTS_MOST);
    }
}

void signed_signers(struct draft *draft, const char *kind)
{
    STACK_OF(PKCS7_SIGNER_INFO) *signers = draft->message->d.sign->signer_info;
    if (strcmp(kind, "two") == 0) {
        PKCS7_SIGNER_INFO *copy = ASN1_item_dup(ASN1_ITEM_rptr(PKCS7_SIGNER_INFO), draft->info);
        require(copy != NULL && sk_PKCS7_SIGNER_INFO_push(signers, copy) > 0, "adding a signer");
    } else {
        PKCS7_SIGNER_INFO_free(sk_PKCS7_SIGNER_INFO_pop(signers));
        draft->info = NULL;
    }
}

// "none", or the envelope itself as content, as PKCS#7 has it and CMS has not.
void signed_content(struct draft *draft, const char *kind)
{
    PKCS7 *contents = draft->message->d.sign->contents;
    if (strcmp(kind, "none") == 0) {
        ASN1_OCTET_STRING_free(contents->d.data);
        contents->d.data = NULL;
        return;
    }
    PKCS7 *envelope = PKCS7_dup(draft->envelope);
    require(envelope != NULL && PKCS7_set_content(draft->message, envelope) == 1,
            "changing the content");
}

// Makes the eContentType id-envelopedData. Of the places where id-data stands it is the first.
static void change_content_type(struct octets *der)
{
    static const unsigned char id_data[] = {0x06, 0x09, 0x2A, 0x86, 0x48, 0x86,
                                            0xF7, 0x0D, 0x01, 0x07, 0x01};
    unsigned char *found = memmem(der->data, der->len, id_data, sizeof id_data);
    require(found != NULL, "finding the content type");
    found[sizeof id_data - 1] = 0x03;
}

static void nest(struct octets *der)
{
    static const unsigned char open[] = {0x30, 0x80}; // SEQUENCE of indefinite length
    octets_replace(der, "", 0);
    unsigned char *nested = OPENSSL_malloc(NESTING_DEPTH * sizeof open);
    require(nested != NULL, "getting memory");
    for (size_t i = 0; i < NESTING_DEPTH; i++) {
        memcpy(nested + i * sizeof open, open, sizeof open);
    }
    octets_replace(der, nested, NESTING_DEPTH * sizeof open);
    OPENSSL_free(nested);
}

void octets_change(struct draft *draft, const char *kind)
{
    static const unsigned char filler[OCTETS_OVERSIZE];
    struct octets *der = &draft->der;
    if (strcmp(kind, "text") == 0) {
        octets_replace(der, "<html>hello</html>", strlen("<html>hello</html>"));
    } else if (strcmp(kind, "empty") == 0) {
        octets_replace(der, "", 0);
    } else if (strcmp(kind, "cut") == 0) {
        octets_replace(der, der->data, der->len - 1);
    } else if (strcmp(kind, "longer") == 0) {
        octets_append(der, "", 1);
    } else if (strcmp(kind, "oversize") == 0) {
        octets_append(der, filler, sizeof filler);
    } else if (strcmp(kind, "envelope") == 0) {
        octets_replace(der, draft->content.data, draft->content.len);
    } else if (strcmp(kind, "content-type") == 0) {
        change_content_type(der);
    } else {
        nest(der);
    }
}
