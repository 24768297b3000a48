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
#define SERIAL_HEX_MAX  64 // digits
#define NAME_COLUMN_LEN 27 // columns of "--name VALUE" in the list of options

enum option_id {
    OPT_SERVER = 1,
    OPT_FINGERPRINT,
    OPT_OPTION43,
    OPT_OPTION43_FILE,
    OPT_CHALLENGE,
    OPT_CHALLENGE_FILE,
    OPT_CHALLENGE_TYPE,
    OPT_MIC,
    OPT_MIC_KEY,
    OPT_MIC_CHAIN,
    OPT_DOMAIN,
    OPT_CERT,
    OPT_CERT_KEY,
    OPT_NEW_KEY,
    OPT_SAME_KEY,
    OPT_CN,
    OPT_RDN,
    OPT_EMPTY_SUBJECT,
    OPT_SAN_DNS,
    OPT_TYPE,
    OPT_GET,
    OPT_POST,
    OPT_USER_AGENT,
    OPT_CIPHER,
    OPT_DIGEST,
    OPT_KEY_BITS,
    OPT_TRANSACTION,
    OPT_NEXT,
    OPT_OUT,
    OPT_STATE,
    OPT_WAIT,
    OPT_KEY,
    OPT_ISSUER,
    OPT_SERIAL,
    OPT_SAVE,
    OPT_SEND,
    OPT_PREPARE,
    OPT_REPEAT,
    OPT_PARALLEL,
    OPT_MODE,
    OPT_PHONES,
    OPT_FIRST_PHONE,
    OPT_CONNECTIONS,
    OPT_CN_PREFIX,
    OPT_MIC_CA,
    OPT_MIC_CA_KEY,
    OPT_MIC_DIR,
    OPT_LEGACY,
    OPT_COUNT
};

static const struct {
    enum option_id id;
    const char *name;
    const char *value; // NULL = takes none
    const char *words;
} table[] = {
    {OPT_SERVER, "server", "URL", "URL or bare address of the server"},
    {OPT_FINGERPRINT, "fingerprint", "HEX", "SHA-1 or SHA-256 of the root certificate"},
    {OPT_OPTION43, "option43", "HEX", "server, fingerprint and challenge as DHCP gives them"},
    {OPT_OPTION43_FILE, "option43-file", "FILE", "the first line of FILE is that option"},
    {OPT_CHALLENGE, "challenge", "TEXT", "challenge password; \"\" sends an empty one"},
    {OPT_CHALLENGE_FILE, "challenge-file", "FILE", "its first line is the challenge password"},
    {OPT_CHALLENGE_TYPE, "challenge-type", "TYPE", "utf8 (default), printable, t61, bmp, ia5"},
    {OPT_MIC, "mic", "FILE", "sign with this manufacturer's certificate"},
    {OPT_MIC_KEY, "mic-key", "FILE", "its private key; without it --key is that"},
    {OPT_MIC_CHAIN, "mic-chain", "FILE", "send these certificates behind it"},
    {OPT_DOMAIN, "domain", "NAME", "common name is the MIC's, a dot and this"},
    {OPT_CERT, "cert", "FILE", "sign with this installed certificate"},
    {OPT_CERT_KEY, "cert-key", "FILE", "its private key"},
    {OPT_NEW_KEY, "new-key", NULL, "renew: with a new key (default)"},
    {OPT_SAME_KEY, "same-key", NULL, "renew: with the present key"},
    {OPT_CN, "cn", "NAME", "common name; default CP-9841-SEP and 12 random digits"},
    {OPT_RDN, "rdn", "TYPE=VALUE", "more of the subject, in order; '+' in front joins it"},
    {OPT_EMPTY_SUBJECT, "empty-subject", NULL, "ask for a certificate without subject"},
    {OPT_SAN_DNS, "san-dns", "NAME", "ask for a dNSName; may be repeated"},
    {OPT_TYPE, "type", "17|19", "messageType; default 19, for renew 17"},
    {OPT_GET, "get", NULL, "send by GET even if POST is offered"},
    {OPT_POST, "post", NULL, "send by POST even if it is not offered"},
    {OPT_USER_AGENT, "user-agent", "TEXT", "HTTP User-Agent"},
    {OPT_CIPHER, "cipher", "NAME", "aes128, aes192, aes256, des3, des"},
    {OPT_DIGEST, "digest", "NAME", "sha256, sha384, sha512, sha1, md5"},
    {OPT_KEY_BITS, "key-bits", "N", "RSA key of this size (default 2048)"},
    {OPT_TRANSACTION, "transaction", "ID", "transactionID; default random"},
    {OPT_NEXT, "next", "FILE", "encrypt to the next RA; FILE is getnextca's next.pem"},
    {OPT_OUT, "out", "DIR", "store what the answer brings here"},
    {OPT_STATE, "state", "DIR", "keep here, or read, what poll needs"},
    {OPT_WAIT, "wait", "SECONDS", "poll a pending request so long"},
    {OPT_KEY, "key", "FILE", "use this private key instead of making one"},
    {OPT_ISSUER, "issuer", "FILE", "getcert, getcrl: the CA asked about, not the present one"},
    {OPT_SERIAL, "serial", "HEX", "getcert: serial number asked for; default that of --cert"},
    {OPT_SAVE, "save", "FILE", "keep the request's octets"},
    {OPT_SEND, "send", "FILE", "send a kept request (with --key)"},
    {OPT_PREPARE, "prepare", NULL, "make and save the request, do not send it"},
    {OPT_REPEAT, "repeat", "N", "send the same octets N times more, one by one"},
    {OPT_PARALLEL, "parallel", "N", "send the same octets N times at once"},
    {OPT_MODE, "mode", "MODE", "bench: challenge (default), mic; renew the --state of another run"},
    {OPT_PHONES, "phones", "N", "bench: number of phones (default 100)"},
    {OPT_FIRST_PHONE, "first-phone", "N", "bench: number in the first one's name (default 1)"},
    {OPT_CONNECTIONS, "connections", "C", "bench: keep-alive connections (default 8)"},
    {OPT_CN_PREFIX, "cn-prefix", "TEXT", "bench: common names are TEXT and a number"},
    {OPT_MIC_CA, "mic-ca", "FILE", "bench: CA that makes the phones' MICs"},
    {OPT_MIC_CA_KEY, "mic-ca-key", "FILE", "bench: its private key"},
    {OPT_MIC_DIR, "mic-dir", "DIR", "hostile: MICs as mic_factory makes them"},
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

// The first line of a file with a secret.
static enum outcome read_line(const char *path, struct octets *ret_content, const char **ret_line,
                              struct trouble *trouble)
{
    enum outcome outcome = file_load(path, ret_content, trouble);
    if (outcome == OUTCOME_OK) {
        char *line = (char *)ret_content->data;
        line[strcspn(line, "\r\n")] = '\0';
        *ret_line = line;
    }
    return outcome;
}

static enum outcome read_challenge_file(const char *path, struct options *options,
                                        struct trouble *trouble)
{
    CLEANUP(octets_done) struct octets content = {0};
    const char *line = NULL;
    enum outcome outcome = read_line(path, &content, &line, trouble);
    if (outcome == OUTCOME_OK) {
        replace_text(&options->challenge, "", line);
    }
    return outcome;
}

static enum outcome read_option43_file(const char *path, struct options *options,
                                       struct trouble *trouble)
{
    CLEANUP(octets_done) struct octets content = {0};
    const char *line = NULL;
    enum outcome outcome = read_line(path, &content, &line, trouble);
    return outcome == OUTCOME_OK ? option43_parse(line, &options->option43, trouble) : outcome;
}

static bool mode_by_name(const char *name, enum bench_mode *ret_mode)
{
    static const char *const names[] = {
        [BENCH_CHALLENGE] = "challenge", [BENCH_MIC] = "mic", [BENCH_RENEW] = "renew"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], name) == 0) {
            *ret_mode = (enum bench_mode)i;
            return true;
        }
    }
    return false;
}

