// SPDX-License-Identifier: Apache-2.0
// scepctl phone try: walks a phone's way to its certificate against any SCEP server. It needs no
// scepd and no settings.
#include <stdlib.h>
#include <string.h>

#include "conf/base/clock.h"
#include "conf/base/private_key.h"
#include "conf/cert_file.h"
#include "conf/limits.h"
#include "server/ctl/folder.h"
#include "server/ctl/phone/phone_pin.h"
#include "server/ctl/phone/phone_report.h"
#include "server/ctl/secret_file.h"
#include "server/phone/macro.h"
#include "server/phone/words.h"

// A phone that there is not: model as in Cisco's examples, MAC address of zeroes.
#define TRIAL_PHONE "CP-9871-SEP000000000000"

// What the command line asked for, read.
struct attempt {
    struct phone_address address;
    struct trial_plan plan;
    struct buf challenge;
    X509 *mic;
    STACK_OF(X509) * mics; // what came behind it in its file
    EVP_PKEY *mic_key;
    char common_name[MACRO_TEXT_LEN];
};

static void attempt_done(struct attempt *attempt)
{
    buf_wipe(&attempt->challenge);
    free_cert_stack(attempt->mics);
    X509_free(attempt->mic);
    EVP_PKEY_free(attempt->mic_key);
}

static enum ctl_exit take_fingerprint(struct ctl *ctl, const char *text, struct attempt *attempt)
{
    if (text == NULL) {
        return ctl_complain(ctl, CTL_USAGE,
                            "phone try needs --fingerprint: a phone knows its root by nothing "
                            "else");
    }
    return phone_pin_read(ctl, text, NULL, &attempt->plan.pin);
}

static enum ctl_exit take_challenge(struct ctl *ctl, const struct ctl_arguments *arguments,
                                    struct attempt *attempt)
{
    struct err err = {0};
    const char *text = arguments->options[CTL_CHALLENGE];
    const char *path = arguments->options[CTL_CHALLENGE_FILE];
    if (text != NULL && path != NULL) {
        return ctl_complain(ctl, CTL_USAGE, "--challenge and --challenge-file exclude each other");
    }
    if (text != NULL) {
        ctl_complain(ctl, CTL_OK,
                     "warning: everybody on this machine can see --challenge; "
                     "--challenge-file FILE keeps it secret");
        if (text[0] == '\0' || strlen(text) > LIMIT_CHALLENGE_LEN) {
            return ctl_complain(ctl, CTL_USAGE, "--challenge has %zu octets; allowed are 1 to %d",
                                strlen(text), LIMIT_CHALLENGE_LEN);
        }
        if (buf_copy(view_of_text(text), &attempt->challenge, &err) != ERR_OK) {
            return ctl_complain(ctl, CTL_FAILED, "%s", err.text);
        }
    }
    if (path != NULL) {
        if (secret_file_read(path, LIMIT_CHALLENGE_LEN, &attempt->challenge, &err) != ERR_OK) {
            return ctl_complain(ctl, CTL_USAGE, "--challenge-file: %s", err.text);
        }
        secret_file_warn(ctl, path);
    }
    attempt->plan.challenge = buf_view(&attempt->challenge);
    return CTL_OK;
}

static enum ctl_exit load_mic(struct ctl *ctl, const char *path, const char *key,
                              struct attempt *attempt)
{
    struct err err = {0};
    attempt->mics = sk_X509_new_null();
    if (attempt->mics == NULL) {
        return ctl_complain(ctl, CTL_FAILED, "out of memory");
    }
    if (cert_file_read_all(path, attempt->mics, &err) != ERR_OK) {
        return ctl_complain(ctl, CTL_USAGE, "--mic: %s", err.text);
    }
    if (private_key_load(key, NULL, &attempt->mic_key, &err) != ERR_OK) {
        return ctl_complain(ctl, CTL_USAGE, "--mic-key: %s", err.text);
    }
    attempt->mic = sk_X509_shift(attempt->mics);
    if (EVP_PKEY_eq(attempt->mic_key, X509_get0_pubkey(attempt->mic)) != 1) {
        return ctl_complain(ctl, CTL_USAGE, "%s is not the key of the first certificate in %s", key,
                            path);
    }
    return CTL_OK;
}

static enum ctl_exit take_mic(struct ctl *ctl, const struct ctl_arguments *arguments,
                              struct attempt *attempt)
{
    const char *path = arguments->options[CTL_MIC];
    const char *key = arguments->options[CTL_MIC_KEY];
    if (key != NULL && arguments->options[CTL_KEY] != NULL) {
        return ctl_complain(ctl, CTL_USAGE, "--mic-key and --key are the same; give one of them");
    }
    key = key != NULL ? key : arguments->options[CTL_KEY];
    if ((path == NULL) != (key == NULL)) {
        return ctl_complain(ctl, CTL_USAGE, "--mic and --mic-key (or --key) belong together");
    }
    if (path == NULL) {
        return CTL_OK;
    }
    if (attempt->challenge.len > 0) {
        return ctl_complain(ctl, CTL_USAGE,
                            "a phone with a challenge does not sign with its MIC; "
                            "give either --challenge-file or --mic");
    }
    enum ctl_exit code = load_mic(ctl, path, key, attempt);
    attempt->plan.mic = attempt->mic;
    attempt->plan.mic_key = attempt->mic_key;
    attempt->plan.mic_chain = attempt->mics;
    return code;
}

