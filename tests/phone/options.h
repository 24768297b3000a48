// SPDX-License-Identifier: Apache-2.0
// The command line, one table for all commands.
#pragma once

#include "tests/phone/text.h"

#define OPTION_LIST_MAX 40 // values of an option that may be repeated

struct options {
    const char *server;
    const char *fingerprint;
    char *challenge; // owned; NULL = none
    unsigned long challenge_mask;
    const char *rdns[OPTION_LIST_MAX];
    size_t rdn_count;
    const char *dns_names[OPTION_LIST_MAX];
    size_t dns_name_count;
    char *common_name_rdn; // owned; "CN=..." of --cn
    bool is_subject_empty;
    bool use_get;
    bool use_post;
    const EVP_CIPHER *cipher; // NULL = by GetCACaps
    const EVP_MD *digest;     // NULL = by GetCACaps
    unsigned long key_bits;
    const char *transaction_id;
    const char *out;
    const char *key_file;
    const char *save_file;
    const char *send_file;
    bool is_only_prepared;
    unsigned long repeat;   // further times the same octets are sent, one after the other
    unsigned long parallel; // times the same octets are sent at once
    unsigned long phones;
    unsigned long connections;
    const char *cn_prefix;
    bool is_legacy;
};

// Reads argv[first...]; *ret_count words that are no options are left at the end of argv.
// *options is to be done with options_done() whatever is returned. Errors: OUTCOME_USAGE,
// OUTCOME_TROUBLE for a challenge file that cannot be read.
enum outcome options_read(int argc, char **argv, struct options *options,
                          struct trouble *trouble) MUST_CHECK;
void options_done(struct options *options);
void options_print(void);
