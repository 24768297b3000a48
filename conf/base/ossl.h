// SPDX-License-Identifier: Apache-2.0
// OpenSSL types with the cleanup attribute, and the few things every user of the library needs:
// DER in and out with exact ends, octets of ASN.1 strings, SHA-256.
#pragma once

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/cms.h>
#include <openssl/evp.h>
#include <openssl/pkcs7.h>
#include <openssl/store.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "conf/base/buf.h"

#define SHA256_LEN 32 // octets

DEFINE_CLEANUP(ASN1_OBJECT *, ASN1_OBJECT_free);
DEFINE_CLEANUP(ASN1_OCTET_STRING *, ASN1_OCTET_STRING_free);
DEFINE_CLEANUP(ASN1_TIME *, ASN1_TIME_free);
DEFINE_CLEANUP(BIGNUM *, BN_free);
DEFINE_CLEANUP(BIO *, BIO_free_all);
DEFINE_CLEANUP(CMS_ContentInfo *, CMS_ContentInfo_free);
DEFINE_CLEANUP(EVP_MD_CTX *, EVP_MD_CTX_free);
DEFINE_CLEANUP(EVP_PKEY *, EVP_PKEY_free);
DEFINE_CLEANUP(EVP_PKEY_CTX *, EVP_PKEY_CTX_free);
DEFINE_CLEANUP(GENERAL_NAMES *, GENERAL_NAMES_free);
DEFINE_CLEANUP(OSSL_STORE_CTX *, OSSL_STORE_close);
DEFINE_CLEANUP(OSSL_STORE_INFO *, OSSL_STORE_INFO_free);
DEFINE_CLEANUP(X509 *, X509_free);
DEFINE_CLEANUP(X509_EXTENSION *, X509_EXTENSION_free);
DEFINE_CLEANUP(X509_NAME *, X509_NAME_free);
DEFINE_CLEANUP(X509_REQ *, X509_REQ_free);
DEFINE_CLEANUP(X509_STORE *, X509_STORE_free);
DEFINE_CLEANUP(X509_STORE_CTX *, X509_STORE_CTX_free);

static inline void free_cert_stack(STACK_OF(X509) * certs)
{
    sk_X509_pop_free(certs, X509_free);
}
static inline void free_extension_stack(STACK_OF(X509_EXTENSION) * extensions)
{
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
}
DEFINE_CLEANUP(STACK_OF(X509) *, free_cert_stack);
DEFINE_CLEANUP(STACK_OF(X509_EXTENSION) *, free_extension_stack);

// Parses one certificate that ends exactly where `der` ends. Caller frees *ret_cert.
// Errors: ERR_SYNTAX.
enum err_code ossl_cert_from_der(struct view der, X509 **ret_cert, struct err *err) MUST_CHECK;
// DER of a certificate, a public key (SubjectPublicKeyInfo), a name or a request, in *ret_der
// (empty before). Errors: ERR_NOMEM, ERR_CRYPTO.
enum err_code ossl_cert_to_der(const X509 *cert, struct buf *ret_der, struct err *err) MUST_CHECK;
enum err_code ossl_spki_to_der(const EVP_PKEY *key, struct buf *ret_der,
                               struct err *err) MUST_CHECK;
enum err_code ossl_name_to_der(const X509_NAME *name, struct buf *ret_der,
                               struct err *err) MUST_CHECK;

// A PKCS#10 for `subject` and the public half of `key`, signed by `key` with SHA-256, as DER.
// *ret_der is empty before. Errors: ERR_CRYPTO, ERR_NOMEM.
enum err_code ossl_make_request(const X509_NAME *subject, EVP_PKEY *key, struct buf *ret_der,
                                struct err *err) MUST_CHECK;

// A name in RFC 2253's order and quoting, in UTF-8; what is longer than `size` bytes with NUL (at
// least 4) is cut between two characters and ends in "..."; "" when memory is out. Returns `text`.
char *ossl_name_print(const X509_NAME *name, char *text, size_t size);
// Whether a certificate names itself as issuer.
bool ossl_is_self_issued(const X509 *cert);
// Frees and takes out every certificate that is the same as `cert`.
void ossl_drop_copies(STACK_OF(X509) * certs, const X509 *cert);
// A time in seconds since 1970; false, and nothing written, for NULL and for what is no time.
bool ossl_time_read(const ASN1_TIME *time, int64_t *ret_seconds);

// Takes what is in a memory BIO as an owned buffer; the BIO stays usable and is not emptied.
enum err_code ossl_bio_to_buf(BIO *bio, struct buf *ret_octets, struct err *err) MUST_CHECK;

// The raw content octets of an ASN.1 string; borrows. NULL gives the empty view.
struct view ossl_string_view(const ASN1_STRING *string);
// The text of a character string of any type (UTF8, Printable, Teletex, BMP, Universal, IA5,
// Numeric, Visible) or OCTET STRING as UTF-8, NUL-free. Errors: ERR_SYNTAX for other types,
// invalid encodings and embedded NULs, ERR_NOMEM.
enum err_code ossl_string_to_utf8(const ASN1_STRING *string, struct buf *ret_text,
                                  struct err *err) MUST_CHECK;

// SHA-256 of the concatenation of `count` views. Aborts when OpenSSL cannot hash: nothing works
// then.
void ossl_sha256(const struct view *parts, size_t count, uint8_t ret_digest[SHA256_LEN]);
// HMAC-SHA-256 of `data`. Aborts as above.
void ossl_hmac_sha256(struct view key, struct view data, uint8_t ret_mac[SHA256_LEN]);
// Fills `octets` from the CSPRNG. Errors: ERR_CRYPTO.
enum err_code ossl_random(void *octets, size_t len, struct err *err) MUST_CHECK;
