// SPDX-License-Identifier: Apache-2.0
#include "tests/phone/text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_PATH       "/cgi-bin/pkiclient.exe"
#define HEX_LEN_SHA1       40 // digits
#define HEX_LEN_MAX        64 // digits of a SHA-256
#define GROUP_LEN_MAX_SHA1 8  // digits between two separators

enum outcome url_complete(const char *given, char ret_url[URL_LEN_MAX], struct trouble *trouble)
{
    static const char http[] = "http://";
    const char *scheme_end = strstr(given, "://");
    if (scheme_end != NULL && strncmp(given, http, strlen(http)) != 0) {
        return trouble_set(trouble, OUTCOME_USAGE, "%s: phones speak only http://", given);
    }
    const char *rest = scheme_end != NULL ? given + strlen(http) : given;
    if (rest[0] == '\0' || rest[0] == '/' || strpbrk(rest, "?# ") != NULL) {
        return trouble_set(trouble, OUTCOME_USAGE, "%s: not an address or a URL without query",
                           given);
    }
    const char *colon = strchr(rest, ':');
    bool is_bare_v6 = rest[0] != '[' && colon != NULL && strchr(colon + 1, ':') != NULL &&
                      strchr(rest, '/') == NULL;
    int len = snprintf(ret_url, URL_LEN_MAX, is_bare_v6 ? "%s[%s]%s" : "%s%s%s", http, rest,
                       strchr(rest, '/') == NULL ? DEFAULT_PATH : "");
    if (len >= URL_LEN_MAX) {
        return trouble_set(trouble, OUTCOME_USAGE, "server URL: too long");
    }
    return OUTCOME_OK;
}

static bool is_group_len(size_t digits, size_t total)
{
    return digits == 2 || digits == 4 || digits == GROUP_LEN_MAX_SHA1 ||
           (total == HEX_LEN_MAX && (digits == 16 || digits == 32));
}

// A fingerprint on the way from text to digits.
struct grouping {
    char digits[HEX_LEN_MAX + 1];
    size_t count;   // of digits
    char separator; // the one kind; NUL before the first
    size_t group;   // digits before the first separator
    size_t since;   // digits since the last one
};

static bool take_digit(struct grouping *grouping, char digit)
{
    if (grouping->count == HEX_LEN_MAX) {
        return false;
    }
    grouping->digits[grouping->count++] = digit;
    grouping->since++;
    return true;
}

static bool take_separator(struct grouping *grouping, char separator)
{
    if (strchr(":-. ", separator) == NULL || grouping->since == 0) {
        return false;
    }
    if (grouping->separator == '\0') {
        grouping->separator = separator;
        grouping->group = grouping->since;
    }
    bool is_regular = separator == grouping->separator && grouping->since == grouping->group;
    grouping->since = 0;
    return is_regular;
}

// Takes the separators out. False when they are not regular, or there are too many digits.
static bool strip_separators(const char *text, struct grouping *grouping)
{
    for (const char *at = text; *at != '\0'; at++) {
        bool is_taken = isxdigit((unsigned char)*at) ? take_digit(grouping, *at)
                                                     : take_separator(grouping, *at);
        if (!is_taken) {
            return false;
        }
    }
    return grouping->separator == '\0' ||
           (grouping->since == grouping->group && is_group_len(grouping->group, grouping->count));
}

enum outcome fingerprint_parse(const char *text, struct fingerprint *ret_fingerprint,
                               struct trouble *trouble)
{
    struct grouping grouping = {.count = 0};
    bool is_regular = strip_separators(text, &grouping);
    if (!is_regular || (grouping.count != HEX_LEN_SHA1 && grouping.count != HEX_LEN_MAX)) {
        return trouble_set(trouble, OUTCOME_USAGE,
                           "fingerprint: 40 or 64 hexadecimal digits, with one kind of separator "
                           "in equal groups or none");
    }
    struct fingerprint fingerprint = {.len = grouping.count / 2};
    for (size_t i = 0; i < fingerprint.len; i++) {
        char pair[3] = {grouping.digits[2 * i], grouping.digits[2 * i + 1], '\0'};
        fingerprint.octets[i] = (unsigned char)strtoul(pair, NULL, 16);
    }
    *ret_fingerprint = fingerprint;
    return OUTCOME_OK;
}

