// SPDX-License-Identifier: Apache-2.0
// What every file of the simulated phone is written on: outcomes, octets, cleanup. The phone
// shares no code with scepd on purpose: a mistake in one would hide the same mistake in the other.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/cms.h>
#include <openssl/evp.h>
#include <openssl/pkcs7.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#define CLEANUP(fn)       __attribute__((cleanup(fn)))
#define MUST_CHECK        __attribute__((warn_unused_result))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))

#define DEFINE_CLEANUP(type, fn)                                                                   \
    static inline void cleanup_##fn(type *variable)                                                \
    {                                                                                              \
        if (*variable != NULL) {                                                                   \
            fn(*variable);                                                                         \
        }                                                                                          \
    }                                                                                              \
    static inline void cleanup_##fn(type *variable)

static inline void free_certs(STACK_OF(X509) * certs)
{
    sk_X509_pop_free(certs, X509_free);
}
static inline void free_extensions(STACK_OF(X509_EXTENSION) * extensions)
{
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
}
DEFINE_CLEANUP(ASN1_OCTET_STRING *, ASN1_OCTET_STRING_free);
DEFINE_CLEANUP(BIGNUM *, BN_free);
DEFINE_CLEANUP(BIO *, BIO_free_all);
DEFINE_CLEANUP(BN_CTX *, BN_CTX_free);
DEFINE_CLEANUP(CMS_ContentInfo *, CMS_ContentInfo_free);
DEFINE_CLEANUP(EVP_PKEY *, EVP_PKEY_free);
DEFINE_CLEANUP(EVP_PKEY_CTX *, EVP_PKEY_CTX_free);
DEFINE_CLEANUP(GENERAL_NAMES *, GENERAL_NAMES_free);
DEFINE_CLEANUP(PKCS7 *, PKCS7_free);
DEFINE_CLEANUP(STACK_OF(X509) *, free_certs);
DEFINE_CLEANUP(STACK_OF(X509_EXTENSION) *, free_extensions);
DEFINE_CLEANUP(PKCS7_ISSUER_AND_SERIAL *, PKCS7_ISSUER_AND_SERIAL_free);
DEFINE_CLEANUP(X509 *, X509_free);
DEFINE_CLEANUP(X509_CRL *, X509_CRL_free);
DEFINE_CLEANUP(X509_NAME *, X509_NAME_free);
DEFINE_CLEANUP(X509_REQ *, X509_REQ_free);
DEFINE_CLEANUP(X509_STORE *, X509_STORE_free);
DEFINE_CLEANUP(X509_STORE_CTX *, X509_STORE_CTX_free);

// How a command ended; the values are the program's exit codes.
enum outcome {
    OUTCOME_OK = 0,
    OUTCOME_FAILED = 1,    // bench and hostile: something was not as it must be
    OUTCOME_USAGE = 2,     // wrong options
    OUTCOME_REFUSED = 3,   // the server said no, in a message that can be trusted
    OUTCOME_TROUBLE = 4,   // no answer, an HTTP error, a local file
    OUTCOME_UNTRUSTED = 5, // an answer that cannot be trusted
    OUTCOME_PENDING = 6,   // the server has not decided yet, in a message that can be trusted
};

#define TROUBLE_TEXT_LEN 400 // bytes with the final NUL

// What went wrong, in words.
struct trouble {
    enum outcome outcome;
    char text[TROUBLE_TEXT_LEN];
};

// Notes and returns `outcome`; the second form appends OpenSSL's oldest queued reason.
enum outcome trouble_set(struct trouble *trouble, enum outcome outcome, const char *format, ...)
    PRINTF_LIKE(3, 4);
enum outcome trouble_openssl(struct trouble *trouble, enum outcome outcome, const char *format, ...)
    PRINTF_LIKE(3, 4);

_Noreturn void die(const char *doing);
// Ends the program when `ok` is false: for local work that only fails when memory or OpenSSL
// does, which a test tool need not survive.
static inline void require(bool ok, const char *doing)
{
    if (!ok) {
        die(doing);
    }
}

// Owned octets; {0} is empty.
struct octets {
    unsigned char *data; // OpenSSL's heap
    size_t len;
};
struct octets octets_copy(const void *data, size_t len);
void octets_done(struct octets *octets);
bool octets_equal(const struct octets *a, const struct octets *b);

// Whole files. Keys and saved requests are written with mode 0600, over an older file.
enum outcome file_load(const char *path, struct octets *ret_content,
                       struct trouble *trouble) MUST_CHECK;
enum outcome file_save(const char *path, const struct octets *content,
                       struct trouble *trouble) MUST_CHECK;

// The same, but an older file stays as it is until the new one is complete.
enum outcome file_replace(const char *path, const struct octets *content,
                          struct trouble *trouble) MUST_CHECK;

#define PATH_LEN_MAX 4096 // bytes with the final NUL
// "FOLDER/NAME" into `path`. Errors: OUTCOME_USAGE when it is too long.
enum outcome path_join(const char *folder, const char *name, char path[PATH_LEN_MAX],
                       struct trouble *trouble) MUST_CHECK;
// Makes the folder (0700) if there is none.
enum outcome folder_make(const char *path, struct trouble *trouble) MUST_CHECK;

// Microseconds of a clock that never jumps.
int64_t clock_us(void);