static bool is_serial(const char *text)
{
    size_t len = strlen(text);
    return len > 0 && len <= SERIAL_HEX_MAX && strspn(text, "0123456789abcdefABCDEF") == len;
}

static enum outcome unknown_name(const char *name, struct trouble *trouble)
{
    return trouble_set(trouble, OUTCOME_USAGE, "%s: unknown name", name);
}

static enum outcome take_name(enum option_id id, const char *value, struct options *options,
                              struct trouble *trouble)
{
    switch (id) {
    case OPT_CHALLENGE_TYPE:
        options->challenge_mask = string_mask_by_name(value);
        return options->challenge_mask != 0 ? OUTCOME_OK : unknown_name(value, trouble);
    case OPT_CIPHER:
        options->cipher = cipher_by_name(value);
        return options->cipher != NULL ? OUTCOME_OK : unknown_name(value, trouble);
    case OPT_DIGEST:
        options->digest = digest_by_name(value);
        return options->digest != NULL ? OUTCOME_OK : unknown_name(value, trouble);
    case OPT_MODE:
        return mode_by_name(value, &options->mode) ? OUTCOME_OK : unknown_name(value, trouble);
    case OPT_TYPE:
        options->message_type = value;
        return strcmp(value, "17") == 0 || strcmp(value, "19") == 0 ? OUTCOME_OK
                                                                    : unknown_name(value, trouble);
    case OPT_SERIAL:
        options->serial = value;
        return is_serial(value)
                   ? OUTCOME_OK
                   : trouble_set(trouble, OUTCOME_USAGE, "--serial: not 1 to %d hexadecimal digits",
                                 SERIAL_HEX_MAX);
    default:
        return trouble_set(trouble, OUTCOME_USAGE, "option not understood");
    }
}

