// SPDX-License-Identifier: Apache-2.0
// scepctl init: a new CA, and in plain words what to do with it. The one command that does not talk
// to scepd.
#include <stdlib.h>
#include <string.h>

#include "conf/base/clock.h"
#include "conf/base/hex.h"
#include "server/ctl/api.h"
#include "server/ctl/init_files.h"

#define FINGERPRINT_LEN (3 * SHA256_LEN) // bytes of hex pairs with colons and NUL

static enum ctl_exit read_tiers(struct ctl *ctl, const struct ctl_arguments *arguments,
                                struct ceremony_order *order)
{
    const char *text = arguments->options[CTL_TIERS];
    order->is_direct = arguments->options[CTL_DIRECT] != NULL;
    order->tiers = order->is_direct ? 1 : 2;
    if (text == NULL) {
        return CTL_OK;
    }
    if (strcmp(text, "1") != 0 && strcmp(text, "2") != 0) {
        return ctl_complain(ctl, CTL_USAGE, "--tiers: \"%s\"; allowed are 2 and 1", text);
    }
    order->tiers = strcmp(text, "1") == 0 ? 1 : 2;
    if (order->is_direct && order->tiers != 1) {
        return ctl_complain(ctl, CTL_USAGE,
                            "--tiers: \"%s\"; allowed with --direct is 1, because the CA that "
                            "answers is its own root",
                            text);
    }
    return CTL_OK;
}

static enum ctl_exit check_ca_key(struct ctl *ctl, const char *kind)
{
    if (kind != NULL && !ceremony_is_key_kind(kind)) {
        return ctl_complain(ctl, CTL_USAGE,
                            "--ca-key: \"%s\"; allowed are rsa:2048, rsa:3072, rsa:4096, "
                            "ec:P-256, ec:P-384",
                            kind);
    }
    return CTL_OK;
}

// *ret_path is absolute, because the settings file is in another directory; the caller frees it.
static enum ctl_exit resolve_static_file(struct ctl *ctl, const char *path, char **ret_path)
{
    if (path == NULL) {
        return CTL_OK;
    }
    *ret_path = realpath(path, NULL);
    if (*ret_path == NULL) {
        return ctl_complain(ctl, CTL_USAGE, "--static-challenge-file: cannot find %s: %m", path);
    }
    return CTL_OK;
}

static const char *with_colons(struct view octets, char text[FINGERPRINT_LEN])
{
    for (size_t i = 0; i < octets.len; i++) {
        hex_encode(view_of(octets.data + i, 1), text + 3 * i);
        text[3 * i + 2] = i + 1 < octets.len ? ':' : '\0';
    }
    return text;
}

static void print_fingerprint(FILE *out, const char *name, struct view octets)
{
    char text[FINGERPRINT_LEN];
    fprintf(out, "  %s\n    for phones  %s\n", name, hex_encode(octets, text));
    fprintf(out, "    as pairs    %s\n", with_colons(octets, text));
}

static void print_keys(FILE *out, const struct init_plan *plan, const char *directory)
{
    if (plan->order.tiers > 1) {
        fprintf(out,
                "The root CA's key is %s/" INIT_ROOT_KEY ".\n"
                "  scepd never reads it. Move it to an offline medium now, keep a copy in another\n"
                "  place, and remove it from this machine. It is needed only to make another\n"
                "  issuing CA.\n"
                "The issuing CA's key is %s/" INIT_CA_KEY ".\n"
                "  It must stay: scepd-ca signs the phones' certificates with it.\n",
                directory, directory);
    } else {
        fprintf(out,
                "The CA's key is %s/" INIT_CA_KEY ".\n"
                "  It is the root's key and must stay on this machine: scepd-ca signs the phones'\n"
                "  certificates with it. With two tiers the root's key could go offline.\n",
                directory);
    }
}

static void print_words(FILE *out, const struct init_plan *plan, const struct init_result *result)
{
    fprintf(out, "A new CA of %s is in %s.\n", plan->order.tiers > 1 ? "two tiers" : "one tier",
            result->directory);
    if (plan->order.is_direct) {
        fputs("It answers SCEP itself: there is no RA.\n", out);
    }
    print_keys(out, plan, result->directory);
    fputs("Fingerprints of the root, of which a phone needs one (CDC_Root_CA_Fingerprint_1_):\n",
          out);
    print_fingerprint(out, "SHA-256", view_of(result->root_sha256, sizeof result->root_sha256));
    print_fingerprint(out, "SHA-1", view_of(result->root_sha1, sizeof result->root_sha1));
    fprintf(out, "Next: look through %s/" INIT_CONFIG ", then scepd -c %s/" INIT_CONFIG "\n",
            result->directory, result->directory);
}

