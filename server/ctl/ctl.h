// SPDX-License-Identifier: Apache-2.0
// scepctl's frame: global options, the table of commands, their arguments and exit codes. Commands
// write what was asked for to `out` and what went wrong to `errors`, and return an exit code.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "conf/base/err.h"

#define CTL_DEFAULT_CONFIG "/etc/scepd/scepd.conf"
#define CTL_KEY_KINDS      "rsa:2048|rsa:3072|rsa:4096|ec:P-256|ec:P-384" // of a CA

enum ctl_exit {
    CTL_OK = 0,
    CTL_FAILED = 1, // scepd said no, or cannot be reached, or something could not be made
    CTL_USAGE = 2,  // the command line or the configuration is wrong
};

struct ctl {
    FILE *out;
    FILE *errors;
    const char *config; // settings file
    const char *socket; // of the administrator; NULL = the settings name it
    bool is_json;
};

enum ctl_option_key {
    CTL_CN,
    CTL_MAC,
    CTL_TTL,
    CTL_USES,
    CTL_LIMIT,
    CTL_LISTEN,
    CTL_TIERS,
    CTL_CA_KEY,
    CTL_ORGANIZATION,
    CTL_STATIC_CHALLENGE_FILE,
    CTL_DIRECT,
    CTL_ROOT_KEY,
    CTL_ROOT_PIN_FILE,
    CTL_KEY,
    CTL_KEY_PIN_FILE,
    CTL_SERIAL,
    CTL_MODEL,
    CTL_NOTE,
    CTL_DAYS,
    CTL_REASON,
    CTL_SERVER,
    CTL_FIPS,
    CTL_CHALLENGE_FILE,
    CTL_NEW_CHALLENGE,
    CTL_DOT1X,
    CTL_CERTIFICATE,
    CTL_HASH,
    CTL_FORMAT,
    CTL_DECODE,
    CTL_DOMAIN,
    CTL_FINGERPRINT,
    CTL_MIC,
    CTL_MIC_KEY,
    CTL_PASSWORD_FILE,
    CTL_OUT,
    CTL_DIGEST,
    CTL_CHECK_DNS,
    CTL_ADDRESS,
    CTL_EXISTING_CA,
    CTL_CHAIN,
    CTL_SUBORDINATE,
    CTL_WITHOUT_KEYS,
    CTL_INTO,
    CTL_CHALLENGE,
    CTL_DIRECTORY,
    CTL_LEGACY,
    CTL_OCSP,
    CTL_URL,
    CTL_ALL,
    CTL_OPTION_COUNT
};

#define CTL_COMMAND_OPTIONS 16 // most options of one command
#define CTL_GLOBAL_OPTIONS  5
#define CTL_NAME_WORDS      3  // most words that name a command
#define CTL_NAME_LEN        64 // bytes of these words

// An option that one command knows.
struct ctl_option {
    const char *name; // without the dashes; NULL ends a list
    enum ctl_option_key key;
    // What the value is; NULL = the option has none. For the help and for completion in shells:
    // words with a capital at their beginning stand for something ("CN", "FILE.csv", "URI|FILE",
    // "DIR"), others are the value itself ("pem|csv|jsonl").
    const char *value;
    const char *help;
};

// An option that all commands know; also in front of the command.
struct ctl_global_option {
    const char *name;
    int key;        // getopt's
    bool is_letter; // the key is a short form of the option
    const char *value;
    const char *help;
};
extern const struct ctl_global_option ctl_global_options[CTL_GLOBAL_OPTIONS];

struct ctl_arguments {
    const char *options[CTL_OPTION_COUNT]; // NULL = not given; "" = one without a value was
    const char *operand;                   // NULL = the command takes none, or none was given
};

struct ctl_command {
    const char *name;
    const char *action;  // second word ("new"); NULL = the command is one word
    const char *step;    // third word; NULL = it has no more than two
    const char *operand; // what the one operand is, like an option's value; NULL = takes none
    bool is_operand_optional;
    const char *summary;
    const struct ctl_option *options; // NULL = none
    enum ctl_exit (*run)(struct ctl *ctl, const struct ctl_arguments *arguments);
};
extern const struct ctl_command ctl_init;
extern const struct ctl_command ctl_backup;
extern const struct ctl_command ctl_restore;
extern const struct ctl_command ctl_export;
extern const struct ctl_command ctl_challenge_new;
extern const struct ctl_command ctl_challenge_list;
extern const struct ctl_command ctl_challenge_revoke;
extern const struct ctl_command ctl_device_add;
extern const struct ctl_command ctl_device_import;
extern const struct ctl_command ctl_device_list;
extern const struct ctl_command ctl_device_remove;
extern const struct ctl_command ctl_device_show;
extern const struct ctl_command ctl_due;
extern const struct ctl_command ctl_fingerprint;
extern const struct ctl_command ctl_list;
extern const struct ctl_command ctl_log;
extern const struct ctl_command ctl_mic_check;
extern const struct ctl_command ctl_pending_list;
extern const struct ctl_command ctl_pending_show;
extern const struct ctl_command ctl_pending_approve;
extern const struct ctl_command ctl_pending_deny;
extern const struct ctl_command ctl_phone_cfgxml;
extern const struct ctl_command ctl_phone_option43;
extern const struct ctl_command ctl_phone_try;
extern const struct ctl_command ctl_revoke;
extern const struct ctl_command ctl_show;
extern const struct ctl_command ctl_status;
extern const struct ctl_command ctl_watch;
extern const struct ctl_command ctl_rollover_prepare;
extern const struct ctl_command ctl_rollover_activate;
extern const struct ctl_command ctl_rollover_cancel;
extern const struct ctl_command ctl_rollover_status;
extern const struct ctl_command ctl_server_cert_sign;
extern const struct ctl_command ctl_server_cert_apache;
extern const struct ctl_command ctl_server_cert_nginx;
extern const struct ctl_command ctl_phone_p12;
extern const struct ctl_command ctl_radius_freeradius;
extern const struct ctl_command ctl_completion;

// All commands, in the order of the help.
const struct ctl_command *const *ctl_commands(size_t *ret_count);
// The words that name a command; returns how many.
int ctl_words(const struct ctl_command *command, const char *words[CTL_NAME_WORDS]);
// The same with spaces between them, in `name`.
const char *ctl_name(const struct ctl_command *command, char name[CTL_NAME_LEN]);

// The whole program but for main(): reads the command line and runs the command.
enum ctl_exit ctl_main(int argc, char **argv, FILE *out, FILE *errors);

// Writes "scepctl: <format...>" and a newline to `errors`, with everything that could move a
// terminal's cursor escaped. Returns `code`.
enum ctl_exit ctl_complain(struct ctl *ctl, enum ctl_exit code, const char *format, ...)
    PRINTF_LIKE(3, 4);