const EVP_MD *fingerprint_digest(size_t len)
{
    const EVP_MD *digests[] = {EVP_sha1(), EVP_sha256(), EVP_sha384(), EVP_sha512()};
    for (size_t i = 0; i < sizeof digests / sizeof digests[0]; i++) {
        if ((size_t)EVP_MD_get_size(digests[i]) == len) {
            return digests[i];
        }
    }
    return NULL;
}

bool fingerprint_matches(const struct fingerprint *fingerprint, const X509 *cert)
{
    unsigned char hash[EVP_MAX_MD_SIZE] = {0};
    unsigned len = 0;
    const EVP_MD *digest = fingerprint_digest(fingerprint->len);
    require(digest != NULL && X509_digest(cert, digest, hash, &len) == 1, "hashing a certificate");
    return len == fingerprint->len && memcmp(hash, fingerprint->octets, len) == 0;
}

static void note_capability(struct capabilities *capabilities, const char *word, size_t len)
{
    const struct {
        const char *word;
        bool *flag;
    } known[] = {
        {"AES", &capabilities->aes},
        {"DES3", &capabilities->des3},
        {"GetNextCACert", &capabilities->next_ca},
        {"POSTPKIOperation", &capabilities->post},
        {"Renewal", &capabilities->renewal},
        {"SHA-1", &capabilities->sha1},
        {"SHA-256", &capabilities->sha256},
        {"SHA-512", &capabilities->sha512},
        {"SCEPStandard", &capabilities->standard},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strlen(known[i].word) == len && memcmp(known[i].word, word, len) == 0) {
            *known[i].flag = true;
        }
    }
}

struct capabilities capabilities_parse(const struct octets *text)
{
    struct capabilities capabilities = {0};
    size_t start = 0;
    for (size_t i = 0; i <= text->len; i++) {
        if (i < text->len && text->data[i] != '\n') {
            continue;
        }
        size_t end = i > start && text->data[i - 1] == '\r' ? i - 1 : i;
        note_capability(&capabilities, (const char *)text->data + start, end - start);
        start = i + 1;
    }
    // RFC 8894, 3.5.2: the one word stands for these three.
    if (capabilities.standard) {
        capabilities.aes = capabilities.post = capabilities.sha256 = true;
    }
    return capabilities;
}

char *message_url(const char *url, const struct octets *message)
{
    static const char query[] = "?operation=PKIOperation&message=";
    size_t base64_max = message->len / 3 * 4 + 5; // EVP_EncodeBlock's, with NUL
    unsigned char *base64 = malloc(base64_max);
    char *result = malloc(strlen(url) + sizeof query + 3 * base64_max);
    require(base64 != NULL && result != NULL, "getting memory");
    int len = EVP_EncodeBlock(base64, message->data, (int)message->len);
    char *to = stpcpy(stpcpy(result, url), query);
    for (int i = 0; i < len; i++) {
        if (isalnum(base64[i])) {
            *to++ = (char)base64[i];
        } else {
            to += sprintf(to, "%%%02X", (unsigned)base64[i]);
        }
    }
    *to = '\0';
    free(base64);
    return result;
}

const EVP_CIPHER *cipher_by_name(const char *name)
{
    const struct {
        const char *name;
        const EVP_CIPHER *cipher;
    } known[] = {
        {"aes128", EVP_aes_128_cbc()}, {"aes192", EVP_aes_192_cbc()}, {"aes256", EVP_aes_256_cbc()},
        {"des3", EVP_des_ede3_cbc()},  {"des", EVP_des_cbc()},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(known[i].name, name) == 0) {
            return known[i].cipher;
        }
    }
    return NULL;
}

const EVP_MD *digest_by_name(const char *name)
{
    const struct {
        const char *name;
        const EVP_MD *digest;
    } known[] = {
        {"sha256", EVP_sha256()}, {"sha384", EVP_sha384()}, {"sha512", EVP_sha512()},
        {"sha1", EVP_sha1()},     {"md5", EVP_md5()},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(known[i].name, name) == 0) {
            return known[i].digest;
        }
    }
    return NULL;
}

unsigned long string_mask_by_name(const char *name)
{
    static const struct {
        const char *name;
        unsigned long mask;
    } known[] = {
        {"printable", B_ASN1_PRINTABLESTRING},
        {"utf8", B_ASN1_UTF8STRING},
        {"t61", B_ASN1_T61STRING},
        {"bmp", B_ASN1_BMPSTRING},
        {"ia5", B_ASN1_IA5STRING},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(known[i].name, name) == 0) {
            return known[i].mask;
        }
    }
    return 0;
}