static json_t *path_json(const char *directory, const char *name)
{
    return json_sprintf("%s/%s", directory, name);
}

static enum ctl_exit print_json(struct ctl *ctl, const struct init_plan *plan,
                                const struct init_result *result)
{
    char sha256[FINGERPRINT_LEN];
    char sha1[FINGERPRINT_LEN];
    const char *directory = result->directory;
    bool has_root = plan->order.tiers > 1;
    hex_encode(view_of(result->root_sha256, sizeof result->root_sha256), sha256);
    hex_encode(view_of(result->root_sha1, sizeof result->root_sha1), sha1);
    CLEANUP(api_decref)
    json_t *answer =
        json_pack("{s:s, s:o, s:o, s:o, s:o, s:s, s:s}",                                        //
                  "directory", directory,                                                       //
                  "config", path_json(directory, INIT_CONFIG),                                  //
                  "root_certificate",                                                           //
                  path_json(directory, has_root ? INIT_ROOT_CERTIFICATE : INIT_CA_CERTIFICATE), //
                  "root_key", path_json(directory, has_root ? INIT_ROOT_KEY : INIT_CA_KEY),     //
                  "root_key_can_go_offline", json_boolean(has_root),                            //
                  "root_sha256", sha256,                                                        //
                  "root_sha1", sha1);
    return api_print(ctl, answer);
}

static enum ctl_exit make(struct ctl *ctl, const struct init_plan *plan)
{
    struct err err = {0};
    struct init_result result = {0};
    enum err_code code = init_files(plan, ctl->errors, &result, &err);
    if (code != ERR_OK) {
        return ctl_complain(ctl, code == ERR_CONFIG || code == ERR_LIMIT ? CTL_USAGE : CTL_FAILED,
                            "%s", err.text);
    }
    enum ctl_exit exit = CTL_OK;
    if (ctl->is_json) {
        exit = print_json(ctl, plan, &result);
    } else {
        print_words(ctl->out, plan, &result);
    }
    if (plan->static_file != NULL) {
        ctl_complain(ctl, CTL_OK,
                     "warning: everybody who knows the password in %s can get a certificate for "
                     "any phone's name, as long as challenge.static_file is set; one-time "
                     "challenges (scepctl challenge new) do not have this weakness",
                     plan->static_file);
    }
    free(result.directory);
    return exit;
}

static enum ctl_exit run(struct ctl *ctl, const struct ctl_arguments *arguments)
{
    struct init_plan plan = {
        .directory = arguments->operand,
        .listen = arguments->options[CTL_LISTEN],
        .order = {.ca_key = arguments->options[CTL_CA_KEY],
                  .organization = arguments->options[CTL_ORGANIZATION],
                  .now = clock_now()},
    };
    char *static_file = NULL;
    enum ctl_exit code = read_tiers(ctl, arguments, &plan.order);
    if (code == CTL_OK) {
        code = check_ca_key(ctl, plan.order.ca_key);
    }
    if (code == CTL_OK) {
        code =
            resolve_static_file(ctl, arguments->options[CTL_STATIC_CHALLENGE_FILE], &static_file);
    }
    if (code == CTL_OK) {
        plan.static_file = static_file;
        code = make(ctl, &plan);
    }
    free(static_file);
    return code;
}

static const struct ctl_option options[] = {
    {"listen", CTL_LISTEN, "ADDR:PORT", "where phones reach scepd (0.0.0.0:8080)"},
    {"tiers", CTL_TIERS, "2|1",
     "2: a root whose key can go offline and an issuing CA; 1: one CA for both (2)"},
    {"direct", CTL_DIRECT, NULL,
     "one CA that answers SCEP itself, without an RA: only for clients that accept nothing but\n"
     "          one CA certificate, because scepd-ca then works with what strangers send"},
    {"ca-key", CTL_CA_KEY, "KIND",
     "key of the issuing CA, or of the one CA: rsa:2048, rsa:3072, rsa:4096, ec:P-256,\n"
     "          ec:P-384 (rsa:2048). The root's key is rsa:3072, or rsa:4096 above rsa:4096, or "
     "of\n"
     "          the same curve. The RA's is rsa:2048, because phones encrypt to it."},
    {"organization", CTL_ORGANIZATION, "NAME", "organization (O) in the CA's names (none)"},
    {"static-challenge-file", CTL_STATIC_CHALLENGE_FILE, "FILE",
     "accept the password in FILE's first line from every phone; one-time challenges are safer"},
    {0},
};

const struct ctl_command ctl_init = {
    .name = "init",
    .operand = "DIR",
    .summary = "Make a new CA and scepd.conf in DIR. Nothing that exists is overwritten.",
    .options = options,
    .run = run,
};
