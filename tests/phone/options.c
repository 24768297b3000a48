// SPDX-License-Identifier: Apache-2.0
#include "tests/phone/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/phone/request.h"

#define KEY_BITS_MAX    16384
#define COUNT_MAX       1000000
#define PHONES_DEFAULT  100
#define LINKS_DEFAULT   8
#define NAME_COLUMN_LEN 26 // columns of "--name VALUE" in the list of options

enum option_id {
    OPT_SERVER = 1,
    OPT_FINGERPRINT,
    OPT_CHALLENGE,
    OPT_CHALLENGE_FILE,
    OPT_CHALLENGE_TYPE,
    OPT_CN,
    OPT_RDN,
    OPT_EMPTY_SUBJECT,
    OPT_SAN_DNS,
    OPT_GET,
    OPT_POST,
    OPT_CIPHER,
    OPT_DIGEST,
    OPT_KEY_BITS,
    OPT_TRANSACTION,
    OPT_OUT,
    OPT_KEY,
    OPT_SAVE,
    OPT_SEND,
    OPT_PREPARE,
    OPT_REPEAT,
    OPT_PARALLEL,
    OPT_PHONES,
    OPT_CONNECTIONS,
    OPT_CN_PREFIX,
    OPT_LEGACY,
};

static const struct {
    enum option_id id;
    const char *name;
    const char *value; // NULL = takes none
    const char *words;
} table[] = {
    {OPT_SERVER, "server", "URL", "URL or bare address of the server"},
    {OPT_FINGERPRINT, "fingerprint", "HEX", "SHA-1 or SHA-256 of the root certificate"},
    {OPT_CHALLENGE, "challenge", "TEXT", "challenge password; \"\" sends an empty one"},
    {OPT_CHALLENGE_FILE, "challenge-file", "FILE", "its first line is the challenge password"},
    {OPT_CHALLENGE_TYPE, "challenge-type", "TYPE", "utf8 (default), printable, t61, bmp, ia5"},
    {OPT_CN, "cn", "NAME", "common name; default CP-9841-SEP and 12 random digits"},
    {OPT_RDN, "rdn", "TYPE=VALUE", "more of the subject, in order; '+' in front joins it"},
    {OPT_EMPTY_SUBJECT, "empty-subject", NULL, "ask for a certificate without subject"},
    {OPT_SAN_DNS, "san-dns", "NAME", "ask for a dNSName; may be repeated"},
    {OPT_GET, "get", NULL, "send by GET even if POST is offered"},
    {OPT_POST, "post", NULL, "send by POST even if it is not offered"},
    {OPT_CIPHER, "cipher", "NAME", "aes128, aes192, aes256, des3, des"},
    {OPT_DIGEST, "digest", "NAME", "sha256, sha384, sha512, sha1, md5"},
    {OPT_KEY_BITS, "key-bits", "N", "RSA key of this size (default 2048)"},
    {OPT_TRANSACTION, "transaction", "ID", "transactionID; default random"},
    {OPT_OUT, "out", "DIR", "store key.pem, cert.pem and root.pem here"},
    {OPT_KEY, "key", "FILE", "use this private key instead of making one"},
    {OPT_SAVE, "save", "FILE", "keep the request's octets"},
    {OPT_SEND, "send", "FILE", "send a kept request (with --key)"},
    {OPT_PREPARE, "prepare", NULL, "make and save the request, do not send it"},
    {OPT_REPEAT, "repeat", "N", "send the same octets N times more, one by one"},
    {OPT_PARALLEL, "parallel", "N", "send the same octets N times at once"},
    {OPT_PHONES, "phones", "N", "bench: number of phones (default 100)"},
    {OPT_CONNECTIONS, "connections", "C", "bench: keep-alive connections (default 8)"},
    {OPT_CN_PREFIX, "cn-prefix", "TEXT", "bench: common names are TEXT and a number"},
    {OPT_LEGACY, "legacy", NULL, "the server is old: single DES, chunked answers"},
};
#define OPTION_COUNT (sizeof table / sizeof table[0])

static enum outcome read_number(const char *text, unsigned long max, unsigned long *ret_number,
                                struct trouble *trouble)
{
    char *end = NULL;
    errno = 0;
    unsigned long number = strtoul(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || number < 1 || number > max) {
        return trouble_set(trouble, OUTCOME_USAGE, "%s: not a number from 1 to %lu", text, max);
    }
    *ret_number = number;
    return OUTCOME_OK;
}

static enum outcome push(const char *value, const char **list, size_t *count,
                         struct trouble *trouble)
{
    if (*count == OPTION_LIST_MAX) {
        return trouble_set(trouble, OUTCOME_USAGE, "%s: too many of these", value);
    }
    list[(*count)++] = value;
    return OUTCOME_OK;
}

static void replace_text(char **text, const char *prefix, const char *value)
{
    free(*text);
    require(asprintf(text, "%s%s", prefix, value) >= 0, "getting memory");
}

static enum outcome read_challenge_file(const char *path, struct options *options,
                                        struct trouble *trouble)
{
    CLEANUP(octets_done) struct octets content = {0};
    enum outcome outcome = file_load(path, &content, trouble);
    if (outcome == OUTCOME_OK) {
        char *line = (char *)content.data;
        line[strcspn(line, "\r\n")] = '\0';
        replace_text(&options->challenge, "", line);
    }
    return outcome;
}

