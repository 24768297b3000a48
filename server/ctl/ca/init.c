// SPDX-License-Identifier: Apache-2.0
// scepctl init: a CA for this server, a new one or one that exists or that an outside CA signs.
// Does not talk to scepd.
#include <stdlib.h>
#include <string.h>

#include "ca/ceremony_adopt.h"
#include "conf/base/clock.h"
#include "conf/schema.h"
#include "conf/syntax.h"
#include "server/ctl/ca/init_words.h"
#include "server/phone/address.h"

static const struct ctl_option options[] = {
    {"listen", CTL_LISTEN, "ADDR:PORT", "where phones reach scepd (0.0.0.0:8080); with DIR only"},
    {"url", CTL_URL, "URL",
     "where those who check certificates reach scepd, http://HOST[:PORT]; it goes into each of\n"
     "          them as the place of CRL, OCSP and issuer, so take a name that will stay"},
    {"tiers", CTL_TIERS, "2|1",
     "2: a root whose key can go offline and an issuing CA; 1: one CA for both (2)"},
    {"direct", CTL_DIRECT, NULL,
     "one CA that answers SCEP itself, without an RA: only for clients that accept nothing but\n"
     "          one CA certificate, because scepd-ca then works with what strangers send"},
    {"ca-key", CTL_CA_KEY, CTL_KEY_KINDS,
     "key of the issuing CA, or of the one CA (rsa:2048). The root's key is rsa:3072, or\n"
     "          rsa:4096 above rsa:4096, or of the same curve. The RA's is rsa:2048, because\n"
     "          phones encrypt to it."},
    {"organization", CTL_ORGANIZATION, "NAME", "organization (O) in the CA's names (none)"},
    {"static-challenge-file", CTL_STATIC_CHALLENGE_FILE, "FILE",
     "accept the password in FILE's first line from every phone; one-time challenges are safer"},
    {"key", CTL_KEY, "URI|FILE",
     "key of the issuing CA, or of the one CA, that is there already; a URI names one in a token\n"
     "          (pkcs11:token=...;object=...), where it stays"},
    {"pin-file", CTL_KEY_PIN_FILE, "FILE",
     "file whose first line opens that key; a copy of it is kept beside the certificate"},
    {"existing-ca", CTL_EXISTING_CA, "FILE",
     "work with the CA that has this certificate and --key, instead of a new one"},
    {"chain", CTL_CHAIN, "FILE",
     "certificates above it, up to the root; not for a CA that is its own root"},
    {"subordinate", CTL_SUBORDINATE, NULL,
     "the CA is to be signed by an outside one: makes its key and a request; when the\n"
     "          certificate has come, once more with --certificate and --chain"},
    {"certificate", CTL_CERTIFICATE, "FILE", "the certificate that came"},
    {0},
};

static void free_text(char **text)
{
    free(*text);
}

static const char *name_of(enum ctl_option_key key)
{
    const struct ctl_option *option = options;
    while (option->name != NULL && option->key != key) {
        option++;
    }
    return option->name;
}

// Options that contradict each other.
static enum ctl_exit check_pairs(struct ctl *ctl, const char *const *given)
{
    static const enum ctl_option_key pairs[][2] = {
        {CTL_EXISTING_CA, CTL_SUBORDINATE},
        {CTL_EXISTING_CA, CTL_TIERS},
        {CTL_SUBORDINATE, CTL_TIERS},
        {CTL_SUBORDINATE, CTL_DIRECT},
        {CTL_KEY, CTL_CA_KEY},
        {CTL_CERTIFICATE, CTL_KEY},
        {CTL_CERTIFICATE, CTL_CA_KEY},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        if (given[pairs[i][0]] != NULL && given[pairs[i][1]] != NULL) {
            return ctl_complain(ctl, CTL_USAGE,
                                "--%s and --%s contradict each other; allowed is "
                                "one of them",
                                name_of(pairs[i][0]), name_of(pairs[i][1]));
        }
    }
    return CTL_OK;
}

