// SPDX-License-Identifier: Apache-2.0
#include "server/phone/pin.h"

#include <ctype.h>
#include <string.h>

#include "conf/base/hex.h"

#define SEPARATORS ":-. "
#define GROUP_MIN  2 // digits
#define GROUP_MAX  32

static const struct {
    size_t len; // octets
    const char *name;
    const EVP_MD *(*digest)(void);
} digests[] = {
    {20, "SHA-1", EVP_sha1},
    {32, "SHA-256", EVP_sha256},
    {48, "SHA-384", EVP_sha384},
    {64, "SHA-512", EVP_sha512},
};
#define DIGEST_COUNT (sizeof digests / sizeof digests[0])

// The index in `digests`; DIGEST_COUNT when there is none of this length.
static size_t find_digest(size_t len)
{
    size_t i = 0;
    while (i < DIGEST_COUNT && digests[i].len != len) {
        i++;
    }
    return i;
}

const EVP_MD *pin_digest(const struct pin *pin)
{
    size_t i = find_digest(pin->len);
    return i < DIGEST_COUNT ? digests[i].digest() : NULL;
}

const char *pin_digest_name(const struct pin *pin)
{
    size_t i = find_digest(pin->len);
    return i < DIGEST_COUNT ? digests[i].name : "?";
}

// Whether the separators of `text` are all the same and stand after every `group` digits, with
// digits at the end.
static bool is_grouped(const char *text, size_t group, char separator)
{
    size_t run = 0;
    for (; *text != '\0'; text++) {
        if (*text != separator) {
            run++;
            continue;
        }
        if (run != group) {
            return false;
        }
        run = 0;
    }
    return run == group;
}

// Groups of a length that phones know, or no separator at all.
static bool is_well_grouped(const char *text)
{
    size_t group = strcspn(text, SEPARATORS);
    if (text[group] == '\0') {
        return true;
    }
    bool is_power = group >= GROUP_MIN && group <= GROUP_MAX && (group & (group - 1)) == 0;
    return is_power && is_grouped(text, group, text[group]);
}

// The digits of `text` alone; the number of them, which may be more than fit.
static size_t copy_digits(const char *text, char digits[PIN_TEXT_LEN])
{
    size_t count = 0;
    for (; *text != '\0'; text++) {
        if (isxdigit((unsigned char)*text) && count < PIN_TEXT_LEN - 1) {
            digits[count++] = *text;
        }
    }
    digits[count] = '\0';
    return count;
}

// Behind what "openssl x509 -fingerprint" writes in front: "sha256 Fingerprint=".
static const char *skip_label(const char *text)
{
    static const char label[] = "Fingerprint=";
    const char *found = strcasestr(text, label);
    return found != NULL ? found + strlen(label) : text;
}

enum err_code pin_parse(const char *text, struct pin *ret_pin, struct err *err)
{
    char digits[PIN_TEXT_LEN];
    struct pin pin = {0};
    text = skip_label(text);
    if (strspn(text, "0123456789abcdefABCDEF" SEPARATORS) != strlen(text)) {
        return err_set(err, ERR_SYNTAX,
                       "the fingerprint has other characters than hexadecimal digits and the "
                       "separators colon, dash, period and space");
    }
    size_t count = copy_digits(text, digits);
    if (count % 2 != 0 || find_digest(count / 2) == DIGEST_COUNT) {
        return err_set(err, ERR_SYNTAX,
                       "the fingerprint has %zu hexadecimal digits; allowed are 40 (SHA-1), 64 "
                       "(SHA-256), 96 (SHA-384) and 128 (SHA-512)",
                       count);
    }
    if (!is_well_grouped(text)) {
        return err_set(err, ERR_SYNTAX,
                       "the fingerprint's separators must all be the same and stand after every "
                       "2, 4, 8, 16 or 32 digits, with none at the beginning or the end");
    }
    pin.len = (size_t)hex_decode(digits, pin.octets, sizeof pin.octets);
    *ret_pin = pin;
    return ERR_OK;
}

// The fingerprint's octets; 0 when OpenSSL cannot make it.
static size_t digest_cert(const struct pin *pin, const X509 *cert, uint8_t octets[EVP_MAX_MD_SIZE])
{
    unsigned len = 0;
    const EVP_MD *digest = pin_digest(pin);
    return digest != NULL && X509_digest(cert, digest, octets, &len) == 1 ? len : 0;
}

bool pin_matches(const struct pin *pin, const X509 *cert)
{
    uint8_t octets[EVP_MAX_MD_SIZE];
    size_t len = digest_cert(pin, cert, octets);
    return len > 0 && view_equal(view_of(octets, len), view_of(pin->octets, pin->len));
}

char *pin_format_cert(const struct pin *pin, const X509 *cert, char text[PIN_TEXT_LEN])
{
    uint8_t octets[EVP_MAX_MD_SIZE];
    return hex_encode(view_of(octets, digest_cert(pin, cert, octets)), text);
}
