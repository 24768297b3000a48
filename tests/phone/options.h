// SPDX-License-Identifier: Apache-2.0
// The command line, one table for all commands.
#pragma once

#include "tests/phone/option43.h"

#define OPTION_LIST_MAX 40 // values of an option that may be repeated

// How bench's phones prove who they are.
enum bench_mode { BENCH_CHALLENGE, BENCH_MIC, BENCH_RENEW };

struct options {
    const char *server;
    struct fingerprint pinned; // of the root
    struct option43 option43;  // what --option43 said; server, pinned and challenge are from it
    char *challenge;           // owned; NULL = none
    unsigned long challenge_mask;
    const char *rdns[OPTION_LIST_MAX];
    size_t rdn_count;
    const char *dns_names[OPTION_LIST_MAX];
    size_t dns_name_count;
    char *common_name_rdn; // owned; "CN=..." of --cn
    const char *domain;    // behind a MIC's common name
    bool is_subject_empty;
    bool use_get;
    bool use_post;
    const EVP_CIPHER *cipher; // NULL = by GetCACaps
    const EVP_MD *digest;     // NULL = by GetCACaps
    unsigned long key_bits;
    const char *message_type; // NULL = the command's own
    const char *user_agent;
    const char *transaction_id;
    const char *next_file; // encrypt to the RA in it
    const char *out;
    const char *state;
    const char *key_file;
    const char *mic_file;
    const char *mic_key_file;
    const char *mic_chain_file;
    const char *cert_file;
    const char *cert_key_file;
    bool has_new_key;
    bool has_same_key;
    const char *issuer_file;
    const char *serial;
    const char *save_file;
    const char *send_file;
    bool is_only_prepared;
    unsigned long repeat;   // further times the same octets are sent, one after the other
    unsigned long parallel; // times the same octets are sent at once
    unsigned long wait_sec; // until a pending request is decided; 0 = not at all
    enum bench_mode mode;
    unsigned long phones;
    unsigned long first_phone; // number of the first one
    unsigned long connections;
    const char *cn_prefix; // NULL = the mode's own
    const char *mic_ca_file;
    const char *mic_ca_key_file;
    const char *mic_folder;
    bool is_legacy;
};

// Reads argv and sees to what belongs together. *options holds pointers into argv and into itself:
// it must not be copied. It is to be done with options_done() whatever is returned. Errors:
// OUTCOME_USAGE, OUTCOME_TROUBLE for a file that cannot be read.
enum outcome options_read(int argc, char **argv, struct options *options,
                          struct trouble *trouble) MUST_CHECK;
void options_done(struct options *options);
void options_print(void);