static enum outcome unknown_name(const char *name, struct trouble *trouble)
{
    return trouble_set(trouble, OUTCOME_USAGE, "%s: unknown name", name);
}

// Options about what is asked for.
static enum outcome take_content(enum option_id id, const char *value, struct options *options,
                                 struct trouble *trouble)
{
    switch (id) {
    case OPT_CHALLENGE:
        replace_text(&options->challenge, "", value);
        return OUTCOME_OK;
    case OPT_CHALLENGE_FILE:
        return read_challenge_file(value, options, trouble);
    case OPT_CHALLENGE_TYPE:
        options->challenge_mask = string_mask_by_name(value);
        return options->challenge_mask != 0 ? OUTCOME_OK : unknown_name(value, trouble);
    case OPT_CN:
        replace_text(&options->common_name_rdn, "CN=", value);
        return OUTCOME_OK;
    case OPT_RDN:
        return push(value, options->rdns, &options->rdn_count, trouble);
    case OPT_SAN_DNS:
        return push(value, options->dns_names, &options->dns_name_count, trouble);
    case OPT_CIPHER:
        options->cipher = cipher_by_name(value);
        return options->cipher != NULL ? OUTCOME_OK : unknown_name(value, trouble);
    case OPT_DIGEST:
        options->digest = digest_by_name(value);
        return options->digest != NULL ? OUTCOME_OK : unknown_name(value, trouble);
    default:
        return trouble_set(trouble, OUTCOME_USAGE, "option not understood");
    }
}

static enum outcome take_number(enum option_id id, const char *value, struct options *options,
                                struct trouble *trouble)
{
    switch (id) {
    case OPT_KEY_BITS:
        return read_number(value, KEY_BITS_MAX, &options->key_bits, trouble);
    case OPT_REPEAT:
        return read_number(value, COUNT_MAX, &options->repeat, trouble);
    case OPT_PARALLEL:
        return read_number(value, COUNT_MAX, &options->parallel, trouble);
    case OPT_PHONES:
        return read_number(value, COUNT_MAX, &options->phones, trouble);
    case OPT_CONNECTIONS:
        return read_number(value, COUNT_MAX, &options->connections, trouble);
    default:
        return take_content(id, value, options, trouble);
    }
}

static enum outcome take(enum option_id id, const char *value, struct options *options,
                         struct trouble *trouble)
{
    const char **texts[] = {
        [OPT_SERVER] = &options->server,
        [OPT_FINGERPRINT] = &options->fingerprint,
        [OPT_TRANSACTION] = &options->transaction_id,
        [OPT_OUT] = &options->out,
        [OPT_KEY] = &options->key_file,
        [OPT_SAVE] = &options->save_file,
        [OPT_SEND] = &options->send_file,
        [OPT_CN_PREFIX] = &options->cn_prefix,
        [OPT_LEGACY] = NULL,
    };
    bool *flags[] = {
        [OPT_EMPTY_SUBJECT] = &options->is_subject_empty,
        [OPT_GET] = &options->use_get,
        [OPT_POST] = &options->use_post,
        [OPT_PREPARE] = &options->is_only_prepared,
        [OPT_LEGACY] = &options->is_legacy,
    };
    if (texts[id] != NULL) {
        *texts[id] = value;
        return OUTCOME_OK;
    }
    if (flags[id] != NULL) {
        *flags[id] = true;
        return OUTCOME_OK;
    }
    return take_number(id, value, options, trouble);
}

enum outcome options_read(int argc, char **argv, struct options *options, struct trouble *trouble)
{
    struct option longs[OPTION_COUNT + 1] = {0};
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        longs[i] = (struct option){
            .name = table[i].name, .has_arg = table[i].value != NULL, .val = (int)table[i].id};
    }
    *options = (struct options){.challenge_mask = B_ASN1_UTF8STRING,
                                .key_bits = KEY_BITS_DEFAULT,
                                .phones = PHONES_DEFAULT,
                                .connections = LINKS_DEFAULT,
                                .cn_prefix = "CP-9841-SEP"};
    for (int id = getopt_long(argc, argv, "", longs, NULL); id != -1;
         id = getopt_long(argc, argv, "", longs, NULL)) {
        if (id == '?') {
            return trouble_set(trouble, OUTCOME_USAGE, "see phone --help");
        }
        enum outcome outcome = take((enum option_id)id, optarg, options, trouble);
        if (outcome != OUTCOME_OK) {
            return outcome;
        }
    }
    if (options->server == NULL || options->fingerprint == NULL) {
        return trouble_set(trouble, OUTCOME_USAGE, "--server and --fingerprint are needed");
    }
    return OUTCOME_OK;
}

void options_done(struct options *options)
{
    if (options->challenge != NULL) {
        OPENSSL_cleanse(options->challenge, strlen(options->challenge));
    }
    free(options->challenge);
    free(options->common_name_rdn);
    options->challenge = NULL;
    options->common_name_rdn = NULL;
}

void options_print(void)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        char name[NAME_COLUMN_LEN + 1] = "";
        snprintf(name, sizeof name, "--%s %s", table[i].name,
                 table[i].value != NULL ? table[i].value : "");
        printf("  %-*s %s\n", NAME_COLUMN_LEN, name, table[i].words);
    }
}
