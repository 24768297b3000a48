// SPDX-License-Identifier: Apache-2.0
// The texts a phone is configured with or reads: server address, root fingerprint, capabilities.
#pragma once

#include "tests/phone/common.h"

#define FINGERPRINT_LEN_MAX 64   // octets of a SHA-512
#define URL_LEN_MAX         1024 // bytes with the final NUL

struct fingerprint {
    unsigned char octets[FINGERPRINT_LEN_MAX];
    size_t len; // 20 = SHA-1, 32 = SHA-256, 48 = SHA-384, 64 = SHA-512
};
// The hash with so many octets; NULL when fingerprints have other lengths.
const EVP_MD *fingerprint_digest(size_t len);

// A URL as it is; a URL without a path or a bare address gets /cgi-bin/pkiclient.exe, a bare
// address http:// in front. Errors: OUTCOME_USAGE for https (phones do not speak it), a query or
// something too long.
enum outcome url_complete(const char *given, char ret_url[URL_LEN_MAX],
                          struct trouble *trouble) MUST_CHECK;

// 40 or 64 hexadecimal digits, bare or with one kind of separator (colon, dash, period, space)
// after every 2, 4, 8 or, for 64 digits, 16 or 32 of them: what a phone's configuration takes. The
// longer ones come by DHCP only (option43.h). Errors: OUTCOME_USAGE.
enum outcome fingerprint_parse(const char *text, struct fingerprint *ret_fingerprint,
                               struct trouble *trouble) MUST_CHECK;
// The certificate's DER hashes to it.
bool fingerprint_matches(const struct fingerprint *fingerprint, const X509 *cert);

// What GetCACaps lists, as far as a phone looks at it (RFC 8894, 3.5.2).
struct capabilities {
    bool aes;
    bool des3;
    bool next_ca;
    bool post;
    bool renewal;
    bool sha1;
    bool sha256;
    bool sha512;
    bool standard;
};
// One keyword a line, ended by LF or CRLF, exact case; unknown ones are skipped.
struct capabilities capabilities_parse(const struct octets *text);

// URL + "?operation=PKIOperation&message=<base64, percent-escaped>". Caller frees (free()).
char *message_url(const char *url, const struct octets *message);

// Values by the names used on the command line; NULL or NID_undef for an unknown name.
const EVP_CIPHER *cipher_by_name(const char *name);
const EVP_MD *digest_by_name(const char *name);
// B_ASN1_* of printable, utf8, t61, bmp, ia5; 0 for an unknown name.
unsigned long string_mask_by_name(const char *name);
