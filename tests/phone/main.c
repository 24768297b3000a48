// SPDX-License-Identifier: Apache-2.0
// phone: a simulated Cisco phone and load generator for tests.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>
#include <openssl/provider.h>

#include "tests/phone/commands.h"
#include "tests/phone/request.h"

static void print_usage(void)
{
    puts("phone enroll --server URL --fingerprint HEX [options]   enrol once\n"
         "phone renew --cert FILE --cert-key FILE [options]       renew once\n"
         "phone poll --state DIR [options]                        ask for what was pending\n"
         "phone getcert --serial HEX | --cert FILE [options]      ask for a certificate\n"
         "phone getcrl [options]                                  ask for the CRL\n"
         "phone getnextca [options]                               ask for the next CA\n"
         "phone bench --server URL --fingerprint HEX [options]    enrol many, measure\n"
         "phone hostile NAME|all --server URL --fingerprint HEX   send bad input\n"
         "phone hostile list                                      name the cases\n"
         "Exit: 0 good, 1 bench or hostile found a fault, 2 usage, 3 refused, 4 server or\n"
         "transport trouble, 5 the answer cannot be trusted, 6 pending.\n"
         "Options:");
    options_print();
}

static const struct {
    const char *name;
    enum outcome (*run)(const struct options *options, struct trouble *trouble);
} commands[] = {
    {"enroll", command_enroll},   {"renew", command_renew},   {"poll", command_poll},
    {"getcert", command_getcert}, {"getcrl", command_getcrl}, {"getnextca", command_getnextca},
    {"bench", command_bench},
};

struct providers {
    OSSL_PROVIDER *legacy;
    OSSL_PROVIDER *standard;
};

// Single DES lives in OpenSSL's legacy provider: for old servers' answers, and for sending what a
// server must refuse.
static enum outcome providers_load(struct providers *providers, struct trouble *trouble)
{
    providers->legacy = OSSL_PROVIDER_load(NULL, "legacy");
    providers->standard = OSSL_PROVIDER_load(NULL, "default");
    if (providers->legacy == NULL || providers->standard == NULL) {
        return trouble_openssl(trouble, OUTCOME_TROUBLE, "OpenSSL's legacy provider");
    }
    return OUTCOME_OK;
}

static void providers_done(struct providers *providers)
{
    if (providers->legacy != NULL) {
        OSSL_PROVIDER_unload(providers->legacy);
    }
    if (providers->standard != NULL) {
        OSSL_PROVIDER_unload(providers->standard);
    }
}

static bool needs_legacy(const char *command, const struct options *options)
{
    bool is_des = options->cipher != NULL && EVP_CIPHER_get_nid(options->cipher) == NID_des_cbc;
    return options->is_legacy || is_des || strcmp(command, "hostile") == 0;
}

static enum outcome run(const char *command, const char *name, const struct options *options,
                        struct trouble *trouble)
{
    CLEANUP(providers_done) struct providers providers = {0};
    enum outcome outcome =
        needs_legacy(command, options) ? providers_load(&providers, trouble) : OUTCOME_OK;
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    for (size_t i = 0; name == NULL && i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(command, commands[i].name) == 0) {
            return commands[i].run(options, trouble);
        }
    }
    if (strcmp(command, "hostile") == 0 && name != NULL) {
        return command_hostile(name, options, trouble);
    }
    return trouble_set(trouble, OUTCOME_USAGE, "see phone --help");
}

int main(int argc, char **argv)
{
    const char *command = argc > 1 ? argv[1] : "--help";
    if (strcmp(command, "--help") == 0) {
        print_usage();
        return argc > 1 ? OUTCOME_OK : OUTCOME_USAGE;
    }
    bool has_name = argc > 2 && argv[2][0] != '-';
    if (strcmp(command, "hostile") == 0 && has_name && strcmp(argv[2], "list") == 0) {
        command_hostile_list();
        return OUTCOME_OK;
    }
    require(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK, "starting libcurl");
    scep_register();
    struct trouble trouble = {0};
    int skip = has_name ? 2 : 1;
    CLEANUP(options_done) struct options options = {0};
    enum outcome outcome = options_read(argc - skip, argv + skip, &options, &trouble);
    if (outcome == OUTCOME_OK) {
        outcome = run(command, has_name ? argv[2] : NULL, &options, &trouble);
    }
    fflush(stdout);
    if (outcome != OUTCOME_OK && trouble.text[0] != '\0') {
        fprintf(stderr, "phone: %s\n", trouble.text);
    }
    curl_global_cleanup();
    return (int)outcome;
}