// As it was given, else the MIC's, else that of a phone that there is not.
static enum ctl_exit take_common_name(struct ctl *ctl, const char *given, struct attempt *attempt)
{
    struct err err = {0};
    bool is_left = false;
    char own[WORDS_NAME_LEN] = TRIAL_PHONE;
    if (attempt->mic != NULL) {
        words_common_name(attempt->mic, own);
    }
    if (given == NULL && own[0] == '\0') {
        return ctl_complain(ctl, CTL_USAGE, "the MIC has no common name; --cn CN gives one");
    }
    const struct macro_phone phone = macro_phone_of(own);
    if (macro_expand(given != NULL ? given : own, &phone, attempt->common_name, &is_left, &err) !=
        ERR_OK) {
        return ctl_complain(ctl, CTL_USAGE, "--cn: %s", err.text);
    }
    if (is_left) {
        ctl_complain(ctl, CTL_OK,
                     "warning: \"%s\" still has a macro in it, for which a phone puts in its own "
                     "value; known here are $MA, $MAU, $MAC and $PN",
                     attempt->common_name);
    }
    attempt->plan.common_name = attempt->common_name;
    return CTL_OK;
}

static bool has_credential(const struct attempt *attempt)
{
    return attempt->mic != NULL || attempt->challenge.len > 0;
}

static enum ctl_exit read_arguments(struct ctl *ctl, const struct ctl_arguments *arguments,
                                    struct attempt *attempt)
{
    struct err err = {0};
    if (phone_address_read(arguments->operand, &attempt->address, &err) != ERR_OK) {
        return ctl_complain(ctl, CTL_USAGE, "%s", err.text);
    }
    attempt->plan.address = &attempt->address;
    attempt->plan.given = arguments->operand;
    attempt->plan.is_fips = arguments->options[CTL_FIPS] != NULL;
    attempt->plan.now = clock_now();
    attempt->plan.timeout_sec = TRIAL_TIMEOUT_SEC;
    enum ctl_exit code = take_fingerprint(ctl, arguments->options[CTL_FINGERPRINT], attempt);
    if (code == CTL_OK) {
        code = take_challenge(ctl, arguments, attempt);
    }
    if (code == CTL_OK) {
        code = take_mic(ctl, arguments, attempt);
    }
    if (code == CTL_OK) {
        code = take_common_name(ctl, arguments->options[CTL_CN], attempt);
    }
    if (code == CTL_OK && arguments->options[CTL_OUT] != NULL && !has_credential(attempt)) {
        return ctl_complain(ctl, CTL_USAGE,
                            "--out keeps a certificate; without --challenge-file "
                            "or --mic none is asked for");
    }
    return code;
}

static enum ctl_exit walk(struct ctl *ctl, const struct attempt *attempt, struct folder *folder)
{
    struct err err = {0};
    bool is_kept = false;
    CLEANUP(findings_done) struct findings findings = {0};
    CLEANUP(trial_result_done) struct trial_result result = {0};
    if (trial_run(&attempt->plan, &findings, &result, &err) != ERR_OK) {
        return ctl_complain(ctl, CTL_FAILED, "%s", err.text);
    }
    enum ctl_exit kept = CTL_OK;
    if (folder != NULL) {
        kept = phone_report_keep(ctl, folder, &result, &is_kept);
    }
    const struct phone_report report = {
        .server = attempt->plan.given,
        .findings = &findings,
        .result = &result,
        .folder = is_kept ? folder->path : NULL,
    };
    enum ctl_exit code = phone_report_print(ctl, &report);
    return code == CTL_OK ? kept : code;
}

static enum ctl_exit run(struct ctl *ctl, const struct ctl_arguments *arguments)
{
    struct err err = {0};
    CLEANUP(attempt_done) struct attempt attempt = {0};
    CLEANUP(folder_done) struct folder folder = {0};
    const char *path = arguments->options[CTL_OUT];
    enum ctl_exit code = read_arguments(ctl, arguments, &attempt);
    if (code != CTL_OK) {
        return code;
    }
    // Before the server is asked: what cannot be kept need not be issued.
    if (path != NULL && folder_open(path, phone_report_files, &folder, &err) != ERR_OK) {
        return ctl_complain(ctl, CTL_USAGE, "--out: %s", err.text);
    }
    return walk(ctl, &attempt, path != NULL ? &folder : NULL);
}

static const struct ctl_option options[] = {
    {"fingerprint", CTL_FINGERPRINT, "HEX|FILE",
     "of the root, as phones are given it, or a file with the root"},
    {"challenge-file", CTL_CHALLENGE_FILE, "FILE",
     "ask for a certificate with the challenge in the first line of FILE; - is standard input"},
    {"challenge", CTL_CHALLENGE, "TEXT", "the same, in view of everybody on this machine"},
    {"mic", CTL_MIC, "FILE",
     "ask for one by this manufacturer's certificate; its chain may follow"},
    {"mic-key", CTL_MIC_KEY, "FILE", "the key of --mic"},
    {"key", CTL_KEY, "FILE", "the same as --mic-key"},
    {"cn", CTL_CN, "CN",
     "the common name to ask for (the MIC's, or " TRIAL_PHONE "); macros $MA, $MAU, $MAC, $PN"},
    {"fips", CTL_FIPS, NULL, "as a phone in FIPS mode: what is weak is a problem"},
    {"out", CTL_OUT, "DIR", "keep key.pem, cert.pem and ca-certs.pem in DIR"},
    {0},
};

const struct ctl_command ctl_phone_try = {
    .name = "phone",
    .action = "try",
    .operand = "URL",
    .summary = "Do what a phone would do at a SCEP server, and say what a phone makes of it.",
    .options = options,
    .run = run,
};