// Options that mean nothing without another one.
static enum ctl_exit check_needs(struct ctl *ctl, const char *const *given)
{
    static const enum ctl_option_key needs[][2] = {
        {CTL_EXISTING_CA, CTL_KEY},
        {CTL_CERTIFICATE, CTL_SUBORDINATE},
        {CTL_KEY_PIN_FILE, CTL_KEY},
    };
    for (size_t i = 0; i < sizeof needs / sizeof needs[0]; i++) {
        if (given[needs[i][0]] != NULL && given[needs[i][1]] == NULL) {
            return ctl_complain(ctl, CTL_USAGE, "--%s needs --%s", name_of(needs[i][0]),
                                name_of(needs[i][1]));
        }
    }
    if (given[CTL_CHAIN] != NULL && given[CTL_EXISTING_CA] == NULL &&
        given[CTL_CERTIFICATE] == NULL) {
        return ctl_complain(ctl, CTL_USAGE, "--chain needs --existing-ca or --certificate");
    }
    bool is_request = given[CTL_SUBORDINATE] != NULL && given[CTL_CERTIFICATE] == NULL;
    static const enum ctl_option_key later[] = {CTL_LISTEN, CTL_URL, CTL_STATIC_CHALLENGE_FILE};
    for (size_t i = 0; is_request && i < sizeof later / sizeof later[0]; i++) {
        if (given[later[i]] != NULL) {
            return ctl_complain(ctl, CTL_USAGE,
                                "--%s belongs to the second step, with --certificate",
                                name_of(later[i]));
        }
    }
    return CTL_OK;
}

static enum ctl_exit check_url(struct ctl *ctl, const char *url)
{
    struct err err = {0};
    struct phone_address address;
    if (url == NULL) {
        return CTL_OK;
    }
    if (phone_address_read(url, &address, &err) != ERR_OK) {
        return ctl_complain(ctl, CTL_USAGE, "--url: %s; allowed is http://HOST[:PORT]", err.text);
    }
    if (!address.has_scheme || strcmp(address.scheme, "http") != 0 || address.has_path) {
        return ctl_complain(ctl, CTL_USAGE,
                            "--url: \"%s\"; allowed is http://HOST[:PORT] without a path: what "
                            "checks certificates fetches CRLs by plain HTTP, and scepd knows the "
                            "paths",
                            url);
    }
    return CTL_OK;
}

static void choose_way(const char *const *given, struct init_plan *plan)
{
    plan->chain = given[CTL_CHAIN];
    if (given[CTL_EXISTING_CA] != NULL) {
        plan->way = INIT_EXISTING;
        plan->certificate = given[CTL_EXISTING_CA];
    } else if (given[CTL_CERTIFICATE] != NULL) {
        plan->way = INIT_FINISHED;
        plan->certificate = given[CTL_CERTIFICATE];
    } else {
        plan->way = given[CTL_SUBORDINATE] != NULL ? INIT_REQUESTED : INIT_NEW;
    }
}