// Options about what is asked for.
static enum outcome take_content(enum option_id id, const char *value, struct options *options,
                                 struct trouble *trouble)
{
    switch (id) {
    case OPT_FINGERPRINT:
        return fingerprint_parse(value, &options->pinned, trouble);
    case OPT_OPTION43:
        return option43_parse(value, &options->option43, trouble);
    case OPT_OPTION43_FILE:
        return read_option43_file(value, options, trouble);
    case OPT_CHALLENGE:
        replace_text(&options->challenge, "", value);
        return OUTCOME_OK;
    case OPT_CHALLENGE_FILE:
        return read_challenge_file(value, options, trouble);
    case OPT_CN:
        replace_text(&options->common_name_rdn, "CN=", value);
        return OUTCOME_OK;
    case OPT_RDN:
        return push(value, options->rdns, &options->rdn_count, trouble);
    case OPT_SAN_DNS:
        return push(value, options->dns_names, &options->dns_name_count, trouble);
    default:
        return take_name(id, value, options, trouble);
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
    case OPT_WAIT:
        return read_number(value, COUNT_MAX, &options->wait_sec, trouble);
    case OPT_FIRST_PHONE:
        return read_number(value, UINT32_MAX, &options->first_phone, trouble);
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
    const char **texts[OPT_COUNT] = {
        [OPT_SERVER] = &options->server,
        [OPT_MIC] = &options->mic_file,
        [OPT_MIC_KEY] = &options->mic_key_file,
        [OPT_MIC_CHAIN] = &options->mic_chain_file,
        [OPT_DOMAIN] = &options->domain,
        [OPT_CERT] = &options->cert_file,
        [OPT_CERT_KEY] = &options->cert_key_file,
        [OPT_USER_AGENT] = &options->user_agent,
        [OPT_TRANSACTION] = &options->transaction_id,
        [OPT_NEXT] = &options->next_file,
        [OPT_OUT] = &options->out,
        [OPT_STATE] = &options->state,
        [OPT_KEY] = &options->key_file,
        [OPT_ISSUER] = &options->issuer_file,
        [OPT_SAVE] = &options->save_file,
        [OPT_SEND] = &options->send_file,
        [OPT_CN_PREFIX] = &options->cn_prefix,
        [OPT_MIC_CA] = &options->mic_ca_file,
        [OPT_MIC_CA_KEY] = &options->mic_ca_key_file,
        [OPT_MIC_DIR] = &options->mic_folder,
    };
    bool *flags[OPT_COUNT] = {
        [OPT_NEW_KEY] = &options->has_new_key,
        [OPT_SAME_KEY] = &options->has_same_key,
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

// A certificate and its key.
static enum outcome check_pair(const char *cert, const char *key, const char *names,
                               struct trouble *trouble)
{
    if ((cert == NULL) != (key == NULL)) {
        return trouble_set(trouble, OUTCOME_USAGE, "%s are needed together", names);
    }
    return OUTCOME_OK;
}

static enum outcome check_pairs(const struct options *options, struct trouble *trouble)
{
    enum outcome outcome =
        check_pair(options->mic_file, options->mic_key_file, "--mic and --mic-key", trouble);
    if (outcome == OUTCOME_OK) {
        outcome = check_pair(options->cert_file, options->cert_key_file, "--cert and --cert-key",
                             trouble);
    }
    if (outcome == OUTCOME_OK) {
        outcome = check_pair(options->mic_ca_file, options->mic_ca_key_file,
                             "--mic-ca and --mic-ca-key", trouble);
    }
    return outcome;
}

// What DHCP gave stands for the three options; a phone has either.
static enum outcome check_together(struct options *options, struct trouble *trouble)
{
    const struct option43 *given = &options->option43;
    if (given->fingerprint.len > 0) {
        if (options->server != NULL || options->pinned.len > 0 || options->challenge != NULL) {
            return trouble_set(trouble, OUTCOME_USAGE,
                               "--option43 has server, fingerprint and challenge in it; no other "
                               "is taken beside it");
        }
        options->server = given->server;
        options->pinned = given->fingerprint;
        if (given->has_challenge) {
            replace_text(&options->challenge, "", given->challenge);
        }
    }
    if (options->server == NULL || options->pinned.len == 0) {
        return trouble_set(trouble, OUTCOME_USAGE,
                           "--server and --fingerprint are needed, or --option43");
    }
    if (options->mic_file != NULL && options->cert_file != NULL) {
        return trouble_set(trouble, OUTCOME_USAGE, "--mic and --cert: one of them signs");
    }
    if (options->transaction_id != NULL && strlen(options->transaction_id) >= TRANSACTION_ID_LEN) {
        return trouble_set(trouble, OUTCOME_USAGE, "--transaction: too long");
    }
    if (options->mic_file != NULL && options->mic_key_file == NULL) {
        // "--mic CERT --key KEY": the new key is made then.
        options->mic_key_file = options->key_file;
        options->key_file = NULL;
    }
    return check_pairs(options, trouble);
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
                                .first_phone = 1};
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
    return check_together(options, trouble);
}

void options_done(struct options *options)
{
    if (options->challenge != NULL) {
        OPENSSL_cleanse(options->challenge, strlen(options->challenge));
    }
    free(options->challenge);
    free(options->common_name_rdn);
    OPENSSL_cleanse(&options->option43, sizeof options->option43);
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