static enum ctl_exit read_tiers(struct ctl *ctl, const struct ctl_arguments *arguments,
                                struct ceremony_order *order)
{
    const char *text = arguments->options[CTL_TIERS];
    order->is_direct = arguments->options[CTL_DIRECT] != NULL;
    bool is_known =
        arguments->options[CTL_EXISTING_CA] != NULL || arguments->options[CTL_SUBORDINATE] != NULL;
    order->tiers = order->is_direct || is_known ? 1 : 2;
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

// *ret_path is absolute, because the settings file is in another directory, or NULL when the option
// was not given; a URI stays as it is. The caller frees it.
static enum ctl_exit resolve(struct ctl *ctl, const struct ctl_arguments *arguments,
                             enum ctl_option_key key, char **ret_path)
{
    const char *path = arguments->options[key];
    if (path == NULL) {
        return CTL_OK;
    }
    *ret_path = key == CTL_KEY && syntax_is_uri(path) ? strdup(path) : realpath(path, NULL);
    if (*ret_path == NULL) {
        return ctl_complain(ctl, CTL_USAGE, "--%s: cannot find %s: %m", name_of(key), path);
    }
    return CTL_OK;
}

static void warn_of_no_url(struct ctl *ctl, const struct init_result *result)
{
    ctl_complain(ctl, CTL_OK,
                 "warning: without --url no certificate says where its revocation can be seen, and "
                 "those that are out cannot be changed. BEFORE THE FIRST PHONE, in %s/" INIT_CONFIG
                 ", group phone, with a name of this server that will stay:",
                 result->directory);
    fprintf(ctl->errors,
            "    crl_url = \"http://HOST%s\";\n"
            "    ca_url = \"http://HOST%s\";\n"
            "    ocsp_url = \"http://HOST%s\";\n",
            schema_find("http.crl_path")->initial, schema_find("http.ca_path")->initial,
            schema_find("http.ocsp_path")->initial);
}

// What the CA can do without, and the administrator should know.
static void warn(struct ctl *ctl, const struct init_plan *plan, const struct init_result *result)
{
    if (plan->way != INIT_REQUESTED && plan->url == NULL) {
        warn_of_no_url(ctl, result);
    }
    if (plan->way == INIT_EXISTING) {
        ctl_complain(ctl, CTL_OK,
                     "warning: what this CA issued before is not known here; certificates that "
                     "were revoked so far are not in the CRLs that scepd makes");
    }
    if ((result->lacks & CEREMONY_LACKS_CRL_SIGN) != 0) {
        ctl_complain(ctl, CTL_OK,
                     "warning: the CA's keyUsage lacks cRLSign, so it has no CRL, and who checks "
                     "certificates does not learn of a revocation");
    }
    if ((result->lacks & CEREMONY_LACKS_DIGITAL_SIGNATURE) != 0) {
        ctl_complain(ctl, CTL_OK,
                     "warning: the CA's keyUsage lacks digitalSignature, so clients may not "
                     "believe it when it announces its successor (GetNextCACert)");
    }
    if (plan->static_file != NULL) {
        ctl_complain(ctl, CTL_OK,
                     "warning: everybody who knows the password in %s can get a certificate for "
                     "any phone's name, as long as challenge.static_file is set; one-time "
                     "challenges (scepctl challenge new) do not have this weakness",
                     plan->static_file);
    }
}

static enum ctl_exit make(struct ctl *ctl, const struct init_plan *plan)
{
    struct err err = {0};
    CLEANUP(init_result_done) struct init_result result = {0};
    enum err_code code = init_files(plan, ctl->errors, &result, &err);
    if (code != ERR_OK) {
        return ctl_complain(ctl, code == ERR_CONFIG || code == ERR_LIMIT ? CTL_USAGE : CTL_FAILED,
                            "%s", err.text);
    }
    enum ctl_exit exit = init_words(ctl, plan, &result);
    warn(ctl, plan, &result);
    return exit;
}

static enum ctl_exit find_place(struct ctl *ctl, const struct ctl_arguments *arguments,
                                struct init_place *place)
{
    const char *listen = arguments->options[CTL_LISTEN];
    struct err err = {0};
    if (arguments->operand != NULL) {
        *place = init_place_folder(arguments->operand, listen);
        return CTL_OK;
    }
    if (listen != NULL) {
        return ctl_complain(ctl, CTL_USAGE,
                            "--listen: \"%s\"; allowed with DIR only, because the installed "
                            "service listens where scepd.socket says (systemctl edit scepd.socket)",
                            listen);
    }
    return init_place_installed(place, &err) == ERR_OK
               ? CTL_OK
               : ctl_complain(ctl, CTL_USAGE, "%s", err.text);
}

static enum ctl_exit check_command_line(struct ctl *ctl, const struct ctl_arguments *arguments,
                                        struct init_plan *plan)
{
    enum ctl_exit code = check_pairs(ctl, arguments->options);
    if (code == CTL_OK) {
        code = check_needs(ctl, arguments->options);
    }
    if (code == CTL_OK) {
        code = read_tiers(ctl, arguments, &plan->order);
    }
    if (code == CTL_OK) {
        code = check_ca_key(ctl, plan->order.ca_key);
    }
    if (code == CTL_OK) {
        code = check_url(ctl, plan->url);
    }
    choose_way(arguments->options, plan);
    return code;
}

static enum ctl_exit run(struct ctl *ctl, const struct ctl_arguments *arguments)
{
    struct init_place place = {0};
    struct init_plan plan = {
        .place = &place,
        .url = arguments->options[CTL_URL],
        .order = {.ca_key = arguments->options[CTL_CA_KEY],
                  .organization = arguments->options[CTL_ORGANIZATION],
                  .now = clock_now()},
    };
    CLEANUP(free_text) char *static_file = NULL;
    CLEANUP(free_text) char *key = NULL;
    CLEANUP(free_text) char *pin_file = NULL;
    enum ctl_exit code = check_command_line(ctl, arguments, &plan);
    if (code == CTL_OK) {
        code = find_place(ctl, arguments, &place);
    }
    if (code == CTL_OK) {
        code = resolve(ctl, arguments, CTL_STATIC_CHALLENGE_FILE, &static_file);
    }
    if (code == CTL_OK) {
        code = resolve(ctl, arguments, CTL_KEY, &key);
    }
    if (code == CTL_OK) {
        code = resolve(ctl, arguments, CTL_KEY_PIN_FILE, &pin_file);
    }
    plan.static_file = static_file;
    plan.order.key = (struct ceremony_key){.uri = key, .pin_file = pin_file};
    return code == CTL_OK ? make(ctl, &plan) : code;
}

const struct ctl_command ctl_init = {
    .name = "init",
    .operand = "DIR",
    .is_operand_optional = true,
    .summary =
        "Make a CA and scepd.conf, in DIR or for the installed service. Nothing is overwritten.",
    .options = options,
    .run = run,
};
